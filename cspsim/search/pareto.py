"""Fronts, regret and what was dominated: arithmetic of many objectives at once, all to be made small."""

import numpy as np
import numpy.typing as npt

from cspsim.model.parameters import Floats

Truths = npt.NDArray[np.bool_]


def on_front(values: Floats) -> Truths:
    """Which rows of ``[policy, objective]`` no other row dominates: none is at least as good in all and better in one.

    Rows that are equal in everything stand on the front together, or not at all.
    """
    at_least = (values[:, None, :] <= values[None, :, :]).all(axis=2)
    better = (values[:, None, :] < values[None, :, :]).any(axis=2)
    return np.asarray(~(at_least & better).any(axis=0))


def dominated_area(values: Floats, corner: tuple[float, float]) -> float:
    """The area that two objectives ``[policy, 2]`` dominate below and left of ``corner``: the larger, the better the front.

    Source: Zitzler and Thiele 1998, "Multiobjective optimization using evolutionary algorithms", PPSN V, 292-301.
    """
    inside = values[(values < np.array(corner)).all(axis=1)]
    area, reached = 0.0, corner[1]
    for first, second in inside[np.lexsort((inside[:, 1], inside[:, 0]))]:
        if second < reached:
            area += (corner[0] - first) * (reached - second)
            reached = second
    return float(area)


def regret(harm: Floats, eligible: Truths) -> Floats:
    """How much more harm each policy leaves than the best eligible one found in the same set: ``[policy, set]``.

    The best found under one set of assumptions is the best after the fact, luck included; regret is what choosing
    before knowing costs. Below zero only for policies that are not eligible. Source: Savage 1951, "The theory of
    statistical decision", Journal of the American Statistical Association 46(253), 55-67.
    """
    return np.asarray(harm - harm[eligible].min(axis=0))
