"""Main effects and interactions of levers where every combination of their levels was run, paired with the baseline.

The interval of an effect says how well replicates pin it down; the range over assumption sets says how it moves with the
uncertain numbers. They are never added up.
"""

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
from scipy.special import stdtr, stdtrit

from cspsim.analysis.noise import Estimate, crossed, estimate_of
from cspsim.basics.errors import CspsimError
from cspsim.comparing.differences import CONFIDENCE_LEVEL, holm, range_over
from cspsim.model.parameters import Floats

LEVEL, MAIN, INTERACTION = "level", "main", "interaction"


class Contrast(NamedTuple):
    """A weighted sum of policies' effects that answers one question; ``weights`` ``[policy]``."""

    kind: str
    lever: str
    level: float
    other_lever: str
    other_level: float
    weights: Floats


class LeverEffect(NamedTuple):
    """One contrast with its interval over replicates and its range over assumption sets.

    ``kind``: "level" is the mean effect against the baseline of all policies with the lever at this level; "main" is that less
    the same at the lever's lowest level; "interaction" is how much more (or less) the level does with the other lever at its
    level than with the other at its lowest. ``p_holm`` is adjusted over all contrasts of the same kind.
    """

    kind: str
    lever: str
    level: float
    other_lever: str
    other_level: float
    effect: float
    ci_low: float
    ci_high: float
    p_value: float
    p_holm: float
    assumptions_low: float
    assumptions_median: float
    assumptions_high: float
    same_sign_share: float
    replicates: int


def lever_effects(effects: Floats, settings: Floats, names: Sequence[str], best_guess: bool = True) -> list[LeverEffect]:
    """Every level, main effect and two-lever interaction of a full factorial design.

    Args:
        effects: ``[policy, assumptions, replicate]`` paired differences with the baseline. A replicate in which a run of any
            policy failed is left out.
        settings: ``[policy, lever]``.
        names: the levers.
        best_guess: whether the first assumption set is the best guesses: effects are then of this set and their range is over
            the others. Otherwise effects are means over all sets. A set's own figure carries the noise of its replicates.

    Raises CspsimError when not every combination of levels is there the same number of times.
    """
    contrasts = contrasts_of(settings, names)
    by_set = np.einsum("cp,psr->csr", np.array([contrast.weights for contrast in contrasts]), effects)
    point = by_set[:, 0] if best_guess else by_set.mean(axis=1)
    point = point[:, ~np.isnan(point).any(axis=0)]
    others = np.nanmean(by_set[:, 1:] if best_guess else by_set, axis=2) if by_set.shape[1] > 1 else np.empty((len(contrasts), 0))
    mean, half_width, p_value = _interval(point)
    p_holm = np.full(len(contrasts), np.nan)
    for kind in (LEVEL, MAIN, INTERACTION):
        own = np.array([contrast.kind == kind for contrast in contrasts])
        p_holm[own] = holm(p_value[own])
    return [
        LeverEffect(
            *contrast[:5],
            float(mean[k]),
            float(mean[k] - half_width[k]),
            float(mean[k] + half_width[k]),
            float(p_value[k]),
            float(p_holm[k]),
            *range_over(others[k], float(mean[k])),
            point.shape[1],
        )
        for k, contrast in enumerate(contrasts)
    ]


def _interval(values: Floats) -> tuple[Floats, Floats, Floats]:
    """Mean, half the 95 % t interval and p-value of each row ``[contrast, replicate]``."""
    runs = values.shape[1]
    if runs < 2:
        nothing = np.full(len(values), np.nan)
        return values.mean(axis=1) if runs else nothing, nothing, nothing
    mean, error = values.mean(axis=1), values.std(axis=1, ddof=1) / np.sqrt(runs)
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = np.where(mean == 0, 0.0, np.abs(mean) / error)
    return mean, stdtrit(runs - 1, (1 + CONFIDENCE_LEVEL) / 2) * error, 2 * stdtr(runs - 1, -statistic)


def contrasts_of(settings: Floats, names: Sequence[str]) -> list[Contrast]:
    """All contrasts of a full factorial design; the lowest level of each lever is what the others are compared with."""
    levels = [np.unique(column) for column in settings.T]
    _check_complete(settings, levels)

    def mean_of(*chosen: tuple[int, float]) -> Floats:
        there = np.all([settings[:, lever] == level for lever, level in chosen], axis=0)
        return there / there.sum()

    found = []
    for j, name in enumerate(names):
        low = mean_of((j, levels[j][0]))
        found += [Contrast(LEVEL, name, float(level), "", np.nan, mean_of((j, level))) for level in levels[j]]
        found += [Contrast(MAIN, name, float(level), "", np.nan, mean_of((j, level)) - low) for level in levels[j][1:]]
    for j, k in combinations(range(len(names)), 2):
        for level in levels[j][1:]:
            for other in levels[k][1:]:
                with_other = mean_of((j, level), (k, other)) - mean_of((j, levels[j][0]), (k, other))
                without = mean_of((j, level), (k, levels[k][0])) - mean_of((j, levels[j][0]), (k, levels[k][0]))
                found.append(Contrast(INTERACTION, names[j], float(level), names[k], float(other), with_other - without))
    return found


def _check_complete(settings: Floats, levels: Sequence[Floats]) -> None:
    _, counts = np.unique(settings, axis=0, return_counts=True)
    wanted = int(np.prod([len(values) for values in levels]))
    if len(counts) != wanted or len(set(counts.tolist())) != 1 or np.isnan(settings).any():
        raise CspsimError(
            f"{len(counts)} of {wanted} combinations of levels were run, or not all equally often: "
            "means by level would mix levers up; use the regression of a sampled design"
        )


def lever_shares(values: Floats, settings: Floats, names: Sequence[str]) -> tuple[list[str], Estimate]:
    """Analysis of variance: the share of the variance between policies that each lever and each pair brings, and the rest.

    ``values`` ``[policy, replicate]``. Luck is taken out of every share by products between different replicates
    (``noise.crossed``), and the interval is the jackknife's over replicates: the design is complete, not a sample. A pair is
    called "a x b"; with three levers and more the last share is "higher orders".
    """
    _check_complete(settings, [np.unique(column) for column in settings.T])
    same = [settings[:, None, j] == settings[None, :, j] for j in range(len(names))]
    averages = [matrix / matrix.sum(axis=1) for matrix in same]
    everything = np.full((len(settings), len(settings)), 1 / len(settings))
    parts = [average - everything for average in averages]
    labels = list(names)
    for j, k in combinations(range(len(names)), 2):
        both = same[j] & same[k]
        parts.append(both / both.sum(axis=1) - averages[j] - averages[k] + everything)
        labels.append(f"{names[j]} x {names[k]}")
    complete = values[:, ~np.isnan(values).any(axis=0)]

    def moments(some: Floats) -> Floats:
        whole = some - some.mean(axis=0)
        pieces = [part @ some for part in parts]
        if len(names) > 2:
            pieces.append(whole - np.sum(pieces, axis=0))
        return np.stack([crossed(piece, piece) for piece in (*pieces, whole)], axis=1)

    def statistic(mean: Floats) -> Floats:
        with np.errstate(divide="ignore", invalid="ignore"):
            return mean[..., :-1] / np.where(mean[..., -1:] > 0, mean[..., -1:], np.nan)

    labels += ["higher orders"] if len(names) > 2 else []
    return labels, estimate_of(complete, moments, statistic, resamples=0)
