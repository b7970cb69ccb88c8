"""A cluster of real processes: a worker with other code is told and left out, and a scheduler that dies is said in a sentence."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from distributed import Client
from sweep_support import TWO_POLICIES, small_experiment
from test_sweep import content

import cspsim
from cspsim.basics.errors import CspsimError
from cspsim.running.same_code import differences, hash_of_sources, versions
from cspsim.sweep import dask_executor, plan
from cspsim.sweep.stored_results import load_results
from cspsim.sweep.sweeping import run_sweep

PACKAGE = Path(str(cspsim.__file__)).resolve().parent
DASK = (sys.executable, "-m", "dask")


class Cluster:
    """A scheduler and workers as a user starts them."""

    def __init__(self, place: Path) -> None:
        self.place, self.file = place, place / "scheduler.json"
        self.processes: list[subprocess.Popen[bytes]] = []
        self.scheduler = self._start(
            "scheduler", "--port", "0", "--scheduler-file", str(self.file), "--no-dashboard", "--host", "127.0.0.1"
        )

    def add_worker(self, package: Path = PACKAGE) -> None:
        """A worker that finds the package in a certain place."""
        options = ("--scheduler-file", str(self.file), "--nthreads", "1", "--no-dashboard", "--no-nanny", "--host", "127.0.0.1")
        self._start("worker", *options, package=package)

    def _start(self, *arguments: str, package: Path = PACKAGE) -> "subprocess.Popen[bytes]":
        environment = {**os.environ, "PYTHONPATH": str(package.parent)}
        process = subprocess.Popen(
            [*DASK, *arguments], env=environment, cwd=self.place, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.processes.append(process)
        return process

    def wait_for(self, workers: int) -> None:
        """Until so many workers are there."""
        until = time.monotonic() + 60
        while not self.file.is_file() and time.monotonic() < until:
            time.sleep(0.05)
        with Client(scheduler_file=str(self.file), timeout=30) as client:
            client.wait_for_workers(workers, timeout=60)

    def close(self) -> None:
        """End all of it."""
        for process in self.processes:
            process.kill()
        for process in self.processes:
            process.wait()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    running = Cluster(tmp_path)
    try:
        yield running
    finally:
        running.close()


@pytest.fixture(autouse=True)
def small_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "RUNS_OF_A_JOB", 7)
    monkeypatch.setattr(dask_executor, "LOOK_EVERY", 0.2)


def changed_copy(place: Path) -> Path:
    """The package with half as much again of every crime: what a colleague tried out and forgot."""
    package = place / "other" / "cspsim"
    shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__", "web", "templates"))
    file = next(package.rglob("outcomes.py"))
    source = file.read_text(encoding="utf-8")
    changed = source.replace(
        "def combined(", "def combined(*given: Any) -> Any:\n    return 1.5 * _combined(*given)\n\n\ndef _combined(", 1
    )
    assert changed != source
    file.write_text("from typing import Any\n" + changed.replace("from __future__", "# from __future__"))
    return package


def test_a_changed_worker_is_told_and_left_out_and_a_scheduler_that_dies_loses_nothing(cluster: Cluster, tmp_path: Path) -> None:
    package = changed_copy(tmp_path)
    cluster.add_worker(package)
    cluster.wait_for(1)
    experiment = small_experiment(tmp_path, TWO_POLICIES + "[luck]\nreplicates = 40\n")
    run_sweep(experiment, tmp_path / "threads")
    told: list[str] = []
    with pytest.raises(CspsimError, match=r"no worker of the cluster has the code and the versions of this process: tcp.*other sources"):
        run_sweep(experiment, tmp_path / "alone", dask=str(cluster.file), tell=told.append)
    cluster.add_worker()
    cluster.wait_for(2)
    told.clear()
    run_sweep(experiment, tmp_path / "cluster", dask=str(cluster.file), tell=told.append)
    assert content(tmp_path / "cluster") == content(tmp_path / "threads")
    (sentence,) = told
    assert sentence.startswith("The worker tcp://127.0.0.1:")
    assert "is left out, since its results would not be of this program: it has other sources of cspsim." in sentence

    def progress(runs: int) -> None:
        if runs and cluster.scheduler.poll() is None:
            cluster.scheduler.kill()
            cluster.scheduler.wait()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dask_executor, "ANSWER_WITHIN", 1.0)
        patch.setattr(dask_executor, "WAITING", 1)
        with pytest.raises(CspsimError, match="the dask scheduler went away; every finished job is kept"):
            run_sweep(experiment, tmp_path / "died", dask=str(cluster.file), progress=progress, tell=told.append)
    assert load_results(tmp_path / "died").manifest["status"] == "paused"
    assert load_results(tmp_path / "died").manifest["counts"]["runs"] >= 7
    run_sweep(experiment, tmp_path / "died", resume=True)
    assert content(tmp_path / "died") == content(tmp_path / "threads")


class SuddenlyOther:
    """A cluster of one process whose worker has other code only when a job comes, as one that joined a moment ago."""

    status = "running"

    def __init__(self, honest_from: int) -> None:
        self.calls, self.honest_from = 0, honest_from
        self.asked_for: list[Any] = []

    def register_plugin(self, plugin: Any, name: str) -> None:
        plugin.setup(None)

    def scheduler_info(self, n_workers: int) -> dict[str, Any]:
        return {"workers": {"a": {}, "b": {}}}

    def nthreads(self) -> dict[str, int]:
        return {"a": 1, "b": 1}

    def run(self, function: Any, workers: list[str], on_error: str) -> dict[str, Any]:
        return {worker: dict(versions()) for worker in workers}

    def submit(self, function: Any, digest: str, first: int, last: int, **options: Any) -> Any:
        from cspsim.sweep.jobs import run_job

        self.calls += 1
        self.asked_for.append(options["workers"])
        honest = self.calls >= self.honest_from
        own = pickle_of(digest)
        answer = ("b", dict(versions()), run_job(own, first, last)) if honest else ("a", {**versions(), "numba": "0.1"}, {})
        return Done(answer)


class Done:
    status = "finished"

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def add_done_callback(self, call: Any) -> None:
        call(self)

    def result(self) -> Any:
        return self.answer


def pickle_of(digest: str) -> Any:
    import pickle

    return pickle.loads(dask_executor._benches[digest][1])


def test_a_result_counts_only_with_its_proof(tmp_path: Path) -> None:
    from cspsim.sweep.designing import make_plan

    own = make_plan(small_experiment(tmp_path, TWO_POLICIES + "[luck]\nreplicates = 7\n"))
    client, told = SuddenlyOther(honest_from=3), []
    done = dict(dask_executor.on_dask(own, [(0, 7), (7, 14)], client, told.append))
    assert sorted(done) == [(0, 7), (7, 14)]
    assert all("runs" in tables for tables in done.values())
    assert len(told) == 1
    assert "numba 0.1 instead of" in told[0]
    assert client.asked_for == [None, None, ["b"], ["b"]]


def test_the_code_of_this_process_is_the_whole_package_not_only_the_compiled_room() -> None:
    assert versions()["code"] == hash_of_sources(PACKAGE) != hash_of_sources(PACKAGE / "model")


def test_the_hash_is_of_every_source_and_of_no_line_end(tmp_path: Path) -> None:
    assert versions()["code"] == hash_of_sources(PACKAGE)
    (tmp_path / "one.py").write_bytes(b"a = 1\n")
    (tmp_path / "inside").mkdir()
    (tmp_path / "inside" / "two.py").write_bytes(b"b = 2\n")
    first = hash_of_sources(tmp_path)
    (tmp_path / "one.py").write_bytes(b"a = 1\r\n")
    assert hash_of_sources(tmp_path) == first
    (tmp_path / "inside" / "two.py").write_bytes(b"b = 3\n")
    assert hash_of_sources(tmp_path) != first


def test_differences_in_words() -> None:
    ours = dict(versions())
    assert differences(ours, ours, ignored=()) == []
    assert differences({**ours, "pyarrow": "1"}, ours) == []
    assert differences({**ours, "pyarrow": "1"}, ours, ignored=()) == [f"pyarrow 1 instead of {ours['pyarrow']}"]
    assert differences({**ours, "python": f"{ours['python']}9"}, ours) == []
    assert differences({**ours, "python": "2.7.1"}, ours) == [f"python 2.7 instead of {'.'.join(ours['python'].split('.')[:2])}"]
