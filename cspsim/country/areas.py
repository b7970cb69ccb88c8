"""One synthetic force area as a scenario file: its partnerships, its neighbours, its money, its budgets."""

import tempfile
from collections.abc import Iterator
from math import sqrt
from pathlib import Path
from typing import Any, NamedTuple

from scipy.special import ndtr

from cspsim.basics.errors import CspsimError
from cspsim.basics.limits import Size
from cspsim.country.draws import DRAWS_FILE, Lot, draws, national_streams, normal_draw, quantile
from cspsim.scenario.scenario import Scenario, load_scenario
from cspsim.scenario.toml_lines import write_toml

AREAS = 43
"""Police-force areas of England and Wales; the first of a synthetic country is its capital."""

CAPITAL_COMMISSIONER = "2012-01"
"""The Mayor's office took over ten months before commissioners were elected elsewhere (16 January 2012, from memory)."""

CAPITAL, SINGLE_TIER, TWO_TIER = "capital", "single_tier", "two_tier"
_WORDS = {
    CAPITAL: ("capital", "borough", "boroughs"),
    SINGLE_TIER: ("force area of unitary councils", "town", "towns"),
    TWO_TIER: ("shire force area", "district", "districts"),
}
_AUTHORITIES = {
    CAPITAL: "world/single-tier-authorities",
    SINGLE_TIER: "world/single-tier-authorities",
    TWO_TIER: "world/two-tier-authorities",
}
_COUNCILS = {
    CAPITAL: ("local_authority",),
    SINGLE_TIER: ("local_authority",),
    TWO_TIER: ("county_council", "borough_council", "district_council"),
}
_UNOBSERVED = "antisocial_behaviour"


class DrawnPlace(NamedTuple):
    """One partnership before it is written down."""

    name: str
    population: int
    recorded: dict[str, int]
    staffing: float
    bid_skill: float


def area_name(number: int) -> str:
    """``area_07`` for the seventh area."""
    return f"area_{number:02d}"


def kind_of(seed: int, number: int) -> str:
    """The capital, an area of unitary councils, or one of counties and districts."""
    if number == 1:
        return CAPITAL
    return SINGLE_TIER if quantile(seed, area_name(number), "kind") < draws()["map.single_tier_share"].value else TWO_TIER


AREA_SIZE = Size(7, 8, 28, 8, 156)
"""A typical area, for estimates of time and memory: 300 partnerships in 43 areas."""


def places_of(seed: int, number: int) -> list[DrawnPlace]:
    """The partnerships of an area; each depends only on its own name, so one more area or partnership changes no other."""
    kind, area = kind_of(seed, number), area_name(number)
    wanted = "map.capital_partnerships" if kind == CAPITAL else "map.partnerships"
    count = max(1, round(Lot(seed, area).value(wanted)))
    return [_place(seed, kind, f"{area}_{_WORDS[kind][1]}_{k:02d}") for k in range(1, count + 1)]


def _place(seed: int, kind: str, name: str) -> DrawnPlace:
    lot = Lot(seed, name)
    population = round(lot.value(f"population.{kind}"), -2)
    typical = draws()[f"table.typical_population.{'two_councils' if kind == TWO_TIER else 'one_council'}"].value
    staffing = lot.value("table.staffing") * (population / typical) ** draws()["table.staffing_exponent"].value
    return DrawnPlace(
        name, int(population), _recorded(seed, kind, name, population), round(staffing, 3), round(lot.value("table.bid_skill"), 3)
    )


def _recorded(seed: int, kind: str, name: str, population: float) -> dict[str, int]:
    """Recorded crimes a year. Rates are correlated: one normal draw of the place is part of every type's."""
    shared, alike = normal_draw(seed, name, "place"), draws()["place.alike"].value
    found = {}
    for entry, rate in draws().items():
        table, _, crime = entry.rpartition(".")
        if table == rates_table(kind):
            z = sqrt(alike) * shared + sqrt(1 - alike) * normal_draw(seed, name, crime)
            found[crime] = round(rate.at(float(ndtr(z))) * draws()[f"place.{kind}"].value * population / 1000)
    return found


def rates_table(kind: str) -> str:
    """Where the crime rates of a kind of area stand among the draws."""
    return "rates.capital" if kind == CAPITAL else "rates.elsewhere"


def area_tables(seed: int, number: int) -> dict[str, Any]:
    """One area as the tables of a scenario file."""
    kind, places = kind_of(seed, number), places_of(seed, number)
    area, (words, one, many) = area_name(number), _WORDS[kind]
    population = sum(place.population for place in places)
    recorded = sum(count for place in places for crime, count in place.recorded.items() if crime != _UNOBSERVED)
    sum_of = {"status": "assumption", "source": f"synthetic: sum over the {many} of this file"}
    skill = draws()["table.bid_skill"]
    return {
        "extends": ["world/outside-london", _AUTHORITIES[kind]],
        "title": f"Synthetic {words} {number} ({len(places)} {one if len(places) == 1 else many})",
        "question": f"What would partnerships do in synthetic area {number} of a country drawn with seed {seed}?",
        "context": f"SYNTHETIC: no real place. Population, crime, money and budgets are drawn with seed {seed} from {DRAWS_FILE}.",
        "area": {
            "title": f"Synthetic {words} {number}",
            "partnerships": len(places),
            "population": {"value": population, "unit": "persons", **sum_of},
            "recorded": {"value": recorded, "unit": "crimes a year", **sum_of, "note": "without antisocial behaviour"},
            "rest_bid_skill": {
                "value": skill.value,
                "unit": "share",
                "status": "assumption",
                "source": "synthetic: there is no rest of the area",
            },
        },
        "partnerships": {place.name: _partnership(seed, kind, place, places) for place in places},
        "grants": _grants(Lot(seed, area), kind, population),
        "authorities": _authorities(Lot(seed, area), kind),
        **({"events": {"commissioner_elected": {"month": CAPITAL_COMMISSIONER}}} if kind == CAPITAL else {}),
    }


