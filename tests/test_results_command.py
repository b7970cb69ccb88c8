"""Results read back: what is in a folder, SQL that sees nothing but its tables, and exports that a spreadsheet can trust."""

import csv
import io
import itertools
import json
import shutil
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pyarrow as arrow
import pyarrow.parquet as parquet
import pytest
from sweep_support import rewrite_file, rewrite_manifest, small_experiment
from typer.testing import CliRunner

from cspsim.basics.errors import CspsimError
from cspsim.basics.outward import visible
from cspsim.cli import app
from cspsim.commands.sql_prompt import is_complete
from cspsim.model.parameters import Levers
from cspsim.model.tallies import AuthorityTally, Tally
from cspsim.model.uncertainties import Uncertainties
from cspsim.running.outcomes import OUTCOMES
from cspsim.sweep import exporting, querying
from cspsim.sweep.dictionary import UNITS, data_dictionary, describe_column, unit_of
from cspsim.sweep.exporting import export
from cspsim.sweep.jobs import as_parquet
from cspsim.sweep.querying import batches
from cspsim.sweep.sandbox import interruptible
from cspsim.sweep.stored_results import SweepResults, load_results
from cspsim.sweep.sweeping import run_sweep

EVERYTHING = """
[policies.half]
changes = { "levers.grant.multiplier" = 0.5 }

[levers]
design = "full-factorial"

[levers.vary]
"grant.multiplier" = { values = [0.5, 1.0] }
evaluation_ethos = { values = [1.0] }

[uncertainties]
design = "latin-hypercube"
points = 2

[luck]
replicates = 2

[keep]
runs = "partnerships"
months = true
authorities = true
"""
NASTY = '=HYPERLINK("http://example.com","x")'


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small sweep with every table but failures, run once."""
    folder = tmp_path_factory.mktemp("results")
    run_sweep(small_experiment(folder, EVERYTHING), folder / "out", said=str(folder / "small.toml"))
    return folder / "out"


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """A copy to spoil, with a failed run whose error looks like a formula."""
    shutil.copytree(made, tmp_path / "out")
    (tmp_path / "out" / "failures").mkdir()
    table = {"run": [3], "policy": [0], "assumptions": [1], "replicate": [1], "error": [NASTY]}
    rewrite_file(tmp_path / "out", "failures/runs-000000000-000000004.parquet", as_parquet(arrow.table(table)))
    return tmp_path / "out"


@pytest.fixture
def results(folder: Path) -> SweepResults:
    return load_results(folder)


def cli(*arguments: str | Path, typed: str = "") -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["results", *map(str, arguments)], input=typed)
    return result.exit_code, result.stdout, result.stderr


def content(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink()
    }


class TestWhatIsInIt:
    def test_question_status_counts_tables_and_how_to_go_on(self, folder: Path) -> None:
        code, printed, complaint = cli(folder)
        assert code == 0, complaint
        stored = parquet.read_metadata(next((folder / "months").iterdir()))
        for part in ("Does the grant matter?", "complete", f"{stored.num_rows:,}", "cspsim analyse", "--sql", "--export", "failures"):
            assert part in printed

    def test_a_paused_sweep_says_how_to_resume(self, folder: Path) -> None:
        manifest = json.loads((folder / "manifest.json").read_text())
        rewrite_manifest(folder, status="paused")
        printed = " ".join(cli(folder)[1].split())
        assert f"cspsim sweep {manifest['file']} --out {folder} --resume" in printed

    def test_as_json_with_every_column(self, folder: Path, results: SweepResults) -> None:
        said = json.loads(cli(folder, "--json")[1])
        assert said["tables"]["runs"]["rows"] == len(results.runs)
        assert [column["column"] for column in said["tables"]["runs"]["columns"]] == list(results.runs.columns)
        assert [column["column"] for column in said["tables"]["failures"]["columns"]][-1] == "command"

    def test_columns_of_one_table(self, folder: Path) -> None:
        printed = cli(folder, "--table", "authorities")[1]
        assert "trust_placed" in printed
        assert "hours" in printed

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["--table", "run"], 'did you mean "runs"'),
            (["SELECT 1"], "--sql"),
            (["--csv"], "--table"),
            (["--sql", "SELECT 1", "--csv", "--json"], "choose one"),
            (["--sql", "--export", "x.csv"], "needs a query"),
            (["--export", "x.pdf"], ".xlsx"),
            (["--export", "x.csv", "--table", "week"], "week"),
            (["--sql", "  "], "there is no query"),
            (["--sql", "SELEC 1"], "not understood"),
            (["--sql", "SELECT nothing FROM runs"], "nothing"),
            (["--sql", "SELECT * FROM weeks"], "weeks"),
        ],
    )
    def test_what_cannot_be_done_is_said(self, folder: Path, arguments: list[str], message: str) -> None:
        code, _, complaint = cli(folder, *arguments)
        assert code == 2
        assert message in complaint
        assert "Traceback" not in complaint

    def test_a_folder_without_results_is_refused(self, tmp_path: Path) -> None:
        code, _, complaint = cli(tmp_path)
        assert code == 2
        assert "no results" in complaint


class TestSql:
    def test_answers_are_those_of_the_frames(self, folder: Path, results: SweepResults) -> None:
        query = "SELECT policy, sum(spend) AS spend FROM runs WHERE partnership = 'area' GROUP BY policy ORDER BY policy"
        said = json.loads(cli(folder, "--sql", query, "--json")[1])
        area = results.runs[results.runs["partnership"] == "area"].groupby("policy")["spend"].sum()
        assert [row["spend"] for row in said] == pytest.approx(area.tolist())
        assert results.sql(query)["spend"].tolist() == pytest.approx(area.tolist())
        assert results.relation("runs").count("*").fetchall() == [(len(results.runs),)]

    def test_every_table_is_there_whole(self, results: SweepResults) -> None:
        for table in results.tables():
            frame = getattr(results, table)
            asked = results.sql(f"SELECT * FROM {table}")
            assert list(asked.columns) == list(frame.columns), table
            assert len(asked) == len(frame), table
        assert results.sql("SELECT command FROM failures")["command"][0] == results.failures["command"][0]

    def test_printed_as_a_table_as_csv_and_cut_when_long(self, folder: Path) -> None:
        printed = cli(folder, "--sql", "SELECT * FROM range(60) t(number)")[1]
        assert "49" in printed
        assert "59" not in printed
        assert "The first 50 rows" in printed
        rows = list(csv.DictReader(io.StringIO(cli(folder, "--sql", "SELECT * FROM range(60) t(number)", "--csv")[1])))
        assert [row["number"] for row in rows] == [str(k) for k in range(60)]

    def test_a_table_printed_as_csv(self, folder: Path, results: SweepResults) -> None:
        rows = list(csv.DictReader(io.StringIO(cli(folder, "--table", "policies", "--csv")[1])))
        assert [row["name"] for row in rows] == results.policies["name"].tolist()
        assert rows[0]["levers.grant.multiplier"] == ""


class TestSqlSeesNothingElse:
    """Every way out that DuckDB has, tried; nothing is read, nothing is written, in the folder or outside it."""

    @pytest.fixture
    def secret(self, tmp_path: Path) -> Path:
        path = tmp_path / "secret.csv"
        path.write_text("a\n42\n", encoding="utf-8")
        parquet.write_table(arrow.table({"a": [42]}), tmp_path / "secret.parquet")
        return path

    READ = (
        "SELECT * FROM read_csv('{secret}')",
        "SELECT * FROM '{secret}'",
        "SELECT * FROM read_text('{secret}')",
        "SELECT * FROM read_blob('{secret}')",
        "SELECT * FROM read_parquet('{parent}/secret.parquet')",
        "SELECT * FROM parquet_metadata('{parent}/secret.parquet')",
        "SELECT * FROM sniff_csv('{secret}')",
        "SELECT * FROM read_csv('{folder}/../secret.csv')",
        "SELECT * FROM read_csv('{folder}/runs/../../secret.csv')",
        "SELECT * FROM read_csv('{folder}/link.csv')",
        "SELECT * FROM read_csv('{folder}/way/secret.csv')",
        "SELECT * FROM read_text('{folder}/manifest.json')",
        "SELECT * FROM glob('{parent}/*')",
        "SELECT * FROM glob('{folder}/*')",
        "SELECT * FROM read_csv('/dev/stdin')",
        "SELECT * FROM read_csv('http://127.0.0.1:9/x.csv')",
        "SELECT * FROM 's3://bucket/x.parquet'",
        "SELECT * FROM query('SELECT * FROM read_csv(''{secret}'')')",
        "CREATE MACRO steal() AS TABLE SELECT * FROM read_csv('{secret}'); SELECT * FROM steal()",
        "CREATE TABLE stolen (a VARCHAR); COPY stolen FROM '{secret}'",
        "ATTACH '{parent}/secret.db'",
        "IMPORT DATABASE '{parent}'",
        "SELECT getenv('HOME')",
        "SELECT * FROM leaked",
        "SELECT * FROM arrow_scan(1, 2, 3)",
        "SELECT * FROM pandas_scan(1)",
    )
    WRITE = (
        "COPY (SELECT 1) TO '{parent}/out.csv'",
        "COPY (SELECT 1) TO '{folder}/out.csv'",
        "COPY (SELECT 1 AS x) TO '{part}' (FORMAT parquet, USE_TMP_FILE false)",
        "COPY (SELECT 1 AS x) TO '{part}'",
        "WITH sly AS (COPY (SELECT 1 AS x) TO '{part}' (FORMAT parquet, USE_TMP_FILE false)) SELECT * FROM sly",
        "WITH sly AS (COPY (SELECT 1) TO '{folder}/out.csv') SELECT * FROM sly",
        "EXPLAIN ANALYZE COPY (SELECT 1) TO '{folder}/out.csv'",
        "PREPARE sly AS COPY (SELECT 1) TO '{folder}/out.csv'; EXECUTE sly",
        "COPY (SELECT 1) TO '.tmp/out.csv'",
        "EXPORT DATABASE '{folder}/copy'",
        "ATTACH '{folder}/new.db'",
        "ATTACH '{folder}/new.db' AS new (TYPE duckdb); CREATE TABLE new.t AS SELECT 1",
        "CREATE PERSISTENT SECRET s (TYPE s3, KEY_ID 'x', SECRET 'y')",
        "CALL enable_logging(storage = 'file', storage_path = '{folder}/log')",
    )
    CHANGE = (
        "INSTALL httpfs",
        "LOAD httpfs",
        "LOAD '{folder}/x.duckdb_extension'",
        "FORCE INSTALL httpfs FROM 'http://127.0.0.1:9'",
        "SET enable_external_access = true",
        "RESET enable_external_access",
        "PRAGMA enable_external_access = true",
        "SET GLOBAL lock_configuration = false",
        "SET allowed_directories = ['/']",
        "SET allowed_paths = ['{secret}']",
        "SET temp_directory = '{folder}'",
        "SET home_directory = '{parent}'",
        "SET python_enable_replacements = true",
        "SET autoload_known_extensions = true",
        "SET profiling_output = '{folder}/profile.json'",
        "PRAGMA profiling_output = '{folder}/profile.json'",
    )

    @pytest.mark.parametrize("attack", [*READ, *WRITE, *CHANGE])
    def test_refused(self, folder: Path, secret: Path, attack: str, monkeypatch: pytest.MonkeyPatch) -> None:
        (folder / "link.csv").symlink_to(secret)
        (folder / "way").symlink_to(secret.parent)
        (secret.parent / ".tmp").mkdir()  # where DuckDB would spill, and may write if it may spill
        monkeypatch.chdir(secret.parent)
        before = content(secret.parent)
        leaked = np.array([42])
        part = next((folder / "runs").iterdir())
        query = attack.format(folder=folder, secret=secret, parent=secret.parent, part=part)
        with pytest.raises(CspsimError):
            load_results(folder).sql(query)
        assert content(secret.parent) == before
        assert leaked[0] == 42

    def test_the_attacks_would_work_without_the_sandbox(self, folder: Path, secret: Path) -> None:
        """Not vacuous: an ordinary connection reads and writes what the tests above try."""
        import duckdb

        open_wide = duckdb.connect()
        assert open_wide.execute(self.READ[0].format(secret=secret)).fetchall() == [(42,)]
        sly = self.WRITE[5].format(folder=folder)
        open_wide.execute(sly)
        assert (folder / "out.csv").exists()

    @pytest.mark.parametrize("table", ["runs", "policies"])
    def test_a_part_that_is_a_link_out_of_the_folder_is_not_read(self, folder: Path, secret: Path, table: str) -> None:
        """Somebody sends a folder in which a part is a link to a file of the reader's own."""
        part = folder / "policies.parquet" if table == "policies" else next((folder / "runs").iterdir())
        part.unlink()
        part.symlink_to(secret.parent / "secret.parquet")
        code, printed, complaint = cli(folder, "--sql", f"SELECT * FROM {table}")
        assert code == 2
        assert "leads out of" in complaint
        assert "42" not in printed

    def test_a_link_to_the_whole_folder_is_fine(self, folder: Path, tmp_path: Path) -> None:
        (tmp_path / "by another name").symlink_to(folder)
        assert load_results(tmp_path / "by another name").sql("SELECT count(*) AS n FROM policies")["n"][0] == 4

    def test_names_with_strange_marks(self, folder: Path) -> None:
        strange = folder.with_name("it's 100% [1] *?")
        folder.rename(strange)
        assert load_results(strange).sql("SELECT count(*) AS n FROM policies")["n"][0] == 4

    def test_what_stays_in_memory_is_allowed(self, results: SweepResults) -> None:
        results.sql("CREATE TABLE best AS SELECT policy, avg(spend) AS spend FROM runs GROUP BY policy")
        assert results.sql("SELECT count(*) AS n FROM best")["n"][0] == 4


