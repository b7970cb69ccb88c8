"""Hypotheses through the whole machinery: run once each, judged, mechanism off, null worlds, false positives, report."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis_worlds import HEAD, IMPACT, MONEY, SILENCE, write_hypotheses
from typer.testing import CliRunner, Result

from cspsim.cli import app
from cspsim.comparing.differences import paired_estimate, parts_of
from cspsim.hypotheses.arms import Runs, distinct
from cspsim.hypotheses.hypothesis_file import HypothesisFile, load_hypotheses
from cspsim.hypotheses.identities import NULL_WORLDS, check_identities
from cspsim.hypotheses.judging import DISAPPEARS, REFUTED, REMAINS, SUPPORTED, UNDECIDED
from cspsim.hypotheses.stored_hypotheses import read_results, rebuilt, results_text
from cspsim.hypotheses.testing import BROKEN, EXACT, Judgement, arms_of, hypothesis_runs, run_hypotheses
from cspsim.running.outcomes import OUTCOMES
from cspsim.running.simulation import simulate
from cspsim.scenario.scenario import Scenario
from cspsim.scenario.scenario_files import shipped_experiments


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> HypothesisFile:
    return load_hypotheses(write_hypotheses(tmp_path_factory.mktemp("hypotheses")))


@pytest.fixture(scope="module")
def progress() -> list[int]:
    return []


@pytest.fixture(scope="module")
def tested(file: HypothesisFile, progress: list[int]) -> Judgement:
    return run_hypotheses(file, seed=3, progress=progress.append)


def scenarios(file: HypothesisFile, k: int) -> list[Scenario]:
    return file.hypotheses[k].pair.scenarios


class TestRuns:
    def test_as_many_runs_as_planned(self, file: HypothesisFile, tested: Judgement, progress: list[int]) -> None:
        assert sum(progress) == hypothesis_runs(file)

    def test_an_arm_that_two_hypotheses_share_is_run_once(self, file: HypothesisFile) -> None:
        assert len(arms_of(file)) == 4  # tiny (of two hypotheses), trust low, trust high, half the grant
        tiny = scenarios(file, 1)[0]
        assert distinct([tiny, scenarios(file, 2)[0], scenarios(file, 2)[1]]) == [tiny, scenarios(file, 2)[1]]

    def test_effects_are_paired_differences_of_plain_runs(self, file: HypothesisFile, tested: Judgement) -> None:
        before, after = (parts_of(simulate(arm, 20, 3).tallies) for arm in scenarios(file, 0))
        column = list(OUTCOMES).index("challenged_share")
        estimate = paired_estimate(before, after)
        effect = tested.findings[0].effect
        assert effect.effect == pytest.approx(estimate.difference[column])
        assert effect.high - effect.effect == pytest.approx(estimate.half_width[column])

    def test_one_partnership_is_that_partnership(self, file: HypothesisFile, tested: Judgement) -> None:
        before, after = (simulate(arm, 20, 3).runs.query("partnership == 'outer'")["delivered_dose"].mean() for arm in scenarios(file, 2))
        assert tested.findings[2].effect.effect == pytest.approx(after - before)
        assert tested.findings[2].smallest == pytest.approx(0.02 * before)

    def test_a_stated_value_is_a_reference(self, file: HypothesisFile, tested: Judgement) -> None:
        value = float(parts_of(simulate(scenarios(file, 1)[0], 20, 3).tallies).value[list(OUTCOMES).index("cost_averted_share")])
        assert tested.findings[1].reference == 0
        assert tested.findings[1].effect.effect == pytest.approx(value)

    def test_again_is_the_same_and_another_seed_is_not(self, file: HypothesisFile, tested: Judgement) -> None:
        small = replace(file, data=file.data.model_copy(update={"assumption_sets": 2, "false_positives": 0, "replicates": 10}))
        first, again, other = (run_hypotheses(small, seed, threads) for seed, threads in ((3, 1), (3, 2), (4, 1)))
        assert results_text(first, "") == results_text(again, "")
        assert [one.effect for one in first.findings] != [one.effect for one in other.findings]

    def test_assumption_sets_are_paired_and_counted(self, file: HypothesisFile, tested: Judgement) -> None:
        shares = tested.findings[0].shares
        assert shares.defined == 6
        assert 0 <= shares.holds_low <= shares.holds <= shares.holds_high <= 1
        runs = Runs(20, 3)
        before, after = (runs.over_sets(arm, 6, 1) for arm in scenarios(file, 0))
        column = list(OUTCOMES).index("challenged_share")
        effects = np.array([parts_of(b).value[column] - parts_of(a).value[column] for a, b in zip(before, after, strict=True)])
        assert shares.holds == (effects < -0.02).mean()


class TestMechanism:
    def test_the_effect_disappears_with_its_mechanism(self, tested: Judgement) -> None:
        """Fails if the runs without the mechanism are left out, or made with it."""
        silence, impact, money = tested.findings
        assert silence.verdict == SUPPORTED
        assert silence.without == DISAPPEARS
        assert silence.without_effect is not None
        assert abs(silence.without_effect.effect) < 0.2 * abs(silence.effect.effect)
        assert impact.verdict == SUPPORTED
        assert impact.without == DISAPPEARS
        assert impact.without_effect == (0, 0, 0)  # exactly: nothing works
        assert (money.without, money.without_effect) == ("", None)

    def test_another_mechanism_leaves_it(self, tmp_path: Path) -> None:
        text = SILENCE.replace('without."switches.harmony"', 'without."switches.gaming"')
        found = run_hypotheses(load_hypotheses(write_hypotheses(tmp_path, text)), trials=0)
        assert found.findings[0].without == REMAINS


class TestNullWorlds:
    def test_all_are_exactly_so(self, file: HypothesisFile, tested: Judgement) -> None:
        assert [one.name for one in tested.identities] == ["itself", *(f"{null.switch} off" for null in NULL_WORLDS)]
        assert all(one.holds and one.largest == 0 and one.arms == 4 for one in tested.identities)
        assert [one.null for one in tested.findings] == [EXACT, "", ""]
        assert tested.broken == []

    def test_what_is_not_exactly_so_is_seen(self, tmp_path: Path) -> None:
        """A null world that is none: without gaming, trust still silences."""
        text = SILENCE.replace('null."switches.challenge"', 'null."switches.gaming"')
        found = run_hypotheses(load_hypotheses(write_hypotheses(tmp_path, text)), trials=0)
        assert found.findings[0].null == BROKEN
        assert found.broken == ["null of silence"]

    def test_a_model_that_breaks_an_identity_is_seen(self, file: HypothesisFile, monkeypatch: pytest.MonkeyPatch) -> None:
        """As if a rule did not look at its switch, or a run depended on the runs before it."""
        plain = Runs.fresh

        def leaking(self: Runs, scenario: Scenario, replicates: int, first: int = 0) -> Any:
            return plain(self, scenario.with_changes({"switches.turnover": True}), replicates, first)

        monkeypatch.setattr(Runs, "fresh", leaking)
        broken = [one.name for one in check_identities(arms_of(file)[:1], Runs(10, 1)) if not one.holds]
        assert broken == ["turnover off"]

        monkeypatch.setattr(Runs, "fresh", lambda self, scenario, replicates, first=0: plain(self, scenario, replicates, first + 1))
        runs = Runs(10, 1)
        runs._kept[("best guess", arms_of(file)[0].digest)] = simulate(arms_of(file)[0], 10, 1).tallies
        assert not check_identities(arms_of(file)[:1], runs)[0].holds


def test_false_positives_come_at_the_stated_level(tmp_path: Path) -> None:
    """The tiny world against itself on luck of its own, 200 times, through everything."""
    short = "".join((SILENCE, IMPACT, MONEY)).replace('scenario = "tiny"', 'scenario = "short"')
    path = write_hypotheses(tmp_path, short)
    brief = 'extends = "tiny"\n[time]\nlast_month = "2012-03"\nknown_to = "2014-03"\nwindow_from = "2011-04"\n'
    (tmp_path / "short.toml").write_text(brief, encoding="utf-8")
    found = run_hypotheses(load_hypotheses(path), seed=1, trials=200).false_positives
    assert found is not None
    assert found.trials == 200
    assert all(rate.compatible for rate in found.rates), [(rate.name, rate.rate, rate.interval) for rate in found.rates]
    assert found.rates[0].found > 0


class TestStored:
    def test_results_read_again_are_the_same(self, tested: Judgement, tmp_path: Path) -> None:
        (tmp_path / "results.json").write_text(results_text(tested, "work"), encoding="utf-8")
        assert read_results(tmp_path, "work") == tested
        assert read_results(tmp_path, "other work") is None

    @pytest.mark.parametrize("content", ["", "[]", "{}", '{"work": "work", "findings": 3}'])
    def test_what_cannot_be_read_is_run_again(self, tmp_path: Path, content: str) -> None:
        (tmp_path / "results.json").write_text(content, encoding="utf-8")
        assert read_results(tmp_path, "work") is None

    def test_a_missing_number_is_not_a_number_again(self) -> None:
        assert np.isnan(rebuilt(float, None))
        assert rebuilt(float | None, None) is None


class TestCommand:
    @pytest.fixture(autouse=True)
    def place(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.chdir(tmp_path)
        return write_hypotheses(tmp_path, SILENCE, IMPACT)

    def call(self, *arguments: str) -> Result:
        return CliRunner().invoke(app, ["hypotheses", "claims.toml", "--threads", "1", *arguments], env={"COLUMNS": "200"})

    def answer(self, *arguments: str) -> dict[str, Any]:
        result = self.call("--json", *arguments)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    def test_dry_run_freezes_and_runs_nothing(self, tmp_path: Path) -> None:
        said = json.loads(self.call("--dry-run", "--json").stdout)
        assert said["hypotheses"] == 2
        assert "silence" in self.call("--dry-run").output
        assert not (tmp_path / "cspsim-results").exists()

    def test_the_whole_way(self, tmp_path: Path) -> None:
        first = self.answer()
        folder = Path(first["folder"])
        page = (folder / "report.html").read_text(encoding="utf-8")
        for words in ("Trust silences.", "supported", "There is less to challenge.", "keeps doubters silent", first["settings"]["sha256"]):
            assert words in page, words
        assert "http" not in page.replace("http://www.w3.org", "")
        assert first["altered"] is False
        assert first["run_again"] is True

        again = self.answer()  # finished work is found and not run again
        assert again["run_again"] is False
        assert {**again, "run_again": True, "settings": first["settings"]} == first
        before = {path.name: path.read_bytes() for path in folder.iterdir()}
        assert self.answer("--again")["run_again"] is True
        after = {path.name: path.read_bytes() for path in folder.iterdir() if path.name not in ("report.html", "settings.json")}
        assert after.items() <= before.items()  # the same results to the byte; the other two name their command
        text = " ".join(self.call().output.split())
        assert "was run again" in text
        assert "harmony off: disappears" in text

    def test_an_altered_file_is_told_from_then_on(self, place: Path) -> None:
        self.answer("--false-positives", "0")
        place.write_text(place.read_text(encoding="utf-8").replace('"lower"', '"higher"'), encoding="utf-8")
        altered = self.answer("--false-positives", "0")
        assert altered["altered"] is True
        (line,) = [line for line in altered["record"] if line.startswith("ALTERED")]
        assert "silence: direction: 'lower' became 'higher'" in line
        assert "impact" not in line
        assert altered["hypotheses"][0]["verdict"] == REFUTED
        page = (Path(altered["folder"]) / "report.html").read_text(encoding="utf-8")
        assert "ALTERED after results existed" in page
        assert "ALTERED" in self.call("--false-positives", "0").output

    def test_a_broken_null_world_is_no_success(self, place: Path) -> None:
        place.write_text((HEAD + SILENCE).replace('null."switches.challenge"', 'null."switches.gaming"'), encoding="utf-8")
        result = self.call("--false-positives", "0")
        assert result.exit_code == 3
        assert "null of silence" in result.output

    def test_rules_of_a_file_are_run_only_when_allowed(self, place: Path, tmp_path: Path) -> None:
        """Rival rules are an arm like any other; nothing of them is run, and nothing frozen, before somebody allows it."""
        shipped = shipped_experiments() / "theories" / "trust_by_record.py"
        (tmp_path / "theory.py").write_text(shipped.read_text(encoding="utf-8"), encoding="utf-8")
        text = MONEY.replace('"levers.grant.multiplier" = 0.5', '"rules.update_trust" = "theory.py:move_trust"')
        place.write_text(HEAD + text, encoding="utf-8")
        refused = self.call()
        assert refused.exit_code == 2
        assert "--allow-rules" in refused.output
        assert not (tmp_path / "cspsim-results").exists()
        (rival,) = load_hypotheses(place, allow_rules=True).hypotheses[0].pair.scenarios[1].rivals
        assert rival.allowed
        assert [rival.function for rival in load_hypotheses(place).hypotheses[0].pair.scenarios[1].rivals] == ["move_trust"]

    def test_faults_end_without_a_traceback_or_a_receipt(self, place: Path, tmp_path: Path) -> None:
        place.write_text(HEAD, encoding="utf-8")
        result = self.call()
        assert result.exit_code == 2
        assert "lacks hypotheses" in result.output
        assert not (tmp_path / "cspsim-results").exists()


def test_the_shipped_file_runs_from_end_to_end() -> None:
    """Every tenth of its hypotheses with few runs: enough to meet each kind of comparison that it makes."""
    whole = load_hypotheses("thesis-hypotheses")
    few = {"replicates": 10, "assumption_sets": 2, "replicates_per_set": 1, "false_positives": 2}
    file = replace(whole, data=whole.data.model_copy(update=few), hypotheses=whole.hypotheses[::10])
    found = run_hypotheses(file)
    assert [one.name for one in found.findings] == [one.name for one in file.hypotheses]
    assert {one.verdict for one in found.findings} <= {SUPPORTED, REFUTED, UNDECIDED}
    assert found.broken == []
