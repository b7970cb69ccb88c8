"""The answer to a question from the runs that are there so far: the numbers of ``cspsim compare``, year by year and part by part."""

from typing import NamedTuple

import numpy as np

from cspsim.comparing.comparison import Comparison, Finding
from cspsim.comparing.differences import paired_estimate, parts_of
from cspsim.comparing.five_definitions import Dashboard
from cspsim.model.parameters import Floats
from cspsim.running.outcomes import OUTCOMES, outcomes_of
from cspsim.running.results import Results
from cspsim.scenario.scenario import Scenario
from cspsim.scenario.world_building import calendar_of
from cspsim.web.explore.ensemble import Ensemble
from cspsim.web.explore.run_blocks import SET_RUNS, Block, sets_of

BASELINE, SCENARIO = "baseline", "scenario"
"""Names of the arms in ``Answer.comparison``: titles are for people and may be alike."""


class Moved(NamedTuple):
    """What one part of the difference moved: the answer less the answer without that part, with its 95 % interval."""

    title: str
    difference: float
    half_width: float
    without: float  # the difference from the baseline that is left without it


class Corner(NamedTuple):
    """The policy's difference under one set of assumptions: one column of the 2x2."""

    baseline: float
    scenario: float
    finding: Finding


class Answer:
    """What is known so far.

    Attributes:
        comparison: both arms over the window, as ``cspsim compare`` has them; assumption sets as soon as all of them are there.
        done, asked: replicates there and asked for.
        labels: financial years, ``2011/12``; whole ones only.
        first_years: the calendar year in which each of them began.
    """

    def __init__(self, ensemble: Ensemble, blocks: list[Block]) -> None:
        self.posed = ensemble.posed
        self.done, self.asked = len(blocks[0].tallies), ensemble.posed.question.runs
        arms = dict(zip((BASELINE, SCENARIO), ensemble.posed.arms, strict=True))
        over = ensemble.over_sets()
        sets, over_sets = {}, {name: np.empty((0, len(OUTCOMES))) for name in arms}
        if over is not None:
            for (name, arm), block in zip(arms.items(), over, strict=True):
                over_sets[name] = np.array([parts_of(one).value for one in block.tallies])
                sets[name] = sets_of(arm, self._seed)
        asked = ensemble.posed.asked_arms
        results = {name: _results(arm, self._seed, block) for name, arm, block in zip(arms, asked, blocks, strict=True)}
        self.comparison = Comparison(results, sets, over_sets, list(OUTCOMES), SET_RUNS if over else 0)
        reported = calendar_of(ensemble.posed.baseline.data).reported
        began = np.array([day.year if day.month >= 4 else day.year - 1 for day in reported])
        first, lengths = np.unique(began, return_counts=True)
        self._whole = lengths == 12
        self.first_years = [int(year) for year in first[self._whole]]
        self.labels = [f"{year}/{(year + 1) % 100:02d}" for year in self.first_years]
        self._sums = [block.years[:, self._whole] for block in blocks]
        self._years = [outcomes_of(sums) for sums in self._sums]

    @property
    def _seed(self) -> int:
        return self.posed.question.seed

    @property
    def finding(self) -> Finding:
        """The outcome asked about."""
        return self.comparison.finding(SCENARIO, self.posed.outcome)

    def by_year(self, arm: str, outcome: str) -> Floats:
        """One outcome of the whole area ``[run, year]``."""
        return self._years[(BASELINE, SCENARIO).index(arm)][:, :, list(OUTCOMES).index(outcome)]

    def mean_by_year(self, arm: str, outcome: str) -> Floats:
        """Mean total, or ratio of sums, over runs ``[year]``."""
        sums = self._sums[(BASELINE, SCENARIO).index(arm)]
        return outcomes_of(sums.mean(axis=0))[:, list(OUTCOMES).index(outcome)]

    def boards(self) -> tuple[Dashboard, Dashboard]:
        """Baseline and scenario judged by the five definitions."""
        found = (Dashboard(self.comparison.results[name].tallies.sum(axis=1)) for name in (BASELINE, SCENARIO))
        return next(found), next(found)


def answer_of(ensemble: Ensemble) -> Answer | None:
    """The answer so far; None while there are no runs."""
    blocks = ensemble.together(*ensemble.posed.arms)
    return None if blocks is None else Answer(ensemble, blocks)


def moved_by(ensemble: Ensemble) -> list[Moved] | None:
    """What each part of the difference moved, the largest first; None until its runs are there."""
    if ensemble.apart is None:
        return None
    baseline, scenario = ensemble.posed.arms
    outcome = list(OUTCOMES).index(ensemble.posed.outcome)
    found = []
    for part in ensemble.apart.parts:
        blocks = ensemble.together(baseline, scenario, part.without)
        if blocks is None:
            return None
        before, whole, without = (parts_of(block.tallies) for block in blocks)
        own = paired_estimate(without, whole)
        left = paired_estimate(before, without)
        found.append(Moved(part.title, float(own.difference[outcome]), float(own.half_width[outcome]), float(left.difference[outcome])))
    return sorted(found, key=lambda moved: -abs(moved.difference) if np.isfinite(moved.difference) else 1.0)


def corners_of(ensemble: Ensemble) -> tuple[Corner, Corner] | None:
    """The policy's difference under default and under changed assumptions; None where none was changed, or until the runs are there."""
    posed = ensemble.posed
    if posed.changed_baseline is None or posed.changed_scenario is None:
        return None
    found = []
    for baseline, scenario in ((posed.baseline, posed.scenario), (posed.changed_baseline, posed.changed_scenario)):
        blocks = ensemble.together(baseline, scenario)
        if blocks is None:
            return None
        arms = {BASELINE: _results(baseline, posed.question.seed, blocks[0]), SCENARIO: _results(scenario, posed.question.seed, blocks[1])}
        none = {name: np.empty((0, len(OUTCOMES))) for name in arms}
        finding = Comparison(arms, {}, none, [posed.outcome]).finding(SCENARIO, posed.outcome)
        found.append(Corner(finding.baseline, finding.value, finding))
    return found[0], found[1]


def _results(scenario: Scenario, seed: int, block: Block) -> Results:
    nothing = np.empty((0, 0, 0))
    return Results(scenario, seed, 0, calendar_of(scenario.data), block.tallies, nothing, nothing)
