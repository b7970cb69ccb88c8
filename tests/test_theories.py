"""The shipped rival theories: each does what its source says, keeps the accounts, and can be run by name."""

import importlib
import math
import os
import subprocess
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from rules_support import APRIL, CCTV, HEALTH, HOT_SPOTS, INNER, LOCAL_AUTHORITY, MAY, POLICE, Bench, arrays_of, few, shares
from worlds import write_tiny_world

from cspsim.model.luck import new_luck
from cspsim.model.state import out_of_range
from cspsim.model.tallies import Tally, Trait, Work
from cspsim.one_run.run import Run
from cspsim.running.rulebook import module_of
from cspsim.running.simulation import simulate
from cspsim.scenario.rival_rules import from_value, look_through
from cspsim.scenario.scenario import Scenario, load_scenario, scenario_names
from cspsim.scenario.scenario_files import theories_folder

CHALLENGE = ("challenge-by-expertise", "challenge-by-influence")
TRUST = ("trust-by-favours", "trust-by-record")
THEORIES = (*CHALLENGE, *TRUST)
OFF_DIAGONAL = ~np.eye(3, dtype=bool)


@lru_cache(maxsize=8)
def theory(name: str) -> Scenario:
    return load_scenario(name, allow_rules=True)


def module(name: str) -> Any:
    (rival,) = theory(name).rivals
    return module_of(rival)


def rule(name: str) -> Any:
    return getattr(module(name), theory(name).rivals[0].function)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    return load_scenario(write_tiny_world(tmp_path_factory.mktemp("theories")))


def under(tiny: Scenario, name: str, **changes: Any) -> Scenario:
    """The tiny world with the rule of a theory."""
    (rival,) = theory(name).rivals
    return tiny.with_changes({f"rules.{rival.slot}": f"{rival.path}:{rival.function}", **changes}, name=name, allow_rules=True)


class TestShipped:
    def test_every_file_is_a_scenario_or_its_rule_and_each_is_found_by_name(self) -> None:
        assert sorted(path.stem for path in theories_folder().glob("*.toml")) == sorted(THEORIES)
        rule_files = {rival.path for name in THEORIES for rival in load_scenario(name).rivals}
        assert rule_files == set(theories_folder().glob("*.py"))
        assert not set(THEORIES) & set(scenario_names()), "they are not among the scenarios that run without permission"

    @pytest.mark.parametrize("name", THEORIES)
    def test_it_states_its_source_and_how_strong_it_is(self, name: str) -> None:
        (rival,) = load_scenario(name).rivals
        words = module(name).__doc__
        assert "Source: " in words
        assert "Strength " in words
        assert getattr(module(name), rival.function).__doc__
        assert list(look_through(from_value(rival.slot, f"{rival.path}:{rival.function}", ""))) == []

    @pytest.mark.parametrize("name", THEORIES)
    def test_it_changes_the_default_world(self, name: str) -> None:
        ours, theirs = simulate(theory(name), 2), simulate("baseline", 2)
        assert (ours.area("cost_of_crime") != theirs.area("cost_of_crime")).all()

    @pytest.mark.parametrize("name", THEORIES)
    def test_it_keeps_the_accounts_and_every_range(self, tiny: Scenario, name: str) -> None:
        tallies = simulate(under(tiny, name), 4).tallies
        money = (Tally.RECEIVED, Tally.SPENT, Tally.RETURNED, Tally.CARRIED_IN, Tally.CARRIED_OUT)
        received, spent, returned, carried_in, carried_out = (tallies[..., tally] for tally in money)
        np.testing.assert_allclose(carried_in + received, spent + returned + carried_out, rtol=1e-12, atol=0.005)
        kinds = tallies[..., Tally.DELIVERY_HOURS : Tally.BIDDING_HOURS + 1].sum(axis=-1)
        np.testing.assert_allclose(kinds, tallies[..., Tally.HOURS], rtol=1e-12)
        run = Run(under(tiny, name), seed=3)
        while not run.finished:
            run.advance()
            assert out_of_range(run.state) == []

    @pytest.mark.parametrize("name", THEORIES)
    def test_it_disappears_with_its_mechanism(self, tiny: Scenario, name: str) -> None:
        switch = "challenge" if name in CHALLENGE else "trust_dynamics"
        off = {f"switches.{switch}": False}
        assert simulate(under(tiny, name, **off), 3).tallies.tobytes() == simulate(tiny.with_changes(off), 3).tallies.tobytes()

    def test_interpreted_is_compiled(self, tiny: Scenario, tmp_path: Path) -> None:
        short = {"time.last_month": "2012-03", "time.window_from": "2010-04", "time.known_to": "2014-03"}
        (tmp_path / "tiny.toml").write_text(tiny.with_changes(short).to_toml(), encoding="utf-8")
        script = f"""
import warnings
import numpy as np
import cspsim
warnings.simplefilter("error")
np.seterr(all="raise", under="ignore")
for name in {THEORIES!r}:
    (rival,) = cspsim.load_scenario(name).rivals
    changes = {{f"rules.{{rival.slot}}": f"{{rival.path}}:{{rival.function}}"}}
    tiny = cspsim.load_scenario("tiny.toml").with_changes(changes, allow_rules=True)
    print(name, *(value.hex() for value in cspsim.simulate(tiny, 1, threads=1).tallies.ravel().tolist()))
"""
        root = str(Path(importlib.import_module("cspsim").__file__ or "").resolve().parents[1])
        environment = {**os.environ, "PYTHONPATH": root, "NUMBA_DISABLE_JIT": "1"}
        done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr[-3000:]
        said = {line.split()[0]: [float.fromhex(value) for value in line.split()[1:]] for line in done.stdout.splitlines()}
        assert set(said) == set(THEORIES)
        for name, interpreted in said.items():
            compiled = simulate(under(load_scenario(tmp_path / "tiny.toml"), name), 1).tallies.ravel()
            np.testing.assert_allclose(interpreted, compiled, rtol=1e-9, atol=1e-9)


