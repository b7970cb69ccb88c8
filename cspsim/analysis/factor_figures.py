"""Figures of factors: where a policy fails, which assumption, lever or stream of luck moves an outcome."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np

from cspsim.analysis.boxes import Condition, factor_title
from cspsim.analysis.discovery import PolicyFailure
from cspsim.analysis.effect_figures import below, panel, slug, wrapped
from cspsim.analysis.main_effects import LeverEffect
from cspsim.analysis.morris import MorrisMeasures
from cspsim.analysis.noise import Estimate
from cspsim.basics.formats import amount
from cspsim.model.parameters import Floats
from cspsim.reports.charts import BLACK, COLOURS, GREY, STYLE, ReportChart, finished, sheet, value_axis

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_BARS, MOST_POINTS = 12, 1_500


# -------------------------------------------------------------------------------------------------------------- discovery


def draw_failure(policy: str, failure: PolicyFailure, sample: tuple[Floats, Sequence[str]], source: str) -> ReportChart:
    """Left the sets along the two assumptions that tell most, failures filled, with the box; right the peeling trajectory."""
    title = f"Where {policy} {failure.question.words}"
    box = failure.discovery.boxes[0]
    with mpl.rc_context(STYLE):
        figure = sheet(11, 4.3, title, source)
        left, right = figure.add_axes((0.075, 0.165, 0.5, 0.68)), figure.add_axes((0.66, 0.165, 0.325, 0.68))
        conditions = [side.condition for side in box.restrictions][:2]
        known = {condition.name for condition in conditions}
        others = [name for name in failure.discovery.considered if name not in known]
        pair = [*conditions, *(Condition(name, np.nan, np.nan) for name in others)][:2]
        _draw_sets(left, failure, pair, sample, box.found)
        steps = np.array([(step.coverage, step.density, step.restricted) for step in box.trajectory])
        right.plot(steps[:, 0], steps[:, 1], color="#bbbbbb", lw=1, zorder=1)
        right.plot(steps[:, 0], steps[:, 1], ls="", marker="o", ms=4, color=COLOURS[0], zorder=2)
        right.plot(*steps[box.chosen, :2], marker="o", ms=9, mfc="none", mec=BLACK, mew=1.4, ls="", zorder=3)
        right.axhline(box.base_rate, color=GREY, lw=1, ls=(0, (4, 2)))
        right.axhline(box.held_out_density, color=COLOURS[1], lw=1.4)
        right.set_xlim(0, 1.03)
        right.set_ylim(0, 1.05)
        for axis in (right.xaxis, right.yaxis):
            value_axis(axis, "share", np.array([1.0]))
        right.set_xlabel("coverage: share of all failures inside")
        right.set_ylabel("density: share of the inside that fails", fontsize=8.5)
        below(right, "ring: the box; dashed: base rate; orange: held-out density")
    said = "A box was found" if box.found else "No box was found that holds in sets it has not seen"
    alternative = (
        f"{said}: density {box.held_out_density:.0%} in held-out sets against a base rate of {box.base_rate:.0%}; "
        f"{box.density:.0%} and coverage {box.coverage:.0%} in the sets it was sought in, "
        f"along {' and '.join(factor_title(condition.name) for condition in pair)}."
    )
    return finished(figure, f"failures-{slug(policy)}", title, alternative)


def _draw_sets(axes: "Axes", failure: PolicyFailure, pair: Sequence[Condition], sample: tuple[Floats, Sequence[str]], found: bool) -> None:
    values, names = sample
    every = max(1, len(values) // MOST_POINTS)
    columns = [values[::every, list(names).index(condition.name)] for condition in pair]
    cases = failure.question.cases[::every]
    if len(columns) == 1:
        columns.append(np.modf(np.arange(len(cases)) * 0.618034)[0])
        axes.set_yticks([])
    for mask, colours, words in ((~cases, ("white", GREY), "does not"), (cases, (COLOURS[1], COLOURS[1]), "fails")):
        axes.plot(columns[0][mask], columns[1][mask], ls="", marker="o", ms=4, mfc=colours[0], mec=colours[1], mew=0.8, label=words)
    axes.set_xlabel(factor_title(pair[0].name))
    if len(pair) > 1:
        axes.set_ylabel(factor_title(pair[1].name))
    if found:
        _draw_box(axes, pair)
    below(axes, "one dot per assumption set; filled: fails" + ("; rectangle: the box (other assumptions not shown)" if found else ""))


def _draw_box(axes: "Axes", pair: Sequence[Condition]) -> None:
    from matplotlib.patches import Rectangle

    limits = [axes.get_xlim(), axes.get_ylim()]
    ends = [(condition.low, condition.high) for condition in pair] + [(np.nan, np.nan)] * (2 - len(pair))
    corners = [(a if np.isnan(low) else low, b if np.isnan(high) else high) for (low, high), (a, b) in zip(ends, limits, strict=True)]
    (x0, x1), (y0, y1) = corners
    axes.add_patch(Rectangle((x0, y0), x1 - x0, y1 - y0, fill=False, ec=BLACK, lw=1.6, zorder=4))
    axes.set_xlim(*limits[0])
    axes.set_ylim(*limits[1])


# ----------------------------------------------------------------------------------------------------- shares of variance


def draw_shares(about: tuple[str, str], names: Sequence[str], estimates: Sequence[tuple[str, Estimate]], source: str) -> ReportChart:
    """Bars of shares of variance, largest first; the thin line is the 95 % interval, the thick one its part that is seeds.

    ``about``: file name and title. ``estimates``: what a bar is called, and its estimates ``[name]``; the last one orders.
    """
    order = [int(k) for k in np.argsort(-estimates[-1][1].value, kind="stable")][:MOST_BARS]
    height = 1.4 + 0.4 * len(order)
    with mpl.rc_context(STYLE):
        figure = sheet(11, height, about[1], source)
        axes = panel(figure, (0, 1), height, left=0.27)
        step = 0.74 / len(estimates)
        for k, (words, estimate) in enumerate(estimates):
            rows = np.arange(len(order)) + step * (k - (len(estimates) - 1) / 2)
            axes.barh(rows, estimate.value[order], height=step * 0.85, color=COLOURS[(0, 5)[k % 2]], label=words, zorder=2)
            axes.hlines(rows, estimate.low[order], estimate.high[order], color=BLACK, lw=1, zorder=3)
            seeds = 1.96 * estimate.seed_error[order]
            if np.isfinite(seeds).all():
                axes.hlines(rows, estimate.value[order] - seeds, estimate.value[order] + seeds, color=BLACK, lw=3, zorder=3)
        axes.axvline(0, color=BLACK, lw=0.8)
        axes.set_yticks(range(len(order)), [wrapped(factor_title(names[k]), 34) for k in order])
        axes.set_ylim(len(order) - 0.4, -0.6)
        axes.grid(visible=False, axis="y")
        value_axis(axes.xaxis, "share", np.array([1.0]), 6)
        axes.legend(frameon=False, fontsize=8.5, loc="lower right")
        more = f"; {len(names) - len(order)} more in the table" if len(names) > len(order) else ""
        seeds_known = np.isfinite(estimates[0][1].seed_error).all()
        lines = "thin line: 95% interval, thick: its part that other seeds would change" if seeds_known else "line: 95% interval"
        below(axes, f"share of the variance; {lines}{more}")
    said = [f"{factor_title(names[k])} {', '.join(f'{words} {estimate.value[k]:.0%}' for words, estimate in estimates)}" for k in order]
    return finished(figure, about[0], about[1], f"{'; '.join(said)}.")


def draw_morris(about: tuple[str, str], found: MorrisMeasures, unit: str, source: str) -> ReportChart:
    """Mean size of the elementary effects of each assumption, largest first, with what interaction or curvature adds."""
    order = [int(k) for k in np.argsort(-found.mu_star.value, kind="stable")][:MOST_BARS]
    height = 1.4 + 0.32 * len(order)
    with mpl.rc_context(STYLE):
        figure = sheet(11, height, about[1], source)
        axes = panel(figure, (0, 1), height, left=0.27)
        rows, star = np.arange(len(order)), found.mu_star
        axes.barh(rows, star.value[order], height=0.55, color=COLOURS[0], label="mean size of the effect", zorder=2)
        axes.hlines(rows, star.low[order], star.high[order], color=BLACK, lw=1, zorder=3)
        axes.plot(
            found.sigma[order], rows, ls="", marker="D", ms=5, mfc="white", mec=COLOURS[1], mew=1.4, label="spread of the effect", zorder=4
        )
        axes.set_yticks(rows, [factor_title(found.names[k]) for k in order])
        axes.set_ylim(len(order) - 0.4, -0.6)
        axes.grid(visible=False, axis="y")
        value_axis(axes.xaxis, unit, star.high[order], 6)
        axes.legend(frameon=False, fontsize=8.5, loc="lower right")
        below(
            axes, "change over the assumption's whole range, luck taken out; line: 95% interval; a wide spread is interaction or curvature"
        )
    said = [f"{factor_title(found.names[k])} {amount(star.value[k], unit)}" for k in order]
    return finished(figure, about[0], about[1], f"Mean sizes of elementary effects: {'; '.join(said)}.")


# ------------------------------------------------------------------------------------------------------------------ levers


def draw_main_effects(effects: Sequence[LeverEffect], unit: str, title: str, source: str) -> ReportChart:
    """Main effects and two-lever interactions of a factorial design with intervals and the range over assumption sets."""
    shown = list(effects)[: 2 * MOST_BARS]
    height = 1.3 + 0.34 * len(shown)
    with mpl.rc_context(STYLE):
        figure = sheet(11, height, title, source)
        axes = panel(figure, (0, 1), height, left=0.36)
        for row, one in enumerate(shown):
            colour = COLOURS[0] if one.kind == "main" else COLOURS[3]
            axes.plot([one.assumptions_low, one.assumptions_high], [row + 0.2] * 2, color=colour, lw=2.4, alpha=0.5, solid_capstyle="butt")
            axes.plot([one.ci_low, one.ci_high], [row - 0.1] * 2, color=BLACK, lw=1.4)
            axes.plot([one.effect], [row - 0.1], marker="D", ms=5, color=BLACK, ls="")
        axes.axvline(0, color=BLACK, lw=0.8)
        axes.set_yticks(range(len(shown)), [contrast_in_words(one) for one in shown])
        axes.set_ylim(len(shown) - 0.4, -0.6)
        axes.grid(visible=False, axis="y")
        sizes = [one.effect for one in shown] + [one.assumptions_low for one in shown if np.isfinite(one.assumptions_low)]
        value_axis(axes.xaxis, unit, np.array(sizes), 6)
        below(axes, "black: effect with its 95% interval; coloured: 5 to 95% over assumption sets")
    said = [f"{contrast_in_words(one)}: {amount(one.effect, unit, signed=True)}" for one in shown]
    return finished(figure, "levers", title, f"{'; '.join(said)}.")


def contrast_in_words(one: LeverEffect) -> str:
    """``grant multiplier at 1.5``, or ``grant multiplier at 1.5 x challenge culture at 1``."""
    other = f" x {factor_title(one.other_lever)} at {one.other_level:g}" if one.other_lever else ""
    return f"{factor_title(one.lever)} at {one.level:g}{other}"
