"""The one store of rooms of this server process, shared by every page of every visitor; there is no Solara in it.

A server says once, before it starts, where rooms are kept (``keep_in``). Without that they are kept while the process runs.
"""

import logging
import sqlite3
from pathlib import Path
from threading import Event, Lock, Thread

import platformdirs

from cspsim.basics.errors import CspsimError
from cspsim.web.play.debriefs import Debriefs
from cspsim.web.play.room_store import RoomLimits
from cspsim.web.play.rooms import DAY, Rooms
from cspsim.web.shown_scenarios import known_names, scenario_of

SWEEPS_EVERY = 600.0
"""Seconds between looks for rooms past their time: what is to be forgotten goes also where nobody opens another room."""


class InUse(CspsimError):
    """Another server keeps its rooms in this file."""


def usual_file() -> Path:
    """The file that keeps rooms unless somebody names another one."""
    return Path(platformdirs.user_data_dir("cspsim", appauthor=False)) / "rooms.sqlite"


logger = logging.getLogger("cspsim.web")


class _House:
    """The rooms, what computes their debriefs, and the lock that keeps a second server out of their file."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.rooms: Rooms | None = None
        self.debriefs: Debriefs | None = None
        self.guard: sqlite3.Connection | None = None
        self.left = Event()


_house = _House()


def keep_in(path: Path | None, days: float = 7.0) -> None:
    """Open the rooms, kept in a file or (None) only while the process runs. Raises InUse, or StorageError for a file at fault.

    ``days``: how long after its last change a room is kept.
    """
    close_rooms()
    guard = guard_of(path) if path is not None else None
    try:
        rooms = Rooms(path, known_names(), scenario_of, RoomLimits(lives=days * DAY))
    except CspsimError:
        if guard is not None:
            guard.close()
        raise
    with _house.lock:
        _house.rooms, _house.debriefs, _house.guard, _house.left = rooms, Debriefs(rooms), guard, Event()
    Thread(target=_keep_swept, args=(rooms, _house.left), name="rooms-sweep", daemon=True).start()


def _keep_swept(rooms: Rooms, left: Event) -> None:
    while not left.wait(SWEEPS_EVERY):
        try:
            rooms.sweep()
        except CspsimError:  # the file cannot be written just now: the next look may do
            logger.exception("rooms past their time could not be removed")


def close_rooms() -> None:
    """Let go of the rooms and of their file."""
    with _house.lock:
        rooms, guard = _house.rooms, _house.guard
        _house.rooms = _house.debriefs = _house.guard = None
        _house.left.set()
    if rooms is not None:
        rooms.close()
    if guard is not None:
        guard.close()


def the_rooms() -> Rooms:
    """The rooms of this process."""
    if _house.rooms is None:
        keep_in(None)
    assert _house.rooms is not None
    return _house.rooms


def the_debriefs() -> Debriefs:
    """What computes the debriefs of these rooms."""
    the_rooms()
    assert _house.debriefs is not None
    return _house.debriefs


def guard_of(path: Path) -> sqlite3.Connection:
    """A lock beside the file that goes with this process, however it ends: two servers would each miss what the other writes."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        guard = sqlite3.connect(path.with_name(f"{path.name}.lock"), timeout=0.2, isolation_level=None, check_same_thread=False)
        guard.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise InUse(f"{path} is in use: another cspsim view keeps its rooms there") from None
        raise CspsimError(f"{path} cannot keep rooms: {error}") from None
    except (sqlite3.Error, OSError) as error:
        raise CspsimError(f"{path} cannot keep rooms: {error}") from None
    return guard
