"""Rule 3: crime follows season, place, police and slow shocks; what is delivered takes a part of it off; the twin shares its luck."""

from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from rules_support import (
    APRIL,
    BURGLARY,
    CCTV,
    HOT_SPOTS,
    INNER,
    JUNE,
    MAY,
    OUTER,
    VIOLENCE,
    Bench,
    arrays_of,
    few,
    out_of_range,
    shares,
)

from cspsim.model.luck import new_luck
from cspsim.model.rules.crime import _drift, _stationary_over_annual, commit_crimes

MANY = 1e9  # so many crimes a month that a count without extra noise shows its mean to about one part in 10,000


def calm(switches: dict[str, int] | None = None, **changes: object) -> Bench:
    """A bench without slow shocks, season, trend and month noise, and so many crimes that counts show means."""
    plain: dict[str, object] = {"season": 1, "exogenous": 1, "dispersion": 0, "base": MANY}
    return Bench(switches={"slow_shocks": 0} | (switches or {}), **(plain | changes))


# ------------------------------------------------------------------------------------------------------------ by hand


def test_the_mean_by_hand() -> None:
    bench = calm(
        uncertainties={"elasticity_scale": 2, "effect_scale": 1, "reach_scale": 1, "diminishing": 0.5, "spill_shift": 0.05},
        season=1.1,
        exogenous=0.5,
        strength=0.25,
        elasticity=-0.25,
        effect=0.5,
        reach=0.1,
        spill=0.2,
    )
    bench.world.profile[HOT_SPOTS] = [0.8, 0]
    bench.world.neighbours[:] = [[0, 0.4], [0, 0]]
    bench.state.effective_dose[INNER, HOT_SPOTS] = 2
    state = bench.run(commit_crimes, MAY)
    # Twin: 1.1 x 0.5 x 0.25^(-0.25 x 2) = 1.1 times the base.
    assert state.expected_twin == pytest.approx(np.full((2, 2), 1.1 * MANY))
    # Two units reach 0.1 x (1 + 0.5) = 0.15; a fall of 0.5 x 0.15 x 0.8 = 6 % of burglary in inner. A quarter of its logarithm
    # (0.2 catalogue, 0.05 shift) spills over, and 0.4 of that reaches outer.
    assert state.true_crimes[INNER, BURGLARY] / state.twin_crimes[INNER, BURGLARY] == pytest.approx(0.94, abs=1e-4)
    assert state.true_crimes[OUTER, BURGLARY] / state.twin_crimes[OUTER, BURGLARY] == pytest.approx(0.94**0.1, abs=1e-4)
    assert state.true_crimes[:, VIOLENCE].tolist() == state.twin_crimes[:, VIOLENCE].tolist()


def test_effects_of_different_interventions_multiply() -> None:
    bench = calm(switches={"spill_over": 0}, effect=0.5, reach=0.2, profile=1)
    for dose, falls in [([1, 0, 0], 1), ([1, 1, 0], 2), ([1, 1, 1], 3)]:
        bench.state.effective_dose[INNER] = dose
        first = 1 - 0.5 * 0.2 * bench.world.uncertainties.effect_scale * bench.world.uncertainties.reach_scale
        assert bench.run(commit_crimes, MAY).log_effect[INNER, BURGLARY] == pytest.approx(falls * log(first))


def test_the_commissioners_own_work_falls_on_the_whole_area() -> None:
    bench = calm(own_effect=0.5, own_reach=0.2, own_unit_cost=40_000, own_priorities=[1, 0.5], n_area_partnerships=5)
    bench.set(own_priorities=200_000)  # £40,000 and so one unit for each of five partnerships
    state = bench.run(commit_crimes, MAY)
    reached = 0.2 * bench.world.uncertainties.reach_scale
    assert state.log_effect == pytest.approx(np.tile([log(1 - 0.5 * reached), log(1 - 0.25 * reached)], (2, 1)))


# ----------------------------------------------------------------------------------------------------------- the twin


def test_without_doses_the_twin_is_the_run_exactly() -> None:
    bench = Bench()
    for month in range(24):
        state = bench.run(commit_crimes, month)
        assert state.true_crimes.tolist() == state.twin_crimes.tolist()
    assert np.ptp(state.true_history[INNER, BURGLARY, :24]) > 0


@pytest.mark.parametrize(
    "off", [{"switches": {"effects": 0}}, {"effect": 0, "own_effect": 0}, {"uncertainties": {"effect_scale": 0}, "own_effect": 0}]
)
def test_without_effects_the_twin_is_the_run_exactly(off: dict) -> None:
    bench = Bench(**off).set(effective_dose=2, own_priorities=1e6)
    for month in range(24):
        state = bench.run(commit_crimes, month)
        assert state.true_crimes.tolist() == state.twin_crimes.tolist()
    assert bench.run(commit_crimes, 24).twin_crimes.sum() > 0


def test_the_twin_does_not_know_what_is_delivered() -> None:
    with_doses, without = Bench().set(effective_dose=3, own_priorities=1e6), Bench()
    for month in range(12):
        assert with_doses.run(commit_crimes, month).twin_crimes.tolist() == without.run(commit_crimes, month).twin_crimes.tolist()
    assert with_doses.state.true_year.sum() < without.state.true_year.sum()


