"""A recording is the run that ``simulate`` makes; what the page shows of it is true, escaped, and ends where it must."""

import csv
import io
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import solara
from solara.server import kernel, kernel_context
from watch_support import recorded, tiny, write_hostile_world

from cspsim.basics.errors import CspsimError
from cspsim.model.tallies import AuthorityTally, Tally
from cspsim.one_run.events import Challenged, NewRepresentative
from cspsim.one_run.run import Run
from cspsim.one_run.witness import watch
from cspsim.running.outcomes import OUTCOMES
from cspsim.running.simulation import simulate
from cspsim.scenario.scenario import load_scenario
from cspsim.web import shown_scenarios as scenarios
from cspsim.web.watch.background import Report, ResultShelf, use_job
from cspsim.web.watch.card import NEW_FOR, card_news
from cspsim.web.watch.diagram import both, draw_table, thickness
from cspsim.web.watch.frames import frames_of, value_changes
from cspsim.web.watch.log import KINDS, filtered, log_of
from cspsim.web.watch.numbers import numbers_of
from cspsim.web.watch.places import SQUARE, TALL, WIDE, plan_of
from cspsim.web.watch.recorded_run import Recording, Unspoken, record
from cspsim.web.watch.series import CHARTS, YEAR, chart_summary, chart_table, latest_year, option_of, sides_of
from cspsim.web.watch.shapes import as_svg
from cspsim.web.watch.watch_exports import command_of, log_csv, months_csv
from cspsim.web.watch.watch_state import NONE, WatchState, asked_in, mismatch, query_of, whole, with_scenario


class TestRecording:
    @pytest.mark.parametrize(("seed", "replicate"), [(4, 1), (9, 0)])
    def test_it_is_the_same_replicate_of_simulate_to_the_last_bit(self, seed: int, replicate: int) -> None:
        recording = record(tiny(), seed, replicate)
        results = simulate(tiny(), replicate + 1, seed, months=True)
        assert np.array_equal(recording.tallies[recording.warm_up :], results.monthly_tallies[replicate])
        assert list(recording.months) == results.calendar.reported
        assert not np.array_equal(recording.tallies, record(tiny(), seed, replicate + 1).tallies)

    def test_a_shipped_world_too(self) -> None:
        recording = record(load_scenario("two-tier-county"), 1, 2)
        assert np.array_equal(recording.tallies[recording.warm_up :], simulate("two-tier-county", 3, 1, months=True).monthly_tallies[2])

    def test_its_events_are_those_of_the_witness(self) -> None:
        events = [event for event in recorded().events if not isinstance(event, Unspoken)]
        assert repr(events) == repr(watch(Run(tiny(), 4, 1)))

    def test_doubts_not_spoken_are_those_that_the_rules_count(self) -> None:
        recording = record(load_scenario("baseline"), 1, 0)
        for p, name in enumerate(recording.partnerships):
            found = [event for event in recording.events if isinstance(event, Unspoken) and event.partnership == name]
            assert len(found) == recording.tallies[recording.warm_up :, p, Tally.SUPPRESSED_DOUBTS].sum() > 0

    def test_challenges_are_those_that_the_rules_count(self) -> None:
        results = simulate(tiny(), 2, 4)
        run = Run(tiny(), 4, 1)
        run.warm_up()
        made = []
        while not run.finished:
            run.advance()
            made.append(run.state.authority_tallies[:, :, AuthorityTally.CHALLENGES_MADE].copy())
        assert np.array_equal(recorded().challenges, np.array(made))
        assert results.replicates == 2

    def test_nobody_can_change_it(self) -> None:
        for array in (part for part in recorded() if isinstance(part, np.ndarray)):
            with pytest.raises(ValueError, match="read-only"):
                array[0] = 0
        with pytest.raises(TypeError):
            recorded().titles["police"] = "x"  # type: ignore[index]

    def test_it_says_how_far_it_is_and_stops_when_told(self) -> None:
        told: list[tuple[int, int]] = []
        record(tiny(), 1, 0, lambda done, total: told.append((done, total)))
        assert told[0] == (0, 60)
        assert told[-1][0] < 60

        def stop(done: int, total: int) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            record(tiny(), 1, 0, stop)


