"""The page around the pages: header, tabs by address, notes drawer, light and dark. Solara runs this module (``SOLARA_APP``).

The tab ``kit`` is a folder with a ``kit_page.py`` whose ``KitPage()`` is imported when somebody first opens it. Its address is its name
(``/explore``); what follows (``/play/ABC123``, ``?scenario=...``) is the page's own: ``solara.use_router().path`` and ``.search``.
"""

import logging
from collections.abc import Callable
from importlib import import_module
from typing import Any, NamedTuple

import reacton
import reacton.ipyvue
import solara
from solara.alias import rv

from cspsim import __version__
from cspsim.basics.errors import CspsimError
from cspsim.web.event_types import template
from cspsim.web.frame import notes_open, shown_frame
from cspsim.web.parts import ILLUSTRATIVE, Button, CopyButton, Notice, box, words


class Tab(NamedTuple):
    """One tab: its address, its name, and what it is for."""

    path: str
    title: str
    purpose: str


TABS = (
    Tab("explore", "Explore", "change levers and see what follows"),
    Tab("watch", "Watch", "one run, month by month"),
    Tab("play", "Play", "take a seat at the table"),
    Tab("kit", "Kit", "lessons and role cards for facilitators"),
)

logger = logging.getLogger("cspsim.web")


@template("vue/theme_toggle.vue")
def _ThemeToggle() -> None:
    pass


@template("vue/drawer.vue")
def _DrawerKeys(event_shut: Callable[[None], None]) -> None:
    pass


@solara.component
def TabLink(tab: Tab, current: bool) -> None:
    """A tab: an ordinary link that changes the page without reloading it, so that nothing running is lost."""
    router = solara.use_router()
    attributes = {"href": f"/{tab.path}", "title": tab.purpose, **({"aria-current": "page"} if current else {})}
    link = rv.Html(tag="a", class_="csp-tab", attributes=attributes, children=[tab.title])
    reacton.ipyvue.use_event(link, "click.exact.prevent", lambda *_: router.push(f"/{tab.path}"))


@solara.component
def PageHeader(current: str) -> None:
    """Product name, what it is and is not, scenario and seed, copy link, notes, light or dark, and the tabs."""
    frame = shown_frame.value
    with box("header", "csp-header"):
        with box("div", "csp-header__row"):
            with box("div", "csp-header__name"):
                words("span", "cspsim", "csp-product")
                words("span", "Community Safety Partnerships", "csp-header__long")
            with box("div", "csp-header__tools"):
                CopyButton("Copy link", kind="quiet")
                Button(
                    "Notes",
                    lambda: notes_open.set(not notes_open.value),
                    kind="quiet",
                    pressed=notes_open.value,
                    describe="for facilitators",
                )
                _ThemeToggle()
        with box("div", "csp-header__row", "csp-header__about"):
            words("strong", ILLUSTRATIVE, "csp-chip", "csp-chip--model")
            if frame.scenario:
                words("span", f"Scenario: {frame.scenario}")
            if frame.seed is not None:
                words("span", f"Seed {frame.seed}")
            words("span", f"Version {__version__}")
        with box("nav", "csp-tabs", aria_label="Views"):
            for tab in TABS:
                TabLink(tab, current == tab.path).key(tab.path)


@solara.component
def Notes() -> None:
    """The facilitator's notes beside the page: of the tab that is open, under headings."""
    frame = shown_frame.value
    with box("aside", "csp-drawer", aria_label="Facilitator's notes"):
        _DrawerKeys(event_shut=lambda _: notes_open.set(False))
        with box("div", "csp-drawer__head"):
            words("h2", "Facilitator's notes", "csp-h2")
            Button("Close", lambda: notes_open.set(False), kind="quiet", describe="notes")
        if not frame.notes:
            words("p", "There are no notes for this page.", "csp-soft")
        for note in frame.notes:
            words("h3", note.heading, "csp-h3")
            lines = [line.strip() for line in note.text.strip().splitlines() if line.strip()]
            points = [line[2:] for line in lines if line.startswith("- ")]
            for line in lines:
                if not line.startswith("- "):
                    words("p", line)
            if points:
                with box("ul", "csp-list"):
                    for point in points:
                        words("li", point)


FAILED = "This page has failed. What was shown is lost; other tabs still work."


@solara.component
def FailureNotice(fault: BaseException, again: Callable[[], None]) -> None:
    """What a visitor is told about a fault: a sentence, never a traceback. The server's own output has the details."""
    solara.use_effect(lambda: logger.error("a page failed", exc_info=fault), [fault])
    with box("div", "csp-stack"):
        words("h1", "Something went wrong", "csp-h1")
        Notice(str(fault) if isinstance(fault, CspsimError) else FAILED, "error")
        Button("Try again", again, kind="primary")


@solara.component
def Guarded(name: str) -> None:
    """A tab's page, or what went wrong in it."""
    fault, clear = reacton.use_exception()
    if fault is None:
        getattr(import_module(f"cspsim.web.{name}.{name}_page"), f"{name.title()}Page")()
    else:
        FailureNotice(fault, clear)


@solara.component
def PageLayout(children: list[Any]) -> None:
    """Skip link, header, the page as the main landmark, notes, footer; only the fault if one of these fails."""
    router = solara.use_router()
    fault, clear = reacton.use_exception()
    with box("div", "csp"):
        if fault is not None:
            with box("main", "csp-body"):
                FailureNotice(fault, clear)
            return
        words("a", "Skip to the page", "csp-skip", href="#main")
        PageHeader(router.parts[0] or TABS[0].path)
        with box("div", "csp-body", "csp-body--notes" if notes_open.value else "csp-body--plain"):
            with box("main", "csp-main", id_="main", tabindex="-1"):
                solara.Column(children=children, gap="0px")
            if notes_open.value:
                Notes()
        with box("footer", "csp-footer"):
            words("p", f"cspsim {__version__}. {ILLUSTRATIVE}: it shows what follows from stated assumptions, not what happened anywhere.")


def _component_of(tab: Tab) -> Any:
    @solara.component
    def Page() -> None:
        Guarded(tab.path).key(tab.path)

    return Page


routes = [
    solara.Route(path="/", component=_component_of(TABS[0]), layout=PageLayout, label=f"{TABS[0].title} \N{EN DASH} cspsim"),
    *(solara.Route(path=tab.path, component=_component_of(tab), label=f"{tab.title} \N{EN DASH} cspsim") for tab in TABS),
]
