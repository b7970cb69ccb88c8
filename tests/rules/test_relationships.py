"""Rule 12: trust grows with joint work and meetings, falls with slights, absence and overload; people come and go."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from rules_support import HEALTH, INNER, LOCAL_AUTHORITY, MAY, OUTER, POLICE, Bench, arrays_of, few, out_of_range, shares

from cspsim.model.luck import Luck, new_luck
from cspsim.model.rules.relationships import first_impressions, replace_representatives, update_funder_trust, update_trust
from cspsim.model.state import State
from cspsim.model.tallies import AuthorityTally, Role, Tally, Work
from cspsim.model.world import World

NOTHING_HAPPENS = {
    "joint_work_gain": 0,
    "meeting_gain": 0,
    "slight_loss": 0,
    "absence_loss": 0,
    "overload_trust_loss": 0,
    "trust_fading": 0,
    "advocate_strain": 0,
}
EVERYBODY = {"turnover_hazard": 1}
OFF_DIAGONAL = ~np.eye(3, dtype=bool)


def update_relationships(world: World, state: State, luck: Luck, month: int) -> None:
    """The three rules about relationships, in the order of the month."""
    update_trust(world, state, luck, month)
    update_funder_trust(world, state, luck, month)
    replace_representatives(world, state, luck, month)


def table(trust: float = 0.5, uncertainties: dict | None = None, **changes: object) -> Bench:
    """A month in which nothing happened, at a table where nobody leaves unless the test says so."""
    bench = Bench(**{**changes, "uncertainties": {**NOTHING_HAPPENS, "turnover_hazard": 0, **(uncertainties or {})}})
    bench.set(work=0, assigned=0, unworked=0, slights=0, load=0, fidelity=0, funder_trust=trust)
    bench.state.trust[:, OFF_DIAGONAL] = trust
    return bench


def worked_together(bench: Bench) -> Bench:
    """The police and the local authority both worked on delivery; health did not."""
    bench.state.work[:, [POLICE, LOCAL_AUTHORITY], Work.DELIVERY] = 10
    return bench


def test_change_of_trust_worked_by_hand() -> None:
    # gains: joint work .02 x fidelity .5 = .01, meetings .12 x sqrt(4) / 12 = .02; x (1 - .5) = .015
    # losses: one slight .1, half of the work undone .06 x .5 = .03, overload .04 x .5 = .02, fading .005, advocate .01 x .5 = .005:
    # .16 x .5 = .08; .5 + .015 - .08 = .435
    numbers = {
        "joint_work_gain": 0.02,
        "meeting_gain": 0.12,
        "slight_loss": 0.1,
        "absence_loss": 0.06,
        "overload_trust_loss": 0.04,
        "trust_fading": 0.005,
        "advocate_strain": 0.01,
    }
    bench = worked_together(table(uncertainties=numbers, levers={"governance": 4, "devils_advocate": 0.5})).set(fidelity=0.5)
    bench.state.slights[:, POLICE, LOCAL_AUTHORITY] = 1
    bench.state.assigned[:, LOCAL_AUTHORITY], bench.state.unworked[:, LOCAL_AUTHORITY] = 20, 10
    bench.state.load[:, LOCAL_AUTHORITY] = 1.5
    trust = bench.run(update_relationships, MAY).trust[INNER]
    assert trust[POLICE, LOCAL_AUTHORITY] == pytest.approx(0.435)
    # the other way round only joint work, meetings, fading and the advocate: .5 + .015 - .01 x .5 = .51
    assert trust[LOCAL_AUTHORITY, POLICE] == pytest.approx(0.51)
    # health did not work with them: .5 + .02 x .5 - .01 x .5 = .505
    assert trust[POLICE, HEALTH] == trust[HEALTH, POLICE] == pytest.approx(0.505)


def test_limit_nothing_happens_and_nothing_changes() -> None:
    bench = table(trust=0.4)
    before = bench.state.trust.copy()
    assert (bench.run(update_relationships, *range(20)).trust == before).all()


@pytest.mark.parametrize(
    ("reason", "happening"),
    [
        ("slight_loss", {"slights": 1}),
        ("absence_loss", {"assigned": 10, "unworked": 10}),
        ("overload_trust_loss", {"load": 2}),
        ("trust_fading", {}),
    ],
)
def test_direction_each_bad_experience_lowers_trust(reason: str, happening: dict) -> None:
    bench = table(uncertainties={reason: 0.1}).set(**happening)
    assert bench.run(update_relationships, MAY).trust[:, OFF_DIAGONAL] == pytest.approx(0.45)
    assert table().set(**happening).run(update_relationships, MAY).trust[:, OFF_DIAGONAL] == pytest.approx(0.5)


def test_direction_working_together_and_meeting_raise_trust() -> None:
    joint = worked_together(table(uncertainties={"joint_work_gain": 0.1})).set(fidelity=1)
    trust = joint.run(update_relationships, MAY).trust[INNER]
    assert trust[POLICE, LOCAL_AUTHORITY] > 0.5 == trust[POLICE, HEALTH]
    found = [
        table(uncertainties={"meeting_gain": 0.5}, levers={"governance": governance}).run(update_relationships, MAY).trust[INNER, 0, 1]
        for governance in (0, 0.5, 1, 2)
    ]
    assert 0.5 == found[0] < found[1] < found[2] < found[3]


def test_overload_is_forgiven_when_switched_off() -> None:
    bench = table(uncertainties={"overload_trust_loss": 0.1}, switches={"overload": 0}).set(load=3)
    assert bench.run(update_relationships, MAY).trust[:, OFF_DIAGONAL] == pytest.approx(0.5)


def test_trust_in_those_who_left_the_table_stands_still() -> None:
    bench = table(uncertainties={"trust_fading": 0.1})
    bench.world.member[:, HEALTH] = 0
    trust = bench.run(update_relationships, MAY).trust[INNER]
    assert trust[POLICE, HEALTH] == trust[HEALTH, POLICE] == 0.5
    assert trust[POLICE, LOCAL_AUTHORITY] == pytest.approx(0.45)


def test_trust_of_the_commissioner_worked_by_hand() -> None:
    # contact .12 / 12 = .01, oversight at the table + .02: .5 + .03 x .5 - .01 x .5 = .51; without oversight .5 + .005 - .005
    numbers = {"meeting_gain": 0.12, "joint_work_gain": 0.02, "trust_fading": 0.01, "initial_trust": 0.3, "inherited_trust": 0.25}
    bench = table(uncertainties=numbers)
    bench.world.holder[INNER, Role.OVERSIGHT] = POLICE
    bench.world.holder[OUTER, Role.OVERSIGHT] = -1
    assert bench.run(update_relationships, MAY).funder_trust == pytest.approx([0.51, 0.5])
    # a new commissioner inherits a quarter of the tie: .3 + .2 x .25 = .35 in outer, then .35 + .01 x .65 - .01 x .35
    bench.world.new_commissioner[MAY + 1] = 1
    assert bench.run(update_relationships, MAY + 1).funder_trust[OUTER] == pytest.approx(0.353)


def test_without_trust_dynamics_trust_never_moves() -> None:
    bench = table(uncertainties={**EVERYBODY, "trust_fading": 0.1, "meeting_gain": 0.5}, switches={"trust_dynamics": 0}).set(slights=3)
    before, funder = bench.state.trust.copy(), bench.state.funder_trust.copy()
    bench.run(update_relationships, MAY)
    assert (bench.state.trust == before).all()
    assert (bench.state.funder_trust == funder).all()
    assert (bench.state.generation == 1).all(), "people still come and go"


def test_a_newcomer_inherits_part_of_the_tie_worked_by_hand() -> None:
    # only health is reorganised, so only its ties change: .4 + (.8 - .4) x .25 = .5, both ways; the others stay at .8
    bench = table(trust=0.8, uncertainties={"initial_trust": 0.4, "inherited_trust": 0.25})
    bench.world.reorganised[HEALTH, MAY] = 1
    trust = bench.run(update_relationships, MAY).trust[INNER]
    assert trust[HEALTH, [POLICE, LOCAL_AUTHORITY]] == pytest.approx(0.5)
    assert trust[[POLICE, LOCAL_AUTHORITY], HEALTH] == pytest.approx(0.5)
    assert trust[POLICE, LOCAL_AUTHORITY] == trust[LOCAL_AUTHORITY, POLICE] == 0.8
    assert bench.state.tallies[:, Tally.NEW_REPRESENTATIVES].tolist() == [1, 1]
    assert bench.state.authority_tallies[INNER, :, AuthorityTally.NEW_REPRESENTATIVES].tolist() == [0, 0, 1]


def test_nobody_has_a_tie_to_itself_even_after_leaving() -> None:
    bench = table(uncertainties=EVERYBODY)
    for p in (INNER, OUTER):
        assert (bench.run(update_relationships, MAY).trust[p].diagonal() == 0).all()


def test_a_newcomer_brings_a_personality_of_its_own_around_that_of_the_authority() -> None:
    bench = table(uncertainties={**EVERYBODY, "personality_spread": 0.1}, personality=[0.5, 0.6, 0.4, 0.5])
    found = []
    for month in range(60):
        found.append(bench.run(update_relationships, month).traits.copy())
    assert (bench.state.generation == 60).all()
    people = np.concatenate(found).reshape(-1, 4)  # 60 months x 6 seats
    assert people.mean(axis=0) == pytest.approx([0.5, 0.6, 0.4, 0.5], abs=4 * 0.1 / np.sqrt(360))
    assert people.std(axis=0) == pytest.approx(0.1, abs=0.015)
    same = table(uncertainties={**EVERYBODY, "personality_spread": 0}, personality=0.7).run(update_relationships, MAY)
    assert (same.traits == 0.7).all()


def leaving_share(bench: Bench, months: range = range(12, 60)) -> float:
    """Share of representatives that leave a month: 288 chances in each of six replicates."""
    left = 0.0
    for replicate in range(6):
        bench.luck = new_luck(1, replicate)
        for month in months:
            bench.state.tallies[:] = 0
            left += float(bench.run(update_relationships, month).tallies[:, Tally.NEW_REPRESENTATIVES].sum())
    return left / (6 * 6 * len(months))


def test_turnover_is_a_monthly_hazard_that_rises_with_cuts() -> None:
    steady = table(uncertainties={"turnover_hazard": 0.2, "turnover_in_cuts": 4}, hours=100, reorganised=0)
    assert leaving_share(steady) == pytest.approx(0.2, abs=0.04)
    # a quarter of the hours lost within a year: .2 x (1 + 4 x .25) = .4
    shrinking = table(
        uncertainties={"turnover_hazard": 0.2, "turnover_in_cuts": 4}, hours=100 * 0.75 ** (np.arange(60) / 12), reorganised=0
    )
    assert leaving_share(shrinking) == pytest.approx(0.4, abs=0.05)
    growing = table(uncertainties={"turnover_hazard": 0.2, "turnover_in_cuts": 4}, hours=100 * 1.5 ** (np.arange(60) / 12), reorganised=0)
    assert leaving_share(growing) == leaving_share(steady)


def test_a_cut_drives_people_away_from_the_second_year_on() -> None:
    # everything is cut to half: .5 x (1 + 2 x .5) is certain; a year earlier there is nothing to compare with
    numbers = {"turnover_hazard": 0.5, "turnover_in_cuts": 2}
    cut = np.where(np.arange(60) < 6, 100, 50)
    for month, certain in [(11, False), (12, True), (17, True), (18, False)]:
        bench = table(uncertainties=numbers, hours=cut, reorganised=0)
        left = leaving_share(bench, range(month, month + 1))
        assert (left == 1) == certain, f"month {month}: {left}"


def test_limit_nobody_leaves_without_turnover_and_those_absent_cannot_leave() -> None:
    frozen = table(uncertainties=EVERYBODY, switches={"turnover": 0}, reorganised=1)
    assert frozen.run(update_relationships, MAY).tallies[:, Tally.NEW_REPRESENTATIVES].sum() == 0
    absent = table(uncertainties=EVERYBODY)
    absent.world.member[:, HEALTH] = 0
    assert absent.run(update_relationships, MAY).generation[INNER].tolist() == [1, 1, 0]


def test_first_impressions_spread_around_initial_trust() -> None:
    bench = table(trust=0.9, uncertainties={"initial_trust": 0.5, "personality_spread": 0.1})
    found = []
    for replicate in range(100):
        bench.call(first_impressions, new_luck(1, replicate))
        found.append(bench.state.trust[:, OFF_DIAGONAL].copy())
    ties = np.concatenate(found).ravel()  # 1,200 of them
    assert ties.mean() == pytest.approx(0.5, abs=4 * 0.1 / np.sqrt(1_200))
    assert ties.std() == pytest.approx(0.1, abs=0.01)
    assert (bench.state.funder_trust == 0.5).all()
    assert (bench.state.generation == 0).all()
    assert (np.diagonal(bench.state.trust, axis1=1, axis2=2) == 0).all()


@few
@given(
    arrays_of(shares, 2, 3, 3),
    arrays_of(some.integers(0, 30), 2, 3, 3),
    arrays_of(some.floats(0, 4), 2, 3),
    arrays_of(shares, 2, 3),
    some.floats(0, 2),
    some.integers(0, 59),
)
def test_ranges_and_accounts(
    trust: np.ndarray, slights: np.ndarray, load: np.ndarray, undone: np.ndarray, governance: float, month: int
) -> None:
    bench = Bench(levers={"governance": governance, "devils_advocate": 1}, uncertainties={"turnover_hazard": 0.3})
    bench.set(trust=trust, slights=slights, load=load, fidelity=1, assigned=10, unworked=10 * undone, work=1)
    state = bench.run(update_relationships, month)
    assert out_of_range(state) == []
    assert (state.generation.sum(axis=1) == state.tallies[:, Tally.NEW_REPRESENTATIVES]).all()
    assert (state.generation == state.authority_tallies[:, :, AuthorityTally.NEW_REPRESENTATIVES]).all()


@few
@given(arrays_of(shares, 2, 3, 3), arrays_of(some.integers(0, 3), 2, 3, 3))
def test_direction_slights_never_raise_trust(trust: np.ndarray, slights: np.ndarray) -> None:
    found = []
    for hurt in (0, slights):
        bench = Bench(switches={"turnover": 0}).set(trust=trust, slights=hurt)
        found.append(bench.run(update_relationships, MAY).trust.copy())
    assert (found[1] <= found[0]).all()
    hurt_ties = (slights > 0) & (trust > 0.01) & OFF_DIAGONAL
    assert (found[1][hurt_ties] < found[0][hurt_ties]).all()
