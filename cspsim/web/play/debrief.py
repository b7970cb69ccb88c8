"""The debrief: the class against the computer under the same luck, which decision mattered, and what was believed against the truth.

Every decision is switched back to the computer's, one at a time, and the rest of the game runs again under the same luck with
all other decisions as they were. What single decisions did need not add up to the whole: two seats that table the same item
make each other's choice matter little. Other luck says whether the class was lucky: the same decisions, made in the same
quarters where they can be made, on replicates that nobody has seen.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from cspsim.model.parameters import Floats
from cspsim.one_run.events import Tabled
from cspsim.running.outcomes import OUTCOMES
from cspsim.web.play.decisions import CHALLENGE, EVALUATE, PLEDGE, TABLE, Choice
from cspsim.web.play.game import Game
from cspsim.web.play.replays import Replays

SHOWN = ("cost_averted", "true_benefit", "believed_over_true", "benefit_cost_ratio", "evaluated_share", "challenged_share", "mean_trust")
"""Outcomes told beside the scenario's primary one."""

OTHER_REPLICATES = 50
TRIED_ELSEWHERE = 5
"""The decisions that mattered most are tried on the other replicates, too: what mattered once may have been luck."""

Progress = Callable[[int, int], None]
"""Called with replays done and replays in all; what it raises stops the debrief."""


class OutcomeCompared(NamedTuple):
    """One outcome of the played table over the game's window. ``better``: +1 more is better, -1 less, 0 neither."""

    outcome: str
    title: str
    unit: str
    better: int
    people: float
    computer: float
    difference: float


class Mattered(NamedTuple):
    """What decisions did: outcomes with them less outcomes without them, by name of outcome."""

    authority: str
    quarter: int  # -1 for all of an authority's decisions together
    sentence: str
    differences: dict[str, float]
    others: tuple[float, ...] = ()  # differences in the primary outcome on other replicates, for the few that mattered most


class BeliefLine(NamedTuple):
    """An intervention the class dealt with: the fall of crime among the treated that the table believed in, and the truth.

    ``before`` and ``after`` are the table's view, authorities weighted by influence; ``lowest`` and ``highest`` single views
    at the end; ``claimed`` the largest claim made in the game.
    """

    intervention: str
    title: str
    truth: float
    before: float
    after: float
    after_computer: float
    lowest: float
    highest: float
    claimed: float


class OtherLuck(NamedTuple):
    """The difference in the primary outcome that the same decisions make on other replicates."""

    outcome: str
    difference: float  # under the luck of the game
    others: tuple[float, ...]
    helped_share: float  # of the others in which people did better than the computer; not-a-number if neither is better
    hurt_share: float  # in which they did worse; in the rest it made no difference


class Debrief(NamedTuple):
    """Everything the debrief shows, the primary outcome first and the decision that mattered most first."""

    primary: str
    outcomes: tuple[OutcomeCompared, ...]
    decisions: tuple[Mattered, ...]
    seats: tuple[Mattered, ...]
    beliefs: tuple[BeliefLine, ...]
    luck: OtherLuck | None
    first_month: str
    last_month: str


def debrief(game: Game, progress: Progress | None = None, others: int = OTHER_REPLICATES) -> Debrief:
    """Replay a game that is over. Nobody else may go on with ``game`` meanwhile."""
    replays = Replays(game.stages, game.settings, game.choices)
    choices = replays.choices
    seats = list(dict.fromkeys(choice.authority for choice in choices))
    tick = _counter(progress, 1 + len(choices) + len(seats) + (others if choices else 0))
    primary = game.scenario.data.primary_outcome
    shown = list(dict.fromkeys([primary, *SHOWN]))
    computer = replays.computer()
    tick()

    def effect(dropped: Sequence[Choice]) -> dict[str, float]:
        without = replays.without(dropped).outcomes
        tick()
        return {name: float(replays.played.outcomes[_place(name)] - without[_place(name)]) for name in shown}

    outcomes = tuple(_compared(name, replays.played.outcomes, computer.outcomes) for name in shown)
    effects = sorted(((choice, effect([choice])) for choice in choices), key=lambda pair: _size(pair[1][primary]))
    whole = [
        Mattered(name, -1, f"Everything decided for {game.titles[name]}", effect([c for c in choices if c.authority == name]))
        for name in seats
    ]
    tried = [choice for choice, _ in effects[:TRIED_ELSEWHERE]]
    luck, elsewhere = _other_luck(game, outcomes[0].difference, tried, others, tick) if choices else (None, {})
    decisions = [Mattered(c.authority, c.quarter, sentence_of(game, c), found, elsewhere.get(c, ())) for c, found in effects]
    return Debrief(
        primary,
        outcomes,
        tuple(decisions),
        tuple(sorted(whole, key=lambda one: _size(one.differences[primary]))),
        _beliefs(game, replays, computer.beliefs),
        luck,
        game.settings.first_month,
        game.scenario.data.time.last_month,
    )


