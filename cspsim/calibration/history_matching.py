"""History matching: which settings of the unknown numbers can be ruled out, because no luck and no tolerance explains the miss.

Unknown numbers are measured as prior normal scores: 0 is the prior median, 1 its 84th percentile. Sources: Craig, Goldstein,
Seheult and Smith 1997, "Pressure matching for hydrocarbon reservoirs"; Vernon, Goldstein and Bower 2010, Bayesian Analysis 5(4).
"""

from typing import NamedTuple

import numpy as np

from cspsim.model.parameters import Floats

CUTOFF = 3.0
"""Implausibility from which a setting is ruled out: at least 95 % of any distribution with one peak lies within three standard
deviations (Pukelsheim 1994, The American Statistician 48(2), 88-91)."""


class Emulator(NamedTuple):
    """A quadratic in each unknown number for every target, with what it leaves unexplained.

    ``coefficients`` ``[term, target]``; ``spread`` ``[target]``: standard deviation of one run around the fit, luck and everything
    that is not sought included; ``precision``: inverse of the terms' cross products, for the error of the fit itself.
    """

    coefficients: Floats
    spread: Floats
    precision: Floats


def terms(scores: Floats) -> Floats:
    """1, each score and its square ``[set, term]``."""
    return np.column_stack([np.ones(len(scores)), scores, scores**2])


def fit_emulator(scores: Floats, targets: Floats) -> Emulator:
    """Least squares through simulated targets ``[set, target]`` at scores ``[set, number]``."""
    design = terms(scores)
    precision = np.asarray(np.linalg.pinv(design.T @ design), dtype=float)
    coefficients = precision @ design.T @ targets
    left = targets - design @ coefficients
    freedom = max(1, len(scores) - design.shape[1])
    return Emulator(coefficients, np.sqrt((left**2).sum(axis=0) / freedom), precision)


def predict(emulator: Emulator, scores: Floats) -> tuple[Floats, Floats]:
    """Expected targets ``[set, target]`` and the standard deviation of one run around them, the error of the fit included."""
    design = terms(scores)
    leverage = np.einsum("ij,jk,ik->i", design, emulator.precision, design)
    return design @ emulator.coefficients, emulator.spread * np.sqrt(1 + leverage)[:, None]


def implausibility(emulator: Emulator, scores: Floats, observed: Floats, tolerance: Floats) -> Floats:
    """How many standard deviations each target is missed by ``[set, target]``: luck, fit and stated tolerance together."""
    expected, spread = predict(emulator, scores)
    distance: Floats = np.abs(observed - expected) / np.sqrt(spread**2 + tolerance**2)
    return distance


def not_ruled_out(emulator: Emulator, scores: Floats, observed: Floats, tolerance: Floats) -> "np.ndarray":
    """Which settings miss no target by more than the cutoff ``[set]``."""
    return np.asarray(implausibility(emulator, scores, observed, tolerance).max(axis=1) <= CUTOFF)
