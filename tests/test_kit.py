"""The facilitator's kit: lessons whose figures are the model's, cards that say what the scenario says, paper that loads nothing."""

import importlib.util
import itertools
import json
import re
import shlex
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from browser import Visit, needs_browser, no_barriers, no_sideways_scroll, press_until_focused, visit
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from cspsim.basics.errors import CspsimError
from cspsim.cli import app
from cspsim.commands.options import load
from cspsim.comparing.comparison import compare
from cspsim.model.parameters import Levers
from cspsim.reports.describe import describe
from cspsim.running.outcomes import OUTCOMES
from cspsim.scenario.scenario import load_scenario, scenario_names
from cspsim.scenario.schema import DatedPath, register_of
from cspsim.web.explore.address import question_of
from cspsim.web.explore.posing import Posed
from cspsim.web.kit import lesson_figures as kit_figures
from cspsim.web.kit.lesson_figures import FIRM, Counts, LessonFigure, filled, firmness, lesson_row, load_figures, often, percent_of
from cspsim.web.kit.lesson_views import lesson_view, lesson_views
from cspsim.web.kit.lessons import LESSONS_FILE, MINUTES, Lesson, LessonComparison, LessonError, OutcomeAsked, load_lessons, read_lessons
from cspsim.web.kit.printable import printable_kit
from cspsim.web.kit.role_cards import commissioner_card, role_cards, value_at

__all__ = ["visit"]

ROOT = Path(__file__).resolve().parents[1]
LESSONS = load_lessons().lessons
ASKED = [(key, name, compared, asked) for key, lesson in LESSONS.items() for name, compared, asked in lesson.asked()]
MINUS, GLUE = "\N{MINUS SIGN}", "\N{WORD JOINER}"


