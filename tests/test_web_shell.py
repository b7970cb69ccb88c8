"""The shell of the web view without a browser: settings, server, guard, scenarios, theme, and what parts say."""

import asyncio
import http.client
import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import MutableMapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from browser import Site, site, visitor_cookie
from hypothesis import given
from hypothesis import strategies as st

from cspsim.basics.errors import CspsimError
from cspsim.model.parameters import Levers, RegisterEntry
from cspsim.web import chart_options, guard, reach, server, theme
from cspsim.web import shown_scenarios as scenarios
from cspsim.web.chart import file_name_of
from cspsim.web.chart_options import Line, line_option
from cspsim.web.number_field import bounded, range_in_words, step_of
from cspsim.web.table import Table, as_csv, number_columns, shown_cell

MINUS, DASH = "\N{MINUS SIGN}", "\N{EN DASH}"
LEVERS: dict[str, RegisterEntry] = Levers._field_defaults


class TestSettings:
    TOLD = """
import json
from cspsim.web.server import apply_settings
apply_settings()
import solara.server.settings as s, solara.settings as g
print(json.dumps([s.main.mode, s.telemetry.mixpanel_enable, s.session.http_only, s.theme.show_banner, s.kernel.cull_timeout,
                  s.kernel.max_count, s.kernel.max_per_session, g.assets.cdn, s.assets.fontawesome_enabled, s.telemetry.server_user_id]))
"""

    def test_what_the_shell_had_set_gives_way(self) -> None:
        loud = {
            "SOLARA_MODE": "development",
            "SOLARA_TELEMETRY_MIXPANEL_ENABLE": "true",
            "SOLARA_ASSETS_CDN": "https://cdn.jsdelivr.net/npm/",
        }
        said = subprocess.run(
            [sys.executable, "-c", self.TOLD], env={**os.environ, **loud}, capture_output=True, text=True, check=True
        ).stdout
        assert json.loads(said) == ["production", False, True, False, "15m", 200, 30, "http://127.0.0.1:9/", False, "nobody"]

    def test_the_address_in_place_of_the_network_refuses(self) -> None:
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.1", 9), timeout=5)

    def test_missing_packages_are_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(server.importlib.util, "find_spec", lambda name: None)
        with pytest.raises(CspsimError, match=re.escape('pip install "cspsim[web]"')):
            server.apply_settings()

    def test_a_front_end_that_does_not_fit_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(server.importlib.metadata, "version", lambda name: "3.0.0")
        with pytest.raises(CspsimError, match=r"found 3\.0\.0"):
            server.apply_settings()


class TestAddresses:
    def test_a_taken_port_gives_way_to_a_free_one(self) -> None:
        with server.bound_socket("127.0.0.1", 0) as first:
            taken = first.getsockname()[1]
            with server.bound_socket("127.0.0.1", taken) as second:
                assert second.getsockname()[1] not in (0, taken)

    def test_a_free_port_is_taken_as_asked(self) -> None:
        with server.bound_socket("127.0.0.1", 0) as first:
            port = first.getsockname()[1]
        with server.bound_socket("127.0.0.1", port) as again:
            assert again.getsockname()[1] == port

    @pytest.mark.parametrize("host", ["no-such-host.invalid", "192.0.2.1"])
    def test_a_host_that_is_not_ours_is_refused(self, host: str) -> None:
        with pytest.raises(CspsimError, match=f"cannot listen on {host}"):
            server.bound_socket(host, 0)

    @pytest.mark.parametrize(
        ("host", "address"),
        [
            ("127.0.0.1", "http://127.0.0.1:80/"),
            ("0.0.0.0", "http://127.0.0.1:80/"),
            ("::", "http://[::1]:80/"),
            ("::1", "http://[::1]:80/"),
        ],
    )
    def test_what_the_browser_is_to_open(self, host: str, address: str) -> None:
        assert reach.address_of(host, 80) == address


