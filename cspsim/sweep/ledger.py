"""The ledger of a sweep: length, rows and SHA-256 of every file it wrote, and whether each is still what was written.

While a sweep runs, every job adds a slip of its own to a folder, after its parts: a job is done once its slip is there, and no
list has to be written again for each job. At the end one file takes the slips' place; the manifest holds its hash. Every slip and
the file are sealed and say whose they are, so that slips of another design or of other code never count.
"""

import hashlib
import io
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import pyarrow.parquet as parquet

from cspsim.basics.errors import CspsimError
from cspsim.basics.exports import CHECKSUMS, as_json, is_sealed, sealed
from cspsim.sweep.folders import Folder

SLIPS = "checksums"
KEPT = "kept.json"
"""The slip of everything that was found whole when a sweep was resumed."""

DESIGN = ("policies.parquet", "assumptions.parquet", "luck.parquet")
_PART = re.compile(r"([a-z]+)/runs-(\d{9})-(\d{9})\.parquet")


class Entry(NamedTuple):
    """What a file was when it was written."""

    bytes: int
    rows: int
    sha256: str


Files = dict[str, Entry]


class Part(NamedTuple):
    """A table's file with the runs from ``first`` up to ``last``."""

    table: str
    first: int
    last: int

    def overlaps(self, other: "Part") -> bool:
        """Whether both hold results of the same runs, in whatever table."""
        return self.first < other.last and other.first < self.last


def part_of(name: str) -> Part | None:
    """Which part a file is, by its name in the folder; None for a table of the design."""
    match = _PART.fullmatch(name)
    return Part(match[1], int(match[2]), int(match[3])) if match else None


def entry_of(content: bytes) -> Entry:
    """The record of a Parquet file that is about to be written."""
    return Entry(len(content), parquet.read_metadata(io.BytesIO(content)).num_rows, hashlib.sha256(content).hexdigest())


def write_slip(folder: Folder, name: str, work: str, files: Mapping[str, Entry]) -> None:
    """Put files on record that have been written. ``work`` is what makes them this sweep's and nobody else's."""
    folder.write(f"{SLIPS}/{name}", _as_text(work, files))


def write_ledger(folder: Folder, work: str, files: Mapping[str, Entry]) -> str:
    """Write the file that takes the place of all slips; its hash, for the manifest."""
    content = _as_text(work, files)
    folder.write(CHECKSUMS, content)
    return hashlib.sha256(content).hexdigest()


def _as_text(work: str, files: Mapping[str, Entry]) -> bytes:
    return (as_json(sealed({"sweep": work, "files": {name: entry._asdict() for name, entry in sorted(files.items())}})) + "\n").encode()


def read_ledger(folder: Folder, sha256: str) -> Files:
    """The ledger of a finished sweep, whose manifest says what its hash is. Raises CspsimError if that does not fit."""
    try:
        content = folder.read(CHECKSUMS)
    except FileNotFoundError:
        raise CspsimError(f"{folder}/{CHECKSUMS} is missing") from None
    if hashlib.sha256(content).hexdigest() != sha256:
        raise CspsimError(f"{folder}/{CHECKSUMS} is not as it was written")
    return _files(json.loads(content))


def read_slips(folder: Folder, work: str | None = None) -> Files:
    """Everything on record while a sweep is not finished. A slip that is damaged does not count: its runs are made again.

    Raises CspsimError, where ``work`` says which sweep is to be resumed, for a slip of another one.
    """
    found: Files = {}
    for name in [CHECKSUMS] * (CHECKSUMS in folder.names()) + [f"{SLIPS}/{name}" for name in folder.names(SLIPS)]:
        try:
            content = json.loads(folder.read(name))
        except (FileNotFoundError, ValueError):  # gone since the folder was listed, as when a sweep ends; or damaged
            continue
        if not is_sealed(content):
            continue
        if work is not None and content.get("sweep") != work:
            raise CspsimError(f"{folder} holds runs of another sweep, or made by other code: choose a new folder with --out")
        found |= _files(content)
    return found


def _files(content: Any) -> Files:
    """The files that a ledger names, others than a sweep writes left out: a folder may have come from anybody."""
    return {name: Entry(**entry) for name, entry in content["files"].items() if name in DESIGN or part_of(name)}


def is_whole(folder: Folder, name: str, entry: Entry) -> bool:
    """Whether a file is there and byte for byte what was written."""
    try:
        content = folder.read(name)
    except FileNotFoundError:
        return False
    return len(content) == entry.bytes and hashlib.sha256(content).hexdigest() == entry.sha256


def check_files(folder: Folder, files: Files) -> tuple[Files, list[str]]:
    """The files that are whole, pieces that were joined left out, and the names of those that are damaged or missing."""
    whole = {name for name, entry in files.items() if is_whole(folder, name, entry)}
    pieces = _pieces(files, whole)
    kept = {name: entry for name, entry in files.items() if name in whole - pieces}
    return kept, [name for name in files if name not in whole | pieces]


def _pieces(names: Iterable[str], whole: set[str]) -> set[str]:
    """Files whose runs stand in a larger file of the same table that is whole, into which they were joined."""
    parts = [(part, name) for name in names if (part := part_of(name)) is not None]
    found, table, end = set(), "", 0
    for part, name in sorted(parts, key=lambda pair: (pair[0].table, pair[0].first, -pair[0].last)):
        if part.table != table:
            table, end = part.table, 0
        if part.last <= end:
            found.add(name)
        elif name in whole:
            end = part.last
    return found


def without_damaged(kept: Files, damaged: Iterable[str]) -> Files:
    """What is left when every part that shares runs with a damaged one is given up, in all tables, until nothing is half there."""
    lost = [part for part in map(part_of, damaged) if part is not None]
    left = dict(kept)
    while lost:
        gone = lost.pop()
        for name in [name for name in left if (part := part_of(name)) is not None and part.overlaps(gone)]:
            lost += [part for part in [part_of(name)] if part is not None]
            del left[name]
    return left
