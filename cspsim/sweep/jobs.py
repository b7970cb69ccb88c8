"""One job: a block of neighbouring runs, computed in compiled code and packed into tables ready to be written."""

import io
import traceback
from typing import Any, NamedTuple

import numpy as np
import pyarrow as arrow
import pyarrow.parquet as parquet

from cspsim.model.parameters import Floats
from cspsim.model.structures import packed
from cspsim.model.tallies import AuthorityTally, Tally
from cspsim.model.world import World, sizes
from cspsim.running.outcomes import OUTCOMES, combined
from cspsim.running.results import AREA, with_area
from cspsim.running.rulebook import Rulebook, rulebook_of
from cspsim.running.simulation import state_for
from cspsim.scenario.world_building import calendar_of
from cspsim.sweep.plan import Plan, Stretch

RUNS, MONTHS, AUTHORITIES, FAILURES = "runs", "months", "authorities", "failures"
TABLES = (FAILURES, AUTHORITIES, MONTHS, RUNS)
"""The tables of runs, in the order in which a job writes them: a job is done once its last table is there."""

Tables = dict[str, "arrow.Table"]


class JobRuns(NamedTuple):
    """Tallies of the runs of a job that went well (axes as in ``simulation``, runs first), and those that failed."""

    keys: list[tuple[int, int, int, int]]
    tallies: list[Floats]
    authorities: list[Floats]
    months: list[Floats]
    failures: list[tuple[int, int, int, int, str]]


class Bench:
    """What one thread keeps between jobs: the world of the policy at hand and a state of its size."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._policy = -1
        self._world: World
        self._state: Any = None
        self._size: tuple[int, ...] = ()

    def world(self, policy: int) -> World:
        """The policy's world at its best guesses; the last one is kept."""
        if policy != self._policy:
            self._world, self._policy = self.plan.world(policy), policy
        return self._world

    def rulebook(self, policy: int) -> Rulebook:
        """The rules of the policy's scenario."""
        return rulebook_of(self.plan.scenarios[self.plan.policies.scenario[policy]])

    def state(self, world: World) -> Any:
        """A packed state for this world."""
        if sizes(world) != self._size:
            self._state, self._size = packed(state_for(world)), sizes(world)
        return self._state


def run_job(plan: Plan, first: int, last: int, bench: Bench | None = None) -> dict[str, bytes]:
    """Run everything from run ``first`` up to ``last`` and return its tables as Parquet files, by name.

    A run that fails (an error, or numbers that are not finite) goes to the table of failures; the others go on.
    """
    bench = bench or Bench(plan)
    block = JobRuns([], [], [], [], [])
    for stretch in plan.stretches(first, last):
        _run_stretch(bench, stretch, block)
    return {name: as_parquet(table) for name, table in job_tables(plan, block).items()}


def _run_stretch(bench: Bench, stretch: Stretch, block: JobRuns) -> None:
    """All runs of a stretch at once; one by one if that fails, to find the one that does.

    Raises MemoryError: that is a fault of the machine, and another one may make the run.
    """
    try:
        made = _simulated(bench, stretch)
    except MemoryError:
        raise
    except Exception as error:
        if len(stretch.replicates) > 1:
            for k in range(len(stretch.replicates)):
                _run_stretch(bench, _one(stretch, k), block)
            return
        last_line = traceback.format_exception_only(error)[-1].strip()
        block.failures.append((*_key(stretch, 0), last_line))
        return
    for k in range(len(stretch.replicates)):
        tallies, authorities, months = (array[k] if len(array) else array for array in made)
        key = _key(stretch, k)
        if np.isfinite(tallies).all():
            block.keys.append(key)
            block.tallies.append(tallies)
            block.authorities.append(authorities)
            block.months.append(months)
        else:
            names = ", ".join(tally.name.lower() for tally in Tally if not np.isfinite(tallies[:, tally]).all())
            block.failures.append((*key, f"numbers that are not finite: {names}"))


def _key(stretch: Stretch, k: int) -> tuple[int, int, int, int]:
    return stretch.first + k, stretch.policy, stretch.assumptions, int(stretch.replicates[k])


def _one(stretch: Stretch, k: int) -> Stretch:
    one = slice(k, k + 1)
    return stretch._replace(first=stretch.first + k, replicates=stretch.replicates[one], streams=stretch.streams[one])


def _simulated(bench: Bench, stretch: Stretch) -> tuple[Floats, Floats, Floats]:
    """Tallies, authority tallies and monthly tallies (no rows unless kept) of the runs of a stretch."""
    plan = bench.plan
    world = plan.under(bench.world(stretch.policy), stretch.policy, stretch.assumptions)
    places, authorities, _, _, months = sizes(world)
    runs = len(stretch.replicates)
    tallies = np.zeros((runs, places, len(Tally)))
    by_authority = np.zeros((runs, places, authorities, len(AuthorityTally)))
    monthly = np.zeros((runs if plan.experiment.data.keep.months else 0, months, places, len(Tally)))
    seed = np.uint64(plan.experiment.data.seed)
    bench.rulebook(stretch.policy).run_replicates(packed(world), bench.state(world), seed, stretch.streams, tallies, by_authority, monthly)
    return tallies, by_authority, monthly


# ------------------------------------------------------------------------------------------------------------- tables


def job_tables(plan: Plan, block: JobRuns) -> Tables:
    """The tables of a job, those without rows left out, except the runs themselves."""
    keep, data = plan.experiment.data.keep, plan.scenarios[0].data
    places = [*data.partnerships, AREA] if keep.runs == "partnerships" else [AREA]
    found = {RUNS: _runs_table(plan, block, places)}
    if keep.months and block.keys:
        found[MONTHS] = _months_table(plan, block, places)
    if keep.authorities and block.keys:
        found[AUTHORITIES] = _authorities_table(block, list(data.partnerships), list(data.authorities))
    if block.failures:
        found[FAILURES] = _failures_table(block)
    return found


