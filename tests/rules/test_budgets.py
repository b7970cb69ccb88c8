"""Rule 1: hours follow budgets, posts follow the grant after notice, and what nobody pays for any more falls."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from rules_support import (
    APRIL,
    CCTV,
    HEALTH,
    HOT_SPOTS,
    INJURY_DATA,
    INNER,
    JUNE,
    LOCAL_AUTHORITY,
    MAY,
    OUTER,
    POLICE,
    Bench,
    arrays_of,
    few,
    make_world,
    no_coordinator,
    out_of_range,
    pounds,
    shares,
)

from cspsim.model.rules.budgets import receive_budgets
from cspsim.model.world import World

NO_CHARGES = {"challenge_culture": 0, "engagement": 0, "balanced_scorecard": 0, "audit": 0}


def only_projects(**changes: object) -> Bench:
    """A bench on which nothing but projects costs money: no posts, no chair, no engagement, no survey, no audit."""
    return Bench(levers=NO_CHARGES, switches={"grant_posts": 0}, **changes)


def test_hours_and_charges_by_hand() -> None:
    bench = Bench(
        uncertainties={
            "statutory_share": 0.5,
            "grant_funded_post_share": 0.2,
            "chair_cost": 12_000,
            "engagement_cost": 60_000,
            "survey_cost": 24_000,
            "audit_cost": 12_000,
        },
        levers={"challenge_culture": 0.5, "engagement": 0.2, "balanced_scorecard": 0.25, "audit": 1},
    ).set(reference_allocation=100, allocation=50, posts=0.5, balance=1e6)
    state = bench.run(receive_budgets, MAY)
    # Hours a month before statutory work: 3000, 4000 and 800 a year / 12 x staffing 1.2 = 300, 400 and 80. Half is statutory.
    # A fifth of the co-ordinator's team lives on grant and half of those posts are filled: 200 x (0.8 + 0.2 x 0.5) = 180.
    assert state.available[INNER] == pytest.approx([150, 180, 40])
    # Posts 400 x 0.2 x 0.5 x £35 = 1400; the rest £6,000 + 12,000 + 6,000 + 12,000 a year = £3,000 a month.
    assert state.charges[INNER] == pytest.approx(4400)


def test_posts_go_after_notice_and_come_back_by_recruiting() -> None:
    bench = Bench(uncertainties={"notice_months": 3, "recruitment_months": 8}).set(reference_allocation=100, allocation=50, posts=1)
    filled = [float(bench.run(receive_budgets, month).posts[INNER]) for month in range(1, 6)]
    assert filled == [1, 1, 1, 0.5, 0.5]  # three months under notice, then half the posts are gone
    bench.set(allocation=100)
    filled = [float(bench.run(receive_budgets, month).posts[INNER]) for month in range(6, 11)]
    assert filled == [0.625, 0.75, 0.875, 1, 1]  # an eighth of all posts a month


def test_notice_starts_again_after_the_grant_was_back() -> None:
    bench = Bench(uncertainties={"notice_months": 2}).set(reference_allocation=100, posts=1)
    for month, allocation in enumerate([50, 50, 100, 50, 50], start=1):
        bench.set(allocation=allocation).run(receive_budgets, month)
        assert bench.state.posts[INNER] == 1
    assert bench.run(receive_budgets, 6).posts[INNER] == 0.5


def test_a_larger_grant_than_at_first_fills_no_more_than_all_posts() -> None:
    bench = Bench().set(reference_allocation=100, allocation=300, posts=1)
    bench.run(receive_budgets, MAY, JUNE)
    assert bench.state.posts.tolist() == [1, 1]


@pytest.mark.parametrize(
    "world", [make_world(switches={"grant_posts": 0}), no_coordinator(make_world())], ids=["switched off", "no co-ordinator"]
)
def test_without_grant_funded_posts_the_grant_moves_no_hours(world: World) -> None:
    bench = Bench(world).set(reference_allocation=100, allocation=0, posts=0)
    state = bench.run(receive_budgets, MAY)
    assert state.available == pytest.approx(world.hours[:, :, MAY] * (1 - world.uncertainties.statutory_share))
    assert state.charges[INNER] == pytest.approx(
        world.levers.engagement[MAY] * world.uncertainties.engagement_cost / 12
        + world.levers.audit[MAY] * world.uncertainties.audit_cost / 12
    )


@few
@given(cuts=some.tuples(shares, shares), notice=some.floats(1, 6), mainstream=some.tuples(shares, shares))
def test_a_deeper_cut_never_raises_available_hours(cuts: tuple[float, float], notice: float, mainstream: tuple[float, float]) -> None:
    available = []
    for cut, own in zip(sorted(cuts), sorted(mainstream), strict=True):
        bench = Bench(uncertainties={"notice_months": notice}).set(reference_allocation=100, allocation=100 * (1 - cut), posts=1)
        bench.world.hours[:, :, JUNE:] *= 1 - own
        available.append([bench.run(receive_budgets, month).available.copy() for month in range(1, 9)])
    assert np.all(np.array(available[1]) <= np.array(available[0]) + 1e-9)


# ------------------------------------------------------------------------------------------------------- match funds


def test_units_fall_lowest_ranked_first_when_the_lead_cannot_match_them() -> None:
    bench = only_projects(lead=LOCAL_AUTHORITY, match_share=0.2).set(balance=1e9)
    bench.state.units[INNER] = [2, 2, 2]
    bench.state.value[INNER] = [3, 1, 2]
    bench.world.match_funds[INNER, LOCAL_AUTHORITY] = 3000
    bench.run(receive_budgets, MAY)
    # £60,000 a year is £5,000 a month, of which the lead matches a fifth: £1,000 a unit, so three units are left.
    assert bench.state.units[INNER].tolist() == [2, 0, 1]


def test_units_fall_when_their_match_funder_leaves() -> None:
    bench = only_projects().set(balance=1e9, units=1)
    bench.world.member[:, HEALTH, MAY:] = 0
    bench.world.match_funds[:, HEALTH, MAY:] = 0
    bench.world.lead[:, INJURY_DATA, MAY:] = -1
    bench.run(receive_budgets, MAY)
    assert bench.state.units[INNER].tolist() == [1, 1, 0]


def test_ranks_tie_by_name_and_not_by_place_in_the_file() -> None:
    for first, second in [(HOT_SPOTS, CCTV), (CCTV, HOT_SPOTS)]:
        bench = only_projects(lead=POLICE, match_share=0.2, match_funds=1000).set(balance=1e9)
        bench.state.units[INNER] = [1, 1, 0]
        bench.world.intervention_key[[first, second]] = [7, 8]
        bench.run(receive_budgets, MAY)
        assert bench.state.units[INNER, second] == 1
        assert bench.state.units[INNER, first] == 0


# ------------------------------------------------------------------------------------------------------ empty pots


def test_commitments_go_after_notice_when_the_balance_no_longer_covers_the_year() -> None:
    bench = only_projects(match_share=0, uncertainties={"notice_months": 2})
    bench.state.units[INNER] = [1, 1, 1]
    bench.state.value[INNER] = [1, 3, 2]
    seen = []
    for month in range(MAY, MAY + 4):
        bench.state.balance[INNER] = 11_000 * bench.world.months_left[month]  # pays for two of three units at £5,000 a month
        seen.append(bench.run(receive_budgets, month).units[INNER].tolist())
    assert seen == [[1, 1, 1], [1, 1, 1], [0, 1, 1], [0, 1, 1]]


def test_the_pot_needs_no_money_for_what_match_funders_pay() -> None:
    # a unit costs £5,000 a month, of which a fifth is matched: three need £12,000
    for balance, kept in [(12_000, [1, 1, 1]), (11_999, [0, 1, 1])]:
        bench = only_projects(match_share=0.2, match_funds=1e6, uncertainties={"notice_months": 0}).set(units=1, value=[1, 3, 2])
        bench.set(balance=balance * bench.world.months_left[MAY])
        assert bench.run(receive_budgets, MAY).units[INNER].tolist() == kept


def test_what_cannot_be_paid_this_month_goes_at_once() -> None:
    bench = only_projects(match_share=0, uncertainties={"notice_months": 6})
    bench.state.units[OUTER] = [1, 1, 1]
    bench.state.value[OUTER] = [1, 3, 2]
    bench.state.balance[:] = [1e9, 9_000]
    assert bench.run(receive_budgets, MAY).units[OUTER].tolist() == [0, 1, 0]


def test_april_waits_for_the_grant() -> None:
    bench = only_projects().set(balance=0, units=1)
    assert bench.run(receive_budgets, APRIL).units.tolist() == [[1, 1, 1], [1, 1, 1]]


# ---------------------------------------------------------------------------------------------- ranges and accounts


@few
@given(
    month=some.integers(0, 59),
    units=arrays_of(some.integers(0, 3), 2, 3),
    value=arrays_of(some.floats(-1, 1), 2, 3),
    balance=arrays_of(pounds, 2),
    allocation=arrays_of(pounds, 2),
    match_funds=arrays_of(some.floats(0, 5000), 3),
    notice=some.integers(0, 5),
)
def test_ranges_and_that_what_runs_is_paid_for(month, units, value, balance, allocation, match_funds, notice) -> None:  # type: ignore[no-untyped-def]
    bench = Bench().set(
        units=units, value=value, balance=balance, allocation=allocation, reference_allocation=1e6, posts=1, shortfall_notice=notice
    )
    bench.world.match_funds[:, :, month] = match_funds
    world, state = bench.world, bench.run(receive_budgets, month)
    assert out_of_range(state) == []
    assert np.all(state.units <= units)
    assert np.all(state.available <= world.hours[:, :, month])
    matched = state.units * world.unit_cost * world.match_share
    for a in (POLICE, LOCAL_AUTHORITY, HEALTH):
        assert np.all((matched * (world.lead[:, :, month] == a)).sum(axis=1) <= world.match_funds[:, a, month] + 0.01)
    if not world.year_starts[month]:
        a_month = state.charges + (state.units * world.unit_cost * (1 - world.match_share)).sum(axis=1)
        paid_for = a_month <= state.balance + 0.01
        assert np.all(paid_for | (state.units.sum(axis=1) == 0))
