"""The files of a scenario: found by name, read once each, with everything they extend."""

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from cspsim.basics.errors import Fault, did_you_mean
from cspsim.basics.limits import TOO_DEEP, VARIABLES, Unreadable, files_allowed, is_too_deep, read_file, too_many_keys
from cspsim.scenario.leaves import Leaf, Leaves, Origin, leaves_of, shown_key, whole_shape
from cspsim.scenario.old_words import with_present_keys
from cspsim.scenario.rival_rules import placed
from cspsim.scenario.toml_lines import Key


def shipped_folder() -> Path:
    """Where the shipped scenarios lie: inside an installed package, else at the top of the repository."""
    here = Path(__file__).resolve().parents[1]
    inside = here / "scenarios"
    return inside if inside.is_dir() else here.parent / "scenarios"


def shipped_experiments() -> Path:
    """Where the shipped experiments lie: beside the shipped scenarios."""
    return shipped_folder().parent / "experiments"


def theories_folder() -> Path:
    """Where the shipped rival theories lie, each a scenario with its rule file beside it."""
    return shipped_experiments() / "theories"


def scenario_names() -> list[str]:
    """Names of the shipped scenarios, without the parts of the world they are built from."""
    return _names_in(shipped_folder())


def _names_in(folder: Path, prefix: str = "") -> list[str]:
    return sorted(prefix + path.stem for path in folder.glob("*.toml"))


class ScenarioFile(NamedTuple):
    """One file: what it says itself, and the files it extends."""

    origin: Origin
    own: Leaves
    parents: tuple[Path, ...]

    @property
    def closure(self) -> frozenset[Origin]:
        """This file and everything it extends."""
        return self.origin.builds_on | {self.origin}


class FilesRead:
    """The files of one scenario in the order of reading, and what is wrong with reading them.

    ``search``: folders in which names are looked up before the shipped ones.
    """

    def __init__(self, search: Sequence[Path]) -> None:
        self.search = [Path(folder) for folder in search]
        self.files: dict[Path, ScenarioFile] = {}  # a file that is extended comes before the files that extend it
        self.faults: list[Fault] = []
        self.misplaced: list[Fault] = []  # rules that are named twice, and rule files that are not where they may be

    def find(self, name: str, beside: Path | None = None) -> Path | None:
        """The file of a name. A file that extends its own name means the next one found, else it is a circle."""
        relative = Path(name if name.endswith(".toml") else f"{name}.toml")
        folders = [beside.parent] if beside else [Path()] if name.endswith(".toml") else []
        found = []
        for folder in (*folders, *self.search, shipped_folder(), theories_folder()):
            try:
                path = (folder / relative).expanduser().resolve()
                if path.is_file():
                    found.append(path)
            except (OSError, ValueError, RuntimeError):  # a name no file can have
                continue
        return next((path for path in found if path != beside), found[0] if found else None)

    def fetch(self, name: str, asker: Origin | None = None, chain: tuple[Path, ...] = ()) -> Path | None:
        """Find and read a file and all it extends; None, with a fault noted, when that fails.

        ``asker``: the file that extends this one; ``chain``: all the files that led here, the asker last.
        """
        path = self.find(name, chain[-1] if chain else None)
        if path is None:
            message = f'there is no scenario "{name}"' if asker else "there is no such scenario"
            self._blame(asker or name, message, did_you_mean(name, self._known_names(chain)))
        elif path in chain:
            circle = " -> ".join(label_of(step) for step in (*chain[chain.index(path) :], path))
            self._blame(asker or name, f"a scenario extends itself: {circle}", "take one of these steps out")
            return None
        elif path not in self.files and (len(chain) >= files_allowed() or len(self.files) >= files_allowed()):
            message = f"a scenario is put together from at most {files_allowed()} files"
            self._blame(asker or name, message, f"say more in fewer files, or allow more with {VARIABLES['files']}")
            return None
        elif path not in self.files:
            self._read(path, chain)
        return path

    def _blame(self, asker: Origin | str, message: str, hint: str = "") -> None:
        """Note a fault of the line that extends something, or of a name that a user asked for."""
        place = (asker, None, "") if isinstance(asker, str) else (asker.label, asker.line(("extends",)), "extends")
        self.faults.append(Fault(*place, message, hint))

    def _known_names(self, chain: tuple[Path, ...]) -> list[str]:
        names = scenario_names() + _names_in(shipped_folder() / "world", "world/") + _names_in(theories_folder())
        for folder in [path.parent for path in chain[-1:]] + self.search:
            names += [name for name in _names_in(folder) if folder / f"{name}.toml" not in chain[-1:]]
        return list(dict.fromkeys(names))

    def _read(self, path: Path, chain: tuple[Path, ...]) -> None:
        label = label_of(path)
        raw, text, fault = parsed_toml(path, label)
        if fault:
            self.faults.append(fault)
        asker = Origin(label, text)
        names = raw.pop("extends", [])
        names = [names] if isinstance(names, str) else names
        if not (isinstance(names, list) and all(isinstance(name, str) for name in names)):
            self._blame(asker, "wrong type: expected a name or a list of names")
            names = []
        fetched = [self.fetch(name, asker, (*chain, path)) for name in names]
        parents = tuple(dict.fromkeys(parent for parent in fetched if parent is not None))
        origin = Origin(label, text, frozenset().union(*(self.files[parent].closure for parent in parents)))
        own: Leaves = {}
        said, twice = with_present_keys(leaves_of(raw, whole_shape()), label, origin.line)
        self.misplaced += twice
        for key, value in said.items():
            try:
                own |= {key: Leaf(_placed(key, value, path.parent), origin)} if key else {}
            except ValueError as error:
                self.misplaced.append(Fault(label, origin.line(key), shown_key(key), str(error)))
        self.files[path] = ScenarioFile(origin, own, parents)


