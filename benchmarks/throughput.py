"""Throughput of the same work done five ways, in one run, interleaved, best of five; ratios are what counts.

    python benchmarks/throughput.py [--short]

The work: the baseline, two boroughs, 36 + 120 months, luck and outcomes included. Interpreted rules are measured in
processes of their own, the rulebook over all months; the interpreted model over 12 + 24 months, scaled by months.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np

ROUNDS = 5
INTERPRETED = """
import time
from cspsim.scenario.world_building import build_world
from cspsim.model.luck import Luck
from cspsim.model.month import begin_run, run_month
from cspsim.running.outcomes import outcomes_of
from cspsim.scenario.scenario import load_scenario
from cspsim.running.simulation import replicate_numbers, state_for
import numpy as np
world = build_world(load_scenario("baseline").data)
state = state_for(world)
luck = Luck(np.uint64(1), replicate_numbers(1)[0])
begin_run(world, state, luck)
started = time.perf_counter()
for month in range({months}):
    run_month(world, state, luck, month)
    outcomes_of(state.tallies)
print((time.perf_counter() - started) / {months})
"""


def _months() -> int:
    from cspsim.scenario.scenario import load_scenario
    from cspsim.scenario.world_building import calendar_of

    return len(calendar_of(load_scenario("baseline").data).months)


def timed(work: Callable[[], object]) -> float:
    """Seconds one call takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def interpreted(program: str) -> float:
    """What a program prints when its rules run as ordinary Python."""
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


def mesa_interpreted(steps: int) -> str:
    """A program that prints seconds per month of ``mesa.batch_run``'s model, interpreted; its warm-up is counted as months."""
    return f"""
import time
from cspsim.mesa_model.partnership_model import PartnershipModel
from cspsim.scenario.scenario import load_scenario
scenario = load_scenario("baseline").with_changes({{"time.warm_up_months": 12}})
started = time.perf_counter()
model = PartnershipModel(scenario, seed=1, replicate=0)
for _ in range({steps}):
    model.step()
print((time.perf_counter() - started) / (12 + {steps}))
"""


def main() -> None:
    """Measure and print the figures; with --short on less work."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="two rounds on less work")
    short = parser.parse_args().short
    rounds, runs = (2, 16) if short else (ROUNDS, 96)

    import mesa

    from cspsim.mesa_model.partnership_model import PartnershipModel
    from cspsim.model.luck import new_luck
    from cspsim.model.month import begin_run, run_month
    from cspsim.model.structures import packed
    from cspsim.running.outcomes import outcomes_of
    from cspsim.running.rulebook import STANDARD
    from cspsim.running.simulation import replicate_numbers, run_world, simulate, state_for
    from cspsim.scenario.scenario import load_scenario
    from cspsim.scenario.world_building import build_world

    months = _months()
    scenario = load_scenario("baseline")
    world = build_world(scenario.data)
    simulate(scenario, replicates=2, threads=1)

    def batch(threads: int) -> Callable[[], object]:
        return lambda: outcomes_of(run_world(world, STANDARD, replicate_numbers(runs), 1, threads=threads)[0])

    def mesa_batch() -> object:
        return mesa.batch_run(
            PartnershipModel,
            {"scenario": "baseline", "replicate": range(2)},
            number_processes=1,
            max_steps=months,
            data_collection_period=-1,
            display_progress=False,
        )

    seen, behind, luck = packed(world), packed(state_for(world)), new_luck(1, 0)

    def bare_months() -> object:
        begin_run(seen, behind, luck)
        for month in range(months):
            run_month(seen, behind, luck, month)
        return None

    model = PartnershipModel("baseline", seed=1, replicate=0)
    steps = 20

    def model_steps() -> object:
        for _ in range(steps):
            model.step()
        return None

    found: dict[str, list[float]] = {name: [] for name in ("one", "two", "month", "step", "mesa", "python", "mesa_python")}
    for _ in range(rounds):
        found["one"].append(timed(batch(1)) / runs)
        found["two"].append(timed(batch(2)) / runs)
        found["month"].append(timed(bare_months) / months)
        found["step"].append(timed(model_steps) / steps)
        found["mesa"].append(timed(mesa_batch) / 2)
        found["python"].append(interpreted(INTERPRETED.format(months=months)) * months)
        found["mesa_python"].append(interpreted(mesa_interpreted(24)) * months)
    best = {name: min(values) for name, values in found.items()}
    rows = [
        ("simulate, one thread", best["one"]),
        ("simulate, two threads", best["two"]),
        ("rulebook interpreted", best["python"]),
        ("mesa.batch_run, compiled", best["mesa"]),
        ("PartnershipModel, interpreted", best["mesa_python"]),
    ]
    print(f"{'':34s}{'runs a second':>14s}{'ms a run':>12s}   ({months} months, 2 boroughs, best of {rounds})")
    for name, seconds in rows:
        print(f"{name:34s}{1 / seconds:14.2f}{1000 * seconds:12.2f}")
    print()
    print(f"simulate per thread / interpreted rulebook   {best['python'] / best['one']:8.0f} x   (bar: 300)")
    print(f"two threads / one thread                     {best['one'] / best['two']:8.2f} x   (bar: 1.8)")
    print(f"simulate per thread / mesa.batch_run         {best['mesa'] / best['one']:8.1f} x")
    print(f"interpreted / compiled PartnershipModel      {best['mesa_python'] / best['mesa']:8.0f} x")
    budget = 5 * best["month"] + 0.0005
    print(f"PartnershipModel.step {1000 * best['step']:.3f} ms, a compiled month {1000 * best['month']:.3f} ms")
    print(f"step / (5 compiled months + 0.5 ms)          {best['step'] / budget:8.2f}     (bar: 1)")
    if not np.isfinite(list(best.values())).all():
        raise SystemExit("a figure is missing")


if __name__ == "__main__":
    main()
