"""One lesson on the page: what to do, the predictions to commit, and then what the model shows."""

from collections.abc import Callable

import solara

from cspsim.web.event_types import template
from cspsim.web.frame import Note, use_frame
from cspsim.web.kit.lesson_figures import LessonRow
from cspsim.web.kit.lesson_parts import Link, address, bullets, opens, rows_below
from cspsim.web.kit.lesson_views import Answered, ComparisonView, LessonView
from cspsim.web.kit.lessons import CLAIMS, MINUTES, Claim, Evidence
from cspsim.web.parts import Button, Notice, box, words

Choices = dict[int, Claim]
NO_COMMAND = "Both arms differ from the shipped scenario here, each in its own way: Explore and a single command cannot ask it."


@template("print.vue")
def _Print(label: str) -> None:
    pass


@solara.component
def LessonPage(view: LessonView) -> None:
    """The whole lesson. What the model shows stays hidden until a prediction is committed or somebody asks for it."""
    lesson = view.lesson
    choices, set_choices = solara.use_state(dict[int, Claim]())
    committed, set_committed = solara.use_state(False)
    shown, set_shown = solara.use_state(False)
    use_frame(scenario=view.scenario, notes=notes_of(view))
    with box("div", "csp-stack", "csp-stack--loose"):
        with box("div", "csp-stack"):
            with box("div", "csp-cluster"):
                Link("All lessons", address(), "quiet")
            words("h1", lesson.title, "csp-h1")
            words("p", lesson.question, "csp-lead")
            with box("div", "csp-toolbar"):
                Link(f"Open in {lesson.view.capitalize()}", opens(lesson), "primary")
                _Print(label="Print this page")
                words("span", f"“{view.scenario}” against “{view.baseline}”. Levers: {', '.join(view.levers)}.", "csp-soft")
        LessonPlan(view)
        Predictions(view, choices, set_choices, committed, lambda: set_committed(True))
        if committed or shown:
            Reveal(view, choices if committed else {})
        else:
            with box("div", "csp-cluster"):
                Button("Show what the model says without a prediction", lambda: set_shown(True), kind="quiet")


def notes_of(view: LessonView) -> list[Note]:
    """The facilitator's notes of a lesson: the clock, the questions, and how the answer stands to the thesis."""
    clock = "\n".join(f"- {timed.begins} to {timed.ends}: {timed.step.title}" for timed in view.steps)
    return [
        Note(f"{MINUTES} minutes", clock),
        Note("Questions", "\n".join(f"- {line}" for line in view.lesson.questions)),
        Note("How the answer stands to the thesis", view.stands),
    ]


@solara.component
def LessonPlan(view: LessonView) -> None:
    """Materials and steps with their minutes."""
    with box("section", "csp-card", aria_labelledby="steps"):
        words("h2", f"{MINUTES} minutes, step by step", "csp-h2", id_="steps")
        with box("dl", "csp-dl"):
            for timed in view.steps:
                words("dt", f"{timed.begins}\N{EN DASH}{timed.ends} min: {timed.step.title}")
                words("dd", timed.step.text)
        with box("details"):
            words("summary", "Materials", "csp-h3")
            bullets(view.lesson.materials)


@solara.component
def Predictions(
    view: LessonView, choices: Choices, set_choices: Callable[[Choices], None], committed: bool, commit: Callable[[], None]
) -> None:
    """The questions with their answers to choose from. Once committed, nobody changes an answer."""
    asked = view.predictions
    with box("section", "csp-card", aria_labelledby="predict"):
        words("h2", "Commit your prediction", "csp-h2", id_="predict")
        for number, answered in enumerate(asked):
            words("p", answered.prediction.question, id_=f"asked-{number}")
            if committed:
                words("p", f"You said: {dict(answered.prediction.answers())[choices[number]]}.")
                continue
            with box("div", "csp-cluster", role="group", aria_labelledby=f"asked-{number}"):
                for claim, text in answered.prediction.answers():

                    def choose(number: int = number, claim: Claim = claim) -> None:
                        set_choices({**choices, number: claim})

                    Button(text, choose, pressed=choices.get(number) == claim)
        if committed:
            words("p", "Committed. What was chosen stays as it is.", "csp-soft", role="status")
        else:
            left = len(asked) - len(choices)
            with box("div", "csp-cluster"):
                Button("Commit and reveal", commit, kind="primary", disabled=left > 0)
                words("p", f"{left} still to answer" if left else "All answered", "csp-soft", role="status")


