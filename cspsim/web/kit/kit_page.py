"""The page of the tab Kit: the lessons, the role cards and the debrief sheet, each under its own address."""

import solara

from cspsim.basics.errors import CspsimError
from cspsim.web.frame import Note, use_frame
from cspsim.web.kit.lesson_page import LessonPage
from cspsim.web.kit.lesson_parts import CARDS, DEBRIEF, Link, address, bullets
from cspsim.web.kit.lesson_views import LessonView, lesson_views
from cspsim.web.kit.lessons import MINUTES, load_lessons
from cspsim.web.kit.printable import printable_kit
from cspsim.web.kit.role_card_page import DebriefSheet, RoleCards
from cspsim.web.parts import Download, Notice, box, words
from cspsim.web.shown_scenarios import scenario_of


@solara.component
def KitPage() -> None:
    """What the tab shows: the page that the address names after ``/kit``, else the list of lessons."""
    path = solara.use_router().path.strip("/").split("/")[1:]
    wanted = path[0] if path else ""
    views = {view.key: view for view in solara.use_memo(lesson_views, [])}
    if wanted in views:
        LessonPage(views[wanted]).key(wanted)
    elif wanted == CARDS:
        RoleCards()
    elif wanted == DEBRIEF:
        DebriefSheet()
    else:
        Home(list(views.values()), unknown=wanted)


def whole_kit() -> str:
    """The printable kit with the baseline's role cards. Raises CspsimError when it cannot be put together."""
    return printable_kit(scenario_of("baseline"))


@solara.component
def Home(views: list[LessonView], unknown: str = "") -> None:
    """The list of lessons, and how to run one."""
    file = load_lessons()
    use_frame(notes=[Note("Running a lesson", "\n".join(f"- {line}" for line in file.guide.how))])
    with box("div", "csp-stack", "csp-stack--loose"):
        with box("div", "csp-stack"):
            words("h1", "Facilitator's kit", "csp-h1")
            words("p", f"{len(views)} lessons of {MINUTES} minutes, role cards for every authority, and a debrief sheet.", "csp-lead")
            if unknown:
                Notice(str(CspsimError(f"There is no page “{unknown[:60]}” in the kit. These are the lessons.")), "warning")
            with box("div", "csp-cluster"):
                Download("Download the whole kit to print", "cspsim-kit.html", whole_kit, kind="primary")
                Link("Role cards", address(CARDS), "plain")
                Link("Debrief sheet", address(DEBRIEF), "plain")
        with box("div", "csp-grid"):
            for view in views:
                with box("section", "csp-card", aria_labelledby=f"lesson-{view.key}"):
                    with box("h2", "csp-h2", id_=f"lesson-{view.key}"):
                        Link(view.lesson.title, address(view.key))
                    words("p", view.lesson.question)
                    about = (
                        f"{MINUTES} minutes, with {view.lesson.view.capitalize()}. Evidence for the thesis: {view.lesson.thesis.strength}."
                    )
                    words("p", about, "csp-soft", "csp-small")
        with box("details", "csp-card"):
            words("summary", "How to run a lesson", "csp-h3")
            bullets(file.guide.how)
        with box("details", "csp-card"):
            words("summary", "How often does it come out so?", "csp-h3")
            bullets(file.guide.often)
        with box("details", "csp-card"):
            words("summary", "How strong is the evidence?", "csp-h3")
            bullets([f"{grade}: {meaning}" for grade, meaning in file.strengths.items()])
