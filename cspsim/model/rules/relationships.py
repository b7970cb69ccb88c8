"""12 Relationships: trust grows with joint work and meetings, falls with slights, absence and overload; people come and go."""

from math import sqrt

from cspsim.model.compiled import compiled
from cspsim.model.luck import PERSONALITIES, TURNOVER, Luck, normals, uniform
from cspsim.model.state import State
from cspsim.model.tallies import AuthorityTally, Role, Tally, Work
from cspsim.model.world import World


@compiled
def update_trust(world: World, state: State, luck: Luck, month: int) -> None:
    """Trust between partners moves with what they did this month.

    trust += gains x (1 - trust) - losses x trust, losses about twice gains (Dutch municipal ABM: x .95 against x 1.025;
    Lambright et al.: frequent interaction and joint success raise trust). The model says nothing of the net effect.
    """
    if not world.switches.trust_dynamics:
        return
    meetings = world.uncertainties.meeting_gain * sqrt(world.levers.governance[month]) / 12
    for p in range(state.trust.shape[0]):
        for b in range(state.trust.shape[1]):
            if world.member[p, b, month] > 0:
                _adjust_to(world, state, p, b, meetings, month)


@compiled
def update_funder_trust(world: World, state: State, luck: Luck, month: int) -> None:
    """The commissioner's trust grows with contact (oversight at the table helps) and starts anew with a new commissioner."""
    if not world.switches.trust_dynamics:
        return
    uncertainties = world.uncertainties
    for p in range(state.trust.shape[0]):
        if world.new_commissioner[month]:
            state.funder_trust[p] = (
                uncertainties.initial_trust + (state.funder_trust[p] - uncertainties.initial_trust) * uncertainties.inherited_trust
            )
        gain = uncertainties.meeting_gain * sqrt(world.levers.governance[month]) / 12
        if world.holder[p, Role.OVERSIGHT, month] >= 0:
            gain += uncertainties.joint_work_gain
        trust = state.funder_trust[p]
        state.funder_trust[p] = trust + gain * (1 - trust) - uncertainties.trust_fading * trust


@compiled
def replace_representatives(world: World, state: State, luck: Luck, month: int) -> None:
    """Representatives leave, more often in cuts and at reorganisations; a newcomer inherits part of the ties."""
    for p in range(state.trust.shape[0]):
        for a in range(state.trust.shape[1]):
            if _leaves(world, state, luck, p, a, month):
                appoint(world, state, luck, p, a, state.generation[p, a] + 1)
                _meet_newcomer(world, state, p, a)
                state.tallies[p, Tally.NEW_REPRESENTATIVES] += 1
                state.authority_tallies[p, a, AuthorityTally.NEW_REPRESENTATIVES] += 1


@compiled
def _adjust_to(world: World, state: State, p: int, b: int, meetings: float, month: int) -> None:
    """Everybody else's trust in ``b`` after what ``b`` did and left undone this month."""
    uncertainties = world.uncertainties
    absent = 0.0
    if state.assigned[p, b] > 0:
        absent = state.unworked[p, b] / state.assigned[p, b]
    overload = uncertainties.overload_trust_loss * max(0.0, state.load[p, b] - 1) * world.switches.overload
    fading = uncertainties.trust_fading + uncertainties.advocate_strain * world.levers.devils_advocate[month]
    for a in range(state.trust.shape[1]):
        if a == b or world.member[p, a, month] <= 0:
            continue
        gain = 0.0
        if state.work[p, a, Work.DELIVERY] > 0 and state.work[p, b, Work.DELIVERY] > 0:
            gain += uncertainties.joint_work_gain * state.fidelity[p]
        gain += meetings
        loss = uncertainties.slight_loss * state.slights[p, a, b] + uncertainties.absence_loss * absent
        loss += overload
        loss += fading
        trust = state.trust[p, a, b]
        state.trust[p, a, b] = max(0.0, min(1.0, trust + gain * (1 - trust) - min(1.0, loss) * trust))


@compiled
def _leaves(world: World, state: State, luck: Luck, p: int, a: int, month: int) -> bool:
    if world.member[p, a, month] <= 0 or not world.switches.turnover:
        return False
    if world.reorganised[a, month]:
        return True
    hazard = world.uncertainties.turnover_hazard
    if month >= 12 and world.hours[p, a, month - 12] > 0:
        cut = 1 - world.hours[p, a, month] / world.hours[p, a, month - 12]
        hazard *= 1 + world.uncertainties.turnover_in_cuts * max(0.0, cut)
    return uniform(luck, TURNOVER, month, world.authority_key[p, a], world.authority_key[p, a]) < hazard


@compiled
def appoint(world: World, state: State, luck: Luck, p: int, a: int, generation: int) -> None:
    """A representative's traits: the authority's usual ones plus the person's own, each within 0 and 1."""
    state.generation[p, a] = generation
    person = normals(luck, PERSONALITIES, generation, world.authority_key[p, a], world.authority_key[p, a])
    for trait in range(state.traits.shape[2]):
        own = world.personality[a, trait] + world.uncertainties.personality_spread * person[trait]
        state.traits[p, a, trait] = max(0.0, min(1.0, own))


@compiled
def _meet_newcomer(world: World, state: State, p: int, a: int) -> None:
    """Ties to and from a newcomer are inherited in part; the rest starts anew."""
    if not world.switches.trust_dynamics:
        return
    for b in range(state.trust.shape[1]):
        if b == a:
            continue
        for one, other in ((a, b), (b, a)):
            anew = world.uncertainties.initial_trust
            state.trust[p, one, other] = anew + (state.trust[p, one, other] - anew) * world.uncertainties.inherited_trust


@compiled
def first_impressions(world: World, state: State, luck: Luck) -> None:
    """The first representatives, and what they make of each other: mean initial trust with the spread of personalities."""
    uncertainties = world.uncertainties
    for p in range(state.trust.shape[0]):
        state.funder_trust[p] = uncertainties.initial_trust
        for a in range(state.trust.shape[1]):
            appoint(world, state, luck, p, a, 0)
            for b in range(state.trust.shape[1]):
                if a != b:
                    z = normals(luck, PERSONALITIES, 0, world.authority_key[p, a], world.authority_key[p, b])[0]
                    state.trust[p, a, b] = max(0.0, min(1.0, uncertainties.initial_trust + uncertainties.personality_spread * z))
