"""What can happen in a run, as plain facts with the names of the scenario: for stories, pages and tests."""

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple


class GrantAwarded(NamedTuple):
    """The year's grant of a partnership, £ a year; ``before`` is last year's, 0 in the first year."""

    month: date
    partnership: str
    amount: float
    before: float


class BudgetCut(NamedTuple):
    """An authority's partnership hours a month changed against a year ago by more than a little (a rise too)."""

    month: date
    partnership: str
    authority: str
    hours: float
    before: float


class Reorganised(NamedTuple):
    """An authority was reorganised or took over another one: all its representatives are new."""

    month: date
    partnership: str
    authority: str


class Joined(NamedTuple):
    """An authority took its seat at the table."""

    month: date
    partnership: str
    authority: str


class Left(NamedTuple):
    """An authority left the table."""

    month: date
    partnership: str
    authority: str


class NewCommissioner(NamedTuple):
    """Another body or person divides the pot from now on."""

    month: date
    partnership: str


class NewRepresentative(NamedTuple):
    """Somebody new sits at the table for an authority; traits are shares."""

    month: date
    partnership: str
    authority: str
    assertiveness: float
    openness: float
    evaluation_mindedness: float


class Tabled(NamedTuple):
    """An item on the table: what its sponsor believes it does to those treated, and what it claims."""

    month: date
    partnership: str
    intervention: str
    sponsor: str
    belief: float
    claim: float
    for_next_year: bool


class Challenged(NamedTuple):
    """A member spoke up against an item: its doubt in standard deviations, its trust in the sponsor.

    ``advocate`` is the share of items for which somebody was appointed to argue against, whatever the members believed;
    ``heard`` whether any challenge of this item uncovered something; ``before`` and ``after`` the challenger's belief.
    """

    month: date
    partnership: str
    intervention: str
    challenger: str
    sponsor: str
    doubt: float
    trust: float
    advocate: float
    heard: bool
    before: float
    after: float


class Adopted(NamedTuple):
    """Units bought: what the table expected of the treated after scrutiny, and the cost of the units, £ a year."""

    month: date
    partnership: str
    intervention: str
    sponsor: str
    units: int
    estimate: float
    cost: float
    for_next_year: bool
    renewed: bool
    challenged: bool


class TurnedDown(NamedTuple):
    """An item of which no unit was bought."""

    month: date
    partnership: str
    intervention: str
    sponsor: str
    estimate: float
    challenged: bool


class Started(NamedTuple):
    """Delivery began, so many months after adoption took effect."""

    month: date
    partnership: str
    intervention: str
    months_late: int


class Ended(NamedTuple):
    """A project lost units: at the end of its award, or for lack of money in the middle of the year."""

    month: date
    partnership: str
    intervention: str
    units: int
    left: int
    mid_year: bool


class Evaluated(NamedTuple):
    """An evaluation was completed: what it said, what was true as delivered, what the table believed before and after."""

    month: date
    partnership: str
    intervention: str
    evaluator: str
    strong: bool
    estimate: float
    truth: float
    before: float
    after: float


class YearClosed(NamedTuple):
    """The books of a financial year: every outcome of the year by name, from the same sums as all results."""

    month: date
    partnership: str
    outcomes: Mapping[str, float]


class Reckoning(NamedTuple):
    """The whole window of the scenario: every outcome by name."""

    month: date
    partnership: str
    outcomes: Mapping[str, float]


Seated = Reorganised | Joined | Left | NewCommissioner | NewRepresentative
Decided = Tabled | Challenged | Adopted | TurnedDown
Event = GrantAwarded | BudgetCut | Seated | Decided | Started | Ended | Evaluated | YearClosed | Reckoning
