"""Commands that read scenarios: ``list | show | describe | check | new``."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cspsim.basics.errors import CspsimError
from cspsim.basics.exports import as_json, write_whole
from cspsim.basics.outward import as_argument, for_shell
from cspsim.commands.options import After2028, FirstYear, Json, ScenarioName, Years, in_cell, load, value_in_words
from cspsim.commands.terminal import Column, complain, say, show_table, waiting

if TYPE_CHECKING:
    from cspsim.places.fill_in import StillDefault
    from cspsim.scenario.scenario import Scenario


class Kind(StrEnum):
    """What can be listed."""

    scenarios = "scenarios"
    experiments = "experiments"


def list_scenarios(
    kind: Annotated[Kind, typer.Argument(help="What to list: scenarios, or experiments that ask questions of them.")] = Kind.scenarios,
    json: Json = False,
) -> None:
    """List the shipped scenarios, or the shipped experiments, with the question each one asks."""
    from cspsim.scenario.scenario import scenario_names

    if kind == Kind.experiments:
        from cspsim.sweep.toml_file import shipped_questions

        rows = [tuple(entry.values()) for entry in shipped_questions()]
    else:
        rows = [(scenario.name, scenario.title, scenario.question) for scenario in map(load, scenario_names())]
    names = ("name", "title", "question", "command")
    if json:
        typer.echo(as_json([dict(zip(names, row, strict=False)) for row in rows]))
        return
    columns = [Column("Name"), Column("Title", rank=2), Column("Question", rank=1), Column("Answered by")]
    show_table("", columns[: len(rows[0])], rows)
    if kind == Kind.scenarios:
        say("cspsim show NAME tells more about one; cspsim compare no-cuts baseline compares two; cspsim list experiments asks more.")


def show(scenario: ScenarioName, json: Json = False) -> None:
    """Show a scenario: its question, context, window, files, and how it differs from the baseline."""
    chosen = load(scenario)
    time, base = chosen.data.time, load("baseline")
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
        "rules": [f"{rival.slot} = {rival.function} in {rival.path}" for rival in chosen.rivals],
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
    rows = [(key, value_in_words(theirs), value_in_words(ours)) for key, (theirs, ours) in differences.items()]
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
    if scenario.rivals:
        say("Rules of its own (Python code; run only with --allow-rules):")
        for rival in scenario.rivals:
            say(f"  {rival.slot} = {rival.function} in {rival.path}")
        say()


def describe_command(
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
    from cspsim.reports.describe import describe as described

    rows = described(kind, load(scenario), name)
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


def check(files: Annotated[list[str], typer.Argument(help="Scenario files, names or stacks.")], json: Json = False) -> None:
    """Check scenarios without running them: OK, or everything that is wrong with file, line and what was expected.

    For a real place also what to fill in first.
    """
    from cspsim.basics.errors import ScenarioError

    found = []
    for file in files:
        faults: list[dict[str, Any]] = []
        fill_in: list[dict[str, Any]] = []
        try:
            scenario = load(file)
        except ScenarioError as error:
            faults = [{"file": f.file, "line": f.line, "key": f.key, "message": f.message, "hint": f.hint} for f in error.faults]
            if not json:
                complain(str(error))
        else:
            from cspsim.places.fill_in import to_fill_in

            defaults = to_fill_in(scenario)
            fill_in = [entry._asdict() for entry in defaults]
            if not json:
                say(f"{file}: OK" + (", with Python code of its own that runs only with --allow-rules" if scenario.rivals else ""))
                _say_what_to_fill_in(defaults)
        found.append({"scenario": file, "ok": not faults, "faults": faults, "fill_in_first": fill_in})
    if json:
        typer.echo(as_json(found))
    if not all(entry["ok"] for entry in found):
        raise typer.Exit(2)


SHOWN_FIRST = 8


def _say_what_to_fill_in(defaults: "list[StillDefault]") -> None:
    """The defaults that move the answer most, in order."""
    if not defaults:
        return
    say("To make this yours, fill in first:")
    rows = [(f"{n}", entry.words, entry.now, f"{entry.moves:.0%}", entry.key) for n, entry in enumerate(defaults[:SHOWN_FIRST], start=1)]
    columns = [Column("", True), Column("What"), Column("Now", rank=2), Column("Moves the answer by", True, 1), Column("Key")]
    show_table("", columns, rows)
    more = len(defaults) - SHOWN_FIRST
    say(
        (f"{more} more with --json. " if more > 0 else "")
        + "A number you state yourself, with your own source or none, leaves this list. How far: over its range, as a share of the answer"
        + " to 30 % less grant, measured on ten places."
    )


def new(
    name: Annotated[str, typer.Argument(help="Name of the new scenario; the file is NAME.toml.")],
    extends: Annotated[str | None, typer.Option(help="Scenario it starts from; baseline if not given.")] = None,
    place: Annotated[
        str | None,
        typer.Option(help="A real partnership, or several of one force area with commas between them: cspsim places finds them."),
    ] = None,
    force: Annotated[str | None, typer.Option(help='Every partnership of a police force area, such as "West Yorkshire".')] = None,
    first_year: FirstYear = None,
    years: Years = None,
    after_2028: After2028 = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Overwrite a file that exists.")] = False,
    json: Json = False,
) -> None:
    """Write a scenario file to start from: any real partnership as it is today, or a commented copy of a shipped scenario."""
    path = Path(name if name.endswith(".toml") else f"{name}.toml")
    if "+" in path.stem:
        raise CspsimError(f"{path.name}: a name with + would be read as a stack of scenarios")
    if path.exists() and not overwrite:
        raise CspsimError(f"{path} exists already: choose another name, or overwrite it with --overwrite")
    if place is not None or force is not None:
        if extends is not None:
            raise CspsimError("--extends and --place: a real place stands by itself; leave one of the two out")
        _new_place(path, place, force, {"first_year": first_year, "years": years, "after_2028": after_2028}, json)
        return
    for option, given in (("--first-year", first_year), ("--years", years), ("--after-2028", after_2028)):
        if given is not None:
            raise CspsimError(f"{option} belongs to --place or --force: name a real place")
    _new_child(path, extends or "baseline", json)


def _new_child(path: Path, extends: str, json: bool) -> None:
    from cspsim.scenario.scenario import new_scenario_text

    load(extends)
    write_whole(path, new_scenario_text(path.stem, extends))
    if json:
        typer.echo(as_json({"file": str(path), "extends": extends}))
        return
    say(f"Wrote {path}. Take the # away from a line to use it, then:")
    say(f"  {for_shell(['cspsim', 'check', as_argument(str(path))])}")
    say(f"  {for_shell(['cspsim', 'compare', as_argument(extends), as_argument(str(path))])}")


def _new_place(path: Path, place: str | None, force: str | None, given: dict[str, Any], json: bool) -> None:
    """One or several real partnerships of one force area."""
    from cspsim.places.partnership_table import place_named, places_in
    from cspsim.places.place_scenario import Span, checked_span, one_force, place_scenario_text

    span = checked_span(Span(**{key: value for key, value in given.items() if value is not None}))
    chosen = places_in(force) if force is not None else []
    chosen += [place_named(text) for text in (place or "").split(",") if text.strip()]
    if place is not None and not place.strip(" ,"):
        raise CspsimError("--place names nothing: write a name, such as --place leeds")
    own = one_force(chosen)
    with waiting("Fitting the first year to the published crime", json) as _:
        text = place_scenario_text(own, span, f"{own[0].force} force area" if force is not None else "")
    write_whole(path, text)
    cut = f"levers.grant.path={{{min(span.first_year + 1, span.first_year + span.years - 1)}-04=0.7}}"
    compare = for_shell(["cspsim", "compare", as_argument(str(path)), as_argument(str(path)), "--set", cut])
    if json:
        rows = [{"name": p.name, "code": p.code, "force": p.force, "tier": p.tier, "population": p.population} for p in own]
        typer.echo(as_json({"file": str(path), "months": [span.first_month, span.last_month], "places": rows, "next": compare}))
        return
    residents = sum(p.population for p in own)
    who = own[0].name if len(own) == 1 else f"{len(own)} partnerships"
    say(f"Wrote {path}: {who} in the {own[0].force} force area, {residents:,} residents, {span.first_month} to {span.last_month}.")
    say("Population and recorded crime are published; money, staff, duties and antisocial behaviour are defaults. Next:")
    say(f"  {for_shell(['cspsim', 'check', as_argument(str(path))])}      # what to fill in first")
    say(f"  {compare}")
