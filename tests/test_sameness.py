"""One run is one run: by itself or in a batch, on one thread or two, stage by stage or straight through, compiled or interpreted.

The interpreted runs happen in one process of their own, which calls ``record_interpreted`` below with every warning turned
into an error: interpreted Python raises on a division by zero where machine code silently gives an infinity.
"""

import importlib.util
import json
import math
import os
import subprocess
import sys
import tomllib
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from worlds import tiny_world

from cspsim.model.compiled import INTERPRETED
from cspsim.model.luck import new_luck
from cspsim.model.month import STAGES, begin_run, run_month
from cspsim.model.parameters import Levers, Switches
from cspsim.model.state import State, axes_of_state
from cspsim.model.structures import packed
from cspsim.model.tallies import Tally
from cspsim.model.uncertainties import Uncertainties
from cspsim.model.world import World, sizes
from cspsim.one_run.run import Run
from cspsim.running.outcomes import OUTCOMES
from cspsim.running.rulebook import STANDARD
from cspsim.running.simulation import CHUNK, replicate_numbers, run_world, simulate, state_for
from cspsim.scenario.scenario import load_scenario, scenario_names
from cspsim.scenario.schema import ScenarioData, register_of
from cspsim.scenario.world_building import build_world

SHIPPED = scenario_names()
Plain = dict[str, Any]


# ------------------------------------------------------------------------------------------------- worlds to run


def tiny() -> Plain:
    """The tiny world as plain data, to be changed."""
    return _plain(_tiny_data())


def _tiny_data() -> ScenarioData:
    return ScenarioData.model_validate(tomllib.loads(tiny_world()))


def _plain(data: ScenarioData) -> Plain:
    return data.model_dump(by_alias=True, exclude_none=True)


def _without(data: Plain, *names: str) -> Plain:
    """The same without entries of these names, wherever they are keys."""
    return {key: _without(value, *names) if isinstance(value, dict) else value for key, value in data.items() if key not in names}


def _with_every(data: Plain, section: str, **values: Any) -> Plain:
    """The same with these values in every entry of a section."""
    return data | {section: {name: entry | values for name, entry in data[section].items()}}


def _with_switches(**values: bool) -> Plain:
    data = tiny()
    return data | {"switches": data["switches"] | values}


def _with_levers(**values: float) -> Plain:
    data = tiny()
    return data | {"levers": data["levers"] | {name: {"path": {"2010-04": value}} for name, value in values.items()}}


def _with_registered(section: str, kind: Any, which: str) -> Plain:
    """Every lever or uncertainty at its own low, or at its own high."""
    numbers = {name: getattr(entry, which) for name, entry in register_of(kind).items()}
    given: Plain = {name: {"path": {"2010-04": number}} for name, number in numbers.items()} if section == "levers" else dict(numbers)
    return tiny() | {section: given}


def _no_grants() -> Plain:
    return _with_every(tiny(), "grants", amount={"path": {"2010-04": 0.0}})


def _one_crime_type() -> Plain:
    return _without(tiny(), "violence")


def _one_intervention() -> Plain:
    return _without(tiny(), "cctv", "injury_data")


def _one_authority() -> Plain:
    """The council alone: the others' interventions cannot be led by anybody."""
    return _without(_without(tiny(), "events"), "police", "health")


def _nobody_at_first_and_at_last() -> Plain:
    return _with_every(tiny(), "authorities", **{"from": "2011-07", "until": "2013-02"})


def _no_roles() -> Plain:
    return _with_every(tiny(), "authorities", roles=["onlooker"])


def _nothing_can_be_bought() -> Plain:
    return _with_every(tiny(), "interventions", cost=1e9)


def _everything_is_free() -> Plain:
    return _with_every(tiny(), "interventions", cost=0, hours=0, match_share=0)


def _one_authority_without_a_role() -> Plain:
    return _with_every(_without(_without(tiny(), "events"), "police", "local_authority"), "authorities", roles=["onlooker"])


def _interventions_do_nothing_at_once() -> Plain:
    return _with_every(tiny(), "interventions", effect=0, reach=0, build_up=0, half_life=0, threshold=0)


def _interventions_touch_no_crime() -> Plain:
    return _with_every(tiny(), "interventions", profile={})


def _no_crime() -> Plain:
    return _with_every(tiny(), "partnerships", recorded={})


