"""Regret, ranks, flip points and the assumption x policy table, against figures worked by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cspsim.analysis.robustness import robustness, two_by_two
from cspsim.analysis.turning_points import lead_words, leader, regression, turning_points
from cspsim.basics.errors import CspsimError

# three policies in four worlds, no luck
GAINS = np.array([[10.0, 10.0, 10.0, 10.0], [12.0, 14.0, 9.0, 10.0], [8.0, 15.0, 4.0, 10.0]])[:, :, None]


class TestByHand:
    def test_regret_is_what_the_best_policy_would_have_added(self) -> None:
        # best: 12 15 10 10; regrets of policy 0: 2 5 0 0, of 1: 0 1 1 0, of 2: 4 0 6 0
        found = robustness(GAINS)
        assert found.mean_regret.value == pytest.approx([7 / 4, 2 / 4, 10 / 4])
        assert found.worst_regret.value == pytest.approx([5, 1, 6])
        assert found.high_regret.value[0] == pytest.approx(np.quantile([2, 5, 0, 0], 0.9))

    def test_shares_of_the_best_add_up_and_ties_are_shared_out(self) -> None:
        # world 0: policy 1; world 1: policy 2; world 2: policy 0; world 3: all three
        assert robustness(GAINS).best_share.value == pytest.approx([(1 + 1 / 3) / 4] * 3)

    def test_the_worst_gain_is_over_the_first_policy(self) -> None:
        assert robustness(GAINS).worst.value == pytest.approx([0, -1, -6])

    def test_one_replicate_leaves_no_interval(self) -> None:
        found = robustness(GAINS)
        assert np.isnan(found.mean_regret.low).all()
        assert np.isnan(found.clear_share)

    def test_a_set_in_which_a_run_failed_is_left_out(self) -> None:
        gains = GAINS.copy()
        gains[2, 1] = np.nan
        assert robustness(gains).sets == 3
        assert robustness(gains).mean_regret.value == pytest.approx([2 / 3, 1 / 3, 10 / 3])
        with pytest.raises(CspsimError, match="in no assumption set"):
            robustness(np.full((2, 3, 1), np.nan))

    def test_luck_that_moves_all_policies_alike_leaves_no_doubt(self) -> None:
        shared = GAINS + np.random.default_rng(1).normal(0, 100, (1, 4, 12))
        found = robustness(shared)
        assert found.mean_regret.value == pytest.approx([7 / 4, 2 / 4, 10 / 4])
        assert found.mean_regret.high - found.mean_regret.low == pytest.approx(0, abs=1e-9)
        assert found.clear_share == pytest.approx(3 / 4)  # in the fourth world all are the same

    def test_own_luck_widens_the_interval_and_hides_the_leader(self) -> None:
        noisy = GAINS + np.random.default_rng(1).normal(0, 100, (3, 4, 12))
        found = robustness(noisy)
        assert (found.mean_regret.high - found.mean_regret.low > 5).all()
        assert found.clear_share < 0.5
        assert (found.mean_regret.low >= 0).all()
        assert (found.best_share.high <= 1).all()

    def test_the_interval_of_a_mean_regret_has_the_spread_of_the_mean(self) -> None:
        """Two policies, one world: regret of the loser is their difference, so its error is that of a paired mean."""
        generator = np.random.default_rng(4)
        differences = 50 + generator.normal(0, 3, 30)
        found = robustness(np.stack([np.zeros(30), differences])[:, None], draws=4000)
        half = 2.0452 * differences.std(ddof=1) / 30**0.5  # t with 29 degrees of freedom
        assert found.mean_regret.value[0] == pytest.approx(differences.mean())
        assert (found.mean_regret.high - found.mean_regret.low)[0] / 2 == pytest.approx(half, rel=0.06)


@settings(max_examples=50, deadline=None)
@given(arrays(float, (3, 5, 2), elements=st.floats(-1e6, 1e6)), st.permutations(range(3)), st.floats(-1e6, 1e6))
def test_regret_is_never_negative_and_knows_no_order(gains: np.ndarray, order: list[int], shift: float) -> None:
    found = robustness(gains, draws=2)
    assert (found.mean_regret.value >= 0).all()
    assert found.best_share.value.sum() == pytest.approx(1)
    assert robustness(gains[order], draws=2).mean_regret.value == pytest.approx(found.mean_regret.value[order])
    assert robustness(gains + shift, draws=2).worst_regret.value == pytest.approx(found.worst_regret.value, abs=1e-6)


class TestTurningPoints:
    VALUES = np.random.default_rng(7).random((500, 3))
    NAMES = ("uncertainties.turning", "uncertainties.moving", "uncertainties.idle")

    def lead(self, noise: float) -> np.ndarray:
        """The first policy is ahead where number 0 is above 0.4; number 1 moves the lead and never turns it by itself."""
        noisy = np.random.default_rng(8).normal(0, noise, 500)
        return 10 * (self.VALUES[:, 0] - 0.4) + 1.0 * (self.VALUES[:, 1] - 0.5) + noisy

    def test_a_flip_is_found_where_it_was_planted(self) -> None:
        first, *others = turning_points(self.VALUES, self.NAMES, self.lead(1.0))
        assert first.name == self.NAMES[0]
        assert first.low < 0.4 < first.high
        assert first.at == pytest.approx(0.4, abs=0.04)
        assert first.high - first.low < 0.12
        assert first.above == 1
        assert first.returns == 1
        assert all(np.isnan(turn.at) for turn in others)

    def test_the_other_way_round_it_turns_the_other_way(self) -> None:
        turn = turning_points(self.VALUES, self.NAMES, -self.lead(1.0))[0]
        assert turn.above == -1
        assert turn.at == pytest.approx(0.4, abs=0.04)

    def test_what_luck_drowns_is_no_flip(self) -> None:
        assert all(np.isnan(turn.at) for turn in turning_points(self.VALUES, self.NAMES, self.lead(200.0)))

    @pytest.mark.parametrize("seed", range(6))
    def test_a_lead_on_one_side_and_none_on_the_other_is_no_flip(self, seed: int) -> None:
        """Below the middle both policies do the same: there the curve wavers around zero, and crosses it by luck alone."""
        values = self.VALUES[:, :1]
        lead = 5 * np.maximum(values[:, 0] - 0.5, 0) + np.random.default_rng(seed).normal(0, 1, 500)
        assert np.isnan(turning_points(values, self.NAMES[:1], lead)[0].at)

    def test_a_lead_that_never_changes_sign_has_no_flip_inside_the_range(self) -> None:
        turn = turning_points(self.VALUES, self.NAMES, self.lead(1.0) + 100)[0]
        assert np.isnan(turn.at)
        assert leader(turn, "grant", "baseline") == "grant"
        assert lead_words(turn, "grant", "baseline") == "no flip inside its range: grant does better wherever the curve is certain"

    def test_a_flip_in_words(self) -> None:
        turn = turning_points(self.VALUES, self.NAMES, self.lead(1.0))[0]._replace(at=0.4, low=0.375, high=0.42)
        assert lead_words(turn, "grant", "baseline") == "below 0.4 (0.375 to 0.42) baseline does better, above it grant does"

    def test_sets_that_go_together_count_as_one(self) -> None:
        """Every set ten times over is no more knowledge: with groups the error stays, without them it would shrink."""
        values, lead = np.repeat(self.VALUES, 10, axis=0), np.repeat(self.lead(1.0), 10)
        groups = np.repeat(np.arange(500), 10)
        once = turning_points(self.VALUES, self.NAMES, self.lead(1.0))[0]
        together = turning_points(values, self.NAMES, lead, groups)[0]
        apart = turning_points(values, self.NAMES, lead)[0]
        assert together.error == pytest.approx(once.error, rel=0.02)
        assert apart.error.mean() < 0.4 * once.error.mean()

    def test_what_does_not_vary_is_left_out(self) -> None:
        values = np.column_stack([self.VALUES[:, 0], np.ones(500)])
        assert [turn.name for turn in turning_points(values, self.NAMES[:2], self.lead(1.0))] == [self.NAMES[0]]

    def test_few_levels_get_a_straight_line(self) -> None:
        levels = np.round(self.VALUES[:, :1] * 3) / 3
        turn = turning_points(levels, self.NAMES[:1], 10 * (levels[:, 0] - 0.4) + np.random.default_rng(1).normal(0, 0.5, 500))[0]
        assert turn.at == pytest.approx(0.4, abs=0.03)
        assert np.diff(turn.curve, n=2) == pytest.approx(0, abs=1e-9)


class TestTwoByTwo:
    def test_cells_and_interaction_by_hand(self) -> None:
        # low half: off 10 20, on 11 22; high half: off 30 40, on 36 48: effects 1 2 and 6 8, interaction 7 - 1.5
        off, on = np.array([10.0, 20.0, 30.0, 40.0]), np.array([11.0, 22.0, 36.0, 48.0])
        (table,) = two_by_two(np.array([[1.0], [2.0], [3.0], [4.0]]), ["uncertainties.x"], off, on)
        assert table.split == 2.5
        assert table.cells.tolist() == [[15, 16.5], [35, 42]]
        assert table.interaction == pytest.approx(5.5)
        # robust error: each half's squared deviations (0.25 + 0.25, 1 + 1) over 2 squared, with n / (n - k) = 2; t(2) at 97.5 % is 4.3027
        error = (2 * (0.5 / 4 + 2 / 4)) ** 0.5
        assert (table.high - table.low) / 2 == pytest.approx(4.3027 * error, rel=1e-4)

    def test_what_both_halves_share_is_no_interaction(self) -> None:
        values = np.random.default_rng(1).random((40, 2))
        off = np.random.default_rng(2).normal(0, 1000, 40)
        for table in two_by_two(values, ["a.x", "a.y"], off, off + 5):
            assert table.interaction == pytest.approx(0, abs=1e-9)
            assert table.p_value > 0.05

    def test_the_assumption_that_matters_comes_first_and_holm_counts_the_looks(self) -> None:
        values = np.random.default_rng(1).random((200, 10))
        on = 3.0 * (values[:, 4] > np.median(values[:, 4])) + np.random.default_rng(2).normal(0, 1, 200)
        tables = two_by_two(values, [f"a.{k}" for k in range(10)], np.zeros(200), on)
        assert tables[0].name == "a.4"
        assert tables[0].low < 3 < tables[0].high
        assert tables[0].p_holm == pytest.approx(10 * tables[0].p_value)
        assert all(table.p_holm >= table.p_value for table in tables)

    def test_an_assumption_without_two_halves_is_left_out(self) -> None:
        assert two_by_two(np.ones((9, 1)), ["a.x"], np.zeros(9), np.arange(9.0)) == []


def test_the_regression_is_least_squares() -> None:
    basis = np.column_stack([np.ones(5), np.arange(5.0)])
    weights, covariance = regression(basis, 3 + 2 * np.arange(5.0), np.arange(5))
    assert weights == pytest.approx([3, 2])
    assert covariance == pytest.approx(np.zeros((2, 2)), abs=1e-12)
