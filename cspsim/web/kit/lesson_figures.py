"""What the model gave for the lessons and how often, from ``lesson_figures.json``, in numbers and in words."""

import json
import re
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from cspsim.basics.errors import CspsimError
from cspsim.basics.formats import MINUS, amount, interval, roughly
from cspsim.running.outcomes import OUTCOMES, SHARE, Outcome
from cspsim.web.kit.lessons import Claim, Lesson, LessonComparison, OutcomeAsked

FIGURES_FILE = Path(__file__).resolve().parent / "lesson_figures.json"

DECIDED: dict[str, Claim] = {"higher": "higher", "lower": "lower", "smaller than matters": "same", "identical": "same"}
"""Verdict of a comparison -> the claim it bears out; a verdict that is not here bears out none."""

VERDICTS: dict[Claim | None, str] = {"higher": "higher", "lower": "lower", "same": "too small to matter"}
SHORT = {"higher": "higher", "lower": "lower", "same": "too small"}
FIRM = ((0.9, "holds under nearly all assumptions"), (0.6, "holds under most assumptions"), (0, "hangs on the assumptions"))
"""Least share of sets of assumptions that give the answer of the best guesses, and what is then said of it."""

_PLACEHOLDER = re.compile(r"\{(?P<figure>[\w.]+):(?P<part>\w+)\}")


class Counts(NamedTuple):
    """In how many runs, or sets of assumptions, the difference is higher or lower by what matters, or too small to matter."""

    higher: int
    same: int
    lower: int

    @property
    def all(self) -> int:
        """Those in which the outcome is defined."""
        return sum(self)

    def percent(self) -> dict[str, float]:
        """Each as a percentage of those, for the width of a bar."""
        return {name: round(100 * count / max(1, self.all), 1) for name, count in self._asdict().items()}


class LessonFigure(NamedTuple):
    """One outcome of one comparison: the paired difference with its 95 % interval, and how often each direction comes out."""

    outcome: str
    baseline: float
    value: float
    difference: float
    ci_low: float
    ci_high: float
    smallest_of_interest: float
    verdict: str
    runs: Counts
    sets: Counts
    sets_low: float
    sets_median: float
    sets_high: float

    @property
    def claim(self) -> Claim | None:
        """The answer to a prediction about this figure; None where the runs do not decide it."""
        return DECIDED.get(self.verdict)

    @property
    def entry(self) -> Outcome:
        """The register's entry of its outcome."""
        return OUTCOMES[self.outcome]


class Stored(NamedTuple):
    """The file of figures: how they were made, and each under ``lesson`` and ``comparison.outcome``."""

    settings: dict[str, Any]
    figures: dict[str, dict[str, LessonFigure]]


class LessonRow(NamedTuple):
    """A figure in words. ``runs`` and ``sets`` say how often; ``spread`` is the range over sets, 5th to 95th percentile."""

    says: str
    title: str
    before: str
    after: str
    difference: str
    percent: str
    interval: str
    verdict: str
    runs: str
    sets: str
    spread: str
    firmness: str
    shares: dict[str, float]


@lru_cache(maxsize=1)
def load_figures() -> Stored:
    """The shipped figures. Raises CspsimError when the file is not there or cannot be read."""
    try:
        raw = json.loads(FIGURES_FILE.read_text(encoding="utf-8"))
        figures = {lesson: {name: _figure(entry) for name, entry in entries.items()} for lesson, entries in raw["figures"].items()}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CspsimError(f"{FIGURES_FILE.name} cannot be read ({error}): write it anew with python tools/update_lessons.py") from None
    return Stored(raw["settings"], figures)


def _figure(entry: dict[str, Any]) -> LessonFigure:
    return LessonFigure(**{**entry, "runs": Counts(**entry["runs"]), "sets": Counts(**entry["sets"])})


# ------------------------------------------------------------------------------------------------------------ in words


