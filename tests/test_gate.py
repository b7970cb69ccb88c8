"""Who is let in: names, entry codes, cookies, headers of proxies, guesses, links; over a real server where it is about the network."""

import asyncio
import http.client
import os
import re
import socket
import subprocess
import sys
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from browser import Site, site, visitor_cookie

from cspsim.basics.errors import CspsimError
from cspsim.web import gatekeeper, quick_code, reach
from cspsim.web.gate import Gate
from cspsim.web.gatekeeper import Gatekeeper, drawn_secrets
from cspsim.web.guesses import Guesses
from cspsim.web.reach import Reach

HANDSHAKE = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
}
CHANNEL = "/jupyter/api/kernels/1/channels?session_id=1"
POISON = '"></script><script>alert(1)</script>'


class Answer:
    """What a server answered."""

    def __init__(self, place: Site, path: str, method: str = "GET", **headers: str) -> None:
        connection = http.client.HTTPConnection(place.address.removeprefix("http://"), timeout=30)
        connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        found = connection.getresponse()
        self.status, self.headers = found.status, found.headers
        self.text = "" if found.status == 101 else found.read().decode("utf-8", "replace")
        connection.close()


@pytest.fixture(scope="module")
def other() -> Any:
    """The server of ``gate_server.py``; the first request it gets is a poisoned one."""
    place = Site.started(script=Path(__file__).with_name("gate_server.py"))
    poisoned = dict.fromkeys(("X-Script-Name", "Script-Name", "X-Forwarded-Host", "X-Forwarded-Prefix", "Forwarded"), POISON)
    assert Answer(place, "/explore", Cookie=visitor_cookie(place), X_Forwarded_Proto="http", **poisoned).status == 200
    yield place
    assert place.stop() == 0


class TestEntry:
    @pytest.mark.parametrize(
        "path", ["/", "/explore", "/play/ABC234", "/theme.css", "/static/main-vuetify.js", "/_solara/cdn/x", "/resourcez", "/nowhere"]
    )
    def test_without_the_link_there_is_nothing_but_a_page_that_says_what_to_do(self, path: str) -> None:
        answer = Answer(site(), path)
        assert answer.status == 403
        assert "Ask whoever runs this session for the link" in answer.text
        assert "<script" not in answer.text

    def test_without_the_link_no_websocket_opens(self) -> None:
        assert Answer(site(), CHANNEL, Origin=site().address, **HANDSHAKE).status == 403
        assert Answer(site(), f"{CHANNEL}&{site().entry}", Origin=site().address, **HANDSHAKE).status == 403
        assert Answer(site(), CHANNEL, Origin=site().address, Cookie=visitor_cookie(site()), **HANDSHAKE).status == 101

    def test_whether_it_runs_is_told_to_everybody(self) -> None:
        assert Answer(site(), "/readyz").text == '{"status":"ok"}'

    def test_the_link_gives_a_cookie_and_leaves_the_address(self) -> None:
        answer = Answer(site(), site().link("/play/ABC234?a=1"))
        assert answer.status == 303
        assert answer.headers["location"] == "/play/ABC234?a=1"
        assert answer.headers["cache-control"] == "no-store"
        assert "Secure" not in answer.headers["set-cookie"]
        once = Answer(site(), "/explore", Cookie=str(answer.headers["set-cookie"]).partition(";")[0])
        assert once.status == 200
        assert once.headers["set-cookie"] is None

    def test_a_link_leads_to_this_server_only(self) -> None:
        for path in ("//attacker.example/x", "/\\attacker.example/x", "/%2F%2Fattacker.example"):
            assert str(Answer(site(), site().link(path)).headers["location"])[:2] not in ("//", "/\\")

    def test_the_form_keeps_what_else_the_address_holds_and_shows_it_as_text(self) -> None:
        answer = Answer(site(), "/explore?seed=5&x=%22%3E%3Cscript%3E")
        assert '<input type="hidden" name="seed" value="5">' in answer.text
        assert "<script" not in answer.text

    def test_who_is_in_keeps_the_same_id_when_they_use_the_link_again(self) -> None:
        assert Answer(site(), site().link("/play"), Cookie=visitor_cookie(site())).headers["set-cookie"] is None

    def test_a_cookie_that_was_not_given_out_opens_nothing(self) -> None:
        name, _, value = visitor_cookie(site()).partition("=")
        chosen = [f"{name}=0{value[1:]}", f"{name}=x.{value.rpartition('.')[2]}", f"{name}=", f"{name}={value[:-1]}", f"other={value}"]
        chosen += [f"solara-session-id={value}", "solara-session-id=my-own; solara-session-id-lax=my-own"]
        assert [Answer(site(), "/explore", Cookie=cookie).status for cookie in chosen] == [403] * len(chosen)

    def test_odd_cookies_of_other_programs_do_not_hide_ours(self) -> None:
        assert Answer(site(), "/explore", Cookie=f'a={{"b": 1}}; c d=e[]; {visitor_cookie(site())}; =x').status == 200


