"""Calibration files and files of observed crime: what is read, and what is told, with its line, when something is wrong."""

import csv
from collections import defaultdict
from pathlib import Path

import pytest
from calibration_support import CALIBRATION, months_text, small_calibration, write_calibration_files

from cspsim.calibration.calibration_file import CalibrationError, load_calibration
from cspsim.calibration.observed import ObservedError, read_observed
from cspsim.scenario.scenario import load_scenario
from cspsim.scenario.scenario_files import shipped_folder
from cspsim.scenario.schema import parse_month


def faults(path: Path) -> list[str]:
    with pytest.raises(CalibrationError) as error:
        load_calibration(path)
    return [str(fault) for fault in error.value.faults]


def line_of(text: str, words: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if words in line)


class TestCalibrationFile:
    def test_the_shipped_file_is_in_order(self) -> None:
        found = load_calibration("calibrate-recorded-crime")
        assert found.scenario.name == "baseline"
        assert [f"{first:%Y-%m}" for first in found.held_back] == ["2016-04", "2015-04", "2014-04", "2013-04"]
        assert found.facts["evaluated_share"] == (pytest.approx(0.15), pytest.approx(0.1 / 1.6449))
        assert all(fact.source for fact in found.data.targets.values())
        assert {number.name for number in found.numbers}.isdisjoint(number.name for number in found.others)

    def test_ranges_come_from_the_register_unless_stated(self, tmp_path: Path) -> None:
        numbers = {number.name: number for number in small_calibration(tmp_path).numbers}
        assert (numbers["uncertainties.shock_scale"].low, numbers["uncertainties.shock_scale"].high) == (0.3, 1.0)
        assert (numbers["uncertainties.evaluation_base"].low, numbers["uncertainties.evaluation_base"].high) == (0.05, 0.25)
        assert (numbers["crime_types.burglary.reporting"].low, numbers["crime_types.burglary.reporting"].high) == (0.4, 0.6)

    @pytest.mark.parametrize(
        ("old", "new", "at", "words"),
        [
            ("shock_scale = {}", "shok_scale = {}", "shok_scale", 'did you mean "shock_scale"?'),
            ("shock_scale = {}", "shock_scale = { low = 2 }", "shock_scale", "low (2) is not below high (1)"),
            ("[targets.evaluated_share]", "[targets.evaluated_shares]", "evaluated_shares", 'did you mean "evaluated_share"?'),
            ("tolerance = 0.05", "high = 0.3", "[targets.evaluated_share]", "expected value and tolerance, or low and high"),
            ("tolerance = 0.05", "tolerance = 0", "tolerance = 0", "tolerance"),
            ('to = "2013-03"', 'to = "2013-02"', "[fit]", "35 months: expected whole years"),
            ('from = "2013-04"', 'from = "2013-05"', 'from = "2013-05"', "expected 2013-04"),
            ("[held_back]", "[held_back]\nearlier = 1", "earlier", "leaves fewer than 3 years"),
            ('scenario = "tiny.toml"', 'scenario = "tinny.toml"', "scenario", "there is no"),
            ('observed = "months.csv"', 'observed = "moths.csv"', "observed", "cannot be read"),
            ("runs = 200", "runs = 20", "runs = 20", "200 or more"),
            ("[fit]", '[fit]\npath = "free"', "path =", 'did you mean "paths"?'),
        ],
    )
    def test_a_fault_is_told_with_its_line(self, tmp_path: Path, old: str, new: str, at: str, words: str) -> None:
        text = CALIBRATION.replace(old, new, 1)
        told = faults(write_calibration_files(tmp_path, text))
        place = f"calibration.toml:{line_of(text, at)}: "
        assert any(place in fault and words in fault for fault in told), told

    def test_every_fault_is_told_at_once(self, tmp_path: Path) -> None:
        text = CALIBRATION.replace("shock_scale", "shok_scale").replace("[targets.evaluated_share]", "[targets.evaluated_shares]")
        assert len(faults(write_calibration_files(tmp_path, text))) == 2

    def test_months_that_nobody_observed(self, tmp_path: Path) -> None:
        told = faults(write_calibration_files(tmp_path, months=months_text(months=36)))
        assert "2010-04 to 2014-03 is not covered: observed crime runs from 2010-04 to 2013-03" in told[0]

    def test_one_partnership_needs_known_paths(self, tmp_path: Path) -> None:
        lone = "\n".join(line for line in months_text().splitlines() if ",outer," not in line)
        assert "nothing tells a free path from slow shocks" in faults(write_calibration_files(tmp_path, months=lone))[0]
        known = CALIBRATION.replace("[fit]", '[fit]\npaths = "known"')
        assert load_calibration(write_calibration_files(tmp_path, known, lone)).observed.partnerships == ("inner",)

    def test_faults_of_the_months_are_told_with_their_own_line(self, tmp_path: Path) -> None:
        wrong = months_text().replace("2010-05,inner,burglary,", "2010-05,inner,burglery,")
        told = faults(write_calibration_files(tmp_path, months=wrong))
        assert f"months.csv:{line_of(wrong, 'burglery')}: " in told[0]