KEYS = ("run", "policy", "assumptions", "replicate")
_KEY_TYPES = (arrow.int64(), arrow.int32(), arrow.int32(), arrow.int64())


def _keys(block: JobRuns, each: int) -> dict[str, Any]:
    """The key columns, every run repeated ``each`` times."""
    keys = np.array(block.keys, dtype=np.int64).reshape(-1, len(KEYS))
    return {name: arrow.array(np.repeat(keys[:, k], each), _KEY_TYPES[k]) for k, name in enumerate(KEYS)}


def _names(names: list[str], each: int, times: int) -> Any:
    """A text column: every name ``each`` times, all of that ``times`` times; stored as numbers with a small dictionary."""
    codes = np.tile(np.repeat(np.arange(len(names), dtype=np.int32), each), times)
    return arrow.DictionaryArray.from_arrays(arrow.array(codes), arrow.array(names))


def outcome_columns(tallies: Floats, outcomes: tuple[str, ...]) -> dict[str, Floats]:
    """Columns of outcomes ``[...]`` from tallies ``[..., tally]``; of a ratio also what is divided by what."""
    columns = {}
    for name in outcomes:
        entry = OUTCOMES[name]
        numerator = combined(tallies, entry.numerator)
        if entry.denominator is None:
            columns[name] = numerator
            continue
        denominator = combined(tallies, entry.denominator)
        with np.errstate(divide="ignore", invalid="ignore"):
            columns[name] = np.where(denominator != 0, numerator / denominator, np.nan)
        columns[f"{name}_numerator"], columns[f"{name}_denominator"] = numerator, denominator
    return columns


def _shown(tallies: Floats, axis: int, places: list[str]) -> Floats:
    """Tallies of the places that are kept: the partnerships and the area, or the area alone."""
    return with_area(tallies, axis) if len(places) > 1 else tallies.sum(axis=axis, keepdims=True)


def _runs_table(plan: Plan, block: JobRuns, places: list[str]) -> Any:
    empty = np.zeros((0, len(plan.scenarios[0].data.partnerships), len(Tally)))
    tallies = _shown(np.array(block.tallies) if block.tallies else empty, 1, places)
    columns = outcome_columns(tallies, plan.experiment.outcomes)
    keys = {**_keys(block, len(places)), "partnership": _names(places, 1, len(block.keys))}
    return arrow.table({**keys, **{name: arrow.array(values.ravel()) for name, values in columns.items()}})


def _months_table(plan: Plan, block: JobRuns, places: list[str]) -> Any:
    calendar = calendar_of(plan.scenarios[0].data)
    tallies = _shown(np.array(block.months)[:, calendar.warm_up :], 2, places)
    columns = outcome_columns(tallies, plan.experiment.outcomes)
    months, runs = len(calendar.reported), len(block.keys)
    dates = arrow.array(np.tile(np.repeat(np.array(calendar.reported, dtype="datetime64[D]"), len(places)), runs))
    keys = {**_keys(block, months * len(places)), "month": dates, "partnership": _names(places, 1, months * runs)}
    return arrow.table({**keys, **{name: arrow.array(values.ravel()) for name, values in columns.items()}})


def _authorities_table(block: JobRuns, partnerships: list[str], authorities: list[str]) -> Any:
    tallies = np.array(block.authorities)
    runs, rows = len(block.keys), len(partnerships) * len(authorities)
    hours, available = tallies[..., AuthorityTally.HOURS], tallies[..., AuthorityTally.AVAILABLE_HOURS]
    with np.errstate(divide="ignore", invalid="ignore"):
        derived = {"share": hours / hours.sum(axis=2, keepdims=True), "load": hours / available}
    keys = {**_keys(block, rows), "partnership": _names(partnerships, len(authorities), runs)}
    keys["authority"] = _names(authorities, 1, runs * len(partnerships))
    columns = {**derived, **{tally.name.lower(): tallies[..., tally] for tally in AuthorityTally}}
    return arrow.table({**keys, **{name: arrow.array(values.ravel()) for name, values in columns.items()}})


def _failures_table(block: JobRuns) -> Any:
    columns = list(zip(*block.failures, strict=True))
    table = {name: arrow.array(columns[k], _KEY_TYPES[k]) for k, name in enumerate(KEYS)}
    return arrow.table({**table, "error": arrow.array(columns[-1], arrow.string())})


def failed_block(plan: Plan, run: int, error: str) -> dict[str, bytes]:
    """The tables of a single run that could not be computed at all, such as one that crashes its process."""
    stretch = next(plan.stretches(run, run + 1))
    block = JobRuns([], [], [], [], [(*_key(stretch, 0), error)])
    return {name: as_parquet(table) for name, table in job_tables(plan, block).items()}


def joined(parts: list[dict[str, bytes]]) -> dict[str, bytes]:
    """Tables of the pieces of one job as the tables of the whole job."""
    names = [name for name in TABLES if any(name in part for part in parts)]
    return {name: as_parquet(arrow.concat_tables([from_parquet(part[name]) for part in parts if name in part])) for name in names}


def as_parquet(table: Any) -> bytes:
    """A table as a Parquet file."""
    sink = io.BytesIO()
    texts = [field.name for field in table.schema if arrow.types.is_dictionary(field.type)]
    parquet.write_table(table, sink, compression="zstd", compression_level=1, use_dictionary=texts, write_page_checksum=True)
    return sink.getvalue()


def from_parquet(content: bytes) -> Any:
    """A Parquet file as a table."""
    return parquet.read_table(io.BytesIO(content), page_checksum_verification=True)