def lesson_row(figure: LessonFigure, compared: LessonComparison, asked: OutcomeAsked, place: str = "") -> LessonRow:
    """A figure as a row of the lesson's table; ``place`` is the title of the partnership it is about, if it is about one."""
    unit, points = figure.entry.unit, figure.entry.unit == SHARE
    noise = (figure.ci_high - figure.ci_low) / 2 or None
    return LessonRow(
        says=asked.says,
        title=figure.entry.title + (f", {place}" if place else ""),
        before=glued(amount(figure.baseline, unit, noise)),
        after=glued(amount(figure.value, unit, noise)),
        difference=glued(amount(figure.difference, unit, noise, signed=True, points=points)),
        percent=glued(percent_of(figure)),
        interval=glued(interval(figure.ci_low, figure.ci_high, unit, noise, points)),
        verdict=VERDICTS.get(figure.claim, "the runs do not decide it"),
        runs=often(figure.runs),
        sets=often(figure.sets),
        spread=glued(_spread(figure, compared.against)),
        firmness=firmness(figure),
        shares=figure.sets.percent(),
    )


def _spread(figure: LessonFigure, against: float | None) -> str:
    """The range over sets of assumptions: of the difference, or of the outcome itself where it is compared with a number."""
    unit, points = figure.entry.unit, figure.entry.unit == SHARE and against is None
    low, high = (end + (against or 0.0) for end in (figure.sets_low, figure.sets_high))
    return interval(low, high, unit, (high - low) / 2 or None, points)


def glued(text: str) -> str:
    """A text in which no line breaks between a minus and its number."""
    return text.replace(MINUS, MINUS + "\N{WORD JOINER}")


def firmness(figure: LessonFigure) -> str:
    """How far the answer at the best guesses stands once nobody knows the assumptions: the share of sets that give the same one."""
    if figure.claim is None or not figure.sets.all:
        return "not decided"
    share = getattr(figure.sets, figure.claim) / figure.sets.all
    return next(words for least, words in FIRM if share >= least)


def often(counts: Counts) -> str:
    """``50 lower, 14 too small``: the answers that occur, the most frequent first; ``all 64 lower`` where it is only one."""
    found = sorted(((count, name) for name, count in counts._asdict().items() if count), reverse=True)
    if len(found) == 1:
        return f"all {counts.all} {SHORT[found[0][1]]}"
    return ", ".join(f"{count} {SHORT[name]}" for count, name in found) or "not defined"


def percent_of(figure: LessonFigure) -> str:
    """The difference relative to the baseline, with its sign; nothing for shares, and where the baseline is nothing."""
    if figure.entry.unit == SHARE or figure.baseline == 0:
        return ""
    share, noise = figure.difference / figure.baseline, (figure.ci_high - figure.ci_low) / 2 / abs(figure.baseline)
    return amount(share, SHARE, noise or None, signed=True)


def filled(text: str, lesson: Lesson, figures: dict[str, LessonFigure]) -> str:
    """A text with its figures: ``{audit.recorded_crimes:percent}`` becomes ``7%``.

    Parts: ``before``, ``after``, ``size`` (of the difference), ``percent`` (of the baseline), ``low`` and ``high`` (over sets of
    assumptions), ``sets_higher``, ``sets_same`` and ``sets_lower`` (in how many sets).
    Raises KeyError for a figure or part that is not there.
    """
    names = {name for name, _, _ in lesson.asked()}

    def one(match: re.Match[str]) -> str:
        name, part = match["figure"], match["part"]
        if name not in names:
            raise KeyError(f"{lesson.title}: no figure is called {name}")
        return _part(figures[name], part)

    return _PLACEHOLDER.sub(one, text)


def _part(figure: LessonFigure, part: str) -> str:
    unit, points = figure.entry.unit, figure.entry.unit == SHARE
    if part.startswith("sets_"):
        return f"{getattr(figure.sets, part.removeprefix('sets_'))} of {figure.sets.all}"
    wide = (figure.sets_high - figure.sets_low) / 2 or None
    written = {
        "before": lambda: roughly(figure.baseline, unit),
        "after": lambda: roughly(figure.value, unit),
        "size": lambda: roughly(abs(figure.difference), unit).replace("%", " points" if points else "%"),
        "percent": lambda: roughly(abs(figure.difference / figure.baseline), SHARE),
        "low": lambda: amount(figure.sets_low, unit, wide, signed=True, points=points),
        "high": lambda: amount(figure.sets_high, unit, wide, signed=True, points=points),
    }
    return glued(written[part]())
