"""The page of the tab Play: join or open a room, or the room that the address names after ``/play``."""

import solara

from cspsim.web.play.join_page import JoinPage
from cspsim.web.play.room_page import RoomPage


@solara.component
def PlayPage() -> None:
    """What the tab shows."""
    path = (solara.use_router().path or "").strip("/").split("/")[1:]
    code = path[0].strip().upper()[:40] if path else ""
    if code:
        RoomPage(code).key(code)
    else:
        JoinPage()
