"""An experiment file: a question, what somebody decides, what nobody knows, how often, and what is kept.

Three spaces that never mix. *Policies* are decisions: named scenarios and settings of levers. *Assumption sets* are what
nobody knows: sampled uncertainties, the same sets under every policy. *Luck* is the rest: replicates, the same in every
policy. An effect is always the paired difference of two policies under the same assumptions and the same luck.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from cspsim.assumptions import uncertain_numbers
from cspsim.errors import FileError, ScenarioError, did_you_mean
from cspsim.luck import STREAMS
from cspsim.outcomes import MAIN, OUTCOMES
from cspsim.parameters import Levers
from cspsim.scenario import Scenario, load_scenario
from cspsim.schema import Section, register_of
from cspsim.sweep.toml_file import FileReader, find_file

BASELINE = "baseline"
"""The name under which a policy may be measured against the experiment's own baseline."""

LARGEST_SEED = 2**64 - 1

SAMPLED = Literal["latin-hypercube", "sobol", "morris", "saltelli"]


class ExperimentError(FileError):
    """An experiment cannot be used."""

    kind = "experiment"


class Varied(Section):
    """What one number may be: a range, or the values themselves."""

    low: float | None = Field(default=None, allow_inf_nan=False)
    high: float | None = Field(default=None, allow_inf_nan=False)
    values: list[float] | None = Field(default=None, min_length=1)


class NamedPolicy(Section):
    """A policy with a name: a scenario, or the baseline, with changes. Its effect is taken against ``against``."""

    title: str = ""
    scenario: str | None = None
    changes: dict[str, Any] = Field(default_factory=dict)
    against: str = BASELINE


class LeverDesign(Section):
    """Levers that are varied and how: every combination, a list of values side by side, or a sample of the ranges."""

    design: Literal["full-factorial", "list", "latin-hypercube", "sobol", "morris", "saltelli"] = "full-factorial"
    points: int = Field(default=64, ge=1, le=1_000_000)
    levels: int = Field(default=4, ge=2, le=100)
    second_order: bool = False
    vary: dict[str, Varied] = Field(default_factory=dict)


class UncertaintyDesign(Section):
    """Uncertainties that are sampled and how. ``vary``: ``"all"``, or the numbers with their own ranges.

    ``triangular`` draws between low and high with the best guess as mode; ``uniform`` knows no best guess.
    ``from``: a CSV file with one row per set and dotted names as columns, such as a posterior.
    """

    design: Literal["best-guess", "latin-hypercube", "sobol", "morris", "saltelli", "file"] = "best-guess"
    points: int = Field(default=32, ge=1, le=1_000_000)
    levels: int = Field(default=4, ge=2, le=100)
    second_order: bool = False
    distribution: Literal["triangular", "uniform"] = "triangular"
    best_guess: bool = True
    only: list[str] | None = None
    vary: dict[str, Varied] = Field(default_factory=dict)
    from_file: str | None = Field(default=None, alias="from")


class LuckDesign(Section):
    """How often: a number of replicates, a precision to reach, or a design that tells the streams of luck apart.

    ``fresh``: every assumption set has luck of its own (then what luck is left is independent between sets), or all
    sets share it. ``precision``: half the width of the 95 % interval of the primary effect, as a share of the baseline's value.
    """

    replicates: int = Field(default=10, ge=1, le=1_000_000)
    precision: float | None = Field(default=None, gt=0, lt=1)
    most: int = Field(default=6400, ge=2)
    first_replicate: int = Field(default=0, ge=0)
    fresh: bool | None = None
    design: Literal["replicates", "saltelli"] = "replicates"
    base: int = Field(default=256, ge=2, le=100_000)
    groups: list[str] | None = None


class Keep(Section):
    """Which tables are stored: runs of the area or of every partnership, monthly series, authorities."""

    runs: Literal["area", "partnerships"] = "partnerships"
    months: bool = False
    authorities: bool = False


