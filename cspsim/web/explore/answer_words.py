"""The answer in plain words, rounded as the command line rounds it."""

from typing import NamedTuple

import numpy as np

from cspsim.basics.formats import amount, interval
from cspsim.comparing.comparison import MAINSTREAM, PARTNERSHIP, Finding
from cspsim.comparing.differences import IDENTICAL, UNDEFINED
from cspsim.reports.summary import comparison_row, direction_of, window_in_words
from cspsim.running.outcomes import OUTCOMES, POUNDS, SHARE
from cspsim.web.explore.answer import BASELINE, SCENARIO, Answer
from cspsim.web.explore.run_blocks import SETS


class AnswerInWords(NamedTuple):
    """The answer as the page tells it. ``mark``: the verdict in a word or three; ``tone``: good, bad or unsure."""

    headline: str
    interval: str
    context: str
    mark: str
    tone: str


def mark_of(verdict: str) -> str:
    """The verdict as the command line has it, with a capital."""
    return verdict[:1].upper() + verdict[1:]


def told(answer: Answer) -> AnswerInWords:
    """The answer to the question, its interval, and how far other assumptions move it."""
    finding, title = answer.finding, OUTCOMES[answer.posed.outcome].title
    better = direction_of(finding)
    tone = {"better": "good", "worse": "bad"}.get(better, "unsure")
    mark = mark_of(finding.verdict) + (f", {better}" if better else "")
    runs = f"{answer.done:,} run{'s' if answer.done != 1 else ''} of each on the same luck"
    span = window_in_words(answer.comparison.results[BASELINE])
    if finding.verdict == IDENTICAL:
        return AnswerInWords(f"{title}: no difference at all in {answer.done:,} runs.", f"{span}, {runs}.", "", mark, tone)
    if finding.verdict == UNDEFINED:
        return AnswerInWords(f"{title} cannot be compared: there is nothing to divide by.", f"{span}, {runs}.", "", mark, tone)
    row = comparison_row(finding)
    known = f"95% interval {row.interval}" if np.isfinite(finding.half_width) else "no interval from a single run"
    matters = smallest_in_words(finding)
    world = ", both under your changed assumptions" if answer.posed.under_changed else ""
    return AnswerInWords(
        f"{title}: {difference_in_words(finding)} than under “{answer.posed.baseline_title}”{world}",
        f"{known}. {span}, {runs}; a difference below {matters} is smaller than matters.",
        " ".join(part for part in (_split(answer), _range(answer)) if part),
        mark,
        tone,
    )


def difference_in_words(finding: Finding) -> str:
    """``£126m (4.3%) higher``; shares in percentage points."""
    entry = OUTCOMES[finding.outcome]
    noise = finding.half_width if np.isfinite(finding.half_width) and finding.half_width > 0 else None
    size = amount(abs(finding.difference), entry.unit, noise, points=entry.unit == SHARE)
    share = ""
    if finding.baseline != 0 and entry.unit != SHARE:
        relative = noise / abs(finding.baseline) if noise else None
        share = f" ({amount(abs(finding.difference / finding.baseline), SHARE, relative)})"
    unit = f" {entry.unit}" if entry.unit not in (SHARE, POUNDS) and not entry.unit.startswith("£") else ""
    return f"{size}{unit}{share} {'higher' if finding.difference >= 0 else 'lower'}"


def smallest_in_words(finding: Finding) -> str:
    """The smallest difference that anybody should care about."""
    unit = OUTCOMES[finding.outcome].unit
    words = amount(finding.smallest_of_interest, unit, points=unit == SHARE)
    return words if unit in (SHARE, POUNDS) or unit.startswith("£") else f"{words} {unit}"


def _range(answer: Answer) -> str:
    finding = answer.finding
    if not answer.comparison.assumption_sets or not np.isfinite(finding.assumptions_low):
        return ""
    row = comparison_row(finding)
    return (
        f"Under {SETS} other sets of assumptions the difference lies between {row.assumptions.replace(' to ', ' and ')} "
        f"(5\N{EN DASH}95%), with the same sign in {row.same_sign}."
    )


def _split(answer: Answer) -> str:
    if answer.posed.outcome != "cost_of_crime":
        return ""
    words = []
    channels = [answer.comparison.channel(part, SCENARIO) for part in (MAINSTREAM, PARTNERSHIP)]
    moved = [channel for channel in channels if channel.difference != 0]
    if len(moved) == 1:
        return f"All of it {moved[0].part}."
    for channel in channels:
        half = (channel.ci_high - channel.ci_low) / 2
        words.append(f"{amount(channel.difference, POUNDS, half if half > 0 else None, signed=True)} {channel.part}")
    return f"Of it {' and '.join(words)}."


def corner_in_words(finding: Finding) -> str:
    """A difference with its interval and verdict: one cell of the 2x2."""
    if finding.verdict in (IDENTICAL, UNDEFINED):
        return mark_of(finding.verdict)
    row = comparison_row(finding)
    return f"{row.difference} ({row.interval}): {finding.verdict}"


def moved_in_words(difference: float, half_width: float, outcome: str) -> str:
    """What one part moved, with its interval."""
    unit, points = OUTCOMES[outcome].unit, OUTCOMES[outcome].unit == SHARE
    if not np.isfinite(difference):
        return "not defined"
    if difference == 0 and not half_width > 0:
        return "nothing"
    noise = half_width if np.isfinite(half_width) and half_width > 0 else None
    found = amount(difference, unit, noise, signed=True, points=points)
    return f"{found} ({interval(difference - half_width, difference + half_width, unit, noise, points)})" if noise else found
