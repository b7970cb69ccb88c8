"""Keys under ``[rules]`` and imports of the version before: understood once more, with a sentence that says what to write now."""

import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from typer.testing import CliRunner
from worlds import write_tiny_world

from cspsim.basics.errors import FileError, OldWords, ScenarioError
from cspsim.cli import app
from cspsim.model.compiled import PACKAGE
from cspsim.running.rulebook import module_of
from cspsim.scenario.old_words import PRESENT_RULES, with_present_imports
from cspsim.scenario.rival_rules import SLOTS
from cspsim.scenario.scenario import load_scenario
from cspsim.sweep.reading import load_experiment

RULE = "def fade(world, state, luck, month):\n    state.trust[:] *= 0.5\n"
KEY = "write rules.update_trust, not rules.trust: a rule goes by the name of its function, and the next version"
EXPERIMENT = """title = "Theories"
question = "What does trust do?"
baseline = "tiny"
outcomes = ["mean_trust"]
[policies.own]
changes = {{ "rules.trust" = "{file}:fade" }}
[luck]
replicates = 2
"""


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the tiny world, a rule file, and a scenario in old words; also the working directory."""
    write_tiny_world(tmp_path)
    (tmp_path / "theory.py").write_text(RULE)
    (tmp_path / "own.toml").write_text('extends = "tiny"\n[rules]\ntrust = "theory.py:fade"\n')
    monkeypatch.chdir(tmp_path)
    return tmp_path


def said_when_reading(text: str) -> tuple[str, str]:
    """A rule file in present words, and the sentence about it."""
    with pytest.warns(OldWords) as told:
        read = with_present_imports(text, Path("theory.py"))
    return read, str(told[0].message)


class TestKeys:
    def test_every_rule_had_a_key(self) -> None:
        assert {*PRESENT_RULES.values(), "first_impressions"} == set(SLOTS)
        assert not set(PRESENT_RULES) & set(SLOTS)

    def test_in_a_scenario_file(self, study: Path) -> None:
        with pytest.warns(FutureWarning, match=rf"^own\.toml:3: {KEY}"):
            old = load_scenario("own.toml")
        (study / "new.toml").write_text('extends = "tiny"\n[rules]\nupdate_trust = "theory.py:fade"\n')
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            new = load_scenario("new.toml")
        assert old.digest == new.digest != load_scenario("tiny.toml").digest
        assert [rival.slot for rival in old.rivals] == ["update_trust"]
        assert 'update_trust = "theory.py:fade"' in old.to_toml()
        assert old.provenance("rules.update_trust") == ("own.toml", 3)

    def test_a_child_in_new_words_answers_a_parent_in_old_ones(self, study: Path) -> None:
        (study / "child.toml").write_text('extends = "own"\n[rules]\nupdate_trust = "standard"\n')
        with pytest.warns(OldWords):
            assert load_scenario("child.toml").rivals == ()

    @pytest.mark.parametrize("changes", [{"rules.trust": "theory.py:fade"}, {"rules": {"trust": "theory.py:fade"}}])
    def test_in_changes(self, study: Path, changes: dict) -> None:
        with pytest.warns(OldWords, match=f"^{KEY}"):
            (rival,) = load_scenario("tiny.toml").with_changes(changes).rivals
        assert (rival.slot, rival.function) == ("update_trust", "fade")

    def test_in_an_experiment_file_and_its_errors_have_their_line(self, study: Path) -> None:
        (study / "sweep.toml").write_text(EXPERIMENT.format(file="theory.py"))
        with pytest.warns(OldWords, match=f"^{KEY}"):
            load_experiment("sweep.toml", allow_rules=True)
        (study / "sweep.toml").write_text(EXPERIMENT.format(file="nowhere.py"))
        with pytest.warns(OldWords), pytest.raises(FileError) as caught:
            load_experiment("sweep.toml", allow_rules=True)
        assert 'sweep.toml:6: policies.own.changes."rules.trust": ' in str(caught.value)

    @pytest.mark.parametrize("own", ['[rules]\ntrust = "nowhere.py:fade"\n', '\nrules.trust = "../theory.py:fade"\n'])
    def test_an_error_has_its_line(self, study: Path, own: str) -> None:
        (study / "own.toml").write_text(f'extends = "tiny"\n{own}')
        with pytest.warns(OldWords), pytest.raises(ScenarioError, match=r"own\.toml:3: rules\.update_trust: ") as caught:
            load_scenario("own.toml")
        assert len(caught.value.faults) == 1

    def test_the_same_rule_twice_in_one_place_is_an_error(self, study: Path) -> None:
        said = "rules.trust: is the same rule as rules.update_trust, "
        with (study / "own.toml").open("a") as file:
            file.write('update_trust = "theory.py:fade"\n')
        with pytest.raises(ScenarioError) as caught:
            load_scenario("own.toml")
        assert f"own.toml:3: {said}which line 4 gives; leave out rules.trust, its old name" in str(caught.value)
        with pytest.raises(ScenarioError) as caught:
            load_scenario("tiny.toml").with_changes({"rules.trust": "standard", "rules.update_trust": "standard"})
        assert f"changes: {said}which is given too; leave out rules.trust" in str(caught.value)

    def test_a_slip_in_an_old_key_is_told_the_present_one(self, study: Path) -> None:
        with pytest.raises(ScenarioError, match='did you mean "replace_representatives"'):
            load_scenario("tiny.toml").with_changes({"rules.turnovr": "theory.py:fade"})


OLD_IMPORTS = """\"\"\"An old file.

