"""The command line: ``cspsim list | show | describe | check | new | run | compare | explain``.

Nothing heavy is imported here: each command imports what it needs when it runs, so that ``cspsim --help`` is instant.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from cspsim.errors import CspsimError, did_you_mean
from cspsim.exports import as_json, check_target, write_whole
from cspsim.terminal import Column, announce_compilation, complain, out, say, show_table, speak_plainly, waiting

if TYPE_CHECKING:
    from cspsim.comparison import Comparison
    from cspsim.scenario import Scenario

LARGEST_SEED = 2**64 - 1
SET_RUNS = 4  # runs of each arm under each assumption set


class Commands(TyperGroup):
    """Expected failures end with one message on stderr and exit code 2, Ctrl-C with 130; never with a traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except CspsimError as error:
            complain(str(error))
            raise typer.Exit(error.exit_code) from None
        except KeyboardInterrupt:
            complain("stopped; nothing was left half written")
            raise typer.Exit(130) from None
        except BrokenPipeError:  # whoever read the answer has seen enough
            sys.stderr.close()
            raise typer.Exit(0) from None


app = typer.Typer(
    cls=Commands,
    name="cspsim",
    help="Simulate Community Safety Partnerships: what grants, workload, challenge and commissioning do to crime.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

ScenarioName = Annotated[str, typer.Argument(help="Name of a shipped scenario, path of a .toml file, or a stack of them: first+second.")]
Json = Annotated[bool, typer.Option("--json", help="Print the answer as JSON and nothing else.")]
Seed = Annotated[int, typer.Option(min=0, max=LARGEST_SEED, help="Seed of all luck.")]
Replicates = Annotated[int, typer.Option(min=1, help="Number of runs of each scenario.")]
Threads = Annotated[int | None, typer.Option(min=1, help="Threads; all processors if not given.")]
Out = Annotated[Path | None, typer.Option("--out", "-o", help="Folder for the results; replaced if cspsim wrote it.")]
Changes = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change a dotted key, such as levers.grant.multiplier=0.5. May be repeated."),
]


def _version(wanted: bool) -> None:
    if wanted:
        from cspsim import __version__

        typer.echo(f"cspsim {__version__}")
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")] = False,
) -> None:
    pass


def main() -> None:
    """Entry point of the ``cspsim`` command."""
    speak_plainly()
    try:
        app()
    except KeyboardInterrupt:  # while arguments were read or modules imported
        complain("stopped")
        sys.exit(130)


# ------------------------------------------------------------------------------------------------------- scenarios


def _load(name: str, changes: list[str] | None = None) -> "Scenario":
    from cspsim.outcomes import OUTCOMES
    from cspsim.scenario import load_scenario

    scenario = load_scenario(name, outcomes=lambda: OUTCOMES)
    return scenario.with_changes(parsed_changes(changes)) if changes else scenario


def parsed_changes(changes: list[str]) -> dict[str, Any]:
    """``key=value`` texts as a dictionary; values as in a scenario file, bare words as text. Raises CspsimError."""
    import tomllib

    found: dict[str, Any] = {}
    for text in changes:
        key, equals, value = text.partition("=")
        if not (equals and key.strip() and value.strip()):
            raise CspsimError(f"--set {text}: expected KEY=VALUE, such as levers.grant.multiplier=0.5")
        try:
            found[key.strip()] = tomllib.loads(f"value = {value}")["value"]
        except ValueError:
            found[key.strip()] = value.strip()
    return found


@app.command("list")
def list_scenarios(json: Json = False) -> None:
    """List the shipped scenarios with the question each one asks."""
    from cspsim.scenario import scenario_names

    rows = [(scenario.name, scenario.title, scenario.question) for scenario in map(_load, scenario_names())]
    if json:
        typer.echo(as_json([dict(zip(("name", "title", "question"), row, strict=True)) for row in rows]))
        return
    show_table("", [Column("Name"), Column("Title", rank=2), Column("Question", rank=1)], rows)
    say("cspsim show NAME tells more about one; cspsim compare no-cuts baseline compares two.")


