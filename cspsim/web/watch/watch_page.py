"""The page of the tab Watch: one run, or two under the same luck, month by month."""

from collections.abc import Callable
from functools import partial

import solara

from cspsim.web.frame import use_frame
from cspsim.web.parts import Address, Button, CopyButton, Export, Notice, Progress, box, words
from cspsim.web.shown_scenarios import scenario_of
from cspsim.web.watch.background import use_job
from cspsim.web.watch.prediction import ODDS, Claim, OddsKey, held_at
from cspsim.web.watch.prediction_page import AnsweredPrediction, Asking, Committed, Open
from cspsim.web.watch.recorded_run import RECORDINGS, Recording, key_of
from cspsim.web.watch.series import ScenarioShown, sides_of
from cspsim.web.watch.setup_page import Setup
from cspsim.web.watch.stage import Charts, StagePlayer
from cspsim.web.watch.watch_exports import command_of, log_csv, months_csv, table_svg
from cspsim.web.watch.watch_notes import NOTES
from cspsim.web.watch.watch_state import NONE, WatchState, asked_in, mismatch, query_of


@solara.component
def WatchPage() -> None:
    """What the tab shows: which run, and the run once it is recorded."""
    search = solara.use_router().search
    first, faults = solara.use_memo(lambda: asked_in(search), [])
    asked, set_asked = solara.use_state(first)
    said, say = solara.use_state("")
    names = [asked.baseline, asked.scenario] if asked.baseline else [asked.scenario]
    scenarios = [scenario_of(name) for name in names]
    apart = mismatch(*scenarios) if len(scenarios) == 2 else ""
    if apart:
        names, scenarios = names[1:], scenarios[1:]
    keys = [key_of(name, asked.seed, asked.replicate) for name in names]
    jobs = [use_job(RECORDINGS, keys[-1]), use_job(RECORDINGS, keys[0] if len(keys) == 2 else None)]
    use_frame(" and ".join(scenario.title for scenario in scenarios[::-1]), asked.seed, NOTES)
    Address(query_of(asked))
    with box("div", "csp-stack"):
        with box("div", "csp-stack", "csp-stack--tight"):
            words("h1", "Watch", "csp-h1")
            words("p", "One run, month by month: who tabled what, who challenged whom, and what came of it.", "csp-lead", "csp-watch__lead")
        if faults:
            Notice(f"Not everything in this link could be used. {'; '.join(faults)}.", "warning")
        Setup(asked, set_asked, say, not search or bool(faults))
        for text in filter(None, (said, apart)):
            Notice(text, "warning")
        wanted = [job for job in jobs[::-1] if job is not None][-len(keys) :]
        failed = [job.fault for job in wanted if job.fault]
        recordings = tuple(job.result for job in wanted if job.result is not None)
        if failed:
            Notice(failed[0], "error")
        elif len(recordings) < len(keys):
            Progress(sum(job.done for job in wanted), sum(job.total for job in wanted), "months recorded")
        else:
            Watching(asked, set_asked, recordings).key(repr(keys))


NO_ANSWER: Committed | None = None


@solara.component
def Watching(asked: WatchState, change: Callable[[WatchState], None], recordings: tuple[Recording, ...]) -> None:
    """Recorded runs with the question about them. While a question is open nothing after the month it is held at is shown."""
    asking, set_asking = solara.use_state(False)
    committed, set_committed = solara.use_state(NO_ANSWER)
    outcome = asked.question or (committed.outcome if committed else NONE)
    keys = [key_of(recording.scenario.name, asked.seed, 0) for recording in recordings]
    held = held_at(recordings[0])
    odds = OddsKey(outcome, keys[-1], keys[0] if len(keys) == 2 else None, held) if outcome else None
    job = use_job(ODDS, odds)
    last = len(recordings[0].months) - 1
    limit = held if asked.question else last
    sides = sides_of(recordings)

    def ask(name: str) -> None:
        set_asking(False)
        set_committed(None)
        change(asked._replace(question=name, month=min(asked.month, held)))

    def commit(claim: Claim) -> None:
        set_committed(Committed(asked.question, claim))
        change(asked._replace(question=NONE))

    with box("div", "csp-cluster"):
        if not (asking or asked.question or committed):
            Button("Predict first", lambda: set_asking(True))
        WatchTakeAway(asked, sides, limit)
    if asked.question:
        Open(asked.question, recordings, commit, lambda: change(asked._replace(question=NONE)))
    elif committed:
        AnsweredPrediction(committed, recordings, job, asked.month >= last, lambda: set_committed(None))
    elif asking:
        Asking(recordings, ask, lambda: set_asking(False))
    StagePlayer(asked, change, sides, limit)
    Charts(asked, sides, limit)
    with box("section", "csp-card", aria_label="The same at the command line"):
        words("h2", "The same at the command line", "csp-h3")
        for side in sides:
            command = command_of(asked, side.recording.scenario.name)
            with box("div", "csp-cluster"):
                words("code", command, "csp-watch__command")
                CopyButton(f"Copy command {side.letter}".strip(), command)


@solara.component
def WatchTakeAway(asked: WatchState, sides: list[ScenarioShown], limit: int) -> None:
    """Downloads; while a question is open they end where the page ends."""
    month = min(asked.month, limit)
    items: list[tuple[str, str, str | bytes | Callable[[], str | bytes]]] = []
    for side in sides:
        recording, letter = side.recording, f"{side.letter}: " if side.letter else ""
        name = recording.scenario.name
        items += [
            (f"{letter}Log, CSV", f"{name}-log.csv", partial(log_csv, recording, asked, limit)),
            (f"{letter}Months, CSV", f"{name}-months.csv", partial(months_csv, recording, limit)),
            (f"{letter}Scenario, TOML", f"{name}.toml", recording.scenario.to_toml),
            (
                f"{letter}Table, SVG",
                f"{name}-table.svg",
                partial(table_svg, recording, asked.partnership, month),
            ),
        ]
    Export(items)
