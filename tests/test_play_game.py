"""A game without any room: cards, choices, incidents, undo; the same numbers as Mesa agents and as a run that nobody touches."""

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import write_tiny_world

from cspsim.mesa_model.agents import ResponsibleAuthority
from cspsim.mesa_model.partnership_model import PartnershipModel
from cspsim.model.rules.evaluation import may_evaluate
from cspsim.model.tallies import AuthorityTally
from cspsim.one_run.run import Run
from cspsim.scenario.scenario import Scenario, load_scenario
from cspsim.scenario.world_building import build_world
from cspsim.web.play.course import Desk
from cspsim.web.play.decision_cards import StepCards
from cspsim.web.play.decisions import (
    LONGEST_REASON,
    REASONS,
    AuthorityCard,
    Choice,
    Refused,
    ToChallenge,
    ToEvaluate,
    ToPledge,
    ToTable,
    read_choices,
)
from cspsim.web.play.game import ANSWERING, TABLING, Game
from cspsim.web.play.incidents import Incident, read_incident
from cspsim.web.play.settings import Settings, checked, game_scenario, options_for

Choices = dict[str, bool]
Answer = Callable[[AuthorityCard], Any]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    return load_scenario(write_tiny_world(tmp_path_factory.mktemp("play")))


def new_game(scenario: Scenario, **raw: Any) -> Game:
    return Game(scenario, checked({"quarters": 5, **raw}, scenario))


def steps(game: Game) -> Iterator[tuple[int, int]]:
    """Each step of a game, which is advanced when its loop body is through."""
    while not game.over:
        yield game.quarter, game.step
        game.advance()


def play(game: Game, answer: Answer, authorities: tuple[str, ...] = ()) -> Game:
    for _ in steps(game):
        for name in authorities or tuple(game.cards):
            game.hand_in(name, game.read(name, answer(game.cards[name])))
    return game


def everything(card: AuthorityCard) -> dict[str, Any]:
    """Table, challenge and evaluate all that can be."""
    if card.step == TABLING:
        return {"table": [item.intervention for item in card.table]}
    return {"challenge": {item.intervention: "need" for item in card.challenge}, "evaluate": [item.intervention for item in card.evaluate]}


def nothing(card: AuthorityCard) -> dict[str, Any]:
    """Table, challenge, pledge and evaluate nothing."""
    return {"table": []} if card.step == TABLING else {"challenge": {}, "evaluate": [], "hours": 0 if card.hours else None}


def as_suggested(card: AuthorityCard) -> dict[str, Any]:
    """Tick what is ticked already, in so many words."""
    if card.step == TABLING:
        return {"table": [item.intervention for item in card.table if item.suggested]}
    return {
        "challenge": {item.intervention: "" for item in card.challenge if item.suggested},
        "evaluate": [item.intervention for item in card.evaluate if item.suggested],
        "hours": card.hours.suggested if card.hours else None,
    }


# ------------------------------------------------------------------------------------------------------- the same numbers


def straight(game: Game, replicate: int = 0) -> Run:
    run = Run(game.scenario, game.settings.seed, replicate)
    while not run.finished:
        run.advance()
    return run


@pytest.mark.parametrize("answer", [None, as_suggested])
def test_a_game_left_as_suggested_is_the_run_that_nobody_touched(tiny: Scenario, answer: Answer | None) -> None:
    game = new_game(tiny, seed=4, first_month="2011-01")
    if answer is None:
        for _ in steps(game):
            pass
    else:
        play(game, answer)
    run = straight(game)
    np.testing.assert_array_equal(game.course.desk.run.state.numbers, run.state.numbers)
    np.testing.assert_array_equal(game.course.desk.run.state.counters, run.state.counters)
    np.testing.assert_array_equal(game.course.desk.run.window, run.window)
    assert not [choice for choice in game.choices if choice.differs]


def test_a_game_of_the_shipped_baseline_is_its_run_too() -> None:
    game = new_game(load_scenario("baseline"), first_month="2010-10", quarters=3, partnership="sutton", replicate=2)
    for _ in steps(game):
        pass
    np.testing.assert_array_equal(game.course.desk.run.window, straight(game, replicate=2).window)


class DoesEverything(ResponsibleAuthority):
    def table(self, intentions: Choices) -> Choices:
        return dict.fromkeys(intentions, True)

    def challenge(self, intentions: Choices) -> Choices:
        return dict.fromkeys(intentions, True)

    def evaluate(self, intentions: Choices) -> Choices:
        return dict.fromkeys(intentions, True)