class TestCommand:
    @pytest.mark.parametrize(
        ("arguments", "said"),
        [(["--scenario", "nowhere.toml"], "no such scenario"), (["--host", "192.0.2.1", "--no-open"], "cannot listen")],
    )
    def test_faults_end_with_a_sentence(self, arguments: list[str], said: str) -> None:
        done = subprocess.run([sys.executable, "-m", "cspsim.cli", "view", *arguments], capture_output=True, text=True, timeout=240)
        assert done.returncode == 2
        assert said in done.stderr
        assert "Traceback" not in done.stderr

    def test_a_server_of_ones_own_shows_ones_own_scenario_says_its_port_and_ends_with_ctrl_c(self, tmp_path: Path) -> None:
        mine = tmp_path / "mine.toml"
        mine.write_text('extends = "baseline"\ntitle = "Mine"\n')
        with server.bound_socket("127.0.0.1", 0) as taken:
            port = taken.getsockname()[1]
            own = Site.started("--scenario", str(mine), "--port", str(port))
            assert f"Port {port} is taken" in "".join(own.lines)
            assert not own.address.endswith(f":{port}")
        assert own.stop() == 0
        assert "The web view has ended." in "".join(own.lines)
        assert "Traceback" not in "".join(own.lines)


class TestScenarios:
    @pytest.fixture(autouse=True)
    def forgotten(self) -> Any:
        yield
        scenarios.forget_scenarios()

    def test_those_named_stand_beside_the_shipped_ones(self, tmp_path: Path) -> None:
        file = tmp_path / "mine.toml"
        file.write_text('extends = "baseline"\ntitle = "Mine"\n')
        assert scenarios.add_scenarios([str(file)]) == ["mine"]
        assert scenarios.known_names()[0] == "mine"
        assert "baseline" in scenarios.known_names()
        assert scenarios.scenario_of("mine").title == "Mine"
        assert scenarios.entries()[0] == scenarios.ScenarioEntry("mine", "Mine", scenarios.scenario_of("baseline").question)
        with pytest.raises(CspsimError, match="already"):
            scenarios.add_scenarios([str(file)])

    def test_pages_get_names_of_the_list_and_no_path_or_stack(self, tmp_path: Path) -> None:
        file = tmp_path / "secret.toml"
        file.write_text('extends = "baseline"\ntitle = "Secret"\n')
        for asked in (
            str(file),
            str(file.with_suffix("")),
            "../../etc/passwd",
            "world/outside-london",
            "baseline.toml",
            "baseline+deeper-cut",
            "",
        ):
            with pytest.raises(CspsimError, match="there is no scenario"):
                scenarios.scenario_of(asked)

    def test_rules_that_a_file_brings_along_are_allowed_only_if_the_server_was_told_so(self, tmp_path: Path) -> None:
        rule = Path(__file__).resolve().parents[1] / "experiments" / "theories" / "trust_by_favours.py"
        (tmp_path / "rule.py").write_text(rule.read_text())
        file = tmp_path / "theory.toml"
        file.write_text('extends = "baseline"\ntitle = "Theory"\n[rules]\nupdate_trust = "rule.py:move_trust"\n')
        for allowed in (False, True):
            scenarios.add_scenarios([str(file)], allowed)
            assert [rival.allowed for rival in scenarios.scenario_of("theory").rivals] == [allowed]
            scenarios.forget_scenarios()

    def test_where_a_file_lies_is_told_on_this_machine_only(self, tmp_path: Path) -> None:
        file = tmp_path / "mine.toml"
        file.write_text('extends = "baseline"\ntitle = "Mine"\n')
        scenarios.add_scenarios([str(file)])
        assert scenarios.file_of("mine") == str(file)
        scenarios.forget_scenarios()
        scenarios.add_scenarios([str(file)], whole_paths=False)
        assert scenarios.file_of("mine") == "mine.toml"
        assert scenarios.file_of("baseline") == "baseline"

    def test_a_shipped_name_cannot_be_taken(self, tmp_path: Path) -> None:
        file = tmp_path / "baseline.toml"
        file.write_text('extends = "no-cuts"\ntitle = "Not the baseline"\n')
        with pytest.raises(CspsimError, match="'baseline' already"):
            scenarios.add_scenarios([str(file)])


