"""Sobol and Morris: published references, luck taken out, errors told apart, all through the code that analyses sweeps."""

from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from arrays_as_results import ArraysAsResults
from hypothesis import given
from hypothesis import strategies as some
from SALib.analyze import morris as salib_morris
from SALib.analyze import sobol as salib_sobol
from SALib.sample import morris as morris_sample
from SALib.sample import sobol as sobol_sample
from SALib.test_functions import Ishigami
from scipy import stats

from cspsim.analysis.morris import elementary_effects, morris_measures
from cspsim.analysis.noise import crossed, linearised
from cspsim.analysis.sensitivity import SobolIndices, sobol_indices
from cspsim.analysis.sensitivity_tables import luck_of_runs_table, morris_table, sobol_table
from cspsim.analysis.swept import EFFECT, OUTCOME, Subject, morris_of_sweep, sobol_of_sweep
from cspsim.basics.errors import CspsimError
from cspsim.comparing.differences import Parts, paired_estimate
from cspsim.model.parameters import Floats

NAMES = ["x1", "x2", "x3"]
PROBLEM = {"num_vars": 3, "names": NAMES, "bounds": [[-np.pi, np.pi]] * 3}
FIRST, TOTAL = np.array([0.3139, 0.4424, 0.0]), np.array([0.5576, 0.4424, 0.2437])
"""Ishigami's function, a = 7, b = .1: Saltelli et al. 2008, Global Sensitivity Analysis: The Primer."""


@lru_cache
def sample(base: int = 1024) -> Floats:
    return np.asarray(sobol_sample.sample(PROBLEM, base, seed=1))


def swept(values: Floats, points: Floats, **design: Any) -> ArraysAsResults:
    """A sweep of assumptions: the best guesses, then the design; a baseline and a policy that adds ``values`` to it."""
    with_best = np.concatenate([np.full((1, values.shape[1]), 5.0), values])
    designs = {"uncertainties": {"names": NAMES, "first": 1, **design}}
    return ArraysAsResults({"harm": np.stack([np.zeros(with_best.shape), with_best])}, designs, uncertainties=points)


def through_a_sweep(values: Floats, points: Floats, second_order: bool = True) -> SobolIndices:
    results = swept(values, points, kind="saltelli", second_order=second_order)
    return sobol_of_sweep(results, ["harm"])[Subject("harm", "policy 1", EFFECT)]  # type: ignore[arg-type] # looks like results


# -------------------------------------------------------------------------------------------------------- references


def test_one_run_a_point_gives_salibs_numbers() -> None:
    values = Ishigami.evaluate(sample())
    found = through_a_sweep(values[:, None], sample())
    reference = salib_sobol.analyze(PROBLEM, values, seed=1)
    np.testing.assert_allclose(found.first.value, reference["S1"], atol=1e-12)
    np.testing.assert_allclose(found.total.value, reference["ST"], atol=1e-12)
    np.testing.assert_allclose(found.second.value, reference["S2"][np.triu_indices(3, 1)], atol=1e-12)
    np.testing.assert_allclose(found.first.high - found.first.value, reference["S1_conf"], rtol=0.35)  # both are bootstraps
    assert found.pairs == [("x1", "x2"), ("x1", "x3"), ("x2", "x3")]
    assert np.isnan(found.first.seed_error).all()
    assert np.isnan(found.luck.value).all()


def test_salibs_numbers_for_any_values() -> None:
    values = 100 + np.random.default_rng(6).normal(size=80) ** 3  # ten base rows: nothing averages out by itself
    found = sobol_indices(values[:, None], NAMES, True)
    reference = salib_sobol.analyze(PROBLEM, values, seed=1)
    np.testing.assert_allclose(found.first.value, reference["S1"], rtol=1e-9)
    np.testing.assert_allclose(found.total.value, reference["ST"], rtol=1e-9)
    np.testing.assert_allclose(found.second.value, reference["S2"][np.triu_indices(3, 1)], rtol=1e-9)


def test_scipy_agrees() -> None:
    values = Ishigami.evaluate(sample()).reshape(-1, 8)
    reference = stats.sobol_indices(
        func={"f_A": values[:, 0], "f_B": values[:, -1], "f_AB": values[:, None, 1:4].transpose(2, 1, 0)}, n=1024
    )
    found = through_a_sweep(values.reshape(-1, 1), sample())
    np.testing.assert_allclose(found.first.value, reference.first_order, atol=0.01)
    np.testing.assert_allclose(found.total.value, reference.total_order, atol=0.01)


