"""Figures of policies: effects over assumption sets, regret and ranks, flip points, assumption x policy."""

from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np

from cspsim.analysis.boxes import bare_number, factor_title
from cspsim.analysis.robustness import OverLuck, Robustness, TwoByTwo
from cspsim.analysis.turning_points import Turn
from cspsim.basics.formats import amount
from cspsim.comparing.comparison import Finding
from cspsim.model.parameters import Floats
from cspsim.reports.charts import BLACK, COLOURS, GREY, STYLE, ReportChart, finished, sheet, value_axis

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_DOTS = 400
"""Assumption sets drawn one by one; beyond that number, evenly spaced ones in the order of their effects."""
MOST_CURVES, MOST_HALVES = 4, 6


def wrapped(name: str, width: int = 26) -> str:
    """A name broken into short lines."""
    return fill(name, width)


def panel(figure: "Figure", rows: tuple[int, int], height: float, left: float = 0.21, right: float = 0.98) -> "Axes":
    """One pair of axes below the title of a sheet: ``rows`` are the panel's number and how many stand side by side."""
    number, columns = rows
    width = (right - left) / columns
    bottom, top = 0.6 / height, 1 - 0.66 / height
    return figure.add_axes((left + number * width + 0.02 * number, bottom, width - 0.03, top - bottom))


def below(axes: "Axes", words: str) -> None:
    """A grey line of text between a panel's title and its axes."""
    axes.annotate(words, (0, 1), xycoords="axes fraction", xytext=(0, 4), textcoords="offset points", fontsize=7.5, color=GREY, va="bottom")


def draw_policy_effects(findings: Sequence[Finding], sampled: Mapping[str, Floats], better: int, source: str) -> ReportChart:
    """Each policy's effect: the interval at the best guesses above a dot for every sampled assumption set.

    ``sampled``: policy -> effects ``[set]``. ``better``: the outcome's good direction.
    """
    unit = findings[0].unit
    title = f"Effect of each policy on {_title(findings[0])}"
    height = 1.3 + 0.62 * len(findings)
    with mpl.rc_context(STYLE):
        figure = sheet(11, height, title, source)
        axes = panel(figure, (0, 1), height)
        ends = [0.0]
        for row, finding in enumerate(findings):
            ends += _draw_effect(axes, row, finding, sampled.get(finding.scenario, np.empty(0)))
        axes.axvline(0, color=BLACK, lw=0.8, zorder=1)
        axes.set_yticks(range(len(findings)), [wrapped(finding.scenario) for finding in findings])
        axes.set_ylim(len(findings) - 0.45, -0.6)
        axes.grid(visible=False, axis="y")
        value_axis(axes.xaxis, unit, np.array(ends), 7)
        good = {1: "right of zero: better", -1: "left of zero: better", 0: "neither side is better"}[better]
        below(
            axes,
            f"black: 95% interval by runs. Dots: one assumption set each, bar 5 to 95%. Grey: too small to matter. {good.capitalize()}.",
        )
    said = [f"{f.scenario}: {amount(f.difference, unit, signed=True)}, {f.verdict}" for f in findings]
    return finished(figure, "effects", title, f"One row a policy with the effect's interval and a dot a set. {'; '.join(said)}.")


def _title(finding: Finding) -> str:
    from cspsim.running.outcomes import OUTCOMES

    return OUTCOMES[finding.outcome].title.lower()


