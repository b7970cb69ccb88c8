"""Finished runs of a hypothesis file on disk: written whole, found again, and not run twice."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from cspsim.basics.exports import MANIFEST, as_json, damages, is_sealed, sealed
from cspsim.hypotheses.freezing import FileRecord, Receipt
from cspsim.hypotheses.testing import Judgement
from cspsim.model.compiled import rules_key
from cspsim.running.same_code import versions

RESULTS = "results.json"


def work_key(receipt: Receipt, seed: int, trials: int) -> str:
    """What identifies a run: the frozen file and everything behind it, seed, trials, versions, rules."""
    content = [receipt.sha256, receipt.arms, seed, trials, versions(), rules_key()]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def results_text(tested: Judgement, work: str) -> str:
    """The results as JSON, to be read again by ``read_results``."""
    return as_json(sealed({"work": work, **as_plain(tested)})) + "\n"


def read_results(folder: Path, work: str) -> Judgement | None:
    """The stored results of exactly this work; None if the folder does not hold them unchanged."""
    try:
        content = json.loads((folder / RESULTS).read_text(encoding="utf-8"))
        return rebuilt(Judgement, content) if content.get("work") == work and is_sealed(content) else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):  # nothing there, or an older format: run again
        return None


def doubts(folder: Path, history: FileRecord, work: str) -> list[str]:
    """Why the results in a folder cannot be trusted, a sentence each: files that were changed, or verdicts that differ from the record."""
    if not (folder / MANIFEST).is_file():
        return []
    found = damages(folder)
    tested = read_results(folder, work)
    record = next((record for record in history.own_records if record.work == work), None)
    if tested is not None and (record is None or record.verdicts != {one.name: one.verdict for one in tested.findings}):
        found.append(f"the verdicts in {folder / RESULTS} are not those on record")
    return found


def as_plain(value: Any) -> Any:
    """Named tuples as tables, tuples as lists."""
    if hasattr(value, "_asdict"):
        return {name: as_plain(inner) for name, inner in value._asdict().items()}
    if isinstance(value, tuple | list):
        return [as_plain(inner) for inner in value]
    return value


def rebuilt(kind: Any, value: Any) -> Any:
    """What ``as_plain`` took apart, by the types of its fields; a number that JSON could not hold is not-a-number again.

    Raises KeyError or TypeError where the content does not fit.
    """
    if get_origin(kind) in (Union, UnionType):
        inside = [option for option in get_args(kind) if option is not type(None)]
        return None if value is None else rebuilt(inside[0], value)
    if get_origin(kind) is tuple:
        return tuple(rebuilt(get_args(kind)[0], inner) for inner in value)
    if hasattr(kind, "_fields"):
        if not isinstance(value, Mapping):
            raise TypeError(f"expected a table for {kind.__name__}")
        hints = get_type_hints(kind)
        return kind(**{name: rebuilt(hints[name], value[name]) for name in kind._fields})
    return float("nan") if kind is float and value is None else kind(value)
