"""TOML as lines: on which line a key stands, how a dotted key is read, and how plain values are written.

``tomllib`` reads TOML but forgets the lines and does not write. The locator expects text that ``tomllib`` accepts;
on other text its answer is a guess, but never a failure.
"""

import json
import re
import tomllib
from collections.abc import Mapping
from datetime import date, time
from typing import Any

Key = tuple[str, ...]

_TOKEN = re.compile(
    r'''
      (?P<text>
          """(?:\\.|[^\\])*?"""["]{0,2}   # a multi-line text may end with two quotes of its own
        | \'\'\'.*?\'\'\'[']{0,2}
        | "(?:\\.|[^"\\\n])*"
        | '[^'\n]*'
      )
    | (?P<comment>\#[^\n]*)
    | (?P<newline>\n)
    | (?P<mark>[\[\]{}=,.])
    | (?P<word>[^\s\[\]{}=,.\#"']+)
    ''',
    re.VERBOSE | re.DOTALL,
)
_BARE = re.compile(r"[A-Za-z0-9_-]+")


def _unquoted(token: str) -> str:
    if "\\" in token and token[0] == '"':
        try:
            return str(tomllib.loads(f"key = {token}")["key"])
        except ValueError:
            return token
    width = 3 if token[:3] in ('"""', "'''") and len(token) >= 6 else 1
    return token[width:-width]


class _Locator:
    """Reads tokens one by one and notes the line of every key; ``nested`` holds the open brackets of the value."""

    def __init__(self) -> None:
        self.lines: dict[Key, int] = {}
        self.table: Key = ()
        self.parts: list[str] = []
        self.nested: list[tuple[str, Key]] = []
        self.value_of: Key = ()  # the key whose value is being read
        self.expecting = "key"  # key, header, value or (after a header) nothing

    def note(self, key: Key, line: int) -> None:
        for length in range(1, len(key) + 1):
            self.lines.setdefault(key[:length], line)

    def base(self) -> Key:
        return self.nested[-1][1] if self.nested else self.table

    def newline(self) -> None:
        if not self.nested:
            self.expecting, self.parts = "key", []

    def name(self, text: str) -> None:
        if self.expecting in ("key", "header"):
            self.parts.append(text)

    def mark(self, mark: str, line: int) -> None:
        if self.expecting == "value":
            self._mark_in_value(mark)
        elif self.expecting == "header" and mark == "]":
            self.table, self.expecting = tuple(self.parts), "nothing"
            self.note(self.table, line)
        elif self.expecting == "key" and mark == "[" and not self.parts:
            self.expecting = "header"
        elif self.expecting == "key" and mark == "=":
            self.value_of = self.base() + tuple(self.parts)
            self.note(self.value_of, line)
            self.expecting, self.parts = "value", []
        elif self.expecting == "key" and mark == "}" and self.nested:
            self.nested.pop()
            self.expecting, self.parts = "value", []

    def _mark_in_value(self, mark: str) -> None:
        if mark == "{":
            self.nested.append((mark, self.value_of))
            self.expecting = "key"
        elif mark == "[":
            self.nested.append((mark, self.value_of))
        elif mark in "]}" and self.nested:
            self.nested.pop()
        elif mark == "," and self.nested:
            kind, self.value_of = self.nested[-1]
            self.expecting = "key" if kind == "{" else "value"


def locate_keys(text: str) -> dict[Key, int]:
    """The line (from 1) on which each table header and key of a TOML text first stands, by dotted key."""
    locator, line = _Locator(), 1
    for match in _TOKEN.finditer(text):
        token, kind = match.group(), match.lastgroup
        if kind == "newline":
            locator.newline()
        elif kind == "text":
            locator.name(_unquoted(token))
        elif kind == "word":
            locator.name(token)
        elif kind == "mark":
            locator.mark(token, line)
        line += token.count("\n")
    return locator.lines


def line_of(lines: Mapping[Key, int], key: Key) -> int:
    """The line of a key, else of its nearest prefix, else 1."""
    for length in range(len(key), 0, -1):
        if key[:length] in lines:
            return lines[key[:length]]
    return 1


def split_key(dotted: str) -> Key:
    """``levers.grant.path."2011-04"`` as its parts. Raises ValueError if it is not a dotted key."""
    parts: list[str] = []
    position = 0
    for match in re.finditer(r'\s*("(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'|[^\s."\']+)\s*(\.|$)', dotted):
        if match.start() != position:
            break
        position = match.end()
        parts.append(_unquoted(match[1]) if match[1][0] in "\"'" else match[1])
        if not match[2]:
            return tuple(parts)
    raise ValueError(f"{dotted!r} is not a dotted key such as levers.grant.multiplier")


def join_key(key: Key) -> str:
    """A dotted key as it may be written in a file; parts that are not plain words are quoted."""
    return ".".join(part if _BARE.fullmatch(part) else _text(part) for part in key)


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def write_value(value: Any) -> str:
    """One value on one line. Raises TypeError for what a scenario cannot hold."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, list):
        return f"[{', '.join(map(write_value, value))}]"
    if isinstance(value, Mapping):
        inside = ", ".join(f"{join_key((name,))} = {write_value(inner)}" for name, inner in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    raise TypeError(f"a scenario file cannot hold a {type(value).__name__}")


def write_toml(tables: Mapping[str, Any], levels: int = 2) -> str:
    """Nested tables as TOML, with headers down to a given level and everything deeper on one line."""
    return "\n".join(_table_lines(tables, (), levels)).lstrip("\n") + "\n"


def _table_lines(table: Mapping[str, Any], key: Key, levels: int) -> list[str]:
    def is_header(value: Any) -> bool:
        return isinstance(value, Mapping) and len(key) < levels and "value" not in value

    lines = [f"{join_key((name,))} = {write_value(value)}" for name, value in table.items() if not is_header(value)]
    if key and (lines or not table):
        lines = ["", f"[{join_key(key)}]", *lines]
    for name, value in table.items():
        if is_header(value):
            lines += _table_lines(value, (*key, name), levels)
    return lines
