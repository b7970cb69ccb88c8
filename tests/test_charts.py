"""Figures: what is drawn is what was run, in words too; the same every time; quick, and without pyplot."""

import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest
from worlds import tiny_world

from cspsim.comparing.comparison import Comparison, compare
from cspsim.reports.charts import (
    COLOURS,
    DASHES,
    FOREST,
    MARKERS,
    PANELS,
    ArmYears,
    DefinitionShown,
    DifferenceShown,
    ReportChart,
    draw_comparison,
    draw_glance,
    split_by_year,
)
from cspsim.running.outcomes import OUTCOMES
from cspsim.running.years import by_year
from cspsim.scenario.scenario import load_scenario


@pytest.fixture(scope="module")
def comparison(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    path = tmp_path_factory.mktemp("charts") / "tiny.toml"
    path.write_text(tiny_world(), encoding="utf-8")
    tiny = load_scenario(path)
    tiny = tiny.with_changes({"authorities.police.roles": ["enforcement", "police"]}, name="tiny")
    cut = {"levers.mainstream.path": {"2010-04": 1, "2011-10": 0.6}}
    others = [tiny.with_changes(cut, name="less"), tiny.with_changes({"levers.grant.multiplier": 2}, name="more")]
    return compare(tiny, others, 5, 1, 3, 2, months=True)


@pytest.fixture(scope="module")
def charts(comparison: Comparison) -> list[ReportChart]:
    return draw_comparison(comparison)


class TestYears:
    def test_years_add_up_to_the_months_of_the_window(self, comparison: Comparison) -> None:
        results = comparison.results["tiny"]
        years = by_year(results)
        assert years.labels == ["2010/11", "2011/12", "2012/13", "2013/14"]
        assert years.whole.all()
        assert years.area("cost_of_crime")[:, 1:].sum(axis=1) == pytest.approx(results.area("cost_of_crime"))

    def test_ratios_are_ratios_of_sums(self, comparison: Comparison) -> None:
        results = comparison.results["tiny"]
        years = by_year(results)
        with np.errstate(invalid="ignore"):
            expected = years.area("cost_averted") / years.area("twin_cost_of_crime")
        assert years.area("cost_averted_share") == pytest.approx(expected, nan_ok=True)

    def test_an_unknown_outcome_is_an_error(self, comparison: Comparison) -> None:
        with pytest.raises(KeyError):
            by_year(comparison.results["tiny"]).area("happiness")


class TestSplit:
    def test_the_parts_add_up_to_the_whole(self, comparison: Comparison) -> None:
        arms = {name: ArmYears(name, by_year(results)) for name, results in comparison.results.items()}
        split = split_by_year(arms["tiny"], arms["less"])
        assert split.whole == pytest.approx(split.mainstream + split.partnership)
        assert split.whole[:, 1:].sum(axis=1) == pytest.approx(comparison.paired("cost_of_crime", "less"))
        assert np.abs(split.mainstream).sum() > 0

    def test_a_scenario_against_itself_differs_nowhere(self, comparison: Comparison) -> None:
        arm = ArmYears("tiny", by_year(comparison.results["tiny"]))
        assert not split_by_year(arm, arm).whole.any()


class TestPictures:
    def test_three_figures_with_words(self, charts: list[ReportChart]) -> None:
        assert [chart.name for chart in charts] == ["years", "difference", "glance"]
        for chart in charts:
            assert chart.png.startswith(b"\x89PNG")
            assert len(chart.alternative) > 40
            assert not re.search(r"\bnan\b", chart.alternative)

    def test_the_pictures_say_what_they_show_with_units_and_source(self, charts: list[ReportChart]) -> None:
        for chart in charts:
            words = " ".join(text.strip() for text in ElementTree.fromstring(chart.svg).itertext() if text.strip())
            assert chart.title in words
            assert "Illustrative model, not a forecast." in words
            assert "seed 1" in words
            assert all(name in words for name in ("tiny", "less", "more"))
            assert "£" in words
        years = " ".join(ElementTree.fromstring(charts[0].svg).itertext())
        assert all(title in years for _, title in PANELS)

    def test_the_same_bytes_again_and_no_date(self, comparison: Comparison, charts: list[ReportChart]) -> None:
        for chart, again in zip(charts, draw_comparison(comparison), strict=True):
            assert chart.svg == again.svg
            assert chart.png == again.png
            assert "<dc:date>" not in chart.svg
            assert b"matplotlib" not in chart.png.lower()

    def test_colour_is_never_alone(self) -> None:
        assert len(COLOURS) == len(DASHES) == len(MARKERS)
        assert len({str(dash) for dash in DASHES}) == len(DASHES)
        assert len(set(MARKERS)) == len(MARKERS)

    def test_names_exist(self) -> None:
        assert {name for name, _ in PANELS} | set(FOREST) <= set(OUTCOMES)

    def test_nothing_to_show_still_draws(self) -> None:
        nothing = float("nan")
        estimates = {"b": [DifferenceShown("cost_of_crime", 0, 0, 0, 1), DifferenceShown("spend", nothing, nothing, nothing, nothing)]}
        chart = draw_glance(
            estimates,
            [DefinitionShown("Value for money", {"a": nothing, "b": nothing}, "£ per £", 1)],
            [("a", 0, 0), ("b", 0, 0)],
            "t",
            "s",
        )
        assert "Larger than that: none" in chart.alternative


def test_pyplot_is_not_imported() -> None:
    code = "import sys, cspsim.reports.charts; print('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "False"


def test_drawing_without_assumption_sets(tmp_path: Path) -> None:
    path = tmp_path / "tiny.toml"
    path.write_text(tiny_world(), encoding="utf-8")
    tiny = load_scenario(path)
    charts = draw_comparison(compare(tiny, [tiny], 3, 1, 0, months=True))
    assert "no assumption sets were run" in charts[1].svg
