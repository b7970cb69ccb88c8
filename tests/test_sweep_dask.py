"""The same sweep on a cluster: same bytes, whoever dies on the way. Real workers, really killed."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dask.config
import pytest
from distributed import Client, LocalCluster
from sweep_support import TWO_POLICIES, small_experiment
from test_sweep import content

from cspsim.basics.errors import CspsimError
from cspsim.model.world import World
from cspsim.sweep import dask_executor, plan, sweeping
from cspsim.sweep.dask_executor import dask_client, on_dask
from cspsim.sweep.designing import make_plan
from cspsim.sweep.jobs import from_parquet
from cspsim.sweep.plan import Plan
from cspsim.sweep.sweeping import run_sweep


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    """Two workers that find the test modules; a job that kills one worker is taken apart at once."""
    before = os.environ.get("PYTHONPATH", "")
    os.environ["PYTHONPATH"] = os.pathsep.join([str(Path(__file__).parent), before])
    settings = {"distributed.scheduler.allowed-failures": 0, "distributed.comm.timeouts.connect": "60s"}
    try:
        with (
            dask.config.set(settings),
            LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, memory_limit=0) as running,
        ):
            yield running
    finally:
        os.environ["PYTHONPATH"] = before


@pytest.fixture(autouse=True)
def small_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "RUNS_OF_A_JOB", 7)


def test_a_cluster_gives_the_bytes_of_threads(cluster: LocalCluster, tmp_path: Path) -> None:
    experiment = small_experiment(tmp_path)
    run_sweep(experiment, tmp_path / "threads")
    run_sweep(experiment, tmp_path / "cluster", dask=cluster.scheduler_address)
    assert content(tmp_path / "threads") == content(tmp_path / "cluster")


def test_a_worker_killed_on_the_way_costs_no_result(cluster: LocalCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    experiment = small_experiment(tmp_path, TWO_POLICIES + "[luck]\nreplicates = 150\n")
    run_sweep(experiment, tmp_path / "threads")
    with Client(cluster.scheduler_address) as client:
        victim = next(iter(client.run(os.getpid).values()))
    killed = threading.Event()

    def progress(runs: int) -> None:
        if runs and not killed.is_set():
            os.kill(victim, signal.SIGKILL)
            killed.set()

    run_sweep(experiment, tmp_path / "cluster", dask=cluster.scheduler_address, progress=progress)
    assert killed.is_set()
    assert content(tmp_path / "threads") == content(tmp_path / "cluster")
    _wait_for_workers(cluster)


def _wait_for_workers(cluster: LocalCluster) -> None:
    with Client(cluster.scheduler_address) as client:
        client.wait_for_workers(2, timeout=60)


class PoisonousPlan(Plan):
    """A plan whose second policy kills whoever lays it out."""

    def world(self, policy: int) -> World:
        if policy == 1:
            time.sleep(0.05)
            os._exit(7)
        return super().world(policy)


def test_a_poisonous_run_is_found_and_the_others_are_kept(cluster: LocalCluster, tmp_path: Path) -> None:
    _wait_for_workers(cluster)
    made = make_plan(small_experiment(tmp_path, TWO_POLICIES + "[luck]\nreplicates = 2\n"))
    poisonous = PoisonousPlan(made.experiment, made.policies, made.varied, made.quantiles, made.rows)
    with Client(cluster.scheduler_address) as client:
        done: dict[Any, Any] = dict(on_dask(poisonous, [(0, 1), (1, 3)], client, pytest.fail))
    assert set(from_parquet(done[0, 1]["runs"])["run"].to_pylist()) == {0}
    assert set(from_parquet(done[1, 3]["runs"])["run"].to_pylist()) == {1}
    assert from_parquet(done[1, 3]["failures"])["run"].to_pylist() == [2]
    assert "killed the workers" in from_parquet(done[1, 3]["failures"])["error"][0].as_py()


def test_addresses_that_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask_executor, "ANSWER_WITHIN", 0.5)
    with pytest.raises(CspsimError, match="local:N"), dask_client("local:many"):
        pass
    experiment = small_experiment(tmp_path, TWO_POLICIES)
    with pytest.raises(CspsimError, match="no dask scheduler answers"):
        run_sweep(experiment, tmp_path / "results", dask="tcp://127.0.0.1:9")


def test_without_dask_the_answer_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import builtins

    real = builtins.__import__

    def without(name: str, *rest: Any, **options: Any) -> Any:
        if name == "cspsim.sweep.dask_executor":
            raise ModuleNotFoundError(name)
        return real(name, *rest, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(CspsimError, match=r"cspsim\[cluster\]"):
        run_sweep(small_experiment(tmp_path, TWO_POLICIES), tmp_path / "results", dask="local:2")


def test_no_module_of_a_plain_sweep_needs_dask() -> None:
    assert "distributed" not in vars(sweeping)
    assert dask_executor.LOCAL == "local:"
