"""Results on disk: files written whole or not at all and put on record, a manifest, and what is already done."""

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as arrow

from cspsim.basics.errors import CspsimError
from cspsim.basics.exports import CHECKSUMS, as_json, sealed
from cspsim.running.same_code import differences, versions
from cspsim.sweep.folders import Folder
from cspsim.sweep.jobs import FAILURES, RUNS, TABLES, as_parquet, from_parquet
from cspsim.sweep.ledger import (
    KEPT,
    SLIPS,
    Files,
    check_files,
    entry_of,
    part_of,
    read_ledger,
    read_slips,
    without_damaged,
    write_ledger,
    write_slip,
)
from cspsim.sweep.manifest import MANIFEST, DamagedManifest, assumptions_table, luck_table, manifest_of, policies_table, read_manifest
from cspsim.sweep.plan import Plan

RUNNING, PAUSED, COMPACTING, COMPLETE = "running", "paused", "compacting", "complete"
COMPACT_ROWS = 200_000  # rows of runs in one compact file: a few dozen megabytes
OF_DESIGN = "design.json"
"""The slip of the tables of the design."""


def part_name(first: int, last: int) -> str:
    """File name of the runs from ``first`` up to ``last``."""
    return f"runs-{first:09d}-{last:09d}.parquet"


