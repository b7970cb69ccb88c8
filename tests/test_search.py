"""Searching: a planted front is found, the budget holds, luck does not pass for skill, and a kill changes nothing."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from search_support import NAMES, noise, planted, problem, write_search

from cspsim.basics.errors import CspsimError
from cspsim.running.assumptions import sample_assumptions
from cspsim.scenario.scenario import load_scenario
from cspsim.scenario.world_building import build_world
from cspsim.search.folder import SearchFolder
from cspsim.search.pareto import dominated_area, on_front, regret
from cspsim.search.policies import TrialBench, mixed, priced
from cspsim.search.proposing import effects, levels_at, look, scores
from cspsim.search.retest import Look, difference_of, mean_of, retested
from cspsim.search.search_file import load_search
from cspsim.search.searching import run_search
from cspsim.search.standing import LEAST_HARM, SAFEST, SINGLE, best_of, chosen, finalists, policies_standing
from cspsim.search.trials import Archive, Measured, Trial

# ------------------------------------------------------------------------------------------------------- arithmetic


class TestFronts:
    def test_by_hand(self) -> None:
        values = np.array([[1, 4], [2, 2], [3, 3], [4, 1], [2, 2]], dtype=float)
        assert on_front(values).tolist() == [True, True, False, True, True]  # equals stand together
        # below and left of (5, 5): 4x1 by (1,4), 3x2 more by (2,2), 1x1 more by (4,1)
        assert dominated_area(values, (5, 5)) == 4 * 1 + 3 * 2 + 1 * 1
        assert dominated_area(values, (1, 1)) == 0

    @given(some.lists(some.tuples(*[some.integers(0, 6)] * 3), min_size=1, max_size=25))
    def test_every_policy_off_the_front_is_dominated_by_one_on_it(self, rows: list[tuple[int, ...]]) -> None:
        values = np.array(rows, dtype=float)
        front = on_front(values)
        assert front.any()
        for row, is_on in zip(values, front, strict=True):
            better = [(other <= row).all() and (other < row).any() for other in values[front]]
            assert any(better) == (not is_on)

    def test_regret_is_against_the_best_eligible_one_in_each_set(self) -> None:
        harm = np.array([[3.0, 1.0], [2.0, 5.0], [0.0, 0.0]])
        assert regret(harm, np.array([True, True, False])).tolist() == [[1, 0], [0, 4], [-2, -1]]


class TestMeans:
    def test_by_hand(self) -> None:
        mean = mean_of(np.array([1.0, 2, 3, 4]))  # s / sqrt(4) = .645497, t with 3 degrees of freedom 3.182446
        assert (mean.value, mean.high) == (2.5, pytest.approx(2.5 + 2.054260, rel=1e-5))
        gap = difference_of(mean, mean_of(np.array([0.0, 0, 0, 0])))  # one arm without error leaves 3 degrees of freedom
        assert (gap.value, gap.high) == (2.5, pytest.approx(2.5 + 2.054260, rel=1e-5))

    def test_a_second_look_by_hand(self) -> None:
        measured = {
            "baseline": Measured(np.full(3, 10.0), np.array([1000.0, 1000, 1000])),
            "a": Measured(np.full(3, 9.0), np.array([900.0, 890, 910])),
            "dear": Measured(np.full(3, 12.0), np.array([800.0, 800, 800])),
        }
        fresh = Look(measured, 10.0, frozenset({"baseline", "a"}))
        a, dear = retested(fresh, {"a": np.array([-150.0, -150, -150])}, {"a": ["least harm"]}, "cost_of_crime")
        assert (a.fresh.value, a.optimism.value if a.optimism else None, a.over_budget) == (-100, 50, -1)
        assert (a.worst_regret, a.verdict, a.roles, a.same_sign_share) == (0, "lower", ("least harm",), 1)
        assert (dear.first, dear.optimism, dear.over_budget, dear.worst_regret) == (None, None, 2, -90)  # nobody to regret: too dear


# ------------------------------------------------------------------------------------------------------ plain functions


def trials_of(method: str, budget: float = 0.6, trials: int = 40, **more: float) -> list[Trial]:
    archive = Archive(None)
    look(problem(budget, **more), planted, archive, [method], trials)  # type: ignore[arg-type]
    return archive.of(method)


@pytest.fixture(scope="module")
def found() -> list[Trial]:
    return trials_of("kriging")


class TestPlantedFront:
    def test_the_best_mix_within_the_budget_is_found(self, found: list[Trial]) -> None:
        within = [trial for trial in found if trial.measured.cost.mean() <= 0.6]
        best = min(within, key=lambda trial: float(trial.measured.harm.mean()))
        assert best.levels["spend"] == pytest.approx(0.6, abs=0.02)  # the truth: spend .6, aim .3, harm .16
        assert best.levels["aim"] == pytest.approx(0.3, abs=0.05)
        assert best.measured.harm.mean() == pytest.approx(0.16, abs=0.02)

    def test_the_front_is_found_at_every_cost(self, found: list[Trial]) -> None:
        standing = policies_standing(problem(), {}, found, "nothing")
        aims = [standing.levels(int(k)) for k in np.flatnonzero(standing.front)[1:]]
        spent = sorted(levels["spend"] for levels in aims if levels and abs(levels["aim"] - 0.3) < 0.1)
        assert len(spent) >= 6
        assert spent[0] < 0.25
        assert spent[-1] > 0.5

    def test_learning_pays_where_there_is_something_to_learn(self, found: list[Trial]) -> None:
        def least(trials: list[Trial]) -> float:
            return min(float(trial.measured.harm.mean()) for trial in trials if trial.measured.cost.mean() <= 0.6)

        assert least(found) < least(trials_of("sobol"))
        assert least(found) < least(trials_of("random"))

    @pytest.mark.parametrize("method", ["kriging", "sobol", "random"])
    def test_a_longer_search_begins_with_the_shorter_one(self, method: str) -> None:
        short, long = (trials_of(method, trials=trials) for trials in (13, 18))
        assert [trial.levels for trial in long[:13]] == [trial.levels for trial in short]
        assert [trial.levels for trial in trials_of(method, trials=13, seed=2)] != [trial.levels for trial in short]

    @pytest.mark.parametrize("method", ["kriging", "sobol", "random"])
    def test_stopping_after_any_trial_changes_nothing(self, method: str, tmp_path: Path) -> None:
        whole = Archive(tmp_path / "whole.jsonl")
        look(problem(left_alone=0.3), planted, whole, [method], 16)
        for stop in (1, 7, 15):
            path = tmp_path / f"{stop}.jsonl"
            look(problem(left_alone=0.3), planted, Archive(path), [method], stop)
            with open(path, "ab") as torn:
                torn.write(b'{"method": "kr')
            look(problem(left_alone=0.3), planted, Archive(path), [method], 16)
            assert path.read_bytes() == (tmp_path / "whole.jsonl").read_bytes()


@given(some.lists(some.floats(0, 1), min_size=2, max_size=2), some.floats(0, 0.95))
def test_every_point_is_a_mix_inside_the_ranges(point: list[float], left_alone: float) -> None:
    levels = levels_at(problem(left_alone=left_alone), np.array(point))
    assert set(levels) == {name for name, share in zip(NAMES, point, strict=True) if share >= left_alone}
    assert all(0 <= level <= 1 for level in levels.values())


@settings(max_examples=40, deadline=None)
@given(some.floats(0.05, 1.2), some.integers(0, 3))
def test_what_is_chosen_keeps_within_the_budget(budget: float, seed: int) -> None:
    about = problem(budget, seed=seed)
    archive = Archive(None)
    look(about, planted, archive, ["sobol", "random"], 24)
    tried = archive.of("sobol") + archive.of("random")
    standing = policies_standing(about, {"free": planted({"spend": 1.0, "aim": 0.3})}, tried, "nothing")
    roles = chosen(standing, ["sobol", "random"])
    within = [trial for trial in tried if trial.levels["spend"] <= budget]
    assert standing.within[standing.first_trial :].sum() == len(within)
    assert (LEAST_HARM in roles) == bool(within)
    for policy in [*roles.values(), *finalists(standing, 5), *np.flatnonzero(standing.front)]:
        assert standing.cost[policy] <= budget
    if within:
        assert standing.harm[roles[LEAST_HARM]] == min(float(effects(trial.measured, about.baseline).mean()) for trial in within)
        assert standing.worst_regret[roles[SAFEST]] == standing.worst_regret[standing.first_trial :][standing.within[2:]].min()


def test_objectives_by_hand() -> None:
    about = problem(budget=2.0)
    measured = Measured(np.full(8, 3.0), 1 + np.arange(8.0))  # effects 0 ... 7, nine tenths of them at most 6.3
    assert scores(about, measured) == {"cost": 3, "harm": 3.5, "downside": pytest.approx(6.3)}


# ------------------------------------------------------------------------------------------------------ selection of luck


def test_what_luck_chose_is_flattered_and_fresh_luck_takes_it_back() -> None:
    """No lever does anything. The best of 30 looks good in every search, and on fresh luck it is worth nothing."""
    draw = np.random.default_rng(5)
    first, flattered, fresh = [], [], []
    for _ in range(40):
        archive = Archive(None)
        look(problem(1.0), noise(draw), archive, ["random"], 30)
        standing = policies_standing(problem(1.0), {}, archive.of("random"), "nothing")
        winner = chosen(standing, ["random"])[LEAST_HARM]
        again = noise(draw)({})
        rows = retested(
            Look({"nothing": problem().baseline, "winner": again}, 1.0, frozenset({"nothing", "winner"})),
            {"winner": standing.effect[winner]},
            {},
            "cost_of_crime",
        )
        first.append(standing.harm[winner])
        fresh.append(rows[0].fresh.value)
        flattered.append(rows[0].optimism.value if rows[0].optimism else 0.0)
    assert max(first) < 0  # always a "winner"
    assert np.mean(flattered) > 0.5  # the least of 30 means of 8 draws lies 2.04 / sqrt(8) = .72 below their mean
    assert abs(np.mean(fresh)) < 0.17  # three standard errors: 3 / sqrt(40 x 8)


def test_roles_of_several_methods_that_found_the_same_mix_point_to_one_policy() -> None:
    trials = [Trial(method, 0, {"spend": 0.5}, planted({"spend": 0.5})) for method in ("kriging", "sobol")]
    roles = chosen(policies_standing(problem(), {}, trials, "nothing"), ["kriging", "sobol"])
    assert roles == dict.fromkeys((LEAST_HARM, SAFEST, SINGLE, best_of("kriging"), best_of("sobol")), 1)


# ---------------------------------------------------------------------------------------------------------- the archive


class TestArchive:
    def test_a_trial_that_stands_twice_or_a_line_that_is_none_is_told_with_its_line(self, tmp_path: Path) -> None:
        path = tmp_path / "trials.jsonl"
        archive = Archive(path)
        archive.add(Trial("sobol", 0, {"spend": 0.1}, planted({"spend": 0.1})))
        line = path.read_bytes()
        path.write_bytes(line + line)
        with pytest.raises(CspsimError, match=r"trials.jsonl:2: .*sobol 0 stands where sobol 1 was expected"):
            Archive(path)
        path.write_bytes(line + b"[]\n")
        with pytest.raises(CspsimError, match=r"trials.jsonl:2: not a trial"):
            Archive(path)

    def test_two_searches_do_not_write_to_one_folder(self, tmp_path: Path) -> None:
        one, other = Archive(tmp_path / "trials.jsonl"), Archive(tmp_path / "trials.jsonl")
        one.add(Trial("sobol", 0, {}, planted({})))
        with pytest.raises(CspsimError, match="another search writes to this folder"):
            other.add(Trial("sobol", 0, {}, planted({})))


# ------------------------------------------------------------------------------------------------------------ real runs


class TestPolicies:
    def test_a_mix_moves_its_levers_from_their_month_on_and_nothing_else(self, tmp_path: Path) -> None:
        search = load_search(write_search(tmp_path))
        before, after = (build_world(scenario.data) for scenario in (search.baseline, mixed(search, {"grant": 0.7}, "less")))
        moved = [name for name in before.levers._fields if not np.array_equal(getattr(before.levers, name), getattr(after.levers, name))]
        assert moved == ["grant"]
        since = 12 + 12  # a year of warm-up, then April 2010 to March 2011
        assert set(after.levers.grant[:since]) == {1.0}
        assert set(after.levers.grant[since:]) == {0.7}
        assert mixed(search, {}, "nothing").digest == search.baseline.digest

    def test_a_baseline_that_is_scaled_and_dated_keeps_its_past(self, tmp_path: Path) -> None:
        search = load_search(write_search(tmp_path))
        path = {"levers.engagement": {"path": {"2010-04": 0.2, "2010-10": 0.4, "2012-04": 0.6}, "multiplier": 0.5, "shift": 0.1}}
        dated = search.baseline.with_changes(path)
        object.__setattr__(search, "baseline", dated)
        engagement = build_world(mixed(search, {"engagement": 0.9}, "more").data).levers.engagement
        assert engagement[12:].tolist() == pytest.approx([0.2] * 6 + [0.3] * 6 + [0.9] * 36)

    def test_cost_is_what_is_counted_and_what_is_stated(self, tmp_path: Path) -> None:
        text = (write_search(tmp_path)).read_text(encoding="utf-8")
        dear = text.replace("engagement = {", "engagement = { price = { value = 120000 }, ")
        plain, stated = (load_search(write_search(tmp_path, said)) for said in (text, dear))
        scenario = mixed(plain, {"engagement": 0.7}, "more")
        costs = [TrialBench(search, 2, 1, 1, 0).measure(scenario).cost for search in (plain, stated)]
        # .5 above the baseline in each of the 36 months of the window
        assert costs[1] - costs[0] == pytest.approx(np.full(2, 0.5 * 3 * 120_000))
        assert priced(build_world(scenario.data), build_world(plain.baseline.data), {}) == 0

    def test_a_mix_of_nothing_is_the_baseline_exactly(self, tmp_path: Path) -> None:
        search = load_search(write_search(tmp_path))
        bench = TrialBench(search, 2, 2, 1, 0)
        one, other = bench.measure(search.baseline), bench.measure(mixed(search, {}, "nothing"))
        assert (one.cost == other.cost).all()
        assert (one.harm == other.harm).all()
        assert (TrialBench(search, 2, 2, 1, 4).measure(search.baseline).harm != one.harm).all()  # other luck


def test_where_nothing_works_nothing_is_found(tmp_path: Path) -> None:
    """Paired luck leaves no noise to choose by: every effect is exactly zero, in the search and on fresh luck."""
    search = load_search(write_search(tmp_path))
    null = search.baseline.with_changes({"switches.effects": False})
    object.__setattr__(search, "baseline", null)
    search.references.clear()
    found = run_search(search, Archive(None), trials=8, threads=1)
    assert (found.standing.effect == 0).all()
    assert {row.verdict for row in found.again} == {"identical"}
    assert all(row.optimism is not None and row.optimism[:3] == (0, 0, 0) for row in found.again)
    assert len(set(found.standing.cost.tolist())) > 3  # and yet money was spent


def test_the_shipped_null_world_too() -> None:
    search = load_search("best-mix-under-budget")
    null = load_scenario("null-no-effect")
    bench = TrialBench(search, 1, 2, 1, 0, threads=1)
    object.__setattr__(search, "baseline", null)
    harms = [bench.measure(scenario).harm for scenario in (null, mixed(search, {"grant": 1.4, "rebalancing": 1.0}, "mix"))]
    assert (harms[0] == harms[1]).all()


# ----------------------------------------------------------------------------------------------------------- killed runs


RUN = """
import sys
from pathlib import Path
from cspsim.search.search_file import load_search
from cspsim.search.folder import RUNNING, SearchFolder
from cspsim.search.searching import run_search
search = load_search(sys.argv[1])
folder = SearchFolder(Path(sys.argv[2]), search, resume=True)
folder.write_manifest(RUNNING)
run_search(search, folder.archive, threads=1)
"""


def trials_in(folder: Path) -> int:
    path = folder / "trials.jsonl"
    return path.read_bytes().count(b"\n") if path.exists() else 0


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system cannot kill")
def test_a_search_that_was_killed_ends_in_the_same_trials(tmp_path: Path) -> None:
    path = write_search(tmp_path)
    search = load_search(path)
    whole = SearchFolder(tmp_path / "whole", search)
    whole.write_manifest("running")
    expected = run_search(search, whole.archive, threads=1)
    command = [sys.executable, "-c", RUN, str(path), str(tmp_path / "killed")]
    for kills in (3, 14):
        process = subprocess.Popen(command, env={**os.environ})
        try:
            until = time.monotonic() + 120
            while trials_in(tmp_path / "killed") < kills and process.poll() is None and time.monotonic() < until:
                time.sleep(0.002)
        finally:
            process.kill()
            process.wait()
        assert trials_in(tmp_path / "killed") >= kills
    resumed = SearchFolder(tmp_path / "killed", search, resume=True)
    again = run_search(search, resumed.archive, threads=1)
    assert (tmp_path / "killed" / "trials.jsonl").read_bytes() == (tmp_path / "whole" / "trials.jsonl").read_bytes()
    assert str(again.again) == str(expected.again)
    numbers = [json.loads(line)["number"] for line in (tmp_path / "killed" / "trials.jsonl").read_bytes().splitlines()]
    assert numbers == [*range(10), *range(10)]


def test_the_second_look_shares_neither_luck_nor_assumptions_with_the_search(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    search = load_search(write_search(tmp_path))
    benches: list[TrialBench] = []

    class Seen(TrialBench):
        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments)  # type: ignore[arg-type]
            benches.append(self)

    monkeypatch.setattr("cspsim.search.searching.TrialBench", Seen)
    run_search(search, Archive(None), trials=2, threads=1)
    first, again = benches
    assert first.seed != again.seed
    used = [range(bench.first_replicate, bench.first_replicate + bench.sets * bench.replicates) for bench in benches]
    assert not set(used[0]) & set(used[1])
    sets = [sample_assumptions(search.baseline, 3, bench.seed).values for bench in benches]
    assert (sets[0] != sets[1]).any(axis=1).all()
