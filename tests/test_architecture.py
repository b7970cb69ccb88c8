"""The house keeps its order: imports go one way, rules are pure and know no numbers, every number has a story.

Everything is read from the source text (``ast``), so that nothing needs to be imported, run or compiled.
"""

import ast
import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

import cspsim
from cspsim.model.parameters import Levers, Switches
from cspsim.model.uncertainties import Uncertainties
from cspsim.scenario.scenario import Scenario, load_scenario, scenario_names
from cspsim.scenario.scenario_files import shipped_folder
from cspsim.scenario.schema import DatedPath, Number, register_of

PACKAGE = Path(str(cspsim.__file__)).resolve().parent
MODEL = PACKAGE / "model"
SCENARIO_FILES = sorted(shipped_folder().rglob("*.toml"))

FOLDERS = sorted(path.parent for path in PACKAGE.glob("*/__init__.py"))
STANDS_ON = re.compile(r"Stands on: ([^.]+)\. Others import: (.+)\.", re.DOTALL)

FACES_OF = {
    "mesa": {"mesa_model", "web"},
    "solara": {"web"},
    "matplotlib": {"reports", "analysis", "calibration", "hypotheses", "search"},
}
"""Library -> the only rooms that may import it."""

NUMBERS_OF_ALL_RULES = {0, 1, 2, 12}
OTHER_NUMBERS = {
    1e-12: "keeps a division by an empty sum, a cost or an amount of nothing from being one by zero",
    1e-9: "rounding: a pound is a pound although 0.1 + 0.2 is not 0.3; and the least variance a belief may have",
    1e-6: "a share reached, or a variance, that counts as none, in evaluation",
    1e6: "the variance of an evaluation that says nothing",
    1e300: "below any weight: the start of a search for the largest",
    0.5: "a power: the square root",
    3: "the fourth of the four draws that one call of luck gives",
    4: "four counts err in a comparison before and after, with and without",
    11: "the eleven months before the last of a year",
}
"""Literals in rules besides 0, 1, 2 and 12, each with the reason why it is no parameter."""


@lru_cache(maxsize=100)
def scenario(name: str) -> Scenario:
    return load_scenario(name)


def source_files() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


@lru_cache(maxsize=200)
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def module_of(path: Path) -> str:
    """The first part of a module's name inside the package: ``rules`` for every rule, ``web`` for every page."""
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def rule_files() -> list[Path]:
    return [path for path in sorted((MODEL / "rules").glob("*.py")) if path.stem != "__init__"]


