"""Morris screening: elementary effects along trajectories, with luck taken out and errors told apart."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from cspsim.analysis.noise import RESAMPLES, Estimate, crossed, estimate_of
from cspsim.basics.errors import CspsimError
from cspsim.model.parameters import Floats


class MorrisMeasures(NamedTuple):
    """Elementary effects of each factor ``[factor]``, in the outcome's unit over the factor's whole range.

    Attributes:
        mu: mean effect; its sign is the direction.
        mu_star: mean size of the effect. Luck cannot raise it: the sign of each effect is taken from the other replicates. It
            errs low where an effect is lost in luck, as ``uncorrected_mu_star`` errs high, so the truth lies between them.
        sigma_squared: variance of the effects over the other factors: interaction or curvature. Below 0: none to be seen.
        uncorrected_mu_star, uncorrected_sigma: the usual figures (as SALib's), luck included.
        trajectories, left_out: used, and left out because a run failed or the outcome was not defined.
        replicates: runs at each point.
    """

    names: tuple[str, ...]
    mu: Estimate
    mu_star: Estimate
    sigma_squared: Estimate
    uncorrected_mu_star: Floats
    uncorrected_sigma: Floats
    trajectories: int
    left_out: int
    replicates: int

    @property
    def sigma(self) -> Floats:
        """Standard deviation of the effects ``[factor]``, 0 where luck explains all of it."""
        return np.sqrt(np.maximum(self.sigma_squared.value, 0.0))


def morris_measures(
    values: Floats, sample: Floats, names: Sequence[str], levels: int = 4, resamples: int = RESAMPLES, seed: int = 1
) -> MorrisMeasures:
    """Measures of a Morris design.

    Args:
        values: ``[point, replicate]`` along the trajectories, as many points in each as there are factors, plus one.
        sample: ``[point, factor]``, in any scale that rises with the unit scale.
        names: the factors.
        levels: of the grid; a step is levels / (2 (levels - 1)) of a factor's range, as in SALib.
        resamples, seed: of the bootstrap over trajectories.

    Sources: Morris 1991 (Technometrics 33(2), 161-174), Campolongo, Cariboni and Saltelli 2007 (Environmental Modelling &
    Software 22(10), 1509-1518).

    Raises:
        CspsimError: points that form no trajectories, or fewer than two complete ones.
    """
    effects = elementary_effects(values, sample, levels)
    complete = ~np.isnan(effects).any(axis=(1, 2))
    used = effects[complete]
    if len(used) < 2:
        raise CspsimError(f"only {len(used)} of {len(effects)} trajectories are complete: a Morris analysis needs two and should have ten")
    count, factors = len(used), len(names)

    def statistic(mean: Floats) -> Floats:
        by_replicate = mean[..., 3 * factors :].reshape(*mean.shape[:-1], factors, -1)
        square = mean[..., 2 * factors : 3 * factors]
        variance = (square - crossed(by_replicate, by_replicate)) * count / (count - 1)
        return np.concatenate([mean[..., : 2 * factors], variance], axis=-1)

    found = estimate_of(used, _moments, statistic, resamples, seed)
    plain = used.mean(axis=-1)
    return MorrisMeasures(
        tuple(names),
        mu=found.part(slice(0, factors)),
        mu_star=found.part(slice(factors, 2 * factors)),
        sigma_squared=found.part(slice(2 * factors, 3 * factors)),
        uncorrected_mu_star=np.abs(plain).mean(axis=0),
        uncorrected_sigma=plain.std(axis=0, ddof=1),
        trajectories=count,
        left_out=len(effects) - count,
        replicates=values.shape[1],
    )


def elementary_effects(values: Floats, sample: Floats, levels: int = 4) -> Floats:
    """Change of the outcome over one step of each factor, divided by the step ``[trajectory, factor, replicate]``.

    Raises CspsimError where a trajectory does not move every factor exactly once, one at a time.
    """
    points, factors = sample.shape
    if not points or points % (factors + 1) or len(values) != points:
        raise CspsimError(
            f"{len(values):,} values at {points:,} points are no Morris design of {factors} factors: expected a multiple of {factors + 1}"
        )
    steps = np.diff(sample.reshape(-1, factors + 1, factors), axis=1)
    moved = steps != 0
    if not ((moved.sum(axis=2) == 1).all() and (moved.sum(axis=1) == 1).all()):
        raise CspsimError("these points are no Morris trajectories: each step must move one factor, and each factor must move once")
    step = levels / (2 * (levels - 1))
    changes = np.diff(values.reshape(-1, factors + 1, values.shape[1]), axis=1)
    changes *= np.sign(steps.sum(axis=2))[:, :, None] / step
    order = moved.argmax(axis=2)  # the factor that each step moves
    effects = np.empty(changes.shape)
    np.put_along_axis(effects, order[:, :, None], changes, axis=1)
    return effects


def _moments(effects: Floats) -> Floats:
    """Of each trajectory: effect, size by the others' sign, square, effect by replicate ``[trajectory, moment]``."""
    replicates = effects.shape[-1]
    total = effects.sum(axis=-1, keepdims=True)
    others = total - effects if replicates > 1 else effects
    size = (np.sign(others) * effects).mean(axis=-1)
    return np.concatenate([effects.mean(axis=-1), size, crossed(effects, effects), effects.reshape(len(effects), -1)], axis=1)
