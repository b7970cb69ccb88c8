"""Predict first: what counts as the same, what is compared with what, and how often it comes out so."""

from collections.abc import Iterator

import numpy as np
import pytest
from watch_support import recorded, tiny

from cspsim.comparing.comparison import compare
from cspsim.running.outcomes import OUTCOMES
from cspsim.scenario.scenario import load_scenario
from cspsim.web import shown_scenarios as scenarios
from cspsim.web.watch import prediction
from cspsim.web.watch.prediction import (
    OddsKey,
    answer_in_words,
    claim_of,
    held_at,
    odds_in_words,
    pair_in,
    question_in_words,
    same_in_words,
    verdict_in_words,
    work_out,
)
from cspsim.web.watch.recorded_run import RunKey, key_of, record
from cspsim.web.watch.watch_state import questions_for, spans_window


class TestClaim:
    def test_the_smallest_relative_difference_of_interest_is_the_limit(self) -> None:
        outcome = OUTCOMES["cost_of_crime"]
        limit = 1e6 * outcome.smallest
        assert claim_of(outcome, 1e6, 1e6 + 1.001 * limit) == "higher"
        assert claim_of(outcome, 1e6, 1e6 + limit) == "same"
        assert claim_of(outcome, 1e6, 1e6) == "same"
        assert claim_of(outcome, 1e6, 1e6 - limit) == "same"
        assert claim_of(outcome, 1e6, 1e6 - 1.001 * limit) == "lower"

    def test_and_the_smallest_absolute_one(self) -> None:
        outcome = OUTCOMES["challenged_share"]
        assert claim_of(outcome, 0.5, 0.5 + 1.001 * outcome.smallest) == "higher"
        assert claim_of(outcome, 0.5, 0.5 + 0.999 * outcome.smallest) == "same"
        assert claim_of(outcome, 0.5, 0.5 - 1.001 * outcome.smallest) == "lower"

    def test_a_negative_reference_turns_nothing_round(self) -> None:
        assert claim_of(OUTCOMES["cost_averted"], -100.0, -90.0) == "higher"
        assert claim_of(OUTCOMES["cost_averted"], -100.0, -104.0) == "same"

    def test_what_is_not_defined_is_no_claim(self) -> None:
        assert claim_of(OUTCOMES["heard_share"], np.nan, 0.5) is None
        assert claim_of(OUTCOMES["heard_share"], 0.5, np.nan) is None


class TestThisRun:
    def test_side_by_side_it_is_the_outcome_window_of_both(self) -> None:
        one, other = record(load_scenario("baseline"), 1, 2), record(load_scenario("independent-challenge"), 1, 2)
        found = compare("baseline", "independent-challenge", 3, 1, assumption_sets=0)
        expected = [results.area("challenged_share")[2] for results in found.results.values()]
        assert pair_in((one, other), "challenged_share") == pytest.approx(expected)
        assert "higher" in answer_in_words("challenged_share", *pair_in((one, other), "challenged_share"))

    def test_alone_it_is_the_last_year_against_the_year_before_the_window(self) -> None:
        recording = recorded()
        assert held_at(recording) == 11
        reference, value = pair_in((recording,), "true_crimes")
        column = recording.tallies[recording.warm_up :, :, 1]
        assert reference == pytest.approx(column[:12].sum())
        assert value == pytest.approx(column[36:48].sum())
        assert "twelve months to March 2014, compared with the twelve months to March 2011" in question_in_words(
            "true_crimes", (recording,)
        )

    def test_a_question_gives_nothing_away(self) -> None:
        for outcome in ("cost_of_crime", "challenged_share"):
            for text in (question_in_words(outcome, (recorded(),)), same_in_words(outcome)):
                assert "£" not in text
        assert "within 0.25 %" in same_in_words("cost_of_crime")
        assert "within 2 points" in same_in_words("challenged_share")


class TestOdds:
    @pytest.fixture
    def few(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        monkeypatch.setattr(prediction, "REPLICATES", 12)
        monkeypatch.setattr(
            prediction, "scenario_of", {**{name: load_scenario(name) for name in ("baseline", "no-cuts")}, "tiny": tiny()}.get
        )
        yield
        scenarios.forget_scenarios()

    def test_every_run_of_the_pair_is_counted_once(self, few: None) -> None:
        told: list[tuple[int, int]] = []
        key = OddsKey("spend", key_of("baseline", 1, 0), key_of("no-cuts", 1, 0), 35)
        odds = work_out(key, lambda done, total: told.append((done, total)))
        assert told[0] == (0, 24)
        assert told[-1] == (24, 24)
        assert odds.runs + odds.undefined == 12
        found = compare("no-cuts", "baseline", 12, 1, assumption_sets=0)
        references, values = (results.area("spend") for results in found.results.values())
        assert odds.counts["lower"] == int((values < references * (1 - OUTCOMES["spend"].smallest)).sum()) == 12
        finding = found.finding(outcome="spend")
        assert (odds.verdict, odds.difference) == (finding.verdict, pytest.approx(finding.difference))
        assert "lower by enough to matter" in verdict_in_words(odds, "spend")
        assert odds_in_words(odds) == "Of 12 runs of this seed, numbers 0 to 11: higher in 0, about the same in 0, lower in 12."

    def test_the_same_run_is_among_those_counted_alone(self, few: None) -> None:
        key = OddsKey("true_crimes", RunKey("tiny", "", 4, 0), None, 11)
        odds = work_out(key, lambda done, total: None)
        claims = [claim_of(OUTCOMES["true_crimes"], *pair_in((record(tiny(), 4, k),), "true_crimes")) for k in range(12)]
        assert {claim: claims.count(claim) for claim in ("higher", "same", "lower")} == dict(odds.counts)  # type: ignore[arg-type]

    def test_identical_scenarios_say_so(self, few: None) -> None:
        odds = work_out(OddsKey("cost_of_crime", key_of("baseline", 1, 0), key_of("baseline", 1, 0), 35), lambda done, total: None)
        assert odds.counts == {"higher": 0, "same": 12, "lower": 0}
        assert "no difference in any run" in verdict_in_words(odds, "cost_of_crime")


def test_what_can_be_asked_comes_from_the_register() -> None:
    pair = questions_for([load_scenario("baseline"), load_scenario("recording-audit")], True)
    assert set(pair) <= set(OUTCOMES)
    assert next(iter(pair)) == load_scenario("recording-audit").data.primary_outcome
    assert not [name for name in questions_for([tiny()], False) if spans_window(name)]
    assert spans_window("recorded_fall")
    assert spans_window("confidence_last_year")
    assert not spans_window("public_confidence")
