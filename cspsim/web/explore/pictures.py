"""Charts of an answer as data: title, subtitle, option, table and what is to be seen in words."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from cspsim.basics.formats import Scale, amount, scale_of, unit_in_words
from cspsim.comparing.differences import CONFIDENCE_LEVEL, paired_estimate, parts_of
from cspsim.comparing.five_definitions import DEFINITIONS
from cspsim.model.parameters import Floats
from cspsim.reports.summary import comparison_row
from cspsim.running.outcomes import OUTCOMES, SHARE
from cspsim.web.chart_options import Line, line_option
from cspsim.web.explore.answer import BASELINE, SCENARIO, Answer, Moved
from cspsim.web.explore.answer_words import moved_in_words
from cspsim.web.table import Cell, Table

SHOWN = ("cost_of_crime", "recorded_crimes", "true_crimes", "delivered_dose", "believed_over_true", "coordinator_load", "evaluated_share")
"""Outcomes drawn beside the one that was asked about: what happened, what was seen of it, what was done and what was believed."""

HALF, MOST = (0.25, 0.75), (0.05, 0.95)


class Picture(NamedTuple):
    """Everything ``parts.Chart`` is given."""

    key: str
    title: str
    subtitle: str
    option: dict[str, Any]
    table: Callable[[], Table]
    summary: str
    scale: Scale | None


def outcomes_shown(answer: Answer) -> list[str]:
    """The outcome asked about, then the others."""
    return list(dict.fromkeys([answer.posed.outcome, *SHOWN]))[: len(SHOWN) + 1]


def _spread(values: Floats, shares: tuple[float, float]) -> tuple[list[float], list[float]]:
    """Quantiles over runs ``[year]``; not-a-number where no run has a value."""
    if np.isfinite(values).all():
        low, high = np.quantile(values, shares, axis=0)
        return low.tolist(), high.tolist()
    empty = ~np.isfinite(values).any(axis=0)
    low, high = np.nanquantile(np.where(empty, 0.0, values), shares, axis=0)
    low[empty] = high[empty] = np.nan
    return low.tolist(), high.tolist()


def _mark(answer: Answer) -> int | None:
    """The year from which moved levers hold; None where none was moved."""
    if not answer.posed.changes:
        return None
    year, month = (int(part) for part in answer.posed.since.split("-"))
    begun = year if month >= 4 else year - 1
    return answer.first_years.index(begun) if begun in answer.first_years and begun != answer.first_years[0] else None


def year_by_year(answer: Answer, outcome: str) -> Picture:
    """Baseline (dashed) and scenario (solid) with bands for half and nine tenths of the runs."""
    entry = OUTCOMES[outcome]
    means = [answer.mean_by_year(arm, outcome) for arm in (BASELINE, SCENARIO)]
    runs = [answer.by_year(arm, outcome) for arm in (BASELINE, SCENARIO)]
    bands = [(_spread(one, HALF), _spread(one, MOST)) for one in runs]
    # the baseline's runs scatter as the scenario's do: one shaded area is enough to see by how much, and two hide the lines
    lines = [
        Line(answer.posed.baseline_title, means[0], "baseline", label="Baseline"),
        Line(answer.posed.title, means[1], "scenario", *bands[1], label="Scenario"),
    ]
    size = max((abs(value) for one in means for value in one if np.isfinite(value)), default=0.0)
    columns = ["Year", "Baseline", "5%", "95%", "Scenario", "5%", "95%"]

    def table() -> Table:
        rows: list[list[Cell]] = [
            [label, *(float(value) for k in range(2) for value in (means[k][y], bands[k][1][0][y], bands[k][1][1][y]))]
            for y, label in enumerate(answer.labels)
        ]
        return Table(columns, rows, f"{entry.title}, {entry.unit}")

    option = line_option(answer.labels, lines, mark=_mark(answer), label_width=78)
    seen = _ends(answer, outcome, means)
    return Picture(
        outcome,
        entry.title,
        f"{unit_in_words(entry.unit)} a year" if entry.denominator is None else unit_in_words(entry.unit),
        option,
        table,
        seen,
        scale_of(entry.unit, size),
    )


def _ends(answer: Answer, outcome: str, means: Sequence[Floats]) -> str:
    """Where each line begins and ends, and its highest and lowest year, for those who hear the chart."""
    unit = OUTCOMES[outcome].unit
    said = []
    for name, values in zip(("the baseline", "the scenario"), means, strict=True):
        if not np.isfinite(values).any():
            said.append(f"{name} has no value in any year")
            continue
        places = {"from": 0, "to": -1, "highest": int(np.nanargmax(values)), "lowest": int(np.nanargmin(values))}
        at = {word: f"{amount(values[k], unit)} in {answer.labels[k]}" for word, k in places.items()}
        said.append(f"{name} goes from {at['from']} to {at['to']}, highest {at['highest']}, lowest {at['lowest']}")
    return ". ".join(text[:1].upper() + text[1:] for text in said) + "."


def paired(answer: Answer) -> Picture:
    """The difference of each year under the same luck: the mean with its 95 % interval, and nine runs of ten."""
    outcome = answer.posed.outcome
    entry = OUTCOMES[outcome]
    values = answer.by_year(SCENARIO, outcome) - answer.by_year(BASELINE, outcome)
    known = np.isfinite(values).sum(axis=0)
    mean = np.where(known > 0, np.where(np.isfinite(values), values, 0.0).sum(axis=0) / np.maximum(known, 1), np.nan)
    half = _half_width(values, mean, known)
    low, high = _spread(values, MOST)
    lines = [
        Line("No difference", np.zeros(len(mean)), "baseline", label="Baseline"),
        Line("Difference", mean, "scenario", ((mean - half).tolist(), (mean + half).tolist()), (low, high), label="Scenario"),
    ]
    size = max((abs(value) for value in (*mean, *low, *high) if np.isfinite(value)), default=0.0)

    def table() -> Table:
        rows: list[list[Cell]] = [
            [label, float(mean[y]), float(mean[y] - half[y]), float(mean[y] + half[y]), low[y], high[y]]
            for y, label in enumerate(answer.labels)
        ]
        return Table(["Year", "Mean difference", "95% from", "95% to", "5% of runs below", "95% of runs below"], rows, entry.title)

    words = [f"{amount(mean[y], entry.unit, signed=True)} in {answer.labels[y]}" for y in (0, -1)]
    return Picture(
        "difference",
        f"Difference in {_small(entry.title)} under the same luck",
        "scenario less baseline, run by run; dark band: 95% interval of the mean",
        line_option(answer.labels, lines, mark=_mark(answer), label_width=78),
        table,
        f"The difference goes from {words[0]} to {words[1]}.",
        scale_of(entry.unit, size),
    )


def _half_width(values: Floats, mean: Floats, known: Floats) -> Floats:
    from scipy.special import stdtrit

    if len(values) < 2:
        return np.zeros_like(mean)
    deviation = np.where(np.isfinite(values), values - mean, 0.0)
    error = np.sqrt((deviation**2).sum(axis=0) / np.maximum(known - 1, 1) / np.maximum(known, 1))
    return np.asarray(error * stdtrit(np.maximum(known - 1, 1), (1 + CONFIDENCE_LEVEL) / 2))


def definitions(answer: Answer) -> tuple[Table, str]:
    """The five definitions of effective side by side: measure, and in how many runs; and how often they disagree."""
    boards = answer.boards()
    rows = []
    for k, definition in enumerate(DEFINITIONS):
        row: list[str] = [f"{definition.title}: {definition.meaning}"]
        for board in boards:
            judged = board.effective[:, k]
            judged = judged[np.isfinite(judged)]
            share = f"{judged.mean():.0%} of runs" if judged.size else "\N{EN DASH}"
            row += [amount(float(definition.value(board.tallies.sum(axis=0))), definition.unit), share]
        rows.append(row)
    columns = ["Effective if", "Baseline", "Baseline effective in", "Scenario", "Scenario effective in"]
    apart = [f"{board.disagree_share:.0%}" for board in boards]
    said = f"In {apart[0]} of the baseline's runs and {apart[1]} of the scenario's, not all five agree."
    return Table(columns, rows, "Effective by which definition?"), said


GAPS = ("believed_over_planned", "planned_over_true")
MEASURED = ("recorded_crimes", "true_crimes", "recorded_share", "believed_benefit", "true_benefit", "believed_over_true", *GAPS)


def measured_and_true(answer: Answer) -> Table:
    """What was measured and believed beside what was true, over the window."""
    rows = []
    for name in MEASURED:
        row = comparison_row(answer.comparison.finding(SCENARIO, name))
        rows.append([f"{row.title}: {OUTCOMES[name].meaning}" if name in GAPS else row.title, row.baseline, row.value, row.difference])
    return Table(["Measured, believed, true", "Baseline", "Scenario", "Difference"], rows, "Measured and believed against true")


PLACED = ("received", "hours", "delivered_dose", "true_crimes", "cost_of_crime")
"""Outcomes shown for each partnership apart: who has more money, who has more work, and what happens to crime."""


def by_partnership(answer: Answer) -> Table:
    """Each partnership's outcomes in the scenario, with what the baseline had less or more."""
    results = [answer.comparison.results[name] for name in (BASELINE, SCENARIO)]
    places = [entry.title for entry in results[0].scenario.data.partnerships.values()]
    rows = []
    for k, place in enumerate(places):
        paired = paired_estimate(*(parts_of(one.tallies[:, k : k + 1]) for one in results))
        row = [place]
        for name in PLACED:
            column, unit = list(OUTCOMES).index(name), OUTCOMES[name].unit
            noise = float(paired.half_width[column])
            value, difference = (amount(float(one[column]), unit, noise, signed=signed) for one, signed in
                                 ((paired.value, False), (paired.difference, True)))  # fmt: skip
            row.append(f"{value} ({difference})" if paired.difference[column] else amount(float(paired.value[column]), unit))
        rows.append(row)
    return Table(["Partnership", *(OUTCOMES[name].title for name in PLACED)], rows, "By partnership")


def why_table(moved: Sequence[Moved], outcome: str) -> Table:
    """What each part moved, the largest first."""
    unit, points = OUTCOMES[outcome].unit, OUTCOMES[outcome].unit == SHARE
    rows = [
        [one.title, moved_in_words(one.difference, one.half_width, outcome), amount(one.without, unit, signed=True, points=points)]
        for one in moved
    ]
    return Table(["Part of the change", "What it moved (95% interval)", "Difference left without it"], rows, "Why?")


def _small(title: str) -> str:
    return title[:1].lower() + title[1:]
