"""A question asked of a whole country: areas are run one after the other and added up replicate by replicate; none is kept."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cspsim.basics.errors import CspsimError, did_you_mean
from cspsim.comparing.comparison import DETECTABLE, EXPLORATORY, PRIMARY, Finding
from cspsim.comparing.differences import Paired, holm, paired_estimate, parts_of, range_over, verdict_of
from cspsim.model.parameters import Floats
from cspsim.model.tallies import Tally
from cspsim.model.world import World
from cspsim.running.assumptions import Arm, run_assumption_sets, sample_assumptions
from cspsim.running.outcomes import OUTCOMES, outcomes_of
from cspsim.running.rulebook import Rulebook, rulebook_of
from cspsim.running.simulation import replicate_numbers, run_world
from cspsim.scenario.scenario import Scenario
from cspsim.scenario.world_building import build_world

if TYPE_CHECKING:
    import pandas as pd

BLOCK = 200
"""Replicates of one area that are run before they are added up, so that memory does not grow with replicates x partnerships."""

Progress = Callable[[int], None]


class AreaFinding(NamedTuple):
    """One area: what it is, and the paired estimate of every outcome ``[outcome]``."""

    name: str
    title: str
    partnerships: int
    population: float
    estimate: Paired


class Spread(NamedTuple):
    """How an effect differs between areas: quantiles over areas, the spread that is not noise, and how many point which way."""

    low: float
    median: float
    high: float
    between_sd: float
    higher: int
    lower: int
    unclear: int
    relative: bool


class CountryAnswer:
    """What ``run_country`` returns.

    Attributes:
        areas: one entry per area, in the order of running.
        country: the paired estimate over the whole country, replicate k of all areas added up as one run.
        over_sets: outcomes of the whole country under each assumption set, ``[arm, set, outcome]``; no sets, no rows.
        primary: the outcome that the areas' question is about.
    """

    def __init__(self, areas: tuple[AreaFinding, ...], country: Paired, over_sets: Floats, primary: str, replicates: int) -> None:
        self.areas = areas
        self.country = country
        self.over_sets = over_sets
        self.primary = primary
        self.replicates = replicates

    @property
    def findings(self) -> list[Finding]:
        """The country's answer on every outcome, the primary one first; the others share one family of looks (Holm)."""
        order = [self.primary, *(name for name in OUTCOMES if name != self.primary)]
        columns = [list(OUTCOMES).index(name) for name in order]
        p_values = np.concatenate([self.country.p_value[columns[:1]], holm(self.country.p_value[columns[1:]])])
        return [self._finding(name, float(p)) for name, p in zip(order, p_values, strict=True)]

    def finding(self, outcome: str | None = None) -> Finding:
        """The country's answer on one outcome, the primary one if none is named. Raises CspsimError for an unknown name."""
        wanted = outcome or self.primary
        _column(wanted)
        return next(finding for finding in self.findings if finding.outcome == wanted)

    def spread(self, outcome: str | None = None) -> Spread:
        """How the effect on an outcome differs between areas; relative to each area's own level for totals.

        ``between_sd`` takes the areas' own noise off their variance; since areas share part of their luck it takes off
        too much rather than too little. ``higher`` and ``lower`` count areas whose 95 % interval leaves out zero.
        """
        column = _column(outcome or self.primary)
        relative = OUTCOMES[outcome or self.primary].denominator is None
        baseline, difference, error, half = (
            np.array([getattr(area.estimate, part)[column] for area in self.areas])
            for part in ("baseline", "difference", "standard_error", "half_width")
        )
        with np.errstate(divide="ignore", invalid="ignore"):
            scale = np.abs(baseline) if relative else 1.0
            effect, noise = difference / scale, error / scale
        defined = effect[np.isfinite(effect)]
        quantiles = np.quantile(defined, (0.1, 0.5, 0.9)) if defined.size else np.full(3, np.nan)
        variance = float(np.var(defined, ddof=1) - np.nanmean(noise**2)) if defined.size > 1 else np.nan
        higher, lower = int((difference > half).sum()), int((difference < -half).sum())
        low, median, high = (float(value) for value in quantiles)
        between = float(np.sqrt(max(0.0, variance))) if np.isfinite(variance) else np.nan
        return Spread(low, median, high, between, higher, lower, len(self.areas) - higher - lower, relative)

    def rows(self, outcome: str | None = None) -> list[dict[str, Any]]:
        """One row per area: what it is, its baseline, value, difference and 95 % interval on one outcome."""
        column = _column(outcome or self.primary)
        return [_row(area, column) for area in self.areas]

    def table(self, outcome: str | None = None) -> "pd.DataFrame":
        """The same rows as a frame."""
        import pandas as pd

        return pd.DataFrame(self.rows(outcome))

    def _finding(self, name: str, p_holm: float) -> Finding:
        column, entry = _column(name), OUTCOMES[name]
        estimate = Paired(*(field[column] for field in self.country))
        difference, half = float(estimate.difference), float(estimate.half_width)
        smallest = entry.smallest * (abs(float(estimate.baseline)) if entry.smallest_is == "relative" else 1.0)
        return Finding(
            scenario="changed",
            outcome=name,
            baseline=float(estimate.baseline),
            value=float(estimate.value),
            difference=difference,
            ci_low=difference - half,
            ci_high=difference + half,
            replicates=self.replicates,
            smallest_detectable=DETECTABLE * float(estimate.standard_error),
            **_assumptions(self.over_sets[1, :, column] - self.over_sets[0, :, column], difference),
            verdict=verdict_of(difference, half, smallest, bool(estimate.identical)),
            role=PRIMARY if name == self.primary else EXPLORATORY,
            p_value=float(estimate.p_value),
            p_holm=p_holm,
            smallest_of_interest=smallest,
            unit=entry.unit,
        )


