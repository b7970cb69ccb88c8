"""Rival theory of trust: it is multiplied by what a partner does for or to me, and by contact.

Source: F. Cruz Torres, agent-based model of the energy transition in Dutch municipalities (NetLogo, 2021,
github.com/fcruztorres/ABM_Energy_Transition, Model.nlogo): trust x 0.95 where a decision harms a neighbour, x 1.025 where it
helps, x 1.01 for an informal contact, at most full trust. Strength D: numbers of a simulation, not fitted to data.
"""

from cspsim.model.rule_parts import Luck, State, Work, World, compiled

HARMED = 0.95  # times, as in the source
HELPED = 1.025  # times, as in the source
MET = 1.01  # times, as in the source; there for informal contact, here for a meeting of the strategy group


@compiled
def move_trust(world: World, state: State, luck: Luck, month: int) -> None:
    """Trust x 1.025 in a month of joint delivery, x 1.01 when the group meets, x 0.95 for each slight and for work left undone.

    Work left undone counts by its share: x 0.95 ^ (hours not worked / hours assigned). Nothing fades by itself, so trust is
    lost in a few bad months and won back slowly: one slight takes a little over two months of joint delivery to make good.
    """
    if not world.switches.trust_dynamics:
        return
    partnerships, authorities = state.trust.shape[0], state.trust.shape[1]
    for p in range(partnerships):
        for a in range(authorities):
            for b in range(authorities):
                if a == b or world.member[p, a, month] <= 0 or world.member[p, b, month] <= 0:
                    continue
                harm = state.slights[p, a, b]
                if state.assigned[p, b] > 0:
                    harm += state.unworked[p, b] / state.assigned[p, b]
                trust = state.trust[p, a, b] * HARMED**harm
                if state.work[p, a, Work.DELIVERY] > 0 and state.work[p, b, Work.DELIVERY] > 0:
                    trust *= HELPED
                if world.meets[month]:
                    trust *= MET
                state.trust[p, a, b] = min(1.0, trust)