def imports(path: Path, *, while_typing: bool = True) -> Iterator[tuple[str, int]]:
    """Full names of what a file imports, anywhere in it, with their lines."""

    def visit(node: ast.AST) -> Iterator[tuple[str, int]]:
        for child in ast.iter_child_nodes(node):
            if not while_typing and isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
                continue
            if isinstance(child, ast.Import):
                yield from ((alias.name, child.lineno) for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                assert child.level == 0, f"{path.name}:{child.lineno} imports by dots; say from where"
                yield str(child.module), child.lineno
            else:
                yield from visit(child)

    return visit(tree_of(path))


def said_to_stand_on(room: Path) -> set[str]:
    """The rooms that a room's first lines say it imports from."""
    said = STANDS_ON.search(ast.get_docstring(tree_of(room / "__init__.py")) or "")
    assert said, f"{room.name}/__init__.py: its docstring ends with 'Stands on: ... . Others import: ... .'"
    names = said[1].strip()
    others = {folder.name for folder in FOLDERS} - {room.name}
    return {"nothing of ours": set(), "everything else": others}.get(names) or {name.strip() for name in names.split(",")} - {
        "nothing of ours"
    }


@lru_cache(maxsize=1)
def arrows() -> dict[str, dict[str, list[str]]]:
    """Room -> room it imports from -> the places; ``cli`` and the package's own ``__init__`` count as rooms of one file."""
    found: dict[str, dict[str, list[str]]] = {}
    for path in source_files():
        inner = found.setdefault(module_of(path), {})
        for name, line in imports(path, while_typing=False):
            if name.startswith("cspsim.") and name.split(".")[1] != module_of(path):
                inner.setdefault(name.split(".")[1], []).append(f"{path.relative_to(PACKAGE)}:{line}")
    return found


class TestRooms:
    """The house as its folders draw it: each room says in its first lines what it stands on, and that is what it imports."""

    @pytest.mark.parametrize("room", FOLDERS, ids=lambda room: room.name)
    def test_a_room_imports_what_it_says_and_no_more(self, room: Path) -> None:
        wrong = {other: places for other, places in arrows()[room.name].items() if other not in said_to_stand_on(room)}
        assert not wrong, f"{room.name} does not say that it stands on {', '.join(wrong)}: {wrong}"
        if room.name != "commands":
            assert said_to_stand_on(room) == set(arrows()[room.name]), "a room says that it stands on another and does not"

    def test_imports_go_one_way(self) -> None:
        """No room stands on one that stands on it, whichever way round."""
        order = list(TopologicalSorter({room: set(others) for room, others in arrows().items()}).static_order())
        assert order.index("model") < order.index("scenario") < order.index("running") < order.index("comparing") < order.index("cli")

    def test_no_module_imports_one_that_imports_it(self) -> None:
        """Not when the program runs, early or late; a module may name another's types only (``TYPE_CHECKING``)."""
        names = {path: ".".join(("cspsim", *path.relative_to(PACKAGE).with_suffix("").parts)) for path in source_files()}
        inside = set(names.values())
        graph = {name: {other for other, _ in imports(path, while_typing=False)} & inside for path, name in names.items()}
        TopologicalSorter(graph).prepare()  # raises CycleError, which names the circle

    def test_the_model_stands_on_nothing(self) -> None:
        assert not arrows()["model"], "everything compiled depends on lies in one folder, and the cache is keyed by that folder"

    def test_few_modules_lie_outside_the_rooms(self) -> None:
        assert {path.stem for path in PACKAGE.glob("*.py")} == {"__init__", "cli"}, "a module lies in a room"

    @pytest.mark.parametrize("path", source_files(), ids=lambda path: str(path.relative_to(PACKAGE)))
    def test_imports_are_spelt_out(self, path: Path) -> None:
        whole = [line for name, line in imports(path) if name == "cspsim" and module_of(path) not in ("cli", "web")]
        assert not whole, f"lines {whole} import the whole package; say which module"

    def test_rules_never_import_each_other(self) -> None:
        for path in rule_files():
            assert not [name for name, _ in imports(path) if name.startswith("cspsim.model.rules")], path.name

    @pytest.mark.parametrize("library", FACES_OF)
    def test_libraries_stay_with_their_faces(self, library: str) -> None:
        found = {module_of(path) for path in source_files() for name, _ in imports(path) if name.split(".")[0] == library}
        assert found <= FACES_OF[library]

    def test_the_test_sees_imports(self) -> None:
        """Not vacuous: it finds the imports that it must find, also those inside functions."""
        assert "cspsim.model.rules.crime" in {name for name, _ in imports(MODEL / "month.py")}
        assert "pandas" in {name for name, _ in imports(PACKAGE / "running" / "results.py")}
        assert {"basics", "model", "running"} <= set(arrows()["comparing"])


class TestRules:
    IMPURE = frozenset({"open", "print", "input", "exec", "eval", "globals", "setattr", "__import__", "getenv", "system"})
    ALLOWED_IMPORTS = re.compile(r"math|cspsim\.model\.(arithmetic|compiled|counts|luck|state|tallies|world)")

    @pytest.mark.parametrize("path", [*rule_files(), MODEL / "arithmetic.py"], ids=lambda path: path.stem)
    def test_reads_no_clock_file_global_or_model_and_prints_nothing(self, path: Path) -> None:
        for name, line in imports(path):
            assert self.ALLOWED_IMPORTS.fullmatch(name), f"{path.name}:{line} imports {name}"
        constants = {target.id for node in tree_of(path).body for target in _assigned(node)}
        assert not constants, f"{path.name} keeps {', '.join(constants)} outside its functions"
        for node in ast.walk(tree_of(path)):
            assert not isinstance(node, ast.Global | ast.Nonlocal | ast.ClassDef), f"{path.name}:{getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.Call):
                called = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
                assert called not in self.IMPURE, f"{path.name}:{node.lineno} calls {called}"

    @pytest.mark.parametrize("path", [*rule_files(), MODEL / "arithmetic.py"], ids=lambda path: path.stem)
    def test_every_function_is_compiled(self, path: Path) -> None:
        for node in tree_of(path).body:
            if isinstance(node, ast.FunctionDef):
                assert [ast.unparse(mark) for mark in node.decorator_list] == ["compiled"], f"{path.name}: {node.name}"

    @pytest.mark.parametrize("path", [*rule_files(), MODEL / "arithmetic.py"], ids=lambda path: path.stem)
    def test_knows_no_numbers(self, path: Path) -> None:
        strange = [
            f"{path.name}:{node.lineno}: {node.value!r}"
            for node in ast.walk(tree_of(path))
            if isinstance(node, ast.Constant)
            and isinstance(node.value, int | float)
            and not isinstance(node.value, bool)
            and node.value not in NUMBERS_OF_ALL_RULES | OTHER_NUMBERS.keys()
        ]
        assert not strange, "a number belongs into the registers or the catalogue, or with its reason into OTHER_NUMBERS"

    def test_no_reason_is_left_over(self) -> None:
        used = {
            node.value
            for path in [*rule_files(), MODEL / "arithmetic.py"]
            for node in ast.walk(tree_of(path))
            if isinstance(node, ast.Constant) and isinstance(node.value, int | float)
        }
        assert set(OTHER_NUMBERS) <= used

    def test_the_month_calls_every_public_rule(self) -> None:
        """What a rule file offers to the month is in the month, once."""
        month = (MODEL / "month.py").read_text(encoding="utf-8")
        for path in rule_files():
            rules = [
                node.name
                for node in tree_of(path).body
                if isinstance(node, ast.FunctionDef)
                and not node.name.startswith("_")
                and [argument.arg for argument in node.args.args][:3] == ["world", "state", "luck"]
                and len(node.args.args) <= 4
            ]
            assert rules, path.name
            for name in rules:
                assert len(re.findall(rf"\n    {name}\(world", month)) == 1, f"{name} of {path.name}"

    def test_users_find_everything_rules_are_made_of_in_one_module(self) -> None:
        """``rule_parts`` passes on all that rules import and that the month calls, and holds nothing of its own."""
        tree = tree_of(MODEL / "rule_parts.py")
        passed_on = {alias.asname or alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names}
        wanted = {
            alias.name
            for path in [*rule_files(), MODEL / "arithmetic.py", MODEL / "month.py"]
            for node in tree_of(path).body
            if isinstance(node, ast.ImportFrom) and str(node.module).startswith("cspsim.")
            for alias in node.names
        }
        assert wanted <= passed_on, f"cspsim/model/rule_parts.py lacks {', '.join(sorted(wanted - passed_on))}"
        (listed,) = [node.value for node in tree.body if isinstance(node, ast.Assign)]
        assert set(ast.literal_eval(listed)) == passed_on
        assert not [node for node in tree.body if not isinstance(node, ast.ImportFrom | ast.Assign | ast.Expr)]

    @pytest.mark.parametrize(
        "path", [*rule_files(), MODEL / "arithmetic.py", PACKAGE / "scenario" / "world_building.py"], ids=lambda path: path.stem
    )
    def test_knows_no_names(self, path: Path) -> None:
        """Nobody's name is in the code: rules know roles. (Health is a name, and the beginning of a role's.)"""
        names = set()
        for place in ("baseline", "two-tier-county", "renamed-and-merged", "two-districts-2026-mayor"):
            data = scenario(place).data
            names |= {*data.partnerships, *data.authorities, *data.interventions, *data.crime_types, *data.grants}
        names -= {"police"}  # also a role
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert node.value not in names, f"{path.name}:{node.lineno}"
            if isinstance(node, ast.Name | ast.Attribute):
                assert getattr(node, "id", getattr(node, "attr", "")).lower() not in names - {"health"}, f"{path.name}:{node.lineno}"


def _assigned(node: ast.stmt) -> list[ast.Name]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign | ast.AugAssign) else []
    return [name for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)]


