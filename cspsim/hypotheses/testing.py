"""The hypotheses of a file run and judged: effect, verdict, share of assumption sets, mechanism, null worlds, false positives."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from cspsim.basics.limits import EstimatedWork, work_of
from cspsim.comparing.differences import Parts, holm, parts_of
from cspsim.hypotheses.arms import Progress, Runs, distinct
from cspsim.hypotheses.false_positives import FalsePositives, false_positive_runs, measure_false_positives
from cspsim.hypotheses.hypothesis_file import Hypothesis, HypothesisFile, Pair
from cspsim.hypotheses.hypothesis_schema import Stated
from cspsim.hypotheses.identities import RUNS, Identity, check_identities, identity_runs
from cspsim.hypotheses.judging import (
    DIRECTIONS,
    Judged,
    Shares,
    judge,
    manner_of,
    shares_over_sets,
    verdicts,
    without_mechanism,
)
from cspsim.model.parameters import Floats
from cspsim.running.outcomes import OUTCOMES
from cspsim.scenario.scenario import Scenario
from cspsim.scenario.world_building import size_of

EXACT, BROKEN = "exactly zero", "broken"


class Effect(NamedTuple):
    """A paired difference, treatment less reference, with its 95 % interval over runs."""

    effect: float
    low: float
    high: float


class TestedHypothesis(NamedTuple):
    """The result for one hypothesis. ``smallest`` is in the outcome's unit; p-values are one-sided.

    ``p_support`` and ``p_refute`` are of this test alone, ``p_support_holm`` and ``p_refute_holm`` corrected for all of the file.
    ``without`` says what is left without the mechanism, ``null`` whether the null world gave exactly zero; empty if not stated.
    """

    name: str
    verdict: str
    manner: str
    reference: float
    treatment: float
    effect: Effect
    smallest: float
    p_support: float
    p_refute: float
    p_support_holm: float
    p_refute_holm: float
    shares: Shares
    without: str
    without_effect: Effect | None
    null: str


class Judgement(NamedTuple):
    """All results of one run of a file."""

    findings: tuple[TestedHypothesis, ...]
    identities: tuple[Identity, ...]
    false_positives: FalsePositives | None

    @property
    def broken(self) -> list[str]:
        """Identities that did not hold exactly: built-in ones, and null worlds that hypotheses state."""
        built_in = [f"{one.name}: {', '.join(one.broken)}" for one in self.identities if not one.holds]
        return [*built_in, *(f"null of {one.name}" for one in self.findings if one.null == BROKEN)]


def run_hypotheses(
    file: HypothesisFile, seed: int = 1, threads: int | None = None, progress: Progress | None = None, trials: int | None = None
) -> Judgement:
    """Run every arm of a file once and judge every hypothesis; ``trials`` of false positives, if not the file's own number."""
    runs = Runs(file.data.replicates, seed, threads, progress)
    first = [_columns(hypothesis.pair, hypothesis.stated, runs) for hypothesis in file.hypotheses]
    judged = judge(file.claims, *_side_by_side(first))
    words = verdicts(judged, file.data.significance)
    findings = [_finding(file, k, judged, words[k], runs) for k in range(len(file.hypotheses))]
    identities = check_identities(arms_of(file), runs)
    n = file.data.false_positives if trials is None else trials
    return Judgement(tuple(findings), tuple(identities), _false_positives(file, runs, n) if n else None)


def arms_of(file: HypothesisFile) -> list[Scenario]:
    """The distinct arms that hypotheses compare, without those that switch something off."""
    return distinct(arm for hypothesis in file.hypotheses for arm in hypothesis.pair.scenarios)


def hypothesis_runs(file: HypothesisFile, trials: int | None = None) -> int:
    """Runs that ``run_hypotheses`` makes."""
    data, arms = file.data, arms_of(file)
    left = [arm for one in file.hypotheses if one.without for arm in one.without.scenarios]
    nulls = sum(len(one.null.scenarios) for one in file.hypotheses if one.null)
    at_best = len(distinct([*arms, *left])) * data.replicates
    over_sets = len(arms) * data.assumption_sets * data.replicates_per_set
    n = data.false_positives if trials is None else trials
    return at_best + over_sets + nulls * RUNS + identity_runs(len(arms)) + false_positive_runs(n)


def hypothesis_work(file: HypothesisFile, trials: int | None = None, threads: int | None = None) -> EstimatedWork:
    """Time and memory of ``run_hypotheses``: as if every arm were as large as the largest."""
    runs = hypothesis_runs(file, trials)
    works = [work_of(size_of(arm.data), runs, threads=threads) for arm in arms_of(file)]
    return max(works, key=lambda work: work.seconds, default=EstimatedWork(0, 0))


