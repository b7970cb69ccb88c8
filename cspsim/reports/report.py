"""Results as files: a self-contained page, figures as PNG and SVG, tables as CSV and Parquet, settings to run it again."""

from collections import Counter
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cspsim.basics.exports import MANIFEST, as_json, records, results_folder, write_table, write_whole
from cspsim.basics.formats import amount, interval
from cspsim.basics.limits import UNLIMITED, EstimatedWork, work_of
from cspsim.comparing.comparison import MONTHS_KEPT, Comparison
from cspsim.reports.describe import TABLES, describe
from cspsim.reports.rendering import render
from cspsim.reports.summary import (
    Grid,
    about_scenario,
    comparison_rows,
    definitions_grid,
    funnel_grid,
    money_grid,
    outcome_grid,
    titles_of_places,
    window_in_words,
)  # fmt: skip
from cspsim.running.outcomes import MAIN, POUNDS
from cspsim.running.results import AREA, Results
from cspsim.running.same_code import versions
from cspsim.running.simulation import simulate
from cspsim.scenario.scenario import Scenario
from cspsim.scenario.world_building import size_of

if TYPE_CHECKING:
    import pandas as pd

    from cspsim.reports.charts import ReportChart

ReportTo = Callable[[int | None], Callable[[int], None] | None]


# ------------------------------------------------------------------------------------------------------ one scenario


def run_once(
    scenario: Scenario, replicates: int, seed: int, months: bool, threads: int | None, report: ReportTo
) -> tuple[Results, Results]:
    """The runs of a scenario, and runs with their months for tables by year: the same ones unless there are very many.

    The caller has checked the limits, with ``work_once``.
    """
    few = months or replicates <= MONTHS_KEPT
    progress = report(replicates if few else replicates + MONTHS_KEPT)
    results = simulate(scenario, replicates, seed, few, threads, progress=progress, limits=UNLIMITED)
    if few:
        return results, results
    return results, simulate(scenario, MONTHS_KEPT, seed, True, threads, progress=progress, limits=UNLIMITED)


def work_once(scenario: Scenario, replicates: int, months: bool, threads: int | None = None) -> EstimatedWork:
    """Time and memory that ``run_once`` and its tables take."""
    return work_of(size_of(scenario.data), replicates, months_kept=replicates if months else min(replicates, MONTHS_KEPT), threads=threads)


class Summary:
    """What ``run`` shows of one scenario.

    Attributes:
        results: all runs. yearly: runs of the same scenario with their months kept.
    """

    def __init__(self, results: Results, yearly: Results) -> None:
        self.results, self.yearly = results, yearly

    @property
    def window(self) -> str:
        """The months over which outcomes are taken, in words."""
        return window_in_words(self.results)

    @cached_property
    def grids(self) -> list[Grid]:
        """Outcomes of the area and of each partnership, the five definitions, the funnel, the accounts by year."""
        arms = {self.results.scenario.name: self.results}
        titles = titles_of_places(self.results)
        places = [AREA, *self.results.partnerships[:-1]]
        return [
            *(outcome_grid(self.results, place, titles[place], MAIN) for place in places),
            definitions_grid(arms),
            funnel_grid(arms),
            money_grid(self.yearly, "Money by financial year, £ of 2015/16, means over runs"),
        ]

    def settings(self) -> dict[str, Any]:
        """What it takes to run this again."""
        results = self.results
        about = {"scenario": about_scenario(results.scenario), "replicates": results.replicates, "seed": results.seed}
        return {**about, "first_replicate": results.first_replicate, "window": self.window, "versions": versions()}

    def as_json(self) -> dict[str, Any]:
        """Everything for machines; unlike on the screen, every outcome."""
        places = self.results.partnerships
        outcomes = {place: outcome_grid(self.results, place, place).plain for place in places}
        names = ("definitions", "funnel", "money_by_year")
        return {
            "settings": self.settings(),
            "outcomes": outcomes,
            **{name: grid.plain for name, grid in zip(names, self.grids[-3:], strict=True)},
        }


def write_runs(summary: Summary, target: Path, months: bool) -> None:
    """Runs, authorities, accounts (and months) of one scenario as CSV and Parquet in a folder. Raises CspsimError."""
    import pandas as pd

    with results_folder(target) as folder:
        for name in ("runs", "authorities", *(["months"] if months else [])):
            write_table(folder, name, getattr(summary.results, name))
        write_table(folder, "money_by_year", pd.DataFrame(summary.grids[-1].plain))
        write_whole(folder / MANIFEST, as_json(summary.settings()) + "\n")


# ------------------------------------------------------------------------------------------------------ a comparison


def comparison_settings(comparison: Comparison) -> dict[str, Any]:
    """What it takes to make a comparison again."""
    arms = [{**about_scenario(results.scenario), "name": name} for name, results in comparison.results.items()]
    first = comparison.results[comparison.baseline]
    return {
        "scenarios": arms,
        "replicates": comparison.replicates,
        "first_replicate": first.first_replicate,
        "seed": comparison.seed,
        "assumption_sets": len(comparison.over_sets[comparison.baseline]),
        "replicates_per_set": comparison.replicates_per_set,
        "precision": comparison.precision,
        "window": window_in_words(first),
        "versions": versions(),
    }


