"""Scenario discovery finds a box that was planted, and says so when there is nothing to find."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cspsim.analysis import boxes
from cspsim.analysis.assumption_sections import failure_in_words
from cspsim.analysis.boxes import Condition, factor_title
from cspsim.analysis.discovery import Discovery, FailureQuestion, PolicyFailure, discover, failure_question, tree_in_words
from cspsim.analysis.sampled_sets import MOST_ASSUMPTIONS, MOST_ROWS, Sample, considered_rows, folds_of
from cspsim.model.parameters import Floats

NAMES = [f"uncertainties.number_{k}" for k in range(5)]


def planted(sets: int, seed: int = 3) -> tuple[Floats, np.ndarray]:
    """Failures where number 0 is above 0.6 and number 1 below 0.5, with one failure in ten elsewhere and one miss in ten inside."""
    generator = np.random.default_rng(seed)
    values = generator.random((sets, len(NAMES)))
    inside = (values[:, 0] > 0.6) & (values[:, 1] < 0.5)
    return values, np.where(inside, generator.random(sets) < 0.9, generator.random(sets) < 0.1)


@pytest.fixture(scope="module")
def found() -> Discovery:
    return discover(*(lambda values, cases: (values, NAMES, cases))(*planted(300)))


class TestPlantedBox:
    def test_is_recovered_with_its_limits(self, found: Discovery) -> None:
        sides = {side.condition.name: side.condition for side in found.found[0].restrictions}
        assert set(sides) == {NAMES[0], NAMES[1]}
        assert sides[NAMES[0]].low == pytest.approx(0.6, abs=0.1)
        assert sides[NAMES[1]].high == pytest.approx(0.5, abs=0.1)

    def test_is_as_dense_in_sets_it_was_not_sought_in_as_it_was_planted(self, found: Discovery) -> None:
        box = found.found[0]
        assert box.held_out_density == pytest.approx(0.9, abs=0.1)
        assert box.base_rate == pytest.approx(0.1 + 0.2 * 0.8, abs=0.06)
        assert box.p_value < 1e-6
        # of all failures 0.2 x 0.9 are inside and 0.8 x 0.1 outside
        assert box.coverage == pytest.approx(0.18 / 0.26, abs=0.1)

    def test_restrictions_are_certain_and_stable(self, found: Discovery) -> None:
        for side in found.found[0].restrictions:
            assert side.quasi_p < 1e-3
            assert side.stability >= 0.8

    def test_a_second_box_is_sought_among_the_rest_and_not_found(self, found: Discovery) -> None:
        assert len(found.boxes) == 2
        assert len(found.found) == 1
        assert found.boxes[1].base_rate < found.base_rate

    def test_coverage_falls_and_density_rises_along_the_trajectory(self, found: Discovery) -> None:
        steps = found.boxes[0].trajectory
        assert steps[0].coverage == 1
        assert steps[0].density == pytest.approx(found.base_rate)
        chosen = steps[found.boxes[0].chosen]
        assert chosen.density > 2 * found.base_rate
        lifts = [step.mass * (step.density - found.base_rate) for step in steps]
        assert lifts[found.boxes[0].chosen] > 0.8 * max(lifts)

    def test_the_tree_finds_the_same_and_says_it_in_words(self, found: Discovery) -> None:
        tree = found.tree
        assert tree is not None
        assert tree.found
        assert tree.skill > 0.3
        assert {condition.name for condition in tree.leaves[0].conditions} == {NAMES[0], NAMES[1]}
        assert sum(leaf.sets for leaf in tree.leaves) == 300
        assert tree_in_words(tree).startswith(f"{100 * tree.leaves[0].share:.0f}% of {tree.leaves[0].sets} sets with number 0 above 0.")

    def test_two_planted_boxes_are_both_found(self) -> None:
        values = np.random.default_rng(1).random((300, 2))
        cases = ((values[:, 0] > 0.8) | (values[:, 1] < 0.2)) & (np.random.default_rng(2).random(300) < 0.95)
        both = discover(values, NAMES[:2], cases)
        sides = [{side.condition.name for side in box.restrictions} for box in both.found]
        assert sorted(sides, key=sorted) == [{NAMES[0]}, {NAMES[1]}]

    def test_the_same_question_gives_the_same_answer(self) -> None:
        values, cases = planted(100)
        assert str(discover(values[:, :2], NAMES[:2], cases, seed=5)) == str(discover(values[:, :2], NAMES[:2], cases, seed=5))

    def test_many_assumptions_are_chosen_from_by_feature_scores(self) -> None:
        values, cases = planted(200)
        more = np.hstack([np.random.default_rng(9).random((200, 9)), values])
        names = [f"uncertainties.other_{k}" for k in range(9)] + NAMES
        discovered = discover(more, names, cases)
        assert len(discovered.considered) == MOST_ASSUMPTIONS
        assert {NAMES[0], NAMES[1]} <= set(discovered.considered)
        assert discovered.sampled == 14
        assert {side.condition.name for side in discovered.found[0].restrictions} <= {NAMES[0], NAMES[1]}


class TestNothingFound:
    @pytest.mark.parametrize("seed", range(2))
    def test_pure_noise_has_no_box_and_no_tree_although_prim_always_draws_one(self, seed: int) -> None:
        generator = np.random.default_rng(seed)
        noise = discover(generator.random((150, 4)), NAMES[:4], generator.random(150) < 0.3, seed=seed)
        assert not noise.found
        assert noise.tree is not None
        assert not noise.tree.found
        box = noise.boxes[0]
        assert box.trajectory[-1].density > noise.base_rate + 0.08  # in sample even noise looks like something
        assert box.held_out_density < noise.base_rate + 0.08

    def test_too_few_failures_are_not_looked_into(self) -> None:
        cases = np.zeros(200, dtype=np.bool_)
        cases[:3] = True
        few = discover(np.random.default_rng(1).random((200, 2)), NAMES[:2], cases)
        assert few.boxes == ()
        assert few.tree is None
        assert few.why_not.startswith("fails in 3 of 200 sets: too few")

    def test_without_varied_assumptions_there_is_nothing_to_ask(self) -> None:
        assert discover(np.ones((50, 2)), NAMES[:2], np.arange(50) % 2 == 0).why_not == "no assumption was varied"


class TestQuestion:
    def test_failing_is_being_no_better_than_the_baseline(self) -> None:
        asked = failure_question(np.array([*[-1.0] * 60, *[0.0] * 20, *[1.0] * 20]), better=-1)
        assert asked.cases.sum() == 40  # what changes nothing is no better either
        assert asked.words == "is no better than the baseline"
        assert failure_question(np.array([*[-1.0] * 60, *[0.0] * 20, *[1.0] * 20]), better=1).cases.sum() == 80

    def test_where_it_never_fails_its_worst_quarter_is_asked_about(self) -> None:
        asked = failure_question(-np.arange(1.0, 101.0), better=-1)
        assert asked.words == "is among its worst quarter of sets"
        assert asked.cases.sum() == 25
        assert asked.cases[:25].all()  # the smallest falls of what should fall

    def test_without_a_good_direction_the_usual_sign_counts(self) -> None:
        asked = failure_question(np.array([*[2.0] * 70, *[-1.0] * 30]), better=0)
        assert asked.cases.tolist() == [False] * 70 + [True] * 30
        assert asked.words == "has the other sign than usually"


class TestSamples:
    def test_groups_stay_together_in_folds(self) -> None:
        groups = np.repeat(np.arange(40), 5)
        cases = np.random.default_rng(1).random(200) < 0.4
        judged = []
        for learn, judge in folds_of(Sample(np.zeros((200, 1)), NAMES[:1], cases, groups, 1)):
            assert not set(groups[learn]) & set(groups[judge])
            judged += judge.tolist()
        assert sorted(judged) == list(range(200))

    @given(st.integers(1, 9), st.integers(1, 700))
    def test_thinning_keeps_whole_groups_and_no_more_than_it_may(self, size: int, count: int) -> None:
        groups = np.repeat(np.arange(count), size)
        rows = considered_rows(groups, 1)
        assert len(rows) <= MOST_ROWS
        assert (np.diff(rows) > 0).all()
        assert all((groups[rows] == group).sum() == size for group in np.unique(groups[rows]))
        assert len(rows) > min(len(groups), MOST_ROWS) - size

    def test_conditions_in_words(self) -> None:
        assert Condition("interventions.cctv.effect", 0.25, np.nan).words == "cctv effect above 0.25"
        assert Condition("uncertainties.harmony", np.nan, 0.5).words == "harmony at most 0.5"
        assert Condition("uncertainties.harmony", 0.125, 0.5).words == "harmony between 0.125 and 0.5"
        assert factor_title("harmony") == "harmony"


def test_without_prim_the_tree_is_grown_and_the_reader_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """PRIM comes in an extra of its own, so an analysis does without it."""
    monkeypatch.setattr(boxes, "find_spec", lambda name: None)
    values, cases = planted(300)
    discovery = discover(values, NAMES, cases)
    assert discovery.boxes == discovery.found == ()
    assert discovery.tree is not None
    assert discovery.tree.found
    first, tree = failure_in_words("half", PolicyFailure(FailureQuestion(cases, "fails", 0.0), discovery, np.nan))
    assert 'pip install "cspsim[discovery]"' in first
    assert tree.startswith("A tree predicts it")
