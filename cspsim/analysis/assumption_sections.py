"""Sections about assumptions: which one turns a ranking, which changes an effect, under which a policy fails."""

from typing import Any

import numpy as np

from cspsim.analysis.analysis import Analysis
from cspsim.analysis.boxes import FOUND, Box, bare_number, factor_title
from cspsim.analysis.discovery import PolicyFailure, tree_in_words
from cspsim.analysis.effect_figures import MOST_CURVES, MOST_HALVES, draw_halves, draw_turns
from cspsim.analysis.factor_figures import draw_failure
from cspsim.analysis.robustness import TwoByTwo
from cspsim.analysis.section import (
    AnalysisSection,
    difference_words,
    grid_of,
    p_words,
    range_words,
    share_words,
    source_line,
)
from cspsim.analysis.turning_points import Turn, lead_words, leader
from cspsim.basics.formats import MISSING, amount, listed
from cspsim.reports.summary import Grid

ROWS_OF_TURNS = 4
"""Assumptions named or tabulated for each pair of policies; all are in the files."""


def turns_section(found: Analysis) -> AnalysisSection:
    """Where rankings turn along an assumption, and the assumption x policy tables."""
    said, cells, plain = [], [], []
    for (first, second), turns in found.turns.items():
        flips = [turn for turn in turns if np.isfinite(turn.at)]
        words = listed(
            [f"along {factor_title(turn.name)}, {lead_words(turn, first, second, bare_number)}" for turn in flips[:ROWS_OF_TURNS]]
        )
        said.append(f"{first} and {second}: {words or f'no flip inside the range of any of {len(turns)} assumptions'}.")
        cells += [_turn_row(first, second, turn, found.outcome.unit) for turn in turns[:ROWS_OF_TURNS]]
        plain += [{"first": first, "second": second, **_turn_plain(turn)} for turn in turns]
    columns = ["Policies and assumption", "Flip at", "95% interval", "Lead moves by", "Who does better"]
    grid = grid_of("Flip points: assumptions along which the lead moves most beyond luck", columns, cells, plain)
    ordered = sorted(
        ((first, second, turn) for (first, second), turns in found.turns.items() for turn in turns[:2]),
        key=lambda entry: np.isnan(entry[2].at),
    )
    chart = draw_turns(ordered[:MOST_CURVES], found.outcome.unit, source_line(found))
    caution = [
        "Each curve averages over all other assumptions, which were sampled independently of it. A flip is named only if the curve is "
        "certainly on both sides of zero (5%, divided by the number of assumptions and places looked at)."
    ]
    if not found.outcome.better:
        caution.append("This outcome has no good direction: ahead means higher.")
    halves, tables = _halves(found)
    return AnalysisSection(
        "flips",
        "Where the ranking turns",
        [*said, *halves],
        caution,
        [chart, *_halves_charts(found)],
        [grid, *tables],
        _frames(found, plain),
    )


def _turn_row(first: str, second: str, turn: Turn, unit: str) -> list[str]:
    at = bare_number(turn.at) if np.isfinite(turn.at) else "none"
    span = f"{bare_number(turn.low)} to {bare_number(turn.high)}" if np.isfinite(turn.at) else MISSING
    return [f"{first} and {second}: {factor_title(turn.name)}", at, span, amount(turn.moves, unit), _who(turn, first, second)]


def _who(turn: Turn, first: str, second: str) -> str:
    if np.isfinite(turn.at):
        below, above = (second, first) if turn.above > 0 else (first, second)
        return f"{below} below, {above} above"
    return leader(turn, first, second) or "not certain"


def _turn_plain(turn: Turn) -> dict[str, Any]:
    return {
        "assumption": turn.name,
        "flip_at": turn.at,
        "low": turn.low,
        "high": turn.high,
        "returns": turn.returns,
        "lead_moves": turn.moves,
    }


def _halves(found: Analysis) -> tuple[list[str], list[Grid]]:
    """Sentences and tables: in which half of an assumption a policy does more."""
    said, grids = [], []
    unit = found.outcome.unit
    for policy, tables in found.halves.items():
        sure = [table for table in tables if table.p_holm < 0.05][:ROWS_OF_TURNS]
        words = [_half_in_words(table, unit) for table in sure]
        said.append(
            f"The effect of {policy} is {listed(words)}." if words else f"No assumption changes what {policy} does beyond doubt (Holm, 5%)."
        )
        columns = ["Assumption", "Low, off", "Low, on", "High, off", "High, on", "Interaction", "95% interval", "p, Holm"]
        cells = [
            [
                f"{factor_title(t.name)} (median {bare_number(t.split)})",
                *(amount(float(value), unit, (t.high - t.low) / 4) for value in t.cells.ravel()),
                difference_words(t.interaction, unit, (t.high - t.low) / 2),
                range_words(t.low, t.high, unit),
                p_words(t.p_holm),
            ]
            for t in tables[:MOST_HALVES]
        ]
        grids.append(grid_of(f"Assumption x policy: {policy} off and on where the assumption is low and high", columns, cells, []))
    return said, grids


def _half_in_words(table: TwoByTwo, unit: str) -> str:
    """``£15m (£10m to £20m) higher where effect scale is above its median``."""
    sign, half = (1 if table.interaction > 0 else -1), (table.high - table.low) / 2
    low, high = sorted((sign * table.low, sign * table.high))
    size = difference_words(abs(table.interaction), unit, half).removeprefix("+")
    return (
        f"{size} ({range_words(low, high, unit)}) {'higher' if sign > 0 else 'lower'} where {factor_title(table.name)} is above its median"
    )


