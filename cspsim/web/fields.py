"""Native controls with their labels: pick one, tick, write. Values from a browser are checked before a page gets them."""

from collections.abc import Callable, Mapping
from typing import Any

import solara

from cspsim.web.event_types import Line, template


@template("vue/field.vue")
def _Field(
    kind: str,
    label: str,
    value: Any,
    options: list[dict[str, str]],
    hint: str,
    settings: dict[str, Any],
    event_change: Callable[[bool | Line], None],
) -> None:
    pass


@solara.component
def ChoiceField(
    label: str,
    value: str,
    options: Mapping[str, str],
    on_value: Callable[[str], None],
    hint: str = "",
    disabled: bool = False,
) -> None:
    """Pick one of ``{key: words}``; ``on_value`` gets a key of ``options`` and nothing else."""

    def change(raw: Any) -> None:
        if isinstance(raw, str) and raw in options:
            on_value(raw)

    shown = [{"key": key, "words": text} for key, text in options.items()]
    _Field(kind="choice", label=label, value=value, options=shown, hint=hint, settings={"disabled": disabled}, event_change=change)


@solara.component
def Tick(label: str, value: bool, on_value: Callable[[bool], None], hint: str = "", disabled: bool = False) -> None:
    """On or off."""

    def change(raw: Any) -> None:
        if isinstance(raw, bool):
            on_value(raw)

    _Field(kind="tick", label=label, value=value, options=[], hint=hint, settings={"disabled": disabled}, event_change=change)


@solara.component
def TextField(
    label: str,
    value: str,
    on_value: Callable[[str], None],
    hint: str = "",
    longest: int = 200,
    lines: int = 1,
    disabled: bool = False,
) -> None:
    """Text of at most ``longest`` letters, given to the page when somebody leaves the field or presses Enter."""

    def change(raw: Any) -> None:
        if isinstance(raw, str):
            on_value("".join(mark for mark in raw[:longest] if mark == "\n" or mark.isprintable()))

    settings = {"disabled": disabled, "longest": longest, "lines": lines}
    _Field(kind="text", label=label, value=value, options=[], hint=hint, settings=settings, event_change=change)
