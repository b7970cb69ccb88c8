"""The default world beside the published figures: the pot, recorded crime, and who sat at the table when.

Run with ``-s`` to see the tables.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import pandas as pd
import pytest

from cspsim.model.world import World
from cspsim.one_run.run import Run
from cspsim.running.simulation import simulate
from cspsim.scenario.scenario import load_scenario
from cspsim.scenario.scenario_files import shipped_folder
from cspsim.scenario.world_building import Calendar, build_world, calendar_of, path_by_month

YEARS = [f"{year}/{(year + 1) % 100:02d}" for year in range(2008, 2018)]
BOROUGHS = 32
OBSERVED_YEARS = ["2010/11", "2011/12", "2012/13"]
REPLICATES = 100

# £m of the day for all of London. Community Safety Fund: 5.3 (2012/13, Havering minutes) x 71.2, 56.8 and 28.8 over 28.8;
# 2008-10 as 2010/11 (assumption). Other streams 12.8 + 2.2 + 1.0, flat (assumption). Pot of the Mayor's office: DMPCD 2016 16.
COMMUNITY_SAFETY_FUND = [13.1, 13.1, 13.1, 10.5, 5.3, 0, 0, 0, 0, 0]
OTHER_STREAMS = [16.0] * 5 + [0] * 5
COMMISSIONERS_POT = [0] * 5 + [18.0] * 5


def financial_year(month: object) -> str:
    when = pd.Timestamp(str(month))
    first = when.year if when.month >= 4 else when.year - 1
    return f"{first}/{(first + 1) % 100:02d}"


@lru_cache(maxsize=1)
def london() -> tuple[World, Calendar, np.ndarray]:
    """The baseline's world and calendar, and its deflator by reported month."""
    data = load_scenario("baseline").data
    calendar = calendar_of(data)
    return build_world(data), calendar, path_by_month(data.area.deflator, calendar.reported, 1.0)


def by_year(monthly: np.ndarray) -> np.ndarray:
    """Sum of a year's monthly values ``[..., month]`` -> ``[..., year]``, reported months only."""
    return monthly.reshape(*monthly.shape[:-1], len(YEARS), 12).sum(axis=-1)


def show(title: str, columns: dict[str, Sequence[float]], index: Sequence[str] = YEARS) -> None:
    print(f"\n{title}\n{pd.DataFrame(columns, index=list(index)).round(3).to_string()}")


