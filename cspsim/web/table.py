"""A table as plain data: what stands behind a chart, on a page, and in a CSV file."""

import csv
import io
from collections.abc import Sequence
from typing import NamedTuple

from cspsim.basics.outward import for_spreadsheet

Cell = str | int | float | None


class Table(NamedTuple):
    """Column titles and rows; the first cell of a row is its heading. Numbers stay numbers, so that files get them whole."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    caption: str = ""


def shown_cell(cell: Cell) -> str:
    """A cell as a page shows it: four significant figures with thousands separators, a dash where nothing is known."""
    if cell is None or (isinstance(cell, float) and cell != cell):
        return "\N{EN DASH}"
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, int):
        return f"{cell:,}".replace("-", "\N{MINUS SIGN}")
    if isinstance(cell, float):
        text = f"{cell:,.0f}" if abs(cell) >= 1000 else f"{cell:,.4g}"
        return text.replace("-", "\N{MINUS SIGN}")
    return cell


def shown_rows(table: Table) -> list[list[str]]:
    """Every cell as a page shows it."""
    return [[shown_cell(cell) for cell in row] for row in table.rows]


def number_columns(table: Table) -> list[bool]:
    """Which columns hold numbers, or words that begin as numbers do, and are set to the right."""

    def is_number(cell: Cell) -> bool:
        return isinstance(cell, int | float) or (isinstance(cell, str) and cell.lstrip("+-\N{MINUS SIGN}£ ")[:1].isdigit())

    return [
        bool(table.rows) and all(is_number(row[k]) or row[k] in (None, "", "\N{EN DASH}") for row in table.rows)
        for k in range(len(table.columns))
    ]


def as_csv(table: Table) -> str:
    """The table as a CSV file. A text cell that a spreadsheet would take for a formula is kept from being one."""

    def kept(cell: Cell) -> Cell:
        return for_spreadsheet(cell) if isinstance(cell, str) else cell

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([kept(name) for name in table.columns])
    writer.writerows([kept(cell) for cell in row] for row in table.rows)
    return text.getvalue()
