"""A named scenario from TOML files: ``extends``, stacking, changes, and every fault with its file and line.

Files are read as *leaves*: a dotted key with its value and the place that said it. Merging, differences, changes and
the digest are then short statements about leaves, and an error can always point into the file that said it.
"""

import hashlib
import json
import math
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache, cached_property
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin

from pydantic import ValidationError

from cspsim.errors import CspsimError, Fault, ScenarioError, did_you_mean, found_in_words, in_plain_words, nearest
from cspsim.parameters import Levers, Switches
from cspsim.schema import DatedPath, Number, ScenarioData, Section, parse_month, register_of
from cspsim.toml_lines import Key, join_key, line_of, locate_keys, split_key, write_toml, write_value
from cspsim.uncertainties import Uncertainties

SEASON_TOLERANCE = 0.02  # a season may miss a mean of 1 by this much: twelve printed figures are rounded
YEARS_AROUND = 30  # a date further from the run than this is taken for a slip of the pen
CHANGES = "changes"

_PROSE = frozenset({"title", "question", "context", "source", "season_source", "note", "status", "unit"})
_OF_THE_QUESTION = frozenset({("title",), ("question",), ("context",), ("primary_outcome",)})
_REGISTERS: Mapping[str, tuple[str, Any]] = {
    "levers": ("lever", Levers),
    "uncertainties": ("uncertainty", Uncertainties),
    "switches": ("switch", Switches),
}


# ---------------------------------------------------------------------------------------------- the shape of a file


class Shape(NamedTuple):
    """What may stand at a place: the fields of a section, entries under free names (``each``), or a plain value."""

    fields: Mapping[str, "Shape"]
    each: "Shape | None" = None
    section: type[Section] | None = None

    def part(self, name: str) -> "Shape | None":
        return self.fields.get(name, self.each)

    @property
    def is_table(self) -> bool:
        return self.section is not None or self.each is not None


def _shape_of(annotation: Any) -> Shape:
    origin, inside = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _shape_of(inside[0])
    if origin in (Union, UnionType):
        return _shape_of(next(kind for kind in inside if kind is not type(None)))
    if origin is dict:
        return Shape({}, each=_shape_of(inside[1]))
    if isinstance(annotation, type) and issubclass(annotation, Section):
        fields = {field.alias or name: _shape_of(field.annotation) for name, field in annotation.model_fields.items()}
        return Shape(fields, section=annotation)
    return Shape({})


@cache
def _whole() -> Shape:
    return _shape_of(ScenarioData)


def _place(key: Key) -> Shape | None:
    shape: Shape | None = _whole()
    for name in key:
        shape = shape.part(name) if shape else None
    return shape


def _is_path(key: Key) -> bool:
    place = _place(key)
    return place is not None and place.section is DatedPath


class Leaf(NamedTuple):
    """A value with the place that said it; ``line`` is None for changes made by a program."""

    value: Any
    file: str
    line: int | None


Leaves = dict[Key, Leaf]


def _leaves(raw: Any, shape: Shape, key: Key = ()) -> Iterator[tuple[Key, Any]]:
    """Plain values by dotted key. What the schema does not know stays whole, for validation to refuse."""
    if shape.section is Number and isinstance(raw, int | float) and not isinstance(raw, bool):
        yield (*key, "value"), raw
    elif not (shape.is_table and isinstance(raw, Mapping) and raw):
        yield key, raw
    else:
        for name, inner in raw.items():
            part = shape.part(name)
            if part is None:
                yield (*key, name), inner
            else:
                yield from _leaves(inner, part, (*key, name))


def _nested(leaves: Mapping[Key, Any]) -> dict[str, Any]:
    """Leaves as nested tables. Where a value and a table claim one place, the value stays, for validation to refuse."""
    whole: dict[str, Any] = {}
    for key in sorted(leaves, key=len):
        table: Any = whole
        for name in key[:-1]:
            table = table.setdefault(name, {}) if isinstance(table, dict) else None
        if isinstance(table, dict):
            value = leaves[key]
            table[key[-1]] = {} if value == {} else list(value) if isinstance(value, list) else value
    return whole


# ------------------------------------------------------------------------------------------------ finding and reading


def shipped_folder() -> Path:
    """Where the shipped scenarios lie: inside an installed package, else at the top of the repository."""
    here = Path(__file__).resolve().parent
    inside = here / "scenarios"
    return inside if inside.is_dir() else here.parent / "scenarios"


def scenario_names() -> list[str]:
    """Names of the shipped scenarios, without the parts of the world they are built from."""
    return sorted(path.stem for path in shipped_folder().glob("*.toml"))


def _label(path: Path) -> str:
    """How a file is called in messages: short, and the same on every machine for shipped files."""
    for folder, prefix in ((shipped_folder(), "scenarios"), (Path.cwd(), "")):
        if path.is_relative_to(folder):
            return (Path(prefix) / path.relative_to(folder)).as_posix()
    return str(path)


class _File(NamedTuple):
    path: Path
    label: str
    own: Leaves
    lines: Mapping[Key, int]
    parents: tuple[Path, ...]
    closure: frozenset[Path]  # this file and everything it extends