class ExperimentData(Section):
    """A whole experiment file."""

    title: str
    question: str
    context: str = ""
    baseline: str = "baseline"
    seed: int = Field(default=1, ge=0, le=LARGEST_SEED)
    primary_outcome: str | None = None
    outcomes: list[str] = Field(default_factory=lambda: ["main"])
    everywhere: dict[str, Any] = Field(default_factory=dict)
    policies: dict[str, NamedPolicy] = Field(default_factory=dict)
    levers: LeverDesign = LeverDesign()
    uncertainties: UncertaintyDesign = UncertaintyDesign()
    luck: LuckDesign = LuckDesign()
    keep: Keep = Keep()


@dataclass(frozen=True, eq=False)
class Experiment:
    """An experiment that has been found to be in order.

    Attributes:
        name, path: of the file. data: what it says.
        policies: name -> scenario, the baseline first, then the named ones; settings of levers are made by ``design``.
        against: name of a policy -> name of the policy its effect is taken against.
        lever_ranges: name of a varied lever -> (low, high) or its values.
        outcomes: names of what is stored, the primary outcome first.
        given_sets: names and rows of an assumption-set file, if one is named.
    """

    name: str
    path: Path
    data: ExperimentData
    policies: Mapping[str, Scenario]
    against: Mapping[str, str]
    lever_ranges: Mapping[str, Varied]
    outcomes: tuple[str, ...]
    given_sets: tuple[list[str], list[list[float]]] | None = None

    @property
    def baseline(self) -> Scenario:
        """Policy 0."""
        return next(iter(self.policies.values()))

    @property
    def primary(self) -> str:
        """The outcome the question is about."""
        return self.outcomes[0]


def load_experiment(name: str | Path) -> Experiment:
    """Read an experiment from a path, or a shipped one by name. Raises ExperimentError with every fault, file and line."""
    path = find_file(name, ExperimentError)
    reader = FileReader(path, ExperimentError)
    data = reader.read(ExperimentData)
    policies = _policies(data, reader)
    _check_against(data, reader)
    ranges = _lever_ranges(data, policies.get(BASELINE), reader)
    outcomes = _outcomes(data, policies.get(BASELINE), reader)
    given = _uncertainties(data, policies.get(BASELINE), reader)
    _luck(data, reader)
    reader.finish()
    against = {name: entry.against for name, entry in data.policies.items()}
    return Experiment(path.stem, path, data, policies, {BASELINE: BASELINE, **against}, ranges, outcomes, given)


def _policies(data: ExperimentData, reader: FileReader) -> dict[str, Scenario]:
    found: dict[str, Scenario] = {}
    wanted = {BASELINE: NamedPolicy(scenario=data.baseline), **data.policies}
    if BASELINE in data.policies:
        reader.blame(("policies", BASELINE), "this name is taken by the experiment's own baseline", "choose another name")
    for name, entry in wanted.items():
        key = ("baseline",) if name == BASELINE else ("policies", name)
        try:
            scenario = load_scenario(entry.scenario or data.baseline, (reader.path.parent,))
            changes = {**data.everywhere, **entry.changes}
            found[name] = scenario.with_changes(changes, name=scenario.name) if changes else scenario
        except ScenarioError as error:
            reader.adopt(error, key)
    base = found.get(BASELINE)
    for name, scenario in found.items():
        if base is not None and list(scenario.data.partnerships) != list(base.data.partnerships):
            reader.blame(("policies", name), "other partnerships than the baseline's: their runs cannot be paired")
        elif base is not None and scenario.data.time != base.data.time:
            reader.blame(("policies", name), "another time span or outcome window than the baseline's: their runs cannot be paired")
    return found


def _check_against(data: ExperimentData, reader: FileReader) -> None:
    for name, entry in data.policies.items():
        if entry.against != BASELINE and entry.against not in data.policies:
            hint = did_you_mean(entry.against, [BASELINE, *data.policies])
            reader.blame(("policies", name, "against"), f'no policy is called "{entry.against}"', hint)
        elif entry.against == name:
            reader.blame(("policies", name, "against"), "a policy cannot be measured against itself", 'leave it out to use "baseline"')


