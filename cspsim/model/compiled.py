"""The decorator of every rule: machine code by Numba, kept on disk, never out of date.

Numba's own disk cache does not notice that a *called* function in another file has changed: it goes on running
the old rule, silently. So the cache lives in a folder named after a hash of all rule sources, the versions of
what compiled them and the processor; any change starts a new folder. ``CSPSIM_CACHE_DIR`` moves the base folder.
A rule of a user lies inside that folder in one named after a hash of its own text, so that it is never out of date
either, and recompiles nothing else.
With ``NUMBA_DISABLE_JIT=1`` every rule stays ordinary Python, for debugging and coverage.
"""

import hashlib
import os
import platform
import re
import shutil
import sys
import tempfile
import threading
import warnings
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import llvmlite  # type: ignore[import-untyped] # ships no type information
import llvmlite.binding  # type: ignore[import-untyped] # ships no type information
import numba
import numpy as np
import platformdirs

PACKAGE = Path(__file__).resolve().parent
"""The room of everything that is compiled. A rule outside would be compiled, but not kept."""
_settings: Any = numba.config  # its names are made at run time, so no type checker knows them
INTERPRETED = bool(_settings.DISABLE_JIT)  # set by NUMBA_DISABLE_JIT=1: rules stay plain Python
KEPT_FOLDERS = 5
RIVALS, KEPT_RIVALS = "rivals", 40

Function = TypeVar("Function", bound=Callable[..., Any])

_numba_settings = threading.RLock()


def rule_files(package: Path = PACKAGE) -> list[Path]:
    """The files a compiled rule of ``package`` may depend on, in the order of their names: all of them."""
    return sorted(package.rglob("*.py"))


def rules_key(package: Path = PACKAGE) -> str:
    """Hash (20 hexadecimal digits) of everything machine code depends on: sources, versions, settings, processor."""
    digest = hashlib.blake2b(digest_size=10)
    for path in rule_files(package):
        source = path.read_bytes()
        digest.update(f"{path}\x1f{len(source)}\x1f".encode())
        digest.update(source)
    digest.update("\x1f".join(_compiler()).encode())
    return digest.hexdigest()


def _compiler() -> list[str]:
    """What compiles and where: versions, the processor, and the Numba settings that change machine code."""
    versions = [numba.__version__, np.__version__, llvmlite.__version__, sys.version, platform.machine(), sys.platform]
    settings = [
        f"{name}={getattr(_settings, name, None)}" for name in ("BOUNDSCHECK", "OPT", "DEBUGINFO_DEFAULT", "CPU_NAME", "CPU_FEATURES")
    ]
    return [*versions, *settings, llvmlite.binding.get_host_cpu_name(), _processor_features()]


def _processor_features() -> str:
    try:
        return str(llvmlite.binding.get_host_cpu_features().flatten())
    except RuntimeError:  # LLVM cannot tell on some processors; their name is in the key already
        return ""


def base_folder() -> Path:
    """Where the folders of all keys stand: CSPSIM_CACHE_DIR if set, else the user's cache folder."""
    base = os.environ.get("CSPSIM_CACHE_DIR") or platformdirs.user_cache_dir("cspsim", appauthor=False)
    return Path(base).absolute() / "compiled"


@lru_cache(maxsize=1)
def cache_folder() -> Path | None:
    """The folder of the present key, made if need be; None if nothing can be read or written there."""
    try:
        folder = base_folder() / rules_key(PACKAGE)
        new = not folder.exists()
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
        os.utime(folder)  # its date says when it was last used
        if new:
            _remove_old_folders(folder, KEPT_FOLDERS)
    except OSError as error:
        warnings.warn(f"compiled rules cannot be kept on disk, so each start compiles them anew: {error}", RuntimeWarning, stacklevel=2)
        return None
    return folder


