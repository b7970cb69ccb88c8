"""The decision card of a seat: what to decide in this step, with the computer's choice marked, and how to hand it in."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import solara

from cspsim.basics.formats import listed
from cspsim.web.event_types import HandedIn, Position, template
from cspsim.web.play.decisions import (
    CHALLENGE,
    EVALUATE,
    HOURS,
    PLEDGE,
    REASONS,
    TABLE,
    AuthorityCard,
    Choice,
    ToChallenge,
    ToEvaluate,
    ToTable,
)
from cspsim.web.play.door import CARD, Door, Said
from cspsim.web.play.play_words import counted, hours, money, sentence, trust_words, view_words, waiting_words
from cspsim.web.play.seat_views import View

MOST_SHOWN = 6
"""Items of a long list that are shown at once; the others are one press away."""
TASKS = {
    1: "Tick what you want the table to discuss. What the computer suggests is ticked already.",
    2: "Say whom you challenge and why, what hours your people give, and what is to be evaluated. The computer's suggestion is filled in.",
}
PLANNING = "This meeting makes the plan for the next year: what nobody tables ends in March."


@template("card.vue")
def _Card(
    card: dict[str, Any],
    handed: list[str] | None,
    waiting: str,
    said: dict[str, Any],
    event_hand_in: Callable[[HandedIn], None],
    event_take_back: Callable[[Position], None],
) -> None:
    pass


@solara.component
def DecisionCard(door: Door, view: View, said: Said) -> None:
    """The card of one's own seat. What somebody fills in stays in the browser until it is handed in, whatever others do."""
    card = view.card
    if card is None:
        return

    def hand_in(raw: Any) -> None:
        quarter, step, choices = handed_in_parts(raw)
        door.ask(door.rooms.submit, quarter, step, choices, where=CARD)

    def take_back(raw: Any) -> None:
        quarter, step, _ = handed_in_parts(raw)
        door.ask(door.rooms.take_back, quarter, step, where=CARD)

    _Card(
        card=card_as_data(card, view.code),
        handed=None if view.handed_in is None else [choice_words(card, choice) for choice in view.handed_in],
        waiting=waiting_words(view.waiting),
        said={"number": said.number, "text": said.text if said.where == CARD and said.tone == "error" else ""},
        event_hand_in=hand_in,
        event_take_back=take_back,
    )


def handed_in_parts(raw: Any) -> tuple[Any, Any, Any]:
    """Quarter, step and choices of whatever a browser sent; ``Rooms`` checks each of them."""
    if not isinstance(raw, Mapping):
        return None, None, None
    return raw.get("quarter"), raw.get("step"), raw.get("choices")


def card_as_data(card: AuthorityCard, code: str) -> dict[str, Any]:
    """The card as its template takes it: plain texts, nothing to be computed in the browser."""
    return {
        "key": f"{code}/{card.authority}/{card.quarter}/{card.step}",
        "quarter": card.quarter,
        "step": card.step,
        "heading": f"{card.title}: {'what do you put on the table?' if card.step == 1 else 'how do you answer?'}",
        "task": TASKS[card.step],
        "empty": card.empty,
        "parts": [_tabling(card)] if card.step == 1 else [_challenging(card), *([_evaluating(card)] if card.evaluate else [])],
        "hours": _pledging(card),
        "reasons": [{"key": key, "words": text} for key, text in REASONS.items()],
    }


def _part(name: str, title: str, hint: str, items: Sequence[dict[str, Any]], **rest: Any) -> dict[str, Any]:
    """One list to tick from; first what the computer would tick, and never a few items alone behind a press."""
    ordered = sorted(items, key=lambda item: not item["suggested"])
    first = max(MOST_SHOWN, len([item for item in items if item["suggested"]]))
    shown = len(ordered) if len(ordered) <= first + 2 else first
    return {"name": name, "title": title, "hint": hint, "items": ordered, "first": shown, "none": "", **rest}


def _tabling(card: AuthorityCard) -> dict[str, Any]:
    offers = sorted(card.table, key=lambda offer: (not offer.yours, -offer.belief))
    months = 0 if card.plans else (3 - card.month.month) % 12 + 1
    items = [
        {"name": offer.intervention, "title": offer.title, "suggested": offer.suggested, "facts": _table_facts(offer, months)}
        for offer in offers
    ]
    left = (
        f"The table has {money(card.free_money)} left to spend until March. "
        "What costs the table more cannot be bought; partners pay part of some."
    )
    hint = PLANNING if card.plans else left if card.free_money > 0 else ""
    return _part(TABLE, "Table these projects", hint, items, verb="", more="More projects, by what you think of them", counted="tabled")


