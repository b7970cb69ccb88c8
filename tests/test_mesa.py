"""The Mesa face: the same numbers as a sweep, agents that show their rows and may decide otherwise, Mesa's own tools on it."""

import gc
import os
import re
import subprocess
import sys
import weakref
from collections.abc import Mapping
from math import sqrt
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import mesa
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from cspsim.basics.errors import ScenarioError
from cspsim.mesa_model.agents import Commissioner, Coordinator, HomeOffice, Partnership, Police, ResponsibleAuthority
from cspsim.mesa_model.partnership_model import AGENT_COLUMNS, PartnershipModel
from cspsim.model.tallies import AuthorityTally, Tally, Trait
from cspsim.one_run.run import Run
from cspsim.running.outcomes import OUTCOMES
from cspsim.running.simulation import simulate
from cspsim.scenario.scenario import Scenario, load_scenario

ROOT = Path(__file__).parents[1]
SHORT = {"time.last_month": "2010-03", "time.window_from": "2008-10"}
SCENARIOS = ["baseline", "pcc-bidding", "two-tier-county", "renamed-and-merged"]

Choices = dict[str, bool]


class SaysWhatItWasTold(ResponsibleAuthority):
    """Overrides every decision and decides nothing else, each time in a new dictionary."""

    asked: list[str]

    def note(self, point: str) -> None:
        self.asked = [*getattr(self, "asked", []), point]

    def table(self, intentions: Choices) -> Choices:
        self.note("table")
        return dict(intentions)

    def challenge(self, intentions: Choices) -> Choices:
        self.note("challenge")
        return dict(reversed(intentions.items()))

    def pledge(self, hours: float) -> float:
        self.note("pledge")
        return hours

    def evaluate(self, intentions: Choices) -> Mapping[str, bool]:
        self.note("evaluate")
        return {}


class NeverChallenges(ResponsibleAuthority):
    def challenge(self, intentions: Choices) -> Choices:
        return dict.fromkeys(intentions, False)


class AlwaysChallenges(ResponsibleAuthority):
    def challenge(self, intentions: Choices) -> Choices:
        return dict.fromkeys(intentions, True)


class AlwaysEvaluates(ResponsibleAuthority):
    def evaluate(self, intentions: Choices) -> Choices:
        return dict.fromkeys(intentions, True)


class TablesEverything(ResponsibleAuthority):
    def table(self, intentions: Choices) -> Choices:
        return dict.fromkeys(intentions, True)


class PledgesNothing(ResponsibleAuthority):
    def pledge(self, hours: float) -> float:
        return 0


def finished(scenario: Scenario | str = "baseline", **settings: Any) -> PartnershipModel:
    model = PartnershipModel(scenario, **settings)
    model.run_model()
    return model


def replicate_of(frame: pd.DataFrame, replicate: int) -> pd.DataFrame:
    return frame[frame["replicate"] == replicate].reset_index(drop=True)


def made(model: PartnershipModel, column: str = "challenges_made") -> "pd.Series[float]":
    return model.results.authorities.set_index(["partnership", "authority"])[column]


def area(model: PartnershipModel, outcome: str) -> float:
    return float(model.outcomes.set_index("partnership").loc["area", outcome])


def short(**changes: Any) -> Scenario:
    return load_scenario("baseline").with_changes(SHORT | changes)


# --------------------------------------------------------------------------------------- the same numbers as a sweep


@pytest.mark.parametrize("name", SCENARIOS)
def test_run_k_is_replicate_k_of_simulate_to_the_last_digit(name: str) -> None:
    results = simulate(name, replicates=3, seed=11, months=True)
    for replicate in (0, 2):
        told = finished(name, seed=11, replicate=replicate, agents={"ResponsibleAuthority": SaysWhatItWasTold})
        for model in (finished(name, seed=11, replicate=replicate), told):
            assert_frame_equal(model.months, replicate_of(results.months, replicate), check_exact=True)
            assert_frame_equal(model.outcomes, replicate_of(results.runs, replicate), check_exact=True)
            assert_frame_equal(model.results.authorities, replicate_of(results.authorities, replicate), check_exact=True)
        asked = {point for agent in told.agents.select(agent_type=SaysWhatItWasTold) for point in getattr(agent, "asked", [])}
        assert asked == {"table", "challenge", "pledge", "evaluate"}
    assert not results.months.drop(columns="replicate").iloc[:400].equals(replicate_of(results.months, 2).drop(columns="replicate")[:400])


