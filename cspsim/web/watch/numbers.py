"""The drawn table in numbers: its text twin."""

from collections.abc import Sequence

import numpy as np

from cspsim.basics.formats import MISSING, roughly
from cspsim.web.table import Table
from cspsim.web.watch.card import card_news
from cspsim.web.watch.recorded_run import Recording

COLUMNS = (
    "Authority",
    "Work, of its hours",
    "Money a month",
    "Trust it has in others",
    "Trust others have in it",
    "Challenges made",
    "News",
)


def numbers_of(recording: Recording, partnership: str, month: int) -> Table:
    """Every authority of a table in one month."""
    p = recording.partnerships.index(partnership)
    sitting = [seat for seat in recording.seats(p) if recording.member[month, p, seat] > 0]
    rows = []
    for seat in recording.seats(p):
        name = recording.authorities[seat]
        title = recording.titles[name]
        if seat not in sitting:
            rows.append([title, *[MISSING] * 5, "Not at the table"])
            continue
        trust, others = recording.trust[month, p], [other for other in sitting if other != seat]
        rows.append(
            [
                title,
                f"{recording.load[month, p, seat]:.0%}",
                roughly(recording.budget[month, p, seat], "£"),
                *(_mean(values) for values in (trust[seat, others], trust[others, seat])),
                f"{recording.challenges[month, p, seat]:.0f}",
                card_news(recording, partnership, name)[month] or MISSING,
            ]
        )
    return Table(COLUMNS, rows, f"{recording.titles[partnership]}, {recording.months[month]:%B %Y}: {recording.scenario.title}")


def _mean(values: Sequence[float] | np.ndarray) -> str:
    return f"{float(np.mean(values)):.2f}" if len(values) else MISSING
