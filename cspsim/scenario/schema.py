"""What a scenario file may say: sections, keys, units, ranges. Pydantic reports every fault at once.

A number may be written bare (``effect = 0.2``) or with its story
(``effect = { value = 0.2, low = 0.1, high = 0.3, unit = "share", status = "seen", source = "..." }``).
A bare number in a child scenario changes the value and keeps the parent's range and source.
"""

import re
from datetime import date
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, GetCoreSchemaHandler, field_validator, model_validator
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from cspsim.model.parameters import Levers, Status, Switches
from cspsim.model.parameters import RegisterEntry as RegisterEntry
from cspsim.model.uncertainties import Uncertainties


class FileSection(BaseModel):
    """A table of a scenario file: unknown keys are errors, nothing is converted ("3" is no number), values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Number(FileSection):
    """One number with its unit, plausible range, source and the status of that source."""

    value: float = Field(allow_inf_nan=False)
    low: float | None = Field(default=None, allow_inf_nan=False)
    high: float | None = Field(default=None, allow_inf_nan=False)
    unit: str = ""
    status: Status = "assumption"
    source: str = ""
    note: str = ""

    @model_validator(mode="after")
    def range_is_ordered(self) -> "Number":
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"low ({self.low:g}) is above high ({self.high:g})")
        return self


def _as_number(raw: Any) -> Any:
    return {"value": raw} if isinstance(raw, int | float) and not isinstance(raw, bool) else raw


class Expected(NamedTuple):
    """What a number in this place must be: its unit and the hard limits of what makes sense.

    Stands beside ``Number`` in ``Annotated``; pydantic asks it to check the number.
    """

    unit: str
    minimum: float = 0.0
    maximum: float = float("inf")

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        read = core_schema.no_info_before_validator_function(_as_number, handler(source))
        return core_schema.no_info_after_validator_function(self.check, read)

    def check(self, number: Number) -> Number:
        """The number with its unit. Raises PydanticCustomError whose context names the part at fault."""
        if number.unit and number.unit != self.unit:
            raise PydanticCustomError(
                "wrong_unit", "wrong unit {found}: expected {unit}", {"part": "unit", "found": repr(number.unit), "unit": repr(self.unit)}
            )
        for part in ("value", "low", "high"):
            given = getattr(number, part)
            if given is not None and not self.minimum <= given <= self.maximum:
                limits = f"{self.minimum:g} {'or more' if self.maximum == float('inf') else f'to {self.maximum:g}'} ({self.unit})"
                text = f"{part} {given:g} is out of range: expected {limits}"
                raise PydanticCustomError("out_of_range", "{text}", {"part": part, "text": text})
        return number if number.unit else number.model_copy(update={"unit": self.unit})


def parse_month(text: str) -> date:
    """``"2011-04"`` as the first day of that month. Raises ValueError with the expected form."""
    try:
        if not re.fullmatch("[0-9]{4}-[0-9]{2}", text):
            raise ValueError
        return date(int(text[:4]), int(text[5:]), 1)
    except (TypeError, ValueError):
        raise ValueError(f'{text!r} is not a month: expected year-month such as "2011-04"') from None


def _month_text(raw: Any) -> Any:
    if isinstance(raw, date):
        return f"{raw.year:04d}-{raw.month:02d}"
    if isinstance(raw, str):
        parse_month(raw)
    return raw


Month = Annotated[str, BeforeValidator(_month_text)]

Share = Annotated[Number, Expected("share", 0, 1)]
Pounds = Annotated[Number, Expected("£")]
PoundsPerYear = Annotated[Number, Expected("£ a year")]
PoundsPerHour = Annotated[Number, Expected("£ an hour")]
HoursPerYear = Annotated[Number, Expected("hours a year")]
Persons = Annotated[Number, Expected("persons", 1)]
CrimesPerYear = Annotated[Number, Expected("crimes a year")]
Months = Annotated[Number, Expected("months", 0, 600)]
Positive = Annotated[Number, Expected("number")]


class DatedPath(FileSection):
    """Values by date, times ``multiplier`` plus ``shift``.

    ``step``: a value holds until the next date. ``linear``: straight lines between dates. Before the first date the
    first value holds. A child scenario merges its dates into the parent's; ``replace = true`` discards the parent's.
    """

    path: dict[Month, Annotated[float, Field(allow_inf_nan=False)]] = Field(default_factory=dict)
    multiplier: float = Field(default=1.0, allow_inf_nan=False)
    shift: float = Field(default=0.0, allow_inf_nan=False)
    shape: Literal["step", "linear"] = "step"
    replace: bool = False
    unit: str = ""
    status: Status = "assumption"
    source: str = ""
    note: str = ""

    @field_validator("path")
    @classmethod
    def in_order_of_time(cls, path: dict[str, float]) -> dict[str, float]:
        return dict(sorted(path.items()))


class Time(FileSection):
    """The span of a run. The warm-up is run under the first reported month's conditions and not reported.

    ``known_to``: paths and events may be dated up to here although the run ends earlier.
    """

    first_month: Month
    last_month: Month
    warm_up_months: int = Field(ge=12, le=240)
    window_from: Month
    window_to: Month | None = None
    known_to: Month | None = None


class Area(FileSection):
    """The police-force area the partnerships lie in."""

    title: str
    partnerships: int = Field(ge=1, description="community safety partnerships in the force area, simulated or not")
    population: Persons
    recorded: CrimesPerYear
    rest_bid_skill: Share
    deflator: DatedPath


class CommissionerEntry(FileSection):
    """Who divides the pot: a police and crime commissioner, the Mayor, a policing board."""

    title: str
    priorities: dict[str, Share]
    effect: Annotated[Number, Expected("share", -1, 1)]
    reach: Share
    unit_cost: PoundsPerYear


class CrimeType(FileSection):
    """One type of crime (or incident) with its shape, its reporting and its harm."""

    title: str
    observed: bool = True
    unit_cost: Pounds
    severity: Annotated[Number, Expected("severity score")]
    reporting: Share
    recording: Share
    season: Annotated[list[Annotated[float, Field(allow_inf_nan=False)]], Field(min_length=12, max_length=12)]
    season_source: str = ""
    dispersion: Annotated[Number, Expected("variance beyond Poisson over mean squared")]
    annual_sd_common: Annotated[Number, Expected("log change")]
    annual_sd_local: Annotated[Number, Expected("log change")]
    police_elasticity: Annotated[Number, Expected("elasticity", -3, 1)]
    targeted: Share
    exogenous: DatedPath = DatedPath()
    recording_path: DatedPath = DatedPath()


class Authority(FileSection):
    """A responsible authority: when it sits at the table, what it has, what it cares about."""

    title: str
    roles: list[str]
    from_month: Month | None = Field(default=None, alias="from")
    until: Month | None = None
    hours: HoursPerYear
    hourly_cost: PoundsPerHour
    match_funds: PoundsPerYear
    mainstream: DatedPath = DatedPath()
    remit: dict[str, Share]
    influence: Annotated[Number, Expected("weight")]
    commitment: Share
    assertiveness: Share
    openness: Share
    evaluation_mindedness: Share
    dependence: Share


class PartnershipEntry(FileSection):
    """One community safety partnership: its borough or district and its table."""

    title: str
    population: Persons
    recorded: dict[str, CrimesPerYear]
    level: dict[str, Annotated[Number, Expected("times")]] = Field(
        default_factory=dict, description="true crime without interventions, relative to what recorded crime implies; 1 if not given"
    )
    staffing: Annotated[Number, Expected("times")]
    bid_skill: Share
    neighbours: dict[str, Share] = Field(default_factory=dict)
    authorities: list[str] | None = None


class Grant(FileSection):
    """One named stream of money for the whole force area, in £ a year."""

    title: str
    paid_to: Literal["partnerships", "commissioner"]
    prices: Literal["nominal", "real"]
    amount: DatedPath
    returns_hours: HoursPerYear


class StatutoryDuty(FileSection):
    """Work that the law asks of a partnership whatever its programme: hours that the co-ordinator does not have for anything else."""

    title: str
    hours: HoursPerYear


class Intervention(FileSection):
    """A catalogue entry: what one unit costs, who leads it, what it truly does and what people think of it."""

    title: str
    lead: str
    needs: list[str] = Field(default_factory=list)
    cost: PoundsPerYear
    hours: HoursPerYear
    effect: Annotated[Number, Expected("share", -1, 1)]
    reach: Share
    profile: dict[str, Share]
    reporting: dict[str, Annotated[Number, Expected("share", -1, 1)]] = Field(default_factory=dict)
    popularity: Share
    evidence_grade: int = Field(ge=1, le=6, description="1 UK trials ... 6 uncorroborated judgement (GMCA grades)")
    build_up: Months
    half_life: Months
    threshold: Share
    most_units: int = Field(ge=1, le=20)
    match_share: Share
    spill_over: Annotated[Number, Expected("share", -1, 1)]
    published: str = ""


class Event(FileSection):
    """Something dated that happens to authorities: a reorganisation, or a change of commissioner."""

    month: Month
    kind: Literal["reorganisation", "merger", "commissioner"]
    title: str
    authority: str | None = None
    into: str | None = None

    @model_validator(mode="after")
    def names_what_it_needs(self) -> "Event":
        if self.kind in ("reorganisation", "merger") and not self.authority:
            raise ValueError(f"a {self.kind} names its authority")
        if self.kind == "merger" and not self.into:
            raise ValueError("a merger names the authority it goes into")
        return self


class ScenarioData(FileSection):
    """A whole scenario after ``extends`` and stacking: everything a world needs."""

    title: str
    question: str = ""
    context: str = ""
    primary_outcome: str = "cost_of_crime"
    time: Time
    area: Area
    commissioner: CommissionerEntry
    crime_types: dict[str, CrimeType]
    authorities: dict[str, Authority]
    partnerships: dict[str, PartnershipEntry]
    grants: dict[str, Grant]
    duties: dict[str, StatutoryDuty] = Field(
        default_factory=dict, description="statutory duties with hours of their own, at every table of the file"
    )
    interventions: dict[str, Intervention]
    events: dict[str, Event] = Field(default_factory=dict)
    levers: dict[str, DatedPath] = Field(default_factory=dict)
    uncertainties: dict[str, Annotated[Number, BeforeValidator(_as_number)]] = Field(default_factory=dict)
    switches: dict[str, bool] = Field(default_factory=dict)
    rules: dict[str, str] = Field(default_factory=dict, description="rule of the month -> file.py:function that takes its place")


def register_of(kind: type[Levers] | type[Uncertainties] | type[Switches]) -> dict[str, RegisterEntry]:
    """Name -> register entry, in the order in which the fields are declared."""
    return dict(kind._field_defaults)
