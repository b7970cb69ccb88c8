"""The private briefing of a seat: what this authority cares about, has, knows, and whom it trusts."""

import solara

from cspsim.basics.formats import listed
from cspsim.web.kit.lesson_parts import Link, address
from cspsim.web.parts import DataTable, Table, box, words
from cspsim.web.play.briefing import Briefing, Knows
from cspsim.web.play.play_words import hours, money, per_cent, trust_words

TRAITS = (
    ("assertiveness", "speaks up", "keeps quiet"),
    ("openness", "welcomes a challenge", "takes a challenge badly"),
    ("commitment", "is committed to the partnership", "comes because it must"),
    ("evaluation_mindedness", "wants things evaluated", "sees little use in evaluation"),
)
KNOWN = "Fall of crime among those it reaches. “Heard” came to you alone; it counts for the table once a challenge brings it out."
PRIVATE = "Only you see this. What you tell the others is up to you."


@solara.component
def BriefingPanel(briefing: Briefing, scenario: str) -> None:
    """The whole briefing; the long lists are closed at first."""
    with box("section", "csp-card", "csp-briefing", aria_labelledby="briefing"):
        words("h2", "Your briefing", "csp-h2", id_="briefing")
        words("p", PRIVATE, "csp-soft", "csp-small")
        words("p", who_you_are(briefing))
        with box("dl", "csp-dl"):
            for term, text in facts(briefing):
                words("dt", term)
                words("dd", text)
        with box("details"):
            words("summary", "What you know about each project", "csp-h3")
            words("p", KNOWN, "csp-small")
            DataTable(knowledge(briefing.knows), hide_caption=True)
        with box("details"):
            words("summary", "Crime that is your business", "csp-h3")
            rows = [(cares.title, f"{cares.remit:.0%}", round(cares.recorded)) for cares in briefing.cares]
            DataTable(Table(("Crime", "Yours", "Recorded in 12 months"), rows, "Crime that is your business"), hide_caption=True)
        with box("div", "csp-cluster"):
            Link(f"Role card of {briefing.title}", address("cards", {"scenario": scenario}), "quiet")


def who_you_are(briefing: Briefing) -> str:
    """The authority and whom it sends, in two or three sentences."""
    seat = f"You are {briefing.title}" + ("" if briefing.sits else ", which has no seat at the table this month")
    task = ", and you co-ordinate the partnership" if briefing.coordinates else ""
    traits = [low if getattr(briefing.representative, name) < 0.5 else high for name, high, low in TRAITS]
    return f"{seat}{task}. Whoever you send {listed(traits)}."


def facts(briefing: Briefing) -> list[tuple[str, str]]:
    """What the authority has and cares about, short enough for a telephone."""
    most = [cares.title.lower() for cares in briefing.cares if cares.remit > 0][:3]
    has = f"{hours(briefing.hours)} a month, {money(briefing.budget)} for your own part, {money(briefing.match_funds)} to match grants"
    found = [
        ("You care most about", listed(most) if most else "no kind of crime in particular"),
        ("You have", has),
        ("Your workload", f"{per_cent(briefing.workload)} of what your people can do" + (": overloaded" if briefing.workload > 1 else "")),
        ("You lead", _first(briefing.leads)),
    ]
    if briefing.posts is not None:
        found.append(("Posts paid from the grant", f"{per_cent(briefing.posts)} are filled"))
    trusts = sorted(briefing.trusts, key=lambda one: -one.trust)
    found.append(("You trust", "; ".join(f"{one.title} {trust_words(one.trust)} ({one.trust:.2f} of 1)" for one in trusts)))
    return found


def _first(leads: tuple[str, ...], most: int = 4) -> str:
    """The first few projects an authority leads, and how many more: the list of what it knows has them all."""
    if not leads:
        return "no project"
    return listed([*leads[:most], *([f"{len(leads) - most} more"] if len(leads) > most else [])])


def knowledge(knows: tuple[Knows, ...]) -> Table:
    """Beliefs and what they rest on, the strongest first."""

    def share(value: float | None) -> str:
        return "\N{EN DASH}" if value is None else f"{round(value * 100)}%".replace("-", "\N{MINUS SIGN}")

    rows = [
        (
            one.title,
            f"{share(one.belief)} ± {round(one.uncertainty * 100)}",
            f"{share(one.heard)}{', told' if one.told else ''}",
            share(one.published),
            share(one.evaluated) + (", with comparison" if one.evaluated is not None and one.evaluated_with_comparison else ""),
        )
        for one in sorted(knows, key=lambda one: -one.belief)
    ]
    return Table(("Project", "You think", "Heard", "Published", "Evaluated here"), rows, "What you know about each project")
