"""One chart with everything a reader needs besides the picture: title, text alternative, the same data as a table, and export."""

from collections.abc import Callable, Mapping
from typing import Any

import solara

from cspsim.basics.formats import Scale
from cspsim.web.event_types import template
from cspsim.web.table import Table, as_csv, number_columns, shown_rows


@template("vue/chart.vue")
def _Chart(
    title: str,
    subtitle: str,
    summary: str,
    option: Mapping[str, Any],
    scale: dict[str, Any] | None,
    height: int,
    file_name: str,
    table: dict[str, Any] | None,
    csv: dict[str, Any] | None,
    clock: str,
    event_show_table: Callable[[bool], None],
    event_make_csv: Callable[[None], None],
) -> None:
    pass


def file_name_of(title: str) -> str:
    """A title as the name of a file: ``Recorded and true crime`` as ``recorded-and-true-crime``."""
    kept = "".join(mark if mark.isascii() and mark.isalnum() else " " for mark in title.lower())
    return "-".join(kept.split())[:60] or "chart"


@solara.component
def Chart(
    title: str,
    option: Mapping[str, Any],
    table: Table | Callable[[], Table],
    summary: str,
    subtitle: str = "",
    scale: Scale | None = None,
    height: int = 260,
    file_name: str = "",
    clock: str = "",
) -> None:
    """An ECharts ``option`` (best from ``chart_options``) drawn on a canvas, with its table and its text.

    ``title`` says what the chart shows; ``subtitle`` the unit and what bands mean; ``summary`` says in words what is to be
    seen (read aloud in place of the picture). ``table`` may be a function: it is called only while somebody looks at the
    table or exports it, so that a chart that moves ten times a second stays cheap. ``scale`` (``formats.scale_of``) writes
    values on axes and in tooltips. Colours are tokens of ``theme``; functions and HTML in ``option`` are not passed on.
    ``clock`` names what keeps the time in the browser: of every line only what lies up to its month is drawn.
    """
    open_, set_open = solara.use_state(False)
    csv, set_csv = solara.use_state((0, ""))

    def whole() -> Table:
        return table() if callable(table) else table

    def make_csv(_: Any) -> None:
        set_csv((csv[0] + 1, as_csv(whole())))

    found = whole() if open_ else None
    _Chart(
        title=title,
        subtitle=subtitle,
        summary=summary,
        option=dict(option),
        scale=scale._asdict() if scale else None,
        height=height,
        file_name=file_name or file_name_of(title),
        table=None if found is None else {"columns": list(found.columns), "rows": shown_rows(found), "numbers": number_columns(found)},
        csv={"number": csv[0], "text": csv[1]},
        clock=clock,
        event_show_table=lambda shown: set_open(bool(shown)),
        event_make_csv=make_csv,
    )
