"""What a schema of single values cannot see: names that must exist, roles, ranges of registers, dates, sums.

Every check looks at the merged tables as they were written and must cope with anything in them: a wrong type is reported by
the schema, and all other faults are reported beside it.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from itertools import combinations
from typing import Any, NamedTuple

from cspsim.basics.errors import did_you_mean, found_in_words
from cspsim.basics.outward import control_character, for_spreadsheet, visible
from cspsim.model.parameters import Levers, RegisterEntry, Switches
from cspsim.model.uncertainties import Uncertainties
from cspsim.scenario.leaves import Leaf, Leaves, is_path
from cspsim.scenario.schema import parse_month, register_of
from cspsim.scenario.toml_lines import Key

SEASON_TOLERANCE = 0.02  # a season may miss a mean of 1 by this much: twelve printed figures are rounded
LONGEST_RUN = 200  # years; likewise, and centuries would be read and laid out before they are refused as too much work
YEARS_AROUND = 30  # a date further from the run than this is taken for a typing error

_ROLE = "role (no authority holds it)"
_NAMES_USED: tuple[tuple[Key, str], ...] = (  # where names are used, and of what; * stands for every name in a table
    (("commissioner", "priorities", "*"), "crime type"),
    (("authorities", "*", "remit", "*"), "crime type"),
    (("partnerships", "*", "recorded", "*"), "crime type"),
    (("partnerships", "*", "neighbours", "*"), "partnership"),
    (("partnerships", "*", "authorities"), "authority"),
    (("interventions", "*", "profile", "*"), "crime type"),
    (("interventions", "*", "reporting", "*"), "crime type"),
    (("interventions", "*", "lead"), _ROLE),
    (("interventions", "*", "needs"), _ROLE),
    (("events", "*", "authority"), "authority"),
    (("events", "*", "into"), "authority"),
)
_REGISTERS = {
    "levers": ("lever", Levers._fields),
    "uncertainties": ("uncertainty", Uncertainties._fields),
    "switches": ("switch", Switches._fields),
}
_PATH_UNITS = {"amount": "£ a year", "mainstream": "times", "exogenous": "times", "recording_path": "times"}
_NAMED = {"partnerships", "authorities", "interventions", "crime_types", "grants", "events"}  # these names stand in tables of results
_DATES = {("authorities", "from"), ("authorities", "until"), ("events", "month")}


class Complaint(NamedTuple):
    """What is wrong at a key, and how to correct it."""

    key: Key
    message: str
    hint: str = ""


def complaints(raw: dict[str, Any], leaves: Leaves) -> Iterator[Complaint]:
    """Everything wrong with merged tables that the schema cannot see. ``leaves``: the same values, each with the file that states it."""
    for check in (_names, _selves, _roles, _registers, _seasons, _counts, _span, _sittings):
        yield from check(raw)
    yield from _texts_shown(leaves)
    yield from _units(leaves)
    yield from _paths(raw, leaves)
    yield from _dates(raw, leaves)


# ------------------------------------------------------------------------------------ reading what may be of any type


def table(raw: Any, *key: str) -> dict[str, Any]:
    """The table at a key; empty where there is none."""
    for name in key:
        raw = raw.get(name) if isinstance(raw, dict) else None
    return raw if isinstance(raw, dict) else {}


def month(raw: Any) -> str | None:
    """A month as text that sorts in time; None where it is no month."""
    if isinstance(raw, date):
        return f"{raw.year:04d}-{raw.month:02d}"
    try:
        parse_month(raw)
    except ValueError:
        return None
    return str(raw)


def month_of(key: Key, leaf: Leaf) -> str | None:
    """The month a leaf is dated by: a date of a path, an authority's first or last month, an event's month."""
    if len(key) > 2 and key[-2] == "path" and is_path(key[:-2]):
        return month(key[-1])
    return month(leaf.value) if len(key) == 3 and (key[0], key[2]) in _DATES else None


def _number(raw: Any) -> float | None:
    """A finite number; None where it is none."""
    raw = raw.get("value") if isinstance(raw, dict) else raw
    try:
        number = float(raw) if isinstance(raw, int | float) and not isinstance(raw, bool) else math.nan
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _texts(raw: Any) -> list[str]:
    return [item for item in raw if isinstance(item, str)] if isinstance(raw, list) else []


# ------------------------------------------------------------------------------------------------- what can be shown


def _texts_shown(leaves: Leaves) -> Iterator[Complaint]:
    """No name or text contains characters that control the terminals and pages on which it is shown."""
    for key, leaf in leaves.items():
        found = unshowable((*key, leaf.value))
        if found:
            yield Complaint(key, f"holds the control character {found}", "write text that can be shown")
    for section, name in dict.fromkeys(key[:2] for key in leaves if key[0] in _NAMED and len(key) > 1):
        if for_spreadsheet(name) != visible(name):
            yield Complaint((section, name), "a spreadsheet would take this name for a formula", "begin it with a letter or a digit")


def unshowable(value: Any) -> str | None:
    """The first control character in a text, or in a list or table of texts, written out; None where there is none."""
    if isinstance(value, str):
        return control_character(value)
    if isinstance(value, dict):
        return unshowable((*value, *value.values()))
    if isinstance(value, list | tuple):
        return next((found for found in map(unshowable, value) if found), None)
    return None


# -------------------------------------------------------------------------------------------------- names and holders


def _found(raw: Any, pattern: Key, key: Key = ()) -> Iterator[tuple[Key, Any]]:
    """The values at a key whose * means every name in a table."""
    if not pattern:
        yield key, raw
    elif isinstance(raw, dict):
        for name in raw if pattern[0] == "*" else [pattern[0]]:
            if name in raw:
                yield from _found(raw[name], pattern[1:], (*key, name))


def _names(raw: Any) -> Iterator[Complaint]:
    """Every name that is used is defined somewhere. Where nothing of a kind is defined at all, the schema says so."""
    roles = dict.fromkeys(role for _, held in _found(raw, ("authorities", "*", "roles")) for role in _texts(held))
    sections = {"crime type": "crime_types", "authority": "authorities", "partnership": "partnerships"}
    known = {_ROLE: list(roles)} | {kind: list(table(raw, section)) for kind, section in sections.items()}
    for pattern, kind in _NAMES_USED:
        for key, said in _found(raw, pattern):
            for name in [key[-1]] if pattern[-1] == "*" else _texts(said if isinstance(said, list) else [said]):
                if known[kind] and name not in known[kind]:
                    yield Complaint(key, f'unknown {kind} "{name}"', did_you_mean(name, known[kind]))


def _selves(raw: Any) -> Iterator[Complaint]:
    """Nothing is its own neighbour or merges into itself."""
    for name, entry in table(raw, "partnerships").items():
        if name in table(entry, "neighbours"):
            yield Complaint(("partnerships", name, "neighbours", name), "a partnership is not its own neighbour")
    for name in table(raw, "events"):
        event = table(raw, "events", name)
        if event.get("into") is not None and event["into"] == event.get("authority"):
            yield Complaint(("events", name, "into"), "an authority cannot merge into itself")


def _roles(raw: Any) -> Iterator[Complaint]:
    """At one table, at one time, a role has one holder. An authority sits from ``from`` until the month before ``until``."""
    authorities = {name: table(raw, "authorities", name) for name in table(raw, "authorities")}
    events = [table(raw, "events", name) for name in table(raw, "events")]
    mergers = [event for event in events if event.get("kind") == "merger" and isinstance(event.get("authority"), str)]
    merged = {event["authority"]: month(event.get("month")) for event in mergers}
    begins = {name: month(entry.get("from")) or "0000-00" for name, entry in authorities.items()}
    ends = {name: min(month(entry.get("until")) or "9999-99", merged.get(name) or "9999-99") for name, entry in authorities.items()}
    complained = set()
    for partnership, entry in table(raw, "partnerships").items():
        members = [name for name in _texts(table(entry).get("authorities")) or authorities if name in authorities]
        for one, other in combinations(dict.fromkeys(members), 2):
            shared = sorted({*_texts(authorities[one].get("roles"))} & {*_texts(authorities[other].get("roles"))})
            together = max(begins[one], begins[other]) < min(ends[one], ends[other])
            if shared and together and (one, other) not in complained:
                complained.add((one, other))
                message = f'holds {", ".join(shared)} at the same time as "{one}" in partnership "{partnership}"'
                yield Complaint(("authorities", other, "roles"), message, "give one of them from/until dates, or another role")


# ---------------------------------------------------------------------------------------------------- units and sizes


def _registers(raw: Any) -> Iterator[Complaint]:
    """Levers, uncertainties and switches are in their registers, with their units and inside their ranges."""
    for section, (word, known) in _REGISTERS.items():
        for name in table(raw, section):
            if name not in known:
                yield Complaint((section, name), f"unknown {word}", did_you_mean(name, known))
    for name, entry in register_of(Levers).items():
        given = table(raw, "levers", name)
        yield from _unit(("levers", name, "unit"), given.get("unit"), entry.unit)
        yield from _path_values(("levers", name), given, _in_range(entry), f"{entry.low:g} to {entry.high:g} ({entry.unit})", entry.value)
    for name, entry in register_of(Uncertainties).items():
        given = table(raw, "uncertainties", name)
        yield from _unit(("uncertainties", name, "unit"), given.get("unit"), entry.unit)
        for part in ("value", "low", "high"):
            number = _number(given.get(part))
            if number is not None and not entry.low <= number <= entry.high:
                message = f"{part} {number:g} is out of range: expected {entry.low:g} to {entry.high:g} ({entry.unit})"
                yield Complaint(("uncertainties", name, part), message)


def _in_range(entry: RegisterEntry) -> Callable[[float], bool]:
    return lambda number: entry.low - 1e-9 <= number <= entry.high + 1e-9  # 3 x 0.1 is a little more than 0.3


def _unit(key: Key, given: Any, expected: str) -> Iterator[Complaint]:
    if given and given != expected:
        yield Complaint(key, f"wrong unit {found_in_words(given)}: expected {expected!r}")


def _units(leaves: Leaves) -> Iterator[Complaint]:
    """Dated paths outside the levers have the unit of their place."""
    for key, leaf in leaves.items():
        if key[-1] == "unit" and len(key) > 1 and key[0] != "levers" and key[-2] in _PATH_UNITS and is_path(key[:-1]):
            yield from _unit(key, leaf.value, _PATH_UNITS[key[-2]])


def _paths(raw: Any, leaves: Leaves) -> Iterator[Complaint]:
    """A price index is above 0, grants are not negative, and both have at least one date."""
    deflator: Key = ("area", "deflator")
    amounts: list[Key] = [("grants", name, "amount") for name in table(raw, "grants")]
    yield from _path_values(deflator, table(raw, *deflator), lambda index: index > 0, "more than 0", 1.0)
    for amount in amounts:
        yield from _path_values(amount, table(raw, *amount), lambda pounds: pounds >= 0, "£0 a year or more", 0.0)
    for path in (deflator, *amounts):
        if table(raw, *path).get("path", {}) == {} and any(key[: len(path)] == path for key in leaves):
            yield Complaint(path, 'has no dates: expected path = { "2008-04" = ... }')


def _path_values(key: Key, given: dict[str, Any], allowed: Callable[[float], bool], expected: str, unset: float) -> Iterator[Complaint]:
    """Each dated value is allowed, and so is what multiplier and shift make of it; ``unset`` holds where no date is given."""
    multiplier, shift = _number(given.get("multiplier", 1.0)), _number(given.get("shift", 0.0))
    dated = {at: _number(value) for at, value in table(given, "path").items()} or {"": unset}
    for at, value in dated.items():
        if value is None or multiplier is None or shift is None or allowed(value * multiplier + shift):
            continue
        if at and not allowed(value):
            yield Complaint((*key, "path", at), f"{value:g} is out of range: expected {expected}")
        else:
            part = "multiplier" if multiplier != 1 else "shift"
            result = f"{value:g} x {multiplier:g} + {shift:g} gives {value * multiplier + shift:g}"
            yield Complaint((*key, part), f"out of range: {result}, expected {expected}")
            return  # one message about the multiplier is enough


def _seasons(raw: Any) -> Iterator[Complaint]:
    """Seasons average 1 and are not negative."""
    for key, season in _found(raw, ("crime_types", "*", "season")):
        months = [number for number in map(_number, season) if number is not None] if isinstance(season, list) else []
        mean = sum(months) / 12
        if len(months) == 12 and not abs(mean - 1) <= SEASON_TOLERANCE:
            yield Complaint(key, f"the mean is {mean:.3f}: expected 1, give or take {SEASON_TOLERANCE}")
        if any(number < 0 for number in months):
            yield Complaint(key, "a month is negative: expected 0 or more")


def _counts(raw: Any) -> Iterator[Complaint]:
    """The area holds its partnerships, and there is at least one authority, one intervention and one crime type."""
    count, here = table(raw, "area").get("partnerships"), len(table(raw, "partnerships"))
    if isinstance(count, int) and count < here:
        yield Complaint(("area", "partnerships"), f"is {count}, but {here} partnerships are simulated: expected {here} or more")
    for section in ("partnerships", "authorities", "crime_types", "interventions"):
        if section in raw and raw[section] == {}:
            yield Complaint((section,), "is empty: expected at least one entry")


# --------------------------------------------------------------------------------------------------------------- time


def _span(raw: Any) -> Iterator[Complaint]:
    """The run ends after it begins, and its window lies inside it."""
    first, last, start, end = (month(table(raw, "time").get(part)) for part in ("first_month", "last_month", "window_from", "window_to"))
    if first is None or last is None:
        return
    if last < first:
        yield Complaint(("time", "last_month"), f"{last} is before first_month {first}")
        return
    if int(last[:4]) - int(first[:4]) > LONGEST_RUN:
        yield Complaint(("time", "last_month"), f"{last} is more than {LONGEST_RUN} years after first_month {first}")
    warm_up = _number(table(raw, "time").get("warm_up_months")) or 0
    if int(first[:4]) * 12 + int(first[5:]) - warm_up <= 12:
        yield Complaint(("time", "first_month"), f"{first} is too early: the warm-up of {warm_up:g} months would begin before the year 1")
    for part, at in (("window_from", start), ("window_to", end)):
        if at is not None and not first <= at <= last:
            yield Complaint(("time", part), f"{at} is outside the run: expected {first} to {last}")
    if start and end and first <= end < start <= last:
        yield Complaint(("time", "window_to"), f"{end} is before window_from {start}")


def _sittings(raw: Any) -> Iterator[Complaint]:
    """An authority sits at least one month."""
    for name in table(raw, "authorities"):
        entry = table(raw, "authorities", name)
        begins, until = month(entry.get("from")), month(entry.get("until"))
        if begins and until and until <= begins:
            yield Complaint(("authorities", name, "until"), f"{until} is not after from = {begins}")


def _dates(raw: Any, leaves: Mapping[Key, Leaf]) -> Iterator[Complaint]:
    """What is dated lies near the run.

    A date after the end is a fault of the file that states it, unless that file was written for a later end: a scenario
    that ends earlier than the one it extends ignores later dates. Within one file ``known_to`` allows them.
    """
    first, last, known_to = (month(table(raw, "time").get(part)) for part in ("first_month", "last_month", "known_to"))
    if first is None or last is None or last < first:
        return
    earliest = f"{max(int(first[:4]) - YEARS_AROUND, 0):04d}{first[4:]}"
    latest = f"{min(int(last[:4]) + YEARS_AROUND, 9999):04d}{last[4:]}"
    knew_more = leaves["time", "last_month"].origin.builds_on
    for key, leaf in leaves.items():
        at = month_of(key, leaf)
        bound = latest if leaf.origin in knew_more else max(last, known_to or last)
        if at is not None and not earliest <= at <= bound:
            yield Complaint(key, f"date out of range: {at} is not between {earliest} and {bound}")
