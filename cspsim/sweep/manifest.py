"""The manifest of a folder of results, and its design as tables."""

import json
from typing import Any

import numpy as np
import pyarrow as arrow

from cspsim.basics.errors import CspsimError
from cspsim.basics.exports import SEAL, is_sealed
from cspsim.basics.outward import for_spreadsheet
from cspsim.model.luck import STREAMS
from cspsim.running.outcomes import OUTCOMES
from cspsim.running.same_code import versions
from cspsim.sweep.folders import Folder
from cspsim.sweep.plan import Plan

MANIFEST = "manifest.json"


class DamagedManifest(CspsimError):
    """The manifest was changed since it was written."""


def read_manifest(folder: Folder) -> dict[str, Any] | None:
    """The manifest of a folder; None if there is none.

    Raises DamagedManifest if it is no manifest of a sweep, or was changed since it was written.
    """
    try:
        content = json.loads(folder.read(MANIFEST))
    except FileNotFoundError:
        return None
    except (ValueError, RecursionError):
        raise DamagedManifest(f"{folder}/{MANIFEST} is no manifest of a sweep: expected JSON") from None
    if not isinstance(content, dict) or "digest" not in content or "settings" not in content:
        raise DamagedManifest(f"{folder}/{MANIFEST} is no manifest of a sweep: it lacks a digest or settings")
    if SEAL not in content:
        raise DamagedManifest(f"{folder}/{MANIFEST} has no seal: an earlier version wrote it, or somebody took it out")
    if not is_sealed(content):
        raise DamagedManifest(f"{folder}/{MANIFEST} is not as it was written: its seal does not fit")
    wrong = [key for key, kind in _KINDS.items() if not isinstance(content.get(key), kind)]
    if wrong:
        raise DamagedManifest(f"{folder}/{MANIFEST} is no manifest of a sweep: not as it was written is {', '.join(wrong)}")
    return content


_KINDS: dict[str, type] = {
    **dict.fromkeys(("title", "question", "context", "experiment", "file", "status", "digest", "baseline", "primary_outcome"), str),
    **dict.fromkeys(("counts", "outcomes", "designs", "keep", "settings"), dict),
    **dict.fromkeys(("partnerships", "notes"), list),
    "seed": int,
}
"""The types that readers of a manifest rely on."""


def manifest_of(plan: Plan, status: str, counts: dict[str, int], notes: list[str], said: str) -> dict[str, Any]:
    """Everything a reader of the folder has to know, and nothing that differs between machines running the same sweep."""
    experiment = plan.experiment
    data = experiment.data
    return {
        "title": data.title,
        "question": data.question,
        "context": data.context,
        "experiment": experiment.name,
        "file": said,
        "status": status,
        "counts": counts,
        "digest": plan.digest,
        "seed": data.seed,
        "baseline": experiment.baseline.name,
        "primary_outcome": experiment.primary,
        "outcomes": {name: {"title": OUTCOMES[name].title, "unit": OUTCOMES[name].unit} for name in experiment.outcomes},
        "partnerships": list(experiment.baseline.data.partnerships),
        "designs": designs_of(plan),
        "rounds": plan.rounds,
        "replicates_share_luck_between_sets": not plan.fresh,
        "keep": data.keep.model_dump(),
        "rules": {
            f"{rival.slot} of {name}": f"{rival.function} of {rival.path.name}, {rival.key}"
            for name, scenario in experiment.policies.items()
            for rival in scenario.rivals
        },
        "versions": dict(versions()),
        "notes": notes,
        "settings": plan.settings,
    }


def designs_of(plan: Plan) -> dict[str, Any]:
    """How levers, uncertainties and luck were varied."""
    data, ranges_ = plan.experiment.data, plan.experiment.lever_ranges
    uncertain = plan.uncertain[0]
    named = len(plan.experiment.policies)
    levers = {
        "kind": data.levers.design if ranges_ else "none",
        "names": [f"levers.{name}" for name in ranges_],
        "low": [entry.low if entry.values is None else min(entry.values) for entry in ranges_.values()],
        "high": [entry.high if entry.values is None else max(entry.values) for entry in ranges_.values()],
        "points": data.levers.points,
        "levels": data.levers.levels,
        "second_order": data.levers.second_order,
        "first": named,
    }
    uncertainties = {
        "kind": data.uncertainties.design if plan.varied else "none",
        "names": plan.varied,
        "low": uncertain.low,
        "high": uncertain.high,
        "best": uncertain.best[uncertain.columns],
        "points": data.uncertainties.points,
        "levels": data.uncertainties.levels,
        "second_order": data.uncertainties.second_order,
        "distribution": data.uncertainties.distribution,
        "first": int(data.uncertainties.best_guess) if plan.varied else 1,
    }
    luck = {"kind": data.luck.design, "base": data.luck.base, "groups": data.luck.groups or list(STREAMS)}
    return {"levers": levers, "uncertainties": uncertainties, "luck": luck}


def policies_table(plan: Plan) -> Any:
    """One row per policy: number, name, the policy its effect is taken against, and the levers that are varied."""
    policies = plan.policies
    names = [for_spreadsheet(name) for name in policies.names]
    keys = {"policy": np.arange(len(policies.names), dtype=np.int32), "name": names, "against": policies.against.astype(np.int32)}
    return arrow.table({**keys, **{f"levers.{name}": policies.settings[:, k] for k, name in enumerate(policies.levers)}})


def assumptions_table(plan: Plan) -> Any:
    """One row per assumption set: number and the uncertain numbers that are sampled."""
    values = plan.values
    return arrow.table({"assumptions": np.arange(plan.sets, dtype=np.int32), **{name: values[:, k] for k, name in enumerate(plan.varied)}})


def luck_table(plan: Plan) -> Any:
    """One row per row of a design of luck: its number as replicate, and the replicate number of every stream."""
    rows = plan.rows if plan.rows is not None else np.empty((0, len(STREAMS)), dtype=np.uint64)
    return arrow.table({"replicate": np.arange(len(rows)), **{name: rows[:, k].astype(np.int64) for k, name in enumerate(STREAMS)}})
