"""Comparisons: intervals worked by hand, verdicts, what adds up, and that nothing is found where nothing is."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from worlds import tiny_world

from cspsim.basics.errors import CspsimError
from cspsim.basics.formats import amount
from cspsim.comparing.comparison import MAINSTREAM, PARTNERSHIP, TOGETHER, Comparison, compare, comparison_runs, replicates_needed
from cspsim.comparing.differences import Parts, holm, paired_estimate, parts_of, range_over, verdict_of
from cspsim.model.parameters import Floats
from cspsim.model.tallies import Tally
from cspsim.running.outcomes import OUTCOMES, POUNDS, outcomes_of
from cspsim.running.results import Results
from cspsim.scenario.scenario import Scenario, load_scenario
from cspsim.scenario.world_building import calendar_of

COLUMNS = (
    "scenario outcome baseline value difference ci_low ci_high replicates smallest_detectable assumptions_low assumptions_median "
    "assumptions_high same_sign_share verdict role p_value p_holm smallest_of_interest unit"
)


def parts(numerator: list[float], denominator: list[float] | None = None) -> Parts:
    """Parts of a single outcome, a total if no denominator is given."""
    return Parts(np.array(numerator)[:, None], np.array(denominator or [1.0] * len(numerator))[:, None])


def made_up(scenario: Scenario, columns: dict[Tally, Floats]) -> Results:
    """Results of one partnership with made-up tallies, ``[run]`` each."""
    n = len(next(iter(columns.values())))
    tallies = np.zeros((n, 1, len(Tally)))
    for tally, values in columns.items():
        tallies[:, 0, tally] = values
    return Results(scenario, 1, 0, calendar_of(scenario.data), tallies, np.zeros((n, 1, 0, 0)), np.zeros((0, 0, 0, 0)))


def against(baseline: Results, other: Results, outcomes: list[str], sets: tuple[Floats, Floats] | None = None) -> Comparison:
    """A comparison of made-up results; ``sets`` are outcomes ``[set, outcome]`` of both arms."""
    none = np.empty((0, len(OUTCOMES)))
    over = dict(zip(("before", "after"), sets or (none, none), strict=True))
    sampled = {"before": range(len(over["before"])), "after": range(len(over["after"]))} if sets else {}
    return Comparison({"before": baseline, "after": other}, sampled, over, outcomes)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    path = tmp_path_factory.mktemp("compare") / "tiny.toml"
    path.write_text(tiny_world().replace('"police_strength"', '"police"'), encoding="utf-8")  # so that mainstream cuts reach crime
    return load_scenario(path)


@pytest.fixture(scope="module")
def cut(tiny: Scenario) -> Scenario:
    changes = {"levers.grant.multiplier": 0.3, "levers.mainstream.path": {"2010-04": 1.0, "2011-04": 0.7}}
    return tiny.with_changes(changes, name="cut")


@pytest.fixture(scope="module")
def found(tiny: Scenario, cut: Scenario) -> Comparison:
    return compare(tiny, [cut], replicates=12, assumption_sets=5, replicates_per_set=2)


# ----------------------------------------------------------------------------------------------------------- intervals


def test_the_paired_interval_by_hand() -> None:
    estimate = paired_estimate(parts([10, 20, 30, 40]), parts([11, 22, 33, 44]))
    # differences 1 2 3 4: mean 2.5, s = 1.290994, s / sqrt(4) = 0.645497, t with 3 degrees of freedom = 3.182446
    assert estimate.difference == pytest.approx([2.5])
    assert estimate.standard_error == pytest.approx([0.645497], rel=1e-5)
    assert estimate.half_width == pytest.approx([2.054260], rel=1e-5)
    assert estimate.p_value == pytest.approx([0.030466], rel=1e-4)  # t = 3.872983


def test_a_ratio_is_a_ratio_of_sums_not_a_mean_of_ratios() -> None:
    estimate = paired_estimate(parts([1, 9], [1, 1]), parts([1, 9], [1, 3]))
    assert (estimate.baseline, estimate.value) == (5.0, 2.5)


def test_a_ratio_with_constant_denominator_is_as_good_as_a_total() -> None:
    ratio = paired_estimate(parts([10, 20, 30, 40], [2] * 4), parts([11, 22, 33, 44], [2] * 4))
    total = paired_estimate(parts([5, 10, 15, 20]), parts([5.5, 11, 16.5, 22]))
    assert ratio.half_width == pytest.approx(total.half_width)


def test_the_delta_method_agrees_with_a_jackknife() -> None:
    draw = np.random.default_rng(4)
    cost = draw.gamma(50, 1, 400)
    averted = 6 * cost + draw.normal(0, 20, 400)
    dearer, more = cost * 1.3 + draw.normal(0, 2, 400), averted + draw.normal(30, 15, 400)
    estimate = paired_estimate(parts(list(averted), list(cost)), parts(list(more), list(dearer)))

    def without(run: int) -> float:
        keep = np.arange(400) != run
        return float(more[keep].sum() / dearer[keep].sum() - averted[keep].sum() / cost[keep].sum())

    left_out = np.array([without(run) for run in range(400)])
    jackknife = np.sqrt(399 / 400 * ((left_out - left_out.mean()) ** 2).sum())
    assert estimate.standard_error[0] == pytest.approx(jackknife, rel=0.02)
    unpaired = np.hypot(
        *(
            paired_estimate(parts([0.0] * 400), arm).standard_error[0]
            for arm in (parts(list(averted), list(cost)), parts(list(more), list(dearer)))
        )
    )
    assert estimate.standard_error[0] < 0.8 * unpaired


def test_nothing_is_found_where_nothing_is() -> None:
    """A world against itself on other luck, 200 times: about one interval in twenty misses zero."""
    draw = np.random.default_rng(1)
    worlds = draw.gamma(4, 1, (2, 200, 30))
    misses = 0
    for one, other in zip(*worlds, strict=True):
        estimate = paired_estimate(parts(list(one)), parts(list(other)))
        misses += verdict_of(estimate.difference[0], estimate.half_width[0], 0.0, False) in ("higher", "lower")
    assert 2 <= misses <= 20


@given(some.lists(some.floats(-1e6, 1e6), min_size=2, max_size=20))
def test_equal_arms_are_identical(values: list[float]) -> None:
    estimate = paired_estimate(parts(values), parts(list(values)))
    assert estimate.identical.all()
    assert (estimate.difference, estimate.half_width, estimate.p_value) == (0, 0, 1)


def test_one_run_has_a_difference_and_no_interval() -> None:
    estimate = paired_estimate(parts([1.0]), parts([3.0]))
    assert estimate.difference == 2
    assert np.isnan(estimate.half_width)
    assert verdict_of(2, np.nan, 0.5, False) == "undecided"


def test_nothing_to_divide_by_is_not_defined() -> None:
    estimate = paired_estimate(parts([1, 2], [1, 1]), parts([0.0, 0.0], [0.0, 0.0]))
    assert np.isnan([estimate.difference, estimate.p_value]).all()
    assert verdict_of(float(estimate.difference[0]), np.nan, 0.5, False) == "not defined"


def test_parts_are_the_outcomes_of_the_register() -> None:
    tallies = np.random.default_rng(2).gamma(3, 1, (1, 3, len(Tally)))
    np.testing.assert_allclose(parts_of(tallies).value, outcomes_of(tallies.sum(axis=(0, 1))))


# ------------------------------------------------------------------------------------------------------------ verdicts


@pytest.mark.parametrize(
    ("difference", "half_width", "smallest", "identical", "verdict"),
    [
        (5.0, 1.0, 3.0, False, "higher"),
        (-5.0, 1.0, 3.0, False, "lower"),
        (1.0, 1.0, 3.0, False, "smaller than matters"),
        (-1.0, 1.0, 3.0, False, "smaller than matters"),
        (3.0, 1.0, 3.0, False, "undecided"),
        (0.0, 5.0, 3.0, False, "undecided"),
        (5.0, 2.0, 3.0, False, "undecided"),
        (0.0, 0.0, 3.0, True, "identical"),
        (float("nan"), float("nan"), 3.0, False, "not defined"),
    ],
)
def test_the_verdict_table(difference: float, half_width: float, smallest: float, identical: bool, verdict: str) -> None:
    assert verdict_of(difference, half_width, smallest, identical) == verdict


def test_holm_by_hand() -> None:
    # sorted .005 .01 .03 .04, times 4 3 2 1: .02 .03 .06 .04, never falling: .02 .03 .06 .06
    adjusted = holm(np.array([0.01, 0.04, np.nan, 0.03, 0.005]))
    assert adjusted == pytest.approx([0.03, 0.06, np.nan, 0.06, 0.02], nan_ok=True)
    assert holm(np.array([0.9, 0.8])).max() == 1
    assert holm(np.array([])).size == 0


def test_the_range_over_sets_by_hand() -> None:
    over = range_over(np.array([*np.linspace(-2, 18, 21), np.nan]), 4.0)
    assert over[:3] == pytest.approx((-1, 8, 17))
    assert over.same_sign_share == pytest.approx(18 / 21)
    assert range_over(np.zeros(3), 0.0) == (0, 0, 0, 1)
    assert np.isnan(range_over(np.array([]), 4.0).median)


# --------------------------------------------------------------------------------------------------- figures in words


@pytest.mark.parametrize(
    ("value", "noise", "words"),
    [
        (41_234_567, 3_100_000, "£41m"),
        (41_234_567, 310_000, "£41.2m"),
        (41_234_567, 120_000, "£41.23m"),
        (24_400_000, 12_000_000, "£24m"),
        (-1_234_000_000, 40_000_000, "\N{MINUS SIGN}£1.23bn"),
        (412_345, 3_000, "£412k"),
        (412_345, 0, "£412k"),
        (0, 0, "£0"),
        (float("nan"), 1, "\N{EN DASH}"),
    ],
)
def test_pounds_in_words(value: float, noise: float, words: str) -> None:
    assert amount(value, POUNDS, noise) == words


def test_both_ends_of_a_range_look_alike() -> None:
    assert amount(900_000, POUNDS, 200_000, like=1_500_000) == "£0.9m"
    assert amount(1234.5, "crimes", 30) == "1,230"
    assert amount(0.0523, "share", 0.004, points=True) == "5.2 points"
    assert amount(0.733, "£ per £", 0.05) == "£0.73"
    assert amount(-12_345, "hours", 300) == "\N{MINUS SIGN}12,300"
    assert amount(0.06, "times", 0.02) == "0.06"


@given(some.floats(-1e12, 1e12), some.floats(1e-3, 1e12))
def test_rounding_stays_within_the_noise(value: float, noise: float) -> None:
    shown = float(amount(value, "crimes", noise).replace(",", "").replace("\N{MINUS SIGN}", "-"))
    assert abs(shown - value) <= 0.5 * noise * (1 + 1e-9) + 1e-9 * abs(value)


def test_the_headline_word_for_word(tiny: Scenario) -> None:
    wobble = np.array([-1.0, 1.0, -1.0, 1.0]) * 1e6
    before = made_up(tiny, {Tally.COST_OF_CRIME: np.full(4, 1e9), Tally.TWIN_COST_OF_CRIME: np.full(4, 1.1e9)})
    after = made_up(tiny, {Tally.COST_OF_CRIME: 1e9 + 41e6 + wobble, Tally.TWIN_COST_OF_CRIME: 1.1e9 + 30e6 + wobble})
    over = np.zeros((2, 21, len(OUTCOMES)))
    over[1, :, list(OUTCOMES).index("cost_of_crime")] = np.linspace(10e6, 50e6, 21)
    sentence = against(before, after, ["cost_of_crime"], (over[0], over[1])).headline()
    assert sentence == (
        "Cost of crime, April 2011 to March 2014: after is £41.0m (4.10%) higher than before, 95% interval £39.2m to £42.8m; "
        "£30.0m of it through mainstream capacity and £11.0m through the partnership. "
        "Across 21 assumption sets: £12m to £48m (5\N{EN DASH}95%), same sign in 100%. Verdict: higher."
    )


def test_headlines_of_opposite_channels_identical_and_undefined_arms(tiny: Scenario) -> None:
    before = made_up(tiny, {Tally.COST_OF_CRIME: np.full(4, 1e9), Tally.TWIN_COST_OF_CRIME: np.full(4, 1.1e9)})
    wobble = np.array([-1.0, 1.0, -1.0, 1.0]) * 5e6
    after = made_up(tiny, {Tally.COST_OF_CRIME: 1e9 - 20e6 + wobble, Tally.TWIN_COST_OF_CRIME: 1.1e9 + 30e6 + wobble})
    words = against(before, after, ["cost_of_crime"]).headline()
    assert "after is £20m (2.0%) lower than before, 95% interval £11m to £29m;" in words
    assert "+£30m through mainstream capacity and \N{MINUS SIGN}£50m through the partnership" in words
    grant_only = made_up(tiny, {Tally.COST_OF_CRIME: 1e9 + 20e6 + wobble, Tally.TWIN_COST_OF_CRIME: np.full(4, 1.1e9)})
    assert "; all of it through the partnership." in against(before, grant_only, []).headline()
    tight = made_up(tiny, {Tally.COST_OF_CRIME: 1e9 + 0.8e6 + wobble / 10, Tally.TWIN_COST_OF_CRIME: np.full(4, 1.1e9)})
    assert "after is £0.8m (0.08%) higher than before, 95% interval \N{MINUS SIGN}£0.1m to £1.7m;" in against(before, tight, []).headline()
    assert against(before, before, []).headline().endswith("after and before are identical in all 4 runs.")
    asked = tiny.with_changes({"primary_outcome": "benefit_cost_ratio"})
    nothing_spent = made_up(asked, {Tally.COST_OF_CRIME: np.full(4, 1e9)})
    assert "nothing to divide by" in against(before, nothing_spent, []).headline()


# -------------------------------------------------------------------------------------------------------- whole runs


def test_the_table_has_its_columns_and_its_primary_outcome(found: Comparison) -> None:
    assert list(found.table.columns) == COLUMNS.split()
    assert sorted(found.table["outcome"]) == sorted(OUTCOMES)
    assert found.table.loc[found.table["role"] == "primary", "outcome"].tolist() == ["cost_of_crime"]
    assert found.table["replicates"].eq(12).all()
    row = found.finding("cut", "spend")
    assert row.verdict == "lower"
    assert row.difference == pytest.approx(found.paired("spend", "cut").mean())
    assert row.smallest_detectable == pytest.approx(2.8 * found.paired("spend").std(ddof=1) / 12**0.5)
    assert row.smallest_of_interest == pytest.approx(0.01 * row.baseline)
    assert (found.table["p_holm"] >= found.table["p_value"] - 1e-12)[~found.table["p_value"].isna()].all()


def test_the_split_adds_up(found: Comparison) -> None:
    whole = found.finding("cut", "cost_of_crime")
    through, by, together = (found.channel(part) for part in (MAINSTREAM, PARTNERSHIP, TOGETHER))
    assert through.difference + by.difference == pytest.approx(whole.difference, rel=1e-12)
    assert (together.difference, together.ci_low, together.ci_high) == (whole.difference, whole.ci_low, whole.ci_high)
    assert through.difference != 0
    assert by.ci_low < by.difference < by.ci_high
    assert found.split["part"].tolist() == [MAINSTREAM, PARTNERSHIP, TOGETHER]


def test_a_scenario_against_itself_is_identical_in_everything(tiny: Scenario) -> None:
    same = compare(tiny, tiny, replicates=3, assumption_sets=2, replicates_per_set=1)
    assert same.scenarios == ["tiny (2)"]
    assert set(same.table["verdict"]) <= {"identical", "not defined"}
    assert (same.table["verdict"] == "identical").sum() > len(OUTCOMES) / 2
    assert (same.table["difference"].dropna() == 0).all()
    assert (same.split["difference"] == 0).all()
    assert same.finding().same_sign_share == 1


def test_without_effects_nothing_is_averted_under_any_assumptions(tiny: Scenario, cut: Scenario) -> None:
    without = {"switches.effects": False}
    null = compare(tiny.with_changes(without), cut.with_changes(without), replicates=4, assumption_sets=4, replicates_per_set=1)
    row = null.finding(outcome="cost_averted")
    assert (row.baseline, row.value, row.difference, row.verdict) == (0, 0, 0, "identical")
    assert (null.over_sets[null.baseline][:, list(OUTCOMES).index("cost_averted")] == 0).all()
    assert null.channel(PARTNERSHIP).difference == 0


def test_shipped_scenarios_compare_by_name() -> None:
    named = compare("no-cuts", ["baseline", "null-no-effect"], replicates=2, assumption_sets=1, replicates_per_set=1)
    assert (named.baseline, named.scenarios) == ("no-cuts", ["baseline", "null-no-effect"])
    assert named.results["null-no-effect"].area("cost_averted").tolist() == [0, 0]
    assert named.question("baseline") == load_scenario("baseline").question
    assert named.headline("baseline").startswith("Cost of crime, April 2011 to March 2018: baseline is £")


def test_neither_threads_nor_other_scenarios_change_a_finding(tiny: Scenario, cut: Scenario, found: Comparison) -> None:
    again = compare(tiny, [tiny, cut], replicates=12, assumption_sets=5, replicates_per_set=2, threads=1)
    one, other = ([list(finding) for finding in c.findings if finding.scenario == "cut"] for c in (found, again))
    assert str(one) == str(other)


def test_fewer_outcomes_and_no_assumption_sets(tiny: Scenario, cut: Scenario) -> None:
    finished: list[int] = []
    few = compare(tiny, cut, replicates=9, assumption_sets=0, outcomes=["spend"], progress=finished.append)
    assert few.table["outcome"].tolist() == ["cost_of_crime", "spend"]
    assert few.table["assumptions_low"].isna().all()
    assert "assumption sets" not in few.headline()
    assert sum(finished) == comparison_runs(2, 9, 0, 4) == 18


def test_months_are_kept_for_the_first_runs_only(tiny: Scenario, cut: Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
    module = sys.modules[compare.__module__]  # the package gives the function, not the module, under this name
    monkeypatch.setattr(module, "MONTHS_KEPT", 2)
    kept = compare(tiny, cut, replicates=5, assumption_sets=0, months=True)
    plain = compare(tiny, cut, replicates=5, assumption_sets=0)
    assert kept.results["cut"].monthly_outcomes.shape[:2] == (2, 48)
    assert str(kept.findings) == str(plain.findings)


def test_the_same_sets_serve_scenarios_with_different_catalogues(tiny: Scenario, tmp_path: Path) -> None:
    path = tmp_path / "smaller.toml"
    text = tiny_world().replace('"police_strength"', '"police"')
    path.write_text(text[: text.index("[interventions.injury_data]")], encoding="utf-8")
    smaller = load_scenario(path)
    both = compare(tiny, smaller, replicates=2, assumption_sets=6, replicates_per_set=1)
    one, other = (both.assumption_sets[name].frame() for name in ("tiny", "smaller"))
    assert set(one.columns) - set(other.columns) == {"interventions.injury_data.effect"}
    assert (one[other.columns] == other).all(axis=None)


# ----------------------------------------------------------------------------------------------------------- precision


def test_replicates_double_until_the_interval_is_narrow_enough() -> None:
    asked: list[int] = []

    def reached(replicates: int) -> float:
        asked.append(replicates)
        return 1 / replicates**0.5

    assert replicates_needed(reached, 0.05) == (400, 0.05)
    assert asked == [100, 200, 400]
    assert replicates_needed(reached, 0.001, most=1000) == (1000, 1 / 1000**0.5)
    assert asked[-1] == 1000
    assert replicates_needed(lambda _: float("nan"), 0.1)[0] == 100


def test_the_interval_comes_from_fresh_replicates(tiny: Scenario, cut: Scenario) -> None:
    precise = compare(tiny, cut, precision=0.5, assumption_sets=0, outcomes=["cost_of_crime"])
    fresh = compare(tiny, cut, replicates=100, first_replicate=100, assumption_sets=0, outcomes=["cost_of_crime"])
    assert precise.results["cut"].first_replicate == 100
    assert str(precise.findings) == str(fresh.findings)
    assert "was reached with 100 replicates" in precise.notes[0]
    assert "numbers 100 to 199" in precise.notes[0]
    assert fresh.notes == []
    with pytest.raises(ValueError, match="precision"):
        compare(tiny, cut, precision=0.0)


# -------------------------------------------------------------------------------------------------------------- faults


def test_scenarios_over_other_months_or_places_are_refused(tiny: Scenario) -> None:
    with pytest.raises(CspsimError, match=r"time\.window_from is 2011-05, not 2011-04"):
        compare(tiny, tiny.with_changes({"time.window_from": "2011-05"}))
    with pytest.raises(CspsimError, match=r"time\.last_month is 2013-03, not 2014-03; time\.window_to is 2013-03"):
        compare(tiny, tiny.with_changes({"time.last_month": "2013-03"}))
    with pytest.raises(CspsimError, match="partnerships"):
        compare("baseline", tiny.with_changes({f"time.{key}": value for key, value in load_scenario("baseline").raw["time"].items()}))


def test_unknown_names_are_answered_with_the_nearest(tiny: Scenario, found: Comparison) -> None:
    with pytest.raises(CspsimError, match='did you mean "cost_of_crime"'):
        compare(tiny, tiny.with_changes({"primary_outcome": "cost_of_crimes"}))
    with pytest.raises(CspsimError, match='did you mean "spend"'):
        compare(tiny, tiny, outcomes=["spends"])
    with pytest.raises(CspsimError, match='did you mean "cut"'):
        found.headline("cuts")
    with pytest.raises(CspsimError, match="nothing to compare"):
        compare(tiny, [])
    with pytest.raises(ValueError, match="replicates is 0"):
        compare(tiny, tiny, replicates=0)


def test_a_comparison_needs_no_slow_imports() -> None:
    code = (
        "import sys, cspsim.comparing.comparison; print([m for m in ('pandas', 'scipy.stats', 'mesa', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
