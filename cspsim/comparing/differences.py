"""Paired differences: from tallies to an interval, a verdict and a range over assumption sets.

Everything here is plain statistics on arrays; ``comparison`` says of which runs.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr, stdtrit

from cspsim.model.parameters import Floats
from cspsim.model.tallies import Tally
from cspsim.running.outcomes import OUTCOMES, ratio_influence

IDENTICAL, HIGHER, LOWER, SMALL, UNDECIDED, UNDEFINED = (
    "identical",
    "higher",
    "lower",
    "smaller than matters",
    "undecided",
    "not defined",
)
CONFIDENCE_LEVEL = 0.95


class Parts(NamedTuple):
    """Numerators and denominators of every outcome, ``[..., outcome]``. A total is a ratio whose denominator is 1 a run."""

    numerator: Floats
    denominator: Floats

    @property
    def value(self) -> Floats:
        """Mean total, or ratio of sums, over the first axis ``[outcome]``; not-a-number with nothing to divide by."""
        divisor = self.denominator.mean(axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(divisor != 0, self.numerator.mean(axis=0) / divisor, np.nan)


def _weights(combinations: Sequence[Mapping[Tally, float] | None]) -> Floats:
    weights = np.zeros((len(Tally), len(combinations)))
    for column, combination in enumerate(combinations):
        for tally, weight in (combination or {}).items():
            weights[tally, column] = weight
    return weights


_NUMERATORS = _weights([entry.numerator for entry in OUTCOMES.values()])
_DENOMINATORS = _weights([entry.denominator for entry in OUTCOMES.values()])
_TOTALS = np.array([entry.denominator is None for entry in OUTCOMES.values()])


def parts_of(tallies: Floats) -> Parts:
    """Parts ``[run, outcome]`` of the area from tallies ``[run, partnership, tally]``."""
    area = tallies.sum(axis=1)
    return Parts(area @ _NUMERATORS, np.where(_TOTALS, 1.0, area @ _DENOMINATORS))


class Paired(NamedTuple):
    """A paired estimate of every outcome; each field is ``[outcome]``, and not-a-number where it is not defined."""

    baseline: Floats
    value: Floats
    difference: Floats
    standard_error: Floats
    half_width: Floats
    p_value: Floats
    identical: npt.NDArray[np.bool_]


def paired_estimate(baseline: Parts, other: Parts) -> Paired:
    """Difference of two arms run on the same luck, with the 95 % t interval over replicates.

    For a total it is the mean paired difference d with s / sqrt(n). For a ratio of sums R = N / D it is R' - R, whose error
    is that of the mean of the paired differences of what each run does to the ratio (see ``ratio_influence``).
    """
    runs = baseline.numerator.shape[0]

    def influence(parts: Parts) -> Floats:
        return ratio_influence(parts.numerator, parts.denominator, parts.value, parts.denominator.mean(axis=0))

    difference = other.value - baseline.value
    influences = influence(other) - influence(baseline)
    identical = (difference == 0) & (influences == 0).all(axis=0)
    if runs < 2:
        nothing = np.full(difference.shape, np.nan)
        return Paired(baseline.value, other.value, difference, nothing, nothing, nothing, identical)
    error = influences.std(axis=0, ddof=1) / np.sqrt(runs)
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = np.where(difference == 0, 0.0, np.abs(difference) / error)
    p_value = np.where(np.isnan(difference), np.nan, 2 * stdtr(runs - 1, -statistic))
    half_width = stdtrit(runs - 1, (1 + CONFIDENCE_LEVEL) / 2) * error
    return Paired(baseline.value, other.value, difference, error, half_width, p_value, identical)


def verdict_of(difference: float, half_width: float, smallest: float, identical: bool) -> str:
    """The interval ``difference`` +- ``half_width`` against the smallest effect of interest, in one word or three.

    ``higher`` and ``lower`` say that the difference certainly matters at the best guesses; ``undecided`` asks for more
    runs or for a better question; ``not defined`` says that there was nothing to divide by.
    """
    if np.isnan(difference):
        return UNDEFINED
    if identical:
        return IDENTICAL
    low, high = difference - half_width, difference + half_width
    if low > smallest:
        return HIGHER
    if high < -smallest:
        return LOWER
    if low > -smallest and high < smallest:
        return SMALL
    return UNDECIDED


def holm(p_values: Floats) -> Floats:
    """P-values adjusted for many looks; not-a-number stays so and does not count as a look.

    Source: Holm 1979, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6, 65-70.
    """
    adjusted = np.full(p_values.shape, np.nan)
    defined = np.flatnonzero(~np.isnan(p_values))
    order = defined[np.argsort(p_values[defined], kind="stable")]
    looks = np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(p_values[order] * looks)) if len(order) else 0.0
    return adjusted


class RangeOverSets(NamedTuple):
    """How a difference moves over assumption sets: 5th percentile, median, 95th, share with the point estimate's sign."""

    low: float
    median: float
    high: float
    same_sign_share: float


def range_over(differences: Floats, point: float) -> RangeOverSets:
    """The range of differences ``[set]``; sets in which the outcome is not defined are left out."""
    defined = differences[~np.isnan(differences)]
    if not defined.size or np.isnan(point):
        return RangeOverSets(np.nan, np.nan, np.nan, np.nan)
    low, median, high = (float(value) for value in np.quantile(defined, (0.05, 0.5, 0.95)))
    return RangeOverSets(low, median, high, float((np.sign(defined) == np.sign(point)).mean()))
