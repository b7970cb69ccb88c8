"""Figures of a calibration: what was learned, which targets are met, how well planted numbers are recovered, and the forecasts."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np

from cspsim.calibration.calibration_summary import Findings, expected_counts, short_name, totals_of
from cspsim.calibration.forecasts import LAST_YEAR, MODEL, SEASONAL_MEAN, UNCALIBRATED, UNTOLD, Forecast
from cspsim.reports.charts import BLACK, COLOURS, GREY, STYLE, ReportChart, finished, sheet
from cspsim.running.same_code import versions

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BLUE, ORANGE, GREEN, PINK, AMBER, SKY = COLOURS
WAYS = {MODEL: (BLUE, "o"), UNCALIBRATED: (SKY, "s"), UNTOLD: (GREEN, "^"), LAST_YEAR: (ORANGE, "D"), SEASONAL_MEAN: (PINK, "v")}
"""Ways of forecasting in the order of the figures, each with its colour and mark."""
BEFORE = 24
"""Months shown before a forecast year."""


def draw_calibration(findings: Findings) -> list[ReportChart]:
    """Every figure for which there are data."""
    source = f"cspsim {versions()['cspsim']}; {findings.calibrated.calibration.data.title}"
    charts = [draw_learned(findings, source), draw_targets(findings, source)]
    if findings.recovery is not None:
        charts.append(draw_recovery(findings, source))
    if findings.forecasts:
        charts += [draw_forecasts(findings, source), draw_scores(findings, source)]
    return charts


def _rows(table: Any) -> list[Any]:
    return list(table.itertuples())


def _labelled_rows(axes: "Axes", labels: Sequence[str]) -> Any:
    at = np.arange(len(labels))[::-1]
    axes.set_yticks(at, labels)
    axes.set_ylim(-0.7, len(labels) - 0.3)
    axes.grid(axis="y", visible=False)
    return at


def draw_learned(findings: Findings, source: str) -> ReportChart:
    """Prior and posterior of every number on its own range, with the shrinkage of its variance beside them."""
    table, title = findings.learned, "What was learned about each number"
    low, width = table["low"], table["high"] - table["low"]
    part = {name: (table[name] - low) / width for name in table if str(name).startswith(("prior_", "posterior_", "best_"))}
    with mpl.rc_context(STYLE):
        height = 1.5 + 0.27 * len(table)
        figure = sheet(11, height, title, source)
        axes = figure.add_axes((0.25, 0.62 / height, 0.37, 1 - 1.25 / height))
        at = _labelled_rows(axes, [short_name(name) for name in table["number"]])
        axes.hlines(at + 0.14, part["prior_p5"], part["prior_p95"], color="#9a9a9a", lw=2, label="before: 90%")
        colours = [BLUE if word == "learned" else SKY for word in table["verdict"]]
        axes.hlines(at - 0.14, part["posterior_p5"], part["posterior_p95"], color=colours, lw=2)
        axes.hlines(at - 0.14, part["posterior_p25"], part["posterior_p75"], color=colours, lw=5)
        axes.plot(part["posterior_p50"], at - 0.14, "o", color=BLACK, ms=3.5, label="after: 90%, 50% and median (dark: learned)")
        axes.plot(part["best_guess"], at + 0.14, "|", color=BLACK, ms=8, label="best guess")
        axes.set_xlim(0, 1)
        axes.set_xticks([0, 0.5, 1], ["low", "middle", "high end of its range"])
        axes.legend(frameon=False, fontsize=8, loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=3)
        for k, row in enumerate(_rows(table)):
            axes.text(1.03, at[k], f"{row.posterior_p50:.3g} ({row.posterior_p5:.3g} to {row.posterior_p95:.3g})", va="center", fontsize=8,
                      transform=axes.get_yaxis_transform())  # fmt: skip
            axes.text(1.49, at[k], f"{max(0, row.shrinkage):.0%} narrower: {row.verdict}", va="center", fontsize=8,
                      transform=axes.get_yaxis_transform(), color=BLACK if row.verdict == "learned" else GREY)  # fmt: skip
    said = [f"{short_name(row.number)} {row.posterior_p50:.3g} ({row.posterior_p5:.3g} to {row.posterior_p95:.3g})" for row in _rows(table)]
    return finished(figure, "learned", title, f"Medians and 90% intervals after the data, by number: {'; '.join(said)}.")


def draw_targets(findings: Findings, source: str) -> ReportChart:
    """Every target: what was observed, what the prior led to and what the posterior leads to, in units of the prior's spread."""
    table, title = findings.targets, "What was to be met, and what the model does before and after"
    width = (table["prior_p95"] - table["prior_p5"]).replace(0, 1) / 2
    part = {
        name: (table[name] - table["prior_p50"]) / width for name in table if str(name).startswith(("prior_", "posterior_", "observed"))
    }
    with mpl.rc_context(STYLE):
        height = 1.5 + 0.3 * len(table)
        figure = sheet(11, height, title, source)
        axes = figure.add_axes((0.27, 0.62 / height, 0.52, 1 - 1.25 / height))
        at = _labelled_rows(axes, list(table["title"]))
        axes.hlines(at + 0.14, part["prior_p5"], part["prior_p95"], color="#9a9a9a", lw=2, label="runs before: 90%")
        axes.hlines(at - 0.14, part["posterior_p5"], part["posterior_p95"], color=BLUE, lw=2, label="runs after: 90% and 50%")
        axes.hlines(at - 0.14, part["posterior_p25"], part["posterior_p75"], color=BLUE, lw=5)
        error = table["tolerance"] / width
        axes.errorbar(
            part["observed"], at, xerr=error, fmt="D", color=ORANGE, ms=5, capsize=3, label="observed, with what may be missed (1 sd)"
        )
        axes.set_xlabel("half-widths of the runs' 90% range before, from their median")
        axes.legend(frameon=False, fontsize=8, loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=3)
        for k, missed in enumerate(table["missed_by"]):
            axes.text(1.03, at[k], f"missed by {missed:.1f} sd", va="center", fontsize=8, transform=axes.get_yaxis_transform())
    said = "; ".join(f"{row.title} observed {row.observed:.3g}, runs after {row.posterior_p5:.3g} to {row.posterior_p95:.3g}"
                     for row in _rows(table))  # fmt: skip
    return finished(figure, "targets", title, f"Targets beside what the model does: {said}.")


