"""What a game is about: scenario, table, when it begins, how many quarters, and how far results are looked at."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from cspsim.scenario.scenario import Scenario
from cspsim.scenario.schema import ScenarioData, parse_month
from cspsim.scenario.world_building import Calendar, add_months, calendar_of
from cspsim.scenario.world_building import build_world as _build_world
from cspsim.web.play.decisions import Refused, plain_text, shortened

MOST_QUARTERS = 40
USUAL_QUARTERS = 8
MOST_PER_SEAT = 4
MONTHS_AFTER = 12  # what was decided last needs a year to show; the computer plays it in every arm
LARGEST_SEED = 2**53 - 1  # the largest whole number that survives the way through a browser


class Settings(NamedTuple):
    """A game to be played. ``first_month`` ("2011-04") is a month in which the strategy group meets."""

    scenario: str
    partnership: str
    first_month: str
    quarters: int = USUAL_QUARTERS
    seed: int = 1
    replicate: int = 0
    automatic: bool = True  # a step ends by itself once everybody has handed in
    per_seat: int = 1  # people who may share a seat, its briefing and its card


class Options(NamedTuple):
    """What can be chosen for a scenario; ``first_months`` maps each possible first month to the most quarters from there."""

    partnerships: dict[str, str]
    first_months: dict[str, int]


def options_for(scenario: Scenario) -> Options:
    """Tables and first months of a scenario."""
    calendar = calendar_of(scenario.data)
    meetings = [k for k in _meetings(scenario.data) if k >= calendar.warm_up]
    months = {f"{calendar.months[k]:%Y-%m}": min(MOST_QUARTERS, len(meetings) - n) for n, k in enumerate(meetings)}
    return Options({name: entry.title for name, entry in scenario.data.partnerships.items()}, months)


def _meetings(data: ScenarioData) -> list[int]:
    return [int(k) for k in np.flatnonzero(_build_world(data).meets)]


def checked(raw: Mapping[str, Any], scenario: Scenario) -> Settings:
    """Settings as asked for by a page, what is left out as usual. Raises Refused for names, types and ranges that cannot be."""
    for name in raw:
        if name not in Settings._fields:
            raise Refused(f"a game has no setting {shortened(name)}")
    options = options_for(scenario)
    partnership = raw.get("partnership", next(iter(options.partnerships)))
    first_month = raw.get("first_month", next(iter(options.first_months)))
    if not isinstance(partnership, str) or partnership not in options.partnerships:
        raise Refused(f"there is no partnership {shortened(partnership)}: choose from {', '.join(options.partnerships)}")
    if not isinstance(first_month, str) or first_month not in options.first_months:
        raise Refused(
            f"a game cannot begin in {shortened(first_month)}: choose a month with a meeting, such as {next(iter(options.first_months))}"
        )
    most = options.first_months[first_month]
    quarters = _whole(raw.get("quarters", min(USUAL_QUARTERS, most)), "quarters", 1, most)
    seed, replicate = (_whole(raw.get(name, usual), name, 0, LARGEST_SEED) for name, usual in (("seed", 1), ("replicate", 0)))
    per_seat = _whole(raw.get("per_seat", 1), "people on a seat", 1, MOST_PER_SEAT)
    automatic = raw.get("automatic", True)
    if not isinstance(automatic, bool):
        raise Refused("automatic is true or false")
    name = plain_text(raw.get("scenario", scenario.name), 200, "the name of a scenario")
    return Settings(name, partnership, first_month, quarters, seed, replicate, automatic, per_seat)


def _whole(raw: Any, what: str, low: int, high: int) -> int:
    if not isinstance(raw, int) or isinstance(raw, bool) or not low <= raw <= high:
        raise Refused(f"{what}: expected a whole number from {low} to {high}")
    return raw


def game_scenario(scenario: Scenario, settings: Settings) -> Scenario:
    """The scenario cut to the game: outcomes count from its first month to the March that lies a year or more after its last."""
    calendar = calendar_of(scenario.data)
    last = calendar.months[quarter_bounds(scenario.data, settings)[-1] - 1]
    end = add_months(last, MONTHS_AFTER)
    end = add_months(end, (3 - end.month) % 12)
    span = f"{min(end, calendar.months[-1]):%Y-%m}"
    known_to = scenario.data.time.known_to or scenario.data.time.last_month
    changes = {"last_month": span, "window_from": settings.first_month, "window_to": span, "known_to": known_to}
    return scenario.with_changes({f"time.{name}": month for name, month in changes.items()}, scenario.name)


def quarter_bounds(data: ScenarioData, settings: Settings) -> list[int]:
    """Index of the month in which each quarter begins, and of the month after the last."""
    calendar: Calendar = calendar_of(data)
    first = calendar.months.index(parse_month(settings.first_month))
    starts = [k for k in _meetings(data) if k >= first]
    return [*starts, len(calendar.months)][: settings.quarters + 1]
