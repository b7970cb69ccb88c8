"""Rule 8: units are bought by believed benefit per pound until money, match funds or hosting hours run out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from rules_support import (
    CCTV,
    HEALTH,
    HOT_SPOTS,
    INJURY_DATA,
    INNER,
    JANUARY,
    JULY,
    LOCAL_AUTHORITY,
    MAY,
    POLICE,
    Bench,
    arrays_of,
    few,
    out_of_range,
    shares,
)

from cspsim.model.luck import new_luck
from cspsim.model.rules.decision import decide_items
from cspsim.model.tallies import AuthorityTally, Tally

UNIT = 48_000.0
"""£ that one unit costs the pot for a year in the tiny world: 12 x £5,000 less a fifth of match funds."""


def rich_table(**changes: object) -> Bench:
    """Every item on the table, sponsored by the police, believed as claimed; money, hours and match funds in plenty."""
    changes = {"match_funds": 1e6, **changes}
    bench = Bench(**changes)
    bench.set(on_table=1, sponsor=POLICE, claim=0.2, belief=0.2, scrutiny=0, trust=0.5, doubts=0, challenges=0)
    return bench.set(table_need=0.5, free_money=1e7, available=1e4, units=0, units_next=0)


def bought(bench: Bench, month: int = JANUARY) -> np.ndarray:
    """Units ``[partnership, intervention]`` that the table runs or plans after this meeting."""
    state = bench.run(decide_items, month)
    return state.units_next if month == JANUARY else state.units


def contested(**changes: object) -> Bench:
    """Beliefs .3, .1 and .2 about what the police claim to be .5; the local authority weighs twice, half scrutinised."""
    bench = rich_table(influence=[1, 2, 1], uncertainties={"deference": 0.8, "off_line_rate": 2}, **changes)
    bench.set(claim=0.5, scrutiny=0.5, doubts=0)
    bench.state.belief[:] = np.array([0.3, 0.1, 0.2])[None, :, None]
    bench.state.trust[:, LOCAL_AUTHORITY, POLICE] = 0.5
    bench.state.trust[:, HEALTH, POLICE] = 0
    bench.state.trust[:, POLICE] = [0, 0.4, 0.6]
    return bench


def test_the_tables_estimate_worked_by_hand() -> None:
    # deference: police 1 - .5 to its own claim; local authority .5 x .5 x .8 = .2; health trusts nobody
    # views: .3 + .5 x .2 = .4; .1 + .2 x .4 = .18; .2; weighted (.4 + 2 x .18 + .2) / 4 = .24
    bench = contested()
    bench.run(decide_items, JANUARY)
    assert bench.state.estimate == pytest.approx(0.24)
    assert bench.state.tallies[:, Tally.OFF_LINE_DECISIONS].sum() == 0, "nobody silently doubts"
    assert bench.state.tallies[:, Tally.DECISIONS].tolist() == [3, 3]


def test_silent_doubt_moves_the_matter_off_line_to_the_sponsor_and_its_closest_partner() -> None:
    # two of three doubt in silence: 2 x 2/3 is certain; the police trust health most: (.4 + .2) / 2 = .3
    doubts = [[0], [9], [9]]
    bench = contested()
    bench.state.doubts[:] = doubts
    bench.run(decide_items, JANUARY)
    assert bench.state.estimate == pytest.approx(0.3)
    assert bench.state.tallies[:, Tally.OFF_LINE_DECISIONS].tolist() == [3, 3]
    switched_off = contested(switches={"off_line": 0})
    switched_off.state.doubts[:] = doubts
    assert switched_off.run(decide_items, JANUARY).estimate == pytest.approx(0.24)
    spoken = contested().set(challenges=1)
    spoken.state.doubts[:] = doubts
    assert spoken.run(decide_items, JANUARY).estimate == pytest.approx(0.24)


def test_believed_benefit_per_pound_worked_by_hand() -> None:
    # hot spots: .2 x reach .1 x (.6 x .25 + .4 x .75 = .45) / £5,000 a month; the second unit reaches half as much
    bench = rich_table(uncertainties={"diminishing": 0.5}).set(table_need=[0.25, 0.75], on_table=0)
    bench.state.on_table[:, HOT_SPOTS] = 1
    bench.set(free_money=UNIT)
    assert bought(bench)[INNER].tolist() == [1, 0, 0]
    assert bench.state.value[INNER, HOT_SPOTS] == pytest.approx(0.2 * 0.1 * 0.45 / 5000)
    bench.set(free_money=2 * UNIT, units_next=0)
    assert bought(bench)[INNER].tolist() == [2, 0, 0]
    assert bench.state.value[INNER, HOT_SPOTS] == pytest.approx(0.2 * 0.1 * 0.5 * 0.45 / 5000)


def test_the_best_next_unit_is_bought_again_and_again() -> None:
    # need all burglary: values 1 for CCTV, .6 for hot spots, 0 for injury data; each further unit is worth .7 of the last:
    # CCTV 1, .7, .49 and hot spots .6, .42: the order is CCTV, CCTV, hot spots, CCTV, hot spots
    bench = rich_table(uncertainties={"diminishing": 0.7}).set(table_need=[1, 0])
    for money, expected in enumerate([[0, 0], [0, 1], [0, 2], [1, 2], [1, 3], [2, 3]]):
        bench.set(free_money=money * UNIT, units_next=0)
        assert bought(bench)[INNER].tolist() == [*expected, 0]


@pytest.mark.parametrize("first", [HOT_SPOTS, CCTV, INJURY_DATA])
def test_what_is_worth_the_same_is_bought_by_name_and_not_by_place_in_the_file(first: int) -> None:
    bench = rich_table(profile=0.5).set(free_money=UNIT)
    bench.world.intervention_key[:] = 7
    bench.world.intervention_key[first] = 8
    assert bought(bench)[INNER].tolist() == [float(i == first) for i in range(3)]


def test_the_chance_of_going_off_line_is_the_rate_times_the_share_that_doubts_in_silence() -> None:
    # one of three: .9 / 3 = .3, over 400 replicates of six items
    bench = rich_table(uncertainties={"off_line_rate": 0.9}).set(free_money=0)
    bench.state.doubts[:, LOCAL_AUTHORITY] = 9
    for replicate in range(400):
        bench.luck = new_luck(1, replicate)
        bench.run(decide_items, JANUARY)
    share = bench.state.tallies[:, Tally.OFF_LINE_DECISIONS].sum() / bench.state.tallies[:, Tally.DECISIONS].sum()
    assert share == pytest.approx(0.3, abs=4 * np.sqrt(0.3 * 0.7 / 2400))


def test_what_needs_no_match_funds_is_bought_without_any() -> None:
    assert bought(rich_table(match_funds=0, match_share=0)).sum() == 18


@pytest.mark.parametrize("first", [LOCAL_AUTHORITY, HEALTH])
def test_of_two_partners_trusted_alike_the_closest_goes_by_name(first: int) -> None:
    bench = contested()
    bench.state.trust[:, POLICE] = [0, 0.5, 0.5]
    bench.state.doubts[:] = [[0], [9], [9]]
    bench.world.authority_key[:] = 7
    bench.world.authority_key[:, first] = 8
    # off-line the police and that partner decide: (.4 + 2 x .18) / 3 with the local authority, (.4 + .2) / 2 with health
    assert bench.run(decide_items, JANUARY).estimate == pytest.approx({LOCAL_AUTHORITY: 0.76 / 3, HEALTH: 0.3}[first])


def test_limit_alone_at_the_table_there_is_nobody_to_settle_anything_with_off_line() -> None:
    bench = contested().set(doubts=9)
    bench.world.member[:, [LOCAL_AUTHORITY, HEALTH]] = 0
    bench.run(decide_items, JANUARY)
    assert bench.state.tallies[:, Tally.OFF_LINE_DECISIONS].sum() == 0
    assert bench.state.estimate == pytest.approx(0.4), "the police's own view"


def test_the_january_meeting_buys_for_april_and_for_the_award_length() -> None:
    bench = rich_table(levers={"award_years": 3}).set(free_money=UNIT)
    bench.set(on_table=0).state.on_table[:, CCTV] = 1
    assert bought(bench)[INNER].tolist() == [0, 1, 0]
    assert (bench.state.units == 0).all()
    assert bench.state.ends_next[INNER, CCTV] == 11 + 36, "31 March three years after this one"


def test_other_meetings_buy_what_is_left_of_this_year() -> None:
    # July to March is nine months: £36,000 for a unit, and recruitment takes three
    bench = rich_table(uncertainties={"recruitment_delay": 3}).set(on_table=0)
    bench.state.on_table[:, CCTV] = 1
    assert bought(bench.set(free_money=0.75 * UNIT - 1), JULY).sum() == 0
    assert bought(bench.set(free_money=0.75 * UNIT), JULY)[INNER].tolist() == [0, 1, 0]
    state = bench.state
    assert (state.since[INNER, CCTV], state.starts[INNER, CCTV], state.ends[INNER, CCTV]) == (JULY, JULY + 3, 11)
    assert (state.units_next == 0).all()


@pytest.mark.parametrize(
    "shortage",
    [
        {"free_money": UNIT - 1},
        {"available": 0},
        {"on_table": 0},
        {"belief": -0.1, "claim": -0.1},  # believed to do harm
        {"table_need": 0},
    ],
)
def test_limit_any_one_shortage_buys_nothing(shortage: dict) -> None:
    assert bought(rich_table().set(**shortage)).sum() == 0
    assert bought(rich_table()).sum() == 18, "without it every unit there is"


def test_limit_no_match_funds_and_no_meeting() -> None:
    assert bought(rich_table(match_funds=0)).sum() == 0
    # the tiny world's police can match one unit of £1,000 a month, and not two
    assert bought(rich_table(match_funds=1_999))[INNER].tolist() == [1, 1, 1]
    assert bought(rich_table(), MAY).sum() == 0


def test_hosting_hours_are_stretched_and_then_run_out() -> None:
    # three authorities with 40 hours stretched to half as much again: 180 hours host five units of 33 1/3
    bench = rich_table(uncertainties={"hosting_stretch": 1.5}).set(available=40)
    assert bought(bench).sum(axis=1).tolist() == [5, 5]
    running = rich_table(uncertainties={"hosting_stretch": 1.5}).set(available=40)
    running.state.units_next[:, INJURY_DATA] = 3
    assert bought(running).sum(axis=1).tolist() == [5, 5], "what is planned already is hosted too"


def test_running_projects_are_favoured_when_the_plan_is_written() -> None:
    bench = rich_table(uncertainties={"incumbency": 0.3}).set(table_need=[1, 0], free_money=UNIT)
    bench.state.belief[:, :, HOT_SPOTS] = bench.state.claim[:, HOT_SPOTS] = 0.4  # .4 x .6 = .24 against CCTV's .2
    assert bought(bench)[INNER].tolist() == [1, 0, 0]
    bench.set(units_next=0).state.units[:, CCTV] = 1  # .2 x 1.3 = .26
    assert bought(bench)[INNER].tolist() == [0, 1, 0]


@few
@given(arrays_of(shares, 2, 3, 3), arrays_of(shares, 2, 2), some.floats(0, 500_000), some.floats(0, 500_000))
def test_direction_more_money_never_buys_fewer_units(belief: np.ndarray, need: np.ndarray, money: float, more: float) -> None:
    # of interventions with one price: where prices differ, more money may buy one dear unit instead of several cheap ones
    fewer = bought(rich_table().set(belief=belief, table_need=need, free_money=money)).copy()
    assert (bought(rich_table().set(belief=belief, table_need=need, free_money=money + more)) >= fewer).all()


@few
@given(arrays_of(shares, 2, 3), arrays_of(shares, 2, 3), some.floats(0.2, 1))
def test_direction_scrutiny_never_raises_an_estimate_below_the_claim(scrutiny: np.ndarray, more: np.ndarray, claim: float) -> None:
    before = rich_table().set(claim=claim, scrutiny=scrutiny).run(decide_items, JANUARY).estimate
    after = rich_table().set(claim=claim, scrutiny=np.maximum(scrutiny, more)).run(decide_items, JANUARY).estimate
    assert (after <= before + 1e-12).all()
    thorough = rich_table().set(claim=claim, scrutiny=1).run(decide_items, JANUARY).estimate
    assert thorough == pytest.approx(0.2), "what is thoroughly scrutinised is valued as believed"


@few
@given(
    arrays_of(some.floats(-0.5, 1), 2, 3, 3),
    arrays_of(some.integers(0, 3), 2, 3),
    arrays_of(some.floats(0, 400_000), 2),
    arrays_of(some.floats(0, 120), 2, 3),
    some.floats(0, 6_000),
    some.integers(0, 59),
)
def test_ranges_and_accounts(belief: np.ndarray, units: np.ndarray, money: np.ndarray, hours: np.ndarray, match: float, month: int) -> None:
    bench = rich_table(match_funds=match).set(belief=belief, units=units, units_next=units, free_money=money, available=hours)
    world, state = bench.world, bench.run(decide_items, month)
    assert out_of_range(state) == []
    new = (state.units + state.units_next) - 2 * units
    assert (new >= 0).all()
    assert (state.tallies[:, Tally.ADOPTIONS] == new.sum(axis=1)).all()
    assert (state.authority_tallies[:, POLICE, AuthorityTally.ADOPTIONS] == new.sum(axis=1)).all()
    if not world.meets[month]:
        assert (new == 0).all()
        return
    months = 12 if world.plans[month] else world.months_left[month]
    assert (new @ (months * world.unit_cost * (1 - world.match_share)) <= money * (1 + 1e-6)).all()
    total = units + new
    assert (total <= world.most_units).all()
    for p in range(2):
        if new[p].any():
            assert total[p] @ world.unit_hours <= hours[p].sum() * world.uncertainties.hosting_stretch * (1 + 1e-6)
        for i in np.flatnonzero(new[p]):  # each authority leads one intervention
            assert total[p, i] * world.unit_cost[i] * world.match_share[i] <= match * (1 + 1e-6)
