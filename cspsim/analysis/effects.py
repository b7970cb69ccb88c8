"""Each policy's paired effect in a sweep: how well the runs pin it down, and how it moves across assumption sets."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import stdtr, stdtrit

from cspsim.analysis.answer_cost import smallest_of_interest, variance_components
from cspsim.analysis.swept import replicate_values
from cspsim.comparing.comparison import DETECTABLE, EXPLORATORY, PRIMARY, Finding
from cspsim.comparing.differences import CONFIDENCE_LEVEL, holm, range_over, verdict_of
from cspsim.model.parameters import Floats, Integers
from cspsim.running.outcomes import OUTCOMES

if TYPE_CHECKING:
    from cspsim.sweep.stored_results import SweepResults


class Swept(NamedTuple):
    """One outcome of a sweep, replicate by replicate.

    Attributes:
        values, effects: what each replicate says of the outcome and of each policy's paired effect ``[policy, set, replicate]``.
        against: ``[policy]`` the policy that an effect is taken against.
        best_guess: whether the first set is the best guesses; the others are sampled.
        luck_design: whether the replicates are rows of a design of luck (the independent ones, in the place of best guesses).
    """

    values: Floats
    effects: Floats
    against: Integers
    best_guess: bool
    luck_design: bool

    @property
    def sampled(self) -> Floats:
        """Mean effects ``[policy, set]`` over luck in the sampled sets; none with a design of luck or without samples."""
        return over_luck(self.effects)[:, int(self.best_guess) :]

    def point(self, policy: int, array: Floats) -> Floats:
        """Independent draws ``[draw]`` of ``array`` for a policy: at the best guesses, else means over all sets, else sets."""
        rows = array[policy]
        if self.best_guess:
            return rows[0]
        return rows.mean(axis=0) if rows.shape[1] > 1 else rows[:, 0]


def over_luck(array: Floats) -> Floats:
    """Means over the replicates that are there ``[policy, set]``; not-a-number where none is."""
    there = ~np.isnan(array)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(there, array, 0.0).sum(axis=2) / there.sum(axis=2)


def swept_of(results: "SweepResults", outcome: str) -> Swept:
    """One outcome of a finished sweep. Raises CspsimError for an outcome that is not stored."""
    values, effects = replicate_values(results, outcome)
    luck = results.designs["luck"]
    by_luck = luck["kind"] == "saltelli"
    if by_luck:
        rows = independent_rows(values.shape[2], int(luck["base"]))
        values, effects = values[:, :, rows], effects[:, :, rows]
    best_guess = by_luck or bool(results.designs["uncertainties"].get("first", 1))
    against = results.policies["against"].to_numpy(dtype=np.int64)
    return Swept(values, effects, against, best_guess, by_luck)


def independent_rows(rows: int, base: int) -> Integers:
    """First and last row of each sample of a Saltelli design; those between repeat their numbers."""
    step = rows // base
    starts = np.arange(base) * step
    found: Integers = np.sort(np.concatenate([starts, starts + step - 1]))
    return found


def policy_findings(results: "SweepResults", primary: str, policies: Sequence[int]) -> list[Finding]:
    """Each policy's effect on the primary outcome, then on the others, which share one family of exploratory looks (Holm)."""
    order = [primary, *(name for name in results.outcomes if name != primary)]
    swept = {name: swept_of(results, name) for name in order}
    names = list(results.policies["name"])
    found = []
    for policy in policies:
        rows = [finding_of(swept[name], name, policy, str(names[policy])) for name in order]
        p_holm = [rows[0].p_value, *holm(np.array([row.p_value for row in rows[1:]]))]
        role = [PRIMARY] + [EXPLORATORY] * (len(rows) - 1)
        found += [row._replace(p_holm=float(p), role=r) for row, p, r in zip(rows, p_holm, role, strict=True)]
    return found


def finding_of(swept: Swept, outcome: str, policy: int, name: str) -> Finding:
    """One policy's effect on one outcome: the t interval over independent draws, the range over sampled assumption sets."""
    draws = swept.point(policy, swept.effects)
    draws = draws[~np.isnan(draws)]
    runs = len(draws)
    difference = float(draws.mean()) if runs else np.nan
    error = float(draws.std(ddof=1)) / runs**0.5 if runs > 1 else np.nan
    half_width = float(stdtrit(runs - 1, (1 + CONFIDENCE_LEVEL) / 2)) * error if runs > 1 else np.nan
    with np.errstate(divide="ignore", invalid="ignore"):
        p_value = 1.0 if difference == 0 else float(2 * stdtr(runs - 1, -abs(np.float64(difference) / error))) if runs > 1 else np.nan
    baseline = _mean(swept.point(int(swept.against[policy]), swept.values))
    smallest = smallest_of_interest(outcome, baseline)
    over = range_over(swept.sampled[policy], difference)
    return Finding(
        scenario=name,
        outcome=outcome,
        baseline=baseline,
        value=_mean(swept.point(policy, swept.values)),
        difference=difference,
        ci_low=difference - half_width,
        ci_high=difference + half_width,
        replicates=runs,
        smallest_detectable=DETECTABLE * error,
        assumptions_low=over.low,
        assumptions_median=over.median,
        assumptions_high=over.high,
        same_sign_share=over.same_sign_share,
        verdict=verdict_of(difference, half_width, smallest, bool(runs and (draws == 0).all())),
        role=PRIMARY,
        p_value=p_value,
        p_holm=p_value,
        smallest_of_interest=smallest,
        unit=OUTCOMES[outcome].unit,
    )


def _mean(draws: Floats) -> float:
    there = draws[~np.isnan(draws)]
    return float(there.mean()) if there.size else np.nan


def luck_in_spread(swept: Swept, policy: int, shared: bool) -> float:
    """Share of the variance of a policy's effects between sampled sets that is luck left over within them (0 to 1).

    The range over assumption sets is wider than what assumptions do by that much. ``shared``: replicate r is the same luck in
    every set; what it does to all of them alike is no spread. Not-a-number with one replicate.
    """
    effects = swept.effects[policy, int(swept.best_guess) :]
    effects = effects[~np.isnan(effects).any(axis=1)]
    if effects.shape[0] < 3 or effects.shape[1] < 2:
        return np.nan
    parts = variance_components(effects, shared)
    luck = parts.own_luck / effects.shape[1]
    whole = luck + max(parts.assumptions, 0.0)
    return float(luck / whole) if whole > 0 else np.nan
