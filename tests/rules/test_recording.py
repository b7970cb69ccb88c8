"""Rule 4: what is reported and written down is never more than what happened, and targets never make it more."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from rules_support import (
    BURGLARY,
    CCTV,
    INJURY_DATA,
    INNER,
    LOCAL_AUTHORITY,
    MAY,
    OUTER,
    VIOLENCE,
    Bench,
    arrays_of,
    few,
    make_world,
    no_coordinator,
    out_of_range,
    shares,
)

from cspsim.model.rules.recording import record_crimes

MANY = 1e9  # crimes, so that the recorded share shows to about one part in 10,000
NOTHING = {"targets": 0, "audit": 0, "engagement": 0}


def recorded_shares(crimes: float = MANY, dose: float = 0, **changes: object) -> np.ndarray:
    """Share of true crime recorded in May ``[partnership, crime type]``."""
    bench = Bench(**changes).set(true_crimes=crimes, twin_crimes=crimes, afforded=1, effective_dose=dose)
    shares_recorded: np.ndarray = bench.run(record_crimes, MAY).recorded[:, :, MAY] / crimes
    return shares_recorded


def test_recorded_share_by_hand() -> None:
    found = recorded_shares(
        levers={"targets": 0.5, "audit": 0.25, "engagement": 0.5},
        uncertainties={"gaming": 0.2, "audit_rise": 0.1, "engagement_rise": 0.08},
        reporting=0.5,
        recording=0.8,
        recording_path=0.9,
        targeted=[1, 0],
    )
    # reported: 0.5 x (1 + 0.08 x 0.5) = 0.52
    # violence, not targeted: 0.8 x 0.9 x (1 + 0.1 x 0.25) = 0.738, together 0.38376
    # burglary: also x (1 - 0.2 x 1 x 0.5 x (1 - 0.25)) = 0.925, together 0.354978
    assert found[INNER] == pytest.approx([0.354978, 0.38376], abs=1e-4)


def test_the_usual_share_without_levers_is_reporting_times_recording() -> None:
    assert recorded_shares(levers=NOTHING) == pytest.approx(np.full((2, 2), 0.45), abs=1e-4)


def test_interventions_that_encourage_reporting_raise_recorded_crime_but_not_the_twins() -> None:
    bench = Bench(levers=NOTHING, reporting=0.5, recording=1).set(true_crimes=MANY, twin_crimes=MANY, afforded=1)
    bench.world.reporting_rise[INJURY_DATA, VIOLENCE] = 0.1
    bench.state.effective_dose[INNER, INJURY_DATA] = 2
    state = bench.run(record_crimes, MAY)
    assert state.recorded[INNER, VIOLENCE, MAY] / MANY == pytest.approx(0.5 * 1.2, abs=1e-4)
    assert state.twin_recorded[INNER, VIOLENCE] / MANY == pytest.approx(0.5, abs=1e-4)
    assert state.recorded[:, BURGLARY, MAY].tolist() == state.twin_recorded[:, BURGLARY].tolist()
    assert state.recorded[OUTER, :, MAY].tolist() == state.twin_recorded[OUTER].tolist()


# ------------------------------------------------------------------------------------------------------------- limits


def test_without_measurement_error_everything_is_recorded() -> None:
    bench = Bench(switches={"measurement_error": 0}, levers={"targets": 1}).set(true_crimes=[[7, 0], [1, 1000]], twin_crimes=12, afforded=1)
    state = bench.run(record_crimes, MAY)
    assert state.recorded[:, :, MAY].tolist() == [[7, 0], [1, 1000]]
    assert state.twin_recorded.tolist() == [[12, 12], [12, 12]]


def test_neither_reporting_nor_recording_exceeds_all() -> None:
    full = {"levers": {"audit": 1, "targets": 0}, "uncertainties": {"audit_rise": 0.15}, "dose": 3, "reporting_rise": 5, "reporting": 0.9}
    assert recorded_shares(crimes=1000, recording=0.95, **full).tolist() == [[1, 1], [1, 1]]
    # everybody reports, six times over or not; of that 0.4 x 1.15 is written down
    assert recorded_shares(recording=0.4, **full) == pytest.approx(np.full((2, 2), 0.46), abs=1e-4)
    # and audit makes the police write down no more than all of the reported 0.4
    unencouraged = full | {"reporting": 0.4, "dose": 0, "levers": {"audit": 1, "targets": 0, "engagement": 0}}
    assert recorded_shares(recording=0.95, **unencouraged)[INNER] == pytest.approx([0.4, 0.4], abs=1e-4)


@pytest.mark.parametrize(
    ("switch", "levers"),
    [("gaming", {"targets": 1.0, "audit": 0, "engagement": 0}), ("engagement_reporting", {"targets": 0, "audit": 0, "engagement": 1.0})],
)
def test_switches_take_mechanisms_away(switch: str, levers: dict[str, float]) -> None:
    strong = {"gaming": 0.2, "engagement_rise": 0.2}
    with_it = recorded_shares(levers=levers, uncertainties=strong)
    without = recorded_shares(levers=levers, uncertainties=strong, switches={switch: 0})
    assert without == pytest.approx(np.full((2, 2), 0.45), abs=1e-4)
    assert np.all(np.abs(with_it - without) > 0.01)


def test_gaming_leaves_untargeted_types_alone_and_full_audit_ends_it() -> None:
    plain = recorded_shares(levers=NOTHING, uncertainties={"audit_rise": 0})
    gamed = recorded_shares(levers=NOTHING | {"targets": 1}, targeted=[1, 0], uncertainties={"gaming": 0.2, "audit_rise": 0})
    assert gamed[INNER, VIOLENCE] == plain[INNER, VIOLENCE]
    assert gamed[INNER, BURGLARY] == pytest.approx(0.8 * plain[INNER, BURGLARY], abs=1e-4)
    audited = recorded_shares(levers=NOTHING | {"targets": 1, "audit": 1}, targeted=[1, 0], uncertainties={"gaming": 0.2, "audit_rise": 0})
    assert audited.tolist() == plain.tolist()


def test_engagement_and_audit_are_had_only_as_far_as_they_are_paid_and_done() -> None:
    bench = Bench(levers={"engagement": 0.8}).set(afforded=[0.5, 1])
    bench.state.load[OUTER, LOCAL_AUTHORITY] = 3  # twice over capacity
    assert bench.run(record_crimes, MAY).engagement == pytest.approx([0.4, 0.8 / 3])
    bench = Bench(levers={"engagement": 0.8}, switches={"overload": 0}).set(afforded=1, load=3)
    assert bench.run(record_crimes, MAY).engagement == pytest.approx([0.8, 0.8])
    bench = Bench(no_coordinator(make_world(levers={"engagement": 0.8}))).set(afforded=1, load=3)
    assert bench.run(record_crimes, MAY).engagement == pytest.approx([0.8, 0.8])
    unpaid = Bench(levers={"audit": 1, "targets": 1, "engagement": 1}).set(true_crimes=MANY, twin_crimes=MANY, afforded=0)
    unaudited = recorded_shares(levers={"audit": 0, "targets": 1, "engagement": 0})
    assert (unpaid.run(record_crimes, MAY).recorded[:, :, MAY] / MANY).tolist() == unaudited.tolist()


# --------------------------------------------------------------------------------------------------------- directions


@few
@given(
    pressures=some.tuples(shares, shares),
    audit=shares,
    engagement=shares,
    crimes=some.sampled_from([1.0, 12.0, 300.0, 1e5]),
    replicate=some.integers(0, 1000),
)
def test_target_pressure_never_raises_recorded_crime(pressures, audit, engagement, crimes, replicate) -> None:  # type: ignore[no-untyped-def]
    found = []
    for targets in sorted(pressures):
        levers = {"targets": targets, "audit": audit, "engagement": engagement}
        bench = Bench(levers=levers, uncertainties={"gaming": 0.2}, replicate=replicate).set(
            true_crimes=crimes, twin_crimes=crimes, afforded=1
        )
        found.append(bench.run(record_crimes, MAY).recorded[:, :, MAY].copy())
    assert np.all(found[1] <= found[0])


@pytest.mark.parametrize("lever", ["audit", "engagement"])
def test_audit_and_engagement_raise_recorded_crime(lever: str) -> None:
    steps = np.array([recorded_shares(levers={"targets": 0.5, "audit": 0, "engagement": 0, lever: value}) for value in (0, 0.5, 1)])
    assert np.all(np.diff(steps, axis=0) > 0)


# ---------------------------------------------------------------------------------------------------------- accounts


def test_where_nothing_was_delivered_recorded_crime_equals_the_twins() -> None:
    bench = Bench(levers={"targets": 0.7})
    for month in range(20):
        crimes = np.array([[100, 57], [13, 4]]) + month
        state = bench.set(true_crimes=crimes, twin_crimes=crimes, afforded=1).run(record_crimes, month)
        assert state.recorded[:, :, month].tolist() == state.twin_recorded.tolist()


def test_a_years_recorded_crimes_are_those_of_the_latest_twelve_months() -> None:
    bench = Bench()
    for month in range(30):
        state = bench.set(true_crimes=100 + 10 * month, twin_crimes=100, afforded=1).run(record_crimes, month)
        assert state.recorded_year.tolist() == state.recorded[:, :, max(0, month - 11) : month + 1].sum(axis=2).tolist()
    assert np.all(state.recorded_year > 0)


@few
@given(
    month=some.integers(0, 59),
    crimes=arrays_of(some.integers(0, 3000), 2, 2),
    fewer=arrays_of(some.integers(0, 3000), 2, 2),
    levers=arrays_of(shares, 3),
    usual=arrays_of(shares, 2),
    rise=some.floats(0, 1),
    dose=some.floats(0, 4),
    load=some.floats(0, 4),
)
def test_ranges_and_that_no_more_is_recorded_than_happened(month, crimes, fewer, levers, usual, rise, dose, load) -> None:  # type: ignore[no-untyped-def]
    bench = Bench(
        levers=dict(zip(("targets", "audit", "engagement"), levers, strict=True)),
        reporting=usual[0],
        recording=usual[1],
        reporting_rise=rise,
    )
    bench.set(true_crimes=np.minimum(crimes, fewer), twin_crimes=crimes, afforded=1, effective_dose=dose, load=load)
    bench.world.reporting_rise[CCTV] = 0
    state = bench.run(record_crimes, month)
    assert out_of_range(state) == []
    assert np.all(state.recorded[:, :, month] <= state.true_crimes)
    assert np.all(state.twin_recorded <= state.twin_crimes)
    assert np.all(state.engagement <= levers[2])
