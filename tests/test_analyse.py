"""A sweep analysed: figures agree with the stored runs, what applies is asked, the report is whole and the same every time."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import stdtrit
from sweep_support import write_experiment
from test_report import Reader
from typer.testing import CliRunner

from cspsim.analysis import boxes, sampled_sets
from cspsim.analysis.analysing import analyse
from cspsim.analysis.analysis import Analysis
from cspsim.analysis.analysis_page import analysis_as_json, headlines_of, page_of_analysis, sections_of, write_analysis
from cspsim.analysis.effects import finding_of, independent_rows, swept_of
from cspsim.analysis.section import p_words, policy_headline, range_words
from cspsim.basics.errors import CspsimError
from cspsim.cli import app
from cspsim.sweep.luck_design import luck_design
from cspsim.sweep.reading import load_experiment
from cspsim.sweep.stored_results import SweepResults, load_results
from cspsim.sweep.sweeping import run_sweep

HEAD = """title = "Grant <script>alert(1)</script> & challenge"
question = "Does the grant matter?"
baseline = "tiny.toml"
outcomes = ["cost_of_crime", "evaluated_share", "spend"]
"""
POLICIES = """
[policies.half]
changes = { "levers.grant.multiplier" = 0.5 }
[policies.double]
changes = { "levers.grant.multiplier" = 2.0 }
[policies.nothing]
changes = { "levers.grant.multiplier" = 1.0 }
"""
NUMBERS = 'only = ["effect_scale", "harmony", "optimism"]'
SETS = f'[uncertainties]\ndesign = "latin-hypercube"\npoints = 64\n{NUMBERS}\n[luck]\nreplicates = 3\n'
SOBOL = f'[uncertainties]\ndesign = "saltelli"\npoints = 8\n{NUMBERS}\n[luck]\nreplicates = 2\n'
MORRIS = f'[uncertainties]\ndesign = "morris"\npoints = 4\n{NUMBERS}\n[luck]\nreplicates = 2\n'
LUCK = (
    '[policies.half]\nchanges = { "levers.grant.multiplier" = 0.5 }\n[luck]\ndesign = "saltelli"\nbase = 8\ngroups = ["crime", "signals"]\n'
)
LEVERS = """
[levers.vary]
"grant.multiplier" = { values = [0.5, 1.0, 2.0] }
challenge_culture = { values = [0.0, 1.0] }
[luck]
replicates = 3
"""
COMMAND = "cspsim analyse 'my results'"


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> dict[str, SweepResults]:
    found = {}
    bodies = {
        "sets": POLICIES + SETS,
        "sobol": POLICIES + SOBOL,
        "morris": POLICIES + MORRIS,
        "luck": LUCK,
        "levers": LEVERS,
        "alone": SOBOL,
    }
    for name, body in bodies.items():
        folder = tmp_path_factory.mktemp(name)
        found[name] = run_sweep(load_experiment(write_experiment(folder, body, HEAD)), folder / "results")
    return found


@pytest.fixture(scope="module")
def analysis(swept: dict[str, SweepResults]) -> Analysis:
    with pytest.MonkeyPatch.context() as patched:  # how boxes are judged has tests of its own
        patched.setattr(boxes, "RESAMPLES", 2)
        patched.setattr(sampled_sets, "FOLDS", 3)
        return analyse(swept["sets"])


@pytest.fixture(scope="module")
def folder(analysis: Analysis, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("out") / "analysis"
    write_analysis(analysis, sections_of(analysis), target, COMMAND)
    return target


@pytest.fixture(scope="module")
def html(folder: Path) -> str:
    return (folder / "report.html").read_text(encoding="utf-8")


class TestFigures:
    def test_an_effect_is_the_paired_difference_of_the_stored_runs(self, analysis: Analysis) -> None:
        cells = analysis.results.cells("cost_of_crime")
        finding = analysis.finding("half")
        runs = cells.numerator[:2, 0]
        assert finding.difference == pytest.approx((runs[1] - runs[0]).mean())
        assert finding.half_width == pytest.approx(stdtrit(2, 0.975) * cells.noise()[1, 0])
        sampled = cells.effects()[1, 1:]
        assert finding.assumptions_median == pytest.approx(np.median(sampled))
        assert finding.same_sign_share == pytest.approx((np.sign(sampled) == np.sign(finding.difference)).mean())

    def test_a_ratio_is_a_ratio_of_sums(self, analysis: Analysis) -> None:
        finding = analysis.finding("half", "evaluated_share")
        cells = analysis.results.cells("evaluated_share")
        assert finding.difference == pytest.approx(cells.effects()[1, 0])
        assert finding.half_width == pytest.approx(stdtrit(2, 0.975) * cells.noise()[1, 0])

    def test_a_policy_that_changes_nothing_is_identical(self, analysis: Analysis) -> None:
        assert analysis.finding("nothing").verdict == "identical"
        assert "identical in all 3 runs" in headlines_of(analysis)[2]["headline"]
        assert ("nothing", "baseline") not in analysis.turns
        assert "nothing" not in analysis.failures

    def test_other_outcomes_are_exploratory_and_share_one_family(self, analysis: Analysis) -> None:
        rows = [finding for finding in analysis.findings if finding.scenario == "half"]
        assert [finding.role for finding in rows] == ["primary", "exploratory", "exploratory"]
        assert rows[0].p_holm == rows[0].p_value
        assert min(rows[1:], key=lambda row: row.p_value).p_holm == pytest.approx(2 * min(row.p_value for row in rows[1:]))

    def test_without_best_guesses_the_mean_over_sets_is_told(self, swept: dict[str, SweepResults]) -> None:
        one = swept_of(swept["sets"], "cost_of_crime")._replace(best_guess=False)
        finding = finding_of(one, "cost_of_crime", 1, "half")
        assert finding.difference == pytest.approx(one.effects[1].mean())
        assert finding.replicates == 3

    def test_regret_is_that_of_the_stored_values(self, analysis: Analysis) -> None:
        value = analysis.results.cells("cost_of_crime").value[:, 1:]
        assert analysis.robust is not None
        assert analysis.robust.mean_regret.value == pytest.approx((value - value.min(axis=0)).mean(axis=1))
        assert analysis.robust.best_share.value.sum() == pytest.approx(1)

    def test_cells_of_the_two_by_two_are_means_of_stored_values(self, analysis: Analysis) -> None:
        table = analysis.halves["half"][0]
        numbers = analysis.results.assumptions[table.name].to_numpy()[1:]
        value = analysis.results.cells("cost_of_crime").value[:, 1:]
        high = numbers > np.median(numbers)
        wanted = [[value[arm, half].mean() for arm in (0, 1)] for half in (~high, high)]
        assert table.cells == pytest.approx(np.array(wanted))

    def test_one_replicate_says_that_it_has_no_interval(self, swept: dict[str, SweepResults]) -> None:
        one = swept_of(swept["sets"], "cost_of_crime")
        single = one._replace(values=one.values[:, :, :1], effects=one.effects[:, :, :1])
        finding = finding_of(single, "cost_of_crime", 1, "half")
        assert finding.verdict == "undecided"
        assert "no interval without more" in policy_headline(finding, "baseline", 64)


class TestWhatApplies:
    @pytest.mark.parametrize(
        ("name", "wanted"),
        [
            ("sobol", ["effects", "robustness", "drivers", "others"]),
            ("morris", ["effects", "robustness", "drivers", "others"]),
            ("luck", ["effects", "luck", "cost", "others"]),
            ("levers", ["effects", "levers", "cost", "others"]),
            ("alone", ["drivers"]),
        ],
    )
    def test_sections_follow_the_designs(self, swept: dict[str, SweepResults], name: str, wanted: list[str]) -> None:
        found = analyse(swept[name])
        assert [section.name for section in sections_of(found)] == wanted
        assert page_of_analysis(found, sections_of(found), COMMAND)

    def test_sampled_sets_bring_everything_but_luck_and_levers(self, analysis: Analysis) -> None:
        names = [section.name for section in sections_of(analysis)]
        assert names == ["effects", "robustness", "flips", "failures", "drivers", "cost", "others"]
        assert set(analysis.failures) == {"half", "double"}

    def test_only_independent_points_of_a_saltelli_design_are_compared(self, swept: dict[str, SweepResults]) -> None:
        found = analyse(swept["sobol"])
        assert len(found.sets) == 2 * 8
        for column in found.values.T:
            assert len(np.unique(column)) == 16  # points between A and B would repeat their values
        assert (analyse(swept["morris"]).groups == np.repeat(np.arange(4), 4)).all()

    @given(st.integers(2, 30), st.sampled_from([("crime",), ("crime", "signals"), ("personalities", "turnover", "meetings")]))
    def test_rows_of_a_luck_design_taken_for_intervals_share_no_number(self, base: int, groups: tuple[str, ...]) -> None:
        table = luck_design(base, groups)
        rows = independent_rows(len(table), base)
        assert len(rows) == 2 * base
        for column in table[rows].T:
            assert len(np.unique(column)) == 2 * base

    def test_levers_that_were_fully_crossed_have_main_effects(self, swept: dict[str, SweepResults]) -> None:
        found = analyse(swept["levers"])
        main = next(one for one in found.lever_effects if one.kind == "main" and one.lever == "levers.grant.multiplier" and one.level == 2)
        effects = found.results.cells("cost_of_crime").effects()[1:, 0]
        settings = found.results.policies["levers.grant.multiplier"].to_numpy()[1:]
        assert main.effect == pytest.approx(effects[settings == 2].mean() - effects[settings == 0.5].mean())

    def test_another_outcome_may_be_asked_about(self, swept: dict[str, SweepResults]) -> None:
        found = analyse(swept["levers"], "spend")
        assert {finding.outcome for finding in found.findings if finding.role == "primary"} == {"spend"}
        assert found.robust is None  # spending has no good direction


class TestReport:
    def test_is_well_formed_and_loads_nothing(self, html: str) -> None:
        read = Reader(html)
        assert read.open == []
        identifiers = [attributes["id"] for _, attributes in read.tags if "id" in attributes]
        assert len(identifiers) == len(set(identifiers))
        assert not read.named("script")
        assert not read.named("link")
        assert all((picture["src"] or "").startswith("data:image/svg+xml;base64,") for picture in read.named("img"))
        assert "<script" not in html
        assert "Grant &lt;script&gt;" in html

    def test_links_lead_somewhere(self, html: str, folder: Path) -> None:
        read = Reader(html)
        identifiers = {attributes.get("id") for _, attributes in read.tags}
        for link in read.named("a"):
            address = link["href"] or ""
            assert address[1:] in identifiers if address.startswith("#") else (folder / address).is_file()

    def test_every_picture_has_words_and_a_file(self, analysis: Analysis, html: str, folder: Path) -> None:
        charts = [chart for section in sections_of(analysis) for chart in section.charts]
        assert len(Reader(html).named("img")) == len(charts) == len({chart.name for chart in charts})
        for chart in charts:
            assert len(chart.alternative) > 40
            assert (folder / f"{chart.name}.png").read_bytes() == chart.png

    def test_every_section_with_a_picture_has_a_table_that_says_it(self, analysis: Analysis) -> None:
        for section in sections_of(analysis):
            assert section.grids or not section.charts
            for grid in section.grids:
                assert all(len(row) == len(grid.columns) for row in grid.cells)

    def test_says_what_was_run_and_the_answers(self, analysis: Analysis, html: str) -> None:
        text = " ".join(" ".join(Reader(html).words).split())
        manifest = analysis.results.manifest
        for wanted in ("Does the grant matter?", manifest["digest"], "seed 1", "Illustrative model", "Latin hypercube", COMMAND):
            assert wanted in text
        for answer in headlines_of(analysis):
            assert answer["headline"] in text
            assert answer["verdict"] in text

    def test_tables_to_download_hold_what_the_page_says(self, analysis: Analysis, folder: Path) -> None:
        with (folder / "policies.csv").open(encoding="utf-8") as file:
            rows = {row["name"]: row for row in csv.DictReader(file)}
        assert list(rows) == ["baseline", "half", "double", "nothing"]
        assert float(rows["half"]["difference"]) == pytest.approx(analysis.finding("half").difference)
        with (folder / "robustness.csv").open(encoding="utf-8") as file:
            shares = [float(row["best_share"]) for row in csv.DictReader(file)]
        assert sum(shares) == pytest.approx(1)

    def test_the_same_sweep_gives_the_same_bytes(self, swept: dict[str, SweepResults], tmp_path: Path) -> None:
        for name in ("one", "two"):
            found = analyse(load_results(swept["sobol"].folder))
            write_analysis(found, sections_of(found), tmp_path / name, COMMAND)
        files = sorted(path.name for path in (tmp_path / "one").iterdir())
        assert files == sorted(path.name for path in (tmp_path / "two").iterdir())
        for name in files:
            assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), name

    def test_json_has_no_numbers_that_json_lacks(self, analysis: Analysis) -> None:
        from cspsim.basics.exports import as_json

        found = json.loads(as_json(analysis_as_json(analysis, sections_of(analysis))))
        assert [answer["policy"] for answer in found["answers"]] == ["half", "double", "nothing"]
        assert found["sections"]["robustness"]["tables"]["robustness"][0]["policy"] == "baseline"


class TestCommand:
    def test_prints_answers_and_writes_the_report(self, swept: dict[str, SweepResults], tmp_path: Path) -> None:
        done = CliRunner().invoke(app, ["analyse", str(swept["levers"].folder), "--out", str(tmp_path / "out")])
        assert done.exit_code == 0, done.output
        assert "Does the grant matter?" in done.output
        assert "What each lever does" in done.output
        assert (tmp_path / "out" / "report.html").is_file()

    def test_json_is_json_and_nothing_else(self, swept: dict[str, SweepResults]) -> None:
        done = CliRunner().invoke(app, ["analyse", str(swept["luck"].folder), "--json", "--no-report"])
        found = json.loads(done.stdout)
        assert found["folder"] is None
        assert {row["stream"] for row in found["sections"]["luck"]["tables"]["luck"]} == {"crime", "signals", "rest"}

    def test_a_folder_without_a_sweep_is_told_so(self, tmp_path: Path) -> None:
        done = CliRunner().invoke(app, ["analyse", str(tmp_path)])
        assert done.exit_code == 2
        assert "holds no results of a sweep" in done.stderr
        assert "Traceback" not in done.output

    def test_a_wrong_outcome_is_told_the_right_one(self, swept: dict[str, SweepResults], tmp_path: Path) -> None:
        arguments = ["analyse", str(swept["levers"].folder), "--outcome", "cost_of_crimes", "--out", str(tmp_path / "out")]
        done = CliRunner().invoke(app, arguments)
        assert done.exit_code == 2
        assert 'did you mean "cost_of_crime"?' in done.stderr
        assert not (tmp_path / "out").exists()

    def test_somebody_elses_folder_is_not_written_to(self, swept: dict[str, SweepResults], tmp_path: Path) -> None:
        (tmp_path / "mine.txt").write_text("mine")
        done = CliRunner().invoke(app, ["analyse", str(swept["levers"].folder), "--out", str(tmp_path)])
        assert done.exit_code == 2
        assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]

    def test_a_sweep_without_runs_has_nothing_to_say(self, swept: dict[str, SweepResults], tmp_path: Path) -> None:
        manifest = swept["levers"].manifest | {"status": "running"}
        with pytest.raises(CspsimError, match="no finished runs yet"):
            analyse(SweepResults(tmp_path, manifest, []))


class TestWords:
    def test_both_ends_of_a_range_are_in_one_scale(self) -> None:
        assert range_words(960_000, 2_400_000, "£ (2015/16)") == "£1.0m to £2.4m"
        assert range_words(0.012, 0.034, "share", 0.001) == "1.20 to 3.40 points"

    def test_small_p_values_are_only_said_to_be_small(self) -> None:
        assert p_words(1e-20) == "below 0.001"
        assert p_words(0.0312) == "0.031"