class TestPot:
    def test_each_stream_beside_the_published_figures(self) -> None:
        data = load_scenario("baseline").data
        months = calendar_of(data).reported
        published = {
            "community_safety_fund": COMMUNITY_SAFETY_FUND,
            "other_streams": OTHER_STREAMS,
            "commissioner_pot": COMMISSIONERS_POT,
        }
        found = {name: by_year(path_by_month(grant.amount, months, 0.0)) / 12 / 1e6 for name, grant in data.grants.items()}
        show(
            "£m of the day, London",
            {f"{name} {kind}": values[name] for name in found for kind, values in (("model", found), ("published", published))},
        )
        assert found.keys() == published.keys()
        for name, values in published.items():
            np.testing.assert_allclose(found[name], values, rtol=1e-12, err_msg=name)

    def test_the_world_pays_the_streams_in_prices_of_2015(self) -> None:
        world, calendar, deflator = london()
        direct, pot = (by_year(stream[calendar.warm_up :] * deflator) / 12 / 1e6 for stream in (world.direct_grant, world.pot))
        show(
            "£m of the day, London, from the world's arrays",
            {"paid to partnerships": direct, "commissioner's pot": pot, "both": direct + pot},
        )
        np.testing.assert_allclose(direct, np.add(COMMUNITY_SAFETY_FUND, OTHER_STREAMS), rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(pot, COMMISSIONERS_POT, rtol=1e-12, atol=1e-12)
        assert deflator[YEARS.index("2015/16") * 12] == 1
        assert np.all(np.diff(deflator) >= 0)

    def test_what_a_borough_receives(self) -> None:
        """Direct grants are divided by the 32 boroughs; the pot by the commissioner's rule, but never more than there is."""
        deflator = london()[2]
        months = simulate("baseline", 3, months=True).months
        each = months[months.partnership != "area"].assign(
            year=[financial_year(month) for month in months.month[months.partnership != "area"]]
        )
        received = each.pivot_table("received", ["replicate", "partnership"], "year", aggfunc="sum") * deflator[::12] / 1e6
        show(
            "£m of the day, received by a borough, mean of 3 runs",
            {name: received.xs(name, level=1).mean() for name in ("lambeth", "sutton")},
        )
        direct = np.add(COMMUNITY_SAFETY_FUND, OTHER_STREAMS)
        for _, row in received.iterrows():
            np.testing.assert_allclose(row[:5], direct[:5] / BOROUGHS, rtol=1e-12)
            assert row[5:].between(0.2 * 18 / BOROUGHS, 2 * 18 / BOROUGHS).all()

    def test_the_pot_is_divided_to_the_penny(self) -> None:
        run = Run("baseline")
        world, divided = run.world, 0
        while not run.finished:
            month = run.month
            run.advance()
            if world.year_starts[month]:
                state = run.state
                parts = float(state.own_priorities[0] + state.award.sum() + state.rest_award[0])
                assert parts == pytest.approx(world.pot[month], abs=0.005)
                divided += parts > 0
        assert divided == 5


@lru_cache(maxsize=1)
def recorded_by_year() -> np.ndarray:
    """Recorded crimes ``[partnership, crime type, financial year]`` up to 2012/13, mean over replicates of the baseline."""
    _, calendar, _ = london()
    n_years = YEARS.index(OBSERVED_YEARS[-1]) + 1
    until = calendar.warm_up + 12 * n_years
    total = 0.0
    for replicate in range(REPLICATES):
        run = Run("baseline", replicate=replicate)
        while run.month < until:
            run.advance()
        recorded = run.state.recorded[:, :, calendar.warm_up : until]
        total = total + recorded.reshape(*recorded.shape[:2], n_years, 12).sum(axis=-1)
    return np.asarray(total) / REPLICATES


@lru_cache(maxsize=1)
def recorded_and_observed() -> pd.DataFrame:
    """One row per borough, crime type and year: recorded in the model, and observed (``scenarios/world/observed.csv``)."""
    data = load_scenario("baseline").data
    rows = [
        {"partnership": place, "crime_type": crime, "financial_year": year, "model": recorded_by_year()[p, c, YEARS.index(year)]}
        for p, place in enumerate(data.partnerships)
        for c, crime in enumerate(data.crime_types)
        for year in OBSERVED_YEARS
    ]
    observed = pd.read_csv(shipped_folder() / "world" / "observed.csv")
    return pd.DataFrame(rows).merge(observed[["partnership", "crime_type", "financial_year", "recorded"]])


class TestRecordedCrime:
    def test_meets_the_observed_total_of_each_borough(self) -> None:
        totals = recorded_and_observed().groupby("partnership")[["model", "recorded"]].sum() / len(OBSERVED_YEARS)
        show("recorded crimes a year, 2010/11-2012/13", {name: list(totals[name]) for name in totals}, list(totals.index))
        assert list(totals.index) == ["lambeth", "sutton"]
        np.testing.assert_allclose(totals["model"], totals["recorded"], rtol=0.02)

    def test_meets_the_observed_level_of_each_type(self) -> None:
        types = recorded_and_observed().groupby(["partnership", "crime_type"])[["model", "recorded"]].sum() / len(OBSERVED_YEARS)
        types["model / observed"] = types.model / types.recorded
        show("by type", {name: list(types[name]) for name in types}, [" ".join(key) for key in types.index])
        assert len(types) == 2 * 7  # antisocial behaviour has no series
        np.testing.assert_allclose(types.model, types.recorded, rtol=0.05)


class TestTable:
    """Who sits when. Sources: NOMS Probation Instruction 05/2010; the Mayor's office replaced the police authority in January 2012."""

    @pytest.mark.parametrize(
        ("authority", "first", "last"),
        [
            ("police", "2008-04", "2018-03"),
            ("local_authority", "2008-04", "2018-03"),
            ("fire", "2008-04", "2018-03"),
            ("health", "2008-04", "2018-03"),
            ("police_authority", "2008-04", "2011-12"),
            ("probation", "2010-04", "2018-03"),
        ],
    )
    def test_membership_by_date(self, authority: str, first: str, last: str) -> None:
        world, calendar, _ = london()
        a = list(load_scenario("baseline").data.authorities).index(authority)
        expected = [first <= f"{month:%Y-%m}" <= last for month in calendar.reported]
        for p in range(world.member.shape[0]):
            assert world.member[p, a, calendar.warm_up :].astype(bool).tolist() == expected
            assert not world.hours[p, a, calendar.warm_up :][~np.array(expected)].any()
        in_warm_up = world.member[:, a, : calendar.warm_up]
        assert np.all(in_warm_up == expected[0])  # under the first reported month's conditions

    def test_the_commissioner_changes_when_the_police_authority_ends(self) -> None:
        world, calendar, _ = london()
        assert [f"{calendar.months[month]:%Y-%m}" for month in np.flatnonzero(world.new_commissioner)] == ["2012-01"]
