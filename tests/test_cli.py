"""The command line as people use it: answers, errors with exit code 2, Ctrl-C with whole files or none, narrow windows."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result
from worlds import tiny_world

from cspsim.basics.errors import CspsimError
from cspsim.basics.exports import CHECKSUMS, MANIFEST, results_folder, write_whole
from cspsim.cli import app
from cspsim.commands.options import folder_name, parsed_changes, replay_command
from cspsim.commands.terminal import Column, show_table
from cspsim.reports.describe import KINDS
from cspsim.running.outcomes import OUTCOMES
from cspsim.scenario.scenario import load_scenario, scenario_names

COMMANDS = (
    *("list", "show", "describe", "check", "new", "run", "compare", "explain"),
    *("places", "sweep", "results", "verify", "analyse", "hypotheses", "calibrate", "optimise", "country", "rooms"),
)
HEAVY = (
    *("numba", "numpy", "pandas", "mesa", "matplotlib", "scipy", "pydantic", "jinja2"),
    *("pyarrow", "solara", "duckdb", "SALib", "sklearn", "distributed"),
)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every test runs in an empty folder with a tiny scenario and a child of it."""
    (tmp_path / "tiny.toml").write_text(tiny_world(), encoding="utf-8")
    child = 'extends = "tiny"\ntitle = "Half the grant"\nquestion = "What does half the grant do?"\n[levers]\ngrant.multiplier = 0.5\n'
    (tmp_path / "half.toml").write_text(child, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")
    return tmp_path


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def answer(*arguments: str) -> Any:
    """The JSON answer of a command that must succeed and say nothing else."""
    result = call(*arguments, "--json")
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    return json.loads(result.stdout)


def spawned(*arguments: str, **changes: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "cspsim.cli", *arguments]
    return subprocess.run(command, capture_output=True, env={**os.environ, **changes}, timeout=300, check=False)


QUICK = ("--replicates", "4", "--assumption-sets", "2")


class TestHelp:
    def test_nothing_heavy_is_imported(self) -> None:
        code = (
            "import sys; from cspsim.cli import app\n"
            "try: app(['--help'])\n"
            "except SystemExit: pass\n"
            f"print('HEAVY', [name for name in {HEAVY!r} if name in sys.modules])"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout.splitlines()[-1] == "HEAVY []"
        assert all(command in done.stdout for command in COMMANDS)

    @pytest.mark.parametrize("command", COMMANDS)
    def test_every_command_explains_itself(self, command: str) -> None:
        result = call(command, "--help")
        assert result.exit_code == 0
        assert "--json" in result.output

    def test_version(self) -> None:
        import cspsim

        assert call("--version").output.strip() == f"cspsim {cspsim.__version__}"


class TestScenarioCommands:
    def test_list_shows_every_experiment_with_the_command_that_answers_it(self) -> None:
        listed = {entry["name"]: entry["command"].split()[1] for entry in answer("list", "experiments")}
        assert listed["thesis-hypotheses"] == "hypotheses"
        assert listed["calibrate-recorded-crime"] == "calibrate"
        assert listed["best-mix-under-budget"] == "optimise"
        assert listed["grant-and-evaluation"] == listed["which-luck-matters"] == "sweep"
        assert "cspsim sweep grant-and-evaluation" in " ".join(call("list", "experiments").output.split())

    def test_list_shows_every_scenario_with_its_question(self) -> None:
        listed = answer("list")
        assert [entry["name"] for entry in listed] == scenario_names()
        assert all(entry["title"] and entry["question"] for entry in listed)
        text = call("list").output
        assert all(name in text for name in scenario_names())

    def test_show_gives_what_differs(self) -> None:
        shown = answer("show", "no-cuts")
        keys = {entry["key"] for entry in shown["differences_from_baseline"]}
        assert keys == set(load_scenario("no-cuts").differences_from(load_scenario("baseline")))
        assert answer("show", "baseline")["differences_from_baseline"] == []
        text = call("show", "no-cuts").output
        assert load_scenario("no-cuts").question in text
        assert "scenarios" in text

    @pytest.mark.parametrize("kind", KINDS)
    def test_describe_reads_the_registers(self, kind: str) -> None:
        rows = answer("describe", kind)
        assert rows
        assert all(row["meaning"] for row in rows)
        if kind in ("levers", "uncertainties"):
            assert all(row["unit"] and row["status"] and row["source"] for row in rows)
        assert call("describe", kind).exit_code == 0

    def test_describe_shows_the_values_of_the_scenario(self) -> None:
        (grant,) = answer("describe", "levers", "--scenario", "half.toml", "--name", "grant")
        assert "0.5" in grant["value"]
        effect = next(row for row in answer("describe", "interventions", "--scenario", "tiny.toml") if row["name"] == "hot_spots.effect")
        number = load_scenario(Path("tiny.toml")).data.interventions["hot_spots"].effect
        assert (effect["value"], effect["low"], effect["high"], effect["unit"]) == (number.value, number.low, number.high, number.unit)

    def test_check_says_ok_or_everything_that_is_wrong(self) -> None:
        assert "half.toml: OK" in call("check", "half.toml", "baseline").output
        Path("bad.toml").write_text('extends = "tiny"\n[levers]\ngrannt.multiplier = 1\naudit.shift = 7\n', encoding="utf-8")
        result = call("check", "half.toml", "bad.toml")
        assert result.exit_code == 2
        assert "half.toml: OK" in result.stdout
        assert "bad.toml:3" in result.stderr
        assert '"grant"' in result.stderr or "grant" in result.stderr
        assert "bad.toml:4" in result.stderr
        machine = call("check", "bad.toml", "--json")
        assert machine.exit_code == 2
        assert machine.stderr == ""
        (entry,) = json.loads(machine.stdout)
        assert not entry["ok"]
        assert {fault["line"] for fault in entry["faults"]} == {3, 4}

    def test_new_writes_a_file_that_loads_and_never_overwrites_unasked(self) -> None:
        assert call("new", "mine").exit_code == 0
        assert load_scenario(Path("mine.toml")).digest == load_scenario("baseline").digest
        Path("mine.toml").write_text("mine", encoding="utf-8")
        refused = call("new", "mine")
        assert refused.exit_code == 2
        assert "--overwrite" in refused.stderr
        assert Path("mine.toml").read_text(encoding="utf-8") == "mine"
        assert call("new", "mine", "--overwrite", "--extends", "no-cuts").exit_code == 0
        assert load_scenario(Path("mine.toml")).digest == load_scenario("no-cuts").digest
        assert sorted(path.name for path in Path().iterdir()) == ["half.toml", "mine.toml", "tiny.toml"]


class TestErrors:
    @pytest.mark.parametrize(
        ("arguments", "hint"),
        [
            (("show", "baselin"), '"baseline"'),
            (("run", "baselin"), '"baseline"'),
            (("compare", "no-cuts", "baselin"), '"baseline"'),
            (("explain", "baselin"), '"baseline"'),
            (("explain", "baseline", "--partnership", "lambet"), '"lambeth"'),
            (("explain", "baseline", "--year", "1999"), "2008"),
            (("describe", "lever"), '"levers"'),
            (("describe", "interventions", "--name", "street_lightning"), '"street_lighting"'),
            (("new", "x", "--extends", "baselin"), '"baseline"'),
            (("run", "baseline", "--set", "levers.grnt.multiplier=1"), "grant"),
            (("run", "baseline", "--set", "levers.grant.multiplier"), "KEY=VALUE"),
            (("run", "baseline", "--replicates", "0"), "greater than or equal to 1"),
            (("run", "baseline", "--seed", "-1"), "greater than or equal to 0"),
            (("run", "baseline", "--replicats", "5"), "--replicates"),
            (("compar", "a", "b"), "compare"),
            (("compare", "baseline"), "scenarios"),
            (("compare", "baseline", "two-districts-2026-mayor"), "time.first_month"),
        ],
    )
    def test_one_message_on_stderr_and_code_2(self, arguments: tuple[str, ...], hint: str) -> None:
        result = call(*arguments)
        assert result.exit_code == 2
        assert result.stdout == ""
        assert hint in re.sub(r"\s*[│╭╮╰╯─]\s*", " ", result.stderr)
        assert "Traceback" not in result.stderr

    def test_the_same_from_a_shell(self) -> None:
        done = spawned("run", "baselin", "--json")
        assert done.returncode == 2
        assert done.stdout == b""
        assert b"Traceback" not in done.stderr
        assert b'did you mean "baseline"?' in done.stderr

    def test_a_folder_of_somebody_else_is_never_replaced(self) -> None:
        Path("precious").mkdir()
        Path("precious/thesis.txt").write_text("years of work", encoding="utf-8")
        for arguments in (("run", "tiny.toml"), ("compare", "tiny.toml", "half.toml", *QUICK)):
            result = call(*arguments, "--out", "precious")
            assert result.exit_code == 2
            assert "--out" in result.stderr
        assert [path.name for path in Path("precious").iterdir()] == ["thesis.txt"]


class TestRun:
    def test_shows_partnerships_definitions_funnel_and_money(self) -> None:
        text = call("run", "tiny.toml", "--replicates", "5").stdout
        for words in (
            "Inner borough",
            "All partnerships together",
            "Effective by which definition?",
            "Delivery funnel",
            "Pot, whole area",
            "2013/14",
        ):
            assert words in text

    def test_json_carries_the_numbers_of_simulate(self) -> None:
        from cspsim.running.simulation import simulate

        found = answer("run", "tiny.toml", "--replicates", "5", "--seed", "3")
        results = simulate(load_scenario(Path("tiny.toml")), 5, 3)
        assert set(found["outcomes"]) == {"inner", "outer", "area"}
        means = {row["outcome"]: row["mean"] for row in found["outcomes"]["area"]}
        assert set(means) == set(OUTCOMES)
        for outcome in ("cost_of_crime", "mean_trust", "received"):
            assert means[outcome] == pytest.approx(results.area(outcome).mean(), rel=1e-12)
        assert found["settings"]["scenario"]["digest"] == results.scenario.digest
        assert len(found["money_by_year"]) == 4

    def test_set_changes_the_scenario(self) -> None:
        half, changed = (
            answer("run", "half.toml", "--replicates", "3"),
            answer("run", "tiny.toml", "--replicates", "3", "--set", "levers.grant.multiplier=0.5"),
        )
        assert half["outcomes"] == changed["outcomes"]
        assert half["outcomes"] != answer("run", "tiny.toml", "--replicates", "3")["outcomes"]

    def test_out_writes_whole_tables(self) -> None:
        import pandas as pd

        assert call("run", "tiny.toml", "--replicates", "3", "--out", "found", "--months").exit_code == 0
        for name, rows in (("runs", 9), ("authorities", 18), ("months", 3 * 3 * 48), ("money_by_year", 4)):
            csv, parquet = pd.read_csv(f"found/{name}.csv"), pd.read_parquet(f"found/{name}.parquet")
            assert len(csv) == len(parquet) == rows
            assert list(csv.columns) == list(parquet.columns)
        assert json.loads(Path("found/settings.json").read_text(encoding="utf-8"))["replicates"] == 3
        assert call("run", "tiny.toml", "--replicates", "2", "--out", "found").exit_code == 0  # its own folder it replaces
        assert not Path("found/months.csv").exists()


class TestCompare:
    def test_prints_the_answer_and_writes_the_folder(self) -> None:
        result = call("compare", "tiny.toml", "half.toml", *QUICK)
        assert result.exit_code == 0, result.output
        assert "What does half the grant do?" in result.stdout
        assert "Cost of crime" in result.stdout
        assert "through the partnership" in result.stdout
        folder = Path("cspsim-results/tiny-vs-half")
        names = {path.name for path in folder.iterdir()}
        tables = {
            f"{name}.{kind}"
            for name in ("comparison", "split", "runs", "definitions", "funnel", "money_by_year")
            for kind in ("csv", "parquet")
        }
        pictures = {f"{name}.{kind}" for name in ("years", "difference", "glance") for kind in ("svg", "png")}
        assert names == tables | pictures | {"report.html", MANIFEST, CHECKSUMS}
        assert [path.name for path in folder.parent.iterdir()] == [folder.name]

    def test_json_is_the_comparison(self) -> None:
        from cspsim.comparing.comparison import compare

        found = answer("compare", "tiny.toml", "half.toml", *QUICK, "--no-report")
        expected = compare(load_scenario(Path("tiny.toml")), [load_scenario(Path("half.toml"))], 4, 1, 2, 4)
        assert found["answers"][0]["headline"] == expected.headline()
        assert [row["difference"] for row in found["table"]] == [None if d != d else d for d in expected.table["difference"]]
        assert found["folder"] is None
        assert not Path("cspsim-results").exists()

    def test_changes_and_stacks(self) -> None:
        assert (
            answer("compare", "tiny.toml", "half.toml", *QUICK, "--no-report", "--set", "levers.grant.multiplier=1")["table"][0]["verdict"]
            == "identical"
        )
        off = answer("compare", "tiny.toml", "half.toml", *QUICK, "--no-report", "--set-everywhere", "switches.effects=false")
        parts = {row["part"]: row["difference"] for row in off["split"]}
        assert parts["through the partnership"] == 0

    def test_precision_reports_fresh_runs(self) -> None:
        found = answer("compare", "tiny.toml", "half.toml", "--precision", "0.5", "--assumption-sets", "0", "--no-report")
        assert found["settings"]["replicates"] >= 100
        assert found["settings"]["first_replicate"] == found["settings"]["replicates"]
        assert "fresh" in found["notes"][0]

    @pytest.mark.skipif(sys.platform == "win32", reason="signals are sent to whole process groups there")
    def test_ctrl_c_leaves_nothing(self) -> None:
        command = [
            sys.executable,
            "-m",
            "cspsim.cli",
            "compare",
            "tiny.toml",
            "half.toml",
            "--replicates",
            "200000",
            "--assumption-sets",
            "0",
            "--memory-limit",
            "none",
        ]
        running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        time.sleep(12)  # long enough to be among the runs also on a busy machine; they take minutes
        assert running.poll() is None
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=120)
        assert running.returncode == 130
        assert out == b""
        assert b"Traceback" not in err
        assert b"stopped" in err
        assert sorted(path.name for path in Path().iterdir() if path.name != "cspsim-results") == ["half.toml", "tiny.toml"]
        assert not Path("cspsim-results").exists() or not list(Path("cspsim-results").iterdir())


class TestExplain:
    def test_tells_the_asked_year_and_place_only(self) -> None:
        text = call("explain", "tiny.toml", "--partnership", "inner", "--year", "2012").stdout
        assert "Inner borough, April 2012 to March 2013" in text
        assert "April 2011" not in text
        assert "Outer" not in text
        assert "believed" in text

    def test_json_gives_the_events(self) -> None:
        found = answer("explain", "tiny.toml", "--replicate", "2", "--seed", "5")
        kinds = {event["event"] for event in found["events"]}
        assert {"GrantAwarded", "Tabled", "Adopted", "YearClosed", "Reckoning"} <= kinds
        assert (found["seed"], found["replicate"]) == (5, 2)


class TestConsoles:
    @pytest.mark.parametrize("encoding", ["cp1252", "ascii", "utf-8"])
    def test_no_character_is_too_much(self, encoding: str) -> None:
        done = spawned("explain", "tiny.toml", "--year", "2012", PYTHONIOENCODING=encoding)
        assert done.returncode == 0, done.stderr
        assert "£" in done.stdout.decode(encoding) or encoding == "ascii"
        assert spawned("compare", "tiny.toml", "half.toml", *QUICK, "--no-report", PYTHONIOENCODING=encoding).returncode == 0

    def test_narrow_windows_drop_columns_and_very_narrow_ones_make_lists(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        columns = [Column("Name"), Column("Value", number=True), Column("Remark", rank=1)]
        rows = [("burglary", "12,345", "a remark that is rather long")]

        def shown(width: int) -> str:
            monkeypatch.setenv("COLUMNS", str(width))
            show_table("", columns, rows)
            return capsys.readouterr().out

        assert "Remark" in shown(90)
        assert "Value: 12,345" in shown(40)
        monkeypatch.setattr("cspsim.commands.terminal.NARROW", 10)
        narrow = shown(30)
        assert "Remark" not in narrow
        assert "12,345" in narrow

    @pytest.mark.parametrize("width", ["40", "60", "80", "200"])
    def test_answers_fit_the_window(self, width: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("COLUMNS", width)
        for arguments in (
            ("list",),
            ("describe", "uncertainties"),
            ("run", "tiny.toml", "--replicates", "2"),
            ("compare", "tiny.toml", "half.toml", *QUICK, "--no-report"),
        ):
            lines = call(*arguments).stdout.splitlines()
            assert max(len(line.rstrip()) for line in lines) <= int(width), arguments


class TestFiles:
    def test_a_folder_appears_whole_or_not_at_all(self) -> None:
        with results_folder(Path("a/b")) as folder:
            (folder / MANIFEST).write_text("{}", encoding="utf-8")
            (folder / "one").write_text("1", encoding="utf-8")
            assert not Path("a/b").exists()
        assert Path("a/b/one").read_text(encoding="utf-8") == "1"

        def interrupted() -> None:
            with results_folder(Path("a/b")) as folder:
                (folder / "one").write_text("2", encoding="utf-8")
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            interrupted()
        assert Path("a/b/one").read_text(encoding="utf-8") == "1"
        with results_folder(Path("a/b")) as folder:
            (folder / "two").write_text("2", encoding="utf-8")
        assert {path.name for path in Path("a/b").iterdir()} == {"two", CHECKSUMS}
        assert [path.name for path in Path("a").iterdir()] == ["b"]

    def test_a_file_is_whole_or_not_there(self, monkeypatch: pytest.MonkeyPatch) -> None:
        write_whole(Path("x.txt"), "whole")

        def broken(source: object, target: object) -> None:
            raise OSError("disk full")

        monkeypatch.setattr("cspsim.basics.exports.os.replace", broken)
        with pytest.raises(CspsimError, match=r"x\.txt cannot be written"):
            write_whole(Path("x.txt"), "new")
        assert Path("x.txt").read_text(encoding="utf-8") == "whole"
        assert not list(Path().glob(".x*"))


class TestWords:
    def test_changes_are_read_as_in_a_file(self) -> None:
        read = parsed_changes(["a.b=0.5", "c = true", "d=word", 'e={"2011-04" = 0.8}', "f=[1, 2]"])
        assert read == {"a.b": 0.5, "c": True, "d": "word", "e": {"2011-04": 0.8}, "f": [1, 2]}

    def test_folder_names_are_safe_everywhere(self) -> None:
        assert folder_name("no-cuts", ["baseline"]) == "no-cuts-vs-baseline"
        assert folder_name("a/b/x.toml", ["y.toml+z", "q"]) == "x-vs-y+z-q"
        assert len(folder_name("x" * 300, ["y" * 300])) <= 100
        assert folder_name('a<b>:"c|?*', ["d"]).replace("-", "").isalnum()

    def test_replay_command_is_quoted(self) -> None:
        assert replay_command(["compare", "my file.toml", "a+b"]) == "cspsim compare 'my file.toml' a+b"
