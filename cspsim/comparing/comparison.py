"""Two or more scenarios compared on the same luck: paired differences, assumption sets, verdicts.

Two claims are kept apart. The interval says how well the runs pin down the mean paired difference at the best guesses;
with enough runs it becomes as narrow as you like, which is no knowledge of the world. The range over assumption sets says
how the difference moves with what nobody knows. Verdicts judge the interval by the smallest effect of interest.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cspsim.basics.errors import CspsimError, did_you_mean
from cspsim.basics.formats import amount
from cspsim.basics.limits import EstimatedWork, Limits, hold_to_limits, limits_of, work_of
from cspsim.comparing.differences import IDENTICAL, UNDEFINED, Paired, Parts, holm, paired_estimate, parts_of, range_over, verdict_of
from cspsim.model.parameters import Floats
from cspsim.model.world import World
from cspsim.running.assumptions import Arm, AssumptionSets, run_assumption_sets, sample_assumptions
from cspsim.running.outcomes import OUTCOMES, POUNDS, SHARE, Outcome
from cspsim.running.results import Results
from cspsim.running.rulebook import rulebook_of
from cspsim.running.simulation import replicate_numbers, run_world
from cspsim.scenario.scenario import Scenario, load_scenario
from cspsim.scenario.world_building import build_world, calendar_of, size_of

if TYPE_CHECKING:
    import pandas as pd

DETECTABLE = 2.8
"""Standard errors between zero and a difference found four times in five: 1.96 (two-sided 5 %) + 0.84 (power 80 %)."""

FIRST_REPLICATES, MOST_REPLICATES = 100, 25_600
"""The number of replicates at which ``precision`` starts doubling, and the one at which it gives up."""

MONTHS_KEPT = 400
"""Runs of each arm whose monthly series are kept for charts: enough for bands, and memory stays bounded however many run."""

Progress = Callable[[int], None]
Sampler = Callable[[Scenario, int, int], AssumptionSets]

OWN_SETS = "Assumption sets were not drawn from the registered ranges but taken from a source of their own, such as a posterior."


class Finding(NamedTuple):
    """One outcome of one scenario against the baseline: a row of ``Comparison.table``."""

    scenario: str
    outcome: str
    baseline: float
    value: float
    difference: float
    ci_low: float
    ci_high: float
    replicates: int
    smallest_detectable: float
    assumptions_low: float
    assumptions_median: float
    assumptions_high: float
    same_sign_share: float
    verdict: str
    role: str
    p_value: float
    p_holm: float
    smallest_of_interest: float
    unit: str

    @property
    def half_width(self) -> float:
        """Half the width of the 95 % interval."""
        return (self.ci_high - self.ci_low) / 2

    @property
    def largest(self) -> float:
        """The size of the interval's far end, which chooses between pounds and millions for the whole sentence."""
        return max(abs(self.ci_low), abs(self.ci_high))


class Channel(NamedTuple):
    """A part of the difference in cost of crime, £: a row of ``Comparison.split``."""

    scenario: str
    part: str
    difference: float
    ci_low: float
    ci_high: float
    assumptions_low: float
    assumptions_median: float
    assumptions_high: float
    same_sign_share: float


MAINSTREAM, PARTNERSHIP, TOGETHER = "through mainstream capacity", "through the partnership", "cost of crime"
_CHANNELS = ((MAINSTREAM, "twin_cost_of_crime", 1), (PARTNERSHIP, "cost_averted", -1), (TOGETHER, "cost_of_crime", 1))
PRIMARY, EXPLORATORY = "primary", "exploratory"


