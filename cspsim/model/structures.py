"""World and state as compiled code sees them: one pointer each, with the fields of the named tuple.

Numba passes a named tuple of a hundred arrays as some seven hundred arguments to every function and counts references
on each of them: that compiled for minutes and ran ten times slower. ``packed`` lays the same fields behind one pointer
(a Numba structref), so that a rule may read ``world.levers.grant[month]`` at the price of a load. Arrays are shared,
not copied. With ``NUMBA_DISABLE_JIT=1`` rules read the named tuple itself.
"""

from typing import Any, TypeVar

import numpy as np
from numba.core import cgutils, types
from numba.experimental import structref
from numba.experimental.jitclass.base import imp_dtor
from numba.extending import intrinsic

from cspsim.model.compiled import INTERPRETED, compiled
from cspsim.model.parameters import Levers, Switches
from cspsim.model.state import State
from cspsim.model.uncertainties import Uncertainties
from cspsim.model.world import World

Fields = TypeVar("Fields", bound=tuple)


@structref.register
class LeversType(types.StructRef):
    """Compiled ``Levers``."""


@structref.register
class SwitchesType(types.StructRef):
    """Compiled ``Switches``."""


@structref.register
class UncertaintiesType(types.StructRef):
    """Compiled ``Uncertainties``."""


@structref.register
class WorldType(types.StructRef):
    """Compiled ``World``."""


@structref.register
class StateType(types.StructRef):
    """Compiled ``State``."""


class Pointer(structref.StructRefProxy):
    """What Python holds of a packed structure; only compiled code looks inside."""


_TYPES = {Levers: LeversType, Switches: SwitchesType, Uncertainties: UncertaintiesType, World: WorldType, State: StateType}
for _type in _TYPES.values():
    structref.define_boxing(_type, Pointer)


@intrinsic
def _behind_pointer(typing: Any, fields: Any) -> Any:
    """A structure with the fields of a named tuple, made in compiled code."""
    structure = _TYPES[fields.instance_class](tuple(zip(fields.fields, fields.types, strict=True)))

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        layout = context.data_model_manager[structure.get_data_type()].get_value_type()
        size = context.get_constant(types.uintp, context.get_abi_sizeof(layout))
        memory = context.nrt.meminfo_alloc_dtor(builder, size, imp_dtor(context, builder.module, structure))
        place = builder.bitcast(context.nrt.meminfo_data(builder, memory), layout.as_pointer())
        builder.store(cgutils.get_null_value(layout), place)
        inside = cgutils.create_struct_proxy(structure.get_data_type())(context, builder, ref=place)
        for k, (name, kind) in enumerate(zip(fields.fields, fields.types, strict=True)):
            value = builder.extract_value(arguments[0], k)
            context.nrt.incref(builder, kind, value)
            setattr(inside, name, value)
        pointer = context.make_helper(builder, structure)
        pointer.meminfo = memory
        return pointer._getvalue()

    return structure(fields), generate


@compiled
def _pack(fields: Any) -> Any:
    return _behind_pointer(fields)  # type: ignore[call-arg] # numba passes the typing context itself


def packed(fields: Fields) -> Fields:
    """The same fields behind one pointer, as compiled rules take them; the named tuple itself when interpreted.

    The type says what a rule may do with it, not what it is: outside compiled code keep the named tuple.
    """
    if INTERPRETED:
        return read_only(fields) if isinstance(fields, World) else fields
    if isinstance(fields, World):
        fields = fields._replace(levers=packed(fields.levers), switches=packed(fields.switches), uncertainties=packed(fields.uncertainties))
    pointer = _pack(fields)
    pointer.fields = fields
    return pointer


def fields_behind(structure: Fields) -> Fields:
    """The named tuple that was packed, with the very arrays that compiled rules read."""
    return getattr(structure, "fields", structure)


def read_only(fields: Fields) -> Fields:
    """The same arrays as views that cannot be written into: what a rule may have of the world."""
    return type(fields)(*(_view(value) for value in fields))


def _view(value: Any) -> Any:
    if isinstance(value, tuple):
        return read_only(value)
    if isinstance(value, np.ndarray):
        value = value.view()
        value.flags.writeable = False
    return value
