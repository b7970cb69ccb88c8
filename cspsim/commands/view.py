"""The command that opens the web view: ``cspsim view``."""

from typing import Annotated

import typer

from cspsim.commands.options import AllowRules
from cspsim.commands.terminal import announce_compilation, say


def view(
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 lets other machines in your network in.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; another one is found if it is taken.")] = 8765,
    no_open: Annotated[bool, typer.Option("--no-open", help="Do not open the browser.")] = False,
    scenario: Annotated[
        list[str] | None,
        typer.Option("--scenario", metavar="FILE", help="Show this scenario file beside the shipped ones. May be repeated."),
    ] = None,
    rooms: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Keep the rooms of Play in this file, so that sessions go on after a restart; none keeps nothing. "
            "If not given, a file in your data folder.",
        ),
    ] = None,
    allow_rules: AllowRules = False,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(
            "--allow-host", metavar="NAME", help="Answer to this name or address as well as to those of this machine. May be repeated."
        ),
    ] = None,
    behind_proxy: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Believe what a proxy at this address says of its visitors; needs --allow-host."),
    ] = None,
    new_link: Annotated[bool, typer.Option("--new-link", help="Make a new entry link; earlier ones open nothing any more.")] = False,
    keep_days: Annotated[
        float, typer.Option(min=0.01, max=366, help="Days after its last change that a room of Play is removed, with its people's names.")
    ] = 7,
) -> None:
    """Open the web view in the browser: explore, watch, play and the facilitator's kit. Works without the internet."""
    from cspsim.web.server import Admission, serve

    announce_compilation(now=False)  # the first page to ask for a run waits instead of the browser
    admission = Admission(tuple(allow_host or ()), behind_proxy, new_link)
    serve(
        host,
        port,
        not no_open,
        scenario or [],
        say,
        rooms,
        allow_rules,
        admission,
        keep_days,
        draw=lambda code: say(code, style="bright_white on black"),
    )
