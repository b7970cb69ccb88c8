"""The right side of Explore: the answer in words, charts, why, the five definitions, other assumptions, all outcomes."""

from collections.abc import Callable

import solara

from cspsim.basics.errors import CspsimError
from cspsim.basics.formats import amount
from cspsim.reports.summary import comparison_rows
from cspsim.running.outcomes import MAIN, OUTCOMES
from cspsim.web.explore.answer import SCENARIO, Answer, answer_of, corners_of, moved_by
from cspsim.web.explore.answer_words import corner_in_words, told
from cspsim.web.explore.ensemble import WHY_RUNS, Ensemble
from cspsim.web.explore.pictures import (
    Picture,
    by_partnership,
    definitions,
    measured_and_true,
    outcomes_shown,
    paired,
    why_table,
    year_by_year,
)
from cspsim.web.live import use_news
from cspsim.web.parts import Button, Chart, DataTable, Notice, Progress, Table, Verdict, box, words


@solara.component
def ExploreResults(
    ensemble: Ensemble, why: bool, set_why: Callable[[bool], None], summarise: Callable[[str], None] = lambda said: None
) -> None:
    """The answer as far as it is known, redrawn as runs come in. ``summarise`` is given the answer in one line."""

    def follow(tell: Callable[[], None]) -> Callable[[], None]:
        end = ensemble.subscribe(tell)
        ensemble.start()
        return end

    news = use_news(follow, [ensemble], REST)
    found = solara.use_memo(lambda: answer_of(ensemble), [ensemble, ensemble.progress[0], ensemble.sets_there])
    before = solara.use_ref(found)
    before.current = answer = found or before.current  # the answer to the question before stays until there is a new one
    said = told(answer) if answer is not None else None
    settled = answer is not None and answer is found and answer.done == answer.asked
    short = f"{said.mark}. {said.headline}" if said and settled else ""
    solara.use_effect(lambda: summarise(short) if short else None, [short])
    with box("div", "csp-stack", id_="answer"):
        if ensemble.fault:
            Notice(ensemble.fault, "error")
            Button("Try again", ensemble.start, kind="primary")
        if answer is None or said is None:
            with box("section", "csp-verdict", "csp-verdict--unsure"):
                words("p", "Waiting for the first runs" if ensemble.going else "Stopped before the first run", "csp-verdict__headline")
        else:
            with box("div", "csp-explore__now" if answer is found else "csp-explore__before"):
                Verdict(said.headline, said.interval, said.tone, said.context, said.mark, settled)
        if not ensemble.fault:
            Going(ensemble, news)
        if answer is not None:
            OtherWorlds(ensemble, news)
            Pictures(answer)
            Why(ensemble, answer, why, set_why, news)
            Effectiveness(answer)
            Places(answer)
            AllOutcomes(answer)


@solara.component
def Going(ensemble: Ensemble, news: int) -> None:
    """How many runs are there, and a button to stop or go on. ``news`` changes when there is something new to show."""
    done, asked = ensemble.progress
    with box("div", "csp-explore__going"):
        if done < asked:
            Progress(done, asked, "runs")
        elif not ensemble.finished:
            words("p", f"{done:,} of {asked:,} runs; now {doing(ensemble)}", "csp-soft")
        else:
            words("p", f"All {asked:,} runs are done.", "csp-soft")
        if not ensemble.finished:
            if ensemble.going:
                Button("Stop", ensemble.stop, describe="the runs")
            else:
                Button("Go on", ensemble.start, describe="with the runs")


def doing(ensemble: Ensemble) -> str:
    """What is being run once the answer itself is there."""
    if not ensemble.sets_there:
        return "other sets of assumptions"
    return "what moved it" if ensemble.posed.question.why else "the other assumptions"


REST = 3.0
"""How long the page waits before it draws more runs, in multiples of the time that the last drawing took."""
KEY = "Dashed: the baseline's mean. Solid: the scenario's, with a dark band for half of its runs and a light one for nine of ten."
SINCE = " Vertical line: your changes begin."


@solara.component
def Pictures(answer: Answer) -> None:
    """The paired difference, then the outcomes that matter."""
    with box("section", "csp-stack", aria_labelledby="explore-pictures"):
        words("h2", "Year by year", "csp-h2", id_="explore-pictures")
        words("p", KEY + (SINCE if answer.posed.changes else ""), "csp-soft", "csp-small")
        with box("div", "csp-grid", "csp-grid--2"):
            first, *others = outcomes_shown(answer)
            Drawn(year_by_year(answer, first)).key("first")
            Drawn(paired(answer)).key("difference")
            for place, outcome in enumerate(others):
                Drawn(year_by_year(answer, outcome)).key(str(place))


@solara.component
def Drawn(picture: Picture) -> None:
    """One chart in its card."""
    with box("div", "csp-card"):
        Chart(picture.title, picture.option, picture.table, picture.summary, picture.subtitle, picture.scale, 230)


