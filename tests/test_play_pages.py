"""Pages of Play without a browser: what each visitor reads, what a browser may send, news, presence, and the debrief's thread."""

import json
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from play_visitor import Visitor
from worlds import write_tiny_world

from cspsim.running.outcomes import OUTCOMES
from cspsim.web import reach, server
from cspsim.web import shown_scenarios as scenarios
from cspsim.web.play import debrief_charts, debrief_words, shared
from cspsim.web.play.debrief import BeliefLine, Debrief, Mattered, OtherLuck, OutcomeCompared
from cspsim.web.play.debriefs import Debriefs
from cspsim.web.play.decision_card_page import card_as_data, choice_words
from cspsim.web.play.decisions import REASONS, AuthorityCard, Refused, ToTable, read_choices
from cspsim.web.play.door import Door, Said, room_news
from cspsim.web.play.open_form import as_wanted, fitted, usual
from cspsim.web.play.play_words import effect, sentence, span, trust_words, view_words, waiting_words
from cspsim.web.play.presence import GONE_AFTER, Presence, Watch
from cspsim.web.play.rooms import Rooms
from cspsim.web.play.storage import StorageError

HOSTILE = "<img src=x onerror=alert(1)>{{7*7}}"
MINUS = "\N{MINUS SIGN}"
FACILITATOR = "session-of-the-facilitator"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A user's own small scenario beside the shipped ones, and rooms that are kept nowhere."""
    file = write_tiny_world(tmp_path_factory.mktemp("pages"))
    (name,) = scenarios.add_scenarios([str(file)])
    shared.keep_in(None)
    yield name
    shared.close_rooms()
    scenarios.forget_scenarios()


@pytest.fixture
def rooms(tiny: str) -> Rooms:
    shared.keep_in(None)
    return shared.the_rooms()


def opened(rooms: Rooms, tiny: str, seats: tuple[str, ...] = ("police", "health"), begin: bool = True, **raw: Any) -> str:
    """A room of the tiny world whose seats are taken by sessions called after them."""
    code = rooms.open(FACILITATOR, {"scenario": tiny, "quarters": 2, **raw})
    for name in seats:
        rooms.join(code, f"session-{name}", name.capitalize())
        rooms.sit(code, f"session-{name}", name)
    if begin:
        rooms.advance(code, FACILITATOR, 0, 0)
    return code


def played(rooms: Rooms, code: str, seats: tuple[str, ...] = ("police", "health")) -> None:
    """Play to the end: the police table nothing and challenge nobody."""
    while (view := rooms.view(code, FACILITATOR)).stage == "playing":
        for name in seats:
            own = rooms.view(code, f"session-{name}")
            if own.card is not None and (own.quarter, own.step) == (view.quarter, view.step) and own.handed_in is None:
                raw: dict[str, Any] = {"table": []} if view.step == 1 else {"challenge": {}, "evaluate": []}
                rooms.submit(code, f"session-{name}", view.quarter, view.step, raw if name == "police" else {})
        after = rooms.view(code, FACILITATOR)
        if (after.quarter, after.step) == (view.quarter, view.step):
            rooms.advance(code, FACILITATOR, view.quarter, view.step)


def until(holds: Callable[[], bool], patience: float = 20) -> None:
    ends = time.monotonic() + patience
    while not holds():
        assert time.monotonic() < ends, "it never happened"
        time.sleep(0.01)


# ------------------------------------------------------------------------------------------------------- who reads what


