"""A hypothesis file, read and checked, with every arm that its comparisons need."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from cspsim.basics.errors import FileError, ScenarioError, did_you_mean
from cspsim.hypotheses.hypothesis_schema import ComparisonSide, FileData, Reference, Stated
from cspsim.hypotheses.judging import DIRECTIONS, Claims
from cspsim.running.outcomes import OUTCOMES
from cspsim.scenario.leaves import leaves_of, shape_at
from cspsim.scenario.scenario import Scenario, load_scenario
from cspsim.scenario.schema import Number
from cspsim.scenario.toml_lines import Key, join_key, split_key
from cspsim.sweep.toml_file import FileReader, find_file


class HypothesisError(FileError):
    """A hypothesis file cannot be used."""

    kind = "hypothesis file"


class Pair(NamedTuple):
    """Two arms that run on the same luck; the reference may be a stated value instead."""

    reference: Scenario | float
    treatment: Scenario

    @property
    def scenarios(self) -> list[Scenario]:
        """The arms that have to be run."""
        return [arm for arm in self if isinstance(arm, Scenario)]


@dataclass(frozen=True, eq=False)
class Hypothesis:
    """One hypothesis with its arms: as stated, without its mechanism, and in the world where nothing may differ."""

    name: str
    stated: Stated
    pair: Pair
    without: Pair | None
    null: Pair | None

    @property
    def digests(self) -> dict[str, str]:
        """What identifies every arm: changes when a scenario file behind it changes."""
        pairs = {"": self.pair, "without": self.without, "null": self.null}
        sides = {
            f"{label} {side}".strip(): arm for label, pair in pairs.items() if pair for side, arm in zip(Pair._fields, pair, strict=True)
        }
        return {name: arm.digest for name, arm in sides.items() if isinstance(arm, Scenario)}


@dataclass(frozen=True, eq=False)
class HypothesisFile:
    """A hypothesis file that has passed every check; ``text`` is the file as it is written."""

    name: str
    path: Path
    text: str
    data: FileData
    hypotheses: tuple[Hypothesis, ...]

    @property
    def claims(self) -> Claims:
        """The claims of all hypotheses in the order of the file."""
        stated = [hypothesis.stated for hypothesis in self.hypotheses]
        return Claims(
            np.array([DIRECTIONS[one.direction] for one in stated]),
            np.array([one.smallest_effect for one in stated]),
            np.array([one.smallest_is == "relative" for one in stated]),
        )


class _HypothesisReader(FileReader):
    """A hypothesis file being read; scenarios that many hypotheses share are loaded, and changed, once."""

    def __init__(self, path: Path, allow_rules: bool) -> None:
        super().__init__(path, HypothesisError)
        self._allow_rules = allow_rules
        self._loaded: dict[str, Scenario] = {}
        self._changed: dict[tuple[str, str], Scenario] = {}

    def scenario(self, name: str) -> Scenario:
        """The scenario of a name, beside this file or shipped. Raises ScenarioError."""
        if name not in self._loaded:
            self._loaded[name] = load_scenario(name, (self.path.parent,), allow_rules=self._allow_rules)
        return self._loaded[name]

    def changed(self, scenario: Scenario, changes: Mapping[str, Any]) -> Scenario:
        """The scenario with changes. Raises ScenarioError."""
        key = (scenario.digest, repr(changes))
        if key not in self._changed:
            self._changed[key] = scenario.with_changes(held(changes), scenario.name, self._allow_rules, self.path.parent)
        return self._changed[key]


def load_hypotheses(name: str | Path, allow_rules: bool = False) -> HypothesisFile:
    """Read a hypothesis file from a path, or a shipped one by name. Raises HypothesisError with every fault, file and line.

    ``allow_rules``: the rules that it and its scenarios bring along may be run; reading runs nothing.
    """
    path = find_file(name, HypothesisError)
    reader = _HypothesisReader(path, allow_rules)
    data = reader.read(FileData)
    hypotheses = [_hypothesis(own, stated, reader) for own, stated in data.hypotheses.items()]
    reader.finish()
    return HypothesisFile(path.stem, path, reader.origin.text or "", data, tuple(one for one in hypotheses if one is not None))


def _hypothesis(name: str, stated: Stated, reader: _HypothesisReader) -> Hypothesis | None:
    """One hypothesis with its arms; None, with faults noted, where something is wrong."""
    key = ("hypotheses", name)
    before = len(reader.faults)
    if stated.outcome not in OUTCOMES:
        reader.blame((*key, "outcome"), f'no outcome is called "{stated.outcome}"', did_you_mean(stated.outcome, OUTCOMES))
    if stated.without and not stated.mechanism:
        reader.blame((*key, "without"), "lacks a name", 'say in words what it switches off: mechanism = "..."')
    if stated.mechanism and not stated.without:
        reader.blame((*key, "mechanism"), "says nothing that can be switched off", "without.switches.NAME = false, or another change")
    treatment = _arm(stated.treatment, (*key, "treatment"), reader)
    reference = _reference(stated.reference, (*key, "reference"), reader)
    if treatment is None or reference is None or len(reader.faults) > before:
        return None
    pair = Pair(reference, treatment)
    _check_pair(pair, stated, key, reader)
    others = [_changed(pair, changes, (*key, part), reader) for part, changes in (("without", stated.without), ("null", stated.null))]
    return Hypothesis(name, stated, pair, *others) if len(reader.faults) == before else None


def _reference(side: Reference, key: Key, reader: _HypothesisReader) -> Scenario | float | None:
    if side.value is None:
        return _arm(side, key, reader)
    if side.changes or side.scenario != Reference().scenario:
        reader.blame((*key, "value"), "a reference is a scenario or a value, not both")
    return side.value


def _arm(side: ComparisonSide, key: Key, reader: _HypothesisReader) -> Scenario | None:
    """The scenario of one side. Numbers that its changes set hold in every assumption set: they are the treatment."""
    try:
        scenario = reader.scenario(side.scenario)
    except ScenarioError as error:
        reader.adopt(error, (*key, "scenario"))
        return None
    return _with(scenario, side.changes, (*key, "changes"), reader)


def _with(scenario: Scenario, changes: Mapping[str, Any], key: Key, reader: _HypothesisReader) -> Scenario | None:
    """The scenario with changes; None, with each fault noted at the line of the change that made it, if that fails."""
    if not changes:
        return scenario
    try:
        return reader.changed(scenario, changes)
    except ScenarioError as error:
        for fault in error.faults:
            place = _line_key(changes, fault.key, key)
            about = f"{fault.key}: " if fault.key and place == key else ""
            reader.blame(place, f"{about}{fault.message}", fault.hint)
        return None


def _line_key(changes: Mapping[str, Any], blamed: str, key: Key) -> Key:
    """The key in this file of the change that a fault speaks of."""
    for dotted in changes:
        if blamed and (blamed.startswith(dotted) or dotted.startswith(blamed)):
            inside = blamed.removeprefix(dotted).strip(".") if blamed.startswith(dotted) else ""
            return (*key, dotted, *(inside.split(".") if inside else ()))
    return key


def held(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Changes by dotted key in which a number without a range of its own gets none: no assumption set moves it.

    What a comparison sets is a decision, not an unknown; without this, the scenario's range would be sampled around it.
    """
    found: dict[str, Any] = {}
    for dotted, value in changes.items():
        try:
            key = split_key(dotted)
        except ValueError:
            key = ()
        shape = shape_at(key) if key else None
        if shape is None:
            found[dotted] = value  # left for the scenario to refuse
            continue
        leaves = leaves_of(value, shape, key)
        for leaf, given in leaves.items():
            around = shape_at(leaf[:-1])
            is_number = leaf[-1] == "value" and around is not None and around.section is Number
            ends = ("low", "high") if is_number and not {(*leaf[:-1], "low"), (*leaf[:-1], "high")} & leaves.keys() else ()
            found |= {join_key(leaf): given} | {join_key((*leaf[:-1], end)): given for end in ends}
    return found


