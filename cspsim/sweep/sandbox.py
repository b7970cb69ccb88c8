"""SQL that sees one folder of results and nothing else of the machine."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb


def connected(folder: Path, tables: Mapping[str, Sequence[Path]]) -> "duckdb.DuckDBPyConnection":
    """A DuckDB connection with a view for every table. Files outside the folder, the network and settings are closed to it."""
    import duckdb

    connection = duckdb.connect(":memory:", config={"autoinstall_known_extensions": False, "autoload_known_extensions": False})
    root = str(folder.resolve()).replace("'", "''")
    connection.execute(f"SET allowed_directories = ['{root}/']")
    connection.execute("SET enable_external_access = false")
    for name, paths in tables.items():
        files = ", ".join("'" + str(path.resolve()).replace("'", "''") + "'" for path in paths)
        connection.execute(f'CREATE VIEW "{name}" AS SELECT * FROM read_parquet([{files}])')
    connection.execute("SET lock_configuration = true")
    return connection
