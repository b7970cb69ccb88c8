"""What the browser needs to play a recording by itself: two drawings, what moves in them, and the log; all of it up to a month."""

from typing import Any, NamedTuple

from cspsim.web.watch.diagram import both
from cspsim.web.watch.log import log_of
from cspsim.web.watch.series import ScenarioShown
from cspsim.web.watch.shapes import Track, Value, as_svg


class Frames(NamedTuple):
    """One scenario's table as the browser gets it. Nothing later than the month asked for is in it."""

    letter: str
    title: str
    role: str
    wide: str
    tall: str
    tracks: list[list[Any]]
    log: list[list[Any]]


def frames_of(side: ScenarioShown, partnership: str, until: int) -> Frames:
    """One scenario's months from the first to ``until``."""
    wide, tall = both(side.recording, partnership, bool(side.letter))
    return Frames(
        side.letter,
        side.recording.scenario.title,
        side.role,
        as_svg(wide, 0),
        as_svg(tall, 0),
        [[track.key, track.attribute, changes] for track in wide.tracks if len(changes := value_changes(track, until)) > 2],
        [
            [entry.month, entry.kind, list(entry.authorities), entry.text]
            for entry in log_of(side.recording, partnership)
            if entry.month <= until
        ],
    )


def value_changes(track: Track, until: int) -> list[Value]:
    """A track as month, value, month, value, ...: only where it changes."""
    found: list[Value] = []
    for month, value in enumerate(track.values[: until + 1]):
        if not found or value != found[-1]:
            found += [month, value]
    return found
