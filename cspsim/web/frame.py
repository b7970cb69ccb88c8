"""What a page tells the frame around it: the scenario and seed shown in the header, and the facilitator's notes.

A page calls ``use_frame(scenario=..., seed=..., notes=[...])`` once, at the top of its ``Page``. What it says belongs to
one browser tab: the reactive value below is kept by Solara for each tab apart.
"""

from collections.abc import Sequence
from typing import NamedTuple

import solara


class Note(NamedTuple):
    """One paragraph of the facilitator's notes, under a heading; lines that begin with "- " become a list."""

    heading: str
    text: str


class Frame(NamedTuple):
    """What the header and the notes drawer show."""

    scenario: str = ""
    seed: int | None = None
    notes: tuple[Note, ...] = ()


shown_frame: solara.Reactive[Frame] = solara.reactive(Frame())
notes_open: solara.Reactive[bool] = solara.reactive(False)


def use_frame(scenario: str = "", seed: int | None = None, notes: Sequence[Note] = ()) -> None:
    """Show a scenario's title, a seed and notes in the frame for as long as the page is open."""
    frame = Frame(scenario, seed, tuple(notes))

    def tell() -> None:
        shown_frame.value = frame

    solara.use_effect(tell, [frame])
