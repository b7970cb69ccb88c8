"""What one authority is told in private, and what everybody at the table sees. Nobody is told what another authority believes."""

from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from cspsim.mesa_model.agents import Project, Representative
from cspsim.model.tallies import Role
from cspsim.one_run.events import Evaluated, Event

if TYPE_CHECKING:
    from cspsim.web.play.course import Course, Desk, Player


class CrimeInBrief(NamedTuple):
    """A crime type as an authority sees it: how much of it is its business (0-1), and recorded crimes of the latest 12 months."""

    title: str
    remit: float
    recorded: float


class Knows(NamedTuple):
    """What an authority thinks an intervention does to crime among those treated, and what that rests on.

    ``heard`` is what came to it privately, ``told`` whether a challenge has brought that to the table; ``published`` is the
    published finding and ``evaluated`` the latest evaluation at this table, None while unknown here.
    """

    intervention: str
    title: str
    belief: float
    uncertainty: float
    heard: float
    told: bool
    published: float | None
    evaluated: float | None
    evaluated_with_comparison: bool


class Trusts(NamedTuple):
    """Trust (0-1) an authority places in another one at its table."""

    authority: str
    title: str
    trust: float


class Briefing(NamedTuple):
    """What one authority alone is told. Hours are by month; ``posts`` is for the co-ordinator, the share of grant posts filled."""

    authority: str
    title: str
    sits: bool
    coordinates: bool
    leads: tuple[str, ...]
    cares: tuple[CrimeInBrief, ...]
    hours: float
    workload: float
    budget: float
    match_funds: float
    posts: float | None
    representative: Representative
    knows: tuple[Knows, ...]
    trusts: tuple[Trusts, ...]


class TableNow(NamedTuple):
    """What everybody at the table and every watcher sees. ``grant`` is this year's."""

    month: date
    title: str
    balance: float
    grant: float
    free_money: float
    recorded: dict[str, float]
    projects: tuple[Project, ...]
    members: tuple[str, ...]


def table_now(desk: "Desk") -> TableNow:
    """The table as it stands; ``lead`` of a project is a title."""
    desk.model.month = desk.run.month
    partnership, data, p = desk.partnership, desk.scenario.data, desk.partnership.row
    recorded = {data.crime_types[name].title: crimes for name, crimes in partnership.recorded_crimes.items()}
    projects = tuple(p._replace(lead=data.authorities[p.lead].title if p.lead else "") for p in partnership.projects)
    members = tuple(member.title for member in partnership.members)
    grant, free = float(desk.run.state.allocation[p]), float(desk.run.state.free_money[p])
    return TableNow(desk.model.date, partnership.title, partnership.balance, grant, free, recorded, projects, members)


def briefing_of(desk: "Desk", player: "Player", course: "Course") -> Briefing:
    """The private briefing of one authority, at a decision point."""
    run, data, p, a = desk.run, desk.scenario.data, player.partnership.row, player.row
    recorded = desk.partnership.recorded_crimes
    remit = data.authorities[player.name].remit
    cares = [
        CrimeInBrief(crime.title, remit[name].value if name in remit else 0.0, recorded[name]) for name, crime in data.crime_types.items()
    ]
    coordinates = bool(run.world.holder[p, Role.COORDINATOR, run.month] == a)
    leads = [desk.model.title_of(name) for i, name in enumerate(desk.model.interventions) if run.world.lead[p, i, run.month] == a]
    others = [other for other in desk.partnership.members if other is not player]
    return Briefing(
        player.name,
        player.title,
        player.sits,
        coordinates,
        tuple(leads),
        tuple(sorted(cares, key=lambda crime: -crime.remit)),
        player.available_hours,
        player.workload,
        player.budget,
        float(run.world.match_funds[p, a, run.month]),
        float(run.state.posts[p]) if coordinates else None,
        player.representative,
        _knowledge(desk, player, course.witness.events if course.witness else ()),
        tuple(Trusts(other.name, other.title, player.trust_in(other)) for other in others),
    )


def _knowledge(desk: "Desk", player: "Player", events: Iterable[Event]) -> tuple[Knows, ...]:
    state, p, a = desk.run.state, player.partnership.row, player.row
    latest = {e.intervention: e for e in events if isinstance(e, Evaluated) and e.partnership == desk.partnership.name}
    found = []
    for i, name in enumerate(desk.model.interventions):
        belief, evaluation = player.believes(name), latest.get(name)
        found.append(
            Knows(
                name,
                desk.model.title_of(name),
                belief.mean,
                belief.sd,
                float(state.signal[p, a, i]),
                bool(state.signal_known[p, a, i] > 0),
                float(state.evidence[i]) if state.evidence_known[p, i] > 0 else None,
                evaluation.estimate if evaluation else None,
                evaluation.strong if evaluation else False,
            )
        )
    return tuple(found)