def lever_changes(name: str, value: float, first_month: str) -> dict[str, Any]:
    """The changes of a scenario that set a lever: a bare name sets its level in all months, a dotted one as it says."""
    if "." in name:
        return {f"levers.{name}": value}
    return {f"levers.{name}": {"path": {first_month: value}, "replace": True, "multiplier": 1.0, "shift": 0.0}}


def _lever_ranges(data: ExperimentData, baseline: Scenario | None, reader: FileReader) -> dict[str, Varied]:
    """Every varied lever with its range or values; both ends are tried on the baseline."""
    found = {}
    for name, varied in data.levers.vary.items():
        key = ("levers", "vary", name)
        lever, _, part = name.partition(".")
        if lever not in Levers._fields or part not in ("", "multiplier", "shift"):
            options = [f"{known}{end}" for known in Levers._fields for end in ("", ".multiplier", ".shift")]
            reader.blame(key, f'no lever is called "{name}"', did_you_mean(name, options))
            continue
        entry = register_of(Levers)[lever]
        low = varied.low if varied.low is not None else (entry.low if not part else None)
        high = varied.high if varied.high is not None else (entry.high if not part else None)
        if varied.values is None and (low is None or high is None):
            reader.blame(key, "lacks low and high, or values", "a lever's multiplier or shift has no range of its own")
            continue
        if not _fits_design(varied, data.levers.design, low, high, key, reader):
            continue
        for value in (low, high) if varied.values is None else sorted({min(varied.values), max(varied.values)}):
            _try_lever(name, float(value or 0), baseline, key, reader)
        found[name] = Varied(low=low, high=high, values=varied.values)
    if data.levers.design == "list" and len({len(varied.values or ()) for varied in found.values()}) > 1:
        reader.blame(("levers", "vary"), "lists of different lengths: the first values together are the first policy, and so on")
    return found


def _fits_design(varied: Varied, design: str, low: float | None, high: float | None, key: Sequence[str], reader: FileReader) -> bool:
    if varied.values is not None and design not in ("full-factorial", "list"):
        reader.blame((*key, "values"), f"values do not go with the design {design}", "give low and high")
    elif varied.values is None and design == "list":
        reader.blame(tuple(key), "lacks values", "a list names every value")
    elif varied.values is None and low is not None and high is not None and not low < high:
        reader.blame(tuple(key), f"low ({low:g}) is not below high ({high:g})")
    else:
        return True
    return False


def _try_lever(name: str, value: float, baseline: Scenario | None, key: Sequence[str], reader: FileReader) -> None:
    if baseline is None:
        return
    try:
        baseline.with_changes(lever_changes(name, value, baseline.data.time.first_month))
    except ScenarioError as error:
        for fault in error.faults:
            reader.blame(tuple(key), f"at {value:g}: {fault.message}", fault.hint)


def _outcomes(data: ExperimentData, baseline: Scenario | None, reader: FileReader) -> tuple[str, ...]:
    primary = data.primary_outcome or (baseline.data.primary_outcome if baseline else "cost_of_crime")
    groups = {"all": list(OUTCOMES), "main": list(MAIN)}
    for name in (primary, *data.outcomes):
        if name not in OUTCOMES and name not in groups:
            key = ("primary_outcome",) if name == primary else ("outcomes",)
            reader.blame(key, f'no outcome is called "{name}"', did_you_mean(name, [*OUTCOMES, *groups]))
    wanted = [primary, *(inner for name in data.outcomes for inner in groups.get(name, [name]))]
    return tuple(dict.fromkeys(wanted))


