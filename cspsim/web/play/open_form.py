"""The form that opens a room: scenario, table, when it begins, how long; the rest is as usual unless somebody looks."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import solara

from cspsim.basics.errors import CspsimError
from cspsim.scenario.world_building import calendar_of
from cspsim.web.parts import Button, ChoiceField, Notice, TextField, Tick, box, words
from cspsim.web.play.play_words import sentence
from cspsim.web.play.settings import MOST_PER_SEAT, USUAL_QUARTERS, Options, options_for
from cspsim.web.play.shared import the_rooms
from cspsim.web.shown_scenarios import entries, scenario_of

USUAL_SCENARIO = "baseline"
JANUARY = "In January the table plans the next year and most of the money is spent; in other months there is little."

Wanted = dict[str, Any]


@solara.component
def OpenForm(on_open: Callable[[str], None]) -> None:
    """Settings of a new room; ``on_open`` gets its code."""
    session = solara.get_session_id()
    listed = solara.use_memo(entries, [])
    names = {entry.name: entry.title for entry in listed}
    wanted, set_wanted = solara.use_state(usual(USUAL_SCENARIO if USUAL_SCENARIO in names else listed[0].name))
    problem, set_problem = solara.use_state("")
    options = solara.use_memo(lambda: options_for(scenario_of(wanted["scenario"])), [wanted["scenario"]])

    def put(**changes: Any) -> None:
        set_wanted(fitted({**wanted, **changes}))

    def open_room() -> None:
        try:
            code = the_rooms().open(session, as_wanted(wanted))
        except CspsimError as error:
            set_problem(sentence(str(error)))
        else:
            on_open(code)

    question = next(entry.question for entry in listed if entry.name == wanted["scenario"])
    with box("div", "csp-stack"):
        ChoiceField("Scenario", wanted["scenario"], names, lambda name: put(scenario=name), hint=question)
        ChoiceField("Partnership", wanted["partnership"], options.partnerships, lambda name: put(partnership=name))
        with box("div", "csp-grid"):
            ChoiceField("First month", wanted["first_month"], months_of(options), lambda month: put(first_month=month), hint=JANUARY)
            ChoiceField(
                "Quarters", str(wanted["quarters"]), quarters_of(options, wanted["first_month"]), lambda count: put(quarters=int(count))
            )
        with box("details"):
            words("summary", "More settings", "csp-h3")
            with box("div", "csp-stack"):
                TextField("Seed", wanted["seed"], lambda text: put(seed=text), hint="A whole number; it decides the luck.", longest=16)
                sharing = {str(n): "one person" if n == 1 else f"up to {n} people" for n in range(1, MOST_PER_SEAT + 1)}
                ChoiceField("On each seat", str(wanted["per_seat"]), sharing, lambda count: put(per_seat=int(count)))
                Tick("Steps end by themselves", wanted["automatic"], lambda on: put(automatic=on),
                     hint="As soon as everybody who plays has handed in. Otherwise you end each step.")  # fmt: skip
        if problem:
            Notice(problem, "error")
        with box("div", "csp-cluster"):
            Button("Open the room", open_room, kind="primary")


def usual(scenario: str) -> Wanted:
    """What the form says at first."""
    return fitted({"scenario": scenario, "partnership": "", "first_month": "", "quarters": USUAL_QUARTERS, "seed": "1", "per_seat": 1,
                   "automatic": True})  # fmt: skip


def fitted(wanted: Wanted) -> Wanted:
    """What is wanted, with what its scenario does not have replaced by what it has."""
    options = options_for(scenario_of(wanted["scenario"]))
    table, month = wanted["partnership"], wanted["first_month"]
    table = table if table in options.partnerships else next(iter(options.partnerships))
    month = month if month in options.first_months else lively_month(wanted["scenario"], options)
    return {**wanted, "partnership": table, "first_month": month, "quarters": min(wanted["quarters"], options.first_months[month])}


def lively_month(scenario: str, options: Options) -> str:
    """The last January before the scenario's outcomes count: the table plans a whole year, and what the scenario is about lies ahead."""
    calendar = calendar_of(scenario_of(scenario).data)
    counted = f"{calendar.months[calendar.window[0]]:%Y-%m}"
    januaries = [month for month in options.first_months if month.endswith("-01")]
    before = [month for month in januaries if month < counted]
    return (before[-1:] or januaries[:1] or list(options.first_months))[0]


def as_wanted(wanted: Wanted) -> Wanted:
    """What ``Rooms.open`` is asked for; a seed that is no whole number goes there as the text it is, and is refused."""
    text = wanted["seed"].strip()
    return {**wanted, "seed": int(text) if text.isascii() and text.isdigit() else text}


def months_of(options: Options) -> dict[str, str]:
    """First months in words."""
    return {month: f"{datetime.strptime(month, '%Y-%m'):%B %Y}" for month in options.first_months}


def quarters_of(options: Options, first_month: str) -> dict[str, str]:
    """How long a game may be, in quarters and years."""

    def words_of(count: int) -> str:
        years = f", {count // 4} year{'s' if count > 4 else ''}" if count % 4 == 0 else ""
        return f"{count}{years}"

    return {str(count): words_of(count) for count in range(1, options.first_months[first_month] + 1)}