class TestPrompt:
    def test_queries_over_several_lines_dot_commands_and_a_last_one_without_semicolon(self, folder: Path) -> None:
        typed = "SELECT name\nFROM policies\nWHERE policy = 1;\n\n.tables\n.columns policies\n.help\nSELECT 6 * 7 AS answer"
        code, printed, complaint = cli(folder, "--sql", typed=typed)
        assert code == 0, complaint
        for part in ("half", "authorities", "number of the policy", "Ctrl-C", "42"):
            assert part in printed

    def test_an_error_is_told_and_the_next_query_answered(self, folder: Path) -> None:
        code, printed, complaint = cli(folder, "--sql", typed="SELEC 1;\n.table\nSELECT 6 * 7;\n.columns polcies\n")
        assert code == 2
        assert "42" in printed
        assert "not understood" in complaint
        assert ".tables" in complaint
        assert "policies" in complaint

    def test_quit_leaves_the_rest_unasked(self, folder: Path) -> None:
        code, printed, _ = cli(folder, "--sql", typed=".quit\nSELECT 6 * 7;")
        assert code == 0
        assert "42" not in printed

    @pytest.mark.parametrize(
        ("text", "complete"),
        [
            ("SELECT 1;", True),
            ("SELECT 1", False),
            ("SELECT ';", False),
            ("SELECT ';';", True),
            ("SELECT 'it''s;", False),
            ("SELECT 1 -- not yet;", False),
            ("SELECT 1 -- it's\n;", True),
            ("SELECT /* ; */ 1", False),
            ("SELECT /* ;", False),
            ('SELECT "a;b" ;  ', True),
        ],
    )
    def test_where_a_query_ends(self, text: str, complete: bool) -> None:
        assert is_complete(text) is complete

    def test_ctrl_c_stops_a_query_and_the_connection_goes_on(self, results: SweepResults) -> None:
        """As from a keyboard: a signal to the main thread while a query runs that would take hours."""
        endless = "SELECT count(*) FROM range(100000000) a, range(100000) b WHERE a.range * b.range % 7 = 3"
        script = f"""
import os, signal, threading, time
from cspsim.sweep.stored_results import load_results
results = load_results({str(results.folder)!r})
results.sql("SELECT 1")
threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
try:
    results.sql({endless!r})
except KeyboardInterrupt:
    print("stopped", results.sql("SELECT 6 * 7 AS n")["n"][0])
"""
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False)
        assert done.stdout.strip() == "stopped 42", done.stderr


