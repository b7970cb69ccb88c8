"""The lobby: the code for everybody to see, who sits where, and the beginning."""

import solara

from cspsim.web.parts import CopyButton, box, words
from cspsim.web.play.door import Door
from cspsim.web.play.invitation import Invitation
from cspsim.web.play.play_controls import StepButton
from cspsim.web.play.seat_list import SeatList
from cspsim.web.play.seat_views import View


@solara.component
def Lobby(door: Door, view: View) -> None:
    """What everybody sees before the game begins."""
    taken = len([seat for seat in view.seats if seat.players])
    with box("div", "csp-stack"):
        RoomCode(view.code, large=True, invites=view.facilitator)
        with box("div", "csp-card"):
            words("p", lobby_words(view, taken), role="status")
            if view.may_advance:
                with box("div", "csp-cluster"):
                    StepButton("Begin the game", 0, 0, lambda quarter, step: begin(door, quarter, step))
        SeatList(door, view)


@solara.component
def RoomCode(code: str, large: bool = False, invites: bool = False) -> None:
    """The code, large enough for the last row, and the link that leads here. ``invites``: with what lets others in."""
    with box("section", "csp-card", "csp-room-code", aria_label="Code of the room"):
        words("p", "Code of this room", "csp-soft")
        words("p", code, "csp-code", "csp-code--large" if large else "csp-code--small")
        with box("div", "csp-cluster"):
            words("p", "Open the tab Play and type this code.", "csp-soft")
            if not invites:
                CopyButton("Copy the link to this room")
        if invites:
            Invitation(code)


def lobby_words(view: View, taken: int) -> str:
    """What is waited for."""
    seats = f"{taken} of {len(view.seats)} seats are taken"
    if view.facilitator:
        return f"{seats}; the computer plays the others. Begin when everybody is here; others may come in later."
    if view.seat:
        return f"{seats}. You have yours: the game begins when the facilitator says so."
    return f"{seats}. Take a free one, or watch."


def begin(door: Door, quarter: object, step: object) -> None:
    """Begin the game."""
    door.ask(door.rooms.advance, quarter, step)
