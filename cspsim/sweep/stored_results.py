"""A sweep read back: its design, its tables as frames and as DuckDB relations, and its runs as cells."""

import time
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cspsim.basics.errors import CspsimError, did_you_mean
from cspsim.basics.limits import QUERY, Limits, limits_of
from cspsim.basics.outward import as_argument, for_shell
from cspsim.model.parameters import Floats, Integers
from cspsim.running.outcomes import OUTCOMES, ratio_influence
from cspsim.running.results import AREA
from cspsim.sweep.folders import LocalFolder, local_copy
from cspsim.sweep.ledger import DESIGN, Files, check_files, read_ledger, read_slips
from cspsim.sweep.locking import is_held
from cspsim.sweep.manifest import MANIFEST, DamagedManifest, read_manifest
from cspsim.sweep.store import COMPLETE, PAUSED, counts_of, damages_of_finished

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

DESIGN_TABLES = tuple(name.removesuffix(".parquet") for name in DESIGN)
RUN_TABLES = ("runs", "months", "authorities", "failures")
INTERRUPTED = "interrupted"
"""The status of a sweep whose folder says that it is running, while no process runs it."""
LOOKS, BETWEEN_LOOKS = 5, 0.1  # seconds; parts may be joined while somebody reads them
SHOWN = 10  # damages; nobody reads a longer list


class Cells(NamedTuple):
    """One outcome of every run, cell by cell. What failed or is not there is nan.

    Attributes:
        numerator, denominator: ``[policy, assumption set, replicate]``; a total's denominator is 1.
        against: ``[policy]`` number of the policy an effect is taken against.
    """

    numerator: Floats
    denominator: Floats
    against: Integers

    @property
    def value(self) -> Floats:
        """Mean total, or ratio of sums over replicates ``[policy, assumption set]``."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.nansum(self.numerator, axis=2) / np.nansum(np.where(np.isnan(self.numerator), np.nan, self.denominator), axis=2)

    def effects(self) -> Floats:
        """Value less the value of the policy it is measured against ``[policy, assumption set]``, over runs that both have."""
        own, other = self._pairs()
        return own.value - other.value

    def noise(self) -> Floats:
        """Standard error of every effect ``[policy, assumption set]`` by replicates, as in ``differences.paired_estimate``."""
        own, other = self._pairs()
        influence = own._influence() - other._influence()
        there = (~np.isnan(influence)).sum(axis=2)
        with np.errstate(divide="ignore", invalid="ignore"):
            mean = np.nansum(influence, axis=2, keepdims=True) / there[..., None]
            variance = np.nansum((influence - mean) ** 2, axis=2) / (there - 1)
            return np.where(there > 1, np.sqrt(variance / there), np.nan)

    def _influence(self) -> Floats:
        """What each run does to its cell's value (see ``ratio_influence``)."""
        weights = np.where(np.isnan(self.numerator), np.nan, self.denominator)
        with np.errstate(divide="ignore", invalid="ignore"):
            mean = np.nansum(weights, axis=2, keepdims=True) / (~np.isnan(weights)).sum(axis=2, keepdims=True)
        return ratio_influence(self.numerator, self.denominator, self.value[..., None], mean)

    def _pairs(self) -> "tuple[Cells, Cells]":
        """Every policy and what it is measured against, both without runs that one of them lacks."""
        partner, divisor = self.numerator[self.against], self.denominator[self.against]
        missing = np.isnan(self.numerator + partner)
        own = self._replace(numerator=np.where(missing, np.nan, self.numerator))
        return own, self._replace(numerator=np.where(missing, np.nan, partner), denominator=divisor)