def _until(truth: Callable[[], bool], seconds: float = 5.0) -> bool:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if truth():
            return True
        time.sleep(0.01)
    return False


def _no_threads() -> bool:
    return not any(thread.name == "cspsim-watch" for thread in threading.enumerate())


def _for_ever(key: int, report: Report) -> int:
    while True:
        report(1, 2)
        time.sleep(0.01)


class TestShelf:
    def test_visitors_share_one_piece_of_work_and_are_told(self) -> None:
        made: list[int] = []

        def make(key: int, report: Report) -> int:
            made.append(key)
            report(1, 1)
            return key * 2

        shelf: ResultShelf[int, int] = ResultShelf(make, 3)
        told: list[str] = []
        ends = [shelf.borrow(7, partial(told.append, name)) for name in ("a", "b")]
        assert _until(lambda: bool((job := shelf.look(7)) and job.result == 14))
        assert made == [7]
        assert set(told) == {"a", "b"}
        for end in ends:
            end()
            end()
        assert shelf.look(7) is not None

    def test_it_keeps_few_and_never_throws_out_what_is_looked_at(self) -> None:
        shelf: ResultShelf[int, int] = ResultShelf(lambda key, report: key + 1, 2)
        hold = shelf.borrow(0, lambda: None)
        for key in range(1, 9):
            end = shelf.borrow(key, lambda: None)
            assert _until(lambda key=key: bool((job := shelf.look(key)) and job.ended))  # type: ignore[misc]
            end()
            assert len(shelf) <= 3
        assert shelf.look(0) is not None
        hold()
        assert len(shelf) == 2

    def test_work_that_nobody_waits_for_is_dropped(self) -> None:
        shelf: ResultShelf[int, int] = ResultShelf(_for_ever, 2)
        ends = [shelf.borrow(key, lambda: None) for key in (1, 1, 2, 3)]  # the third waits for its turn
        assert _until(lambda: bool((job := shelf.look(1)) and job.done == 1))
        ends[0]()
        assert shelf.look(1) is not None
        for end in ends[1:]:
            end()
        assert len(shelf) == 0
        assert _until(_no_threads)

    def test_what_fails_says_so_and_may_be_tried_again(self) -> None:
        tries: list[int] = []

        def make(key: int, report: Report) -> int:
            tries.append(key)
            if len(tries) == 1:
                raise CspsimError("rules that nobody has allowed")
            if len(tries) == 2:
                raise ZeroDivisionError("secret")
            return key

        shelf: ResultShelf[int, int] = ResultShelf(make, 2)
        for said in ("rules that nobody has allowed", "This could not be worked out."):
            shelf.borrow(5, lambda: None)
            assert _until(lambda said=said: bool((job := shelf.look(5)) and job.fault == said))  # type: ignore[misc]
        shelf.borrow(5, lambda: None)
        assert _until(lambda: bool((job := shelf.look(5)) and job.result == 5))

    def test_whoever_saw_the_fault_is_told_when_somebody_else_tries_again(self) -> None:
        tries: list[int] = []

        def make(key: int, report: Report) -> int:
            tries.append(key)
            if len(tries) == 1:
                raise CspsimError("not now")
            return key

        shelf: ResultShelf[int, int] = ResultShelf(make, 2)
        told: list[str] = []
        end = shelf.borrow(5, lambda: told.append("first"))
        assert _until(lambda: bool((job := shelf.look(5)) and job.fault))
        told.clear()
        shelf.borrow(5, lambda: told.append("second"))
        assert _until(lambda: bool((job := shelf.look(5)) and job.result == 5) and {"first", "second"} <= set(told))
        end()
        assert (job := shelf.look(5)) is not None
        assert len(job._waiting) == 1

    def test_it_ends_when_the_page_is_closed(self) -> None:
        shelf: ResultShelf[int, int] = ResultShelf(_for_ever, 2)
        jobs: list[Any] = []

        @solara.component
        def Waiting() -> None:
            jobs.append(use_job(shelf, 1))
            solara.Text("waiting")

        context = kernel_context.VirtualKernelContext(id="watch-closing", session_id="nobody", kernel=kernel.Kernel())
        with context:
            _, page = solara.render(Waiting(), handle_error=False)
            assert _until(lambda: not _no_threads())
            page.close()  # as the kernel does when its page is closed
        assert _until(_no_threads)
        assert len(shelf) == 0


