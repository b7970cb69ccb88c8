"""What 300 partnerships over ten years cost: a synthetic country area by area, and as many partnerships in a single area.

python benchmarks/country.py [--short]
"""

import argparse
import subprocess
import sys

COUNTRY = """
import resource, sys, time
from cspsim.country.areas import generate_country
from cspsim.country.totals import run_country
started = time.process_time()
answer = run_country(generate_country(1, {areas}), {{"levers.grant.multiplier": 0.5}}, {replicates})
unit = 1 if sys.platform == "darwin" else 1024
memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20
print(sum(area.partnerships for area in answer.areas), time.process_time() - started, memory)
"""

ONE_AREA = """
import resource, sys, time
from cspsim.country.areas import generate_country
from cspsim.scenario.world_building import build_world
from cspsim.running.rulebook import STANDARD
from cspsim.running.simulation import replicate_numbers, run_world
base = next(generate_country(1, 1)).data
entries = list(base.partnerships.items())
names = [f"copy_{{k:03d}}" for k in range({partnerships})]
copies = {{}}
for k, name in enumerate(names):
    share = next(iter(entries[k % 32][1].neighbours.values()))
    ring = {{other: share for other in (names[k - 1], names[(k + 1) % len(names)])}}
    copies[name] = entries[k % 32][1].model_copy(update={{"neighbours": ring}})
area = base.area.model_copy(update={{"partnerships": len(copies)}})
world = build_world(base.model_copy(update={{"partnerships": copies, "area": area}}))
run_world(world, STANDARD, replicate_numbers(2), 1, threads=1)
seconds = []
for _ in range(3 if {replicates} < 50 else 1):
    started = time.process_time()
    run_world(world, STANDARD, replicate_numbers({replicates}), 1, threads=1)
    seconds.append(time.process_time() - started)
unit = 1 if sys.platform == "darwin" else 1024
print({partnerships}, min(seconds) / {replicates}, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20)
"""


def measured(script: str, **sizes: int) -> tuple[int, float, float]:
    """Partnerships, seconds of processor time and peak memory in MB of a script in a process of its own."""
    done = subprocess.run([sys.executable, "-c", script.format(**sizes)], capture_output=True, text=True, check=True)
    partnerships, seconds, memory = done.stdout.split()
    return int(partnerships), float(seconds), float(memory)


def main() -> None:
    """Measure and print the figures; with --short on less work."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="less work")
    short = parser.parse_args().short
    replicates = 10 if short else 100
    measured(COUNTRY, areas=1, replicates=2)  # compiles the rules, if need be
    partnerships, seconds, memory = measured(COUNTRY, areas=43, replicates=replicates)
    print(f"{partnerships} partnerships x 10 years x {replicates} replicates, with and without a change, 43 areas in turn")
    print(f"  {seconds:.0f} s of processor time, {memory:.0f} MB")
    print("all in one area, one thread")
    for size in (10, 100) if short else (10, 30, 100, 300):
        partnerships, seconds, memory = measured(ONE_AREA, partnerships=size, replicates=100 if size == 300 else 5)
        each = 1000 * seconds / partnerships
        print(f"  {partnerships:4d} partnerships {1000 * seconds:8.1f} ms a run {each:6.2f} ms a partnership {memory:6.0f} MB")


if __name__ == "__main__":
    main()
