"""The search: mixes of levers proposed one after the other, each judged on the same luck and the same assumptions.

A proposal depends only on the seed, the number of the trial and the trials before it. A search that was
killed and resumed therefore goes through the same trials as one that was not.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from cspsim.model.parameters import Floats
from cspsim.search.search_file import Dimension
from cspsim.search.surrogate import Past, next_mix
from cspsim.search.trials import Archive, Levels, Measured, Trial

DECIMALS = 4
"""Levels are proposed and shown with this many decimals: nobody sets an effort more finely."""

LEARNING = ("kriging",)
"""Methods that learn from earlier trials. The others do not, and show whether learning paid."""

_STREAMS = {"kriging": 0, "sobol": 2, "random": 3}
"""Method -> its number in the seeds of its draws. Numbers are not reused: 1 belonged to a method that was removed."""


class Problem(NamedTuple):
    """What a proposal may depend on, besides the trials.

    ``budget``: £ over the outcome window. ``baseline``: what every effect is measured against. ``downside``: the
    share of assumption sets in which the effect is at most the downside objective. ``left_alone``: chance that a mix
    nothing has been learned for leaves a lever as it is in the baseline. ``neutral``: where each lever stands in the
    baseline. ``singles``: mixes that move one lever alone, with which learning begins.
    """

    dimensions: tuple[Dimension, ...]
    budget: float
    baseline: Measured
    objectives: tuple[str, ...]
    downside: float
    left_alone: float
    seed: int
    neutral: Levels
    singles: tuple[Levels, ...] = ()


def effects(measured: Measured, baseline: Measured) -> Floats:
    """The paired difference in harm under each assumption set."""
    return measured.harm - baseline.harm


def scores(problem: Problem, measured: Measured) -> dict[str, float]:
    """The objectives of one mix; all are minimised.

    ``downside`` stands in for worst-case regret while the search runs: regret is measured against the best mix found
    in the end, which nobody knows yet, so a trial's regret would change with every later trial. The paired effect in
    the worst sets depends on the trial alone, and the mix with the least of it is a safe one against the baseline.
    """
    effect = effects(measured, problem.baseline)
    return {
        "cost": float(measured.cost.mean()),
        "harm": float(effect.mean()),
        "downside": float(np.quantile(effect, problem.downside)),
    }


def look(problem: Problem, evaluate: Callable[[Levels], Measured], archive: Archive, methods: Sequence[str], trials: int) -> None:
    """Run trials of each method until there are ``trials`` of it in the archive."""
    for method in methods:
        points = None if method in LEARNING else _points(problem, method, trials)
        for number in range(len(archive.of(method)), trials):
            levels = learned(problem, method, archive.of(method)) if points is None else levels_at(problem, points[number])
            archive.add(Trial(method, number, levels, evaluate(levels)))


def learned(problem: Problem, method: str, before: Sequence[Trial]) -> Levels:
    """The next mix, from the trials before it: first each lever alone at its ends, then what the method makes of them.

    Where hardly any lever moves anything alone, learning begins with as many mixes at random as there are levers, and two.
    """
    number = len(before)
    if number < len(problem.singles):
        return dict(problem.singles[number])
    if number < len(problem.dimensions) + 2:
        draw = np.random.default_rng([problem.seed, _STREAMS[method], number])
        return levels_at(problem, draw.random(len(problem.dimensions)))
    return by_kriging(problem, before)


def by_kriging(problem: Problem, before: Sequence[Trial]) -> Levels:
    """By a model of all trials: the objectives take turns, cost as a newly drawn cap below which harm is minimised."""
    number = len(before)
    draw = np.random.default_rng([problem.seed, _STREAMS["kriging"], number])
    found = [scores(problem, trial.measured) for trial in before]
    aim = problem.objectives[number % len(problem.objectives)]
    cost = np.array([score["cost"] for score in found])
    cap = problem.budget
    if aim == "cost":
        cap = float(draw.uniform(min(cost.min(), cap), cap))
    goal = np.array([score["harm" if aim == "cost" else aim] for score in found])
    adventurous = number // len(problem.objectives) % 2 == 1
    past = Past([trial.levels for trial in before], cost, goal, cap)
    return next_mix(past, problem.dimensions, problem.neutral, _level, draw, adventurous)


def _seed(*parts: int) -> int:
    """A seed of 32 bits, which is what samplers take."""
    return int(np.random.SeedSequence(parts).generate_state(1)[0])


def _points(problem: Problem, method: str, trials: int) -> Floats:
    """Points in the unit cube ``[trial, lever]``; a longer sequence begins with the shorter one."""
    width, seed = len(problem.dimensions), _seed(problem.seed, _STREAMS[method])
    if method == "random":
        return np.random.default_rng(seed).random((trials, width))
    from scipy.stats import qmc

    return np.asarray(qmc.Sobol(width, scramble=True, seed=seed).random_base2(int(np.ceil(np.log2(trials))))[:trials])


def levels_at(problem: Problem, point: Floats) -> Levels:
    """A point of the unit cube as a mix: below the share left alone a lever is not moved, above it stands for a level."""
    levels = {}
    for dimension, share in zip(problem.dimensions, point.tolist(), strict=True):
        if share >= problem.left_alone:
            levels[dimension.name] = _level(dimension, (share - problem.left_alone) / (1 - problem.left_alone))
    return levels


def _level(dimension: Dimension, share: float) -> float:
    """The level at this share of the range, as it is run and stored; each step has the same share of the range."""
    width = dimension.high - dimension.low
    if dimension.step is None:
        return min(max(round(dimension.low + share * width, DECIMALS), dimension.low), dimension.high)
    steps = int(width / dimension.step + 1e-9)
    return dimension.low + dimension.step * min(steps, int(share * (steps + 1)))


def singles(dimensions: Sequence[Dimension], changes: Callable[[Levels], bool]) -> tuple[Levels, ...]:
    """Mixes that move one lever alone, to either end of its range; those that change nothing are left out."""
    ends = [{d.name: _level(d, share)} for d in dimensions for share in (0.0, 1.0)]
    return tuple(levels for levels in ends if changes(levels))
