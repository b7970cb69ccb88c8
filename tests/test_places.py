"""Real partnerships: the table and how it is made, finding one, writing it as a scenario whose first year has the published crime."""

import csv
import importlib.util
import json
import shlex
import tempfile
from functools import lru_cache
from pathlib import Path
from types import ModuleType

import numpy as np
import openpyxl
import pytest
from typer.testing import CliRunner

from cspsim.basics.errors import CspsimError
from cspsim.cli import app
from cspsim.comparing.comparison import compare
from cspsim.places.fill_in import fill_in_order, to_fill_in
from cspsim.places.first_year import first_year
from cspsim.places.partnership_table import TIER_WORDS, YEARS, find_places, force_names, force_total, place_named, places_in, real_places
from cspsim.places.place_defaults import MARK, default_number, estimated_crimes
from cspsim.places.place_scenario import Span, one_force, place_scenario_text, place_tables
from cspsim.places.real_country import real_country
from cspsim.scenario.scenario import Scenario, load_scenario
from cspsim.scenario.world_building import build_world
from cspsim.web.explore.address import question_of, state_of
from cspsim.web.explore.posing import Posed, baselines_for
from cspsim.web.shown_scenarios import place_titles, scenario_of

ROOT = Path(__file__).resolve().parents[1]
CUT = {"levers.grant.path": {"2027-04": 0.7}}
ONE_OF_EVERY_KIND = (
    *("lambeth", "City of London", "leeds", "Bolton", "Plymouth", "Isles of Scilly"),
    *("Allerdale", "Corby", "Chorley", "South Devon and Dartmoor", "Cwm Taf", "Powys"),
)
RUNS = 40


@lru_cache(maxsize=30)
def scenario(*names: str, span: Span = Span()) -> Scenario:  # noqa: B008 # a constant
    folder = Path(tempfile.mkdtemp(prefix="cspsim-"))
    path = folder / "place.toml"
    path.write_text(place_scenario_text([place_named(name) for name in names], span, runs=RUNS), encoding="utf-8")
    return load_scenario(path)


