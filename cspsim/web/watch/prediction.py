"""Predict first: a question about the end, an answer that the class commits to, and how often the model agrees."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Literal, NamedTuple

import numpy as np

from cspsim.basics.formats import amount
from cspsim.comparing.comparison import compare
from cspsim.comparing.differences import verdict_of
from cspsim.model.parameters import Floats
from cspsim.running.outcomes import OUTCOMES, SHARE, Outcome, outcomes_of
from cspsim.running.simulation import simulate
from cspsim.web.shown_scenarios import scenario_of
from cspsim.web.watch.background import Report, ResultShelf
from cspsim.web.watch.recorded_run import Recording, RunKey
from cspsim.web.watch.series import YEAR

Claim = Literal["higher", "same", "lower"]
CLAIMS: dict[Claim, str] = {"higher": "Higher", "same": "About the same", "lower": "Lower"}
REPLICATES = 100
"""How many runs the frequencies are based on."""
KEPT = 8


def held_at(recording: Recording) -> int:
    """The last month that is shown while a question is open: before the outcome window begins."""
    return max(0, recording.window[0] - 1)


def smallest_of(outcome: Outcome, reference: float) -> float:
    """The smallest difference that counts, in the outcome's unit."""
    return outcome.smallest * abs(reference) if outcome.smallest_is == "relative" else outcome.smallest


def claim_of(outcome: Outcome, reference: float, value: float) -> Claim | None:
    """Whether a value is higher than, about the same as or lower than a reference; None where one of them is not defined."""
    if not (np.isfinite(reference) and np.isfinite(value)):
        return None
    smallest, difference = smallest_of(outcome, reference), value - reference
    return "higher" if difference > smallest else "lower" if difference < -smallest else "same"


class OddsKey(NamedTuple):
    """What the answer depends on: the question, and the scenario with its baseline (or None) under one seed."""

    outcome: str
    scenario: RunKey
    baseline: RunKey | None
    held: int


class Odds(NamedTuple):
    """How often each answer came out: ``counts`` of runs, the mean reference and value, and a verdict on the mean difference."""

    counts: Mapping[Claim, int]
    undefined: int
    reference: float
    value: float
    difference: float
    half_width: float
    verdict: str

    @property
    def runs(self) -> int:
        """Runs in which the outcome was defined."""
        return sum(self.counts.values())


def pair_in(recordings: tuple[Recording, ...], outcome: str) -> tuple[float, float]:
    """Reference and value in this run, all partnerships together.

    Baseline and scenario over the outcome window, or, for a scenario alone, the twelve months to the month where the
    run is held and the last twelve of the window.
    """
    if len(recordings) > 1:
        reference, value = (_window(recording, *recording.window) for recording in recordings)
    else:
        (alone,) = recordings
        held, (_, last) = held_at(alone), alone.window
        reference, value = _window(alone, held - YEAR + 1, held), _window(alone, last - YEAR + 1, last)
    column = list(OUTCOMES).index(outcome)
    return float(outcomes_of(reference)[column]), float(outcomes_of(value)[column])


def _window(recording: Recording, first: int, last: int) -> Floats:
    """Tallies of the area ``[tally]`` summed over reported months; months before the first are those of the warm-up."""
    start, end = recording.warm_up + first, recording.warm_up + last + 1
    total: Floats = recording.tallies[max(0, start) : end].sum(axis=(0, 1))
    return total


def work_out(key: OddsKey, report: Report) -> Odds:
    """Run the question a hundred times. Raises CspsimError where it cannot be asked."""
    outcome = OUTCOMES[key.outcome]
    done = [0]
    total = REPLICATES * (2 if key.baseline else 1)
    report(0, total)

    def progress(finished: int) -> None:
        done[0] += finished
        report(done[0], total)

    return (_side_by_side if key.baseline else _early_and_late)(key, outcome, progress)


def _side_by_side(key: OddsKey, outcome: Outcome, progress: Callable[[int], None]) -> Odds:
    assert key.baseline is not None
    arms = (scenario_of(key.baseline.scenario), scenario_of(key.scenario.scenario))
    found = compare(*arms, REPLICATES, key.scenario.seed, assumption_sets=0, outcomes=[outcome.name], threads=1, progress=progress)
    references, values = (results.area(outcome.name) for results in found.results.values())
    finding = found.finding(outcome=outcome.name)
    return _odds(outcome, references, values, finding.difference, finding.half_width, finding.verdict)


