"""The formulas that several rules share. Each says one thing about the world."""

from cspsim.model.compiled import compiled
from cspsim.model.state import State
from cspsim.model.tallies import Role
from cspsim.model.world import World


@compiled
def reached_share(world: World, reach: float, units: float) -> float:
    """Share of crime reached by this many units: each further unit reaches less, reach x (1 - d^units) / (1 - d)."""
    d = world.uncertainties.diminishing
    return min(1.0, reach * world.uncertainties.reach_scale * (1 - d**units) / (1 - d))


@compiled
def next_reach(world: World, reach: float, units: float) -> float:
    """Share of crime that one more unit would reach, reach x d^units."""
    if units == 0:
        return reach
    return reach * world.uncertainties.diminishing**units


@compiled
def clear_scratch(world: World, state: State) -> None:
    """Before a run: nothing is remembered but what depends on the world alone."""
    state.scratch.numbers[:] = 0
    for units in range(state.scratch.powers.shape[0]):
        state.scratch.powers[units] = world.uncertainties.diminishing ** float(units)
    for c in range(world.profile.shape[1]):
        for i in range(world.profile.shape[0]):
            state.scratch.profile[c, i] = world.profile[i, c]


@compiled
def power_of_units(world: World, state: State, units: float) -> float:
    """d^units, looked up where units are whole, as they nearly always are (a quarter of the time of a power)."""
    whole = int(units)
    if whole == units and 0 <= whole < state.scratch.powers.shape[0]:
        return state.scratch.powers[whole]
    return world.uncertainties.diminishing**units


@compiled
def reach_of_units(world: World, state: State, i: int, units: float) -> float:
    """``reached_share`` of an intervention at this many units."""
    power = power_of_units(world, state, units)
    return min(1.0, world.reach[i] * world.uncertainties.reach_scale * (1 - power) / (1 - world.uncertainties.diminishing))


@compiled
def reach_of_dose(world: World, state: State, p: int, i: int) -> float:
    """``reached_share`` of what is delivered, remembered as long as the dose is the same: crime and the accounts both ask."""
    dose = state.effective_dose[p, i]
    if state.scratch.reached_by[p, i] != dose:
        state.scratch.reached_by[p, i] = dose
        state.scratch.reached[p, i] = reached_share(world, world.reach[i], dose)
    return state.scratch.reached[p, i]


@compiled
def signal_variance(world: World, p: int, a: int, i: int, month: int) -> float:
    """Variance of a private signal: smaller for the authority that leads the work or holds the hospital data."""
    error = world.uncertainties.signal_error
    if world.lead[p, i, month] == a or world.holder[p, Role.HEALTH_DATA, month] == a:
        error *= world.uncertainties.expert_error_share
    return error * error


@compiled
def learn(world: World, state: State, p: int, i: int, source: int, value: float, variance: float, month: int) -> None:
    """Members present update as Gaussians; ``source`` (or -1) already knew. Variance never reaches zero."""
    for a in range(state.belief.shape[1]):
        if a != source and world.member[p, a, month] > 0:
            prior = state.belief_variance[p, a, i]
            weight = prior / (prior + variance)
            state.belief[p, a, i] += weight * (value - state.belief[p, a, i])
            state.belief_variance[p, a, i] = max(1e-9, prior * (1 - weight))
