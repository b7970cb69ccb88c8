"""Trials of a search: what each mix cost and what harm was left, kept line by line so that no kill loses or doubles one."""

import json
import os
from pathlib import Path
from typing import NamedTuple

import numpy as np

from cspsim.basics.errors import CspsimError
from cspsim.basics.exports import is_sealed, sealed
from cspsim.basics.limits import TABLE_FILE, read_file
from cspsim.model.parameters import Floats

Levels = dict[str, float]
"""Lever -> the level at which a mix holds it."""


class Measured(NamedTuple):
    """Cost and harm of a policy, mean over replicates, ``[assumption set]``."""

    cost: Floats
    harm: Floats


class Trial(NamedTuple):
    """One mix of levers that was run."""

    method: str
    number: int
    levels: Levels
    measured: Measured

    @property
    def name(self) -> str:
        """How a trial is called in tables."""
        return f"{self.method} {self.number}"


class Archive:
    """Trials in a file, one JSON line each, written through to the disk before the next one begins.

    A line torn by a kill is cut off when the file is opened again: that trial was not finished and is run anew. Every line has
    a seal; ``repair`` cuts off what follows from the first that is not as it was written, to be run anew.
    Raises CspsimError for a file that cannot be read, that is damaged, that holds a trial twice, or to which somebody else writes.
    """

    def __init__(self, path: Path | None, repair: bool = False, only_read: bool = False) -> None:
        self.path = path
        self._repair, self._only_read = repair, only_read
        self.trials: dict[str, list[Trial]] = {}
        self._size = 0
        if path is not None and path.exists():
            self._open(path)

    def of(self, method: str, count: int | None = None) -> list[Trial]:
        """The first ``count`` trials of a method, in their order; all if not given."""
        return self.trials.get(method, [])[:count]

    def add(self, trial: Trial) -> None:
        """Keep a trial, on disk first."""
        if self.path is not None:
            self._write(self.path, trial)
        self._take(trial)

    def _open(self, path: Path) -> None:
        try:
            content = read_file(path, TABLE_FILE)
            whole = content[: content.rfind(b"\n") + 1]
            if len(whole) < len(content) and not self._only_read:
                os.truncate(path, len(whole))
        except OSError as error:
            raise CspsimError(f"{path} cannot be repaired: {error.strerror or error}") from None
        self._size = 0
        for number, line in enumerate(whole.split(b"\n")[:-1], 1):
            try:
                self._take(_read(line))
            except (ValueError, KeyError, TypeError) as error:
                if self._repair:
                    os.truncate(path, self._size)
                    return
                raise CspsimError(f"{path}:{number}: not a trial of a search as it was written ({error})") from None
            self._size += len(line) + 1

    def _take(self, trial: Trial) -> None:
        before = self.trials.setdefault(trial.method, [])
        if trial.number != len(before):
            raise ValueError(f"trial {trial.name} stands where {trial.method} {len(before)} was expected")
        before.append(trial)

    def _write(self, path: Path, trial: Trial) -> None:
        line = json.dumps(_said(trial), ensure_ascii=True, allow_nan=False).encode() + b"\n"
        try:
            with open(path, "ab") as file:
                if file.tell() != self._size:
                    raise CspsimError(f"{path}: another search writes to this folder; choose a new one with --out")
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise CspsimError(f"{path} cannot be written: {error.strerror or error}") from None
        self._size += len(line)


def _said(trial: Trial) -> dict[str, object]:
    cost, harm = (part.tolist() for part in trial.measured)
    return sealed({"method": trial.method, "number": trial.number, "levels": trial.levels, "cost": cost, "harm": harm})


def _read(line: bytes) -> Trial:
    said = json.loads(line)
    if isinstance(said, dict) and not is_sealed(said):
        raise ValueError("its seal does not fit; --resume runs it and those after it again")
    measured = Measured(np.array(said["cost"], dtype=float), np.array(said["harm"], dtype=float))
    return Trial(str(said["method"]), int(said["number"]), dict(said["levels"]), measured)
