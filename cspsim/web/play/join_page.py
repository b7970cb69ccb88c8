"""The first page of Play: come into a room by its code, open one, or go back to one."""

from collections.abc import Callable, Mapping
from typing import Any

import solara

from cspsim.basics.errors import CspsimError
from cspsim.web.event_types import Joining, template
from cspsim.web.frame import use_frame
from cspsim.web.kit.lesson_parts import Link
from cspsim.web.parts import Notice, box, words
from cspsim.web.play.guide import HOW_TO_OPEN
from cspsim.web.play.kept import told_to_players
from cspsim.web.play.open_form import OpenForm
from cspsim.web.play.play_words import sentence
from cspsim.web.play.room_store import Mine
from cspsim.web.play.shared import the_rooms
from cspsim.web.shown_scenarios import known_names, scenario_of

HOME = "/play"


def room_address(code: str) -> str:
    """The address of a room."""
    return f"{HOME}/{code}"


@template("join.vue")
def _Join(code: str, known: str, label: str, said: dict[str, Any], event_join: Callable[[Joining], None]) -> None:
    pass


@solara.component
def JoinForm(code: str, known: str, label: str, said: tuple[int, str], on_join: Callable[[str, str], None]) -> None:
    """Name and, where ``code`` is empty, the code of the room. What is refused is said below; nothing typed is lost."""

    def join(raw: Any) -> None:
        if isinstance(raw, Mapping) and isinstance(raw.get("code"), str) and isinstance(raw.get("name"), str):
            on_join(raw["code"], raw["name"])

    _Join(code=code, known=known, label=label, said={"number": said[0], "text": said[1]}, event_join=join)


@solara.component
def JoinPage(problem: str = "") -> None:
    """Join, open, go back. ``problem``: what was wrong with the address somebody came by."""
    use_frame(notes=HOW_TO_OPEN)
    router, session = solara.use_router(), solara.get_session_id()
    said, set_said = solara.use_state((0, ""))
    rooms = the_rooms()

    def join(code: str, name: str) -> None:
        try:
            rooms.join(code, session, name)
        except CspsimError as error:
            set_said((said[0] + 1, sentence(str(error))))
        else:
            router.push(room_address(code.strip().upper()))

    with box("div", "csp-stack", "csp-stack--loose"):
        with box("div", "csp-stack"):
            words("h1", "Play", "csp-h1")
            words("p", "Take a seat at a partnership's table. Each quarter you decide what is tabled, challenged, delivered and evaluated; "
                  "at the end you see what your decisions did.", "csp-lead")  # fmt: skip
            if problem:
                Notice(problem, "error")
        with box("div", "csp-grid", "csp-grid--2"):
            with box("section", "csp-card", aria_labelledby="join"):
                words("h2", "Join a room", "csp-h2", id_="join")
                JoinForm("", "", "Join", said, join)
                words("p", told_to_players(rooms), "csp-soft", "csp-small")
            with box("section", "csp-card", aria_labelledby="open"):
                words("h2", "Open a room", "csp-h2", id_="open")
                words("p", "For facilitators: you get a code that people join by.", "csp-soft")
                OpenForm(lambda code: router.push(room_address(code)))
        MyRooms(rooms.mine(session))


@solara.component
def MyRooms(mine: list[Mine]) -> None:
    """Rooms to go back to."""
    if not mine:
        return
    with box("section", "csp-card", aria_labelledby="mine"):
        words("h2", "Your rooms", "csp-h2", id_="mine")
        with box("ul", "csp-list"):
            for one in mine[:10]:
                with box("li"):
                    Link(f"Room {one.code}", room_address(one.code))
                    words("span", f" {about(one)}", "csp-soft")


def about(one: Mine) -> str:
    """What a room is about."""
    what = "opened by you" if one.opened else "joined by you"
    if one.scenario not in known_names():
        return what
    scenario = scenario_of(one.scenario)
    place = scenario.data.partnerships.get(one.partnership)
    return f"{place.title if place else one.partnership}, {scenario.title}; {what}"
