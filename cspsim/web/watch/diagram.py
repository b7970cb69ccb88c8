"""The table as a drawing: authorities around it, lines as thick as trust, bars of work and money, who is new, who challenges whom."""

from collections.abc import Mapping

from cspsim.one_run.events import Challenged
from cspsim.web import theme
from cspsim.web.watch.card import card_of
from cspsim.web.watch.places import SQUARE, TALL, WIDE, DrawingLayout, Point, plan_of, visible_cards
from cspsim.web.watch.recorded_run import Recording
from cspsim.web.watch.shapes import Drawing, SvgShape, Value, seen_by_month

THINNEST, THICKEST = 1.0, 18.0
LITTLE, MUCH = 0.4, 0.75
"""Trust that is drawn thinnest and thickest: what lies between is where the model's tables are."""


def draw_table(recording: Recording, partnership: str, layout: DrawingLayout = WIDE) -> Drawing:
    """One partnership's table through all its months."""
    p = recording.partnerships.index(partnership)
    seats = recording.seats(p)
    plan = plan_of(len(seats), layout)
    shapes: list[SvgShape] = [_table(plan.width, plan.height)]
    pairs = [(one, other) for one in range(len(seats)) for other in range(one + 1, len(seats))]
    for one, other in pairs:
        shapes += _ties(recording, p, (seats[one], seats[other]), (plan.middles[one], plan.middles[other]), layout)
    busy = _months_of_challenges(recording, partnership)
    for one, other in pairs:
        for a, b in ((one, other), (other, one)):
            shapes += _challenge(recording, busy, (seats[a], seats[b]), (plan.middles[a], plan.middles[b]), layout)
    for seat, middle in zip(seats, plan.middles, strict=True):
        shapes += card_of(recording, p, seat, middle, layout)
    return Drawing(f"The table of {recording.titles[partnership]}", plan.width, plan.height, tuple(shapes))


def both(recording: Recording, partnership: str, side_by_side: bool = False) -> tuple[Drawing, Drawing]:
    """The drawing for a wide window and the one for a narrow one; the same things move in both."""
    return draw_table(recording, partnership, SQUARE if side_by_side else WIDE), draw_table(recording, partnership, TALL)


def thickness(trust: float) -> float:
    """The thickness of a line for this much trust."""
    share = min(1.0, max(0.0, (trust - LITTLE) / (MUCH - LITTLE)))
    return round(THINNEST + share * (THICKEST - THINNEST), 1)


def _table(width: float, height: float) -> SvgShape:
    fixed: dict[str, Value] = {"cx": width / 2, "cy": height / 2, "rx": width * 0.36, "ry": height * 0.36}
    return SvgShape("ellipse", {**fixed, "fill": theme.WASH, "stroke": theme.LINE, "stroke-width": 2})


def _ties(recording: Recording, p: int, pair: tuple[int, int], at: tuple[Point, Point], layout: DrawingLayout) -> list[SvgShape]:
    """A line in two halves: the half beside an authority is as thick as its trust in the one at the other end."""
    ends = visible_cards(*at, layout)
    middle = Point((ends[0].x + ends[1].x) / 2, (ends[0].y + ends[1].y) / 2)
    there = recording.member[:, p, pair[0]] * recording.member[:, p, pair[1]] > 0
    shapes = []
    for (one, other), end in zip((pair, pair[::-1]), ends, strict=True):
        trust = recording.trust[:, p, one, other].tolist()
        moving: dict[str, tuple[Value, ...]] = {"stroke-width": tuple(map(thickness, trust)), "visibility": seen_by_month(there.tolist())}
        place: dict[str, Value] = {
            "x1": end.x,
            "y1": end.y,
            "x2": middle.x,
            "y2": middle.y,
            "stroke": theme.SERIES[0],
            "stroke-opacity": "0.75",
        }
        shapes.append(SvgShape("line", place, f"trust-{one}-{other}", moving))
    return shapes


def _challenge(
    recording: Recording, busy: Mapping[tuple[str, str], set[int]], pair: tuple[int, int], at: tuple[Point, Point], layout: DrawingLayout
) -> list[SvgShape]:
    """An arrow from who challenges to the sponsor, in the months in which it happens; dashed, so that it is told apart without colour."""
    challenger, sponsor = (recording.authorities[seat] for seat in pair)
    then = busy.get((challenger, sponsor), set())
    start, end = visible_cards(*at, layout)
    across, down = end.x - start.x, end.y - start.y
    length = max(1.0, (across * across + down * down) ** 0.5)
    ux, uy = across / length, down / length
    aside = 7.0  # the arrow of the other direction lies on the other side of the line
    x1, y1, x2, y2 = start.x - uy * aside, start.y + ux * aside, end.x - uy * aside, end.y + ux * aside
    tip = " ".join(
        f"{x:.1f},{y:.1f}"
        for x, y in ((x2, y2), (x2 - 18 * ux - 9 * uy, y2 - 18 * uy + 9 * ux), (x2 - 18 * ux + 9 * uy, y2 - 18 * uy - 9 * ux))
    )
    moving = {"visibility": seen_by_month([month in then for month in range(len(recording.months))])}
    line: dict[str, Value] = {"x1": x1, "y1": y1, "x2": x2 - 12 * ux, "y2": y2 - 12 * uy, "stroke-width": 4, "stroke-dasharray": "10 5"}
    key = f"challenge-{pair[0]}-{pair[1]}"
    return [
        SvgShape("line", {**line, "stroke": theme.SERIES[1]}, key, moving),
        SvgShape("polygon", {"points": tip, "fill": theme.SERIES[1]}, key, moving),
    ]


def _months_of_challenges(recording: Recording, partnership: str) -> dict[tuple[str, str], set[int]]:
    """(challenger, sponsor) -> months."""
    index = {day: number for number, day in enumerate(recording.months)}
    found: dict[tuple[str, str], set[int]] = {}
    for event in recording.events:
        if isinstance(event, Challenged) and event.partnership == partnership:
            found.setdefault((event.challenger, event.sponsor), set()).add(index[event.month])
    return found
