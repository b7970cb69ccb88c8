"""Before the first month: private signals, published evidence, and what each authority believes at first."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from rules_support import CCTV, HEALTH, HOT_SPOTS, INJURY_DATA, INNER, LOCAL_AUTHORITY, POLICE, Bench, few, out_of_range

from cspsim.model.arithmetic import learn
from cspsim.model.luck import new_luck
from cspsim.model.rules.beliefs import form_beliefs

EXACT = {"signal_error": 0, "evidence_error": 0, "effect_scale": 1}


def many(bench: Bench, replicates: int = 150) -> tuple[np.ndarray, np.ndarray]:
    """Signals ``[replicate, partnership, authority, intervention]`` and evidence ``[replicate, intervention]``."""
    signals, evidence = [], []
    for replicate in range(replicates):
        bench.call(form_beliefs, new_luck(1, replicate))
        signals.append(bench.state.signal.copy())
        evidence.append(bench.state.evidence.copy())
    return np.array(signals), np.array(evidence)


def test_signal_is_truth_plus_popularity_worked_by_hand() -> None:
    # true effect .2 x 1.5 = .3; popularity .2 x (.75 - .5) = .05 that all share; no error: .35 for everybody
    bench = Bench(uncertainties={**EXACT, "effect_scale": 1.5, "popularity_bias": 0.2}, effect=0.2, popularity=0.75)
    assert bench.state.signal == pytest.approx(0.35)
    assert bench.state.evidence == pytest.approx(0.3)


def test_signals_err_by_their_error_and_those_of_experts_by_less() -> None:
    numbers = {"signal_error": 0.2, "expert_error_share": 0.5, "popularity_bias": 0, "effect_scale": 1}
    signals, _ = many(Bench(uncertainties=numbers, effect=0.1))
    errors = signals - 0.1
    expert = np.eye(3, dtype=bool)  # each authority of the tiny world leads one intervention
    expert[HEALTH] = True  # and health holds the hospital data
    for chosen, spread in ((expert, 0.1), (~expert, 0.2)):
        found = errors[:, :, chosen]
        assert abs(found.mean()) < 4 * spread / np.sqrt(found.size)
        assert found.std() == pytest.approx(spread, rel=0.1)
    between = np.corrcoef(errors[:, INNER, POLICE, CCTV], errors[:, INNER, LOCAL_AUTHORITY, CCTV])[0, 1]
    assert abs(between) < 4 / np.sqrt(150), "each has heard something else"


def test_published_evidence_errs_with_its_grade() -> None:
    numbers = {"evidence_error": 0.04, "effect_scale": 1}
    _, evidence = many(Bench(uncertainties=numbers, effect=0.2, evidence_grade=[1, 3, 6]), replicates=600)
    assert evidence.mean(axis=0) == pytest.approx([0.2, 0.2, 0.2], abs=4 * 0.24 / np.sqrt(600))
    assert evidence.std(axis=0) == pytest.approx([0.04, 0.12, 0.24], rel=0.12)


def test_published_evidence_carries_no_popularity() -> None:
    loved, disliked = Bench(popularity=1.0), Bench(popularity=0.0)
    assert (loved.state.evidence == disliked.state.evidence).all()
    bias = loved.world.uncertainties.popularity_bias
    assert loved.state.signal - disliked.state.signal == pytest.approx(bias), "while everybody has heard better of what is loved"


def test_popularity_can_be_switched_off() -> None:
    off = [Bench(popularity=popularity, switches={"popularity": 0}).state for popularity in (0.0, 1.0)]
    assert (off[0].signal == off[1].signal).all()
    assert (off[0].belief == off[1].belief).all()
    middling = Bench(popularity=0.5).state
    assert (off[0].signal == middling.signal).all()


def test_first_belief_worked_by_hand() -> None:
    # expectation .1 + popularity .2 x (1 - .5) = .2, spread .1
    # the police on CCTV: signal error .2, weight .01 / (.01 + .04) = .2, variance .01 x .8
    # on hot spots, which they lead: error .2 x .5 = .1, weight .5, variance .005
    numbers = {"prior_effect": 0.1, "prior_error": 0.1, "signal_error": 0.2, "expert_error_share": 0.5, "popularity_bias": 0.2}
    state = Bench(uncertainties=numbers, popularity=1.0).state
    for item, weight in ((CCTV, 0.2), (HOT_SPOTS, 0.5)):
        signal = state.signal[INNER, POLICE, item]
        assert state.belief[INNER, POLICE, item] == pytest.approx(0.2 + weight * (signal - 0.2))
        assert state.belief_variance[INNER, POLICE, item] == pytest.approx(0.01 * (1 - weight))
    assert state.belief_variance[INNER, HEALTH] == pytest.approx(0.005), "hospital data tell about everything"


def test_limit_certain_signals_are_believed_and_worthless_ones_ignored() -> None:
    certain = Bench(uncertainties={**EXACT, "popularity_bias": 0}, effect=[0.1, 0.2, 0.3]).state
    assert certain.belief == pytest.approx(np.broadcast_to([0.1, 0.2, 0.3], (2, 3, 3)))
    worthless = Bench(uncertainties={"signal_error": 1e6, "expert_error_share": 1, "prior_effect": 0.1, "popularity_bias": 0}).state
    assert worthless.belief == pytest.approx(0.1, abs=1e-3)


def test_limit_without_effects_signals_and_evidence_say_so() -> None:
    bench = Bench(uncertainties={**EXACT, "popularity_bias": 0}, effect=0.5, switches={"effects": 0})
    assert (bench.state.signal == 0).all()
    assert (bench.state.evidence == 0).all()


@few
@given(some.floats(0, 0.6), some.floats(0, 0.6))
def test_direction_what_works_better_never_looks_worse(effect: float, other: float) -> None:
    worse, better = (Bench(effect=value).state for value in sorted((effect, other)))
    assert (better.signal >= worse.signal).all()
    assert (better.belief >= worse.belief).all()
    assert (better.evidence >= worse.evidence).all()


@few
@given(some.floats(-1, 1), some.floats(0, 1), some.floats(0, 0.4), some.integers(0, 1000))
def test_ranges(effect: float, popularity: float, bias: float, replicate: int) -> None:
    bench = Bench(effect=effect, popularity=popularity, uncertainties={"popularity_bias": bias}, replicate=replicate)
    assert out_of_range(bench.state) == []
    prior = bench.world.uncertainties.prior_error**2
    assert (bench.state.belief_variance < prior).all(), "whoever has heard something is less uncertain"
    assert (bench.state.belief_variance > 0).all()


values, variances = some.floats(-1, 1), some.floats(1e-4, 1)


def learned(*lessons: tuple[float, float], source: int = -1) -> Bench:
    """Everybody starts from .2 with variance .04 about injury data and learns values with these variances, one by one."""
    bench = Bench().set(belief=0.2, belief_variance=0.04)
    for value, variance in lessons:
        bench.call(learn, INNER, INJURY_DATA, source, value, variance, 0)
    return bench


@few
@given(values, variances, values, variances)
def test_learning_adds_precisions_in_any_order(one: float, its: float, other: float, others: float) -> None:
    forth, back = learned((one, its), (other, others)).state, learned((other, others), (one, its)).state
    precision = 1 / 0.04 + 1 / its + 1 / others
    mean = (0.2 / 0.04 + one / its + other / others) / precision
    for state in (forth, back):
        assert state.belief[INNER, :, INJURY_DATA] == pytest.approx(mean, abs=1e-9)
        assert state.belief_variance[INNER, :, INJURY_DATA] == pytest.approx(1 / precision)


@few
@given(values, variances)
def test_learning_never_overshoots_and_teaches_only_those_present_about_this_one_thing(value: float, variance: float) -> None:
    bench = learned((value, variance), source=POLICE)
    state = bench.state
    assert (np.abs(state.belief[INNER, [LOCAL_AUTHORITY, HEALTH], INJURY_DATA] - value) <= abs(0.2 - value) + 1e-12).all()
    untouched = np.ones(state.belief.shape, dtype=bool)
    untouched[INNER, [LOCAL_AUTHORITY, HEALTH], INJURY_DATA] = False
    assert (state.belief[untouched] == 0.2).all()
    assert (state.belief_variance[untouched] == 0.04).all()
    bench.world.member[:, HEALTH] = 0
    before = state.belief[INNER, HEALTH, INJURY_DATA]
    bench.call(learn, INNER, INJURY_DATA, -1, value + 1, variance, 0)
    assert state.belief[INNER, HEALTH, INJURY_DATA] == before
    assert state.belief[INNER, LOCAL_AUTHORITY, INJURY_DATA] > before


def test_certainty_never_becomes_complete() -> None:
    bench = learned(*[(0.5, 1e-12)] * 3)
    assert (bench.state.belief_variance[INNER, :, INJURY_DATA] > 0).all()
    assert bench.state.belief[INNER, :, INJURY_DATA] == pytest.approx(0.5)
