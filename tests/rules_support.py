"""One rule at a time on a tiny world: what every test of a rule needs.

    bench = Bench(levers={"targets": 1}, uncertainties={"gaming": 0.1}, recording=0.9)
    bench.state.true_crimes[:] = 100
    bench.run(record_crimes, MAY)
    assert bench.state.recorded[INNER, BURGLARY, MAY] == ...

The tiny world of ``worlds`` has 2 of 5 partnerships, 3 authorities, 2 crime types, 3 interventions and 60 months, of
which the first is an April. Hot spots are led by the police, CCTV by the local authority, injury data by health.
"""

import tempfile
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as some
from worlds import tiny_world

from cspsim.model.luck import Luck, new_luck
from cspsim.model.month import begin_run
from cspsim.model.state import State, out_of_range
from cspsim.model.structures import packed
from cspsim.model.tallies import Role
from cspsim.model.world import World
from cspsim.running.simulation import state_for
from cspsim.scenario.scenario import load_scenario
from cspsim.scenario.world_building import build_world

INNER, OUTER = 0, 1
POLICE, LOCAL_AUTHORITY, HEALTH = 0, 1, 2
BURGLARY, VIOLENCE = 0, 1
HOT_SPOTS, CCTV, INJURY_DATA = 0, 1, 2
APRIL, MAY, JUNE, JULY, OCTOBER, DECEMBER, JANUARY, FEBRUARY, MARCH, NEXT_APRIL = 0, 1, 2, 3, 6, 8, 9, 10, 11, 12

Rule = Callable[[World, State, Luck, int], None]

__all__ = ["Bench", "arrays_of", "few", "make_world", "no_coordinator", "out_of_range", "pounds", "shares"]

few = settings(deadline=None, max_examples=25, derandomize=True, suppress_health_check=list(HealthCheck))
"""Few examples and no deadline: the first call compiles, and interpreted rules are slow. Rare cases belong in tests of their own."""


@lru_cache(maxsize=8)
def _read(text: str) -> World:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tiny.toml"
        path.write_text(text, encoding="utf-8")
        return build_world(load_scenario(path).data)


def _fitted(old: Any, new: Any) -> Any:
    """``new`` in the shape and type of ``old``: a number fills a whole array. Always a copy, so that tests share nothing."""
    if isinstance(old, np.ndarray):
        return np.array(np.broadcast_to(new, old.shape), dtype=old.dtype, order="C")
    return type(old)(new)


def _changed(part: Any, changes: Mapping[str, Any]) -> Any:
    """A named tuple with some fields changed and every array copied. An unknown field is an error."""
    unknown = set(changes) - set(part._fields)
    if unknown:
        raise ValueError(f"{type(part).__name__} has no {', '.join(sorted(unknown))}")
    return part._replace(
        **{name: _fitted(old, changes.get(name, old)) for name, old in part._asdict().items() if not isinstance(old, tuple)}
    )


def make_world(
    levers: Mapping[str, Any] | None = None,
    uncertainties: Mapping[str, float] | None = None,
    switches: Mapping[str, int] | None = None,
    text: str | None = None,
    **arrays: Any,
) -> World:
    """The tiny world (or the scenario in ``text``) with changes. A number fills a whole array; arrays are copies.

    levers: ``[month]`` arrays or numbers; arrays: any other field of ``World``, such as ``elasticity=-0.3``.
    """
    world = _changed(_read(text or tiny_world()), arrays)
    return world._replace(
        levers=_changed(world.levers, levers or {}),
        uncertainties=_changed(world.uncertainties, uncertainties or {}),
        switches=_changed(world.switches, switches or {}),
    )


class Bench:
    """A world, a state just after ``begin_run``, and luck, on which single rules are run.

    Arrays of ``world`` and ``state`` may be changed at any time; numbers of ``world.uncertainties`` and ``world.switches``
    are fixed when the bench is made, as are all parts that are not arrays, and ``world.profile`` as agenda reads it.
    """

    def __init__(self, world: World | None = None, seed: int = 1, replicate: int = 0, **changes: Any) -> None:
        self.world: World = make_world(**changes) if world is None else world
        self.state: State = state_for(self.world)
        self.luck: Luck = new_luck(seed, replicate)
        self._world, self._state = packed(self.world), packed(self.state)
        begin_run(self._world, self._state, self.luck)

    def run(self, rule: Rule, *months: int) -> State:
        """Run one rule in each of these months and give the state."""
        for month in months:
            rule(self._world, self._state, self.luck, month)
        return self.state

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call a compiled helper that takes the world and the state first."""
        return function(self._world, self._state, *arguments)

    def set(self, **fields: Any) -> "Bench":
        """Fill whole arrays of the state, ``bench.set(balance=1000, posts=[1, 0.5])``; an unknown field is an error."""
        for name, value in fields.items():
            getattr(self.state, name)[:] = value
        return self


def no_coordinator(world: World) -> World:
    """The same world in which nobody holds the role of co-ordinator."""
    world.holder[:, Role.COORDINATOR, :] = -1
    return world


shares = some.floats(0, 1)
pounds = some.just(0.0) | some.floats(1, 5_000_000)


def arrays_of(numbers: some.SearchStrategy[float], *shape: int) -> some.SearchStrategy[np.ndarray]:
    """Arrays of this shape with every element drawn from ``numbers``."""
    size = int(np.prod(shape))
    return some.lists(numbers, min_size=size, max_size=size).map(lambda drawn: np.array(drawn, dtype=float).reshape(shape))
