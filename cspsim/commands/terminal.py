"""What the command line says and how: tables that fit the window, progress with time left, errors without tracebacks."""

import os
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cspsim.basics.errors import OldWords
from cspsim.basics.outward import visible

PATIENCE = 2.0  # seconds; what takes longer shows a progress bar
NARROW = 60  # columns; below this a row of a table becomes a small list
WIDE_WHEN_PIPED = 160  # columns of a table in a file or pipe, where no window sets the width


class Column(NamedTuple):
    """One column of a terminal table. In a narrow window columns of the highest ``rank`` are left out first."""

    title: str
    number: bool = False
    rank: int = 0


def speak_plainly() -> None:
    """Never fail on a character that the console does not have, such as £ or an arrow: show a ? in its place."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")


def out() -> Console:
    """The console for answers."""
    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else WIDE_WHEN_PIPED
    return Console(highlight=False, soft_wrap=False, width=width)


def err() -> Console:
    """The console for errors, warnings and progress."""
    return Console(stderr=True, highlight=False)


def say(text: str = "", style: str | None = None) -> None:
    """One paragraph of an answer."""
    out().print(Text(visible(text)), style=style)


def remark(text: str) -> None:
    """A message about progress, on stderr."""
    err().print(Text(visible(text)), style="dim", soft_wrap=True)


def complain(text: str) -> None:
    """An error on stderr: as it is, without wrapping, so that file:line stays whole."""
    print(f"cspsim: {visible(text)}", file=sys.stderr)


@contextmanager
def old_words_in_plain_words() -> Iterator[None]:
    """In here what is said of words of the version before is a sentence on stderr, once each, without Python's file and line."""
    usual = warnings.showwarning
    said: set[str] = set()

    def show(
        message: Warning | str, category: type[Warning], filename: str, lineno: int, file: TextIO | None = None, line: str | None = None
    ) -> None:
        if not issubclass(category, OldWords):
            usual(message, category, filename, lineno, file, line)
        elif str(message) not in said:
            said.add(str(message))
            complain(str(message))

    warnings.showwarning = show
    try:
        yield
    finally:
        warnings.showwarning = usual


def show_table(title: str, columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
    """A table as wide as the window allows; in a very narrow one each row becomes a small list."""
    console = out()
    columns = [column._replace(title=visible(column.title)) for column in columns]
    rows = [[visible(cell) for cell in row] for row in rows]
    if title:
        say(title, style="bold")
    if not rows:
        console.print("  nothing")
    elif console.width < NARROW:
        for row in rows:
            console.print(Text(row[0]))
            for column, cell in list(zip(columns, row, strict=True))[1:]:
                if cell:
                    console.print(Text(f"  {column.title}: {cell}"))
    else:
        console.print(_table(columns, rows, _kept(columns, rows, console.width)))
    console.print()


def _kept(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int) -> list[int]:
    """The columns that fit: of the lowest ranks first, always those of rank 0."""
    needed = [_needed(column, [row[k] for row in rows]) for k, column in enumerate(columns)]
    kept = list(range(len(columns)))
    for rank in sorted({column.rank for column in columns if column.rank}, reverse=True):
        if sum(needed[k] + 2 for k in kept) <= width:
            break
        kept = [k for k in kept if columns[k].rank < rank]
    return kept


def _needed(column: Column, cells: Sequence[str]) -> int:
    """Numbers want their whole width, words can be wrapped to some 28."""
    longest = max([len(column.title), *(len(cell) for cell in cells)])
    return longest if column.number else min(longest, 28)


def _table(columns: Sequence[Column], rows: Sequence[Sequence[str]], kept: Sequence[int]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for k in kept:
        column = columns[k]
        table.add_column(Text(column.title), justify="right" if column.number else "left", no_wrap=column.number, overflow="fold")
    for row in rows:
        table.add_row(*(Text(row[k]) for k in kept))
    return table


class ProgressBar:
    """Progress over ``total`` runs with the time left; appears only when the whole takes longer than ``PATIENCE``."""

    def __init__(self, words: str, total: int | None) -> None:
        self._words, self._total = words, total
        self._done = 0
        self._started = time.monotonic()
        self._lock = threading.Lock()
        self._progress: Any = None
        self._task: Any = None

    def advance(self, finished: int = 1) -> None:
        """Called from worker threads with the number of runs just finished."""
        with self._lock:
            self._done += finished
            if self._progress is None and self._takes_long():
                self._show()
            if self._progress is not None:
                self._progress.update(self._task, completed=self._done)

    def reach(self, done: int, total: int) -> None:
        """So many are done, of so many."""
        self._total = total
        if done:
            self.advance(done - self._done)

    def _takes_long(self) -> bool:
        spent = time.monotonic() - self._started
        return spent > PATIENCE or (bool(self._total) and spent > 0.3 and spent * (self._total or 0) / self._done > PATIENCE)

    def _show(self) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._progress = Progress(*columns, console=err(), transient=True)
        self._progress.start()
        self._task = self._progress.add_task(self._words, total=self._total)

    def close(self) -> None:
        """Remove the bar."""
        with self._lock:
            if self._progress is not None:
                self._progress.stop()


@contextmanager
def waiting(words: str, quiet: bool) -> Iterator[Callable[[int | None], Callable[[int], None] | None]]:
    """Gives a maker of callbacks for ``simulate`` and ``compare``: total number of runs (None if unknown) -> callback.

    A callback is None where nobody is looking at a terminal. Announces the first compilation unless ``quiet``.
    """
    bars: list[ProgressBar] = []

    def report(total: int | None) -> Callable[[int], None] | None:
        if not quiet:
            announce_compilation()
        if quiet or not sys.stderr.isatty():
            return None
        bars.append(ProgressBar(words, total))
        return bars[-1].advance

    try:
        yield report
    finally:
        for bar in bars:
            bar.close()


def announce_compilation(now: bool = True) -> None:
    """Where the rules have to be compiled, say so, do it ``now`` and show how far it is: it takes a while and happens once."""
    from cspsim.model.compiled import first_compilation

    if not first_compilation("month"):
        return
    remark("Compiling the rules for the first time; this takes about half a minute, less with two free processors, and happens once.")
    if now:
        from cspsim.running.compiling import compile_rules
        from cspsim.scenario.scenario import load_scenario
        from cspsim.scenario.world_building import build_world

        bar = ProgressBar("compiling the steps of a month", None) if sys.stderr.isatty() else None
        try:
            compile_rules(build_world(load_scenario("baseline").data), bar.reach if bar else None)
        finally:
            if bar is not None:
                bar.close()
