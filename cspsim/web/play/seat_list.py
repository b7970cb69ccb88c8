"""Who sits where: seats to take, to give up and, for the facilitator, to free."""

from collections.abc import Callable
from typing import Any

import solara

from cspsim.basics.formats import listed
from cspsim.web.event_types import Word, template
from cspsim.web.parts import box, words
from cspsim.web.play.door import Door
from cspsim.web.play.room import LOBBY, OVER, PLAYING
from cspsim.web.play.seat_views import Seat, View


@template("seats.vue")
def _Seats(
    seats: list[dict[str, Any]],
    event_sit: Callable[[Word], None],
    event_stand: Callable[[Word], None],
    event_free: Callable[[Word], None],
) -> None:
    pass


@solara.component
def SeatList(door: Door, view: View, heading: str = "Who sits where") -> None:
    """Every seat with its people. Everybody in the room may take a free one, even while the game is under way."""
    with box("section", "csp-card", aria_labelledby="seats"):
        words("h2", heading, "csp-h2", id_="seats")
        words("p", "Where nobody sits the computer plays, by the model's own rules.", "csp-soft", "csp-small")
        _Seats(
            seats=[seat_as_data(seat, view) for seat in view.seats],
            event_sit=lambda authority: sit(door, authority, view),
            event_stand=lambda _: stand(door),
            event_free=lambda authority: free(door, authority),
        )
        words("p", watchers_words(view.watchers), "csp-soft")


def seat_as_data(seat: Seat, view: View) -> dict[str, Any]:
    """One seat as its template takes it."""
    offer = "Share this seat" if seat.players else "Sit here"
    state = ("Handed in" if seat.handed_in else "Deciding") if view.stage == PLAYING and seat.players else ""
    return {
        "authority": seat.authority,
        "title": seat.title,
        "holders": holders_words(seat),
        "state": state,
        "done": seat.handed_in,
        "yours": seat.yours,
        "stands": seat.yours and view.stage != OVER,
        "offer": offer if may_sit(view) and not seat.yours and not seat.full else "",
        "frees": view.facilitator and bool(seat.players),
    }


def may_sit(view: View) -> bool:
    """Whether seats are offered: not to people with a seat once briefings have been read, nor after the end."""
    return (bool(view.name) or view.facilitator) and (view.stage == LOBBY or (view.stage == PLAYING and not view.seat))


def holders_words(seat: Seat) -> str:
    """Who plays a seat."""
    if not seat.players:
        return "the computer" if seat.sits else "the computer; not at the table this month"
    return listed(list(seat.players)) + ("" if seat.here else " (away)") + ("" if seat.sits else ", not at the table this month")


def watchers_words(watchers: int) -> str:
    """How many people watch."""
    return "Nobody watches." if not watchers else f"{watchers} {'person watches' if watchers == 1 else 'people watch'}."


def sit(door: Door, authority: Any, view: View) -> None:
    """Take a seat; a facilitator who has not come in under a name comes in as the facilitator."""
    if view.facilitator and not view.name and not door.ask(door.rooms.join, "Facilitator"):
        return
    door.ask(door.rooms.sit, authority)


def stand(door: Door) -> None:
    """Give up one's seat."""
    door.ask(door.rooms.stand)


def free(door: Door, authority: Any) -> None:
    """Free somebody's seat."""
    door.ask(door.rooms.free, authority)
