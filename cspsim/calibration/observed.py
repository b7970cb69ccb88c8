"""Observed recorded crime from a user's file: a CSV file of months, in long format, every fault reported with its line.

Columns ``month`` (YYYY-MM), ``partnership``, ``crime_type`` and ``recorded``, one row per month, partnership and type.
Lines before the header that begin with # are remarks: the place for the source.
"""

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple

import numpy as np

from cspsim.basics.errors import Fault, FileError, did_you_mean
from cspsim.basics.limits import FAULTS, TABLE_FILE, Unreadable, read_file
from cspsim.model.parameters import Floats
from cspsim.scenario.scenario import Scenario
from cspsim.scenario.scenario_files import label_of
from cspsim.scenario.schema import parse_month
from cspsim.scenario.world_building import add_months, months_between

COLUMNS = ("month", "partnership", "crime_type", "recorded")

Cell = tuple[str, str, date]


class ObservedError(FileError):
    """A file of observed crime cannot be used."""

    kind = "file of observed crime"


class Observed(NamedTuple):
    """Recorded crimes ``[partnership, crime type, month]`` without gaps, names in the order of the scenario."""

    partnerships: tuple[str, ...]
    crime_types: tuple[str, ...]
    months: tuple[date, ...]
    recorded: Floats
    remarks: str

    def between(self, first: date, last: date) -> Floats:
        """Recorded crimes of the months from ``first`` to ``last``. Raises ValueError if the file does not cover them."""
        if first < self.months[0] or last > self.months[-1]:
            raise ValueError(f"observed crime runs from {self.months[0]:%Y-%m} to {self.months[-1]:%Y-%m}")
        start = months_between(self.months[0], first)
        return self.recorded[:, :, start : months_between(self.months[0], last) + 1]


def read_observed(path: Path, scenario: Scenario) -> Observed:
    """The months of a CSV file, checked against the names of a scenario. Raises ObservedError with every fault and line."""
    label = label_of(path)
    try:
        content = read_file(path, TABLE_FILE)
        text = content.decode("utf-8-sig")
    except Unreadable as error:
        raise ObservedError([Fault(label, None, "", error.why)], path.stem) from None
    except UnicodeDecodeError as error:
        line = 1 + content[: error.start].count(b"\n")
        raise ObservedError([Fault(label, line, "", "is not UTF-8 text", "save it as CSV UTF-8")], path.stem) from None
    lines = text.splitlines()
    above = next((k for k, line in enumerate(lines) if line.strip() and not line.startswith("#")), len(lines))
    faults: list[Fault] = []
    counted = dict(_rows(lines[above:], above + 1, _known_names(scenario), label, faults))
    if not faults and not counted:
        faults.append(Fault(label, None, "", "holds no months", f"expected columns {', '.join(COLUMNS)}"))
    faults += _gaps(counted, label) if not faults else []
    if faults:
        raise ObservedError(faults, path.stem)
    remarks = " ".join(line.lstrip("# ").strip() for line in lines[:above]).strip()
    return _laid_out(counted, _known_names(scenario), remarks)


def _known_names(scenario: Scenario) -> dict[str, list[str]]:
    """Partnerships, and crime types that have a police series, in the order of the scenario."""
    types = [name for name, entry in scenario.data.crime_types.items() if entry.observed]
    return {"partnership": list(scenario.data.partnerships), "crime_type": types}


def _rows(
    lines: Sequence[str], first_line: int, known: dict[str, list[str]], label: str, faults: list[Fault]
) -> Iterator[tuple[Cell, float]]:
    """Each month's count by its cell; what is wrong goes to ``faults``."""
    table = csv.DictReader(lines)
    columns = [name.strip() for name in table.fieldnames or ()]
    lacking = [name for name in COLUMNS if name not in columns]
    if lacking:
        hint = "columns are separated by commas" if any(";" in name for name in columns) else f"found {', '.join(columns) or 'nothing'}"
        faults.append(Fault(label, first_line, "", f"lacks the column{'s' if len(lacking) > 1 else ''} {', '.join(lacking)}", hint))
        return
    table.fieldnames = columns
    said: dict[Cell, int] = {}
    for row in table:
        line = first_line + table.line_num - 1
        words = {name: (row[name] or "").strip() for name in COLUMNS}
        wrong = [Fault(label, line, name, message, hint) for name, message, hint in _faults_of(words, known)]
        if wrong:
            faults += wrong
            if len(faults) > FAULTS:
                return
            continue
        cell = words["partnership"], words["crime_type"], parse_month(words["month"])
        if cell in said:
            where = f"{cell[0]}, {cell[1]}, {words['month']}"
            faults.append(Fault(label, line, "", f"{where} stands twice", f"first on line {said[cell]}"))
        said.setdefault(cell, line)
        yield cell, float(words["recorded"])


def _faults_of(words: dict[str, str], known: dict[str, list[str]]) -> Iterator[tuple[str, str, str]]:
    """What is wrong with one row: column, message, hint."""
    try:
        parse_month(words["month"])
    except ValueError as error:
        yield "month", str(error), ""
    for column, names in known.items():
        if words[column] not in names:
            kind = column.replace("_", " ")
            yield column, f'the scenario has no {kind} "{words[column]}" with a police series', did_you_mean(words[column], names)
    try:
        count = float(words["recorded"])
    except ValueError:
        yield "recorded", f'"{words["recorded"]}" is not a number', ""
        return
    if not np.isfinite(count) or count < 0:
        yield "recorded", f"{words['recorded']} is not a count: expected 0 or more", ""


def _gaps(counted: Iterable[Cell], label: str) -> list[Fault]:
    """Every partnership needs every type of the file in every month from the first to the last."""
    cells = set(counted)
    months = sorted({cell[2] for cell in cells})
    places = sorted({cell[0] for cell in cells})
    types = sorted({cell[1] for cell in cells})
    span = [add_months(months[0], k) for k in range(months_between(months[0], months[-1]) + 1)]
    lacking = Counter((place, kind) for place in places for kind in types for month in span if (place, kind, month) not in cells)
    found = []
    for (place, kind), count in lacking.items():
        first = next(month for month in span if (place, kind, month) not in cells)
        more = f" and {count - 1} more month{'s' if count > 2 else ''}" if count > 1 else ""
        found.append(Fault(label, None, "", f"{place}, {kind}: {first:%Y-%m}{more} missing", "write 0 where nothing was recorded"))
    return found


def _laid_out(counted: dict[Cell, float], known: dict[str, list[str]], remarks: str) -> Observed:
    places = tuple(name for name in known["partnership"] if any(cell[0] == name for cell in counted))
    types = tuple(name for name in known["crime_type"] if any(cell[1] == name for cell in counted))
    months = tuple(sorted({cell[2] for cell in counted}))
    recorded = np.array([[[counted[place, kind, month] for month in months] for kind in types] for place in places])
    return Observed(places, types, months, recorded, remarks)
