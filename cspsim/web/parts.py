"""The parts that pages are put together from. A page imports from here (and ``chart_options``, ``theme``, ``frame``) only.

HTML with classes of theme.css; texts are always texts, never HTML or Markdown, so whatever a user or a file wrote is safe:

* ``with box("section", "csp-card", aria_label="Levers"): ...``   an element that holds others
* ``words("h2", "Levers", "csp-h2")``                             an element that holds text
* ``Button(label, on_click, kind="primary|plain|quiet|danger", disabled=False, pressed=None)``

Controls, each a native one with its label (``fields``, ``number_field``):

* ``NumberField(figure, value, on_value, ...)``  slider and number input for a register entry: unit, range, source of the range
* ``Choice(label, value, options, on_value)``    pick one of ``{key: words}``
* ``Tick(label, value, on_value)``               on or off
* ``TextField(label, value, on_value, ...)``     one line of text; with ``lines=4`` several

Answers:

* ``Chart(title, option, table, summary, ...)``  picture, text alternative, table twin, export (``chart``; options: ``chart_options``)
* ``DataTable(Table(columns, rows, caption))``   a real HTML table; in a narrow window each row becomes a small list
* ``Verdict(headline, interval, tone)``          the answer in a sentence, with its interval
* ``Banner()``                                   "Illustrative model, not a forecast"
* ``Notice(text, tone)``                         "note", "warning", "error" or "success"; read aloud when it appears
* ``Progress(done, total, label)``               "120 of 200 runs"
* ``CopyButton(label, text)``                    copies a text, or with None the address of the page
* ``Download(label, file_name, data)``           ``data`` text, bytes, or a function that makes them when somebody clicks
* ``Export(items)``                              several downloads behind one button
* ``Address(state)``                             keeps the page's state in the address, for the copy link and for reload

A page has one root, ``with box("div", "csp-stack"):``, and its first heading is ``words("h1", ..., "csp-h1")``.
"""

import base64
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import reacton.ipyvue
import solara
from solara.alias import rv

from cspsim.basics.errors import CspsimError
from cspsim.web.chart import Chart
from cspsim.web.event_types import template
from cspsim.web.fields import ChoiceField, TextField, Tick
from cspsim.web.number_field import NumberField
from cspsim.web.table import Table, number_columns, shown_rows

__all__ = [
    "Address", "Banner", "Button", "Chart", "ChoiceField", "CopyButton", "DataTable", "Download", "Export", "Notice", "NumberField",
    "Progress", "Table", "TextField", "Tick", "Verdict", "box", "words",
]  # fmt: skip

ILLUSTRATIVE = "Illustrative model, not a forecast"


def box(tag: str, *classes: str, **attributes: str) -> Any:
    """An HTML element for ``with``: ``box("section", "csp-card", aria_labelledby="levers")``; ``id_`` and ``for_`` lose the bar."""
    return rv.Html(tag=tag, class_=" ".join(classes), attributes=_named(attributes), children=[])


def words(tag: str, text: str, *classes: str, **attributes: str) -> Any:
    """An HTML element that holds text, shown as it is."""
    return rv.Html(tag=tag, class_=" ".join(classes), attributes=_named(attributes), children=[str(text)])


def _named(attributes: dict[str, str]) -> dict[str, str]:
    return {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()}


@solara.component
def Button(
    label: str,
    on_click: Callable[[], None],
    kind: str = "plain",
    disabled: bool = False,
    pressed: bool | None = None,
    describe: str = "",
) -> None:
    """A native button. ``pressed``: whether it is on, for one that switches; ``describe``: what is read aloud after its label."""
    attributes = {"type": "button"}
    if disabled:
        attributes["disabled"] = "disabled"
    if pressed is not None:
        attributes["aria-pressed"] = "true" if pressed else "false"
    children: list[Any] = [label]
    if describe:
        children.append(words("span", f" {describe}", "csp-visually-hidden"))
    button = rv.Html(tag="button", class_=f"csp-button csp-button--{kind}", attributes=attributes, children=children)
    reacton.ipyvue.use_event(button, "click", lambda *_: None if disabled else on_click())


@solara.component
def Banner(text: str = ILLUSTRATIVE) -> None:
    """What every page says about itself."""
    words("p", text, "csp-banner")