@solara.component
def Why(ensemble: Ensemble, answer: Answer, asked: bool, ask: Callable[[bool], None], news: int) -> None:
    """Which part of the change moved the outcome: each is switched off by itself, under the same luck."""
    with box("section", "csp-card", aria_labelledby="explore-why"):
        words("h2", "Why?", "csp-h2", id_="explore-why")
        title = OUTCOMES[answer.posed.outcome].title
        if not asked:
            words(
                "p", f"Which part of the change moved “{title}”? Each part is put back as in the baseline, by itself, under the same luck."
            )
            Button("Work it out", lambda: ask(True), kind="primary", describe="which part of the change moved the outcome")
            return
        moved = moved_by(ensemble)
        if moved is None:
            words("p", "Working it out." if ensemble.going else "Stopped.", "csp-soft", role="status")
        elif not moved:
            said = ensemble.apart.said if ensemble.apart else ""
            words("p", said or "The two scenarios are the same: there is nothing to switch off.")
        else:
            DataTable(why_table(moved, answer.posed.outcome), hide_caption=True)
            together = sum(one.difference for one in moved)
            words("p", _adding_up(together, answer), "csp-soft")
            if answer.asked > WHY_RUNS:
                words("p", f"From the first {WHY_RUNS} runs of each.", "csp-soft")
            if ensemble.apart and ensemble.apart.said:
                words("p", ensemble.apart.said, "csp-soft")
        Button("Hide", lambda: ask(False), kind="quiet", describe="why")


def _adding_up(together: float, answer: Answer) -> str:
    """Whether single effects add up to the whole."""
    whole = answer.finding.difference
    if abs(together - whole) <= max(answer.finding.half_width, 0.02 * abs(whole)):
        return "The single effects add up to the whole difference."
    return "The single effects do not add up to the whole: the parts make each other's effect larger or smaller."


@solara.component
def Effectiveness(answer: Answer) -> None:
    """Five definitions of effective side by side, and what was measured and believed against what was true."""
    table, said = definitions(answer)
    with box("section", "csp-card", aria_labelledby="explore-definitions"):
        words("h2", "Effective by which definition?", "csp-h2", id_="explore-definitions")
        words("p", said)
        DataTable(table, hide_caption=True)
        words("h3", "Measured and believed against true", "csp-h3")
        DataTable(measured_and_true(answer), hide_caption=True)


@solara.component
def Places(answer: Answer) -> None:
    """Who has more money, who has more work, and what happens to crime, partnership by partnership."""
    with box("section", "csp-card", aria_labelledby="explore-places"):
        words("h2", "By partnership", "csp-h2", id_="explore-places")
        words("p", "In the scenario; in brackets the difference from the baseline. Means over the runs.", "csp-soft")
        DataTable(by_partnership(answer), hide_caption=True)


@solara.component
def OtherWorlds(ensemble: Ensemble, news: int) -> None:
    """The 2x2: the policy's difference under default and under changed assumptions."""
    posed = ensemble.posed
    if posed.changed_baseline is None:
        return
    corners = corners_of(ensemble)
    with box("section", "csp-card", aria_labelledby="explore-worlds"):
        words("h2", "Does it hold under other assumptions?", "csp-h2", id_="explore-worlds")
        if corners is None:
            words("p", "Working it out." if ensemble.going else "Stopped.", "csp-soft", role="status")
            return
        entry = OUTCOMES[posed.outcome]
        rows = [
            ["Baseline", *(amount(corner.baseline, entry.unit, corner.finding.half_width or None) for corner in corners)],
            ["Scenario", *(amount(corner.scenario, entry.unit, corner.finding.half_width or None) for corner in corners)],
            ["Difference", *(corner_in_words(corner.finding) for corner in corners)],
        ]
        DataTable(Table([entry.title, "Best guesses", "Changed assumptions"], rows, "The policy in two worlds"), hide_caption=True)
        ours, theirs = (corner.finding.verdict for corner in corners)
        same = "The verdict is the same in both." if ours == theirs else "The verdict is not the same: it rests on these assumptions."
        words("p", same)


@solara.component
def AllOutcomes(answer: Answer) -> None:
    """The table that the command line prints."""
    rows = [
        [row.title, row.baseline, row.value, row.difference, row.interval, row.assumptions, f"{row.verdict}, {row.direction}".rstrip(", ")]
        for row in comparison_rows(answer.comparison, SCENARIO, MAIN)
    ]
    columns = ["Outcome", "Baseline", "Scenario", "Difference", "95% interval", "Under other assumptions", "Verdict"]
    with box("details", "csp-card"):
        words("summary", "All main outcomes", "csp-h3")
        DataTable(Table(columns, rows, "Main outcomes"), hide_caption=True)


@solara.component
def Unanswered(fault: CspsimError) -> None:
    """Why there is no answer."""
    Notice(str(fault), "error")
