"""Wrong guesses of secret codes: counted for each caller and for all together, and slowed down."""

import time
from collections.abc import Callable
from threading import Lock


class Guesses:
    """How many different wrong guesses may be made within ``window`` seconds: ``each`` by one caller, ``everybody`` by all together.

    While there are too many no guess is looked at, not even a right one: otherwise a guesser would lose nothing by going on.
    The same wrong guess again comes from a page that is redrawn, and counts once.
    """

    def __init__(self, each: int, everybody: int, window: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.each, self.everybody, self.window, self._clock = each, everybody, window, clock
        self._lock = Lock()
        self._wrong: dict[tuple[str, str], float] = {}

    def may_guess(self, who: str) -> bool:
        """Whether a guess of this caller is looked at now."""
        with self._lock:
            since = self._clock() - self.window
            self._wrong = {made: at for made, at in self._wrong.items() if at > since}
            return len(self._wrong) < self.everybody and len([caller for caller, _ in self._wrong if caller == who]) < self.each

    def count_wrong(self, who: str, guess: str) -> None:
        """A guess that was looked at and was wrong."""
        with self._lock:
            self._wrong.setdefault((who, guess[:60]), self._clock())