class _Shelf:
    """The files of one scenario: each read once, with what is wrong with reading them."""

    def __init__(self, search: Sequence[Path]) -> None:
        self.search = [Path(folder) for folder in search]
        self.files: dict[Path, _File] = {}
        self.faults: list[Fault] = []

    def find(self, name: str, beside: Path | None) -> Path | None:
        """The file of a name. A file that extends its own name means the shipped one, or it is a cycle."""
        relative = Path(name if name.endswith(".toml") else f"{name}.toml")
        folders = [beside.parent] if beside else [Path()] if name.endswith(".toml") else []
        found = []
        for folder in (*folders, *self.search, shipped_folder()):
            try:
                path = (folder / relative).expanduser().resolve()
                if path.is_file():
                    found.append(path)
            except (OSError, ValueError, RuntimeError):  # a name no file can have
                continue
        return next((path for path in found if path != beside), found[0] if found else None)

    def known_names(self, beside: Path | None) -> list[str]:
        shipped = shipped_folder()
        names = scenario_names() + sorted(f"world/{path.stem}" for path in (shipped / "world").glob("*.toml"))
        for folder in ([beside.parent] if beside else []) + self.search:
            names += sorted(path.stem for path in folder.glob("*.toml") if path != beside)
        return list(dict.fromkeys(names))

    def fetch(self, name: str, chain: tuple[Path, ...] = (), line: int | None = None) -> Path | None:
        """Find and read a file and all it extends; None, with a fault noted, when that fails."""
        beside = chain[-1] if chain else None
        path = self.find(name, beside)
        asker, key = (_label(beside), "extends") if beside else (name, "")
        if path is None:
            message = f'there is no scenario "{name}"' if beside else "there is no such scenario"
            self.faults.append(Fault(asker, line, key, message, did_you_mean(name, self.known_names(beside))))
        elif path in chain:
            circle = " -> ".join(_label(step) for step in (*chain[chain.index(path) :], path))
            self.faults.append(Fault(asker, line, key, f"a scenario extends itself: {circle}", "take one of these steps out"))
            path = None
        elif path not in self.files:
            self._read(path, chain)
        return path

    def _read(self, path: Path, chain: tuple[Path, ...]) -> None:
        label = _label(path)
        raw, text, fault = _parsed(path, label)
        if fault:
            self.faults.append(fault)
        lines = locate_keys(text)
        names = raw.pop("extends", [])
        names = [names] if isinstance(names, str) else names
        if not (isinstance(names, list) and all(isinstance(name, str) for name in names)):
            line = line_of(lines, ("extends",))
            self.faults.append(Fault(label, line, "extends", "wrong type: expected a name or a list of names"))
            names = []
        fetched = (self.fetch(name, (*chain, path), line_of(lines, ("extends",))) for name in names)
        parents = tuple(dict.fromkeys(parent for parent in fetched if parent is not None))
        own = {key: Leaf(value, label, line_of(lines, key)) for key, value in _leaves(raw, _whole()) if key}
        closure = frozenset({path}).union(*(self.files[parent].closure for parent in parents))
        self.files[path] = _File(path, label, own, lines, parents, closure)


def _parsed(path: Path, label: str) -> tuple[dict[str, Any], str, Fault | None]:
    try:
        content = path.read_bytes()
        text = content.decode("utf-8-sig")
        return tomllib.loads(text), text, None
    except OSError as error:
        return {}, "", Fault(label, None, "", f"cannot be read: {error.strerror or error}")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return {}, "", Fault(label, line, "", "is not UTF-8 text", "save the file as UTF-8")
    except RecursionError:
        return {}, "", Fault(label, 1, "", "invalid TOML: brackets inside brackets, too deep to read")
    except ValueError as error:  # TOMLDecodeError, and whole numbers of thousands of digits
        return {}, "", Fault(label, _line_in(str(error), text), "", f"invalid TOML: {error}")


def _line_in(message: str, text: str) -> int:
    _, found, rest = message.rpartition("(at line ")
    number = rest.partition(",")[0]
    return int(number) if found and number.isdecimal() else text.count("\n") + 1


# ------------------------------------------------------------------------------------------------------------ merging

Conflicts = dict[Key, Fault]


def _is_replace(key: Key) -> bool:
    return len(key) > 1 and key[-1] == "replace" and _is_path(key[:-1])


def _replaced(leaves: Mapping[Key, Leaf]) -> set[Key]:
    """The paths that ``replace = true`` starts anew, as the key of their dates."""
    return {(*key[:-1], "path") for key, leaf in leaves.items() if key[-1] == "replace" and leaf.value is True and _is_replace(key)}


def _applied(base: Leaves, own: Leaves) -> Leaves:
    """A file's own leaves over what it extends."""
    anew = _replaced(own)
    kept = {key: leaf for key, leaf in base.items() if key[:-1] not in anew} if anew else base
    return {**kept, **own}


def _same(left: Leaf | None, right: Leaf | None) -> bool:
    if left is right:
        return True
    if left is None or right is None:
        return False
    return isinstance(left.value, bool) == isinstance(right.value, bool) and bool(left.value == right.value)