def comparison_as_json(comparison: Comparison) -> dict[str, Any]:
    """Headlines, table, split, notes and settings for machines."""
    answers = [
        {"scenario": name, "question": comparison.question(name), "headline": comparison.headline(name)} for name in comparison.scenarios
    ]
    return {
        "answers": answers,
        "table": records(comparison.table),
        "split": records(comparison.split),
        "notes": list(comparison.notes),
        "settings": comparison_settings(comparison),
    }


def write_report(comparison: Comparison, target: Path, command: str) -> None:
    """The whole results folder: page, figures, tables, settings; all of it or nothing. Raises CspsimError."""
    from cspsim.reports.charts import draw_comparison

    with results_folder(target) as folder:
        charts = draw_comparison(comparison)
        for chart in charts:
            write_whole(folder / f"{chart.name}.svg", chart.svg)
            write_whole(folder / f"{chart.name}.png", chart.png)
        for name, frame in comparison_tables(comparison).items():
            write_table(folder, name, frame)
        write_whole(folder / MANIFEST, as_json({"command": command, **comparison_settings(comparison)}) + "\n")
        write_whole(folder / "report.html", page_of_comparison(comparison, charts, command))


def comparison_tables(comparison: Comparison) -> "dict[str, pd.DataFrame]":
    """File name -> table of a results folder."""
    import pandas as pd

    runs = [results.runs.assign(scenario=name) for name, results in comparison.results.items()]
    money = [{"scenario": name, **row} for name, grid in money_of(comparison).items() for row in grid.plain]
    return {
        "comparison": comparison.table,
        "split": comparison.split,
        "runs": pd.concat(runs, ignore_index=True),
        "definitions": pd.DataFrame(definitions_grid(comparison.results).plain),
        "funnel": pd.DataFrame(funnel_grid(comparison.results).plain),
        "money_by_year": pd.DataFrame(money),
    }


def money_of(comparison: Comparison) -> dict[str, Grid]:
    """Accounts by year of each arm. Raises ValueError if months were not kept."""
    return {name: money_grid(results, f"Money by financial year: {name}") for name, results in comparison.results.items()}


# ------------------------------------------------------------------------------------------------------------ the page


def page_of_comparison(comparison: Comparison, charts: "list[ReportChart]", command: str) -> str:
    """The report as one HTML page that loads nothing from anywhere. Escapes everything that comes from a scenario."""
    return render("report.html", **_content(comparison, charts, command))


def _content(comparison: Comparison, charts: "list[ReportChart]", command: str) -> Mapping[str, Any]:
    """Everything the template shows, in words."""
    baseline = comparison.results[comparison.baseline]
    return {
        "title": f"{', '.join(comparison.scenarios)} compared with {comparison.baseline}",
        "baseline": comparison.baseline,
        "baseline_title": baseline.scenario.title,
        "settings": comparison_settings(comparison),
        "places": [entry.title for entry in baseline.scenario.data.partnerships.values()],
        "answers": [_answer(comparison, name) for name in comparison.scenarios],
        "notes": comparison.notes,
        "charts": charts,
        "grids": [definitions_grid(comparison.results), funnel_grid(comparison.results), *money_of(comparison).values()],
        "evidence": evidence(baseline.scenario),
        "command": command,
    }


def _answer(comparison: Comparison, name: str) -> dict[str, Any]:
    """One scenario's part of the page."""
    scenario = comparison.results[name].scenario
    rows = comparison_rows(comparison, name)
    groups = {group: [row for row in rows if row.group == group] for group in dict.fromkeys(row.group for row in rows)}
    first = next(row for row in rows if row.role == "primary")
    changes = scenario.differences_from(comparison.results[comparison.baseline].scenario)
    return {
        "name": name,
        "title": scenario.title,
        "question": comparison.question(name),
        "context": scenario.context,
        "headline": comparison.headline(name),
        "verdict": f"{first.verdict}, {first.direction}".rstrip(", "),
        "outcome": first.title,
        "split": [_part(channel) for channel in comparison.channels if channel.scenario == name],
        "groups": groups,
        "changes": [(key, _said(theirs), _said(ours)) for key, (theirs, ours) in changes.items()],
    }


def _part(channel: Any) -> tuple[str, str, str, str]:
    half = (channel.ci_high - channel.ci_low) / 2
    spread = (channel.assumptions_high - channel.assumptions_low) / 2
    known, wide = (half if half > 0 else None), (spread if spread > 0 else None)
    return (
        channel.part,
        amount(channel.difference, POUNDS, known, signed=True),
        interval(channel.ci_low, channel.ci_high, POUNDS, known),
        interval(channel.assumptions_low, channel.assumptions_high, POUNDS, wide),
    )


def _said(value: Any) -> str:
    if value is None:
        return "not stated"
    return f"{value:,.10g}" if isinstance(value, float) else str(value)


def evidence(scenario: Scenario) -> dict[str, int]:
    """How many numbers behind a scenario were seen in a source, derived, remembered or assumed, in that order."""
    kinds = ("levers", "uncertainties", *TABLES)
    counted = Counter(row["status"] for kind in kinds for row in describe(kind, scenario) if row["status"])
    return {status: counted[status] for status in ("seen", "derived", "memory", "assumption")}
