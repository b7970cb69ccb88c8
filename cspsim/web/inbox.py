"""The one place where everything that browsers send comes in, in front of every page and its libraries.

Solara reads each websocket through ``WebsocketWrapper.receive``, in the thread of the page and before anything looks at what came.
``guard_inbox`` puts ``messages.checked`` there. Behind it the handlers that should never be called are taken away as well:
ipyvue's, which creates any object by name, and the one that lets a browser make widgets of any registered class.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import ipyvue.VueTemplateWidget
import ipywidgets
from solara.server import server, starlette
from solara.server.kernel_context import get_current_context

from cspsim.basics.errors import CspsimError
from cspsim.web.event_types import argument
from cspsim.web.messages import MessageRefused, checked_message

logger = logging.getLogger("cspsim.web")

QUIET = 60.0
"""Seconds between two lines about dropped messages, so that nobody can fill a disk with them."""
UNCHECKED = "one that could not be checked"


class DroppedMessages:
    """Counts what was not passed on, by the reason, and says so now and then. Thread-safe."""

    def __init__(self, say: Callable[[str], None] = logger.warning, clock: Callable[[], float] = time.monotonic) -> None:
        self.counts: Counter[str] = Counter()
        self._say, self._clock = say, clock
        self._lock = threading.Lock()
        self._quiet_until = float("-inf")

    def add(self, reason: str) -> None:
        """One more."""
        with self._lock:
            self.counts[reason] += 1
            now = self._clock()
            if now < self._quiet_until:
                return
            self._quiet_until = now + QUIET
            said = self.sentence()
        self._say(said)

    def sentence(self) -> str:
        """How many so far, by reason; empty if there were none."""
        total = sum(self.counts.values())
        parts = "; ".join(f"{reason}: {count:,}" for reason, count in self.counts.most_common())
        return f"Messages of browsers that were dropped so far: {total:,} ({parts})." if total else ""


dropped = DroppedMessages()


def guard_inbox() -> None:
    """Check every message from now on. Raises CspsimError where Solara no longer reads messages as it did."""
    reads = "receive" in server.app_loop.__code__.co_names and "WebsocketWrapper" in starlette._kernel_connection.__code__.co_names
    if not reads or "handle_comm_opened" not in vars(ipywidgets.Widget) or "_handle_event" not in vars(ipyvue.VueTemplateWidget.Events):
        raise CspsimError('the web view does not know this version of Solara or ipyvue: pip install -U "cspsim[web]"')
    if getattr(starlette.WebsocketWrapper.receive, "checks", False):
        return
    receive = starlette.WebsocketWrapper.receive

    async def receive_checked(self: Any) -> str:
        """The next message that may be passed on; in the page's own thread, after everything before it has been handled."""
        while True:
            raw = await receive(self)
            try:
                return checked_message(raw, get_current_context())
            except MessageRefused as refused:
                dropped.add(str(refused))
            except Exception:  # what cannot be checked does not pass, and the page goes on
                dropped.add(UNCHECKED)

    receive_checked.checks = True  # type: ignore[attr-defined]
    starlette.WebsocketWrapper.receive = receive_checked  # type: ignore[method-assign] # the one place that all messages pass
    ipyvue.VueTemplateWidget.Events._handle_event = _declared_event
    ipywidgets.Widget.handle_comm_opened = staticmethod(_no_widget)
    ipywidgets.Widget.handle_control_comm_opened = staticmethod(_hand_out_states)


def _declared_event(widget: Any, _: Any, content: Any, buffers: Any) -> None:
    """In place of ipyvue's own: an event that the template declares, and nothing else."""
    event = content.get("event")
    try:
        data = argument(widget, event, content.get("data"))
    except (LookupError, ValueError):
        dropped.add("an event that nobody declares")
        return
    getattr(widget, f"vue_{event}")(data)


def _no_widget(comm: Any, message: Any) -> None:
    raise ValueError("browsers make no widgets")


def _hand_out_states(comm: Any, message: Any) -> None:
    """In place of ipywidgets' own, which keeps one channel for the whole process, so that one visitor is told another's page."""

    def answer(message: Any) -> None:
        if message["content"]["data"].get("method") != "request_states":
            return
        states = {
            widget.model_id: {
                "model_name": widget._model_name,
                "model_module": widget._model_module,
                "model_module_version": widget._model_module_version,
                "state": widget.get_state(),
            }
            for widget in list(get_current_context().widgets.values())
        }
        states, paths, buffers = ipywidgets.widgets.widget._remove_buffers(states)
        comm.send({"method": "update_states", "states": states, "buffer_paths": paths}, buffers=buffers)

    comm.on_msg(answer)
