"""A small calibration for tests: the tiny world, made-up observed crime, few runs."""

from pathlib import Path

import numpy as np
from worlds import write_tiny_world

from cspsim.calibration.calibration_file import Calibration, load_calibration
from cspsim.scenario.schema import parse_month
from cspsim.scenario.world_building import add_months

TYPES = ("burglary", "violence")
PLACES = ("inner", "outer")

CALIBRATION = """title = "Tiny calibration"
question = "What do made-up months say?"
scenario = "tiny.toml"
observed = "months.csv"
seed = 3

[fit]
from = "2010-04"
to = "2013-03"

[held_back]
from = "2013-04"

[uncertainties.vary]
shock_scale = {}
evaluation_base = { low = 0.05, high = 0.25 }
"crime_types.burglary.reporting" = {}

[targets.evaluated_share]
value = 0.15
tolerance = 0.05
status = "assumption"
source = "made up for tests"

[budget]
runs = 200
wave_runs = 100
posterior_sets = 60
forecast_runs = 100
synthetic = 5
"""


def months_text(seed: int = 1, months: int = 48, first: str = "2010-04") -> str:
    """Made-up months in the documented format: about what the tiny world records."""
    usual = {("inner", "burglary"): 330, ("inner", "violence"): 500, ("outer", "burglary"): 125, ("outer", "violence"): 165}
    generator = np.random.default_rng(seed)

    def count(mean: float) -> int:
        return int(generator.negative_binomial(50, 50 / (50 + mean)))  # dispersion 0.02, as in the tiny world

    lines = ["# Made up for tests.", "month,partnership,crime_type,recorded"]
    for k in range(months):
        month = add_months(parse_month(first), k)
        lines += [f"{month:%Y-%m},{place},{kind},{count(usual[place, kind])}" for place in PLACES for kind in TYPES]
    return "\n".join(lines) + "\n"


def write_calibration_files(folder: Path, text: str = CALIBRATION, months: str | None = None) -> Path:
    """World, months and calibration in a folder; the path of the calibration."""
    write_tiny_world(folder)
    (folder / "months.csv").write_text(months_text() if months is None else months, encoding="utf-8")
    path = folder / "calibration.toml"
    path.write_text(text, encoding="utf-8")
    return path


def small_calibration(folder: Path, text: str = CALIBRATION, months: str | None = None) -> Calibration:
    """The small calibration, loaded."""
    return load_calibration(write_calibration_files(folder, text, months))
