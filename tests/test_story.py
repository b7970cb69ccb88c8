"""Stories are true: their numbers are those of the run, and watching changes nothing."""

import math

import numpy as np
import pytest
from worlds import tiny_world

from cspsim.model.tallies import AuthorityTally, Tally
from cspsim.one_run.events import Adopted, Challenged, Evaluated, Event, GrantAwarded, NewRepresentative, Reckoning, Tabled, YearClosed
from cspsim.one_run.run import Run
from cspsim.one_run.story import Witness, financial_year, tell, titles_of, watch
from cspsim.running.outcomes import OUTCOMES
from cspsim.running.simulation import simulate
from cspsim.scenario.scenario import Scenario, load_scenario


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    path = tmp_path_factory.mktemp("story") / "tiny.toml"
    path.write_text(tiny_world(), encoding="utf-8")
    return load_scenario(path)


@pytest.fixture(scope="module")
def whole(tiny: Scenario) -> tuple[Run, list[Event], np.ndarray, np.ndarray]:
    """A run watched from its first month to its last, warm-up included, with the sums of its tallies."""
    run = Run(tiny, seed=4, replicate=1)
    witness = Witness(run)
    tallies, authorities = np.zeros_like(run.state.tallies), np.zeros_like(run.state.authority_tallies)
    while not run.finished:
        witness.advance()
        tallies += run.state.tallies
        authorities += run.state.authority_tallies
    return run, witness.events, tallies, authorities


class TestNumbers:
    def test_events_add_up_to_the_tallies(self, whole: tuple[Run, list[Event], np.ndarray, np.ndarray]) -> None:
        run, events, tallies, authorities = whole
        for p, name in enumerate(run.scenario.data.partnerships):
            mine = [event for event in events if event.partnership == name]
            tabled = [event for event in mine if isinstance(event, Tabled)]
            challenged = [event for event in mine if isinstance(event, Challenged)]
            adopted = [event for event in mine if isinstance(event, Adopted)]
            assert len(tabled) == tallies[p, Tally.PROPOSALS]
            assert len(challenged) == tallies[p, Tally.CHALLENGES]
            assert len({(event.month, event.intervention) for event in challenged}) == tallies[p, Tally.CHALLENGED_PROPOSALS]
            assert sum(event.units for event in adopted) == tallies[p, Tally.ADOPTIONS]
            assert sum(isinstance(event, Evaluated) for event in mine) == authorities[p, :, AuthorityTally.EVALUATIONS].sum()
            assert sum(isinstance(event, NewRepresentative) for event in mine) == tallies[p, Tally.NEW_REPRESENTATIVES]
            for a, authority in enumerate(run.scenario.data.authorities):
                assert sum(event.challenger == authority for event in challenged) == authorities[p, a, AuthorityTally.CHALLENGES_MADE]
                assert sum(event.sponsor == authority for event in challenged) == authorities[p, a, AuthorityTally.CHALLENGES_RECEIVED]
        assert tallies[:, Tally.CHALLENGES].sum() > 0
        assert tallies[:, Tally.ADOPTIONS].sum() > 0

    def test_years_add_up_to_the_run(self, whole: tuple[Run, list[Event], np.ndarray, np.ndarray]) -> None:
        run, events, tallies, _ = whole
        for p, name in enumerate(run.scenario.data.partnerships):
            closed = [event for event in events if isinstance(event, YearClosed) and event.partnership == name]
            assert sum(event.outcomes["true_crimes"] for event in closed) == pytest.approx(tallies[p, Tally.TRUE_CRIMES])
            assert sum(event.outcomes["spend"] for event in closed) == pytest.approx(tallies[p, Tally.SPENT])

    def test_the_reckoning_is_the_same_as_that_of_simulate(self, tiny: Scenario) -> None:
        run = Run(tiny, seed=4, replicate=1)
        events = watch(run)
        results = simulate(tiny, 2, 4)
        for k, event in enumerate(event for event in events if isinstance(event, Reckoning)):
            expected = dict(zip(OUTCOMES, results.outcomes[1, k].tolist(), strict=True))
            assert event.partnership == results.partnerships[k]
            assert all(
                event.outcomes[name] == value or (math.isnan(value) and math.isnan(event.outcomes[name]))
                for name, value in expected.items()
            )

    def test_nothing_before_the_reported_months(self, tiny: Scenario) -> None:
        run = Run(tiny)
        first = run.calendar.reported[0]
        assert all(event.month >= first for event in watch(run))

    def test_watching_changes_nothing(self, tiny: Scenario) -> None:
        watched, alone = Run(tiny, seed=9), Run(tiny, seed=9)
        witness = Witness(watched)
        for _ in range(24):
            witness.advance()
            alone.advance()
        assert np.array_equal(watched.state.numbers, alone.state.numbers)
        assert np.array_equal(watched.state.counters, alone.state.counters)

    def test_decisions_are_seen_after_they_were_changed(self, tiny: Scenario) -> None:
        run = Run(tiny, seed=4)
        witness = Witness(run)

        def silence(point: str) -> None:
            if point == "challenge":
                run.state.challenges[:] = 0

        while not run.finished:
            witness.advance(silence)
        assert any(isinstance(event, Tabled) for event in witness.events)
        assert not any(isinstance(event, Challenged) for event in witness.events)

    def test_the_award_is_what_arrives(self, tiny: Scenario) -> None:
        run = Run(tiny, seed=2)
        for event in watch(run):
            if isinstance(event, GrantAwarded):
                assert event.amount >= 0


class TestProse:
    def test_every_reported_year_of_every_partnership_is_told(self, tiny: Scenario) -> None:
        run = Run(tiny)
        text = tell(watch(run), titles_of(run))
        for year in (2010, 2011, 2012, 2013):
            for title in ("Inner borough", "Outer borough"):
                assert f"## {title}, April {year} to March {year + 1}" in text
        assert "nan" not in text.replace("financial", "").replace("governance", "")
        assert "None" not in text.replace("None of the", "")
        assert text.count("they believed that their work averted") == 3

    def test_names_without_titles_still_read(self, tiny: Scenario) -> None:
        assert "inner, April 2011" in tell(watch(Run(tiny)))

    def test_an_empty_story(self) -> None:
        assert tell([]) == "\n"

    def test_the_financial_year_begins_in_april(self) -> None:
        from datetime import date

        assert [financial_year(date(2012, month, 1)) for month in (1, 3, 4, 12)] == [2011, 2011, 2012, 2012]


def test_a_scenario_with_everything_switched_off_still_has_a_story(tiny: Scenario) -> None:
    run = Run(tiny.with_changes({f"switches.{name}": False for name in ("challenge", "evaluation", "turnover", "effects")}))
    events = watch(run)
    assert not any(isinstance(event, Challenged | Evaluated | NewRepresentative) for event in events)
    assert " nan" not in tell(events, titles_of(run))
