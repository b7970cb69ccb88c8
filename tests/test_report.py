"""The report: one file that loads nothing, says what the tables say, reads well without pictures, and is the same every time."""

import base64
import json
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest
from worlds import tiny_world

from cspsim.basics.formats import amount, interval, roughly
from cspsim.comparing.comparison import Comparison, compare
from cspsim.reports.describe import describe
from cspsim.reports.rendering import date_stamp
from cspsim.reports.report import comparison_settings, evidence, page_of_comparison, write_report
from cspsim.reports.summary import comparison_rows, definitions_grid, funnel_grid, money_grid, outcome_grid, pot_by_year
from cspsim.scenario.scenario import load_scenario

COMMAND = 'cspsim compare "my tiny.toml" half.toml'


@pytest.fixture(scope="module")
def comparison(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    folder = tmp_path_factory.mktemp("report")
    (folder / "tiny.toml").write_text(tiny_world(), encoding="utf-8")
    child = 'extends = "tiny"\ntitle = "Half <script>alert(1)</script> & more"\nquestion = "What does half do?"\n'
    child += "[levers]\ngrant.multiplier = 0.5\n"
    (folder / "half.toml").write_text(child, encoding="utf-8")
    arms = [load_scenario(folder / name) for name in ("tiny.toml", "half.toml")]
    more = arms[0].with_changes({"levers.challenge_culture.shift": 1}, name="chair")
    return compare(arms[0], [arms[1], more], 6, 1, 3, 2, months=True)


@pytest.fixture(scope="module")
def folder(comparison: Comparison, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("out") / "results"
    write_report(comparison, target, COMMAND)
    return target


class Reader(HTMLParser):
    """Tags with their attributes, the open ones, and all text outside of style."""

    VOID = frozenset({"meta", "img", "br", "hr", "link", "input"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def html(folder: Path) -> str:
    return (folder / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def read(html: str) -> Reader:
    return Reader(html)


class TestPage:
    def test_is_well_formed_and_in_english(self, read: Reader) -> None:
        assert read.open == []
        assert read.named("html")[0]["lang"] == "en-GB"
        assert [tag for tag, _ in read.tags].count("h1") == 1
        identifiers = [attributes["id"] for _, attributes in read.tags if "id" in attributes]
        assert len(identifiers) == len(set(identifiers))

    def test_loads_nothing_from_anywhere(self, read: Reader, html: str) -> None:
        for _, attributes in read.tags:
            for name in ("src", "href", "srcset", "data", "action"):
                value = attributes.get(name)
                assert value is None or value.startswith(("data:", "#"))
        assert not read.named("script")
        assert not read.named("link")
        assert "@import" not in html
        assert "url(" not in html

    def test_pictures_have_words(self, read: Reader) -> None:
        pictures = read.named("img")
        assert len(pictures) == 3
        for picture in pictures:
            assert len(picture["alt"] or "") > 40
            kind, _, data = unquote(picture["src"] or "").partition(";base64,")
            assert kind == "data:image/svg+xml"
            assert base64.b64decode(data).lstrip().startswith(b"<?xml")

    def test_tables_have_headers_and_captions(self, read: Reader) -> None:
        assert all(attributes.get("scope") in ("col", "row", "rowgroup") for attributes in read.named("th"))
        assert len(read.named("caption")) >= len(read.named("table")) - 2  # the lists of differences have a summary instead
        assert read.named("th")

    def test_everything_from_a_scenario_is_escaped(self, html: str) -> None:
        assert "<script" not in html
        assert "Half &lt;script&gt;" in html

    def test_says_what_the_table_says(self, comparison: Comparison, html: str) -> None:
        text = " ".join(" ".join(Reader(html).words).split())
        for name in comparison.scenarios:
            assert comparison.question(name) in text
            assert " ".join(comparison.headline(name).split()) in text
            for row in comparison_rows(comparison, name):
                cells = [row.baseline, row.value, row.difference, row.interval, row.assumptions, row.verdict]
                assert all(cell in text for cell in cells), row

    def test_rows_carry_their_own_numbers(self, comparison: Comparison, html: str) -> None:
        """Cell by cell: the row of an outcome holds exactly the words made of the table's numbers."""
        for finding in comparison.findings:
            marker = f'id="{finding.scenario.replace(" ", "-")}-{finding.outcome}"'
            row = Reader(
                "<table>" + html[html.rindex("<tr", 0, html.index(marker)) : html.index("</tr>", html.index(marker))] + "</tr></table>"
            ).words
            noise = finding.half_width if finding.half_width > 0 else None
            expected = amount(finding.difference, finding.unit, noise, signed=True, points=finding.unit == "share")
            assert expected in row, finding

    def test_tells_how_to_get_it_again(self, comparison: Comparison, read: Reader) -> None:
        text = "".join(read.words)
        assert COMMAND in text
        for results in comparison.results.values():
            assert results.scenario.digest in text
        assert "levers.grant.multiplier" in text
        assert "not a forecast" in text
        assert "no forecast" in text

    def test_counts_its_evidence(self, comparison: Comparison) -> None:
        scenario = comparison.results[comparison.baseline].scenario
        counted = evidence(scenario)
        assert list(counted) == ["seen", "derived", "memory", "assumption"]
        kinds = ("levers", "uncertainties", "interventions", "crime-types", "authorities", "partnerships", "grants", "events")
        assert sum(counted.values()) == sum(1 for kind in kinds for row in describe(kind, scenario) if row["status"])

    def test_rendering_needs_no_files(self, comparison: Comparison) -> None:
        assert "What does half do?" in page_of_comparison(comparison, [], COMMAND)


class TestFolder:
    def test_the_same_bytes_twice(self, comparison: Comparison, folder: Path, tmp_path: Path) -> None:
        again = compare(
            comparison.results[comparison.baseline].scenario,
            [comparison.results[name].scenario for name in comparison.scenarios],
            6, 1, 3, 2, months=True, threads=1,
        )  # fmt: skip
        write_report(again, tmp_path / "results", COMMAND)
        names = sorted(path.name for path in folder.iterdir())
        assert names == sorted(path.name for path in (tmp_path / "results").iterdir())
        for name in names:
            assert (folder / name).read_bytes() == (tmp_path / "results" / name).read_bytes(), name

    def test_the_date_comes_from_the_environment_only(self, monkeypatch: pytest.MonkeyPatch, html: str) -> None:
        monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
        assert date_stamp() == ""
        monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
        assert date_stamp() == "1 January 1970"

    def test_tables_and_settings(self, comparison: Comparison, folder: Path) -> None:
        import pandas as pd

        table = pd.read_parquet(folder / "comparison.parquet")
        pd.testing.assert_frame_equal(table, comparison.table)
        assert len(pd.read_csv(folder / "runs.csv")) == 3 * 6 * 3
        settings = json.loads((folder / "settings.json").read_text(encoding="utf-8"))
        assert settings["command"] == COMMAND
        assert settings["seed"] == 1
        assert comparison_settings(comparison)["replicates"] == settings["replicates"] == 6


class TestGrids:
    def test_means_and_ranges(self, comparison: Comparison) -> None:
        results = comparison.results[comparison.baseline]
        grid = outcome_grid(results, "area", "Area")
        cost = next(row for row in grid.plain if row["outcome"] == "cost_of_crime")
        values = results.area("cost_of_crime")
        assert cost["mean"] == pytest.approx(values.mean())
        assert cost["ci_low"] < cost["mean"] < cost["ci_high"]
        assert values.min() <= cost["p5"] <= cost["p95"] <= values.max()

    def test_money_by_year_is_the_money_of_the_run(self, comparison: Comparison) -> None:
        results = comparison.results[comparison.baseline]
        grid = money_grid(results, "Money")
        assert [row["year"] for row in grid.plain] == ["2010/11", "2011/12", "2012/13", "2013/14"]
        window = [row for row in grid.plain if row["year"] != "2010/11"]  # the window is the last three years
        assert sum(row["spent"] for row in window) == pytest.approx(results.area("spend").mean())
        assert sum(row["received"] for row in window) == pytest.approx(results.area("received").mean())
        assert all(row["pot"] >= 0 for row in grid.plain)
        assert len(pot_by_year(results)) == 4

    def test_months_are_needed_for_years(self, comparison: Comparison) -> None:
        from cspsim.running.simulation import simulate

        results = simulate(comparison.results[comparison.baseline].scenario, 2)
        with pytest.raises(ValueError, match="months"):
            money_grid(results, "Money")

    def test_every_definition_and_stage_is_shown(self, comparison: Comparison) -> None:
        assert len(definitions_grid(comparison.results).cells) == 6
        assert [row[0] for row in funnel_grid(comparison.results).cells] == ["Planned", "Started", "With adequate dose", "Truly effective"]


class TestWords:
    @pytest.mark.parametrize(
        ("value", "unit", "noise", "words"),
        [
            (105_243_000, "£ (2015/16)", 900_000, "£105.2m"),
            (105_243_000, "£ (2015/16)", 14_000_000, "£105m"),
            (105_243_000, "£ (2015/16)", 40_000_000, "£110m"),
            (-9_120, "£ (2015/16)", 300, "\N{MINUS SIGN}£9.1k"),
            (0.1234, "share", 0.004, "12.3%"),
            (0.1234, "share", 0.03, "12%"),
            (1_327_560, "crimes", 2_500, "1,328,000"),
            (7.4586, "£ per £", 0.06, "£7.46"),
            (0.0, "£ (2015/16)", 200_000, "£0"),
            (float("nan"), "share", 0.1, "\N{EN DASH}"),
        ],
    )
    def test_amounts_are_rounded_to_their_noise(self, value: float, unit: str, noise: float, words: str) -> None:
        assert amount(value, unit, noise) == words

    def test_differences_carry_signs_and_points(self) -> None:
        assert amount(0.0123, "share", 0.0004, signed=True, points=True) == "+1.23 points"
        assert amount(-0.00001, "share", 0.004, signed=True, points=True) == "0.0 points"
        assert interval(-0.01, 0.02, "share", points=True) == "\N{MINUS SIGN}1.0 to 2.0 points"

    def test_prose_has_two_figures(self) -> None:
        assert [roughly(value, "£") for value in (1_234_567, 98_760, 0)] == ["£1.2m", "£99k", "£0"]
        assert roughly(0.1567, "share") == "16%"
