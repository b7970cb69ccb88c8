"""What factors do in a sampled design, levers or assumptions: a regression with interactions, and feature scores of trees.

Both say how much of the outcome they explain at points they have not seen; read that first.
"""

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np

from cspsim.analysis.noise import Estimate, with_interval
from cspsim.basics.errors import CspsimError, needs
from cspsim.model.parameters import Floats

POINTS_FOR_EACH_TERM = 5
"""Interactions are fitted only where each term of the regression has at least as many points."""
MOST_TERMS, MOST_POINTS = 200, 2_000
"""With more terms than this, which nobody would read, interactions are left out; more points than this do not improve the trees."""


class Regression(NamedTuple):
    """A linear regression on standardised factors.

    Attributes:
        terms: factors, then pairs of them ("" as second name for a factor alone).
        coefficients: change of the outcome for one standard deviation of a factor, in its unit; of a pair, how much that
            changes for one standard deviation of the other.
        standardised: the same in standard deviations of the outcome between points.
        explained, held_out: share of the variance between points explained, at the points fitted and at points left out.
        reachable: the share that no regression could exceed, since the rest is luck; 1 with a single replicate.
        points, left_out: used, and left out because a run failed or the outcome was not defined.
    """

    terms: list[tuple[str, str]]
    coefficients: Estimate
    standardised: Floats
    explained: float
    held_out: float
    reachable: float
    points: int
    left_out: int


def regression_of(values: Floats, sample: Floats, names: Sequence[str], interactions: bool = True) -> Regression:
    """Least squares of an outcome ``[point, replicate]`` on factors ``[point, factor]`` and, where points suffice, on their pairs.

    The design's error is heteroskedasticity-consistent (HC3 of MacKinnon and White 1985, Journal of Econometrics 29, 305-325),
    the seeds' error the spread of the coefficients between replicates. ``held_out`` leaves out one point at a time.

    Raises CspsimError where there are not more points than factors.
    """
    complete = ~np.isnan(values).any(axis=1)
    runs, chosen = values[complete], sample[complete]
    points, replicates = runs.shape
    spread = chosen.std(axis=0)
    moving = np.divide(chosen - chosen.mean(axis=0), spread, out=np.zeros(chosen.shape), where=spread > 0)
    pairs = list(combinations(range(len(names)), 2))
    wanted = 1 + len(names) + len(pairs)
    with_pairs = interactions and wanted <= min(MOST_TERMS, points / POINTS_FOR_EACH_TERM)
    terms = [(name, "") for name in names] + [(names[j], names[k]) for j, k in pairs if with_pairs]
    columns = [np.ones(points), *moving.T] + [moving[:, j] * moving[:, k] for j, k in pairs if with_pairs]
    matrix = np.column_stack(columns)
    if points <= matrix.shape[1]:
        raise CspsimError(f"{points} complete points for {matrix.shape[1]} terms: a regression needs more points than terms")
    solve = np.linalg.pinv(matrix)
    leverage = np.einsum("pk,kp->p", matrix, solve)
    mean = runs.mean(axis=1)
    by_replicate = solve @ runs
    fitted = by_replicate.mean(axis=1)
    residuals = mean - matrix @ fitted
    left_out = residuals / np.maximum(1 - leverage, 1e-9)
    design_error = np.sqrt((solve**2) @ left_out**2)
    seed_error = by_replicate.std(axis=1, ddof=1) / np.sqrt(replicates) if replicates > 1 else np.full(len(fitted), np.nan)
    variance = float(((mean - mean.mean()) ** 2).sum())
    deleted = float((((mean - mean.mean()) * points / (points - 1)) ** 2).sum())
    apart = runs - runs.mean(axis=0)  # what luck does to all points alike is no variance between points
    luck = float(apart.var(axis=1, ddof=1).sum()) / replicates if replicates > 1 else 0.0
    found = with_interval(fitted, design_error, seed_error, replicates, points - matrix.shape[1])
    return Regression(
        terms,
        found.part(slice(1, None)),
        standardised=fitted[1:] / np.sqrt(variance / points) if variance > 0 else np.full(len(terms), np.nan),
        explained=_share_explained(residuals, variance),
        held_out=_share_explained(left_out, deleted),
        reachable=1 - luck / variance if variance > 0 else np.nan,
        points=points,
        left_out=len(values) - points,
    )


def _share_explained(residuals: Floats, variance: float) -> float:
    return 1 - float((residuals**2).sum()) / variance if variance > 0 else np.nan


class FeatureScores(NamedTuple):
    """How much trees use each factor ``[factor]`` (shares that add up to 1), and the share of variance they explain unseen."""

    names: tuple[str, ...]
    scores: Floats
    held_out: float


def feature_scores(values: Floats, sample: Floats, names: Sequence[str], seed: int = 1) -> FeatureScores:
    """Scores of extremely randomised trees, as the EMA Workbench's feature scoring; whatever shape the dependence has.

    Args: as for ``regression_of``. ``held_out`` is the share explained in five folds, each predicted from the other four. With
    more than ``MOST_POINTS`` points, that many are drawn.

    Source: Geurts, Ernst and Wehenkel 2006, "Extremely randomized trees", Machine Learning 63, 3-42.

    Raises CspsimError without scikit-learn, or with fewer than ten complete points.
    """
    try:
        from sklearn.ensemble import ExtraTreesRegressor
        from sklearn.model_selection import KFold, cross_val_predict
    except ModuleNotFoundError:
        raise needs("the scoring of assumptions", "scikit-learn", "analysis") from None
    complete = ~np.isnan(values).any(axis=1)
    mean, chosen = values[complete].mean(axis=1), sample[complete]
    if len(mean) < 10:
        raise CspsimError(f"{len(mean)} complete points: feature scores need ten and should have hundreds")
    if len(mean) > MOST_POINTS:
        drawn = np.random.default_rng(seed).choice(len(mean), MOST_POINTS, replace=False)
        mean, chosen = mean[drawn], chosen[drawn]
    trees = ExtraTreesRegressor(n_estimators=100, max_features=0.6, min_samples_leaf=2, random_state=seed)
    predicted = cross_val_predict(trees, chosen, mean, cv=KFold(5, shuffle=True, random_state=seed))
    scores = trees.fit(chosen, mean).feature_importances_
    variance = float(((mean - mean.mean()) ** 2).sum())
    return FeatureScores(tuple(names), np.asarray(scores), _share_explained(mean - predicted, variance))
