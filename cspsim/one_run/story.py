"""One run as a story: events put into prose, year by year, and what was believed against what was true at the end."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np

from cspsim.basics.formats import listed, name_in_words
from cspsim.basics.formats import roughly as amount
from cspsim.basics.limits import EstimatedWork, work_of
from cspsim.one_run import events as happened
from cspsim.one_run.witness import Witness, as_records, titles_of, watch
from cspsim.scenario.scenario import Scenario
from cspsim.scenario.world_building import size_of

__all__ = ["Witness", "as_records", "financial_year", "tell", "titles_of", "watch"]

MOST_TOLD = 4  # examples of a kind that one year's story gives; the rest is counted


class _Teller:
    """Sentences about one partnership's year."""

    def __init__(self, titles: Mapping[str, str]) -> None:
        self.titles = titles

    def the(self, name: str) -> str:
        return self.titles.get(name, name_in_words(name))

    def who(self, name: str) -> str:
        """An authority in a sentence; one whose title explains itself after a comma is called by its name instead."""
        title = self.the(name)
        if "," in title:
            return name_in_words(name)
        proper = any(word[:1].isupper() for word in title.split()[1:])
        return f"the {title if proper else title[:1].lower() + title[1:]}"

    def work(self, name: str) -> str:
        """An intervention in a sentence."""
        return f"“{self.the(name)}”"

    def year(self, events: Sequence[happened.Event]) -> list[str]:
        """The paragraphs of a year, in the order in which a year goes."""
        found: Callable[[type], list[Any]] = lambda kind: [event for event in events if isinstance(event, kind)]  # noqa: E731 # short
        return [
            paragraph
            for paragraph in (
                self._money(found(happened.GrantAwarded), found(happened.BudgetCut)),
                self._people(
                    found(happened.Joined),
                    found(happened.Left),
                    found(happened.Reorganised),
                    found(happened.NewCommissioner),
                    found(happened.NewRepresentative),
                ),
                self._table(found(happened.Tabled), found(happened.Challenged)),
                self._challenges(found(happened.Challenged)),
                self._decisions(found(happened.Adopted), found(happened.TurnedDown)),
                self._delivery(found(happened.Started), found(happened.Ended)),
                self._evaluations(found(happened.Evaluated), found(happened.YearClosed)),
                self._books(found(happened.YearClosed)),
            )
            if paragraph
        ]

    def _money(self, awards: list[happened.GrantAwarded], cuts: list[happened.BudgetCut]) -> str:
        said = []
        for award in awards:
            change = f", {_change(award.amount, award.before)}" if award.before > 0 else ""
            said.append(f"The partnership was awarded {amount(award.amount, '£')} for the year{change}.")
        told = [f"{self.who(cut.authority)} ({_change(cut.hours, cut.before).removesuffix(' than the year before')})" for cut in cuts]
        if told:
            said.append(f"Hours for partnership work changed at {listed(told)}.")
        return "Money. " + " ".join(said) if said else ""

    def _people(
        self,
        joined: list[happened.Joined],
        left: list[happened.Left],
        reorganised: list[happened.Reorganised],
        commissioners: list[happened.NewCommissioner],
        new: list[happened.NewRepresentative],
    ) -> str:
        said = []
        if commissioners:
            said.append(f"In {commissioners[0].month:%B %Y} a new commissioner took over the pot.")
        if left:
            said.append(f"{_capital(listed([self.who(event.authority) for event in left]))} left the table.")
        if joined:
            said.append(f"{_capital(listed([self.who(event.authority) for event in joined]))} joined it.")
        if reorganised:
            said.append(f"{_capital(listed([self.who(event.authority) for event in reorganised]))} was reorganised.")
        told = [f"{self.who(event.authority)} ({person_in_words(event)})" for event in new[:MOST_TOLD]]
        if told:
            more = _and_more(len(new), "")
            said.append(f"New faces: {listed(told) if not more else ', '.join(told) + more}.")
        return "People. " + " ".join(said) if said else ""

    def _table(self, tabled: list[happened.Tabled], challenged: list[happened.Challenged]) -> str:
        if not tabled:
            return "Table. No meeting had money to decide about."
        items = {(event.month, event.intervention) for event in challenged}
        boldest = max(tabled, key=lambda event: event.claim - event.belief)
        said = f"Table. {_count(len(tabled), 'proposal')} tabled, {len(items) or 'none'} of them challenged. The boldest claim: "
        return said + (
            f"{self.who(boldest.sponsor)} promised that {self.work(boldest.intervention)} would cut crime by "
            f"{amount(boldest.claim, 'share')} among those treated, while itself believing {amount(boldest.belief, 'share')}."
        )

    def _challenges(self, challenged: list[happened.Challenged]) -> str:
        said = []
        for event in sorted(challenged, key=lambda event: -event.doubt)[:MOST_TOLD]:
            moved = f"; it changed its own view from {amount(event.before, 'share')} to {amount(event.after, 'share')}"
            said.append(
                f"{_capital(self.who(event.challenger))} challenged {self.who(event.sponsor)} over {self.work(event.intervention)} "
                f"in {event.month:%B}, {reason_of(event)}; {'something came to light' if event.heard else 'it was not heard'}"
                f"{moved if abs(event.after - event.before) > 5e-4 else ''}."
            )
        more = _and_more(len(challenged), " other challenges were made", start=True)
        return "Challenge. " + " ".join(said) + more if said else ""

    def _decisions(self, adopted: list[happened.Adopted], refused: list[happened.TurnedDown]) -> str:
        new = [event for event in adopted if not event.renewed]
        renewed = [event for event in adopted if event.renewed]
        said = []
        for words, events in (("New", new), ("Renewed", renewed)):
            events = sorted(events, key=lambda event: -event.cost)
            told = [
                f"{self.work(event.intervention)} ({_count(event.units, 'unit')}, {amount(event.cost, '£')} a year, "
                f"expected to cut crime among those treated by {amount(event.estimate, 'share')}"
                f"{', after a challenge' if event.challenged else ''})"
                for event in events[:MOST_TOLD]
            ]
            if told:
                said.append(f"{words}: {', '.join(told)}{_and_more(len(events), '')}.")
        killed = [event for event in refused if event.challenged]
        if refused:
            said.append(f"{_count(len(refused), 'proposal')} came to nothing, {len(killed) or 'none'} of them after a challenge.")
        return "Adopted. " + " ".join(said) if said else ""

    def _delivery(self, started: list[happened.Started], ended: list[happened.Ended]) -> str:
        said = []
        late = [event for event in started if event.months_late > 0]
        if started:
            mean = sum(event.months_late for event in started) / len(started)
            said.append(
                f"{_count(len(started), 'new project')} got going, {len(late) or 'none'} of them late, "
                f"{mean:.1f} months after the money on average."
            )
        stopped = [event for event in ended if event.left == 0]
        if stopped:
            told = [f"{self.work(event.intervention)}{' (for lack of money)' if event.mid_year else ''}" for event in stopped[:MOST_TOLD]]
            said.append(f"Ended: {', '.join(told)}{_and_more(len(stopped), '')}.")
        return "Delivery. " + " ".join(said) if said else ""

    def _evaluations(self, evaluated: list[happened.Evaluated], closed: list[happened.YearClosed]) -> str:
        if not evaluated:
            running = closed[0].outcomes["adopted_interventions"] if closed else 0
            return f"Evaluation. None of the {running:.0f} projects was evaluated." if running else ""
        said = []
        for event in evaluated[:MOST_TOLD]:
            how = "with a comparison" if event.strong else "before against after, without a comparison"
            said.append(
                f"{_capital(self.who(event.evaluator))} evaluated {self.work(event.intervention)} ({how}): "
                f"it found {amount(event.estimate, 'share')} where the truth as delivered was {amount(event.truth, 'share')}; "
                f"the table's belief went from {amount(event.before, 'share')} to {amount(event.after, 'share')}."
            )
        return "Evaluation. " + " ".join(said) + _and_more(len(evaluated), " other evaluations were made", start=True)

    def _books(self, closed: list[happened.YearClosed]) -> str:
        if not closed:
            return ""
        o = closed[-1].outcomes
        return (
            f"At the end of the year. {o['true_crimes']:,.0f} crimes happened and {o['recorded_crimes']:,.0f} were recorded. "
            f"The partnership averted {amount(o['true_benefit'], '£')} of harm and believed "
            f"it had averted {amount(o['believed_benefit'], '£')}. "
            f"It spent {amount(o['spend'], '£')} of grant and sent {amount(o['unspent'], '£')} back. The co-ordinator carried "
            f"{amount(o['local_authority_hours_share'], 'share')} of the hours, {amount(o['coordinator_load'], '')} times what it had; "
            f"trust stood at {amount(o['mean_trust'], '')}."
        )

    def closing(self, event: happened.Reckoning) -> str:
        """The gap between what was believed and what was true."""
        o = event.outcomes
        return (
            f"{self.the(event.partnership)}: they believed that their work averted {amount(o['believed_benefit'], '£')} of harm. "
            f"In truth it averted {amount(o['true_benefit'], '£')}: {_times(o['believed_over_true'])} as much was believed as was true, "
            f"{_times(o['believed_over_planned'])} because of what people believed and {_times(o['planned_over_true'])} "
            "because of what was not delivered. "
            f"{amount(o['evaluated_share'], 'share')} of project-years were evaluated."
        )


