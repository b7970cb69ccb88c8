"""Rule 13: money in = spent + returned + carried, hours by kind, everything counted once; and all of it in every month of whole runs."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from rules_support import (
    CCTV,
    HEALTH,
    HOT_SPOTS,
    INNER,
    JUNE,
    LOCAL_AUTHORITY,
    MARCH,
    MAY,
    OUTER,
    POLICE,
    Bench,
    arrays_of,
    few,
    out_of_range,
    pounds,
    shares,
)

from cspsim.model.rules.accounts import close_books, open_books
from cspsim.model.tallies import AuthorityTally, Tally, Work
from cspsim.model.world import World
from cspsim.one_run.run import Run

SCENARIOS = (
    "baseline",
    "multi-year-settlement",
    "no-cuts",
    "pcc-own-priorities",
    "two-tier-county",
    "renamed-and-merged",
    "thesis-recommendations",
)
PENNY = 0.005
BELOW_ZERO = {Tally.BELIEVED_BENEFIT, Tally.SPILL_OVER_CRIMES}
"""Tallies that may be negative: something may be believed to do harm, and crime may be displaced or fall elsewhere."""


def quiet(**changes: object) -> Bench:
    """Nothing runs, nobody works, nothing is owed."""
    bench = Bench(**changes).set(balance=1e6, opening_balance=1e6, charges=0, afforded=1, spent=0, returned=0, received=0)
    return bench.set(units=0, starts=-1, dose=0, effective_dose=0, work=0, tallies=0, authority_tallies=0)


def tally(bench: Bench, which: Tally, p: int = INNER) -> float:
    """One sum of one partnership."""
    return float(bench.state.tallies[p, which])


def test_bills_worked_by_hand() -> None:
    # standing charges £10,000 of which half is afforded; two units of CCTV at £5,000 less a fifth of match funds; hot spots start later
    bench = quiet().set(charges=10_000, afforded=0.5)
    bench.state.units[:, CCTV], bench.state.starts[:, CCTV] = 2, MAY
    bench.state.units[:, HOT_SPOTS], bench.state.starts[:, HOT_SPOTS] = 1, JUNE
    state = bench.run(close_books, MAY)
    assert state.spent.tolist() == [13_000, 13_000]
    assert state.balance.tolist() == [987_000, 987_000]
    assert tally(bench, Tally.SPENT) == 13_000
    assert (tally(bench, Tally.CARRIED_IN), tally(bench, Tally.CARRIED_OUT)) == (1_000_000, 987_000)


def test_limit_an_empty_pot_pays_nothing_and_what_is_left_pays_in_part() -> None:
    for balance, paid in ((0, 0), (3_000, 3_000), (4_000, 4_000), (9_000, 4_000)):
        bench = quiet().set(balance=balance, starts=MAY)
        bench.state.units[:, CCTV] = 1
        assert bench.run(close_books, MAY).spent.tolist() == [paid, paid]


def test_unspent_annual_grant_goes_back_on_31_march_and_a_longer_award_is_carried() -> None:
    annual = quiet(levers={"award_years": 1})
    assert annual.run(close_books, MARCH - 1).returned.tolist() == [0, 0]
    assert annual.run(close_books, MARCH).returned.tolist() == [1e6, 1e6]
    assert annual.state.balance.tolist() == [0, 0]
    longer = quiet(levers={"award_years": 2})
    assert longer.run(close_books, MARCH).returned.tolist() == [0, 0]
    assert longer.state.balance.tolist() == [1e6, 1e6]


def test_new_books_are_empty() -> None:
    bench = quiet().set(spent=1, returned=1, work=1, tallies=1, authority_tallies=1)
    state = bench.run(open_books, MAY)
    for values in (state.spent, state.returned, state.work, state.tallies, state.authority_tallies):
        assert (values == 0).all()


def test_hours_worked_by_hand() -> None:
    # police 30 delivery + 20 governance of 40 available, local authority 10 challenge + 5 bidding of 100; £35 and £20 an hour
    bench = quiet(hourly_cost=[35, 20, 50]).set(available=[40, 100, 10], unworked=[3, 0, 0])
    bench.state.work[:, POLICE, [Work.DELIVERY, Work.GOVERNANCE]] = [30, 20]
    bench.state.work[:, LOCAL_AUTHORITY, [Work.CHALLENGE, Work.BIDDING]] = [10, 5]
    bench.state.work[:, HEALTH, Work.EVALUATION] = 99
    bench.world.member[:, HEALTH] = 0
    bench.run(close_books, MAY)
    expected = {
        Tally.HOURS: 65,
        Tally.COORDINATOR_HOURS: 15,
        Tally.COORDINATOR_AVAILABLE_HOURS: 100,
        Tally.DELIVERY_HOURS: 30,
        Tally.GOVERNANCE_HOURS: 20,
        Tally.EVALUATION_HOURS: 0,
        Tally.CHALLENGE_HOURS: 10,
        Tally.BIDDING_HOURS: 5,
        Tally.AVAILABLE_HOURS: 140,
        Tally.EXCESS_HOURS: 10,
        Tally.UNWORKED_HOURS: 3,
        Tally.HOURS_COST: 50 * 35 + 15 * 20,
        Tally.GOVERNANCE_COST: 20 * 35,
    }
    assert {which: tally(bench, which) for which in expected} == expected
    own = bench.state.authority_tallies[INNER, :, AuthorityTally.HOURS : AuthorityTally.BIDDING_HOURS + 1]
    assert own.tolist() == [[50, 30, 20, 0, 0, 0], [15, 0, 0, 0, 10, 5], [0] * 6]
    others = [AuthorityTally.MONTHS, AuthorityTally.AVAILABLE_HOURS, AuthorityTally.UNWORKED_HOURS]
    assert bench.state.authority_tallies[INNER][:, others].tolist() == [[1, 40, 3], [1, 100, 0], [0, 0, 0]]


def test_trust_is_counted_by_ordered_pairs_of_those_present() -> None:
    bench = quiet()
    bench.state.trust[:] = np.array([[0, 0.5, 0.9], [0.25, 0, 0.9], [0.9, 0.9, 0]])
    bench.world.member[:, HEALTH] = 0
    bench.run(close_books, MAY)
    assert (tally(bench, Tally.TRUST), tally(bench, Tally.TRUST_PAIRS)) == (0.75, 2)
    own = bench.state.authority_tallies[INNER]
    assert own[:, AuthorityTally.TRUST_PLACED].tolist() == [0.5, 0.25, 0]
    assert own[:, AuthorityTally.TRUST_RECEIVED].tolist() == [0.25, 0.5, 0]
    assert own[:, AuthorityTally.TRUST_PAIRS].tolist() == [1, 1, 0]


def test_crime_counted_by_hand() -> None:
    # burglary £5,000 and severity 400, violence £10,000 and 200; only burglary has a recorded series
    # half of what spills over leaves the simulated partnerships: .5 x (12 x -.1 + 24 x .1) = .6
    bench = quiet(observed=[1, 0], outside=0.5).set(true_crimes=[10, 20], twin_crimes=[11, 30], twin_recorded=[6, 9])
    bench.set(expected_twin=[12, 24], spill_over=[-0.1, 0.1]).state.recorded[:, :, 15] = [5, 8]
    bench.world.first_year[15], bench.world.last_year[15] = 1, 0
    bench.run(close_books, 15)
    expected = {
        Tally.TRUE_CRIMES: 30,
        Tally.TWIN_TRUE_CRIMES: 41,
        Tally.COST_OF_CRIME: 250_000,
        Tally.TWIN_COST_OF_CRIME: 355_000,
        Tally.SEVERITY: 8_000,
        Tally.TWIN_SEVERITY: 10_400,
        Tally.RECORDED_CRIMES: 5,
        Tally.RECORDABLE_CRIMES: 10,
        Tally.TWIN_RECORDED_CRIMES: 6,
        Tally.RECORDED_FIRST_YEAR: 5,
        Tally.RECORDED_LAST_YEAR: 0,
        Tally.FIRST_YEAR_MONTHS: 1,
        Tally.LAST_YEAR_MONTHS: 0,
        Tally.MONTHS: 1,
    }
    assert {which: tally(bench, which) for which in expected} == pytest.approx(expected)
    assert tally(bench, Tally.SPILL_OVER_CRIMES) == pytest.approx(0.6)


def test_first_and_last_year_of_the_window_are_counted_apart() -> None:
    years = {
        "first_year": (Tally.RECORDED_FIRST_YEAR, Tally.CONFIDENCE_FIRST_YEAR, Tally.FIRST_YEAR_MONTHS),
        "last_year": (Tally.RECORDED_LAST_YEAR, Tally.CONFIDENCE_LAST_YEAR, Tally.LAST_YEAR_MONTHS),
    }
    for year in years:
        bench = quiet(first_year=year == "first_year", last_year=year == "last_year")
        bench.state.recorded[:, :, MAY] = 4
        bench.run(close_books, MAY)
        for name, (recorded, confidence, months) in years.items():
            here = name == year
            assert (tally(bench, recorded), tally(bench, months)) == (8 * here, here)
            assert tally(bench, confidence) == bench.state.confidence[INNER] * here


def test_the_commissioners_own_spending_is_booked_to_every_partnership_alike() -> None:
    # £600,000 a year over five partnerships and twelve months
    bench = quiet().set(own_priorities=600_000, received=7)
    bench.run(close_books, MAY)
    assert [tally(bench, Tally.OWN_PRIORITIES, p) for p in (INNER, OUTER)] == [10_000, 10_000]
    assert tally(bench, Tally.RECEIVED) == 7


def test_benefit_believed_planned_and_true_worked_by_hand() -> None:
    # CCTV: 100 burglaries x £5,000 at stake; two planned units reach .1 x 1.5 = .15, one delivered .1
    # believed .3, .1, .2 with influence 1, 2, 1: .175; true .2 x scale .5 = .1
    bench = quiet(influence=[1, 2, 1], effect=0.2, uncertainties={"effect_scale": 0.5, "diminishing": 0.5, "reach_scale": 1})
    bench.state.belief[:, :, CCTV] = [0.3, 0.1, 0.2]
    bench.state.units[:, CCTV], bench.state.effective_dose[:, CCTV] = 2, 1
    bench.set(twin_crimes=[100, 7]).run(close_books, MAY)
    assert tally(bench, Tally.BELIEVED_BENEFIT) == pytest.approx(500_000 * 0.15 * 0.175)
    assert tally(bench, Tally.PLANNED_BENEFIT) == pytest.approx(500_000 * 0.15 * 0.1)
    assert tally(bench, Tally.TRUE_BENEFIT) == pytest.approx(500_000 * 0.1 * 0.1)
    assert tally(bench, Tally.PLANNED_DOSE) == pytest.approx(2 / 12)
    assert tally(bench, Tally.DELIVERED_DOSE) == pytest.approx(1 / 12)


def test_limit_without_effects_nothing_is_true_but_much_believed() -> None:
    bench = quiet(switches={"effects": 0}).set(twin_crimes=100, units=1, effective_dose=1, belief=0.2)
    bench.run(close_books, MAY)
    assert tally(bench, Tally.PLANNED_BENEFIT) == tally(bench, Tally.TRUE_BENEFIT) == 0
    assert tally(bench, Tally.BELIEVED_BENEFIT) > 0


def test_the_delivery_funnel_worked_by_hand() -> None:
    # hot spots: adequate dose and effective; CCTV: adequate, but .02 is not worthwhile; injury data: .4 of two units is not adequate
    numbers = {"adequate_dose_share": 0.5, "worthwhile_effect": 0.05, "effect_scale": 1}
    bench = quiet(uncertainties=numbers, effect=[0.05, 0.02, 0.3]).set(units=[1, 1, 2], starts=0, evaluated=[0, 1, 2])
    bench.set(effective_dose=[0.5, 1, 0.8]).run(close_books, MARCH - 1)
    funnel = slice(Tally.PLANNED_PROJECTS, Tally.STRONGLY_EVALUATED_PROJECTS + 1)
    assert bench.state.tallies[INNER, funnel].tolist() == [0] * 6, "counted each March"
    bench.run(close_books, MARCH)
    assert bench.state.tallies[INNER, funnel].tolist() == [3, 3, 2, 1, 2, 1]
    late = quiet(uncertainties=numbers).set(units=[1, 1, 0], starts=MARCH + 1, evaluated=0, effective_dose=1)
    assert late.run(close_books, MARCH).tallies[INNER, funnel].tolist() == [2, 0, 0, 0, 0, 0]
    # what does not run, has not begun or has too small a dose hides nothing that comes after it in the catalogue
    for first in ({"units": 0}, {"starts": MARCH + 1}, {"effective_dose": 0}):
        after = quiet(uncertainties=numbers, effect=0.3).set(units=1, starts=0, evaluated=0, effective_dose=1)
        for name, value in first.items():
            getattr(after.state, name)[:, HOT_SPOTS] = value
        assert after.run(close_books, MARCH).tallies[INNER, Tally.EFFECTIVE_PROJECTS] == 2, first


def test_confidence_worked_by_hand() -> None:
    # target .5 + .1 x engagement .5 + .2 x visible 3 x .5 / (1.5 + 1.5) - .1 x log(2) = .65 - .0693; a tenth of the way from .4
    numbers = {
        "confidence_base": 0.5,
        "confidence_engagement": 0.1,
        "confidence_visible": 0.2,
        "confidence_visible_half": 1.5,
        "confidence_crime": 0.1,
        "confidence_speed": 0.1,
    }
    bench = quiet(uncertainties=numbers, base=100, popularity=0.5).set(engagement=0.5, dose=1, true_year=2_400, confidence=0.4)
    expected = 0.4 + 0.1 * (0.65 - 0.1 * np.log(2) - 0.4)
    assert bench.run(close_books, MAY).confidence == pytest.approx(expected)
    assert tally(bench, Tally.CONFIDENCE) == pytest.approx(expected)
    worse = bench.set(true_year=4_800, confidence=0.4).run(close_books, MAY).confidence
    assert worse[INNER] < expected, "more crime never raises confidence"


@few
@given(
    arrays_of(pounds, 2),
    arrays_of(some.floats(0, 50_000), 2),
    arrays_of(some.integers(0, 3), 2, 3),
    arrays_of(shares, 2),
    some.integers(0, 59),
)
def test_ranges_and_accounts(balance: np.ndarray, charges: np.ndarray, units: np.ndarray, afforded: np.ndarray, month: int) -> None:
    bench = quiet().set(balance=balance, opening_balance=balance, charges=charges, units=units, starts=0, afforded=afforded, work=1)
    state = bench.run(close_books, month)
    assert out_of_range(state) == []
    assert state.balance + state.spent + state.returned == pytest.approx(balance, abs=PENNY)
    for p in (INNER, OUTER):
        assert_books_balance(bench.state.tallies[p])


def assert_books_balance(tallies: np.ndarray) -> None:
    """Money and hours of one partnership in one month."""
    money_in = tallies[Tally.CARRIED_IN] + tallies[Tally.RECEIVED]
    assert money_in == pytest.approx(tallies[Tally.SPENT] + tallies[Tally.RETURNED] + tallies[Tally.CARRIED_OUT], abs=PENNY)
    kinds = tallies[Tally.DELIVERY_HOURS : Tally.BIDDING_HOURS + 1]
    assert tallies[Tally.HOURS] == pytest.approx(kinds.sum())
    negative = {which.name for which in Tally if tallies[which] < 0 and which not in BELOW_ZERO}
    assert negative == set()


MONEY = ("opening_balance", "received", "spent", "returned", "balance", "own_priorities", "award", "rest_award")


class History(NamedTuple):
    """Every month of a whole run: arrays of the state by name with the month in front, and which arrays left their limits."""

    world: World
    of: dict[str, np.ndarray]
    out_of_range: list[list[str]]


@lru_cache(maxsize=len(SCENARIOS))
def whole_run(scenario: str) -> History:
    """One run of a shipped scenario, kept for all the tests below."""
    run = Run(scenario, seed=7)
    names = (*MONEY, "tallies", "authority_tallies", "work", "trust")
    found: dict[str, list[np.ndarray]] = {name: [] for name in names}
    outside = []
    while not run.finished:
        run.advance()
        for name in names:
            found[name].append(getattr(run.state, name).copy())
        outside.append(out_of_range(run.state))
    return History(run.world, {name: np.array(values) for name, values in found.items()}, outside)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_money_is_accounted_for_to_the_penny_in_every_month(scenario: str) -> None:
    run = whole_run(scenario).of
    money_in = run["opening_balance"] + run["received"]
    assert np.abs(money_in - run["spent"] - run["returned"] - run["balance"]).max() <= PENNY
    assert np.abs(run["opening_balance"][1:] - run["balance"][:-1]).max() <= PENNY, "what is carried out is carried in"
    assert (run["opening_balance"][0] == 0).all()
    assert min(run[name].min() for name in ("received", "spent", "returned", "balance")) >= 0
    assert run["spent"].sum() > 0
    tallied = run["tallies"]
    for name, which in (("received", Tally.RECEIVED), ("spent", Tally.SPENT), ("returned", Tally.RETURNED), ("balance", Tally.CARRIED_OUT)):
        assert (tallied[:, :, which] == run[name]).all()


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_pot_is_shared_out_to_the_penny_every_april(scenario: str) -> None:
    world, run, _ = whole_run(scenario)
    for month in np.flatnonzero(world.year_starts):
        shared_out = run["award"][month].sum() + run["rest_award"][month].sum() + run["own_priorities"][month].sum()
        assert shared_out == pytest.approx(world.pot[month], abs=PENNY)
        assert run["received"][month] == pytest.approx(run["award"][month] + world.direct_grant[month] / world.n_area_partnerships)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_hours_by_kind_are_all_hours_in_every_month(scenario: str) -> None:
    run = whole_run(scenario).of
    tallies, own, work = run["tallies"], run["authority_tallies"], run["work"]
    for month, by_partnership in enumerate(tallies):
        for p, sums in enumerate(by_partnership):
            assert_books_balance(sums)
            assert sums[Tally.HOURS] == pytest.approx(work[month, p].sum()), "nobody works without being counted"
    for whole, part in ((Tally.HOURS, AuthorityTally.HOURS), (Tally.AVAILABLE_HOURS, AuthorityTally.AVAILABLE_HOURS)):
        assert tallies[:, :, whole] == pytest.approx(own[:, :, :, part].sum(axis=2))
    assert tallies[:, :, Tally.HOURS].min() > 0


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_array_stays_within_its_limits_in_every_month(scenario: str) -> None:
    assert [names for names in whole_run(scenario).out_of_range if names] == []


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_nobody_ever_has_a_tie_to_itself(scenario: str) -> None:
    assert (np.diagonal(whole_run(scenario).of["trust"], axis1=2, axis2=3) == 0).all()


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_what_the_table_does_is_counted_once(scenario: str) -> None:
    run = whole_run(scenario).of
    tallies, own = run["tallies"].sum(axis=(0, 1)), run["authority_tallies"].sum(axis=(0, 1, 2))
    for whole, part in (
        (Tally.PROPOSALS, AuthorityTally.PROPOSALS),
        (Tally.ADOPTIONS, AuthorityTally.ADOPTIONS),
        (Tally.CHALLENGES, AuthorityTally.CHALLENGES_MADE),
        (Tally.CHALLENGES, AuthorityTally.CHALLENGES_RECEIVED),
        (Tally.SUPPRESSED_DOUBTS, AuthorityTally.SUPPRESSED_DOUBTS),
        (Tally.NEW_REPRESENTATIVES, AuthorityTally.NEW_REPRESENTATIVES),
    ):
        assert tallies[whole] == own[part] > 0
    assert tallies[Tally.CHALLENGES_HEARD] <= tallies[Tally.CHALLENGES]
    assert tallies[Tally.CHALLENGED_PROPOSALS] <= tallies[Tally.PROPOSALS]
    funnel = [Tally.PLANNED_PROJECTS, Tally.STARTED_PROJECTS, Tally.ADEQUATE_PROJECTS, Tally.EFFECTIVE_PROJECTS]
    assert (np.diff(run["tallies"][:, :, funnel], axis=2) <= 0).all(), "a funnel never widens"
