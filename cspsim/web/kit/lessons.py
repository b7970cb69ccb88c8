"""The lessons as ``lessons.toml`` tells them: checked against the model's own names, with what each one asks the model."""

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, NamedTuple
from urllib.parse import urlencode

from pydantic import Field

from cspsim.basics.errors import FileError, did_you_mean
from cspsim.basics.outward import for_shell
from cspsim.model.parameters import Levers
from cspsim.running.outcomes import OUTCOMES
from cspsim.running.results import AREA
from cspsim.scenario.scenario_files import scenario_names
from cspsim.scenario.schema import FileSection, register_of
from cspsim.scenario.toml_lines import write_value
from cspsim.sweep.toml_file import FileReader

LESSONS_FILE = Path(__file__).resolve().parent / "lessons.toml"
MINUTES = 20

Claim = Literal["higher", "same", "lower"]
CLAIMS: tuple[Claim, ...] = ("higher", "same", "lower")


class LessonError(FileError):
    """The file of lessons has faults."""

    kind = "lesson file"


class LessonStep(FileSection):
    """One step of a lesson."""

    minutes: int = Field(ge=1)
    title: str
    text: str


class OutcomeAsked(FileSection):
    """One outcome of a comparison: how the text reads the answer (``claim``), and what that means in words (``says``)."""

    outcome: str
    claim: Claim
    says: str
    place: str = AREA

    @property
    def name(self) -> str:
        """Its name inside the comparison: the outcome, and the partnership if it is not about the whole area."""
        return self.outcome if self.place == AREA else f"{self.outcome}.{self.place}"


class LessonComparison(FileSection):
    """A scenario against a baseline on the same luck, or against a fixed number, with what is asked of it."""

    about: str
    scenario: str
    changes: dict[str, Any] = Field(default_factory=dict)
    baseline: str | None = None
    baseline_changes: dict[str, Any] = Field(default_factory=dict)
    against: float | None = None
    figures: list[OutcomeAsked]

    @property
    def command(self) -> str:
        """The command line that asks the same; empty where no single one does (both arms changed, each in its own way)."""
        if self.baseline_changes:
            return ""
        scenarios = [self.scenario] if self.baseline is None else [self.baseline, self.scenario]
        changes = [part for key, value in self.changes.items() for part in ("--set", f"{key}={write_value(value)}")]
        return for_shell(["cspsim", "run" if self.baseline is None else "compare", *scenarios, *changes])

    def address(self, outcome: str) -> str:
        """Where Explore asks the same, with a lever held from a month on if one is; empty where it cannot."""
        if self.baseline is None or self.baseline_changes:
            return ""
        state = {"scenario": self.scenario, "baseline": self.baseline, "outcome": outcome}
        for key, value in self.changes.items():
            section, _, rest = key.partition(".")
            name, _, part = rest.partition(".")
            if section == "levers" and part == "path" and len(value) == 1:
                ((state["since"], held),) = value.items()
                state[f"levers.{name}"] = f"{held:g}"
            elif section != "levers" or part != "replace":
                return ""
        return f"/explore?{urlencode(state)}"


class Prediction(FileSection):
    """A question about one figure, to be answered before the reveal; which answer is right the figure says."""

    figure: str
    question: str
    higher: str
    same: str
    lower: str

    def answers(self) -> list[tuple[Claim, str]]:
        """Each answer under the claim it makes, in the order in which a page shows them."""
        return [("higher", self.higher), ("same", self.same), ("lower", self.lower)]


class Evidence(FileSection):
    """A finding, how strong the evidence for it is, and where it was read."""

    says: str
    strength: str
    source: str


