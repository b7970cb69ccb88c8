"""When luck matters: under which assumptions a stream of luck moves an outcome more, or less."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cspsim.analysis.luck_shares import luck_groups, values_of_rows
from cspsim.analysis.swept import Subject
from cspsim.basics.errors import CspsimError
from cspsim.comparing.differences import holm
from cspsim.model.luck import PARAMETERS, STREAMS
from cspsim.model.parameters import Floats, Words
from cspsim.running.results import AREA
from cspsim.sweep.luck_design import group_streams

if TYPE_CHECKING:
    from cspsim.sweep.stored_results import SweepResults


class Moderator(NamedTuple):
    """How an assumption goes with what a stream moves: rank correlation, p-value after Holm, mean size where it is low and high.

    ``when_low`` and ``when_high`` are the root mean square of what exchanging the stream's luck moves, in the outcome's unit,
    over the quarters of assumption sets in which the assumption is lowest and highest.
    """

    assumption: str
    correlation: float
    p_holm: float
    when_low: float
    when_high: float


def moderators_of(
    values: Floats, table: Words, stream: str, sample: Floats, names: Sequence[str], groups: Sequence[str] = STREAMS
) -> list[Moderator]:
    """Assumptions by how strongly they go with what a stream of luck moves, the strongest first.

    In each base row of a design of luck, rows A and "A with this stream from B" share everything but the stream's luck, the
    assumption set included; the size of their difference is what the stream moves under that set (over all base rows, half its
    mean square is the stream's total variance). Its ranks are correlated with the ranks of each assumption (Spearman).

    Args:
        values: ``[row]`` as for ``luck_shares``. table: the design, ``[row, stream]``.
        sample: ``[set, assumption]``, the sets in the order in which the design counts them. names: of the assumptions.

    Raises CspsimError for a stream that is no factor of the design, or "parameters", which are the assumptions themselves.
    """
    from scipy.stats import spearmanr

    factors = list(group_streams(groups))
    if stream not in factors or stream == STREAMS[PARAMETERS]:
        raise CspsimError(f'no stream "{stream}" to look at: expected one of {", ".join(factors[:-1])}')
    step = len(factors) + 2
    rows = values.reshape(-1, step)
    moved = np.abs(rows[:, 0] - rows[:, 1 + factors.index(stream)])
    own_set = table.reshape(-1, step, len(STREAMS))[:, 0, PARAMETERS].astype(np.int64)
    complete = ~np.isnan(moved)
    moved, assumed = moved[complete], sample[own_set[complete]]
    varying = [k for k in range(len(names)) if np.ptp(assumed[:, k]) > 0]
    tests = [spearmanr(moved, assumed[:, k]) for k in varying] if np.ptp(moved) > 0 else []
    p_values = holm(np.array([test.pvalue for test in tests]))
    found = []
    for k, test, p_value in zip(varying, tests, p_values, strict=False):
        low, high = np.quantile(assumed[:, k], (0.25, 0.75))
        ends = [float(np.sqrt((moved[part] ** 2).mean() / 2)) for part in (assumed[:, k] <= low, assumed[:, k] >= high)]
        found.append(Moderator(names[k], float(test.statistic), float(p_value), *ends))
    return sorted(found, key=lambda moderator: -abs(moderator.correlation))


def moderators_of_sweep(results: "SweepResults", outcome: str, stream: str, partnership: str = AREA) -> dict[Subject, list[Moderator]]:
    """When a stream matters for an outcome and for each policy's effect, from a sweep with a design of luck over assumptions.

    Raises CspsimError for a sweep without a design of luck or without sampled assumptions.
    """
    groups, design = luck_groups(results), results.designs["uncertainties"]
    names = list(design["names"])
    if not names:
        raise CspsimError("no assumptions were sampled here: nothing can be said on when a stream of luck matters")
    sample = results.assumptions[names].to_numpy(float)[int(design["first"]) :]
    table = results.luck[list(STREAMS)].to_numpy(np.uint64)
    values = values_of_rows(results, outcome, partnership)
    return {asked: moderators_of(own, table, stream, sample, names, groups) for asked, own in values.items()}
