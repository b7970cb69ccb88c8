"""One run as a Mesa model: the same rulebook, with agents that can be looked at, collected, subclassed and batch-run.

Replicate k here equals replicate k of ``simulate``, number for number, as long as no agent decides otherwise than the
rulebook would. Overriding agents act from the first reported month on: the warm-up is history before the question.
"""

import os
from collections.abc import Mapping
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any

import mesa
import numpy as np

from cspsim.basics.errors import did_you_mean
from cspsim.mesa_model.agents import (
    CLASSES_BY_ROLE,
    Commissioner,
    HomeOffice,
    Partnership,
    ResponsibleAuthority,
    decision_changes,
    overrides,
)
from cspsim.model.month import DECISION_POINTS
from cspsim.model.parameters import Floats
from cspsim.one_run.run import Run
from cspsim.running.outcomes import OUTCOMES
from cspsim.running.results import AREA, Results
from cspsim.scenario.scenario import Scenario, load_scenario
from cspsim.scenario.world_building import role_names

if TYPE_CHECKING:
    import pandas as pd

AGENT_COLUMNS = {
    "partnership": "partnership_name",
    "agent": "name",
    "sits": "sits",
    "budget": "budget",
    "balance": "balance",
    "hours_worked": "hours",
    "workload": "workload",
    "trust_placed": "trust_placed",
    "challenges_made": "challenges_made",
}
"""Column -> attribute collected from every agent each month (None where an agent has no such attribute). ``batch_run`` lays
these beside the outcomes of the area, so no column may be called like an outcome."""


class PartnershipModel(mesa.Model):
    """Replicate ``replicate`` of a scenario; each ``step`` is one reported month.

    Args:
        scenario: a scenario, or the name, path or stack of one.
        seed: 0 to 2^64 - 1. It settles all luck, together with ``replicate``.
        replicate: number of the run.
        agents: which class takes the place of which agents, by authority at one table (``"lambeth/local_authority"``),
            authority (``"local_authority"``), role (``"coordinator"``) or class name (``"Coordinator"``,
            ``"ResponsibleAuthority"`` for all, ``"Partnership"``, ``"Commissioner"``, ``"HomeOffice"``); the first
            that fits in this order counts. ``batch_run`` takes dictionaries apart: give it a list of dictionaries.
        kwargs: changes to the scenario by dotted key, as in ``Scenario.with_changes``:
            ``PartnershipModel(**{"levers.grant.multiplier": 0.5})``. So keys can be parameters of ``batch_run`` and
            sliders of a page, which wants this very name for it.

    Attributes:
        run: the run itself. month: index of the month that agents show, counted from the start of the warm-up: the month
            under way during a step, the month just run otherwise. datacollector: one series per outcome for the whole
            area, ``AGENT_COLUMNS`` for each agent, and the table ``months`` with all outcomes of each partnership.
        running: False once the last month is run; further steps do nothing.

    Raises:
        ScenarioError: the scenario does not exist or has faults.
        ValueError, TypeError: an agent to be replaced that does not exist, or a class that cannot take its place.
    """

    # Mesa 3.5 gives every model a `scenario` of its own making, and its page would hand that to us at every reset.
    # None keeps it from doing so; ours is `run.scenario`.
    scenario = None

    def __init__(
        self,
        scenario: Scenario | str = "baseline",
        seed: int = 1,
        replicate: int = 0,
        agents: Mapping[str, type[mesa.Agent]] | None = None,
        **kwargs: Any,
    ) -> None:
        run = Run(_chosen(scenario, kwargs), seed, replicate)
        super().__init__(rng=[seed, replicate])  # for users' agents; the model's own luck is in the run
        self.scenario = None
        self.run = run
        self.replicate = replicate
        self.seed = seed
        data = run.scenario.data
        self.partnerships, self.authority_names = list(data.partnerships), list(data.authorities)
        self.interventions, self.roles = list(data.interventions), role_names(data)
        self._places = {name: i for i, name in enumerate(self.interventions)}
        run.warm_up()
        self.month = run.month - 1
        self.outcomes_this_month: list[list[float]] = []
        self._kept: list[Floats] = []
        self._by_authority = np.zeros(run.state.authority_tallies.shape)
        self._create_agents(_replacements(agents))
        authorities = [agent for agent in self.agents if isinstance(agent, ResponsibleAuthority)]
        self._deciders = {point: [agent for agent in authorities if overrides(agent, point)] for point in DECISION_POINTS}
        self.datacollector = _collector(len(self.partnerships))

    # ------------------------------------------------------------------------------------------------------- the month

    def step(self) -> None:
        """Run one month and collect its data. It happens whole or, if an agent's decision fails or somebody interrupts, not at all."""
        if self.run.finished:
            self.steps -= 1  # Mesa has counted a month that does not exist
            return
        state = self.run.state
        before = state.numbers.copy(), state.counters.copy()
        self.month = self.run.month
        try:
            self.run.advance(self._decide if any(self._deciders.values()) else None)
        except BaseException:
            state.numbers[:], state.counters[:] = before
            self.month -= 1
            self.steps -= 1
            raise
        self._keep_month()
        self.running = not self.run.finished

    def _decide(self, point: str) -> None:
        """Everybody decides on the same information; only then is anything written."""
        changes = [change for authority in self._deciders[point] for change in decision_changes(authority, point)]
        for array, place, value in changes:
            array[place] = value

    def _keep_month(self) -> None:
        state = self.run.state
        self._kept.append(state.tallies.copy())
        if self.run.world.counted[self.month]:
            self._by_authority += state.authority_tallies
        self.outcomes_this_month = self.run.outcomes_this_month().tolist()
        month = np.datetime64(self.date, "ns")
        for place, outcomes in zip([*self.partnerships, AREA], self.outcomes_this_month, strict=True):
            row = {"replicate": self.replicate, "partnership": place, "month": month, **dict(zip(OUTCOMES, outcomes, strict=True))}
            self.datacollector.add_table_row("months", row)
        # Mesa 3.3 finds a model's row by its position, from 0, but an agent's by the number of steps, from 1.
        self.steps -= 1
        try:
            self.datacollector.collect(self)
        finally:
            self.steps += 1

    # ------------------------------------------------------------------------------------------------- what can be read

    @property
    def date(self) -> date:
        """First day of the month that agents show: under way during a step, else just run (at first the last of the warm-up)."""
        return self.run.calendar.months[self.month]

    @property
    def results(self) -> Results:
        """This run so far as ``simulate`` gives it: ``runs``, ``months`` and ``authorities`` with one replicate."""
        run = self.run
        calendar = run.calendar._replace(months=run.calendar.months[: run.month])
        monthly = np.zeros((1, run.month, *run.state.tallies.shape))
        if self._kept:
            monthly[0, calendar.warm_up :] = self._kept
        return Results(run.scenario, self.seed, self.replicate, calendar, run.window[None].copy(), self._by_authority[None].copy(), monthly)

    @property
    def months(self) -> "pd.DataFrame":
        """One row per partnership (each, and "area") and month so far, in the format of ``Results.months``."""
        return self.results.months

    @property
    def outcomes(self) -> "pd.DataFrame":
        """One row per partnership (each, and "area"): outcomes over the window so far, in the format of ``Results.runs``."""
        return self.results.runs

    def index_of(self, intervention: str) -> int:
        """Position of an intervention in the scenario. ValueError with the nearest name if there is none."""
        if intervention not in self._places:
            raise ValueError(f"no intervention is called {intervention!r}; {did_you_mean(str(intervention), self._places)}")
        return self._places[intervention]

    def title_of(self, intervention: str) -> str:
        """Title of an intervention."""
        return self.run.scenario.data.interventions[intervention].title

    # ------------------------------------------------------------------------------------------------------ the agents

    def _create_agents(self, given: Mapping[str, type[mesa.Agent]]) -> None:
        """The home office, the commissioner, each partnership and everybody who ever sits at its table."""
        used: set[str] = set()
        known: set[str] = set()

        def pick(keys: list[str], usual: type[mesa.Agent], base: type[mesa.Agent]) -> Any:
            known.update(keys)
            used.update(key for key in keys if key in given)
            chosen = next((given[key] for key in keys if key in given), usual)
            if not issubclass(chosen, base):
                raise TypeError(f"agents: {chosen.__name__} cannot take the place of {keys[0]}: expected a subclass of {base.__name__}")
            return chosen

        for kind in (HomeOffice, Commissioner):
            pick([kind.__name__], kind, kind)(self)
        for p, place in enumerate(self.partnerships):
            partnership = pick([Partnership.__name__], Partnership, Partnership)(self, place, p)
            for a, name in enumerate(self.authority_names):
                if self.run.world.member[p, a].any():
                    roles = self.run.scenario.data.authorities[name].roles
                    usual = next((CLASSES_BY_ROLE[role] for role in roles if role in CLASSES_BY_ROLE), ResponsibleAuthority)
                    keys = [f"{place}/{name}", name, *roles, usual.__name__, ResponsibleAuthority.__name__]
                    agent = pick(keys, usual, ResponsibleAuthority)(self, partnership, name, a)
                    partnership.authorities[name] = agent
        for key in set(given) - used:
            raise ValueError(f"agents: this scenario has no authority, role or class {key!r}; {did_you_mean(str(key), sorted(known))}")


