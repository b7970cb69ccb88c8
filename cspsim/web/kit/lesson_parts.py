"""What several pages of the kit share: addresses and links, lists, and tables that show all their rows."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import reacton.ipyvue
import solara
from solara.alias import rv

from cspsim.web.kit.lessons import Lesson
from cspsim.web.parts import box, words

HOME = "/kit"
CARDS, DEBRIEF = "cards", "debrief"
"""Pages of the kit that are no lessons."""


def address(page: str = "", state: Mapping[str, str] | None = None) -> str:
    """The address of a page of the kit."""
    query = f"?{urlencode(state)}" if state else ""
    return f"{HOME}/{page}{query}" if page else f"{HOME}{query}"


def opens(lesson: Lesson) -> str:
    """The address of Explore or Watch with the lesson's scenario beside its baseline, in Explore with its outcome."""
    state = {"scenario": lesson.scenario, "baseline": lesson.baseline}
    return f"/{lesson.view}?{urlencode(state if lesson.view == 'watch' else {**state, 'outcome': lesson.outcome})}"


@solara.component
def Link(label: str, to: str, kind: str = "") -> None:
    """An ordinary link that changes the page without loading it anew. ``kind``: looks like a button of that kind."""
    router = solara.use_router()
    classes = f"csp-button csp-button--{kind}" if kind else ""
    link: Any = rv.Html(tag="a", class_=classes, attributes={"href": to}, children=[label])
    reacton.ipyvue.use_event(link, "click.exact.prevent", lambda *_: router.push(to))


def bullets(lines: Sequence[str]) -> None:
    """A list of sentences, added to the element that is open."""
    with box("ul", "csp-list"):
        for line in lines:
            words("li", line)


def rows_below(caption: str, columns: Sequence[str], rows: Sequence[Sequence[str]], compact: bool = False) -> None:
    """A table as tall as its rows, added to the element that is open; its caption is for those who hear it.

    In a narrow window each row becomes a small list, unless it is ``compact``.
    """
    classes = ("csp-table", "csp-table--compact") if compact else ("csp-table",)
    with box("div", "csp-scroll", role="region", tabindex="0", aria_label=caption), box("table", *classes):
        words("caption", caption, "csp-visually-hidden")
        with box("thead"), box("tr"):
            for title in columns:
                words("th", title, scope="col")
        with box("tbody"):
            for row in rows:
                with box("tr"):
                    words("th", row[0], scope="row")
                    for title, cell in zip(columns[1:], row[1:], strict=True):
                        words("td", cell, data_title=title)
