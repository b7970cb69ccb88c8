"""Explore without a browser: what a moved lever changes, what an address says, and that page and command line cannot disagree."""

import json
import re
import shlex
import threading
import time
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as tests_settings
from hypothesis import strategies as some
from typer.testing import CliRunner

from cspsim.basics.errors import CspsimError
from cspsim.cli import app
from cspsim.commands.options import load, parsed_changes
from cspsim.comparing.comparison import compare
from cspsim.model.parameters import Levers
from cspsim.model.uncertainties import Uncertainties
from cspsim.running.outcomes import OUTCOMES
from cspsim.running.simulation import simulate
from cspsim.running.years import by_year
from cspsim.scenario.scenario import Scenario, load_scenario, scenario_names
from cspsim.scenario.schema import register_of
from cspsim.scenario.world_building import build_world, calendar_of
from cspsim.web.explore import run_blocks as runs
from cspsim.web.explore.address import question_of, state_of
from cspsim.web.explore.answer import BASELINE, SCENARIO, answer_of, corners_of, moved_by
from cspsim.web.explore.answer_words import told
from cspsim.web.explore.differing import parts_between
from cspsim.web.explore.ensemble import Ensemble
from cspsim.web.explore.levers import holding, lever_groups, lever_standing, months_to_begin, usual_month
from cspsim.web.explore.pictures import by_partnership, definitions, outcomes_shown, paired, why_table, year_by_year
from cspsim.web.explore.posing import Posed, baselines_for
from cspsim.web.explore.question import MOST_RUNS, Question, QuestionHistory
from cspsim.web.explore.run_blocks import Block, Library, Unit, Workers, blocks_for, make
from cspsim.web.shown_scenarios import add_scenarios, forget_scenarios, scenario_of

LEVERS, UNCERTAINTIES = register_of(Levers), register_of(Uncertainties)
FEW = 16
THEORY = Path(__file__).resolve().parents[1] / "experiments" / "theories" / "trust_by_favours.py"


@lru_cache(maxsize=30)
def scenario(name: str) -> Scenario:
    return scenario_of(name)


def answered(question: Question, library: Library | None = None) -> Ensemble:
    """All runs of a question."""
    ensemble = Ensemble(Posed(question), Library() if library is None else library, Workers(2))
    finish(ensemble)
    return ensemble


def finish(ensemble: Ensemble) -> None:
    ensemble.subscribe(lambda: None)
    ensemble.start()
    until(lambda: ensemble.finished or bool(ensemble.fault))


def until(true: Callable[[], bool], patience: float = 120) -> None:
    ends = time.monotonic() + patience
    while not true():
        assert time.monotonic() < ends
        time.sleep(0.005)


# ------------------------------------------------------------------------------------------------------------- levers


