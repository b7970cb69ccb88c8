"""Rule 6: what stays committed, what money is free, and what goes on the table for whom."""

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
    JANUARY,
    JULY,
    LOCAL_AUTHORITY,
    MARCH,
    MAY,
    NEXT_APRIL,
    OCTOBER,
    OUTER,
    POLICE,
    Bench,
    arrays_of,
    few,
    out_of_range,
    pounds,
    shares,
)

from cspsim.model.luck import new_luck
from cspsim.model.rules.agenda import begin_plan_year, propose_items, take_table
from cspsim.model.rules.assessment import assess_needs
from cspsim.model.rules.decision import decide_items
from cspsim.model.tallies import AuthorityTally, Tally, Trait

PROMPT = {"late_notice_delay": 0, "recruitment_delay": 0, "implementation_failure": 0}
COST = 5_000  # £ a month for one unit of anything in the tiny world; the lead matches a fifth of it


# -------------------------------------------------------------------------------------------------- the year turns


def test_commitments_end_on_31_march_and_the_plan_begins() -> None:
    bench = Bench(uncertainties=PROMPT).set(units=[2, 1, 0], ends=MARCH, since=APRIL, units_next=[0, 1, 3], ends_next=[-1, 23, 23])
    bench.run(begin_plan_year, JANUARY, MARCH)
    assert bench.state.units[INNER].tolist() == [2, 1, 0]
    state = bench.run(begin_plan_year, NEXT_APRIL)
    assert state.units[INNER].tolist() == [0, 1, 3]
    assert state.ends[INNER].tolist() == [-1, 23, 23]
    assert state.since[INNER].tolist() == [-1, APRIL, NEXT_APRIL]  # ended, renewed, new
    assert state.starts[INNER, INJURY_DATA] == NEXT_APRIL
    assert state.units_next.sum() == 0


def test_a_late_start_says_nothing_about_the_quality_of_the_work() -> None:
    numbers = {"late_notice_delay": 4, "recruitment_delay": 4, "implementation_spread": 0.2, "implementation_failure": 0}
    starts, quality = [], []
    for replicate in range(100):
        bench = Bench(uncertainties=numbers, replicate=replicate).set(units_next=1, ends_next=23)
        state = bench.run(begin_plan_year, NEXT_APRIL)
        starts.append(state.starts.ravel().copy())
        quality.append(state.quality.ravel().copy())
    assert abs(np.corrcoef(np.ravel(starts), np.ravel(quality))[0, 1]) < 4 / np.sqrt(600)


def test_awards_of_several_years_carry_over_and_others_are_open_again() -> None:
    bench = Bench(uncertainties=PROMPT).set(units=[2, 1, 3], ends=[MARCH, 23, 35], balance=1e6, allocation=1e6)
    state = bench.run(propose_items, JANUARY)
    assert state.units_next[INNER].tolist() == [0, 1, 3]
    assert state.ends_next[INNER].tolist() == [-1, 23, 35]
    state = bench.run(begin_plan_year, NEXT_APRIL)
    assert state.units[INNER].tolist() == [0, 1, 3]
    assert bench.run(propose_items, JANUARY + 12).units_next[INNER].tolist() == [0, 0, 3]


def test_an_award_that_runs_on_is_not_interrupted_in_april() -> None:
    """Late notice delays renewals and new projects; whoever holds an award for another year just goes on."""
    for replicate in range(20):
        bench = Bench(
            levers={"settlement_known": 0}, uncertainties={"late_notice_delay": 8, "renewal_delay_share": 0.6}, replicate=replicate
        )
        bench.set(units=1, ends=35, since=APRIL, starts=3, balance=1e6, allocation=1e6)
        bench.run(propose_items, JANUARY)
        assert np.all(bench.run(begin_plan_year, NEXT_APRIL).starts <= NEXT_APRIL)


