"""Runs under many assumption sets that keep recorded crime month by month and type by type, which tallies do not."""

import threading
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, NamedTuple

import numpy as np

from cspsim.calibration.calibration_file import Calibration
from cspsim.model.parameters import Floats
from cspsim.model.structures import packed
from cspsim.model.tallies import AuthorityTally, Tally
from cspsim.model.world import sizes
from cspsim.running.assumptions import AssumptionSets, latin_hypercube, triangular_quantile, uncertain_numbers
from cspsim.running.outcomes import outcomes_of
from cspsim.running.rulebook import rulebook_of
from cspsim.running.simulation import replicate_numbers, share_out, state_for
from cspsim.scenario.scenario import Scenario
from cspsim.scenario.schema import DatedPath, parse_month
from cspsim.scenario.world_building import build_world, calendar_of, months_between, path_by_month

BLOCK = 16
"""Assumption sets one thread takes at a time."""


class Simulated(NamedTuple):
    """One run under each assumption set.

    ``recorded``: crimes ``[set, partnership, crime type, month]`` in the order of the observed ones; ``outcomes``
    ``[set, outcome]`` of the area over the fitted months.
    """

    recorded: Floats
    outcomes: Floats


class Prior:
    """The prior: triangular between low and high with the best guess as mode, independent.

    Attributes:
        sought: the numbers to be learned, in the order of every array here.
    """

    def __init__(self, calibration: Calibration) -> None:
        self.sought = calibration.numbers
        self._scenario = calibration.scenario
        self._sampled = calibration.data.uncertainties.others == "sampled"
        changed = {number.name: number for number in self.sought}
        self._all = [changed.get(number.name, number) for number in uncertain_numbers(calibration.scenario)]
        self._columns = [[number.name for number in self._all].index(number.name) for number in self.sought]

    @property
    def names(self) -> list[str]:
        """Dotted names of what is sought."""
        return [number.name for number in self.sought]

    def quantiles(self, sets: int, seed: int) -> Floats:
        """A Latin hypercube ``[set, sought]`` of prior quantiles."""
        return latin_hypercube(self.names, sets, seed)

    def values(self, quantiles: Floats) -> Floats:
        """Values ``[set, sought]`` of prior quantiles."""
        return triangular_quantile(quantiles, *_ranges(self.sought))

    def sets(self, quantiles: Floats, seed: int) -> AssumptionSets:
        """Whole assumption sets: what is sought at these quantiles, all else sampled afresh or at its best guess."""
        low, mode, high = _ranges(self._all)
        rest = latin_hypercube([number.name for number in self._all], len(quantiles), seed)
        values = triangular_quantile(rest, low, mode, high) if self._sampled else np.tile(mode, (len(quantiles), 1))
        values[:, self._columns] = self.values(quantiles)
        return AssumptionSets(self._scenario, self._all, values)


def _ranges(numbers: Any) -> tuple[Floats, Floats, Floats]:
    low, mode, high = np.array([(number.low, number.value, number.high) for number in numbers], dtype=float).T
    return low, mode, high


def spanning(scenario: Scenario, window: tuple[date, date], last: date) -> Scenario:
    """The scenario ended after ``last``, with outcomes over ``window``."""
    end = scenario.data.time.known_to or scenario.data.time.last_month
    time = {"last_month": last, "window_from": window[0], "window_to": window[1]}
    return scenario.with_changes({"time.known_to": end, **{f"time.{key}": f"{day:%Y-%m}" for key, day in time.items()}}, scenario.name)


def with_paths_held(scenario: Scenario, after: date) -> Scenario:
    """The scenario as it could have been written in the month ``after``: dated paths of crime and of its recording end there.

    The last known level holds from then on. Everything else that is dated (money, police strength, levers) stays as announced.
    """
    changes: dict[str, Any] = {}
    for name, crime in scenario.data.crime_types.items():
        for part, path in (("exogenous", crime.exogenous), ("recording_path", crime.recording_path)):
            if any(parse_month(text) > after for text in path.path):
                changes[f"crime_types.{name}.{part}"] = {"path": _cut(path, after), "replace": True}
    return scenario.with_changes(changes, scenario.name) if changes else scenario


def _cut(path: DatedPath, after: date) -> Mapping[str, float]:
    bare = path.model_copy(update={"multiplier": 1.0, "shift": 0.0})
    level = float(path_by_month(bare, [after], 1.0)[0])
    return {**{text: value for text, value in path.path.items() if parse_month(text) < after}, f"{after:%Y-%m}": level}


def simulate_sets(
    calibration: Calibration,
    sets: AssumptionSets,
    first_replicate: int,
    scenario: Scenario | None = None,
    last: date | None = None,
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Simulated:
    """One run under each set, each with luck of its own: months from the first fitted one to ``last`` (the last fitted one).

    ``scenario``: instead of the calibration's own; ``first_replicate``: number of the first run's luck.
    """
    window = calibration.window
    last = last or window[1]
    chosen = spanning(scenario or calibration.scenario, window, last)
    world, book, observed = build_world(chosen.data), rulebook_of(chosen), calibration.observed
    start = calendar_of(chosen.data).months.index(window[0])
    pick = np.ix_(
        [list(chosen.data.partnerships).index(name) for name in observed.partnerships],
        [list(chosen.data.crime_types).index(name) for name in observed.crime_types],
        range(start, start + months_between(window[0], last) + 1),
    )
    recorded = np.zeros((len(sets), *(len(axis.ravel()) for axis in pick)), dtype=np.float32)
    tallies = np.zeros((len(sets), sizes(world)[0], len(Tally)))
    streams = replicate_numbers(len(sets), first_replicate)
    none = np.zeros((0, 0, 0, 0))
    seed = np.uint64(calibration.data.seed)
    desks = threading.local()

    def work(begin: int) -> None:
        if not hasattr(desks, "state"):
            desks.state, desks.authorities = state_for(world), np.zeros((1, *sizes(world)[:2], len(AuthorityTally)))
        for k in range(begin, min(begin + BLOCK, len(sets))):
            run = slice(k, k + 1)
            under = packed(sets.apply(world, k))
            book.run_replicates(under, packed(desks.state), seed, streams[run], tallies[run], desks.authorities, none)
            recorded[k] = desks.state.recorded[pick]
        if progress is not None:
            progress(min(BLOCK, len(sets) - begin))

    share_out(work, range(0, len(sets), BLOCK), threads)
    return Simulated(recorded, outcomes_of(tallies.sum(axis=1)))  # type: ignore[arg-type] # half as many digits in half the memory
