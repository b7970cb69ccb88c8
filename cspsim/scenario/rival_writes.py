"""Where a rule of a user writes into what it may only read, as far as its source shows it.

The world is shared by all threads and by all runs under a scenario, and so is the table luck is read from: a rule that
wrote into them would make results depend on who came first. This is the friendly half of the refusal, with a line and
without running anything. It follows other names of an array, rows of it, and functions of the same file, line by line. What
it does not see, the compiler and ``rival_guards`` notice.
"""

import ast
import inspect
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, get_type_hints

import numpy as np

from cspsim.model.parameters import Levers
from cspsim.model.world import World

WHOLE, ARRAY, PART = "whole", "array", "part"  # all of the world or of luck; one of its arrays; a row, a view or a number of one
_GROUPS = ("levers", "switches", "uncertainties")
_ARRAYS = frozenset(name for name, kind in get_type_hints(World).items() if kind is not float) | set(Levers._fields) | {"replicates"}
_VIEWS = frozenset({"reshape", "ravel", "view", "transpose", "swapaxes", "squeeze", "diagonal", "T", "flat", "real", "imag", "base"})
_PASSED_ON = frozenset({"zip", "enumerate", "reversed", "iter", "list", "tuple", "next"})
_VIEWS_OF_NUMPY = _VIEWS | {
    "asarray", "asanyarray", "ascontiguousarray", "asfortranarray", "moveaxis", "expand_dims", "atleast_1d", "atleast_2d",
    "atleast_3d", "broadcast_to", "flip", "fliplr", "flipud", "rot90", "nditer", "split", "array_split", "hsplit", "vsplit",
}  # fmt: skip
_WRITING = frozenset({"fill", "sort", "partition", "put", "itemset", "resize", "setflags", "setfield", "byteswap"})
_WRITING_OF_NUMPY = frozenset({"copyto", "put", "place", "putmask", "fill_diagonal", "put_along_axis"})
_DEEPEST = 4  # loops in loops that are gone through twice; those inside of them once


class HeldReference(NamedTuple):
    """What a name stands for: how much of the world, and what people call it."""

    kind: str
    label: str


Names = dict[str, HeldReference]


def written_into(tree: ast.Module, function: str) -> dict[int, str]:
    """Line -> what the rule ``function`` of this file, or a function it uses there, writes into without leave."""
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    if function not in functions:
        return {}
    return _Reader(functions, _numpy_names(tree)).read(function)


def _numpy_names(tree: ast.Module) -> dict[str, str]:
    """Name in the file -> "" for numpy itself, else the function of numpy."""
    names = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update({alias.asname or alias.name: "" for alias in node.names if alias.name == "numpy"})
        elif isinstance(node, ast.ImportFrom) and node.module == "numpy":
            names.update({alias.asname or alias.name: alias.name for alias in node.names})
    return names


