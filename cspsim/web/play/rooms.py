"""Rooms for games: what a page may ask of them. Safe for many threads; everything asked for is checked here.

Every method takes the code of a room and the id of the session that asks, refuses with a sentence what cannot be (``Refused``),
and gives nobody more than they may see. A page subscribes first and reads its view afterwards: whatever happens from then on
is told, each time with the room's new version. A subscriber is present; once no page of the facilitator is open, any player
may end a step.
"""

import hmac
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from cspsim.scenario.scenario import Scenario, load_scenario
from cspsim.web.gatekeeper import EntrySecrets
from cspsim.web.play.debrief import Debrief, Progress, debrief
from cspsim.web.play.decisions import Refused, plain_text
from cspsim.web.play.incidents import read_incident
from cspsim.web.play.room import LOBBY, OVER, PLAYING, Room
from cspsim.web.play.room_store import Mine, RoomLimits, RoomStore, fingerprint, notify
from cspsim.web.play.seat_views import View, may_advance, view_of
from cspsim.web.play.session_log import log_as_csv, log_as_json

LONGEST_NAME = 40
DAY = 24 * 3600


class Rooms:
    """All rooms of a server.

    Args:
        path: SQLite file that keeps the rooms over a restart; None keeps them only while the server runs.
        scenarios: names that a room may be opened with; the shipped ones if not given.
        load: gives the scenario of such a name.
        clock: gives the time in seconds.
    """

    def __init__(
        self,
        path: Path | None = None,
        scenarios: Collection[str] | None = None,
        load: Callable[[str], Scenario] = load_scenario,
        limits: RoomLimits = RoomLimits(),  # noqa: B008 # a tuple cannot change
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = RoomStore(path, scenarios, load, limits, clock)

    @property
    def kept_days(self) -> float | None:
        """Days after its last change that a room is removed; None where rooms end with the server."""
        return self._store.limits.lives / DAY if self._store.on_disk else None

    @property
    def scenarios(self) -> list[str]:
        """Names of the scenarios that a room may be opened with."""
        return list(self._store.scenarios)

    def open(self, session: str, raw: Mapping[str, Any]) -> str:
        """Open a room with settings as a page asks for them, ``{"scenario": name, ...}`` (see ``Settings``); gives its code."""
        return self._store.open(session, raw)

    def mine(self, session: str) -> list[Mine]:
        """Rooms this session has opened or come into, the latest first."""
        return self._store.mine(session)

    def close_room(self, code: str, session: str) -> None:
        """Remove a room for good; the facilitator's. A room that cannot go on can be closed as well."""
        who = fingerprint(session)
        with self._store.held(code, who, wake=False) as room:
            if who != room.led_by:
                raise Refused("only the facilitator can do this")
            self._store.forget(room)
            room.version += 1
        notify(room)

    def sweep(self) -> None:
        """Remove rooms past their time and let idle ones rest; done whenever a room is opened, too."""
        self._store.sweep()

    def entry_secrets(self, renewed: bool = False) -> EntrySecrets:
        """The entry code and key of this server, kept with the rooms."""
        return self._store.entry_secrets(renewed)

    def close(self) -> None:
        """Let go of the file."""
        self._store.close()

    # ------------------------------------------------------------------------------------------------------- looking

    def view(self, code: str, session: str) -> View:
        """What this session may see."""
        who = fingerprint(session)
        with self._store.held(code, who) as room:
            room.seen[who] = room.looked_at = self._store.clock()
            return view_of(room, who, self._store.here(room))

    def subscribe(self, code: str, session: str, callback: Callable[[int], None]) -> Callable[[], None]:
        """Have ``callback(version)`` called after every change, from the thread that made it; gives what ends that.

        A callback that fails is not called again.
        """
        return self._store.subscribe(code, session, callback)

    def export(self, code: str, session: str, kind: str) -> str:
        """The session log as "json" or "csv": the facilitator's at any time, everybody's in the room once the game is over."""
        who = fingerprint(session)
        with self._store.held(code, who) as room:
            if who != room.facilitator and not (room.stage == OVER and who in room.people):
                raise Refused("the session log is the facilitator's until the game is over")
            if kind not in ("json", "csv"):
                raise Refused("the session log comes as json or csv")
            return log_as_json(room) if kind == "json" else log_as_csv(room)

    def debrief(self, code: str, session: str, progress: Progress | None = None) -> Debrief:
        """The debrief, for everybody in the room once the game is over; made once. It takes seconds and holds no player up."""
        who = fingerprint(session)
        with self._store.held(code, who) as room:
            if room.stage != OVER:
                raise Refused("the debrief comes when the game is over")
            if who not in room.people and who != room.facilitator:
                raise Refused("join the room first")
        with room.debriefing:
            with self._store.held(code, who) as room:
                undone = room.undone
                if room.debriefed is not None and room.debriefed[0] == undone:
                    return room.debriefed[1]
                replica = room.replica()
            made = debrief(replica.game, progress)
            room.debriefed = (undone, made)
        return made

    # -------------------------------------------------------------------------------------------------------- people

    def join(self, code: str, session: str, name: str) -> None:
        """Come in, or change one's name."""

        def check(room: Room, who: str) -> dict[str, Any]:
            if who not in room.people and len(room.people) >= self._store.limits.people:
                raise Refused("this room is full")
            return {"name": plain_text(name, LONGEST_NAME, "a name") or f"Player {len(room.people) + 1}"}

        self._store.change(code, session, "join", check)

    def sit(self, code: str, session: str, authority: str) -> None:
        """Take a seat; a second click changes nothing."""

        def check(room: Room, who: str) -> dict[str, Any] | None:
            if who not in room.people:
                raise Refused("join the room first")
            if not isinstance(authority, str):
                raise Refused("there is no such seat at this table")
            return None if room.people[who].seat == authority else {"authority": authority}

        self._store.change(code, session, "sit", check)

    def stand(self, code: str, session: str) -> None:
        """Give up one's seat and watch."""
        self._store.change(code, session, "stand", lambda room, who: {} if room.seat_of(who) else None)

    def leave(self, code: str, session: str) -> None:
        """Leave the room; the computer plays on, and a facilitator's place is free for anyone with the token."""
        self._store.change(code, session, "leave", lambda room, who: {} if who in room.people or who == room.facilitator else None)

    def claim(self, code: str, session: str, token: str) -> None:
        """Become the facilitator with the facilitator's token."""

        def check(room: Room, who: str) -> dict[str, Any]:
            given = token.strip().upper() if isinstance(token, str) else ""
            self._store.check_guesses(who)
            if not hmac.compare_digest(given.encode("utf-8", "replace"), room.header.token.encode()):
                self._store.guesses.count_wrong(who, given)
                raise Refused("this is not the facilitator's key of this room")
            return {}

        self._store.change(code, session, "claim", check)

    # ------------------------------------------------------------------------------------------------------- playing

    def submit(self, code: str, session: str, quarter: int, step: int, raw: Any) -> None:
        """Hand in the card of one's seat for the quarter and step it was for; see ``read_choices`` for ``raw``."""

        def check(room: Room, who: str) -> dict[str, Any]:
            authority = room.seat_of(who)
            _check_playing(room, quarter, step)
            return {"authority": authority, "choices": room.game.read(authority, raw)}

        self._store.change(code, session, "hand_in", check)

    def take_back(self, code: str, session: str, quarter: int, step: int) -> None:
        """Have one's card again while others are still at theirs."""

        def check(room: Room, who: str) -> dict[str, Any]:
            _check_playing(room, quarter, step)
            return {"authority": room.seat_of(who)}

        self._store.change(code, session, "take_back", check)

    def advance(self, code: str, session: str, quarter: int, step: int) -> None:
        """Begin the game, or end the step under way, named so that a second click does not end the next; see ``may_advance``."""

        def check(room: Room, who: str) -> dict[str, Any]:
            if not may_advance(room, who, self._store.here(room)):
                raise Refused("the facilitator ends the step")
            room.check_position(quarter, step)
            return {}

        self._store.change(code, session, "advance", check)

    # -------------------------------------------------------------------------------------------------- facilitating

    def inject(self, code: str, session: str, raw: Any) -> None:
        """Let something happen: ``{"kind": "grant_cut", "share": 0.3}``; see ``incidents``."""
        self._lead(code, session, "inject", lambda room: read_incident(raw, room.game.scenario)._asdict())

    def free(self, code: str, session: str, authority: str) -> None:
        """Free a seat of somebody who does not come back."""

        def data(room: Room) -> dict[str, Any]:
            if not isinstance(authority, str) or not room.holders(authority):
                raise Refused("nobody sits there")
            return {"authority": authority}

        self._lead(code, session, "free", data)

    def undo(self, code: str, session: str, quarter: int | None = None) -> None:
        """Back to the start of a quarter (counted from 0), if not said otherwise of the one before this."""

        def data(room: Room) -> dict[str, Any]:
            back = max(0, room.game.quarter - 1) if quarter is None else quarter
            if not isinstance(back, int) or isinstance(back, bool):
                raise Refused("a quarter is a whole number")
            return {"quarter": back}

        self._lead(code, session, "undo", data)

    def end(self, code: str, session: str) -> None:
        """End the game before its time; see ``Game.end``."""
        self._lead(code, session, "end", lambda room: {})

    def _lead(self, code: str, session: str, what: str, data: Callable[[Room], dict[str, Any]]) -> None:
        def check(room: Room, who: str) -> dict[str, Any]:
            _check_facilitator(room, who)
            return data(room)

        self._store.change(code, session, what, check)


def _check_playing(room: Room, quarter: Any, step: Any) -> None:
    if room.stage == LOBBY:
        raise Refused("the game has not begun")
    room.check_position(quarter, step)
    if room.stage != PLAYING:
        raise Refused("the game is over")


def _check_facilitator(room: Room, who: str) -> None:
    if who != room.facilitator:
        raise Refused("only the facilitator can do this")
