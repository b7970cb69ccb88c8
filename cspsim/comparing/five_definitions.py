"""The effectiveness dashboard: the same runs judged by five definitions of "effective", which need not agree.

Partnerships were judged by recorded crime. Whether that is what happened, what mattered, what people felt or what paid
are separate questions; how often the answers differ is a result of its own.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cspsim.basics.errors import CspsimError, did_you_mean
from cspsim.comparing.money import spread, value_for_money
from cspsim.model.parameters import Floats
from cspsim.model.tallies import Tally
from cspsim.one_run.run import Run
from cspsim.running.outcomes import OUTCOMES, outcomes_of
from cspsim.running.results import AREA, Results, with_area

if TYPE_CHECKING:
    import pandas as pd


class Definition(NamedTuple):
    """One way to call a partnership effective: ``measure``, a sum of weighted outcomes, lies above ``bar``."""

    name: str
    title: str
    meaning: str
    unit: str
    measure: Mapping[str, float]
    bar: float

    def value(self, tallies: Floats) -> Floats:
        """The measure ``[...]`` of tallies ``[..., tally]``; not-a-number with nothing to divide by."""
        outcomes = outcomes_of(tallies)
        return np.asarray(sum(weight * outcomes[..., list(OUTCOMES).index(name)] for name, weight in self.measure.items()))


DEFINITIONS = (
    Definition(
        "recorded_crime", "Recorded crime", "it fell from the window's first 12 months to its last 12", "share", {"recorded_fall": 1}, 0
    ),
    Definition("true_crime", "True crime", "there was less of it than without the partnership", "share", {"crimes_averted_share": 1}, 0),
    Definition(
        "severity",
        "Severity",
        "crime weighted by severity was less than without the partnership",
        "share",
        {"severity_averted_share": 1},
        0,
    ),
    Definition(
        "confidence",
        "Public confidence",
        "it rose from the window's first 12 months to its last 12",
        "share",
        {"confidence_last_year": 1, "confidence_first_year": -1},
        0,
    ),
    Definition(
        "value_for_money", "Value for money", "what was averted is worth more than it cost", "£ per £", {"benefit_cost_ratio": 1}, 1
    ),
)

FUNNEL = (
    ("planned", "Planned", Tally.PLANNED_PROJECTS),
    ("started", "Started", Tally.STARTED_PROJECTS),
    ("adequate", "With adequate dose", Tally.ADEQUATE_PROJECTS),
    ("effective", "Truly effective", Tally.EFFECTIVE_PROJECTS),
)


class Dashboard:
    """Runs of one place judged. Tables are made on demand.

    Attributes:
        tallies: ``[run, tally]`` over the outcome window.
        measures: ``[run, definition]`` in the order of ``DEFINITIONS``.
        effective: ``[run, definition]`` 1 effective, 0 not, not-a-number where the measure is not defined (nothing spent).
    """

    def __init__(self, tallies: Floats) -> None:
        self.tallies = tallies
        self.measures: Floats = np.stack([definition.value(tallies) for definition in DEFINITIONS], axis=-1)
        bars = np.array([definition.bar for definition in DEFINITIONS])
        self.effective: Floats = np.where(np.isnan(self.measures), np.nan, self.measures > bars)

    @property
    def runs(self) -> int:
        """Number of runs judged."""
        return int(self.tallies.shape[0])

    @property
    def disagree_share(self) -> float:
        """Share of runs in which not all (defined) definitions say the same."""
        return float(((self.effective == 1).any(axis=1) & (self.effective == 0).any(axis=1)).mean())

    @cached_property
    def definitions(self) -> "pd.DataFrame":
        """One row per definition: title, meaning, unit, bar, value, low, high, effective_share.

        ``value`` is the measure of all runs together (sums are added up before they are divided), ``low`` and ``high`` the
        5th and 95th percentile over runs, ``effective_share`` the share of runs above the bar among those with a measure.
        """
        import pandas as pd

        together = self.tallies.sum(axis=0)
        rows = [
            (
                definition.name,
                definition.title,
                definition.meaning,
                definition.unit,
                definition.bar,
                float(definition.value(together)),
                *spread(self.measures[:, k]),
                _mean(self.effective[:, k]),
            )
            for k, definition in enumerate(DEFINITIONS)
        ]
        columns = ["definition", "title", "meaning", "unit", "bar", "value", "low", "high", "effective_share"]
        return pd.DataFrame(rows, columns=columns)

    @cached_property
    def agreement(self) -> "pd.DataFrame":
        """Share of runs in which two definitions say the same, of those in which both are defined; definition x definition."""
        import pandas as pd

        names = [definition.name for definition in DEFINITIONS]
        shares = [[_agreement(one, other) for other in self.effective.T] for one in self.effective.T]
        return pd.DataFrame(shares, index=names, columns=names)

    @cached_property
    def funnel(self) -> "pd.DataFrame":
        """From plan to effect: stage, title, project_years (mean per run), value, low, high as shares of what was planned."""
        import pandas as pd

        planned = self.tallies[:, Tally.PLANNED_PROJECTS]
        rows = []
        for stage, title, tally in FUNNEL:
            count = self.tallies[:, tally]
            share = np.divide(count, planned, out=np.full(len(count), np.nan), where=planned > 0)
            together = float(count.sum() / planned.sum()) if planned.sum() > 0 else np.nan
            rows.append((stage, title, float(count.mean()), together, *spread(share)))
        return pd.DataFrame(rows, columns=["stage", "title", "project_years", "value", "low", "high"])

    @cached_property
    def value_for_money(self) -> "pd.DataFrame":
        """Costs, benefits and benefit-cost ratios; see ``money.value_for_money``."""
        return value_for_money(self.tallies)


def _mean(values: Floats) -> float:
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if defined.size else np.nan


def _agreement(one: Floats, other: Floats) -> float:
    both = ~np.isnan(one) & ~np.isnan(other)
    return float((one[both] == other[both]).mean()) if both.any() else np.nan


def dashboard(source: Results | Run, partnership: str = AREA) -> Dashboard:
    """Judge many runs, or one run over the months of its window so far, of one partnership or of the area.

    Raises CspsimError for a partnership that does not exist.
    """
    places = [*source.scenario.data.partnerships, AREA]
    if partnership not in places:
        raise CspsimError(f'no partnership is called "{partnership}"; {did_you_mean(partnership, places)}')
    tallies = source.tallies if isinstance(source, Results) else source.window[None]
    return Dashboard(with_area(tallies, 1)[:, places.index(partnership)])
