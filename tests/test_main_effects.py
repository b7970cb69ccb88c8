"""Levers: effects by hand, what adds up, luck taken out, and regressions that say how much they do not explain."""

from itertools import product
from typing import Any

import numpy as np
import pytest
from arrays_as_results import ArraysAsResults
from hypothesis import given
from hypothesis import strategies as some

from cspsim.analysis.main_effects import INTERACTION, LEVEL, MAIN, LeverEffect, lever_effects, lever_shares
from cspsim.analysis.regression import feature_scores, regression_of
from cspsim.analysis.sensitivity_tables import lever_shares_table, lever_table, regression_table
from cspsim.analysis.swept import levers_of_sweep, regressions_of_sweep, sobol_of_sweep
from cspsim.basics.errors import CspsimError
from cspsim.model.parameters import Floats

LEVERS = ["grant", "ethos"]
SQUARE = np.array(list(product([0.5, 1.0], [0.0, 1.0])))


def only(found: list[LeverEffect], **wanted: Any) -> LeverEffect:
    (one,) = [effect for effect in found if all(getattr(effect, key) == value for key, value in wanted.items())]
    return one


def test_a_two_by_two_by_hand() -> None:
    # effects against the baseline in three replicates; rows: (.5, 0) (.5, 1) (1, 0) (1, 1)
    effects = np.array([[0.0, 1, 2], [4, 5, 6], [10, 10, 10], [18, 20, 22]])[:, None]
    found = lever_effects(effects, SQUARE, LEVERS)
    assert only(found, kind=LEVEL, lever="grant", level=0.5).effect == pytest.approx(3)  # (1 + 5) / 2
    main = only(found, kind=MAIN, lever="grant")
    assert main.effect == pytest.approx(15 - 3)
    # by replicate: 14 - 2, 15 - 3, 16 - 4: no spread at all
    assert (main.ci_low, main.ci_high) == (pytest.approx(12), pytest.approx(12))
    together = only(found, kind=INTERACTION)
    assert together.effect == pytest.approx((20 - 10) - (5 - 1))
    # by replicate (8 10 12) - (4 4 4) = 4 6 8: s = 2, standard error 1.154701, t with 2 degrees of freedom 4.302653
    assert together.ci_high - together.effect == pytest.approx(4.302653 * 1.154701, rel=1e-5)
    assert (together.lever, together.level, together.other_lever, together.other_level) == ("grant", 1.0, "ethos", 1.0)
    assert np.isnan(main.assumptions_low)


def test_range_over_assumptions_is_not_the_interval() -> None:
    draw = np.random.default_rng(1)
    by_set = np.array([2.0, -1, 1, 3, 4])  # what the grant does: the best guess says 2
    effects = SQUARE[:, 0][:, None, None] * 2 * by_set[None, :, None] + 0.01 * draw.normal(size=(4, 5, 8))
    main = only(lever_effects(effects, SQUARE, LEVERS), kind=MAIN, lever="grant")
    assert main.effect == pytest.approx(2, abs=0.05)
    assert main.ci_high - main.ci_low < 0.1
    assert main.assumptions_low == pytest.approx(np.quantile(by_set[1:], 0.05), abs=0.05)
    assert main.same_sign_share == 0.75
    means = only(lever_effects(effects, SQUARE, LEVERS, best_guess=False), kind=MAIN, lever="grant")
    assert means.effect == pytest.approx(by_set.mean(), abs=0.05)


def test_several_levels_and_holm_by_kind() -> None:
    settings = np.array(list(product([1.0, 2, 3], [0.0, 1], [0.0, 1])))
    effects = (settings[:, 0] ** 2)[:, None, None] + np.random.default_rng(2).normal(size=(12, 1, 20))
    found = lever_effects(effects, settings, ["a", "b", "c"])
    kinds = [effect.kind for effect in found]
    assert (kinds.count(LEVEL), kinds.count(MAIN), kinds.count(INTERACTION)) == (7, 4, 2 + 2 + 1)
    assert only(found, kind=MAIN, lever="a", level=3.0).effect == pytest.approx(8, abs=1)
    assert only(found, kind=MAIN, lever="a", level=3.0).p_holm < 1e-6
    assert all(effect.p_holm >= effect.p_value for effect in found)
    looks = sorted((effect.p_value, effect.p_holm) for effect in found if effect.kind == INTERACTION)
    assert looks[0][1] == pytest.approx(min(1, 5 * looks[0][0]))
    assert min(effect.p_holm for effect in found if effect.kind == INTERACTION) > 0.05


