"""What an experiment file may say: a question, what somebody decides, what nobody knows, how often, and what is kept.

Three spaces that never mix. *Policies* are decisions: named scenarios and settings of levers. *Assumption sets* are what
nobody knows: sampled uncertainties, the same sets under every policy. *Luck* is the rest: replicates, the same in every
policy. An effect is always the paired difference of two policies under the same assumptions and the same luck.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from cspsim.basics.errors import FileError
from cspsim.scenario.scenario import Scenario
from cspsim.scenario.schema import FileSection

BASELINE = "baseline"
"""The name under which a policy may be measured against the experiment's own baseline."""

LARGEST_SEED = 2**64 - 1


class ExperimentError(FileError):
    """An experiment cannot be used."""

    kind = "experiment"


class Varied(FileSection):
    """What one number may be: a range, or the values themselves."""

    low: float | None = Field(default=None, allow_inf_nan=False)
    high: float | None = Field(default=None, allow_inf_nan=False)
    values: list[float] | None = Field(default=None, min_length=1)


class NamedPolicy(FileSection):
    """A policy with a name: a scenario, or the baseline, with changes. Its effect is taken against ``against``."""

    title: str = ""
    scenario: str | None = None
    changes: dict[str, Any] = Field(default_factory=dict)
    against: str = BASELINE


class LeverDesign(FileSection):
    """Levers that are varied and how: every combination, a list of values side by side, or a sample of the ranges."""

    design: Literal["full-factorial", "list", "latin-hypercube", "sobol", "morris", "saltelli"] = "full-factorial"
    points: int = Field(default=64, ge=1, le=1_000_000)
    levels: int = Field(default=4, ge=2, le=100)
    second_order: bool = False
    vary: dict[str, Varied] = Field(default_factory=dict)


class UncertaintyDesign(FileSection):
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


class LuckDesign(FileSection):
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


class Keep(FileSection):
    """Which tables are stored: runs of the area or of every partnership, monthly series, authorities."""

    runs: Literal["area", "partnerships"] = "partnerships"
    months: bool = False
    authorities: bool = False


class ExperimentData(FileSection):
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


def lever_changes(name: str, value: float, first_month: str) -> dict[str, Any]:
    """The changes of a scenario that set a lever: a bare name sets its level in all months, a dotted one as it says."""
    if "." in name:
        return {f"levers.{name}": value}
    return {f"levers.{name}": {"path": {first_month: value}, "replace": True, "multiplier": 1.0, "shift": 0.0}}


def experiment_settings(experiment: Experiment) -> dict[str, Any]:
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
