"""Levers of a scenario as the page shows and moves them: where each stands, and what holding it elsewhere changes in the file."""

from functools import lru_cache
from typing import Any, NamedTuple

from cspsim.model.parameters import Levers, RegisterEntry
from cspsim.scenario.scenario import Scenario
from cspsim.scenario.schema import DatedPath, parse_month, register_of
from cspsim.scenario.world_building import calendar_of, path_by_month


class LeverStanding(NamedTuple):
    """A lever as the scenario has it. ``value`` is that of the first month that counts, ``later`` what it becomes after that."""

    name: str
    figure: RegisterEntry
    value: float
    later: tuple[tuple[str, float], ...]


def lever_groups() -> dict[str, list[str]]:
    """Group of the page -> names of its levers, in the order of the register."""
    groups: dict[str, list[str]] = {}
    for name, figure in register_of(Levers).items():
        groups.setdefault(figure.group, []).append(name)
    return groups


def months_to_begin(scenario: Scenario) -> list[str]:
    """Every reported April, as year-month: when changes may begin to hold. The first reported month stands for an earlier April."""
    reported = calendar_of(scenario.data).reported
    return [f"{month:%Y-%m}" for k, month in enumerate(reported) if month.month == 4 or k == 0]


def usual_month(scenario: Scenario) -> str:
    """The month in which outcomes begin to count, or the latest month to begin before it."""
    calendar = calendar_of(scenario.data)
    first = f"{calendar.months[calendar.window[0]]:%Y-%m}"
    months = months_to_begin(scenario)
    return max((month for month in months if month <= first), default=months[0])


@lru_cache(maxsize=500)
def lever_standing(scenario: Scenario, name: str, since: str) -> LeverStanding:
    """Where a lever stands from a month on. Raises KeyError for a lever that does not exist."""
    figure = register_of(Levers)[name]
    months = [month for month in calendar_of(scenario.data).reported if month >= parse_month(since)]
    values = path_by_month(scenario.data.levers.get(name, DatedPath()), months, figure.value)
    later = tuple(
        (f"{month:%B %Y}", float(value))
        for month, before, value in zip(months[1:], values[:-1], values[1:], strict=True)
        if abs(value - before) > 1e-12
    )
    return LeverStanding(name, figure, float(values[0]), later)


def holding(scenario: Scenario, name: str, value: float, since: str) -> dict[str, Any]:
    """Changes that hold a lever at a value from a month to the end, and leave what lies before as it was."""
    figure, path = register_of(Levers)[name], scenario.data.levers.get(name, DatedPath())
    months, first = calendar_of(scenario.data).reported, parse_month(since)
    values = path_by_month(path, months, figure.value)
    plain = path.shape == "step" and path.multiplier == 1 and path.shift == 0
    if plain and path.path and not any(parse_month(date) > first for date in path.path):
        return {f"levers.{name}.path": {since: value}}
    before = {f"{months[0]:%Y-%m}": float(values[0])}
    for month, earlier, later in zip(months[1:], values[:-1], values[1:], strict=True):
        if month < first and later != earlier:
            before[f"{month:%Y-%m}"] = float(later)
    kept = {month: number for month, number in before.items() if month < since}
    changes: dict[str, Any] = {f"levers.{name}.path": {**kept, since: value}, f"levers.{name}.replace": True}
    if not plain:
        changes |= {f"levers.{name}.multiplier": 1.0, f"levers.{name}.shift": 0.0, f"levers.{name}.shape": "step"}
    return changes