def _draw_effect(axes: "Axes", row: int, finding: Finding, effects: Floats) -> list[float]:
    colour = COLOURS[row % len(COLOURS)]
    known = np.sort(effects[~np.isnan(effects)])
    axes.fill_betweenx([row - 0.4, row + 0.4], -finding.smallest_of_interest, finding.smallest_of_interest, color="#ececec", lw=0, zorder=0)
    if known.size:
        shown = known[np.unique(np.linspace(0, known.size - 1, min(known.size, MOST_DOTS)).round().astype(int))]
        axes.plot(shown, row + 0.16 + 0.14 * _spread(shown.size), ls="", marker="o", ms=2.6, color=colour, alpha=0.55, mew=0, zorder=2)
        low, high = np.quantile(known, (0.05, 0.95))
        axes.plot([low, high], [row + 0.36] * 2, color=colour, lw=2.2, solid_capstyle="butt", zorder=2)
    if np.isfinite(finding.ci_low):
        axes.plot([finding.ci_low, finding.ci_high], [row - 0.18] * 2, color=BLACK, lw=1.6, zorder=3)
    axes.plot([finding.difference], [row - 0.18], marker="D", ms=5, color=BLACK, ls="", zorder=3)
    return [*known[[0, -1]].tolist(), finding.difference] if known.size else [finding.difference, finding.ci_low, finding.ci_high]


def _spread(count: int) -> Floats:
    """Offsets that keep dots from covering each other: the same for the same number of dots."""
    return 2 * np.modf(np.arange(count) * 0.618034)[0] - 1


# ---------------------------------------------------------------------------------------------------------- robustness


def draw_robustness(found: Robustness, names: Sequence[str], unit: str, source: str) -> ReportChart:
    """Left how often each policy is the best, right its regret."""
    title = f"Robustness over {found.sets:,} assumption sets"
    lines = max(wrapped(name).count("\n") + 1 for name in names)
    height = 1.3 + max(0.46, 0.19 * lines + 0.08) * len(names)
    with mpl.rc_context(STYLE):
        figure = sheet(11, height, title, source)
        left, right = panel(figure, (0, 2), height), panel(figure, (1, 2), height)
        rows = np.arange(len(names))
        best = found.best_share
        left.barh(rows, best.value, height=0.55, color=_colours(len(names)), zorder=2)
        _whiskers(left, best, rows)
        left.set_xlim(0, 1)
        value_axis(left.xaxis, "share", np.array([1.0]))
        below(left, "share of sets in which it is the best of these (line: 95% over luck)")
        for k, row in enumerate(rows):
            figures = (found.mean_regret.value[k], found.high_regret.value[k], found.worst_regret.value[k])
            right.plot(figures[::2], [row, row], color="#bbbbbb", lw=1.2, zorder=1)
            for value, marker, fill_with in zip(figures, "o|o", (_colours(len(names))[k], BLACK, "white"), strict=True):
                right.plot([value], [row], marker=marker, ms=9 if marker == "|" else 6, mfc=fill_with, mec=BLACK, mew=1, ls="", zorder=3)
        value_axis(right.xaxis, unit, found.worst_regret.value)
        right.set_xlim(left=0)
        below(right, "regret: mean (filled), 90th percentile (line), worst (hollow)")
        left.set_yticks(rows, [wrapped(name) for name in names])
        right.set_yticks(rows, [])
        for axes in (left, right):
            axes.set_ylim(len(names) - 0.4, -0.6)
            axes.grid(visible=False, axis="y")
    said = [
        f"{name}: best in {best.value[k]:.0%}, mean regret {amount(found.mean_regret.value[k], unit)}, worst "
        f"{amount(found.worst_regret.value[k], unit)}"
        for k, name in enumerate(names)
    ]
    return finished(figure, "robustness", title, f"{'; '.join(said)}.")


def _colours(count: int) -> list[str]:
    return [GREY, *(COLOURS[k % len(COLOURS)] for k in range(count - 1))]


def _whiskers(axes: "Axes", figures: OverLuck, rows: Any) -> None:
    if np.isfinite(figures.low).all():
        axes.hlines(rows, figures.low, figures.high, color=BLACK, lw=1.4, zorder=3)


# --------------------------------------------------------------------------------------------------------- flip points


