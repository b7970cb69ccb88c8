"""Arrays as compiled rules see them: an address and a shape, borrowed from whoever owns the numbers.

Numba counts references on every array it touches, reloads what another array might have overwritten, and lets an index
count from the end: that was 40 % of a run. A ``BorrowedArray`` does without. It has no owner inside compiled code, so
whoever hands one over keeps the numpy array alive (``structures.Block`` and the caller of a rule do). One that may not
be written is loaded once and not again. An index is 0 or more, except in rules of a user: they are compiled with checked
bounds, and there every index means what it means in Python.
With ``NUMBA_DISABLE_JIT=1`` rules read the numpy arrays themselves.
"""

import operator
from typing import Any

from cspsim.model.compiled import INTERPRETED

borrowed: Any  # borrowed(array): the same numbers as a BorrowedArray that is only read, inside compiled code

if INTERPRETED:

    def _itself(array: Any) -> Any:
        return array

    borrowed = _itself
else:
    from numba.core import cgutils, types
    from numba.core.datamodel import models
    from numba.core.imputils import impl_ret_borrowed
    from numba.extending import NativeValue, intrinsic, lower_builtin, register_model, unbox
    from numba.np import arrayobj

    class BorrowedArray(types.Array):
        """A contiguous array without an owner. Views of it are Numba's ordinary arrays, with nobody to count."""

        def __init__(self, dtype: Any, ndim: int, readonly: bool) -> None:
            said = f"borrowed{'_readonly' if readonly else ''}_{dtype}_{ndim}d"
            super().__init__(dtype, ndim, "C", readonly=readonly, name=said)

    @register_model(BorrowedArray)
    class _BorrowedModel(models.StructModel):
        """Numba's model of an array with a plain address in the place of the counter of references."""

        def __init__(self, manager: Any, kind: Any) -> None:
            several = types.UniTuple(types.intp, kind.ndim)
            members = [("meminfo", types.voidptr), ("parent", types.voidptr), ("nitems", types.intp), ("itemsize", types.intp)]
            super().__init__(manager, kind, [*members, ("data", types.CPointer(kind.dtype)), ("shape", several), ("strides", several)])

    def array_at(context: Any, builder: Any, kind: Any, address: Any, shape: list[Any]) -> Any:
        """The value of a borrowed array from its address and shape."""
        array = arrayobj.make_array(kind)(context, builder)
        item = context.get_constant(types.intp, context.get_abi_sizeof(context.get_data_type(kind.dtype)))
        strides, count = [item], context.get_constant(types.intp, 1)
        for length in reversed(shape):
            count = builder.mul(count, length)
            strides.insert(0, builder.mul(strides[0], length))
        array.data = builder.bitcast(address, array.data.type)
        array.shape, array.strides = cgutils.pack_array(builder, shape), cgutils.pack_array(builder, strides[1:])
        array.itemsize, array.nitems = item, count
        array.meminfo = cgutils.get_null_value(array.meminfo.type)
        array.parent = cgutils.get_null_value(array.parent.type)
        return array._getvalue()

    def load_unchanging(builder: Any, place: Any) -> Any:
        """Load something that no compiled code ever changes, so that once is enough."""
        loaded = builder.load(place)
        loaded.set_metadata("invariant.load", builder.module.add_metadata([]))
        return loaded

    def _place(context: Any, builder: Any, kind: Any, array: Any, index_kind: Any, index: Any) -> Any:
        """Address of one element, None if the index says anything but one element or bounds are to be checked."""
        several = isinstance(index_kind, types.BaseTuple)
        kinds = tuple(index_kind) if several else (index_kind,)
        whole = len(kinds) == kind.ndim and all(isinstance(one, types.Integer) for one in kinds)
        if context.enable_boundscheck or not whole:
            return None
        found = cgutils.unpack_tuple(builder, index, len(kinds)) if several else [index]
        indices = [context.cast(builder, one, its, types.intp) for one, its in zip(found, kinds, strict=True)]
        shape = cgutils.unpack_tuple(builder, array.shape, kind.ndim)
        return cgutils.get_item_pointer2(context, builder, array.data, shape, None, "C", indices)

    @lower_builtin(operator.getitem, BorrowedArray, types.Integer)
    @lower_builtin(operator.getitem, BorrowedArray, types.BaseTuple)
    def _read(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind, index_kind = signature.args
        array = arrayobj.make_array(kind)(context, builder, arguments[0])
        place = _place(context, builder, kind, array, index_kind, arguments[1])
        if place is None:
            usual = arrayobj.getitem_array_tuple if isinstance(index_kind, types.BaseTuple) else arrayobj.getitem_arraynd_intp
            return usual(context, builder, signature, arguments)
        return builder.load(place) if kind.mutable else load_unchanging(builder, place)

    @lower_builtin(operator.setitem, BorrowedArray, types.Any, types.Any)
    def _write(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind, index_kind, value_kind = signature.args
        array = arrayobj.make_array(kind)(context, builder, arguments[0])
        place = _place(context, builder, kind, array, index_kind, arguments[1])
        if place is None:
            return arrayobj.setitem_array(context, builder, signature, arguments)
        builder.store(context.cast(builder, arguments[2], value_kind, kind.dtype), place)
        return None

    @unbox(BorrowedArray)
    def _from_python(kind: Any, found: Any, c: Any) -> Any:
        """An argument of a compiled function: its caller holds the numpy array as long as the call lasts."""
        owned = types.Array(kind.dtype, kind.ndim, "C", readonly=not kind.mutable)
        native = c.unbox(owned, found)
        array = arrayobj.make_array(owned)(c.context, c.builder, native.value)
        shape = cgutils.unpack_tuple(c.builder, array.shape, kind.ndim)
        value = array_at(c.context, c.builder, kind, array.data, shape)
        c.context.nrt.decref(c.builder, owned, native.value)
        return NativeValue(value, is_error=native.is_error)

    @intrinsic
    def _borrowed(typing_context: Any, array: Any) -> Any:
        def write_code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            owned = arrayobj.make_array(array)(context, builder, arguments[0])
            shape = cgutils.unpack_tuple(builder, owned.shape, array.ndim)
            return impl_ret_borrowed(context, builder, signature.return_type, array_at(context, builder, kind, owned.data, shape))

        kind = BorrowedArray(array.dtype, array.ndim, readonly=True)
        return kind(array), write_code

    borrowed = _borrowed
