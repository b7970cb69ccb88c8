"""The synthetic country: drawn by name and from what is documented, marked as made up, and run one area at a time."""

import gc
import itertools
import json
import tomllib
import tracemalloc
import weakref
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from statistics import correlation
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from scipy.stats import binom
from typer.testing import CliRunner
from worlds import tiny_world

from cspsim.basics.errors import CspsimError, ScenarioError
from cspsim.cli import app
from cspsim.comparing.comparison import compare
from cspsim.comparing.differences import Paired
from cspsim.country import areas as country_areas
from cspsim.country.areas import CAPITAL, SINGLE_TIER, TWO_TIER, DrawnPlace, area_text, generate_country, kind_of, places_of, rates_table
from cspsim.country.draws import DRAWS_FILE, Draw, Lot, draws, national_streams, quantile
from cspsim.country.totals import AreaFinding, CountryAnswer, run_country
from cspsim.model.parameters import Floats
from cspsim.running.outcomes import OUTCOMES
from cspsim.running.simulation import simulate
from cspsim.scenario.scenario import Scenario, load_scenario

HALVED = {"levers.grant.multiplier": 0.5}
SEEDS = range(1, 7)


@lru_cache(maxsize=1)
def everywhere() -> dict[str, list[DrawnPlace]]:
    """Kind of area -> the partnerships of six countries."""
    found: dict[str, list[DrawnPlace]] = {CAPITAL: [], SINGLE_TIER: [], TWO_TIER: []}
    for seed, number in itertools.product(SEEDS, range(1, 44)):
        found[kind_of(seed, number)] += places_of(seed, number)
    return found


@lru_cache(maxsize=1)
def small_area() -> Scenario:
    """The smallest of the first areas, so that running it is quick."""
    number = min(range(2, 30), key=lambda number: len(places_of(1, number)))
    return next(itertools.islice(generate_country(1, number), number - 1, None)).with_changes(
        {"time.last_month": "2013-03", "time.warm_up_months": 12}, name="small"
    )


def tiny(name: str, path: Path) -> Scenario:
    file = path / f"{name}.toml"
    file.write_text(tiny_world(), encoding="utf-8")
    return load_scenario(file)


def cli(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["country", "--synthetic", *arguments])
    return result.exit_code, result.stdout, result.stderr


class TestDraws:
    @pytest.mark.parametrize(("at", "expected"), [(0.1, 80.0), (0.5, 100.0), (0.9, 300.0)])
    def test_a_lognormal_goes_through_its_three_numbers(self, at: float, expected: float) -> None:
        assert Draw(value=100, low=80, high=300, shape="lognormal").at(at) == pytest.approx(expected)

    def test_a_triangle_worked_by_hand(self) -> None:
        """Between 0 and 10 with its top at 2, a fifth lies below 2; half of the upper part's square is left above 10 - sqrt(.4 x 80)."""
        triangle = Draw(value=2, low=0, high=10, shape="triangular")
        assert triangle.at(0.2) == pytest.approx(2)
        assert triangle.at(0.6) == pytest.approx(10 - np.sqrt(0.4 * 10 * 8))

    @given(some.floats(1e-12, 1 - 1e-12), some.floats(1e-12, 1 - 1e-12), some.sampled_from(sorted(draws())))
    def test_draws_rise_with_their_quantile_and_are_never_negative(self, one: float, other: float, name: str) -> None:
        low, high = sorted((one, other))
        assert 0 <= draws()[name].at(low) <= draws()[name].at(high)

    def test_every_distribution_is_in_order_and_tells_its_story(self) -> None:
        for name, draw in draws().items():
            assert draw.low is not None, name
            assert draw.high is not None, name
            assert draw.low <= draw.value <= draw.high, name
            assert draw.source, name
            assert draw.unit, name
            assert draw.low > 0 or draw.shape != "lognormal", name

    def test_a_draw_hangs_on_seed_and_names_alone(self) -> None:
        assert quantile(1, "area_02", "kind") == quantile(1, "area_02", "kind")
        others = {quantile(2, "area_02", "kind"), quantile(1, "area_03", "kind"), quantile(1, "area_02", "other")}
        assert len(others | {quantile(1, "area_02", "kind")}) == 4


