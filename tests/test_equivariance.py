"""What must not matter does not: the order of a file, the neighbours one does not have, the unit of money, anybody's name."""

import tomllib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as some
from pydantic import BaseModel
from worlds import tiny_world

from cspsim.model.luck import new_luck
from cspsim.model.month import begin_run, run_month
from cspsim.model.state import axes_of_state
from cspsim.model.structures import packed
from cspsim.model.uncertainties import Uncertainties
from cspsim.model.world import World
from cspsim.running.outcomes import OUTCOMES, outcomes_of
from cspsim.running.results import with_area
from cspsim.running.simulation import state_for
from cspsim.scenario.scenario import load_scenario
from cspsim.scenario.schema import Number, ScenarioData, register_of
from cspsim.scenario.world_building import build_world

Plain = dict[str, Any]
Fields = dict[str, np.ndarray]

ORDERED = {"partnership": "partnerships", "authority": "authorities", "intervention": "interventions", "crime_type": "crime_types"}
"""Axis of the state -> section of a scenario whose order it follows."""

few = settings(
    deadline=None, max_examples=12, derandomize=True, suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.generate]
)
"""Few examples, and no search for a smaller one when one fails: an order of names has no size."""


def tiny() -> ScenarioData:
    return ScenarioData.model_validate(tomllib.loads(tiny_world()))


def plain(data: ScenarioData) -> Plain:
    return data.model_dump(by_alias=True, exclude_none=True)


def changed(data: ScenarioData, changes: Callable[[Plain], None]) -> ScenarioData:
    """The same data after ``changes`` to its plain form."""
    raw = plain(data)
    changes(raw)
    return ScenarioData.model_validate(raw)


def fields_by_month(world: World, replicate: int = 0) -> Fields:
    """Every array of the state at the end of every month, ``[month, *axes]``, and the tallies of the window under "window"."""
    state, luck = state_for(world), new_luck(1, replicate)
    world_pointer, state_pointer = packed(world), packed(state)
    begin_run(world_pointer, state_pointer, luck)
    kept: dict[str, list[np.ndarray]] = {name: [] for name in axes_of_state()}
    for month in range(world.counted.shape[0]):
        run_month(world_pointer, state_pointer, luck, month)
        for name, months in kept.items():
            months.append(getattr(state, name).copy())
    found = {name: np.array(months) for name, months in kept.items()}
    found["window"] = found["tallies"][world.counted == 1].sum(axis=0)
    return found


DECISIONS = (
    "tabled",
    "on_table",
    "sponsor",
    "challenges",
    "units",
    "units_next",
    "since",
    "starts",
    "ends",
    "evaluates",
    "evaluated",
    "generation",
)


# -------------------------------------------------------------------------------------------------- permutations


def reordered(data: ScenarioData, orders: Mapping[str, list[str]]) -> ScenarioData:
    """The same data with sections in another order, and every table inside them turned round as well."""
    sections = {name: {key: getattr(data, name)[key] for key in order} for name, order in orders.items()}
    turned = {
        "partnerships": lambda entry: {"recorded": turn(entry.recorded), "level": turn(entry.level), "neighbours": turn(entry.neighbours)},
        "authorities": lambda entry: {"remit": turn(entry.remit), "roles": entry.roles[::-1]},
        "interventions": lambda entry: {"profile": turn(entry.profile), "needs": entry.needs[::-1]},
    }
    for name, update in turned.items():
        entries = sections.get(name, getattr(data, name))
        sections[name] = {key: entry.model_copy(update=update(entry)) for key, entry in entries.items()}
    return data.model_copy(update=sections)


def turn(table: Mapping[str, Any]) -> Plain:
    return dict(reversed(table.items()))


def assert_only_permuted(data: ScenarioData, orders: Mapping[str, list[str]]) -> None:
    """Run the data in both orders: the second run's arrays are the first's, with their axes permuted."""
    first, second = (fields_by_month(build_world(each)) for each in (data, reordered(data, orders)))
    old = {axis: list(getattr(data, section)) for axis, section in ORDERED.items()}
    new = {axis: list(orders.get(section, old[axis])) for axis, section in ORDERED.items()}
    place = {axis: [new[axis].index(name) for name in old[axis]] for axis in ORDERED}
    place["claimant"] = [*place["partnership"], len(place["partnership"])]
    back = np.array([*(old["authority"].index(name) for name in new["authority"]), -1])
    for name, axes in axes_of_state().items():
        there, here = second[name], first[name]
        for position, axis in enumerate(axes.axes.split(), start=1):
            if axis in place:
                there = there.take(place[axis], axis=position)
        if name == "sponsor":
            there = back[there]  # whose number this is has changed too; -1 is nobody
        if name in DECISIONS:
            assert np.array_equal(here, there), f"{name}: decisions moved"
        np.testing.assert_allclose(there, here, rtol=1e-9, atol=1e-9 * max(1.0, float(np.abs(here).max(initial=0))), err_msg=name)


