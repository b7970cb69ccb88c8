"""Calibration on the tiny world: runs that are the model's own, a held-back year that is held back, a posterior that can be used."""

import dataclasses
import json
import re
from pathlib import Path

import numpy as np
import pytest
from calibration_support import CALIBRATION, months_text, small_calibration, write_calibration_files
from typer.testing import CliRunner
from worlds import write_tiny_world

from cspsim.basics.errors import CspsimError
from cspsim.calibration.calibrating import Calibrated, calibrate, calibration_runs, first_wave, learn_numbers, scores_of
from cspsim.calibration.calibration_file import Calibration, load_calibration
from cspsim.calibration.calibration_page import write_calibration
from cspsim.calibration.calibration_summary import calibration_findings, calibration_sentences, learned_table
from cspsim.calibration.forecasts import LAST_YEAR, MODEL, forecast_years, mean_scores, scored
from cspsim.calibration.monthly_runs import Prior, simulate_sets, with_paths_held
from cspsim.calibration.observed import read_observed
from cspsim.calibration.posterior import PosteriorError, load_posterior, posterior_text
from cspsim.calibration.recovery import recover
from cspsim.calibration.targets import observed_targets
from cspsim.cli import app
from cspsim.one_run.run import Run
from cspsim.running.assumptions import sample_assumptions, uncertain_numbers
from cspsim.scenario.scenario import load_scenario
from cspsim.scenario.schema import parse_month
from cspsim.scenario.world_building import calendar_of, path_by_month


@pytest.fixture(scope="module")
def calibration(tmp_path_factory: pytest.TempPathFactory) -> Calibration:
    return small_calibration(tmp_path_factory.mktemp("calibration"))


@pytest.fixture(scope="module")
def calibrated(calibration: Calibration) -> Calibrated:
    return calibrate(calibration, threads=1)


class TestRuns:
    def test_months_and_outcomes_are_those_of_the_model(self, calibration: Calibration) -> None:
        """At best guesses, run 7: the same whole numbers as the model stepped month by month."""
        at_best = dataclasses.replace(
            calibration,
            data=calibration.data.model_copy(
                update={"uncertainties": calibration.data.uncertainties.model_copy(update={"others": "best-guess"})}
            ),
        )
        prior = Prior(at_best)
        sets = prior.sets(np.full((1, 3), 0.5), 1)
        sets.values[0] = [number.value for number in uncertain_numbers(calibration.scenario)]
        found = simulate_sets(at_best, sets, 7, last=parse_month("2014-03"), threads=1)
        changes = {"time.window_from": "2010-04", "time.window_to": "2013-03"}
        run = Run(calibration.scenario.with_changes(changes), seed=3, replicate=7)
        while not run.finished:
            run.advance()
        assert (found.recorded[0] == run.state.recorded[:, :, 12:]).all()
        np.testing.assert_allclose(found.outcomes[0], run.outcomes()[-1])

    def test_sought_numbers_take_their_place_among_all_others(self, calibration: Calibration) -> None:
        sets = Prior(calibration).sets(np.array([[0.0, 0.5, 1.0], [1.0, 0.5, 0.0]]), 1)
        frame = sets.frame()
        assert frame["uncertainties.shock_scale"].tolist() == pytest.approx([0.3, 1.0])
        assert frame["crime_types.burglary.reporting"].tolist() == pytest.approx([0.6, 0.4])
        assert list(frame) == [number.name for number in uncertain_numbers(calibration.scenario)]
        assert frame["uncertainties.gaming"].nunique() == 2  # sampled

    def test_threads_and_company_change_nothing(self, calibration: Calibration) -> None:
        sets = Prior(calibration).sets(Prior(calibration).quantiles(40, 1), 1)
        one, two = (simulate_sets(calibration, sets, 0, threads=threads).recorded for threads in (1, 2))
        assert (one == two).all()


