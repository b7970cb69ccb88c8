"""Which run is watched: scenario, the one beside it, partnership, and luck."""

from collections.abc import Callable

import solara

from cspsim.web.parts import ChoiceField, TextField, box, words
from cspsim.web.shown_scenarios import entries, scenario_of
from cspsim.web.watch.watch_state import LARGEST_REPLICATE, LARGEST_SEED, NONE, WatchState, whole, with_scenario

SEED_SAYS = "Same seed, same luck"
RUN_SAYS = "New run, new luck"


@solara.component
def Setup(asked: WatchState, change: Callable[[WatchState], None], say: Callable[[str], None], open_: bool) -> None:
    """The pickers, folded away where a link has chosen already: on a projector the table needs the room.

    What is no number, or too large, is refused with a sentence and the old value stays.
    """
    data = scenario_of(asked.scenario).data

    def number(text: str, before: int, largest: int) -> int:
        found = whole(text, largest)
        say("" if found is not None else f"“{text[:40]}” is not a whole number from 0 to {largest:,}: {before} is kept.")
        return before if found is None else found

    def seed(text: str) -> None:
        change(asked._replace(seed=number(text, asked.seed, LARGEST_SEED)))

    def replicate(text: str) -> None:
        change(asked._replace(replicate=number(text, asked.replicate, LARGEST_REPLICATE)))

    with box("details", "csp-card", "csp-watch__which", **({"open": "open"} if open_ else {})):
        with box("summary"):
            words("strong", "Which run")
            words("span", f" {data.partnerships[asked.partnership].title}, seed {asked.seed}, run {asked.replicate}", "csp-soft")
        Pickers(asked, change, seed, replicate)


@solara.component
def Pickers(asked: WatchState, change: Callable[[WatchState], None], seed: Callable[[str], None], replicate: Callable[[str], None]) -> None:
    """Scenario, the one beside it, partnership, seed and run."""
    titles = {entry.name: entry.title for entry in entries()}
    data = scenario_of(asked.scenario).data
    with box("div", "csp-watch__setup"):
        ChoiceField("Scenario", asked.scenario, titles, lambda name: change(with_scenario(asked, name)))
        beside = {NONE: "Nothing: one scenario", **{name: title for name, title in titles.items() if name != asked.scenario}}
        ChoiceField("Beside it (same luck)", asked.baseline, beside, lambda name: change(asked._replace(baseline=name, question=NONE)))
        places = {name: entry.title for name, entry in data.partnerships.items()}
        ChoiceField("Partnership", asked.partnership, places, lambda name: change(asked._replace(partnership=name)))
        TextField("Seed", str(asked.seed), seed, SEED_SAYS, longest=20)
        TextField("Run", str(asked.replicate), replicate, RUN_SAYS, longest=5)
