"""The results folder of a calibration: page, figures, tables, and the posterior as an assumption set."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from cspsim.basics.exports import MANIFEST, as_json, records, results_folder, write_table, write_whole
from cspsim.calibration.calibration_figures import WAYS, draw_calibration
from cspsim.calibration.calibration_summary import Findings, calibration_sentences, short_name, totals_of
from cspsim.calibration.forecasts import mean_scores
from cspsim.calibration.posterior import posterior_text
from cspsim.reports.charts import ReportChart
from cspsim.reports.rendering import render
from cspsim.reports.summary import Grid, about_scenario
from cspsim.running.same_code import versions

if TYPE_CHECKING:
    import pandas as pd

POSTERIOR = "posterior.csv"


def write_calibration(findings: Findings, target: Path, command: str) -> None:
    """The whole folder; all of it or nothing. Raises CspsimError."""
    with results_folder(target) as folder:
        charts = draw_calibration(findings)
        for chart in charts:
            write_whole(folder / f"{chart.name}.svg", chart.svg)
            write_whole(folder / f"{chart.name}.png", chart.png)
        for name, frame in calibration_tables(findings).items():
            write_table(folder, name, frame)
        write_whole(folder / POSTERIOR, posterior_text(findings.calibrated.posterior))
        write_whole(folder / MANIFEST, as_json({"command": command, **calibration_settings(findings)}) + "\n")
        write_whole(folder / "report.html", page_of_calibration(findings, charts, command))


def calibration_tables(findings: Findings) -> "dict[str, pd.DataFrame]":
    """File name -> table of the folder."""
    tables = {"learned": findings.learned, "targets": findings.targets}
    if findings.recovered is not None:
        tables["recovery"] = findings.recovered
    if findings.scores is not None:
        tables |= {"scores": findings.scores, "scores_by_year": mean_scores(findings.scores)}
    return tables


def calibration_settings(findings: Findings) -> dict[str, Any]:
    """What it takes to make a calibration again."""
    calibration = findings.calibrated.calibration
    observed = calibration.observed
    return {
        "calibration": calibration.name,
        "title": calibration.data.title,
        "scenario": about_scenario(calibration.scenario),
        "seed": calibration.data.seed,
        "fit": calibration.data.fit.model_dump(by_alias=True),
        "held_back": [f"{first:%Y-%m}" for first in calibration.held_back],
        "others": calibration.data.uncertainties.others,
        "budget": calibration.data.budget.model_dump(),
        "discrepancy": calibration.data.discrepancy.model_dump(),
        "observed": {"file": calibration.data.observed, "remarks": observed.remarks, "crimes": int(observed.recorded.sum())},
        "waves": [wave._asdict() for wave in findings.calibrated.posterior.waves],
        "versions": versions(),
    }


def findings_as_json(findings: Findings) -> dict[str, Any]:
    """Sentences, tables and settings for machines."""
    tables = {name: records(frame) for name, frame in calibration_tables(findings).items() if name != "scores"}
    coverage = {}
    if findings.recovery is not None:
        coverage = {f"{share:g}": findings.recovery.coverage(share) for share in (0.5, 0.9)}
    return {"answers": calibration_sentences(findings), **tables, "coverage": coverage, "settings": calibration_settings(findings)}


# ------------------------------------------------------------------------------------------------- tables for reading


def learned_grid(findings: Findings) -> Grid:
    """What was learned about each number."""
    rows = records(findings.learned)
    cells = [
        [
            short_name(row["number"]),
            f"{row['best_guess']:.4g}",
            f"{row['prior_p5']:.3g} to {row['prior_p95']:.3g}",
            f"{row['posterior_p50']:.3g}",
            f"{row['posterior_p5']:.3g} to {row['posterior_p95']:.3g}",
            f"{max(0.0, row['shrinkage']):.0%}",
            row["verdict"],
        ]
        for row in rows
    ]
    columns = ["Number", "Best guess", "Before, 90%", "After, median", "After, 90%", "Narrower", "Verdict"]
    return Grid("What was learned", columns, cells, rows)


def targets_grid(findings: Findings) -> Grid:
    """Every target, and how far it is met."""
    rows = records(findings.targets)
    cells = [
        [
            row["title"],
            f"{row['observed']:.3g}",
            f"{row['tolerance']:.2g}",
            f"{row['prior_p5']:.3g} to {row['prior_p95']:.3g}",
            f"{row['posterior_p5']:.3g} to {row['posterior_p95']:.3g}",
            f"{row['missed_by']:.1f} sd",
        ]
        for row in rows
    ]
    return Grid(
        "What was to be met", ["Target", "Observed", "May miss by (1 sd)", "Runs before, 90%", "Runs after, 90%", "Missed by"], cells, rows
    )


def recovery_grid(findings: Findings) -> Grid:
    """How well planted numbers were recovered."""
    assert findings.recovered is not None
    rows = records(findings.recovered)
    cells = [
        [
            short_name(row["number"]),
            f"{row['in_90']} of {row['data_sets']}",
            f"{row['in_50']} of {row['data_sets']}",
            f"{max(0.0, row['shrinkage']):.0%}",
            f"{row['correlation']:.2f}",
        ]
        for row in rows
    ]
    columns = [
        "Number",
        "Planted value in its 90% interval",
        "in its 50% interval",
        "Narrower on average",
        "Correlation of median and planted",
    ]
    return Grid("What came back of planted numbers", columns, cells, rows)


def scores_grid(findings: Findings) -> Grid:
    """CRPS of every way of forecasting by year and partnership, and how often the model's bands held what was observed."""
    totals = totals_of(findings)
    cells = []
    for (place, year), rows in totals.groupby(["partnership", "year"], sort=False):
        way = rows.set_index("forecast")
        bands = " and ".join(f"{float(way[column][next(iter(WAYS))]):.0%}" for column in ("in_50", "in_90"))
        cells.append([f"{place}, year from {year}", *(f"{float(way['crps'][name]):.1f}" for name in WAYS), bands])
    mean = totals.groupby("forecast")[["crps", "in_50", "in_90"]].mean()
    bands = " and ".join(f"{float(mean[column][next(iter(WAYS))]):.0%}" for column in ("in_50", "in_90"))
    cells.append(["Mean", *(f"{float(mean['crps'][name]):.1f}" for name in WAYS), bands])
    columns = ["Partnership and year", *(name.capitalize() for name in WAYS), "Months in the model's 50 and 90% bands"]
    return Grid("Continuous ranked probability score, crimes a month (less is better)", columns, cells, records(totals))


def grids_of(findings: Findings) -> list[Grid]:
    """Every table for which there are data."""
    grids = [learned_grid(findings), targets_grid(findings)]
    if findings.recovered is not None:
        grids.append(recovery_grid(findings))
    if findings.scores is not None:
        grids.append(scores_grid(findings))
    return grids


# ------------------------------------------------------------------------------------------------------------ the page


def page_of_calibration(findings: Findings, charts: list[ReportChart], command: str) -> str:
    """The report as one HTML page that loads nothing from anywhere. Escapes everything that comes from a file."""
    data = findings.calibrated.calibration.data
    content = {
        "title": data.title,
        "data": data,
        "settings": calibration_settings(findings),
        "answers": calibration_sentences(findings),
        "charts": charts,
        "grids": grids_of(findings),
        "facts": [
            (row["title"], row["source"]) for row in records(findings.targets) if row["target"] in findings.calibrated.calibration.facts
        ],
        "forecasts": bool(findings.forecasts),
        "recovery": findings.recovery is not None,
        "command": command,
        "posterior": POSTERIOR,
        "sets": len(findings.calibrated.posterior.values),
    }
    return render("calibration.html", **content)