class TestGeneration:
    def test_the_same_seed_gives_the_same_text_and_another_seed_another(self) -> None:
        assert area_text(5, 7) == area_text(5, 7)
        assert area_text(5, 7) != area_text(6, 7)

    def test_one_area_more_moves_nobody(self) -> None:
        few = [scenario.digest for scenario in generate_country(1, 2)]
        more = [scenario.digest for scenario in generate_country(1, 4)]
        assert more[:2] == few
        assert len(set(more)) == 4

    def test_one_distribution_more_moves_nobody(self, monkeypatch: pytest.MonkeyPatch) -> None:
        before = places_of(1, 3)
        longer = {"rates.elsewhere.shoplifting": draws()["rates.elsewhere.burglary"], **draws()}
        monkeypatch.setattr(country_areas, "draws", lambda: longer)
        for old, new in zip(before, places_of(1, 3), strict=True):
            assert new.recorded.pop("shoplifting") >= 0
            assert new == old

    def test_the_country_is_about_as_large_as_the_real_one(self) -> None:
        """Over 300 partnerships (seen) and 56 million people (memory) on average; the first area has the 32 boroughs."""
        per_country = [sum(len(places_of(seed, number)) for number in range(1, 44)) for seed in SEEDS]
        assert 290 < np.mean(per_country) < 335
        assert all(270 < count < 360 for count in per_country)
        people = sum(place.population for places in everywhere().values() for place in places) / len(SEEDS)
        assert people == pytest.approx(55e6, rel=0.08)
        assert [len(places_of(seed, 1)) for seed in SEEDS] == [32] * len(SEEDS)

    @pytest.mark.parametrize("kind", [CAPITAL, SINGLE_TIER, TWO_TIER])
    def test_population_has_the_documented_quantiles(self, kind: str) -> None:
        _has_quantiles([place.population for place in everywhere()[kind]], draws()[f"population.{kind}"])

    @pytest.mark.parametrize("kind", [CAPITAL, SINGLE_TIER, TWO_TIER])
    @pytest.mark.parametrize("crime", ["burglary", "violence_with_injury", "theft_from_person", "antisocial_behaviour"])
    def test_crime_rates_have_the_documented_quantiles(self, kind: str, crime: str) -> None:
        factor = draws()[f"place.{kind}"].value
        rates = [1000 * place.recorded[crime] / place.population / factor for place in everywhere()[kind]]
        _has_quantiles(rates, draws()[f"{rates_table(kind)}.{crime}"])

    @pytest.mark.parametrize(
        "pair", [("burglary", "criminal_damage"), ("violence_with_injury", "robbery"), ("vehicle_crime", "antisocial_behaviour")]
    )
    def test_crime_types_go_together_as_documented(self, pair: tuple[str, str]) -> None:
        places = everywhere()[TWO_TIER]
        logs = [[np.log(place.recorded[crime] / place.population) for place in places] for crime in pair]
        assert correlation(*logs) == pytest.approx(draws()["place.alike"].value, abs=0.08)

    def test_money_adds_up_to_about_the_national_streams(self) -> None:
        shares = []
        for seed in (1, 2):
            total, people = 0.0, 0
            for number in range(1, 44):
                tables = country_areas.area_tables(seed, number)
                total += tables["grants"]["commissioner_pot"]["amount"]["path"]["2013-04"]
                people += tables["area"]["population"]["value"]
            national = national_streams()["commissioner_pot"].path["2013-04"]
            shares.append(total / (national * people / draws()["national.population"].value))
        assert np.mean(shares) == pytest.approx(1, abs=0.06)

    def test_budgets_fall_within_the_range_between_forces(self) -> None:
        falls = [1 - _authorities(1, number)["police"]["mainstream"]["path"]["2015-04"] for number in range(1, 44)]
        drawn = draws()["budgets.police"]
        assert drawn.low is not None
        assert drawn.high is not None
        assert drawn.low - 1e-3 <= min(falls) < max(falls) <= drawn.high + 1e-3
        assert np.mean(falls) == pytest.approx((drawn.low + drawn.value + drawn.high) / 3, abs=0.012)

    def test_neighbours_are_mutual_and_share_a_boundary_below_one(self) -> None:
        for number in (1, 2, 3):
            partnerships = country_areas.area_tables(1, number)["partnerships"]
            for name, entry in partnerships.items():
                assert sum(share["value"] for share in entry["neighbours"].values()) < 1
                assert all(name in partnerships[other]["neighbours"] for other in entry["neighbours"])

    def test_a_two_tier_area_has_county_and_district_at_each_table(self) -> None:
        number = next(number for number in range(2, 44) if kind_of(1, number) == TWO_TIER)
        scenario = load_scenario_from(area_text(1, number))
        for entry in scenario.data.partnerships.values():
            assert entry.authorities is not None
            assert "county_council" in entry.authorities
            assert len({"borough_council", "district_council"} & set(entry.authorities)) == 1

    def test_the_capital_lost_its_police_authority_earlier(self) -> None:
        capital = load_scenario_from(area_text(1, 1)).data
        assert capital.authorities["police_authority"].until == capital.events["commissioner_elected"].month == "2012-01"

    def test_a_seed_or_a_country_that_cannot_be_is_refused(self) -> None:
        with pytest.raises(CspsimError, match="1 or more"):
            next(generate_country(1, 0))
        with pytest.raises(CspsimError, match="not between"):
            next(generate_country(-1, 1))


