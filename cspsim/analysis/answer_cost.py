"""Cost of an answer: how many replicates, and how many assumption sets, a difference worth knowing needs, from a pilot."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import chdtri, ndtri

from cspsim.analysis.noise import jackknife_error
from cspsim.analysis.swept import replicate_values
from cspsim.comparing.comparison import DETECTABLE
from cspsim.comparing.differences import CONFIDENCE_LEVEL
from cspsim.model.parameters import Floats
from cspsim.running.outcomes import OUTCOMES
from cspsim.running.results import AREA

if TYPE_CHECKING:
    import pandas as pd

    from cspsim.sweep.stored_results import SweepResults

FEWEST = 2
"""No answer without an interval, no interval without two replicates."""


class AnswerCost(NamedTuple):
    """What it takes to detect a difference of ``smallest`` between a policy and the baseline four times in five.

    Attributes:
        difference, spread: mean and standard deviation of the paired difference between replicates, in the pilot.
        smallest: the difference to be detected, in the outcome's unit.
        replicates, replicates_low, replicates_high: needed of each arm, with the 95 % interval that the pilot's size leaves.
        seconds: time for both arms.
        gain, gain_low, gain_high: how many times the runs the same answer would need without shared luck.
        pilot: replicates the pilot had.
    """

    difference: float
    spread: float
    smallest: float
    replicates: float
    replicates_low: float
    replicates_high: float
    seconds: float
    gain: float
    gain_low: float
    gain_high: float
    pilot: int


def answer_cost(baseline: Floats, policy: Floats, smallest: float, seconds_per_run: float = np.nan) -> AnswerCost:
    """Replicates needed for a difference of ``smallest``, from a pilot ``[replicate]`` of both arms on the same luck.

    They are (2.8 s / smallest)^2, with s the standard deviation of the paired difference and 2.8 as in ``comparison``; their
    interval comes from the chi-square interval of s. The gain of pairing is (variance of one arm + variance of the other) over
    the variance of the paired difference, its interval the jackknife's on the logarithm.

    Raises ValueError for a pilot of fewer than three complete replicates, or a smallest difference that is not above 0.
    """
    present = ~(np.isnan(baseline) | np.isnan(policy))
    before, after = baseline[present], policy[present]
    runs = len(before)
    if runs < 3 or not smallest > 0:
        raise ValueError(f"{runs} complete replicates and a smallest difference of {smallest}: expected 3 or more, and more than 0")
    spread = float((after - before).std(ddof=1))
    tail = (1 - CONFIDENCE_LEVEL) / 2
    ends = [spread * float(np.sqrt((runs - 1) / chdtri(runs - 1, share))) for share in (tail, 1 - tail)]
    needed, low, high = (max(float(FEWEST), float(np.ceil((DETECTABLE * s / smallest) ** 2))) for s in (spread, *ends))
    gains = _gain(before, after), *_gain_interval(before, after)
    return AnswerCost(float((after - before).mean()), spread, smallest, needed, low, high, 2 * needed * seconds_per_run, *gains, runs)


def smallest_of_interest(outcome: str, baseline: float) -> float:
    """The registered smallest difference anybody should care about, in the outcome's unit; 0 where the baseline is 0."""
    entry = OUTCOMES[outcome]
    return entry.smallest * (abs(baseline) if entry.smallest_is == "relative" else 1.0)


def _gain(before: Floats, after: Floats) -> float:
    paired = float((after - before).var(ddof=1))
    apart = float(before.var(ddof=1) + after.var(ddof=1))
    return apart / paired if paired > 0 else (np.inf if apart > 0 else 1.0)


def _gain_interval(before: Floats, after: Floats) -> tuple[float, float]:
    without = np.array([_gain(np.delete(before, r), np.delete(after, r)) for r in range(len(before))])
    if not np.isfinite(without).all():
        return np.nan, np.nan
    width = float(ndtri((1 + CONFIDENCE_LEVEL) / 2) * jackknife_error(np.log(without)))
    gain = _gain(before, after)
    return gain * float(np.exp(-width)), gain * float(np.exp(width))


class Components(NamedTuple):
    """Variance of single paired differences: between assumption sets, of luck all sets share, of luck that meets each set apart.

    Estimates below 0 are sampling error and are left as they are.
    """

    assumptions: float
    shared_luck: float
    own_luck: float


