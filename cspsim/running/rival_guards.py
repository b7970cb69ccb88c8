"""What is watched while rules of users run: that they write into nothing but the state, and leave it within its limits.

A rule is compiled once against a world that cannot be written into, so that the compiler refuses it with a line. Numba
knows a few ways around that (``np.fill_diagonal``), so what a rule can reach of the world and of luck is
compared before and after, too: a result never depends on which run came first.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from cspsim.basics.errors import CspsimError
from cspsim.model.parameters import Levers, Words
from cspsim.model.ranges import OutOfRange
from cspsim.model.state import axes_of_state, whole_numbers
from cspsim.model.structures import fields_behind
from cspsim.model.world import World
from cspsim.running.rival_reach import names_changed, names_reached
from cspsim.scenario.rival_rules import READ_ONLY, SLOTS, Rival

_BEFORE_THE_FIRST_MONTH = -1
_FIRST = "first_impressions"  # what lies in the state before it nobody has put there yet


# -------------------------------------------------------------------------------------------------- limits of the state


def arrays_to_hold(rival: Rival) -> list[str]:
    """The arrays of the state that a rule can have written into, in their order."""
    names, whole = names_changed(rival), whole_numbers()
    buffers = {"numbers": False, "counters": True}  # all arrays are views of these two
    reached = {whole_kind for buffer, whole_kind in buffers.items() if buffer in names}
    return [name for name in axes_of_state() if name in names or (name in whole) in reached]


def guard_source(rival: Rival, function: str, alone: bool) -> str:
    """The source of the rule of this slot as the month calls it: the rival's ``function``, and then a look at the state.

    Unless it is ``alone`` there is one before it, too, so that no rule answers for what another one has led to.
    """
    rule, arguments = rival.slot, ", ".join(SLOTS[rival.slot])
    month = "month" if "month" in SLOTS[rule] else str(_BEFORE_THE_FIRST_MONTH)
    number, arrays = list(SLOTS).index(rule), list(axes_of_state())
    lines = [f"def _hold_{rule}(state, before, month):"]
    for name in arrays_to_hold(rival):
        low, high = (f'float("{limit}")' for limit in axes_of_state()[name][2:])
        lines.append(f"    hold(state.{name}, {low}, {high}, {number}, {arrays.index(name)}, before, month)")
    lines += ["    return", f"def {rule}({arguments}):"]
    if not alone and rule != _FIRST:
        lines.append(f"    _hold_{rule}(state, True, {month})")
    lines += [f"    {function}({arguments})", f"    _hold_{rule}(state, False, {month})"]
    return "\n".join(lines) + "\n"


def out_of_range_in_words(error: OutOfRange, rivals: Sequence[Rival]) -> str:
    """Who left what out of its limits, where and when."""
    place_of_rule, array, before, month, place, value, shape = error.args
    name, axes = list(axes_of_state().items())[array]
    rival = next(rival for rival in rivals if rival.slot == list(SLOTS)[place_of_rule])
    index = ", ".join(str(k) for k in np.unravel_index(place, shape))
    where = f"state.{name}[{index}]"
    when = "before the first month" if month < 0 else f"in month {month + 1} of the run, warm-up included"
    limits = f"from {axes.low:g} to {axes.high:g}" if axes.high < np.inf else f"of at least {axes.low:g}" if axes.low > -np.inf else ""
    wanted = f"expected a number {limits} ({axes.unit})".replace("  ", " ")
    if not before:
        return f"{guard_sentence([rival])}: left {where} at {value:g} {when}: {wanted}"
    return f"{guard_sentence(rivals)}: {where} was {value:g} {when}, before {rival.function} began: {wanted}"


# ---------------------------------------------------------------------------------------------- what may only be read


@contextmanager
def unchanged(rivals: Sequence[Rival], world: World, luck: Words) -> Iterator[None]:
    """Raises CspsimError if what the rules reach of the world or of the table of luck is another one afterwards."""
    arrays = {f"world.{name}": array for name, array in _reached(rivals, world)}
    if any("replicates" in names_reached(rival) for rival in rivals):
        arrays["luck.replicates"] = luck
    before = [array.tobytes() for array in arrays.values()]
    yield
    changed = [name for (name, array), old in zip(arrays.items(), before, strict=True) if array.tobytes() != old]
    if changed:
        suspects = [rival for rival in rivals if any(name.rpartition(".")[2] in names_reached(rival) for name in changed)]
        raise CspsimError(f"{guard_sentence(suspects)}: wrote into {', '.join(changed)}: {READ_ONLY}")


def _reached(rivals: Sequence[Rival], world: World) -> Iterator[tuple[str, Any]]:
    names = frozenset[str]().union(*(names_reached(rival) for rival in rivals))
    fields = fields_behind(world)
    yield from ((name, getattr(fields, name)) for name in World._fields if name in names and isinstance(getattr(fields, name), np.ndarray))
    levers = fields_behind(fields.levers)
    yield from ((f"levers.{name}", getattr(levers, name)) for name in Levers._fields if name in names)


def guard_sentence(rivals: Sequence[Rival]) -> str:
    """The rule a message is about, by its file and name; all that may be meant where it cannot be told."""
    return " or ".join(f"{rival.path}: {rival.function}" for rival in rivals)
