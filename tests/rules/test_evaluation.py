"""Rule 11: what is evaluated, how well, what everybody then believes, and how the rest drifts up."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from rules_support import (
    BURGLARY,
    CCTV,
    DECEMBER,
    HEALTH,
    INNER,
    LOCAL_AUTHORITY,
    MAY,
    OUTER,
    POLICE,
    Bench,
    arrays_of,
    few,
    out_of_range,
    shares,
)
from scipy import stats

from cspsim.model.counts import negative_binomial_quantile
from cspsim.model.luck import new_luck
from cspsim.model.rules.agenda import begin_plan_year
from cspsim.model.rules.delivery import deliver_units
from cspsim.model.rules.evaluation import evaluate_projects, intend_evaluations
from cspsim.model.rules.workload import share_work
from cspsim.model.tallies import AuthorityTally, Trait, Work

REVIEW = DECEMBER + 24
ADOPTED = 12
BEFORE, AFTER = slice(0, 12), slice(REVIEW - 11, REVIEW + 1)
WEAK, STRONG = {"evaluation_quality": 0}, {"evaluation_quality": 1}
COSTS = {
    "weak_evaluation_cost": 1_000,
    "weak_evaluation_hours": 30,
    "strong_evaluation_cost": 8_000,
    "strong_evaluation_hours": 120,
    "weak_design_doubt": 0.1,
    "belief_ageing": 0,
    "diminishing": 0.75,
    "reach_scale": 1,
}


def running(before: float = 1_200, after: float = 1_200, **changes: object) -> Bench:
    """One unit of everything since the second April, with these recorded crimes of each type in the year before and the latest."""
    bench = Bench(**{**changes, "uncertainties": {**COSTS, **changes.get("uncertainties", {})}})
    bench.set(units=1, since=ADOPTED, starts=ADOPTED, effective_dose=1, recorded=0, balance=1e6, charges=0, spent=0, work=0, load=0)
    bench.set(belief=0.3, belief_variance=0.01, evaluates=0).state.traits[:] = 0.5
    bench.state.recorded[:, :, BEFORE] = before / 12
    bench.state.recorded[:, :, AFTER] = after / 12
    return bench


def evaluated(bench: Bench, by: int = LOCAL_AUTHORITY, item: int = CCTV) -> Bench:
    """The review at which this authority evaluates this item in both partnerships."""
    bench.state.evaluates[:, by, item] = 1
    bench.run(evaluate_projects, REVIEW)
    return bench


def evaluating_share(bench: Bench, replicates: int = 500) -> float:
    """Share of running projects that their leads mean to evaluate, over one review in each replicate."""
    meant = 0.0
    for replicate in range(replicates):
        bench.luck = new_luck(1, replicate)
        meant += float(bench.run(intend_evaluations, REVIEW).evaluates.sum())
    return meant / (6 * replicates)


def test_chance_of_evaluation_worked_by_hand() -> None:
    # base .1 + ethos .5 x .4 + mindedness .4 x (.75 - .5) + condition .3 x .5 - overload .3 x (1.5 - 1) = .4
    numbers = {"evaluation_base": 0.1, "ethos_value": 0.5, "mindedness_value": 0.4, "condition_value": 0.3, "evaluation_overload": 0.3}
    bench = running(uncertainties=numbers, levers={"evaluation_ethos": 0.4, "evaluation_condition": 0.5}).set(load=1.5)
    bench.state.traits[:, :, Trait.EVALUATION_MINDEDNESS] = 0.75
    # 3,000 chances: standard error .009, and each reason is worth .1 or more
    assert evaluating_share(bench) == pytest.approx(0.4, abs=0.04)


def test_only_the_lead_means_to_evaluate() -> None:
    sure = {"evaluation_base": 1, "mindedness_value": 0}
    evaluates = running(uncertainties=sure).run(intend_evaluations, REVIEW).evaluates
    assert evaluates[INNER].tolist() == np.eye(3).tolist(), "police hot spots, local authority CCTV, health injury data"


@pytest.mark.parametrize(
    "reason",
    [
        {"units": 0},
        {"since": REVIEW - 2, "starts": REVIEW - 2},  # too young
        {"since": REVIEW - 12, "begun": REVIEW - 2},  # adopted long ago, but started late
        {"recorded": 0},
    ],
)
def test_limit_what_does_not_run_or_leaves_no_trace_is_not_evaluated(reason: dict) -> None:
    numbers = {"evaluation_base": 1, "evaluation_after_months": 6}
    assert running(uncertainties=numbers).run(intend_evaluations, REVIEW).evaluates.sum() == 6
    assert running(uncertainties=numbers).set(**reason).run(intend_evaluations, REVIEW).evaluates.sum() == 0


def test_limit_no_evaluation_outside_reviews_without_the_mechanism_or_without_a_series() -> None:
    sure = {"evaluation_base": 1}
    assert running(uncertainties=sure).run(intend_evaluations, MAY + 24).evaluates.sum() == 0
    assert running(uncertainties=sure, switches={"evaluation": 0}).run(intend_evaluations, REVIEW).evaluates.sum() == 0
    unobserved = running(uncertainties=sure, observed=[0, 1]).run(intend_evaluations, REVIEW).evaluates
    assert unobserved[INNER].sum(axis=0).tolist() == [1, 0, 1], "CCTV works on burglary alone"


def test_what_has_lost_its_lead_is_not_evaluated() -> None:
    bench = running(uncertainties={"evaluation_base": 1})
    bench.world.lead[:, CCTV, REVIEW] = -1
    bench.set(evaluates=1).run(evaluate_projects, REVIEW)
    assert bench.state.evaluated[:, CCTV].sum() == 0
    assert (np.delete(bench.state.evaluated, CCTV, axis=1) > 0).all()


def test_a_single_recorded_crime_is_a_trace() -> None:
    bench = running(uncertainties={"evaluation_base": 1}).set(recorded=1 / 12, recorded_year=1)
    assert bench.run(intend_evaluations, REVIEW).evaluates.sum() == 6


def test_a_project_that_has_run_for_years_may_be_evaluated_however_late_it_was_renewed() -> None:
    # running without a break since the second April; renewed this April, eight months ago
    bench = running(uncertainties={"evaluation_base": 1, "evaluation_after_months": 9, "late_notice_delay": 0})
    bench.set(units_next=1, ends_next=35).run(begin_plan_year, 24)
    assert (bench.state.since == ADOPTED).all()
    assert bench.run(intend_evaluations, REVIEW).evaluates.sum() == 6


def test_overload_is_what_cuts_evaluation_unless_switched_off() -> None:
    numbers = {"evaluation_base": 0.5, "mindedness_value": 0, "evaluation_overload": 0.4}
    found = {
        (switch, load): evaluating_share(running(uncertainties=numbers, switches={"overload": switch}).set(load=load), 100)
        for switch in (0, 1)
        for load in (1.0, 2.0)
    }
    assert found[1, 2.0] < found[1, 1.0] - 0.2
    assert found[0, 2.0] == found[0, 1.0] == found[1, 1.0]


def test_weak_evaluation_worked_by_hand() -> None:
    # 1,200 burglaries the year before, 1,176 in the latest, reach .1: (1 - .98) / .1 = .2
    # variance .98^2 x (1/1,200 + 1/1,176) / .01 = .1617, and .1^2 for the design: weight .01 / .1817 = .05504; belief .3 - .1 x that
    bench = evaluated(running(after=1_176, levers=WEAK))
    state = bench.state
    assert state.evaluated[INNER].tolist() == [0, 1, 0]
    assert state.evaluated_estimate[INNER, CCTV] == pytest.approx(0.2)
    assert state.belief[INNER, :, CCTV] == pytest.approx(0.294496, abs=1e-6)
    assert state.belief_variance[INNER, :, CCTV] == pytest.approx(0.01 * (1 - 0.05504), rel=1e-4)
    assert (state.spent[INNER], state.balance[INNER]) == (1_000, 999_000)
    assert state.work[INNER, :, Work.EVALUATION].tolist() == [0, 30, 0]
    assert state.authority_tallies[INNER, :, AuthorityTally.EVALUATIONS].tolist() == [0, 1, 0]


def test_weak_evaluation_divides_by_the_reach_of_all_planned_units() -> None:
    # two units reach .1 x (1 + .75) = .175, whatever dose was delivered of them
    bench = running(after=1_176, levers=WEAK).set(units=2, effective_dose=0.3)
    assert evaluated(bench).state.evaluated_estimate[INNER, CCTV] == pytest.approx(0.02 / 0.175)


def test_nobody_reports_that_more_than_all_crime_was_prevented_or_caused() -> None:
    for before, after, reported in ((1_200, 600, 1), (600, 1_200, -1), (0, 1_200, 0)):
        bench = evaluated(running(before, after, levers=WEAK))
        assert bench.state.evaluated_estimate[INNER, CCTV] == reported
    assert bench.state.belief[INNER, :, CCTV] == pytest.approx(0.3), "nothing can be learned without a year before"


def test_strong_evaluation_worked_by_hand() -> None:
    # true effect .2, 3/4 of the planned dose delivered: .15 on average, with variance 4 / (1,200 x reach .1) = 1/30
    found = []
    bench = running(levers=STRONG, effect=0.2, uncertainties={"effect_scale": 1})
    for replicate in range(600):
        bench.luck = new_luck(1, replicate)
        bench.set(effective_dose=0.75, balance=1e6, evaluates=0)
        found += evaluated(bench).state.evaluated_estimate[:, CCTV].tolist()
    scores = (np.array(found) - 0.15) / np.sqrt(1 / 30)
    assert abs(scores.mean()) < 4 / np.sqrt(len(scores))
    assert scores.std() == pytest.approx(1, abs=0.1)
    assert bench.state.evaluated[INNER, CCTV] == 2
    assert (bench.state.spent[INNER], bench.state.work[INNER, LOCAL_AUTHORITY, Work.EVALUATION]) == (600 * 8_000, 600 * 120)


def test_a_comparison_group_takes_out_what_would_have_happened_anyway() -> None:
    # the year before adoption does not matter to it, while a weak evaluation reads a fall as an effect and a rise as harm
    found = {}
    for levers in (WEAK, STRONG):
        for before in (1_000, 1_500):
            bench = evaluated(running(before, 1_200, levers=levers))
            found[levers["evaluation_quality"], before] = float(bench.state.evaluated_estimate[INNER, CCTV])
    assert found[0, 1_000] < 0 < found[0, 1_500]
    assert found[1, 1_000] == found[1, 1_500]


def test_evaluations_are_right_without_measurement_error() -> None:
    for levers in (WEAK, STRONG):
        bench = running(before=3_000, levers=levers, effect=0.2, uncertainties={"effect_scale": 1}, switches={"measurement_error": 0})
        assert evaluated(bench.set(effective_dose=0.5)).state.evaluated_estimate[:, CCTV] == pytest.approx(0.1)


def test_weak_evaluation_shows_regression_to_the_mean_after_a_bad_year() -> None:
    """Places with rate L ~ Gamma(shape k, mean m) have a crimes one year and E[next | a] = (k + a) / (k / m + 1) the next.

    Nothing works here; a project adopted after a bad year seems to, one adopted after a good year seems to do harm.
    """
    shape, mean, places = 100.0, 100.0, 1_000
    u = np.random.default_rng(1).random((places, 3))
    rates = stats.gamma.ppf(u[:, 0], shape, scale=mean / shape)
    before = np.array([negative_binomial_quantile(x, rate, 0.0) for x, rate in zip(u[:, 1], rates, strict=True)])
    after = np.array([negative_binomial_quantile(x, rate, 0.0) for x, rate in zip(u[:, 2], rates, strict=True)])
    estimates = np.empty(places)
    bench = running(levers=WEAK, effect=0, reach=1)
    for first in range(0, places, 2):
        bench.set(balance=1e6, evaluates=0)
        for p in (INNER, OUTER):
            bench.state.recorded[p, BURGLARY, BEFORE] = before[first + p] / 12
            bench.state.recorded[p, BURGLARY, AFTER] = after[first + p] / 12
        estimates[first : first + 2] = evaluated(bench).state.evaluated_estimate[:, CCTV]
    expected = 1 - (shape + before) / (shape / mean + 1) / before
    for chosen in (before > mean + 10, before < mean - 10, before > 0):
        error = float((estimates - expected)[chosen].mean())
        assert abs(error) < 4 * float((estimates - expected)[chosen].std()) / np.sqrt(chosen.sum())
    assert estimates[before > mean + 10].mean() > 0.05 > -0.05 > estimates[before < mean - 10].mean()


def test_the_lead_evaluates_else_any_member_that_means_to() -> None:
    bench = running(levers=WEAK)
    bench.state.evaluates[:, POLICE, CCTV] = 1
    assert evaluated(bench).state.work[INNER, :, Work.EVALUATION].tolist() == [0, 30, 0], "the local authority leads CCTV"
    assert evaluated(running(levers=WEAK), by=HEALTH).state.work[INNER, :, Work.EVALUATION].tolist() == [0, 0, 30]
    absent = running(levers=WEAK)
    absent.world.member[:, HEALTH] = 0
    assert evaluated(absent, by=HEALTH).state.evaluated.sum() == 0


def test_evaluation_is_dropped_when_money_does_not_reach() -> None:
    # three units cost the pot 3 x £4,000 this month, standing charges £500, a weak evaluation £1,000
    for balance, done in ((13_499, 0), (13_500, 1)):
        bench = evaluated(running(levers=WEAK).set(balance=balance, charges=500))
        assert bench.state.evaluated[INNER, CCTV] == done
        assert bench.state.spent[INNER] == 1_000 * done
        assert bench.state.work[INNER].sum() == 30 * done


def test_hours_of_evaluation_weigh_on_those_who_evaluate() -> None:
    # evaluating everything strongly takes 2,000 hours of each lead, far more than the tiny world's authorities have
    found = []
    for hours in (0, 2_000):
        sure = {"evaluation_base": 1, "mindedness_value": 0, "strong_evaluation_hours": hours, "strong_evaluation_cost": 0}
        bench = running(uncertainties=sure, levers={**STRONG, "evaluation_ethos": 1}).set(available=200)
        loads = []
        for month in (REVIEW, REVIEW + 1):
            bench.set(work=0)
            for rule in (share_work, deliver_units, intend_evaluations, evaluate_projects):
                bench.run(rule, month)
            loads.append(bench.state.load.sum())
        found.append(sum(loads))
    assert found[1] > found[0]


def test_the_shares_evaluated_this_year_worked_by_hand() -> None:
    # one of three projects is evaluated; what was evaluated last year counts no more
    for levers, strong in ((WEAK, 0), (STRONG, 1)):
        bench = running(levers=levers).set(evaluated=2, evaluated_share=1, evidence_value=1)
        evaluated(bench)
        assert bench.state.evaluated[INNER].tolist() == [0, 1 + strong, 0]
        assert bench.state.evaluated_share == pytest.approx(1 / 3)
        assert bench.state.evidence_value == pytest.approx(strong / 3)


def test_falls_are_credited_and_rises_excused_worked_by_hand() -> None:
    # a fall of 10% since last year, credited at .2 of it: .3 + .2 x .1 x (1 - .3) = .314
    numbers = {"credit_for_falls": 0.2, "largest_credit": 0.25}
    for now, believed in ((1_080, 0.314), (1_200, 0.3), (1_500, 0.3), (600, 0.3 + 0.2 * 0.25 * 0.7)):
        bench = running(uncertainties=numbers)
        bench.state.recorded[:, :, REVIEW - 23 : REVIEW - 11] = 100
        bench.state.recorded[:, :, AFTER] = now / 12
        assert bench.run(evaluate_projects, REVIEW).belief == pytest.approx(believed)
        assert bench.state.belief_variance == pytest.approx(0.01), "credit is no knowledge"


def test_limit_no_credit_without_optimism_or_without_a_project() -> None:
    assert (running(switches={"optimism": 0}, after=600).run(evaluate_projects, REVIEW).belief == 0.3).all()
    idle = running().set(units=0)
    idle.state.recorded[:, :, : AFTER.start] = 200
    assert (idle.run(evaluate_projects, REVIEW).belief == 0.3).all()


def test_certainty_ages_worked_by_hand() -> None:
    # .01 + .1 x (.2^2 - .01) = .013; what is as uncertain as at first stays so
    bench = running(uncertainties={"belief_ageing": 0.1, "prior_error": 0.2})
    bench.state.belief_variance[:, HEALTH] = 0.05
    variance = bench.run(evaluate_projects, REVIEW).belief_variance
    assert variance[INNER, POLICE] == pytest.approx(0.013)
    assert variance[INNER, HEALTH] == pytest.approx(0.05)


@few
@given(arrays_of(some.floats(0, 500), 2, 2, 60), arrays_of(some.floats(-0.5, 1), 2, 3, 3))
def test_direction_what_nobody_evaluates_never_falls_in_esteem(recorded: np.ndarray, belief: np.ndarray) -> None:
    bench = running().set(recorded=recorded, belief=belief)
    assert (bench.run(evaluate_projects, REVIEW).belief >= belief).all()
    assert bench.state.evaluated.sum() == 0


@few
@given(
    arrays_of(some.integers(0, 500), 2, 2, 60),
    arrays_of(some.integers(0, 3), 2, 3),
    arrays_of(some.sampled_from([0.0, 1.0]), 2, 3, 3),
    arrays_of(shares, 2, 3, 4),
    some.floats(0, 40_000),
    shares,
)
def test_ranges_and_accounts(
    recorded: np.ndarray, units: np.ndarray, evaluates: np.ndarray, traits: np.ndarray, balance: float, quality: float
) -> None:
    bench = running(levers={"evaluation_quality": quality}).set(recorded=recorded, units=units, evaluates=evaluates, traits=traits)
    state = bench.set(balance=balance).run(evaluate_projects, REVIEW)
    assert out_of_range(state) == []
    assert state.balance + state.spent == pytest.approx(balance)
    weak, strong = (state.evaluated == 1).sum(axis=1), (state.evaluated == 2).sum(axis=1)
    assert state.spent == pytest.approx(1_000 * weak + 8_000 * strong)
    assert state.work.sum(axis=(1, 2)) == pytest.approx(30 * weak + 120 * strong)
    assert (state.authority_tallies[:, :, AuthorityTally.EVALUATIONS].sum(axis=1) == weak + strong).all()
    projects = np.maximum(1, (units > 0).sum(axis=1))
    assert state.evaluated_share == pytest.approx((weak + strong) / projects)
    assert state.evidence_value == pytest.approx(strong / projects)
    assert (state.evaluated[units == 0] == 0).all()
