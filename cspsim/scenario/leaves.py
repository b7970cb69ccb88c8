"""A scenario as *leaves*: each dotted key with its value and the file and line that state it.

Merging, differences, changes and the digest are short statements about leaves, and an error can always point into
the file that states a value. The schema determines what may be written where.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from types import UnionType
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin

from cspsim.scenario.old_words import present_key
from cspsim.scenario.schema import DatedPath, FileSection, Number, ScenarioData
from cspsim.scenario.toml_lines import Key, join_key, line_of, locate_keys

PROSE = frozenset({"title", "question", "context", "source", "season_source", "note", "status", "unit"})


class SchemaShape(NamedTuple):
    """What may stand at a place: the fields of a section, entries under free names (``each``), or a plain value."""

    fields: Mapping[str, "SchemaShape"]
    each: "SchemaShape | None" = None
    section: type[FileSection] | None = None

    def part(self, name: str) -> "SchemaShape | None":
        """What may stand under a name; None where nothing may."""
        return self.fields.get(name, self.each)

    @property
    def is_table(self) -> bool:
        return self.section is not None or self.each is not None


PLAIN = SchemaShape({})


def _shape_of(annotation: Any) -> SchemaShape:
    origin, inside = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _shape_of(inside[0])
    if origin in (Union, UnionType):
        return _shape_of(next(kind for kind in inside if kind is not type(None)))
    if origin is dict:
        return SchemaShape({}, each=_shape_of(inside[1]))
    if isinstance(annotation, type) and issubclass(annotation, FileSection):
        fields = {field.alias or name: _shape_of(field.annotation) for name, field in annotation.model_fields.items()}
        return SchemaShape(fields, section=annotation)
    return PLAIN


@cache
def whole_shape() -> SchemaShape:
    """The shape of a whole scenario."""
    return _shape_of(ScenarioData)


def shape_at(key: Key) -> SchemaShape | None:
    """What may stand at a key; None where nothing may."""
    shape: SchemaShape | None = whole_shape()
    for name in key:
        shape = shape.part(name) if shape else None
    return shape


def is_path(key: Key) -> bool:
    """Whether dated values stand at a key."""
    shape = shape_at(key)
    return shape is not None and shape.section is DatedPath


def shown_key(key: Key) -> str:
    """A key as a reader would write it: a number by its name, without ``.value``."""
    around = shape_at(key[:-1]) if key and key[-1] == "value" else None
    return join_key(key[:-1] if around and around.section is Number else key)


@dataclass(frozen=True, eq=False)
class Origin:
    """Where a value was stated: in a file, or by a program that changed a scenario (then ``text`` is None)."""

    label: str
    text: str | None = None
    builds_on: frozenset["Origin"] = frozenset()

    @cached_property
    def lines(self) -> Mapping[Key, int]:
        """The line of every key. Looked up only when it is needed: most scenarios have no faults."""
        found = locate_keys(self.text) if self.text is not None else {}
        return {present_key(key): line for key, line in found.items()} | found

    def line(self, key: Key) -> int | None:
        """The line of a key, else of the nearest table around it; None where no file states the value."""
        return line_of(self.lines, key) if self.text is not None else None


class Leaf(NamedTuple):
    """A plain value with the place that states it."""

    value: Any
    origin: Origin


Leaves = dict[Key, Leaf]


def leaves_of(raw: Any, shape: SchemaShape, key: Key = ()) -> dict[Key, Any]:
    """Plain values by dotted key. What the schema does not know is kept as it is, for validation to refuse."""
    found: dict[Key, Any] = {}

    def walk(value: Any, shape: SchemaShape, key: Key) -> None:
        if shape.section is Number and isinstance(value, int | float) and not isinstance(value, bool):
            found[*key, "value"] = value
        elif shape.is_table and isinstance(value, dict) and value:
            for name, inner in value.items():
                walk(inner, shape.part(name) or PLAIN, (*key, name))
        else:
            found[key] = value

    walk(raw, shape, key)
    return found


def nested(leaves: Mapping[Key, Any]) -> dict[str, Any]:
    """Values by dotted key as nested tables, copied. Where a value and a table claim one place, the value stays."""
    whole: dict[str, Any] = {}
    for key in sorted(leaves, key=len):
        table: Any = whole
        for name in key[:-1]:
            table = table.setdefault(name, {}) if isinstance(table, dict) else None
        if isinstance(table, dict):
            value = leaves[key]
            table[key[-1]] = {} if value == {} else list(value) if isinstance(value, list) else value
    return whole
