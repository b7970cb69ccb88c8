"""What a page of Explore asks: which scenarios, which levers moved, under which assumptions; and the way back through what was asked."""

from collections.abc import Mapping
from typing import NamedTuple

BASELINE = "baseline"
USUAL_RUNS, MOST_RUNS = 200, 1000
LARGEST_SEED = 2**53 - 1  # the largest whole number that survives the way through a browser
MOST_STEPS = 200


class Question(NamedTuple):
    """Everything that can be set on the page; the same question always has the same answer.

    ``levers``: lever -> value held from ``since`` ("2011-04") on, only those that were moved. ``assumptions``: uncertainty ->
    value, the same in both arms; they count while ``changed`` is on. ``since`` and ``outcome`` empty: the scenario's own
    window and primary outcome. ``why``: work out which difference moved the answer.
    """

    scenario: str = BASELINE
    baseline: str = BASELINE
    since: str = ""
    outcome: str = ""
    levers: tuple[tuple[str, float], ...] = ()
    assumptions: tuple[tuple[str, float], ...] = ()
    changed: bool = False
    runs: int = USUAL_RUNS
    seed: int = 1
    why: bool = False

    def with_lever(self, name: str, value: float | None) -> "Question":
        """One lever moved, or (None) put back to where the scenario has it."""
        return self._replace(levers=_set(self.levers, name, value))

    def with_assumption(self, name: str, value: float | None) -> "Question":
        """One assumption changed, or (None) put back to its best guess."""
        assumptions = _set(self.assumptions, name, value)
        return self._replace(assumptions=assumptions, changed=bool(assumptions) and (self.changed or not self.assumptions))


def _set(pairs: tuple[tuple[str, float], ...], name: str, value: float | None) -> tuple[tuple[str, float], ...]:
    changed: Mapping[str, float] = dict(pairs) if value is None else {**dict(pairs), name: value}
    return tuple(sorted((key, number) for key, number in changed.items() if not (value is None and key == name)))


class QuestionHistory(NamedTuple):
    """What was asked before and after the question that stands now."""

    now: Question
    past: tuple[Question, ...] = ()
    future: tuple[Question, ...] = ()
    moved: str = ""  # the control that made the latest step, at the time ``at``
    at: float = 0.0

    def asked(self, question: Question, control: str, at: float, apart: float = 1.5) -> "QuestionHistory":
        """Another question. Steps of one control within ``apart`` seconds of each other are one step: a slider that is pulled."""
        if question == self.now:
            return self
        if control and control == self.moved and at - self.at < apart:
            return QuestionHistory(question, self.past, (), control, at)
        return QuestionHistory(question, (*self.past, self.now)[-MOST_STEPS:], (), control, at)

    def undone(self) -> "QuestionHistory":
        """Back to the question before, if there is one."""
        if not self.past:
            return self
        return QuestionHistory(self.past[-1], self.past[:-1], (self.now, *self.future))

    def redone(self) -> "QuestionHistory":
        """Forward again, if something was undone."""
        if not self.future:
            return self
        return QuestionHistory(self.future[0], (*self.past, self.now), self.future[1:])
