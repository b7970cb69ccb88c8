"""Sensitivity of a finished sweep: from its results to the arrays of each analysis."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cspsim.analysis.main_effects import LeverEffect, lever_effects, lever_shares
from cspsim.analysis.morris import MorrisMeasures, morris_measures
from cspsim.analysis.noise import RESAMPLES, linearised
from cspsim.analysis.regression import FeatureScores, Regression, feature_scores, regression_of
from cspsim.analysis.sensitivity import SobolIndices, sobol_indices
from cspsim.basics.errors import CspsimError
from cspsim.model.parameters import Floats
from cspsim.running.results import AREA

if TYPE_CHECKING:
    from cspsim.sweep.stored_results import SweepResults

LEVERS, UNCERTAINTIES = "levers", "uncertainties"
OUTCOME, EFFECT = "outcome", "effect"


class Subject(NamedTuple):
    """What an analysis is about: an outcome itself or a policy's paired effect on it; the policy is "" where levers are the factors."""

    outcome: str
    policy: str
    of: str


class Points(NamedTuple):
    """The points of a design: rows of the table they stand in, their factors, and the factors' values ``[point, factor]``."""

    rows: slice
    names: list[str]
    sample: Floats
    design: dict[str, Any]


def replicate_values(results: "SweepResults", outcome: str, partnership: str = AREA) -> tuple[Floats, Floats]:
    """What each replicate says of an outcome, and of each policy's paired effect ``[policy, assumptions, replicate]``."""
    cells = results.cells(outcome, partnership)
    values = linearised(cells.numerator, cells.denominator)
    return values, values - values[cells.against]


def points_of(results: "SweepResults", space: str, kinds: Sequence[str]) -> Points | None:
    """The points of the design of levers or of uncertainties; None if there is none of these kinds."""
    design = results.designs.get(space) or {}
    if design.get("kind") not in kinds:
        return None
    names = [str(name) for name in design["names"]]
    frame = results.assumptions if space == UNCERTAINTIES else results.policies
    missing = [name for name in names if name not in frame]
    if missing:
        raise CspsimError(f"the results lack the factor{'s' if len(missing) > 1 else ''} {', '.join(missing)} of their own design")
    rows = slice(int(design.get("first", 1)), len(frame))  # best guesses and named policies come first
    return Points(rows, names, frame[names].to_numpy(float)[rows], design)


def subjects_of(
    results: "SweepResults", points: Points, space: str, outcomes: Sequence[str], partnership: str = AREA
) -> Iterator[tuple[Subject, Floats]]:
    """Every quantity that a design can answer for ``[point, replicate]``: the baseline's outcome and each effect over assumption sets.

    Points that are policies have only effects, under the first assumption set.
    """
    for outcome in outcomes:
        values, effects = replicate_values(results, outcome, partnership)
        if space == LEVERS:
            yield Subject(outcome, "", EFFECT), effects[points.rows, 0]
            continue
        for policy, name in enumerate(results.policies["name"]):
            yield Subject(outcome, str(name), EFFECT if policy else OUTCOME), (effects if policy else values)[policy, points.rows]


def sobol_of_sweep(
    results: "SweepResults", outcomes: Sequence[str], space: str = UNCERTAINTIES, partnership: str = AREA, resamples: int = RESAMPLES
) -> dict[Subject, SobolIndices]:
    """Sobol indices of every outcome and effect in a Saltelli design. Raises CspsimError where there is none."""
    points = _wanted(results, space, "saltelli")
    second = bool(points.design.get("second_order"))
    return {
        asked: sobol_indices(values, points.names, second, resamples)
        for asked, values in subjects_of(results, points, space, outcomes, partnership)
    }


def morris_of_sweep(
    results: "SweepResults", outcomes: Sequence[str], space: str = UNCERTAINTIES, partnership: str = AREA, resamples: int = RESAMPLES
) -> dict[Subject, MorrisMeasures]:
    """Morris measures of every outcome and effect in a Morris design. Raises CspsimError where there is none."""
    points = _wanted(results, space, "morris")
    levels = int(points.design.get("levels", 4))
    return {
        asked: morris_measures(values, points.sample, points.names, levels, resamples)
        for asked, values in subjects_of(results, points, space, outcomes, partnership)
    }


def regressions_of_sweep(
    results: "SweepResults", outcomes: Sequence[str], space: str = LEVERS, partnership: str = AREA
) -> dict[Subject, tuple[Regression, FeatureScores]]:
    """Regression and feature scores of every outcome and effect in any design of points. Raises CspsimError where there is none."""
    points = _wanted(results, space, "latin-hypercube", "sobol", "saltelli", "list", "full-factorial", "file")
    return {
        asked: (regression_of(values, points.sample, points.names), feature_scores(values, points.sample, points.names))
        for asked, values in subjects_of(results, points, space, outcomes, partnership)
    }


def levers_of_sweep(
    results: "SweepResults", outcomes: Sequence[str], partnership: str = AREA
) -> dict[str, tuple[list[LeverEffect], dict[str, Floats]]]:
    """Main effects and interactions of levers in a factorial design, and shares of variance with their ends, by outcome.

    Raises CspsimError where the design of levers is none, or not every combination of levels was run.
    """
    points = _wanted(results, LEVERS, "full-factorial", "list")
    best_guess = bool((results.designs.get(UNCERTAINTIES) or {}).get("first", 1))
    found = {}
    for outcome in outcomes:
        effects = replicate_values(results, outcome, partnership)[1][points.rows]
        names, shares = lever_shares(effects[:, 0], points.sample, points.names)
        ends = np.stack([shares.value, shares.low, shares.high], axis=1)
        found[outcome] = lever_effects(effects, points.sample, points.names, best_guess), dict(zip(names, ends, strict=True))
    return found


def _wanted(results: "SweepResults", space: str, *kinds: str) -> Points:
    points = points_of(results, space, kinds)
    if points is None:
        kind = (results.designs.get(space) or {}).get("kind", "none")
        raise CspsimError(f"the design of {space} is {kind}: this analysis needs {' or '.join(kinds)}")
    return points
