"""Results on disk: whole files or none. A folder is filled elsewhere and then moved into place in one step."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cspsim.basics.errors import CspsimError
from cspsim.basics.outward import for_spreadsheet

if TYPE_CHECKING:
    import pandas as pd

MANIFEST = "settings.json"
"""The file that says how a results folder was made, and that the folder may be replaced by a newer one."""

CHECKSUMS = "checksums.json"
"""The file with length and SHA-256 of every other file of a results folder."""

SEAL = "seal"
"""The key under which a file states the hash that the rest of it must have."""


def plain(value: Any) -> Any:
    """A value as JSON can hold it: NumPy numbers as Python's, dates as text, not-a-number and infinity as null."""
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(inner) for inner in value]
    if hasattr(value, "item") and getattr(value, "ndim", 0) == 0:
        value = value.item()
    elif hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, float):
        return value if value - value == 0 else None
    if value is None or isinstance(value, bool | int | str):
        return value
    return value.isoformat()[:10] if hasattr(value, "isoformat") else str(value)


def records(frame: "pd.DataFrame") -> list[dict[str, Any]]:
    """The rows of a table as plain values."""
    return [plain(row) for row in frame.to_dict("records")]


def as_json(value: Any) -> str:
    """JSON text in plain ASCII, so that it reads the same on every console and in every pipe."""
    return json.dumps(plain(value), indent=2, ensure_ascii=True, allow_nan=False)


def seal_of(content: Mapping[str, Any]) -> str:
    """SHA-256 of what a JSON file says, without its own seal; layout and order of keys do not matter."""
    rest = {key: value for key, value in plain(content).items() if key != SEAL}
    return hashlib.sha256(json.dumps(rest, sort_keys=True, allow_nan=False).encode()).hexdigest()


def sealed(content: Mapping[str, Any]) -> dict[str, Any]:
    """Content with its seal, which reveals accidental changes and disk errors. Anyone can make a new one."""
    return {**content, SEAL: seal_of(content)}


def is_sealed(content: Any) -> bool:
    """Whether content is unchanged since it was sealed."""
    return isinstance(content, Mapping) and content.get(SEAL) == seal_of(content)


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file beside its place and move it there: readers see the old file or the new one, never half of one.

    Raises CspsimError when the place cannot be written.
    """
    data = content.encode("utf-8") if isinstance(content, str) else content
    beside = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_bytes(data)
        os.replace(beside, path)
    except OSError as error:
        raise CspsimError(f"{path} cannot be written: {error.strerror or error}") from None
    finally:
        beside.unlink(missing_ok=True)


def write_table(folder: Path, name: str, frame: "pd.DataFrame") -> list[Path]:
    """One table as CSV and as Parquet, in which no text can be taken for a formula."""
    import pyarrow as arrow
    import pyarrow.parquet as parquet

    csv, columns = folder / f"{name}.csv", folder / f"{name}.parquet"
    frame = harmless(frame)
    frame.to_csv(csv, index=False, lineterminator="\n", encoding="utf-8")
    parquet.write_table(arrow.Table.from_pandas(frame, preserve_index=False), columns, write_page_checksum=True)
    return [csv, columns]


def harmless(frame: "pd.DataFrame") -> "pd.DataFrame":
    """The same table with names of columns and texts that no spreadsheet takes for formulas."""
    made = frame.rename(columns=lambda name: for_spreadsheet(str(name)))
    for name in made.select_dtypes(exclude=["number", "bool"]):
        made[name] = made[name].map(lambda cell: for_spreadsheet(cell) if isinstance(cell, str) else cell)
    return made


def check_target(target: Path) -> None:
    """Refuse, before anything is run, a folder that cannot be written or holds what this program did not write. Raises CspsimError."""
    try:
        _check_place(target)
    except OSError as error:
        raise CspsimError(f"results cannot be written to {target}: {error.strerror or error}") from None


def _check_place(target: Path) -> None:
    above = target.absolute().parent
    while not os.path.lexists(above):
        above = above.parent
    if not above.is_dir() or not os.access(above, os.W_OK | os.X_OK):
        raise CspsimError(f"results cannot be written to {target}: {above} is no folder that can be written to")
    if target.is_symlink() and not target.exists():
        raise CspsimError(f"{target} is a link that leads nowhere: expected a folder for the results")
    if target.exists() and not target.is_dir():
        raise CspsimError(f"{target} is a file: expected a folder for the results")
    if target.is_dir() and any(target.iterdir()) and not (target / MANIFEST).is_file():
        raise CspsimError(f"{target} holds files that cspsim did not write: choose a new folder with --out")


def write_checksums(folder: Path, but: Sequence[str] = ()) -> None:
    """Put length and SHA-256 of every file of a folder in a file beside them, except for files that are still being added to."""
    files = {
        path.relative_to(folder).as_posix(): checksum(path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != CHECKSUMS and path.name not in but
    }
    write_whole(folder / CHECKSUMS, as_json(sealed({"files": files})) + "\n")


def checksum(content: bytes) -> dict[str, Any]:
    """Length and SHA-256 of a file's content."""
    return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def damages(folder: Path) -> list[str]:
    """What has changed in a folder of results since it was written, a sentence each. Files that were added are not read."""
    try:
        content = json.loads((folder / CHECKSUMS).read_bytes())
    except OSError:
        return [f"{folder / CHECKSUMS} is missing: nothing in the folder can be checked"]
    except ValueError:
        content = None
    if not is_sealed(content):
        return [f"{folder / CHECKSUMS} is not as it was written: nothing in the folder can be checked"]
    found = []
    for name, was in content["files"].items():
        try:
            now = checksum((folder / name).read_bytes())
        except OSError:
            found.append(f"{folder / name} is missing")
            continue
        if now != was:
            found.append(f"{folder / name} is not as it was written")
    return found


def check_unchanged(path: Path) -> None:
    """Raises CspsimError if a file lies in a results folder and is no longer what was written there."""
    if (path.parent / CHECKSUMS).is_file() and (path.parent / MANIFEST).is_file():
        changed = [one for one in damages(path.parent) if one.startswith((f"{path} ", f"{path.parent / CHECKSUMS} "))]
        if changed:
            raise CspsimError(f"{changed[0]}; make it again, or copy it elsewhere to use figures of your own")


@contextmanager
def results_folder(target: Path) -> Iterator[Path]:
    """A folder to fill that becomes ``target`` when all is written, in place of an older one; nothing is left otherwise.

    Raises CspsimError when the place cannot be written or holds other files.
    """
    check_target(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        hidden = Path(tempfile.mkdtemp(prefix=f".{target.name[:40]}.", dir=target.parent))
    except OSError as error:
        raise CspsimError(f"results cannot be written beside {target}: {error.strerror or error}") from None
    folder = hidden / "new"
    try:
        folder.mkdir()  # with the usual permissions, which a temporary folder does not have
        yield folder
        write_checksums(folder)
        _take_place(folder, target, hidden / "old")
    except OSError as error:
        raise CspsimError(f"results cannot be written to {target}: {error.strerror or error}") from None
    finally:
        shutil.rmtree(hidden, ignore_errors=True)


def _take_place(folder: Path, target: Path, old: Path) -> None:
    """Swap the folders; the old one comes back if the new one cannot take its place."""
    had_one = target.exists()
    if had_one:
        os.replace(target, old)
    try:
        os.replace(folder, target)
    except BaseException:
        if had_one and not target.exists():
            os.replace(old, target)
        raise
