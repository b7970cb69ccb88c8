"""8 Decision: units are bought by believed benefit per pound, after scrutiny, until money, match funds or hosting hours run out."""

from cspsim.model.arithmetic import power_of_units
from cspsim.model.compiled import compiled
from cspsim.model.luck import MEETINGS, Luck, uniforms
from cspsim.model.state import State
from cspsim.model.tallies import AuthorityTally, Tally
from cspsim.model.world import World


@compiled
def decide_items(world: World, state: State, luck: Luck, month: int) -> None:
    """The table values each item and buys the best next unit again and again while it can.

    value of the next unit = estimate x next reach x sum(profile x table's need) / cost, incumbents favoured.
    The January meeting buys for April (for the award length); other meetings buy what is left of this year.
    """
    if not world.meets[month]:
        return
    for p in range(state.units.shape[0]):
        for i in range(state.units.shape[1]):
            if state.on_table[p, i] > 0:
                state.estimate[p, i] = _estimate(world, state, luck, p, i, month)
                state.tallies[p, Tally.DECISIONS] += 1
        _buy(world, state, p, month)


@compiled
def _estimate(world: World, state: State, luck: Luck, p: int, i: int, month: int) -> float:
    """Influence-weighted view of the table: members defer to the claim as far as they trust its sponsor and nobody shook it.

    Where doubts go unspoken the matter may be settled off-line, by the sponsor and the partner it trusts most.
    Source: Pearson, Crawford & Jones (decisions outside the forum); O'Neill (conflict avoided leads to off-line decisions).
    """
    sponsor = state.sponsor[p, i]
    closest = -1
    if _goes_off_line(world, state, luck, p, i, month):
        closest = _closest(world, state, p, sponsor, month)
    off_line = closest >= 0
    if off_line:
        state.tallies[p, Tally.OFF_LINE_DECISIONS] += 1
    total, weights = 0.0, 0.0
    for a in range(state.belief.shape[1]):
        if world.member[p, a, month] <= 0 or (off_line and a != sponsor and a != closest):
            continue
        deference = 1 - state.scrutiny[p, i]
        if a != sponsor:
            deference *= state.trust[p, a, sponsor] * world.uncertainties.deference
        view = state.belief[p, a, i] + deference * (state.claim[p, i] - state.belief[p, a, i])
        total += world.influence[a] * view
        weights += world.influence[a]
    return total / max(weights, 1e-12)


@compiled
def _closest(world: World, state: State, p: int, sponsor: int, month: int) -> int:
    best = -1
    for a in range(state.trust.shape[1]):
        if a == sponsor or world.member[p, a, month] <= 0:
            continue
        if (
            best < 0
            or state.trust[p, sponsor, a] > state.trust[p, sponsor, best]
            or (state.trust[p, sponsor, a] == state.trust[p, sponsor, best] and world.authority_key[p, a] > world.authority_key[p, best])
        ):
            best = a
    return best


@compiled
def _goes_off_line(world: World, state: State, luck: Luck, p: int, i: int, month: int) -> bool:
    if not world.switches.off_line:
        return False
    silent, members = 0.0, 0.0
    for a in range(state.doubts.shape[1]):
        if world.member[p, a, month] > 0:
            members += 1
            if state.challenges[p, a, i] == 0 and state.doubts[p, a, i] > world.uncertainties.doubt_threshold:
                silent += 1
    if silent == 0:
        return False
    _, _, _, aside = uniforms(luck, MEETINGS, month, world.project_key[p, i], world.partnership_key[p])
    return bool(aside < world.uncertainties.off_line_rate * silent / max(1.0, members))


@compiled
def _buy(world: World, state: State, p: int, month: int) -> None:
    plans = world.plans[month] == 1
    months = 12
    if not plans:
        months = world.months_left[month]
    hours = _hosting_hours(world, state, p, month, plans)
    money = state.free_money[p]
    worth = state.scratch.worth
    for i in range(state.units.shape[1]):
        state.scratch.leads[i] = world.lead[p, i, month]
        if state.on_table[p, i] > 0:
            worth[i] = _value(world, state, p, i, plans)
    while True:
        best, best_value = -1, 0.0
        for i in range(state.units.shape[1]):
            units = state.units_next[p, i] if plans else state.units[p, i]
            price = months * world.unit_cost[i] * (1 - world.match_share[i])
            affordable = price <= money * (1 + 1e-9) and world.unit_hours[i] <= hours * (1 + 1e-9)
            if state.on_table[p, i] <= 0 or units >= world.most_units[i] or not affordable:
                continue
            value = worth[i]
            tie = best >= 0 and value == best_value and world.intervention_key[i] > world.intervention_key[best]
            if (value > best_value or tie) and _matched(world, state, p, i, month, plans):
                best, best_value = i, value
        if best < 0:
            break
        money -= months * world.unit_cost[best] * (1 - world.match_share[best])
        hours -= world.unit_hours[best]
        state.value[p, best] = best_value
        _adopt(world, state, p, best, month, plans)
        worth[best] = _value(world, state, p, best, plans)


@compiled
def _value(world: World, state: State, p: int, i: int, plans: bool) -> float:
    """Believed benefit per £ of the next unit; it changes during a meeting only when a unit of the same item is bought."""
    units = state.units_next[p, i] if plans else state.units[p, i]
    needed = 0.0
    for c in range(world.profile.shape[1]):
        needed += world.profile[i, c] * state.table_need[p, c]
    value = state.estimate[p, i] * (world.reach[i] * power_of_units(world, state, units)) * needed / max(world.unit_cost[i], 1e-12)
    if plans and state.units[p, i] > units:
        value *= 1 + world.uncertainties.incumbency
    return value


@compiled
def _hosting_hours(world: World, state: State, p: int, month: int, plans: bool) -> float:
    """Hours a month still free to host projects: the table stretches its capacity, but not without limit."""
    hours = 0.0
    for a in range(state.available.shape[1]):
        hours += state.available[p, a] * world.uncertainties.hosting_stretch
    for i in range(state.units.shape[1]):
        units = state.units_next[p, i] if plans else state.units[p, i]
        hours -= units * world.unit_hours[i]
    return hours


@compiled
def _matched(world: World, state: State, p: int, i: int, month: int, plans: bool) -> bool:
    """Does the lead still have match funds for one more unit?"""
    lead = world.lead[p, i, month]
    matched = world.unit_cost[i] * world.match_share[i]
    if matched <= 0:
        return True
    for j in range(state.units.shape[1]):
        if state.scratch.leads[j] == lead:
            units = state.units_next[p, j] if plans else state.units[p, j]
            matched += units * world.unit_cost[j] * world.match_share[j]
    return bool(matched <= world.match_funds[p, lead, month] * (1 + 1e-9))


@compiled
def _adopt(world: World, state: State, p: int, i: int, month: int, plans: bool) -> None:
    sponsor = state.sponsor[p, i]
    year_end = month + world.months_left[month] - 1
    state.authority_tallies[p, sponsor, AuthorityTally.ADOPTIONS] += 1
    state.tallies[p, Tally.ADOPTIONS] += 1
    if plans:
        state.units_next[p, i] += 1
        state.ends_next[p, i] = year_end + 12 * int(world.levers.award_years[month])
        return
    if state.units[p, i] == 0:
        state.since[p, i] = month
        state.starts[p, i] = month + int(world.uncertainties.recruitment_delay)
        state.begun[p, i] = state.starts[p, i]
        state.quality[p, i] = 1
        state.ends[p, i] = year_end
    state.units[p, i] += 1
