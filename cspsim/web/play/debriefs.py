"""Debriefs made in the background: one thread for each room that asks, reported to every page that looks, attached to none."""

import threading
import time
from collections.abc import Callable
from itertools import count
from typing import NamedTuple

from cspsim.basics.errors import CspsimError
from cspsim.web.play.debrief import Debrief
from cspsim.web.play.rooms import Rooms

MOST = 100
"""Debriefs remembered; the oldest goes first, and is in its room's own memory all the same."""
APART = 1.0
"""Seconds between two progress messages."""
FAULT = "The debrief could not be made."


class Making(NamedTuple):
    """How far a debrief has come: replays done of all, and then what was made, or why not."""

    done: int = 0
    total: int = 0
    made: Debrief | None = None
    fault: str = ""

    @property
    def ended(self) -> bool:
        """Whether it has ended, with a debrief or without."""
        return self.made is not None or bool(self.fault)


class Debriefs:
    """The debriefs of a store of rooms, by room and by how often its game was undone: only an undo leads out of a game that is over."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self._lock = threading.Lock()
        self._numbers = count()
        self._states: dict[tuple[str, int], Making] = {}
        self._followers: dict[int, tuple[str, Callable[[], None]]] = {}

    @property
    def n_followers(self) -> int:
        """How many pages follow."""
        return len(self._followers)

    def state(self, code: str, undone: int) -> Making:
        """How far it has come."""
        return self._states.get((code, undone), Making())

    def follow(self, code: str, tell: Callable[[], None]) -> Callable[[], None]:
        """Have ``tell`` called now and whenever there is more; gives what ends that.

        Now, because a page reads the state before it follows: what was made between the two would be missed.
        """
        number = next(self._numbers)
        with self._lock:
            self._followers[number] = (code, tell)
        tell()

        def end() -> None:
            with self._lock:
                self._followers.pop(number, None)

        return end

    def begin(self, code: str, session: str, undone: int) -> None:
        """Make it, unless it is being made or has been. What ``session`` may not have is refused by the rooms, and told."""
        key = (code, undone)
        with self._lock:
            known = self._states.get(key)
            if known is not None and not known.fault:
                return
            self._states[key] = Making()
            while len(self._states) > MOST:
                self._states.pop(next(iter(self._states)))
        threading.Thread(target=self._make, args=(key, session), name=f"debrief {code}", daemon=True).start()

    def _make(self, key: tuple[str, int], session: str) -> None:
        told = 0.0

        def progress(done: int, total: int) -> None:
            nonlocal told
            self._states[key] = Making(done, total)
            if time.monotonic() - told > APART:
                told = time.monotonic()
                self._tell(key[0])
            time.sleep(0)  # other rooms' pages come first

        try:
            made = self._rooms.debrief(key[0], session, progress)
        except CspsimError as error:
            self._states[key] = Making(fault=str(error))
        except Exception:  # the thread belongs to nobody: a fault must reach the pages that wait
            self._states[key] = Making(fault=FAULT)
            self._tell(key[0])
            raise
        else:
            self._states[key] = self.state(*key)._replace(made=made)
        self._tell(key[0])

    def _tell(self, code: str) -> None:
        with self._lock:
            followers = [tell for other, tell in self._followers.values() if other == code]
        for tell in followers:
            tell()