def delays(replicates: int = 150, running: bool = False, settlement_known: float = 0, **numbers: float) -> np.ndarray:
    """Months from April to the first delivery of many planned projects."""
    found = []
    bench = Bench(levers={"settlement_known": settlement_known}, uncertainties={"implementation_failure": 0} | numbers)
    for replicate in range(replicates):
        bench.luck.replicates[:] = replicate
        bench.set(units=1 if running else 0, units_next=1, ends_next=23, ends=MARCH)
        found.append(bench.run(begin_plan_year, NEXT_APRIL).starts.ravel() - NEXT_APRIL)
    return np.array(found)


def test_delays_are_exponential_and_never_beyond_a_year() -> None:
    found = delays(late_notice_delay=3, recruitment_delay=2)
    assert found.min() == 0
    assert found.max() == 12
    # mean 3 + 2 = 5 months: 1 - exp(-1/5) = 0.181 start in April, exp(-12/5) = 0.091 not within the year (900 draws)
    assert np.mean(found == 0) == pytest.approx(1 - np.exp(-1 / 5), abs=0.05)
    assert np.mean(found == 12) == pytest.approx(np.exp(-12 / 5), abs=0.04)


def test_knowing_the_settlement_and_running_already_shorten_delays() -> None:
    numbers = {"late_notice_delay": 6, "recruitment_delay": 2, "renewal_delay_share": 0.3}
    means = [delays(60, settlement_known=known, **numbers).mean() for known in (0, 0.5, 1)]
    assert means == sorted(means, reverse=True)
    assert means[0] > means[2] + 1
    renewals = delays(running=True, **numbers)
    assert np.mean(renewals == 0) == pytest.approx(1 - np.exp(-1 / (6 * 0.3)), abs=0.06)  # mean 1.8 months, 900 draws
    assert renewals.mean() < means[0] - 1
    assert delays(60, running=True, settlement_known=1, **numbers).max() == 0


def test_some_new_projects_do_not_get_off_the_ground_in_their_first_year_but_renewals_do() -> None:
    never = {"late_notice_delay": 0, "recruitment_delay": 0, "implementation_failure": 0.3}
    found = delays(**never)
    assert set(found.ravel().tolist()) == {0, 12}
    assert np.mean(found == 12) == pytest.approx(0.3, abs=0.06)
    assert delays(30, running=True, **never).max() == 0


def test_quality_spreads_around_usual_and_is_kept_by_renewals() -> None:
    found = []
    bench = Bench(uncertainties=PROMPT | {"implementation_spread": 0.2})
    for replicate in range(150):
        bench.luck.replicates[:] = replicate
        bench.set(units=0, units_next=1)
        found.append(bench.run(begin_plan_year, NEXT_APRIL).quality.ravel().copy())
    assert np.mean(found) == pytest.approx(1, abs=0.03)
    assert np.std(found) == pytest.approx(0.2, rel=0.1)
    bench.set(units=1, units_next=1, quality=0.77)
    assert bench.run(begin_plan_year, 24).quality.ravel().tolist() == [0.77] * 6


@few
@given(
    month=some.sampled_from([0, 12, 24]),
    units=arrays_of(some.integers(0, 3), 2, 3),
    units_next=arrays_of(some.integers(0, 3), 2, 3),
    known=shares,
    late=some.floats(1, 8),
    recruitment=some.floats(1, 6),
    replicate=some.integers(0, 2**64 - 1),
)
def test_ranges_when_the_year_turns(month, units, units_next, known, late, recruitment, replicate) -> None:  # type: ignore[no-untyped-def]
    bench = Bench(levers={"settlement_known": known}, uncertainties={"late_notice_delay": late, "recruitment_delay": recruitment})
    bench.luck = new_luck(1, replicate)
    state = bench.set(units=units, units_next=units_next, ends_next=month + 11).run(begin_plan_year, month)
    assert out_of_range(state) == []
    assert state.units.tolist() == units_next.tolist()
    begun = state.starts[units_next > 0] - month
    assert np.all((begun >= 0) & (begun <= 12))
    assert np.all((state.since >= 0) == ((units_next > 0) & (units == 0)))


