"""A whole search: prepared or resumed in its folder, run, compared, and given a second look."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from cspsim.basics.limits import EstimatedWork, work_of
from cspsim.model.parameters import Floats
from cspsim.scenario.scenario import Scenario
from cspsim.scenario.world_building import size_of
from cspsim.search.policies import Progress, TrialBench, changes_anything, mean_levels, mixed
from cspsim.search.proposing import LEARNING, Problem, look, singles
from cspsim.search.retest import Look, Profiled, Retested, profile, retested
from cspsim.search.search_file import Search
from cspsim.search.standing import LEAST_HARM, SAFEST, MethodRow, PoliciesStanding, chosen, finalists, methods_of, policies_standing
from cspsim.search.trials import Archive, Measured

PROFILE = (
    "cost_of_crime", "true_crimes", "recorded_crimes", "severity", "spend", "hours", "delivered_dose", "challenged_share",
    "evaluated_share", "believed_over_true", "coordinator_load", "mean_trust", "public_confidence",
)  # fmt: skip
"""What is shown of the chosen mixes beyond the harm they were chosen by."""


class Found(NamedTuple):
    """The result of a search.

    Attributes:
        problem: what was to be made small, and the budget. standing: all policies side by side.
        roles: role -> policy of ``standing``. methods: how each method did.
        fresh: the second look. again: its rows. profiles: what else the chosen mixes and the references change.
        scenarios: role -> the chosen mix as a scenario.
    """

    search: Search
    trials: int
    problem: Problem
    standing: PoliciesStanding
    roles: Mapping[str, int]
    methods: Sequence[MethodRow]
    fresh: Look
    again: Sequence[Retested]
    profiles: Sequence[Profiled]
    scenarios: Mapping[str, Scenario]

    def second(self, role: str) -> Retested | None:
        """The second look at what fills a role."""
        name = self.standing.names[self.roles[role]] if role in self.roles else None
        return next((row for row in self.again if row.name == name), None)


def search_runs(search: Search, archive: Archive, trials: int) -> int:
    """Runs from here to the end, at most, for a progress bar."""
    data = search.data
    left = sum(max(0, trials - len(archive.of(method))) for method in data.methods)
    first = (1 + len(search.references) + left) * data.assumption_sets * data.replicates
    again = 1 + len(search.references) + 3 + len(data.methods) + data.retest.finalists
    return first + again * data.retest.assumption_sets * data.retest.replicates


def search_work(search: Search, trials: int, threads: int | None = None) -> EstimatedWork:
    """Time and memory of a whole search. Methods that learn look at all trials before each: a cube of their number, measured."""
    data, size = search.data, size_of(search.baseline.data)
    held = max(data.assumption_sets * data.replicates, data.retest.assumption_sets * data.retest.replicates)
    work = work_of(size, search_runs(search, Archive(None), trials), kept=5 * held, threads=threads)
    learning = sum(method in LEARNING for method in data.methods)
    kept = 8 * trials * len(data.methods) * (4 * data.assumption_sets + 4 * len(search.dimensions))
    return EstimatedWork(work.seconds + learning * (0.05 * trials + 1e-9 * trials**3), work.memory + kept + 8 * 3 * learning * trials**2)


def run_search(
    search: Search, archive: Archive, trials: int | None = None, threads: int | None = None, progress: Progress | None = None
) -> Found:
    """Run what is left of the trials, choose, and look again. Raises CspsimError where a library is missing."""
    data = search.data
    trials = trials or data.trials
    bench = TrialBench(search, data.assumption_sets, data.replicates, data.seed, 0, threads, progress)
    baseline = bench.measure(search.baseline)
    problem = problem_of(search, baseline)
    look(problem, lambda levels: bench.measure(mixed(search, levels, "trial")), archive, data.methods, trials)
    references = {name: bench.measure(scenario) for name, scenario in search.references.items()}
    tried = [trial for method in data.methods for trial in archive.of(method, trials)]
    standing = policies_standing(problem, references, tried, search.baseline.name)
    roles = chosen(standing, data.methods)
    fresh, tallies, scenarios = look_again(search, standing, roles, threads, progress)
    first = {name: standing.effect[k] for k, name in enumerate(standing.names)}
    named = roles_by_name(standing, roles)
    return Found(
        search, trials, problem, standing, roles, methods_of(standing, problem, archive, data.methods, trials), fresh,
        retested(fresh, first, named, data.harm), profile(tallies, PROFILE), scenarios,
    )  # fmt: skip


def problem_of(search: Search, baseline: Measured) -> Problem:
    """What proposals may depend on."""
    data = search.data
    return Problem(
        search.dimensions, budget_of(search, baseline), baseline, tuple(data.objectives), data.downside, data.left_alone, data.seed,
        mean_levels(search, search.baseline), singles(search.dimensions, lambda levels: changes_anything(search, levels)),
    )  # fmt: skip


def budget_of(search: Search, baseline: Measured) -> float:
    """The fixed total, £ over the outcome window."""
    stated = search.data.budget
    return stated.pounds if stated.pounds is not None else (stated.times_baseline or 1.0) * float(baseline.cost.mean())


def roles_by_name(standing: PoliciesStanding, roles: Mapping[str, int]) -> dict[str, list[str]]:
    """Name of a policy -> every role it fills."""
    found: dict[str, list[str]] = {}
    for role, policy in roles.items():
        found.setdefault(standing.names[policy], []).append(role)
    return found


def fresh_seed(seed: int) -> int:
    """The seed of the fresh assumption sets: unlikely to be the seed of any search."""
    return int(np.random.SeedSequence([seed, 1]).generate_state(1, np.uint64)[0])


def look_again(
    search: Search, standing: PoliciesStanding, roles: Mapping[str, int], threads: int | None = None, progress: Progress | None = None
) -> tuple[Look, dict[str, Floats], dict[str, Scenario]]:
    """The second look: what was chosen, the finalists and the references on luck and assumptions nothing was chosen by.

    Also the tallies of the baseline, the references and the two chosen mixes, and these mixes as scenarios.
    """
    data = search.data
    sets, replicates = data.retest.assumption_sets, data.retest.replicates
    bench = TrialBench(search, sets, replicates, fresh_seed(data.seed), data.assumption_sets * data.replicates, threads, progress)
    chosen_ones = {standing.names[k]: k for k in [*roles.values(), *finalists(standing, data.retest.finalists)]}
    scenarios = {role: mixed(search, standing.levels(roles[role]) or {}, role) for role in (LEAST_HARM, SAFEST) if role in roles}
    kept = {search.baseline.name, *search.references, *(standing.names[roles[role]] for role in scenarios)}
    policies = {search.baseline.name: search.baseline, **search.references}
    policies |= {name: mixed(search, standing.levels(k) or {}, name) for name, k in chosen_ones.items()}
    measured, tallies = {}, {}
    for name, scenario in policies.items():
        world, found = bench.tallies(scenario)
        measured[name] = bench.measured(world, found)
        if name in kept:
            tallies[name] = found
    first = measured[search.baseline.name]
    eligible = frozenset(name for name, within in zip(standing.names, standing.within, strict=True) if within)
    return Look(measured, budget_of(search, first), eligible), tallies, scenarios