class Comparison:
    """What ``compare`` returns. Tables are made on demand.

    Attributes:
        baseline, scenarios: unique names; a name that is used twice is numbered, "baseline (2)".
        results: name -> ``Results`` at the best guesses, the baseline's first.
        assumption_sets: name -> ``AssumptionSets`` of that arm; empty if none were asked for.
        over_sets: name -> outcomes ``[set, outcome]`` in the order of ``OUTCOMES``, over the runs of each set.
        findings: the rows of ``table``, each scenario's primary outcome first.
        channels: the rows of ``split``.
        seed, replicates_per_set, precision: as asked for.
        notes: what a reader has to know about how this was run.
    """

    def __init__(
        self,
        results: Mapping[str, Results],
        assumption_sets: Mapping[str, AssumptionSets],
        over_sets: Mapping[str, Floats],
        outcomes: Sequence[str],
        replicates_per_set: int = 0,
        precision: float | None = None,
        notes: Sequence[str] = (),
    ) -> None:
        self.results = dict(results)
        self.baseline, *self.scenarios = self.results
        self.assumption_sets = dict(assumption_sets)
        self.over_sets = dict(over_sets)
        self.seed = self.results[self.baseline].seed
        self.replicates_per_set = replicates_per_set
        self.precision = precision
        self.notes = list(notes)
        self._estimates = {name: _estimate(self.results[self.baseline], self.results[name]) for name in self.scenarios}
        self.findings = tuple(finding for name in self.scenarios for finding in self._findings(name, outcomes))
        self.channels = tuple(channel for name in self.scenarios for channel in self._channels(name))

    @property
    def replicates(self) -> int:
        """Runs of each arm at the best guesses."""
        return self.results[self.baseline].replicates

    @cached_property
    def table(self) -> "pd.DataFrame":
        """One row per scenario and outcome; columns as in ``Finding``. Differences are scenario less baseline, area totals."""
        import pandas as pd

        return pd.DataFrame(self.findings, columns=list(Finding._fields))

    @cached_property
    def split(self) -> "pd.DataFrame":
        """The difference in cost of crime, split: the twins' difference, the averted difference (less averted costs more), their sum."""
        import pandas as pd

        return pd.DataFrame(self.channels, columns=list(Channel._fields))

    def primary(self, scenario: str | None = None) -> str:
        """Name of the outcome that this scenario's question is about."""
        return self.results[self._named(scenario)].scenario.data.primary_outcome

    def question(self, scenario: str | None = None) -> str:
        """The scenario's own question."""
        return self.results[self._named(scenario)].scenario.question

    def finding(self, scenario: str | None = None, outcome: str | None = None) -> Finding:
        """One row of the table; without names the first scenario's primary outcome. Raises CspsimError for unknown names."""
        name = self._named(scenario)
        wanted = outcome or self.primary(name)
        rows = {finding.outcome: finding for finding in self.findings if finding.scenario == name}
        if wanted not in rows:
            raise CspsimError(f'no outcome "{wanted}" in this comparison; {did_you_mean(wanted, rows)}')
        return rows[wanted]

    def channel(self, part: str, scenario: str | None = None) -> Channel:
        """One row of the split. Raises KeyError for an unknown part."""
        name = self._named(scenario)
        return {channel.part: channel for channel in self.channels if channel.scenario == name}[part]

    def paired(self, outcome: str, scenario: str | None = None) -> Floats:
        """Differences scenario less baseline ``[run]`` of the area; a ratio's are differences of each run's own ratio."""
        _check_outcomes([outcome])
        return self.results[self._named(scenario)].area(outcome) - self.results[self.baseline].area(outcome)

    def paired_over_sets(self, outcome: str, scenario: str | None = None) -> Floats:
        """Differences scenario less baseline ``[set]`` of the area; empty if no assumption sets were run."""
        _check_outcomes([outcome])
        column = list(OUTCOMES).index(outcome)
        return self.over_sets[self._named(scenario)][:, column] - self.over_sets[self.baseline][:, column]

    def headline(self, scenario: str | None = None) -> str:
        """The answer in plain words, every figure rounded to what its noise supports."""
        finding = self.finding(scenario)
        start, end = (self.results[self.baseline].calendar.months[k] for k in self.results[self.baseline].calendar.window)
        about = f"{OUTCOMES[finding.outcome].title}, {start:%B %Y} to {end:%B %Y}: "
        if finding.verdict == IDENTICAL:
            return f"{about}{finding.scenario} and {self.baseline} are identical in all {finding.replicates:,} runs."
        if finding.verdict == UNDEFINED:
            return f"{about}{finding.scenario} and {self.baseline} cannot be compared, since there is nothing to divide by."
        split = self._split_in_words(finding) if finding.outcome == "cost_of_crime" else ""
        return f"{about}{_difference_in_words(finding, self.baseline)}{split}. {self._range_in_words(finding)}Verdict: {finding.verdict}."

    def _split_in_words(self, finding: Finding) -> str:
        channels = [self.channel(part, finding.scenario) for part in (MAINSTREAM, PARTNERSHIP)]
        moved = [channel for channel in channels if channel.difference != 0]
        if len(moved) == 1:
            return f"; all of it {moved[0].part}"
        alike = all(channel.difference * finding.difference >= 0 for channel in channels)
        amounts: list[str] = []
        for channel in channels:
            noise = max(finding.half_width, (channel.ci_high - channel.ci_low) / 2)
            size = channel.difference if not alike else abs(channel.difference)
            words = amount(size, POUNDS, noise, signed=not alike, like=finding.largest)
            amounts.append(f"{words}{' of it' if alike and not amounts else ''} {channel.part}")
        return f"; {' and '.join(amounts)}"

    def _range_in_words(self, finding: Finding) -> str:
        if not self.assumption_sets or np.isnan(finding.assumptions_low):
            return ""
        noise = (finding.assumptions_high - finding.assumptions_low) / 2
        like = max(abs(finding.assumptions_low), abs(finding.assumptions_high))
        low, high = (_in_words(value, finding.unit, noise, like) for value in (finding.assumptions_low, finding.assumptions_high))
        sets = len(self.assumption_sets[self.baseline])
        same = f"same sign in {100 * finding.same_sign_share:.0f}%"
        return f"Across {sets} assumption sets: {_from_to(low, high)} (5\N{EN DASH}95%), {same}. "

    def _named(self, scenario: str | None) -> str:
        name = self.scenarios[0] if scenario is None else scenario
        if name not in self.scenarios:
            raise CspsimError(f'no scenario "{name}" in this comparison; {did_you_mean(name, self.scenarios)}')
        return name

    def _findings(self, name: str, outcomes: Sequence[str]) -> list[Finding]:
        """Rows of one scenario: its primary outcome, then the others, which share one family of exploratory looks."""
        first = self.primary(name)
        shown = [first, *(outcome for outcome in outcomes if outcome != first)]
        estimate = self._estimates[name]
        columns = [list(OUTCOMES).index(outcome) for outcome in shown]
        p_holm = np.concatenate([estimate.p_value[columns[:1]], holm(estimate.p_value[columns[1:]])])
        return [self._finding(name, OUTCOMES[outcome], float(p)) for outcome, p in zip(shown, p_holm, strict=True)]

    def _finding(self, name: str, entry: Outcome, p_holm: float) -> Finding:
        column = list(OUTCOMES).index(entry.name)
        estimate = Paired(*(field[column] for field in self._estimates[name]))
        difference, half_width = float(estimate.difference), float(estimate.half_width)
        smallest = entry.smallest * (abs(float(estimate.baseline)) if entry.smallest_is == "relative" else 1.0)
        over = range_over(self.paired_over_sets(entry.name, name), difference)
        return Finding(
            scenario=name,
            outcome=entry.name,
            baseline=float(estimate.baseline),
            value=float(estimate.value),
            difference=difference,
            ci_low=difference - half_width,
            ci_high=difference + half_width,
            replicates=self.replicates,
            smallest_detectable=DETECTABLE * float(estimate.standard_error),
            assumptions_low=over.low,
            assumptions_median=over.median,
            assumptions_high=over.high,
            same_sign_share=over.same_sign_share,
            verdict=verdict_of(difference, half_width, smallest, bool(estimate.identical)),
            role=PRIMARY if entry.name == self.primary(name) else EXPLORATORY,
            p_value=float(estimate.p_value),
            p_holm=p_holm,
            smallest_of_interest=smallest,
            unit=entry.unit,
        )

    def _channels(self, name: str) -> list[Channel]:
        """Cost of crime = twin's cost - averted cost, run by run, so the two parts add up to the whole."""
        rows = []
        for part, outcome, sign in _CHANNELS:
            column = list(OUTCOMES).index(outcome)
            difference = sign * float(self._estimates[name].difference[column])
            half_width = float(self._estimates[name].half_width[column])
            over = range_over(sign * self.paired_over_sets(outcome, name), difference)
            rows.append(Channel(name, part, difference, difference - half_width, difference + half_width, *over))
        return rows


