"""Mixes of levers as scenarios, and what a scenario costs and leaves undone on one set of luck and assumptions."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from cspsim.model.parameters import Floats, Levers
from cspsim.model.world import World
from cspsim.running.assumptions import Arm, run_assumption_sets, sample_assumptions
from cspsim.running.outcomes import OUTCOMES, combined
from cspsim.running.rulebook import rulebook_of
from cspsim.scenario.scenario import Scenario
from cspsim.scenario.schema import DatedPath, parse_month, register_of
from cspsim.scenario.world_building import build_world, calendar_of, path_by_month
from cspsim.search.search_file import COUNTED, Dimension, Search
from cspsim.search.trials import Levels, Measured

Progress = Callable[[int], None]


def mixed(search: Search, levels: Levels, name: str) -> Scenario:
    """The baseline with some levers held at these levels, each from its month on and as in the baseline before."""
    source = f"chosen by the search {search.name}"
    changes = {
        f"levers.{dimension.name}": {
            "path": level_path(search.baseline, dimension, levels[dimension.name]),
            "replace": True, "shape": "step", "multiplier": 1.0, "shift": 0.0, "status": "assumption", "source": source,
        }
        for dimension in search.dimensions
        if dimension.name in levels
    }  # fmt: skip
    return search.baseline.with_changes(changes, name)


def changes_anything(search: Search, levels: Levels) -> bool:
    """Whether a mix differs from the baseline when it is run."""
    before, after = (build_world(scenario.data).levers for scenario in (search.baseline, mixed(search, levels, "")))
    return any(not np.array_equal(was, now) for was, now in zip(before, after, strict=True))


def level_path(baseline: Scenario, dimension: Dimension, level: float) -> dict[str, float]:
    """Dated values of a lever: the baseline's until the lever may be moved, then the level."""
    months = calendar_of(baseline.data).reported
    since = parse_month(dimension.from_month) if dimension.from_month else months[0]
    before = path_by_month(baseline.data.levers.get(dimension.name, DatedPath()), months, register_of(Levers)[dimension.name].value)
    path: dict[str, float] = {}
    said = None
    for month, value in zip(months, before.tolist(), strict=True):
        if month < since and value != said:
            path[f"{month:%Y-%m}"] = said = value
    return {**path, f"{since:%Y-%m}": level}


def mean_levels(search: Search, scenario: Scenario) -> Levels:
    """Where each lever of the search stands in a scenario, mean over the outcome window."""
    world = build_world(scenario.data)
    counted = world.counted.astype(bool)
    return {d.name: float(np.asarray(getattr(world.levers, d.name))[counted].mean()) for d in search.dimensions}


class TrialBench:
    """Runs policies on the same assumption sets and the same luck, so that any two can be compared in pairs.

    ``seed`` draws the assumption sets, ``first_replicate`` is where the luck begins: another seed and other
    replicates make a bench that shares nothing with the first.
    """

    def __init__(self, search: Search, sets: int, replicates: int, seed: int, first_replicate: int, threads: int | None = None,
                 progress: Progress | None = None) -> None:  # fmt: skip
        self.search = search
        self.sets, self.replicates, self.seed, self.first_replicate = sets, replicates, seed, first_replicate
        self.threads, self.progress = threads, progress
        self._baseline = build_world(search.baseline.data)

    def tallies(self, scenario: Scenario) -> tuple[World, Floats]:
        """The world of a scenario and its tallies of the area ``[set, replicate, tally]``."""
        world = build_world(scenario.data)
        arm = Arm(world, sample_assumptions(scenario, self.sets, self.seed), rulebook_of(scenario))
        found = run_assumption_sets([arm], self.replicates, self.search.data.seed, self.first_replicate, self.threads, self.progress)
        return world, found[0].sum(axis=2)

    def measure(self, scenario: Scenario) -> Measured:
        """What a scenario costs and what harm it leaves, ``[set]``."""
        return self.measured(*self.tallies(scenario))

    def measured(self, world: World, tallies: Floats) -> Measured:
        """Cost and harm from tallies."""
        counted = {COUNTED[name]: 1.0 for name in self.search.data.budget.counts}
        harm = combined(tallies, OUTCOMES[self.search.data.harm].numerator)
        stated = priced(world, self._baseline, self.search.prices)
        return Measured(combined(tallies, counted).mean(axis=1) + stated, harm.mean(axis=1))


def priced(world: World, baseline: World, prices: Mapping[str, float]) -> float:
    """What the levers cost over the outcome window beyond the baseline's level, £, at prices for a unit and year."""
    counted = world.counted.astype(bool)

    def units(levers: Any, name: str) -> float:
        return float(np.asarray(getattr(levers, name))[counted].sum()) / 12

    return sum(price * (units(world.levers, name) - units(baseline.levers, name)) for name, price in prices.items())
