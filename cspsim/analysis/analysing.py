"""An analysis of a sweep put together: what applies to the designs that are there, on one outcome."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from cspsim.analysis.answer_cost import Allocation, AnswerCost
from cspsim.analysis.discovery import PolicyFailure
from cspsim.analysis.effects import Swept, independent_rows, luck_in_spread, policy_findings, swept_of
from cspsim.analysis.main_effects import LeverEffect
from cspsim.analysis.morris import MorrisMeasures
from cspsim.analysis.regression import Regression
from cspsim.analysis.robustness import Robustness, TwoByTwo
from cspsim.analysis.sensitivity import SobolIndices
from cspsim.analysis.steps import ask_assumptions, ask_factors, ask_luck, compare_policies, count_cost
from cspsim.analysis.swept import Subject
from cspsim.analysis.turning_points import Turn
from cspsim.basics.errors import CspsimError, did_you_mean
from cspsim.comparing.comparison import Finding
from cspsim.model.parameters import Floats, Integers
from cspsim.running.outcomes import OUTCOMES, Outcome

if TYPE_CHECKING:
    from cspsim.sweep.stored_results import SweepResults

MOST_SHOWN, MOST_RANKED = 6, 8
"""Policies that are told about one by one, and policies that are ranked against each other."""


@dataclass
class Analysis:
    """Everything that was found out about one outcome of a sweep. What does not apply to its designs is empty or None.

    Attributes:
        results: of the sweep. outcome: register entry of the outcome in question.
        names: of all policies. shown: numbers of those told about one by one; ranked: those of ``robust``, baseline first.
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
        """Names of the policies that are told about one by one."""
        return [self.names[policy] for policy in self.shown]

    def against(self, name: str) -> str:
        """Name of the policy that this one's effect is taken against."""
        return self.names[int(self.swept.against[self.names.index(name)])]


def analyse(results: "SweepResults", outcome: str | None = None, seed: int = 1) -> Analysis:
    """Everything that the designs of a sweep allow to be asked about one outcome (by default the primary one).

    ``seed`` is of bootstraps, folds and trees; the same results give the same analysis. Raises CspsimError for an outcome
    that is not stored, for a sweep without finished runs, and when ``cspsim[analysis]`` is not installed.
    """
    name = outcome or results.primary
    if name not in results.outcomes:
        raise CspsimError(f'outcome "{name}" is not stored here; {did_you_mean(name, results.outcomes)}')
    if "runs" not in results.tables():
        raise CspsimError(f"{results.folder} holds no finished runs yet ({results.manifest['status']}): nothing to analyse")
    found = _begun(results, name)
    compare_policies(found, seed)
    ask_assumptions(found, seed)
    ask_factors(found, seed)
    ask_luck(found, seed)
    count_cost(found)
    return found


def _begun(results: "SweepResults", name: str) -> Analysis:
    swept = swept_of(results, name)
    names = [str(policy) for policy in results.policies["name"]]
    entry = OUTCOMES[name]
    shown, ranked = chosen_policies(swept, entry.better, int(results.designs["levers"].get("first", len(names))))
    sets, groups = independent_sets(results, swept)
    columns = [column for column in results.assumptions.columns if column != "assumptions"] if len(sets) else []
    shared = bool(results.manifest.get("replicates_share_luck_between_sets"))
    notes = list(results.manifest.get("notes", []))
    if len(shown) < len(names) - 1:
        notes.append(
            f"Of {len(names) - 1:,} policies, {len(shown)} are told about one by one: those with names, then those with the best and the "
            f"worst effect. All are in policies.csv."
        )
    if results.manifest["status"] != "complete":
        notes.append(f"The sweep is {results.manifest['status']}: this is what its finished runs say.")
    if results.manifest["counts"].get("failures"):
        notes.append(f"{results.manifest['counts']['failures']:,} runs failed and are left out, with their partners under other policies.")
    return Analysis(
        results,
        entry,
        names,
        shown,
        ranked,
        swept,
        policy_findings(results, name, shown),
        {names[policy]: luck_in_spread(swept, policy, shared) for policy in shown},
        sets,
        columns,
        results.assumptions[columns].to_numpy(dtype=float)[sets] if columns else np.empty((len(sets), 0)),
        groups,
        notes=notes,
    )


def chosen_policies(swept: Swept, better: int, named: int) -> tuple[list[int], list[int]]:
    """Policies to tell about one by one, and policies to rank (the baseline among them): named ones, then best and worst."""
    policies = len(swept.effects)
    gains = np.array([np.nanmean(swept.point(policy, swept.effects)) for policy in range(policies)]) * (better or 1)
    order = [int(policy) for policy in np.argsort(-gains, kind="stable") if policy >= max(named, 1)]
    ends = [policy for pair in zip(order, reversed(order), strict=True) for policy in pair]
    wanted = list(dict.fromkeys([*range(1, named), *ends]))
    ranked = list(dict.fromkeys([*range(1, named), *order]))
    return sorted(wanted[:MOST_SHOWN]), [0, *sorted(ranked[: MOST_RANKED - 1])]


def independent_sets(results: "SweepResults", swept: Swept) -> tuple[Integers, Integers]:
    """Sampled sets that are independent of each other, and the group of each: what splits and folds have to respect.

    Of a Saltelli design the first and the last point of each sample; a Morris trajectory is one group.
    """
    design = results.designs["uncertainties"]
    first, count = int(swept.best_guess), swept.effects.shape[1]
    sets = np.arange(first, count)
    if swept.luck_design or design["kind"] == "none":
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    if design["kind"] == "saltelli":
        sets = first + independent_rows(len(sets), int(design["points"]))
    groups = (sets - first) // (len(design["names"]) + 1) if design["kind"] == "morris" else np.arange(len(sets))
    return sets, groups
