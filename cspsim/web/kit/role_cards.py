"""Role cards: what each authority of a scenario is, has, cares about, leads and depends on, read from the scenario's own data."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from cspsim.basics.formats import amount, digits, listed, name_in_words, roughly
from cspsim.scenario.scenario import Scenario
from cspsim.scenario.schema import Authority, DatedPath, Number, ScenarioData, parse_month

MANNER = {
    "commitment": "Commitment",
    "assertiveness": "Assertiveness",
    "openness": "Openness to challenge",
    "evaluation_mindedness": "Wish to evaluate",
}
LEVELS = ((0.6, "high"), (0.4, "middling"), (0, "low"))
DEEP_CUT = 0.3
"""A budget that falls by more than this share is worth a word on the card."""


class Held(NamedTuple):
    """Something an authority has: what, how much, and whether that was seen in a source or assumed."""

    what: str
    value: str
    status: str


class CrimeOfInterest(NamedTuple):
    """A crime type and how much of it is somebody's business, 0 to 1."""

    title: str
    share: float


class Manner(NamedTuple):
    """A trait of the people an authority sends, on average: 0 to 1, and in a word."""

    trait: str
    value: float
    level: str


class RoleCard(NamedTuple):
    """One authority, for the person who speaks for it."""

    name: str
    title: str
    sits: str
    coordinates: bool
    tasks: tuple[str, ...]
    has: tuple[Held, ...]
    cares: tuple[CrimeOfInterest, ...]
    leads: tuple[str, ...]
    helps: tuple[str, ...]
    manner: tuple[Manner, ...]
    happens: tuple[str, ...]
    play: tuple[str, ...]


class Rule(NamedTuple):
    """How the pot is divided from a month on."""

    since: str
    pot: str
    divided: str


class CommissionerCard(NamedTuple):
    """The body or person who divides the pot: funds the table and does not sit at it."""

    title: str
    happens: tuple[str, ...]
    cares: tuple[CrimeOfInterest, ...]
    rules: tuple[Rule, ...]
    play: tuple[str, ...]


def role_cards(scenario: Scenario) -> list[RoleCard]:
    """A card for every authority, in the order of the scenario."""
    return [_card(name, entry, scenario.data) for name, entry in scenario.data.authorities.items()]


def _card(name: str, entry: Authority, data: ScenarioData) -> RoleCard:
    projects = data.interventions.values()
    led = tuple(project.title for project in projects if project.lead in entry.roles)
    helped = tuple(project.title for project in projects if project.lead not in entry.roles and set(project.needs) & set(entry.roles))
    return RoleCard(
        name=name,
        title=entry.title,
        sits=_sits(entry),
        coordinates="coordinator" in entry.roles,
        tasks=tuple(name_in_words(role) for role in entry.roles if role not in ("coordinator", name)),
        has=tuple(_has(entry)),
        cares=_cares(entry.remit, data),
        leads=led,
        helps=helped,
        manner=tuple(Manner(title, getattr(entry, trait).value, _level(getattr(entry, trait).value)) for trait, title in MANNER.items()),
        happens=tuple(f"{in_month(event.month)}: {event.title}" for event in data.events.values() if name in (event.authority, event.into)),
        play=tuple(_play(name, entry, data, len(led))),
    )


def in_month(month: str) -> str:
    """``2012-01`` as ``January 2012``."""
    return f"{parse_month(month):%B %Y}"


def _sits(entry: Authority) -> str:
    if entry.from_month and entry.until:
        return f"At the table from {in_month(entry.from_month)} until {in_month(entry.until)}"
    if entry.from_month:
        return f"At the table from {in_month(entry.from_month)}"
    return f"At the table until {in_month(entry.until)}" if entry.until else "At the table throughout"


def _level(value: float) -> str:
    return next(word for least, word in LEVELS if value >= least)


def _cares(weights: dict[str, Number], data: ScenarioData) -> tuple[CrimeOfInterest, ...]:
    found = [CrimeOfInterest(data.crime_types[crime].title, weight.value) for crime, weight in weights.items() if weight.value > 0]
    return tuple(sorted(found, key=lambda each: (-each.share, each.title)))


def _has(entry: Authority) -> Iterator[Held]:
    yield Held("Staff hours for one partnership", f"{digits(entry.hours.value, 0)} a year", entry.hours.status)
    match = entry.match_funds.value
    yield Held("Own money to match a grant", f"{roughly(match, '£')} a year" if match else "none", entry.match_funds.status)
    yield Held("Budget", _budget(entry.mainstream), entry.mainstream.status)
    yield Held("Weight of your voice, 1 is full", f"{entry.influence.value:g}", entry.influence.status)
    depends = entry.dependence.value
    yield Held("Dependence on others' money, 0 to 1", f"{depends:g}, {_level(depends)}", entry.dependence.status)


def _fall(path: DatedPath) -> float:
    """The share of its first budget that an authority has lost at the end of its path."""
    values = list(path.path.values())
    return 1 - values[-1] / values[0] if values and values[0] else 0.0


