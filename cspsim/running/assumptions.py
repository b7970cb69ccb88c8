"""Assumption sets: every uncertain number, sampled together and laid over a world that is already built.

Sampled are: the ``Uncertainties``, effect and reach of every catalogue entry and of the commissioner's own priorities, and
what is not known of a crime type: reporting, recording, month noise, reaction to police, whether targets name it. Left
out are valuations (unit costs, severity weights, hourly costs): they say what crime is worth, not what happens, and would
move every arm alike. Left out, too, are the yearly spreads of crime: ``shock_scale`` moves all of them together.
Numbers are drawn independently of each other, which no source supports or contradicts.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cspsim.model.luck import PARAMETERS, name_key
from cspsim.model.parameters import Floats, Integers
from cspsim.model.state import State
from cspsim.model.structures import packed
from cspsim.model.tallies import AuthorityTally, Tally
from cspsim.model.uncertainties import Uncertainties
from cspsim.model.world import World, sizes
from cspsim.running.rulebook import Rulebook
from cspsim.running.simulation import replicate_numbers, share_out, state_for
from cspsim.scenario.scenario import Scenario
from cspsim.scenario.schema import Number, register_of

if TYPE_CHECKING:
    import pandas as pd

INTERVENTION_FIELDS = {"effect": "effect", "reach": "reach"}
CRIME_TYPE_FIELDS = {
    "reporting": "reporting",
    "recording": "recording",
    "dispersion": "dispersion",
    "police_elasticity": "elasticity",
    "targeted": "targeted",
}
COMMISSIONER_FIELDS = {"effect": "own_effect", "reach": "own_reach"}


class UncertainNumber(NamedTuple):
    """One dimension of an assumption set: its dotted name in a scenario file, its best guess and range, its place in a world."""

    name: str
    value: float
    low: float
    high: float
    field: str
    position: int


def uncertain_numbers(scenario: Scenario) -> list[UncertainNumber]:
    """Every number of a scenario that assumption sets sample, in the order of registers and files.

    A range is the scenario's own where it states one, else the register's. A best guess outside its range widens it.
    """
    data = scenario.data
    found = []
    for position, (name, entry) in enumerate(register_of(Uncertainties).items()):
        number = data.uncertainties.get(name)
        own = number or Number(value=entry.value)
        low = entry.low if own.low is None else own.low
        high = entry.high if own.high is None else own.high
        found.append(_bounded(f"uncertainties.{name}", own.value, low, high, "uncertainties", position))
    found += _of_entries("interventions", data.interventions, INTERVENTION_FIELDS)
    found += _of_entries("crime_types", data.crime_types, CRIME_TYPE_FIELDS)
    for part, field in COMMISSIONER_FIELDS.items():
        found += _with_range(f"commissioner.{part}", getattr(data.commissioner, part), field, 0)
    return found


def _of_entries(section: str, entries: Mapping[str, object], fields: Mapping[str, str]) -> list[UncertainNumber]:
    found = []
    for position, (name, entry) in enumerate(entries.items()):
        for part, field in fields.items():
            found += _with_range(f"{section}.{name}.{part}", getattr(entry, part), field, position)
    return found


def _with_range(name: str, number: Number, field: str, position: int) -> list[UncertainNumber]:
    """The number as a list of one; an empty list if the file gives it no range, since the file then does not call it uncertain."""
    if number.low is None or number.high is None:
        return []
    return [_bounded(name, number.value, number.low, number.high, field, position)]


def _bounded(name: str, value: float, low: float, high: float, field: str, position: int) -> UncertainNumber:
    return UncertainNumber(name, float(value), float(min(low, value)), float(max(high, value)), field, position)


def latin_hypercube(names: Sequence[str], sets: int, seed: int) -> Floats:
    """Quantiles ``[set, name]`` in [0, 1): each name has exactly one draw in each of ``sets`` equal strata.

    Every column depends only on its name, the seed and the number of sets. Source: McKay, Beckman and Conover 1979,
    "A comparison of three methods for selecting values of input variables", Technometrics 21(2), 239-245.
    """
    quantiles = np.empty((sets, len(names)))
    for column, name in enumerate(names):
        counter = np.array([name_key(name), 0, 0, PARAMETERS], dtype=np.uint64)
        generator = np.random.Generator(np.random.Philox(key=np.array([seed, 0], dtype=np.uint64), counter=counter))
        order, within = generator.random((2, sets))
        quantiles[:, column] = (np.argsort(np.argsort(order, kind="stable"), kind="stable") + within) / sets
    return quantiles


def triangular_quantile(quantile: Floats, low: Floats, mode: Floats, high: Floats) -> Floats:
    """The inverse distribution function of the triangular distribution; ``low`` where the range is a single point."""
    width = high - low
    rising = low + np.sqrt(quantile * width * (mode - low))
    falling = high - np.sqrt((1 - quantile) * width * (high - mode))
    return np.clip(np.where(quantile * width < mode - low, rising, falling), low, high)


class AssumptionSets:
    """Sampled values of every uncertain number of one scenario.

    Attributes:
        numbers: the dimensions, in the order of the columns of ``values``.
        values: ``[set, number]``.
    """

    def __init__(self, scenario: Scenario, numbers: Sequence[UncertainNumber], values: Floats) -> None:
        self.numbers = tuple(numbers)
        self.values = values
        self._keys = tuple(
            np.array([name_key(name) for name in names], dtype=np.uint64)
            for names in (scenario.data.interventions, scenario.data.crime_types)
        )
        self._places = _places(self.numbers)

    def __len__(self) -> int:
        return int(self.values.shape[0])

    def apply(self, world: World, k: int) -> World:
        """The world under assumption set ``k``; arrays that no assumption touches are shared with ``world``.

        True crime is what recorded crime says once reporting and recording are assumed, so the base moves with them.
        Raises ValueError if the world is not one of this scenario's.
        """
        return self.lay_over(world, self.values[k])

    def lay_over(self, world: World, row: Floats) -> World:
        """The world under the values ``row`` ``[number]``; see ``apply``."""
        if not (np.array_equal(world.intervention_key, self._keys[0]) and np.array_equal(world.crime_key, self._keys[1])):
            raise ValueError("these assumption sets belong to a scenario with other interventions or crime types")
        changed: dict[str, object] = {}
        for field, (indices, columns) in self._places.items():
            before = getattr(world, field)
            if isinstance(before, Uncertainties):
                changed[field] = Uncertainties(*row[columns].tolist())
            elif isinstance(before, float):
                changed[field] = float(row[columns[0]])
            else:
                changed[field] = array = before.copy()
                array[indices] = row[columns]
        applied = world._replace(**changed)  # type: ignore[arg-type] # fields are told apart by what they held before
        return applied._replace(base=world.base * (_seen(world) / _seen(applied)))

    def worlds(self, world: World) -> Iterator[World]:
        """The world under each assumption set in turn."""
        return (self.apply(world, k) for k in range(len(self)))

    def frame(self) -> "pd.DataFrame":
        """One row per set, one column per number under its dotted name."""
        import pandas as pd

        return pd.DataFrame(self.values, columns=[number.name for number in self.numbers]).rename_axis("set")


def _seen(world: World) -> Floats:
    """Recorded per true crime ``[crime_type]``, guarded as where the world was laid out."""
    return np.maximum(world.reporting * world.recording, 1e-9)


def _places(numbers: Sequence[UncertainNumber]) -> dict[str, tuple[Integers, Integers]]:
    """Field of the world -> indices inside it and columns of the sample; the register's fields all, in their order."""
    places: dict[str, tuple[list[int], list[int]]] = {}
    for column, number in enumerate(numbers):
        indices, columns = places.setdefault(number.field, ([], []))
        indices.append(number.position)
        columns.append(column)
    return {field: (np.array(indices, dtype=np.int64), np.array(columns, dtype=np.int64)) for field, (indices, columns) in places.items()}