def test_seed_and_replicate_make_a_difference() -> None:
    runs = [finished(short(), seed=seed, replicate=replicate).months["true_crimes"] for seed, replicate in ((1, 0), (2, 0), (1, 1))]
    assert not runs[0].equals(runs[1])
    assert not runs[0].equals(runs[2])


def test_months_grow_step_by_step_and_stop_at_the_end() -> None:
    model = PartnershipModel(short())
    assert (len(model.months), len(model.outcomes), model.steps, str(model.date)) == (0, 3, 0, "2008-03-01")
    assert list(model.months) == ["replicate", "partnership", "month", *OUTCOMES]
    for expected in ("2008-04-01", "2008-05-01"):
        model.step()
        assert (str(model.date), model.running) == (expected, True)
    whole = simulate(short(), replicates=1, months=True).months
    assert_frame_equal(model.months, whole[whole["month"] < "2008-06-01"].reset_index(drop=True), check_exact=True)
    model.run_model()
    assert (model.steps, model.running, str(model.date)) == (24, False, "2010-03-01")
    model.step()
    assert (model.steps, len(model.months)) == (24, 3 * 24)


def test_two_models_at_once_share_nothing() -> None:
    alone = finished(short()).months
    first, second = PartnershipModel(short()), PartnershipModel(short(), agents={"ResponsibleAuthority": AlwaysChallenges})
    while first.running:
        first.step()
        second.step()
    assert_frame_equal(first.months, alone, check_exact=True)
    assert not second.months.equals(alone)
    assert not np.shares_memory(first.run.state.numbers, second.run.state.numbers)
    assert not set(first.agents) & set(second.agents)


def test_a_model_that_nobody_needs_is_forgotten() -> None:
    model = finished(short())
    gone = weakref.ref(model)
    assert [agent.unique_id for agent in model.agents] == list(range(1, 15))
    del model
    gc.collect()
    assert gone() is None


# ---------------------------------------------------------------------------------------------- decisions of their own


def test_a_local_authority_that_never_challenges() -> None:
    usual, silent = finished(), finished(agents={"local_authority": NeverChallenges})
    assert made(usual).xs("local_authority", level="authority").sum() > 0
    assert made(silent).xs("local_authority", level="authority").sum() == 0
    assert made(silent).drop("local_authority", level="authority").sum() > 0


def test_at_the_first_meeting_nobody_else_changes() -> None:
    """What the others mean to do does not depend on a decision that is taken at the same time."""
    scenario = short(**{"uncertainties.challenge_base": -1})
    usual, silent = PartnershipModel(scenario), PartnershipModel(scenario, agents={"local_authority": NeverChallenges})
    tally = AuthorityTally.CHALLENGES_MADE
    while not usual.run.state.authority_tallies[:, usual.authority_names.index("local_authority"), tally].any():
        usual.step()
        silent.step()
    ours = usual.authority_names.index("local_authority")
    expected = usual.run.state.authority_tallies[:, :, tally].copy()
    assert np.delete(expected, ours, axis=1).sum() > 0
    expected[:, ours] = 0
    np.testing.assert_array_equal(silent.run.state.authority_tallies[:, :, tally], expected)


def test_authorities_that_always_evaluate_raise_the_evaluated_share() -> None:
    scenario = load_scenario("baseline")
    assert area(finished(scenario, agents={"ResponsibleAuthority": AlwaysEvaluates}), "evaluated_share") > 1.5 * area(
        finished(scenario), "evaluated_share"
    )