class Lesson(FileSection):
    """One lesson of twenty minutes."""

    title: str
    question: str
    learning_point: str
    scenario: str
    baseline: str
    levers: list[str]
    outcome: str
    view: Literal["explore", "watch"]
    in_short: str
    stands: str
    materials: list[str]
    questions: list[str]
    leaves_out: list[str]
    steps: list[LessonStep]
    predictions: list[Prediction]
    comparisons: dict[str, LessonComparison]
    thesis: Evidence
    evidence: list[Evidence]

    def asked(self) -> Iterator[tuple[str, LessonComparison, OutcomeAsked]]:
        """Every figure under its name, ``comparison.outcome``, with the comparison it belongs to."""
        for key, compared in self.comparisons.items():
            for asked in compared.figures:
                yield f"{key}.{asked.name}", compared, asked


class Guide(FileSection):
    """How to run a lesson, and what 'how often' means."""

    how: list[str]
    often: list[str]


class Prompt(FileSection):
    """One line of the debrief sheet to write on."""

    ask: str
    lines: int = Field(ge=1)


class DebriefPart(FileSection):
    """One part of the debrief sheet."""

    title: str
    prompts: list[Prompt]


class DebriefSheet(FileSection):
    """The debrief sheet."""

    title: str
    lead: str
    parts: list[DebriefPart]


class LessonFile(FileSection):
    """Everything ``lessons.toml`` says."""

    strengths: dict[str, str]
    guide: Guide
    lessons: dict[str, Lesson]
    debrief: DebriefSheet


class NamedPlace(NamedTuple):
    """Where a name stands in the file, what it names, and what it may name."""

    key: tuple[str, ...]
    what: str
    name: str
    known: list[str]


@lru_cache(maxsize=1)
def load_lessons() -> LessonFile:
    """The shipped lessons. Raises LessonError with every fault of the file."""
    return read_lessons(LESSONS_FILE)


def read_lessons(path: Path) -> LessonFile:
    """A file of lessons. Raises LessonError for unknown keys, names the model does not know, and minutes that do not add up."""
    reader = FileReader(path, LessonError)
    found = reader.read(LessonFile)
    for key, lesson in found.lessons.items():
        for place in _names(lesson, list(found.strengths)):
            if place.name not in place.known:
                reader.blame(
                    ("lessons", key, *place.key), f'there is no {place.what} "{place.name}"', did_you_mean(place.name, place.known)
                )
        minutes = sum(step.minutes for step in lesson.steps)
        if minutes != MINUTES:
            reader.blame(("lessons", key, "steps"), f"the steps take {minutes} minutes: expected {MINUTES}")
        for name, compared in lesson.comparisons.items():
            if (compared.baseline is None) == (compared.against is None):
                reader.blame(("lessons", key, "comparisons", name), "expected a baseline or a number to compare against, one of the two")
    reader.finish()
    return found


def _names(lesson: Lesson, strengths: list[str]) -> Iterator[NamedPlace]:
    """Every name in a lesson that something else must know."""
    scenarios, outcomes, levers = scenario_names(), list(OUTCOMES), list(register_of(Levers))
    figures = [name for name, _, _ in lesson.asked()]
    yield NamedPlace(("scenario",), "scenario", lesson.scenario, scenarios)
    yield NamedPlace(("baseline",), "scenario", lesson.baseline, scenarios)
    yield NamedPlace(("outcome",), "outcome", lesson.outcome, outcomes)
    yield from (NamedPlace(("levers",), "lever", name, levers) for name in lesson.levers)
    yield from (NamedPlace(("predictions",), "figure", entry.figure, figures) for entry in lesson.predictions)
    yield from (NamedPlace(("evidence",), "strength", entry.strength, strengths) for entry in [lesson.thesis, *lesson.evidence])
    for name, compared in lesson.comparisons.items():
        key = ("comparisons", name)
        yield NamedPlace((*key, "scenario"), "scenario", compared.scenario, scenarios)
        yield NamedPlace((*key, "baseline"), "scenario", compared.baseline or compared.scenario, scenarios)
        yield from (NamedPlace((*key, "figures"), "outcome", asked.outcome, outcomes) for asked in compared.figures)
