"""What storing, threads and dask workers cost or gain: a sweep against the bare compiled loop, in one run, in turns.

    python benchmarks/sweep.py                 # ratios on 4,000 runs a turn, with one and two dask workers
    python benchmarks/sweep.py --runs 100000   # one long turn each, with the peak of memory

The work: ten years, two boroughs, luck and outcomes included; the sweep has five policies, 40 assumption sets, replicates.
"""

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from cspsim.running.rulebook import STANDARD
from cspsim.running.simulation import replicate_numbers, run_world
from cspsim.scenario.scenario import load_scenario
from cspsim.scenario.world_building import build_world
from cspsim.sweep.reading import load_experiment
from cspsim.sweep.sweeping import run_sweep

POLICIES, SETS = 5, 40
TURNS = 4
AT_ONCE = 4000  # runs of the bare loop whose tallies are held at once
EXPERIMENT = """
title = "Throughput"
question = "How fast?"
[levers]
design = "list"
[levers.vary]
"grant.multiplier" = {{ values = [0.5, 0.75, 1.25, 1.5] }}
[uncertainties]
design = "latin-hypercube"
points = {sets}
best_guess = false
[luck]
replicates = {replicates}
"""


def timed(work: Callable[[], object]) -> float:
    """Seconds one call takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def main() -> None:
    """Print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=4000)
    parser.add_argument("--no-dask", action="store_true")
    asked = parser.parse_args()
    replicates = max(1, asked.runs // (POLICIES * SETS))
    runs = replicates * POLICIES * SETS
    turns = TURNS if runs <= AT_ONCE else 1
    world = build_world(load_scenario("baseline").data)
    run_world(world, STANDARD, replicate_numbers(16), 1)

    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "throughput.toml"
        file.write_text(EXPERIMENT.format(sets=SETS, replicates=replicates), encoding="utf-8")
        experiment = load_experiment(file)
        count = 0

        def swept(dask: str | None = None) -> None:
            nonlocal count
            count += 1
            run_sweep(experiment, Path(place) / str(count), dask=dask)

        def bare() -> None:
            for start in range(0, runs, AT_ONCE):
                run_world(world, STANDARD, replicate_numbers(min(AT_ONCE, runs - start), start), 1)

        pairs = [(timed(bare), timed(swept)) for _ in range(turns)]
        best_bare, best_swept = (min(pair[k] for pair in pairs) for k in (0, 1))
        print(f"bare compiled loop     {runs / best_bare:8.0f} runs a second, {runs:,} runs")
        print(f"sweep, stored          {runs / best_swept:8.0f} runs a second = {best_bare / best_swept:.2f} of it")
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        size = sum(path.stat().st_size for path in (Path(place) / "1").rglob("*.parquet"))
        print(f"peak memory {memory:,.0f} MB; on disk {size / 1e6:,.1f} MB")
        if not asked.no_dask:
            seconds = {n: min(timed(lambda n=n: swept(f"local:{n}")) for _ in range(turns)) for n in (1, 2)}
            start = {n: timed(lambda n=n: _empty(n)) for n in (1, 2)}
            without = (seconds[1] - start[1]) / (seconds[2] - start[2])
            print(f"dask, one worker {seconds[1]:.1f} s, two {seconds[2]:.1f} s; start of the cluster {start[1]:.1f} and {start[2]:.1f} s")
            print(f"two workers are {seconds[1] / seconds[2]:.2f} x one; without the start {without:.2f} x")


def _empty(workers: int) -> None:
    from cspsim.sweep.dask_executor import dask_client

    with dask_client(f"local:{workers}"):
        pass


if __name__ == "__main__":
    main()
