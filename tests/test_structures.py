"""World and state behind one pointer: nothing moves, nothing is freed too early, nothing is written that may not be."""

import ast
import copy
import gc
import os
import pickle
import subprocess
import sys
import weakref
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from worlds import tiny_world

import cspsim.model.month as standard_month
from cspsim.mesa_model.partnership_model import PartnershipModel
from cspsim.model.compiled import INTERPRETED, compiled
from cspsim.model.luck import new_luck
from cspsim.model.month import begin_run, run_month
from cspsim.model.structures import packed
from cspsim.one_run.run import Run
from cspsim.running.simulation import state_for
from cspsim.scenario.scenario import load_scenario
from cspsim.scenario.world_building import build_world

compiled_only = pytest.mark.skipif(INTERPRETED, reason="interpreted rules read the named tuples themselves")


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Any:
    path = tmp_path_factory.mktemp("world") / "tiny.toml"
    path.write_text(tiny_world(), encoding="utf-8")
    return load_scenario(path)


class Inner(NamedTuple):
    share: float
    grid: np.ndarray


class Outer(NamedTuple):
    number: float
    count: int
    inner: Inner
    words: np.ndarray


class Longer(NamedTuple):
    number: float
    count: int
    inner: Inner
    words: np.ndarray
    added: np.ndarray


def outer() -> Outer:
    return Outer(0.25, -3, Inner(0.5, np.arange(24.0).reshape(2, 3, 4)), np.array([7, 2**63 + 1], dtype=np.uint64))


@compiled
def read_all(block, i, j, k):  # type: ignore[no-untyped-def] # compiled for whatever it is given
    return block.number, block.count, block.inner.share, block.inner.grid[i, j, k], block.words[1], block.inner.grid.shape


def test_every_field_is_where_it_should_be() -> None:
    given = outer()
    assert read_all(packed(given), 1, 2, 3) == (0.25, -3, 0.5, 23.0, 2**63 + 1, (2, 3, 4))
    given.inner.grid[1, 2, 3] = -1
    assert read_all(packed(given), 1, 2, 3)[3] == -1, "arrays are shared, not copied"


@compiled_only
def test_a_field_added_at_the_end_moves_none_of_the_others() -> None:
    """So that machine code made for the shorter tuple works on the longer."""
    given = outer()
    short: Any = packed(given)
    longer: Any = packed(Longer(*given, np.ones(5)))
    assert longer.words[: len(short.words)].tolist() == short.words.tolist()
    places = longer._numba_type_.places
    assert all(places[name] == place for name, place in short._numba_type_.places.items())


@compiled_only
def test_owners_outlive_their_block_and_are_let_go_with_it() -> None:
    given = outer()
    owner = weakref.ref(given.inner.grid)
    block = packed(given)
    del given
    gc.collect()
    rubbish = [np.full((2, 3, 4), -9.0) for _ in range(50)]
    assert read_all(block, 1, 2, 3)[3] == 23.0
    assert owner() is not None
    del block, rubbish
    gc.collect()
    assert owner() is None


@compiled_only
@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda block: pickle.loads(pickle.dumps(block))])
def test_a_copy_is_laid_out_over_its_own_arrays(again: Any) -> None:
    given = outer()
    block: Any = packed(given)
    other = again(block)
    assert other is not block
    assert read_all(other, 1, 2, 3) == read_all(block, 1, 2, 3)
    other.fields.inner.grid[1, 2, 3] = 99
    assert read_all(other, 1, 2, 3)[3] == 99
    if again is not copy.copy:
        assert read_all(block, 1, 2, 3)[3] == 23.0


@compiled_only
def test_an_array_in_pieces_is_refused() -> None:
    with pytest.raises(ValueError, match="the array words does not lie in one piece"):
        packed(outer()._replace(words=np.arange(8, dtype=np.uint64)[::2]))


@compiled_only
def test_no_rule_writes_into_the_world(scenario: Any) -> None:
    import numba

    @compiled
    def cheat(world, state, luck, month):  # type: ignore[no-untyped-def]
        world.effect[0] = 1

    @compiled
    def cheat_with_a_slice(world, state, luck, month):  # type: ignore[no-untyped-def]
        world.levers.grant[:] = 2

    world = build_world(scenario.data)
    for rule in (cheat, cheat_with_a_slice):
        with pytest.raises(numba.core.errors.TypingError, match="readonly"):
            rule(packed(world), packed(state_for(world)), new_luck(1, 0), 0)


@compiled_only
def test_bounds_of_a_users_rule_are_checked_and_an_index_may_count_from_the_end() -> None:
    @compiled
    def last(block, k):  # type: ignore[no-untyped-def]
        return block.inner.grid[k, -1, -1]

    assert last(packed(outer()), -1) == 23.0
    for outside in (2, -3):
        with pytest.raises(IndexError):
            last(packed(outer()), outside)


