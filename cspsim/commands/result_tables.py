"""The tables of a folder of results, and their columns, on the screen."""

from typing import TYPE_CHECKING

from cspsim.basics.errors import CspsimError, did_you_mean
from cspsim.commands.terminal import Column, show_table

if TYPE_CHECKING:
    from cspsim.sweep.stored_results import SweepResults


def table_sizes(found: "SweepResults") -> dict[str, tuple[int, int]]:
    """Table -> rows and columns, from the parts' own headers."""
    import pyarrow.parquet as parquet

    sizes = {}
    for name, paths in found.tables().items():
        headers = [parquet.read_metadata(path) for path in paths]
        sizes[name] = sum(header.num_rows for header in headers), headers[0].num_columns + (name == "failures")
    return sizes


def show_tables(found: "SweepResults") -> None:
    """Tables with their rows and columns."""
    rows = [(name, f"{rows:,}", f"{columns:,}", _ABOUT.get(name, "")) for name, (rows, columns) in table_sizes(found).items()]
    show_table("Tables", [Column("Table"), Column("Rows", True), Column("Columns", True, 1), Column("One row is", rank=2)], rows)


_ABOUT = {
    "policies": "a policy, with the levers that are varied",
    "assumptions": "an assumption set, with the numbers that are sampled",
    "luck": "a row of the design of luck",
    "runs": "a run and a partnership, with outcomes over the window",
    "months": "a run, a partnership and a month",
    "authorities": "a run, a partnership and an authority",
    "failures": "a run that failed",
}


def show_columns(found: "SweepResults", table: str) -> None:
    """Columns of a table with meaning, unit and source. Raises CspsimError for a table that is not there."""
    from cspsim.sweep.dictionary import data_dictionary

    check_table(found, table)
    rows = [(entry.column, entry.meaning, entry.unit, entry.source) for entry in data_dictionary(found) if entry.table == table]
    show_table(f"Columns of {table}", [Column("Column"), Column("Meaning"), Column("Unit"), Column("Source", rank=1)], rows)


def check_table(found: "SweepResults", table: str) -> None:
    """Raises CspsimError, with the nearest right name, for a table that is not there."""
    there = list(found.tables())
    if table not in there:
        raise CspsimError(
            f'there is no table "{table}" here; {did_you_mean(table, there)}' if table else f"which table? {', '.join(there)}"
        )
