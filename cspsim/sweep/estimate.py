"""What a sweep will cost before it is run: runs, time, disk."""

import os
import time
from typing import NamedTuple

from cspsim.compiled import first_compilation
from cspsim.sweep.plan import Plan
from cspsim.sweep.work import Bench, run_job

PILOT_RUNS = 16


class Estimate(NamedTuple):
    """Cost of a sweep. ``most_runs`` differs from ``runs`` where a precision may ask for more rounds."""

    runs: int
    most_runs: int
    seconds: float
    bytes: float
    workers: int


def estimate(plan: Plan, workers: int | None = None) -> Estimate:
    """Cost by a pilot of a few runs, worked off and packed as they will be; nothing is written.

    ``workers``: threads or dask workers; None means the processors of this machine. The first compilation is not counted.
    """
    runs, most = plan.runs_after(0), plan.runs_after(len(plan.rounds) - 1)
    pilot = min(PILOT_RUNS, runs)
    bench = Bench(plan)
    if first_compilation("month"):
        run_job(plan, 0, 1, bench)
    run_job(plan, 0, 1, bench)
    started = time.perf_counter()
    tables = run_job(plan, 0, pilot, bench)
    each = (time.perf_counter() - started) / pilot
    small = run_job(plan, 0, 1, bench)
    written = [sum(map(len, made.values())) for made in (small, tables)]
    per_run = (written[1] - written[0]) / max(1, pilot - 1)
    workers = workers or os.cpu_count() or 1
    return Estimate(runs, most, each * runs / workers, per_run * runs + 20_000, workers)
