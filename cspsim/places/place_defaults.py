"""What a real partnership gets where the published table says nothing: numbers of ``world/place-defaults.toml``."""

import tomllib
from functools import cache
from typing import Any

from cspsim.places.partnership_table import RealPlace, real_places
from cspsim.scenario.scenario_files import shipped_folder
from cspsim.scenario.schema import Number

DEFAULTS_FILE = "world/place-defaults.toml"
MARK = "place default: "
"""How the source of every number begins that came from the defaults: what ``cspsim check`` asks to replace."""

_PER_MILLION, _PER_HUNDRED_THOUSAND = 1e6, 1e5


@cache
def _file() -> dict[str, Any]:
    return tomllib.loads((shipped_folder() / DEFAULTS_FILE).read_text(encoding="utf-8"))


def default_number(group: str, name: str) -> Number:
    """One number of the file with the defaults."""
    return Number.model_validate(_file()[group][name])


def written(number: Number, unit: str, times: float = 1.0, digits: int = 3, note: str = "", ceiling: float | None = None) -> dict[str, Any]:
    """A default, times something known, as a number of a scenario file that says where it is from."""

    def rounded(value: float | None) -> float:
        scaled = round(float(value or 0.0) * times, digits)
        scaled = scaled if ceiling is None else min(ceiling, scaled)
        return int(scaled) if digits <= 0 else scaled

    told = {"value": rounded(number.value), "low": rounded(number.low), "high": rounded(number.high), "unit": unit}
    return {**told, "status": "assumption", "source": MARK + number.source, **({"note": note} if note else {})}


def pot_of(force: str, residents: int) -> Number:
    """£ a year that the partnerships of a force area share."""
    pots = _file()["pot"]
    name = "_".join(force.lower().split())
    london = force in ("Metropolitan Police", "City of London")
    a_head = default_number("pot", name if name in pots else "london" if london else "elsewhere")
    return Number.model_validate(
        written(a_head, "£ a year", residents, -3) | {"note": f"£{a_head.value:g} a resident, {residents:,} residents"}
    )


def staffing_of(place: RealPlace) -> dict[str, Any]:
    """Hours and match funds of the table relative to a typical one: more residents, more staff, but not in proportion."""
    typical = default_number("staffing", "typical_two_councils" if place.tier == "two_tier" else "typical_one_council").value
    power = default_number("staffing", "exponent").value
    note = f"({place.population:,} / {typical:,.0f} residents) ^ {power:g}"
    return written(default_number("staffing", "spread"), "times", (place.population / typical) ** power, note=note)


def antisocial_behaviour_of(place: RealPlace) -> dict[str, Any]:
    """Incidents of antisocial behaviour a year, which the table does not have."""
    return written(default_number("antisocial_behaviour", "rate"), "crimes a year", place.population / 1000, 0)


def estimated_crimes(crime: str, place: RealPlace, others: tuple[RealPlace, ...] | None = None) -> dict[str, Any]:
    """Recorded crimes of a type that the table lacks for a place: per head as in the other places of its tier, with their range."""
    rates = sorted(
        count / other.population
        for other in (real_places() if others is None else others)
        if other.tier == place.tier and other.code != place.code and (count := other.recorded.get(crime)) is not None
    )
    low, middle, high = (rates[round(share * (len(rates) - 1))] * place.population for share in (0.1, 0.5, 0.9))
    source = f"not in the table: per head as in {len(rates)} places of its kind, median, tenth and ninetieth percentile"
    return written(Number(value=middle, low=low, high=high, source=source), "crimes a year", digits=0)


def duties_of(places: list[RealPlace]) -> dict[str, Any]:
    """Statutory duties of today with their hours a year; of several places, the hours of an average one."""
    residents = sum(place.population for place in places) / len(places)
    welsh = all(place.tier == "wales" for place in places)
    deaths, death = default_number("duties", "domestic_abuse_deaths"), default_number("duties", "domestic_abuse_review")
    cases, case = default_number("duties", "antisocial_behaviour_cases"), default_number("duties", "antisocial_behaviour_case")
    reviews = "Single unified safeguarding reviews of domestic abuse deaths" if welsh else "Domestic abuse related death reviews"
    return {
        "serious_violence": {
            "title": "Serious violence duty",
            "hours": written(default_number("duties", "serious_violence"), "hours a year", digits=0),
        },
        "domestic_abuse_deaths": {"title": reviews, "hours": _hours(deaths, death, residents / _PER_MILLION)},
        "antisocial_behaviour_cases": {
            "title": "Antisocial behaviour case reviews",
            "hours": _hours(cases, case, residents / _PER_HUNDRED_THOUSAND),
        },
    }


def _hours(count: Number, each: Number, residents: float) -> dict[str, Any]:
    value, low, high = (getattr(count, part) * getattr(each, part) * residents for part in ("value", "low", "high"))
    source = f"{count.value:g} {count.unit} ({count.source}) at {each.value:g} {each.unit} ({each.source})"
    return written(Number(value=value, low=low, high=high, source=source), "hours a year", digits=0)


def follower_of(force: str) -> str:
    """Who has the commissioner's functions after May 2028: ``mayor_already``, ``mayor``, ``board`` or ``unaffected``."""
    known = _file()["successors"]
    if force in known["unaffected"]:
        return "unaffected"
    if force in known["mayor_already"]:
        return "mayor_already"
    return "mayor" if force in known["mayor_from_2028"] else "board"