REGISTERS: Mapping[str, Any] = {"levers": Levers, "uncertainties": Uncertainties, "switches": Switches}


@lru_cache(maxsize=1)
def read_from_registers() -> dict[str, set[str]]:
    """Register -> names that rules or the layout of the world read, as ``world.levers.x``, ``levers.x`` or ``numbers.x``."""
    found: dict[str, set[str]] = {name: set() for name in REGISTERS}
    for path in [*rule_files(), MODEL / "arithmetic.py", MODEL / "month.py", PACKAGE / "scenario" / "world_building.py"]:
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.Attribute):
                owner = node.value
                name = owner.id if isinstance(owner, ast.Name) else owner.attr if isinstance(owner, ast.Attribute) else ""
                register = {"numbers": "uncertainties"}.get(name, name)
                if register in found:
                    found[register].add(node.attr)
    return found


class TestRegisters:
    @pytest.mark.parametrize("register", REGISTERS)
    def test_everything_registered_is_read_by_a_rule(self, register: str) -> None:
        unread = sorted(set(REGISTERS[register]._fields) - read_from_registers()[register])
        assert unread == [], f"no rule reads world.{register}.{unread[0]}: read it in a rule, or take it out of the register"

    @pytest.mark.parametrize("register", REGISTERS)
    def test_every_entry_tells_its_story(self, register: str) -> None:
        for name, entry in register_of(REGISTERS[register]).items():
            assert entry.low <= entry.value <= entry.high, name
            assert entry.low < entry.high, name
            for part in ("unit", "meaning", "status", "source", "group"):
                assert getattr(entry, part), f"{name} lacks {part}"
            assert entry.status in ("seen", "derived", "memory", "assumption"), name