class TestPages:
    def test_a_code_that_is_none_gives_a_sentence_and_the_form(self, rooms: Rooms) -> None:
        page = Visitor("/play/zzzzzz", "stranger")
        assert "There is no room" in page.text
        assert "Join a room" in page.text
        page.close()

    def test_the_code_is_taken_in_capitals_or_not_and_the_room_is_found_again(self, rooms: Rooms, tiny: str) -> None:
        code = opened(rooms, tiny, begin=False)
        page = Visitor(f"/play/{code.lower()}", "session-police")
        assert f"Room {code}; 2 quarters; you are Police." in page.text
        page.close()
        home = Visitor("/play", "session-police")
        assert f"Room {code}" in home.text
        assert "joined by you" in home.text
        home.close()
        assert rooms.mine("stranger") == []
        rooms.leave(code, "session-police")
        assert rooms.mine("session-police") == []
        assert [one.code for one in rooms.mine(FACILITATOR)] == [code]

    def test_each_reads_what_is_theirs(self, rooms: Rooms, tiny: str) -> None:
        code = opened(rooms, tiny)
        rooms.join(code, "session-watcher", HOSTILE)
        pages = {name: Visitor(f"/play/{code}", name) for name in (FACILITATOR, "session-police", "session-watcher", "stranger")}
        shown = {name: page.text for name, page in pages.items()}
        key = rooms.view(code, FACILITATOR).token
        briefing = "You are Police."
        assert (briefing in shown["session-police"], "Your briefing" in shown["session-police"]) == (True, True)
        for name in (FACILITATOR, "session-watcher", "stranger"):
            assert "Your briefing" not in shown[name]
            assert "You think it" not in shown[name]
        assert [name for name in shown if key in shown[name]] == [FACILITATOR]
        assert [name for name in shown if "Let something happen" in shown[name]] == [FACILITATOR]
        assert [name for name in shown if "End step 1" in shown[name]] == [FACILITATOR]
        assert "Come in" in shown["stranger"]
        assert "Deciding" not in shown["stranger"]
        for page in pages.values():
            page.close()

    def test_a_page_that_closes_leaves_no_subscriber(self, rooms: Rooms, tiny: str) -> None:
        code = opened(rooms, tiny)
        room = rooms._store._rooms[code]
        pages = [Visitor(f"/play/{code}", name) for name in ("session-police", "session-health", FACILITATOR)]
        assert len(room.subscribers) == 3
        assert rooms.view(code, FACILITATOR).seats[0].here
        for page in pages:
            page.close()
        assert room.subscribers == {}

    def test_news_reach_every_page_and_a_step_is_announced(self, rooms: Rooms, tiny: str) -> None:
        code = opened(rooms, tiny, ("police",))
        police, facilitator = Visitor(f"/play/{code}", "session-police"), Visitor(f"/play/{code}", FACILITATOR)
        assert "Waiting for Police" in facilitator.text
        police.send("hand_in", {"quarter": 0, "step": 1, "choices": {"table": []}})
        for page in (police, facilitator):
            page.look()
            assert "Quarter 1 of 2, step 2 of 2 has begun: challenge, pledge, evaluate" in page.text
        police.close()
        facilitator.close()

    def test_a_refusal_is_said_on_the_card_and_changes_nothing(self, rooms: Rooms, tiny: str) -> None:
        code = opened(rooms, tiny)
        page = Visitor(f"/play/{code}", "session-police")
        card = page.template("hand_in").card
        page.send("hand_in", {"quarter": 0, "step": 2, "choices": {}})
        widget = page.template("hand_in")
        assert widget.said["text"] == "This was for a step that is over: the table has moved on."
        assert widget.card == card
        assert widget.handed is None
        before = widget.said["number"]
        page.send("hand_in", {"quarter": 0, "step": 2, "choices": {}})
        assert page.template("hand_in").said["number"] == before + 1  # the same sentence again is read aloud again
        page.send("hand_in", {"quarter": 0, "step": 1, "choices": {"table": []}})
        assert page.template("hand_in").said["text"] == ""
        assert page.template("hand_in").handed
        page.send("take_back", {"quarter": 0, "step": 1})
        assert page.template("hand_in").handed is None
        page.close()

    def test_a_room_that_is_closed_says_so(self, rooms: Rooms, tiny: str) -> None:
        code = opened(rooms, tiny)
        page = Visitor(f"/play/{code}", "session-police")
        page.look()
        rooms.close_room(code, FACILITATOR)
        page.look()
        assert "This room is no more" in page.text
        page.close()

    def test_a_facilitator_may_take_a_seat_and_stays_one(self, rooms: Rooms, tiny: str) -> None:
        code = opened(rooms, tiny, ("police",))
        page = Visitor(f"/play/{code}", FACILITATOR)
        page.send("sit", "health")
        view = rooms.view(code, FACILITATOR)
        assert (view.facilitator, bool(view.seat), view.name) == (True, True, "Facilitator")
        page.look()
        assert "Your briefing" in page.text
        assert "Let something happen" in page.text
        page.close()

    def test_players_go_on_without_a_facilitator(self, rooms: Rooms, tiny: str) -> None:
        code = opened(rooms, tiny)
        facilitator, police = Visitor(f"/play/{code}", FACILITATOR), Visitor(f"/play/{code}", "session-police")
        police.look()
        assert "The facilitator is away" not in police.text
        facilitator.close()
        rooms._store._rooms[code].seen.clear()  # a minute later
        police.look()
        assert "The facilitator is away, so every player may end the step." in police.text
        police.send("press", {"quarter": 0, "step": 1})
        police.send("press", {"quarter": 0, "step": 1})  # the second half of a double click
        assert rooms.view(code, FACILITATOR).step == 2
        police.close()

    def test_two_rooms_see_nothing_of_each_other(self, rooms: Rooms, tiny: str) -> None:
        one, other = opened(rooms, tiny, ("police",)), opened(rooms, tiny, ("health",), begin=False)
        page = Visitor(f"/play/{other}", "session-health")
        before = page.text
        rooms.join(one, "session-police", "Somebody Else")
        rooms.submit(one, "session-police", 0, 1, {"table": []})
        page.look()
        assert page.text == before
        page.close()

    def test_the_debrief_arrives_on_the_page(self, rooms: Rooms, tiny: str) -> None:
        code = opened(rooms, tiny)
        played(rooms, code)
        page = Visitor(f"/play/{code}", "session-health")
        until(lambda: shared.the_debriefs().state(code, 0).ended)
        page.look()
        shown = page.text
        for words in (
            "Under the same luck",
            "other draws of luck",
            "Which decision mattered?",
            "Belief against truth",
            "One game is one draw of luck",
        ):
            assert words in shown
        assert shared.the_debriefs().n_followers == 1
        page.close()
        assert shared.the_debriefs().n_followers == 0


