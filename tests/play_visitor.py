"""A visitor to the tab Play without a browser: the page in a kernel context of its own, read as text and pressed by label."""

from collections.abc import Iterator
from itertools import count
from typing import Any

from cspsim.web.server import apply_settings

apply_settings()

import solara  # noqa: E402
from solara.server import kernel, kernel_context  # noqa: E402

from cspsim.web.app import routes  # noqa: E402
from cspsim.web.play.play_page import PlayPage  # noqa: E402

_numbers = count()


@solara.component
def _Shown() -> None:
    PlayPage()


class Visitor:
    """One page of one session. Its event loop is not running: ``look`` does what a running one would with the news that came."""

    def __init__(self, path: str, session: str) -> None:
        self.context = kernel_context.VirtualKernelContext(id=f"test-{next(_numbers)}", kernel=kernel.Kernel(), session_id=session)

        @solara.component
        def Root() -> None:
            solara.RoutingProvider(children=[_Shown()], routes=routes, pathname=path)

        with self.context:
            self.root, self.rendered = solara.render(Root(), handle_error=False)

    def look(self) -> None:
        """Draw what has changed."""
        loop = self.context.event_loop
        loop.call_later(0.005, loop.stop)  # news are drawn one turn of the loop later
        loop.run_forever()

    def widgets(self) -> Iterator[Any]:
        """Every widget on the page."""
        waiting: list[Any] = [self.root]
        while waiting:
            widget = waiting.pop(0)
            if not isinstance(widget, str):
                yield widget
                waiting = [*(getattr(widget, "children", None) or []), *waiting]

    @property
    def text(self) -> str:
        """Every word on the page, also those that templates show."""
        found: list[str] = []
        for widget in self.widgets():
            found += [child for child in getattr(widget, "children", None) or [] if isinstance(child, str)]
            for name in ("card", "handed", "waiting", "parts", "rows", "seats", "said", "label", "question"):
                if widget.has_trait(name):
                    found += _strings(getattr(widget, name))
        return " ".join(found)

    def template(self, event: str) -> Any:
        """The widget whose template sends an event of this name."""
        return next(widget for widget in self.widgets() if hasattr(widget, f"vue_{event}"))

    def send(self, event: str, payload: Any) -> None:
        """What a browser sends."""
        with self.context:
            getattr(self.template(event), f"vue_{event}")(payload)
        self.look()

    def press(self, label: str) -> None:
        """Press the button with this label."""
        for widget in self.widgets():
            if getattr(widget, "tag", "") == "button" and label in [" ".join(_strings(widget.children)), (widget.children or [""])[0]]:
                with self.context:
                    widget.click()
                self.look()
                return
        raise AssertionError(f"there is no button {label!r}")

    def close(self) -> None:
        """The page goes."""
        with self.context:
            self.rendered.close()


def _strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for part in value.values() for text in _strings(part)]
    if isinstance(value, list | tuple):
        return [text for part in value for text in _strings(part)]
    return _strings(value.children) if hasattr(value, "children") else []
