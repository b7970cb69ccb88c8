"""What to fill in first in the scenario of a real place: its defaults, ordered by how far they move the answer."""

import csv
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from cspsim.basics.errors import CspsimError
from cspsim.places.partnership_table import SHORT_SOURCE
from cspsim.places.place_defaults import MARK
from cspsim.scenario.scenario import Scenario
from cspsim.scenario.scenario_files import shipped_folder
from cspsim.scenario.schema import DatedPath, Number
from cspsim.scenario.toml_lines import join_key

FILL_IN_FILE = "world/place-fill-in.csv"


class FillIn(NamedTuple):
    """One kind of default. ``keys``: dotted, * for every name. ``moves``: how far it moves the answer over its range, as a share of it."""

    item: str
    keys: tuple[str, ...]
    words: str
    moves: float


class StillDefault(NamedTuple):
    """A number of one scenario that is still a default: where it stands, what it is, and what it is worth to know better."""

    key: str
    now: str
    words: str
    moves: float


@cache
def fill_in_order() -> tuple[FillIn, ...]:
    """Every kind of default, the most important first, as ``tools/measure_fill_in.py`` measured it."""
    with (shipped_folder() / FILL_IN_FILE).open(encoding="utf-8", newline="") as file:
        rows = [FillIn(row["item"], tuple(row["keys"].split()), row["words"], float(row["moves"])) for row in csv.DictReader(file)]
    return tuple(sorted(rows, key=lambda row: -row.moves))


def to_fill_in(scenario: Scenario) -> list[StillDefault]:
    """The defaults left in a scenario of a real place, the most important first; nothing for any other scenario."""
    if not any(SHORT_SOURCE in entry.population.source for entry in scenario.data.partnerships.values()):
        return []
    found = []
    for row in fill_in_order():
        for pattern in row.keys:
            for key, value in _matching(scenario.data, pattern.split(".")):
                dotted = join_key(tuple(key))
                if _is_default(scenario, dotted, value):
                    found.append(StillDefault(dotted, _in_short(value), row.words, row.moves))
    return found


def _matching(part: object, pattern: list[str], key: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Number | DatedPath]]:
    """The numbers and paths of a scenario at a dotted key whose * means every name of a table."""
    if not pattern:
        if isinstance(part, Number | DatedPath):
            yield key, part
        return
    inside = part if isinstance(part, dict) else {name: getattr(part, name) for name in getattr(type(part), "model_fields", {})}
    for name in inside if pattern[0] == "*" else [pattern[0]]:
        if name in inside:
            yield from _matching(inside[name], pattern[1:], (*key, name))


def _is_default(scenario: Scenario, dotted: str, value: Number | DatedPath) -> bool:
    """Whether the scenario has it from ``new --place``, or from a shipped file beneath."""
    if value.source.startswith(MARK):
        return True
    try:
        file, _ = scenario.provenance(dotted)
    except CspsimError:
        return False
    return file.startswith("scenarios/")


def _in_short(value: Number | DatedPath) -> str:
    if isinstance(value, Number):
        around = "" if value.low is None or value.high is None else f" ({value.low:,.10g} to {value.high:,.10g})"
        return f"{value.value:,.10g}{around} {value.unit}"
    numbers = list(dict.fromkeys(value.path.values()))
    return f"{numbers[0] * value.multiplier:,.10g}{' and later others' if len(numbers) > 1 else ''} {value.unit}".rstrip()
