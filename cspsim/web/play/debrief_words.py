"""The debrief in words: what the class did better or worse, how much of it was luck, and which decision mattered."""

from collections.abc import Sequence
from math import floor, isfinite, log10
from typing import NamedTuple

import numpy as np

from cspsim.basics.formats import amount
from cspsim.running.outcomes import OUTCOMES
from cspsim.web.play.debrief import Debrief, Mattered, OtherLuck, OutcomeCompared
from cspsim.web.table import Table

NEARLY_ALWAYS, MOSTLY = 0.9, 0.7
"""Shares of other lucks from which on something holds nearly always, or mostly."""
ONE_RUN = (
    "One game is one draw of luck, and the model is illustrative: it shows what follows from stated assumptions, not what would happen. "
    "Judge decisions by what was known when they were made."
)


class VerdictInWords(NamedTuple):
    """The verdict: headline, what other luck says, tone for its mark, and what to make of it."""

    headline: str
    luck: str
    tone: str
    context: str


def verdict(debrief: Debrief, table: str) -> VerdictInWords:
    """How the class did against the computer, under the same luck and under other luck."""
    first = debrief.outcomes[0]
    if debrief.luck is None:
        return VerdictInWords(
            "You decided everything as the computer would have.",
            "There is nothing to compare: the computer's game is the same game.",
            "unsure",
            ONE_RUN,
        )
    return VerdictInWords(_headline(first, table), luck_words(debrief.luck), tone_of(debrief.luck), f"{_ends(first)} {ONE_RUN}")


def _headline(one: OutcomeCompared, table: str) -> str:
    word = better_word(one)
    if word == "the same":
        return f"Under the same luck {table} did as well with your decisions as with the computer's"
    size = two_figures(abs(one.difference), one.unit)
    if is_small(one):
        return (
            f"Under the same luck {table} did about as well with your decisions as with the computer's: "
            f"{word} by {size}, which is too small to matter"
        )
    return f"Under the same luck {table} did {word} with your decisions than with the computer's, by {size}"


def is_small(one: OutcomeCompared) -> bool:
    """Whether a difference is below the smallest that anybody should care about, as registered for its outcome."""
    entry = OUTCOMES[one.outcome]
    smallest = entry.smallest * (abs(one.computer) if entry.smallest_is == "relative" else 1.0)
    return abs(one.difference) < smallest


def _ends(one: OutcomeCompared) -> str:
    people, computer = (_beside(value, one) for value in (one.people, one.computer))
    return f"{one.title} came to {people} with your decisions and to {computer} with the computer's."


def _beside(value: float, one: OutcomeCompared) -> str:
    """A level as exact as its difference from the other one needs."""
    return amount(value, one.unit, noise=abs(one.difference) / 2 if one.difference else None)


def two_figures(value: float, unit: str, signed: bool = False) -> str:
    """A difference as exact as it deserves; of shares in percentage points."""
    size = abs(value)
    noise = 2.01 * 10.0 ** (floor(log10(size)) - 1) if isfinite(size) and size > 0 else None
    return amount(value, unit, noise, signed=signed, points=True)


def better_word(one: OutcomeCompared) -> str:
    """ "better", "worse" or "the same"; "more" or "less" where neither is better."""
    if not isfinite(one.difference) or abs(one.difference) < 1e-9:
        return "the same"
    if one.better == 0:
        return "more" if one.difference > 0 else "less"
    return "better" if one.difference * one.better > 0 else "worse"


def luck_words(luck: OtherLuck) -> str:
    """What the same decisions do under other luck."""
    if not isfinite(luck.helped_share) or not luck.others:
        return "Other luck cannot say more: neither more nor less of it is better."
    n = len([value for value in luck.others if isfinite(value)])
    helped, hurt = round(luck.helped_share * n), round(luck.hurt_share * n)
    often = f"better than the computer {_times(helped)} and worse {_times(hurt)}"
    if helped + hurt < n:
        often += f", and made no difference {_times(n - helped - hurt)}"
    return f"Under {n} other draws of luck the same decisions did {often}. {_judged(luck)}"


def _times(number: int) -> str:
    return {0: "never", 1: "once", 2: "twice"}.get(number, f"{number} times")


def _judged(luck: OtherLuck) -> str:
    better = OUTCOMES[luck.outcome].better
    fortunate = luck.difference * better > 0
    for share, did, other in ((luck.helped_share, "help", True), (luck.hurt_share, "hurt", False)):
        if share >= MOSTLY:
            often = "nearly always" if share >= NEARLY_ALWAYS else "mostly"
            if luck.difference == 0 or fortunate == other:
                return f"They {often} {did}."
            return f"They {often} {did}: in this game luck hid it."
    if luck.helped_share + luck.hurt_share < 1 - luck.helped_share - luck.hurt_share:
        return "Under most luck they make no difference at all."
    return "So it is mostly luck whether they help or hurt."


