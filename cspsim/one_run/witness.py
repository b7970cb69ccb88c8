"""A witness steps a run and notes what happens by looking at its state at the decision points; it changes nothing."""

from collections.abc import Iterable
from datetime import date
from typing import Any, NamedTuple

import numpy as np

from cspsim.model.parameters import Floats
from cspsim.model.tallies import Trait
from cspsim.one_run import events as happened
from cspsim.one_run.run import Decide, Run
from cspsim.running.outcomes import OUTCOMES, outcomes_of

SHARP_CUT = 0.03  # a change of hours from one year to the next that is worth a sentence


class _Before(NamedTuple):
    """The state before the next rule ran."""

    units: Floats
    units_next: Floats
    belief: Floats
    generation: Any


class Witness:
    """Steps a run and notes what happens in it.

    Attributes:
        run: the run that is watched; its state is read, never written.
        events: everything noted so far, in order.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self.events: list[happened.Event] = []
        data = run.scenario.data
        self.partnerships, self.authorities = list(data.partnerships), list(data.authorities)
        self.interventions = list(data.interventions)
        self._seen = self._now()
        self._awards = np.zeros(len(self.partnerships))
        self._year = np.zeros_like(run.window)

    def advance(self, decide: Decide | None = None) -> list[happened.Event]:
        """Run one month, with ``decide`` at the decision points as in ``Run.advance``; gives the month's events."""
        first, run = len(self.events), self.run
        month = run.month
        self._seen = self._now()
        self._note_calendar(month)

        def look(point: str) -> None:
            if decide is not None:
                decide(point)
            if point == "table":
                self._note_endings(month)
            if point in ("challenge", "evaluate"):
                self._seen = self._now()
            if point == "pledge":
                self._note_meeting(month)

        run.advance(look)
        self._note_delivery(month)
        self._note_people(month)
        self._close_year(month)
        return self.events[first:]

    def watch(self) -> list[happened.Event]:
        """Run to the end; gives every event of the reported months, and the reckoning of each partnership and the area."""
        while not self.run.finished:
            self.advance()
        reported = self.run.calendar.reported[0]
        self.events = [event for event in self.events if event.month >= reported]
        last = self.run.calendar.months[-1]
        for name, row in zip([*self.partnerships, "area"], self.run.outcomes(), strict=True):
            self.events.append(happened.Reckoning(last, name, dict(zip(OUTCOMES, row.tolist(), strict=True))))
        return self.events

    def _now(self) -> _Before:
        state = self.run.state
        return _Before(state.units.copy(), state.units_next.copy(), state.belief.copy(), state.generation.copy())

    def _date(self, month: int) -> date:
        return self.run.calendar.months[month]

    # ------------------------------------------------------------------------------------------------- the calendar

    def _note_calendar(self, month: int) -> None:
        """What is dated: seats, budgets, reorganisations, commissioners."""
        world, day = self.run.world, self._date(month)
        if month == 0:
            return
        for p, partnership in enumerate(self.partnerships):
            if world.new_commissioner[month]:
                self.events.append(happened.NewCommissioner(day, partnership))
            for a, authority in enumerate(self.authorities):
                now, before = world.member[p, a, month] > 0, world.member[p, a, month - 1] > 0
                if now != before:
                    self.events.append((happened.Joined if now else happened.Left)(day, partnership, authority))
                elif now and world.reorganised[a, month]:
                    self.events.append(happened.Reorganised(day, partnership, authority))
                if now and world.year_starts[month] and month >= 12:
                    self._note_hours(p, a, month)

    def _note_hours(self, p: int, a: int, month: int) -> None:
        hours, before = float(self.run.world.hours[p, a, month]), float(self.run.world.hours[p, a, month - 12])
        if before > 0 and abs(hours / before - 1) > SHARP_CUT:
            self.events.append(happened.BudgetCut(self._date(month), self.partnerships[p], self.authorities[a], hours, before))

    def _note_endings(self, month: int) -> None:
        """After budgets and the start of the plan year: what ended, and the year's grant."""
        state, world, day = self.run.state, self.run.world, self._date(month)
        for p, partnership in enumerate(self.partnerships):
            if world.year_starts[month]:
                award = float(state.allocation[p])
                self.events.append(happened.GrantAwarded(day, partnership, award, float(self._awards[p])))
                self._awards[p] = award
            for i, intervention in enumerate(self.interventions):
                before, now = self._seen.units[p, i], state.units[p, i]
                if now < before:
                    mid_year = not world.year_starts[month]
                    self.events.append(happened.Ended(day, partnership, intervention, int(before - now), int(now), mid_year))

    # -------------------------------------------------------------------------------------------------- the meeting

    def _note_meeting(self, month: int) -> None:
        """After the decision: what was tabled, who challenged, what was bought and what was not."""
        world, state = self.run.world, self.run.state
        if not world.meets[month]:
            return
        plans = bool(world.plans[month])
        for p in range(len(self.partnerships)):
            for i in range(len(self.interventions)):
                if state.on_table[p, i] > 0:
                    self._note_item(p, i, month, plans)

    def _note_item(self, p: int, i: int, month: int, plans: bool) -> None:
        world, state, day = self.run.world, self.run.state, self._date(month)
        sponsor = int(state.sponsor[p, i])
        names = (day, self.partnerships[p], self.interventions[i])
        belief = float(self._seen.belief[p, sponsor, i])
        self.events.append(happened.Tabled(*names, self.authorities[sponsor], belief, float(state.claim[p, i]), plans))
        challengers = [
            a for a in range(len(self.authorities)) if state.challenges[p, a, i] > 0 and world.member[p, a, month] > 0 and a != sponsor
        ]
        for a in challengers:
            self.events.append(
                happened.Challenged(
                    *names, self.authorities[a], self.authorities[sponsor], float(state.doubts[p, a, i]), float(state.trust[p, a, sponsor]),
                    float(world.levers.devils_advocate[month]), bool(state.scrutiny[p, i] > 0),
                    float(self._seen.belief[p, a, i]), float(state.belief[p, a, i]),
                )
            )  # fmt: skip
        before, after = (self._seen.units_next, state.units_next) if plans else (self._seen.units, state.units)
        bought = round(float(after[p, i] - before[p, i]))
        estimate = float(state.estimate[p, i])
        if bought > 0:
            cost = bought * 12 * float(world.unit_cost[i] * (1 - world.match_share[i]))
            renewed = plans and bool(self._seen.units[p, i] > 0)
            self.events.append(
                happened.Adopted(*names, self.authorities[sponsor], bought, estimate, cost, plans, renewed, bool(challengers))
            )
        else:
            self.events.append(happened.TurnedDown(*names, self.authorities[sponsor], estimate, bool(challengers)))

    # --------------------------------------------------------------------------------------- delivery and evaluation

    def _note_delivery(self, month: int) -> None:
        world, state, day = self.run.world, self.run.state, self._date(month)
        for p, partnership in enumerate(self.partnerships):
            for i, intervention in enumerate(self.interventions):
                if state.units[p, i] > 0 and state.starts[p, i] == month and self._new_this_year(p, i, month):
                    self.events.append(happened.Started(day, partnership, intervention, int(month - state.since[p, i])))
                if world.reviews[month] and state.evaluated[p, i] > 0:
                    self._note_evaluation(p, i, month)

    def _new_this_year(self, p: int, i: int, month: int) -> bool:
        return bool(0 <= month - self.run.state.since[p, i] <= 12)

    def _note_evaluation(self, p: int, i: int, month: int) -> None:
        world, state = self.run.world, self.run.state
        asked = [a for a in range(len(self.authorities)) if state.evaluates[p, a, i] > 0 and world.member[p, a, month] > 0]
        lead = int(world.lead[p, i, month])
        evaluator = lead if lead in asked else asked[0]
        delivered = min(1.0, float(state.effective_dose[p, i]) / max(float(state.units[p, i]), 1e-12))
        truth = float(world.effect[i]) * float(world.uncertainties.effect_scale) * int(world.switches.effects) * delivered
        names = (self._date(month), self.partnerships[p], self.interventions[i], self.authorities[evaluator])
        views = (self._view(self._seen.belief, p, i, month), self._view(state.belief, p, i, month))
        self.events.append(
            happened.Evaluated(*names, bool(state.evaluated[p, i] > 1), float(state.evaluated_estimate[p, i]), truth, *views)
        )

    def _view(self, belief: Floats, p: int, i: int, month: int) -> float:
        """What the table believes: members' beliefs weighted by influence, as the accounts weigh them."""
        weights = self.run.world.influence * self.run.world.member[p, :, month]
        return float(belief[p, :, i] @ weights / max(float(weights.sum()), 1e-12))

    # ------------------------------------------------------------------------------------------------ people, books

    def _note_people(self, month: int) -> None:
        state, day = self.run.state, self._date(month)
        for p, a in np.argwhere(state.generation > self._seen.generation):
            traits = state.traits[p, a]
            person = (float(traits[Trait.ASSERTIVENESS]), float(traits[Trait.OPENNESS]), float(traits[Trait.EVALUATION_MINDEDNESS]))
            self.events.append(happened.NewRepresentative(day, self.partnerships[p], self.authorities[a], *person))

    def _close_year(self, month: int) -> None:
        self._year += self.run.state.tallies
        if self.run.world.year_ends[month] or month == len(self.run.calendar.months) - 1:
            for partnership, row in zip(self.partnerships, outcomes_of(self._year), strict=True):
                self.events.append(happened.YearClosed(self._date(month), partnership, dict(zip(OUTCOMES, row.tolist(), strict=True))))
            self._year[:] = 0


def watch(run: Run) -> list[happened.Event]:
    """Every event of the reported months of a run that has not begun, and the reckoning at its end."""
    return Witness(run).watch()


def titles_of(run: Run) -> dict[str, str]:
    """Titles of everything an event can name, by name."""
    data = run.scenario.data
    titles = {name: entry.title for table in (data.partnerships, data.authorities, data.interventions) for name, entry in table.items()}
    return {**titles, "area": "The area"}


def as_records(events: Iterable[happened.Event]) -> list[dict[str, Any]]:
    """Events as plain tables, each with its kind."""
    return [{"event": type(event).__name__, **event._asdict()} for event in events]
