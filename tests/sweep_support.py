"""Small experiments on the tiny world, for the tests of sweeps and of what is asked of their results."""

import json
from pathlib import Path
from typing import Any

from worlds import tiny_world

from cspsim.basics.exports import as_json, sealed
from cspsim.sweep.experiment import Experiment
from cspsim.sweep.folders import LocalFolder
from cspsim.sweep.ledger import entry_of, read_ledger, write_ledger
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


def rewrite_manifest(folder: Path, **changes: Any) -> None:
    """Another manifest with a seal that fits, as by somebody who knows how."""
    path = folder / "manifest.json"
    path.write_text(as_json(sealed({**json.loads(path.read_text()), **changes})))


def rewrite_file(folder: Path, name: str, content: bytes) -> None:
    """Another file in the folder of a finished sweep, with checksums and seals that fit."""
    (folder / name).write_bytes(content)
    manifest = json.loads((folder / "manifest.json").read_text())
    place = LocalFolder(folder)
    files = read_ledger(place, manifest["checksums"]) | {name: entry_of(content)}
    work = json.loads((folder / "checksums.json").read_text())["sweep"]
    rewrite_manifest(folder, checksums=write_ledger(place, work, files))
