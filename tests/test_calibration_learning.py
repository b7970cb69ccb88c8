"""The statistics of calibration on plain arrays: posteriors that are known exactly, scores against integrals, measures by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from cspsim.calibration.forecasts import LAST_YEAR, SEASONAL_MEAN, _naive, told_of
from cspsim.calibration.history_matching import CUTOFF, fit_emulator, implausibility, not_ruled_out, predict
from cspsim.calibration.regression_abc import posterior_scores, systematic
from cspsim.calibration.scores import crps, within
from cspsim.calibration.targets import levels, month_noise, movement_apart
from cspsim.model.parameters import Floats


def world(sets: int, seed: int, error: float = 0.5) -> tuple[Floats, Floats]:
    """Three numbers, three targets: the first tells the first number, the second the sum of two, the third nothing."""
    generator = np.random.default_rng(seed)
    scores = generator.normal(size=(sets, 3))
    said = np.column_stack([scores[:, 0], scores[:, 0] + scores[:, 1], np.zeros(sets)])
    return scores, said + error * generator.normal(size=(sets, 3))


def exact(observed: Floats, error: float) -> tuple[Floats, Floats]:
    """Mean and standard deviations of the posterior of the first two numbers (normal, conjugate)."""
    design = np.array([[1.0, 0.0], [1.0, 1.0]])
    precision = np.eye(2) + design.T @ design / error**2
    spread = np.linalg.inv(precision)
    return spread @ design.T @ observed[:2] / error**2, np.sqrt(np.diag(spread))


class TestPosterior:
    TOLERANCE = np.array([0.3, 0.3, 0.3])

    def sample(self, observed: Floats, sets: int = 4000) -> Floats:
        return posterior_scores(*world(6000, 1), observed, self.TOLERANCE, sets, np.random.default_rng(2))

    @pytest.mark.parametrize("observed", [(0.0, 0.0, 0.0), (1.2, 0.4, 0.3), (-1.5, -2.5, 0.0)])
    def test_is_the_exact_one_where_that_is_known(self, observed: tuple[float, ...]) -> None:
        values = self.sample(np.array(observed))
        mean, spread = exact(np.array(observed), float(np.hypot(0.5, 0.3)))
        np.testing.assert_allclose(values[:, :2].mean(axis=0), mean, atol=0.06)
        np.testing.assert_allclose(values[:, :2].std(axis=0), spread, rtol=0.08)

    def test_what_no_target_tells_stays_as_it_was(self) -> None:
        values = self.sample(np.array([1.2, 0.4, 0.3]))[:, 2]
        assert abs(values.mean()) < 0.08
        assert values.std() == pytest.approx(1, abs=0.06)

    def test_a_wider_tolerance_teaches_less(self) -> None:
        pool, observed = world(6000, 1), np.array([1.0, 1.0, 0.0])
        spreads = [
            posterior_scores(*pool, observed, np.full(3, size), 2000, np.random.default_rng(2))[:, 0].std()
            for size in (0.01, 0.5, 2.0, 50.0)
        ]
        assert spreads == sorted(spreads)
        assert spreads[-1] == pytest.approx(1, abs=0.08)

    def test_planted_numbers_lie_in_their_intervals_as_often_as_stated(self) -> None:
        """Ranks over 120 made-up data sets of the toy: binomial limits with less than one in ten thousand to fail."""
        pool = world(2000, 5)
        planted, data = world(120, 6)
        generator = np.random.default_rng(7)
        data = data + self.TOLERANCE * generator.normal(size=data.shape)
        ranks = np.array(
            [
                (posterior_scores(*pool, seen, self.TOLERANCE, 150, generator) < truth).mean(axis=0)
                for truth, seen in zip(planted, data, strict=True)
            ]
        )
        for share in (0.5, 0.9):
            inside = (np.abs(ranks - 0.5) <= share / 2).mean(axis=0)
            assert np.all(np.abs(inside - share) < 4 * np.sqrt(share * (1 - share) / 120)), (share, inside)

    @given(st.lists(st.floats(0.01, 10), min_size=1, max_size=30), st.integers(1, 200), st.integers(0, 100))
    def test_rows_come_as_often_as_their_weight_asks(self, weights: list[float], sets: int, seed: int) -> None:
        weight = np.array(weights)
        counts = np.bincount(systematic(weight, sets, np.random.default_rng(seed)), minlength=len(weight))
        assert counts.sum() == sets
        assert np.all(np.abs(counts - sets * weight / weight.sum()) < 1 + 1e-6)


class TestHistoryMatching:
    def test_the_emulator_is_exact_on_a_quadratic(self) -> None:
        scores = np.random.default_rng(1).normal(size=(50, 2))
        targets = (3 + 2 * scores[:, :1] - scores[:, 1:] ** 2) * np.array([[1.0, -2.0]])
        expected, spread = predict(fit_emulator(scores, targets), np.array([[1.0, 2.0]]))
        np.testing.assert_allclose(expected, [[1.0, -2.0]], atol=1e-9)
        np.testing.assert_allclose(spread, 0, atol=1e-9)

    def test_implausibility_counts_luck_and_tolerance(self) -> None:
        """Noise 4, tolerance 3: together 5; a miss of 10 is two standard deviations."""
        generator = np.random.default_rng(2)
        scores = generator.normal(size=(20_000, 1))
        targets = 7 * scores + 4 * generator.normal(size=scores.shape)
        emulator = fit_emulator(scores, targets)
        found = implausibility(emulator, np.zeros((1, 1)), np.array([10.0]), np.array([3.0]))
        assert found[0, 0] == pytest.approx(2, abs=0.05)

    def test_rules_out_what_no_luck_explains_and_nothing_else(self) -> None:
        scores, targets = world(3000, 3)
        emulator = fit_emulator(scores, targets)
        near, far = np.zeros((1, 3)), np.array([[6.0, 0.0, 0.0]])
        observed, tolerance = np.zeros(3), np.full(3, 0.1)
        assert not_ruled_out(emulator, near, observed, tolerance).all()
        assert not not_ruled_out(emulator, far, observed, tolerance).any()
        truth, seen = world(500, 4)
        kept = [not_ruled_out(emulator, truth[k : k + 1], seen[k], tolerance)[0] for k in range(500)]
        assert np.mean(kept) > 0.97  # three standard deviations, three targets
        assert CUTOFF == 3


class TestScores:
    def integral(self, sample: Floats, observed: float) -> float:
        """The definition: the squared distance of the sample's distribution function from the observed step."""
        at = np.linspace(min(sample.min(), observed) - 1, max(sample.max(), observed) + 1, 200_001)
        below = np.searchsorted(np.sort(sample), at, side="right") / len(sample)
        return float(np.trapezoid((below - (at >= observed)) ** 2, at))

    @pytest.mark.parametrize("observed", [-3.0, 0.1, 2.5])
    def test_crps_is_the_integral_made_fair(self, observed: float) -> None:
        sample = np.random.default_rng(1).normal(size=40)
        apart = np.abs(sample[:, None] - sample).mean() / 2
        fair = self.integral(sample, observed) + apart - apart * 40 / 39
        assert crps(sample, np.array(observed)) == pytest.approx(fair, abs=1e-3)

    def test_crps_of_a_normal_distribution(self) -> None:
        """Closed form of Gneiting and Raftery 2007: s [z (2 Phi(z) - 1) + 2 phi(z) - 1 / sqrt(pi)]."""
        sample = norm.ppf((np.arange(20_000) + 0.5) / 20_000)
        for z in (0.0, 1.5):
            known = z * (2 * norm.cdf(z) - 1) + 2 * norm.pdf(z) - 1 / np.sqrt(np.pi)
            assert crps(10 + 3 * sample, np.array(10 + 3 * z)) == pytest.approx(3 * known, rel=1e-3)

    def test_one_member_is_the_absolute_error(self) -> None:
        np.testing.assert_array_equal(crps(np.array([[3.0, 5.0]]), np.array([1.0, 9.0])), [2.0, 4.0])

    def test_does_not_depend_on_the_number_of_members(self) -> None:
        generator = np.random.default_rng(4)
        observed = generator.normal(size=40_000)
        few, many = (crps(generator.normal(size=(members, 40_000)), observed).mean() for members in (2, 20))
        assert few == pytest.approx(many, abs=0.02)

    def test_the_true_distribution_scores_best(self) -> None:
        generator = np.random.default_rng(5)
        observed = generator.normal(size=5000)
        score = {spread: crps(spread * generator.normal(size=(50, 5000)), observed).mean() for spread in (0.5, 1.0, 2.0)}
        assert min(score, key=lambda spread: score[spread]) == 1.0

    def test_bands(self) -> None:
        sample = np.arange(101.0)[:, None]
        observed = np.array([24.0, 26.0, 75.0, 76.0, 96.0])
        assert within(sample, observed, 0.5).tolist() == [False, True, True, False, False]
        assert within(sample, observed, 0.9).tolist() == [True, True, True, True, False]


