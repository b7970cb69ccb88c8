"""A prompt for SQL over the tables of results: ``cspsim results DIR --sql``."""

import re
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from cspsim.basics.errors import CspsimError, did_you_mean
from cspsim.commands.result_tables import show_columns, show_tables
from cspsim.commands.terminal import complain, say

if TYPE_CHECKING:
    from cspsim.sweep.stored_results import SweepResults

HELP = """End a query with a semicolon; it may go over several lines.
.tables          the tables that are there
.columns TABLE   columns of a table, with meaning and unit
.help            this
.quit            leave (so does Ctrl-D); Ctrl-C stops a query"""

_QUOTED_OR_REMARK = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/", re.S)

Answer = Callable[[str], None]


def is_complete(text: str) -> bool:
    """Whether a query has come to its semicolon; one inside quotes or a remark does not count."""
    bare = _QUOTED_OR_REMARK.sub(" ", text)
    return bare.rstrip().endswith(";") and not {"'", '"'} & set(bare) and "/*" not in bare


def run_prompt(results: "SweepResults", answer: Answer) -> int:
    """Read queries and dot commands until the end, and answer each; from a pipe as from a keyboard.

    Returns how many failed. ``answer`` prints the answer to one query; it raises CspsimError when the query is refused.
    """
    typed = sys.stdin.isatty()
    if typed:
        _with_history(results)
        say(f"{results.manifest['counts'].get('runs', 0):,} runs in {', '.join(results.tables())}. .help tells more, .quit leaves.")
    failures = 0
    for asked in _asked(typed):
        if asked in (".quit", ".exit"):
            break
        try:
            if asked.startswith("."):
                _dot_command(results, asked)
            else:
                answer(asked)
        except CspsimError as error:
            failures += 1
            complain(str(error))
        except KeyboardInterrupt:
            if not typed:
                raise
            complain("stopped")
    return failures


def _with_history(results: "SweepResults") -> None:
    """Arrow keys and completion of table names, where the system has readline."""
    try:
        import readline
    except ImportError:
        return
    words = [*results.tables(), ".tables", ".columns", ".help", ".quit", "SELECT", "FROM", "WHERE", "GROUP BY", "ORDER BY"]

    def complete(text: str, state: int) -> str | None:
        found = [word for word in words if word.lower().startswith(text.lower())]
        return found[state] if state < len(found) else None

    readline.set_completer(complete)
    readline.set_completer_delims(" ,()\n")
    readline.parse_and_bind("tab: complete")


def _asked(typed: bool) -> Iterator[str]:
    """Queries and dot commands, one at a time; what a pipe leaves without a semicolon at its end is a query too."""
    lines: list[str] = []
    while True:
        try:
            line = input("  ...> " if lines else "sql> ") if typed else next(sys.stdin).rstrip("\r\n")
        except (EOFError, StopIteration):
            if typed:
                say()
            break
        except KeyboardInterrupt:
            if not typed:
                raise
            say()
            lines = []
            continue
        if not lines and (line.strip().startswith(".") or not line.strip()):
            if line.strip():
                yield line.strip()
            continue
        lines.append(line)
        if is_complete("\n".join(lines)):
            yield "\n".join(lines).strip()
            lines = []
    if "".join(lines).strip():
        yield "\n".join(lines).strip()


def _dot_command(results: "SweepResults", asked: str) -> None:
    command, _, name = asked.partition(" ")
    if command == ".tables":
        show_tables(results)
    elif command == ".columns":
        show_columns(results, name.strip().strip('";'))
    elif command == ".help":
        say(HELP)
    else:
        raise CspsimError(f"there is no command {command}; {did_you_mean(command, ['.tables', '.columns', '.help', '.quit'])}")