def _joined(base: Leaves, left: Leaves, right: Leaves) -> tuple[Leaves, Conflicts]:
    """Both sides' differences from what they share. The same leaf set to two values is a conflict, not a guess."""
    merged, conflicts = dict(left), {}
    for key in dict.fromkeys((*left, *right)):
        ours, theirs, shared = left.get(key), right.get(key), base.get(key)
        if _same(ours, theirs) or _same(theirs, shared):
            continue
        if _same(ours, shared):
            if theirs is None:
                del merged[key]
            else:
                merged[key] = theirs
        elif key in _OF_THE_QUESTION or key[-1] in _PROSE - {"unit"}:
            continue  # words do not clash: the first who said something is quoted
        else:
            conflicts[key] = _conflict(key, left, right)
    for one, other in ((left, right), (right, left)):
        for dates in _replaced(one) - _replaced(base):
            changed = (key for key, leaf in other.items() if key[:-1] == dates and not _same(leaf, base.get(key)))
            conflicts |= {key: _conflict(key, left, right) for key in changed if not _same(left.get(key), right.get(key))}
    return merged, conflicts


def _conflict(key: Key, left: Leaves, right: Leaves) -> Fault:
    replace = (*key[:-2], "replace")
    ours, theirs = left.get(key) or left[replace], right.get(key) or right[replace]

    def said(side: Leaves, leaf: Leaf) -> str:
        return f"set to {found_in_words(leaf.value)}" if key in side else "left out by replace = true"

    message = f"{said(right, theirs)} here, but {said(left, ours)} in {ours.file}:{ours.line}"
    return Fault(theirs.file, theirs.line, _shown(key), message, "let one scenario extend the other, or set it where both meet")


class _Merger:
    """What a set of files says together, each file applied once after all it extends."""

    def __init__(self, files: Mapping[Path, _File]) -> None:
        self.files = files
        self.done: dict[Path, tuple[Leaves, Conflicts]] = {}

    def file(self, path: Path) -> tuple[Leaves, Conflicts]:
        if path not in self.done:
            own = self.files[path].own
            base, conflicts = self.together(self.files[path].parents)
            decided = _replaced(own)
            open_conflicts = {key: fault for key, fault in conflicts.items() if key not in own and key[:-1] not in decided}
            self.done[path] = _applied(base, own), open_conflicts
        return self.done[path]

    def together(self, heads: Sequence[Path]) -> tuple[Leaves, Conflicts]:
        merged: Leaves = {}
        conflicts: Conflicts = {}
        seen: frozenset[Path] = frozenset()
        for head in heads:
            leaves, more = self.file(head)
            shared = seen & self.files[head].closure
            base = self.together(self._ends(shared))[0] if shared else {}
            merged, found = _joined(base, merged, leaves)
            conflicts |= more | found
            seen |= self.files[head].closure
        return merged, conflicts

    def _ends(self, closed: frozenset[Path]) -> list[Path]:
        """Those of a set of files that no other in the set extends, in the order of reading."""
        below = {path for end in closed for path in self.files[end].closure - {end}}
        return [path for path in self.files if path in closed - below]


# --------------------------------------------------------------------------------------------------------- validation


class _Origins(NamedTuple):
    """Where things were said: lines of all keys by file, what each file builds on, and the file that was asked for."""

    lines: Mapping[str, Mapping[Key, int]]
    below: Mapping[str, frozenset[str]]
    home: str


class _Complaint(NamedTuple):
    key: Key
    message: str
    hint: str = ""


def _shown(key: Key) -> str:
    """A key as a reader would write it: a number by its name, without ``.value``."""
    place = _place(key[:-1]) if key and key[-1] == "value" else None
    return join_key(key[:-1] if place and place.section is Number else key)


def _fault(complaint: _Complaint, leaves: Leaves, origins: _Origins) -> Fault:
    """A complaint with its place: who said the value, else who last spoke about the nearest table around it."""
    key = complaint.key
    leaf = leaves.get(key) or leaves.get((*key, "value"))
    file, line = (leaf.file, leaf.line) if leaf else (origins.home, 1 if origins.home in origins.lines else None)
    for length in range(len(key), 0, -1) if leaf is None else ():
        inside = [leaf for other, leaf in leaves.items() if other[:length] == key[:length]]
        if inside:
            last = max(inside, key=lambda leaf: len(origins.below[leaf.file]))
            file, line = last.file, origins.lines.get(last.file, {}).get(key[:length], last.line)
            break
    return Fault(file, line, _shown(key), complaint.message, complaint.hint)


def _schema_complaints(error: ValidationError) -> Iterator[_Complaint]:
    missing: dict[Key, list[str]] = {}
    for entry in error.errors(include_url=False):
        key = tuple(str(part) for part in entry["loc"] if part != "[key]")
        part = entry.get("ctx", {}).get("part")
        if entry["type"] == "missing":
            missing.setdefault(key[:-1], []).append(key[-1])
        elif entry["type"] == "extra_forbidden":
            yield _Complaint(key, "unknown key", _hint_for_key(key))
        else:
            bare = entry["type"] == "model_type" and _is_path(key) and isinstance(entry["input"], int | float)
            hint = f'did you mean "{join_key((*key, "multiplier"))}"?' if bare else ""
            yield _Complaint((*key, part) if part else key, in_plain_words(entry), hint)
    for key, names in missing.items():
        yield _Complaint(key, f"lacks {', '.join(names)}")