@solara.component
def Reveal(view: LessonView, choices: Choices) -> None:
    """What the model shows and how often, beside what was predicted."""
    with box("section", "csp-stack", aria_labelledby="shows"):
        words("h2", "What the model shows", "csp-h2", id_="shows")
        for number, answered in enumerate(view.predictions):
            PredictionTold(answered, choices.get(number))
        words("p", view.in_short)
        for block in view.blocks:
            with box("div", "csp-card"):
                words("h3", block.about, "csp-h3")
                rows_below(block.about, columns_of(block), [cells_of(row) for row in block.rows])
                if block.address:
                    Link("Open in Explore", block.address, "plain")
                words("p", f"At the command line: {block.command}" if block.command else NO_COMMAND, "csp-soft", "csp-small")
        with box("div", "csp-card"):
            words("h3", "Learning point", "csp-h3")
            words("p", view.lesson.learning_point)
        with box("details", "csp-card", open="open"):
            words("summary", "What the thesis says, and how strong the evidence is", "csp-h3")
            Graded(view.lesson.thesis)
            words("p", view.stands)
            for entry in view.lesson.evidence:
                Graded(entry)
        with box("details", "csp-card"):
            words("summary", "What the model leaves out", "csp-h3")
            bullets(view.lesson.leaves_out)
        with box("details", "csp-card"):
            words("summary", "Questions for discussion", "csp-h3")
            bullets(view.lesson.questions)


@solara.component
def PredictionTold(answered: Answered, chosen: Claim | None) -> None:
    """One prediction and the model's answer."""
    answers = dict(answered.prediction.answers())
    heading = ("You expected it" if chosen == answered.claim else "It came out otherwise") if chosen else "The model's answer"
    said = f"You said: {answers[chosen]}. " if chosen else ""
    found = f"At the best guesses: {answered.answer}. This {answered.firmness}: {how_many(answered)}."
    with box("div", "csp-stack", "csp-stack--tight"):
        words("p", answered.prediction.question, "csp-soft")
        Notice(f"{said}{found}", "success" if chosen and chosen == answered.claim else "note", heading)


def how_many(answered: Answered) -> str:
    """In how many sets of assumptions each answer came out."""
    answers = dict(answered.prediction.answers())
    short = {claim: answers[claim].partition(":")[0] for claim in CLAIMS}
    total = sum(answered.counts.values())
    return f"of {total} sets of assumptions, " + ", ".join(f"{short[claim]} in {answered.counts[claim]}" for claim in CLAIMS)


@solara.component
def Graded(entry: Evidence) -> None:
    """A finding with the strength of its evidence."""
    with box("p"):
        words("span", f"Strength {entry.strength}", "csp-chip")
        words("span", f" {entry.says} ")
        words("span", f"{entry.source}.", "csp-soft", "csp-small")


def columns_of(block: ComparisonView) -> tuple[str, ...]:
    """Column titles of a comparison's table."""
    return (
        "What happens",
        "Set against, model" if block.level else "Without, with",
        "Difference (95% interval)",
        "Sets of assumptions",
        "Runs",
    )


def cells_of(row: LessonRow) -> tuple[str, ...]:
    """A figure as cells of that table."""
    percent = f", {row.percent}" if row.percent else ""
    return (
        f"{row.says} {row.title}",
        f"{row.before}, {row.after}",
        f"{row.difference}{percent} ({row.interval})",
        f"{row.sets} ({row.spread})",
        row.runs,
    )