def _assumptions(differences: Floats, point: float) -> dict[str, float]:
    over = range_over(differences, point)
    names = ("assumptions_low", "assumptions_median", "assumptions_high", "same_sign_share")
    return dict(zip(names, over, strict=True))


def _row(area: AreaFinding, column: int) -> dict[str, Any]:
    estimate = Paired(*(field[column] for field in area.estimate))
    difference, half = float(estimate.difference), float(estimate.half_width)
    return {
        "area": area.name,
        "title": area.title,
        "partnerships": area.partnerships,
        "population": area.population,
        "baseline": float(estimate.baseline),
        "value": float(estimate.value),
        "difference": difference,
        "ci_low": difference - half,
        "ci_high": difference + half,
    }


def _column(outcome: str) -> int:
    if outcome not in OUTCOMES:
        raise CspsimError(f'no outcome is called "{outcome}"; {did_you_mean(outcome, OUTCOMES)}')
    return list(OUTCOMES).index(outcome)


def run_country(
    areas: Iterable[Scenario],
    changes: Mapping[str, Any],
    replicates: int = 100,
    seed: int = 1,
    assumption_sets: int = 0,
    replicates_per_set: int = 4,
    threads: int | None = None,
    progress: Progress | None = None,
) -> CountryAnswer:
    """Run every area as it is and with ``changes``, on the same luck, and say what the changes do to the country.

    Areas may come from a generator: one is held at a time, and of it only sums over its partnerships are kept. Replicate
    k of every area shares what is national (the slow shocks common to an area's partnerships, the error of published
    evidence), so the country's replicate k is one possible country and its interval takes shared luck into account.

    Args:
        areas: scenarios, such as ``generate_country(seed=1)`` gives.
        changes: dotted keys with their values, as ``Scenario.with_changes`` takes them.
        replicates, seed: runs of each area and arm, and the seed of their luck.
        assumption_sets, replicates_per_set: sampled assumption sets, the same in every area and arm, and runs of each.
        threads: None uses every processor.
        progress: called with the number of runs of one area just finished.

    Raises:
        CspsimError: there is no area, or nothing is changed.
        ScenarioError: a change does not fit.
    """
    if not changes:
        raise CspsimError('nothing is changed: say what, such as {"levers.grant.multiplier": 0.5}')
    country, sets = np.zeros((2, replicates, len(Tally))), np.zeros((2, assumption_sets, replicates_per_set, len(Tally)))
    found: list[AreaFinding] = []
    primary = "cost_of_crime"
    for area in areas:
        arms = (area, area.with_changes(changes))
        worlds, books = [build_world(arm.data) for arm in arms], [rulebook_of(arm) for arm in arms]
        own = np.array([_summed(*laid, replicates, seed, threads, progress) for laid in zip(worlds, books, strict=True)])
        country += own
        if assumption_sets:
            sampled = [sample_assumptions(arm, assumption_sets, seed) for arm in arms]
            laid = [Arm(*parts) for parts in zip(worlds, sampled, books, strict=True)]
            over = run_assumption_sets(laid, replicates_per_set, seed, 0, threads, progress)
            sets += np.array([tallies.sum(axis=2) for tallies in over])
        found.append(_finding_of(area, own))
        primary = area.data.primary_outcome
    if not found:
        raise CspsimError("a country without areas has no answer")
    return CountryAnswer(tuple(found), _paired(country), outcomes_of(sets.mean(axis=2)), primary, replicates)


def _summed(world: World, book: Rulebook, replicates: int, seed: int, threads: int | None, progress: Progress | None) -> Floats:
    """Tallies of the area ``[replicate, tally]``, block by block."""
    blocks = _blocks(replicates)
    return np.concatenate([run_world(world, book, streams, seed, False, threads, progress)[0].sum(axis=1) for streams in blocks])


def _blocks(replicates: int) -> Iterator[Any]:
    return (replicate_numbers(min(BLOCK, replicates - first), first) for first in range(0, replicates, BLOCK))


def _paired(tallies: Floats) -> Paired:
    return paired_estimate(*(parts_of(arm[:, None, :]) for arm in tallies))


def _finding_of(area: Scenario, tallies: Floats) -> AreaFinding:
    return AreaFinding(area.name, area.title, len(area.data.partnerships), area.data.area.population.value, _paired(tallies))
