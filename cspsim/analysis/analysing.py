"""An analysis of a sweep put together: what applies to the designs that are there, on one outcome."""

from typing import TYPE_CHECKING

import numpy as np

from cspsim.analysis.analysis import Analysis
from cspsim.analysis.effects import Swept, independent_rows, luck_in_spread, policy_findings, swept_of
from cspsim.analysis.steps import ask_assumptions, ask_factors, ask_luck, compare_policies, count_cost
from cspsim.basics.errors import CspsimError, did_you_mean
from cspsim.model.parameters import Integers
from cspsim.running.outcomes import OUTCOMES

if TYPE_CHECKING:
    from cspsim.sweep.stored_results import SweepResults

MOST_SHOWN, MOST_RANKED = 6, 8
"""How many policies are described one by one, and how many are ranked against each other."""


def analyse(results: "SweepResults", outcome: str | None = None, seed: int = 1) -> Analysis:
    """Every analysis that the designs of a sweep allow of one outcome (by default the primary one).

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
    """Policies to describe one by one, and policies to rank (the baseline among them): named ones, then best and worst."""
    policies = len(swept.effects)
    gains = np.array([np.nanmean(swept.point(policy, swept.effects)) for policy in range(policies)]) * (better or 1)
    order = [int(policy) for policy in np.argsort(-gains, kind="stable") if policy >= max(named, 1)]
    ends = [policy for pair in zip(order, reversed(order), strict=True) for policy in pair]
    wanted = list(dict.fromkeys([*range(1, named), *ends]))
    ranked = list(dict.fromkeys([*range(1, named), *order]))
    return sorted(wanted[:MOST_SHOWN]), [0, *sorted(ranked[: MOST_RANKED - 1])]


def independent_sets(results: "SweepResults", swept: Swept) -> tuple[Integers, Integers]:
    """Sampled sets that are independent of each other, and the group of each; splits and folds must keep groups together.

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
