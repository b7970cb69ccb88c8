"""What a search found, in tables for the terminal and the page alike."""

from typing import Any

import numpy as np

from cspsim.basics.formats import MISSING, amount, interval
from cspsim.model.parameters import Levers
from cspsim.reports.summary import Grid
from cspsim.running.outcomes import OUTCOMES, POUNDS, SHARE
from cspsim.scenario.schema import register_of
from cspsim.search.policies import mean_levels
from cspsim.search.proposing import LEARNING, effects
from cspsim.search.retest import Mean, Retested, mean_of
from cspsim.search.searching import Found, roles_by_name
from cspsim.search.standing import LEAST_HARM, SAFEST, best_of


def grids(found: Found) -> dict[str, Grid]:
    """Every table of the answer by name."""
    made = {"second_look": second_look_grid(found), "mixes": mixes_grid(found), "methods": methods_grid(found)}
    singles = singles_grid(found)
    if singles.cells:
        made["singles"] = singles
    return {**made, "profile": profile_grid(found)}


def _effect_cells(mean: Mean | None, unit: str, points: bool = False) -> list[str]:
    if mean is None:
        return [MISSING, MISSING]
    noise = mean.high - mean.value or None
    return [amount(mean.value, unit, noise, signed=True, points=points), interval(mean.low, mean.high, unit, noise, points)]


def second_look_grid(found: Found) -> Grid:
    """What was chosen and what it is compared with: the effect in the search, on fresh runs, and what was flattery."""
    unit = OUTCOMES[found.search.data.harm].unit
    columns = ["Policy", "Chosen as", "In the search (95% interval)", "Fresh (95% interval)", "Flattered by (95% interval)",
               "Fresh cost over budget", "Worst-case regret, fresh", "Verdict"]  # fmt: skip
    cells, plain = [], []
    for row in found.again:
        chosen = row.name not in found.search.references
        means = [_with_interval(mean, unit) for mean in (row.first, row.fresh, row.optimism if chosen else None)]
        roles = ", ".join(row.roles) or ("finalist" if chosen else "reference")
        over, lost = amount(row.over_budget, POUNDS, 1e4, signed=True), amount(row.worst_regret, unit, None)
        cells.append([row.name, roles, *means, over, lost, row.verdict])
        plain.append(_plain_row(row, chosen))
    harm = OUTCOMES[found.search.data.harm].title.lower()
    title = f"Difference in {harm} from {found.search.baseline.name}: in the search, and looked at again"
    return Grid(title, columns, cells, plain)


def _plain_row(row: Retested, chosen: bool) -> dict[str, Any]:
    def ends(name: str, mean: Mean | None) -> dict[str, Any]:
        known = mean or Mean(np.nan, np.nan, np.nan, np.nan, np.nan)
        return {name: known.value, f"{name}_low": known.low, f"{name}_high": known.high}

    return {
        "policy": row.name, "roles": ", ".join(row.roles), **ends("search", row.first), **ends("fresh", row.fresh),
        **ends("flattered", row.optimism if chosen else None), "over_budget": row.over_budget, "worst_regret": row.worst_regret,
        "same_sign_share": row.same_sign_share, "verdict": row.verdict,
    }  # fmt: skip


def mixes_grid(found: Found) -> Grid:
    """The levels of the chosen mixes beside the baseline and the references, means over the outcome window."""
    search = found.search
    shown = {search.baseline.name: search.baseline, **found.scenarios, **search.references}
    levels = {name: mean_levels(search, scenario) for name, scenario in shown.items()}
    register = register_of(Levers)
    cells = [
        [register[d.name].title, *(f"{levels[name][d.name]:.3g}" for name in shown), f"{d.low:g} to {d.high:g} {register[d.name].unit}"]
        for d in search.dimensions
    ]
    plain = [{"lever": d.name, **{name: levels[name][d.name] for name in shown}} for d in search.dimensions]
    return Grid("Where the levers stand, mean over the outcome window", ["Lever", *shown, "Range searched"], cells, plain)


def methods_grid(found: Found) -> Grid:
    """How each method did: within the search, and its best mix looked at again."""
    unit = OUTCOMES[found.search.data.harm].unit
    columns = ["Method", "Trials", "Within budget", "Least harm in the search", "The same mix, fresh", "95% interval", "Front"]
    cells, plain = [], []
    largest = max([row.area for row in found.methods] + [0.0])
    for row in found.methods:
        second = found.second(best_of(row.method))
        fresh = second.fresh if second else None
        share = f"{row.area / largest:.0%}" if largest else MISSING
        best = amount(row.least_harm, unit, None, signed=True)
        cells.append([row.method, f"{row.trials:,}", f"{row.within:,}", best, *_effect_cells(fresh, unit), share])
        plain.append({"method": row.method, "trials": row.trials, "within": row.within, "least_harm": row.least_harm,
                      "fresh": fresh.value if fresh else None, "area": row.area})  # fmt: skip
    return Grid("Methods, each with as many trials; front: area in cost and harm, of the largest", columns, cells, plain)


def singles_grid(found: Found) -> Grid:
    """What each lever does alone at the ends of its range: its cost and its effect, in the search."""
    unit = OUTCOMES[found.search.data.harm].unit
    register = register_of(Levers)
    columns = ["Lever alone", "Level", "Cost", "95% interval", "Harm", "95% interval of harm"]
    cells, plain = [], []
    learner = next((trial.method for trial in found.standing.trials if trial.method in LEARNING), None)
    tried = [trial for trial in found.standing.trials if trial.method == learner][: len(found.problem.singles)]
    for trial in tried:
        ((name, level),) = trial.levels.items()
        cost = mean_of(trial.measured.cost - found.problem.baseline.cost)
        harm = mean_of(effects(trial.measured, found.problem.baseline))
        cells.append([register[name].title, f"{level:g}", *_effect_cells(cost, POUNDS), *_effect_cells(harm, unit)])
        plain.append({"lever": name, "level": level, "cost": cost.value, "harm": harm.value})
    return Grid("One lever at a time: what it costs and what it does to harm, against the baseline", columns, cells, plain)


def profile_grid(found: Found) -> Grid:
    """What else the chosen mixes and the references change, on the fresh runs."""
    policies = list(dict.fromkeys(one.policy for one in found.profiles))
    chosen = {role: k for role, k in found.roles.items() if role in (LEAST_HARM, SAFEST)}
    roles = {name: ", ".join(roles) for name, roles in roles_by_name(found.standing, chosen).items()}
    outcomes = list(dict.fromkeys(one.outcome for one in found.profiles))
    by_place = {(one.policy, one.outcome): one for one in found.profiles}
    cells = []
    for outcome in outcomes:
        entry = OUTCOMES[outcome]
        row = [f"{entry.title} ({entry.unit})", amount(by_place[policies[0], outcome].baseline, entry.unit, None)] if policies else []
        row += [_with_interval(by_place[name, outcome].difference, entry.unit) for name in policies]
        cells.append(row)
    plain = [{"policy": one.policy, "outcome": one.outcome, "baseline": one.baseline, **one.difference._asdict()} for one in found.profiles]
    columns = ["Outcome", found.search.baseline.name, *(roles.get(name, name) for name in policies)]
    return Grid("What else changes, on fresh luck and fresh assumptions", columns, cells, plain)


def _with_interval(mean: Mean | None, unit: str) -> str:
    if mean is None:
        return MISSING
    value, ends = _effect_cells(mean, unit, unit == SHARE)
    return f"{value} ({ends})"
