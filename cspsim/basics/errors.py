"""Expected failures: what the command line prints without a traceback, ending with exit code 2."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_LOOKED_THROUGH = 2000  # names; each takes some microseconds, for every name that is wrong
_SHOWN_FAULTS = 60  # nobody reads a longer list; the rest is counted


class CspsimError(Exception):
    """The base of every failure that a user can cause and correct. The command line prints it and ends with ``exit_code``."""

    exit_code = 2


class OldWords(FutureWarning):
    """Words of the version before that are still understood. The message says where they stand and what to write now."""


def needs(purpose: str, package: str, extra: str) -> CspsimError:
    """The error that says which package is not installed, what it is for, and the extra of cspsim that brings it."""
    return CspsimError(f'{purpose} needs {package}: pip install "cspsim[{extra}]"')


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong in a scenario: where (file, line, dotted key), what, and how to correct it.

    ``line`` is None for a value that no file states, such as a change made by a program.
    """

    file: str
    line: int | None
    key: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        key = f"{self.key}: " if self.key else ""
        hint = f"; {self.hint}" if self.hint else ""
        return f"{place}: {key}{self.message}{hint}"


class FileError(CspsimError):
    """A file written by a user cannot be used; ``faults`` lists everything that is wrong with it, by file and line."""

    kind = "file"

    def __init__(self, faults: Sequence[Fault], name: str = "") -> None:
        # Both go to ``args`` so that the error survives the way back from a worker process.
        super().__init__(faults, name)
        self.faults = sorted(set(faults), key=lambda fault: (fault.file, fault.line or 0, fault.key, fault.message))
        self.name = name

    def __str__(self) -> str:
        count = len(self.faults)
        name = f" {self.name!r}" if self.name else ""
        lines = [f"{self.kind}{name} has {count} fault{'' if count == 1 else 's'}:"]
        lines += [f"  {fault}" for fault in self.faults[:_SHOWN_FAULTS]]
        if count > _SHOWN_FAULTS:
            lines.append(f"  ... and {count - _SHOWN_FAULTS} more")
        return "\n".join(lines)


class ScenarioError(FileError):
    """A scenario cannot be used."""

    kind = "scenario"


def nearest(name: str, options: Iterable[str]) -> str | None:
    """The option most like ``name`` (capitals do not matter), None when nothing is like it, or there are too many to look through."""
    options = list(options)
    if len(options) > _LOOKED_THROUGH:
        return None
    by_small = {option.lower(): option for option in sorted(options, reverse=True)}
    found = difflib.get_close_matches(name.lower()[:200], by_small, n=1, cutoff=0.55)
    return by_small[found[0]] if found else None


def did_you_mean(name: str, options: Iterable[str], shown: int = 12) -> str:
    """A hint: the nearest right name, else the right names when they are few enough to read."""
    options = list(options)
    close = nearest(name, options)
    if close is not None:
        return f'did you mean "{close}"?'
    if not options:
        return ""
    more = f" and {len(options) - shown} more" if len(options) > shown else ""
    return f"known here: {', '.join(options[:shown])}{more}"


def found_in_words(value: Any) -> str:
    """What was found where something else was expected. Never prints the inside of a table: it may be huge."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        try:
            return f"the number {value:g}"
        except OverflowError:
            return "a number too large to calculate with"
    if isinstance(value, str):
        return f'the text "{value}"' if len(value) <= 60 else f'the text "{value[:57]}..."'
    if isinstance(value, Mapping):
        return "a table"
    if isinstance(value, list | tuple):
        return "a list"
    return "nothing" if value is None else f"a {type(value).__name__}"


_EXPECTED = {
    "string_type": "text in quotes",
    "float_type": "a number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "list_type": "a list in square brackets",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
    "finite_number": "a finite number",
}


def in_plain_words(error: Mapping[str, Any]) -> str:
    """One entry of pydantic's ``ValidationError.errors()`` as a sentence: what was wrong, what was expected."""
    kind, found, limits = str(error["type"]), found_in_words(error.get("input")), error.get("ctx", {})
    if kind in _EXPECTED:
        return f"wrong type: expected {_EXPECTED[kind]}, found {found}"
    if kind == "literal_error":
        return f"expected {limits['expected']}, found {found}"
    if kind == "greater_than_equal":
        return f"out of range: expected {limits['ge']:g} or more, found {found}"
    if kind == "less_than_equal":
        return f"out of range: expected {limits['le']:g} or less, found {found}"
    if kind == "too_short":
        return f"wrong length: expected at least {limits['min_length']} entries, found {limits['actual_length']}"
    if kind == "too_long":
        return f"wrong length: expected at most {limits['max_length']} entries, found {limits['actual_length']}"
    return str(error["msg"]).removeprefix("Value error, ")
