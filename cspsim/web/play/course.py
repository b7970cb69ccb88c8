"""One course of a game: months run as in the Mesa model, with people's choices replacing the rulebook's intentions."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from cspsim.mesa_model.agents import Partnership, ResponsibleAuthority, decision_changes
from cspsim.mesa_model.partnership_model import PartnershipModel
from cspsim.model.parameters import Floats, Integers
from cspsim.model.state import copy_into
from cspsim.one_run.run import Run
from cspsim.one_run.witness import Witness
from cspsim.scenario.scenario import Scenario
from cspsim.web.play.decisions import HOURS, PLEDGE, Choice
from cspsim.web.play.settings import Settings, quarter_bounds

Look = Callable[[str, "Desk"], None]
"""Called at each decision point, when everybody has been asked and nothing is written yet."""


class Player(ResponsibleAuthority):
    """An authority as people play it: it does what they chose, and what the rulebook intends where they chose nothing.

    Attributes:
        wishes: decision point -> item -> what was chosen, for this month.
        asked: decision point -> what the rulebook intended when this authority was asked this month.
    """

    def __init__(self, model: PartnershipModel, partnership: Partnership, name: str, row: int) -> None:
        super().__init__(model, partnership, name, row)
        self.wishes: dict[str, dict[str, float]] = {}
        self.asked: dict[str, Any] = {}

    def table(self, intentions: dict[str, bool]) -> Mapping[str, bool]:
        """What people chose to put on the table."""
        return self._chosen("table", intentions)

    def challenge(self, intentions: dict[str, bool]) -> Mapping[str, bool]:
        """What people chose to challenge."""
        return self._chosen("challenge", intentions)

    def pledge(self, hours: float) -> float:
        """The hours people chose."""
        self.asked[PLEDGE] = hours
        return self.wishes.get(PLEDGE, {}).get(HOURS, hours)

    def evaluate(self, intentions: dict[str, bool]) -> Mapping[str, bool]:
        """What people chose to evaluate."""
        return self._chosen("evaluate", intentions)

    def _chosen(self, point: str, intentions: dict[str, bool]) -> dict[str, bool]:
        self.asked[point] = intentions
        wishes = self.wishes.get(point, {})
        return {name: bool(wishes[name]) for name in intentions if name in wishes}


class Moment(NamedTuple):
    """Everything that changes in a run, to come back to."""

    numbers: Floats
    counters: Integers
    window: Floats
    month: int


class Desk:
    """One scenario's model with the players of one table; the model's agents see what their authority could know."""

    def __init__(self, scenario: Scenario, settings: Settings, replicate: int) -> None:
        self.scenario = scenario
        self.model = PartnershipModel(scenario, settings.seed, replicate, agents={"ResponsibleAuthority": Player})
        self.run: Run = self.model.run
        found = [agent for agent in self.model.agents if isinstance(agent, Partnership) and agent.name == settings.partnership]
        self.partnership = found[0]
        self.players: dict[str, Player] = {name: agent for name, agent in self.partnership.authorities.items() if isinstance(agent, Player)}

    def take_over(self, run: Run) -> None:
        """Continue from the state of another run with the same people and luck."""
        copy_into(run.state, self.run.state)
        self.run.window[:] = run.window
        self.run.month = run.month

    def advance(self, choices: Sequence[Choice], look: Look | None, witness: Witness | None) -> None:
        """Run one month. Everybody decides on the same information, as in ``PartnershipModel``."""
        self.model.month = self.run.month
        for player in self.players.values():
            player.wishes, player.asked = {}, {}
        for choice in choices:
            if choice.differs and choice.authority in self.players:
                self.players[choice.authority].wishes.setdefault(choice.point, {})[choice.item] = choice.value

        def decide(point: str) -> None:
            asked = [player for player in self.players.values() if look is not None or point in player.wishes]
            changes = [change for player in asked for change in decision_changes(player, point)]
            if look is not None:
                look(point, self)
            for array, place, value in changes:
                array[place] = value

        (self.run if witness is None else witness).advance(decide)


class CourseStage(NamedTuple):
    """A scenario that holds from the month after the meeting of a quarter; -1 for the one a game begins with."""

    quarter: int
    scenario: Scenario


class Course:
    """One course of a game, from its first quarter to its end; the same choices, stages and luck give the same course.

    Attributes:
        desk: the scenario that holds now, with its run.
        bounds: index of the month in which each quarter begins, and of the month after the last.
        witness: notes what happens from the first reported month on, if asked for.
    """

    def __init__(self, stages: Sequence[CourseStage], settings: Settings, replicate: int | None = None, watched: bool = False) -> None:
        self.settings = settings
        self.replicate = settings.replicate if replicate is None else replicate
        self.bounds = quarter_bounds(stages[0].scenario.data, settings)
        self._desks: list[tuple[int, Desk]] = []
        for stage in stages:
            self.add(stage)
        self.desk = self._desks[0][1]
        self.witness = Witness(self.desk.run) if watched else None
        while self.month < self.bounds[0]:
            self._step((), None, self.witness)

    @property
    def month(self) -> int:
        """Index of the month that is run next."""
        return self.desk.run.month

    def add(self, stage: CourseStage) -> None:
        """Let another scenario hold from the month after the meeting of its quarter; what lies before is not touched."""
        first = self.bounds[stage.quarter] + 1 if stage.quarter >= 0 else 0
        self._desks.append((first, Desk(stage.scenario, self.settings, self.replicate)))

    def play(self, quarter: int, choices: Sequence[Choice]) -> None:
        """Run the months of a quarter, each with the quarter's choices."""
        mine = [choice for choice in choices if choice.quarter == quarter]
        while self.month < self.bounds[quarter + 1]:
            self._step(mine, None, self.witness)

    def rehearse(self, quarter: int, choices: Sequence[Choice], look: Look, months: int = 3) -> None:
        """Run months of the quarter that begins now for ``look`` to see what people will be asked, and come back."""
        moment = self.moment()
        try:
            while self.month < min(moment.month + months, self.bounds[quarter + 1]):
                self._step(choices, look, None)
        finally:
            self.rewind(moment)

    def finish(self) -> None:
        """Run to the end with all decisions left to the computer."""
        while not self.desk.run.finished:
            self._step((), None, self.witness)

    def moment(self) -> Moment:
        """Where the run stands. A witness keeps its own notes, so only an unwatched course may be rewound after real months."""
        run = self.desk.run
        return Moment(run.state.numbers.copy(), run.state.counters.copy(), run.window.copy(), run.month)

    def rewind(self, moment: Moment) -> None:
        """Come back to a moment of this course."""
        self.desk = self._holding(moment.month)
        run = self.desk.run
        run.state.numbers[:], run.state.counters[:], run.window[:] = moment.numbers, moment.counters, moment.window
        run.month = moment.month

    def _holding(self, month: int) -> Desk:
        return [desk for first, desk in self._desks if first <= month][-1]

    def _step(self, choices: Sequence[Choice], look: Look | None, witness: Witness | None) -> None:
        desk = self._holding(self.month)
        if desk is not self.desk:
            desk.take_over(self.desk.run)
            self.desk = desk
        if witness is not None:
            witness.run = desk.run
        desk.advance(choices, look, witness)