def _early_and_late(key: OddsKey, outcome: Outcome, progress: Callable[[int], None]) -> Odds:
    scenario = scenario_of(key.scenario.scenario)
    results = simulate(scenario, REPLICATES, key.scenario.seed, months=True, threads=1, progress=progress)
    monthly = results.monthly_tallies.sum(axis=2)
    last = results.calendar.window[1] - results.calendar.warm_up
    column = list(OUTCOMES).index(outcome.name)
    references, values = (outcomes_of(monthly[:, max(0, end - YEAR + 1) : end + 1].sum(axis=1))[:, column] for end in (key.held, last))
    differences = (values - references)[np.isfinite(values - references)]
    mean = float(differences.mean()) if differences.size else np.nan
    half = 1.96 * float(differences.std(ddof=1)) / differences.size**0.5 if differences.size > 1 else np.nan
    smallest = smallest_of(outcome, float(np.nanmean(references))) if np.isfinite(references).any() else 0.0
    return _odds(
        outcome, references, values, mean, half, verdict_of(mean, half, smallest, bool(differences.size and not differences.any()))
    )


def _odds(outcome: Outcome, references: Floats, values: Floats, difference: float, half_width: float, verdict: str) -> Odds:
    claims = [claim_of(outcome, float(reference), float(value)) for reference, value in zip(references, values, strict=True)]
    counts = {claim: claims.count(claim) for claim in CLAIMS}
    known = np.isfinite(references) & np.isfinite(values)
    mean, other = (float(side[known].mean()) if known.any() else np.nan for side in (references, values))
    return Odds(counts, claims.count(None), mean, other, difference, half_width, verdict)


ODDS: ResultShelf[OddsKey, Odds] = ResultShelf(work_out, KEPT)
"""The results worked out so far, shared by all visitors."""


# ------------------------------------------------------------------------------------------------------------- in words


def question_in_words(outcome: str, recordings: tuple[Recording, ...]) -> str:
    """What the class is asked."""
    title = OUTCOMES[outcome].title
    first, last = (recordings[0].months[index] for index in recordings[0].window)
    if len(recordings) > 1:
        baseline, scenario = (recording.scenario.title for recording in recordings)
        return f"{title}, {first:%B %Y} to {last:%B %Y}: what will it be under B, “{scenario}”, compared with A, “{baseline}”?"
    held = recordings[0].months[held_at(recordings[0])]
    return f"{title}: what will it be in the twelve months to {last:%B %Y}, compared with the twelve months to {held:%B %Y}?"


def same_in_words(outcome: str) -> str:
    """What "about the same" means."""
    entry = OUTCOMES[outcome]
    if entry.smallest_is == "relative":
        size = f"{100 * entry.smallest:g} %"
    elif entry.unit == SHARE:
        size = f"{100 * entry.smallest:g} points"
    else:
        size = f"{entry.smallest:g} {entry.unit}"
    return f"“About the same” is within {size}: the smallest difference anybody should care about. All partnerships together."


def answer_in_words(outcome: str, reference: float, value: float) -> str:
    """What happened in this run."""
    entry = OUTCOMES[outcome]
    claim = claim_of(entry, reference, value)
    if claim is None:
        return "In this run it is not defined: there was nothing to divide by."
    change = (
        amount(value - reference, entry.unit, signed=True, points=entry.unit == SHARE) if value != reference else "no difference at all"
    )
    return f"In this run: {CLAIMS[claim].lower()}, {amount(value, entry.unit)} against {amount(reference, entry.unit)} ({change})."


def odds_in_words(odds: Odds) -> str:
    """How often each answer came out."""
    told = ", ".join(f"{text.lower()} in {odds.counts[claim]}" for claim, text in CLAIMS.items())
    undefined = f"; not defined in {odds.undefined}" if odds.undefined else ""
    total = odds.runs + odds.undefined
    return f"Of {total} runs of this seed, numbers 0 to {total - 1}: {told}{undefined}."


def verdict_in_words(odds: Odds, outcome: str) -> str:
    """What the mean of all runs says."""
    entry = OUTCOMES[outcome]
    points = entry.unit == SHARE
    write = partial(amount, unit=entry.unit, noise=odds.half_width, signed=True, points=points)
    plain = {
        "higher": "on average it is higher by enough to matter",
        "lower": "on average it is lower by enough to matter",
        "smaller than matters": "on average the difference is smaller than matters",
        "undecided": "these runs do not decide whether the difference matters",
        "identical": "there is no difference in any run",
    }.get(odds.verdict, "it is not defined")
    if not np.isfinite(odds.half_width):
        return f"Verdict: {plain}."
    low, high = odds.difference - odds.half_width, odds.difference + odds.half_width
    return f"Verdict: {plain} (mean difference {write(odds.difference)}, 95% interval {write(low)} to {write(high)})."
