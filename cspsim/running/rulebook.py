"""A named set of rules: the package's own, or the same month with rules of a user in the place of some.

``month.py`` stays the one place that says in which order rules run: a rulebook with rivals is that file with other imports.
Rules of a user run only where the user said so (``--allow-rules``, ``load_scenario(..., allow_rules=True)``).
"""

import ast
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, NamedTuple

import numpy as np

import cspsim.model.month as standard_month
from cspsim.basics.errors import CspsimError, did_you_mean
from cspsim.model.compiled import INTERPRETED, compiled, first_compilation, keep_source
from cspsim.model.luck import Luck, new_luck
from cspsim.model.parameters import Floats, Levers, Switches, Words
from cspsim.model.ranges import OutOfRange
from cspsim.model.state import State, new_state
from cspsim.model.stepping import Step, run_steps, steps_of
from cspsim.model.structures import packed, read_only
from cspsim.model.uncertainties import Uncertainties
from cspsim.model.world import World, sizes
from cspsim.running.compiling import compile_rules
from cspsim.running.rival_guards import guard_source, out_of_range_in_words, unchanged
from cspsim.scenario.rival_rules import READ_ONLY, SLOTS, Rival
from cspsim.scenario.scenario import Scenario
from cspsim.scenario.world_building import build_world


class Rulebook(NamedTuple):
    """Everything that steps a run. ``rivals``: the rules that are not the package's own."""

    begin_run: Step
    stages: tuple[Step, ...]
    rivals: tuple[Rival, ...] = ()

    @property
    def names(self) -> dict[str, str]:
        """Slot -> the user's function in it and its file; empty for the package's own rules."""
        return {rival.slot: f"{rival.function} of {rival.path.name}" for rival in self.rivals}

    def run_month(self, world: World, state: State, luck: Luck, month: int) -> None:
        """The whole month straight through."""
        for stage in self.stages:
            stage(world, state, luck, month)

    def run_replicates(
        self, world: World, state: State, seed: np.uint64, streams: Words, tallies: Floats, authorities: Floats, months: Floats
    ) -> None:
        """Run one replicate after the other on the same (packed) world and state; see ``stepping.run_steps`` for the axes."""
        steps = steps_of(self.begin_run, self.stages, world, state, Luck(np.uint64(seed), streams[0]))
        with self.watched(world, streams):
            run_steps(steps, world, state, np.uint64(seed), streams, tallies, authorities, months)
            if self.rivals and not np.isfinite(tallies).all():
                raise ValueError("it made numbers that are not finite")

    @contextmanager
    def watched(self, world: World, luck: Words) -> Iterator[None]:
        """Around whatever runs rules: what goes wrong in here is put down to the rules that are not the package's.

        ``luck``: the replicate numbers it is read from. Raises CspsimError that says who did what, and where if that is known.
        """
        if not self.rivals:
            yield
            return
        try:
            with unchanged(self.rivals, world, luck):
                yield
        except CspsimError:
            raise
        except OutOfRange as error:
            raise CspsimError(out_of_range_in_words(error, self.rivals)) from None
        except Exception as error:
            raise CspsimError(_blame(error, self.rivals)) from error


STANDARD = Rulebook(standard_month.begin_run, standard_month.STAGES)
_one_at_a_time = threading.RLock()


def rulebook_of(scenario: Scenario) -> Rulebook:
    """The rules that a scenario runs under, compiled when they are first asked for in a process.

    Raises CspsimError if the scenario brings rules that nobody has allowed, or that cannot be compiled.
    """
    if not scenario.rivals:
        if first_compilation("month"):
            compile_rules(build_world(scenario.data))
        return STANDARD
    require_permission(scenario)
    with _one_at_a_time:
        rivals = tuple(rival._replace(place="") for rival in scenario.rivals)
        book = _built(rivals)
        _compile_rivals(rivals, scenario)
        return book