def _hint_for_key(key: Key) -> str:
    around = _place(key[:-1])
    options = list(around.fields) if around else []
    close = nearest(key[-1], options)
    if close is None and (key[-1] == "extends" or (key[-1] in _whole().fields and len(key) > 1)):
        return f'"{key[-1]}" stands at the top of a file, before the first [table]'
    return f'did you mean "{join_key((*key[:-1], close))}"?' if close else did_you_mean(key[-1], options)


def _table(raw: Any, *key: str) -> dict[str, Any]:
    """The table at a key, empty where there is none: a wrong type there is the schema's complaint."""
    for name in key:
        raw = raw.get(name) if isinstance(raw, dict) else None
    return raw if isinstance(raw, dict) else {}


def _number(raw: Any) -> float | None:
    """A finite number, None where the schema complains."""
    raw = raw.get("value") if isinstance(raw, dict) else raw
    try:
        number = float(raw) if isinstance(raw, int | float) and not isinstance(raw, bool) else math.nan
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _month(raw: Any) -> str | None:
    """A month as text that sorts in time, None where the schema complains."""
    if isinstance(raw, date):
        return f"{raw.year:04d}-{raw.month:02d}"
    try:
        parse_month(raw)
    except ValueError:
        return None
    return str(raw)


def _texts(raw: Any) -> list[str]:
    return [item for item in raw if isinstance(item, str)] if isinstance(raw, list) else []


def _names(raw: Any) -> Iterator[_Complaint]:
    """Everything named is somewhere defined."""
    crime_types, authorities, partnerships = _table(raw, "crime_types"), _table(raw, "authorities"), _table(raw, "partnerships")
    roles = {role for name in authorities for role in _texts(_table(authorities, name).get("roles"))}

    def known(key: Key, names: Iterable[str], options: Iterable[str], what: str) -> Iterator[_Complaint]:
        options = list(options)
        for name in names if options else ():
            if name not in options:
                at = (*key, name) if key[-1] not in ("lead", "needs", "authorities", "authority", "into") else key
                yield _Complaint(at, f'unknown {what} "{name}"', did_you_mean(name, options))

    yield from known(("commissioner", "priorities"), _table(raw, "commissioner", "priorities"), crime_types, "crime type")
    for name in authorities:
        yield from known(("authorities", name, "remit"), _table(authorities, name, "remit"), crime_types, "crime type")
    for name in partnerships:
        here = ("partnerships", name)
        yield from known((*here, "recorded"), _table(partnerships, name, "recorded"), crime_types, "crime type")
        yield from known((*here, "neighbours"), _table(partnerships, name, "neighbours"), partnerships, "partnership")
        yield from known((*here, "authorities"), _texts(_table(partnerships, name).get("authorities")), authorities, "authority")
        if name in _table(partnerships, name, "neighbours"):
            yield _Complaint((*here, "neighbours", name), "a partnership is not its own neighbour")
    for name, entry in _table(raw, "interventions").items():
        here = ("interventions", name)
        for part in ("profile", "reporting"):
            yield from known((*here, part), _table(entry, part), crime_types, "crime type")
        yield from known((*here, "lead"), _texts([_table(entry).get("lead")]), roles, "role (no authority holds it)")
        yield from known((*here, "needs"), _texts(_table(entry).get("needs")), roles, "role (no authority holds it)")
    for name, entry in _table(raw, "events").items():
        for part in ("authority", "into"):
            yield from known(("events", name, part), _texts([_table(entry).get(part)]), authorities, "authority")
        if _table(entry).get("into") is not None and _table(entry).get("into") == _table(entry).get("authority"):
            yield _Complaint(("events", name, "into"), "an authority cannot merge into itself")


def _roles(raw: Any) -> Iterator[_Complaint]:
    """At one table, at one time, a role has one holder. An authority sits from ``from`` up to, not in, ``until``."""
    authorities = _table(raw, "authorities")
    merged = {
        entry.get("authority"): _month(entry.get("month"))
        for entry in (_table(raw, "events", name) for name in _table(raw, "events"))
        if entry.get("kind") == "merger" and isinstance(entry.get("authority"), str)
    }

    def seated(name: str) -> tuple[str, str]:
        entry = _table(authorities, name)
        return _month(entry.get("from")) or "0000-00", min(_month(entry.get("until")) or "9999-99", merged.get(name) or "9999-99")

    complained = set()
    for partnership, entry in _table(raw, "partnerships").items():
        listed = _texts(_table(entry).get("authorities"))
        table = [name for name in listed or authorities if name in authorities]
        for index, one in enumerate(table):
            for other in table[index + 1 :]:
                shared = set(_texts(_table(authorities, one).get("roles"))) & set(_texts(_table(authorities, other).get("roles")))
                start, end = max(seated(one)[0], seated(other)[0]), min(seated(one)[1], seated(other)[1])
                if shared and start < end and one != other and (one, other) not in complained:
                    complained.add((one, other))
                    message = f'holds {", ".join(sorted(shared))} at the same time as "{one}" in partnership "{partnership}"'
                    yield _Complaint(("authorities", other, "roles"), message, "give one of them from/until dates, or another role")