def public_functions(path: Path) -> Iterator[tuple[str, ast.FunctionDef]]:
    """Functions and the methods of classes whose names, and whose classes' names, begin without an underscore."""
    for node in tree_of(path).body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            yield node.name, node
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef) and not inner.name.startswith("_"):
                    yield f"{node.name}.{inner.name}", inner


class TestPublicFunctions:
    @pytest.mark.parametrize("path", source_files(), ids=lambda path: str(path.relative_to(PACKAGE)))
    def test_has_a_docstring_and_types(self, path: Path) -> None:
        assert ast.get_docstring(tree_of(path)), f"{path.name} says nothing of itself"
        lacking = []
        for name, function in public_functions(path):
            if not ast.get_docstring(function) and not _is_told_by_its_signature(function):
                lacking.append(f"{name} has no docstring")
            arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
            untyped = [argument.arg for argument in arguments if argument.annotation is None and argument.arg not in ("self", "cls")]
            if untyped or function.returns is None:
                lacking.append(f"{name} lacks types: {', '.join(untyped) or 'return'}")
        assert not lacking, "\n".join(f"{path.name}: {fault}" for fault in lacking)


def _is_told_by_its_signature(function: ast.FunctionDef) -> bool:
    """Checks that pydantic calls by their place, one-line properties, and methods that only wrap their parent's."""
    marks = {ast.unparse(mark).split("(")[0] for mark in function.decorator_list}
    wraps = f"super().{function.name}(" in ast.unparse(function)
    return wraps or bool(marks & {"field_validator", "model_validator"}) or (len(function.body) == 1 and "property" in marks)


