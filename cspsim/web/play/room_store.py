"""Where rooms are kept: opened, found, held by one thread at a time, changed whole or not at all, told about, and forgotten."""

import hashlib
import json
import secrets
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from threading import RLock
from typing import Any, NamedTuple

from cspsim.scenario.scenario import Scenario, load_scenario, scenario_names
from cspsim.web.gatekeeper import EntrySecrets, drawn_secrets, machine_of
from cspsim.web.guesses import Guesses
from cspsim.web.play.decisions import Refused, shortened
from cspsim.web.play.room import LogEntry, Room, RoomHeader
from cspsim.web.play.settings import checked
from cspsim.web.play.storage import Storage

ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"  # no I, L, O, 0, 1: codes are read aloud and typed
CODE_LENGTH, TOKEN_LENGTH, LONGEST_SESSION = 6, 12, 200

Check = Callable[[Room, str], dict[str, Any] | None]
"""Says whether a fingerprint may do something in a room: gives the data of the entry, None if nothing would change, or refuses."""


class Mine(NamedTuple):
    """A room that somebody has opened or come into."""

    code: str
    scenario: str
    partnership: str
    opened: bool
    changed: float


class RoomLimits(NamedTuple):
    """The limits of a server. Times in seconds.

    ``rests_after``: a room nobody looks at drops what can be made again; ``deserted_after``: one with nobody in
    it and no card handed in gives way when all places are taken.

    ``rooms_each`` of one visitor, ``rooms_each_machine`` of all visitors from one machine: a visitor can make himself others.
    ``guesses``: so many codes of no room in ``guesses_window``, of one visitor and of all: a code is one of 31^6.
    """

    rooms: int = 40
    rooms_each: int = 5
    rooms_each_machine: int = 20
    people: int = 80
    entries: int = 5000
    entries_each: int = 600
    lives: float = 7 * 24 * 3600
    away_after: float = 60
    rests_after: float = 600
    deserted_after: float = 3600
    guesses_each: int = 10
    guesses_by_all: int = 60
    guesses_window: float = 300


def fingerprint(session: Any) -> str:
    """What stands for a session wherever anything is kept: it cannot be used to take the session over."""
    if not isinstance(session, str) or not 0 < len(session) <= LONGEST_SESSION:
        raise Refused("this page has lost its session: reload it")
    return hashlib.sha256(session.encode("utf-8", "surrogatepass")).hexdigest()[:32]


