"""Hostile inputs: a sample of the campaign in ``tools/soak/hostile_inputs.py``, in this process; and what keeps them harmless."""

import csv
import importlib.util
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as parquet
import pytest
from sweep_support import small_experiment
from typer.testing import CliRunner

import cspsim
from cspsim.basics import limits
from cspsim.basics.errors import CspsimError, ScenarioError, nearest
from cspsim.basics.exports import write_table
from cspsim.basics.limits import Limits, TooMuch, Unreadable, limits_of, read_file
from cspsim.basics.outward import as_argument, for_shell, for_spreadsheet, visible
from cspsim.cli import app
from cspsim.commands.terminal import remark, say
from cspsim.reports.rendering import render
from cspsim.scenario.scenario import load_scenario
from cspsim.sweep.exporting import export
from cspsim.sweep.reading import load_experiment
from cspsim.sweep.stored_results import SweepResults, load_results
from cspsim.sweep.sweeping import run_sweep

CAMPAIGN = Path(__file__).resolve().parent.parent / "tools" / "soak" / "hostile_inputs.py"


def campaign() -> ModuleType:
    spec = importlib.util.spec_from_file_location("hostile_inputs", CAMPAIGN)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["hostile_inputs"] = module
    spec.loader.exec_module(module)
    return module


HOSTILE = campaign()
# Left out: what takes a server, a cluster or seconds to read, and queries, which have tests of their own.
SAMPLE = [
    case
    for case in HOSTILE.drawn(seed=11, count=80)
    if case.kind != "query" and not {"view", "--dask", "thesis-hypotheses"} & set(case.words)
][:40]
EVIL = "\x1b[31mred\u202e\x07"


