"""One room: who is in it, who sits where, and its game. A room is its log: the same entries make the same room again."""

from collections.abc import Callable, Mapping
from threading import Lock, RLock
from typing import Any, NamedTuple

from cspsim.scenario.scenario import Scenario
from cspsim.web.play.debrief import Debrief
from cspsim.web.play.decisions import Choice, Refused
from cspsim.web.play.game import Game
from cspsim.web.play.incidents import Incident
from cspsim.web.play.settings import Settings

LOBBY, PLAYING, OVER = "lobby", "playing", "over"


class LogEntry(NamedTuple):
    """One thing that happened in a room. ``who`` is never a session id, but what ``rooms.fingerprint`` makes of one."""

    at: float
    what: str
    who: str
    data: dict[str, Any]


class Person(NamedTuple):
    """Somebody in a room; ``seat`` is an authority, empty for a watcher.

    ``briefed`` is the authority whose private briefing they have seen: they play that one or none, unless they are freed.
    """

    name: str
    seat: str = ""
    briefed: str = ""
    left: bool = False


class RoomHeader(NamedTuple):
    """What a room is opened with. ``digest`` is that of the scenario, which must not have changed when the room goes on."""

    code: str
    token: str
    opened: float
    opened_by: str
    settings: Settings
    digest: str
    machine: str = ""  # the mark of the machine it was opened from, never its address


