"""A page's subscription to its room, for as long as its browser is connected.

Solara keeps a page whose connection is lost for a quarter of an hour, so that it may come back. A room would take its
owner for present all the while, and a session whose facilitator's laptop has died would wait. So a subscription rests
once a page has been without its browser for some seconds, and begins again when it is back.
"""

import logging
import threading
import time
from collections.abc import Callable

from solara.server.kernel_context import PageStatus, VirtualKernelContext, get_current_context

from cspsim.web.live import Subscribe, Tell

logger = logging.getLogger("cspsim.web")

LOOKS_EVERY = 3.0
GONE_AFTER = 15.0
"""Seconds: how often it is looked whether browsers are there, and how long one may be silent (a phone in a pocket, a reload)."""


def is_connected(context: VirtualKernelContext) -> bool:
    """Whether a browser shows this page now."""
    return any(status == PageStatus.CONNECTED for status in list(context.page_status.values()))


class Presence:
    """One subscription that rests while nobody is there."""

    def __init__(self, subscribe: Subscribe, tell: Tell, is_there: Callable[[], bool], clock: Callable[[], float]) -> None:
        self._subscribe, self._tell, self._is_there, self._clock = subscribe, tell, is_there, clock
        self._lock = threading.RLock()
        self._closed = False
        self._seen = clock()
        self._end: Callable[[], None] | None = subscribe(tell)

    @property
    def resting(self) -> bool:
        """Whether the subscription rests."""
        return self._end is None

    def look(self) -> None:
        """Rest, or begin again, as the browser goes and comes."""
        with self._lock:
            if self._closed:
                return
            now = self._clock()
            if self._is_there():
                self._seen = now
                if self._end is None:
                    self._end = self._subscribe(self._tell)
                    self._tell()  # catch up with what happened meanwhile
            elif self._end is not None and now - self._seen >= GONE_AFTER:
                self._rest()

    def close(self) -> None:
        """The page has gone for good."""
        with self._lock:
            self._closed = True
            self._rest()

    def _rest(self) -> None:
        if self._end is not None:
            end, self._end = self._end, None
            end()


class Watch:
    """Looks after every presence of the process in one thread, which runs only while there is one."""

    def __init__(self, every: float = LOOKS_EVERY) -> None:
        self._every = every
        self._lock = threading.Lock()
        self._all: set[Presence] = set()
        self._running = False

    def __len__(self) -> int:
        return len(self._all)

    def add(self, presence: Presence) -> Callable[[], None]:
        """Look after it; gives what ends that."""
        with self._lock:
            self._all.add(presence)
            if not self._running:
                self._running = True
                threading.Thread(target=self._run, name="presence", daemon=True).start()

        def end() -> None:
            with self._lock:
                self._all.discard(presence)
            presence.close()

        return end

    def _run(self) -> None:
        while True:
            time.sleep(self._every)
            with self._lock:
                presences = list(self._all)
                if not presences:
                    self._running = False
                    return
            for presence in presences:
                try:
                    presence.look()
                except Exception:  # one page's trouble must not end the watch over all the others
                    logger.exception("a page could not be looked after")


watch = Watch()


def while_present(subscribe: Subscribe) -> Subscribe:
    """The same subscription, which rests while the browser of the current page is away."""

    def begin(tell: Tell) -> Callable[[], None]:
        context = get_current_context()
        return watch.add(Presence(subscribe, tell, lambda: is_connected(context), time.monotonic))

    return begin