class RoomStore:
    """All rooms of a server. A room's lock is never waited for while the store's own is held."""

    def __init__(
        self,
        path: Path | None,
        scenarios: Collection[str] | None,
        load: Callable[[str], Scenario] = load_scenario,
        limits: RoomLimits = RoomLimits(),  # noqa: B008 # a tuple cannot change
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.limits, self.clock = limits, clock
        self.scenarios = list(scenario_names() if scenarios is None else scenarios)
        self._load = load
        self._lock = RLock()
        self._numbers = count()
        self._storage = Storage(path)
        self.guesses = Guesses(limits.guesses_each, limits.guesses_by_all, limits.guesses_window, clock)
        self._closed: set[str] = set()
        self._rooms = {header.code: Room(header, load, log) for header, log in self._storage.rooms()}
        self.sweep()

    @property
    def on_disk(self) -> bool:
        """Whether rooms are kept over a restart."""
        return self._storage.path is not None

    def open(self, session: str, raw: Any) -> str:
        """Open a room with settings as a page asks for them; gives its code."""
        who = fingerprint(session)
        if not isinstance(raw, Mapping) or raw.get("scenario") not in self.scenarios:
            raise Refused("choose one of the scenarios offered")
        scenario = self._load(str(raw["scenario"]))
        settings = checked(raw, scenario)
        self.sweep()
        if len(self._rooms) >= self.limits.rooms:
            self._forget_deserted()
        with self._lock:
            if len(self._rooms) >= self.limits.rooms:
                raise Refused(f"all {self.limits.rooms} rooms of this server are taken: close one, or try again later")
            if len([room for room in self._rooms.values() if room.header.opened_by == who]) >= self.limits.rooms_each:
                raise Refused(f"you have {self.limits.rooms_each} rooms already: close one first")
            machine = machine_of(session)
            if machine and len([room for room in self._rooms.values() if room.header.machine == machine]) >= self.limits.rooms_each_machine:
                raise Refused(f"{self.limits.rooms_each_machine} rooms were opened from this machine or network already: close one first")
            code = _drawn(CODE_LENGTH)
            while code in self._rooms:
                code = _drawn(CODE_LENGTH)
            header = RoomHeader(code, _drawn(TOKEN_LENGTH), self.clock(), who, settings, scenario.digest, machine)
            self._storage.open_room(header)
            self._rooms[code] = Room(header, self._load)
        return code

    def mine(self, session: str) -> list[Mine]:
        """Rooms that somebody has opened or come into and not left, the latest change first; none of them is woken."""
        who, now = fingerprint(session), self.clock()
        found = []
        for room in list(self._rooms.values()):
            if room.changed + self.limits.lives < now:
                continue
            opened = room.header.opened_by == who
            came = [entry.what for entry in list(room.log) if entry.who == who and entry.what in ("join", "claim", "leave")]
            if (came and came[-1] != "leave") or (opened and not came):
                settings = room.header.settings
                found.append(Mine(room.header.code, settings.scenario, settings.partnership, opened, room.changed))
        return sorted(found, key=lambda one: -one.changed)

    @contextmanager
    def held(self, code: Any, who: str, wake: bool = True) -> Iterator[Room]:
        """The room of a code, awake unless not wanted, with nobody else at it. Raises Refused if there is none.

        A visitor who has typed too many wrong codes is told nothing about any room but their own.
        """
        name = code.strip().upper() if isinstance(code, str) and len(code) < 40 else ""
        room = self._rooms.get(name)
        closed = name in self._closed  # pages of its members still ask for it: that is no guess
        if not closed and (room is None or not room.concerns(who)):
            self.check_guesses(who)
        if room is None:
            if not closed:
                self.guesses.count_wrong(who, name)
            raise Refused(f"there is no room {shortened(code)}: check the code with whoever opened it")
        with room.lock:
            if self._rooms.get(name) is not room or room.changed + self.limits.lives < self.clock():
                raise Refused(f"the room {name} has been closed")
            if wake:
                room.wake()
            yield room

    def check_guesses(self, who: str) -> None:
        """Refuse a guess after too many wrong ones, by this caller or by all together."""
        if not self.guesses.may_guess(who):
            raise Refused(f"too many wrong codes were typed: wait {self.limits.guesses_window / 60:.0f} minutes, then try again")

    def change(self, code: Any, session: Any, what: str, check: Check) -> None:
        """One change: checked, made, kept on disk and told; or, if any of that fails, as if it had never been asked for."""
        who = fingerprint(session)
        with self.held(code, who) as room:
            data = check(room, who)
            if data is None:
                return
            mine = len([entry for entry in room.log if entry.who == who])
            if len(room.log) >= self.limits.entries or mine >= self.limits.entries_each:
                raise Refused("too much has happened in this room: open another one")
            entry = LogEntry(self.clock(), what, who, data)
            room.seen[who] = entry.at
            try:
                room.apply(entry)
                self._storage.add(room.header.code, len(room.log), entry)
            except Refused:
                raise
            except BaseException:
                room.rest()  # made again from its log when somebody next looks
                raise
            room.log.append(entry)
            room.version += 1
        notify(room)

    def subscribe(self, code: Any, session: Any, callback: Callable[[int], None]) -> Callable[[], None]:
        """Have ``callback(version)`` called after every change; gives what ends that."""
        who, number = fingerprint(session), next(self._numbers)
        with self.held(code, who) as room:
            came = not room.watched_by(who)
            room.subscribers[number] = (who, callback)
            room.version += came
        if came:
            notify(room, but=number)

        def end() -> None:
            with room.lock:
                if room.subscribers.pop(number, None) is None:
                    return
                room.looked_at = self.clock()
                left = not room.watched_by(who)
                if left:
                    room.seen.pop(who, None)
                    room.version += 1
            if left:
                notify(room)

        return end

    def here(self, room: Room) -> set[str]:
        """Fingerprints with an open page, or heard of within the last minute."""
        recently = self.clock() - self.limits.away_after
        room.seen = {who: seen for who, seen in room.seen.items() if seen >= recently}
        return {who for who, _ in room.subscribers.values()} | set(room.seen)

    def sweep(self) -> None:
        """Remove rooms that nobody has touched for too long, and let rooms rest that nobody looks at."""
        now = self.clock()
        for room in list(self._rooms.values()):
            if room.lock.acquire(blocking=False):
                try:
                    if room.changed + self.limits.lives < now:
                        self.forget(room)
                    elif not room.subscribers and max(room.changed, room.looked_at) + self.limits.rests_after < now:
                        room.rest()
                finally:
                    room.lock.release()

    def _forget_deserted(self) -> None:
        """Make room for one: of the rooms where nobody is and no card was handed in, the one left alone longest, if for long enough."""
        before = self.clock() - self.limits.deserted_after
        for room in sorted(self._rooms.values(), key=lambda one: max(one.changed, one.looked_at)):
            if max(room.changed, room.looked_at) >= before:
                return
            if room.lock.acquire(blocking=False):
                try:
                    if not room.played and not room.subscribers:
                        self.forget(room)
                        return
                finally:
                    room.lock.release()

    def forget(self, room: Room) -> None:
        """Remove a room that the caller holds."""
        self._storage.forget(room.header.code)
        with self._lock:
            self._rooms.pop(room.header.code, None)
            self._closed.add(room.header.code)
        room.rest()

    def entry_secrets(self, renewed: bool = False) -> EntrySecrets:
        """The entry code and key of this server: kept for as long as there is a room to go back to, else or if wanted new ones."""
        found = self._storage.kept("entry")
        if found and self._rooms and not renewed:
            return EntrySecrets(*json.loads(found))
        made = drawn_secrets()
        self._storage.keep("entry", json.dumps(made))
        return made

    def close(self) -> None:
        """Let go of the file."""
        self._storage.close()


def _drawn(length: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def notify(room: Room, but: int = -1) -> None:
    """Call every subscriber, without holding the room; one that fails has gone and is not called again."""
    with room.lock:
        version, subscribers = room.version, list(room.subscribers.items())
    for number, (_, callback) in subscribers:
        if number != but:
            try:
                callback(version)
            except Exception:  # whatever a page's callback does, the others are told
                with room.lock:
                    room.subscribers.pop(number, None)
