"""Text that leaves the program, made harmless for where it goes: a terminal or page, a spreadsheet, a shell.

Titles and names come from files that somebody else may have written. This module alone decides how they are shown.
"""

import os
import re
import shlex
import subprocess
from collections.abc import Sequence

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Characters that control a terminal or reverse the order of letters, and bytes that are not text; not line breaks and tabs."""

_FORMULA = re.compile("[ \xa0]*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
"""What a spreadsheet may take for a formula when a text begins with it; the last four are the wide forms of the first."""

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?%?")


def visible(text: str) -> str:
    r"""The text with every control character written out, such as ``\x1b``: it is seen and does nothing."""
    return _CONTROL.sub(lambda found: ascii(found[0])[1:-1], text)


def control_character(text: str) -> str | None:
    r"""The first control character of a text, written out; None where there is none."""
    found = _CONTROL.search(text)
    return visible(found[0]) if found else None


def for_spreadsheet(text: str) -> str:
    """The text as a cell that no spreadsheet takes for a formula. A number written as text, such as -0.5, stays a number."""
    return f"'{visible(text)}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else visible(text)


def for_shell(words: Sequence[str]) -> str:
    """A command line to paste: each word reaches the program as it is, and the shell does nothing with it."""
    return shlex.join(words) if os.name == "posix" else subprocess.list2cmdline(words)


def as_argument(name: str) -> str:
    """A file's name as the argument of a command, where one that begins with a dash would be read as an option."""
    return os.path.join(os.curdir, name) if name.startswith("-") else name
