"""Whether the replicates so far pin the primary effect down as closely as was asked."""

import numpy as np

from cspsim.running.results import AREA
from cspsim.sweep.folders import LocalFolder
from cspsim.sweep.store import SweepStore
from cspsim.sweep.stored_results import SweepResults, load_results

WIDTH = 1.96  # standard errors in half of a 95 % interval


def enough(store: SweepStore, round_number: int) -> tuple[bool, str]:
    """Whether the precision is reached after a round, and a sentence about it.

    Judged is the widest interval of the primary effect over all policies, at the best guesses (or over the mean of the
    sets, where these are not run), as a share of the baseline's value.
    """
    place = store.folder.path if isinstance(store.folder, LocalFolder) else str(store.folder)
    runs = store.plan.runs_after(round_number)  # a resumed sweep may hold more, and must decide as it did before
    wanted = float(store.plan.experiment.data.luck.precision or 0)
    share = half_width_share(load_results(place), store.plan.experiment.primary, runs)
    replicates = store.plan.rounds[round_number]
    verb = "was reached with" if share <= wanted else "was not reached with"
    return share <= wanted, (
        f"Precision: an interval of +-{100 * wanted:g} % of the baseline's value {verb} {replicates:,} replicates (+-{100 * share:.2g} %)."
    )


def half_width_share(results: SweepResults, outcome: str, before_run: int | None = None) -> float:
    """The widest half interval of an effect over policies, over the baseline's value."""
    cells = results.cells(outcome, AREA, before_run)
    errors = cells.noise()
    if results.designs["uncertainties"]["first"]:
        value, widest = cells.value[0, 0], WIDTH * np.nanmax(errors[:, 0])
    else:
        value, widest = cells.value[0].mean(), WIDTH * np.nanmax(np.sqrt((errors**2).sum(axis=1)) / errors.shape[1])
    return float(widest / abs(value)) if value else float(np.inf)
