"""Figures of tested hypotheses: every effect in units of what matters, and how often the tests find what is not there."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from matplotlib.ticker import FixedLocator, FuncFormatter

from cspsim.basics.formats import MINUS
from cspsim.hypotheses.false_positives import FalsePositives
from cspsim.hypotheses.hypothesis_file import HypothesisFile
from cspsim.hypotheses.judging import BUILT_IN_SHARE, DIRECTIONS, REFUTED, SAME, SUPPORTED, UNDECIDED, binomial_interval
from cspsim.hypotheses.testing import Effect, Judgement, TestedHypothesis
from cspsim.reports.charts import BLACK, COLOURS, GREY, STYLE, ReportChart, finished, sheet

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LOOKS: dict[str, dict[str, Any]] = {
    SUPPORTED: {"color": COLOURS[0], "marker": "o"},
    REFUTED: {"color": COLOURS[1], "marker": "s"},
    UNDECIDED: {"color": GREY, "marker": "D", "markerfacecolor": "white"},
}
ENDS = (-300.0, 300.0)
"""Multiples of the smallest effect of interest beyond which the figure does not go."""


def draw_hypotheses(file: HypothesisFile, tested: Judgement, source: str) -> list[ReportChart]:
    """The figures of a report."""
    charts = [draw_hypothesis_effects(file, tested.findings, source)]
    if tested.false_positives is not None:
        charts.append(draw_false_positives(file, tested.false_positives, source))
    return charts


def draw_hypothesis_effects(file: HypothesisFile, findings: Sequence[TestedHypothesis], source: str) -> ReportChart:
    """Left: effects in the stated direction, in multiples of the smallest of interest. Right: share of assumption sets."""
    title = "Every hypothesis: effect in the stated direction, and how many assumption sets it holds in"
    height = 2.2 + 0.27 * len(findings)
    with mpl.rc_context(STYLE):
        figure = sheet(11, height, title, source)
        top, bottom = 1 - 1.15 / height, 0.85 / height
        grid = figure.add_gridspec(1, 2, left=0.285, right=0.985, top=top, bottom=bottom, wspace=0.06, width_ratios=(2.1, 1))
        left, right = (figure.add_subplot(grid[0, k]) for k in (0, 1))
        for row, (finding, hypothesis) in enumerate(zip(findings, file.hypotheses, strict=True)):
            _draw_effect(left, row, finding, DIRECTIONS[hypothesis.stated.direction])
            _draw_share(right, row, finding)
        _effect_axis(left, findings)
        _share_axis(right, len(findings))
        _key(figure, 1 - 0.5 / height)
    counts = ", ".join(f"{sum(one.verdict == word for one in findings)} {word}" for word in LOOKS)
    words = [f"{one.name} {one.verdict}, holds in {100 * one.shares.holds:.0f}% of sets" for one in findings]
    return finished(figure, "hypotheses", title, f"One row for each hypothesis: {counts}. {'; '.join(words)}.")


def _scaled(effect: Effect, finding: TestedHypothesis, direction: int) -> np.ndarray:
    """An effect and its interval in the stated direction, in multiples of what matters, kept inside the figure."""
    sign = -1 if direction < 0 else 1
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.clip(sign * np.array(effect) / finding.smallest, *ENDS)


def _draw_effect(axes: "Axes", row: int, finding: TestedHypothesis, direction: int) -> None:
    shares = finding.shares
    over = _scaled(Effect(shares.median, shares.low, shares.high), finding, direction)
    axes.plot(over[1:], [row, row], color="#cfcfcf", linewidth=6, solid_capstyle="butt", zorder=1)
    if direction == SAME:
        axes.plot([-1, -1, 1, 1, -1], [row - 0.36, row + 0.36, row + 0.36, row - 0.36, row - 0.36], color=BLACK, linewidth=0.8, zorder=2)
    effect = _scaled(finding.effect, finding, direction)
    look = LOOKS.get(finding.verdict, LOOKS[UNDECIDED])
    axes.plot(effect[1:], [row, row], color=look["color"], linewidth=1.6, zorder=3)
    axes.plot(effect[0], row, linestyle="", markersize=6, zorder=4, **look)
    if finding.without_effect is not None:
        left = _scaled(finding.without_effect, finding, direction)
        axes.plot(left[0], row, linestyle="", marker="x", markersize=5.5, color=BLACK, markeredgewidth=1.2, zorder=5)


def _effect_axis(axes: "Axes", findings: Sequence[TestedHypothesis]) -> None:
    axes.set_xscale("symlog", linthresh=1, linscale=0.8)
    axes.set_xlim(ENDS[0] * 1.2, ENDS[1] * 1.2)
    axes.axvspan(-1, 1, color="#f0f0ec", zorder=0)
    axes.axvline(0, color=BLACK, linewidth=0.8, zorder=1)
    axes.axvline(1, color=BLACK, linewidth=0.8, linestyle=(0, (4, 2)), zorder=1)
    axes.xaxis.set_major_locator(FixedLocator([-100, -10, -1, 0, 1, 10, 100]))
    axes.xaxis.set_minor_locator(FixedLocator([]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, position: f"{value:g}".replace("-", MINUS)))
    axes.set_xlabel("effect as stated, in multiples of the smallest that matters")
    axes.set_yticks(range(len(findings)), [one.name for one in findings], fontsize=8)
    axes.set_ylim(len(findings) - 0.4, -0.6)
    axes.grid(axis="y", visible=False)


def _draw_share(axes: "Axes", row: int, finding: TestedHypothesis) -> None:
    shares = finding.shares
    if not shares.defined:
        return
    look = LOOKS.get(finding.verdict, LOOKS[UNDECIDED])
    axes.plot([100 * shares.holds_low, 100 * shares.holds_high], [row, row], color=look["color"], linewidth=1.6)
    axes.plot(100 * shares.holds, row, linestyle="", markersize=5.5, **look)
    if shares.label:
        axes.text(50, row, shares.label.partition(",")[0].partition(" by ")[0], fontsize=7.5, ha="center", va="center", color=GREY)


def _share_axis(axes: "Axes", rows: int) -> None:
    axes.set_xlim(-3, 103)
    edge = 100 * BUILT_IN_SHARE
    for low, high in ((edge, 103), (-3, 100 - edge)):
        axes.axvspan(low, high, color="#e6d9ee", zorder=0)
    axes.set_yticks([])
    axes.set_ylim(rows - 0.4, -0.6)
    axes.set_xlabel("% of assumption sets it holds in")
    axes.grid(axis="y", visible=False)


def _key(figure: Any, top: float) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    marks: list[Any] = [Line2D([], [], linestyle="-", label=word, markersize=6, **look) for word, look in LOOKS.items()]
    marks.append(Line2D([], [], linestyle="", marker="x", color=BLACK, label="with its mechanism off"))
    marks.append(Patch(color="#cfcfcf", label="5-95% of assumption sets"))
    marks.append(Patch(color="#e6d9ee", label="built in or ruled out, not evidence"))
    figure.legend(handles=marks, loc="upper left", bbox_to_anchor=(0.005, top), ncol=6, frameon=False, fontsize=8.5)


def draw_false_positives(file: HypothesisFile, found: FalsePositives, source: str) -> ReportChart:
    """Rates with exact intervals beside the nominal level: the machinery as a whole, then each hypothesis' own test."""
    title = "A scenario against itself, on other luck: how often something is found that is not there"
    names = [*(rate.name for rate in found.rates), *(one.name for one in file.hypotheses)]
    alone = [(count / found.trials, *binomial_interval(count, found.trials)) for count in found.by_hypothesis]
    rates = [*((rate.rate, *rate.interval) for rate in found.rates), *alone]
    rows = [*range(len(found.rates)), *(len(found.rates) + 1 + k for k in range(len(alone)))]
    height = 1.7 + 0.2 * len(rows)
    nominal = found.rates[0].nominal
    with mpl.rc_context(STYLE):
        figure = sheet(11, height, title, source)
        axes = figure.add_axes((0.285, 0.75 / height, 0.69, 1 - 1.45 / height))
        for row, (rate, low, high) in zip(rows, rates, strict=True):
            first = row < len(found.rates)
            colour = COLOURS[0] if first else GREY
            axes.plot([100 * low, 100 * high], [row, row], color=colour, linewidth=1.6)
            axes.plot(100 * rate, row, linestyle="", marker="o" if first else "D", markersize=6 if first else 4, color=colour)
        axes.axvline(100 * nominal, color=BLACK, linewidth=1, linestyle=(0, (4, 2)))
        axes.text(100 * nominal, -0.9, f" nominal {100 * nominal:g}%", fontsize=8, va="bottom")
        axes.set_yticks(rows, names, fontsize=8)
        axes.set_ylim(rows[-1] + 0.6, -1)
        axes.set_xlim(left=0)
        axes.set_xlabel(f"% of {found.trials:,} trials; below the gap: each hypothesis' own test, alone, with a margin of zero")
        axes.grid(axis="y", visible=False)
    inside = sum(low <= nominal <= high for _, low, high in alone)
    first_ones = "; ".join(f"{rate.name} {100 * rate.rate:.1f}%" for rate in found.rates)
    words = (
        f"Rates of wrong findings in {found.trials:,} trials, nominal {100 * nominal:g}%: {first_ones}. Of the {len(alone)} tests of "
        f"single hypotheses {inside} have the nominal level inside their interval."
    )
    return finished(figure, "false-positives", title, words)