class TestDictionary:
    def test_every_column_of_every_table_has_a_meaning_a_unit_and_a_source(self, results: SweepResults) -> None:
        entries = data_dictionary(results)
        assert {entry.table for entry in entries} == set(results.tables())
        for entry in entries:
            assert len(entry.meaning) > 5, entry
            assert entry.unit, entry
            assert entry.source, entry
        for table in results.tables():
            assert [entry.column for entry in entries if entry.table == table] == list(
                results.sql(f"SELECT * FROM {table} LIMIT 1").columns
            )

    @pytest.mark.parametrize("outcome", OUTCOMES)
    def test_outcomes_have_the_unit_and_formula_of_the_register(self, outcome: str) -> None:
        entry = describe_column("runs", outcome)
        assert entry.unit == OUTCOMES[outcome].unit
        assert OUTCOMES[outcome].meaning in entry.meaning
        assert OUTCOMES[outcome].formula in entry.source
        if OUTCOMES[outcome].denominator is not None:
            assert describe_column("months", f"{outcome}_denominator").unit
            assert describe_column("months", f"{outcome}_numerator").unit

    def test_a_ratio_has_one_unit_above_and_one_below_the_line(self) -> None:
        """Worked by hand: pounds of crime averted over pounds spent; projects over projects; hours over hours."""
        assert describe_column("runs", "benefit_cost_ratio_denominator").unit == "£ (2015/16)"
        assert describe_column("runs", "evaluated_share_numerator").unit == "project-years"
        assert describe_column("runs", "coordinator_load_denominator").unit == "hours"
        assert describe_column("runs", "evaluated_share_denominator").source.endswith(": planned projects")
        with pytest.raises(ValueError, match="different units"):
            unit_of({Tally.HOURS: 1, Tally.SPENT: 1})

    def test_every_tally_has_a_unit_and_no_unit_is_left_over(self) -> None:
        assert set(UNITS) == {tally.name.lower() for tally in (*Tally, *AuthorityTally)}

    @pytest.mark.parametrize("lever", Levers._fields)
    def test_levers_are_those_of_the_register(self, lever: str) -> None:
        assert describe_column("policies", f"levers.{lever}").unit == Levers._field_defaults[lever].unit
        assert describe_column("policies", f"levers.{lever}.multiplier").unit == "times"
        assert describe_column("policies", f"levers.{lever}.shift").unit == Levers._field_defaults[lever].unit

    def test_sampled_numbers_have_their_source_from_register_and_scenario(self, results: SweepResults) -> None:
        by_name = {entry.column: entry for entry in data_dictionary(results) if entry.table == "assumptions"}
        harmony = Uncertainties._field_defaults["harmony"]
        assert by_name["uncertainties.harmony"].unit == harmony.unit
        assert harmony.meaning in by_name["uncertainties.harmony"].meaning
        assert by_name["interventions.hot_spots.effect"].source == "assumption: made up for tests"
        assert by_name["interventions.hot_spots.effect"].meaning == "effect of hot spots (between 0 and 0.6)"

    def test_a_scenario_that_changed_since_is_not_quoted(self, results: SweepResults, made: Path) -> None:
        results.manifest["settings"] = dict.fromkeys(results.manifest["settings"], "other")
        by_name = {entry.column: entry for entry in data_dictionary(results)}
        assert "not at hand" in by_name["interventions.hot_spots.effect"].source
        assert by_name["interventions.hot_spots.effect"].unit == "share"
        assert by_name["crime_types.burglary.police_elasticity"].unit == "elasticity"


