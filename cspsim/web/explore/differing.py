"""What makes a scenario differ from its baseline, part by part, each with the scenario in which that part is as in the baseline."""

from typing import Any, NamedTuple

from cspsim.basics.errors import CspsimError
from cspsim.basics.formats import name_in_words
from cspsim.model.parameters import Levers, Switches
from cspsim.scenario.scenario import Scenario
from cspsim.scenario.schema import DatedPath, register_of

MOST_PARTS = 16
"""With more parts than this no table of single effects would be read, and the runs would take long."""


class DifferingPart(NamedTuple):
    """One part of a difference: a lever, an authority, a grant. ``without``: the scenario with that part as in the baseline."""

    key: str
    title: str
    without: Scenario


class Apart(NamedTuple):
    """The parts of a difference; ``said`` tells what could not be taken apart, and why."""

    parts: tuple[DifferingPart, ...]
    said: str = ""


def parts_between(baseline: Scenario, scenario: Scenario) -> Apart:
    """Every part in which a scenario differs from its baseline, with the scenario that lacks just that part."""
    groups: dict[str, dict[str, tuple[Any, Any]]] = {}
    for key, pair in scenario.differences_from(baseline).items():
        groups.setdefault(".".join(key.split(".")[:2]), {})[key] = pair
    if len(groups) > MOST_PARTS:
        return Apart((), f"The two scenarios differ in {len(groups)} parts: too many to switch off one at a time.")
    parts, left = [], []
    for group, values in groups.items():
        title = _title(scenario, group)
        try:
            without = scenario.with_changes(_put_back(baseline, values), f"without {title}")
        except CspsimError:
            left.append(title)
            continue
        still = [key for key in without.differences_from(baseline) if key.startswith(f"{group}.") or key == group]
        if still:
            left.append(title)
        else:
            parts.append(DifferingPart(group, title, without))
    return Apart(tuple(parts), f"Cannot be switched off by itself: {', '.join(left)}." if left else "")


def _put_back(baseline: Scenario, values: dict[str, tuple[Any, Any]]) -> dict[str, Any]:
    """Changes that give these keys the values of the baseline. Raises CspsimError where the baseline has none."""
    changes: dict[str, Any] = {}
    for key, (theirs, _) in values.items():
        path, name = _path_of(baseline, key)
        if path is not None:
            changes[name] = path
        elif theirs is None:
            raise CspsimError(f"{key} is not in the baseline")
        else:
            changes[key] = theirs
    return changes


def _path_of(scenario: Scenario, key: str) -> tuple[dict[str, Any] | None, str]:
    """The dated path that a key is part of, as changes that replace another one, and the path's own key; None if it is in none."""
    steps = key.split(".")
    if steps[0] == "levers":
        found: Any = scenario.data.levers.get(steps[1], DatedPath(path={"2000-01": register_of(Levers)[steps[1]].value}))
        depth = 2
    else:
        found, depth = scenario.data, 0
        while depth < len(steps) and not isinstance(found, DatedPath):
            step = steps[depth]
            found = found.get(step) if isinstance(found, dict) else getattr(found, step, None)
            depth += 1
        if not isinstance(found, DatedPath):
            return None, key
    plain = {name: getattr(found, name) for name in ("path", "multiplier", "shift", "shape")}
    return {**plain, "replace": True}, ".".join(steps[:depth])


def _title(scenario: Scenario, group: str) -> str:
    section, _, name = group.partition(".")
    if section == "levers":
        return register_of(Levers)[name].title
    if section == "switches":
        return f"Whether {register_of(Switches)[name].meaning}"
    entry = getattr(scenario.data, section, None)
    titled = entry.get(name) if isinstance(entry, dict) else None
    title = getattr(titled, "title", "") or name_in_words(name)
    return {"authorities": f"Budget and place of {title}", "grants": f"Grant: {title}"}.get(section, title[:1].upper() + title[1:])