# ------------------------------------------------------------------------------------------------ what a browser may send


KEYS = st.sampled_from(["quarter", "step", "choices", "code", "name", "table", "hours"])
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30) | st.sampled_from(["police", "table", "cctv", HOSTILE]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=8,
)


@pytest.fixture(scope="module")
def card_page(tiny: str) -> Iterator[tuple[Rooms, str, Visitor]]:
    shared.keep_in(None)
    rooms = shared.the_rooms()
    code = opened(rooms, tiny)
    page = Visitor(f"/play/{code}", "session-police")
    yield rooms, code, page
    page.close()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(event=st.sampled_from(["hand_in", "take_back"]), payload=JUNK)
def test_whatever_a_browser_sends_is_refused_in_a_sentence(card_page: tuple[Rooms, str, Visitor], event: str, payload: Any) -> None:
    rooms, code, page = card_page
    before = len(rooms._store._rooms[code].log)
    page.send(event, payload)
    assert len(rooms._store._rooms[code].log) == before
    said = page.template(event).said
    assert said["text"]
    assert said["text"][0].isupper() or not said["text"][0].isalpha()
    assert "Traceback" not in said["text"]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(event=st.sampled_from(["sit", "free"]), payload=JUNK)
def test_no_seat_is_had_by_a_name_that_is_none(card_page: tuple[Rooms, str, Visitor], event: str, payload: Any) -> None:
    rooms, code, page = card_page
    before = rooms.view(code, FACILITATOR).seats
    page.send(event, payload if payload != "police" else "nobody")
    assert rooms.view(code, FACILITATOR).seats == before


