"""What a hypothesis file may say: what is claimed before the run, of which comparison and size, and what else could explain it."""

from typing import Any, Literal

from pydantic import Field

from cspsim.scenario.schema import FileSection


class ComparisonSide(FileSection):
    """One side of a comparison: a scenario (or stack of them) with dotted changes."""

    scenario: str = "baseline"
    changes: dict[str, Any] = Field(default_factory=dict)


class Reference(ComparisonSide):
    """What the treatment is compared with: a scenario on the same luck, or a stated value."""

    value: float | None = Field(default=None, allow_inf_nan=False)


class Stated(FileSection):
    """One hypothesis as the file states it."""

    statement: str = Field(min_length=1)
    source: str = Field(min_length=1)
    strength: Literal["A", "B", "C", "D"]
    pattern: str = ""
    outcome: str
    partnership: str | None = None
    direction: Literal["higher", "lower", "same"]
    smallest_effect: float = Field(gt=0, allow_inf_nan=False)
    smallest_is: Literal["relative", "absolute"]
    reference: Reference = Reference()
    treatment: ComparisonSide
    mechanism: str = ""
    without: dict[str, Any] = Field(default_factory=dict)
    null: dict[str, Any] = Field(default_factory=dict)
    rival: str = Field(min_length=1)


class FileData(FileSection):
    """A whole hypothesis file: the design that all its hypotheses share, and the hypotheses by name."""

    title: str
    question: str = ""
    context: str = ""
    significance: float = Field(gt=0, lt=0.5)
    replicates: int = Field(ge=10, le=100_000)
    assumption_sets: int = Field(ge=1, le=100_000)
    replicates_per_set: int = Field(default=2, ge=1, le=10_000)
    false_positives: int = Field(default=1000, ge=0, le=100_000)
    hypotheses: dict[str, Stated] = Field(min_length=1)
