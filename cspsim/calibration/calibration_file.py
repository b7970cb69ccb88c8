"""A calibration file: which numbers are to be learned, from which observed months and stylised facts, at what cost."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import Field

from cspsim.basics.errors import FileError, ScenarioError, did_you_mean
from cspsim.calibration.observed import Observed, ObservedError, read_observed
from cspsim.model.parameters import Status
from cspsim.running.assumptions import UncertainNumber, uncertain_numbers
from cspsim.running.outcomes import OUTCOMES
from cspsim.scenario.scenario import Scenario, load_scenario
from cspsim.scenario.schema import FileSection, Month, parse_month
from cspsim.scenario.world_building import add_months, calendar_of, months_between
from cspsim.sweep.toml_file import FileReader, find_file

LARGEST_SEED = 2**64 - 1
YEAR = 12
FEWEST_YEARS = 3


class CalibrationError(FileError):
    """A calibration cannot be used."""

    kind = "calibration"


class Fit(FileSection):
    """The observed months that are learned from: whole years.

    ``paths``: ``"free"`` compares only what dated paths of crime cannot take up (month noise, and how partnerships move
    apart), because the paths of a scenario were often derived from the same series; ``"known"`` compares levels too.
    """

    from_month: Month = Field(alias="from")
    to: Month
    paths: Literal["free", "known"] = "free"


class HeldBack(FileSection):
    """The first month of the year that is not learned from; ``earlier``: years before it that are forecast too."""

    from_month: Month = Field(alias="from")
    earlier: int = Field(default=0, ge=0, le=20)


class SoughtRange(FileSection):
    """The range in which a number is searched for; by default the scenario's or the register's own."""

    low: float | None = Field(default=None, allow_inf_nan=False)
    high: float | None = Field(default=None, allow_inf_nan=False)


class Sought(FileSection):
    """The numbers to be learned. ``others``: everything else that is uncertain is sampled, or left at its best guess."""

    others: Literal["sampled", "best-guess"] = "sampled"
    vary: dict[str, SoughtRange] = Field(min_length=1)


class Fact(FileSection):
    """A stylised fact about an outcome over the fitted months.

    Either a value with a tolerance (one standard deviation), or a range that holds the truth nine times of ten.
    """

    value: float | None = Field(default=None, allow_inf_nan=False)
    tolerance: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    low: float | None = Field(default=None, allow_inf_nan=False)
    high: float | None = Field(default=None, allow_inf_nan=False)
    status: Status
    source: str


class Discrepancy(FileSection):
    """How far the best possible setting of the model may still miss what is observed: standard deviations of logs."""

    month_noise: float = Field(default=0.1, ge=0)
    movement: float = Field(default=0.15, ge=0)
    level: float = Field(default=0.05, ge=0)


class RunBudget(FileSection):
    """Runs of the first wave and of each later one, sets of the posterior, runs of a forecast, synthetic data sets."""

    runs: int = Field(default=6000, ge=200, le=1_000_000)
    waves: int = Field(default=2, ge=1, le=10)
    wave_runs: int = Field(default=3000, ge=100, le=1_000_000)
    posterior_sets: int = Field(default=1000, ge=20, le=100_000)
    forecast_runs: int = Field(default=600, ge=100, le=100_000)
    synthetic: int = Field(default=20, ge=5, le=1000)


class CalibrationData(FileSection):
    """A whole calibration file."""

    title: str
    question: str
    context: str = ""
    scenario: str
    observed: str
    seed: int = Field(default=1, ge=0, le=LARGEST_SEED)
    fit: Fit
    held_back: HeldBack | None = None
    uncertainties: Sought
    targets: dict[str, Fact] = Field(default_factory=dict)
    discrepancy: Discrepancy = Discrepancy()
    budget: RunBudget = RunBudget()


@dataclass(frozen=True, eq=False)
class Calibration:
    """A calibration file that has passed every check.

    Attributes:
        name, path: of the file. data: what it says. scenario, observed: what it names.
        numbers: what is to be learned, with its ranges. others: everything else that is uncertain.
        facts: outcome -> (value, standard deviation) of each stylised fact.
    """

    name: str
    path: Path
    data: CalibrationData
    scenario: Scenario
    observed: Observed
    numbers: tuple[UncertainNumber, ...]
    others: tuple[UncertainNumber, ...]
    facts: Mapping[str, tuple[float, float]]

    @property
    def window(self) -> tuple[date, date]:
        """First and last month that is learned from."""
        return parse_month(self.data.fit.from_month), parse_month(self.data.fit.to)

    @property
    def held_back(self) -> list[date]:
        """First months of the years to forecast, the held-back year first."""
        if self.data.held_back is None:
            return []
        first = parse_month(self.data.held_back.from_month)
        return [add_months(first, -YEAR * k) for k in range(self.data.held_back.earlier + 1)]


def load_calibration(name: str | Path) -> Calibration:
    """Read a calibration from a path, or a shipped one by name. Raises CalibrationError with every fault, file and line."""
    path = find_file(name, CalibrationError)
    reader = FileReader(path, CalibrationError)
    data = reader.read(CalibrationData)
    scenario = _scenario(data, reader)
    observed = _observed(data, scenario, reader)
    sought, others = _numbers(data, scenario, reader)
    facts = _facts(data, reader)
    if scenario is not None and observed is not None:
        _check_dates(data, scenario, observed, reader)
    reader.finish()
    assert scenario is not None
    assert observed is not None
    return Calibration(path.stem, path, data, scenario, observed, sought, others, facts)


def _scenario(data: CalibrationData, reader: FileReader) -> Scenario | None:
    try:
        return load_scenario(data.scenario, (reader.path.parent,))
    except ScenarioError as error:
        reader.adopt(error, ("scenario",))
        return None


def _observed(data: CalibrationData, scenario: Scenario | None, reader: FileReader) -> Observed | None:
    if scenario is None:
        return None
    try:
        return read_observed(reader.path.parent / data.observed, scenario)
    except ObservedError as error:
        reader.adopt(error, ("observed",))
        return None


def _numbers(
    data: CalibrationData, scenario: Scenario | None, reader: FileReader
) -> tuple[tuple[UncertainNumber, ...], tuple[UncertainNumber, ...]]:
    """What is to be learned, with its range, and everything else that is uncertain."""
    known = {number.name: number for number in uncertain_numbers(scenario)} if scenario else {}
    sought = {}
    for name, own in data.uncertainties.vary.items():
        key = ("uncertainties", "vary", name)
        number = known.get(name) or known.get(f"uncertainties.{name}")
        if number is None:
            bare = sorted(full.removeprefix("uncertainties.") for full in known)
            reader.blame(key, f'nothing uncertain is called "{name}"', did_you_mean(name, bare))
            continue
        low, high = (given if given is not None else own_end for given, own_end in ((own.low, number.low), (own.high, number.high)))
        if not low < high:
            reader.blame(key, f"low ({low:g}) is not below high ({high:g})")
        best = min(max(number.value, low), high)
        sought[number.name] = number._replace(low=low, high=high, value=best)
    return tuple(sought.values()), tuple(number for name, number in known.items() if name not in sought)


def _facts(data: CalibrationData, reader: FileReader) -> dict[str, tuple[float, float]]:
    found = {}
    for name, fact in data.targets.items():
        key = ("targets", name)
        if name not in OUTCOMES:
            reader.blame(key, f'no outcome is called "{name}"', did_you_mean(name, OUTCOMES))
        elif fact.value is not None and fact.tolerance is not None and fact.low is None and fact.high is None:
            found[name] = (fact.value, fact.tolerance)
        elif fact.low is not None and fact.high is not None and fact.value is None and fact.tolerance is None:
            if not fact.low < fact.high:
                reader.blame(key, f"low ({fact.low:g}) is not below high ({fact.high:g})")
            found[name] = ((fact.low + fact.high) / 2, (fact.high - fact.low) / 2 / NINE_OF_TEN)
        else:
            reader.blame(key, "expected value and tolerance, or low and high")
    return found


NINE_OF_TEN = 1.6449
"""Half of the range that holds a normal draw nine times of ten, in standard deviations."""


def _check_dates(data: CalibrationData, scenario: Scenario, observed: Observed, reader: FileReader) -> None:
    first, last = parse_month(data.fit.from_month), parse_month(data.fit.to)
    length = months_between(first, last) + 1
    if length < FEWEST_YEARS * YEAR or length % YEAR:
        reader.blame(("fit",), f"{length} months: expected whole years, at least {FEWEST_YEARS}")
    if data.fit.paths == "free" and len(observed.partnerships) < 2:
        reader.blame(("fit", "paths"), "with one partnership nothing tells a free path from slow shocks", 'say paths = "known"')
    months = calendar_of(scenario.data).reported
    latest = last
    if data.held_back is not None:
        held = parse_month(data.held_back.from_month)
        key = ("held_back", "from")
        latest = add_months(held, YEAR - 1)
        if held != add_months(last, 1):
            reader.blame(key, f"{held:%Y-%m} does not follow the fitted months: expected {add_months(last, 1):%Y-%m}")
        if length - YEAR * data.held_back.earlier < FEWEST_YEARS * YEAR:
            reader.blame(("held_back", "earlier"), f"leaves fewer than {FEWEST_YEARS} years to learn from before the first forecast")
    for what, (begin, end) in {
        "observed crime": (observed.months[0], observed.months[-1]),
        f"the scenario {scenario.name}": (months[0], months[-1]),
    }.items():
        if first < begin or latest > end:
            reader.blame(("fit",), f"{first:%Y-%m} to {latest:%Y-%m} is not covered: {what} runs from {begin:%Y-%m} to {end:%Y-%m}")