def _estimate(baseline: Results, other: Results) -> Paired:
    return paired_estimate(parts_of(baseline.tallies), parts_of(other.tallies))


def _difference_in_words(finding: Finding, baseline: str) -> str:
    """ "baseline is £41m (1.2%) higher than no-cuts, 95% interval £38m to £44m"; the interval carries the direction's sign."""
    noise, sign = finding.half_width, 1 if finding.difference >= 0 else -1
    size = _in_words(abs(finding.difference), finding.unit, noise, finding.largest)
    percent = ""
    if finding.baseline != 0 and finding.unit != SHARE:
        share, share_noise = (abs(part / finding.baseline) for part in (finding.difference, noise))
        percent = f" ({amount(share, SHARE, share_noise)})"
    ends = sorted((sign * finding.ci_low, sign * finding.ci_high))
    interval = _from_to(*(_in_words(end, finding.unit, noise, finding.largest) for end in ends))
    direction = "higher" if sign > 0 else "lower"
    return f"{finding.scenario} is {size}{percent} {direction} than {baseline}, 95% interval {interval}"


def _in_words(value: float, unit: str, noise: float, like: float) -> str:
    """A difference with its unit; of shares in percentage points, of ratios bare."""
    words = amount(value, unit, noise, points=True, like=like).replace(" points", " percentage points")
    return words if unit in (POUNDS, SHARE, "times") else f"{words} {unit.removeprefix('£ ')}"


