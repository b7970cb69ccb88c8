"""What every browser test uses: one server for a whole test run, one Chromium for each file, and visitors who complain.

    from browser import Visit, needs_browser, no_barriers, no_sideways_scroll      # the fixture ``visit`` is there for every test

    pytestmark = needs_browser

    def test_something(visit: Visit) -> None:
        page = visit("/explore")                 # a new visitor (cookies of his own), on a Playwright page that shows the tab's heading
        page.get_by_role("button", name="Undo").click()
        no_barriers(page)                        # axe-core, WCAG 2.2 AA
        no_sideways_scroll(page)

When the test ends every visitor's complaints are asserted to be none: console errors, uncaught exceptions, responses
over 399, dialogs, and requests to anything but the server (which are stopped, too). Settings of a visitor: ``visit("/watch",
width=390, dark=True, calm=True)``; a second visitor is a second ``visit``, a second tab of the same one ``visit.again(page, path)``.
``site()`` is the server of ``cspsim view``; ``Site.started(...)`` starts another one, such as ``web_gallery.py`` (every part on one page).
"""

import atexit
import http.client
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

HERE = Path(__file__).resolve().parent
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
NOT_TESTED = (
    "no Chromium on this machine, so the web view was not tested in a browser: "
    "not its pages, accessibility, keyboard, narrow windows, nor that nothing leaves the machine"
)
needs_browser = pytest.mark.skipif(CHROMIUM is None, reason=NOT_TESTED)

PATIENCE = 20_000
"""Milliseconds a test waits for something to appear: long, because the machine may be busy."""
START = 240.0
"""Seconds a server may take to start: it compiles the rules on a machine that has not seen them yet."""
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


