"""What an installation of cspsim consists of: a CycloneDX bill of materials and a list of licences.

    python tools/bill_of_materials.py                         # the default installation
    python tools/bill_of_materials.py --extra web --extra analysis --out release

Reads what is installed beside this Python (versions, licences and who needs whom come from the packages' own metadata) and writes
``cspsim.cdx.json`` and ``licences.csv``. The same installation gives the same bytes. Ends with 1 if a licence is not among
``ACCEPTED``. Libraries that a wheel carries inside (as NumPy carries OpenBLAS) are seen as far as its metadata name them.
"""

import argparse
import csv
import json
import re
import sys
import tomllib
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any, NamedTuple

from packaging.requirements import Requirement

ROOT = "cspsim"
ACCEPTED = frozenset(
    {"0BSD", "Apache-2.0", "BSD", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "HPND", "ISC", "LLVM-exception", "MIT", "MIT-0", "MIT-CMU"}
    | {"MPL-2.0", "PSF-2.0", "Python-2.0", "Unlicense", "Zlib"}
)
"""Licences that a package under the MIT licence may bring along without more being asked of who passes it on, besides their texts."""

_WORDS = (
    (r"GNU AFFERO|\bAGPL", "AGPL-3.0"), (r"LESSER GENERAL|\bLGPL", "LGPL"), (r"GENERAL PUBLIC LICENSE|\bGPL", "GPL"),
    (r"MOZILLA PUBLIC|\bMPL", "MPL-2.0"), (r"APACHE", "Apache-2.0"), (r"BSD[- ]2|SIMPLIFIED BSD", "BSD-2-Clause"),
    (r"BSD[- ]3|NEW BSD|MODIFIED BSD", "BSD-3-Clause"), (r"\bBSD\b|REDISTRIBUTION AND USE IN SOURCE", "BSD"),
    (r"MIT-CMU|HISTORICAL PERMISSION", "HPND"),
    (r"\bMIT\b|PERMISSION IS HEREBY GRANTED", "MIT"), (r"\bISC\b", "ISC"), (r"PYTHON SOFTWARE|\bPSF|MATPLOTLIB", "PSF-2.0"),
    (r"UNLICENSE", "Unlicense"), (r"ZLIB", "Zlib"), (r"CC0", "CC0-1.0"),
)  # fmt: skip
"""What older metadata says in words -> the short name of the licence; the first that fits counts, the strictest first."""


class Part(NamedTuple):
    """An installed package: its licence as a short expression, and the packages it needs here."""

    name: str
    version: str
    licence: str
    needs: tuple[str, ...]

    @property
    def accepted(self) -> bool:
        """Whether every licence of the expression is accepted; of several to choose from, whether one is."""
        return accepts(self.licence)


def accepts(expression: str) -> bool:
    """Whether one may take all of a licence expression under accepted licences, as ``MIT AND (Zlib OR GPL-2.0-only)``."""
    while inner := re.search(r"\(([^()]*)\)", expression):
        expression = expression[: inner.start()] + ("MIT" if accepts(inner[1]) else "refused") + expression[inner.end() :]
    choices = re.split(r"\s+OR\s+", expression)
    return any(all(name.strip() in ACCEPTED for name in re.split(r"\s+AND\s+|\s+WITH\s+", choice)) for choice in choices)