def _replacements(agents: Mapping[str, type[mesa.Agent]] | None) -> Mapping[str, type[mesa.Agent]]:
    if agents is None:
        return {}
    if not isinstance(agents, Mapping):
        raise TypeError(f"agents: expected a dictionary from name to class, found {agents!r} (batch_run needs a list of dictionaries)")
    for key, kind in agents.items():
        if not isinstance(kind, type) or not issubclass(kind, mesa.Agent):
            raise TypeError(f"agents: expected a class of agents for {key!r}, found {kind!r}")
    return agents


def _collector(n_partnerships: int) -> mesa.DataCollector:
    return mesa.DataCollector(
        model_reporters={name: partial(_of_area, place=n_partnerships, outcome=k) for k, name in enumerate(OUTCOMES)},
        agent_reporters=dict(AGENT_COLUMNS),
        tables={"months": ["replicate", "partnership", "month", *OUTCOMES]},
    )


def _of_area(model: PartnershipModel, place: int, outcome: int) -> float:
    return model.outcomes_this_month[place][outcome]


_loaded: dict[tuple[str, str], tuple[Scenario, list[int]]] = {}


def _chosen(scenario: Scenario | str, changes: Mapping[str, Any]) -> Scenario:
    """The scenario with its changes. A batch asks for the same names again and again, so files are read once until they change."""
    for key in changes:
        if "." not in key:
            hint = did_you_mean(key, ("scenario", "seed", "replicate", "agents"))
            raise TypeError(f"PartnershipModel has no argument {key!r}; {hint} (a change to the scenario has a dotted key)")
    if isinstance(scenario, str):
        place = (scenario, os.getcwd())
        if place not in _loaded or _loaded[place][1] != _stamps(_loaded[place][0]):
            fresh = load_scenario(scenario)
            _loaded[place] = (fresh, _stamps(fresh))
        scenario = _loaded[place][0]
    return scenario.with_changes(changes) if changes else scenario


def _stamps(scenario: Scenario) -> list[int]:
    """When each of its files was last written; -1 for one that is gone."""
    return [path.stat().st_mtime_ns if path.exists() else -1 for path in scenario.sources]
