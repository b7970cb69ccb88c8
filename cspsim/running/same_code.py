"""What the numbers were computed with: a hash of this package's sources, and the versions of the libraries it uses."""

import hashlib
import sys
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from cspsim.model.compiled import PACKAGE, rule_files

CODE = "code"
COMPUTING = ("cspsim", CODE, "numpy", "numba", "llvmlite", "scipy")
"""Versions that may change results. Python's patch release and pyarrow do not change any, and are recorded all the same."""


@cache
def versions() -> Mapping[str, str]:
    """Versions of what made the numbers, with a hash of the package's own sources."""
    own = sys.modules["cspsim"]  # always imported by now; importing it by name would reverse the order of the rooms
    found = {"cspsim": str(own.__version__), "python": sys.version.split()[0]}
    for name in ("numpy", "numba", "llvmlite", "pyarrow", "scipy"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # found on the path without being installed
            found[name] = "unknown"
    return {**found, CODE: hash_of_sources(Path(str(own.__file__)).resolve().parent)}


def rules_hash() -> str:
    """Hash (16 hexadecimal digits) of the model's own sources: under other rules the same plan has other results."""
    digest = hashlib.sha256()
    for path in rule_files():
        digest.update(f"{path.relative_to(PACKAGE).as_posix()}\x1f".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def hash_of_sources(package: Path) -> str:
    """Hash (16 hexadecimal digits) of every Python file of a package, with line ends as on Linux."""
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py"), key=lambda path: path.relative_to(package).as_posix()):
        source = path.read_bytes().replace(b"\r\n", b"\n")
        digest.update(f"{path.relative_to(package).as_posix()}\x1f{len(source)}\x1f".encode() + source)
    return digest.hexdigest()[:16]


def differences(theirs: Mapping[str, str], ours: Mapping[str, str], ignored: tuple[str, ...] = ("pyarrow",)) -> list[str]:
    """What differs between two results of ``versions``, in a few words each."""
    theirs, ours = ({**side, "python": ".".join(side.get("python", "unknown").split(".")[:2])} for side in (theirs, ours))
    names = [name for name in (*COMPUTING, "python", "pyarrow") if name not in ignored and theirs.get(name) != ours.get(name)]
    return [
        "other sources of cspsim" if name == CODE else f"{name} {theirs.get(name, 'unknown')} instead of {ours.get(name, 'unknown')}"
        for name in names
    ]