def months(seed: int, years: int = 4) -> Floats:
    """Made-up counts ``[run, partnership, crime type, month]``."""
    return np.random.default_rng(seed).poisson(200, size=(3, 2, 2, 12 * years)).astype(float)


class TestMeasures:
    def test_noise_of_a_series_with_season_and_trend_is_nothing(self) -> None:
        at = np.arange(60)
        smooth = np.exp(7 + 0.3 * np.sin(2 * np.pi * at / 12) + 0.01 * at)[None, None, None]
        assert month_noise(smooth)[0, 0] < -14

    @pytest.mark.parametrize("dispersion", [0.0, 0.02])
    def test_noise_is_the_variance_of_log_counts(self, dispersion: float) -> None:
        """Poisson of mean 500 has variance 1/500 in logs; the negative binomial adds its dispersion."""
        generator = np.random.default_rng(1)
        rate = np.full((400, 1, 1, 72), 500.0)
        if dispersion:
            rate = rate * generator.gamma(1 / dispersion, dispersion, size=rate.shape)
        found = np.exp(month_noise(generator.poisson(rate).astype(float))).mean()
        # the centred mean holds a 1/12 of the month itself: about 1 - 2/12 + 11.5/144 of the variance is left
        assert found == pytest.approx((1 / 500 + dispersion) * (1 - 2 / 12 + 11.5 / 144), rel=0.03)

    def test_a_path_common_to_both_does_not_show_in_movement(self) -> None:
        counts, path = months(2), np.repeat([1.0, 0.5, 2.0, 0.8], 12)
        spread = np.array([0.1, 0.2])
        large = counts * 1000  # so that the half added before the logarithm does not matter
        np.testing.assert_allclose(movement_apart(large, spread, [1, 2]), movement_apart(large * path, spread, [1, 2]), atol=1e-4)

    def test_movement_by_hand(self) -> None:
        """One partnership doubles in year two: each moves half of log 2 from their mean; spread 0.1."""
        counts = np.full((1, 2, 1, 24), 1e9)
        counts[0, 0, 0, 12:] *= 2
        assert np.exp(movement_apart(counts, np.array([0.1]), [1])[0, 0]) == pytest.approx((np.log(2) / 2 / 0.1) ** 2, rel=1e-6)

    def test_levels_by_hand(self) -> None:
        counts = np.ones((1, 2, 3, 24)) * np.array([1.0, 2.0, 3.0])[:, None]
        np.testing.assert_allclose(np.exp(levels(counts)[0]) - 0.5, [48, 96, 144, 144, 144])


