"""The data dictionary of a folder of results: every column with its meaning, unit and source, from the registers."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel

from cspsim.basics.errors import CspsimError
from cspsim.basics.formats import name_in_words
from cspsim.model.parameters import Levers
from cspsim.model.tallies import AuthorityTally, Tally
from cspsim.model.uncertainties import Uncertainties
from cspsim.running.assumptions import uncertain_numbers
from cspsim.running.outcomes import OUTCOMES
from cspsim.scenario.scenario import Scenario, load_scenario
from cspsim.scenario.schema import CommissionerEntry, CrimeType, Expected, Intervention, Number, register_of
from cspsim.sweep.stored_results import SweepResults

HERE = "counted by the model"
NUMBER = "number"
"""The unit of what only counts or names rows."""


class ColumnEntry(NamedTuple):
    """One column of one table."""

    table: str
    column: str
    meaning: str
    unit: str
    source: str


_OF_A_TALLY: Mapping[str, str] = {
    "crimes": "true_crimes recorded_crimes recordable_crimes twin_true_crimes twin_recorded_crimes recorded_first_year "
    "recorded_last_year spill_over_crimes",
    "£ (2015/16)": "cost_of_crime twin_cost_of_crime received spent returned carried_in carried_out own_priorities withheld hours_cost "
    "governance_cost believed_benefit planned_benefit true_benefit",
    "severity score": "severity twin_severity",
    "hours": "hours coordinator_hours delivery_hours governance_hours evaluation_hours challenge_hours bidding_hours available_hours "
    "excess_hours coordinator_available_hours unworked_hours",
    "months": "months first_year_months last_year_months",
    "items": "proposals challenged_proposals challenges challenges_heard off_line_decisions decisions adoptions challenges_made "
    "challenges_received",
    "doubts": "suppressed_doubts",
    "evaluations": "evaluations",
    "project-years": "planned_projects started_projects adequate_projects effective_projects evaluated_projects "
    "strongly_evaluated_projects",
    "unit-years": "planned_dose delivered_dose",
    "sum of shares": "trust confidence confidence_first_year confidence_last_year trust_placed trust_received",
    "pairs x months": "trust_pairs",
    "people": "new_representatives",
}
UNITS = {name: unit for unit, names in _OF_A_TALLY.items() for name in names.split()}
"""Name of a tally (of a partnership or of an authority) -> its unit."""

_KEYS = {
    "run": ("number of the run in the sweep; one run is one policy under one assumption set with one replicate of luck", NUMBER),
    "policy": ("number of the policy; 0 is the baseline (see the table policies)", NUMBER),
    "assumptions": ("number of the assumption set; 0 is the best guesses unless they were left out (see the table assumptions)", NUMBER),
    "replicate": ("replicate of luck: runs that share it and their assumption set share all luck, whatever the policy", NUMBER),
    "against": ("number of the policy that this policy's effect is measured against", NUMBER),
    "name": ("name of the policy", "name"),
    "partnership": ("the partnership, or area for all of them together", "name"),
    "authority": ("the responsible authority at the table of the partnership", "name"),
    "month": ("first day of the month", "date"),
    "error": ("the error in which the run ended", "text"),
    "command": ("the command that replays the run", "text"),
    "share": ("the authority's share of all partner hours of its partnership, over the outcome window", "share"),
    "load": ("hours worked over hours available, over the outcome window", "hours per hour"),
}
_PARTS = {"multiplier": "times", "shift": ""}


def data_dictionary(results: SweepResults) -> list[ColumnEntry]:
    """Every column of every table that is there, in their order."""
    import pyarrow.parquet as parquet

    scenario = _baseline(results)
    found = []
    for table, paths in results.tables().items():
        columns = list(parquet.read_schema(paths[0]).names) + (["command"] if table == "failures" else [])
        found += [describe_column(table, column, scenario) for column in columns]
    return found


def describe_column(table: str, column: str, scenario: Scenario | None = None) -> ColumnEntry:
    """What a column of a table says. ``scenario``: the baseline, for the sources of sampled numbers of its files."""
    outcome = column.removesuffix("_numerator").removesuffix("_denominator")
    if table in ("runs", "months") and outcome in OUTCOMES:
        return _outcome(table, column, outcome)
    if table == "authorities" and column.upper() in AuthorityTally.__members__:
        over = "over the outcome window, counted for this authority"
        return ColumnEntry(table, column, f"{name_in_words(column)}, {over}", UNITS[column], HERE)
    if table == "luck" and column != "replicate":
        return ColumnEntry(
            table, column, f"replicate number that the stream of luck called {column} uses in this row", NUMBER, "design of luck"
        )
    if column.startswith("levers."):
        return _lever(table, column)
    if table == "assumptions" and column != "assumptions":
        return _uncertain(table, column, scenario)
    meaning, unit = _KEYS.get(column, (name_in_words(column), ""))
    return ColumnEntry(table, column, meaning, unit, HERE if column in ("share", "load") else "the sweep")


def _outcome(table: str, column: str, name: str) -> ColumnEntry:
    """An outcome over the window (runs) or in one month; of a ratio also what is divided by what."""
    entry, over = OUTCOMES[name], "in the month" if table == "months" else "over the outcome window"
    if column == name:
        return ColumnEntry(table, column, f"{entry.title}: {entry.meaning}; {over}", entry.unit, f"{HERE}: {entry.formula}")
    above, below = entry.formula.removeprefix("(").removesuffix(")").split(") / (")
    weights = entry.numerator if column.endswith("_numerator") else entry.denominator or {}
    word, formula = ("above", above) if column.endswith("_numerator") else ("below", below)
    meaning = f"{entry.title}, {word} the line: add it up over runs before dividing; {over}"
    return ColumnEntry(table, column, meaning, unit_of(weights), f"{HERE}: {formula}")


def unit_of(weights: Mapping[Tally, float]) -> str:
    """The unit that all tallies of a combination share. Raises ValueError if they do not."""
    units = {UNITS[tally.name.lower()] for tally in weights}
    if len(units) != 1:
        raise ValueError(f"one sum of different units: {', '.join(sorted(units))}")
    return units.pop()


def _lever(table: str, column: str) -> ColumnEntry:
    name, _, part = column.removeprefix("levers.").partition(".")
    register = register_of(Levers)
    if name not in register:
        return ColumnEntry(table, column, f"lever {name_in_words(name)}", "", "the experiment")
    entry = register[name]
    how = {"multiplier": "the scenario's own path times this", "shift": "this added to the scenario's own path"}.get(part, "in all months")
    return ColumnEntry(
        table, column, f"{entry.meaning}: {how}; empty where the policy leaves it", _PARTS.get(part) or entry.unit, "the experiment"
    )


def _uncertain(table: str, column: str, scenario: Scenario | None) -> ColumnEntry:
    """A sampled number: from the register of uncertainties, or from an entry of the scenario's files."""
    section, _, rest = column.partition(".")
    if section == "uncertainties":
        entry = register_of(Uncertainties).get(rest)
        if entry is not None:
            return ColumnEntry(
                table, column, f"{entry.meaning} ({_range(entry.low, entry.high)})", entry.unit, f"{entry.status}: {entry.source}"
            )
    owner, _, field = rest.rpartition(".")
    meaning = f"{name_in_words(field)} of {name_in_words(owner) or 'the work of the commissioner'}"
    number = _number_of(column, scenario)
    if number is None:
        return ColumnEntry(table, column, meaning, _unit_of_field(section, field), "the scenario's files, which are not at hand here")
    between = "" if number.low is None or number.high is None else f" ({_range(number.low, number.high)})"
    return ColumnEntry(table, column, meaning + between, number.unit, f"{number.status}: {number.source}")


