"""What somebody who can reach the server may send to it over a websocket, sent to every tab of a server that runs: it has no effect."""

import json
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import Site
from page_socket import WAIT, PageSocket
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from cspsim.web.server import apply_settings

apply_settings()

from cspsim.web import inbox  # noqa: E402
from cspsim.web.app import TABS  # noqa: E402

HERE = Path(__file__).resolve().parent
EVIL = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, Path]]:
    """A server of its own, and a folder that it imports from: with a file to be emptied and a module that says when it is imported."""
    folder = tmp_path_factory.mktemp("attacked")
    (folder / "treasure.txt").write_text("gold")
    (folder / "planted.py").write_text(f"open({str(folder / 'imported')!r}, 'w').close()\n")
    patch = pytest.MonkeyPatch()
    patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH", str(HERE.parent))])))
    found = Site.started(script=HERE / "web_attacked.py")
    patch.undo()
    yield found, folder
    if found.process.poll() is None:
        found.stop()


def exploits(page: PageSocket, victim: PageSocket, folder: Path) -> list[tuple[str, Any]]:
    """The four attacks, as messages to a channel. Each works on a server that lets them through."""
    own, box = page.made_of("VuetifyTemplateModel"), page.made_of("HtmlModel")
    theirs = victim.made_of("VuetifyTemplateModel")

    def to(comm: str, data: dict[str, Any]) -> tuple[str, Any]:
        return "comm_msg", {"comm_id": comm, "data": data}

    def custom(comm: str, **content: Any) -> tuple[str, Any]:
        return to(comm, {"method": "custom", "content": content})

    def update(comm: str, **state: Any) -> tuple[str, Any]:
        return to(comm, {"method": "update", "state": state, "buffer_paths": []})

    logs = {"filename": str(folder / "treasure.txt"), "filemode": "w", "force": True, "format": "import os", "level": 0}
    made = {"_model_module": "@jupyter-widgets/controls", "_model_module_version": "2.0.0", "_model_name": "HTMLModel"}
    return [
        custom(own, create_widget=["logging", "basicConfig"], props=logs, id="1"),
        custom(own, create_widget=["planted", "Any"], props={}, id="2"),
        custom(own, create_widget=["ipywidgets", "HTML"], props={"value": EVIL}, id="3"),
        custom(own, update_ref=EVIL, prop="template", id=own),
        custom(own, update_ref={"objectRef": "keys", "path": [0]}, prop="css", id=own),
        custom(own, create_widget=["ipywidgets", "HTML"], props={"value": {"functionRef": "close"}}, id="4"),
        custom(own, destroy_widget=own),
        custom(own, event="_handle_event", data=None),
        custom(own, event="change", data={"__class__": 1}),
        custom(own, event="event_change", data="x"),
        custom(box, event="click.evil", data={}),
        *(update(own, **{name: EVIL}) for name in ("template", "css", "methods", "data", "_view_module", "_model_module")),
        *(update(own, **{name: []}) for name in ("events", "components", "_component_instances")),
        update(own, scoped=True, layout=None),
        update(page.made_of("TemplateModel"), template=EVIL),
        update(box, children=[EVIL]),
        update(box, attributes={"onclick": "alert(1)"}),
        update(box, tag="script", v_slots=[]),
        update(page.made_of("ThemeModel"), dark_effective="no"),
        update(page.made_of("ThemeModel"), dark_effective=True, _model_module="evil"),
        *(update(theirs, template=EVIL) for _ in range(2)),
        custom(theirs, create_widget=["planted", "Any"], props={}, id="5"),
        ("comm_open", {"comm_id": "made", "target_name": "jupyter.widget", "data": {"state": made, "buffer_paths": []}}),
        ("comm_open", {"comm_id": own, "target_name": "solara.control", "data": {}}),
        ("comm_open", {"comm_id": "other", "target_name": "planted.Any", "target_module": "planted", "data": {}}),
        ("comm_close", {"comm_id": own, "data": {}}),
        to(page.control, {"method": "run", "args": {"path": "/kit"}}),
        to(page.control, {"method": "run", "args": {"path": "/kit", "appName": "planted"}}),
        to(page.control, {"method": "reload", "path": "/kit"}),
        to(page.control, {"method": "evict"}),
        ("execute_request", {"code": f"open({str(folder / 'treasure.txt')!r}, 'w')", "silent": False}),
        ("is_complete_request", {"code": "1"}),
        ("history_request", {}),
        ("input_reply", {"value": "1"}),
        ("shutdown_request", {"restart": False}),
    ]  # fmt: skip


