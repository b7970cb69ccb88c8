"""3 Crime: what happens, with interventions and, beside it, in the do-nothing twin. One of three places that read true effects."""

from math import exp, log, log1p, sqrt

from cspsim.model.arithmetic import reach_of_dose, reached_share
from cspsim.model.compiled import compiled
from cspsim.model.counts import negative_binomial_counts
from cspsim.model.luck import CRIME, Luck, normal_quantiles, uniform
from cspsim.model.state import State
from cspsim.model.world import World


@compiled
def commit_crimes(world: World, state: State, luck: Luck, month: int) -> None:
    """Crime follows season, place, slow shocks and police strength; interventions take a proportional part off.

    mean[p, c] = base x season x exogenous path x exp(common + local shock) x police strength ^ elasticity
                 x exp(log effect of own units + what spills over from neighbours)
    and a count is drawn from it with the month noise of the borough (negative binomial, one uniform). The twin is the
    same without the last factor and with the same luck. Source: shapes computed from 32 London boroughs 2010-2020.
    """
    _drift(world, state, luck, month)
    _sum_effects(world, state, month)
    partnerships, crime_types = state.true_crimes.shape
    season = world.month_of_year[month]
    for p in range(partnerships):
        draws, normals = state.scratch.draws[p], state.scratch.normals[p]
        for c in range(crime_types):
            draws[c] = uniform(luck, CRIME, month, world.cell_key[p, c], world.cell_key[p, c])
        normal_quantiles(draws, normals)
        log_strength = 0.0
        if world.switches.police_strength:
            log_strength = log(max(world.uncertainties.least_strength, world.strength[p, month])) * world.uncertainties.elasticity_scale
        for c in range(crime_types):
            level = world.base[p, c] * world.season[c, season] * world.exogenous[c, month]
            level *= exp(state.common_shock[c] + state.local_shock[p, c] + world.elasticity[c] * log_strength)
            change = state.log_effect[p, c]
            for q in range(partnerships):
                change += world.neighbours[q, p] * state.spill_over[q, c]
            state.expected_twin[p, c] = level
            state.scratch.means[c] = level * exp(change) if change != 0 else level
        negative_binomial_counts(draws, normals, state.expected_twin[p], world.dispersion, state.twin_crimes[p])
        negative_binomial_counts(draws, normals, state.scratch.means, world.dispersion, state.true_crimes[p])
        for c in range(crime_types):
            _remember_year(state, p, c, season)


@compiled
def _remember_year(state: State, p: int, c: int, season: int) -> None:
    """The latest 12 months: the same month of the year before gives way."""
    state.true_year[p, c] += state.true_crimes[p, c] - state.true_history[p, c, season]
    state.true_history[p, c, season] = state.true_crimes[p, c]


@compiled
def _drift(world: World, state: State, luck: Luck, month: int) -> None:
    """Mean-reverting slow shocks: x' = r x + s sqrt(1 - r^2) z, with s such that annual means differ by the observed spread."""
    if not world.switches.slow_shocks:
        return
    r = world.uncertainties.shock_persistence
    if month == 0:
        state.shock_size[0] = _stationary_over_annual(r)
    fresh = sqrt(1 - r * r) * world.uncertainties.shock_scale * state.shock_size[0]
    crime_types = world.crime_key.shape[0]
    draws, normals = state.scratch.draws, state.scratch.normals
    for c in range(crime_types):
        draws[0, c] = uniform(luck, CRIME, month, world.crime_key[c], world.crime_key[c])
    normal_quantiles(draws[0], normals[0])
    for c in range(crime_types):
        state.common_shock[c] = r * state.common_shock[c] + fresh * world.common_sd[c] * normals[0, c]
    for p in range(world.partnership_key.shape[0]):
        for c in range(crime_types):
            draws[p, c] = uniform(luck, CRIME, month, world.cell_key[p, c], world.partnership_key[p])
        normal_quantiles(draws[p], normals[p])
        for c in range(crime_types):
            state.local_shock[p, c] = r * state.local_shock[p, c] + fresh * world.local_sd[c] * normals[p, c]


@compiled
def _stationary_over_annual(r: float) -> float:
    """Stationary sd of the monthly shock for which the change between two adjacent annual means has sd 1.

    Var(mean of months 13-24 - mean of months 1-12) = 2 [V0 - V12] with Vk the covariance of annual means k months
    apart, V_k = sum over j of (12 - |j|) r^|k + j| / 144.
    """
    same, apart = 0.0, 0.0
    for j in range(-11, 12):
        weight = (12 - abs(j)) / (12 * 12)
        same += weight * r ** abs(j)
        apart += weight * r ** (12 + j)
    return 1 / sqrt(2 * (same - apart))


@compiled
def _sum_effects(world: World, state: State, month: int) -> None:
    """Log change of each crime type in each partnership: units with diminishing reach, plus the commissioner's own work."""
    own_dose = 0.0
    if world.own_unit_cost > 0 and world.switches.effects:
        own_dose = state.own_priorities[0] / (world.n_area_partnerships * world.own_unit_cost)
    own_reached = reached_share(world, world.own_reach, own_dose)
    for p in range(state.log_effect.shape[0]):
        left = state.scratch.left
        for c in range(state.log_effect.shape[1]):
            state.spill_over[p, c] = 0
            state.log_effect[p, c] = 0
            left[c] = 1
            if own_dose > 0:
                own_fall = world.own_effect * own_reached * world.own_priorities[c]
                state.log_effect[p, c] = log1p(-min(own_fall, world.uncertainties.largest_fall))
        if not world.switches.effects:
            continue
        for i in range(world.effect.shape[0]):
            if state.effective_dose[p, i] > 0:
                _add_effect(world, state, p, i)
        for c in range(state.log_effect.shape[1]):
            if left[c] != 1:
                change = log(left[c])
                state.log_effect[p, c] += change
                state.spill_over[p, c] += change * world.uncertainties.spill_shift * world.switches.spill_over


@compiled
def _add_effect(world: World, state: State, p: int, i: int) -> None:
    """Shares that are left multiply: one logarithm a crime type instead of one an intervention (1.05 times as fast)."""
    fall = world.effect[i] * world.uncertainties.effect_scale * reach_of_dose(world, state, p, i)
    for c in range(world.profile.shape[1]):
        if world.profile[i, c] > 0:
            share = min(fall * world.profile[i, c], world.uncertainties.largest_fall)
            state.scratch.left[c] *= 1 - share
            if world.spill[i] != 0:
                state.spill_over[p, c] += log1p(-share) * world.spill[i] * world.switches.spill_over
