"""How policies hold up across assumption sets: regret, how often each is best, and what an assumption does to an effect.

Assumption sets are worlds that nobody can tell apart beforehand; shares of sets are shares of the sample, not probabilities.
Sources: Savage 1951, "The theory of statistical decision", Journal of the American Statistical Association 46, 55-67 (minimax
regret); Lempert, Popper and Bankes 2003, "Shaping the next one hundred years", RAND MR-1626 (regret across worlds).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import stdtr, stdtrit

from cspsim.analysis.turning_points import regression
from cspsim.basics.errors import CspsimError
from cspsim.comparing.differences import CONFIDENCE_LEVEL, holm
from cspsim.model.parameters import Floats, Integers

DRAWS = 200
"""Bootstrap draws of replicates, for intervals over luck."""
ROUNDING = 1e-12
"""Differences of effects that are smaller than this share of the outcome are rounding, not knowledge."""


class OverLuck(NamedTuple):
    """A figure of each policy ``[policy]`` with the 95 % interval that luck leaves; not-a-number with one replicate."""

    value: Floats
    low: Floats
    high: Floats


class Robustness(NamedTuple):
    """What a choice of policy risks, the baseline being one of the policies.

    Attributes:
        mean_regret, high_regret, worst_regret: mean over sets of how much better the best policy does, its 90th percentile,
            its largest value. Noise makes regret look larger: the best of noisy figures is flattered.
        best_share: share of sets in which nobody does better; ties are shared out.
        worst: the lowest gain over the first policy (the baseline) in any set.
        clear_share: share of sets in which the leader is ahead of every other policy beyond luck (95 %, each pair).
        sets: that were used; a set in which a policy has no value is left out.
    """

    mean_regret: OverLuck
    high_regret: OverLuck
    worst_regret: OverLuck
    best_share: OverLuck
    worst: OverLuck
    clear_share: float
    sets: int


def robustness(gains: Floats, draws: int = DRAWS, seed: int = 1) -> Robustness:
    """Regret and ranks over assumption sets.

    ``gains`` ``[policy, set, replicate]``: what each replicate says of the outcome (``noise.linearised``), more being better.
    Replicates are drawn again for all policies and sets together, so pairing is kept; the spread is scaled by
    sqrt(n / (n - 1)) and used with Student's t, since a bootstrap of few replicates is too narrow.
    """
    complete = ~np.isnan(gains).any(axis=(0, 2))
    used = gains[:, complete]
    replicates = used.shape[2]
    if used.shape[1] == 0:
        raise CspsimError("in no assumption set do all policies have a value: nothing to compare across assumptions")
    values = _statistics(used.mean(axis=2))
    if replicates > 1:
        generator = np.random.default_rng(seed)
        weights = generator.multinomial(replicates, np.full(replicates, 1 / replicates), size=draws) / replicates
        spread = np.std([_statistics(used @ weight) for weight in weights], axis=0, ddof=1) * np.sqrt(replicates / (replicates - 1))
        margin = stdtrit(replicates - 1, (1 + CONFIDENCE_LEVEL) / 2) * spread
    else:
        margin = np.full(values.shape, np.nan)
    low, high = values - margin, values + margin
    low[:4], high[3] = np.maximum(low[:4], 0.0), np.minimum(high[3], 1.0)
    figures = [OverLuck(values[k], low[k], high[k]) for k in range(5)]
    mean, high_regret, worst_regret, best, worst = figures
    return Robustness(mean, high_regret, worst_regret, best, worst, _clear_share(used), int(complete.sum()))


def _statistics(gains: Floats) -> Floats:
    """Mean, 90th percentile and worst regret, share of sets as the best, worst gain over the first policy ``[statistic, policy]``."""
    best = gains.max(axis=0)
    regret = best - gains
    leads = regret == 0
    shares = (leads / leads.sum(axis=0)).mean(axis=1)
    return np.array([regret.mean(axis=1), np.quantile(regret, 0.9, axis=1), regret.max(axis=1), shares, (gains - gains[0]).min(axis=1)])


def _clear_share(gains: Floats) -> float:
    """Share of sets whose leader is ahead of everybody else by more than paired luck explains."""
    policies, sets, replicates = gains.shape
    if replicates < 2 or policies < 2:
        return np.nan
    leader = gains.mean(axis=2).argmax(axis=0)
    ahead = gains[leader, np.arange(sets)] - gains
    error = ahead.std(axis=2, ddof=1) / np.sqrt(replicates)
    sure = ahead.mean(axis=2) > stdtrit(replicates - 1, (1 + CONFIDENCE_LEVEL) / 2) * error
    sure[leader, np.arange(sets)] = True
    return float(sure.all(axis=0).mean())


# ------------------------------------------------------------------------------------------------ assumption x policy


class TwoByTwo(NamedTuple):
    """An assumption below and above its median x a policy off and on.

    ``cells``: mean outcome ``[low or high, off or on]``. ``interaction``: effect of the policy in the high half less that in
    the low half, with its 95 % interval over sets (each set's effect is already paired), p-value, and Holm's over assumptions.
    """

    name: str
    split: float
    cells: Floats
    interaction: float
    low: float
    high: float
    p_value: float
    p_holm: float


def two_by_two(assumptions: Floats, names: Sequence[str], off: Floats, on: Floats, groups: Integers | None = None) -> list[TwoByTwo]:
    """The 2 x 2 of every assumption, smallest p-value first.

    ``assumptions`` ``[set, name]``; ``off``, ``on`` ``[set]``: the outcome without and with the policy in the same sets.
    """
    groups = np.arange(len(on)) if groups is None else groups
    tables = [_table(assumptions[:, k].astype(float), names[k], off, on, groups) for k in range(assumptions.shape[1])]
    found = [table for table in tables if table is not None]
    adjusted = holm(np.array([table.p_value for table in found])) if found else np.zeros(0)
    together = [table._replace(p_holm=float(p)) for table, p in zip(found, adjusted, strict=True)]
    return sorted(together, key=lambda table: (table.p_value, -abs(table.interaction)))


def _table(values: Floats, name: str, off: Floats, on: Floats, groups: Integers) -> TwoByTwo | None:
    split = float(np.median(values))
    upper = values > split
    if min(upper.sum(), (~upper).sum()) < 2:
        return None
    effect = on - off
    if np.ptp(effect) <= ROUNDING * max(np.abs(on).max(), np.abs(off).max()):
        effect = np.full(len(on), effect.mean())
    (_, interaction), covariance = regression(np.column_stack([np.ones(len(on)), upper]), effect - effect[0], groups)
    degrees = max(1, np.unique(groups).size - 2)
    error = float(np.sqrt(max(covariance[1, 1], 0.0)))
    margin = float(stdtrit(degrees, (1 + CONFIDENCE_LEVEL) / 2)) * error
    with np.errstate(divide="ignore", invalid="ignore"):
        p_value = 1.0 if interaction == 0 else float(2 * stdtr(degrees, -np.abs(interaction) / error))
    cells = np.array([[arm[half].mean() for arm in (off, on)] for half in (~upper, upper)])
    return TwoByTwo(name, split, cells, float(interaction), float(interaction - margin), float(interaction + margin), p_value, np.nan)
