"""The people and bodies of one run as Mesa agents: live views of their rows that take their own decisions.

An agent holds no numbers of its own: what it shows is read from the run at that moment. The rulebook prepares every
decision; an agent of a subclass that overrides ``table``, ``challenge``, ``pledge`` or ``evaluate`` may decide
otherwise, for its own row only. See docs/how-to-subclass-an-agent.md. An agent shows what its authority could know
(its own beliefs, its own trust, recorded crime), never what interventions truly do.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from itertools import count
from math import inf, nan, sqrt
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary

import mesa
import numpy as np

from cspsim.basics.errors import did_you_mean
from cspsim.model.parameters import Floats
from cspsim.model.tallies import AuthorityTally, Role
from cspsim.scenario.world_building import add_months

if TYPE_CHECKING:
    from cspsim.mesa_model.partnership_model import PartnershipModel


class Representative(NamedTuple):
    """The person at the table, each trait 0-1. The order is that of ``cspsim.model.tallies.Trait``."""

    assertiveness: float
    openness: float
    commitment: float
    evaluation_mindedness: float


class Belief(NamedTuple):
    """What an authority believes an intervention does to crime among the treated: a proportional fall, and its own uncertainty."""

    mean: float
    sd: float


class Project(NamedTuple):
    """An intervention that runs at a partnership. ``dose`` and ``units`` in units; ``ends`` is the last month of the award."""

    intervention: str
    title: str
    lead: str
    units: float
    dose: float
    since: date
    starts: date
    ends: date


class Proposal(NamedTuple):
    """An item on the table: who brings it, and the effect on the treated that its sponsor claims."""

    intervention: str
    title: str
    sponsor: str
    claim: float


class _Counters(WeakKeyDictionary[Any, Iterator[int]]):
    """A counter of agents for each model, gone with the model."""

    def __getitem__(self, model: Any) -> Iterator[int]:
        return self.setdefault(model, count(1))


class _Agent(mesa.Agent):
    # Mesa 3.3 counts agents in a table of the class that keeps every model alive for ever, nearly 2 MB for each
    # finished run: a batch of a thousand would fill the memory. Later versions count elsewhere and do not read this.
    _ids = _Counters()


class Partnership(_Agent):
    """A community safety partnership: the table, its money and its projects."""

    def __init__(self, model: "PartnershipModel", name: str, row: int) -> None:
        super().__init__(model)
        self.name = self.partnership_name = name
        self.title: str = model.run.scenario.data.partnerships[name].title
        self.row = row
        self.authorities: dict[str, ResponsibleAuthority] = {}

    @property
    def members(self) -> list["ResponsibleAuthority"]:
        """The authorities that sit at the table this month."""
        return [authority for authority in self.authorities.values() if authority.sits]

    @property
    def balance(self) -> float:
        """£ in the partnership's pot."""
        return float(self.model.run.state.balance[self.row])

    @property
    def recorded_crimes(self) -> dict[str, float]:
        """Recorded crimes of the latest 12 months by crime type, as the table sees them."""
        names = self.model.run.scenario.data.crime_types
        return dict(zip(names, self.model.run.state.recorded_year[self.row].tolist(), strict=True))

    @property
    def projects(self) -> list[Project]:
        """What runs under the plan."""
        state, world, p = self.model.run.state, self.model.run.world, self.row
        first = self.model.run.calendar.months[0]
        found = []
        for i in np.flatnonzero(state.units[p] > 0).tolist():
            name, lead = self.model.interventions[i], int(world.lead[p, i, self.model.month])
            since, starts, ends = (add_months(first, int(months[p, i])) for months in (state.since, state.starts, state.ends))
            held_by = self.model.authority_names[lead] if lead >= 0 else ""
            units, dose = float(state.units[p, i]), float(state.dose[p, i])
            found.append(Project(name, self.model.title_of(name), held_by, units, dose, since, starts, ends))
        return found

    @property
    def on_the_table(self) -> list[Proposal]:
        """Items tabled at this month's meeting; empty in months without one."""
        state, p = self.model.run.state, self.row
        names = self.model.interventions
        return [
            Proposal(names[i], self.model.title_of(names[i]), self.model.authority_names[state.sponsor[p, i]], float(state.claim[p, i]))
            for i in np.flatnonzero(state.on_table[p] > 0).tolist()
        ]