# ------------------------------------------------------------------------------------------------- challenge


def on_the_table(claim: float = 0.3, belief: float = 0.3, variance: float = 0.01, **changes: Any) -> Bench:
    """Every item is on the table, sponsored by the police, and everybody else believes the same of it."""
    bench = Bench(**changes)
    return bench.set(on_table=1, sponsor=POLICE, claim=claim, belief=belief, belief_variance=variance, trust=0.5)


class TestChallengeByExpertise:
    def challenged(self, bench: Bench) -> list[list[float]]:
        """Who challenges hot spots and CCTV in the inner borough."""
        return bench.run(rule("challenge-by-expertise"), APRIL).challenges[INNER, :, [HOT_SPOTS, CCTV]].tolist()

    def test_worked_by_hand(self) -> None:
        # the police lead hot spots: subject expert, nobody objects, whatever the doubt (2 standard deviations)
        # CCTV is the council's: it knows as much as the police (.01 each), so it objects; health, less sure (.04), is
        # .5 / .2 = 1 standard deviation away, and objects too
        bench = on_the_table(claim=0.5, belief=0.3)
        bench.state.belief_variance[:, HEALTH] = 0.04
        assert self.challenged(bench) == [[0, 0, 0], [0, 1, 1]]
        assert bench.state.doubts[INNER, :, CCTV] == pytest.approx([0, 2, 1])
        # at a claim of .39 health is .09 / .2 = .45 away: near enough to defer to who knows better
        bench.set(claim=0.39)
        assert self.challenged(bench) == [[0, 0, 0], [0, 1, 0]]
        # a claim below what it believes is as far away as one above: |.3 - .41| / .2 = .55
        bench.set(claim=0.3)
        bench.state.belief[:, HEALTH] = 0.41
        assert self.challenged(bench)[1][HEALTH] == 1

    @few
    @given(arrays_of(shares, 2, 3, 3), arrays_of(shares, 2, 3, 4), some.floats(0, 3))
    def test_neither_trust_nor_character_nor_workload_plays_a_part(self, trust: np.ndarray, traits: np.ndarray, load: float) -> None:
        bench = on_the_table(claim=0.5)
        before = bench.run(rule("challenge-by-expertise"), APRIL).challenges.copy()
        assert before.any()
        bench.set(trust=trust, traits=traits, load=load).run(rule("challenge-by-expertise"), APRIL)
        assert (bench.state.challenges == before).all()

    def test_limit_a_sponsor_who_leads_everything_is_never_challenged(self) -> None:
        bench = on_the_table(claim=5)
        bench.world.lead[:] = POLICE
        assert not bench.run(rule("challenge-by-expertise"), APRIL).challenges.any()
        bench.world.lead[:] = HEALTH
        assert bench.run(rule("challenge-by-expertise"), APRIL).challenges.sum() == 12, "2 boroughs x 3 items x 2 others"

    def test_who_does_not_sit_does_not_speak_and_old_doubts_fade(self) -> None:
        bench = on_the_table(claim=5, uncertainties={"doubt_memory": 0.5}).set(suppressed=4)
        bench.world.lead[:], bench.world.member[:, HEALTH] = HEALTH, 0
        bench.run(rule("challenge-by-expertise"), APRIL)
        assert bench.state.challenges[:, HEALTH].sum() == 0 < bench.state.challenges[:, LOCAL_AUTHORITY].sum()
        assert (bench.state.suppressed == 2).all()


