"""Sensitivity as tables: one row per outcome and factor, every index with its interval and the two parts of it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from cspsim.analysis.main_effects import LeverEffect
from cspsim.analysis.morris import MorrisMeasures
from cspsim.analysis.regression import FeatureScores, Regression
from cspsim.analysis.sensitivity import SobolIndices
from cspsim.analysis.swept import Subject
from cspsim.model.parameters import Floats

if TYPE_CHECKING:
    import pandas as pd

SUM = "sum"
"""In place of a factor: the sum over factors."""


def sobol_table(found: Mapping[Subject, SobolIndices]) -> "pd.DataFrame":
    """One row per outcome, order and factor (or pair, or the sum over factors): the index, its interval, and the interval's parts."""
    import pandas as pd

    rows = []
    for asked, indices in found.items():
        whole = [(name, "") for name in indices.names]
        parts = (("first", whole, indices.first), ("total", whole, indices.total), ("second", indices.pairs, indices.second))
        plain = {"first": indices.uncorrected_first, "total": indices.uncorrected_total}
        for order, factors, estimate in parts:
            raw = plain.get(order, np.full(len(factors), np.nan))
            rows += [(*asked, order, *factor, *(field[k] for field in estimate), raw[k]) for k, factor in enumerate(factors)]
        for k, order in enumerate(("first", "total")):
            rows.append((*asked, order, SUM, "", *(field[k] for field in indices.sums), float(plain[order].sum())))
    names = "outcome policy of order factor other_factor index low high design_error seed_error uncorrected"
    return pd.DataFrame(rows, columns=names.split())


def luck_of_runs_table(found: Mapping[Subject, SobolIndices]) -> "pd.DataFrame":
    """One row per outcome: the share of the variance of single runs that is luck, how much of it moves all points alike."""
    import pandas as pd

    rows = []
    for asked, one in found.items():
        luck, common = one.luck.part(0), one.luck.part(1)
        rows.append(
            (*asked, luck.value, luck.low, luck.high, common.value, float(one.variance.value), one.rows, one.left_out, one.replicates)
        )
    names = "outcome policy of luck_share luck_low luck_high common_share variance base_rows left_out replicates"
    return pd.DataFrame(rows, columns=names.split())


def morris_table(found: Mapping[Subject, MorrisMeasures]) -> "pd.DataFrame":
    """One row per outcome and factor: mu, mu* and sigma with intervals, and what they would be with luck left in."""
    import pandas as pd

    rows = []
    for asked, one in found.items():
        for k, factor in enumerate(one.names):
            mu, star = one.mu.part(k), one.mu_star.part(k)
            raw = (one.uncorrected_mu_star[k], one.uncorrected_sigma[k])
            rows.append((*asked, factor, mu.value, mu.low, mu.high, *star, float(one.sigma[k]), *raw))
    names = (
        "outcome policy of factor mu mu_low mu_high mu_star low high design_error seed_error sigma mu_star_uncorrected sigma_uncorrected"
    )
    return pd.DataFrame(rows, columns=names.split())


def lever_table(found: Mapping[str, tuple[list[LeverEffect], dict[str, Floats]]]) -> "pd.DataFrame":
    """One row per outcome and contrast of levers; columns as in ``LeverEffect``."""
    import pandas as pd

    rows = [(outcome, *effect) for outcome, (effects, _) in found.items() for effect in effects]
    return pd.DataFrame(rows, columns=["outcome", *LeverEffect._fields])


def lever_shares_table(found: Mapping[str, tuple[list[LeverEffect], dict[str, Floats]]]) -> "pd.DataFrame":
    """One row per outcome and lever, pair of levers, and the rest: its share of the variance between policies."""
    import pandas as pd

    rows = [(outcome, part, *ends) for outcome, (_, shares) in found.items() for part, ends in shares.items()]
    return pd.DataFrame(rows, columns=["outcome", "part", "share", "low", "high"])


def regression_table(found: Mapping[Subject, tuple[Regression, FeatureScores]]) -> "pd.DataFrame":
    """One row per outcome and term: coefficient with interval, feature score, and what is explained at points not seen."""
    import pandas as pd

    rows = []
    for asked, (fit, trees) in found.items():
        scores = dict(zip(trees.names, trees.scores, strict=True))
        for k, (factor, other) in enumerate(fit.terms):
            score = scores[factor] if not other else np.nan
            figures = (*(field[k] for field in fit.coefficients), fit.standardised[k], score)
            rows.append((*asked, factor, other, *figures, fit.held_out, trees.held_out, fit.reachable, fit.points, fit.left_out))
    names = (
        "outcome policy of factor other_factor coefficient low high design_error seed_error standardised tree_score "
        "regression_held_out trees_held_out reachable points left_out"
    )
    return pd.DataFrame(rows, columns=names.split())