def test_the_analytic_indices_lie_in_the_intervals() -> None:
    found = through_a_sweep(Ishigami.evaluate(sample())[:, None], sample())
    for estimate, truth in ((found.first, FIRST), (found.total, TOTAL)):
        assert (estimate.low <= truth).all()
        assert (truth <= estimate.high).all()
        assert (estimate.high - estimate.low < 0.25).all()
    assert found.second.value[1] == pytest.approx(0.2437, abs=0.05)  # x1 with x3


def test_a_design_without_second_order_reads_its_own_order_of_points() -> None:
    points = np.asarray(sobol_sample.sample(PROBLEM, 512, calc_second_order=False, seed=1))
    values = Ishigami.evaluate(points)
    found = through_a_sweep(values[:, None], points, second_order=False)
    reference = salib_sobol.analyze(PROBLEM, values, calc_second_order=False, seed=1)
    np.testing.assert_allclose(found.first.value, reference["S1"], atol=1e-12)
    np.testing.assert_allclose(found.total.value, reference["ST"], atol=1e-12)
    assert found.pairs == []


# --------------------------------------------------------------------------------------------------------------- luck


@lru_cache
def lucky(own: float = 6.0, shared: float = 10.0, replicates: int = 6) -> Floats:
    """Ishigami with luck: a part that moves all points alike, a part that each point has for itself; sd of the function is 3.7."""
    draw = np.random.default_rng(2)
    values = Ishigami.evaluate(sample())[:, None]
    return values + shared * draw.normal(size=replicates) + own * draw.normal(size=(len(values), replicates))


def test_luck_is_taken_out_and_would_bias_if_it_were_not() -> None:
    found = through_a_sweep(lucky(), sample())
    for estimate, truth in ((found.first, FIRST), (found.total, TOTAL)):
        assert (estimate.low <= truth).all()
        assert (truth <= estimate.high).all()
    # 36 / 6 of noise on 13.84 of variance: each index is uncorrected 13.84 / 19.84 of itself, totals have 6 / 19.84 added
    np.testing.assert_allclose(found.uncorrected_total, (TOTAL * 13.84 + 6) / 19.84, atol=0.06)
    assert (found.uncorrected_total - TOTAL > 0.1).all()
    assert found.uncorrected_total[2] > found.total.high[2]
    assert found.uncorrected_first[1] < FIRST[1] - 0.1
    assert found.variance.value == pytest.approx(13.84, rel=0.1)


def test_what_moves_all_points_alike_moves_no_index() -> None:
    alike = lucky() + np.array([0.0, 1e3, -50.0, 7.0, 20.0, 3.0])
    one, other = through_a_sweep(lucky(), sample()), through_a_sweep(alike, sample())
    np.testing.assert_allclose(one.total.value, other.total.value, rtol=1e-9)
    np.testing.assert_allclose(one.first.seed_error, other.first.seed_error, rtol=1e-6)
    assert other.luck.value[0] > one.luck.value[0]


def test_share_of_luck_in_single_runs() -> None:
    own = through_a_sweep(lucky(shared=0.0), sample())
    assert own.luck.value[0] == pytest.approx(36 / (36 + 13.84), abs=0.02)
    assert own.luck.value[1] == pytest.approx(0.0, abs=0.01)
    mostly_shared = through_a_sweep(lucky(own=0.01, replicates=30), sample())
    assert mostly_shared.luck.value[1] > 0.99
    assert mostly_shared.luck.low[0] < 100 / 113.84 < mostly_shared.luck.high[0]


def test_luck_that_meets_parameters_shows_as_error_of_seeds() -> None:
    """y = x1 + e x2 with luck e: on average x2 does nothing, but in any few replicates it seems to."""
    draw = np.random.default_rng(3)
    slopes = draw.normal(size=5)
    points = sample()
    found = through_a_sweep(points[:, [0]] + slopes * points[:, [1]], points)
    assert found.uncorrected_total[1] == pytest.approx(slopes.mean() ** 2 / (1 + slopes.mean() ** 2), abs=0.03)
    assert found.total.low[1] < 0 < found.total.high[1]
    assert found.total.seed_error[1] > 5 * found.total.design_error[1]