def draw_recovery(findings: Findings, source: str) -> ReportChart:
    """Left how often planted numbers lay in their 90 % intervals, right the ranks of what was planted, both with what chance allows."""
    recovery, table = findings.recovery, findings.recovered
    assert recovery is not None
    assert table is not None
    sets, title = len(recovery.planted), f"Numbers planted in {len(recovery.planted)} made-up data sets: what came back"
    with mpl.rc_context(STYLE):
        height = 1.6 + 0.27 * len(table)
        figure = sheet(11, height, title, source)
        axes = figure.add_axes((0.27, 0.62 / height, 0.26, 1 - 1.35 / height))
        at = _labelled_rows(axes, [short_name(name) for name in table["number"]])
        least, most = expected_counts(sets, 0.9)
        axes.axvspan(least, most, color="#ececec", lw=0, label="19 times of 20 if intervals are honest")
        axes.axvline(0.9 * sets, color=GREY, lw=0.8)
        axes.plot(table["in_90"], at, "o", color=BLUE, ms=5, label="planted value in its 90% interval")
        axes.set_xlim(min(least, table["in_90"].min()) - 1, sets + 0.5)
        axes.set_xlabel(f"data sets out of {sets}")
        axes.legend(frameon=False, fontsize=8, loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=1)
        for k, row in enumerate(_rows(table)):
            axes.text(1.03, at[k], f"{max(0, row.shrinkage):.0%} narrower on average", va="center", fontsize=8,
                      transform=axes.get_yaxis_transform(), color=BLACK if row.shrinkage >= 0.1 else GREY)  # fmt: skip
        _draw_ranks(figure.add_axes((0.74, 0.62 / height, 0.245, 1 - 1.35 / height)), recovery.ranks)
    (wide, error), (narrow, narrow_error) = recovery.coverage(0.9), recovery.coverage(0.5)
    words = (
        f"Over all numbers {wide:.1%} (standard error {error:.1%}) lay in their 90% intervals, {narrow:.1%} ({narrow_error:.1%}) in 50%."
    )
    return finished(figure, "recovery", title, words)


def _draw_ranks(axes: "Axes", ranks: Any) -> None:
    """Ranks of the planted values among the posterior's sets, all numbers together: flat if the posterior is honest."""
    bins = 10
    counts, edges = np.histogram(ranks.ravel(), bins=bins, range=(0, 1))
    least, most = expected_counts(ranks.size, 1 / bins)
    axes.axhspan(least, most, color="#ececec", lw=0)
    axes.bar(edges[:-1], counts, width=0.09, align="edge", color=BLUE)
    axes.set_xlabel("share of the posterior below the planted value")
    axes.set_title("all numbers: flat if honest", pad=8)
    axes.set_ylabel("planted values")


