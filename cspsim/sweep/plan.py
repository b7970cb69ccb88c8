"""The plan of a sweep: which run is which, and the world each one needs. The same on every machine."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from cspsim.model.luck import PARAMETERS, STREAMS
from cspsim.model.parameters import Floats, Integers, Words
from cspsim.model.world import World, sizes
from cspsim.running.same_code import rules_hash
from cspsim.scenario.scenario import Scenario
from cspsim.scenario.schema import DatedPath, ScenarioData
from cspsim.scenario.world_building import build_world, calendar_of
from cspsim.sweep.experiment import Experiment, experiment_settings, lever_changes
from cspsim.sweep.uncertain import Uncertain

ROWS_OF_A_JOB = 120_000  # rows of the largest table that one job may write: bounds memory, whatever is kept
RUNS_OF_A_JOB = 256


class Policies(NamedTuple):
    """Every policy: the named ones, then the settings of levers. ``settings`` ``[policy, lever]`` is nan where not set."""

    names: list[str]
    against: Integers
    scenario: Integers
    levers: list[str]
    settings: Floats


class Stretch(NamedTuple):
    """Neighbouring runs of one policy under one assumption set: a part of a job."""

    first: int
    policy: int
    assumptions: int
    replicates: Integers
    streams: Words


@dataclass(frozen=True, eq=False)
class Plan:
    """Everything that decides what the runs of a sweep are; travels to other machines.

    Attributes:
        experiment: what was asked. policies: see ``Policies``.
        varied: names of the uncertain numbers that are sampled. quantiles ``[set, number]`` of them (values, if read from
        a file), set 0 being the best guesses where they are included (then its row is nan).
        rows: replicate numbers of each stream ``[row, stream]`` where luck has a design, else None.
    """

    experiment: Experiment
    policies: Policies
    varied: list[str]
    quantiles: Floats
    rows: Words | None

    @cached_property
    def scenarios(self) -> list[Scenario]:
        """The distinct scenarios that policies start from."""
        return list(self.experiment.policies.values())

    @property
    def sets(self) -> int:
        """Number of assumption sets, the best guesses included."""
        return len(self.quantiles)

    @property
    def cells(self) -> int:
        """Number of combinations of policy and assumption set that are run; a design of luck brings its own sets."""
        return len(self.policies.names) * (1 if self.rows is not None else self.sets)

    @cached_property
    def rounds(self) -> list[int]:
        """Replicates of a cell after each round: one number, or doublings up to the most a precision may ask for."""
        luck = self.experiment.data.luck
        if self.rows is not None:
            return [len(self.rows)]
        if luck.precision is None:
            return [luck.replicates]
        found = [min(max(luck.replicates, 2), luck.most)]
        while found[-1] < luck.most:
            found.append(min(2 * found[-1], luck.most))
        return found

    def runs_after(self, round_number: int) -> int:
        """Number of runs once a round (counted from 0) is done; 0 for -1."""
        return self.cells * self.rounds[round_number] if round_number >= 0 else 0

    @cached_property
    def job_runs(self) -> int:
        """Runs of one job: the same on every machine, since a job is what is written at once."""
        keep, world = self.experiment.data.keep, self.world(0)
        places, authorities, _, _, _ = sizes(world)
        shown = places + 1 if keep.runs == "partnerships" else 1
        months = len(calendar_of(self.scenarios[0].data).reported)
        rows = max(shown, shown * months * keep.months, places * authorities * keep.authorities)
        return max(1, min(RUNS_OF_A_JOB, ROWS_OF_A_JOB // rows))

    def jobs(self, round_number: int) -> Iterator[tuple[int, int]]:
        """First run and the run after the last one of every job of a round."""
        start, end = self.runs_after(round_number - 1), self.runs_after(round_number)
        for first in range(start, end, self.job_runs):
            yield first, min(first + self.job_runs, end)

    def stretches(self, first: int, last: int) -> Iterator[Stretch]:
        """The runs from ``first`` up to ``last``, cell by cell. Policy changes slowest, replicate fastest."""
        while first < last:
            round_number = next(k for k in range(len(self.rounds)) if first < self.runs_after(k))
            before = self.rounds[round_number - 1] if round_number else 0
            each = self.rounds[round_number] - before
            cell, index = divmod(first - self.runs_after(round_number - 1), each)
            count = min(each - index, last - first)
            indices = np.arange(before + index, before + index + count)
            yield from self._of_cell(first, cell, indices)
            first += count

    def _of_cell(self, first: int, cell: int, indices: Integers) -> Iterator[Stretch]:
        if self.rows is not None:
            shift = int(self.experiment.data.uncertainties.best_guess)
            for k, index in enumerate(indices):
                own = int(self.rows[index, PARAMETERS]) + shift if self.sets > 1 else 0
                yield Stretch(first + k, cell, own, indices[k : k + 1], self.rows[index : index + 1])
            return
        policy, own_set = divmod(cell, self.sets)
        luck = self.experiment.data.luck
        numbers = luck.first_replicate + indices + own_set * self.rounds[-1] * self.fresh
        streams = np.repeat(numbers.astype(np.uint64)[:, None], len(STREAMS), axis=1)
        yield Stretch(first, policy, own_set, numbers, streams)

    @property
    def fresh(self) -> bool:
        """Whether every assumption set has luck of its own; sensitivity designs share it, so that only parameters differ."""
        said = self.experiment.data.luck.fresh
        return said if said is not None else self.experiment.data.uncertainties.design not in ("morris", "saltelli")

    # ------------------------------------------------------------------------------------------------------- worlds

    def world(self, policy: int) -> World:
        """The arrays of a policy at its best guesses."""
        return build_world(self.data_of(policy))

    def data_of(self, policy: int) -> ScenarioData:
        """The scenario of a policy with its levers set; ranges were checked when the experiment was read."""
        data = self.scenarios[self.policies.scenario[policy]].data
        levers = dict(data.levers)
        for name, value in zip(self.policies.levers, self.policies.settings[policy], strict=True):
            if not np.isnan(value):
                lever, _, part = name.partition(".")
                own = levers.get(lever, DatedPath())
                whole = DatedPath(path={data.time.first_month: float(value)})
                levers[lever] = own.model_copy(update={part: float(value)}) if part else whole
        return data.model_copy(update={"levers": levers}) if self.policies.levers else data

    def scenario_of(self, policy: int) -> Scenario:
        """The scenario of a policy as a user would write it."""
        changes: dict[str, Any] = {}
        scenario = self.scenarios[self.policies.scenario[policy]]
        for name, value in zip(self.policies.levers, self.policies.settings[policy], strict=True):
            if not np.isnan(value):
                changes |= lever_changes(name, float(value), scenario.data.time.first_month)
        return scenario.with_changes(changes, name=self.policies.names[policy]) if changes else scenario

    @cached_property
    def uncertain(self) -> list[Uncertain]:
        """The uncertain numbers of each scenario."""
        return [Uncertain(scenario, self.varied, self.experiment.data.uncertainties) for scenario in self.scenarios]

    def values_of(self, policy: int, own_set: int) -> Floats:
        """Every uncertain number ``[number]`` of a policy's scenario under an assumption set."""
        return self.uncertain[self.policies.scenario[policy]].values(self.quantiles[own_set])

    def under(self, world: World, policy: int, own_set: int) -> World:
        """A policy's world under an assumption set."""
        uncertain = self.uncertain[self.policies.scenario[policy]]
        return uncertain.sets.lay_over(world, uncertain.values(self.quantiles[own_set]))

    @cached_property
    def values(self) -> Floats:
        """What the baseline's varied numbers are in each set ``[set, number]``."""
        first = self.uncertain[0]
        return np.array([first.values(row)[first.columns] for row in self.quantiles]).reshape(self.sets, len(self.varied))

    # ----------------------------------------------------------------------------------------------------- identity

    @cached_property
    def settings(self) -> dict[str, Any]:
        """Everything that decides results, flat: the experiment, the scenarios, and the rules of the model."""
        return {**experiment_settings(self.experiment), "rules of the model": rules_hash()}

    @cached_property
    def digest(self) -> str:
        """Hash of the settings: two sweeps with the same digest have the same results."""
        return hashlib.sha256(json.dumps(self.settings, sort_keys=True, default=str).encode()).hexdigest()[:20]
