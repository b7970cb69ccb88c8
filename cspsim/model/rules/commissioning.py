"""2 Commissioning: each April grants arrive and the commissioner divides the pot, by formula, bids or favour."""

from math import exp

from cspsim.model.compiled import compiled
from cspsim.model.luck import MEETINGS, Luck, normal
from cspsim.model.state import State
from cspsim.model.tallies import Role, Tally, Work
from cspsim.model.world import World


@compiled
def divide_pot(world: World, state: State, luck: Luck, month: int) -> None:
    """In April every partnership gets its part of the direct grants and its award from the pot.

    The pot less the commissioner's top-slice is divided by claims, each claim a weighted mean of shares that sum to 1
    over the simulated partnerships and the rest of the force area (the passive last claimant).
    Pot = top-slice + awards + rest, to the penny. Rules seen: Thames Valley, MOPAC, Warwickshire, Sussex.
    """
    n = state.balance.shape[0]
    for p in range(n):
        state.received[p] = 0
        state.opening_balance[p] = state.balance[p]
    if world.year_starts[month]:
        _divide(world, state, luck, month)
    for p in range(n):
        state.afforded[p] = 1
        if state.charges[p] > state.balance[p]:
            state.afforded[p] = state.balance[p] / state.charges[p]


@compiled
def _divide(world: World, state: State, luck: Luck, month: int) -> None:
    n = state.balance.shape[0]
    _weigh_claims(world, state, luck, month)
    pot = world.pot[month]
    state.own_priorities[0] = pot * world.levers.top_slice[month]
    divided = pot - state.own_priorities[0]
    _protect_losers(world, state, month, divided)
    rest = divided
    for p in range(n):
        award = divided * state.claims[p]
        clawback = world.uncertainties.clawback_share * world.levers.evaluation_condition[month]
        if month >= 12:
            state.withheld[p] = award * clawback * (1 - state.evaluated_share[p])
        award -= state.withheld[p]
        rest -= award
        state.award[p] = award
        state.allocation[p] = award + world.direct_grant[month] / world.n_area_partnerships
        state.received[p] = state.allocation[p]
        state.balance[p] += state.received[p]
        state.tallies[p, Tally.WITHHELD] += state.withheld[p]
        if month == 0:
            state.reference_allocation[p] = state.allocation[p]
    state.rest_award[0] = max(0.0, rest)


@compiled
def _weigh_claims(world: World, state: State, luck: Luck, month: int) -> None:
    """Claims of every partnership and, last, of the rest of the area; they sum to 1."""
    levers = world.levers
    n = state.balance.shape[0]
    flat, population, need = levers.weight_flat[month], levers.weight_population[month], levers.weight_need[month]
    evidence, relationship = levers.weight_evidence[month], levers.weight_relationship[month]
    bids, history = levers.weight_bids[month], levers.weight_history[month]
    total = flat + population + need + evidence + relationship + bids + history
    if total <= 0:
        flat, total = 1.0, 1.0
    history_known = 0.0
    for p in range(n + 1):
        history_known += state.claims[p]
    if history_known <= 0:
        flat, history = flat + history, 0.0
    rest = world.n_area_partnerships - n
    all_recorded, all_evidence, all_relationship, all_bids = world.rest_recorded[month], 0.0, 0.0, 0.0
    for p in range(n):
        all_recorded += _recorded_need(world, state, p, month)
        all_evidence += _evidence_score(world, state.evidence_value[p])
        all_relationship += _relationship_score(world, state.funder_trust[p])
        all_bids += _bid_score(world, state, luck, p, month)
    all_evidence += rest * _evidence_score(world, world.uncertainties.rest_evidence_share)
    all_relationship += rest * _relationship_score(world, 1 / 2)
    all_bids += rest * exp(world.uncertainties.bid_skill_value * (world.rest_bid_skill - 1 / 2))
    left = 1.0
    for p in range(n):
        claim = flat / world.n_area_partnerships + population * world.population[p] / world.area_population
        if all_recorded > 0:
            claim += need * _recorded_need(world, state, p, month) / all_recorded
        claim += evidence * _evidence_score(world, state.evidence_value[p]) / all_evidence
        claim += relationship * _relationship_score(world, state.funder_trust[p]) / all_relationship
        claim += bids * _bid_score(world, state, luck, p, month) / all_bids
        claim += history * state.claims[p]
        state.claims[p] = claim / total
        left -= state.claims[p]
        _work_on_bids(world, state, p, month, bids / total)
    state.claims[n] = max(0.0, left)


@compiled
def _recorded_need(world: World, state: State, p: int, month: int) -> float:
    """Recorded crime of the latest 12 months; before there are any, of a usual year."""
    recorded = 0.0
    for c in range(state.recorded_year.shape[1]):
        year = state.recorded_year[p, c]
        if month == 0:
            year = 12 * world.base[p, c] * world.reporting[c] * world.recording[c]
        recorded += year * world.observed[c]
    return recorded


@compiled
def _evidence_score(world: World, strongly_evaluated_share: float) -> float:
    return 1 + world.uncertainties.evidence_value * strongly_evaluated_share


@compiled
def _relationship_score(world: World, trust: float) -> float:
    return exp(world.uncertainties.relationship_value * (trust - 1 / 2))


@compiled
def _bid_score(world: World, state: State, luck: Luck, p: int, month: int) -> float:
    """A bid's pull: skill, less what an overloaded co-ordinator cannot put into it, with a judge's error. Not need."""
    coordinator = world.holder[p, Role.COORDINATOR, month]
    skill = world.bid_skill[p]
    if coordinator >= 0:
        skill -= world.uncertainties.bid_overload_loss * max(0.0, state.load[p, coordinator] - 1) * world.switches.overload
    error = world.uncertainties.bid_noise * normal(luck, MEETINGS, month, world.partnership_key[p], world.partnership_key[p])
    return exp(world.uncertainties.bid_skill_value * (skill - 1 / 2) + error)


@compiled
def _work_on_bids(world: World, state: State, p: int, month: int, bid_share: float) -> None:
    coordinator = world.holder[p, Role.COORDINATOR, month]
    if coordinator >= 0 and world.pot[month] > 0:
        state.work[p, coordinator, Work.BIDDING] += world.uncertainties.bid_hours * bid_share


@compiled
def _protect_losers(world: World, state: State, month: int, divided: float) -> None:
    """Before conditions nobody falls below ``floor`` x last year's award; the others pay in proportion, down to their own floors.

    claim = max(floor claim, k x claim), the rest of the area k x claim, with the k for which all sum to 1; if the pot
    cannot pay the floors it is shared in proportion to them.
    """
    n = state.balance.shape[0]
    if divided <= 0 or world.levers.floor[month] <= 0:
        return
    share = world.levers.floor[month] / divided
    k = 1.0
    for _ in range(n + 1):
        protected = 0.0
        unprotected = float(state.claims[n])
        for p in range(n):
            if share * state.award[p] > k * state.claims[p]:
                protected += share * state.award[p]
            else:
                unprotected += state.claims[p]
        k = 0.0
        if unprotected > 0:
            k = max(0.0, 1 - protected) / unprotected
    total = 0.0
    for p in range(n):
        state.claims[p] = max(share * state.award[p], k * state.claims[p])
        total += state.claims[p]
    state.claims[n] *= k
    if total > 1:
        for p in range(n):
            state.claims[p] /= total
