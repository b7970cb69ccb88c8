"""Rules of a user's own, as a scenario names them: found, read and looked through. Nothing of them is run here.

A rule file is plain by decree: imports of ``math``, ``numpy`` and the rule modules of cspsim, numbers with names, and
functions. So everything a rule depends on stands in its file (or in the package), a hash of the file says when it has
changed, and reading it does nothing.
"""

import ast
import hashlib
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from cspsim.basics.errors import did_you_mean, nearest
from cspsim.basics.limits import Unreadable, read_file
from cspsim.scenario.old_words import PRESENT_RULES, with_present_imports
from cspsim.scenario.rival_writes import written_into

STANDARD_RULE = "standard"

_MONTHLY = ("world", "state", "luck", "month")
_AT_FIRST = ("world", "state", "luck")


SLOTS: Mapping[str, tuple[str, ...]] = {
    "first_impressions": _AT_FIRST,
    "form_beliefs": _AT_FIRST,
    "receive_budgets": _MONTHLY,
    "divide_pot": _MONTHLY,
    "commit_crimes": _MONTHLY,
    "record_crimes": _MONTHLY,
    "assess_needs": _MONTHLY,
    "begin_plan_year": _MONTHLY,
    "propose_items": _MONTHLY,
    "take_table": _MONTHLY,
    "intend_challenges": _MONTHLY,
    "appoint_advocates": _MONTHLY,
    "hear_challenges": _MONTHLY,
    "decide_items": _MONTHLY,
    "intend_pledges": _MONTHLY,
    "share_work": _MONTHLY,
    "deliver_units": _MONTHLY,
    "intend_evaluations": _MONTHLY,
    "evaluate_projects": _MONTHLY,
    "update_trust": _MONTHLY,
    "update_funder_trust": _MONTHLY,
    "replace_representatives": _MONTHLY,
}
"""Rule of ``month.py`` that may be replaced, by the name of its function -> what it is given. The books are not among them: every theory
is measured alike."""

_PACKAGE = {
    f"cspsim.model.{name}" for name in ("rule_parts", "arithmetic", "compiled", "counts", "luck", "parameters", "state", "tallies", "world")
}
_IMPORTS = 'expected math, numpy, or "from cspsim.model.rule_parts import ..."'
READ_ONLY = "a rule may read the world and luck, which all runs share; what changes belongs into the state, or into a copy"
_PLAIN = (
    ast.Constant, ast.Name, ast.Attribute, ast.Subscript, ast.Tuple, ast.UnaryOp, ast.BinOp, ast.unaryop, ast.operator, ast.Load, ast.Store,
)  # fmt: skip
_OUTSIDE = frozenset(
    {"open", "exec", "eval", "compile", "__import__", "input", "globals", "locals", "vars", "getattr", "setattr", "delattr"}
)

_AROUND = frozenset({"stride_tricks", "as_strided", "ctypes", "setflags", "_replace", "_make", "_asdict", "_fields"})


class Rival(NamedTuple):
    """A user's function in the place of a rule. ``allowed``: whether the user has said that it may be run."""

    slot: str
    path: Path
    function: str
    text: str
    place: str = ""
    allowed: bool = False

    @property
    def key(self) -> str:
        """What the rule says, as a hash: the same wherever its file lies."""
        return hashlib.blake2b(self.text.encode(), digest_size=10).hexdigest()

    @property
    def identity(self) -> str:
        """What sets this rule apart from any other, for digests and differences."""
        return f"{self.function} of rule file {self.key}"


class RuleFault(NamedTuple):
    """Something wrong with a rule file: its line (None for the whole file), what, how to mend it."""

    line: int | None
    message: str
    hint: str = ""


# --------------------------------------------------------------------------------------------------- names of rules


