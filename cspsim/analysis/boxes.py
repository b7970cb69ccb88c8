"""Boxes of assumptions in which a policy fails (PRIM), judged on sets they have not seen.

PRIM peels away whatever raises the share of failures, so it finds a box even in pure noise. A box therefore counts as found
only if its share of failures beats the base rate in folds that were held out while it was sought, the choice of assumptions
to look at included. Sources: Friedman and Fisher 1999, "Bump hunting in high-dimensional data", Statistics and Computing 9,
123-143; Bryant and Lempert 2010, "Thinking inside the box", Technological Forecasting and Social Change 77, 34-49.
"""

import warnings
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np

from cspsim.analysis.sampled_sets import Mask, Sample, folds_of, most_telling
from cspsim.basics.formats import MINUS, name_in_words

RESAMPLES = 10
"""Half samples in which the box is searched for again to see how stable it is, as many as in Bryant and Lempert."""
FOUND = 0.01
"""Level of the held-out binomial test at which a box counts as found: a policy may be asked about in several ways."""
SIGNIFICANT = 0.05
"""A restriction whose quasi-p-value is not below this on either side is dropped."""
FEWEST_CASES = 15
"""Sets in which the policy fails, and sets in which it does not, below which no search is made."""
MOST_BOXES = 2
PEEL, SMALLEST_MASS = 0.1, 0.05
"""Share of the sets in a box that one step peels away, and the smallest box. Peels of 0.05, as often used, end in noise with a few
hundred sets: on planted boxes in 150 to 300 sets 0.1 found the right assumptions more often, and the same in larger samples."""


class Condition(NamedTuple):
    """One assumption restricted to a part of its range; not-a-number on the side that is not restricted."""

    name: str
    low: float
    high: float

    @property
    def words(self) -> str:
        """``harmony above 0.42``."""
        title = factor_title(self.name)
        if np.isnan(self.low):
            return f"{title} at most {bare_number(self.high)}"
        above = f"{title} above {bare_number(self.low)}"
        return above if np.isnan(self.high) else f"{title} between {bare_number(self.low)} and {bare_number(self.high)}"


class Restriction(NamedTuple):
    """A side of a box: the condition, its quasi-p-value (the smaller of both sides) and in how many half samples it came back."""

    condition: Condition
    quasi_p: float
    stability: float


class PeelingStep(NamedTuple):
    """A point of the peeling trajectory: share of failures that are inside, share of the inside that fails, size, restrictions."""

    coverage: float
    density: float
    mass: float
    restricted: int


class Box(NamedTuple):
    """Where a policy fails. ``held_out_*`` come from boxes sought without the sets they are judged on; the rest is in-sample."""

    restrictions: tuple[Restriction, ...]
    coverage: float
    density: float
    mass: float
    base_rate: float
    held_out_density: float
    held_out_coverage: float
    held_out_base_rate: float
    p_value: float
    trajectory: tuple[PeelingStep, ...]
    chosen: int

    @property
    def found(self) -> bool:
        """Whether the box is denser than the base rate in sets that it was not fitted to."""
        return bool(self.p_value < FOUND and self.restrictions)


def bare_number(value: float) -> str:
    """A number without a unit, with three figures: ``0.0123``, ``17,700``."""
    return (f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}").replace("-", MINUS)


def factor_title(name: str) -> str:
    """A dotted name for prose: ``uncertainties.initial_trust`` as ``initial trust``, ``interventions.cctv.effect`` as ``cctv effect``."""
    return name_in_words(" ".join(name.split(".")[1:] or [name]))


# ------------------------------------------------------------------------------------------------------------------ boxes


def boxes_of(data: Sample) -> tuple[Box, ...]:
    """The first box, then the next one among the sets outside it, until one is not found."""
    boxes: list[Box] = []
    while len(boxes) < MOST_BOXES and min(data.cases.sum(), (~data.cases).sum()) >= FEWEST_CASES:
        box = _judged_box(data)
        boxes.append(box)
        if not box.found:
            break
        data = data.at(~_inside(data, tuple(side.condition for side in box.restrictions)))
    return tuple(boxes)


class _Peeled(NamedTuple):
    conditions: tuple[Condition, ...]
    quasi_p: tuple[float, ...]
    trajectory: tuple[PeelingStep, ...]
    chosen: int


