"""True effect, measured change, evaluated estimate and believed effect never mix: the gaps between them are what the model is about."""

import ast
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from rules_support import Bench
from scipy import stats

from cspsim.model.compiled import rule_files
from cspsim.model.counts import negative_binomial_quantile
from cspsim.model.month import STAGES, run_month
from cspsim.model.rules.accounts import open_books
from cspsim.model.rules.agenda import begin_plan_year, propose_items
from cspsim.model.rules.assessment import assess_needs
from cspsim.model.rules.budgets import receive_budgets
from cspsim.model.rules.commissioning import divide_pot
from cspsim.model.rules.crime import commit_crimes
from cspsim.model.rules.recording import record_crimes
from cspsim.model.state import axes_of_state
from cspsim.model.tallies import Tally

UNTIL_CRIME_IS_KNOWN = (open_books, receive_budgets, divide_pot, commit_crimes, record_crimes)
AFTERWARDS = (assess_needs, begin_plan_year, propose_items, *STAGES[1:])
CRIME = ("log_effect", "spill_over", "true_crimes", "true_year", "true_history", "recorded", "recorded_year")
"""What the rules of crime and recording write that depends on what works."""
OUTCOMES = (Tally.PLANNED_BENEFIT, Tally.TRUE_BENEFIT, Tally.EFFECTIVE_PROJECTS)
"""What only the accounts say about the truth, after the event."""
OTHER_TRUTH = [0.0, 0.6, 0.05]
BUSY = {"evaluation_ethos": 1, "evaluation_quality": 1, "challenge_culture": 1, "balanced_scorecard": 0.5}
"""Levers at which the table reads every source of knowledge there is."""


def month_with_crime_held(one: Bench, other: Bench, month: int) -> None:
    """One month in both; what the first sees of crime the second sees too."""
    for bench in (one, other):
        for rule in UNTIL_CRIME_IS_KNOWN:
            bench.run(rule, month)
    for name in CRIME:
        getattr(other.state, name)[:] = getattr(one.state, name)
    for bench in (one, other):
        for rule in AFTERWARDS:
            bench.run(rule, month)


def differences(one: Bench, other: Bench) -> set[str]:
    """Names of the arrays, and of the tallies, in which two runs differ this month."""
    names = set(axes_of_state()) - {"tallies"}
    found = {name for name in names if not np.array_equal(getattr(one.state, name), getattr(other.state, name))}
    return found | {which.name for which in Tally if not np.array_equal(one.state.tallies[:, which], other.state.tallies[:, which])}


def behind_everybodys_back(hold_crime: bool, **switches: int) -> tuple[set[str], Bench]:
    """What differs, in any month, from a run in which other things work from the first month on; signals are drawn before."""
    one, other = (Bench(levers=BUSY, switches=switches) for _ in range(2))
    other.world.effect[:] = OTHER_TRUTH
    found: set[str] = set()
    for month in range(60):
        if hold_crime:
            month_with_crime_held(one, other, month)
        else:
            one.run(run_month, month)
            other.run(run_month, month)
        found |= differences(one, other)
    return found, one


def test_nobody_sees_or_decides_anything_by_the_truth_itself() -> None:
    found, run = behind_everybodys_back(hold_crime=True, evaluation=0)
    assert found == {which.name for which in OUTCOMES}, "only the accounts know"
    state = run.state
    assert state.units.sum() > 0
    assert state.effective_dose.sum() > 0
    assert state.signal_known.sum() > 0, "and yet the table worked, delivered and learned from challenges"


def test_the_truth_is_learned_through_crime_and_through_evaluation() -> None:
    evaluated, _ = behind_everybodys_back(hold_crime=True)
    assert {"evaluated_estimate", "belief"} <= evaluated
    measured, _ = behind_everybodys_back(hold_crime=False, evaluation=0)
    assert {"recorded", "need", "belief"} <= measured


def test_without_effects_the_catalogue_is_not_read_at_all() -> None:
    found, _ = behind_everybodys_back(hold_crime=False, effects=0)
    assert found == set()


def test_holding_crime_is_the_same_month_as_ever() -> None:
    one, other, straight = (Bench(levers=BUSY) for _ in range(3))
    for month in range(24):
        month_with_crime_held(one, other, month)
        straight.run(run_month, month)
        assert differences(one, straight) == differences(other, straight) == set()


