"""Figures of a comparison: by financial year, the difference and what it rests on, and everything in one overview.

Drawn without pyplot (which costs most of a second to import), in colours that colour-blind readers can tell apart, and
never by colour alone. The same inputs give the same bytes.
"""

import io
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from cspsim.basics.formats import MINUS, amount, scale_of
from cspsim.basics.outward import visible
from cspsim.comparing.five_definitions import DEFINITIONS, dashboard
from cspsim.model.parameters import Floats
from cspsim.running.outcomes import OUTCOMES
from cspsim.running.same_code import versions
from cspsim.running.years import Years, by_year

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from cspsim.comparing.comparison import Comparison

BLACK, GREY = "#000000", "#6b6b6b"
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")  # Okabe and Ito
DASHES: tuple[Any, ...] = ("-", (0, (6, 1.5)), (0, (1, 1)), "-.", (0, (3, 1, 1, 1, 1, 1)), (0, (8, 3)))
MARKERS = ("o", "s", "^", "D", "v", "P")
MOST_SCENARIOS = len(COLOURS)

STYLE: Any = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Arial", "Helvetica", "sans-serif"],
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "axes.grid": True,
    "grid.color": "#e3e3e3",
    "grid.linewidth": 0.6,
    "xtick.color": "#333333",
    "ytick.color": "#333333",
    "svg.fonttype": "none",
    "svg.hashsalt": "cspsim",
    "text.parse_math": False,  # a title with two dollar signs is a title, not a formula
}

PANELS = (
    ("cost_of_crime", "Cost of crime"),
    ("true_crimes", "Crimes that happened"),
    ("recorded_crimes", "Crimes recorded"),
    ("received", "Grant received"),
    ("delivered_dose", "Dose delivered"),
    ("coordinator_load", "Co-ordinator's load"),
    ("mean_trust", "Trust between partners"),
    ("evaluated_share", "Projects evaluated"),
)
UNITS = {
    "cost_of_crime": "£ a year, prices of 2015/16",
    "received": "£ a year, prices of 2015/16",
    "delivered_dose": "units at work",
    "coordinator_load": "hours asked per hour it has",
    "mean_trust": "0 none to 100% full",
    "evaluated_share": "share of intervention-years",
}
"""Units under the panels' titles where the register's own would mislead: panels show one year at a time."""
FOREST = (
    "cost_of_crime", "true_crimes", "recorded_crimes", "severity", "cost_averted", "adopted_interventions", "delivered_dose",
    "challenged_share", "evaluated_share", "believed_benefit", "true_benefit", "local_authority_hours_share", "coordinator_load",
    "governance_hours_share", "mean_trust", "spend", "benefit_cost_ratio", "public_confidence",
)  # fmt: skip


class ArmYears(NamedTuple):
    """One scenario in a figure: its name as shown, and its years."""

    name: str
    years: Years


class ReportChart(NamedTuple):
    """A finished figure: file name, title, what it shows in words, and its pictures."""

    name: str
    title: str
    alternative: str
    svg: str
    png: bytes


class DifferenceShown(NamedTuple):
    """A paired difference with its 95 % interval, and the smallest difference that matters."""

    outcome: str
    difference: float
    low: float
    high: float
    smallest: float


def finished(figure: Figure, name: str, title: str, alternative: str) -> ReportChart:
    """Both pictures of a figure, without dates or versions in their metadata."""
    vector, pixels = io.StringIO(), io.BytesIO()
    with mpl.rc_context(STYLE):
        FigureCanvasSVG(figure).print_svg(vector, metadata={"Date": None, "Creator": "cspsim"})
        FigureCanvasAgg(figure).print_png(pixels, metadata={"Software": "cspsim"})
    return ReportChart(name, title, alternative, visible(vector.getvalue()), pixels.getvalue())


def sheet(width: float, height: float, title: str, source: str) -> Figure:
    """An empty figure with its title above and its source line below."""
    figure = Figure(figsize=(width, height), dpi=120, facecolor="white")
    figure.text(0.012, 1 - 0.13 / height, title, fontsize=12.5, fontweight="bold", va="top")
    figure.text(0.012, 0.09 / height, source, fontsize=7.5, color=GREY, va="bottom")
    return figure


