"""The command that searches for the best mix of levers: ``cspsim optimise``."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cspsim.basics.errors import CspsimError
from cspsim.basics.exports import as_json
from cspsim.basics.outward import as_argument
from cspsim.commands.options import Json, MemoryLimit, Out, Threads, TimeLimit, permit, replay_command
from cspsim.commands.stopping import exit_code_of
from cspsim.commands.terminal import Column, say, show_table, waiting

if TYPE_CHECKING:
    from cspsim.search.folder import SearchFolder
    from cspsim.search.search_file import Search

SHOWN = ("second_look", "mixes", "methods")


class SearchPaused(CspsimError):
    """Somebody stopped a search."""

    def __init__(self, text: str, stop: KeyboardInterrupt) -> None:
        super().__init__(text)
        self.exit_code = exit_code_of(stop)


def optimise(
    file: Annotated[str, typer.Argument(help="Path of a search file, or the name of a shipped one.")],
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a search that was stopped, or add trials to it.")] = False,
    trials: Annotated[int | None, typer.Option(min=2, help="Trials of each method; the file's own number if not given.")] = None,
    out_folder: Out = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check the file and say what would be run; run nothing.")] = False,
    threads: Threads = None,
    time_limit: TimeLimit = None,
    memory_limit: MemoryLimit = None,
    json: Json = False,
) -> None:
    """Search for the mix of levers that averts most harm under a fixed budget, and look again at what was found."""
    from cspsim.search.search_file import load_search

    search = load_search(file)
    if dry_run:
        _plan(search, trials, json)
        return
    from cspsim.search.folder import SearchFolder
    from cspsim.search.searching import search_work

    permit(search_work(search, trials or search.data.trials, threads), f"searching {search.name!r}", time_limit, memory_limit)
    target = out_folder or Path("cspsim-results") / search.name
    folder = SearchFolder(target, search, trials, resume)
    old = folder.finished
    try:
        answer = folder.answer() if old else _searched(search, folder, threads, json)
    except KeyboardInterrupt as stop:
        asked = [*(["--out", str(out_folder)] if out_folder else []), *(["--trials", str(trials)] if trials else [])]
        again = replay_command(["optimise", as_argument(file), *asked, "--resume"])
        raise SearchPaused(f"paused; every finished trial is kept. Go on with: {again}", stop) from None
    if json:
        typer.echo(as_json({**answer, "folder": str(target), "run_again": not old}))
    else:
        _show(answer, target, old)


def _searched(search: "Search", folder: "SearchFolder", threads: int | None, quiet: bool) -> dict[str, Any]:
    from cspsim.search.folder import RUNNING

    folder.write_manifest(RUNNING)
    with waiting("Searching", quiet) as report:
        from cspsim.search.searching import run_search, search_runs

        progress = report(search_runs(search, folder.archive, folder.trials))
        found = run_search(search, folder.archive, folder.trials, threads, progress)
    from cspsim.search.search_page import write_search

    return write_search(found, folder, replay_command(sys.argv[1:]))


def _plan(search: "Search", trials: int | None, json: bool) -> None:
    """What would be run, without running it."""
    from cspsim.search.searching import search_runs
    from cspsim.search.trials import Archive

    data = search.data
    count = trials or data.trials
    planned = {
        "levers": len(search.dimensions),
        "methods": data.methods,
        "trials": count,
        "runs": search_runs(search, Archive(None), count),
    }
    if json:
        typer.echo(as_json(planned))
        return
    rows = [(d.name, f"{d.low:g}", f"{d.high:g}", f"{d.step:g}" if d.step else "", d.from_month or "the start") for d in search.dimensions]
    show_table(
        data.title, [Column("Lever"), Column("Low", True), Column("High", True), Column("Step", True, 2), Column("From", rank=1)], rows
    )
    say(f"{count:,} trials of {', '.join(data.methods)}: at most {planned['runs']:,} runs.")


def _show(answer: dict[str, Any], target: Path, old: bool) -> None:
    """The answer on the terminal: sentences, then the main tables."""
    say(answer["title"], style="bold")
    say(answer["question"], style="italic")
    if old:
        say("Finished already: this is its answer, nothing was run again.")
    say()
    for number, sentence in enumerate(answer["sentences"]):
        say(sentence, style="bold" if number == 1 else None)
    say()
    words = ("Chosen as", "Verdict")
    ranks = {"In the search (95% interval)": 1, "Flattered by (95% interval)": 2, "Worst-case regret, fresh": 3, "95% interval": 1}
    for name in SHOWN:
        grid = answer["tables"][name]
        columns = [Column(title, k > 0 and title not in words, ranks.get(title, 0)) for k, title in enumerate(grid["columns"])]
        show_table(grid["title"], columns, grid["cells"])
    say("Chosen in the search, judged on fresh luck and fresh assumptions; best by this harm and this model only.")
    say(f"Figures, every table, the mixes as scenarios: {target / 'report.html'}")
