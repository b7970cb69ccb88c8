"""6 Agenda: what is still committed, what money is free, and what each authority means to put on the table."""

from math import log

from cspsim.model.arithmetic import power_of_units
from cspsim.model.compiled import compiled
from cspsim.model.luck import MEETINGS, Luck, normal_quantile, uniforms
from cspsim.model.state import State
from cspsim.model.tallies import AuthorityTally, Tally, Trait
from cspsim.model.world import World


@compiled
def begin_plan_year(world: World, state: State, luck: Luck, month: int) -> None:
    """In April last year's commitments end and the plan written in January begins; new projects start late.

    Start delay = exponential with mean d_late x (1 - settlement known) + d_recruit for a new project, half of the
    late part for a renewal. Source: NAO 2004 (half of projects delayed up to a year by late notification, recruitment).
    """
    if not world.year_starts[month]:
        return
    for p in range(state.units.shape[0]):
        for i in range(state.units.shape[1]):
            running = state.units[p, i] > 0
            runs_on = running and state.ends[p, i] >= month
            state.units[p, i] = state.units_next[p, i]
            state.ends[p, i] = state.ends_next[p, i]
            if state.units[p, i] <= 0:
                state.since[p, i] = -1
            elif not runs_on:
                set_start(world, state, luck, p, i, month, running)
            state.units_next[p, i] = 0


@compiled
def set_start(world: World, state: State, luck: Luck, p: int, i: int, month: int, running: bool) -> None:
    """First month of delivery for a project adopted or renewed now, and how well a new one is implemented.

    Notice comes late, then recruitment; some new projects do not get off the ground in their first year.
    """
    uncertainties = world.uncertainties
    late = uncertainties.late_notice_delay * (1 - world.levers.settlement_known[month])
    mean_delay = late * uncertainties.renewal_delay_share
    delay, quality, failure, _ = uniforms(luck, MEETINGS, month, world.project_key[p, i], world.intervention_key[i])
    if not running:
        state.since[p, i] = month
        mean_delay = late + uncertainties.recruitment_delay
        state.quality[p, i] = max(0.0, min(3.0, 1 + uncertainties.implementation_spread * normal_quantile(quality)))
    state.starts[p, i] = month + int(min(12.0, -mean_delay * log(delay)))
    if not running and failure < uncertainties.implementation_failure:
        state.starts[p, i] = month + 12
    if not running:
        state.begun[p, i] = state.starts[p, i]


@compiled
def propose_items(world: World, state: State, luck: Luck, month: int) -> None:
    """Each authority means to table what it believes does most for its picture of need per pound, own leads preferred.

    score = belief x reach of the next unit x sum over crime types of (profile x need) / cost x own-lead preference;
    the best few with a positive score, plus its own commitments that end and come up for renewal.
    """
    state.on_table[:] = 0
    state.sponsor[:] = -1
    state.tabled[:] = 0
    if not world.meets[month]:
        return
    for p in range(state.tabled.shape[0]):
        _carry_over(world, state, p, month)
        state.free_money[p] = _free_money(world, state, p, month)
        if state.free_money[p] <= 0:
            continue
        _weigh_units(world, state, p, month)
        for a in range(state.tabled.shape[1]):
            if world.member[p, a, month] > 0:
                _score_items(world, state, p, a)
                _renew_own(world, state, p, a, month)
                _table_best(world, state, p, a)


@compiled
def _carry_over(world: World, state: State, p: int, month: int) -> None:
    """When the plan is written, awards that run beyond March keep their units; the others are open again."""
    for i in range(state.units.shape[1]):
        if world.plans[month]:
            state.units_next[p, i] = 0
            state.ends_next[p, i] = -1
            if state.ends[p, i] >= month + world.months_left[month]:
                state.units_next[p, i] = state.units[p, i]
                state.ends_next[p, i] = state.ends[p, i]


@compiled
def _free_money(world: World, state: State, p: int, month: int) -> float:
    """£ not yet committed: of this year's balance, or of next year's pot as far as it is known in January."""
    left = world.months_left[month]
    if world.plans[month]:
        april = min(month + left, world.pot.shape[0] - 1)
        known = world.levers.settlement_known[month]
        now = world.pot[month] + world.direct_grant[month]
        ahead = now + known * (world.pot[april] + world.direct_grant[april] - now)
        money = 0.0
        if now > 0:
            money = state.allocation[p] * ahead / now
        elif world.n_area_partnerships > 0:
            money = ahead / world.n_area_partnerships
        money -= 12 * state.charges[p]
        for i in range(state.units.shape[1]):
            money -= 12 * state.units_next[p, i] * world.unit_cost[i] * (1 - world.match_share[i])
        return money
    money = state.balance[p] - left * state.charges[p]
    for i in range(state.units.shape[1]):
        money -= left * state.units[p, i] * world.unit_cost[i] * (1 - world.match_share[i])
    return money


