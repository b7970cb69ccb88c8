"""A game: one table played by people and the computer, quarter by quarter, step by step, without anybody waiting inside.

Time stands still between steps. What people may decide is seen in a rehearsal of the quarter (``cards``), and a quarter is
run in one go once its second step is over. Settings, choices and incidents reproduce everything, number for number.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from cspsim.one_run.witness import titles_of
from cspsim.scenario.scenario import Scenario
from cspsim.scenario.world_building import calendar_of
from cspsim.web.play.course import Course
from cspsim.web.play.decision_cards import StepCards
from cspsim.web.play.decisions import AuthorityCard, Choice, Refused, read_choices
from cspsim.web.play.incidents import Incident, IncidentHappened, stages_of
from cspsim.web.play.minutes import Minutes, minutes_of
from cspsim.web.play.settings import Settings, game_scenario

TABLING, ANSWERING = 1, 2
"""The steps of a quarter: what each authority puts on the table; then challenge, pledge, evaluate."""


class Game:
    """A game under way.

    Attributes:
        scenario: the scenario cut to the game, before any incident.
        quarter, step: what is to be decided now; when the game is over, the number of quarters played.
        over: whether people have decided for the last time. The computer then plays to the end of the scenario.
        choices: everything people decided in steps that are over.
        handed_in: by authority, what was decided in the step under way.
        minutes: one for each quarter that was run.
    """

    def __init__(self, scenario: Scenario, settings: Settings) -> None:
        self.settings = settings
        self.scenario = game_scenario(scenario, settings)
        self.titles: dict[str, str] = {}
        self._incidents: list[tuple[int, Incident]] = []
        self.happened: list[IncidentHappened] = []
        self._start()

    def _start(self) -> None:
        """The first quarter, with the incidents known so far lying ahead."""
        self.stages, self.happened = stages_of(self.scenario, self.settings, self._incidents)
        self.course = Course(self.stages, self.settings, watched=True)
        self.titles = titles_of(self.course.desk.run)
        self.quarter, self.step, self.over = 0, TABLING, False
        self.choices: list[Choice] = []
        self.handed_in: dict[str, tuple[Choice, ...]] = {}
        self.minutes: list[Minutes] = []
        self._look()

    def _look(self) -> None:
        """What can be decided now. A meeting without money to spend has nothing to table: on to its second step."""
        if self.over:
            return
        self.at_hand = StepCards(self.course, self.quarter, self.step, self.choices)
        if self.step == TABLING and all(card.empty for card in self.cards.values()):
            self.step = ANSWERING
            self.at_hand = StepCards(self.course, self.quarter, self.step, self.choices)

    # ---------------------------------------------------------------------------------------------------- what is seen

    @property
    def cards(self) -> Mapping[str, AuthorityCard]:
        """The card of each authority in this step; none when the game is over."""
        return {} if self.over else self.at_hand.cards

    @property
    def month(self) -> date:
        """The month of the meeting under way, or the last month once the game is over and played to its end."""
        return self.course.desk.run.date

    @property
    def first_month(self) -> date:
        """The month in which the game begins."""
        return self.months_of_quarters[0]

    @property
    def months_of_quarters(self) -> list[date]:
        """The month in which each quarter begins."""
        months = calendar_of(self.scenario.data).months
        return [months[k] for k in self.course.bounds[:-1]]

    def waiting(self, authorities: Sequence[str]) -> list[str]:
        """Which of these authorities have something to decide and have not handed in."""
        return [name for name in authorities if name in self.cards and not self.cards[name].empty and name not in self.handed_in]

    # ----------------------------------------------------------------------------------------------------- what is done

    def read(self, authority: str, raw: Any) -> tuple[Choice, ...]:
        """An answer to the card of an authority; see ``read_choices`` for ``raw``. Raises Refused for what cannot be."""
        if authority not in self.cards:
            raise Refused("the game is over" if self.over else "there is no such authority at this table")
        if authority in self.handed_in:
            raise Refused("this card has been handed in already; take it back to change it")
        return read_choices(self.cards[authority], raw)

    def hand_in(self, authority: str, choices: Sequence[Choice]) -> None:
        """Decide for an authority in this step, with choices as ``read`` gave them."""
        self.handed_in[authority] = tuple(choices)

    def take_back(self, authority: str) -> None:
        """Give a handed-in card back while the step is under way."""
        if self.handed_in.pop(authority, None) is None:
            raise Refused("there is no card to take back")

    def advance(self) -> None:
        """End the step; the computer decides for everybody who has not handed in."""
        self._check_under_way()
        self.choices += [choice for choices in self.handed_in.values() for choice in choices]
        self.handed_in = {}
        if self.step == TABLING:
            self.step = ANSWERING
        else:
            self._run_quarter()
        self._look()

    def _run_quarter(self) -> None:
        course, quarter = self.course, self.quarter
        course.play(quarter, self.choices)
        months, events = calendar_of(self.scenario.data).months, course.witness.events if course.witness else []
        mine = [event for event in events if event.partnership == self.settings.partnership]
        span = months[course.bounds[quarter]], months[course.bounds[quarter + 1] - 1]
        self.minutes.append(minutes_of(quarter, span, mine, self.choices, self.titles))
        self.quarter, self.step = quarter + 1, TABLING
        if self.quarter == self.settings.quarters:
            self._finish()

    def _finish(self) -> None:
        self.over = True
        self.course.finish()

    def inject(self, incident: Incident) -> IncidentHappened:
        """Let something happen after the meeting under way. Raises Refused if it is too late for it."""
        self._check_under_way()
        incidents = [*self._incidents, (self.quarter, incident)]
        self.stages, self.happened = stages_of(self.scenario, self.settings, incidents)
        self._incidents = incidents
        self.course.add(self.stages[-1])
        self._look()
        return self.happened[-1]

    def undo(self, quarter: int) -> None:
        """Back to the start of a quarter: later decisions and incidents are removed."""
        if not 0 <= quarter <= self.quarter:
            raise Refused(f"the game can go back to quarters 1 to {self.quarter + 1}, not to {quarter + 1}")
        choices = [choice for choice in self.choices if choice.quarter < quarter]
        self._incidents = [(when, incident) for when, incident in self._incidents if when < quarter]
        self._start()
        self.choices = choices
        while self.quarter < quarter:
            self._run_quarter()
        self._look()

    def end(self) -> None:
        """End the game: the quarter under way counts if anybody decided anything in it, the rest is the computer's."""
        self._check_under_way()
        decided = self.handed_in or any(choice.quarter == self.quarter for choice in self.choices)
        if decided:
            self.choices += [choice for choices in self.handed_in.values() for choice in choices]
            self._run_quarter()
        self.handed_in = {}
        if not self.over:
            self._finish()

    def _check_under_way(self) -> None:
        if self.over:
            raise Refused("the game is over")