class Room:
    """A room whose game is made when it is needed and may be dropped when nobody looks.

    Attributes:
        lock: held while the room is read or changed.
        version: counts changes; subscribers are told of each.
        people: by fingerprint, in the order in which they came.
        facilitator: fingerprint, empty when nobody facilitates.
        log: every change so far.
        subscribers: fingerprint and callback of every open page; ``seen``: when somebody without one was last heard of.
    """

    def __init__(self, header: RoomHeader, load: Callable[[str], Scenario], log: list[LogEntry] | None = None) -> None:
        self.header = header
        self.log: list[LogEntry] = log or []
        self.lock = RLock()
        self.version = len(self.log)
        self.subscribers: dict[int, tuple[str, Callable[[int], None]]] = {}
        self.seen: dict[str, float] = {}
        self.looked_at = 0.0
        self.debriefing = Lock()
        self.debriefed: tuple[int, Debrief] | None = None
        self._load = load
        self._game: Game | None = None
        self._clear()

    def _clear(self) -> None:
        self.people: dict[str, Person] = {}
        self.facilitator = self.header.opened_by
        self.stage = LOBBY

    @property
    def game(self) -> Game:
        """The game of a room that is awake."""
        if self._game is None:
            raise RuntimeError("the room is asleep")
        return self._game

    @property
    def led_by(self) -> str:
        """The facilitator's fingerprint as the log has it, also of a room that cannot be woken."""
        found = self.header.opened_by
        for entry in self.log:
            if entry.what == "claim":
                found = entry.who
            elif entry.what == "leave" and entry.who == found:
                found = ""
        return found

    @property
    def changed(self) -> float:
        """When the room changed last."""
        return self.log[-1].at if self.log else self.header.opened

    @property
    def played(self) -> bool:
        """Whether somebody has handed in a card: until then there is nothing to lose."""
        return any(entry.what == "hand_in" for entry in self.log)

    def concerns(self, who: str) -> bool:
        """Whether somebody has opened this room, come into it, or just looked at it: they know its code."""
        if who == self.header.opened_by or who in self.people or who in self.seen or self.watched_by(who):
            return True
        return any(entry.who == who for entry in self.log)

    @property
    def undone(self) -> int:
        """How often the game was undone: nothing else leads out of a game that is over, so a debrief holds until then."""
        return len([entry for entry in self.log if entry.what == "undo"])

    @property
    def position(self) -> tuple[int, int]:
        """Quarter and step that every answer must name; (0, 0) in the lobby, step 0 once the game is over."""
        return (self.game.quarter, self.game.step if self.stage == PLAYING else 0) if self.stage != LOBBY else (0, 0)

    def wake(self) -> None:
        """Make the game again from the log. Raises Refused if its scenario is not what it was."""
        if self._game is not None:
            return
        scenario = self._load(self.header.settings.scenario)
        if scenario.digest != self.header.digest:
            raise Refused(f"this session cannot go on: its scenario {self.header.settings.scenario!r} has changed since it was opened")
        self._clear()
        self._game = Game(scenario, self.header.settings)
        try:
            for entry in self.log:
                self.apply(entry)
        except Exception as error:
            self._game = None
            raise Refused(f"this session cannot go on: its log cannot be played again ({error})") from error

    def rest(self) -> None:
        """Drop the game until somebody needs it."""
        self._game = None

    def watched_by(self, who: str) -> bool:
        """Whether a page of somebody is open."""
        return any(other == who for other, _ in list(self.subscribers.values()))

    def replica(self) -> "Room":
        """The same room again, with a game of its own."""
        other = Room(self.header, self._load, list(self.log))
        other.wake()
        return other

    def apply(self, entry: LogEntry) -> None:
        """Let an entry happen. Raises Refused, with nothing changed, for one that cannot."""
        happen: Mapping[str, Callable[[str, dict[str, Any]], None]] = {
            "join": self._join,
            "sit": self._sit,
            "stand": self._stand,
            "leave": self._leave,
            "free": self._free,
            "claim": self._claim,
            "hand_in": self._hand_in,
            "take_back": self._take_back,
            "advance": self._advance,
            "inject": self._inject,
            "undo": self._undo,
            "end": self._end,
        }
        happen[entry.what](entry.who, entry.data)

    def check_position(self, quarter: Any, step: Any) -> None:
        """Refuse what was meant for another quarter or step."""
        if (quarter, step) != self.position or isinstance(quarter, bool) or isinstance(step, bool):
            raise Refused("this was for a step that is over: the table has moved on")

    def seat_of(self, who: str) -> str:
        """The authority somebody plays. Raises Refused for a watcher."""
        person = self.people.get(who)
        if person is None or not person.seat:
            raise Refused("take a seat first")
        return person.seat

    def holders(self, authority: str) -> list[str]:
        """Fingerprints of those who share a seat."""
        return [who for who, person in self.people.items() if person.seat == authority]

    def taken(self) -> list[str]:
        """Authorities that people play."""
        return [name for name in self.game.course.desk.players if self.holders(name)]

    def waiting(self) -> list[str]:
        """Authorities played by people who have something to decide and have not handed in."""
        return self.game.waiting(self.taken()) if self.stage == PLAYING else []

    def _join(self, who: str, data: dict[str, Any]) -> None:
        person = self.people.get(who, Person(data["name"]))
        self.people[who] = person._replace(name=data["name"], left=False)

    def _sit(self, who: str, data: dict[str, Any]) -> None:
        authority = data["authority"]
        if authority not in self.game.course.desk.players:
            raise Refused("there is no such seat at this table")
        if len([other for other in self.holders(authority) if other != who]) >= self.header.settings.per_seat:
            raise Refused("this seat is taken: choose another one, or watch")
        person = self.people[who]
        if person.briefed not in ("", authority):
            raise Refused(f"you have read the briefing of {self.game.titles[person.briefed]}: ask the facilitator to free you first")
        self.people[who] = person._replace(seat=authority, briefed=authority if self.stage != LOBBY else "")
        self._go_on_if_all_are_in()

    def _stand(self, who: str, data: dict[str, Any]) -> None:
        self.people[who] = self.people[who]._replace(seat="")
        self._go_on_if_all_are_in()

    def _leave(self, who: str, data: dict[str, Any]) -> None:
        if who == self.facilitator:
            self.facilitator = ""
        if who in self.people:
            self.people[who] = self.people[who]._replace(seat="", left=True)
        self._go_on_if_all_are_in()

    def _free(self, who: str, data: dict[str, Any]) -> None:
        for holder in self.holders(data["authority"]):
            self.people[holder] = self.people[holder]._replace(seat="", briefed="")
        self._go_on_if_all_are_in()

    def _claim(self, who: str, data: dict[str, Any]) -> None:
        self.facilitator = who

    def _hand_in(self, who: str, data: dict[str, Any]) -> None:
        self.game.hand_in(data["authority"], [Choice(*choice) for choice in data["choices"]])
        self._go_on_if_all_are_in()

    def _take_back(self, who: str, data: dict[str, Any]) -> None:
        self.game.take_back(data["authority"])

    def _advance(self, who: str, data: dict[str, Any]) -> None:
        if self.stage == OVER:
            raise Refused("the game is over")
        if self.stage == LOBBY:
            self.stage = PLAYING
            self.people = {who: person._replace(briefed=person.seat) for who, person in self.people.items()}
        else:
            self._go_on()

    def _go_on(self) -> None:
        self.game.advance()
        if self.game.over:
            self.stage = OVER

    def _go_on_if_all_are_in(self) -> None:
        """The step ends by itself once everybody who plays has handed in, if the room is set so."""
        if self.stage == PLAYING and self.header.settings.automatic and self.game.handed_in and self.taken() and not self.waiting():
            self._go_on()

    def _inject(self, who: str, data: dict[str, Any]) -> None:
        self.game.inject(Incident(**data))

    def _undo(self, who: str, data: dict[str, Any]) -> None:
        if self.stage == LOBBY:
            raise Refused("the game has not begun")
        self.game.undo(data["quarter"])
        self.stage = OVER if self.game.over else PLAYING

    def _end(self, who: str, data: dict[str, Any]) -> None:
        if self.stage == LOBBY:
            raise Refused("the game has not begun")
        self.game.end()
        self.stage = OVER
