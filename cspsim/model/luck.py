"""Luck: every draw is a function of names and dates, never of the order in which draws are made.

One generator, Philox4x64-10 (Salmon, Moraes, Dror and Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3",
SC11), bit for bit NumPy's: its key is (seed, replicate number of the stream), its counter (name, other name, month, stream).
So scenarios share luck, and adding an authority or a decision moves nobody else's.
"""

import difflib
import hashlib
import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from cspsim.model.borrowed import borrowed
from cspsim.model.compiled import INTERPRETED, compiled
from cspsim.model.parameters import Floats, Words

PERSONALITIES, TURNOVER, CRIME, RECORDING, SIGNALS, MEETINGS, EVALUATION, PARAMETERS = range(8)
STREAMS = ("personalities", "turnover", "crime", "recording", "signals", "meetings", "evaluation", "parameters")

Word = np.uint64
FourFloats = tuple[float, float, float, float]


class Luck(NamedTuple):
    """The luck of one run: a seed, and for each stream ``[stream]`` the replicate number it uses."""

    seed: np.uint64
    replicates: Words


if not INTERPRETED:
    from numba.core import types
    from numba.extending import typeof_impl

    from cspsim.model.borrowed import BorrowedArray

    @typeof_impl.register(Luck)
    def _kind_of_luck(luck: Luck, context: Any) -> Any:
        """Luck as rules take it: its replicate numbers are borrowed, whether Python hands it over or a loop over runs."""
        return types.NamedTuple((types.uint64, BorrowedArray(types.uint64, 1, readonly=True)), Luck)


@compiled
def luck_of_run(seed: Word, replicates: Words) -> Luck:
    """The luck of one run inside compiled code, where ``new_luck`` cannot be called (1.05 times as fast as counting references)."""
    return Luck(seed, borrowed(replicates))


def new_luck(seed: int, replicate: int, streams: Mapping[str, int] | None = None) -> Luck:
    """The luck of run ``replicate`` under ``seed``; ``streams`` gives named streams a replicate number of their own.

    Raises ValueError for an unknown stream, and for a number outside 0 to 2**64 - 1.
    """
    numbers = dict.fromkeys(STREAMS, replicate) | dict(streams or {})
    for name in numbers:
        if name not in STREAMS:
            near = difflib.get_close_matches(name, STREAMS, n=1, cutoff=0)
            raise ValueError(f"unknown stream of luck {name!r}: did you mean {near[0]!r}? (streams: {', '.join(STREAMS)})")
    for name, number in {"seed": seed, **numbers}.items():
        if not 0 <= number < 2**64:
            raise ValueError(f"{name}: {number} is not between 0 and 2**64 - 1")
    return Luck(np.uint64(seed), np.array([numbers[name] for name in STREAMS], dtype=np.uint64))


def name_key(*names: str) -> np.uint64:
    """The stable 64-bit key of an entity's name (or of several together): the same on every machine and in every run."""
    return np.uint64(int.from_bytes(hashlib.blake2b("\x1f".join(names).encode(), digest_size=8).digest(), "little"))


# 64-bit arithmetic. Compiled, words are unsigned 64-bit; interpreted, they are Python's whole numbers, cut to 64 bits
# by hand, because NumPy's scalars warn when they overflow. Everything below this block is the same source for both.
ALL_BITS = 2**64 - 1
word: Any  # a number as a 64-bit word, a negative one as its two's complement
signed: Any  # a word of at most 63 bits as a whole number that turns into a float in one instruction
if INTERPRETED:

    def _cut(number: Any) -> int:
        return int(number) & ALL_BITS

    def high_word(first: Any, second: Any) -> Any:
        """The upper 64 bits of the 128-bit product."""
        return (first * second) >> 64

    word, signed = _cut, int
else:
    from llvmlite import ir  # type: ignore[import-untyped] # ships no type information
    from numba.extending import intrinsic

    word, signed = np.uint64, np.int64

    @intrinsic
    def high_word(typing_context: Any, first: Any, second: Any) -> Any:
        """The upper 64 bits of the 128-bit product: one instruction of the processor."""

        def write_code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            wide = ir.IntType(128)
            one, other = (builder.zext(argument, wide) for argument in arguments)
            upper = builder.lshr(builder.mul(one, other), ir.Constant(wide, 64))
            return builder.trunc(upper, ir.IntType(64))

        return types.uint64(types.uint64, types.uint64), write_code


# Constants of Philox4x64-10 as published; they must be words, since Numba turns word-with-integer sums into floats.
ROUNDS = 10
MULTIPLIER_0, MULTIPLIER_1 = word(0xD2E7470EE14C6C93), word(0xCA5A826395121157)
STEP_0, STEP_1 = word(0x9E3779B97F4A7C15), word(0xBB67AE8584CAA73B)
MASK = word(ALL_BITS)
# A word's upper 52 bits plus one half: with 53 bits the largest would round to exactly 1.
SPARE_BITS = word(12)
CELL = 2.0**-52

MIDDLE = 0.425  # up to this far from one half a normal quantile is one ratio of polynomials


@compiled
def philox(key_0: Any, key_1: Any, counter_0: Any, counter_1: Any, counter_2: Any, counter_3: Any) -> tuple[Any, Any, Any, Any]:
    """Four 64-bit words from a key of two words and a counter of four (Philox4x64-10; NumPy adds 1 to the counter first)."""
    for _ in range(ROUNDS):
        high_0, low_0 = high_word(MULTIPLIER_0, counter_0), (MULTIPLIER_0 * counter_0) & MASK
        high_1, low_1 = high_word(MULTIPLIER_1, counter_2), (MULTIPLIER_1 * counter_2) & MASK
        counter_0, counter_1 = high_1 ^ counter_1 ^ key_0, low_1
        counter_2, counter_3 = high_0 ^ counter_3 ^ key_1, low_0
        key_0, key_1 = (key_0 + STEP_0) & MASK, (key_1 + STEP_1) & MASK
    return counter_0, counter_1, counter_2, counter_3