def _partnership(seed: int, kind: str, place: DrawnPlace, places: list[DrawnPlace]) -> dict[str, Any]:
    lot, number = Lot(seed, place.name), place.name.rpartition("_")[2]
    crimes = {
        crime: {**lot.number(f"{rates_table(kind)}.{crime}", count, "crimes a year"), "note": f"rate times place.{kind} times population"}
        for crime, count in place.recorded.items()
    }
    entry: dict[str, Any] = {
        "title": f"Synthetic {_WORDS[kind][1]} {place.name.split('_')[1]}/{number}",
        "population": lot.number(f"population.{kind}", place.population, "persons"),
        "staffing": {
            **lot.number("table.staffing", place.staffing, "times"),
            "note": "times (population / typical) ^ table.staffing_exponent",
        },
        "bid_skill": lot.number("table.bid_skill", place.bid_skill, "share"),
        "neighbours": _neighbours(seed, place, places),
        "recorded": crimes,
    }
    if kind == TWO_TIER:
        council = "borough_council" if place.population > draws()["population.two_tier"].value else "district_council"
        entry["authorities"] = [council, "police", "police_authority", "county_council", "fire", "probation", "health"]
    return entry


def _neighbours(seed: int, place: DrawnPlace, places: list[DrawnPlace]) -> dict[str, Any]:
    """The partnerships before and after this one in the ring of the area."""
    at = places.index(place)
    beside = dict.fromkeys(places[(at + step) % len(places)].name for step in (-1, 1))
    return {
        name: Lot(seed, place.name, name).number("map.boundary", round(Lot(seed, place.name, name).value("map.boundary"), 3), "share")
        for name in beside
        if name != place.name
    }


def _grants(lot: Lot, kind: str, population: int) -> dict[str, Any]:
    """The national streams, by population times what this area gets a head relative to the country."""
    entry = f"money.{CAPITAL if kind == CAPITAL else 'elsewhere'}"
    factor = round(lot.value(entry), 3)
    share = factor * population / draws()["national.population"].value
    drawn = f"x {factor:g}, drawn with seed {lot.seed} from {entry}"
    source = f"synthetic: streams of {DRAWS_FILE} x {population:,} people of national.population {drawn}"
    told = {"shape": "step", "unit": "£ a year", "status": "assumption", "source": source}
    return {
        name: {"amount": {"path": {month: round(pounds * share, -2) for month, pounds in stream.path.items()}, **told}}
        for name, stream in national_streams().items()
    }


def _authorities(lot: Lot, kind: str) -> dict[str, Any]:
    """How far the budgets of police, councils and fire fall in this area, and when the capital's police authority ended."""

    def mainstream(entry: str, *months: str) -> dict[str, Any]:
        left = round(1 - lot.value(entry), 3)
        told = lot.number(entry, left, "times")
        return {"mainstream": {"path": dict.fromkeys(months, left), "status": told["status"], "source": told["source"]}}

    return {
        "police": mainstream("budgets.police", "2015-04", "2017-04"),
        **{council: mainstream("budgets.councils", "2017-04") for council in _COUNCILS[kind]},
        "fire": mainstream("budgets.fire", "2015-04"),
        **({"police_authority": {"until": CAPITAL_COMMISSIONER}} if kind == CAPITAL else {}),
    }


def area_text(seed: int, number: int) -> str:
    """One area as the text of a scenario file: the same for the same seed and number, whatever else is in the country."""
    head = f"# SYNTHETIC force area {number} of the country with seed {seed}: no real place. Written by cspsim country.\n\n"
    return head + write_toml(area_tables(seed, number), levels=3)


def generate_country(seed: int, areas: int = AREAS) -> Iterator[Scenario]:
    """The areas of a synthetic country one after the other, each a checked scenario; none is kept.

    Raises CspsimError for fewer than one area or a seed outside 0 to 2^64 - 1.
    """
    check_country(seed, areas)
    for number in range(1, areas + 1):
        with tempfile.TemporaryDirectory(prefix="cspsim-") as folder:
            path = Path(folder) / f"{area_name(number)}.toml"
            path.write_text(area_text(seed, number), encoding="utf-8")
            yield load_scenario(path)


def check_country(seed: int, areas: int) -> None:
    """Refuse a country that cannot be drawn. Raises CspsimError."""
    if areas < 1:
        raise CspsimError(f"a country of {areas} areas: expected 1 or more")
    if not 0 <= seed < 2**64:
        raise CspsimError(f"seed {seed} is not between 0 and 2**64 - 1")
