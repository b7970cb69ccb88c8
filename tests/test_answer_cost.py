"""Cost of an answer: by hand, against simulation, and the best allocation against trying all of them."""

import numpy as np
import pytest
from arrays_as_results import ArraysAsResults
from hypothesis import given
from hypothesis import strategies as some

from cspsim.analysis.answer_cost import (
    Components,
    allocation,
    answer_cost,
    cost_table,
    smallest_of_interest,
    variance_components,
)


def test_replicates_needed_by_hand() -> None:
    # differences 1 2 3 4 5: s = sqrt(2.5); (2.8 / .5)^2 x 2.5 = 78.4
    before = np.array([10.0, 30, 20, 50, 40])
    cost = answer_cost(before, before + np.arange(1, 6), 0.5, seconds_per_run=0.01)
    assert cost.replicates == 79
    assert cost.difference == 3
    assert cost.seconds == pytest.approx(2 * 79 * 0.01)
    # s^2 x 4 / chi-square with 4 degrees of freedom at 97.5 % (11.1433) and 2.5 % (.484419)
    assert cost.replicates_low == np.ceil(31.36 * 10 / 11.1433)
    assert cost.replicates_high == np.ceil(31.36 * 10 / 0.484419)
    after = before + np.arange(1, 6)
    assert cost.gain == pytest.approx((before.var(ddof=1) + after.var(ddof=1)) / 2.5)
    assert cost.gain_low < cost.gain < cost.gain_high


def test_that_many_replicates_find_it_four_times_in_five() -> None:
    draw = np.random.default_rng(1)
    shared = draw.normal(size=400) * 20
    cost = answer_cost(shared, shared + 3 * draw.normal(size=400), 1.0)
    assert cost.replicates_low <= (2.8 * 3) ** 2 <= cost.replicates_high
    runs = int(cost.replicates)
    trials = 1 + 3 * draw.normal(size=(2000, runs))
    found = np.abs(trials.mean(axis=1) / trials.std(axis=1, ddof=1) * np.sqrt(runs)) > 1.96
    assert found.mean() == pytest.approx(0.8, abs=0.06)
    assert cost.gain == pytest.approx((400 + 409) / 9, rel=0.25)


def test_arms_that_never_differ_need_two_replicates() -> None:
    same = np.arange(5.0)
    cost = answer_cost(same, same, 0.1)
    assert (cost.replicates, cost.replicates_high) == (2, 2)
    assert cost.gain == np.inf
    with pytest.raises(ValueError, match="2 complete replicates"):
        answer_cost(np.array([1.0, 2, np.nan]), np.ones(3), 1.0)
    with pytest.raises(ValueError, match="smallest difference of 0"):
        answer_cost(same, same, 0.0)


def test_smallest_of_interest_comes_from_the_register() -> None:
    assert smallest_of_interest("cost_of_crime", -2e9) == pytest.approx(0.0025 * 2e9)
    assert smallest_of_interest("challenged_share", 0.4) == 0.02


def test_components_by_hand() -> None:
    # two sets, two replicates: cells 1 3 / 5 11; residuals +-1
    found = variance_components(np.array([[1.0, 3], [5, 11]]), shared=True)
    # set means 2 8 (mean square 2 x 18 = 36), replicate means 3 7 (2 x 8 = 16), residual 4 x 1
    assert found == pytest.approx(((36 - 4) / 2, (16 - 4) / 2, 4))
    # nested: within variances 2 and 18
    assert variance_components(np.array([[1.0, 3], [5, 11]]), shared=False) == pytest.approx(((36 - 10) / 2, 0, 10))
    with pytest.raises(ValueError, match="1 complete sets"):
        variance_components(np.array([[1.0, 3], [5, np.nan]]), shared=True)


def test_components_are_unbiased() -> None:
    draw = np.random.default_rng(2)
    found = []
    for _ in range(400):
        cells = 3 * draw.normal(size=(8, 1)) + 2 * draw.normal(size=6) + draw.normal(size=(8, 6))
        found.append(variance_components(cells, shared=True))
    np.testing.assert_allclose(np.mean(found, axis=0), [9, 4, 1], rtol=0.15)


components = some.builds(Components, some.floats(0, 10), some.floats(0, 10), some.floats(0.1, 10))


@given(components, some.floats(1.5, 10), some.floats(0, 3), some.booleans())
def test_no_allocation_is_cheaper(parts: Components, smallest: float, set_up: float, shared: bool) -> None:
    found = allocation(parts, smallest, shared, set_up, most=60)
    common, own = (parts.shared_luck, parts.own_luck) if shared else (0.0, parts.shared_luck + parts.own_luck)
    wanted = smallest / 2.8
    assert found.runs == found.sets * found.replicates
    if found.standard_error > wanted * (1 + 1e-9):
        assert parts.shared_luck / 60 >= wanted**2  # no number of sets would do
        return
    sets, runs = np.meshgrid(np.arange(1, 400), np.arange(1, 61))
    enough = parts.assumptions / sets + common / runs + own / (sets * runs) <= wanted**2
    cheapest = (sets * (set_up + runs))[enough]
    assert not cheapest.size or found.sets * (set_up + found.replicates) <= cheapest.min() * (1 + 1e-9)


def test_fresh_luck_needs_one_replicate_a_set() -> None:
    found = allocation(Components(4.0, 2.0, 3.0), 1.0, shared=False)
    assert (found.replicates, found.sets) == (1, int(np.ceil(9 * 2.8**2)))
    assert allocation(Components(4.0, 2.0, 3.0), 1.0, shared=True).runs > found.runs


def test_a_sweep_as_pilot() -> None:
    draw = np.random.default_rng(3)
    luck = 1e6 * draw.normal(size=(6, 12))
    baseline = 1e9 + luck
    policy = baseline + 5e6 + 3e5 * draw.normal(size=(6, 12)) + 2e6 * draw.normal(size=(6, 1))
    designs = {"uncertainties": {"kind": "latin-hypercube", "first": 1}}
    results = ArraysAsResults({"cost_of_crime": np.stack([baseline, policy])}, designs)
    table = cost_table(results, ["cost_of_crime"], 0.004)  # type: ignore[arg-type] # looks like results
    (row,) = table.to_dict("records")
    assert row["policy"] == "policy 1"
    assert row["smallest"] == pytest.approx(0.0025 * 1e9, rel=0.01)
    assert row["replicates"] == 2
    assert row["assumptions_variance"] == pytest.approx((policy - baseline)[1:].mean(axis=1).var(ddof=1), rel=0.05)
    assert row["seconds"] == pytest.approx(4 * 0.004)