def _registers(raw: Any) -> Iterator[_Complaint]:
    """Levers, uncertainties and switches are in their registers, with their units and inside their ranges."""
    for section, (word, kind) in _REGISTERS.items():
        unknown = (name for name in _table(raw, section) if name not in kind._fields)
        yield from (_Complaint((section, name), f"unknown {word}", did_you_mean(name, kind._fields)) for name in unknown)
    for name, entry in register_of(Levers).items():
        yield from _lever(("levers", name), _table(raw, "levers", name), entry)
    for name, entry in register_of(Uncertainties).items():
        given = _table(raw, "uncertainties", name)
        if given.get("unit") and given.get("unit") != entry.unit:
            yield _Complaint(("uncertainties", name, "unit"), f"wrong unit {found_in_words(given['unit'])}: expected {entry.unit!r}")
        for part in ("value", "low", "high"):
            number = _number(given.get(part))
            if number is not None and not entry.low <= number <= entry.high:
                message = f"{part} {number:g} is out of range: expected {entry.low:g} to {entry.high:g} ({entry.unit})"
                yield _Complaint(("uncertainties", name, part), message)


def _lever(key: Key, given: dict[str, Any], entry: Any) -> Iterator[_Complaint]:
    if given.get("unit") and given.get("unit") != entry.unit:
        yield _Complaint((*key, "unit"), f"wrong unit {found_in_words(given['unit'])}: expected {entry.unit!r}")

    def allowed(number: float) -> bool:
        return entry.low - 1e-9 <= number <= entry.high + 1e-9  # 3 x 0.1 is a little more than 0.3

    yield from _path_values(key, given, allowed, f"{entry.low:g} to {entry.high:g} ({entry.unit})", entry.value)


def _path_values(key: Key, given: dict[str, Any], allowed: Callable[[float], bool], expected: str, unset: float) -> Iterator[_Complaint]:
    """Each dated value is allowed, and so is what multiplier and shift make of it; ``unset`` holds where no date is given."""
    multiplier, shift = _number(given.get("multiplier", 1.0)), _number(given.get("shift", 0.0))
    dated = {month: _number(value) for month, value in _table(given, "path").items()} or {"": unset}
    for month, value in dated.items():
        if value is None or multiplier is None or shift is None or allowed(value * multiplier + shift):
            continue
        if month and not allowed(value):
            yield _Complaint((*key, "path", month), f"{value:g} is out of range: expected {expected}")
        else:
            part = "multiplier" if multiplier != 1 else "shift"
            result = f"{value:g} x {multiplier:g} + {shift:g} gives {value * multiplier + shift:g}"
            yield _Complaint((*key, part), f"out of range: {result}, expected {expected}")
            return  # one word about the multiplier is enough


def _ranges(raw: Any) -> Iterator[_Complaint]:
    """What no single number shows: seasons average 1, money is not negative, the area holds its partnerships."""
    for name, entry in _table(raw, "crime_types").items():
        season = _table(entry).get("season")
        months = [number for number in map(_number, season) if number is not None] if isinstance(season, list) else []
        if len(months) == 12 and not abs(sum(months) / 12 - 1) <= SEASON_TOLERANCE:
            yield _Complaint(
                ("crime_types", name, "season"), f"the mean is {sum(months) / 12:.3f}: expected 1, give or take {SEASON_TOLERANCE}"
            )
        if any(month < 0 for month in months):
            yield _Complaint(("crime_types", name, "season"), "a month is negative: expected 0 or more")
    count, here = _table(raw, "area").get("partnerships"), len(_table(raw, "partnerships"))
    if isinstance(count, int) and count < here:
        yield _Complaint(("area", "partnerships"), f"is {count}, but {here} partnerships are simulated: expected {here} or more")
    for section in ("partnerships", "authorities", "crime_types", "interventions"):
        if section in raw and raw[section] == {}:
            yield _Complaint((section,), "is empty: expected at least one entry")


_PATH_UNITS = {"amount": "£ a year", "mainstream": "times", "exogenous": "times", "recording_path": "times"}


def _paths(raw: Any, leaves: Leaves) -> Iterator[_Complaint]:
    """Dated paths outside the levers: right units, money not negative, a price index above 0, and at least one date."""
    for key, leaf in leaves.items():
        expected = _PATH_UNITS.get(key[-2]) if len(key) > 1 and key[-1] == "unit" and key[0] != "levers" and _is_path(key[:-1]) else None
        if expected and leaf.value and leaf.value != expected:
            yield _Complaint(key, f"wrong unit {found_in_words(leaf.value)}: expected {expected!r}")
    deflator = _table(raw, "area", "deflator")
    yield from _path_values(("area", "deflator"), deflator, lambda index: index > 0, "more than 0", 1.0)
    paths: dict[Key, dict[str, Any]] = {("area", "deflator"): deflator}
    for name in _table(raw, "grants"):
        amount = paths["grants", name, "amount"] = _table(raw, "grants", name, "amount")
        yield from _path_values(("grants", name, "amount"), amount, lambda pounds: pounds >= 0, "£0 a year or more", 0.0)
    for path, given in paths.items():
        if given.get("path", {}) == {} and any(key[: len(path)] == path for key in leaves):
            yield _Complaint(path, 'has no dates: expected path = { "2008-04" = ... }')


