"""The page of the tab Watch."""

import solara

from cspsim.web.frame import use_frame
from cspsim.web.parts import box, words


@solara.component
def Page() -> None:
    """What the tab shows."""
    use_frame()
    with box("div", "csp-stack"):
        words("h1", "Watch", "csp-h1")
        words("p", "This page is not there yet.", "csp-lead")