def require_permission(scenario: Scenario) -> None:
    """Raises CspsimError, saying what would be run and how to allow it, unless every rule of a user may be run."""
    waiting = [rival for rival in scenario.rivals if not rival.allowed]
    if not waiting:
        return
    lines = [f"{scenario.name!r} brings rules of its own, which are Python code. None of it was run:"]
    lines += [f"  {rival.place}: {rival.slot} = {rival.function} in {rival.path}" for rival in waiting]
    lines.append("Read these files. To run them add --allow-rules; in Python, load_scenario(..., allow_rules=True)")
    raise CspsimError("\n".join(lines))


@lru_cache(maxsize=64)
def _built(rivals: tuple[Rival, ...]) -> Rulebook:
    replaced = {rival.slot for rival in rivals}
    month = _module(month_source(rivals), "month", Path(standard_month.__file__))

    def fitting(usual: Step, own: Step) -> Step:
        """The package's own step as long as it calls nothing that is replaced: it is compiled already."""
        plain: Any = getattr(usual, "py_func", usual)
        return own if replaced & set(plain.__code__.co_names) else usual

    stages = tuple(fitting(usual, own) for usual, own in zip(standard_month.STAGES, month.STAGES, strict=True))
    return Rulebook(fitting(standard_month.begin_run, month.begin_run), stages, rivals)


def month_source(rivals: tuple[Rival, ...]) -> str:
    """The source of ``month.py`` with each rival, guarded, under the name of the rule it replaces. Lines stay where they are."""
    source = Path(standard_month.__file__).read_text(encoding="utf-8")
    replaced = {rival.slot: rival for rival in rivals}
    lines = source.splitlines()
    for node in ast.parse(source).body:
        if not isinstance(node, ast.ImportFrom):
            continue
        kept = [alias.name for alias in node.names if alias.name not in replaced]
        new = [replaced[alias.name] for alias in node.names if alias.name in replaced]
        if new:
            parts = [f"from {node.module} import {', '.join(kept)}"] if kept else []
            parts += [f"from {module_of(rival).__name__} import {rival.function} as {_name_of(rival)}" for rival in new]
            end = node.end_lineno or node.lineno
            lines[node.lineno - 1 : end] = ["; ".join(parts), *[""] * (end - node.lineno)]
    guards = [guard_source(rival, _name_of(rival), len(rivals) == 1) for rival in rivals]
    return "\n".join([*lines, "from cspsim.model.ranges import hold", *guards])


def _name_of(rival: Rival) -> str:
    """What the month calls the function of a user; the rule's own name is that of the guarded one."""
    return f"_{rival.slot}_of_a_user"


def module_of(rival: Rival) -> ModuleType:
    """The module of a rule file, run and compiled as it stands in the scenario. Whether it may be run is asked before."""
    return _module(rival.text, re.sub(r"\W", "_", rival.path.stem)[:40], rival.path)


def _module(text: str, stem: str, path: Path) -> ModuleType:
    """A module from a text; what it compiles is kept under a hash of the text. ``path``: where people find the text.

    Its name holds the hash too: the month that imports it is another text as soon as it changes, and Numba looks the
    module of kept machine code up by name.
    """
    name = f"cspsim_rival_{stem}_{Rival('', path, '', text).key}"
    if name in sys.modules:
        return sys.modules[name]
    file = None if INTERPRETED else keep_source(text, stem)
    module = ModuleType(name)
    module.__file__ = str(file or path)
    exec(compile(text, module.__file__, "exec", dont_inherit=True), module.__dict__)
    for inner, function in list(vars(module).items()):
        if isinstance(function, FunctionType) and function.__module__ == name:
            setattr(module, inner, compiled(function))
    sys.modules[name] = module
    return module


CLOSED = "Cannot modify readonly array"
"""What Numba says of a rule that writes into what it may only read."""


