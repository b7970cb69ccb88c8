"""Every page of the docs does what it says: files are written, commands and Python are run, one after the other.

Blocks marked "not run here" need other machines; of those the options of every command are checked.
"""

import difflib
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from sybil import Document, Example, Region, Sybil
from sybil.evaluators.python import PythonEvaluator

ROOT = Path(__file__).parent.parent
PAGES = [path for path in sorted((ROOT / "docs").glob("*.md")) if "```console" in path.read_text() or "```python" in path.read_text()]
BLOCK = re.compile(r"^(?:<!-- (?P<remark>[^\n]*) -->\n)?```(?P<language>\w+)\n(?P<text>.*?)^```$", re.M | re.S)
BESIDE = Path(sys.executable).parent  # where the commands of this Python are


def blocks(document: Document) -> Iterator[Region]:
    """Fenced blocks that are files to write, commands to run, Python to run, or commands to check."""
    for match in BLOCK.finditer(document.text):
        remark, language, text = match["remark"] or "", match["language"], match["text"]
        if remark.startswith("file: "):
            yield Region(match.start(), match.end(), (remark.removeprefix("file: "), text), write_file)
        elif remark.startswith("not run here"):
            yield Region(match.start(), match.end(), text, check_options)
        elif language == "console":
            yield Region(match.start(), match.end(), text, run_console)
        elif language == "python":
            yield Region(match.start(), match.end(), _lexeme(document, match), PythonEvaluator())


def _lexeme(document: Document, match: re.Match[str]) -> Any:
    from sybil.region import Lexeme

    return Lexeme(match["text"], match.start("text") - match.start(), 0)


def write_file(example: Example) -> None:
    name, text = example.parsed
    Path(name).write_text(text, encoding="utf-8")


def run_console(example: Example) -> None:
    """Commands after ``$`` one by one; what follows is what they print, with ``...`` for any lines."""
    started = example.namespace["started"]
    for command, expected in commands(example.parsed):
        words = shlex.split(command)
        environment = {**os.environ, "PATH": os.pathsep.join([str(BESIDE), os.environ.get("PATH", "")]), "COLUMNS": "150"}
        if words[-1] == "&":
            process = subprocess.Popen(words[:-1], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            started.append(process)
            _wait_for_file(words)
            continue
        done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, f"$ {command}\n{done.stdout}{done.stderr}"
        assert fits(expected, done.stdout), f"$ {command}\nexpected:\n{expected}\nfound:\n{done.stdout}"


def _wait_for_file(words: list[str]) -> None:
    """A program in the background is there once it has written the file that its options name."""
    file = next((Path(after) for word, after in pairwise(words) if word == "--scheduler-file"), None)
    until = time.monotonic() + 60
    while file is not None and not file.exists() and time.monotonic() < until:
        time.sleep(0.05)


def commands(text: str) -> Iterator[tuple[str, str]]:
    for part in re.split(r"^\$ ", text, flags=re.M)[1:]:
        command, _, expected = part.partition("\n")
        yield command, expected.strip()


def fits(expected: str, found: str) -> bool:
    """Whether the text is what was expected: the same words, ``...`` standing for anything."""
    if not expected:
        return True
    parts = [r"\s+".join(map(re.escape, part.split())) for part in expected.split("...")]
    return re.fullmatch(r"(?s)\s*" + r".*?".join(r"\s*" + part + r"\s*" for part in parts), found) is not None


def check_options(example: Example) -> None:
    """Every option of a cspsim or dask command exists."""
    text = re.sub(r"\\\n", " ", example.parsed)
    found = re.findall(r"\b(cspsim|dask)[, ]+(\w+)((?:[^\n\]]|\[)*)", text)
    for program, command, rest in found:
        known = _help(program, command)
        for option in re.findall(r"(?<![\w-])--[\w-]+", rest):
            close = difflib.get_close_matches(option, re.findall(r"--[\w-]+", known), 1)
            assert re.search(rf"{option}(?![\w-])", known), f"{program} {command} has no {option}; did you mean {close}?"


def _help(program: str, command: str) -> str:
    environment = {**os.environ, "COLUMNS": "200"}
    done = subprocess.run([str(BESIDE / program), command, "--help"], capture_output=True, text=True, env=environment, timeout=60)
    assert done.returncode == 0, f"there is no command {program} {command}"
    return done.stdout


PARSER = Sybil(parsers=[blocks], document_types={".md": Document})


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_a_page_does_what_it_says(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in ("scenarios", "experiments"):  # pages may name shipped files by their place in the repository
        shutil.copytree(ROOT / folder, tmp_path / folder)
    document = PARSER.parse(page)
    document.namespace["started"] = started = []
    try:
        examples = list(document.examples())
        assert examples
        for example in examples:
            example.evaluate()
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait(timeout=20)


def test_a_wrong_page_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not vacuous: a command that fails, output that differs, an option that is none, Python that raises."""
    monkeypatch.chdir(tmp_path)
    for text in (
        "```console\n$ cspsim show nothing\n```\n",
        "```console\n$ cspsim --version\ncspsim 99\n```\n",
        "<!-- not run here: x -->\n```console\n$ cspsim sweep x --no-such-option\n```\n",
        "```python\nassert 1 == 2\n```\n",
    ):
        page = tmp_path / "page.md"
        page.write_text(text)
        document = PARSER.parse(page)
        document.namespace["started"] = []
        (example,) = document.examples()
        with pytest.raises(AssertionError):
            example.evaluate()


@pytest.mark.parametrize(
    ("expected", "found", "whether"), [("a\n...\nb", "a\nx\ny\nb\n", True), ("a\nb", "a b", True), ("a ... c", "a b", False)]
)
def test_what_fits(expected: str, found: str, whether: bool) -> None:
    assert fits(expected, found) is whether
