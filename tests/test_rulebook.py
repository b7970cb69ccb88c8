"""Rules of users in the place of the package's: the same month, never out of date, never run without permission."""

import ast
import os
import pickle
import re
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner
from worlds import write_tiny_world

from cspsim.basics.errors import CspsimError, ScenarioError
from cspsim.basics.limits import TEXT_FILE
from cspsim.cli import app
from cspsim.comparing.comparison import compare
from cspsim.mesa_model.partnership_model import PartnershipModel
from cspsim.model import month as standard_month
from cspsim.model.compiled import INTERPRETED, PACKAGE
from cspsim.model.month import run_month
from cspsim.model.tallies import Tally
from cspsim.one_run.run import Run
from cspsim.running.assumptions import Arm, run_assumption_sets, sample_assumptions
from cspsim.running.rulebook import STANDARD, rulebook_of
from cspsim.running.simulation import replicate_numbers, run_world, simulate
from cspsim.scenario import validation
from cspsim.scenario.old_words import PRESENT_RULES
from cspsim.scenario.rival_rules import SLOTS
from cspsim.scenario.scenario import Scenario, load_scenario
from cspsim.scenario.world_building import build_world
from cspsim.sweep.reading import load_experiment
from cspsim.sweep.sweeping import run_sweep

HALVES = """from cspsim.model.rule_parts import compiled

SHARE = 0.5


@compiled
def fade(world, state, luck, month):
    '''Everybody loses this share of trust every month.'''
    state.trust[:] *= SHARE
"""
MARKS = """from pathlib import Path

Path({marker!r}).write_text("I was run")


def fade(world, state, luck, month):
    state.trust[:] *= 1
"""


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the tiny world, a rule file, and a scenario that names it; also the working directory."""
    write_tiny_world(tmp_path)
    (tmp_path / "theory.py").write_text(HALVES)
    (tmp_path / "own.toml").write_text('extends = "tiny"\ntitle = "My theory"\n[rules]\nupdate_trust = "theory.py:fade"\n')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path


def allowed(name: str = "own.toml", **changes: Any) -> Scenario:
    scenario = load_scenario(name, allow_rules=True)
    return scenario.with_changes(changes) if changes else scenario


def faults(study: Path, rule: str = "", named: str = 'update_trust = "theory.py:fade"') -> str:
    """What is said of a scenario that names this rule file."""
    if rule:
        (study / "theory.py").write_text(rule)
    (study / "own.toml").write_text(f'extends = "tiny"\n[rules]\n{named}\n')
    with pytest.raises(ScenarioError) as caught:
        load_scenario("own.toml", allow_rules=True)
    return str(caught.value)


class TestSlots:
    def test_every_public_rule_of_the_month_but_the_books_has_one(self) -> None:
        tree = ast.parse(Path(standard_month.__file__).read_text(encoding="utf-8"))
        called = {
            node.func.id: tuple(ast.unparse(argument) for argument in node.args)
            for function in tree.body
            if isinstance(function, ast.FunctionDef) and function.name != "run_month"
            for node in ast.walk(function)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        books = {name: called.pop(name) for name in ("open_books", "close_books")}
        assert len(books) == 2
        called.pop("clear_scratch")  # says nothing about the world
        assert called == SLOTS, "SLOTS in cspsim/scenario/rival_rules.py: every rule that month.py calls, with what month.py gives it"

    def test_without_rules_of_its_own_a_scenario_runs_under_the_package_s(self, study: Path) -> None:
        assert rulebook_of(load_scenario("tiny.toml")) is STANDARD
        assert rulebook_of(allowed(**{"rules.update_trust": "standard"})) is STANDARD
        assert STANDARD.names == {}
        assert rulebook_of(allowed()).names == {"update_trust": "fade of theory.py"}


class TestSameness:
    def test_verbatim_copies_give_the_same_runs_bit_for_bit(self, study: Path) -> None:
        for rule_file in ("challenge", "relationships", "commissioning", "beliefs"):
            (study / f"{rule_file}.py").write_bytes((PACKAGE / "rules" / f"{rule_file}.py").read_bytes())
        named = {
            "rules.intend_challenges": "challenge.py:intend_challenges",
            "rules.hear_challenges": "challenge.py:hear_challenges",
            "rules.update_trust": "relationships.py:update_trust",
            "rules.first_impressions": "relationships.py:first_impressions",
            "rules.divide_pot": "commissioning.py:divide_pot",
            "rules.form_beliefs": "beliefs.py:form_beliefs",
        }
        copied = load_scenario("tiny.toml").with_changes(named, allow_rules=True)
        ours, theirs = simulate("tiny.toml", 3, months=True), simulate(copied, 3, months=True)
        assert ours.tallies.tobytes() == theirs.tallies.tobytes()
        assert ours.months.equals(theirs.months)
        assert ours.authorities.equals(theirs.authorities)
        book = rulebook_of(copied)
        assert book.stages[0] is not STANDARD.stages[0], "commissioning is another one"
        assert book.stages[3] is STANDARD.stages[3], "delivery is not, and is not compiled again"

    def test_a_rule_does_what_it_says(self, study: Path) -> None:
        run = Run(allowed(), seed=2)
        run.advance()
        before = run.state.trust.copy()
        people_stayed = run.state.generation.copy()
        run.advance()
        stayed = (run.state.generation == people_stayed).all(axis=1)
        assert stayed.any()
        np.testing.assert_array_equal(run.state.trust[stayed], before[stayed] / 2)

    def test_mesa_run_is_sweep_run_is_run_on_any_number_of_threads(self, study: Path) -> None:
        scenario, replicates = allowed(), 11
        one, two = (simulate(scenario, replicates, seed=4, threads=threads) for threads in (1, 2))
        assert one.tallies.tobytes() == two.tallies.tobytes()
        assert (one.area("mean_trust") < 0.5 * simulate("tiny.toml", replicates, seed=4).area("mean_trust")).all()
        model = PartnershipModel(scenario, seed=4, replicate=9)
        model.run_model()
        assert model.run.window.tobytes() == one.tallies[9].tobytes()
        book, other = rulebook_of(scenario), Run(scenario, seed=4, replicate=9)
        while not other.finished:
            book.run_month(other._world, other._state, other.luck, other.month)
            other.window += other.state.tallies * other.world.counted[other.month]
            other.month += 1
        assert other.window.tobytes() == one.tallies[9].tobytes()

    def test_the_standard_rulebook_runs_the_months_of_month_py(self, study: Path) -> None:
        run, straight = Run("tiny.toml", seed=3), Run("tiny.toml", seed=3)
        while not run.finished:
            run.advance()
            run_month(straight._world, straight._state, straight.luck, straight.month)
            straight.month += 1
        assert run.state.numbers.tobytes() == straight.state.numbers.tobytes()
        assert run.window.tobytes() == simulate("tiny.toml", 1, seed=3).tallies[0].tobytes()

    def test_assumption_sets_run_under_the_scenario_s_rules(self, study: Path) -> None:
        scenario = allowed()
        world, sets, book = build_world(scenario.data), sample_assumptions(scenario, 2), rulebook_of(scenario)
        with_rules, without = run_assumption_sets([Arm(world, sets, book), Arm(world, sets, STANDARD)], replicates=2)
        for k in range(2):
            alone = run_world(sets.apply(world, k), book, replicate_numbers(2, 2 * k), 1)[0]
            assert with_rules[k].tobytes() == alone.tobytes()
        assert not np.array_equal(with_rules, without)

    def test_compare_runs_each_arm_under_its_own_rules(self, study: Path) -> None:
        found = compare("tiny.toml", [allowed(), "tiny.toml"], 3, assumption_sets=2, replicates_per_set=2, months=True)
        trust = found.table[found.table.outcome == "mean_trust"].set_index("scenario")
        assert trust.loc["own", "difference"] < -0.2
        assert trust.loc["own", "assumptions_high"] < -0.1
        assert trust.loc["tiny (2)", "verdict"] == "identical"
        again = compare(allowed(), [allowed()], 3, assumption_sets=2, replicates_per_set=2)
        assert set(again.table.verdict) <= {"identical", "not defined"}

    def test_another_process_needs_the_scenario_and_not_the_file(self, study: Path) -> None:
        """What is sent is the text that was read: a worker far away, or late, runs what the others run."""
        scenario = allowed()
        (study / "theory.py").unlink()
        here = simulate(scenario, 2, seed=7).tallies
        assert pickle.loads(pickle.dumps(scenario)).digest == scenario.digest
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as workers:
            there = workers.submit(simulate, scenario, 2, 7).result(timeout=120).tallies
        assert there.tobytes() == here.tobytes()


EXPERIMENT = """
title = "Theories of trust"
question = "Does it matter?"
baseline = "tiny"
outcomes = ["mean_trust", "cost_of_crime"]

