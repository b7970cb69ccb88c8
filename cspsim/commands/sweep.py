"""The command that runs experiments: ``cspsim sweep``."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cspsim.basics.errors import CspsimError
from cspsim.basics.exports import as_json
from cspsim.basics.limits import in_bytes, in_time
from cspsim.basics.outward import as_argument, for_shell
from cspsim.commands.options import AllowRules, Json, MemoryLimit, Threads, TimeLimit, permit
from cspsim.commands.stopping import exit_code_of
from cspsim.commands.terminal import Column, complain, remark, say, show_table, waiting

if TYPE_CHECKING:
    from cspsim.sweep.plan import Plan
    from cspsim.sweep.stored_results import SweepResults

FAILED_RUNS = 3
"""Exit code of a sweep that is complete except for runs that failed."""

REMARK_EVERY = 30.0  # seconds between lines of progress where nobody looks at a terminal


def sweep(
    file: Annotated[str, typer.Argument(help="Path of an experiment file, or the name of a shipped one.")],
    out_folder: Annotated[
        str | None, typer.Option("--out", "-o", help="Folder (or address such as s3://bucket/name) for the results.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a sweep that was stopped.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be run and what it would cost; run nothing.")] = False,
    only: Annotated[int | None, typer.Option(min=0, help="Replay one run, by its number, and show what came of it.")] = None,
    threads: Threads = None,
    dask: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Run on a dask cluster: its address, its scheduler's .json file, or local:N workers."),
    ] = None,
    allow_rules: AllowRules = False,
    time_limit: TimeLimit = None,
    memory_limit: MemoryLimit = None,
    json: Json = False,
) -> None:
    """Run an experiment: policies x assumptions x luck, stored as it goes, to be resumed at any time."""
    from cspsim.running.rulebook import require_permission
    from cspsim.sweep.designing import make_plan
    from cspsim.sweep.estimate import sweep_work
    from cspsim.sweep.reading import load_experiment

    experiment = load_experiment(file, allow_rules)
    for scenario in experiment.policies.values():
        require_permission(scenario)
    if only is None and not dry_run:
        permit(sweep_work(experiment, threads), f"the sweep {experiment.name!r}", time_limit, memory_limit)
    else:
        design = sweep_work(experiment, threads)._replace(seconds=0.0)
        permit(design, f"laying out the sweep {experiment.name!r}", time_limit, memory_limit)
    plan = make_plan(experiment)
    if only is not None:
        _replay(plan, only, json)
        return
    if out_folder == "":
        raise CspsimError("--out is empty: expected a folder, or leave it out")
    target = out_folder or str(Path("cspsim-results") / experiment.name)
    if not json:
        _announce(plan, threads, dask, dry_run)
    if dry_run:
        if json:
            typer.echo(as_json(_planned(plan, threads, dask)))
        return
    with _progress(plan, json) as advance:
        from cspsim.sweep.sweeping import run_sweep

        try:
            results = run_sweep(experiment, target, resume, threads, dask, advance, said=file, tell=remark)
        except KeyboardInterrupt as stop:
            raise SweepPaused(f"paused; every finished job is kept. Go on with: {_again(file, out_folder, allow_rules)}", stop) from None
    _answer(results, target, json)
    if len(results.failures):
        raise typer.Exit(FAILED_RUNS)


class SweepPaused(CspsimError):
    """Somebody stopped a sweep."""

    def __init__(self, text: str, stop: KeyboardInterrupt) -> None:
        super().__init__(text)
        self.exit_code = exit_code_of(stop)


def _again(file: str, out_folder: str | None, allow_rules: bool) -> str:
    asked = [*(["--out", out_folder] if out_folder else []), *(["--allow-rules"] if allow_rules else [])]
    return for_shell(["cspsim", "sweep", as_argument(file), *asked, "--resume"])


def _planned(plan: "Plan", threads: int | None, dask: str | None) -> dict[str, Any]:
    from cspsim.sweep.estimate import estimate

    local = dask.removeprefix("local:") if dask else ""
    cost = estimate(plan, int(local) if local.isdecimal() else threads)
    return {
        "experiment": plan.experiment.name,
        "digest": plan.digest,
        "policies": plan.policies.names,
        "assumption_sets": plan.sets,
        "replicates": plan.rounds[0],
        "runs": cost.runs,
        "most_runs": cost.most_runs,
        "seconds": cost.seconds,
        "bytes": cost.bytes,
        "workers": cost.workers,
    }


def _announce(plan: "Plan", threads: int | None, dask: str | None, whole: bool) -> None:
    """The question and what answering it will cost, before the first run."""
    from cspsim.commands.terminal import announce_compilation

    announce_compilation()
    cost = _planned(plan, threads, dask)
    data = plan.experiment.data
    say(data.title, style="bold")
    say(data.question)
    if whole:
        _show_design(plan)
    sets = f"{plan.sets:,} assumption set{'s' if plan.sets > 1 else ''}" if plan.varied else "the best guesses"
    luck = f"{sets} x {plan.rounds[0]:,} replicates"
    if plan.rows is not None:
        luck = f"{plan.rounds[0]:,} rows of a design of luck ({sets} among them)"
    more = f", at most {cost['most_runs']:,} to reach the precision" if cost["most_runs"] > cost["runs"] else ""
    say(f"{len(plan.policies.names):,} policies x {luck} = {cost['runs']:,} runs{more}.")
    say(f"About {in_time(cost['seconds'])} on {cost['workers']} workers and {in_bytes(cost['bytes'])} on disk, by a pilot of a few runs.")


def _show_design(plan: "Plan") -> None:
    rows = []
    for k, name in enumerate(plan.policies.names[:40]):
        settings = ", ".join(
            f"{lever} = {value:.4g}" for lever, value in zip(plan.policies.levers, plan.policies.settings[k], strict=True) if value == value
        )
        scenario = plan.scenarios[plan.policies.scenario[k]]
        rows.append((str(k), name, settings or scenario.title, plan.policies.names[plan.policies.against[k]]))
    show_table("Policies", [Column("Number", True), Column("Name"), Column("What it is"), Column("Measured against", rank=1)], rows)
    if len(plan.policies.names) > len(rows):
        say(f"... and {len(plan.policies.names) - len(rows):,} more")
    if plan.varied:
        shown = ", ".join(plan.varied[:8]) + (f" and {len(plan.varied) - 8} more" if len(plan.varied) > 8 else "")
        say(f"Sampled ({plan.experiment.data.uncertainties.design}): {shown}")
    say(f"Stored: {', '.join(plan.experiment.outcomes)}")
    say()


@contextmanager
def _progress(plan: "Plan", quiet: bool) -> Iterator[Callable[[int], None] | None]:
    """A bar on a terminal; elsewhere, as in the log of a batch job, a line now and then."""
    with waiting("Sweeping", quiet) as report:
        advance = report(plan.runs_after(0) if len(plan.rounds) == 1 else None)
        yield advance if advance is not None or quiet else _lines(plan.runs_after(0))


def _lines(total: int) -> Callable[[int], None]:
    started = last = time.monotonic()
    done = first = 0

    def advance(finished: int) -> None:
        nonlocal done, last, first
        first = first if done else finished  # what was found done at the start says nothing about speed
        done += finished
        now = time.monotonic()
        if now - last >= REMARK_EVERY and done > first:
            last = now
            left = (now - started) / (done - first) * max(0, total - done)
            remark(f"{done:,} of {total:,} runs, about {in_time(left)} left")

    return advance


def _answer(results: "SweepResults", target: str, json: bool) -> None:
    counts = results.manifest["counts"]
    failures = results.failures
    if json:
        failed = failures.to_dict("records") if len(failures) else []
        typer.echo(
            as_json(
                {"folder": target, "status": results.manifest["status"], "digest": results.manifest["digest"], **counts, "failed": failed}
            )
        )
        return
    how = "Finished already, nothing was run again" if results.was_finished else "Complete"
    say(f"{how}: {counts['runs']:,} runs in {target}")
    for note in results.manifest["notes"]:
        say(note)
    if len(failures):
        complain(f"{len(failures)} run{'s' if len(failures) > 1 else ''} failed, such as run {failures['run'][0]}: {failures['error'][0]}")
        complain(f"to replay it: {failures['command'][0]}")
    say(f"What it says: {for_shell(['cspsim', 'analyse', as_argument(target)])}")
    say(f"The tables: {for_shell(['cspsim', 'results', as_argument(target)])}")


def _replay(plan: "Plan", run: int, json: bool) -> None:
    """One run of the sweep again, with the error it ended in if it did."""
    from cspsim.running.results import AREA
    from cspsim.sweep.jobs import FAILURES, RUNS, from_parquet, run_job

    last = plan.runs_after(len(plan.rounds) - 1)
    if run >= last:
        raise CspsimError(f"--only {run}: the runs of this experiment are numbered 0 to {last - 1}")
    stretch = next(plan.stretches(run, run + 1))
    tables = run_job(plan, run, run + 1)
    where = {
        "run": run,
        "policy": plan.policies.names[stretch.policy],
        "assumptions": stretch.assumptions,
        "replicate": int(stretch.replicates[0]),
    }
    if FAILURES in tables:
        raise CspsimError(
            f"run {run} ({where['policy']}, assumption set {where['assumptions']}, replicate {where['replicate']}) fails: "
            f"{from_parquet(tables[FAILURES])['error'][0]}"
        )
    frame = from_parquet(tables[RUNS]).to_pandas()
    area = frame[frame["partnership"] == AREA].iloc[0]
    found = {name: float(area[name]) for name in plan.experiment.outcomes}
    if json:
        typer.echo(as_json({**where, "outcomes": found}))
        return
    say(", ".join(f"{key} {value}" for key, value in where.items()))
    show_table("", [Column("Outcome"), Column("Area", True)], [(name, f"{value:,.6g}") for name, value in found.items()])
