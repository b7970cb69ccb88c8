"""The left side of Explore: which scenario against which, levers in their groups, assumptions."""

from collections.abc import Callable

import solara

from cspsim.basics.formats import name_in_words
from cspsim.model.parameters import RegisterEntry
from cspsim.model.uncertainties import Uncertainties
from cspsim.running.outcomes import OUTCOMES
from cspsim.scenario.schema import parse_month, register_of
from cspsim.web.explore.levers import lever_groups, lever_standing, months_to_begin, usual_month
from cspsim.web.explore.posing import baselines_for
from cspsim.web.explore.question import LARGEST_SEED, MOST_RUNS, USUAL_RUNS, Question
from cspsim.web.parts import Button, ChoiceField, NumberField, Tick, box, words
from cspsim.web.shown_scenarios import entries, is_place, place_titles, scenario_of

Ask = Callable[[Question, str], None]
"""Asks another question; the text names the control that was used."""

RUNS = RegisterEntry(
    USUAL_RUNS, 8, MOST_RUNS, "runs", "more runs make the interval narrower, not the assumptions better", "", "", "", "Runs of each"
)
SEED = RegisterEntry(1, 0, LARGEST_SEED, "", "settles all luck; another seed is another set of possible worlds", "", "", "", "Seed")


@solara.component
def ScenarioPicker(question: Question, ask: Ask) -> None:
    """The two arms and what is asked of them."""
    titles = {entry.name: entry.title for entry in entries()}
    if is_place(question.scenario):
        titles[question.scenario] = place_titles()[question.scenario]
    chosen = scenario_of(question.scenario)

    def pick(name: str) -> None:
        comparable = baselines_for(name)
        baseline = question.baseline if question.baseline in comparable else name
        months = months_to_begin(scenario_of(name))
        since = question.since if question.since in months else ""
        ask(question._replace(scenario=name, baseline=baseline, since=since, levers=()), "")

    comparable = baselines_for(question.scenario)
    with box("section", "csp-card", aria_labelledby="explore-scenario"):
        words("h2", "Question", "csp-h2", id_="explore-scenario")
        ChoiceField("Scenario", question.scenario, titles, pick, hint=chosen.question)
        RealPlaces(question, pick)
        against = {name: title for name, title in titles.items() if name in comparable or name == question.baseline}
        ChoiceField("Compared with", question.baseline, against, lambda name: ask(question._replace(baseline=name), ""))
        outcomes = {name: entry.title for name, entry in OUTCOMES.items()}
        usual = chosen.data.primary_outcome
        outcome = question.outcome or usual
        ChoiceField(
            "Outcome",
            outcome,
            outcomes,
            lambda name: ask(question._replace(outcome="" if name == usual else name), ""),
            hint=OUTCOMES[outcome].meaning[:1].upper() + OUTCOMES[outcome].meaning[1:] + ".",
        )
        with box("details"):
            words("summary", "Runs and luck", "csp-h3")
            with box("div", "csp-stack", "csp-explore__inner"):
                NumberField(RUNS, question.runs, lambda value: ask(question._replace(runs=int(value)), "runs"), whole=True, step=8)
                NumberField(SEED, question.seed, lambda value: ask(question._replace(seed=int(value)), "seed"), whole=True, slider=False)


@solara.component
def RealPlaces(question: Question, pick: Callable[[str], None]) -> None:
    """Any real partnership by its name; typing the first letters in the list finds it."""
    offered = {"": "Choose a partnership", **place_titles()}
    chosen = question.scenario if is_place(question.scenario) else ""
    hint = (
        "Every Community Safety Partnership of England and Wales, April 2026 on. Population and recorded crime are published; "
        "money, staff and duties are defaults."
    )
    ChoiceField("Or a real place", chosen, offered, lambda name: pick(name) if name else None, hint=hint)


