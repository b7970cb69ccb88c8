"""Levels of crime with which a place's first year meets the count that was published for it."""

from typing import Any

import numpy as np

from cspsim.model.luck import Luck
from cspsim.model.parameters import Floats
from cspsim.model.state import State
from cspsim.model.structures import packed
from cspsim.model.world import World
from cspsim.running.rulebook import rulebook_of
from cspsim.running.simulation import replicate_numbers, state_for
from cspsim.scenario.layout import build_world
from cspsim.scenario.scenario import Scenario

RUNS = 100
ROUNDS = 2
"""The programme depends a little on how much crime is recorded, so the levels are derived a second time from the first."""
FIRST_REPLICATE = 20_000
"""Runs that nobody else's answer uses."""
MONTHS = 12


def expected_recorded(scenario: Scenario, runs: int = RUNS, first: int = FIRST_REPLICATE, seed: int = 1) -> Floats:
    """Expected recorded crimes of the first reported year ``[partnership, crime type]``, without the slow shocks.

    The expectation of each month given the programme that runs in it, averaged over runs: what is left to luck is only which
    programme there is. Recorded = mean of true crimes x reported share x recorded share, as the rules crime and recording have it.
    """
    world = build_world(scenario.data)
    world = world._replace(switches=world.switches._replace(slow_shocks=0))
    book, state = rulebook_of(scenario), state_for(world)
    seen, behind = packed(world), packed(state)
    warm_up = scenario.data.time.warm_up_months
    total = np.zeros(world.base.shape)
    for streams in replicate_numbers(runs, first):
        luck = Luck(np.uint64(seed), streams)
        book.begin_run(seen, behind, luck)
        for month in range(warm_up + MONTHS):
            doses = state.effective_dose.copy()  # delivery comes after recording: last month's doses act this month
            for stage in book.stages:
                stage(seen, behind, luck, month)
            if month >= warm_up:
                total += _expected_of_month(world, state, doses, month)
    return total / runs


def _expected_of_month(world: World, state: State, doses: Floats, month: int) -> Floats:
    numbers, switches, levers = world.uncertainties, world.switches, world.levers
    true = state.expected_twin * np.exp(state.log_effect + world.neighbours.T @ state.spill_over)
    if not switches.measurement_error:
        return true
    audited = (levers.audit[month] * state.afforded)[:, None]
    gamed = numbers.gaming * switches.gaming * world.targeted * levers.targets[month] * (1 - audited)
    written_down = world.recording * world.recording_path[:, month] * (1 - gamed) * (1 + numbers.audit_rise * audited)
    encouraged = (numbers.engagement_rise * state.engagement[:, None] + doses @ world.reporting_rise) * switches.engagement_reporting
    return true * np.minimum(1.0, world.reporting * (1 + encouraged)) * np.minimum(1.0, written_down)


def levels_of(scenario: Scenario, runs: int = RUNS) -> dict[str, dict[str, float]]:
    """Partnership -> crime type -> ``level`` with which the expected recorded crime of the first year is ``recorded``."""
    data = scenario.data
    levels = {name: dict.fromkeys(entry.recorded, 1.0) for name, entry in data.partnerships.items()}
    crimes = list(data.crime_types)
    for _ in range(ROUNDS):
        found = expected_recorded(scenario.with_changes(_as_changes(levels)), runs)
        for p, (name, entry) in enumerate(data.partnerships.items()):
            for crime, count in entry.recorded.items():
                expected = found[p, crimes.index(crime)]
                if expected > 0:
                    levels[name][crime] *= count.value / expected
    return levels


def _as_changes(levels: dict[str, dict[str, float]]) -> dict[str, Any]:
    return {
        f"partnerships.{name}.level.{crime}": {"value": level, "unit": "times"}
        for name, own in levels.items()
        for crime, level in own.items()
    }