def _uncertainties(data: ExperimentData, baseline: Scenario | None, reader: FileReader) -> tuple[list[str], list[list[float]]] | None:
    """Checks the numbers that are varied; reads the file of assumption sets if one is named."""
    design = data.uncertainties
    known = {number.name for number in uncertain_numbers(baseline)} if baseline else set()
    for place, names in (("only", design.only or []), ("vary", list(design.vary))):
        for name in names:
            if baseline and name not in known and f"uncertainties.{name}" not in known:
                bare = [full.removeprefix("uncertainties.") for full in known]
                key = ("uncertainties", place) + ((name,) if place == "vary" else ())
                reader.blame(key, f'nothing uncertain is called "{name}"', did_you_mean(name, sorted(bare)))
    for name, varied in design.vary.items():
        key = ("uncertainties", "vary", name)
        if varied.values is not None:
            reader.blame((*key, "values"), "values do not go with a sample", "give low and high")
        elif (varied.low is None) != (varied.high is None):
            reader.blame(key, "give both low and high, or neither")
        elif varied.low is not None and varied.high is not None and not varied.low < varied.high:
            reader.blame(key, f"low ({varied.low:g}) is not below high ({varied.high:g})")
    if (design.from_file is None) != (design.design != "file"):
        reader.blame(("uncertainties", "from"), 'a file of assumption sets goes with design = "file"')
    if design.design != "file" or design.from_file is None or baseline is None:
        return None
    return read_sets(reader.path.parent / design.from_file, known, reader)


def read_sets(path: Path, known: set[str], reader: FileReader) -> tuple[list[str], list[list[float]]] | None:
    """Names and rows of a CSV file of assumption sets; faults go to ``reader``."""
    import pandas as pd

    key = ("uncertainties", "from")
    try:
        frame = pd.read_csv(path)
    except (OSError, ValueError) as error:
        reader.blame(key, f"{path} cannot be read: {str(error).splitlines()[0]}")
        return None
    frame = frame.drop(columns=[name for name in ("set", "weight") if name in frame])
    for name in frame.columns:
        if name not in known:
            reader.blame(key, f'{path.name}: column "{name}": nothing uncertain has this name', did_you_mean(str(name), sorted(known)))
        elif not pd.api.types.is_numeric_dtype(frame[name]) or not frame[name].notna().all():
            reader.blame(key, f'{path.name}: column "{name}": expected numbers only')
    return [str(name) for name in frame.columns], frame.to_numpy(dtype=object).tolist()


def _luck(data: ExperimentData, reader: FileReader) -> None:
    luck = data.luck
    if luck.design == "saltelli" and luck.precision is not None:
        reader.blame(("luck", "precision"), "a precision does not go with a design of luck", "give base, the number of base samples")
    if luck.design == "saltelli" and data.uncertainties.design not in ("best-guess", "latin-hypercube"):
        reader.blame(
            ("luck", "design"), "assumption sets are one of the streams of this design", 'take [uncertainties] out, or only say "only"'
        )
    for name in luck.groups or []:
        if name not in STREAMS:
            reader.blame(("luck", "groups"), f'no stream of luck is called "{name}"', did_you_mean(name, STREAMS))


def settings_of(experiment: Experiment) -> dict[str, Any]:
    """Everything that decides results, flat, by dotted key: what the digest is made of and what a change is told by."""
    said = experiment.data.model_dump(by_alias=True, exclude={"title", "question", "context"})
    flat: dict[str, Any] = {}

    def walk(value: Any, key: str) -> None:
        if isinstance(value, dict):
            for name, inner in value.items():
                walk(inner, f"{key}.{name}" if key else str(name))
        elif value is not None:
            flat[key] = value

    walk(said, "")
    flat |= {f"scenario of {name}": scenario.digest for name, scenario in experiment.policies.items()}
    if experiment.given_sets is not None:
        flat["sets of the file"] = experiment.given_sets
    return flat


__all__ = ["Experiment", "ExperimentData", "ExperimentError", "lever_changes", "load_experiment", "settings_of"]
