"""A number that somebody sets: a slider and a number input that always agree, with unit, range and where the range comes from."""

from collections.abc import Callable
from math import floor, isfinite, log10
from typing import Any

import solara

from cspsim.model.parameters import RegisterEntry
from cspsim.web.event_types import template


@template("vue/number_field.vue")
def _NumberField(
    label: str,
    value: float,
    usual: float,
    limits: dict[str, Any],
    hint: str,
    unit: str,
    disabled: bool,
    event_change: Callable[[float], None],
) -> None:
    pass


def step_of(low: float, high: float) -> float:
    """A step that crosses the range in some hundred steps: 0.01 from 0 to 1, 0.05 from 0 to 3, 1 from 0 to 100."""
    if not high > low:
        return 1.0
    raw = (high - low) / 100
    power = 10.0 ** floor(log10(raw) + 1e-9)
    return float(f"{next(part for part in (1, 2, 5, 10) if part * power >= raw * 0.999) * power:.12g}")


def bounded(value: Any, low: float, high: float) -> float | None:
    """A number that came from a browser, kept within its range; None for what is no number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        return None
    return min(max(float(value), low), high)


def range_in_words(figure: RegisterEntry) -> str:
    """The range and where it comes from: ``0 to 3 times. What is set is a policy choice.``."""
    source = figure.source[:1].upper() + figure.source[1:]
    origin = source if figure.status == "assumption" else f"{figure.status.capitalize()}: {figure.source}"
    return f"{figure.low:g} to {figure.high:g} {figure.unit}. {origin.rstrip('.')}."


@solara.component
def NumberField(
    figure: RegisterEntry,
    value: float,
    on_value: Callable[[float], None],
    label: str = "",
    step: float | None = None,
    default: float | None = None,
    whole: bool = False,
    disabled: bool = False,
    slider: bool = True,
) -> None:
    """A slider beside a number input for one entry of a register (``Figure``), which gives title, meaning, unit, range and source.

    ``on_value`` gets every settled value, already kept within the range: while the slider moves at most ten times a second,
    and once when it is let go. ``default`` (else the register's) is what the small button "reset" sets. ``whole``: whole
    numbers only. ``slider`` False leaves the slider out, where no hand could find a value on it. For a number that is in no
    register write ``Figure(value, low, high, unit, meaning, "", source, "", title)``.
    """
    low, high = figure.low, figure.high

    def change(raw: Any) -> None:
        kept = bounded(raw, low, high)
        if kept is not None:
            on_value(float(round(kept)) if whole else kept)

    _NumberField(
        label=label or figure.title or figure.meaning,
        value=float(value),
        usual=figure.value if default is None else default,
        limits={"low": low, "high": high, "step": step or (1 if whole else step_of(low, high)), "slider": slider},
        hint=f"{figure.meaning[:1].upper()}{figure.meaning[1:]}. {range_in_words(figure)}"
        if label or figure.title
        else range_in_words(figure),
        unit=figure.unit,
        disabled=disabled,
        event_change=change,
    )
