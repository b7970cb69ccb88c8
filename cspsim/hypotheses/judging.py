"""Stated claims against paired runs: supported, refuted or undecided, by tests against the smallest effect of interest.

All of it is statistics on arrays with one column for each hypothesis; this module does not know which runs they are. Every test
is one paired comparison with the reference *moved* by exactly the smallest effect of interest, so that a stated effect
and a stated margin go through the same lines, and the noise of a relative margin counts.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv, stdtr

from cspsim.comparing.differences import Parts, holm, paired_estimate
from cspsim.model.parameters import Floats

Booleans = npt.NDArray[np.bool_]

SUPPORTED, REFUTED, UNDECIDED, UNDEFINED = "supported", "refuted", "undecided", "not defined"
DISAPPEARS, REMAINS, REVERSES, BREAKS = "disappears", "remains", "reverses", "breaks"
STILL_SMALL, STILL_OPPOSITE = "small without it too", "the opposite remains"
THE_OPPOSITE = "the opposite holds"
BUILT_IN, RULED_OUT = "built in, not evidence", "ruled out by construction, not evidence"
BUILT_IN_SHARE = 0.99
"""From this share of assumption sets on a claim follows from how the model was built, whatever nobody knows."""

ROUNDING = 1e-12
"""Share of a value below which a difference without noise is one of rounding: (0 + 0.01 x 3) / 3 is not quite 0.01."""

HIGHER, LOWER, SAME = 1, -1, 0
DIRECTIONS = {"higher": HIGHER, "lower": LOWER, "same": SAME}


class Claims(NamedTuple):
    """What is claimed of the treatment against the reference, each field ``[hypothesis]``.

    ``direction``: 1 higher, -1 lower, 0 the same. ``smallest``: the smallest effect of interest (of a claim of sameness:
    the margin), a share of the reference's value where ``relative``, else in the outcome's own unit.
    """

    direction: npt.NDArray[np.int64]
    smallest: Floats
    relative: Booleans

    def pick(self, columns: Sequence[int]) -> "Claims":
        """The claims of some hypotheses."""
        chosen = list(columns)
        return Claims(self.direction[chosen], self.smallest[chosen], self.relative[chosen])


class Judged(NamedTuple):
    """Claims after the runs, each field ``[hypothesis]``; ``smallest`` is in the outcome's unit."""

    reference: Floats
    treatment: Floats
    effect: Floats
    half_width: Floats
    smallest: Floats
    p_support: Floats
    p_refute: Floats
    p_opposite: Floats
    p_small: Floats


def moved(parts: Parts, by: Floats, relative: Booleans) -> Parts:
    """The same runs with every column's value raised by ``by``: times its size where ``relative``, else in its unit.

    A ratio of sums N / D is raised by b as (N + b D) / D, and by a share b of its size as N (1 + b sign) / D.
    """
    with np.errstate(invalid="ignore"):
        times = np.where(relative, 1 + by * np.sign(parts.value), 1.0)
    plus = np.where(relative, 0.0, by)
    return Parts(parts.numerator * times + plus * parts.denominator, parts.denominator)


def p_above(reference: Parts, treatment: Parts) -> Floats:
    """One-sided p-values against "the treatment's value is at most the reference's"; 1 where they are the same exactly."""
    estimate = paired_estimate(reference, treatment)
    runs = reference.numerator.shape[0]
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = estimate.difference / estimate.standard_error
    size = ROUNDING * np.maximum(np.abs(estimate.baseline), np.abs(estimate.value))
    same = (np.abs(estimate.difference) <= size) & (estimate.standard_error <= size)
    statistic = np.where(same, -np.inf, statistic)
    return np.where(np.isnan(estimate.difference), np.nan, stdtr(runs - 1, -statistic))


def judge(claims: Claims, reference: Parts, treatment: Parts) -> Judged:
    """P-values of every claim from two arms ``[run, hypothesis]`` on the same luck (or, in null runs, on other luck).

    Support of a direction: the effect is confidently beyond the smallest effect of interest. Refutation: it is confidently
    short of it. Support of sameness: both one-sided tests place it inside the margins (TOST, Schuirmann 1987, Journal of
    Pharmacokinetics and Biopharmaceutics 15, 657-680). Refutation: it is outside one of them, at half the level each.
    """
    up, down = (moved(reference, sign * claims.smallest, claims.relative) for sign in (1, -1))
    over_up, under_up = p_above(up, treatment), p_above(treatment, up)
    over_down, under_down = p_above(down, treatment), p_above(treatment, down)
    inside, outside = np.maximum(over_down, under_up), np.minimum(1.0, 2 * np.minimum(over_up, under_down))
    choices = [claims.direction == HIGHER, claims.direction == LOWER]
    estimate = paired_estimate(reference, treatment)
    size = np.where(claims.relative, claims.smallest * np.abs(estimate.baseline), claims.smallest)
    return Judged(
        reference=estimate.baseline,
        treatment=estimate.value,
        effect=estimate.difference,
        half_width=estimate.half_width,
        smallest=size,
        p_support=np.select(choices, [over_up, under_down], inside),
        p_refute=np.select(choices, [under_up, over_down], outside),
        p_opposite=np.select(choices, [under_down, over_up], outside),
        p_small=inside,
    )