class TestLevers:
    def test_every_lever_of_the_register_is_on_the_page_once(self) -> None:
        assert sorted(name for names in lever_groups().values() for name in names) == sorted(LEVERS)
        assert list(lever_groups()) == ["Money", "Commissioning", "Workload", "Challenge and evaluation", "Measurement"]

    def test_a_lever_stands_where_the_scenario_has_it_and_says_what_comes_later(self) -> None:
        standing = lever_standing(scenario("baseline"), "targets", "2011-04")
        assert standing.value == 0.4
        assert standing.later == (("April 2013", 0.5), ("April 2016", 0.3))
        assert lever_standing(scenario("deeper-cut"), "grant", "2011-04").value == 0.6
        assert lever_standing(scenario("deeper-cut"), "grant", "2010-04").value == 1

    def test_what_is_held_is_as_short_as_it_can_be_and_drops_what_would_come_later(self) -> None:
        assert holding(scenario("baseline"), "rebalancing", 1.0, "2011-04") == {"levers.rebalancing.path": {"2011-04": 1.0}}
        assert holding(scenario("deeper-cut"), "grant", 0.5, "2011-04") == {"levers.grant.path": {"2011-04": 0.5}}
        assert holding(scenario("baseline"), "targets", 0.5, "2011-04") == {
            "levers.targets.path": {"2008-04": 1.0, "2010-06": 0.4, "2011-04": 0.5},
            "levers.targets.replace": True,
        }

    @pytest.mark.parametrize(
        "changes",
        [
            {},
            {"levers.grant": {"path": {"2008-04": 1.0, "2012-04": 0.5}, "multiplier": 0.5, "shift": 0.25}},
            {"levers.grant": {"path": {"2008-04": 1.0, "2016-04": 0.2}, "shape": "linear"}},
        ],
        ids=["as it is", "times and plus", "a straight line"],
    )
    @tests_settings(max_examples=12)
    @given(data=some.data())
    def test_a_held_lever_is_held_to_the_end_and_nothing_before_or_beside_it_moves(
        self, changes: dict[str, object], data: some.DataObject
    ) -> None:
        before = (
            scenario("baseline").with_changes(changes)
            if changes
            else scenario(data.draw(some.sampled_from(["baseline", "two-tier-county"])))
        )
        name = "grant" if changes else data.draw(some.sampled_from(list(LEVERS)))
        since = data.draw(some.sampled_from(months_to_begin(before)))
        value = data.draw(some.floats(LEVERS[name].low, LEVERS[name].high))
        after = before.with_changes(holding(before, name, value, since))
        worlds = [build_world(one.data) for one in (before, after)]
        months = [f"{month:%Y-%m}" for month in calendar_of(before.data).conditions]
        changed = np.array([month >= since for month in months])
        for other in LEVERS:
            old, new = (getattr(world.levers, other) for world in worlds)
            if other == name:
                assert np.allclose(new[changed], value)
                assert np.allclose(new[~changed], old[~changed])
            else:
                assert np.array_equal(old, new)

    def test_changes_may_begin_each_april_and_usually_when_outcomes_count(self) -> None:
        assert months_to_begin(scenario("baseline")) == [f"{year}-04" for year in range(2008, 2018)]
        assert usual_month(scenario("baseline")) == "2011-04"


# ----------------------------------------------------------------------------------------------------- history, address


class TestHistory:
    ONE, TWO, THREE = (Question(seed=seed) for seed in (2, 3, 4))

    def test_undo_and_redo_go_back_and_forth(self) -> None:
        history = QuestionHistory(Question()).asked(self.ONE, "", 0).asked(self.TWO, "", 0)
        assert history.undone().now == self.ONE
        assert history.undone().undone().now == Question()
        assert history.undone().undone().undone().now == Question()
        assert history.undone().redone().now == self.TWO
        assert history.redone().now == self.TWO
        assert history.undone().asked(self.THREE, "", 0).redone().now == self.THREE

    def test_a_slider_that_is_pulled_is_one_step_and_two_pulls_are_two(self) -> None:
        pulled = QuestionHistory(Question()).asked(self.ONE, "grant", 10.0).asked(self.TWO, "grant", 10.4)
        assert pulled.undone().now == Question()
        assert pulled.asked(self.THREE, "grant", 12.0).undone().now == self.TWO
        assert pulled.asked(self.THREE, "targets", 10.5).undone().now == self.TWO

    def test_the_same_question_is_no_step(self) -> None:
        assert QuestionHistory(self.ONE).asked(self.ONE, "", 0).past == ()


def _between(name: str, share: float) -> float:
    return float(f"{LEVERS[name].low + share * (LEVERS[name].high - LEVERS[name].low):.10g}")


