"""The arms of many comparisons, each run once, however many hypotheses share it."""

from collections.abc import Callable, Iterable
from functools import partial

from cspsim.basics.limits import UNLIMITED
from cspsim.model.parameters import Floats
from cspsim.running.assumptions import Arm, run_assumption_sets, sample_assumptions
from cspsim.running.rulebook import rulebook_of
from cspsim.running.simulation import simulate
from cspsim.scenario.scenario import Scenario
from cspsim.scenario.world_building import build_world

Progress = Callable[[int], None]


class Runs:
    """Tallies of arms on one seed, kept by what identifies a scenario.

    Best guesses take replicates 0 to ``replicates`` - 1 and assumption sets the numbers after them, the same in every arm.
    """

    def __init__(self, replicates: int, seed: int, threads: int | None = None, progress: Progress | None = None) -> None:
        self.replicates, self.seed = replicates, seed
        self.threads, self.progress = threads, progress
        self._kept: dict[tuple[str, str], Floats] = {}

    def best_guess(self, scenario: Scenario) -> Floats:
        """Tallies ``[run, partnership, tally]`` at the best guesses."""
        return self._once("best guess", scenario, partial(self.fresh, scenario, self.replicates))

    def over_sets(self, scenario: Scenario, sets: int, replicates: int) -> Floats:
        """Tallies ``[set, run, partnership, tally]`` under sampled assumption sets, paired between arms."""
        return self._once(f"{sets} sets of {replicates}", scenario, partial(self._over_sets, scenario, sets, replicates))

    def fresh(self, scenario: Scenario, replicates: int, first: int = 0) -> Floats:
        """Tallies ``[run, partnership, tally]`` of replicates numbered from ``first``, run anew and not kept."""
        return simulate(
            scenario, replicates, self.seed, threads=self.threads, first_replicate=first, progress=self.progress, limits=UNLIMITED
        ).tallies

    def _once(self, what: str, scenario: Scenario, run: Callable[[], Floats]) -> Floats:
        key = (what, scenario.digest)
        if key not in self._kept:
            self._kept[key] = run()
        return self._kept[key]

    def _over_sets(self, scenario: Scenario, sets: int, replicates: int) -> Floats:
        arm = Arm(build_world(scenario.data), sample_assumptions(scenario, sets, self.seed), rulebook_of(scenario))
        return run_assumption_sets([arm], replicates, self.seed, self.replicates, self.threads, self.progress)[0]


def distinct(scenarios: Iterable[Scenario]) -> list[Scenario]:
    """Scenarios that run differently, in order; of those that run alike, the first."""
    return list({scenario.digest: scenario for scenario in reversed(list(scenarios))}.values())[::-1]
