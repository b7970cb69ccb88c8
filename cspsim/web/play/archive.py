"""The file of rooms as its owner sees it while no server runs: what is kept about whom, and how to delete it."""

import time
from collections.abc import Sequence
from contextlib import closing
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple

from cspsim.basics.errors import CspsimError
from cspsim.web.play.rooms import DAY
from cspsim.web.play.shared import InUse, guard_of
from cspsim.web.play.storage import Storage


class KeptRoom(NamedTuple):
    """A room in a file: when it changed last, how many cards were handed in, and every name that was ever given."""

    code: str
    scenario: str
    changed: float
    cards: int
    people: tuple[str, ...]


def kept_rooms(path: Path) -> list[KeptRoom]:
    """Every room of a file, the latest first. Raises StorageError."""
    with closing(Storage(path)) as storage:
        found = [
            KeptRoom(
                header.code,
                header.settings.scenario,
                log[-1].at if log else header.opened,
                len([entry for entry in log if entry.what == "hand_in"]),
                tuple(dict.fromkeys(entry.data["name"] for entry in log if entry.what == "join")),
            )
            for header, log in storage.rooms()
        ]
    return sorted(found, key=lambda room: -room.changed)


def rooms_to_delete(
    kept: Sequence[KeptRoom], path: Path, codes: Sequence[str], everything: bool, older_than: float | None
) -> list[KeptRoom]:
    """What was asked for. Raises CspsimError for a code that no room has."""
    wanted = {code.strip().upper() for code in codes}
    for code in sorted(wanted - {room.code for room in kept}):
        near = get_close_matches(code, [room.code for room in kept], n=1)
        raise CspsimError(f"there is no room {code} in {path}" + (f": did you mean {near[0]}?" if near else ""))
    before = time.time() - older_than * DAY if older_than is not None else 0.0
    return [room for room in kept if everything or room.code in wanted or room.changed < before]


def delete_rooms(path: Path, codes: Sequence[str]) -> None:
    """Remove rooms, and every trace of them in the file. Raises CspsimError while a server has the file."""
    try:
        guard = guard_of(path)
    except InUse:
        raise CspsimError(f"{path} is in use by a running cspsim view: end it first, or close the room on its page") from None
    with closing(guard), closing(Storage(path)) as storage:
        for code in codes:
            storage.forget(code)
        storage.shrink()