def sample_assumptions(scenario: Scenario, sets: int, seed: int = 1) -> AssumptionSets:
    """A Latin hypercube over every uncertain number, each triangular between low and high with its best guess as mode.

    Set k of one scenario and set k of another share the quantile of every number that both have, by name: assumptions
    are the same in all arms of a comparison, and one more intervention changes no other number.
    Raises ValueError for a number of sets below 1 or a seed outside 0 to 2^64 - 1.
    """
    if sets < 1:
        raise ValueError(f"assumption sets are {sets}: expected 1 or more")
    if not 0 <= seed < 2**64:
        raise ValueError(f"seed {seed} is not between 0 and 2**64 - 1")
    numbers = uncertain_numbers(scenario)
    quantiles = latin_hypercube([number.name for number in numbers], sets, seed)
    low, mode, high = np.array([(number.low, number.value, number.high) for number in numbers]).T
    return AssumptionSets(scenario, numbers, triangular_quantile(quantiles, low, mode, high))


class Arm(NamedTuple):
    """One side of a comparison: a world at its best guesses, the assumption sets to lay over it, and the rules it runs under."""

    world: World
    sets: AssumptionSets
    rulebook: Rulebook


def run_assumption_sets(
    arms: Sequence[Arm],
    replicates: int,
    seed: int = 1,
    first_replicate: int = 0,
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> list[Floats]:
    """Tallies ``[set, run, partnership, tally]`` of every arm, all sets of all arms in one pool of threads.

    Set k runs on the same replicates in every arm, and no two sets share any: what luck is left in one set is
    independent of the others', so it shows as spread between sets instead of pushing all of them the same way.
    """
    tallies = [np.zeros((len(arm.sets), replicates, sizes(arm.world)[0], len(Tally))) for arm in arms]
    none = np.zeros((0, 0, 0, 0))
    desks = threading.local()  # a state is expensive to make and may serve one thread at a time

    def work(job: tuple[int, int]) -> None:
        a, k = job
        world = arms[a].sets.apply(arms[a].world, k)
        size = sizes(world)
        desk: dict[tuple[int, ...], tuple[State, Floats]] = desks.__dict__.setdefault("by_size", {})
        if size not in desk:
            desk[size] = packed(state_for(world)), np.zeros((replicates, *size[:2], len(AuthorityTally)))
        state, by_authority = desk[size]
        streams = replicate_numbers(replicates, first_replicate + k * replicates)
        arms[a].rulebook.run_replicates(packed(world), state, np.uint64(seed), streams, tallies[a][k], by_authority, none)
        if progress is not None:
            progress(replicates)

    jobs = [(a, k) for k in range(max((len(arm.sets) for arm in arms), default=0)) for a, arm in enumerate(arms) if k < len(arm.sets)]
    share_out(work, jobs, threads)
    return tallies