moved_levers = some.dictionaries(some.sampled_from(list(LEVERS)), some.floats(0, 1), max_size=4).map(
    lambda found: tuple(sorted((name, _between(name, share)) for name, share in found.items()))
)
assumed = some.sets(some.sampled_from(list(UNCERTAINTIES)), max_size=3).map(
    lambda names: tuple(sorted((name, UNCERTAINTIES[name].low) for name in names))
)
questions = some.builds(
    Question,
    scenario=some.sampled_from(scenario_names()),
    baseline=some.sampled_from(scenario_names()),
    since=some.sampled_from(["", "2008-04", "2014-04"]),
    outcome=some.sampled_from(["", *OUTCOMES]),
    levers=moved_levers,
    assumptions=assumed,
    changed=some.booleans(),
    runs=some.integers(8, MOST_RUNS),
    seed=some.integers(0, 2**53 - 1),
    why=some.booleans(),
)


class TestAddress:
    @given(question=questions)
    def test_a_link_restores_the_whole_question(self, question: Question) -> None:
        from urllib.parse import urlencode

        if question.since not in months_to_begin(scenario(question.scenario)):
            question = question._replace(since="")
        assert question_of(urlencode(state_of(question))) == (question, [])

    @given(
        query=some.text(max_size=300)
        | some.lists(some.sampled_from(["scenario=", "levers.grant=", "nan", "&", "=", "%00", "runs=9e9", "../x", "why", "\u202e"])).map(
            "".join
        )
    )
    def test_no_query_breaks_the_page_and_none_gets_past_the_ranges(self, query: str) -> None:
        question, said = question_of(query)
        assert question.scenario in scenario_names()
        assert all(LEVERS[name].low <= value <= LEVERS[name].high for name, value in question.levers)
        assert all(isinstance(line, str) for line in said)

    def test_what_cannot_be_read_is_said_with_the_nearest_name(self) -> None:
        assert question_of("since=1900-01")[1] == ["since: changes begin in an April from 2008-04 to 2017-04, not in 1900-01"]
        question, said = question_of("scenario=deeper-cutt&levers.grannt=1&levers.grant=7&runs=1&seed=0x1&since=spring")
        assert question == Question()
        assert said[0] == 'scenario: there is no "deeper-cutt" here; did you mean "deeper-cut"?'
        assert said[1] == 'levers.grannt: there is no such number; did you mean "grant"?'
        assert said[2] == "levers.grant: 7 is not a number from 0 to 3 (times)"
        assert [line.split(":")[0] for line in said[3:]] == ["runs", "seed", "since"]


# --------------------------------------------------------------------------------------------- the same as at the command line