@app.command()
def show(scenario: ScenarioName, json: Json = False) -> None:
    """Show a scenario: its question, context, window, files, and how it differs from the baseline."""
    chosen = _load(scenario)
    time, base = chosen.data.time, _load("baseline")
    differences = {} if chosen.digest == base.digest else chosen.differences_from(base)
    about = {
        "name": chosen.name,
        "title": chosen.title,
        "question": chosen.question,
        "context": chosen.context,
        "primary_outcome": chosen.data.primary_outcome,
        "months": f"{time.first_month} to {time.last_month}, after {time.warm_up_months} months of warm-up",
        "outcome_window": f"{time.window_from} to {time.window_to or time.last_month}",
        "partnerships": ", ".join(entry.title for entry in chosen.data.partnerships.values()),
        "authorities": ", ".join(entry.title for entry in chosen.data.authorities.values()),
        "files": [str(path) for path in chosen.sources],
        "digest": chosen.digest,
    }
    if json:
        typer.echo(
            as_json({**about, "differences_from_baseline": [{"key": k, "baseline": a, "here": b} for k, (a, b) in differences.items()]})
        )
        return
    say(chosen.title, style="bold")
    for line in (chosen.question, chosen.context):
        if line:
            say(line)
    say()
    for key in ("months", "outcome_window", "partnerships", "authorities", "primary_outcome"):
        say(f"{key.replace('_', ' ').capitalize()}: {about[key]}")
    say()
    show_files(chosen)
    rows = [(key, in_words(theirs), in_words(ours)) for key, (theirs, ours) in differences.items()]
    if rows:
        show_table("Differences from the baseline", [Column("Key"), Column("Baseline"), Column("Here")], rows)
    else:
        say("Runs exactly as the baseline does.")


def show_files(scenario: "Scenario") -> None:
    """The files a scenario is made of, what is extended before what extends it."""
    say("Files:")
    for path in scenario.sources:
        say(f"  {path}")
    say()


def in_words(value: Any) -> str:
    """A value of a scenario file on one line."""
    if value is None:
        return "not stated"
    if isinstance(value, float):
        return f"{value:,.10g}"
    return str(value)


@app.command()
def describe(
    kind: Annotated[
        str,
        typer.Argument(
            help="levers, uncertainties, switches, outcomes, interventions, crime-types, authorities, partnerships, grants or events."
        ),
    ] = "levers",
    scenario: Annotated[str, typer.Option(help="Show the values of this scenario.")] = "baseline",
    name: Annotated[str | None, typer.Option(help="Only the entry of this name.")] = None,
    json: Json = False,
) -> None:
    """Describe every number: meaning, value, plausible range, unit, status and source, from the data the model runs on."""
    from cspsim.describe import describe as described

    rows = described(kind, _load(scenario), name)
    if json:
        typer.echo(as_json(rows))
        return
    if kind == "outcomes":
        columns = {"name": 0, "unit": 1, "direction": 2, "meaning": 0, "formula": 3, "smallest_of_interest": 4}
    else:
        columns = {"name": 0, "value": 0, "low": 1, "high": 1, "unit": 1, "status": 2, "meaning": 3, "source": 4}
    whole = 0 if name else 1  # one entry is shown whole, many as far as the window allows
    shown = [Column(key.replace("_", " ").capitalize(), number=key in ("low", "high"), rank=rank * whole) for key, rank in columns.items()]
    show_table(
        f"{kind.capitalize()} of {scenario}" if kind != "outcomes" else "Outcomes",
        shown,
        [[in_cell(row.get(key)) for key in columns] for row in rows],
    )


def in_cell(value: Any) -> str:
    """A value as a cell of a table: nothing where there is none."""
    return "" if value is None else in_words(value)


@app.command()
def check(files: Annotated[list[str], typer.Argument(help="Scenario files, names or stacks.")], json: Json = False) -> None:
    """Check scenarios without running them: OK, or everything that is wrong with file, line and what was expected."""
    from cspsim.errors import ScenarioError

    found = []
    for file in files:
        faults: list[dict[str, Any]] = []
        try:
            _load(file)
        except ScenarioError as error:
            faults = [{"file": f.file, "line": f.line, "key": f.key, "message": f.message, "hint": f.hint} for f in error.faults]
            if not json:
                complain(str(error))
        found.append({"scenario": file, "ok": not faults, "faults": faults})
        if not json and not faults:
            say(f"{file}: OK")
    if json:
        typer.echo(as_json(found))
    if not all(entry["ok"] for entry in found):
        raise typer.Exit(2)


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="Name of the new scenario; the file is NAME.toml.")],
    extends: Annotated[str, typer.Option(help="Scenario it starts from.")] = "baseline",
    force: Annotated[bool, typer.Option("--force", help="Overwrite a file that exists.")] = False,
    json: Json = False,
) -> None:
    """Write a commented scenario file to start from."""
    from cspsim.scenario import new_scenario_text

    path = Path(name if name.endswith(".toml") else f"{name}.toml")
    if "+" in path.stem:
        raise CspsimError(f"{path.name}: a name with + would be read as a stack of scenarios")
    _load(extends)
    if path.exists() and not force:
        raise CspsimError(f"{path} exists already: choose another name, or overwrite it with --force")
    write_whole(path, new_scenario_text(path.stem, extends))
    if json:
        typer.echo(as_json({"file": str(path), "extends": extends}))
        return
    say(f"Wrote {path}. Take the # away from a line to use it, then:")
    say(f"  cspsim check {path}")
    say(f"  cspsim compare {extends} {path}")


# ------------------------------------------------------------------------------------------------------------- runs