def readers(name: str, owner: str) -> dict[str, set[str]]:
    """File -> functions of the rules that read ``owner.name`` (its shape alone is no secret), in all files that rules may call."""
    found: dict[str, set[str]] = {}
    for path in rule_files():
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(function, ast.FunctionDef) and _reads(function, name, owner):
                found.setdefault(Path(path).stem, set()).add(function.name)
    return found


def _reads(function: ast.FunctionDef, name: str, owner: str) -> bool:
    shapes = {id(node.value) for node in ast.walk(function) if isinstance(node, ast.Attribute) and node.attr == "shape"}
    return any(
        isinstance(node, ast.Attribute)
        and node.attr == name
        and id(node) not in shapes
        and isinstance(node.value, ast.Name)
        and node.value.id == owner
        for node in ast.walk(function)
    )


def test_only_four_rules_read_a_true_effect() -> None:
    assert readers("effect", "world") == {
        "crime": {"_add_effect"},
        "beliefs": {"form_beliefs"},
        "evaluation": {"_delivered_effect"},
        "accounts": {"_count_benefit", "_count_funnel"},
    }


def test_within_evaluation_only_the_data_collected_depend_on_it() -> None:
    tree = ast.parse(next(path for path in rule_files() if path.stem == "evaluation").read_text(encoding="utf-8"))
    users = {
        function.name
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "_delivered_effect"
    }
    assert users == {"_weak_estimate", "_strong_estimate"}


@pytest.mark.parametrize(
    ("name", "files"),
    [
        ("log_effect", {"crime"}),
        ("spill_over", {"crime", "accounts"}),
        ("true_crimes", {"crime", "recording", "accounts"}),
        ("true_history", {"crime"}),
        ("true_year", {"crime", "assessment", "accounts"}),  # a victim survey, and what the public suffers
    ],
)
def test_the_truth_about_crime_is_read_only_where_it_happens_is_recorded_surveyed_or_counted(name: str, files: set[str]) -> None:
    assert set(readers(name, "state")) == files


few_distributions = settings(deadline=None, max_examples=12, derandomize=True)
means, shapes_of_gamma = some.floats(2, 150), some.floats(1, 100)


@few_distributions
@given(means, shapes_of_gamma)
def test_regression_to_the_mean_has_its_closed_form(mean: float, shape: float) -> None:
    """Rate ~ Gamma(shape k, mean m), both years Poisson: E[next | a] = (k + a) / (k / m + 1), a straight line in a."""
    u = stats.qmc.Sobol(3, seed=1).random(2_048) * (1 - 2e-9) + 1e-9
    rates = stats.gamma.ppf(u[:, 0], shape, scale=mean / shape)
    this_year, next_year = (
        np.array([negative_binomial_quantile(x, rate, 0.0) for x, rate in zip(u[:, k], rates, strict=True)]) for k in (1, 2)
    )
    residual = next_year - (shape + this_year) / (shape / mean + 1)
    for weight in (np.ones(2_048), this_year - this_year.mean(), this_year > mean, this_year < mean):
        moment = residual * weight
        assert abs(moment.mean()) <= 4.5 * moment.std() / np.sqrt(2_048) + 0.005 * mean


@few_distributions
@given(means, shapes_of_gamma)
def test_two_years_drawn_one_after_the_other_are_alike(mean: float, shape: float) -> None:
    """This year a count of mean m and dispersion 1 / k; the next given it, of mean (k + a) / (k / m + 1) and dispersion 1 / (k + a).

    Both then have mean m and variance m + m^2 / k, and covariance m^2 / k: years of one place are exchangeable.
    """
    u = stats.qmc.Sobol(2, seed=2).random(4_096) * (1 - 2e-9) + 1e-9
    this_year = np.array([negative_binomial_quantile(x, mean, 1 / shape) for x in u[:, 0]])
    next_year = np.array(
        [negative_binomial_quantile(x, (shape + a) / (shape / mean + 1), 1 / (shape + a)) for x, a in zip(u[:, 1], this_year, strict=True)]
    )
    between = mean * mean / shape
    for year in (this_year, next_year):
        assert year.mean() == pytest.approx(mean, rel=0.02, abs=0.05)
        assert year.var() == pytest.approx(mean + between, rel=0.15)
    assert np.cov(this_year, next_year)[0, 1] == pytest.approx(between, rel=0.15, abs=0.05 * (mean + between))
