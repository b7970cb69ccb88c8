"""Words of the pages of Play: quarters, effects and beliefs in sentences, the same everywhere."""

from collections.abc import Sequence
from datetime import date

from cspsim.basics.formats import amount, listed
from cspsim.scenario.world_building import add_months
from cspsim.web.play.seat_views import View

STEPS = {1: "What goes on the table", 2: "Challenge, pledge, evaluate"}


def sentence(text: str) -> str:
    """A message as a sentence: with a capital and a full stop."""
    text = text.strip()
    return f"{text[:1].upper()}{text[1:]}{'' if text[-1:] in ('.', '?', '!', '') else '.'}"


def span(first: date, last: date) -> str:
    """Months from one to another: ``April to June 2008``."""
    if first == last:
        return f"{first:%B %Y}"
    return f"{first:%B} to {last:%B %Y}" if first.year == last.year else f"{first:%B %Y} to {last:%B %Y}"


def quarter_span(view: View) -> str:
    """The months of the quarter under way."""
    months = view.quarter_months
    if view.quarter >= len(months):
        return ""
    last = add_months(months[view.quarter + 1], -1) if view.quarter + 1 < len(months) else add_months(months[view.quarter], 2)
    return span(months[view.quarter], last)


def stage_words(view: View) -> str:
    """Where the game stands, in a line that is read aloud when it changes."""
    if view.stage == "lobby":
        return "The game has not begun"
    if view.stage == "over":
        return "The game is over"
    return f"Quarter {view.quarter + 1} of {view.quarters}, step {view.step} of 2 has begun: {STEPS[view.step].lower()}"


def waiting_words(waiting: Sequence[str], most: int = 6) -> str:
    """Who is waited for."""
    if not waiting:
        return "Nobody is waited for"
    names = list(waiting[:most]) + ([f"{len(waiting) - most} more"] if len(waiting) > most else [])
    return f"Waiting for {listed(names)}"


def counted(number: int, what: str) -> str:
    """How many of something: ``1 person`` is not ``2 persons``."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def per_cent(share: float) -> str:
    """A share without decimals: ``20%``."""
    return f"{abs(round(share * 100))}%"


def effect(share: float) -> str:
    """What a project does to crime: ``cuts crime by 20%``."""
    if round(share * 100) == 0:
        return "does nothing to crime"
    return f"{'cuts' if share > 0 else 'raises'} crime by {per_cent(share)}"


def view_words(mean: float, sd: float) -> str:
    """What an authority believes of a project, and how sure it is: two in three of what it thinks possible."""
    low, high = round((mean - sd) * 100), round((mean + sd) * 100)
    if low <= 0 < high and mean < sd:
        return f"You think it {effect(mean)}, but it may do nothing (up to {high}%)"
    if high <= 0:
        return f"You think it {effect(mean)}"
    return f"You think it {effect(mean)} ({max(low, 0)} to {high}%)"


def money(value: float) -> str:
    """Pounds: ``£150k``."""
    return amount(value, "£")


def hours(value: float) -> str:
    """Hours without decimals."""
    return f"{value:,.0f} hours"


def trust_words(trust: float) -> str:
    """Trust from 0 to 1 in a word."""
    for above, word in ((0.75, "strongly"), (0.6, "well"), (0.45, "somewhat"), (0.3, "little")):
        if trust >= above:
            return word
    return "hardly"
