"""Charts of the debrief: the same decisions under other luck, and belief against truth."""

from collections.abc import Sequence
from math import isfinite
from typing import Any

from cspsim.basics.formats import scale_of
from cspsim.running.outcomes import OUTCOMES
from cspsim.web import theme
from cspsim.web.play.debrief import BeliefLine, OtherLuck
from cspsim.web.table import Table

OURS = "Your game"
SERIES = (
    ("Truth", "diamond", 15, theme.INK, "truth"),
    ("Your table at the start", "emptyCircle", 10, theme.SERIES[4], "before"),
    ("Your table at the end", "circle", 12, theme.SERIES[0], "after"),
    ("Largest claim", "triangle", 11, theme.SERIES[1], "claimed"),
)
"""Name, mark, size, colour and field of each series: told apart by their marks as well as their colours."""
ROW = 46
"""Pixels for one project."""


def luck_values(luck: OtherLuck) -> list[tuple[str, float]]:
    """Differences under every luck, the smallest first; the game's own is named."""
    others = [("Other luck", value) for value in luck.others if isfinite(value)]
    own = [(OURS, luck.difference)] if isfinite(luck.difference) else []
    return sorted([*others, *own], key=lambda pair: pair[1])


def luck_option(luck: OtherLuck) -> dict[str, Any]:
    """A bar for each luck in order of size: one sees at once on which side of nothing most of them lie."""
    values = luck_values(luck)
    named = {"show": True, "formatter": OURS, "color": theme.INK, "fontWeight": "bold", "backgroundColor": theme.SURFACE, "padding": 2}
    data: list[dict[str, Any]] = [{"value": value, "name": name, "itemStyle": {"color": theme.SERIES[5]}} for name, value in values]
    for bar in data:
        if bar["name"] == OURS:
            bar["itemStyle"] = {"color": theme.SERIES[1]}
            bar["label"] = {**named, "position": "top" if bar["value"] >= 0 else "bottom"}
    words = {"color": theme.SOFT, "fontSize": 12}
    return {
        "animation": False,
        "textStyle": {"fontFamily": "inherit", "color": theme.INK},
        "grid": {"left": 8, "right": 56, "top": 28, "bottom": 24, "containLabel": True},
        "xAxis": {"type": "category", "data": [name for name, _ in values], "axisLabel": {"show": False}, "axisTick": {"show": False},
                  "axisLine": {"lineStyle": {"color": theme.INK}}},
        "yAxis": {"type": "value", "splitNumber": 4, "axisLabel": words, "splitLine": {"lineStyle": {"color": theme.LINE}}},
        "tooltip": {"trigger": "item", "confine": True},
        "series": [{"type": "bar", "name": "", "data": data, "barCategoryGap": "15%", "emphasis": {"disabled": True}}],
    }  # fmt: skip


def other_luck_table(luck: OtherLuck) -> Table:
    """The bars as a table."""
    title = OUTCOMES[luck.outcome].title
    return Table(("Luck", f"Difference in {title.lower()}"), luck_values(luck), "The same decisions under other luck")


def luck_summary(luck: OtherLuck) -> str:
    """What the bars show."""
    values = [value for _, value in luck_values(luck)]
    scale = scale_of(OUTCOMES[luck.outcome].unit, max((abs(value) for value in values), default=0.0))

    def told(value: float) -> str:
        return f"{'minus ' if value < 0 else ''}{scale.before}{abs(value) / scale.divisor:.3g}{scale.after}"

    above, below = len([value for value in values if value > 0]), len([value for value in values if value < 0])
    ends = f"{len(values)} bars from {told(min(values))} to {told(max(values))}"
    return f"{ends}: {above} above nothing, {below} below; yours is {told(luck.difference)}."


def belief_option(beliefs: Sequence[BeliefLine]) -> dict[str, Any]:
    """Each project on its line: the truth, what the table believed at the start and at the end, and the largest claim."""
    names = [_short(one.title) for one in beliefs]
    words = {"color": theme.SOFT, "fontSize": 12}
    series: list[dict[str, Any]] = [
        {
            "type": "scatter",
            "name": name,
            "symbol": symbol,
            "symbolSize": size,
            "itemStyle": {"color": colour} | ({"borderColor": colour, "borderWidth": 2} if symbol == "emptyCircle" else {}),
            "data": [[round(getattr(one, field) * 100, 1), k] for k, one in enumerate(beliefs)],
            "emphasis": {"disabled": True},
            "z": 4 + (field == "truth"),
        }
        for name, symbol, size, colour, field in SERIES
    ]
    series[0]["markLine"] = {"silent": True, "symbol": "none", "label": {"show": False}, "animation": False,
                             "lineStyle": {"color": theme.INK, "type": "solid", "width": 1}, "data": [{"xAxis": 0}]}  # fmt: skip
    return {
        "animation": False,
        "textStyle": {"fontFamily": "inherit", "color": theme.INK},
        "legend": {"top": 0, "left": 0, "data": [name for name, *_ in SERIES], "textStyle": {"color": theme.INK, "fontSize": 12}},
        "grid": {"left": 8, "right": 16, "top": 60, "bottom": 8, "containLabel": True},
        "xAxis": {"type": "value", "splitNumber": 4, "axisLabel": {**words, "formatter": "{value}%", "hideOverlap": True},
                  "splitLine": {"lineStyle": {"color": theme.LINE}}},
        "yAxis": {"type": "category", "data": names, "inverse": True, "axisTick": {"show": False}, "axisLine": {"show": False},
                  "splitLine": {"show": True, "lineStyle": {"color": theme.LINE, "type": "dotted"}},
                  "axisLabel": {"color": theme.INK, "fontSize": 12, "lineHeight": 14, "interval": 0, "width": 150, "overflow": "break"}},
        "tooltip": {"trigger": "item", "confine": True},
        "series": series,
    }  # fmt: skip


def _short(title: str, most: int = 44) -> str:
    """A title that fits beside its line; the table has it whole."""
    return title if len(title) <= most else f"{title[: most - 1].rstrip(' ,:(')}\N{HORIZONTAL ELLIPSIS}"


def belief_table(beliefs: Sequence[BeliefLine]) -> Table:
    """The marks as a table, in per cent."""

    def share(value: float) -> str:
        return f"{value * 100:.0f}%".replace("-", "\N{MINUS SIGN}").replace("\N{MINUS SIGN}0%", "0%")

    rows = [
        (one.title, share(one.truth), share(one.before), share(one.after), f"{share(one.lowest)} to {share(one.highest)}",
         share(one.after_computer), share(one.claimed))
        for one in beliefs
    ]  # fmt: skip
    columns = ("Project", "Truth", "At the start", "At the end", "Single views at the end", "Computer's table", "Largest claim")
    return Table(columns, rows, "Fall of crime among those reached: belief and truth")
