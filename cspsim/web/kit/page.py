"""The page of the tab Kit."""

import solara

from cspsim.web.frame import use_frame
from cspsim.web.parts import box, words


@solara.component
def Page() -> None:
    """What the tab shows."""
    use_frame()
    with box("div", "csp-stack"):
        words("h1", "Kit", "csp-h1")
        words("p", "This page is not there yet.", "csp-lead")
