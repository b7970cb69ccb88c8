"""The kit on paper: one HTML page that loads nothing from anywhere, made for A4."""

from typing import Any

from cspsim import __version__
from cspsim.reports.rendering import render
from cspsim.scenario.scenario import Scenario
from cspsim.web.kit.lesson_figures import load_figures
from cspsim.web.kit.lesson_views import lesson_views
from cspsim.web.kit.lessons import load_lessons
from cspsim.web.kit.role_cards import commissioner_card, role_cards

STATUSES = {"seen": "seen in a source", "derived": "derived from a source", "memory": "from memory", "assumption": "an assumption"}


def printable_kit(scenario: Scenario) -> str:
    """All lessons with their figures, prediction slips, role cards of this scenario's authorities, and the debrief sheet.

    Everything that comes from a file is escaped. Raises CspsimError when lessons or figures cannot be read.
    """
    return render("kit.html", **_content(scenario))


def kept(text: str) -> str:
    """A list of counts in which lines break only between one count and the next."""
    return ", ".join(part.replace(" ", "\N{NO-BREAK SPACE}") for part in text.split(", "))


def _content(scenario: Scenario) -> dict[str, Any]:
    file, stored = load_lessons(), load_figures()
    return {
        "version": __version__,
        "kept": kept,
        "guide": file.guide,
        "strengths": file.strengths,
        "statuses": STATUSES,
        "settings": stored.settings,
        "lessons": lesson_views(),
        "scenario": scenario,
        "places": [entry.title for entry in scenario.data.partnerships.values()],
        "cards": role_cards(scenario),
        "commissioner": commissioner_card(scenario),
        "debrief": file.debrief,
    }