class TestLog:
    def test_every_event_of_the_table_is_told_once_in_the_order_of_months(self) -> None:
        recording = recorded()
        entries = log_of(recording, "inner")
        assert len(entries) == sum(event.partnership == "inner" for event in recording.events)
        assert [entry.month for entry in entries] == sorted(entry.month for entry in entries)
        assert {entry.kind for entry in entries} >= set(KINDS) - {"unspoken", "delivery"}
        assert all(entry.text.endswith(".") for entry in entries)

    def test_a_challenge_names_who_whom_and_why(self) -> None:
        recording = recorded()
        event = next(event for event in recording.events if isinstance(event, Challenged) and event.partnership == "inner")
        entry = filtered(log_of(recording, "inner"), kind="challenged")[0]
        assert entry.authorities == (event.challenger, event.sponsor)
        assert f"{recording.titles[event.challenger]} challenged {recording.titles[event.sponsor]}" in entry.text
        assert f"trust {event.trust:.2f}" in entry.text

    def test_filters(self) -> None:
        entries = log_of(recorded(), "inner")
        police = filtered(entries, authority="police")
        assert 0 < len(police) < len(entries)
        assert all("police" in entry.authorities for entry in police)
        both_ways = filtered(entries, "police", "challenged")
        assert both_ways == [entry for entry in police if entry.kind == "challenged"]
        assert {entry.month for entry in filtered(entries, until=5)} <= set(range(6))


class TestDiagram:
    @pytest.mark.parametrize("layout", [WIDE, SQUARE, TALL], ids=lambda layout: layout.name)
    @pytest.mark.parametrize("seats", [1, 2, 3, 5, 6, 8, 12])
    def test_no_card_lies_on_another_or_outside(self, seats: int, layout: Any) -> None:
        plan = plan_of(seats, layout)
        assert len(plan.middles) == seats
        for number, one in enumerate(plan.middles):
            assert layout.card_width / 2 < one.x < plan.width - layout.card_width / 2
            assert layout.card_height / 2 < one.y < plan.height - layout.card_height / 2
            for other in plan.middles[number + 1 :]:
                assert abs(one.x - other.x) > layout.card_width or abs(one.y - other.y) > layout.card_height

    def test_trust_is_thickness(self) -> None:
        assert thickness(0.1) == thickness(0.4) < thickness(0.5) < thickness(0.6) < thickness(0.75) == thickness(1.0)
        recording = recorded()
        tracks = {(track.key, track.attribute): track.values for track in draw_table(recording, "inner").tracks}
        assert tracks["trust-0-1", "stroke-width"][7] == thickness(recording.trust[7, 0, 0, 1])
        assert tracks["trust-1-0", "stroke-width"][7] == thickness(recording.trust[7, 0, 1, 0])

    def test_both_layouts_move_alike(self) -> None:
        for side_by_side in (False, True):
            wide, tall = both(recorded(), "inner", side_by_side)
            assert wide.tracks == tall.tracks

    def test_overload_and_arrows_are_told_without_colour(self) -> None:
        recording = record(load_scenario("two-tier-county"), 1, 0)
        p = recording.partnerships.index("market_town")
        drawing = draw_table(recording, "market_town")
        tracks = {(track.key, track.attribute): track.values for track in drawing.tracks}
        loads = recording.load[:, p, 1]
        assert (loads > 1).any()
        assert all(("▲" in str(said)) == (load > 1) for said, load in zip(tracks["work-1-said", "text"], loads, strict=True))
        assert all(
            "stroke-dasharray" in shape.fixed for shape in drawing.shapes if shape.tag == "line" and shape.key.startswith("challenge")
        )

    def test_who_is_new_stays_so_for_a_while(self) -> None:
        recording = recorded()
        event = next(event for event in recording.events if isinstance(event, NewRepresentative))
        at = recording.months.index(event.month)
        news = card_news(recording, event.partnership, event.authority)
        assert all(news[at : at + NEW_FOR])
        assert news[at - 1] == "" or at == 0

    def test_titles_that_are_an_attack_stay_texts(self, tmp_path: Path) -> None:
        scenario = load_scenario(write_hostile_world(tmp_path))
        recording = record(scenario, 1, 0)
        for drawing in both(recording, "inner"):
            for alone in (False, True):
                text = as_svg(drawing, 3, alone)
                tags = {element.tag.rpartition("}")[2] for element in ElementTree.fromstring(text).iter()}  # our own
                assert tags <= {"svg", "title", "style", "rect", "ellipse", "line", "polygon", "text"}
                assert "<img" not in text
                assert "<script" not in text
        rows = list(csv.reader(io.StringIO(log_csv(recording, WatchState("hostile", partnership="inner"), 47))))
        assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@"))]

    def test_a_file_of_its_own_brings_its_colours(self) -> None:
        text = as_svg(draw_table(recorded(), "inner"), 0, alone=True)
        assert "--csp-series-1: #0072b2" in text
        assert "<style" not in as_svg(draw_table(recorded(), "inner"), 0)

    def test_the_twin_has_the_same_numbers(self) -> None:
        table = numbers_of(recorded(), "inner", 10)
        assert [row[0] for row in table.rows] == ["Police", "Local authority", "Health"]
        assert table.rows[1][1] == f"{recorded().load[10, 0, 1]:.0%}"
        assert "February 2011" in table.caption


