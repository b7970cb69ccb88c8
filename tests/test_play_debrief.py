"""The debrief: against the computer, one decision at a time, other luck, belief against truth; each reckoned another way, too."""

from typing import Any

import numpy as np
import pytest
from worlds import write_tiny_world

from cspsim.mesa_model.agents import ResponsibleAuthority
from cspsim.mesa_model.partnership_model import PartnershipModel
from cspsim.running.outcomes import OUTCOMES
from cspsim.running.simulation import simulate
from cspsim.scenario.scenario import Scenario, load_scenario
from cspsim.web.play.debrief import SHOWN, TRIED_ELSEWHERE, Debrief, debrief
from cspsim.web.play.game import Game
from cspsim.web.play.incidents import Incident
from cspsim.web.play.replays import Replays
from cspsim.web.play.settings import checked


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    return load_scenario(write_tiny_world(tmp_path_factory.mktemp("debrief")))


def new_game(scenario: Scenario, **raw: Any) -> Game:
    return Game(scenario, checked({"quarters": 4, **raw}, scenario))


def played(game: Game, answers: dict[tuple[int, int, str], Any], incident: Incident | None = None) -> Game:
    """Answers by quarter, step and authority; an incident in the second quarter."""
    while not game.over:
        if incident is not None and (game.quarter, game.step) == (1, 1):
            game.inject(incident)
        for (quarter, step, name), raw in answers.items():
            if (quarter, step) == (game.quarter, game.step):
                game.hand_in(name, game.read(name, raw))
        game.advance()
    return game


def value(found: Debrief, outcome: str) -> tuple[float, float, float]:
    entry = next(entry for entry in found.outcomes if entry.outcome == outcome)
    return entry.people, entry.computer, entry.difference


def simulated(game: Game, replicate: int = 0) -> dict[str, float]:
    """Outcomes of the played table when nobody plays, as a sweep gives them."""
    runs = simulate(game.stages[-1].scenario, replicates=1, seed=game.settings.seed, first_replicate=replicate).runs.set_index(
        "partnership"
    )
    return {name: float(runs.loc[game.settings.partnership, name]) for name in OUTCOMES}


ANSWERS = {
    (0, 1, "police"): {"table": []},
    (0, 2, "health"): {"challenge": {"cctv": "", "injury_data": "", "hot_spots": ""}},
    (1, 1, "health"): {"table": ["hot_spots", "cctv", "injury_data"]},
    (1, 2, "police"): {"hours": 0},
    (2, 2, "local_authority"): {"evaluate": ["hot_spots", "injury_data"]},
    (3, 1, "local_authority"): {"table": []},
}


def possible(game: Game, answers: dict[tuple[int, int, str], Any]) -> Game:
    """Play answers, leaving out items that turn out not to be on the card."""
    while not game.over:
        for (quarter, step, name), raw in answers.items():
            if (quarter, step) == (game.quarter, game.step):
                card = game.cards[name]
                on_card = {item.intervention for part in (card.table, card.challenge, card.evaluate) for item in part}
                fits = {
                    part: {k: v for k, v in given.items() if k in on_card}
                    if isinstance(given, dict)
                    else [k for k in given if k in on_card]
                    if isinstance(given, list)
                    else given
                    for part, given in raw.items()
                }
                game.hand_in(name, game.read(name, fits))
        game.advance()
    return game


def test_nobody_who_decided_did_what_the_computer_does(tiny: Scenario) -> None:
    game = played(new_game(tiny, seed=3), {})
    found = debrief(game)
    expected = simulated(game)
    assert [entry.outcome for entry in found.outcomes] == ["cost_of_crime", *SHOWN]
    for entry in found.outcomes:
        assert entry.people == entry.computer == pytest.approx(expected[entry.outcome], nan_ok=True)
        assert entry.difference == 0
    assert (found.decisions, found.seats, found.luck) == ((), (), None)
    assert (found.first_month, found.last_month) == ("2010-04", "2012-03")


class TablesNothingAtFirst(ResponsibleAuthority):
    def table(self, intentions: dict[str, bool]) -> dict[str, bool]:
        return dict.fromkeys(intentions, False) if str(self.model.date) == "2010-10-01" else intentions


def test_a_card_against_the_computer_is_an_agent_against_a_simulation(tiny: Scenario) -> None:
    """The same decision made by a Mesa agent, the computer's arm by ``simulate``."""
    answers = {(0, 1, name): {"table": []} for name in ("police", "health", "local_authority")}
    game = played(new_game(tiny, seed=5, first_month="2010-10"), answers)
    found = debrief(game, others=2)
    model = PartnershipModel(game.scenario, seed=5, agents={f"inner/{name}": TablesNothingAtFirst for _, _, name in answers})
    model.run_model()
    by_agents = model.outcomes.set_index("partnership").loc["inner"]
    by_computer = simulated(game)
    for name in ("cost_of_crime", "true_benefit", "mean_trust", "believed_over_true"):
        assert value(found, name)[:2] == pytest.approx((by_agents[name], by_computer[name]), rel=1e-12)
    assert value(found, "mean_trust")[2] != 0
    assert {decision.authority for decision in found.decisions} == {"police", "health", "local_authority"}


