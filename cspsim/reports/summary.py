"""Tables for reading, on the terminal and in the report alike: rounded, with units, each beside the plain numbers it shows."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cspsim.basics.formats import MISSING, amount, interval
from cspsim.comparing.five_definitions import DEFINITIONS, dashboard
from cspsim.model.parameters import Floats
from cspsim.running.outcomes import OUTCOMES, POUNDS, SHARE
from cspsim.running.results import AREA, Results
from cspsim.running.years import by_year
from cspsim.scenario.scenario import Scenario
from cspsim.scenario.scenario_files import label_of
from cspsim.scenario.world_building import build_world

if TYPE_CHECKING:
    from cspsim.comparing.comparison import Comparison, Finding

DISCLAIMER = "Illustrative model, not a forecast."


class Grid(NamedTuple):
    """A table for reading: cells as text, and the plain numbers behind them as records."""

    title: str
    columns: list[str]
    cells: list[list[str]]
    plain: list[dict[str, Any]]


class ComparisonRow(NamedTuple):
    """One outcome of one comparison in words; ``direction`` is better, worse or empty."""

    outcome: str
    title: str
    group: str
    unit: str
    baseline: str
    value: str
    difference: str
    interval: str
    assumptions: str
    same_sign: str
    verdict: str
    direction: str
    role: str


def comparison_rows(comparison: "Comparison", scenario: str, outcomes: Sequence[str] | None = None) -> list[ComparisonRow]:
    """Rows of a comparison in register order, each figure rounded to what its noise supports."""
    findings = {finding.outcome: finding for finding in comparison.findings if finding.scenario == scenario}
    wanted = [name for name in OUTCOMES if name in findings and (outcomes is None or name in outcomes or findings[name].role == "primary")]
    return [comparison_row(findings[name]) for name in wanted]


def comparison_row(finding: "Finding") -> ComparisonRow:
    """One finding in words."""
    entry, noise = OUTCOMES[finding.outcome], finding.half_width
    points = entry.unit == SHARE
    known = noise if np.isfinite(noise) and noise > 0 else None
    spread = (finding.assumptions_high - finding.assumptions_low) / 2
    return ComparisonRow(
        entry.name,
        entry.title,
        entry.group,
        entry.unit,
        amount(finding.baseline, entry.unit, known),
        amount(finding.value, entry.unit, known),
        amount(finding.difference, entry.unit, known, signed=True, points=points),
        interval(finding.ci_low, finding.ci_high, entry.unit, known, points),
        interval(finding.assumptions_low, finding.assumptions_high, entry.unit, spread if spread > 0 else None, points),
        f"{finding.same_sign_share:.0%}" if np.isfinite(finding.same_sign_share) else MISSING,
        finding.verdict,
        direction_of(finding),
        finding.role,
    )


def direction_of(finding: "Finding") -> str:
    """Whether a difference that matters is for the better or the worse; empty where neither is said."""
    sign = {"higher": 1, "lower": -1}.get(finding.verdict, 0) * OUTCOMES[finding.outcome].better
    return {1: "better", -1: "worse", 0: ""}[sign]


# --------------------------------------------------------------------------------------------- what one scenario did


def outcome_grid(results: Results, place: str, title: str, outcomes: Sequence[str] | None = None) -> Grid:
    """Mean of each outcome with its 95 % interval, and the range of nine runs of ten, for one partnership or the area."""
    at = results.partnerships.index(place)
    cells, plain = [], []
    for k, entry in enumerate(OUTCOMES.values()):
        if outcomes is not None and entry.name not in outcomes:
            continue
        values = results.outcomes[:, at, k]
        known = values[np.isfinite(values)]
        mean = float(known.mean()) if known.size else np.nan
        error = 1.96 * float(known.std(ddof=1)) / len(known) ** 0.5 if known.size > 1 else np.nan
        low, high = (float(edge) for edge in np.quantile(known, (0.05, 0.95))) if known.size else (np.nan, np.nan)
        figures = {"mean": mean, "ci_low": mean - error, "ci_high": mean + error, "p5": low, "p95": high}
        plain.append({"outcome": entry.name, "title": entry.title, "unit": entry.unit, **figures})
        spread = (high - low) / 2 if high > low else None
        noise = error if np.isfinite(error) and error > 0 else None
        cells.append([entry.title, amount(mean, entry.unit, noise), interval(mean - error, mean + error, entry.unit, noise),
                      interval(low, high, entry.unit, spread), entry.unit])  # fmt: skip
    return Grid(title, ["Outcome", "Mean", "95% interval of the mean", "Nine runs of ten", "Unit"], cells, plain)


def definitions_grid(arms: Mapping[str, Results]) -> Grid:
    """Each arm judged by the five definitions: the measure, and in how many runs it is effective by that definition."""
    boards = {name: dashboard(results) for name, results in arms.items()}
    columns = [
        "Definition",
        *(f"{name}: {what}" if len(arms) > 1 else what.capitalize() for name in arms for what in ("measure", "effective in")),
    ]
    cells, plain = [], []
    for k, definition in enumerate(DEFINITIONS):
        cell = [f"{definition.title}: {definition.meaning}"]
        for name, board in boards.items():
            row = board.definitions.iloc[k]
            cell += [
                amount(row["value"], definition.unit),
                f"{row['effective_share']:.0%} of runs" if np.isfinite(row["effective_share"]) else MISSING,
            ]
            plain.append({"scenario": name, **{str(key): value for key, value in row.items()}})
        cells.append(cell)
    cells.append(
        ["Not all definitions agree"] + [cell for board in boards.values() for cell in ("", f"{board.disagree_share:.0%} of runs")]
    )
    return Grid("Effective by which definition?", columns, cells, plain)


def funnel_grid(arms: Mapping[str, Results]) -> Grid:
    """From plan to effect: project-years planned, started, with adequate dose, truly effective."""
    frames = {name: dashboard(results).funnel for name, results in arms.items()}
    what = ("project-years", "of those planned")
    columns = ["Stage", *(f"{name}: {part}" if len(arms) > 1 else part.capitalize() for name in arms for part in what)]
    cells, plain = [], []
    for k, title in enumerate(next(iter(frames.values()))["title"]):
        cell = [title]
        for name, frame in frames.items():
            row = frame.iloc[k]
            cell += [f"{row['project_years']:,.1f}", f"{row['value']:.0%}" if np.isfinite(row["value"]) else MISSING]
            plain.append({"scenario": name, **{str(key): value for key, value in row.items()}})
        cells.append(cell)
    return Grid("Delivery funnel", columns, cells, plain)


_MONEY: tuple[tuple[str, Callable[[Callable[[str], Floats]], Floats]], ...] = (
    ("Received", lambda year: year("received")),
    ("Spent", lambda year: year("spend")),
    ("Returned", lambda year: year("unspent")),
    ("Commissioner's own", lambda year: year("own_priorities_spend")),
    ("Averted", lambda year: year("cost_averted")),
)


def money_grid(results: Results, title: str) -> Grid:
    """The accounts of each financial year, means over runs: the pot of the whole force area, and these partnerships' part.

    Raises ValueError if months were not kept.
    """
    years = by_year(results)
    pot = pot_by_year(results)
    sums = {name: column(years.area).mean(axis=0) for name, column in _MONEY}
    plain = [
        {"year": label, "pot": float(pot[k]), **{name.lower().replace(" ", "_").replace("'", ""): float(sums[name][k]) for name in sums}}
        for k, label in enumerate(years.labels)
    ]
    cells = [[label, amount(pot[k], POUNDS), *(amount(sums[name][k], POUNDS) for name in sums)] for k, label in enumerate(years.labels)]
    return Grid(title, ["Year", "Pot, whole area", *(name for name, _ in _MONEY)], cells, plain)


def pot_by_year(results: Results) -> Floats:
    """Grants of the whole force area ``[year]``, £ of 2015/16 a year: direct grants and the commissioner's pot."""
    world = build_world(results.scenario.data)
    monthly = (world.pot + world.direct_grant)[results.calendar.warm_up :] / 12
    began = np.array([day.year if day.month >= 4 else day.year - 1 for day in results.calendar.reported])
    return np.array([monthly[began == year].sum() for year in np.unique(began)])


# ------------------------------------------------------------------------------------------------------- how it was run


def window_in_words(results: Results) -> str:
    """``April 2011 to March 2018``."""
    start, end = (results.calendar.months[k] for k in results.calendar.window)
    return f"{start:%B %Y} to {end:%B %Y}"


def about_scenario(scenario: Scenario) -> dict[str, Any]:
    """What identifies a scenario: name, title, digest of everything that changes numbers, files."""
    files = [label_of(path) for path in scenario.sources]
    rules = {rival.slot: f"{rival.function} of {label_of(rival.path)}, {rival.key}" for rival in scenario.rivals}
    about = {"name": scenario.name, "title": scenario.title, "digest": scenario.digest, "files": files}
    return {**about, "rules": rules} if rules else about


def titles_of_places(results: Results) -> dict[str, str]:
    """Partnership (and area) -> title."""
    return {**{name: entry.title for name, entry in results.scenario.data.partnerships.items()}, AREA: "All partnerships together"}