def _no_crime_anywhere() -> Plain:
    """Not in the rest of the area either, and yet the pot goes by need."""
    data = _with_levers(weight_need=1, weight_flat=0)
    return _with_every(data, "partnerships", recorded={}) | {"area": data["area"] | {"recorded": 0}}


def _crime_without_cost_or_record() -> Plain:
    return _with_every(tiny(), "crime_types", observed=False, unit_cost=0, reporting=0, recording=0, targeted=0)


def _no_hours_no_money() -> Plain:
    return _with_every(tiny(), "authorities", hours=0, match_funds=0, influence=0)


EDGES: dict[str, Callable[[], Plain]] = {
    "no grants": _no_grants,
    "one partnership": lambda: _without(tiny(), "outer"),
    "one crime type": _one_crime_type,
    "one intervention": _one_intervention,
    "one authority": _one_authority,
    "one authority without a role": _one_authority_without_a_role,
    "nobody at the table at first and at last": _nobody_at_first_and_at_last,
    "nobody holds a role": _no_roles,
    "no units: nothing can be bought": _nothing_can_be_bought,
    "everything is free": _everything_is_free,
    "interventions do nothing, at once": _interventions_do_nothing_at_once,
    "interventions touch no crime": _interventions_touch_no_crime,
    "no crime": _no_crime,
    "no crime anywhere": _no_crime_anywhere,
    "crime without cost or record": _crime_without_cost_or_record,
    "no hours, no money, no influence": _no_hours_no_money,
    "no governance": lambda: _with_levers(governance=0),
    "no mainstream budgets": lambda: _with_levers(mainstream=0),
    "neither grants nor mainstream budgets": lambda: _with_levers(grant=0, mainstream=0),
    "no weights in the commissioner's rule": lambda: _with_levers(weight_flat=0),
    "all levers low": lambda: _with_registered("levers", Levers, "low"),
    "all levers high": lambda: _with_registered("levers", Levers, "high"),
    "all uncertainties low": lambda: _with_registered("uncertainties", Uncertainties, "low"),
    "all uncertainties high": lambda: _with_registered("uncertainties", Uncertainties, "high"),
    "all switches off": lambda: _with_switches(**dict.fromkeys(Switches._fields, False)),
    **{f"{name} off": lambda name=name: _with_switches(**{name: False}) for name in Switches._fields},
}


def _shipped_in_short(name: str) -> ScenarioData:
    """A shipped scenario, 26 months of it from April 2012 (or 2027): past warm-up, with two Decembers and three Aprils.

    The warm-up has the conditions of the first reported month, so that what a scenario changed by then is at work.
    """
    year = 2028 if name.startswith("two-districts") else 2013
    months = {"first_month": f"{year}-05", "last_month": f"{year + 1}-06", "window_from": f"{year}-05", "known_to": f"{year + 8}-03"}
    short = load_scenario(name).with_changes({f"time.{key}": value for key, value in months.items()} | {"time.warm_up_months": 13})
    return short.data


def worlds_in_both_modes() -> Iterator[tuple[str, World]]:
    """Every shipped scenario in short, and every edge of the tiny world."""
    for name in SHIPPED:
        yield name, build_world(_shipped_in_short(name))
    for name, edge in EDGES.items():
        yield name, build_world(ScenarioData.model_validate(edge()))


# --------------------------------------------------------------------------------------------------- what a run did


class History(NamedTuple):
    """Everything in a state at the end of every month: ``numbers[month, ...]`` and ``counters[month, ...]``."""

    numbers: np.ndarray
    counters: np.ndarray


def history(world: World, replicate: int = 0, seed: int = 1) -> History:
    """Run one replicate month by month and keep all of its state."""
    state, luck = state_for(world), new_luck(seed, replicate)
    world_pointer, state_pointer = packed(world), packed(state)
    begin_run(world_pointer, state_pointer, luck)
    numbers, counters = [], []
    for month in range(world.counted.shape[0]):
        run_month(world_pointer, state_pointer, luck, month)
        numbers.append(state.numbers.copy())
        counters.append(state.counters.copy())
    return History(np.array(numbers), np.array(counters))


def field_of(state: State, kept: History, name: str) -> np.ndarray:
    """One array of the state by month, ``[month, *axes]``; ``state`` is any state of the same sizes."""
    view = getattr(state, name)
    buffer, stacked = (state.counters, kept.counters) if view.dtype == np.int64 else (state.numbers, kept.numbers)
    start = (view.ctypes.data - buffer.ctypes.data) // buffer.itemsize
    return stacked[:, start : start + view.size].reshape(stacked.shape[0], *view.shape)


