"""5 Assessment: each authority's picture of need, before every meeting of the strategy group."""

from math import exp

from cspsim.model.compiled import compiled
from cspsim.model.luck import MEETINGS, Luck, normal
from cspsim.model.state import State
from cspsim.model.world import World


@compiled
def assess_needs(world: World, state: State, luck: Luck, month: int) -> None:
    """Need is a blend of shares: own remit, the target regime, and, under a balanced framework, a victim survey.

    need[p, a, :] = (1 - b) [(1 - k t) remit view + k t target view] + b survey view, each view normalised to 1;
    t target pressure, b balanced scorecard, k the pull of targets. Remit and survey weigh crime by its cost, targets
    by its count. The table's picture weighs authorities by influence. Source: Thwaites 2013; PASC 2014.
    """
    if not world.meets[month]:
        return
    partnerships, authorities, crime_types = state.need.shape
    for p in range(partnerships):
        pull = world.uncertainties.target_pull * world.levers.targets[month]
        balanced = world.levers.balanced_scorecard[month] * state.afforded[p]
        targeted = _total_targeted(world, state, p)
        surveyed = 0.0
        if balanced > 0:
            surveyed = _survey(world, state, luck, p, month)
        weight = 0.0
        for c in range(crime_types):
            state.table_need[p, c] = 0
        for a in range(authorities):
            influence = world.influence[a] * world.member[p, a, month]
            weight += influence
            own = _total_remit(world, state, p, a)
            for c in range(crime_types):
                view = 1 / crime_types
                if own > 0:
                    view = world.remit[a, c] * state.recorded_year[p, c] * world.unit_cost_of_crime[c] / own
                if targeted > 0:
                    view += pull * (world.targeted[c] * state.recorded_year[p, c] / targeted - view)
                if surveyed > 0:
                    view += balanced * (state.surveyed[p, c] / surveyed - view)
                state.need[p, a, c] = view
                state.table_need[p, c] += influence * view
        for c in range(crime_types):
            state.table_need[p, c] /= max(weight, 1e-12)


@compiled
def _total_remit(world: World, state: State, p: int, a: int) -> float:
    total = 0.0
    for c in range(world.remit.shape[1]):
        total += world.remit[a, c] * state.recorded_year[p, c] * world.unit_cost_of_crime[c]
    return total


@compiled
def _total_targeted(world: World, state: State, p: int) -> float:
    total = 0.0
    for c in range(world.targeted.shape[0]):
        total += world.targeted[c] * state.recorded_year[p, c]
    return total


@compiled
def _survey(world: World, state: State, luck: Luck, p: int, month: int) -> float:
    """Cost of victimisation as a local survey finds it, the truth of the latest 12 months with sampling error; its total."""
    total = 0.0
    for c in range(state.true_year.shape[1]):
        error = world.uncertainties.survey_error * normal(luck, MEETINGS, month, world.cell_key[p, c], world.crime_key[c])
        found = state.true_year[p, c] * exp(error * world.switches.measurement_error)
        state.surveyed[p, c] = found * world.unit_cost_of_crime[c]
        total += state.surveyed[p, c]
    return total