[policies.own]
changes = { "rules.update_trust" = "theory.py:fade" }

[policies.named]
scenario = "own"

[luck]
replicates = 5
"""


class TestSweeps:
    def test_a_policy_runs_under_its_rules_and_an_edited_rule_is_another_design(self, study: Path) -> None:
        (study / "theories.toml").write_text(EXPERIMENT)
        experiment = load_experiment("theories.toml", allow_rules=True)
        results = run_sweep(experiment, study / "results", threads=2)
        values = results.cells("mean_trust").value[:, 0]
        for policy, scenario in enumerate(("tiny.toml", allowed())):
            tallies = simulate(scenario, 5).tallies.sum(axis=(0, 1))
            assert values[policy] == pytest.approx(tallies[Tally.TRUST] / tallies[Tally.TRUST_PAIRS], rel=1e-12)
        assert values[2] == values[1] < values[0]
        assert results.manifest["rules"]["update_trust of own"].startswith("fade of theory.py, ")
        (study / "theory.py").write_text(HALVES.replace("0.5", "0.9"))
        with pytest.raises(CspsimError, match="own"):
            run_sweep(load_experiment("theories.toml", allow_rules=True), study / "results")

    def test_without_permission_nothing_is_planned_or_run(self, study: Path) -> None:
        (study / "theories.toml").write_text(EXPERIMENT)
        for more in ((), ("--dry-run",), ("--only", "7")):
            result = CliRunner().invoke(app, ["sweep", "theories.toml", *more])
            assert result.exit_code == 2
            assert "None of it was run" in result.stderr
        assert not (study / "cspsim-results").exists()
        done = CliRunner().invoke(app, ["sweep", "theories.toml", "--allow-rules"])
        assert done.exit_code == 0, done.output

    def test_rule_files_lie_beside_the_experiment_that_names_them(self, study: Path) -> None:
        folder = study / "inner"
        folder.mkdir()
        (folder / "theories.toml").write_text(EXPERIMENT.replace('"tiny"', '"../tiny.toml"').replace('"theory.py', '"../theory.py'))
        with pytest.raises(CspsimError, match="lies outside"):
            load_experiment(folder / "theories.toml")


SCRIPT = """
import cspsim
from cspsim.model.compiled import cache_folder
results = cspsim.simulate(cspsim.load_scenario("own.toml", allow_rules=True), 2, seed=1)
folder = cache_folder()
kept = 0 if folder is None else len(list((folder / "rivals").rglob("*.nbc")))
print(repr(float(results.area("mean_trust")[0])), kept)
"""


def in_a_new_process(**settings: str) -> list[str]:
    environment = {name: value for name, value in os.environ.items() if name != "NUMBA_DISABLE_JIT"} | settings
    environment["PYTHONPATH"] = str(PACKAGE.parents[1])
    done = subprocess.run([sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.split()


class TestNeverOutOfDate:
    def test_an_edited_constant_is_noticed_and_an_old_one_known_again(self, study: Path) -> None:
        first = in_a_new_process()
        (study / "theory.py").write_text(HALVES.replace("SHARE = 0.5", "SHARE = 0.9"))
        edited = in_a_new_process()
        (study / "theory.py").write_text(HALVES)
        back = in_a_new_process()
        assert float(edited[0]) > float(first[0]) + 0.05
        assert back[0] == first[0]
        if not INTERPRETED:
            assert int(edited[1]) > 0
            assert back[1] == edited[1], "nothing was compiled that had been compiled before"

    def test_interpreted_equals_compiled(self, study: Path) -> None:
        interpreted = in_a_new_process(NUMBA_DISABLE_JIT="1")
        assert float(interpreted[0]) == simulate(allowed(), 2, seed=1).area("mean_trust")[0]

    def test_an_edit_between_loading_and_running_changes_nothing(self, study: Path) -> None:
        before = allowed()
        (study / "theory.py").write_text(HALVES.replace("SHARE = 0.5", "SHARE = 0.9"))
        again = before.with_changes({"levers.grant.multiplier": 1})
        assert before.rivals[0].text == again.rivals[0].text == HALVES
        assert allowed().digest != before.digest
        fresh = before.with_changes({"rules.update_trust": "theory.py:fade"})
        assert "SHARE = 0.9" in fresh.rivals[0].text
        assert not fresh.rivals[0].allowed, "permission was given to another text"


class TestDigest:
    def test_it_holds_what_the_rule_says_and_not_where_it_lies(self, study: Path) -> None:
        plain, own = load_scenario("tiny.toml"), load_scenario("own.toml")
        assert own.digest != plain.digest
        assert plain.with_changes({"rules.update_trust": "standard"}).digest == plain.digest
        (study / "below").mkdir()
        (study / "below" / "moved.py").write_text(HALVES)
        assert plain.with_changes({"rules.update_trust": "below/moved.py:fade"}).digest == own.digest
        (study / "theory.py").write_text(HALVES + "\n# now with a remark\n")
        assert load_scenario("own.toml").digest != own.digest
        assert own.differences_from(plain) == {"rules.update_trust": ("standard", own.rivals[0].identity)}

    def test_the_merged_file_with_its_rule_files_loads_to_the_same_digest(self, study: Path) -> None:
        (study / "below").mkdir()
        (study / "below" / "theory.py").write_text(HALVES.replace("fade", "wane"))
        own = load_scenario("own.toml").with_changes({"rules.replace_representatives": "below/theory.py:wane"})
        elsewhere = study / "elsewhere"
        elsewhere.mkdir()
        for name, text in {"merged.toml": own.to_toml(), **own.rule_files}.items():
            (elsewhere / name).write_text(text, encoding="utf-8")
        assert len(own.rule_files) == 2, "two files of one name are told apart"
        assert str(study) not in own.to_toml()
        assert load_scenario(elsewhere / "merged.toml").digest == own.digest


class TestPermission:
    @pytest.fixture
    def marker(self, study: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """A rule file that leaves a mark when it is run, in a world where nobody looks rule files through."""
        marker = study / "marker"
        (study / "theory.py").write_text(MARKS.format(marker=str(marker)))
        monkeypatch.setattr(validation, "look_through", lambda rival: ())
        return marker

    COMMANDS = (
        ("check", "own.toml"),
        ("show", "own.toml"),
        ("describe", "levers", "--scenario", "own.toml"),
        ("run", "own.toml", "--replicates", "1"),
        ("explain", "own.toml"),
        ("compare", "tiny.toml", "own.toml", "--no-report", "--replicates", "2", "--assumption-sets", "0"),
        ("compare", "own.toml", "tiny.toml", "--no-report", "--replicates", "2", "--assumption-sets", "0"),
        ("run", "own.toml", "--replicates", "1", "--set", "levers.grant.multiplier=0.5"),
    )

    @pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
    def test_no_command_runs_anything_without_it(self, marker: Path, command: tuple[str, ...]) -> None:
        result = CliRunner().invoke(app, list(command))
        assert not marker.exists()
        if command[0] in ("check", "show", "describe"):
            assert result.exit_code == 0, result.output
        else:
            assert result.exit_code == 2
            assert f"update_trust = fade in {marker.parent / 'theory.py'}" in result.stderr
            assert "own.toml:4" in result.stderr
            assert "--allow-rules" in result.stderr

    def test_with_it_the_file_is_run(self, marker: Path) -> None:
        """So the tests above would notice."""
        result = CliRunner().invoke(app, ["run", "own.toml", "--replicates", "1", "--allow-rules"])
        assert result.exit_code == 0, result.output
        assert marker.exists()

    @pytest.mark.parametrize(
        "command",
        [
            ("explain", "own.toml"),
            ("compare", "tiny.toml", "own.toml", "--no-report", "--replicates", "2", "--assumption-sets", "2"),
            ("compare", "own.toml", "tiny.toml", "--out", "report", "--replicates", "2", "--assumption-sets", "0"),
        ],
        ids=" ".join,
    )
    def test_every_command_that_runs_takes_it(self, study: Path, command: tuple[str, ...]) -> None:
        result = CliRunner().invoke(app, [*command, "--allow-rules"])
        assert result.exit_code == 0, result.output
        if "--out" in command:
            assert "fade of theory.py" in (study / "report" / "settings.json").read_text(encoding="utf-8")

    def test_no_function_runs_anything_without_it(self, marker: Path) -> None:
        scenario = load_scenario("own.toml")
        pickle.loads(pickle.dumps(scenario)).with_changes({"levers.grant.multiplier": 0.5})
        PartnershipModel("tiny.toml")
        for attempt in (
            lambda: simulate("own.toml", 1),
            lambda: simulate(scenario, 1),
            lambda: Run(scenario),
            lambda: compare("tiny.toml", ["own.toml"], 2, assumption_sets=0),
            lambda: PartnershipModel("own.toml"),
            lambda: PartnershipModel("tiny.toml", **{"rules.update_trust": "theory.py:fade"}),
            lambda: simulate(load_scenario("tiny.toml").with_changes({"rules.update_trust": "theory.py:fade"}), 1),
            lambda: simulate(load_scenario("tiny.toml", allow_rules=True).with_changes({"rules.update_trust": "theory.py:fade"}), 1),
        ):
            with pytest.raises(CspsimError, match="None of it was run"):
                attempt()
        assert not marker.exists()

    def test_a_file_that_does_something_when_read_is_refused_even_with_it(self, study: Path) -> None:
        said = faults(study, MARKS.format(marker=str(study / "marker")))
        assert "theory.py:1: imports from pathlib" in said
        assert "theory.py:3: does something when it is read" in said
        assert not (study / "marker").exists()

    def test_naming_the_rule_file_itself_on_the_command_line_allows_it_and_no_other(self, study: Path) -> None:
        quick = ["--replicates", "1", "--json"]
        named = ["--set", "rules.update_trust=theory.py:fade"]
        assert CliRunner().invoke(app, ["run", "tiny.toml", *named, *quick]).exit_code == 0
        (study / "other.py").write_text(HALVES)
        (study / "own.toml").write_text('extends = "tiny"\n[rules]\nreplace_representatives = "other.py:fade"\n')
        refused = CliRunner().invoke(app, ["run", "own.toml", *named, *quick])
        assert refused.exit_code == 2
        assert "replace_representatives = fade" in refused.stderr
        assert "update_trust = fade" not in refused.stderr

    def test_show_and_check_say_that_there_is_code(self, study: Path) -> None:
        assert "Python code of its own" in CliRunner().invoke(app, ["check", "own.toml"]).stdout
        assert f"update_trust = fade in {study / 'theory.py'}" in CliRunner().invoke(app, ["show", "own.toml"]).stdout
        assert "Python code" not in CliRunner().invoke(app, ["check", "tiny.toml"]).stdout


class TestWhereRuleFilesMayLie:
    @pytest.mark.parametrize("file", ["../theory.py", "below/../../theory.py", "{study}/theory.py"])
    def test_a_scenario_names_files_beside_it_or_below(self, study: Path, file: str) -> None:
        folder = study / "inner"
        folder.mkdir()
        (folder / "own.toml").write_text(
            f'extends = "../tiny.toml"\n[rules]\nupdate_trust = "{file.format(study=study.as_posix())}:fade"\n'
        )
        with pytest.raises(ScenarioError, match=r"own\.toml:3: rules\.update_trust: .* lies outside"):
            load_scenario(folder / "own.toml")
        (folder / "theories").mkdir()
        (folder / "theories" / "theory.py").write_text(HALVES)
        (folder / "own.toml").write_text('extends = "../tiny.toml"\n[rules]\nupdate_trust = "theories/theory.py:fade"\n')
        assert load_scenario(folder / "own.toml").rivals[0].path == (folder / "theories" / "theory.py").resolve()

    def test_links_are_followed_before_it_is_asked(self, study: Path) -> None:
        folder = study / "inner"
        folder.mkdir()
        (folder / "theory.py").symlink_to(study / "theory.py")
        (folder / "own.toml").write_text('extends = "../tiny.toml"\n[rules]\nupdate_trust = "theory.py:fade"\n')
        with pytest.raises(ScenarioError, match="lies outside"):
            load_scenario(folder / "own.toml")

    def test_changes_of_a_file_are_bound_to_its_folder_and_those_of_a_program_are_not(self, study: Path) -> None:
        folder = study / "inner"
        folder.mkdir()
        tiny = load_scenario("tiny.toml")
        absolute = {"rules.update_trust": f"{study / 'theory.py'}:fade"}
        assert tiny.with_changes(absolute).rivals[0].path == study / "theory.py"
        with pytest.raises(ScenarioError, match=r"rules\.update_trust: .* lies outside"):
            tiny.with_changes(absolute, beside=folder)
        assert tiny.with_changes({"rules.update_trust": "theory.py:fade"}, beside=study).rivals[0].text == HALVES

    def test_a_child_in_another_folder_inherits_the_file_its_parent_named(self, study: Path) -> None:
        folder = study / "inner"
        folder.mkdir()
        (folder / "theory.py").write_text(HALVES.replace("0.5", "0.1"))
        (folder / "child.toml").write_text('extends = "../own.toml"\ntitle = "Child"\n')
        assert load_scenario(folder / "child.toml").rivals[0].path == study / "theory.py"
        (folder / "other.toml").write_text('extends = "../tiny.toml"\n[rules]\nupdate_trust = "theory.py:fade"\n')
        with pytest.raises(ScenarioError, match=r"inner.other\.toml:3: rules\.update_trust: set to .* here, but set to .* in own\.toml:4"):
            load_scenario(f"own.toml+{folder / 'other.toml'}")

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
    def test_what_is_no_file_of_text_is_not_waited_for(self, study: Path) -> None:
        (study / "theory.py").unlink()
        os.mkfifo(study / "theory.py")
        assert "theory.py is a device or a pipe: expected a file" in faults(study)
        (study / "theory.py").unlink()
        (study / "theory.py").mkdir()
        assert "theory.py is a folder" in faults(study)
        (study / "theory.py").rmdir()
        (study / "theory.py").touch()
        os.truncate(study / "theory.py", int(TEXT_FILE) + 1)
        assert "a file of this kind is read up to" in faults(study)
        (study / "theory.py").write_bytes(b"SHARE = '\xff'")
        assert "is not UTF-8 text" in faults(study)


BODY = "def fade(world, state, luck, month):\n    "


class TestWhatIsSaidOfRules:
    @pytest.mark.parametrize(
        ("named", "said"),
        [
            (
                'chalenge = "theory.py:fade"',
                'own.toml:3: rules.chalenge: no rule of the month is called so; did you mean "intend_challenges"?',
            ),
            ('update_trsut = "theory.py:fade"', 'rules.update_trsut: no rule of the month is called so; did you mean "update_trust"?'),
            ('close_books = "theory.py:fade"', "rules.close_books: the books are not a theory"),
            (
                'update_trust = "theory.py"',
                'own.toml:3: rules.update_trust: expected "file.py:function" or "standard", found the text "theory.py"',
            ),
            ('update_trust = "theory.txt:fade"', 'expected "file.py:function"'),
            ('update_trust = "theory.py:fade it"', 'expected "file.py:function"'),
            ('update_trust = "the\\u0000ory.py:fade"', "no file can be called"),
            ('update_trust = "theroy.py:fade"', 'theroy.py cannot be read: No such file or directory; did you mean "theory.py"?'),
            (
                'update_trust = "theory.py:fad"',
                'own.toml:3: rules.update_trust: {study}/theory.py has no function "fad"; did you mean "fade"?',
            ),
            ("update_trust = 3", "rules.update_trust: wrong type: expected text in quotes, found the number 3"),
            ('first_impressions = "theory.py:fade"', "theory.py:7: fade(world, state, luck, month) cannot stand for first_impressions"),
        ],
    )
    def test_a_wrong_name(self, study: Path, named: str, said: str) -> None:
        assert said.format(study=study) in faults(study, named=named)

    @pytest.mark.parametrize(
        ("rule", "said"),
        [
            ("def fade(world, state, luck:\n", "theory.py:1: is not Python"),
            (
                "def fade(state, world, luck, month): pass",
                "fade(state, world, luck, month) cannot stand for update_trust: expected (world, state,",
            ),
            ("def fade(world, state, luck, month, share=0.5): pass", "cannot stand for update_trust"),
            ("def fade(world, state, luck, *month): pass", "cannot stand for update_trust"),
            (f"import os\n{BODY}pass", "theory.py:1: imports os; expected math, numpy, or"),
            (f"import cspsim.one_run.run\n{BODY}pass", "theory.py:1: imports cspsim.one_run.run"),
            (f"from cspsim.scenario.scenario import load_scenario\n{BODY}pass", "theory.py:1: imports from cspsim.scenario.scenario"),
            (f"from .helpers import helper\n{BODY}pass", "theory.py:1: imports from .helpers"),
            (f"from math import *\n{BODY}pass", "theory.py:1: imports from math"),
            (f"{BODY}import os", "theory.py:2: imports os"),
            (f"{BODY}open('file')", "theory.py:2: uses open"),
            (f"{BODY}global kept", "theory.py:2: keeps something for later"),
            (f"import numpy as np\n{BODY}np.random.random()", "theory.py:3: draws luck that no run can repeat"),
            (f"from numpy import random\n{BODY}pass", "theory.py:1: draws luck that no run can repeat"),
            (f"SHARE = float('1')\n{BODY}pass", "theory.py:1: does something when it is read"),
            (f"for k in range(3): pass\n{BODY}pass", "theory.py:1: does something when it is read"),
            (f"class Kept: pass\n{BODY}pass", "theory.py:1: does something when it is read"),
            (f"SHARE = [k for k in (1, 2)]\n{BODY}pass", "theory.py:1: does something when it is read"),
            (f"def other(a: print('!')): pass\n{BODY}pass", "theory.py:1: does something when it is read"),
            (f"def other(a=print('!')): pass\n{BODY}pass", "theory.py:1: does something when it is read"),
            (f"@print\n{BODY}pass", "theory.py:2: fade has a decorator of its own"),
        ],
    )
    def test_a_file_that_is_no_rule_file(self, study: Path, rule: str, said: str) -> None:
        assert said in faults(study, rule)

    def test_everything_wrong_is_said_at_once(self, study: Path) -> None:
        (study / "theory.py").write_text("import os\nimport sys\n")
        (study / "own.toml").write_text(
            'extends = "tiny"\nlevers.grent.multiplier = 2\n[rules]\nupdate_trust = "theory.py:fade"\nx = "y"\n'
        )
        with pytest.raises(ScenarioError) as caught:
            load_scenario("own.toml")
        assert len(caught.value.faults) == 5

    def test_rules_that_stand_for_several_and_helpers_without_a_mark_are_fine(self, study: Path) -> None:
        rule = '"""Said."""\nimport math\nfrom typing import Any\nHALF: float = -(1 / 2) ** 1\nPAIR = (HALF, "x")\n'
        rule += (
            f"def fade(world: Any, state: Any, luck: Any, month: int) -> None:\n    state.trust[:] *= helper(HALF)\n\n{BODY[:4]}helper(x):"
        )
        (study / "theory.py").write_text(rule + "\n    return math.fabs(x)\n")
        unmarked = simulate(allowed(), 2, seed=5)
        (study / "theory.py").write_text(HALVES)
        assert unmarked.tallies.tobytes() == simulate(allowed(), 2, seed=5).tallies.tobytes()

    @pytest.mark.parametrize(
        ("body", "said"),
        [
            ("state.trustt[:] = 1", {"compiled": 'theory.py:2: fade cannot be compiled: State has no trustt; did you mean "trust"?'}),
            ("state.trust[:] = nothing", {"compiled": "theory.py:2: fade cannot be compiled: NameError: name 'nothing' is not defined"}),
            ("state.trust[month + 9, 0, 0] = 1", {"compiled": "fade of {study}/theory.py: IndexError: index is out of bounds"}),
            (
                "state.trust[:] = 1 / (state.trust[0, 0, 0] * 0)",
                {"compiled": "theory.py: fade: left state.trust[0, 0, 0] at inf in month 1"},
            ),
            ("state.tallies[:] = 1 / (state.trust[0, 0, 0] * 0)", {"compiled": "numbers that are not finite"}),
            ("raise ValueError('never so')", {"compiled": "theory.py:2: ValueError: never so"}),
        ],
    )
    def test_a_rule_that_does_not_work(self, study: Path, body: str, said: Mapping[str, str]) -> None:
        (study / "theory.py").write_text(BODY + body)
        with pytest.raises(CspsimError) as caught:
            simulate(allowed(), 1)
        if INTERPRETED:
            assert "theory.py:2: " in str(caught.value)
        else:
            assert said["compiled"].format(study=study) in str(caught.value)
        assert "\n" not in str(caught.value)

    def test_what_goes_wrong_elsewhere_is_not_put_down_to_a_rule(self, study: Path) -> None:
        def interrupt(point: str) -> None:
            raise ValueError("somebody's decision")

        with pytest.raises(ValueError, match="somebody's decision"):
            Run(allowed()).advance(interrupt)


def test_the_how_to_lists_every_rule_that_can_be_replaced() -> None:
    page = (PACKAGE.parents[1] / "docs" / "how-to-replace-a-rule.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| ([\w, ]+) \| `(\w+)` \|$", page, re.M)
    before = {now: old for old, now in PRESENT_RULES.items()}
    assert rows == [(name, ", ".join(given), before.get(name, name)) for name, given in SLOTS.items()], (
        "the table of docs/how-to-replace-a-rule.md lists SLOTS, in its order"
    )