def test_only_effective_doses_count() -> None:
    """What runs below its threshold has a dose but no effective dose, and then nothing happens."""
    bench = calm(own_effect=0).set(units=3, dose=0.19, effective_dose=0)
    assert bench.run(commit_crimes, MAY).log_effect.tolist() == [[0, 0], [0, 0]]


def test_doses_move_no_crime_where_they_do_not_reach() -> None:
    bench, plain = Bench(switches={"spill_over": 0}), Bench(switches={"spill_over": 0})
    bench.state.effective_dose[INNER, CCTV] = 3
    for month in range(6):
        treated, untreated = bench.run(commit_crimes, month).true_crimes, plain.run(commit_crimes, month).true_crimes
        assert treated[OUTER].tolist() == untreated[OUTER].tolist()
        assert treated[INNER, VIOLENCE] == untreated[INNER, VIOLENCE]  # CCTV's profile is burglary alone


# ---------------------------------------------------------------------------------------------------------- directions


@few
@given(
    doses=some.tuples(arrays_of(some.floats(0, 4), 2, 3), arrays_of(some.floats(0, 4), 2, 3)),
    reach_scale=some.floats(0.5, 1.5),
    diminishing=some.floats(0.5, 0.95),
    month=some.integers(0, 59),
)
def test_more_dose_never_raises_crime_nor_makes_it_negative(doses, reach_scale, diminishing, month) -> None:  # type: ignore[no-untyped-def]
    less, more = doses[0], doses[0] + doses[1]
    found = []
    for dose in (less, more):
        bench = Bench(uncertainties={"reach_scale": reach_scale, "diminishing": diminishing}).set(effective_dose=dose)
        state = bench.run(commit_crimes, month)
        assert out_of_range(state) == []
        assert np.all(state.true_crimes <= state.twin_crimes)
        found.append((state.log_effect.copy(), state.true_crimes.copy()))
    assert np.all(found[1][0] <= found[0][0] + 1e-12)
    assert np.all(found[1][1] <= found[0][1])


@few
@given(strengths=some.tuples(some.floats(0.05, 2), some.floats(0.05, 2)), elasticity=some.floats(-1, 0))
def test_more_police_never_raises_expected_crime(strengths: tuple[float, float], elasticity: float) -> None:
    weak, strong = (calm(strength=strength, elasticity=elasticity).run(commit_crimes, MAY).expected_twin for strength in sorted(strengths))
    assert np.all(strong <= weak * (1 + 1e-12))


def test_no_police_at_all_is_not_better_than_some() -> None:
    levels = [
        calm(strength=strength, elasticity=-0.3).run(commit_crimes, MAY).expected_twin[INNER, BURGLARY] for strength in (0, 0.1, 0.5, 1)
    ]
    assert np.isfinite(levels[0])
    assert levels == sorted(levels, reverse=True)


def test_police_strength_can_be_switched_off() -> None:
    state = calm(switches={"police_strength": 0}, strength=0.5, elasticity=-0.3).run(commit_crimes, MAY)
    assert state.expected_twin == pytest.approx(np.full((2, 2), MANY))


def test_each_further_unit_reaches_less() -> None:
    bench = calm(
        switches={"spill_over": 0}, effect=1, reach=0.1, profile=1, uncertainties={"diminishing": 0.6, "reach_scale": 1, "effect_scale": 1}
    )
    falls = []
    for units in range(5):
        bench.state.effective_dose[INNER, CCTV] = units
        falls.append(1 - np.exp(bench.run(commit_crimes, MAY).log_effect[INNER, BURGLARY]))
    assert np.diff(falls) == pytest.approx([0.1, 0.06, 0.036, 0.0216])


def test_no_intervention_takes_away_more_than_the_largest_fall() -> None:
    bench = calm(switches={"spill_over": 0}, effect=1, reach=1, profile=1, uncertainties={"largest_fall": 0.8})
    bench.state.effective_dose[INNER, CCTV] = 3
    assert bench.run(commit_crimes, MAY).log_effect[INNER] == pytest.approx([log(0.2)] * 2)


@pytest.mark.parametrize(("shift", "direction"), [(-0.25, 1), (0.25, -1)])
def test_displacement_raises_and_diffusion_lowers_a_neighbours_crime(shift: float, direction: int) -> None:
    bench = calm(spill=0, uncertainties={"spill_shift": shift}, own_effect=0)
    bench.state.effective_dose[INNER] = 2
    state = bench.run(commit_crimes, MAY)
    assert np.all(np.sign(state.true_crimes[OUTER] - state.twin_crimes[OUTER]) == direction)
    bench = calm(spill=0, uncertainties={"spill_shift": shift}, own_effect=0, switches={"spill_over": 0})
    bench.state.effective_dose[INNER] = 2
    state = bench.run(commit_crimes, MAY)
    assert state.true_crimes[OUTER].tolist() == state.twin_crimes[OUTER].tolist()


# --------------------------------------------------------------------------------------------------- shocks and noise


