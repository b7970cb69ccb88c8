"""A sweep in trouble says so in a sentence, loses nothing that was finished, and its status is true. Real processes, real signals."""

import multiprocessing
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sweep_support import TWO_POLICIES, small_experiment, write_experiment
from test_sweep import content
from typer.testing import CliRunner

from cspsim import cli
from cspsim.basics.errors import CspsimError
from cspsim.running.rulebook import Rulebook
from cspsim.sweep import locking, plan, store
from cspsim.sweep.locking import LOCK
from cspsim.sweep.stored_results import load_results
from cspsim.sweep.sweeping import run_sweep

needs_fork = pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="needs fork to start quickly")


@pytest.fixture(autouse=True)
def small_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "RUNS_OF_A_JOB", 7)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "results"


@pytest.fixture
def experiment(tmp_path: Path) -> Any:
    return small_experiment(tmp_path, TWO_POLICIES + "[luck]\nreplicates = 40\n")


def sweep_slowly(file: str, folder: str, said: str) -> None:
    """The command line in a process of its own, a little slower than life."""
    sys.stderr = open(said, "w")  # noqa: SIM115 - it ends with the process
    real = store.SweepStore.write_part

    def slowly(self: Any, *rest: Any) -> None:
        real(self, *rest)
        time.sleep(0.05)

    store.SweepStore.write_part = slowly  # type: ignore[method-assign]
    sys.argv = ["cspsim", "sweep", file, "--out", folder, "--threads", "1"]
    cli.main()


def wait_until(condition: Callable[[], object]) -> None:
    until = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


def parts(folder: Path) -> int:
    return len(list((folder / "checksums").glob("0*.json")))


