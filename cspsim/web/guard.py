"""What stands between a browser and Solara.

Pages with their language, zoom and theme, headers that keep them to this machine, and refusal of requests from other sites.
"""

import re
from collections import Counter
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cspsim.web import theme
from cspsim.web.policy import policy

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

HEAD_FILE = Path(__file__).resolve().parent / "head.html"
HEADERS = (
    (b"content-security-policy", policy().encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
)
MOST_PER_SESSION, MOST_PER_MACHINE = 30, 120
"""Open pages of one browser, and of one machine: a class behind one address still fits."""
COOKIES = ("solara-session-id", "solara-session-id-lax")
UNSEEN = frozenset({"/resourcez"})
"""Addresses at which Solara would tell about the server's internals; they are closed to everybody."""
CLOSING = "/_solara/api/close/"
_VIEWPORT = re.compile(r'<meta name="viewport"[^>]*>')


def adapted_page(page: str) -> str:
    """Solara's page with a language, a title, our theme, and without its ban on zooming. Raises ValueError if it has changed its shape."""
    head = HEAD_FILE.read_text(encoding="utf-8").replace("THEME_VERSION", theme.css_version())
    found = _VIEWPORT.subn("", page, count=1)[0]
    if found == page or "<html>" not in page or "</head>" not in page:
        raise ValueError("the page of this version of Solara is not put together as expected")
    return found.replace("<html>", '<html lang="en-GB">', 1).replace("</head>", f"{head}</head>", 1)


def is_own(origin: str, host: str) -> bool:
    """Whether a request that names where it comes from comes from a page of this server. A browser names it; a script need not."""
    return not origin or urlsplit(origin).netloc.lower() == host.lower()


class Guard:
    """Wraps the server's application; the gate stands before it."""

    def __init__(self, app: App) -> None:
        self.app = app
        self._open: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse what comes from elsewhere, pass on the rest, with headers on every answer."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        given = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        host = given.get("host", "")
        changes_something = scope["type"] == "websocket" or scope["method"] not in ("GET", "HEAD")
        if changes_something and not is_own(given.get("origin", ""), host):
            await _refuse(scope, receive, send)
            return
        if scope["path"] in UNSEEN or (scope["path"].startswith(CLOSING) and b"session_id=" not in scope.get("query_string", b"")):
            await _answer(send, 404, b"there is no such page")
            return
        if scope["type"] == "websocket":
            await self._connect(scope, receive, send, _session(given.get("cookie", "")))
            return

        async def headed(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                own = [*message.get("headers", [])]
                message["headers"] = own + [header for header in HEADERS if header[0] not in dict(own)]
            await send(message)

        await self.app(scope, receive, headed)

    async def _connect(self, scope: Scope, receive: Receive, send: Send, session: str) -> None:
        """A page's connection; one too many of a browser, or of a machine, is refused: each holds memory and a thread."""
        who = [(f"session {session}", MOST_PER_SESSION), (f"machine {(scope.get('client') or ('',))[0]}", MOST_PER_MACHINE)]
        if any(self._open[name] >= most for name, most in who):
            await receive()
            await send({"type": "websocket.close", "code": 1013})
            return
        self._open.update(name for name, _ in who)
        try:
            await self.app(scope, receive, send)
        finally:
            self._open.subtract(name for name, _ in who)
            for name, _ in who:
                if not self._open[name]:
                    del self._open[name]


def _session(cookies: str) -> str:
    """The session id of a cookie header; empty where there is none."""
    found = SimpleCookie()
    with suppress(CookieError):
        found.load(cookies)
    return next((found[name].value for name in COOKIES if name in found), "")


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008})
        return
    await _answer(send, 403, b"refused: this request comes from another site")


async def _answer(send: Send, status: int, text: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", b"text/plain; charset=utf-8"), *HEADERS]})
    await send({"type": "http.response.body", "body": text})
