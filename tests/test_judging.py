"""Verdicts worked by hand, their limits, and how often they are wrong where the truth is known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from scipy.stats import beta, t

from cspsim.comparing.differences import Parts
from cspsim.hypotheses.false_positives import BLOCK, false_positive_runs, measure_false_positives
from cspsim.hypotheses.judging import (
    BREAKS,
    BUILT_IN,
    DISAPPEARS,
    HIGHER,
    LOWER,
    REFUTED,
    REMAINS,
    REVERSES,
    RULED_OUT,
    SAME,
    STILL_OPPOSITE,
    STILL_SMALL,
    SUPPORTED,
    UNDECIDED,
    UNDEFINED,
    Claims,
    Judged,
    binomial_interval,
    judge,
    manner_of,
    moved,
    shares_over_sets,
    verdicts,
    without_mechanism,
)
from cspsim.model.parameters import Floats

# differences 1 2 3 4: mean 2.5, standard error 0.645497, t with 3 degrees of freedom
REFERENCE, TREATMENT = [10.0, 20.0, 30.0, 40.0], [11.0, 22.0, 33.0, 44.0]


def parts(numerator: list[float], denominator: list[float] | None = None) -> Parts:
    return Parts(np.array(numerator)[:, None], np.array(denominator or [1.0] * len(numerator))[:, None])


def claim(direction: int, smallest: float, relative: bool = False) -> Claims:
    return Claims(np.array([direction]), np.array([smallest]), np.array([relative]))


def said(direction: int, smallest: float, relative: bool = False) -> tuple[str, str, Judged]:
    """Verdict and manner at 5 % of the example."""
    judged = judge(claim(direction, smallest, relative), parts(REFERENCE), parts(TREATMENT))
    (verdict,) = verdicts(judged, 0.05)
    return verdict, manner_of(judged, 0, verdict, direction, 0.05), judged


class TestByHand:
    def test_the_effect_and_its_interval(self) -> None:
        judged = said(HIGHER, 1)[2]
        assert judged.effect == pytest.approx([2.5])
        assert judged.half_width == pytest.approx([2.054260], rel=1e-5)

    def test_supported(self) -> None:
        verdict, manner, judged = said(HIGHER, 0.5)
        assert judged.p_support == pytest.approx([0.026681], abs=1e-6)  # t = 2 / 0.645497 = 3.098387
        assert (verdict, manner) == (SUPPORTED, "")

    def test_undecided_although_beyond_what_matters(self) -> None:
        verdict, _, judged = said(HIGHER, 1)
        assert judged.p_support == pytest.approx([t.sf(1.5 / 0.6454972, 3)], rel=1e-5)  # t = 2.324
        assert verdict == UNDECIDED

    def test_refuted_as_smaller_than_matters(self) -> None:
        verdict, manner, judged = said(HIGHER, 5)
        assert judged.p_refute == pytest.approx([0.015233], abs=1e-6)  # t = -3.872983
        assert (verdict, manner) == (REFUTED, "smaller than matters")

    def test_refuted_as_the_opposite(self) -> None:
        assert said(LOWER, 0.5)[:2] == (REFUTED, "the opposite holds")

    def test_refuted_and_nothing_more(self) -> None:
        """Confidently not lower by 1, but neither confidently higher by 1 nor confidently within 1."""
        assert said(LOWER, 1)[:2] == (REFUTED, "smaller than stated")

    def test_a_relative_margin_moves_every_run(self) -> None:
        """Treatment less 1.05 times reference: 0.5 1 1.5 2, mean 1.25, standard error 0.322749, t = 3.872983."""
        verdict, _, judged = said(HIGHER, 0.05, relative=True)
        assert judged.p_support == pytest.approx([0.015233], abs=1e-6)
        assert judged.smallest == pytest.approx([1.25])  # 5 % of 25
        assert verdict == SUPPORTED

    def test_sameness_supported_undecided_refuted(self) -> None:
        inside = said(SAME, 5)[2]
        assert inside.p_support == pytest.approx([0.015233], abs=1e-6)  # the nearer margin decides
        assert said(SAME, 5)[:2] == (SUPPORTED, "")
        assert said(SAME, 1)[0] == UNDECIDED
        outside = said(SAME, 0.3)
        assert outside[2].p_refute == pytest.approx([2 * t.sf(2.2 / 0.6454972, 3)], rel=1e-5)
        assert outside[:2] == (REFUTED, "higher")

    def test_holm_over_the_file(self) -> None:
        """0.01 0.02 0.03 of three become 0.03 0.04 0.04; 0.02 0.02 0.03 become 0.06 each."""

        def words(p: list[float], family: bool = True) -> list[str]:
            support = np.array(p)
            nothing = np.zeros(3)
            judged = Judged(nothing, nothing, nothing, nothing, nothing, support, 1 - support, nothing, nothing)
            return verdicts(judged, 0.05, family)

        assert words([0.01, 0.02, 0.03]) == [SUPPORTED] * 3
        assert words([0.02, 0.02, 0.03]) == [UNDECIDED] * 3
        assert words([0.02, 0.02, 0.03], family=False) == [SUPPORTED] * 3
        assert words([0.99, 0.5, 0.995]) == [REFUTED, UNDECIDED, REFUTED]

    def test_what_has_nothing_to_divide_by_is_not_defined(self) -> None:
        judged = judge(claim(HIGHER, 0.1), parts([1, 2], [0.0, 0.0]), parts([1, 2], [1, 1]))
        assert verdicts(judged, 0.05) == [UNDEFINED]
        assert without_mechanism(judged, 0, HIGHER, "", 0.05) == UNDEFINED


class TestLimits:
    def test_arms_that_are_the_same_refute_every_direction_and_support_sameness(self) -> None:
        for direction, expected in ((HIGHER, REFUTED), (LOWER, REFUTED), (SAME, SUPPORTED)):
            judged = judge(claim(direction, 0.01), parts(REFERENCE), parts(REFERENCE))
            assert verdicts(judged, 0.05) == [expected]
            assert judged.effect == [0]

    def test_rounding_is_no_finding(self) -> None:
        """An outcome that is always nothing, moved to the edge of a claim, is on the edge: (0 + 0.01 x 3) / 3 is not quite 0.01."""
        none = parts([0.0] * 6, [3.0, 7.0, 11.0, 13.0, 17.0, 19.1])
        margin = np.array([0.01])
        other = moved(parts([0.0] * 6, [5.0, 23.0, 2.9, 31.0, 37.0, 41.0]), margin, np.array([False]))
        judged = judge(claim(HIGHER, 0.01), none, other)
        assert verdicts(judged, 0.05) == [UNDECIDED]

    @given(
        runs=some.lists(some.tuples(some.floats(1, 100), some.floats(1, 100)), min_size=3, max_size=12),
        smallest=some.floats(0.01, 20),
        relative=some.booleans(),
        direction=some.sampled_from((HIGHER, LOWER)),
    )
    @settings(deadline=None)
    def test_support_and_refutation_are_one_question(
        self, runs: list[tuple[float, float]], smallest: float, relative: bool, direction: int
    ) -> None:
        before, after = (parts(list(side)) for side in zip(*runs, strict=True))
        judged = judge(claim(direction, smallest, relative), before, after)
        together = float(judged.p_support[0] + judged.p_refute[0])
        assert together == pytest.approx(1) or together in (1.0, 2.0)  # 2: exactly on the edge, without noise
        if judged.p_support[0] < 0.05:
            assert direction * judged.effect[0] > 0
            mirrored = judge(claim(-direction, smallest, relative), before, after)
            assert mirrored.p_support[0] > 0.5

    @given(by=some.floats(-3, 3), share=some.floats(-0.9, 3), value=some.floats(-5, 5).filter(lambda v: abs(v) > 0.01))
    @settings(deadline=None)
    def test_moving_moves_the_value(self, by: float, share: float, value: float) -> None:
        ratio = parts([value * 2, value * 4], [1.0, 5.0])  # value 6 v / 6 = v
        assert moved(ratio, np.array([by]), np.array([False])).value == pytest.approx([value + by], abs=1e-9)
        assert moved(ratio, np.array([share]), np.array([True])).value == pytest.approx([value + share * abs(value)], abs=1e-9)


class TestMechanism:
    def left(self, differences: list[float], direction: int, manner: str = "") -> str:
        judged = judge(claim(direction, 1.0), parts([0.0] * len(differences)), parts(differences))
        return without_mechanism(judged, 0, direction, manner, 0.05)

    def test_words(self) -> None:
        small, large, loose = [0.1, -0.1, 0.05, 0.0], [3.0, 3.1, 2.9, 3.05], [-4.0, 5.0, 6.0, -3.0]
        assert self.left(small, HIGHER) == DISAPPEARS
        assert self.left([0.0] * 4, LOWER) == DISAPPEARS
        assert self.left(large, HIGHER) == REMAINS
        assert self.left(large, LOWER) == REVERSES
        assert self.left(loose, HIGHER) == UNDECIDED
        assert self.left(small, SAME) == REMAINS
        assert self.left(large, SAME) == BREAKS
        assert self.left(loose, SAME) == UNDECIDED

    def test_what_was_refuted_cannot_disappear(self) -> None:
        """An effect that was too small to begin with is small without its mechanism too; an opposite one may go or stay."""
        small, large = [0.1, -0.1, 0.05, 0.0], [3.0, 3.1, 2.9, 3.05]
        assert self.left(small, HIGHER, "smaller than matters") == STILL_SMALL
        assert self.left(large, HIGHER, "smaller than matters") == REMAINS
        assert self.left(small, LOWER, "the opposite holds") == DISAPPEARS
        assert self.left(large, LOWER, "the opposite holds") == STILL_OPPOSITE
        assert self.left(large, LOWER, "smaller than stated") == REVERSES
        assert self.left(small, SAME, "higher") == DISAPPEARS
        assert self.left(large, SAME, "higher") == REMAINS


class TestAssumptionSets:
    def test_shares_by_hand(self) -> None:
        reference, treatment = np.array([10.0, 10, 10, 10, np.nan]), np.array([13.0, 11.5, 10.5, 9.0, 5.0])
        found = shares_over_sets(HIGHER, 0.1, True, reference, treatment)  # more than 1: two of four
        assert (found.defined, found.holds, found.same_sign, found.label) == (4, 0.5, 0.75, "")
        assert shares_over_sets(LOWER, 0.5, False, reference, treatment).holds == 0.25
        assert shares_over_sets(SAME, 0.1, True, reference, treatment).holds == 0.25  # 0.5; exactly 1 is not inside
        assert np.isnan(shares_over_sets(HIGHER, 1, False, np.array([np.nan]), np.array([1.0])).holds)

    def test_labels(self) -> None:
        nothing = np.zeros(200)

        def label(good: int) -> str:
            return shares_over_sets(HIGHER, 0.5, False, nothing, np.arange(200) < good).label  # type: ignore[arg-type]

        assert [label(n) for n in (200, 198, 197, 3, 2, 0)] == [BUILT_IN, BUILT_IN, "", "", RULED_OUT, RULED_OUT]

    @pytest.mark.parametrize(
        ("found", "of", "low", "high"),
        [(0, 10, 0, 0.3085), (5, 10, 0.1871, 0.8129), (10, 10, 0.6915, 1), (400, 400, 0.99082, 1)],
    )
    def test_exact_intervals_of_the_tables(self, found: int, of: int, low: float, high: float) -> None:
        assert binomial_interval(found, of) == pytest.approx((low, high), abs=1e-4)

    @given(found=some.integers(0, 60), of=some.integers(1, 60))
    def test_exact_intervals_against_scipy(self, found: int, of: int) -> None:
        if found > of:
            return
        low, high = binomial_interval(found, of)
        assert low == pytest.approx(beta.ppf(0.025, found, of - found + 1) if found else 0)
        assert high == pytest.approx(beta.ppf(0.975, found + 1, of - found) if found < of else 1)


class TestFalsePositivesWhereTheTruthIsKnown:
    CLAIMS = Claims(np.array([HIGHER, LOWER, SAME, HIGHER]), np.array([0.02, 0.5, 0.05, 0.1]), np.array([True, False, True, False]))
    TRIALS = 600

    def runs(self, drift: float = 0.0) -> Parts:
        """Independent runs of four outcomes; ``drift`` raises each trial's second block, which is what nobody must do."""
        draw = np.random.default_rng(7)
        shape = (false_positive_runs(self.TRIALS), 4)
        second = (np.arange(shape[0]) // BLOCK % 2 == 1)[:, None]
        return Parts(draw.normal(10, 1, shape) + drift * second, np.ones(shape))

    def test_rates_are_compatible_with_the_level(self) -> None:
        found = measure_false_positives(self.CLAIMS, self.runs(), self.TRIALS, 0.05)
        assert all(rate.compatible for rate in found.rates), found.rates
        assert 0.03 < found.rates[0].rate < 0.075  # the level is attained, not merely kept
        assert found.rates[-1].found <= 0.02 * self.TRIALS
        assert len(found.by_hypothesis) == 4

    def test_a_real_difference_would_be_seen(self) -> None:
        """Not vacuous: where the two sides do differ, the rates say so."""
        found = measure_false_positives(self.CLAIMS, self.runs(drift=1.0), self.TRIALS, 0.05)
        assert not found.rates[0].compatible
        assert not found.rates[1].compatible


def test_arrays_are_columns_of_hypotheses() -> None:
    """Each column is judged as if it stood alone."""
    draw = np.random.default_rng(3)
    many: Floats = draw.normal(5, 1, (12, 3))
    other = many + draw.normal(0.5, 0.3, (12, 3))
    claims = Claims(np.array([HIGHER, LOWER, SAME]), np.array([0.1, 0.02, 1.0]), np.array([False, True, False]))
    ones = np.ones((12, 1))
    together = judge(claims, Parts(many, np.ones((12, 3))), Parts(other, np.ones((12, 3))))
    for k in range(3):
        alone = judge(claims.pick([k]), Parts(many[:, [k]], ones), Parts(other[:, [k]], ones))
        for column, single in zip(together, alone, strict=True):
            assert column[k] == pytest.approx(single[0])
