"""The first compilation: the stages of the month in two processes where there are two processors.

Machine code is made once for a version of the rules and kept (see ``compiled``). One process takes the stages up to the
challenges and the loop over months, which is half of the work; a second takes the other stages, into a folder of its own,
since two processes that keep code of the same helper at once may each write over the other's. Its stages hold all code
they need and are moved over. Where no second process can be had, or it fails, the first compiles everything.
"""

import os
import pickle
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from cspsim.model.compiled import cache_folder, first_compilation
from cspsim.model.luck import STREAMS, new_luck
from cspsim.model.month import STAGES, begin_run
from cspsim.model.state import new_state
from cspsim.model.stepping import run_steps
from cspsim.model.structures import packed
from cspsim.model.tallies import AuthorityTally, Tally
from cspsim.model.world import World, sizes

FIRST, REST = (begin_run, *STAGES[:2]), STAGES[2:]
LONGEST_WAIT = 600  # seconds for the second process, which has as much to do as the first

Progress = Callable[[int, int], None]
"""Told how many steps of the month are compiled, and of how many."""

_once = threading.Lock()


def compile_rules(world: World, progress: Progress | None = None) -> None:
    """Compile the package's own rules for worlds of this kind, unless their machine code is kept already."""
    with _once:
        if not first_compilation("month"):
            return
        kinds = kinds_of(world)
        total = len(FIRST) + len(REST)
        with _second_process(kinds):
            for done, step in enumerate(FIRST):
                _tell(progress, done, total)
                _compile(step, kinds)
            _compile_loop(world)
            _tell(progress, len(FIRST), total)
        for step in REST:  # kept by now, or compiled here
            _compile(step, kinds)
        _tell(progress, total, total)


def kinds_of(world: World) -> tuple[Any, ...]:
    """What a step of the month is compiled for: Numba's types of world, state and luck."""
    from numba import typeof

    return typeof(packed(world)), typeof(packed(new_state(*sizes(world)))), typeof(new_luck(0, 0))


def _compile_loop(world: World) -> None:
    """The loop over runs and months, compiled by running it for no run at all."""
    places, authorities, _, _, months = sizes(world)
    counts, none = np.zeros((0, places, len(Tally))), np.zeros((0, months, places, len(Tally)))
    by_authority, streams = np.zeros((0, places, authorities, len(AuthorityTally))), np.zeros((0, len(STREAMS)), dtype=np.uint64)
    nowhere = np.zeros(1 + len(STAGES), dtype=np.int64)
    run_steps(nowhere, packed(world), packed(new_state(*sizes(world))), np.uint64(0), streams, counts, by_authority, none)


def _tell(progress: Progress | None, done: int, total: int) -> None:
    if progress is not None:
        progress(done, total)


def _compile(step: Any, kinds: tuple[Any, ...]) -> None:
    from numba import types

    step.compile(kinds if step is begin_run else (*kinds, types.int64))


@contextmanager
def _second_process(kinds: tuple[Any, ...]) -> Iterator[None]:
    """A process that compiles the rest meanwhile; at the end what it made is among the kept code. Does nothing where it cannot."""
    folder = cache_folder()
    if folder is None or not sys.executable or _processors() < 2:
        yield
        return
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="half-", ignore_cleanup_errors=True) as place:
        command = [sys.executable, "-c", f"import pickle, sys; sys.path[:] = {sys.path!r}; import {__name__} as half; half.compile_rest()"]
        environment = os.environ | {"CSPSIM_CACHE_DIR": place}
        try:
            process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment
            )
        except OSError:
            yield
            return
        try:
            sent = threading.Thread(target=_send, args=(process, kinds), daemon=True)
            sent.start()
            yield
            if process.wait(LONGEST_WAIT) == 0:
                _move_stages(Path(place) / "compiled" / folder.name, folder)
        except (OSError, subprocess.TimeoutExpired):
            pass  # whatever is not there is compiled here
        finally:
            process.kill()
            process.wait()


def _processors() -> int:
    found = getattr(os, "sched_getaffinity", None)
    return len(found(0)) if found else os.cpu_count() or 1


def _send(process: Any, kinds: tuple[Any, ...]) -> None:
    try:
        process.stdin.write(pickle.dumps(kinds))
        process.stdin.close()
    except OSError:
        pass  # it has ended already, and its result says how


def compile_rest() -> None:
    """What the second process does: compile the later stages for the types it is sent."""
    kinds = pickle.load(sys.stdin.buffer)
    for step in REST:
        _compile(step, kinds)


def _move_stages(made: Path, kept: Path) -> None:
    """Move the files of the later stages; each index last, so that nobody looks for code that is not there yet."""
    names = {step.__name__ for step in REST}
    files = [path for path in made.glob("*/*.nb?") if path.name.split(".")[1].rsplit("-", 1)[0] in names]
    for path in sorted(files, key=lambda path: path.suffix == ".nbi"):
        target = kept / path.parent.name / path.name
        target.parent.mkdir(exist_ok=True)
        os.replace(path, target)