def _span(raw: Any, leaves: Leaves, below: Mapping[str, frozenset[str]]) -> Iterator[_Complaint]:
    """The run runs forwards, its window lies inside it, and what is dated lies near it.

    A date after the end is a fault of the file that says it, unless that file knew of a later end: a scenario
    that ends earlier than the one it extends leaves later dates unread. In one file ``known_to`` says so.
    """
    time = _table(raw, "time")
    first, last = _month(time.get("first_month")), _month(time.get("last_month"))
    if first is None or last is None:
        return
    if last < first:
        yield _Complaint(("time", "last_month"), f"{last} is before first_month {first}")
        return
    start, end = _month(time.get("window_from")), _month(time.get("window_to"))
    for part, month in (("window_from", start), ("window_to", end)):
        if month is not None and not first <= month <= last:
            yield _Complaint(("time", part), f"{month} is outside the run: expected {first} to {last}")
    if start and end and first <= end < start <= last:
        yield _Complaint(("time", "window_to"), f"{end} is before window_from {start}")
    earliest = f"{max(int(first[:4]) - YEARS_AROUND, 0):04d}{first[4:]}"
    latest = f"{min(int(last[:4]) + YEARS_AROUND, 9999):04d}{last[4:]}"
    ends_in, known_to = leaves["time", "last_month"].file, max(last, _month(time.get("known_to")) or last)
    for key, leaf in leaves.items():
        month = _dated(key, leaf)
        bound = latest if leaf.file in below.get(ends_in, ()) else known_to
        if month is not None and not earliest <= month <= bound:
            yield _Complaint(key, f"date out of range: {month} is not between {earliest} and {bound}")
    for name, entry in _table(raw, "authorities").items():
        begins, until = _month(_table(entry).get("from")), _month(_table(entry).get("until"))
        if begins and until and until <= begins:
            yield _Complaint(("authorities", name, "until"), f"{until} is not after from = {begins}")


def _dated(key: Key, leaf: Leaf) -> str | None:
    if len(key) > 2 and key[-2] == "path" and _is_path(key[:-2]):
        return _month(key[-1])
    if len(key) == 3 and (key[0], key[2]) in {("authorities", "from"), ("authorities", "until"), ("events", "month")}:
        return _month(leaf.value)
    return None


def _all_complaints(raw: dict[str, Any], leaves: Leaves, origins: _Origins) -> Iterator[_Complaint]:
    for check in (_names, _roles, _registers, _ranges):
        yield from check(raw)
    yield from _paths(raw, leaves)
    yield from _span(raw, leaves, origins.below)


def _validated(
    name: str,
    leaves: Leaves,
    origins: _Origins,
    sources: tuple[Path, ...],
    conflicts: Conflicts | None = None,
    outcomes: Iterable[str] = (),
) -> "Scenario":
    said = {key: leaf for key, leaf in leaves.items() if not (isinstance(leaf.value, bool) and _is_replace(key))}
    raw = _nested({key: leaf.value for key, leaf in said.items()})
    data, complaints = None, list(_all_complaints(raw, leaves, origins))
    known = list(outcomes)
    if known and isinstance(raw.get("primary_outcome"), str) and raw["primary_outcome"] not in known:
        complaints.append(
            _Complaint(("primary_outcome",), f'unknown outcome "{raw["primary_outcome"]}"', did_you_mean(raw["primary_outcome"], known))
        )
    try:
        data = ScenarioData.model_validate(raw)
    except ValidationError as error:
        complaints += _with_similar_entries(_schema_complaints(error), raw)
    faults = [*(conflicts or {}).values(), *(_fault(complaint, leaves, origins) for complaint in complaints)]
    if faults or data is None:
        raise ScenarioError(faults, name)
    plain = {key: leaf._replace(value=_month(leaf.value)) if isinstance(leaf.value, date) else leaf for key, leaf in said.items()}
    return Scenario(name, data, sources, plain, origins)


def _with_similar_entries(complaints: Iterator[_Complaint], raw: dict[str, Any]) -> Iterator[_Complaint]:
    """An entry that lacks nearly everything is mostly a misspelt name: say which entry it resembles."""
    for complaint in complaints:
        if complaint.message.startswith("lacks ") and len(complaint.key) == 2:
            section, name = complaint.key
            close = nearest(name, [other for other in _table(raw, section) if other != name])
            if close:
                complaint = complaint._replace(hint=f'did you mean "{join_key((section, close))}"?')
        yield complaint


# -------------------------------------------------------------------------------------------------------- a scenario


