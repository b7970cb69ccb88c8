"""A second look at what a search chose, on fresh luck and fresh assumption sets: how far the search flattered it.

The best of many is partly the luckiest of many. Its estimate in the search is therefore too good, by an amount that
only runs that played no part in the choice can show.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import stdtrit

from cspsim.comparing.differences import CONFIDENCE_LEVEL, parts_of, verdict_of
from cspsim.model.parameters import Floats
from cspsim.running.outcomes import OUTCOMES
from cspsim.search.pareto import regret
from cspsim.search.trials import Measured


class Mean(NamedTuple):
    """A mean over assumption sets with its 95 % t interval, and the standard error and degrees of freedom behind it."""

    value: float
    low: float
    high: float
    error: float
    freedom: float


def mean_of(values: Floats) -> Mean:
    """The mean of independent values ``[set]``."""
    error = float(values.std(ddof=1)) / len(values) ** 0.5
    return _with_error(float(values.mean()), error, len(values) - 1)


def difference_of(fresh: Mean, first: Mean) -> Mean:
    """The difference of two independent means, unequal variances (Welch 1947, Biometrika 34, 28-35)."""
    error = float(np.hypot(fresh.error, first.error))
    parts = fresh.error**4 / fresh.freedom + first.error**4 / first.freedom
    return _with_error(fresh.value - first.value, error, error**4 / parts if parts > 0 else fresh.freedom + first.freedom)


def _with_error(value: float, error: float, freedom: float) -> Mean:
    half = float(stdtrit(freedom, (1 + CONFIDENCE_LEVEL) / 2)) * error
    return Mean(value, value - half, value + half, error, freedom)


class Retested(NamedTuple):
    """One policy and its second look. Effects are paired differences in harm from the baseline; less than zero is better.

    ``optimism``: by how much the fresh effect is worse than the search said, not known for what the search did not
    choose. ``over_budget``: fresh cost above the fresh budget, £. ``verdict``: of the fresh effect at its interval.
    """

    name: str
    roles: tuple[str, ...]
    first: Mean | None
    fresh: Mean
    optimism: Mean | None
    over_budget: float
    worst_regret: float
    same_sign_share: float
    verdict: str


class Look(NamedTuple):
    """What one bench measured: policies by name, the baseline first, the budget that holds there, and who may be chosen.

    ``eligible``: policies that the search found within the budget. On fresh runs their cost wobbles around it, and
    leaving out those that now cost a little more would make the others look without regret.
    """

    measured: Mapping[str, Measured]
    budget: float
    eligible: frozenset[str]

    @property
    def baseline(self) -> Measured:
        """What effects are measured against."""
        return next(iter(self.measured.values()))

    def effect(self, name: str) -> Floats:
        """Paired difference in harm ``[set]``."""
        return np.asarray(self.measured[name].harm - self.baseline.harm)

    def worst_regrets(self) -> dict[str, float]:
        """Worst-case regret of each policy against the best of those that may be chosen."""
        harm = np.array([one.harm for one in self.measured.values()])
        may = np.array([name in self.eligible for name in self.measured])
        lost = regret(harm, may if may.any() else np.ones(len(may), dtype=bool)).max(axis=1)
        return dict(zip(self.measured, lost.tolist(), strict=True))


def retested(fresh: Look, first: Mapping[str, Floats], roles: Mapping[str, Sequence[str]], harm: str) -> list[Retested]:
    """Every policy of the second look but the baseline, in order. ``first``: effects ``[set]`` that the search saw."""
    entry = OUTCOMES[harm]
    smallest = entry.smallest * (abs(float(fresh.baseline.harm.mean())) if entry.smallest_is == "relative" else 1.0)
    regrets = fresh.worst_regrets()
    rows = []
    for name in list(fresh.measured)[1:]:
        effect = fresh.effect(name)
        found = mean_of(effect)
        before = mean_of(first[name]) if name in first else None
        verdict = verdict_of(found.value, found.high - found.value, smallest, bool((effect == 0).all()))
        over = float(fresh.measured[name].cost.mean()) - fresh.budget
        same = float((np.sign(effect) == np.sign(found.value)).mean())
        optimism = difference_of(found, before) if before is not None else None
        rows.append(Retested(name, tuple(roles.get(name, ())), before, found, optimism, over, regrets[name], same, verdict))
    return rows


class Profiled(NamedTuple):
    """One outcome of one policy against the baseline on the fresh runs."""

    policy: str
    outcome: str
    baseline: float
    difference: Mean


def profile(tallies: Mapping[str, Floats], outcomes: Sequence[str]) -> list[Profiled]:
    """What else a policy changes: outcomes from tallies ``[set, replicate, tally]``, the baseline's first."""
    columns = [list(OUTCOMES).index(name) for name in outcomes]
    values = {name: np.array([parts_of(one[:, None]).value[columns] for one in found]) for name, found in tallies.items()}
    first, *others = values
    return [
        Profiled(name, outcome, float(values[first][:, k].mean()), mean_of(values[name][:, k] - values[first][:, k]))
        for name in others
        for k, outcome in enumerate(outcomes)
    ]