def keep_source(text: str, stem: str) -> Path | None:
    """A file ``stem``.py with the source of a rule that is not the package's, in a folder named after a hash of the text.

    Its machine code is kept beside it. None if nothing can be kept; then the source may be compiled from anywhere.
    """
    base = cache_folder()
    if base is None:
        return None
    source = text.encode()
    folder = base / RIVALS / _key_of(source)
    file = folder / f"{stem}.py"
    try:
        if not (file.exists() and file.read_bytes() == source):
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=folder, delete=False) as part:
                part.write(source)
            os.replace(part.name, file)
            _remove_old_folders(folder, KEPT_RIVALS)
        os.utime(folder)
    except OSError:
        return None
    return file.resolve()


def _key_of(source: bytes) -> str:
    return hashlib.blake2b(source, digest_size=10).hexdigest()


def _folder_of_rival(source: Path) -> Path | None:
    """The folder that ``keep_source`` made for a file, if the file still says what the folder is named after."""
    base, folder = cache_folder(), source.parent
    if base is None or folder.parent != (base / RIVALS).resolve():
        return None
    try:
        return folder if _key_of(source.read_bytes()) == folder.name else None
    except OSError:
        return None


def _remove_old_folders(newest: Path, kept: int) -> None:
    """Keep the ``kept`` folders used last, ``newest`` among them. Touches nothing that is not named like a key."""
    others = [path for path in newest.parent.iterdir() if re.fullmatch("[0-9a-f]{20}", path.name) and path != newest]
    others.sort(key=_last_used, reverse=True)
    for old in others[kept - 1 :]:
        shutil.rmtree(old, ignore_errors=True)  # another process may be using or removing it


def _last_used(folder: Path) -> float:
    try:
        return folder.stat().st_mtime
    except OSError:  # removed by another process meanwhile
        return 0.0


def first_compilation(file: str = "*") -> bool:
    """Whether no machine code of rules in ``file`` (a name without .py; default any) is kept for the present key yet.

    False where rules are not compiled at all; True where nothing can be kept, since every start then compiles.
    """
    if INTERPRETED:
        return False
    folder = cache_folder()
    return folder is None or not any(folder.glob(f"*/{file}.*.nbc"))


def compiled(function: Function) -> Function:
    """Compile one rule, keeping the machine code under the present key; the plain function if compilation is off.

    A function from a file that is not hashed (see ``rule_files`` and ``keep_source``) is compiled but not kept,
    because a kept version could be out of date without anybody noticing. A function that is not the package's has the
    bounds of its arrays checked: a slip of the pen ends with an error, not with other numbers.
    """
    if INTERPRETED:
        return function
    source = Path(function.__code__.co_filename).resolve()
    own = source in _own_rules()
    with _numba_settings:
        folder = cache_folder() if own else _folder_of_rival(source)
        if folder is not None:
            kept = _compile_kept(function, folder, checked=not own)
            if kept is not None:
                return kept
    return _compile(function, kept=False, checked=not own)


@lru_cache(maxsize=1)
def _own_rules() -> frozenset[Path]:
    return frozenset(path.resolve() for path in rule_files())


def _compile_kept(function: Function, folder: Path, *, checked: bool) -> Function | None:
    """Compile with the disk cache in ``folder``; None if Numba would put it anywhere else."""
    before = _settings.CACHE_DIR
    _settings.CACHE_DIR = str(folder)  # read by Numba once, while it decorates; a user's own functions keep theirs
    try:
        rule = _compile(function, kept=True, checked=checked)
    except RuntimeError:  # Numba found no place for it
        return None
    finally:
        _settings.CACHE_DIR = before
    place = Path(rule.stats.cache_path)  # type: ignore[attr-defined]
    return rule if folder in place.parents else None


def _compile(function: Function, *, kept: bool, checked: bool) -> Function:
    decorate: Any = numba.njit(cache=kept, nogil=True, error_model="numpy", boundscheck=True if checked else None)
    rule: Function = decorate(function)
    return rule
