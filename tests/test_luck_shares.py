"""Which luck matters: planted shares come back, runs are what they should be, and a stream that is switched off has none."""

from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from arrays_as_results import ArraysAsResults
from worlds import tiny_world

from cspsim.analysis.luck_moderators import moderators_of, moderators_of_sweep
from cspsim.analysis.luck_shares import luck_shares, luck_shares_of_scenarios, luck_shares_of_sweep, run_luck_design
from cspsim.analysis.swept import EFFECT, OUTCOME, Subject
from cspsim.basics.errors import CspsimError
from cspsim.model.luck import PARAMETERS, STREAMS
from cspsim.model.parameters import Floats, Words
from cspsim.running.assumptions import sample_assumptions
from cspsim.running.rulebook import STANDARD
from cspsim.running.simulation import run_world, simulate
from cspsim.scenario.scenario import Scenario, load_scenario
from cspsim.scenario.world_building import build_world
from cspsim.sweep.luck_design import luck_design

BASE = 1500


def draws(table: Words) -> Floats:
    """A standard normal for every number of every stream: another one for the same number in another stream."""
    return np.random.default_rng(1).normal(size=(int(table.max()) + 1, len(STREAMS)))[table.astype(int), np.arange(len(STREAMS))]


@lru_cache
def planted() -> tuple[Words, Floats]:
    """y = 2 personalities + crime + 2 meetings x evaluation: variances 4, 1 and 4 of 9."""
    table = luck_design(BASE)
    luck = draws(table)
    named = {name: luck[:, k] for k, name in enumerate(STREAMS)}
    return table, 2 * named["personalities"] + named["crime"] + 2 * named["meetings"] * named["evaluation"]


def test_planted_shares_come_back() -> None:
    found = luck_shares(planted()[1])
    truth = {"personalities": (4 / 9, 4 / 9), "crime": (1 / 9, 1 / 9), "meetings": (0, 4 / 9), "evaluation": (0, 4 / 9)}
    for k, name in enumerate(STREAMS):
        for estimate, share in zip((found.first, found.total), truth.get(name, (0, 0)), strict=True):
            half_width = estimate.high[k] - estimate.value[k]
            assert abs(estimate.value[k] - share) <= 1.5 * half_width, name  # 99.7 % of each of 16
            assert half_width < 0.12
    assert found.total.value[3] == 0
    assert found.sums.low[0] < 5 / 9 < found.sums.high[0]
    assert found.variance.low < 9 < found.variance.high


def test_streams_not_named_are_the_rest() -> None:
    table = luck_design(BASE, ["crime", "personalities"])
    luck = draws(table)
    found = luck_shares(luck[:, 0] + luck[:, 3] + luck[:, 7], ["crime", "personalities"])
    assert found.names == ("personalities", "crime", "rest")
    np.testing.assert_allclose(found.first.value, [1 / 3, 0, 2 / 3], atol=0.09)


def test_repeats_of_a_design_are_subtracted_as_noise() -> None:
    values = planted()[1][:, None] + 4 * np.random.default_rng(5).normal(size=(len(planted()[1]), 3))
    found = luck_shares(values)
    assert found.total.low[3] < 0 < found.total.high[3]
    assert found.uncorrected_total[3] > 0.2  # 16 / 3 of 9 + 16 / 3
    assert found.first.value[0] == pytest.approx(4 / 9, abs=0.1)


def test_through_a_sweep_with_a_failed_run() -> None:
    values = planted()[1].copy()
    values[3] = np.nan
    before = 10 * draws(planted()[0])[:, 3]
    outcomes = {"harm": np.stack([before, before + values])[:, None]}
    results = ArraysAsResults(outcomes, {"luck": {"kind": "saltelli", "groups": list(STREAMS)}})
    found = luck_shares_of_sweep(results, ["harm"])  # type: ignore[arg-type] # looks like results
    assert list(found) == [Subject("harm", "policy 0", OUTCOME), Subject("harm", "policy 1", EFFECT)]
    own, effect = found.values()
    assert (effect.rows, effect.left_out) == (BASE - 1, 1)
    np.testing.assert_allclose(effect.first.value, luck_shares(values).first.value, atol=1e-9)
    assert own.first.value[3] == pytest.approx(1, abs=0.1)
    with pytest.raises(CspsimError, match="luck has no design here"):
        luck_shares_of_sweep(ArraysAsResults(outcomes, {"luck": {"kind": "replicates"}}), ["harm"])  # type: ignore[arg-type]


