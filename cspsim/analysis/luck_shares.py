"""Which luck matters: the share of an outcome's variance between runs that each stream of luck brings, alone and with others.

The factors are the streams of luck, each with a replicate number of its own (``sweep.luck_design``); the stream "parameters" is
the number of the assumption set. With all eight streams as factors, or with a "rest" of those not named, a run is a function
of its numbers and nothing is left over.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from cspsim.analysis.noise import RESAMPLES
from cspsim.analysis.sensitivity import SobolIndices, sobol_indices
from cspsim.analysis.swept import EFFECT, OUTCOME, Subject
from cspsim.basics.errors import CspsimError
from cspsim.comparing.differences import parts_of
from cspsim.model.luck import PARAMETERS, STREAMS
from cspsim.model.parameters import Floats, Words
from cspsim.model.structures import packed
from cspsim.model.tallies import AuthorityTally, Tally
from cspsim.model.world import sizes
from cspsim.running.assumptions import sample_assumptions
from cspsim.running.outcomes import OUTCOMES
from cspsim.running.results import AREA
from cspsim.running.rulebook import rulebook_of
from cspsim.running.simulation import share_out, state_for
from cspsim.scenario.scenario import Scenario
from cspsim.scenario.world_building import build_world
from cspsim.sweep.luck_design import group_streams, luck_design

if TYPE_CHECKING:
    from cspsim.sweep.stored_results import SweepResults


def luck_shares(values: Floats, groups: Sequence[str] = STREAMS, resamples: int = RESAMPLES, seed: int = 1) -> SobolIndices:
    """First and total share of each group of streams in the variance of single runs.

    Args:
        values: ``[row]`` an outcome, or the paired effect of a policy, in every row of ``luck_design``. Rows that failed or in
            which the outcome is not defined are not-a-number; their base rows are left out and counted. ``[row, repeat]`` where
            the whole design was run several times under other numbers of something held: that is then subtracted as noise.
        groups: as the design was made; streams not named are one more group, "rest".
        resamples, seed: of the bootstrap over base rows.

    A first share is what a stream moves by itself, a total share that and all its interactions; what the first shares lack
    to 1 is interaction. Estimates below 0 are sampling error and are left as they are.
    """
    runs = values.reshape(len(values), -1)
    return sobol_indices(runs, list(group_streams(groups)), resamples=resamples, seed=seed)


def luck_shares_of_sweep(
    results: "SweepResults", outcomes: Sequence[str], partnership: str = AREA, resamples: int = RESAMPLES
) -> dict[Subject, SobolIndices]:
    """Shares of each stream in the baseline's outcome and in every policy's paired effect, from a sweep with a design of luck.

    Raises CspsimError for a sweep without one.
    """
    groups = luck_groups(results)
    values = {asked: own for outcome in outcomes for asked, own in values_of_rows(results, outcome, partnership).items()}
    return {asked: luck_shares(own, groups, resamples) for asked, own in values.items()}


def luck_groups(results: "SweepResults") -> list[str]:
    """The groups of streams that a sweep's design of luck tells apart. Raises CspsimError for a sweep without one."""
    design = results.designs.get("luck") or {}
    if design.get("kind") != "saltelli":
        raise CspsimError('luck has no design here: an experiment tells the streams apart with [luck] design = "saltelli"')
    return list(design["groups"])


def values_of_rows(results: "SweepResults", outcome: str, partnership: str = AREA) -> dict[Subject, Floats]:
    """The baseline's outcome, and every policy's paired effect, in every row of a design of luck ``[row]``."""
    cells = results.cells(outcome, partnership)
    values = single_runs(cells.numerator, cells.denominator)[:, 0]
    found = {}
    for policy, name in enumerate(results.policies["name"]):
        own = values[policy] - values[cells.against[policy]] if policy else values[0]
        found[Subject(outcome, str(name), EFFECT if policy else OUTCOME)] = own
    return found


def single_runs(numerator: Floats, denominator: Floats) -> Floats:
    """The outcome of every single run; not-a-number where it has nothing to divide by."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(denominator != 0, numerator / denominator, np.nan)


def run_luck_design(
    scenarios: Sequence[Scenario],
    table: Words,
    seed: int = 1,
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Floats:
    """Tallies ``[scenario, row, partnership, tally]`` of every scenario under every row of a design of luck, nothing stored.

    The assumption sets are a Latin hypercube of as many sets as the design names; a design in which the stream "parameters"
    never changes runs at the best guesses. ``progress`` is called with the number of runs just finished.
    """
    own_set = table[:, PARAMETERS].astype(np.int64)
    varied = bool((own_set != own_set[0]).any())
    order = np.argsort(own_set, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(own_set[order])) + 1)
    worlds, books = [build_world(scenario.data) for scenario in scenarios], [rulebook_of(scenario) for scenario in scenarios]
    sets = [sample_assumptions(scenario, int(own_set.max()) + 1, seed) if varied else None for scenario in scenarios]
    tallies = np.zeros((len(scenarios), len(table), sizes(worlds[0])[0], len(Tally)))

    def work(job: tuple[int, Sequence[np.ndarray]]) -> None:
        arm, part = job
        state = packed(state_for(worlds[arm]))
        for rows in part:
            assumed = sets[arm]
            world = worlds[arm] if assumed is None else assumed.apply(worlds[arm], int(own_set[rows[0]]))
            found = np.zeros((len(rows), *tallies.shape[2:]))
            by_authority = np.zeros((len(rows), *sizes(world)[:2], len(AuthorityTally)))
            books[arm].run_replicates(packed(world), state, np.uint64(seed), table[rows], found, by_authority, np.zeros((0, 0, 0, 0)))
            tallies[arm, rows] = found
            if progress is not None:
                progress(len(rows))

    share_out(work, [(arm, groups[k : k + 16]) for k in range(0, len(groups), 16) for arm in range(len(scenarios))], threads)
    return tallies


def luck_shares_of_scenarios(
    baseline: Scenario, policy: Scenario, outcomes: Sequence[str], base: int = 256, seed: int = 1, best_guess: bool = False
) -> dict[Subject, SobolIndices]:
    """Run both scenarios under a design of luck, store nothing, and tell the streams' shares apart.

    Shares are of both scenarios' outcomes and of the policy's paired effect. ``best_guess`` holds the stream "parameters" at the
    best guesses: its share is then exactly 0, and the others divide luck alone.
    """
    table = luck_design(base)
    if best_guess:
        table[:, PARAMETERS] = 0
    parts = [parts_of(arm) for arm in run_luck_design([baseline, policy], table, seed)]
    before, after = (single_runs(*arm) for arm in parts)
    found = {}
    for outcome in outcomes:
        column = list(OUTCOMES).index(outcome)
        found[Subject(outcome, baseline.name, OUTCOME)] = luck_shares(before[:, column])
        found[Subject(outcome, policy.name, OUTCOME)] = luck_shares(after[:, column])
        found[Subject(outcome, policy.name, EFFECT)] = luck_shares(after[:, column] - before[:, column])
    return found
