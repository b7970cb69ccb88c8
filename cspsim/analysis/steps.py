"""The steps of an analysis: each asks what the designs of the sweep allow and adds what it found."""

from collections.abc import Sequence

import numpy as np

from cspsim.analysis.analysis import Analysis
from cspsim.analysis.answer_cost import allocation, answer_cost, variance_components
from cspsim.analysis.discovery import PolicyFailure, discover, failure_question
from cspsim.analysis.effects import over_luck
from cspsim.analysis.luck_shares import luck_shares
from cspsim.analysis.morris import morris_measures
from cspsim.analysis.regression import regression_of
from cspsim.analysis.robustness import ROUNDING, robustness, two_by_two
from cspsim.analysis.sensitivity import sobol_indices
from cspsim.analysis.swept import LEVERS, UNCERTAINTIES, Subject, levers_of_sweep, points_of, replicate_values, subjects_of
from cspsim.analysis.turning_points import turning_points
from cspsim.basics.errors import CspsimError
from cspsim.model.parameters import Floats
from cspsim.sweep.luck_design import group_streams

MOST_DISCOVERED = 3
"""How many policies are examined for failures."""
FEWEST_SETS = 60
"""Sampled assumption sets below which nothing is said about which assumption does what."""
MOST_FACTORS_WITH_PAIRS = 10
"""The number of factors beyond which the regression leaves out pairs of factors, which would take too long."""


# ---------------------------------------------------------------------------------------------------- policies, assumptions


def compare_policies(found: Analysis, seed: int) -> None:
    """Regret and ranks, where an outcome has a good direction and sets were sampled."""
    if len(found.sets) < 2 or not found.outcome.better or len(found.ranked) < 2:
        return
    gains = found.outcome.better * found.swept.values[np.ix_(np.array(found.ranked), found.sets)]
    found.robust = robustness(gains, seed=seed)


def ask_assumptions(found: Analysis, seed: int) -> None:
    """Flip points, 2 x 2 tables and failures of every policy that is described, over independent assumption sets."""
    if not found.assumptions or len(found.sets) < FEWEST_SETS:
        if found.assumptions:
            found.notes.append(f"{len(found.sets)} sampled assumption sets are too few to say which assumption does what.")
        return
    values = over_luck(found.swept.values)[:, found.sets]
    for policy in found.shown:
        other = int(found.swept.against[policy])
        there = ~np.isnan(values[policy] + values[other])
        if not there.any() or _same(values[policy, there], values[other, there]):
            continue
        sample, groups = found.values[there], found.groups[there]
        effect = (values[policy] - values[other])[there]
        ahead = effect * (found.outcome.better or 1)
        pair = found.names[policy], found.names[other]
        found.turns[pair] = turning_points(sample, found.assumptions, ahead, groups, seed)
        found.halves[pair[0]] = two_by_two(sample, found.assumptions, values[other, there], values[policy, there], groups)
    _turns_between(found, values, seed)
    for policy in found.shown[:MOST_DISCOVERED]:
        if found.names[policy] in found.halves:
            found.failures[found.names[policy]] = _failure(found, policy, seed)
    if len(found.shown) > MOST_DISCOVERED:
        found.notes.append(f"Failures were looked into for the first {MOST_DISCOVERED} policies only; Python does it for any.")


def _same(one: Floats, other: Floats) -> bool:
    """Whether two policies differ by the same amount in every set, rounding aside: then no assumption can explain anything."""
    return bool(np.ptp(one - other) <= ROUNDING * max(np.abs(one).max(), np.abs(other).max()))


def _turns_between(found: Analysis, values: Floats, seed: int) -> None:
    """Turning points between the two policies that are best most often."""
    if found.robust is None or len(found.ranked) < 3:
        return
    order = np.argsort(-found.robust.best_share.value, kind="stable")
    first, second = (found.ranked[k] for k in order[:2])
    pair = found.names[first], found.names[second]
    there = ~np.isnan(values[first] + values[second])
    if pair in found.turns or pair[::-1] in found.turns or _same(values[first, there], values[second, there]):
        return
    ahead = found.outcome.better * (values[first] - values[second])[there]
    found.turns[pair] = turning_points(found.values[there], found.assumptions, ahead, found.groups[there], seed)


