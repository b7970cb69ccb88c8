"""7 Challenge: who speaks up against what, what scrutiny uncovers, and what it costs."""

from math import exp, sqrt

from cspsim.model.arithmetic import learn, signal_variance
from cspsim.model.compiled import compiled
from cspsim.model.luck import MEETINGS, Luck, uniform, uniforms
from cspsim.model.state import State
from cspsim.model.tallies import AuthorityTally, Tally, Trait, Work
from cspsim.model.world import World


@compiled
def intend_challenges(world: World, state: State, luck: Luck, month: int) -> None:
    """A member means to challenge an item with a probability that falls with trust in its sponsor.

    logit = base + assertiveness + doubt + culture - harmony x trust - dependence - overload, where
    doubt = (claim - own belief) / own uncertainty.
    Strong doubt that is not spoken is suppressed. Source: Thwaites 2013 (good relationships, lack of challenge), C-strength.
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
                    doubt = (state.claim[p, i] - state.belief[p, a, i]) / sqrt(max(state.belief_variance[p, a, i], 1e-9))
                    state.doubts[p, a, i] = doubt
                    chance = _chance(world, state, p, a, sponsor, doubt, month)
                    courage = uniform(luck, MEETINGS, month, world.authority_key[p, a], world.intervention_key[i])
                    if world.switches.challenge and courage < chance:
                        state.challenges[p, a, i] = 1


@compiled
def appoint_advocates(world: World, state: State, luck: Luck, month: int) -> None:
    """A devil's advocate argues against an item whatever anybody doubts, for the share of items that the lever says."""
    if world.levers.devils_advocate[month] <= 0 or not world.switches.challenge:
        return
    for p in range(state.challenges.shape[0]):
        for i in range(state.challenges.shape[2]):
            advocate = _advocate(world, state, luck, p, i, month)
            if advocate >= 0:
                state.challenges[p, advocate, i] = 1


@compiled
def _advocate(world: World, state: State, luck: Luck, p: int, i: int, month: int) -> int:
    """The member appointed by lot to argue against an item, -1 if none is: the share of items is the lever."""
    if state.on_table[p, i] <= 0:
        return -1
    wanted = uniform(luck, MEETINGS, month, world.project_key[p, i], world.project_key[p, i])
    if wanted >= world.levers.devils_advocate[month]:
        return -1
    appointed, highest = -1, 0.0
    for a in range(state.challenges.shape[1]):
        if a != state.sponsor[p, i] and world.member[p, a, month] > 0:
            _, lot, _, _ = uniforms(luck, MEETINGS, month, world.authority_key[p, a], world.intervention_key[i])
            if lot > highest:
                appointed, highest = a, lot
    return appointed


@compiled
def _chance(world: World, state: State, p: int, a: int, sponsor: int, doubt: float, month: int) -> float:
    """Probability that ``a`` challenges an item of ``sponsor`` it doubts this much."""
    uncertainties = world.uncertainties
    logit = uncertainties.challenge_base
    logit += uncertainties.challenge_assertiveness * (state.traits[p, a, Trait.ASSERTIVENESS] - 1 / 2)
    logit += uncertainties.challenge_doubt * max(-uncertainties.largest_doubt, min(uncertainties.largest_doubt, doubt))
    logit += uncertainties.challenge_culture_value * world.levers.challenge_culture[month] * state.afforded[p]
    logit -= uncertainties.harmony * world.switches.harmony * (state.trust[p, a, sponsor] - 1 / 2)
    logit -= uncertainties.challenge_dependence * world.dependence[a]
    logit -= uncertainties.challenge_overload * max(0.0, state.load[p, a] - 1) * world.switches.overload
    return 1 / (1 + exp(-logit))


@compiled
def hear_challenges(world: World, state: State, luck: Luck, month: int) -> None:
    """A challenge that is heard uncovers what exists: the challenger's private signal, and published evidence if found.

    heard with probability openness x trust (each from 1/2 to 1) plus what a chair adds; learned by all present.
    Challenge costs both sides hours and may be taken badly. It can kill good proposals: signals err.
    """
    partnerships, authorities, interventions = state.challenges.shape
    for p in range(partnerships):
        _clear_slights(state, p)
        if not world.meets[month]:
            continue
        for i in range(interventions):
            state.scrutiny[p, i] = 0
            if state.on_table[p, i] <= 0:
                continue
            challengers, unheard = 0, 1.0
            for a in range(authorities):
                if a == state.sponsor[p, i] or world.member[p, a, month] <= 0:
                    continue
                if state.challenges[p, a, i] > 0:
                    challengers += 1
                    unheard *= 1 - _speak_up(world, state, luck, p, a, i, month)
                elif state.doubts[p, a, i] > world.uncertainties.doubt_threshold:
                    state.suppressed[p, a] += 1
                    state.tallies[p, Tally.SUPPRESSED_DOUBTS] += 1
                    state.authority_tallies[p, a, AuthorityTally.SUPPRESSED_DOUBTS] += 1
            state.scrutiny[p, i] = 1 - unheard
            state.tallies[p, Tally.CHALLENGED_PROPOSALS] += min(1, challengers)


@compiled
def _clear_slights(state: State, p: int) -> None:
    for a in range(state.slights.shape[1]):
        for b in range(state.slights.shape[2]):
            state.slights[p, a, b] = 0


@compiled
def _speak_up(world: World, state: State, luck: Luck, p: int, a: int, i: int, month: int) -> float:
    """One challenge: hours, hearing, learning, hurt. Returns how far it shakes the claim (0 if not heard)."""
    uncertainties = world.uncertainties
    sponsor = state.sponsor[p, i]
    state.work[p, a, Work.CHALLENGE] += uncertainties.challenge_hours
    state.work[p, sponsor, Work.CHALLENGE] += uncertainties.challenge_hours
    state.tallies[p, Tally.CHALLENGES] += 1
    state.authority_tallies[p, a, AuthorityTally.CHALLENGES_MADE] += 1
    state.authority_tallies[p, sponsor, AuthorityTally.CHALLENGES_RECEIVED] += 1
    openness = state.traits[p, sponsor, Trait.OPENNESS]
    hearing, finding, offence, _ = uniforms(luck, MEETINGS, month, world.intervention_key[i], world.authority_key[p, a])
    chair = uncertainties.chair_hearing * world.levers.challenge_culture[month] * state.afforded[p]
    if offence < uncertainties.spill_into_conflict * (1 - openness) * (1 - state.trust[p, sponsor, a] / 2):
        state.slights[p, sponsor, a] += 1
    if hearing >= min(1.0, (1 / 2 + openness / 2) * (1 / 2 + state.trust[p, sponsor, a] / 2) + chair):
        return 0.0
    state.tallies[p, Tally.CHALLENGES_HEARD] += 1
    if state.signal_known[p, a, i] == 0:
        state.signal_known[p, a, i] = 1
        learn(world, state, p, i, a, state.signal[p, a, i], signal_variance(world, p, a, i, month), month)
    found = uncertainties.evidence_chance / world.evidence_grade[i] * (1 / 2 + state.traits[p, a, Trait.EVALUATION_MINDEDNESS])
    if state.evidence_known[p, i] == 0 and finding < found:
        state.evidence_known[p, i] = 1
        error = uncertainties.evidence_error * world.evidence_grade[i]
        learn(world, state, p, i, -1, state.evidence[i], error * error, month)
    return uncertainties.challenge_weight