@compiled
def uniforms(luck: Luck, stream: int, month: int, key: Word, other_key: Word) -> FourFloats:
    """Four independent draws from the open interval (0, 1), each a multiple of 2**-53.

    ``stream`` is one of this module's constants, ``month`` may be negative (-1: drawn once), keys come from ``name_key``.
    """
    first, second, third, fourth = philox(
        word(luck.seed), word(luck.replicates[stream]), word(key), word(other_key), word(month), word(stream)
    )
    return (
        (signed(first >> SPARE_BITS) + 0.5) * CELL,
        (signed(second >> SPARE_BITS) + 0.5) * CELL,
        (signed(third >> SPARE_BITS) + 0.5) * CELL,
        (signed(fourth >> SPARE_BITS) + 0.5) * CELL,
    )


@compiled
def uniform(luck: Luck, stream: int, month: int, key: Word, other_key: Word) -> float:
    """One draw from the open interval (0, 1): the first of ``uniforms``."""
    return uniforms(luck, stream, month, key, other_key)[0]


@compiled
def normals(luck: Luck, stream: int, month: int, key: Word, other_key: Word) -> FourFloats:
    """Four independent standard normal draws, each increasing in the matching draw of ``uniforms``."""
    first, second, third, fourth = uniforms(luck, stream, month, key, other_key)
    return normal_quantile(first), normal_quantile(second), normal_quantile(third), normal_quantile(fourth)


@compiled
def normal(luck: Luck, stream: int, month: int, key: Word, other_key: Word) -> float:
    """One standard normal draw: the first of ``normals``."""
    return normal_quantile(uniforms(luck, stream, month, key, other_key)[0])


@compiled
def normal_quantiles(draws: Floats, normals: Floats) -> None:
    """``normal_quantile`` of every draw of a row: the six sevenths that lie near the middle side by side, then the others.

    The same numbers bit for bit; several at a time, three times as fast.
    """
    for k in range(draws.shape[0]):
        normals[k] = _middle_quantile(draws[k] - 0.5)
    for k in range(draws.shape[0]):
        if abs(draws[k] - 0.5) > MIDDLE:
            normals[k] = _outer_quantile(draws[k])


# fmt: off
@compiled
def normal_quantile(u: float) -> float:
    """The value below which a standard normal falls with probability ``u``; infinite at 0 and 1.

    Source: Wichura 1988, "Algorithm AS 241: the percentage points of the normal distribution", Applied Statistics 37(3),
    477-484, routine PPND16 (relative error about 1e-16). The numbers are its published coefficients.
    """
    if abs(u - 0.5) <= MIDDLE:
        return _middle_quantile(u - 0.5)
    return _outer_quantile(u)


@compiled
def _middle_quantile(centred: float) -> float:
    r = 0.180625 - centred * centred
    return centred * (((((((2.5090809287301226727e3 * r + 3.3430575583588128105e4) * r + 6.7265770927008700853e4) * r
        + 4.5921953931549871457e4) * r + 1.3731693765509461125e4) * r + 1.9715909503065514427e3) * r
        + 1.3314166789178437745e2) * r + 3.3871328727963666080e0) / (((((((5.2264952788528545610e3 * r
        + 2.8729085735721942674e4) * r + 3.9307895800092710610e4) * r + 2.1213794301586595867e4) * r
        + 5.3941960214247511077e3) * r + 6.8718700749205790830e2) * r + 4.2313330701600911252e1) * r + 1.0)


@compiled
def _outer_quantile(u: float) -> float:
    centred = u - 0.5
    tail = u if centred < 0 else 1.0 - u
    if tail <= 0:
        return math.copysign(math.inf, centred)
    r = math.sqrt(-math.log(tail))
    if r <= 5:
        r -= 1.6
        size = (((((((7.74545014278341407640e-4 * r + 2.27238449892691845833e-2) * r + 2.41780725177450611770e-1) * r
            + 1.27045825245236838258e0) * r + 3.64784832476320460504e0) * r + 5.76949722146069140550e0) * r
            + 4.63033784615654529590e0) * r + 1.42343711074968357734e0) / (((((((1.05075007164441684324e-9 * r
            + 5.47593808499534494600e-4) * r + 1.51986665636164571966e-2) * r + 1.48103976427480074590e-1) * r
            + 6.89767334985100004550e-1) * r + 1.67638483018380384940e0) * r + 2.05319162663775882187e0) * r + 1.0)
    else:
        r -= 5
        size = (((((((2.01033439929228813265e-7 * r + 2.71155556874348757815e-5) * r + 1.24266094738807843860e-3) * r
            + 2.65321895265761230930e-2) * r + 2.96560571828504891230e-1) * r + 1.78482653991729133580e0) * r
            + 5.46378491116411436990e0) * r + 6.65790464350110377720e0) / (((((((2.04426310338993978564e-15 * r
            + 1.42151175831644588870e-7) * r + 1.84631831751005468180e-5) * r + 7.86869131145613259100e-4) * r
            + 1.48753612908506148525e-2) * r + 1.36929880922735805310e-1) * r + 5.99832206555887937690e-1) * r + 1.0)
    return math.copysign(size, centred)
# fmt: on
