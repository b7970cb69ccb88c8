"""Rooms: seats, codes, what each session may see, what is refused, restart, many at once."""

import csv
import io
import json
import re
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner
from worlds import write_tiny_world

from cspsim.basics.errors import CspsimError
from cspsim.basics.exports import plain
from cspsim.cli import app
from cspsim.scenario.scenario import Scenario, load_scenario
from cspsim.web.gatekeeper import EntrySecrets, Gatekeeper, drawn_secrets
from cspsim.web.play import shared
from cspsim.web.play.decisions import Refused
from cspsim.web.play.room_store import ALPHABET, RoomLimits, fingerprint
from cspsim.web.play.rooms import DAY, Rooms
from cspsim.web.play.seat_views import View
from cspsim.web.play.storage import Storage, StorageError

FACILITATOR = "session-of-the-facilitator"
SEATS = ("police", "local_authority", "health")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    return load_scenario(write_tiny_world(tmp_path_factory.mktemp("rooms")))


class Clock:
    """A clock that goes on when told."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def rooms(tiny: Scenario, clock: Clock) -> Rooms:
    return new_rooms(tiny, clock=clock)


def new_rooms(tiny: Scenario, path: Path | None = None, **rest: Any) -> Rooms:
    return Rooms(path, ["tiny"], lambda name: {"tiny": tiny}[name], **rest)


def opened(rooms: Rooms, seats: tuple[str, ...] = SEATS, begin: bool = True, **raw: Any) -> str:
    """A room whose seats are taken by sessions called after them."""
    code = rooms.open(FACILITATOR, {"scenario": "tiny", "quarters": 3, **raw})
    for name in seats:
        rooms.join(code, f"session-{name}", name.capitalize())
        rooms.sit(code, f"session-{name}", name)
    if begin:
        rooms.advance(code, FACILITATOR, 0, 0)
    return code


def position(view: View) -> tuple[int, int]:
    return view.quarter, view.step


def refused(words: str, call: Callable[..., Any], *arguments: Any) -> None:
    with pytest.raises(Refused, match=words):
        call(*arguments)


def submit(rooms: Rooms, code: str, name: str, raw: Any) -> None:
    """Hand in the card that the session sees now."""
    view = rooms.view(code, f"session-{name}")
    rooms.submit(code, f"session-{name}", view.quarter, view.step, raw)


# --------------------------------------------------------------------------------------------------- a session as a whole


def test_a_session_from_the_lobby_to_the_end(rooms: Rooms) -> None:
    code = opened(rooms, ("police", "health"), begin=False)
    lobby = rooms.view(code, "session-police")
    assert (lobby.stage, position(lobby), lobby.card, lobby.briefing, lobby.seat) == ("lobby", (0, 0), None, None, "police")
    rooms.advance(code, FACILITATOR, 0, 0)
    at = [position(rooms.view(code, FACILITATOR))]
    while rooms.view(code, FACILITATOR).stage == "playing":
        before = rooms.view(code, FACILITATOR)
        assert set(before.waiting) == {"Police", "Health"}
        submit(rooms, code, "health", {})
        half = rooms.view(code, FACILITATOR)
        assert half.waiting == ("Police",)
        assert [seat.handed_in for seat in half.seats] == [False, False, True]
        submit(rooms, code, "police", {"table": []} if before.step == 1 else {"challenge": {}})
        at.append(position(rooms.view(code, FACILITATOR)))
    assert at == [(0, 1), (0, 2), (1, 1), (1, 2), (2, 1), (2, 2), (3, 0)]
    over = rooms.view(code, "session-police")
    assert (over.stage, over.card, len(over.minutes), over.waiting) == ("over", None, 3, ())
    refused("the game is over|moved on", rooms.submit, code, "session-police", 3, 0, {})
    refused("the game is over|moved on", rooms.advance, code, FACILITATOR, 2, 2)


def test_a_step_ends_by_itself_or_waits_for_the_facilitator(rooms: Rooms) -> None:
    waits = opened(rooms, ("police",), automatic=False)
    submit(rooms, waits, "police", {})
    assert position(rooms.view(waits, FACILITATOR)) == (0, 1)
    rooms.advance(waits, FACILITATOR, 0, 1)
    assert position(rooms.view(waits, FACILITATOR)) == (0, 2)
    goes = opened(rooms, ("police", "health"))
    submit(rooms, goes, "police", {})
    rooms.leave(goes, "session-health")  # nobody is left to wait for
    assert position(rooms.view(goes, FACILITATOR)) == (0, 2)
    rooms.leave(goes, "session-police")
    assert position(rooms.view(goes, FACILITATOR)) == (0, 2)  # nobody plays: only the facilitator goes on
    rooms.advance(goes, FACILITATOR, 0, 2)
    assert position(rooms.view(goes, FACILITATOR)) == (1, 1)


def test_nobody_waits_for_an_empty_card(rooms: Rooms) -> None:
    """The co-ordinator is not asked for hours; with nothing on the table and no review it has nothing to decide."""
    code = opened(rooms, ("local_authority", "police", "health"))
    for name in ("local_authority", "police", "health"):
        submit(rooms, code, name, {"table": []})
    assert rooms.view(code, FACILITATOR).waiting == ("Police", "Health")


# ---------------------------------------------------------------------------------------------------------- codes and seats


def test_codes_and_keys_are_drawn_from_marks_that_nobody_mistakes(tiny: Scenario) -> None:
    rooms = new_rooms(tiny, limits=RoomLimits(rooms=200, rooms_each=200))
    codes = [rooms.open(FACILITATOR, {"scenario": "tiny", "quarters": 1}) for _ in range(60)]
    assert all(re.fullmatch(f"[{ALPHABET}]{{6}}", code) for code in codes)
    assert len(set(codes)) == 60
    assert not set("ILO01") & set(ALPHABET)
    tokens = {rooms.view(code, FACILITATOR).token for code in codes[:3]}
    assert len(tokens) == 3
    assert all(re.fullmatch(f"[{ALPHABET}]{{12}}", token) for token in tokens)
    assert rooms.view(f" {codes[0].lower()} ", FACILITATOR).code == codes[0]
    for wrong in ("", "ABC", codes[0] + "A", None, 3, "x" * 10_000, ["ABCDEF"]):
        refused("there is no room", rooms.view, wrong, FACILITATOR)


def test_a_seat_belongs_to_a_session(rooms: Rooms) -> None:
    code = opened(rooms, ("police",))
    rooms.join(code, "late", "Late")
    refused("this seat is taken", rooms.sit, code, "late", "police")
    refused("no such seat", rooms.sit, code, "late", "fire")
    refused("no such seat", rooms.sit, code, "late", None)
    refused("take a seat first", rooms.submit, code, "late", 0, 1, {})
    refused("join the room first", rooms.sit, code, "stranger", "health")
    rooms.sit(code, "late", "health")  # late join: it plays from the card under way
    assert rooms.view(code, "late").card is not None
    again = rooms.view(code, "session-police")  # a reload
    assert (again.seat, again.name, again.card is not None) == ("police", "Police", True)
    version = again.version
    rooms.sit(code, "session-police", "police")  # a double click
    assert rooms.view(code, "session-police").version == version


def test_who_has_read_a_briefing_plays_that_seat_or_none(rooms: Rooms) -> None:
    code = opened(rooms, ("police",), begin=False)
    rooms.sit(code, "session-police", "health")  # in the lobby nothing has been read
    rooms.advance(code, FACILITATOR, 0, 0)
    refused("you have read the briefing of Health", rooms.sit, code, "session-police", "police")
    rooms.stand(code, "session-police")
    assert rooms.view(code, "session-police").briefing is None
    refused("you have read the briefing of Health", rooms.sit, code, "session-police", "police")
    rooms.sit(code, "session-police", "health")
    refused("only the facilitator", rooms.free, code, "session-police", "health")
    refused("nobody sits there", rooms.free, code, FACILITATOR, "police")
    rooms.free(code, FACILITATOR, "health")
    rooms.sit(code, "session-police", "police")
    assert rooms.view(code, "session-police").seat == "police"


def test_a_seat_may_be_shared_if_the_facilitator_says_so(rooms: Rooms) -> None:
    code = opened(rooms, ("police",), per_seat=2)
    for name in ("second", "third"):
        rooms.join(code, name, name)
    rooms.sit(code, "second", "police")
    refused("this seat is taken", rooms.sit, code, "third", "police")
    assert rooms.view(code, "second").briefing == rooms.view(code, "session-police").briefing
    rooms.advance(code, FACILITATOR, 0, 1)
    rooms.submit(code, "second", 0, 2, {"hours": 0})
    refused("moved on", rooms.submit, code, "session-police", 0, 2, {"hours": 3})


# ------------------------------------------------------------------------------------------------------ stale, double, wrong


def test_stale_and_double_submits_are_refused_and_change_nothing(rooms: Rooms) -> None:
    code = opened(rooms, ("police", "health"))
    refused("moved on", rooms.submit, code, "session-police", 0, 2, {})
    refused("moved on", rooms.submit, code, "session-police", False, True, {})
    rooms.submit(code, "session-police", 0, 1, {"table": ["cctv"]})
    before = rooms.view(code, "session-police")
    refused("handed in already", rooms.submit, code, "session-police", 0, 1, {"table": []})
    assert rooms.view(code, "session-police") == before
    rooms.take_back(code, "session-police", 0, 1)
    refused("no card to take back", rooms.take_back, code, "session-police", 0, 1)
    rooms.submit(code, "session-police", 0, 1, {"table": []})
    rooms.advance(code, FACILITATOR, 0, 1)
    refused("moved on", rooms.advance, code, FACILITATOR, 0, 1)  # a double click on "go on"
    refused("moved on", rooms.take_back, code, "session-police", 0, 1)
    assert position(rooms.view(code, FACILITATOR)) == (0, 2)


def test_before_it_begins_nothing_is_played(rooms: Rooms) -> None:
    code = opened(rooms, ("police",), begin=False)
    refused("the game has not begun", rooms.submit, code, "session-police", 0, 0, {})
    refused("the game has not begun", rooms.end, code, FACILITATOR)
    refused("the game has not begun", rooms.undo, code, FACILITATOR)
    refused("the debrief comes when the game is over", rooms.debrief, code, FACILITATOR)


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from([*SEATS, "cctv", "tiny"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=6) | st.sampled_from(["table", "kind", "scenario"]), inner, max_size=3)
    ),
    max_leaves=6,
)
CALLS = ("join", "sit", "free", "claim", "inject", "undo", "export", "submit", "advance", "take_back", "open", "subscribe", "view", "stand")


@settings(max_examples=150, deadline=None)
@given(name=st.sampled_from(CALLS), junk=st.lists(JUNK, min_size=3, max_size=3), session=st.just("session-police") | JUNK)
def test_whatever_is_asked_is_done_or_refused_in_words(shared_room: tuple[Rooms, str], name: str, junk: list[Any], session: Any) -> None:
    rooms, code = shared_room
    arguments = {
        "open": (session, junk[0]),
        "submit": (code, session, *junk),
        "advance": (code, session, *junk[:2]),
        "take_back": (code, session, *junk[:2]),
        "view": (junk[0], session),
        "stand": (code, session),
    }.get(name, (code, session, junk[0]))
    before, said = rooms.view(code, "session-health"), ""
    try:
        getattr(rooms, name)(*arguments)
    except Refused as refusal:
        said = str(refusal)
    after = rooms.view(code, "session-health")
    assert said.isprintable()
    assert same(before, after) or not said
    assert (after.stage, position(after), after.seat, after.name) == ("playing", (0, 1), "health", "Health")


@pytest.fixture(scope="module")
def shared_room(tiny: Scenario) -> tuple[Rooms, str]:
    rooms = new_rooms(tiny, limits=RoomLimits(entries=100_000, entries_each=100_000))
    return rooms, opened(rooms, ("police", "health"))


def test_names_are_plain_text(rooms: Rooms) -> None:
    code = opened(rooms, ())
    rooms.join(code, "one", "  <img src=x>\u202e\n\x07 ")
    rooms.join(code, "two", " ")
    rooms.sit(code, "one", "police")
    assert rooms.view(code, "one").name == "<img src=x>"
    assert rooms.view(code, "two").name == "Player 2"
    refused("a name may have 40 characters", rooms.join, code, "one", "x" * 41)
    refused("a name is text", rooms.join, code, "one", 3)
    refused("lost its session", rooms.join, code, "", "Nobody")
    refused("choose one of the scenarios", rooms.open, "one", {"scenario": "/etc/passwd"})
    refused("choose one of the scenarios", rooms.open, "one", {"scenario": "baseline"})


# -------------------------------------------------------------------------------------------------------- who sees what


def numbers_in(value: Any) -> set[float]:
    found: set[float] = set()
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        found.update(*(numbers_in(inner) for inner in value))
    elif isinstance(value, float) and value not in (0.0, 1.0):
        found.add(value)
    return found


def private_numbers(view: View) -> set[float]:
    return numbers_in(
        plain(view.briefing._asdict() | {"knows": [k[2:5] for k in view.briefing.knows], "trusts": [t[2] for t in view.briefing.trusts]})
    )  # type: ignore[union-attr]


def test_a_view_holds_nothing_private_to_another(rooms: Rooms) -> None:
    code = opened(rooms)
    rooms.join(code, "watcher", "Watcher")
    for step in (1, 2):
        views = {name: rooms.view(code, f"session-{name}") for name in SEATS}
        others = {name: rooms.view(code, name) for name in ("watcher", "stranger", FACILITATOR)}
        for name, view in views.items():
            assert (view.seat, view.card.authority, view.briefing.authority) == (name, name, name)  # type: ignore[union-attr]
            secrets = private_numbers(view) - {number for other in SEATS if other != name for number in private_numbers(views[other])}
            assert len(secrets) > 8
            for other, seen in (views | others).items():
                shown = {number for value in seen._asdict().values() for number in numbers_in(plain(value))}
                assert (shown & secrets == secrets) == (other == name), f"{other} sees what {name} knows"
                if other != name:
                    assert not shown & secrets
        for view in others.values():
            assert (view.card, view.briefing, view.handed_in) == (None, None, None)
        submit(rooms, code, "police", {} if step == 2 else {"table": ["cctv"]})
        assert rooms.view(code, "session-police").handed_in is not None
        assert rooms.view(code, "session-health").handed_in is None
        rooms.advance(code, FACILITATOR, 0, step)


def test_sessions_and_the_facilitators_key_stay_where_they_are(rooms: Rooms) -> None:
    code = opened(rooms)
    token = rooms.view(code, FACILITATOR).token
    submit(rooms, code, "police", {})
    sessions = [FACILITATOR, *(f"session-{name}" for name in SEATS)]
    for session in (*sessions, "stranger"):
        seen = json.dumps(plain(rooms.view(code, session)._asdict()))
        assert (token in seen) == (session == FACILITATOR)
        assert not [other for other in sessions if other in seen or fingerprint(other) in seen]
    for kind in ("csv", "json"):
        log = rooms.export(code, FACILITATOR, kind)
        assert not [secret for secret in (token, *sessions, *map(fingerprint, sessions)) if secret in log]


# ------------------------------------------------------------------------------------------------------------ facilitating


def test_a_facilitator_who_leaves_does_not_end_the_session(rooms: Rooms, clock: Clock) -> None:
    code = opened(rooms, ("police", "health"))
    token = rooms.view(code, FACILITATOR).token
    rooms.join(code, "watcher", "Watcher")
    assert not rooms.view(code, "session-police").may_advance
    refused("the facilitator ends the step", rooms.advance, code, "session-police", 0, 1)
    clock.now += 61  # the facilitator's page is gone
    assert not rooms.view(code, "session-police").facilitator_here
    refused("the facilitator ends the step", rooms.advance, code, "watcher", 0, 1)
    rooms.advance(code, "session-police", 0, 1)
    assert position(rooms.view(code, "session-police")) == (0, 2)
    for wrong in ("", token[:-1], None, "A" * 12, "ÄÖÜ"):
        refused("not the facilitator's key", rooms.claim, code, "watcher", wrong)
    rooms.leave(code, FACILITATOR)
    assert rooms.view(code, FACILITATOR).token == ""
    rooms.claim(code, "watcher", f" {token.lower()} ")
    assert rooms.view(code, "watcher").token == token
    rooms.advance(code, "watcher", 0, 2)
    refused("only the facilitator", rooms.undo, code, FACILITATOR)


def test_an_open_page_is_presence(rooms: Rooms, clock: Clock) -> None:
    code = opened(rooms, ("police",))
    told: list[int] = []
    end = rooms.subscribe(code, FACILITATOR, told.append)
    clock.now += 1000
    assert rooms.view(code, "session-police").facilitator_here
    end()
    end()
    assert not rooms.view(code, "session-police").facilitator_here
    assert rooms.view(code, "session-police").seats[0].here
    before = len(told)
    rooms.join(code, "one", "One")
    assert len(told) == before


def test_incidents_undo_and_end(rooms: Rooms) -> None:
    code = opened(rooms, ("police",), quarters=4)
    for step in (1, 2):
        rooms.advance(code, FACILITATOR, 0, step)
    rooms.inject(code, FACILITATOR, {"kind": "reorganisation", "authority": "health"})
    for call, raw in ((rooms.inject, {"kind": "grant_cut", "share": 0.3}), (rooms.undo, None), (rooms.free, "police")):
        refused("only the facilitator", call, code, "session-police", raw)
    refused("only the facilitator", rooms.end, code, "session-police")
    assert rooms.view(code, "session-police").told == ("Health is reorganised in August 2010: whoever sits at a table for it is replaced.",)
    rooms.advance(code, FACILITATOR, 1, 1)
    rooms.undo(code, FACILITATOR, 1)
    undone = rooms.view(code, "session-police")
    assert (position(undone), undone.told, len(undone.minutes)) == ((1, 1), (), 1)
    rooms.undo(code, FACILITATOR)
    assert position(rooms.view(code, "session-police")) == (0, 1)
    refused("go back to quarters 1 to 1", rooms.undo, code, FACILITATOR, 3)
    rooms.end(code, FACILITATOR)
    assert rooms.view(code, "session-police").stage == "over"
    rooms.undo(code, FACILITATOR, 0)
    assert position(rooms.view(code, "session-police")) == (0, 1)


# --------------------------------------------------------------------------------------------------- restart, limits, export


def played(rooms: Rooms) -> str:
    """A session with a bit of everything in it."""
    code = opened(rooms)
    submit(rooms, code, "police", {"table": ["cctv"]})
    submit(rooms, code, "health", {"table": []})
    submit(rooms, code, "local_authority", {})
    rooms.inject(code, FACILITATOR, {"kind": "serious_incident", "crime_type": "violence", "share": 0.4, "months": 5})
    rooms.advance(code, FACILITATOR, 0, 2)
    rooms.undo(code, FACILITATOR, 0)
    submit(rooms, code, "health", {"table": ["cctv"]})
    rooms.advance(code, FACILITATOR, 0, 1)
    rooms.inject(code, FACILITATOR, {"kind": "grant_cut", "share": 0.4})
    item = rooms.view(code, "session-police").card.challenge[0]  # type: ignore[union-attr]
    submit(rooms, code, "police", {"challenge": {item.intervention: "=1+1 is not a reason"}, "hours": 3})
    return code


def same(one: View, other: View) -> bool:
    """Whether two views say the same, versions and who is present apart."""
    apart = {"version": 0, "facilitator_here": False, "may_advance": False}
    seats = [tuple(seat._replace(here=False) for seat in view.seats) for view in (one, other)]
    return one._replace(seats=seats[0], **apart) == other._replace(seats=seats[1], **apart)


def test_a_room_goes_on_after_a_restart(tiny: Scenario, tmp_path: Path) -> None:
    path = tmp_path / "rooms" / "play.sqlite"
    rooms = new_rooms(tiny, path)
    code, other = played(rooms), opened(rooms, ("health",), partnership="outer")
    sessions = (FACILITATOR, "stranger", *(f"session-{name}" for name in SEATS))
    before = {(room, session): rooms.view(room, session) for room in (code, other) for session in sessions}
    again = new_rooms(tiny, path)  # as after a crash: nothing was closed
    for (room, session), view in before.items():
        assert same(view, again.view(room, session))
    submit(again, code, "health", {})
    assert again.view(code, "session-health").handed_in == ()
    assert same(new_rooms(tiny, path).view(code, "session-health"), again.view(code, "session-health"))
    assert path.stat().st_mode & 0o077 == 0
    assert [file.name for file in path.parent.iterdir()] == ["play.sqlite"]
    kept = path.read_bytes()
    assert not [session for session in sessions if session.encode() in kept]


def test_a_change_that_cannot_be_kept_has_not_happened(tiny: Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rooms = new_rooms(tiny, tmp_path / "play.sqlite")
    code = opened(rooms, ("police",))
    before = rooms.view(code, "session-police")
    with monkeypatch.context() as broken:
        broken.setattr(Storage, "add", lambda *_: (_ for _ in ()).throw(StorageError("the disk is full")))
        with pytest.raises(StorageError):
            submit(rooms, code, "police", {"table": []})
    assert same(rooms.view(code, "session-police"), before)
    submit(rooms, code, "police", {"table": ["cctv"]})
    assert position(rooms.view(code, "session-police")) == (0, 2)
    assert same(new_rooms(tiny, tmp_path / "play.sqlite").view(code, "session-police"), rooms.view(code, "session-police"))


def test_a_file_that_is_none_is_refused(tiny: Scenario, tmp_path: Path) -> None:
    (tmp_path / "text.sqlite").write_text("not a database, but long enough to look like one " * 50)
    newer = sqlite3.connect(tmp_path / "newer.sqlite")
    newer.execute("PRAGMA user_version = 99")
    newer.close()
    for name, words in (("text.sqlite", "cannot be used"), ("newer.sqlite", "format 99"), (".", "cannot be used")):
        with pytest.raises(CspsimError, match=words):
            new_rooms(tiny, tmp_path / name)


def test_a_room_whose_scenario_has_changed_does_not_go_on(tiny: Scenario, tmp_path: Path) -> None:
    code = opened(new_rooms(tiny, tmp_path / "play.sqlite"))
    changed = tiny.with_changes({"levers.grant.multiplier": 0.9})
    elsewhere = new_rooms(changed, tmp_path / "play.sqlite")
    refused("has changed since", elsewhere.view, code, FACILITATOR)
    refused("only the facilitator", elsewhere.close_room, code, "session-police")
    assert new_rooms(tiny, tmp_path / "play.sqlite").view(code, FACILITATOR).stage == "playing"
    elsewhere.close_room(code, FACILITATOR)
    refused("there is no room", new_rooms(tiny, tmp_path / "play.sqlite").view, code, FACILITATOR)


def test_rooms_that_nobody_has_come_into_give_way_when_all_are_taken(tiny: Scenario, clock: Clock) -> None:
    rooms = new_rooms(tiny, limits=RoomLimits(rooms=2, rooms_each=2, deserted_after=100), clock=clock)
    deserted = rooms.open("greedy", {"scenario": "tiny"})
    used = opened(rooms, ("police",))
    refused("all 2 rooms", rooms.open, "third", {"scenario": "tiny"})
    clock.now += 101
    assert rooms.open("third", {"scenario": "tiny"})
    refused("there is no room", rooms.view, deserted, "greedy")
    assert rooms.view(used, FACILITATOR).stage == "playing"


def test_rooms_of_made_up_visitors_give_way_within_the_hour_and_games_do_not(tiny: Scenario, clock: Clock) -> None:
    rooms = new_rooms(tiny, clock=clock)
    real = opened(rooms, ("police",))
    rooms.submit(real, "session-police", 0, 1, {})
    made_up = []
    for number in range(39):
        code = rooms.open(f"visitor-{number // 5}", {"scenario": "tiny"})
        rooms.join(code, f"visitor-{number // 5}", "X")
        rooms.sit(code, f"visitor-{number // 5}", "police")
        rooms.advance(code, f"visitor-{number // 5}", 0, 0)
        made_up.append(code)
    end = rooms.subscribe(made_up[0], "visitor-0", lambda _: None)
    refused("all 40 rooms", rooms.open, "teacher", {"scenario": "tiny"})
    clock.now += 3599
    refused("all 40 rooms", rooms.open, "teacher", {"scenario": "tiny"})
    clock.now += 2
    assert rooms.open("teacher", {"scenario": "tiny"})
    refused("there is no room", rooms.view, made_up[1], "visitor-0")  # the one left alone longest; nobody is in it
    assert rooms.view(made_up[0], "visitor-0").stage == "playing"  # its page is open
    assert rooms.view(made_up[2], "visitor-0").stage == "playing"  # one place was wanted, one gave way
    assert rooms.view(real, FACILITATOR).stage == "playing"
    end()


def test_one_machine_cannot_hold_all_rooms_with_visitors_it_makes_up(tiny: Scenario) -> None:
    keeper = Gatekeeper(drawn_secrets())
    rooms = new_rooms(tiny)

    def visitor(address: str) -> str:
        return keeper.visitor_of(keeper.new_cookie(address))

    for _ in range(RoomLimits().rooms_each_machine):
        rooms.open(visitor("10.0.0.1"), {"scenario": "tiny"})
    refused("20 rooms were opened from this machine or network", rooms.open, visitor("10.0.0.1"), {"scenario": "tiny"})
    assert rooms.open(visitor("10.0.0.2"), {"scenario": "tiny"})


def test_codes_of_rooms_cannot_be_guessed(tiny: Scenario, clock: Clock) -> None:
    rooms = new_rooms(tiny, limits=RoomLimits(guesses_each=3, guesses_by_all=5), clock=clock)
    code = opened(rooms, ("police",))
    for _ in range(9):  # a page that is drawn anew
        refused("there is no room", rooms.view, "AAAAAA", "guesser")
    for wrong in ("AAAAAB", "AAAAAC"):
        refused("there is no room", rooms.join, wrong, "guesser", "X")
    for call in (rooms.view, rooms.export, rooms.debrief, rooms.close_room, rooms.leave, rooms.claim, rooms.join):
        rest = {rooms.export: ("csv",), rooms.claim: ("K",), rooms.join: ("X",)}.get(call, ())
        refused("too many wrong codes", call, code, "guesser", *rest)
    assert rooms.view(code, "guest").stage == "playing"
    for wrong in ("AAAAAD", "AAAAAE"):
        refused("there is no room", rooms.view, wrong, "other-guesser")
    refused("too many wrong codes", rooms.view, code, "newcomer")  # of all together
    assert rooms.view(code, "session-police").name == "Police"  # those who are in stay in
    clock.now += 301
    rooms.join(code, "guesser", "X")
    for wrong in ("K1", "K2", "K3"):
        refused("not the facilitator's key", rooms.claim, code, "guesser", wrong)
    refused("too many wrong codes", rooms.claim, code, "guesser", rooms.view(code, FACILITATOR).token)


def test_pages_of_a_room_that_was_closed_are_no_guessers(tiny: Scenario) -> None:
    rooms = new_rooms(tiny, limits=RoomLimits(guesses_each=3, guesses_by_all=3))
    code, other = opened(rooms), opened(rooms)
    rooms.close_room(code, FACILITATOR)
    for number in range(9):
        refused("there is no room", rooms.view, code, f"player-{number}")
    assert rooms.view(other, "newcomer").stage == "playing"


def test_links_and_cookies_hold_over_a_restart_while_there_are_rooms(tiny: Scenario, tmp_path: Path) -> None:
    def kept(renewed: bool = False, opens: bool = False) -> EntrySecrets:
        rooms = new_rooms(tiny, tmp_path / "rooms.sqlite")
        found = rooms.entry_secrets(renewed)
        if opens:
            rooms.open("somebody", {"scenario": "tiny"})
        rooms.close()
        return found

    empty, before = kept(), kept(opens=True)
    assert before != empty
    assert kept() == before
    cookie = Gatekeeper(before).new_cookie("10.0.0.1")
    assert Gatekeeper(kept()).visitor_of(cookie)
    assert not Gatekeeper(kept(renewed=True)).visitor_of(cookie)


def kept_file(tiny: Scenario, path: Path, clock: Clock) -> list[str]:
    """A file with two rooms, the second ten days later."""
    rooms = new_rooms(tiny, path, limits=RoomLimits(lives=30 * DAY), clock=clock)
    first = opened(rooms, ("police",))
    clock.now += 10 * DAY
    second = rooms.open("another", {"scenario": "tiny"})
    rooms.join(second, "another", "Zebedee-of-the-Second")
    rooms.close()
    return [first, second]


def test_the_owner_of_a_file_sees_whose_names_it_holds_and_deletes_them(tiny: Scenario, tmp_path: Path) -> None:
    path, clock = tmp_path / "course.sqlite", Clock()
    clock.now = time.time() - 11 * DAY
    first, second = kept_file(tiny, path, clock)
    run = CliRunner()
    told = json.loads(run.invoke(app, ["rooms", "--rooms", str(path), "--json"]).output)
    assert [(one["code"], one["people"]) for one in told["rooms"]] == [(second, ["Zebedee-of-the-Second"]), (first, ["Police"])]
    wrong = run.invoke(app, ["rooms", "--rooms", str(path), "--delete", f"{first[:5]}0", "--delete", second])
    assert wrong.exit_code == 2
    assert f"did you mean {first}?" in wrong.output
    assert b"Zebedee" in path.read_bytes()
    done = run.invoke(app, ["rooms", "--rooms", str(path), "--delete", second.lower()])
    assert f"Deleted {second} from" in done.output
    assert b"Zebedee" not in path.read_bytes()
    assert first in done.output
    assert "Deleted nothing" in run.invoke(app, ["rooms", "--rooms", str(path), "--older-than", "12"]).output
    assert f"Deleted {first}" in run.invoke(app, ["rooms", "--rooms", str(path), "--older-than", "10.5"]).output
    assert new_rooms(tiny, path).mine(FACILITATOR) == []


def test_the_usual_file_is_meant_if_none_is_named_and_a_server_that_runs_is_not_robbed(
    tiny: Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared, "usual_file", lambda: tmp_path / "rooms.sqlite")
    run = CliRunner()
    assert json.loads(run.invoke(app, ["rooms", "--json"]).output)["rooms"] == []
    assert not (tmp_path / "rooms.sqlite").exists()
    assert run.invoke(app, ["rooms", "--rooms", str(tmp_path / "none")]).exit_code == 2
    codes = kept_file(tiny, tmp_path / "rooms.sqlite", Clock())
    guard = shared.guard_of(tmp_path / "rooms.sqlite")
    refused_now = run.invoke(app, ["rooms", "--delete-all"])
    assert refused_now.exit_code == 2
    assert "end it first" in refused_now.output
    guard.close()
    assert all(code in run.invoke(app, ["rooms"]).output for code in codes)
    assert json.loads(run.invoke(app, ["rooms", "--delete-all", "--json"]).output)["rooms"] == []


def test_what_is_past_its_time_leaves_the_file_without_anybody_asking(
    tiny: Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared, "SWEEPS_EVERY", 0.01)
    monkeypatch.setattr(shared, "known_names", lambda: ["tiny"])
    monkeypatch.setattr(shared, "scenario_of", lambda name: tiny)
    path = tmp_path / "rooms.sqlite"
    shared.keep_in(path, days=0.5 / DAY)
    try:
        code = shared.the_rooms().open("somebody", {"scenario": "tiny"})
        shared.the_rooms().join(code, "somebody", "Zebedee")
        assert b"Zebedee" in path.read_bytes()
        ends = time.monotonic() + 20
        while b"Zebedee" in path.read_bytes():
            assert time.monotonic() < ends
            time.sleep(0.05)
    finally:
        shared.close_rooms()


def test_rooms_are_few_and_do_not_live_for_ever(tiny: Scenario, clock: Clock, tmp_path: Path) -> None:
    limits = RoomLimits(rooms=3, rooms_each=2, people=2, lives=1000)
    rooms = new_rooms(tiny, tmp_path / "play.sqlite", limits=limits, clock=clock)
    codes = [opened(rooms, ()) for _ in range(2)]
    refused("you have 2 rooms already", opened, rooms, ())
    other = rooms.open("another", {"scenario": "tiny", "quarters": 1})
    refused("all 3 rooms", rooms.open, "third", {"scenario": "tiny"})
    for name in ("one", "two"):
        rooms.join(codes[0], name, name)
    refused("this room is full", rooms.join, codes[0], "three", "Three")
    refused("only the facilitator", rooms.close_room, other, FACILITATOR)
    rooms.close_room(other, "another")
    refused("there is no room", rooms.view, other, "another")
    clock.now += 600
    rooms.join(codes[0], "one", "Still here")
    clock.now += 600
    refused("has been closed", rooms.view, codes[1], FACILITATOR)
    rooms.sweep()
    refused("there is no room", rooms.view, codes[1], FACILITATOR)
    assert rooms.view(codes[0], "one").name == "Still here"
    assert len(Storage(tmp_path / "play.sqlite").rooms()) == 1


def test_a_room_that_nobody_looks_at_rests_and_wakes_as_it_was(rooms: Rooms, clock: Clock) -> None:
    code = played(rooms)
    before = rooms.view(code, "session-police")
    room = rooms._store._rooms[code]
    clock.now += 601
    end = rooms.subscribe(code, "session-police", lambda version: None)
    clock.now += 601
    rooms.sweep()
    assert room.game is not None
    end()
    clock.now += 601
    rooms.sweep()
    with pytest.raises(RuntimeError):
        _ = room.game
    assert same(rooms.view(code, "session-police"), before)


def test_too_much_is_too_much(tiny: Scenario) -> None:
    rooms = new_rooms(tiny, limits=RoomLimits(entries_each=5))
    code = opened(rooms, ("police",))
    for number in range(3):
        rooms.join(code, "session-police", f"Name {number}")
    refused("too much has happened", rooms.join, code, "session-police", "Name 9")
    assert rooms.view(code, "session-police").name == "Name 2"


def test_the_log_is_for_people_and_spreadsheets(rooms: Rooms) -> None:
    code = played(rooms)
    refused("the facilitator's until", rooms.export, code, "session-police", "csv")
    refused("json or csv", rooms.export, code, FACILITATOR, "../x")
    rows = list(csv.DictReader(io.StringIO(rooms.export(code, FACILITATOR, "csv"))))
    assert [row["what"] for row in rows[:3]] == ["join", "sit", "join"]
    said = [row for row in rows if row["point"] == "challenge" and row["reason"]]
    assert said[0]["reason"] == "'=1+1 is not a reason"
    assert (said[0]["authority"], said[0]["name"], said[0]["undone"]) == ("police", "Police", "")
    tabled = [row for row in rows if row["point"] == "table"]
    assert [row["undone"] for row in tabled if row["authority"] == "police"] == ["yes"] * len(
        [r for r in tabled if r["authority"] == "police"]
    )
    assert {row["undone"] for row in tabled if row["authority"] == "health"} == {"yes", ""}
    whole = json.loads(rooms.export(code, FACILITATOR, "json"))
    assert whole["settings"]["scenario"] == "tiny"
    assert len(whole["log"]) == len(rows)
    assert whole["told"][0].startswith("The Home Office cuts every grant by 40")
    rooms.end(code, FACILITATOR)
    assert rooms.export(code, "session-police", "csv")
    refused("until the game is over", rooms.export, code, "stranger", "csv")


def test_the_debrief_is_for_everybody_in_the_room_and_made_once(rooms: Rooms) -> None:
    code = opened(rooms, ("police",), quarters=1)
    submit(rooms, code, "police", {"table": []})
    refused("when the game is over", rooms.debrief, code, "session-police")
    rooms.advance(code, FACILITATOR, 0, 2)
    ticks: list[tuple[int, int]] = []
    made = rooms.debrief(code, "session-police", lambda done, total: ticks.append((done, total)))
    assert ticks[-1][0] == ticks[-1][1] == len(ticks)
    assert made.decisions[0].authority == "police"
    assert rooms.debrief(code, FACILITATOR, lambda done, total: ticks.clear()) is made
    assert ticks
    refused("join the room first", rooms.debrief, code, "stranger")


# ---------------------------------------------------------------------------------------------------------- many at once


def test_a_subscriber_that_fails_does_not_keep_others_from_being_told(rooms: Rooms) -> None:
    code = opened(rooms, ("police",))
    told: list[View] = []

    def fails(version: int) -> None:
        raise RuntimeError("the page has gone")

    rooms.subscribe(code, "gone", fails)
    rooms.subscribe(code, "looks", lambda version: told.append(rooms.view(code, "looks")))  # looking from a callback is fine
    submit(rooms, code, "police", {})
    submit(rooms, code, "police", {})
    assert position(told[-1]) == (1, 1)
    assert len(rooms._store._rooms[code].subscribers) == 1


def test_twelve_players_and_twenty_watchers_miss_nothing(tiny: Scenario) -> None:
    """Three seats of four people each; all hand in at once in every step: one answer for a seat counts, the others are refused."""
    rooms = new_rooms(tiny)
    code = opened(rooms, (), begin=False, quarters=3, per_seat=4)
    elsewhere = opened(rooms, ("police",), quarters=1)
    players = [(f"player-{k}", SEATS[k % 3]) for k in range(12)]
    latest = [0] * 20
    seen: list[set[tuple[int, int]]] = [set() for _ in range(20)]

    def follow(k: int) -> Callable[[int], None]:
        def callback(version: int) -> None:
            latest[k] = max(latest[k], version)
            seen[k].add(position(rooms.view(code, f"watcher-{k}")))

        return callback

    ends = [rooms.subscribe(code, f"watcher-{k}", follow(k)) for k in range(20)]
    accepted: list[tuple[str, tuple[int, int]]] = []
    said: list[str] = []
    begun = threading.Barrier(12)

    def person(session: str, seat: str) -> None:
        rooms.join(code, session, session)
        rooms.sit(code, session, seat)
        begun.wait(timeout=60)
        if session == "player-0":
            rooms.advance(code, FACILITATOR, 0, 0)
        while (view := rooms.view(code, session)).stage != "over":
            if view.stage == "lobby" or view.card is None or view.card.empty or view.handed_in is not None:
                rooms.view(elsewhere, "session-police")
                continue
            try:
                rooms.submit(code, session, view.quarter, view.step, {"table": []} if view.step == 1 else {})
                accepted.append((seat, position(view)))
            except Refused as refusal:
                said.append(str(refusal))

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda player: person(*player), players))
    final = rooms.view(code, FACILITATOR)
    assert (final.stage, len(final.minutes)) == ("over", 3)
    assert len(accepted) == len(set(accepted))
    assert all(re.search("moved on|handed in already|the game is over", refusal) for refusal in said)
    assert {one for _, one in accepted} == {(quarter, step) for quarter in range(3) for step in (1, 2)}
    assert set(latest) == {final.version}
    assert all((3, 0) in positions for positions in seen)
    for end in ends:
        end()
    assert not rooms._store._rooms[code].subscribers