@dataclass(frozen=True, eq=False, repr=False)
class Scenario:
    """A scenario that has been found to be in order. It does not change; ``with_changes`` makes another one."""

    name: str
    data: ScenarioData
    sources: tuple[Path, ...]  # every file, what is extended before what extends it
    _leaves: Mapping[Key, Leaf]
    _origins: _Origins

    def __repr__(self) -> str:
        return f"<Scenario {self.name!r}>"

    @property
    def title(self) -> str:
        return self.data.title

    @property
    def question(self) -> str:
        return self.data.question

    @property
    def context(self) -> str:
        return self.data.context

    @property
    def raw(self) -> dict[str, Any]:
        """The merged tables as plain values, numbers as tables with ``value``; a fresh copy at every call."""
        return _nested({key: leaf.value for key, leaf in self._leaves.items()})

    def provenance(self, key: str) -> tuple[str, int | None]:
        """The file and line that said a value (or the first value of a table). Raises CspsimError for an unknown key."""
        wanted = _split(key)
        leaf = self._leaves.get(wanted) or self._leaves.get((*wanted, "value"))
        leaf = leaf or next((leaf for other, leaf in self._leaves.items() if other[: len(wanted)] == wanted), None)
        if leaf is None:
            close = nearest(_shown(wanted), {_shown(other) for other in self._leaves})
            raise CspsimError(f"scenario {self.name!r} says nothing about {key}" + (f'; did you mean "{close}"?' if close else ""))
        return leaf.file, leaf.line

    def with_changes(self, changes: Mapping[str, Any], name: str | None = None) -> "Scenario":
        """The same scenario with some dotted keys set, as a child file would set them; dated paths merge date by date.

        ``{"levers.grant.multiplier": 0.5, "levers.grant.path": {"2011-04": 0.8}, "switches.challenge": False}``.
        Raises ScenarioError as a file would, with "changes" for the file.
        """
        label = next(text for text in _labels() if text not in self._origins.below)
        own: Leaves = {}
        faults = []
        for dotted, value in changes.items():
            try:
                key = split_key(dotted) if isinstance(dotted, str) else ()
                own |= {leaf: Leaf(given, label, None) for leaf, given in _leaves_at(key, _plain(value))}
            except ValueError as error:
                faults.append(Fault(label, None, str(dotted), str(error)))
        if faults:
            raise ScenarioError(faults, name or self.name)
        below = {**self._origins.below, label: frozenset(self._origins.below)}
        origins = _Origins(self._origins.lines, below, label)
        return _validated(name or _changed_name(self.name, changes), _applied(dict(self._leaves), own), origins, self.sources)

    def differences_from(self, other: "Scenario") -> dict[str, tuple[Any, Any]]:
        """What changes numbers, by dotted key: (other's value, this one's); None where one of them has no such value."""
        theirs, ours = other._settings, self._settings
        keys = sorted(key for key in {*theirs, *ours} if theirs.get(key) != ours.get(key))
        return {_shown(key): (theirs.get(key, _default(key)), ours.get(key, _default(key))) for key in keys}

    @cached_property
    def _settings(self) -> dict[Key, Any]:
        """Everything that changes numbers, with defaults filled in: no prose, no levers or switches left as they are."""
        dumped = self.data.model_dump(by_alias=True, exclude_none=True)
        dumped["time"].pop("known_to", None)
        leaves = {key: value for key, value in _leaves(dumped, _whole()) if key[-1] not in _PROSE and value != {}}
        return {key: value for key, value in leaves.items() if key[0] not in ("levers", "switches") or value != _default(key)}

    @cached_property
    def digest(self) -> str:
        """SHA-256 of everything that changes numbers: the same for two scenarios that run the same."""
        content = sorted((list(key), value) for key, value in self._settings.items())
        return hashlib.sha256(json.dumps(content, ensure_ascii=True).encode()).hexdigest()

    def to_toml(self) -> str:
        """The merged scenario as one file that extends nothing and loads to the same digest."""
        raw = self.raw
        latest = max(month for month in (_dated(key, leaf) or self.data.time.last_month for key, leaf in self._leaves.items()))
        if latest > self.data.time.last_month:
            raw["time"]["known_to"] = latest
        return write_toml(raw)


def _labels() -> Iterator[str]:
    """ "changes", then "changes 2" for changes to changes, so that each is known to come after the other."""
    yield CHANGES
    number = 2
    while True:
        yield f"{CHANGES} {number}"
        number += 1


def _changed_name(name: str, changes: Mapping[str, Any]) -> str:
    said = ", ".join(f"{key} = {value}" for key, value in changes.items() if not isinstance(value, Mapping | list))
    few = said and len(changes) <= 2 and not any(isinstance(value, Mapping | list) for value in changes.values())
    return f"{name} with {said}" if few else f"{name} with {len(changes)} change{'' if len(changes) == 1 else 's'}"


def _plain(value: Any) -> Any:
    """A value as TOML would have given it: text keys, lists, Python's own numbers. Raises ValueError for None."""
    if value is None:
        raise ValueError("expected a value, found nothing")
    if isinstance(value, Mapping):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value.item() if type(value).__module__ == "numpy" and hasattr(value, "item") else value


def _leaves_at(key: Key, value: Any) -> Iterator[tuple[Key, Any]]:
    """The leaves of one change. Raises ValueError where the key goes on inside a plain value, or is no key at all."""
    if not key:
        raise ValueError("expected a dotted key such as levers.grant.multiplier")
    shape: Shape | None = _whole()
    for depth, name in enumerate(key):
        around = shape
        shape = around.part(name) if around else None
        if shape is None:
            if around is not None and not around.is_table:
                raise ValueError(f"{join_key(key[:depth])} is a plain value and has no parts")
            key = key[: depth + 1]  # unknown from here on: kept whole, for validation to refuse
            break
    yield from _leaves(value, shape or Shape({}), key)


