"""Runs as tidy tables, one row per run and partnership, with the area as the sum of its partnerships."""

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from cspsim.model.parameters import Floats
from cspsim.model.tallies import AuthorityTally
from cspsim.running.outcomes import OUTCOMES, outcomes_of

if TYPE_CHECKING:
    import pandas as pd

    from cspsim.scenario.scenario import Scenario
    from cspsim.scenario.world_building import Calendar

_AT_ONCE = 1000

AREA = "area"
"""The name under which tables give all partnerships together."""


def with_area(tallies: Floats, axis: int) -> Floats:
    """Tallies with the area, the sum over partnerships, appended on the partnership axis."""
    return np.concatenate([tallies, tallies.sum(axis=axis, keepdims=True)], axis=axis)


class Results:
    """What ``simulate`` returns. Tables are made on demand.

    Attributes:
        scenario, seed, first_replicate: what was run.
        tallies: ``[run, partnership, tally]`` sums over the outcome window.
    """

    def __init__(
        self,
        scenario: "Scenario",
        seed: int,
        first_replicate: int,
        calendar: "Calendar",
        tallies: Floats,
        authorities: Floats,
        monthly: Floats,
    ) -> None:
        self.scenario = scenario
        self.seed = seed
        self.first_replicate = first_replicate
        self.calendar = calendar
        self.tallies = tallies
        self._authorities = authorities
        self._monthly = monthly

    @property
    def replicates(self) -> int:
        """Number of runs."""
        return int(self.tallies.shape[0])

    @property
    def partnerships(self) -> list[str]:
        """Names of the partnerships, and last the area."""
        return [*self.scenario.data.partnerships, AREA]

    @cached_property
    def outcomes(self) -> Floats:
        """Outcomes ``[run, partnership and area, outcome]`` in the order of ``OUTCOMES``."""
        found = np.empty((self.replicates, len(self.partnerships), len(OUTCOMES)))
        for start in range(0, self.replicates, _AT_ONCE):  # the intermediate arrays of the formulas would double the memory of many runs
            part = slice(start, start + _AT_ONCE)
            found[part] = outcomes_of(with_area(self.tallies[part], 1))
        return found

    def area(self, outcome: str) -> Floats:
        """One outcome of the whole area ``[run]``. Raises KeyError for an outcome that does not exist."""
        return self.outcomes[:, -1, list(OUTCOMES).index(outcome)]

    @cached_property
    def runs(self) -> "pd.DataFrame":
        """One row per replicate and partnership (each, and "area"), one column per outcome over the window."""
        import pandas as pd

        n, places = self.replicates, self.partnerships
        frame = pd.DataFrame(self.outcomes.reshape(n * len(places), -1), columns=list(OUTCOMES))
        frame.insert(0, "partnership", np.tile(places, n))
        frame.insert(0, "replicate", np.repeat(np.arange(n) + self.first_replicate, len(places)))
        return frame

    @property
    def monthly_tallies(self) -> Floats:
        """Tallies ``[run, reported month, partnership, tally]``. Raises ValueError if months were not kept."""
        if not self._monthly.shape[0]:
            raise ValueError("months were not kept: run simulate(..., months=True)")
        return self._monthly[:, self.calendar.warm_up :]

    @cached_property
    def monthly_outcomes(self) -> Floats:
        """Outcomes of single months ``[run, reported month, partnership and area, outcome]``.

        Raises ValueError if months were not kept.
        """
        return outcomes_of(with_area(self.monthly_tallies, 2))

    @cached_property
    def months(self) -> "pd.DataFrame":
        """One row per replicate, partnership and reported month, the monthly series as columns. ValueError if not kept."""
        import pandas as pd

        series = self.monthly_outcomes
        n, n_months, n_places, n_outcomes = series.shape
        frame = pd.DataFrame(series.transpose(0, 2, 1, 3).reshape(-1, n_outcomes), columns=list(OUTCOMES))
        frame.insert(0, "month", np.tile(np.array(self.calendar.reported, dtype="datetime64[ns]"), n * n_places))
        frame.insert(0, "partnership", np.tile(np.repeat(self.partnerships, n_months), n))
        frame.insert(0, "replicate", np.repeat(np.arange(n) + self.first_replicate, n_places * n_months))
        return frame

    @cached_property
    def authorities(self) -> "pd.DataFrame":
        """One row per replicate, partnership and authority: hours by kind, share, load, challenges, trust over the window."""
        import pandas as pd

        names = list(self.scenario.data.authorities)
        places = self.partnerships[:-1]
        n = self.replicates
        frame = pd.DataFrame(self._authorities.reshape(-1, len(AuthorityTally)), columns=[tally.name.lower() for tally in AuthorityTally])
        frame.insert(0, "authority", np.tile(names, n * len(places)))
        frame.insert(0, "partnership", np.tile(np.repeat(places, len(names)), n))
        frame.insert(0, "replicate", np.repeat(np.arange(n) + self.first_replicate, len(places) * len(names)))
        total = frame.groupby(["replicate", "partnership"])["hours"].transform("sum")
        frame.insert(3, "share", (frame["hours"] / total).where(total > 0))
        frame.insert(4, "load", (frame["hours"] / frame["available_hours"]).where(frame["available_hours"] > 0))
        pairs = frame.pop("trust_pairs")
        for column in ("trust_placed", "trust_received"):
            frame[column] = (frame[column] / pairs).where(pairs > 0)
        return frame
