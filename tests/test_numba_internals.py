"""A canary: what cspsim leans on inside Numba is where it was. A new Numba that moves it fails here first, and says what moved.

pyproject.toml lets in no Numba newer than the one this was tried with (constraints.txt). To let a newer one in: raise both, run
this, then the rest.
"""

import ast
import re
import tomllib
from importlib import import_module
from pathlib import Path

import numba
import numpy as np
import pytest

from cspsim.model.compiled import INTERPRETED, PACKAGE, compiled
from cspsim.model.parameters import Switches
from cspsim.model.ranges import OutOfRange, hold
from cspsim.model.structures import packed

ROOT = PACKAGE.parents[1]
USED = {
    "numba.typeof": "the kinds of arguments that rules are compiled for",
    "numba.njit": "the decorator of every rule (compiled.py)",
    "numba.config.CACHE_DIR": "where machine code is kept, read while a function is decorated (compiled.py)",
    "numba.config.DISABLE_JIT": "NUMBA_DISABLE_JIT=1 (compiled.py)",
    "numba.core.errors.NumbaError": "what a user's rule that cannot be compiled ends in (rulebook.py)",
    "numba.core.datamodel.models.OpaqueModel": "a pointer to a block of words (structures.py)",
    "numba.core.datamodel.models.StructModel": "an array without an owner, and luck (borrowed.py, luck.py)",
    "numba.core.typing.templates.AttributeTemplate": "the fields of a block (structures.py)",
    "numba.core.imputils.impl_ret_borrowed": "a number out of an array without an owner (borrowed.py)",
    "numba.np.arrayobj": "elements and rows of an array without an owner (borrowed.py)",
    "numba.extending.NativeValue": "what Python hands to compiled code (structures.py, borrowed.py)",
    "numba.extending.infer_getattr": "the fields of a block (structures.py)",
    "numba.extending.lower_getattr_generic": "the fields of a block (structures.py)",
    "numba.extending.lower_builtin": "elements and rows of an array without an owner (borrowed.py)",
    "numba.extending.register_model": "a block, an array without an owner (structures.py, borrowed.py)",
    "numba.extending.unbox": "what Python hands to compiled code (structures.py, borrowed.py)",
    "numba.extending.typeof_impl": "what luck is for compiled code (luck.py)",
    "numba.core.types.Type": "the kinds of blocks (structures.py)",
    "numba.extending.intrinsic": "code written by hand (structures.py, stepping.py, luck.py)",
    "numba.core.cgutils.unpack_tuple": "the arguments of a step (stepping.py)",
    "numba.core.cgutils.if_unlikely": "an error in a step (stepping.py)",
    "numba.core.base.BaseContext.get_dummy_value": "a step gives nothing back (stepping.py)",
    "numba.core.callconv.CPUCallConv.get_function_type": "calling a step by its address (stepping.py)",
    "numba.core.callconv.CPUCallConv.call_function": "calling a step by its address (stepping.py)",
    "numba.core.callconv.CPUCallConv.return_status_propagate": "an error in a step ends the loop (stepping.py)",
    "numba.core.dispatcher.Dispatcher.compile": "compiling a step before it is called (stepping.py, rulebook.py)",
    "numba.core.compiler.CompileResult.library": "the address of a step (stepping.py)",
    "numba.core.compiler.CompileResult.fndesc": "the address of a step (stepping.py)",
    "numba.core.funcdesc.FunctionDescriptor.llvm_func_name": "the address of a step (stepping.py)",
    "numba.core.codegen.JITCodeLibrary.get_pointer_to_function": "the address of a step (stepping.py)",
}
"""Where it is in Numba -> what it is used for."""


def there(place: str) -> bool:
    """Whether Numba has something at this place: the longest part that is a module is imported, the rest are attributes."""
    names = place.split(".")
    for k in range(len(names), 0, -1):
        try:
            found = import_module(".".join(names[:k]))
        except ImportError:
            continue
        for name in names[k:]:
            if not hasattr(found, name):
                return False
            found = getattr(found, name)
        return True
    return False


@pytest.mark.parametrize("place", USED)
def test_it_is_where_it_was(place: str) -> None:
    assert there(place), f"Numba {numba.__version__} has no {place}, needed for {USED[place]}"


def test_a_name_that_does_not_exist_is_noticed() -> None:
    assert not there("numba.core.cgutils.no_such_name")
    assert not there("numba.no_such_module.name")


def test_everything_imported_from_numba_is_watched() -> None:
    """So that a new use of an internal gets its line above."""
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "numba":
                for name in node.names:
                    place = f"{node.module}.{name.name}"
                    assert any(known == place or known.startswith(f"{place}.") for known in USED), f"{path.name} uses {place}"


def test_no_numba_is_let_in_that_was_not_tried() -> None:
    needs = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    (below,) = (re.search(r"<(\d+)\.(\d+)$", need) for need in needs if need.startswith("numba"))
    pinned = re.search(r"^numba==(\d+)\.(\d+)", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.M)
    assert below, "numba has no upper bound in pyproject.toml"
    assert pinned, "numba is not pinned in constraints.txt"
    assert (int(below[1]), int(below[2])) == (int(pinned[1]), int(pinned[2]) + 1), "the bound and the pin are raised together"


@compiled
def _trust_moves(switches: Switches) -> bool:
    return switches.trust_dynamics


def test_fields_are_read_through_the_pointer() -> None:
    for value in (True, False):
        switches = Switches(**dict.fromkeys(Switches._fields, not value) | {"trust_dynamics": value})
        assert _trust_moves(packed(switches)) == value, "Numba's structref gives another field than was packed (structures.py)"


def test_an_error_out_of_compiled_code_brings_its_numbers() -> None:
    with pytest.raises(OutOfRange) as raised:
        hold(np.array([[0.0, 1.0], [2.0, 0.0]]), 0.0, 1.0, 3, 4, False, 5)
    assert raised.value.args == (3, 4, False, 5, 2, 2.0, (2, 2)), "Numba raises errors without what was raised with them (ranges.py)"


def test_an_array_that_cannot_be_written_into_is_refused() -> None:
    """While it is compiled; interpreted, NumPy refuses."""
    array = np.zeros(2)
    array.flags.writeable = False
    with pytest.raises(ValueError if INTERPRETED else numba.core.errors.TypingError):
        _write(array)
    assert array[0] == 0


def _write_plainly(array: np.ndarray) -> None:
    array[0] = 1.0


_write = _write_plainly if INTERPRETED else numba.njit(_write_plainly)


def test_it_names_the_file_and_line_at_which_it_stopped() -> None:
    """Sentences about rules of users are made from it (rulebook.py)."""
    if INTERPRETED:
        assert isinstance(_write, type(_write_plainly))
        return
    array = np.zeros(2)
    array.flags.writeable = False
    with pytest.raises(numba.core.errors.TypingError) as raised:
        _write(array)
    assert re.search(rf'File "(.*?){re.escape(Path(__file__).name)}", line \d+', str(raised.value)), "Numba says otherwise where it stopped"
