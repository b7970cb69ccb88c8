"""The command that opens the web view: ``cspsim view``."""

from typing import Annotated

import typer

from cspsim.commands.options import AllowRules
from cspsim.terminal import announce_compilation, say


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
) -> None:
    """Open the web view in the browser: explore, watch, play and the facilitator's kit. Works without the internet."""
    from cspsim.web.server import serve

    announce_compilation()
    serve(host, port, not no_open, scenario or [], say, rooms, allow_rules)
