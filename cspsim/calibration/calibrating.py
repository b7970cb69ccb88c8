"""Calibration: rule out impossible settings in waves, then learn the rest from the runs that are left."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr, ndtri

from cspsim.basics.errors import CspsimError
from cspsim.basics.limits import EstimatedWork, work_of
from cspsim.calibration.calibration_file import Calibration
from cspsim.calibration.history_matching import CUTOFF, fit_emulator, implausibility, not_ruled_out, predict
from cspsim.calibration.monthly_runs import Prior, Simulated, simulate_sets
from cspsim.calibration.regression_abc import posterior_scores
from cspsim.calibration.targets import Target, observed_targets, simulated_targets
from cspsim.model.luck import name_key
from cspsim.model.parameters import Floats
from cspsim.scenario.world_building import size_of

CANDIDATES = 20
"""Settings tried on the emulator for each run of a wave."""
FIRST_WAVE, LATER_WAVES, SYNTHETIC_DATA, SYNTHETIC_WAVES, FORECASTS, CHECKS = (k * 10**12 for k in range(6))
"""First replicate numbers, far enough apart that no two purposes share luck."""
WIDTH = 10**8
"""Replicate numbers set aside for each wave, data set or forecast of one purpose."""
LEARNED = 0.2
"""A number counts as learned when its variance shrank by this share; a smaller change may be the error of the sample."""

Progress = Callable[[int], None] | None


class Pool(NamedTuple):
    """Simulated settings: prior normal scores ``[set, number]`` and the simulated targets ``[set, target]``."""

    scores: Floats
    targets: Floats


class Wave(NamedTuple):
    """One wave: its runs, the share of the prior that was not ruled out before it, and how good the emulator was on its runs.

    ``within``: share of this wave's new targets within two standard deviations of what the emulator before it expected.
    """

    runs: int
    left: float
    within: float


class Posterior(NamedTuple):
    """A sample of the posterior: values and prior normal scores ``[set, number]``, and how it came about."""

    names: tuple[str, ...]
    values: Floats
    scores: Floats
    waves: tuple[Wave, ...]
    implausibility: Floats

    @property
    def shrinkage(self) -> Floats:
        """How far the variance of each number's prior score shrank ``[number]``: 0 nothing was learned, 1 everything."""
        shrunk: Floats = 1 - self.scores.var(axis=0)
        return shrunk


def seed_of(calibration: Calibration, *words: object) -> int:
    """A seed of its own for each purpose, from the calibration's."""
    return int(name_key("calibration", str(calibration.data.seed), *(str(word) for word in words)))


def first_wave(calibration: Calibration, threads: int | None = None, progress: Progress = None) -> tuple[Pool, Simulated]:
    """Runs over the whole prior; they know nothing of what was observed, so any data may be learned from with them."""
    quantiles = Prior(calibration).quantiles(calibration.data.budget.runs, seed_of(calibration, "first wave"))
    return _simulated(calibration, quantiles, FIRST_WAVE, threads, progress)


def _simulated(
    calibration: Calibration, quantiles: Floats, first_replicate: int, threads: int | None, progress: Progress
) -> tuple[Pool, Simulated]:
    sets = Prior(calibration).sets(quantiles, seed_of(calibration, "others", first_replicate))
    simulated = simulate_sets(calibration, sets, first_replicate, threads=threads, progress=progress)
    return Pool(scores_of(quantiles), simulated_targets(calibration, simulated)), simulated


def scores_of(quantiles: Floats) -> Floats:
    """Prior normal scores of prior quantiles."""
    return np.asarray(ndtri(np.clip(quantiles, 1e-9, 1 - 1e-9)))


def learn_numbers(
    calibration: Calibration,
    pool: Pool,
    targets: Sequence[Target],
    name: str = "",
    first_replicate: int = LATER_WAVES,
    threads: int | None = None,
    progress: Progress = None,
) -> Posterior:
    """What the targets say about the unknown numbers. ``name`` tells data sets apart: each has later waves of its own.

    Raises CspsimError when every setting is ruled out.
    """
    observed, tolerance = _values(targets)
    budget = calibration.data.budget
    waves = [Wave(len(pool.scores), 1.0, np.nan)]
    for number in range(1, budget.waves):
        emulator = fit_emulator(*pool)
        quantiles, left = _candidates(calibration, pool, targets, f"{name} wave {number}")
        fresh, _ = _simulated(calibration, quantiles, first_replicate + number * WIDTH, threads, progress)
        expected, spread = predict(emulator, fresh.scores)
        waves.append(Wave(len(fresh.scores), left, float((np.abs(fresh.targets - expected) <= 2 * spread).mean())))
        kept = not_ruled_out(emulator, pool.scores, observed, tolerance)
        pool = Pool(np.vstack([pool.scores[kept], fresh.scores]), np.vstack([pool.targets[kept], fresh.targets]))
    generator = np.random.default_rng(seed_of(calibration, "posterior", name))
    scores = posterior_scores(pool.scores, pool.targets, observed, tolerance, budget.posterior_sets, generator)
    prior = Prior(calibration)
    missed = implausibility(fit_emulator(*pool), scores, observed, tolerance)
    return Posterior(tuple(prior.names), prior.values(np.asarray(ndtr(scores))), scores, tuple(waves), missed)


