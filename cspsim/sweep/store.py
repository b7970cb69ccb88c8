"""Results on disk: parts written whole or not at all, a manifest, and what is already done."""

import os
import re
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as arrow

from cspsim.errors import CspsimError
from cspsim.exports import as_json
from cspsim.sweep.folders import Folder, LocalFolder
from cspsim.sweep.manifest import MANIFEST, assumptions_table, luck_table, manifest_of, policies_table, read_manifest
from cspsim.sweep.plan import Plan
from cspsim.sweep.work import FAILURES, RUNS, TABLES, as_parquet, from_parquet

LOCK = "sweep.lock"
RUNNING, PAUSED, COMPACTING, COMPLETE = "running", "paused", "compacting", "complete"
COMPACT_ROWS = 200_000  # rows of runs in one compact file: a few dozen megabytes

_PART = re.compile(r"runs-(\d{9})-(\d{9})\.parquet")


def part_name(first: int, last: int) -> str:
    """File name of the runs from ``first`` up to ``last``."""
    return f"runs-{first:09d}-{last:09d}.parquet"


def ranges(folder: Folder, table: str) -> list[tuple[int, int]]:
    """First run and the run after the last one of every part of a table that is there."""
    found = [_PART.fullmatch(name) for name in folder.names(table)]
    return sorted((int(match[1]), int(match[2])) for match in found if match)


class Store:
    """The folder of one sweep while it is being filled. One process writes, whoever runs the jobs."""

    def __init__(self, folder: Folder, plan: Plan) -> None:
        self.folder, self.plan = folder, plan

    def manifest(self) -> dict[str, Any] | None:
        """What the folder says of itself; None if it holds no sweep. Raises CspsimError where it holds something else."""
        return read_manifest(self.folder)

    def manifest_status(self) -> str:
        """How far the folder has come; "" if it holds no sweep."""
        return str((self.manifest() or {}).get("status", ""))

    def begin(self, said: str | None) -> None:
        """Write the design and a manifest before the first run."""
        self.folder.write("policies.parquet", as_parquet(policies_table(self.plan)))
        self.folder.write("assumptions.parquet", as_parquet(assumptions_table(self.plan)))
        if self.plan.rows is not None:
            self.folder.write("luck.parquet", as_parquet(luck_table(self.plan)))
        self.write_manifest(RUNNING, said=said)

    def write_manifest(self, status: str, counts: dict[str, int] | None = None, notes: Iterable[str] = (), said: str | None = None) -> None:
        """Say what this folder holds and how far it has come."""
        before = read_manifest(self.folder) or {}
        said = said or before.get("file", "")
        content = manifest_of(self.plan, status, counts or before.get("counts", {}), list(notes), said)
        self.folder.write(MANIFEST, as_json(content).encode())

    def done(self) -> list[tuple[int, int]]:
        """Ranges of runs whose parts are all there. What a crash left of an unfinished job is taken away."""
        if self.manifest_status() == COMPACTING:
            for table in TABLES:
                parts = ranges(self.folder, table)
                for part in parts:
                    if any(_holds(other, part) for other in parts):
                        self.folder.remove(f"{table}/{part_name(*part)}")
            return ranges(self.folder, RUNS)
        whole = ranges(self.folder, RUNS)
        for table in TABLES:
            for part in set(ranges(self.folder, table)) - set(whole):
                self.folder.remove(f"{table}/{part_name(*part)}")
        return whole

    def write_part(self, first: int, last: int, tables: dict[str, bytes]) -> None:
        """Write what a job made. The runs come last: where they are, the job is done."""
        for table in TABLES:
            if table in tables:
                self.folder.write(f"{table}/{part_name(first, last)}", tables[table])

    def compact(self) -> None:
        """Join small parts into large ones; a crash in between loses nothing, since parts go when their whole is there."""
        for table in TABLES:
            for group in self._groups(table):
                content = as_parquet(arrow.concat_tables([from_parquet(self.folder.read(f"{table}/{part_name(*part)}")) for part in group]))
                self.folder.write(f"{table}/{part_name(group[0][0], group[-1][1])}", content)
                for part in group:
                    self.folder.remove(f"{table}/{part_name(*part)}")

    def _groups(self, table: str) -> Iterator[list[tuple[int, int]]]:
        """Neighbouring parts that become one file: the same groups whatever was interrupted before.

        Groups are counted in runs, from run 0, so that they do not depend on where an earlier attempt got to.
        """
        size = max(self.plan.job_runs, self.plan.job_runs * (COMPACT_ROWS // self.rows_of_a_job(table)))
        groups: dict[int, list[tuple[int, int]]] = {}
        for part in ranges(self.folder, table):
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
        runs = sum(last - first for first, last in ranges(self.folder, RUNS))
        failed = sum(from_parquet(self.folder.read(f"{FAILURES}/{part_name(*part)}")).num_rows for part in ranges(self.folder, FAILURES))
        return {"runs": runs - failed, "failures": failed}


def _holds(outer: tuple[int, int], inner: tuple[int, int]) -> bool:
    return outer[0] <= inner[0] and inner[1] <= outer[1] and outer != inner


@contextmanager
def locked(folder: Folder) -> Iterator[None]:
    """Keep a second sweep out of the folder. A lock left by a process that is gone is taken over.

    Raises CspsimError when another process is at work there.
    """
    if not isinstance(folder, LocalFolder):
        yield
        return
    path = folder.path / LOCK
    folder.path.mkdir(parents=True, exist_ok=True)
    mine = f"{socket.gethostname()} {os.getpid()}"
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    except FileExistsError:
        _check_owner(path)
        handle = os.open(path, os.O_WRONLY | os.O_TRUNC)
    with os.fdopen(handle, "w") as file:
        file.write(mine)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def _check_owner(path: Path) -> None:
    """Raises CspsimError if the process that holds a lock is alive, or may be on another machine."""
    host, _, number = path.read_text().partition(" ")
    if host and host != socket.gethostname():
        raise CspsimError(f"{path.parent} is in use by a sweep on {host}; if that one is gone, remove {path}")
    if number.isdecimal() and int(number) != os.getpid() and _is_alive(int(number)):
        raise CspsimError(f"{path.parent} is in use by another sweep (process {number})")


def _is_alive(process: int) -> bool:
    if os.name == "nt":  # there os.kill would end it; a lock left behind is to be removed by hand
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
