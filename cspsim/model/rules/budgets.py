"""1 Budgets: mainstream hours follow their paths, posts paid by a grant go when it goes, what is unpaid for falls."""

from cspsim.model.compiled import compiled
from cspsim.model.luck import Luck
from cspsim.model.state import State
from cspsim.model.tallies import Role
from cspsim.model.world import World


@compiled
def receive_budgets(world: World, state: State, luck: Luck, month: int) -> None:
    """Authorities have the hours their mainstream budgets pay for; the co-ordinator's team also lives on grant.

    available = mainstream hours x (1 - statutory share) x [(1 - g) + g x filled posts], g the co-ordinator's grant-funded share.
    Posts follow the allocation (first year = 1): down after the notice period, up by recruitment.
    Source: Devon County Council FOI (28 % of a team grant-exposed); Halton (team ended with its grant).
    """
    grant_share = world.uncertainties.grant_funded_post_share * world.switches.grant_posts
    for p in range(state.balance.shape[0]):
        _fill_posts(world, state, p)
        coordinator = world.holder[p, Role.COORDINATOR, month]
        for a in range(world.hours.shape[1]):
            filled = 1.0
            if a == coordinator:
                filled = 1 - grant_share + grant_share * state.posts[p]
            state.available[p, a] = world.hours[p, a, month] * (1 - world.uncertainties.statutory_share) * filled
        state.charges[p] = _standing_charges(world, state, p, month, grant_share)
        _drop_unmatched(world, state, p, month)
        _drop_unaffordable(world, state, p, month)


@compiled
def _fill_posts(world: World, state: State, p: int) -> None:
    funded = 1.0
    if state.reference_allocation[p] > 0:
        funded = min(1.0, state.allocation[p] / state.reference_allocation[p])
    if funded < state.posts[p]:
        state.posts_notice[p] += 1
        if state.posts_notice[p] > world.uncertainties.notice_months:
            state.posts[p] = funded
            state.posts_notice[p] = 0
    else:
        state.posts_notice[p] = 0
        state.posts[p] = min(funded, state.posts[p] + 1 / world.uncertainties.recruitment_months)


@compiled
def _standing_charges(world: World, state: State, p: int, month: int, grant_share: float) -> float:
    """£ this month that the pot pays before any project: posts, chair, engagement, survey, audit."""
    uncertainties = world.uncertainties
    levers = world.levers
    posts = 0.0
    coordinator = world.holder[p, Role.COORDINATOR, month]
    if coordinator >= 0:
        posts = world.hours[p, coordinator, month] * grant_share * state.posts[p] * world.hourly_cost[coordinator]
    a_year = (
        uncertainties.chair_cost * levers.challenge_culture[month]
        + uncertainties.engagement_cost * levers.engagement[month]
        + uncertainties.survey_cost * levers.balanced_scorecard[month]
        + uncertainties.audit_cost * levers.audit[month]
    )
    return posts + a_year / 12


@compiled
def _drop_unmatched(world: World, state: State, p: int, month: int) -> None:
    """Match-funded units fall, lowest-ranked first, when the lead can no longer pay its part; all of them when it has left."""
    for i in range(state.units.shape[1]):
        if world.lead[p, i, month] < 0 and world.match_share[i] > 0:
            state.units[p, i] = 0
    for a in range(world.hours.shape[1]):
        state.scratch.matched[a] = 0
    for i in range(state.units.shape[1]):
        if world.lead[p, i, month] >= 0:
            state.scratch.matched[world.lead[p, i, month]] += state.units[p, i] * world.unit_cost[i] * world.match_share[i]
    for a in range(world.hours.shape[1]):
        matched = state.scratch.matched[a]
        while matched > world.match_funds[p, a, month] * (1 + 1e-9):
            lowest = -1
            for i in range(state.units.shape[1]):
                matches = state.units[p, i] > 0 and world.lead[p, i, month] == a and world.match_share[i] > 0
                if matches and (lowest < 0 or _ranks_below(world, state, p, i, lowest)):
                    lowest = i
            state.units[p, lowest] = max(0.0, state.units[p, lowest] - 1)
            matched = _matched_by(world, state, p, a, month)


@compiled
def _matched_by(world: World, state: State, p: int, a: int, month: int) -> float:
    """£ a month of match funds that the running units which ``a`` leads bind."""
    matched = 0.0
    for i in range(state.units.shape[1]):
        if world.lead[p, i, month] == a:
            matched += state.units[p, i] * world.unit_cost[i] * world.match_share[i]
    return matched


@compiled
def _drop_unaffordable(world: World, state: State, p: int, month: int) -> None:
    """When the balance no longer covers the year, the lowest-ranked commitments go: after notice, or at once if empty."""
    left = world.months_left[month]
    if world.year_starts[month] or _needed(world, state, p, left, month) <= state.balance[p] * (1 + 1e-9):
        state.shortfall_notice[p] = 0
        return
    state.shortfall_notice[p] += 1
    if state.shortfall_notice[p] <= world.uncertainties.notice_months:
        left = 1
    while _needed(world, state, p, left, month) > state.balance[p] * (1 + 1e-9):
        lowest = -1
        for i in range(state.units.shape[1]):
            if state.units[p, i] > 0 and (lowest < 0 or _ranks_below(world, state, p, i, lowest)):
                lowest = i
        if lowest < 0:
            break
        state.units[p, lowest] = max(0.0, state.units[p, lowest] - 1)


@compiled
def _needed(world: World, state: State, p: int, months: int, month: int) -> float:
    """£ that standing charges and running projects cost over the next ``months``, late starts counted as started."""
    monthly = state.charges[p]
    for i in range(state.units.shape[1]):
        monthly += state.units[p, i] * world.unit_cost[i] * (1 - world.match_share[i])
    return monthly * months


@compiled
def _ranks_below(world: World, state: State, p: int, i: int, other: int) -> bool:
    if state.value[p, i] == state.value[p, other]:
        return world.intervention_key[i] < world.intervention_key[other]
    return state.value[p, i] < state.value[p, other]
