"""Sweeps: stored runs are the runs of the model, and nothing that happens on the way changes them."""

import hashlib
import multiprocessing
import os
import random
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sweep_support import HEAD, SETS, TWO_POLICIES, small_experiment, write_experiment
from typer.testing import CliRunner

from cspsim.basics.errors import CspsimError
from cspsim.cli import app
from cspsim.comparing.comparison import compare
from cspsim.model.tallies import Tally
from cspsim.running.rulebook import STANDARD, Rulebook
from cspsim.running.simulation import run_world, simulate
from cspsim.sweep import executor, locking, plan, store, sweeping
from cspsim.sweep import jobs as work
from cspsim.sweep.designing import make_plan
from cspsim.sweep.folders import LocalFolder, folder_at
from cspsim.sweep.reading import load_experiment
from cspsim.sweep.stored_results import Cells, load_results
from cspsim.sweep.sweeping import run_sweep
from cspsim.sweep.toml_file import shipped_questions

RUNS = 2 * 6 * 10  # of the small experiment: two policies, five sets and the best guesses, ten replicates


@pytest.fixture(autouse=True)
def small_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "RUNS_OF_A_JOB", 7)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "results"


def content(folder: Path) -> dict[str, str]:
    """Hashes of every file of results."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.rglob("*")) if path.is_file()
    }


class TestWhatIsStored:
    def test_a_sweep_holds_the_runs_of_simulate_number_for_number(self, tmp_path: Path, folder: Path) -> None:
        experiment = small_experiment(tmp_path, TWO_POLICIES)
        results = run_sweep(experiment, folder)
        for number, scenario in enumerate(experiment.policies.values()):
            alone = simulate(scenario, replicates=10, seed=1)
            stored = results.runs[results.runs["policy"] == number]
            for outcome in experiment.outcomes:
                np.testing.assert_array_equal(stored[outcome].to_numpy(), alone.outcomes[:, :, _column(outcome)].ravel())
            assert stored["partnership"].tolist() == alone.runs["partnership"].tolist()

    def test_effects_are_those_of_compare(self, tmp_path: Path, folder: Path) -> None:
        experiment = small_experiment(tmp_path, TWO_POLICIES)
        cells = run_sweep(experiment, folder).cells("evaluated_share")
        finding = compare(*experiment.policies.values(), replicates=10, assumption_sets=0).finding(outcome="evaluated_share")
        assert cells.effects()[1, 0] == pytest.approx(finding.difference, abs=1e-14)
        assert 2.8 * cells.noise()[1, 0] == pytest.approx(finding.smallest_detectable, rel=1e-12)
        assert cells.effects()[0, 0] == cells.noise()[0, 0] == 0

    def test_errors_leave_out_runs_whose_partner_is_missing(self) -> None:
        numerator = np.array([[[1.0, 2.0, 4.0, np.nan]], [[2.0, 5.0, np.nan, 9.0]]])
        cells = Cells(numerator, np.ones_like(numerator), np.array([0, 0]))
        assert cells.effects()[1, 0] == 2.0  # (1 + 3) / 2
        assert cells.noise()[1, 0] == pytest.approx(1.0)  # sd of 1 and 3 is the root of 2, over the root of 2
        ratio = Cells(np.array([[[1.0, 3.0]], [[2.0, 6.0]]]), np.array([[[2.0, 2.0]], [[1.0, 3.0]]]), np.array([0, 0]))
        np.testing.assert_allclose(ratio.value[:, 0], [1.0, 2.0])

    def test_months_and_authorities_add_up(self, tmp_path: Path, folder: Path) -> None:
        experiment = small_experiment(tmp_path, TWO_POLICIES + "[luck]\nreplicates = 3\n[keep]\nmonths = true\nauthorities = true\n")
        results = run_sweep(experiment, folder)
        start = experiment.baseline.data.time.window_from
        window = results.months[results.months["month"].astype("datetime64[ns]") >= f"{start}-01"]
        monthly = window.groupby(["run", "partnership"], observed=True)["cost_of_crime"].sum()
        whole = results.runs.set_index(["run", "partnership"])["cost_of_crime"]
        np.testing.assert_allclose(monthly.sort_index(), whole.sort_index(), rtol=1e-12)
        assert results.authorities.groupby(["run", "partnership"], observed=True)["share"].sum().to_numpy() == pytest.approx(1)

    def test_only_the_area_if_asked(self, tmp_path: Path, folder: Path) -> None:
        results = run_sweep(small_experiment(tmp_path, TWO_POLICIES + '[keep]\nruns = "area"\n'), folder)
        assert results.runs["partnership"].unique().tolist() == ["area"]
        whole = run_sweep(small_experiment(tmp_path, TWO_POLICIES), tmp_path / "whole")
        np.testing.assert_array_equal(results.cells("evaluated_share").value, whole.cells("evaluated_share").value)

    def test_against_another_policy(self, tmp_path: Path, folder: Path) -> None:
        body = TWO_POLICIES + '[policies.quarter]\nagainst = "half"\nchanges = { "levers.grant.multiplier" = 0.25 }\n'
        cells = run_sweep(small_experiment(tmp_path, body), folder).cells("spend")
        assert cells.effects()[2, 0] == pytest.approx(cells.value[2, 0] - cells.value[1, 0])

    def test_threads_change_nothing(self, tmp_path: Path) -> None:
        experiment = small_experiment(tmp_path)
        run_sweep(experiment, tmp_path / "one", threads=1)
        run_sweep(experiment, tmp_path / "three", threads=3)
        assert content(tmp_path / "one") == content(tmp_path / "three")

    def test_precision_adds_rounds_until_it_is_reached(self, tmp_path: Path, folder: Path) -> None:
        def swept(precision: float, place: Path) -> Any:
            return run_sweep(
                small_experiment(tmp_path, TWO_POLICIES + f"[luck]\nprecision = {precision}\nreplicates = 4\nmost = 32\n"), place
            )

        easy, hard = swept(0.9, folder), swept(1e-6, tmp_path / "hard")
        assert easy.cells("spend").numerator.shape == (2, 1, 4)
        assert "was reached with 4 replicates" in easy.manifest["notes"][0]
        assert hard.cells("spend").numerator.shape == (2, 1, 32)
        assert "was not reached with 32" in hard.manifest["notes"][0]
        np.testing.assert_array_equal(hard.cells("spend").numerator[:, :, :4], easy.cells("spend").numerator)


def _column(outcome: str) -> int:
    from cspsim.running.outcomes import names

    return names().index(outcome)


class TestResuming:
    @pytest.fixture
    def whole(self, tmp_path: Path) -> dict[str, str]:
        run_sweep(small_experiment(tmp_path), tmp_path / "whole")
        return content(tmp_path / "whole")

    def test_finished_work_is_found_and_not_run_again(self, tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        experiment = small_experiment(tmp_path)
        run_sweep(experiment, folder)
        monkeypatch.setattr(sweeping, "on_threads", None)
        assert run_sweep(experiment, folder).manifest["counts"] == {"runs": RUNS, "failures": 0}

    def test_a_stop_at_any_job_is_gone_on_from(self, tmp_path: Path, folder: Path, whole: dict[str, str]) -> None:
        experiment = small_experiment(tmp_path)

        class Stop(KeyboardInterrupt):
            pass

        def stopping_after(jobs: int) -> Any:
            left = jobs

            def progress(runs: int) -> None:
                nonlocal left
                left -= 1
                if left < 0:
                    raise Stop

            return progress

        for jobs in (0, 1, 3, 5):
            with pytest.raises(Stop):
                run_sweep(experiment, folder, resume=folder.exists(), threads=2, progress=stopping_after(jobs))
            assert load_results(folder).manifest["status"] == "paused"
        run_sweep(experiment, folder, resume=True)
        assert content(folder) == whole

    def test_unfinished_work_is_not_touched_without_being_asked(self, tmp_path: Path, folder: Path) -> None:
        experiment = small_experiment(tmp_path)
        with pytest.raises(RuntimeError):
            run_sweep(experiment, folder, progress=_broken)
        with pytest.raises(CspsimError, match="--resume"):
            run_sweep(experiment, folder)

    def test_a_changed_design_is_refused_with_what_changed(self, tmp_path: Path, folder: Path) -> None:
        run_sweep(small_experiment(tmp_path), folder)
        changed = small_experiment(tmp_path, TWO_POLICIES.replace("0.5", "0.6") + SETS + "[luck]\nreplicates = 12\n")
        with pytest.raises(CspsimError) as caught:
            run_sweep(changed, folder, resume=True)
        assert "luck.replicates: was 10, is 12" in str(caught.value)
        assert "levers.grant.multiplier: was 0.5, is 0.6" in str(caught.value)

    def test_a_folder_of_somebody_else_is_left_alone(self, tmp_path: Path, folder: Path) -> None:
        folder.mkdir()
        (folder / "thesis.docx").write_text("eight years of work")
        with pytest.raises(CspsimError, match=r"thesis\.docx"):
            run_sweep(small_experiment(tmp_path), folder)
        assert [path.name for path in folder.iterdir()] == ["thesis.docx"]

    def test_two_at_once_are_refused(self, tmp_path: Path, folder: Path) -> None:
        with locking.locked(LocalFolder(folder)):
            lock = folder / locking.LOCK
            lock.write_text(lock.read_text().rpartition(" ")[0].replace(str(os.getpid()), str(os.getppid())))
            with pytest.raises(CspsimError, match="in use"):
                run_sweep(small_experiment(tmp_path), folder)

    def test_a_crash_while_parts_are_joined_loses_nothing(
        self, tmp_path: Path, folder: Path, whole: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for k in range(6):
            experiment = small_experiment(tmp_path)
            removed = 0

            def remove(self: LocalFolder, name: str, limit: int = k) -> None:
                nonlocal removed
                removed += 1
                if removed > limit:
                    raise RuntimeError("pulled the plug")
                (self.path / name).unlink()

            with monkeypatch.context() as patch:
                patch.setattr(LocalFolder, "remove", remove)
                with pytest.raises(RuntimeError, match="plug"):
                    run_sweep(experiment, folder)
            run_sweep(experiment, folder, resume=True)
            assert content(folder) == whole
            shutil.rmtree(folder)

    @pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="needs fork to be killed twenty times quickly")
    def test_twenty_kills_at_random_moments(self, tmp_path: Path, folder: Path, whole: dict[str, str]) -> None:
        """A real process, really killed. What comes out is what an uninterrupted sweep gives, byte for byte."""
        experiment = small_experiment(tmp_path)
        context = multiprocessing.get_context("fork")
        moments = random.Random(7)
        killed = 0
        while killed < 20:
            process = context.Process(target=_sweep_slowly, args=(experiment, folder))
            process.start()
            _wait_for_a_sign(process, folder)
            time.sleep(moments.random() * 0.25)
            os.kill(process.pid or 0, signal.SIGKILL)
            process.join()
            killed += 1
        assert 0 < len(LocalFolder(folder).names("runs")) < 20
        run_sweep(experiment, folder, resume=True)
        assert content(folder) == whole


def _broken(runs: int) -> None:
    raise RuntimeError


def _sweep_slowly(experiment: Any, folder: Path) -> None:
    run_sweep(experiment, folder, resume=True, threads=1, progress=lambda runs: time.sleep(0.002))


def _wait_for_a_sign(process: Any, folder: Path) -> None:
    """Until the child is at work: its lock carries its own number."""
    lock = folder / locking.LOCK
    until = time.monotonic() + 20
    while time.monotonic() < until and process.is_alive():
        if lock.is_file() and f" {process.pid} " in lock.read_text():
            return
        time.sleep(0.0005)


class TestBadRuns:
    """One run that fails does not end the others."""

    @pytest.fixture
    def bad_luck(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Replicate 3 of the second policy raises, replicate 4 gives numbers that are not finite."""
        real = Rulebook.run_replicates

        def run(book: Any, world: Any, state: Any, seed: Any, streams: Any, tallies: Any, authorities: Any, months: Any) -> None:
            real(book, world, state, seed, streams, tallies, authorities, months)
            if (streams[:, 0] == 3).any():
                raise ZeroDivisionError("nothing to divide by")
            tallies[streams[:, 0] == 4, 0, Tally.SPENT] = np.nan

        monkeypatch.setattr(Rulebook, "run_replicates", run)

    def test_go_to_a_table_with_the_command_that_replays_them(self, tmp_path: Path, folder: Path, bad_luck: None) -> None:
        results = run_sweep(small_experiment(tmp_path, TWO_POLICIES), folder, said="small.toml")
        assert results.manifest["counts"] == {"runs": 16, "failures": 4}
        assert results.failures["replicate"].tolist() == [3, 4, 3, 4]
        assert "ZeroDivisionError: nothing to divide by" in results.failures["error"][0]
        assert "not finite: spent" in results.failures["error"][1]
        assert results.failures["command"][0] == "cspsim sweep small.toml --only 3"
        cells = results.cells("cost_of_crime")
        assert np.isnan(cells.numerator[:, 0, [3, 4]]).all()
        assert np.isfinite(cells.effects()).all()

    def test_the_exit_code_says_so_and_the_command_replays(
        self, tmp_path: Path, folder: Path, bad_luck: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = write_experiment(tmp_path, TWO_POLICIES)
        done = CliRunner().invoke(app, ["sweep", str(path), "--out", str(folder)])
        assert done.exit_code == 3
        replayed = CliRunner().invoke(app, ["sweep", str(path), "--only", "3"])
        assert replayed.exit_code == 2
        assert "nothing to divide by" in replayed.output
        assert CliRunner().invoke(app, ["sweep", str(path), "--only", "5", "--json"]).exit_code == 0

    def test_one_that_kills_its_process_is_found_by_halving(self, tmp_path: Path) -> None:
        own = make_plan(small_experiment(tmp_path, TWO_POLICIES))
        tried = []

        def attempt(first: int, last: int) -> Any:
            tried.append((first, last))
            return None if first <= 5 < last else work.run_job(own, first, last)

        tables = executor.isolated(attempt, own, (0, 7), "it died")
        assert work.from_parquet(tables["failures"])["run"].to_pylist() == [5]
        assert sorted(set(work.from_parquet(tables["runs"])["run"].to_pylist())) == [0, 1, 2, 3, 4, 6]
        assert len(tried) <= 7

    def test_a_job_that_died_thrice_is_tried_in_a_process_of_its_own(
        self, tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        experiment = small_experiment(tmp_path, TWO_POLICIES)
        alone = []
        monkeypatch.setattr(sweeping, "in_own_process", lambda own, job: alone.append(job) or work.run_job(own, *job))
        marks = folder / "attempts"
        marks.mkdir(parents=True)
        (marks / "000000007-000000014").write_text("...")
        (marks / "000000014-000000020").write_text("..")
        run_sweep(experiment, folder)
        assert alone == [(7, 14)]

    def test_a_real_process_that_dies(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        own = make_plan(small_experiment(tmp_path, TWO_POLICIES))
        monkeypatch.setattr(executor, "_send_job", _send_job_or_die)
        tables = executor.in_own_process(own, (0, 2))
        assert work.from_parquet(tables["failures"])["error"].to_pylist() == ["the process that ran it died"]
        assert set(work.from_parquet(tables["runs"])["run"].to_pylist()) == {0}


def _send_job_or_die(content: bytes, first: int, last: int, sender: Any) -> None:
    if last == 2:
        os._exit(11)
    executor._send_job(content, first, last, sender)


class TestFolders:
    def test_an_object_store(self, tmp_path: Path, folder: Path) -> None:
        experiment = small_experiment(tmp_path)
        run_sweep(experiment, folder)
        results = run_sweep(experiment, "memory://bucket/results")
        assert results.runs.equals(load_results(folder).runs)
        remote = folder_at("memory://bucket/results")
        assert remote.names("runs") == LocalFolder(folder).names("runs")

    def test_a_full_disk_says_so_and_keeps_what_was_written(self, tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        experiment = small_experiment(tmp_path)
        real, written = os.fsync, 0

        def fsync(handle: int) -> None:
            nonlocal written
            written += 1
            if 10 <= written < 12:
                raise OSError(28, "No space left on device")
            real(handle)

        monkeypatch.setattr(os, "fsync", fsync)
        with pytest.raises(CspsimError, match="No space left"):
            run_sweep(experiment, folder)
        monkeypatch.undo()
        assert not list(folder.rglob("*.partial"))
        monkeypatch.setattr(plan, "RUNS_OF_A_JOB", 7)
        assert run_sweep(experiment, folder, resume=True).manifest["counts"]["runs"] == RUNS

    def test_results_of_nothing(self, tmp_path: Path) -> None:
        with pytest.raises(CspsimError, match="holds no results"):
            load_results(tmp_path)
        (tmp_path / "manifest.json").write_text("{}")
        with pytest.raises(CspsimError, match="no manifest of a sweep"):
            load_results(tmp_path)


class TestCommand:
    def test_a_dry_run_says_what_it_costs_and_runs_nothing(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        done = CliRunner().invoke(app, ["sweep", str(write_experiment(tmp_path)), "--dry-run"])
        assert done.exit_code == 0
        assert "2 policies x 6 assumption sets x 10 replicates = 120 runs" in done.output
        assert "on disk" in done.output
        assert not (tmp_path / "cspsim-results").exists()

    def test_ctrl_c_pauses_and_says_how_to_go_on(self, tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def stop(self: store.SweepStore, first: int, last: int, tables: Any) -> None:
            raise KeyboardInterrupt

        path = write_experiment(tmp_path)
        with monkeypatch.context() as patch:
            patch.setattr(store.SweepStore, "write_part", stop)
            done = CliRunner().invoke(app, ["sweep", str(path), "--out", str(folder)])
        assert done.exit_code == 130
        assert f"--out {folder} --resume" in done.output
        assert CliRunner().invoke(app, ["sweep", str(path), "--out", str(folder), "--resume"]).exit_code == 0

    def test_faults_have_lines_and_no_traceback(self, tmp_path: Path) -> None:
        done = CliRunner().invoke(app, ["sweep", str(write_experiment(tmp_path, "[luck]\nreplicates = 0\n"))])
        assert done.exit_code == 2
        assert "small.toml:6: luck.replicates" in done.output

    def test_a_run_that_does_not_exist(self, tmp_path: Path) -> None:
        done = CliRunner().invoke(app, ["sweep", str(write_experiment(tmp_path)), "--only", "120"])
        assert "numbered 0 to 119" in done.output


def test_memory_does_not_grow_with_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Never more jobs under way than a few for each worker, however many there are."""
    own = make_plan(small_experiment(tmp_path, TWO_POLICIES + "[luck]\nreplicates = 200\n"))
    handed_out = 0

    def jobs() -> Iterator[tuple[int, int]]:
        nonlocal handed_out
        for job in own.jobs(0):
            handed_out += 1
            yield job

    for finished, _ in enumerate(executor.on_threads(own, jobs(), 2, lambda job: None)):
        assert handed_out - finished <= 2 * executor.WAITING + 1
    assert handed_out == -(-400 // 7)


def test_every_shipped_experiment_can_be_planned() -> None:
    names = [entry["name"] for entry in shipped_questions() if entry["command"].startswith("cspsim sweep")]
    assert len(names) >= 3
    for name in names:
        assert make_plan(load_experiment(name)).runs_after(0) > 100


def test_a_run_of_a_set_is_the_run_of_that_world(tmp_path: Path, folder: Path) -> None:
    own = make_plan(small_experiment(tmp_path, TWO_POLICIES + SETS, HEAD))
    results = run_sweep(own.experiment, folder)
    stretch = next(part for part in own.stretches(0, own.runs_after(0)) if (part.policy, part.assumptions) == (1, 3))
    tallies, _, _ = run_world(own.under(own.world(1), 1, 3), STANDARD, stretch.streams, 1)
    assert results.cells("spend").value[1, 3] == pytest.approx(tallies[..., Tally.SPENT].sum(axis=1).mean(), rel=1e-12)