def variance_components(differences: Floats, shared: bool) -> Components:
    """Components from paired differences ``[set, replicate]``; ``shared``: replicate r is the same luck in every set.

    Expected mean squares of the two-way random layout, or of the nested one (Searle, Casella and McCulloch 1992, Variance
    Components, chapters 3 and 4). Sets with a failed run are left out.

    Raises ValueError for fewer than two complete sets or replicates.
    """
    complete = differences[~np.isnan(differences).any(axis=1)]
    sets, runs = complete.shape
    if sets < 2 or runs < 2:
        raise ValueError(f"{sets} complete sets of {runs} replicates: expected 2 or more of both")
    between = runs * float(complete.mean(axis=1).var(ddof=1))
    if not shared:
        within = float(complete.var(axis=1, ddof=1).mean())
        return Components((between - within) / runs, 0.0, within)
    residual = complete - complete.mean(axis=1, keepdims=True) - complete.mean(axis=0) + complete.mean()
    own = float((residual**2).sum()) / ((sets - 1) * (runs - 1))
    common = sets * float(complete.mean(axis=0).var(ddof=1))
    return Components((between - own) / runs, (common - own) / sets, own)


class Allocation(NamedTuple):
    """The cheapest way to reach a standard error: numbers of assumption sets and of replicates of each, and ``runs`` of each arm."""

    sets: int
    replicates: int
    runs: int
    standard_error: float


def allocation(components: Components, smallest: float, shared: bool, set_up: float = 0.0, most: int = 10_000) -> Allocation:
    """Sets and replicates that pin the mean effect over assumptions down to ``smallest`` / 2.8 with the least work.

    The error's variance is assumptions / sets + shared luck / replicates + own luck / (sets x replicates); with fresh luck for
    every set (``shared`` False) the shared part counts as own. ``set_up`` is the work of laying out a set, in runs. Two-stage
    sampling as in Cochran 1977, Sampling Techniques, 3rd ed., section 10.6. With fresh luck and no set-up it is one replicate a
    set, always. Where ``most`` replicates do not suffice, ``most`` are given and the error says so.
    """
    assumptions, common, own = (max(part, 0.0) for part in components)
    if not shared:
        common, own = 0.0, own + common
    wanted = (smallest / DETECTABLE) ** 2
    replicates = np.unique(np.geomspace(1, most, 400).astype(int))
    left = wanted - common / replicates
    with np.errstate(divide="ignore", invalid="ignore"):
        sets = np.where(left > 0, np.maximum(1, np.ceil((assumptions + own / replicates) / left * (1 - 1e-12))), np.inf)
    work = sets * (set_up + replicates)
    best = int(np.argmin(work)) if np.isfinite(work).any() else len(replicates) - 1
    count = int(sets[best]) if np.isfinite(sets[best]) else most
    runs = int(replicates[best])
    error = float(np.sqrt(assumptions / count + common / runs + own / (count * runs)))
    return Allocation(count, runs, count * runs, error)


def cost_table(
    results: "SweepResults", outcomes: Sequence[str], seconds_per_run: float = np.nan, partnership: str = AREA
) -> "pd.DataFrame":
    """One row per outcome and policy, with a sweep as pilot: replicates at its first assumption set, allocation over all of them.

    ``sets`` and ``replicates_per_set`` pin the mean effect over assumptions down as well, under the sweep's own way of sharing
    luck between sets; ``runs_fresh`` is what the cheapest allocation with fresh luck for every set needs of each arm.
    Differences of interest are the registered ones. Left out are policies with fewer than three replicates.
    """
    import pandas as pd

    first = int((results.designs.get("uncertainties") or {}).get("first", 1))  # best guesses are no sample
    shared = bool(results.manifest["replicates_share_luck_between_sets"])
    rows = []
    for outcome in outcomes:
        values, effects = replicate_values(results, outcome, partnership)
        against = results.cells(outcome, partnership).against
        for policy, name in enumerate(results.policies["name"]):
            before, after = values[against[policy], 0], values[policy, 0]
            smallest = smallest_of_interest(outcome, float(np.nanmean(before))) if (~np.isnan(before)).any() else np.nan
            if policy == against[policy] or (~np.isnan(after - before)).sum() < 3 or not smallest > 0:
                continue
            cost = answer_cost(before, after, smallest, seconds_per_run)
            rows.append((outcome, str(name), *cost, *_over_sets(effects[policy, first:], smallest, shared)))
    over = ["assumptions_variance", "shared_luck_variance", "own_luck_variance", "sets", "replicates_per_set", "runs_fresh"]
    return pd.DataFrame(rows, columns=["outcome", "policy", *AnswerCost._fields, *over])


def _over_sets(differences: Floats, smallest: float, shared: bool) -> tuple[float, ...]:
    """Components of variance and the cheapest allocation; not-a-number where there are too few sets or replicates."""
    if (~np.isnan(differences).any(axis=1)).sum() < 2 or differences.shape[1] < 2:
        return (np.nan,) * 6
    components = variance_components(differences, shared)
    own, fresh = (allocation(components, smallest, way) for way in (shared, False))
    return (*components, float(own.sets), float(own.replicates), float(fresh.runs))