class TestCommandLine:
    @tests_settings(max_examples=25)
    @given(question=questions)
    def test_the_command_runs_just_the_scenarios_of_the_page(self, question: Question) -> None:
        if question.baseline not in baselines_for(question.scenario):
            with pytest.raises(CspsimError, match="cannot be compared with"):
                Posed(question)
            return
        posed = Posed(question)
        command = [word for word in shlex.split(posed.command) if word != "--allow-rules"]
        assert command[:3] == ["cspsim", "compare", question.baseline]
        given_twice = dict(zip(command[4::2], command[5::2], strict=True))
        both, own = (
            [value for key, value in zip(command[4::2], command[5::2], strict=True) if key == flag]
            for flag in ("--set-everywhere", "--set")
        )
        assert load(question.baseline, both).digest == posed.arms[0].digest
        theirs = load(question.scenario, [*both, *own])
        assert theirs.digest == posed.asked_arms[1].digest
        assert theirs.data.primary_outcome == posed.outcome
        assert given_twice["--replicates"] == str(question.runs)
        assert given_twice["--seed"] == str(question.seed)

    def test_the_numbers_are_those_of_the_command_line(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        question = Question("deeper-cut", levers=(("rebalancing", 0.7),), assumptions=(("harmony", 0.5),), changed=True, runs=FEW, seed=7)
        ensemble = answered(question)
        answer = answer_of(ensemble)
        assert answer is not None
        said = CliRunner().invoke(app, [*shlex.split(ensemble.posed.command)[1:], "--no-report", "--json"])
        assert said.exit_code == 0, said.output
        rows = json.loads(said.stdout)["table"]
        assert len(rows) == len(OUTCOMES)
        for row in rows:
            finding = answer.comparison.finding(SCENARIO, row["outcome"])
            for name in ("baseline", "value", "difference", "ci_low", "ci_high", "assumptions_low", "assumptions_high", "same_sign_share"):
                assert row[name] == getattr(finding, name) or (row[name] is None and not np.isfinite(getattr(finding, name))), (
                    row["outcome"],
                    name,
                )
            assert row["verdict"] == finding.verdict

    def test_the_scenario_file_is_the_scenario(self, tmp_path: Path) -> None:
        posed = Posed(Question("deeper-cut", levers=(("rebalancing", 1.0), ("targets", 0.5)), outcome="true_crimes"))
        file = tmp_path / "mine.toml"
        file.write_text(posed.scenario_file, encoding="utf-8")
        assert load_scenario(file).digest == posed.asked_arms[1].digest
        assert load_scenario(file).data.primary_outcome == "true_crimes"
        assert len(posed.scenario_file.splitlines()) < 12

    def test_a_file_of_ones_own_is_named_as_it_was_and_written_whole(self, tmp_path: Path) -> None:
        file = tmp_path / "mine.toml"
        file.write_text('extends = "baseline"\ntitle = "Mine"\n[levers]\ngrant.path = { "2011-04" = 0.5 }\n', encoding="utf-8")
        try:
            add_scenarios([str(file)])
            posed = Posed(Question("mine", levers=(("rebalancing", 1.0),)))
            assert shlex.split(posed.command)[3] == str(file)
            own = shlex.split(posed.command)[5]
            assert load(str(file), [own]).digest == posed.scenario.digest
            away = tmp_path / "away.toml"
            away.write_text(posed.scenario_file, encoding="utf-8")
            assert load_scenario(away).digest == posed.scenario.digest
        finally:
            forget_scenarios()

    def test_a_scenario_with_rules_of_its_own_needs_leave_at_the_command_line_too(self, tmp_path: Path) -> None:
        (tmp_path / "rule.py").write_text(THEORY.read_text())
        file = tmp_path / "theory.toml"
        file.write_text('extends = "baseline"\ntitle = "Theory"\n[rules]\nupdate_trust = "rule.py:move_trust"\n', encoding="utf-8")
        try:
            add_scenarios([str(file)], allow_rules=True)
            assert "--allow-rules" in shlex.split(Posed(Question("theory")).command)
        finally:
            forget_scenarios()

    def test_what_cannot_be_compared_is_said_and_not_offered(self) -> None:
        with pytest.raises(CspsimError, match=r"“A two-tier county” cannot be compared with “As it happened”"):
            Posed(Question("two-tier-county"))
        assert "two-tier-county" not in baselines_for("baseline")
        assert "two-tier-county" in baselines_for("two-tier-county")


# ---------------------------------------------------------------------------------------------------------------- runs


class TestRuns:
    def test_blocks_are_the_runs_of_simulate_bit_for_bit(self) -> None:
        ensemble = answered(Question("deeper-cut", runs=20))
        blocks = ensemble.together(*ensemble.posed.arms)
        assert blocks is not None
        for arm, block in zip(ensemble.posed.arms, blocks, strict=True):
            results = simulate(arm, 20, months=True)
            assert np.array_equal(block.tallies, results.tallies)
            answer = answer_of(ensemble)
            assert answer is not None
        years = by_year(simulate("deeper-cut", 20, months=True))
        for outcome in ("cost_of_crime", "evaluated_share"):
            assert np.allclose(answer.by_year(SCENARIO, outcome), years.area(outcome)[:, years.whole == 1], rtol=1e-12, equal_nan=True)

    def test_the_answer_is_that_of_compare(self) -> None:
        answer = answer_of(answered(Question("deeper-cut", runs=FEW)))
        assert answer is not None
        found = compare("baseline", "deeper-cut", replicates=FEW)
        for outcome in OUTCOMES:
            ours, theirs = answer.comparison.finding(SCENARIO, outcome), found.finding("deeper-cut", outcome)
            assert ours[2:13] == pytest.approx(theirs[2:13], rel=0, abs=0, nan_ok=True)
        size = told(answer).headline.removeprefix("Cost of crime: ").removesuffix(" than under “As it happened”")
        assert f"deeper-cut is {size} than baseline" in found.headline()

    def test_runs_are_shared_and_the_oldest_given_up_when_there_is_no_room(self) -> None:
        library = Library()
        answered(Question(runs=FEW), library)
        made = len(library)
        again = Ensemble(Posed(Question(runs=FEW)), library, Workers(1))
        again.start()
        assert again.finished
        assert len(library) == made
        block = Block(np.zeros(100), np.zeros(0))
        small = Library(room=2000)
        units = [Unit(scenario("baseline"), 1, k) for k in range(4)]
        for unit in units[:2]:
            small.keep(unit, block)
        assert small.find(units[0]) is block
        small.keep(units[2], block)
        assert [small.find(unit) is not None for unit in units] == [True, False, True, False]
        assert small.size == 1600

    def test_what_nobody_follows_any_more_stops_and_what_was_stopped_goes_on(self) -> None:
        ensemble = Ensemble(Posed(Question("deeper-cut", runs=400, seed=99)), Library(), Workers(1))
        end = ensemble.subscribe(lambda: None)
        ensemble.start()
        until(lambda: ensemble.progress[0] > 0)
        end()
        assert not ensemble.going
        until(lambda: ensemble._under_way == 0)
        stood = ensemble.progress
        time.sleep(0.2)
        assert ensemble.progress == stood
        assert 0 < stood[0] < 400
        ensemble.start()
        until(lambda: ensemble.progress[0] > stood[0])
        ensemble.stop()

    def test_what_waits_for_a_thread_when_it_is_stopped_is_not_made(self) -> None:
        workers, library, gate = Workers(1), Library(), threading.Event()
        workers.take(lambda: (gate.wait(60), None)[1])
        ensemble = Ensemble(Posed(Question(runs=8)), library, workers)
        ensemble.start()
        ensemble.stop()
        gate.set()
        until(lambda: ensemble._under_way == 0)
        assert len(library) == 0

    def test_another_seed_has_other_runs_and_another_replicate_too(self) -> None:
        library = Library()
        first, second = (answer_of(answered(Question(runs=8, seed=seed), library)) for seed in (1, 2))
        assert first is not None
        assert second is not None
        one, other = (answer.comparison.results[BASELINE].tallies for answer in (first, second))
        assert not np.array_equal(one, other)
        assert np.array_equal(other, simulate("baseline", 8, seed=2).tallies)
        assert not np.array_equal(one[0], one[1])

    def test_after_a_fault_it_can_be_tried_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with monkeypatch.context() as broken:
            broken.setattr("cspsim.web.explore.ensemble.make", lambda unit: (_ for _ in ()).throw(ValueError("not today")))
            ensemble = Ensemble(Posed(Question(runs=8)), Library(), Workers(1))
            finish(ensemble)
        assert ensemble.fault == "not today"
        ensemble.start()
        until(lambda: ensemble.finished)
        assert ensemble.fault == ""

    def test_everybody_gets_a_turn(self) -> None:
        workers = Workers(1)
        long, short = (Ensemble(Posed(Question(runs=runs_, seed=5 + runs_)), Library(), workers) for runs_ in (800, 8))
        long.start()
        short.start()
        until(lambda: short.finished)
        assert not long.finished
        assert long.progress[0] < 400
        long.stop()

    def test_rules_that_nobody_allowed_are_a_sentence(self, tmp_path: Path) -> None:
        theory = load_scenario("baseline").with_changes({"rules.update_trust": f"{THEORY}:move_trust"})
        ensemble = Ensemble(Posed(Question(runs=8)), Library(), Workers(1))
        ensemble.posed.baseline = theory
        ensemble = Ensemble(ensemble.posed, Library(), Workers(1))
        finish(ensemble)
        assert "--allow-rules" in ensemble.fault
        assert not ensemble.going

    def test_runs_that_fail_say_so_and_keep_nobody_waiting(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken(unit: Unit) -> Block:
            raise RuntimeError("a secret of the server")

        monkeypatch.setattr("cspsim.web.explore.ensemble.make", broken)
        ensemble = Ensemble(Posed(Question(runs=8)), Library(), Workers(1))
        finish(ensemble)
        assert "has failed" in ensemble.fault
        assert "secret" not in ensemble.fault
        assert not ensemble.going

    def test_threads_that_tell_are_told_once_the_first_runs_are_there_and_at_the_end(self) -> None:
        seen: list[tuple[int, bool]] = []
        ensemble = Ensemble(Posed(Question("no-cuts", runs=64, seed=3)), Library(), Workers(2))
        lock = threading.Lock()

        def tell() -> None:
            with lock:
                seen.append((ensemble.progress[0], ensemble.finished))

        ensemble.subscribe(tell)
        ensemble.start()
        until(lambda: ensemble.finished)
        until(lambda: seen[-1] == (64, True))
        assert any(0 < done < 64 for done, _ in seen)

    def test_a_block_holds_as_many_runs_as_a_thread_takes(self) -> None:
        assert [blocks_for(n) for n in (8, 9, 200)] == [1, 2, 25]
        assert make(Unit(scenario("baseline"), 1, 0)).tallies.shape[0] == 8
        assert make(Unit(scenario("baseline"), 1, 0, 3)).tallies.shape[0] == runs.SET_RUNS


# ----------------------------------------------------------------------------------------------------------- why, 2x2


class TestWhy:
    @pytest.mark.parametrize("name", [name for name in scenario_names() if not name.startswith("two-")])
    def test_each_part_is_put_back_and_nothing_else(self, name: str) -> None:
        apart = parts_between(scenario("baseline"), scenario(name))
        differences = set(scenario(name).differences_from(scenario("baseline")))
        if not apart.parts:
            assert apart.said or not differences
            return
        for part in apart.parts:
            left = set(part.without.differences_from(scenario("baseline")))
            assert left == {key for key in differences if not key.startswith(part.key + ".") and key != part.key}
        assert not apart.said
        assert {key for part in apart.parts for key in differences if key.startswith(part.key)} == differences

    def test_a_single_part_is_the_whole_of_it(self) -> None:
        ensemble = answered(Question("rebalanced-workload", runs=FEW, why=True))
        moved = moved_by(ensemble)
        answer = answer_of(ensemble)
        assert moved is not None
        assert answer is not None
        assert [one.title for one in moved] == ["Rebalancing"]
        assert moved[0].difference == pytest.approx(answer.finding.difference)
        assert moved[0].half_width == pytest.approx(answer.finding.half_width)
        assert moved[0].without == 0

    def test_without_one_part_the_other_is_left(self) -> None:
        ensemble = answered(Question("deeper-cut", runs=FEW, why=True))
        moved = {one.title: one for one in moved_by(ensemble) or []}
        grant_alone = compare(
            "baseline", scenario("baseline").with_changes({"levers.grant.path": {"2011-04": 0.6}}), FEW, assumption_sets=0
        )
        assert moved["Mainstream budgets"].without == pytest.approx(grant_alone.finding().difference)
        assert why_table(list(moved.values()), "cost_of_crime").rows[0][0] == "Mainstream budgets"

    def test_however_many_runs_are_asked_for_each_part_is_made_of_the_first_few(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("cspsim.web.explore.ensemble.WHY_RUNS", 8)
        ensemble = answered(Question("deeper-cut", runs=FEW, why=True))
        grant_alone = scenario("baseline").with_changes({"levers.grant.path": {"2011-04": 0.6}})
        moved = {one.title: one for one in moved_by(ensemble) or []}
        found = compare("baseline", grant_alone, 8, assumption_sets=0).finding()
        assert moved["Mainstream budgets"].without == pytest.approx(found.difference)
        assert ensemble.progress == (FEW, FEW)

    def test_scenarios_that_are_worlds_apart_are_not_taken_apart(self) -> None:
        assert "too many" in parts_between(scenario("baseline"), scenario("renamed-and-merged")).said


class TestOtherWorlds:
    def test_each_corner_is_a_comparison_of_its_own(self) -> None:
        question = Question("no-cuts", runs=FEW, assumptions=(("initial_trust", 0.3),))
        corners = corners_of(answered(question))
        assert corners is not None
        world = {"uncertainties.initial_trust.value": 0.3}
        for corner, changes in zip(corners, ({}, world), strict=True):
            arms = [scenario(name).with_changes(changes) if changes else scenario(name) for name in ("baseline", "no-cuts")]
            found = compare(arms[0], arms[1], FEW, assumption_sets=0).finding()
            assert corner.finding.difference == found.difference
            assert corner.finding.ci_low == found.ci_low
            assert (corner.baseline, corner.scenario) == (found.baseline, found.value)

    def test_the_switch_chooses_the_world_of_the_answer(self) -> None:
        assumed = Question("no-cuts", assumptions=(("initial_trust", 0.3),))
        assert Posed(assumed).arms[0].digest == scenario("baseline").digest
        assert Posed(assumed._replace(changed=True)).arms[0].data.uncertainties["initial_trust"].value == 0.3
        assert "--set-everywhere" not in Posed(assumed).command

    def test_the_headline_says_in_which_world_it_holds(self) -> None:
        changed = answer_of(answered(Question("no-cuts", runs=8, assumptions=(("initial_trust", 0.3),), changed=True)))
        assert changed is not None
        assert told(changed).headline.endswith("“As it happened”, both under your changed assumptions")

    def test_nothing_assumed_otherwise_is_no_other_world(self) -> None:
        assert corners_of(answered(Question(runs=8))) is None

    def test_the_first_assumption_changed_turns_the_answer_to_it_and_later_ones_leave_the_switch(self) -> None:
        first = Question().with_assumption("harmony", 1.0)
        assert first.changed
        assert not first._replace(changed=False).with_assumption("initial_trust", 0.3).changed
        assert not first.with_assumption("harmony", None).changed


# ------------------------------------------------------------------------------------------------------ words, pictures


class TestWords:
    def test_identical_arms_say_so(self) -> None:
        answer = answer_of(answered(Question(runs=8)))
        assert answer is not None
        assert told(answer).mark == "Identical"
        assert told(answer).headline == "Cost of crime: no difference at all in 8 runs."

    def test_better_and_worse_follow_the_outcome_and_not_the_sign(self) -> None:
        ensemble = answered(Question("deeper-cut", runs=FEW))
        worse = answer_of(ensemble)
        assert worse is not None
        assert (told(worse).mark, told(worse).tone) == ("Higher, worse", "bad")
        posed = Posed(Question("deeper-cut", runs=FEW, outcome="delivered_dose"))
        ensemble.posed = posed
        fewer = answer_of(ensemble)
        assert fewer is not None
        assert (told(fewer).mark, told(fewer).tone) == ("Lower, worse", "bad")
        ensemble.posed = Posed(Question("deeper-cut", runs=FEW, outcome="received"))
        neither = answer_of(ensemble)
        assert neither is not None
        assert (told(neither).mark, told(neither).tone) == ("Lower", "unsure")
        assert "of it" not in told(neither).context.lower()

    def test_the_range_over_assumptions_is_told_only_when_all_sets_are_there(self) -> None:
        ensemble = answered(Question("deeper-cut", runs=FEW))
        whole = answer_of(ensemble)
        assert whole is not None
        assert "Under 32 other sets of assumptions" in told(whole).context
        ensemble._made = {key: block for key, block in ensemble._made.items() if key[3] != 31}
        part = answer_of(ensemble)
        assert part is not None
        assert "assumptions" not in told(part).context


class TestPictures:
    def test_baseline_is_dashed_scenario_has_bands_and_the_table_has_all_of_it(self) -> None:
        answer = answer_of(answered(Question("deeper-cut", levers=(("rebalancing", 1.0),), runs=FEW)))
        assert answer is not None
        picture = year_by_year(answer, "cost_of_crime")
        lines = {series["name"]: series for series in picture.option["series"] if series["name"]}
        assert lines["As it happened"]["lineStyle"]["type"] != "solid"
        assert lines["Your scenario"]["lineStyle"]["type"] == "solid"
        assert len([series for series in picture.option["series"] if "areaStyle" in series]) == 2
        table = picture.table()
        assert [row[0] for row in table.rows] == answer.labels
        runs_ = answer.by_year(BASELINE, "cost_of_crime")
        assert table.rows[0][1:4] == pytest.approx([runs_[:, 0].mean(), *np.quantile(runs_[:, 0], [0.05, 0.95])])
        assert [series.get("markLine", {}).get("data") for series in picture.option["series"]][-1] == [{"xAxis": 3}]

    def test_paired_differences_add_up_to_the_answer(self) -> None:
        answer = answer_of(answered(Question("deeper-cut", runs=FEW)))
        assert answer is not None
        rows = paired(answer).table().rows
        counted = [row for row, year in zip(rows, answer.first_years, strict=True) if year >= 2011]
        assert sum(float(row[1] or 0) for row in counted) == pytest.approx(answer.finding.difference)

    def test_ratios_are_ratios_of_sums(self) -> None:
        answer = answer_of(answered(Question("deeper-cut", runs=FEW)))
        assert answer is not None
        mean = answer.mean_by_year(SCENARIO, "evaluated_share")
        per_run = answer.by_year(SCENARIO, "evaluated_share")
        assert np.isfinite(mean).all()
        assert not np.allclose(mean, per_run.mean(axis=0))

    def test_the_outcome_asked_about_comes_first_and_once(self) -> None:
        answer = answer_of(answered(Question(runs=8, outcome="true_crimes")))
        assert answer is not None
        shown = outcomes_shown(answer)
        assert shown[0] == "true_crimes"
        assert len(set(shown)) == len(shown)

    def test_each_partnership_has_its_own_money_and_they_add_up(self) -> None:
        answer = answer_of(answered(Question("pcc-own-priorities", runs=8)))
        assert answer is not None
        table = by_partnership(answer)
        assert [row[0] for row in table.rows] == ["Lambeth (inner borough)", "Sutton (outer borough)"]
        found = simulate("pcc-own-priorities", 8).runs.groupby("partnership")["received"].mean()
        shown = [re.match(r"£([\d.]+)m \(", str(row[1])) for row in table.rows]
        assert [float(one[1]) for one in shown if one] == pytest.approx([found["lambeth"] / 1e6, found["sutton"] / 1e6], abs=0.006)

    def test_all_five_definitions_are_judged_for_both(self) -> None:
        answer = answer_of(answered(Question("no-cuts", runs=FEW)))
        assert answer is not None
        table, said = definitions(answer)
        assert len(table.rows) == 5
        assert said.startswith("In ")
        assert all(len(row) == 5 for row in table.rows)


def test_changes_of_a_page_are_read_as_changes_of_a_file() -> None:
    assert parsed_changes(["levers.grant.path={ 2011-04 = 0.5 }"]) == {"levers.grant.path": {"2011-04": 0.5}}
