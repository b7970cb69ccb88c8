"""Approximate Bayesian computation: a posterior from simulated pairs of unknown numbers and targets.

Simulated targets carry the stated tolerance as noise, which makes the accepted sample a posterior under exactly that error
(Wilkinson 2013, Statistical Applications in Genetics and Molecular Biology 12(2)). Nearness is judged by what targets say about
the unknown numbers (Fearnhead and Prangle 2012, JRSS B 74(3)), and accepted numbers are moved to the observed targets by
local regression (Beaumont, Zhang and Balding 2002, Genetics 162(4)).
"""

import numpy as np

from cspsim.calibration.history_matching import terms
from cspsim.model.parameters import Floats

ACCEPTED_SHARE = 0.3
"""Nearest share of the simulations that is kept: large, because the regression does most of the work."""


def posterior_scores(
    scores: Floats, targets: Floats, observed: Floats, tolerance: Floats, sets: int, generator: np.random.Generator
) -> Floats:
    """A sample ``[set, number]`` of the posterior of unknown numbers.

    ``scores`` ``[simulation, number]`` drawn from the prior, ``targets`` ``[simulation, target]``, ``observed`` and ``tolerance``
    (standard deviations) ``[target]``.
    """
    noisy = targets + generator.normal(size=targets.shape) * tolerance
    centre, width = noisy.mean(axis=0), np.maximum(noisy.std(axis=0), 1e-12)
    simulated, wanted = (noisy - centre) / width, ((observed - centre) / width)[None]
    distance = _distance(scores, simulated, wanted)
    near = np.argsort(distance, kind="stable")[: max(50, int(ACCEPTED_SHARE * len(scores)))]
    weight = 1 - (distance[near] / max(distance[near[-1]], 1e-12)) ** 2
    moved = _moved(scores[near], simulated[near] - wanted, weight)
    return np.asarray(moved[systematic(weight, sets, generator)])


def _distance(scores: Floats, simulated: Floats, wanted: Floats) -> Floats:
    """How different what the targets say is from what the observed ones say, in posterior standard deviations."""
    design = terms(simulated)
    said = np.linalg.lstsq(design, scores, rcond=None)[0]
    guess = design @ said
    left = np.maximum((scores - guess).std(axis=0), 1e-12)
    distance: Floats = np.sqrt((((guess - terms(wanted) @ said) / left) ** 2).sum(axis=1))
    return distance


def _moved(scores: Floats, apart: Floats, weight: Floats) -> Floats:
    """Scores as they would be had every simulation met the targets exactly: weighted regression on the distances apart."""
    design = np.column_stack([np.ones(len(apart)), apart])
    root = np.sqrt(weight)[:, None]
    slopes = np.linalg.lstsq(design * root, scores * root, rcond=None)[0][1:]
    return np.asarray(scores - apart @ slopes)


def systematic(weight: Floats, sets: int, generator: np.random.Generator) -> "np.ndarray":
    """Row numbers of a systematic sample with these weights, in random order: no row more often than its weight asks for."""
    edges = np.cumsum(weight) / weight.sum()
    points = (np.arange(sets) + generator.random()) / sets
    chosen = np.minimum(np.searchsorted(edges, points), len(weight) - 1)
    return generator.permutation(chosen)
