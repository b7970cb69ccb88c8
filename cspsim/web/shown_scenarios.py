"""The scenarios that pages may show: the shipped ones, those named on the command line, and every real place; never by path."""

import shlex
import tempfile
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from cspsim.basics.errors import CspsimError, did_you_mean
from cspsim.places.partnership_table import RealPlace, real_places
from cspsim.places.place_scenario import place_scenario_text
from cspsim.running.outcomes import OUTCOMES
from cspsim.scenario.scenario import Scenario, load_scenario, scenario_names

PLACE = "place:"
"""Before the key of a real place, so that it cannot be confused with shipped names and users' files."""


class ScenarioEntry(NamedTuple):
    """One scenario of the list."""

    name: str
    title: str
    question: str


_named: dict[str, Scenario] = {}
"""Scenarios of the command line, set once before the server starts and the same for every visitor."""
_files: dict[str, str] = {}
"""The name of each of them on the command line."""


def add_scenarios(files: Sequence[str], allow_rules: bool = False, whole_paths: bool = True) -> list[str]:
    """Put scenario files (or stacks) beside the shipped ones; their names. Raises ScenarioError, or CspsimError for a name taken.

    ``allow_rules``: the rules that they bring along may be run, as they stand now. ``whole_paths``: pages show command lines
    with the paths as they were named; without it only the files' names, where visitors come from other machines.
    """
    names = []
    for file in files:
        scenario = load_scenario(file, outcomes=lambda: OUTCOMES, allow_rules=allow_rules)
        if scenario.name in scenario_names() or scenario.name in _named:
            raise CspsimError(f"{file}: there is a scenario called {scenario.name!r} already; give the file another name")
        _named[scenario.name] = scenario
        _files[scenario.name] = file if whole_paths else "+".join(Path(part.strip()).name for part in file.split("+"))
        names.append(scenario.name)
    return names


def forget_scenarios() -> None:
    """Leave only the shipped ones."""
    _named.clear()
    _files.clear()


def file_of(name: str) -> str:
    """What to write on a command line for a scenario: the file or stack it was named by, or its shipped name.

    For a real place the file that ``making_of`` writes.
    """
    return f"{name.removeprefix(PLACE)}.toml" if is_place(name) else _files.get(name, name)


def making_of(name: str) -> str:
    """The command that writes the file of a real place; empty for any other scenario."""
    return shlex.join(["cspsim", "new", file_of(name), "--place", _place(name).code]) if is_place(name) else ""


def is_place(name: str) -> bool:
    """Whether a name stands for a real place: ``place:leeds``."""
    return name.startswith(PLACE) and name in place_titles()


@lru_cache(maxsize=1)
def place_titles() -> dict[str, str]:
    """Name of every real place -> what it is called in a picker, in the order of the alphabet."""
    rows = sorted(real_places(), key=lambda place: place.name)
    return {f"{PLACE}{place.key}": f"{place.name} ({place.force})" for place in rows}


def _place(name: str) -> RealPlace:
    return next(place for place in real_places() if place.key == name.removeprefix(PLACE))


@lru_cache(maxsize=32)
def _real(name: str) -> Scenario:
    """A real place as ``cspsim new --place`` writes it, kept: its first year takes a second or two to fit."""
    with tempfile.TemporaryDirectory(prefix="cspsim-") as folder:
        path = Path(folder) / file_of(name)
        path.write_text(place_scenario_text([_place(name)]), encoding="utf-8")
        return load_scenario(path, outcomes=lambda: OUTCOMES)


@lru_cache(maxsize=1)
def _shipped_names() -> tuple[str, ...]:
    """Read once: pages ask for it again and again, and shipped files do not change while a server runs."""
    return tuple(scenario_names())


def known_names() -> list[str]:
    """Names of all scenarios a page may show: those of the command line first, then the shipped ones."""
    return [*_named, *_shipped_names()]


@lru_cache(maxsize=64)
def _shipped(name: str) -> Scenario:
    return load_scenario(name, outcomes=lambda: OUTCOMES)


def scenario_of(name: str) -> Scenario:
    """The scenario of a name on the list. Raises CspsimError for any other text, whatever file it may point to."""
    if name in _named:
        return _named[name]
    if is_place(name):
        return _real(name)
    if name not in _shipped_names():
        raise CspsimError(f'there is no scenario "{name[:60]}" here; {did_you_mean(name, known_names())}')
    return _shipped(name)


def entries() -> list[ScenarioEntry]:
    """Every scenario with its title and question, for pickers."""
    return [
        ScenarioEntry(name, scenario.title, scenario.question) for name, scenario in ((name, scenario_of(name)) for name in known_names())
    ]
