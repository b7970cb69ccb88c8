"""Charts as data: ECharts options in the house style. The baseline is black and dashed, the scenario blue and solid.

>>> option = line_option(["2011", "2012"], [Line("baseline", [3.0, 4.0], role="baseline"), Line("cut", [3.0, 5.0])])
>>> [series["name"] for series in option["series"]]
['baseline', 'cut']
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from cspsim.model.parameters import Floats
from cspsim.web import theme

Numbers = Sequence[float | None] | Floats


class Line(NamedTuple):
    """One line of a chart, with its direct label and, where runs differ, bands for 50 and 90 % of them.

    ``role``: "baseline" (black, dashed), "scenario" (blue, solid) or "other" (the next colour and dash).
    ``band50`` and ``band90`` are pairs (low, high). ``label``: what stands at its end; its name if not given.
    """

    name: str
    values: Numbers
    role: str = "scenario"
    band50: tuple[Numbers, Numbers] | None = None
    band90: tuple[Numbers, Numbers] | None = None
    label: str | None = None


def _numbers(values: Numbers) -> list[float | None]:
    return [None if value is None or value != value else float(value) for value in values]


def _looks(lines: Sequence[Line]) -> list[tuple[str, Any, float]]:
    """Colour, dash and width of each line."""
    found: list[tuple[str, Any, float]] = []
    others = 1  # the first of the series is the scenario's blue
    for line in lines:
        if line.role == "baseline":
            found.append((theme.BASELINE, theme.BASELINE_DASH, 2.0))
        elif line.role == "scenario":
            found.append((theme.SCENARIO, "solid", 2.5))
        else:
            found.append((theme.SERIES[others % len(theme.SERIES)], theme.DASHES[others % len(theme.DASHES)], 2.0))
            others += 1
    return found


def _base(value_axis: dict[str, Any], name_axis: dict[str, Any], right: int) -> dict[str, Any]:
    words = {"color": theme.SOFT, "fontSize": 12}
    names = {
        "type": "category",
        "axisLine": {"lineStyle": {"color": theme.LINE}},
        "axisTick": {"show": False},
        "axisLabel": {**words, "hideOverlap": True},
        **name_axis,
    }
    values = {
        "type": "value",
        "splitNumber": 4,
        "axisLabel": {**words, "hideOverlap": True},
        "splitLine": {"lineStyle": {"color": theme.LINE, "width": 1}},
        **value_axis,
    }
    return {
        "animation": False,
        "textStyle": {"fontFamily": "inherit", "color": theme.INK},
        "grid": {"left": 8, "right": right, "top": 12, "bottom": 8, "containLabel": True},
        "xAxis": names,
        "yAxis": values,
        "tooltip": {"trigger": "axis", "confine": True},
    }


def line_option(
    labels: Sequence[str],
    lines: Sequence[Line],
    from_zero: bool = False,
    mark: int | None = None,
    label_width: int = 92,
) -> dict[str, Any]:
    """Lines over months or years, each named at its end. ``mark``: index of the label where a vertical line stands (now).

    ``from_zero``: the value axis begins at zero; otherwise it begins where it shows the lines best. ``label_width``: room
    in pixels for the names at the right; 0 leaves them out (say in the page which line is which).
    """
    option = _base({"scale": not from_zero}, {"data": list(labels), "boundaryGap": False}, label_width or 16)
    series: list[dict[str, Any]] = []
    for k, (line, (colour, dash, width)) in enumerate(zip(lines, _looks(lines), strict=True)):
        for name, band, shade in (("90", line.band90, 0.13), ("50", line.band50, 0.24)):
            if band is not None:
                series += _band(f"{k}-{name}", band, colour, shade)
        series.append(
            {
                "type": "line",
                "name": line.name,
                "data": _numbers(line.values),
                "showSymbol": len(labels) == 1,
                "symbolSize": 6,
                "lineStyle": {"color": colour, "type": dash, "width": width},
                "itemStyle": {"color": colour},
                "emphasis": {"disabled": True},
                "endLabel": {
                    "show": label_width > 0,
                    "formatter": "{a}" if line.label is None else _plain(line.label),
                    "color": colour,
                    "fontSize": 12,
                    "fontWeight": "bold",
                    "lineHeight": 15,
                    "width": max(label_width - 12, 10),
                    "overflow": "break",
                },
                "labelLayout": {"moveOverlap": "shiftY"},
                "z": 3 + (line.role == "scenario"),
            }
        )
    if mark is not None and series:
        series[-1]["markLine"] = {
            "silent": True,
            "symbol": "none",
            "animation": False,
            "label": {"show": False},
            "lineStyle": {"color": theme.INK, "type": "solid", "width": 1},
            "data": [{"xAxis": mark}],
        }
    return {**option, "series": series}


def _plain(label: str) -> str:
    """A label without the placeholders that ECharts would fill in."""
    return label.replace("{", "(").replace("}", ")")


def _band(stack: str, band: tuple[Numbers, Numbers], colour: str, shade: float) -> list[dict[str, Any]]:
    """A shaded area between two lines: an invisible one and, stacked on it, the difference."""
    low, high = (_numbers(edge) for edge in band)
    width = [None if a is None or b is None else b - a for a, b in zip(low, high, strict=True)]
    unseen = {
        "type": "line",
        "stack": stack,
        "stackStrategy": "all",
        "symbol": "none",
        "silent": True,
        "lineStyle": {"opacity": 0},
        "tooltip": {"show": False},
        "emphasis": {"disabled": True},
        "z": 1,
    }
    shaded = {**unseen, "areaStyle": {"color": colour, "opacity": shade}}
    return [{**unseen, "data": low, "name": ""}, {**shaded, "data": width, "name": ""}]
