"""What a rule of a user can lay its hands on: the fields it names, and those that the functions it calls name.

World and state are reached by the names of their fields and in no other way (``rival_rules`` refuses the ways around
it). So what is not named here a rule cannot have changed, and need not be looked at after it.
"""

import ast
from collections.abc import Iterator
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from cspsim.rival_rules import Rival


class _File(NamedTuple):
    functions: dict[str, ast.FunctionDef]
    imported: dict[str, tuple[str, str]]  # name here -> module of the package, name there


@lru_cache(maxsize=200)
def names_reached(rival: Rival) -> frozenset[str]:
    """Every attribute that the rule, or a function it uses, in its file or in the package, names."""
    waiting = [(_read(rival.text), rival.function)]
    seen: set[tuple[int, str]] = set()
    names: set[str] = set()
    while waiting:
        file, name = waiting.pop()
        if (id(file), name) in seen:
            continue
        seen.add((id(file), name))
        if name in file.functions:
            names.update(node.attr for node in ast.walk(file.functions[name]) if isinstance(node, ast.Attribute))
            waiting += [(file, used) for used in _used(file.functions[name])]
        elif name in file.imported:
            module, there = file.imported[name]
            waiting.append((_read_module(module), there))
    return frozenset(names)


def _used(function: ast.FunctionDef) -> Iterator[str]:
    return (node.id for node in ast.walk(function) if isinstance(node, ast.Name))


@lru_cache(maxsize=200)
def _read(text: str) -> _File:
    tree = ast.parse(text)
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return _File(
        {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)},
        {
            alias.asname or alias.name: (node.module, alias.name)
            for node in imports
            if node.module and node.module.startswith("cspsim.")
            for alias in node.names
        },
    )


def _read_module(name: str) -> _File:
    found = find_spec(name)
    return _read(Path(found.origin).read_text(encoding="utf-8") if found and found.origin else "")
