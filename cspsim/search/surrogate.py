"""The next mix to try, read off a model of all mixes tried so far: kriging of cost and harm over the levers.

Harm over many levers is close to a sum of curves and of a few pairs (work shared out and commitment to do it), which a
quadratic trend with a smooth rest learns from some hundred mixes. Sources: Jones, Schonlau and Welch 1998, "Efficient
global optimization of expensive black-box functions", Journal of Global Optimization 13, 455-492; the turns at different
caps of the cost are the epsilon-constraint method (Haimes, Lasdon and Wismer 1971, IEEE Transactions on Systems, Man,
and Cybernetics 1(3), 296-297).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from cspsim.basics.errors import needs
from cspsim.model.parameters import Floats
from cspsim.search.search_file import Dimension
from cspsim.search.trials import Levels

CANDIDATES = 1200
"""Mixes that the model predicts for each one that is run."""

PARENTS = 12
"""Mixes of each kind, within the cap and nearly so, from which candidates are bred."""

LENGTHS, NOISES = (0.7, 1.5, 3.0), (1e-4, 1e-2)
"""Smoothness, in ranges of a lever, and roughness, in variances, among which the likelihood chooses."""

HELD_BACK = 0.001
"""Share of the cap by which the model's own cost is asked to stay below it."""


class Past(NamedTuple):
    """Mixes tried, with their cost and the objective aimed at, and this turn's cap on cost."""

    mixes: Sequence[Levels]
    cost: Floats
    goal: Floats
    cap: float

    @property
    def exchange(self) -> float:
        """Units of the objective that a pound weighs, from how far both spread over the mixes."""
        return float(self.goal.std() / (self.cost.std() or 1.0))


def next_mix(
    past: Past,
    dimensions: Sequence[Dimension],
    neutral: Levels,
    level: Callable[[Dimension, float], float],
    draw: np.random.Generator,
    adventurous: bool,
) -> Levels:
    """The candidate with the least modelled objective among those modelled to stay below the cap.

    ``neutral``: where a lever stands that is left alone. ``adventurous``: count a standard error in favour of what is
    little known. Arithmetic is done in one thread, so that the same past gives the same mix on any number of processors.
    """
    with _threadpool()(limits=1):
        candidates = bred(past, dimensions, level, draw)
        places = np.array([_place(mix, dimensions, neutral) for mix in past.mixes])
        asked = np.array([_place(mix, dimensions, neutral) for mix in candidates])
        cost, _ = _predicted(places, past.cost, asked)
        goal, error = _predicted(places, past.goal, asked)
        over = np.maximum(cost - (1 - HELD_BACK) * past.cap, 0)
        judged = goal - (error if adventurous else 0.0) + 20 * past.exchange * over
    known = {_key(mix) for mix in past.mixes}
    order = np.argsort(judged, kind="stable")
    return candidates[next((int(k) for k in order if _key(candidates[k]) not in known), int(order[0]))]


def bred(
    past: Past, dimensions: Sequence[Dimension], level: Callable[[Dimension, float], float], draw: np.random.Generator
) -> list[Levels]:
    """Candidates: the best mixes within the cap, and those that would be good if they were cheaper, crossed and changed."""
    over = np.maximum(past.cost - past.cap, 0)
    within = np.lexsort((past.goal, over))[:PARENTS].tolist()
    nearly = np.argsort(past.goal + 2 * past.exchange * over, kind="stable")[:PARENTS].tolist()
    parents = [past.mixes[k] for k in dict.fromkeys([*within, *nearly])]
    found = []
    for _ in range(CANDIDATES):
        mix = dict(parents[draw.integers(len(parents))])
        if draw.random() < 0.5:
            other = parents[draw.integers(len(parents))]
            taken = {d.name for d in dimensions if draw.random() < 0.5}
            mix = {d.name: side[d.name] for d in dimensions if d.name in (side := other if d.name in taken else mix)}
        for dimension in dimensions:
            if draw.random() < 2 / len(dimensions):
                _change(mix, dimension, level, draw)
        found.append({d.name: mix[d.name] for d in dimensions if d.name in mix})
    return found


def _change(mix: Levels, dimension: Dimension, level: Callable[[Dimension, float], float], draw: np.random.Generator) -> None:
    """Leave a lever alone, move it anywhere, or move it a little."""
    kind = draw.random()
    if kind < 0.3:
        mix.pop(dimension.name, None)
    elif kind < 0.6 or dimension.name not in mix:
        mix[dimension.name] = level(dimension, draw.random())
    else:
        share = (mix[dimension.name] - dimension.low) / (dimension.high - dimension.low)
        mix[dimension.name] = level(dimension, float(np.clip(share + 0.1 * draw.standard_normal(), 0, 1)))


def _place(mix: Mapping[str, float], dimensions: Sequence[Dimension], neutral: Levels) -> list[float]:
    """A mix as distances from the baseline, in ranges of the levers."""
    return [(mix.get(d.name, neutral[d.name]) - neutral[d.name]) / (d.high - d.low) for d in dimensions]


def _predicted(places: Floats, values: Floats, asked: Floats) -> tuple[Floats, Floats]:
    """Mean and standard error at the places asked for, under the kernel that makes the values most likely."""
    regressor, kernels = _kriging()
    centre, spread = float(values.mean()), float(values.std()) or 1.0
    fitted = []
    for length in LENGTHS:
        for noise in NOISES:
            trend = kernels.ConstantKernel(0.5) * kernels.Exponentiation(kernels.DotProduct(1.0), 2)
            rest = kernels.ConstantKernel(1.0) * kernels.RBF(length) + kernels.WhiteKernel(noise)
            fitted.append(regressor(trend + rest, optimizer=None).fit(places, (values - centre) / spread))
    best = max(fitted, key=lambda model: model.log_marginal_likelihood_value_)
    mean, error = best.predict(asked, return_std=True)
    return mean * spread + centre, error * spread


def _key(mix: Levels) -> tuple[tuple[str, float], ...]:
    return tuple(sorted(mix.items()))


def _kriging() -> tuple[Any, Any]:
    try:
        from sklearn.gaussian_process import GaussianProcessRegressor, kernels
    except ImportError:
        raise needs("searching by kriging", "scikit-learn", "analysis") from None
    return GaussianProcessRegressor, kernels


def _threadpool() -> Any:
    try:
        from threadpoolctl import threadpool_limits  # comes with scikit-learn
    except ImportError:
        raise needs("searching by kriging", "scikit-learn", "analysis") from None
    return threadpool_limits
