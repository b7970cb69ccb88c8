"""The search: mixes of levers proposed one after the other, each judged on the same luck and the same assumptions.

What is proposed depends on nothing but the seed, the number of the trial and the trials before it. A search that was
killed and resumed therefore goes through the same trials as one that was not.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from cspsim.basics.errors import needs
from cspsim.model.parameters import Floats
from cspsim.search.search_file import Dimension
from cspsim.search.surrogate import Past, next_mix
from cspsim.search.trials import Archive, Levels, Measured, Trial

DECIMALS = 4
"""Levels are proposed and told with this many decimals: nobody sets an effort more finely."""

METHODS = ("kriging", "tpe", "sobol", "random")
"""What may propose. The first two learn from earlier trials; the others do not, and show whether learning paid."""

LEARNING = METHODS[:2]


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
    """The objectives of one mix, all to be made small.

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


def over_budget(problem: Problem, measured: Measured) -> float:
    """£ above the budget, mean over assumption sets; zero or less is within it."""
    return float(measured.cost.mean()) - problem.budget


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
        draw = np.random.default_rng([problem.seed, METHODS.index(method), number])
        return levels_at(problem, draw.random(len(problem.dimensions)))
    return by_kriging(problem, before) if method == "kriging" else by_estimators(problem, before)


def by_kriging(problem: Problem, before: Sequence[Trial]) -> Levels:
    """By a model of all trials: the objectives take turns, cost as a cap drawn anew below which harm is made small."""
    number = len(before)
    draw = np.random.default_rng([problem.seed, METHODS.index("kriging"), number])
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


def by_estimators(problem: Problem, before: Sequence[Trial]) -> Levels:
    """By tree-structured Parzen estimators, the budget as a constraint.

    The study is made anew each time and its sampler seeded by the number of the trial, so nothing is remembered
    beside the trials. Source: Ozaki et al. 2022, "Multiobjective tree-structured Parzen estimator", Journal of
    Artificial Intelligence Research 73, 1209-1250.
    """
    optuna = _optuna()
    space = {d.name: optuna.distributions.FloatDistribution(0, 1) for d in problem.dimensions}
    sampler = optuna.samplers.TPESampler(seed=_seed(problem.seed, METHODS.index("tpe"), len(before)), multivariate=False)
    study = optuna.create_study(directions=["minimize"] * len(problem.objectives), sampler=sampler)
    for trial in before:
        found = scores(problem, trial.measured)
        study.add_trial(
            optuna.trial.create_trial(
                params=_point(problem, trial.levels),
                distributions=space,
                values=[found[name] for name in problem.objectives],
                constraints={"over budget": over_budget(problem, trial.measured)},
            )
        )
    asked = study.ask(space).params
    return levels_at(problem, np.array([asked[d.name] for d in problem.dimensions]))


def _optuna() -> Any:
    try:
        import optuna
    except ImportError:
        raise needs("searching", "optuna", "analysis") from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


def _seed(*parts: int) -> int:
    """A seed of 32 bits, which is what samplers take."""
    return int(np.random.SeedSequence(parts).generate_state(1)[0])


def _points(problem: Problem, method: str, trials: int) -> Floats:
    """Points in the unit cube ``[trial, lever]``; a longer sequence begins with the shorter one."""
    width, seed = len(problem.dimensions), _seed(problem.seed, METHODS.index(method))
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
    """The level so far between low and high, as it is run and kept; each step has the same share of the range."""
    width = dimension.high - dimension.low
    if dimension.step is None:
        return min(max(round(dimension.low + share * width, DECIMALS), dimension.low), dimension.high)
    steps = int(width / dimension.step + 1e-9)
    return dimension.low + dimension.step * min(steps, int(share * (steps + 1)))


def _point(problem: Problem, levels: Mapping[str, float]) -> dict[str, float]:
    """A mix as a point of the unit cube: the middle of what it could have come from."""
    found = {}
    for d in problem.dimensions:
        share = (levels[d.name] - d.low) / (d.high - d.low) if d.name in levels else None
        found[d.name] = problem.left_alone / 2 if share is None else min(1.0, problem.left_alone + (1 - problem.left_alone) * share)
    return found


def singles(dimensions: Sequence[Dimension], changes: Callable[[Levels], bool]) -> tuple[Levels, ...]:
    """Mixes that move one lever alone, to either end of its range; those that change nothing are left out."""
    ends = [{d.name: _level(d, share)} for d in dimensions for share in (0.0, 1.0)]
    return tuple(levels for levels in ends if changes(levels))