class TestSignals:
    @needs_fork
    @pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGINT"])
    def test_each_pauses(self, tmp_path: Path, folder: Path, experiment: Any, name: str) -> None:
        said = tmp_path / "said"
        arguments = (str(experiment.path), str(folder), str(said))
        process = multiprocessing.get_context("fork").Process(target=sweep_slowly, args=arguments)
        process.start()
        try:
            wait_until(lambda: parts(folder) >= 2)
            os.kill(process.pid or 0, getattr(signal, name))
            process.join(30)
            assert process.exitcode == 128 + getattr(signal, name)
        finally:
            process.kill()
        assert "paused; every finished job is kept. Go on with: cspsim sweep" in said.read_text()
        assert not (folder / LOCK).exists()
        stopped = load_results(folder)
        assert stopped.manifest["status"] == "paused"
        assert stopped.manifest["counts"]["runs"] == len(stopped.runs["run"].unique()) >= 14
        run_sweep(experiment, folder, resume=True)
        run_sweep(experiment, tmp_path / "whole")
        assert content(folder) == content(tmp_path / "whole")

    def test_what_is_ignored_stays_ignored(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """As under nohup, which is how people keep a sweep going when they leave."""
        from cspsim.commands.stopping import heed_signals

        before = {name: signal.signal(getattr(signal, name), signal.SIG_IGN) for name in ("SIGTERM", "SIGHUP")}
        try:
            heed_signals()
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        finally:
            for name, handler in before.items():
                signal.signal(getattr(signal, name), handler)

    def test_a_sweep_that_was_killed_is_not_said_to_run(self, tmp_path: Path, folder: Path, experiment: Any) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("cspsim.sweep.sweeping.PAUSED", "running")  # nobody came to write it
            with pytest.raises(KeyboardInterrupt):
                run_sweep(experiment, folder, progress=_stop_at(14))
        assert load_results(folder).manifest["status"] == "interrupted"
        printed = CliRunner().invoke(cli.app, ["results", str(folder)]).output
        assert "Status: interrupted" in printed
        assert "--resume" in printed
        with locking.locked(store_folder(folder)):
            assert load_results(folder).manifest["status"] == "running"


def store_folder(path: Path) -> Any:
    from cspsim.sweep.folders import LocalFolder

    return LocalFolder(path)


def _stop_at(runs: int) -> Callable[[int], None]:
    done = 0

    def progress(more: int) -> None:
        nonlocal done
        done += more
        if done >= runs:
            raise KeyboardInterrupt

    return progress


class TestLocks:
    def test_a_process_number_that_is_used_again_is_told_from_the_sweep(self, folder: Path, experiment: Any) -> None:
        folder.mkdir()
        host = locking._mine().split()[0]
        (folder / LOCK).write_text(f"{host} {os.getppid()} 12345")
        if locking._start_of(os.getppid()):
            run_sweep(experiment, folder)
            assert not (folder / LOCK).exists()

    def test_where_nobody_can_tell_the_sentence_says_how_to_get_out(self, folder: Path, experiment: Any) -> None:
        folder.mkdir()
        host = locking._mine().split()[0]
        (folder / LOCK).write_text(f"{host} {os.getppid()}")
        with pytest.raises(CspsimError, match=f"if that process is no sweep, remove {folder / LOCK}"):
            run_sweep(experiment, folder)
        (folder / LOCK).write_text("elsewhere 1 2")
        with pytest.raises(CspsimError, match=f"sweep on elsewhere; if that one is gone, remove {folder / LOCK}"):
            run_sweep(experiment, folder)
        (folder / LOCK).unlink()
        run_sweep(experiment, folder)


class TestFolders:
    def test_one_that_cannot_be_made(self, tmp_path: Path, experiment: Any) -> None:
        (tmp_path / "file").write_text("")
        said = CliRunner().invoke(cli.app, ["sweep", str(experiment.path), "--out", str(tmp_path / "file" / "results")])
        assert said.exit_code == 2
        assert "cannot be written to: Not a directory; choose another folder with --out" in said.stderr

    def test_one_that_may_only_be_read(self, folder: Path, experiment: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(*arguments: Any, **options: Any) -> None:
            raise PermissionError(30, "Read-only file system")

        monkeypatch.setattr(os, "link", refuse)
        with pytest.raises(CspsimError, match="cannot be written to: Read-only file system"):
            run_sweep(experiment, folder)

    def test_one_that_becomes_readable_only_on_the_way(self, folder: Path, experiment: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        real = os.replace

        def refuse(source: Any, target: Any) -> None:
            if parts(folder) >= 3:
                raise PermissionError(30, "Read-only file system")
            real(source, target)

        with monkeypatch.context() as patch:
            patch.setattr(os, "replace", refuse)
            with pytest.raises(CspsimError, match="Read-only file system; what was written before is kept"):
                run_sweep(experiment, folder)
        assert load_results(folder).manifest["status"] == "interrupted"
        assert load_results(folder).manifest["counts"]["runs"] == 21
        run_sweep(experiment, folder, resume=True)

    def test_one_that_vanishes(self, folder: Path, experiment: Any) -> None:
        def progress(runs: int) -> None:
            if parts(folder) == 3:
                shutil.rmtree(folder)

        with pytest.raises(CspsimError, match="went away while results were written"):
            run_sweep(experiment, folder, threads=1, progress=progress)
        assert not folder.exists()

    def test_parts_that_vanish(self, folder: Path, experiment: Any) -> None:
        def progress(runs: int) -> None:
            if parts(folder) == 3:
                shutil.rmtree(folder / "runs")

        with pytest.raises(CspsimError, match="taken away while the sweep ran; --resume makes it again"):
            run_sweep(experiment, folder, threads=1, progress=progress)
        assert run_sweep(experiment, folder, resume=True).manifest["counts"]["runs"] == 80


def test_too_little_memory_is_no_failed_run(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What one machine has no room for another can run: it does not go to the table of failures."""
    path = write_experiment(tmp_path, TWO_POLICIES + "[luck]\nreplicates = 40\n")
    real = Rulebook.run_replicates
    calls = 0

    def run(self: Any, *rest: Any) -> None:
        nonlocal calls
        calls += 1
        if calls > 7:
            raise MemoryError
        real(self, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(Rulebook, "run_replicates", run)
        patch.setattr("cspsim.commands.sweep._announce", lambda *arguments: None)
        said = CliRunner().invoke(cli.app, ["sweep", str(path), "--out", str(folder), "--threads", "1"])
    assert said.exit_code == 2
    assert "not enough memory: use fewer --threads; finished jobs are kept, --resume goes on" in said.stderr
    stopped = load_results(folder)
    assert stopped.manifest["status"] == "paused"
    assert stopped.manifest["counts"]["failures"] == 0
    assert stopped.manifest["counts"]["runs"] >= 14
    assert CliRunner().invoke(cli.app, ["sweep", str(path), "--out", str(folder), "--resume"]).exit_code == 0


def test_any_command_says_when_memory_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    def hungry(*arguments: Any, **options: Any) -> None:
        raise MemoryError

    monkeypatch.setattr("cspsim.sweep.stored_results.load_results", hungry)
    said = CliRunner().invoke(cli.app, ["results", "anywhere"])
    assert said.exit_code == 2
    assert "not enough memory" in said.stderr
