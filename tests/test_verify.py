"""Results cannot lie: whatever happens to a file after it was written is noticed, and made again or refused in words."""

import json
import os
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as arrow
import pyarrow.parquet as parquet
import pytest
from hypothesis_worlds import SILENCE, write_hypotheses
from search_support import write_search
from sweep_support import SETS, TWO_POLICIES, rewrite_manifest, small_experiment, write_experiment
from test_sweep import content
from typer.testing import CliRunner, Result

from cspsim.basics.errors import CspsimError
from cspsim.basics.exports import MANIFEST, check_unchanged, results_folder
from cspsim.cli import app
from cspsim.sweep import plan, store
from cspsim.sweep.precision import half_width_share
from cspsim.sweep.stored_results import load_results
from cspsim.sweep.sweeping import run_sweep

BODY = TWO_POLICIES + SETS + "[luck]\nreplicates = 3\n[keep]\nmonths = true\n"
NAMED = "small.toml"


@pytest.fixture(scope="module", autouse=True)
def no_flushing() -> Iterator[None]:
    """Nobody pulls a plug here, and flushing to the disk takes most of the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda handle: None)
        yield


def call(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sweep that is finished, in ``whole``, and one that was stopped on the way, in ``half``."""
    place = tmp_path_factory.mktemp("made")
    experiment = small_experiment(place, BODY)

    class Stop(KeyboardInterrupt):
        pass

    def stop(runs: int, seen: list[int] = []) -> None:  # noqa: B006 - counts its own calls
        seen.append(runs)
        if len(seen) == 4:
            raise Stop

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan, "RUNS_OF_A_JOB", 7)
        run_sweep(experiment, place / "whole", said=NAMED)
        with pytest.raises(Stop):
            run_sweep(experiment, place / "half", threads=1, progress=stop, said=NAMED)
    return place


