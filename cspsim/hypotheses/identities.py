"""Null worlds as identity tests: with a mechanism switched off, whatever only that mechanism produces is exactly zero in every run.

No statistics are involved: a single run in which it is not exactly so is a fault of the model, whatever is hypothesised.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from cspsim.hypotheses.arms import Runs
from cspsim.model.parameters import Floats
from cspsim.model.tallies import Tally as T
from cspsim.running.outcomes import combined
from cspsim.scenario.scenario import Scenario

RUNS = 4
"""Runs of each identity in each arm: an exact zero needs no more."""


class NullWorld(NamedTuple):
    """A switch and sums of tallies that are exactly zero in every run without it."""

    switch: str
    meaning: str
    zeros: tuple[Mapping[T, float], ...]


NULL_WORLDS = (
    NullWorld(
        "effects",
        "with no effects, crime is what it would be without the partnership",
        ({T.TWIN_COST_OF_CRIME: 1, T.COST_OF_CRIME: -1}, {T.TWIN_TRUE_CRIMES: 1, T.TRUE_CRIMES: -1}, {T.TRUE_BENEFIT: 1}),
    ),
    NullWorld("challenge", "where nobody challenges, no challenge is counted or heard", ({T.CHALLENGES: 1}, {T.CHALLENGES_HEARD: 1})),
    NullWorld("evaluation", "where nothing can be evaluated, nothing is", ({T.EVALUATED_PROJECTS: 1}, {T.EVALUATION_HOURS: 1})),
    NullWorld("turnover", "where nobody leaves, nobody is replaced", ({T.NEW_REPRESENTATIVES: 1},)),
    NullWorld("measurement_error", "measured perfectly, recorded crime is true crime", ({T.RECORDED_CRIMES: 1, T.RECORDABLE_CRIMES: -1},)),
    NullWorld("off_line", "without off-line deals, no decision is taken off-line", ({T.OFF_LINE_DECISIONS: 1},)),
)  # fmt: skip


class Identity(NamedTuple):
    """One identity over all the arms in which it was tried; ``broken`` names the arms in which a run was not exactly so."""

    name: str
    meaning: str
    arms: int
    runs: int
    largest: float
    broken: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether it held exactly in every run."""
        return not self.broken


def check_identities(scenarios: Sequence[Scenario], runs: Runs) -> list[Identity]:
    """Every arm against itself on the same luck, and every null world in every arm."""
    again = [runs.fresh(scenario, RUNS) - runs.best_guess(scenario)[:RUNS] for scenario in scenarios]
    found = [_identity("itself", "the same world run twice on the same luck is the same in every tally", scenarios, again)]
    for null in NULL_WORLDS:
        left = [_left(null, scenario, runs) for scenario in scenarios]
        found.append(_identity(f"{null.switch} off", null.meaning, scenarios, left))
    return found


def _left(null: NullWorld, scenario: Scenario, runs: Runs) -> Floats:
    """The sums that have to be zero ``[run, partnership, sum]`` in the null world of one arm."""
    tallies = runs.fresh(scenario.with_changes({f"switches.{null.switch}": False}, name=scenario.name), RUNS)
    return np.stack([combined(tallies, weights) for weights in null.zeros], axis=-1)


def _identity(name: str, meaning: str, scenarios: Sequence[Scenario], left: Sequence[Floats]) -> Identity:
    sizes = [float(np.abs(values).max()) for values in left]
    broken = [scenario.name for scenario, size in zip(scenarios, sizes, strict=True) if size != 0]
    return Identity(name, meaning, len(scenarios), RUNS * len(scenarios), max(sizes, default=0.0), tuple(dict.fromkeys(broken)))


def identity_runs(arms: int) -> int:
    """Runs that ``check_identities`` makes."""
    return RUNS * arms * (1 + len(NULL_WORLDS))