@pytest.mark.parametrize("payload", [None, [], {"code": 3, "name": "x"}, {"code": "ABCDEF"}, {"code": ["A"], "name": {}}, "ABCDEF"])
def test_a_join_that_is_none_is_ignored(rooms: Rooms, payload: Any) -> None:
    page = Visitor("/play", "stranger")
    page.send("join", payload)
    assert page.template("join").said["text"] == ""
    page.send("join", {"code": "ABCDEF", "name": "x" * 41})
    assert page.template("join").said["text"].startswith("There is no room")
    page.close()


def test_names_and_reasons_stay_texts(rooms: Rooms, tiny: str) -> None:
    code = opened(rooms, tiny, ("police", "health"))
    rooms.join(code, "session-police", HOSTILE)
    rooms.submit(code, "session-health", 0, 1, {"table": ["cctv"]})
    rooms.submit(code, "session-police", 0, 1, {})
    offered = rooms.view(code, "session-police").card
    assert offered is not None
    reasons = {one.intervention: HOSTILE for one in offered.challenge}
    assert reasons
    rooms.submit(code, "session-police", 0, 2, {"challenge": reasons})
    page = Visitor(f"/play/{code}", "session-health")
    assert HOSTILE in page.text
    tags = {getattr(widget, "tag", "") for widget in page.widgets()}
    assert "img" not in tags
    rooms.advance(code, FACILITATOR, 0, 2)
    page.look()
    assert f": {HOSTILE}." in page.text  # the minutes
    page.close()


# --------------------------------------------------------------------------------------------------------------- the card


