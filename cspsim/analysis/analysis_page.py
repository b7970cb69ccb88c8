"""The report of an analysis: one self-contained page, figures and tables in a folder, and the same for machines."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cspsim.analysis.analysis import Analysis
from cspsim.analysis.assumption_sections import failures_section, turns_section
from cspsim.analysis.factor_sections import drivers_section
from cspsim.analysis.other_sections import cost_section, levers_section, luck_section, others_section
from cspsim.analysis.policy_sections import effects_section, robustness_section
from cspsim.analysis.section import AnalysisSection, policy_headline, verdict_words
from cspsim.basics.exports import MANIFEST, as_json, results_folder, write_table, write_whole
from cspsim.reports.rendering import render

_DESIGNS = {
    "none": "not varied", "best-guess": "not varied", "full-factorial": "every combination of levels", "list": "a list of settings",
    "latin-hypercube": "Latin hypercube", "sobol": "Sobol sequence", "morris": "Morris trajectories", "saltelli": "Saltelli sample",
    "file": "sets read from a file", "replicates": "replicates",
}  # fmt: skip


def sections_of(found: Analysis) -> list[AnalysisSection]:
    """The sections that the designs of the sweep have an answer for."""
    wanted = (
        (effects_section, bool(found.shown)),
        (robustness_section, found.robust is not None),
        (turns_section, bool(found.turns)),
        (failures_section, bool(found.failures)),
        (levers_section, bool(found.lever_effects)),
        (drivers_section, bool(found.sobol or found.morris or found.regressions)),
        (luck_section, bool(found.luck)),
        (cost_section, bool(found.costs)),
        (others_section, bool(found.shown) and len(found.results.outcomes) > 1),
    )
    return [make(found) for make, there in wanted if there]


def headlines_of(found: Analysis) -> list[dict[str, str]]:
    """The answer for each policy that is described: name, sentence, verdict."""
    sets = found.swept.sampled.shape[1]
    return [
        {
            "policy": name,
            "headline": policy_headline(found.finding(name), found.against(name), sets),
            "verdict": verdict_words(found.finding(name)),
        }
        for name in found.shown_names
    ]


def analysis_settings(found: Analysis) -> dict[str, Any]:
    """What was run, and what it takes to run it again."""
    manifest = found.results.manifest
    designs = manifest["designs"]
    return {
        **{key: manifest[key] for key in ("title", "question", "context", "experiment", "digest", "seed", "status", "counts", "versions")},
        "file": manifest.get("file", ""),
        "baseline": found.names[0],
        "policies": len(found.names),
        "assumption_sets": found.swept.sampled.shape[1],
        "assumptions_varied": len(designs["uncertainties"].get("names", [])),
        "replicates": manifest["rounds"][-1] if manifest["rounds"] else 0,
        "designs": {space: _DESIGNS.get(designs[space]["kind"], designs[space]["kind"]) for space in ("levers", "uncertainties", "luck")},
        "outcome": found.outcome.name,
        "partnerships": manifest["partnerships"],
    }


def analysis_as_json(found: Analysis, sections: Sequence[AnalysisSection]) -> dict[str, Any]:
    """Headlines, every section's sentences and tables, and settings for machines."""
    return {
        "answers": headlines_of(found),
        "sections": {section.name: {"title": section.title, "said": section.said, "tables": section.frames} for section in sections},
        "notes": found.notes,
        "settings": analysis_settings(found),
    }


def write_analysis(found: Analysis, sections: Sequence[AnalysisSection], target: Path, command: str) -> None:
    """The whole folder: page, figures, tables, settings; all of it or nothing. Raises CspsimError."""
    import pandas as pd

    with results_folder(target) as folder:
        for section in sections:
            for chart in section.charts:
                write_whole(folder / f"{chart.name}.svg", chart.svg)
                write_whole(folder / f"{chart.name}.png", chart.png)
            for name, rows in section.frames.items():
                if rows:
                    write_table(folder, name, pd.DataFrame(rows))
        write_whole(folder / MANIFEST, as_json({"command": command, **analysis_settings(found), "notes": found.notes}) + "\n")
        write_whole(folder / "report.html", page_of_analysis(found, sections, command))


def page_of_analysis(found: Analysis, sections: Sequence[AnalysisSection], command: str) -> str:
    """The report as one HTML page that loads nothing from anywhere. Escapes everything that comes from files."""
    settings = analysis_settings(found)
    return render(
        "analysis.html",
        title=settings["title"],
        settings=settings,
        answers=headlines_of(found),
        sections=sections,
        notes=found.notes,
        outcome=found.outcome,
        command=command,
        files=[name for section in sections for name, rows in section.frames.items() if rows],
    )