class TestKeeper:
    def test_codes_are_typed_as_people_type_and_tickets_work_once(self) -> None:
        now = [0.0]
        keeper = Gatekeeper(drawn_secrets(), lambda: now[0])
        code = keeper.code
        for typed in (code, code.lower(), f" {code[:4]} {code[4:8]}-{code[8:]} "):
            assert keeper.is_entry_code(typed)
        for wrong in ("", code[:-1], f"{code}A", "\N{SNOWMAN}", "\udcff"):
            assert not keeper.is_entry_code(wrong)
        ticket = keeper.ticket()
        assert [keeper.is_entry_code(ticket) for _ in range(2)] == [True, False]
        late = keeper.ticket()
        now[0] += gatekeeper.TICKET_LASTS + 1
        assert not keeper.is_entry_code(late)

    def test_the_browser_is_opened_with_a_ticket_and_not_with_the_code(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from cspsim.web import server

        opened: list[str] = []
        monkeypatch.setattr(server.webbrowser, "open", opened.append)
        keeper = Gatekeeper(drawn_secrets())
        server._tell_ready(Reach("127.0.0.1", 80, keeper.code), keeper, True, lambda _: None)
        given = parse_qs(urlsplit(opened[0]).query)[reach.ENTRY][0]
        assert given != keeper.code
        assert keeper.is_entry_code(given)

    def test_an_id_marks_its_machine_without_its_address(self) -> None:
        keeper = Gatekeeper(drawn_secrets())
        same = ["2001:db8::1", "2001:db8::2", "2001:db8:0:1::1", "10.0.0.1", "::ffff:10.0.0.1", "10.0.0.2"]
        marks = [gatekeeper.machine_of(keeper.visitor_of(keeper.new_cookie(address))) for address in same]
        assert marks[0] == marks[1]
        assert marks[3] == marks[4]
        assert len(set(marks)) == 4
        assert gatekeeper.machine_of("session-0123456789") == ""


class TestNames:
    @pytest.mark.parametrize(
        ("host", "here", "known"),
        [
            ("127.0.0.1:80", "127.0.0.1", True),
            ("localhost:8765", "127.0.0.1", True),
            ("LOCALHOST", "127.0.0.1", True),
            ("[::1]:80", "::1", True),
            ("192.0.2.7:80", "192.0.2.7", True),
            ("192.0.2.7", "::ffff:192.0.2.7", True),
            ("[2001:db8::7]:80", "2001:0db8::7", True),
            (f"{socket.gethostname()}:80", "192.0.2.7", True),
            ("course.example.org", "192.0.2.7", True),
            ("localhost.attacker.example", "127.0.0.1", False),
            ("attacker.example:80", "192.0.2.7", False),
            ("192.0.2.8", "192.0.2.7", False),
            ("0.0.0.0:80", "127.0.0.1", False),
            ("", "127.0.0.1", False),
            ("", "", False),
        ],
    )
    def test_own_names_and_addresses_in_every_mode(self, host: str, here: str, known: bool) -> None:
        for listening in ("127.0.0.1", "0.0.0.0", "192.0.2.7"):
            assert Reach(listening, 80, "CODE", ("course.example.org",)).answers_to(host, here) is known

    def test_a_name_made_to_lead_here_is_refused_in_the_network_and_with_a_cookie(self, other: Site) -> None:
        cookie = visitor_cookie(other)
        for path, headers in (("/explore", {}), ("/readyz", {}), (CHANNEL, HANDSHAKE)):
            assert Answer(other, path, Host="attacker.example", Cookie=cookie, **headers).status == 403
        assert "--allow-host" in Answer(other, "/explore", Host="attacker.example").text
        assert Answer(other, "/explore", Host="course.example.org", Cookie=cookie).status == 200

    @pytest.mark.parametrize("name", ["http://course.example.org", "course.example.org:443", "*", "", "a b", "[::1]"])
    def test_names_that_no_browser_uses_are_refused(self, name: str) -> None:
        with pytest.raises(CspsimError, match="--allow-host"):
            reach.checked_names([name])

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["--allow-host", "https://x.example"], "expected a name or address"),
            (["--behind-proxy", "127.0.0.1"], "say with --allow-host"),
            (["--behind-proxy", "*", "--allow-host", "x.example"], "expected the address that the proxy calls from"),
        ],
    )
    def test_the_command_says_so(self, arguments: list[str], said: str) -> None:
        from typer.testing import CliRunner

        from cspsim.cli import app

        done = CliRunner().invoke(app, ["view", "--no-open", "--rooms", "none", *arguments])
        assert done.exit_code == 2
        assert said in done.output


