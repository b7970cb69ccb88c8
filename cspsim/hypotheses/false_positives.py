"""How often the machinery finds what is not there: a scenario against itself, on luck that the two sides do not share.

On the same luck a scenario differs from itself by exactly nothing, so a false positive cannot occur there. Here each trial
takes two disjoint blocks of replicates of one scenario and sends them through the very code that judges hypotheses.
"""

from typing import NamedTuple

import numpy as np

from cspsim.comparing.differences import Parts
from cspsim.hypotheses.judging import REFUTED, SAME, SUPPORTED, Booleans, Claims, binomial_interval, judge, moved, verdicts

BLOCK = 20
"""Runs of each side of a trial."""


class Rate(NamedTuple):
    """A share of trials with its exact 95 % interval, beside what it should be (``at_most``: or less)."""

    name: str
    meaning: str
    found: int
    trials: int
    nominal: float
    at_most: bool

    @property
    def rate(self) -> float:
        """The share of trials in which something was found."""
        return self.found / self.trials

    @property
    def interval(self) -> tuple[float, float]:
        """The exact interval after Clopper and Pearson."""
        return binomial_interval(self.found, self.trials)

    @property
    def compatible(self) -> bool:
        """Whether the interval is compatible with the nominal level."""
        low, high = self.interval
        return low <= self.nominal and (self.at_most or high >= self.nominal)


class FalsePositives(NamedTuple):
    """Rates of wrong findings over all trials; ``by_hypothesis``: trials in which each one's own test, margin zero, was wrong."""

    trials: int
    block: int
    rates: tuple[Rate, ...]
    by_hypothesis: tuple[int, ...]


def false_positive_runs(trials: int) -> int:
    """Runs of one scenario that this number of trials needs."""
    return 2 * BLOCK * trials


def measure_false_positives(claims: Claims, parts: Parts, trials: int, significance: float) -> FalsePositives:
    """Judge every claim in every trial, from runs ``[run, hypothesis]`` of one scenario: 2 x ``BLOCK`` for each trial.

    A single test is counted for one hypothesis in each trial, taking turns, so that trials are independent of each other.
    """
    blocks = [Parts(parts.numerator[rows], parts.denominator[rows]) for rows in np.split(np.arange(2 * BLOCK * trials), 2 * trials)]
    done = [_trial(claims, blocks[2 * k], blocks[2 * k + 1], significance) for k in range(trials)]
    turns = [k % len(claims.direction) for k in range(trials)]

    def rate(name: str, meaning: str, found: list[bool], at_most: bool = True) -> Rate:
        return Rate(name, meaning, sum(found), trials, significance, at_most)

    alone = [bool(one.at_zero[turn]) for one, turn in zip(done, turns, strict=True)]
    on_edge = [bool(one.on_edge[turn]) for one, turn in zip(done, turns, strict=True)]
    rates = (
        rate("one test, margin zero", "no difference: one hypothesis, alone, with a margin of zero, finds one", alone, False),
        rate("whole file, margin zero", "no difference: any hypothesis finds one, after Holm", [one.any_at_zero for one in done]),
        rate("one test, effect on the edge", "exactly the smallest effect of interest: one hypothesis, alone, finds more", on_edge),
        rate(
            "whole file, effects on the edge",
            "the same: any hypothesis finds more, after Holm",
            [one.any_on_edge for one in done],
        ),
        rate(
            "whole file, as stated",
            "no difference: any hypothesis finds the one it states, after Holm",
            [one.any_as_stated for one in done],
        ),
    )
    by_hypothesis = np.sum([one.at_zero for one in done], axis=0)
    return FalsePositives(trials, BLOCK, rates, tuple(int(count) for count in by_hypothesis))


class _Trial(NamedTuple):
    """What was wrongly found in one trial: by each hypothesis alone ``[hypothesis]``, and by any after Holm."""

    at_zero: Booleans
    any_at_zero: bool
    on_edge: Booleans
    any_on_edge: bool
    any_as_stated: bool


def _trial(claims: Claims, reference: Parts, treatment: Parts, significance: float) -> _Trial:
    """One trial under three truths. Without a difference a claim of sameness is wrong when it is refuted, others when supported."""
    same = claims.direction == SAME
    wrong = np.where(same, REFUTED, SUPPORTED)
    at_zero = judge(claims._replace(smallest=np.zeros(same.shape)), reference, treatment)
    planted = np.where(same, 1, claims.direction) * claims.smallest
    on_edge = judge(claims, reference, moved(treatment, planted, claims.relative))
    as_stated = verdicts(judge(claims, reference, treatment), significance)
    return _Trial(
        at_zero=np.array(verdicts(at_zero, significance, family=False)) == wrong,
        any_at_zero=bool((np.array(verdicts(at_zero, significance)) == wrong).any()),
        on_edge=np.array(verdicts(on_edge, significance, family=False)) == SUPPORTED,
        any_on_edge=SUPPORTED in verdicts(on_edge, significance),
        any_as_stated=bool((~same & (np.array(as_stated) == SUPPORTED)).any()),
    )
