"""The command that asks the whole country a question, the real one or a synthetic one, or writes it down: ``country``."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from cspsim.basics.errors import CspsimError, did_you_mean
from cspsim.basics.exports import MANIFEST, as_json, check_target, results_folder
from cspsim.basics.limits import EstimatedWork, work_of
from cspsim.basics.outward import as_argument, for_shell
from cspsim.commands.options import (
    LARGEST_SEED,
    After2028,
    Changes,
    FirstYear,
    Json,
    MemoryLimit,
    Threads,
    TimeLimit,
    Years,
    parsed_changes,
    permit,
)
from cspsim.commands.terminal import Column, say, show_table, waiting

if TYPE_CHECKING:
    from cspsim.country.totals import CountryAnswer
    from cspsim.scenario.scenario import Scenario

AREA_TIME, AREA_MEMORY = 0.07, 20_000.0  # seconds to draw, write or read one area, measured; bytes its answer takes
SET_RUNS = 4  # runs of each arm of each area under each assumption set


def country(
    force: Annotated[list[str] | None, typer.Option(help="Only this police force area. May be repeated; all 43 if not given.")] = None,
    first_year: FirstYear = None,
    years: Years = None,
    after_2028: After2028 = None,
    synthetic: Annotated[bool, typer.Option("--synthetic", help="Draw a country without any real place, for tests of method.")] = False,
    seed: Annotated[int | None, typer.Option(min=0, max=LARGEST_SEED, help="With --synthetic: seed of what is drawn.")] = None,
    areas: Annotated[int | None, typer.Option(min=1, help="With --synthetic: force areas; the first is the capital.")] = None,
    out_folder: Annotated[Path | None, typer.Option("--out", "-o", help="Folder for one scenario file per area.")] = None,
    run: Annotated[bool, typer.Option("--run", help="Run every area as it is and as --set changes it.")] = False,
    set_: Changes = None,
    replicates: Annotated[int, typer.Option(min=2, help="Runs of each area, with and without the change.")] = 100,
    luck_seed: Annotated[int, typer.Option("--luck-seed", min=0, max=LARGEST_SEED, help="Seed of the runs' luck.")] = 1,
    assumption_sets: Annotated[int, typer.Option("--assumption-sets", min=0, help="Sampled sets of assumptions, four runs each.")] = 0,
    outcome: Annotated[str | None, typer.Option(help="Outcome of the table of areas; the primary one if not given.")] = None,
    threads: Threads = None,
    time_limit: TimeLimit = None,
    memory_limit: MemoryLimit = None,
    json: Json = False,
) -> None:
    """Ask the whole of England and Wales a question, its 314 partnerships in 43 force areas, or write them as scenarios."""
    changes = _asked(run, out_folder, set_, outcome)
    if synthetic and areas is not None:
        permit(EstimatedWork(areas * AREA_TIME, areas * AREA_MEMORY), f"drawing {areas:,} areas", time_limit, memory_limit)
    of_real = {"force": force, "first_year": first_year, "years": years, "after_2028": after_2028}
    source = _synthetic(seed, areas, of_real) if synthetic else _real(of_real, {"--seed": seed, "--areas": areas})
    found: dict[str, Any] = dict(source.settings)
    if out_folder is not None:
        found["files"] = [str(path) for path in _write(out_folder, source)]
        if not json:
            many = len(source.files)
            say(f"Wrote {many} {source.word}force area{'s' * (many != 1)} to {out_folder}. {source.caution}")
            say(f"  {for_shell(['cspsim', 'check', as_argument(found['files'][-1])])}")
            say()
    if run:
        from cspsim.country.areas import AREA_SIZE
        from cspsim.scenario.world_building import size_of

        largest = size_of(next(source.scenarios()).with_changes(changes).data)  # the capital
        typical = AREA_SIZE._replace(months=largest.months)
        many = len(source.files)
        runs = many * 2 * (replicates + SET_RUNS * assumption_sets)
        held = work_of(largest, 0, kept=2 * replicates + 2 * SET_RUNS * assumption_sets, threads=threads).memory
        work = EstimatedWork(work_of(typical, runs, threads=threads).seconds, held)
        permit(work, f"{runs:,} runs of {many:,} areas", time_limit, memory_limit)
        with waiting("Running areas", json) as report:
            from cspsim.country.totals import run_country

            answer = run_country(
                source.scenarios(), changes, replicates, luck_seed, assumption_sets, SET_RUNS, threads,
                report(runs),
            )  # fmt: skip
        found |= {"changes": changes, "luck_seed": luck_seed, **_as_plain(answer, outcome)}
        if not json:
            _tell(answer, outcome, ", ".join(set_ or []), source)
    if json:
        typer.echo(as_json(found))


class _Source(NamedTuple):
    """A country to write or to run: its file names with what makes each text, its scenarios, and what to say about it."""

    files: Mapping[str, Callable[[], str]]
    scenarios: Callable[[], "Iterator[Scenario]"]
    settings: dict[str, Any]
    word: str
    caution: str


def _synthetic(seed: int | None, areas: int | None, of_real: Mapping[str, Any]) -> _Source:
    from cspsim.country.areas import AREAS, area_name, area_text, check_country, generate_country

    for name, given in of_real.items():
        if given:
            raise CspsimError(f"--{name.replace('_', '-')} belongs to the real country: leave out --synthetic")
    drawn, many = 1 if seed is None else seed, AREAS if areas is None else areas
    check_country(drawn, many)
    files = {f"{area_name(number)}.toml": partial(area_text, drawn, number) for number in range(1, many + 1)}
    settings = {"seed": drawn, "areas": many, "synthetic": True}
    return _Source(files, partial(generate_country, drawn, many), settings, "synthetic ", "No place in them is real.")


def _real(given: Mapping[str, Any], of_synthetic: Mapping[str, Any]) -> _Source:
    from cspsim.places.place_scenario import Span, checked_span
    from cspsim.places.real_country import area_file_name, asked_forces, force_text, real_country

    for option, value in of_synthetic.items():
        if value is not None:
            raise CspsimError(f"{option} belongs to --synthetic: the real country is not drawn")
    span = checked_span(Span(**{name: value for name, value in given.items() if name != "force" and value is not None}))
    forces = asked_forces(given["force"] or ())
    files = {area_file_name(force): partial(force_text, force, span) for force in forces}
    settings = {"forces": forces, "months": [span.first_month, span.last_month], "synthetic": False}
    caution = "Population and crime are published; money, staff and duties are defaults."
    return _Source(files, partial(real_country, span, forces), settings, "", caution)


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


def _write(folder: Path, source: _Source) -> list[Path]:
    """The areas as scenario files, all of them or none, with the settings that made them."""
    from cspsim.running.same_code import versions

    check_target(folder)
    with results_folder(folder) as new:
        for name, text in source.files.items():
            (new / name).write_text(text(), encoding="utf-8")
        what = "a synthetic country; no place is real" if source.word else "police force areas of England and Wales"
        (new / MANIFEST).write_text(as_json({"what": what, **source.settings, "versions": versions()}), encoding="utf-8")
    return [folder / name for name in source.files]


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


def _tell(answer: "CountryAnswer", outcome: str | None, changes: str, source: _Source) -> None:
    from cspsim.reports.summary import comparison_row
    from cspsim.running.outcomes import MAIN

    partnerships = sum(area.partnerships for area in answer.areas)
    which = "A synthetic country" if source.word else "England and Wales"
    say(f"{which}: {partnerships} partnerships in {len(answer.areas)} force areas, {answer.replicates} runs each", style="bold")
    say(f"With {changes} against the country as it is. {source.caution} Illustrative model, not a forecast.")
    say()
    shown = outcome or answer.primary
    rows = [comparison_row(finding) for finding in answer.findings if finding.outcome in (*MAIN, shown)]
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
