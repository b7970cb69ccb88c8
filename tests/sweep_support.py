"""Small experiments on the tiny world, for the tests of sweeps and of what is asked of their results."""

from pathlib import Path

from worlds import tiny_world

from cspsim.sweep.experiment import Experiment
from cspsim.sweep.reading import load_experiment

HEAD = """title = "A small experiment"
question = "Does the grant matter?"
baseline = "tiny.toml"
outcomes = ["cost_of_crime", "evaluated_share", "spend"]
"""

TWO_POLICIES = """
[policies.half]
changes = { "levers.grant.multiplier" = 0.5 }
"""

SETS = """
[uncertainties]
design = "latin-hypercube"
points = 5
"""


def write_experiment(folder: Path, body: str = TWO_POLICIES + SETS, head: str = HEAD, name: str = "small") -> Path:
    """The tiny world and an experiment file beside it; the file's path."""
    (folder / "tiny.toml").write_text(tiny_world(), encoding="utf-8")
    path = folder / f"{name}.toml"
    path.write_text(head + body, encoding="utf-8")
    return path


def small_experiment(folder: Path, body: str = TWO_POLICIES + SETS, head: str = HEAD) -> Experiment:
    """The same, read."""
    return load_experiment(write_experiment(folder, body, head))