class TestNaiveForecasts:
    def test_by_hand(self) -> None:
        """Months of 100, then 200, then 100 a year: last year says 100, the mean says 133; both erred before."""
        past = np.repeat([100.0, 200.0, 100.0], 12)[None, None]
        found = _naive(past)
        assert {name: sample.shape for name, sample in found.items()} == {LAST_YEAR: (48, 1, 1, 12), SEASONAL_MEAN: (48, 1, 1, 12)}
        assert np.unique(found[LAST_YEAR].round(2)).tolist() == [49.88, 200.0]
        first = 200.5 / 100.5  # year two against year one
        second = 100.5 / 150.5  # year three against the mean of the two before
        expected = sorted({round((400 / 3 + 0.5) * factor - 0.5, 2) for factor in (first, 1 / first, second, 1 / second)})
        assert np.unique(found[SEASONAL_MEAN].round(2)).tolist() == expected


class TestToldOfTheMonthsBefore:
    def test_runs_that_agree_with_the_months_before_stay(self) -> None:
        before = np.repeat(months(1)[:1], 50, axis=0)
        after = np.random.default_rng(3).poisson(200, size=(50, 2, 2, 12)).astype(float)
        np.testing.assert_allclose(told_of(before[0], before, after), after)

    def test_a_level_that_lasts_is_carried_on(self) -> None:
        """Runs differ in a level that stays; told that the level is 300, every run says about 300, whatever it said before."""
        generator = np.random.default_rng(4)
        level = np.exp(generator.normal(np.log(200), 0.4, size=(800, 1, 1, 1)))
        counts = generator.poisson(np.broadcast_to(level, (800, 1, 1, 48))).astype(float)
        observed = np.full((1, 1, 36), 300.0)
        after = told_of(observed, counts[..., :36], counts[..., 36:])
        assert after.mean() == pytest.approx(300, rel=0.02)
        assert after.std() < 0.25 * counts[..., 36:].std()

    def test_months_before_that_tell_nothing_change_little(self) -> None:
        generator = np.random.default_rng(5)
        counts = generator.poisson(200, size=(800, 2, 1, 48)).astype(float)
        observed = np.full((2, 1, 36), 230.0)
        after = told_of(observed, counts[..., :36], counts[..., 36:])
        assert abs(after.mean() - 200) < 15
        assert after.std() == pytest.approx(counts[..., 36:].std(), rel=0.15)