PLAIN = {"challenge_base": -1, "challenge_doubt": 0.5}


class TestChallengeByInfluence:
    def share(self, bench: Bench, replicates: int = 8) -> float:
        """Share of chances to challenge that are taken: 720 chances in each replicate."""
        taken = 0.0
        for replicate in range(replicates):
            bench.luck = new_luck(1, replicate)
            for month in range(60):
                taken += float(bench.run(rule("challenge-by-influence"), month).challenges.sum())
        return taken / (720 * replicates)

    def test_opinions_settle_as_in_a_published_example(self) -> None:
        """The example of four actors in the README of FJsim 1.0 (pypi.org/project/FJsim), after Friedkin and Johnsen."""
        weights = np.array([[0.220, 0.120, 0.360, 0.300], [0.147, 0.215, 0.344, 0.294], [0, 0, 1, 0], [0.090, 0.178, 0.446, 0.286]])
        settled = np.zeros(4)
        module("challenge-by-influence").settle(np.array([25.0, 25, 75, 85]), weights, 1 - np.array([0.780, 0.785, 0, 0.714]), settled)
        assert settled == pytest.approx([60.02084883, 59.98396594, 75, 74.98620494], abs=1e-7)

    @few
    @given(arrays_of(shares, 3), arrays_of(some.floats(0.01, 1), 3, 3), arrays_of(some.floats(0.05, 1), 3))
    def test_settled_opinions_lie_between_the_first_and_solve_the_equation(
        self, first: np.ndarray, weights: np.ndarray, hold: np.ndarray
    ) -> None:
        weights /= weights.sum(axis=1, keepdims=True)
        settled = np.zeros(3)
        module("challenge-by-influence").settle(first, weights, hold, settled)
        assert settled == pytest.approx(np.linalg.solve(np.eye(3) - (1 - hold)[:, None] * weights, hold * first), abs=1e-9)
        assert (settled >= first.min() - 1e-12).all()
        assert (settled <= first.max() + 1e-12).all()

    def test_chance_worked_by_hand_for_who_listens_to_nobody_and_who_holds_on_to_nothing(self) -> None:
        # claim .5, belief .3, deviation .1: doubt 2. Assertiveness 1: all of it is left, logit -1 + .5 x 2 = 0.
        # Assertiveness 0: everybody ends at the sponsor's claim, no doubt is left, logit -1
        for assertiveness, logit in ((1.0, 0.0), (0.0, -1.0)):
            bench = on_the_table(claim=0.5, uncertainties=PLAIN)
            bench.state.traits[:, :, Trait.ASSERTIVENESS] = assertiveness
            # 5,760 chances: standard error .0066
            assert self.share(bench) == pytest.approx(1 / (1 + math.exp(-logit)), abs=0.03)
            assert bench.state.doubts[:, HEALTH] == pytest.approx(2), "what was doubted before the talk is remembered"

    def test_a_middling_member_worked_by_hand(self) -> None:
        # health listens to the police alone (the council counts for nothing), holds on to half: weights 1/2 and 1/2.
        # y = 1/2 (1/2 y + 1/2 x .5) + 1/2 x .3 = .275 + y / 4, so y = .3667; left (.5 - .3667) / .1 = 1.333; logit -1 + .6667
        bench = on_the_table(claim=0.5, uncertainties=PLAIN, influence=[1, 0, 1])
        bench.state.traits[:, :, Trait.ASSERTIVENESS] = 0.5
        assert self.share(bench) == pytest.approx(1 / (1 + math.exp(1 / 3)), abs=0.03)

    @few
    @given(some.floats(0.05, 1))
    def test_trusting_everybody_more_silences_nobody(self, times: float) -> None:
        bench = on_the_table(claim=0.5, uncertainties=PLAIN)
        bench.state.trust[:] = np.linspace(0.1, 0.9, 18).reshape(2, 3, 3)
        before = [bench.run(rule("challenge-by-influence"), month).challenges.copy() for month in range(12)]
        bench.state.trust[:] *= times
        after = [bench.run(rule("challenge-by-influence"), month).challenges.copy() for month in range(12)]
        np.testing.assert_array_equal(after, before)

    def test_direction_trusting_the_sponsor_more_than_the_other_silences(self) -> None:
        found = []
        for trust_in_sponsor in (0.05, 0.95):
            bench = on_the_table(claim=0.5, uncertainties={"challenge_base": -3, "challenge_doubt": 2})
            bench.state.traits[:, :, Trait.ASSERTIVENESS] = 0.5
            bench.state.trust[:, :, POLICE] = trust_in_sponsor
            found.append(self.share(bench, replicates=2))
        assert found[1] < found[0] - 0.1

    def test_limit_without_trust_everybody_keeps_its_own_opinion(self) -> None:
        bench = on_the_table(claim=0.5, uncertainties=PLAIN).set(trust=0)
        bench.state.traits[:, :, Trait.ASSERTIVENESS] = 0
        assert self.share(bench) == pytest.approx(0.5, abs=0.03)


