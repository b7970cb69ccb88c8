"""What a search found, in sentences for the terminal and the page alike."""

from cspsim.basics.formats import amount, interval, listed
from cspsim.model.parameters import Levers
from cspsim.running.outcomes import OUTCOMES, POUNDS
from cspsim.scenario.schema import register_of
from cspsim.scenario.world_building import calendar_of
from cspsim.search.retest import Mean, Retested, mean_of
from cspsim.search.searching import Found
from cspsim.search.standing import LEAST_HARM, SAFEST, best_of


def search_sentences(found: Found) -> list[str]:
    """The answer: the budget, the mix with the least harm, the safest, the references, and whether learning paid."""
    said = [_about_the_budget(found)]
    if LEAST_HARM not in found.roles:
        return [*said, "No mix kept within the budget: nothing was chosen. Try a larger budget or more trials."]
    return [*said, _about_least_harm(found), _about_the_safest(found), *_about_references(found), *_about_methods(found)]


def window_of(found: Found) -> str:
    """The months over which cost and harm are counted."""
    calendar = calendar_of(found.search.baseline.data)
    start, end = (calendar.months[k] for k in calendar.window)
    return f"{start:%B %Y} to {end:%B %Y}"


def _about_the_budget(found: Found) -> str:
    trials = found.standing.first_trial
    within = int(found.standing.within[trials:].sum())
    times = found.search.data.budget.times_baseline
    share = "" if times is None else f", {'what' if times == 1 else f'{times:g} times what'} {found.search.baseline.name} costs"
    return (
        f"Of {len(found.standing.trials):,} mixes tried, {within:,} kept within {amount(found.problem.budget, POUNDS, 1e4)} "
        f"from {window_of(found)}{share}."
    )


def _less_or_more(found: Found, mean: Mean) -> str:
    """ "£12.3m less cost of crime than baseline (95% interval £9.9m to £14.7m less)"."""
    entry = OUTCOMES[found.search.data.harm]
    half = mean.high - mean.value
    sign, word = (-1, "less") if mean.value <= 0 else (1, "more")
    low, high = sorted((sign * mean.low, sign * mean.high))
    noise = half if half > 0 else None
    size = amount(abs(mean.value), entry.unit, noise)
    ends = interval(low, high, entry.unit, noise)
    return f"{size} {word} {entry.title.lower()} than {found.search.baseline.name} (95% interval {ends} {word})"


def _flattered(found: Found, optimism: Mean) -> str:
    entry = OUTCOMES[found.search.data.harm]
    half = optimism.high - optimism.value
    noise = half if half > 0 else None
    return f"{amount(optimism.value, entry.unit, noise)} ({interval(optimism.low, optimism.high, entry.unit, noise)})"


def mix_in_words(found: Found, policy: int) -> str:
    """ "grant 1.05, engagement 0"; what is not named is left as in the baseline."""
    levels = found.standing.levels(policy) or {}
    register = register_of(Levers)
    return listed([f"{register[name].title.lower()} {level:.3g}" for name, level in levels.items()]) if levels else "nothing moved"


def _about_least_harm(found: Found) -> str:
    row = found.second(LEAST_HARM)
    if row is None or row.first is None or row.optimism is None:
        return ""
    mix = f"Least harm: {mix_in_words(found, found.roles[LEAST_HARM])}."
    if row.verdict == "identical":
        return f"{mix} It leaves exactly the harm of {found.search.baseline.name} in every run: there was nothing to find."
    fresh = f"On fresh luck and fresh assumptions {_less_or_more(found, row.fresh)}: {row.verdict}."
    side = "above" if row.over_budget > 0 else "below"
    cost = f"Its fresh cost is {amount(abs(row.over_budget), POUNDS, 1e4)} {side} the budget."
    flattered = f"The search flattered it by {_flattered(found, row.optimism)}."
    nothing = "" if row.fresh.high < 0 else f" No mix was shown to leave less harm than {found.search.baseline.name}."
    return f"{mix} In the search {_less_or_more(found, row.first)}. {fresh} {flattered} {cost}{nothing}"


def _about_the_safest(found: Found) -> str:
    row, policy = found.second(SAFEST), found.roles[SAFEST]
    if row is None:
        return ""
    entry = OUTCOMES[found.search.data.harm]
    own, base = (amount(float(found.standing.worst_regret[k]), entry.unit, None) for k in (policy, 0))
    fresh = found.fresh.worst_regrets()
    again, base_again = (amount(value, entry.unit, None) for value in (row.worst_regret, fresh[found.standing.names[0]]))
    same = "the same mix" if policy == found.roles[LEAST_HARM] else mix_in_words(found, policy)
    return (
        f"Most robust: {same}. In the set that is worst for it, it leaves {own} more harm than the best mix found for that set "
        f"({found.search.baseline.name}: {base}); on fresh sets, among the mixes looked at again, {again} ({base_again}). "
        f"Fresh effect: {_less_or_more(found, row.fresh)}, the same sign in {row.same_sign_share:.0%} of the sets.{_outdone(found, row)}"
    )


def _outdone(found: Found, row: Retested) -> str:
    """How many of the mixes looked at again are safer on fresh sets: being the safest is picked from many, too."""
    rivals = [other for other in found.again if other.name in found.fresh.eligible and other.name != row.name]
    safer = sum(other.worst_regret < row.worst_regret for other in rivals)
    return f" {safer} of {len(rivals)} other mixes looked at again have less worst-case regret there." if safer else ""


def _about_references(found: Found) -> list[str]:
    rows = {row.name: row for row in found.again}
    said = []
    for name in found.search.references:
        row = rows[name]
        side = "above" if row.over_budget > 0 else "below"
        over = amount(abs(row.over_budget), POUNDS, None)
        said.append(f"{name}, on the same fresh runs: {_less_or_more(found, row.fresh)}, at a cost {over} {side} the budget.")
    return said


def _about_methods(found: Found) -> list[str]:
    """Whether the first method's best mix is better than the others', in pairs on the fresh runs."""
    first, *others = found.search.data.methods
    entry = OUTCOMES[found.search.data.harm]
    said = []
    for other in others:
        if best_of(first) not in found.roles or best_of(other) not in found.roles:
            continue
        names = [found.standing.names[found.roles[best_of(method)]] for method in (first, other)]
        gap = mean_of(found.fresh.effect(names[0]) - found.fresh.effect(names[1]))
        noise = gap.high - gap.value or None
        low, high = sorted((-gap.low, -gap.high))
        size = f"{amount(-gap.value, entry.unit, noise, signed=True)}; {interval(low, high, entry.unit, noise)}"
        word = "better" if gap.high < 0 else "worse" if gap.low > 0 else "no better"
        said.append(f"With as many trials each, {first} did {word} than {other} (harm averted beyond it, on fresh runs: {size}).")
    return said
