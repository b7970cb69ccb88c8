"""Predict first: choose a question, hold the run, commit an answer, and only then see what the model says."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import solara

from cspsim.running.outcomes import OUTCOMES
from cspsim.web.parts import Button, ChoiceField, Notice, Progress, box, words
from cspsim.web.watch.background import Job
from cspsim.web.watch.prediction import (
    CLAIMS,
    Claim,
    Odds,
    answer_in_words,
    claim_of,
    held_at,
    odds_in_words,
    pair_in,
    question_in_words,
    same_in_words,
    verdict_in_words,
)
from cspsim.web.watch.recorded_run import Recording
from cspsim.web.watch.watch_state import questions_for

NOTHING_YET: Claim | None = None


class Committed(NamedTuple):
    """What the class said."""

    outcome: str
    claim: Claim


@solara.component
def Asking(recordings: tuple[Recording, ...], ask: Callable[[str], None], never: Callable[[], None]) -> None:
    """Choose what is to be predicted."""
    titles = questions_for([recording.scenario for recording in recordings], len(recordings) > 1)
    chosen, choose = solara.use_state(next(iter(titles)))
    held = recordings[0].months[held_at(recordings[0])]
    with box("section", "csp-card", aria_labelledby="predict"):
        words("h2", "Predict first", "csp-h2", id_="predict")
        words("p", f"The run is held at {held:%B %Y}, before the outcome window, until the class has committed an answer.")
        ChoiceField("What is to be predicted", chosen, titles, choose)
        words("p", question_in_words(chosen, recordings), "csp-soft")
        with box("div", "csp-cluster"):
            Button("Hold the run and ask", lambda: ask(chosen), kind="primary")
            Button("Not now", never, kind="quiet")


@solara.component
def Open(outcome: str, recordings: tuple[Recording, ...], commit: Callable[[Claim], None], drop: Callable[[], None]) -> None:
    """The question with its answers. Nothing about the end is on the page."""
    chosen, choose = solara.use_state(NOTHING_YET)
    with box("section", "csp-card", "csp-watch__question", aria_labelledby="predict"):
        words("h2", "Predict first", "csp-h2", id_="predict")
        words("p", question_in_words(outcome, recordings), "csp-lead", id_="asked")
        with box("div", "csp-cluster", role="group", aria_labelledby="asked"):
            for claim, text in CLAIMS.items():
                Button(text, partial(choose, claim), pressed=chosen == claim)
        words(
            "p", f"The run is held at {recordings[0].months[held_at(recordings[0])]:%B %Y} until then. {same_in_words(outcome)}", "csp-soft"
        )
        with box("div", "csp-cluster"):
            Button("Commit", lambda: commit(chosen) if chosen else None, kind="primary", disabled=chosen is None)
            Button("Drop the question", drop, kind="quiet")


@solara.component
def AnsweredPrediction(
    committed: Committed, recordings: tuple[Recording, ...], job: Job[Odds] | None, at_the_end: bool, done: Callable[[], None]
) -> None:
    """What was committed; the answer when somebody asks for it or the run has come to its end."""
    wanted, want = solara.use_state(False)
    with box("section", "csp-card", "csp-watch__question", aria_labelledby="predict"):
        words("h2", "Predict first", "csp-h2", id_="predict")
        words("p", question_in_words(committed.outcome, recordings), "csp-lead")
        words("p", f"Committed: {CLAIMS[committed.claim].lower()}.")
        if not (wanted or at_the_end):
            words("p", "Play to the end to see whether it comes out so.", "csp-soft")
            with box("div", "csp-cluster"):
                Button("Show the answer now", lambda: want(True), kind="primary")
                Button("Close", done, kind="quiet", describe="prediction")
            return
        pair = pair_in(recordings, committed.outcome)
        right = claim_of(OUTCOMES[committed.outcome], *pair) == committed.claim
        heading = "As the class said" if right else "It came out otherwise"
        Notice(answer_in_words(committed.outcome, *pair), "success" if right else "note", heading)
        if job is None or not job.ended:
            Progress(job.done if job else 0, job.total if job else 0)
        elif job.fault:
            Notice(job.fault, "error")
        elif job.result is not None:
            words("p", odds_in_words(job.result))
            words("p", verdict_in_words(job.result, committed.outcome))
        words("p", same_in_words(committed.outcome), "csp-soft", "csp-small")
        with box("div", "csp-cluster"):
            Button("Close", done, kind="quiet", describe="prediction")