def test_quality_stays_in_its_range_however_lucky() -> None:
    bench = Bench(uncertainties=PROMPT | {"implementation_spread": 3})  # as far out as a very rare draw at a usual spread
    for replicate in range(30):
        bench.luck.replicates[:] = replicate
        assert out_of_range(bench.set(units=0, units_next=1).run(begin_plan_year, NEXT_APRIL)) == []


# ------------------------------------------------------------------------------------------------------------ money


def test_free_money_of_this_year_by_hand() -> None:
    bench = Bench().set(balance=200_000, charges=2_000)
    bench.state.units[INNER] = [1, 2, 0]
    # July to March: 9 months. £200,000 - 9 x £2,000 - 9 x 3 units x £4,000 from the pot = £74,000.
    assert bench.run(propose_items, JULY).free_money[INNER] == pytest.approx(74_000)
    assert bench.state.free_money[OUTER] == pytest.approx(182_000)


def test_free_money_of_next_year_by_hand() -> None:
    bench = Bench(pot=0, levers={"settlement_known": 0.5}).set(allocation=120_000, balance=3, charges=1_000)
    bench.world.direct_grant[:] = 1_000_000
    bench.world.direct_grant[NEXT_APRIL:] = 500_000
    bench.state.units[INNER] = [2, 1, 0]
    bench.state.ends[INNER] = [MARCH, 23, -1]
    # Half of the coming cut is known: £120,000 x 0.75 = £90,000, less 12 x £1,000, less 12 x £4,000 for the unit that runs on.
    assert bench.run(propose_items, JANUARY).free_money == pytest.approx([30_000, 78_000])


def test_without_a_grant_so_far_next_years_is_divided_flat() -> None:
    bench = Bench(levers={"settlement_known": 1}, pot=0, direct_grant=0)
    bench.world.pot[NEXT_APRIL:] = 500_000
    assert bench.run(propose_items, JANUARY).free_money == pytest.approx([100_000, 100_000])


@few
@given(
    month=some.sampled_from([APRIL, JULY, OCTOBER]),
    balance=arrays_of(pounds, 2),
    charges=arrays_of(some.floats(0, 20_000), 2),
    units=arrays_of(some.integers(0, 3), 2, 3),
    belief=arrays_of(some.floats(-0.2, 0.8), 2, 3, 3),
)
def test_free_money_is_never_spent_twice(month, balance, charges, units, belief) -> None:  # type: ignore[no-untyped-def]
    bench = Bench(match_funds=1e9).set(balance=balance, charges=charges, units=units, belief=belief, available=1e6, afforded=1)
    state = bench.state
    bench.run(assess_needs, month)
    free = bench.run(propose_items, month).free_money.copy()
    bench.run(take_table, month)
    bench.run(decide_items, month)
    bought = (state.units - units).sum(axis=1) * bench.world.months_left[month] * COST * 0.8
    again = bench.run(propose_items, month).free_money
    assert out_of_range(state) == []
    assert again == pytest.approx(free - bought, abs=0.01)
    assert np.all(bought <= np.maximum(free, 0) + 0.01)
    if np.all(free <= 0):
        assert state.tabled.sum() == 0


# ------------------------------------------------------------------------------------------------------- proposals


def meeting(month: int = JULY, proposals: int = 2, **changes: object) -> Bench:
    """Money enough, half the need in each crime type, and authorities that may each table two items."""
    bench = Bench(
        uncertainties={"proposals_per_authority": proposals, "own_lead_preference": 1.5, "diminishing": 0.5, "optimism": 0.4}, **changes
    )
    return bench.set(balance=1e6, allocation=1e6, need=[0.25, 0.75], belief=0.1)


