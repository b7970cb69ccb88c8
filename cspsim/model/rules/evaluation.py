"""11 Evaluation: what is evaluated, how well, what everybody then believes, and how the rest drifts up."""

from math import sqrt

from cspsim.model.arithmetic import learn, reach_of_units
from cspsim.model.compiled import compiled
from cspsim.model.luck import EVALUATION, Luck, normal, uniform
from cspsim.model.state import State
from cspsim.model.tallies import AuthorityTally, Trait, Work
from cspsim.model.world import World


@compiled
def intend_evaluations(world: World, state: State, luck: Luck, month: int) -> None:
    """At the annual review the lead of each running project means to evaluate it, by ethos, person, conditions and slack.

    chance = base + ethos + mindedness + condition - overload, within 0 and 1: the first thing cut.
    Source: Thwaites 2013 ("evaluation was indeed minimal"); 5-25 % of projects is an assumption, no share was found.
    """
    uncertainties = world.uncertainties
    state.evaluates[:] = 0
    if not world.reviews[month]:
        return
    for p in range(state.evaluates.shape[0]):
        for i in range(state.evaluates.shape[2]):
            if may_evaluate(world, state, p, i, month):
                a = world.lead[p, i, month]
                chance = uncertainties.evaluation_base + uncertainties.ethos_value * world.levers.evaluation_ethos[month]
                chance += uncertainties.mindedness_value * (state.traits[p, a, Trait.EVALUATION_MINDEDNESS] - 1 / 2)
                chance += uncertainties.condition_value * world.levers.evaluation_condition[month]
                chance -= uncertainties.evaluation_overload * max(0.0, state.load[p, a] - 1) * world.switches.overload
                diligence = uniform(luck, EVALUATION, month, world.authority_key[p, a], world.intervention_key[i])
                if diligence < chance:
                    state.evaluates[p, a, i] = 1


@compiled
def may_evaluate(world: World, state: State, p: int, i: int, month: int) -> bool:
    """A review is on, the project has run long enough, and some of its crime types have a recorded series."""
    if not (world.reviews[month] and world.switches.evaluation) or state.units[p, i] <= 0 or state.since[p, i] < 0:
        return False
    if world.lead[p, i, month] < 0:
        return False
    if month - max(state.since[p, i], state.begun[p, i]) < world.uncertainties.evaluation_after_months:
        return False
    return _exposed(world, state, p, i, month, month) > 0


@compiled
def evaluate_projects(world: World, state: State, luck: Luck, month: int) -> None:
    """Evaluations are done while hours and money last; everybody present learns; what is not evaluated drifts up."""
    if not world.reviews[month]:
        return
    for p in range(state.units.shape[0]):
        projects, evaluated, strong = 0.0, 0.0, 0.0
        for i in range(state.units.shape[1]):
            _let_doubt_return(world, state, p, i)
            state.evaluated[p, i] = 0
            if state.units[p, i] <= 0:
                continue
            projects += 1
            evaluator = _evaluator(world, state, p, i, month)
            if evaluator >= 0 and may_evaluate(world, state, p, i, month):
                _evaluate(world, state, luck, p, i, evaluator, month)
                evaluated += min(1.0, state.evaluated[p, i])
                strong += max(0.0, state.evaluated[p, i] - 1)
            if state.evaluated[p, i] == 0:
                _credit_falls(world, state, p, i, month)
        state.evaluated_share[p] = evaluated / max(1.0, projects)
        state.evidence_value[p] = strong / max(1.0, projects)


@compiled
def _let_doubt_return(world: World, state: State, p: int, i: int) -> None:
    """Certainty ages: conditions change, people forget; uncertainty returns towards what it was at first."""
    for a in range(state.belief.shape[1]):
        gap = world.uncertainties.prior_error * world.uncertainties.prior_error - state.belief_variance[p, a, i]
        state.belief_variance[p, a, i] += world.uncertainties.belief_ageing * max(0.0, gap)


@compiled
def _evaluator(world: World, state: State, p: int, i: int, month: int) -> int:
    """Who evaluates: the lead if it means to, else any member that does (the higher name hash)."""
    best = -1
    for a in range(state.evaluates.shape[1]):
        if state.evaluates[p, a, i] > 0 and world.member[p, a, month] > 0:
            if a == world.lead[p, i, month]:
                return a
            if best < 0 or world.authority_key[p, a] > world.authority_key[p, best]:
                best = a
    return best


