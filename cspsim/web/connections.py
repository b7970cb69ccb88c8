"""Connections of pages: which are let in, and what happens to pages that have lost theirs.

A page holds about 7 MB of the server's memory. Solara keeps a page whose browser has gone for a quarter of an hour, in case it comes
back, however many there are. Here only so many are kept: the one that was lost first gives way first, an open page never.
"""

import ctypes
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from urllib.parse import parse_qs

from solara.server.kernel_context import PageStatus, VirtualKernelContext, contexts
from solara.server.server import get_session_id_cookie
from starlette.requests import HTTPConnection

from cspsim.web.guard import App, Receive, Scope, Send

MOST_KEPT = 60
"""Lost pages that are kept, about 450 MB: a class whose telephones have all gone to sleep comes back to its pages."""
_PLACE = re.compile(r"/jupyter/api/kernels/([A-Za-z0-9-]{1,64})/channels")
_PAGE = re.compile(r"[A-Za-z0-9-]{1,64}")

_lost: dict[str, None] = {}
"""Names of pages in the order in which their last connection was lost; some of them may be open again, or gone."""
_lock = threading.Lock()
_given_back = 0.0
_worker = ThreadPoolExecutor(1, "lost pages")
"""Closing a page waits for what it is doing, so it must never happen in the thread that serves everybody."""


class Connections:
    """Wraps the server's application: a connection that is not a page's is refused, whatever else a library would serve."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on everything but connections, and connections of pages."""
        if scope["type"] != "websocket":
            await self.app(scope, receive, send)
            return
        place = _PLACE.fullmatch(scope["path"])
        pages = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("session_id", [])
        if place is None or len(pages) != 1 or not _PAGE.fullmatch(pages[0]) or not _is_owner(scope, place[1]):
            await receive()
            await send({"type": "websocket.close", "code": 1008})
            return
        try:
            await self.app(scope, receive, send)
        finally:
            _worker.submit(give_way, place[1])


def _is_owner(scope: Scope, name: str) -> bool:
    """Whether a page is new, or was opened in the session that asks for it."""
    page = contexts.get(name)
    return page is None or page.session_id == get_session_id_cookie(HTTPConnection(scope).cookies)


def give_way(name: str) -> None:
    """A connection of this page has ended: it goes behind all others that are lost, and the first of them end while there are too many."""
    with _lock:
        _lost.pop(name, None)
        _lost[name] = None
        for gone in [one for one in _lost if not _is_lost(contexts.get(one))]:
            del _lost[gone]
        first = list(_lost)[: max(0, len(_lost) - MOST_KEPT)]
    for one in first:
        page = contexts.get(one)
        if page is not None and _is_lost(page):
            page.close(reason="cull")
            _give_memory_back()


def _is_lost(page: VirtualKernelContext | None) -> bool:
    """Whether a page exists and no browser is connected to it."""
    if page is None or page.closed_event.is_set():
        return False
    states = tuple(page.page_status.values())
    return bool(states) and PageStatus.CONNECTED not in states


def _give_memory_back() -> None:
    """Ask the C library (of Linux) to return what closed pages have left: each page has a thread, and it keeps memory for each."""
    global _given_back
    if time.monotonic() - _given_back < 10:
        return
    _given_back = time.monotonic()
    with suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)