class TestObservedCrime:
    HEAD = "month,partnership,crime_type,recorded\n"
    ROW = "2010-04,inner,burglary,12\n"

    @pytest.fixture
    def told(self, tmp_path: Path):  # type: ignore[no-untyped-def]
        path = write_calibration_files(tmp_path).parent / "months.csv"
        scenario = load_scenario(tmp_path / "tiny.toml")

        def read(text: str | bytes) -> list[str]:
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
            with pytest.raises(ObservedError) as error:
                read_observed(path, scenario)
            return [str(fault).split("months.csv")[1] for fault in error.value.faults]

        return read

    @pytest.mark.parametrize(
        ("row", "words"),
        [
            ("2010-13,inner,burglary,1\n", ":3: month: '2010-13' is not a month"),
            (
                "2010-05,iner,burglary,1\n",
                ':3: partnership: the scenario has no partnership "iner" with a police series; did you mean "inner"?',
            ),
            ("2010-05,inner,violense,1\n", 'did you mean "violence"?'),
            ("2010-05,inner,burglary,-3\n", ":3: recorded: -3 is not a count: expected 0 or more"),
            ("2010-05,inner,burglary,many\n", ':3: recorded: "many" is not a number'),
            ("2010-05,inner,burglary,nan\n", ":3: recorded: nan is not a count"),
            ("2010-05,inner,burglary\n", ':3: recorded: "" is not a number'),
            ("2010-04,inner,burglary,9\n", ":3: inner, burglary, 2010-04 stands twice; first on line 2"),
            ("2010-07,inner,burglary,9\n", ": inner, burglary: 2010-05 and 1 more month missing; write 0"),
            ("2010-04,outer,violence,9\n", ": inner, violence: 2010-04 missing"),
        ],
    )
    def test_a_wrong_row(self, told, row: str, words: str) -> None:  # type: ignore[no-untyped-def]
        assert any(words in fault for fault in told(self.HEAD + self.ROW + row))

    def test_wrong_files(self, told) -> None:  # type: ignore[no-untyped-def]
        assert (
            "lacks the columns month, partnership, crime_type, recorded; columns are separated by commas"
            in told(self.HEAD.replace(",", ";"))[0]
        )
        assert "lacks the column recorded" in told(self.HEAD.replace("recorded", "count") + self.ROW)[0]
        assert "holds no months" in told(self.HEAD)[0]
        assert ":2: is not UTF-8" in told(self.HEAD.encode() + "2010-04,inné,burglary,1\n".encode("latin-1"))[0]

    def test_lines_are_counted_below_remarks(self, told) -> None:  # type: ignore[no-untyped-def]
        assert told("# one\n# two\n\n" + self.HEAD + self.ROW.replace("12", "x"))[0].startswith(":5: recorded")

    def test_a_file_of_an_office_program(self, tmp_path: Path) -> None:
        """A byte order mark, blanks, Windows line ends and rows in any order do no harm."""
        write_calibration_files(tmp_path)
        rows = months_text().splitlines()
        jumbled = "\ufeff" + "\r\n".join([rows[1].replace(",", " , "), *rows[:1:-1]]) + "\r\n"
        (tmp_path / "other.csv").write_bytes(jumbled.encode())
        scenario = load_scenario(tmp_path / "tiny.toml")
        found, usual = (read_observed(tmp_path / name, scenario) for name in ("other.csv", "months.csv"))
        assert (found.recorded == usual.recorded).all()
        assert (found.partnerships, found.crime_types, found.months) == (usual.partnerships, usual.crime_types, usual.months)
        assert (found.remarks, usual.remarks) == ("", "Made up for tests.")

    def test_the_shipped_months_add_up_to_the_observed_years(self) -> None:
        """Two files of one source: the months here, and the years that the crime paths were derived from."""
        observed = load_calibration("calibrate-recorded-crime").observed
        yearly: dict[tuple[str, str, int], float] = defaultdict(float)
        for p, place in enumerate(observed.partnerships):
            for c, kind in enumerate(observed.crime_types):
                for m, month in enumerate(observed.months):
                    yearly[place, kind, month.year - (month.month < 4)] += observed.recorded[p, c, m]
        with (shipped_folder() / "world" / "observed.csv").open(encoding="utf-8", newline="") as file:
            known = {
                (row["partnership"], row["crime_type"], int(row["financial_year"][:4])): float(row["recorded"])
                for row in csv.DictReader(file)
            }
        assert len(yearly) == 2 * 7 * 8
        assert yearly == {key: value for key, value in known.items() if key in yearly}
        assert "London Datastore" in observed.remarks

    def test_a_span_of_months(self, tmp_path: Path) -> None:
        observed = small_calibration(tmp_path).observed
        first, last = parse_month("2011-04"), parse_month("2012-03")
        assert (observed.between(first, last) == observed.recorded[:, :, 12:24]).all()
        with pytest.raises(ValueError, match="2010-04 to 2014-03"):
            observed.between(first, parse_month("2014-04"))
