"""The command that says whether results are still what was written: ``cspsim verify``."""

from pathlib import Path
from typing import Annotated

import typer

from cspsim.basics.errors import CspsimError
from cspsim.basics.exports import as_json
from cspsim.commands.options import Json
from cspsim.commands.terminal import say


def verify(
    folder: Annotated[str, typer.Argument(metavar="DIR", help="Folder that any command wrote, or the address of a sweep.")],
    json: Json = False,
) -> None:
    """Check that every file of a folder of results is still, byte for byte, what was written."""
    found = damages_of(folder)
    if json:
        typer.echo(as_json({"folder": folder, "intact": not found, "damages": found}))
    if found:
        raise CspsimError("\n  ".join([f"{folder} is damaged:", *found]))
    if not json:
        say(f"Intact: every file of {folder} is what was written.")
        say("This notices accidents and careless edits; whoever makes new checksums on purpose is not noticed.")


def damages_of(folder: str) -> list[str]:
    """What is not as it was written, a sentence each. Raises CspsimError for a folder that holds no results."""
    from cspsim.basics.exports import CHECKSUMS, MANIFEST, damages
    from cspsim.hypotheses.freezing import check_records, receipts_folder
    from cspsim.search.folder import TRIALS, damages_of_search
    from cspsim.sweep.manifest import MANIFEST as MANIFEST_OF_A_SWEEP

    path = Path(folder)
    if "://" in folder or (path / MANIFEST_OF_A_SWEEP).is_file():
        return _damages_of_sweep(folder)
    if path.suffix == ".frozen" and path.is_dir():
        return check_records(path)
    if not (path / MANIFEST).is_file() and not (path / CHECKSUMS).is_file():
        raise CspsimError(f"{folder} holds no results of cspsim: expected {MANIFEST_OF_A_SWEEP} or {MANIFEST} in it")
    if (path / TRIALS).is_file():
        finished = damages(path) if (path / CHECKSUMS).is_file() else []  # trials of a search that goes on are sealed one by one
        return [*finished, *damages_of_search(path)]
    return [*damages(path), *check_records(receipts_folder(path))]


def _damages_of_sweep(folder: str) -> list[str]:
    from cspsim.sweep.stored_results import load_results

    try:
        load_results(folder)
    except CspsimError as error:
        return str(error).splitlines()
    return []