class ResponsibleAuthority(_Agent):
    """One responsible authority at one partnership's table. It is there from the first month; ``sits`` says when it is a member.

    The four methods ``table``, ``challenge``, ``pledge`` and ``evaluate`` are its decisions. Each is given what the
    rulebook would have this authority do and returns what it does. Here they change nothing.
    """

    def __init__(self, model: "PartnershipModel", partnership: Partnership, name: str, row: int) -> None:
        super().__init__(model)
        self.name = name
        self.title: str = model.run.scenario.data.authorities[name].title
        self.partnership = partnership
        self.partnership_name = partnership.name
        self.row = row
        self._tally: Floats = model.run.state.authority_tallies[partnership.row, row]

    # ------------------------------------------------------------------------------------------------- the decisions

    def table(self, intentions: dict[str, bool]) -> Mapping[str, bool]:
        """Which interventions to put on the table, at quarterly meetings with money to spend. Every intervention is given."""
        return intentions

    def challenge(self, intentions: dict[str, bool]) -> Mapping[str, bool]:
        """Which items of others to challenge. Given are those on the table this month."""
        return intentions

    def pledge(self, hours: float) -> float:
        """Hours of delivery to pledge this month. Not asked of the co-ordinator, who does what is left."""
        return hours

    def evaluate(self, intentions: dict[str, bool]) -> Mapping[str, bool]:
        """Which projects to evaluate at the annual review. Given are those that run; one too young for it is passed over."""
        return intentions

    # --------------------------------------------------------------------------------------------- what it can know

    @property
    def sits(self) -> bool:
        """Whether it is a member of the partnership this month."""
        return bool(self.model.run.world.member[self.partnership.row, self.row, self.model.month])

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles it holds at this table this month."""
        holders = self.model.run.world.holder[self.partnership.row, :, self.model.month].tolist()
        return tuple(role for role, holder in zip(self.model.roles, holders, strict=True) if holder == self.row)

    @property
    def budget(self) -> float:
        """Mainstream £ this month: partnership hours at their hourly cost, and match funds."""
        world, place = self.model.run.world, (self.partnership.row, self.row, self.model.month)
        return float(world.hours[place] * world.hourly_cost[self.row] + world.match_funds[place])

    @property
    def available_hours(self) -> float:
        """Hours of partnership staff it has this month."""
        return float(self.model.run.state.available[self.partnership.row, self.row])

    @property
    def hours(self) -> float:
        """Hours worked this month, of all kinds; at a decision point those worked so far."""
        return float(sum(self.model.run.state.work[self.partnership.row, self.row].tolist()))

    @property
    def workload(self) -> float:
        """Hours asked of it over hours it has, in the latest month of delivery; over 1 is overload."""
        return float(self.model.run.state.load[self.partnership.row, self.row])

    @property
    def representative(self) -> Representative:
        """The person who sits at the table for it."""
        return Representative(*self.model.run.state.traits[self.partnership.row, self.row].tolist())

    @property
    def challenges(self) -> list[str]:
        """The interventions it challenges this month."""
        row = self.model.run.state.challenges[self.partnership.row, self.row]
        return [self.model.interventions[i] for i in np.flatnonzero(row > 0).tolist()]

    @property
    def challenges_made(self) -> int:
        """Challenges it made in the month just closed."""
        return int(self._tally[AuthorityTally.CHALLENGES_MADE])

    @property
    def trust_placed(self) -> float:
        """Mean trust (0-1) it places in the other members, as of the month just closed; not-a-number without members."""
        pairs = self._tally[AuthorityTally.TRUST_PAIRS]
        return float(self._tally[AuthorityTally.TRUST_PLACED] / pairs) if pairs else nan

    def trust_in(self, other: "ResponsibleAuthority | str") -> float:
        """Trust (0-1) it places in another authority of this table. ValueError if there is no such authority."""
        others = {name: authority for name, authority in self.partnership.authorities.items() if authority is not self}
        name = other if isinstance(other, str) else other.name
        if name not in others or other not in (name, others[name]):
            hint = did_you_mean(name, others)
            raise ValueError(f"{self.name} of {self.partnership.name} has no partner {name!r} at its table; {hint}")
        return float(self.model.run.state.trust[self.partnership.row, self.row, others[name].row])

    def believes(self, intervention: str) -> Belief:
        """What it believes of an intervention. ValueError if there is none of that name."""
        place = (self.partnership.row, self.row, self.model.index_of(intervention))
        state = self.model.run.state
        return Belief(float(state.belief[place]), sqrt(max(0.0, state.belief_variance[place])))


class Coordinator(ResponsibleAuthority):
    """An authority with the role of co-ordinator: it does what nobody pledged, and part of its team lives on grant."""

    @property
    def posts(self) -> float:
        """Share of the grant-funded posts in its team that are filled."""
        return float(self.model.run.state.posts[self.partnership.row])


class Police(ResponsibleAuthority):
    """An authority with the role of police: its strength moves crime."""

    @property
    def strength(self) -> float:
        """Police strength, the first reported month = 1."""
        return float(self.model.run.world.strength[self.partnership.row, self.model.month])


CLASSES_BY_ROLE: dict[str, type[ResponsibleAuthority]] = {Role.COORDINATOR.name.lower(): Coordinator, Role.POLICE.name.lower(): Police}
"""The class of an authority is that of its first role found here."""


class Commissioner(_Agent):
    """Who divides the pot of the force area: funds partnerships, sits at no table."""

    def __init__(self, model: "PartnershipModel") -> None:
        super().__init__(model)
        self.name = self.title = model.run.scenario.data.commissioner.title

    @property
    def pot(self) -> float:
        """£ a year to divide in the whole force area; 0 while grants go straight to partnerships."""
        return float(self.model.run.world.pot[self.model.month])

    @property
    def awards(self) -> dict[str, float]:
        """£ a year awarded to each partnership for this financial year."""
        return dict(zip(self.model.partnerships, self.model.run.state.award.tolist(), strict=True))

    @property
    def own_priorities(self) -> float:
        """£ a year kept back for priorities of its own, whole force area."""
        return float(self.model.run.state.own_priorities[0])


class HomeOffice(_Agent):
    """Central government: direct grants, targets, audit of recording."""

    name = title = "Home Office"

    @property
    def grants(self) -> float:
        """£ a year paid straight to the partnerships of the whole force area."""
        return float(self.model.run.world.direct_grant[self.model.month])

    @property
    def target_pressure(self) -> float:
        """Pressure (0-1) of central targets on recorded crime."""
        return float(self.model.run.world.levers.targets[self.model.month])

    @property
    def audit(self) -> float:
        """Intensity (0-1) of crime-recording audit."""
        return float(self.model.run.world.levers.audit[self.model.month])


# ------------------------------------------------------------------------------------------- how decisions are asked for

_INTENTIONS = {"table": "tabled", "challenge": "challenges", "evaluate": "evaluates"}


class Change(NamedTuple):
    """One number of the run's state that an authority's decision sets."""

    array: Floats
    place: tuple[int, ...]
    value: float


def overrides(authority: ResponsibleAuthority, point: str) -> bool:
    """Whether the authority's class decides for itself at this decision point."""
    return getattr(type(authority), point) is not getattr(ResponsibleAuthority, point)


