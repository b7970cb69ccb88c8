"""What only the facilitator has: ending steps, incidents, undoing, ending and closing, the key, and the session log."""

from collections.abc import Callable

import solara

from cspsim.web.parts import CopyButton, Export, box, words
from cspsim.web.play.door import Door
from cspsim.web.play.kept import told_to_facilitators
from cspsim.web.play.play_controls import Confirm, StepButton
from cspsim.web.play.play_words import waiting_words
from cspsim.web.play.seat_views import View


@solara.component
def StepPanel(door: Door, view: View) -> None:
    """Who is waited for, and the end of the step: for the facilitator, and for every player while no facilitator is there."""
    with box("section", "csp-card", "csp-step", aria_labelledby="waiting"):
        words("h2", "Waiting" if view.waiting else "Everybody is ready", "csp-h2", id_="waiting")
        words("p", f"{waiting_words(view.waiting)}.", "csp-step__who", role="status")
        if not view.facilitator:
            words("p", "The facilitator is away, so every player may end the step.", "csp-soft")
        label = f"End step {view.step}" if view.step == 1 else "End step 2 and run the quarter"
        with box("div", "csp-cluster"):
            StepButton(label, view.quarter, view.step, lambda quarter, step: advance(door, quarter, step))
            if view.waiting:
                words("p", "The computer decides for whoever has not handed in.", "csp-soft", "csp-small")


@solara.component
def FacilitatorPanel(door: Door, view: View, on_closed: Callable[[], None]) -> None:
    """Everything else the facilitator may do."""
    with box("section", "csp-card", aria_labelledby="session"):
        words("h2", "The session", "csp-h2", id_="session")
        with box("div", "csp-cluster"):
            if view.stage != "lobby":
                Confirm(undo_label(view), "Everything decided since then is lost, for everybody.", "Yes, go back", lambda: undo(door, view))
            if view.stage == "playing":
                Confirm("End the game", "The computer plays on to the end, and the debrief begins.", "Yes, end the game", lambda: end(door))
            if view.stage != "over":  # the debrief has it for everybody
                SessionLog(door)
            Confirm("Close the room", "The room and all that happened in it are removed for everybody. Export the session log first.",
                    "Yes, close the room", lambda: close(door, on_closed), kind="danger")  # fmt: skip
        words("p", told_to_facilitators(door.rooms), "csp-soft", "csp-small")
        with box("details"):
            words("summary", "Facilitator's key", "csp-h3")
            words("p", "With this key you can lead the room from another browser: open the room there and choose “I am the facilitator”.")
            words("p", view.token, "csp-code", "csp-code--small")
            CopyButton("Copy the key", view.token)


@solara.component
def SessionLog(door: Door) -> None:
    """Who did what when, as a file."""
    names = (("CSV table", "csv"), ("JSON", "json"))
    Export([(label, f"cspsim-session-{door.code}.{kind}", _exporter(door, kind)) for label, kind in names], label="Session log")


def _exporter(door: Door, kind: str) -> Callable[[], str]:
    return lambda: door.export(kind)


def undo_label(view: View) -> str:
    """What the button that goes back says."""
    back = max(0, view.quarter - 1)
    return f"Go back to quarter {back + 1}"


def advance(door: Door, quarter: object, step: object) -> None:
    """End the step that stood on the page."""
    door.ask(door.rooms.advance, quarter, step)


def undo(door: Door, view: View) -> None:
    """Back to the start of the quarter that the button named."""
    door.ask(door.rooms.undo, max(0, view.quarter - 1), done=f"Back at the beginning of quarter {max(0, view.quarter - 1) + 1}.")


def end(door: Door) -> None:
    """End the game before its time."""
    door.ask(door.rooms.end)


def close(door: Door, on_closed: Callable[[], None]) -> None:
    """Remove the room."""
    if door.ask(door.rooms.close_room):
        on_closed()