def _check_pair(pair: Pair, stated: Stated, key: Key, reader: _HypothesisReader) -> None:
    """Both arms cover the same months and partnerships, the named partnership exists, and the two arms differ."""
    reference, treatment = pair
    known = list(treatment.data.partnerships)
    if stated.partnership is not None and stated.partnership not in known:
        reader.blame((*key, "partnership"), f'no partnership is called "{stated.partnership}"', did_you_mean(stated.partnership, known))
    if not isinstance(reference, Scenario):
        return
    if reference.data.time != treatment.data.time:
        reader.blame((*key, "treatment"), "another time span or outcome window than the reference's: their runs cannot be paired")
    if list(reference.data.partnerships) != known:
        reader.blame((*key, "treatment"), "other partnerships than the reference's: their runs cannot be paired")
    if reference.digest == treatment.digest:
        reader.blame((*key, "treatment"), "is the same as the reference", "change something in one of them")


def _changed(pair: Pair, changes: Mapping[str, Any], key: Key, reader: _HypothesisReader) -> Pair | None:
    if not changes:
        return None
    reference, treatment = (_with(arm, changes, key, reader) if isinstance(arm, Scenario) else arm for arm in pair)
    if reference is None or not isinstance(treatment, Scenario):
        return None
    return Pair(reference, treatment)