def placed(named: str, folder: Path, inside: bool) -> str:
    """``"file.py:function"`` with its whole path. ``inside``: the file must lie in ``folder`` or below it, links followed.

    Raises ValueError where it does not, and where this is not the name of a rule.
    """
    if named == STANDARD_RULE:
        return named
    file, colon, function = named.rpartition(":")
    if not (colon and file.endswith(".py") and function.isidentifier()):
        raise ValueError(f'expected "file.py:function" or "{STANDARD_RULE}", found the text "{named}"')
    try:
        path = (folder / file).resolve()
    except (OSError, RuntimeError, ValueError):
        raise ValueError(f"no file can be called {file!r}") from None
    if inside and (Path(file).is_absolute() or not path.is_relative_to(folder.resolve())):
        raise ValueError(f'"{file}" lies outside {folder.resolve()}: expected a rule file beside the file that names it, or below')
    return f"{path}:{function}"


def misnamed(slot: str) -> tuple[str, str]:
    """What is wrong with a key under ``[rules]`` that is none, and how to mend it."""
    if slot in ("accounts", "open_books", "close_books"):
        return "the books are not a theory: every rule is measured by the same accounts", f"rules are {', '.join(SLOTS)}"
    close = nearest(slot, [*SLOTS, *PRESENT_RULES])
    hint = f'did you mean "{PRESENT_RULES.get(close, close)}"?' if close else did_you_mean(slot, SLOTS)
    return "no rule of the month is called so", hint


# ------------------------------------------------------------------------------------------------------ reading files


def read_rule_file(path: Path) -> str:
    """The text of a rule file, its imports as this version has them. Raises ValueError with what kept it from being read."""
    try:
        path.stat()
        return with_present_imports(read_file(path).decode("utf-8-sig"), path)
    except Unreadable as error:
        raise ValueError(str(error)) from None
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not UTF-8 text") from None
    except OSError as error:
        hint = did_you_mean(path.name, _neighbours(path))
        raise ValueError(f"{path} cannot be read: {error.strerror or error}" + (f"; {hint}" if hint else "")) from None


def _neighbours(path: Path) -> list[str]:
    try:
        return [other.name for other in path.parent.glob("*.py")][:100]
    except OSError:
        return []


def look_through(rival: Rival) -> Iterator[RuleFault]:
    """Everything that keeps the text of a rule file from being a rule in this slot. Nothing in it is run."""
    try:
        tree = ast.parse(rival.text)
    except SyntaxError as error:
        yield RuleFault(error.lineno or 1, f"is not Python: {error.msg}")
        return
    except (ValueError, RecursionError, MemoryError) as error:
        yield RuleFault(1, f"is not Python: {error}")
        return
    for node in tree.body:
        yield from _strange(node)
    for inner in ast.walk(tree):
        yield from _impure(inner)
    yield from _writes(tree, rival.function)
    yield from _signature(rival, {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)})


def _writes(tree: ast.Module, function: str) -> Iterator[RuleFault]:
    """Where a rule changes what all runs share."""
    try:
        found = written_into(tree, function)
    except RecursionError:
        yield RuleFault(1, "is nested too deeply to be looked through")
        return
    for line, what in sorted(found.items()):
        yield RuleFault(line, f"writes into {what}", READ_ONLY)


def _signature(rival: Rival, functions: Mapping[str, ast.FunctionDef]) -> Iterator[RuleFault]:
    wanted = SLOTS[rival.slot]
    function = functions.get(rival.function)
    if function is None:
        public = [name for name in functions if not name.startswith("_")]
        yield RuleFault(None, f'has no function "{rival.function}"', did_you_mean(rival.function, public))
        return
    given = function.args
    others = [*given.posonlyargs, *given.kwonlyargs, given.vararg, given.kwarg, *given.defaults]
    if [argument.arg for argument in given.args] != list(wanted) or any(other is not None for other in others):
        found = ast.unparse(given)
        yield RuleFault(function.lineno, f"{rival.function}({found}) cannot stand for {rival.slot}: expected ({', '.join(wanted)})")


