"""What a seat may decide in a step, what it did decide, and how an answer from a browser is read and refused."""

from collections.abc import Mapping, Sequence
from datetime import date
from math import isfinite
from typing import Any, NamedTuple

from cspsim.basics.errors import CspsimError, did_you_mean

TABLE, CHALLENGE, PLEDGE, EVALUATE = "table", "challenge", "pledge", "evaluate"
HOURS = ""
"""The item of a pledge, which is about no single intervention."""

LONGEST_REASON = 200
HOURS_APART = 0.05  # a pledge this near to the suggestion is the suggestion: pages show one decimal

REASONS = {
    "claim": "The claim is larger than what we have seen",
    "evidence": "There is no evidence that it works",
    "need": "It does not meet the need we see",
    "cost": "There are better uses for the money",
    "delivery": "We cannot deliver it with the people we have",
    "evaluation": "Nobody has evaluated what we did last time",
}
"""Reasons for a challenge that a page offers; a code stands for its sentence. Own words are welcome instead."""


class Refused(CspsimError):
    """Something asked for in a game cannot be done; the message is for the person who asked."""


class Choice(NamedTuple):
    """One thing a person decided. ``item`` is an intervention, or ``HOURS`` for a pledge; ``value`` 1 or 0, or hours a month.

    ``suggested`` is what the rulebook would have done. A choice that does not differ from it is kept for its reason only.
    """

    quarter: int
    point: str
    authority: str
    item: str
    value: float
    suggested: float
    reason: str = ""

    @property
    def differs(self) -> bool:
        return self.value != self.suggested


class ToTable(NamedTuple):
    """An intervention that could be put on the table. ``belief`` and ``uncertainty`` are the authority's own, of the treated."""

    intervention: str
    title: str
    suggested: bool
    belief: float
    uncertainty: float
    cost: float  # £ a year for one unit
    hours: float  # a year for one unit
    units: int  # running, or already planned for April
    most_units: int
    lead: str  # title
    yours: bool  # whether the authority itself would lead it
    aims: tuple[str, ...]  # titles of crime types


class ToChallenge(NamedTuple):
    """An item somebody else put on the table. ``doubt`` is the claim less the own belief, in standard deviations."""

    intervention: str
    title: str
    suggested: bool
    sponsor: str  # title
    claim: float
    belief: float
    uncertainty: float
    doubt: float
    trust: float


class ToPledge(NamedTuple):
    """Hours of delivery to pledge in each month of the quarter."""

    suggested: float
    available: float
    most: float


class ToEvaluate(NamedTuple):
    """A running project that the review of this quarter may evaluate."""

    intervention: str
    title: str
    suggested: bool
    belief: float
    uncertainty: float
    lead: str  # title
    yours: bool


class AuthorityCard(NamedTuple):
    """What one authority may decide in one step, each part with the computer's suggestion.

    ``plans``: the meeting makes the next year's plan, and what nobody tables ends with this one.
    """

    quarter: int
    step: int
    month: date
    authority: str
    title: str
    free_money: float = 0.0
    table: tuple[ToTable, ...] = ()
    challenge: tuple[ToChallenge, ...] = ()
    hours: ToPledge | None = None
    evaluate: tuple[ToEvaluate, ...] = ()
    plans: bool = False

    @property
    def empty(self) -> bool:
        """Whether there is nothing to decide: nobody waits for such a card."""
        return not (self.table or self.challenge or self.hours or self.evaluate)


