"""A page's connection without a browser: what anybody who can reach the server may do with a websocket."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from typing import Any
from uuid import uuid4

from browser import Site, visitor_cookie
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

WAIT = 20.0


class PageSocket:
    """One connection to a server's page. ``widgets`` has the state of everything the page was seen to be made of, by its id."""

    def __init__(self, site: Site, cookie: str = "", kernel: str = "") -> None:
        """``cookie``: of a visitor who is known already; without it a new one comes by the entry link."""
        self.site, self.cookie = site, cookie or visitor_cookie(site)
        self.kernel, self.control = kernel or str(uuid4()), str(uuid4())
        self.widgets: dict[str, dict[str, Any]] = {}
        place = f"{site.address.replace('http', 'ws', 1)}/jupyter/api/kernels/{self.kernel}/channels?session_id={uuid4()}"
        headers = {"Cookie": self.cookie, "Origin": site.address}
        self._open = ExitStack()
        limits: dict[str, Any] = {"max_size": None, "max_queue": None, "open_timeout": WAIT, "close_timeout": 1, "ping_interval": None}
        self.wire = self._open.enter_context(connect(place, additional_headers=headers, **limits))

    def send(self, kind: str, content: dict[str, Any], channel: str = "shell", **more: Any) -> str:
        """One message; its id."""
        name = str(uuid4())
        header = {"msg_id": name, "msg_type": kind, "session": self.kernel, "username": "", "version": "5.2"}
        message = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": channel, "buffers": [], **more}
        self.wire.send(json.dumps(message))
        return name

    def tell(self, comm: str, data: Any) -> str:
        """Something to a widget or channel."""
        return self.send("comm_msg", {"comm_id": comm, "data": data})

    def event(self, comm: str, event: str, data: Any = None) -> str:
        """An event of a widget."""
        return self.tell(comm, {"method": "custom", "content": {"event": event, "data": data}})

    def heard(self, wait: float = WAIT) -> Iterator[dict[str, Any]]:
        """What the server says, until it says nothing for so long."""
        with suppress(TimeoutError, ConnectionClosed):
            while True:
                raw = self.wire.recv(timeout=wait)
                if isinstance(raw, bytes):
                    raw = raw[int.from_bytes(raw[4:8]) : int.from_bytes(raw[8:12])].decode()
                message = json.loads(raw)
                content = message["content"]
                if message["msg_type"] == "comm_open":
                    self.widgets[content["comm_id"]] = content["data"].get("state", {})
                yield message

    def answer(self, comm: str, method: str, wait: float = WAIT) -> dict[str, Any] | None:
        """The next thing said on a channel by a method; None if it does not come."""
        for message in self.heard(wait):
            content = message["content"]
            if message["msg_type"] == "comm_msg" and content["comm_id"] == comm and content["data"].get("method") == method:
                found: dict[str, Any] = content["data"]
                return found
        return None

    def open(self, path: str) -> "PageSocket":
        """The page at an address, waited for until it is there."""
        self.send("comm_open", {"comm_id": self.control, "target_name": "solara.control", "data": {}})
        self.tell(self.control, {"method": "run", "args": {"path": path, "dark": False, "themes": {}, "appName": None}})
        assert self.answer(self.control, "finished") is not None, f"{path} did not open"
        return self

    def runs(self) -> bool:
        """Whether the page is there, asked as a browser asks whose connection came back."""
        asking = str(uuid4())
        self.send("comm_open", {"comm_id": asking, "target_name": "solara.control", "data": {}})
        self.tell(asking, {"method": "app-status"})
        told = self.answer(asking, "app-status")
        assert told is not None
        return bool(told["started"])

    def state(self, comm: str) -> dict[str, Any]:
        """All of a widget's state, as the server has it now."""
        self.tell(comm, {"method": "request_state"})
        told = self.answer(comm, "update")
        assert told is not None
        found: dict[str, Any] = told["state"]
        return found

    def made_of(self, model: str) -> str:
        """The id of a widget of this kind of model."""
        return next(name for name, state in self.widgets.items() if state.get("_model_name") == model)

    def button(self, label: str) -> str:
        """The id of the button that begins with this label."""
        return next(
            name
            for name, state in self.widgets.items()
            if state.get("tag") == "button" and self.words(state.get("children", [])).startswith(label)
        )

    def words(self, children: list[Any]) -> str:
        """What stands in a widget."""
        inner = (self.widgets.get(str(child).removeprefix("IPY_MODEL_")) for child in children)
        parts = zip(children, inner, strict=True)
        return " ".join(str(child) if state is None else self.words(state.get("children", [])) for child, state in parts)

    def close(self) -> None:
        """The connection is lost; the page is kept."""
        self._open.close()
