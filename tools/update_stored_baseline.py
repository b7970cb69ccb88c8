"""Write ``tests/baseline_outcomes.json``: what three scenarios give now, for a test to compare with from now on.

Run it after a change that is meant to change results, and say in CHANGELOG.md what changed and why:

    python tools/update_stored_baseline.py
"""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from cspsim.running.outcomes import OUTCOMES
from cspsim.running.simulation import simulate
from cspsim.scenario.scenario import load_scenario

STORED = Path(__file__).resolve().parents[1] / "tests" / "baseline_outcomes.json"
SCENARIOS = ("baseline", "no-cuts", "two-districts-2026-mayor")
REPLICATES, SEED, DIGITS = 20, 1, 9


def outcomes_now() -> dict[str, Any]:
    """Mean outcomes of the whole area over replicates, to nine digits, with the digest of each scenario's settings.

    An outcome that is not defined in any run is None.
    """
    found = {}
    for name in SCENARIOS:
        scenario = load_scenario(name)
        results = simulate(scenario, REPLICATES, seed=SEED)
        found[name] = {"digest": scenario.digest, "outcomes": {outcome: _mean(results.area(outcome)) for outcome in OUTCOMES}}
    return {"replicates": REPLICATES, "seed": SEED, "scenarios": found}


def _mean(values: np.ndarray) -> float | None:
    defined = values[np.isfinite(values)]
    return float(f"{math.fsum(defined) / len(defined):.{DIGITS}g}") if len(defined) else None


if __name__ == "__main__":
    STORED.write_text(json.dumps(outcomes_now(), indent=1) + "\n", encoding="utf-8")
    print(f"{STORED.name} written: now say in CHANGELOG.md what changed and why")
