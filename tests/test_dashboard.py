"""The dashboard: five definitions, the funnel and value for money, each by hand on made-up tallies."""

from pathlib import Path

import numpy as np
import pytest
from worlds import write_tiny_world

from cspsim.basics.errors import CspsimError
from cspsim.comparing.five_definitions import DEFINITIONS, Dashboard, dashboard
from cspsim.model.parameters import Floats
from cspsim.model.tallies import Tally
from cspsim.one_run.run import Run
from cspsim.running.outcomes import OUTCOMES
from cspsim.running.simulation import simulate

ALL_WELL = {
    Tally.RECORDED_FIRST_YEAR: 100,
    Tally.RECORDED_LAST_YEAR: 90,
    Tally.TWIN_TRUE_CRIMES: 1000,
    Tally.TRUE_CRIMES: 980,
    Tally.TWIN_SEVERITY: 500,
    Tally.SEVERITY: 490,
    Tally.CONFIDENCE_LAST_YEAR: 7.2,
    Tally.CONFIDENCE_FIRST_YEAR: 6.0,
    Tally.FIRST_YEAR_MONTHS: 12,
    Tally.LAST_YEAR_MONTHS: 12,
    Tally.TWIN_COST_OF_CRIME: 5000,
    Tally.COST_OF_CRIME: 4600,
    Tally.SPENT: 60,
    Tally.HOURS_COST: 40,
    Tally.GOVERNANCE_COST: 20,
    Tally.PLANNED_PROJECTS: 10,
    Tally.STARTED_PROJECTS: 8,
    Tally.ADEQUATE_PROJECTS: 4,
    Tally.EFFECTIVE_PROJECTS: 2,
}


def runs(*changes: dict[Tally, float]) -> Floats:
    """Made-up tallies ``[run, tally]``: all is well but for the changes of each run."""
    tallies = np.zeros((len(changes), len(Tally)))
    for run, change in enumerate(changes):
        for tally, value in {**ALL_WELL, **change}.items():
            tallies[run, tally] = value
    return tallies


RECORDED_ROSE = {Tally.RECORDED_LAST_YEAR: 120.0}
NOTHING_SPENT = {Tally.SPENT: 0.0, Tally.HOURS_COST: 0.0}


def test_five_definitions_by_hand() -> None:
    table = Dashboard(runs({})).definitions.set_index("definition")
    assert list(table.index) == ["recorded_crime", "true_crime", "severity", "confidence", "value_for_money"]
    assert table["value"].tolist() == pytest.approx([0.1, 0.02, 0.02, 0.1, 4.0])
    assert (table["low"] == table["value"]).all()
    assert (table["effective_share"] == 1).all()


def test_a_definition_that_disagrees_is_seen() -> None:
    judged = Dashboard(runs({}, {}, {}, RECORDED_ROSE))
    assert judged.disagree_share == 0.25
    assert judged.definitions.set_index("definition")["effective_share"].tolist() == [0.75, 1, 1, 1, 1]
    assert judged.definitions["value"][0] == pytest.approx(1 - 390 / 400)
    agreement = judged.agreement
    assert agreement.loc["recorded_crime", "true_crime"] == agreement.loc["true_crime", "recorded_crime"] == 0.75
    assert (np.diag(agreement) == 1).all()


@pytest.mark.parametrize(
    ("change", "fails"),
    [
        (RECORDED_ROSE, "recorded_crime"),
        ({Tally.TRUE_CRIMES: 1001}, "true_crime"),
        ({Tally.SEVERITY: 500}, "severity"),
        ({Tally.CONFIDENCE_LAST_YEAR: 5.9}, "confidence"),
        ({Tally.COST_OF_CRIME: 4950}, "value_for_money"),
    ],
)
def test_each_definition_looks_at_its_own_measure(change: dict[Tally, float], fails: str) -> None:
    judged = Dashboard(runs(change))
    assert [definition.name for definition, good in zip(DEFINITIONS, judged.effective[0], strict=True) if not good] == [fails]
    assert judged.disagree_share == 1


def test_where_nothing_is_spent_value_for_money_is_not_judged() -> None:
    judged = Dashboard(runs({}, NOTHING_SPENT))
    assert np.isnan(judged.effective[1, -1])
    assert judged.definitions["effective_share"].tolist() == [1, 1, 1, 1, 1]
    assert judged.disagree_share == 0
    never = Dashboard(runs(NOTHING_SPENT))
    assert np.isnan(never.definitions["value"][4])
    assert np.isnan(never.agreement.loc["value_for_money", "true_crime"])
    assert never.value_for_money.set_index("item").loc["Total cost", "value"] == 0


def test_the_funnel_narrows_and_is_a_ratio_of_sums() -> None:
    funnel = Dashboard(runs({}, {Tally.PLANNED_PROJECTS: 30, Tally.STARTED_PROJECTS: 12})).funnel.set_index("stage")
    assert funnel["value"].tolist() == pytest.approx([1, 20 / 40, 8 / 40, 4 / 40])
    assert funnel.loc["started", "low"] == pytest.approx(0.4 + 0.05 * 0.4)
    assert funnel["project_years"].tolist() == [20, 10, 4, 2]
    nothing = {Tally.PLANNED_PROJECTS: 0.0, Tally.STARTED_PROJECTS: 0.0}
    assert Dashboard(runs(nothing)).funnel["value"].isna().all()


def test_value_for_money_by_hand() -> None:
    table = Dashboard(runs({}, {Tally.SPENT: 160})).value_for_money.set_index("item")["value"]
    assert table["Total cost"] == 150
    assert table["Cost of crime averted"] == 400
    assert table["Averted less total cost"] == 250
    assert table["Benefit-cost ratio"] == pytest.approx(800 / 300)
    assert table["Benefit-cost ratio without governance"] == pytest.approx(800 / 260)


def test_one_run_is_judged_as_the_same_replicate_of_many(tmp_path: Path) -> None:
    scenario_file = str(write_tiny_world(tmp_path))
    results = simulate(scenario_file, 3, threads=1)
    run = Run(scenario_file, replicate=1)
    while not run.finished:
        run.advance()
    for place in ("inner", "area"):
        np.testing.assert_array_equal(dashboard(run, place).measures[0], dashboard(results, place).measures[1])
    benefit_cost_ratio = results.outcomes[:, 0, list(OUTCOMES).index("benefit_cost_ratio")]
    np.testing.assert_array_equal(dashboard(results, "inner").measures[:, -1], benefit_cost_ratio)
    assert dashboard(results).runs == 3


def test_an_unknown_partnership_is_answered_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(CspsimError, match='did you mean "inner"'):
        dashboard(simulate(str(write_tiny_world(tmp_path)), 1, threads=1), "iner")
