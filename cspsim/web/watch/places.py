"""Where authorities sit around the drawn table: cards on an oval that never overlap, and the lines between them."""

from collections.abc import Sequence
from math import cos, pi, sin
from typing import NamedTuple

MARGIN = 24.0


class Point(NamedTuple):
    """A place in the drawing, in its own units."""

    x: float
    y: float


class DrawingLayout(NamedTuple):
    """A shape of the drawing: ``wide`` beside a log, ``square`` beside another table, ``tall`` in a narrow window.

    Sizes of a card, and the least radii of the oval.
    """

    name: str
    card_width: float
    card_height: float
    radius_x: float
    radius_y: float
    grows_sideways: bool


WIDE = DrawingLayout("wide", 204, 116, 318, 226, True)
SQUARE = DrawingLayout("square", 204, 116, 232, 270, True)
TALL = DrawingLayout("tall", 196, 116, 104, 230, False)


class DrawingPlan(NamedTuple):
    """Size of the drawing and the middle of every card."""

    width: float
    height: float
    middles: tuple[Point, ...]


def plan_of(seats: int, layout: DrawingLayout) -> DrawingPlan:
    """Places for this number of seats, the first at the top and then clockwise; the oval grows until no card touches another."""
    radius_x, radius_y = layout.radius_x, layout.radius_y
    middles = _oval(seats, radius_x, radius_y, layout)
    while _touching(middles, layout):
        radius_x, radius_y = radius_x * (1.04 if layout.grows_sideways else 1), radius_y * 1.04
        middles = _oval(seats, radius_x, radius_y, layout)
    left, top = (min(axis) for axis in zip(*middles, strict=True))
    shift_x, shift_y = layout.card_width / 2 + MARGIN - left, layout.card_height / 2 + MARGIN - top
    moved = tuple(Point(x + shift_x, y + shift_y) for x, y in middles)
    return DrawingPlan(
        max(point.x for point in moved) + layout.card_width / 2 + MARGIN,
        max(point.y for point in moved) + layout.card_height / 2 + MARGIN,
        moved,
    )


def _oval(seats: int, radius_x: float, radius_y: float, layout: DrawingLayout) -> list[Point]:
    found = []
    least = layout.card_width / 2 + 16  # side by side rather than overlapping where the oval is narrow
    for seat in range(seats):
        angle = 2 * pi * seat / seats - pi / 2
        x = radius_x * cos(angle)
        if not layout.grows_sideways and abs(x) > 1:
            x = max(abs(x), least) * (1 if x > 0 else -1)
        found.append(Point(x, radius_y * sin(angle)))
    return found


def _touching(middles: Sequence[Point], layout: DrawingLayout) -> bool:
    gap_x, gap_y = layout.card_width + 6, layout.card_height + 18
    return any(
        abs(one.x - other.x) < gap_x and abs(one.y - other.y) < gap_y
        for number, one in enumerate(middles)
        for other in middles[number + 1 :]
    )


def visible_cards(one: Point, other: Point, layout: DrawingLayout) -> tuple[Point, Point]:
    """The part of the line between two cards' middles that neither card covers."""
    across, down = other.x - one.x, other.y - one.y
    reach = min(
        (layout.card_width / 2) / abs(across) if across else 1.0,
        (layout.card_height / 2) / abs(down) if down else 1.0,
        0.5,
    )
    return Point(one.x + across * reach, one.y + down * reach), Point(other.x - across * reach, other.y - down * reach)
