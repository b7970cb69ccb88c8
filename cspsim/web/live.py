"""News from other threads: a page is drawn anew, in its own thread, when something outside of it has changed."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import solara
from solara.server.kernel_context import VirtualKernelContext, get_current_context

Tell = Callable[[], None]
"""Says that there is news. Any thread may call it, at any time and as often as it likes; it never waits and never fails."""
Subscribe = Callable[[Tell], Callable[[], None]]
"""Takes a ``Tell`` and gives what ends the subscription."""

AGAIN_AFTER = 0.5
"""Seconds until a page that has lost its connection is tried again."""


class Bell:
    """Carries news into the thread of one page. However often it rings before the page looks, the page is drawn once.

    ``rest``: after drawing, the page waits this many times as long as that took before it draws news again.
    """

    def __init__(self, context: VirtualKernelContext, show: Callable[[], None], rest: float = 0.0) -> None:
        self._context, self._show, self._rest = context, show, rest
        self._lock = threading.Lock()
        self._rung = self._silent = False
        self._rested = 0.0

    def ring(self) -> None:
        """There is news."""
        with self._lock:
            if self._rung or self._silent:
                return
            self._rung = True
        self._send()

    def silence(self) -> None:
        """The page has gone."""
        self._silent = True

    def _send(self) -> None:
        if self._silent or self._context.closed_event.is_set():
            return
        try:
            loop = self._context.event_loop
            loop.call_soon_threadsafe(lambda: loop.call_later(max(0.0, self._rested - time.monotonic()), self._look))
        except RuntimeError:  # the connection is lost and its loop closed: the page may come back with another one
            again = threading.Timer(AGAIN_AFTER, self._send)
            again.daemon = True
            again.start()

    def _look(self) -> None:
        with self._lock:
            self._rung = False
        if not (self._silent or self._context.closed_event.is_set()):
            begun = time.monotonic()
            with self._context:
                self._show()
            now = time.monotonic()
            self._rested = now + self._rest * (now - begun)


def use_news(subscribe: Subscribe, dependencies: Sequence[Any] = (), rest: float = 0.0) -> int:
    """Draw the component anew whenever ``subscribe``'s source has news; gives how often it had.

    ``subscribe`` is called when the component appears, and anew when ``dependencies`` change; what it returns is called
    when the component or the whole page has gone. ``rest`` is for news that never stop: after each drawing the page waits that
    many times as long as it took, so that its reader's clicks come first.
    """
    number, set_number = solara.use_state(0)

    def begin() -> Callable[[], None]:
        bell = Bell(get_current_context(), lambda: set_number(lambda before: before + 1), rest)
        end = subscribe(bell.ring)

        def stop() -> None:
            bell.silence()
            end()

        return stop

    solara.use_effect(begin, list(dependencies))
    return number