def test_tabling_and_pledging_are_obeyed() -> None:
    usual = finished(short())
    everything = finished(short(), agents={"ResponsibleAuthority": TablesEverything})
    assert area(everything, "proposals_tabled") > area(usual, "proposals_tabled")
    nothing = finished(short(), agents={"ResponsibleAuthority": PledgesNothing})
    partners = made(nothing, "delivery_hours").drop("local_authority", level="authority")
    assert made(usual, "delivery_hours").drop("local_authority", level="authority").sum() > 0
    assert partners.sum() == 0
    assert area(nothing, "local_authority_hours_share") > area(usual, "local_authority_hours_share")


@pytest.mark.parametrize("kind", [AlwaysChallenges, AlwaysEvaluates, TablesEverything, PledgesNothing])
def test_an_override_moves_nobody_elses_luck(kind: type[ResponsibleAuthority]) -> None:
    """Where nothing passes between two partnerships, what one decides leaves every number of the other alone."""
    changes = {"partnerships.lambeth.neighbours.sutton": 0, "partnerships.sutton.neighbours.lambeth": 0, "time.last_month": "2012-03"}
    scenario = load_scenario("baseline").with_changes(changes | {"time.window_from": "2009-04"})
    agents = {f"lambeth/{name}": kind for name in scenario.data.authorities}
    usual, other = finished(scenario).months.set_index("partnership"), finished(scenario, agents=agents).months.set_index("partnership")
    assert_frame_equal(other.loc[["sutton"]], usual.loc[["sutton"]], check_exact=True)
    assert not other.loc[["lambeth"]].equals(usual.loc[["lambeth"]])
    assert other.loc["lambeth", "twin_cost_of_crime"].equals(usual.loc["lambeth", "twin_cost_of_crime"])


def test_overriding_agents_do_not_act_in_the_warm_up() -> None:
    usual, other = PartnershipModel(short()), PartnershipModel(short(), agents={"ResponsibleAuthority": AlwaysChallenges})
    np.testing.assert_array_equal(usual.run.state.numbers, other.run.state.numbers)


def test_only_members_are_asked_and_only_when_there_is_something_to_decide() -> None:
    asked: set[tuple[str, str, str]] = set()

    def asks(point: str) -> Any:
        def decide(self: ResponsibleAuthority, intention: Any) -> Any:
            asked.add((point, self.name, f"{self.model.date:%Y-%m}"))
            if point == "challenge":
                sponsors = {item.intervention: item.sponsor for item in self.partnership.on_the_table}
                assert set(intention) == {name for name, sponsor in sponsors.items() if sponsor != self.name}
            return intention

        return decide

    points = ("table", "challenge", "pledge", "evaluate")
    finished(agents={"ResponsibleAuthority": type("Asked", (ResponsibleAuthority,), {point: asks(point) for point in points})})
    when = {point: {month for asked_point, _, month in asked if asked_point == point} for point in points}
    assert len(when["pledge"]) == 120
    assert when["challenge"] <= when["table"]
    assert {month[5:] for month in when["table"]} == {"01", "04", "07", "10"}
    assert {month[5:] for month in when["evaluate"]} == {"12"}
    assert {name for point, name, _ in asked if point == "pledge"} == set(load_scenario("baseline").data.authorities) - {"local_authority"}
    months = {name: {month for _, asked_name, month in asked if asked_name == name} for name in ("police_authority", "probation")}
    assert (max(months["police_authority"]), min(months["probation"])) == ("2011-12", "2010-04")


