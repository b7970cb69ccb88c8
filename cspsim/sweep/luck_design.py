"""A design that tells the streams of luck apart: every stream has its own replicate number, row by row."""

from collections.abc import Sequence

import numpy as np

from cspsim.model.luck import STREAMS
from cspsim.model.parameters import Words


def luck_design(base: int, groups: Sequence[str] = STREAMS) -> Words:
    """Replicate number of every stream ``[row, stream]`` of a grouped Saltelli design (Saltelli 2010, table 2).

    For each of ``base`` samples: a row A, for each group a row A with that group's number from B, and a row B; numbers of
    A are 0 to base - 1, of B base to 2 base - 1. Streams that are no group of their own go together as one more, "rest".
    Rows stand in the order SALib's analysis expects, groups in the order of ``STREAMS`` with the rest last.
    """
    parts = group_streams(groups)
    rows = np.empty((base, len(parts) + 2, len(STREAMS)), dtype=np.uint64)
    rows[:] = np.arange(base, dtype=np.uint64)[:, None, None]
    for k, streams in enumerate(parts.values()):
        rows[:, k + 1, streams] += np.uint64(base)
    rows[:, -1] += np.uint64(base)
    return rows.reshape(-1, len(STREAMS))


def group_streams(groups: Sequence[str]) -> dict[str, list[int]]:
    """Name of each group -> its streams by position; those not named are the rest."""
    parts = {name: [k] for k, name in enumerate(STREAMS) if name in groups}
    rest = [k for k, name in enumerate(STREAMS) if name not in groups]
    return {**parts, "rest": rest} if rest else parts