class TestHeldPaths:
    def test_paths_end_where_knowledge_ends(self, calibration: Calibration) -> None:
        after = parse_month("2011-03")
        held = with_paths_held(calibration.scenario, after)
        months = calendar_of(held.data).reported
        before, now = (path_by_month(s.data.crime_types["burglary"].exogenous, months, 1.0) for s in (calibration.scenario, held))
        known = [month <= after for month in months]
        np.testing.assert_allclose(now[known], before[known])
        np.testing.assert_allclose(now[~np.array(known)], before[known][-1])
        assert before[-1] != pytest.approx(now[-1])

    def test_multipliers_are_kept_and_applied_once(self, calibration: Calibration) -> None:
        scaled = calibration.scenario.with_changes(
            {"crime_types.burglary.exogenous.multiplier": 2.0, "crime_types.burglary.exogenous.shift": 0.1}
        )
        held = with_paths_held(scaled, parse_month("2011-03"))
        months = calendar_of(held.data).reported[:12]
        before, now = (path_by_month(s.data.crime_types["burglary"].exogenous, months, 1.0) for s in (scaled, held))
        np.testing.assert_allclose(now, before)

    def test_a_path_that_is_known_already_is_left_alone(self, calibration: Calibration) -> None:
        assert with_paths_held(calibration.scenario, parse_month("2014-03")) is calibration.scenario


class TestHeldBackYear:
    def test_neither_posterior_nor_forecast_sees_it(self, tmp_path: Path, calibrated: Calibrated) -> None:
        """Other crimes in the held-back year, and another path of crime in it: nothing changes but the score."""
        lines = months_text().splitlines()
        other = [re.sub(r",\d+$", ",9999", line) if "2013-04" <= line[:7] <= "2014-03" else line for line in lines]
        path = write_calibration_files(tmp_path, months="\n".join(other))
        world = (tmp_path / "tiny.toml").read_text(encoding="utf-8")
        path_of_crime, another = '"2012-04" = 0.9 }', '"2012-04" = 0.9, "2013-03" = 0.9, "2013-04" = 9 }'
        assert world.count(path_of_crime) == 2
        (tmp_path / "tiny.toml").write_text(world.replace(path_of_crime, another), encoding="utf-8")
        changed = calibrate(load_calibration(path), threads=1)
        assert changed.calibration.observed.recorded.max() == 9999
        np.testing.assert_array_equal(changed.posterior.values, calibrated.posterior.values)
        usual, new = (forecast_years(c, threads=1)[0] for c in (calibrated, changed))
        for name, sample in usual.samples.items():
            np.testing.assert_array_equal(sample, new.samples[name])
        assert new.observed.min() == 9999
        scores = [scored(c.calibration, [f])["crps"].mean() for c, f in ((calibrated, usual), (changed, new))]
        assert scores[1] > 10 * scores[0]

    def test_earlier_years_are_forecast_from_what_was_known_then(self, tmp_path: Path) -> None:
        """Seven years of world would be long; the dates of one window say enough."""
        from cspsim.calibration.forecasts import as_of

        calibration = small_calibration(tmp_path)
        known = as_of(calibration, parse_month("2012-04"))
        assert known.window == (parse_month("2010-04"), parse_month("2012-03"))
        assert known.data.budget.waves == 1
        assert calibration.window[1] == parse_month("2013-03")

    def test_scores_cover_every_month_and_way(self, calibrated: Calibrated) -> None:
        forecasts = forecast_years(calibrated, threads=1)
        table = scored(calibrated.calibration, forecasts)
        assert len(table) == 5 * 2 * (1 + 2) * 12
        total = table[(table["forecast"] == LAST_YEAR) & (table["crime_type"] == "all types") & (table["partnership"] == "inner")]
        observed = calibrated.calibration.observed.recorded[0].sum(axis=0)
        assert total["observed"].tolist() == observed[36:].tolist()
        inside = (total["p5"] <= total["observed"]) & (total["observed"] <= total["p95"])
        assert (inside == total["in_90"]).all()
        summary = mean_scores(table)
        assert len(summary) == 5 * 2 * 3
        row = summary[(summary["forecast"] == MODEL) & (summary["crime_type"] == "violence") & (summary["partnership"] == "outer")]
        own = table[(table["forecast"] == MODEL) & (table["crime_type"] == "violence") & (table["partnership"] == "outer")]
        assert row["crps"].item() == pytest.approx(own["crps"].mean())


