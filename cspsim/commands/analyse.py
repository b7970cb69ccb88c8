"""The command that says what a finished sweep shows: ``cspsim analyse``."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cspsim.basics.exports import as_json, check_target
from cspsim.commands.options import Json, Out, replay_command
from cspsim.commands.terminal import Column, remark, say, show_table

if TYPE_CHECKING:
    from cspsim.analysis.analysis import Analysis
    from cspsim.analysis.section import AnalysisSection

MANY_RUNS = 5_000  # from here on an analysis takes long enough to say so


def analyse_command(
    folder: Annotated[str, typer.Argument(metavar="DIR", help="Folder with the results of a sweep.")],
    outcome: Annotated[str | None, typer.Option(help="Outcome in question; the sweep's primary one if not given.")] = None,
    out_folder: Out = None,
    no_report: Annotated[bool, typer.Option("--no-report", help="Print the answer; write no files.")] = False,
    open_: Annotated[bool, typer.Option("--open", help="Open the report in the browser.")] = False,
    json: Json = False,
) -> None:
    """Say what a sweep shows: effects, robustness, flip points, failures, drivers, luck; with a report."""
    from cspsim.sweep.stored_results import load_results

    results = load_results(folder)
    name = str(results.manifest["experiment"])
    target = out_folder or Path("cspsim-results") / f"{name}-analysis"
    if not no_report:
        check_target(target)
    if not json and results.manifest["counts"].get("runs", 0) >= MANY_RUNS:
        remark("Analysing; this can take a minute.")
    from cspsim.analysis.analysing import analyse as analysed
    from cspsim.analysis.analysis_page import analysis_as_json, sections_of, write_analysis

    found = analysed(results, outcome)
    sections = sections_of(found)
    if not no_report:
        write_analysis(found, sections, target, replay_command(sys.argv[1:]))
    if json:
        typer.echo(as_json({**analysis_as_json(found, sections), "folder": None if no_report else str(target)}))
    else:
        _answer(found, sections, None if no_report else target)
    if open_ and not no_report:
        typer.launch((target / "report.html").absolute().as_uri())


def _answer(found: "Analysis", sections: "list[AnalysisSection]", target: Path | None) -> None:
    """The answers in words, each section's main table, and where the rest is."""
    from cspsim.analysis.analysis_page import headlines_of

    say(str(found.results.manifest["question"]), style="italic")
    for answer in headlines_of(found):
        say(answer["headline"], style="bold")
    say()
    for section in sections:
        if section.name in ("effects", "others"):
            continue
        say(section.title, style="bold")
        for paragraph in section.said:
            say(paragraph)
        say()
        for grid in section.grids[: 1 if section.name in ("robustness", "levers") else 0]:
            show_table("", [Column(title, number=k > 0, rank=max(0, k - 1)) for k, title in enumerate(grid.columns)], grid.cells)
    for note in found.notes:
        say(note)
    say("Intervals say how well the runs pin a figure down; a share of assumption sets is no probability.")
    if target:
        say(f"Figures and every table: {target / 'report.html'}")