def _halves_charts(found: Analysis) -> list[Any]:
    line = source_line(found)
    return [draw_halves(tables, policy, found.outcome.unit, line) for policy, tables in found.halves.items() if tables]


def _frames(found: Analysis, turns: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    names = ("low_off", "low_on", "high_off", "high_on")
    halves = [
        {"policy": policy, "assumption": t.name, "median": t.split, **dict(zip(names, map(float, t.cells.ravel()), strict=True)),
         "interaction": t.interaction, "low": t.low, "high": t.high, "p_value": t.p_value, "p_holm": t.p_holm}
        for policy, tables in found.halves.items() for t in tables
    ]  # fmt: skip
    return {"flip_points": turns, "assumption_by_policy": halves}


# ------------------------------------------------------------------------------------------------------------- discovery

NO_PRIM = 'No search for boxes without EMA Workbench: pip install "cspsim[discovery]" (it brings Platypus, which is under the GPL).'


def failures_section(found: Analysis) -> AnalysisSection:
    """Under which assumptions each policy fails, or that nothing was found."""
    section = AnalysisSection("failures", "Under which assumptions a policy fails", [], [], [], [], {})
    plain: list[dict[str, Any]] = []
    for policy, failure in found.failures.items():
        section.said += failure_in_words(policy, failure)
        boxes = failure.discovery.boxes
        if boxes:
            section.charts.append(draw_failure(policy, failure, (found.values, found.assumptions), source_line(found)))
            section.grids.append(_box_grid(policy, boxes))
            plain += [row for number, box in enumerate(boxes) for row in _box_plain(policy, number, box)]
    section.frames["failures"] = plain
    told = [failure.discovery for failure in found.failures.values() if failure.discovery.boxes]
    if not told:
        return section
    section.caution.append(
        "A box counts as found only if failures are denser in it than everywhere in sets it was not sought in (five folds, one-sided "
        f"binomial test at {FOUND:.0%}); in the sets it was sought in it is always denser. Quasi-p: chance of so many failures without "
        "the restriction. Stability: share of ten half samples in which the box, sought again, restricts the same assumption."
    )
    if told[0].sampled > len(told[0].considered):
        section.caution.append(
            f"PRIM looked at {len(told[0].considered)} of {told[0].sampled} assumptions, chosen by feature scores "
            "of extremely randomised trees within each fold; the tree looked at all."
        )
    return section


def failure_in_words(policy: str, failure: PolicyFailure) -> list[str]:
    """The findings of scenario discovery about one policy, as paragraphs."""
    found = failure.discovery
    start = f"{policy} {failure.question.words} in {found.cases:,} of {found.sets:,} assumption sets ({share_words(found.base_rate)})."
    if np.isfinite(failure.undecided_share):
        start += f" In {failure.undecided_share:.0%} of the sets luck alone could turn that round."
    if found.why_not:
        return [f"{start} Nothing was sought: it {found.why_not}."]
    said = [_box_in_words(box) for box in found.found]
    if not found.boxes:
        said = [NO_PRIM]
    elif not said:
        best = found.boxes[0]
        said = [
            f"Nothing found: the densest box fails in {share_words(best.held_out_density)} of sets it was not sought in, against "
            f"{share_words(best.base_rate)} everywhere (p = {p_words(best.p_value)})."
        ]
    tree = found.tree
    if tree is not None and tree.found:
        said.append(
            f"A tree predicts it (skill {tree.skill:.2f}, {tree.low:.2f} to {tree.high:.2f}, in sets held out): {tree_in_words(tree)}."
        )
    elif tree is not None:
        said.append(f"A tree predicts it no better than the base rate does (skill {tree.skill:.2f}, {tree.low:.2f} to {tree.high:.2f}).")
    return [f"{start} {said[0]}", *said[1:]]


def _box_in_words(box: Box) -> str:
    where = listed([side.condition.words for side in box.restrictions])
    return (
        f"With {where}, it does so in {share_words(box.held_out_density)} of sets the box was not sought in, against "
        f"{share_words(box.held_out_base_rate)} everywhere; the box holds {share_words(box.coverage)} of all such sets."
    )


def _box_grid(policy: str, boxes: tuple[Box, ...]) -> Grid:
    columns = ["Box and restriction", "Quasi-p", "Stability", "Density, held out", "Density, in sample", "Base rate", "Coverage", "Found"]
    cells = []
    for number, box in enumerate(boxes):
        figures = (box.held_out_density, box.density, box.base_rate, box.coverage)
        cells.append([f"Box {number + 1}", "", "", *(share_words(value) for value in figures), "yes" if box.found else "no"])
        cells += [
            [side.condition.words, p_words(side.quasi_p), share_words(side.stability), "", "", "", "", ""] for side in box.restrictions
        ]
    return grid_of(f"Boxes: {policy}", columns, cells, [row for k, box in enumerate(boxes) for row in _box_plain(policy, k, box)])


def _box_plain(policy: str, number: int, box: Box) -> list[dict[str, Any]]:
    about = {
        "policy": policy, "box": number + 1, "found": box.found, "held_out_density": box.held_out_density, "density": box.density,
        "base_rate": box.base_rate, "held_out_coverage": box.held_out_coverage, "coverage": box.coverage, "mass": box.mass,
        "p_value": box.p_value,
    }  # fmt: skip
    return [
        {
            **about,
            "assumption": s.condition.name,
            "low": s.condition.low,
            "high": s.condition.high,
            "quasi_p": s.quasi_p,
            "stability": s.stability,
        }
        for s in box.restrictions
    ] or [about]