@compiled
def _evaluate(world: World, state: State, luck: Luck, p: int, i: int, evaluator: int, month: int) -> None:
    """Weak: the year before adoption against the latest, over planned dose. Strong: treated against comparison."""
    uncertainties = world.uncertainties
    design = uniform(luck, EVALUATION, month, world.project_key[p, i], world.intervention_key[i])
    strong = design < world.levers.evaluation_quality[month] * (1 / 2 + state.traits[p, evaluator, Trait.EVALUATION_MINDEDNESS])
    hours, cost = uncertainties.weak_evaluation_hours, uncertainties.weak_evaluation_cost
    if strong:
        hours, cost = uncertainties.strong_evaluation_hours, uncertainties.strong_evaluation_cost
    if cost > _spare(world, state, p, month):
        return
    state.spent[p] += cost
    state.balance[p] -= cost
    state.work[p, evaluator, Work.EVALUATION] += hours
    if state.available[p, evaluator] > 0:
        more = state.load[p, evaluator] + hours / state.available[p, evaluator]
        state.load[p, evaluator] = min(uncertainties.largest_load, more)
    state.authority_tallies[p, evaluator, AuthorityTally.EVALUATIONS] += 1
    if strong:
        estimate, variance = _strong_estimate(world, state, luck, p, i, month)
        state.evaluated[p, i] = 2
    else:
        estimate, variance = _weak_estimate(world, state, p, i, month)
        state.evaluated[p, i] = 1
    state.evaluated_estimate[p, i] = estimate
    learn(world, state, p, i, -1, estimate, variance, month)


@compiled
def _spare(world: World, state: State, p: int, month: int) -> float:
    """£ left this month after standing charges and running projects."""
    spare = state.balance[p] - state.charges[p]
    for i in range(state.units.shape[1]):
        spare -= state.units[p, i] * world.unit_cost[i] * (1 - world.match_share[i])
    return spare


@compiled
def _exposed(world: World, state: State, p: int, i: int, last: int, month: int) -> float:
    """Recorded crimes that the project's profile covers, in the 12 months to ``last``, only types with a series."""
    total = 0.0
    for c in range(world.profile.shape[1]):
        if world.profile[i, c] > 0 and world.observed[c] > 0:
            for m in range(max(0, last - 11), last + 1):
                total += world.profile[i, c] * state.recorded[p, c, m]
    return total


@compiled
def _weak_estimate(world: World, state: State, p: int, i: int, month: int) -> tuple[float, float]:
    """(before - after) / before / reach of the planned dose; the error the evaluator believes in is that of the counts.

    Season cancels (whole years); trend, slow shocks and regression to the mean do not. Nobody reports that more than all
    crime was prevented or caused, and readers discount the design a little, but less than it deserves.
    """
    if not world.switches.measurement_error:
        return _delivered_effect(world, state, p, i), 1e-6
    before = _exposed(world, state, p, i, max(11, state.since[p, i] - 1), month)
    after = _exposed(world, state, p, i, month, month)
    reached = max(1e-6, reach_of_units(world, state, i, state.units[p, i]))
    if before <= 0:
        return 0.0, 1e6
    ratio = after / before
    variance = ratio * ratio * (1 / max(1.0, before) + 1 / max(1.0, after)) / (reached * reached)
    doubt = world.uncertainties.weak_design_doubt
    return max(-1.0, min(1.0, (1 - ratio) / reached)), variance + doubt * doubt


@compiled
def _strong_estimate(world: World, state: State, luck: Luck, p: int, i: int, month: int) -> tuple[float, float]:
    """Treated places or people against matched untreated ones, before and after: shocks cancel, count errors of four cells stay."""
    effect = _delivered_effect(world, state, p, i)
    if not world.switches.measurement_error:
        return effect, 1e-6
    treated = max(1.0, _exposed(world, state, p, i, month, month) * reach_of_units(world, state, i, state.units[p, i]))
    variance = 4 / treated
    z = normal(luck, EVALUATION, month, world.intervention_key[i], world.project_key[p, i])
    return effect + sqrt(variance) * z, variance


@compiled
def _delivered_effect(world: World, state: State, p: int, i: int) -> float:
    """True fall among the treated as delivered: the effect times delivered over planned dose. Only evaluation data may read it."""
    effect = world.effect[i] * world.uncertainties.effect_scale * world.switches.effects
    return effect * min(1.0, state.effective_dose[p, i] / max(state.units[p, i], 1e-12))


@compiled
def _credit_falls(world: World, state: State, p: int, i: int, month: int) -> None:
    """A fall of recorded crime is credited to the project by those who run it; a rise is excused."""
    now, earlier = _exposed(world, state, p, i, month, month), _exposed(world, state, p, i, max(11, month - 12), month)
    if earlier <= 0 or now >= earlier or not world.switches.optimism:
        return
    fall = min(world.uncertainties.largest_credit, 1 - now / earlier)
    for a in range(state.belief.shape[1]):
        if world.member[p, a, month] > 0:
            state.belief[p, a, i] += world.uncertainties.credit_for_falls * fall * max(0.0, 1 - state.belief[p, a, i])
