"""Rule 5: need is a blend of shares - own remit, targets, survey - and each authority has its own picture of it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from rules_support import (
    APRIL,
    BURGLARY,
    HEALTH,
    INNER,
    JUNE,
    LOCAL_AUTHORITY,
    MAY,
    NEXT_APRIL,
    OUTER,
    POLICE,
    VIOLENCE,
    Bench,
    arrays_of,
    few,
    out_of_range,
    shares,
)

from cspsim.model.rules.assessment import assess_needs

COSTS = [5_000, 10_000]  # £ a burglary and a violent crime in the tiny world


def assessed(bench: Bench) -> np.ndarray:
    """Need after a meeting: 400 burglaries and 600 violent crimes recorded in the year, 1,000 and 500 suffered."""
    bench.set(recorded_year=[400, 600], true_year=[1000, 500], afforded=1)
    need: np.ndarray = bench.run(assess_needs, APRIL).need[INNER].copy()
    return need


def measured(targets: float = 0, scorecard: float = 0, **changes: object) -> Bench:
    """A bench under this performance framework, with a pull of targets of 0.6 and a survey without error."""
    levers = {"targets": targets, "balanced_scorecard": scorecard}
    numbers = {"target_pull": 0.6, "survey_error": 0}
    return Bench(levers=levers, uncertainties=numbers, unit_cost_of_crime=COSTS, targeted=0.8, **changes)


def test_need_by_hand() -> None:
    need = assessed(measured(targets=1, scorecard=0.5))
    # Police: burglary 0.5 x 400 x £5,000 = £1 m, violence 0.5 x 600 x £10,000 = £3 m, so its own view is 0.25 and 0.75.
    # Targets see 400 of 1,000 crimes: 0.25 + 0.6 x (0.4 - 0.25) = 0.34.
    # The survey finds £5 m of each: 0.34 + 0.5 x (0.5 - 0.34) = 0.42.
    assert need[POLICE] == pytest.approx([0.42, 0.58])
    # Health sees violence alone: 0 + 0.6 x 0.4 = 0.24, then 0.24 + 0.5 x 0.26 = 0.37.
    assert need[HEALTH] == pytest.approx([0.37, 0.63])


def test_each_view_alone() -> None:
    assert assessed(measured())[[POLICE, LOCAL_AUTHORITY, HEALTH], BURGLARY] == pytest.approx([0.25, 0.25, 0])
    # a full balanced scorecard knows the truth, whatever remits and targets say
    assert assessed(measured(targets=1, scorecard=1)) == pytest.approx(np.full((3, 2), 0.5))


def test_need_is_the_same_in_pounds_and_in_billions_of_pounds() -> None:
    bench = measured(targets=1, scorecard=0.5)
    bench.world.unit_cost_of_crime[:] = [cost * 1e-9 for cost in COSTS]
    assert assessed(bench) == pytest.approx(assessed(measured(targets=1, scorecard=0.5)))


def test_a_survey_that_is_not_paid_for_tells_nothing() -> None:
    bench = measured(scorecard=1).set(recorded_year=[400, 600], true_year=[1000, 500], afforded=[0, 1])
    need = bench.run(assess_needs, APRIL).need
    assert need[INNER, POLICE] == pytest.approx([0.25, 0.75])
    assert need[OUTER, POLICE] == pytest.approx([0.5, 0.5])


def test_without_a_remit_or_records_every_type_is_alike() -> None:
    bench = measured()
    bench.world.remit[HEALTH] = 0
    assert assessed(bench)[HEALTH].tolist() == [0.5, 0.5]
    bench.set(recorded_year=0, true_year=0)
    bench.world.levers.targets[:] = 1
    bench.world.levers.balanced_scorecard[:] = 1
    assert bench.run(assess_needs, APRIL).need.ravel().tolist() == [0.5] * 12


def test_targets_without_any_targeted_type_pull_nowhere() -> None:
    bench = measured(targets=1)
    bench.world.targeted[:] = 0
    assert assessed(bench)[POLICE] == pytest.approx([0.25, 0.75])


def test_the_tables_picture_weighs_members_by_influence() -> None:
    bench = measured(influence=[3, 1, 1])
    assessed(bench)
    # police 0.25 (three times), local authority 0.25, health 0
    assert bench.state.table_need[INNER] == pytest.approx([1 / 5, 4 / 5])
    bench.world.member[INNER, HEALTH] = 0
    assessed(bench)
    assert bench.state.table_need[INNER] == pytest.approx([1 / 4, 3 / 4])


def test_need_is_assessed_only_before_meetings() -> None:
    bench = measured()
    before = assessed(bench)
    bench.set(recorded_year=[1, 1])
    assert bench.run(assess_needs, MAY, JUNE).need[INNER].tolist() == before.tolist()
    assert bench.run(assess_needs, NEXT_APRIL).need[INNER].tolist() != before.tolist()


def test_surveys_err_by_sampling_and_not_without_measurement_error() -> None:
    found = []
    for replicate in range(200):
        bench = Bench(
            levers={"balanced_scorecard": 1, "targets": 0},
            uncertainties={"survey_error": 0.1},
            unit_cost_of_crime=COSTS,
            replicate=replicate,
        )
        need = assessed(bench)
        found.append(np.log(need[POLICE, BURGLARY] / need[POLICE, VIOLENCE]))
    # two independent errors of 0.1 between the logarithms of two equal costs
    assert np.std(found) == pytest.approx(0.1 * np.sqrt(2), rel=0.2)
    assert abs(np.mean(found)) < 4 * 0.1 * np.sqrt(2 / 200)
    exact = Bench(
        levers={"balanced_scorecard": 1}, uncertainties={"survey_error": 0.1}, unit_cost_of_crime=COSTS, switches={"measurement_error": 0}
    )
    assert assessed(exact)[POLICE] == pytest.approx([0.5, 0.5])


def test_without_a_survey_nobody_knows_the_truth() -> None:
    bench = measured(targets=1)
    known = assessed(bench)
    bench.set(true_year=[9_000_000, 1], true_crimes=123, twin_crimes=9)
    assert bench.run(assess_needs, APRIL).need[INNER].tolist() == known.tolist()


@few
@given(pressures=some.tuples(shares, shares), recorded=arrays_of(some.integers(1, 9000), 2), remit=arrays_of(shares, 2))
def test_more_target_pressure_never_moves_need_away_from_the_target_view(pressures, recorded, remit) -> None:  # type: ignore[no-untyped-def]
    view = recorded[BURGLARY] / recorded.sum()
    away = []
    for targets in sorted(pressures):
        bench = measured(targets=targets, remit=remit).set(recorded_year=recorded, afforded=1)
        away.append(abs(bench.run(assess_needs, APRIL).need[INNER, POLICE, BURGLARY] - view))
    assert away[1] <= away[0] + 1e-12


@few
@given(
    targets=shares,
    scorecard=shares,
    recorded=arrays_of(some.integers(0, 9000), 2, 2),
    true=arrays_of(some.integers(0, 20_000), 2, 2),
    remit=arrays_of(some.floats(0, 1, allow_subnormal=False), 3, 2),
    targeted=arrays_of(shares, 2),
    influence=arrays_of(some.floats(0.1, 5), 3),
    replicate=some.integers(0, 1000),
)
def test_need_sums_to_one(targets, scorecard, recorded, true, remit, targeted, influence, replicate) -> None:  # type: ignore[no-untyped-def]
    levers = {"targets": targets, "balanced_scorecard": scorecard}
    bench = Bench(levers=levers, remit=remit, targeted=targeted, influence=influence, replicate=replicate)
    state = bench.set(recorded_year=recorded, true_year=true, afforded=1).run(assess_needs, APRIL)
    assert out_of_range(state) == []
    assert state.need.sum(axis=2) == pytest.approx(np.ones((2, 3)))
    assert state.table_need.sum(axis=1) == pytest.approx(np.ones(2))
