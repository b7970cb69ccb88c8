"""Jobs on a dask cluster: workers may come late, die or be killed. Same jobs, same results as on threads.

Workers need this package and nothing else: no shared folder, since only the process that hands out jobs writes.
"""

import pickle
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dask.config
from distributed import Client, KilledWorker, LocalCluster, WorkerPlugin, as_completed

from cspsim.errors import CspsimError
from cspsim.sweep.executor import WAITING, Job, Tables, isolated
from cspsim.sweep.plan import Plan
from cspsim.sweep.work import Bench, run_job

LOCAL = "local:"
ANSWER_WITHIN = 20  # seconds that a scheduler has to answer
DEATHS_FORGIVEN = 1  # workers that may die with a job before it is taken apart; on a cluster its scheduler says


@contextmanager
def dask_client(where: str) -> Iterator[Any]:
    """A client of the cluster at an address, of one whose scheduler wrote a .json file, or of ``local:N`` processes.

    Raises CspsimError when nothing answers there.
    """
    if not where.startswith(LOCAL):
        try:
            by_file = where.endswith(".json")
            if by_file:
                _await_file(Path(where))
            client = Client(scheduler_file=where, timeout=ANSWER_WITHIN) if by_file else Client(where, timeout=ANSWER_WITHIN)
        except (OSError, ValueError, TimeoutError) as error:
            raise CspsimError(f"no dask scheduler answers at {where}: {error or 'no connection in time'}") from None
        with client:
            yield client
        return
    number = where.removeprefix(LOCAL)
    if not number.isdecimal() or int(number) < 1:
        raise CspsimError(f"--dask {where}: expected local:N with a number of workers, or the address of a scheduler")
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": DEATHS_FORGIVEN}),
        LocalCluster(n_workers=int(number), threads_per_worker=1, dashboard_address=None, memory_limit=0) as cluster,
        Client(cluster) as client,
    ):
        yield client


def _await_file(path: Path) -> None:
    """Wait a while for a scheduler to write its file; dask would wait for ever. Raises TimeoutError."""
    until = time.monotonic() + ANSWER_WITHIN
    while not path.is_file():
        if time.monotonic() > until:
            raise TimeoutError("there is no such file")
        time.sleep(0.2)


def on_dask(plan: Plan, jobs: Iterable[Job], client: Any) -> Iterator[tuple[Job, Tables]]:
    """Do the jobs on a dask cluster. Workers may come late, die or be killed; a job that kills its workers is taken apart."""
    content = pickle.dumps(plan)
    client.register_plugin(PlanPlugin(plan.digest, content), name=f"cspsim-{plan.digest}")
    jobs = iter(jobs)
    under_way: dict[Any, Job] = {}
    finished = as_completed()

    def hand_out(count: int) -> None:
        for job in jobs:
            future = client.submit(remote_job, plan.digest, *job, key=f"cspsim-{plan.digest}-{job[0]}-{job[1]}", pure=False)
            under_way[future] = job
            finished.add(future)
            count -= 1
            if count <= 0:
                return

    hand_out(WAITING * max(2, sum(client.nthreads().values())))
    for future in finished:
        job = under_way.pop(future)
        hand_out(max(1, WAITING * sum(client.nthreads().values()) - len(under_way)))
        try:
            tables = future.result()
        except KilledWorker:
            tables = isolated(_attempt_on(client, plan), plan, job, "it killed the workers that ran it")
        yield job, tables
        future.release()


def _attempt_on(client: Any, plan: Plan) -> Callable[[int, int], Tables | None]:
    """Runs of a poisonous job on the cluster, a piece at a time."""

    def attempt(first: int, last: int) -> Tables | None:
        future = client.submit(remote_job, plan.digest, first, last, key=f"cspsim-{plan.digest}-piece-{first}-{last}", pure=False)
        try:
            found: Tables = future.result()
        except KilledWorker:
            return None
        return found

    return attempt


_benches: dict[str, Any] = {}


class PlanPlugin(WorkerPlugin):
    """Gives the plan to every worker once, those that come later included."""

    def __init__(self, digest: str, content: bytes) -> None:
        self.digest, self.content = digest, content
        self.name = f"cspsim-{digest}"

    def setup(self, worker: Any) -> None:
        """Called by dask on a worker."""
        _benches[self.digest] = (threading.local(), self.content)

    def teardown(self, worker: Any) -> None:
        """Called by dask when the worker goes."""
        _benches.pop(self.digest, None)


def remote_job(digest: str, first: int, last: int) -> Tables:
    """A job on a worker, which keeps the plan and its bench between jobs."""
    own, content = _benches[digest]
    if not hasattr(own, "bench"):
        own.bench = Bench(pickle.loads(content))
    return run_job(own.bench.plan, first, last, own.bench)
