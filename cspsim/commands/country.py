"""The command that draws a synthetic country, writes it down, and asks it a question: ``country``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cspsim.basics.errors import CspsimError, did_you_mean
from cspsim.basics.exports import MANIFEST, as_json, check_target, results_folder
from cspsim.basics.limits import Work, work_of
from cspsim.basics.outward import as_argument, for_shell
from cspsim.commands.options import Changes, Json, MemoryLimit, Seed, Threads, TimeLimit, parsed_changes, permit
from cspsim.commands.terminal import Column, say, show_table, waiting

if TYPE_CHECKING:
    from cspsim.country.totals import CountryAnswer

AREA_TIME, AREA_MEMORY = 0.07, 20_000.0  # seconds to draw, write or read one area, measured; bytes its answer takes
SET_RUNS = 4  # runs of each arm of each area under each assumption set


def country(
    seed: Seed = 1,
    areas: Annotated[int, typer.Option(min=1, help="Force areas; the first is the capital.")] = 43,
    out_folder: Annotated[Path | None, typer.Option("--out", "-o", help="Folder for one scenario file per area.")] = None,
    run: Annotated[bool, typer.Option("--run", help="Run every area as it is and as --set changes it.")] = False,
    set_: Changes = None,
    replicates: Annotated[int, typer.Option(min=2, help="Runs of each area, with and without the change.")] = 100,
    luck_seed: Annotated[int, typer.Option("--luck-seed", min=0, max=2**64 - 1, help="Seed of the runs' luck.")] = 1,
    assumption_sets: Annotated[int, typer.Option("--assumption-sets", min=0, help="Sampled sets of assumptions, four runs each.")] = 0,
    outcome: Annotated[str | None, typer.Option(help="Outcome of the table of areas; the primary one if not given.")] = None,
    threads: Threads = None,
    time_limit: TimeLimit = None,
    memory_limit: MemoryLimit = None,
    json: Json = False,
) -> None:
    """Draw a synthetic country of some 300 partnerships in 43 force areas; write it as scenarios, or ask it a question."""
    changes = _asked(run, out_folder, set_, outcome)
    permit(Work(areas * AREA_TIME, areas * AREA_MEMORY), f"drawing {areas:,} areas", time_limit, memory_limit)
    found: dict[str, Any] = {"seed": seed, "areas": areas, "synthetic": True}
    if out_folder is not None:
        found["files"] = [str(path) for path in _write(out_folder, seed, areas)]
        if not json:
            say(f"Wrote {areas} synthetic force areas to {out_folder}. No place in them is real.")
            say(f"  {for_shell(['cspsim', 'check', as_argument(found['files'][-1])])}")
            say()
    if run:
        from cspsim.country.areas import AREA_SIZE

        runs = areas * 2 * (replicates + SET_RUNS * assumption_sets)
        work = work_of(AREA_SIZE, runs, kept=2 * replicates + 2 * SET_RUNS * assumption_sets, threads=threads)
        permit(work, f"{runs:,} runs of {areas:,} areas", time_limit, memory_limit)
        with waiting("Running areas", json) as report:
            from cspsim.country.areas import generate_country
            from cspsim.country.totals import run_country

            answer = run_country(
                generate_country(seed, areas), changes, replicates, luck_seed, assumption_sets, SET_RUNS, threads,
                report(runs),
            )  # fmt: skip
        found |= {"changes": changes, "luck_seed": luck_seed, **_as_plain(answer, outcome)}
        if not json:
            _tell(answer, outcome, ", ".join(set_ or []))
    if json:
        typer.echo(as_json(found))


def _asked(run: bool, out_folder: Path | None, set_: list[str] | None, outcome: str | None) -> dict[str, Any]:
    """What ``--set`` changes. Raises CspsimError when there is nothing to do or something is missing."""
    from cspsim.running.outcomes import OUTCOMES

    if not (run or out_folder):
        raise CspsimError("nothing to do: --out FOLDER writes the areas, --run --set levers.grant.multiplier=0.5 asks what a change does")
    if set_ and not run:
        raise CspsimError("--set changes what is run: add --run")
    if run and not set_:
        raise CspsimError("--run compares the country with a change of it: add --set, such as --set levers.grant.multiplier=0.5")
    if outcome is not None and outcome not in OUTCOMES:
        raise CspsimError(f'no outcome is called "{outcome}"; {did_you_mean(outcome, OUTCOMES)}')
    return parsed_changes(set_ or [])


def _write(folder: Path, seed: int, areas: int) -> list[Path]:
    """The areas as scenario files, all of them or none, with the settings that made them."""
    from cspsim.country.areas import area_name, area_text
    from cspsim.sweep.same_code import versions

    check_target(folder)
    names = [f"{area_name(number)}.toml" for number in range(1, areas + 1)]
    with results_folder(folder) as new:
        for number, name in enumerate(names, start=1):
            (new / name).write_text(area_text(seed, number), encoding="utf-8")
        settings = {"what": "a synthetic country; no place is real", "seed": seed, "areas": areas, "versions": versions()}
        (new / MANIFEST).write_text(as_json(settings), encoding="utf-8")
    return [folder / name for name in names]


def _as_plain(answer: "CountryAnswer", outcome: str | None = None) -> dict[str, object]:
    """The answer as plain values: the country on every outcome, one outcome by area, and its spread between areas."""
    shown = outcome or answer.primary
    return {
        "replicates": answer.replicates,
        "country": [{key: value for key, value in finding._asdict().items() if key != "scenario"} for finding in answer.findings],
        "outcome_by_area": shown,
        "spread": answer.spread(shown)._asdict(),
        "areas_in_detail": answer.rows(shown),
    }


def _tell(answer: "CountryAnswer", outcome: str | None, changes: str) -> None:
    from cspsim.reports.summary import row_of
    from cspsim.running.outcomes import MAIN

    partnerships = sum(area.partnerships for area in answer.areas)
    say(f"A synthetic country: {partnerships} partnerships in {len(answer.areas)} force areas, {answer.replicates} runs each", style="bold")
    say(f"With {changes} against the country as it is. No place is real; illustrative model, not a forecast.")
    say()
    shown = outcome or answer.primary
    rows = [row_of(finding) for finding in answer.findings if finding.outcome in (*MAIN, shown)]
    columns = [Column("Outcome"), Column("As it is", True, 3), Column("Changed", True, 4), Column("Difference", True)]
    columns += [Column("95% interval", True, 2), Column("Under other assumptions", True, 1), Column("Verdict")]
    cells = [
        (r.title, r.baseline, r.value, r.difference, r.interval, r.assumptions, f"{r.verdict}, {r.direction}".rstrip(", ")) for r in rows
    ]
    show_table("The whole country", columns, cells)
    _tell_areas(answer, shown)


def _tell_areas(answer: "CountryAnswer", outcome: str) -> None:
    from cspsim.basics.formats import amount, interval
    from cspsim.running.outcomes import OUTCOMES

    unit, spread = OUTCOMES[outcome].unit, answer.spread(outcome)
    rows = [
        (row["area"], row["title"], f"{row['partnerships']}", f"{row['population']:,.0f}", amount(row["baseline"], unit),
         amount(row["difference"], unit, (row["ci_high"] - row["ci_low"]) / 2, signed=True), interval(row["ci_low"], row["ci_high"], unit))
        for row in answer.rows(outcome)
    ]  # fmt: skip
    columns = [
        Column("Area"),
        Column("", rank=3),
        Column("Partnerships", True, 4),
        Column("Residents", True, 4),
        Column("As it is", True, 1),
    ]
    show_table(f"{OUTCOMES[outcome].title} by area", [*columns, Column("Difference", True), Column("95% interval", True, 2)], rows)
    low, median, high = (f"{100 * value:+.2f} %" if spread.relative else f"{value:+.3g}" for value in spread[:3])
    say(
        f"Between areas the effect runs from {low} to {high} (tenth and ninetieth percentile), median {median}: "
        f"{spread.higher} areas higher, {spread.lower} lower, {spread.unclear} unclear."
    )
