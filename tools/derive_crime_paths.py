"""Derive London's crime paths so that the baseline, as it happened, meets recorded crime as it was observed.

    python tools/derive_crime_paths.py

reads ``scenarios/world/observed.csv`` and writes ``scenarios/world/london-crime-paths.toml``: for each crime type an
exogenous path by financial year (what moved crime besides police strength and interventions, both boroughs together),
a recording path where recording is known to have risen (HMIC 2014), and for each borough the level of true crime
without interventions relative to what recorded crime implies. Run it again after a change of rules or of the catalogue.
"""

import csv
from collections import defaultdict
from pathlib import Path

import numpy as np

from cspsim.model.luck import Luck
from cspsim.model.month import begin_run, run_month
from cspsim.model.structures import packed
from cspsim.running.simulation import replicate_numbers, state_for
from cspsim.scenario.scenario import Scenario, load_scenario
from cspsim.scenario.world_building import build_world

WORLD = Path(__file__).parent.parent / "scenarios" / "world"
REPLICATES = 300
ROUNDS = 4
YEARS = range(2008, 2018)
REFERENCE = (2010, 2011, 2012)
# Metropolitan Police antisocial behaviour calls by calendar year, London Assembly (seen); no borough series exists.
CALLS = {2009: 520_521, 2010: 562_349, 2011: 483_533, 2012: 399_296, 2013: 359_582, 2014: 279_121, 2015: 244_080, 2016: 267_798}
RECORDING_ROSE = {"violence_with_injury": 0.90 / 0.67, "violence_without_injury": 0.90 / 0.67}

HEADER = """# What moved crime in the two boroughs besides police strength and interventions. Written by tools/derive_crime_paths.py.
# exogenous: by financial year, so that the baseline's recorded crime meets the observed series of observed.csv (derived).
# recording_path: recorded share of reported violence rose from 67 % (2012-13, HMIC 2014, seen) to about 90 % (2018, memory).
# level: true crime without interventions relative to what recorded crime of 2010/11-2012/13 implies (derived).
"""


def observed() -> dict[tuple[str, str], dict[int, float]]:
    """(borough, crime type) -> financial year -> recorded crimes."""
    series: dict[tuple[str, str], dict[int, float]] = defaultdict(dict)
    with (WORLD / "observed.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            series[row["partnership"], row["crime_type"]][int(row["financial_year"][:4])] = float(row["recorded"])
    return dict(series)


def simulated(scenario: Scenario) -> np.ndarray:
    """Mean recorded crimes ``[partnership, crime type, financial year]`` over replicates."""
    world = build_world(scenario.data)
    state = state_for(world)
    seen, behind = packed(world), packed(state)
    warm_up = scenario.data.time.warm_up_months
    total = np.zeros((*state.recorded.shape[:2], len(YEARS)))
    for streams in replicate_numbers(REPLICATES, first=10_000):
        luck = Luck(np.uint64(1), streams)
        begin_run(seen, behind, luck)
        for month in range(world.counted.shape[0]):
            run_month(seen, behind, luck, month)
        total += state.recorded[:, :, warm_up:].reshape(*total.shape, 12).sum(axis=3)
    return total / REPLICATES


def paths(exogenous: dict[str, dict[int, float]], level: dict[str, dict[str, float]]) -> dict[str, object]:
    """Changes that put the present paths and levels into a scenario."""
    changes: dict[str, object] = {}
    for name, path in exogenous.items():
        changes[f"crime_types.{name}.exogenous.path"] = {f"{year}-04": round(value, 4) for year, value in path.items()}
    for borough, levels in level.items():
        for name, value in levels.items():
            changes[f"partnerships.{borough}.level.{name}"] = {"value": round(value, 4), "unit": "times"}
    return changes


def main() -> None:
    """Fit paths and levels round by round, say how far they are off, and write them."""
    target = observed()
    scenario = load_scenario("baseline")
    boroughs, crimes = list(scenario.data.partnerships), list(scenario.data.crime_types)
    mean_calls = np.mean([CALLS[year] for year in REFERENCE])
    exogenous = {name: dict.fromkeys(YEARS, 1.0) for name in crimes}
    exogenous["antisocial_behaviour"] = {year: CALLS[min(max(year, 2009), 2016)] / mean_calls for year in YEARS}
    level = {borough: dict.fromkeys(crimes, 1.0) for borough in boroughs}
    for _ in range(ROUNDS):
        found = simulated(scenario.with_changes(paths(exogenous, level)))
        for c, name in enumerate(crimes):
            if not any((borough, name) in target for borough in boroughs):
                continue
            for k, year in enumerate(YEARS):
                both = [target[borough, name].get(year) for borough in boroughs]
                if None not in both:
                    exogenous[name][year] *= float(np.sum(both) / found[:, c, k].sum())
            missing = [year for year in YEARS if any(year not in target[borough, name] for borough in boroughs)]
            for year in missing:
                exogenous[name][year] = exogenous[name][min(set(YEARS) - set(missing), key=lambda other: abs(other - year))]
            usual = np.mean([exogenous[name][year] for year in REFERENCE])
            exogenous[name] = {year: value / usual for year, value in exogenous[name].items()}
            for p, borough in enumerate(boroughs):
                wanted = np.mean([target[borough, name][year] for year in REFERENCE])
                level[borough][name] *= float(wanted / np.mean([found[p, c, k] for k, year in enumerate(YEARS) if year in REFERENCE]))
        print(f"largest gap to the observed yearly totals: {largest_gap(found, target, boroughs, crimes):.4f}")
    write(exogenous, level)


def largest_gap(found: np.ndarray, target: dict[tuple[str, str], dict[int, float]], boroughs: list[str], crimes: list[str]) -> float:
    """Largest share by which simulated and observed totals of both boroughs differ, over crime types and years with data."""
    gaps = [0.0]
    for c, name in enumerate(crimes):
        for k, year in enumerate(YEARS):
            both = [target.get((borough, name), {}).get(year) for borough in boroughs]
            if None not in both:
                gaps.append(abs(found[:, c, k].sum() / np.sum(both) - 1))
    return float(max(gaps))


def write(exogenous: dict[str, dict[int, float]], level: dict[str, dict[str, float]]) -> None:
    """Write the world file, every number with unit, status and source."""
    derived = 'status = "derived", source = "observed.csv over the baseline without this path: tools/derive_crime_paths.py"'
    calls = 'status = "derived", source = "Metropolitan Police calls by year over the mean of 2010-12: London Assembly"'
    lines = [HEADER]
    for name, path in exogenous.items():
        story = calls if name == "antisocial_behaviour" else derived
        values = ", ".join(f'"{year}-04" = {value:.4g}' for year, value in path.items())
        lines.append(f'[crime_types.{name}]\nexogenous = {{ path = {{ {values} }}, shape = "step", unit = "times", {story} }}')
        if name in RECORDING_ROSE:
            lines.append(
                f'recording_path = {{ path = {{ "2008-04" = 1, "2014-04" = 1, "2018-03" = {RECORDING_ROSE[name]:.3f} }}, shape = "linear", '
                'unit = "times", status = "memory", source = "HMIC 2014 (67 %, seen) to about 90 % in 2018 (memory)" }'
            )
        lines.append("")
    for borough, levels in level.items():
        lines.append(f"[partnerships.{borough}.level]")
        lines += [f'{name} = {{ value = {value:.4f}, unit = "times", {derived} }}' for name, value in levels.items() if value != 1]
        lines.append("")
    (WORLD / "london-crime-paths.toml").write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