class DoesNothing(ResponsibleAuthority):
    def table(self, intentions: Choices) -> Choices:
        return dict.fromkeys(intentions, False)

    def challenge(self, intentions: Choices) -> Choices:
        return dict.fromkeys(intentions, False)

    def pledge(self, hours: float) -> float:
        return 0

    def evaluate(self, intentions: Choices) -> Choices:
        return dict.fromkeys(intentions, False)


@pytest.mark.parametrize(("kind", "answer"), [(DoesEverything, everything), (DoesNothing, nothing)])
def test_people_and_mesa_agents_who_decide_alike_get_the_same_run(tiny: Scenario, kind: type[ResponsibleAuthority], answer: Answer) -> None:
    """All quarters of the game are played, and the run is cut off where the game ends: both decide to the last month."""
    game = new_game(tiny, seed=2, partnership="outer", quarters=6)
    model = PartnershipModel(game.scenario, seed=2, agents={"outer/police": kind, "outer/health": kind})
    play(game, answer, ("police", "health"))
    last = game.course.bounds[-1]
    while model.run.month < last:
        model.step()
    again = new_game(tiny, seed=2, partnership="outer", quarters=6)
    for choice in game.choices:
        assert choice.authority in ("police", "health")
    for quarter in range(6):
        again.course.play(quarter, game.choices)
    assert again.course.month == last
    np.testing.assert_array_equal(again.course.desk.run.window, model.run.window)
    for name in ("belief", "trust", "units", "units_next", "dose", "balance", "true_crimes"):
        np.testing.assert_array_equal(getattr(again.course.desk.run.state, name), getattr(model.run.state, name), err_msg=name)
    assert {choice.point for choice in game.choices if choice.differs} == (
        {"table", "challenge", "evaluate"} if kind is DoesEverything else {"table", "challenge", "pledge"}
    )


def test_the_same_choices_seed_and_incidents_make_the_same_game(tiny: Scenario) -> None:
    games = [new_game(tiny, seed=7) for _ in range(2)]
    for game in games:
        for position in steps(game):
            if position == (1, TABLING):
                game.inject(Incident("grant_cut", share=0.4))
            for name in ("police", "health"):
                game.hand_in(name, game.read(name, everything(game.cards[name])))
    assert games[0].minutes == games[1].minutes
    np.testing.assert_array_equal(games[0].course.desk.run.state.numbers, games[1].course.desk.run.state.numbers)
    other = new_game(tiny, seed=8)
    play(other, everything, ("police", "health"))
    assert other.minutes != games[0].minutes


# ------------------------------------------------------------------------------------------------------------- the cards


def test_looking_at_cards_changes_nothing(tiny: Scenario) -> None:
    game = new_game(tiny)
    before = game.course.moment()
    for step in (TABLING, ANSWERING):
        StepCards(game.course, 0, step, [])
    after = game.course.moment()
    np.testing.assert_array_equal(before.numbers, after.numbers)
    np.testing.assert_array_equal(before.window, after.window)
    assert (before.month, game.course.witness.events) == (after.month, new_game(tiny).course.witness.events)  # type: ignore[union-attr]


def test_suggestions_are_what_the_computer_then_does(tiny: Scenario) -> None:
    game = new_game(tiny, quarters=6)
    titles = {name: entry.title for name, entry in tiny.data.interventions.items()}
    suggested: dict[tuple[int, str], set[Any]] = {}
    for quarter, _ in steps(game):
        for card in game.cards.values():
            suggested.setdefault((quarter, "table"), set()).update(item.title for item in card.table if item.suggested)
            suggested.setdefault((quarter, "challenge"), set()).update((card.title, i.title) for i in card.challenge if i.suggested)
            suggested.setdefault((quarter, "evaluate"), set()).update(item.title for item in card.evaluate if item.suggested)
    assert {item for (_, point), found in suggested.items() if point == "table" for item in found} == set(titles.values())
    for minutes in game.minutes:
        q = minutes.quarter
        assert {item.title for item in minutes.tabled} == suggested[q, "table"]
        assert {(made.challenger, made.title) for made in minutes.challenged} == suggested[q, "challenge"]
        assert {made.title for made in minutes.evaluated} <= suggested[q, "evaluate"]
    assert any(suggested[q, "challenge"] for q in range(6))


