"""Keeps on record what was claimed before the run: receipts with hash and date, and what was changed after results existed.

A folder beside the results holds one receipt for every version of a hypothesis file that was ever run, written before the
run, and one record for every finished run. Nothing in it is ever overwritten.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from cspsim.basics.errors import CspsimError
from cspsim.basics.exports import SEAL, is_sealed, sealed
from cspsim.hypotheses.hypothesis_file import HypothesisFile

Kind = TypeVar("Kind")

SHOWN = 12
"""How many digits of a hash people are shown."""


@dataclass(frozen=True)
class Receipt:
    """One version of a file: its hash, when it was frozen, its text, what it claims, and what identifies its arms."""

    number: int
    sha256: str
    date: str
    text: str
    claims: dict[str, Any]
    arms: dict[str, dict[str, str]]

    @property
    def short(self) -> str:
        """The beginning of the hash."""
        return self.sha256[:SHOWN]

    def is_of(self, file: HypothesisFile) -> bool:
        """Whether the file, and every scenario behind it, is still the one that was frozen."""
        return self.sha256 == text_hash(file.text) and self.arms == arms_of_all(file)


@dataclass(frozen=True)
class Record:
    """One finished run: of which receipt, when, with what seed, what identifies the work, and the verdicts."""

    receipt: int
    date: str
    work: str
    seed: int
    verdicts: dict[str, str]


@dataclass(frozen=True)
class Alteration:
    """A version frozen earlier that had results when the present one was frozen, and what was changed since, by name."""

    receipt: Receipt
    first_results: str
    changes: tuple[str, ...]


@dataclass(frozen=True)
class FileRecord:
    """Everything on record about a file, including the receipt of its present version."""

    folder: Path
    present: Receipt
    receipts: tuple[Receipt, ...]
    records: tuple[Record, ...]

    @property
    def alterations(self) -> list[Alteration]:
        """Earlier versions whose results could have been seen before the present version was frozen."""
        found = []
        for receipt in self.receipts:
            dates = [record.date for record in self.records if record.receipt == receipt.number and record.date <= self.present.date]
            if receipt.number < self.present.number and dates:
                found.append(Alteration(receipt, min(dates), tuple(hypothesis_changes(receipt, self.present))))
        return found

    @property
    def own_records(self) -> list[Record]:
        """Finished runs of the present version."""
        return [record for record in self.records if record.receipt == self.present.number]


def receipts_folder(results: Path) -> Path:
    """Where receipts lie: beside the results, which are replaced by newer ones while receipts stay."""
    return results.with_name(f"{results.name}.frozen")


def text_hash(text: str) -> str:
    """SHA-256 of a file's text, with line ends as on Linux: the same on every system."""
    return hashlib.sha256(text.replace("\r\n", "\n").encode()).hexdigest()


def arms_of_all(file: HypothesisFile) -> dict[str, dict[str, str]]:
    """Hypothesis -> digests of its arms."""
    return {hypothesis.name: hypothesis.digests for hypothesis in file.hypotheses}


def freeze(file: HypothesisFile, folder: Path, now: datetime | None = None) -> FileRecord:
    """Put the file on record, unless this very version is on record, and tell what is known about it.

    Raises CspsimError where the folder cannot be read or written, or a receipt is not what was written.
    """
    receipts, records = read_receipts(folder), read_records(folder)
    present = next((receipt for receipt in receipts if receipt.is_of(file)), None)
    if present is None:
        claims = json.loads(json.dumps(file.data.model_dump(exclude={"title", "question", "context"}), default=str))
        number = 1 + max((receipt.number for receipt in receipts), default=0)
        present = Receipt(number, text_hash(file.text), _date(now), file.text, claims, arms_of_all(file))
        _write_once(folder / f"{number:04d}-{present.short}.json", vars(present))
        receipts.append(present)
    return FileRecord(folder, present, tuple(receipts), tuple(records))


def record_run(history: FileRecord, work: str, seed: int, verdicts: Mapping[str, str], now: datetime | None = None) -> FileRecord:
    """Put a finished run on record; the history with it. The same work is recorded once."""
    if any(record.work == work for record in history.own_records):
        return history
    record = Record(history.present.number, _date(now), work, seed, dict(verdicts))
    _write_once(history.folder / f"{history.present.number:04d}-run-{work[:SHOWN]}.json", vars(record))
    return FileRecord(history.folder, history.present, history.receipts, (*history.records, record))


