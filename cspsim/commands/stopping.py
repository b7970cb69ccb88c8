"""Every request to stop, from a person or from the system, does what Ctrl-C does: finished work is kept and the folder says so."""

import signal
from typing import Any

NAMES = ("SIGTERM", "SIGHUP")
"""What a batch system, a closing terminal or a machine that shuts down sends."""


class Stopped(KeyboardInterrupt):
    """The system asked to stop. Whatever handles Ctrl-C handles this too."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def heed_signals() -> None:
    """From now on SIGTERM and SIGHUP stop as Ctrl-C does; one that is ignored, as under nohup, stays ignored."""
    for name in NAMES:
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _stop)


def _stop(number: int, frame: Any) -> None:
    signal.signal(number, signal.SIG_IGN)  # the first request is being handled; a second one must not interrupt that
    raise Stopped(number)


def exit_code_of(stop: KeyboardInterrupt) -> int:
    """The exit code by which a shell or a batch system knows who stopped a program."""
    return 128 + (stop.number if isinstance(stop, Stopped) else int(signal.SIGINT))