def test_all_decide_on_the_same_sight_of_things() -> None:
    seen: list[list[str]] = []

    class Looks(ResponsibleAuthority):
        def challenge(self, intentions: Choices) -> Choices:
            seen.append([name for other in self.partnership.members if other is not self for name in other.challenges])
            return dict.fromkeys(intentions, True)

    silent = short(**{"switches.challenge": False})
    model = PartnershipModel(silent, agents={"ResponsibleAuthority": Looks})
    while not seen:
        model.step()
    assert seen == [[]] * len(seen)
    assert sum(agent.challenges_made for agent in model.agents.select(agent_type=Looks)) > 0


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_no_decisions_break_the_accounts(luck: int) -> None:
    draw = np.random.default_rng(luck)

    class Erratic(ResponsibleAuthority):
        def table(self, intentions: Choices) -> Choices:
            return {name: bool(draw.random() < 0.3) for name in intentions if draw.random() < 0.9}

        challenge = evaluate = table

        def pledge(self, hours: float) -> float:
            return float(draw.exponential(200))

    model = PartnershipModel(short(), agents={"ResponsibleAuthority": Erratic})
    while model.running:
        model.step()
        tallies = model.run.state.tallies
        money_in = tallies[:, Tally.CARRIED_IN] + tallies[:, Tally.RECEIVED]
        money_out = tallies[:, Tally.SPENT] + tallies[:, Tally.RETURNED] + tallies[:, Tally.CARRIED_OUT]
        np.testing.assert_allclose(money_in, money_out, atol=0.005)
        assert np.isfinite(model.run.state.numbers).all()


# ------------------------------------------------------------------------------------------- decisions that cannot be


def deciding(point: str, answer: Any) -> type[ResponsibleAuthority]:
    def decide(self: ResponsibleAuthority, intention: Any) -> Any:
        return answer

    return type("Stubborn", (ResponsibleAuthority,), {point: decide})


