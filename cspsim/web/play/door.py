"""The door between one page and its room: what the page may ask, what was refused, and the news that draw it anew."""

import logging
from collections.abc import Callable
from typing import Any, NamedTuple

import solara

from cspsim.basics.errors import CspsimError
from cspsim.web.live import Subscribe, Tell, use_news
from cspsim.web.play.play_words import sentence
from cspsim.web.play.presence import while_present
from cspsim.web.play.rooms import Rooms
from cspsim.web.play.seat_views import View
from cspsim.web.play.shared import the_rooms
from cspsim.web.play.storage import StorageError

TONES = ("error", "success")
CARD, PAGE = "card", "page"
"""Where a refusal is shown: on the decision card, where somebody has just pressed, or at the top of the page."""


NOT_KEPT = "This could not be kept, so it has not happened. Whoever runs the server can see why."
logger = logging.getLogger("cspsim.web")


class Said(NamedTuple):
    """What the page has to say of the latest thing asked for; ``number`` tells a sentence from the same one said again."""

    number: int = 0
    text: str = ""
    tone: str = "error"
    where: str = PAGE


class Door:
    """What one page may do in its room, as the session it belongs to. A refusal is said, never raised."""

    def __init__(self, rooms: Rooms, code: str, session: str, say: Callable[[Callable[[Said], Said]], None]) -> None:
        self.rooms, self.code, self.session, self._say = rooms, code, session, say

    def ask(self, what: Callable[..., None], *arguments: Any, done: str = "", where: str = PAGE) -> bool:
        """Ask a method of ``Rooms``; whether it was done. ``done``: what the page says then."""
        try:
            what(self.code, self.session, *arguments)
        except StorageError:  # where the rooms are kept is told to the server's owner only
            logger.exception("a change could not be kept")
            text, tone, granted = NOT_KEPT, "error", False
        except CspsimError as error:
            text, tone, granted = sentence(str(error)), "error", False
        else:
            text, tone, granted = done, "success", True
        self._say(lambda before: before if not text and not before.text else Said(before.number + 1, text, tone, where))
        return granted

    def dismiss(self) -> None:
        """Say nothing any more."""
        self._say(lambda before: Said(before.number + 1))

    def export(self, kind: str) -> str:
        """The session log; where it is refused, the sentence that says so."""
        try:
            return self.rooms.export(self.code, self.session, kind)
        except CspsimError as error:
            return sentence(str(error))


def use_door(code: str) -> tuple[Door, View | None, Said, str]:
    """The door to a room, what this session sees behind it, what was said last, and why there is nothing to see."""
    session = solara.get_session_id()
    said, set_said = solara.use_state(Said())
    door = solara.use_memo(lambda: Door(the_rooms(), code, session, set_said), [code, session])
    use_news(while_present(room_news(door)), [code, session])
    try:
        return door, door.rooms.view(code, session), said, ""
    except CspsimError as error:
        return door, None, said, sentence(str(error))


def room_news(door: Door) -> Subscribe:
    """The news of a room, for ``use_news``; its page looks again as soon as it has subscribed."""

    def subscribe(tell: Tell) -> Callable[[], None]:
        try:
            end = door.rooms.subscribe(door.code, door.session, lambda _: tell())
        except CspsimError:  # the room has gone: the page finds out when it looks
            return lambda: None
        tell()  # what happened between the first look and this
        return end

    return subscribe