class Watched(np.ndarray):
    """An array that does not let anybody count from the end."""

    def __getitem__(self, index: Any) -> Any:
        self._refuse(index)
        return super().__getitem__(index)

    def __setitem__(self, index: Any, value: Any) -> None:
        self._refuse(index)
        super().__setitem__(index, value)

    @staticmethod
    def _refuse(index: Any) -> None:
        for one in index if isinstance(index, tuple) else (index,):
            if not isinstance(one, slice) and one < 0:
                raise IndexError(f"an index of {index}: machine code of the package's own rules would read something else")


def watched(fields: Any) -> Any:
    return type(fields)(
        *(part.view(Watched) if isinstance(part, np.ndarray) else watched(part) if isinstance(part, tuple) else part for part in fields)
    )


def run_watched() -> None:
    """All of the tiny world's months, interpreted, on arrays that notice an index below 0."""
    import tomllib

    from cspsim.scenario.schema import ScenarioData

    world = watched(build_world(ScenarioData.model_validate(tomllib.loads(tiny_world()))))
    state, luck = watched(state_for(world)), new_luck(1, 0)
    begin_run(world, state, luck)
    for month in range(world.counted.shape[0]):
        run_month(world, state, luck, month)
    assert state.units.sum() > 0
    try:
        state.trust[0, 0, -1]
    except IndexError:
        print("watched")


def test_the_packages_own_rules_never_count_from_the_end() -> None:
    """Their machine code does without asking whether an index is below 0 (1.06 times as fast)."""
    here = Path(__file__).resolve().parent
    paths = [str(here), str(Path(sys.modules["cspsim"].__file__ or "").resolve().parents[1])]
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1", "PYTHONPATH": os.pathsep.join(paths)}
    command = [sys.executable, "-c", "import test_structures\ntest_structures.run_watched()"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert done.stdout.strip() == "watched", done.stderr[-2000:]


AGAIN = {"copied": copy.deepcopy, "pickled": lambda whole: pickle.loads(pickle.dumps(whole))}


class TestRunsThatAreCopied:
    @pytest.mark.parametrize("how", AGAIN)
    def test_a_run_goes_on_as_if_it_were_the_first(self, scenario: Any, how: str) -> None:
        run = Run(scenario, seed=4, replicate=2)
        for _ in range(20):
            run.advance()
        other = AGAIN[how](run)
        kept = run.state.numbers.copy()
        for _ in range(15):
            other.advance()
        assert np.array_equal(run.state.numbers, kept), "the first is left alone"
        for _ in range(15):
            run.advance()
        assert other.state.numbers.tobytes() == run.state.numbers.tobytes()
        assert other.window.tobytes() == run.window.tobytes()
        assert np.shares_memory(other.state.trust, other.state.numbers)

    def test_so_does_a_model(self, scenario: Any) -> None:
        """Copied, that is: Mesa's own collector of data cannot be pickled."""
        model = PartnershipModel(scenario, seed=4, replicate=2)
        for _ in range(3):
            model.step()
        other = copy.deepcopy(model)
        for each in (model, other):
            for _ in range(9):
                each.step()
        assert other.run.state.numbers.tobytes() == model.run.state.numbers.tobytes()
        assert other.run is not model.run
        frames = [each.datacollector.get_model_vars_dataframe() for each in (model, other)]
        assert frames[0].equals(frames[1])
        assert len(frames[0]) == 12


def test_no_rule_reads_what_another_left_in_the_scratch(scenario: Any) -> None:
    """So each may be replaced, and a run may be rewound: all of it but what follows from the world is spoiled between the rules."""
    world = build_world(scenario.data)
    one, other, luck = state_for(world), state_for(world), new_luck(1, 0)
    rules = [getattr(standard_month, name) for name in called_in_order()]
    assert len(rules) == 22
    for state in (one, other):
        begin_run(packed(world), packed(state), luck)
    seen, behind, spoiled = packed(world), packed(one), packed(other)
    for month in range(world.counted.shape[0]):
        run_month(seen, behind, luck, month)
        for rule in rules:
            rule(seen, spoiled, luck, month)
            for name, array in other.scratch._asdict().items():
                if name not in ("numbers", "powers", "profile"):
                    array[:] = np.nan
        assert one.numbers.tobytes() == other.numbers.tobytes(), f"month {month}"
        assert one.counters.tobytes() == other.counters.tobytes(), f"month {month}"


def called_in_order() -> list[str]:
    """Names of the rules of a month in their order."""
    tree = ast.parse(Path(standard_month.__file__).read_text(encoding="utf-8"))
    stages = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    names = [stage.__name__ for stage in standard_month.STAGES]
    return [
        node.value.func.id
        for name in names
        for node in stages[name].body
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Name)
    ]
