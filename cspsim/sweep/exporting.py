"""Tables of results as CSV and Excel, each with a data dictionary; written in pieces, so memory stays small, and whole or not at all."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as arrow
import pyarrow.compute as compute
import pyarrow.csv as arrow_csv

from cspsim.basics.errors import CspsimError, did_you_mean
from cspsim.basics.exports import MANIFEST, as_json, results_folder
from cspsim.basics.outward import for_spreadsheet
from cspsim.sweep.dictionary import ColumnEntry, data_dictionary
from cspsim.sweep.querying import batches
from cspsim.sweep.sandbox import interruptible
from cspsim.sweep.stored_results import SweepResults

EXCEL_ROWS = 1_048_576
EXACT_IN_EXCEL = 2**53  # larger whole numbers lose digits there
DICTIONARY = "data dictionary"


class TableQuery(NamedTuple):
    """One table to write: its name, and the query that gives its rows."""

    name: str
    query: str


def export(results: SweepResults, target: Path, table: str | None = None, query: str | None = None) -> list[Path]:
    """Write tables to ``FILE.csv`` (one, by default runs), ``FILE.xlsx`` or a folder (all), or write the answer to a query.

    Returns the files. Raises CspsimError for a table that is not there, a query that is refused, a kind of file that is
    not known, rows that do not fit into a sheet, or a place that cannot be written.
    """
    asked = _asked(results, table or ("runs" if target.suffix == ".csv" else None), query)
    kind = target.suffix.lower()
    entries = _entries(results, asked, query)
    if kind == ".csv":
        beside = target.with_name(f"{target.stem}-dictionary.csv")
        for path, write in (
            (target, lambda part: write_csv(results, asked[0].query, part)),
            (beside, lambda part: _write_dictionary(entries, part)),
        ):
            _write_whole(path, write)
        return [target, beside]
    if kind == ".xlsx":
        check_rows(results, asked)
        _write_whole(target, lambda part: write_excel(results, asked, entries, part))
        return [target]
    if kind:
        raise CspsimError(f"{target}: expected a name that ends in .csv or .xlsx, or a folder")
    with results_folder(target) as folder:
        for one in asked:
            write_csv(results, one.query, folder / f"{one.name}.csv")
        _write_dictionary(entries, folder / f"{DICTIONARY.replace(' ', '-')}.csv")
        (folder / MANIFEST).write_text(as_json({"exported from": str(results.folder), "manifest": results.manifest}), encoding="utf-8")
    return sorted(target.iterdir())


def _asked(results: SweepResults, table: str | None, query: str | None) -> list[TableQuery]:
    if query is not None:
        return [TableQuery("answer", query.strip().rstrip(";"))]
    there = list(results.tables())
    if table is not None and table not in there:
        raise CspsimError(f'{results.folder} holds no table "{table}"; {did_you_mean(table, there)}')
    return [TableQuery(name, f'SELECT * FROM "{name}"') for name in there if table in (None, name)]


def _entries(results: SweepResults, asked: Sequence[TableQuery], query: str | None) -> list[ColumnEntry]:
    """The dictionary of what is written; a column that a query makes is explained by the query."""
    entries = data_dictionary(results)
    if query is None:
        names = {one.name for one in asked}
        return [entry for entry in entries if entry.table in names]
    known = {entry.column: entry for entry in reversed(entries)}
    columns = interruptible(
        results.connection,
        lambda: [row[0] for row in results.connection.execute(f"DESCRIBE {asked[0].query}").fetchall()],
        time.monotonic() + results.limits.seconds,
    )
    made = ColumnEntry("answer", "", "as the query makes it", "", query)
    return [known[name]._replace(table="answer") if name in known else made._replace(column=name) for name in columns]


@contextmanager
def _refusals(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise CspsimError(f"{path} cannot be written: {error.strerror or error}") from None


def _write_whole(path: Path, write: Callable[[Path], None]) -> None:
    """Write beside the place and move there: readers see the old file or the new one, never half of one."""
    beside = path.with_name(f".{path.stem}.{os.getpid()}.partial{path.suffix}")
    with _refusals(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            write(beside)
            os.replace(beside, path)
        finally:
            beside.unlink(missing_ok=True)


# ---------------------------------------------------------------------------------------------------------------- CSV


def write_csv(results: SweepResults, query: str, target: "Path | Any") -> None:
    """The answer to a query as a CSV file (or into an open binary file); what is no number or not there is empty."""
    writer = None
    try:
        for batch in batches(results, query):
            plain = harmless_table(batch)
            writer = writer or arrow_csv.CSVWriter(target, plain.schema, write_options=arrow_csv.WriteOptions(quoting_style="needed"))
            writer.write_batch(plain)
    finally:
        if writer is not None:
            writer.close()


def harmless_table(batch: "arrow.RecordBatch") -> "arrow.RecordBatch":
    """The same rows with texts that no spreadsheet takes for formulas, and empty cells for what is not a finite number."""
    columns = []
    for column in batch.columns:
        if arrow.types.is_floating(column.type):
            column = compute.if_else(compute.is_finite(column), column, None)
        elif not (arrow.types.is_integer(column.type) or arrow.types.is_boolean(column.type) or arrow.types.is_temporal(column.type)):
            column = arrow.array([_text(value) for value in column.to_pylist()], arrow.string())
        columns.append(column)
    return arrow.RecordBatch.from_arrays(columns, names=[for_spreadsheet(name) for name in batch.schema.names])


def _text(value: Any) -> str | None:
    if value is None:
        return None
    return for_spreadsheet(str(value))


def _write_dictionary(entries: Sequence[ColumnEntry], path: Path) -> None:
    table = arrow.table({field: [_text(getattr(entry, field)) for entry in entries] for field in ColumnEntry._fields})
    arrow_csv.write_csv(table, path, arrow_csv.WriteOptions(quoting_style="needed"))


# -------------------------------------------------------------------------------------------------------------- Excel


def check_rows(results: SweepResults, asked: Sequence[TableQuery]) -> None:
    """Refuse what a sheet cannot hold, before anything is written. Raises CspsimError."""
    for one in asked:
        rows = _counted(results, one.query)
        if rows >= EXCEL_ROWS:
            raise CspsimError(
                f"{one.name} has {rows:,} rows, and a sheet of Excel holds {EXCEL_ROWS - 1:,} below its header: "
                "export a folder of CSV files, or ask for fewer rows with --sql"
            )


def _counted(results: SweepResults, query: str) -> int:
    count = f"SELECT count(*) FROM (\n{query}\n)"
    ends = time.monotonic() + results.limits.seconds
    found = interruptible(results.connection, lambda: results.connection.execute(count).fetchall(), ends)
    return int(found[0][0])


def write_excel(results: SweepResults, asked: Sequence[TableQuery], entries: Sequence[ColumnEntry], path: Path) -> None:
    """A workbook with the data dictionary and one sheet per table; rows go to disk as they come."""
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = _sheet(book, DICTIONARY, [field.capitalize() for field in ColumnEntry._fields], (14, 34, 80, 20, 80))
    for entry in entries:
        sheet.append([_cell(sheet, value) for value in entry])
    for one in asked:
        sheet = None
        for batch in batches(results, one.query):
            if sheet is None:
                sheet = _sheet(book, one.name, batch.schema.names, ())
            for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                sheet.append([_cell(sheet, value) for value in row])
    book.save(path)


def _sheet(book: Any, title: str, columns: Sequence[str], widths: Sequence[int]) -> Any:
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font

    sheet = book.create_sheet(title)
    sheet.freeze_panes = "A2"
    for k, width in enumerate(widths):
        sheet.column_dimensions["ABCDEFGH"[k]].width = width
    header = [WriteOnlyCell(sheet, value=_printable(name)) for name in columns]
    for cell in header:
        cell.font, cell.data_type = Font(bold=True), "s"
    sheet.append(header)
    return sheet


def _cell(sheet: Any, value: Any) -> Any:
    """A value as a sheet can hold it; a text stays a text, whatever it begins with."""
    from openpyxl.cell import WriteOnlyCell

    if value is None or (isinstance(value, bool | date) and not isinstance(value, datetime)):
        return value
    if isinstance(value, float | Decimal):
        number = float(value)
        return number if number - number == 0 else None
    if isinstance(value, int) and abs(value) <= EXACT_IN_EXCEL:
        return value
    cell = WriteOnlyCell(sheet, value=_printable(value))
    cell.data_type = "s"
    return cell


def _printable(value: Any) -> str:
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    return str(ILLEGAL_CHARACTERS_RE.sub("", str(value)))
