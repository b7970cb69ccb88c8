"""Decision cards: what each authority is asked in a step, seen while a quarter is rehearsed.

A rehearsal runs the months of the quarter with what is known by then and comes back. Step 1 stops looking at the first
decision point, where the rulebook's intentions to table are exact. In step 2 the table and the intentions to challenge
are exact, too; hours and evaluations come later in the quarter, and what is suggested for them assumes that everybody
challenges as the rulebook would. Beliefs and trust are always those of the moment in which people decide, so that no
card tells what comes out.
"""

from collections.abc import Sequence
from math import ceil
from typing import Any

from cspsim.mesa_model.agents import Proposal
from cspsim.model.rules.agenda import may_table
from cspsim.web.play.briefing import Briefing, TableNow, briefing_of, table_now
from cspsim.web.play.course import Course, Desk, Player
from cspsim.web.play.decisions import AuthorityCard, Choice, ToChallenge, ToEvaluate, ToPledge, ToTable

_may_table: Any = getattr(may_table, "py_func", may_table)


class StepCards:
    """What everybody may know and decide in one step.

    Attributes:
        cards, briefings: by authority, of everybody who ever sits at the table.
        table: what everybody at the table and every watcher may see.
        proposals: what is on the table in step 2.
    """

    def __init__(self, course: Course, quarter: int, step: int, choices: Sequence[Choice]) -> None:
        self.cards: dict[str, AuthorityCard] = {}
        self.briefings: dict[str, Briefing] = {}
        self.table: TableNow = table_now(course.desk)
        self.proposals: list[Proposal] = []
        self._course, self._quarter, self._step, self._first = course, quarter, step, course.month
        self._running: dict[str, dict[str, ToEvaluate]] = {}
        mine = [choice for choice in choices if choice.quarter == quarter]
        course.rehearse(quarter, mine, self._look, months=1 if step == 1 else 3)

    def _look(self, point: str, desk: Desk) -> None:
        first = desk.run.month == self._first
        if point == ("table" if self._step == 1 else "challenge") and first:
            self._begin(desk)
        elif self._step == 2 and point == "pledge" and first:
            for name, player in desk.players.items():
                self.cards[name] = self.cards[name]._replace(hours=_to_pledge(player))
        elif self._step == 2 and point == "evaluate":
            for name, player in desk.players.items():
                asked = player.asked.get("evaluate", {})
                items = tuple(
                    item._replace(suggested=bool(asked[item.intervention]))
                    for item in self._running[name].values()
                    if item.intervention in asked and _old_enough(player, item.intervention)
                )
                self.cards[name] = self.cards[name]._replace(evaluate=items)

    def _begin(self, desk: Desk) -> None:
        self.table = table_now(desk)
        if self._step == 2:
            self.proposals = desk.partnership.on_the_table
        for name, player in desk.players.items():
            card = AuthorityCard(
                self._quarter, self._step, desk.model.date, name, player.title, plans=bool(desk.run.world.plans[desk.run.month])
            )
            if self._step == 1:
                free = float(desk.run.state.free_money[player.partnership.row])
                card = card._replace(free_money=free if player.sits else 0.0, table=_to_table(desk, player))
            else:
                card = card._replace(challenge=_to_challenge(desk, player))
                self._running[name] = _running(desk, player) if player.sits else {}
            self.cards[name] = card
            self.briefings[name] = briefing_of(desk, player, self._course)


def _to_table(desk: Desk, player: Player) -> tuple[ToTable, ...]:
    """What can come onto the table at all: somebody leads it, and there is room for another unit."""
    world, state, month, p = desk.run.world, desk.run.state, desk.run.month, player.partnership.row
    data, running = desk.scenario.data, state.units_next if world.plans[desk.run.month] else state.units
    found = []
    for name, suggested in player.asked.get("table", {}).items():
        i = desk.model.index_of(name)
        if not _may_table(world, state, p, i, month):
            continue
        entry, belief, lead = data.interventions[name], player.believes(name), int(world.lead[p, i, month])
        aims = tuple(data.crime_types[crime].title for crime, share in entry.profile.items() if share.value > 0)
        cost, hours = 12 * float(world.unit_cost[i]), 12 * float(world.unit_hours[i])
        found.append(
            ToTable(
                name, entry.title, bool(suggested), belief.mean, belief.sd, cost, hours, int(running[p, i]), int(world.most_units[i]),
                authority_title(desk, lead), lead == player.row, aims,
            )
        )  # fmt: skip
    return tuple(found)


def _to_challenge(desk: Desk, player: Player) -> tuple[ToChallenge, ...]:
    state, p = desk.run.state, player.partnership.row
    asked, found = player.asked.get("challenge", {}), []
    for item in desk.partnership.on_the_table:
        if item.intervention in asked:
            belief = player.believes(item.intervention)
            doubt = float(state.doubts[p, player.row, desk.model.index_of(item.intervention)])
            sponsor = desk.players[item.sponsor]
            suggested = bool(asked[item.intervention])
            found.append(
                ToChallenge(
                    item.intervention, item.title, suggested, sponsor.title, item.claim, belief.mean, belief.sd, doubt,
                    player.trust_in(sponsor),
                )
            )  # fmt: skip
    return tuple(found)


def _to_pledge(player: Player) -> ToPledge | None:
    """None for the co-ordinator and for authorities without a seat."""
    if "pledge" not in player.asked:
        return None
    suggested = round(player.asked["pledge"], 1)
    most = max(ceil(player.available_hours * 10) / 10, suggested)
    return ToPledge(suggested, player.available_hours, most)


def _running(desk: Desk, player: Player) -> dict[str, ToEvaluate]:
    """What runs now, with what the authority believes now."""
    found = {}
    for project in desk.partnership.projects:
        belief = player.believes(project.intervention)
        lead = desk.players[project.lead].title if project.lead else ""
        found[project.intervention] = ToEvaluate(
            project.intervention, project.title, False, belief.mean, belief.sd, lead, project.lead == player.name
        )
    return found


def _old_enough(player: Player, intervention: str) -> bool:
    """Whether it has run long enough to be evaluated at the review, as ``rules.evaluation.may_evaluate`` says."""
    run, p, i = player.model.run, player.partnership.row, player.model.index_of(intervention)
    begun = max(int(run.state.since[p, i]), int(run.state.begun[p, i]))
    return bool(run.state.since[p, i] >= 0 and run.month - begun >= run.world.uncertainties.evaluation_after_months)


def authority_title(desk: Desk, row: int) -> str:
    """Title of the authority of a row; nothing for -1."""
    return desk.scenario.data.authorities[desk.model.authority_names[row]].title if row >= 0 else ""
