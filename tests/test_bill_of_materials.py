"""What an installation brings along can be told by one command, and holds no licence that nobody has accepted."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tools"))

from bill_of_materials import ACCEPTED, Part, bill_of, parts_of, write  # noqa: E402 # a script, not a package


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "tools" / "bill_of_materials.py"), *arguments], capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize("extras", [(), ("analysis",), ("web",), ("cluster",)], ids=lambda extras: ",".join(extras) or "default")
def test_every_licence_is_accepted(extras: tuple[str, ...]) -> None:
    """All but the extra that says so, ``discovery``, and what includes it for tests."""
    parts = parts_of(frozenset(extras))
    assert {"numpy", "numba", "mesa", "cspsim"} <= set(parts)
    assert [part for part in parts.values() if not part.accepted] == []


def test_the_gpl_comes_with_its_own_extra_and_nowhere_else() -> None:
    others = [(part.name, part.licence) for part in parts_of(frozenset({"discovery"})).values() if not part.accepted]
    assert others == [("platypus-opt", "GPL")]


@pytest.mark.parametrize(
    ("licence", "accepted"),
    [
        ("MIT", True),
        ("MIT AND GPL", False),
        ("Apache-2.0 OR GPL-3.0-only", True),
        ("BSD-2-Clause AND Apache-2.0 WITH LLVM-exception", True),
        ("(MIT OR GPL) AND GPL", False),
        ("unknown", False),
        ("", False),
    ],
)
def test_an_expression_is_read_strictly(licence: str, accepted: bool) -> None:
    assert Part("x", "1", licence, ()).accepted is accepted


def test_the_command_writes_the_same_bytes_each_time(tmp_path: Path) -> None:
    done = run("--out", str(tmp_path / "one"))
    assert done.returncode == 0, done.stderr
    write(tmp_path / "two", parts_of())
    for name in ("cspsim.cdx.json", "licences.csv"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    bill = json.loads((tmp_path / "one" / "cspsim.cdx.json").read_text(encoding="utf-8"))
    assert (bill["bomFormat"], bill["specVersion"], bill["metadata"]["component"]["name"]) == ("CycloneDX", "1.6", "cspsim")
    known = {component["bom-ref"] for component in [bill["metadata"]["component"], *bill["components"]]}
    for entry in bill["dependencies"]:
        assert {entry["ref"], *entry["dependsOn"]} <= known
    with (tmp_path / "one" / "licences.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(known)
    assert {row["accepted"] for row in rows} == {"yes"}


def test_a_licence_that_nobody_accepted_is_told(tmp_path: Path) -> None:
    done = run("--extra", "discovery", "--out", str(tmp_path))
    assert done.returncode == 1
    assert "platypus-opt" in done.stdout


def test_an_unknown_extra_is_told_in_a_sentence(tmp_path: Path) -> None:
    done = run("--extra", "wab", "--out", str(tmp_path))
    assert done.returncode == 2
    assert 'no extra "wab": expected one of analysis, cluster' in done.stderr
    assert "Traceback" not in done.stderr


def test_names_that_the_standard_does_not_know_are_names() -> None:
    parts = {name: Part(name, "1", licence, ()) for name, licence in {"cspsim": "MIT", "a": "BSD", "b": "MIT OR ISC"}.items()}
    listed = {component["name"]: component["licenses"] for component in bill_of(parts)["components"]}
    assert listed == {"a": [{"license": {"name": "BSD"}}], "b": [{"expression": "MIT OR ISC"}]}
    assert "BSD" in ACCEPTED
