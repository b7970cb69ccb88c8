"""Whole runs at full speed, whatever the rules: the loop over replicates and months is compiled once for all rulebooks.

A rulebook hands over where the machine code of its steps lies. So the loop need not be compiled anew, and holds no copy
of the rules, when one of them is another: a rulebook with one rule of a user compiles in seconds instead of half a minute.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from cspsim.model.compiled import INTERPRETED, compiled
from cspsim.model.luck import Luck, luck_of_run
from cspsim.model.parameters import Floats, Words
from cspsim.model.state import State
from cspsim.model.world import World

Step = Callable[..., None]
"""``begin_run(world, state, luck)``, or a stage of the month, ``stage(world, state, luck, month)``."""

Steps = Any
"""What ``run_steps`` takes: where the machine code of each step lies, or the steps themselves when interpreted."""

take_step: Any  # take_step(step, arguments): do a step that is known only when the loop runs
if INTERPRETED:

    def _take_step(step: Step, arguments: tuple[Any, ...]) -> None:
        step(*arguments)

    take_step = _take_step
else:
    from numba import typeof
    from numba.core import cgutils, types
    from numba.extending import intrinsic

    @intrinsic
    def take_step(typing_context: Any, address: Any, arguments: Any) -> Any:
        """Jump to the machine code at an address; an error in it ends the loop as it would end a call."""

        def write_code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            kind = context.call_conv.get_function_type(types.none, arguments.types)
            step = builder.inttoptr(values[0], kind.as_pointer())
            unpacked = cgutils.unpack_tuple(builder, values[1])
            status, _ = context.call_conv.call_function(builder, step, types.none, arguments.types, unpacked)
            with cgutils.if_unlikely(builder, status.is_error):
                context.call_conv.return_status_propagate(builder, status)
            return context.get_dummy_value()

        return types.void(address, arguments), write_code


@compiled
def run_steps(
    steps: Steps, world: World, state: State, seed: np.uint64, streams: Words, tallies: Floats, authorities: Floats, months: Floats
) -> None:
    """Run one replicate after the other on the same state; add up what lies in the window.

    ``steps``: how a run begins, then the stages of its month. streams ``[run, stream]``, tallies ``[run, partnership, tally]``,
    authorities ``[run, partnership, authority, authority tally]``, months ``[run or 0, month, partnership, tally]`` (first
    axis empty if months are not wanted).
    """
    for run in range(streams.shape[0]):
        luck = luck_of_run(seed, streams[run])
        take_step(steps[0], (world, state, luck))
        for month in range(world.counted.shape[0]):
            for k in range(1, len(steps)):
                take_step(steps[k], (world, state, luck, month))
            if world.counted[month]:
                _add_up(state, tallies, authorities, run)
            if months.shape[0] > 0:
                _keep_month(state, months, run, month)


@compiled
def _add_up(state: State, tallies: Floats, authorities: Floats, run: int) -> None:
    """In plain loops, since sums of whole arrays compile for seconds."""
    for p in range(state.tallies.shape[0]):
        for k in range(state.tallies.shape[1]):
            tallies[run, p, k] += state.tallies[p, k]
        for a in range(state.authority_tallies.shape[1]):
            for k in range(state.authority_tallies.shape[2]):
                authorities[run, p, a, k] += state.authority_tallies[p, a, k]


@compiled
def _keep_month(state: State, months: Floats, run: int, month: int) -> None:
    for p in range(state.tallies.shape[0]):
        for k in range(state.tallies.shape[1]):
            months[run, month, p, k] = state.tallies[p, k]


def steps_of(begin_run: Step, stages: Sequence[Step], world: World, state: State, luck: Luck) -> Steps:
    """``begin_run`` and ``stages`` as ``run_steps`` takes them, compiled for just this kind of world, state and luck."""
    if INTERPRETED:
        return (begin_run, *stages)
    return _addresses((begin_run, *stages), (typeof(world), typeof(state), typeof(luck)))


@lru_cache(maxsize=256)
def _addresses(steps: tuple[Any, ...], kinds: tuple[Any, ...]) -> Any:
    begin_run, *stages = steps
    return np.array([_address(begin_run, kinds), *(_address(stage, (*kinds, types.int64)) for stage in stages)], dtype=np.int64)


def _address(step: Any, kinds: tuple[Any, ...]) -> int:
    step.compile(kinds)
    code = step.overloads[kinds]
    return int(code.library.get_pointer_to_function(code.fndesc.llvm_func_name))
