"""What one session may see of a room: everybody's table, and of private things its own only."""

from datetime import date
from typing import NamedTuple

from cspsim.mesa_model.agents import Proposal
from cspsim.web.play.briefing import Briefing, TableNow
from cspsim.web.play.decisions import AuthorityCard, Choice
from cspsim.web.play.minutes import Minutes
from cspsim.web.play.room import LOBBY, PLAYING, Room


class Seat(NamedTuple):
    """One authority at the table and who plays it; nobody is the computer. ``sits``: a member of the table this month."""

    authority: str
    title: str
    sits: bool
    players: tuple[str, ...]
    here: bool  # whether a page of one of its players is open
    full: bool
    handed_in: bool
    yours: bool


class View(NamedTuple):
    """A room as one session sees it. ``quarter`` counts from 0; ``step`` is 1 or 2, and 0 in the lobby and at the end.

    ``briefing``, ``card`` and ``handed_in`` are those of the session's own seat, ``token`` is shown to the facilitator only.
    ``undone``: how often the game was undone. ``may_advance``: the facilitator, or any player while no page of the facilitator is open.
    """

    code: str
    version: int
    stage: str
    scenario: str
    title: str
    seed: int
    quarter: int
    quarters: int
    step: int
    month: date
    quarter_months: tuple[date, ...]
    name: str
    seat: str
    facilitator: bool
    facilitator_here: bool
    token: str
    may_advance: bool
    seats: tuple[Seat, ...]
    watchers: int
    waiting: tuple[str, ...]
    table: TableNow
    proposals: tuple[Proposal, ...]
    told: tuple[str, ...]
    minutes: tuple[Minutes, ...]
    briefing: Briefing | None
    card: AuthorityCard | None
    handed_in: tuple[Choice, ...] | None
    undone: int = 0


def view_of(room: Room, who: str, here: set[str]) -> View:
    """The view of one session, known by its fingerprint; ``here`` are the fingerprints with an open page."""
    game, person = room.game, room.people.get(who)
    seat = person.seat if person else ""
    quarter, step = room.position
    leads, playing = who == room.facilitator, room.stage == PLAYING
    titles = game.titles
    proposals = tuple(
        item._replace(sponsor=titles[item.sponsor]) for item in (game.at_hand.proposals if playing and game.step == 2 else [])
    )
    return View(
        code=room.header.code,
        version=room.version,
        stage=room.stage,
        scenario=game.scenario.name,
        title=game.scenario.title,
        seed=game.settings.seed,
        quarter=quarter,
        quarters=game.settings.quarters,
        step=step,
        month=game.month,
        quarter_months=tuple(game.months_of_quarters),
        name=person.name if person else "",
        seat=seat,
        facilitator=leads,
        facilitator_here=room.facilitator in here,
        token=room.header.token if leads else "",
        may_advance=may_advance(room, who, here),
        seats=tuple(_seats(room, who, here)),
        watchers=len([one for one, other in room.people.items() if not other.seat and not other.left and one != room.facilitator]),
        waiting=tuple(titles[name] for name in room.waiting()),
        table=game.at_hand.table,
        proposals=proposals,
        told=tuple(happened.sentence for happened in game.happened),
        minutes=tuple(game.minutes),
        briefing=game.at_hand.briefings[seat] if seat and room.stage != LOBBY else None,
        card=game.cards.get(seat) if seat and playing else None,
        handed_in=game.handed_in.get(seat) if seat and playing else None,
        undone=room.undone,
    )


def may_advance(room: Room, who: str, here: set[str]) -> bool:
    """The facilitator may end a step; while no page of the facilitator is open, every player may, so that the game goes on."""
    if who == room.facilitator:
        return True
    person = room.people.get(who)
    return room.facilitator not in here and person is not None and bool(person.seat)


def _seats(room: Room, who: str, here: set[str]) -> list[Seat]:
    found = []
    for name, player in room.game.course.desk.players.items():
        holders = room.holders(name)
        found.append(
            Seat(
                name,
                player.title,
                name in room.game.at_hand.briefings and room.game.at_hand.briefings[name].sits,
                tuple(room.people[holder].name for holder in holders),
                any(holder in here for holder in holders),
                len(holders) >= room.header.settings.per_seat,
                name in room.game.handed_in,
                who in holders,
            )
        )
    return found
