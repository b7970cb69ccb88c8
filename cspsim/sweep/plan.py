"""The plan of a sweep: which run is which, and the world each one needs. The same on every machine."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from cspsim.assumptions import AssumptionSets, UncertainNumber, latin_hypercube, triangular_quantile, uncertain_numbers
from cspsim.compiled import PACKAGE, rule_files
from cspsim.layout import build_world, calendar_of
from cspsim.luck import PARAMETERS, STREAMS
from cspsim.parameters import Floats, Integers, Words
from cspsim.scenario import Scenario
from cspsim.schema import DatedPath, ScenarioData
from cspsim.sweep.experiment import Experiment, UncertaintyDesign, Varied, lever_changes, settings_of
from cspsim.sweep.sampling import every_combination, sampled
from cspsim.world import World, sizes

ROWS_OF_A_JOB = 120_000  # rows of the largest table that one job may write: bounds memory, whatever is kept
RUNS_OF_A_JOB = 256
LEVERS_IN_A_NAME = 4


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
    def _uncertain(self) -> list["Uncertain"]:
        return [Uncertain(scenario, self.varied, self.experiment.data.uncertainties) for scenario in self.scenarios]

    def values_of(self, policy: int, own_set: int) -> Floats:
        """Every uncertain number ``[number]`` of a policy's scenario under an assumption set."""
        return self._uncertain[self.policies.scenario[policy]].values(self.quantiles[own_set])

    def under(self, world: World, policy: int, own_set: int) -> World:
        """A policy's world under an assumption set."""
        uncertain = self._uncertain[self.policies.scenario[policy]]
        return uncertain.sets.lay_over(world, uncertain.values(self.quantiles[own_set]))

    @cached_property
    def values(self) -> Floats:
        """What the baseline's varied numbers are in each set ``[set, number]``."""
        first = self._uncertain[0]
        return np.array([first.values(row)[first.columns] for row in self.quantiles]).reshape(self.sets, len(self.varied))

    # ----------------------------------------------------------------------------------------------------- identity

    @cached_property
    def settings(self) -> dict[str, Any]:
        """Everything that decides results, flat: the experiment, the scenarios, and the rules of the model."""
        rules = hashlib.sha256()
        for path in rule_files():
            rules.update(f"{path.relative_to(PACKAGE).as_posix()}\x1f".encode() + path.read_bytes())
        return {**settings_of(self.experiment), "rules of the model": rules.hexdigest()[:16]}

    @cached_property
    def digest(self) -> str:
        """Hash of the settings: two sweeps with the same digest have the same results."""
        return hashlib.sha256(json.dumps(self.settings, sort_keys=True, default=str).encode()).hexdigest()[:20]


class Uncertain:
    """The uncertain numbers of one scenario: where the sampled ones stand, and what a row of quantiles makes of them."""

    def __init__(self, scenario: Scenario, varied: list[str], design: UncertaintyDesign) -> None:
        numbers = uncertain_numbers(scenario)
        own = {number.name: column for column, number in enumerate(numbers)}
        self.sampled = [k for k, name in enumerate(varied) if name in own]  # columns of the quantiles this scenario has
        self.columns = np.array([own[varied[k]] for k in self.sampled], dtype=np.int64)
        self.best = np.array([number.value for number in numbers])
        self.from_file, self.uniform = design.design == "file", design.distribution == "uniform" or design.design == "morris"
        ranges = [stated_range(numbers[column], design) for column in self.columns]
        self.low, self.high = (np.array([ends[k] for ends in ranges]) for k in (0, 1))
        self.mode = np.clip(self.best[self.columns], self.low, self.high)
        self.sets = AssumptionSets(scenario, numbers, self.best[None])

    def values(self, quantiles: Floats) -> Floats:
        """All numbers ``[number]``: the best guesses, and in place of those that are sampled what the quantiles say."""
        row = self.best.copy()
        drawn = quantiles[self.sampled]
        if drawn.size and not np.isnan(drawn).any():
            if self.from_file:
                row[self.columns] = drawn
            elif self.uniform:
                row[self.columns] = self.low + drawn * (self.high - self.low)
            else:
                row[self.columns] = triangular_quantile(drawn, self.low, self.mode, self.high)
        return row


