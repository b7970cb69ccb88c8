"""A search file: which levers may be moved, the budget they share, what counts as harm, and how long to search."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import Field

from cspsim.basics.errors import FileError, ScenarioError, did_you_mean
from cspsim.model.parameters import Levers
from cspsim.model.tallies import Tally
from cspsim.running.outcomes import OUTCOMES
from cspsim.scenario.scenario import Scenario, load_scenario
from cspsim.scenario.schema import FileSection, Month, PoundsPerYear, register_of
from cspsim.sweep.toml_file import FileReader, find_file

Counted = Literal["grant_spent", "own_priorities", "partner_hours"]
Objective = Literal["cost", "harm", "downside"]
Method = Literal["kriging", "sobol", "random"]

COUNTED: dict[Counted, Tally] = {"grant_spent": Tally.SPENT, "own_priorities": Tally.OWN_PRIORITIES, "partner_hours": Tally.HOURS_COST}
"""What may count towards the budget: the denominator of the benefit-cost ratio, in its three parts."""

UNPRICED = ("mainstream",)
"""Levers whose cost no tally counts: they may be moved only at a stated price."""


class SearchError(FileError):
    """A search cannot be used."""

    kind = "search"


class MovedLever(FileSection):
    """A lever that may be moved: its range (the register's if not given), from which month, in steps, at a price.

    ``price``: what one unit of the lever costs a year, beyond what the model charges for it already.
    """

    low: float | None = Field(default=None, allow_inf_nan=False)
    high: float | None = Field(default=None, allow_inf_nan=False)
    step: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    from_month: Month | None = Field(default=None, alias="from")
    price: PoundsPerYear | None = None


class FixedBudget(FileSection):
    """The fixed total: so many times what the baseline costs, or an amount over the outcome window; and what counts."""

    times_baseline: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    pounds: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    counts: list[Counted] = Field(default_factory=lambda: list(COUNTED), min_length=1)


class Retest(FileSection):
    """The second look at what was chosen: fresh assumption sets, fresh luck, and how many of the best mixes."""

    assumption_sets: int = Field(default=64, ge=2, le=10_000)
    replicates: int = Field(default=4, ge=1, le=10_000)
    finalists: int = Field(default=12, ge=0, le=200)


class SearchData(FileSection):
    """A whole search file."""

    title: str
    question: str
    context: str = ""
    baseline: str = "baseline"
    references: list[str] = Field(default_factory=list)
    harm: str = "cost_of_crime"
    objectives: list[Objective] = Field(default_factory=lambda: list[Objective](["cost", "harm", "downside"]), min_length=1)
    downside: float = Field(default=0.9, ge=0.5, le=1)
    left_alone: float = Field(default=0.5, ge=0, lt=1)
    methods: list[Method] = Field(default_factory=lambda: list[Method](["kriging", "sobol"]), min_length=1)
    trials: int = Field(default=250, ge=2, le=10_000)
    assumption_sets: int = Field(default=32, ge=2, le=10_000)
    replicates: int = Field(default=4, ge=1, le=10_000)
    seed: int = Field(default=1, ge=0, le=2**63 - 1)
    budget: FixedBudget
    retest: Retest = Retest()
    levers: dict[str, MovedLever] = Field(min_length=1)


class Dimension(NamedTuple):
    """A lever of a search with everything filled in."""

    name: str
    low: float
    high: float
    step: float | None
    from_month: str | None
    price: float


@dataclass(frozen=True, eq=False)
class Search:
    """A search file that has passed every check.

    Attributes:
        name, path: of the file. data: what it says. dimensions: the levers that may be moved.
        baseline: what every effect is measured against. references: name -> scenario.
    """

    name: str
    path: Path
    data: SearchData
    dimensions: tuple[Dimension, ...]
    baseline: Scenario
    references: dict[str, Scenario]

    @property
    def prices(self) -> dict[str, float]:
        """Lever -> £ a year for one unit of it, where the file states one."""
        return {dimension.name: dimension.price for dimension in self.dimensions if dimension.price}


def load_search(name: str | Path) -> Search:
    """Read a search from a path, or a shipped one by name. Raises SearchError with every fault, file and line."""
    path = find_file(name, SearchError)
    reader = FileReader(path, SearchError)
    data = reader.read(SearchData)
    baseline = _scenario(data.baseline, ("baseline",), reader)
    dimensions = [_dimension(name, entry, baseline, reader) for name, entry in data.levers.items()]
    references = {name: _reference(name, data, baseline, reader) for name in data.references}
    _check_budget(data, reader)
    _check_harm(data, reader)
    for key in ("objectives", "methods", "references"):
        _check_once(getattr(data, key), key, reader)
    reader.finish()
    if baseline is None:
        raise reader.error()
    moved = tuple(dimension for dimension in dimensions if dimension is not None)
    kept = {name: scenario for name, scenario in references.items() if scenario is not None}
    return Search(path.stem, path, data, moved, baseline, kept)


def _scenario(name: str, key: tuple[str, ...], reader: FileReader) -> Scenario | None:
    try:
        return load_scenario(name, (reader.path.parent,))
    except ScenarioError as error:
        reader.adopt(error, key)
        return None


def _reference(name: str, data: SearchData, baseline: Scenario | None, reader: FileReader) -> Scenario | None:
    """A reference runs on the baseline's ground and spends no money that the budget does not see."""
    scenario = _scenario(name, ("references",), reader)
    if scenario is None or baseline is None:
        return scenario
    if list(scenario.data.partnerships) != list(baseline.data.partnerships) or scenario.data.time != baseline.data.time:
        reader.blame(("references",), f'"{name}" covers other partnerships or months than the baseline: their runs cannot be paired')
    priced = {lever for lever, entry in data.levers.items() if entry.price is not None}
    unseen = [f"levers.{lever}." for lever in UNPRICED if lever not in priced]
    hidden = [key for key in scenario.differences_from(baseline) if key.startswith("authorities.") or key.startswith(tuple(unseen))]
    if hidden:
        reader.blame(("references",), f'"{name}" changes {hidden[0]}, whose money the budget does not count: its cost cannot be compared')
    return scenario


def _dimension(name: str, entry: MovedLever, baseline: Scenario | None, reader: FileReader) -> Dimension | None:
    key = ("levers", name)
    if name not in Levers._fields:
        reader.blame(key, f'no lever is called "{name}"', did_you_mean(name, Levers._fields))
        return None
    register = register_of(Levers)[name]
    low = register.low if entry.low is None else entry.low
    high = register.high if entry.high is None else entry.high
    for part, value in (("low", low), ("high", high)):
        if not register.low <= value <= register.high:
            message = f"{value:g} is out of range: expected {register.low:g} to {register.high:g} ({register.unit})"
            reader.blame((*key, part), message)
    if not low < high:
        reader.blame(key, f"low ({low:g}) is not below high ({high:g})")
    elif entry.step is not None and entry.step > high - low:
        reader.blame((*key, "step"), f"a step of {entry.step:g} is wider than the range, {low:g} to {high:g}")
    if name in UNPRICED and entry.price is None:
        reader.blame(
            key, "lacks price: the model does not count this money, so the lever would be free", "price = { value = ... } in £ a year"
        )
    if entry.from_month is not None and baseline is not None:
        _check_month(entry.from_month, (*key, "from"), baseline, reader)
    return Dimension(name, low, high, entry.step, entry.from_month, entry.price.value if entry.price else 0.0)


def _check_month(month: str, key: Sequence[str], baseline: Scenario, reader: FileReader) -> None:
    first, last = baseline.data.time.first_month, baseline.data.time.last_month
    if not first <= month <= last:
        reader.blame(tuple(key), f"{month} is not in the run: expected {first} to {last}")


def _check_budget(data: SearchData, reader: FileReader) -> None:
    if (data.budget.times_baseline is None) == (data.budget.pounds is None):
        reader.blame(("budget",), "expected either times_baseline or pounds", "times_baseline = 1 is what the baseline costs")
    _check_once(data.budget.counts, "counts", reader, ("budget", "counts"))


def _check_harm(data: SearchData, reader: FileReader) -> None:
    harms = [name for name, entry in OUTCOMES.items() if entry.better == -1 and entry.denominator is None]
    if data.harm not in OUTCOMES:
        reader.blame(("harm",), f'no outcome is called "{data.harm}"', did_you_mean(data.harm, harms))
    elif data.harm not in harms:
        reader.blame(("harm",), f"{data.harm} is no harm: expected a total of which less is better", did_you_mean(data.harm, harms))
    if "harm" not in data.objectives:
        reader.blame(("objectives",), 'lacks "harm": a search that does not ask for less harm finds the cheapest way to do nothing')


def _check_once(names: Sequence[str], what: str, reader: FileReader, key: tuple[str, ...] = ()) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        reader.blame(key or (what,), f'"{twice[0]}" stands there twice')


def trial_settings(search: Search) -> dict[str, Any]:
    """Everything the trials depend on, in words a reader can compare: what must not change before a search is resumed."""
    data = search.data
    said: dict[str, Any] = {
        "baseline": search.baseline.digest,
        "harm": data.harm,
        "objectives": ", ".join(data.objectives),
        "downside": data.downside,
        "left_alone": data.left_alone,
        "assumption_sets": data.assumption_sets,
        "replicates": data.replicates,
        "seed": data.seed,
        "budget.times_baseline": data.budget.times_baseline,
        "budget.pounds": data.budget.pounds,
        "budget.counts": ", ".join(data.budget.counts),
    }
    for dimension in search.dimensions:
        step = f" in steps of {dimension.step:.12g}" if dimension.step else ""
        price = f" at £{dimension.price:.12g} a year" if dimension.price else ""
        since = f" from {dimension.from_month}" if dimension.from_month else ""
        said[f"levers.{dimension.name}"] = f"{dimension.low:.12g} to {dimension.high:.12g}{step}{since}{price}"
    return said
