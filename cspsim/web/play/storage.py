"""Rooms on disk: one SQLite file that holds every room's log, written at every change; a room is its log."""

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

from cspsim.basics.errors import CspsimError
from cspsim.web.play.room import LogEntry, RoomHeader
from cspsim.web.play.settings import Settings

FORMAT = 1
_TABLES = """
CREATE TABLE IF NOT EXISTS rooms (code TEXT PRIMARY KEY, header TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS entries (
    code TEXT NOT NULL REFERENCES rooms (code) ON DELETE CASCADE, number INTEGER NOT NULL, entry TEXT NOT NULL, PRIMARY KEY (code, number)
);
CREATE TABLE IF NOT EXISTS kept (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


class StorageError(CspsimError):
    """The file of the rooms cannot be read or written."""


class Storage:
    """The file of the rooms; nothing is kept where ``path`` is None. A change is on disk, whole, when its method returns."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._lock = Lock()
        with self._told():
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))  # it holds the facilitators' keys
            self._file = sqlite3.connect(path or ":memory:", check_same_thread=False, isolation_level=None)
            found = self._file.execute("PRAGMA user_version").fetchone()[0]
            if found not in (0, FORMAT):
                raise StorageError(f"{path} is a file of rooms in format {found}; this version reads format {FORMAT}")
            self._file.execute("PRAGMA foreign_keys = ON")
            self._file.execute("PRAGMA secure_delete = ON")  # what is removed holds names: it does not stay in the file's free pages
            self._file.executescript(_TABLES + f"PRAGMA user_version = {FORMAT};")

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Faults of the file in plain words."""
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise StorageError(f"{self.path or 'the memory of rooms'} cannot be used: {error}") from None

    def open_room(self, header: RoomHeader) -> None:
        """Keep a new room. Raises StorageError."""
        if self.path is not None:
            with self._lock, self._told():
                self._file.execute("INSERT INTO rooms VALUES (?, ?)", (header.code, json.dumps(header)))

    def add(self, code: str, number: int, entry: LogEntry) -> None:
        """Keep entry ``number`` of a room. Raises StorageError."""
        if self.path is not None:
            with self._lock, self._told():
                self._file.execute("INSERT INTO entries VALUES (?, ?, ?)", (code, number, json.dumps(entry)))

    def forget(self, code: str) -> None:
        """Remove a room. Raises StorageError."""
        if self.path is not None:
            with self._lock, self._told():
                self._file.execute("DELETE FROM rooms WHERE code = ?", (code,))

    def shrink(self) -> None:
        """Write the file anew, without the room that removed ones have left. Raises StorageError."""
        with self._lock, self._told():
            self._file.execute("VACUUM")

    def keep(self, name: str, value: str) -> None:
        """Keep something of the server's beside its rooms. Raises StorageError."""
        with self._lock, self._told():
            self._file.execute("INSERT OR REPLACE INTO kept VALUES (?, ?)", (name, value))

    def kept(self, name: str) -> str | None:
        """What is kept under a name. Raises StorageError."""
        with self._lock, self._told():
            found = self._file.execute("SELECT value FROM kept WHERE name = ?", (name,)).fetchone()
        return str(found[0]) if found else None

    def rooms(self) -> list[tuple[RoomHeader, list[LogEntry]]]:
        """Every room with its log. Raises StorageError."""
        with self._lock, self._told():
            headers = self._file.execute("SELECT header FROM rooms ORDER BY code").fetchall()
            entries = self._file.execute("SELECT code, entry FROM entries ORDER BY code, number").fetchall()
        logs: dict[str, list[LogEntry]] = {}
        for code, entry in entries:
            logs.setdefault(code, []).append(LogEntry(*json.loads(entry)))
        found = []
        for (text,) in headers:
            header = RoomHeader(*json.loads(text))
            header = header._replace(settings=Settings(*header.settings))
            found.append((header, logs.get(header.code, [])))
        return found

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._file.close()
