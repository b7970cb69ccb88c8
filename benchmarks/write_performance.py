"""Write docs/performance.md from the benchmarks: everything in one run, on the machine that it names.

python benchmarks/write_performance.py [--short]
"""

import argparse
import os
import platform
from pathlib import Path

import numba
import numpy as np
from growth import Growth, bytes_of_state, peak_memory, with_copies
from growth import measured as growth_measured
from throughput import WAYS, measured, months_of_baseline, ratios

from cspsim.model.tallies import AuthorityTally, Tally
from cspsim.model.world import sizes
from cspsim.scenario.scenario import load_scenario
from cspsim.scenario.world_building import build_world

PAGE = Path(__file__).resolve().parents[1] / "docs" / "performance.md"
TEXT = """# Performance

Written by `python benchmarks/write_performance.py`, every figure of this page in one run. What counts are the ratios: machines differ, and
others may use one at the same time.

Machine: {machine}. {busy}

## The same work in several ways

A run is {months} months, 2 boroughs, 6 authorities, 28 interventions and 8 crime types, luck and outcomes included. Times are of a
processor, the best of several rounds taken in turn.

{ways}

{ratios}

The plain loop is what one would write in Mesa first: a model of 12 agents, each of whom weighs 28 interventions by 8 crime types once a
month in Python. That is one of the thirteen rules, without money, crime, trust or evaluation.

The floor is what no order of the arithmetic avoids: the draws of a run, their normal quantiles and the exponentials, in compiled code.
A run is {floor:.1f} times the floor; the rest is loads, decisions at the table, and sums over interventions and authorities.

## How cost grows

Milliseconds of a processor a run (for runs: all of them). An exponent of 1 is cost in proportion. Copies of boroughs, interventions and
crime types have names, and so luck, of their own.

{growth}

A run's state takes {state:.0f} kB, that of {boroughs} boroughs {country:.1f} MB, and every thread has one. A process that holds {runs:,}
short runs of two boroughs peaks at {peak:.0f} MB, imports and outcomes included. A whole country of {boroughs} boroughs at 100 replicates
takes {country_seconds:.0f} seconds of a processor, and its results {country_results:.0f} MB.

## Where the speed comes from

* World and state are one block of words in compiled code (`cspsim/model/structures.py`): a field is two loads, no references are counted,
  and what never changes is loaded once.
* Luck is a function of names and dates (`cspsim/model/luck.py`), so that no generator is kept or locked, and threads share nothing.
* Nothing is worked out twice in a month (`State.scratch`), and what can be is worked out a row at a time, which the processor does
  several abreast.
* The loop over replicates and months lies in compiled code and holds no lock of the interpreter.

To see whether a change is faster: `python benchmarks/trees.py BEFORE`, with a checkout from before it. Whether it moved any bit:
`python tools/digest_runs.py`.
"""


def machine() -> str:
    """Processor, number of them, system and versions; no names of anybody's folders."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    named = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    processor = named[0] if named else platform.processor() or platform.machine()
    versions = f"Python {platform.python_version()}, NumPy {np.__version__}, Numba {numba.__version__}"
    return f"{processor}, {os.cpu_count()} processors, {platform.system()}, {versions}"


def busy() -> str:
    """How many others were at work when the benchmarks began, as far as the system says."""
    if not hasattr(os, "getloadavg"):
        return "How busy it was is not known."
    load = os.getloadavg()[0]
    said = f"When the benchmarks began {load:.1f} processes were waiting for a processor or had one."
    if load > 1:
        said += " So the ratio of two threads to one, which is the only figure taken by a clock on the wall, says nothing here."
    return said


def table(titles: list[str], rows: list[list[str]]) -> str:
    """A table of Markdown; every column but the first holds numbers."""
    rule = ["---", *["---:"] * (len(titles) - 1)]
    return "\n".join("| " + " | ".join(row) + " |" for row in (titles, rule, *rows))


def row_of(growth: Growth) -> list[str]:
    """A row of the table of growth."""
    costs = [f"{size}: {1000 * cost:.4g}" for size, cost in zip(growth.sizes, growth.seconds, strict=True)]
    return [growth.axis, ", ".join(costs), f"{growth.exponent:.2f}"]


def main() -> None:
    """Measure everything and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="fewer rounds, and memory of fewer runs")
    short = parser.parse_args().short
    runs, boroughs = (10_000 if short else 100_000), 314
    load, peak = busy(), peak_memory(runs)
    best, grown = measured(short), growth_measured(2 if short else 5)
    world = build_world(load_scenario("baseline").data)
    ways = [[words, f"{1000 * best[name]:.2f}", f"{1 / best[name]:.4g}"] for name, words in WAYS]
    compared = [[words, f"{ratio:.3g}", bar] for words, ratio, bar in ratios(best)]
    text = TEXT.format(
        machine=machine(),
        busy=load,
        months=months_of_baseline(),
        ways=table(["", "ms a run", "runs a second"], ways),
        ratios=table(["compared", "ratio", "bar"], compared),
        growth=table(["axis", "size: ms a run", "exponent"], [row_of(growth) for growth in grown]),
        floor=best["one"] / best["floor"],
        state=bytes_of_state(world) / 1000,
        boroughs=boroughs,
        country=bytes_of_state(with_copies(world, "boroughs", boroughs)) / 1e6,
        country_seconds=100 * next(growth.seconds[-1] for growth in grown if growth.axis == "boroughs"),
        country_results=100 * boroughs * (len(Tally) + sizes(world)[1] * len(AuthorityTally)) * 8 / 1e6,
        runs=runs,
        peak=peak,
    )
    PAGE.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