def test_the_second_card_shows_the_table_after_the_first(tiny: Scenario) -> None:
    game = new_game(tiny)
    for name in game.cards:
        game.hand_in(name, game.read(name, {"table": ["cctv"] if name == "health" else []}))
    game.advance()
    assert [(item.intervention, item.sponsor) for item in game.at_hand.proposals] == [("cctv", "health")]
    assert {name: [item.intervention for item in card.challenge] for name, card in game.cards.items()} == {
        "police": ["cctv"],
        "local_authority": ["cctv"],
        "health": [],
    }
    card = game.cards["police"].challenge[0]
    assert card.sponsor == "Health"
    assert card.doubt == pytest.approx((card.claim - card.belief) / card.uncertainty)
    assert card.trust == game.course.desk.players["police"].trust_in("health")
    game.advance()
    assert [item.title for item in game.minutes[0].tabled] == ["Cctv"]


def test_every_choice_reaches_the_run(tiny: Scenario) -> None:
    """One quarter in which police does the opposite of what is suggested; its own row shows it, month by month."""
    game = new_game(tiny, quarters=1, first_month="2011-10")
    tabled = {item.intervention: not item.suggested for item in game.cards["police"].table}
    game.hand_in("police", game.read("police", {"table": [name for name, yes in tabled.items() if yes]}))
    game.advance()
    card = game.cards["police"]
    challenged = {item.intervention: not item.suggested for item in card.challenge}
    evaluated = {item.intervention: not item.suggested for item in card.evaluate}
    assert challenged
    assert evaluated
    raw = {
        "challenge": {n: "" for n, yes in challenged.items() if yes},
        "hours": 7.5,
        "evaluate": [n for n, yes in evaluated.items() if yes],
    }
    choices = [*game.choices, *game.read("police", raw)]
    seen: list[tuple[int, str]] = []
    course, p = new_game(tiny, quarters=1, first_month="2011-10").course, 0
    for _ in range(3):
        month = course.month

        def look(point: str, month: int = month) -> None:
            """Just before the next stage: what has been written by then."""
            seen.append((month, point))

        course.desk.advance(choices, lambda point, desk: look(point), None)
        state = course.desk.run.state
        if len(seen) == 4:
            assert {n: bool(state.tabled[p, 0, course.desk.model.index_of(n)]) for n in tabled} == tabled
            assert {n: bool(state.challenges[p, 0, course.desk.model.index_of(n)]) for n in challenged} == challenged
        assert state.pledged[p, 0] <= 7.5  # what nobody needs is scaled down
        assert state.authority_tallies[p, 0, AuthorityTally.DELIVERY_HOURS] <= 7.5
    assert {n: bool(state.evaluates[p, 0, course.desk.model.index_of(n)]) for n in evaluated} == evaluated
    assert len(seen) == 12


def test_the_co_ordinator_is_not_asked_for_hours(tiny: Scenario) -> None:
    game = new_game(tiny)
    game.advance()
    assert game.cards["local_authority"].hours is None
    assert game.cards["police"].hours is not None
    assert game.cards["police"].hours.available == game.course.desk.players["police"].available_hours
    with pytest.raises(Refused, match="it does what nobody pledged"):
        game.read("local_authority", {"hours": 3.0})


def test_without_money_there_is_nothing_to_table(tiny: Scenario) -> None:
    poor = tiny.with_changes({"levers.grant.multiplier": 0.0})
    game = new_game(poor, first_month="2011-07")
    assert (game.quarter, game.step) == (0, ANSWERING)
    assert all(not card.challenge for card in game.cards.values())
    assert game.waiting(["police", "local_authority"]) == ["police"]  # the co-ordinator has nothing to decide
    assert not new_game(poor, first_month="2011-07").cards["local_authority"].table


def test_a_card_says_what_an_item_is(tiny: Scenario) -> None:
    card = new_game(tiny).cards["police"]
    assert {item.intervention: (item.yours, item.lead, item.aims) for item in card.table} == {
        "hot_spots": (True, "Police", ("Burglary", "Violence")),
        "cctv": (False, "Local authority", ("Burglary",)),
        "injury_data": (False, "Health", ("Violence",)),
    }
    assert {(round(item.cost), round(item.hours), item.most_units) for item in card.table} == {(60_000, 400, 3)}