def stated_range(number: UncertainNumber, design: UncertaintyDesign) -> tuple[float, float]:
    """Low and high of an uncertain number: what the experiment states, else the registered range."""
    stated = design.vary.get(number.name) or design.vary.get(number.name.removeprefix("uncertainties."), Varied())
    if stated.low is None or stated.high is None:
        return number.low, number.high
    return stated.low, stated.high


def make_plan(experiment: Experiment) -> Plan:
    """Lay an experiment out. Raises CspsimError when a design needs a library that is not there."""
    varied = _varied(experiment)
    rows = _luck_rows(experiment)
    return Plan(experiment, _policies(experiment), varied, _quantiles(experiment, varied, rows), rows)


def _policies(experiment: Experiment) -> Policies:
    named = list(experiment.policies)
    levers = list(experiment.lever_ranges)
    points = _lever_points(experiment) if levers else np.empty((0, 0))
    names = named + [_policy_name(len(named) + k, levers, point) for k, point in enumerate(points)]
    settings = np.full((len(names), len(levers)), np.nan)
    settings[len(named) :] = points
    against = np.zeros(len(names), dtype=np.int64)
    scenario = np.zeros(len(names), dtype=np.int64)
    for k, name in enumerate(named):
        against[k], scenario[k] = named.index(experiment.against[name]), k
    return Policies(names, against, scenario, levers, settings)


def _policy_name(number: int, levers: list[str], point: Floats) -> str:
    """A setting of levers in words, where it is short enough to be a name."""
    if len(levers) > LEVERS_IN_A_NAME:
        return f"policy {number}"
    return ", ".join(f"{lever} {value:.4g}" for lever, value in zip(levers, point, strict=True))


def _lever_points(experiment: Experiment) -> Floats:
    """Values ``[point, lever]``: a sample of the ranges, every combination, or lists side by side."""
    design, ranges = experiment.data.levers, list(experiment.lever_ranges.values())
    if design.design in ("full-factorial", "list"):
        values = [entry.values or np.linspace(entry.low or 0.0, entry.high or 0.0, design.levels).tolist() for entry in ranges]
        return every_combination(values) if design.design == "full-factorial" else np.array(values).T
    names = [f"levers.{name}" for name in experiment.lever_ranges]
    quantiles = sampled(design.design, names, design.points, experiment.data.seed, design.levels, design.second_order)
    low, high = (np.array([getattr(entry, end) for entry in ranges], dtype=float) for end in ("low", "high"))
    return low + quantiles * (high - low)


def _varied(experiment: Experiment) -> list[str]:
    """Full names of the numbers that are sampled: those of the file, those named, or all that are uncertain."""
    design = experiment.data.uncertainties
    if experiment.given_sets is not None:
        return [name if "." in name else f"uncertainties.{name}" for name in experiment.given_sets[0]]
    if design.design == "best-guess":
        return []
    wanted = design.only if design.only is not None else list(design.vary)
    full = {name if "." in name else f"uncertainties.{name}" for name in wanted}
    known = dict.fromkeys(number.name for scenario in experiment.policies.values() for number in uncertain_numbers(scenario))
    return [name for name in known if name in full or not full]


def _quantiles(experiment: Experiment, varied: list[str], rows: Words | None) -> Floats:
    design, seed = experiment.data.uncertainties, experiment.data.seed
    best = np.full((int(design.best_guess), len(varied)), np.nan)
    if experiment.given_sets is not None:
        drawn = np.array(experiment.given_sets[1], dtype=float)
    elif not varied:
        return np.full((1, 0), np.nan)
    elif rows is not None:
        drawn = latin_hypercube(varied, int(rows[:, PARAMETERS].max()) + 1, seed)
    else:
        drawn = sampled(design.design, varied, design.points, seed, design.levels, design.second_order)
    return np.concatenate([best, drawn])


def _luck_rows(experiment: Experiment) -> Words | None:
    luck = experiment.data.luck
    if luck.design == "replicates":
        return None
    from cspsim.sweep.luck_design import luck_design

    return luck_design(luck.base, luck.groups or STREAMS)
