"""The command that writes the facilitator's kit for paper: ``kit``."""

from pathlib import Path
from typing import Annotated

import typer

from cspsim.basics.errors import CspsimError
from cspsim.basics.exports import as_json, write_whole
from cspsim.basics.limits import TABLE_FILE, read_file
from cspsim.commands.options import Json, load
from cspsim.commands.terminal import say

OURS = b'<meta name="generator" content="cspsim'


def kit(
    out: Annotated[Path, typer.Option("--out", "-o", help="The HTML file; replaced if cspsim wrote it.")] = Path("cspsim-kit.html"),
    scenario: Annotated[str, typer.Option(help="Role cards are those of this scenario's authorities.")] = "baseline",
    json: Json = False,
) -> None:
    """Write the facilitator's kit as one page to print: five lessons, prediction slips, role cards, a debrief sheet."""
    from cspsim.web.kit.printable import printable_kit

    chosen = load(scenario)
    if out.is_dir():
        raise CspsimError(f"{out} is a folder: give the name of a file, such as {out / 'cspsim-kit.html'}")
    if out.exists() and OURS not in read_file(out, TABLE_FILE):
        raise CspsimError(f"{out} exists and was not written by cspsim: choose another name")
    write_whole(out, printable_kit(chosen))
    if json:
        typer.echo(as_json({"file": str(out), "scenario": chosen.name}))
        return
    say(f"Wrote {out}. Open it in a browser and print it there: it is made for A4.")
