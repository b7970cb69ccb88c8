"""Whether what a rule of a user leaves behind keeps to the limits that ``state.py`` declares.

The package's own rules are tested to keep to them, so only a rulebook with rules of a user looks, right before and after
each of these (``rival_guards.py`` writes the calls).
"""

from typing import Any

from cspsim.model.compiled import compiled


class OutOfRange(Exception):
    """Raised by ``hold`` out of compiled code; ``rival_guards.out_of_range_in_words`` says it to people.

    Arguments: number of the slot, number of the array in ``axes_of_state``, whether the rule had not begun yet, month
    (-1 before the first), place counted through the array, value, shape of the array.
    """


@compiled
def first_outside(values: Any, low: float, high: float) -> int:
    """Place of the first value that is not within ``low`` to ``high``, counted through the array; -1 if all are. Not-a-number is not."""
    flat = values.ravel()
    inside = True
    for k in range(flat.shape[0]):  # without a way out in the middle, so that the processor compares several at a time
        inside &= (low <= flat[k]) & (flat[k] <= high)
    if not inside:
        for k in range(flat.shape[0]):
            if not (low <= flat[k] <= high):
                return k
    return -1


@compiled
def hold(values: Any, low: float, high: float, slot: int, array: int, before: bool, month: int) -> None:
    """Raises OutOfRange if one value is not within ``low`` to ``high``."""
    place = first_outside(values, low, high)
    if place >= 0:
        raise OutOfRange(slot, array, before, month, place, values.ravel()[place], values.shape)
