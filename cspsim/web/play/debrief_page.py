"""The debrief: the class against the computer, which decision mattered, belief against truth. Made in the background."""

import solara

from cspsim.basics.formats import scale_of
from cspsim.running.outcomes import OUTCOMES
from cspsim.scenario.schema import parse_month
from cspsim.web.kit.lesson_parts import rows_below
from cspsim.web.live import use_news
from cspsim.web.parts import Banner, Button, Chart, DataTable, Notice, Progress, Verdict, box, words
from cspsim.web.play import debrief_charts as charts
from cspsim.web.play import debrief_words as said
from cspsim.web.play.debrief import Debrief
from cspsim.web.play.door import Door
from cspsim.web.play.facilitator_page import SessionLog
from cspsim.web.play.play_words import counted, sentence, span
from cspsim.web.play.seat_views import View
from cspsim.web.play.shared import the_debriefs
from cspsim.web.table import shown_rows

MOST_DECISIONS = 8
ONE_BY_ONE = (
    "Each line gives one decision back to the computer and leaves all others as they were, so the lines need not add up. "
    "The first few were tried under other luck too: what mattered once may have been chance."
)


@solara.component
def DebriefPanel(door: Door, view: View) -> None:
    """The debrief, or how far it has come. The first visitor starts it; it is made once for everybody."""
    debriefs = the_debriefs()
    use_news(lambda tell: debriefs.follow(view.code, tell), [view.code])
    solara.use_effect(lambda: debriefs.begin(view.code, door.session, view.undone), [view.code, view.undone])
    making = debriefs.state(view.code, view.undone)
    with box("section", "csp-stack", aria_labelledby="debrief"):
        with box("div", "csp-cluster"):
            words("h2", "Debrief", "csp-h2", id_="debrief")
            SessionLog(door)
        words("p", "The debrief is ready" if making.made else "", "csp-visually-hidden", role="status")
        if making.fault:
            Notice(sentence(making.fault), "error")
            Button("Try again", lambda: debriefs.begin(view.code, door.session, view.undone))
        elif making.made is None:
            with box("div", "csp-card"):
                words("p", "The game is played again with each decision taken back, and under other luck.")
                Progress(making.done, max(making.total, 1), "games played again")
        else:
            Whole(making.made, view.table.title)


@solara.component
def Whole(debrief: Debrief, table: str) -> None:
    """All of the debrief."""
    told = said.verdict(debrief, table)
    Verdict(told.headline, told.luck, told.tone, told.context)
    Banner()
    with box("div", "csp-grid", "csp-grid--2"):
        with box("section", "csp-card", aria_labelledby="against"):
            words("h3", "Your table against the computer", "csp-h3", id_="against")
            months = span(parse_month(debrief.first_month), parse_month(debrief.last_month))
            words("p", f"Same luck, {months}; after the last quarter the computer decides alone.", "csp-soft", "csp-small")
            rows = said.outcomes_table(debrief)
            rows_below(rows.caption, rows.columns, shown_rows(rows))
        if debrief.luck is not None and charts.luck_values(debrief.luck):
            with box("div", "csp-card"):
                OtherLuckCard(debrief)
    Decisions(debrief)
    Beliefs(debrief)


@solara.component
def OtherLuckCard(debrief: Debrief) -> None:
    """The same decisions under every luck tried."""
    luck = debrief.luck
    assert luck is not None
    outcome = OUTCOMES[luck.outcome]
    good = {1: "above", -1: "below"}.get(outcome.better)
    largest = max(abs(value) for _, value in charts.luck_values(luck))
    Chart(
        f"{outcome.title}: what your decisions change under other luck",
        charts.luck_option(luck),
        charts.other_luck_table(luck),
        charts.luck_summary(luck),
        subtitle="Your table less the computer's; one bar for each draw of luck." + (f" Bars {good} the line are better." if good else ""),
        scale=scale_of(outcome.unit, largest),
    )


@solara.component
def Decisions(debrief: Debrief) -> None:
    """Which decision mattered: each taken back alone."""
    if not debrief.decisions:
        return
    with box("section", "csp-card", aria_labelledby="mattered"):
        words("h3", "Which decision mattered?", "csp-h3", id_="mattered")
        words("p", said.which_mattered(debrief))
        words("p", ONE_BY_ONE, "csp-soft", "csp-small")
        first = said.decisions_table(debrief, debrief.decisions[:MOST_DECISIONS])
        rows_below(first.caption, first.columns, shown_rows(first))
        rest = debrief.decisions[MOST_DECISIONS:]
        if rest:
            with box("details"):
                words("summary", f"{counted(len(rest), 'more decision')}", "csp-h3")
                DataTable(said.decisions_table(debrief, rest), hide_caption=True)
        if len(debrief.seats) > 1:
            with box("details"):
                words("summary", "All decisions of each authority together", "csp-h3")
                DataTable(
                    said.decisions_table(debrief, debrief.seats)._replace(caption="All decisions of each authority"), hide_caption=True
                )


@solara.component
def Beliefs(debrief: Debrief) -> None:
    """What the table believed, and the truth that nobody at it could see."""
    with box("section", "csp-card", aria_labelledby="beliefs"):
        words("h3", "Belief against truth", "csp-h3", id_="beliefs")
        words("p", said.furthest_off(debrief))
        if debrief.beliefs:
            ordered = sorted(debrief.beliefs, key=lambda one: -abs(one.after - one.truth))
            Chart(
                "What the table believed of each project, and what is true in the model",
                charts.belief_option(ordered),
                charts.belief_table(ordered),
                said.furthest_off(debrief),
                subtitle="Fall of crime among those the project reaches; the project the table was most wrong about comes first.",
                height=80 + charts.ROW * len(ordered),
            )