def tone_of(luck: OtherLuck) -> str:
    """ "good" or "bad" only where it holds under most luck."""
    if luck.helped_share >= MOSTLY:
        return "good"
    return "bad" if luck.hurt_share >= MOSTLY else "unsure"


def outcomes_table(debrief: Debrief) -> Table:
    """The class against the computer, one outcome a row."""
    rows = [
        (
            one.title,
            _beside(one.people, one),
            _beside(one.computer, one),
            two_figures(one.difference, one.unit, signed=True),
            better_word(one),
        )
        for one in debrief.outcomes
    ]
    return Table(
        ("Outcome", "Your table", "The computer", "Difference", "In short"), rows, "Your table against the computer under the same luck"
    )


def decisions_table(debrief: Debrief, decisions: Sequence[Mattered]) -> Table:
    """Each decision taken back alone: what it did under this luck and, for the few that mattered most, under other luck."""
    entry = OUTCOMES[debrief.primary]
    rows = [
        (
            one.sentence,
            two_figures(one.differences[debrief.primary], entry.unit, signed=True),
            _helped(one.differences[debrief.primary], entry.better),
            spread_words(one.others, entry.unit, entry.better),
        )
        for one in decisions
    ]
    return Table(("Decision", f"{entry.title}, this game", "So it", "Under other luck"), rows, "What each decision did on its own")


def _helped(difference: float, better: int) -> str:
    if not isfinite(difference) or difference == 0:
        return "made no difference"
    if better == 0:
        return "raised it" if difference > 0 else "lowered it"
    return "helped this time" if difference * better > 0 else "hurt this time"


def spread_words(others: Sequence[float], unit: str, better: int) -> str:
    """How a decision does on other replicates: its middle, four fifths of them, and how often it helps."""
    known = [value for value in others if isfinite(value)]
    if not known:
        return "not tried"
    low, middle, high = (float(value) for value in np.quantile(known, (0.1, 0.5, 0.9)))
    if low == high == 0:
        return "hardly ever matters"
    helps = len([value for value in known if value * better > 0])
    hurts = len([value for value in known if value * better < 0])
    often = f"; helps in {helps}, hurts in {hurts} of {len(known)}" if better else ""
    noise = max(abs(high - low) / 2, 1e-9)
    low_, middle_, high_ = (amount(value, unit, noise, signed=True) for value in (low, middle, high))
    return f"{middle_} ({low_} to {high_}){often}"


def which_mattered(debrief: Debrief) -> str:
    """The decision that mattered most, in a sentence."""
    primary = OUTCOMES[debrief.primary]
    first = debrief.decisions[0] if debrief.decisions else None
    size = first.differences[debrief.primary] if first else 0.0
    if first is None or not isfinite(size) or size == 0:
        return "No single decision made a difference under this luck."
    moved = "raised" if size > 0 else "lowered"
    said = f"Most mattered: {first.sentence}. On its own this {moved} {primary.title.lower()} by {two_figures(abs(size), primary.unit)}."
    return f"{said}{_luckily(size, first.others, primary.better)}"


def _luckily(size: float, others: Sequence[float], better: int) -> str:
    """Whether other luck bears out what a decision did in this game; nothing where it was not tried or neither is better."""
    known = [value for value in others if isfinite(value)]
    if not known or not better:
        return ""
    helps, hurts = (len([value for value in known if sign * value * better > 0]) for sign in (1, -1))
    counts = f"under {len(known)} other draws of luck it helps in {helps} and hurts in {hurts}"
    same, other = (helps, hurts) if size * better > 0 else (hurts, helps)
    return f" That was luck: {counts}." if other >= same else f" And {counts}."


def furthest_off(debrief: Debrief) -> str:
    """Where the table's view at the end lies furthest from the truth, and whether it came nearer to it."""
    if not debrief.beliefs:
        return "Nothing was on the table, so there is nothing to compare."
    off = max(debrief.beliefs, key=lambda one: abs(one.after - one.truth))
    nearer = len([one for one in debrief.beliefs if abs(one.after - one.truth) < abs(one.before - one.truth) - 0.005])
    further = len([one for one in debrief.beliefs if abs(one.after - one.truth) > abs(one.before - one.truth) + 0.005])
    return (
        f"The table was furthest off with {off.title}: it believed in {off.after * 100:.0f}%, in truth it is {off.truth * 100:.0f}%. "
        f"Of {len(debrief.beliefs)} projects its view came nearer to the truth for {nearer} and moved away for {further}."
    ).replace("-", "\N{MINUS SIGN}" if off.after < 0 else "-")
