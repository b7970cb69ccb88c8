"""The card of one authority at the drawn table: its name, bars of work and money, and what is new about it."""

from textwrap import wrap

from cspsim.basics.formats import roughly
from cspsim.one_run.events import Joined, NewRepresentative, Reorganised
from cspsim.web import theme
from cspsim.web.watch.places import DrawingLayout, Point
from cspsim.web.watch.recorded_run import Recording
from cspsim.web.watch.shapes import SvgShape, Value, seen_by_month

NEW_FOR = 3
"""For how many months somebody counts as new."""
BAR, START = 66.0, 52.0
"""Length of a bar, and how far from the card's text it begins."""
MOST_LOAD, MOST_MONEY = 2.0, 1.5
"""What fills a bar: twice the hours there are; one and a half times the first month's money."""
LONGEST_LINE = 16


def card_news(recording: Recording, partnership: str, authority: str) -> list[str]:
    """What is new about who sits there, by month: kept for ``NEW_FOR`` months; empty where nothing is."""
    words = ((NewRepresentative, "New person"), (Reorganised, "Reorganised"), (Joined, "Joined"))
    index = {day: number for number, day in enumerate(recording.months)}
    found = [""] * len(recording.months)
    for kind, text in words:  # the rarer news last, so that it is the one kept
        for event in recording.events:
            if isinstance(event, kind) and (event.partnership, event.authority) == (partnership, authority):
                at = index[event.month]
                found[at : at + NEW_FOR] = [text] * len(found[at : at + NEW_FOR])
    return found


def card_of(recording: Recording, p: int, seat: int, middle: Point, layout: DrawingLayout) -> list[SvgShape]:
    """One authority: its name, bars of work and money, and what is new about it."""
    name = recording.authorities[seat]
    months = range(len(recording.months))
    there = (recording.member[:, p, seat] > 0).tolist()
    load, budget = recording.load[:, p, seat].tolist(), recording.budget[:, p, seat].tolist()
    first = next((budget[month] for month in months if there[month] and budget[month] > 0), 1.0)
    left, top = middle.x - layout.card_width / 2, middle.y - layout.card_height / 2
    inside = left + 12
    lines = wrap(recording.short(name), LONGEST_LINE, max_lines=2, placeholder="…") or [name]
    card: dict[str, Value] = {
        "x": left, "y": top, "width": layout.card_width, "height": layout.card_height, "rx": 8, "fill": theme.SURFACE, "stroke-width": 2.5,
    }  # fmt: skip
    frame = {
        "stroke": tuple[Value, ...](theme.INK if yes else theme.LINE for yes in there),
        "stroke-dasharray": tuple[Value, ...]("none" if yes else "6 5" for yes in there),
    }
    shapes = [SvgShape("rect", card, f"card-{seat}", frame)]
    ink = {"fill": tuple[Value, ...](theme.INK if yes else theme.SOFT for yes in there)}
    size = 18
    for number, line in enumerate(lines):
        at: dict[str, Value] = {"x": inside, "y": top + 28 + 20 * number, "font-size": size, "font-weight": 700}
        shapes.append(SvgShape("text", at, f"name-{seat}-{number}", ink, line))
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
    shapes.append(SvgShape("text", away, f"away-{seat}", {"visibility": seen_by_month([not yes for yes in there])}, "not at the table"))
    news = card_news(recording, recording.partnerships[p], name)
    seen = {"visibility": seen_by_month([bool(text) for text in news])}
    pill: dict[str, Value] = {
        "x": left + layout.card_width - 122,
        "y": top - 21,
        "width": 126,
        "height": 28,
        "rx": 14,
        "fill": theme.SERIES[4],
    }
    shapes.append(SvgShape("rect", pill, f"pill-{seat}", seen))
    words: dict[str, Value] = {
        "x": left + layout.card_width - 59, "y": top - 1, "font-size": 16, "font-weight": 700,
        "text-anchor": "middle", "fill": theme.SURFACE,
    }  # fmt: skip
    shapes.append(SvgShape("text", words, f"news-{seat}", {**seen, "text": tuple(news)}))
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
) -> list[SvgShape]:
    """A bar with its name before and its value behind it; the tick stands where 100 % is."""
    x, y = at
    seen = {"visibility": seen_by_month(there)}
    text: dict[str, Value] = {"font-size": 15, "fill": theme.INK}
    return [
        SvgShape("text", {**text, "x": x, "y": y}, key, seen, label),
        SvgShape("rect", {"x": x + START, "y": y - 12, "width": BAR, "height": 13, "fill": theme.WASH, "stroke": theme.LINE}, key, seen),
        SvgShape("rect", {"x": x + START, "y": y - 12, "height": 13}, f"{key}-bar", {**seen, "width": widths, "fill": colours}),
        SvgShape(
            "line",
            {"x1": x + START + full, "x2": x + START + full, "y1": y - 15, "y2": y + 4, "stroke": theme.INK, "stroke-width": 2},
            key,
            seen,
        ),
        SvgShape("text", {**text, "x": x + START + BAR + 6, "y": y}, f"{key}-said", {**seen, "text": said}),
    ]