def _budget(path: DatedPath) -> str:
    fall = _fall(path)
    if fall == 0:
        return "the same throughout"
    return f"{'falls' if fall > 0 else 'rises'} to {1 - fall:.0%} of its start by {in_month(list(path.path)[-1])}"


def _play(name: str, entry: Authority, data: ScenarioData, led: int) -> Iterator[str]:
    """What to play with: hints that follow from how this authority differs from the others at its table."""

    def most(of: Callable[[Authority], float]) -> bool:
        ranked = sorted((of(other) for other in data.authorities.values()), reverse=True)
        return of(entry) == ranked[0] > ranked[-1]

    if "coordinator" in entry.roles:
        yield "What nobody else takes on falls to you. How much of that do you let happen?"
    if not led:
        yield "You lead no project. Your tool is the question: how do you know?"
    if most(lambda other: sum(project.lead in other.roles for project in data.interventions.values())):
        yield "You lead more of what can be bought than anybody else. Which of your own projects would you give up first?"
    if most(lambda other: other.dependence.value):
        yield "Much of what you do hangs on money that others hold. Whom can you not afford to challenge?"
    if most(lambda other: -other.commitment.value):
        yield "This table is not your main business. What would have to be on offer for you to give an hour?"
    if most(lambda other: other.assertiveness.value):
        yield "You are heard when you speak. Who is not?"
    if most(lambda other: other.evaluation_mindedness.value):
        yield "You would rather know than believe. What do you propose to evaluate, and who gives the hours?"
    if _fall(entry.mainstream) > DEEP_CUT:
        yield f"You lose {_fall(entry.mainstream):.0%} of your budget in these years. Say early what you will stop."
    if entry.from_month and entry.from_month > data.time.first_month:
        yield f"You join in {in_month(entry.from_month)}, when the plan is written. What do you ask first?"
    if entry.until:
        yield f"You leave in {in_month(entry.until)}. What should the minutes say that you asked?"
    if any(event.kind == "reorganisation" and event.authority == name for event in data.events.values()):
        yield "You will be reorganised: new people, whom nobody at the table knows. What do you want settled before?"
    yield "Whatever you table, somebody may ask how you know. Have an answer, or say that you have none."


# ------------------------------------------------------------------------------------------------------- the commissioner

WEIGHTS = {
    "weight_flat": "equal shares",
    "weight_population": "population",
    "weight_need": "recorded crime",
    "weight_evidence": "evaluated work",
    "weight_relationship": "good relationships",
    "weight_bids": "bids",
    "weight_history": "last year's share",
}


def commissioner_card(scenario: Scenario) -> CommissionerCard:
    """The commissioner's card: what it cares about and by which rule it divides the pot, as the scenario has it."""
    data = scenario.data
    pots = [grant.amount for grant in data.grants.values() if grant.paid_to == "commissioner"]
    starts = [month for pot in pots for month, pounds in pot.path.items() if pounds > 0]
    levers = [data.levers[name] for name in (*WEIGHTS, "top_slice") if name in data.levers]
    first = min(starts, default="")
    dates = sorted({first, *(month for path in levers for month in path.path if month > first)}) if first else []
    return CommissionerCard(
        title=data.commissioner.title,
        happens=tuple(f"{in_month(event.month)}: {event.title}" for event in data.events.values() if event.kind == "commissioner"),
        cares=_cares(data.commissioner.priorities, data),
        rules=tuple(Rule(in_month(month), _pot(pots, month), _divided(data, month)) for month in dates),
        play=(
            "You fund this table and do not sit at it. What do you ask for in return, and can you tell whether you got it?",
            "Every rule you choose makes a loser who will ring you. Give your reason before you are asked.",
            "Part of the pot could go to work of your own. What would show that it was better spent there?",
        ),
    )


def value_at(path: DatedPath, month: str) -> float:
    """The value of a stepped path in a month: the latest that is not later; before all of them the first."""
    dated = sorted(path.path.items())
    value = next((value for when, value in reversed(dated) if when <= month), dated[0][1] if dated else 0.0)
    return value * path.multiplier + path.shift


def _pot(pots: list[DatedPath], month: str) -> str:
    return f"{amount(sum(value_at(pot, month) for pot in pots), '£')} a year"


def _divided(data: ScenarioData, month: str) -> str:
    weights = {words: value_at(data.levers[name], month) for name, words in WEIGHTS.items() if name in data.levers}
    whole = sum(weights.values())
    if not whole:
        return "in equal shares"
    parts = sorted(((weight / whole, words) for words, weight in weights.items() if weight > 0), reverse=True)
    text = "by " + listed([f"{words} ({share:.0%})" for share, words in parts])
    kept = value_at(data.levers["top_slice"], month) if "top_slice" in data.levers else 0
    return f"{text}, after {kept:.0%} for its own priorities" if kept else text
