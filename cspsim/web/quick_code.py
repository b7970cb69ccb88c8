"""A link as a QR code: in the terminal, and as a drawing on a page. Made locally with ``segno``, without the internet."""

import sys
from io import StringIO
from typing import NamedTuple

import segno

QUIET = 4
"""Modules of empty edge that readers need."""


class QuickCode(NamedTuple):
    """A QR code as a drawing: modules a side, edge included, and the path of its dark modules as SVG."""

    side: int
    path: str


def quick_code(link: str) -> QuickCode:
    """The drawing of a link."""
    rows = segno.make(link, error="m", micro=False).matrix
    path = "".join(f"M{x + QUIET} {y + QUIET}h1v1h-1z" for y, row in enumerate(rows) for x, dark in enumerate(row) if dark)
    return QuickCode(len(rows) + 2 * QUIET, path)


def code_in_blocks(link: str) -> str:
    """The code for a terminal, of blocks that are its light modules; empty where standard output does not have such characters."""
    text = StringIO()
    segno.make(link, error="m", micro=False).terminal(text, border=QUIET, compact=True)
    return text.getvalue().rstrip("\n") if can_show(text.getvalue()) else ""


def can_show(text: str) -> bool:
    """Whether standard output has these characters."""
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