class TestLearning:
    def test_the_targets_move_what_they_speak_of(self, calibration: Calibration, calibrated: Calibrated) -> None:
        """More evaluation observed, more evaluation believed; reporting cannot be told from recorded crime with free paths."""
        said = []
        for value in (0.03, 0.3):
            facts = np.array([value])
            targets = observed_targets(calibration, calibration.observed.between(*calibration.window), facts)
            targets = [t._replace(tolerance=0.01) if t.name == "evaluated_share" else t for t in targets]
            found = learn_numbers(calibration, calibrated.pool, targets, f"at {value}", first_replicate=5 * 10**15, threads=1)
            said.append(found.scores.mean(axis=0))
        low, high = said
        names = calibrated.posterior.names
        assert high[names.index("uncertainties.evaluation_base")] > low[names.index("uncertainties.evaluation_base")] + 0.4
        reporting = names.index("crime_types.burglary.reporting")
        assert abs(high[reporting] - low[reporting]) < 0.6

    def test_the_same_file_gives_the_same_answer(self, calibration: Calibration, calibrated: Calibrated) -> None:
        again = calibrate(calibration, threads=2)
        np.testing.assert_array_equal(again.posterior.values, calibrated.posterior.values)
        np.testing.assert_array_equal(again.met, calibrated.met)

    def test_values_stay_in_their_ranges(self, calibrated: Calibrated) -> None:
        low, high = np.array([(number.low, number.high) for number in calibrated.calibration.numbers]).T
        assert (calibrated.posterior.values >= low).all()
        assert (calibrated.posterior.values <= high).all()

    def test_the_first_wave_is_the_prior(self, calibrated: Calibrated) -> None:
        np.testing.assert_allclose(calibrated.pool.scores.mean(axis=0), 0, atol=0.02)
        np.testing.assert_allclose(calibrated.pool.scores.std(axis=0), 1, atol=0.03)
        assert scores_of(np.array([0.5])) == 0

    def test_a_target_out_of_reach_is_said_so(self, calibration: Calibration, calibrated: Calibrated) -> None:
        targets = [t._replace(value=0.99, tolerance=0.001) if t.name == "evaluated_share" else t for t in observed_targets(calibration)]
        with pytest.raises(CspsimError, match=r"evaluated_share is missed by .* standard deviations or more"):
            learn_numbers(calibration, calibrated.pool, targets, threads=1)

    def test_planned_runs_are_the_runs_made(self, calibration: Calibration) -> None:
        made = []
        found = calibrate(calibration, threads=1, progress=made.append)
        forecast_years(found, threads=1, progress=made.append)
        recover(calibration, found.pool, threads=1, progress=made.append)
        assert sum(made) == calibration_runs(calibration, synthetic=True)

    def test_planted_numbers_come_back(self, tmp_path: Path) -> None:
        """Large slow shocks and small ones, planted where boroughs differ by little else, are told apart."""
        path = write_calibration_files(tmp_path, CALIBRATION.replace("[budget]", "[budget]\nwaves = 1"))
        world = (tmp_path / "tiny.toml").read_text(encoding="utf-8")
        (tmp_path / "tiny.toml").write_text(world.replace("annual_sd_local = 0.05", "annual_sd_local = 0.5"), encoding="utf-8")
        calibration = load_calibration(path)
        pool, _ = first_wave(calibration, threads=1)
        quantiles = np.full((20, 3), 0.5)
        quantiles[:10, 0], quantiles[10:, 0] = 0.02, 0.98
        data = simulate_sets(calibration, Prior(calibration).sets(quantiles, 9), 7 * 10**15, threads=1)
        facts = np.array([0.15])
        found = [
            learn_numbers(calibration, pool, observed_targets(calibration, recorded, facts), threads=1).scores[:, 0].mean()
            for recorded in data.recorded.astype(float)
        ]
        assert np.mean(found[10:]) > np.mean(found[:10]) + 0.5


