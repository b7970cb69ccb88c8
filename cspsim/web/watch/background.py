"""Work in the background that several visitors may wait for: done once, kept on a small shelf, dropped when nobody waits."""

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from cspsim.basics.errors import CspsimError
from cspsim.web.live import Tell, use_news

Key = TypeVar("Key", bound=Hashable)
Made = TypeVar("Made")

Report = Callable[[int, int], None]
"""Called with the work done and the work in all; raises ``Dropped`` once nobody waits any more."""

AT_ONCE = 2
"""Pieces of work that run at the same time; others wait for their turn."""
FAILED = "This could not be worked out."

logger = logging.getLogger("cspsim.web")
_turns = threading.Semaphore(AT_ONCE)


class Dropped(Exception):
    """Nobody waits for the work any more."""


class Job(Generic[Made]):
    """One piece of work: its progress and its result.

    Attributes:
        done, total: progress in the work's own units.
        result: what was made; None until then.
        fault: why nothing was made, in a sentence; empty otherwise.
    """

    def __init__(self) -> None:
        self.done, self.total = 0, 0
        self.result: Made | None = None
        self.fault = ""
        self._waiting: list[Tell] = []
        self._dropped = threading.Event()

    @property
    def ended(self) -> bool:
        """Whether there is a result or a fault."""
        return self.result is not None or bool(self.fault)

    def report(self, done: int, total: int) -> None:
        """Report progress. Raises Dropped when nobody waits."""
        if self._dropped.is_set():
            raise Dropped
        self.done, self.total = done, total
        self._tell()

    def _tell(self) -> None:
        for tell in tuple(self._waiting):
            tell()

    def _work(self, make: Callable[[Report], Made]) -> None:
        while not _turns.acquire(timeout=0.1):
            if self._dropped.is_set():
                return
        try:
            self.report(0, self.total)
            self.result = make(self.report)
        except Dropped:
            return
        except CspsimError as error:
            self.fault = str(error)
        except Exception:  # whatever a scenario's own rules may raise: the visitor gets a sentence, the log the rest
            logger.exception("work in the background failed")
            self.fault = FAILED
        finally:
            _turns.release()
        self._tell()


class ResultShelf(Generic[Key, Made]):
    """Results by key, shared by all visitors: the ``most`` latest used stay, unfinished work goes with its last visitor."""

    def __init__(self, make: Callable[[Key, Report], Made], most: int) -> None:
        self._make, self._most = make, most
        self._lock = threading.Lock()
        self._jobs: OrderedDict[Key, Job[Made]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._jobs)

    def look(self, key: Key) -> Job[Made] | None:
        """The work for a key as it stands; None if nobody has asked for it, or it was cleared away."""
        return self._jobs.get(key)

    def borrow(self, key: Key, tell: Tell) -> Callable[[], None]:
        """Wait for a key's work, which begins now if need be; ``tell`` is called on progress. Returns a function that ends the waiting."""
        with self._lock:
            job = self._jobs.get(key)
            if job is None or job.fault:
                waiting = [] if job is None else job._waiting  # visitors who saw the fault are told about the new attempt
                job = self._jobs[key] = Job()
                job._waiting = waiting
                threading.Thread(target=job._work, args=[lambda report: self._make(key, report)], name="cspsim-watch", daemon=True).start()
            self._jobs.move_to_end(key)
            job._waiting.append(tell)
            self._clear_away()
        tell()
        waiting = job._waiting

        def give_back() -> None:
            with self._lock:
                if tell in waiting:
                    waiting.remove(tell)
                now = self._jobs.get(key)
                if now is not None and now._waiting is waiting and not waiting and not now.ended:
                    now._dropped.set()
                    del self._jobs[key]
                self._clear_away()

        return give_back

    def _clear_away(self) -> None:
        """Drop the results used longest ago, but none that somebody is looking at."""
        unused = [key for key, job in self._jobs.items() if not job._waiting]
        for key in unused[: max(0, len(self._jobs) - self._most)]:
            del self._jobs[key]


def use_job(shelf: ResultShelf[Key, Made], key: Key | None) -> Job[Made] | None:
    """The work for a key, begun when the component appears and dropped when it goes; redrawn on progress."""

    def subscribe(tell: Tell) -> Callable[[], None]:
        return (lambda: None) if key is None else shelf.borrow(key, tell)

    use_news(subscribe, [key])
    return None if key is None else shelf.look(key)
