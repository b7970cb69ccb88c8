"""Write, check, run and compare every real partnership, and say how well each first year meets the published crime.

    python tools/measure_places.py [HOW_MANY]

Each place is written as ``cspsim new --place`` does, loaded as ``cspsim check`` does, run, and compared with 30 % less grant from
April 2027. Its expected recorded crime of the first year is taken anew, from 200 runs that the levels have not seen and without the
slow shocks, and the mean count of these runs is set against the published one in standard errors (with the shocks for every tenth
place: their mean factor is a little above 1, and the same 200 national shocks fall on every place). The figures go into
``tools/places-figures.json``; with HOW_MANY places it is a trial, and writes nothing.
"""

import json
import sys
import tempfile
import time
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from cspsim.comparing.comparison import compare
from cspsim.places.first_year import first_year
from cspsim.places.partnership_table import RealPlace, real_places
from cspsim.places.place_scenario import USUAL_SPAN, place_scenario_text
from cspsim.scenario.scenario import Scenario, load_scenario

TARGET = Path(__file__).parent / "places-figures.json"
RUNS, FRESH_FIRST, COMPARED = 200, 50_000, 30
WORKERS = 2
_IN_THE_SUM_ONLY = ("expected_off", "standard_errors", "standard_errors_with_shocks", "seconds")
CUT = {"levers.grant.path": {"2027-04": 0.7}}


def loaded(place: RealPlace) -> Scenario:
    """The place as a user would have it: written to a file and read again."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{place.key}.toml"
        path.write_text(place_scenario_text([place], USUAL_SPAN), encoding="utf-8")
        return load_scenario(path)


def standard_errors(runs: np.ndarray, target: np.ndarray) -> np.ndarray:
    """By how many standard errors the mean of the runs misses the published count."""
    return (runs.mean(axis=0) - target) / (runs.std(axis=0, ddof=1) / np.sqrt(len(runs)))


def figures_of(place: RealPlace, sampled: bool) -> dict[str, Any]:
    """What is found for one place; with the slow shocks too if it is one of the sample."""
    begun = time.process_time()
    scenario = loaded(place)
    entry = next(iter(scenario.data.partnerships.values()))
    crimes = [crime for crime in scenario.data.crime_types if entry.recorded[crime].value > 0]
    columns = [list(scenario.data.crime_types).index(crime) for crime in crimes]
    target = np.array([entry.recorded[crime].value for crime in crimes])
    found, counted = first_year(scenario, RUNS, FRESH_FIRST)
    expected, counted = found[0, columns], counted[:, 0, columns]
    missed = standard_errors(counted, target)
    shaken = standard_errors(first_year(scenario, RUNS, FRESH_FIRST, shocks=True)[1][:, 0, columns], target) if sampled else []
    cut = compare(scenario, scenario.with_changes(CUT), replicates=COMPARED, assumption_sets=0)
    primary = cut.finding()
    return {
        "place": place.name,
        "tier": place.tier,
        "expected_off": {crime: float(gap) for crime, gap in zip(crimes, expected / target - 1, strict=True)},
        "standard_errors": {crime: float(z) for crime, z in zip(crimes, missed, strict=True)},
        "standard_errors_with_shocks": [float(z) for z in shaken],
        "grant_difference": float(cut.finding(outcome="received").difference),
        "cost_difference": float(primary.difference),
        "share_of_cost": float(primary.difference / primary.baseline),
        "verdict": primary.verdict,
        "seconds": time.process_time() - begun,
    }


def in_sum(found: list[dict[str, Any]]) -> dict[str, Any]:
    """The figures of the bars, over all places and by tier."""
    off = [(abs(gap), row["place"], crime) for row in found for crime, gap in row["expected_off"].items()]
    far = [(z, row["place"], crime) for row in found for crime, z in row["standard_errors"].items()]
    shaken = [z for row in found for z in row["standard_errors_with_shocks"]]
    by_tier: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in found:
        by_tier[row["tier"]].append(row)
    return {
        "places": len(found),
        "figures": len(off),
        "expected_off_largest": max(off),
        "expected_off_above_half_a_percent": sum(gap > 0.005 for gap, *_ in off),
        "mean_of_200_beyond_3_standard_errors": [entry for entry in far if abs(entry[0]) > 3],
        "mean_standard_errors": float(np.mean([z for z, *_ in far])),
        "sd_standard_errors": float(np.std([z for z, *_ in far])),
        "with_shocks": {
            "figures": len(shaken),
            "mean_standard_errors": float(np.mean(shaken)),
            "beyond_3": sum(abs(z) > 3 for z in shaken),
        },
        "cut_lowers_the_grant_everywhere": all(row["grant_difference"] < 0 for row in found),
        "verdicts": {verdict: sum(row["verdict"] == verdict for row in found) for verdict in sorted({row["verdict"] for row in found})},
        "share_of_cost_by_tier": {
            tier: [round(float(q), 5) for q in np.quantile([row["share_of_cost"] for row in rows], (0, 0.5, 1))]
            for tier, rows in by_tier.items()
        },
        "processor_seconds": round(sum(row["seconds"] for row in found)),
    }


def main() -> None:
    """Measure and write the figures."""
    places = real_places()
    if len(sys.argv) > 1:
        places = places[:: max(1, len(places) // int(sys.argv[1]))]
    found = []
    with ProcessPoolExecutor(WORKERS) as pool:
        for row in pool.map(figures_of, places, [n % 10 == 0 for n in range(len(places))]):
            found.append(row)
            print(f"{len(found):>3} {row['place']}: {row['verdict']}, {row['share_of_cost']:+.4%}", flush=True)
    summary = in_sum(found)
    print(json.dumps(summary, indent=1))
    if len(places) == len(real_places()):
        rows = [
            {
                **row,
                "largest_off": max(map(abs, row["expected_off"].values())),
                "largest_standard_errors": max(map(abs, row["standard_errors"].values())),
            }
            for row in found
        ]
        rows = [
            {key: float(f"{value:.4g}") if isinstance(value, float) else value for key, value in row.items() if key not in _IN_THE_SUM_ONLY}
            for row in rows
        ]
        text = json.dumps(summary, indent=1)[:-2] + ',\n "by_place": [\n' + ",\n".join(f"  {json.dumps(row)}" for row in rows) + "\n ]\n}\n"
        TARGET.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
