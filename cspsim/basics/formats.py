"""Numbers as people read them: rounded to what their noise supports, with unit, scale and sign."""

from math import floor, isfinite, log10
from typing import Any, NamedTuple

MINUS, MISSING = "\N{MINUS SIGN}", "\N{EN DASH}"


class Scale(NamedTuple):
    """How a unit is written: what is written before and after the number, and what the number is divided by."""

    before: str
    divisor: float
    after: str


def scale_of(unit: str, size: float) -> Scale:
    """The scale that suits a value of this size: £ in thousands, millions or billions, shares in per cent."""
    if unit == "share":
        return Scale("", 0.01, "%")
    if unit.startswith("£ per £"):
        return Scale("£", 1, "")
    if unit.startswith("£"):
        for divisor, letter in ((1e9, "bn"), (1e6, "m"), (1e3, "k")):
            if size >= 0.9995 * divisor:
                return Scale("£", divisor, letter)
        return Scale("£", 1, "")
    return Scale("", 1, "")


def decimals_for(noise: float, largest: int = 6) -> int:
    """Decimals that the noise supports: its leading digit, and the next one if that is a 1, since 24 +- 12 is not 20 +- 10."""
    if not isfinite(noise) or noise <= 0:
        return largest
    place = floor(log10(noise))
    return min(largest, -place + (noise < 2 * 10.0**place))


def digits(value: float, decimals: int) -> str:
    """A number with thousands separators and this many decimals (negative: rounded to tens, hundreds, ...)."""
    rounded = round(value, decimals)
    text = f"{rounded + 0.0:,.{max(0, decimals)}f}"
    return text.removeprefix("-") if not any(mark in text for mark in "123456789") else text.replace("-", MINUS)


def _significant(value: float, figures: int) -> int:
    return 0 if value == 0 else figures - 1 - floor(log10(abs(value)))


def amount(value: Any, unit: str, noise: float | None = None, signed: bool = False, points: bool = False, like: float | None = None) -> str:
    """A value in words: ``£86.4m``, ``2.6%``, ``1,328,000``; ``points``: a difference of shares in percentage points.

    ``noise`` is the half-width of the value's interval; without it three significant figures are shown. ``like`` is the
    amount that chooses between pounds, thousands, millions and billions, so that both ends of a range look alike.
    """
    if value is None or not isfinite(value):
        return MISSING
    scale = scale_of(unit, max(abs(value), noise if noise and isfinite(noise) else 0.0) if like is None else like)
    scaled = value / scale.divisor
    if noise is not None and isfinite(noise) and noise > 0:
        decimals = decimals_for(noise / scale.divisor)
    else:
        decimals = max(_significant(scaled, 3), 0 if abs(scaled) < 1e4 else -9)
    decimals = min(decimals, 4)
    text = digits(abs(scaled), decimals)
    nothing = not any(mark in text for mark in "123456789")
    sign = "" if nothing else MINUS if value < 0 else "+" if signed else ""
    after = " points" if points and unit == "share" else "" if nothing and unit.startswith("£") else scale.after
    return f"{sign}{scale.before}{text}{after}"


def roughly(value: Any, unit: str) -> str:
    """A value with two significant figures, for prose."""
    if value is None or not isfinite(value) or value == 0:
        return amount(value, unit)
    return amount(value, unit, noise=2.01 * 10 ** (floor(log10(abs(value))) - 1))


def interval(low: Any, high: Any, unit: str, noise: float | None = None, points: bool = False) -> str:
    """Both ends of an interval in one scale: ``£8m to £14m``."""
    if low is None or high is None or not (isfinite(low) and isfinite(high)):
        return MISSING
    width = noise if noise is not None else (high - low) / 2
    ends = (amount(low, unit, width, points=points), amount(high, unit, width, points=points))
    return f"{ends[0].removesuffix(' points')} to {ends[1]}" if points else f"{ends[0]} to {ends[1]}"


def unit_in_words(unit: str) -> str:
    """The unit as an axis names it."""
    return "per cent" if unit == "share" else unit


def name_in_words(name: str) -> str:
    """A name of a file or table as prose: ``local_authority`` as ``local authority``."""
    return name.replace("_", " ").replace("-", " ")


def listed(words: list[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
