"""What a sweep will cost before it is run: runs, time, disk."""

import math
import os
import time
from typing import NamedTuple

from cspsim.basics.limits import EstimatedWork, work_of
from cspsim.model.compiled import first_compilation
from cspsim.model.luck import STREAMS
from cspsim.running.assumptions import uncertain_numbers
from cspsim.scenario.world_building import size_of
from cspsim.sweep.experiment import Experiment
from cspsim.sweep.jobs import Bench, run_job
from cspsim.sweep.plan import RUNS_OF_A_JOB, Plan

PILOT_RUNS = 16
BYTES_OF_A_JOB = 500  # what a sweep holds in memory for every job: its numbers and its name


class SweepCost(NamedTuple):
    """Cost of a sweep. ``most_runs`` differs from ``runs`` where a precision may ask for more rounds."""

    runs: int
    most_runs: int
    seconds: float
    bytes: float
    workers: int


def sweep_work(experiment: Experiment, threads: int | None = None) -> EstimatedWork:
    """Time and memory of a sweep, from the numbers in its file alone: a design that is too large is never laid out."""
    levers, numbers, luck = experiment.data.levers, experiment.data.uncertainties, experiment.data.luck
    ranges = experiment.lever_ranges.values()
    points = _points(levers.design, levers.points, len(ranges), levers.second_order) if ranges else 0
    if levers.design == "full-factorial" and ranges:
        points = math.prod(len(entry.values) if entry.values is not None else levers.levels for entry in ranges)
    elif levers.design == "list":
        points = max((len(entry.values or ()) for entry in ranges), default=0)
    varied = len(uncertain_numbers(experiment.baseline))
    factors = min(varied, len(numbers.only if numbers.only is not None else numbers.vary) or varied)
    sets = 1 + (_points(numbers.design, numbers.points, factors, numbers.second_order) if numbers.design != "best-guess" else 0)
    if experiment.given_sets is not None:
        sets, factors = 1 + len(experiment.given_sets[1]), len(experiment.given_sets[0])
    policies, each, rows = len(experiment.policies) + points, luck.replicates, 0
    if luck.design == "saltelli":
        rows = each = luck.base * (len(luck.groups or STREAMS) + 3)
        sets = 1
    elif luck.precision is not None:
        each = max(each, luck.most)
    runs = policies * sets * each
    work = work_of(size_of(experiment.baseline.data), runs, kept=min(runs, RUNS_OF_A_JOB * (os.cpu_count() or 1)), threads=threads)
    design = policies * (500 + 8 * 4 * len(ranges)) + sets * 8 * 6 * max(1, factors) + rows * 8 * 4 * len(STREAMS)
    return EstimatedWork(work.seconds, work.memory + design + BYTES_OF_A_JOB * runs / RUNS_OF_A_JOB)


def _points(design: str, points: int, factors: int, second_order: bool) -> int:
    """Rows of a design; see ``sampling.sampled``."""
    each = {"morris": factors + 1, "saltelli": (2 * factors if second_order else factors) + 2}
    return points * each.get(design, 1)


def estimate(plan: Plan, workers: int | None = None) -> SweepCost:
    """Cost by a pilot of a few runs, computed and packed as in the sweep; nothing is written.

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
    return SweepCost(runs, most, each * runs / workers, per_run * runs + 20_000, workers)
