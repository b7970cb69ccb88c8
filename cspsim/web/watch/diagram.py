"""The table as a drawing: authorities around it, lines as thick as trust, bars of work and money, who is new, who challenges whom.

A drawing is one SVG text and the tracks of what moves in it: for a key and an attribute the value of every month. The
browser lays the text down once and then only sets what changes, so that a month costs next to nothing. Every text in
it is escaped here; it is the only markup that a page builds from data.
"""

import re
from collections.abc import Sequence
from html import escape
from textwrap import wrap
from typing import NamedTuple

from cspsim.events import Challenged, Joined, NewRepresentative, Reorganised
from cspsim.formats import roughly
from cspsim.web import theme
from cspsim.web.watch.places import SQUARE, TALL, WIDE, Layout, Point, plan_of, visible
from cspsim.web.watch.recording import Recording

Value = str | float

THINNEST, THICKEST = 1.0, 18.0
LITTLE, MUCH = 0.4, 0.75
"""Trust that is drawn thinnest and thickest: what lies between is where the model's tables are."""
NEW_FOR = 3
"""Months that somebody counts as new."""
BAR, START = 66.0, 52.0
"""Length of a bar, and how far from the card's text it begins."""
MOST_LOAD, MOST_MONEY = 2.0, 1.5
"""What fills a bar: twice the hours there are; one and a half times the first month's money."""
HIDDEN, SHOWN = "hidden", "visible"


class Track(NamedTuple):
    """What an attribute of a shape is, month by month; the attribute ``text`` is what stands in it."""

    key: str
    attribute: str
    values: tuple[Value, ...]


class Shape(NamedTuple):
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
    shapes: tuple[Shape, ...]

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


def draw(recording: Recording, partnership: str, layout: Layout = WIDE) -> Drawing:
    """One partnership's table through all its months."""
    p = recording.partnerships.index(partnership)
    seats = recording.seats(p)
    plan = plan_of(len(seats), layout)
    shapes: list[Shape] = [_table(plan.width, plan.height)]
    pairs = [(one, other) for one in range(len(seats)) for other in range(one + 1, len(seats))]
    for one, other in pairs:
        shapes += _ties(recording, p, (seats[one], seats[other]), (plan.middles[one], plan.middles[other]), layout)
    for one, other in pairs:
        for a, b in ((one, other), (other, one)):
            shapes += _challenge(recording, partnership, (seats[a], seats[b]), (plan.middles[a], plan.middles[b]), layout)
    for seat, middle in zip(seats, plan.middles, strict=True):
        shapes += _card(recording, p, seat, middle, layout)
    return Drawing(f"The table of {recording.titles[partnership]}", plan.width, plan.height, tuple(shapes))


def both(recording: Recording, partnership: str, side_by_side: bool = False) -> tuple[Drawing, Drawing]:
    """The drawing for a wide window and the one for a narrow one; the same things move in both."""
    return draw(recording, partnership, SQUARE if side_by_side else WIDE), draw(recording, partnership, TALL)


def thickness(trust: float) -> float:
    """How thick a line of so much trust is drawn."""
    share = min(1.0, max(0.0, (trust - LITTLE) / (MUCH - LITTLE)))
    return round(THINNEST + share * (THICKEST - THINNEST), 1)


