"""Value for money: what was spent, what was averted, and the ratio of the two."""

import math
from typing import TYPE_CHECKING

import numpy as np

from cspsim.model.parameters import Floats
from cspsim.model.tallies import Tally
from cspsim.running.outcomes import OUTCOMES, POUNDS, outcomes_of

if TYPE_CHECKING:
    import pandas as pd

RUNS_LOW, RUNS_HIGH = 0.05, 0.95
"""The quantiles over runs between which tables give a spread: what a single run might show."""


def spread(values: Floats) -> tuple[float, float]:
    """The 5th and 95th percentile over runs that have a value; not-a-number if none has."""
    defined = values[~np.isnan(values)]
    if not defined.size:
        return math.nan, math.nan
    low, high = np.quantile(defined, (RUNS_LOW, RUNS_HIGH))
    return float(low), float(high)


_COST = {Tally.SPENT: 1.0, Tally.HOURS_COST: 1.0}
_AVERTED = {Tally.TWIN_COST_OF_CRIME: 1.0, Tally.COST_OF_CRIME: -1.0}
_SUMS: dict[str, dict[Tally, float]] = {
    "Grant received": {Tally.RECEIVED: 1.0},
    "Grant returned unspent": {Tally.RETURNED: 1.0},
    "Grant spent": {Tally.SPENT: 1.0},
    "Partner hours at their cost": {Tally.HOURS_COST: 1.0},
    "of which governance": {Tally.GOVERNANCE_COST: 1.0},
    "Total cost": _COST,
    "Cost of crime averted": _AVERTED,
    "Averted less total cost": {**_AVERTED, Tally.SPENT: -1.0, Tally.HOURS_COST: -1.0},
}
_RATIOS = ("benefit_cost_ratio", "benefit_cost_ratio_without_governance")


def value_for_money(tallies: Floats) -> "pd.DataFrame":
    """Costs, benefits and benefit-cost ratios of ``[run, tally]``: columns item, value, low, high, unit.

    ``value`` is the mean over runs of a sum and the ratio of sums of a ratio; ``low`` and ``high`` are the 5th and 95th
    percentile over runs. A ratio is not-a-number where nothing was spent.
    """
    import pandas as pd

    rows: list[tuple[str, float, float, float, str]] = []
    for item, weights in _SUMS.items():
        per_run = np.asarray(sum(weight * tallies[:, tally] for tally, weight in weights.items()))
        rows.append((item, float(per_run.mean()), *spread(per_run), POUNDS))
    together, per_run_outcomes = outcomes_of(tallies.sum(axis=0)), outcomes_of(tallies)
    for name in _RATIOS:
        column = list(OUTCOMES).index(name)
        rows.append((OUTCOMES[name].title, float(together[column]), *spread(per_run_outcomes[:, column]), OUTCOMES[name].unit))
    return pd.DataFrame(rows, columns=["item", "value", "low", "high", "unit"])
