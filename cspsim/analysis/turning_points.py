"""Flip points: where along one assumption the better of two policies changes, the other assumptions averaged over."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import ndtri

from cspsim.basics.errors import needs
from cspsim.model.parameters import Floats, Integers

DRAWS = 200
"""Bootstrap draws of assumption sets, for the interval of a flip point."""
GRID = 91
"""Points between the 5th and the 95th percentile of an assumption at which a fitted curve is read."""


class Turn(NamedTuple):
    """Where along one assumption the better of two policies changes, the other assumptions averaged over.

    ``at`` is not-a-number if there is no flip inside the range: the curve is not certainly above zero at one place and
    certainly below at another. ``low`` and ``high``: 95 % interval over drawing assumption sets again; ``returns``: share of
    such draws in which the curve crosses at all. ``above``: 1 if the first policy is the better one above ``at``, -1 if below.
    ``moves``: how far the curve goes, in the outcome's unit. ``grid``, ``curve``, ``error``: the curve itself.
    """

    name: str
    at: float
    low: float
    high: float
    returns: float
    above: int
    moves: float
    grid: Floats
    curve: Floats
    error: Floats


def turning_points(assumptions: Floats, names: Sequence[str], ahead: Floats, groups: Integers | None = None, seed: int = 1) -> list[Turn]:
    """The curve of one policy's lead along each assumption, and where it crosses zero; flips first, then what moves most beyond luck.

    Args:
        assumptions: ``[set, name]``. names: of its columns; those that do not vary are left out.
        ahead: ``[set]`` by how much the first policy is the better one.
        groups: ``[set]``; sets of one group (a Morris trajectory) are drawn together. None: every set for itself.

    The curve is a quadratic regression spline, which averages over the other assumptions because they vary independently of
    this one. A flip is named if the curve is certainly positive somewhere and certainly negative somewhere else, at 5 %
    divided by the number of assumptions and of places (Bonferroni), errors robust to unequal spread and to groups.
    """
    groups = np.arange(len(ahead)) if groups is None else groups
    varied = [k for k in range(assumptions.shape[1]) if np.unique(assumptions[:, k]).size > 1]
    turns = [_turn(assumptions[:, k].astype(float), names[k], ahead, groups, (len(varied), seed)) for k in varied]
    return sorted(turns, key=lambda turn: (np.isnan(turn.at), -turn.moves / max(float(turn.error.mean()), 1e-300)))


def _turn(values: Floats, name: str, ahead: Floats, groups: Integers, family: tuple[int, int]) -> Turn:
    tests, seed = family
    grid = np.linspace(float(np.quantile(values, 0.05)), float(np.quantile(values, 0.95)), GRID)
    basis, at_grid = _spline(values, grid)
    weights, covariance = regression(basis, ahead, groups)
    curve = at_grid @ weights
    error = np.sqrt(np.maximum(np.einsum("ij,jk,ik->i", at_grid, covariance, at_grid), 0.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        certainty = np.where(error > 0, curve / error, 0.0)
    bar = -float(ndtri(0.025 / (tests * basis.shape[1])))
    none = Turn(name, np.nan, np.nan, np.nan, 0.0, 0, float(np.ptp(curve)), grid, curve, error)
    if not (certainty.max() > bar and certainty.min() < -bar):
        return none
    first, last = sorted((int(certainty.argmax()), int(certainty.argmin())))
    place = _crossing(grid[first : last + 1], curve[first : last + 1], None)
    drawn = _drawn_again(basis, at_grid[first : last + 1], ahead, groups, (grid[first : last + 1], place, seed))
    found = drawn[~np.isnan(drawn)]
    low, high = np.quantile(found, (0.025, 0.975)) if found.size else (np.nan, np.nan)
    above = 1 if certainty.argmax() > certainty.argmin() else -1
    return none._replace(at=place, low=float(low), high=float(high), returns=float(found.size / drawn.size), above=above)


def _spline(values: Floats, grid: Floats) -> tuple[Floats, Floats]:
    """Quadratic B-splines with knots at the fifths; a straight line where an assumption takes fewer than six values.

    With fewer knots the curve undershoots behind a bend, which looks like a flip.
    """
    if np.unique(values).size < 6:
        return np.column_stack([np.ones(values.size), values]), np.column_stack([np.ones(grid.size), grid])
    try:
        from sklearn.preprocessing import SplineTransformer
    except ImportError:
        raise needs("the search for turning points", "scikit-learn", "analysis") from None
    spline = SplineTransformer(n_knots=6, degree=2, knots="quantile").fit(values[:, None])
    return spline.transform(values[:, None]), spline.transform(grid[:, None])


def regression(basis: Floats, outcome: Floats, groups: Integers) -> tuple[Floats, Floats]:
    """Least squares ``[column]`` with the covariance that is robust to unequal spread and to groups of rows that go together.

    Source: Liang and Zeger 1986, Biometrika 73, 13-22; with n / (n - k) for small samples.
    """
    bread = np.linalg.pinv(basis.T @ basis)
    weights: Floats = bread @ (basis.T @ outcome)
    scores = basis * (outcome - basis @ weights)[:, None]
    known, group = np.unique(groups, return_inverse=True)
    summed = np.zeros((len(known), basis.shape[1]))
    np.add.at(summed, group, scores)
    few = len(known) / max(1, len(known) - basis.shape[1])
    covariance: Floats = few * bread @ (summed.T @ summed) @ bread
    return weights, covariance


def _crossing(grid: Floats, curve: Floats, near: float | None) -> float:
    """Where the curve crosses zero: the first place, or the nearest to ``near``; not-a-number if nowhere."""
    before = np.flatnonzero(np.sign(curve[:-1]) * np.sign(curve[1:]) <= 0)
    before = before[curve[before] != curve[before + 1]]
    if not before.size:
        return np.nan
    places = grid[before] - curve[before] * (grid[before + 1] - grid[before]) / (curve[before + 1] - curve[before])
    return float(places[0] if near is None else places[np.abs(places - near).argmin()])


def _drawn_again(basis: Floats, at_grid: Floats, ahead: Floats, groups: Integers, where: tuple[Floats, float, int]) -> Floats:
    """The crossing in each of many draws of groups of sets ``[draw]``, by weighted least squares."""
    grid, place, seed = where
    generator = np.random.default_rng(seed)
    known, group = np.unique(groups, return_inverse=True)
    found = np.full(DRAWS, np.nan)
    for k in range(DRAWS):
        weight = generator.multinomial(len(known), np.full(len(known), 1 / len(known)))[group]
        weighted = basis * weight[:, None]
        curve = at_grid @ (np.linalg.pinv(weighted.T @ basis) @ (weighted.T @ ahead))
        found[k] = _crossing(grid, curve, place)
    return found


def leader(turn: Turn, first: str, second: str) -> str:
    """The policy that does better wherever along the assumption the curve is certain (95 %); "" if that is nowhere or not one."""
    certain = np.sign(turn.curve[np.abs(turn.curve) > 1.96 * turn.error])
    if not certain.size or certain.min() != certain.max():
        return ""
    return first if certain[0] > 0 else second


def lead_words(turn: Turn, first: str, second: str, figure: Callable[[float], str] = "{:.3g}".format) -> str:
    """One turn in words: ``below 0.42 (0.38 to 0.47) baseline does better, above it grant does``."""
    if np.isnan(turn.at):
        who = leader(turn, first, second)
        return f"no flip inside its range{f': {who} does better wherever the curve is certain' if who else ''}"
    below, above = (second, first) if turn.above > 0 else (first, second)
    return f"below {figure(turn.at)} ({figure(turn.low)} to {figure(turn.high)}) {below} does better, above it {above} does"