def test_scores_by_hand() -> None:
    bench = meeting()
    bench.state.units[INNER, HOT_SPOTS] = 1
    bench.state.belief[INNER, POLICE] = [0.4, 0.2, -0.1]
    score = bench.run(propose_items, JULY).score[INNER, POLICE]
    # Hot spots: 0.4 x second unit's reach 0.1 x 0.5 x (0.6 x 0.25 + 0.4 x 0.75 = 0.45) / £5,000 x 1.5 as own lead
    # CCTV: 0.2 x 0.1 x 0.25 / £5,000. Injury data: -0.1 x 0.1 x 0.75 / £5,000.
    assert score == pytest.approx([0.4 * 0.05 * 0.45 / 5000 * 1.5, 0.2 * 0.1 * 0.25 / 5000, -0.1 * 0.1 * 0.75 / 5000])


@pytest.mark.parametrize(("proposals", "tabled"), [(1, [0, 0, 1]), (2, [0, 1, 1]), (3, [0, 1, 1])])
def test_the_best_few_with_a_positive_score_are_tabled(proposals: int, tabled: list[int]) -> None:
    bench = meeting(proposals=proposals)
    bench.state.belief[INNER, LOCAL_AUTHORITY] = [-0.1, 0.3, 0.3]
    # CCTV 0.25 x 1.5 as own lead = 0.375 beats nothing but doubt; injury data 0.75 beats it
    assert bench.run(propose_items, JULY).tabled[INNER, LOCAL_AUTHORITY].tolist() == tabled


def test_what_nobody_can_lead_or_has_no_room_is_not_tabled() -> None:
    bench = meeting(proposals=3)
    bench.world.lead[INNER, HOT_SPOTS] = -1
    bench.state.units[INNER, CCTV] = bench.world.most_units[CCTV]
    assert bench.run(propose_items, JULY).tabled[INNER].tolist() == [[0, 0, 1]] * 3
    # the January meeting plans anew, so there is room for CCTV again
    assert bench.run(propose_items, JANUARY).tabled[INNER, POLICE].tolist() == [0, 1, 1]


def test_nobody_tables_between_meetings_or_without_money_or_without_a_seat() -> None:
    bench = meeting()
    assert bench.run(propose_items, JULY).tabled.sum() > 0
    bench.run(take_table, JULY)
    bench.run(propose_items, MAY)
    bench.run(take_table, MAY)
    assert (bench.state.tabled.sum(), bench.state.on_table.sum(), bench.state.sponsor.max()) == (0, 0, -1)
    bench.world.member[INNER, HEALTH] = 0
    assert bench.run(propose_items, JULY).tabled[INNER, HEALTH].sum() == 0
    assert bench.set(balance=0).run(propose_items, JULY).tabled.sum() == 0


def test_ending_commitments_come_up_for_renewal_by_their_lead_beyond_the_best_few() -> None:
    bench = meeting(proposals=1)
    bench.set(units=[1, 1, 1], ends=[MARCH, MARCH, 23])
    bench.state.belief[INNER] = [0.5, 0.1, 0.5]
    bench.state.belief[INNER, LOCAL_AUTHORITY] = [0.5, 0.01, 0.9]
    tabled = bench.run(propose_items, JANUARY).tabled[INNER]
    # Injury data is best for everybody (0.75 of need); police and council also renew what they lead, health's award runs on.
    assert tabled.tolist() == [[1, 0, 1], [0, 1, 1], [0, 0, 1]]
    bench.state.belief[INNER, LOCAL_AUTHORITY, CCTV] = -0.01  # what its lead no longer believes in is not renewed
    assert bench.run(propose_items, JANUARY).tabled[INNER, LOCAL_AUTHORITY].tolist() == [0, 0, 1]
    assert bench.run(propose_items, JULY).tabled[INNER].sum() == 3  # commitments end in March only: one each, nothing to renew


def test_equal_scores_tie_by_name() -> None:
    for first, second in [(HOT_SPOTS, CCTV), (CCTV, HOT_SPOTS)]:
        bench = meeting(proposals=1, profile=1)
        bench.state.belief[INNER, HEALTH] = [0.1, 0.1, 0]  # leads neither
        bench.world.intervention_key[[first, second]] = [8, 7]
        tabled = bench.run(propose_items, JULY).tabled[INNER, HEALTH]
        assert (tabled[first], tabled[second]) == (1, 0)


