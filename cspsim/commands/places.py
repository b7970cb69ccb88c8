"""The command that finds real partnerships by name: ``places``."""

from typing import Annotated, Any

import typer

from cspsim.basics.exports import as_json
from cspsim.commands.options import Json
from cspsim.commands.terminal import Column, say, show_table


def places(
    words: Annotated[
        list[str] | None, typer.Argument(help="Parts of a name, a council, a force or a kind of council; all if none.")
    ] = None,
    force: Annotated[str | None, typer.Option(help='Only the partnerships of this police force area, such as "West Yorkshire".')] = None,
    json: Json = False,
) -> None:
    """Find a Community Safety Partnership of England and Wales: its name, force, kind of council, residents and recorded crime."""
    from cspsim.places.partnership_table import SOURCE, TIER_WORDS, YEARS, find_places, places_in

    asked = " ".join(words or [])
    here = places_in(force) if force is not None else None
    found = [place for place in find_places(asked) if here is None or place in here]
    if json:
        rows: list[dict[str, Any]] = [{**place._asdict(), "key": place.key, "recorded_seven_types": place.total} for place in found]
        typer.echo(as_json({"source": SOURCE, "year": f"ending December {YEARS[0]}", "places": rows}))
        return
    if not found:
        say(f'No partnership has "{asked}" in its name, councils or force. Try a part of the name: cspsim places leed')
        raise typer.Exit(2)
    columns = [
        Column("Partnership"),
        Column("Police force", rank=1),
        Column("Kind", rank=3),
        Column("Residents", True, 2),
        Column("Recorded crimes", True, 1),
        Column("Code", rank=4),
    ]
    cells = [(p.name, p.force, TIER_WORDS[p.tier], f"{p.population:,}", f"{p.total:,}", p.code) for p in found]
    show_table("", columns, cells)
    number = "1 partnership" if len(found) == 1 else f"{len(found)} partnerships"
    say(f"{number}. Recorded crimes: seven types, year ending December {YEARS[0]}; no antisocial behaviour. {SOURCE}.")
    name = f'"{found[0].name}"' if " " in found[0].name else found[0].name.lower()
    say(f"  cspsim new {found[0].key}.toml --place {name}")