@pytest.fixture
def place(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Copies of them, and the experiment."""
    monkeypatch.setattr(plan, "RUNS_OF_A_JOB", 7)
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return tmp_path


def first_part(folder: Path, table: str = "runs") -> Path:
    return min((folder / table).iterdir())


def flip(path: Path, bit: int) -> None:
    """One bit turned over, as by a bad disk."""
    changed = bytearray(path.read_bytes())
    changed[bit // 8] ^= 1 << bit % 8
    path.write_bytes(changed)


def edit_numbers(folder: Path) -> None:
    path = first_part(folder)
    table = parquet.read_table(path)
    column = table.schema.get_field_index("spend")
    parquet.write_table(table.set_column(column, "spend", arrow.array(table["spend"].to_numpy() * 0.9)), path)


def edit_json(folder: Path, name: str, change: Callable[[dict[str, Any]], Any]) -> None:
    said = json.loads((folder / name).read_text())
    change(said)
    (folder / name).write_text(json.dumps(said))


DAMAGES: dict[str, Callable[[Path], object]] = {
    "a flipped bit in the runs": lambda folder: flip(first_part(folder), 9001),
    "a flipped bit in the months": lambda folder: flip(first_part(folder, "months"), 12345),
    "edited numbers": edit_numbers,
    "a missing part": lambda folder: first_part(folder).unlink(),
    "a missing part of the months": lambda folder: first_part(folder, "months").unlink(),
    "an empty part": lambda folder: first_part(folder).write_bytes(b""),
    "a truncated part": lambda folder: first_part(folder).write_bytes(first_part(folder).read_bytes()[:-100]),
    "no policies": lambda folder: (folder / "policies.parquet").unlink(),
    "no assumptions": lambda folder: (folder / "assumptions.parquet").unlink(),
    "an edited manifest": lambda folder: edit_json(folder, "manifest.json", lambda said: said.update(seed=2)),
    "a manifest cut off": lambda folder: (folder / "manifest.json").write_text("{"),
}
OF_FINISHED: dict[str, Callable[[Path], object]] = {
    "edited checksums": lambda folder: edit_json(folder, "checksums.json", lambda said: said["files"].popitem()),
    "no checksums": lambda folder: (folder / "checksums.json").unlink(),
    "a part of somebody else": lambda folder: shutil.copy(first_part(folder), folder / "runs" / "runs-000000900-000000907.parquet"),
}


@pytest.mark.parametrize("damage", [*DAMAGES, *OF_FINISHED])
def test_damage_to_a_finished_sweep_is_told_and_made_again(place: Path, damage: str) -> None:
    folder, before = place / "whole", content(place / "whole")
    (DAMAGES | OF_FINISHED)[damage](folder)
    assert content(folder) != before
    for arguments in (["results", folder], ["verify", folder], ["analyse", folder, "--no-report"]):
        said = call(*arguments)
        assert said.exit_code == 2, (arguments, said.output)
        assert "--resume" in said.stderr
        assert isinstance(said.exception, SystemExit)
    experiment = small_experiment(place, BODY)
    with pytest.raises(CspsimError, match="--resume"):
        run_sweep(experiment, folder)
    run_sweep(experiment, folder, resume=True, said=NAMED)
    assert content(folder) == before
    assert call("verify", folder).exit_code == 0


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_to_an_unfinished_sweep_is_told_and_made_again(place: Path, damage: str) -> None:
    folder = place / "half"
    assert load_results(folder).manifest["status"] == "paused"
    DAMAGES[damage](folder)
    said = call("verify", folder)
    assert said.exit_code == 2
    assert "--resume" in said.stderr
    run_sweep(small_experiment(place, BODY), folder, resume=True, said=NAMED)
    assert content(folder) == content(place / "whole")


def test_runs_that_nothing_is_on_record_about_are_left_alone(place: Path) -> None:
    """As of a version that kept no checksums."""
    edit_json(place / "whole", "manifest.json", lambda said: said.pop("seal"))
    (place / "whole" / "checksums.json").unlink()
    assert "an earlier version wrote it" in call("results", place / "whole").stderr
    with pytest.raises(CspsimError, match="choose a new folder with --out"):
        run_sweep(small_experiment(place, BODY), place / "whole", resume=True)
    (place / "whole" / "manifest.json").unlink()
    for resume in (False, True):
        with pytest.raises(CspsimError, match=r"--resume goes on|choose a new folder"):
            run_sweep(small_experiment(place, BODY), place / "whole", resume=resume)


def test_parts_that_went_with_their_record_are_missed(place: Path) -> None:
    folder = place / "half"
    slip = min((folder / "checksums").glob("0*.json"))
    for name in json.loads(slip.read_text())["files"]:
        (folder / name).unlink()
    slip.unlink()
    with pytest.raises(CspsimError, match="7 runs that were there when the sweep was paused are missing"):
        load_results(folder)


def test_a_design_that_went_with_its_record_is_missed(place: Path) -> None:
    for name in ("checksums/design.json", "policies.parquet"):
        (place / "half" / name).unlink()
    with pytest.raises(CspsimError, match=r"policies\.parquet is missing"):
        load_results(place / "half")


def test_a_table_of_a_design_of_luck_is_missed(tmp_path: Path) -> None:
    run_sweep(small_experiment(tmp_path, TWO_POLICIES + '[luck]\ndesign = "saltelli"\nbase = 2\n'), tmp_path / "out")
    (tmp_path / "out" / "luck.parquet").unlink()
    with pytest.raises(CspsimError, match=r"luck\.parquet is missing"):
        load_results(tmp_path / "out")


def test_bits_anywhere(place: Path) -> None:
    """A small sample of ``tools/soak/bit_flips.py``."""
    moments = random.Random(5)
    files = [path for path in sorted((place / "whole").rglob("*")) if path.is_file()]
    for _ in range(40):
        path = moments.choice(files)
        before = path.read_bytes()
        flip(path, moments.randrange(8 * len(before)))
        with pytest.raises(CspsimError):
            load_results(place / "whole")
        path.write_bytes(before)
    load_results(place / "whole")


def test_pages_of_parts_have_checksums_of_their_own(place: Path) -> None:
    """Whoever copies a part out of its folder has a reader that notices."""
    path = first_part(place / "whole")
    column = parquet.read_metadata(path).row_group(0).column(5)
    flip(path, 8 * (column.data_page_offset + column.total_compressed_size - 20))
    with pytest.raises(OSError, match=r"CRC|checksum"):
        parquet.read_table(path, page_checksum_verification=True)


@pytest.mark.parametrize(("name", "words"), [("numba", "numba 0.1 instead of"), ("code", "other sources of cspsim")])
def test_a_sweep_that_other_code_began_is_not_gone_on_with(place: Path, name: str, words: str) -> None:
    said = json.loads((place / "half" / "manifest.json").read_text())["versions"]
    rewrite_manifest(place / "half", versions={**said, name: "0.1"})
    with pytest.raises(CspsimError, match=words):
        run_sweep(small_experiment(place, BODY), place / "half", resume=True)


def test_parts_made_by_other_code_are_known_without_the_manifest(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "half" / "manifest.json").write_text("{")
    monkeypatch.setattr(store, "versions", lambda: {"numba": "0.1"})
    with pytest.raises(CspsimError, match="made by other code"):
        run_sweep(small_experiment(place, BODY), place / "half", resume=True)


def test_a_finished_sweep_of_other_code_stays_what_it_is(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "versions", lambda: {"numba": "0.1"})
    assert run_sweep(small_experiment(place, BODY), place / "whole").was_finished


def test_a_precision_is_judged_by_the_runs_of_its_round(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sweep whose parts are made again decides as it did, though later rounds are there already."""
    monkeypatch.setattr(plan, "RUNS_OF_A_JOB", 7)
    luck = "[luck]\nprecision = {}\nreplicates = 4\nmost = 8\n"
    both = run_sweep(small_experiment(tmp_path, TWO_POLICIES + luck.format(1e-6)), tmp_path / "both")
    shares = [half_width_share(both, both.primary, runs) for runs in (8, 16)]
    assert shares[1] < shares[0]
    experiment = small_experiment(tmp_path, TWO_POLICIES + luck.format(sum(shares) / 2))
    run_sweep(experiment, tmp_path / "out")
    before = content(tmp_path / "out")
    flip(tmp_path / "out" / "manifest.json", 900)
    run_sweep(experiment, tmp_path / "out", resume=True)
    assert content(tmp_path / "out") == before


def test_no_link_of_a_folder_leads_out_of_it(place: Path) -> None:
    (place / "secret").write_text("secret")
    part = first_part(place / "half")
    part.unlink()
    part.symlink_to(place / "secret")
    with pytest.raises(CspsimError, match="leads out of"):
        load_results(place / "half")


class TestOtherFolders:
    def test_verify_tells_what_was_changed(self, tmp_path: Path) -> None:
        with results_folder(tmp_path / "out") as folder:
            (folder / MANIFEST).write_text("{}")
            (folder / "table.csv").write_text("a\n1\n")
        assert call("verify", tmp_path / "out").exit_code == 0
        check_unchanged(tmp_path / "out" / "table.csv")
        (tmp_path / "out" / "table.csv").write_text("a\n2\n")
        said = call("verify", tmp_path / "out", "--json")
        assert said.exit_code == 2
        assert json.loads(said.stdout)["damages"] == [f"{tmp_path / 'out' / 'table.csv'} is not as it was written"]
        with pytest.raises(CspsimError, match="not as it was written"):
            check_unchanged(tmp_path / "out" / "table.csv")
        (tmp_path / "out" / "table.csv").unlink()
        assert "is missing" in call("verify", tmp_path / "out").stderr
        (tmp_path / "out" / "checksums.json").write_text("[]")
        assert "nothing in the folder can be checked" in call("verify", tmp_path / "out").stderr
        assert call("verify", tmp_path).exit_code == 2

    def test_an_edited_posterior_is_not_drawn_from(self, tmp_path: Path) -> None:
        with results_folder(tmp_path / "out") as folder:
            (folder / MANIFEST).write_text("{}")
            (folder / "sets.csv").write_text("trust_gain\n0.1\n")
        (tmp_path / "out" / "sets.csv").write_text("trust_gain\n0.9\n")
        path = write_experiment(tmp_path, TWO_POLICIES + '[uncertainties]\ndesign = "file"\nfrom = "out/sets.csv"\n')
        said = call("sweep", path, "--out", tmp_path / "swept")
        assert said.exit_code == 2
        assert "sets.csv is not as it was written" in said.stderr
        said = call(
            "compare", tmp_path / "tiny.toml", tmp_path / "tiny.toml", "--assumptions", tmp_path / "out" / "sets.csv", "--no-report"
        )
        assert said.exit_code == 2
        assert "sets.csv is not as it was written" in said.stderr

    def test_an_edited_verdict_is_not_believed(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        write_hypotheses(tmp_path, SILENCE)
        asked = ["hypotheses", "claims.toml", "--threads", "1", "--false-positives", "0"]
        assert call(*asked).exit_code == 0
        folder, records = tmp_path / "cspsim-results/claims", tmp_path / "cspsim-results/claims.frozen"
        before = (folder / "results.json").read_bytes()
        (folder / "results.json").write_bytes(before.replace(b'"supported"', b'"refuted"', 1))
        assert call("verify", folder).exit_code == 2
        said = call(*asked)
        assert "results.json is not as it was written" in said.stderr
        assert (folder / "results.json").read_bytes() == before
        assert call("verify", folder).exit_code == 0
        assert call(*asked, "--json").exit_code == 0
        record = next(records.glob("*-run-*.json"))
        record.write_text(record.read_text().replace('"supported"', '"refuted"', 1))
        for arguments in (asked, ["verify", folder], ["verify", records]):
            said = call(*arguments)
            assert said.exit_code == 2
            assert "its seal does not fit" in said.stderr

    def test_a_search_is_made_again_where_it_is_damaged(self, tmp_path: Path) -> None:
        file, out = write_search(tmp_path), tmp_path / "out"
        assert call("optimise", file, "--out", out, "--threads", 1).exit_code == 0
        before = {path.name: path.read_bytes() for path in out.iterdir()}
        assert call("verify", out).exit_code == 0
        for name, change in {"answer.json": (b"0.", b"1."), "trials.jsonl": (b'"cost": [', b'"cost": [1')}.items():
            (out / name).write_bytes(before[name].replace(*change, 1))
            assert call("verify", out).exit_code == 2
            refused = call("optimise", file, "--out", out)
            assert refused.exit_code == 2
            assert "--resume" in refused.stderr
        assert call("optimise", file, "--out", out, "--threads", 1, "--resume").exit_code == 0
        after = {path.name: path.read_bytes() for path in out.iterdir()}
        same = {"trials.jsonl", "policies.csv", "policies.parquet"}
        assert {name: after[name] for name in same} == {name: before[name] for name in same}
        assert call("verify", out).exit_code == 0
        edit_json(out, "settings.json", lambda said: said.update(status="running"))
        assert "not as it was written" in call("optimise", file, "--out", out).stderr
