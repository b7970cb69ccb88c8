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

from cspsim.model.state import axes_of_state
from cspsim.scenario.rival_rules import Rival


class _File(NamedTuple):
    functions: dict[str, ast.FunctionDef]
    imported: dict[str, tuple[str, str]]  # name here -> module of the package, name there


@lru_cache(maxsize=200)
def names_reached(rival: Rival) -> frozenset[str]:
    """Every field that the rule, or a function it uses, in its file or in the package, names."""
    return frozenset(node.attr for function in _functions_of(rival) for node in ast.walk(function) if isinstance(node, ast.Attribute))


@lru_cache(maxsize=200)
def names_changed(rival: Rival) -> frozenset[str]:
    """Those of ``names_reached`` but for arrays of the state of which it only ever takes the shape or a single number.

    ``state.trust[p, a, b]``, with an index for each axis, is a number, whatever becomes of it; all else may be written into.
    """
    functions = list(_functions_of(rival))
    if any(_cuts(node) for function in functions for node in ast.walk(function)) or any(_cuts(node) for node in _values(rival.text)):
        return names_reached(rival)
    changed: set[str] = set()
    for function in functions:
        numbers = {id(node) for outer in ast.walk(function) for node in _number_or_shape(outer)}
        changed |= {node.attr for node in ast.walk(function) if isinstance(node, ast.Attribute) and id(node) not in numbers}
    return frozenset(changed)


def _number_or_shape(node: ast.AST) -> Iterator[ast.AST]:
    """The array of which this takes a single number, or the shape."""
    if isinstance(node, ast.Attribute) and node.attr == "shape":
        yield node.value
    elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load) and isinstance(node.value, ast.Attribute):
        axes = axes_of_state().get(node.value.attr)
        given = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        several = any(isinstance(part, ast.Slice | ast.Starred) for part in given)
        if axes is not None and len(given) == len(axes.axes.split()) and not several:
            yield node.value


def _cuts(node: ast.AST) -> bool:
    """Whether there is something that as an index leaves more than a number: then no index is trusted to be one."""
    nothing = (isinstance(node, ast.Constant) and (node.value is None or node.value is ...)) or (
        isinstance(node, ast.Tuple) and not node.elts
    )
    return (
        nothing
        or (isinstance(node, ast.Name) and node.id in ("slice", "Ellipsis"))
        or (isinstance(node, ast.Attribute) and node.attr == "newaxis")
    )


def _values(text: str) -> Iterator[ast.AST]:
    """What stands behind the names of a rule file."""
    for node in ast.parse(text).body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            yield from ast.walk(node.value)


@lru_cache(maxsize=200)
def _functions_of(rival: Rival) -> tuple[ast.FunctionDef, ...]:
    """The rule and every function it uses, without what their signatures say."""
    waiting = [(rival.text, rival.function)]
    found: dict[tuple[str, str], ast.FunctionDef] = {}
    while waiting:
        text, name = waiting.pop()
        file = _read(text)
        if (text, name) not in found and name in file.functions:
            found[text, name] = function = file.functions[name]
            waiting += [(text, node.id) for node in ast.walk(function) if isinstance(node, ast.Name)]
        elif name in file.imported:
            module, there = file.imported[name]
            waiting.append((_text_of(module), there))
    return tuple(found.values())


@lru_cache(maxsize=200)
def _read(text: str) -> _File:
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            node.returns, node.decorator_list = None, []  # what stands around a function is not done by it
        elif isinstance(node, ast.arg):
            node.annotation = None
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


@lru_cache(maxsize=200)
def _text_of(module: str) -> str:
    found = find_spec(module)
    return Path(found.origin).read_text(encoding="utf-8") if found and found.origin else ""