@compiled
def _renew_own(world: World, state: State, p: int, a: int, month: int) -> None:
    if not world.plans[month]:
        return
    for i in range(state.units.shape[1]):
        ending = state.units[p, i] > 0 and state.units_next[p, i] == 0
        if ending and world.lead[p, i, month] == a and state.belief[p, a, i] > 0:
            state.tabled[p, a, i] = 1


@compiled
def _table_best(world: World, state: State, p: int, a: int) -> None:
    """The few best items, found in one pass that keeps them in order (a third of the time of looking for the best again and again)."""
    most, kept = int(world.uncertainties.proposals_per_authority), 0
    best = state.scratch.shortlist
    for i in range(state.units.shape[1]):
        if state.score[p, a, i] <= 0 or state.tabled[p, a, i] > 0:
            continue
        place = kept
        if kept < most:
            kept += 1
        elif most > 0 and _beats(world, state, p, a, i, int(best[most - 1])):
            place = most - 1
        else:
            continue
        while place > 0 and _beats(world, state, p, a, i, int(best[place - 1])):
            best[place] = best[place - 1]
            place -= 1
        best[place] = i
    for k in range(kept):
        state.tabled[p, a, int(best[k])] = 1


@compiled
def _beats(world: World, state: State, p: int, a: int, i: int, other: int) -> bool:
    if state.score[p, a, i] == state.score[p, a, other]:
        return world.intervention_key[i] > world.intervention_key[other]
    return state.score[p, a, i] > state.score[p, a, other]


@compiled
def may_table(world: World, state: State, p: int, i: int, month: int) -> bool:
    """Somebody at the table can lead it, and there is room for another unit."""
    units = state.units[p, i]
    if world.plans[month]:
        units = state.units_next[p, i]
    return world.lead[p, i, month] >= 0 and units < world.most_units[i]


@compiled
def _weigh_units(world: World, state: State, p: int, month: int) -> None:
    """Share of crime that one more unit of each item would reach, reach x d^units, whoever tables it; 0 if nobody may."""
    for i in range(state.units.shape[1]):
        state.scratch.leads[i] = world.lead[p, i, month]
        state.scratch.next_reach[i] = 0
        if may_table(world, state, p, i, month):
            units = state.units[p, i]
            if world.plans[month]:
                units = state.units_next[p, i]
            state.scratch.next_reach[i] = world.reach[i] * power_of_units(world, state, units)


@compiled
def _score_items(world: World, state: State, p: int, a: int) -> None:
    interventions, crime_types = world.profile.shape
    needed = state.scratch.needed
    for i in range(interventions):
        needed[i] = 0
    for c in range(crime_types):  # one crime type after the other, so that interventions are summed side by side (5 times as fast)
        for i in range(interventions):
            needed[i] += state.scratch.profile[c, i] * state.need[p, a, c]
    for i in range(interventions):
        score = state.belief[p, a, i] * state.scratch.next_reach[i] * needed[i] / max(world.unit_cost[i], 1e-12)
        if state.scratch.leads[i] == a:
            score *= world.uncertainties.own_lead_preference
        state.score[p, a, i] = score


@compiled
def take_table(world: World, state: State, luck: Luck, month: int) -> None:
    """What is tabled is on the table; its sponsor is the most convinced influential member, who claims more than it believes.

    claim = belief + optimism x (1/2 + assertiveness) x |belief| (Thwaites 2013: benefits highlighted rather than achieved).
    """
    if not world.meets[month]:
        return
    uncertainties = world.uncertainties
    for p in range(state.tabled.shape[0]):
        if state.free_money[p] <= 0:
            continue
        for i in range(state.tabled.shape[2]):
            sponsor = _sponsor(world, state, p, i, month)
            if sponsor < 0 or not may_table(world, state, p, i, month):
                continue
            state.on_table[p, i] = 1
            state.sponsor[p, i] = sponsor
            believed = state.belief[p, sponsor, i]
            boast = uncertainties.optimism * world.switches.optimism * (1 / 2 + state.traits[p, sponsor, Trait.ASSERTIVENESS])
            state.claim[p, i] = believed + boast * abs(believed)
            state.tallies[p, Tally.PROPOSALS] += 1
            state.authority_tallies[p, sponsor, AuthorityTally.PROPOSALS] += 1


@compiled
def _sponsor(world: World, state: State, p: int, i: int, month: int) -> int:
    best, best_weight = -1, -1e300
    for a in range(state.tabled.shape[1]):
        if state.tabled[p, a, i] > 0 and world.member[p, a, month] > 0:
            weight = world.influence[a] * state.belief[p, a, i]
            tie = best >= 0 and weight == best_weight and world.authority_key[p, a] > world.authority_key[p, best]
            if weight > best_weight or tie:
                best, best_weight = a, weight
    return best
