"""One sweep in a folder at a time: a lock that names its process, and is taken over once that process is gone."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cspsim.basics.errors import CspsimError
from cspsim.sweep.folders import Folder, LocalFolder

LOCK = "sweep.lock"


@contextmanager
def locked(folder: Folder) -> Iterator[None]:
    """Keep a second sweep out of the folder. A lock left by a process that is gone is taken over.

    Raises CspsimError when another process is at work there, or the folder cannot be written to.
    """
    if not isinstance(folder, LocalFolder):
        yield
        return
    path = folder.path / LOCK
    try:
        folder.path.mkdir(parents=True, exist_ok=True)
        _take(path)
    except OSError as error:
        raise CspsimError(f"{folder} cannot be written to: {error.strerror or error}; choose another folder with --out") from None
    try:
        yield
    finally:
        try:
            if path.read_text() == _mine():
                path.unlink()
        except OSError:  # the folder went away, or may no longer be written to: then the lock says that nobody is at work by itself
            pass


def is_held(folder: Path) -> bool:
    """Whether a sweep is at work in a folder now, as far as this machine can tell."""
    try:
        host, number, start = _said(folder / LOCK)
    except OSError:
        return False
    return host not in ("", socket.gethostname()) or _is_at_work(number, start)


def _take(path: Path) -> None:
    """Make the lock whole at once, so that nobody finds it without a name; if there is one, see whose it is first."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.partial")
    beside.write_text(_mine())
    try:
        try:
            os.link(beside, path)
        except FileExistsError:
            _check_owner(path)
            os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def _mine() -> str:
    return f"{socket.gethostname()} {os.getpid()} {_start_of(os.getpid())}"


def _said(path: Path) -> tuple[str, str, str]:
    """Host, process number and start of the process that a lock names; empty where it does not say."""
    parts = [*path.read_text(errors="replace").split(), "", "", ""]
    return parts[0], parts[1], parts[2]


def _check_owner(path: Path) -> None:
    """Raises CspsimError if the process that holds a lock is alive, or may be on another machine."""
    host, number, start = _said(path)
    if host and host != socket.gethostname():
        raise CspsimError(f"{path.parent} is in use by a sweep on {host}; if that one is gone, remove {path}")
    if _is_at_work(number, start) and int(number) != os.getpid():
        raise CspsimError(f"{path.parent} is in use by another sweep (process {number}); if that process is no sweep, remove {path}")


def _is_at_work(number: str, start: str) -> bool:
    """Whether the process is alive and still the one that made the lock: numbers of processes are used again."""
    if not number.isdecimal() or not _is_alive(int(number)):
        return False
    now = _start_of(int(number))
    return not start or not now or start == now


def _start_of(process: int) -> str:
    """When a process began, in ticks of this machine's clock; empty where the system does not say, as outside Linux."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def _is_alive(process: int) -> bool:
    if os.name == "nt":  # there os.kill would end it; a lock left behind is to be removed by hand
        return True
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