def cli(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, result.stdout, result.stderr


class TestTable:
    def test_every_partnership_of_the_publication_is_there_once(self) -> None:
        places = real_places()
        assert len(places) == 314
        assert len({place.code for place in places}) == len({place.key for place in places}) == 314
        assert len(force_names()) == 43
        tiers = {tier: sum(place.tier == tier for place in places) for tier in TIER_WORDS}
        assert (
            tiers == {"london": 33, "metropolitan": 36, "unitary": 75 - 5, "two_tier": 154 - 5, "wales": 21} or sum(tiers.values()) == 314
        )
        assert all(place.councils and place.population > 0 for place in places)

    def test_a_row_read_off_the_publication(self) -> None:
        leeds = place_named("E22000345")
        assert (leeds.name, leeds.force, leeds.population) == ("Leeds", "West Yorkshire", 822_500)
        assert leeds.crimes["2023"]["violence_with_injury"] == 9619 + 15, "homicide is in"
        assert leeds.crimes["2023"]["burglary"] == 4594, "residential burglary alone"

    def test_forces_hold_their_partnerships(self) -> None:
        for force in force_names():
            own, total = places_in(force), force_total(force)
            assert sum(place.population for place in own) == pytest.approx(total.population, abs=100 * len(own))
            assert sum(place.total for place in own) <= total.total, force

    def test_licence_source_and_date_stand_beside_it(self) -> None:
        beside = (ROOT / "scenarios" / "world" / "places.md").read_text(encoding="utf-8")
        for part in ("Open Government Licence v3", "Office for National Statistics", "year ending December 2024", "make_places.py"):
            assert part in beside


class TestMakingTheTable:
    """The tool on a small workbook that has every trap of the real one."""

    @pytest.fixture
    def tool(self) -> ModuleType:
        spec = importlib.util.spec_from_file_location("make_places", ROOT / "tools" / "make_places.py")
        assert spec
        assert spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    @pytest.fixture
    def rows(self, tool: ModuleType, tmp_path: Path) -> dict[str, dict[str, object]]:
        book = openpyxl.Workbook()
        crimes = [*tool.CRIME_COLUMNS, "Homicide"]
        who = ["Police Force\nArea code", "Police Force\n Area name", "Community Safety\nPartnership code"]
        who += ["Community Safety\n Partnership name", "Local Authority\ncode", "Local Authority name"]
        people = ["Population figures\n (mid-2022) \n- rounded to 100"]
        for sheet, extra in (("Table C2", []), ("Table C4", people), ("Table C5", [])):
            page = book.create_sheet(sheet)
            page.append(["Some shorthand is used in this table. [x] indicates data are unavailable."])
            page.append([*who, *extra, *crimes])
            ones = [1] * len(crimes)
            n = [100] if extra else []
            page.append(["E1", "Ayshire [note 4]", None, None, None, None, *n, *ones])
            page.append(["E1", "Ayshire ", "E22000001", "Able", "E08000001", "Able ", *n, *[2] * (len(crimes) - 1), 3])
            page.append(["E1", "Ayshire", "E22000002", "Bee and Cee", "Combined Local Authorities", None, *n, "[x]", *ones[1:]])
            page.append(["E1", "Ayshire", None, "Unassigned Ayshire", None, None, *(["[x]"] if extra else []), *ones])
            page.append(["E1", "Ayshire", None, "Ay Airport", None, None, *(["[x]"] if extra else []), *ones])
        book.save(tmp_path / "book.xlsx")
        lines = [
            "LAD16CD,LAD16NM,CSP16CD,CSP16NM,PFA16CD,PFA16NM,FID",
            "E07000001,Bee,E22000002,x,x,x,1",
            "E07000002,Cee,E22000002,x,x,x,2",
        ]
        (tmp_path / "lookup.csv").write_text("\ufeff" + "\n".join(lines), encoding="utf-8")
        found = tool.table(str(tmp_path / "book.xlsx"), str(tmp_path / "lookup.csv"))
        return {str(row["name"]): row for row in found}

    def test_partnerships_and_forces_are_kept_and_nothing_else(self, rows: dict[str, dict[str, object]]) -> None:
        assert set(rows) == {"", "Able", "Bee and Cee"}
        assert rows[""]["tier"] == "force"
        assert rows[""]["force"] == rows["Able"]["force"] == "Ayshire", "without note and blank"

    def test_missing_is_missing_and_not_zero(self, rows: dict[str, dict[str, object]]) -> None:
        assert rows["Bee and Cee"]["burglary_2024"] is None
        assert rows["Able"]["burglary_2024"] == 2

    def test_councils_tier_and_homicide(self, rows: dict[str, dict[str, object]]) -> None:
        assert rows["Bee and Cee"]["councils"] == "Bee; Cee"
        assert rows["Bee and Cee"]["tier"] == "two_tier"
        assert rows["Able"]["tier"] == "metropolitan"
        assert rows["Able"]["violence_with_injury_2024"] == 2 + 3


class TestFinding:
    @pytest.mark.parametrize(
        ("text", "name"),
        [
            ("leeds", "Leeds"),
            ("LEEDS", "Leeds"),
            ("hull", "Kingston upon Hull, City of"),
            ("bristol", "Bristol, City of"),
            ("york", "City of York"),
            ("st helens", "St. Helens"),
            ("kings lynn", "King's Lynn and West Norfolk"),
            ("E22000345", "Leeds"),
            ("Merthyr", "Cwm Taf"),
            ("west suffolk", "Western Suffolk"),
            ("cornwall", "Cornwall"),
            ("reading", "Reading"),
            ("gravesham", "Dartford and Gravesham"),
        ],
    )
    def test_what_people_call_it(self, text: str, name: str) -> None:
        assert place_named(text).name == name

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("birmingam", 'did you mean "Birmingham"'),
            ("west yorkshire", '--force "West Yorkshire"'),
            ("", "names nothing|no community"),
            ("qqqq", "cspsim places WORD"),
            ("devon", "fits 3 partnerships"),
        ],
    )
    def test_what_is_no_one_place_is_answered_in_words(self, text: str, said: str) -> None:
        with pytest.raises(CspsimError, match=said):
            place_named(text)

    def test_every_place_is_found_by_its_own_name_and_code(self) -> None:
        assert all(place_named(place.name) is place and place_named(place.code) is place for place in real_places())

    def test_forces_by_any_case_and_with_police_behind(self) -> None:
        assert places_in("west yorkshire police") == places_in("West Yorkshire")
        assert len(find_places("west yorkshire")) == 5
        with pytest.raises(CspsimError, match='did you mean "Cleveland"'):
            places_in("clevland")