def verdicts(judged: Judged, significance: float, family: bool = True) -> list[str]:
    """One word for each claim; ``family``: supports, and refutations, are each corrected for many tests after Holm.

    So the chance of any wrong support in a file is at most ``significance``, and so is that of any wrong refutation.
    """
    support, refute = (holm(p) if family else p for p in (judged.p_support, judged.p_refute))
    words = np.full(support.shape, UNDECIDED, dtype=object)
    words[refute <= significance] = REFUTED
    words[support <= significance] = SUPPORTED
    words[np.isnan(judged.effect)] = UNDEFINED
    return [str(word) for word in words]


def manner_of(judged: Judged, column: int, verdict: str, direction: int, significance: float) -> str:
    """How a claim was refuted: the opposite holds, or the effect is too small to matter; empty where neither is sure."""
    if verdict != REFUTED:
        return ""
    if direction == SAME:
        return "higher" if judged.effect[column] > 0 else "lower"
    if judged.p_opposite[column] <= significance:
        return THE_OPPOSITE
    return "smaller than matters" if judged.p_small[column] <= significance else "smaller than stated"


def without_mechanism(judged: Judged, column: int, direction: int, manner: str, significance: float) -> str:
    """What is left of an effect with its mechanism switched off, in a few words.

    It *disappears* if it is confidently inside the margins of what matters, *remains* if it is confidently beyond in the
    stated direction, *reverses* if beyond in the other; a claim of sameness *remains* or *breaks*. ``manner``: how the claim
    was refuted with the mechanism on, if it was; then it is that which remains or disappears.
    """
    beyond, outside, inside = (p[column] <= significance for p in (judged.p_support, judged.p_opposite, judged.p_small))
    if np.isnan(judged.effect[column]):
        return UNDEFINED
    if direction == SAME:
        return (DISAPPEARS if manner else REMAINS) if inside else (REMAINS if manner else BREAKS) if outside else UNDECIDED
    if beyond:
        return REMAINS
    if inside:
        return STILL_SMALL if manner and manner != THE_OPPOSITE else DISAPPEARS
    if outside:
        return STILL_OPPOSITE if manner == THE_OPPOSITE else REVERSES
    return UNDECIDED


class Shares(NamedTuple):
    """One claim over assumption sets: in how many it holds, has the stated sign, and how far the effect moves."""

    defined: int
    holds: float
    holds_low: float
    holds_high: float
    same_sign: float
    low: float
    median: float
    high: float

    @property
    def label(self) -> str:
        """Whether the result follows from how the model was built."""
        if self.holds >= BUILT_IN_SHARE:
            return BUILT_IN
        return RULED_OUT if self.holds <= 1 - BUILT_IN_SHARE else ""


def shares_over_sets(direction: int, smallest: float, relative: bool, reference: Floats, treatment: Floats) -> Shares:
    """One claim judged by its point estimate in every assumption set, from values ``[set]`` of both arms.

    Intervals are binomial (Clopper and Pearson), as if sets were independent draws; a Latin hypercube errs less than that.
    """
    defined = ~(np.isnan(reference) | np.isnan(treatment))
    effect = (treatment - reference)[defined]
    margin = smallest * np.abs(reference[defined]) if relative else np.full(effect.shape, smallest)
    holds = np.abs(effect) < margin if direction == SAME else direction * effect > margin
    sign = effect == 0 if direction == SAME else direction * effect > 0
    if not effect.size:
        return Shares(0, *[float("nan")] * 7)
    low, high = binomial_interval(int(holds.sum()), holds.size)
    spread = (float(value) for value in np.quantile(effect, (0.05, 0.5, 0.95)))
    return Shares(int(holds.size), float(holds.mean()), low, high, float(sign.mean()), *spread)


def binomial_interval(found: int, of: int, level: float = 0.95) -> tuple[float, float]:
    """The exact interval of a share (Clopper and Pearson 1934, Biometrika 26, 404-413)."""
    tail = (1 - level) / 2
    low = float(betaincinv(found, of - found + 1, tail)) if found > 0 else 0.0
    high = float(betaincinv(found + 1, of - found, 1 - tail)) if found < of else 1.0
    return low, high
