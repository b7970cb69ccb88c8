"""The command that reads results back: ``cspsim results``."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from cspsim.basics.errors import CspsimError
from cspsim.basics.exports import as_json, plain
from cspsim.basics.limits import QUERY, limits_of
from cspsim.basics.outward import as_argument, for_shell
from cspsim.commands.options import Json
from cspsim.commands.result_tables import check_table, show_columns, show_tables, table_sizes
from cspsim.commands.sql_prompt import run_prompt
from cspsim.commands.terminal import Column, say, show_table

if TYPE_CHECKING:
    from cspsim.sweep.stored_results import SweepResults

ROWS_SHOWN = 50
AS_PYTHON = 20  # times an answer grows when its numbers become objects, and these text
FIGURES = 6  # significant figures of a number in a table on the screen


def results(
    folder: Annotated[str, typer.Argument(metavar="DIR", help="Folder of a sweep, or its address such as s3://bucket/name.")],
    query: Annotated[
        str | None,
        typer.Argument(metavar="QUERY", help="What --sql asks, such as 'SELECT policy, avg(spend) FROM runs GROUP BY policy'."),
    ] = None,
    sql: Annotated[bool, typer.Option("--sql", help="Answer a query; without one, open a prompt.")] = False,
    table: Annotated[str | None, typer.Option(help="Only this table: its columns, or what --export writes.")] = None,
    export_to: Annotated[
        Path | None, typer.Option("--export", metavar="TARGET", help="Write FILE.csv, FILE.xlsx, or a folder with every table as CSV.")
    ] = None,
    csv: Annotated[bool, typer.Option("--csv", help="Print the answer to --sql, or a --table, as CSV.")] = False,
    time_limit: Annotated[
        str | None, typer.Option("--time-limit", metavar="TIME", help="Stop a query that takes longer, such as 10min; 30s if not given.")
    ] = None,
    memory_limit: Annotated[
        str | None, typer.Option("--memory-limit", metavar="SIZE", help="Refuse a query that needs more, such as 8GB; 1GB if not given.")
    ] = None,
    json: Json = False,
) -> None:
    """Show what a sweep found and how to go on; ask it with SQL; export its tables to CSV or Excel."""
    from cspsim.sweep.stored_results import load_results

    if query is not None and not sql:
        raise CspsimError(f"what is {query!r}? A query follows --sql: {_command(folder, '--sql', 'SELECT ...')}")
    if csv and json:
        raise CspsimError("--csv and --json are two ways to say the same: choose one")
    found = load_results(folder, limits_of(time_limit, memory_limit, QUERY))
    if table is not None:
        check_table(found, table)
    _act(found, folder, Wanted(table, query, sql, export_to, csv, json))


class Wanted(NamedTuple):
    """What somebody asked of a folder of results."""

    table: str | None
    query: str | None
    sql: bool
    export_to: Path | None
    csv: bool
    json: bool


def _act(found: "SweepResults", folder: str, wanted: Wanted) -> None:
    if wanted.export_to is not None:
        if wanted.sql and wanted.query is None:
            raise CspsimError("--export with --sql needs a query: --sql 'SELECT ...' --export answer.csv")
        _export(found, wanted.export_to, wanted.table, wanted.query, wanted.json)
    elif wanted.sql and wanted.query is None:
        _prompt(found, wanted.csv, wanted.json)
    elif wanted.query is not None or wanted.csv:
        if wanted.query is None and wanted.table is None:
            raise CspsimError("--csv prints the answer to --sql, or a --table: say which")
        _answer(found, wanted.query or f'SELECT * FROM "{wanted.table}"', wanted.csv, wanted.json)
    elif wanted.json:
        typer.echo(as_json(_about(found)))
    elif wanted.table is not None:
        show_columns(found, wanted.table)
    else:
        _tell(found, folder)


# -------------------------------------------------------------------------------------------------------- what is there


def _about(found: "SweepResults") -> dict[str, Any]:
    manifest = found.manifest
    from cspsim.sweep.dictionary import data_dictionary

    columns: dict[str, list[dict[str, str]]] = {}
    for entry in data_dictionary(found):
        columns.setdefault(entry.table, []).append(
            {"column": entry.column, "meaning": entry.meaning, "unit": entry.unit, "source": entry.source}
        )
    tables = {name: {"rows": rows, "columns": columns.get(name, [])} for name, (rows, _) in table_sizes(found).items()}
    kept = ("title", "question", "context", "experiment", "file", "status", "counts", "digest", "seed", "baseline", "primary_outcome")
    return {**{key: manifest.get(key) for key in kept}, "notes": manifest.get("notes", []), "tables": tables}


def _tell(found: "SweepResults", folder: str) -> None:
    """What is in a folder, and what one may do with it."""
    manifest = found.manifest
    counts = manifest["counts"]
    say(manifest["title"] or manifest["experiment"], style="bold")
    for line in (manifest["question"], manifest["context"]):
        if line:
            say(line)
    say()
    failed = counts.get("failures", 0)
    failures = f", {failed:,} failed" if failed else ""
    say(f"Status: {manifest['status']}, {counts.get('runs', 0):,} runs{failures}. Seed {manifest['seed']}, digest {manifest['digest']}.")
    names = list(found.policies["name"])
    shown = ", ".join(names[:6]) + (f" and {len(names) - 6:,} more" if len(names) > 6 else "")
    say(f"Policies: {shown}. Primary outcome: {found.primary}.")
    for note in manifest.get("notes", []):
        say(note)
    say()
    show_tables(found)
    if manifest["status"] in ("paused", "interrupted"):
        again = ["cspsim", "sweep", as_argument(str(manifest["file"])), "--out", folder, "--resume"]
        say(f"To go on with it: {for_shell(again)}")
    query = for_shell([f"SELECT policy, avg({found.outcomes[0]}) FROM runs GROUP BY policy"])
    say(f"Columns: {_command(folder, '--table', 'runs')}")
    say(f"SQL: {_command(folder, '--sql')} (a prompt), or --sql {query}")
    say(f"Export: {_command(folder, '--export', 'tables.xlsx')} (or runs.csv, or a folder)")
    say(f"Analysis: {for_shell(['cspsim', 'analyse', as_argument(folder)])}")


def _command(folder: str, *options: str) -> str:
    """The command that asks something of this folder, to be pasted."""
    return for_shell(["cspsim", "results", as_argument(folder), *options])


# ------------------------------------------------------------------------------------------------------------- answers


def _prompt(found: "SweepResults", csv: bool, json: bool) -> None:
    if run_prompt(found, lambda query: _answer(found, query, csv, json)) and not sys.stdin.isatty():
        raise typer.Exit(2)


def _answer(found: "SweepResults", query: str, csv: bool, json: bool) -> None:
    from cspsim.sweep.exporting import write_csv
    from cspsim.sweep.querying import batches

    if csv:
        write_csv(found, query, sys.stdout.buffer if hasattr(sys.stdout, "buffer") else sys.stdout)
        return
    columns: list[str] = []
    rows: list[list[Any]] = []
    more = False
    for batch in batches(found, query, most=found.limits.memory / AS_PYTHON):
        columns = batch.schema.names
        rows += [list(row) for row in zip(*(column.to_pylist() for column in batch.columns), strict=True)]
        more = not json and len(rows) > ROWS_SHOWN
        if more:
            break
    if json:
        typer.echo(as_json([dict(zip(columns, row, strict=True)) for row in rows]))
        return
    numbers = [any(isinstance(row[k], int | float) and not isinstance(row[k], bool) for row in rows) for k in range(len(columns))]
    cells = [[_shown(value) for value in row] for row in rows[:ROWS_SHOWN]]
    show_table("", [Column(name, number) for name, number in zip(columns, numbers, strict=True)], cells)
    if more:
        say(f"The first {ROWS_SHOWN} rows; --csv prints all of them, --export writes them to a file.")


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:,.0f}" if 1e6 <= abs(value) < 1e15 else f"{value:,.{FIGURES}g}"
    return str(plain(value))


def _export(found: "SweepResults", target: Path, table: str | None, query: str | None, json: bool) -> None:
    from cspsim.sweep.exporting import export

    files = export(found, target, table, query)
    if json:
        typer.echo(as_json({"files": [str(path) for path in files]}))
        return
    say(f"Wrote {', '.join(str(path) for path in files)}")
