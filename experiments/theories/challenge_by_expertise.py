"""Rival theory of challenge: people defer to expertise, not to friends.

Source: "A multilevel and dynamic model of intragroup conflict and decision making: application of agent-based modeling",
Frontiers of Business Research in China 13 (2019), doi 10.1186/s11782-019-0070-1, table 1, step 3. Strength D: a
simulation; its authors call the threshold arbitrary. Their expertise changes with every decision; here it is how surely a
member knows, which evaluation and hearing change. Their discrepancy is a share of a scale; here it is in standard deviations.
"""

from math import sqrt

from cspsim.model.rule_parts import Luck, State, World, compiled

NEARNESS = 0.5  # own standard deviations; their 0.5 of a scale from 0 to 1 ("an arbitrary value"), so the unit is an assumption
LEAST_VARIANCE = 1e-9  # a belief is never certain


@compiled
def challenge_items(world: World, state: State, luck: Luck, month: int) -> None:
    """A member supports an item whose sponsor is its subject expert, or knows better and claims about the same; else it objects.

    Subject expert: who leads the intervention. Knows better: believes with a smaller variance. About the same:
    |claim - own belief| / own uncertainty below ``NEARNESS``. Trust, assertiveness, dependence and workload play no part.
    """
    partnerships, authorities, interventions = state.challenges.shape
    state.challenges[:] = 0
    state.doubts[:] = 0
    for p in range(partnerships):
        for a in range(authorities):
            state.suppressed[p, a] *= world.uncertainties.doubt_memory
        for i in range(interventions):
            if state.on_table[p, i] <= 0:
                continue
            sponsor = state.sponsor[p, i]
            for a in range(authorities):
                if a != sponsor and world.member[p, a, month] > 0:
                    variance = max(state.belief_variance[p, a, i], LEAST_VARIANCE)
                    doubt = (state.claim[p, i] - state.belief[p, a, i]) / sqrt(variance)
                    state.doubts[p, a, i] = doubt
                    expert = world.lead[p, i, month] == sponsor
                    knows_better = state.belief_variance[p, sponsor, i] < state.belief_variance[p, a, i]
                    supports = expert or (knows_better and abs(doubt) < NEARNESS)
                    if world.switches.challenge and not supports:
                        state.challenges[p, a, i] = 1