def load_scenario_from(text: str) -> Scenario:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "area.toml"
        path.write_text(text, encoding="utf-8")
        return load_scenario(path)


def _authorities(seed: int, number: int) -> dict[str, Any]:
    found: dict[str, Any] = country_areas.area_tables(seed, number)["authorities"]
    return found


def _has_quantiles(values: list[float], draw: Draw) -> None:
    """As many values below the documented tenth, fiftieth and ninetieth percentile as chance leaves likely (1 in 10,000)."""
    for share, limit in ((0.1, draw.low), (0.5, draw.value), (0.9, draw.high)):
        below = int((np.array(values) < (limit or 0)).sum())
        low, high = binom.ppf(5e-5, len(values), share), binom.ppf(1 - 5e-5, len(values), share)
        assert low <= below <= high, f"{below} of {len(values)} below {limit}"


class TestMarkedSynthetic:
    @pytest.mark.parametrize("number", [1, 2, 3])
    def test_every_area_says_so_and_every_number_says_where_it_is_from(self, number: int) -> None:
        text = area_text(3, number)
        raw = tomllib.loads(text)
        assert text.startswith("# SYNTHETIC")
        assert raw["title"].startswith("Synthetic")
        assert raw["context"].startswith("SYNTHETIC")
        assert raw["area"]["title"].startswith("Synthetic")
        assert all(entry["title"].startswith("Synthetic") for entry in raw["partnerships"].values())
        stories = list(_stories(raw))
        assert len(stories) > 50
        for story in stories:
            assert story["source"].startswith("synthetic"), story
            assert story["status"] == "assumption", story

    def test_a_drawn_number_names_a_distribution_that_exists(self) -> None:
        for story in _stories(tomllib.loads(area_text(3, 2))):
            if " from " in story["source"]:
                named = story["source"].split(" from ")[1].split(" of ")[0]
                assert named in draws(), named
        assert DRAWS_FILE in tomllib.loads(area_text(3, 2))["context"]

    def test_numbers_that_are_not_drawn_come_from_the_shipped_world(self) -> None:
        scenario = load_scenario_from(area_text(1, 2))
        assert {path.name for path in scenario.sources} >= {"catalogue.toml", "crime.toml", "outside-london.toml"}
        assert scenario.data.interventions == load_scenario("baseline").data.interventions


def _stories(raw: Any) -> Iterator[dict[str, Any]]:
    if isinstance(raw, dict):
        if "value" in raw or "path" in raw:
            yield raw
        else:
            for inner in raw.values():
                yield from _stories(inner)


def _estimate(difference: float, error: float, baseline: float = 100.0) -> Paired:
    """A paired estimate in which every outcome has the same figures."""

    def all_of(part: float) -> Floats:
        return np.full(len(OUTCOMES), part)

    flags = np.zeros(len(OUTCOMES), dtype=bool)
    return Paired(all_of(baseline), all_of(baseline + difference), all_of(difference), all_of(error), all_of(2 * error), all_of(0.5), flags)


