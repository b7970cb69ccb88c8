"""Luck: NumPy's own generator bit for bit, uniform, and a function of names and dates alone."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

import cspsim
from cspsim.model import luck as lucks
from cspsim.model.luck import (
    CRIME,
    SIGNALS,
    STREAMS,
    TURNOVER,
    name_key,
    new_luck,
    normal,
    normal_quantile,
    normals,
    philox,
    uniform,
    uniforms,
)

words = st.integers(0, 2**64 - 1) | st.sampled_from([0, 1, 2**63, 2**64 - 1])
ROBBERY, SUTTON = name_key("robbery"), name_key("Sutton")


def numpy_words(key: tuple[int, ...], counter: tuple[int, ...]) -> list[int]:
    """NumPy adds 1 to the 256-bit counter before it generates, so it is started one below."""
    number = (sum(word << (64 * place) for place, word in enumerate(counter)) - 1) % 2**256
    generator = np.random.Philox(key=key[0] | key[1] << 64, counter=number)
    return [int(word) for word in generator.random_raw(4)]


@settings(deadline=None)
@given(st.tuples(words, words), st.tuples(words, words, words, words))
def test_philox_is_numpys_bit_for_bit(key: tuple[int, ...], counter: tuple[int, ...]) -> None:
    ours = philox(*(lucks.word(number) for number in key + counter))
    assert [int(word) for word in ours] == numpy_words(key, counter)


@settings(deadline=None)
@given(words, words, st.integers(-5, 2000), st.sampled_from(range(len(STREAMS))), words, words)
def test_uniforms_are_numpys_words_at_the_documented_key_and_counter(seed, replicate, month, stream, key, other) -> None:
    drawn = uniforms(new_luck(seed, replicate), stream, month, np.uint64(key), np.uint64(other))
    raw = numpy_words((seed, replicate), (key, other, month % 2**64, stream))
    assert list(drawn) == [((word >> 12) + 0.5) * 2.0**-52 for word in raw]
    assert uniform(new_luck(seed, replicate), stream, month, np.uint64(key), np.uint64(other)) == drawn[0]


@pytest.mark.parametrize(("bits", "expected"), [(0, 2.0**-53), (2**64 - 1, 1 - 2.0**-53)])
def test_the_interval_is_open_at_the_extreme_words(bits: int, expected: float) -> None:
    extreme = (lucks.signed(lucks.word(bits) >> lucks.SPARE_BITS) + 0.5) * lucks.CELL
    assert 0 < extreme < 1
    assert extreme == expected
    assert np.isfinite(normal_quantile(float(extreme)))


def test_draws_are_uniform_and_neighbours_are_unrelated() -> None:
    luck = new_luck(2010, 0)
    by_month = np.array([uniforms(luck, CRIME, month, ROBBERY, SUTTON) for month in range(-1, 4000)])
    assert stats.kstest(by_month.ravel(), "uniform").pvalue > 0.001
    by_key = np.array([uniforms(luck, CRIME, 7, np.uint64(key), SUTTON)[0] for key in range(4001)])
    by_stream = np.array([uniforms(luck, TURNOVER, month, ROBBERY, SUTTON)[0] for month in range(-1, 4000)])
    by_replicate = np.array([uniforms(new_luck(2010, replicate), CRIME, 7, ROBBERY, SUTTON)[0] for replicate in range(4001)])
    first = by_month[:, 0]
    columns = [*by_month.T, np.roll(first, 1), by_key, np.roll(by_key, 1), by_stream, by_replicate, np.roll(by_replicate, 1)]
    correlations = np.corrcoef(columns)[np.triu_indices(len(columns), 1)]
    assert np.abs(correlations).max() < 4.5 / np.sqrt(len(first))


def test_order_of_calls_and_other_calls_do_not_matter() -> None:
    luck = new_luck(5, 3)
    forwards = [uniforms(luck, CRIME, month, ROBBERY, SUTTON) for month in range(50)]
    backwards = []
    for month in reversed(range(50)):
        normals(luck, SIGNALS, month, SUTTON, ROBBERY)
        backwards.append(uniforms(luck, CRIME, month, ROBBERY, SUTTON))
    assert forwards == backwards[::-1]


def test_every_part_of_the_name_of_a_draw_matters() -> None:
    luck = new_luck(5, 3)
    draws = [
        uniform(luck, CRIME, 1, ROBBERY, SUTTON),
        uniform(new_luck(6, 3), CRIME, 1, ROBBERY, SUTTON),
        uniform(new_luck(5, 4), CRIME, 1, ROBBERY, SUTTON),
        uniform(luck, TURNOVER, 1, ROBBERY, SUTTON),
        uniform(luck, CRIME, 2, ROBBERY, SUTTON),
        uniform(luck, CRIME, -1, ROBBERY, SUTTON),
        uniform(luck, CRIME, 1, SUTTON, ROBBERY),
        uniform(luck, CRIME, 1, ROBBERY, ROBBERY),
    ]
    assert len(set(draws)) == len(draws)


@pytest.mark.parametrize("held", STREAMS)
def test_one_streams_replicate_moves_that_stream_alone(held: str) -> None:
    before, after = new_luck(1, 0), new_luck(1, 0, {held: 9})
    for stream, name in enumerate(STREAMS):
        same = uniforms(before, stream, 4, ROBBERY, SUTTON) == uniforms(after, stream, 4, ROBBERY, SUTTON)
        assert same == (name != held)
    assert uniforms(after, STREAMS.index(held), 4, ROBBERY, SUTTON) == uniforms(new_luck(1, 9), STREAMS.index(held), 4, ROBBERY, SUTTON)


def test_stream_constants_stand_in_the_order_of_their_names() -> None:
    assert [getattr(lucks, name.upper()) for name in STREAMS] == list(range(len(STREAMS)))


def test_an_unknown_stream_names_the_nearest() -> None:
    with pytest.raises(ValueError, match=r"'crimes'.*did you mean 'crime'"):
        new_luck(1, 0, {"crimes": 2})


@pytest.mark.parametrize(("seed", "replicate"), [(-1, 0), (0, -1), (2**64, 0), (0, 2**64)])
def test_numbers_that_do_not_fit_a_word_are_refused(seed: int, replicate: int) -> None:
    with pytest.raises(ValueError, match="not between"):
        new_luck(seed, replicate)


def test_name_keys_are_pinned_and_keep_names_apart() -> None:
    assert int(name_key("Lambeth", "robbery")) == 9192654905200267673
    assert name_key("a", "bc") != name_key("ab", "c")
    assert name_key("Lambeth").dtype == np.uint64


@settings(deadline=None)
@given(st.floats(1e-300, 1 - 2.0**-53))
def test_normal_quantile_is_scipys(u: float) -> None:
    assert normal_quantile(u) == pytest.approx(special.ndtri(u), rel=1e-12, abs=1e-15)


def test_normal_quantile_by_hand_and_at_the_ends() -> None:
    assert normal_quantile(0.5) == 0
    assert normal_quantile(0.975) == pytest.approx(1.959963984540054, rel=1e-15)
    assert normal_quantile(0.0) == -np.inf
    assert normal_quantile(1.0) == np.inf
    grid = np.linspace(0.001, 0.999, 2001)
    ours = np.array([normal_quantile(u) for u in grid])
    assert np.all(np.diff(ours) > 0)
    np.testing.assert_allclose(ours, special.ndtri(grid), rtol=1e-12, atol=1e-15)


def test_normals_are_the_quantiles_of_the_uniforms() -> None:
    luck = new_luck(3, 1)
    drawn = normals(luck, SIGNALS, 2, ROBBERY, SUTTON)
    assert drawn == tuple(normal_quantile(u) for u in uniforms(luck, SIGNALS, 2, ROBBERY, SUTTON))
    assert normal(luck, SIGNALS, 2, ROBBERY, SUTTON) == drawn[0]


PRINT_DRAWS = """
import json
import numba
from cspsim.model.luck import name_key, new_luck, normals, uniforms
from cspsim.model.counts import binomial_quantile, negative_binomial_quantile
key = name_key("robbery")
exact, close = [], []
for case in range(150):
    luck = new_luck(case * 2**56, case, {"crime": 2**64 - 1 - case})
    drawn = uniforms(luck, case % 8, case - 3, key, key)
    exact += [u.hex() for u in drawn]
    exact += [negative_binomial_quantile(u, 0.4 * case, 0.002 * case) for u in drawn]
    exact += [binomial_quantile(u, float(case), 0.3 + case / 300) for u in drawn]
    close += normals(luck, case % 8, case - 3, key, key)
print(json.dumps([bool(numba.config.DISABLE_JIT), exact, close]))
"""


def draws_of_a_fresh_process(disable_jit: str) -> tuple[bool, list[object], list[float]]:
    environment = os.environ | {"NUMBA_DISABLE_JIT": disable_jit, "PYTHONPATH": str(Path(cspsim.__file__).parents[1])}
    command = [sys.executable, "-W", "error", "-c", PRINT_DRAWS]
    printed = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    interpreted, exact, close = json.loads(printed)
    return interpreted, exact, close


def test_compiled_and_interpreted_draws_are_equal() -> None:
    """Uniforms and counts bit for bit; normals up to the last digits of the machine's logarithm."""
    compiled, interpreted = draws_of_a_fresh_process("0"), draws_of_a_fresh_process("1")
    assert (compiled[0], interpreted[0]) == (False, True)
    assert compiled[1] == interpreted[1]
    np.testing.assert_allclose(compiled[2], interpreted[2], rtol=1e-14)