class TestExport:
    def test_csv_of_the_runs_with_its_dictionary(self, results: SweepResults, tmp_path: Path) -> None:
        files = export(results, tmp_path / "runs.csv")
        assert [path.name for path in files] == ["runs.csv", "runs-dictionary.csv"]
        rows = list(csv.DictReader(files[0].open(encoding="utf-8")))
        frame = results.runs
        assert [float(row["cost_of_crime"]) for row in rows] == frame["cost_of_crime"].tolist()
        assert [row["column"] for row in csv.DictReader(files[1].open(encoding="utf-8"))] == list(frame.columns)

    def test_numbers_that_are_not_there_are_empty_cells(self, results: SweepResults, tmp_path: Path) -> None:
        query = "SELECT 'NaN'::DOUBLE AS a, 'inf'::DOUBLE AS b, NULL AS c, 0.1 + 0.2::DOUBLE AS d"
        rows = list(csv.DictReader(export(results, tmp_path / "x.csv", query=query)[0].open(encoding="utf-8")))
        assert (rows[0]["a"], rows[0]["b"], rows[0]["c"]) == ("", "", "")
        assert float(rows[0]["d"]) == 0.1 + 0.2
        sheet = openpyxl.load_workbook(export(results, tmp_path / "x.xlsx", query=query)[0])["answer"]
        assert [cell.value for cell in sheet[2]][:3] == [None, None, None]

    def test_excel_has_a_dictionary_and_every_table(self, results: SweepResults, tmp_path: Path) -> None:
        book = openpyxl.load_workbook(export(results, tmp_path / "all.xlsx")[0])
        assert book.sheetnames == ["data dictionary", *results.tables()]
        told = list(book["data dictionary"].iter_rows(values_only=True))
        assert told[0] == ("Table", "Column", "Meaning", "Unit", "Source")
        assert [row[:2] for row in told[1:]] == [(entry.table, entry.column) for entry in data_dictionary(results)]
        rows = list(book["runs"].iter_rows(values_only=True))
        assert list(rows[0]) == list(results.runs.columns)
        column = rows[0].index("cost_of_crime")
        assert [row[column] for row in rows[1:]] == results.runs["cost_of_crime"].tolist()
        assert book["months"]["E2"].value.year == 2010

    @pytest.mark.parametrize("evil", [NASTY, "+1+1", "-2+3", "@SUM(A1)", "\tx", "\r=1"])
    def test_a_text_never_becomes_a_formula(self, folder: Path, tmp_path: Path, evil: str) -> None:
        path = next((folder / "failures").iterdir())
        table = parquet.read_table(path).drop(["error"]).append_column("error", arrow.array([evil]))
        rewrite_file(folder, f"failures/{path.name}", as_parquet(table))
        results = load_results(folder)
        sheet = openpyxl.load_workbook(export(results, tmp_path / "f.xlsx", "failures")[0])["failures"]
        cell = sheet["E2"]
        assert cell.data_type == "s"
        assert cell.value.strip() == evil.strip()
        rows = list(csv.DictReader(export(results, tmp_path / "f.csv", "failures")[0].open(encoding="utf-8", newline="")))
        assert rows[0]["error"] == f"'{visible(evil)}"

    def test_marks_that_excel_cannot_hold_are_left_out(self, results: SweepResults, tmp_path: Path) -> None:
        query = "SELECT 'a' || chr(7) || 'b' AS a, 12345678901234567890 AS b, [1, 2] AS c, DATE '2020-01-02' AS d, "
        query += "TIMESTAMP '2020-01-02 03:04' AS e"
        sheet = openpyxl.load_workbook(export(results, tmp_path / "x.xlsx", query=query)[0])["answer"]
        values = [cell.value for cell in sheet[2]]
        assert values[0] == "ab"
        assert float(values[1]) == pytest.approx(12345678901234567890)
        assert values[2] == "[1, 2]"
        assert values[3].isoformat()[:10] == "2020-01-02"
        assert str(values[4]) == "2020-01-02 03:04:00"

    def test_too_many_rows_for_a_sheet_are_refused_before_anything_is_written(
        self, results: SweepResults, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(exporting, "EXCEL_ROWS", len(results.runs) + 1)
        export(results, tmp_path / "fits.xlsx", "runs")
        monkeypatch.setattr(exporting, "EXCEL_ROWS", len(results.runs))
        with pytest.raises(CspsimError, match="folder of CSV files"):
            export(results, tmp_path / "not.xlsx", "runs")
        assert not (tmp_path / "not.xlsx").exists()

    def test_a_folder_of_all_tables(self, results: SweepResults, tmp_path: Path) -> None:
        files = export(results, tmp_path / "tables")
        beside = {"data-dictionary.csv", "settings.json", "checksums.json"}
        assert {path.name for path in files} == {*(f"{name}.csv" for name in results.tables())} | beside
        export(results, tmp_path / "tables")  # and again in its place
        assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]

    def test_the_folder_of_results_itself_is_never_overwritten(self, results: SweepResults, folder: Path) -> None:
        before = content(folder)
        with pytest.raises(CspsimError, match="did not write"):
            export(results, folder)
        assert content(folder) == before

    def test_the_answer_to_a_query_with_a_dictionary_of_what_it_keeps(self, folder: Path, tmp_path: Path) -> None:
        target = tmp_path / "answer.csv"
        code, printed, complaint = cli(folder, "--sql", "SELECT policy, avg(spend) AS spent FROM runs GROUP BY policy;", "--export", target)
        assert code == 0, complaint
        assert "answer.csv" in printed.replace("\n", "")  # the window may be narrower than the path
        told = list(csv.DictReader((tmp_path / "answer-dictionary.csv").open(encoding="utf-8")))
        assert [row["column"] for row in told] == ["policy", "spent"]
        assert "baseline" in told[0]["meaning"]
        assert "avg(spend)" in told[1]["source"]

    def test_a_write_that_fails_leaves_the_old_file(self, results: SweepResults, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        target = tmp_path / "runs.csv"
        target.write_text("old", encoding="utf-8")

        def breaks(*_: Any) -> Iterator[Any]:
            yield from itertools.islice(batches(results, "SELECT * FROM runs"), 1)
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(exporting, "batches", breaks)
        with pytest.raises(CspsimError, match="No space left"):
            export(results, target)
        assert target.read_text(encoding="utf-8") == "old"
        assert [path.name for path in tmp_path.iterdir() if "partial" in path.name] == []

    def test_memory_does_not_grow_with_rows(self, results: SweepResults, tmp_path: Path) -> None:
        """Ten times the rows through either writer; Python's own memory and pyarrow's stay where they were."""

        def peak(rows: int, name: str) -> tuple[int, int]:
            pool = arrow.system_memory_pool()
            arrow.set_memory_pool(pool)
            tracemalloc.start()
            export(results, tmp_path / name, query=f"SELECT range AS a, range / 7 AS b, 'text ' || range AS c FROM range({rows})")
            found = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            return found, pool.bytes_allocated()

        rows_at_once = querying.AT_ONCE
        try:
            querying.AT_ONCE = 500
            for name in ("x.csv", "x.xlsx"):
                peak(1000, name)
                few, many = peak(3000, name), peak(12_000, name)
                assert many[0] < few[0] + 300_000, name
                assert many[1] < few[1] + 1_000_000, name
        finally:
            querying.AT_ONCE = rows_at_once


def test_a_part_that_went_away_is_said_in_words(results: SweepResults) -> None:
    results.sql("SELECT count(*) FROM policies")
    for part in (results.folder / "runs").iterdir():
        part.unlink()
    with pytest.raises(CspsimError, match="went away"):
        results.sql("SELECT sum(spend) FROM runs")


def test_errors_that_are_nobodys_query_stay_what_they_are(results: SweepResults) -> None:
    def breaks() -> None:
        raise ZeroDivisionError("a mistake in the program")

    with pytest.raises(ZeroDivisionError):
        interruptible(results.connection, breaks)
