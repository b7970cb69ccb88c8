"""Rule 2: the pot is divided by the rule that the levers state, and every penny of it is accounted for."""

from math import exp

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from rules_support import (
    APRIL,
    BURGLARY,
    INNER,
    LOCAL_AUTHORITY,
    MAY,
    NEXT_APRIL,
    OUTER,
    Bench,
    arrays_of,
    few,
    out_of_range,
    pounds,
    shares,
)

from cspsim.model.rules.commissioning import divide_pot
from cspsim.model.tallies import Tally, Work

CRITERIA = ("flat", "population", "need", "evidence", "relationship", "bids", "history")
POT = 1_000_000.0


def commissioned(
    levers: dict[str, float] | None = None, uncertainties: dict[str, float] | None = None, pot: float = POT, **weights: float
) -> Bench:
    """A bench with a pot and no direct grant, divided by these weights alone; everything else at 0."""
    plain: dict[str, float] = {f"weight_{criterion}": weights.get(criterion, 0.0) for criterion in CRITERIA}
    plain |= {"top_slice": 0, "floor": 0, "evaluation_condition": 0}
    return Bench(levers=plain | (levers or {}), uncertainties=uncertainties, pot=pot, direct_grant=0)


def shares_of(bench: Bench, month: int = NEXT_APRIL) -> list[float]:
    """Awards of the two partnerships and of the rest of the area, as shares of what was divided."""
    state = bench.run(divide_pot, month)
    return [float(pounds) / POT for pounds in (*state.award, state.rest_award[0])]


# --------------------------------------------------------------------------------------------- each criterion alone


def test_all_at_once_by_hand() -> None:
    bench = commissioned(
        {"top_slice": 0.1, "evaluation_condition": 0.5},
        {"clawback_share": 0.4, "relationship_value": 0},
        flat=1,
        population=1,
        relationship=2,
    ).set(evaluated_share=[1, 0.25], balance=500)
    bench.world.direct_grant[:] = 100_000
    state = bench.run(divide_pot, NEXT_APRIL)
    # £100,000 is top-sliced. Claims: (1 x 1/5 + 1 x 0.3 + 2 x 1/5) / 4 = 0.225 and (1/5 + 0.2 + 2/5) / 4 = 0.2.
    # £202,500 for inner, all of it evaluated; £180,000 for outer, which loses 0.5 x 0.4 x 0.75 = 15 % of it.
    assert state.own_priorities[0] == pytest.approx(100_000)
    assert state.award == pytest.approx([202_500, 153_000])
    assert state.withheld == pytest.approx([0, 27_000])
    assert state.tallies[:, Tally.WITHHELD] == pytest.approx([0, 27_000])
    assert state.rest_award[0] == pytest.approx(544_500)
    # A fifth of the direct grant comes on top, and both go to what is left of last year.
    assert state.allocation == pytest.approx([222_500, 173_000])
    assert state.received == pytest.approx([222_500, 173_000])
    assert state.balance == pytest.approx([223_000, 173_500])


def test_flat_alone_gives_every_partnership_of_the_area_the_same() -> None:
    assert shares_of(commissioned(flat=1)) == pytest.approx([0.2, 0.2, 0.6])


def test_no_weight_at_all_is_flat() -> None:
    assert shares_of(commissioned()) == pytest.approx([0.2, 0.2, 0.6])


def test_population_alone_gives_population_shares() -> None:
    assert shares_of(commissioned(population=0.3)) == pytest.approx([0.3, 0.2, 0.5])


def test_need_alone_gives_shares_of_recorded_crime() -> None:
    bench = commissioned(need=1)
    bench.state.recorded_year[:] = [[5000, 6000], [1000, 1500]]
    # the rest of the area records 40,000 - 13,500 = 26,500
    assert shares_of(bench) == pytest.approx([11 / 40, 2.5 / 40, 26.5 / 40])


def test_need_knows_the_first_year_too() -> None:
    """In the first April nothing has been recorded yet; the partnerships' usual recorded crime stands in for it."""
    assert shares_of(commissioned(need=1), APRIL) == pytest.approx([10 / 40, 3.5 / 40, 26.5 / 40], rel=0.02)


def test_need_claims_nothing_where_no_crime_is_recorded() -> None:
    bench = commissioned(need=1, flat=1)
    bench.set(recorded_year=0).world.rest_recorded[:] = 0
    assert shares_of(bench)[:2] == pytest.approx([0.1, 0.1]), "half of a flat share"


def test_need_counts_only_crime_types_with_a_series() -> None:
    bench = commissioned(need=1)
    bench.world.observed[BURGLARY] = 0
    bench.state.recorded_year[:] = [[5000, 6000], [1000, 1500]]
    assert shares_of(bench) == pytest.approx([6 / 34, 1.5 / 34, 26.5 / 34])


