"""The log of a session for people: who did what when, without session ids, keys or private briefings."""

import csv
import io
from datetime import UTC, datetime
from typing import Any

from cspsim.basics.exports import as_json
from cspsim.basics.outward import for_spreadsheet
from cspsim.web.play.debrief import sentence_of
from cspsim.web.play.decisions import Choice
from cspsim.web.play.room import Room

COLUMNS = ("time", "what", "name", "quarter", "point", "authority", "item", "value", "suggested", "reason", "detail", "undone")


def session_rows(room: Room) -> list[dict[str, Any]]:
    """One row for each thing that happened, and for each choice that was handed in; quarters count from 0."""
    names: dict[str, str] = {}
    rows: list[dict[str, Any]] = []
    for entry in room.log:
        if entry.what == "join":
            names[entry.who] = entry.data["name"]
        name = names.get(entry.who, "facilitator")
        head = {"time": f"{datetime.fromtimestamp(entry.at, UTC):%Y-%m-%dT%H:%M:%SZ}", "what": entry.what, "name": name}
        choices = [Choice(*choice) for choice in entry.data.get("choices", ())]
        detail = "; ".join(f"{key}: {value}" for key, value in entry.data.items() if key not in ("choices", "authority", "name") and value)
        first = {**head, "authority": entry.data.get("authority", ""), "detail": detail}
        if entry.what == "undo":
            for row in rows:
                if row.get("quarter", -1) >= entry.data["quarter"]:
                    row["undone"] = "yes"
        rows += [first] if not choices else [{**head, **choice._asdict(), "detail": sentence_of(room.game, choice)} for choice in choices]
    return [{column: row.get(column, "") for column in COLUMNS} for row in rows]


def log_as_csv(room: Room) -> str:
    """The rows as CSV. Text that a spreadsheet would take for a formula gets an apostrophe in front."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in session_rows(room):
        writer.writerow({column: for_spreadsheet(value) if isinstance(value, str) else value for column, value in row.items()})
    return text.getvalue()


def log_as_json(room: Room) -> str:
    """Settings, rows, what everybody was told, and minutes."""
    game = room.game
    return as_json(
        {
            "scenario": game.scenario.name,
            "digest": room.header.digest,
            "settings": room.header.settings._asdict(),
            "log": session_rows(room),
            "told": [happened.sentence for happened in game.happened],
            "minutes": [minutes._asdict() for minutes in game.minutes],
        }
    )
