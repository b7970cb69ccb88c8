"""The documents say what the code does: generated tables are up to date, commands in the README are the ones CI runs."""

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from cspsim.model.parameters import Levers
from cspsim.running.outcomes import OUTCOMES
from cspsim.scenario.schema import register_of

ROOT = Path(__file__).parent.parent


def _tool(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def test_the_tables_of_the_model_page_are_the_ones_the_code_writes() -> None:
    text = (ROOT / "docs" / "model.md").read_text(encoding="utf-8")
    assert text == _tool("write_docs").filled(text), "run python tools/regenerate.py --only model"


def test_every_rule_file_has_tests_of_its_own() -> None:
    rules = sorted(path.stem for path in (ROOT / "cspsim" / "model" / "rules").glob("[!_]*.py"))
    untested = [name for name in rules if not (ROOT / "tests" / "rules" / f"test_{name}.py").exists()]
    assert untested == [], "these rule files have no tests/rules/test_NAME.py"


def test_a_table_that_has_no_place_on_the_page_is_an_error() -> None:
    with pytest.raises(ValueError, match="no place for the table"):
        _tool("write_docs").filled("an empty page")


def test_the_lever_page_shows_every_lever_at_both_settings_against_every_outcome() -> None:
    effects = _tool("lever_effects")
    text = (ROOT / "docs" / "levers.md").read_text(encoding="utf-8")
    unnamed = sorted(set(register_of(Levers)) ^ set(effects.PROXIMATE))
    assert unnamed == [], "PROXIMATE in tools/lever_effects.py names, for each lever and no other, the outcome it acts on first"
    unshown = [lever for lever in register_of(Levers) if f"\n## {lever}\n" not in text]
    assert unshown == [], "docs/levers.md lacks levers: run python tools/regenerate.py --only levers"
    for lever in register_of(Levers):
        section = text.split(f"\n## {lever}\n")[1].split("\n## ")[0]
        low, high = effects.settings_of(lever)
        assert f"| at {low:g} | at {high:g} |" in section
        assert re.findall(r"^\| `(\w+)`", section, re.M) == list(OUTCOMES)


def test_ci_runs_the_test_command_of_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.findall(r"<!-- (?:main|test) command -->\n```\w*\n(.+)\n```\n<!-- end -->", readme)
    assert len(found) == 2, "README.md marks its two commands, each on a single line"
    assert "cspsim compare no-cuts baseline" in found[0]
    assert "pytest" in found[1]
    assert "README.md" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
