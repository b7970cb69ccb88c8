"""The gate in front of everything: checks host name, headers and visitor of every request. Solara sees only what passes.

* A name that is not this server's is refused.
* What only a proxy has to say (``X-Forwarded-*``, ``X-Script-Name``) is dropped: Solara puts such a header of its first request
  into every later page. Where a proxy is trusted, uvicorn has read its headers before they come here.
* Without a visitor's cookie nothing passes but the entry link, which gives one. Solara's own session cookie is neither read from
  a browser nor sent to one: its session is the id in ours.
"""

from collections.abc import MutableMapping
from html import escape
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from cspsim.web.gatekeeper import Gatekeeper, network_of
from cspsim.web.guard import App, Receive, Send
from cspsim.web.reach import ENTRY, Reach

Headers = list[tuple[bytes, bytes]]

OPEN_TO_ALL = frozenset({"/readyz"})
"""Whether the server runs; it says nothing else, and pages ask it when they have lost their connection."""
SESSION = "solara-session-id"
DAY = 24 * 3600
OTHER_NAME = b"refused: this server does not go by the name in this address; whoever runs it can allow a name with --allow-host"
POLICY = b"default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
LOOK = "body{font:1.1rem/1.5 system-ui,sans-serif;max-width:36rem;margin:3rem auto;padding:0 1rem;color-scheme:light dark}"
LOOK += "input,button{font:inherit;padding:.5rem .75rem}label{display:block}"
PAGE = """<!DOCTYPE html>
<html lang="en-GB"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Entry code needed \N{EN DASH} cspsim</title><style>{look}</style></head>
<body><main><h1>{heading}</h1><p>{what}</p>
<form method="get" action="{path}">{rest}<p><label for="c">Entry code</label>
<input id="c" name="{entry}" autocomplete="off" autocapitalize="characters" spellcheck="false" required maxlength="40">
<button type="submit">Come in</button></p></form>
<p>Run by yourself? The link with the code is what <code>cspsim view</code> says when it starts.</p></main></body></html>"""
ASK = "Ask whoever runs this session for the link or the QR code, and open that, or type the entry code: twelve letters and figures."