def test_evidence_alone_gives_shares_by_strongly_evaluated_work() -> None:
    bench = commissioned(uncertainties={"evidence_value": 2, "rest_evidence_share": 0.25}, evidence=1).set(evidence_value=[1, 0.5])
    # scores 1 + 2 x 1 = 3 and 1 + 2 x 0.5 = 2; three others with 1 + 2 x 0.25 = 1.5 each
    assert shares_of(bench) == pytest.approx([3 / 9.5, 2 / 9.5, 4.5 / 9.5])


def test_relationship_alone_gives_shares_by_trust() -> None:
    bench = commissioned(uncertainties={"relationship_value": 2}, relationship=1).set(funder_trust=[1, 0.5])
    assert shares_of(bench) == pytest.approx([exp(1) / (exp(1) + 4), 1 / (exp(1) + 4), 3 / (exp(1) + 4)])


def test_bids_alone_give_shares_by_skill_that_overload_wears() -> None:
    numbers = {"bid_skill_value": 10, "bid_noise": 0, "bid_overload_loss": 0.1, "bid_hours": 100}
    bench = commissioned(uncertainties=numbers, bids=1)
    bench.state.load[INNER, LOCAL_AUTHORITY] = 3
    # skill 0.6 less 0.1 x (3 - 1) = 0.4, and 0.4 without overload; the others 0.5
    assert shares_of(bench) == pytest.approx([exp(-1) / (2 * exp(-1) + 3), exp(-1) / (2 * exp(-1) + 3), 3 / (2 * exp(-1) + 3)])
    assert bench.state.work[:, LOCAL_AUTHORITY, Work.BIDDING] == pytest.approx([100, 100])


def test_judges_err_but_not_on_average() -> None:
    numbers = {"bid_skill_value": 0, "bid_noise": 0.3}
    log_ratios = []
    for replicate in range(60):
        bench = commissioned(uncertainties=numbers, bids=1)
        bench.luck.replicates[:] = replicate
        inner, outer, rest = shares_of(bench)
        log_ratios += [np.log(inner / rest * 3), np.log(outer / rest * 3)]
    assert np.std(log_ratios) == pytest.approx(0.3, rel=0.25)
    assert abs(np.mean(log_ratios)) < 4 * 0.3 / np.sqrt(len(log_ratios))


def test_without_weight_bids_cost_no_hours() -> None:
    bench = commissioned(flat=1)
    assert bench.run(divide_pot, NEXT_APRIL).work.sum() == 0


def test_history_alone_gives_last_years_shares() -> None:
    assert shares_of(commissioned(history=1).set(claims=[0.5, 0.1, 0.4])) == pytest.approx([0.5, 0.1, 0.4])


def test_history_without_a_past_is_flat() -> None:
    assert shares_of(commissioned(history=1), APRIL) == pytest.approx([0.2, 0.2, 0.6])


def test_history_remembers_over_the_years_what_another_rule_gave() -> None:
    bench = commissioned(population=1)
    shares_of(bench, APRIL)
    bench.world.levers.weight_population[:] = 0
    bench.world.levers.weight_history[:] = 1
    for month in (12, 24, 36):
        assert shares_of(bench, month) == pytest.approx([0.3, 0.2, 0.5])


# ------------------------------------------------------------------------------------------------ floors and clawback


def test_floor_protects_losers_and_gainers_pay_in_proportion() -> None:
    bench = commissioned({"floor": 0.9}, flat=1).set(award=[400_000, 100_000])
    # inner keeps 0.9 x 400,000; what is left, 0.64, is shared by the claims 0.2 and 0.6 of the others
    assert shares_of(bench) == pytest.approx([0.36, 0.16, 0.48])


def test_a_floor_of_one_is_a_ratchet() -> None:
    """Whatever the formula says and though the pot shrinks, no award falls; the rest of the area pays."""
    bench = commissioned({"floor": 1}, population=1)
    last = np.zeros(2)
    for year, (pot, population) in enumerate([(1e6, [3e5, 2e5]), (8e5, [1e5, 4e5]), (7e5, [4e5, 1e5])]):
        bench.world.pot[:] = pot
        bench.world.population[:] = population
        award = bench.run(divide_pot, 12 * year).award.copy()
        assert np.all(award >= last - 0.005)
        last = award


def test_who_pays_for_the_losers_does_not_fall_below_the_floor_in_turn() -> None:
    bench = commissioned({"floor": 1}, population=1).set(award=[480_000, 450_000])
    bench.world.population[:] = [500_000, 300_000]
    # outer (claim 0.30) is lifted to 0.45; inner (claim 0.50) may pay no more than down to 0.48; the rest has 0.07 left
    assert shares_of(bench) == pytest.approx([0.48, 0.45, 0.07])


@few
@given(
    floor=some.sampled_from([0.8, 1.0]) | shares,
    kept=arrays_of(some.floats(0.3, 0.5) | some.floats(0, 0.5), 2),
    population=arrays_of(some.floats(0, 500_000), 2),
)
def test_no_award_falls_below_the_floor_while_the_pot_can_pay_it(floor, kept, population) -> None:  # type: ignore[no-untyped-def]
    bench = commissioned({"floor": floor}, population=1).set(award=kept * POT)
    bench.world.population[:] = population
    state = bench.run(divide_pot, NEXT_APRIL)
    assert np.all(state.award >= floor * kept * POT - 0.005)


