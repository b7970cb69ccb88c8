"""4 Recording: what victims report and what the police write down; the only crime the table ever sees without a survey."""

from cspsim.model.compiled import compiled
from cspsim.model.counts import binomial_counts
from cspsim.model.luck import RECORDING, Luck, normal_quantiles, uniform
from cspsim.model.state import State
from cspsim.model.tallies import Role
from cspsim.model.world import World


@compiled
def record_crimes(world: World, state: State, luck: Luck, month: int) -> None:
    """Recorded = true x reporting x recording, a binomial draw with one uniform, the twin with the same one.

    reporting = usual x (1 + rise from engagement + rise from interventions that encourage it)
    recording = usual x dated path x (1 - gaming x target pressure x (1 - audit)) x (1 + audit rise x audit)
    Sources: PASC 2014 "Caught red-handed"; HMIC 2014 (19 % of reported crime not recorded).
    """
    uncertainties = world.uncertainties
    partnerships, crime_types = state.true_crimes.shape
    for p in range(partnerships):
        state.engagement[p] = _delivered_engagement(world, state, p, month)
        _encourage(world, state, p)
        audited = world.levers.audit[month] * state.afforded[p]
        draws, normals = state.scratch.draws[p], state.scratch.normals[p]
        for c in range(crime_types):
            draws[c] = uniform(luck, RECORDING, month, world.cell_key[p, c], world.cell_key[p, c])
        normal_quantiles(draws, normals)
        encouraged = uncertainties.engagement_rise * state.engagement[p] * world.switches.engagement_reporting
        for c in range(crime_types):
            gamed = uncertainties.gaming * world.switches.gaming * world.targeted[c] * world.levers.targets[month] * (1 - audited)
            written_down = world.recording[c] * world.recording_path[c, month] * (1 - gamed) * (1 + uncertainties.audit_rise * audited)
            state.scratch.twin_shares[c] = _share(world, c, encouraged, written_down)
            state.scratch.shares[c] = _share(world, c, encouraged + state.scratch.encouraged[c], written_down)
        binomial_counts(draws, normals, state.twin_crimes[p], state.scratch.twin_shares, state.twin_recorded[p])
        binomial_counts(draws, normals, state.true_crimes[p], state.scratch.shares, state.scratch.counts)
        for c in range(crime_types):
            state.recorded[p, c, month] = state.scratch.counts[c]
            state.recorded_year[p, c] += state.recorded[p, c, month]
            if month >= 12:
                state.recorded_year[p, c] -= state.recorded[p, c, month - 12]


@compiled
def _share(world: World, c: int, encouraged: float, written_down: float) -> float:
    if not world.switches.measurement_error:
        return 1.0
    return min(1.0, world.reporting[c] * (1 + encouraged)) * min(1.0, written_down)


@compiled
def _encourage(world: World, state: State, p: int) -> None:
    """Proportional rise of reporting by crime type from delivered units (independent advisers, data sharing with hospitals)."""
    for c in range(world.reporting_rise.shape[1]):
        state.scratch.encouraged[c] = 0
    if world.switches.engagement_reporting:
        for i in range(world.reporting_rise.shape[0]):
            if state.effective_dose[p, i] > 0:
                for c in range(world.reporting_rise.shape[1]):
                    state.scratch.encouraged[c] += world.reporting_rise[i, c] * state.effective_dose[p, i]


@compiled
def _delivered_engagement(world: World, state: State, p: int, month: int) -> float:
    """Engagement as planned, less what the pot cannot pay and an overloaded co-ordinator cannot do."""
    delivered = world.levers.engagement[month] * state.afforded[p]
    coordinator = world.holder[p, Role.COORDINATOR, month]
    if coordinator >= 0 and world.switches.overload:
        delivered /= 1 + max(0.0, state.load[p, coordinator] - 1)
    return delivered
