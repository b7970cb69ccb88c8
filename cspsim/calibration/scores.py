"""Scores of forecasts that are samples: how good, and how honest about their own error."""

import numpy as np

from cspsim.model.parameters import Floats


def crps(sample: Floats, observed: Floats) -> Floats:
    """Continuous ranked probability score ``[...]`` of samples ``[member, ...]``, in the unit of what is forecast; less is better.

    mean |x - y| - mean |x - x'| / 2 over different members: fair, that is, its expectation does not depend on the number of members.
    Of a single value it is the absolute error. Source: Ferro 2014, Quarterly Journal of the Royal Meteorological Society 140(683).
    """
    members = len(sample)
    distance = np.abs(sample - observed).mean(axis=0)
    if members == 1:
        return np.asarray(distance)
    rank = 2 * np.arange(1, members + 1) - members - 1
    spread = np.tensordot(rank, np.sort(sample, axis=0), axes=(0, 0)) / (members * (members - 1))
    return np.asarray(distance - spread)


def within(sample: Floats, observed: Floats, share: float) -> "np.ndarray":
    """Whether the central band that holds this share of the members holds what was observed ``[...]``."""
    low, high = np.quantile(sample, (0.5 - share / 2, 0.5 + share / 2), axis=0)
    return np.asarray((low <= observed) & (observed <= high))
