"""Recovery: numbers planted in made-up data must come back. Simulation-based calibration of the whole procedure.

Each data set is one run at numbers drawn from the prior; the rank of what was planted among the posterior's sets must then be
uniform. Source: Talts, Betancourt, Simpson, Vehtari and Gelman 2018, arXiv:1804.06788.
"""

from typing import NamedTuple

import numpy as np

from cspsim.calibration.calibrating import (
    SYNTHETIC_DATA,
    SYNTHETIC_WAVES,
    WIDTH,
    Pool,
    Progress,
    learn_numbers,
    scores_of,
    seed_of,
)  # fmt: skip
from cspsim.calibration.calibration_file import Calibration
from cspsim.calibration.monthly_runs import Prior, simulate_sets
from cspsim.calibration.targets import observed_targets
from cspsim.model.parameters import Floats
from cspsim.running.outcomes import OUTCOMES

DATA_SETS_APART = 100 * WIDTH


class Recovery(NamedTuple):
    """How well planted values were recovered, ``[data set, number]`` each.

    Planted values, posterior medians, edges of the 50 and 90 % intervals ``[data set, number, edge]`` (5, 25, 75, 95 %),
    ranks (share of the posterior below the planted value), shrinkage.
    """

    names: tuple[str, ...]
    planted: Floats
    median: Floats
    edges: Floats
    ranks: Floats
    shrinkage: Floats

    def covered(self, share: float) -> Floats:
        """Whether the central interval that holds this share of the posterior holds the planted value ``[data set, number]``."""
        inside: Floats = (np.abs(self.ranks - 0.5) <= share / 2).astype(float)
        return inside

    def coverage(self, share: float) -> tuple[float, float]:
        """Share of all planted values in their interval, with its standard error from the spread between data sets."""
        by_set = self.covered(share).mean(axis=1)
        return float(by_set.mean()), float(by_set.std(ddof=1) / np.sqrt(len(by_set)))


def recover(calibration: Calibration, pool: Pool, threads: int | None = None, progress: Progress = None) -> Recovery:
    """Plant, simulate, learn and compare, as often as the budget says. ``pool``: the first wave, which has seen no data."""
    prior, wanted = Prior(calibration), calibration.data.budget.synthetic
    quantiles = prior.quantiles(wanted, seed_of(calibration, "planted"))
    data = simulate_sets(
        calibration, prior.sets(quantiles, seed_of(calibration, "planted others")), SYNTHETIC_DATA, threads=threads, progress=progress
    )
    at = [list(OUTCOMES).index(name) for name in calibration.facts]
    generator = np.random.default_rng(seed_of(calibration, "error of targets"))
    found = []
    for k in range(wanted):
        bare = observed_targets(calibration, data.recorded[k].astype(float), data.outcomes[k, at])
        targets = [target._replace(value=target.value + target.tolerance * generator.normal()) for target in bare]
        start = SYNTHETIC_WAVES + k * DATA_SETS_APART
        found.append(learn_numbers(calibration, pool, targets, f"synthetic {k}", start, threads, progress))
    values = np.array([posterior.values for posterior in found])
    planted = prior.values(quantiles)
    edges = np.quantile(values, (0.05, 0.25, 0.75, 0.95), axis=1).transpose(1, 2, 0)
    below = np.array([(posterior.scores < scores).mean(axis=0) for posterior, scores in zip(found, scores_of(quantiles), strict=True)])
    shrinkage = np.array([posterior.shrinkage for posterior in found])
    return Recovery(tuple(prior.names), planted, np.median(values, axis=1), edges, below, shrinkage)