# ----------------------------------------------------------------------------------------------------- trust


def quiet(trust: float = 0.5, **changes: Any) -> Bench:
    """A month without meeting, work or slights."""
    bench = Bench(**changes).set(work=0, assigned=0, unworked=0, slights=0)
    bench.state.trust[:, OFF_DIAGONAL] = trust
    return bench


class TestTrustByFavours:
    NAME = "trust-by-favours"

    def test_worked_by_hand(self) -> None:
        # police of the council: one slight and half its work undone, x .95 ^ 1.5; both delivered, x 1.025; April's meeting, x 1.01
        bench = quiet()
        bench.state.slights[:, POLICE, LOCAL_AUTHORITY] = 1
        bench.state.assigned[:, LOCAL_AUTHORITY], bench.state.unworked[:, LOCAL_AUTHORITY] = 20, 10
        bench.state.work[:, [POLICE, LOCAL_AUTHORITY], Work.DELIVERY] = 10
        trust = bench.run(rule(self.NAME), APRIL).trust[INNER]
        assert trust[POLICE, LOCAL_AUTHORITY] == pytest.approx(0.5 * 0.95**1.5 * 1.025 * 1.01)
        assert trust[LOCAL_AUTHORITY, POLICE] == pytest.approx(0.5 * 1.025 * 1.01)
        assert trust[HEALTH, LOCAL_AUTHORITY] == pytest.approx(0.5 * 0.95**0.5 * 1.01)
        assert trust[HEALTH, POLICE] == pytest.approx(0.5 * 1.01)

    def test_limits(self) -> None:
        bench = quiet(trust=0.4)
        assert (bench.run(rule(self.NAME), MAY).trust[:, OFF_DIAGONAL] == 0.4).all(), "nothing fades by itself"
        bench.set(work=10)
        for _ in range(60):
            bench.run(rule(self.NAME), MAY)
        assert (bench.state.trust[:, OFF_DIAGONAL] == 1).all()
        assert (bench.state.trust[:, ~OFF_DIAGONAL] == 0).all(), "nobody has a tie to itself"

    @few
    @given(
        arrays_of(shares, 2, 3, 3), arrays_of(some.sampled_from([0.0, 1.0, 3.0]), 2, 3, 3), arrays_of(shares, 2, 3), some.integers(0, 59)
    )
    def test_direction_harm_never_raises_trust(self, trust: np.ndarray, slights: np.ndarray, undone: np.ndarray, month: int) -> None:
        bench = quiet().set(trust=trust, assigned=1, work=1)
        unharmed = bench.run(rule(self.NAME), month).trust.copy()
        harmed = bench.set(trust=trust, slights=slights, unworked=undone).run(rule(self.NAME), month).trust
        assert (harmed <= unharmed).all()
        assert out_of_range(bench.state) == []


