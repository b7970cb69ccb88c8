"""A search as files: one self-contained page, figures, tables, the chosen mixes as scenarios, and the answer to read again."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cspsim.basics.exports import as_json, write_table, write_whole
from cspsim.reports.rendering import render
from cspsim.reports.summary import DISCLAIMER
from cspsim.running.same_code import versions
from cspsim.scenario.scenario_files import label_of
from cspsim.search.folder import ANSWER, FINISHED, SearchFolder
from cspsim.search.search_words import search_sentences, window_of
from cspsim.search.searching import Found
from cspsim.search.tables import grids

if TYPE_CHECKING:
    import pandas as pd

    from cspsim.reports.charts import ReportChart


def search_settings(found: Found, command: str) -> dict[str, Any]:
    """What it takes to run this again."""
    data = found.search.data
    names = ("harm", "objectives", "downside", "left_alone", "methods", "assumption_sets", "replicates", "seed")
    return {
        "command": command,
        "file": label_of(found.search.path),
        "trials": found.trials,
        "window": window_of(found),
        "budget": found.problem.budget,
        "counts": list(data.budget.counts),
        **{name: getattr(data, name) for name in names},
        "retest": data.retest.model_dump(),
        "versions": versions(),
    }


def search_answer(found: Found, command: str) -> dict[str, Any]:
    """Everything for machines, and for the terminal when the search is found finished."""
    tables = {name: grid._asdict() for name, grid in grids(found).items()}
    mixes = {role: found.standing.levels(policy) for role, policy in found.roles.items()}
    data = found.search.data
    return {
        "title": data.title,
        "question": data.question,
        "sentences": search_sentences(found),
        "within_budget": int(found.standing.within[found.standing.first_trial :].sum()),
        "on_front": int(found.standing.front.sum()),
        "mixes": mixes,
        "tables": tables,
        "settings": search_settings(found, command),
    }


def write_search(found: Found, folder: SearchFolder, command: str) -> dict[str, Any]:
    """Everything but the trials, which are there already; the manifest last. Returns the answer. Raises CspsimError."""
    from cspsim.search.search_figures import draw_search

    answer = search_answer(found, command)
    source = f"cspsim {versions()['cspsim']}: {found.search.data.title}; {found.trials} trials of each method. {DISCLAIMER}"
    charts = draw_search(found, source)
    for chart in charts:
        write_whole(folder.target / f"{chart.name}.svg", chart.svg)
        write_whole(folder.target / f"{chart.name}.png", chart.png)
    for role, scenario in found.scenarios.items():
        titled = scenario.with_changes({"title": f"{found.search.data.title}: {role}", "question": found.search.data.question}, role)
        write_whole(folder.target / f"{role.replace(' ', '-')}.toml", titled.to_toml())
    for name, frame in search_tables(found).items():
        write_table(folder.target, name, frame)
    write_whole(folder.target / ANSWER, as_json(answer) + "\n")
    write_whole(folder.target / "report.html", page_of_search(found, charts, command))
    folder.write_manifest(FINISHED, {"command": command, "versions": versions()})
    return answer


def search_tables(found: Found) -> "dict[str, pd.DataFrame]":
    """File name -> table."""
    import pandas as pd

    standing = found.standing
    rows = [
        {
            "policy": name, "cost": standing.cost[k], "harm": standing.harm[k], "worst_regret": standing.worst_regret[k],
            "within_budget": bool(standing.within[k]), "on_front": bool(standing.front[k]),
            **{f"levers.{d.name}": (standing.levels(k) or {}).get(d.name) for d in found.search.dimensions},
        }
        for k, name in enumerate(standing.names)
    ]  # fmt: skip
    return {"policies": pd.DataFrame(rows), **{name: pd.DataFrame(grid.plain) for name, grid in grids(found).items()}}


def page_of_search(found: Found, charts: "list[ReportChart]", command: str) -> str:
    """The report as one HTML page that loads nothing from anywhere. Escapes everything that comes from a file."""
    return render("search.html", **_content(found, charts, command))


def _content(found: Found, charts: "list[ReportChart]", command: str) -> Mapping[str, Any]:
    """Everything the template shows, in words."""
    data, tables = found.search.data, grids(found)
    pictures = {chart.name: chart for chart in charts}
    placed: tuple[tuple[str, str, str, list[str]], ...] = (
        ("again", "Looked at again", "looked-at-again", ["second_look"]),
        ("front", "Cost, harm and the worst case", "front", []),
        ("levers", "The mixes", "levers", ["mixes", "singles"]),
        ("else", "What else changes", "", ["profile"]),
        ("methods", "Did learning pay?", "methods", ["methods"]),
    )
    sections: list[dict[str, Any]] = [
        {
            "name": name,
            "title": title,
            "charts": [pictures[chart]] if chart in pictures else [],
            "grids": [tables[table] for table in wanted if table in tables],
        }
        for name, title, chart, wanted in placed
    ]
    return {
        "title": data.title,
        "question": data.question,
        "context": data.context,
        "sentences": search_sentences(found),
        "sections": sections,
        "settings": search_settings(found, command),
        "baseline": found.search.baseline.name,
        "scenarios": [role.replace(" ", "-") for role in found.scenarios],
        "dimensions": len(found.search.dimensions),
    }
