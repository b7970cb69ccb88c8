"""Designs of experiments as quantiles between 0 and 1, by well-kept libraries: one column per factor, one row per point."""

import itertools
from collections.abc import Sequence

import numpy as np

from cspsim.basics.errors import needs
from cspsim.model.luck import PARAMETERS, name_key
from cspsim.model.parameters import Floats
from cspsim.running.assumptions import latin_hypercube


def sampled(kind: str, names: Sequence[str], points: int, seed: int, levels: int = 4, second_order: bool = False) -> Floats:
    """Quantiles ``[point, factor]`` of a design.

    ``latin-hypercube``: ``points`` rows, each factor stratified, keyed by its name. ``sobol``: ``points`` rows of a
    scrambled Sobol sequence (Owen 1998). ``morris``: ``points`` trajectories of ``levels`` levels, factors + 1 rows each
    (Morris 1991). ``saltelli``: ``points`` base samples, (factors + 2) rows each, (2 factors + 2) with second order
    (Saltelli 2010). The last two are in the order SALib's analyses expect.
    """
    if kind == "latin-hypercube":
        return latin_hypercube(names, points, seed)
    if kind == "sobol":
        return _sobol_sequence(len(names), points, seed)
    problem = {"num_vars": len(names), "names": list(names), "bounds": [[0.0, 1.0]] * len(names)}
    try:
        from SALib.sample import morris, sobol
    except ModuleNotFoundError:
        raise needs(f"a {kind} design", "SALib", "analysis") from None
    mixed = _seed32(seed, kind)
    if kind == "morris":
        return np.asarray(morris.sample(problem, points, num_levels=levels, seed=mixed))
    return np.asarray(sobol.sample(problem, points, calc_second_order=second_order, scramble=True, seed=mixed))


def _sobol_sequence(factors: int, points: int, seed: int) -> Floats:
    import warnings

    from scipy.stats import qmc

    engine = qmc.Sobol(factors, scramble=True, rng=np.random.default_rng(_seed32(seed, "sobol")))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a number of points that is no power of two is the user's choice
        return np.asarray(engine.random(points))


def _seed32(seed: int, kind: str) -> int:
    """A seed of 32 bits for libraries that take no more, from the seed of all luck and the kind of design."""
    counter = np.array([name_key(kind), 0, 0, PARAMETERS], dtype=np.uint64)
    return int(np.random.Generator(np.random.Philox(key=np.array([seed, 0], dtype=np.uint64), counter=counter)).integers(2**32))


def every_combination(values: Sequence[Sequence[float]]) -> Floats:
    """All combinations of the factors' values ``[point, factor]``, the last factor changing fastest."""
    return np.array(list(itertools.product(*values)), dtype=float).reshape(-1, len(values))