class Site:
    """A running server: its address, the entry code as a link has it, its process and what it said."""

    def __init__(self, process: "subprocess.Popen[str]", lines: list[str], address: str) -> None:
        self.process, self.lines, self.address, self.entry = process, lines, address, ""
        self._listener = threading.Thread(target=self._listen, daemon=True)

    @classmethod
    def started(cls, *arguments: str, script: Path | None = None) -> "Site":
        """``cspsim view`` on a free port, or a script that calls ``serve``; returns when it answers on /readyz.

        Rooms are kept nowhere, least of all in the user's own file, unless a test names one (``--rooms``).
        """
        program = [str(script)] if script else ["-m", "cspsim.cli", "view", "--no-open", "--port", "0"]
        if not script and "--rooms" not in arguments:
            program += ["--rooms", "none"]
        process = subprocess.Popen(
            [sys.executable, *program, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=dict(os.environ)
        )
        atexit.register(_end, process)
        found = cls(process, [], "")
        found._listener.start()
        ends = time.monotonic() + START
        while not found.address:
            if process.poll() is not None or time.monotonic() > ends:
                raise AssertionError(f"the server did not start: {''.join(found.lines)}")
            time.sleep(0.05)
        found.wait_until_ready()
        return found

    def _listen(self) -> None:
        """Take what the server says as it says it: one that nobody listens to stops when the pipe is full."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)
            told = re.search(r"ready at (http://\S+)/\?(entry=\S+) ", line)
            if told:
                self.entry, self.address = told.group(2), told.group(1)

    def link(self, path: str) -> str:
        """A path with the entry code: what lets a new visitor in."""
        return f"{path}{'&' if '?' in path else '?'}{self.entry}"

    def wait_until_ready(self) -> None:
        """Until /readyz answers."""
        ends = time.monotonic() + START
        while time.monotonic() < ends:
            try:
                with urllib.request.urlopen(f"{self.address}/readyz", timeout=5) as answer:
                    assert answer.status == 200
                    return
            except OSError:
                time.sleep(0.05)
        raise AssertionError("the server never was ready")

    def stop(self, patience: float = 30) -> int:
        """Ctrl-C, as a user ends it; its exit code. ``lines`` then has everything it said."""
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(timeout=patience)
        self._listener.join(timeout=patience)
        return code


def _end(process: "subprocess.Popen[str]") -> None:
    if process.poll() is None:
        process.kill()
        process.wait()


@lru_cache(maxsize=1)
def site() -> Site:
    """The one server of this test run, started when the first test asks for it."""
    return Site.started()


@lru_cache(maxsize=1)
def gallery() -> Site:
    """The server that shows every part on one page, one for the test run as well."""
    return Site.started(script=HERE / "web_gallery.py")


@lru_cache(maxsize=1)
def _running() -> tuple[Any, Any]:
    from playwright.sync_api import sync_playwright

    playwright = sync_playwright().start()
    return playwright, playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"])


def chromium() -> Any:
    """The one Chromium, started when a test first asks for it."""
    return _running()[1]


_chromium = chromium


@pytest.fixture(scope="module", autouse=True)
def chromium_ends_with_its_file() -> Iterator[None]:
    """Chromium goes with the file of tests that started it: Playwright keeps an event loop running, and other tests have their own."""
    yield
    if _running.cache_info().currsize:
        playwright, browser = _running()
        _running.cache_clear()
        browser.close()
        playwright.stop()


def visitor_cookie(place: Site) -> str:
    """The cookie of a new visitor who came by the entry link, as a browser sends it back."""
    connection = http.client.HTTPConnection(place.address.removeprefix("http://"), timeout=30)
    connection.request("GET", place.link("/explore"))
    given = connection.getresponse().headers["set-cookie"]
    connection.close()
    return str(given).partition(";")[0]


class Visit:
    """Makes visitors, each with cookies of his own, and keeps their complaints."""

    def __init__(self) -> None:
        self.complaints: list[str] = []
        self._contexts: list[Any] = []

    def __call__(self, path: str, width: int = 1280, dark: bool = False, calm: bool = False, on: Site | None = None) -> Any:
        """A new visitor's page, waited for until its heading is there. ``calm``: prefers reduced motion; ``on``: another server."""
        place = on or site()
        context = chromium().new_context(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce" if calm else "no-preference",
            accept_downloads=True,
            base_url=place.address,
        )
        context.set_default_timeout(PATIENCE)
        home = urlsplit(place.address).netloc
        context.route(lambda address: not _is_local(address, home), self._stop)
        self._contexts.append(context)
        return self._opened(context.new_page(), place.link(path), home)

    def again(self, page: Any, path: str) -> Any:
        """A second tab of the same visitor."""
        return self._opened(page.context.new_page(), path, urlsplit(page.url).netloc)

    def _opened(self, page: Any, path: str, home: str) -> Any:
        page.on("console", lambda said: self._complain("console", said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: self._complain("exception", str(error)))
        page.on("dialog", self._dismiss)
        page.on("response", lambda answer: self._complain(f"status {answer.status}", answer.url) if answer.status > 399 else None)
        page.on("websocket", lambda socket: None if _is_local(socket.url, home) else self._complain("left the machine", socket.url))
        begun = time.monotonic()
        page.goto(path)
        page.locator("main h1").first.wait_for()
        print(f"{path}: first content after {time.monotonic() - begun:.2f} s")
        return page

    def _dismiss(self, dialog: Any) -> None:
        self._complain("dialog", dialog.message)
        dialog.dismiss()

    def _stop(self, route: Any) -> None:
        self._complain("left the machine", route.request.url)
        route.abort()

    def _complain(self, kind: str, what: str) -> None:
        self.complaints.append(f"{kind}: {what}")

    def close(self) -> None:
        """All visitors go."""
        for context in self._contexts:
            context.close()


def _is_local(address: str, home: str) -> bool:
    parts = urlsplit(address)
    return parts.scheme in ("data", "blob", "about") or parts.netloc == home


@pytest.fixture
def visit() -> Iterator[Visit]:
    """Visitors to the web view; the test fails if one of them has anything to complain of."""
    visitors = Visit()
    try:
        yield visitors
    finally:
        visitors.close()
    assert visitors.complaints == []


def barriers(page: Any) -> list[str]:
    """What axe-core finds against WCAG 2.2 AA, each with the elements concerned."""
    from axe_playwright_python.sync_playwright import Axe

    options = {"runOnly": {"type": "tag", "values": RULES}, "resultTypes": ["violations"]}
    found = Axe().run(page, options=options).response["violations"]
    return [f"{entry['id']}: {entry['help']}: {[node['html'][:160] for node in entry['nodes'][:4]]}" for entry in found]


def no_barriers(page: Any) -> None:
    """Assert that axe-core finds nothing."""
    found = barriers(page)
    assert not found, "\n".join(found)


def no_sideways_scroll(page: Any) -> None:
    """Assert that nobody has to scroll sideways to read the page."""
    sizes = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert sizes[0] <= sizes[1], f"{sizes[0]} pixels wide in a window of {sizes[1]}"


def press_until_focused(page: Any, name: str, key: str = "Tab", most: int = 60) -> int:
    """Press a key until the element with this text or label has the focus; how often. Fails where the keyboard does not get there."""
    told = "(() => { const e = document.activeElement; return e ? (e.getAttribute('aria-label') || e.innerText || '').trim() : ''; })()"
    for pressed in range(1, most + 1):
        page.keyboard.press(key)
        if page.evaluate(told) == name:
            return pressed
    raise AssertionError(f"{name!r} cannot be reached with {most} times {key}")
