"""Experiment files: what they mean, and every fault at once with its line and the nearest right name."""

from pathlib import Path

import numpy as np
import pytest
from sweep_support import HEAD, SETS, TWO_POLICIES, small_experiment, write_experiment

from cspsim.basics.errors import Fault
from cspsim.model.luck import PARAMETERS, STREAMS
from cspsim.running.outcomes import MAIN
from cspsim.scenario.world_building import build_world
from cspsim.sweep.designing import make_plan
from cspsim.sweep.experiment import ExperimentError
from cspsim.sweep.reading import load_experiment
from cspsim.sweep.toml_file import shipped_experiments


def faults(folder: Path, body: str, head: str = HEAD) -> list[Fault]:
    with pytest.raises(ExperimentError) as caught:
        small_experiment(folder, body, head)
    return caught.value.faults


def line_of(body: str, text: str, head: str = HEAD) -> int:
    return next(k for k, line in enumerate((head + body).splitlines(), 1) if text in line)


class TestFaults:
    CASES = (
        ('[policies.x]\nchanges = { "levers.grnt.multiplier" = 0.5 }\n', "grnt", "grant"),
        ('[policies.x]\nscenario = "tinny"\n', "[policies.x]", "tiny"),
        ('[policies.x]\nagainst = "y"\n', "against", "x"),
        ('[policies.baseline]\ntitle = "Again"\n', "[policies.baseline]", "another name"),
        ("[levers.vary]\nevaluation_ethoss = {}\n", "ethoss", "evaluation_ethos"),
        ('[levers.vary]\n"grant.multiplier" = {}\n', "grant.multiplier", "range of its own"),
        ("[levers.vary]\nevaluation_ethos = { low = 0, high = 2 }\n", "evaluation_ethos", ""),
        ("[levers.vary]\nevaluation_ethos = { low = 0.5, high = 0.5 }\n", "evaluation_ethos", ""),
        ('[levers]\ndesign = "sobol"\n[levers.vary]\naudit = { values = [0, 1] }\n', "audit", "low and high"),
        ('[levers]\ndesign = "list"\n[levers.vary]\naudit = {}\n', "audit", "names every value"),
        ('[levers]\ndesign = "latin-hypercub"\n', "latin-hypercub", ""),
        ('[uncertainties]\ndesign = "sobol"\nonly = ["harmny"]\n', "harmny", "harmony"),
        ('[uncertainties]\ndesign = "sobol"\n[uncertainties.vary]\nharmony = { low = 1 }\n', "harmony", ""),
        ('[uncertainties]\nfrom = "sets.csv"\n', "sets.csv", ""),
        ('[uncertainties]\ndesign = "file"\nfrom = "nowhere.csv"\n', "nowhere.csv", ""),
        ('[luck]\ngroups = ["personality"]\n', "personality", "personalities"),
        ('[luck]\ndesign = "saltelli"\nprecision = 0.1\n', "precision", "base"),
        ("[luck]\nreplicates = 0\n", "replicates", ""),
        ("[luck]\nreplicats = 3\n", "replicats", "replicates"),
        ('[keep]\nruns = "none"\n', "none", ""),
    )

    @pytest.mark.parametrize(("body", "said", "hint"), CASES, ids=[case[1] for case in CASES])
    def test_each_is_found_on_its_line_with_help(self, tmp_path: Path, body: str, said: str, hint: str) -> None:
        found = faults(tmp_path, body)
        assert [fault.line for fault in found] == [line_of(body, said)] * len(found)
        assert all(fault.file.endswith("small.toml") for fault in found)
        assert any(hint in fault.hint for fault in found)

    def test_all_are_reported_at_once(self, tmp_path: Path) -> None:
        body = '[policies.x]\nagainst = "y"\n[levers.vary]\nnothing = {}\n[luck]\ngroups = ["personality"]\n'
        assert len(faults(tmp_path, body)) == 3

    def test_an_unknown_outcome(self, tmp_path: Path) -> None:
        head = HEAD.replace("spend", "spendd")
        (found,) = faults(tmp_path, "", head)
        assert found.line == line_of("", "spendd", head)
        assert "spend" in found.hint

    def test_a_policy_with_other_partnerships_cannot_be_paired(self, tmp_path: Path) -> None:
        found = faults(tmp_path, '[policies.x]\nscenario = "baseline"\n')
        assert "cannot be paired" in found[0].message

    def test_broken_toml_and_missing_files(self, tmp_path: Path) -> None:
        assert "invalid TOML" in faults(tmp_path, "[policies\n")[0].message
        with pytest.raises(ExperimentError, match="grant-and-evaluation"):
            load_experiment("grant-and-evalution")

    def test_columns_of_a_file_of_sets(self, tmp_path: Path) -> None:
        (tmp_path / "sets.csv").write_text("harmoni,uncertainties.harmony\n1,x\n")
        found = faults(tmp_path, '[uncertainties]\ndesign = "file"\nfrom = "sets.csv"\n')
        assert [fault.line for fault in found] == [len(HEAD.splitlines()) + 3] * 2
        assert "harmony" in found[0].hint


