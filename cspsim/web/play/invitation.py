"""How others join: the link with the entry code and its QR code, for the facilitator to show, and who can use them."""

import solara
from solara.alias import rv

from cspsim.web.parts import CopyButton, box, words
from cspsim.web.quick_code import quick_code
from cspsim.web.reach import the_reach

ALONE = "Only this machine can open this room. For phones and other machines start the server with --host 0.0.0.0."
NO_NETWORK = "This machine has no network address just now, so other machines cannot reach it."


@solara.component
def Invitation(code: str) -> None:
    """For the facilitator only: anyone with this link can open the server, so players are shown it but do not find it on their pages."""
    reach = the_reach()
    if reach is None or reach.only_here:
        words("p", ALONE, "csp-soft")
        return
    links = reach.links(f"play/{code}")
    if not links:
        words("p", NO_NETWORK, "csp-soft")
        return
    with box("div", "csp-invitation"):
        QuickCodePicture(links[0])
        with box("div", "csp-stack"):
            words("p", "Scan this. Without a camera: open the address, type the entry code, then the code of the room in the tab Play.")
            words("p", links[0].partition("/play")[0], "csp-code", "csp-code--small")
            words("p", entry_words(reach.entry), "csp-code", "csp-code--small")
            with box("div", "csp-cluster"):
                CopyButton("Copy the link that lets others in", links[0])
            words("p", reach.who, "csp-soft", "csp-small")
            if links[1:]:
                words("p", "If it does not open, they may be in another network of this machine: " + ", ".join(links[1:]), "csp-small")


def entry_words(entry: str) -> str:
    """An entry code in groups of four, as it is typed; blanks are ignored."""
    return " ".join(entry[start : start + 4] for start in range(0, len(entry), 4))


@solara.component
def QuickCodePicture(link: str) -> None:
    """A QR code, drawn black on white in the dark as well: readers need it so."""
    drawn = quick_code(link)
    attributes = {
        "viewBox": f"0 0 {drawn.side} {drawn.side}",
        "role": "img",
        "aria-label": f"QR code of {link}",
        "shape-rendering": "crispEdges",
    }
    shapes = [
        rv.Html(tag="rect", attributes={"width": str(drawn.side), "height": str(drawn.side), "fill": "white"}, children=[]),
        rv.Html(tag="path", attributes={"d": drawn.path, "fill": "black"}, children=[]),
    ]
    rv.Html(tag="svg", class_="csp-quick-code", attributes=attributes, children=shapes)
