"""Real partnerships of one force area as the text of a complete scenario file."""

import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from cspsim.basics.errors import CspsimError
from cspsim.places.first_year import RUNS, levels_of
from cspsim.places.partnership_table import SHORT_SOURCE, SOURCE, TIER_WORDS, YEARS, RealPlace, force_total, places_in
from cspsim.places.place_defaults import (
    MARK,
    antisocial_behaviour_of,
    default_number,
    duties_of,
    estimated_crimes,
    follower_of,
    pot_of,
    staffing_of,
    written,
)
from cspsim.scenario.scenario import Scenario, load_scenario
from cspsim.scenario.scenario_files import shipped_folder
from cspsim.scenario.toml_lines import write_toml

FIRST_YEARS = range(2026, 2035)
LAST_YEAR = 2036
"""A run ends in March of this year at the latest, the last for which world/today.toml has prices."""
ABOLISHED = "2028-05"
USUAL_FIRST, USUAL_YEARS = 2026, 5

_SUCCESSORS = {"mayor": "two-districts-2026-mayor.toml", "board": "two-districts-2026-policing-board.toml"}
_WORDS_AFTER = {"mayor": "a mayor takes over", "board": "a policing and crime board of council leaders takes over"}


class Span(NamedTuple):
    """The years of a run: April of the first year on, for so many years; ``after_2028`` empty for what is known of the force."""

    first_year: int = USUAL_FIRST
    years: int = USUAL_YEARS
    after_2028: str = ""

    @property
    def first_month(self) -> str:
        return f"{self.first_year}-04"

    @property
    def last_month(self) -> str:
        return f"{self.first_year + self.years}-03"


USUAL_SPAN = Span()


def checked_span(span: Span) -> Span:
    """The span. Raises CspsimError for years that today's world does not reach, or an unknown successor."""
    if span.first_year not in FIRST_YEARS:
        raise CspsimError(
            f"--first-year {span.first_year}: expected {FIRST_YEARS[0]} (today's world begins in that April) to {FIRST_YEARS[-1]}"
        )
    if not 1 <= span.years <= LAST_YEAR - span.first_year:
        most = LAST_YEAR - span.first_year
        raise CspsimError(
            f"--years {span.years}: from April {span.first_year} on, expected 1 to {most} (prices are stated to March {LAST_YEAR})"
        )
    if span.after_2028 not in ("", *_SUCCESSORS):
        raise CspsimError(f'--after-2028 "{span.after_2028}": expected mayor or board')
    return span


def one_force(places: Sequence[RealPlace]) -> list[RealPlace]:
    """Places that lie in one force area, each once. Raises CspsimError for none, or for places of several areas."""
    chosen = list(dict.fromkeys(place.code for place in places))
    own = [next(place for place in places if place.code == code) for code in chosen]
    forces = {place.force: place.name for place in own}
    if not own:
        raise CspsimError("no place is named")
    if len(forces) > 1:
        where = ", ".join(f"{name} in {force}" for force, name in forces.items())
        raise CspsimError(
            f"these places lie in {len(forces)} police force areas ({where}): a scenario file holds one area, whose partnerships share "
            "one pot of money. Write one file for each area, or ask the whole country with cspsim country"
        )
    return own


def place_tables(places: Sequence[RealPlace], span: Span, title: str = "") -> dict[str, Any]:
    """Partnerships of one force area as the tables of a scenario file, without the levels of their first year."""
    own = one_force(places)
    force, span = own[0].force, checked_span(span)
    name = title or _listed([place.name for place in own])
    total, everyone = force_total(force), places_in(force)
    tiers = {place.tier for place in own}
    parts = [part for part, wanted in _COUNCIL_PARTS if any((tier == "two_tier") == wanted for tier in tiers)]
    return {
        "extends": parts[0] if len(parts) == 1 else parts,
        "title": name,
        "question": f"What would change for {name} if its partnership's money, staff or rules changed?",
        "context": (
            f"A real place: population and recorded crime are published (Office for National Statistics, year ending December {YEARS[0]}). "
            "Money, staff, duties and antisocial behaviour are defaults until you fill them in: cspsim check says which first."
        ),
        "time": {
            "first_month": span.first_month,
            "last_month": span.last_month,
            "warm_up_months": 36,
            "window_from": f"{span.first_year + (span.years > 1)}-04",
        },
        "area": _area(force, total, everyone),
        "commissioner": {"title": _funder(force, span)},
        "partnerships": {place.key: _partnership(place, own) for place in own},
        "grants": {"commissioner_pot": {"title": "Community safety fund", "amount": _pot(force, total, span)}},
        "duties": duties_of(own),
        "authorities": _authorities(own, span),
        "uncertainties": {"statutory_share": written(default_number("duties", "statutory_share"), "share")},
        **_after_2028(force, span),
    }


