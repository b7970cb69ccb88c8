"""Words of the version before that are understood in this one: keys under ``[rules]``, and what rule files import from where.

They are put into present words where they are read, with a sentence that says what to write now; nothing behind the reading
knows of them. The next version understands them no longer: then this file goes, with the few lines that call it.
"""

import ast
import re
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from cspsim.basics.errors import Fault, OldWords
from cspsim.scenario.toml_lines import Key, join_key, split_key

PRESENT_RULES: Mapping[str, str] = MappingProxyType(
    {
        "beliefs": "form_beliefs",
        "budgets": "receive_budgets",
        "commissioning": "divide_pot",
        "crime": "commit_crimes",
        "recording": "record_crimes",
        "assessment": "assess_needs",
        "plan_year": "begin_plan_year",
        "agenda": "propose_items",
        "table": "take_table",
        "challenge": "intend_challenges",
        "advocates": "appoint_advocates",
        "hearing": "hear_challenges",
        "decision": "decide_items",
        "pledges": "intend_pledges",
        "workload": "share_work",
        "delivery": "deliver_units",
        "evaluation_choice": "intend_evaluations",
        "evaluation": "evaluate_projects",
        "trust": "update_trust",
        "funder_trust": "update_funder_trust",
        "turnover": "replace_representatives",
    }
)
"""Key under ``[rules]`` of the version before -> the name of the rule's function, which is the key now."""

_MOVED = re.compile(r"cspsim\.(rules\.\w+|arithmetic|compiled|counts|luck|parameters|state|tallies|world)")
_NO_LONGER = "the next version no longer understands"


# ------------------------------------------------------------------------------------------------- keys under [rules]


def present_key(key: Key) -> Key:
    """A dotted key with the rule it names under its present name."""
    return (key[0], PRESENT_RULES.get(key[1], key[1])) if len(key) == 2 and key[0] == "rules" else key


def in_present_words(dotted: str) -> str:
    """The same for a dotted key as somebody wrote it; what is no key stays as it is."""
    try:
        return join_key(present_key(split_key(dotted)))
    except ValueError:
        return dotted


def with_present_keys(said: Mapping[Key, Any], file: str, line: Callable[[Key], int | None]) -> tuple[dict[Key, Any], list[Fault]]:
    """Values by dotted key with every rule under its present name, and a fault for each rule that is given under both names.

    ``line``: on which line of ``file`` a key stands; None where nobody wrote a line.
    """
    found: dict[Key, Any] = {}
    faults = []
    for key, value in said.items():
        now = present_key(key)
        if now != key and now in said:
            there = "which is given too" if line(now) is None else f"which line {line(now)} gives"
            hint = f"leave out {join_key(key)}, its old name"
            faults.append(Fault(file, line(key), join_key(key), f"is the same rule as {join_key(now)}, {there}", hint))
            continue
        if now != key:
            place = "" if line(key) is None else f"{file}:{line(key)}: "
            why = f"a rule goes by the name of its function, and {_NO_LONGER} the old name"
            warnings.warn(f"{place}write {join_key(now)}, not {join_key(key)}: {why}", OldWords, stacklevel=2)
        found[now] = value
    return found, faults


# ----------------------------------------------------------------------------------------------- imports of rule files


def with_present_imports(text: str, path: Path) -> str:
    """The text of a rule file with imports from where the package's modules lay before; every line stays where it is."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return text  # refused, with its line, by whoever looks through it
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and not node.level]
    old = sorted((node for node in imports if _MOVED.fullmatch(node.module or "")), key=lambda node: (node.lineno, node.col_offset))
    if not old:
        return text
    lines = re.sub(r"\r\n?", "\n", text).split("\n")
    for node in reversed(old):  # the last of a line first, so that places before it stay right
        line = lines[node.lineno - 1].encode()
        before, statement = line[: node.col_offset], line[node.col_offset :]
        lines[node.lineno - 1] = (before + statement.replace(b"cspsim.", b"cspsim.model.", 1)).decode()
    warnings.warn(f"{path}:{old[0].lineno}: {_what_to_import(old)}", OldWords, stacklevel=2)
    return "\n".join(lines)


def _what_to_import(old: list[ast.ImportFrom]) -> str:
    """The lines to write in the place of some imports, in one sentence."""
    from cspsim.model import rule_parts  # imports every rule, which few scenarios need

    names: dict[str, list[str]] = {}
    for node in old:
        for alias in node.names:
            public = alias.name in rule_parts.__all__
            home = rule_parts.__name__ if public else str(node.module).replace("cspsim.", "cspsim.model.", 1)
            names.setdefault(home, []).append(ast.unparse(alias))
    lines = " and ".join(f'"from {home} import {", ".join(sorted(set(inside)))}"' for home, inside in names.items())
    places = ", ".join(dict.fromkeys(str(node.module) for node in old))
    return f"write {lines}: {_NO_LONGER} imports from {places}"
