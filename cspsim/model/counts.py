"""Counts of crimes and reports by inverse distribution functions: one uniform in, one whole number out.

Never a rejection sampler: the same uniform under a slightly larger mean must give the same or a slightly larger count,
or two scenarios that share luck would differ by chance. Small means are summed exactly; larger ones use a shifted
gamma distribution with the same mean, variance and skewness (see ``rounded_quantile``).
"""

import math

import numpy as np

from cspsim.model.compiled import compiled
from cspsim.model.luck import normal_quantile
from cspsim.model.parameters import Floats

# Up to these, probabilities are summed; from here on the approximation differs from exact in under 1 draw of 200, by one count.
SMALL_MEAN = 16.0
SMALL_VARIANCE = 12.0
# Above this dispersion (five times the largest seen in London boroughs) the approximation is too short in the tail.
LARGE_DISPERSION = 0.25
# Below this a probability cannot move a sum near 1 any more (half the spacing of floats below 1 is 2**-54).
NEGLIGIBLE = 2.0**-60
LONGEST_SUM = 1_000_000


@compiled
def negative_binomial_quantile(u: float, mean: float, dispersion: float) -> float:
    """Smallest whole number that a count exceeds with probability 1 - ``u`` or less; non-decreasing in ``u``.

    The count has the given mean and variance mean + dispersion x mean**2; dispersion 0 is Poisson. ``u`` lies inside (0, 1).
    Exact for a mean up to 16. Above that, for dispersion up to 0.05 and 0.001 < u < 0.999, within one count or 0.02 standard
    deviations of exact; mean within 0.02 %, standard deviation within 0.1 %, for dispersion up to 0.25. A larger dispersion
    is summed exactly at any mean, slowly (about 1.5 nanoseconds a count) and up to a million counts.
    """
    if mean <= 0:
        return 0.0
    spread = max(dispersion, 0.0)
    if mean <= SMALL_MEAN or spread > LARGE_DISPERSION:
        return _sum_negative_binomial(u, mean, spread)
    return _smooth_negative_binomial(normal_quantile(u), mean, spread)


@compiled
def negative_binomial_counts(draws: Floats, normals: Floats, means: Floats, dispersions: Floats, counts: Floats) -> None:
    """``negative_binomial_quantile`` of every mean of a row: first the smooth ones side by side (3 times as fast), then the small.

    ``normals`` are the normal quantiles of ``draws``; whoever draws a count under two means works them out once.
    """
    for k in range(means.shape[0]):
        spread = min(LARGE_DISPERSION, max(0.0, dispersions[k]))
        counts[k] = _smooth_negative_binomial(normals[k], max(SMALL_MEAN, means[k]), spread)
    for k in range(means.shape[0]):
        if means[k] <= SMALL_MEAN or dispersions[k] > LARGE_DISPERSION:
            counts[k] = negative_binomial_quantile(draws[k], means[k], dispersions[k])


@compiled
def _smooth_negative_binomial(z: float, mean: float, spread: float) -> float:
    count: float = max(0.0, rounded_quantile(z, mean, mean * (1 + spread * mean), 1 + 2 * spread * mean))
    return count


@compiled
def binomial_quantile(u: float, trials: float, share: float) -> float:
    """Smallest whole number that successes exceed with probability 1 - ``u`` or less; non-decreasing in ``u``.

    ``trials`` (a whole number, 0 or more) each succeed with probability ``share`` (0-1, cut to that). Exact where the variance
    trials x share x (1 - share) is up to 12 and for a share of 0 or 1; above that within one count of exact.
    """
    if trials <= 0 or share <= 0:
        return 0.0
    if share >= 1:
        return float(trials)
    variance = trials * share * (1 - share)
    if variance > SMALL_VARIANCE:
        return _smooth_binomial(normal_quantile(u), trials, share, variance)
    if share <= 0.5:
        return _sum_binomial(u, trials, share)
    # failures are the few: the smallest number of successes goes with the largest number of failures
    return trials - _sum_binomial(1 - u, trials, 1 - share)


@compiled
def binomial_counts(draws: Floats, normals: Floats, trials: Floats, shares: Floats, counts: Floats) -> None:
    """``binomial_quantile`` of every number of trials of a row: first the smooth ones side by side, then the small."""
    for k in range(trials.shape[0]):
        variance = max(SMALL_VARIANCE, trials[k] * shares[k] * (1 - shares[k]))
        counts[k] = _smooth_binomial(normals[k], trials[k], shares[k], variance)
    for k in range(trials.shape[0]):
        if not trials[k] * shares[k] * (1 - shares[k]) > SMALL_VARIANCE:
            counts[k] = binomial_quantile(draws[k], trials[k], shares[k])


@compiled
def _smooth_binomial(z: float, trials: float, share: float, variance: float) -> float:
    count: float = min(float(trials), max(0.0, rounded_quantile(z, trials * share, variance, 1 - 2 * share)))
    return count


@compiled
def rounded_quantile(z: float, mean: float, variance: float, skew_ratio: float) -> float:
    """Quantile of a count of large variance from its first three moments, rounded to a whole number; may be below 0.

    ``z`` is the standard normal quantile of the same probability, ``skew_ratio`` the third central moment over the variance.
    A shifted gamma of the same three moments has, for both the binomial and the negative binomial, 0.5 / variance too much
    kurtosis, which a cubic in the normal quantile z takes back: z' = z - (z**3 - 3z) / (48 variance); the gamma's quantile is
    Wilson and Hilferty's cube, non-decreasing everywhere. Variance less 1/12, because rounding adds it (Sheppard).
    Sources: Wilson and Hilferty 1931, PNAS 17, 684-688; Cornish and Fisher 1938.
    """
    z -= z * (z * z - 3) / (48 * variance)
    smooth_variance = variance - 1 / 12
    deviation = math.sqrt(smooth_variance)
    sixth = skew_ratio * variance / (6 * smooth_variance * deviation)
    step = sixth * (z - sixth)
    # (2 / skewness) x ((1 + step)**3 - 1), written so that no skewness at all needs no division by it
    gamma = (z - sixth) * (1 + step + step * step / 3)
    rounded: float = np.ceil(mean + deviation * gamma - 0.5)
    return rounded


@compiled
def _sum_negative_binomial(u: float, mean: float, dispersion: float) -> float:
    """Exact quantile by adding up probabilities from 0; stops where they can no longer move the sum."""
    excess = dispersion * mean
    none = math.exp(-mean) if excess <= 0 else math.exp(-math.log1p(excess) / dispersion)
    shrink = 1 / (1 + excess)
    probability = below = none
    count = 0.0
    while below < u and count < LONGEST_SUM and (probability > NEGLIGIBLE or count < mean):
        probability *= (mean + count * excess) * (shrink / (count + 1))
        below += probability
        count += 1
    return count


@compiled
def _sum_binomial(u: float, trials: float, share: float) -> float:
    """Exact quantile by adding up probabilities from 0, for a share up to one half; stops where they can no longer move the sum."""
    odds = share / (1 - share)
    probability = below = math.exp(trials * math.log1p(-share))
    count = 0.0
    while below < u and count < trials and (probability > NEGLIGIBLE or count < trials * share):
        probability *= odds * (trials - count) / (count + 1)
        below += probability
        count += 1
    return count
