"""Rule 7: who speaks up against what, who keeps silent, what scrutiny uncovers and what it costs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from rules_support import (
    APRIL,
    CCTV,
    HEALTH,
    HOT_SPOTS,
    INNER,
    LOCAL_AUTHORITY,
    MAY,
    POLICE,
    Bench,
    arrays_of,
    few,
    out_of_range,
    shares,
)

from cspsim.model.luck import new_luck
from cspsim.model.rules.challenge import appoint_advocates, hear_challenges, intend_challenges
from cspsim.model.tallies import AuthorityTally, Tally, Trait, Work

NO_REASON = {
    "challenge_base": 0,
    "challenge_assertiveness": 0,
    "challenge_doubt": 0,
    "challenge_culture_value": 0,
    "harmony": 0,
    "challenge_dependence": 0,
    "challenge_overload": 0,
}
"""Nothing moves the chance of a challenge, which is one half."""
SURELY_HEARD = {"traits": 1, "trust": 1}


def on_the_table(bench: Bench, claim: float = 0.3, belief: float = 0.3, variance: float = 0.01) -> Bench:
    """Every item is on the table, sponsored by the police, and everybody else believes the same of it."""
    return bench.set(on_table=1, sponsor=POLICE, claim=claim, belief=belief, belief_variance=variance, trust=0.5, load=0, afforded=1)


def challenged_share(bench: Bench, replicates: int = 8) -> float:
    """Share of chances to challenge that are taken, over all months of some replicates: 720 chances in each."""
    taken, chances = 0.0, 0
    for replicate in range(replicates):
        bench.luck = new_luck(1, replicate)
        for month in range(60):
            bench.run(intend_challenges, month)
            bench.run(appoint_advocates, month)
            taken += float(bench.state.challenges.sum())
            chances += 12  # 2 partnerships x 2 members who are not the sponsor x 3 items
    return taken / chances


def one_challenge(bench: Bench, challenger: int = LOCAL_AUTHORITY) -> Bench:
    """The local authority challenges the police about hot spots in the inner borough, and nothing else is on the table."""
    bench.set(on_table=0, sponsor=-1, challenges=0, doubts=0, **SURELY_HEARD)
    bench.state.on_table[INNER, HOT_SPOTS] = 1
    bench.state.sponsor[INNER, HOT_SPOTS] = POLICE
    bench.state.challenges[INNER, challenger, HOT_SPOTS] = 1
    return bench


def test_chance_of_challenge_worked_by_hand() -> None:
    # base -1; assertiveness 2 x (.75 - .5) = .5; doubt .5 x (.5 - .3) / .1 = 1; chair 1.5 x 1; harmony -4 x (.75 - .5) = -1;
    # dependence -1 x .5; overload -1 x (1.5 - 1): together 0, and logistic(0) = 1/2
    reasons = {
        "challenge_base": -1,
        "challenge_assertiveness": 2,
        "challenge_doubt": 0.5,
        "challenge_culture_value": 1.5,
        "harmony": 4,
        "challenge_dependence": 1,
        "challenge_overload": 1,
    }
    bench = on_the_table(Bench(uncertainties=reasons, levers={"challenge_culture": 1}, dependence=0.5), claim=0.5)
    bench.set(trust=0.75, load=1.5)
    bench.state.traits[:, :, Trait.ASSERTIVENESS] = 0.75
    # 5,760 chances: standard error .0066, and leaving out any one reason moves the share by .12 or more
    assert challenged_share(bench) == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize(
    ("reason", "logit"),
    [
        ({"uncertainties": {"challenge_base": 1}}, 1),
        ({"uncertainties": {"challenge_dependence": 2}, "dependence": 0.5}, -1),
        ({"uncertainties": {"challenge_culture_value": 2}, "levers": {"challenge_culture": 0.5}}, 1),
    ],
)
def test_each_reason_alone(reason: dict, logit: float) -> None:
    changes = {**reason, "uncertainties": {**NO_REASON, **reason["uncertainties"]}}
    assert challenged_share(on_the_table(Bench(**changes))) == pytest.approx(1 / (1 + np.exp(-logit)), abs=0.03)


def test_doubt_is_the_gap_between_claim_and_own_belief_in_own_standard_deviations() -> None:
    bench = on_the_table(Bench(), claim=0.5, belief=0.3, variance=0.04)
    bench.run(intend_challenges, APRIL)
    assert bench.state.doubts[:, [LOCAL_AUTHORITY, HEALTH]] == pytest.approx(1.0)  # (.5 - .3) / .2
    assert (bench.state.doubts[:, POLICE] == 0).all(), "a sponsor does not doubt itself"
    assert (bench.state.challenges[:, POLICE] == 0).all()
    bench.set(on_table=0).run(intend_challenges, APRIL)
    assert (bench.state.doubts == 0).all(), "what is no longer on the table is no longer doubted"


def test_limit_beyond_the_largest_doubt_nobody_challenges_more() -> None:
    numbers = {**NO_REASON, "challenge_doubt": 1, "largest_doubt": 1.5}
    found = []
    for claim in (0.45, 0.9, 50.0):  # 1.5, 6 and 497 standard deviations above what is believed
        found.append(challenged_share(on_the_table(Bench(uncertainties=numbers), claim=claim), replicates=1))
    assert found[0] == found[1] == found[2] > 0.7


def test_limit_nobody_challenges_without_the_mechanism_or_without_items() -> None:
    certain = {**NO_REASON, "challenge_base": 50}
    bench = on_the_table(Bench(uncertainties=certain, switches={"challenge": 0}, levers={"devils_advocate": 1}))
    assert challenged_share(bench, replicates=1) == 0
    assert challenged_share(on_the_table(Bench(uncertainties=certain)), replicates=1) == 1
    assert challenged_share(on_the_table(Bench(uncertainties=certain)).set(on_table=0), replicates=1) == 0
    absent = on_the_table(Bench(uncertainties=certain))
    absent.world.member[:, HEALTH] = 0
    assert challenged_share(absent, replicates=1) == 0.5


@few
@given(arrays_of(shares, 2, 3, 3), arrays_of(shares, 2, 3, 3), some.integers(0, 59))
def test_direction_more_trust_in_the_sponsor_never_adds_a_challenge(trust: np.ndarray, more: np.ndarray, month: int) -> None:
    bench = on_the_table(Bench(uncertainties={"challenge_base": 0.5}), claim=0.45).set(trust=trust)
    before = bench.run(intend_challenges, month).challenges.copy()
    bench.set(trust=np.maximum(trust, more)).run(intend_challenges, month)
    assert (bench.state.challenges <= before).all()


def test_direction_harmony_works_through_trust_and_only_if_switched_on() -> None:
    shares_found = {}
    for switch in (0, 1):
        for trust in (0.1, 0.9):
            bench = on_the_table(Bench(uncertainties={**NO_REASON, "harmony": 3}, switches={"harmony": switch})).set(trust=trust)
            shares_found[switch, trust] = challenged_share(bench, replicates=2)
    assert shares_found[1, 0.9] < shares_found[1, 0.1] - 0.3
    assert shares_found[0, 0.9] == shares_found[0, 0.1]


def test_direction_overload_silences_unless_switched_off() -> None:
    found = {}
    for switch in (0, 1):
        for load in (0.0, 1.0, 2.0):
            bench = on_the_table(Bench(uncertainties={**NO_REASON, "challenge_overload": 1}, switches={"overload": switch}))
            found[switch, load] = challenged_share(bench.set(load=load), replicates=2)
    assert found[1, 2.0] < found[1, 1.0] - 0.1
    assert found[1, 1.0] == found[1, 0.0], "a load within capacity is no overload"
    assert found[0, 2.0] == found[0, 0.0]


def test_devils_advocate_is_appointed_for_the_stated_share_of_proposals() -> None:
    # the lever: "share of proposals for which somebody is appointed to argue against", whoever sits at the table
    for lever in (0.0, 0.4, 1.0):
        bench = on_the_table(Bench(uncertainties={**NO_REASON, "challenge_base": -50}, levers={"devils_advocate": lever}))
        argued, proposals = 0.0, 0
        for month in range(60):
            bench.run(intend_challenges, month)
            bench.run(appoint_advocates, month)
            argued += float(bench.state.challenges.max(axis=1).sum())
            proposals += 6
        assert argued / proposals == pytest.approx(lever, abs=4 * np.sqrt(lever * (1 - lever) / 360))


def test_the_advocate_is_a_member_and_not_the_sponsor() -> None:
    bench = on_the_table(Bench(levers={"devils_advocate": 1})).set(challenges=0)
    bench.world.member[:, HEALTH] = 0
    bench.state.on_table[:, CCTV] = 0
    for month in range(12):
        state = bench.run(appoint_advocates, month)
        assert (state.challenges[:, LOCAL_AUTHORITY] == state.on_table).all(), "nobody else is left, and nothing else is tabled"
    assert bench.state.challenges[:, [POLICE, HEALTH]].sum() == 0


def test_a_challenge_is_heard_by_openness_trust_and_chair() -> None:
    # (1/2 + .6/2) x (1/2 + .5/2) + .3 x .5 = .8 x .75 + .15 = .75
    bench = on_the_table(Bench(uncertainties={"chair_hearing": 0.3}, levers={"challenge_culture": 0.5}))
    bench.set(challenges=1, trust=0.5)
    bench.state.traits[:, :, Trait.OPENNESS] = 0.6
    for replicate in range(10):
        bench.luck = new_luck(1, replicate)
        bench.run(hear_challenges, *range(60))
    challenges = bench.state.tallies[:, Tally.CHALLENGES].sum()
    assert challenges == 10 * 20 * 12, "heard at the 20 quarterly meetings only"
    assert bench.state.tallies[:, Tally.CHALLENGES_HEARD].sum() / challenges == pytest.approx(0.75, abs=0.035)


def test_challenges_heard_shake_the_claim_one_after_the_other() -> None:
    # one heard challenge leaves 1 - .7 of the deference, two leave .3 x .3
    bench = one_challenge(on_the_table(Bench(uncertainties={"challenge_weight": 0.7})))
    assert bench.run(hear_challenges, APRIL).scrutiny[INNER, HOT_SPOTS] == pytest.approx(0.7)
    bench.state.challenges[INNER, HEALTH, HOT_SPOTS] = 1
    assert bench.run(hear_challenges, APRIL).scrutiny[INNER, HOT_SPOTS] == pytest.approx(0.91)
    bench.set(challenges=0)
    assert bench.run(hear_challenges, APRIL).scrutiny[INNER, HOT_SPOTS] == 0


def test_scrutiny_uncovers_the_challengers_signal_for_everybody_else_once() -> None:
    # variance .01 before, signal error .2: weight .01 / (.01 + .04) = .2; belief .3 + .2 x (.1 - .3) = .26; variance .01 x .8
    bench = one_challenge(on_the_table(Bench(uncertainties={"signal_error": 0.2, "evidence_chance": 0})))
    bench.state.signal[INNER, LOCAL_AUTHORITY, HOT_SPOTS] = 0.1
    for _ in range(2):
        bench.run(hear_challenges, APRIL)
        assert bench.state.belief[INNER, :, HOT_SPOTS] == pytest.approx([0.26, 0.3, 0.26])
        assert bench.state.belief_variance[INNER, :, HOT_SPOTS] == pytest.approx([0.008, 0.01, 0.008])
    assert (bench.state.belief[:, :, CCTV] == 0.3).all()
    assert bench.state.signal_known.sum() == 1


def test_the_signal_of_an_authority_with_hospital_data_weighs_more() -> None:
    # error .2 x .5 = .1: weight .01 / (.01 + .01) = .5; belief .3 + .5 x (.1 - .3) = .2
    bench = one_challenge(on_the_table(Bench(uncertainties={"signal_error": 0.2, "expert_error_share": 0.5, "evidence_chance": 0})), HEALTH)
    bench.state.signal[INNER, HEALTH, HOT_SPOTS] = 0.1
    bench.run(hear_challenges, APRIL)
    assert bench.state.belief[INNER, :, HOT_SPOTS] == pytest.approx([0.2, 0.2, 0.3])


def test_published_evidence_teaches_the_challenger_too() -> None:
    # chance 1 / grade 1 x (1/2 + mindedness 1) is certain; error .1 x grade 1: weight .5; belief .3 + .5 x (.1 - .3) = .2
    bench = one_challenge(on_the_table(Bench(uncertainties={"evidence_chance": 1, "evidence_error": 0.1}, evidence_grade=1)))
    bench.set(signal_known=1, evidence=0.1)
    for _ in range(2):
        bench.run(hear_challenges, APRIL)
        assert bench.state.belief[INNER, :, HOT_SPOTS] == pytest.approx(0.2), "learned once, not at every meeting"
    assert bench.state.evidence_known.sum() == 1


def test_weak_evidence_is_found_less_often() -> None:
    # .6 / grade 2 x (1/2 + 1/2) = .3
    bench = on_the_table(Bench(uncertainties={"evidence_chance": 0.6}, evidence_grade=2)).set(challenges=0, **SURELY_HEARD)
    bench.state.challenges[:, HEALTH] = 1
    bench.state.traits[:, :, Trait.EVALUATION_MINDEDNESS] = 0.5
    found = 0.0
    for replicate in range(10):
        bench.luck = new_luck(1, replicate)
        for month in range(0, 60, 3):
            found += float(bench.set(evidence_known=0).run(hear_challenges, month).evidence_known.sum())
    assert found / (10 * 20 * 6) == pytest.approx(0.3, abs=0.055)


def test_a_closed_and_distrustful_sponsor_takes_it_badly_for_one_month() -> None:
    bench = one_challenge(on_the_table(Bench(uncertainties={"spill_into_conflict": 1}))).set(traits=0, trust=0)
    slights = bench.run(hear_challenges, APRIL).slights.copy()
    assert slights[INNER, POLICE, LOCAL_AUTHORITY] == slights.sum() == 1
    assert bench.run(hear_challenges, MAY).slights.sum() == 0
    assert bench.set(traits=1).run(hear_challenges, APRIL).slights.sum() == 0, "an open sponsor does not mind"


def test_strong_doubt_that_is_not_spoken_is_suppressed_and_fades() -> None:
    bench = on_the_table(Bench(uncertainties={**NO_REASON, "challenge_base": -50, "doubt_threshold": 1, "doubt_memory": 0.5}))
    bench.state.claim[:, HOT_SPOTS] = 0.41  # 1.1 standard deviations above; the other items are believed as claimed
    bench.run(intend_challenges, APRIL)
    bench.run(hear_challenges, APRIL)
    assert bench.state.suppressed.tolist() == [[0, 1, 1], [0, 1, 1]]
    assert bench.state.tallies[:, Tally.SUPPRESSED_DOUBTS].tolist() == [2, 2]
    assert bench.run(intend_challenges, MAY).suppressed.tolist() == [[0, 0.5, 0.5], [0, 0.5, 0.5]]


@few
@given(arrays_of(some.sampled_from([0.0, 1.0]), 2, 3, 3), arrays_of(shares, 2, 3, 4), arrays_of(shares, 2, 3, 3), some.integers(0, 59))
def test_ranges_and_accounts(challenges: np.ndarray, traits: np.ndarray, trust: np.ndarray, month: int) -> None:
    bench = on_the_table(Bench(), claim=0.6).set(traits=traits, trust=trust)
    bench.run(intend_challenges, month)
    assert set(np.unique(bench.state.challenges)) <= {0.0, 1.0}
    bench.set(challenges=challenges).run(hear_challenges, month)
    state, made = bench.state, bench.state.tallies[:, Tally.CHALLENGES]
    assert out_of_range(state) == []
    expected = challenges[:, 1:].sum() if month % 3 == 0 else 0
    assert made.sum() == expected, "a sponsor does not challenge itself"
    assert state.work[:, :, Work.CHALLENGE].sum(axis=1) == pytest.approx(2 * made * bench.world.uncertainties.challenge_hours)
    assert state.work.sum() == state.work[:, :, Work.CHALLENGE].sum()
    assert (state.authority_tallies[:, :, AuthorityTally.CHALLENGES_MADE].sum(axis=1) == made).all()
    assert (state.authority_tallies[:, POLICE, AuthorityTally.CHALLENGES_RECEIVED] == made).all()
    assert (state.tallies[:, Tally.CHALLENGES_HEARD] <= made).all()
    if month % 3 == 0:
        assert (state.tallies[:, Tally.CHALLENGED_PROPOSALS] == challenges[:, 1:].max(axis=1).sum(axis=1)).all()
        silent = (challenges[:, 1:] == 0) & (state.doubts[:, 1:] > bench.world.uncertainties.doubt_threshold)
        assert (state.tallies[:, Tally.SUPPRESSED_DOUBTS] == silent.sum(axis=(1, 2))).all()