class TestPosteriorFile:
    def test_round_trip_keeps_rows_together(self, tmp_path: Path, calibrated: Calibrated) -> None:
        path = tmp_path / "posterior.csv"
        path.write_text(posterior_text(calibrated.posterior), encoding="utf-8")
        sets = load_posterior(path, calibrated.calibration.scenario)
        frame = sets.frame()[list(calibrated.posterior.names)]
        np.testing.assert_allclose(frame, calibrated.posterior.values, rtol=1e-6)
        drawn = load_posterior(path, calibrated.calibration.scenario, sets=90, seed=2).frame()[list(calibrated.posterior.names)]
        known = {tuple(row) for row in frame.itertuples(index=False)}
        assert {tuple(row) for row in drawn.itertuples(index=False)} == known  # 60 rows, each at least once
        assert len(drawn) == 90
        some, others = (load_posterior(path, calibrated.calibration.scenario, sets=20, seed=seed).values for seed in (1, 2))
        assert not np.array_equal(some, others)
        chosen = [name for name in frame if len(set(some[:, [n.name for n in sets.numbers].index(name)]) - set(frame[name][:20]))]
        assert chosen  # not the first rows of the file

    def test_arms_share_rows_and_others_are_sampled_as_ever(self, tmp_path: Path, calibrated: Calibrated) -> None:
        path = tmp_path / "posterior.csv"
        path.write_text(posterior_text(calibrated.posterior), encoding="utf-8")
        scenario = calibrated.calibration.scenario
        arm = scenario.with_changes({"levers.grant.multiplier": 0.5})
        one, two = (load_posterior(path, s, sets=20, seed=4).frame() for s in (scenario, arm))
        assert one.equals(two)
        usual = sample_assumptions(scenario, 20, 4).frame()
        others = [name for name in usual if name not in calibrated.posterior.names]
        assert one[others].equals(usual[others])
        best = load_posterior(path, scenario, sets=20, others="best-guess").frame()
        values = {number.name: number.value for number in uncertain_numbers(scenario)}
        assert all((best[name] == values[name]).all() for name in others)

    def test_the_world_is_under_the_posterior(self, tmp_path: Path, calibration: Calibration) -> None:
        from cspsim.scenario.world_building import build_world

        path = tmp_path / "mine.csv"
        path.write_text("uncertainties.shock_scale,crime_types.burglary.reporting\n0.77,0.55\n", encoding="utf-8")
        world = load_posterior(path, calibration.scenario).apply(build_world(calibration.scenario.data), 0)
        assert world.uncertainties.shock_scale == 0.77
        assert world.reporting[0] == 0.55

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("uncertainties.shok_scale\n1\n", ':1: uncertainties.shok_scale: nothing uncertain has this name'),
            ("uncertainties.shok_scale\n1\n", 'did you mean "uncertainties.shock_scale"'),
            ("uncertainties.gaming,uncertainties.gaming\n1,1\n", ":1: uncertainties.gaming: stands twice"),
            ("uncertainties.gaming\n0.1\nx\n", ":3: expected 1 numbers"),
            ("uncertainties.gaming\n0.1,2\n", ":2: expected 1 numbers"),
            ("uncertainties.gaming\nnan\n", ":2: expected 1 numbers"),
            ("uncertainties.gaming\n", "holds no sets"),
        ],
    )  # fmt: skip
    def test_faults(self, tmp_path: Path, calibration: Calibration, text: str, words: str) -> None:
        path = tmp_path / "wrong.csv"
        path.write_text(text, encoding="utf-8")
        with pytest.raises(PosteriorError) as error:
            load_posterior(path, calibration.scenario)
        assert words in str(error.value)

    def test_a_file_that_is_not_there(self, tmp_path: Path, calibration: Calibration) -> None:
        with pytest.raises(PosteriorError, match="cannot be read"):
            load_posterior(tmp_path / "none.csv", calibration.scenario)
        with pytest.raises(ValueError, match="expected 1 or more"):
            load_posterior(tmp_path / "none.csv", calibration.scenario, sets=0)


@pytest.fixture(scope="module")
def folder(calibrated: Calibrated, tmp_path_factory: pytest.TempPathFactory) -> Path:
    forecasts = forecast_years(calibrated, threads=1)
    findings = calibration_findings(calibrated, forecasts, recover(calibrated.calibration, calibrated.pool, threads=1))
    target = tmp_path_factory.mktemp("out")
    for name in ("one", "two"):
        write_calibration(findings, target / name, "cspsim calibrate calibration.toml")
    return target