@app.command()
def run(
    scenario: ScenarioName,
    replicates: Replicates = 100,
    seed: Seed = 1,
    set_: Changes = None,
    months: Annotated[bool, typer.Option("--months", help="Write the monthly series too (with --out).")] = False,
    out_folder: Out = None,
    threads: Threads = None,
    json: Json = False,
) -> None:
    """Run one scenario and show what came of it, by partnership and by year."""
    chosen = _load(scenario, set_)
    if out_folder is not None:
        check_target(out_folder)
    with waiting("Running", json) as report:
        from cspsim.report import Summary, run_once, write_runs

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


@app.command()
def explain(
    scenario: ScenarioName,
    replicate: Annotated[int, typer.Option(min=0, help="Number of the run, from 0.")] = 0,
    seed: Seed = 1,
    partnership: Annotated[str | None, typer.Option(help="Only this partnership.")] = None,
    year: Annotated[int | None, typer.Option(help="Only the financial year that begins in April of this year.")] = None,
    set_: Changes = None,
    json: Json = False,
) -> None:
    """Tell one run as a story: what was tabled, who challenged whom, what was adopted, what it did and what they believed."""
    chosen = _load(scenario, set_)
    known = list(chosen.data.partnerships)
    if partnership is not None and partnership not in known:
        raise CspsimError(f'{scenario} has no partnership "{partnership}"; {did_you_mean(partnership, known)}')
    from cspsim.events import Reckoning
    from cspsim.run import Run
    from cspsim.story import as_records, financial_year, tell, titles_of, watch

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
    """A paragraph whose first words are its heading, as wide as is good to read."""
    from rich.text import Text

    head, stop, rest = paragraph.partition(". ")
    console = out()
    text = Text.assemble((f"{head}{stop}", "bold"), rest) if stop and len(head) < 24 else Text(paragraph)
    console.print(text, width=min(console.width, 100))
    console.print()


@app.command()
def compare(
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
    set_: Changes = None,
    set_everywhere: Annotated[
        list[str] | None, typer.Option("--set-everywhere", metavar="KEY=VALUE", help="Change a key in the baseline too.")
    ] = None,
    out_folder: Out = None,
    no_report: Annotated[bool, typer.Option("--no-report", help="Print the answer; write no files.")] = False,
    open_: Annotated[bool, typer.Option("--open", help="Open the report in the browser.")] = False,
    threads: Threads = None,
    json: Json = False,
) -> None:
    """Compare scenarios with a baseline under the same luck, and write a report with figures and tables."""
    reference = _load(baseline, set_everywhere)
    chosen = [_load(name, [*(set_everywhere or []), *(set_ or [])]) for name in scenarios]
    target = out_folder or Path("cspsim-results") / folder_name(baseline, scenarios)
    if not no_report:
        check_target(target)
    with waiting("Comparing", json) as report:
        from cspsim.comparison import compare as compared
        from cspsim.comparison import runs_planned

        planned = runs_planned(1 + len(chosen), replicates, assumption_sets, SET_RUNS) if precision is None else None
        found = compared(
            reference, chosen, replicates, seed, assumption_sets, SET_RUNS, threads=threads, precision=precision,
            progress=report(planned), months=not no_report,
        )  # fmt: skip
    if not no_report:
        from cspsim.report import write_report

        write_report(found, target, replay_command(sys.argv[1:]))
    _answer(found, None if no_report else target, json)
    if open_ and not no_report:
        typer.launch((target / "report.html").absolute().as_uri())


def _answer(found: "Comparison", target: Path | None, json: bool) -> None:
    """What ``compare`` prints: a sentence for each question, then the main differences."""
    from cspsim.outcomes import OUTCOMES
    from cspsim.summary import MAIN, rows_of

    if json:
        from cspsim.report import comparison_as_json

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
            for row in rows_of(found, name, MAIN)
        ]
        show_table(f"{name} compared with {found.baseline}", columns, rows)
    for note in found.notes:
        say(note)
    say(
        "Intervals say how well the runs pin the difference down if the best guesses are right; other assumptions move it that far (5-95%)."
    )
    if target:
        say(f"All {len(OUTCOMES)} outcomes, figures and tables: {target / 'report.html'}")


def folder_name(baseline: str, scenarios: list[str]) -> str:
    """``baseline-vs-scenario``, with paths and long lists cut down to what every file system takes."""

    def short(name: str) -> str:
        return "+".join(Path(part).stem if part.endswith(".toml") else part for part in name.split("+"))

    text = f"{short(baseline)}-vs-{'-'.join(short(name) for name in scenarios)}"
    safe = "".join(mark if mark.isalnum() or mark in "-_+." else "-" for mark in text)
    return safe[:100].strip(".-") or "comparison"


def replay_command(arguments: list[str]) -> str:
    """The command line that gives the same report again, quoted so that any shell takes it."""
    return " ".join(["cspsim", *(f'"{word}"' if any(mark in word for mark in ' "*?[]{}&|;<>()$\\') else word for word in arguments)])


if __name__ == "__main__":
    main()