@lru_cache(maxsize=1)
def _cookie() -> str:
    """Of a visitor who has been let in."""
    return visitor_cookie(site())


def asked(path: str, method: str = "GET", **headers: str) -> http.client.HTTPResponse:
    """An answer of the one server, its body read."""
    connection = http.client.HTTPConnection(site().address.removeprefix("http://"), timeout=30)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, headers={"Cookie": _cookie(), **named})
    answer = connection.getresponse()
    answer.text = answer.read().decode("utf-8", "replace")  # type: ignore[attr-defined]
    connection.close()
    return answer


class TestServer:
    def test_it_is_ready_and_shows_pages_that_can_be_zoomed_in_a_known_language(self) -> None:
        assert asked("/readyz").status == 200
        page = asked("/explore")
        text = page.text  # type: ignore[attr-defined]
        assert page.status == 200
        assert '<html lang="en-GB">' in text
        assert "user-scalable" not in text
        assert text.count('name="viewport"') == 1
        assert f"/theme.css?v={theme.css_version()}" in text
        assert not re.search(r"""(?:src|href)=["']?(?:https?:)?//""", text)
        assert asked("/theme.css").text == theme.css()  # type: ignore[attr-defined]

    def test_the_session_is_kept_from_scripts_and_the_page_from_other_sites(self) -> None:
        page = asked("/explore")
        given = asked(site().link("/explore"), Cookie="").headers.get_all("set-cookie") or []
        assert len(given) == 1
        assert "HttpOnly" in given[0]
        assert "SameSite=Lax" in given[0]
        assert "Path=/" in given[0]
        policy = page.headers["content-security-policy"]
        assert "connect-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert page.headers["x-content-type-options"] == "nosniff"

    @pytest.mark.parametrize("path", ["/nowhere", "/explorer", "/_solara/cdn/react@18.0.0/index.js", "/.env", "/index.html"])
    def test_what_is_not_there_is_not_found_and_not_fetched(self, path: str) -> None:
        assert asked(path).status == 404

    @pytest.mark.parametrize("base", ["/_solara/cdn", "/static", "/static/public", "/static/assets", "/jupyter/nbextensions", ""])
    @pytest.mark.parametrize("up", ["../" * 12, "%2e%2e/" * 12, "..%2f" * 12, "%2f"])
    def test_no_file_outside_can_be_read(self, base: str, up: str) -> None:
        answer = asked(f"{base}/{up}etc/passwd")
        assert answer.status == 404
        assert "root:" not in answer.text  # type: ignore[attr-defined]

    def test_requests_of_other_sites_and_under_other_names_are_refused(self) -> None:
        assert asked("/explore", Host="attacker.example").status == 403
        assert asked("/explore", Host="attacker.example:80").status == 403
        assert asked("/_solara/api/close/1?session_id=1", "POST", Origin="http://attacker.example").status == 403
        assert asked("/_solara/api/close/1?session_id=1", "POST", Origin="null").status == 403
        assert asked("/_solara/api/close/1?session_id=1", "POST", Origin=site().address).status == 200
        handshake = {
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec_WebSocket_Version": "13",
            "Sec_WebSocket_Key": "AAAAAAAAAAAAAAAAAAAAAA==",
        }
        path = "/jupyter/api/kernels/1/channels?session_id=1"
        assert asked(path, Origin="http://attacker.example", **handshake).status == 403
        assert asked(path, Origin=site().address, **handshake).status == 101