def some_orders(data: ScenarioData) -> some.SearchStrategy[dict[str, list[str]]]:
    sections = [*ORDERED.values(), "grants", "events", "uncertainties", "levers", "switches"]
    return some.fixed_dictionaries({section: some.permutations(list(getattr(data, section))) for section in sections})


def tied() -> ScenarioData:
    """A world full of ties: interventions that nothing tells apart, people who all think and trust alike and never learn."""

    def make_alike(raw: Plain) -> None:
        raw["uncertainties"] = dict.fromkeys(("prior_error", "personality_spread", "implementation_spread"), 0.0)
        raw["uncertainties"] |= {"own_lead_preference": 1.0, "proposals_per_authority": 2}
        raw["switches"] |= dict.fromkeys(("turnover", "trust_dynamics", "challenge", "evaluation", "optimism"), False)
        for entry in raw["interventions"].values():
            entry |= {"lead": "coordinator", "effect": 0.2, "profile": {"burglary": 0.5, "violence": 0.5}, "threshold": 0}
        for entry in raw["authorities"].values():
            entry |= {"remit": {"burglary": 0.5, "violence": 0.5}, "hours": 2000}

    return changed(tiny(), make_alike)


class TestOrder:
    @few
    @given(some_orders(tiny()))
    def test_of_everything_in_the_tiny_world(self, orders: dict[str, list[str]]) -> None:
        assert_only_permuted(tiny(), orders)

    @few
    @given(some_orders(tied()))
    def test_of_everything_where_everything_ties(self, orders: dict[str, list[str]]) -> None:
        assert_only_permuted(tied(), orders)

    def test_ties_do_happen(self) -> None:
        """Else the test above would show nothing: the same proposals score the same to the last bit, at every table."""
        found = fields_by_month(build_world(tied()))
        for meeting in (0, 9, 33):
            assert found["score"][meeting, 0].max() > 0
            assert np.all(found["score"][meeting, 0] == found["score"][meeting, 0, 0, 0])
        assert 0 < found["units"].sum() < found["units"].size  # and not everything is bought: somebody chose

    @pytest.mark.parametrize("section", ORDERED.values())
    def test_of_one_section_of_the_baseline(self, section: str) -> None:
        data = load_scenario("baseline").data
        assert_only_permuted(data, {section: list(getattr(data, section))[::-1]})

    @settings(few, max_examples=3)
    @given(some_orders(load_scenario("baseline").data))
    def test_of_everything_in_the_baseline(self, orders: dict[str, list[str]]) -> None:
        assert_only_permuted(load_scenario("baseline").data, orders)

    @pytest.mark.parametrize("name", ["two-tier-county", "renamed-and-merged", "two-districts-2026-mayor", "thesis-recommendations"])
    def test_of_everything_elsewhere(self, name: str) -> None:
        data = load_scenario(name).data
        assert_only_permuted(data, {section: list(getattr(data, section))[::-1] for section in [*ORDERED.values(), "grants", "events"]})


# ------------------------------------------------------------------------------------------------------ newcomers


def with_a_borough(data: ScenarioData, name: str = "a_third") -> ScenarioData:
    """The same with one more borough, first in the file: the outer one's twin in all but name."""

    def add(raw: Plain) -> None:
        newcomer = raw["partnerships"]["outer"] | {"title": "Another borough", "neighbours": {}}
        raw["partnerships"] = {name: newcomer} | raw["partnerships"]

    return changed(data, add)


def money_straight_and_no_neighbours(data: ScenarioData) -> ScenarioData:
    def simplify(raw: Plain) -> None:
        raw["grants"]["pot"]["amount"] = {"path": {"2010-04": 0}}
        for entry in raw["partnerships"].values():
            entry["neighbours"] = {}

    return changed(data, simplify)


def without_first(found: Fields, axis: str) -> Fields:
    """The arrays without the first entry of an axis."""
    kept = {}
    for name, axes in axes_of_state().items():
        kept[name] = found[name]
        for position, other in enumerate(axes.axes.split(), start=1):
            if other == axis:
                kept[name] = np.delete(kept[name], 0, axis=position)
    return kept


OF_LUCK_ALONE = ("common_shock", "local_shock", "signal", "evidence", "traits", "generation")