def _default(key: Key) -> Any:
    """What holds where nothing is said: neutral levers, switches on."""
    if key[0] == "switches":
        return True
    if key[0] == "levers" and len(key) == 3:
        return {"multiplier": 1.0, "shift": 0.0, "shape": "step", "replace": False}.get(key[2])
    return None


def _split(key: str) -> Key:
    try:
        return split_key(key)
    except ValueError as error:
        raise CspsimError(str(error)) from None


# ------------------------------------------------------------------------------------------------------------ loading


def load_scenario(name: str | Path, search: Sequence[Path] = (), outcomes: Callable[[], Iterable[str]] | None = None) -> Scenario:
    """A shipped name, a path to a .toml file, or a stack of them, ``"grant_cut+rebalanced"``.

    ``search``: folders in which names are looked up before the shipped ones. ``outcomes``: gives the names that
    ``primary_outcome`` may have; without it any is accepted. Raises ScenarioError with every fault found.
    """
    shelf = _Shelf(search)
    whole = isinstance(name, Path) or "+" not in str(name) or (str(name).endswith(".toml") and shelf.find(str(name), None) is not None)
    asked = [str(name) if not isinstance(name, Path) or name.suffix == ".toml" else f"{name}.toml"] if whole else str(name).split("+")
    asked = [part.strip() for part in asked]
    if not all(asked):
        raise ScenarioError([Fault(str(name), None, "", "a part of the stack has no name", 'write "first+second"')], str(name))
    fetched = [shelf.fetch(part) for part in asked]
    if shelf.faults:
        raise ScenarioError(shelf.faults, str(name))
    heads = list(dict.fromkeys(path for path in fetched if path is not None))
    merger = _Merger(shelf.files)
    leaves, conflicts = merger.together(heads)
    if len(heads) > 1:
        leaves = _titled(leaves, [(merger.file(head)[0], shelf.files[head].label) for head in heads])
    files = shelf.files
    origins = _Origins(
        {file.label: file.lines for file in files.values()},
        {file.label: frozenset(files[path].label for path in file.closure - {file.path}) for file in files.values()},
        files[heads[0]].label,
    )
    short = "+".join(Path(part).stem if part.endswith(".toml") else part for part in asked)
    return _validated(short, leaves, origins, tuple(files), conflicts, outcomes() if outcomes else ())


def _titled(leaves: Leaves, parts: Sequence[tuple[Leaves, str]]) -> Leaves:
    titles = [said["title",].value if ("title",) in said else label for said, label in parts]
    first = leaves.get(("title",)) or Leaf("", parts[0][1], 1)
    return {**leaves, ("title",): first._replace(value=" + ".join(map(str, titles)))}


# --------------------------------------------------------------------------------------------------- a file to start


def new_scenario_text(name: str, extends: str = "baseline") -> str:
    """A commented scenario file to start from: it loads as it stands, and every lever can be switched on in place."""
    title = name.replace("_", " ").replace("-", " ").strip().capitalize() or "My scenario"
    lines = [
        "# A scenario says only what differs from the one it extends. Take the # away from a line to use it.",
        f"extends = {write_value(extends)}",
        f"title = {write_value(title)}",
        'question = "What changes, and for whom?"',
        'context = "Where this comes from and what it leaves out."',
        '# primary_outcome = "cost_of_crime"',
        "",
        "[time]",
        '# last_month = "2018-03"    # the last month of the run',
        '# window_from = "2011-04"   # outcomes are taken from here on',
        "",
        "[levers]",
        "# What somebody can decide. A value holds from its month to the next one; multiplier and shift act on all of them.",
    ]
    group = ""
    for lever, entry in register_of(Levers).items():
        if entry.group != group:
            group = entry.group
            lines += ["", f"# {group}"]
        lines += [f"# {entry.title}: {entry.meaning}", f"# {entry.unit}, {entry.low:g} to {entry.high:g}"]
        lines += [f'# {lever}.path = {{ "2011-04" = {entry.value:g} }}']
    lines += ["", "[uncertainties]", "# What nobody knows. A few of many; sweeps sample them over their ranges."]
    one_per_rule = {entry.group: (uncertainty, entry) for uncertainty, entry in reversed(register_of(Uncertainties).items())}
    for uncertainty, entry in list(one_per_rule.values())[:6]:
        lines += [f"# {entry.meaning}; {entry.unit}, {entry.low:g} to {entry.high:g}", f"# {uncertainty} = {entry.value:g}"]
    lines += ["", "[switches]", "# Which mechanisms exist. Turning one off gives a control."]
    for mechanism, entry in list(register_of(Switches).items())[:5]:
        lines += [f"# {mechanism} = false   # {entry.meaning}"]
    return "\n".join(lines) + "\n" + _PARTNERSHIP


_PARTNERSHIP = """
# One more partnership. The names under recorded are crime types of the world.
# [partnerships.my_borough]
# title = "My borough"
# population = { value = 250000, unit = "persons", status = "seen", source = "..." }
# recorded = { burglary = 3000, robbery = 900 }   # crimes a year
# staffing = 1.0      # times what its authorities have elsewhere
# bid_skill = 0.5     # share
# neighbours = {}     # share of a spill-over that reaches each, by partnership
"""
