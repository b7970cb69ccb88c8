"""A run recorded month by month, so that rewinding costs nothing: the same run as replicate k of ``simulate``."""

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from cspsim.basics.formats import name_in_words
from cspsim.model.parameters import Floats
from cspsim.one_run.events import Event, Reckoning
from cspsim.one_run.run import Run
from cspsim.one_run.witness import Witness, titles_of
from cspsim.running.outcomes import OUTCOMES
from cspsim.scenario.scenario import Scenario
from cspsim.web.shown_scenarios import scenario_of
from cspsim.web.watch.background import Report, ResultShelf

KEPT = 12
"""Recordings that stay for the next visitor; one takes about a megabyte."""
REPORT_EVERY = 12


class Unspoken(NamedTuple):
    """A member kept a strong doubt to itself: the rule of challenge counts these as doubts not spoken."""

    month: date
    partnership: str
    intervention: str
    member: str
    sponsor: str
    doubt: float
    trust: float


class RunKey(NamedTuple):
    """What a run depends on; ``digest`` is that of the scenario, so that a changed file is another run."""

    scenario: str
    digest: str
    seed: int
    replicate: int


class Recording(NamedTuple):
    """What a page shows of one run. Nothing in it can be changed, so everybody may share it.

    ``months`` are those reported, ``window`` the first and last of them that outcomes are taken over (indices).
    Arrays begin with the axis ``[reported month, partnership]``: ``trust`` goes on ``[from, to]``; ``load`` (hours asked
    over hours there), ``budget`` (£ a month), ``member`` (0 or 1) and ``challenges`` (made this month) with ``[authority]``;
    ``projects`` (running) and ``balance`` (£) end there. ``tallies`` has the warm-up too ``[month, partnership, tally]``.
    """

    scenario: Scenario
    seed: int
    replicate: int
    months: tuple[date, ...]
    warm_up: int
    window: tuple[int, int]
    meetings: tuple[int, ...]
    titles: Mapping[str, str]
    trust: Floats
    load: Floats
    budget: Floats
    member: Floats
    challenges: Floats
    projects: Floats
    balance: Floats
    tallies: Floats
    events: tuple[Event | Unspoken, ...]

    @property
    def partnerships(self) -> list[str]:
        """Names in the order of the arrays."""
        return list(self.scenario.data.partnerships)

    @property
    def authorities(self) -> list[str]:
        """Names in the order of the arrays."""
        return list(self.scenario.data.authorities)

    def seats(self, partnership: int) -> list[int]:
        """The authorities that sit at a table in any reported month."""
        return [int(a) for a in np.flatnonzero(self.member[:, partnership].max(axis=0) > 0)]

    def short(self, name: str) -> str:
        """A title as a label: an authority's that explains itself after a comma gives way to its name."""
        title = self.titles.get(name, name_in_words(name))
        return name_in_words(name).capitalize() if "," in title and name in self.scenario.data.authorities else title


def record(scenario: Scenario, seed: int, replicate: int, report: Report = lambda done, total: None) -> Recording:
    """Run a scenario to its end and note everything a page shows. Raises what ``Run`` raises, and what ``report`` does."""
    run = Run(scenario, seed, replicate)
    witness, calendar = Witness(run), run.calendar
    tallies: list[Floats] = []
    rows: dict[str, list[Floats]] = {name: [] for name in ("trust", "load", "budget", "member", "challenges", "projects", "balance")}
    found: list[Event | Unspoken] = []
    while not run.finished:
        month, unspoken = run.month, list[Unspoken]()

        def look(point: str, month: int = month, unspoken: list[Unspoken] = unspoken) -> None:
            if point == "pledge":
                unspoken += _unspoken(witness, month)

        events = witness.advance(look)
        tallies.append(run.state.tallies.copy())
        if month >= calendar.warm_up:
            found += [*events, *unspoken]
            for name, row in _row(run, month).items():
                rows[name].append(row)
        if month % REPORT_EVERY == 0:
            report(month, len(calendar.months))
    for name, row in zip([*witness.partnerships, "area"], run.outcomes(), strict=True):
        found.append(Reckoning(calendar.months[-1], name, dict(zip(OUTCOMES, row.tolist(), strict=True))))
    first, last = (index - calendar.warm_up for index in calendar.window)
    meets = np.flatnonzero(run.world.meets[calendar.warm_up :]).tolist()
    return Recording(
        scenario, seed, replicate, tuple(calendar.reported), calendar.warm_up, (max(0, first), last), tuple(meets),
        MappingProxyType(titles_of(run)), tallies=_frozen(tallies), events=tuple(found),
        **{name: _frozen(row) for name, row in rows.items()},
    )  # fmt: skip


def _row(run: Run, month: int) -> dict[str, Floats]:
    """What the month left behind."""
    world, state = run.world, run.state
    return {
        "trust": state.trust.copy(),
        "load": state.load.copy(),
        "budget": world.hours[:, :, month] * world.hourly_cost + world.match_funds[:, :, month],
        "member": world.member[:, :, month].copy(),
        "challenges": state.challenges.sum(axis=2) * world.meets[month],
        "projects": (state.units > 0).sum(axis=1).astype(float),
        "balance": state.balance.copy(),
    }


def _frozen(rows: list[Floats]) -> Floats:
    array = np.array(rows)
    array.flags.writeable = False
    return array


def _unspoken(witness: Witness, month: int) -> list[Unspoken]:
    """Doubts above the threshold of members who did not challenge, as ``rules.challenge`` counts them."""
    run = witness.run
    world, state, day = run.world, run.state, run.calendar.months[month]
    if not world.meets[month]:
        return []
    silent = (state.challenges <= 0) & (state.doubts > world.uncertainties.doubt_threshold) & (world.member[:, :, month, None] > 0)
    found = []
    for p, a, i in np.argwhere(silent & (state.on_table[:, None, :] > 0)).tolist():
        sponsor = int(state.sponsor[p, i])
        if a != sponsor:
            names = (witness.partnerships[p], witness.interventions[i], witness.authorities[a], witness.authorities[sponsor])
            found.append(Unspoken(day, *names, float(state.doubts[p, a, i]), float(state.trust[p, a, sponsor])))
    return found


def key_of(name: str, seed: int, replicate: int) -> RunKey:
    """The key of a run. Raises CspsimError for a scenario that is not on the list."""
    return RunKey(name, scenario_of(name).digest, seed, replicate)


RECORDINGS: ResultShelf[RunKey, Recording] = ResultShelf(
    lambda key, report: record(scenario_of(key.scenario), key.seed, key.replicate, report), KEPT
)
"""The recordings of all visitors."""
