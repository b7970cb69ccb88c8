"""Assumption sets: what is sampled, that names and nothing else decide the draws, and what they change in a world."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from worlds import tiny_world

from cspsim.model.uncertainties import Uncertainties
from cspsim.running.assumptions import Arm, latin_hypercube, run_assumption_sets, sample_assumptions, triangular_quantile, uncertain_numbers
from cspsim.running.rulebook import STANDARD
from cspsim.running.simulation import replicate_numbers, run_world
from cspsim.scenario.scenario import Scenario, load_scenario
from cspsim.scenario.world_building import build_world

SETS = 16


def loaded(folder: Path, text: str) -> Scenario:
    path = folder / "tiny.toml"
    path.write_text(text, encoding="utf-8")
    return load_scenario(path)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    return loaded(tmp_path_factory.mktemp("assumptions"), tiny_world())


def reordered(text: str) -> str:
    """The tiny world with its interventions in another order."""
    first, second = text.index("[interventions.hot_spots]"), text.index("[interventions.cctv]")
    third = text.index("[interventions.injury_data]")
    return text[:first] + text[second:third] + text[first:second] + text[third:]


# ------------------------------------------------------------------------------------------------------- distributions


@given(some.lists(some.floats(-10, 10), min_size=3, max_size=3), some.floats(0, 1), some.floats(0, 1))
def test_a_triangular_quantile_stays_in_range_and_rises(corners: list[float], one: float, other: float) -> None:
    low, mode, high = (np.array([value]) for value in sorted(corners))
    lower, upper = (triangular_quantile(np.array([u]), low, mode, high) for u in sorted((one, other)))
    assert low <= lower <= upper + 1e-9 <= high + 1e-9


def test_the_triangular_quantile_by_hand() -> None:
    low, mode, high = np.array([0.0, 0.0, 2.0, 5.0]), np.array([1.0, 0.0, 4.0, 5.0]), np.array([2.0, 1.0, 4.0, 5.0])
    assert triangular_quantile(np.full(4, 0.5), low, mode, high) == pytest.approx([1.0, 1 - 0.5**0.5, 2 + 2 * 0.5**0.5, 5.0])


def test_a_large_sample_has_the_mean_of_the_triangle() -> None:
    corners = [np.array([value]) for value in (1.0, 2.0, 6.0)]
    assert triangular_quantile(latin_hypercube(["x"], 2000, 1), *corners).mean() == pytest.approx(3.0, abs=0.005)


# ---------------------------------------------------------------------------------------------------- latin hypercube


@given(some.integers(1, 60), some.integers(0, 2**64 - 1))
def test_each_column_has_one_draw_in_each_stratum(sets: int, seed: int) -> None:
    quantiles = latin_hypercube(["harmony", "optimism", "reach"], sets, seed)
    for column in quantiles.T:
        assert sorted(np.floor(column * sets + 1e-9).astype(int)) == list(range(sets))


def test_draws_depend_on_names_alone() -> None:
    names = ["harmony", "optimism", "reach", "effect"]
    quantiles = dict(zip(names, latin_hypercube(names, SETS, 3).T, strict=True))
    others = ["effect", "new", "harmony", "reach", "optimism"]
    for name, column in zip(others, latin_hypercube(others, SETS, 3).T, strict=True):
        if name in quantiles:
            assert (column == quantiles[name]).all()
        assert all((column != quantiles[other]).any() for other in names if other != name)


def test_the_seed_matters_and_nothing_else_does() -> None:
    assert (latin_hypercube(["harmony"], SETS, 1) == latin_hypercube(["harmony"], SETS, 1)).all()
    assert (latin_hypercube(["harmony"], SETS, 1) != latin_hypercube(["harmony"], SETS, 2)).any()


# ----------------------------------------------------------------------------------------------------- what is sampled


def test_every_uncertainty_is_sampled_and_valuations_are_not(tiny: Scenario) -> None:
    names = [number.name for number in uncertain_numbers(tiny)]
    assert [name.removeprefix("uncertainties.") for name in names[: len(Uncertainties._fields)]] == list(Uncertainties._fields)
    assert {"interventions.cctv.effect", "crime_types.burglary.reporting", "crime_types.violence.police_elasticity"} <= set(names)
    assert not any("cost" in name or "severity" in name for name in names[len(Uncertainties._fields) :])
    assert "interventions.cctv.reach" not in names  # the tiny world gives it no range


def test_the_shipped_world_states_a_range_for_every_effect_and_reach() -> None:
    scenario = load_scenario("baseline")
    names = {number.name for number in uncertain_numbers(scenario)}
    assert {f"interventions.{name}.{part}" for name in scenario.data.interventions for part in ("effect", "reach")} <= names
    assert {"commissioner.effect", "commissioner.reach"} <= names


def test_values_stay_between_low_and_high(tiny: Scenario) -> None:
    sets = sample_assumptions(tiny, SETS, 1)
    low, high = (np.array([getattr(number, part) for number in sets.numbers]) for part in ("low", "high"))
    assert (sets.values >= low).all()
    assert (sets.values <= high).all()
    assert (sets.values.min(axis=0) < sets.values.max(axis=0)).sum() == (low < high).sum()


def test_a_scenarios_own_range_replaces_the_registers(tiny: Scenario) -> None:
    narrow = tiny.with_changes({"uncertainties.harmony": {"value": 2.0, "low": 1.9, "high": 2.1}})
    column = sample_assumptions(narrow, SETS, 1).frame()["uncertainties.harmony"]
    assert column.between(1.9, 2.1).all()
    shifted = tiny.with_changes({"uncertainties.harmony": 5.5})
    assert sample_assumptions(shifted, SETS, 1).frame()["uncertainties.harmony"].mean() > column.mean() + 1


def test_order_of_interventions_and_new_ones_move_nobody_elses_draws(tiny: Scenario, tmp_path: Path) -> None:
    before = sample_assumptions(tiny, SETS, 5).frame()
    extra = tiny_world().replace("[interventions.cctv]", "[interventions.more_cctv]")
    more = tiny_world() + extra[extra.index("[interventions.more_cctv]") : extra.index("[interventions.injury_data]")]
    for text in (reordered(tiny_world()), more):
        after = sample_assumptions(loaded(tmp_path, text), SETS, 5).frame()
        assert (after[before.columns] == before).all(axis=None)
    assert "interventions.more_cctv.effect" in after


def test_impossible_requests_are_refused(tiny: Scenario) -> None:
    with pytest.raises(ValueError, match="expected 1 or more"):
        sample_assumptions(tiny, 0, 1)
    with pytest.raises(ValueError, match="seed"):
        sample_assumptions(tiny, 1, -1)


# ----------------------------------------------------------------------------------------------------- what is changed


def test_a_world_under_a_set_is_the_world_of_a_scenario_that_states_its_values(tiny: Scenario) -> None:
    sets = sample_assumptions(tiny, 3, 2)
    applied = sets.apply(build_world(tiny.data), 1)
    stated = build_world(
        tiny.with_changes({f"{number.name}.value": value for number, value in zip(sets.numbers, sets.values[1], strict=True)}).data
    )
    for field, array in applied._asdict().items():
        expected = getattr(stated, field)
        if isinstance(array, np.ndarray):
            np.testing.assert_allclose(array, expected, rtol=1e-12, err_msg=field)
        elif isinstance(array, float):
            assert array == pytest.approx(expected), field
    assert applied.uncertainties == pytest.approx(stated.uncertainties)


def test_the_world_itself_stays_as_it_was_and_recorded_crime_is_kept(tiny: Scenario) -> None:
    world, untouched = build_world(tiny.data), build_world(tiny.data)
    worlds = list(sample_assumptions(tiny, 4, 1).worlds(world))
    for field in ("effect", "base", "reporting", "targeted"):
        assert (getattr(world, field) == getattr(untouched, field)).all()
    assert world.uncertainties == untouched.uncertainties
    for applied in worlds:
        assert applied.base != pytest.approx(world.base, rel=1e-6)
        recorded = world.base * world.reporting * world.recording
        assert applied.base * applied.reporting * applied.recording == pytest.approx(recorded)


def test_a_world_of_another_scenario_is_refused(tiny: Scenario, tmp_path: Path) -> None:
    other = build_world(loaded(tmp_path, reordered(tiny_world())).data)
    with pytest.raises(ValueError, match="other interventions"):
        sample_assumptions(tiny, 1, 1).apply(other, 0)


def test_runs_of_sets_are_runs_of_their_worlds_on_disjoint_replicates(tiny: Scenario) -> None:
    world, sets = build_world(tiny.data), sample_assumptions(tiny, 3, 1)
    finished: list[int] = []
    tallies = run_assumption_sets(
        [Arm(world, sets, STANDARD), Arm(world, sets, STANDARD)], 2, seed=1, first_replicate=5, threads=2, progress=finished.append
    )
    assert sum(finished) == 12
    for k in range(3):
        expected, _, _ = run_world(sets.apply(world, k), STANDARD, replicate_numbers(2, 5 + 2 * k), 1, threads=1)
        np.testing.assert_array_equal(tallies[0][k], expected)
        np.testing.assert_array_equal(tallies[1][k], expected)
