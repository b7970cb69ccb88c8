"""Write ``cspsim/web/kit/lesson_figures.json``: what the model gives for every figure of the lessons, and how often.

    python tools/update_lessons.py

Run it after a change that is meant to change results, or after an edit of ``lessons.toml``; a test says when. Where a figure
no longer bears out what the text claims, the script says so: then the text is wrong, and not the figure.
"""

import json
import sys
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from cspsim import __version__
from cspsim.basics.exports import write_whole
from cspsim.comparing.differences import Paired, Parts, paired_estimate, parts_of, verdict_of
from cspsim.model.parameters import Floats
from cspsim.running.assumptions import Arm, run_assumption_sets, sample_assumptions
from cspsim.running.outcomes import OUTCOMES, Outcome
from cspsim.running.results import AREA
from cspsim.running.rulebook import rulebook_of
from cspsim.running.simulation import simulate
from cspsim.scenario.scenario import Scenario, load_scenario
from cspsim.scenario.world_building import build_world
from cspsim.web.kit.lesson_figures import FIGURES_FILE, Counts, LessonFigure
from cspsim.web.kit.lessons import LessonComparison, LessonFile, OutcomeAsked, load_lessons

SEED, REPLICATES, SETS, RUNS_PER_SET = 1, 200, 64, 8
FIRST_RUNS = 8
"""Runs whose mean cost of crime is stored for each scenario, so that a test notices changed rules without running everything."""
DIGITS = 9


class Sizes(NamedTuple):
    """How much is run."""

    replicates: int = REPLICATES
    sets: int = SETS
    runs_per_set: int = RUNS_PER_SET


class Runs(NamedTuple):
    """Tallies of one scenario: ``[run, partnership, tally]`` at the best guesses, ``[set, run, partnership, tally]`` over assumptions."""

    scenario: Scenario
    usual: Floats
    over_sets: Floats


def scenario_of(name: str, changes: str) -> Scenario:
    """A shipped scenario with changes, which are given as JSON so that they can be remembered."""
    scenario = load_scenario(name)
    return scenario.with_changes(json.loads(changes)) if changes != "{}" else scenario


@cache
def runs_of(name: str, changes: str, sizes: Sizes) -> Runs:
    """One scenario run as ``compare`` runs an arm: the same luck and the same sets of assumptions."""
    scenario = scenario_of(name, changes)
    usual = simulate(scenario, sizes.replicates, SEED).tallies
    if not sizes.sets:
        return Runs(scenario, usual, np.empty((0, 1, *usual.shape[1:])))
    arm = Arm(build_world(scenario.data), sample_assumptions(scenario, sizes.sets, SEED), rulebook_of(scenario))
    return Runs(scenario, usual, run_assumption_sets([arm], sizes.runs_per_set, SEED)[0])


def arms_of(compared: LessonComparison) -> tuple[tuple[str, str], tuple[str, str] | None]:
    """Scenario and baseline, each as a name with its changes; no baseline where a fixed number takes its place."""
    scenario = (compared.scenario, json.dumps(compared.changes, sort_keys=True))
    if compared.baseline is None:
        return scenario, None
    return scenario, (compared.baseline, json.dumps(compared.baseline_changes, sort_keys=True))


def figure_now(compared: LessonComparison, asked: OutcomeAsked, sizes: Sizes) -> LessonFigure:
    """What the model gives for one figure."""
    ours, theirs = arms_of(compared)
    own = runs_of(*ours, sizes)
    base = runs_of(*theirs, sizes) if theirs else None
    places = _places(own.scenario, asked.place)
    column, entry = list(OUTCOMES).index(asked.outcome), OUTCOMES[asked.outcome]
    parts = parts_of(own.usual[:, places])
    before = parts_of(base.usual[:, places]) if base else _fixed(parts, compared.against)
    paired = Paired(*(field[column] for field in paired_estimate(before, parts)))
    by_set = [np.array([parts_of(one[:, places]).value[column] for one in arm.over_sets]) if arm else None for arm in (base, own)]
    usual_sets = by_set[0] if by_set[0] is not None else np.full(sizes.sets, compared.against)
    differences = by_set[1] - usual_sets
    low, median, high = np.nanquantile(differences, (0.05, 0.5, 0.95)) if sizes.sets else (np.nan,) * 3
    smallest = float(_smallest(entry, paired.baseline))
    difference, half = float(paired.difference), float(paired.half_width)
    return LessonFigure(
        asked.outcome,
        *(float(value) for value in (paired.baseline, paired.value, difference, difference - half, difference + half)),
        smallest,
        verdict_of(difference, half, smallest, bool(paired.identical)),
        _counts(entry, _each(before, column), _each(parts, column)),
        _counts(entry, usual_sets, by_set[1]),
        *(float(value) for value in (low, median, high)),
    )


