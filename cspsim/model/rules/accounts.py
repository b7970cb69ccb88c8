"""13 Accounts: money in = spent + returned + carried; hours worked by kind; everything that is counted, counted once."""

from math import log

from cspsim.model.arithmetic import reach_of_dose, reach_of_units
from cspsim.model.compiled import compiled
from cspsim.model.luck import Luck
from cspsim.model.state import State
from cspsim.model.tallies import AuthorityTally, Role, Tally, Work
from cspsim.model.world import World


@compiled
def open_books(world: World, state: State, luck: Luck, month: int) -> None:
    """A new month: nothing spent, nothing worked, nothing counted yet."""
    for p in range(state.spent.shape[0]):
        state.spent[p] = 0
        state.returned[p] = 0
        for a in range(state.work.shape[1]):
            for kind in range(state.work.shape[2]):
                state.work[p, a, kind] = 0
            for k in range(state.authority_tallies.shape[2]):
                state.authority_tallies[p, a, k] = 0
        for k in range(state.tallies.shape[1]):
            state.tallies[p, k] = 0


@compiled
def close_books(world: World, state: State, luck: Luck, month: int) -> None:
    """Bills are paid, unspent annual grant goes back on 31 March, confidence moves, and the month is counted."""
    for p in range(state.spent.shape[0]):
        _pay(world, state, p, month)
        if world.year_ends[month] and world.levers.award_years[month] <= 1:
            state.returned[p] = state.balance[p]
            state.balance[p] = 0
        _move_confidence(world, state, p)
        _count_crime(world, state, p, month)
        _count_money_and_table(world, state, p, month)
        for a in range(state.work.shape[1]):
            if world.member[p, a, month] > 0:
                _count_hours(world, state, p, a, month)
        _count_benefit(world, state, p, month)
        if world.year_ends[month]:
            _count_funnel(world, state, p, month)


@compiled
def _pay(world: World, state: State, p: int, month: int) -> None:
    """Standing charges as far as the pot goes, then every project that has started."""
    bills = state.charges[p] * state.afforded[p]
    for i in range(state.units.shape[1]):
        if month >= state.starts[p, i]:
            bills += state.units[p, i] * world.unit_cost[i] * (1 - world.match_share[i])
    bills = min(bills, state.balance[p])
    state.spent[p] += bills
    state.balance[p] -= bills


@compiled
def _move_confidence(world: World, state: State, p: int) -> None:
    """Public confidence follows engagement, what people see being done, and crime they suffer, slowly."""
    uncertainties = world.uncertainties
    usual, now, visible = 0.0, 0.0, 0.0
    for c in range(world.base.shape[1]):
        usual += 12 * world.base[p, c]
        now += state.true_year[p, c]
    for i in range(state.dose.shape[1]):
        visible += state.dose[p, i] * world.popularity[i]
    target = uncertainties.confidence_base + uncertainties.confidence_engagement * state.engagement[p]
    target += uncertainties.confidence_visible * visible / (visible + uncertainties.confidence_visible_half)
    if now > 0 and usual > 0:
        target -= uncertainties.confidence_crime * log(now / usual)
    change = uncertainties.confidence_speed * (target - state.confidence[p])
    state.confidence[p] = max(0.0, min(1.0, state.confidence[p] + change))


@compiled
def _count_crime(world: World, state: State, p: int, month: int) -> None:
    tally = state.tallies
    for c in range(world.base.shape[1]):
        true, twin = state.true_crimes[p, c], state.twin_crimes[p, c]
        recorded = state.recorded[p, c, month] * world.observed[c]
        tally[p, Tally.TRUE_CRIMES] += true
        tally[p, Tally.TWIN_TRUE_CRIMES] += twin
        tally[p, Tally.COST_OF_CRIME] += true * world.unit_cost_of_crime[c]
        tally[p, Tally.TWIN_COST_OF_CRIME] += twin * world.unit_cost_of_crime[c]
        tally[p, Tally.SEVERITY] += true * world.severity[c]
        tally[p, Tally.TWIN_SEVERITY] += twin * world.severity[c]
        tally[p, Tally.RECORDED_CRIMES] += recorded
        tally[p, Tally.RECORDABLE_CRIMES] += true * world.observed[c]
        tally[p, Tally.TWIN_RECORDED_CRIMES] += state.twin_recorded[p, c] * world.observed[c]
        tally[p, Tally.SPILL_OVER_CRIMES] += state.expected_twin[p, c] * state.spill_over[p, c] * world.outside[p]
    tally[p, Tally.RECORDED_FIRST_YEAR] += tally[p, Tally.RECORDED_CRIMES] * world.first_year[month]
    tally[p, Tally.RECORDED_LAST_YEAR] += tally[p, Tally.RECORDED_CRIMES] * world.last_year[month]
    tally[p, Tally.CONFIDENCE] += state.confidence[p]
    tally[p, Tally.CONFIDENCE_FIRST_YEAR] += state.confidence[p] * world.first_year[month]
    tally[p, Tally.CONFIDENCE_LAST_YEAR] += state.confidence[p] * world.last_year[month]
    tally[p, Tally.FIRST_YEAR_MONTHS] += world.first_year[month]
    tally[p, Tally.LAST_YEAR_MONTHS] += world.last_year[month]


