"""Controls of Play with a template of their own: a step ended once, and a thing done only after it has been confirmed."""

from collections.abc import Callable, Mapping
from typing import Any

import solara

from cspsim.web.event_types import Position, template


@template("step_button.vue")
def _StepButton(label: str, kind: str, position: dict[str, int], event_press: Callable[[Position], None]) -> None:
    pass


@solara.component
def StepButton(label: str, quarter: int, step: int, on_press: Callable[[Any, Any], None], kind: str = "primary") -> None:
    """A button for the step its reader saw: it hands over the quarter and step that stood on the page when it was pressed."""

    def press(raw: Any) -> None:
        if isinstance(raw, Mapping):
            on_press(raw.get("quarter"), raw.get("step"))

    _StepButton(label=label, kind=kind, position={"quarter": quarter, "step": step}, event_press=press)


@template("confirm.vue")
def _Confirm(label: str, kind: str, question: str, sure: str, event_agree: Callable[[None], None]) -> None:
    pass


@solara.component
def Confirm(label: str, question: str, sure: str, on_agree: Callable[[], None], kind: str = "plain") -> None:
    """A button that asks before it does anything; Escape says no."""
    _Confirm(label=label, kind=kind, question=question, sure=sure, event_agree=lambda _: on_agree())
