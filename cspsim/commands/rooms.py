"""The command that shows and deletes what Play keeps about people: ``cspsim rooms``."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from cspsim.basics.errors import CspsimError
from cspsim.basics.exports import as_json
from cspsim.commands.options import Json
from cspsim.commands.terminal import Column, say, show_table

COLUMNS = (Column("room"), Column("scenario", rank=1), Column("last change"), Column("cards", number=True, rank=2), Column("people"))


def rooms(
    file: Annotated[
        Path | None, typer.Option("--rooms", metavar="FILE", help="The file of rooms; if not given, the usual one in your data folder.")
    ] = None,
    delete: Annotated[
        list[str] | None, typer.Option("--delete", metavar="CODE", help="Delete this room with its names and log. May be repeated.")
    ] = None,
    delete_all: Annotated[bool, typer.Option("--delete-all", help="Delete every room of the file.")] = False,
    older_than: Annotated[
        float | None, typer.Option("--older-than", metavar="DAYS", min=0, help="Delete rooms whose last change is longer ago.")
    ] = None,
    json: Json = False,
) -> None:
    """List the rooms of Play that are kept, with the names of their people, or delete them for good."""
    from cspsim.web.play.archive import delete_rooms, kept_rooms, rooms_to_delete
    from cspsim.web.play.shared import usual_file

    path = file or usual_file()
    if not path.is_file():
        if file is not None:
            raise CspsimError(f"{path}: there is no such file")
        kept, gone = [], []
    else:
        kept = kept_rooms(path)
        gone = rooms_to_delete(kept, path, delete or [], delete_all, older_than)
        if gone:
            delete_rooms(path, [room.code for room in gone])
    left = [room for room in kept if room not in gone]
    if json:
        typer.echo(as_json({"file": str(path), "deleted": [room.code for room in gone], "rooms": [room._asdict() for room in left]}))
        return
    if delete or delete_all or older_than is not None:
        say(f"Deleted {', '.join(room.code for room in gone) or 'nothing'} from {path}.")
    rows = [
        (one.code, one.scenario, f"{datetime.fromtimestamp(one.changed):%Y-%m-%d %H:%M}", str(one.cards), ", ".join(one.people))
        for one in left
    ]
    show_table(f"Rooms in {path}", COLUMNS, rows)