def test_one_decision_alone_is_the_whole_difference(tiny: Scenario) -> None:
    game = new_game(tiny, seed=2)
    suggested = [item.intervention for item in game.cards["police"].table if item.suggested]
    game = played(game, {(0, 1, "police"): {"table": suggested[1:]}})
    found = debrief(game, others=3)
    assert len(found.decisions) == len(found.seats) == 1
    assert "April 2010: Police did not put" in found.decisions[0].sentence
    for outcome in ("cost_of_crime", "mean_trust", "believed_over_true"):
        assert found.decisions[0].differences[outcome] == found.seats[0].differences[outcome] == value(found, outcome)[2]
    assert found.luck is not None
    assert found.decisions[0].others == found.luck.others


def test_each_decision_is_the_game_less_the_game_without_it(tiny: Scenario) -> None:
    game = possible(new_game(tiny, seed=6), ANSWERS)
    found = debrief(game, others=1)
    assert {choice.point for choice in game.choices} == {"table", "challenge", "pledge", "evaluate"}
    assert len(found.decisions) == len(game.choices)
    place = list(OUTCOMES).index("cost_of_crime")
    for choice in game.choices:
        fresh = new_game(tiny, seed=6).course  # from the very start, not from a moment kept
        for quarter in range(4):
            fresh.play(quarter, [other for other in game.choices if other != choice])
        fresh.finish()
        whole, without = game.course.desk.run.outcomes()[0][place], fresh.desk.run.outcomes()[0][place]
        told = [one for one in found.decisions if one.authority == choice.authority and one.quarter == choice.quarter]
        assert any(one.differences["cost_of_crime"] == pytest.approx(whole - without, abs=1e-6) for one in told)
    sizes = [abs(one.differences["cost_of_crime"]) for one in found.decisions]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > 0
    assert {one.authority for one in found.seats} == {"police", "health", "local_authority"}
    assert sum(bool(one.others) for one in found.decisions) == min(TRIED_ELSEWHERE, len(found.decisions))


def test_where_nothing_works_no_decision_matters_to_crime(tiny: Scenario) -> None:
    null = tiny.with_changes({"switches.effects": False})
    found = debrief(possible(new_game(null, seed=6), ANSWERS), others=2)
    assert {one.differences["cost_of_crime"] for one in found.decisions} == {0.0}
    assert value(found, "cost_of_crime")[2] == 0
    assert value(found, "mean_trust")[2] != 0
    assert {line.truth for line in found.beliefs} == {0.0}
    assert found.luck is not None
    assert found.luck[2:] == ((0.0, 0.0), 0.0, 0.0)


def test_incidents_happen_to_the_computer_too(tiny: Scenario) -> None:
    cut = Incident("grant_cut", share=0.8)
    game = played(new_game(tiny, seed=4), {(0, 1, "police"): {"table": []}}, cut)
    found = debrief(game, others=1)
    with_cut, without = (played(new_game(tiny, seed=4), {}, incident).course.desk.run.outcomes()[0] for incident in (cut, None))
    place = list(OUTCOMES).index("mean_trust")
    assert value(found, "mean_trust")[1] == with_cut[place] != without[place]


def test_other_luck_is_the_same_decisions_in_other_replicates(tiny: Scenario) -> None:
    game = possible(new_game(tiny, seed=6), ANSWERS)
    found = debrief(game, others=6)
    assert found.luck is not None
    place = list(OUTCOMES).index("cost_of_crime")
    for k in (1, 3):
        course = new_game(tiny, seed=6, replicate=k).course
        for quarter in range(4):
            course.play(quarter, game.choices)
        course.finish()
        expected = course.desk.run.outcomes()[0][place] - simulated(game, replicate=k)["cost_of_crime"]
        assert found.luck.others[k - 1] == pytest.approx(expected, abs=1e-6)
    assert found.luck.helped_share == pytest.approx(np.mean([difference < 0 for difference in found.luck.others]))
    assert found.luck.hurt_share == pytest.approx(np.mean([difference > 0 for difference in found.luck.others]))
    assert len(set(found.luck.others)) > 1


def test_beliefs_are_told_against_the_truth(tiny: Scenario) -> None:
    surer = tiny.with_changes({"uncertainties.effect_scale": 1.5})
    game = possible(new_game(surer, seed=6), ANSWERS)
    found = debrief(game, others=0)
    lines = {line.intervention: line for line in found.beliefs}
    assert {name: line.truth for name, line in lines.items()} == pytest.approx({"hot_spots": 0.3, "cctv": 0.195, "injury_data": 0.45})
    end = game.course.desk.run.state.belief[0]  # all sit, all with influence 1
    start = Replays(game.stages, game.settings, ()).beliefs_at_start()
    for i, name in enumerate(("hot_spots", "cctv", "injury_data")):
        line = lines[name]
        assert (line.after, line.before) == pytest.approx((end[:, i].mean(), start[:, i].mean()))
        assert (line.lowest, line.highest) == (end[:, i].min(), end[:, i].max())
        assert line.claimed > line.lowest
    assert any(line.after != line.after_computer for line in lines.values())


def test_a_debrief_tells_how_far_it_is_and_can_be_stopped(tiny: Scenario) -> None:
    game = possible(new_game(tiny, seed=6), ANSWERS)
    ticks: list[tuple[int, int]] = []
    debrief(game, lambda done, total: ticks.append((done, total)), others=2)
    assert ticks == [(k + 1, len(ticks)) for k in range(len(ticks))]

    def stop(done: int, total: int) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        debrief(game, stop)
    assert debrief(game, others=0).outcomes == debrief(game, others=0).outcomes
