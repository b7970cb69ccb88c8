"""What everybody sees: the table's money, projects and recorded crime, what lies on it, and the minutes."""

from collections.abc import Sequence
from typing import Any

import solara

from cspsim.basics.formats import listed
from cspsim.mesa_model.agents import Proposal
from cspsim.web.event_types import template
from cspsim.web.kit.lesson_parts import bullets
from cspsim.web.parts import DataTable, Notice, Table, box, words
from cspsim.web.play.briefing import TableNow
from cspsim.web.play.minutes import EvaluationMade, ItemAdopted, Minutes
from cspsim.web.play.play_words import effect, money, per_cent, span


@template("minutes.vue")
def _Minutes(parts: list[dict[str, Any]]) -> None:
    pass


@solara.component
def TableState(table: TableNow) -> None:
    """Money, projects and recorded crime."""
    with box("section", "csp-card", aria_labelledby="table-now"):
        words("h2", f"The table in {table.month:%B %Y}", "csp-h2", id_="table-now")
        with box("dl", "csp-figures"):
            for term, value in (("Grant this year", table.grant), ("In the account", table.balance), ("Free to spend", table.free_money)):
                with box("div"):
                    words("dt", term)
                    words("dd", money(value), "csp-figures__value")
        with box("details"):
            words("summary", f"Projects ({len(table.projects)})", "csp-h3")
            rows = [(one.title, f"{one.units:g}", one.lead, f"{one.ends:%B %Y}" if one.ends else "open") for one in table.projects]
            DataTable(Table(("Project", "Units", "Led by", "Paid until"), rows, "Projects"), hide_caption=True)
        with box("details"):
            words("summary", "Recorded crime, latest 12 months", "csp-h3")
            crimes = [(name, round(value)) for name, value in table.recorded.items()]
            DataTable(Table(("Crime", "Recorded"), crimes, "Recorded crime, latest 12 months"), hide_caption=True)


@solara.component
def OnTheTable(proposals: tuple[Proposal, ...]) -> None:
    """What lies on the table in the second step, with what its sponsors claim."""
    with box("section", "csp-card", aria_labelledby="on-the-table"):
        words("h2", "On the table", "csp-h2", id_="on-the-table")
        if not proposals:
            words("p", "Nothing: this meeting has no money to spend.", "csp-soft")
            return
        rows = [(one.title, one.sponsor, per_cent(one.claim)) for one in proposals]
        with box("div", "csp-whole"):
            DataTable(Table(("Project", "Put forward by", "Claimed fall of crime"), rows, "On the table"), hide_caption=True)


@solara.component
def MinutesPanel(minutes: tuple[Minutes, ...], told: tuple[str, ...]) -> None:
    """What was decided in earlier quarters, the latest first and open, and what the facilitator let happen."""
    with box("section", "csp-card", aria_labelledby="minutes"):
        words("h2", "Minutes", "csp-h2", id_="minutes")
        if told:
            words("h3", "Everybody was told", "csp-h3")
            bullets(told)
        if not minutes:
            words("p", "They appear after the first quarter.", "csp-soft")
        _Minutes(parts=[minutes_as_data(one) for one in reversed(minutes)])


@solara.component
def LatestResult(minutes: tuple[Minutes, ...], quarter: int) -> None:
    """What came of the quarter just over, in a sentence that is read aloud; nothing in the first quarter."""
    with box("div", "csp-latest", role="status"):
        if minutes:
            latest = minutes[-1]
            words("p", f"Quarter {latest.quarter + 1} is over. {summary(latest)}", "csp-result")


@solara.component
def LatestIncident(told: tuple[str, ...]) -> None:
    """The latest thing the facilitator let happen."""
    if told:
        Notice(told[-1], "warning", "News")


def summary(minutes: Minutes) -> str:
    """A quarter in a sentence."""
    if not minutes.tabled:
        return f"Nothing was tabled.{_evaluated(minutes)}"
    parts = (
        (minutes.tabled, "tabled"),
        (minutes.challenged, "challenges"),
        (minutes.adopted, "adopted"),
        (minutes.turned_down, "turned down"),
    )
    counts = ", ".join(f"{len(part)} {what}" for part, what in parts)
    adopted = list(dict.fromkeys(one.title for one in minutes.adopted))
    bought = f" Adopted: {listed(adopted[:3] + ([f'{len(adopted) - 3} more'] if len(adopted) > 3 else []))}." if adopted else ""
    return f"{counts}.{bought}{_evaluated(minutes)}"


def _evaluated(minutes: Minutes) -> str:
    return f" {len(minutes.evaluated)} evaluated." if minutes.evaluated else ""


TURNED_DOWN = "Turned down: others ranked higher, or money or hours ran out"


def minutes_as_data(minutes: Minutes) -> dict[str, Any]:
    """The minutes of a quarter as headings and sentences."""
    groups: Sequence[tuple[str, list[str]]] = (
        ("Evaluated", [_evaluation(one) for one in minutes.evaluated]),
        ("Adopted", [_adopted(one) for one in minutes.adopted]),
        (TURNED_DOWN, [f"{one.title} ({one.sponsor}){', challenged' if one.challenged else ''}." for one in minutes.turned_down]),
        ("Challenged", [
            f"{one.challenger} challenged {one.title} ({one.sponsor}): {one.reason}.{' Something came to light.' if one.heard else ''}"
            for one in minutes.challenged
        ]),
        ("Tabled", [f"{one.title}, by {one.sponsor}, who claims it {effect(one.claim)}." for one in minutes.tabled]),
        ("Also", list(minutes.also)),
    )  # fmt: skip
    return {
        "key": minutes.quarter,
        "title": f"Quarter {minutes.quarter + 1}: {span(minutes.first_month, minutes.last_month)}",
        "summary": summary(minutes),
        "groups": [{"heading": heading, "lines": lines} for heading, lines in groups if lines],
    }


def _evaluation(one: EvaluationMade) -> str:
    strength = "set against a comparison area" if one.with_comparison else "before and after only"
    return f"{one.title}, by {one.evaluator}: it {effect(one.estimate)}, {strength}."


def _adopted(one: ItemAdopted) -> str:
    units = f"{one.units} units" if one.units != 1 else "1 unit"
    when = " for the next year" if one.for_next_year else ""
    kind = ", renewed" if one.renewed else ", new"
    return (
        f"{one.title} ({one.sponsor}): {units} for {money(one.cost)} a year{when}{kind}; the table expects that it {effect(one.estimate)}."
    )