def test_what_nobody_can_lead_or_has_no_room_for_is_not_offered(tiny: Scenario) -> None:
    leaves = tiny.with_changes({"authorities.health.until": "2011-01", "interventions.hot_spots.most_units": 1})
    game = new_game(leaves, first_month="2010-10")
    offered = {}
    for quarter, step in steps(game):
        if step == TABLING:
            offered[quarter] = [item.intervention for item in game.cards["police"].table]
            running = {project.intervention: project.units for project in game.at_hand.table.projects}
            assert ("hot_spots" in offered[quarter]) == (game.month.month == 1 or not running.get("hot_spots"))
            assert game.cards["health"].empty == (quarter >= 1)
    assert "injury_data" in offered[0]
    assert not [quarter for quarter, names in offered.items() if quarter >= 1 and "injury_data" in names]


def test_offered_for_evaluation_is_what_may_be_evaluated(tiny: Scenario) -> None:
    slow = tiny.with_changes({"uncertainties.evaluation_after_months": 12, "levers.grant.multiplier": 2.0})
    game = new_game(slow, first_month="2010-10", quarters=12)
    young = old = 0
    for _, step in steps(game):
        if step == ANSWERING and game.month.month == 10:
            offered = {item.intervention for item in game.cards["police"].evaluate}
            running = {project.intervention for project in game.at_hand.table.projects}
            course, may = new_game(slow, first_month="2010-10", quarters=12).course, set()
            for quarter in range(game.quarter):
                course.play(quarter, game.choices)

            def look(point: str, desk: Desk, may: set[str] = may) -> None:
                if point == "evaluate":
                    run, p = desk.run, desk.partnership.row
                    names = enumerate(desk.model.interventions)
                    may.update(name for i, name in names if may_evaluate(run._world, run._state, p, i, run.month))

            course.rehearse(game.quarter, [choice for choice in game.choices if choice.quarter == game.quarter], look)
            assert offered == may & running
            young, old = young + len(running - may), old + len(offered)
        for name in game.cards:  # a year in which nothing is adopted, so that what is adopted afterwards is young
            answer = nothing if game.month < date(2011, 7, 1) else everything
            game.hand_in(name, game.read(name, answer(game.cards[name])))
    assert young > 0 < old


def test_published_findings_are_known_only_where_they_came_up(tiny: Scenario) -> None:
    game, known = new_game(tiny, quarters=8, seed=3), set()
    for _ in steps(game):
        state = game.course.desk.run.state
        for i, one in enumerate(game.at_hand.briefings["police"].knows):
            assert one.heard == state.signal[0, 0, i]
            assert one.published in (None, state.evidence[i])
            known.add(one.published is None)
        for name in game.cards:
            game.hand_in(name, game.read(name, everything(game.cards[name])))
    assert known == {True, False}


def test_an_authority_that_does_not_sit_has_an_empty_card() -> None:
    game = new_game(load_scenario("baseline"), first_month="2012-01", quarters=1)
    assert game.cards["police_authority"].empty
    assert not game.at_hand.briefings["police_authority"].sits
    assert "Metropolitan Police Authority" not in game.at_hand.table.members
    assert not game.cards["police"].empty


def test_a_briefing_holds_nothing_that_only_others_know(tiny: Scenario) -> None:
    """Change everything private to the others, and what police is told stays as it was."""
    game = new_game(tiny, first_month="2011-10")
    state, p = game.course.desk.run.state, game.course.desk.partnership.row
    told = StepCards(game.course, 0, TABLING, [])
    rng = np.random.default_rng(1)
    for array in (state.belief, state.belief_variance, state.signal, state.trust, state.traits, state.suppressed, state.load):
        array[p, 1:] = rng.random(array[p, 1:].shape)
    state.signal_known[p, 1:] = 1
    again = StepCards(game.course, 0, TABLING, [])
    assert again.briefings["police"] == told.briefings["police"]
    assert again.cards["police"] == told.cards["police"]
    assert again.briefings["health"] != told.briefings["health"]
    assert again.cards["health"] != told.cards["health"]


def test_a_briefing_tells_no_truth(tiny: Scenario) -> None:
    """A world with other true effects, but the same beliefs, looks the same from every seat."""
    game = new_game(tiny, first_month="2011-10")
    told = [StepCards(game.course, 0, step, []) for step in (TABLING, ANSWERING)]
    game.course.desk.run.world.effect[:] += 0.2
    again = [StepCards(game.course, 0, step, []) for step in (TABLING, ANSWERING)]
    assert again[0].table.recorded != told[0].table.recorded  # except for the crime of the month, which everybody sees
    for now, before in zip(again, told, strict=True):
        assert {name: one._replace(cares=()) for name, one in now.briefings.items()} == {
            name: one._replace(cares=()) for name, one in before.briefings.items()
        }
    assert [item.belief for item in again[0].cards["police"].table] == [item.belief for item in told[0].cards["police"].table]