class _Reader:
    """Goes through a rule statement by statement, then through each function that is handed part of the world."""

    def __init__(self, functions: Mapping[str, ast.FunctionDef], numpy_names: Mapping[str, str]) -> None:
        self._functions = dict(functions)
        self._numpy = numpy_names
        self._given: dict[str, Names] = {}
        self._returned: dict[str, HeldReference] = {}
        self._waiting: list[str] = []
        self._found: dict[int, str] = {}
        self._depth = 0

    def read(self, function: str) -> dict[int, str]:
        self._given[function] = {name: HeldReference(WHOLE, name) for name in ("world", "luck")}
        self._waiting = [function]
        while self._waiting:
            name = self._waiting.pop()
            before = self._returned.get(name)
            self._block(self._functions[name].body, dict(self._given[name]), name)
            if self._returned.get(name) != before:
                self._waiting += list(self._given)  # whoever calls it gets part of the world back
        return self._found

    # ---------------------------------------------------------------------------------------------------- statements

    def _block(self, statements: list[ast.stmt], names: Names, function: str) -> None:
        for statement in statements:
            self._statement(statement, names, function)

    def _statement(self, statement: ast.stmt, names: Names, function: str) -> None:
        for expression in ast.iter_child_nodes(statement):
            if isinstance(expression, ast.expr):
                self._calls(expression, names)
        if isinstance(statement, ast.Assign):
            for target in statement.targets:
                self._assign(target, statement.value, names)
        elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
            self._assign(statement.target, statement.value, names)
        elif isinstance(statement, ast.AugAssign):
            self._change(statement.target, names)
        elif isinstance(statement, ast.For):
            self._store(statement.target, _part(self._held(statement.iter, names)), names)
            self._loop(statement, names, function)
        elif isinstance(statement, ast.While):
            self._loop(statement, names, function)
        elif isinstance(statement, ast.Return) and statement.value is not None:
            held = self._held(statement.value, names)
            if held is not None:
                self._returned[function] = held
        elif isinstance(statement, ast.FunctionDef):
            self._functions[statement.name] = statement
            self._block(statement.body, dict(names), statement.name)
        else:
            self._ways(statement, names, function)

    def _ways(self, statement: ast.stmt, names: Names, function: str) -> None:
        """Statements with several ways through: afterwards a name stands for what it stood for on any of them."""
        parts = [value for _, value in ast.iter_fields(statement) if isinstance(value, list)]
        blocks = [part for part in parts if all(isinstance(inner, ast.stmt | ast.excepthandler | ast.match_case) for inner in part)]
        after: Names = {}
        for block in blocks:
            way = dict(names)
            for inner in block:
                self._block([inner] if isinstance(inner, ast.stmt) else inner.body, way, function)
            after |= way
        if blocks:
            names.clear()
            names |= after

    def _loop(self, loop: ast.For | ast.While, names: Names, function: str) -> None:
        """What a name stands for at the end of a loop it may stand for at the beginning of the next time round."""
        self._depth += 1
        for _ in range(2 if self._depth <= _DEEPEST else 1):
            way = dict(names)
            self._block(loop.body, way, function)
            names |= way
        self._depth -= 1
        self._block(loop.orelse, names, function)

    # --------------------------------------------------------------------------------------------------- assignments

    def _assign(self, target: ast.expr, value: ast.expr, names: Names) -> None:
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
            held = [self._held(part, names) for part in value.elts]  # all before any, as in a, b = b, a
            for part, what in zip(target.elts, held, strict=True):
                self._store(part, what, names)
        else:
            self._store(target, self._held(value, names), names)

    def _store(self, target: ast.expr, held: HeldReference | None, names: Names) -> None:
        if isinstance(target, ast.Name):
            names.pop(target.id, None)
            if held is not None:
                names[target.id] = held
        elif isinstance(target, ast.Tuple | ast.List):
            for part in target.elts:
                self._store(part, _part(held), names)
        elif isinstance(target, ast.Starred):
            self._store(target.value, held, names)
        else:
            self._change(target, names)

    def _change(self, target: ast.expr, names: Names) -> None:
        """Something is put into ``target``, or it is changed where it stands."""
        if isinstance(target, ast.Subscript):
            self._report(target.lineno, self._held(target.value, names))
        elif isinstance(target, ast.Name) and names.get(target.id, HeldReference(PART, "")).kind == ARRAY:
            self._report(target.lineno, names[target.id])  # a part may be a number, which is nobody else's

    def _report(self, line: int, held: HeldReference | None) -> None:
        if held is not None:
            self._found.setdefault(line, held.label)

    # ---------------------------------------------------------------------------------------------------- expressions

    def _calls(self, expression: ast.expr, names: Names) -> None:
        """Calls that write, and calls that hand on. Names that an expression gives are given first."""
        for node in ast.walk(expression):
            if isinstance(node, ast.comprehension):
                self._store(node.target, _part(self._held(node.iter, names)), names)
            elif isinstance(node, ast.NamedExpr):
                self._assign(node.target, node.value, names)
        for node in ast.walk(expression):
            if isinstance(node, ast.Call):
                for written in self._written(node, names):
                    self._report(node.lineno, written)
                if isinstance(node.func, ast.Name) and node.func.id in self._functions:
                    self._hand_on(node, names)

    def _written(self, call: ast.Call, names: Names) -> Iterator[HeldReference | None]:
        yield from (self._held(keyword.value, names) for keyword in call.keywords if keyword.arg == "out")
        function = self._of_numpy(call.func)
        if function:
            first = 0 if function in _WRITING_OF_NUMPY else _place_of_out(function)
            if first is not None:
                last = 1 if function in _WRITING_OF_NUMPY else None
                yield from (self._held(argument, names) for argument in call.args[first:last])
        elif isinstance(call.func, ast.Attribute) and call.func.attr in _WRITING:
            yield self._held(call.func.value, names)

    def _hand_on(self, call: ast.Call, names: Names) -> None:
        name = str(getattr(call.func, "id", ""))
        parameters = [argument.arg for argument in (*self._functions[name].args.posonlyargs, *self._functions[name].args.args)]
        passed = dict(zip(parameters, call.args, strict=False)) | {key.arg: key.value for key in call.keywords if key.arg}
        known = self._given.setdefault(name, {})
        for parameter, argument in passed.items():
            held = self._held(argument, names)
            if held is not None and parameter not in known:
                known[parameter] = held
                self._waiting.append(name)

    def _of_numpy(self, function: ast.expr) -> str:
        """The name numpy has for a function; empty if it is not numpy's."""
        if isinstance(function, ast.Name):
            return self._numpy.get(function.id, "")
        if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name) and self._numpy.get(function.value.id) == "":
            return function.attr
        return ""

    def _held(self, node: ast.expr, names: Names) -> HeldReference | None:
        """How much of the world the value of an expression is; None if nothing of it."""
        if isinstance(node, ast.Name):
            return names.get(node.id)
        if isinstance(node, ast.Attribute):
            return self._field(self._held(node.value, names), node.attr)
        if isinstance(node, ast.Subscript):
            return _part(self._held(node.value, names))
        if isinstance(node, ast.Starred | ast.NamedExpr):
            return self._held(node.value, names)
        if isinstance(node, ast.IfExp):
            return self._held(node.body, names) or self._held(node.orelse, names)
        if isinstance(node, ast.Tuple | ast.List):
            return _part(next(filter(None, (self._held(part, names) for part in node.elts)), None))
        if isinstance(node, ast.Call):
            return self._result(node, names)
        return None

    def _field(self, held: HeldReference | None, name: str) -> HeldReference | None:
        if held is None or held.kind != WHOLE:
            return held if name in _VIEWS else None
        label = f"{held.label}.{name}"
        if name in _GROUPS:
            return HeldReference(WHOLE, label)
        return HeldReference(ARRAY, label) if name in _ARRAYS else None

    def _result(self, call: ast.Call, names: Names) -> HeldReference | None:
        function, given = call.func, (self._held(argument, names) for argument in call.args)
        if self._of_numpy(function):
            return next(filter(None, given), None) if self._of_numpy(function) in _VIEWS_OF_NUMPY else None
        if isinstance(function, ast.Name) and function.id in self._functions:
            return self._returned.get(function.id)
        if isinstance(function, ast.Name) and function.id in _PASSED_ON:
            return _part(next(filter(None, given), None))
        if isinstance(function, ast.Attribute) and function.attr in _VIEWS:
            return self._held(function.value, names)
        return None


def _part(held: HeldReference | None) -> HeldReference | None:
    return None if held is None else HeldReference(PART, held.label)


def _place_of_out(function: str) -> int | None:
    """At which place a function of numpy takes the array it writes its result into; None if it takes none."""
    called: Any = getattr(np, function, None)
    if isinstance(called, np.ufunc):
        return called.nin
    try:
        parameters = list(inspect.signature(called).parameters)
    except (TypeError, ValueError):
        return None
    return parameters.index("out") if "out" in parameters else None