def draw_forecasts(findings: Findings, source: str) -> ReportChart:
    """A fan for every forecast year and partnership: the months before, what was observed, bands for 50 and 90 %."""
    places, years = findings.calibrated.calibration.observed.partnerships, findings.forecasts[::-1]
    title = "Each year forecast from what was known before it; all crime types with a series"
    with mpl.rc_context(STYLE):
        height = 1.1 + 2.3 * len(places)
        figure = sheet(11, height, title, source)
        grid = figure.add_gridspec(
            len(places), len(years), left=0.08, right=0.99, top=1 - 0.95 / height, bottom=0.55 / height, hspace=0.45, wspace=0.22
        )
        for p, place in enumerate(places):
            for k, forecast in enumerate(years):
                axes = figure.add_subplot(grid[p, k])
                _draw_fan(axes, findings, forecast, p)
                held = ", held back" if forecast is findings.forecasts[0] else ""
                axes.set_title(f"from {forecast.first:%B %Y}{held}", fontsize=8.5)
                if k == 0:
                    axes.set_ylabel(f"{_title(findings, place)}\nrecorded a month", fontsize=8)
        handles, labels = figure.axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="upper left", bbox_to_anchor=(0.05, 1 - 0.33 / height), ncols=4, frameon=False, fontsize=8)
    return finished(
        figure, "forecasts", title, f"{_scores_in_words(findings)} Months before, observed crime, and the model's bands by month."
    )


def _title(findings: Findings, place: str) -> str:
    return findings.calibrated.calibration.scenario.data.partnerships[place].title


def _draw_fan(axes: "Axes", findings: Findings, forecast: Forecast, p: int) -> None:
    observed = findings.calibrated.calibration.observed
    start = observed.months.index(forecast.first)
    x = np.arange(-BEFORE, 12)
    shown = observed.recorded[p].sum(axis=0)[max(0, start - BEFORE) : start + 12]
    ahead = np.arange(12)
    total = forecast.samples[MODEL][:, p].sum(axis=1)
    for low, high, shade in ((5, 95, 0.18), (25, 75, 0.32)):
        edges = np.percentile(total, (low, high), axis=0)
        axes.fill_between(ahead, *edges, color=BLUE, alpha=shade, lw=0, label=f"model, {high - low}% of runs")
    axes.plot(x[-len(shown) :], shown, color=BLACK, lw=1.1, marker=".", ms=3, label="observed")
    axes.plot(ahead, shown[-24:-12], color=ORANGE, lw=1, ls=(0, (4, 2)), label="last year")
    axes.axvline(-0.5, color=GREY, lw=0.7)
    at = np.arange(-24, 13, 12)
    axes.set_xticks(at, [f"{forecast.first.year + k // 12}" for k in at])
    axes.tick_params(labelsize=7.5)


def draw_scores(findings: Findings, source: str) -> ReportChart:
    """CRPS of every way of forecasting by year and partnership, in units of the score of last year's months."""
    totals = totals_of(findings)
    table = totals.pivot_table(index=["partnership", "year"], columns="forecast", values="crps", sort=False)
    title = "Scores against naive forecasts: further left is better"
    with mpl.rc_context(STYLE):
        height = 1.6 + 0.36 * len(table)
        figure = sheet(11, height, title, source)
        axes = figure.add_axes((0.29, 0.62 / height, 0.54, 1 - 1.35 / height))
        at = _labelled_rows(axes, [f"{_title(findings, place)}, from {year}" for place, year in table.index])
        for shift, (name, (colour, mark)) in zip(np.linspace(0.22, -0.22, len(WAYS)), WAYS.items(), strict=True):
            axes.plot(table[name] / table[LAST_YEAR], at + shift, mark, color=colour, ms=6, label=name)
        axes.axvline(1, color=GREY, lw=0.8)
        axes.set_xlabel("CRPS relative to the forecast by last year's months")
        axes.legend(frameon=False, fontsize=8, loc="lower left", bbox_to_anchor=(-0.34, 1.0), ncols=5)
        for k, value in enumerate(table[LAST_YEAR]):
            axes.text(1.02, at[k], f"last year: {value:.0f} crimes a month", va="center", fontsize=8, transform=axes.get_yaxis_transform())
    return finished(figure, "scores", title, _scores_in_words(findings))


def _scores_in_words(findings: Findings) -> str:
    mean = totals_of(findings).groupby("forecast", sort=False)["crps"].mean()
    return "Mean CRPS in crimes a month: " + ", ".join(f"{name!s} {value:.1f}" for name, value in mean.items()) + "."
