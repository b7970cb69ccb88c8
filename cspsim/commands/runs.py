"""Commands that run the model: ``run | explain | compare``."""

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cspsim.basics.errors import CspsimError, did_you_mean
from cspsim.basics.exports import as_json, check_target
from cspsim.basics.limits import UNLIMITED, EstimatedWork
from cspsim.basics.outward import visible
from cspsim.commands.options import (
    LARGEST_SEED,
    AllowRules,
    Changes,
    Json,
    MemoryLimit,
    Out,
    Replicates,
    ScenarioName,
    Seed,
    Threads,
    TimeLimit,
    folder_name,
    load,
    permit,
    replay_command,
)
from cspsim.commands.terminal import Column, announce_compilation, out, say, show_table, waiting

if TYPE_CHECKING:
    from cspsim.comparing.comparison import Comparison, Sampler

LOADING = EstimatedWork(0.02, 1e6)  # what one scenario takes to be read and held, measured
SET_RUNS = 4  # runs of each arm under each assumption set


def run(
    scenario: ScenarioName,
    replicates: Replicates = 100,
    seed: Seed = 1,
    set_: Changes = None,
    months: Annotated[bool, typer.Option("--months", help="Write the monthly series too (with --out).")] = False,
    out_folder: Out = None,
    threads: Threads = None,
    allow_rules: AllowRules = False,
    time_limit: TimeLimit = None,
    memory_limit: MemoryLimit = None,
    json: Json = False,
) -> None:
    """Run one scenario and show what came of it, by partnership and by year."""
    chosen = load(scenario, set_, allow_rules)
    if out_folder is not None:
        check_target(out_folder)
    from cspsim.reports.report import work_once

    permit(work_once(chosen, replicates, months, threads), f"{replicates:,} runs of {chosen.name!r}", time_limit, memory_limit)
    with waiting("Running", json) as report:
        from cspsim.reports.report import Summary, run_once, write_runs

        results, yearly = run_once(chosen, replicates, seed, months, threads, report)
    summary = Summary(results, yearly)
    if out_folder is not None:
        write_runs(summary, out_folder, months)
    if json:
        typer.echo(as_json({**summary.as_json(), "folder": str(out_folder) if out_folder else None}))
        return
    say(chosen.title, style="bold")
    say(f"{replicates:,} runs, seed {seed}; outcomes from {summary.window}. Illustrative model, not a forecast.")
    say()
    for grid in summary.grids:
        columns = [Column(title, number=k > 0 and title != "Unit", rank=max(0, k - 1)) for k, title in enumerate(grid.columns)]
        show_table(grid.title, columns, grid.cells)
    if out_folder is not None:
        say(f"Tables written to {out_folder}")


def explain(
    scenario: ScenarioName,
    replicate: Annotated[int, typer.Option(min=0, max=LARGEST_SEED, help="Number of the run, from 0.")] = 0,
    seed: Seed = 1,
    partnership: Annotated[str | None, typer.Option(help="Only this partnership.")] = None,
    year: Annotated[int | None, typer.Option(help="Only the financial year that begins in April of this year.")] = None,
    set_: Changes = None,
    allow_rules: AllowRules = False,
    time_limit: TimeLimit = None,
    memory_limit: MemoryLimit = None,
    json: Json = False,
) -> None:
    """Tell one run as a story: what was tabled, who challenged whom, what was adopted, what it did and what they believed."""
    chosen = load(scenario, set_, allow_rules)
    known = list(chosen.data.partnerships)
    if partnership is not None and partnership not in known:
        raise CspsimError(f'{scenario} has no partnership "{partnership}"; {did_you_mean(partnership, known)}')
    from cspsim.one_run.events import Reckoning
    from cspsim.one_run.run import Run
    from cspsim.one_run.story import as_records, financial_year, tell, titles_of, watch, work_of_story

    permit(work_of_story(chosen), f"the story of {chosen.name!r}", time_limit, memory_limit)
    if not json:
        announce_compilation()
    begun = Run(chosen, seed, replicate)
    years = sorted({financial_year(month) for month in begun.calendar.reported})
    if year is not None and year not in years:
        raise CspsimError(f"{scenario} has no financial year that begins in {year}: it runs from {years[0]} to {years[-1]}")
    events = [
        event
        for event in watch(begun)
        if partnership in (None, event.partnership)
        and (year is None or isinstance(event, Reckoning) or financial_year(event.month) == year)
    ]
    if json:
        typer.echo(as_json({"scenario": chosen.name, "seed": seed, "replicate": replicate, "events": as_records(events)}))
        return
    say(f"{chosen.title}: run {replicate} of seed {seed}", style="bold")
    say("One of many ways it could have gone: luck decides much here. Percentages are falls of crime among those treated.")
    say()
    for paragraph in tell(events, titles_of(begun)).strip().split("\n\n"):
        if paragraph.startswith("## "):
            say(paragraph.removeprefix("## "), style="bold")
        else:
            _say_paragraph(paragraph)


