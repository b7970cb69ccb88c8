"""What is passed on of what browsers send, and which pages are kept whose connection was lost."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from play_visitor import Visitor

from cspsim.web.server import apply_settings

apply_settings()

import ipyvuetify  # noqa: E402
import solara.lab  # noqa: E402
import traitlets  # noqa: E402
from solara.server.kernel import Kernel  # noqa: E402
from solara.server.kernel_context import PageStatus, VirtualKernelContext, contexts  # noqa: E402
from solara.widgets.widgets import Navigator  # noqa: E402

from cspsim.basics.errors import CspsimError  # noqa: E402
from cspsim.web import connections, inbox, messages  # noqa: E402
from cspsim.web.inbox import DroppedMessages, guard_inbox  # noqa: E402
from cspsim.web.messages import MessageRefused, checked_message  # noqa: E402


class TestChecked:
    @pytest.fixture
    def page(self) -> Iterator[Visitor]:
        guard_inbox()
        found = Visitor("/play", "one")
        yield found
        found.context.close()

    @staticmethod
    def passed(page: Visitor, comm: str, data: Any) -> Any:
        header = {"msg_id": "1", "session": "1", "version": "5.2", "msg_type": "comm_msg", "evil": 1}
        raw = json.dumps({"header": header, "channel": "shell", "content": {"comm_id": comm, "data": data, "evil": 1}, "evil": 1})
        clean = checked_message(raw, page.context)
        assert "evil" not in clean
        return json.loads(clean)["content"]["data"]

    def test_what_pages_need_passes_and_nothing_beside_it(self, page: Visitor) -> None:
        join = page.template("join").model_id
        said = {"method": "custom", "content": {"event": "join", "data": {"code": "a", "name": "b", "evil": 1}}, "buffers": 1}
        assert self.passed(page, join, said) == {"method": "custom", "content": {"event": "join", "data": {"code": "a", "name": "b"}}}
        button = next(widget for widget in page.widgets() if getattr(widget, "tag", "") == "button" and widget._event_handlers_map)
        click = {"method": "custom", "content": {"event": "click", "data": {"evil": 1}}}
        assert self.passed(page, button.model_id, click) == {"method": "custom", "content": {"event": "click", "data": {}}}
        place = next(widget for widget in page.context.widgets.values() if type(widget) is Navigator)
        moved = {"method": "update", "state": {"location": "/play/ABC"}, "buffer_paths": [["evil"]]}
        assert self.passed(page, place.model_id, moved) == {"method": "update", "state": {"location": "/play/ABC"}, "buffer_paths": []}

    @pytest.mark.parametrize("data", [{"code": "a"}, {"code": 1, "name": "b"}, {"code": "a", "name": "b" * 2_001}, ["a", "b"], None, "a"])
    def test_an_event_with_another_argument_is_refused(self, page: Visitor, data: Any) -> None:
        with pytest.raises(MessageRefused, match="not of its kind"):
            self.passed(page, page.template("join").model_id, {"method": "custom", "content": {"event": "join", "data": data}})

    @pytest.mark.parametrize("place", ["//evil.example", "https://evil.example", "", "/" + "x" * 8_000, "/a\nb", 1, None])
    def test_an_address_elsewhere_is_refused(self, page: Visitor, place: Any) -> None:
        here = next(widget for widget in page.context.widgets.values() if type(widget) is Navigator)
        with pytest.raises(MessageRefused, match="not of its kind"):
            self.passed(page, here.model_id, {"method": "update", "state": {"location": place}})

    def test_a_widget_that_a_library_adds_later_hears_nothing(self, page: Visitor) -> None:
        class Later(ipyvuetify.VuetifyTemplate):  # type: ignore[misc]
            template = traitlets.Unicode("<p></p>").tag(sync=True)
            value = traitlets.Unicode("").tag(sync=True)

            def __init__(self) -> None:
                super().__init__()
                self.heard: list[Any] = []

            def vue_boom(self, data: Any) -> None:
                self.heard.append(data)

        class Elsewhere(Navigator):  # type: ignore[misc]
            pass

        with page.context:
            later, elsewhere = Later(), Elsewhere()
            toggle, _ = solara.render(solara.lab.ThemeToggle(), handle_error=False)
        asked: list[tuple[Any, Callable[[str], Any]]] = [
            (later, lambda comm: {"method": "custom", "content": {"event": "boom", "data": 1}}),
            (later, lambda comm: {"method": "update", "state": {"value": "x"}}),
            (elsewhere, lambda comm: {"method": "update", "state": {"location": "/x"}}),
            (toggle.children[0], lambda comm: {"method": "custom", "content": {"event": "sync_themes", "data": "dark"}}),
        ]
        for widget, message in asked:
            with pytest.raises(MessageRefused):
                self.passed(page, widget.model_id, message(widget.model_id))
        with page.context:  # and were it let through, ipyvue's own handler is no longer there
            later._handle_custom_msg({"event": "boom", "data": 1}, [])
            later._handle_custom_msg({"create_widget": ["planted", "Any"], "props": {}, "id": "1"}, [])
        assert later.heard == []

    def test_every_template_of_ours_declares_its_events(self) -> None:
        bare = [path for path in Path(messages.__file__).parent.rglob("*.py") if "component_vue(" in path.read_text(encoding="utf-8")]
        assert [path.name for path in bare] == ["event_types.py"]

    def test_so_many_channels_and_no_more(self, page: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(messages, "MOST_CHANNELS", 1)
        header = {"msg_id": "1", "session": "1", "version": "5.2", "msg_type": "comm_open"}
        message = {"header": header, "channel": "shell", "content": {"comm_id": "a", "target_name": messages.SOLARA}}
        page.context.kernel.comm_manager.comms["b"] = type("Comm", (), {"target_name": messages.STATES, "comm_id": "b"})()
        with pytest.raises(MessageRefused, match="one channel too many"):
            checked_message(json.dumps(message), page.context)
        del page.context.kernel.comm_manager.comms["b"]
        assert json.loads(checked_message(json.dumps(message), page.context))["content"]["comm_id"] == "a"


class TestInbox:
    def test_dropped_messages_are_counted_and_said_once_in_a_while(self) -> None:
        said: list[str] = []
        times = iter([0.0, 1.0, 59.0, 61.0])
        drops = DroppedMessages(said.append, lambda: next(times))
        for reason in ("binary", "binary", "too long", "binary"):
            drops.add(reason)
        assert said == [
            "Messages of browsers that were dropped so far: 1 (binary: 1).",
            "Messages of browsers that were dropped so far: 4 (binary: 3; too long: 1).",
        ]
        assert DroppedMessages().sentence() == ""

    def test_a_solara_that_reads_messages_elsewhere_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        async def app_loop(websocket: Any) -> None:
            await websocket.read()

        monkeypatch.setattr(inbox.server, "app_loop", app_loop)
        with pytest.raises(CspsimError, match="does not know this version"):
            guard_inbox()


class TestLostPages:
    def test_the_first_that_was_lost_gives_way_and_an_open_one_never(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(connections, "MOST_KEPT", 3)
        monkeypatch.setattr(connections, "_lost", {})
        names = [f"lost-{k}" for k in range(6)]
        pages = {}
        for name in names:
            pages[name] = contexts[name] = VirtualKernelContext(id=name, session_id=name, kernel=Kernel())
            pages[name].page_status["page"] = PageStatus.CONNECTED
        try:
            for name in names[:5]:
                pages[name].page_status["page"] = PageStatus.DISCONNECTED
                if name == "lost-3":
                    pages["lost-0"].page_status["page"] = PageStatus.CONNECTED  # somebody came back
                connections.give_way(name)
            assert [name for name in names if name in contexts] == ["lost-0", "lost-2", "lost-3", "lost-4", "lost-5"]
            pages["lost-0"].page_status["page"] = PageStatus.DISCONNECTED  # and went again: now the last to have gone
            connections.give_way("lost-0")
            assert [name for name in names if name in contexts] == ["lost-0", "lost-3", "lost-4", "lost-5"]
            connections.give_way("lost-0")
            connections.give_way("nobody")
            assert len(connections._lost) == 3
        finally:
            for name in names:
                if name in contexts:
                    contexts[name].close()
