"""SQL that sees the tables of one folder of results and nothing else of the machine.

DuckDB is given no files at all: its access to files, network, extensions and settings is shut, and pyarrow reads the parts
for it. Opening the folder to DuckDB instead would let SQL write there (``WITH x AS (COPY ... TO ...) SELECT`` is a query).
"""

import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import pyarrow.dataset as datasets

from cspsim.basics.errors import CspsimError
from cspsim.basics.limits import QUERY_MEMORY, TooMuch

CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_community_extensions": False,
    "python_enable_replacements": False,  # a query cannot read variables of the calling program
    "temp_directory": "",  # DuckDB may always write where it spills
}
REPLAYED = "failures"
"""The table whose rows get the command that replays them."""

Made = TypeVar("Made")


class _Parts(datasets.FileSystemDataset):
    """Parts that are read in small batches, a few ahead: by default pyarrow would fill hundreds of megabytes."""

    def scanner(self, *given: Any, **options: Any) -> Any:
        """A scanner of modest appetite; DuckDB says which columns and rows it wants."""
        return super().scanner(*given, batch_size=16_384, batch_readahead=2, fragment_readahead=1, **options)


def sealed_connection(
    folder: Path, tables: Mapping[str, Sequence[Path]], replay: str = "", memory: float = QUERY_MEMORY
) -> "duckdb.DuckDBPyConnection":
    """A DuckDB connection with a view for every table, from which there is no way to a file, in the folder or outside it.

    ``replay``: what to put before the number of a failed run to replay it. ``memory``: bytes that queries may take.
    Raises CspsimError for a part that is a link leading out of the folder, or is no Parquet file.
    """
    connection = duckdb.connect(":memory:", config=CONFIG)
    for name, paths in tables.items():
        connection.register(f"{name} parts", _dataset(folder, paths))
        more = f", '{_quoted(replay)}' || run AS command" if name == REPLAYED and replay else ""
        connection.execute(f'CREATE VIEW "{name}" AS SELECT *{more} FROM "{name} parts"')
    if memory < float("inf"):
        connection.execute(f"SET memory_limit = '{max(1, int(memory / 1e6))}MB'")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


def _quoted(text: str) -> str:
    return text.replace("'", "''")


def _dataset(folder: Path, paths: Sequence[Path]) -> Any:
    root = folder.resolve()
    for path in paths:
        if not Path(os.path.realpath(path)).is_relative_to(root):
            raise CspsimError(f"{path} is a link that leads out of {folder}: it is not read")
    try:
        found = datasets.dataset([os.path.realpath(path) for path in paths], format="parquet")
    except (OSError, ValueError) as error:
        raise CspsimError(f"{paths[0]} cannot be read: {error}") from None
    return _Parts(list(found.get_fragments()), found.schema, found.format, found.filesystem)


def interruptible(connection: "duckdb.DuckDBPyConnection", work: Callable[[], Made], ends: float = float("inf")) -> Made:
    """What ``work`` makes of a connection. Ctrl-C stops the query, which DuckDB by itself would finish first.

    ``ends``: the moment, by ``time.monotonic``, from which the query has taken too long.
    Raises CspsimError, in plain words, when DuckDB refuses or fails; TooMuch when the time is over.
    """
    made: list[Made] = []
    failed: list[BaseException] = []
    done = threading.Event()  # not Thread.join, which takes a thread for ended when a signal cuts it short (Python 3.11)

    def carry_out() -> None:
        try:
            made.append(work())
        except BaseException as error:  # whatever it is, it belongs to the thread that asked
            failed.append(error)
        finally:
            done.set()

    threading.Thread(target=carry_out, daemon=True).start()
    try:
        while not done.wait(0.1):  # a wait without limit would not hear Ctrl-C on every system
            if time.monotonic() > ends:
                raise TooMuch("the query takes longer than it may: ask for fewer rows, or allow more with --time-limit, such as 10min")
    except (KeyboardInterrupt, TooMuch):
        connection.interrupt()
        done.wait()
        raise
    if failed:
        raise _in_plain_words(failed[0]) from None
    return made[0]


def _in_plain_words(error: BaseException) -> BaseException:
    if not isinstance(error, duckdb.Error | OSError):
        return error
    text = str(error).strip()
    closed = "disabled by configuration" in text or "disabled through configuration" in text or "configuration has been locked" in text
    if closed:
        return CspsimError("SQL sees only the tables of these results: files, network, extensions and settings are closed to it")
    if isinstance(error, duckdb.OutOfMemoryException):
        return TooMuch(
            "the query needs more memory than it may take: ask for fewer rows or columns, or for sums, "
            "or allow more with --memory-limit, such as 8GB"
        )
    if isinstance(error, OSError) or "Failed to open local file" in text:
        return CspsimError("a part of the results went away while it was read, as when a sweep ends: open them again")
    kind, _, said = text.partition(": ")
    return CspsimError(f"{'the query was not understood' if kind == 'Parser Error' else 'the query was refused'}: {said or text}")