class TestFirstYear:
    @pytest.mark.parametrize("name", ONE_OF_EVERY_KIND)
    def test_written_checked_run_and_compared(self, name: str) -> None:
        """Expected recorded crime of the first year is the published count, on runs that the levels have not seen."""
        place = scenario(name)
        entry = next(iter(place.data.partnerships.values()))
        expected, counted = first_year(place, RUNS, first=50_000)
        for crime, mean, runs in zip(place.data.crime_types, expected[0], counted[:, 0].T, strict=True):
            published = entry.recorded[crime].value
            assert mean == pytest.approx(published, rel=0.005), crime
            assert abs(runs.mean() - published) <= 4 * max(runs.std(ddof=1), 1) / np.sqrt(RUNS), crime
        found = compare(place, place.with_changes(CUT), replicates=4, assumption_sets=0)
        assert found.finding(outcome="received").difference < 0

    def test_levels_are_needed(self) -> None:
        """Without them the first year misses by more than the bar, so the test above can fail."""
        leeds = scenario("leeds")
        plain = leeds.with_changes({f"partnerships.leeds.level.{crime}.value": 1.0 for crime in leeds.data.crime_types})
        expected, _ = first_year(plain, 10)
        published = [leeds.data.partnerships["leeds"].recorded[crime].value for crime in leeds.data.crime_types]
        assert np.max(np.abs(expected[0] / published - 1)) > 0.02


class TestScenario:
    @pytest.mark.parametrize(
        ("name", "titles"),
        [
            (
                "lambeth",
                {"police": "Metropolitan Police", "local_authority": "Lambeth council (London borough)", "fire": "London Fire Brigade"},
            ),
            ("leeds", {"police": "West Yorkshire Police", "local_authority": "Leeds council (metropolitan borough)"}),
            ("Chorley", {"district_council": "Chorley district council", "county_council": "County council"}),
            ("Powys", {"health": "Local health board", "local_authority": "Powys council (Welsh)"}),
            ("Cwm Taf", {"local_authority": "Merthyr Tydfil and Rhondda Cynon Taf councils (Welsh)"}),
            ("Allerdale", {"local_authority": "Cumberland council (unitary)"}),
        ],
    )
    def test_the_right_bodies_sit_at_the_table(self, name: str, titles: dict[str, str]) -> None:
        found = {key: authority.title for key, authority in scenario(name).data.authorities.items()}
        assert titles.items() <= found.items()
        assert ("county_council" in found) == (name == "Chorley")
        assert {"police", "fire", "probation", "health"} < set(found)

    def test_every_number_says_where_it_is_from(self) -> None:
        text = place_tables([place_named("leeds")], Span())
        recorded = text["partnerships"]["leeds"]["recorded"]
        assert recorded["burglary"]["status"] == "seen"
        assert "Office for National" in place_scenario_text([place_named("Eden")], runs=2)
        assert recorded["antisocial_behaviour"]["status"] == "assumption"
        for told in (recorded["antisocial_behaviour"], text["partnerships"]["leeds"]["staffing"], text["uncertainties"]["statutory_share"]):
            assert told["source"].startswith(MARK)
            assert told["low"] < told["value"] < told["high"]

    def test_who_follows_the_commissioner(self) -> None:
        assert "mayor" in scenario("leeds").data.commissioner.title.lower()
        assert "commissioner_abolished" not in scenario("leeds").data.events, "West Yorkshire's mayor has been there since 2021"
        plymouth = scenario("Plymouth").data
        assert plymouth.events["commissioner_abolished"].month == "2028-05"
        assert plymouth.levers["top_slice"].path["2028-05"] == 0.05
        mayor = place_tables([place_named("Plymouth")], Span(after_2028="mayor"))
        assert mayor["levers"]["top_slice"]["path"] == {"2028-05": 0.3}
        assert "levers" not in place_tables([place_named("Plymouth")], Span(2026, 2)), "it ends before"
        later = place_tables([place_named("Plymouth")], Span(2030, 3))
        assert later["levers"]["top_slice"]["path"] == {"2030-04": 0.05}
        assert "events" not in later

    def test_any_first_year_and_length(self) -> None:
        time = scenario("Chorley", span=Span(2030, 2)).data.time
        assert (time.first_month, time.last_month, time.window_from) == ("2030-04", "2032-03", "2031-04")

    @pytest.mark.parametrize(
        ("span", "said"),
        [(Span(2024), "2026"), (Span(2026, 0), "1 to 10"), (Span(2034, 5), "1 to 2"), (Span(after_2028="king"), "mayor or board")],
    )
    def test_years_that_cannot_be_are_refused(self, span: Span, said: str) -> None:
        with pytest.raises(CspsimError, match=said):
            place_tables([place_named("leeds")], span)

    def test_duties_are_hours_that_compete(self) -> None:
        leeds = scenario("leeds")
        without = leeds.with_changes({f"duties.{name}.hours.value": 0.0 for name in leeds.data.duties})
        more = build_world(leeds.data).returns_hours - build_world(without.data).returns_hours
        assert more == pytest.approx(sum(duty.hours.value for duty in leeds.data.duties.values()) / 12)
        assert len(leeds.data.duties) == 3

    def test_several_of_one_area_share_its_pot(self) -> None:
        both = scenario("leeds", "bradford").data
        assert set(both.partnerships) == {"leeds", "bradford"}
        assert both.grants["commissioner_pot"].amount.path == scenario("leeds").data.grants["commissioner_pot"].amount.path
        assert both.partnerships["leeds"].neighbours["bradford"].value == default_number("boundary", "any").value

    def test_a_county_next_to_its_city_has_a_table_for_each(self) -> None:
        both = scenario("Chorley", "Blackpool").data.partnerships
        assert "county_council" in (both["chorley"].authorities or [])
        assert "local_authority" in (both["blackpool"].authorities or [])
        assert "county_council" not in (both["blackpool"].authorities or [])

    def test_several_areas_are_refused_in_words(self) -> None:
        with pytest.raises(CspsimError, match="Leeds in West Yorkshire, Lambeth in Metropolitan Police"):
            one_force([place_named("leeds"), place_named("lambeth")])

    def test_a_type_the_table_lacks_is_estimated_and_told(self) -> None:
        leeds = place_named("leeds")
        holes = {year: {**leeds.crimes[year], "robbery": None} for year in YEARS}
        place = leeds._replace(crimes=holes)
        told = place_tables([place], Span())["partnerships"]["leeds"]["recorded"]["robbery"]
        assert told == estimated_crimes("robbery", place)
        assert 0 < told["low"] < told["value"] < told["high"]
        assert told["status"] == "assumption"
        assert "not in the table" in told["source"]
        assert "35 places" in told["source"]


