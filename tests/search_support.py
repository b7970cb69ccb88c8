"""Small searches for tests: a plain function in place of runs, and a search file on the tiny world."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from worlds import write_tiny_world

from cspsim.model.parameters import Floats
from cspsim.search.proposing import Problem
from cspsim.search.search_file import Dimension
from cspsim.search.trials import Levels, Measured

SEARCH = """\
title = "Best small mix"
question = "Which small mix is best?"
context = "Made up for tests."
baseline = "tiny.toml"
references = ["more.toml"]
methods = ["kriging", "sobol"]
trials = 10
assumption_sets = 3
replicates = 1
seed = 4

[budget]
times_baseline = 1.05

[retest]
assumption_sets = 4
replicates = 1
finalists = 2

[levers]
grant = { low = 0.5, high = 1.5, from = "2011-04" }
award_years = { low = 1, high = 3, step = 1 }
engagement = { from = "2011-04" }
"""

MORE = 'extends = "tiny"\ntitle = "More"\nquestion = "What does more do?"\n[levers]\ngrant.multiplier = 1.2\n'


def write_search(folder: Path, text: str = SEARCH) -> Path:
    """The search file with the scenarios it names."""
    write_tiny_world(folder)
    (folder / "more.toml").write_text(MORE, encoding="utf-8")
    path = folder / "small-mix.toml"
    path.write_text(text, encoding="utf-8")
    return path


NAMES = ("spend", "aim")
SETS = 8


def problem(
    budget: float = 0.6, left_alone: float = 0.0, seed: int = 1, objectives: tuple[str, ...] = ("cost", "harm", "downside")
) -> Problem:
    """Two levers between 0 and 1 and a baseline that costs nothing and leaves harm 1."""
    dimensions = tuple(Dimension(name, 0.0, 1.0, None, None, 0.0) for name in NAMES)
    baseline = Measured(np.zeros(SETS), np.ones(SETS))
    return Problem(dimensions, budget, baseline, objectives, 0.9, left_alone, seed, dict.fromkeys(NAMES, 0.0))


def planted(levels: Levels) -> Measured:
    """Cost is what is spent; harm falls with it, and rises the further the aim is from .3: the front is aim = .3."""
    spend, aim = (levels.get(name, 0.0) for name in NAMES)
    harm = (1 - spend) ** 2 + (aim - 0.3) ** 2
    return Measured(np.full(SETS, spend), np.full(SETS, harm))


def noise(draw: np.random.Generator, sets: int = SETS) -> Callable[[Levels], Measured]:
    """No lever does anything; what a mix leaves is luck, and every mix has its own."""

    def evaluate(levels: Levels) -> Measured:
        return Measured(np.zeros(sets), 1 + draw.standard_normal(sets))

    return evaluate


def values(trials: list[Measured]) -> Floats:
    """Cost and harm ``[trial, 2]``."""
    return np.array([(one.cost.mean(), one.harm.mean()) for one in trials])
