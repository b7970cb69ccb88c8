"""What computes: a hash of this package's sources and the versions of what stands beneath it. Alike on both sides, or no results."""

import hashlib
import sys
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

WHOLE = Path(__file__).resolve().parents[1]
"""The whole package: what lies outside the model, such as outcomes and layout, makes numbers too."""

CODE = "code"
COMPUTING = ("cspsim", CODE, "numpy", "numba", "llvmlite", "scipy")
"""What may change numbers. The patch release of Python and the version of pyarrow do not; both are written down all the same."""


@cache
def versions() -> Mapping[str, str]:
    """Versions of what made the numbers, with a hash of the package's own sources."""
    found = {"python": sys.version.split()[0]}
    for name in ("cspsim", "numpy", "numba", "llvmlite", "pyarrow", "scipy"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # run from its source without being installed
            found[name] = "unknown"
    return {**found, CODE: hash_of_sources(WHOLE)}


def hash_of_sources(package: Path) -> str:
    """Hash (16 hexadecimal digits) of every Python file of a package, with line ends as on Linux."""
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py"), key=lambda path: path.relative_to(package).as_posix()):
        source = path.read_bytes().replace(b"\r\n", b"\n")
        digest.update(f"{path.relative_to(package).as_posix()}\x1f{len(source)}\x1f".encode() + source)
    return digest.hexdigest()[:16]


def differences(theirs: Mapping[str, str], ours: Mapping[str, str], ignored: tuple[str, ...] = ("pyarrow",)) -> list[str]:
    """What differs between two answers of ``versions``, in a few words each."""
    theirs, ours = ({**side, "python": ".".join(side.get("python", "unknown").split(".")[:2])} for side in (theirs, ours))
    names = [name for name in (*COMPUTING, "python", "pyarrow") if name not in ignored and theirs.get(name) != ours.get(name)]
    return [
        "other sources of cspsim" if name == CODE else f"{name} {theirs.get(name, 'unknown')} instead of {ours.get(name, 'unknown')}"
        for name in names
    ]