class SweepResults:
    """What a folder of results holds.

    Attributes:
        folder: where it lies (a copy, if it came from an object store).
        manifest: what was run, and with what.
        limits: time and memory that a query may take.
        files: names of its files, all of them checked.
        was_finished: whether ``run_sweep`` found everything done already.
    """

    def __init__(self, folder: Path, manifest: dict[str, Any], files: Iterable[str], limits: Limits = QUERY) -> None:
        self.folder, self.manifest, self.files, self.limits = folder, manifest, sorted(files), limits
        self.was_finished = False

    def __repr__(self) -> str:
        return f"<SweepResults {self.manifest['experiment']!r}: {self.manifest['counts'].get('runs', 0):,} runs, {self.manifest['status']}>"

    @property
    def baseline(self) -> str:
        """Name of the scenario of policy 0."""
        return str(self.manifest["baseline"])

    @property
    def primary(self) -> str:
        """The outcome the question is about."""
        return str(self.manifest["primary_outcome"])

    @property
    def outcomes(self) -> list[str]:
        """Names of the outcomes that are stored."""
        return list(self.manifest["outcomes"])

    @property
    def designs(self) -> dict[str, Any]:
        """How levers, uncertainties and luck were varied."""
        found: dict[str, Any] = self.manifest["designs"]
        return found

    @cached_property
    def policies(self) -> "pd.DataFrame":
        """One row per policy."""
        return self._frame("policies")

    @cached_property
    def assumptions(self) -> "pd.DataFrame":
        """One row per assumption set."""
        return self._frame("assumptions")

    @cached_property
    def luck(self) -> "pd.DataFrame":
        """One row per row of a design of luck; empty without one."""
        return self._frame("luck")

    @cached_property
    def runs(self) -> "pd.DataFrame":
        """One row per run and partnership."""
        return self._frame("runs")

    @cached_property
    def months(self) -> "pd.DataFrame":
        """One row per run, month and partnership; empty if they were not kept."""
        return self._frame("months")

    @cached_property
    def authorities(self) -> "pd.DataFrame":
        """One row per run, partnership and authority; empty if they were not kept."""
        return self._frame("authorities")

    @cached_property
    def failures(self) -> "pd.DataFrame":
        """One row per run that failed: its error, and the command that replays it."""
        frame = self._frame("failures")
        if len(frame):
            frame["command"] = [f"{self._replay}{run}" for run in frame["run"]]
        return frame

    @property
    def _replay(self) -> str:
        """The command that replays a run, up to its number."""
        allowed = ["--allow-rules"] if self.manifest.get("rules") else []
        return for_shell(["cspsim", "sweep", as_argument(str(self.manifest["file"])), *allowed, "--only"]) + " "

    def tables(self) -> dict[str, list[Path]]:
        """Name of each table that is there, with its files."""
        found = {name: [self.folder / f"{name}.parquet"] for name in DESIGN_TABLES if f"{name}.parquet" in self.files}
        found |= {table: [self.folder / name for name in self.files if name.startswith(f"{table}/")] for table in RUN_TABLES}
        return {name: paths for name, paths in found.items() if paths}

    def _frame(self, table: str) -> "pd.DataFrame":
        import pandas as pd
        import pyarrow.parquet as parquet

        paths = self.tables().get(table, [])
        if not paths:
            return pd.DataFrame()
        return pd.concat([parquet.read_table(path).to_pandas() for path in paths], ignore_index=True)

    @cached_property
    def connection(self) -> "duckdb.DuckDBPyConnection":
        """A DuckDB connection with a view for every table, that sees these tables and no file."""
        from cspsim.sweep.sandbox import sealed_connection

        return sealed_connection(self.folder, self.tables(), self._replay, self.limits.memory)

    def relation(self, table: str) -> "duckdb.DuckDBPyRelation":
        """A table as a DuckDB relation. Raises CspsimError for a table that is not there."""
        if table not in self.tables():
            raise CspsimError(f'{self.folder} holds no table "{table}"; {did_you_mean(table, self.tables())}')
        return self.connection.table(table)

    def sql(self, query: str) -> "pd.DataFrame":
        """The answer to a query over the tables. Raises CspsimError when DuckDB refuses it, TooMuch when it goes beyond the limits."""
        import pyarrow as arrow

        from cspsim.sweep.querying import batches

        return arrow.Table.from_batches(list(batches(self, query, most=self.limits.memory))).to_pandas()

    def cells(self, outcome: str, partnership: str = AREA, before_run: int | None = None) -> Cells:
        """One outcome of one partnership (or of the area) as an array by policy, assumption set and replicate.

        ``before_run``: only runs with lower numbers, such as those of the first rounds.
        A design of luck has one cell per policy: its rows stand on the axis of replicates.
        Raises CspsimError for an outcome or partnership that is not stored.
        """
        if outcome not in self.outcomes:
            raise CspsimError(f'outcome "{outcome}" is not stored here; {did_you_mean(outcome, self.outcomes)}')
        ratio = OUTCOMES[outcome].denominator is not None
        columns = [f"{outcome}_numerator", f"{outcome}_denominator"] if ratio else [outcome]
        keys, values = self._columns(columns, partnership, before_run)
        if not len(keys):
            places = [AREA, *self.manifest["partnerships"]]
            raise CspsimError(f'no run of partnership "{partnership}" is stored here; {did_you_mean(partnership, places)}')
        policies = len(self.policies)
        if len(self.luck):
            sets, index = np.zeros(len(keys), dtype=np.int64), keys[:, 2]
        else:
            sets, index = keys[:, 1], _index_in_cell(keys)
        shape = (policies, int(sets.max()) + 1, int(index.max()) + 1)
        filled = np.full((2, *shape), np.nan)
        filled[0, keys[:, 0], sets, index] = values[:, 0]
        filled[1, keys[:, 0], sets, index] = values[:, 1] if ratio else 1.0
        return Cells(filled[0], filled[1], self.policies["against"].to_numpy(dtype=np.int64))

    def _columns(self, columns: list[str], partnership: str, before_run: int | None) -> tuple[Integers, Floats]:
        """Keys ``[run, (policy, assumptions, replicate)]`` and values ``[run, column]`` in the order of runs."""
        names = ["policy", "assumptions", "replicate"]
        quoted = ", ".join(f'"{name}"' for name in [*names, *columns])
        query = f"SELECT {quoted} FROM runs WHERE partnership = ? AND run < ? ORDER BY run"
        last = np.iinfo(np.int64).max if before_run is None else before_run
        found = self.connection.execute(query, [partnership, int(last)]).fetchnumpy()
        keys = np.stack([np.asarray(found[name], dtype=np.int64) for name in names], axis=1)
        return keys, np.stack([np.ma.filled(np.ma.asarray(found[name], dtype=float), np.nan) for name in columns], axis=1)