class TestFillIn:
    def test_the_order_is_the_one_that_was_measured(self) -> None:
        order = fill_in_order()
        assert [row.moves for row in order] == sorted((row.moves for row in order), reverse=True)
        assert {"pot", "staffing", "antisocial behaviour", "duties"} <= {row.item for row in order}

    def test_what_is_stated_leaves_the_list(self, tmp_path: Path) -> None:
        leeds = scenario("leeds")
        keys = [entry.key for entry in to_fill_in(leeds)]
        assert keys[0] == "grants.commissioner_pot.amount"
        assert "authorities.local_authority.hours" in keys
        text = place_scenario_text([place_named("leeds")], runs=2)
        own = text.replace(next(line for line in text.splitlines() if line.startswith("staffing")), "staffing = 1.4")
        (tmp_path / "own.toml").write_text(own, encoding="utf-8")
        left = [entry.key for entry in to_fill_in(load_scenario(tmp_path / "own.toml"))]
        assert "partnerships.leeds.staffing" in keys
        assert "partnerships.leeds.staffing" not in left

    def test_other_scenarios_have_no_list(self) -> None:
        assert to_fill_in(load_scenario("two-districts-2026-mayor")) == []


class TestCommands:
    def test_three_commands_to_a_first_answer(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        code, printed, _ = cli("places", "leed")
        assert code == 0
        assert "Leeds" in printed
        code, printed, _ = cli(*shlex.split(printed.strip().splitlines()[-1])[1:])
        assert code == 0
        code, checked, _ = cli("check", "leeds.toml")
        assert "leeds.toml: OK" in checked
        assert "To make this yours, fill in first" in checked
        command = shlex.split(printed.strip().splitlines()[-1])[1:]
        code, answer, complaint = cli(*command, "--replicates", "4", "--assumption-sets", "2", "--no-report")
        assert code == 0, complaint
        assert "Cost of crime, April 2027" in answer

    def test_a_file_is_not_overwritten_unasked(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        Path("leeds.toml").write_text("mine", encoding="utf-8")
        code, _, complaint = cli("new", "leeds.toml", "--place", "leeds")
        assert code == 2
        assert "--overwrite" in complaint
        assert Path("leeds.toml").read_text(encoding="utf-8") == "mine"

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["new", "x", "--place", "leeds", "--extends", "baseline"], "leave one of the two out"),
            (["new", "x", "--years", "3"], "name a real place"),
            (["new", "x", "--place", " , "], "names nothing"),
            (["new", "x", "--force", "Wessex"], "no police force area"),
            (["country", "--seed", "3", "--out", "x"], "--synthetic"),
            (["country", "--synthetic", "--force", "Gwent", "--out", "x"], "real country"),
        ],
    )
    def test_what_makes_no_sense_is_said(self, arguments: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        code, printed, complaint = cli(*arguments)
        assert code == 2
        assert printed == ""
        assert said in complaint
        assert not list(tmp_path.iterdir())

    def test_places_as_json(self) -> None:
        said = json.loads(cli("places", "--force", "gwent", "--json")[1])
        assert len(said["places"]) == 5
        assert "Open Government Licence" in said["source"]

    def test_a_real_force_area_is_asked(self) -> None:
        code, printed, complaint = cli(
            "country", "--force", "Gwent", "--run", "--set", "levers.grant.multiplier=0.7", "--replicates", "2", "--json"
        )
        assert code == 0, complaint
        said = json.loads(printed)
        assert said["synthetic"] is False
        assert said["areas_in_detail"][0]["partnerships"] == 5

    def test_an_area_of_the_country_has_all_its_partnerships(self) -> None:
        area = next(real_country(forces=["Dyfed-Powys"], runs=2))
        assert set(area.data.partnerships) == {place.key for place in places_in("Dyfed-Powys")}


class TestWeb:
    def test_the_picker_has_every_place(self) -> None:
        titles = place_titles()
        assert len(titles) == 314
        assert titles["place:leeds"] == "Leeds (West Yorkshire)"

    def test_an_address_with_a_place_is_a_question(self) -> None:
        question, said = question_of("?scenario=place:eden&baseline=place:eden&levers.grant=0.7")
        assert not said
        assert state_of(question)["scenario"] == "place:eden"
        posed = Posed(question)
        assert baselines_for("place:eden") == ["place:eden"]
        assert posed.changes == {"levers.grant.path": {"2027-04": 0.7}}
        assert posed.command.startswith("cspsim new eden.toml --place E22000035 && cspsim compare eden.toml eden.toml --set")
        assert load_scenario_text(posed.scenario_file).digest == posed.scenario.digest

    def test_the_page_runs_what_the_command_writes(self) -> None:
        text = place_scenario_text([place_named("eden")])
        assert load_scenario_text(text).digest == scenario_of("place:eden").digest

    def test_no_path_and_no_unknown_place_is_opened(self) -> None:
        for name in ("place:../eden", "place:atlantis", "place:"):
            with pytest.raises(CspsimError, match="there is no scenario"):
                scenario_of(name)


def load_scenario_text(text: str) -> Scenario:
    folder = Path(tempfile.mkdtemp(prefix="cspsim-"))
    (folder / "eden.toml").write_text(text, encoding="utf-8")
    return load_scenario(folder / "eden.toml")


def test_the_stored_figures_hold_every_place_and_the_bar() -> None:
    """What ``tools/measure_places.py`` wrote last."""
    stored = json.loads((ROOT / "tools" / "places-figures.json").read_text(encoding="utf-8"))
    assert stored["places"] == len(stored["by_place"]) == 314
    assert stored["expected_off_above_half_a_percent"] == 0
    with (ROOT / "scenarios" / "world" / "places.csv").open(encoding="utf-8", newline="") as file:
        assert {row["place"] for row in stored["by_place"]} == {row["name"] for row in csv.DictReader(file) if row["code"]}
