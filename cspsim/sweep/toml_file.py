"""A TOML file that is no scenario, read against its schema: every fault at once, each with its line."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType, UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import ValidationError

from cspsim.basics.errors import Fault, FileError, did_you_mean, in_plain_words
from cspsim.basics.limits import FAULTS
from cspsim.basics.outward import for_shell
from cspsim.scenario.checks import unshowable
from cspsim.scenario.leaves import Origin
from cspsim.scenario.old_words import in_present_words
from cspsim.scenario.scenario_files import label_of, parsed_toml, shipped_experiments
from cspsim.scenario.schema import FileSection
from cspsim.scenario.toml_lines import Key, join_key

Data = TypeVar("Data", bound=FileSection)


def find_file(name: str | Path, kind: type[FileError] = FileError) -> Path:
    """The file of a path, or of the name of a shipped one. Raises ``kind`` with the nearest right name."""
    asked = Path(name)
    known = shipped_experiments()
    for path in (asked, known / f"{name}.toml", known / str(name)):
        if path.suffix == ".toml" and path.is_file():
            return path.resolve()
    names = [path.stem for path in sorted(known.glob("*.toml"))]
    beside = [path.name for path in sorted(asked.parent.glob("*.toml"))] if asked.parent.is_dir() else []
    raise kind([Fault(str(name), None, "", f"there is no such {kind.kind}", did_you_mean(str(name), [*names, *beside]))], str(name))


_KINDS = {"hypotheses": "hypotheses", "fit": "calibrate", "retest": "optimise"}  # a table only this kind of file has -> its command


def shipped_questions() -> list[dict[str, str]]:
    """Every shipped experiment: name, title, question, and the command that answers it."""
    found = []
    for path in sorted(shipped_experiments().glob("*.toml")):
        raw, _, _ = parsed_toml(path)
        command = next((command for table, command in _KINDS.items() if table in raw), "sweep")
        said = {part: str(raw.get(part, "")) for part in ("title", "question")}
        found.append({"name": path.stem, **said, "command": for_shell(["cspsim", command, path.stem])})
    return found


class FileReader:
    """One file being read: what it says, and what is wrong with it so far."""

    def __init__(self, path: Path, kind: type[FileError] = FileError) -> None:
        self.path, self.kind = path, kind
        self.faults: list[Fault] = []
        self.raw, text, fault = parsed_toml(path)
        self.origin = Origin(label_of(path), text)
        if fault:
            self.faults.append(fault)

    def blame(self, key: Key, message: str, hint: str = "") -> None:
        """Note a fault of the line that says ``key``."""
        self.faults.append(Fault(self.origin.label, self.origin.line(key), join_key(key), message, hint))

    def adopt(self, error: FileError, key: Key, places: Mapping[str, Key] = MappingProxyType({})) -> None:
        """Note the faults of something this file names: where they have a line of their own, else at ``key``.

        ``places``: dotted keys that this file changes in it, with where it says so.
        """
        for fault in error.faults:
            if fault.line is None:
                place = next((where for dotted, where in places.items() if _is_about(fault.key, dotted)), key)
                about = "" if place != key or not fault.key else f"{fault.key}: "
                self.blame(place, f"{about}{fault.message}", fault.hint)
            else:
                self.faults.append(fault)

    def read(self, schema: type[Data]) -> Data:
        """The file's data. Raises the reader's kind of error with every fault."""
        for name, value in self.raw.items():
            found = unshowable({name: value})
            if found:
                self.blame((name,), f"holds the control character {found}", "write text that can be shown")
        if not self.faults:
            try:
                return schema.model_validate(self.raw)
            except ValidationError as error:
                for key, message, hint in _complaints(error, schema):
                    self.blame(key, message, hint)
        raise self.error()

    def error(self) -> FileError:
        """Everything found so far as one error."""
        return self.kind(self.faults, self.path.stem)

    def finish(self) -> None:
        """Raise the reader's kind of error if anything was found."""
        if self.faults:
            raise self.error()


def _is_about(blamed: str, dotted: str) -> bool:
    """Whether a fault at one dotted key is about what a file says under another: the same place, above it or below it."""
    names = {dotted, in_present_words(dotted)}
    return any(blamed.startswith(name) or name.startswith(blamed or " ") for name in names)


def _complaints(error: ValidationError, schema: type[FileSection]) -> Iterator[tuple[Key, str, str]]:
    missing: dict[Key, list[str]] = {}
    for entry in error.errors(include_url=False)[:FAULTS]:
        key = tuple(str(part) for part in entry["loc"] if part != "[key]")
        if entry["type"] == "missing":
            missing.setdefault(key[:-1], []).append(key[-1])
        elif entry["type"] == "extra_forbidden":
            yield key, "unknown key", did_you_mean(key[-1], _fields_at(schema, key[:-1]))
        else:
            yield key, in_plain_words(entry), ""
    for key, names in missing.items():
        yield key, f"lacks {', '.join(names)}", ""


def _fields_at(schema: Any, key: Key) -> list[str]:
    """Names of the fields at a key of a schema; none where it has free names."""
    for name in key:
        schema = _part(schema, name)
    schema = _bare(schema)
    if isinstance(schema, type) and issubclass(schema, FileSection):
        return [field.alias or name for name, field in schema.model_fields.items()]
    return []


def _part(schema: Any, name: str) -> Any:
    schema = _bare(schema)
    if get_origin(schema) in (dict, list, Mapping):
        return get_args(schema)[-1]
    if isinstance(schema, type) and issubclass(schema, FileSection):
        fields = {field.alias or own: field.annotation for own, field in schema.model_fields.items()}
        return fields.get(name)
    return None


def _bare(schema: Any) -> Any:
    """A type without its remarks and without the option of being left out."""
    while get_origin(schema) in (Annotated, Union, UnionType):
        inside = get_args(schema)
        schema = inside[0] if get_origin(schema) is Annotated else next(kind for kind in inside if kind is not type(None))
    return schema