def record_interpreted(folder: str) -> None:
    """Run every world of ``worlds_in_both_modes`` in this process and keep the histories in a folder."""
    assert INTERPRETED
    np.seterr(all="raise", under="ignore")
    for k, (name, world) in enumerate(worlds_in_both_modes()):
        try:
            kept = history(world)
        except Exception as error:
            error.add_note(f"in the interpreted run of {name!r}")
            raise
        np.savez(Path(folder) / f"{k}.npz", **kept._asdict())


@pytest.fixture(scope="module")
def interpreted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, History]:
    """Histories of all worlds from the interpreted process, by name."""
    folder = tmp_path_factory.mktemp("interpreted")
    here = Path(__file__).resolve().parent
    paths = [str(here), str(Path(sys.modules["cspsim"].__file__ or "").resolve().parents[1])]
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1", "PYTHONPATH": os.pathsep.join(paths), "PYTHONIOENCODING": "utf-8"}
    command = f"import warnings, test_sameness\nwarnings.simplefilter('error')\ntest_sameness.record_interpreted({str(folder)!r})"
    done = subprocess.run([sys.executable, "-c", command], env=environment, capture_output=True, text=True, encoding="utf-8", timeout=500)
    assert done.returncode == 0, done.stderr[-3000:]
    found = {}
    for k, name in enumerate([*SHIPPED, *EDGES]):
        with np.load(folder / f"{k}.npz") as kept:
            found[name] = History(kept["numbers"], kept["counters"])
    return found


# ------------------------------------------------------------------------------------------------------------- tests


class TestSameness:
    def test_reruns_agree_bit_for_bit(self) -> None:
        first = simulate("baseline", 4, seed=3, months=True)
        simulate("no-cuts", 2, seed=4)
        again = simulate("baseline", 4, seed=3, months=True)
        assert first.tallies.tobytes() == again.tallies.tobytes()
        assert first.months.equals(again.months)
        assert first.authorities.equals(again.authorities)

    def test_replicates_and_seeds_differ(self) -> None:
        first, other_seed = simulate("baseline", 12, seed=1), simulate("baseline", 12, seed=2)
        costs = np.concatenate([first.area("cost_of_crime"), other_seed.area("cost_of_crime")])
        assert len(set(costs)) == 24

    def test_one_thread_equals_two(self) -> None:
        replicates = 2 * CHUNK + 3
        one, two = (simulate("baseline", replicates, months=True, threads=threads) for threads in (1, 2))
        assert one.tallies.tobytes() == two.tallies.tobytes()
        assert one.months.equals(two.months)
        assert one.authorities.equals(two.authorities)

    @pytest.mark.parametrize("k", [0, 5, CHUNK, CHUNK + 3])
    def test_run_k_alone_equals_row_k_of_a_batch(self, k: int) -> None:
        batch = simulate("baseline", CHUNK + 4, seed=7)
        alone = simulate("baseline", 1, seed=7, first_replicate=k)
        assert alone.tallies[0].tobytes() == batch.tallies[k].tobytes()
        rows = batch.runs[batch.runs.replicate == k].reset_index(drop=True)
        assert alone.runs.equals(rows)

    @pytest.mark.parametrize("name", ["baseline", "thesis-recommendations", "two-tier-county"])
    def test_stage_by_stage_equals_straight_through(self, name: str) -> None:
        replicate = 3
        straight = simulate(name, 1, seed=5, first_replicate=replicate, months=True)
        run, points = Run(name, seed=5, replicate=replicate), []
        monthly = []
        while not run.finished:
            warm = run.reported
            run.advance(points.append)
            if warm:
                monthly.append(run.outcomes_this_month())
        assert run.window.tobytes() == straight.tallies[0].tobytes()
        assert np.array(monthly).tobytes() == straight.monthly_outcomes[0].tobytes()
        assert points == ["table", "challenge", "pledge", "evaluate"] * len(run.calendar.months)
        assert len(STAGES) == 5

    def test_a_dirty_state_does_not_matter(self) -> None:
        """Many replicates run on one state; what the one before left behind is gone before the first month."""
        world = build_world(_tiny_data())
        clean, dirty = state_for(world), state_for(world)
        dirty.numbers[:], dirty.counters[:] = 1e6, 700
        for state in (clean, dirty):
            begin_run(packed(world), packed(state), new_luck(1, 0))
        assert dirty.numbers.tobytes() == clean.numbers.tobytes()
        assert dirty.counters.tobytes() == clean.counters.tobytes()