def _tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("update_lessons", ROOT / "tools" / "update_lessons.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["update_lessons"] = module
    spec.loader.exec_module(module)
    return module


update = _tool()


def a_figure(**changes: object) -> LessonFigure:
    """A figure made up for tests: 100 becomes 90, give or take 2; smaller than 5 does not matter."""
    given = LessonFigure("delivered_dose", 100, 90, -10, -12, -8, 5, "lower", Counts(0, 3, 17), Counts(1, 4, 5), -22, -9, 6)
    return given._replace(**changes)  # type: ignore[arg-type]


class TestLessons:
    def test_the_five_lessons_are_there(self) -> None:
        assert [lesson.title for lesson in LESSONS.values()] == [
            "The good relationship trap",
            "What gets measured",
            "Who does the work",
            "After the cut",
            "Who pays the piper",
        ]

    @pytest.mark.parametrize("key", LESSONS)
    def test_has_every_part(self, key: str) -> None:
        lesson = LESSONS[key]
        for text in (lesson.question, lesson.learning_point, lesson.in_short, lesson.stands, lesson.thesis.says, lesson.thesis.source):
            assert len(text) > 20
        assert lesson.question.endswith("?")
        assert len(lesson.materials) >= 3
        assert sum(step.minutes for step in lesson.steps) == MINUTES == 20
        assert lesson.predictions
        assert len(lesson.questions) >= 3
        assert all("?" in line for line in lesson.questions)
        assert len(lesson.leaves_out) >= 3
        assert len(lesson.evidence) >= 2
        assert len(list(lesson.asked())) >= 5
        assert any(asked.outcome == "cost_of_crime" for _, _, asked in lesson.asked()), "every lesson says what became of crime"

    @pytest.mark.parametrize("key", LESSONS)
    def test_calls_one_thesis_no_more_than_it_is(self, key: str) -> None:
        assert LESSONS[key].thesis.strength == "C"
        assert "Thwaites 2013" in LESSONS[key].thesis.source

    @pytest.mark.parametrize("key", LESSONS)
    def test_names_only_what_the_model_knows(self, key: str) -> None:
        lesson = LESSONS[key]
        assert {lesson.scenario, lesson.baseline} <= set(scenario_names())
        assert set(lesson.levers) <= set(register_of(Levers))
        assert lesson.outcome in OUTCOMES
        for compared in lesson.comparisons.values():
            places = {"area", *load_scenario(compared.scenario).data.partnerships}
            assert {asked.place for asked in compared.figures} <= places
            assert {asked.outcome for asked in compared.figures} <= set(OUTCOMES)
            load_scenario(compared.scenario).with_changes(compared.changes or {"title": "as it is"})

    @pytest.mark.parametrize("key", LESSONS)
    def test_its_levers_move_between_its_scenarios(self, key: str) -> None:
        """A lesson shows its own levers: in its scenarios, or in the changes it makes to one."""
        lesson = LESSONS[key]
        changed = set()
        for compared in lesson.comparisons.values():
            own = load_scenario(compared.scenario)
            own = own.with_changes(compared.changes) if compared.changes else own
            if compared.baseline:
                other = load_scenario(compared.baseline)
                changed |= set(own.differences_from(other))
        for name in lesson.levers:
            money = {"grant": "grants.", "mainstream": "authorities."}.get(name)
            assert any(each.startswith((f"levers.{name}.", money or "levers.-")) for each in changed), name

    @pytest.mark.parametrize("key", LESSONS)
    def test_states_no_figure_by_hand(self, key: str) -> None:
        """Numbers in what the model shows come from the figures file, so that they cannot go stale."""
        lesson = LESSONS[key]
        for text in (lesson.in_short, lesson.stands, *(asked.says for _, _, asked in lesson.asked())):
            assert not re.search(r"\d", re.sub(r"\{[\w.]+:\w+\}", "", text)), text


class TestReadingLessons:
    def broken(self, folder: Path, old: str, new: str) -> str:
        text = LESSONS_FILE.read_text(encoding="utf-8")
        assert old in text
        (folder / "broken.toml").write_text(text.replace(old, new, 1), encoding="utf-8")
        with pytest.raises(LessonError) as caught:
            read_lessons(folder / "broken.toml")
        return str(caught.value)

    @pytest.mark.parametrize(
        ("old", "new", "said"),
        [
            ('scenario = "independent-challenge"', 'scenario = "independent-chalenge"', 'did you mean "independent-challenge"'),
            ('levers = ["challenge_culture"', 'levers = ["challenge_cultur"', 'did you mean "challenge_culture"'),
            ('outcome = "challenged_share"', 'outcome = "challenged"', "challenged_share"),
            ('figure = "trust.cost_of_crime"', 'figure = "trust.cost_of_crimes"', 'did you mean "trust.cost_of_crime"'),
            ('strength = "C"', 'strength = "E"', 'there is no strength "E"'),
            ("minutes = 3", "minutes = 4", "the steps take 21 minutes: expected 20"),
            ("against = 0.5", 'against = 0.5\nbaseline = "baseline"', "one of the two"),
            ('claim = "lower"', 'claim = "less"', "higher"),
            ("materials =", "material =", 'did you mean "materials"'),
        ],
    )
    def test_says_what_is_wrong_and_what_was_expected(self, tmp_path: Path, old: str, new: str, said: str) -> None:
        message = self.broken(tmp_path, old, new)
        assert said in message
        assert re.search(r"broken\.toml:\d+", message), message


class TestFigures:
    def test_there_is_one_for_everything_asked_and_no_other(self) -> None:
        stored = {(lesson, name) for lesson, entries in load_figures().figures.items() for name in entries}
        assert stored == {(key, name) for key, name, _, _ in ASKED}, "run python tools/update_lessons.py"

    @pytest.mark.parametrize(("key", "name", "asked"), [(key, name, asked) for key, name, _, asked in ASKED])
    def test_the_text_claims_what_the_model_gives(self, key: str, name: str, asked: OutcomeAsked) -> None:
        figure = load_figures().figures[key][name]
        assert figure.claim == asked.claim, f'"{asked.says}" but the model says {figure.verdict}'

    def test_every_prediction_has_an_answer(self) -> None:
        for key, lesson in LESSONS.items():
            for prediction in lesson.predictions:
                assert load_figures().figures[key][prediction.figure].claim is not None

    def test_counts_are_of_all_runs_and_all_sets(self) -> None:
        settings = load_figures().settings
        for entries in load_figures().figures.values():
            for figure in entries.values():
                assert figure.runs.all == settings["replicates"] == 200
                assert figure.sets.all == settings["assumption_sets"] == 64
                assert figure.ci_low <= figure.difference <= figure.ci_high
                assert figure.sets_low <= figure.sets_median <= figure.sets_high
                assert figure.value - figure.baseline == pytest.approx(figure.difference, abs=1e-6 * abs(figure.baseline) + 1e-9)

    def test_the_file_is_plain_json_without_gaps(self) -> None:
        def refuse(mark: str) -> None:
            raise AssertionError(f"{mark} in the file")

        json.loads(kit_figures.FIGURES_FILE.read_text(encoding="utf-8"), parse_constant=refuse)

    def test_they_are_of_the_scenarios_and_rules_of_today(self) -> None:
        """Every scenario as it is now, and its first few runs under the rules as they are now."""
        arms = load_figures().settings["arms"]
        assert set(arms) == {update.arm_label(*arm) for arm in update.all_arms(load_lessons())}
        for arm in update.all_arms(load_lessons()):
            stored = arms[update.arm_label(*arm)]
            told = "run python tools/update_lessons.py"
            assert update.scenario_of(*arm).digest == stored["digest"], told
            assert update.first_runs(*arm) == pytest.approx(stored["first_runs"], rel=1e-7), told

    @pytest.mark.parametrize(
        ("key", "name"), [("who_does_the_work", "council.local_authority_hours_share"), ("what_gets_measured", "audit.recorded_crimes")]
    )
    def test_running_it_again_gives_what_is_stored(self, key: str, name: str) -> None:
        compared, asked = next((compared, asked) for own, each, compared, asked in ASKED if (own, each) == (key, name))
        now, stored = update.figure_now(compared, asked, update.Sizes()), load_figures().figures[key][name]
        for field, value in now._asdict().items():
            kept = getattr(stored, field)
            assert value == (pytest.approx(kept, rel=1e-6, abs=1e-9) if isinstance(value, float) else kept), field

    def test_agrees_with_compare(self) -> None:
        """The same differences, intervals and ranges as the command gives that each lesson names."""
        compared = LESSONS["what_gets_measured"].comparisons["audit"]
        sizes = update.Sizes(6, 3, 2)
        comparison = compare("baseline", "recording-audit", 6, update.SEED, 3, 2)
        for asked in compared.figures:
            figure, finding = update.figure_now(compared, asked, sizes), comparison.finding(outcome=asked.outcome)
            ours = (figure.baseline, figure.value, figure.difference, figure.ci_low, figure.ci_high, figure.smallest_of_interest)
            theirs = (finding.baseline, finding.value, finding.difference, finding.ci_low, finding.ci_high, finding.smallest_of_interest)
            assert ours == pytest.approx(theirs)
            assert figure.verdict == finding.verdict
            spread = (finding.assumptions_low, finding.assumptions_median, finding.assumptions_high)
            assert (figure.sets_low, figure.sets_median, figure.sets_high) == pytest.approx(spread)
            if figure.sets.same == 0:
                assert max(figure.sets.higher, figure.sets.lower) / 3 == pytest.approx(finding.same_sign_share)

    @pytest.mark.parametrize(("key", "name"), [(key, name) for key, lesson in LESSONS.items() for name in lesson.comparisons])
    def test_explore_and_the_command_line_ask_what_the_lesson_asks(self, key: str, name: str) -> None:
        compared, outcome = LESSONS[key].comparisons[name], LESSONS[key].outcome
        own = load_scenario(compared.scenario)
        arm = own.with_changes(compared.changes) if compared.changes else own
        address, command = compared.address(outcome), shlex.split(compared.command)
        if compared.baseline_changes:
            assert (address, command) == ("", [])
            return
        given = [value for word, value in itertools.pairwise(command) if word == "--set"]
        assert load(compared.scenario, given).digest == arm.digest
        assert command[:2] == ["cspsim", "run" if compared.baseline is None else "compare"]
        if compared.baseline is None:
            assert address == ""
            return
        question, said = question_of(address.partition("?")[2])
        assert said == []
        posed = Posed(question)
        assert [one.digest for one in posed.arms] == [load_scenario(compared.baseline).digest, arm.digest]
        assert posed.outcome == outcome

    def test_a_place_is_its_own(self) -> None:
        """What both boroughs receive together is what the area receives."""
        compared = LESSONS["who_pays_the_piper"].comparisons["formula"]
        sizes = update.Sizes(4, 0, 0)
        asked = OutcomeAsked(outcome="received", claim="higher", says="")
        parts = [update.figure_now(compared, asked.model_copy(update={"place": place}), sizes) for place in ("lambeth", "sutton", "area")]
        assert parts[0].value + parts[1].value == pytest.approx(parts[2].value)
        assert parts[0].baseline != pytest.approx(parts[1].baseline)

    def test_counts_by_hand(self) -> None:
        """The smallest difference that matters is 1 % of each run's own baseline (dose), or two points (evaluated share)."""
        before = np.array([100.0, 100.0, 100.0, 200.0, np.nan])
        after = np.array([101.5, 99.5, 98.0, 201.5, 1.0])
        assert update._counts(OUTCOMES["delivered_dose"], before, after) == Counts(higher=1, same=2, lower=1)
        before, after = np.array([0.1, 0.1, 0.1]), np.array([0.11, 0.13, 0.05])
        assert update._counts(OUTCOMES["evaluated_share"], before, after) == Counts(higher=1, same=1, lower=1)


class TestWords:
    def test_how_often(self) -> None:
        assert often(Counts(0, 14, 50)) == "50 lower, 14 too small"
        assert often(Counts(64, 0, 0)) == "all 64 higher"
        assert often(Counts(0, 0, 0)) == "not defined"

    @given(st.tuples(*[st.integers(0, 300)] * 3))
    def test_how_often_names_every_count_once(self, counts: tuple[int, int, int]) -> None:
        said = [int(number) for number in re.findall(r"\d+", often(Counts(*counts)))]
        assert said == sorted((count for count in counts if count), reverse=True)
        widths = Counts(*counts).percent()
        assert sum(widths.values()) == pytest.approx(100 if any(counts) else 0, abs=0.2)

    def test_how_firm(self) -> None:
        nearly_all, most, hangs = (words for _, words in FIRM)
        assert firmness(a_figure(sets=Counts(0, 1, 9))) == nearly_all
        assert firmness(a_figure(sets=Counts(2, 2, 6))) == most
        assert firmness(a_figure(sets=Counts(1, 4, 5))) == hangs
        assert firmness(a_figure(verdict="smaller than matters", sets=Counts(0, 9, 1))) == nearly_all
        assert firmness(a_figure(verdict="undecided")) == "not decided"
        assert firmness(a_figure(sets=Counts(0, 0, 0))) == "not decided"

    def test_a_row_by_hand(self) -> None:
        compared = LessonComparison(about="", scenario="baseline", baseline="no-cuts", figures=[])
        row = lesson_row(a_figure(), compared, OutcomeAsked(outcome="delivered_dose", claim="lower", says="Less."), "Lambeth")
        plain = [text.replace(GLUE, "") for text in (row.before, row.after, row.difference, row.percent, row.interval, row.spread)]
        assert plain == ["100", "90", f"{MINUS}10", f"{MINUS}10%", f"{MINUS}12 to {MINUS}8", f"{MINUS}22 to 6"]
        assert row.title == "Dose delivered, Lambeth"
        assert (row.runs, row.sets) == ("17 lower, 3 too small", "5 lower, 4 too small, 1 higher")
        assert row.shares == {"higher": 10.0, "same": 40.0, "lower": 50.0}
        assert percent_of(a_figure(baseline=0.0)) == ""

    def test_a_level_shows_its_own_range_and_not_that_of_the_difference(self) -> None:
        compared = LessonComparison(about="", scenario="baseline", against=0.5, figures=[])
        figure = a_figure(
            outcome="evaluated_share", baseline=0.5, value=0.6, difference=0.1, ci_low=0.09, ci_high=0.11, sets_low=-0.1, sets_high=0.3
        )
        assert lesson_row(figure, compared, OutcomeAsked(outcome="evaluated_share", claim="higher", says="")).spread == "40% to 80%"

    def test_texts_are_filled(self) -> None:
        lesson = LESSONS["what_gets_measured"]
        parts = ("percent", "before", "size", "sets_lower")
        text = ", ".join(f"{{audit.recorded_crimes:{part}}}" for part in parts)
        figure = a_figure(outcome="recorded_crimes")
        assert filled(text, lesson, {"audit.recorded_crimes": figure}) == "10%, 100, 10, 5 of 10"
        with pytest.raises(KeyError, match=r"no figure is called audit\.nothing"):
            filled("{audit.nothing:size}", lesson, {})
        with pytest.raises(KeyError):
            filled("{audit.recorded_crimes:nothing}", lesson, {"audit.recorded_crimes": figure})

    def test_views_have_no_gaps_and_the_clock_is_whole(self) -> None:
        for view in lesson_views():
            assert "{" not in view.in_short + view.stands
            assert [timed.begins for timed in view.steps] == [0, *(timed.ends for timed in view.steps[:-1])]
            assert view.steps[-1].ends == MINUTES
            assert sum(len(block.rows) for block in view.blocks) == len(list(view.lesson.asked()))
            for answered in view.predictions:
                assert answered.answer in {text for _, text in answered.prediction.answers()}
                assert sum(answered.counts.values()) == 64

    def test_a_figure_that_was_not_computed_is_named(self) -> None:
        lesson: Lesson = next(iter(LESSONS.values()))
        stored = load_figures()
        with pytest.raises(CspsimError, match=r"no figures for trust\.challenged_share.*update_lessons"):
            lesson_view("good_relationship_trap", lesson, stored._replace(figures={}))


class TestCards:
    @pytest.mark.parametrize("name", [name for name in scenario_names() if "null" not in name])
    def test_everybody_has_one_and_everything_is_led_once(self, name: str) -> None:
        scenario = load_scenario(name)
        cards = role_cards(scenario)
        assert [card.name for card in cards] == list(scenario.data.authorities)
        for card in cards:
            assert card.title
            assert card.cares
            assert card.play
            assert all(0 < each.share <= 1 for each in card.cares)
            assert [each.share for each in card.cares] == sorted((each.share for each in card.cares), reverse=True)
        led = [title for card in cards for title in card.leads]
        holders = {role for entry in scenario.data.authorities.values() for role in entry.roles}
        titles = {entry.title for entry in scenario.data.interventions.values() if entry.lead in holders}
        assert set(led) == titles
        assert any(card.coordinates for card in cards)

    def test_says_what_the_register_says(self) -> None:
        scenario = load_scenario("baseline")
        council = next(card for card in role_cards(scenario) if card.name == "local_authority")
        rows = {row["name"]: row for row in describe("authorities", scenario, "local_authority")}
        hours = next(held for held in council.has if held.what.startswith("Staff hours"))
        assert hours.value == f"{rows['local_authority.hours']['value']:,.0f} a year"
        assert hours.status == rows["local_authority.hours"]["status"]
        budget = next(held for held in council.has if held.what == "Budget")
        assert budget == ("Budget", "falls to 45% of its start by April 2017", "derived")
        assert council.coordinates
        assert dict(council.cares)["Antisocial behaviour"] == 1.0
        assert "You lose 55% of your budget in these years. Say early what you will stop." in council.play

    def test_dates_and_reorganisations_are_on_the_card(self) -> None:
        cards = {card.name: card for card in role_cards(load_scenario("baseline"))}
        assert cards["police_authority"].sits == "At the table until January 2012"
        assert cards["police_authority"].leads == ()
        assert cards["probation"].sits == "At the table from April 2010"
        assert cards["probation"].happens[0].startswith("June 2014: Probation split")
        merged = {card.name: card for card in role_cards(load_scenario("renamed-and-merged"))}
        assert merged["council"].happens == merged["primary_care_trust"].happens != ()

    def test_the_commissioner_divides_as_the_levers_say(self) -> None:
        card = commissioner_card(load_scenario("baseline"))
        assert card.rules[0] == ("April 2013", "£18.0m a year", "by bids (60%), recorded crime (20%) and good relationships (20%)")
        assert [rule.since for rule in card.rules] == ["April 2013", "April 2014", "April 2017"]
        kept = commissioner_card(load_scenario("pcc-own-priorities"))
        assert all(rule.divided.endswith("after 50% for its own priorities") for rule in kept.rules)
        assert dict(card.cares)["Robbery"] == 1.0

    def test_values_of_a_path_by_hand(self) -> None:
        path = DatedPath(path={"2011-04": 1.0, "2013-04": 3.0}, multiplier=2.0, shift=1.0)
        assert [value_at(path, month) for month in ("2010-01", "2011-04", "2013-03", "2013-04", "2020-01")] == [3, 3, 3, 7, 7]


class Reader(HTMLParser):
    """Tags with their attributes, the open ones, and the words."""

    VOID = frozenset({"meta", "br", "hr", "img", "input", "link"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)


@pytest.fixture(scope="module")
def printed() -> str:
    return printable_kit(load_scenario("baseline"))


class TestPrintable:
    def test_is_one_whole_page_that_loads_nothing(self, printed: str) -> None:
        reader = Reader(printed)
        assert reader.open == []
        assert not {"script", "link", "img", "iframe", "object"} & {tag for tag, _ in reader.tags}
        for tag, attributes in reader.tags:
            assert not {"src", "srcset", "action", "data"} & set(attributes), tag
            assert (attributes.get("href") or "#").startswith("#")
        style = printed.split("<style>")[1].split("</style>")[0]
        assert "url(" not in style
        assert "@import" not in style

    def test_every_name_points_somewhere_and_is_given_once(self, printed: str) -> None:
        tags = Reader(printed).tags
        ids = [attributes["id"] for _, attributes in tags if "id" in attributes]
        assert len(ids) == len(set(ids))
        pointed = [attributes["href"] for _, attributes in tags if "href" in attributes]
        pointed += [f"#{attributes['aria-labelledby']}" for _, attributes in tags if "aria-labelledby" in attributes]
        assert {str(name).removeprefix("#") for name in pointed} <= set(ids)

    def test_everything_is_on_it(self, printed: str) -> None:
        words = " ".join(" ".join(Reader(printed).words).split()).replace(GLUE, "")
        for lesson in LESSONS.values():
            for text in (lesson.title, lesson.learning_point, *lesson.materials, *lesson.questions, *lesson.leaves_out, lesson.thesis.says):
                assert " ".join(text.split()) in words, text
            for step in lesson.steps:
                assert step.text in words
            for prediction in lesson.predictions:
                assert words.count(prediction.question) == 2, "once on the slip, once with the answer"
        for card in role_cards(load_scenario("baseline")):
            assert card.title in words
        for part in load_lessons().debrief.parts:
            for prompt in part.prompts:
                assert prompt.ask in words
        assert "Illustrative model, not a forecast." in words

    def test_is_the_same_every_time(self, printed: str) -> None:
        assert printable_kit(load_scenario("baseline")) == printed

    def test_takes_no_text_of_a_scenario_for_html(self) -> None:
        nasty = '<script>alert("1")</script><b onclick=x>&'
        keys = ("title", "authorities.police.title", "partnerships.sutton.title", "interventions.mentoring.title", "commissioner.title")
        keys += ("crime_types.robbery.title", "events.pct_to_ccg.title")
        page = printable_kit(load_scenario("baseline").with_changes(dict.fromkeys(keys, nasty)))
        assert "<script" not in page
        assert "<b onclick" not in page
        assert page.count("&lt;script&gt;alert(&#34;1&#34;)&lt;/script&gt;&lt;b onclick=x&gt;&amp;") >= len(keys)

    def test_shows_the_cards_of_the_scenario_asked_for(self) -> None:
        page = printable_kit(load_scenario("two-tier-county"))
        assert "County council" in page
        assert "Metropolitan Police Authority" not in page


class TestCommand:
    @pytest.fixture(autouse=True)
    def _elsewhere(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)

    def test_writes_the_page(self, printed: str) -> None:
        done = CliRunner().invoke(app, ["kit"])
        assert done.exit_code == 0
        assert "Wrote cspsim-kit.html" in done.output
        assert Path("cspsim-kit.html").read_text(encoding="utf-8") == printed
        again = CliRunner().invoke(app, ["kit", "--out", "cspsim-kit.html", "--scenario", "two-tier-county", "--json"])
        assert json.loads(again.output) == {"file": "cspsim-kit.html", "scenario": "two-tier-county"}
        assert "County council" in Path("cspsim-kit.html").read_text(encoding="utf-8")

    def test_overwrites_nothing_of_somebody_else(self) -> None:
        Path("mine.html").write_text("my own page", encoding="utf-8")
        done = CliRunner().invoke(app, ["kit", "--out", "mine.html"])
        assert done.exit_code == 2
        assert "not written by cspsim" in done.stderr
        assert Path("mine.html").read_text(encoding="utf-8") == "my own page"
        Path("folder").mkdir()
        assert "is a folder" in CliRunner().invoke(app, ["kit", "--out", "folder"]).stderr

    def test_an_unknown_scenario_is_told(self) -> None:
        done = CliRunner().invoke(app, ["kit", "--scenario", "two-tier-conty"])
        assert done.exit_code == 2
        assert "two-tier-county" in done.stderr
        assert list(Path().iterdir()) == []


@needs_browser
class TestInABrowser:
    @pytest.fixture
    def paper(self, printed: str, tmp_path: Path) -> Iterator[Any]:
        """The printable page in a Chromium that may load nothing but it."""
        from browser import _chromium

        (tmp_path / "kit.html").write_text(printed, encoding="utf-8")
        context = _chromium().new_context(viewport={"width": 1100, "height": 900})
        asked: list[str] = []
        page = context.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda said: asked.append(said.text))
        page.goto((tmp_path / "kit.html").as_uri())
        yield page
        context.close()
        assert [each for each in asked if not each.endswith("kit.html")] == []

    def test_paper_can_be_read_by_everybody_and_printed(self, paper: Any) -> None:
        no_barriers(paper)
        paper.set_viewport_size({"width": 390, "height": 800})
        no_barriers(paper)
        no_sideways_scroll(paper)
        pages = len(re.findall(rb"/Type\s*/Page\b", paper.pdf(prefer_css_page_size=True)))
        sections = 1 + 2 * len(LESSONS) + 2 + 4 + 1
        assert sections - 2 <= pages <= sections + 3, f"{pages} pages of A4: something broke apart"

    def test_nothing_is_shown_before_a_prediction_is_committed(self, visit: Visit) -> None:
        page = visit("/kit/good_relationship_trap")
        no_barriers(page)
        assert page.get_by_role("heading", name="What the model shows").count() == 0
        assert "A trusting table challenges" not in page.locator("main").inner_text()
        commit = page.get_by_role("button", name="Commit and reveal")
        assert commit.is_disabled()
        page.get_by_role("button", name="higher: doubts stay unspoken").click()
        page.get_by_text("1 still to answer").wait_for()
        assert commit.is_disabled()
        page.get_by_role("group").last.get_by_role("button", name="about the same").click()
        page.get_by_text("All answered").wait_for()
        press_until_focused(page, "Commit and reveal")
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="What the model shows").wait_for()
        said = page.locator("main").inner_text()
        assert "You said: higher: doubts stay unspoken" in said
        assert "It came out otherwise" in said
        assert "You expected it" in said
        assert "64 sets of assumptions" in said
        assert page.get_by_role("button", name="higher: doubts").count() == 0, "nobody changes a prediction afterwards"
        no_barriers(page)

    def test_a_facilitator_may_look_without_predicting(self, visit: Visit) -> None:
        page = visit("/kit/after_the_cut", width=390, dark=True)
        page.get_by_role("button", name="Show what the model says").click()
        page.get_by_role("heading", name="What the model shows").wait_for()
        assert "You said" not in page.locator("main").inner_text()
        no_barriers(page)
        no_sideways_scroll(page)
        page.get_by_role("button", name="Notes").click()
        page.get_by_role("complementary", name="Facilitator's notes").get_by_text("How the answer stands to the thesis").wait_for()

    def test_lessons_cards_and_sheet_are_reached_from_the_list(self, visit: Visit, printed: str) -> None:
        page = visit("/kit")
        no_barriers(page)
        for lesson in LESSONS.values():
            assert page.get_by_role("heading", name=lesson.title).count() == 1
        with page.expect_download() as download:
            page.get_by_role("button", name="Download the whole kit").click()
        assert Path(download.value.path()).read_text(encoding="utf-8") == printed
        page.get_by_role("link", name="Who does the work").click()
        page.wait_for_url("**/kit/who_does_the_work")
        link = page.get_by_role("link", name="Open in Explore").get_attribute("href")
        assert link == "/explore?scenario=rebalanced-with-commitment&baseline=baseline&outcome=delivered_dose"
        page.get_by_role("link", name="All lessons").click()
        page.get_by_role("link", name="Debrief sheet").click()
        page.get_by_role("heading", name="Before the reveal").wait_for()
        no_barriers(page)

    def test_cards_follow_the_scenario_and_the_address_keeps_it(self, visit: Visit) -> None:
        page = visit("/kit/cards")
        page.get_by_role("heading", name="Metropolitan Police", exact=True).wait_for()
        no_barriers(page)
        page.get_by_label("Scenario").select_option("two-tier-county")
        page.get_by_role("heading", name="County council").wait_for()
        page.wait_for_url("**/kit/cards?scenario=two-tier-county")
        page.reload()
        page.get_by_role("heading", name="County council").wait_for()

    @pytest.mark.parametrize("path", ["/kit/no-such-lesson", "/kit/cards?scenario=../../etc/passwd"])
    def test_an_address_that_leads_nowhere_says_so(self, visit: Visit, path: str) -> None:
        page = visit(path)
        page.get_by_text("There is no").wait_for()
        assert page.get_by_text("root:").count() == 0