# ------------------------------------------------------------------------------------------------- answers from a browser

CARD_1 = AuthorityCard(2, 1, None, "police", "Police", 9.0, table=(  # type: ignore[arg-type] # no date is needed
    ToTable("cctv", "CCTV", True, 0.1, 0.1, 1.0, 1.0, 0, 2, "Council", False, ()),
    ToTable("hot_spots", "Hot spots", False, 0.1, 0.1, 1.0, 1.0, 0, 2, "Police", True, ()),
))  # fmt: skip
CARD_2 = AuthorityCard(2, 2, None, "police", "Police",  # type: ignore[arg-type] # no date is needed
    challenge=(
        ToChallenge("cctv", "CCTV", True, "Council", 0.2, 0.1, 0.1, 1.0, 0.5),
        ToChallenge("injury", "Injury", False, "Health", 0.2, 0.1, 0.1, 1.0, 0.5),
    ),
    hours=ToPledge(10.0, 30.0, 30.0),
    evaluate=(ToEvaluate("cctv", "CCTV", False, 0.1, 0.1, "Council", False),),
)  # fmt: skip


def test_only_what_differs_is_a_choice() -> None:
    assert read_choices(CARD_1, {}) == read_choices(CARD_1, {"table": ["cctv"]}) == ()
    assert read_choices(CARD_1, {"table": ["hot_spots"]}) == (
        Choice(2, "table", "police", "cctv", 0.0, 1.0),
        Choice(2, "table", "police", "hot_spots", 1.0, 0.0),
    )
    assert read_choices(CARD_2, {"challenge": {"cctv": ""}, "hours": 10.04, "evaluate": []}) == ()
    assert read_choices(CARD_2, {"hours": 0}) == (Choice(2, "pledge", "police", "", 0.0, 10.0),)
    assert read_choices(CARD_2, {"hours": None, "evaluate": ["cctv"]}) == (Choice(2, "evaluate", "police", "cctv", 1.0, 0.0),)


def test_reasons_are_kept_as_plain_text_also_for_what_was_suggested() -> None:
    given = {"cctv": "evidence", "injury": "  <b>why</b>\n\x00\u202e now "}
    kept = read_choices(CARD_2, {"challenge": given})
    assert [(choice.item, choice.differs, choice.reason) for choice in kept] == [
        ("cctv", False, REASONS["evidence"]),
        ("injury", True, "<b>why</b> now"),
    ]
    with pytest.raises(Refused, match=f"{LONGEST_REASON} characters"):
        read_choices(CARD_2, {"challenge": {"cctv": "x" * (LONGEST_REASON + 1)}})


@pytest.mark.parametrize(
    ("card", "raw", "message"),
    [
        (CARD_1, [], "a table of choices"),
        (CARD_1, {"hours": 3}, 'asks for table, not for "hours"'),
        (CARD_2, {"table": []}, 'not for "table"'),
        (CARD_1, {"table": "cctv"}, "choose from the 2 items"),
        (CARD_1, {"table": ["cctv", "cctv", "cctv"]}, "at most once"),
        (CARD_1, {"table": ["hotspots"]}, 'did you mean "hot_spots"'),
        (CARD_1, {"table": [3]}, '"int" is not on the card'),
        (CARD_2, {"challenge": ["cctv"]}, "a table from item to reason"),
        (CARD_2, {"challenge": {"cctv": None}}, "a reason is text"),
        (CARD_2, {"challenge": {"hot_spots": ""}}, "not on the card"),
        (CARD_2, {"hours": -1}, "a number from 0 to 30"),
        (CARD_2, {"hours": 30.1}, "a number from 0 to 30"),
        (CARD_2, {"hours": float("nan")}, "a number from 0 to 30"),
        (CARD_2, {"hours": 10**400}, "a number from 0 to 30"),
        (CARD_2, {"hours": True}, "a number from 0 to 30"),
        (CARD_2, {"hours": "12"}, "a number from 0 to 30"),
    ],
)
def test_an_answer_that_cannot_be_is_refused_in_words(card: AuthorityCard, raw: Any, message: str) -> None:
    with pytest.raises(Refused, match=message):
        read_choices(card, raw)


JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=30)
    | st.sampled_from(["cctv", "injury", "hot_spots", "evidence"]),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["cctv", "injury", "", "x"]) | st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(
    card=st.sampled_from([CARD_1, CARD_2]),
    raw=st.dictionaries(st.sampled_from(["table", "challenge", "hours", "evaluate"]), JUNK, max_size=4) | JUNK,
)
def test_whatever_is_sent_is_refused_or_lies_on_the_card(card: AuthorityCard, raw: Any) -> None:
    try:
        choices = read_choices(card, raw)
    except Refused:
        return
    offered = {"table": card.table, "challenge": card.challenge, "evaluate": card.evaluate}
    for choice in choices:
        assert (choice.quarter, choice.authority) == (2, "police")
        if choice.point == "pledge":
            assert card.hours is not None
            assert 0 <= choice.value <= card.hours.most
        else:
            assert choice.item in [item.intervention for item in offered[choice.point]]
            assert choice.value in (0.0, 1.0)
        assert choice.reason.isprintable()
        assert len(choice.reason) <= LONGEST_REASON
    assert len({(choice.point, choice.item) for choice in choices}) == len(choices)


# -------------------------------------------------------------------------------------------------------------- incidents


def worlds_before_and_after(game: Game, raw: Mapping[str, Any]) -> tuple[Any, Any, int]:
    """The world before an incident and after it, and the first month after the meeting."""
    before = build_world(game.stages[-1].scenario.data)
    game.inject(read_incident(raw, game.scenario))
    return before, build_world(game.stages[-1].scenario.data), game.course.bounds[game.quarter] + 1


PATHS = (
    "direct_grant",
    "pot",
    "exogenous",
    "rest_recorded",
    "recording_path",
    "reorganised",
    "hours",
    "match_funds",
    "member",
    "strength",
    "returns_hours",
)


@pytest.mark.parametrize(
    "raw",
    [
        {"kind": "grant_cut", "share": 0.3},
        {"kind": "reorganisation", "authority": "health"},
        {"kind": "serious_incident", "crime_type": "burglary", "share": 0.5, "months": 4},
    ],
    ids=lambda raw: raw["kind"],
)
def test_an_incident_leaves_the_past_as_it_was(tiny: Scenario, raw: Mapping[str, Any]) -> None:
    game = new_game(tiny)
    for position in steps(game):
        if position == (2, ANSWERING):
            break
    state, cards = game.course.moment(), game.cards
    before, after, first = worlds_before_and_after(game, raw)
    for name in PATHS:
        np.testing.assert_array_equal(getattr(before, name)[..., :first], getattr(after, name)[..., :first], err_msg=name)
    for name in before.levers._fields:
        np.testing.assert_array_equal(getattr(before.levers, name)[:first], getattr(after.levers, name)[:first], err_msg=name)
    assert any(not np.array_equal(getattr(before, name), getattr(after, name)) for name in PATHS)
    np.testing.assert_array_equal(game.course.moment().numbers, state.numbers)
    assert {name: (card.challenge, card.hours) for name, card in game.cards.items()} == {
        name: (card.challenge, card.hours) for name, card in cards.items()
    }


def test_a_grant_cut_is_felt_from_april(tiny: Scenario) -> None:
    game = new_game(tiny, quarters=8, first_month="2010-07")
    before, after, _ = worlds_before_and_after(game, {"kind": "grant_cut", "share": 0.25})
    april = game.course.bounds[0] + 9
    np.testing.assert_array_equal(after.direct_grant[:april], before.direct_grant[:april])
    np.testing.assert_allclose(after.direct_grant[april:], 0.75 * before.direct_grant[april:])
    np.testing.assert_allclose(after.pot[april:], 0.75 * before.pot[april:])
    assert game.happened[0].sentence == "The Home Office cuts every grant by 25% from April 2011."
    grants = {}
    for cut in (game, new_game(tiny, quarters=8, first_month="2010-07")):
        for _ in steps(cut):
            pass
        grants[cut] = [sentence for minutes in cut.minutes for sentence in minutes.also if "the grant for the year" in sentence]
    assert [with_cut == without for with_cut, without in zip(*grants.values(), strict=True)] == [False, False]