@pytest.mark.parametrize(
    ("point", "answer", "message"),
    [
        ("table", {"hot_spot_policing": True}, "Stubborn.table returned 'hot_spot_policing', which is no intervention; did you mean"),
        ("table", {"knife_bins": 1}, "Stubborn.table returned 1 for 'knife_bins': expected True or False"),
        ("table", None, "Stubborn.table returned None: expected a dictionary"),
        ("table", ["knife_bins"], "expected a dictionary"),
        ("challenge", {"knife_bin": False}, "no intervention"),
        ("evaluate", {"cctv": True}, "no intervention"),
        ("pledge", -1, "Stubborn.pledge returned -1: expected hours this month, 0 or more"),
        ("pledge", float("nan"), "expected hours"),
        ("pledge", float("inf"), "expected hours"),
        ("pledge", "many", "expected hours"),
        ("pledge", None, "expected hours"),
        ("pledge", True, "expected hours"),
    ],
)
def test_an_impossible_decision_is_refused_in_words(point: str, answer: Any, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        finished(short(), agents={"ResponsibleAuthority": deciding(point, answer)})


def test_an_item_that_is_not_on_the_table_cannot_be_challenged() -> None:
    class Mistaken(ResponsibleAuthority):
        def challenge(self, intentions: Choices) -> Choices:
            absent = next(name for name in self.model.interventions if name not in intentions)
            return {absent: True}

    with pytest.raises(ValueError, match=r"Mistaken.challenge returned '\w+', which is not up for this decision"):
        finished(short(), agents={"police": Mistaken})


def test_a_month_whose_decision_fails_has_not_happened() -> None:
    class FailsOnce(ResponsibleAuthority):
        failed = False

        def pledge(self, hours: float) -> float:
            if str(self.model.date) == "2008-07-01" and not FailsOnce.failed:
                FailsOnce.failed = True
                raise ArithmeticError("a slip")
            return hours

    model = PartnershipModel(short(), agents={"police": FailsOnce})
    for _ in range(3):
        model.step()
    before = model.run.state.numbers.copy()
    with pytest.raises(ArithmeticError):
        model.step()
    np.testing.assert_array_equal(model.run.state.numbers, before)
    assert (model.steps, str(model.date)) == (3, "2008-06-01")
    model.run_model()
    assert_frame_equal(model.months, finished(short()).months, check_exact=True)


# ------------------------------------------------------------------------------------------------ who takes whose place


def test_keys_from_the_narrowest_to_the_widest() -> None:
    kinds = [type(f"Kind{k}", (ResponsibleAuthority,), {}) for k in range(5)]
    keys = ["lambeth/health", "health", "treatment", "health_data", "ResponsibleAuthority"]
    model = PartnershipModel(short(), agents=dict(zip(keys, kinds, strict=True)))
    tables = {place.name: place.authorities for place in model.agents.select(agent_type=Partnership)}
    assert type(tables["lambeth"]["health"]) is kinds[0]
    assert type(tables["sutton"]["health"]) is kinds[1]
    assert type(tables["sutton"]["fire"]) is kinds[4]
    by_role = PartnershipModel(short(), agents={"treatment": kinds[2], "Coordinator": kinds[3], "Police": kinds[4]})
    found = {agent.name: type(agent) for agent in by_role.agents.select(agent_type=ResponsibleAuthority)}
    assert (found["health"], found["local_authority"], found["police"], found["fire"]) == (*kinds[2:], ResponsibleAuthority)


def test_classes_follow_roles_not_names() -> None:
    for name in SCENARIOS:
        model = PartnershipModel(name)
        for agent in model.agents.select(agent_type=ResponsibleAuthority):
            roles = model.run.scenario.data.authorities[agent.name].roles
            assert isinstance(agent, Coordinator) == ("coordinator" in roles)
            assert isinstance(agent, Police) == ("police" in roles)
            assert set(agent.roles) == (set(roles) & set(model.roles) if agent.sits else set())


def test_institutions_can_be_replaced_too() -> None:
    class Whitehall(HomeOffice):
        pass

    class Table(Partnership):
        pass

    model = PartnershipModel(short(), agents={"HomeOffice": Whitehall, "Partnership": Table})
    assert [len(model.agents_by_type[kind]) for kind in (Whitehall, Table, Commissioner)] == [1, 2, 1]


@pytest.mark.parametrize(
    ("agents", "error", "message"),
    [
        (
            {"local_autority": NeverChallenges},
            ValueError,
            "no authority, role or class 'local_autority'; did you mean \"local_authority\"?",
        ),
        ({"lambet/police": NeverChallenges}, ValueError, 'did you mean "lambeth/police"?'),
        ({"police": "NeverChallenges"}, TypeError, "expected a class of agents for 'police', found 'NeverChallenges'"),
        ({"police": int}, TypeError, "expected a class of agents"),
        (
            {"police": HomeOffice},
            TypeError,
            "HomeOffice cannot take the place of lambeth/police: expected a subclass of ResponsibleAuthority",
        ),
        ({"HomeOffice": NeverChallenges}, TypeError, "expected a subclass of HomeOffice"),
        ("local_authority", TypeError, "batch_run needs a list of dictionaries"),
    ],
)
def test_a_wrong_replacement_is_refused_in_words(agents: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=re.escape(message)):
        PartnershipModel(short(), agents=agents)


def test_keyword_arguments_only_and_changes_by_dotted_key() -> None:
    model = PartnershipModel(scenario="baseline", seed=4, replicate=2, agents=None, **{"levers.grant.multiplier": 0.5, **SHORT})
    same = load_scenario("baseline").with_changes({"levers.grant.multiplier": 0.5, **SHORT})
    assert_frame_equal(finished(same, seed=4, replicate=2).months, (model.run_model(), model.months)[1], check_exact=True)
    with pytest.raises(TypeError, match=r"no argument 'replicat'; did you mean \"replicate\""):
        PartnershipModel(replicat=2)
    with pytest.raises(ScenarioError, match=r'levers\.grent: unknown lever; did you mean "grant"'):
        PartnershipModel(**{"levers.grent.multiplier": 0.5})
    with pytest.raises(ScenarioError, match="baselin"):
        PartnershipModel("baselin")


def test_a_scenario_file_that_changes_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    for multiplier in (0.5, 2.0):
        file.write_text(f'extends = "baseline"\ntitle = "Mine"\n[levers.grant]\nmultiplier = {multiplier}\n', encoding="utf-8")
        os.utime(file, ns=(0, int(multiplier * 1e9)))
        assert PartnershipModel(str(file)).run.scenario.data.levers["grant"].multiplier == multiplier


# ------------------------------------------------------------------------------------------------------- what agents show


def test_an_authority_shows_its_own_row() -> None:
    model = PartnershipModel()
    for _ in range(34):  # January 2011: a meeting that plans
        model.step()
    assert str(model.date) == "2011-01-01"
    state, world = model.run.state, model.run.world
    for agent in model.agents.select(agent_type=ResponsibleAuthority):
        p, a = agent.partnership.row, agent.row
        assert (model.partnerships[p], model.authority_names[a]) == (agent.partnership.name, agent.name)
        assert agent.sits == bool(world.member[p, a, model.month])
        assert agent.budget == world.hours[p, a, model.month] * world.hourly_cost[a] + world.match_funds[p, a, model.month]
        assert agent.hours == pytest.approx(state.authority_tallies[p, a, AuthorityTally.HOURS])
        assert agent.workload == state.load[p, a]
        assert agent.available_hours == state.available[p, a]
        assert agent.representative._asdict() == {trait.name.lower(): state.traits[p, a, trait] for trait in Trait}
        assert len(agent.challenges) == state.challenges[p, a].sum()
        assert agent.challenges_made == state.authority_tallies[p, a, AuthorityTally.CHALLENGES_MADE]
        i = model.index_of("knife_bins")
        assert agent.believes("knife_bins") == (state.belief[p, a, i], sqrt(state.belief_variance[p, a, i]))
    lambeth = next(iter(model.agents.select(agent_type=Partnership)))
    police, council = lambeth.authorities["police"], lambeth.authorities["local_authority"]
    assert police.trust_in("local_authority") == police.trust_in(council) == state.trust[0, police.row, council.row]
    assert police.trust_in(council) != council.trust_in(police)
    assert isinstance(council, Coordinator)
    assert isinstance(police, Police)
    assert (council.posts, police.strength) == (state.posts[0], world.strength[0, model.month])


def test_names_that_do_not_exist_get_the_nearest() -> None:
    model = PartnershipModel(short())
    lambeth, sutton = model.agents.select(agent_type=Partnership)
    police = lambeth.authorities["police"]
    with pytest.raises(ValueError, match='did you mean "knife_bins"'):
        police.believes("knife_bin")
    for stranger in ("local_autority", police, "police", sutton.authorities["local_authority"]):
        with pytest.raises(ValueError, match="has no partner"):
            police.trust_in(stranger)


def test_a_partnership_shows_its_projects_and_its_table() -> None:
    model = PartnershipModel()
    for _ in range(34):
        model.step()
    state, calendar = model.run.state, model.run.calendar
    for place in model.agents.select(agent_type=Partnership):
        p = place.row
        assert place.balance == state.balance[p]
        assert list(place.recorded_crimes.values()) == state.recorded_year[p].tolist()
        assert len(place.projects) == (state.units[p] > 0).sum() > 0
        for project in place.projects:
            i = model.index_of(project.intervention)
            assert (project.units, project.dose) == (state.units[p, i], state.dose[p, i])
            assert project.since == calendar.months[state.since[p, i]]
            assert project.since <= project.starts
            assert (project.ends.month, project.ends >= model.date) == (3, True)
            assert place.authorities[project.lead].sits
        assert len(place.on_the_table) == state.on_table[p].sum() > 0
        for item in place.on_the_table:
            assert item.claim == state.claim[p, model.index_of(item.intervention)]
            assert place.authorities[item.sponsor].row == state.sponsor[p, model.index_of(item.intervention)]
        assert {agent.name for agent in place.members} == {name for name, agent in place.authorities.items() if agent.sits}


def test_commissioner_and_home_office() -> None:
    model = finished("pcc-bidding")
    (commissioner,), (office,) = model.agents_by_type[Commissioner], model.agents_by_type[HomeOffice]
    assert commissioner.pot > 0
    assert commissioner.awards == dict(zip(model.partnerships, model.run.state.award, strict=True))
    assert 0 < sum(commissioner.awards.values()) < commissioner.pot - commissioner.own_priorities
    levers = model.run.world.levers
    assert (office.target_pressure, office.audit) == (levers.targets[-1], levers.audit[-1])
    assert HomeOffice.grants.fget is not None
    assert PartnershipModel().agents_by_type[HomeOffice][0].grants > 0


def test_authorities_come_and_go_but_stay_in_sight() -> None:
    model = PartnershipModel()
    authority, probation = (model.agents.select(lambda agent, name=name: agent.name == name) for name in ("police_authority", "probation"))
    sat: list[tuple[bool, bool]] = []
    while model.running:
        model.step()
        sat.append((authority[0].sits, probation[0].sits))
    assert sat[0] == (True, False)
    assert sat[24] == (True, True)
    assert sat[-1] == (False, True)


def test_no_agent_shows_what_interventions_truly_do() -> None:
    """The truth is changed behind everybody's back; nobody sees anything else than before."""

    def sight(model: PartnershipModel) -> str:
        parts = []
        for agent in model.agents:
            names = [name for name in dir(type(agent)) if isinstance(getattr(type(agent), name), property)]
            parts += [(agent.unique_id, name, repr(getattr(agent, name))) for name in names if name not in ("random", "rng", "scenario")]
            if isinstance(agent, ResponsibleAuthority):
                parts += [repr(agent.believes(name)) for name in model.interventions]
        return repr(parts)

    model = PartnershipModel()
    for _ in range(34):
        model.step()
    before = sight(model)
    model.run.world.effect[:] = 0.123456
    model.run.world.reach[:] = 0.123456
    assert sight(model) == before
    assert "believ" not in before
    assert "Belief(" in before


# ----------------------------------------------------------------------------------------------------------- Mesa's tools


def test_agent_sets() -> None:
    model = PartnershipModel(short())
    model.step()
    authorities = model.agents.select(agent_type=ResponsibleAuthority)
    assert len(authorities) == 2 * 5  # probation would come a month after this run
    assert authorities.select(lambda agent: agent.sits).agg("budget", sum) == pytest.approx(sum(agent.budget for agent in authorities))
    assert set(authorities.groupby("partnership_name").groups) == {"lambeth", "sutton"}
    assert authorities.get("name")[:2] == ["police", "police_authority"]
    before = model.run.state.numbers.copy()
    seen: list[str] = []
    for order in (model.agents.do, model.agents.shuffle_do):
        order("step")
        order(lambda agent: seen.append(agent.name))
    model.agents.shuffle(inplace=True)
    assert sorted(seen) == sorted([*model.agents.get("name"), *model.agents.get("name")])
    np.testing.assert_array_equal(model.run.state.numbers, before)
    model.run_model()
    assert_frame_equal(model.months, finished(short()).months, check_exact=True)


def test_the_data_collector_has_the_same_series_under_the_same_names() -> None:
    model = finished(short())
    whole = model.months[model.months["partnership"] == "area"].reset_index(drop=True)
    series = model.datacollector.get_model_vars_dataframe()
    assert list(series) == list(OUTCOMES)
    assert_frame_equal(series, whole[list(OUTCOMES)], check_exact=True)
    table = model.datacollector.get_table_dataframe("months").sort_values(["partnership", "month"], ignore_index=True)
    assert_frame_equal(table, model.months.sort_values(["partnership", "month"], ignore_index=True), check_exact=True, check_dtype=True)
    agents = model.datacollector.get_agent_vars_dataframe()
    assert list(agents) == list(AGENT_COLUMNS)
    assert agents.index.names == ["Step", "AgentID"]
    assert len(agents) == 24 * len(model.agents)
    per_month = agents.groupby("Step")["hours_worked"].sum().reset_index(drop=True)
    np.testing.assert_allclose(per_month, series["hours"])
    assert not set(AGENT_COLUMNS) & (set(OUTCOMES) | {"scenario", "seed", "replicate", "agents"})


@pytest.mark.parametrize("processes", [1, 2])
def test_batch_run(processes: int) -> None:
    rows = mesa.batch_run(
        PartnershipModel,
        {
            "scenario": ["baseline", "no-cuts"],
            "seed": [7],
            "replicate": range(2),
            "agents": [{"local_authority": NeverChallenges}],
            "time.last_month": ["2008-09"],
            "time.window_from": "2008-04",
        },
        number_processes=processes,
        data_collection_period=1,
        display_progress=False,
    )
    frame = pd.DataFrame(rows)
    assert len(frame) == 2 * 2 * 6 * 14
    assert set(zip(frame["scenario"], frame["replicate"], strict=True)) == {(s, k) for s in ("baseline", "no-cuts") for k in range(2)}
    changes = {"time.last_month": "2008-09", "time.window_from": "2008-04"}
    expected = finished("baseline", seed=7, replicate=1, agents={"local_authority": NeverChallenges}, **changes)
    one = frame[(frame["scenario"] == "baseline") & (frame["replicate"] == 1)]
    first_agent = one.drop_duplicates("Step").sort_values("Step")
    area_rows = expected.months[expected.months["partnership"] == "area"]
    np.testing.assert_array_equal(first_agent[list(OUTCOMES)].to_numpy(float), area_rows[list(OUTCOMES)].to_numpy())
    # what stands beside each other in a row is of the same month
    np.testing.assert_allclose(one.groupby("Step")["hours_worked"].sum(), first_agent["hours"])


def test_a_step_costs_little_more_than_a_month() -> None:
    run = Run("baseline")
    run.warm_up()
    model = PartnershipModel("baseline")
    months, steps = [], []
    while model.running:
        start = perf_counter()
        run.advance()
        middle = perf_counter()
        model.step()
        months.append(middle - start)
        steps.append(perf_counter() - middle)
    assert median(steps) <= 5 * median(months) + 0.0005


# ------------------------------------------------------------------------------------------------ interpreted, and the docs

INTERPRETED = """
from pandas.testing import assert_frame_equal
from cspsim.mesa_model.agents import ResponsibleAuthority
from cspsim.model.compiled import INTERPRETED
from cspsim.mesa_model.partnership_model import PartnershipModel
from cspsim.scenario.scenario import load_scenario
from cspsim.running.simulation import simulate

class Own(ResponsibleAuthority):
    def table(self, intentions): return intentions
    def challenge(self, intentions): return intentions
    def pledge(self, hours): return hours
    def evaluate(self, intentions): return intentions

assert INTERPRETED
changes = {"time.last_month": "2008-12", "time.window_from": "2008-06", "time.warm_up_months": 12}
scenario = load_scenario("baseline").with_changes(changes)
model = PartnershipModel(scenario, agents={"ResponsibleAuthority": Own})
model.run_model()
assert_frame_equal(model.months, simulate(scenario, replicates=1, months=True, threads=1).months, check_exact=True)
print(len(model.months))
"""


def test_the_model_runs_interpreted() -> None:
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1", "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)])}
    done = subprocess.run([sys.executable, "-c", INTERPRETED], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "27"


def test_the_how_to_runs_as_it_stands() -> None:
    text = (ROOT / "docs" / "how-to-subclass-an-agent.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    assert len(blocks) == 4
    names: dict[str, Any] = {"__name__": "how_to"}
    for block in blocks:
        exec(block, names)
    for cited in re.findall(r"`self\.(?:partnership)?\.?(\w+)", text):
        assert hasattr(ResponsibleAuthority, cited) or hasattr(Partnership, cited) or cited == "partnership"
    for intervention in re.findall(r'believes\("(\w+)"\)', text):
        assert intervention in load_scenario("baseline").data.interventions