@few
@given(beliefs=some.tuples(some.floats(-0.5, 1), some.floats(-0.5, 1)), others=arrays_of(some.floats(-0.5, 1), 2))
def test_believing_more_never_takes_an_item_off_ones_list(beliefs, others) -> None:  # type: ignore[no-untyped-def]
    tabled = []
    for belief in sorted(beliefs):
        bench = meeting(proposals=1)
        bench.state.belief[INNER, POLICE] = [belief, *others]
        tabled.append(bench.run(propose_items, JULY).tabled[INNER, POLICE, HOT_SPOTS])
    assert tabled[1] >= tabled[0]


# -------------------------------------------------------------------------------------------------------- the table


def tabled_by(*authorities: int, **changes: object) -> Bench:
    """Inner's July meeting at which these authorities mean to table CCTV."""
    bench = meeting(**changes)
    bench.run(propose_items, JULY)
    bench.set(tabled=0)
    bench.state.tabled[INNER, list(authorities), CCTV] = 1
    return bench


def test_the_sponsor_is_the_most_convinced_influential_member_and_boasts() -> None:
    bench = tabled_by(POLICE, HEALTH, influence=[1, 5, 3])
    bench.state.belief[INNER, :, CCTV] = [0.25, 0.9, 0.1]  # weights 0.25 and 0.3; the council did not table it
    bench.state.traits[INNER, HEALTH, Trait.ASSERTIVENESS] = 0.25
    state = bench.run(take_table, JULY)
    assert state.on_table[INNER].tolist() == [0, 1, 0]
    assert state.sponsor[INNER].tolist() == [-1, HEALTH, -1]
    assert state.claim[INNER, CCTV] == pytest.approx(0.1 + 0.4 * (0.5 + 0.25) * 0.1)
    assert (state.tallies[INNER, Tally.PROPOSALS], state.authority_tallies[INNER, HEALTH, AuthorityTally.PROPOSALS]) == (1, 1)


def test_even_doubtful_sponsors_claim_more_than_they_believe_unless_switched_off() -> None:
    bench = tabled_by(POLICE)
    bench.state.belief[INNER, POLICE, CCTV] = -0.2
    assert bench.run(take_table, JULY).claim[INNER, CCTV] > -0.2
    bench = tabled_by(POLICE, switches={"optimism": 0})
    bench.state.belief[INNER, POLICE, CCTV] = 0.2
    assert bench.run(take_table, JULY).claim[INNER, CCTV] == 0.2


@pytest.mark.parametrize("keys", [[7, 8, 9], [9, 8, 7], [8, 9, 7]])
def test_sponsors_tie_by_name(keys: list[int]) -> None:
    bench = tabled_by(POLICE, LOCAL_AUTHORITY, HEALTH, influence=1)
    bench.world.authority_key[INNER] = keys
    assert bench.run(take_table, JULY).sponsor[INNER, CCTV] == int(np.argmax(keys))


def test_an_intention_that_cannot_be_is_not_taken() -> None:
    """An agent may rewrite its row; the table takes no item from an absent member, without a lead, without money or room."""
    bench = tabled_by(HEALTH)
    bench.world.member[INNER, HEALTH, JULY] = 0
    assert bench.run(take_table, JULY).on_table.sum() == 0
    bench = tabled_by(HEALTH)
    bench.world.lead[INNER, CCTV, JULY] = -1
    assert bench.run(take_table, JULY).on_table.sum() == 0
    bench = tabled_by(HEALTH).set(free_money=0)
    assert bench.run(take_table, JULY).on_table.sum() == 0
    bench = tabled_by(HEALTH)
    bench.state.units[INNER, CCTV] = 3
    assert bench.run(take_table, JULY).on_table.sum() == 0
