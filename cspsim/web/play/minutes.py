"""Minutes of a quarter: what was said and done at the table, from the events of the run; nobody's private views."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple

from cspsim.basics.formats import amount
from cspsim.one_run import events as happened
from cspsim.web.play.decisions import CHALLENGE, Choice

NO_REASON = "no reason given"


class TabledItem(NamedTuple):
    """An item on the table and the fall of crime among the treated that its sponsor claimed."""

    title: str
    sponsor: str
    claim: float


class ChallengeMade(NamedTuple):
    """Who challenged what and why; ``heard``: a challenge of this item brought something to light."""

    title: str
    challenger: str
    sponsor: str
    reason: str
    heard: bool


class ItemAdopted(NamedTuple):
    """Units bought, £ a year, and the fall of crime among the treated that the table expects."""

    title: str
    sponsor: str
    units: int
    cost: float
    estimate: float
    renewed: bool
    challenged: bool
    for_next_year: bool


class ItemTurnedDown(NamedTuple):
    """An item of which nothing was bought."""

    title: str
    sponsor: str
    challenged: bool


class EvaluationMade(NamedTuple):
    """What an evaluation found; whether it is true nobody at the table knows."""

    title: str
    evaluator: str
    estimate: float
    with_comparison: bool


class Minutes(NamedTuple):
    """A quarter: its meeting, what was evaluated in it, and in ``also`` what else happened, in sentences."""

    quarter: int
    first_month: date
    last_month: date
    tabled: tuple[TabledItem, ...]
    challenged: tuple[ChallengeMade, ...]
    adopted: tuple[ItemAdopted, ...]
    turned_down: tuple[ItemTurnedDown, ...]
    evaluated: tuple[EvaluationMade, ...]
    also: tuple[str, ...]


def minutes_of(
    quarter: int, months: tuple[date, date], events: Sequence[happened.Event], choices: Sequence[Choice], titles: Mapping[str, str]
) -> Minutes:
    """The minutes of one table's events in the months of a quarter, from the first to the last.

    ``choices`` of people give the reasons of their challenges; authorities played by the computer give a general reason.
    """
    reasons = {(c.authority, c.item): c.reason or NO_REASON for c in choices if c.quarter == quarter and c.point == CHALLENGE and c.value}
    tabled, challenged, adopted, turned_down, evaluated, also = [], [], [], [], [], []
    for event in (event for event in events if months[0] <= event.month <= months[1]):
        if isinstance(event, happened.Tabled):
            tabled.append(TabledItem(titles[event.intervention], titles[event.sponsor], event.claim))
        elif isinstance(event, happened.Challenged):
            reason = reasons.get((event.challenger, event.intervention)) or _general_reason(event)
            challenged.append(
                ChallengeMade(titles[event.intervention], titles[event.challenger], titles[event.sponsor], reason, event.heard)
            )
        elif isinstance(event, happened.Adopted):
            adopted.append(
                ItemAdopted(
                    titles[event.intervention], titles[event.sponsor], event.units, event.cost, event.estimate,
                    event.renewed, event.challenged, event.for_next_year,
                )
            )  # fmt: skip
        elif isinstance(event, happened.TurnedDown):
            turned_down.append(ItemTurnedDown(titles[event.intervention], titles[event.sponsor], event.challenged))
        elif isinstance(event, happened.Evaluated):
            evaluated.append(EvaluationMade(titles[event.intervention], titles[event.evaluator], event.estimate, event.strong))
        else:
            also += _sentence(event, titles)
    parts = (tabled, challenged, adopted, turned_down, evaluated, also)
    return Minutes(quarter, *months, *(tuple(part) for part in parts))  # type: ignore[arg-type] # each part has its own kind


def _general_reason(event: happened.Challenged) -> str:
    """What a challenger says without giving away how much it doubts or trusts."""
    if event.doubt >= 1:
        return "it doubts the claim"
    if event.doubt <= 0 and event.advocate > 0:
        return "as appointed devil's advocate"
    return "it wants to hear more"


def _sentence(event: happened.Event, titles: Mapping[str, str]) -> list[str]:
    """One event as everybody may know it: who is new, not what they are like."""
    day = f"{event.month:%B %Y}"
    match event:
        case happened.GrantAwarded():
            before = f"; it was {amount(event.before, '£')} the year before" if event.before > 0 else ""
            return [f"{day}: the grant for the year is {amount(event.amount, '£')}{before}."]
        case happened.Joined():
            return [f"{day}: {titles[event.authority]} took its seat."]
        case happened.Left():
            return [f"{day}: {titles[event.authority]} left the table."]
        case happened.Reorganised():
            return [f"{day}: {titles[event.authority]} was reorganised."]
        case happened.NewCommissioner():
            return [f"{day}: a new commissioner took office."]
        case happened.NewRepresentative():
            return [f"{day}: somebody new sits for {titles[event.authority]}."]
        case happened.Started():
            late = f", {event.months_late} months late" if event.months_late > 1 else ""
            return [f"{day}: {titles[event.intervention]} got going{late}."]
        case happened.Ended():
            why = " for lack of money" if event.mid_year else ""
            left = f"; {event.left} went on" if event.left else ""
            return [f"{day}: {event.units} of {titles[event.intervention]} ended{why}{left}."]
    return []
