"""Measure how far each default of a real place moves its answer, and store the order in which to replace them.

    python tools/measure_fill_in.py

For ten places, two of every tier: the answer to "30 % less grant from April 2027", in cost of crime from then on, with each default at the
low and at the high end of its range. ``moves`` is the distance between the two answers as a share of the answer with all defaults,
averaged over the places. Writes ``scenarios/world/place-fill-in.csv``, which ``cspsim check`` reads. Run it again after a
change of rules or of defaults.
"""

import csv
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import mean
from typing import Any

from cspsim.comparing.comparison import compare
from cspsim.places.partnership_table import place_named
from cspsim.places.place_scenario import Span, place_scenario_text
from cspsim.scenario.scenario import Scenario, load_scenario

TARGET = Path(__file__).parent.parent / "scenarios" / "world" / "place-fill-in.csv"
PLACES = ("lambeth", "sutton", "leeds", "Bolton", "Plymouth", "Herefordshire", "Chorley", "Stroud", "Cardiff", "Powys")
CUT = {"levers.grant.path": {"2027-04": 0.7}}
RUNS = 60
COUNCILS = ("local_authority", "district_council", "county_council")

Ends = Callable[[Scenario], tuple[dict[str, Any], dict[str, Any]]]
"""The changes that put a default at its low and at its high end."""


def numbers(*patterns: str) -> Ends:
    """Numbers with a range of their own, all at one end together."""
    from cspsim.places.fill_in import _matching

    def ends(scenario: Scenario) -> tuple[dict[str, Any], dict[str, Any]]:
        found = [pair for pattern in patterns for pair in _matching(scenario.data, pattern.split("."))]
        return tuple({f"{'.'.join(key)}.value": getattr(value, end) for key, value in found} for end in ("low", "high"))  # type: ignore[return-value]

    return ends


def pot(scenario: Scenario) -> tuple[dict[str, Any], dict[str, Any]]:
    """The pot a resident between the poorest and the richest area seen outside London, relative to the usual one."""
    from cspsim.places.place_defaults import default_number

    usual = default_number("pot", "elsewhere")
    return tuple({"grants.commissioner_pot.amount.multiplier": end / usual.value} for end in (usual.low, usual.high))  # type: ignore[return-value,operator]


def budgets(change: float, *authorities: str) -> Ends:
    """Budgets so much lower or higher from April 2027 on."""

    def ends(scenario: Scenario) -> tuple[dict[str, Any], dict[str, Any]]:
        here = [name for name in authorities if name in scenario.data.authorities]
        paths = [{f"authorities.{name}.mainstream.path": {"2027-03": 1.0, "2027-04": 1 + way * change} for name in here} for way in (-1, 1)]
        return paths[0], paths[1]

    return ends


def division(scenario: Scenario) -> tuple[dict[str, Any], dict[str, Any]]:
    """The funder keeps a twentieth of the pot for own projects, as a board might, or three tenths, as a mayor might."""
    months = scenario.data.levers["top_slice"].path
    low, high = ({"levers.top_slice.path": dict.fromkeys(months, share)} for share in (0.05, 0.3))
    return low, high


def each(template: str) -> str:
    """A key of every kind of council."""
    return " ".join(template.format(name) for name in COUNCILS)


HOURS, MATCH, BUDGET = each("authorities.{}.hours"), each("authorities.{}.match_funds"), each("authorities.{}.mainstream")

ITEMS: tuple[tuple[str, str, str, Ends | None], ...] = (  # item, keys, words, and its ends where they are not those of its range
    ("pot", "grants.commissioner_pot.amount", "money that the partnerships of the force area share", pot),
    ("staffing", "partnerships.*.staffing", "staff hours and match funds of the table, relative to a typical one", None),
    ("antisocial behaviour", "partnerships.*.recorded.antisocial_behaviour", "incidents of antisocial behaviour a year", None),
    ("council hours", HOURS, "council staff hours of a typical table", None),
    ("police hours", "authorities.police.hours", "police hours for the partnership at a typical table", None),
    ("council match funds", MATCH, "money with which the council can match a grant at a typical table", None),
    ("police match funds", "authorities.police.match_funds", "money with which the police can match a grant", None),
    ("duties", "duties.*.hours", "hours a year for a statutory duty", None),
    ("statutory share", "uncertainties.statutory_share", "staff hours tied up in other statutory work", None),
    ("bid skill", "partnerships.*.bid_skill", "how well the partnership writes bids", None),
    ("council budgets", BUDGET, "what happens to the council's own budget (20 % either way tried)", budgets(0.2, *COUNCILS)),
    ("police strength", "authorities.police.mainstream", "what happens to police strength (10 % either way tried)", budgets(0.1, "police")),
    ("top slice", "levers.top_slice", "what the funder keeps for own projects", division),
)


def answer(scenario: Scenario, changes: dict[str, Any]) -> float:
    """£ of crime more over the window with the cut."""
    base = scenario.with_changes(changes) if changes else scenario
    found = compare(base, base.with_changes(CUT), replicates=RUNS, assumption_sets=0)
    return float(found.finding(outcome="cost_of_crime").difference)


def main() -> None:
    """Measure and write the figures."""
    moves: dict[str, list[float]] = {item: [] for item, *_ in ITEMS}
    for name in PLACES:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "place.toml"
            path.write_text(place_scenario_text([place_named(name)], Span()), encoding="utf-8")
            scenario = load_scenario(path)
        usual = answer(scenario, {})
        for item, keys, _, ends in ITEMS:
            low, high = (answer(scenario, changes) for changes in (ends or numbers(*keys.split()))(scenario))
            moves[item].append(abs(high - low) / abs(usual))
        print(f"{name}: £{usual:,.0f}", flush=True)
    rows = [
        (item, keys, words, round(mean(moves[item]), 3), round(min(moves[item]), 3), round(max(moves[item]), 3))
        for item, keys, words, _ in ITEMS
    ]
    with TARGET.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["item", "keys", "words", "moves", "least_place", "most_place"])
        writer.writerows(sorted(rows, key=lambda row: -row[3]))
    print(TARGET.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
