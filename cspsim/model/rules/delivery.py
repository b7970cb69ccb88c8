"""10 Delivery: hours and money become dose, less what overload, distrust, thin co-ordination and absence take away."""

from cspsim.model.compiled import compiled
from cspsim.model.luck import Luck
from cspsim.model.state import State
from cspsim.model.tallies import Role, Work
from cspsim.model.world import World


@compiled
def deliver_units(world: World, state: State, luck: Luck, month: int) -> None:
    """Dose moves towards units x fidelity while delivery runs, decays after it ends, and does nothing below a threshold.

    Source: Reducing Burglary Initiative (122 planned, 89 implemented, 13 with enough dose: Home Office via NCJRS 206325).
    """
    for p in range(state.dose.shape[0]):
        _weigh_load(world, state, p)
        state.fidelity[p] = _fidelity(world, state, p, month)
        for i in range(state.dose.shape[1]):
            target = 0.0
            if state.units[p, i] > 0 and month >= state.starts[p, i]:
                target = state.units[p, i] * min(1.0, state.fidelity[p] * state.quality[p, i])
            if target >= state.dose[p, i]:
                state.dose[p, i] += world.build_up[i] * (target - state.dose[p, i])
            else:
                state.dose[p, i] = max(target, state.dose[p, i] * world.keep[i])
            state.effective_dose[p, i] = state.dose[p, i]
            if state.dose[p, i] < world.threshold[i] * world.uncertainties.threshold_scale:
                state.effective_dose[p, i] = 0


@compiled
def _weigh_load(world: World, state: State, p: int) -> None:
    """Load = all hours asked of an authority / hours it has; without hours any task is an overload, capped."""
    most = world.uncertainties.largest_load
    for a in range(state.load.shape[1]):
        asked = state.unworked[p, a]
        for kind in range(state.work.shape[2]):
            asked += state.work[p, a, kind]
        state.load[p, a] = 0
        if state.available[p, a] * most > asked:
            state.load[p, a] = asked / state.available[p, a]
        elif asked > 0:
            state.load[p, a] = most


@compiled
def _fidelity(world: World, state: State, p: int, month: int) -> float:
    """Base x co-ordination x (1 + trust gain) x share of work done / (1 + overload of the doers + of the co-ordinator)."""
    uncertainties = world.uncertainties
    done, strained = 0.0, 0.0
    trust, pairs = 0.0, 0.0
    for a in range(state.load.shape[1]):
        done += state.work[p, a, Work.DELIVERY]
        strained += state.work[p, a, Work.DELIVERY] * max(0.0, state.load[p, a] - 1)
        if world.member[p, a, month] <= 0:
            continue
        for b in range(state.load.shape[1]):
            if a != b and world.member[p, b, month] > 0:
                trust += state.trust[p, a, b]
                pairs += 1
    fidelity = uncertainties.base_fidelity * _coordination(world, month)
    if pairs > 0:
        fidelity *= 1 + uncertainties.trust_delivery_gain * world.switches.trust_helps_delivery * (trust / pairs - 1 / 2)
    if state.needed[p] > 0:
        fidelity *= min(1.0, done / state.needed[p])
    strain = 0.0
    if done > 0:
        strain = uncertainties.overload_loss * strained / done
    coordinator = world.holder[p, Role.COORDINATOR, month]
    if coordinator >= 0:
        strain += uncertainties.coordinator_overload_loss * max(0.0, state.load[p, coordinator] - 1)
    return max(0.0, min(1.0, fidelity / (1 + strain * world.switches.overload)))


@compiled
def _coordination(world: World, month: int) -> float:
    """Meetings co-ordinate, with diminishing returns: g (1 + h) / (g + h), 1 at today's level, 0 without any."""
    governance = world.levers.governance[month]
    half = world.uncertainties.coordination_half
    return governance * (1 + half) / max(governance + half, 1e-12)