def test_a_failed_run_takes_its_replicate_along() -> None:
    effects = np.arange(12.0).reshape(4, 1, 3)
    effects[2, 0, 1] = np.nan
    found = lever_effects(effects, SQUARE, LEVERS)
    assert {effect.replicates for effect in found} == {2}
    assert only(found, kind=MAIN, lever="grant").effect == pytest.approx(6)


def test_levers_that_were_not_crossed_are_refused() -> None:
    with pytest.raises(CspsimError, match="3 of 4 combinations of levels were run"):
        lever_effects(np.zeros((3, 1, 2)), SQUARE[:3], LEVERS)
    with pytest.raises(CspsimError, match="not all equally often"):
        lever_shares(np.zeros((5, 2)), SQUARE[[0, 0, 1, 2, 3]], LEVERS)


@given(some.lists(some.floats(-5, 5), min_size=12, max_size=12), some.floats(0.01, 100))
def test_shares_add_up_to_one(values: list[float], scale: float) -> None:
    settings = np.array(list(product([1.0, 2, 3], [0.0, 1], [0.0, 1])))
    outcome = scale * np.array(values)[:, None]
    names, shares = lever_shares(outcome, settings, ["a", "b", "c"])
    assert names[-1] == "higher orders"
    assert len(names) == 3 + 3 + 1
    if np.ptp(outcome) > 1e-6:
        assert shares.value.sum() == pytest.approx(1)
        assert (shares.value >= -1e-9).all()


def test_shares_without_luck() -> None:
    # a main effect of 2 x grant and an interaction: variances 1 and 1 (both contrasts are +-1), nothing else
    signs = SQUARE * [4, 2] - [3, 1]
    clean = signs[:, 0] + signs[:, 0] * signs[:, 1]
    noisy = clean[:, None] + 2 * np.random.default_rng(3).normal(size=(4, 40)) + 50 * np.random.default_rng(4).normal(size=40)
    names, shares = lever_shares(noisy, SQUARE, LEVERS)
    assert names == ["grant", "ethos", "grant x ethos"]
    assert (shares.low <= [0.5, 0, 0.5]).all()
    assert (shares.high >= [0.5, 0, 0.5]).all()
    assert shares.high[0] - shares.low[0] < 1


# --------------------------------------------------------------------------------------------------------- regression


def points(count: int = 300, factors: int = 3) -> Floats:
    return np.random.default_rng(7).random((count, factors))


def test_planted_coefficients_come_back() -> None:
    sample = points()
    unit = (sample - sample.mean(axis=0)) / sample.std(axis=0)
    clean = 3 * unit[:, 0] - unit[:, 1] + 2 * unit[:, 0] * unit[:, 1]
    values = clean[:, None] + np.random.default_rng(8).normal(size=(300, 4))
    found = regression_of(values, sample, ["a", "b", "c"])
    assert found.terms == [("a", ""), ("b", ""), ("c", ""), ("a", "b"), ("a", "c"), ("b", "c")]
    truth = [3, -1, 0, 2, 0, 0]
    assert (found.coefficients.low < truth).all()
    assert (found.coefficients.high > truth).all()
    assert (found.coefficients.high - found.coefficients.low < 0.6).all()
    alone = [regression_of(values[:, [r]], sample, ["a", "b", "c"]).coefficients.value for r in range(4)]
    np.testing.assert_allclose(found.coefficients.seed_error, np.std(alone, axis=0, ddof=1) / 2)
    assert found.held_out < found.explained < found.reachable + 0.02
    assert found.reachable == pytest.approx(1 - 0.25 / 14.25, abs=0.02)
    assert found.standardised[0] == pytest.approx(3 / np.sqrt(14.25), abs=0.1)