class TestRunning:
    def test_a_country_of_one_area_is_a_comparison(self) -> None:
        """The same luck, interval, range over assumption sets and verdict as ``compare`` gives, figure for figure."""
        area = small_area()
        found = run_country([area], HALVED, 4, seed=4, assumption_sets=3, replicates_per_set=2)
        expected = compare(area, area.with_changes(HALVED), 4, 4, 3, 2)
        for outcome in ("cost_of_crime", "evaluated_share", "received"):
            ours, theirs = found.finding(outcome)._asdict(), expected.finding(outcome=outcome)._asdict()
            for field in ("verdict", "role", "unit", "replicates"):
                assert ours[field] == theirs[field]
            for field in (
                "baseline",
                "value",
                "difference",
                "ci_low",
                "ci_high",
                "p_value",
                "assumptions_low",
                "assumptions_high",
                "same_sign_share",
            ):
                assert ours[field] == pytest.approx(theirs[field], rel=1e-9, nan_ok=True), (outcome, field)

    def test_the_country_is_the_sum_of_its_areas_run_by_run(self, tmp_path: Path) -> None:
        """Totals add up; the interval is that of summed replicates, worked by hand from the areas' own runs."""
        areas = [small_area(), tiny("tiny", tmp_path)]
        found = run_country(areas, HALVED, 5)
        arms = [[simulate(arm, 5).area("cost_of_crime") for arm in (area, area.with_changes(HALVED))] for area in areas]
        paired = sum(changed - before for before, changed in arms)
        answer = found.finding("cost_of_crime")
        assert answer.baseline == pytest.approx(sum(before.mean() for before, _ in arms))
        assert answer.difference == pytest.approx(np.mean(paired))
        assert answer.difference - answer.ci_low == pytest.approx(2.7764451 * np.std(paired, ddof=1) / np.sqrt(5))
        assert sum(row["difference"] for row in found.rows("cost_of_crime")) == pytest.approx(answer.difference)

    def test_many_replicates_are_the_same_in_blocks(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        area = tiny("tiny", tmp_path)
        whole = run_country([area], HALVED, 7)
        monkeypatch.setattr("cspsim.country.totals.BLOCK", 3)
        assert run_country([area], HALVED, 7).finding() == whole.finding()

    def test_nothing_changed_is_identical_everywhere(self, tmp_path: Path) -> None:
        found = run_country([tiny("tiny", tmp_path)], {"levers.grant.multiplier": 1.0}, 3)
        assert {finding.verdict for finding in found.findings} <= {"identical", "not defined"}
        assert found.spread()[:3] == (0, 0, 0)

    def test_a_cut_takes_money_from_every_area(self, tmp_path: Path) -> None:
        found = run_country([small_area(), tiny("tiny", tmp_path)], HALVED, 3)
        assert found.finding("received").value == pytest.approx(found.finding("received").baseline / 2)
        assert found.spread("received").lower == 2
        assert found.spread("received").median == pytest.approx(-0.5)

    def test_what_cannot_be_asked_is_refused_in_words(self, tmp_path: Path) -> None:
        area = tiny("tiny", tmp_path)
        with pytest.raises(CspsimError, match="nothing is changed"):
            run_country([area], {}, 2)
        with pytest.raises(CspsimError, match="without areas"):
            run_country([], HALVED, 2)
        with pytest.raises(ScenarioError, match="grant"):
            run_country([area], {"levers.grnat.multiplier": 0.5}, 2)
        with pytest.raises(CspsimError, match="cost_of_crime"):
            run_country([area], HALVED, 2).finding("cost_of_crimes")

    def test_spread_between_areas_worked_by_hand(self) -> None:
        """Effects of 1, 2.5 and 6 %, each with a standard error of 1 % and an interval of +-2 %: two leave out zero."""
        areas = tuple(AreaFinding(f"a{k}", "", 1, 1.0, _estimate(effect, 1.0)) for k, effect in enumerate((1.0, 2.5, 6.0)))
        spread = CountryAnswer(areas, _estimate(9.5, 1.0), np.zeros((2, 0, len(OUTCOMES))), "cost_of_crime", 10).spread()
        assert spread.relative
        assert spread.median == pytest.approx(0.025)
        assert spread.low == pytest.approx(0.013)
        assert spread.between_sd == pytest.approx(np.sqrt(np.var([1, 2.5, 6], ddof=1) - 1) / 100)
        assert (spread.higher, spread.lower, spread.unclear) == (2, 0, 1)

    def test_one_area_is_held_at_a_time(self, tmp_path: Path) -> None:
        alive: list[weakref.ref[Scenario]] = []
        most = 0

        def areas() -> Iterator[Scenario]:
            nonlocal most
            for k in range(5):
                gc.collect()
                most = max(most, sum(reference() is not None for reference in alive))
                scenario = tiny(f"tiny_{k}", tmp_path)
                alive.append(weakref.ref(scenario))
                yield scenario
                del scenario

        run_country(areas(), HALVED, 2)
        assert len(alive) == 5
        assert most <= 1  # the one that the loop is about to let go of

    def test_memory_does_not_grow_with_areas(self, tmp_path: Path) -> None:
        """Four areas more cost a few kilobytes of findings; their runs alone would be 300, their scenarios a thousand."""

        def peak(areas: int) -> int:
            def one_by_one() -> Iterator[Scenario]:
                for k in range(areas):
                    gc.collect()
                    yield tiny(f"tiny_{k}", tmp_path)

            tracemalloc.start()
            run_country(one_by_one(), HALVED, 80, threads=1)
            found = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            return found

        peak(1)
        few, many = peak(2), peak(6)
        assert many < few + 80_000


class TestCommand:
    def test_three_areas_written_checked_and_run(self, tmp_path: Path) -> None:
        folder = tmp_path / "country"
        code, printed, complaint = cli("--seed", "1", "--areas", "3", "--out", str(folder), "--json")
        assert code == 0, complaint
        said = json.loads(printed)
        assert said["synthetic"] is True
        assert [Path(path).name for path in said["files"]] == ["area_01.toml", "area_02.toml", "area_03.toml"]
        assert Path(said["files"][1]).read_text(encoding="utf-8") == area_text(1, 2)
        checked = CliRunner().invoke(app, ["check", *said["files"]])
        assert checked.exit_code == 0, checked.stderr
        assert checked.stdout.count(": OK") == 3

    def test_a_question_is_answered_for_the_country_and_by_area(self) -> None:
        asked = ("--areas", "3", "--run", "--set", "levers.grant.multiplier=0.5", "--set", "time.last_month=2012-03", "--replicates", "2")
        code, printed, complaint = cli(*asked, "--json")
        assert code == 0, complaint
        said = json.loads(printed)
        received = next(row for row in said["country"] if row["outcome"] == "received")
        assert received["difference"] < 0
        assert [row["partnerships"] for row in said["areas_in_detail"]] == [len(places_of(1, number)) for number in (1, 2, 3)]
        code, printed, complaint = cli(*asked, "--outcome", "evaluated_share")
        assert code == 0, complaint
        for part in ("No place in them is real", "The whole country", "Evaluated by area", "Between areas", "area_03", "95% interval"):
            assert part in printed

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ([], "nothing to do"),
            (["--run"], "--set"),
            (["--out", "x", "--set", "levers.grant.multiplier=0.5"], "add --run"),
            (["--run", "--set", "levers.grant.multiplier=0.5", "--outcome", "evaluated_shares"], "evaluated_share"),
            (["--run", "--set", "levers.grnat.multiplier=0.5", "--areas", "2"], "grant"),
        ],
    )
    def test_what_makes_no_sense_is_said(self, arguments: list[str], message: str) -> None:
        code, printed, complaint = cli(*arguments)
        assert code == 2
        assert printed == ""
        assert message in complaint

    def test_files_are_all_there_or_none(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def fails(seed: int, number: int) -> str:
            if number == 2:
                raise CspsimError("the disk is gone")
            return area_text(seed, number)

        monkeypatch.setattr("cspsim.country.areas.area_text", fails)
        code, _, complaint = cli("--areas", "3", "--out", str(tmp_path / "country"))
        assert code == 2
        assert "the disk is gone" in complaint
        assert list(tmp_path.iterdir()) == []

    def test_somebody_elses_folder_is_left_alone(self, tmp_path: Path) -> None:
        (tmp_path / "thesis.txt").write_text("mine", encoding="utf-8")
        code, _, complaint = cli("--areas", "1", "--out", str(tmp_path))
        assert code == 2
        assert "did not write" in complaint
        assert (tmp_path / "thesis.txt").read_text(encoding="utf-8") == "mine"


def test_lots_of_one_entity_differ_by_distribution() -> None:
    lot = Lot(1, "area_02_town_01")
    assert lot.value("budgets.police") != lot.value("budgets.fire")
    assert lot.number("budgets.police", 0.8, "times")["source"].startswith("synthetic: drawn with seed 1 from budgets.police")
