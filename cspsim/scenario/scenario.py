"""A named scenario from TOML files: loaded, changed, compared, written.

Files are found and read by ``scenario_files``, combined by ``merging`` and checked by ``validation``.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from cspsim.basics.errors import CspsimError, Fault, ScenarioError, nearest
from cspsim.scenario.checks import month_of
from cspsim.scenario.leaves import PROSE, Leaf, Leaves, Origin, SchemaShape, leaves_of, nested, shown_key, whole_shape
from cspsim.scenario.merging import Merger, applied
from cspsim.scenario.old_words import with_present_keys
from cspsim.scenario.rival_rules import STANDARD_RULE, Rival, file_name, placed, sharing_names
from cspsim.scenario.scenario_files import FilesRead, scenario_names, shipped_folder
from cspsim.scenario.schema import ScenarioData
from cspsim.scenario.template import new_scenario_text
from cspsim.scenario.toml_lines import Key, join_key, split_key, write_toml
from cspsim.scenario.validation import validated

__all__ = ["Scenario", "load_scenario", "new_scenario_text", "scenario_names", "shipped_folder"]

CHANGES = "changes"  # stands for the file in messages about changes made by a program


def load_scenario(
    name: str | Path, search: Sequence[Path] = (), outcomes: Callable[[], Iterable[str]] | None = None, allow_rules: bool = False
) -> "Scenario":
    """A shipped name, a path to a .toml file, or a stack of them, ``"deeper-cut+rebalanced-workload"``.

    ``search``: folders in which names are looked up before the shipped ones. ``outcomes``: gives the names that
    ``primary_outcome`` may have; without it any is accepted. ``allow_rules``: the rules that these files bring along may be
    run, as they stand now; loading runs nothing. Raises ScenarioError with every fault found.
    """
    shelf = FilesRead(search)
    asked = _asked(name, shelf)
    if not all(asked):
        raise ScenarioError([Fault(str(name), None, "", "a part of the stack has no name", 'write "first+second"')], str(name))
    fetched = [shelf.fetch(part) for part in asked]
    if shelf.faults:
        raise ScenarioError(shelf.faults, str(name))
    heads = list(dict.fromkeys(path for path in fetched if path is not None))
    merger = Merger(shelf.files)
    leaves, conflicts = merger.together(heads)
    home = shelf.files[heads[0]].origin
    if len(heads) > 1:
        titles = [_title(merger.file(path)[0], shelf.files[path].origin) for path in heads]
        leaves = {**leaves, ("title",): leaves.get(("title",), Leaf("", home))._replace(value=" + ".join(titles))}
    short = "+".join(Path(part).stem if part.endswith(".toml") else part for part in asked)
    data, said, rivals = validated(short, leaves, home, [*conflicts.values(), *shelf.misplaced], outcomes() if outcomes else ())
    return Scenario(short, data, tuple(shelf.files), said, home, tuple(rival._replace(allowed=allow_rules) for rival in rivals))


def _asked(name: str | Path, shelf: FilesRead) -> list[str]:
    """The parts of a stack; one part for a path, and for the name of a file that has a plus in it."""
    if isinstance(name, Path):
        return [str(name) if name.suffix == ".toml" else f"{name}.toml"]
    one_file = name.endswith(".toml") and shelf.find(name) is not None
    return [part.strip() for part in ([name] if one_file else name.split("+"))]


def _title(leaves: Leaves, origin: Origin) -> str:
    return str(leaves["title",].value) if ("title",) in leaves else origin.label


@dataclass(frozen=True, eq=False, repr=False)
class Scenario:
    """A scenario that has passed every check. It never changes; ``with_changes`` makes another one."""

    name: str
    data: ScenarioData
    sources: tuple[Path, ...]  # every file; a file that is extended comes before the files that extend it
    _leaves: Leaves
    _home: Origin  # the first file asked for, or the last changes
    rivals: tuple[Rival, ...] = ()  # rules that replace the package's own

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
        return nested({key: leaf.value for key, leaf in self._leaves.items()})

    def provenance(self, key: str) -> tuple[str, int | None]:
        """The file and line that state a value (or the first value of a table). Raises CspsimError for an unknown key."""
        try:
            wanted = split_key(key)
        except ValueError as error:
            raise CspsimError(str(error)) from None
        inside = (other for other in self._leaves if other[: len(wanted)] == wanted)
        said = next((exact for exact in (wanted, (*wanted, "value")) if exact in self._leaves), None) or next(inside, None)
        if said is None:
            close = nearest(shown_key(wanted), {shown_key(other) for other in self._leaves})
            raise CspsimError(f"scenario {self.name!r} says nothing about {key}" + (f'; did you mean "{close}"?' if close else ""))
        origin = self._leaves[said].origin
        return origin.label, origin.line(said)

    def with_changes(
        self, changes: Mapping[str, Any], name: str | None = None, allow_rules: bool = False, beside: Path | None = None
    ) -> "Scenario":
        """The same scenario with some dotted keys set, as a child file would set them; dated paths merge date by date.

        ``{"levers.grant.multiplier": 0.5, "levers.grant.path": {"2011-04": 0.8}, "switches.challenge": False}``.
        ``allow_rules``: rules named in these changes may be run. ``beside``: the folder of the file these changes come from,
        in which its rule files lie; without it any file can be named, from the working directory.
        Raises ScenarioError as a file would, with "changes" for the file.
        """
        said_before = {leaf.origin for leaf in self._leaves.values()} | {self._home}
        origin = Origin(CHANGES, None, frozenset(said_before).union(*(before.builds_on for before in said_before)))
        given, faults = _leaves_of_changes(changes)
        own: Leaves = {}
        for key, value in given.items():
            try:
                own[key] = Leaf(_found(key, value, beside), origin)
            except ValueError as error:
                faults.append(Fault(CHANGES, None, shown_key(key), str(error)))
        if faults:
            raise ScenarioError(faults, name or self.name)
        name = name or _changed_name(self.name, changes)
        kept = [rival for rival in self.rivals if ("rules", rival.slot) not in own]  # as it was when it was allowed
        data, said, rivals = validated(name, applied(self._leaves, own), origin, known=kept)
        now = tuple(rival if rival in kept else rival._replace(allowed=allow_rules) for rival in rivals)
        return Scenario(name, data, self.sources, said, origin, now)

    def differences_from(self, other: "Scenario") -> dict[str, tuple[Any, Any]]:
        """What changes numbers, by dotted key: (other's value, this one's); None where one of them has no such value."""
        theirs, ours = other._settings, self._settings
        keys = sorted(key for key in {*theirs, *ours} if theirs.get(key) != ours.get(key))
        return {shown_key(key): (theirs.get(key, _default(key)), ours.get(key, _default(key))) for key in keys}

    @cached_property
    def _settings(self) -> dict[Key, Any]:
        """Everything that changes numbers, with defaults filled in: no prose, and no levers or switches at their defaults."""
        dumped = self.data.model_dump(by_alias=True, exclude_none=True)
        dumped["time"].pop("known_to", None)
        leaves = {key: value for key, value in leaves_of(dumped, whole_shape()).items() if key[-1] not in PROSE and value != {}}
        leaves |= {("rules", rival.slot): rival.identity for rival in self.rivals}
        return {key: value for key, value in leaves.items() if key[0] not in ("levers", "switches", "rules") or value != _default(key)}

    @cached_property
    def digest(self) -> str:
        """SHA-256 of everything that changes numbers: the same for two scenarios that run the same."""
        content = sorted((list(key), value) for key, value in self._settings.items())
        return hashlib.sha256(json.dumps(content, ensure_ascii=True).encode()).hexdigest()

    def to_toml(self) -> str:
        """The merged scenario as one file that extends nothing and loads to the same digest, with its ``rule_files`` beside it."""
        raw, last = self.raw, self.data.time.last_month
        for rival in self.rivals:
            raw["rules"][rival.slot] = f"{file_name(rival, self.rivals)}:{rival.function}"
        latest = max(month_of(key, leaf) or last for key, leaf in self._leaves.items())
        if latest > last:
            raw["time"]["known_to"] = latest
        return write_toml(raw)

    @property
    def rule_files(self) -> dict[str, str]:
        """The files that ``to_toml`` names, each with its text."""
        return sharing_names(self.rivals)


def _leaves_of_changes(changes: Mapping[str, Any]) -> tuple[dict[Key, Any], list[Fault]]:
    """The leaves of all changes, under their present names, and what is wrong with the keys."""
    leaves: dict[Key, Any] = {}
    faults = []
    for dotted, value in changes.items():
        try:
            leaves |= _leaves_at(split_key(dotted) if isinstance(dotted, str) else (), _plain(value))
        except ValueError as error:
            faults.append(Fault(CHANGES, None, str(dotted), str(error)))
    present, twice = with_present_keys(leaves, CHANGES, lambda _: None)
    return present, [*faults, *twice]


def _found(key: Key, value: Any, beside: Path | None) -> Any:
    """The value of a change, valid from any working directory. Raises ValueError for a rule that is not where it may be."""
    if key[0] == "rules" and len(key) == 2 and isinstance(value, str):
        return placed(value, beside or Path.cwd(), inside=beside is not None)
    return value


def _changed_name(name: str, changes: Mapping[str, Any]) -> str:
    plain = [f"{key} = {value}" for key, value in changes.items() if not isinstance(value, Mapping | list)]
    if 0 < len(plain) == len(changes) <= 2:
        return f"{name} with {', '.join(plain)}"
    return f"{name} with {len(changes)} change{'' if len(changes) == 1 else 's'}"


def _plain(value: Any) -> Any:
    """A value as TOML would have given it: text keys, lists, Python's own numbers. Raises ValueError for None."""
    if value is None:
        raise ValueError("expected a value, found nothing")
    if isinstance(value, Mapping):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value.item() if type(value).__module__ == "numpy" and hasattr(value, "item") else value


def _leaves_at(key: Key, value: Any) -> dict[Key, Any]:
    """The leaves of one change. Raises ValueError where the key goes on inside a plain value, or is no key at all."""
    if not key:
        raise ValueError("expected a dotted key such as levers.grant.multiplier")
    shape: SchemaShape = whole_shape()
    for depth, name in enumerate(key):
        if not shape.is_table:
            raise ValueError(f"{join_key(key[:depth])} is a plain value and has no parts")
        part = shape.part(name)
        if part is None:  # unknown from here on: kept as it is, for validation to refuse
            return {key[: depth + 1]: value}
        shape = part
    return leaves_of(value, shape, key)


def _default(key: Key) -> Any:
    """What holds where a scenario states nothing: neutral levers, switches on."""
    if key[0] == "switches":
        return True
    if key[0] == "rules":
        return STANDARD_RULE
    if key[0] == "levers" and len(key) == 3:
        return {"multiplier": 1.0, "shift": 0.0, "shape": "step", "replace": False}.get(key[2])
    return None
