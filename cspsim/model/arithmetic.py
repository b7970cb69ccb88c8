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
