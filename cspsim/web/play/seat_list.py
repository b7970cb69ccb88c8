"""Who sits where: seats to take, to give up and, for the facilitator, to free."""

import solara

from cspsim.formats import listed
from cspsim.web.parts import Button, box, words
from cspsim.web.play.door import Door
from cspsim.web.play.views import Seat, View


@solara.component
def SeatList(door: Door, view: View, heading: str = "Who sits where") -> None:
    """Every seat with its people. Whoever has come in may take a free one, also while the game is under way."""
    with box("section", "csp-card", aria_labelledby="seats"):
        words("h2", heading, "csp-h2", id_="seats")
        words("p", "Where nobody sits the computer plays, by the model's own rules.", "csp-soft", "csp-small")
        with box("ul", "csp-seats"):
            for seat in view.seats:
                SeatRow(door, seat, may_sit(view), view.facilitator, view.stage).key(seat.authority)
        words("p", watchers_words(view.watchers), "csp-soft")


@solara.component
def SeatRow(door: Door, seat: Seat, offered: bool, leads: bool, stage: str) -> None:
    """One seat."""
    with box("li", "csp-seat", "csp-seat--yours" if seat.yours else "csp-seat--other"):
        with box("div", "csp-seat__who"):
            words("strong", seat.title)
            words("span", holders_words(seat), "csp-soft")
        with box("div", "csp-cluster"):
            if stage == "playing" and seat.players:
                done = "Handed in" if seat.handed_in else "Deciding"
                words("span", done, "csp-chip", "csp-chip--good" if seat.handed_in else "csp-chip--unsure")
            if seat.yours:
                words("span", "Your seat", "csp-chip", "csp-chip--good")
                if stage != "over":
                    Button("Stand up", lambda: stand(door), kind="quiet", describe=f"from {seat.title}")
            elif offered and not seat.full:
                label = "Sit here" if not seat.players else "Share this seat"
                Button(label, lambda: sit(door, seat.authority, leads), kind="plain", describe=f"as {seat.title}")
            if leads and seat.players:
                Button("Free the seat", lambda: free(door, seat.authority), kind="quiet", describe=f"of {seat.title}")


def may_sit(view: View) -> bool:
    """Whether seats are offered: not to whoever has one once briefings have been read, nor when all is over."""
    return (bool(view.name) or view.facilitator) and (view.stage == "lobby" or (view.stage == "playing" and not view.seat))


def holders_words(seat: Seat) -> str:
    """Who plays a seat."""
    if not seat.players:
        return "the computer" if seat.sits else "the computer; not at the table this month"
    return listed(list(seat.players)) + ("" if seat.here else " (away)") + ("" if seat.sits else ", not at the table this month")


def watchers_words(watchers: int) -> str:
    """How many people watch."""
    return "Nobody watches." if not watchers else f"{watchers} {'person watches' if watchers == 1 else 'people watch'}."


def sit(door: Door, authority: str, leads: bool) -> None:
    """Take a seat; a facilitator who has not come in under a name comes in as the facilitator."""
    if leads and not door.rooms.view(door.code, door.session).name and not door.ask(door.rooms.join, "Facilitator"):
        return
    door.ask(door.rooms.sit, authority)


def stand(door: Door) -> None:
    """Give up one's seat."""
    door.ask(door.rooms.stand)


def free(door: Door, authority: str) -> None:
    """Free somebody's seat."""
    door.ask(door.rooms.free, authority)
