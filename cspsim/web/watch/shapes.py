"""Shapes of a drawing: SVG elements with what moves in them month by month. Every text is escaped here.

A drawing is one SVG text and the tracks of what moves in it: the value of every month for each key and attribute. The
browser lays the text down once and then only sets what changes, so that a month costs next to nothing. It is the only
markup that a page builds from data.
"""

import re
from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from cspsim.web import theme

Value = str | float
IN_NUMBERS = "What it shows stands below, under: The table in numbers."
HIDDEN, SHOWN = "hidden", "visible"


class Track(NamedTuple):
    """What an attribute of a shape is, month by month; the attribute ``text`` is what stands in it."""

    key: str
    attribute: str
    values: tuple[Value, ...]


class SvgShape(NamedTuple):
    """An SVG element: what is fixed, what moves, and what it says."""

    tag: str
    fixed: dict[str, Value]
    key: str = ""
    moving: dict[str, tuple[Value, ...]] = {}  # noqa: RUF012 # never changed
    text: str = ""


class Drawing(NamedTuple):
    """A table drawn in one layout."""

    title: str
    width: float
    height: float
    shapes: tuple[SvgShape, ...]

    @property
    def tracks(self) -> list[Track]:
        """Everything that moves: what never changes is in the text already."""
        found = {
            (shape.key, attribute): Track(shape.key, attribute, values)
            for shape in self.shapes
            for attribute, values in shape.moving.items()
            if len(set(values)) > 1
        }
        return list(found.values())


def as_svg(drawing: Drawing, month: int, alone: bool = False) -> str:
    """The drawing of one month as SVG text. ``alone``: a file of its own, which brings its colours along."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {drawing.width:.0f} {drawing.height:.0f}" role="img" '
        f'aria-label="{escape(drawing.title)}. {IN_NUMBERS}" font-family="system-ui, Segoe UI, Roboto, Helvetica Neue, Arial, sans-serif">'
    ]
    if alone:
        parts.append(f"<title>{escape(drawing.title)}</title><style>:root{{{_colours()}}}</style>")
        parts.append(f'<rect width="100%" height="100%" fill="{theme.SURFACE}"/>')
    parts += [_element(shape, month) for shape in drawing.shapes]
    return "".join([*parts, "</svg>"])


def _colours() -> str:
    root = re.search(r":root \{(.*?)\n\}", theme.css(), re.S)
    return "".join(re.findall(r"--csp-[\w-]+:\s*#[0-9a-f]{6};", root.group(1))) if root else ""


def _element(shape: SvgShape, month: int) -> str:
    now = {**shape.fixed, **{name: values[month] for name, values in shape.moving.items()}}
    text = str(now.pop("text", shape.text))
    key = f' data-k="{escape(shape.key)}"' if shape.key else ""
    attributes = "".join(f' {name}="{escape(_written(value))}"' for name, value in now.items())
    return f"<{shape.tag}{key}{attributes}>{escape(text)}</{shape.tag}>"


def _written(value: Value) -> str:
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else str(value)


def seen_by_month(flags: Sequence[bool]) -> tuple[Value, ...]:
    """Whether a shape is seen, by month."""
    return tuple(SHOWN if flag else HIDDEN for flag in flags)
