"""World and state as compiled code sees them: one block of 64-bit words, read through one pointer.

Numba passes a named tuple of a hundred arrays as some seven hundred arguments to every function and counts references
on each of them: that compiled for minutes and ran ten times slower. ``packed`` lays the fields out as words instead:
a number is a word, an array its address and its shape, a named tuple inside is laid out in its place. A rule then reads
``world.levers.grant[month]`` at the price of two loads. Arrays are shared, not copied, and the block keeps them alive.

What lies where follows from the kinds of the fields alone, and a field added at the end moves none of the others: a
longer named tuple may be handed to machine code made for the shorter. The world's arrays may not be written: a rule that
tries does not compile. With ``NUMBA_DISABLE_JIT=1`` rules read the named tuple itself.
"""

from typing import Any, TypeVar

import numpy as np

from cspsim.model.compiled import INTERPRETED
from cspsim.model.state import State
from cspsim.model.world import World

Fields = TypeVar("Fields", bound=tuple)

if not INTERPRETED:
    import hashlib
    import threading

    from llvmlite import ir  # type: ignore[import-untyped] # ships no type information
    from numba.core import types
    from numba.core.datamodel import models
    from numba.core.typing.templates import AttributeTemplate
    from numba.extending import NativeValue, infer_getattr, lower_getattr_generic, register_model, unbox

    from cspsim.model.borrowed import BorrowedArray, array_at, load_unchanging

    _KINDS = {"d": types.float64, "l": types.int64, "q": types.int64, "L": types.uint64, "Q": types.uint64}
    WORD = 8  # bytes

    class BlockType(types.Type):
        """The layout of a block: for each field its kind and the word at which it begins."""

        def __init__(self, title: str, fields: tuple[tuple[str, Any], ...]) -> None:
            said = "\x1f".join(f"{name} {kind}" for name, kind in fields)
            super().__init__(f"{title}_{hashlib.blake2b(said.encode(), digest_size=6).hexdigest()}")
            self.places: dict[str, tuple[Any, int]] = {}
            self.words = 0
            for name, kind in fields:
                self.places[name] = kind, self.words
                self.words += kind.words if isinstance(kind, BlockType) else 1 + getattr(kind, "ndim", 0)

    register_model(BlockType)(models.OpaqueModel)

    @infer_getattr
    class _BlockAttributes(AttributeTemplate):
        key = BlockType

        def generic_resolve(self, block: Any, name: str) -> Any:  # type: ignore[override] # numba's own says nothing of its type
            return block.places[name][0] if name in block.places else None

    @lower_getattr_generic(BlockType)
    def _field(context: Any, builder: Any, block: Any, pointer: Any, name: str) -> Any:
        """One field. Its words never change while compiled code runs, so they are loaded once (1.15 times as fast)."""
        kind, start = block.places[name]

        def word(number: int, as_type: Any) -> Any:
            place = builder.gep(pointer, [ir.Constant(ir.IntType(64), WORD * number)])
            return place if as_type is None else load_unchanging(builder, builder.bitcast(place, as_type.as_pointer()))

        if isinstance(kind, BlockType):
            return word(start, None)
        if isinstance(kind, BorrowedArray):
            shape = [word(start + 1 + axis, ir.IntType(64)) for axis in range(kind.ndim)]
            return array_at(context, builder, kind, word(start, context.get_data_type(types.CPointer(kind.dtype))), shape)
        return word(start, context.get_data_type(kind))

    @unbox(BlockType)
    def _from_python(kind: Any, found: Any, c: Any) -> Any:
        address = c.pyapi.object_getattr_string(found, "address")
        pointer = c.pyapi.long_as_voidptr(address)
        c.pyapi.decref(address)
        return NativeValue(pointer)

    _types: dict[Any, BlockType] = {}
    _making = threading.Lock()

    def _kinds_of(fields: Any) -> tuple[Any, ...]:
        """What the layout depends on: the class of the named tuple, and of each field the kind of number and the axes."""
        return (type(fields), *((_kinds_of(part) if isinstance(part, tuple) else _kind_of(part)) for part in fields))

    def _kind_of(part: Any) -> Any:
        if isinstance(part, np.ndarray):
            return part.dtype.char, part.ndim
        return float if isinstance(part, float) else int

    def _block_type(kinds: tuple[Any, ...]) -> BlockType:
        known = _types.get(kinds)
        if known is None:
            with _making:
                known = _types[kinds] = _numba_kind(kinds, not issubclass(kinds[0], State))
        return known

    def _numba_kind(kind: Any, readonly: bool) -> Any:
        if kind in (float, int):
            return types.float64 if kind is float else types.int64
        if isinstance(kind[0], type):
            inside = zip(kind[0]._fields, kind[1:], strict=True)  # type: ignore[attr-defined] # a named tuple
            return BlockType(kind[0].__name__, tuple((name, _numba_kind(part, readonly)) for name, part in inside))
        return BorrowedArray(_KINDS[kind[0]], kind[1], readonly)


class Block:
    """What Python holds of a packed structure: the words, and everything whose address stands among them.

    A copy, and a block that was pickled, is laid out anew over the arrays of the copy.
    """

    __slots__ = ("_numba_type_", "address", "fields", "words")

    def __init__(self, fields: Any) -> None:
        self.fields = fields
        self._numba_type_ = _block_type(_kinds_of(fields))
        found: list[int] = []
        numbers: list[tuple[int, float]] = []
        _lay_out(fields, found, numbers)
        self.words = np.array(found, dtype=np.int64)
        places, values = zip(*numbers, strict=True) if numbers else ((), ())
        self.words.view(np.float64)[list(places)] = values
        self.address = int(self.words.ctypes.data)

    def __reduce__(self) -> Any:
        return Block, (self.fields,)


def _lay_out(fields: Any, found: list[int], numbers: list[tuple[int, float]]) -> None:
    """Add the words of the fields to ``found``; ``numbers`` says which of them are floats, and gives them."""
    for name, part in zip(fields._fields, fields, strict=True):
        if isinstance(part, np.ndarray):
            if not part.flags.c_contiguous:
                raise ValueError(f"the array {name} does not lie in one piece, row by row: give a copy of it")
            found.append(part.ctypes.data)
            found.extend(part.shape)
        elif isinstance(part, tuple):
            _lay_out(part, found, numbers)
        elif isinstance(part, float):
            numbers.append((len(found), part))
            found.append(0)
        else:
            found.append(int(part))


def packed(fields: Fields) -> Fields:
    """The same fields behind one pointer, as compiled rules take them; the named tuple itself when interpreted.

    The type says what a rule may do with it, not what it is: outside compiled code keep the named tuple.
    Raises ValueError for an array that does not lie in one piece, row by row.
    """
    if INTERPRETED:
        return read_only(fields) if isinstance(fields, World) else fields
    block: Any = Block(fields)
    return block


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