def read_choices(card: AuthorityCard, raw: Any) -> tuple[Choice, ...]:
    """What an answer to a card decides otherwise than suggested, checked for names, types and ranges.

    ``raw`` is a dictionary with any of ``table`` and ``evaluate`` (lists of the interventions chosen), ``challenge``
    (dictionary from intervention to reason, which may be empty) and ``hours`` (a number, or None). What is left out stays
    as suggested. Raises Refused with a plain sentence.
    """
    if not isinstance(raw, Mapping):
        raise Refused("the answer to a card is a table of choices")
    parts = ("table",) if card.step == 1 else ("challenge", "hours", "evaluate")
    for part in raw:
        if part not in parts:
            raise Refused(f"this step asks for {' and '.join(parts)}, not for {shortened(part)}")
    found: list[Choice] = []
    if "table" in raw:
        found += _marked(card, TABLE, card.table, dict.fromkeys(_names(raw["table"], card.table), ""))
    if "challenge" in raw:
        found += _marked(card, CHALLENGE, card.challenge, _reasons(raw["challenge"], card.challenge))
    if "evaluate" in raw:
        found += _marked(card, EVALUATE, card.evaluate, dict.fromkeys(_names(raw["evaluate"], card.evaluate), ""))
    if raw.get("hours") is not None:
        found += _pledged(card, raw["hours"])
    return tuple(found)


def _marked(
    card: AuthorityCard, point: str, offers: Sequence[ToTable | ToChallenge | ToEvaluate], chosen: Mapping[str, str]
) -> list[Choice]:
    found = []
    for offer in offers:
        yes, reason = offer.intervention in chosen, chosen.get(offer.intervention, "")
        choice = Choice(card.quarter, point, card.authority, offer.intervention, float(yes), float(offer.suggested), reason)
        if choice.differs or reason:
            found.append(choice)
    return found


def _names(raw: Any, offers: Sequence[ToTable | ToChallenge | ToEvaluate]) -> list[str]:
    if not isinstance(raw, list | tuple) or len(raw) > len(offers):
        raise Refused(f"choose from the {len(offers)} items offered, each at most once")
    names = [offer.intervention for offer in offers]
    for name in raw:
        if not isinstance(name, str) or name not in names:
            known = did_you_mean(name, names) if isinstance(name, str) and len(name) < 100 else ""
            raise Refused(f"{shortened(name)} is not on the card{'; ' if known else ''}{known}")
    return list(raw)


def _reasons(raw: Any, offers: Sequence[ToChallenge]) -> dict[str, str]:
    if not isinstance(raw, Mapping):
        raise Refused("challenges are a table from item to reason")
    return {name: reason_text(raw[name]) for name in _names(list(raw), offers)}


def reason_text(raw: Any) -> str:
    """A reason as the minutes keep it: the sentence of a code of ``REASONS``, or somebody's own words as plain text."""
    text = plain_text(raw, LONGEST_REASON, "a reason")
    return REASONS.get(text, text)


def _pledged(card: AuthorityCard, raw: Any) -> list[Choice]:
    if card.hours is None:
        raise Refused("your authority is not asked for hours: it does what nobody pledged")
    if not isinstance(raw, int | float) or isinstance(raw, bool) or not 0 <= raw <= card.hours.most or not isfinite(raw):
        raise Refused(f"hours a month are a number from 0 to {card.hours.most:g}")
    if abs(raw - card.hours.suggested) < HOURS_APART:
        return []
    return [Choice(card.quarter, PLEDGE, card.authority, HOURS, float(raw), card.hours.suggested)]


def plain_text(raw: Any, longest: int, what: str) -> str:
    """Text as plain text: one line, nothing that cannot be printed. Raises Refused for anything else or too much of it."""
    if not isinstance(raw, str):
        raise Refused(f"{what} is text")
    if len(raw) > 20 * longest:  # not even looked at
        raise Refused(f"{what} may have {longest} characters")
    text = " ".join("".join(mark if mark.isprintable() else " " for mark in raw).split())
    if len(text) > longest:
        raise Refused(f"{what} may have {longest} characters; this one has {len(text)}")
    return text


def shortened(raw: Any) -> str:
    """What somebody sent, short enough to be shown to them."""
    text = plain_text(raw[:60], 60, "") if isinstance(raw, str) else type(raw).__name__
    return f'"{text}"'