def _tables(raw: Any, key: tuple[str, ...] = ()) -> Iterator[tuple[str, dict[str, Any]]]:
    """Tables of a file that state a number: those with a ``value`` or a ``path``."""
    if isinstance(raw, dict):
        if "value" in raw or "path" in raw:
            yield ".".join(key), raw
        else:
            for name, inner in raw.items():
                yield from _tables(inner, (*key, name))


def _numbers(part: Any, key: str = "") -> Iterator[tuple[str, Number | DatedPath]]:
    """Every number and every stated path of validated data."""
    if isinstance(part, Number) or (isinstance(part, DatedPath) and part.path):
        yield key, part
    elif isinstance(part, Mapping):
        for name, inner in part.items():
            yield from _numbers(inner, f"{key}.{name}")
    elif isinstance(part, BaseModel):
        for name in type(part).model_fields:
            yield from _numbers(getattr(part, name), f"{key}.{name}")


class TestScenarioFiles:
    COUNTS = frozenset({"partnerships", "warm_up_months", "evidence_grade", "most_units", "season"})
    """Bare numbers: counts of things, grades, and a season with its own source."""

    @pytest.mark.parametrize("name", scenario_names())
    def test_has_title_question_and_a_sentence_of_context(self, name: str) -> None:
        said = scenario(name)
        assert said.title
        assert not said.title.endswith((".", "?"))
        assert "?" in said.question
        assert said.context.endswith(".")
        assert len(said.context.split()) >= 7

    def test_no_two_scenarios_have_the_same_title(self) -> None:
        titles = [scenario(name).title for name in scenario_names()]
        assert len(set(titles)) == len(titles)

    @pytest.mark.parametrize("path", SCENARIO_FILES, ids=lambda path: path.stem)
    def test_every_number_written_has_status_and_source(self, path: Path) -> None:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
        in_world = path.parent.name == "world"
        parts = ("unit", "status", "source") if in_world else ("status", "source")  # a child keeps its parent's unit
        lacking = [
            f"{key} lacks {part}"
            for key, table in _tables(raw)
            for part in parts
            if not table.get(part) and (part, key.split(".")[0]) != ("unit", "levers")  # the register has it
        ]
        assert not lacking, "\n".join(lacking)

    @pytest.mark.parametrize("name", scenario_names())
    def test_every_number_loaded_has_unit_and_source(self, name: str) -> None:
        lacking = []
        for key, number in _numbers(scenario(name).data):
            section = key.split(".")[1]  # the register tells a lever's unit, and all of an uncertainty
            if section != "uncertainties" and not ((number.unit or section == "levers") and number.source):
                lacking.append(key)
        assert not lacking, "\n".join(lacking)

    @pytest.mark.parametrize("path", SCENARIO_FILES, ids=lambda path: path.stem)
    def test_the_unit_of_a_lever_stands_in_the_register_alone(self, path: Path) -> None:
        levers = tomllib.loads(path.read_text(encoding="utf-8")).get("levers", {})
        assert [name for name, said in levers.items() if isinstance(said, dict) and "unit" in said] == []

    @pytest.mark.parametrize("path", SCENARIO_FILES, ids=lambda path: path.stem)
    def test_bare_numbers_are_counts(self, path: Path) -> None:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
        assert set(_bare(raw)) <= self.COUNTS


def _bare(raw: Any, name: str = "") -> Iterator[str]:
    if isinstance(raw, dict) and not ("value" in raw or "path" in raw):
        for key, inner in raw.items():
            yield from _bare(inner, key)
    elif any(isinstance(item, int | float) and not isinstance(item, bool) for item in (raw if isinstance(raw, list) else [raw])):
        yield name