class TestNewcomers:
    def test_a_borough_leaves_the_luck_of_the_others_alone(self) -> None:
        """Draws, personalities, slow shocks and signals are the same although the money is shared with one more."""

        def share_by_need(raw: Plain) -> None:
            raw["levers"] |= {"weight_flat": {"path": {"2010-04": 0}}, "weight_relationship": {"path": {"2010-04": 1}}}

        data = changed(tiny(), share_by_need)
        before = fields_by_month(build_world(data))
        after = without_first(fields_by_month(build_world(with_a_borough(data))), "partnership")
        for name in OF_LUCK_ALONE:
            assert np.array_equal(before[name], after[name]), f"{name} moved"
            assert len(np.unique(before[name])) > 1, f"{name} shows nothing"
        assert not np.array_equal(before["allocation"], after["allocation"])

    def test_a_borough_changes_nothing_for_those_it_does_not_touch(self) -> None:
        data = money_straight_and_no_neighbours(tiny())
        before = fields_by_month(build_world(data))
        after = without_first(fields_by_month(build_world(with_a_borough(data))), "partnership")
        for name, axes in axes_of_state().items():
            if "partnership" in axes.axes.split() or name in OF_LUCK_ALONE:
                assert before[name].tobytes() == after[name].tobytes(), f"{name} moved"
        assert before["units"].max() > 0

    def test_boroughs_have_luck_of_their_own(self) -> None:
        """A borough that is another's twin in all but name does not repeat it."""
        found = fields_by_month(build_world(with_a_borough(money_straight_and_no_neighbours(tiny()))))
        for name in ("true_crimes", "recorded", "signal", "traits", "units"):
            assert not np.array_equal(found[name][:, 0], found[name][:, 2]), name

    def test_an_authority_or_an_intervention_leaves_the_luck_of_the_others_alone(self) -> None:
        def add(raw: Plain) -> None:
            fire = raw["authorities"]["health"] | {"title": "Fire and rescue", "roles": ["safety"]}
            visits = raw["interventions"]["cctv"] | {"title": "Fire visits", "lead": "safety"}
            raw["authorities"] = {"fire": fire} | raw["authorities"]
            raw["interventions"] = {"visits": visits} | raw["interventions"]

        before = fields_by_month(build_world(tiny()))
        after = without_first(without_first(fields_by_month(build_world(changed(tiny(), add))), "authority"), "intervention")
        for name in OF_LUCK_ALONE:
            assert np.array_equal(before[name], after[name]), f"{name} moved"
        assert not np.array_equal(before["units"], after["units"])


# ----------------------------------------------------------------------------------------------------------- money

SCALE = 128.0
"""A power of two, so that every sum and product of scaled numbers is scaled exactly."""


def dearer(data: ScenarioData) -> ScenarioData:
    """The same with every number whose unit contains £ multiplied: found by unit, not by name."""
    scaled = _scaled(data)
    given = {name: number.value for name, number in data.uncertainties.items()}
    pounds = {
        name: Number(value=given.get(name, entry.value) * SCALE, unit=entry.unit)
        for name, entry in register_of(Uncertainties).items()
        if "£" in entry.unit
    }
    return scaled.model_copy(update={"uncertainties": {**data.uncertainties, **pounds}})


def _scaled(part: Any) -> Any:
    if isinstance(part, Mapping):
        return {key: _scaled(value) for key, value in part.items()}
    if not isinstance(part, BaseModel):
        return part
    if "£" in getattr(part, "unit", ""):
        numbers = {"value", "low", "high", "shift"} & set(type(part).model_fields)
        update = {name: getattr(part, name) * SCALE for name in numbers if getattr(part, name) is not None}
        if hasattr(part, "path"):
            update["path"] = {month: value * SCALE for month, value in part.path.items()}
        return part.model_copy(update=update)
    return part.model_copy(update={name: _scaled(getattr(part, name)) for name in type(part).model_fields})


def tiny_in_pounds() -> ScenarioData:
    """The tiny world with the unit written out where its text leaves it to the reader."""

    def write_unit(raw: Plain) -> None:
        for grant in raw["grants"].values():
            grant["amount"]["unit"] = "£ a year"

    return changed(tiny(), write_unit)


