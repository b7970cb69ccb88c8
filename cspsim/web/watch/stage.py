"""The table, the log and the charts of a recording. The browser keeps the clock; the server is told when a month has settled.

The recorded months go to the browser once. Playing then costs the server nothing, does not wait for the network, and
ends with the page: there is no thread and no task to forget.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import solara

from cspsim.web.event_types import Heard, template
from cspsim.web.parts import Chart, DataTable, box, words
from cspsim.web.watch.diagram import LITTLE, MUCH
from cspsim.web.watch.frames import frames_of
from cspsim.web.watch.log import EVERYTHING, KINDS
from cspsim.web.watch.numbers import numbers_of
from cspsim.web.watch.series import CHARTS, SUBTITLE, ScenarioShown, chart_summary, chart_table, option_of, scale
from cspsim.web.watch.watch_state import WatchState

CLOCK = "watch"


@template("stage.vue")
def _Stage(
    labels: list[str],
    limit: int,
    start: int,
    filter: dict[str, str],
    meetings: list[int],
    authorities: list[dict[str, str]],
    kinds: list[dict[str, str]],
    sides: list[dict[str, Any]],
    clock: str,
    event_settle: Callable[[Heard], None],
) -> None:
    pass


@solara.component
def StagePlayer(asked: WatchState, settle: Callable[[WatchState], None], sides: Sequence[ScenarioShown], limit: int) -> None:
    """Play, pause, rewind; the table and its log. Nothing after the month ``limit`` leaves the server."""
    recording = sides[-1].recording
    seats = [recording.authorities[seat] for seat in recording.seats(recording.partnerships.index(asked.partnership))]
    asked_for = asked.authority if asked.authority in seats else EVERYTHING
    frames = solara.use_memo(lambda: [frames_of(side, asked.partnership, limit)._asdict() for side in sides], [asked.partnership, limit])

    def heard(raw: Any) -> None:
        """A browser may send anything: only values that could have been chosen are accepted."""
        if not isinstance(raw, dict) or not isinstance(raw.get("month"), int):
            return
        authority, kind = raw.get("authority"), raw.get("kind")
        settle(
            asked._replace(
                month=min(max(0, raw["month"]), limit),
                authority=authority if authority in seats else EVERYTHING,
                kind=kind if kind in KINDS else EVERYTHING,
            )
        )

    _Stage(
        labels=[f"{day:%B %Y}" for day in recording.months[: limit + 1]],
        limit=limit,
        start=min(asked.month, limit),
        filter={"authority": asked_for, "kind": asked.kind},
        meetings=[month for month in recording.meetings if month <= limit],
        authorities=_options({EVERYTHING: "Everybody", **{name: recording.short(name) for name in seats}}),
        kinds=_options({EVERYTHING: "Everything", **KINDS}),
        sides=frames,
        clock=CLOCK,
        event_settle=heard,
    )
    Legend()
    with box("details", "csp-card"):
        words("summary", "The table in numbers", "csp-h3")
        for side in sides:
            DataTable(numbers_of(side.recording, asked.partnership, min(asked.month, limit)))


def _options(words_of: dict[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "words": text} for key, text in words_of.items()]


@solara.component
def Legend() -> None:
    """How the drawing is read."""
    with box("ul", "csp-watch__legend", aria_label="How the table is read"):
        for term, text in (
            (
                "Line",
                f"trust, thin at {LITTLE:.2f}, thick at {MUCH:.2f}; the half beside an authority is its trust in the other",
            ),
            ("Dashed arrow", "a challenge this month, towards whoever tabled the item"),
            ("Work", "hours asked over hours it has; the tick is 100 %, ▲ is more"),
            ("Money", "its mainstream money a month; the tick is what it began with"),
            ("Label on a card", "a new person or a reorganisation, for three months"),
        ):
            with box("li"):
                words("strong", term)
                words("span", f": {text}.")


@solara.component
def Charts(asked: WatchState, sides: Sequence[ScenarioShown], limit: int) -> None:
    """Four small charts up to the month the browser has come to; their tables and texts up to the settled month."""
    month = min(asked.month, limit)
    options = solara.use_memo(lambda: [option_of(chart, sides, asked.partnership, limit) for chart in CHARTS], [asked.partnership, limit])
    place = sides[-1].recording.titles[asked.partnership]
    with box("section", "csp-stack", aria_label="Charts"):
        words("h2", "Up to this month", "csp-h2")
        with box("div", "csp-watch__charts"):
            for chart, option in zip(CHARTS, options, strict=True):
                with box("div", "csp-card"):
                    Chart(
                        chart.title,
                        option,
                        partial(chart_table, chart, sides, asked.partnership, month),
                        chart_summary(chart, sides, asked.partnership, month),
                        f"{place}, {chart.unit}: {SUBTITLE}",
                        scale(chart, sides, asked.partnership),
                        height=200,
                        clock=CLOCK,
                    )
