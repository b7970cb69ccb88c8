"""A section of the report: what it says, shows and tabulates, the same for the page, the screen and machines."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from cspsim.basics.formats import MISSING, amount, interval
from cspsim.comparing.comparison import Finding
from cspsim.reports.charts import ReportChart
from cspsim.reports.summary import Grid, direction_of
from cspsim.running.outcomes import OUTCOMES, POUNDS, SHARE

if TYPE_CHECKING:
    from cspsim.analysis.analysis import Analysis
    from cspsim.analysis.noise import Estimate


@dataclass
class AnalysisSection:
    """One question to the sweep and its answer.

    Attributes:
        name: in addresses and file names. title: the heading.
        said: paragraphs, the answer first. caution: how to read it, smaller.
        charts, grids: figures and the tables that say the same. frames: file name -> rows of a table to download.
    """

    name: str
    title: str
    said: list[str]
    caution: list[str] = field(default_factory=list)
    charts: list[ReportChart] = field(default_factory=list)
    grids: list[Grid] = field(default_factory=list)
    frames: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


def difference_words(value: float, unit: str, noise: float | None = None) -> str:
    """A difference with sign and unit: of shares in percentage points."""
    return amount(value, unit, _known(noise), signed=True, points=unit == SHARE)


def range_words(low: float, high: float, unit: str, noise: float | None = None) -> str:
    """Both ends of an interval of a difference."""
    known = _known(noise if noise is not None else (high - low) / 2)
    if unit == POUNDS and known is not None and np.isfinite(low + high) and max(abs(low), abs(high)) >= 0.95e6:
        like = max(abs(low), abs(high), 1e6)  # both ends in millions, or in billions
        return " to ".join(amount(end, unit, known, like=like) for end in (low, high))
    return interval(low, high, unit, known, unit == SHARE)


def _known(noise: float | None) -> float | None:
    return noise if noise is not None and np.isfinite(noise) and noise > 0 else None


def p_words(value: float) -> str:
    """A p-value with two figures; very small ones are given as below a limit."""
    if not np.isfinite(value):
        return MISSING
    return "below 0.001" if value < 0.001 else f"{value:.2g}"


def share_words(value: float) -> str:
    """A share in per cent, without decimals."""
    return f"{value:.0%}" if np.isfinite(value) else MISSING


def share_of(estimate: "Estimate", k: int) -> str:
    """One estimated share with its interval: ``43% (39 to 47)``; estimates below 0 stay as they are."""
    value, low, high = (float(part[k]) * 100 for part in estimate[:3])
    if not np.isfinite(value):
        return MISSING
    return f"{value:.0f}%" + (f" ({low:.0f} to {high:.0f})" if np.isfinite(low) else "")


def verdict_words(finding: Finding) -> str:
    """``higher, worse``."""
    return f"{finding.verdict}, {direction_of(finding)}".rstrip(", ")


def grid_of(title: str, columns: Sequence[str], cells: Sequence[Sequence[str]], plain: list[dict[str, Any]]) -> Grid:
    """A table for reading beside its plain numbers."""
    return Grid(title, list(columns), [list(row) for row in cells], plain)


def policy_headline(finding: Finding, against: str, sets: int) -> str:
    """The answer for one policy in plain words, every figure rounded to what its noise supports."""
    entry, unit = OUTCOMES[finding.outcome], finding.unit
    if finding.verdict == "identical":
        return f"{entry.title}: {finding.scenario} and {against} are identical in all {finding.replicates:,} runs at the best guesses."
    if not np.isfinite(finding.difference):
        return f"{entry.title}: {finding.scenario} and {against} cannot be compared: there is nothing to divide by."
    noise = _known(finding.half_width)
    size = amount(abs(finding.difference), unit, noise, points=unit == SHARE)
    percent = ""
    if finding.baseline and unit != SHARE:
        percent = f" ({amount(abs(finding.difference / finding.baseline), SHARE, noise / abs(finding.baseline) if noise else None)})"
    sign = 1 if finding.difference >= 0 else -1
    low, high = sorted((sign * finding.ci_low, sign * finding.ci_high))
    sure = f", 95% interval {range_words(low, high, unit, noise)}" if noise else " in the one run there is (no interval without more)"
    text = f"{entry.title}: {finding.scenario} is {size}{percent} {'higher' if sign > 0 else 'lower'} than {against}{sure}. "
    if np.isfinite(finding.assumptions_low):
        over = range_words(finding.assumptions_low, finding.assumptions_high, unit)
        text += f"Across {sets:,} assumption sets: {over} (5 to 95%), same sign in {share_words(finding.same_sign_share)}. "
    return f"{text}Verdict: {verdict_words(finding)}."


def source_line(found: "Analysis") -> str:
    """The line below a figure that says what it rests on."""
    manifest = found.results.manifest
    runs = manifest["counts"].get("runs", 0)
    return (
        f"cspsim {manifest['versions']['cspsim']}: {manifest['experiment']}, {runs:,} runs, seed {manifest['seed']}, "
        f"digest {manifest['digest']}. Illustrative model, not a forecast."
    )
