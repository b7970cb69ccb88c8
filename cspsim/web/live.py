"""News from other threads: a page is redrawn, in its own thread, when something outside it has changed."""

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import solara
from solara.server.kernel_context import VirtualKernelContext, get_current_context

Tell = Callable[[], None]
"""Says that there is news. Any thread may call it, at any time and as often as it likes; it never waits and never fails."""
Subscribe = Callable[[Tell], Callable[[], None]]
"""Takes a ``Tell`` and gives what ends the subscription."""

AGAIN_AFTER = 0.5
"""Seconds after which unshown news is fetched anyway: its page may have lost the connection."""


class Bell:
    """Carries news into the thread of one page. However often it rings before the page looks, the page is drawn once.

    ``rest``: after drawing, the page waits this many times as long as that took before it draws news again.
    """

    def __init__(self, context: VirtualKernelContext, show: Callable[[], None], rest: float = 0.0) -> None:
        self._context, self._show, self._rest = context, show, rest
        self._lock = threading.Lock()
        self._rung = self._silent = False
        self._rested = 0.0
        self._loop = context.event_loop

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

    @property
    def gone(self) -> bool:
        """Whether nobody will ever look."""
        return self._silent or self._context.closed_event.is_set()

    @property
    def lost(self) -> bool:
        """Whether its news went to a connection that has closed; the page may be back with another one."""
        return self._rung and (self._loop.is_closed() or self._loop is not self._context.event_loop)

    def send_again(self) -> None:
        """Send lost news again."""
        self._send()

    def _send(self) -> None:
        if self.gone:
            return
        loop = self._loop = self._context.event_loop
        _unseen.add(self)
        with suppress(RuntimeError):  # the loop is closed: ``_unseen`` tries again
            loop.call_soon_threadsafe(lambda: loop.call_later(max(0.0, self._rested - time.monotonic()), self._look))

    def _look(self) -> None:
        _unseen.discard(self)
        with self._lock:
            self._rung = False
        if not self.gone:
            begun = time.monotonic()
            with self._context:
                self._show()
            now = time.monotonic()
            self._rested = now + self._rest * (now - begun)


class _Unseen:
    """Bells whose news no page has fetched yet; one thread for all of them sends again what a lost connection swallowed."""

    def __init__(self) -> None:
        self._bells: set[Bell] = set()
        self._there = threading.Condition()
        self._watching = False

    def add(self, bell: Bell) -> None:
        """News is on its way."""
        with self._there:
            self._bells.add(bell)
            if not self._watching:
                self._watching = True
                threading.Thread(target=self._watch, name="unseen news", daemon=True).start()
            self._there.notify()

    def discard(self, bell: Bell) -> None:
        """The page has looked."""
        with self._there:
            self._bells.discard(bell)

    def _watch(self) -> None:
        while True:
            with self._there:
                while not self._bells:
                    self._there.wait()
            time.sleep(AGAIN_AFTER)
            with self._there:
                self._bells = {bell for bell in self._bells if not bell.gone}
                lost = [bell for bell in self._bells if bell.lost]
            for bell in lost:
                bell.send_again()


_unseen = _Unseen()


def use_news(subscribe: Subscribe, dependencies: Sequence[Any] = (), rest: float = 0.0) -> int:
    """Redraw the component whenever ``subscribe``'s source has news; gives how often it had.

    ``subscribe`` is called when the component appears, and again when ``dependencies`` change; what it returns is called
    when the component or the whole page has gone. ``rest`` is for news that never stops: after each drawing the page waits that
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