class TestReport:
    def test_is_the_same_every_time(self, folder: Path) -> None:
        names = sorted(path.name for path in (folder / "one").iterdir())
        assert {"report.html", "posterior.csv", "settings.json", "learned.csv", "scores.parquet", "recovery.csv", "forecasts.png"} <= set(
            names
        )
        for name in names:
            assert (folder / "one" / name).read_bytes() == (folder / "two" / name).read_bytes(), name

    def test_says_what_was_found_and_loads_nothing(self, folder: Path) -> None:
        html = (folder / "one" / "report.html").read_text(encoding="utf-8")
        assert not re.findall(r'(?:src|href)="(?!data:)[^"#]', html)
        assert html.count("<img ") == 5
        assert all(alternative for alternative in re.findall(r'alt="([^"]*)"', html))
        for words in ("Tiny calibration", "made up for tests", "Made up for tests.", "shock_scale", "Dated paths of crime are left free"):
            assert words in html
        settings = json.loads((folder / "one" / "settings.json").read_text(encoding="utf-8"))
        assert settings["observed"]["remarks"] == "Made up for tests."
        assert settings["held_back"] == ["2013-04"]


class TestVerdicts:
    def test_learned_only_where_it_also_narrows_in_made_up_data(self, calibrated: Calibrated) -> None:
        import pandas as pd

        narrow = calibrated.posterior._replace(
            scores=calibrated.posterior.scores / calibrated.posterior.scores.std(axis=0) * [0.5, 0.5, 0.99]
        )
        found = calibrated._replace(posterior=narrow)
        assert learned_table(found)["verdict"].tolist() == ["learned", "learned", "not narrowed"]
        recovered = pd.DataFrame({"number": narrow.names, "shrinkage": [0.5, 0.02, 0.02]})
        verdicts = learned_table(found, recovered)["verdict"].tolist()
        assert verdicts == ["learned", "not learnable", "not learnable"]

    def test_sentences_say_who_wins(self, calibrated: Calibrated) -> None:
        forecasts = forecast_years(calibrated, threads=1)
        perfect = forecasts[0]._replace(samples={**forecasts[0].samples, MODEL: np.repeat(forecasts[0].observed[None], 2, axis=0)})
        hopeless = forecasts[0]._replace(samples={**forecasts[0].samples, MODEL: np.full((2, *forecasts[0].observed.shape), 1e6)})
        for forecast, word in ((perfect, "beats"), (hopeless, "loses to")):
            said = " ".join(calibration_sentences(calibration_findings(calibrated, [forecast], None)))
            assert said.count(f"the model {word} the better naive forecast in") == 2
        assert "its 90% band held 0% of the months" in said


class TestCommand:
    def test_calibrates_and_writes(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        write_calibration_files(tmp_path)
        monkeypatch.chdir(tmp_path)
        result = CliRunner().invoke(app, ["calibrate", "calibration.toml", "--out", "done", "--json", "--threads", "1"])
        assert result.exit_code == 0, result.output
        answer = json.loads(result.stdout)
        assert answer["folder"] == "done"
        assert answer["learned"][0]["number"] == "uncertainties.shock_scale"
        assert len(answer["scores_by_year"]) == 5 * 2 * 3
        scenario = load_scenario(tmp_path / "tiny.toml")
        assert len(load_posterior(tmp_path / "done" / "posterior.csv", scenario)) == 60

    def test_faults_end_with_two_and_no_traceback(self, tmp_path: Path) -> None:
        path = write_calibration_files(tmp_path, CALIBRATION.replace("shock_scale", "shok_scale"))
        result = CliRunner().invoke(app, ["calibrate", str(path)])
        assert result.exit_code == 2
        assert 'did you mean "shock_scale"' in result.output
        assert "Traceback" not in result.output

    def test_the_observed_months_of_a_world_can_be_read_alone(self, tmp_path: Path) -> None:
        write_tiny_world(tmp_path)
        (tmp_path / "m.csv").write_text(months_text(months=3), encoding="utf-8")
        assert read_observed(tmp_path / "m.csv", load_scenario(tmp_path / "tiny.toml")).recorded.shape == (2, 2, 3)