def answer(data: dict[str, Any], chosen: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """What the template sends for a card as it was given to it."""
    found: dict[str, Any] = {}
    for part in data["parts"]:
        names = [item["name"] for item in part["items"] if chosen(item)]
        found[part["name"]] = dict.fromkeys(names, "") if part["name"] == "challenge" else names
    if data["hours"]:
        found["hours"] = None
    return found


def test_a_card_handed_in_as_it_comes_is_what_the_computer_suggests(rooms: Rooms, tiny: str) -> None:
    code = opened(rooms, tiny)
    for step in (1, 2):
        for name in ("police", "health"):
            card = rooms.view(code, f"session-{name}").card
            assert card is not None
            data = card_as_data(card, code)
            json.dumps(data)
            assert read_choices(card, answer(data, lambda item: item["suggested"])) == ()
            everything = read_choices(card, answer(data, lambda item: True))
            assert all(choice.value == 1 for choice in everything)
            offered = len(card.table) + len(card.challenge) + len(card.evaluate)
            suggested = len([one for part in (card.table, card.challenge, card.evaluate) for one in part if one.suggested])
            assert len(everything) == offered - suggested
            assert [reason["key"] for reason in data["reasons"]] == list(REASONS)
            if step == 2:
                assert data["hours"]["most"] >= data["hours"]["suggested"]
                (pledge,) = read_choices(card, {"hours": 0 if card.hours and card.hours.suggested else 1})
                assert choice_words(card, pledge).startswith("You pledge")
        rooms.advance(code, FACILITATOR, 0, step)


def test_what_the_computer_would_do_comes_first_and_is_never_hidden() -> None:
    def offer(k: int, suggested: bool) -> ToTable:
        return ToTable(f"p{k}", f"Project {k}", suggested, 0.01 * k, 0.05, 1000.0, 10.0, 0, 2, "Police", k % 3 == 0, ("Burglary",))

    card = AuthorityCard(0, 1, date(2011, 4, 1), "police", "Police", table=tuple(offer(k, k >= 12) for k in range(20)))
    (part,) = card_as_data(card, "ABCDEF")["parts"]
    assert part["first"] == 8
    assert [item["suggested"] for item in part["items"]] == [True] * 8 + [False] * 12
    few = card._replace(table=card.table[:7])
    assert card_as_data(few, "ABCDEF")["parts"][0]["first"] == 7  # one or two are not worth a press
    assert card_as_data(card._replace(plans=True), "A")["parts"][0]["hint"].startswith("This meeting makes the plan")


# --------------------------------------------------------------------------------------------------------------- in words


def test_words() -> None:
    assert sentence("there is no room") == "There is no room."
    assert sentence("") == ""
    assert span(date(2008, 4, 1), date(2008, 6, 1)) == "April to June 2008"
    assert span(date(2008, 12, 1), date(2009, 2, 1)) == "December 2008 to February 2009"
    assert [effect(share) for share in (0.2, -0.051, 0.001)] == ["cuts crime by 20%", "raises crime by 5%", "does nothing to crime"]
    assert view_words(0.2, 0.07) == "You think it cuts crime by 20% (13 to 27%)"
    assert view_words(0.05, 0.08) == "You think it cuts crime by 5%, but it may do nothing (up to 13%)"
    assert view_words(-0.2, 0.1) == "You think it raises crime by 20%"
    assert waiting_words(()) == "Nobody is waited for"
    assert waiting_words(("A", "B", "C"), most=2) == "Waiting for A, B and 1 more"
    assert [trust_words(trust) for trust in (0.9, 0.6, 0.5, 0.35, 0.1)] == ["strongly", "well", "somewhat", "little", "hardly"]


PRIMARY = "cost_of_crime"


def made(difference: float, helped: float, hurt: float, others: tuple[float, ...] = (1.0, -1.0)) -> Debrief:
    """A debrief of two outcomes, one decision and one belief."""
    outcome = OutcomeCompared(PRIMARY, "Cost of crime", "£", -1, 100e6 + difference, 100e6, difference)
    trust = OutcomeCompared("mean_trust", "Trust", "share", 0, 0.5, 0.6, -0.1)
    mattered = Mattered("police", 0, "April 2011: Police did something", {PRIMARY: difference}, (5e5, 1e6, -1e5))
    belief = BeliefLine("cctv", "CCTV", 0.0, 0.3, 0.2, 0.25, 0.1, 0.3, 0.4)
    luck = OtherLuck(PRIMARY, difference, others, helped, hurt)
    return Debrief(PRIMARY, (outcome, trust), (mattered,), (mattered,), (belief,), luck, "2011-04", "2013-03")


def test_where_rooms_are_kept_is_not_told_to_players(rooms: Rooms, tiny: str) -> None:
    said: list[Any] = []
    door = Door(rooms, "ABCDEF", "somebody", lambda change: said.append(change(Said())))

    def broken(*_: Any) -> None:
        raise StorageError("/home/teacher/rooms.sqlite cannot be used: the disk is full")

    assert not door.ask(broken)
    assert said[0].tone == "error"
    assert "has not happened" in said[0].text
    assert "teacher" not in said[0].text


def test_the_verdict_is_that_of_all_luck_and_not_of_one_game() -> None:
    lucky = debrief_words.verdict(made(-2e6, 0.1, 0.9), "Innertown")
    assert lucky.headline == "Under the same luck Innertown did better with your decisions than with the computer's, by £2.0m"
    assert lucky.tone == "bad"
    assert lucky.luck.endswith("They nearly always hurt: in this game luck hid it.")
    assert "One game is one draw of luck" in lucky.context
    assert "illustrative" in lucky.context
    assert "£98.0m with your decisions and to £100.0m with the computer's" in lucky.context
    good = debrief_words.verdict(made(-2e6, 0.75, 0.25), "Innertown")
    assert (good.tone, good.luck.endswith("They mostly help.")) == ("good", True)
    small = debrief_words.verdict(made(-1e5, 0.1, 0.9), "Innertown")  # a quarter of one per cent of £100m is £250k
    assert small.headline.endswith("as with the computer's: better by £100k, which is too small to matter")
    idle = debrief_words.verdict(made(2e6, 0.16, 0.0), "Innertown")
    assert (idle.tone, idle.luck.endswith("Under most luck they make no difference at all.")) == ("unsure", True)
    even = debrief_words.verdict(made(2e6, 0.5, 0.5), "Innertown")
    assert (even.tone, even.luck.endswith("So it is mostly luck whether they help or hurt.")) == ("unsure", True)
    none = debrief_words.verdict(made(0.0, 0, 0)._replace(luck=None), "Innertown")
    assert none.headline == "You decided everything as the computer would have."


def test_tables_of_the_debrief_say_what_helped() -> None:
    debrief = made(-2e6, 0.9, 0.1)
    assert [row[-1] for row in debrief_words.outcomes_table(debrief).rows] == ["better", "less"]
    (row,) = debrief_words.decisions_table(debrief, debrief.decisions).rows
    assert row[:3] == ("April 2011: Police did something", f"{MINUS}£2.0m", "helped this time")
    assert "helps in 1, hurts in 2 of 3" in str(row[3])
    assert (
        debrief_words.which_mattered(debrief)
        == "Most mattered: April 2011: Police did something. On its own this lowered cost of crime by £2.0m."
        " That was luck: under 3 other draws of luck it helps in 1 and hurts in 2."
    )
    assert debrief_words.furthest_off(debrief).startswith("The table was furthest off with CCTV: it believed in 20%, in truth it is 0%.")
    assert debrief_words.spread_words((), "£", -1) == "not tried"
    assert debrief_words.spread_words((0.0, 0.0), "£", -1) == "hardly ever matters"


def test_charts_show_what_their_tables_say() -> None:
    debrief = made(2e6, 0.5, 0.5)
    assert debrief.luck is not None
    bars = debrief_charts.luck_option(debrief.luck)["series"][0]["data"]
    assert [bar["value"] for bar in bars] == [row[1] for row in debrief_charts.other_luck_table(debrief.luck).rows] == [-1.0, 1.0, 2e6]
    assert [bar["name"] for bar in bars] == ["Other luck", "Other luck", "Your game"]
    assert "3 bars" in debrief_charts.luck_summary(debrief.luck)
    marks = {series["name"]: series["data"][0][0] for series in debrief_charts.belief_option(debrief.beliefs)["series"]}
    assert marks == {"Truth": 0, "Your table at the start": 30, "Your table at the end": 20, "Largest claim": 40}
    assert len({series["symbol"] for series in debrief_charts.belief_option(debrief.beliefs)["series"]}) == 4
    assert debrief_charts.belief_table(debrief.beliefs).rows[0][1:4] == ("0%", "30%", "20%")
    assert PRIMARY in OUTCOMES


def test_the_form_keeps_what_its_scenario_has(tiny: str) -> None:
    wanted = usual("baseline")
    assert (wanted["partnership"], wanted["quarters"], wanted["first_month"]) == ("lambeth", 8, "2011-01")
    other = fitted({**wanted, "scenario": tiny, "quarters": 40})
    assert other["partnership"] != "lambeth"
    assert other["quarters"] < 40
    assert as_wanted({**wanted, "seed": " 12 "})["seed"] == 12
    for seed in ("", "1.5", "-1", "²", "x"):
        with pytest.raises(Refused, match="seed"):
            Rooms(None, ["baseline"], scenarios.scenario_of).open("session", as_wanted({**wanted, "seed": seed}))


# ------------------------------------------------------------------------------------------------- debriefs and presence


def test_a_debrief_is_made_once_and_told_to_all(rooms: Rooms, tiny: str) -> None:
    code = opened(rooms, tiny)
    played(rooms, code)
    debriefs, told = Debriefs(rooms), [0, 0]

    def tell(k: int) -> Callable[[], None]:
        def one() -> None:
            told[k] += 1

        return one

    ends = [debriefs.follow(code, tell(k)) for k in (0, 1)]
    debriefs.begin(code, "session-police", 0)
    debriefs.begin(code, "session-health", 0)
    until(lambda: debriefs.state(code, 0).ended)
    making = debriefs.state(code, 0)
    assert making.made is not None
    assert (making.done, making.done > 50) == (making.total, True)
    until(lambda: min(told) > 1)
    late = list[bool]()
    debriefs.follow(code, lambda: late.append(True))()
    assert late == [True]  # whoever follows when all is made learns of it
    rooms.join(code, "late", "Late")  # the game is what it was
    assert rooms.debrief(code, "late") is making.made
    for end in ends:
        end()
    assert debriefs.n_followers == 0
    rooms.undo(code, FACILITATOR, 1)
    assert rooms.view(code, FACILITATOR).undone == 1
    assert not debriefs.state(code, 1).ended


def test_a_debrief_that_fails_is_said_and_can_be_tried_again(rooms: Rooms, tiny: str, monkeypatch: pytest.MonkeyPatch) -> None:
    code = opened(rooms, tiny)
    debriefs = Debriefs(rooms)
    debriefs.begin(code, "session-police", 0)
    until(lambda: debriefs.state(code, 0).ended)
    assert debriefs.state(code, 0).fault == "the debrief comes when the game is over"
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    with monkeypatch.context() as broken:
        broken.setattr(rooms, "debrief", lambda *_: 1 / 0)
        debriefs.begin(code, "session-police", 0)
        until(lambda: debriefs.state(code, 0).fault.startswith("The debrief could not"))
    played(rooms, code)
    debriefs.begin(code, "session-police", 0)
    until(lambda: debriefs.state(code, 0).made is not None)


def test_a_subscription_rests_while_its_browser_is_away() -> None:
    now, there, events = [0.0], [True], list[str]()

    def subscribe(tell: Callable[[], None]) -> Callable[[], None]:
        events.append("begin")
        return lambda: events.append("end")

    presence = Presence(subscribe, lambda: events.append("tell"), lambda: there[0], lambda: now[0])
    presence.look()
    there[0], now[0] = False, GONE_AFTER - 1
    presence.look()
    assert events == ["begin"]
    now[0] = GONE_AFTER
    presence.look()
    presence.look()
    assert (events, presence.resting) == (["begin", "end"], True)
    there[0] = True
    presence.look()
    assert events == ["begin", "end", "begin", "tell"]
    presence.close()
    presence.look()
    assert events == ["begin", "end", "begin", "tell", "end"]


def test_the_watch_runs_only_while_there_is_somebody() -> None:
    watch, looked = Watch(every=0.01), threading.Event()

    def is_there() -> bool:
        looked.set()
        return True

    end = watch.add(Presence(lambda tell: lambda: None, lambda: None, is_there, time.monotonic))
    assert looked.wait(5)
    end()
    assert len(watch) == 0
    until(lambda: not watch._running)


# -------------------------------------------------------------------------------------------------------- where it is kept


def test_a_file_belongs_to_one_server(tiny: str, tmp_path: Path) -> None:
    file = tmp_path / "rooms.sqlite"
    shared.keep_in(file)
    code = opened(shared.the_rooms(), tiny)
    other = subprocess.run(
        [sys.executable, "-c", f"from pathlib import Path; from cspsim.web.play.shared import keep_in; keep_in(Path({str(file)!r}))"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "another cspsim view keeps its rooms there" in other.stderr
    shared.keep_in(file)  # as after a restart
    assert shared.the_rooms().view(code, FACILITATOR).stage == "playing"
    shared.keep_in(None)
    with pytest.raises(Refused, match="there is no room"):
        shared.the_rooms().view(code, FACILITATOR)


def test_without_a_usable_file_rooms_are_kept_nowhere_and_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(shared, "usual_file", lambda: tmp_path / "usual" / "rooms.sqlite")
    server._open_rooms(None, said.append)
    assert said == []
    assert (tmp_path / "usual" / "rooms.sqlite").stat().st_mode & 0o077 == 0
    shared.close_rooms()
    guard = sqlite3.connect(tmp_path / "usual" / "rooms.sqlite.lock", isolation_level=None)
    guard.execute("BEGIN EXCLUSIVE")
    server._open_rooms(None, said.append)
    guard.close()
    assert said == ["Rooms of this server end with it: another cspsim view keeps its rooms in the usual file."]
    (tmp_path / "usual" / "rooms.sqlite").write_text("no database " * 100)
    server._open_rooms(None, said.append)
    assert "cannot be used" in said[1]
    before = set(tmp_path.rglob("*"))
    server._open_rooms("none", said.append)
    assert set(tmp_path.rglob("*")) == before
    assert len(said) == 2


def test_a_page_looks_again_once_it_has_subscribed(rooms: Rooms, tiny: str) -> None:
    """What happened between its first look and its subscription would be missed otherwise."""
    code, told = opened(rooms, tiny), list[bool]()
    end = room_news(Door(rooms, code, "session-police", lambda _: None))(lambda: told.append(True))
    assert told == [True]
    rooms.join(code, "stranger", "Somebody")
    assert told == [True, True]
    end()
    assert rooms._store._rooms[code].subscribers == {}


def test_a_door_never_raises_and_says_things_once(rooms: Rooms) -> None:
    heard: list[Said] = [Said()]
    door = Door(rooms, "ABCDEF", "session", lambda change: heard.append(change(heard[-1])))
    assert not door.ask(rooms.sit, "police")
    assert heard[-1] == Said(1, 'There is no room "ABCDEF": check the code with whoever opened it.', "error", "page")
    assert door.export("csv") == heard[-1].text
    assert not Door(rooms, "ABCDEF", "", lambda change: heard.append(change(heard[-1]))).ask(rooms.stand)
    assert "reload" in heard[-1].text


def test_the_facilitator_shows_what_lets_others_in_and_players_do_not(rooms: Rooms, tiny: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "network_addresses", lambda: ["192.0.2.7", "192.0.2.8"])
    reach.set_reach(reach.Reach("0.0.0.0", 80, "ABCDEFGHJKMN"))
    try:
        code = rooms.open("facilitator", {"scenario": tiny})
        rooms.join(code, "player", "Amy")
        shown, player = Visitor(f"/play/{code}", "facilitator"), Visitor(f"/play/{code}", "player")
        assert f"http://192.0.2.7:80/play/{code}?entry=ABCDEFGHJKMN" in pictures(shown)[0]
        assert "ABCD EFGH JKMN" in shown.text
        assert "has this link can open it" in shown.text
        assert "192.0.2.8" in shown.text
        assert pictures(player) == []
        assert "JKMN" not in player.text
        reach.set_reach(reach.Reach("127.0.0.1", 80, "ABCDEFGHJKMN"))
        alone = Visitor(f"/play/{code}", "facilitator")
        assert "Only this machine can open this room" in alone.text
        assert pictures(alone) == []
    finally:
        reach.set_reach(None)


def pictures(page: Visitor) -> list[str]:
    """What is read aloud of the QR codes on a page."""
    return [one.attributes["aria-label"] for one in page.widgets() if getattr(one, "tag", "") == "svg"]


def test_people_are_told_what_is_kept_of_them_before_they_type_a_name(rooms: Rooms, tiny: str, tmp_path: Path) -> None:
    code = rooms.open("facilitator", {"scenario": tiny})
    for path in ("/play", f"/play/{code}"):
        assert "kept on the machine that runs this session, until the server ends" in Visitor(path, "newcomer").text
    assert "no addresses of machines" in Visitor(f"/play/{code}", "facilitator").text
    shared.keep_in(tmp_path / "rooms.sqlite", days=3)
    assert "until 3 days after the room's last change" in Visitor("/play", "newcomer").text
    shared.close_rooms()
