"""The page of the tab Explore: change levers on the left, see what follows on the right."""

import time
from collections.abc import Callable

import solara

from cspsim.basics.errors import CspsimError
from cspsim.basics.exports import as_json, harmless
from cspsim.web.explore.address import question_of, state_of
from cspsim.web.explore.answer import answer_of
from cspsim.web.explore.answer_view import ExploreResults, Unanswered
from cspsim.web.explore.ensemble import Ensemble
from cspsim.web.explore.explore_notes import NOTES
from cspsim.web.explore.lever_controls import AssumptionPicker, LeverPicker, ScenarioPicker
from cspsim.web.explore.posing import Posed
from cspsim.web.explore.question import Question, QuestionHistory
from cspsim.web.frame import use_frame
from cspsim.web.parts import Address, Button, CopyButton, Export, Notice, Table, box, words
from cspsim.web.table import as_csv

kept: solara.Reactive[QuestionHistory | None] = solara.reactive(None)
"""The last question of a browser tab, for a reader who comes back from another tab of the page."""


@solara.component
def ExplorePage() -> None:
    """What the tab shows."""
    search = solara.use_router().search or ""
    begun, said = solara.use_memo(lambda: question_of(search), [])
    before = kept.peek()
    history, set_history = solara.use_state(before if before is not None and not search else QuestionHistory(begun))

    def keep(new: QuestionHistory) -> None:
        kept.value = new
        set_history(new)

    def ask(question: Question, control: str) -> None:
        keep(history.asked(question, control, time.monotonic()))

    short = solara.use_reactive("")
    posed, fault = solara.use_memo(lambda: _posed(history.now), [history.now])
    ensemble = solara.use_memo(lambda: Ensemble(posed) if posed else None, [posed])
    use_frame(posed.title if posed else "", history.now.seed, NOTES)
    Address(state_of(history.now))
    with box("div", "csp-stack"):
        words("h1", "Explore", "csp-h1")
        words("p", "Move a lever and see what follows, under the same luck as the baseline.", "csp-lead")
        if said:
            Notice("\n".join(["Not all of the address could be read; this is left as usual:", *said[:8]]), "warning")
        with box("div", "csp-side"):
            with box("div", "csp-stack"):
                Steps(history, keep)
                ScenarioPicker(history.now, ask)
                LeverPicker(history.now, ask)
                AssumptionPicker(history.now, ask)
                if ensemble is not None:
                    InShort(short)
            with box("div", "csp-stack"):
                if fault is not None:
                    Unanswered(fault)
                if ensemble is not None:
                    why = lambda on: keep(history._replace(now=history.now._replace(why=on)))  # noqa: E731 # a handler
                    ExploreResults(ensemble, history.now.why, why, short.set)
                    ExploreTakeAway(ensemble)


def _posed(question: Question) -> tuple[Posed | None, CspsimError | None]:
    try:
        return Posed(question), None
    except CspsimError as error:
        return None, error


@solara.component
def Steps(history: QuestionHistory, keep: Callable[[QuestionHistory], None]) -> None:
    """Undo, redo, and back to the scenario as it is."""
    plain = history.now._replace(levers=(), assumptions=(), changed=False, since="")
    with box("div", "csp-toolbar", role="group", aria_label="Steps"):
        Button("Undo", lambda: keep(history.undone()), kind="quiet", disabled=not history.past)
        Button("Redo", lambda: keep(history.redone()), kind="quiet", disabled=not history.future)
        reset = lambda: keep(history.asked(plain, "", time.monotonic()))  # noqa: E731 # a handler
        Button("Reset", reset, kind="quiet", disabled=plain == history.now, describe="all levers and assumptions")


@solara.component
def InShort(said: solara.Reactive[str]) -> None:
    """Where levers and answer are not beside each other: the answer in one line that stays in sight while levers are moved."""
    if said.value:
        with box("p", "csp-explore__short"):
            words("a", said.value, href="#answer")


@solara.component
def ExploreTakeAway(ensemble: Ensemble) -> None:
    """The same answer at the command line, and files."""
    posed = ensemble.posed
    with box("section", "csp-card", aria_labelledby="explore-away"):
        words("h2", "Take it away", "csp-h2", id_="explore-away")
        words("p", "At the command line the same answer comes from:")
        words("p", posed.command, "csp-mono")
        with box("div", "csp-cluster"):
            CopyButton("Copy command", posed.command)
            items = [
                ("Scenario file", "my-scenario.toml", lambda: posed.scenario_file),
                ("Outcomes (CSV)", "outcomes.csv", lambda: as_csv(_outcomes(ensemble))),
                ("Runs (CSV)", "runs.csv", lambda: _runs(ensemble)),
                ("Question (JSON)", "question.json", lambda: as_json({**state_of(posed.question), "command": posed.command})),
            ]
            Export(items)


def _outcomes(ensemble: Ensemble) -> Table:
    """Every outcome with its difference, interval and verdict, as plain numbers."""
    answer = answer_of(ensemble)
    if answer is None:
        raise CspsimError("there are no runs yet")
    columns = [name for name in answer.comparison.findings[0]._fields if name != "scenario"]
    rows = [[getattr(finding, name) for name in columns] for finding in answer.comparison.findings]
    return Table(columns, rows)


def _runs(ensemble: Ensemble) -> str:
    """Every run of both arms, one row each."""
    answer = answer_of(ensemble)
    if answer is None:
        raise CspsimError("there are no runs yet")
    frames = []
    for arm, results in answer.comparison.results.items():
        frame = results.runs.copy()
        frame.insert(0, "arm", arm)
        frames.append(frame)
    import pandas as pd

    return str(harmless(pd.concat(frames)).to_csv(index=False, lineterminator="\n"))