def _failure(found: Analysis, policy: int, seed: int) -> PolicyFailure:
    effects = found.swept.effects[policy, found.sets]
    means = over_luck(effects[None])[0]
    there = ~np.isnan(means)
    question = failure_question(means[there], found.outcome.better)
    discovery = discover(found.values[there], found.assumptions, question.cases, found.groups[there], seed)
    if effects.shape[1] < 2:
        return PolicyFailure(question, discovery, np.nan)
    sign = found.outcome.better or np.sign(np.median(means[there]))
    error = np.nanstd(effects[there], axis=1, ddof=1) / np.sqrt(effects.shape[1])
    return PolicyFailure(question, discovery, float((np.abs(means[there] * sign - question.cutoff) < 2 * error).mean()))


# --------------------------------------------------------------------------------------------------- factors, luck, cost


def ask_factors(found: Analysis, seed: int) -> None:
    """Sobol, Morris or regression of assumptions and of levers; main effects where levers were fully crossed."""
    told = {*found.shown_names, found.names[0], ""}
    for space in (UNCERTAINTIES, LEVERS):
        points = points_of(found.results, space, ("saltelli", "morris", "latin-hypercube", "sobol", "file"))
        if points is None or found.swept.luck_design:
            continue
        for asked, values in subjects_of(found.results, points, space, [found.outcome.name]):
            if asked.policy in told and not np.isnan(values).all() and np.nanmax(values) > np.nanmin(values):
                _ask_points(found, asked, values, (points.design, points.sample, points.names), seed)
    if points_of(found.results, LEVERS, ("full-factorial",)) is not None and not found.swept.luck_design:
        try:
            found.lever_effects, found.lever_shares = levers_of_sweep(found.results, [found.outcome.name])[found.outcome.name]
        except CspsimError as error:
            found.notes.append(f"Main effects of levers: {error}.")


def _ask_points(found: Analysis, asked: Subject, values: Floats, points: tuple[dict[str, object], Floats, list[str]], seed: int) -> None:
    design, sample, names = points
    try:
        if design["kind"] == "saltelli":
            found.sobol[asked] = sobol_indices(values, names, bool(design.get("second_order")), seed=seed)
        elif design["kind"] == "morris":
            found.morris[asked] = morris_measures(values, sample, names, int(str(design.get("levels", 4))), seed=seed)
        else:
            found.regressions[asked] = regression_of(values, sample, names, len(names) <= MOST_FACTORS_WITH_PAIRS)
    except CspsimError as error:
        note = f"Sensitivity: {error}."
        found.notes += [note] if note not in found.notes else []


def ask_luck(found: Analysis, seed: int) -> None:
    """Shares of the streams of luck in the baseline's outcome and in each shown policy's effect."""
    if not found.swept.luck_design:
        return
    groups = list(group_streams(found.results.designs["luck"]["groups"]))
    values, effects = replicate_values(found.results, found.outcome.name)
    asked: Sequence[tuple[str, Floats]] = [("", values[0, 0]), *((found.names[p], effects[p, 0]) for p in found.shown)]
    for name, rows in asked:
        if np.nanmax(rows) > np.nanmin(rows):
            found.luck[name] = luck_shares(rows, groups, seed=seed)


def count_cost(found: Analysis) -> None:
    """Replicates and assumption sets that an answer needs, for every policy that is described."""
    shared = bool(found.results.manifest.get("replicates_share_luck_between_sets"))
    for policy in found.shown:
        name = found.names[policy]
        finding = found.finding(name)
        arms = [found.swept.point(p, found.swept.values) for p in (int(found.swept.against[policy]), policy)]
        if finding.smallest_of_interest > 0 and (~np.isnan(arms[0] + arms[1])).sum() >= 3:
            found.costs[name] = answer_cost(arms[0], arms[1], finding.smallest_of_interest)
        effects = found.swept.effects[policy, found.sets]
        if effects.shape[1] >= 2 and (~np.isnan(effects).any(axis=1)).sum() >= 2 and finding.smallest_of_interest > 0:
            found.allocations[name] = allocation(variance_components(effects, shared), finding.smallest_of_interest, shared)
