"""How much work one request may ask for: estimated first, then refused or confirmed where it exceeds the limits.

Every command, ``simulate`` and ``compare`` estimate before they begin; every reader of files looks at a file before it reads it.
The limits below keep a typing error (a few zeros too many, the wrong file) from bringing a machine down. Each can be raised:
by ``--time-limit`` and ``--memory-limit``, by ``limits=`` in Python, or by a variable of the environment, for everything.
"""

import errno
import os
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from cspsim.basics.errors import CspsimError
from cspsim.model.tallies import AuthorityTally, Tally

TIME = 12 * 3600.0
"""Seconds. A request that takes longer than a night is deliberate, and can say so."""
MEMORY = 2e9
"""Bytes beyond the program itself: what a laptop of 8 GB can spare beside a browser and an office suite."""
QUERY_TIME, QUERY_MEMORY = 30.0, 1e9
"""The same for an SQL query. Ten million runs are summed in some seconds; what takes longer mostly joins without a condition."""
TEXT_FILE = 2e6
"""Bytes of a file that people write (scenario, experiment, rules). The largest shipped one has 84 kB; 2 MB are read in ten seconds."""
BYTES_OF_A_KEY = 100
"""A file that people write may have one key for so many bytes of its limit: 20,000. The largest shipped one has 3,000; each is checked
against the schema, which may have a dozen faults to find in it."""
TABLE_FILE = 64e6
"""Bytes of a file of rows. Every month of twenty years for eight types and 300 partnerships comes to some 25 MB."""
FILES = 100
"""Files one scenario may be put together from. Shipped ones take five to ten; putting n files together takes n x n steps."""
UNKNOWN_SIZE = 1_000_000
"""Bytes that are read of a file whose size the system does not state, such as those in /proc."""
DEPTH = 30
"""How deep tables and lists may be nested in a file. A scenario needs five."""
TOO_DEEP = "brackets inside brackets, too deep to read"
FAULTS = 1000
"""Faults that are reported for one file: nobody reads more, and finding the nearest right name for each takes time."""

VARIABLES = {"time": "CSPSIM_TIME_LIMIT", "memory": "CSPSIM_MEMORY_LIMIT", "file": "CSPSIM_FILE_LIMIT", "files": "CSPSIM_FILES_LIMIT"}