class TestFuture:
    """Nothing later than the month asked for is in what leaves the server."""

    UNTIL = 11

    def test_in_frames(self) -> None:
        (side,) = sides_of([recorded()])
        frames = frames_of(side, "inner", self.UNTIL)
        assert max(entry[0] for entry in frames.log) <= self.UNTIL
        assert all(max(changes[::2]) <= self.UNTIL for _, _, changes in frames.tracks)
        assert max(max(changes[::2]) for _, _, changes in frames_of(side, "inner", 47).tracks) > self.UNTIL

    def test_not_even_in_what_is_drawn_but_hidden(self) -> None:
        """Two runs that part only later cannot be told apart by their frames."""
        scenarios_ = [load_scenario(name) for name in ("baseline", "independent-challenge")]
        sides = [sides_of([record(scenario, 1, 0)])[0] for scenario in scenarios_]
        one, other = (frames_of(side, "lambeth", 35)._replace(title="") for side in sides)  # they part in April 2011
        assert one == other

    def test_a_track_comes_back_whole(self) -> None:
        track = max(draw_table(recorded(), "inner").tracks, key=lambda track: len(set(track.values)))
        changes = value_changes(track, 47)
        values: list[Any] = []
        for month, value, until in zip(changes[::2], changes[1::2], [*changes[2::2], 48], strict=True):
            assert len(values) == month
            values += [value] * (int(until) - int(month))
        assert tuple(values) == track.values

    def test_in_charts_and_their_tables(self) -> None:
        sides = sides_of([recorded()])
        for chart in CHARTS:
            option: Any = option_of(chart, sides, "inner", self.UNTIL)
            assert all(len(line["data"]) == self.UNTIL + 1 for line in option["series"])
            assert len(chart_table(chart, sides, "inner", self.UNTIL).rows) == self.UNTIL + 1
            assert chart_summary(chart, sides, "inner", self.UNTIL).startswith("Mar 2011")

    def test_in_files(self) -> None:
        asked = WatchState("tiny", partnership="inner")
        for text in (log_csv(recorded(), asked, self.UNTIL), months_csv(recorded(), self.UNTIL)):
            months = [row[0] for row in list(csv.reader(io.StringIO(text)))[1:]]
            assert max(months) == "2011-03"


