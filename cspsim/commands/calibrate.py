"""The command ``calibrate``: learn unknown numbers from observed crime, and say what cannot be learned."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from cspsim.basics.exports import as_json, check_target
from cspsim.commands.options import Json, MemoryLimit, Out, Threads, TimeLimit, permit, replay_command
from cspsim.commands.terminal import Column, say, show_table, waiting


def calibrate_command(
    file: Annotated[str, typer.Argument(help="A calibration file, or the name of a shipped one such as calibrate-recorded-crime.")],
    synthetic: Annotated[
        bool, typer.Option("--synthetic", help="Also plant numbers in made-up data sets and show how many come back.")
    ] = False,
    out_folder: Out = None,
    no_report: Annotated[bool, typer.Option("--no-report", help="Print the answer; write no files.")] = False,
    open_: Annotated[bool, typer.Option("--open", help="Open the report in the browser.")] = False,
    threads: Threads = None,
    time_limit: TimeLimit = None,
    memory_limit: MemoryLimit = None,
    json: Json = False,
) -> None:
    """Learn unknown numbers from observed recorded crime and stylised facts; score a year that was held back."""
    from cspsim.calibration.calibrating import calibration_runs, calibration_work
    from cspsim.calibration.calibration_file import load_calibration

    calibration = load_calibration(file)
    target = out_folder or Path("cspsim-results") / calibration.name
    if not no_report:
        check_target(target)
    permit(calibration_work(calibration, synthetic, threads), f"calibrating {calibration.name!r}", time_limit, memory_limit)
    with waiting("Calibrating", json) as report:
        from cspsim.calibration.calibrating import calibrate as learned_from
        from cspsim.calibration.calibration_summary import calibration_findings
        from cspsim.calibration.forecasts import forecast_years
        from cspsim.calibration.recovery import recover

        progress = report(calibration_runs(calibration, synthetic))
        calibrated = learned_from(calibration, threads, progress)
        forecasts = forecast_years(calibrated, threads, progress)
        recovery = recover(calibration, calibrated.pool, threads, progress) if synthetic else None
        findings = calibration_findings(calibrated, forecasts, recovery)
    from cspsim.calibration.calibration_page import findings_as_json, grids_of, write_calibration
    from cspsim.calibration.calibration_summary import calibration_sentences

    if not no_report:
        write_calibration(findings, target, replay_command(sys.argv[1:]))
    if json:
        typer.echo(as_json({**findings_as_json(findings), "folder": None if no_report else str(target)}))
        return
    say(calibration.data.question, style="italic")
    for sentence in calibration_sentences(findings):
        say(sentence)
    say()
    for grid in grids_of(findings):
        columns = [Column(title, number=0 < k < len(grid.columns) - 1, rank=k) for k, title in enumerate(grid.columns)]
        show_table(grid.title, columns, grid.cells)
    if not no_report:
        say(f"Figures, tables and the posterior as an assumption set: {target / 'report.html'}")
    if open_ and not no_report:
        typer.launch((target / "report.html").absolute().as_uri())
