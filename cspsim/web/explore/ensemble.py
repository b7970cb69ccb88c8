"""All the runs that one question needs, made in the background in the order in which a reader misses them; may be stopped at any time."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from cspsim.basics.errors import CspsimError
from cspsim.running.simulation import CHUNK
from cspsim.scenario.scenario import Scenario
from cspsim.web.explore.differing import Apart, parts_between
from cspsim.web.explore.posing import Posed
from cspsim.web.explore.question import MOST_RUNS
from cspsim.web.explore.run_blocks import LIBRARY, SETS, WORKERS, Block, Library, Unit, Workers, blocks_for, make

WHY_RUNS = 200
"""Replicates of each arm of *why*, however many were asked for: there may be sixteen of them."""
FAILED = "This has failed. What was found so far stands; the server's own output tells why."
TELLS_APART = 0.1
"""Seconds between two pieces of news: each redraws a page, which takes processor time from the runs."""

logger = logging.getLogger("cspsim.web")


class Ensemble:
    """The runs of one question: both arms, then assumption sets, then the arms of the other assumptions and of *why*.

    Attributes:
        posed: the question.
        apart: the differences that *why* switches off one at a time; None until they are known, or where nobody asked.
        fault: why runs cannot be made, in a sentence; empty if they can.
        going: whether runs are being made.
    """

    def __init__(self, posed: Posed, library: Library = LIBRARY, workers: Workers = WORKERS) -> None:
        self.posed = posed
        self.apart: Apart | None = None
        self.fault = ""
        self.going = False
        self._library, self._workers = library, workers
        self._lock = threading.Lock()
        self._tellers: list[Callable[[], None]] = []
        self._made: dict[tuple[str, int, int, int], Block] = {}
        self._under_way = self._all = 0
        self._told = -1.0
        self._answered = False
        sets = [self._unit(arm, 0, k) for k in range(SETS) for arm in posed.arms]
        others = [arm for arm in (posed.baseline, posed.scenario, posed.changed_baseline, posed.changed_scenario) if arm is not None]
        self._waiting: list[Unit] = []
        self._add([*self._blocks_of(posed.arms), *sets, *self._blocks_of(others)])

    def _add(self, units: Sequence[Unit]) -> None:
        """Put units behind those that wait; the list is taken from its end."""
        known = {unit.key for unit in self._waiting} | set(self._made)
        new = list({unit.key: unit for unit in units if unit.key not in known}.values())
        self._waiting = [*new[::-1], *self._waiting]
        self._all += len(new)

    def _unit(self, scenario: Scenario, number: int, set_number: int = -1) -> Unit:
        return Unit(scenario, self.posed.question.seed, number, set_number)

    def _blocks_of(self, arms: Sequence[Scenario], most: int = MOST_RUNS) -> list[Unit]:
        return [self._unit(arm, k) for k in range(blocks_for(min(self.posed.question.runs, most))) for arm in arms]

    # ------------------------------------------------------------------------------------------------------ going on

    def subscribe(self, tell: Callable[[], None]) -> Callable[[], None]:
        """Have ``tell`` called whenever runs were made; returns a function that ends that. The runs stop when nobody is told any more."""
        with self._lock:
            self._tellers.append(tell)

        def end() -> None:
            with self._lock:
                if tell in self._tellers:
                    self._tellers.remove(tell)
                left = not self._tellers
            if left:
                self.stop()

        return end

    def start(self) -> None:
        """Make the runs that are still missing, after a fault as well. What is kept from before is there at once."""
        with self._lock:
            if self.going:
                return
            self.going, self.fault = True, ""
            wanted = self._workers.threads - self._under_way
        for _ in range(max(wanted, 0)):
            self._next()
        self._tell(at_once=True)

    def stop(self) -> None:
        """Make no more runs; those under way are kept."""
        with self._lock:
            self.going = False
        self._tell(at_once=True)

    def _next(self) -> None:
        """Hand the next unit that is not kept from before to the threads; what is kept is taken on the way."""
        with self._lock:
            while self.going and self._waiting:
                unit = self._waiting.pop()
                block = self._library.find(unit)
                if block is None:
                    self._under_way += 1
                    self._workers.take(partial(self._work, unit))
                    return
                self._made[unit.key] = block
            if self.going and self._under_way == 0:
                if self.posed.question.why and self.apart is None:
                    self._under_way += 1
                    self._workers.take(self._take_apart)
                else:
                    self.going = False

    def _work(self, unit: Unit) -> None:
        block, fault = None, ""
        if self.going:  # otherwise it was stopped while the unit waited for a thread
            try:
                block = make(unit)
                self._library.keep(unit, block)
            except (CspsimError, ValueError) as error:
                fault = str(error)
            except Exception:  # whatever it was: the page must not wait for ever
                logger.exception("runs have failed")
                fault = FAILED
        with self._lock:
            self._under_way -= 1
            if block is not None:
                self._made[unit.key] = block
            else:
                self._waiting.append(unit)
            if fault:
                self.fault, self.going = fault, False
        self._next()
        first = not self._answered and self._whole(self.posed.arms) > 0
        self._answered = self._answered or first
        self._tell(at_once=first or not self.going)

    def _take_apart(self) -> None:
        """The arms of *why*: found when everything else is there, since it takes a moment."""
        try:
            apart = parts_between(*self.posed.arms)
        except Exception:  # as above
            logger.exception("a difference could not be taken apart")
            apart = Apart((), FAILED)
        with self._lock:
            self.apart = apart
            self._under_way -= 1
            self._add(self._blocks_of([part.without for part in apart.parts], WHY_RUNS))
        for _ in range(self._workers.threads):
            self._next()
        self._tell(at_once=True)

    def _tell(self, at_once: bool = False) -> None:
        now = time.monotonic()
        with self._lock:
            if not at_once and now - self._told < TELLS_APART:
                return
            self._told = self._told if at_once else now
            tellers = list(self._tellers)
        for tell in tellers:
            tell()

    # ------------------------------------------------------------------------------------------------- what is there

    @property
    def finished(self) -> bool:
        """Whether all runs are made."""
        with self._lock:
            known = self.apart is not None or not self.posed.question.why
            return known and not self._waiting and self._under_way == 0

    @property
    def progress(self) -> tuple[int, int]:
        """Replicates of both arms that are there, and how many were asked for."""
        runs = self.posed.question.runs
        return min(self._whole(self.posed.arms) * CHUNK, runs), runs

    @property
    def share(self) -> float:
        """How much of all runs is made, 0 to 1."""
        with self._lock:
            return 1 - (len(self._waiting) + self._under_way) / self._all

    def _whole(self, arms: Sequence[Scenario]) -> int:
        """Blocks from the first one on that are there for all of these arms."""
        with self._lock:
            for k in range(blocks_for(self.posed.question.runs)):
                if any(self._unit(arm, k).key not in self._made for arm in arms):
                    return k
        return blocks_for(self.posed.question.runs)

    def together(self, *arms: Scenario) -> list[Block] | None:
        """The runs of these arms that all of them have, each as one block with the same replicates; None if there are none yet."""
        whole, runs = self._whole(arms), self.posed.question.runs
        if not whole:
            return None
        found = []
        for arm in arms:
            with self._lock:
                blocks = [self._made[self._unit(arm, k).key] for k in range(whole)]
            found.append(Block(*(np.concatenate([block[part] for block in blocks])[:runs] for part in range(2))))
        return found

    @property
    def sets_there(self) -> bool:
        """Whether both arms were run under every assumption set."""
        with self._lock:
            return all(self._unit(arm, 0, k).key in self._made for arm in self.posed.arms for k in range(SETS))

    def over_sets(self) -> list[Block] | None:
        """The runs of both arms under every assumption set, ``tallies`` ``[set, run, partnership, tally]``; None until all are there."""
        if not self.sets_there:
            return None
        found = []
        for arm in self.posed.arms:
            keys = [self._unit(arm, 0, k).key for k in range(SETS)]
            with self._lock:
                found.append(Block(np.stack([self._made[key].tallies for key in keys]), np.empty(0)))
        return found