def test_no_luck_no_error_of_seeds() -> None:
    found = through_a_sweep(np.repeat(Ishigami.evaluate(sample())[:, None], 3, axis=1), sample())
    assert (found.total.seed_error < 1e-12).all()
    assert (found.total.design_error > 0.01).all()
    assert found.luck.value[0] == pytest.approx(0.0, abs=1e-12)
    np.testing.assert_allclose(found.total.value, found.uncorrected_total)


@pytest.mark.parametrize("base", [128, 512])
def test_intervals_cover_what_they_should(base: int) -> None:
    """Of 60 intervals of 95 % at least 57 should hold the truth; 51 or fewer would happen to right ones in .3 % of such tests."""
    draw = np.random.default_rng(base)
    held = 0
    for seed in range(20):
        points = np.asarray(sobol_sample.sample(PROBLEM, base, seed=seed))
        slopes = 1 + 0.3 * draw.normal(size=4)
        values = Ishigami.evaluate(points)[:, None] * slopes + 4 * draw.normal(size=(len(points), 4))
        total = sobol_indices(values, NAMES, True, resamples=60).total
        held += int(((total.low <= TOTAL) & (total.high >= TOTAL)).sum())
    assert held >= 52


@given(some.lists(some.floats(-10, 10), min_size=2, max_size=6), some.randoms(use_true_random=False))
def test_products_between_replicates(values: list[float], random: Any) -> None:
    first = np.array(values)
    second = np.array([random.uniform(-5, 5) for _ in values])
    by_hand = np.mean([a * b for r, a in enumerate(first) for s, b in enumerate(second) if r != s])
    assert crossed(first, second) == pytest.approx(by_hand, abs=1e-9)
    covariance = np.cov(first, second)[0, 1]
    assert crossed(first, second) == pytest.approx(first.mean() * second.mean() - covariance / len(first), abs=1e-9)


def test_products_by_hand() -> None:
    assert crossed(np.array([1.0, 2.0, 3.0]), np.array([4.0, 5.0, 6.0])) == pytest.approx(58 / 6)  # 6 x 15 - (4 + 10 + 18)
    assert crossed(np.array([3.0]), np.array([4.0])) == 12.0


def test_a_ratio_is_linearised_as_in_comparisons() -> None:
    top, bottom = np.array([[1.0, 4.0, 3.0], [2.0, 2.0, 8.0]]), np.array([[2.0, 4.0, 4.0], [4.0, 4.0, 8.0]])
    values = linearised(top, bottom)
    np.testing.assert_allclose(values.mean(axis=1), [0.8, 0.75])
    estimate = paired_estimate(Parts(top[0][:, None], bottom[0][:, None]), Parts(top[1][:, None], bottom[1][:, None]))
    assert (values[1] - values[0]).std(ddof=1) / np.sqrt(3) == pytest.approx(estimate.standard_error[0])
    failed = linearised(np.array([1.0, np.nan, 3.0]), np.ones(3))
    np.testing.assert_array_equal(failed, [1.0, np.nan, 3.0])
    assert np.isnan(linearised(np.zeros(2), np.zeros(2))).all()


# ------------------------------------------------------------------------------------------------------------- faults


def test_failed_runs_take_their_base_row_along() -> None:
    values = lucky().copy()
    values[8 * 5 + 3, 2] = np.nan
    found = through_a_sweep(values, sample())
    kept = np.delete(values.reshape(-1, 8, 6), 5, axis=0).reshape(-1, 6)
    assert (found.rows, found.left_out) == (1023, 1)
    np.testing.assert_allclose(found.total.value, sobol_indices(kept, NAMES, True).total.value)


def test_faults_are_said() -> None:
    with pytest.raises(CspsimError, match="7 points are no Saltelli design of 3 factors: expected a multiple of 8"):
        sobol_indices(np.zeros((7, 1)), NAMES, True)
    with pytest.raises(CspsimError, match="only 0 of 2 base rows are complete"):
        sobol_indices(np.full((16, 1), np.nan), NAMES, True)
    with pytest.raises(CspsimError, match="the design of uncertainties is morris: this analysis needs saltelli"):
        sobol_of_sweep(swept(lucky(), sample(), kind="morris"), ["harm"])  # type: ignore[arg-type]