def _finding(file: HypothesisFile, k: int, judged: Judged, verdict: str, runs: Runs) -> TestedHypothesis:
    hypothesis, level = file.hypotheses[k], file.data.significance
    direction = DIRECTIONS[hypothesis.stated.direction]
    manner = manner_of(judged, k, verdict, direction, level)
    without, left = _without(file, k, manner, runs)
    return TestedHypothesis(
        name=hypothesis.name,
        verdict=verdict,
        manner=manner,
        reference=float(judged.reference[k]),
        treatment=float(judged.treatment[k]),
        effect=_effect(judged, k),
        smallest=float(judged.smallest[k]),
        p_support=float(judged.p_support[k]),
        p_refute=float(judged.p_refute[k]),
        p_support_holm=float(holm(judged.p_support)[k]),
        p_refute_holm=float(holm(judged.p_refute)[k]),
        shares=_shares(file, hypothesis, runs),
        without=without,
        without_effect=left,
        null=_null(hypothesis, runs),
    )


def _effect(judged: Judged, column: int) -> Effect:
    effect, half_width = float(judged.effect[column]), float(judged.half_width[column])
    return Effect(effect, effect - half_width, effect + half_width)


def _without(file: HypothesisFile, k: int, manner: str, runs: Runs) -> tuple[str, Effect | None]:
    """The same comparison with the mechanism switched off in both arms, judged alone."""
    hypothesis = file.hypotheses[k]
    if hypothesis.without is None:
        return "", None
    judged = judge(file.claims.pick([k]), *_columns(hypothesis.without, hypothesis.stated, runs))
    direction = DIRECTIONS[hypothesis.stated.direction]
    return without_mechanism(judged, 0, direction, manner, file.data.significance), _effect(judged, 0)


def _shares(file: HypothesisFile, hypothesis: Hypothesis, runs: Runs) -> Shares:
    stated, data = hypothesis.stated, file.data

    def values(arm: Scenario | float) -> Floats:
        if not isinstance(arm, Scenario):
            return np.full(data.assumption_sets, arm)
        tallies = runs.over_sets(arm, data.assumption_sets, data.replicates_per_set)
        return np.array([_column(by_set, arm, stated).value[0] for by_set in tallies])

    reference, treatment = (values(arm) for arm in hypothesis.pair)
    return shares_over_sets(DIRECTIONS[stated.direction], stated.smallest_effect, stated.smallest_is == "relative", reference, treatment)


def _null(hypothesis: Hypothesis, runs: Runs) -> str:
    """Whether every run of both arms has the same value, to the last bit, in the world where nothing may differ."""
    if hypothesis.null is None:
        return ""
    reference, treatment = (
        _column(runs.fresh(arm, RUNS), arm, hypothesis.stated) if isinstance(arm, Scenario) else _constant(arm, RUNS)
        for arm in hypothesis.null
    )
    same = (reference.numerator * treatment.denominator == treatment.numerator * reference.denominator).all()
    return EXACT if same else BROKEN


def _columns(pair: Pair, stated: Stated, runs: Runs) -> tuple[Parts, Parts]:
    """Parts ``[run, 1]`` of both arms for the outcome (and partnership) that is claimed about."""
    reference, treatment = (
        _column(runs.best_guess(arm), arm, stated) if isinstance(arm, Scenario) else _constant(arm, runs.replicates) for arm in pair
    )
    return reference, treatment


def _column(tallies: Floats, arm: Scenario, stated: Stated) -> Parts:
    column = list(OUTCOMES).index(stated.outcome)
    if stated.partnership is not None:
        tallies = tallies[:, [list(arm.data.partnerships).index(stated.partnership)]]
    parts = parts_of(tallies)
    return Parts(parts.numerator[:, [column]], parts.denominator[:, [column]])


def _constant(value: float, runs: int) -> Parts:
    """A stated value as if every run had given it."""
    return Parts(np.full((runs, 1), value), np.ones((runs, 1)))


def _side_by_side(columns: Sequence[tuple[Parts, Parts]]) -> tuple[Parts, Parts]:
    """Columns of single hypotheses as two arms ``[run, hypothesis]``."""
    reference, treatment = (
        Parts(np.hstack([pair[side].numerator for pair in columns]), np.hstack([pair[side].denominator for pair in columns]))
        for side in (0, 1)
    )
    return reference, treatment


def _false_positives(file: HypothesisFile, runs: Runs, trials: int) -> FalsePositives:
    """The file's claims about a scenario against itself, on runs that nothing else in the file has seen."""
    scenario = arms_of(file)[0]
    first = file.data.replicates + file.data.assumption_sets * file.data.replicates_per_set
    tallies = runs.fresh(scenario, false_positive_runs(trials), first)
    parts, _ = _side_by_side([(_column(tallies, scenario, one.stated),) * 2 for one in file.hypotheses])
    return measure_false_positives(file.claims, parts, trials, file.data.significance)
