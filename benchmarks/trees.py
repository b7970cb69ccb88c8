"""Is this tree faster than that one? The same batch of runs in both, in turn, on one processor; ratios are what counts.

    python benchmarks/trees.py BEFORE [AFTER] [--scenario baseline] [--runs 96] [--rounds 15]

BEFORE and AFTER are folders with a ``cspsim`` in them (two checkouts); AFTER is this one if left out. Each keeps its
machine code in a folder of its own. Counted is processor time, since others may be using the machine.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

WORKER = """
import sys, time
from cspsim.scenario.world_building import build_world
from cspsim.running.outcomes import outcomes_of
from cspsim.running.rulebook import STANDARD
from cspsim.scenario.scenario import load_scenario
from cspsim.running.simulation import replicate_numbers, run_world
world = build_world(load_scenario({scenario!r}).data)
streams = replicate_numbers({runs})
run_world(world, STANDARD, streams[:2], 1, threads=1)
print("ready", flush=True)
for _ in sys.stdin:
    started = time.process_time()
    outcomes_of(run_world(world, STANDARD, streams, 1, threads=1)[0])
    print((time.process_time() - started) / {runs}, flush=True)
"""


class Tree:
    """A process that runs a batch whenever it is asked to."""

    def __init__(self, folder: Path, program: str) -> None:
        cache = os.environ.get("CSPSIM_CACHE_DIR", tempfile.gettempdir()) + f"/trees/{folder.name}"
        environment = {**os.environ, "PYTHONPATH": str(folder), "CSPSIM_CACHE_DIR": cache}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "cwd": folder, "env": environment}
        self._process = subprocess.Popen([sys.executable, "-c", program], **pipes)  # type: ignore[call-overload]
        self._next()
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(self._process.pid, {max(os.sched_getaffinity(0))})

    def _next(self) -> str:
        line: str = self._process.stdout.readline()
        if not line:
            raise SystemExit("a tree could not be run")
        return line

    def seconds(self) -> float:
        """Processor time of one run."""
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return float(self._next())

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait()


def main() -> None:
    """Time the two trees in turn."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path, nargs="?", default=Path(__file__).resolve().parents[1])
    parser.add_argument("--scenario", default="baseline")
    parser.add_argument("--runs", type=int, default=96)
    parser.add_argument("--rounds", type=int, default=15)
    asked = parser.parse_args()
    program = WORKER.format(scenario=asked.scenario, runs=asked.runs)
    trees = [Tree(folder.resolve(), program) for folder in (asked.before, asked.after)]
    found = [[tree.seconds() for tree in trees] for _ in range(asked.rounds)]
    for tree in trees:
        tree.close()
    before, after = (min(column) for column in zip(*found, strict=True))
    middle = statistics.median(one / other for one, other in found)
    print(f"before {1000 * before:.3f} ms a run, after {1000 * after:.3f} ms")
    print(f"{before / after:.2f} times as fast (median of rounds {middle:.2f})")


if __name__ == "__main__":
    main()
