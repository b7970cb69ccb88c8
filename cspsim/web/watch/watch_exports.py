"""What a visitor takes away: the log and the months as CSV, and the same run at the command line."""

from cspsim.basics.outward import for_shell
from cspsim.running.outcomes import OUTCOMES, outcomes_of
from cspsim.running.results import AREA, with_area
from cspsim.web.shown_scenarios import file_of
from cspsim.web.table import Table, as_csv
from cspsim.web.watch.diagram import draw_table
from cspsim.web.watch.log import KINDS, filtered, log_of
from cspsim.web.watch.recorded_run import Recording
from cspsim.web.watch.shapes import as_svg
from cspsim.web.watch.watch_state import WatchState


def log_csv(recording: Recording, asked: WatchState, until: int) -> str:
    """The log of the partnership that is shown, under the filter that is set."""
    entries = filtered(log_of(recording, asked.partnership), asked.authority, asked.kind, until)
    rows = [[f"{recording.months[entry.month]:%Y-%m}", KINDS[entry.kind], " ".join(entry.authorities), entry.text] for entry in entries]
    return as_csv(Table(["month", "kind", "authorities", "event"], rows))


def months_csv(recording: Recording, until: int) -> str:
    """Every outcome of every month and place, as ``simulate(..., months=True)`` has them."""
    outcomes = outcomes_of(with_area(recording.tallies[recording.warm_up :], 1))
    places = [*recording.partnerships, AREA]
    rows = [
        [f"{recording.months[month]:%Y-%m}", place, *(None if value != value else value for value in outcomes[month, number].tolist())]
        for month in range(until + 1)
        for number, place in enumerate(places)
    ]
    return as_csv(Table(["month", "partnership", *OUTCOMES], rows))


def table_svg(recording: Recording, partnership: str, month: int) -> str:
    """The drawn table of one month as a file of its own."""
    return as_svg(draw_table(recording, partnership), month, alone=True)


def command_of(asked: WatchState, scenario: str) -> str:
    """The command line that tells the same run as a story."""
    words = ["cspsim", "explain", file_of(scenario), "--seed", str(asked.seed), "--replicate", str(asked.replicate)]
    return for_shell([*words, "--partnership", asked.partnership])