_COUNCIL_WORDS = {"london": "London borough", "metropolitan": "metropolitan borough", "unitary": "unitary", "wales": "Welsh"}
_COUNCIL_PARTS = (("world/today-one-council", False), ("world/today-two-councils", True))


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _published(value: int, unit: str, what: str, low: int | None = None, high: int | None = None) -> dict[str, Any]:
    around = {} if low is None or high is None else {"low": low, "high": high}
    return {"value": value, **around, "unit": unit, "status": "seen", "source": f"{what}: {SHORT_SOURCE}"}


def _area(force: str, total: RealPlace, everyone: list[RealPlace]) -> dict[str, Any]:
    bid_skill = default_number("bid_skill", "any")
    return {
        "title": f"{force} force area" if force != "Metropolitan Police" else "Metropolitan Police District",
        "partnerships": len(everyone),
        "population": _published(total.population, "persons", "mid-2022, the whole force area"),
        "recorded": _published(total.total, "crimes a year", f"seven types, year ending December {YEARS[0]}, the whole force area"),
        "rest_bid_skill": written(bid_skill, "share"),
    }


def _partnership(place: RealPlace, own: list[RealPlace]) -> dict[str, Any]:
    others = [other for other in own if other is not place]
    share = written(default_number("boundary", "any"), "share", 1 / max(1, len(others)))
    return {
        "title": place.name,
        **({"authorities": _table(place)} if place.tier == "two_tier" or any(other.tier == "two_tier" for other in own) else {}),
        "population": _published(place.population, "persons", "mid-2022, rounded to 100"),
        "staffing": staffing_of(place),
        "bid_skill": written(default_number("bid_skill", "any"), "share"),
        **({"neighbours": {other.key: share for other in others}} if others else {}),
        "recorded": _recorded(place),
    }


def _recorded(place: RealPlace) -> dict[str, Any]:
    what = f"year ending December {YEARS[0]}; low and high: it and the year before"
    found = {}
    for crime, count in place.recorded.items():
        if count is None:
            found[crime] = estimated_crimes(crime, place)
            continue
        years = [max(0, known) for year in YEARS if (known := place.crimes[year][crime]) is not None]
        found[crime] = _published(max(0, count), "crimes a year", what, min(years), max(years))
    return {**found, "antisocial_behaviour": antisocial_behaviour_of(place)}


def _table(place: RealPlace) -> list[str]:
    councils = ["district_council", "county_council"] if place.tier == "two_tier" else ["local_authority"]
    return ["police", *councils, "fire", "probation", "health"]


def _authorities(own: list[RealPlace], span: Span) -> dict[str, Any]:
    """The bodies at the table by the names they have there, and the budgets of police and councils, constant until filled in."""
    force, tiers = own[0].force, {place.tier for place in own}
    flat = {"path": {span.first_month: 1}, "status": "assumption", "source": f"{MARK}flat in real terms: no settlement known"}
    london, wales = tiers == {"london"}, tiers == {"wales"}
    named = {place.tier: place for place in own} if len(own) == 1 else {}
    single = [tier for tier in TIER_WORDS if tier in tiers - {"two_tier"}]
    found: dict[str, Any] = {"police": {"title": _police(force), "mainstream": flat}}
    if single:
        one = named.get(single[0])
        title = (
            f"{_listed(list(one.councils))} council{'s' if len(one.councils) > 1 else ''} ({_COUNCIL_WORDS[single[0]]})"
            if one
            else _council_kind(single)
        )
        found["local_authority"] = {"title": title, "mainstream": flat}
    if "two_tier" in tiers:
        one = named.get("two_tier")
        title = f"{_listed(list(one.councils))} district council{'s' if len(one.councils) > 1 else ''}" if one else "District council"
        found["district_council"] = {"title": title, "mainstream": flat}
        found["county_council"] = {"title": "County council", "mainstream": flat}
    found["fire"] = {"title": "London Fire Brigade" if london else "Fire and rescue authority"}
    if wales:
        found["health"] = {"title": "Local health board"}
    return found