def key_of(name: str) -> str:
    """The name of a package as all tools compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def parts_of(extras: frozenset[str] = frozenset()) -> dict[str, Part]:
    """Every package of an installation with these extras, by name. Raises PackageNotFoundError for one that is not installed."""
    found: dict[str, Part] = {}
    asked: dict[str, set[str]] = {}
    waiting = [(ROOT, extras)]
    while waiting:
        name, more = waiting.pop()
        if name in asked and more <= asked[name]:
            continue
        asked.setdefault(name, set()).update(more)
        version, licence, needed = _own(asked[name]) if name == ROOT else _installed(name, asked[name])
        found[name] = Part(name, version, licence, tuple(sorted({key_of(need.name) for need in needed} - {name})))
        waiting += [(key_of(need.name), frozenset(need.extras)) for need in needed]
    return dict(sorted(found.items()))


def project() -> dict[str, Any]:
    """What pyproject.toml says: an installation for development may have been made from an older one."""
    said: dict[str, Any] = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return said


def _own(extras: set[str]) -> tuple[str, str, list[Requirement]]:
    said = project()
    needs = [*said["dependencies"], *(need for extra in sorted(extras) for need in said["optional-dependencies"][extra])]
    return said["version"], said["license"], [Requirement(need) for need in needs]


def _installed(name: str, extras: set[str]) -> tuple[str, str, list[Requirement]]:
    """Version, licence, and what a package with these extras needs on this machine."""
    package = distribution(name)
    needs = [Requirement(text) for text in package.requires or []]
    needed = [need for need in needs if need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in ("", *extras))]
    return package.version, licence_of(package), needed


def licence_of(package: Distribution) -> str:
    """The licence as an expression, from the newest kind of metadata that a package has; "unknown" if none says."""
    said = package.metadata
    if said.get("License-Expression"):
        return str(said["License-Expression"])
    marks = [
        mark.rpartition("::")[2] for mark in said.get_all("Classifier") or [] if mark.startswith("License ::") and mark.count("::") > 1
    ]
    marked = sorted({_short(mark) for mark in marks} - {""})
    field = str(said.get("License") or "")
    if len(field) < 100 and Part("", "", field, ()).accepted:
        return field
    if marked:
        return " AND ".join(marked)  # the metadata do not say whether one may choose
    return _short(field[:300]) or _from_texts(package) or "unknown"  # further down, texts speak of other licences


def _short(words: str) -> str:
    return next((name for pattern, name in _WORDS if re.search(pattern, words.upper())), "")


def _from_texts(package: Distribution) -> str:
    """From the beginning of the licence that lies with a package."""
    for name in package.metadata.get_all("License-File") or []:
        for folder in ("licenses/", ""):
            text = package.read_text(f"{folder}{name}")
            if text:
                return _short(text[:300])
    return ""


def bill_of(parts: dict[str, Part]) -> dict[str, Any]:
    """A CycloneDX 1.6 document, without the date and serial number that would make each one another."""
    names = {name: f"pkg:pypi/{name}@{part.version}" for name, part in parts.items()}

    def component(part: Part) -> dict[str, Any]:
        licences = [] if part.licence == "unknown" else [_licence(part.licence)]
        about = {"type": "library", "bom-ref": names[part.name], "name": part.name, "version": part.version, "purl": names[part.name]}
        return about | {"licenses": licences}

    needs = [{"ref": names[name], "dependsOn": [names[need] for need in part.needs]} for name, part in parts.items()]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": component(parts[ROOT]) | {"type": "application"}},
        "components": [component(part) for name, part in parts.items() if name != ROOT],
        "dependencies": needs,
    }


def _licence(said: str) -> dict[str, Any]:
    """An expression where it is one; names such as "BSD", which the standard does not know, as names."""
    if re.search(r"\s(OR|AND|WITH)\s", said):
        return {"expression": said} if not re.search(r"\b(BSD|GPL|LGPL)\b(?!-)", said) else {"license": {"name": said}}
    return {"license": {"name": said}} if said in ("BSD", "GPL", "LGPL") else {"license": {"id": said}}


def write(folder: Path, parts: dict[str, Part]) -> None:
    """Both files."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cspsim.cdx.json").write_text(json.dumps(bill_of(parts), indent=2) + "\n", encoding="utf-8")
    with (folder / "licences.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["package", "version", "licence", "accepted"])
        table.writerows([part.name, part.version, part.licence, "yes" if part.accepted else "no"] for part in parts.values())


def main() -> int:
    """Read the arguments, write the files, say what was found."""
    described = argparse.ArgumentParser(description="A bill of materials (CycloneDX) and a list of licences of what is installed.")
    described.add_argument("--extra", action="append", default=[], help="an extra of cspsim, such as web or analysis; may be repeated")
    described.add_argument("--out", type=Path, default=Path("bill-of-materials"), help="folder to write into (default: %(default)s)")
    asked = described.parse_args()
    known = sorted(project()["optional-dependencies"])
    for extra in asked.extra:
        if extra not in known:
            described.error(f'cspsim has no extra "{extra}": expected one of {", ".join(known)}')
    try:
        parts = parts_of(frozenset(asked.extra))
    except PackageNotFoundError as missing:
        described.error(f'{missing.name} is not installed here: pip install -c constraints.txt ".[{",".join(asked.extra)}]" first')
    write(asked.out, parts)
    others = [part for part in parts.values() if not part.accepted]
    print(f"{len(parts)} packages in {asked.out / 'cspsim.cdx.json'}, their licences in {asked.out / 'licences.csv'}")
    for part in others:
        print(f"not among the accepted licences: {part.name} {part.version}: {part.licence}")
    return 1 if others else 0


if __name__ == "__main__":
    sys.exit(main())