def test_a_cut_announced_after_the_january_meeting_is_not_known_at_it(tiny: Scenario) -> None:
    game = new_game(tiny, first_month="2011-01", quarters=5)
    free = game.cards["police"].free_money
    game.inject(Incident("grant_cut", share=0.5))
    for name in ("police", "health"):
        game.hand_in(name, game.read(name, {}))
    game.undo(0)
    assert game.cards["police"].free_money == free
    game.inject(Incident("grant_cut", share=0.5))
    game.advance()
    assert game.at_hand.table.free_money == free
    unwarned, warned = new_game(tiny, first_month="2010-10"), new_game(tiny, first_month="2010-10")
    warned.inject(Incident("grant_cut", share=0.5))
    for both in (unwarned, warned):
        both.advance()
        both.advance()
    assert 0 < warned.cards["police"].free_money < unwarned.cards["police"].free_money


def test_a_serious_incident_raises_one_crime_for_its_months_and_keeps_the_luck(tiny: Scenario) -> None:
    games = [new_game(tiny, quarters=4), new_game(tiny, quarters=4)]
    games[0].inject(Incident("serious_incident", share=1.0, crime_type="burglary", months=2))
    twins: list[list[np.ndarray]] = []
    for game in games:
        twins.append([])
        while game.course.month < game.course.bounds[-1]:
            game.course._step((), None, None)
            twins[-1].append(game.course.desk.run.state.twin_crimes.copy())
    for month, (hit, usual) in enumerate(zip(*twins, strict=True)):
        np.testing.assert_array_equal(hit[:, 1], usual[:, 1])  # violence: the same luck
        if month in (1, 2):
            assert (hit[:, 0] > 1.6 * usual[:, 0]).all()
        else:
            np.testing.assert_array_equal(hit[:, 0], usual[:, 0])


def test_a_reorganisation_replaces_whoever_sits(tiny: Scenario) -> None:
    game = new_game(tiny, quarters=2)
    game.inject(Incident("reorganisation", authority="health"))
    generations = game.course.desk.run.state.generation[0].copy()
    game.advance()
    game.advance()
    assert "May 2010: Health was reorganised." in game.minutes[0].also
    assert "May 2010: somebody new sits for Health." in game.minutes[0].also
    assert game.course.desk.run.state.generation[0, 2] > generations[2]


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (None, "an incident is one of grant_cut"),
        ({"kind": "flood"}, "an incident is one of"),
        ({"kind": ["grant_cut"]}, "an incident is one of"),
        ({"kind": "grant_cut"}, "a grant cut needs share"),
        ({"kind": "grant_cut", "share": 0.3, "path": "/etc"}, "and nothing else"),
        ({"kind": "grant_cut", "share": 0}, "above 0 and up to 0.9"),
        ({"kind": "grant_cut", "share": float("nan")}, "above 0 and up to 0.9"),
        ({"kind": "grant_cut", "share": True}, "above 0 and up to 0.9"),
        ({"kind": "reorganisation", "authority": "fire"}, '"fire" is not one of police'),
        ({"kind": "reorganisation", "authority": 3}, "is not one of police"),
        ({"kind": "serious_incident", "crime_type": "burglary", "share": 0.2, "months": 2.5}, "whole number of months"),
    ],
)
def test_an_incident_that_cannot_be_is_refused(tiny: Scenario, raw: Any, message: str) -> None:
    with pytest.raises(Refused, match=message):
        read_incident(raw, tiny)


def test_too_late_for_a_cut(tiny: Scenario) -> None:
    game = new_game(tiny, first_month="2014-01", quarters=1)
    with pytest.raises(Refused, match="too late"):
        game.inject(Incident("grant_cut", share=0.3))
    assert game.happened == []
    game.inject(Incident("reorganisation", authority="police"))


# ---------------------------------------------------------------------------------------------------- undo, end, settings


def test_undo_and_the_same_again_is_the_same(tiny: Scenario) -> None:
    game, straight_on = new_game(tiny), new_game(tiny)
    play(straight_on, everything, ("police",))
    for position in steps(game):
        if position == (3, ANSWERING):
            break
        game.hand_in("police", game.read("police", nothing(game.cards["police"])))
    game.inject(Incident("reorganisation", authority="police"))
    game.undo(0)
    assert (game.quarter, game.step, game.minutes, game.choices, game.happened, game.handed_in) == (0, TABLING, [], [], [], {})
    assert game.cards == new_game(tiny).cards
    play(game, everything, ("police",))
    assert game.minutes == straight_on.minutes


