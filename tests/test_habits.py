"""What is checked before a commit is what CI checks, with tools of one version; what can be ignored says why."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
COMMANDS = ("ruff check", "ruff format --check", "mypy")


def _text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("command", COMMANDS)
def test_ci_and_pre_commit_check_the_same(command: str) -> None:
    assert re.search(rf"^\.venv/bin/{command}\b", _text(".ci/run"), re.M), f".ci/run lacks {command}"
    assert f"entry: {command}" in _text(".pre-commit-config.yaml")
    assert command in _text("CONTRIBUTING.md")


def test_every_tool_is_pinned() -> None:
    extras = tomllib.loads(_text("pyproject.toml"))["project"]["optional-dependencies"]
    named = {re.split(r"[\[<>=~!]", entry)[0].lower() for entries in extras.values() for entry in entries} - {"cspsim"}
    pinned = {line.partition("==")[0].lower() for line in _text("constraints.txt").splitlines()}
    assert named - pinned == set(), "constraints.txt lacks a version of these"


def test_every_rule_of_ruff_that_is_ignored_says_why() -> None:
    settings = _text("pyproject.toml")
    ignored = re.findall(r'^\s+"[A-Z]+\d+",(.*)$', settings, re.M) + re.findall(r'^"[^"]+" = \["[A-Z]+\d*"\](.*)$', settings, re.M)
    assert len(ignored) >= 6
    assert [line for line in ignored if not re.match(r"\s*# \S+ \S+", line)] == []


def test_types_travel_with_the_package() -> None:
    assert (ROOT / "cspsim" / "py.typed").is_file()


def test_no_type_is_ignored_without_saying_which() -> None:
    bare = [path.name for path in (ROOT / "cspsim").rglob("*.py") if re.search(r"# type: ignore(?!\[)", path.read_text(encoding="utf-8"))]
    assert bare == []