@pytest.mark.parametrize("last", [[1_200_000, 100_000], [900_000, 600_000], [3_000_000, 1_000_000]])
def test_a_pot_too_small_for_all_floors_is_shared_in_proportion_to_them(last: list[float]) -> None:
    bench = commissioned({"floor": 1}, population=1).set(award=last)
    assert shares_of(bench) == pytest.approx([last[0] / sum(last), last[1] / sum(last), 0], abs=1e-9)


def test_evaluate_or_lose_withholds_from_what_is_not_evaluated() -> None:
    awards = []
    for condition in (0, 0.5, 1):
        bench = commissioned({"evaluation_condition": condition}, {"clawback_share": 0.3}, flat=1).set(evaluated_share=[1, 0])
        awards.append(bench.run(divide_pot, NEXT_APRIL).award.copy())
    assert np.array(awards) == pytest.approx(np.array([[2e5, 2e5], [2e5, 1.7e5], [2e5, 1.4e5]]))


# ------------------------------------------------------------------------------------------------------- when and what


def test_only_april_brings_money() -> None:
    bench = commissioned(flat=1).set(balance=1000)
    state = bench.run(divide_pot, MAY)
    assert (state.balance.tolist(), state.received.tolist(), state.award.tolist()) == ([1000, 1000], [0, 0], [0, 0])
    assert state.opening_balance.tolist() == [1000, 1000]
    assert bench.run(divide_pot, NEXT_APRIL, NEXT_APRIL + 1).received.tolist() == [0, 0]


def test_the_first_allocation_is_what_posts_are_measured_by() -> None:
    bench = commissioned(flat=1)
    bench.run(divide_pot, APRIL)
    bench.world.pot[:] = POT / 2
    state = bench.run(divide_pot, NEXT_APRIL)
    assert state.reference_allocation == pytest.approx([200_000, 200_000])
    assert state.allocation == pytest.approx([100_000, 100_000])


def test_charges_are_paid_as_far_as_the_balance_goes() -> None:
    bench = commissioned(flat=1).set(balance=[300, 300], charges=[400, 0])
    assert bench.run(divide_pot, MAY).afforded.tolist() == [0.75, 1]


@few
@given(
    weights=arrays_of(shares, 7),
    at_stake=arrays_of(some.integers(0, 20_000), 2, 2),
    more=some.integers(0, 20_000),
)
def test_more_need_never_lowers_a_need_weighted_award(weights, at_stake, more) -> None:  # type: ignore[no-untyped-def]
    awards = []
    for extra in (0, more):
        bench = commissioned(**dict(zip(CRITERIA, weights, strict=True))).set(claims=[0.3, 0.1, 0.6], recorded_year=at_stake)
        bench.state.recorded_year[INNER, BURGLARY] += extra
        awards.append(bench.run(divide_pot, NEXT_APRIL).award.copy())
    assert awards[1][INNER] >= awards[0][INNER] - 0.005
    assert awards[1][OUTER] <= awards[0][OUTER] + 0.005


@few
@given(
    month=some.sampled_from([0, 12, 24]),
    weights=arrays_of(shares, 7),
    top_slice=some.floats(0, 0.9),
    floor=shares,
    condition=shares,
    pot=pounds,
    last=arrays_of(pounds, 2),
    past=arrays_of(shares, 2),
    evaluated=arrays_of(shares, 2),
    recorded=arrays_of(some.integers(0, 20_000), 2, 2),
)
def test_pot_is_top_slice_awards_and_rest_to_the_penny(  # type: ignore[no-untyped-def]
    month, weights, top_slice, floor, condition, pot, last, past, evaluated, recorded
) -> None:
    levers = {"top_slice": top_slice, "floor": floor, "evaluation_condition": condition}
    bench = commissioned(levers, pot=pot, **dict(zip(CRITERIA, weights, strict=True)))
    bench.set(award=last, claims=[past[0] / 2, past[1] / 2, 1 - past.sum() / 2], evaluated_share=evaluated, recorded_year=recorded)
    bench.set(balance=100)
    state = bench.run(divide_pot, month)
    assert out_of_range(state) == []
    assert state.own_priorities[0] == pytest.approx(pot * top_slice)
    assert state.own_priorities[0] + state.award.sum() + state.rest_award[0] == pytest.approx(pot, abs=0.005)
    assert state.claims.sum() == pytest.approx(1)
    # the rest is no mere remainder: it has its own claim, and what is withheld from others goes there
    assert state.rest_award[0] == pytest.approx((pot - state.own_priorities[0]) * state.claims[-1] + state.withheld.sum(), abs=0.005)
    assert state.balance - 100 == pytest.approx(state.received)
    assert np.all(state.withheld <= (state.award + state.withheld) * bench.world.uncertainties.clawback_share * condition + 0.005)