def value_axis(axis: Any, unit: str, sizes: Floats, ticks: int = 5) -> None:
    """Ticks in the scale of the values, with the unit on each, so that no axis is a bare number."""
    largest = float(np.nanmax(np.abs(sizes))) if np.isfinite(sizes).any() else 1.0
    scale = scale_of(unit, largest)

    def label(value: float, position: int | None = None) -> str:
        number = value / scale.divisor
        if abs(number) < 1e-9:
            return f"{scale.before}0"
        text = f"{number:,.4g}" if abs(number) < 10_000 else f"{number:,.0f}"
        sign, text = (MINUS, text[1:]) if text.startswith("-") else ("", text)
        return f"{sign}{scale.before}{text}{scale.after}"

    axis.set_major_locator(MaxNLocator(ticks))
    axis.set_major_formatter(FuncFormatter(label))


def _year_axis(axes: "Axes", years: Years) -> None:
    at = np.arange(0, len(years.first), 3 if len(years.first) > 6 else 1)
    axes.set_xticks(years.first[at], [years.labels[k][2:] for k in at])
    axes.set_xlim(years.first[0] - 0.4, years.first[-1] + 0.4)


# ------------------------------------------------------------------------------------------- 1 by financial year


def draw_years(baseline: ArmYears, scenarios: Sequence[ArmYears], window_from: float, title: str, source: str) -> ReportChart:
    """Small multiples by financial year: the baseline dashed black, scenarios with bands for 50 and 90 % of runs."""
    with mpl.rc_context(STYLE):
        figure = sheet(11, 5.7, title, source)
        grid = figure.add_gridspec(2, 4, left=0.065, right=0.985, top=0.80, bottom=0.125, hspace=0.5, wspace=0.36)
        for k, (outcome, words) in enumerate(PANELS):
            axes = figure.add_subplot(grid[k // 4, k % 4])
            _draw_panel(axes, outcome, words, baseline, scenarios[:MOST_SCENARIOS], window_from)
        _key_above(figure, [baseline.name, *(arm.name for arm in scenarios[:MOST_SCENARIOS])], 0.905)
    words = f"Eight small line charts by financial year, {', '.join(words.lower() for _, words in PANELS)}, of {baseline.name} against "
    alternative = words + ", ".join(arm.name for arm in scenarios) + ". " + _ends(baseline, scenarios)
    return finished(figure, "years", title, alternative)


def _means(values: Floats) -> Floats:
    """Means over runs ``[year]`` of those that have a value; not-a-number, without a warning, where none has."""
    known = np.isfinite(values).sum(axis=0)
    return np.where(known > 0, np.nansum(values, axis=0) / np.maximum(known, 1), np.nan)


def _percentiles(values: Floats, shares: tuple[int, int]) -> Floats:
    """Percentiles over runs ``[share, year]``, likewise."""
    found = np.full((len(shares), values.shape[1]), np.nan)
    known = np.isfinite(values).any(axis=0)
    found[:, known] = np.nanpercentile(values[:, known], shares, axis=0)
    return found


def _ends(baseline: ArmYears, scenarios: Sequence[ArmYears]) -> str:
    """The last year's cost of crime of each arm in words, for readers who cannot see the lines."""
    said = [f"{arm.name} {amount(float(arm.years.area('cost_of_crime')[:, -1].mean()), '£')}" for arm in (baseline, *scenarios)]
    return f"Cost of crime in {baseline.years.labels[-1]}: {', '.join(said)}."


def _draw_panel(axes: "Axes", outcome: str, words: str, baseline: ArmYears, scenarios: Sequence[ArmYears], window_from: float) -> None:
    entry = OUTCOMES[outcome]
    drawn = [baseline.years.area(outcome), *(arm.years.area(outcome) for arm in scenarios)]
    x = baseline.years.first
    if window_from > x[0]:
        axes.axvspan(x[0] - 0.4, window_from - 0.5, color="#f0f0f0", zorder=0, lw=0)
    for k, (arm, values) in enumerate(zip(scenarios, drawn[1:], strict=True)):
        colour = COLOURS[k]
        if len(scenarios) <= 2:
            for low, high, shade in ((5, 95, 0.14), (25, 75, 0.25)):
                edges = _percentiles(values, (low, high))
                axes.fill_between(arm.years.first, edges[0], edges[1], color=colour, alpha=shade, lw=0)
        axes.plot(arm.years.first, _means(values), color=colour, lw=1.8, ls=DASHES[k])
    axes.plot(x, _means(drawn[0]), color=BLACK, lw=1.5, ls=(0, (4, 2)))
    axes.set_title(words, pad=14)
    axes.text(0, 1.02, UNITS.get(outcome, f"{entry.unit} a year"), transform=axes.transAxes, fontsize=7.5, color=GREY)
    means = np.concatenate([_means(values) for values in drawn])
    value_axis(axes.yaxis, "£" if entry.unit.startswith("£") else entry.unit, means)
    _year_axis(axes, baseline.years)


def _key_above(figure: Figure, names: Sequence[str], top: float) -> None:
    """The key: each arm's line as it is drawn, with its name; black dashes are the baseline."""
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], color=BLACK, lw=1.5, ls=(0, (4, 2)))]
    handles += [Line2D([], [], color=COLOURS[k], lw=1.8, ls=DASHES[k]) for k in range(len(names) - 1)]
    labels = [f"{names[0]} (the others are compared with this)", *names[1:]]
    figure.legend(handles, labels, loc="center left", bbox_to_anchor=(0.008, top), ncols=4, frameon=False, fontsize=9, handlelength=3)