@solara.component
def Verdict(headline: str, interval: str = "", tone: str = "unsure", context: str = "", mark: str = "", settled: bool = True) -> None:
    """The answer in a sentence, then its interval in words. ``tone``: "good", "bad" or "unsure", shown by a word as well: ``mark``.

    It is read aloud once it is ``settled``; while figures still come in it would never stop.
    """
    said = mark or {"good": "Better", "bad": "Worse"}.get(tone, "No clear difference")
    words("p", f"{said}. {headline}" if settled else "", "csp-visually-hidden", role="status")
    with box("section", "csp-verdict", f"csp-verdict--{tone}", aria_label="Answer"):
        words("p", headline, "csp-verdict__headline")
        with box("p", "csp-verdict__interval"):
            words("span", said, "csp-chip", f"csp-chip--{tone}")
            words("span", " " + interval.replace("\N{MINUS SIGN}", "\N{MINUS SIGN}\N{WORD JOINER}"))
        if context:
            words("p", context, "csp-soft")


@solara.component
def Notice(text: str, tone: str = "note", heading: str = "") -> None:
    """A remark that is read aloud when it appears. ``tone``: "note", "warning", "error" or "success"."""
    said = {"warning": "Warning", "error": "There is a problem", "success": "Done"}.get(tone, "")
    with box("div", "csp-note", f"csp-note--{tone}", role="alert" if tone == "error" else "status"):
        if heading or said:
            words("p", heading or said, "csp-note__heading")
        words("p", text, "csp-pre")


@solara.component
def Progress(done: int, total: int, label: str = "runs") -> None:
    """How far something has come: "120 of 200 runs", with a bar."""
    with box("div", "csp-progress"):
        words("p", f"{done:,} of {total:,} {label}", "csp-soft")
        share = f"{min(1.0, done / total) * 100:.0f}" if total else "0"
        attributes = {"max": "100", "value": share, "aria-label": f"{label} done"}
        rv.Html(tag="progress", class_="csp-progress__bar", attributes=attributes, children=[])


@template("vue/table.vue")
def _DataTable(caption: str, columns: list[str], rows: list[list[str]], numbers: list[bool], hide_caption: bool) -> None:
    pass


@solara.component
def DataTable(table: Table, hide_caption: bool = False) -> None:
    """A real HTML table; ``hide_caption`` leaves its caption to those who hear it, where a heading stands above already."""
    _DataTable(
        caption=table.caption,
        columns=list(table.columns),
        rows=shown_rows(table),
        numbers=number_columns(table),
        hide_caption=hide_caption,
    )


@template("vue/copy_button.vue")
def _CopyButton(label: str, text: str | None, kind: str) -> None:
    pass


@solara.component
def CopyButton(label: str, text: str | None = None, kind: str = "plain") -> None:
    """Copies ``text`` to the clipboard and says so; without a text the address of the page."""
    _CopyButton(label=label, text=text, kind=kind)


@template("vue/address.vue")
def _Address(query: str) -> None:
    pass


@solara.component
def Address(state: Mapping[str, str]) -> None:
    """Keeps a page's state in the address bar (``?scenario=baseline&seed=1``) without a new entry in the browser's history.

    The page reads it once, when it opens: ``urllib.parse.parse_qs(solara.use_router().search or "")``.
    """
    _Address(query=urlencode(state))


@template("vue/download.vue")
def _Download(label: str, file_name: str, kind: str, content: dict[str, Any], event_make: Callable[[None], None]) -> None:
    pass


@solara.component
def Download(label: str, file_name: str, data: str | bytes | Callable[[], str | bytes], kind: str = "plain") -> None:
    """A button that saves a file. Where ``data`` is a function it is called when somebody clicks, in the visitor's own session."""
    content, set_content = solara.use_state((0, ""))
    said, say = solara.use_state("")

    def make(_: Any) -> None:
        try:
            made = data() if callable(data) else data
        except CspsimError as error:
            say(str(error))
            set_content((content[0] + 1, ""))
            return
        say("")
        raw = made.encode("utf-8") if isinstance(made, str) else made
        set_content((content[0] + 1, base64.b64encode(raw).decode("ascii")))

    _Download(label=label, file_name=file_name, kind=kind, content={"number": content[0], "base64": content[1]}, event_make=make)
    if said:
        words("p", f"Not saved: {said}.", "csp-field__said", role="alert")


@template("vue/menu.vue")
def _MenuCloses() -> None:
    pass


@solara.component
def Export(items: Sequence[tuple[str, str, str | bytes | Callable[[], str | bytes]]], label: str = "Export") -> None:
    """Several downloads ``(label, file name, data)`` behind one button; Escape or a click elsewhere puts them away."""
    with box("details", "csp-menu"):
        _MenuCloses()
        words("summary", label, "csp-button", "csp-button--plain")
        with box("div", "csp-menu__items"):
            for name, file_name, data in items:
                Download(name, file_name, data, kind="quiet")
