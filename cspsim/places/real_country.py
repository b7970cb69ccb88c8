"""Every real police force area of England and Wales as a scenario, one after the other."""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from cspsim.places.partnership_table import force_names, places_in
from cspsim.places.place_scenario import USUAL_SPAN, Span, checked_span, place_scenario_text
from cspsim.scenario.scenario import Scenario, load_scenario

RUNS = 40
"""Runs from which the levels of an area's places are derived: fewer than for one place, since the country adds up hundreds."""


def area_file_name(force: str) -> str:
    """``west_yorkshire.toml`` for West Yorkshire."""
    return f"{'_'.join(force.lower().replace('-', ' ').split())}.toml"


def force_text(force: str, span: Span = USUAL_SPAN, runs: int = RUNS) -> str:
    """All partnerships of a force area as the text of a scenario file."""
    return place_scenario_text(places_in(force), span, f"{force} force area", runs)


def asked_forces(forces: Sequence[str] = ()) -> list[str]:
    """The full names of some force areas, of all if none is named. Raises CspsimError for one that does not exist."""
    return list(dict.fromkeys(places_in(force)[0].force for force in forces)) or list(force_names())


def real_country(span: Span = USUAL_SPAN, forces: Sequence[str] = (), runs: int = RUNS) -> Iterator[Scenario]:
    """The force areas of the real country, each with all of its partnerships; none is kept. Raises CspsimError for an unknown one."""
    checked_span(span)
    for force in asked_forces(forces):
        with tempfile.TemporaryDirectory(prefix="cspsim-") as folder:
            path = Path(folder) / area_file_name(force)
            path.write_text(force_text(force, span, runs), encoding="utf-8")
            yield load_scenario(path)