# ------------------------------------------------------------------------------ 2 the difference and what it rests on


class Split(NamedTuple):
    """Paired differences in cost of crime by financial year ``[run, year]``, whole and in its two parts."""

    name: str
    first: Any
    labels: list[str]
    whole: Floats
    mainstream: Floats
    partnership: Floats


def split_by_year(baseline: ArmYears, scenario: ArmYears) -> Split:
    """Through mainstream capacity (difference of the twins) and through the partnership (difference of what is averted)."""
    n = min(baseline.years.outcomes.shape[0], scenario.years.outcomes.shape[0])

    def difference(outcome: str) -> Floats:
        return scenario.years.area(outcome)[:n] - baseline.years.area(outcome)[:n]

    return Split(
        scenario.name, baseline.years.first, baseline.years.labels, difference("cost_of_crime"), difference("twin_cost_of_crime"),
        -difference("cost_averted"),
    )  # fmt: skip


def draw_difference(
    splits: Sequence[Split], assumptions: Mapping[str, Floats], smallest: Mapping[str, float], title: str, source: str
) -> ReportChart:
    """Left the paired difference in cost of crime by year, in its two parts; right the difference under every assumption set.

    ``assumptions``: scenario -> mean difference over the window, one value per set. ``smallest``: what matters, in £.
    """
    splits = splits[:MOST_SCENARIOS]
    with mpl.rc_context(STYLE):
        height = 1.2 + 2.9 * len(splits)
        figure = sheet(11, height, title, source)
        top, bottom = 1 - 0.85 / height, 0.75 / height
        grid = figure.add_gridspec(
            len(splits), 2, left=0.07, right=0.985, top=top, bottom=bottom, hspace=0.55, wspace=0.22, width_ratios=[1.35, 1]
        )
        for row, split in enumerate(splits):
            _draw_split(figure.add_subplot(grid[row, 0]), split)
            _draw_sets(figure.add_subplot(grid[row, 1]), split, assumptions.get(split.name), smallest.get(split.name, 0.0))
    return finished(figure, "difference", title, _split_in_words(splits, assumptions))


def _split_in_words(splits: Sequence[Split], assumptions: Mapping[str, Floats]) -> str:
    said = []
    for split in splits:
        yearly, through = split.whole.mean(axis=0), split.partnership.mean(axis=0)
        worst = int(np.abs(yearly).argmax())
        whole, part = (amount(float(values[worst]), "£", signed=True) for values in (yearly, through))
        said.append(
            f"{split.name}: the largest yearly difference in cost of crime is {whole} in {split.labels[worst]}, "
            f"of which {part} through the partnership."
        )
        values = assumptions.get(split.name)
        if values is not None and len(values):
            said.append(f"Over {len(values)} assumption sets the difference over the window is above zero in {int((values > 0).sum())}.")
    return " ".join(said)


