"""Where results lie: a folder of this machine, or one of an object store such as ``s3://bucket/name``.

Only whole files, written by one process: the one that hands out the jobs.
"""

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

from cspsim.basics.errors import CspsimError, needs
from cspsim.basics.limits import read_file


class Folder(Protocol):
    """What a sweep needs of the place its results lie in. Names are relative and use ``/``."""

    def write(self, name: str, content: bytes) -> None:
        """Write a whole file or none. Raises CspsimError when that fails."""
        ...

    def read(self, name: str) -> bytes:
        """A file's content. Raises FileNotFoundError."""
        ...

    def names(self, inside: str = "") -> list[str]:
        """Names of the files in the folder, or in a folder inside it, sorted."""
        ...

    def remove(self, name: str) -> None:
        """Remove a file if it is there. Raises CspsimError when that fails."""
        ...

    def remove_folder(self, inside: str) -> None:
        """Remove a folder inside, if it is there."""
        ...


class LocalFolder:
    """A folder of this machine, or one that several machines share."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __str__(self) -> str:
        return str(self.path)

    def write(self, name: str, content: bytes) -> None:
        """Write beside, flush to the disk, move into place, and flush the folder's own list of files."""
        target = self.path / name
        beside = target.with_name(f".{target.name}.partial")
        try:
            if target.parent != self.path:  # the folder itself was made at the start; if it went away, nothing goes on in a new one
                target.parent.mkdir(exist_ok=True)
            with beside.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(beside, target)
            _flush_folder(target.parent)
        except OSError as error:
            with suppress(OSError):
                beside.unlink(missing_ok=True)
            if not self.path.is_dir():
                raise CspsimError(f"{self.path} went away while results were written to it") from None
            raise CspsimError(f"{target} cannot be written: {error.strerror or error}; what was written before is kept") from None

    def read(self, name: str) -> bytes:
        """A file's content. Raises FileNotFoundError, or CspsimError for a link out of the folder: somebody may have sent it."""
        try:
            if not (self.path / name).resolve().is_relative_to(self.path.resolve()):
                raise CspsimError(f"{self.path / name} is a link that leads out of {self.path}: it is not read")
            if not os.path.lexists(self.path / name):
                raise FileNotFoundError(f"{self.path / name} is not there")
            return read_file(self.path / name, float("inf"))  # parts may be of any size; devices and pipes are no parts
        except FileNotFoundError:
            raise
        except RuntimeError:  # what resolve says of links in a circle
            raise CspsimError(f"{self.path / name} cannot be read: links in a circle") from None
        except OSError as error:
            raise CspsimError(f"{self.path / name} cannot be read: {error.strerror or error}") from None

    def names(self, inside: str = "") -> list[str]:
        """Names of whole files, sorted."""
        folder = self.path / inside
        if not folder.is_dir():
            return []
        try:
            return sorted(path.name for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
        except OSError as error:
            raise CspsimError(f"{folder} cannot be read: {error.strerror or error}") from None

    def remove(self, name: str) -> None:
        """Remove a file if it is there. Raises CspsimError when that fails."""
        try:
            (self.path / name).unlink(missing_ok=True)
        except OSError as error:
            raise CspsimError(f"{self.path / name} cannot be removed: {error.strerror or error}") from None

    def remove_folder(self, inside: str) -> None:
        """Remove a folder inside, with whatever a crash left there."""
        shutil.rmtree(self.path / inside, ignore_errors=True)


def _flush_folder(path: Path) -> None:
    """Make the name of a new file survive a power cut; not every system has or needs this."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError:
        pass
    finally:
        os.close(handle)


class RemoteFolder:
    """A folder of an object store, through fsspec: an upload is whole or absent by itself."""

    def __init__(self, address: str) -> None:
        try:
            from fsspec.core import url_to_fs
        except ModuleNotFoundError:
            raise needs(address, "fsspec", "cluster") from None
        self.address = address
        try:
            self._files, self._root = url_to_fs(address)
        except (ImportError, ValueError) as error:
            raise CspsimError(f"{address}: {error}") from None

    def __str__(self) -> str:
        return self.address

    def _path(self, name: str) -> str:
        return str(PurePosixPath(self._root) / name)

    def write(self, name: str, content: bytes) -> None:
        """Upload a file."""
        try:
            self._files.pipe_file(self._path(name), content)
        except OSError as error:
            raise CspsimError(f"{self.address}/{name} cannot be written: {error}") from None

    def read(self, name: str) -> bytes:
        """A file's content. Raises FileNotFoundError."""
        content: bytes = self._files.cat_file(self._path(name))
        return content

    def names(self, inside: str = "") -> list[str]:
        """Names of files, sorted."""
        self._files.invalidate_cache()
        folder = self._path(inside)
        found: list[dict[str, Any]] = self._files.ls(folder, detail=True) if self._files.isdir(folder) else []
        return sorted(PurePosixPath(entry["name"]).name for entry in found if entry["type"] == "file")

    def remove(self, name: str) -> None:
        """Remove a file if it is there."""
        if self._files.exists(self._path(name)):
            self._files.rm_file(self._path(name))

    def remove_folder(self, inside: str) -> None:
        """Remove the files under a name."""
        if self._files.exists(self._path(inside)):
            self._files.rm(self._path(inside), recursive=True)


def folder_at(place: str | Path) -> Folder:
    """The folder of a path, or of an address such as ``s3://bucket/name``."""
    return RemoteFolder(str(place)) if "://" in str(place) else LocalFolder(Path(place))


def local_copy(place: str) -> Path:
    """A copy of a remote folder on this machine, to be read and left to the system to clean up."""
    remote = RemoteFolder(place)
    target = Path(tempfile.mkdtemp(prefix="cspsim-results-"))
    remote._files.get(remote._root, str(target / "results"), recursive=True)
    return target / "results"