def _counter(progress: Progress | None, total: int) -> Callable[[], None]:
    done = 0

    def tick() -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, total)

    return tick


def _size(difference: float) -> float:
    """Orders the largest difference, of either sign, first; what is not defined comes last."""
    return -abs(difference) if np.isfinite(difference) else 1.0


def _place(outcome: str) -> int:
    return list(OUTCOMES).index(outcome)


def _compared(name: str, people: Floats, computer: Floats) -> OutcomeCompared:
    entry, k = OUTCOMES[name], _place(name)
    return OutcomeCompared(
        name, entry.title, entry.unit, entry.better, float(people[k]), float(computer[k]), float(people[k] - computer[k])
    )


def sentence_of(game: Game, choice: Choice) -> str:
    """A decision in words, with what the computer would have done."""
    when = f"{game.months_of_quarters[choice.quarter]:%B %Y}"
    who, item = game.titles[choice.authority], game.titles.get(choice.item, "")
    if choice.point == PLEDGE:
        return f"{when}: {who} pledged {choice.value:.0f} hours a month, not {choice.suggested:.0f}"
    did, did_not = {
        TABLE: (f"put “{item}” on the table", f"did not put “{item}” on the table"),
        CHALLENGE: (f"challenged “{item}”", f"did not challenge “{item}”"),
        EVALUATE: (f"had “{item}” evaluated", f"did not have “{item}” evaluated"),
    }[choice.point]
    return f"{when}: {who} {did if choice.value else did_not}; the computer would {'not ' if choice.value else ''}have"


def _beliefs(game: Game, replays: Replays, computer: Floats) -> tuple[BeliefLine, ...]:
    """What was on the table in the game, or after it under the computer."""
    witness, after = game.course.witness, replays.played
    claims: dict[str, float] = {}
    for event in witness.events if witness else []:
        if isinstance(event, Tabled) and event.partnership == game.settings.partnership and game.first_month <= event.month:
            claims[event.intervention] = max(event.claim, claims.get(event.intervention, event.claim))
    world, names = replays.desk.run.world, replays.desk.model.interventions
    scale = float(world.uncertainties.effect_scale) * int(world.switches.effects)
    before, members = replays.beliefs_at_start(), after.weights > 0
    weights = after.weights / max(float(after.weights.sum()), 1e-12)
    return tuple(
        BeliefLine(
            name,
            game.titles[name],
            float(world.effect[i]) * scale,
            float(weights @ before[:, i]),
            float(weights @ after.beliefs[:, i]),
            float(weights @ computer[:, i]),
            float(after.beliefs[members, i].min()),
            float(after.beliefs[members, i].max()),
            claims[name],
        )
        for i, name in enumerate(names)
        if name in claims
    )


def _other_luck(
    game: Game, own: float, tried: Sequence[Choice], others: int, tick: Callable[[], None]
) -> tuple[OtherLuck, dict[Choice, tuple[float, ...]]]:
    """What all decisions together, and each of those tried, do to the primary outcome on other replicates."""
    primary = game.scenario.data.primary_outcome
    together: list[float] = []
    single: dict[Choice, list[float]] = {choice: [] for choice in tried}
    for k in range(1, others + 1):
        arms = Replays(game.stages, game.settings, game.choices, game.settings.replicate + k)
        with_all = arms.played.outcomes[_place(primary)]
        together.append(float(with_all - arms.computer().outcomes[_place(primary)]))
        for choice, found in single.items():
            found.append(float(with_all - arms.without([choice]).outcomes[_place(primary)]))
        tick()
    better = OUTCOMES[primary].better
    gains = [better * value for value in together if np.isfinite(value)]
    helped, hurt = (float(np.mean([sign * gain > 0 for gain in gains])) if gains and better else float("nan") for sign in (1, -1))
    return OtherLuck(primary, own, tuple(together), helped, hurt), {choice: tuple(found) for choice, found in single.items()}