def _judged_box(data: Sample) -> Box:
    """The box of all rows, judged by boxes that were fitted in the same way without the rows that judge them."""
    from scipy.stats import binomtest

    peeled = _peel(data)
    inside, hits, cases = 0, 0, 0
    for learn, judge in folds_of(data):
        held_out = data.at(judge)
        within = _inside(held_out, _peel(data.at(learn)).conditions)
        inside, hits, cases = inside + int(within.sum()), hits + int((within & held_out.cases).sum()), cases + int(held_out.cases.sum())
    base_rate = float(data.cases.mean())
    p_value = float(binomtest(hits, inside, base_rate, alternative="greater").pvalue) if inside else 1.0
    stability = _stability(data) if p_value < FOUND else {}
    within = _inside(data, peeled.conditions)
    restrictions = tuple(
        Restriction(condition, quasi_p, stability.get(condition.name, np.nan))
        for condition, quasi_p in sorted(zip(peeled.conditions, peeled.quasi_p, strict=True), key=lambda pair: pair[1])
    )
    return Box(
        restrictions=restrictions,
        coverage=float((within & data.cases).sum() / data.cases.sum()),
        density=float(data.cases[within].mean()),
        mass=float(within.mean()),
        base_rate=base_rate,
        held_out_density=hits / inside if inside else np.nan,
        held_out_coverage=hits / cases if cases else np.nan,
        held_out_base_rate=base_rate,
        p_value=p_value,
        trajectory=peeled.trajectory,
        chosen=peeled.chosen,
    )


def _inside(data: Sample, conditions: tuple[Condition, ...]) -> Mask:
    within = np.ones(len(data.cases), dtype=np.bool_)
    for condition in conditions:
        column = data.numbers[:, data.names.index(condition.name)]
        within &= ~(column < condition.low) & ~(column > condition.high)  # not-a-number restricts nothing
    return within


def _stability(data: Sample) -> dict[str, float]:
    """Share of half samples in which the box, fitted again, restricts an assumption."""
    generator = np.random.default_rng(data.seed)
    known = np.unique(data.groups)
    columns = most_telling(data.numbers, data.cases, data.seed)
    counts: dict[str, float] = {}
    for _ in range(RESAMPLES):
        half = generator.choice(known, len(known) // 2, replace=False)
        for condition in _peel(data.at(np.isin(data.groups, half)), columns).conditions:
            counts[condition.name] = counts.get(condition.name, 0.0) + 1 / RESAMPLES
    return {name: counts.get(name, 0.0) for name in data.names}


def _peel(data: Sample, columns: list[int] | None = None) -> _Peeled:
    """One box of PRIM: the point of its trajectory with the most failures beyond what the base rate gives its size.

    That is the weighted relative accuracy of subgroup discovery. Restrictions that do not matter by their quasi-p-values are
    left out when points are compared, and dropped from the box that is taken.
    """
    if not 0 < data.cases.sum() < len(data.cases):
        return _Peeled((), (), (), 0)
    import pandas as pd

    columns = most_telling(data.numbers, data.cases, data.seed) if columns is None else columns
    frame = pd.DataFrame(data.numbers[:, columns], columns=[data.names[k] for k in columns])
    box = _prim()(frame, data.cases.astype(int), threshold=1e-9, peel_alpha=PEEL, mass_min=SMALLEST_MASS).find_box()
    path = box.peeling_trajectory
    trajectory = tuple(
        PeelingStep(float(c), float(d), float(m), int(r))
        for c, d, m, r in zip(path["coverage"], path["density"], path["mass"], path["res_dim"], strict=True)
    )
    chosen = int(np.argmax([_accuracy(data, _certain(box, step)) for step in range(len(trajectory))]))
    box.select(chosen)
    while weak := [name for name, both in box.qp[box._cur_box].items() if min(p for p in both if p >= 0) >= SIGNIFICANT]:
        weakest = max(weak, key=lambda name: min(p for p in box.qp[box._cur_box][name] if p >= 0))
        box.drop_restriction(weakest, box._cur_box)
    return _read(box, trajectory, chosen)


def _certain(box: Any, step: int) -> tuple[Condition, ...]:
    """The restrictions of a step of the trajectory that matter by their quasi-p-values."""
    limits, start = box.box_lims[step], box.box_lims[0]
    names = [name for name, both in box.qp[step].items() if min(p for p in both if p >= 0) < SIGNIFICANT]
    return tuple(
        Condition(str(name), *(float(limits[name].iloc[k]) if limits[name].iloc[k] != start[name].iloc[k] else np.nan for k in (0, 1)))
        for name in names
    )


def _accuracy(data: Sample, conditions: tuple[Condition, ...]) -> float:
    """Mass x (density - base rate): failures inside beyond what the base rate gives a box of this size, a share of all sets."""
    within = _inside(data, conditions)
    return float((within & data.cases).mean() - within.mean() * data.cases.mean())


def _read(box: Any, trajectory: tuple[PeelingStep, ...], chosen: int) -> _Peeled:
    """Limits and quasi-p-values of the box that is selected."""
    conditions = _certain(box, box._cur_box)
    quasi_p = [float(min(p for p in box.qp[box._cur_box][condition.name] if p >= 0)) for condition in conditions]
    return _Peeled(conditions, tuple(quasi_p), trajectory, chosen)


def can_peel() -> bool:
    """Whether PRIM is installed. It comes in an extra of its own, since what it brings along is under another licence than this package."""
    return find_spec("ema_workbench") is not None


def _prim() -> Any:
    """EMA Workbench's PRIM; what it says while it is imported concerns other parts of it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from ema_workbench.analysis.prim import Prim
    return Prim