def _range(low: float, high: float) -> str:
    return f"between {low:g} and {high:g}"


def _number_of(column: str, scenario: Scenario | None) -> Number | None:
    if scenario is None or column not in {number.name for number in uncertain_numbers(scenario)}:
        return None
    found: object = scenario.data
    for part in column.split("."):
        found = found.get(part) if isinstance(found, Mapping) else getattr(found, part, None)
    return found if isinstance(found, Number) else None


def _unit_of_field(section: str, field: str) -> str:
    """The unit that the schema expects of a field."""
    kinds: Mapping[str, type[BaseModel]] = {"interventions": Intervention, "crime_types": CrimeType, "commissioner": CommissionerEntry}
    kind = kinds.get(section)
    about = kind.model_fields.get(field) if kind else None
    return next((mark.unit for mark in about.metadata if isinstance(mark, Expected)), "") if about else ""


def _baseline(results: SweepResults) -> Scenario | None:
    """The scenario of policy 0, if it can be found and is still the one that was run."""
    digests = {value for key, value in results.manifest["settings"].items() if key.startswith("scenario of ")}
    try:
        scenario = load_scenario(results.baseline, search=[Path(results.manifest["file"]).parent])
    except (CspsimError, OSError):
        return None
    return scenario if scenario.digest in digests else None
