"""One run that stops where people decide: the object behind the Mesa model, the story of a run and the web page."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import numpy as np

from cspsim.model.luck import Luck, new_luck
from cspsim.model.month import DECISION_POINTS
from cspsim.model.parameters import Floats
from cspsim.model.state import State, copy_into, new_state
from cspsim.model.structures import packed
from cspsim.model.tallies import Tally
from cspsim.model.world import World, sizes
from cspsim.running.outcomes import outcomes_of
from cspsim.running.results import with_area
from cspsim.running.rulebook import Rulebook, rulebook_of
from cspsim.scenario.scenario import Scenario, load_scenario
from cspsim.scenario.world_building import Calendar, build_world, calendar_of

Decide = Callable[[str], None]
"""Called at each decision point with its name; may rewrite the intentions in ``Run.state`` before the next rule reads them."""


class Run:
    """Replicate ``replicate`` of a scenario, month by month; equal to the same replicate of ``simulate``, number for number.

    Attributes:
        world, state: the arrays themselves; ``state`` may be read at any time and changed at decision points.
        luck: seed and replicate number of each stream.
        month: index of the next month to run, counted from the start of the warm-up.
        window: tallies ``[partnership, tally]`` added up over the outcome window so far.
    """

    def __init__(self, scenario: Scenario | str, seed: int = 1, replicate: int = 0, streams: Mapping[str, int] | None = None) -> None:
        self.scenario: Scenario = load_scenario(scenario) if isinstance(scenario, str) else scenario
        self.rulebook: Rulebook = rulebook_of(self.scenario)
        self.calendar: Calendar = calendar_of(self.scenario.data)
        self.world: World = build_world(self.scenario.data)
        self.state: State = new_state(*sizes(self.world))
        self.luck: Luck = new_luck(seed, replicate, streams)
        self._world, self._state = packed(self.world), packed(self.state)
        self.window: Floats = np.zeros((self.world.member.shape[0], len(Tally)))
        self.month = 0
        with self.rulebook.watched(self._world, self.luck.replicates):
            self.rulebook.begin_run(self._world, self._state, self.luck)

    @property
    def finished(self) -> bool:
        """Whether the last month has been run."""
        return self.month >= len(self.calendar.months)

    @property
    def date(self) -> date:
        """First day of the month that is run next (of the last month once finished)."""
        return self.calendar.months[min(self.month, len(self.calendar.months) - 1)]

    @property
    def reported(self) -> bool:
        """Whether the next month lies after the warm-up."""
        return self.month >= self.calendar.warm_up

    def advance(self, decide: Decide | None = None) -> None:
        """Run one month. ``decide`` is called between the stages, in the order of ``DECISION_POINTS``.

        Raises RuntimeError when the run is finished.
        """
        if self.finished:
            raise RuntimeError(f"the run ended in {self.calendar.months[-1]:%B %Y}")
        for stage, point in zip(self.rulebook.stages, (*DECISION_POINTS, ""), strict=True):
            with self.rulebook.watched(self._world, self.luck.replicates):
                stage(self._world, self._state, self.luck, self.month)
            if decide is not None and point:
                decide(point)
        if self.world.counted[self.month]:
            self.window += self.state.tallies
        self.month += 1

    def warm_up(self) -> None:
        """Run to the first reported month without stopping."""
        while not self.reported:
            self.advance()

    def outcomes_this_month(self) -> Floats:
        """Outcomes ``[partnership and area, outcome]`` of the month just run."""
        return outcomes_of(with_area(self.state.tallies, 0))

    def outcomes(self) -> Floats:
        """Outcomes ``[partnership and area, outcome]`` over the window so far."""
        return outcomes_of(with_area(self.window, 0))

    def __getstate__(self) -> dict[str, Any]:
        """What a copy or a pickled run is made from: neither machine code nor addresses."""
        kept = {name: value for name, value in vars(self).items() if name not in ("rulebook", "state", "_world", "_state")}
        return kept | {"buffers": (self.state.numbers, self.state.counters, self.state.scratch.numbers)}

    def __setstate__(self, kept: dict[str, Any]) -> None:
        buffers = kept.pop("buffers")
        vars(self).update(kept)
        self.rulebook, self.state = rulebook_of(self.scenario), new_state(*sizes(self.world))
        self.state.numbers[:], self.state.counters[:], self.state.scratch.numbers[:] = buffers
        self._world, self._state = packed(self.world), packed(self.state)

    def copy(self) -> "Run":
        """An independent run in the same state: for replays and branches."""
        other = Run(self.scenario, int(self.luck.seed), int(self.luck.replicates[0]))
        other.luck = self.luck
        copy_into(self.state, other.state)
        other.window[:] = self.window
        other.month = self.month
        return other