def _draw_split(axes: "Axes", split: Split) -> None:
    x, n = split.first, split.whole.shape[0]
    mean = split.whole.mean(axis=0)
    error = 1.96 * split.whole.std(axis=0, ddof=1) / np.sqrt(n) if n > 1 else np.zeros_like(mean)
    axes.axhline(0, color=BLACK, lw=0.8)
    parts = (
        (split.mainstream, COLOURS[4], (0, (5, 2)), "through mainstream capacity"),
        (split.partnership, COLOURS[2], (0, (1, 1)), "through the partnership"),
    )
    axes.errorbar(x, mean, error, color=COLOURS[0], lw=1.8, marker="o", ms=4, capsize=2.5, label="whole difference, 95% interval")
    for values, colour, dashes, label in parts:
        axes.plot(x, values.mean(axis=0), color=colour, lw=1.8, ls=dashes, label=label)
    axes.set_title(f"{split.name}: difference by financial year", pad=14)
    axes.text(0, 1.02, "in cost of crime, £ a year (above zero: more harm)", transform=axes.transAxes, fontsize=7.5, color=GREY)
    value_axis(axes.yaxis, "£", np.abs(mean))
    axes.set_xticks(x[::2], [split.labels[k] for k in range(0, len(x), 2)])
    axes.legend(frameon=False, fontsize=8, loc="best", handlelength=3)


def _draw_sets(axes: "Axes", split: Split, values: Floats | None, smallest: float) -> None:
    axes.set_title("the same under other assumptions", pad=14)
    if values is None or not len(values):
        axes.text(0.5, 0.5, "no assumption sets were run", ha="center", va="center", transform=axes.transAxes, color=GREY)
        axes.set_axis_off()
        return
    ordered = np.sort(values)
    axes.text(0, 1.02, "difference over the window, one dot per assumption set, sorted", transform=axes.transAxes, fontsize=7.5, color=GREY)
    if smallest > 0:
        axes.axvspan(-smallest, smallest, color="#e8e8e8", lw=0, zorder=0)
    axes.axvline(0, color=BLACK, lw=0.8)
    axes.plot(ordered, np.arange(1, len(ordered) + 1), ls="", marker="o", ms=3.5, color=COLOURS[1])
    middle = float(np.median(ordered))
    axes.axvline(middle, color=COLOURS[1], lw=1, ls=(0, (3, 2)))
    axes.text(
        middle, len(ordered) * 0.06, f" median {amount(middle, '£', signed=True)}", fontsize=8, color="#8a3c00", ha="left"
    )  # sorted dots leave this corner free
    same = max((ordered > 0).mean(), (ordered < 0).mean())
    note = f"{same:.0%} of {len(ordered)} sets agree on the sign" + ("\ngrey: too small to matter" if smallest > 0 else "")
    axes.text(0.02, 0.97, note, transform=axes.transAxes, va="top", fontsize=8, color="#333333")
    axes.set_ylim(0, len(ordered) * 1.12 + 1)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    value_axis(axes.xaxis, "£", ordered)


# ------------------------------------------------------------------------------------------------- 3 at one glance


def draw_glance(
    estimates: Mapping[str, Sequence[DifferenceShown]],
    definitions: "Sequence[DefinitionShown]",
    beliefs: Sequence[tuple[str, float, float]],
    title: str,
    source: str,
) -> ReportChart:
    """The main outcomes in multiples of what matters; the five definitions of effectiveness; believed against true benefit."""
    with mpl.rc_context(STYLE):
        figure = sheet(11, 6.4, title, source)
        _draw_forest(figure.add_axes((0.235, 0.115, 0.345, 0.74)), estimates, beliefs[0][0])
        _draw_definitions(figure.add_axes((0.755, 0.55, 0.225, 0.305)), definitions, beliefs[0][0])
        _draw_beliefs(figure.add_axes((0.755, 0.115, 0.225, 0.24)), beliefs)
    large = [
        f"{OUTCOMES[e.outcome].title} {e.difference / e.smallest:+.1f} ({name})"
        for name, found in estimates.items()
        for e in found
        if e.outcome in FOREST and e.smallest > 0 and abs(e.difference) > e.smallest
    ]
    alternative = (
        f"Differences from {beliefs[0][0]} in multiples of the smallest that matters. Larger than that: "
        + (", ".join(large) or "none")
        + ". "
    )
    alternative += " ".join(
        f"{name}: {amount(believed, '£')} of benefit believed, {amount(true, '£')} true." for name, believed, true in beliefs
    )
    return finished(figure, "glance", title, alternative)


