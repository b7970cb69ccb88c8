"""The server behind ``cspsim view``: every setting that keeps it quiet and on this machine, then Solara under uvicorn."""

import importlib.metadata
import importlib.util
import os
import socket
import threading
import time
import warnings
import webbrowser
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from cspsim.basics.errors import CspsimError
from cspsim.web import theme
from cspsim.web.gatekeeper import Gatekeeper
from cspsim.web.reach import LOOPBACK, Reach, checked_names, checked_proxy, set_reach

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8765
KEPT_DAYS = 7.0
"""Days after its last change that a room of Play is removed, if not said otherwise."""
NOTHING = "none"
"""In place of a file of rooms: nothing is kept."""
NOWHERE = "http://127.0.0.1:9/"
"""An address that refuses at once, in place of a content delivery network: everything comes from this machine or not at all."""
MOST_BYTES = 1_000_000
"""Bytes of one message from a browser; a longer one closes the connection before it is read. ``messages`` drops far shorter ones."""
MOST_KERNELS = 200
MOST_PER_SESSION = 30
SETTINGS = {
    "SOLARA_APP": "cspsim.web.app",
    "SOLARA_MODE": "production",
    "SOLARA_ROOT_PATH": "",  # else taken from a header of the first request that comes
    "SOLARA_BASE_URL": "http://127.0.0.1/",  # the same
    "SOLARA_ASSETS_CDN": NOWHERE,
    "SOLARA_ASSETS_PROXY": "true",
    "SOLARA_ASSETS_FONTAWESOME_ENABLED": "false",
    "SOLARA_CHECK_HOOKS": "off",
    "SOLARA_KERNEL_CULL_TIMEOUT": "15m",
    "SOLARA_KERNEL_MAX_COUNT": str(MOST_KERNELS),
    "SOLARA_KERNEL_MAX_PER_SESSION": str(MOST_PER_SESSION),
    "SOLARA_SESSION_HTTP_ONLY": "true",
    "SOLARA_TELEMETRY_MIXPANEL_ENABLE": "false",
    "SOLARA_TELEMETRY_SERVER_USER_ID": "nobody",
    "SOLARA_THEME_LOADER": "plain",
    "SOLARA_THEME_SHOW_BANNER": "false",
    "SOLARA_THEME_TITLE": "cspsim",
    "SOLARA_THEME_VARIANT": "light",  # the page itself follows the browser's preference and the reader's choice
}
MISSING = 'the web view needs more packages: pip install "cspsim[web]"'
FRONT_END = Path("@widgetti") / "solara-vuetify-app@10.1.1" / "dist" / "solara-vuetify-app8.min.js"


def apply_settings() -> None:
    """Set everything Solara reads when it is imported, replacing what the shell had set. Raises CspsimError where it is not installed."""
    if importlib.util.find_spec("solara") is None or importlib.util.find_spec("uvicorn") is None:
        raise CspsimError(MISSING)
    os.environ.update(SETTINGS)
    import solara.server.settings as settings

    found = importlib.metadata.version("ipyvue")
    if not found.startswith("1."):
        raise CspsimError(f'the web view works with ipyvue 1, found {found}: pip install "cspsim[web]"')
    if not (settings.assets.proxy_cache_dir / FRONT_END).is_file():
        raise CspsimError('the files that browsers need are not installed: pip install "cspsim[web]" (package solara-assets)')


