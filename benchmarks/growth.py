"""How cost grows with boroughs, interventions, crime types, months and runs, and what memory a run and 100,000 runs need.

    python benchmarks/growth.py [--short]

Boroughs, interventions and crime types are copies of the default world's under names of their own, so that each has its
own luck. An exponent of 1 is cost in proportion; a run of nothing at all would grow with exponent 0.
"""

import argparse
import subprocess
import sys
import time
from typing import NamedTuple

import numpy as np

from cspsim.model.world import World, sizes
from cspsim.running.rulebook import STANDARD
from cspsim.running.simulation import replicate_numbers, run_world, state_for
from cspsim.scenario.scenario import Scenario, load_scenario
from cspsim.scenario.world_building import build_world

AXES = ("boroughs", "authorities", "interventions", "crime types", "months")
COPIED = {"boroughs": (2, 32, 314), "interventions": (28, 100, 300), "crime types": (8, 24, 80)}
YEARS = (2, 4, 8, 11)
MEMORY = """
import pathlib, re, resource, sys
import cspsim.running.simulation as simulation
from cspsim.scenario.scenario import load_scenario
results = simulation.simulate(load_scenario("baseline").with_changes({{"time.warm_up_months": 12, "time.last_month": "2009-03",
    "time.window_from": "2008-04"}}), replicates={runs})
results.outcomes
unit = 1 if sys.platform == "darwin" else 1024
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
status = pathlib.Path("/proc/self/status")
if status.exists():  # where the figure above begins with the memory of the process that started this one
    peak = int(re.search(r"VmHWM:\\s+(\\d+)", status.read_text())[1]) * 1024
print(peak / 2**20)
"""


class Growth(NamedTuple):
    """Seconds of processor time a run at each size of one axis, and the exponent that fits them."""

    axis: str
    sizes: tuple[int, ...]
    seconds: tuple[float, ...]

    @property
    def exponent(self) -> float:
        """Slope of log cost against log size."""
        return float(np.polyfit(np.log(self.sizes), np.log(self.seconds), 1)[0])


def with_copies(world: World, axis: str, size: int) -> World:
    """The same world with what stands along one axis copied up to ``size``, each copy under a key of its own.

    Every axis of the default world has a length that no other has, so an array's axes are known by their lengths.
    """
    place = AXES.index(axis)
    length = sizes(world)[place]
    assert sizes(world).count(length) == 1, "axes are told apart by their lengths"
    order = np.arange(size) % length
    changed = {}
    for name, array in world._asdict().items():
        if not isinstance(array, np.ndarray) or length not in array.shape:
            continue
        for position in [k for k, found in enumerate(array.shape) if found == length]:
            array = array.take(order, axis=position)
        if name.endswith("_key"):
            shift = (np.arange(array.size, dtype=np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
            array = array + shift.reshape(array.shape)
        changed[name] = np.ascontiguousarray(array)
    if axis == "boroughs":
        changed |= {"neighbours": np.zeros((size, size)), "n_area_partnerships": float(max(size, world.n_area_partnerships))}
    return world._replace(**changed)


def seconds(world: World, runs: int, rounds: int = 5) -> float:
    """Processor time of a run on one thread, best of several rounds."""
    found = []
    for _ in range(rounds):
        started = time.process_time()
        run_world(world, STANDARD, replicate_numbers(runs), 1, threads=1)
        found.append((time.process_time() - started) / runs)
    return min(found)


def of_years(scenario: Scenario, years: int) -> World:
    """The same scenario over so many financial years, one of warm-up among them."""
    last = {"time.warm_up_months": 12, "time.last_month": f"{2007 + years}-03", "time.window_from": "2008-04"}
    return build_world(scenario.with_changes(last).data)


def measured(rounds: int = 5) -> list[Growth]:
    """Cost of a run along every axis."""
    scenario = load_scenario("baseline")
    world = build_world(scenario.data)
    run_world(world, STANDARD, replicate_numbers(2), 1)
    found = []
    for axis, wanted in COPIED.items():
        costs = [seconds(with_copies(world, axis, size), max(1, 40 * wanted[0] // size), rounds) for size in wanted]
        found.append(Growth(axis, wanted, tuple(costs)))
    months = tuple(12 * years for years in YEARS)
    found.append(Growth("months", months, tuple(seconds(of_years(scenario, years), 40, rounds) for years in YEARS)))
    counts = (25, 50, 100, 200)
    found.append(Growth("runs", counts, tuple(n * seconds(world, n, rounds) for n in counts)))
    return found


def bytes_of_state(world: World) -> int:
    """Memory of what changes during a run. Every thread has one, however many runs there are."""
    state = state_for(world)
    return int(state.numbers.nbytes + state.counters.nbytes + state.scratch.numbers.nbytes)


def peak_memory(runs: int) -> float:
    """MB of a process that simulates so many short runs and works out their outcomes."""
    done = subprocess.run([sys.executable, "-c", MEMORY.format(runs=runs)], capture_output=True, text=True, check=True)
    return float(done.stdout)


def main() -> None:
    """Measure and print the figures; with --short on less work."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="less work")
    short = parser.parse_args().short
    for growth in measured(2 if short else 5):
        costs = ", ".join(f"{size}: {1000 * cost:.2f} ms" for size, cost in zip(growth.sizes, growth.seconds, strict=True))
        print(f"{growth.axis:14s} {costs}; exponent {growth.exponent:.2f}")
    world = build_world(load_scenario("baseline").data)
    country = with_copies(world, "boroughs", 314)
    print(f"state of a run: {bytes_of_state(world) / 1000:.0f} kB; of 314 boroughs {bytes_of_state(country) / 1e6:.1f} MB")
    for n in [1_000, 10_000] if short else [1_000, 10_000, 100_000]:
        print(f"peak memory of {n} runs: {peak_memory(n):.0f} MB")


if __name__ == "__main__":
    main()