class TestPounds:
    @pytest.mark.parametrize("name", ["tiny", "baseline", "thesis-recommendations", "pcc-evidence-led", "two-districts-2026-mayor"])
    def test_dearer_money_changes_no_decision(self, name: str) -> None:
        data = tiny_in_pounds() if name == "tiny" else load_scenario(name).data
        before, after = (fields_by_month(build_world(each)) for each in (data, dearer(data)))
        for field in DECISIONS:
            assert np.array_equal(before[field], after[field]), f"{field}: decisions moved"
        assert before["units"].max() > 0
        for field, axes in axes_of_state().items():
            if field not in ("tallies", "authority_tallies"):
                scale = SCALE if axes.unit.startswith("£") else 1 / SCALE if "per £" in axes.unit else 1.0
                assert np.array_equal(before[field] * scale, after[field]), f"{field} [{axes.unit}]"
        first, second = (outcomes_of(with_area(found["window"], 0)) for found in (before, after))
        for k, outcome in enumerate(OUTCOMES.values()):
            scale = SCALE if outcome.unit.startswith("£ (") else 1.0
            np.testing.assert_array_equal(first[:, k] * scale, second[:, k], err_msg=outcome.name)
        assert sum(outcome.unit.startswith("£ (") for outcome in OUTCOMES.values()) >= 8

    def test_all_kinds_of_money_are_found(self) -> None:
        """The walk over units reaches grants, unit costs, hourly costs, match funds, cost of crime and the rules' own prices."""
        before, after = (build_world(each) for each in (load_scenario("baseline").data, dearer(load_scenario("baseline").data)))
        scaled = {
            field for field in World._fields if isinstance(getattr(before, field), np.ndarray | float) and _is_scaled(before, after, field)
        }
        assert scaled == {"direct_grant", "pot", "own_unit_cost", "match_funds", "hourly_cost", "unit_cost", "unit_cost_of_crime"}
        costs = {field for field in Uncertainties._fields if _is_scaled(before.uncertainties, after.uncertainties, field)}
        assert costs == {"chair_cost", "engagement_cost", "survey_cost", "audit_cost", "weak_evaluation_cost", "strong_evaluation_cost"}


def _is_scaled(before: Any, after: Any, field: str) -> bool:
    old, new = np.asarray(getattr(before, field)), np.asarray(getattr(after, field))
    return bool(np.any(old != 0) and np.array_equal(old * SCALE, new))


# ----------------------------------------------------------------------------------------------------------- names


def renamed(data: ScenarioData) -> ScenarioData:
    """The same with every partnership, authority, intervention, crime type and free role called something else."""
    rules_know = {"coordinator", "police", "oversight", "health_data"}
    new = {section: {name: f"x_{name}_{section}" for name in getattr(data, section)} for section in ORDERED.values()}
    free = {role for entry in data.authorities.values() for role in entry.roles}
    free |= {role for entry in data.interventions.values() for role in (entry.lead, *entry.needs)}
    role = {name: name if name in rules_know else f"role_{name}" for name in free}

    def keys(table: Plain, section: str) -> Plain:
        return {new[section][name]: value for name, value in table.items()}

    def rename(raw: Plain) -> None:
        for section in ORDERED.values():
            raw[section] = keys(raw[section], section)
        raw["commissioner"]["priorities"] = keys(raw["commissioner"]["priorities"], "crime_types")
        for entry in raw["partnerships"].values():
            entry |= {"recorded": keys(entry["recorded"], "crime_types"), "level": keys(entry["level"], "crime_types")}
            entry["neighbours"] = keys(entry["neighbours"], "partnerships")
            if "authorities" in entry:
                entry["authorities"] = [new["authorities"][name] for name in entry["authorities"]]
        for entry in raw["authorities"].values():
            entry |= {"remit": keys(entry["remit"], "crime_types"), "roles": [role[name] for name in entry["roles"]]}
        for entry in raw["interventions"].values():
            entry |= {"profile": keys(entry["profile"], "crime_types"), "reporting": keys(entry["reporting"], "crime_types")}
            entry |= {"lead": role[entry["lead"]], "needs": [role[name] for name in entry["needs"]]}
        for event in raw["events"].values():
            event |= {key: new["authorities"][event[key]] for key in ("authority", "into") if key in event}

    return changed(data, rename)


class TestNames:
    @pytest.mark.parametrize("name", ["tiny", "baseline", "two-tier-county", "renamed-and-merged"])
    def test_names_are_luck_and_nothing_else(self, name: str) -> None:
        """Other names give the same world, but for its keys; with the old keys the same run, bit for bit."""
        data = tiny() if name == "tiny" else load_scenario(name).data
        before, after = build_world(data), build_world(renamed(data))
        roles_in_other_order = ("holder",)  # free roles stand in the order of their names
        for field in World._fields:
            if not field.endswith("_key") and field not in roles_in_other_order:
                np.testing.assert_equal(getattr(after, field), getattr(before, field), err_msg=field)
        keys = {field: getattr(before, field) for field in World._fields if field.endswith("_key")}
        assert len(keys) == 6
        first, second = fields_by_month(before), fields_by_month(after._replace(**keys))
        for field, values in first.items():
            assert values.tobytes() == second[field].tobytes(), field

    def test_other_names_have_other_luck(self) -> None:
        first, second = (fields_by_month(build_world(data)) for data in (tiny(), renamed(tiny())))
        for field in ("true_crimes", "signal", "traits"):
            assert not np.array_equal(first[field], second[field]), field
