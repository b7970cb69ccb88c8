"""Throughput of the same work done several ways, in one run, interleaved, best of five; ratios are what counts.

    python benchmarks/throughput.py [--short]

The work: the baseline, two boroughs, 36 + 120 months, luck and outcomes included. Interpreted rules are measured in
processes of their own, the rulebook over all months; the interpreted model over 12 + 24 months, scaled by months. The
plain loop is what somebody would write in Mesa first: a model of as many agents who once a month weigh as many
interventions by as many crime types in Python, one of the thirteen rules and nothing else.
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
started = time.process_time()
for month in range({months}):
    run_month(world, state, luck, month)
    outcomes_of(state.tallies)
print((time.process_time() - started) / {months})
"""
MESA_INTERPRETED = """
import time
from cspsim.mesa_model.partnership_model import PartnershipModel
from cspsim.scenario.scenario import load_scenario
scenario = load_scenario("baseline").with_changes({{"time.warm_up_months": 12}})
started = time.process_time()
model = PartnershipModel(scenario, seed=1, replicate=0)
for _ in range({steps}):
    model.step()
print((time.process_time() - started) / (12 + {steps}))
"""
BARS = {"interpreted": 350, "threads": 1.85, "step": 1}


def months_of_baseline() -> int:
    """Months of a run, warm-up included."""
    from cspsim.scenario.scenario import load_scenario
    from cspsim.scenario.world_building import calendar_of

    return len(calendar_of(load_scenario("baseline").data).months)


def timed(work: Callable[[], object], clock: Callable[[], float] = time.process_time) -> float:
    """Seconds one call takes: of a processor, or of a clock on the wall where several threads are compared."""
    started = clock()
    work()
    return clock() - started


def interpreted(program: str) -> float:
    """What a program prints when its rules run as ordinary Python."""
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


def plain_loop(agents: int, interventions: int, crime_types: int, months: int) -> Callable[[], object]:
    """A Mesa model of this size in which every agent weighs every intervention every month."""
    import mesa

    class Member(mesa.Agent):
        def __init__(self, model: mesa.Model) -> None:
            super().__init__(model)
            self.beliefs = [self.random.random() for _ in range(interventions)]
            self.choice = 0

        def step(self) -> None:
            needs, best = self.model.needs, -1.0  # type: ignore[attr-defined]
            for item, profile in enumerate(self.model.profiles):  # type: ignore[attr-defined]
                score = self.beliefs[item] * sum(share * need for share, need in zip(profile, needs, strict=True))
                if score > best:
                    self.choice, best = item, score

    class Table(mesa.Model):
        def __init__(self) -> None:
            super().__init__(rng=1)
            self.profiles = [[self.random.random() for _ in range(crime_types)] for _ in range(interventions)]
            self.needs = [1 / crime_types] * crime_types
            Member.create_agents(self, agents)

        def step(self) -> None:
            self.needs = [self.random.random() for _ in range(crime_types)]
            self.agents.shuffle_do("step")

    def run() -> object:
        model = Table()
        for _ in range(months):
            model.step()
        return None

    return run


def floor(months: int) -> Callable[[], object]:
    """What no order of the arithmetic avoids in a run of two boroughs: 16,600 draws, 9,000 normal quantiles, 8,000 exponentials."""
    from math import exp

    from cspsim.model.compiled import compiled
    from cspsim.model.luck import CRIME, new_luck, normal_quantiles, uniform

    @compiled
    def bare(luck, draws, normals, months):  # type: ignore[no-untyped-def] # compiled for what it is given
        total = 0.0
        for month in range(months):
            for k in range(draws.shape[0]):
                draws[k] = uniform(luck, CRIME, month, np.uint64(k), np.uint64(k))
            normal_quantiles(draws[:58], normals)
            for k in range(51):
                total += exp(-draws[k])
        return total

    luck, draws, normals = new_luck(1, 0), np.zeros(106), np.zeros(58)
    bare(luck, draws, normals, 1)
    return lambda: bare(luck, draws, normals, months)


