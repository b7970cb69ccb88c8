"""The log of a table: events of a recording in sentences, by kind and by the authorities they are about."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from cspsim.basics.formats import roughly
from cspsim.one_run import events as happened
from cspsim.one_run.story import person_in_words, reason_of
from cspsim.web.watch.recorded_run import Recording, Unspoken

EVERYTHING = ""
"""The filter that lets everything through."""

KINDS: dict[str, str] = {
    "tabled": "Tabled",
    "challenged": "Challenged",
    "unspoken": "Doubt not spoken",
    "decided": "Decided",
    "evaluated": "Evaluated",
    "people": "People",
    "money": "Money",
    "delivery": "Delivery",
    "books": "Books",
}
"""Kind of event -> what the log calls it."""


class MeetingEntry(NamedTuple):
    """One event: index of its reported month, kind, the authorities it is about, and a sentence."""

    month: int
    kind: str
    authorities: tuple[str, ...]
    text: str


def log_of(recording: Recording, partnership: str) -> tuple[MeetingEntry, ...]:
    """The entries of one table, month by month in the order in which things happen there."""
    return _log_of(_Same(recording), partnership)


class _Same:
    """A recording as a key of the cache: the very same object."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.recording is self.recording

    def __hash__(self) -> int:
        return id(self.recording)


@lru_cache(maxsize=8)
def _log_of(same: _Same, partnership: str) -> tuple[MeetingEntry, ...]:
    recording = same.recording
    index = {day: number for number, day in enumerate(recording.months)}
    found = [
        MeetingEntry(index[event.month], kind, tuple(getattr(event, role) for role in roles), sentence(event, recording.short))
        for event in recording.events
        if event.partnership == partnership
        for kind, roles, sentence in (_TELLERS[type(event)],)
    ]
    order = list(KINDS)
    return tuple(sorted(found, key=lambda entry: (entry.month, order.index(entry.kind))))


def passes(entry: MeetingEntry, authority: str = EVERYTHING, kind: str = EVERYTHING) -> bool:
    """Whether a filter by authority and kind lets an entry through."""
    return authority in (EVERYTHING, *entry.authorities) and kind in (EVERYTHING, entry.kind)


def filtered(
    entries: Sequence[MeetingEntry], authority: str = EVERYTHING, kind: str = EVERYTHING, until: int | None = None
) -> list[MeetingEntry]:
    """The entries a filter lets through, none after the month ``until``."""
    return [entry for entry in entries if passes(entry, authority, kind) and (until is None or entry.month <= until)]


Name = Callable[[str], str]


def _share(value: float) -> str:
    return roughly(value, "share")


def _pounds(value: float) -> str:
    return roughly(value, "£")


def _work(event: Any, name: Name) -> str:
    return f"“{name(event.intervention)}”"


def _tabled(event: happened.Tabled, name: Name) -> str:
    plan = " for next year's plan" if event.for_next_year else ""
    claims = f"claiming it cuts crime among those treated by {_share(event.claim)}, while believing {_share(event.belief)}"
    return f"{name(event.sponsor)} tabled {_work(event, name)}{plan}, {claims}."


def _challenged(event: happened.Challenged, name: Name) -> str:
    heard = "something came to light" if event.heard else "it was not heard"
    moved = abs(event.after - event.before) > 5e-4
    view = f"; its own view went from {_share(event.before)} to {_share(event.after)}" if moved else ""
    return f"{name(event.challenger)} challenged {name(event.sponsor)} over {_work(event, name)}, {reason_of(event)}; {heard}{view}."


def _kept(event: Unspoken, name: Name) -> str:
    how = f"doubt {event.doubt:.1f} standard deviations, trust {event.trust:.2f}"
    return f"{name(event.member)} doubted what {name(event.sponsor)} claimed for {_work(event, name)} and said nothing ({how})."


def _adopted(event: happened.Adopted, name: Name) -> str:
    done = "Renewed" if event.renewed else "Adopted"
    units = f"{event.units} unit{'' if event.units == 1 else 's'}"
    after = ", after a challenge" if event.challenged else ""
    expected = f"expected to cut crime among those treated by {_share(event.estimate)}"
    return f"{done}: {_work(event, name)} of {name(event.sponsor)}, {units} for {_pounds(event.cost)} a year, {expected}{after}."