class TestShippedScenarios:
    @pytest.mark.parametrize("name", SHIPPED)
    def test_runs_in_full_and_its_accounts_close(self, name: str) -> None:
        results = simulate(name, 2, months=True, threads=1)
        assert np.all(np.isfinite(results.tallies))
        assert not np.array_equal(results.tallies[0], results.tallies[1])
        assert results.area("cost_of_crime").min() > 0
        assert list(results.runs.columns) == ["replicate", "partnership", *OUTCOMES]
        assert len(results.months) == 2 * len(results.partnerships) * len(results.calendar.reported)
        received, spent, returned, carried_in, carried_out = (
            results.tallies[..., tally] for tally in (Tally.RECEIVED, Tally.SPENT, Tally.RETURNED, Tally.CARRIED_IN, Tally.CARRIED_OUT)
        )
        np.testing.assert_allclose(carried_in + received, spent + returned + carried_out, rtol=1e-12, atol=0.005)
        kinds = results.tallies[..., Tally.DELIVERY_HOURS : Tally.BIDDING_HOURS + 1].sum(axis=-1)
        np.testing.assert_allclose(kinds, results.tallies[..., Tally.HOURS], rtol=1e-12)

    def test_every_scenario_differs_from_every_other(self) -> None:
        costs = {name: simulate(name, 1).area("cost_of_crime")[0] for name in SHIPPED}
        assert len(set(costs.values())) == len(SHIPPED)


class TestInterpreted:
    """The same source as ordinary Python, with divisions by zero, overflows and nonsense raised as errors."""

    @pytest.mark.parametrize("name", [*SHIPPED, *EDGES])
    def test_compiled_equals_interpreted(self, name: str, interpreted: dict[str, History]) -> None:
        world = next(world for other, world in _worlds_once() if other == name)
        compiled, plain = history(world), interpreted[name]
        assert np.array_equal(compiled.counters, plain.counters), "dates and sponsors differ"
        state = state_for(world)
        for field, axes in axes_of_state().items():
            ours, theirs = field_of(state, compiled, field), field_of(state, plain, field)
            if axes.unit in ("0 or 1", "units running", "units planned from April") or axes.unit.startswith("recorded"):
                assert np.array_equal(ours, theirs), f"{field}: decisions differ"
            size = max(1.0, float(np.abs(ours).max(initial=0)))
            np.testing.assert_allclose(theirs, ours, rtol=1e-9, atol=1e-9 * size, err_msg=field)

    @pytest.mark.parametrize("name", [*SHIPPED, *EDGES])
    def test_every_array_stays_in_its_range(self, name: str) -> None:
        world = next(world for other, world in _worlds_once() if other == name)
        kept, state = history(world), state_for(world)
        for field, axes in axes_of_state().items():
            values = field_of(state, kept, field)
            assert np.all((values >= axes.low) & (values <= axes.high)), f"{field} [{axes.unit}] leaves {axes.low:g} to {axes.high:g}"

    def test_the_short_runs_reach_everything(self) -> None:
        """All four decision points are used, and Aprils, Januaries and December reviews happen, in the short runs."""
        used = dict.fromkeys(("tabled", "challenges", "pledged", "evaluates"), 0)
        for name, world in _worlds_once():
            if name in SHIPPED:
                kept, state = history(world), state_for(world)
                for field in used:
                    used[field] += bool(field_of(state, kept, field).max() > 0)
                after = slice(13, None)
                assert world.reviews[after].any()
                assert world.plans[after].any()
                assert world.year_starts[after].any()
        assert used["tabled"] == used["pledged"] == len(SHIPPED)
        assert used["challenges"] == len(SHIPPED) - 1  # one scenario has none
        assert used["evaluates"] >= 4

    def test_the_guards_are_needed(self) -> None:
        """The edges are edges: each leaves something empty that a rule divides by."""
        worlds = dict(_worlds_once())
        assert worlds["no grants"].direct_grant.max() == worlds["no grants"].pot.max() == 0
        assert worlds["no crime"].base.max() == 0
        assert worlds["one partnership"].member.shape[0] == 1
        assert worlds["one crime type"].crime_key.shape == (1,)
        assert worlds["one intervention"].effect.shape == (1,)
        empty = worlds["nobody at the table at first and at last"].member.sum(axis=(0, 1))
        assert (empty[0], empty.max(), empty[-1]) == (0, 6, 0)
        assert worlds["nobody holds a role"].holder.max() == -1
        assert worlds["no mainstream budgets"].hours.max() == 0


