"""What an analysis of a sweep holds: everything that was found out about one outcome."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cspsim.analysis.answer_cost import Allocation, AnswerCost
from cspsim.analysis.discovery import PolicyFailure
from cspsim.analysis.effects import Swept
from cspsim.analysis.main_effects import LeverEffect
from cspsim.analysis.morris import MorrisMeasures
from cspsim.analysis.regression import Regression
from cspsim.analysis.robustness import Robustness, TwoByTwo
from cspsim.analysis.sensitivity import SobolIndices
from cspsim.analysis.swept import Subject
from cspsim.analysis.turning_points import Turn
from cspsim.comparing.comparison import Finding
from cspsim.model.parameters import Floats, Integers
from cspsim.running.outcomes import Outcome

if TYPE_CHECKING:
    from cspsim.sweep.stored_results import SweepResults


@dataclass
class Analysis:
    """Everything that was found out about one outcome of a sweep. What does not apply to its designs is empty or None.

    Attributes:
        results: of the sweep. outcome: register entry of the outcome in question.
        names: of all policies. shown: numbers of those described one by one; ranked: those of ``robust``, baseline first.
        swept: the outcome replicate by replicate.
        findings: each shown policy's effect on every stored outcome, the outcome in question first.
        luck_in_spread: policy -> share of the spread over sets that is luck.
        robust: regret and ranks. turns: (first, second policy) -> its turning points. halves: policy -> its 2 x 2 tables.
        failures: policy -> under which assumptions it fails.
        sobol, morris, regressions: of assumptions and of levers. lever_effects, lever_shares: of a factorial design.
        luck: "" (the baseline's outcome) or policy -> shares of the streams of luck.
        costs, allocations: policy -> replicates, and sets, that an answer needs.
        sets, values, groups: assumption sets that are independent of each other, ``[set, name]``, and which go together.
        notes: what a reader has to know.
    """

    results: "SweepResults"
    outcome: Outcome
    names: list[str]
    shown: list[int]
    ranked: list[int]
    swept: Swept
    findings: list[Finding]
    luck_in_spread: dict[str, float]
    sets: Integers
    assumptions: list[str]
    values: Floats
    groups: Integers
    robust: Robustness | None = None
    turns: dict[tuple[str, str], list[Turn]] = field(default_factory=dict)
    halves: dict[str, list[TwoByTwo]] = field(default_factory=dict)
    failures: dict[str, PolicyFailure] = field(default_factory=dict)
    sobol: dict[Subject, SobolIndices] = field(default_factory=dict)
    morris: dict[Subject, MorrisMeasures] = field(default_factory=dict)
    regressions: dict[Subject, Regression] = field(default_factory=dict)
    lever_effects: list[LeverEffect] = field(default_factory=list)
    lever_shares: dict[str, Floats] = field(default_factory=dict)
    luck: dict[str, SobolIndices] = field(default_factory=dict)
    costs: dict[str, AnswerCost] = field(default_factory=dict)
    allocations: dict[str, Allocation] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def finding(self, name: str, outcome: str = "") -> Finding:
        """One policy's effect on an outcome (that in question). Raises KeyError for an unknown one."""
        wanted = outcome or self.outcome.name
        return {(found.scenario, found.outcome): found for found in self.findings}[name, wanted]

    @property
    def shown_names(self) -> list[str]:
        """Names of the policies that are described one by one."""
        return [self.names[policy] for policy in self.shown]

    def against(self, name: str) -> str:
        """Name of the policy that this one's effect is taken against."""
        return self.names[int(self.swept.against[self.names.index(name)])]
