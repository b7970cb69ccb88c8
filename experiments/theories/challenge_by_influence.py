"""Rival theory of challenge: people talk before the meeting, and their opinions settle (Friedkin and Johnsen).

Source: Friedkin and Johnsen 1990, "Social influence and opinions", Journal of Mathematical Sociology 15, 193-206, after
DeGroot 1974. Strength B for the arithmetic (its authors report experiments with small groups; from memory), D for its use
on a strategy group: nobody has measured who sways whom at such a table.
"""

from math import exp, sqrt

import numpy as np

from cspsim.model.rule_parts import MEETINGS, Floats, Luck, State, Trait, World, compiled, uniforms

MOST_ROUNDS = 500  # of talk; opinions settle long before, unless nobody holds on to anything
SETTLED = 1e-12  # a round that moves no opinion by more than this is the last
LEAST_VARIANCE = 1e-9  # a belief is never certain


@compiled
def challenge_items(world: World, state: State, luck: Luck, month: int) -> None:
    """A member challenges what it still doubts after everybody has talked to everybody it trusts.

    Opinions y of an item's effect settle at y = S W y + (1 - S) first, where first is the own belief (the sponsor's: its claim),
    S = 1 - assertiveness (the sponsor's: 0) and W weighs others by trust in them times their influence, oneself by 1 - S.
    logit = base + slope x (claim - settled opinion) / own uncertainty. Only trust in one partner against trust in
    another counts: trusting everybody more silences nobody. What was doubted before the talk and is not said is suppressed.
    """
    partnerships, authorities, interventions = state.challenges.shape
    numbers = world.uncertainties
    first, settled, hold = np.zeros(authorities), np.zeros(authorities), np.zeros(authorities)
    weights = np.zeros((authorities, authorities))
    state.challenges[:] = 0
    state.doubts[:] = 0
    for p in range(partnerships):
        for a in range(authorities):
            state.suppressed[p, a] *= numbers.doubt_memory
        for i in range(interventions):
            if state.on_table[p, i] <= 0:
                continue
            sponsor = state.sponsor[p, i]
            for a in range(authorities):
                first[a] = state.claim[p, i] if a == sponsor else state.belief[p, a, i]
                hold[a] = 1.0 if a == sponsor else state.traits[p, a, Trait.ASSERTIVENESS]
                _weigh(world, state, p, a, hold[a], weights[a], month)
            settle(first, weights, hold, settled)
            for a in range(authorities):
                if a != sponsor and world.member[p, a, month] > 0:
                    deviation = sqrt(max(state.belief_variance[p, a, i], LEAST_VARIANCE))
                    state.doubts[p, a, i] = (first[sponsor] - first[a]) / deviation
                    left = (first[sponsor] - settled[a]) / deviation
                    left = max(-numbers.largest_doubt, min(numbers.largest_doubt, left))
                    chance = 1 / (1 + exp(-numbers.challenge_base - numbers.challenge_doubt * left))
                    u = uniforms(luck, MEETINGS, month, world.authority_key[p, a], world.intervention_key[i])[0]
                    if world.switches.challenge and u < chance:
                        state.challenges[p, a, i] = 1


@compiled
def _weigh(world: World, state: State, p: int, a: int, hold: float, weights: Floats, month: int) -> None:
    """Whose opinions count with ``a`` and how much: shares that add up to 1, to 0 where there is nobody to listen to."""
    total = 0.0
    for b in range(weights.shape[0]):
        weights[b] = 0.0
        if b != a and world.member[p, b, month] > 0:
            weights[b] = state.trust[p, a, b] * world.influence[b]
            total += weights[b]
    for b in range(weights.shape[0]):
        weights[b] *= (1 - hold) / total if total > 0 else 0.0
    weights[a] = hold if total > 0 else 1.0


@compiled
def settle(first: Floats, weights: Floats, hold: Floats, settled: Floats) -> None:
    """Fill ``settled`` with where opinions come to rest: y = (1 - hold) x (weights y) + hold x first, each ``[authority]``."""
    n = first.shape[0]
    before = np.zeros(n)
    settled[:] = first
    for _ in range(MOST_ROUNDS):
        before[:] = settled
        moved = 0.0
        for a in range(n):
            heard = 0.0
            for b in range(n):
                heard += weights[a, b] * before[b]
            settled[a] = (1 - hold[a]) * heard + hold[a] * first[a]
            moved = max(moved, abs(settled[a] - before[a]))
        if moved < SETTLED:
            break