class TestGuard:
    @pytest.mark.parametrize(
        ("origin", "own"),
        [
            ("", True),
            ("http://127.0.0.1:80", True),
            ("http://127.0.0.1:81", False),
            ("null", False),
            ("http://127.0.0.1:80.attacker.example", False),
        ],
    )
    def test_where_a_request_comes_from(self, origin: str, own: bool) -> None:
        assert guard.is_own(origin, "127.0.0.1:80") is own

    def test_one_browser_and_one_machine_get_so_many_pages_and_places_are_free_again(self) -> None:
        gates = [asyncio.Event() for _ in range(guard.MOST_PER_MACHINE + 10)]
        let_in: list[int] = []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            let_in.append(scope["number"])
            await gates[scope["number"]].wait()

        async def visit(guarded: guard.Guard, number: int, cookie: str, machine: str) -> list[Any]:
            sent: list[Any] = []

            async def send(message: Any) -> None:
                sent.append(message)

            async def receive() -> Any:
                return {"type": "websocket.connect"}

            headers = [(b"host", b"127.0.0.1:80"), (b"cookie", f"{guard.COOKIES[number % 2]}={cookie}".encode())]
            scope = {"type": "websocket", "path": "/x", "headers": headers, "client": (machine, 1), "number": number}
            await guarded(scope, receive, send)
            return sent

        async def everybody() -> None:
            guarded = guard.Guard(app)
            own = [asyncio.create_task(visit(guarded, k, "one", "10.0.0.1")) for k in range(guard.MOST_PER_SESSION)]
            await asyncio.sleep(0)
            assert (await visit(guarded, 200, "one", "10.0.0.1"))[0]["code"] == 1013
            rest = range(guard.MOST_PER_SESSION, guard.MOST_PER_MACHINE)
            others = [asyncio.create_task(visit(guarded, k, f"other-{k}", "10.0.0.1")) for k in rest]
            await asyncio.sleep(0)
            assert (await visit(guarded, 201, "somebody-new", "10.0.0.1"))[0]["code"] == 1013
            elsewhere = asyncio.create_task(visit(guarded, guard.MOST_PER_MACHINE, "somebody-new", "10.0.0.2"))
            await asyncio.sleep(0)
            assert let_in[-1] == guard.MOST_PER_MACHINE
            for gate in gates:
                gate.set()
            await asyncio.gather(*own, *others, elsewhere)
            assert not +guarded._open

        asyncio.run(everybody())

    def test_the_insides_of_the_server_are_nobodys(self) -> None:
        assert asked("/resourcez?verbose").status == 404
        assert asked("/_solara/api/close/x", "POST").status == 404

    def test_a_page_of_another_shape_is_noticed(self) -> None:
        with pytest.raises(ValueError, match="not put together as expected"):
            guard.adapted_page("<html><head></head></html>")

    def test_the_start_and_end_of_the_server_pass(self) -> None:
        passed = []

        async def inner(scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
            passed.append(scope["type"])

        asyncio.run(guard.Guard(inner)({"type": "lifespan"}, None, None))  # type: ignore[arg-type]
        assert passed == ["lifespan"]


def _variables(dark: bool) -> dict[str, str]:
    light = re.search(r":root \{(.*?)\n\}", theme.css(), re.S)
    darker = re.search(r'html\[data-csp-theme="dark"\] \{(.*?)\n\}', theme.css(), re.S)
    assert light
    assert darker
    text = light.group(1) + (darker.group(1) if dark else "")
    return dict(re.findall(r"--csp-([\w-]+):\s*(#[0-9a-f]{6})", text))


def _contrast(first: str, second: str) -> float:
    """Contrast of two colours as WCAG 2 defines it."""

    def light(colour: str) -> float:
        parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((light(first), light(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


class TestTheme:
    WORDS = ("ink", "soft", "accent", "accent-strong", "good", "bad", "baseline", "scenario", *(f"series-{k}" for k in range(1, 7)))

    def test_contrast_is_reckoned_as_defined(self) -> None:
        assert _contrast("#000000", "#ffffff") == pytest.approx(21)
        assert _contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)

    @pytest.mark.parametrize("dark", [False, True])
    def test_every_colour_of_words_and_lines_can_be_read(self, dark: bool) -> None:
        colours = _variables(dark)
        weak = {
            (word, ground): round(_contrast(colours[word], colours[ground]), 2)
            for word in self.WORDS
            for ground in ("surface", *(() if word.startswith("series") else ("page",)))
            if _contrast(colours[word], colours[ground]) < 4.5
        }
        pairs = [
            ("good", "good-wash"),
            ("bad", "bad-wash"),
            ("soft", "unsure-wash"),
            ("ink", "warn-wash"),
            ("accent-strong", "accent-wash"),
        ]
        pairs += [("ink", "wash"), ("on-accent", "accent"), ("on-focus", "focus"), ("soft", "wash"), ("accent", "accent-wash")]
        weak |= {
            pair: round(_contrast(colours[pair[0]], colours[pair[1]]), 2)
            for pair in pairs
            if _contrast(colours[pair[0]], colours[pair[1]]) < 4.5
        }
        weak |= {("edge", "surface"): 0.0} if _contrast(colours["edge"], colours["surface"]) < 3 else {}
        assert not weak

    def test_every_variable_used_anywhere_is_there(self) -> None:
        there = set(re.findall(r"(--csp-[\w-]+):", theme.css()))
        web = Path(theme.__file__).parent
        used = {
            name
            for path in web.rglob("*.*")
            if path.suffix in (".css", ".vue")
            for name in re.findall(r"var\((--csp-[\w-]+)\)", path.read_text())
        }
        tokens = [
            theme.INK,
            theme.SOFT,
            theme.LINE,
            theme.SURFACE,
            theme.WASH,
            theme.BASELINE,
            theme.SCENARIO,
            theme.GOOD,
            theme.BAD,
            theme.UNSURE,
        ]
        used |= {token[4:-1] for token in (*tokens, *theme.SERIES)}
        assert used - there - {"--csp-filled"} == set()  # set by the slider itself

    def test_nothing_is_fetched(self) -> None:
        assert "url(" not in theme.css()
        assert "@import" not in theme.css()


class TestNumbers:
    @pytest.mark.parametrize(("low", "high", "step"), [(0, 1, 0.01), (0, 3, 0.05), (0, 2, 0.02), (1, 5, 0.05), (0, 100, 1), (0, 0, 1)])
    def test_steps(self, low: float, high: float, step: float) -> None:
        assert step_of(low, high) == step

    @given(low=st.floats(-1e6, 1e6), width=st.floats(1e-3, 1e6))
    def test_a_step_crosses_the_range_in_forty_to_a_hundred(self, low: float, width: float) -> None:
        high = low + width
        assert 40 <= (high - low) / step_of(low, high) <= 101

    @pytest.mark.parametrize("name", LEVERS)
    def test_every_lever_lies_on_its_steps(self, name: str) -> None:
        lever = LEVERS[name]
        steps = (lever.value - lever.low) / step_of(lever.low, lever.high)
        assert steps == pytest.approx(round(steps))

    @given(st.floats(allow_nan=True, allow_infinity=True) | st.text() | st.none() | st.booleans() | st.integers(-(10**12), 10**12))
    def test_what_a_browser_sends_stays_within_the_range_or_is_nothing(self, sent: Any) -> None:
        kept = bounded(sent, 0.0, 3.0)
        assert kept is None or 0 <= kept <= 3
        if isinstance(sent, float) and 0 <= sent <= 3:
            assert kept == sent

    def test_the_range_says_where_it_comes_from(self) -> None:
        assert range_in_words(LEVERS["grant"]) == "0 to 3 times. What is set is a policy choice."
        seen = RegisterEntry(1, 0.5, 2, "£", "a cost", "seen", "Heeks and others 2018", "crime", "")
        assert range_in_words(seen) == "0.5 to 2 £. Seen: Heeks and others 2018."


class TestTables:
    def test_cells(self) -> None:
        cells = [None, float("nan"), 3, -1234567, 0.12345, 1234.5, -0.5, "x", True]
        assert [shown_cell(cell) for cell in cells] == [DASH, DASH, "3", f"{MINUS}1,234,567", "0.1235", "1,234", f"{MINUS}0.5", "x", "yes"]

    def test_columns_of_numbers(self) -> None:
        rows = [["a", "£1m", 1.0, "3 of 4", ""], ["b", f"{MINUS}£2m", None, "none", DASH]]
        assert number_columns(Table(["name", "money", "number", "words", "nothing"], rows)) == [False, True, True, False, True]
        assert number_columns(Table(["name"], [])) == [False]

    def test_a_spreadsheet_takes_nothing_for_a_formula_and_numbers_stay_numbers(self) -> None:
        text = as_csv(Table(["=a", "b"], [["=1+1", -2.5], ["@x", None], ['say "hi", you', 1e-9]]))
        assert text == '\'=a,b\n\'=1+1,-2.5\n\'@x,\n"say ""hi"", you",1e-09\n'

    def test_names_of_files(self) -> None:
        assert file_name_of("Recorded & true crime: £/month") == "recorded-true-crime-month"
        assert file_name_of("../../x") == "x"
        assert file_name_of("£") == "chart"


class TestCharts:
    YEARS = ("2011", "2012", "2013")

    def test_the_baseline_is_dashed_and_the_scenario_solid_each_named_at_its_end(self) -> None:
        option = line_option(
            self.YEARS, [Line("before", [1, 2, 3], role="baseline"), Line("after", [1, 2, 4]), Line("x", [0, 0, 0], role="other")]
        )
        looks = [(line["lineStyle"]["type"], line["lineStyle"]["color"], line["endLabel"]["show"]) for line in option["series"]]
        assert looks[0] == ([6, 4], theme.BASELINE, True)
        assert looks[1] == ("solid", theme.SCENARIO, True)
        assert looks[2] == (theme.DASHES[1], theme.SERIES[1], True)

    def test_other_lines_differ_in_colour_and_dash(self) -> None:
        option = line_option(self.YEARS, [Line(str(k), [1, 2, 3], role="other") for k in range(5)])
        assert len({(line["lineStyle"]["color"]) for line in option["series"]}) == 5
        assert len({str(line["lineStyle"]["type"]) for line in option["series"]}) == 5

    def test_a_band_is_drawn_from_its_lower_to_its_upper_edge(self) -> None:
        option = line_option(self.YEARS, [Line("a", [2, 3, 4], band90=([1, None, -3], [5, 6, 7]))])
        low, width, line = option["series"]
        assert low["data"] == [1, None, -3]
        assert width["data"] == [4, None, 10]
        assert low["stack"] == width["stack"]
        assert "areaStyle" in width
        assert "areaStyle" not in low
        assert line["name"] == "a"

    def test_what_is_not_known_is_a_gap(self) -> None:
        assert line_option(self.YEARS, [Line("a", [1.0, float("nan"), None])])["series"][0]["data"] == [1.0, None, None]

    def test_labels_cannot_hold_what_echarts_would_fill_in(self) -> None:
        option = line_option(self.YEARS, [Line("a", [1, 2, 3], label="{b}: {c}")])
        assert option["series"][0]["endLabel"]["formatter"] == "(b): (c)"

    def test_options_are_plain_data(self) -> None:
        option = line_option(self.YEARS, [Line("a", [1, 2, 3], band50=([1, 1, 1], [2, 2, 2]))], mark=1)
        assert json.loads(json.dumps(option)) == option
        assert option["series"][-1]["markLine"]["data"] == [{"xAxis": 1}]

    def test_only_tokens_of_the_theme_give_colours(self) -> None:
        source = Path(chart_options.__file__).read_text()
        assert not re.search(r"#[0-9a-fA-F]{3,6}\b|rgb\(", source)
