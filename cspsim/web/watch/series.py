"""What the small charts show: sums of the latest twelve months, because in single months the season hides everything else."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from cspsim.basics.formats import Scale, roughly, scale_of
from cspsim.model.parameters import Floats
from cspsim.model.tallies import Tally
from cspsim.running.outcomes import OUTCOMES
from cspsim.web import theme
from cspsim.web.chart_options import Line, line_option
from cspsim.web.table import Cell, Table
from cspsim.web.watch.recorded_run import Recording

YEAR = 12
SUBTITLE = "sum of the latest 12 months"


class Measure(NamedTuple):
    """One line of a chart: a sum of tallies with its short label and its title."""

    label: str
    title: str
    tally: Tally


def _outcome(name: str, label: str) -> Measure:
    """The measure of an outcome that is one tally."""
    (tally,) = OUTCOMES[name].numerator
    return Measure(label, OUTCOMES[name].title, tally)


class ChartPlan(NamedTuple):
    """A small chart: what it shows and in which unit. The first measure is drawn thick, the second thin."""

    name: str
    title: str
    unit: str
    measures: tuple[Measure, Measure]


CHARTS = (
    ChartPlan("crime", "Recorded against true crime", "crimes", (_outcome("true_crimes", "true"), _outcome("recorded_crimes", "recorded"))),
    ChartPlan(
        "benefit",
        "Believed against true benefit",
        OUTCOMES["true_benefit"].unit,
        (_outcome("true_benefit", "true"), _outcome("believed_benefit", "believed")),
    ),
    ChartPlan("money", "Grant received and spent", OUTCOMES["spend"].unit, (_outcome("received", "received"), _outcome("spend", "spent"))),
    ChartPlan(
        "hours",
        "Partner hours worked and available",
        OUTCOMES["hours"].unit,
        (_outcome("hours", "worked"), Measure("available", "Hours available", Tally.AVAILABLE_HOURS)),
    ),
)


class ScenarioShown(NamedTuple):
    """One of the scenarios on the page: ``letter`` "A" or "B" (empty if it is the only one), ``role`` as in ``chart_options``."""

    letter: str
    role: str
    recording: Recording


def sides_of(recordings: Sequence[Recording]) -> list[ScenarioShown]:
    """The baseline first and dashed, then the scenario; one alone is the scenario."""
    if len(recordings) == 1:
        return [ScenarioShown("", "scenario", recordings[0])]
    return [ScenarioShown("A", "baseline", recordings[0]), ScenarioShown("B", "scenario", recordings[1])]


def latest_year(recording: Recording, partnership: int, tally: Tally) -> Floats:
    """Sum of a tally over the twelve months up to each reported month ``[month]``; in the first ones the warm-up counts too."""
    column = recording.tallies[:, partnership, tally]
    sums = np.convolve(column, np.ones(YEAR))[: len(column)]
    return sums[recording.warm_up :]


def month_labels(recording: Recording) -> list[str]:
    """``Apr 2008``, ..."""
    return [f"{day:%b %Y}" for day in recording.months]


def _name(side: ScenarioShown, measure: Measure) -> str:
    return f"{side.letter} {measure.label}".strip()


def option_of(chart: ChartPlan, sides: Sequence[ScenarioShown], partnership: str, until: int) -> dict[str, object]:
    """The chart with everything up to the month ``until``; the browser shows it up to the month it has come to."""
    lines = [
        Line(_name(side, measure), values[: until + 1], role=side.role if number == 0 or len(sides) > 1 else "other")
        for number, measure in enumerate(chart.measures)
        for side, values in ((side, _values(side, partnership, measure)) for side in sides)
    ]
    option = line_option(month_labels(sides[0].recording), lines, from_zero=True, mark=0, label_width=84 if len(sides) == 1 else 100)
    for series in option["series"][len(sides) :]:  # the second measure: thinner, and dotted apart from the dashed baseline
        series["lineStyle"] = {
            **series["lineStyle"],
            "width": 1.5,
            "type": [2, 3] if series["lineStyle"]["color"] == theme.BASELINE else [7, 3],
        }
    return option


def _values(side: ScenarioShown, partnership: str, measure: Measure) -> Floats:
    return latest_year(side.recording, side.recording.partnerships.index(partnership), measure.tally)


def scale(chart: ChartPlan, sides: Sequence[ScenarioShown], partnership: str) -> Scale:
    """How values are written: by the size at the beginning, which gives nothing away."""
    sizes = [abs(float(_values(side, partnership, measure)[0])) for side in sides for measure in chart.measures]
    return scale_of(chart.unit, max(sizes))


def chart_table(chart: ChartPlan, sides: Sequence[ScenarioShown], partnership: str, month: int) -> Table:
    """The chart's numbers up to a month."""
    columns = {_name(side, measure): _values(side, partnership, measure) for measure in chart.measures for side in sides}
    labels = month_labels(sides[0].recording)
    rows: list[list[Cell]] = [[labels[k], *(round(float(values[k]), 1) for values in columns.values())] for k in range(month + 1)]
    return Table(["Month", *columns], rows, f"{chart.title}, {SUBTITLE}")


def chart_summary(chart: ChartPlan, sides: Sequence[ScenarioShown], partnership: str, month: int) -> str:
    """What the chart shows at a month, in words."""
    unit = chart.unit if chart.unit.startswith("£") else ""
    after = "" if unit else f" {chart.unit}"
    told = [
        f"{f'{side.letter}, {side.recording.scenario.title}: ' if side.letter else ''}"
        + ", ".join(
            f"{measure.label} {roughly(float(_values(side, partnership, measure)[month]), unit)}{after}" for measure in chart.measures
        )
        for side in sides
    ]
    return f"{month_labels(sides[0].recording)[month]}, {SUBTITLE}. {'; '.join(told)}."
