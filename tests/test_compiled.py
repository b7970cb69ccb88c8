"""The disk cache of compiled rules: used when nothing changed, left behind when anything did."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cspsim.model import compiled as module

CALLER = """
from tiny.compiled import compiled
from tiny.rules.constant import constant

@compiled
def answer(number):
    return constant() + number
"""
CALLED = """
from tiny.compiled import compiled

@compiled
def constant():
    return {constant}
"""
FACE = """
from tiny.compiled import compiled
from tiny.rules.constant import constant

@compiled
def shown():
    return constant()
"""
RUN = """
import numba
import tiny.compiled as machinery
from tiny.rules.caller import answer
first = machinery.first_compilation("caller")
result = answer(1)
hits = sum(answer.stats.cache_hits.values()) if hasattr(answer, "stats") else -1
print(result, first, machinery.first_compilation("caller"), hits, numba.config.CACHE_DIR == "")
"""


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """A package of one rule that calls another in another file, with a copy of the machinery."""
    package = tmp_path / "tiny"
    (package / "rules").mkdir(parents=True)
    for empty in (package / "__init__.py", package / "rules" / "__init__.py"):
        empty.write_text("")
    shutil.copy(module.__file__, package / "compiled.py")
    (package / "rules" / "caller.py").write_text(CALLER)
    (package / "rules" / "constant.py").write_text(CALLED.format(constant=41))
    return package


def python(tiny: Path, script: str, cache: Path | None = None, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run ``script`` in a fresh process that sees the tiny package and keeps machine code in ``cache``."""
    cleared = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA_")}
    environment = cleared | {"PYTHONPATH": str(tiny.parent), "CSPSIM_CACHE_DIR": str(cache or tiny.parent / "cache")} | settings
    return subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True, cwd=tiny.parent)


def answer(tiny: Path, cache: Path | None = None, **settings: str) -> list[str]:
    """The answer; whether it was the first compilation, before and after; hits in the cache; Numba's own setting untouched."""
    return python(tiny, RUN, cache, **settings).stdout.split()


def kept_files(tiny: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in (tiny.parent / "cache").rglob("*.nb?")}


def test_a_changed_called_rule_is_noticed(tiny: Path) -> None:
    """The fault this module exists for: Numba alone would go on answering 42."""
    assert answer(tiny)[0] == "42"
    (tiny / "rules" / "constant.py").write_text(CALLED.format(constant=99))
    assert answer(tiny)[0] == "100"
    (tiny / "rules" / "constant.py").write_text(CALLED.format(constant=41))
    assert answer(tiny)[0] == "42"


def test_kept_machine_code_is_used(tiny: Path) -> None:
    assert answer(tiny) == ["42", "True", "False", "0", "True"]
    before = kept_files(tiny)
    assert any(path.suffix == ".nbc" for path in before)
    assert answer(tiny) == ["42", "False", "False", "1", "True"]
    assert kept_files(tiny) == before


@pytest.mark.parametrize("below_a_file", [True, False])
def test_an_unwritable_folder_only_costs_time(tiny: Path, below_a_file: bool) -> None:
    """A folder that cannot exist (a file is in its way), which stops even the most powerful user on every system."""
    (tiny.parent / "file").write_text("in the way")
    cache = tiny.parent / "file" / "cache" if below_a_file else tiny.parent / "file"
    run = python(tiny, RUN, cache)
    assert run.stdout.split() == ["42", "True", "True", "0", "True"]
    assert "cannot be kept on disk" in run.stderr
    assert not list(tiny.rglob("*.nb?"))  # nor beside the rules, where Numba would go next


def test_interpreted_rules_are_plain_functions(tiny: Path) -> None:
    assert answer(tiny, NUMBA_DISABLE_JIT="1") == ["42", "False", "False", "-1", "True"]
    assert not (tiny.parent / "cache").exists()
    script = "from types import FunctionType; from tiny.rules.caller import answer; print(type(answer) is FunctionType)"
    assert python(tiny, script, NUMBA_DISABLE_JIT="1").stdout.strip() == "True"


def test_a_function_that_is_not_hashed_is_not_kept(tiny: Path) -> None:
    """Else an edit of its own callee would go unnoticed."""
    (tiny.parent / "report.py").write_text(FACE)
    python(tiny, "from report import shown; print(shown())")
    assert not [path for path in kept_files(tiny) if path.name.startswith("report")]
    assert [path for path in kept_files(tiny) if path.name.startswith("constant")]