_SECONDS = {"s": 1.0, "min": 60.0, "h": 3600.0, "days": 86_400.0, "day": 86_400.0, "d": 86_400.0}
_BYTES = {"kB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12}

PER_RUN_STEP = 7.5e-8
"""Seconds for one month of one authority and one intervention at one table, measured: 3.9 ms for a run of the baseline (two tables)."""
PER_MONTH_KEPT = 4.5e-5
"""Seconds to write one month of one partnership as rows of tables, measured with ``run --months``."""
COPIES, COPIES_OF_MONTHS = 4, 7
"""Times the bare counts that tables, frames and files being written take up, measured: 6.3 with months, under 4 without."""


class EstimatedWork(NamedTuple):
    """What something will take: seconds, and bytes of memory beyond the program itself."""

    seconds: float
    memory: float


class Limits(NamedTuple):
    """What a request may take: seconds, and bytes of memory beyond the program itself."""

    seconds: float = TIME
    memory: float = MEMORY


class Size(NamedTuple):
    """How large the world of a scenario is; months with the warm-up."""

    partnerships: int
    authorities: int
    interventions: int
    crime_types: int
    months: int


QUERY = Limits(QUERY_TIME, QUERY_MEMORY)
UNLIMITED = Limits(float("inf"), float("inf"))


class TooMuch(CspsimError):
    """A request asks for more than the limits allow."""


class Unreadable(CspsimError):
    """A file that cannot be read; ``why`` says it without the file's name."""

    def __init__(self, path: Path | str, why: str) -> None:
        super().__init__(f"{path} {why}")
        self.why = why


# ------------------------------------------------------------------------------------------------- limits and amounts


def limits_of(time: str | None = None, memory: str | None = None, usual: Limits | None = None) -> Limits:
    """Limits as people write them, ``"90min"`` and ``"8GB"``; what is not stated comes from the environment, else from ``usual``.

    Raises CspsimError for what is no amount.
    """
    usual = usual or Limits()
    time, memory = time or os.environ.get(VARIABLES["time"]), memory or os.environ.get(VARIABLES["memory"])
    return Limits(
        _amount(time, _SECONDS, "a time such as 90s, 30min, 12h or 3days") if time else usual.seconds,
        _amount(memory, _BYTES, "an amount of memory such as 500MB or 8GB") if memory else usual.memory,
    )


def _amount(text: str, units: dict[str, float], expected: str) -> float:
    if text.strip() == "none":
        return float("inf")
    found = re.fullmatch(r"\s*(\d{1,30}(?:\.\d{1,6})?)\s*([A-Za-z]+)\s*", text)
    factor = {name.lower(): factor for name, factor in units.items()}.get(found[2].lower()) if found else None
    if found is None or factor is None or float(found[1]) <= 0:
        raise CspsimError(f"{text!r} is no limit: expected {expected}, or none")
    return float(found[1]) * factor


def _largest(kind: str, usual: float, units: dict[str, float]) -> float:
    said = os.environ.get(VARIABLES[kind])
    return _amount(said, units, "an amount such as 50MB") if said else usual


def files_allowed() -> float:
    """How many files one scenario may be put together from."""
    said = os.environ.get(VARIABLES["files"])
    return int(said) if said and said.isdecimal() and len(said) < 10 else FILES


def in_time(seconds: float) -> str:
    """A duration in everyday words."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    if seconds < 5400:
        return f"{round(seconds / 60)} min"
    if seconds < 172_800:
        return f"{seconds / 3600:.3g} h"
    years = seconds / 31_557_600
    return f"{seconds / 86_400:,.0f} days" if years < 3 else f"{years:,.0f} years" if years < 1e6 else "millions of years"


def in_bytes(size: float) -> str:
    """An amount of storage in everyday words."""
    for unit in ("kB", "MB", "GB", "TB"):
        size /= 1000
        if size < 1000:
            return f"{size:.3g} {unit}"
    return f"{size:,.0f} TB" if size < 1e6 else "millions of TB"


# ------------------------------------------------------------------------------------------------------ work and leave


def work_of(size: Size, runs: float, kept: float | None = None, months_kept: float = 0, threads: int | None = None) -> EstimatedWork:
    """What this number of runs of a world of this size takes. ``kept``: runs whose counts are held at once, all if not given.

    ``months_kept``: runs of which the monthly counts are held and written, too.
    """
    tables = size.partnerships * size.authorities * size.interventions
    workers = min(threads or os.cpu_count() or 1, os.cpu_count() or 1)
    monthly = months_kept * size.months * size.partnerships
    seconds = runs * tables * size.months * PER_RUN_STEP / workers + monthly * PER_MONTH_KEPT
    counts = size.partnerships * (len(Tally) + size.authorities * len(AuthorityTally))
    held = COPIES * counts * (runs if kept is None else kept) + COPIES_OF_MONTHS * monthly * len(Tally)
    return EstimatedWork(seconds, 8 * (held + _world(size) * (1 + workers)))


def _allowing(work: EstimatedWork, limits: Limits, in_python: bool) -> str:
    """The option or argument that would allow this much."""
    time = f"{1.5 * work.seconds / 3600:.0f}h" if work.seconds > limits.seconds else ""
    memory = f"{max(1.0, 1.5 * work.memory / 1e9):.0f}GB" if work.memory > limits.memory else ""
    if in_python:
        said = [f'time="{time}"' if time else "", f'memory="{memory}"' if memory else ""]
        return f"limits=cspsim.limits_of({', '.join(part for part in said if part)})"
    return " ".join(part for part in (f"--time-limit {time}" if time else "", f"--memory-limit {memory}" if memory else "") if part)


def _world(size: Size) -> float:
    """Numbers in the arrays of one world and one run's state, roughly: see ``world.py`` and ``state.py``."""
    p, a, i, c, m = size
    return p * (p + m * (i + 2 * c + 3 * a + 10) + i * (20 + 9 * a) + a * (10 + 2 * a) + 12 * c) + 20 * m


def hold_to_limits(
    work: EstimatedWork, what: str, limits: Limits, in_python: bool = False, ask: Callable[[str], bool] | None = None
) -> None:
    """Let the work begin if it stays within the limits. Raises TooMuch, with the estimate, the limit and how to allow more.

    ``what``: the work, as the subject of a sentence. ``in_python``: whether limits are given as an argument or as options.
    ``ask``: asks a person in front of a terminal whether to go on; scripts have none and are refused.
    """
    if work.seconds <= limits.seconds and work.memory <= limits.memory:
        return
    over = [
        f"{in_time(work.seconds)} where {in_time(limits.seconds)} is the limit" if work.seconds > limits.seconds else "",
        f"{in_bytes(work.memory)} of memory where {in_bytes(limits.memory)} is the limit" if work.memory > limits.memory else "",
    ]
    said = f"{what} would take about {' and '.join(part for part in over if part)}"
    if ask is None:
        raise TooMuch(f"{said}: ask for less, or allow it with {_allowing(work, limits, in_python)}")
    if not ask(f"{said}. Go on all the same?"):
        raise TooMuch("nothing was run")


# ------------------------------------------------------------------------------------------------------- reading files


def read_file(path: Path | str, most: float = TEXT_FILE) -> bytes:
    """The content of a file of at most this size (CSPSIM_FILE_LIMIT allows more). Raises Unreadable.

    Only files are read: a device such as /dev/zero never ends, and a pipe without a writer never begins.
    """
    most = max(most, _largest("file", 0, _BYTES))
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except OSError as error:
        why = "is a folder" if error.errno == errno.EISDIR else f"cannot be read: {error.strerror or error}"
        raise Unreadable(path, why) from None
    except ValueError:  # a name with a NUL in it
        raise Unreadable(str(path).replace("\0", "\\0"), "cannot be read: no file can be called so") from None
    found = os.fstat(handle)
    if not stat.S_ISREG(found.st_mode):  # asked first, since a folder cannot even be wrapped
        os.close(handle)
        raise Unreadable(path, "is a folder" if stat.S_ISDIR(found.st_mode) else "is a device or a pipe: expected a file")
    with os.fdopen(handle, "rb") as file:
        try:
            content = b"" if found.st_size > most else file.read(found.st_size or UNKNOWN_SIZE)
        except OSError as error:
            raise Unreadable(path, f"cannot be read: {error.strerror or error}") from None
        size = max(found.st_size, len(content))
    if size > most:
        raise Unreadable(
            path,
            f"has {in_bytes(size)}, and a file of this kind is read up to {in_bytes(most)}: is it the right one? "
            f"{VARIABLES['file']}={in_bytes(1.1 * size).replace(' ', '')} allows more",
        )
    return content


def too_many_keys(value: object) -> str | None:
    """What to say about a file with more keys than its limit allows, counted through all its tables; None if it keeps to it."""
    most = max(TEXT_FILE, _largest("file", 0, _BYTES)) / BYTES_OF_A_KEY
    count = _keys_in(value)
    if count <= most:
        return None
    more = in_bytes(1.1 * count * BYTES_OF_A_KEY).replace(" ", "")
    return f"has {count:,} keys, and up to {most:,.0f} are read: is it the right file? {VARIABLES['file']}={more} allows more"


def _keys_in(value: object) -> int:
    if isinstance(value, dict):
        return len(value) + sum(map(_keys_in, value.values()))
    return sum(map(_keys_in, value)) if isinstance(value, list) else 0


def is_too_deep(value: object, depth: int = DEPTH) -> bool:
    """Whether tables and lists lie inside each other more deeply than any file of ours needs."""
    if not isinstance(value, dict | list):
        return False
    inside = value.values() if isinstance(value, dict) else value
    return depth == 0 or any(is_too_deep(inner, depth - 1) for inner in inside)
