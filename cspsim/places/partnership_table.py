"""The shipped table of partnerships: who they are, and finding one by what people call it."""

import csv
import re
import unicodedata
from collections.abc import Iterable
from difflib import get_close_matches
from functools import cache, lru_cache
from typing import NamedTuple

from cspsim.basics.errors import CspsimError
from cspsim.scenario.scenario_files import shipped_folder

TABLE_FILE = "world/places.csv"
YEARS = ("2024", "2023")
"""Years ending in December, the latest first: a place's recorded crime is that of the first."""

SOURCE = (
    "Office for National Statistics, Crime in England and Wales: police force area data tables, year ending December 2024, "
    "Open Government Licence v3"
)
SHORT_SOURCE = "ONS police force area data tables, year ending December 2024"
TIER_WORDS = {
    "london": "London borough",
    "metropolitan": "Metropolitan borough",
    "unitary": "Unitary authority",
    "two_tier": "District under a county",
    "wales": "Welsh council",
}
_FORCE = "force"
_LEFT_OUT = frozenset({"of", "and", "the", "city", "county", "on", "upon", "in", "council", "borough", "csp", "partnership"})
_MOST_SHOWN = 8


class RealPlace(NamedTuple):
    """One partnership, or one force area (without a code): crimes by year and type, None where the publication has none."""

    code: str
    name: str
    force: str
    councils: tuple[str, ...]
    tier: str
    population: int
    crimes: dict[str, dict[str, int | None]]

    @property
    def key(self) -> str:
        """What the place is called in a scenario file: ``kingston_upon_hull_city_of``."""
        return "_".join(_words(self.name))

    @property
    def recorded(self) -> dict[str, int | None]:
        """Recorded crimes of the latest year by type."""
        return self.crimes[YEARS[0]]

    @property
    def total(self) -> int:
        """Recorded crimes of the latest year in the seven types, as far as they are known."""
        return sum(count or 0 for count in self.recorded.values())


@cache
def real_places() -> tuple[RealPlace, ...]:
    """Every partnership, in the order of the publication."""
    return tuple(place for place in _rows() if place.tier != _FORCE)


@cache
def force_names() -> tuple[str, ...]:
    """Every force with a partnership, in the order of the publication."""
    return tuple(dict.fromkeys(place.force for place in real_places()))


def places_in(force: str) -> list[RealPlace]:
    """The partnerships of a force area. Raises CspsimError, with the nearest names, for a force that does not exist."""
    by_name = {" ".join(_words(name)): name for name in force_names()}
    asked = " ".join(_words(force))
    asked = asked if asked in by_name else asked.removesuffix(" police").removesuffix(" constabulary")
    if asked not in by_name:
        close = [by_name[name] for name in by_name if asked and asked in name] or [
            by_name[name] for name in get_close_matches(asked, by_name, n=3, cutoff=0.5)
        ]
        hint = f"did you mean {_or(close)}?" if close else "cspsim places lists the forces"
        raise CspsimError(f'no police force area is called "{force}"; {hint}')
    return [place for place in real_places() if place.force == by_name[asked]]


def force_total(force: str) -> RealPlace:
    """A force area as published, with crime that belongs to no partnership; the sum of its partnerships where it has no row."""
    row = next((place for place in _rows() if place.tier == _FORCE and place.force == force), None)
    if row is not None:
        return row
    own = places_in(force)
    crimes: dict[str, dict[str, int | None]] = {
        year: {crime: sum(place.crimes[year][crime] or 0 for place in own) for crime in own[0].recorded} for year in YEARS
    }
    return RealPlace("", "", force, (), _FORCE, sum(place.population for place in own), crimes)


def find_places(text: str) -> list[RealPlace]:
    """Partnerships whose name, councils, force or code hold every word of a text, the best first; then those with near names.

    Any case, parts of words, with or without "of" and "and"; an exact name comes before one that only contains it.
    """
    words = _words(text)
    if not words:
        return list(real_places())
    found = [(rank, place) for place in real_places() if (rank := _rank(words, place)) is not None]
    if not found:
        names = {" ".join(_words(place.name)): place for place in real_places()}
        return [names[name] for name in get_close_matches(" ".join(words), names, n=5, cutoff=0.6)]
    return [place for _, place in sorted(found, key=lambda pair: (pair[0], pair[1].name))]


def _rank(words: list[str], place: RealPlace) -> int | None:
    """0 for the name itself, more for looser finds, None where some word is nowhere."""
    name = _words(place.name)
    needed = [word for word in words if word not in _LEFT_OUT] or words
    if words == name or [place.code.lower()] == words:
        return 0
    if needed == [word for word in name if word not in _LEFT_OUT]:
        return 1
    if all(any(part.startswith(word) for part in name) for word in needed):
        return 2
    if all(any(word in part for part in name) for word in needed):
        return 3
    around = [*name, *(word for council in place.councils for word in _words(council))]
    if all(any(word in part for part in around) for word in needed):
        return 4
    around += [*_words(place.force), *_words(TIER_WORDS[place.tier])]
    return 5 if all(any(word in part for part in around) for word in needed) else None


def place_named(text: str) -> RealPlace:
    """The one partnership that a text means. Raises CspsimError that lists those it could mean, or the nearest names."""
    words, found = _words(text), find_places(text)
    ranks = [_rank(words, place) for place in found]
    best = [place for place, rank in zip(found, ranks, strict=True) if rank is not None and rank == ranks[0]]
    if not words or not found:
        raise CspsimError(f'no community safety partnership is called "{text}"; cspsim places WORD finds one by a part of its name')
    if len(best) == 1 and ranks[0] is not None and ranks[0] <= 4:
        return best[0]
    if ranks[0] is None:
        raise CspsimError(f'no community safety partnership is called "{text}"; did you mean {_or([place.name for place in found])}?')
    if len({place.force for place in best}) == 1 and ranks[0] == 5:
        force = best[0].force
        raise CspsimError(
            f'no community safety partnership is called "{text}", but the force area {force} has {len(best)}: '
            f'{_listed(best)}. Name one of them, or write --force "{force}"'
        )
    raise CspsimError(f'"{text}" fits {len(best)} partnerships: {_listed(best)}. Write more of the name, or its code')


def _listed(places: Iterable[RealPlace]) -> str:
    shown = [f"{place.name} ({place.code})" for place in places]
    more = len(shown) - _MOST_SHOWN
    return ", ".join(shown[:_MOST_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _or(names: list[str]) -> str:
    quoted = [f'"{name}"' for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"


@lru_cache(maxsize=4096)
def _words(text: str) -> list[str]:
    """Lower-case words without accents and punctuation."""
    plain = unicodedata.normalize("NFKD", text.casefold().replace("&", " and ").replace("'", ""))
    return re.findall(r"[a-z0-9]+", "".join(mark for mark in plain if not unicodedata.combining(mark)))


@cache
def _rows() -> tuple[RealPlace, ...]:
    with (shipped_folder() / TABLE_FILE).open(encoding="utf-8", newline="") as file:
        return tuple(_place_of(row) for row in csv.DictReader(file))


def _place_of(row: dict[str, str]) -> RealPlace:
    crimes: dict[str, dict[str, int | None]] = {year: {} for year in YEARS}
    for column, cell in row.items():
        crime, _, year = column.rpartition("_")
        if year in crimes:
            crimes[year][crime] = int(cell) if cell else None
    councils = tuple(name for name in row["councils"].split("; ") if name)
    return RealPlace(row["code"], row["name"], row["force"], councils, row["tier"], int(row["population"]), crimes)
