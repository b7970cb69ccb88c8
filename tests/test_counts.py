"""Counts: scipy's quantiles where they are summed, close to them above, and never falling as luck or mean rises."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from cspsim.model.counts import SMALL_MEAN, SMALL_VARIANCE, binomial_quantile, negative_binomial_quantile

GRID = (np.arange(4000) + 0.5) / 4000
TAILS = np.array([1e-9, 1e-6, 1e-4, 1 - 1e-4, 1 - 1e-6, 1 - 1e-9])
shares = st.floats(0, 1)
chances = st.floats(2.0**-53, 1 - 2.0**-53)
means = st.floats(0, 3000)
dispersions = st.floats(0, 0.6)


def negative_binomial(u: np.ndarray, mean: float, dispersion: float) -> np.ndarray:
    return np.array([negative_binomial_quantile(float(one), float(mean), float(dispersion)) for one in u])


def binomial(u: np.ndarray, trials: float, share: float) -> np.ndarray:
    return np.array([binomial_quantile(float(one), float(trials), float(share)) for one in u])


def reference(mean: float, dispersion: float) -> "stats.rv_frozen":
    if dispersion == 0:
        return stats.poisson(mean)
    return stats.nbinom(1 / dispersion, 1 / (1 + dispersion * mean))


def test_a_count_by_hand() -> None:
    """Poisson of mean 1: P(0) = .3679, P(up to 1) = .7358, P(up to 2) = .9197."""
    assert [negative_binomial_quantile(u, 1.0, 0.0) for u in (0.36, 0.37, 0.73, 0.74, 0.91, 0.92)] == [0, 1, 1, 2, 2, 3]
    assert [binomial_quantile(u, 2.0, 0.5) for u in (0.24, 0.26, 0.74, 0.76)] == [0, 1, 1, 2]


@pytest.mark.parametrize("dispersion", [0, 1e-12, 0.003, 0.02, 0.3, 2])
@pytest.mark.parametrize("mean", [1e-9, 0.02, 0.7, 4, SMALL_MEAN])
def test_small_means_are_exact(mean: float, dispersion: float) -> None:
    if dispersion == 1e-12:
        expected = stats.poisson(mean)  # scipy's own sum loses its digits there
    else:
        expected = reference(mean, dispersion)
    u = np.concatenate([GRID, TAILS[:5]])
    np.testing.assert_array_equal(negative_binomial(u, mean, dispersion), expected.ppf(u))


@pytest.mark.parametrize("dispersion", [0.26, 1.0, 3.0])
def test_large_dispersions_are_exact_at_any_mean(dispersion: float) -> None:
    u = GRID[::40]
    np.testing.assert_array_equal(negative_binomial(u, 250, dispersion), reference(250, dispersion).ppf(u))


@pytest.mark.parametrize("dispersion", [0, 0.003, 0.02, 0.05, 0.1, 0.25])
@pytest.mark.parametrize("mean", [SMALL_MEAN + 0.01, 25, 60, 300, 3000])
def test_large_means_are_close(mean: float, dispersion: float) -> None:
    ours, expected = negative_binomial(GRID, mean, dispersion), reference(mean, dispersion).ppf(GRID)
    assert ours.mean() == pytest.approx(expected.mean(), rel=0.0002)
    assert ours.std() == pytest.approx(expected.std(), rel=0.001)
    if dispersion <= 0.05:
        deviation = reference(mean, dispersion).std()
        middle = (GRID > 0.001) & (GRID < 0.999)
        assert np.abs(ours - expected)[middle].max() <= max(1, 0.02 * deviation)
        tails = np.abs(negative_binomial(TAILS, mean, dispersion) - reference(mean, dispersion).ppf(TAILS))
        assert tails.max() <= max(2, 0.3 * deviation)


@pytest.mark.parametrize(("trials", "share"), [(1, 0.4), (10, 0.5), (47, 0.5), (40, 0.9), (15, 0.1), (1000, 0.01), (1000, 0.99), (48, 0.5)])
def test_small_variances_are_exact(trials: float, share: float) -> None:
    assert trials * share * (1 - share) <= SMALL_VARIANCE
    u = np.concatenate([GRID, TAILS])
    np.testing.assert_array_equal(binomial(u, trials, share), stats.binom(trials, share).ppf(u))


@pytest.mark.parametrize(("trials", "share"), [(49, 0.5), (60, 0.3), (60, 0.7), (1300, 0.01), (1300, 0.99), (400, 0.4), (5000, 0.6)])
def test_large_variances_are_close(trials: float, share: float) -> None:
    assert trials * share * (1 - share) > SMALL_VARIANCE
    exact = stats.binom(trials, share)
    ours, expected = binomial(GRID, trials, share), exact.ppf(GRID)
    assert np.abs(ours - expected).max() <= 1
    assert np.mean(ours != expected) < 0.005
    assert ours.mean() == pytest.approx(expected.mean(), rel=0.0002)
    assert ours.std() == pytest.approx(expected.std(), rel=0.001)
    assert np.abs(binomial(TAILS, trials, share) - exact.ppf(TAILS)).max() <= 2


@pytest.mark.parametrize("dispersion", [0, 0.003, 0.02, 0.05])
def test_no_jump_where_the_sum_ends(dispersion: float) -> None:
    steps = negative_binomial(GRID, SMALL_MEAN * 1.000001, dispersion) - negative_binomial(GRID, SMALL_MEAN, dispersion)
    assert np.abs(steps).max() <= 1
    assert np.mean(steps != 0) < 0.01
    steps = binomial(GRID, 64, 0.2500001) - binomial(GRID, 64, 0.25)
    assert np.abs(steps).max() <= 1


def test_limits() -> None:
    for u in (2.0**-53, 0.5, 1 - 2.0**-53):
        assert negative_binomial_quantile(u, 0.0, 0.1) == 0
        assert binomial_quantile(u, 0.0, 0.4) == 0
        for trials in (3.0, 1000.0):
            assert binomial_quantile(u, trials, 0.0) == 0
            assert binomial_quantile(u, trials, 1.0) == trials


@pytest.mark.parametrize(("trials", "share"), [(100, 0.05), (100, 0.95), (60, 0.2)])
def test_the_most_extreme_luck_stays_a_plausible_count(trials: float, share: float) -> None:
    """A sum of probabilities that rounds to just under 1 must not run on to the end."""
    exact = stats.binom(trials, share)
    assert abs(binomial_quantile(2.0**-53, trials, share) - exact.ppf(2.0**-53)) <= 2
    assert abs(binomial_quantile(1 - 2.0**-53, trials, share) - exact.isf(2.0**-53)) <= 3
    for mean in (0.5, 10.0):
        expected = stats.poisson(mean).isf(2.0**-53)
        assert abs(negative_binomial_quantile(1 - 2.0**-53, mean, 0.0) - expected) <= 4


@settings(deadline=None)
@given(chances, chances, means, dispersions)
def test_counts_never_fall_as_luck_rises(one: float, other: float, mean: float, dispersion: float) -> None:
    low, high = sorted((one, other))
    few = negative_binomial_quantile(low, mean, dispersion)
    assert few >= 0
    assert few == int(few)
    assert few <= negative_binomial_quantile(high, mean, dispersion)


@settings(deadline=None)
@given(chances, means, means, st.floats(0, 0.25))
def test_counts_never_fall_as_the_mean_rises(u: float, one: float, other: float, dispersion: float) -> None:
    """Up to one count where the sum hands over to the approximation (more in tails beyond 1 in 1,000)."""
    low, high = sorted((one, other))
    handover = low <= SMALL_MEAN < high
    if handover and not 0.001 < u < 0.999:
        return
    allowed = (1 if dispersion <= 0.05 else 2) if handover else 0
    assert negative_binomial_quantile(u, low, dispersion) <= negative_binomial_quantile(u, high, dispersion) + allowed


@settings(deadline=None)
@given(chances, chances, st.integers(0, 3000), shares)
def test_successes_never_fall_as_luck_rises(one: float, other: float, trials: int, share: float) -> None:
    low, high = sorted((one, other))
    few, many = binomial_quantile(low, float(trials), share), binomial_quantile(high, float(trials), share)
    assert 0 <= few <= many <= trials
    assert few == int(few)


@settings(deadline=None)
@given(st.floats(0.001, 0.999), st.integers(0, 3000), shares, shares)
def test_successes_never_fall_as_the_share_rises(u: float, trials: int, one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert binomial_quantile(u, float(trials), low) <= binomial_quantile(u, float(trials), high) + 1


def test_dispersion_widens_and_leaves_the_mean() -> None:
    for mean in (10, 200):
        narrow, wide = negative_binomial(GRID, mean, 0.0), negative_binomial(GRID, mean, 0.05)
        assert wide.std() > 1.1 * narrow.std()
        assert wide.mean() == pytest.approx(mean, rel=0.002)
