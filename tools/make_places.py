"""Make the table of every Community Safety Partnership of England and Wales from the workbook of the Office for National Statistics.

    python tools/make_places.py WORKBOOK.xlsx LOOKUP.csv

WORKBOOK: "Crime in England and Wales: police force area data tables", year ending December 2024 (sheets Table C2, C4 and C5).
LOOKUP: the ONS lookup from local authority districts to partnerships of December 2016, for partnerships of several councils
that the workbook calls "Combined Local Authorities". Writes ``scenarios/world/places.csv``, which stands beside ``places.md``.

What the workbook holds besides partnerships and is left out: notes above the header, totals of forces (kept apart, as rows
without a code of a partnership, for a force's own total), "Unassigned ..." rows and Manchester Airport (counted in a force's total).
A marker such as [x] or [u1] is "not available": the cell stays empty. A number below zero is kept, as published.
"""

import csv
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl

TARGET = Path(__file__).parent.parent / "scenarios" / "world" / "places.csv"
SHEETS = {"2024": "Table C2", "2023": "Table C5"}
POPULATION = "Table C4"

# Header of the workbook -> crime type of the model. docs/places.md says where they differ.
CRIME_COLUMNS = {
    "Residential burglary": "burglary",
    "Robbery": "robbery",
    "Violence with injury": "violence_with_injury",
    "Violence without injury": "violence_without_injury",
    "Vehicle offences": "vehicle_crime",
    "Theft from the person": "theft_from_person",
    "Criminal damage and arson": "criminal_damage",
}
ALSO_WITH_INJURY = "Homicide"  # the model's violence with injury includes homicide, as in the Metropolitan Police's own count

TIERS = {"E09": "london", "E08": "metropolitan", "E06": "unitary", "E07": "two_tier", "W06": "wales"}

# The workbook gives Cumbria's partnerships by districts that ended on 1 April 2023; their councils since then.
SUCCESSORS = {
    **dict.fromkeys(("Allerdale", "Carlisle", "Copeland"), "Cumberland"),
    **dict.fromkeys(("Barrow-In-Furness", "Eden", "South Lakeland"), "Westmorland and Furness"),
}
# Partnerships of several councils that are not, or no longer rightly, in the lookup of 2016.
COUNCILS = {
    "Cwm Taf": ["Merthyr Tydfil", "Rhondda Cynon Taf"],
    "Western Suffolk": ["Babergh", "Mid Suffolk", "West Suffolk"],
}


def words(cell: Any) -> str:
    """A cell as plain text: no line breaks, no references to notes, no blanks at its ends."""
    return re.sub(r"\s*\[note.*?\]", "", re.sub(r"\s+", " ", str(cell or ""))).strip()


def number(cell: Any) -> int | None:
    """A count, or None where the publication has a marker or nothing: missing is missing, not zero."""
    return int(cell) if isinstance(cell, int | float) and not isinstance(cell, bool) else None


def rows_of(book: Any, sheet: str) -> Iterator[dict[str, Any]]:
    """The rows below the header, by the header's words; the header is the first row that names the force's code."""
    header: list[str] | None = None
    for cells in book[sheet].iter_rows(values_only=True):
        if header is not None:
            yield dict(zip(header, cells, strict=True))
        elif words(cells[0]) == "Police Force Area code":
            header = [words(cell) for cell in cells]
    if header is None:
        raise SystemExit(f"sheet {sheet}: no row begins with 'Police Force Area code'")


def crimes(row: dict[str, Any]) -> dict[str, int | None]:
    """The model's seven police types of one row."""
    found = {crime: number(row[column]) for column, crime in CRIME_COLUMNS.items()}
    homicides, injuries = number(row[ALSO_WITH_INJURY]), found["violence_with_injury"]
    found["violence_with_injury"] = None if injuries is None or homicides is None else injuries + homicides
    return found


def key_of(row: dict[str, Any]) -> tuple[str, str]:
    """Force and code of the partnership; the code is empty for the force itself."""
    return words(row["Police Force Area name"]), words(row["Community Safety Partnership code"])


def kept(row: dict[str, Any]) -> bool:
    """Whether a row is a partnership or a force: not unassigned crime, not an airport."""
    return bool(row["Community Safety Partnership code"]) or not row["Community Safety Partnership name"]


def councils_of(row: dict[str, Any], lookup: dict[str, list[str]]) -> list[str]:
    """The councils whose area a partnership covers, or the one council of which it covers a part."""
    name, council = words(row["Community Safety Partnership name"]), words(row["Local Authority name"])
    if name in COUNCILS:
        return COUNCILS[name]
    if name in SUCCESSORS:
        return [SUCCESSORS[name]]
    return [council] if council else lookup[words(row["Community Safety Partnership code"])]


def tier_of(row: dict[str, Any]) -> str:
    """What its councils are, by the code of the council; several councils are districts, or Welsh."""
    if words(row["Community Safety Partnership name"]) in SUCCESSORS:
        return "unitary"
    code = words(row["Local Authority code"])
    if code[:3] in TIERS:
        return TIERS[code[:3]]
    return "wales" if words(row["Community Safety Partnership code"]).startswith("W") else "two_tier"


def table(workbook: str, lookup_file: str) -> list[dict[str, Any]]:
    """Every row of the table: forces first among their partnerships, in the order of the workbook."""
    book = openpyxl.load_workbook(workbook, read_only=True, data_only=True)
    lookup: dict[str, list[str]] = defaultdict(list)
    with open(lookup_file, encoding="utf-8-sig", newline="") as file:
        for line in csv.DictReader(file):
            lookup[line["CSP16CD"]].append(line["LAD16NM"])
    header_of_people = "Population figures (mid-2022) - rounded to 100"
    people = {key_of(row): number(row[header_of_people]) for row in rows_of(book, POPULATION) if kept(row)}
    counts = {year: {key_of(row): crimes(row) for row in rows_of(book, sheet) if kept(row)} for year, sheet in SHEETS.items()}
    found = []
    for row in filter(kept, rows_of(book, SHEETS["2024"])):
        key = key_of(row)
        is_place = bool(key[1])
        found.append(
            {
                "code": key[1],
                "name": words(row["Community Safety Partnership name"]),
                "force": key[0],
                "councils": "; ".join(councils_of(row, lookup)) if is_place else "",
                "tier": tier_of(row) if is_place else "force",
                "population": people[key],
                **{f"{crime}_{year}": counts[year][key][crime] for year in SHEETS for crime in CRIME_COLUMNS.values()},
            }
        )
    return found


def main() -> None:
    """Write the table from the two files named on the command line."""
    if len(sys.argv) != 3:
        raise SystemExit("usage: python tools/make_places.py WORKBOOK.xlsx LOOKUP.csv")
    rows = table(*sys.argv[1:])
    with TARGET.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    places = [row for row in rows if row["code"]]
    print(f"{len(places)} partnerships, {len(rows) - len(places)} forces -> {TARGET.name}")


if __name__ == "__main__":
    main()
