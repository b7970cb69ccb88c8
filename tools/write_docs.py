"""Write the generated tables of docs/model.md from the code, and docs/levers.md from runs.

    python tools/write_docs.py            # the tables of docs/model.md
    python tools/write_docs.py --levers   # also docs/levers.md (two minutes)

A test checks that the tables on disk are the ones the code would write.
"""

import importlib
import inspect
import re
import sys
from collections.abc import Callable
from pathlib import Path

from cspsim.model import month
from cspsim.model.parameters import Levers, Switches
from cspsim.model.state import axes_of_state
from cspsim.model.uncertainties import Uncertainties
from cspsim.running.outcomes import OUTCOMES
from cspsim.scenario.schema import register_of

DOCS = Path(__file__).parent.parent / "docs"


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(cell.replace("|", "/") for cell in row) + " |" for row in rows)])


def _range(low: float, high: float) -> str:
    if high == float("inf"):
        return "any" if low == -float("inf") else f"{low:g} and more"
    return f"{low:g} to {high:g}"


def state_table() -> str:
    """Every state array with axes, unit and range."""
    rows = [[f"`{name}`", entry.axes, entry.unit, _range(entry.low, entry.high)] for name, entry in axes_of_state().items()]
    return _table(["array", "axes", "unit", "range"], rows)


def month_table() -> str:
    """The order of the month, read from the source of its five stages."""
    rows = []
    points = dict(zip(_verbs(), month.DECISION_POINTS, strict=False))
    for stage, verbs in _verbs().items():
        rows += [[f"`{verb}`", f"`rules/{_home(verb)}.py`", ""] for verb in verbs]
        rows[-1][2] = f"then agents decide: **{points[stage]}**" if stage in points else ""
    return _table(["step", "where", "decision point"], rows)


def _verbs() -> dict[str, list[str]]:
    """Stage of the month -> the rules it calls, in order."""
    stages = [name for name in vars(month) if name.startswith("until_")]
    return {stage: re.findall(r"^    (\w+)\(world", inspect.getsource(_python(getattr(month, stage))), re.M) for stage in stages}


def _python(function: Callable) -> Callable:
    return getattr(function, "py_func", function)


def _home(verb: str) -> str:
    return _python(getattr(month, verb)).__module__.rpartition(".")[2]


def rules_table() -> str:
    """What each rule claims: the first sentence of its file. A file stands where the month calls it for the last time."""
    rows = []
    called = [_home(verb) for verbs in _verbs().values() for verb in verbs]
    for name in reversed(dict.fromkeys(reversed(called))):
        text = inspect.getdoc(importlib.import_module(f"cspsim.model.rules.{name}")) or ""
        title, _, claim = text.partition(": ")
        rows.append([title, claim.replace("\n", " "), f"`rules/{name}.py`"])
    return _table(["rule", "claim", "file"], rows)


def levers_table() -> str:
    """The register of levers."""
    rows = [[f"`{n}`", e.group, e.meaning, e.unit, f"{e.value:g}", _range(e.low, e.high)] for n, e in register_of(Levers).items()]
    return _table(["lever", "group", "meaning", "unit", "default", "range"], rows)


def uncertainties_table() -> str:
    """The register of uncertainties with status and source."""
    rows = [
        [f"`{n}`", e.group, e.meaning, e.unit, f"{e.value:g}", _range(e.low, e.high), f"{e.status}: {e.source}"]
        for n, e in register_of(Uncertainties).items()
    ]
    return _table(["uncertainty", "rule", "meaning", "unit", "best guess", "range", "source"], rows)


def switches_table() -> str:
    """The register of switches."""
    return _table(["switch", "mechanism"], [[f"`{n}`", e.meaning] for n, e in register_of(Switches).items()])


def outcomes_table() -> str:
    """The register of outcomes with formula, direction and smallest effect of interest."""
    direction = {1: "more is better", -1: "less is better", 0: "neither"}
    rows = [
        [
            f"`{o.name}`",
            o.meaning,
            o.unit,
            o.formula,
            direction[o.better],
            f"{100 * o.smallest:g} %" if o.smallest_is == "relative" else f"{o.smallest:g}",
        ]
        for o in OUTCOMES.values()
    ]
    return _table(["outcome", "meaning", "unit", "formula in tallies", "direction", "smallest effect of interest"], rows)


TABLES = {
    "state": state_table,
    "month": month_table,
    "rules": rules_table,
    "levers": levers_table,
    "uncertainties": uncertainties_table,
    "switches": switches_table,
    "outcomes": outcomes_table,
}


def filled(text: str) -> str:
    """The text with every generated table written anew."""
    for name, write in TABLES.items():
        found = re.search(rf"<!-- table: {name} -->\n(.*?)<!-- end -->", text, re.S)
        if not found:
            raise ValueError(f"docs/model.md has no place for the table {name!r}")
        text = text[: found.start(1)] + write() + "\n" + text[found.end(1) :]
    return text


def main() -> None:
    """Fill the model page; with --levers also run and write the lever page."""
    page = DOCS / "model.md"
    page.write_text(filled(page.read_text(encoding="utf-8")), encoding="utf-8")
    if "--levers" in sys.argv:
        from lever_effects import write_page

        write_page(DOCS / "levers.md")


if __name__ == "__main__":
    main()
