"""Who is let in: the entry code of this server, and the visitors' ids that it has drawn and signed. Independent of Solara.

A visitor with the entry code gets a cookie: an id that nobody can choose, with a signature that only this server can make.
Without such a cookie nothing is shown. A new entry code comes with a new key, so that visitors who came in with the old one are out.
"""

import hashlib
import hmac
import ipaddress
import re
import secrets
import time
from collections.abc import Callable
from threading import Lock
from typing import NamedTuple

from cspsim.web.guesses import Guesses

ENTRY_ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
"""No I, L, O, 0, 1: people without a camera type it from the wall."""
ENTRY_LENGTH = 12
TICKET_LASTS = 300.0
"""Seconds within which the browser that this server opens must connect; a machine under load is slow."""
WRONG_EACH, WRONG_BY_ALL, WRONG_WINDOW = 10, 300, 60.0
"""Wrong entry codes a minute: of one machine, behind which a whole class may sit, and of all. A code is one of 31^12."""


_VISITOR = re.compile(r"[0-9a-f]{32}-([0-9a-f]{10})")


class EntrySecrets(NamedTuple):
    """What is kept with the rooms, so that links and seats hold over a restart: the code in the link, the key of signatures."""

    code: str
    key: str


def drawn_secrets() -> EntrySecrets:
    """New ones."""
    return EntrySecrets("".join(secrets.choice(ENTRY_ALPHABET) for _ in range(ENTRY_LENGTH)), secrets.token_hex(32))


class Gatekeeper:
    """Knows the entry code, and gives and reads visitors' cookies."""

    def __init__(self, kept: EntrySecrets, clock: Callable[[], float] = time.monotonic) -> None:
        self.code, self._key, self._clock = kept.code, bytes.fromhex(kept.key), clock
        self.cookie_name = f"cspsim-visitor-{self._mark('cookie')}"
        self.guesses = Guesses(WRONG_EACH, WRONG_BY_ALL, WRONG_WINDOW, clock)
        self._lock = Lock()
        self._tickets: dict[str, float] = {}

    def ticket(self) -> str:
        """An entry code that works once, for the browser this server opens: others here can read how a program was started."""
        made = secrets.token_urlsafe(16)
        with self._lock:
            self._tickets[made] = self._clock() + TICKET_LASTS
        return made

    def is_entry_code(self, given: str) -> bool:
        """Whether this lets somebody in; a ticket is used up by it. Takes as long for a wrong code as for a right one."""
        typed = "".join(given.split()).upper().replace("-", "").encode("utf-8", "replace")
        right = hmac.compare_digest(typed, self.code.encode())
        with self._lock:
            now = self._clock()
            self._tickets = {ticket: until for ticket, until in self._tickets.items() if until > now}
            used = [ticket for ticket in self._tickets if hmac.compare_digest(given.encode("utf-8", "replace"), ticket.encode())]
            for ticket in used:
                del self._tickets[ticket]
        return right or bool(used)

    def new_cookie(self, address: str) -> str:
        """A cookie with a new id, which also holds a mark of the machine that asked, but not its address."""
        visitor = f"{secrets.token_hex(16)}-{self._mark('machine', network_of(address))}"
        return f"{visitor}.{self._signature(visitor)}"

    def visitor_of(self, cookie: str) -> str:
        """The id in a cookie that this server has given out; empty for any other."""
        visitor, _, signature = cookie.rpartition(".")
        right = hmac.compare_digest(signature.encode("utf-8", "replace"), self._signature(visitor).encode())
        return visitor if right and visitor else ""

    def _signature(self, visitor: str) -> str:
        return hmac.new(self._key, b"visitor:" + visitor.encode("utf-8", "replace"), hashlib.sha256).hexdigest()

    def _mark(self, kind: str, of: str = "") -> str:
        return hmac.new(self._key, f"{kind}:{of}".encode(), hashlib.sha256).hexdigest()[:10]


def network_of(address: str) -> str:
    """What counts as one machine: an address, and of IPv6 the 64 bits within which a machine draws its addresses itself."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address):
        mapped = found.ipv4_mapped
        return str(mapped) if mapped else str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)


def machine_of(session: str) -> str:
    """The mark of the machine in a visitor's id; empty for an id that no gatekeeper has drawn."""
    found = _VISITOR.fullmatch(session)
    return found.group(1) if found else ""