def _change(now: float, before: float) -> str:
    change = now / before - 1 if before > 0 else 0.0
    if abs(change) < 0.005:
        return "as much as the year before"
    return f"{amount(abs(change), 'share')} {'more' if change > 0 else 'less'} than the year before"


def person_in_words(event: happened.NewRepresentative) -> str:
    """What somebody new at the table is like."""
    said = []
    for value, high, low in (
        (event.assertiveness, "outspoken", "quiet"),
        (event.openness, "open to challenge", "easily hurt"),
        (event.evaluation_mindedness, "keen on evaluation", "no friend of evaluation"),
    ):
        if abs(value - 0.5) > 0.15:
            said.append(high if value > 0.5 else low)
    return listed(said) or "middling"


def reason_of(event: happened.Challenged) -> str:
    """Why somebody challenged, from doubt and trust."""
    trust = f"trust {event.trust:.2f}"
    if event.doubt >= 1:
        return f"doubting the claim by {event.doubt:.1f} standard deviations ({trust})"
    if event.doubt <= 0 and event.advocate > 0:
        return f"perhaps as appointed devil's advocate, since it did not doubt the claim ({trust})"
    if event.trust < 0.5:
        return f"with little trust in the sponsor ({trust}, doubt {event.doubt:.1f})"
    return f"speaking its mind although it doubted little ({trust}, doubt {event.doubt:.1f})"


