"""Rule 9: partners pledge, the co-ordinator does what is left, and most of the meetings, reports and returns."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from rules_support import (
    APRIL,
    CCTV,
    HEALTH,
    HOT_SPOTS,
    INNER,
    JUNE,
    LOCAL_AUTHORITY,
    MAY,
    POLICE,
    Bench,
    arrays_of,
    few,
    no_coordinator,
    out_of_range,
    shares,
)

from cspsim.model.rules.workload import intend_pledges, share_work
from cspsim.model.tallies import Role, Trait, Work

NO_MEETINGS = {"meeting_hours": 0, "report_hours": 0}


def programme(units: float = 3, **changes: object) -> Bench:
    """A programme of CCTV that has started: each unit needs 400 hours a year, so that three need 100 hours a month."""
    bench = Bench(**changes).set(units=0, starts=APRIL, available=[100, 100, 50], trust=0.5, load=0, suppressed=0)
    bench.state.units[:, CCTV] = units
    return bench


def shared(pledges: list[float], rebalancing: float = 0, commitment: float = 0.5, bring_along: float = 0, **numbers: float) -> Bench:
    """The work of that programme shared among the police, the local authority and health."""
    uncertainties = {"coordinator_base_share": 0.4, "follow_through": 0.5, **numbers}
    bench = programme(uncertainties=uncertainties, levers={"rebalancing": rebalancing, "shared_commitment": bring_along})
    bench.set(pledged=pledges).state.traits[:, :, Trait.COMMITMENT] = commitment
    bench.run(share_work, MAY)
    return bench


def test_pledge_worked_by_hand() -> None:
    # 50 hours x share .4 x 2 x commitment .75 = 30; x (1/2 + trust .7) = 36; relevance 1/2 + .25 (remit in burglary) = .75: 27
    # divided by 1 + overload .5 + .1 x 10 swallowed doubts = 2.5: 10.8
    bench = programme(uncertainties={"pledge_share": 0.4, "silent_withdrawal": 0.1}, remit=0.25)
    bench.set(trust=0.7, load=1.5, suppressed=10).state.traits[:, :, Trait.COMMITMENT] = 0.75
    assert bench.run(intend_pledges, MAY).pledged[INNER, HEALTH] == pytest.approx(10.8)
    assert bench.state.pledged[INNER, POLICE] == pytest.approx(21.6), "twice the hours, twice the pledge"


def test_the_co_ordinator_and_those_not_at_the_table_pledge_nothing() -> None:
    bench = programme()
    bench.world.member[:, HEALTH] = 0
    pledged = bench.run(intend_pledges, MAY).pledged
    assert (pledged[:, [LOCAL_AUTHORITY, HEALTH]] == 0).all()
    assert (pledged[:, POLICE] > 0).all()


def test_relevance_is_neutral_without_a_programme_and_follows_the_remit_with_one() -> None:
    bench = programme(units=0, uncertainties={"pledge_share": 0.4})
    bench.state.traits[:, :, Trait.COMMITMENT] = 0.5
    assert bench.run(intend_pledges, MAY).pledged[INNER, POLICE] == pytest.approx(40)  # 100 x .4 x 1 x 1 x 1
    bench.state.units[:, CCTV] = 1  # all burglary: half of the police's remit, nothing of health's
    pledged = bench.run(intend_pledges, MAY).pledged[INNER]
    assert pledged == pytest.approx([40, 0, 10])
    bench.set(units=0).state.units[:, HOT_SPOTS] = 2  # .4 violence x .9 = .36 of health's
    assert bench.run(intend_pledges, MAY).pledged[INNER, HEALTH] == pytest.approx(50 * 0.4 * 0.86)


@pytest.mark.parametrize(("field", "value"), [("load", 2.0), ("suppressed", 5.0), ("trust", 0.1)])
def test_direction_overload_swallowed_doubts_and_distrust_lower_pledges(field: str, value: float) -> None:
    usual = programme().run(intend_pledges, MAY).pledged[:, [POLICE, HEALTH]].copy()
    assert (programme().set(**{field: value}).run(intend_pledges, MAY).pledged[:, [POLICE, HEALTH]] < usual).all()


def test_overload_lowers_no_pledge_when_switched_off() -> None:
    usual = programme(switches={"overload": 0}).run(intend_pledges, MAY).pledged.copy()
    assert (programme(switches={"overload": 0}).set(load=3).run(intend_pledges, MAY).pledged == usual).all()


def test_the_co_ordinator_takes_the_remainder_worked_by_hand() -> None:
    bench = shared([30, 0, 10])
    assert bench.state.assigned[INNER] == pytest.approx([30, 60, 10])
    assert bench.state.work[INNER, :, Work.DELIVERY] == pytest.approx([30, 60, 10])
    assert bench.state.unworked.sum() == 0


def test_pledges_leave_the_co_ordinator_its_base_share() -> None:
    # 100 hours needed, 40 of them the co-ordinator's: pledges of 80 and 40 shrink to 60 in all
    bench = shared([80, 0, 40])
    assert bench.state.assigned[INNER] == pytest.approx([40, 40, 20])
    assert bench.state.pledged[INNER] == pytest.approx([40, 0, 20])


def test_half_rebalancing_worked_by_hand() -> None:
    # by capacity (100, 100, 50 of 250 hours): 40, 40, 20; half way from pledges 30 and 10: 35 and 15, the rest 50
    # beyond their pledges they do .5 x 2 x .5 = half: 30 + 5/2 and 10 + 5/2
    bench = shared([30, 0, 10], rebalancing=0.5)
    assert bench.state.assigned[INNER] == pytest.approx([35, 50, 15])
    assert bench.state.work[INNER, :, Work.DELIVERY] == pytest.approx([32.5, 50, 12.5])
    assert bench.state.unworked[INNER] == pytest.approx([2.5, 0, 2.5])


def test_shared_commitment_worked_by_hand() -> None:
    # without commitment of their own (0) but brought along fully, they do (1 - .6) x 1 of what goes beyond their pledges
    bench = shared([30, 0, 10], rebalancing=1, commitment=0, bring_along=1, follow_through=0.6)
    assert bench.state.assigned[INNER] == pytest.approx([40, 40, 20])
    assert bench.state.unworked[INNER] == pytest.approx([0.6 * 10, 0, 0.6 * 10])


def test_limit_full_rebalancing_with_full_commitment_is_work_by_capacity() -> None:
    bench = shared([0, 0, 0], rebalancing=1, commitment=1, bring_along=1)
    assert bench.state.work[INNER, :, Work.DELIVERY] == pytest.approx([40, 40, 20])
    assert bench.state.unworked.sum() == 0


def test_limit_nothing_to_do_before_projects_start_and_without_projects() -> None:
    bench = programme(uncertainties=NO_MEETINGS).set(starts=JUNE, pledged=30)
    assert bench.run(share_work, MAY).assigned.sum() == 0
    assert bench.run(share_work, JUNE).assigned.sum(axis=1) == pytest.approx(100)
    assert programme(units=0).set(pledged=30).run(share_work, JUNE).assigned.sum() == 0


def test_without_a_co_ordinator_nobody_takes_the_remainder() -> None:
    bench = programme()
    no_coordinator(bench.world)
    assert bench.set(pledged=[30, 0, 10]).run(share_work, MAY).assigned[INNER] == pytest.approx([30, 0, 10])


modest = some.floats(0, 40)


@few
@given(some.tuples(modest, modest), shares, shares)
def test_direction_rebalancing_moves_shares_from_the_co_ordinator_and_leaves_more_undone(
    pledges: tuple[float, float], rebalancing: float, more: float
) -> None:
    # pledges up to the partners' capacity shares of 40 and 20 hours, and no commitment at all
    given_hours = [pledges[0], 0, pledges[1] / 2]
    less = shared(given_hours, rebalancing=min(rebalancing, more), commitment=0)
    full = shared(given_hours, rebalancing=max(rebalancing, more), commitment=0)
    assert full.state.assigned[INNER, LOCAL_AUTHORITY] <= less.state.assigned[INNER, LOCAL_AUTHORITY] + 1e-9
    assert full.state.unworked[INNER].sum() >= less.state.unworked[INNER].sum() - 1e-9


def test_direction_rebalancing_is_nominal_without_commitment() -> None:
    found = [shared([10, 0, 5], rebalancing=r, commitment=0) for r in (0.0, 0.5, 1.0)]
    co_ordinator = [float(bench.state.assigned[INNER, LOCAL_AUTHORITY]) for bench in found]
    undone = [float(bench.state.unworked[INNER].sum()) for bench in found]
    assert co_ordinator[0] > co_ordinator[1] > co_ordinator[2]
    assert 0 == undone[0] < undone[1] < undone[2]
    brought_along = shared([10, 0, 5], rebalancing=1, commitment=0, bring_along=1)
    assert brought_along.state.unworked[INNER].sum() < undone[2]


def test_governance_worked_by_hand() -> None:
    # meetings: 120 x (1 + .3 x 1 + .2 x 1) / 12 = 15 a month for everybody; the police 60 x .5 / 12 = 2.5 for the audit;
    # the co-ordinator reports 240 / 12 = 20, returns 7, condition 24 x .5 / 12 = 1, engagement 60 x .4 / 12 = 2, survey 36 / 12 = 3
    numbers = {
        "meeting_hours": 120,
        "commitment_meetings": 0.3,
        "chair_meetings": 0.2,
        "report_hours": 240,
        "condition_hours": 24,
        "engagement_hours": 60,
        "survey_hours": 36,
        "audit_hours": 60,
    }
    levers = {
        "governance": 1,
        "shared_commitment": 1,
        "challenge_culture": 1,
        "evaluation_condition": 0.5,
        "engagement": 0.4,
        "balanced_scorecard": 1,
        "audit": 0.5,
    }
    bench = programme(uncertainties=numbers, levers=levers, returns_hours=7).set(afforded=1)
    bench.world.holder[:, Role.POLICE] = POLICE
    bench.world.member[:, HEALTH] = 0
    assert bench.run(share_work, MAY).work[INNER, :, Work.GOVERNANCE] == pytest.approx([17.5, 48, 0])
    half_paid = programme(uncertainties=numbers, levers=levers, returns_hours=7).set(afforded=0.5)
    assert half_paid.run(share_work, MAY).work[INNER, LOCAL_AUTHORITY, Work.GOVERNANCE] == pytest.approx(45.5)


@pytest.mark.parametrize("lever", ["governance", "shared_commitment", "challenge_culture", "evaluation_condition", "engagement"])
def test_direction_no_lever_is_free_of_hours(lever: str) -> None:
    low, high = (programme(levers={lever: value}).set(afforded=1).run(share_work, MAY).work.sum() for value in (0.2, 0.9))
    assert high > low


@few
@given(
    arrays_of(some.floats(-50, 500), 2, 3),
    arrays_of(some.floats(0, 500), 2, 3),
    arrays_of(shares, 2, 3, 4),
    arrays_of(some.integers(0, 3), 2, 3),
    shares,
    shares,
)
def test_ranges_and_accounts(
    pledges: np.ndarray, available: np.ndarray, traits: np.ndarray, units: np.ndarray, rebalancing: float, commitment: float
) -> None:
    bench = programme(levers={"rebalancing": rebalancing, "shared_commitment": commitment})
    bench.set(traits=traits, available=available, units=units).run(intend_pledges, MAY)
    assert out_of_range(bench.state) == []
    state = bench.set(pledged=pledges).run(share_work, MAY)  # whatever an agent has pledged instead
    assert out_of_range(state) == []
    needed = units @ bench.world.unit_hours
    assert state.assigned.sum(axis=1) == pytest.approx(needed)
    assert state.work[:, :, Work.DELIVERY] + state.unworked == pytest.approx(state.assigned)
    assert (state.unworked[:, LOCAL_AUTHORITY] == 0).all(), "the co-ordinator does what it is left with"
    least = needed * (1 - rebalancing) * bench.world.uncertainties.coordinator_base_share
    assert (state.assigned[:, LOCAL_AUTHORITY] >= least - 1e-6).all()