def _from_to(low: str, high: str) -> str:
    """Two figures as a range that names its unit once."""
    unit = low.partition(" ")[2]
    return f"{low.removesuffix(unit).rstrip()} to {high}"


# ------------------------------------------------------------------------------------------------------------ comparing


def compare(
    baseline: Scenario | str,
    scenarios: Sequence[Scenario | str] | Scenario | str,
    replicates: int = 100,
    seed: int = 1,
    assumption_sets: int = 32,
    replicates_per_set: int = 4,
    outcomes: Sequence[str] | None = None,
    threads: int | None = None,
    precision: float | None = None,
    progress: Progress | None = None,
    months: bool = False,
    first_replicate: int = 0,
    sampler: Sampler = sample_assumptions,
    limits: Limits | None = None,
) -> Comparison:
    """Run scenarios on the same luck as a baseline and say what differs, by how much, and how sure that is.

    Args:
        baseline, scenarios: scenarios, or names, paths or stacks ("a+b") of them.
        replicates: runs of each arm at the best guesses; replicate k shares its luck between arms.
        seed: of luck and of assumption sets, 0 to 2^64 - 1.
        assumption_sets: how many sets of assumptions to draw (0: none); the same sets in every arm.
        replicates_per_set: runs of each arm under each set.
        outcomes: which outcomes the table shows (default all); a scenario's primary outcome is always among them.
        threads: None uses every processor.
        precision: if given, ``replicates`` is chosen: doubled from 100 until half the interval of every primary outcome is at
            most this share of its baseline value. The interval is then taken from as many fresh replicates.
        progress: called with the number of runs just finished, from worker threads; see ``runs_planned``.
        months: keep the monthly series of the first ``MONTHS_KEPT`` runs at the best guesses, for charts.
        first_replicate: number of the first replicate.
        sampler: gives the assumption sets of an arm from (scenario, sets, seed), such as those of a posterior file:
            ``functools.partial(load_posterior, path)``. Sets that do not come from the registered ranges are noted.
        limits: time and memory all of it may take, such as ``limits_of(memory="8GB")``; see ``limits``.

    Raises:
        TooMuch: it would take more time or memory than the limits allow.
        CspsimError: a scenario has faults, the arms differ in months, window or partnerships, or an outcome does not exist.
        ValueError: a number of runs or sets that is too small.
    """
    arms = _named_arms(baseline, scenarios)
    shown = list(OUTCOMES) if outcomes is None else list(outcomes)
    _check_outcomes(shown)
    _check_arms(arms)
    if replicates < 1:
        raise ValueError(f"replicates is {replicates}: expected 1 or more")
    planned = replicates if precision is None else MOST_REPLICATES
    hold_to_limits(comparison_work(arms.values(), planned, assumption_sets, replicates_per_set, months, threads), "this comparison",
          limits or limits_of(), in_python=True)  # fmt: skip
    for arm in arms.values():
        rulebook_of(arm)  # rules that may not or cannot be run stop everything before the first run
    worlds = {name: build_world(arm.data) for name, arm in arms.items()}
    how = _How(seed, threads, progress, sampler)
    notes: list[str] = [] if sampler is sample_assumptions else [OWN_SETS]
    if precision is not None:
        replicates, note = _enough(arms, worlds, precision, first_replicate, how)
        first_replicate += replicates
        notes.append(note)
    results = {name: _run(arm, worlds[name], replicates, first_replicate, months, how) for name, arm in arms.items()}
    sets, over_sets = _over_assumptions(arms, worlds, assumption_sets, replicates_per_set, first_replicate, how)
    return Comparison(results, sets, over_sets, shown, replicates_per_set, precision, notes)


