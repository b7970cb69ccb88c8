"""The decorator of every rule: machine code by Numba, kept on disk, never out of date.

Numba's own disk cache does not notice that a *called* function in another file has changed: it goes on running
the old rule, silently. So the cache lives in a folder named after a hash of all rule sources, the versions of
what compiled them and the processor; any change starts a new folder. ``CSPSIM_CACHE_DIR`` moves the base folder.
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
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import llvmlite  # type: ignore[import-untyped] # ships no type information
import llvmlite.binding  # type: ignore[import-untyped] # ships no type information
import numba
import numpy as np
import platformdirs

PACKAGE = Path(__file__).resolve().parent
_settings: Any = numba.config  # its names are made at run time, so no type checker knows them
INTERPRETED = bool(_settings.DISABLE_JIT)  # set by NUMBA_DISABLE_JIT=1: rules stay plain Python
KEPT_FOLDERS = 5
# Files that read scenarios or results, or wait for people, and that no rule calls. Every other file beside this one is
# hashed: a file left out by mistake would run an old rule, a file hashed without need costs one compilation.
FACES = frozenset(
    {"agents", "assumptions", "charts", "checks", "cli", "comparison", "country", "dashboard", "describe", "differences"}
    | {"errors", "events", "exports", "formats", "layout", "leaves", "merging", "model", "money", "outcomes"}
    | {"report", "results", "rulebook", "run", "scenario", "scenario_files", "schema", "story", "summary", "template"}
    | {"terminal", "toml_lines", "validation", "witness", "years"}
)

Function = TypeVar("Function", bound=Callable[..., Any])

_user_rules: set[Path] = set()
_numba_settings = threading.RLock()


def rule_files(package: Path = PACKAGE) -> list[Path]:
    """The files a compiled rule of ``package`` may depend on, in the order of their names."""
    beside = [path for path in package.glob("*.py") if path.stem not in FACES]
    return sorted([*beside, *package.glob("rules/**/*.py")])


def also_hash(paths: Iterable[str | Path]) -> None:
    """Count the files ``paths`` as rule sources for everything compiled from now on.

    To be called with the files of a user's own rules before the functions that call them are decorated.
    Raises FileNotFoundError if one of them does not exist.
    """
    found = {Path(path).resolve(strict=True) for path in paths}
    with _numba_settings:
        _user_rules.update(found)
        cache_folder.cache_clear()


def rules_key(package: Path = PACKAGE, user_rules: Iterable[Path] = ()) -> str:
    """Hash (20 hexadecimal digits) of everything machine code depends on: sources, versions, settings, processor."""
    digest = hashlib.blake2b(digest_size=10)
    for path in [*rule_files(package), *sorted(user_rules)]:
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
        folder = base_folder() / rules_key(PACKAGE, _user_rules)
        new = not folder.exists()
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
        os.utime(folder)  # its date says when it was last used
        if new:
            _remove_old_folders(folder)
    except OSError as error:
        warnings.warn(f"compiled rules cannot be kept on disk, so each start compiles them anew: {error}", RuntimeWarning, stacklevel=2)
        return None
    return folder


def _remove_old_folders(newest: Path) -> None:
    """Keep the ``KEPT_FOLDERS`` folders used last, ``newest`` among them. Touches nothing that is not named like a key."""
    others = [path for path in newest.parent.iterdir() if re.fullmatch("[0-9a-f]{20}", path.name) and path != newest]
    others.sort(key=_last_used, reverse=True)
    for old in others[KEPT_FOLDERS - 1 :]:
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

    A function from a file that is not hashed (see ``rule_files`` and ``also_hash``) is compiled but not kept,
    because a kept version could be out of date without anybody noticing.
    """
    if INTERPRETED:
        return function
    source = Path(function.__code__.co_filename).resolve()
    with _numba_settings:
        folder = cache_folder() if source in _user_rules or source in _own_rules() else None
        if folder is not None:
            kept = _compile_kept(function, folder)
            if kept is not None:
                return kept
    return _compile(function, kept=False)


@lru_cache(maxsize=1)
def _own_rules() -> frozenset[Path]:
    return frozenset(path.resolve() for path in rule_files())


def _compile_kept(function: Function, folder: Path) -> Function | None:
    """Compile with the disk cache in ``folder``; None if Numba would put it anywhere else."""
    before = _settings.CACHE_DIR
    _settings.CACHE_DIR = str(folder)  # read by Numba once, while it decorates; a user's own functions keep theirs
    try:
        rule = _compile(function, kept=True)
    except RuntimeError:  # Numba found no place for it
        return None
    finally:
        _settings.CACHE_DIR = before
    place = Path(rule.stats.cache_path)  # type: ignore[attr-defined]
    return rule if folder in place.parents else None


def _compile(function: Function, *, kept: bool) -> Function:
    decorate: Any = numba.njit(cache=kept, nogil=True, error_model="numpy")
    rule: Function = decorate(function)
    return rule