class TestSeries:
    def test_sums_of_twelve_months_reach_into_the_warm_up(self) -> None:
        recording = recorded()
        column = recording.tallies[:, 0, Tally.TRUE_CRIMES]
        found = latest_year(recording, 0, Tally.TRUE_CRIMES)
        assert len(found) == len(recording.months)
        for month in (0, 5, 47):
            end = recording.warm_up + month + 1
            assert found[month] == pytest.approx(column[end - YEAR : end].sum())

    def test_the_baseline_is_black_and_dashed_and_the_scenario_blue_and_solid(self) -> None:
        option: Any = option_of(CHARTS[0], sides_of([recorded(), recorded(9, 0)]), "inner", 47)
        looks = {line["name"]: (line["lineStyle"]["color"], line["lineStyle"]["type"]) for line in option["series"]}
        assert looks["A true"] == ("var(--csp-baseline)", [6, 4])
        assert looks["B true"] == ("var(--csp-scenario)", "solid")
        assert len(set(map(repr, looks.values()))) == 4

    def test_months_as_a_file_are_those_of_simulate(self) -> None:
        rows = list(csv.DictReader(io.StringIO(months_csv(recorded(), 47))))
        results = simulate(tiny(), 2, 4, months=True)
        column = list(OUTCOMES).index("cost_of_crime")
        assert float(rows[-1]["cost_of_crime"]) == results.monthly_outcomes[1, 47, -1, column]
        assert rows[-1]["partnership"] == "area"


class TestAsked:
    def test_what_a_link_holds_comes_back(self) -> None:
        asked = WatchState("independent-challenge", "baseline", 7, 3, "sutton", 45, "police", "challenged", "cost_of_crime")
        query = "&".join(f"{name}={text}" for name, text in query_of(asked).items())
        assert query_of(asked)["month"] == "2012-01"
        assert asked_in(f"?{query}") == (asked, [])

    def test_nothing_asked_is_the_usual(self) -> None:
        assert asked_in(None) == asked_in("") == (WatchState("baseline", partnership="lambeth"), [])

    @pytest.mark.parametrize(
        ("query", "fault"),
        [
            ("scenario=../../etc/passwd", "scenario"),
            ("scenario=baseline%2Bdeeper-cut", "scenario"),
            ("baseline=<script>", "baseline"),
            ("seed=-1", "seed"),
            ("seed=18446744073709551616", "seed"),
            ("seed=1e3", "seed"),
            ("seed=%D9%A1", "seed"),
            ("replicate=10000", "replicate"),
            ("partnership=nowhere", "partnership"),
            ("month=2031-01", "month"),
            ("month=banana", "month"),
            ("authority=nobody", "authority"),
            ("kind=everything", "kind"),
            ("question=what", "outcome"),
            ("question=recorded_fall", "outcome"),
        ],
    )
    def test_what_cannot_be_is_said_and_left(self, query: str, fault: str) -> None:
        asked, faults = asked_in(f"?{query}")
        assert asked == WatchState("baseline", partnership="lambeth")
        assert len(faults) == 1
        assert f"The {fault}" in faults[0] or f"The kind of event {fault}" in faults[0] or "kind" in fault

    def test_numbers(self) -> None:
        assert whole(" 7 ", 10) == 7
        assert [whole(text, 10) for text in ("11", "-1", "1.0", "", "٣", "9" * 30)] == [None] * 6

    def test_another_scenario_keeps_what_it_can(self) -> None:
        asked = WatchState("baseline", "no-cuts", 3, 2, "sutton", 50, "police_authority", "tabled", "cost_of_crime")
        moved = with_scenario(asked, "two-tier-county")
        assert moved == WatchState("two-tier-county", "no-cuts", 3, 2, "market_town", 50, "police_authority", "tabled", NONE)
        assert with_scenario(asked, "no-cuts").baseline == NONE

    def test_what_cannot_stand_side_by_side_is_said(self) -> None:
        county, baseline = (scenarios.scenario_of(name) for name in ("two-tier-county", "baseline"))
        assert "partnerships" in mismatch(baseline, county)
        assert mismatch(baseline, scenarios.scenario_of("independent-challenge")) == ""

    def test_the_command_is_the_same_run(self) -> None:
        asked = WatchState("baseline", seed=5, replicate=2, partnership="sutton")
        assert command_of(asked, "baseline") == "cspsim explain baseline --seed 5 --replicate 2 --partnership sutton"


def test_a_recording_is_small() -> None:
    """A dozen of them are kept for all visitors."""
    recording: Recording = record(load_scenario("baseline"), 1, 0)
    assert sum(part.nbytes for part in recording if isinstance(part, np.ndarray)) < 1e6
    assert len(recording.events) < 10_000
