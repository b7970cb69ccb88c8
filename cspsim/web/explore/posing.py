"""A question posed: the scenarios to run, the command line and the scenario file that ask the same."""

from functools import cached_property, lru_cache
from typing import Any

from cspsim.basics.errors import CspsimError
from cspsim.basics.outward import for_shell
from cspsim.comparing.comparison import grounds_apart
from cspsim.scenario.scenario import Scenario
from cspsim.scenario.toml_lines import write_toml, write_value
from cspsim.web.explore.levers import holding, months_to_begin, usual_month
from cspsim.web.explore.question import Question
from cspsim.web.shown_scenarios import file_of, is_place, known_names, making_of, scenario_of

CHANGED = "your-scenario"
"""What a scenario is called once a lever of it was moved."""


class Posed:
    """A question with everything that follows from it before anything is run.

    Attributes:
        question: as asked.
        since: the month from which moved levers are held.
        outcome: the outcome asked about.
        baseline, scenario: the two arms at their best guesses; ``changed_baseline``, ``changed_scenario`` under the changed
            assumptions, None where none was changed.
        changes: what the moved levers change in the scenario.

    Raises:
        CspsimError: the two scenarios cannot be compared.
    """

    def __init__(self, question: Question) -> None:
        chosen, baseline = scenario_of(question.scenario), scenario_of(question.baseline)
        self.question, self.chosen, self.baseline = question, chosen, baseline
        self.since = question.since if question.since in months_to_begin(chosen) else usual_month(chosen)
        self.changes: dict[str, Any] = {}
        for name, value in question.levers:
            self.changes |= holding(chosen, name, value, self.since)
        self.outcome = question.outcome or chosen.data.primary_outcome
        self.scenario = chosen.with_changes(self.changes, CHANGED) if self.changes else chosen
        apart = grounds_apart(baseline, self.scenario)
        if apart:
            raise CspsimError(f"“{chosen.title}” cannot be compared with “{baseline.title}”: {'; '.join(apart)}")
        assumed = {f"uncertainties.{name}.value": value for name, value in question.assumptions}
        self._assumed = assumed
        self.changed_baseline = baseline.with_changes(assumed, baseline.name) if assumed else None
        self.changed_scenario = self.scenario.with_changes(assumed, self.scenario.name) if assumed else None

    @property
    def under_changed(self) -> bool:
        """Whether the answer is asked for under the changed assumptions."""
        return self.question.changed and self.changed_scenario is not None

    @property
    def arms(self) -> tuple[Scenario, Scenario]:
        """Baseline and scenario of the answer."""
        if self.under_changed and self.changed_baseline is not None and self.changed_scenario is not None:
            return self.changed_baseline, self.changed_scenario
        return self.baseline, self.scenario

    @cached_property
    def asked_arms(self) -> tuple[Scenario, Scenario]:
        """The same with the outcome that is asked about; apart from ``arms``, since it changes no run."""
        baseline, scenario = self.arms
        if scenario.data.primary_outcome == self.outcome:
            return baseline, scenario
        return baseline, scenario.with_changes({"primary_outcome": self.outcome}, scenario.name)

    @property
    def title(self) -> str:
        """What the scenario is called in sentences and charts."""
        return "Your scenario" if self.changes else self.chosen.title

    @property
    def baseline_title(self) -> str:
        """What the baseline is called."""
        return self.baseline.title

    @cached_property
    def command(self) -> str:
        """The command line that gives the same answer, after the one that writes the file of a real place."""
        given = ["cspsim", "compare", file_of(self.question.baseline), file_of(self.question.scenario)]
        settings = dict(self.changes)
        if self.outcome != self.chosen.data.primary_outcome:
            settings["primary_outcome"] = self.outcome
        for key, value in settings.items():
            given += ["--set", f"{key}={write_value(value)}"]
        if self.under_changed:
            for key, value in self._assumed.items():
                given += ["--set-everywhere", f"{key}={write_value(value)}"]
        if self.baseline.rivals or self.chosen.rivals:
            given.append("--allow-rules")
        given += ["--replicates", str(self.question.runs), "--seed", str(self.question.seed)]
        made = dict.fromkeys(filter(None, map(making_of, (self.question.baseline, self.question.scenario))))
        return " && ".join([*made, for_shell(given)])

    @cached_property
    def scenario_file(self) -> str:
        """The scenario as a file: what it changes, if it extends a shipped one; else the whole of it."""
        if file_of(self.question.scenario) != self.question.scenario:
            return self.scenario.to_toml()
        levers: dict[str, Any] = {}
        for key, value in self.changes.items():
            _, name, part = key.split(".")
            levers.setdefault(name, {})[part] = value
        head = {
            "extends": self.question.scenario,
            "title": self.title if self.changes else f"Like {self.chosen.title}",
            "question": self.chosen.question,
            **({"primary_outcome": self.outcome} if self.outcome != self.chosen.data.primary_outcome else {}),
        }
        return write_toml({**head, **({"levers": levers} if levers else {})}, levels=1)


def baselines_for(name: str) -> list[str]:
    """Names of the scenarios that a scenario can be compared with, itself among them."""
    names = [name, *known_names()] if is_place(name) else known_names()
    return list(_baselines_for(scenario_of(name), tuple(names)))


@lru_cache(maxsize=64)
def _baselines_for(scenario: Scenario, names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(other for other in names if not grounds_apart(scenario_of(other), scenario))
