"""Have the results changed in any bit? Runs every shipped scenario and compares digests of everything that leaves a run.

    python tools/digest_runs.py            # compare with the digests that were kept
    python tools/digest_runs.py --keep     # keep the present ones: after a change that is meant to move results
    python tools/digest_runs.py --save FILE.npz            # the numbers themselves, for --against
    python tools/digest_runs.py --against FILE.npz         # how far the numbers lie from saved ones

A change that is only meant to be faster leaves every digest as it is. Digests are of one kind of processor and one version
of Numba: on another machine exp and log differ in their last bits, so there keep digests before the change first.
"""

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np

from cspsim.model.tallies import Tally
from cspsim.running.rulebook import STANDARD
from cspsim.running.simulation import replicate_numbers, run_world
from cspsim.scenario.scenario import load_scenario, scenario_names
from cspsim.scenario.world_building import build_world

KEPT = Path(__file__).resolve().parent / "run_digests.json"
REPLICATES = 10  # more than one thread takes at a time
DECISIONS = (Tally.PROPOSALS, Tally.CHALLENGED_PROPOSALS, Tally.CHALLENGES, Tally.CHALLENGES_HEARD, Tally.DECISIONS, Tally.ADOPTIONS)
DECISIONS += (Tally.PLANNED_PROJECTS, Tally.STARTED_PROJECTS, Tally.EVALUATED_PROJECTS, Tally.NEW_REPRESENTATIVES)


def arrays_of(name: str, replicates: int) -> dict[str, np.ndarray]:
    """Tallies, tallies of authorities and months of the first runs of a scenario."""
    world = build_world(load_scenario(name).data)
    found = run_world(world, STANDARD, replicate_numbers(replicates), seed=1, months=True)
    return dict(zip((f"{name}/tallies", f"{name}/authorities", f"{name}/months"), found, strict=True))


def digest(array: np.ndarray) -> str:
    """SHA-256 of the bytes of an array."""
    return hashlib.sha256(array.tobytes()).hexdigest()


def compare(found: dict[str, np.ndarray], saved: Path) -> None:
    """Print how far the numbers lie from saved ones, relative to the largest of their kind, and what was decided otherwise."""
    worst, decided = 0.0, 0
    with np.load(saved) as before:
        for name, array in found.items():
            size = np.maximum(np.abs(before[name]).max(axis=tuple(range(array.ndim - 1)), keepdims=True), 1e-300)
            worst = max(worst, float((np.abs(array - before[name]) / size).max()))
            if name.endswith("/tallies"):
                other = array[..., DECISIONS] != before[name][..., DECISIONS]
                decided += int(other.any(axis=(1, 2)).sum())
    print(f"largest difference {worst:.2g} of the largest of its kind; runs with another decision: {decided}")


def main() -> None:
    """Write, keep or compare digests."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--save", type=Path)
    parser.add_argument("--against", type=Path)
    parser.add_argument("--replicates", type=int, default=REPLICATES)
    asked = parser.parse_args()
    found: dict[str, np.ndarray] = {}
    for name in scenario_names():
        found |= arrays_of(name, asked.replicates)
    if asked.save:
        np.savez_compressed(asked.save, **found)
    if asked.against:
        compare(found, asked.against)
    digests = {name: digest(array) for name, array in found.items()}
    if asked.keep:
        KEPT.write_text(json.dumps(digests, indent=1) + "\n", encoding="utf-8")
    elif not (asked.save or asked.against):
        kept = json.loads(KEPT.read_text(encoding="utf-8"))
        changed = sorted(name for name in kept.keys() | digests.keys() if kept.get(name) != digests.get(name))
        raise SystemExit("\n".join(["changed:", *changed]) if changed else None)


if __name__ == "__main__":
    main()
