"""9 Workload: partners pledge, the co-ordinator does what is left, and most of the meetings, reports and returns."""

from math import sqrt

from cspsim.model.compiled import compiled
from cspsim.model.luck import Luck
from cspsim.model.state import State
from cspsim.model.tallies import Role, Trait, Work
from cspsim.model.world import World


@compiled
def intend_pledges(world: World, state: State, luck: Luck, month: int) -> None:
    """Partners mean to pledge hours by remit, commitment, trust and slack; suppressed doubt makes them give less.

    pledge = available hours x pledge share x commitment x (1/2 + mean trust placed) x relevance / (1 + overload + doubts).
    """
    uncertainties = world.uncertainties
    for p in range(state.pledged.shape[0]):
        coordinator = world.holder[p, Role.COORDINATOR, month]
        total = _sum_programme(world, state, p)
        for a in range(state.pledged.shape[1]):
            state.pledged[p, a] = 0
            if a == coordinator or world.member[p, a, month] <= 0:
                continue
            pledge = state.available[p, a] * uncertainties.pledge_share * 2 * state.traits[p, a, Trait.COMMITMENT]
            pledge *= (1 / 2 + _mean_trust(world, state, p, a, month)) * _relevance(world, state, a, total)
            overload = max(0.0, state.load[p, a] - 1) * world.switches.overload
            state.pledged[p, a] = pledge / (1 + overload + uncertainties.silent_withdrawal * state.suppressed[p, a])


@compiled
def _mean_trust(world: World, state: State, p: int, a: int, month: int) -> float:
    total, partners = 0.0, 0.0
    for b in range(state.trust.shape[1]):
        if b != a and world.member[p, b, month] > 0:
            total += state.trust[p, a, b]
            partners += 1
    return total / max(1.0, partners)


@compiled
def _sum_programme(world: World, state: State, p: int) -> float:
    """The programme's crime profile, once for all authorities (6 times as fast), and its sum."""
    programme = state.scratch.programme
    for c in range(world.profile.shape[1]):
        programme[c] = 0
    for i in range(state.units.shape[1]):
        if state.units[p, i] > 0:
            for c in range(world.profile.shape[1]):
                programme[c] += state.units[p, i] * world.profile[i, c]
    total = 0.0
    for c in range(world.profile.shape[1]):
        total += programme[c]
    return total


@compiled
def _relevance(world: World, state: State, a: int, total: float) -> float:
    """How much of the programme's crime profile lies in the authority's remit, 1/2 to 3/2."""
    if total <= 0:
        return 1.0
    own = 0.0
    for c in range(world.remit.shape[1]):
        own += state.scratch.programme[c] * world.remit[a, c]
    return 1 / 2 + own / total


@compiled
def share_work(world: World, state: State, luck: Luck, month: int) -> None:
    """Delivery hours are shared out; governance comes on top; what nobody does is not delivered.

    Rebalancing moves shares towards capacity. What is assigned beyond a partner's own pledge is done only as far as
    commitment goes, so that without commitment equality is nominal. Source: ODPM 2003; Thwaites 2013; LGA 2016.
    """
    for p in range(state.pledged.shape[0]):
        coordinator = world.holder[p, Role.COORDINATOR, month]
        needed = _needed_hours(world, state, p, month)
        state.needed[p] = needed
        _assign(world, state, p, coordinator, needed, month)
        for a in range(state.pledged.shape[1]):
            worked = _worked(world, state, p, a, coordinator, month)
            state.unworked[p, a] = max(0.0, state.assigned[p, a] - worked)
            state.work[p, a, Work.DELIVERY] += worked
            if world.member[p, a, month] > 0:
                state.work[p, a, Work.GOVERNANCE] += _governance_hours(world, state, p, a, coordinator, month)


@compiled
def _needed_hours(world: World, state: State, p: int, month: int) -> float:
    needed = 0.0
    for i in range(state.units.shape[1]):
        if month >= state.starts[p, i]:
            needed += state.units[p, i] * world.unit_hours[i]
    return needed


@compiled
def _assign(world: World, state: State, p: int, coordinator: int, needed: float, month: int) -> None:
    """Assigned = (1 - r) pledge + r x needed x share of capacity; the co-ordinator takes the remainder."""
    pledged, capacity = 0.0, 0.0
    for a in range(state.pledged.shape[1]):
        if a != coordinator:
            pledged += max(0.0, state.pledged[p, a])
        capacity += state.available[p, a]
    most = needed * (1 - world.uncertainties.coordinator_base_share)
    scale = 1.0
    if pledged > most and pledged > 0:
        scale = most / pledged
    rebalancing = world.levers.rebalancing[month]
    left = needed
    for a in range(state.pledged.shape[1]):
        state.pledged[p, a] = max(0.0, state.pledged[p, a]) * scale
        state.assigned[p, a] = 0
        if a != coordinator and world.member[p, a, month] > 0:
            equal = needed * state.available[p, a] / max(capacity, 1e-12)
            state.assigned[p, a] = min(left, (1 - rebalancing) * state.pledged[p, a] + rebalancing * equal)
            left -= state.assigned[p, a]
    if coordinator >= 0:
        state.assigned[p, coordinator] = left


@compiled
def _worked(world: World, state: State, p: int, a: int, coordinator: int, month: int) -> float:
    if a == coordinator:
        return state.assigned[p, a]
    uncertainties = world.uncertainties
    own = min(state.assigned[p, a], state.pledged[p, a])
    follow = uncertainties.follow_through * 2 * state.traits[p, a, Trait.COMMITMENT]
    follow += (1 - uncertainties.follow_through) * world.levers.shared_commitment[month]
    return own + (state.assigned[p, a] - own) * min(1.0, follow)


@compiled
def _governance_hours(world: World, state: State, p: int, a: int, coordinator: int, month: int) -> float:
    """Meetings for every member; reports, returns, engagement and surveys for the co-ordinator; audit for the police."""
    uncertainties = world.uncertainties
    levers = world.levers
    extra = (
        uncertainties.commitment_meetings * levers.shared_commitment[month] + uncertainties.chair_meetings * levers.challenge_culture[month]
    )
    hours = uncertainties.meeting_hours * (levers.governance[month] + extra) / 12
    if a == coordinator:
        reports = uncertainties.report_hours * levers.governance[month] / 12
        returns = world.returns_hours[month] * sqrt(levers.governance[month])
        condition = uncertainties.condition_hours * levers.evaluation_condition[month] / 12
        engagement = uncertainties.engagement_hours * levers.engagement[month] / 12
        survey = uncertainties.survey_hours * levers.balanced_scorecard[month] / 12
        hours += reports + returns + condition + (engagement + survey) * state.afforded[p]
    if a == world.holder[p, Role.POLICE, month]:
        hours += uncertainties.audit_hours * levers.audit[month] * state.afforded[p] / 12
    return hours
