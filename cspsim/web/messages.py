"""What a browser may say to a page: a few kinds of messages, each rebuilt from the parts that were checked.

Solara's protocol is that of Jupyter, where every connected client may run code: a message can create widgets of any class, set any
state of any widget, and call into ipyvue's templates by name. Our pages need little of it, so everything is refused but

* the greeting of a connection, and one ``run`` of our own application;
* after a lost connection: whether the page still runs, and its own widgets' state;
* events that a template of ours declares (``events``), and those our code listens to on a plain element, without their data;
* two values: the address of the page, and whether it is dark.

Nothing that was sent is passed on as it came: what is not named here does not exist.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from ipyvue import VueTemplate, VueWidget
from ipyvuetify.Themes import Theme
from solara.server.kernel_context import VirtualKernelContext
from solara.widgets.widgets import Navigator

from cspsim.web.event_types import argument

LONGEST = 65_536
"""Characters of a message; the longest that our pages were seen to send has 1,600."""
DEEPEST = 8
LARGEST = 2**53
"""No browser means a whole number beyond this."""
MOST_CHANNELS = 1_000
"""Channels that one page's browser may have open: it opens one whenever its connection comes back."""
SOLARA, STATES = "solara.control", "jupyter.widget.control"
"""The two channels that browsers open: Solara's, and the one that hands out the state of all of a page's widgets."""


class MessageRefused(Exception):
    """A message that is not passed on. Its text is one of a few sentences of ours, never anything that was sent."""


def checked_message(raw: str | bytes, page: VirtualKernelContext) -> str:
    """The message as it may be passed on. Raises Refused."""
    message = _read(raw)
    header = message.get("header")
    if not isinstance(header, dict):
        raise MessageRefused("no header")
    kind = header.get("msg_type")
    rule = _KINDS.get(kind) if isinstance(kind, str) else None
    if rule is None:
        raise MessageRefused("a kind of message that pages do not send")
    channel = "control" if kind == "shutdown_request" else "shell"
    if message.get("channel") != channel or message.get("buffers"):
        raise MessageRefused("another channel, or data beside the message")
    content = message.get("content")
    clean = {
        "header": {"msg_type": kind, "username": "", **{name: _name(header, name) for name in ("msg_id", "session", "version")}},
        "parent_header": {},
        "metadata": {},
        "content": rule(content if isinstance(content, dict) else {}, page),
        "channel": channel,
        "buffers": [],
    }
    return json.dumps(clean)


def _read(raw: str | bytes) -> dict[str, Any]:
    """The message as plain values, all of them finite, short and shallow enough."""
    if not isinstance(raw, str):
        raise MessageRefused("binary")
    if len(raw) > LONGEST:
        raise MessageRefused("too long")
    try:
        message = json.loads(raw, parse_constant=_not_json)
        raw.encode()
        _within(message, DEEPEST)
    except (ValueError, RecursionError):
        raise MessageRefused("not JSON, or too deep") from None
    if not isinstance(message, dict):
        raise MessageRefused("not JSON, or too deep")
    return message


def _not_json(_: str) -> None:
    raise ValueError("NaN and Infinity are not JSON")


def _within(value: Any, deep: int) -> None:
    """Raise ValueError for deep nesting, for numbers that no browser means, and for incomplete characters."""
    if isinstance(value, dict | list):
        if not deep:
            raise ValueError("too deep")
        for part in (*value, *value.values()) if isinstance(value, dict) else value:
            _within(part, deep - 1)
    elif isinstance(value, str):
        value.encode()
    elif isinstance(value, int | float) and not abs(value) <= LARGEST:
        raise ValueError("too large")


def _name(source: Mapping[str, Any], name: str) -> str:
    """A short word of ASCII: the id of a message, a channel, a page."""
    found = source.get(name)
    if not isinstance(found, str) or not 0 < len(found) <= 100 or not (found.isascii() and found.isprintable()):
        raise MessageRefused("no proper name")
    return found


def _comms(page: VirtualKernelContext) -> Mapping[str, Any]:
    manager = page.kernel.comm_manager if page.kernel is not None else None
    if manager is None:
        raise MessageRefused("the page has ended")
    found: Mapping[str, Any] = manager.comms
    return found


def _greeting(content: Mapping[str, Any], page: VirtualKernelContext) -> dict[str, Any]:
    return {}


def _which_channels(content: Mapping[str, Any], page: VirtualKernelContext) -> dict[str, Any]:
    return {"target_name": "jupyter.widget"}


def _end(content: Mapping[str, Any], page: VirtualKernelContext) -> dict[str, Any]:
    return {"restart": False}