class DefinitionShown(NamedTuple):
    """One definition of effectiveness: its measure in each arm, and the bar above which it says "effective"."""

    words: str
    values: Mapping[str, float]
    unit: str
    bar: float


def _draw_forest(axes: "Axes", estimates: Mapping[str, Sequence[DifferenceShown]], baseline: str) -> None:
    shown = [name for name in FOREST if any(e.outcome == name and e.smallest > 0 for found in estimates.values() for e in found)]
    axes.axvspan(-1, 1, color="#e8e8e8", lw=0, zorder=0)
    axes.axvline(0, color=BLACK, lw=0.8)
    step = 0.7 / max(1, len(estimates))
    for k, (name, found) in enumerate(list(estimates.items())[:MOST_SCENARIOS]):
        known = {e.outcome: e for e in found}
        for row, outcome in enumerate(shown):
            e = known.get(outcome)
            if e is None or e.smallest <= 0:
                continue
            y = row + step * (k - (len(estimates) - 1) / 2)
            axes.plot([e.low / e.smallest, e.high / e.smallest], [y, y], color=COLOURS[k], lw=1.6)
            axes.plot([e.difference / e.smallest], [y], color=COLOURS[k], marker=MARKERS[k], ms=5, ls="", label=name if row == 0 else None)
    axes.set_xscale("symlog", linthresh=1, linscale=0.8)
    limit = max(
        [1.5]
        + [
            abs(edge) / e.smallest
            for found in estimates.values()
            for e in found
            if e.outcome in shown
            for edge in (e.low, e.high)
            if np.isfinite(edge)
        ]
    )
    axes.set_xlim(-limit * 1.6, limit * 1.6)
    ticks = [t for t in (1, 3, 10, 30, 100, 300, 1000) if t <= limit * 1.6]
    axes.set_xticks([*(-t for t in reversed(ticks)), 0, *ticks], [*(f"{MINUS}{t}" for t in reversed(ticks)), "0", *(str(t) for t in ticks)])
    axes.minorticks_off()
    axes.set_yticks(range(len(shown)), [OUTCOMES[name].title for name in shown])
    axes.set_ylim(len(shown) - 0.4, -0.6)
    axes.set_title(f"Difference from {baseline}", x=-0.6, pad=18)
    axes.text(
        -0.6,
        1.015,
        "in multiples of the smallest difference that matters (grey: smaller than that), 95% interval",
        transform=axes.transAxes,
        fontsize=7.5,
        color=GREY,
    )
    if len(estimates) > 1:
        axes.legend(frameon=False, fontsize=8, loc="lower left", bbox_to_anchor=(-0.02, 1.045), ncols=3, handletextpad=0.1, borderaxespad=0)


def _draw_definitions(axes: "Axes", definitions: "Sequence[DefinitionShown]", baseline: str) -> None:
    """Each definition in its own unit, so values are written and only their direction is drawn."""
    axes.set_title("Five definitions of effectiveness", x=-0.72, pad=18)
    axes.text(
        -0.72,
        1.03,
        f"right of the line: effective by that definition; hatched: {baseline}",
        transform=axes.transAxes,
        fontsize=7.5,
        color=GREY,
    )
    axes.axvline(0, color=BLACK, lw=0.8)
    for row, definition in enumerate(definitions):
        largest = max([abs(value - definition.bar) for value in definition.values.values() if np.isfinite(value)], default=0.0) or 1.0
        step = 0.72 / max(1, len(definition.values))
        for k, value in enumerate(definition.values.values()):
            if not np.isfinite(value):
                continue
            y = row + step * (k - (len(definition.values) - 1) / 2)
            colour = BLACK if k == 0 else COLOURS[(k - 1) % MOST_SCENARIOS]
            length = (value - definition.bar) / largest
            axes.barh(
                y,
                length,
                height=step * 0.85,
                color="white" if k == 0 else colour,
                edgecolor=colour,
                lw=0.8,
                hatch="////" if k == 0 else None,
            )
            axes.text(
                length + (0.05 if length >= 0 else -0.05),
                y,
                amount(value, definition.unit),
                fontsize=7,
                va="center",
                ha="left" if length >= 0 else "right",
            )
    axes.set_yticks(range(len(definitions)), [definition.words for definition in definitions])
    axes.set_ylim(len(definitions) - 0.5, -0.5)
    axes.set_xlim(-1.75, 1.75)
    axes.set_xticks([])
    axes.grid(visible=False)
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)
    axes.tick_params(axis="y", length=0)


