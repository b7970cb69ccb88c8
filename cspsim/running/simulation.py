"""Many runs of one scenario: threads over replicates, outcomes reduced as runs finish."""

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from cspsim.basics.limits import Limits, hold_to_limits, limits_of, work_of
from cspsim.model.luck import STREAMS
from cspsim.model.parameters import Floats, Words
from cspsim.model.state import State, new_state
from cspsim.model.structures import packed
from cspsim.model.tallies import AuthorityTally, Tally
from cspsim.model.world import World, sizes
from cspsim.running.results import Results
from cspsim.running.rulebook import Rulebook, rulebook_of
from cspsim.scenario.scenario import Scenario, load_scenario
from cspsim.scenario.world_building import build_world, calendar_of, size_of

CHUNK = 8
"""Replicates one thread takes at a time: few enough to share the work evenly and to report progress."""


def state_for(world: World) -> State:
    """A fresh state of the right sizes for this world."""
    return new_state(*sizes(world))


def replicate_numbers(replicates: int, first: int = 0, streams: Mapping[str, Any] | None = None) -> Words:
    """Replicate number of each stream ``[run, stream]``; ``streams`` gives some streams numbers of their own.

    Raises ValueError for a stream that does not exist.
    """
    numbers = np.repeat(np.arange(first, first + replicates, dtype=np.uint64)[:, None], len(STREAMS), axis=1)
    for name, own in (streams or {}).items():
        if name not in STREAMS:
            raise ValueError(f"no stream of luck is called {name!r}: expected one of {', '.join(STREAMS)}")
        numbers[:, STREAMS.index(name)] = np.asarray(own, dtype=np.uint64)
    return numbers


def run_world(
    world: World,
    rulebook: Rulebook,
    streams: Words,
    seed: int,
    months: bool = False,
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> tuple[Floats, Floats, Floats]:
    """Tallies, authority tallies and (if wanted) monthly tallies of every run; see ``stepping.run_steps`` for axes.

    ``progress`` is called with the number of runs just finished. ``threads`` None uses every processor.
    """
    n_runs = streams.shape[0]
    partnerships, authorities, _, _, n_months = sizes(world)
    tallies = np.zeros((n_runs, partnerships, len(Tally)))
    by_authority = np.zeros((n_runs, partnerships, authorities, len(AuthorityTally)))
    monthly = np.zeros((n_runs if months else 0, n_months, partnerships, len(Tally)))

    seen, desks = packed(world), threading.local()  # a world is only read, a state serves one thread at a time

    def work(start: int) -> None:
        if not hasattr(desks, "state"):
            desks.state = packed(state_for(world))
        part = slice(start, start + CHUNK)
        rulebook.run_replicates(seen, desks.state, np.uint64(seed), streams[part], tallies[part], by_authority[part], monthly[part])
        if progress is not None:
            progress(min(CHUNK, n_runs - start))

    share_out(work, range(0, n_runs, CHUNK), threads)
    return tallies, by_authority, monthly


def share_out(work: Callable[[Any], None], jobs: Sequence[Any], threads: int | None = None) -> None:
    """Do every job, several at a time; on Ctrl-C or an error, jobs that have not begun are dropped at once.

    ``threads`` None uses every processor. Raises what the first failing job raised.
    """
    workers = min(threads or os.cpu_count() or 1, len(jobs))
    if workers <= 1:
        for job in jobs:
            work(job)
        return
    with ThreadPoolExecutor(workers) as pool:
        try:
            for done in [pool.submit(work, job) for job in jobs]:
                done.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def simulate(
    scenario: Scenario | str,
    replicates: int = 100,
    seed: int = 1,
    months: bool = False,
    threads: int | None = None,
    streams: Mapping[str, Any] | None = None,
    first_replicate: int = 0,
    progress: Callable[[int], None] | None = None,
    limits: Limits | None = None,
) -> Results:
    """Run a scenario ``replicates`` times and collect tidy tables.

    Args:
        scenario: a scenario, or the name, path or stack of one.
        replicates: number of runs; replicate k of one scenario shares its luck with replicate k of any other.
        seed: 0 to 2^64 - 1. A run depends on nothing but scenario, seed and replicate number.
        months: keep the monthly series too (memory grows with runs x months).
        threads: None uses every processor.
        streams: replicate numbers of single streams of luck, to hold some and vary others.
        first_replicate: number of the first replicate, for fresh runs beside earlier ones.
        progress: called with the number of runs just finished, from worker threads.
        limits: time and memory the runs may take, such as ``limits_of(memory="8GB")``; see ``limits``.

    Returns:
        ``Results`` with ``runs``, ``months`` and ``authorities``.

    Raises:
        ScenarioError: the scenario does not exist or has faults.
        CspsimError: the scenario brings rules of its own that nobody has allowed, or that do not work.
        TooMuch: the runs would take more time or memory than the limits allow.
        ValueError: replicates below 1, or an unknown stream.
    """
    if replicates < 1:
        raise ValueError(f"replicates is {replicates}: expected 1 or more")
    chosen = load_scenario(scenario) if isinstance(scenario, str) else scenario
    work = work_of(size_of(chosen.data), replicates, months_kept=replicates * months, threads=threads)
    hold_to_limits(work, f"{replicates:,} runs of {chosen.name!r}", limits or limits_of(), in_python=True)
    rulebook = rulebook_of(chosen)
    world = build_world(chosen.data)
    numbers = replicate_numbers(replicates, first_replicate, streams)
    tallies, authorities, monthly = run_world(world, rulebook, numbers, seed, months, threads, progress)
    return Results(chosen, seed, first_replicate, calendar_of(chosen.data), tallies, authorities, monthly)
