"""Levels of crime with which a place's first year meets the count that was published for it."""

from typing import Any

import numpy as np

from cspsim.model.luck import Luck
from cspsim.model.parameters import Floats
from cspsim.model.state import State
from cspsim.model.structures import packed
from cspsim.model.tallies import AuthorityTally, Tally
from cspsim.model.world import World, sizes
from cspsim.running.rulebook import rulebook_of
from cspsim.running.simulation import replicate_numbers, state_for
from cspsim.scenario.scenario import Scenario
from cspsim.scenario.world_building import build_world

RUNS = 100
ROUGH_RUNS = 30
"""The programme depends a little on how much crime is recorded, so the levels are derived roughly first and then again from there."""
FIRST_REPLICATE = 20_000
"""Replicate numbers that no other result uses."""
MONTHS = 12


def first_year(
    scenario: Scenario, runs: int = RUNS, first: int = FIRST_REPLICATE, seed: int = 1, shocks: bool = False
) -> tuple[Floats, Floats]:
    """Recorded crimes of the first reported year: expected ``[partnership, crime type]`` and counted ``[run, partnership, crime type]``.

    Expected is the expectation of each month given the programme that runs in it, averaged over runs: what is left to luck is only which
    programme there is. Recorded = mean of true crimes x reported share x recorded share, as the rules crime and recording have it.
    ``shocks``: with the slow shocks, whose mean factor is a little above 1; the levels are derived without them.
    """
    world = build_world(scenario.data)
    world = world._replace(switches=world.switches._replace(slow_shocks=int(shocks)))
    book, state = rulebook_of(scenario), state_for(world)
    seen, behind = packed(world), packed(state)
    warm_up = scenario.data.time.warm_up_months
    before, sums = packed(world._replace(counted=world.counted[:warm_up])), _unread_sums(world)
    expected, counted = np.zeros(world.base.shape), np.zeros((runs, *world.base.shape))
    for run, streams in enumerate(replicate_numbers(runs, first)):
        luck = Luck(np.uint64(seed), streams)
        book.run_replicates(before, behind, luck.seed, streams[None], *sums)  # the warm-up in one go; then month by month
        for month in range(warm_up, warm_up + MONTHS):
            doses = state.effective_dose.copy()  # delivery comes after recording: last month's doses act this month
            for stage in book.stages:
                stage(seen, behind, luck, month)
            expected += _expected_of_month(world, state, doses, month)
        counted[run] = state.recorded[:, :, warm_up : warm_up + MONTHS].sum(axis=2)
    return expected / runs, counted


def _unread_sums(world: World) -> tuple[Floats, Floats, Floats]:
    """Arrays for the tallies of one run, which are not used here."""
    partnerships, authorities, *_ = sizes(world)
    months = np.zeros((0, 0, partnerships, len(Tally)))
    return np.zeros((1, partnerships, len(Tally))), np.zeros((1, partnerships, authorities, len(AuthorityTally))), months


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
    for some in (min(ROUGH_RUNS, runs), runs):
        found, _ = first_year(scenario.with_changes(_as_changes(levels)), some)
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
