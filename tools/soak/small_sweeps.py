"""What the campaigns share: a small sweep in small jobs, what its folder holds, and where figures go."""

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))

from sweep_support import SETS, TWO_POLICIES, small_experiment

from cspsim.running.same_code import versions
from cspsim.sweep import plan
from cspsim.sweep.experiment import Experiment

BODY = TWO_POLICIES + SETS + "[luck]\nreplicates = 10\n[keep]\nmonths = true\nauthorities = true\n"
NAMED = "small.toml"


def prepared(place: Path) -> Experiment:
    """An experiment of 120 runs in 18 jobs with every table but failures and luck."""
    plan.RUNS_OF_A_JOB = 7
    return small_experiment(place, BODY)


def content(folder: Path) -> dict[str, str]:
    """Hash of every file of a folder."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def report(campaign: str, figures: dict[str, Any]) -> None:
    """Print the figures and put them beside the script; end with an error if anything was lost."""
    said = {"campaign": campaign, **figures, "cspsim": versions()["cspsim"]}
    Path(__file__).with_name(f"{campaign}.json").write_text(json.dumps(said, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(said, indent=2))
    if figures["faults"]:
        sys.exit(1)