def _table_facts(offer: ToTable, months: int) -> list[str]:
    """``months`` until the end of the financial year, in which a unit bought now is paid for; 0 when the next year is planned."""
    done = "running" if months else "in the next year's plan"
    until = f", {money(offer.cost * months / 12)} of it until March" if months else ""
    running = f"{offer.units} of at most {offer.most_units} {done}" if offer.units else f"not yet {done}, at most {offer.most_units}"
    return [
        view_words(offer.belief, offer.uncertainty),
        f"{money(offer.cost)} a year{until}, and {hours(offer.hours)} a year",
        running,
        "You would lead it" if offer.yours else f"Led by {offer.lead}",
        f"Against {_few(offer.aims)}",
    ]


def _few(titles: Sequence[str], most: int = 3) -> str:
    low = [title[:1].lower() + title[1:] for title in titles]
    return listed(low) if len(low) <= most else f"{', '.join(low[:most])} and {counted(len(low) - most, 'more kind')} of crime"


def _challenging(card: AuthorityCard) -> dict[str, Any]:
    offers = sorted(card.challenge, key=lambda offer: -offer.doubt)
    items = [
        {"name": offer.intervention, "title": offer.title, "suggested": offer.suggested, "facts": _challenge_facts(offer)}
        for offer in offers
    ]
    hint = "A challenge asks for the evidence, so that what somebody knows may come to light. What you doubt most comes first."
    none = "Nobody else has put anything on the table."
    return _part(
        CHALLENGE, "Challenge these proposals", hint, items, verb="Challenge", more="More proposals", counted="challenged", none=none
    )


def _challenge_facts(offer: ToChallenge) -> list[str]:
    return [
        f"{offer.sponsor} claims it cuts crime by {offer.claim * 100:.0f}%",
        view_words(offer.belief, offer.uncertainty),
        f"You trust {offer.sponsor} {trust_words(offer.trust)}",
    ]


def _evaluating(card: AuthorityCard) -> dict[str, Any]:
    items = [
        {"name": offer.intervention, "title": offer.title, "suggested": offer.suggested, "facts": _evaluation_facts(offer)}
        for offer in sorted(card.evaluate, key=lambda offer: -offer.uncertainty)
    ]
    hint = "An evaluation costs hours and tells the table what a project did. What you know least about comes first."
    return _part(EVALUATE, "Have these projects evaluated", hint, items, verb="Evaluate", more="More projects", counted="to evaluate")


def _evaluation_facts(offer: ToEvaluate) -> list[str]:
    return [view_words(offer.belief, offer.uncertainty), "You lead it" if offer.yours else f"Led by {offer.lead}"]


def _pledging(card: AuthorityCard) -> dict[str, Any] | None:
    if card.hours is None:
        return None
    suggested, most = card.hours.suggested, card.hours.most
    return {
        "suggested": suggested,
        "most": round(most, 1),
        "hint": f"Hours your people give to the table's projects in each month. The computer would pledge {suggested:,.0f}.",
        "range": f"From 0 to {most:,.0f}, all the hours you have. What you do not give, projects go without.",
    }


def choice_words(card: AuthorityCard, choice: Choice) -> str:
    """One thing decided otherwise than the computer suggests, for the person who decided it."""
    offers: dict[str, str] = {}
    for part in (card.table, card.challenge, card.evaluate):
        offers.update({offer.intervention: offer.title for offer in part})
    if choice.item == HOURS and choice.point == PLEDGE:
        return f"You pledge {choice.value:,.0f} hours a month; the computer would pledge {choice.suggested:,.0f}."
    verb, not_ = {
        TABLE: ("You table", "You do not table"),
        CHALLENGE: ("You challenge", "You do not challenge"),
        EVALUATE: ("You have evaluated", "You do not have evaluated"),
    }[choice.point]
    said = f"{verb if choice.value else not_} {offers.get(choice.item, choice.item)}"
    return sentence(f"{said}: {choice.reason}" if choice.reason else said)