# ----------------------------------------------------------------------------------------------------------- real runs


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    path: Path = tmp_path_factory.mktemp("luck") / "tiny.toml"
    path.write_text(tiny_world(), encoding="utf-8")
    return load_scenario(path)


def test_rows_are_the_runs_their_numbers_say(tiny: Scenario) -> None:
    table = luck_design(3)
    tallies = run_luck_design([tiny], table, seed=4)[0]
    sets = sample_assumptions(tiny, 6, 4)
    world = build_world(tiny.data)
    for row in (0, 1, 8, 9, 15, 29):
        own = sets.apply(world, int(table[row, PARAMETERS]))
        np.testing.assert_array_equal(tallies[row], run_world(own, STANDARD, table[row : row + 1], 4)[0][0])
    assert len({tallies[row].tobytes() for row in (0, 9, 10, 19, 20, 29)}) == 6


def test_without_assumptions_rows_a_are_ordinary_replicates(tiny: Scenario) -> None:
    table = luck_design(4)
    table[:, PARAMETERS] = 0
    tallies = run_luck_design([tiny], table, seed=4)[0]
    np.testing.assert_array_equal(tallies[::10], simulate(tiny, 4, seed=4).tallies)


def test_a_stream_that_is_switched_off_has_no_share(tiny: Scenario) -> None:
    off = tiny.with_changes({"switches.turnover": False}, name="nobody leaves")
    cut = off.with_changes({"levers.grant.multiplier": 0.5}, name="cut")
    found = luck_shares_of_scenarios(off, cut, ["cost_of_crime", "delivered_dose"], base=24, best_guess=True)
    for one in found.values():
        shares = dict(zip(STREAMS, one.total.value, strict=True))
        assert shares["turnover"] == 0
        assert shares["parameters"] == 0
    crime = dict(zip(STREAMS, found[Subject("cost_of_crime", "nobody leaves", OUTCOME)].total.value, strict=True))
    assert max(crime, key=lambda name: crime[name]) == "crime"
    with_turnover = luck_shares_of_scenarios(tiny, tiny, ["delivered_dose"], base=24, best_guess=True)
    assert with_turnover[Subject("delivered_dose", "tiny", OUTCOME)].total.value[1] > 0
    assert np.isnan(with_turnover[Subject("delivered_dose", "tiny", EFFECT)].total.value).all()  # nothing differs, nothing to share


# ---------------------------------------------------------------------------------------------------------- moderators


def test_the_assumption_under_which_a_stream_matters_is_found() -> None:
    table = luck_design(400)
    sample = np.random.default_rng(2).random((800, 3))
    assumed = sample[table[:, PARAMETERS].astype(int)]
    luck = draws(table)
    values = luck[:, 2] + 3 * assumed[:, 1] * luck[:, 0] + 5 * assumed[:, 2]
    first, *others = moderators_of(values, table, "personalities", sample, ["a", "spread", "level"])
    assert first.assumption == "spread"
    assert first.correlation > 0.3
    assert first.when_high == pytest.approx(3 * 0.88, rel=0.2)
    assert first.when_low == pytest.approx(3 * 0.145, rel=0.2)  # sqrt(mean of u^2 from 0 to .25)
    assert all(other.p_holm > 0.05 for other in others)
    designs = {"luck": {"kind": "saltelli", "groups": list(STREAMS)}, "uncertainties": {"names": ["a", "spread", "level"], "first": 1}}
    results = ArraysAsResults({"harm": values[None, None]}, designs)
    results.assumptions = pd.DataFrame(np.vstack([np.full(3, 0.5), sample]), columns=designs["uncertainties"]["names"])
    results.luck = pd.DataFrame(table.astype(int), columns=list(STREAMS))
    found = moderators_of_sweep(results, "harm", "personalities")  # type: ignore[arg-type]
    assert found[Subject("harm", "policy 0", OUTCOME)] == [first, *others]
    with pytest.raises(CspsimError, match='no stream "parameters"'):
        moderators_of(values, table, "parameters", sample, ["a", "b", "c"])