def as_svg(drawing: Drawing, month: int, alone: bool = False) -> str:
    """The drawing of one month as SVG text. ``alone``: a file of its own, which brings its colours along."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {drawing.width:.0f} {drawing.height:.0f}" role="img" '
        f'aria-label="{escape(drawing.title)}" font-family="system-ui, Segoe UI, Roboto, Helvetica Neue, Arial, sans-serif">'
    ]
    if alone:
        parts.append(f"<title>{escape(drawing.title)}</title><style>:root{{{_colours()}}}</style>")
        parts.append(f'<rect width="100%" height="100%" fill="{theme.SURFACE}"/>')
    parts += [_element(shape, month) for shape in drawing.shapes]
    return "".join([*parts, "</svg>"])


def _colours() -> str:
    root = re.search(r":root \{(.*?)\n\}", theme.css(), re.S)
    return "".join(re.findall(r"--csp-[\w-]+:\s*#[0-9a-f]{6};", root.group(1))) if root else ""


def _element(shape: Shape, month: int) -> str:
    now = {**shape.fixed, **{name: values[month] for name, values in shape.moving.items()}}
    text = str(now.pop("text", shape.text))
    key = f' data-k="{escape(shape.key)}"' if shape.key else ""
    attributes = "".join(f' {name}="{escape(_written(value))}"' for name, value in now.items())
    return f"<{shape.tag}{key}{attributes}>{escape(text)}</{shape.tag}>"


def _written(value: Value) -> str:
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else str(value)


def _shown(flags: Sequence[bool]) -> tuple[Value, ...]:
    return tuple(SHOWN if flag else HIDDEN for flag in flags)


def _table(width: float, height: float) -> Shape:
    fixed: dict[str, Value] = {"cx": width / 2, "cy": height / 2, "rx": width * 0.36, "ry": height * 0.36}
    return Shape("ellipse", {**fixed, "fill": theme.WASH, "stroke": theme.LINE, "stroke-width": 2})


def _ties(recording: Recording, p: int, pair: tuple[int, int], at: tuple[Point, Point], layout: Layout) -> list[Shape]:
    """A line in two halves: the half beside an authority is as thick as its trust in the one at the other end."""
    ends = visible(*at, layout)
    middle = Point((ends[0].x + ends[1].x) / 2, (ends[0].y + ends[1].y) / 2)
    there = recording.member[:, p, pair[0]] * recording.member[:, p, pair[1]] > 0
    shapes = []
    for (one, other), end in zip((pair, pair[::-1]), ends, strict=True):
        trust = recording.trust[:, p, one, other].tolist()
        moving: dict[str, tuple[Value, ...]] = {"stroke-width": tuple(map(thickness, trust)), "visibility": _shown(there.tolist())}
        place: dict[str, Value] = {
            "x1": end.x,
            "y1": end.y,
            "x2": middle.x,
            "y2": middle.y,
            "stroke": theme.SERIES[0],
            "stroke-opacity": "0.75",
        }
        shapes.append(Shape("line", place, f"trust-{one}-{other}", moving))
    return shapes


def _challenge(recording: Recording, partnership: str, pair: tuple[int, int], at: tuple[Point, Point], layout: Layout) -> list[Shape]:
    """An arrow from who challenges to the sponsor, in the months in which it happens; dashed, so that it is told apart without colour."""
    names = [recording.authorities[seat] for seat in pair]
    busy = _months_of_challenges(recording, partnership).get((names[0], names[1]), set())
    start, end = visible(*at, layout)
    across, down = end.x - start.x, end.y - start.y
    length = max(1.0, (across * across + down * down) ** 0.5)
    ux, uy = across / length, down / length
    aside = 7.0  # the arrow of the other direction lies on the other side of the line
    x1, y1, x2, y2 = start.x - uy * aside, start.y + ux * aside, end.x - uy * aside, end.y + ux * aside
    tip = " ".join(
        f"{x:.1f},{y:.1f}"
        for x, y in ((x2, y2), (x2 - 18 * ux - 9 * uy, y2 - 18 * uy + 9 * ux), (x2 - 18 * ux + 9 * uy, y2 - 18 * uy - 9 * ux))
    )
    moving = {"visibility": _shown([month in busy for month in range(len(recording.months))])}
    line: dict[str, Value] = {"x1": x1, "y1": y1, "x2": x2 - 12 * ux, "y2": y2 - 12 * uy, "stroke-width": 4, "stroke-dasharray": "10 5"}
    key = f"challenge-{pair[0]}-{pair[1]}"
    return [
        Shape("line", {**line, "stroke": theme.SERIES[1]}, key, moving),
        Shape("polygon", {"points": tip, "fill": theme.SERIES[1]}, key, moving),
    ]


def _months_of_challenges(recording: Recording, partnership: str) -> dict[tuple[str, str], set[int]]:
    """(challenger, sponsor) -> months."""
    index = {day: number for number, day in enumerate(recording.months)}
    found: dict[tuple[str, str], set[int]] = {}
    for event in recording.events:
        if isinstance(event, Challenged) and event.partnership == partnership:
            found.setdefault((event.challenger, event.sponsor), set()).add(index[event.month])
    return found


def news_of(recording: Recording, partnership: str, authority: str) -> list[str]:
    """What is new about who sits there, by month: kept for ``NEW_FOR`` months; empty where nothing is."""
    words = ((NewRepresentative, "New person"), (Reorganised, "Reorganised"), (Joined, "Joined"))
    index = {day: number for number, day in enumerate(recording.months)}
    found = [""] * len(recording.months)
    for kind, text in words:  # the rarer news last: it stays
        for event in recording.events:
            if isinstance(event, kind) and (event.partnership, event.authority) == (partnership, authority):
                at = index[event.month]
                found[at : at + NEW_FOR] = [text] * len(found[at : at + NEW_FOR])
    return found


def _card(recording: Recording, p: int, seat: int, middle: Point, layout: Layout) -> list[Shape]:
    """One authority: its name, bars of work and money, and what is new about it."""
    name = recording.authorities[seat]
    months = range(len(recording.months))
    there = (recording.member[:, p, seat] > 0).tolist()
    load, budget = recording.load[:, p, seat].tolist(), recording.budget[:, p, seat].tolist()
    first = next((budget[month] for month in months if there[month] and budget[month] > 0), 1.0)
    left, top = middle.x - layout.card_width / 2, middle.y - layout.card_height / 2
    inside = left + 12
    lines = wrap(recording.short(name), 16, max_lines=2, placeholder="…") or [name]
    card: dict[str, Value] = {
        "x": left, "y": top, "width": layout.card_width, "height": layout.card_height, "rx": 8, "fill": theme.SURFACE, "stroke-width": 2.5,
    }  # fmt: skip
    frame = {
        "stroke": tuple[Value, ...](theme.INK if yes else theme.LINE for yes in there),
        "stroke-dasharray": tuple[Value, ...]("none" if yes else "6 5" for yes in there),
    }
    shapes = [Shape("rect", card, f"card-{seat}", frame)]
    ink = {"fill": tuple[Value, ...](theme.INK if yes else theme.SOFT for yes in there)}
    size = 18
    for number, line in enumerate(lines):
        at: dict[str, Value] = {"x": inside, "y": top + 28 + 20 * number, "font-size": size, "font-weight": 700}
        shapes.append(Shape("text", at, f"name-{seat}-{number}", ink, line))
    over = [load[month] > 1 for month in months]
    work = tuple[Value, ...](round(BAR * min(1.0, value / MOST_LOAD), 1) for value in load)
    said = tuple[Value, ...](f"{value:.0%}{' ▲' if above else ''}" for value, above in zip(load, over, strict=True))
    colour = tuple[Value, ...](theme.SERIES[1] if above else theme.SERIES[0] for above in over)
    shapes += _bar("Work", f"work-{seat}", (inside, top + 76), work, said, colour, there, BAR / MOST_LOAD)
    money = tuple[Value, ...](round(BAR * min(1.0, value / first / MOST_MONEY), 1) for value in budget)
    pounds = tuple[Value, ...](roughly(value, "£") if value > 0 else "none" for value in budget)
    green = tuple[Value, ...](theme.SERIES[2] for _ in months)
    shapes += _bar("Money", f"money-{seat}", (inside, top + 103), money, pounds, green, there, BAR / MOST_MONEY)
    away: dict[str, Value] = {"x": inside, "y": top + 88, "font-size": 16, "fill": theme.SOFT}
    shapes.append(Shape("text", away, f"away-{seat}", {"visibility": _shown([not yes for yes in there])}, "not at the table"))
    news = news_of(recording, recording.partnerships[p], name)
    seen = {"visibility": _shown([bool(text) for text in news])}
    pill: dict[str, Value] = {
        "x": left + layout.card_width - 122,
        "y": top - 21,
        "width": 126,
        "height": 28,
        "rx": 14,
        "fill": theme.SERIES[4],
    }
    shapes.append(Shape("rect", pill, f"pill-{seat}", seen))
    words: dict[str, Value] = {
        "x": left + layout.card_width - 59, "y": top - 1, "font-size": 16, "font-weight": 700,
        "text-anchor": "middle", "fill": theme.SURFACE,
    }  # fmt: skip
    shapes.append(Shape("text", words, f"news-{seat}", {**seen, "text": tuple(news)}))
    return shapes


def _bar(
    label: str,
    key: str,
    at: tuple[float, float],
    widths: tuple[Value, ...],
    said: tuple[Value, ...],
    colours: tuple[Value, ...],
    there: list[bool],
    full: float,
) -> list[Shape]:
    """A bar with its name before and its value behind it; the tick stands where 100 % is."""
    x, y = at
    shown = {"visibility": _shown(there)}
    text: dict[str, Value] = {"font-size": 15, "fill": theme.INK}
    return [
        Shape("text", {**text, "x": x, "y": y}, key, shown, label),
        Shape("rect", {"x": x + START, "y": y - 12, "width": BAR, "height": 13, "fill": theme.WASH, "stroke": theme.LINE}, key, shown),
        Shape("rect", {"x": x + START, "y": y - 12, "height": 13}, f"{key}-bar", {**shown, "width": widths, "fill": colours}),
        Shape(
            "line",
            {"x1": x + START + full, "x2": x + START + full, "y1": y - 15, "y2": y + 4, "stroke": theme.INK, "stroke-width": 2},
            key,
            shown,
        ),
        Shape("text", {**text, "x": x + START + BAR + 6, "y": y}, f"{key}-said", {**shown, "text": said}),
    ]
