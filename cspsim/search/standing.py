"""All policies of a search side by side: who keeps within the budget, who is on the front, who is chosen, and how methods did."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from cspsim.model.parameters import Floats
from cspsim.search.pareto import Truths, dominated_area, on_front, regret
from cspsim.search.proposing import Problem
from cspsim.search.trials import Archive, Levels, Measured, Trial


class PoliciesStanding(NamedTuple):
    """Policies of a search: the baseline, the references, then every trial.

    ``cost`` is a mean over assumption sets, ``effect`` the paired difference in harm ``[policy, set]``, ``regret``
    how much more harm is left than by the best policy within the budget, in the same set ``[policy, set]``.
    """

    names: tuple[str, ...]
    cost: Floats
    effect: Floats
    regret: Floats
    within: Truths
    front: Truths
    trials: tuple[Trial, ...]

    @property
    def first_trial(self) -> int:
        """Where the trials begin among the policies."""
        return len(self.names) - len(self.trials)

    @property
    def harm(self) -> Floats:
        """Mean paired difference in harm of each policy."""
        return np.asarray(self.effect.mean(axis=1))

    @property
    def worst_regret(self) -> Floats:
        """Regret of each policy in the set that is worst for it."""
        return np.asarray(self.regret.max(axis=1))

    def levels(self, policy: int) -> Levels | None:
        """What a policy moves; None for the baseline and references."""
        return self.trials[policy - self.first_trial].levels if policy >= self.first_trial else None


def policies_standing(problem: Problem, references: Mapping[str, Measured], trials: Sequence[Trial], baseline: str) -> PoliciesStanding:
    """Put everything side by side. The front is of those within the budget, in cost, harm and worst-case regret."""
    measured = [problem.baseline, *references.values(), *(trial.measured for trial in trials)]
    cost = np.array([float(one.cost.mean()) for one in measured])
    harm = np.array([one.harm for one in measured])
    within = cost <= problem.budget
    eligible = within if within.any() else np.ones(len(cost), dtype=bool)
    lost = regret(harm, eligible)
    front = np.zeros(len(cost), dtype=bool)
    if within.any():
        effect = (harm - harm[0]).mean(axis=1)
        front[within] = on_front(np.column_stack([cost, effect, lost.max(axis=1)])[within])
    return PoliciesStanding(
        (baseline, *references, *(trial.name for trial in trials)), cost, harm - harm[0], lost, within, front, tuple(trials)
    )


LEAST_HARM, SAFEST, SINGLE = "least harm", "most robust", "best single lever"


def chosen(standing: PoliciesStanding, methods: Sequence[str]) -> dict[str, int]:
    """Role -> policy: the trial within the budget with the least harm, the one with the least worst-case regret, and others.

    The others are the simple rivals: the best mix of one lever, and the best of each method. A role that nobody fills,
    since no trial keeps within the budget, is left out.
    """
    trials = np.arange(len(standing.names)) >= standing.first_trial
    moved = np.array([len(standing.levels(k) or {}) for k in range(len(standing.names))])
    roles: dict[str, tuple[Truths, Floats]] = {
        LEAST_HARM: (trials, standing.harm),
        SAFEST: (trials, standing.worst_regret),
        SINGLE: (trials & (moved == 1), standing.harm),
    }
    for method in methods:
        own = np.array([name.startswith(f"{method} ") for name in standing.names])
        roles[best_of(method)] = (trials & own, standing.harm)
    found = {}
    for role, (who, value) in roles.items():
        open_to = np.flatnonzero(who & standing.within)
        if len(open_to):
            found[role] = _first_like(standing, int(open_to[np.argmin(value[open_to])]))
    return found


def _first_like(standing: PoliciesStanding, policy: int) -> int:
    """The first trial that is the same mix: several methods may have tried it."""
    same = (k for k in range(standing.first_trial, policy + 1) if standing.levels(k) == standing.levels(policy))
    return next(same, policy)


def best_of(method: str) -> str:
    """The role of a method's best mix."""
    return f"best by {method}"


def finalists(standing: PoliciesStanding, count: int) -> list[int]:
    """The trials within the budget with the least harm, no mix twice: a second look at them shows how far all were flattered."""
    order = [k for k in np.argsort(standing.harm, kind="stable").tolist() if k >= standing.first_trial and standing.within[k]]
    found: dict[tuple[tuple[str, float], ...], int] = {}
    for policy in order:
        found.setdefault(tuple(sorted((standing.levels(policy) or {}).items())), policy)
    return list(found.values())[:count]


class MethodRow(NamedTuple):
    """How one method did: trials, how many kept within the budget, least harm found, and the area its front dominates.

    ``area``: of cost below the budget times harm averted, £ x the harm's unit; 0 if nothing within averts any harm.
    """

    method: str
    trials: int
    within: int
    least_harm: float
    area: float
    so_far: Floats


def methods_of(standing: PoliciesStanding, problem: Problem, archive: Archive, methods: Sequence[str], trials: int) -> list[MethodRow]:
    """One row for each method. ``so_far``: least harm within the budget after each trial, not-a-number before the first."""
    rows = []
    for method in methods:
        own = np.array([k for k, name in enumerate(standing.names) if k >= standing.first_trial and name.startswith(f"{method} ")])
        harm = np.where(standing.within[own], standing.harm[own], np.inf)
        so_far = np.minimum.accumulate(harm)
        so_far[np.isinf(so_far)] = np.nan
        within = own[standing.within[own]]
        area = dominated_area(np.column_stack([standing.cost[within], standing.harm[within]]), (problem.budget, 0.0))
        rows.append(MethodRow(method, len(archive.of(method, trials)), len(within), float(so_far[-1]), area, so_far))
    return rows