def _draw_beliefs(axes: "Axes", beliefs: Iterable[tuple[str, float, float]]) -> None:
    beliefs = list(beliefs)[: MOST_SCENARIOS + 1]
    axes.set_title("Benefit believed and true", x=-0.72, pad=18)
    axes.text(-0.72, 1.035, "harm averted over the window, £ of 2015/16", transform=axes.transAxes, fontsize=7.5, color=GREY)
    for row, (_, believed, true) in enumerate(beliefs):
        colour = BLACK if row == 0 else COLOURS[row - 1]
        axes.plot([true, believed], [row, row], color=colour, lw=1.4, zorder=2)
        axes.plot([true], [row], marker="o", ms=6, color=colour, ls="", zorder=3)
        axes.plot([believed], [row], marker="o", ms=6, mfc="white", mec=colour, ls="", zorder=3)
        if true > 0:
            axes.text(believed, row - 0.28, f"believed x {believed / true:.1f}", fontsize=7.5, ha="center", va="bottom")
        axes.text(true, row - 0.28, "true", fontsize=7.5, ha="center", va="bottom")
    axes.set_yticks(range(len(beliefs)), [name for name, _, _ in beliefs])
    axes.set_ylim(len(beliefs) - 0.5, -0.8)
    high = max([max(believed, true) for _, believed, true in beliefs], default=1.0)
    low = min([min(believed, true, 0.0) for _, believed, true in beliefs], default=0.0)
    axes.set_xlim(low - 0.02 * (high - low), high + 0.2 * (high - low) or 1.0)
    value_axis(axes.xaxis, "£", np.array([high]), 4)


# -------------------------------------------------------------------------------------------------- a whole comparison


def draw_comparison(comparison: "Comparison") -> list[ReportChart]:
    """The figures of a comparison whose months were kept."""
    names = [comparison.baseline, *comparison.scenarios]
    arms = [ArmYears(name, by_year(comparison.results[name])) for name in names]
    first = comparison.results[comparison.baseline]
    calendar = first.calendar
    window_from = calendar.months[calendar.window[0]].year
    how = f"{first.replicates:,} runs each, seed {first.seed}"
    source = f"cspsim {versions()['cspsim']}: {' and '.join([', '.join(names[1:]), names[0]])}; {how}. Illustrative model, not a forecast."
    about = f"{', '.join(names[1:])} compared with {names[0]}"
    smallest = {finding.scenario: finding.smallest_of_interest for finding in comparison.findings if finding.outcome == "cost_of_crime"}
    estimates = {
        name: [
            DifferenceShown(f.outcome, f.difference, f.ci_low, f.ci_high, f.smallest_of_interest)
            for f in comparison.findings
            if f.scenario == name
        ]
        for name in names[1:]
    }
    believed, true = (
        {name: float(comparison.results[name].area(f"{kind}_benefit").mean()) for name in names} for kind in ("believed", "true")
    )
    beliefs = [(name, believed[name], true[name]) for name in names]
    bands = "Lines: means. Bands: the middle 50 and 90% of runs. Grey: before outcomes count."
    dots = f"Left: mean paired differences. Right: each dot {comparison.replicates_per_set} runs of each arm."
    splits = [split_by_year(arms[0], arm) for arm in arms[1:]]
    over_sets = {name: comparison.paired_over_sets("cost_of_crime", name) for name in names[1:]}
    return [
        draw_years(arms[0], arms[1:], window_from, f"By financial year: {about}", f"{source} {bands}"),
        draw_difference(splits, over_sets, smallest, f"Cost of crime: {about}", f"{source} {dots}"),
        draw_glance(estimates, _judged(comparison), beliefs, f"At one glance: {about}", source),
    ]


def _judged(comparison: "Comparison") -> list[DefinitionShown]:
    boards = {name: dashboard(results).definitions.set_index("definition")["value"] for name, results in comparison.results.items()}
    return [
        DefinitionShown(entry.title, {name: float(values[entry.name]) for name, values in boards.items()}, entry.unit, entry.bar)
        for entry in DEFINITIONS
    ]