def bound_socket(host: str, port: int) -> socket.socket:
    """A socket that listens on this port, or on a free one if it is taken. Raises CspsimError where the host is not ours."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for wanted in dict.fromkeys((port, 0)):
        found = socket.socket(family, socket.SOCK_STREAM)
        if os.name == "posix":  # so that a port is free again as soon as its server has ended
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            found.bind((host, wanted))
            found.listen(128)
        except OSError as error:
            found.close()
            if wanted == 0 or isinstance(error, socket.gaierror):
                raise CspsimError(f"cannot listen on {host}: {error.strerror or error}") from None
        except OverflowError:
            found.close()
            raise CspsimError(f"--port {port}: expected a number from 0 to 65535") from None
        else:
            return found
    raise AssertionError


def application(keeper: Gatekeeper, reach: Reach, cookie_days: float = KEPT_DAYS) -> Any:
    """The whole application: our pages around Solara's, the style sheet, and in front of both the guard, and the gate."""
    from solara.server import settings
    from solara.server import starlette as server
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import HTMLResponse, RedirectResponse, Response
    from starlette.routing import Mount, Route

    from cspsim.web.app import TABS
    from cspsim.web.connections import Connections
    from cspsim.web.gate import Gate
    from cspsim.web.guard import Guard, adapted_page
    from cspsim.web.inbox import guard_inbox
    from cspsim.web.policy import policy, scripts_in

    guard_inbox()

    async def home(request: Request) -> Response:
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(f"/{TABS[0].path}{query}")

    async def page(request: Request) -> Response:
        answer = await server.root(request, request.path_params.get("rest", ""))
        if not isinstance(answer, HTMLResponse):
            return answer
        headers = {"cache-control": "no-store", "content-security-policy": own_scripts()}
        return HTMLResponse(adapted_page(bytes(answer.body).decode("utf-8")), headers=headers)

    @lru_cache(maxsize=1)
    def own_scripts() -> str:
        """The policy that allows only scripts of a page that no request could influence."""
        from solara.server import server as pages

        return policy(scripts_in(adapted_page(pages.read_root(f"/{TABS[0].path}") or "")))

    async def style(request: Request) -> Response:
        return Response(theme.css(), media_type="text/css", headers={"cache-control": "public, max-age=31536000, immutable"})

    class Packaged(server.StaticFilesOptionalAuth):
        """Installed front-end files, never fetched from anywhere; their addresses hold a version, so browsers may keep them."""

        async def get_response(self, path: str, scope: Any) -> Response:
            answer = await super().get_response(path, scope)
            if answer.status_code in (200, 304):
                answer.headers["cache-control"] = "public, max-age=31536000, immutable"
            return answer

    packaged = Mount("/_solara/cdn", app=Packaged(directory=settings.assets.proxy_cache_dir))
    tabs = [Route(place, endpoint=page) for tab in TABS for place in (f"/{tab.path}", f"/{tab.path}/{{rest:path}}")]
    own = [Route("/", endpoint=home), Route("/theme.css", endpoint=style), packaged, *tabs]
    whole = Starlette(routes=[*own, Mount("/", app=server.app)], lifespan=server.lifespan)
    return Gate(Guard(Connections(whole)), keeper, reach, cookie_days)


def warm_up() -> None:
    """Load scenarios and (on a new machine: compile) the rules now, so that the first visitor does not wait for them."""
    from cspsim.one_run.run import Run
    from cspsim.running.simulation import simulate
    from cspsim.web.shown_scenarios import entries, scenario_of

    entries()
    simulate(scenario_of("baseline"), replicates=1)
    Run(scenario_of("baseline"), seed=1).advance()


class Admission(NamedTuple):
    """Who may come in besides this machine.

    ``names``: further names of the server; ``proxy``: the address of a proxy that is believed what it says of visitors;
    ``new_link``: earlier links stop working.
    """

    names: Sequence[str] = ()
    proxy: str | None = None
    new_link: bool = False

    def checked(self, host: str) -> "Admission":
        """The same, with faults told. Raises CspsimError."""
        names = checked_names(self.names)
        if checked_proxy(self.proxy) and not names:
            raise CspsimError("--behind-proxy: say with --allow-host by which name people call the proxy, such as course.example.org")
        return self._replace(names=names if host in LOOPBACK or host in names else (*names, *_name_of(host)))


def _name_of(host: str) -> tuple[str, ...]:
    """The host to listen on, where it is a name and no address."""
    return () if host.replace(".", "").isdigit() or ":" in host else (host.lower(),)


