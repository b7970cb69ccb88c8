"""Merged leaves as scenario data, or every fault in them, each with the file and line to correct."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import islice
from typing import Any

from pydantic import ValidationError

from cspsim.basics.errors import Fault, ScenarioError, did_you_mean, in_plain_words, nearest
from cspsim.basics.limits import FAULTS
from cspsim.scenario.checks import Complaint, complaints, month, table
from cspsim.scenario.leaves import Leaf, Leaves, Origin, is_path, nested, shape_at, shown_key, whole_shape
from cspsim.scenario.merging import is_replace
from cspsim.scenario.rival_rules import SLOTS, Rival, from_value, look_through, misnamed
from cspsim.scenario.schema import ScenarioData
from cspsim.scenario.toml_lines import Key, join_key


def validated(
    name: str,
    leaves: Leaves,
    home: Origin,
    faults: Iterable[Fault] = (),
    outcomes: Iterable[str] = (),
    known: Sequence[Rival] = (),
) -> tuple[ScenarioData, Leaves, tuple[Rival, ...]]:
    """The data of a scenario, its leaves without instructions to merging and with months as text, and its own rules.

    ``home``: the file named in faults about what no file states. ``faults``: those found before. ``outcomes``: the names that
    ``primary_outcome`` may have, any if empty. ``known``: rules that are not read again. Raises ScenarioError with every fault.
    """
    said = {key: leaf for key, leaf in leaves.items() if not (isinstance(leaf.value, bool) and is_replace(key))}
    raw = nested({key: leaf.value for key, leaf in said.items()})
    found = [*islice(complaints(raw, leaves), FAULTS), *_of_the_outcome(raw, list(outcomes))]
    data = None
    try:
        data = ScenarioData.model_validate(raw)
    except ValidationError as error:
        found += _of_the_schema(error, raw)
    rivals, of_the_rules = _rivals(leaves, known)
    faults = [*faults, *(_placed(complaint, leaves, home) for complaint in found), *of_the_rules]
    if faults or data is None:
        raise ScenarioError(faults, name)
    plain = {key: leaf._replace(value=month(leaf.value)) if isinstance(leaf.value, date) else leaf for key, leaf in said.items()}
    return data, plain, rivals


def _rivals(leaves: Leaves, known: Sequence[Rival]) -> tuple[tuple[Rival, ...], list[Fault]]:
    """The rules with which a scenario replaces the package's own, and what is wrong with them."""
    rivals: list[Rival] = []
    faults: list[Fault] = []
    read_before = {(rival.slot, f"{rival.path}:{rival.function}"): rival for rival in known}
    for key, leaf in leaves.items():
        if key[0] == "rules" and len(key) == 2 and isinstance(leaf.value, str):
            rival = read_before.get((key[1], leaf.value))
            if rival is None:
                rival, found = _read(key, leaf)
                faults += found
            rivals += [rival] if rival else []
    return tuple(rivals), faults


def _read(key: Key, leaf: Leaf) -> tuple[Rival | None, list[Fault]]:
    """The rule a leaf names, None for the package's own, and what is wrong with it: in the rule file, else where it is named."""
    line = leaf.origin.line(key)
    here = leaf.origin.label, line, shown_key(key)
    if key[1] not in SLOTS:
        return None, [Fault(*here, *misnamed(key[1]))]
    try:
        rival = from_value(key[1], leaf.value, leaf.origin.label if line is None else f"{leaf.origin.label}:{line}")
    except ValueError as error:
        return None, [Fault(*here, str(error))]
    return rival, [
        Fault(*here, f"{rival.path} {finding.message}", finding.hint)
        if finding.line is None
        else Fault(str(rival.path), finding.line, "", finding.message, finding.hint)
        for finding in (look_through(rival) if rival else ())
        if rival
    ]


def _of_the_outcome(raw: dict[str, Any], outcomes: list[str]) -> Iterator[Complaint]:
    outcome = raw.get("primary_outcome")
    if outcomes and isinstance(outcome, str) and outcome not in outcomes:
        yield Complaint(("primary_outcome",), f'unknown outcome "{outcome}"', did_you_mean(outcome, outcomes))


def _of_the_schema(error: ValidationError, raw: dict[str, Any]) -> Iterator[Complaint]:
    missing: dict[Key, list[str]] = {}
    for entry in error.errors(include_url=False)[:FAULTS]:
        key = tuple(str(part) for part in entry["loc"] if part != "[key]")
        part = entry.get("ctx", {}).get("part")
        if entry["type"] == "missing":
            missing.setdefault(key[:-1], []).append(key[-1])
        elif entry["type"] == "extra_forbidden":
            yield Complaint(key, "unknown key", _right_key(key))
        else:
            bare = entry["type"] == "model_type" and is_path(key) and isinstance(entry["input"], int | float)
            hint = f'did you mean "{join_key((*key, "multiplier"))}"?' if bare else ""
            yield Complaint((*key, part) if part else key, in_plain_words(entry), hint)
    for key, names in missing.items():
        yield Complaint(key, f"lacks {', '.join(names)}", _similar_entry(key, raw))


def _right_key(key: Key) -> str:
    around = shape_at(key[:-1])
    options = list(around.fields) if around else []
    close = nearest(key[-1], options)
    if close is not None:
        return f'did you mean "{join_key((*key[:-1], close))}"?'
    if key[-1] == "extends" or (key[-1] in whole_shape().fields and len(key) > 1):
        return f'"{key[-1]}" stands at the top of a file, before the first [table]'
    return did_you_mean(key[-1], options)


def _similar_entry(key: Key, raw: dict[str, Any]) -> str:
    """An entry that lacks nearly everything is mostly a misspelt name: say which entry it resembles."""
    close = nearest(key[1], [other for other in table(raw, key[0]) if other != key[1]]) if len(key) == 2 else None
    return f'did you mean "{join_key((key[0], close))}"?' if close else ""


def _placed(complaint: Complaint, leaves: Leaves, home: Origin) -> Fault:
    """A complaint with its place: the file that states the value, else the last one that states anything in the nearest table around it."""
    origin, line = _place(complaint.key, leaves) or (home, home.line(()))
    return Fault(origin.label, line, shown_key(complaint.key), complaint.message, complaint.hint)


def _place(key: Key, leaves: Leaves) -> tuple[Origin, int | None] | None:
    for said in (key, (*key, "value")):
        if said in leaves:
            return leaves[said].origin, leaves[said].origin.line(said)
    for length in range(len(key), 0, -1):
        around = key[:length]
        inside = [other for other in leaves if other[:length] == around]
        if inside:
            last = max(inside, key=lambda other: len(leaves[other].origin.builds_on))
            origin = leaves[last].origin
            return origin, origin.lines.get(around, origin.line(last))
    return None