def read_receipts(folder: Path) -> list[Receipt]:
    """All versions on record, the oldest first. Raises CspsimError for one that was tampered with."""
    found = []
    for path, content in _read(folder, "[0-9]*-*.json"):
        if "text" not in content:
            continue
        receipt = _rebuilt(Receipt, path, content, "receipt")
        if text_hash(receipt.text) != receipt.sha256:
            raise CspsimError(f"{path} was changed: its text does not have the hash it states")
        _check_seal(path, content)
        found.append(receipt)
    found.sort(key=lambda receipt: receipt.number)
    for number, receipt in enumerate(found, start=1):
        if receipt.number != number:
            raise CspsimError(f"{folder} lacks receipt {number}: receipts are numbered without a gap, and none is ever taken away")
    return found


def read_records(folder: Path) -> list[Record]:
    """All finished runs on record, the oldest first. Raises CspsimError for one that was tampered with."""
    found = []
    for path, content in _read(folder, "[0-9]*-run-*.json"):
        found.append(_rebuilt(Record, path, content, "record"))
        _check_seal(path, content)
    return sorted(found, key=lambda record: (record.date, record.work))


def check_records(folder: Path) -> list[str]:
    """What has changed in a folder of receipts since it was written, a sentence each; nothing for a folder that does not exist."""
    try:
        read_receipts(folder), read_records(folder)
    except CspsimError as error:
        return [str(error)]
    return []


def _rebuilt(kind: type[Kind], path: Path, content: Mapping[str, Any], word: str) -> Kind:
    try:
        return kind(**{key: value for key, value in content.items() if key != SEAL})
    except TypeError:
        raise CspsimError(f"{path} is not a {word} that this program wrote") from None


def _check_seal(path: Path, content: Mapping[str, Any]) -> None:
    if not is_sealed(content):
        raise CspsimError(f"{path} was changed since it was written: its seal does not fit")


def hypothesis_changes(before: Receipt, after: Receipt) -> list[str]:
    """What was changed, by name of the hypothesis; says so where only text outside the hypotheses was."""
    old, new = before.claims["hypotheses"], after.claims["hypotheses"]
    design = [key for key in after.claims if key != "hypotheses" and before.claims.get(key) != after.claims[key]]
    found = [f"{key}: {_said(before.claims.get(key))} became {_said(after.claims[key])}" for key in design]
    found += [f"{name}: taken out" for name in old if name not in new] + [f"{name}: added" for name in new if name not in old]
    for name in new:
        if name not in old:
            continue
        theirs, ours = _flat(old[name]), _flat(new[name])
        for key in dict.fromkeys([*ours, *theirs]):
            if theirs.get(key) != ours.get(key):
                found.append(f"{name}: {key}: {_said(theirs.get(key))} became {_said(ours.get(key))}")
        if theirs == ours and before.arms.get(name) != after.arms.get(name):
            found.append(f"{name}: a scenario behind it was changed")
    return found or ["no hypothesis: only comments, titles or layout"]


def _said(value: Any) -> str:
    return "nothing" if value is None else repr(value)


def _flat(value: Any, key: str = "") -> dict[str, Any]:
    if not isinstance(value, dict):
        return {} if value is None else {key: value}
    found: dict[str, Any] = {}
    for name, inner in value.items():
        found |= _flat(inner, f"{key}.{name}" if key else str(name))
    return found


def _date(now: datetime | None) -> str:
    return (now or datetime.now(UTC)).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _read(folder: Path, pattern: str) -> list[tuple[Path, dict[str, Any]]]:
    try:
        return [(path, json.loads(path.read_text(encoding="utf-8"))) for path in sorted(folder.glob(pattern))]
    except (OSError, ValueError) as error:
        raise CspsimError(f"receipts in {folder} cannot be read: {error}") from None


def _write_once(path: Path, content: Mapping[str, Any]) -> None:
    """A whole new file, or an error: nothing on record is ever overwritten."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(json.dumps(sealed(content), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        os.link(beside, path)  # unlike a move, it fails where something stands already
    except FileExistsError:
        raise CspsimError(f"{path} is on record already, written by another run at the same time: start again") from None
    except OSError as error:
        raise CspsimError(f"{path} cannot be written: {error.strerror or error}") from None
    finally:
        beside.unlink(missing_ok=True)