class Gate:
    """Wraps the whole application. ``cookie_days``: how long a browser keeps its cookie: as long as a room can be returned to."""

    def __init__(self, app: App, keeper: Gatekeeper, reach: Reach, cookie_days: float = 7) -> None:
        self.app, self.keeper, self.reach, self.cookie_days = app, keeper, reach, cookie_days

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Let pass, let in, or refuse."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        headers = [one for one in scope["headers"] if not _is_of_a_proxy(one[0].lower())]
        here = str((scope.get("server") or ("",))[0])
        if not self.reach.answers_to(_header(headers, b"host"), here):
            await _close(scope, receive, send, 403, OTHER_NAME, [(b"content-type", b"text/plain; charset=utf-8")])
            return
        cookies = _cookies(_header(headers, b"cookie"))
        visitor = self.keeper.visitor_of(cookies.get(self.keeper.cookie_name, ""))
        given, rest = _entry_of(scope)
        if given is not None and scope["type"] == "http" and scope["method"] == "GET":
            await self._enter(scope, receive, send, given, rest, visitor)
        elif visitor or scope["path"] in OPEN_TO_ALL:
            await self._pass(scope, receive, send, headers, visitor)
        else:
            await self._ask_for_code(scope, receive, send, 403, "You need this session's entry code", ASK)

    async def _pass(self, scope: MutableMapping[str, Any], receive: Receive, send: Send, headers: Headers, visitor: str) -> None:
        """On to the pages, with the visitor's id as the only cookie, and without a cookie back."""
        own = [one for one in headers if one[0].lower() != b"cookie"]
        if visitor:
            own.append((b"cookie", f"{SESSION}={visitor}".encode()))

        async def without_cookies(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [one for one in message.get("headers", []) if one[0].lower() != b"set-cookie"]
            await send(message)

        await self.app({**scope, "headers": own}, receive, without_cookies)

    async def _enter(self, scope: MutableMapping[str, Any], receive: Receive, send: Send, given: str, rest: str, visitor: str) -> None:
        """A link with an entry code: a cookie, unless there is one, and the same address without the code."""
        machine = network_of(str((scope.get("client") or ("",))[0]))
        headers: Headers = [(b"cache-control", b"no-store"), (b"location", _bare(scope["path"], rest).encode())]
        if visitor:
            await _close(scope, receive, send, 303, b"", headers)
        elif not self.keeper.guesses.may_guess(machine):
            wait = "Too many wrong entry codes came from your network. Wait a minute, then try again."
            await self._ask_for_code(scope, receive, send, 429, "Wait a minute", wait)
        elif self.keeper.is_entry_code(given):
            secure = "; Secure" if scope["scheme"] == "https" else ""
            life = f"Max-Age={int(self.cookie_days * DAY)}; Path=/; HttpOnly; SameSite=Lax{secure}"
            cookie = f"{self.keeper.cookie_name}={self.keeper.new_cookie(machine)}; {life}"
            await _close(scope, receive, send, 303, b"", [*headers, (b"set-cookie", cookie.encode())])
        else:
            self.keeper.guesses.count_wrong(machine, given)
            await self._ask_for_code(
                scope, receive, send, 403, "This entry code does not open this session", f"It may be an old one. {ASK}"
            )

    async def _ask_for_code(
        self, scope: MutableMapping[str, Any], receive: Receive, send: Send, status: int, heading: str, what: str
    ) -> None:
        """The page that says what to do; what else the address holds is kept for afterwards."""
        rest = parse_qsl(_entry_of(scope)[1], keep_blank_values=True)
        hidden = "".join(f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in rest)
        path = escape(_bare(scope["path"], ""))
        text = PAGE.format(look=LOOK, heading=heading, what=what, path=path, rest=hidden, entry=ENTRY)
        kind = [(b"content-type", b"text/html; charset=utf-8"), (b"content-security-policy", POLICY), (b"cache-control", b"no-store")]
        await _close(scope, receive, send, status, text.encode("utf-8", "replace"), kind)


def _is_of_a_proxy(name: bytes) -> bool:
    return name in (b"script-name", b"x-script-name", b"forwarded", b"x-real-ip") or name.startswith((b"x-forwarded", b"x-original"))


def _header(headers: Headers, name: bytes) -> str:
    return b"; ".join(value for other, value in headers if other.lower() == name).decode("latin-1")


def _cookies(header: str) -> dict[str, str]:
    """Cookies by name. Malformed ones of other programs must not hide ours: ``http.cookies`` stops at them."""
    pairs = (part.partition("=") for part in header.split(";"))
    return {name.strip(): value.strip() for name, _, value in pairs}


def _entry_of(scope: MutableMapping[str, Any]) -> tuple[str | None, str]:
    """The entry code in an address, None where there is none, and the rest of its query."""
    pairs = parse_qsl(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
    given = next((value for name, value in pairs if name == ENTRY), None)
    return given, urlencode([pair for pair in pairs if pair[0] != ENTRY])


def _bare(path: str, query: str) -> str:
    """An address on this server: it begins with one slash, since two would lead to another server."""
    return quote("/" + path.lstrip("/\\"), safe="/") + (f"?{query}" if query else "")


async def _close(scope: MutableMapping[str, Any], receive: Receive, send: Send, status: int, text: bytes, headers: Headers) -> None:
    """An answer that ends it; a websocket is not opened."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008})
        return
    kept = [(b"x-content-type-options", b"nosniff"), (b"x-frame-options", b"DENY"), (b"referrer-policy", b"no-referrer")]
    length = (b"content-length", str(len(text)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*headers, *kept, length]})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else text})
