"""Rule 10: hours and money become dose, less what overload, distrust, thin co-ordination and absence take away."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from rules_support import (
    APRIL,
    HEALTH,
    INNER,
    JUNE,
    LOCAL_AUTHORITY,
    MAY,
    POLICE,
    Bench,
    arrays_of,
    few,
    no_coordinator,
    out_of_range,
    shares,
)

from cspsim.model.rules.delivery import deliver_units
from cspsim.model.rules.workload import share_work
from cspsim.model.tallies import Work


def delivering(**changes: object) -> Bench:
    """Two units of everything, started, worked as assigned and without overload."""
    bench = Bench(**changes).set(units=2, starts=APRIL, quality=1, dose=0, trust=0.5, unworked=0, work=0)
    bench.set(available=1_000, needed=150).state.work[:, :, Work.DELIVERY] = 50
    return bench


def test_fidelity_worked_by_hand() -> None:
    # base .8 x (1 + .5 x (.7 - .5)) = .88; 90 of 100 hours needed worked: .792
    # loads: police (60 + 10 undone + 80) / 100 = 1.5, local authority (30 + 30) / 30 = 2
    # doers' overload (60 x .5 + 30 x 1) / 90 = 2/3, x .3 = .2; the co-ordinator's 1 x .3: .792 / 1.5 = .528
    numbers = {"base_fidelity": 0.8, "trust_delivery_gain": 0.5, "overload_loss": 0.3, "coordinator_overload_loss": 0.3}
    bench = delivering(uncertainties=numbers).set(trust=0.7, available=[100, 30, 50], unworked=[10, 0, 0], needed=100)
    bench.state.work[:, :, Work.DELIVERY] = [60, 30, 0]
    bench.state.work[:, :, Work.GOVERNANCE] = [80, 30, 0]
    bench.run(deliver_units, MAY)
    assert bench.state.load[INNER] == pytest.approx([1.5, 2, 0])
    assert bench.state.fidelity == pytest.approx(0.528)


def test_dose_builds_up_worked_by_hand() -> None:
    # target 2 units x .5 fidelity x quality .8 = .8; a sixth of the gap from .2 is closed each month
    bench = delivering(uncertainties={"base_fidelity": 0.5}).set(quality=0.8, dose=0.2)
    assert bench.run(deliver_units, MAY).dose == pytest.approx(0.2 + 0.6 / 6)
    bench.run(deliver_units, *[MAY] * 200)
    assert bench.state.dose == pytest.approx(0.8), "in the end what is planned, as well as it is implemented"


def test_dose_halves_over_its_half_life_when_delivery_ends() -> None:
    bench = delivering().set(units=0, dose=1)
    bench.run(deliver_units, *[MAY] * 6)  # the tiny world's half-life is six months
    assert bench.state.dose == pytest.approx(0.5)
    bench.set(units=2, starts=JUNE, dose=1)
    assert bench.run(deliver_units, MAY).dose == pytest.approx(0.5 ** (1 / 6)), "a renewal that has not started delivers nothing"


def test_good_implementation_cannot_deliver_more_than_was_planned() -> None:
    bench = delivering(uncertainties={"base_fidelity": 0.9}).set(quality=3)
    bench.run(deliver_units, *[MAY] * 200)
    assert bench.state.dose == pytest.approx(2)


def test_limit_below_the_threshold_nothing_happens() -> None:
    bench = delivering(uncertainties={"threshold_scale": 2}, threshold=0.25, keep=1).set(units=0)
    bench.set(dose=[0.49, 0.5, 0.51]).run(deliver_units, MAY)
    assert bench.state.effective_dose[INNER] == pytest.approx([0, 0.5, 0.51])


def test_limit_no_governance_no_work_or_no_start_delivers_nothing() -> None:
    assert delivering(levers={"governance": 0}).run(deliver_units, MAY).dose.sum() == 0
    idle = delivering().set(work=0, unworked=50)
    assert idle.run(deliver_units, MAY).dose.sum() == 0
    assert delivering().set(starts=JUNE).run(deliver_units, MAY).dose.sum() == 0
    assert delivering().run(deliver_units, MAY).dose.min() > 0


def test_what_nobody_takes_on_is_not_delivered() -> None:
    # 200 hours are needed; without a co-ordinator partners do the 30 and 20 they pledge and nobody does the other 150
    bench = delivering(uncertainties={"base_fidelity": 0.8, "trust_delivery_gain": 0, "meeting_hours": 0})
    no_coordinator(bench.world)
    bench.set(work=0, pledged=[30, 0, 20])
    bench.run(share_work, MAY)
    bench.run(deliver_units, MAY)
    assert bench.state.fidelity == pytest.approx(0.8 * 50 / 200)


def test_load_of_an_authority_without_hours() -> None:
    bench = delivering(uncertainties={"largest_load": 4}).set(available=0, work=0, unworked=0, load=9)
    bench.state.work[:, POLICE, Work.GOVERNANCE] = 1
    assert bench.run(deliver_units, MAY).load[INNER].tolist() == [4, 0, 0], "any task is an overload, capped; no task is none"
    bench.set(available=10).state.work[:, POLICE, Work.GOVERNANCE] = 1_000
    assert bench.run(deliver_units, MAY).load[INNER, POLICE] == 4


hours = some.floats(0, 300)


@few
@given(arrays_of(hours, 2, 3), arrays_of(hours, 2, 3), arrays_of(hours, 2, 3))
def test_direction_more_asked_of_anybody_never_raises_fidelity(available: np.ndarray, governance: np.ndarray, more: np.ndarray) -> None:
    found = []
    for asked in (governance, governance + more):
        bench = delivering().set(available=available)
        bench.state.work[:, :, Work.GOVERNANCE] = asked
        found.append(bench.run(deliver_units, MAY).fidelity.copy())
    assert (found[1] <= found[0] + 1e-12).all()


def test_direction_overload_lowers_fidelity_unless_switched_off() -> None:
    found = {}
    for switch in (0, 1):
        for available in (1_000, 30):
            bench = delivering(switches={"overload": switch}).set(available=available)
            found[switch, available] = float(bench.run(deliver_units, MAY).fidelity[INNER])
    assert found[1, 30] < 0.8 * found[1, 1_000]
    assert found[0, 30] == found[0, 1_000] == found[1, 1_000]


def test_overload_of_the_co_ordinator_hurts_work_it_does_not_do() -> None:
    found = []
    for busy in (LOCAL_AUTHORITY, HEALTH):
        bench = delivering().set(needed=50, work=0)
        bench.state.work[:, POLICE, Work.DELIVERY] = 50
        bench.state.work[:, busy, Work.GOVERNANCE] = 2_000
        found.append(float(bench.run(deliver_units, MAY).fidelity[INNER]))
    assert found[0] < 0.95 * found[1], "the police do all the work; health's overload hurts nobody, the co-ordinator's everybody"


@few
@given(some.floats(0, 2), some.floats(0, 2), some.floats(0.05, 0.4))
def test_direction_more_governance_never_lowers_co_ordination(one: float, other: float, half: float) -> None:
    low, high = sorted((one, other))
    numbers = {"coordination_half": half, "base_fidelity": 0.5}
    bench = delivering(uncertainties=numbers)
    found = []
    for governance in (low, high, 1.0):
        bench.world.levers.governance[:] = governance
        found.append(bench.run(deliver_units, MAY).fidelity.copy())
    assert (found[0] <= found[1] + 1e-12).all()
    assert found[2] == pytest.approx(0.5), "today's level is the measure"


def test_co_ordination_worked_by_hand() -> None:
    # at half of today's governance: .5 x (1 + .25) / (.5 + .25) = 5/6
    bench = delivering(uncertainties={"coordination_half": 0.25, "base_fidelity": 0.6}, levers={"governance": 0.5})
    assert bench.run(deliver_units, MAY).fidelity == pytest.approx(0.5)


@few
@given(arrays_of(shares, 2, 3, 3), arrays_of(shares, 2, 3, 3))
def test_direction_trust_never_lowers_fidelity(trust: np.ndarray, more: np.ndarray) -> None:
    distrustful = delivering().set(trust=trust).run(deliver_units, MAY).fidelity.copy()
    assert (delivering().set(trust=np.maximum(trust, more)).run(deliver_units, MAY).fidelity >= distrustful - 1e-12).all()


def test_trust_helps_unless_switched_off() -> None:
    found = {}
    for switch in (0, 1):
        for trust in (0.2, 0.8):
            bench = delivering(switches={"trust_helps_delivery": switch}).set(trust=trust)
            found[switch, trust] = float(bench.run(deliver_units, MAY).fidelity[INNER])
    assert found[1, 0.8] > found[1, 0.2]
    assert found[0, 0.8] == found[0, 0.2]


@few
@given(
    arrays_of(hours, 2, 3),
    arrays_of(hours, 2, 3, 5),
    arrays_of(shares, 2, 3),
    arrays_of(shares, 2, 3, 3),
    arrays_of(some.integers(0, 3), 2, 3),
    arrays_of(some.floats(0, 3), 2, 3),
    arrays_of(some.floats(0, 3), 2, 3),
)
def test_ranges_and_accounts(
    available: np.ndarray, work: np.ndarray, done: np.ndarray, trust: np.ndarray, units: np.ndarray, quality: np.ndarray, dose: np.ndarray
) -> None:
    assigned = work[:, :, Work.DELIVERY] / np.maximum(done, 0.01)
    bench = delivering().set(available=available, work=work, unworked=assigned - work[:, :, Work.DELIVERY], needed=assigned.sum(axis=1))
    bench.set(trust=trust, units=units, quality=quality, dose=dose)
    state = bench.run(deliver_units, MAY)
    assert out_of_range(state) == []
    assert (state.load <= bench.world.uncertainties.largest_load).all()
    assert (state.dose <= np.maximum(dose, units) + 1e-12).all(), "no more dose than was there or is planned"
    assert ((state.effective_dose == state.dose) | (state.effective_dose == 0)).all()
    assert (state.work == work).all(), "delivery asks no further hours"