def test_undo_keeps_what_lies_before(tiny: Scenario) -> None:
    game = new_game(tiny)
    kept: dict[int, tuple[Any, ...]] = {}
    for quarter, step in steps(game):
        if step == TABLING:
            kept[quarter] = (game.cards, list(game.minutes), len(game.choices), list(game.happened))
        if (quarter, step) == (1, ANSWERING):
            game.inject(Incident("serious_incident", share=0.5, crime_type="violence", months=3))
        game.hand_in("health", game.read("health", everything(game.cards["health"])))
    for quarter in (4, 2, 1):
        game.undo(quarter)
        assert (game.cards, game.minutes, len(game.choices), game.happened) == kept[quarter]
        assert not game.over
    for wrong in (-1, 2):
        with pytest.raises(Refused, match="the game can go back to quarters 1 to 2"):
            game.undo(wrong)


def test_end_counts_the_quarter_under_way_only_if_somebody_decided(tiny: Scenario) -> None:
    idle, busy = new_game(tiny), new_game(tiny)
    for game in (idle, busy):
        game.advance()
        game.advance()
    decided = busy.read("police", nothing(busy.cards["police"]))
    busy.hand_in("police", decided)
    for game, quarters in ((idle, 1), (busy, 2)):
        game.end()
        assert (game.over, game.quarter, len(game.minutes), game.cards) == (True, quarters, quarters, {})
        assert game.course.desk.run.finished
        with pytest.raises(Refused, match="the game is over"):
            game.advance()
    assert busy.choices == list(decided) != []
    idle.undo(1)
    assert (idle.over, idle.quarter, idle.step) == (False, 1, TABLING)


def test_a_card_is_handed_in_once(tiny: Scenario) -> None:
    game = new_game(tiny)
    game.hand_in("police", game.read("police", {"table": []}))
    with pytest.raises(Refused, match="handed in already"):
        game.read("police", {"table": []})
    game.take_back("police")
    game.hand_in("police", game.read("police", {}))
    with pytest.raises(Refused, match="no card to take back"):
        game.take_back("health")
    with pytest.raises(Refused, match="no such authority"):
        game.read("fire", {})


def test_minutes_give_reasons_but_no_private_views(tiny: Scenario) -> None:
    game = new_game(tiny, quarters=1)
    game.advance()
    item = game.cards["police"].challenge[0]
    game.hand_in("police", game.read("police", {"challenge": {item.intervention: "We tried that in 2003"}}))
    other = next(item for item in game.cards["health"].challenge)
    game.hand_in("health", game.read("health", {"challenge": {other.intervention: ""}}))
    game.advance()
    said = {(made.challenger, made.title): made.reason for made in game.minutes[0].challenged}
    assert said["Police", item.title] == "We tried that in 2003"
    assert said["Health", other.title] == ("no reason given" if not other.suggested else "it doubts the claim")
    assert f"{game.at_hand.briefings['police'].knows[0].belief}" not in str(game.minutes)


def test_what_can_be_chosen_for_a_game(tiny: Scenario) -> None:
    options = options_for(tiny)
    assert options.partnerships == {"inner": "Inner borough", "outer": "Outer borough"}
    assert (len(options.first_months), options.first_months["2010-04"], options.first_months["2014-01"]) == (16, 16, 1)
    for first_month, quarters in options.first_months.items():
        cut = game_scenario(tiny, Settings("tiny", "inner", first_month, quarters)).data.time
        assert (cut.window_from, cut.last_month, cut.known_to) == (first_month, "2014-03", "2014-03")
    for quarters, last in ((1, "2012-03"), (2, "2012-03"), (3, "2013-03"), (9, "2014-03")):
        assert game_scenario(tiny, Settings("tiny", "inner", "2010-10", quarters)).data.time.last_month == last


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ({"partnership": "camden"}, "no partnership"),
        ({"first_month": "2010-05"}, "cannot begin in"),
        ({"first_month": None}, "cannot begin in"),
        ({"quarters": 0}, "whole number from 1 to 16"),
        ({"quarters": True}, "whole number"),
        ({"first_month": "2014-01", "quarters": 2}, "from 1 to 1"),
        ({"seed": -1}, "seed: expected"),
        ({"replicate": 2**64}, "replicate: expected"),
        ({"automatic": "yes"}, "true or false"),
        ({"per_seat": 5}, "from 1 to 4"),
        ({"token": "x"}, 'no setting "token"'),
    ],
)
def test_settings_that_cannot_be_are_refused(tiny: Scenario, raw: Mapping[str, Any], message: str) -> None:
    with pytest.raises(Refused, match=message):
        checked(raw, tiny)
