"""``cspsim optimise`` from a file to a page: the answer, what is written, and that finished work is not run again."""

import json
from pathlib import Path
from typing import Any

import pytest
from search_support import SEARCH, write_search
from test_report import Reader
from typer.testing import CliRunner, Result

from cspsim.cli import app
from cspsim.scenario.scenario import load_scenario
from cspsim.search.policies import mixed
from cspsim.search.search_file import load_search


def call(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["optimise", *(str(argument) for argument in arguments)])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a finished search."""
    place = tmp_path_factory.mktemp("optimise")
    result = call(write_search(place), "--out", place / "out", "--threads", 1, "--json")
    assert result.exit_code == 0, result.output
    return place


@pytest.fixture(scope="module")
def answer(folder: Path) -> Any:
    return json.loads((folder / "out" / "answer.json").read_text(encoding="utf-8"))


def test_finished_work_is_found_and_not_run_again(folder: Path, answer: Any) -> None:
    before = {path.name: path.stat().st_mtime_ns for path in (folder / "out").iterdir()}
    result = call(folder / "small-mix.toml", "--out", folder / "out", "--json")
    assert {path.name: path.stat().st_mtime_ns for path in (folder / "out").iterdir()} == before
    said = json.loads(result.stdout)
    assert said["run_again"] is False
    assert said["sentences"] == answer["sentences"]


def test_the_terminal_says_what_was_chosen(folder: Path, answer: Any) -> None:
    result = call(folder / "small-mix.toml", "--out", folder / "out")
    assert result.exit_code == 0
    flat = " ".join(result.output.split())
    assert "nothing was run again" in flat
    for sentence in answer["sentences"]:
        assert sentence in flat
    assert "more.toml" in flat


def test_the_answer_adds_up(folder: Path, answer: Any) -> None:
    rows = {row["policy"]: row for row in answer["tables"]["second_look"]["plain"]}
    winner = next(row for row in rows.values() if "least harm" in row["roles"])
    assert winner["flattered"] == pytest.approx(winner["fresh"] - winner["search"])
    assert winner["fresh_low"] <= winner["fresh"] <= winner["fresh_high"]
    assert rows["more.toml"]["flattered"] is None  # it was not chosen by the search
    assert [row["trials"] for row in answer["tables"]["methods"]["plain"]] == [10, 10]
    assert answer["settings"]["budget"] > 0


def test_the_chosen_mix_is_a_scenario_to_run(folder: Path, answer: Any) -> None:
    written = load_scenario(folder / "out" / "least-harm.toml")
    search = load_search(folder / "small-mix.toml")
    assert written.digest == mixed(search, answer["mixes"]["least harm"], "again").digest


def test_the_page_loads_nothing_and_says_the_answer(folder: Path, answer: Any) -> None:
    html = (folder / "out" / "report.html").read_text(encoding="utf-8")
    read = Reader(html)
    assert read.open == []
    assert "<script" not in html
    text = " ".join(" ".join(read.words).split())
    for sentence in answer["sentences"]:
        assert " ".join(sentence.split()) in text
    assert len(read.named("img")) == 4
    for picture in read.named("img"):
        assert len(picture["alt"] or "") > 40
        assert (picture["src"] or "").startswith("data:image/svg+xml;base64,")
    for name in ("front", "looked-at-again", "levers", "methods"):
        assert (folder / "out" / f"{name}.png").stat().st_size > 5_000


def test_more_trials_go_on_where_the_search_ended_and_give_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    text = SEARCH.replace('["kriging", "sobol"]', '["sobol"]').replace("finalists = 2", "finalists = 0")
    path = write_search(tmp_path, text)
    for out, steps in (("at-once", (7,)), ("in-steps", (3, 7))):
        for trials in steps:
            result = call(
                path, "--out", tmp_path / out, "--trials", trials, "--threads", 1, "--json", *(["--resume"] if trials > steps[0] else [])
            )
            assert result.exit_code == 0, result.output
    for name in ("trials.jsonl", "policies.csv", "front.svg", "least-harm.toml"):
        assert (tmp_path / "at-once" / name).read_bytes() == (tmp_path / "in-steps" / name).read_bytes(), name
    refused = call(path, "--out", tmp_path / "at-once", "--trials", 9)
    assert refused.exit_code == 2
    assert "7 of 9 trials: go on with --resume" in refused.output


def test_a_dry_run_says_what_it_would_cost_and_runs_nothing(folder: Path) -> None:
    result = call(folder / "small-mix.toml", "--dry-run", "--out", folder / "dry", "--json")
    # baseline, reference and 20 mixes on 3 sets; at most 9 policies on 4 fresh sets
    assert json.loads(result.stdout)["runs"] == 22 * 3 + (1 + 1 + 3 + 2 + 2) * 4
    assert not (folder / "dry").exists()


def test_a_budget_that_nothing_keeps_is_said(tmp_path: Path) -> None:
    text = SEARCH.replace("times_baseline = 1.05", "pounds = 1").replace("trials = 10", "trials = 3")
    result = call(write_search(tmp_path, text), "--out", tmp_path / "out", "--threads", 1)
    assert result.exit_code == 0, result.output
    assert "No mix kept within the budget" in result.output


def test_faults_end_with_file_and_line(tmp_path: Path) -> None:
    result = call(write_search(tmp_path, SEARCH.replace("engagement", "engagment")), "--out", tmp_path / "out")
    assert result.exit_code == 2
    line = SEARCH.splitlines().index('engagement = { from = "2011-04" }') + 1
    assert f"small-mix.toml:{line}: levers.engagment" in result.output
    assert not (tmp_path / "out").exists()
