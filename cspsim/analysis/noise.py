"""Two errors kept apart: luck, which another seed would change, and the sampled points of a design, which another sample would change.

Luck is shared: replicate r is the same luck at every point of a design. It then splits into a part that moves all points
alike and a part that meets each point differently, so replicates are never treated as independent from point to point.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.special import stdtrit

from cspsim.comparing.differences import CONFIDENCE_LEVEL
from cspsim.model.parameters import Floats
from cspsim.running.outcomes import ratio_influence

RESAMPLES = 200
"""Bootstrap resamples of the points of a design: their spread is known to about 5 % of itself."""


def linearised(numerator: Floats, denominator: Floats) -> Floats:
    """What each replicate says of a cell's value ``[..., replicate]``; the mean over replicates is the cell's value.

    For a total it is the replicate's total. For a ratio of sums it is the ratio plus what the replicate does to it (see
    ``ratio_influence``). Not-a-number where a run failed or there is nothing to divide by.
    """
    present = ~(np.isnan(numerator) | np.isnan(denominator))
    runs = present.sum(axis=-1, keepdims=True)
    top, bottom = (np.where(present, part, 0.0) for part in (numerator, denominator))
    with np.errstate(divide="ignore", invalid="ignore"):
        divisor = bottom.sum(axis=-1, keepdims=True) / runs
        value = np.where(divisor != 0, top.sum(axis=-1, keepdims=True) / runs / divisor, np.nan)
        return np.where(present, value + ratio_influence(top, bottom, value, divisor), np.nan)


def crossed(first: Floats, second: Floats) -> Floats:
    """The product of two means over luck, estimated from replicates ``[..., replicate]`` without their noise.

    The mean of first_r x second_s over all pairs of different replicates r and s. Within a replicate luck is shared, between
    two it is independent, so the expectation is the product of the two expectations, whatever luck does to both within one.
    It is the product of the means less the replicates' covariance divided by their number: the analysis-of-variance
    estimator of nested simulation (Sun, Apley and Staum 2011, "Efficient nested simulation for estimating the variance of a
    conditional expectation", Operations Research 59(4), 998-1007), here with covariances because luck is shared.
    With a single replicate nothing can be told apart: it is the plain product.
    """
    replicates = first.shape[-1]
    together = (first * second).sum(axis=-1)
    if replicates == 1:
        return together
    return (first.sum(axis=-1) * second.sum(axis=-1) - together) / (replicates * (replicates - 1))


class Estimate(NamedTuple):
    """Estimates with their 95 % intervals; all fields have one shape.

    ``design_error`` is what another sample of points under the same replicates would change, ``seed_error`` what other
    replicates at the same points would change. Luck that differs from point to point shows in both, so that together they
    err on the safe side. ``seed_error`` is not-a-number with a single replicate: the interval is then too narrow.
    """

    value: Floats
    low: Floats
    high: Floats
    design_error: Floats
    seed_error: Floats

    def part(self, which: slice | int) -> "Estimate":
        """Some of the estimates."""
        return Estimate(*(field[which] for field in self))


def estimate_of(
    values: Floats,
    moments: Callable[[Floats], Floats],
    statistic: Callable[[Floats], Floats],
    resamples: int = RESAMPLES,
    seed: int = 1,
) -> Estimate:
    """A statistic of the mean over rows of a design, with both errors.

    Args:
        values: ``[row, ..., replicate]``; a row is what is drawn afresh in another sample, such as a base row or a trajectory.
        moments: values -> ``[row, moment]``.
        statistic: mean moments ``[..., moment]`` -> ``[..., statistic]``.
        resamples: bootstrap resamples of rows, all replicates kept: the design's error. 0: the design is not a sample.
        seed: of the bootstrap.

    The seeds' error is the jackknife over replicates, all rows kept (Efron and Stein 1981, Annals of Statistics 9(3), 586-596).
    """
    by_row = moments(values)
    rows, replicates = len(values), values.shape[-1]
    value = statistic(by_row.mean(axis=0))
    if resamples:
        weights = np.random.default_rng(seed).multinomial(rows, np.full(rows, 1 / rows), size=resamples) / rows
        design_error = statistic(weights @ by_row).std(axis=0, ddof=1)
    else:
        design_error = np.zeros(value.shape)
    if replicates == 1:
        return with_interval(value, design_error, np.full(value.shape, np.nan), 1, rows)
    without = np.array([statistic(moments(np.delete(values, r, axis=-1)).mean(axis=0)) for r in range(replicates)])
    return with_interval(value, design_error, jackknife_error(without), replicates, rows)


def jackknife_error(without: Floats) -> Floats:
    """Standard error from estimates ``[left out, ...]`` that each leave one replicate out."""
    replicates = len(without)
    return np.sqrt((replicates - 1) / replicates * ((without - without.mean(axis=0)) ** 2).sum(axis=0))


def with_interval(value: Floats, design_error: Floats, seed_error: Floats, replicates: int, rows: int) -> Estimate:
    """The 95 % t interval from both errors, its degrees of freedom after Satterthwaite 1946 (Biometrics Bulletin 2(6), 110-114)."""
    from_seeds = np.nan_to_num(seed_error) ** 2
    from_design = design_error**2
    together = from_design + from_seeds
    with np.errstate(divide="ignore", invalid="ignore"):
        freedom = together**2 / (from_design**2 / max(rows - 1, 1) + from_seeds**2 / max(replicates - 1, 1))
    half_width = np.where(together > 0, stdtrit(freedom, (1 + CONFIDENCE_LEVEL) / 2) * np.sqrt(together), 0.0)
    half_width = np.where(np.isnan(together), np.nan, half_width)
    return Estimate(value, value - half_width, value + half_width, design_error, seed_error)