@solara.component
def LeverPicker(question: Question, ask: Ask) -> None:
    """Every lever of the register, in the groups of the register, where the scenario has it or where it was moved to."""
    scenario = scenario_of(question.scenario)
    moved = dict(question.levers)
    months = months_to_begin(scenario)
    since = question.since if question.since in months else usual_month(scenario)
    with box("section", "csp-card", aria_labelledby="explore-levers"):
        words("h2", "Levers", "csp-h2", id_="explore-levers")
        begin = {month: f"{parse_month(month):%B %Y}" for month in months}
        ChoiceField(
            "What you move holds from",
            since,
            begin,
            lambda month: ask(question._replace(since="" if month == usual_month(scenario) else month), ""),
            hint="To the end of the run. Before that everything stays as the scenario has it.",
        )
        for group, names in lever_groups().items():
            count = len([name for name in names if name in moved])
            with box("details", "csp-explore__group", **({"open": "open"} if group == "Money" else {})):
                with box("summary", "csp-h3"):
                    words("span", group)
                    if count:
                        words("span", f"{count} moved", "csp-chip")
                with box("div", "csp-stack", "csp-explore__inner"):
                    for name in names:
                        Lever(name, question, since, ask).key(name)


@solara.component
def Lever(name: str, question: Question, since: str, ask: Ask) -> None:
    """One lever: where it stands and, where the scenario changes it later by itself, a note on that."""
    standing = lever_standing(scenario_of(question.scenario), name, since)
    moved = dict(question.levers)

    def move(value: float) -> None:
        back = abs(value - standing.value) < 1e-9 and (not standing.later or name not in moved)
        ask(question.with_lever(name, None if back else value), f"levers.{name}")

    NumberField(standing.figure, moved.get(name, standing.value), move, default=standing.value)
    if standing.later and name not in moved:
        later = ", ".join(f"{value:g} from {month}" for month, value in standing.later[:4])
        words("p", f"The scenario goes on to {later}.", "csp-field__hint")
    elif standing.later:
        with box("div", "csp-cluster"):
            words("p", "Held where you put it; the scenario would have changed it later.", "csp-field__hint")
            back_to = lambda: ask(question.with_lever(name, None), "")  # noqa: E731 # a handler
            Button("As in the scenario", back_to, kind="quiet", describe=standing.figure.title)


@solara.component
def AssumptionPicker(question: Question, ask: Ask) -> None:
    """The uncertain numbers, which may be assumed otherwise, in both arms, and a switch between the two worlds."""
    register = register_of(Uncertainties)
    chosen = dict(question.assumptions)
    with box("section", "csp-card", aria_labelledby="explore-assumptions"):
        words("h2", "Assumptions", "csp-h2", id_="explore-assumptions")
        words("p", "What nobody knows. A change holds in both arms: it is another world, not a policy.", "csp-soft")
        named = {
            name: f"{entry.group.capitalize()}: {uncertainty_label(name).lower()}" for name, entry in register.items() if name not in chosen
        }
        offered = {"": "Choose a number to change", **dict(sorted(named.items(), key=lambda pair: pair[1]))}

        def add(name: str) -> None:
            if name:
                ask(question.with_assumption(name, _other_end(register[name])), "")

        hint = (
            "By the rule of the month that it belongs to. It is set to the far end of its range, where it matters most; move it from there."
        )
        ChoiceField("Change an assumption", "", offered, add, hint=hint)
        for name, value in question.assumptions:
            with box("div", "csp-stack", "csp-stack--tight").key(name):
                NumberField(
                    register[name]._replace(title=uncertainty_label(name)),
                    value,
                    lambda new, name=name: ask(question.with_assumption(name, new), f"uncertainties.{name}"),  # type: ignore[misc] # each its own name
                )
                with box("div", "csp-cluster"):
                    words("span", f"Best guess: {register[name].value:g}.", "csp-field__hint")
                    forget = lambda name=name: ask(question.with_assumption(name, None), "")  # noqa: E731 # a handler
                    Button("Back to the best guess", forget, kind="quiet", describe=uncertainty_label(name))
        if question.assumptions:
            Tick("Answer under the changed assumptions", question.changed, lambda on: ask(question._replace(changed=on), ""))


def uncertainty_label(name: str) -> str:
    """An uncertainty's name in words."""
    text = name_in_words(name)
    return text[:1].upper() + text[1:]


def _other_end(figure: RegisterEntry) -> float:
    """The end of the range that is farther from the best guess: where an assumption would matter most."""
    return figure.high if figure.high - figure.value >= figure.value - figure.low else figure.low