@pytest.fixture(scope="module")
def attic() -> Iterator[Path]:
    """A folder with every strange file of the campaign, and sound results."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        HOSTILE.prepare(folder)
        run_sweep(small_experiment(folder), folder / "sound")
        yield folder


@pytest.fixture(scope="module")
def results(attic: Path) -> SweepResults:
    return load_results(attic / "sound")


def call(*words: str) -> Any:
    return CliRunner().invoke(app, list(words))


@pytest.mark.parametrize("number", range(len(SAMPLE)))
def test_a_hostile_input_is_refused_in_a_sentence(attic: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    monkeypatch.chdir(attic)
    case = SAMPLE[number]
    started = time.process_time()
    result = call(*HOSTILE.settled(case, attic, number))
    took = time.process_time() - started
    ended = HOSTILE.Ended(case, result.exit_code, took, 0, result.output)
    assert result.exception is None or isinstance(result.exception, SystemExit), (case.words, result.exception)
    assert not ended.fault, (case.words, ended.output)
    assert ended.seconds < 30, case.words


def test_the_sample_is_of_forty_and_the_campaign_of_five_hundred() -> None:
    assert len(SAMPLE) == 40
    assert len(HOSTILE.drawn(seed=1, count=500)) == 500
    assert {case.words[0] for case in HOSTILE.drawn(seed=1, count=500)} >= {
        "run", "compare", "explain", "country", "optimise", "hypotheses", "calibrate", "sweep", "results", "analyse", "show", "check",
        "describe", "new", "kit", "view", "verify", "places", "rooms",
    }  # fmt: skip


# -------------------------------------------------------------------------------------------------- limits before work


class TestLimits:
    @pytest.mark.parametrize(
        "words",
        [
            ["run", "baseline", "--replicates", "1000000000"],
            ["compare", "no-cuts", "baseline", "--no-report", "--replicates", "1000000000"],
            ["compare", "no-cuts", "baseline", "--no-report", "--assumption-sets", "100000000"],
            ["explain", "baseline", "--memory-limit", "1kB"],
            ["country", "--run", "--set", "levers.grant.multiplier=0.5", "--replicates", "1000000000"],
            ["country", "--synthetic", "--areas", "1000000000", "--out", "made"],
            ["optimise", "best-mix-under-budget", "--trials", "100000000"],
            ["calibrate", "calibrate-recorded-crime", "--time-limit", "1s"],
            ["sweep", "grant-and-evaluation", "--time-limit", "1s"],
        ],
    )
    def test_too_much_is_refused_with_the_estimate_the_limit_and_the_option(
        self, words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        result = call(*words)
        assert result.exit_code == 2, result.output
        assert "would take about" in result.output
        assert "is the limit" in result.output
        assert "--time-limit" in result.output or "--memory-limit" in result.output
        assert not list(tmp_path.iterdir()), "something was begun"

    def test_very_many_scenarios_are_refused_before_they_are_read(self) -> None:
        assert "reading 5,000 scenarios would take about" in call("compare", "no-cuts", *["baseline"] * 5000, "--no-report").output

    def test_the_option_that_is_named_allows_it(self) -> None:
        words = ["run", "baseline", "--replicates", "2"]
        refused = call(*words, "--memory-limit", "1kB")
        option = refused.output.rstrip().partition("allow it with ")[2].split()
        assert call(*words, "--memory-limit", "1kB", *option, "--json").exit_code == 0

    def test_someone_at_a_terminal_is_asked(self) -> None:
        asked: list[str] = []
        work = limits.EstimatedWork(1e9, 1.0)

        def yes(question: str) -> bool:
            asked.append(question)
            return True

        limits.hold_to_limits(work, "this", Limits(), ask=yes)
        assert "32 years" in asked[0]
        with pytest.raises(TooMuch, match="nothing was run"):
            limits.hold_to_limits(work, "this", Limits(), ask=lambda question: False)

    def test_python_is_refused_too_and_told_how_to_go_on(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with pytest.raises(TooMuch, match=r'1,000,000,000 runs.*limits=cspsim\.limits_of\(time="\d+h", memory="\d+GB"\)'):
            cspsim.simulate("baseline", 10**9)
        with pytest.raises(TooMuch, match="this comparison"):
            cspsim.compare("no-cuts", "baseline", 10**9)
        assert cspsim.simulate("baseline", 1, limits=cspsim.limits_of(memory="8GB")).replicates == 1
        monkeypatch.setenv("CSPSIM_MEMORY_LIMIT", "1kB")
        with pytest.raises(TooMuch, match="1 kB is the limit"):
            cspsim.simulate("baseline", 1)

    @pytest.mark.parametrize("name", ["grant-and-evaluation", "best-mix-under-budget", "calibrate-recorded-crime"])
    def test_what_is_shipped_keeps_to_the_limits(self, name: str) -> None:
        """By the estimates that commands use; the pilot of a sweep and the runs are left out."""
        from cspsim.calibration.calibrating import calibration_work
        from cspsim.calibration.calibration_file import load_calibration
        from cspsim.search.search_file import load_search
        from cspsim.search.searching import search_work
        from cspsim.sweep.estimate import sweep_work

        if name == "grant-and-evaluation":
            work = sweep_work(load_experiment(name))
        elif name == "best-mix-under-budget":
            search = load_search(name)
            work = search_work(search, search.data.trials)
        else:
            work = calibration_work(load_calibration(name), False)
        limits.hold_to_limits(work, name, Limits())

    @pytest.mark.parametrize("text", ["", "1", "h", "-1h", "0s", "1 fortnight", "nan s", "1e9h"])
    def test_a_limit_that_is_none_is_refused(self, text: str) -> None:
        with pytest.raises(CspsimError, match="is no limit"):
            limits_of(time=text or " ")

    def test_limits_are_read_with_their_units(self) -> None:
        assert limits_of("90min", "1.5GB") == Limits(5400, 1.5e9)
        assert limits_of("none", "none") == limits.UNLIMITED


class TestReaders:
    def test_only_files_are_read(self, attic: Path) -> None:
        for name, why in (("zero.toml", "device"), ("pipe.toml", "device or a pipe"), ("folder.toml", "folder"), ("loop.toml", "cannot")):
            with pytest.raises(Unreadable, match=why):
                read_file(attic / name)
        with pytest.raises(Unreadable, match="no file can be called so"):
            read_file("a\0b")

    def test_a_large_file_is_refused_before_it_is_read(self, attic: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        with pytest.raises(Unreadable, match=r"has 80 MB.*read up to 2 MB.*CSPSIM_FILE_LIMIT=88MB allows more"):
            read_file(attic / "large.toml")
        monkeypatch.setenv("CSPSIM_FILE_LIMIT", "88MB")
        assert len(read_file(attic / "large.toml")) == 80_000_000

    def test_not_a_byte_of_it_is_held(self, tmp_path: Path) -> None:
        with (tmp_path / "endless.toml").open("wb") as file:
            file.truncate(10**12)
        with pytest.raises(Unreadable, match="has 1 TB"):
            read_file(tmp_path / "endless.toml")

    def test_a_file_that_does_not_know_its_size_is_read(self) -> None:
        if os.path.exists("/proc/self/status"):
            assert b"Pid:" in read_file("/proc/self/status")

    def test_a_chain_is_followed_so_far_and_no_further(self, attic: Path) -> None:
        with pytest.raises(ScenarioError, match="at most 100 files"):
            load_scenario(attic / "chain0.toml")

    def test_diamonds_upon_diamonds_are_put_together_once(self, attic: Path) -> None:
        started = time.process_time()
        with pytest.raises(ScenarioError, match="unknown"):
            load_scenario(attic / "diamonds.toml")
        assert time.process_time() - started < 20

    def test_a_file_of_very_many_keys_is_refused_before_it_is_checked(self, attic: Path) -> None:
        with pytest.raises(ScenarioError, match="has 60,001 keys, and up to 20,000 are read"):
            load_scenario(attic / "unknown-tables.toml")

    def test_of_very_many_faults_a_thousand_are_looked_up(self, attic: Path) -> None:
        (attic / "faulty.toml").write_text("\n".join(f"[interventions.i{n}]" for n in range(6_000)), encoding="utf-8")
        with pytest.raises(ScenarioError) as refused:
            load_scenario(attic / "faulty.toml")
        assert 60 < len(refused.value.faults) <= 2 * limits.FAULTS
        assert nearest("grnt", ["grant"]) == "grant"
        assert nearest("grnt", ["grant", *map(str, range(3000))]) is None, "so many names are not looked through"

    def test_a_run_of_millennia_is_refused(self) -> None:
        with pytest.raises(ScenarioError, match="more than 200 years after first_month"):
            load_scenario("baseline").with_changes({"time.last_month": "9999-12"})

    def test_a_world_before_the_year_one_is_refused(self) -> None:
        with pytest.raises(ScenarioError, match="before the year 1"):
            load_scenario("baseline").with_changes({"time.first_month": "0001-01"})

    def test_what_steers_a_terminal_is_refused_in_every_kind_of_file(self, attic: Path) -> None:
        for words in (["check", "escape.toml"], ["sweep", "escape.toml"], ["hypotheses", "escape.toml"], ["optimise", "escape.toml"]):
            result = call(words[0], str(attic / words[1]))
            assert "control character" in result.output
            assert "\x1b" not in result.output
        with pytest.raises(ScenarioError, match="control character"):
            load_scenario("baseline").with_changes({"title": EVIL})


class TestQueries:
    @pytest.mark.parametrize("query", HOSTILE.QUERIES[:5])
    def test_a_query_without_end_is_stopped(self, attic: Path, query: str) -> None:
        started = time.monotonic()
        with pytest.raises(CspsimError):
            load_results(attic / "sound", Limits(0.3, 1e8)).sql(query)
        assert time.monotonic() - started < 30

    def test_the_limits_are_options(self, attic: Path) -> None:
        endless = HOSTILE.QUERIES[1]
        assert "--time-limit" in call("results", str(attic / "sound"), "--sql", endless, "--time-limit", "1s").output
        large = "SELECT range FROM range(30000000)"
        assert "--memory-limit" in call("results", str(attic / "sound"), "--sql", large, "--json", "--memory-limit", "20MB").output

    def test_the_memory_of_a_query_is_limited(self, attic: Path) -> None:
        small = load_results(attic / "sound", Limits(60, 5e7))
        with pytest.raises(TooMuch, match="needs more memory than it may take"):
            small.sql("SELECT len(list(range)) FROM range(30000000)")

    def test_an_answer_that_is_kept_whole_is_limited(self, attic: Path) -> None:
        small = load_results(attic / "sound", Limits(60, 5e7))
        with pytest.raises(TooMuch, match="the answer is larger than 50 MB"):
            small.sql("SELECT range FROM range(30000000)")

    def test_an_answer_within_the_limits_is_whole(self, results: SweepResults) -> None:
        assert results.sql("SELECT count(*) AS n FROM range(100000)")["n"][0] == 100_000
        assert len(results.sql("SELECT * FROM range(50000)")) == 50_000


# ------------------------------------------------------------------------------------------------------ outward text


class TestSpreadsheets:
    @pytest.mark.parametrize("text", ["=1+1", "+1+1", "-2+3", "@SUM(A1)", "\tx", "\r=1", " =1", "\n=1", "\uff1d1+1"])
    def test_a_formula_is_kept_from_being_one(self, text: str) -> None:
        assert for_spreadsheet(text) == f"'{visible(text)}"

    @pytest.mark.parametrize("text", ["-0.5", "+3", "-1e-3", "-12.5%", "baseline", "half-hearted", "a=b", ""])
    def test_numbers_and_words_stay_as_they_are(self, text: str) -> None:
        assert for_spreadsheet(text) == text

    def test_every_table_that_is_written(self, tmp_path: Path) -> None:
        frame = pd.DataFrame({"=name": ["=cmd|' /C calc'!A0", "fine"], "value": [-0.5, np.nan], "list": [["-1"], None]})
        write_table(tmp_path, "table", frame)
        assert (tmp_path / "table.csv").read_text().splitlines()[:2] == ["'=name,value,list", "'=cmd|' /C calc'!A0,-0.5,['-1']"]
        assert parquet.read_table(tmp_path / "table.parquet").to_pydict()["'=name"] == ["'=cmd|' /C calc'!A0", "fine"]
        assert list(frame) == ["=name", "value", "list"], "the table itself was changed"

    def test_names_that_results_are_looked_up_by(self) -> None:
        with pytest.raises(ScenarioError, match="take this name for a formula"):
            load_scenario("baseline").with_changes({'partnerships."=1+1".population': 1000})

    def test_names_of_policies(self, tmp_path: Path) -> None:
        from cspsim.sweep.designing import make_plan
        from cspsim.sweep.manifest import policies_table

        body = """[policies."=1+1"]\nchanges = { "levers.grant.multiplier" = 0.5 }\n"""
        assert policies_table(make_plan(small_experiment(tmp_path, body)))["name"].to_pylist() == ["baseline", "'=1+1"]

    def test_names_that_a_query_gives_its_columns(self, results: SweepResults, tmp_path: Path) -> None:
        export(results, tmp_path / "answer.csv", query="""SELECT -1.5 AS "=1+1", '-1.5' AS "@x", '-1+1' AS "+y" """)
        with (tmp_path / "answer.csv").open(newline="") as file:
            assert list(csv.reader(file)) == [["'=1+1", "'@x", "'+y"], ["-1.5", "-1.5", "'-1+1"]]


class TestTerminalAndPages:
    def test_a_setting_that_is_too_deep(self) -> None:
        for value in ("[" * 5000, "[" * 200 + "]" * 200):
            assert "too deep to read" in call("run", "baseline", "--set", f"levers.grant={value}").output

    def test_an_empty_place_is_none(self, attic: Path) -> None:
        assert "--out is empty" in call("sweep", str(attic / "experiment.toml"), "--out", "").output

    def test_a_link_that_leads_nowhere_is_no_place_for_results(self, attic: Path) -> None:
        result = call("calibrate", "calibrate-recorded-crime", "--out", str(attic / "loop.toml"))
        assert "a link that leads nowhere" in result.output

    def test_a_manifest_that_is_none(self, attic: Path) -> None:
        refused = {"types": "has no seal", "deep": "expected JSON", "zero": "link that leads out", "pipe": "device or a pipe"}
        (attic / "results-circle").mkdir(exist_ok=True)
        (attic / "results-circle" / "manifest.json").unlink(missing_ok=True)
        (attic / "results-circle" / "manifest.json").symlink_to("manifest.json")
        for name, said in {**refused, "circle": "links in a circle"}.items():
            assert said in call("results", str(attic / f"results-{name}")).output

    def test_a_number_too_large_to_calculate_with(self) -> None:
        words = ["country", "--synthetic", "--run", "--set", "levers.grant.multiplier=0.5", "--areas", "1" + "0" * 400]
        assert "too large to calculate with" in call(*words).output

    def test_answers_of_a_query_and_names_of_columns(self, attic: Path) -> None:
        query = "SELECT chr(27) || '[31mred' AS \"\x1b[32mgreen\""
        for way in ([], ["--csv"], ["--json"]):
            output = call("results", str(attic / "sound"), "--sql", query, *way).output
            assert "red" in output
            assert "\x1b" not in output

    def test_what_is_said(self, capsys: pytest.CaptureFixture[str]) -> None:
        say(EVIL)
        remark(EVIL)
        printed = "".join(capsys.readouterr())
        assert printed.count(r"\x1b[31mred\u202e\x07") == 2
        assert not {"\u202e", "\x07"} & set(printed)

    def test_words_of_the_command_line_that_are_not_understood(self) -> None:
        for words in (["run", f"--{EVIL}"], [EVIL], ["run", "baseline", EVIL], ["show", EVIL], ["check", EVIL]):
            output = call(*words).output
            assert "red" in output
            assert not set(EVIL) & set(output) - set("[31mred"), words

    def test_a_page(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from jinja2 import Template

        from cspsim.reports import rendering

        monkeypatch.setattr(
            rendering, "_templates", lambda: type("Shelf", (), {"get_template": lambda name: Template("<p>{{ title }}</p>")})
        )
        assert render("any.html", title=EVIL) == "<p>\\x1b[31mred\\u202e\\x07</p>"

    def test_dollars_in_a_title_are_dollars(self) -> None:
        import matplotlib as mpl

        from cspsim.reports.charts import STYLE, finished, sheet

        with mpl.rc_context(STYLE):
            drawn = finished(sheet(4, 2, r"from $\frac{1}{2}$ on", EVIL), "x", "x", "x")
        assert r"from $\frac{1}{2}$ on</text>" in drawn.svg  # a formula would be drawn, and only a remark would have its words
        assert not set("\x1b\u202e\x07") & set(drawn.svg)


class TestCommandsToPaste:
    @pytest.mark.parametrize("word", ["my file.toml", "a'b", 'a"b', "a;touch x", "$(touch x)", "`touch x`", "new\nline", "*", "~", "!x"])
    def test_a_shell_gives_the_words_back(self, word: str, tmp_path: Path) -> None:
        import subprocess

        shown = for_shell([sys.executable, "-c", "import sys; print(sys.argv[1:])", as_argument(word)])
        assert subprocess.run(shown, shell=True, capture_output=True, text=True, cwd=tmp_path, check=True).stdout == f"{[word]}\n"
        assert not (tmp_path / "x").exists()

    def test_a_name_that_looks_like_an_option(self) -> None:
        assert as_argument("-x.toml") == os.path.join(".", "-x.toml")
        assert as_argument("x.toml") == "x.toml"

    def test_of_a_folder_of_results(self, attic: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(attic)
        strange = attic / "a b;$(touch x)"
        if not strange.exists():
            strange.symlink_to(attic / "sound")
        assert "cspsim analyse 'a b;$(touch x)'" in call("results", strange.name).output
        assert "cspsim check './-it'\"'\"'s.toml'" in call("new", "--overwrite", "--", "-it's").output