@pytest.mark.filterwarnings("error")
def test_an_outcome_that_never_moves_has_no_indices() -> None:
    for constant in (0.0, 1e9 / 3):
        found = sobol_indices(np.full((80, 3), constant), NAMES, True)
        assert np.isnan(found.first.value).all()
        assert np.isnan(found.total.value).all()
        assert found.variance.value == 0


def test_tables_hold_every_index() -> None:
    results = swept(lucky(), sample(), kind="saltelli", second_order=True)
    found = sobol_of_sweep(results, ["harm"], resamples=10)  # type: ignore[arg-type]
    assert list(found) == [Subject("harm", "policy 0", OUTCOME), Subject("harm", "policy 1", EFFECT)]
    table = sobol_table(found)
    effects = table[table["of"] == EFFECT]
    assert effects["order"].tolist() == ["first"] * 3 + ["total"] * 3 + ["second"] * 3 + ["first", "total"]
    assert effects["index"].to_numpy()[3:6] == pytest.approx(found[Subject("harm", "policy 1", EFFECT)].total.value)
    assert effects["index"].iloc[-2] == pytest.approx(effects["index"].iloc[:3].sum())
    assert luck_of_runs_table(found)["replicates"].tolist() == [6, 6]


# ------------------------------------------------------------------------------------------------------------- Morris


@lru_cache
def trajectories(count: int = 40) -> Floats:
    return np.asarray(morris_sample.sample(PROBLEM, count, num_levels=4, seed=1))


def through_a_morris_sweep(values: Floats) -> Any:
    results = swept(values, trajectories(), kind="morris", levels=4)
    return morris_of_sweep(results, ["harm"])[Subject("harm", "policy 1", EFFECT)]  # type: ignore[arg-type]


def test_morris_gives_salibs_numbers() -> None:
    values = Ishigami.evaluate(trajectories())
    found = through_a_morris_sweep(values[:, None])
    reference = salib_morris.analyze(PROBLEM, trajectories(), values, num_levels=4)
    for measure in ("mu", "mu_star"):
        np.testing.assert_allclose(getattr(found, measure).value, np.asarray(reference[measure], dtype=float), atol=1e-9)
    np.testing.assert_allclose(found.sigma, np.asarray(reference["sigma"], dtype=float), atol=1e-9)
    np.testing.assert_allclose(found.uncorrected_sigma, found.sigma, atol=1e-9)


def test_morris_of_a_plane_by_hand() -> None:
    points = trajectories()
    found = through_a_morris_sweep((points @ [3.0, -2.0, 0.0])[:, None] / (2 * np.pi))
    np.testing.assert_allclose(found.mu.value, [3, -2, 0], atol=1e-9)
    np.testing.assert_allclose(found.mu_star.value, [3, 2, 0], atol=1e-9)
    np.testing.assert_allclose(found.sigma, 0, atol=1e-7)


def test_luck_does_not_raise_morris_measures() -> None:
    draw = np.random.default_rng(4)
    plane = (trajectories() @ [3.0, -2.0, 0.0])[:, None] / (2 * np.pi)
    found = through_a_morris_sweep(plane + 2 * draw.normal(size=(len(plane), 6)))
    assert found.uncorrected_mu_star[2] > 1  # where there is nothing
    assert found.mu_star.low[2] < 0 < found.mu_star.high[2]
    assert (found.mu_star.value < found.uncorrected_mu_star).all()
    assert (found.uncorrected_sigma > 1.3).all()
    assert (found.sigma_squared.low < 0).all()
    assert (found.mu.low < [3, -2, 0]).all()
    assert (found.mu.high > [3, -2, 0]).all()
    table = morris_table({Subject("harm", "policy 1", EFFECT): found})
    assert table["factor"].tolist() == NAMES


def test_morris_faults_are_said() -> None:
    points = trajectories()
    with pytest.raises(CspsimError, match="each step must move one factor"):
        elementary_effects(np.zeros((len(points), 1)), points[::-1] ** 2 * 0 + np.arange(len(points))[:, None])
    with pytest.raises(CspsimError, match="expected a multiple of 4"):
        elementary_effects(np.zeros((5, 1)), points[:5])
    broken = np.full((len(points), 2), np.nan)
    broken[:4] = 0
    with pytest.raises(CspsimError, match="only 1 of 40 trajectories are complete"):
        morris_measures(broken, points, NAMES)