def _candidates(calibration: Calibration, pool: Pool, targets: Sequence[Target], name: str) -> tuple[Floats, float]:
    """Quantiles of the prior that no target rules out, as many as a wave runs, and the share of the prior they stand for."""
    observed, tolerance = _values(targets)
    wanted = calibration.data.budget.wave_runs
    quantiles = Prior(calibration).quantiles(CANDIDATES * wanted, seed_of(calibration, "candidates", name))
    missed = implausibility(fit_emulator(*pool), scores_of(quantiles), observed, tolerance)
    left = missed.max(axis=1) <= CUTOFF
    if not left.any():
        raise CspsimError(_all_ruled_out(targets, missed))
    return quantiles[left][:wanted], float(left.mean())


def _all_ruled_out(targets: Sequence[Target], missed: Floats) -> str:
    hardest = sorted(zip(missed.min(axis=0), targets, strict=True), key=lambda pair: -pair[0])[:3]
    told = "; ".join(f"{target.name} is missed by {least:.1f} standard deviations or more" for least, target in hardest)
    return (
        f"no setting in the ranges meets every target within {CUTOFF:g} standard deviations: {told}. "
        "Widen ranges, state a larger tolerance or discrepancy, or take a target out: the model cannot do this as it is"
    )


def calibration_runs(calibration: Calibration, synthetic: bool) -> int:
    """Runs that a calibration with its forecasts makes, for the progress bar and the estimate."""
    budget, years = calibration.data.budget, len(calibration.held_back)
    later = (budget.waves - 1) * budget.wave_runs
    checks = min(budget.forecast_runs, budget.posterior_sets)
    return budget.runs + later + checks + 2 * years * budget.forecast_runs + synthetic * budget.synthetic * (1 + later)


def calibration_work(calibration: Calibration, synthetic: bool, threads: int | None = None) -> EstimatedWork:
    """Time and memory of a calibration. All months of the first wave are kept, and every setting with its hundred numbers."""
    size, budget = size_of(calibration.scenario.data), calibration.data.budget
    runs = calibration_runs(calibration, synthetic)
    settings = budget.runs + CANDIDATES * budget.wave_runs + budget.posterior_sets
    months = 4 * budget.runs * size.partnerships * size.crime_types * size.months
    work = work_of(size, runs, kept=max(budget.runs, budget.wave_runs, budget.forecast_runs), threads=threads)
    return EstimatedWork(work.seconds, work.memory + months + 8 * 5 * 100 * settings)


def _values(targets: Sequence[Target]) -> tuple[Floats, Floats]:
    return np.array([target.value for target in targets]), np.array([target.tolerance for target in targets])


class Calibrated(NamedTuple):
    """A calibration that has been run: its targets, what the prior expected, what was learned, and what follows from it.

    ``met``: targets ``[set, target]`` of fresh runs under the posterior, ``simulated``: the first wave's months.
    """

    calibration: Calibration
    targets: tuple[Target, ...]
    pool: Pool
    simulated: Simulated
    posterior: Posterior
    met: Floats


def calibrate(calibration: Calibration, threads: int | None = None, progress: Progress = None) -> Calibrated:
    """Learn the sought numbers from the observed months and the stylised facts. Raises CspsimError if nothing is left."""
    targets = observed_targets(calibration)
    pool, simulated = first_wave(calibration, threads, progress)
    posterior = learn_numbers(calibration, pool, targets, "observed", threads=threads, progress=progress)
    some = np.asarray(ndtr(posterior.scores[: calibration.data.budget.forecast_runs]))
    fresh, _ = _simulated(calibration, some, CHECKS, threads, progress)
    return Calibrated(calibration, tuple(targets), pool, simulated, posterior, fresh.targets)
