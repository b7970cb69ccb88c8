"""The first compilation in two processes: what the second makes is used, and where it fails nothing is lost."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cspsim.running import compiling

CODE = """
import sys, types
from cspsim.running import compiling
from cspsim.model.compiled import cache_folder, compiled
from pathlib import Path

folder = Path({folder!r})
sys.path.insert(0, str(folder))
import small_steps as steps
compiling.begin_run, compiling.FIRST, compiling.REST = steps.first, (steps.first,), (steps.later,)
compiling.first_compilation = lambda file: True
compiling.kinds_of = lambda world: steps.KINDS
compiling._compile_loop = lambda world: None
told = []
compiling.compile_rules(None, lambda done, total: told.append((done, total)))
print(steps.later.stats.cache_hits and 1 or 0, steps.first(1, 2, 3), steps.later(1, 2, 3, 4), told)
"""
STEPS = """
from numba import types
from cspsim.model.compiled import compiled
KINDS = (types.int64, types.int64, types.int64)
def first(world, state, luck): return world
def later(world, state, luck, month): return month
"""


class TestMovedStages:
    def test_only_stages_of_the_rest_are_moved_and_an_index_comes_last(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        made, kept, moved = tmp_path / "made", tmp_path / "kept", []
        (made / "cspsim_1").mkdir(parents=True)
        kept.mkdir()
        stages = [step.__name__ for step in compiling.REST]
        for name in (*stages, "until_table", "until_challenge", "begin_run"):
            for end in ("nbi", "1.nbc"):
                (made / "cspsim_1" / f"month.{name}-10.py311.{end}").write_text(name)
        (made / "cspsim_1" / "luck.uniforms-1.py311.1.nbc").write_text("a helper of two kinds")
        rename = os.replace
        monkeypatch.setattr(os, "replace", lambda old, new: (moved.append(Path(new).suffix), rename(old, new)))
        compiling._move_stages(made, kept)
        found = {path.name.split(".")[1].split("-")[0] for path in kept.rglob("*.nb?")}
        assert found == set(stages)
        assert moved == [".nbc"] * len(stages) + [".nbi"] * len(stages)


@pytest.mark.parametrize("starts", [True, False])
def test_a_second_process_that_fails_leaves_its_half_to_the_first(tmp_path: Path, starts: bool) -> None:
    """With a month of two small steps, whose types mean nothing to the real stages that the second process knows; or it never starts."""
    root = Path(sys.modules["cspsim"].__file__ or "").resolve().parents[1]
    (tmp_path / "small_steps.py").write_text(STEPS + "first, later = compiled(first), compiled(later)\n")
    code = CODE.format(folder=str(tmp_path))
    if not starts:
        code = code.replace("told = []", "told = []\nsys.executable = '/no/such/python'")
    cleared = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA_")}
    environment = cleared | {"PYTHONPATH": str(root), "CSPSIM_CACHE_DIR": str(tmp_path / "cache")}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.split(" ", 1)[1].strip() == "1 4 [(0, 2), (1, 2), (2, 2)]"
    assert not list((tmp_path / "cache" / "compiled").glob("half-*")), "the second process's folder is taken away"