def _compile_rivals(rivals: tuple[Rival, ...], scenario: Scenario) -> None:
    """Compile the rivals by themselves, so that what is wrong with one is said of it and not of the month around it."""
    if INTERPRETED:
        return
    import numba

    world = build_world(scenario.data)
    state = new_state(*sizes(world))
    given = {"world": packed(world), "state": packed(state), "luck": new_luck(0, 0), "month": 0}
    shut = given | {"world": packed(read_only(world)), "luck": read_only(new_luck(0, 0))}
    for rival in rivals:
        rule = getattr(module_of(rival), rival.function)
        usual, closed = (tuple(numba.typeof(kinds[name]) for name in SLOTS[rival.slot]) for kinds in (given, shut))
        try:
            rule.compile(usual)
            rule.compile(closed)
        except numba.core.errors.NumbaError as error:
            said = _writes_in_plain_words if CLOSED in str(error) else _in_plain_words
            raise CspsimError(said(rival, str(error))) from None
        except AttributeError as error:  # how Numba stumbles over ``+=`` on an array that may not be written
            raise CspsimError(_writes_in_plain_words(rival, str(error))) from None


def _line_in(rival: Rival, message: str) -> int:
    """The line of the rule file at which Numba stopped; 0 if it does not say."""
    module = Path(str(module_of(rival).__file__))
    places = re.findall(r'File "(.*?)", line (\d+)', message)
    return next((int(line) for file, line in reversed(places) if Path(file).name == module.name), 0)


def _writes_in_plain_words(rival: Rival, message: str) -> str:
    """What is said of a rule that compiles as long as the world may be written into, and not otherwise."""
    line = _line_in(rival, message)
    where = f"{rival.path}:{line}" if line else str(rival.path)
    text = f' ("{rival.text.splitlines()[line - 1].strip()[:80]}")' if line else ""
    return f"{where}: {rival.function} writes into the world or into luck{text}: {READ_ONLY}"


def _in_plain_words(rival: Rival, message: str) -> str:
    """What Numba says of a rule, without its stack: the line it stopped at and the sentence about it."""
    line = _line_in(rival, message)
    said = _sentence(message)
    unknown = re.search(r"name '(\w+)' is not defined", message)
    if unknown:
        names = (node for node in ast.walk(ast.parse(rival.text)) if isinstance(node, ast.Name) and node.id == unknown[1])
        line = line or next((node.lineno for node in names), 0)
    where = f"{rival.path}:{line}" if line else str(rival.path)
    return f"{where}: {rival.function} cannot be compiled: {said}; NUMBA_DISABLE_JIT=1 runs it uncompiled"


def _sentence(message: str) -> str:
    missing = re.search(r"Unknown attribute '(\w+)' of type (\w+)_[0-9a-f]{12}", message)
    fields = {"World": World._fields, "State": State._fields, "Uncertainties": Uncertainties._fields}
    fields |= {"Levers": Levers._fields, "Switches": Switches._fields}
    if missing and missing[2] in fields:
        return f"{missing[2]} has no {missing[1]}; {did_you_mean(missing[1], fields[missing[2]])}"
    noise = ("Failed in", "During:", "File ", "def ", "<source", "^", "[", "There are", "- Of which", "Overload", "This error")
    said = [part.strip() for part in message.splitlines() if part.strip() and not part.strip().startswith(noise)]
    return " ".join(said[:3])[:400]


def _blame(error: Exception, rivals: tuple[Rival, ...]) -> str:
    files = {str(module_of(rival).__file__): rival for rival in rivals}
    trace, place = error.__traceback__, ""
    while trace is not None:
        rival = files.get(trace.tb_frame.f_code.co_filename)
        place = f"{rival.path}:{trace.tb_lineno}" if rival else place
        trace = trace.tb_next
    suspects = ", ".join(f"{rival.function} of {rival.path}" for rival in rivals)
    return f"{place or suspects}: {type(error).__name__}: {error}" + ("" if place else "; NUMBA_DISABLE_JIT=1 says in which line")