def _placed(key: Key, value: Any, folder: Path) -> Any:
    """A value that is valid from any working directory: the file of a rule gets its whole path. Raises ValueError for one out of reach."""
    return placed(value, folder, inside=True) if key[:1] == ("rules",) and len(key) == 2 and isinstance(value, str) else value


def label_of(path: Path) -> str:
    """The name of a file in messages and reports: short, and the same on every machine for shipped files."""
    for folder, prefix in ((shipped_folder(), "scenarios"), (shipped_experiments(), "experiments"), (Path.cwd(), "")):
        if path.is_relative_to(folder):
            return (Path(prefix) / path.relative_to(folder)).as_posix()
    return str(path)


def parsed_toml(path: Path, label: str = "") -> tuple[dict[str, Any], str, Fault | None]:
    """What a TOML file says, its text, and what kept it from being read."""
    label = label or label_of(path)
    try:
        content = read_file(path)
        text = content.decode("utf-8-sig")
        raw = tomllib.loads(text)
        refused = f"invalid TOML: {TOO_DEEP}" if is_too_deep(raw) else too_many_keys(raw)
        return ({}, "", Fault(label, None, "", refused)) if refused else (raw, text, None)
    except Unreadable as error:
        return {}, "", Fault(label, None, "", error.why)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return {}, "", Fault(label, line, "", "is not UTF-8 text", "save the file as UTF-8")
    except RecursionError:
        return {}, "", Fault(label, 1, "", f"invalid TOML: {TOO_DEEP}")
    except ValueError as error:  # TOMLDecodeError, and whole numbers of thousands of digits
        return {}, "", Fault(label, _line_in(str(error), text), "", f"invalid TOML: {error}")


def _line_in(message: str, text: str) -> int:
    """The line that a parser's message names, else the last one: such a message is about the end of the file."""
    _, found, rest = message.rpartition("(at line ")
    number = rest.partition(",")[0]
    return int(number) if found and number.isdecimal() else text.count("\n") + 1
