"""Search files: what is read, what a resumed search must not change, and every fault with its line."""

from pathlib import Path

import pytest
from search_support import SEARCH, write_search

from cspsim.basics.errors import CspsimError
from cspsim.search.folder import SearchFolder
from cspsim.search.search_file import SearchError, load_search, trial_settings


def line_of(text: str, words: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if words in line)


def test_the_shipped_file_is_in_order() -> None:
    search = load_search("best-mix-under-budget")
    assert search.baseline.name == "baseline"
    assert "thesis-recommendations" in search.references
    assert {d.name for d in search.dimensions}.isdisjoint({"mainstream", "targets"})  # unpriced, and not for a partnership to set
    assert search.prices == {}


def test_ranges_come_from_the_register_unless_stated(tmp_path: Path) -> None:
    grant, years, engagement = load_search(write_search(tmp_path)).dimensions
    assert (grant.low, grant.high, grant.from_month) == (0.5, 1.5, "2011-04")
    assert (years.step, years.from_month) == (1, None)
    assert (engagement.low, engagement.high) == (0, 1)


@pytest.mark.parametrize(
    ("old", "new", "at", "words"),
    [
        ("engagement = {", "engagment = {", "engagment", 'did you mean "engagement"?'),
        ("low = 0.5, high = 1.5", "low = 0.5, high = 3.5", "grant", "3.5 is out of range: expected 0 to 3 (times)"),
        ("low = 0.5, high = 1.5", "low = 1.5, high = 0.5", "grant", "low (1.5) is not below high (0.5)"),
        ("step = 1 }", "step = 5 }", "award_years", "wider than the range"),
        ('high = 1.5, from = "2011-04"', 'high = 1.5, from = "2031-04"', "grant", "2031-04 is not in the run: expected 2010-04 to 2014-03"),
        ('high = 1.5, from = "2011-04"', 'high = 1.5, since = "2011-04"', "grant", "unknown key"),
        ("award_years = { low = 1, high = 3, step = 1 }", "mainstream = {}", "mainstream", "lacks price"),
        ("times_baseline = 1.05", "times_baseline = 1.05\npounds = 5", "[budget]", "either times_baseline or pounds"),
        ("times_baseline = 1.05", 'times_baseline = 1.05\ncounts = ["grant"]', "counts", "expected 'grant_spent'"),
        ("trials = 10", "trials = 1", "trials", "expected 2 or more"),
        ("trials = 10", "trails = 10", "trails", 'did you mean "trials"?'),
        ("seed = 4", 'harm = "cost_of_crimes"', "harm", 'did you mean "cost_of_crime"?'),
        ("seed = 4", 'harm = "spend"', "harm", "spend is no harm"),
        ("seed = 4", 'objectives = ["cost"]', "objectives", 'lacks "harm"'),
        ('methods = ["kriging", "sobol"]', 'methods = ["sobol", "sobol"]', "methods", '"sobol" stands there twice'),
        ('baseline = "tiny.toml"', 'baseline = "tinny.toml"', "baseline =", "there is no such scenario"),
        ('references = ["more.toml"]', 'references = ["no-cuts"]', "references", "other partnerships or months"),
    ],
)
def test_a_fault_is_told_with_its_line(tmp_path: Path, old: str, new: str, at: str, words: str) -> None:
    text = SEARCH.replace(old, new, 1)
    assert text != SEARCH
    with pytest.raises(SearchError) as error:
        load_search(write_search(tmp_path, text))
    told = [str(fault) for fault in error.value.faults]
    assert any(f"small-mix.toml:{line_of(text, at)}: " in one and words in one for one in told), told
    assert str(error.value).startswith("search 'small-mix' has ")


def test_a_reference_may_not_spend_what_the_budget_does_not_see(tmp_path: Path) -> None:
    path = write_search(tmp_path)
    (tmp_path / "more.toml").write_text(
        'extends = "tiny"\ntitle = "More police"\n[levers]\nmainstream.multiplier = 1.1\n', encoding="utf-8"
    )
    with pytest.raises(SearchError, match=r"changes levers\.mainstream\.multiplier, whose money the budget does not count"):
        load_search(path)
    priced = SEARCH.replace("[levers]", "[levers]\nmainstream = { low = 0.9, high = 1.1, price = { value = 1000000 } }")
    assert load_search(write_search(tmp_path, priced)).prices == {"mainstream": 1_000_000}


class TestFolder:
    def test_another_search_is_refused_with_what_changed(self, tmp_path: Path) -> None:
        SearchFolder(tmp_path / "out", load_search(write_search(tmp_path))).write_manifest("running")
        other = load_search(write_search(tmp_path, SEARCH.replace("high = 1.5", "high = 1.4").replace("seed = 4", "seed = 5")))
        with pytest.raises(CspsimError, match=r"(?s)seed: 4 -> 5.*levers.grant: 0.5 to 1.5 from 2011-04 -> 0.5 to 1.4"):
            SearchFolder(tmp_path / "out", other, resume=True)

    def test_an_unfinished_search_waits_to_be_resumed(self, tmp_path: Path) -> None:
        search = load_search(write_search(tmp_path))
        SearchFolder(tmp_path / "out", search).write_manifest("running")
        with pytest.raises(CspsimError, match="unfinished search, 0 of 20 trials: go on with --resume"):
            SearchFolder(tmp_path / "out", search)
        assert not SearchFolder(tmp_path / "out", search, resume=True).finished

    def test_other_results_are_left_alone(self, tmp_path: Path) -> None:
        search = load_search(write_search(tmp_path))
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "settings.json").write_text('{"seed": 1}', encoding="utf-8")
        with pytest.raises(CspsimError, match="results that are no search"):
            SearchFolder(tmp_path / "out", search)

    def test_words_and_number_of_trials_are_not_what_trials_depend_on(self, tmp_path: Path) -> None:
        one, other = (
            load_search(write_search(tmp_path, text))
            for text in (SEARCH, SEARCH.replace("trials = 10", "trials = 12").replace("small", "tiny"))
        )
        assert trial_settings(one) == trial_settings(other)
        assert SearchFolder(tmp_path / "a", one).asked != SearchFolder(tmp_path / "a", other).asked
