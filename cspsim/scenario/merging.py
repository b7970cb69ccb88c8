"""What several files say together: ``extends``, stacking, and the places where they contradict each other.

Each file is applied once, after all it extends. Two files side by side add up their differences from what both
build on; the same leaf set to two values is a conflict, not a guess.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from cspsim.basics.errors import Fault, found_in_words
from cspsim.scenario.leaves import PROSE, Leaf, Leaves, Origin, is_path, shown_key
from cspsim.scenario.scenario_files import ScenarioFile
from cspsim.scenario.toml_lines import Key

Conflicts = dict[Key, Fault]

_OF_THE_FIRST = PROSE - {"unit"} | {"primary_outcome"}  # these do not conflict: the first file that states one is quoted


class Merger:
    """The files of a scenario, by path, in the order of reading."""

    def __init__(self, files: Mapping[Path, ScenarioFile]) -> None:
        self.files = files
        self.done: dict[Path, tuple[Leaves, Conflicts]] = {}
        self.beside: dict[tuple[Path, ...], tuple[Leaves, Conflicts]] = {}  # without it, shared parents would take exponential time

    def file(self, path: Path) -> tuple[Leaves, Conflicts]:
        """A file laid over all that it extends, with the conflicts that it does not settle itself."""
        if path not in self.done:
            own = self.files[path].own
            base, conflicts = self.together(self.files[path].parents)
            anew = _replaced(own)
            unsettled = {key: fault for key, fault in conflicts.items() if key not in own and key[:-1] not in anew}
            self.done[path] = applied(base, own), unsettled
        return self.done[path]

    def together(self, paths: Sequence[Path]) -> tuple[Leaves, Conflicts]:
        """Files side by side."""
        if tuple(paths) not in self.beside:
            self.beside[tuple(paths)] = self._together(paths)
        return self.beside[tuple(paths)]

    def _together(self, paths: Sequence[Path]) -> tuple[Leaves, Conflicts]:
        if not paths:
            return {}, {}
        merged, conflicts = self.file(paths[0])
        seen = self.files[paths[0]].closure
        for path in paths[1:]:
            leaves, more = self.file(path)
            closure = self.files[path].closure
            base, _ = self.together(self._ends(seen & closure))
            merged, found = _joined(base, merged, leaves)
            conflicts = conflicts | more | found
            seen |= closure
        return merged, conflicts

    def _ends(self, origins: frozenset[Origin]) -> list[Path]:
        """Those of some files that none of the others extends."""
        extended = {below for origin in origins for below in origin.builds_on}
        return [path for path, file in self.files.items() if file.origin in origins - extended]


def is_replace(key: Key) -> bool:
    """Whether a key is the ``replace`` of dated values."""
    return len(key) > 1 and key[-1] == "replace" and is_path(key[:-1])


def _replaced(leaves: Mapping[Key, Leaf]) -> set[Key]:
    """The paths that ``replace = true`` starts anew, as the key of their dates."""
    return {(*key[:-1], "path") for key, leaf in leaves.items() if key[-1] == "replace" and leaf.value is True and is_replace(key)}


def applied(base: Leaves, own: Leaves) -> Leaves:
    """A file's own leaves over what it extends."""
    anew = _replaced(own)
    kept = {key: leaf for key, leaf in base.items() if key[:-1] not in anew} if anew else base
    return {**kept, **own}


def _same(left: Leaf | None, right: Leaf | None) -> bool:
    if left is None or right is None:
        return left is right
    return isinstance(left.value, bool) == isinstance(right.value, bool) and bool(left.value == right.value)


def _joined(base: Leaves, left: Leaves, right: Leaves) -> tuple[Leaves, Conflicts]:
    """Both sides' differences from what they share."""
    merged, conflicts = dict(left), {}
    for key in dict.fromkeys((*right, *base)):
        ours, theirs, shared = left.get(key), right.get(key), base.get(key)
        if ours is theirs or _same(ours, theirs) or _same(theirs, shared):
            continue
        if _same(ours, shared):
            if theirs is None:
                del merged[key]
            else:
                merged[key] = theirs
        elif key[-1] not in _OF_THE_FIRST:
            conflicts[key] = _conflict(key, left, right)
    for one, other in ((left, right), (right, left)):
        for dates in _replaced(one) - _replaced(base):
            changed = [key for key, leaf in other.items() if key[:-1] == dates and not _same(leaf, base.get(key))]
            conflicts |= {key: _conflict(key, left, right) for key in changed if not _same(left.get(key), right.get(key))}
    return merged, conflicts


def _conflict(key: Key, left: Leaves, right: Leaves) -> Fault:
    """Two values for one key, or a value on one side of a path that the other side starts anew."""

    def said(side: Leaves) -> tuple[str, str, int | None]:
        at = key if key in side else (*key[:-2], "replace")
        words = f"set to {found_in_words(side[at].value)}" if at == key else "left out by replace = true"
        return words, side[at].origin.label, side[at].origin.line(at)

    (ours, file, line), (theirs, their_file, their_line) = said(left), said(right)
    hint = "let one scenario extend the other, or set it where both meet"
    return Fault(their_file, their_line, shown_key(key), f"{theirs} here, but {ours} in {file}:{line}", hint)