def annual_changes(shocks: np.ndarray) -> np.ndarray:
    """Changes between annual means ``[year, series]`` of monthly series ``[month, series]``."""
    years = shocks[: len(shocks) // 12 * 12].reshape(-1, 12, shocks.shape[1]).mean(axis=1)
    return np.diff(years, axis=0)


@pytest.mark.parametrize("r", [0, 0.5, 0.9, 0.95, 0.98])
def test_stationary_spread_gives_annual_changes_of_one(r: float) -> None:
    random = np.random.default_rng(1)
    monthly = random.normal(size=(1200, 400)) * _stationary_over_annual(r)
    for month in range(1, len(monthly)):
        monthly[month] = r * monthly[month - 1] + np.sqrt(1 - r * r) * monthly[month]
    assert annual_changes(monthly).std() == pytest.approx(1, rel=0.02)


@pytest.mark.parametrize("r", [0, 0.5, 0.98])
def test_stationary_spread_is_that_of_all_pairs_of_months(r: float) -> None:
    months = np.arange(24)
    covariance = r ** np.abs(months[:, None] - months)
    change = np.repeat([-1 / 12, 1 / 12], 12)
    assert _stationary_over_annual(r) == pytest.approx(1 / np.sqrt(change @ covariance @ change), rel=1e-12)


def test_slow_shocks_have_the_annual_spread_that_was_asked_for() -> None:
    bench = Bench(common_sd=0.03, local_sd=[0.05, 0.1], uncertainties={"shock_scale": 1})
    shocks = []
    for month in range(4800):
        bench.call(_drift, bench.luck, month)
        shocks.append([*bench.state.common_shock, *bench.state.local_shock.ravel()])
    common, burglary, violence = (annual_changes(np.array(shocks)[:, columns]).std() for columns in ([0, 1], [2, 4], [3, 5]))
    assert [common, burglary, violence] == pytest.approx([0.03, 0.05, 0.1], rel=0.08)
    apart = np.corrcoef(annual_changes(np.array(shocks)).T) - np.eye(6)
    assert np.abs(apart).max() < 0.2  # 400 years: four standard errors


def test_shocks_are_shared_by_the_area_or_a_partnerships_own_and_can_be_switched_off() -> None:
    state = Bench(local_sd=0).run(commit_crimes, APRIL, MAY)
    assert np.all(state.common_shock != 0)
    assert np.all(state.local_shock == 0)
    state = Bench(switches={"slow_shocks": 0}).run(commit_crimes, APRIL, MAY)
    assert np.all(state.common_shock == 0)
    assert np.all(state.local_shock == 0)
    state = calm(switches={"slow_shocks": 1}, local_sd=0).run(commit_crimes, APRIL, MAY)
    assert state.expected_twin == pytest.approx(MANY * np.exp(np.tile(state.common_shock, (2, 1))))


@pytest.mark.parametrize("dispersion", [0.0, 0.02])
def test_month_noise_has_the_dispersion_that_was_asked_for(dispersion: float) -> None:
    bench = calm(base=400, dispersion=dispersion)
    drawn = []
    for replicate in range(500):
        bench.luck.replicates[:] = replicate
        drawn.append(bench.run(commit_crimes, MAY).true_crimes.ravel().copy())
    counts = np.array(drawn)
    assert counts.mean() == pytest.approx(400, rel=0.01)
    assert counts.var() == pytest.approx(400 + dispersion * 400**2, rel=0.15)  # 2,000 draws: standard error 3 %
    assert np.abs(np.corrcoef(counts.T) - np.eye(4)).max() < 0.2


# ------------------------------------------------------------------------------------------------------------ accounts


def test_a_years_crimes_are_those_of_the_latest_twelve_months() -> None:
    bench, drawn = Bench(), []
    for month in range(30):
        state = bench.run(commit_crimes, month)
        drawn.append(state.true_crimes.copy())
        assert state.true_year.tolist() == np.sum(drawn[-12:], axis=0).tolist()
        assert state.true_history[:, :, bench.world.month_of_year[month]].tolist() == state.true_crimes.tolist()


@few
@given(
    month=some.integers(0, 59),
    dose=arrays_of(some.floats(0, 20), 2, 3),
    effect=arrays_of(some.floats(-0.5, 1), 3),
    reach=shares,
    base=arrays_of(some.floats(0, 3000), 2, 2),
    strength=some.floats(0, 2),
    replicate=some.integers(0, 2**64 - 1),
)
def test_ranges(month, dose, effect, reach, base, strength, replicate) -> None:  # type: ignore[no-untyped-def]
    bench = Bench(effect=effect, reach=reach, base=base, strength=strength).set(effective_dose=dose, own_priorities=1e6)
    bench.luck = new_luck(1, replicate)
    state = bench.run(commit_crimes, APRIL, month)  # slow shocks begin in the first month
    assert out_of_range(state) == []
    for counts in (state.true_crimes, state.twin_crimes):
        assert np.all(np.isfinite(counts))
        assert np.all(counts == np.round(counts))
        assert np.all(counts[base == 0] == 0)
    assert np.all(np.isfinite(bench.run(commit_crimes, JUNE).log_effect))