@pytest.mark.parametrize("path", sorted(shipped_experiments().glob("*.toml")), ids=lambda path: path.stem)
def test_every_shipped_file_says_what_it_is(path: Path) -> None:
    head = path.read_text(encoding="utf-8").splitlines()[0]
    assert head.startswith("# ")


class TestMeaning:
    def test_a_factorial_of_levers_stands_beside_named_policies(self, tmp_path: Path) -> None:
        body = TWO_POLICIES + "[levers.vary]\naudit = { values = [0, 1] }\nengagement = { values = [0, 0.5, 1] }\n"
        plan = make_plan(small_experiment(tmp_path, body))
        assert plan.policies.names[:3] == ["baseline", "half", "audit 0, engagement 0"]
        np.testing.assert_array_equal(plan.policies.settings[2:], [[0, 0], [0, 0.5], [0, 1], [1, 0], [1, 0.5], [1, 1]])
        assert np.isnan(plan.policies.settings[:2]).all()

    def test_a_list_goes_side_by_side(self, tmp_path: Path) -> None:
        body = '[levers]\ndesign = "list"\n[levers.vary]\naudit = { values = [0, 1] }\nengagement = { values = [0.2, 0.6] }\n'
        plan = make_plan(small_experiment(tmp_path, body))
        np.testing.assert_array_equal(plan.policies.settings[1:], [[0, 0.2], [1, 0.6]])

    def test_lists_of_different_lengths_are_refused(self, tmp_path: Path) -> None:
        body = '[levers]\ndesign = "list"\n[levers.vary]\naudit = { values = [0, 1] }\nengagement = { values = [0.2] }\n'
        assert "different lengths" in faults(tmp_path, body)[0].message

    @pytest.mark.parametrize("lever", ["audit", "grant.multiplier", "engagement.shift"])
    def test_a_lever_is_set_as_a_scenario_would_set_it(self, tmp_path: Path, lever: str) -> None:
        body = f'[levers.vary]\n"{lever}" = {{ values = [0.4] }}\n'
        plan = make_plan(small_experiment(tmp_path, body))
        written, quick = build_world(plan.scenario_of(1).data), plan.world(1)
        for ours, theirs in zip(quick.levers, written.levers, strict=True):
            np.testing.assert_array_equal(ours, theirs)
        np.testing.assert_array_equal(quick.hours, written.hours)
        name = lever.partition(".")[0]
        assert not np.array_equal(getattr(quick.levers, name), getattr(plan.world(0).levers, name))

    def test_set_0_is_the_best_guesses_and_changes_nothing(self, tmp_path: Path) -> None:
        plan = make_plan(small_experiment(tmp_path))
        world = plan.world(1)
        under = plan.under(world, 1, 0)
        np.testing.assert_array_equal(under.base, world.base)
        assert under.uncertainties == world.uncertainties
        assert plan.under(world, 1, 1).uncertainties != world.uncertainties

    def test_sets_are_the_same_under_every_policy(self, tmp_path: Path) -> None:
        plan = make_plan(small_experiment(tmp_path))
        for own_set in range(plan.sets):
            np.testing.assert_array_equal(plan.values_of(0, own_set), plan.values_of(1, own_set))

    def test_only_what_is_named_is_sampled_and_within_what_is_stated(self, tmp_path: Path) -> None:
        body = '[uncertainties]\ndesign = "sobol"\npoints = 64\nonly = ["harmony", "optimism"]\n'
        body += "[uncertainties.vary]\nharmony = { low = 5, high = 6 }\n"
        plan = make_plan(small_experiment(tmp_path, body))
        assert sorted(plan.varied) == ["uncertainties.harmony", "uncertainties.optimism"]
        sampled = plan.values[1:, plan.varied.index("uncertainties.harmony")]
        assert 5 <= sampled.min() < 5.2
        assert 5.8 < sampled.max() <= 6
        unnamed = np.flatnonzero((np.array([plan.values_of(0, k) for k in range(plan.sets)]) != plan.values_of(0, 0)).any(axis=0))
        assert len(unnamed) == 2

    def test_a_file_of_sets_is_taken_as_it_is(self, tmp_path: Path) -> None:
        (tmp_path / "sets.csv").write_text("set,uncertainties.harmony\n0,1.25\n1,1.5\n")
        plan = make_plan(small_experiment(tmp_path, '[uncertainties]\ndesign = "file"\nfrom = "sets.csv"\n'))
        np.testing.assert_array_equal(plan.values[1:, 0], [1.25, 1.5])

    @pytest.mark.parametrize(("design", "rows"), [("saltelli", 8 * 4), ("morris", 8 * 3)])
    def test_sensitivity_designs_have_their_rows_and_share_luck(self, tmp_path: Path, design: str, rows: int) -> None:
        body = f'[uncertainties]\ndesign = "{design}"\npoints = 8\nonly = ["harmony", "optimism"]\n'
        plan = make_plan(small_experiment(tmp_path, body))
        assert plan.sets == 1 + rows
        assert not plan.fresh
        streams = [stretch.streams for stretch in plan.stretches(0, plan.runs_after(0))]
        assert len({part.tobytes() for part in streams}) == 1

    def test_fresh_luck_shares_no_replicate_between_sets_and_all_between_policies(self, tmp_path: Path) -> None:
        plan = make_plan(small_experiment(tmp_path))
        by_cell = {(part.policy, part.assumptions): set(part.replicates) for part in plan.stretches(0, plan.runs_after(0))}
        assert by_cell[0, 1] == by_cell[1, 1]
        assert not by_cell[0, 1] & by_cell[0, 2]

    def test_every_run_has_its_place_once(self, tmp_path: Path) -> None:
        body = TWO_POLICIES + SETS + "[luck]\nprecision = 0.5\nreplicates = 3\nmost = 20\n"
        plan = make_plan(small_experiment(tmp_path, body))
        assert plan.rounds == [3, 6, 12, 20]
        seen = []
        for number in range(len(plan.rounds)):
            for first, last in plan.jobs(number):
                for part in plan.stretches(first, last):
                    seen += [(part.first + k, part.policy, part.assumptions, r) for k, r in enumerate(part.replicates)]
        assert [run for run, *_ in seen] == list(range(plan.runs_after(3)))
        assert len({tuple(rest) for _, *rest in seen}) == len(seen) == 20 * plan.cells

    def test_a_design_of_luck_gives_every_stream_its_own_number(self, tmp_path: Path) -> None:
        body = SETS + '[luck]\ndesign = "saltelli"\nbase = 2\ngroups = ["crime", "parameters"]\n'
        plan = make_plan(small_experiment(tmp_path, body))
        assert plan.rows is not None
        rest = [k for k, name in enumerate(STREAMS) if name not in ("crime", "parameters")]
        crime = STREAMS.index("crime")
        np.testing.assert_array_equal(plan.rows[:, crime], [0, 2, 0, 0, 2, 1, 3, 1, 1, 3])
        np.testing.assert_array_equal(plan.rows[:, PARAMETERS], [0, 0, 2, 0, 2, 1, 1, 3, 1, 3])
        for stream in rest:
            np.testing.assert_array_equal(plan.rows[:, stream], [0, 0, 0, 2, 2, 1, 1, 1, 3, 3])
        assert [part.assumptions for part in plan.stretches(0, 10)] == [1, 1, 3, 1, 3, 2, 2, 4, 2, 4]

    def test_groups_of_outcomes(self, tmp_path: Path) -> None:
        assert small_experiment(tmp_path, "", HEAD.replace('"cost_of_crime", "evaluated_share", "spend"', '"main"')).outcomes == MAIN

    def test_the_digest_knows_what_decides_results_and_nothing_else(self, tmp_path: Path) -> None:
        def digest(body: str, head: str = HEAD) -> str:
            return make_plan(load_experiment(write_experiment(tmp_path, body, head))).digest

        assert digest(TWO_POLICIES) == digest(TWO_POLICIES, HEAD.replace("Does the grant matter?", "Does it?"))
        assert digest(TWO_POLICIES) != digest(TWO_POLICIES.replace("0.5", "0.6"))
        assert digest(TWO_POLICIES) != digest(TWO_POLICIES + "[luck]\nreplicates = 11\n")
