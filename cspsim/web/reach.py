"""How this server can be reached: the names it answers to, the addresses that phones use, and the links with the entry code."""

import ipaddress
import re
import socket
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import urlencode

from cspsim.basics.errors import CspsimError

LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]", "::1"})
EVERYWHERE = frozenset({"0.0.0.0", "::"})
ENTRY = "entry"
"""The parameter of a link that holds the entry code."""
_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", re.ASCII)
_SOMEWHERE = ("192.0.2.1", "2001:db8::1")
"""Addresses reserved for documentation: asking which of our addresses would lead there sends nothing."""


class Reach(NamedTuple):
    """Where the server listens, the names it was told to answer to, and whether a proxy stands before it.

    ``entry``: the entry code. Addresses of the machine are looked up each time: a laptop changes its network while a course runs.
    """

    host: str
    port: int
    entry: str
    allowed: tuple[str, ...] = ()
    proxied: bool = False

    @property
    def only_here(self) -> bool:
        """Whether only this machine can open it."""
        return self.host in LOOPBACK and not self.proxied

    def own_link(self, entry: str = "") -> str:
        """The link for a browser on this machine."""
        return _link(address_of(self.host, self.port), entry or self.entry)

    def links(self, path: str = "") -> list[str]:
        """Links that other machines can use, the likeliest first; none if only this machine can open the server."""
        if self.proxied:
            return [_link(f"https://{_in_address(name)}/{path}", self.entry) for name in self.allowed]
        if self.only_here:
            return []
        found = [*network_addresses(), *self.allowed] if self.host in EVERYWHERE else [self.host, *self.allowed]
        usable = [name for name in found if self.host != "0.0.0.0" or ":" not in name]
        return [_link(f"http://{_in_address(name)}:{self.port}/{path}", self.entry) for name in usable]

    @property
    def who(self) -> str:
        """Who can open it, in sentences."""
        if self.only_here:
            return "Only this machine can open it, and only with this link."
        if self.proxied:
            return "Everybody who can reach the proxy and has this link can open it."
        return (
            "Everybody who can reach this machine over its network and has this link can open it. "
            "Nothing is encrypted on the way: others in the same network may read along."
        )

    def answers_to(self, host: str, here: str) -> bool:
        """Whether a request may call us by this name: own addresses and names, and those allowed. ``here``: the address it came in by.

        A page of somebody else's whose name is made to lead here (DNS rebinding) still calls us by that name.
        """
        name = _name_in(host)
        if name in LOOPBACK or name in self.allowed or name in own_names():
            return True
        return bool(name) and _plain_address(name) == _plain_address(here)


def address_of(host: str, port: int) -> str:
    """What a browser on this machine is to open."""
    name = "127.0.0.1" if host == "0.0.0.0" else "::1" if host == "::" else host
    return f"http://{_in_address(name)}:{port}/"


def checked_names(names: Sequence[str]) -> tuple[str, ...]:
    """Names given with ``--allow-host``. Raises CspsimError for one that no browser could use."""
    for name in names:
        if not (_NAME.fullmatch(name.lower()) or _is_address(name)):
            raise CspsimError(f"--allow-host {name}: expected a name or address, such as course.example.org, without http:// and port")
    return tuple(name.lower() for name in names)


def checked_proxy(address: str | None) -> str | None:
    """The address given with ``--behind-proxy``. Raises CspsimError if it is none."""
    if address is not None and not _is_address(address):
        raise CspsimError(f"--behind-proxy {address}: expected the address that the proxy calls from, such as 127.0.0.1")
    return address


def own_names() -> frozenset[str]:
    """What this machine is called."""
    name = socket.gethostname().lower()
    return frozenset({name, f"{name}.local", name.removesuffix(".local")}) - {""}


def network_addresses() -> list[str]:
    """Addresses of this machine that others may reach, first the one by which it reaches others."""
    import psutil

    listed = [one.address.partition("%")[0] for entries in psutil.net_if_addrs().values() for one in entries if _is_address(one.address)]
    found = dict.fromkeys([*filter(None, map(_way_to, _SOMEWHERE)), *sorted(listed, key=lambda one: ":" in one)])
    return [one for one in found if not (ipaddress.ip_address(one).is_loopback or ipaddress.ip_address(one).is_link_local)]


def _way_to(address: str) -> str:
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM) as asked:
        try:
            asked.connect((address, 9))
            return str(asked.getsockname()[0])
        except OSError:
            return ""


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return True


def _plain_address(text: str) -> str:
    """An address in its canonical form; anything else unchanged."""
    if not _is_address(text):
        return text
    found = ipaddress.ip_address(text.partition("%")[0])
    return str((found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None) or found)


def _name_in(host: str) -> str:
    """The name in a Host header, without port and brackets."""
    name = host.partition("]")[0].removeprefix("[") if host.startswith("[") else host.partition(":")[0]
    return name.lower()


def _in_address(name: str) -> str:
    return f"[{name}]" if ":" in name else name


def _link(address: str, entry: str) -> str:
    return f"{address}?{urlencode({ENTRY: entry})}"


class _Shared:
    reach: Reach | None = None


def set_reach(reach: Reach | None) -> None:
    """Said by the server before it starts: where it is."""
    _Shared.reach = reach


def the_reach() -> Reach | None:
    """Where this server is; None where pages run without one."""
    return _Shared.reach
