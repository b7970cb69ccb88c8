"""The same game again with other choices: everything else, luck included, stays as it was."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from cspsim.model.parameters import Floats
from cspsim.web.play.course import Course, CourseStage, Desk, Moment
from cspsim.web.play.decisions import Choice
from cspsim.web.play.settings import Settings


class Ending(NamedTuple):
    """How a course ended: outcomes of the played table over the game's window, and beliefs ``[authority, intervention]``."""

    outcomes: Floats
    beliefs: Floats
    weights: Floats  # [authority] what each view counts at the table


class Replays:
    """Courses of one game under one luck. The first is the one with the given choices.

    A replay begins at the first quarter in which it differs, so that it costs no more than it must.
    """

    def __init__(self, stages: Sequence[CourseStage], settings: Settings, choices: Sequence[Choice], replicate: int | None = None) -> None:
        self.choices = [choice for choice in choices if choice.differs]
        self._course = Course(stages, settings, replicate)
        self._quarters = len(self._course.bounds) - 1
        self._moments: list[Moment] = []
        for quarter in range(self._quarters):
            self._moments.append(self._course.moment())
            self._course.play(quarter, self.choices)
        self._course.finish()
        self.played = self._ending()

    @property
    def desk(self) -> Desk:
        """The desk at which the latest course ended."""
        return self._course.desk

    def beliefs_at_start(self) -> Floats:
        """Beliefs ``[authority, intervention]`` of the table when the game began."""
        self._course.rewind(self._moments[0])
        return self._ending().beliefs

    def without(self, dropped: Sequence[Choice]) -> Ending:
        """The ending if these choices had been left to the computer; the others stay, where they can still be made."""
        dropped = [choice for choice in dropped if choice in self.choices]
        if not dropped:
            return self.played
        first = min(choice.quarter for choice in dropped)
        kept = [choice for choice in self.choices if choice not in dropped]
        self._course.rewind(self._moments[first])
        for quarter in range(first, self._quarters):
            self._course.play(quarter, kept)
        self._course.finish()
        return self._ending()

    def computer(self) -> Ending:
        """The ending if the computer had decided everything."""
        return self.without(self.choices)

    def _ending(self) -> Ending:
        desk = self._course.desk
        run, p = desk.run, desk.partnership.row
        members = run.world.member[p, :, min(run.month, run.world.member.shape[2] - 1)]
        return Ending(run.outcomes()[p].copy(), run.state.belief[p].copy(), np.asarray(run.world.influence * members))