def _turned_down(event: happened.TurnedDown, name: Name) -> str:
    return f"Not adopted: {_work(event, name)} of {name(event.sponsor)}{', after a challenge' if event.challenged else ''}."


def _evaluated(event: happened.Evaluated, name: Name) -> str:
    how = "with a comparison" if event.strong else "before against after, without a comparison"
    return (
        f"{name(event.evaluator)} evaluated {_work(event, name)} ({how}): it found {_share(event.estimate)} "
        f"where the truth as delivered was {_share(event.truth)}; "
        f"the table's belief went from {_share(event.before)} to {_share(event.after)}."
    )


def _grant(event: happened.GrantAwarded, name: Name) -> str:
    before = f"; it was {_pounds(event.before)} the year before" if event.before > 0 else ""
    return f"The grant for the year is {_pounds(event.amount)}{before}."


def _hours(event: happened.BudgetCut, name: Name) -> str:
    change = event.hours / event.before - 1
    return (
        f"{name(event.authority)} has {_share(abs(change))} {'more' if change > 0 else 'fewer'} hours for the partnership than a year ago."
    )


def _ended(event: happened.Ended, name: Name) -> str:
    units = f"{event.units} unit{'' if event.units == 1 else 's'}"
    why = " for lack of money" if event.mid_year else ""
    return f"{units} of {_work(event, name)} ended{why}; {event.left or 'none'} went on."


def _started(event: happened.Started, name: Name) -> str:
    late = f", {event.months_late} months late" if event.months_late > 1 else ", a month late" if event.months_late else ", on time"
    return f"{_work(event, name)} got going{late}."


def _books(event: happened.YearClosed, name: Name) -> str:
    o = event.outcomes
    return (
        f"The year's books: {o['true_crimes']:,.0f} crimes, {o['recorded_crimes']:,.0f} recorded; "
        f"{_pounds(o['true_benefit'])} of harm averted, {_pounds(o['believed_benefit'])} believed; "
        f"{_pounds(o['spend'])} of grant spent, {_pounds(o['unspent'])} sent back; "
        f"trust {o['mean_trust']:.2f}."
    )


def _reckoning(event: happened.Reckoning, name: Name) -> str:
    o = event.outcomes
    return (
        f"The whole outcome window: they believed that their work averted {_pounds(o['believed_benefit'])} of harm; "
        f"in truth it averted {_pounds(o['true_benefit'])}."
    )


_TELLERS: dict[type, tuple[str, tuple[str, ...], Callable[[Any, Name], str]]] = {
    happened.Tabled: ("tabled", ("sponsor",), _tabled),
    happened.Challenged: ("challenged", ("challenger", "sponsor"), _challenged),
    Unspoken: ("unspoken", ("member", "sponsor"), _kept),
    happened.Adopted: ("decided", ("sponsor",), _adopted),
    happened.TurnedDown: ("decided", ("sponsor",), _turned_down),
    happened.Evaluated: ("evaluated", ("evaluator",), _evaluated),
    happened.Joined: ("people", ("authority",), lambda event, name: f"{name(event.authority)} joined the table."),
    happened.Left: ("people", ("authority",), lambda event, name: f"{name(event.authority)} left the table."),
    happened.Reorganised: (
        "people",
        ("authority",),
        lambda event, name: f"{name(event.authority)} was reorganised: everybody there is new.",
    ),
    happened.NewCommissioner: ("people", (), lambda event, name: "A new commissioner took over the pot."),
    happened.NewRepresentative: (
        "people",
        ("authority",),
        lambda event, name: f"Somebody new sits for {name(event.authority)} ({person_in_words(event)}).",
    ),
    happened.GrantAwarded: ("money", (), _grant),
    happened.BudgetCut: ("money", ("authority",), _hours),
    happened.Started: ("delivery", (), _started),
    happened.Ended: ("delivery", (), _ended),
    happened.YearClosed: ("books", (), _books),
    happened.Reckoning: ("books", (), _reckoning),
}
"""Type of event -> kind, the fields that name authorities, and how it is worded."""
