"""How cost grows with runs, months and boroughs, and what memory 100,000 runs need.

python benchmarks/growth.py [--short]
"""

import argparse
import subprocess
import sys
import time

from cspsim.running.rulebook import STANDARD
from cspsim.running.simulation import replicate_numbers, run_world
from cspsim.scenario.scenario import Scenario, load_scenario
from cspsim.scenario.world_building import build_world

ROUNDS = 5
MEMORY = """
import resource, sys
import cspsim.running.simulation as simulation
from cspsim.scenario.scenario import load_scenario
results = simulation.simulate(load_scenario("baseline").with_changes({{"time.warm_up_months": 12, "time.last_month": "2009-03",
    "time.window_from": "2008-04"}}), replicates={runs})
results.outcomes
unit = 1 if sys.platform == "darwin" else 1024
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20)
"""


def seconds(scenario: Scenario, runs: int) -> float:
    """Best of five, one thread."""
    world = build_world(scenario.data)
    found = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        run_world(world, STANDARD, replicate_numbers(runs), 1, threads=1)
        found.append(time.perf_counter() - started)
    return min(found)


def with_boroughs(scenario: Scenario, copies: int) -> Scenario:
    """The same world with each borough copied under further names."""
    data = scenario.data
    entries = {}
    for k in range(copies):
        for name, entry in data.partnerships.items():
            entries[f"{name}_{k}"] = entry.model_copy(update={"neighbours": {}})
    area = data.area.model_copy(update={"partnerships": max(data.area.partnerships, len(entries))})
    return _Bare(data.model_copy(update={"partnerships": entries, "area": area}))  # type: ignore[return-value]


class _Bare:
    """A scenario that is only its data."""

    def __init__(self, data: object) -> None:
        self.data = data


def show(title: str, sizes: list[int], found: list[float], unit: str) -> None:
    """One line per size: cost, and cost per unit relative to the smallest."""
    print(title)
    first = found[0] / sizes[0]
    for size, cost in zip(sizes, found, strict=True):
        print(f"  {size:8d} {unit:10s} {1000 * cost:10.1f} ms   per unit / per unit of the smallest: {cost / size / first:5.2f}")


def main() -> None:
    """Measure and print the figures; with --short on less work."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="less work")
    short = parser.parse_args().short
    baseline = load_scenario("baseline")
    run_world(build_world(baseline.data), STANDARD, replicate_numbers(2), 1)

    runs = [25, 50, 100, 200]
    show("runs", runs, [seconds(baseline, n) for n in runs], "runs")

    years = [2, 4, 8]
    spans = [
        baseline.with_changes({"time.warm_up_months": 12, "time.last_month": f"{2007 + n}-03", "time.window_from": "2008-04"})
        for n in years
    ]
    show("months", [12 * n for n in years], [seconds(scenario, 50) for scenario in spans], "months")

    copies = [1, 2, 4, 8]
    show("boroughs", [2 * n for n in copies], [seconds(with_boroughs(baseline, n), 20) for n in copies], "boroughs")

    sizes = [1_000, 10_000] if short else [1_000, 10_000, 100_000]
    print("peak memory")
    for n in sizes:
        done = subprocess.run([sys.executable, "-c", MEMORY.format(runs=n)], capture_output=True, text=True, check=True)
        print(f"  {n:8d} runs       {float(done.stdout):10.0f} MB")


if __name__ == "__main__":
    main()