@compiled
def _count_money_and_table(world: World, state: State, p: int, month: int) -> None:
    tally = state.tallies
    tally[p, Tally.MONTHS] += 1
    tally[p, Tally.RECEIVED] += state.received[p]
    tally[p, Tally.SPENT] += state.spent[p]
    tally[p, Tally.RETURNED] += state.returned[p]
    tally[p, Tally.CARRIED_IN] += state.opening_balance[p]
    tally[p, Tally.CARRIED_OUT] += state.balance[p]
    tally[p, Tally.OWN_PRIORITIES] += state.own_priorities[0] / world.n_area_partnerships / 12
    planned, delivered = 0.0, 0.0
    for i in range(state.units.shape[1]):
        planned += state.units[p, i] / 12
        delivered += state.effective_dose[p, i] / 12
    tally[p, Tally.PLANNED_DOSE] += planned
    tally[p, Tally.DELIVERED_DOSE] += delivered


@compiled
def _count_hours(world: World, state: State, p: int, a: int, month: int) -> None:
    tally, own = state.tallies, state.authority_tallies
    hours = 0.0
    for kind in range(state.work.shape[2]):
        hours += state.work[p, a, kind]
    for kind in range(state.work.shape[2]):
        own[p, a, AuthorityTally.DELIVERY_HOURS + kind] += state.work[p, a, kind]
        tally[p, Tally.DELIVERY_HOURS + kind] += state.work[p, a, kind]
    own[p, a, AuthorityTally.MONTHS] += 1
    own[p, a, AuthorityTally.HOURS] += hours
    own[p, a, AuthorityTally.AVAILABLE_HOURS] += state.available[p, a]
    own[p, a, AuthorityTally.UNWORKED_HOURS] += state.unworked[p, a]
    tally[p, Tally.HOURS] += hours
    tally[p, Tally.AVAILABLE_HOURS] += state.available[p, a]
    tally[p, Tally.EXCESS_HOURS] += max(0.0, hours - state.available[p, a])
    tally[p, Tally.UNWORKED_HOURS] += state.unworked[p, a]
    tally[p, Tally.HOURS_COST] += hours * world.hourly_cost[a]
    tally[p, Tally.GOVERNANCE_COST] += state.work[p, a, Work.GOVERNANCE] * world.hourly_cost[a]
    if a == world.holder[p, Role.COORDINATOR, month]:
        tally[p, Tally.COORDINATOR_HOURS] += hours
        tally[p, Tally.COORDINATOR_AVAILABLE_HOURS] += state.available[p, a]
    trust, placed, received, pairs = tally[p, Tally.TRUST], 0.0, 0.0, 0.0
    for b in range(state.trust.shape[1]):
        if b != a and world.member[p, b, month] > 0:
            trust += state.trust[p, a, b]
            placed += state.trust[p, a, b]
            received += state.trust[p, b, a]
            pairs += 1
    tally[p, Tally.TRUST] = trust
    tally[p, Tally.TRUST_PAIRS] += pairs
    own[p, a, AuthorityTally.TRUST_PLACED] += placed
    own[p, a, AuthorityTally.TRUST_RECEIVED] += received
    own[p, a, AuthorityTally.TRUST_PAIRS] += pairs


@compiled
def _count_benefit(world: World, state: State, p: int, month: int) -> None:
    """£ this month: believed at the planned dose, true at the planned dose, true at the delivered dose."""
    weights = 0.0
    for a in range(state.belief.shape[1]):
        weights += world.influence[a] * world.member[p, a, month]
    for i in range(state.units.shape[1]):
        if state.units[p, i] <= 0 and state.effective_dose[p, i] <= 0:
            continue
        at_stake = 0.0
        for c in range(world.profile.shape[1]):
            at_stake += world.profile[i, c] * state.twin_crimes[p, c] * world.unit_cost_of_crime[c]
        believed = 0.0
        for a in range(state.belief.shape[1]):
            believed += state.belief[p, a, i] * world.influence[a] * world.member[p, a, month]
        truth = world.effect[i] * world.uncertainties.effect_scale * world.switches.effects
        planned = at_stake * reach_of_units(world, state, i, state.units[p, i])
        state.tallies[p, Tally.BELIEVED_BENEFIT] += planned * believed / max(weights, 1e-12)
        state.tallies[p, Tally.PLANNED_BENEFIT] += planned * truth
        state.tallies[p, Tally.TRUE_BENEFIT] += at_stake * truth * reach_of_dose(world, state, p, i)


@compiled
def _count_funnel(world: World, state: State, p: int, month: int) -> None:
    """Each March: projects planned, started, with adequate dose, truly effective; and evaluated this year."""
    uncertainties = world.uncertainties
    for i in range(state.units.shape[1]):
        if state.units[p, i] <= 0:
            continue
        state.tallies[p, Tally.PLANNED_PROJECTS] += 1
        state.tallies[p, Tally.EVALUATED_PROJECTS] += min(1.0, state.evaluated[p, i])
        state.tallies[p, Tally.STRONGLY_EVALUATED_PROJECTS] += max(0.0, state.evaluated[p, i] - 1)
        if month < state.starts[p, i]:
            continue
        state.tallies[p, Tally.STARTED_PROJECTS] += 1
        if state.effective_dose[p, i] < uncertainties.adequate_dose_share * state.units[p, i]:
            continue
        state.tallies[p, Tally.ADEQUATE_PROJECTS] += 1
        if world.effect[i] * uncertainties.effect_scale * world.switches.effects >= uncertainties.worthwhile_effect:
            state.tallies[p, Tally.EFFECTIVE_PROJECTS] += 1
