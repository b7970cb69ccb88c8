"""Sobol indices of a Saltelli design: how much of an outcome's variance each factor brings, luck taken out and errors told apart."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from cspsim.analysis.noise import RESAMPLES, Estimate, crossed, estimate_of
from cspsim.basics.errors import CspsimError
from cspsim.model.parameters import Floats


class SobolIndices(NamedTuple):
    """What a Saltelli design says of one outcome.

    Attributes:
        names: the factors ``[factor]``.
        first, total: shares of the variance of the mean over luck ``[factor]``; can come out below 0, and are left there.
        second: of pairs ``[pair]`` in the order of ``pairs``; empty without a second-order design.
        sums: of the first indices, and of the total ones. What the first sum lacks to 1 is interaction.
        luck: the share of the variance of single runs that is luck, and the part of it that moves all points alike.
        variance: of the mean over luck between points, in the outcome's unit squared.
        uncorrected_first, uncorrected_total: the same without taking luck out ``[factor]``.
        rows, left_out: base rows used, and those left out because a run failed or the outcome was not defined.
        replicates: runs at each point.
    """

    names: tuple[str, ...]
    first: Estimate
    total: Estimate
    second: Estimate
    sums: Estimate
    luck: Estimate
    variance: Estimate
    uncorrected_first: Floats
    uncorrected_total: Floats
    rows: int
    left_out: int
    replicates: int

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The pairs of factors of ``second``."""
        if not len(self.second.value):
            return []
        return [(first, other) for k, first in enumerate(self.names) for other in self.names[k + 1 :]]


def sobol_indices(
    values: Floats, names: Sequence[str], second_order: bool = False, resamples: int = RESAMPLES, seed: int = 1
) -> SobolIndices:
    """First, total and, if the design has them, second-order indices of an outcome.

    Args:
        values: ``[point, replicate]`` in SALib's order of points: of each base row A, then A with factor j from B for every j,
            then (second order) B with factor j from A, then B. Replicate r is the same luck at every point.
        names: the factors.
        second_order: whether the design has the points for second-order indices.
        resamples, seed: of the bootstrap over base rows.

    Estimators as in SALib: first and total of Saltelli et al. 2010 (Computer Physics Communications 181, 259-270), second of
    Saltelli 2002 (the same journal 145, 280-297). Every product in them, and the variance they are divided by, is taken
    between different replicates (``noise.crossed``), so that luck neither raises total indices nor lowers first ones.
    With one replicate a point nothing can be taken out, and the numbers are SALib's own.

    Raises:
        CspsimError: the number of points is not that of such a design, or fewer than two base rows are complete.
    """
    factors = len(names)
    step = (2 if second_order else 1) * factors + 2
    if values.shape[0] % step or not values.shape[0]:
        raise CspsimError(
            f"{values.shape[0]:,} points are no Saltelli design of {factors} factors: expected a multiple of {step} "
            f"({'with' if second_order else 'without'} second order)"
        )
    blocks = values.reshape(-1, step, values.shape[1])
    complete = ~np.isnan(blocks).any(axis=(1, 2))
    used = blocks[complete]
    if len(used) < 2:
        raise CspsimError(f"only {len(used)} of {len(blocks)} base rows are complete: a Sobol analysis needs two and should have hundreds")
    rounding = 1e-12 * np.abs(used).max()
    used = used - used.mean()
    used = np.where(np.abs(used) > rounding, used, 0.0)

    def moments(part: Floats) -> Floats:
        return _moments(part, factors, second_order)

    def statistic(mean: Floats) -> Floats:
        return _statistic(mean, factors, second_order)

    found = estimate_of(used, moments, statistic, resamples, seed)
    plain = statistic(moments(used.mean(axis=-1, keepdims=True)).mean(axis=0))
    first, total = slice(5, 5 + factors), slice(5 + factors, 5 + 2 * factors)
    return SobolIndices(
        tuple(names),
        first=found.part(first),
        total=found.part(total),
        second=found.part(slice(5 + 2 * factors, None)),
        sums=found.part(slice(3, 5)),
        luck=found.part(slice(1, 3)),
        variance=found.part(0),
        uncorrected_first=plain[first],
        uncorrected_total=plain[total],
        rows=len(used),
        left_out=len(blocks) - len(used),
        replicates=values.shape[1],
    )


def _moments(values: Floats, factors: int, second_order: bool) -> Floats:
    """Of each base row: mean square, luck of a point, its own part, products of each factor, of each pair, mean by replicate."""
    centred = values - values.mean(axis=(0, 1))
    a, b, from_b = centred[:, 0], centred[:, -1], centred[:, 1 : 1 + factors]
    ends = centred[:, [0, -1]]
    columns = [
        crossed(ends, ends).mean(axis=1)[:, None],
        _within(values[:, [0, -1]])[:, None],
        _within(ends)[:, None],
        crossed(b[:, None], from_b - a[:, None]),
        crossed(a[:, None] - from_b, a[:, None] - from_b) / 2,
    ]
    if second_order:
        columns.append(_pair_products(centred[:, 1 + factors : 1 + 2 * factors], from_b) - crossed(a, b)[:, None])
    return np.concatenate([*columns, ends.mean(axis=1)], axis=1)


def _within(values: Floats) -> Floats:
    """Variance between replicates at a point, mean over the points of a base row ``[row]``; not-a-number with one replicate."""
    if values.shape[-1] == 1:
        return np.full(len(values), np.nan)
    return values.var(axis=-1, ddof=1).mean(axis=1)


def _pair_products(from_a: Floats, from_b: Floats) -> Floats:
    """``crossed`` of every factor with every later one ``[row, pair]``."""
    replicates = from_a.shape[-1]
    products = from_a @ from_b.transpose(0, 2, 1)
    if replicates > 1:
        products = (from_a.sum(axis=-1)[:, :, None] * from_b.sum(axis=-1)[:, None] - products) / (replicates * (replicates - 1))
    earlier, later = np.triu_indices(from_a.shape[1], 1)
    return products[:, earlier, later]


def _statistic(mean: Floats, factors: int, second_order: bool) -> Floats:
    """Variance, luck's share, its common part, both sums, first, total and second-order indices ``[..., statistic]``.

    Indices are not-a-number where no variance between points is left once luck is taken out.
    """
    pairs = factors * (factors - 1) // 2 if second_order else 0
    square, luck, own_luck = mean[..., 0], mean[..., 1], mean[..., 2]
    products = mean[..., 3 : 3 + 2 * factors + pairs]
    by_replicate = mean[..., 3 + 2 * factors + pairs :]
    variance = square - crossed(by_replicate, by_replicate)
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = products / np.where(variance > 0, variance, np.nan)[..., None]
        luck_share = luck / (luck + variance)
        common_share = 1 - own_luck / luck
    first, total = shares[..., :factors], shares[..., factors : 2 * factors]
    earlier, later = np.triu_indices(factors, 1)
    second = shares[..., 2 * factors :] - (first[..., earlier] + first[..., later])[..., :pairs]
    ahead = np.stack([variance, luck_share, common_share, first.sum(axis=-1), total.sum(axis=-1)], axis=-1)
    return np.concatenate([ahead, first, total, second], axis=-1)