class TestTrustByRecord:
    NAME = "trust-by-record"

    def test_worked_by_hand(self) -> None:
        # memory .95: 20 months count. All work done: (20 + 1) / 22 = .954545; .5 + .05 x .454545 = .522727
        # half undone: (10 + 1) / 22 = .5, so .5 stays; done but one slight: x = 1 / 2, the same
        bench = quiet()
        bench.state.assigned[:, [POLICE, LOCAL_AUTHORITY]] = 20
        bench.state.unworked[:, LOCAL_AUTHORITY] = 10
        bench.state.slights[:, HEALTH, POLICE] = 1
        trust = bench.run(rule(self.NAME), APRIL).trust[INNER]
        assert trust[LOCAL_AUTHORITY, POLICE] == pytest.approx(0.5 + 0.05 * (21 / 22 - 0.5))
        assert trust[POLICE, LOCAL_AUTHORITY] == pytest.approx(0.5)
        assert trust[HEALTH, POLICE] == pytest.approx(0.5)
        assert trust[POLICE, HEALTH] == 0.5, "no dealings, no change"

    def test_it_is_the_source_s_updating_of_two_counts(self) -> None:
        """r and s with forgetting, as in the source, once the record has its full length."""
        memory, outcomes = 0.95, [1.0, 0.25, 0.0, 1.0, 0.5, 1.0]
        length = 1 / (1 - memory)
        r, s = 0.6 * (length + 2) - 1, 0.4 * (length + 2) - 1
        bench = quiet(trust=0.6)
        for good in outcomes:
            r, s = memory * r + good, memory * s + 1 - good
            bench.set(assigned=10, unworked=10 * (1 - good)).run(rule(self.NAME), MAY)
            assert bench.state.trust[:, OFF_DIAGONAL] == pytest.approx((r + 1) / (r + s + 2))

    def test_limits_a_spotless_and_a_hopeless_record(self) -> None:
        bench = quiet().set(assigned=10)
        for unworked, limit in ((0, 21 / 22), (10, 1 / 22)):
            bench.set(unworked=unworked)
            for _ in range(400):
                bench.run(rule(self.NAME), MAY)
            assert bench.state.trust[:, OFF_DIAGONAL] == pytest.approx(limit)

    def test_meetings_do_not_count(self) -> None:
        found = [
            simulate(theory(self.NAME).with_changes({"uncertainties.meeting_gain": gain}), 1).area("mean_trust") for gain in (0.02, 0.12)
        ]
        usual = [simulate("baseline", 1).area("mean_trust")[0]]
        usual += [simulate(load_scenario("baseline").with_changes({"uncertainties.meeting_gain": 0.12}), 1).area("mean_trust")[0]]
        assert abs(found[0] - found[1]) < abs(usual[0] - usual[1]) / 2, "the commissioner's trust still grows with meetings"