def _times(ratio: float) -> str:
    return f"{ratio:.1f} times" if np.isfinite(ratio) else "no telling how many times"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _and_more(number: int, what: str, start: bool = False) -> str:
    more = number - MOST_TOLD
    if more <= 0:
        return ""
    return f" {more}{what}." if start else f" and {more} more{what}"


def financial_year(day: date) -> int:
    """The year in which the financial year of a day began: 2011 for March 2012."""
    return day.year if day.month >= 4 else day.year - 1


def tell(events: Iterable[happened.Event], titles: Mapping[str, str] | None = None) -> str:
    """Events as prose, year by year and partnership by partnership, with what was believed against what was true at the end.

    ``titles`` (see ``titles_of``) gives names as people say them; without it names stand as in the scenario file.
    """
    events = list(events)
    teller = _Teller(titles or {})
    paragraphs = []
    years = sorted({financial_year(event.month) for event in events if not isinstance(event, happened.Reckoning)})
    partnerships = list(dict.fromkeys(event.partnership for event in events if not isinstance(event, happened.Reckoning)))
    for year in years:
        for partnership in partnerships:
            mine = [
                event
                for event in events
                if event.partnership == partnership and financial_year(event.month) == year and not isinstance(event, happened.Reckoning)
            ]
            told = teller.year(mine)
            if told:
                paragraphs += [f"## {teller.the(partnership)}, April {year} to March {year + 1}", *told]
    reckonings = [event for event in events if isinstance(event, happened.Reckoning)]
    if reckonings:
        paragraphs += ["## What they believed and what was true, over the outcome window", *(teller.closing(event) for event in reckonings)]
    return "\n\n".join(paragraphs) + "\n"


def work_of_story(scenario: Scenario) -> EstimatedWork:
    """Time and memory to watch one run and tell it: a millisecond and five events of a kilobyte for a partnership's month, measured."""
    size = size_of(scenario.data)
    run, months = work_of(size, 1), size.partnerships * size.months
    return EstimatedWork(run.seconds + 1e-3 * months, run.memory + 1e4 * months)
