"""A room: what one visitor sees of it, by its stage and by who they are."""

import solara

from cspsim.web.event_types import template
from cspsim.web.frame import use_frame
from cspsim.web.kit.lesson_parts import Link
from cspsim.web.parts import Button, Notice, TextField, box, words
from cspsim.web.play.briefing_page import BriefingPanel
from cspsim.web.play.debrief_page import DebriefPanel
from cspsim.web.play.decision_card_page import DecisionCard
from cspsim.web.play.door import PAGE, Door, Said, use_door
from cspsim.web.play.facilitator_page import FacilitatorPanel, StepPanel
from cspsim.web.play.guide import HOW_TO_OPEN, IN_THE_ROOM
from cspsim.web.play.incident_form import IncidentForm
from cspsim.web.play.join_page import HOME, JoinForm, JoinPage
from cspsim.web.play.kept import told_to_players
from cspsim.web.play.lobby_page import Lobby, RoomCode
from cspsim.web.play.play_words import quarter_span, stage_words
from cspsim.web.play.room import LOBBY, PLAYING
from cspsim.web.play.seat_list import SeatList
from cspsim.web.play.seat_views import View
from cspsim.web.play.table_page import LatestIncident, LatestResult, MinutesPanel, OnTheTable, TableState


@template("comeback.vue")
def _Comeback() -> None:
    pass


@solara.component
def RoomPage(code: str) -> None:
    """The room of a code, or why there is none."""
    door, view, said, problem = use_door(code)
    seen, set_seen = solara.use_state(False)
    solara.use_effect(lambda: set_seen(True) if view is not None else None, [view is not None])
    if view is None and not seen:
        JoinPage(problem)
    elif view is None:
        Gone(problem)
    else:
        Inside(door, view, said)


@solara.component
def Gone(problem: str) -> None:
    """A room that was there a moment ago."""
    use_frame()
    with box("div", "csp-stack"):
        words("h1", "This room is no more", "csp-h1")
        Notice(problem, "warning")
        with box("div", "csp-cluster"):
            Link("Join or open another room", HOME, "primary")


@solara.component
def Inside(door: Door, view: View, said: Said) -> None:
    """The room. What is said is read aloud; the line below the heading tells where the game stands."""
    use_frame(scenario=view.title, seed=view.seed, notes=[*IN_THE_ROOM, *HOW_TO_OPEN])
    with box("div", "csp-stack", "csp-play"):
        _Comeback()
        with box("div", "csp-stack", "csp-stack--tight"):
            words("h1", view.table.title, "csp-h1")
            words("p", stage_words(view), "csp-lead", "csp-stage", role="status")
            words("p", place_words(view), "csp-soft")
        with box("div", "csp-said"):
            if said.text and said.where == PAGE:
                Notice(said.text, said.tone).key(f"said-{said.number}")
                Button("Dismiss", door.dismiss, kind="quiet")
        if not view.name and not view.facilitator:
            ComeIn(door, view, said)
        elif view.stage == LOBBY:
            Lobby(door, view)
            Leading(door, view)
        elif view.stage == PLAYING:
            Playing(door, view, said)
        else:
            Over(door, view)


def place_words(view: View) -> str:
    """Room, months, and who one is here."""
    role = "you facilitate" if view.facilitator else ""
    seat = next((f"you are {one.title}" for one in view.seats if one.yours), "you watch" if view.name and not view.facilitator else "")
    parts = [f"Room {view.code}", quarter_span(view) if view.stage == PLAYING else f"{view.quarters} quarters", role, seat]
    return "; ".join(part for part in parts if part) + "."


@solara.component
def ComeIn(door: Door, view: View, said: Said) -> None:
    """For somebody who followed a link: a name, or the facilitator's key."""
    with box("div", "csp-grid", "csp-grid--2"):
        with box("section", "csp-card", aria_labelledby="join"):
            words("h2", "Come in", "csp-h2", id_="join")
            JoinForm(view.code, "", "Come in", (said.number, ""), lambda _, name: come_in(door, name))
            words("p", told_to_players(door.rooms), "csp-soft", "csp-small")
        with box("details", "csp-card"):
            words("summary", "I am the facilitator", "csp-h3")
            KeyForm(door)


def come_in(door: Door, name: str) -> None:
    """Come into the room under a name."""
    door.ask(door.rooms.join, name)


@solara.component
def KeyForm(door: Door) -> None:
    """Take the room over with the facilitator's key."""
    key, set_key = solara.use_state("")
    with box("div", "csp-stack"):
        TextField("Facilitator's key", key, set_key, hint="Twelve letters and figures, shown on the facilitator's page.", longest=40)
        with box("div", "csp-cluster"):
            Button("Lead this room", lambda: claim(door, key))


def claim(door: Door, key: str) -> None:
    """Become the facilitator."""
    door.ask(door.rooms.claim, key, done="You lead this room now.")


@solara.component
def Leading(door: Door, view: View) -> None:
    """The facilitator's panel, or for everybody else the ways out: leave, and take over with the key."""
    router = solara.use_router()
    if view.facilitator:
        FacilitatorPanel(door, view, lambda: router.push(HOME))
        return
    with box("details", "csp-card"):
        words("summary", "Leave, or lead this room", "csp-h3")
        with box("div", "csp-stack"):
            with box("div", "csp-cluster"):
                Button("Leave the room", lambda: leave_room(door, lambda: router.push(HOME)))
                words("p", "Your seat is played by the computer from then on.", "csp-soft", "csp-small")
            KeyForm(door)


def leave_room(door: Door, on_left: object) -> None:
    """Leave the room."""
    if door.ask(door.rooms.leave) and callable(on_left):
        on_left()


@solara.component
def Playing(door: Door, view: View, said: Said) -> None:
    """The game under way: what to decide first, then one's briefing, then what everybody sees."""
    LatestResult(view.minutes, view.quarter)
    LatestIncident(view.told)
    with box("div", "csp-columns"):
        with box("div", "csp-stack"):
            if view.card is not None:
                words("a", "First time? Read your briefing.", "csp-play__jump", href="#briefing")
                DecisionCard(door, view, said)
            if view.may_advance:
                StepPanel(door, view)
            if view.card is None and view.step == 2:
                OnTheTable(view.proposals)
            if view.facilitator:
                IncidentForm(door, view.scenario)
            if view.card is None:
                MinutesPanel(view.minutes, view.told)
        with box("div", "csp-stack"):
            if view.briefing is not None:
                BriefingPanel(view.briefing, view.scenario)
            TableState(view.table)
            if view.card is not None and view.step == 2:
                OnTheTable(view.proposals)
            SeatList(door, view)
            if view.facilitator:
                RoomCode(view.code, invites=True)
    if view.card is not None:
        MinutesPanel(view.minutes, view.told)
    Leading(door, view)


@solara.component
def Over(door: Door, view: View) -> None:
    """The end: the debrief, then the minutes and the log."""
    DebriefPanel(door, view)
    MinutesPanel(view.minutes, view.told)
    SeatList(door, view, "Who played")
    Leading(door, view)