def serve(
    host: str = DEFAULT_HOST,
    port: int = DEFAULT_PORT,
    open_browser: bool = True,
    files: Sequence[str] = (),
    say: Callable[[str], None] = print,
    rooms: str | None = NOTHING,
    allow_rules: bool = False,
    admission: Admission = Admission(),  # noqa: B008 # a tuple cannot change
    keep_days: float = KEPT_DAYS,
    draw: Callable[[str], None] = print,
) -> None:
    """Run the server until Ctrl-C. Raises CspsimError before it starts: packages missing, a scenario at fault, no such host.

    ``rooms``: the file that keeps the rooms of Play; "none" keeps them while the server runs, None in the user's data folder.
    ``allow_rules``: the rules that ``files`` bring along may be run. ``keep_days``: how long a room is kept after its last change.
    ``draw`` shows a QR code, with its blocks light and the rest dark.
    """
    apply_settings()
    from cspsim.web.shown_scenarios import add_scenarios

    admission = admission.checked(host)
    add_scenarios(files, allow_rules, whole_paths=host in LOOPBACK and not admission.proxy)
    _open_rooms(rooms, say, keep_days)
    listening = bound_socket(host, port)
    taken = listening.getsockname()[1]
    if port and taken != port:
        say(f"Port {port} is taken; port {taken} is used instead.")
    warm_up()
    from cspsim.web.play.shared import the_rooms

    keeper = Gatekeeper(the_rooms().entry_secrets(admission.new_link))
    reach = Reach(host, taken, keeper.code, tuple(admission.names), admission.proxy is not None)
    set_reach(reach)
    _run(
        listening, application(keeper, reach, keep_days), admission.proxy, lambda: _tell_ready(reach, keeper, open_browser, say, draw), say
    )


def _tell_ready(
    reach: Reach, keeper: Gatekeeper, open_browser: bool, say: Callable[[str], None], draw: Callable[[str], None] = print
) -> None:
    """Say where the server is and who can open it; open the browser."""
    from cspsim.web.quick_code import code_in_blocks

    say(f"The web view is ready at {reach.own_link()} (Ctrl-C ends it).")
    say(reach.who)
    links = reach.links()
    if links:
        say("For phones and other machines:")  # each link on a line of its own, so that a narrow window does not break it
        say(links[0])
        if links[1:]:
            say("Or, if they are in another of this machine's networks:")
            for other in links[1:]:
                say(other)
        draw(code_in_blocks(links[0]))
    elif not reach.only_here:
        say("This machine has no network address just now, so phones cannot reach it.")
    if open_browser:
        webbrowser.open(reach.own_link(keeper.ticket()))


def _open_rooms(file: str | None, say: Callable[[str], None], keep_days: float = KEPT_DAYS) -> None:
    """Open the rooms of Play. A second server finds the usual file in use and keeps its own rooms only while it runs."""
    from cspsim.web.play.shared import InUse, keep_in, usual_file

    if file is not None:
        keep_in(None if file == NOTHING else Path(file), keep_days)
        return
    try:
        keep_in(usual_file(), keep_days)
    except CspsimError as error:
        why = "another cspsim view keeps its rooms in the usual file" if isinstance(error, InUse) else str(error)
        say(f"Rooms of this server end with it: {why}.")
        keep_in(None, keep_days)


def _leave_rooms() -> None:
    from cspsim.web.play.shared import close_rooms

    close_rooms()


def _say_what_was_dropped(say: Callable[[str], None]) -> None:
    from cspsim.web.inbox import dropped

    if dropped.counts:
        say(dropped.sentence())


def _run(listening: socket.socket, application: Any, proxy: str | None, tell_ready: Callable[[], None], say: Callable[[str], None]) -> None:
    warnings.filterwarnings("ignore", message="Cookies with samesite=none", category=UserWarning)
    import uvicorn

    quiet: dict[str, Any] = {"ws_max_size": MOST_BYTES, "log_level": "warning", "access_log": False, "timeout_graceful_shutdown": 1}
    believed = proxy or ""  # nobody by default: uvicorn would believe every caller on this machine
    server = uvicorn.Server(uvicorn.Config(application, forwarded_allow_ips=believed, **quiet))

    def ready() -> None:
        while not (server.started or server.should_exit):
            time.sleep(0.02)
        if server.started:
            tell_ready()

    threading.Thread(target=ready, daemon=True).start()
    try:
        server.run(sockets=[listening])
    except KeyboardInterrupt:  # uvicorn shuts down properly and then raises the signal it was sent
        pass
    finally:
        listening.close()
        _leave_rooms()
    _say_what_was_dropped(say)
    if not server.started:
        raise CspsimError("the web view could not start; what it said above tells why")
    say("The web view has ended.")
