"""The register of every number, read from the places that the model itself reads: levers, uncertainties, scenario files."""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel

from cspsim.basics.errors import CspsimError, did_you_mean
from cspsim.basics.formats import name_in_words
from cspsim.model.parameters import Levers, RegisterEntry, Switches
from cspsim.model.uncertainties import Uncertainties
from cspsim.running.outcomes import OUTCOMES
from cspsim.scenario.scenario import Scenario
from cspsim.scenario.schema import DatedPath, Number, register_of

REGISTERS = {"levers": Levers, "uncertainties": Uncertainties, "switches": Switches}
TABLES = {
    "interventions": "interventions",
    "crime-types": "crime_types",
    "authorities": "authorities",
    "partnerships": "partnerships",
    "grants": "grants",
    "events": "events",
}
KINDS = (*REGISTERS, "outcomes", *TABLES)

Row = dict[str, Any]


def describe(kind: str, scenario: Scenario | None = None, name: str | None = None) -> list[Row]:
    """Rows of one register: name, meaning, value, low, high, unit, status, source (outcomes: formula and direction).

    Args:
        kind: one of ``KINDS``. Levers, uncertainties, switches and outcomes are the model's; the rest the scenario's.
        scenario: needed for what a scenario states; with one, levers, uncertainties and switches show its values.
        name: only the entry of this name.

    Raises CspsimError for a kind or name that does not exist, with the nearest right one.
    """
    if kind not in KINDS:
        raise CspsimError(f'there is no register "{kind}"; {did_you_mean(kind, KINDS)}')
    if kind == "outcomes":
        entries = {key: [outcome_row(key)] for key in OUTCOMES}
    elif kind in REGISTERS:
        entries = {key: [_figure_row(key, figure, _said(scenario, kind, key))] for key, figure in register_of(REGISTERS[kind]).items()}
    else:
        if scenario is None:
            raise CspsimError(f"{kind} belong to a scenario: name one with --scenario")
        table: Mapping[str, BaseModel] = getattr(scenario.data, TABLES[kind])
        entries = {key: list(_section_rows(key, entry)) for key, entry in table.items()}
    if name is not None and name not in entries:
        raise CspsimError(f'{kind} has no entry "{name}"; {did_you_mean(name, entries)}')
    return [row for key, rows in entries.items() if name in (None, key) for row in rows]


def outcome_row(name: str) -> Row:
    """One outcome of the register. Raises KeyError for one that does not exist."""
    entry = OUTCOMES[name]
    better = {1: "more is better", -1: "less is better", 0: "neither"}[entry.better]
    smallest = f"{entry.smallest:g} {'of the baseline' if entry.smallest_is == 'relative' else entry.unit}"
    return {
        "name": name,
        "title": entry.title,
        "group": entry.group,
        "meaning": entry.meaning,
        "unit": entry.unit,
        "formula": entry.formula,
        "direction": better,
        "smallest_of_interest": smallest,
    }


def _said(scenario: Scenario | None, kind: str, name: str) -> Any:
    return getattr(scenario.data, kind).get(name) if scenario is not None else None


def _figure_row(name: str, figure: RegisterEntry, said: Any) -> Row:
    """A register entry, with the scenario's own value, status and source where it states them."""
    row: Row = {
        "name": name,
        "title": figure.title or name_in_words(name).capitalize(),
        "group": figure.group,
        "meaning": figure.meaning,
        "value": figure.value,
        "low": figure.low,
        "high": figure.high,
        "unit": figure.unit,
        "status": figure.status,
        "source": figure.source,
    }
    if isinstance(said, bool):
        row["value"] = int(said)
    elif isinstance(said, Number):
        row |= {"value": said.value, "low": said.low if said.low is not None else figure.low, "status": said.status}
        row |= {"high": said.high if said.high is not None else figure.high, "source": said.source or figure.source}
    elif isinstance(said, DatedPath):
        row |= {"value": path_in_words(said) or figure.value, "status": said.status, "source": said.source or figure.source}
    return row


def path_in_words(path: DatedPath) -> str:
    """A dated path on one line: ``1 from 2008-04, 0.4 from 2010-06``, with its multiplier and shift where they act."""
    dates = [f"{value:.10g} from {month}" for month, value in path.path.items()]
    text = ", ".join(dates)
    if path.multiplier != 1:
        text = f"{path.multiplier:g} x ({text or 'its default'})"
    if path.shift:
        text = f"{text or 'its default'} {path.shift:+g}"
    return text + (" (straight lines between)" if path.shape == "linear" and len(dates) > 1 else "")


def _section_rows(name: str, entry: BaseModel) -> Iterable[Row]:
    """Every value of a section, tables inside it (profiles, remits) entry by entry."""
    title = getattr(entry, "title", "")
    for field, about in type(entry).model_fields.items():
        value = getattr(entry, field)
        key = about.alias or field
        if field == "title" or value is None or value == {}:
            continue
        inner = value.items() if isinstance(value, dict) else [("", value)]
        for part, inside in inner:
            meaning = about.description or name_in_words(key)
            row = {"name": f"{name}.{key}.{part}" if part else f"{name}.{key}", "title": title}
            yield {**row, "group": name, "meaning": f"{meaning}: {name_in_words(part)}" if part else meaning, **_value_parts(inside)}


def _value_parts(value: Any) -> Row:
    if isinstance(value, Number):
        return {
            "value": value.value,
            "low": value.low,
            "high": value.high,
            "unit": value.unit,
            "status": value.status,
            "source": value.source,
        }
    blank: Row = {"low": None, "high": None, "unit": "", "status": "", "source": ""}
    if isinstance(value, DatedPath):
        return {**blank, "value": path_in_words(value) or "default", "unit": value.unit, "status": value.status, "source": value.source}
    if isinstance(value, list):
        return {**blank, "value": ", ".join(f"{part:g}" if isinstance(part, float) else str(part) for part in value)}
    return {**blank, "value": value}
