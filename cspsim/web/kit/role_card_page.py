"""Role cards and the debrief sheet on the page."""

from urllib.parse import parse_qs

import solara

from cspsim.basics.errors import CspsimError
from cspsim.web.frame import use_frame
from cspsim.web.kit.lesson_parts import Link, address, bullets, rows_below
from cspsim.web.kit.lessons import load_lessons
from cspsim.web.kit.printable import printable_kit
from cspsim.web.kit.role_cards import CommissionerCard, CrimeOfInterest, RoleCard, commissioner_card, role_cards
from cspsim.web.parts import Address, ChoiceField, Download, Notice, box, words
from cspsim.web.shown_scenarios import entries, known_names, scenario_of


@solara.component
def RoleCards() -> None:
    """A card for every authority of a scenario that somebody picks, and one for the commissioner."""
    asked = parse_qs(solara.use_router().search or "").get("scenario", ["baseline"])[0]
    name, set_name = solara.use_state(asked if asked in known_names() else "baseline")
    scenario = scenario_of(name)
    use_frame(scenario=scenario.title)
    with box("div", "csp-stack", "csp-stack--loose"):
        Address({"scenario": name})
        with box("div", "csp-stack"):
            with box("div", "csp-cluster"):
                Link("All lessons", address(), "quiet")
            words("h1", "Role cards", "csp-h1")
            words("p", "What each authority is, has, cares about, leads and depends on, from the scenario's own data.", "csp-lead")
            if asked not in known_names():
                Notice(str(CspsimError(f"There is no scenario “{asked[:60]}” here. These are the baseline's cards.")), "warning")
            with box("div", "csp-cluster"):
                ChoiceField("Scenario", name, {entry.name: entry.title for entry in entries()}, set_name)
                Download("Download to print", "cspsim-kit.html", lambda: printable_kit(scenario))
        with box("div", "csp-grid", "csp-grid--2"):
            for card in role_cards(scenario):
                RoleCardView(card).key(f"{name}/{card.name}")
            CommissionerCardView(commissioner_card(scenario)).key(f"{name}/commissioner")


@solara.component
def RoleCardView(card: RoleCard) -> None:
    """One authority's card."""
    with box("article", "csp-card", aria_labelledby=f"card-{card.name}"):
        words("h2", card.title, "csp-h2", id_=f"card-{card.name}")
        does = f"Responsible for {', '.join(card.tasks)}." if card.tasks else ""
        words("p", f"{card.sits}{'; co-ordinates the partnership' if card.coordinates else ''}. {does}", "csp-soft")
        rows_below("What you have", ("What you have", "How much", "Status"), card.has, compact=True)
        _cares(card.cares, "What you care about")
        people = [(trait.trait, f"{trait.value:.2g}, {trait.level}") for trait in card.manner]
        rows_below("The people you send", ("The people you send", "0 to 1"), people, compact=True)
        leads = card.leads or ("Nothing",)
        for heading, lines in (("What you lead", leads), ("What needs you", card.helps), ("What happens to you", card.happens)):
            if lines:
                words("h3", heading, "csp-h3")
                words("p", "; ".join(lines) + ".")
        words("h3", "To play with", "csp-h3")
        bullets(card.play)


def _cares(cares: tuple[CrimeOfInterest, ...], title: str) -> None:
    """How much of each crime type is somebody's business."""
    rows_below(title, (title, "0 to 1"), [(each.title, f"{each.share:.1f}") for each in cares], compact=True)


@solara.component
def CommissionerCardView(card: CommissionerCard) -> None:
    """The commissioner's card."""
    with box("article", "csp-card", aria_labelledby="card-commissioner"):
        words("h2", card.title, "csp-h2", id_="card-commissioner")
        words(
            "p", " ".join(["The commissioner: funds the table and is no member of it.", *(f"{line}." for line in card.happens)]), "csp-soft"
        )
        _cares(card.cares, "Own priorities")
        if card.rules:
            rows_below("How the pot is divided", ("From", "Pot", "Divided"), card.rules, compact=True)
        words("h3", "To play with", "csp-h3")
        bullets(card.play)


@solara.component
def DebriefSheet() -> None:
    """The debrief sheet, to talk through; the printable kit has it with lines to write on."""
    sheet = load_lessons().debrief
    use_frame()
    with box("div", "csp-stack", "csp-stack--loose"):
        with box("div", "csp-stack"):
            with box("div", "csp-cluster"):
                Link("All lessons", address(), "quiet")
            words("h1", sheet.title, "csp-h1")
            words("p", sheet.lead, "csp-lead")
            with box("div", "csp-cluster"):
                Download("Download to print", "cspsim-kit.html", lambda: printable_kit(scenario_of("baseline")), kind="primary")
        with box("div", "csp-grid", "csp-grid--2"):
            for part in sheet.parts:
                with box("section", "csp-card"):
                    words("h2", part.title, "csp-h2")
                    bullets([prompt.ask for prompt in part.prompts])
