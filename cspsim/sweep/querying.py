"""The answer to a query over the tables of a sweep, some rows at a time and within its limits."""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pyarrow as arrow

from cspsim.basics.errors import CspsimError
from cspsim.basics.limits import TooMuch, in_bytes
from cspsim.sweep.sandbox import interruptible

if TYPE_CHECKING:
    from cspsim.sweep.stored_results import SweepResults

AT_ONCE = 20_000  # rows


def batches(results: "SweepResults", query: str, most: float = float("inf")) -> Iterator[arrow.RecordBatch]:
    """The answer to a query, some rows at a time. ``most``: bytes of an answer that is kept whole.

    Raises CspsimError when it is refused, TooMuch when it goes beyond the limits.
    """
    connection = results.connection
    ends = time.monotonic() + results.limits.seconds
    size = 0
    relation = interruptible(connection, lambda: connection.sql(query), ends)
    if relation is None:
        raise CspsimError("there is no query: expected something like SELECT policy, count(*) FROM runs GROUP BY policy")
    reader: Any = interruptible(connection, lambda: relation.to_arrow_reader(AT_ONCE), ends)
    yield arrow.RecordBatch.from_pylist([], schema=reader.schema)  # so that an empty answer still has its columns
    while True:
        batch = interruptible(connection, lambda: next(iter(reader), None), ends)
        if batch is None:
            return
        size += batch.nbytes
        if size > most:
            raise TooMuch(
                f"the answer is larger than {in_bytes(most)}: ask for fewer rows or for sums, export it to a file, "
                "or allow more with --memory-limit, such as 8GB"
            )
        yield batch
