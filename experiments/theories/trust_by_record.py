"""Rival theory of trust: it is a forecast of what a partner will do, from what it did.

Source: Josang and Ismail 2002, "The beta reputation system", 15th Bled Electronic Commerce Conference: after r good and
s bad outcomes, older ones forgotten by a factor each period, trust is the mean (r + 1) / (r + s + 2) of a beta distribution.
Strength D here: exact as statistics, made for electronic markets, not tested on partnerships.
"""

from cspsim.model.rule_parts import Luck, State, World, compiled

MEMORY = 0.95  # share of the record that still counts a month later; an assumption: the record is that of some 20 months


@compiled
def move_trust(world: World, state: State, luck: Luck, month: int) -> None:
    """Trust moves towards what a partner's record would be worth had every month been like this one.

    trust += (1 - m) x ((x E + 1) / (E + 2) - trust), with m the memory, E = 1 / (1 - m) the outcomes remembered in the long
    run, and x the share of good outcomes this month: its work done, against work left undone and slights. This is the source's
    updating once the record is E long, which it is taken to be from the start. A month without dealings changes nothing;
    meeting and talking change nothing.
    """
    if not world.switches.trust_dynamics:
        return
    remembered = 1 / (1 - MEMORY)
    partnerships, authorities = state.trust.shape[0], state.trust.shape[1]
    for p in range(partnerships):
        for a in range(authorities):
            for b in range(authorities):
                if a == b or world.member[p, a, month] <= 0 or world.member[p, b, month] <= 0:
                    continue
                outcomes, good = state.slights[p, a, b], 0.0
                if state.assigned[p, b] > 0:
                    outcomes += 1
                    good = 1 - state.unworked[p, b] / state.assigned[p, b]
                if outcomes > 0:
                    forecast = (good / outcomes * remembered + 1) / (remembered + 2)
                    state.trust[p, a, b] += (1 - MEMORY) * (forecast - state.trust[p, a, b])