def draw_turns(turns: Sequence[tuple[str, str, Turn]], unit: str, source: str) -> ReportChart:
    """The lead of one policy over another along an assumption, with its band and the place where the ranking turns."""
    shown = list(turns)[:MOST_CURVES]
    title = "Where the ranking of two policies turns, and where it does not"
    with mpl.rc_context(STYLE):
        figure = sheet(11, 3.1, title, source)
        grid = figure.add_gridspec(1, MOST_CURVES, left=0.065, right=0.985, top=0.8, bottom=0.24, wspace=0.34)
        for k, (first, second, turn) in enumerate(shown):
            axes = figure.add_subplot(grid[0, k])
            _draw_turn(axes, turn, COLOURS[k])
            value_axis(axes.yaxis, unit, np.concatenate([turn.curve, [0.0]]), 5)
            axes.set_title(wrapped(f"{first} ahead of {second}", 38), fontsize=8, fontweight="normal", pad=6)
            axes.set_xlabel(wrapped(factor_title(turn.name), 32), fontsize=8.5)
    said = [f"{first} and {second} along {factor_title(turn.name)}: {_turn_in_words(turn)}" for first, second, turn in shown]
    return finished(figure, "flip-points", title, f"Curves of one policy's lead, above zero the first does better. {'; '.join(said)}.")


def _draw_turn(axes: "Axes", turn: Turn, colour: str) -> None:
    band = 1.96 * turn.error
    axes.fill_between(turn.grid, turn.curve - band, turn.curve + band, color=colour, alpha=0.2, lw=0)
    axes.plot(turn.grid, turn.curve, color=colour, lw=1.8)
    axes.axhline(0, color=BLACK, lw=0.8)
    if np.isfinite(turn.at):
        axes.axvspan(turn.low, turn.high, color="#ececec", lw=0, zorder=0)
        axes.axvline(turn.at, color=BLACK, lw=1, ls=(0, (3, 2)))


def _turn_in_words(turn: Turn) -> str:
    return (
        f"turns at {bare_number(turn.at)} ({bare_number(turn.low)} to {bare_number(turn.high)})"
        if np.isfinite(turn.at)
        else "no flip inside its range"
    )


# ---------------------------------------------------------------------------------------------------- assumption x policy


def draw_halves(tables: Sequence[TwoByTwo], policy: str, unit: str, source: str) -> ReportChart:
    """A policy's mean effect where an assumption is low and where it is high."""
    shown = list(tables)[:MOST_HALVES]
    title = f"Effect of {policy} where an assumption is low and where it is high"
    height = 1.3 + 0.36 * len(shown)
    with mpl.rc_context(STYLE):
        figure = sheet(11, height, title, source)
        axes = panel(figure, (0, 1), height, left=0.27)
        effects = np.array([table.cells[:, 1] - table.cells[:, 0] for table in shown])
        rows = np.arange(len(shown))
        axes.hlines(rows, effects.min(axis=1), effects.max(axis=1), color="#bbbbbb", lw=1.4, zorder=1)
        axes.plot(effects[:, 0], rows, ls="", marker="o", ms=7, mfc="white", mec=COLOURS[0], mew=1.6, label="low half", zorder=2)
        axes.plot(effects[:, 1], rows, ls="", marker="o", ms=7, color=COLOURS[0], label="high half", zorder=3)
        axes.axvline(0, color=BLACK, lw=0.8)
        axes.set_yticks(rows, [factor_title(table.name) + (" *" if table.p_holm < 0.05 else "") for table in shown])
        axes.set_ylim(len(shown) - 0.5, -0.6)
        axes.grid(visible=False, axis="y")
        value_axis(axes.xaxis, unit, np.append(effects.ravel(), 0.0), 7)
        below(axes, "hollow: below the assumption's median; filled: above it; * the difference is certain after Holm")
    said = [f"{factor_title(t.name)}: {amount(e[0], unit)} low, {amount(e[1], unit)} high" for t, e in zip(shown, effects, strict=True)]
    return finished(figure, f"assumption-by-policy-{slug(policy)}", title, f"{'; '.join(said)}.")


def slug(name: str) -> str:
    """A name as a part of a file name."""
    return "".join(mark if mark.isalnum() else "-" for mark in name.lower()).strip("-")[:60]
