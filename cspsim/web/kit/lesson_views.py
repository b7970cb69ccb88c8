"""A lesson as page and print show it: texts with their figures, titles in place of names, a clock beside the steps."""

from functools import lru_cache
from typing import NamedTuple

from cspsim.basics.errors import CspsimError
from cspsim.basics.formats import listed
from cspsim.model.parameters import Levers
from cspsim.running.outcomes import OUTCOMES
from cspsim.running.results import AREA
from cspsim.scenario.scenario import Scenario, load_scenario
from cspsim.scenario.schema import register_of
from cspsim.web.kit.lesson_figures import LessonFigure, LessonRow, Stored, filled, firmness, lesson_row, load_figures, often
from cspsim.web.kit.lessons import Claim, Lesson, LessonComparison, LessonStep, Prediction, load_lessons


class Timed(NamedTuple):
    """A step with the minutes of the lesson at which it begins and ends."""

    step: LessonStep
    begins: int
    ends: int


class ComparisonView(NamedTuple):
    """One comparison with its rows, where Explore asks the same and the command line that does; empty where none does."""

    about: str
    rows: tuple[LessonRow, ...]
    level: bool
    address: str
    command: str


class Answered(NamedTuple):
    """A prediction with the model's answer, the answer of most sets of assumptions, and how often each came out."""

    prediction: Prediction
    claim: Claim | None
    answer: str
    runs: str
    sets: str
    firmness: str
    counts: dict[Claim, int]


class LessonView(NamedTuple):
    """Everything a page shows of one lesson, as text."""

    key: str
    lesson: Lesson
    in_short: str
    stands: str
    scenario: str
    baseline: str
    levers: tuple[str, ...]
    outcome: str
    steps: tuple[Timed, ...]
    blocks: tuple[ComparisonView, ...]
    predictions: tuple[Answered, ...]


@lru_cache(maxsize=64)
def _scenario(name: str) -> Scenario:
    return load_scenario(name)


def lesson_views() -> list[LessonView]:
    """Every shipped lesson. Raises CspsimError when lessons or figures cannot be read."""
    stored = load_figures()
    return [lesson_view(key, lesson, stored) for key, lesson in load_lessons().lessons.items()]


def lesson_view(key: str, lesson: Lesson, stored: Stored) -> LessonView:
    """One lesson with its figures. Raises CspsimError for a figure that was not computed."""
    figures = stored.figures.get(key, {})
    missing = [name for name, _, _ in lesson.asked() if name not in figures]
    if missing:
        raise CspsimError(f"{lesson.title}: no figures for {listed(missing)}; write them with python tools/update_lessons.py")
    return LessonView(
        key=key,
        lesson=lesson,
        in_short=filled(lesson.in_short, lesson, figures),
        stands=filled(lesson.stands, lesson, figures),
        scenario=_scenario(lesson.scenario).title,
        baseline=_scenario(lesson.baseline).title,
        levers=tuple(register_of(Levers)[name].title for name in lesson.levers),
        outcome=OUTCOMES[lesson.outcome].title,
        steps=tuple(_timed(lesson.steps)),
        blocks=tuple(_block(name, compared, lesson, figures) for name, compared in lesson.comparisons.items()),
        predictions=tuple(_answered(entry, figures[entry.figure]) for entry in lesson.predictions),
    )


def _timed(steps: list[LessonStep]) -> list[Timed]:
    ends = [sum(step.minutes for step in steps[: k + 1]) for k in range(len(steps))]
    return [Timed(step, end - step.minutes, end) for step, end in zip(steps, ends, strict=True)]


def _block(name: str, compared: LessonComparison, lesson: Lesson, figures: dict[str, LessonFigure]) -> ComparisonView:
    places = _scenario(compared.scenario).data.partnerships
    rows = tuple(
        lesson_row(figures[f"{name}.{asked.name}"], compared, asked, "" if asked.place == AREA else places[asked.place].title)
        for asked in compared.figures
    )
    return ComparisonView(compared.about, rows, compared.against is not None, compared.address(lesson.outcome), compared.command)


def _answered(prediction: Prediction, figure: LessonFigure) -> Answered:
    answers = dict(prediction.answers())
    return Answered(
        prediction=prediction,
        claim=figure.claim,
        answer=answers[figure.claim] if figure.claim else "the runs do not decide it",
        runs=often(figure.runs),
        sets=often(figure.sets),
        firmness=firmness(figure),
        counts={claim: getattr(figure.sets, claim) for claim in answers},
    )