def measured(short: bool) -> dict[str, float]:
    """Seconds a run (or a month, or a step) of each way, best of several rounds."""
    rounds, runs = (2, 16) if short else (ROUNDS, 96)

    import mesa

    from cspsim.mesa_model.partnership_model import PartnershipModel
    from cspsim.model.luck import new_luck
    from cspsim.model.month import begin_run, run_month
    from cspsim.model.structures import packed
    from cspsim.model.world import sizes
    from cspsim.running.outcomes import outcomes_of
    from cspsim.running.rulebook import STANDARD
    from cspsim.running.simulation import replicate_numbers, run_world, simulate, state_for
    from cspsim.scenario.scenario import load_scenario
    from cspsim.scenario.world_building import build_world

    months = months_of_baseline()
    scenario = load_scenario("baseline")
    world = build_world(scenario.data)
    simulate(scenario, replicates=2, threads=1)
    places, authorities, interventions, crime_types, _ = sizes(world)
    plain, bare = plain_loop(places * authorities, interventions, crime_types, months), floor(months)

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

    names = ("one", "wall_one", "wall_two", "month", "step", "mesa", "plain", "floor", "python", "mesa_python")
    found: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(rounds):
        found["one"].append(timed(batch(1)) / runs)
        found["wall_one"].append(timed(batch(1), time.perf_counter) / runs)
        found["wall_two"].append(timed(batch(2), time.perf_counter) / runs)
        found["month"].append(timed(bare_months) / months)
        found["step"].append(timed(model_steps) / steps)
        found["mesa"].append(timed(mesa_batch) / 2)
        found["plain"].append(timed(plain))
        found["floor"].append(timed(bare))
        found["python"].append(interpreted(INTERPRETED.format(months=months)) * months)
        found["mesa_python"].append(interpreted(MESA_INTERPRETED.format(steps=24)) * months)
    best = {name: min(values) for name, values in found.items()}
    if not np.isfinite(list(best.values())).all():
        raise SystemExit("a figure is missing")
    return best


WAYS = (
    ("one", "`simulate`, a thread"),
    ("mesa", "`mesa.batch_run` on `PartnershipModel`"),
    ("plain", "a plain Mesa loop of the same size, one rule of thirteen"),
    ("python", "the same rules interpreted"),
    ("mesa_python", "`PartnershipModel` interpreted"),
    ("floor", "the floor: draws, quantiles and exponentials alone"),
)


def ratios(best: dict[str, float]) -> list[tuple[str, float, str]]:
    """What is compared, the ratio, and its bar."""
    budget = 5 * best["month"] + 0.0005
    return [
        ("`simulate` a thread against the same rules interpreted", best["python"] / best["one"], f"at least {BARS['interpreted']}"),
        ("two threads against one", best["wall_one"] / best["wall_two"], f"at least {BARS['threads']}"),
        ("`simulate` a thread against `mesa.batch_run`", best["mesa"] / best["one"], ""),
        ("`simulate` a thread against the plain Mesa loop", best["plain"] / best["one"], ""),
        ("`PartnershipModel` compiled against interpreted", best["mesa_python"] / best["mesa"], ""),
        ("a run against the floor", best["one"] / best["floor"], ""),
        ("`PartnershipModel.step` against 5 compiled months + 0.5 ms", best["step"] / budget, f"at most {BARS['step']}"),
    ]


def main() -> None:
    """Measure and print the figures; with --short on less work."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="two rounds on less work")
    best = measured(parser.parse_args().short)
    print(f"{'':60s}{'runs a second':>14s}{'ms a run':>12s}   ({months_of_baseline()} months, 2 boroughs)")
    for name, words in WAYS:
        print(f"{words:60s}{1 / best[name]:14.2f}{1000 * best[name]:12.2f}")
    for words, ratio, bar in ratios(best):
        print(f"{words:60s}{ratio:14.2f}   {bar}")


if __name__ == "__main__":
    main()
