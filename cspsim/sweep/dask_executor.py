"""Jobs on a dask cluster: workers may come late, die or be killed. Same jobs, same results as on threads.

Workers need this package and nothing else: no shared folder, since only the process that hands out jobs writes.
"""

import itertools
import pickle
import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import CancelledError
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dask.config
from distributed import Client, KilledWorker, LocalCluster, WorkerPlugin, get_worker

from cspsim.basics.errors import CspsimError
from cspsim.running.same_code import differences, versions
from cspsim.sweep.executor import WAITING, Job, Tables, isolated
from cspsim.sweep.jobs import Bench, run_job
from cspsim.sweep.plan import Plan

LOCAL = "local:"
ANSWER_WITHIN = 20  # seconds that a scheduler has to answer
LOOK_EVERY = 2.0  # seconds without a result after which somebody looks whether workers came or went
GONE = "the dask scheduler went away; every finished job is kept. Start it again and go on with --resume"
DEATHS_FORGIVEN = 1  # workers that may die with a job before it is split; on a cluster its scheduler decides


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


def on_dask(plan: Plan, jobs: Iterable[Job], client: Any, tell: Callable[[str], None]) -> Iterator[tuple[Job, Tables]]:
    """Do the jobs on a dask cluster. Workers may come late, die or be killed; a job that kills its workers is split.

    Raises CspsimError when no worker computes with the same code as this process, or the scheduler goes away.
    """
    with _scheduler_needed(client):
        crew = Crew(client, plan, tell)
        waiting = iter(jobs)
        exhausted = False
        while True:
            while not exhausted and len(crew.under_way) < WAITING * max(2, sum(client.nthreads().values())):
                job = next(waiting, None)
                exhausted = job is None
                if job is not None:
                    crew.hand_out(job)
            if not crew.under_way:
                return
            finished = crew.next_finished()
            if finished is not None:
                yield finished


@contextmanager
def _scheduler_needed(client: Any) -> Iterator[None]:
    """The sentence about a scheduler that has gone."""
    try:
        yield
    except (OSError, CancelledError, RuntimeError) as error:
        if client.status == "running" and not isinstance(error, OSError | CancelledError):
            raise
        raise CspsimError(GONE) from None


class Crew:
    """Workers that compute with the same code as this process, and the jobs that they have in hand.

    A worker says with every result what it computed with; a result of other code does not count, and its worker is left out.
    """

    def __init__(self, client: Any, plan: Plan, tell: Callable[[str], None]) -> None:
        self.client, self.plan, self.tell = client, plan, tell
        self.left_out: set[str] = set()
        self.under_way: dict[Any, tuple[Job, list[str] | None]] = {}
        self._finished: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._asked: set[str] = set()
        self._number = itertools.count()
        try:
            client.register_plugin(PlanPlugin(plan.digest, pickle.dumps(plan)), name=f"cspsim-{plan.digest}")
        except Exception as error:  # of a worker that cannot even read the plan; the roll call says which
            if client.status != "running":
                raise CspsimError(GONE) from error
        self.call_the_roll()

    def hand_out(self, job: Job) -> None:
        """Give a job to a worker; only to those that are not left out, if some are."""
        there = self._workers() if self.left_out else []
        trusted = [worker for worker in there if worker not in self.left_out] or None
        key = f"cspsim-{self.plan.digest}-{job[0]}-{job[1]}-{next(self._number)}"
        future = self.client.submit(remote_job, self.plan.digest, *job, key=key, pure=False, workers=trusted)
        self.under_way[future] = (job, trusted)
        future.add_done_callback(self._finished.put)

    def next_finished(self) -> tuple[Job, Tables] | None:
        """The next job that is done; None when it was time to look after the workers, or a job had to be handed out again."""
        try:
            future = self._finished.get(timeout=LOOK_EVERY)
        except queue.Empty:
            self._look_after()
            return None
        if future not in self.under_way:  # handed out again meanwhile
            return None
        job, _ = self.under_way.pop(future)
        tables = self._result(future, job)
        if tables is None:
            self.hand_out(job)
            return None
        return job, tables

    def _result(self, future: Any, job: Job) -> Tables | None:
        """What a job gave; None if other code computed it."""
        try:
            worker, theirs, tables = future.result()
        except KilledWorker:
            return isolated(self._attempt, self.plan, job, "it killed the workers that ran it")
        except MemoryError:
            raise CspsimError("a worker has not enough memory: give workers more, or fewer threads; --resume goes on") from None
        except Exception:
            if self.client.status != "running" or future.status in ("cancelled", "lost"):
                raise CspsimError(GONE) from None
            if not self.call_the_roll():
                raise
            return None
        if theirs != OWN:
            self._leave_out(worker, theirs)
            return None
        found: Tables = tables
        return found

    def _attempt(self, first: int, last: int) -> Tables | None:
        """Runs of a job that kills its workers, a piece at a time, on the cluster."""
        trusted = [worker for worker in self._workers() if worker not in self.left_out] if self.left_out else None
        key = f"cspsim-{self.plan.digest}-piece-{first}-{last}-{next(self._number)}"
        future = self.client.submit(remote_job, self.plan.digest, first, last, key=key, pure=False, workers=trusted)
        try:
            worker, theirs, tables = future.result()
        except KilledWorker:
            return None
        if theirs != OWN:
            self._leave_out(worker, theirs)
            return self._attempt(first, last)
        found: Tables = tables
        return found

    def call_the_roll(self) -> bool:
        """Ask workers that were not asked yet what they compute with; whether one more is left out now."""
        before = len(self.left_out)
        new = [worker for worker in self._workers() if worker not in self._asked]
        if new:
            said = self.client.run(what_computes, workers=new, on_error="return")
            for worker in new:
                self._asked.add(worker)
                answer = said.get(worker)
                if isinstance(answer, Exception) and not isinstance(answer, OSError):
                    self._leave_out(worker, {})
                elif isinstance(answer, dict) and answer != OWN:
                    self._leave_out(worker, answer)
        return len(self.left_out) > before

    def _look_after(self) -> None:
        """Nothing finished for a while: new workers are asked, and jobs that wait for workers that are gone are handed out again."""
        self.call_the_roll()
        there = set(self._workers())
        for future, (job, trusted) in list(self.under_way.items()):
            if trusted is not None and not there & set(trusted):
                del self.under_way[future]
                future.cancel()
                self.hand_out(job)

    def _leave_out(self, worker: str, theirs: Mapping[str, str]) -> None:
        if worker in self.left_out:
            return
        self.left_out.add(worker)
        what = ", ".join(differences(theirs, OWN, ignored=())) if theirs else "another version of cspsim, or none"
        self.tell(f"The worker {worker} is left out, since its results would not be of this program: it has {what}.")
        if all(other in self.left_out for other in self._workers()):
            raise CspsimError(f"no worker of the cluster has the code and the versions of this process: {worker} has {what}")

    def _workers(self) -> list[str]:
        return list(self.client.scheduler_info(n_workers=-1)["workers"])


OWN: Mapping[str, str] = dict(versions())
"""What this process computes with, as its files were when it began."""

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


def what_computes() -> dict[str, str]:
    """On a worker: what it computes with."""
    return dict(OWN)


def remote_job(digest: str, first: int, last: int) -> tuple[str, dict[str, str], Tables]:
    """A job on a worker, which keeps the plan and its bench between jobs: who did it, with what, and what came of it."""
    own, content = _benches[digest]
    if not hasattr(own, "bench"):
        own.bench = Bench(pickle.loads(content))
    return get_worker().address, what_computes(), run_job(own.bench.plan, first, last, own.bench)