def rubbish(page: PageSocket) -> list[str | bytes]:
    """What is not even a message."""
    own = page.made_of("VuetifyTemplateModel")
    header = {"msg_id": "1", "msg_type": "kernel_info_request", "session": "1", "version": "5.2"}

    def message(content: Any = None, **more: Any) -> str:
        return json.dumps({"header": header, "content": content or {}, "channel": "shell", **more})

    def change(text: str) -> str:
        data = {"method": "custom", "content": {"event": "change", "data": "DATA"}}
        told = {"header": {**header, "msg_type": "comm_msg"}, "content": {"comm_id": own, "data": data}, "channel": "shell"}
        return json.dumps(told).replace('"DATA"', text)

    parts = (1).to_bytes(4) + (8).to_bytes(4) + message().encode()
    return [
        "", "{", "null", "[]", "7", '"kernel_info_request"', "{}", '{"header": 1}', '{"header": {"msg_type": ["comm_msg"]}}',
        b"", b"\x00" * 40, parts, b"\xff" * 70_000,
        message(channel="iopub"), message(buffers=["x"]), message(channel=None), message({"a": "x" * 70_000}),
        message().replace('"1"', '""'), message().replace('"1"', '"' + "x" * 200 + '"'), message().replace('"1"', '{"a": 1}'),
        message().replace('"1"', '"\\ud800"'), message({"a": [[[[[[[[[[1]]]]]]]]]]}), "[" * 60_000, '{"a":' * 10_000,
        *(change(text) for text in ("NaN", "Infinity", "1e999", "9" * 400, "9" * 5_000, '"\\udfff"', "[]", "{}")),
    ]  # fmt: skip


def is_quiet(page: PageSocket) -> list[dict[str, Any]]:
    """What the page says until it has dealt with all that was sent to it; nothing if it is no more."""
    asked = page.send("kernel_info_request", {})
    heard = []
    for message in page.heard():
        heard.append(message)
        if message["msg_type"] == "kernel_info_reply" and message["parent_header"].get("msg_id") == asked:
            return heard
    return []


def nobody_is_told_anothers_page(attacker: PageSocket, victim: PageSocket) -> None:
    """The channel that hands out the state of a whole page, after a connection came back, knows whose page it is."""
    for page in (victim, attacker):
        page.send("comm_open", {"comm_id": f"states-{page.kernel}", "target_name": "jupyter.widget.control", "data": {}})
    is_quiet(attacker)
    victim.tell(f"states-{victim.kernel}", {"method": "request_states"})
    told = victim.answer(f"states-{victim.kernel}", "update_states")
    assert told is not None
    assert set(told["states"]) <= set(victim.widgets)
    assert f"states-{attacker.kernel}" not in {message["content"].get("comm_id") for message in is_quiet(attacker)}
    with pytest.raises(InvalidStatus, match="403"):
        PageSocket(attacker.site, attacker.cookie, victim.kernel)
    with pytest.raises(InvalidStatus, match="403"):
        connect(
            f"{attacker.site.address.replace('http', 'ws', 1)}/later", additional_headers={"Cookie": attacker.cookie}, open_timeout=WAIT
        )


def lost_pages_give_way(site: Site) -> None:
    """Of three pages whose connection was lost the last two are kept; the one that stays open was there before them."""
    there = PageSocket(site).open("/kit")
    pages = [PageSocket(site, there.cookie).open("/kit") for _ in range(3)]
    for page in pages:
        page.close()
        time.sleep(0.2)
    back = [PageSocket(site, there.cookie, page.kernel) for page in pages]
    assert [page.runs() for page in back] == [False, True, True]
    assert there.runs()
    for page in (there, *back):
        page.close()


def test_what_an_attacker_sends_to_any_tab_does_nothing_and_is_counted(attacked: tuple[Site, Path]) -> None:
    site, folder = attacked
    sent = 0
    for tab in TABS:
        victim = PageSocket(site).open(f"/{tab.path}")
        attacker = PageSocket(site).open(f"/{tab.path}")
        theirs = victim.made_of("VuetifyTemplateModel")
        before = {name: victim.state(name) for name in (theirs, victim.made_of("HtmlModel"))}
        own = {name: attacker.state(name) for name in (attacker.made_of("VuetifyTemplateModel"), attacker.made_of("HtmlModel"))}
        is_quiet(attacker)

        attacks, noise = exploits(attacker, victim, folder), rubbish(attacker)
        for kind, content in attacks:
            attacker.send(kind, content)
        said = is_quiet(attacker)
        assert (folder / "treasure.txt").read_text() == "gold"
        assert sorted(path.name for path in folder.iterdir()) == ["planted.py", "treasure.txt"]
        for raw in noise:
            attacker.wire.send(raw)
        sent += len(attacks) + len(noise)
        said += is_quiet(attacker)
        assert sum(message["msg_type"] == "kernel_info_reply" for message in said) == 2, f"{tab.path}: the page has ended"
        assert EVIL not in json.dumps(said)
        answered = {message["content"].get("comm_id") for message in said} | {None}
        assert answered <= {None, *attacker.widgets} - {"made", "other", attacker.control}, f"{tab.path}: something had an effect"
        assert {name: attacker.state(name) for name in own} == own
        assert {name: victim.state(name) for name in before} == before
        assert attacker.runs()
        assert victim.runs()
        victim.event(victim.button("Notes"), "click", {"screenX": 1})
        assert any(message["msg_type"] == "comm_open" for message in is_quiet(victim)), "the victim's buttons no longer work"
        nobody_is_told_anothers_page(attacker, victim)
        for page in (attacker, victim):
            page.send("shutdown_request", {"restart": False}, channel="control")
            page.close()
    lost_pages_give_way(site)
    assert site.stop() == 0
    told = re.findall(r"dropped so far: ([\d,]+) \((.*)\)", "".join(site.lines))
    assert told[-1][0] == f"{sent:,}", told[-1]
    assert "\n".join(site.lines).count("dropped so far") <= 3 + sent // 1000, "the log can be filled"
    assert EVIL not in "".join(site.lines)
    assert inbox.UNCHECKED not in "".join(site.lines)
    assert "Traceback" not in "".join(site.lines)
