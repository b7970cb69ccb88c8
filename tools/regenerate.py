"""Write everything that is made from the code anew, and say what changed.

    python tools/regenerate.py                        # everything, in this order (about ten minutes)
    python tools/regenerate.py --only model baseline  # some of it
    python tools/regenerate.py --check                # change nothing; 1 if something is out of date (pictures only if they are named)

Each part is a script of its own beside this one, which may also be run alone.
"""

import argparse
import difflib
import io
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]


class Made(NamedTuple):
    """One part: the script with its arguments, the files it writes (as patterns below the root), and what it is."""

    script: tuple[str, ...]
    files: tuple[str, ...]
    what: str


PARTS: Mapping[str, Made] = {
    "model": Made(("write_docs.py",), ("docs/model.md",), "the tables of the model page, seconds"),
    "baseline": Made(("update_stored_baseline.py",), ("tests/baseline_outcomes.json",), "the results that a test holds, a minute"),
    "lessons": Made(("update_lessons.py",), ("cspsim/web/kit/lesson_figures.json",), "the figures of the lessons, minutes"),
    "levers": Made(("write_docs.py", "--levers"), ("docs/model.md", "docs/levers.md"), "what every lever does, two minutes"),
    "screenshots": Made(("take_screenshots.py",), ("docs/web-*.png",), "pictures of the web view, minutes; needs Chromium"),
}
PICTURES = ("screenshots",)
"""Not part of a check unless named: letters look different on every machine."""

Contents = dict[Path, bytes]


def contents(root: Path, patterns: Iterable[str]) -> Contents:
    """What the files say now."""
    return {path: path.read_bytes() for pattern in patterns for path in sorted(root.glob(pattern))}


def difference(name: str, before: bytes | None, after: bytes | None) -> str:
    """What happened to one file, in words: "unchanged", "changed: 3 lines gone, 4 lines new", "changed: 1.2 % of its pixels"."""
    if before == after:
        return "unchanged"
    if before is None or after is None:
        return "new" if before is None else "gone"
    if name.endswith(".png"):
        return f"changed: {_pixels_changed(before, after)}"
    old, new = (text.decode("utf-8").splitlines() for text in (before, after))
    marks = [line[0] for line in list(difflib.unified_diff(old, new, n=0, lineterm=""))[2:]]
    return f"changed: {_lines(marks.count('-'))} gone, {_lines(marks.count('+'))} new"


def _lines(count: int) -> str:
    return f"{count} line{'' if count == 1 else 's'}"


def _pixels_changed(before: bytes, after: bytes) -> str:
    old, new = (np.asarray(Image.open(io.BytesIO(picture)).convert("RGB")) for picture in (before, after))
    if old.shape != new.shape:
        return f"{old.shape[1]} x {old.shape[0]} pixels before, {new.shape[1]} x {new.shape[0]} now"
    return f"{100 * (old != new).any(axis=2).mean():.2g} % of its pixels"


def write_again(name: str, made: Made, root: Path, keep: bool) -> tuple[bool, bool]:
    """Run one part and say what it changed; with ``keep`` False the files are put back. Gives (changed, went well)."""
    before = contents(root, made.files)
    try:
        code = subprocess.run([sys.executable, str(root / "tools" / made.script[0]), *made.script[1:]], cwd=root).returncode
        after = contents(root, made.files)
    finally:
        if not keep:
            _put_back(root, made.files, before)
    if code:
        print(f"{name}: tools/{' '.join(made.script)} ended with code {code}; what it says is above", file=sys.stderr)
    for path in sorted({*before, *after}):
        print(f"{name}: {path.relative_to(root).as_posix()}: {difference(path.name, before.get(path), after.get(path))}")
    return before != after, code == 0


def _put_back(root: Path, patterns: Iterable[str], before: Contents) -> None:
    for path in contents(root, patterns).keys() - before.keys():
        path.unlink()
    for path, text in before.items():
        if not path.exists() or path.read_bytes() != text:
            path.write_bytes(text)


def run_parts(names: Iterable[str], check: bool, parts: Mapping[str, Made] = PARTS, root: Path = ROOT) -> int:
    """Run the parts that are named; 1 if one of them failed or, in a check, would have changed something."""
    found = {name: write_again(name, parts[name], root, keep=not check) for name in names}
    failed = [name for name, (_, well) in found.items() if not well]
    changed = [name for name, (differs, _) in found.items() if differs]
    if changed:
        print(f"out of date: run python tools/regenerate.py --only {' '.join(changed)}" if check else f"changed: {', '.join(changed)}")
    else:
        print("nothing changed")
    if changed and not check:
        print("If results changed, say in CHANGELOG.md what and why.")
    return 1 if failed or (check and changed) else 0


def main() -> int:
    """Everything, or the parts that are named."""
    told = "\n".join(f"  {name:<12} {made.what}" for name, made in PARTS.items())
    parser = argparse.ArgumentParser(description=f"{__doc__}\n{told}", formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=PARTS, metavar="NAME", help=f"some of {', '.join(PARTS)}")
    parser.add_argument("--check", action="store_true", help="leave the files as they are")
    asked = parser.parse_args()
    return run_parts(asked.only or [name for name in PARTS if not (asked.check and name in PICTURES)], asked.check)


if __name__ == "__main__":
    sys.exit(main())