def test_held_out_is_what_leaving_one_out_gives() -> None:
    sample = points(30, 2)
    values = (sample[:, 0] ** 2 + np.random.default_rng(1).normal(size=30))[:, None]
    by_hand, mean_by_hand = 0.0, 0.0
    for k in range(30):
        rest = np.delete(np.arange(30), k)
        matrix = np.column_stack([np.ones(30), sample])
        coefficients = np.linalg.lstsq(matrix[rest], values[rest, 0])[0]
        by_hand += (values[k, 0] - matrix[k] @ coefficients) ** 2
        mean_by_hand += (values[k, 0] - values[rest, 0].mean()) ** 2
    assert regression_of(values, sample, ["a", "b"], interactions=False).held_out == pytest.approx(1 - by_hand / mean_by_hand)


def test_too_few_points_leave_interactions_out_or_refuse() -> None:
    assert all(not other for _, other in regression_of(np.random.default_rng(1).random((20, 1)), points(20), ["a", "b", "c"]).terms)
    with pytest.raises(CspsimError, match="4 complete points for 4 terms"):
        regression_of(np.zeros((4, 1)), points(4), ["a", "b", "c"])


def test_trees_find_what_a_line_cannot() -> None:
    sample = points(400)
    values = ((sample[:, 1] - 0.5) ** 2)[:, None]
    assert regression_of(values, sample, ["a", "b", "c"], interactions=False).held_out < 0.1
    found = feature_scores(values, sample, ["a", "b", "c"])
    assert found.held_out > 0.6
    assert found.scores.argmax() == 1
    assert found.scores.sum() == pytest.approx(1)
    nothing = feature_scores(np.random.default_rng(3).random((400, 1)), sample, ["a", "b", "c"])
    assert nothing.held_out < 0.1  # scores of noise add up to 1, too: read this first
    with pytest.raises(CspsimError, match="8 complete points"):
        feature_scores(values[:8], sample[:8], ["a", "b", "c"])


# -------------------------------------------------------------------------------------------------- through a sweep


def test_levers_of_a_sweep() -> None:
    values = np.concatenate([np.full((2, 1, 3), 100.0), 100 + np.array([0.0, 4, 10, 20])[:, None, None] + np.zeros((4, 1, 3))])
    values += np.array([0.0, 5, -5])  # luck that all policies share and that pairing takes away
    designs = {"levers": {"kind": "full-factorial", "names": LEVERS, "first": 2}, "uncertainties": {"kind": "none", "first": 1}}
    results = ArraysAsResults({"harm": values}, designs, levers=SQUARE)
    found = levers_of_sweep(results, ["harm"])  # type: ignore[arg-type] # looks like results
    table = lever_table(found).set_index(["kind", "lever", "level"])
    assert table.loc[(MAIN, "grant", 1.0), "effect"] == pytest.approx(13)
    assert table.loc[(MAIN, "grant", 1.0), "ci_high"] == pytest.approx(13)
    assert lever_shares_table(found)["share"].sum() == pytest.approx(1)
    with pytest.raises(CspsimError, match="the design of levers is full-factorial: this analysis needs saltelli"):
        sobol_of_sweep(results, ["harm"], "levers")  # type: ignore[arg-type]


def test_regression_of_a_sweep() -> None:
    sample = points(60, 2)
    values = np.concatenate([np.zeros((1, 1, 2)), 7 * sample[:, :1, None] + np.zeros((60, 1, 2))])
    results = ArraysAsResults({"harm": values}, {"levers": {"kind": "latin-hypercube", "names": LEVERS, "first": 1}}, levers=sample)
    table = regression_table(regressions_of_sweep(results, ["harm"]))  # type: ignore[arg-type]
    assert table["coefficient"].to_numpy()[:3] == pytest.approx([7 * sample[:, 0].std(), 0, 0], abs=1e-9)
    assert table["regression_held_out"].iloc[0] == pytest.approx(1)
    assert table["tree_score"].iloc[0] > 0.9