def decision_changes(authority: ResponsibleAuthority, point: str) -> list[Change]:
    """Ask an authority for its decision; what differs from the rulebook's intention, not yet written.

    Raises ValueError, naming class and method, for a decision that cannot be.
    """
    if not authority.sits:
        return []
    if point == "pledge":
        return _pledge_changes(authority)
    p, a, state = authority.partnership.row, authority.row, authority.model.run.state
    array: Floats = getattr(state, _INTENTIONS[point])
    names = authority.model.interventions
    intended = {names[i]: bool(array[p, a, i] > 0) for i in _open_items(authority, point)}
    if not intended:
        return []
    decided = getattr(authority, point)(dict(intended))
    _check_choices(authority, point, decided, intended)
    changed = [name for name, yes in decided.items() if bool(yes) != intended[name]]
    return [Change(array, (p, a, authority.model.index_of(name)), float(decided[name])) for name in changed]


def _open_items(authority: ResponsibleAuthority, point: str) -> list[int]:
    """The interventions this authority has to decide about now; none in months without a meeting or a review."""
    run, p, month = authority.model.run, authority.partnership.row, authority.model.month
    state, world = run.state, run.world
    if point == "table":
        return list(range(state.units.shape[1])) if world.meets[month] and state.free_money[p] > 0 else []
    if point == "challenge":
        return list(np.flatnonzero((state.on_table[p] > 0) & (state.sponsor[p] != authority.row)).tolist())
    return list(np.flatnonzero(state.units[p] > 0).tolist()) if world.reviews[month] else []


def _check_choices(authority: ResponsibleAuthority, point: str, decided: Any, intended: Mapping[str, bool]) -> None:
    where = f"{type(authority).__name__}.{point}"
    if not isinstance(decided, Mapping):
        raise ValueError(f"{where} returned {decided!r}: expected a dictionary from intervention to True or False")
    for name, yes in decided.items():
        if name not in intended:
            known = name in authority.model.interventions
            why = "is not up for this decision" if known else "is no intervention"
            raise ValueError(f"{where} returned {name!r}, which {why}; {did_you_mean(str(name), intended)}")
        if not isinstance(yes, bool | np.bool_):
            raise ValueError(f"{where} returned {yes!r} for {name!r}: expected True or False")


def _pledge_changes(authority: ResponsibleAuthority) -> list[Change]:
    run, p, a = authority.model.run, authority.partnership.row, authority.row
    if run.world.holder[p, Role.COORDINATOR, authority.model.month] == a:
        return []
    intended = float(run.state.pledged[p, a])
    decided = authority.pledge(intended)
    number = isinstance(decided, int | float | np.integer | np.floating) and not isinstance(decided, bool)
    if not number or not 0 <= decided < inf:
        raise ValueError(f"{type(authority).__name__}.pledge returned {decided!r}: expected hours this month, 0 or more")
    return [Change(run.state.pledged, (p, a), float(decided))] if decided != intended else []
