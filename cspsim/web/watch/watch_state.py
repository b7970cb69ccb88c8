"""What a visitor asked for: everything that a copied link brings back, each value checked before it is used."""

from collections.abc import Callable, Sequence
from typing import NamedTuple
from urllib.parse import parse_qs

from cspsim.basics.formats import listed
from cspsim.running.outcomes import MAIN, OUTCOMES
from cspsim.scenario.scenario import Scenario
from cspsim.scenario.schema import ScenarioData
from cspsim.scenario.world_building import calendar_of
from cspsim.web.shown_scenarios import known_names, scenario_of
from cspsim.web.watch.log import EVERYTHING, KINDS

LARGEST_SEED = 2**64 - 1
LARGEST_REPLICATE = 9_999
USUAL = "baseline"
NONE = ""
"""No second scenario; no question asked."""


class WatchState(NamedTuple):
    """The state of the page. ``month`` counts reported months; ``question`` is the outcome of a prediction not yet committed."""

    scenario: str
    baseline: str = NONE
    seed: int = 1
    replicate: int = 0
    partnership: str = ""
    month: int = 0
    authority: str = EVERYTHING
    kind: str = EVERYTHING
    question: str = NONE


def asked_in(search: str | None) -> tuple[WatchState, list[str]]:
    """What the address asks for, and a sentence about each value that could not be taken."""
    given = {name: values[0] for name, values in parse_qs((search or "").removeprefix("?")[:2000]).items()}
    faults: list[str] = []

    def take(name: str, fallback: str, good: Callable[[str], bool], what: str) -> str:
        text = given.get(name, fallback)
        if text == fallback or good(text):
            return text
        faults.append(f"{what} “{text[:40]}” is not known here")
        return fallback

    names = known_names()
    scenario = take("scenario", USUAL if USUAL in names else names[0], lambda text: text in names, "The scenario")
    baseline = take("baseline", NONE, lambda text: text in names, "The baseline")
    seed = int(take("seed", "1", lambda text: whole(text, LARGEST_SEED) is not None, "The seed"))
    replicate = int(take("replicate", "0", lambda text: whole(text, LARGEST_REPLICATE) is not None, "The replicate"))
    data = scenario_of(scenario).data
    partnership = take("partnership", next(iter(data.partnerships)), lambda text: text in data.partnerships, "The partnership")
    months = [f"{day:%Y-%m}" for day in calendar_of(data).reported]
    month = months.index(take("month", months[0], lambda text: text in months, "The month"))
    authority = take("authority", EVERYTHING, lambda text: text in data.authorities, "The authority")
    kind = take("kind", EVERYTHING, lambda text: text in KINDS, "The kind of event")
    askable = (lambda text: text in OUTCOMES) if baseline else (lambda text: text in OUTCOMES and not spans_window(text))
    question = take("question", NONE, askable, "The outcome")
    found = WatchState(scenario, baseline if baseline != scenario else NONE, seed, replicate, partnership, month, authority, kind, question)
    return found, faults


def whole(text: str, largest: int) -> int | None:
    """A whole number from 0 to ``largest``; None for anything else."""
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 20 and int(text) <= largest else None


def query_of(asked: WatchState) -> dict[str, str]:
    """The state for the address: defaults are left out."""
    month = calendar_of(scenario_of(asked.scenario).data).reported[asked.month]
    state = {
        "scenario": asked.scenario,
        "baseline": asked.baseline,
        "seed": str(asked.seed),
        "replicate": str(asked.replicate),
        "partnership": asked.partnership,
        "month": f"{month:%Y-%m}",
        "authority": asked.authority,
        "kind": asked.kind,
        "question": asked.question,
    }
    return {name: text for name, text in state.items() if text}


def with_scenario(asked: WatchState, name: str) -> WatchState:
    """Another scenario under the same luck; what it does not have is left."""
    data = scenario_of(name).data
    months = len(calendar_of(data).reported)
    return asked._replace(
        scenario=name,
        baseline=NONE if asked.baseline == name else asked.baseline,
        partnership=asked.partnership if asked.partnership in data.partnerships else next(iter(data.partnerships)),
        month=min(asked.month, months - 1),
        authority=asked.authority if asked.authority in data.authorities else EVERYTHING,
        question=NONE,
    )


def mismatch(baseline: Scenario, scenario: Scenario) -> str:
    """Why two scenarios cannot be watched side by side; empty if they can."""
    one, other = _ground(baseline.data), _ground(scenario.data)
    differing = [name for name in one if one[name] != other[name]]
    if not differing:
        return ""
    return f"“{scenario.title}” and “{baseline.title}” cannot be watched side by side: they differ in their {listed(differing)}."


def _ground(data: ScenarioData) -> dict[str, object]:
    calendar = calendar_of(data)
    return {
        "months": (calendar.months[0], calendar.months[-1]),
        "outcome window": calendar.window,
        "partnerships": list(data.partnerships),
    }


def questions_for(scenarios: Sequence[Scenario], side_by_side: bool) -> dict[str, str]:
    """Outcomes to predict, name -> title: what the scenarios ask about first, then the main ones.

    One that compares the window's first year with its last says nothing about single years, so it needs two scenarios.
    """
    first = [scenario.data.primary_outcome for scenario in scenarios[::-1]]
    names = [name for name in dict.fromkeys((*first, *MAIN)) if name in OUTCOMES and (side_by_side or not spans_window(name))]
    return {name: OUTCOMES[name].title for name in names}


def spans_window(outcome: str) -> bool:
    """Whether an outcome is made of the first or last year of the outcome window."""
    entry = OUTCOMES[outcome]
    return any(tally.name.endswith(("FIRST_YEAR", "LAST_YEAR")) for tally in (*entry.numerator, *(entry.denominator or {})))
