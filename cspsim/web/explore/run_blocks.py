"""Runs for pages: made in small blocks by a few threads for the whole server, kept for as long as there is room, the same for everybody.

A block is a handful of replicates of one scenario. What a block holds follows from the scenario's digest, the seed and its
number alone, so blocks are shared between visitors, and a lever that is moved back finds its runs already made.
"""

import os
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np

from cspsim.model.parameters import Floats
from cspsim.model.world import World
from cspsim.running.assumptions import AssumptionSets, sample_assumptions
from cspsim.running.rulebook import rulebook_of
from cspsim.running.simulation import CHUNK, replicate_numbers, run_world
from cspsim.running.years import year_sums
from cspsim.scenario.scenario import Scenario
from cspsim.scenario.world_building import build_world, calendar_of

SET_RUNS = 4
"""Runs of each arm under each assumption set, as ``cspsim compare`` makes them."""
SETS = 32
STEP_BACK = 10
"""How far the threads that make runs step back, as ``nice`` counts."""
ROOM = 10 * 2**20
"""Bytes of blocks that a server keeps."""

Made = TypeVar("Made")


class Block(NamedTuple):
    """Some runs: ``tallies`` ``[run, partnership, tally]`` over the window; ``years`` ``[run, year, tally]`` of the area, or none."""

    tallies: Floats
    years: Floats

    @property
    def size(self) -> int:
        """Bytes."""
        return int(self.tallies.nbytes + self.years.nbytes)


class Unit(NamedTuple):
    """What one block is made of. ``set_number`` -1: replicates at the best guesses; else the runs under one assumption set."""

    scenario: Scenario
    seed: int
    number: int
    set_number: int = -1

    @property
    def key(self) -> tuple[str, int, int, int]:
        """The same for units that make the same block."""
        return self.scenario.digest, self.seed, self.number, self.set_number


def blocks_for(runs: int) -> int:
    """How many blocks hold so many replicates."""
    return -(-runs // CHUNK)


class _Latest(Generic[Made]):
    """What was made of the latest scenarios, by digest. It holds no scenario: that would be five times as large as its world."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._made: OrderedDict[tuple[Any, ...], Made] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, key: tuple[Any, ...], make: Callable[[], Made]) -> Made:
        """The one of a key; made if it is not there. Two threads may make it at once, and it is the same."""
        with self._lock:
            found = self._made.get(key)
        found = make() if found is None else found
        with self._lock:
            self._made[key] = found
            self._made.move_to_end(key)
            while len(self._made) > self._most:
                self._made.popitem(last=False)
        return found


_WORLDS: _Latest[World] = _Latest(24)
_SETS: _Latest[AssumptionSets] = _Latest(8)


def _world_of(scenario: Scenario) -> World:
    return _WORLDS.of((scenario.digest,), lambda: build_world(scenario.data))


def sets_of(scenario: Scenario, seed: int) -> AssumptionSets:
    """The assumption sets under which an arm is run, the same quantiles in every arm."""
    return _SETS.of((scenario.digest, seed), lambda: sample_assumptions(scenario, SETS, seed))


def make(unit: Unit) -> Block:
    """The runs of a unit. Raises CspsimError for rules that may not be run, ValueError for a lever outside its range."""
    scenario = unit.scenario
    world, book = _world_of(scenario), rulebook_of(scenario)
    if unit.set_number < 0:
        numbers = replicate_numbers(CHUNK, unit.number * CHUNK)
        tallies, _, monthly = run_world(world, book, numbers, unit.seed, months=True, threads=1)
        calendar = calendar_of(scenario.data)
        return Block(tallies, year_sums(monthly[:, calendar.warm_up :].sum(axis=2), calendar.reported)[2])
    world = sets_of(scenario, unit.seed).apply(world, unit.set_number)
    numbers = replicate_numbers(SET_RUNS, unit.set_number * SET_RUNS)
    return Block(run_world(world, book, numbers, unit.seed, threads=1)[0], np.empty((SET_RUNS, 0, 0)))


class Library:
    """Blocks by key, those used longest ago given up first. Safe for many threads."""

    def __init__(self, room: int = ROOM) -> None:
        self.room = room
        self.size = 0
        self._blocks: OrderedDict[tuple[str, int, int, int], Block] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, unit: Unit) -> Block | None:
        """The block of a unit, if it was made and is still kept."""
        with self._lock:
            block = self._blocks.get(unit.key)
            if block is not None:
                self._blocks.move_to_end(unit.key)
            return block

    def keep(self, unit: Unit, block: Block) -> None:
        """Keep a block, and give up others if there is no room."""
        with self._lock:
            if unit.key not in self._blocks:
                self._blocks[unit.key] = block
                self.size += block.size
            while self.size > self.room and len(self._blocks) > 1:
                self.size -= self._blocks.popitem(last=False)[1].size

    def __len__(self) -> int:
        return len(self._blocks)


def _step_back() -> None:
    """Let pages and browsers on this machine go first. Where threads have no priority of their own, nothing changes."""
    if sys.platform == "linux":
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), STEP_BACK)


class Workers:
    """The threads that make blocks, for all pages of a server together. Requests are served in turn."""

    def __init__(self, threads: int | None = None) -> None:
        self.threads = threads or os.cpu_count() or 1
        self._pool = ThreadPoolExecutor(self.threads, thread_name_prefix="runs", initializer=_step_back)

    def take(self, work: Callable[[], None]) -> None:
        """Do this when a thread is free; nothing once the server is ending."""
        with suppress(RuntimeError):  # the interpreter is ending
            self._pool.submit(work)


LIBRARY = Library()
WORKERS = Workers()
