"""Value for money, and figures in words with no more digits than their noise supports."""

import math
from typing import TYPE_CHECKING

import numpy as np

from cspsim.model.parameters import Floats
from cspsim.model.tallies import Tally
from cspsim.running.outcomes import OUTCOMES, POUNDS, SHARE, outcomes_of

if TYPE_CHECKING:
    import pandas as pd

FIGURES_WITHOUT_NOISE = 3
"""Significant figures of a number that comes without any noise to judge it by."""

RUNS_LOW, RUNS_HIGH = 0.05, 0.95
"""The quantiles over runs between which tables give a spread: what one world might see."""

_SCALES = ((9, "bn"), (6, "m"))


def _place(value: float, noise: float) -> int:
    """The power of ten of the last digit worth printing: the noise's leading digit, and one more if that is a 1."""
    if noise > 0 and math.isfinite(noise):
        place = math.floor(math.log10(noise))
        return place - 1 if noise < 2 * 10.0**place else place
    if value == 0 or not math.isfinite(value):
        return 0
    return math.floor(math.log10(abs(value))) - FIGURES_WITHOUT_NOISE + 1


def rounded(value: float, noise: float) -> float:
    """``value`` rounded at the digit that ``noise`` (half the width of its interval) supports; three figures without noise.

    That is the noise's leading digit, and the next one if the leading digit is a 1, since 24 +- 12 is not 20 +- 10.
    """
    return round(value, -_place(value, noise)) if math.isfinite(value) else value


def in_pounds(value: float, noise: float, like: float | None = None) -> str:
    """Money in words: "£41m", "-£1.2bn", "£850,000", rounded to what ``noise`` supports.

    ``like`` is the amount that chooses between pounds, millions and billions, so that both ends of a range look alike.
    """
    if not math.isfinite(value):
        return "not defined"
    amount = rounded(value, noise)
    size = abs(amount if like is None else rounded(like, noise))
    power, suffix = next(((power, word) for power, word in _SCALES if size >= 10**power), (0, ""))
    decimals = min(max(0, power - _place(value, noise)), 2 if power == 0 else power)
    return f"{'-' if amount < 0 else ''}£{abs(amount) / 10**power:,.{decimals}f}{suffix}"


def in_words(value: float, noise: float, unit: str, like: float | None = None) -> str:
    """A difference with its unit, rounded to what ``noise`` supports; of shares in percentage points, of ratios bare."""
    if unit == POUNDS:
        return in_pounds(value, noise, like)
    if not math.isfinite(value):
        return "not defined"
    sign, word = ("£", unit[2:]) if unit.startswith("£ ") else ("", {SHARE: "percentage points", "times": ""}.get(unit, unit))
    times = 100 if unit == SHARE else 1
    amount = rounded(value * times, noise * times)
    decimals = max(0, -_place(value * times, noise * times))
    return f"{'-' if amount < 0 else ''}{sign}{abs(amount):,.{decimals}f} {word}".rstrip()


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
