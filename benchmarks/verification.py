"""What it costs that results cannot lie: processor time of checksums, slips, seals and checks within one sweep.

    python benchmarks/verification.py                 # 30,000 runs
    python benchmarks/verification.py --runs 4000

Counted is processor time, not the clock: other programs on the machine then matter little. What checking takes is measured
inside the very sweep it is compared with, by a stopwatch around each thing that would not be there otherwise; what page
checksums take, by packing the same tables with and without them in turns.
"""

import argparse
import io
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as parquet
from sweep import EXPERIMENT, POLICIES, SETS

from cspsim.sweep import store
from cspsim.sweep import stored_results as stored
from cspsim.sweep.reading import load_experiment
from cspsim.sweep.stored_results import load_results
from cspsim.sweep.sweeping import run_sweep

WRAPPED = (
    (store, ("entry_of", "write_slip", "write_ledger", "check_files", "read_slips", "damages_of_finished", "sealed")),
    (stored, ("check_files", "read_ledger", "read_slips", "damages_of_finished")),
)
TURNS = 4

spent = 0.0
depth = 0


def timed(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function with a stopwatch; one inside another is counted once. One thread writes, so one stopwatch is enough."""

    def call(*arguments: Any, **options: Any) -> Any:
        global spent, depth
        depth += 1
        started = time.thread_time()
        try:
            return function(*arguments, **options)
        finally:
            depth -= 1
            if depth == 0:
                spent += time.thread_time() - started

    return call


def cost_of_page_checksums(parts: list[Path]) -> float:
    """Seconds that page checksums take for all parts as they lie there, reading not counted."""
    tables = [parquet.read_table(path) for path in parts]
    seconds = {True: 0.0, False: 0.0}
    for _ in range(TURNS):
        for wanted in seconds:
            started = time.process_time()
            for table in tables:
                options: dict[str, Any] = {"compression": "zstd", "compression_level": 1, "write_page_checksum": wanted}
                parquet.write_table(table, io.BytesIO(), use_dictionary=["partnership"], **options)
            seconds[wanted] += time.process_time() - started
    return (seconds[True] - seconds[False]) / TURNS


def main() -> None:
    """Print what checking takes of a sweep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=30_000)
    replicates = max(1, parser.parse_args().runs // (POLICIES * SETS))
    for module, names in WRAPPED:
        for name in names:
            setattr(module, name, timed(getattr(module, name)))
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "throughput.toml"
        file.write_text(EXPERIMENT.format(sets=SETS, replicates=1), encoding="utf-8")
        run_sweep(load_experiment(file), Path(place) / "warm")
        file.write_text(EXPERIMENT.format(sets=SETS, replicates=replicates), encoding="utf-8")
        experiment = load_experiment(file)
        before, began = spent, time.process_time()
        results = run_sweep(experiment, Path(place) / "out")
        whole, checking = time.process_time() - began, spent - before
        parts = sorted((Path(place) / "out" / "runs").iterdir())
        size = sum(path.stat().st_size for path in parts)
        pages = cost_of_page_checksums(parts)
        began = time.process_time()
        load_results(results.folder)
        again = time.process_time() - began
    print(f"{replicates * POLICIES * SETS:,} runs, {size / 1e6:,.1f} MB: {whole:.1f} s of processor time")
    print(f"checksums, slips, seals, checks   {checking:7.3f} s = {100 * checking / whole:.2f} % of it")
    print(f"page checksums, packed twice      {2 * max(0.0, pages):7.3f} s = {200 * max(0.0, pages) / whole:.2f} % of it")
    print(f"checking the finished folder      {again:7.3f} s, as by cspsim verify")


if __name__ == "__main__":
    main()