_kept_worlds: list[tuple[str, World]] = []


def _worlds_once() -> list[tuple[str, World]]:
    if not _kept_worlds:
        _kept_worlds.extend(worlds_in_both_modes())
    return _kept_worlds


class TestMemory:
    def test_two_thousand_runs_keep_no_months(self) -> None:
        """Peak memory grows with the outcome arrays and with nothing else."""
        raw = tiny()
        raw["time"] |= {"last_month": "2011-06", "known_to": "2014-03"}
        world = build_world(ScenarioData.model_validate(raw))
        few, many = 200, 2000
        run_world(world, STANDARD, replicate_numbers(1), seed=1)
        (small, small_outcomes), (large, large_outcomes) = _peak(world, few), _peak(world, many)
        assert large_outcomes == 10 * small_outcomes
        one_run_of_months = world.counted.shape[0] * sizes(world)[0] * len(Tally) * 8
        growth = (large - large_outcomes) - (small - small_outcomes)
        assert growth < one_run_of_months * (many - few) / 100
        assert large < large_outcomes + 2_000_000

    def test_the_measure_sees_months_that_are_kept(self) -> None:
        world = build_world(_tiny_data())
        one_run_of_months = world.counted.shape[0] * sizes(world)[0] * len(Tally) * 8
        kept, _ = _peak(world, 100, months=True)
        not_kept, _ = _peak(world, 100)
        assert kept - not_kept == pytest.approx(100 * one_run_of_months, rel=0.05)


def _peak(world: World, replicates: int, months: bool = False) -> tuple[int, int]:
    """Most bytes that Python held while the runs ran, and the bytes of the outcome arrays."""
    streams = replicate_numbers(replicates)
    tracemalloc.start()
    tallies, by_authority, _ = run_world(world, STANDARD, streams, seed=1, months=months, threads=2)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most, tallies.nbytes + by_authority.nbytes


class TestStoredBaseline:
    """Results do not change unnoticed. The file is written by a script after a change that is meant to change them."""

    HELP = "if that is meant: run `python tools/update_stored_baseline.py` and add a line to CHANGELOG.md that says what changed and why"

    @pytest.fixture(scope="class")
    @staticmethod
    def stored_and_now() -> tuple[Plain, Plain]:
        tool = _tool()
        return json.loads(tool.STORED.read_text(encoding="utf-8")), tool.outcomes_now()

    def test_the_scenarios_are_those_of_the_stored_baseline(self, stored_and_now: tuple[Plain, Plain]) -> None:
        stored, now = stored_and_now
        assert (stored["replicates"], stored["seed"]) == (now["replicates"], now["seed"])
        assert list(stored["scenarios"]) == list(now["scenarios"])
        changed = [name for name, entry in now["scenarios"].items() if entry["digest"] != stored["scenarios"][name]["digest"]]
        assert not changed, f"the settings of {', '.join(changed)} have changed; {self.HELP}"

    @pytest.mark.parametrize("name", ["baseline", "no-cuts", "two-districts-2026-mayor"])
    def test_the_outcomes_are_those_of_the_stored_baseline(self, name: str, stored_and_now: tuple[Plain, Plain]) -> None:
        old, new = (each["scenarios"][name]["outcomes"] for each in stored_and_now)
        assert list(old) == list(new), f"the outcomes of {name} are not those stored; {self.HELP}"
        moved = [
            f"{outcome}: {old[outcome]} -> {new[outcome]}"
            for outcome in new
            if (old[outcome] is None) != (new[outcome] is None)
            or (new[outcome] is not None and not math.isclose(old[outcome], new[outcome], rel_tol=1e-6, abs_tol=1e-12))
        ]
        assert not moved, f"{name} has moved ({self.HELP}):\n" + "\n".join(moved)


def _tool() -> Any:
    path = Path(__file__).resolve().parents[1] / "tools" / "update_stored_baseline.py"
    specification = importlib.util.spec_from_file_location("update_stored_baseline", path)
    assert specification is not None
    assert specification.loader is not None
    tool = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(tool)
    return tool