def comparison_runs(arms: int, replicates: int, assumption_sets: int, replicates_per_set: int) -> int:
    """Runs that ``compare`` makes without ``precision``, for a progress bar; ``arms`` counts the baseline too."""
    return arms * (replicates + assumption_sets * replicates_per_set)


def comparison_work(
    arms: Collection[Scenario], replicates: int, assumption_sets: int, replicates_per_set: int, months: bool, threads: int | None = None
) -> EstimatedWork:
    """Time and memory ``compare`` takes for these arms, the baseline among them."""
    runs = replicates + assumption_sets * replicates_per_set
    kept = min(replicates, MONTHS_KEPT) * months
    works = [work_of(size_of(arm.data), runs, months_kept=kept, threads=threads) for arm in arms]
    numbers = 8 * 200 * assumption_sets * len(works)  # a sampled set has some hundred numbers, and is sorted twice
    return EstimatedWork(sum(work.seconds for work in works), sum(work.memory for work in works) + numbers)


class _How(NamedTuple):
    seed: int
    threads: int | None
    progress: Progress | None
    sampler: Sampler


def _run(scenario: Scenario, world: World, replicates: int, first: int, months: bool, how: _How) -> Results:
    """Replicates of one arm at its best guesses, the first ``MONTHS_KEPT`` of them with their months if those are wanted."""
    with_months = min(replicates, MONTHS_KEPT) if months else 0
    numbers = replicate_numbers(replicates, first)
    stretches = [(slice(0, with_months), True), (slice(with_months, replicates), False)]
    book = rulebook_of(scenario)
    done = [run_world(world, book, numbers[part], how.seed, keep, how.threads, how.progress) for part, keep in stretches]
    tallies, authorities, monthly = (np.concatenate(arrays) for arrays in zip(*done, strict=True))
    return Results(scenario, how.seed, first, calendar_of(scenario.data), tallies, authorities, monthly)


def _over_assumptions(
    arms: Mapping[str, Scenario], worlds: Mapping[str, World], sets: int, replicates: int, first: int, how: _How
) -> tuple[dict[str, AssumptionSets], dict[str, Floats]]:
    """Assumption sets of every arm and outcomes ``[set, outcome]`` over the runs of each set."""
    if sets == 0:
        return {}, {name: np.empty((0, len(OUTCOMES))) for name in arms}
    if replicates < 1:
        raise ValueError(f"replicates_per_set is {replicates}: expected 1 or more")
    sampled = {name: how.sampler(arm, sets, how.seed) for name, arm in arms.items()}
    laid_out = [Arm(worlds[name], sampled[name], rulebook_of(arm)) for name, arm in arms.items()]
    tallies = run_assumption_sets(laid_out, replicates, how.seed, first, how.threads, how.progress)
    return sampled, {name: np.array([parts_of(one).value for one in by_set]) for name, by_set in zip(arms, tallies, strict=True)}


def replicates_needed(
    reached: Callable[[int], float], target: float, first: int = FIRST_REPLICATES, most: int = MOST_REPLICATES
) -> tuple[int, float]:
    """Double the replicates from ``first`` until ``reached(replicates)`` is at most ``target``, or ``most`` is run.

    Returns the number of replicates and what was reached. Not-a-number cannot be made narrower: it ends the search.
    """
    replicates = first
    share = reached(replicates)
    while share > target and replicates < most:
        replicates = min(2 * replicates, most)
        share = reached(replicates)
    return replicates, share