RIVAL = """
import sys
from types import ModuleType
from tiny.compiled import cache_folder, keep_source
text = {text!r}
file = keep_source(text, "own")
module = sys.modules["own_module"] = ModuleType("own_module")
exec(compile(text, str(file), "exec"), module.__dict__)
print(module.shown(), cache_folder().name, file.parent.name, sum(module.shown.stats.cache_hits.values()))
"""


def test_a_users_rule_is_kept_in_a_folder_of_its_own_and_is_never_out_of_date(tiny: Path) -> None:
    first, again, changed = (
        python(tiny, RIVAL.format(text=text)).stdout.split()
        for text in (FACE, FACE, FACE.replace("return constant()", "return constant() + 1"))
    )
    assert (first[0], again[0], changed[0]) == ("41", "41", "42")
    assert (first[3], again[3], changed[3]) == ("0", "1", "0"), "kept once compiled, and compiled anew when it changed"
    assert first[1] == changed[1], "the package's own rules are not compiled again"
    assert first[2] == again[2] != changed[2]
    kept = [path for path in kept_files(tiny) if path.name.startswith("own.shown")]
    assert {path.parents[1].name for path in kept} == {first[2], changed[2]}


def test_a_users_rule_written_over_in_the_cache_is_not_kept(tiny: Path) -> None:
    """Whoever edits the copy there instead of the file gets no machine code of the text before."""
    python(tiny, RIVAL.format(text=FACE))
    edited = RIVAL.format(text=FACE).replace("exec(", "file.write_text(text + '#')\nexec(")
    before = kept_files(tiny)
    assert python(tiny, edited.replace(", sum(module.shown.stats.cache_hits.values())", "")).stdout.split()[0] == "41"
    assert kept_files(tiny) == before


def test_only_the_newest_rules_of_users_stay(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CSPSIM_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(module, "KEPT_RIVALS", 3)
    module.cache_folder.cache_clear()
    try:
        files = []
        for number in range(5):
            files.append(module.keep_source(f"constant = {number}", "own"))
            assert files[-1] is not None
            os.utime(files[-1].parent, (1_000_000 + number, 1_000_000 + number))
        assert [file.exists() for file in files if file] == [False, False, True, True, True]
    finally:
        module.cache_folder.cache_clear()


def test_the_key_follows_the_rules_and_not_the_faces(tiny: Path) -> None:
    key = module.rules_key(tiny)
    assert key == module.rules_key(tiny)
    (tiny.parent / "charts.py").write_text("colour = 1")
    assert module.rules_key(tiny) == key
    (tiny / "month.py").write_text("order = 1")
    assert module.rules_key(tiny) != key


def test_every_rule_of_the_package_is_hashed() -> None:
    """Any file that holds a compiled function, except the machinery's own mention of it."""
    hashed = set(module.rule_files())
    holders = {path for path in module.PACKAGE.rglob("*.py") if "\n@compiled" in path.read_text(encoding="utf-8")}
    assert module.PACKAGE / "luck.py" in holders
    assert holders <= hashed


def test_the_key_follows_the_compiler(monkeypatch: pytest.MonkeyPatch, tiny: Path) -> None:
    key = module.rules_key(tiny)
    monkeypatch.setattr(module.llvmlite.binding, "get_host_cpu_name", lambda: "another processor")
    assert module.rules_key(tiny) != key
    monkeypatch.undo()
    monkeypatch.setattr(module.numba, "__version__", "0.0")
    assert module.rules_key(tiny) != key


def test_only_the_newest_folders_stay(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CSPSIM_CACHE_DIR", str(tmp_path))
    folders = [tmp_path / "compiled" / f"{number:020x}" for number in range(8)]
    someone_elses = tmp_path / "compiled" / "photographs"
    for age, folder in enumerate([*folders, someone_elses]):
        folder.mkdir(parents=True)
        os.utime(folder, (1_000_000 - age, 1_000_000 - age))
    module.cache_folder.cache_clear()
    try:
        present = module.cache_folder()
    finally:
        module.cache_folder.cache_clear()
    assert present is not None
    assert set((tmp_path / "compiled").iterdir()) == {present, someone_elses, *folders[: module.KEPT_FOLDERS - 1]}