def _index_in_cell(keys: Integers) -> Integers:
    """Which replicate of its assumption set a run is: replicates may be numbered on from set to set."""
    sets, replicates = keys[:, 1], keys[:, 2]
    first = np.full(int(sets.max()) + 1, np.iinfo(np.int64).max)
    np.minimum.at(first, sets, replicates)
    index: Integers = replicates - first[sets]
    return index


def load_results(folder: str | Path, limits: Limits | None = None) -> SweepResults:
    """The results of a sweep in a folder, finished or not, or at an address such as ``s3://bucket/name``.

    ``limits``: time and memory that queries may take. Everything is checked against what was put on record when it was written.
    Raises CspsimError if there is none, or if anything in it is not as it was written.
    """
    path = local_copy(str(folder)) if "://" in str(folder) else Path(folder)
    place = LocalFolder(path)
    try:
        manifest = read_manifest(place)
    except DamagedManifest as error:
        raise CspsimError(f"{error}; cspsim sweep FILE --out {folder} --resume makes it again") from None
    if manifest is None:
        raise CspsimError(f"{folder} holds no results of a sweep (it has no {MANIFEST})")
    if manifest["status"] == COMPLETE:
        damages = damages_of_finished(place, manifest)
        files = {} if damages else read_ledger(place, manifest["checksums"])
    else:
        files, damages = _files_of_unfinished(place, manifest)
        at_work = is_held(path) or "://" in str(folder)  # it cannot be told for an object store
        status = manifest["status"] if manifest["status"] == PAUSED or at_work else INTERRUPTED
        manifest = {**manifest, "status": status, "counts": counts_of(files)}
    if damages:
        raise CspsimError(damaged_in_words(damages))
    return SweepResults(path, manifest, files, limits or limits_of(usual=QUERY))


def _files_of_unfinished(place: LocalFolder, manifest: dict[str, Any]) -> tuple[Files, list[str]]:
    """What is on record so far, and what of it is damaged. While a sweep is at work its parts are being joined: look again."""
    for _ in range(LOOKS):
        files, damaged = check_files(place, read_slips(place))
        if not damaged or not is_held(place.path):
            break
        time.sleep(BETWEEN_LOOKS)
    found = [f"{place}/{name} is not as it was written, or missing" for name in damaged]
    known = {*files, *damaged}
    design = DESIGN if manifest["designs"]["luck"]["kind"] != "replicates" else DESIGN[:2]
    found += [f"{place}/{name} is missing" for name in design if name not in known]
    less = sum(manifest["counts"].values()) - sum(counts_of(files).values())
    if manifest["status"] == PAUSED and less > 0 and not found:
        found.append(f"{place}: {less:,} runs that were there when the sweep was paused are missing")
    return files, found


def damaged_in_words(damages: list[str]) -> str:
    """A sentence or a list about what is not as it was written, and how to repair it."""
    shown = damages[:SHOWN] + [f"and {len(damages) - SHOWN:,} more"] * (len(damages) > SHOWN)
    return "\n  ".join(["these results are damaged:", *shown]) + "\nThe sweep that made them makes them again with --resume."
