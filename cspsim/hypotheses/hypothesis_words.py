"""Tested hypotheses as people read them: one row each, rounded to what the noise supports."""

from typing import Any, NamedTuple

import numpy as np

from cspsim.basics.formats import MISSING, amount, interval
from cspsim.hypotheses.freezing import FileRecord
from cspsim.hypotheses.hypothesis_file import HypothesisFile
from cspsim.hypotheses.hypothesis_schema import ComparisonSide, Reference, Stated
from cspsim.hypotheses.testing import Effect, Judgement, TestedHypothesis
from cspsim.running.outcomes import OUTCOMES, SHARE
from cspsim.scenario.toml_lines import write_value


class HypothesisRow(NamedTuple):
    """One hypothesis in words."""

    name: str
    statement: str
    source: str
    outcome: str
    claim: str
    verdict: str
    effect: str
    interval: str
    smallest: str
    p: str
    holds: str
    over_sets: str
    same_sign: str
    label: str
    without: str
    switched_off: str
    null: str
    comparison: str
    mechanism: str
    rival: str


def hypothesis_rows(file: HypothesisFile, tested: Judgement) -> list[HypothesisRow]:
    """Every hypothesis of a file in words, in its order."""
    return [_row(one.name, one.stated, finding) for one, finding in zip(file.hypotheses, tested.findings, strict=True)]


def _row(name: str, stated: Stated, finding: TestedHypothesis) -> HypothesisRow:
    entry = OUTCOMES[stated.outcome]
    shares = finding.shares
    known, points = noise_of(finding.effect), entry.unit == SHARE
    where = f", {stated.partnership}" if stated.partnership else ""
    unit = "" if points or entry.unit.startswith("£") else f" ({entry.unit})"
    smallest = amount(finding.smallest, entry.unit, points=points)
    supported = finding.p_support <= finding.p_refute
    return HypothesisRow(
        name=name,
        statement=stated.statement,
        source=f"{stated.source} (strength {stated.strength}{', ' + stated.pattern if stated.pattern else ''})",
        outcome=f"{entry.title}{where}{unit}",
        claim=f"same, within {smallest}" if stated.direction == "same" else f"{stated.direction} by more than {smallest}",
        verdict=f"{finding.verdict}: {finding.manner}" if finding.manner else finding.verdict,
        effect=amount(finding.effect.effect, entry.unit, known, signed=True, points=points),
        interval=interval(finding.effect.low, finding.effect.high, entry.unit, known, points=points),
        smallest=smallest,
        p=p_in_words(finding.p_support_holm if supported else finding.p_refute_holm),
        holds=share_in_words(shares.holds, shares.holds_low, shares.holds_high),
        over_sets=interval(shares.low, shares.high, entry.unit, _half(shares.low, shares.high), points=points),
        same_sign="" if stated.direction == "same" or np.isnan(shares.same_sign) else f"{_percent(shares.same_sign)}%",
        label=shares.label,
        without=_without(finding, entry.unit, points),
        switched_off=f"{', '.join(map(short_key, stated.without))} off: {finding.without}" if stated.without else "",
        null=finding.null,
        comparison=f"{side_in_words(stated.treatment)} against {side_in_words(stated.reference)}",
        mechanism=f"{stated.mechanism} (off: {changes_in_words(stated.without)})" if stated.mechanism else "",
        rival=stated.rival,
    )


def noise_of(effect: Effect) -> float | None:
    """Half the width of an interval; None where there is no noise to round by."""
    return _half(effect.low, effect.high)


def _half(low: float, high: float) -> float | None:
    half = (high - low) / 2
    return half if np.isfinite(half) and half > 0 else None


def _without(finding: TestedHypothesis, unit: str, points: bool) -> str:
    left = finding.without_effect
    if left is None:
        return ""
    if left.effect == 0 and left.low == left.high:
        return f"{finding.without} (exactly zero)"
    return f"{finding.without} ({interval(left.low, left.high, unit, noise_of(left), points=points)})"


def p_in_words(p: float) -> str:
    """A p-value as people write it."""
    if np.isnan(p):
        return MISSING
    return "<0.0001" if p < 0.0001 else f"{p:.2g}" if p < 0.1 else f"{p:.2f}"


def share_in_words(share: float, low: float, high: float) -> str:
    """A share of assumption sets with its interval, in per cent."""
    if np.isnan(share):
        return MISSING
    return f"{_percent(share)}% ({_percent(low)} to {_percent(high)})"


def _percent(share: float) -> str:
    return f"{100 * share:.1f}".removesuffix(".0")


def short_key(dotted: str) -> str:
    """The name in a dotted key that tells it apart: ``switches.harmony`` as ``harmony``, ``levers.grant.multiplier`` as ``grant``."""
    parts = dotted.split(".")
    return parts[1] if len(parts) > 1 else dotted


def side_in_words(side: ComparisonSide) -> str:
    """One side of a comparison: the scenario with what is changed in it, or the stated value."""
    if isinstance(side, Reference) and side.value is not None:
        return f"the value {side.value:g}"
    return f"{side.scenario} with {changes_in_words(side.changes)}" if side.changes else side.scenario


def changes_in_words(changes: dict[str, Any]) -> str:
    """Changes as a file would write them, on one line."""
    return ", ".join(f"{key} = {write_value(value)}" for key, value in changes.items())


def history_in_words(history: FileRecord) -> list[str]:
    """When the file was frozen, with what seeds it was run, and what was altered after results existed."""
    present = history.present
    said = [f"Frozen on {present.date} as {present.short} (receipt {present.number}, SHA-256 {present.sha256}), before it was run."]
    seeds = sorted({record.seed for record in history.own_records})
    if len(seeds) > 1:
        said.append(
            f"This version was run with {len(seeds)} seeds: {', '.join(map(str, seeds))}. One seed chosen for its results is no test."
        )
    for alteration in history.alterations:
        receipt = alteration.receipt
        said.append(
            f"ALTERED after results existed: version {receipt.number} ({receipt.short}, frozen {receipt.date}) had results on "
            f"{alteration.first_results}. Changed since: {'; '.join(alteration.changes)}."
        )
    return said
