"""Results by financial year, April to March: in monthly figures the season hides everything else."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

import numpy as np

from cspsim.model.parameters import Floats, Integers
from cspsim.running.outcomes import OUTCOMES, outcomes_of
from cspsim.running.results import Results, with_area


class Years(NamedTuple):
    """Outcomes ``[run, year, partnership and area, outcome]``; ``first`` and ``whole`` are ``[year]``.

    ``first`` is the calendar year in which each financial year began, ``whole`` whether all its twelve months were run.
    """

    first: Integers
    whole: Integers
    outcomes: Floats

    def area(self, outcome: str) -> Floats:
        """One outcome of the whole area ``[run, year]``. Raises KeyError for one that does not exist."""
        if outcome not in OUTCOMES:
            raise KeyError(outcome)
        return self.outcomes[:, :, -1, list(OUTCOMES).index(outcome)]

    @property
    def labels(self) -> list[str]:
        """``2011/12``, ..."""
        return [f"{year}/{(year + 1) % 100:02d}" for year in self.first]


def by_year(results: Results) -> Years:
    """Outcomes of each whole financial year that was reported: sums of tallies first, ratios of the sums after.

    Raises ValueError if months were not kept.
    """
    tallies = results.monthly_tallies
    if not len(tallies):
        raise ValueError("months were not kept: run simulate(..., months=True)")
    years, whole, sums = year_sums(tallies, results.calendar.reported)
    return Years(years, whole, outcomes_of(with_area(sums, 2)))


def year_sums(tallies: Floats, reported: Sequence[date]) -> tuple[Integers, Integers, Floats]:
    """Tallies ``[run, month, ...]`` of the reported months added up by financial year.

    Gives ``first`` and ``whole`` as in ``Years``, and sums ``[run, year, ...]``.
    """
    began = np.array([day.year if day.month >= 4 else day.year - 1 for day in reported], dtype=np.int64)
    years, lengths = np.unique(began, return_counts=True)
    sums = np.stack([tallies[:, began == year].sum(axis=1) for year in years], axis=1)
    return years, (lengths == 12).astype(np.int64), sums