def _strange(node: ast.stmt) -> Iterator[RuleFault]:
    """Statements of a file that are neither imports nor numbers nor functions."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        return  # found with the impurities, wherever they stand
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return
    if isinstance(node, ast.Assign | ast.AnnAssign):
        values: list[ast.AST] = [part for part in ast.iter_child_nodes(node) if part is not None]
        if all(_is_plain(value) for value in values):
            yield from _kept(node.value)
            return
    if isinstance(node, ast.FunctionDef):
        if [mark for mark in node.decorator_list if ast.unparse(mark) != "compiled"]:
            yield RuleFault(node.lineno, f"{node.name} has a decorator of its own", "take it away, or use @compiled")
        arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs, node.args.vararg, node.args.kwarg]
        marks = [argument.annotation for argument in arguments if argument is not None]
        defaults = [part for part in [*node.args.defaults, *node.args.kw_defaults] if part is not None]
        if all(_is_plain(part) for part in [*defaults, *marks, node.returns] if part is not None):
            for default in defaults:
                yield from _kept(default)
            return
    what = "imports, numbers with names, and functions"
    yield RuleFault(node.lineno, "does something when it is read", f"a rule file holds {what} and nothing else")


def _kept(value: ast.expr | None) -> Iterator[RuleFault]:
    """Something that lies in the file and could be written into, as ``np.r_[0, 1]`` is: every thread would see what another left."""
    if value is not None and any(isinstance(part, ast.Subscript) for part in ast.walk(value)):
        yield RuleFault(value.lineno, "may keep something from run to run", "name single numbers here; what lasts belongs into the state")


def _is_plain(node: ast.AST) -> bool:
    return all(isinstance(part, _PLAIN) for part in ast.walk(node))


def _impure(node: ast.AST) -> Iterator[RuleFault]:
    """What a rule may not do: read files or clocks, keep things to itself, draw luck that cannot be repeated."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            if alias.name not in ("math", "numpy"):
                yield RuleFault(node.lineno, f"imports {alias.name}", _IMPORTS)
    elif isinstance(node, ast.ImportFrom):
        module = node.module or ""
        known = module in _PACKAGE | {"math", "numpy", "__future__", "typing"} or module.startswith("cspsim.model.rules.")
        if node.level or not known or any(alias.name == "*" for alias in node.names):
            yield RuleFault(node.lineno, f"imports from {'.' * node.level}{module}", _IMPORTS)
        if any(alias.name == "random" for alias in node.names):
            yield _unrepeatable(node.lineno)
    elif isinstance(node, ast.Attribute):
        yield from _strange_attribute(node)
    elif isinstance(node, ast.Name) and node.id in _OUTSIDE:
        yield RuleFault(node.lineno, f"uses {node.id}", "a rule reads the world, the state and luck, and nothing else")
    elif isinstance(node, ast.Global | ast.Nonlocal):
        yield RuleFault(node.lineno, "keeps something for later", "what lasts belongs into the state")


def _strange_attribute(node: ast.Attribute) -> Iterator[RuleFault]:
    if node.attr == "random":
        yield _unrepeatable(node.lineno)
    elif node.attr in _AROUND or (node.attr.startswith("__") and node.attr.endswith("__")):
        yield RuleFault(node.lineno, f"uses .{node.attr}", "a rule reaches arrays by their names and indices, and in no other way")
    elif not isinstance(node.ctx, ast.Load):
        hint = "write into an array of the state, as in state.trust[:] = ...; the world is only read"
        yield RuleFault(node.lineno, f"sets {ast.unparse(node)} itself", hint)


def _unrepeatable(line: int) -> RuleFault:
    return RuleFault(
        line,
        "draws luck that no run can repeat",
        "draw as cspsim.model.rule_parts does: uniforms(luck, MEETINGS, month, key, other_key)",
    )


def sharing_names(rivals: Collection[Rival]) -> dict[str, str]:
    """Names under which the rule files of a scenario can lie in one folder, with their texts."""
    return {file_name(rival, rivals): rival.text for rival in rivals}


def file_name(rival: Rival, rivals: Collection[Rival]) -> str:
    """The name of a rule's file, told apart from another file of the same name."""
    clash = any(other.path.name == rival.path.name and other.text != rival.text for other in rivals)
    return f"{rival.path.stem}-{rival.key[:8]}.py" if clash else rival.path.name


def from_value(slot: str, value: Any, place: str) -> Rival | None:
    """The rule that a placed value names, read from its file; None for the package's own. Raises ValueError."""
    if value == STANDARD_RULE:
        return None
    file, _, function = str(value).rpartition(":")
    return Rival(slot, Path(file), function, read_rule_file(Path(file)), place)