def _open(content: Mapping[str, Any], page: VirtualKernelContext) -> dict[str, Any]:
    """A channel that a browser opens: one of two kinds, under a name that nothing else has."""
    target, comms = content.get("target_name"), _comms(page)
    if target not in (SOLARA, STATES):
        raise MessageRefused("a channel that pages do not open")
    new = _name(content, "comm_id")
    if new in comms or new in page.widgets or sum(comm.target_name in (SOLARA, STATES) for comm in list(comms.values())) >= MOST_CHANNELS:
        raise MessageRefused("one channel too many")
    return {"comm_id": new, "target_name": target, "data": {}}


def _close(content: Mapping[str, Any], page: VirtualKernelContext) -> dict[str, Any]:
    """A browser may close what it has opened."""
    comm = _comms(page).get(_name(content, "comm_id"))
    if comm is None or comm.target_name not in (SOLARA, STATES):
        raise MessageRefused("a channel that is not there, or not the browser's")
    return {"comm_id": comm.comm_id, "data": {}}


def _message(content: Mapping[str, Any], page: VirtualKernelContext) -> dict[str, Any]:
    """Something said to a widget or on a channel of the browser's."""
    comm = _comms(page).get(_name(content, "comm_id"))
    data = content.get("data")
    if comm is None or not isinstance(data, dict):
        raise MessageRefused("a channel that is not there, or not the browser's")
    widget = page.widgets.get(comm.comm_id)
    if widget is not None:
        said = _to_widget(widget, data)
    elif comm.target_name == SOLARA:
        said = _to_solara(data, page)
    elif comm.target_name == STATES and data.get("method") == "request_states":
        said = {"method": "request_states"}
    else:
        raise MessageRefused("nothing that pages say on this channel")
    return {"comm_id": comm.comm_id, "data": said}


def _to_solara(data: Mapping[str, Any], page: VirtualKernelContext) -> dict[str, Any]:
    """``run``, once, of the one application there is; and whether it runs."""
    if data.get("method") == "app-status":
        return {"method": "app-status"}
    given = data.get("args")
    if data.get("method") != "run" or not isinstance(given, dict) or page.container is not None:
        raise MessageRefused("nothing that pages say on this channel")
    return {"method": "run", "args": {"path": _address(given.get("path")), "dark": given.get("dark") is True}}


def _address(value: Any) -> str:
    """An address within this server."""
    if not isinstance(value, str) or len(value) > 8_000 or not value.startswith("/") or value.startswith("//") or not value.isprintable():
        raise MessageRefused("a value that is not of its kind")
    return value


def _is_dark(value: Any) -> bool | None:
    if value is not None and not isinstance(value, bool):
        raise MessageRefused("a value that is not of its kind")
    return value


_VALUES: dict[type, dict[str, Callable[[Any], Any]]] = {Navigator: {"location": _address}, Theme: {"dark_effective": _is_dark}}
"""The only state that browsers set: by the widget's very class, so that a subclass of one has none."""


def _to_widget(widget: Any, data: Mapping[str, Any]) -> dict[str, Any]:
    method = data.get("method")
    if method == "request_state":
        return {"method": "request_state"}
    if method == "update":
        return {"method": "update", "state": _state(widget, data.get("state")), "buffer_paths": []}
    event = data.get("content")
    if method != "custom" or not isinstance(event, dict):
        raise MessageRefused("nothing that pages say on this channel")
    return {"method": "custom", "content": _event(widget, event)}


def _state(widget: Any, state: Any) -> dict[str, Any]:
    allowed = _VALUES.get(type(widget), {})
    if not isinstance(state, dict) or not state or not allowed.keys() >= state.keys():
        raise MessageRefused("state that browsers do not set")
    return {name: allowed[name](value) for name, value in state.items()}


def _event(widget: Any, content: Mapping[str, Any]) -> dict[str, Any]:
    """An event that a page listens to. Details of a click (where, with which key) are left out: no page asks for them."""
    if not content.keys() <= {"event", "data"}:
        raise MessageRefused("more than an event")
    event = content.get("event")
    if isinstance(widget, VueTemplate):
        try:
            return {"event": event, "data": argument(widget, event, content.get("data"))}
        except LookupError:
            raise MessageRefused("an event that nobody declares") from None
        except ValueError:
            raise MessageRefused("a value that is not of its kind") from None
    if isinstance(widget, VueWidget) and isinstance(event, str) and event in widget._event_handlers_map:
        return {"event": event, "data": {}}
    raise MessageRefused("an event that nobody declares")


_KINDS: dict[str, Callable[[Mapping[str, Any], VirtualKernelContext], dict[str, Any]]] = {
    "kernel_info_request": _greeting,
    "comm_info_request": _which_channels,
    "comm_open": _open,
    "comm_msg": _message,
    "comm_close": _close,
    "shutdown_request": _end,
}
