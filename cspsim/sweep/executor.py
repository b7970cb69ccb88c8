"""Jobs on threads of this machine, and what happens to runs that crash their process."""

import multiprocessing
import os
import pickle
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any

from cspsim.sweep.jobs import Bench, failed_block, joined, run_job
from cspsim.sweep.plan import Plan

Job = tuple[int, int]
Tables = dict[str, bytes]

WAITING = 2  # jobs handed out ahead of each worker: enough to keep it busy, few enough to keep memory flat


def on_threads(plan: Plan, jobs: Iterable[Job], threads: int | None, begun: Callable[[Job], None]) -> Iterator[tuple[Job, Tables]]:
    """Do the jobs on threads of this process, in whatever order they finish; ``begun`` is told of each before its first run."""
    workers = threads or os.cpu_count() or 1
    benches = threading.local()

    def work(job: Job) -> Tables:
        begun(job)
        if not hasattr(benches, "own"):
            benches.own = Bench(plan)
        return run_job(plan, *job, benches.own)

    with ThreadPoolExecutor(workers) as pool:
        try:
            yield from _window(lambda job: pool.submit(work, job), jobs, workers * WAITING)
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _window(submit: Callable[[Job], "Future[Tables]"], jobs: Iterable[Job], size: int) -> Iterator[tuple[Job, Tables]]:
    """Keep ``size`` jobs under way and hand on what is finished."""
    waiting: dict[Future[Tables], Job] = {}
    jobs = iter(jobs)
    while True:
        for job in jobs:
            waiting[submit(job)] = job
            if len(waiting) >= size:
                break
        if not waiting:
            return
        for future in wait(waiting, return_when=FIRST_COMPLETED).done:
            yield waiting.pop(future), future.result()


# ---------------------------------------------------------------------------------------------------- runs that kill


def isolated(attempt: Callable[[int, int], Tables | None], plan: Plan, job: Job, because: str) -> Tables:
    """Find the run that crashes its process, by halving; the results of the others are kept.

    ``attempt`` gives the tables of a range of runs, or None if the process that tried it died.
    """
    first, last = job
    tables = attempt(first, last)
    if tables is not None:
        return tables
    if last - first == 1:
        return failed_block(plan, first, because)
    middle = (first + last) // 2
    return joined([isolated(attempt, plan, part, because) for part in ((first, middle), (middle, last))])


def in_own_process(plan: Plan, job: Job) -> Tables:
    """A job in processes of its own, as for one that was under way when this program died before."""
    context = multiprocessing.get_context("spawn")

    def attempt(first: int, last: int) -> Tables | None:
        receiver, sender = context.Pipe(duplex=False)
        process = context.Process(target=_send_job, args=(pickle.dumps(plan), first, last, sender))
        process.start()
        sender.close()
        try:
            found: Tables | None = receiver.recv()
        except EOFError:
            found = None
        process.join()
        return found

    return isolated(attempt, plan, job, "the process that ran it died")


def _send_job(plan: bytes, first: int, last: int, sender: Any) -> None:
    sender.send(run_job(pickle.loads(plan), first, last))