def _places(scenario: Scenario, place: str) -> slice | list[int]:
    return slice(None) if place == AREA else [list(scenario.data.partnerships).index(place)]


def _fixed(like: Parts, number: float | None) -> Parts:
    """The same number in every run."""
    return Parts(np.full_like(like.numerator, number), np.ones_like(like.denominator))


def _each(parts: Parts, column: int) -> Floats:
    """The outcome of each run by itself; not-a-number where it has nothing to divide by."""
    top, bottom = parts.numerator[:, column], parts.denominator[:, column]
    return np.divide(top, bottom, out=np.full_like(top, np.nan), where=bottom != 0)


def _smallest(entry: Outcome, baseline: Any) -> Any:
    return entry.smallest * (np.abs(baseline) if entry.smallest_is == "relative" else np.ones_like(baseline))


def _counts(entry: Outcome, before: Floats, after: Floats) -> Counts:
    difference, smallest = after - before, _smallest(entry, before)
    higher, lower = int((difference > smallest).sum()), int((difference < -smallest).sum())
    return Counts(higher, int(np.isfinite(difference).sum()) - higher - lower, lower)


# ---------------------------------------------------------------------------------------------------------- the file


def all_arms(file: LessonFile) -> list[tuple[str, str]]:
    """Every scenario with changes that some lesson runs, once."""
    found = (arm for lesson in file.lessons.values() for compared in lesson.comparisons.values() for arm in arms_of(compared) if arm)
    return list(dict.fromkeys(found))


def arm_label(name: str, changes: str) -> str:
    """How the file calls a scenario with changes."""
    return name if changes == "{}" else f"{name} with {changes}"


def first_runs(name: str, changes: str) -> float:
    """Mean cost of crime of the first few runs of a scenario."""
    tallies = simulate(scenario_of(name, changes), FIRST_RUNS, SEED).tallies
    return _short(float(parts_of(tallies).value[list(OUTCOMES).index("cost_of_crime")]))


def figures_now(sizes: Sizes) -> Iterator[tuple[str, str, OutcomeAsked, LessonFigure]]:
    """Lesson, name and figure of everything the lessons ask."""
    for key, lesson in load_lessons().lessons.items():
        for name, compared, asked in lesson.asked():
            yield key, name, asked, figure_now(compared, asked, sizes)


def _short(value: Any) -> Any:
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value


def as_plain(figure: LessonFigure) -> dict[str, Any]:
    """A figure as the file holds it."""
    plain = {name: _short(value) for name, value in figure._asdict().items()}
    return {**plain, "runs": figure.runs._asdict(), "sets": figure.sets._asdict()}


def main() -> int:
    """Run everything, write the file, and say which claims of the text no longer hold."""
    figures: dict[str, dict[str, Any]] = {}
    wrong = []
    for lesson, name, asked, figure in figures_now(Sizes()):
        figures.setdefault(lesson, {})[name] = as_plain(figure)
        print(f"{lesson} {name}: {figure.verdict}; runs {tuple(figure.runs)}, sets {tuple(figure.sets)}")
        if figure.claim != asked.claim:
            wrong.append(f'{lesson}, {name}: the text says "{asked.claim}", the model says "{figure.verdict}"')
    arms = {arm_label(*arm): {"digest": scenario_of(*arm).digest, "first_runs": first_runs(*arm)} for arm in all_arms(load_lessons())}
    how = {"seed": SEED, "replicates": REPLICATES, "assumption_sets": SETS, "runs_per_set": RUNS_PER_SET, "version": __version__}
    write_whole(FIGURES_FILE, json.dumps({"settings": {**how, "arms": arms}, "figures": figures}, indent=1) + "\n")
    print(f"{FIGURES_FILE.name} written")
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