class TestHeaders:
    def test_what_the_first_request_says_of_paths_and_hosts_is_on_no_later_page(self, other: Site) -> None:
        cookie = visitor_cookie(other)
        for tab in ("explore", "play"):
            page = Answer(other, f"/{tab}", Cookie=cookie).text
            assert "alert(1)" not in page
            assert "cspsim" in page

    def test_no_such_header_comes_through_the_gate_and_no_cookie_of_solara_goes_out(self) -> None:
        seen: list[Any] = []

        async def inner(scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
            seen.append(scope["headers"])
            await send({"type": "http.response.start", "status": 200, "headers": [(b"Set-Cookie", b"solara-session-id=1"), (b"a", b"b")]})

        keeper = Gatekeeper(drawn_secrets())
        cookie = keeper.new_cookie("10.0.0.1")
        names = [
            b"X-Script-Name",
            b"script-name",
            b"x-forwarded-for",
            b"X-Forwarded-Anything",
            b"forwarded",
            b"x-real-ip",
            b"x-original-url",
        ]
        headers = [(b"host", b"localhost"), *((name, b"x") for name in names), (b"cookie", f"{keeper.cookie_name}={cookie}".encode())]
        scope = {"type": "http", "method": "GET", "path": "/", "scheme": "http", "query_string": b"", "headers": headers}
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        asyncio.run(Gate(inner, keeper, Reach("127.0.0.1", 80, keeper.code))(scope, None, send))  # type: ignore[arg-type]
        assert seen == [[(b"host", b"localhost"), (b"cookie", f"solara-session-id={keeper.visitor_of(cookie)}".encode())]]
        assert sent[0]["headers"] == [(b"a", b"b")]

    def test_a_proxy_is_believed_where_it_was_said_and_nowhere_else(self, other: Site) -> None:
        for place, secure in ((other, True), (site(), False)):
            answer = Answer(place, place.link("/play"), X_Forwarded_Proto="https", X_Forwarded_For="198.51.100.9")
            assert ("Secure" in answer.headers["set-cookie"]) is secure


class TestGuesses:
    def test_so_many_of_one_and_of_all_in_a_while_and_the_same_one_again_is_none(self) -> None:
        now = [0.0]
        guesses = Guesses(3, 5, 60, lambda: now[0])
        for guess in ("A", "B", "B", "B"):
            guesses.count_wrong("one", guess)
        assert guesses.may_guess("one")
        guesses.count_wrong("one", "C")
        assert not guesses.may_guess("one")
        assert guesses.may_guess("two")
        guesses.count_wrong("two", "A")
        guesses.count_wrong("three", "A")
        assert not guesses.may_guess("four")
        now[0] = 61
        assert guesses.may_guess("one")

    def test_wrong_entry_codes_are_throttled_and_then_the_right_one_waits_too(self, other: Site) -> None:
        statuses = [
            Answer(other, f"/explore?entry=WRONG{n}", X_Forwarded_For="198.51.100.1").status for n in range(gatekeeper.WRONG_EACH + 1)
        ]
        assert statuses == [403] * gatekeeper.WRONG_EACH + [429]
        assert Answer(other, other.link("/explore"), X_Forwarded_For="198.51.100.1").status == 429
        assert Answer(other, other.link("/explore"), X_Forwarded_For="198.51.100.2").status == 303


class TestLinks:
    def test_only_here_there_is_no_link_for_others(self) -> None:
        here = Reach("127.0.0.1", 80, "CODE")
        assert here.links() == []
        assert "Only this machine can open it" in here.who
        assert here.own_link() == "http://127.0.0.1:80/?entry=CODE"

    def test_in_a_network_the_machines_addresses_are_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(reach, "network_addresses", lambda: ["192.0.2.7", "2001:db8::7"])
        links = Reach("0.0.0.0", 80, "CODE").links("play/ABC234")
        assert links == ["http://192.0.2.7:80/play/ABC234?entry=CODE"]
        assert Reach("::", 80, "CODE").links()[1] == "http://[2001:db8::7]:80/?entry=CODE"
        assert Reach("192.0.2.9", 80, "CODE", ("laptop.example",)).links() == [
            "http://192.0.2.9:80/?entry=CODE",
            "http://laptop.example:80/?entry=CODE",
        ]
        assert "Nothing is encrypted" in Reach("0.0.0.0", 80, "CODE").who

    def test_behind_a_proxy_it_is_the_proxys(self, other: Site) -> None:
        assert Reach("127.0.0.1", 80, "CODE", ("course.example.org",), True).links("play") == ["https://course.example.org/play?entry=CODE"]
        assert f"https://course.example.org/?{other.entry}\n" in other.lines

    def test_addresses_are_those_that_others_can_use(self) -> None:
        for address in reach.network_addresses():
            assert not address.startswith(("127.", "169.254.", "fe80", "::1"))

    def test_the_server_says_who_can_open_it_and_shows_a_code(self, other: Site) -> None:
        said = "".join(other.lines)
        assert "Everybody who can reach the proxy and has this link can open it." in said
        assert re.search("[█▀▄ ]{30}", said)
        assert "Only this machine can open it" in "".join(site().lines)
        assert "█" not in "".join(site().lines)

    def test_the_drawing_is_the_code_of_the_link(self) -> None:
        import segno

        link = "http://192.0.2.7:80/play/ABC234?entry=ABCDEFGHJKMN"
        drawn = quick_code.quick_code(link)
        dark = {(int(x) - 4, int(y) - 4) for x, y in re.findall(r"M(\d+) (\d+)h1v1h-1z", drawn.path)}
        rows = segno.make(link, error="m", micro=False).matrix
        assert dark == {(x, y) for y, row in enumerate(rows) for x, one in enumerate(row) if one}
        assert drawn.side == len(rows) + 8

    def test_a_console_without_the_characters_gets_the_link_only(self) -> None:
        code = "from cspsim.web.quick_code import code_in_blocks; print(repr(code_in_blocks('http://192.0.2.7/')))"
        done = subprocess.run([sys.executable, "-c", code], env={"PYTHONIOENCODING": "ascii", **_path()}, capture_output=True, check=True)
        assert done.stdout.strip() == b"''"


def _path() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name in ("PATH", "PYTHONPATH", "SYSTEMROOT", "HOME")}