from cspsim.state import State
\"\"\"
from cspsim.compiled import compiled; from cspsim.state import State
from cspsim.rules.challenge import (
    _chance as chance,
    hear_challenges,
)
from cspsim.luck import MEETINGS, Luck
from cspsim.model.world import World


@compiled
def fade(world: World, state: State, luck: Luck, month: int) -> None:
    from cspsim.arithmetic import learn
    state.trust[:] *= 0.5
"""


class TestImports:
    def test_every_module_lies_where_it_is_looked_for(self) -> None:
        """And what is imported there is what the sentence says."""
        read, said = said_when_reading(OLD_IMPORTS)
        lines, before = read.splitlines(), OLD_IMPORTS.splitlines()
        changed = {number: line for number, (line, old) in enumerate(zip(lines, before, strict=True), 1) if line != old}
        assert changed == {
            5: "from cspsim.model.compiled import compiled; from cspsim.model.state import State",
            6: "from cspsim.model.rules.challenge import (",
            10: "from cspsim.model.luck import MEETINGS, Luck",
            16: "    from cspsim.model.arithmetic import learn",
        }
        assert said == (
            'theory.py:5: write "from cspsim.model.rule_parts import Luck, MEETINGS, State, compiled, hear_challenges, learn" and '
            '"from cspsim.model.rules.challenge import _chance as chance": the next version no longer understands imports from '
            "cspsim.compiled, cspsim.state, cspsim.rules.challenge, cspsim.luck, cspsim.arithmetic"
        )

    @pytest.mark.parametrize(
        "module", ["arithmetic", "compiled", "counts", "luck", "parameters", "state", "tallies", "world", "rules.crime"]
    )
    def test_each_old_place(self, module: str) -> None:
        assert said_when_reading(f"from cspsim.{module} import x\r\n")[0] == f"from cspsim.model.{module} import x\n"

    @pytest.mark.parametrize(
        "text",
        ["from cspsim.model.state import State", "from cspsim.scenario import x", "def (", "import cspsim.state", "from .luck import x"],
    )
    def test_all_else_stays_as_it_is(self, text: str) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert with_present_imports(text, Path("theory.py")) == text

    def test_an_old_rule_file_is_read_and_runs(self, study: Path) -> None:
        """Faults in it keep their lines."""
        (study / "theory.py").write_text(OLD_IMPORTS)
        change = {"rules.update_trust": "theory.py:fade"}
        with pytest.warns(OldWords, match=r"theory\.py:5: write"):
            scenario = load_scenario("tiny.toml").with_changes(change)
        assert "cspsim.state" not in next(iter(scenario.rule_files.values())).replace(OLD_IMPORTS[:60], "")
        assert callable(module_of(scenario.rivals[0]).hear_challenges)
        (study / "theory.py").write_text(OLD_IMPORTS + "\nimport os\n")
        with pytest.warns(OldWords), pytest.raises(ScenarioError, match=r"theory\.py:19: imports os"):
            load_scenario("tiny.toml").with_changes(change)


class TestCommandLine:
    def test_it_is_a_sentence_on_stderr_and_json_stays_json(self, study: Path) -> None:
        (study / "theory.py").write_text("from cspsim.state import State\n" + RULE)
        environment = os.environ | {"PYTHONPATH": str(PACKAGE.parents[1])}
        command = [sys.executable, "-m", "cspsim.cli", "check", "own.toml", "own.toml", "--json"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=100, check=False)
        assert json.loads(done.stdout)[0]["ok"]
        imports, keys = sorted(done.stderr.splitlines())
        assert keys.startswith(f"cspsim: own.toml:3: {KEY}")
        assert imports.startswith(f'cspsim: {study / "theory.py"}:1: write "from cspsim.model.rule_parts import State": ')

    def test_a_change_on_the_command_line(self, study: Path) -> None:
        result = CliRunner().invoke(app, ["run", "tiny.toml", "--set", "rules.trust=theory.py:fad"])
        assert result.exit_code == 2
        assert f"cspsim: {KEY}" in result.stderr
        assert "rules.update_trust: " in result.stderr

    def test_other_warnings_are_shown_as_ever(self, study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def warn(*_: object, **__: object) -> None:
            warnings.warn("something else", FutureWarning, stacklevel=1)

        monkeypatch.setattr("cspsim.scenario.scenario.load_scenario", warn)
        with pytest.warns(FutureWarning, match="something else") as told:
            result = CliRunner().invoke(app, ["show", "tiny.toml"])
        assert told
        assert "cspsim: something else" not in result.stderr