def _say_paragraph(paragraph: str) -> None:
    """A paragraph whose first words are its heading, at a width that reads well."""
    from rich.text import Text

    head, stop, rest = visible(paragraph).partition(". ")
    console = out()
    text = Text.assemble((f"{head}{stop}", "bold"), rest) if stop and len(head) < 24 else Text(visible(paragraph))
    console.print(text, width=min(console.width, 100))
    console.print()


def compare_command(
    baseline: Annotated[str, typer.Argument(help="What the others are compared with.")],
    scenarios: Annotated[list[str], typer.Argument(help="One or more scenarios, files or stacks.")],
    replicates: Replicates = 100,
    seed: Seed = 1,
    precision: Annotated[
        float | None,
        typer.Option(
            min=1e-6, max=1, help="Keep doubling the runs until the headline interval is this narrow, as a share of the baseline's value."
        ),
    ] = None,
    assumption_sets: Annotated[int, typer.Option("--assumption-sets", min=0, help="Sampled sets of assumptions.")] = 32,
    assumptions: Annotated[
        Path | None,
        typer.Option(help="Draw the sets from this file (such as a posterior of cspsim calibrate), not from the registered ranges."),
    ] = None,
    set_: Changes = None,
    set_everywhere: Annotated[
        list[str] | None, typer.Option("--set-everywhere", metavar="KEY=VALUE", help="Change a key in the baseline too.")
    ] = None,
    out_folder: Out = None,
    no_report: Annotated[bool, typer.Option("--no-report", help="Print the answer; write no files.")] = False,
    open_: Annotated[bool, typer.Option("--open", help="Open the report in the browser.")] = False,
    threads: Threads = None,
    allow_rules: AllowRules = False,
    time_limit: TimeLimit = None,
    memory_limit: MemoryLimit = None,
    json: Json = False,
) -> None:
    """Compare scenarios with a baseline under the same luck, and write a report with figures and tables."""
    many = EstimatedWork(LOADING.seconds * len(scenarios), LOADING.memory * len(scenarios))
    permit(many, f"reading {len(scenarios):,} scenarios", time_limit, memory_limit)
    reference = load(baseline, set_everywhere, allow_rules)
    chosen = [load(name, [*(set_everywhere or []), *(set_ or [])], allow_rules) for name in scenarios]
    target = out_folder or Path("cspsim-results") / folder_name(baseline, scenarios)
    if not no_report:
        check_target(target)
    from cspsim.comparing.comparison import MOST_REPLICATES, comparison_runs, comparison_work

    most = replicates if precision is None else MOST_REPLICATES
    work = comparison_work([reference, *chosen], most, assumption_sets, SET_RUNS, not no_report, threads)
    permit(work, f"comparing {len(chosen)} with {reference.name!r}", time_limit, memory_limit)
    with waiting("Comparing", json) as report:
        from cspsim.comparing.comparison import compare as compared

        planned = comparison_runs(1 + len(chosen), replicates, assumption_sets, SET_RUNS) if precision is None else None
        found = compared(
            reference, chosen, replicates, seed, assumption_sets, SET_RUNS, threads=threads, precision=precision,
            progress=report(planned), months=not no_report, sampler=_sampler(assumptions), limits=UNLIMITED,
        )  # fmt: skip
    if not no_report:
        from cspsim.reports.report import write_report

        write_report(found, target, replay_command(sys.argv[1:]))
    _answer(found, None if no_report else target, json)
    if open_ and not no_report:
        typer.launch((target / "report.html").absolute().as_uri())


def _sampler(file: Path | None) -> "Sampler":
    """Where the assumption sets of a comparison come from."""
    from cspsim.running.assumptions import sample_assumptions

    if file is None:
        return sample_assumptions
    from cspsim.calibration.posterior import load_posterior

    return partial(load_posterior, file)


def _answer(found: "Comparison", target: Path | None, json: bool) -> None:
    """What ``compare`` prints: a sentence for each question, then the main differences."""
    from cspsim.reports.summary import comparison_rows
    from cspsim.running.outcomes import MAIN, OUTCOMES

    if json:
        from cspsim.reports.report import comparison_as_json

        typer.echo(as_json({**comparison_as_json(found), "folder": str(target) if target else None}))
        return
    for name in found.scenarios:
        say(found.question(name), style="italic")
        say(found.headline(name), style="bold")
        say()
    columns = [
        Column("Outcome"),
        Column(found.baseline, True, 3),
        Column("", True, 4),
        Column("Difference", True),
        Column("95% interval", True, 2),
    ]
    columns += [Column("Under other assumptions", True, 1), Column("Verdict", rank=0)]
    for name in found.scenarios:
        columns[2] = Column(name, True, 4)
        rows = [
            (
                row.title,
                row.baseline,
                row.value,
                row.difference,
                row.interval,
                row.assumptions,
                f"{row.verdict}, {row.direction}".rstrip(", "),
            )
            for row in comparison_rows(found, name, MAIN)
        ]
        show_table(f"{name} compared with {found.baseline}", columns, rows)
    for note in found.notes:
        say(note)
    say(
        "Intervals say how well the runs pin the difference down if the best guesses are right; other assumptions move it that far (5-95%)."
    )
    if target:
        say(f"All {len(OUTCOMES)} outcomes, figures and tables: {target / 'report.html'}")
