"""The command that tests what was claimed before the run: ``cspsim hypotheses``."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cspsim.basics.exports import as_json, check_target
from cspsim.commands.options import AllowRules, Json, MemoryLimit, Out, Seed, Threads, TimeLimit, permit, replay_command
from cspsim.commands.terminal import Column, complain, remark, say, show_table, waiting

if TYPE_CHECKING:
    from cspsim.hypotheses.freezing import FileRecord
    from cspsim.hypotheses.hypothesis_file import HypothesisFile
    from cspsim.hypotheses.hypothesis_page import HypothesisAnswer
    from cspsim.hypotheses.hypothesis_words import HypothesisRow

BROKEN = 3
"""Exit code where a null world was not exactly what it has to be: a fault of the model, whatever the hypotheses."""


def hypotheses(
    file: Annotated[str, typer.Argument(help="Path of a hypothesis file, or the name of a shipped one.")],
    out_folder: Out = None,
    seed: Seed = 1,
    false_positives: Annotated[
        int | None, typer.Option(min=0, help="Trials of a scenario against itself; the file's own number if not given, 0 for none.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check the file and say what would be run; freeze and run nothing.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Run again what is finished already.")] = False,
    threads: Threads = None,
    allow_rules: AllowRules = False,
    time_limit: TimeLimit = None,
    memory_limit: MemoryLimit = None,
    json: Json = False,
) -> None:
    """Test hypotheses stated before the run: freeze the file, run it, and say what was supported, refuted or left undecided."""
    from cspsim.hypotheses.hypothesis_file import load_hypotheses
    from cspsim.hypotheses.testing import arms_of
    from cspsim.running.rulebook import require_permission

    read = load_hypotheses(file, allow_rules)
    if dry_run:
        _plan(read, false_positives, json)
        return
    for arm in arms_of(read):
        require_permission(arm)
    from cspsim.hypotheses.testing import hypothesis_work

    permit(hypothesis_work(read, false_positives, threads), f"testing {read.name!r}", time_limit, memory_limit)
    target = out_folder or Path("cspsim-results") / f"{read.name}"
    check_target(target)
    answer, old = _answered(read, target, seed, false_positives, again, threads, json)
    if json:
        from cspsim.hypotheses.hypothesis_page import answer_as_json

        typer.echo(as_json({**answer_as_json(answer), "folder": str(target), "run_again": not old}))
    else:
        _show(answer, target, old)
    if answer.tested.broken:
        complain(f"a null world is broken: {'; '.join(answer.tested.broken)}")
        raise typer.Exit(BROKEN)


def _answered(
    read: "HypothesisFile", target: Path, seed: int, trials: int | None, again: bool, threads: int | None, quiet: bool
) -> "tuple[HypothesisAnswer, bool]":
    """What came out, and whether it was found finished: the file is frozen first, then run unless it was."""
    from cspsim.hypotheses.freezing import freeze, receipts_folder, record_run
    from cspsim.hypotheses.hypothesis_page import HypothesisAnswer, write_answer
    from cspsim.hypotheses.stored_hypotheses import doubts, read_results, work_key

    history = freeze(read, receipts_folder(target))
    if not quiet:
        _announce(history)
    n = read.data.false_positives if trials is None else trials
    work = work_key(history.present, seed, n)
    damaged = [] if again else doubts(target, history, work)
    for line in damaged:
        remark(f"Run again: {line}.")
    found = None if again or damaged else read_results(target, work)
    old = found is not None
    if found is None:
        if history.own_records and not (again or damaged or quiet):
            remark("Run again: the seed, the trials, the version or a rule is not that of the finished run.")
        with waiting("Testing", quiet) as report:
            from cspsim.hypotheses.testing import hypothesis_runs, run_hypotheses

            found = run_hypotheses(read, seed, threads, report(hypothesis_runs(read, n)), n)
        history = record_run(history, work, seed, {finding.name: finding.verdict for finding in found.findings})
    answer = HypothesisAnswer(read, found, history, seed, work, replay_command(sys.argv[1:]))
    if not old:
        write_answer(answer, target)
    return answer, old


def _announce(history: "FileRecord") -> None:
    from cspsim.hypotheses.hypothesis_words import history_in_words

    for line in history_in_words(history):
        say(line, style="bold red" if line.startswith("ALTERED") else None)
    say()


def _plan(read: "HypothesisFile", trials: int | None, json: bool) -> None:
    """What would be run, without running or freezing it."""
    from cspsim.hypotheses.freezing import text_hash
    from cspsim.hypotheses.testing import arms_of, hypothesis_runs

    planned = {"hypotheses": len(read.hypotheses), "arms": len(arms_of(read)), "runs": hypothesis_runs(read, trials)}
    if json:
        typer.echo(as_json({**planned, "sha256": text_hash(read.text)}))
        return
    rows = [(one.name, one.stated.outcome, one.stated.direction, one.stated.statement) for one in read.hypotheses]
    show_table(read.data.title, [Column("Name"), Column("Outcome", rank=2), Column("Direction", rank=1), Column("Statement", rank=0)], rows)
    say(f"Hypotheses: {planned['hypotheses']}, about {planned['arms']} arms; {planned['runs']:,} runs. SHA-256 {text_hash(read.text)}")


def _holds(row: "HypothesisRow") -> str:
    """The share of assumption sets with its interval, and what that makes of the claim, in a few words."""
    return f"{row.holds.replace(' to ', '-')} {row.label.partition(',')[0].partition(' by ')[0]}".rstrip()


def _show(answer: "HypothesisAnswer", target: Path, old: bool) -> None:
    """The answer on the terminal: a sentence, the table, null worlds, false positives."""
    from cspsim.hypotheses.hypothesis_page import hypotheses_headline, rate_in_words
    from cspsim.hypotheses.hypothesis_words import hypothesis_rows

    say(answer.file.data.title, style="bold")
    if old:
        say("Finished already: these are the results of the frozen file, nothing was run again (--again runs it).")
    say(hypotheses_headline(answer.tested), style="bold")
    say()
    columns = [
        Column("Hypothesis"),
        Column("Claim", rank=4),
        Column("Verdict"),
        Column("Effect", True),
        Column("95% interval", True, 2),
        Column("p (Holm)", True, 5),
        Column("Holds in (assumption sets)", True, 1),
        Column("Mechanism", rank=1),
    ]
    rows = [
        (row.name, row.claim, row.verdict, row.effect, row.interval, row.p, _holds(row), row.switched_off)
        for row in hypothesis_rows(answer.file, answer.tested)
    ]
    show_table("", columns, rows)
    nulls = [one.name for one in answer.tested.identities if one.holds]
    stated = sum(finding.null == "exactly zero" for finding in answer.tested.findings)
    say(f"Null worlds: exactly so in every run: {', '.join(nulls)}; and {stated} stated by hypotheses.")
    found = answer.tested.false_positives
    if found is not None:
        shown = [Column("False positives"), Column("Rate", True), Column("95% interval", True), Column("Nominal", True)]
        said = [rate_in_words(rate) for rate in found.rates]
        title = f"A scenario against itself, on other luck, {found.trials:,} times"
        show_table(title, shown, [(one["name"], one["rate"], one["interval"], one["nominal"]) for one in said])
    say("Supported means that it follows from the model's assumptions; held by 99% of assumption sets it was built in, and is no evidence.")
    say(f"Definitions, figures, each hypothesis with its rival explanation: {target / 'report.html'}")