def _council_kind(tiers: list[str]) -> str:
    words = " or ".join(_COUNCIL_WORDS[tier] for tier in tiers)
    return f"{words[:1].upper()}{words[1:]} council"


def _police(force: str) -> str:
    return force if force.endswith("Police") else f"{force} Police"


def _funder(force: str, span: Span) -> str:
    if force == "Metropolitan Police":
        return "Mayor's Office for Policing and Crime"
    kind = follower_of(force)
    if kind == "unaffected":
        return f"{force} police authority (the Common Council)"
    if kind == "mayor_already":
        return f"Mayor for the {force} force area"
    after = "a mayor" if (span.after_2028 or kind) == "mayor" else "a policing and crime board"
    if span.first_month >= ABOLISHED:
        return after[:1].upper() + after[1:]
    return "Police and crime commissioner" + (f", from May 2028 {after}" if span.last_month >= ABOLISHED else "")


def _pot(force: str, total: RealPlace, span: Span) -> dict[str, Any]:
    """One amount for the whole run, in money of the day: real money shrinks with prices."""
    pot = pot_of(force, total.population)
    about = f"{pot.note}; plausible £{pot.low:,.0f} to £{pot.high:,.0f} a year; flat in money of the day"
    return {"path": {span.first_month: int(pot.value)}, "unit": "£ a year", "status": "assumption", "source": pot.source, "note": about}


def _after_2028(force: str, span: Span) -> dict[str, Any]:
    """What is decided differently once somebody else divides the money, and the month in which that happens."""
    kind = follower_of(force)
    after = {"mayor_already": "mayor", "unaffected": ""}.get(kind, span.after_2028 or kind)
    since = span.first_month if kind == "mayor_already" else max(ABOLISHED, span.first_month)
    if not after or since > span.last_month:
        return {}
    said = tomllib.loads((shipped_folder() / _SUCCESSORS[after]).read_text(encoding="utf-8"))["levers"]
    levers = {
        name: {**entry, "path": dict.fromkeys([since], *entry["path"].values()), "source": MARK + entry["source"]}
        for name, entry in said.items()
    }
    if kind == "mayor_already" or since == span.first_month:
        return {"levers": levers}
    title = (
        f"The police and crime commissioner is abolished; {_WORDS_AFTER[after]} (abolition announced November 2025, seen; by whom assumed)"
    )
    return {"levers": levers, "events": {"commissioner_abolished": {"month": ABOLISHED, "kind": "commissioner", "title": title}}}


def place_scenario_text(places: Sequence[RealPlace], span: Span = USUAL_SPAN, title: str = "", runs: int = RUNS) -> str:
    """Partnerships of one force area as a scenario file whose first year is expected to have the published crime.

    Runs the model a little (``runs`` times, up to the end of the first year) to derive the levels. Raises CspsimError for places of
    several force areas and for years that cannot be.
    """
    tables = place_tables(places, span, title)
    told = {"unit": "times", "status": "derived", "source": f"so that the first year is expected to have the crimes above: {runs} runs"}
    for name, own in levels_of(_loaded(tables), runs).items():
        tables["partnerships"][name]["level"] = {crime: {"value": round(float(level), 5), **told} for crime, level in own.items()}
    return _HEAD.format(name=tables["title"], source=SOURCE) + _as_text(tables)


def _as_text(tables: dict[str, Any]) -> str:
    """Numbers and paths on one line each, under the header that reads best."""
    flat = ("uncertainties", "levers")
    parts = (
        ({key: value for key, value in tables.items() if key not in ("partnerships", *flat)}, 2),
        ({"partnerships": tables["partnerships"]}, 3),
        ({key: tables[key] for key in flat if key in tables}, 1),
    )
    return "\n".join(write_toml(part, levels) for part, levels in parts)


_HEAD = """\
# {name}, written by cspsim new --place. Population and recorded crime: {source}.
# Every number whose source begins with "place default" is a guess to be replaced by what you know: change its value and its source.
# Recorded crime stands for the first year of the run: no trend since the year of the publication is assumed.

"""


def _loaded(tables: dict[str, Any]) -> Scenario:
    with tempfile.TemporaryDirectory(prefix="cspsim-") as folder:
        path = Path(folder) / "place.toml"
        path.write_text(_as_text(tables), encoding="utf-8")
        return load_scenario(path)