def _enough(
    arms: Mapping[str, Scenario], worlds: Mapping[str, World], precision: float, first_replicate: int, how: _How
) -> tuple[int, str]:
    """How many replicates make every primary interval narrow enough, and a note that says what was done."""
    if not precision > 0:
        raise ValueError(f"precision is {precision}: expected a share above 0, such as 0.001")
    baseline, *others = arms
    parts = {name: Parts(np.empty((0, len(OUTCOMES))), np.empty((0, len(OUTCOMES)))) for name in arms}

    def reached(replicates: int) -> float:
        for name, before in parts.items():
            done = len(before.numerator)
            numbers = replicate_numbers(replicates - done, first_replicate + done)
            book = rulebook_of(arms[name])
            more = parts_of(run_world(worlds[name], book, numbers, how.seed, False, how.threads, how.progress)[0])
            parts[name] = Parts(*(np.concatenate(both) for both in zip(before, more, strict=True)))
        return max(_half_width_share(parts[baseline], parts[name], arms[name].data.primary_outcome) for name in others)

    replicates, share = replicates_needed(reached, precision)
    verb = "was reached with" if share <= precision else "was not reached; the search stopped at"
    first = first_replicate + replicates
    return replicates, (
        f"Precision: an interval of +-{100 * precision:g} % of the baseline's value {verb} {replicates:,} replicates "
        f"(+-{100 * share:.2g} %). What is reported comes from {replicates:,} fresh ones, numbers {first:,} to {first + replicates - 1:,}."
    )


def _half_width_share(baseline: Parts, other: Parts, outcome: str) -> float:
    column = list(OUTCOMES).index(outcome)
    estimate = paired_estimate(baseline, other)
    half_width, value = float(estimate.half_width[column]), abs(float(estimate.baseline[column]))
    if half_width == 0:
        return 0.0
    return half_width / value if value else np.inf


def _named_arms(baseline: Scenario | str, scenarios: Sequence[Scenario | str] | Scenario | str) -> dict[str, Scenario]:
    """Unique name -> scenario, the baseline first."""
    others = [scenarios] if isinstance(scenarios, Scenario | str) else list(scenarios)
    if not others:
        raise CspsimError("nothing to compare: name at least one scenario beside the baseline")
    arms: dict[str, Scenario] = {}
    for given in (baseline, *others):
        scenario = load_scenario(given) if isinstance(given, str) else given
        name, number = scenario.name, 1
        while name in arms:
            number += 1
            name = f"{scenario.name} ({number})"
        arms[name] = scenario
    return arms


def _check_outcomes(names: Sequence[str]) -> None:
    for name in names:
        if name not in OUTCOMES:
            raise CspsimError(f'no outcome is called "{name}"; {did_you_mean(name, OUTCOMES)}')


def _check_arms(arms: Mapping[str, Scenario]) -> None:
    """All arms cover the same months, window and partnerships, and ask for an outcome that exists."""
    (first, baseline), *others = arms.items()
    for name, scenario in others:
        wanted = scenario.data.primary_outcome
        if wanted not in OUTCOMES:
            raise CspsimError(f'scenario {name!r}: primary_outcome: no outcome is called "{wanted}"; {did_you_mean(wanted, OUTCOMES)}')
        differing = grounds_apart(baseline, scenario)
        if differing:
            raise CspsimError(f"cannot compare {name!r} with {first!r}: {'; '.join(differing)}")


def grounds_apart(baseline: Scenario, scenario: Scenario) -> list[str]:
    """What keeps two scenarios from being compared, a phrase for each difference; empty if they can be."""
    ours, theirs = _ground(baseline), _ground(scenario)
    return [f"{key} is {theirs[key]}, not {ours[key]}" for key in ours if ours[key] != theirs[key]]


def _ground(scenario: Scenario) -> dict[str, str]:
    """What two scenarios must share to be compared at all."""
    data, calendar = scenario.data, calendar_of(scenario.data)
    start, end = (calendar.months[k] for k in calendar.window)
    return {
        "time.first_month": data.time.first_month,
        "time.last_month": data.time.last_month,
        "time.window_from": f"{start:%Y-%m}",
        "time.window_to": f"{end:%Y-%m}",
        "the set of partnerships": ", ".join(sorted(data.partnerships)),
    }