class SweepStore:
    """The folder of one sweep while it is being filled. One process writes, wherever jobs are run.

    Attributes:
        work: what makes results this sweep's: its design, and the code and versions that compute.
        files: what is on record and whole, since ``open``.
    """

    def __init__(self, folder: Folder, plan: Plan) -> None:
        self.folder, self.plan = folder, plan
        computing = sorted((name, version) for name, version in versions().items() if name not in ("python", "pyarrow"))
        self.work = hashlib.sha256(repr((plan.digest, computing)).encode()).hexdigest()[:20]
        self.files: Files = {}
        self._before: dict[str, Any] = {}

    def manifest(self) -> dict[str, Any] | None:
        """The manifest of the folder; None if it holds no sweep. Raises CspsimError where it holds something else."""
        return read_manifest(self.folder)

    def damages(self) -> list[str]:
        """What is not as it was written in the folder of a finished sweep, a sentence each."""
        return damages_of_finished(self.folder, self.manifest() or {})

    def check_code(self, manifest: dict[str, Any]) -> None:
        """Raises CspsimError if what is there was made by other code: half of a sweep by each would be nobody's results."""
        changed = differences(manifest["versions"], versions())
        if changed:
            raise CspsimError(
                f"{self.folder} was begun with {', '.join(changed)}: its other half would come from another program. "
                "Go on with what it was begun with, or choose a new folder with --out."
            )

    def open(self, said: str) -> None:
        """Begin, or find out what of an earlier attempt is whole; what is not is given up. Writes the design and a manifest.

        What is given up goes from the record first and from the disk second, so that a kill at any moment does no harm.
        Raises CspsimError for runs of another sweep, or runs that nothing is on record about.
        """
        known = read_slips(self.folder, self.work)
        try:
            self._before = self.manifest() or {}
        except DamagedManifest as error:
            if not known:  # what is on record would say whose the parts are
                raise CspsimError(f"{error}; nothing else says what its runs are, so choose a new folder with --out") from None
        if not known and not self._before and any(self.folder.names(table) for table in TABLES):
            raise CspsimError(f"{self.folder} holds runs and nothing that says of what: choose a new folder with --out")
        kept, damaged = check_files(self.folder, known)
        self.files = without_damaged(kept, damaged)
        self._before.setdefault("file", said)
        if known:
            self._put_in_order()
        self._write_design()
        self.write_manifest(RUNNING)

    def _put_in_order(self) -> None:
        """One slip for all that is kept, in place of the others; files that are on no slip are removed."""
        write_slip(self.folder, KEPT, self.work, {name: entry for name, entry in self.files.items() if part_of(name)})
        for name in self.folder.names(SLIPS):
            if name not in (KEPT, OF_DESIGN):
                self.folder.remove(f"{SLIPS}/{name}")
        self.folder.remove(CHECKSUMS)
        self._remove_strays()

    def _remove_strays(self) -> None:
        for table in TABLES:
            for name in self.folder.names(table):
                if f"{table}/{name}" not in self.files and part_of(f"{table}/{name}"):
                    self.folder.remove(f"{table}/{name}")

    def _write_design(self) -> None:
        tables = {"policies": policies_table(self.plan), "assumptions": assumptions_table(self.plan)}
        if self.plan.rows is not None:
            tables["luck"] = luck_table(self.plan)
        for name, table in tables.items():
            content = as_parquet(table)
            entry = entry_of(content)
            if self.files.get(f"{name}.parquet") != entry:
                self.folder.write(f"{name}.parquet", content)
                self.files[f"{name}.parquet"] = entry
        self._put_on_record(OF_DESIGN, [f"{name}.parquet" for name in tables])

    def _put_on_record(self, slip: str, names: Iterable[str]) -> None:
        write_slip(self.folder, slip, self.work, {name: self.files[name] for name in names})

    def write_manifest(self, status: str, notes: Iterable[str] = (), checksums: str = "") -> None:
        """Say what this folder holds and how far it has come. ``checksums``: hash of the ledger, once all is done."""
        content = manifest_of(self.plan, status, self.counts(), list(notes), self._before.get("file", ""))
        self.folder.write(MANIFEST, (as_json(sealed({**content, "checksums": checksums})) + "\n").encode())

    def ranges(self, table: str) -> list[tuple[int, int]]:
        """First run and the run after the last one of every part of a table."""
        parts = [part for part in map(part_of, self.files) if part is not None]
        return sorted((part.first, part.last) for part in parts if part.table == table)

    def done(self) -> list[tuple[int, int]]:
        """Ranges of runs whose parts are all there."""
        return self.ranges(RUNS)

    def write_part(self, first: int, last: int, tables: dict[str, bytes]) -> None:
        """Write what a job made, and its slip last: where that is, the job is done."""
        written = {f"{table}/{part_name(first, last)}": tables[table] for table in TABLES if table in tables}
        entries = {name: entry_of(content) for name, content in written.items()}
        for name, content in written.items():
            self.folder.write(name, content)
        write_slip(self.folder, f"{first:09d}-{last:09d}.json", self.work, entries)
        self.files |= entries

    def compact(self) -> None:
        """Join small parts into large ones; a crash in between loses nothing, since parts go when their whole is on record."""
        for table in TABLES:
            for group in self._groups(table):
                names = [f"{table}/{part_name(*part)}" for part in group]
                content = as_parquet(arrow.concat_tables([from_parquet(self._read(name)) for name in names]))
                first, last = group[0][0], group[-1][1]
                whole = f"{table}/{part_name(first, last)}"
                self.folder.write(whole, content)
                self.files[whole] = entry_of(content)
                self._put_on_record(f"{table}-{first:09d}-{last:09d}.json", [whole])
                for name in names:
                    self.folder.remove(name)
                    del self.files[name]

    def _read(self, name: str) -> bytes:
        """A file that is about to be joined. Raises CspsimError if it is no longer what was written a while ago."""
        try:
            content = self.folder.read(name)
        except FileNotFoundError:
            content = b""
        if hashlib.sha256(content).hexdigest() != self.files[name].sha256:
            raise CspsimError(f"{self.folder}/{name} was changed or taken away while the sweep ran; --resume makes it again")
        return content

    def finish(self, notes: list[str]) -> None:
        """Say that all is done. Raises CspsimError if a part went away meanwhile."""
        there = set(self.folder.names()) | {f"{table}/{name}" for table in TABLES for name in self.folder.names(table)}
        gone = [name for name in self.files if name not in there]
        if gone:
            raise CspsimError(f"{self.folder}/{gone[0]} was taken away while the sweep ran; --resume makes it again")
        self._remove_strays()
        self.write_manifest(COMPLETE, notes, write_ledger(self.folder, self.work, self.files))
        self.folder.remove_folder(SLIPS)

    def _groups(self, table: str) -> Iterator[list[tuple[int, int]]]:
        """Neighbouring parts that become one file: the same groups whatever was interrupted before.

        Groups are counted in runs, from run 0, so that they do not depend on where an earlier attempt got to.
        """
        size = max(self.plan.job_runs, self.plan.job_runs * (COMPACT_ROWS // self.rows_of_a_job(table)))
        groups: dict[int, list[tuple[int, int]]] = {}
        for part in self.ranges(table):
            groups.setdefault(part[0] // size, []).append(part)
        yield from (group for group in groups.values() if len(group) > 1)

    def rows_of_a_job(self, table: str) -> int:
        """Rows that one job writes into a table, at most; at least 1."""
        keep, data = self.plan.experiment.data.keep, self.plan.scenarios[0].data
        places = len(data.partnerships) + 1 if keep.runs == "partnerships" else 1
        each = {"months": places * 120, "authorities": len(data.partnerships) * len(data.authorities)}.get(table, places)
        return max(1, each * self.plan.job_runs)

    def counts(self) -> dict[str, int]:
        """Runs stored and runs failed so far."""
        return counts_of(self.files)


def counts_of(files: Files) -> dict[str, int]:
    """Runs stored and runs failed, by what is on record."""
    parts = [(part, entry) for name, entry in files.items() if (part := part_of(name)) is not None]
    runs = sum(part.last - part.first for part, _ in parts if part.table == RUNS)
    failed = sum(entry.rows for part, entry in parts if part.table == FAILURES)
    return {"runs": runs - failed, "failures": failed}


def damages_of_finished(folder: Folder, manifest: dict[str, Any]) -> list[str]:
    """What is not as it was written in the folder of a finished sweep, a sentence each."""
    try:
        files = read_ledger(folder, manifest["checksums"])
    except CspsimError as error:
        return [str(error)]
    _, damaged = check_files(folder, files)
    there = [f"{table}/{name}" for table in TABLES for name in folder.names(table)]
    strange = [name for name in there if part_of(name) and name not in files]
    found = [f"{folder}/{name} {_fault(folder, name)}" for name in damaged]
    return found + [f"{folder}/{name} is no part of this sweep" for name in strange]


def _fault(folder: Folder, name: str) -> str:
    where, _, bare = name.rpartition("/")
    return "is not as it was written" if bare in folder.names(where) else "is missing"
