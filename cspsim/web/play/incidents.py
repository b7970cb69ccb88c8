"""What a facilitator may let happen: a grant cut, a reorganisation, a serious incident, as dated changes to the scenario.

A change is dated after the meeting under way, so that no open card changes and the past stays as it was, bit for bit: a path is
written out month by month with its own values up to the change. Grants are paid in April, so a cut is felt from the next April;
a plan written in January knows of it as far as settlements are known in time.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from cspsim.basics.formats import roughly
from cspsim.scenario.scenario import Scenario
from cspsim.scenario.schema import DatedPath
from cspsim.scenario.world_building import add_months, calendar_of, path_by_month
from cspsim.web.play.course import CourseStage
from cspsim.web.play.decisions import Refused, shortened
from cspsim.web.play.settings import Settings, quarter_bounds

GRANT_CUT, REORGANISATION, SERIOUS_INCIDENT = "grant_cut", "reorganisation", "serious_incident"
LARGEST_CUT, LARGEST_RISE, LONGEST = 0.9, 3.0, 24


class Incident(NamedTuple):
    """What happens. ``share``: how much of the grant goes (0.3 is 30 %), or how much more crime there is, for ``months``."""

    kind: str
    share: float = 0.0
    authority: str = ""
    crime_type: str = ""
    months: int = 0


class IncidentHappened(NamedTuple):
    """An incident let happen in a quarter, and the sentence in which everybody is told."""

    quarter: int
    incident: Incident
    sentence: str


def read_incident(raw: Any, scenario: Scenario) -> Incident:
    """An incident as asked for by a page. Raises Refused for names, types and ranges that cannot be."""
    if not isinstance(raw, Mapping) or not isinstance(raw.get("kind"), str) or raw["kind"] not in _PARTS:
        raise Refused(f"an incident is one of {', '.join(_PARTS)}")
    parts = _PARTS[raw["kind"]]
    if set(raw) != {"kind", *parts}:
        raise Refused(f"a {raw['kind'].replace('_', ' ')} needs {' and '.join(parts)}, and nothing else")
    return Incident(raw["kind"], **{name: check(raw[name], scenario) for name, check in parts.items()})


def _share(most: float) -> Callable[[Any, Scenario], float]:
    def check(raw: Any, scenario: Scenario) -> float:
        if not isinstance(raw, int | float) or isinstance(raw, bool) or not 0 < raw <= most:
            raise Refused(f"the size of an incident is a share above 0 and up to {most:g}")
        return float(raw)

    return check


def _months(raw: Any, scenario: Scenario) -> int:
    if not isinstance(raw, int) or isinstance(raw, bool) or not 1 <= raw <= LONGEST:
        raise Refused(f"an incident lasts a whole number of months from 1 to {LONGEST}")
    return raw


def _one_of(section: str) -> Callable[[Any, Scenario], str]:
    def check(raw: Any, scenario: Scenario) -> str:
        known = getattr(scenario.data, section)
        if not isinstance(raw, str) or raw not in known:
            raise Refused(f"{shortened(raw)} is not one of {', '.join(known)}")
        return raw

    return check


_PARTS: dict[str, dict[str, Callable[[Any, Scenario], Any]]] = {
    GRANT_CUT: {"share": _share(LARGEST_CUT)},
    REORGANISATION: {"authority": _one_of("authorities")},
    SERIOUS_INCIDENT: {"crime_type": _one_of("crime_types"), "share": _share(LARGEST_RISE), "months": _months},
}


def happen(scenario: Scenario, incident: Incident, meeting: date) -> tuple[Scenario, str]:
    """The scenario with an incident after the month of a meeting, and the sentence that tells of it.

    Raises Refused if nothing is left of the run for it to happen in.
    """
    months, after = calendar_of(scenario.data).reported, add_months(meeting, 1)
    if incident.kind == GRANT_CUT:
        after = add_months(after, (4 - after.month) % 12)
    if after not in months:
        raise Refused(f"the game looks no further than {months[-1]:%B %Y}: too late for this")
    if incident.kind == REORGANISATION:
        return _reorganise(scenario, incident, after)
    if incident.kind == GRANT_CUT:
        path = scenario.data.levers.get("grant", DatedPath())
        changed = _path_times(path, months, {month: 1 - incident.share for month in months if month >= after})
        said = f"The Home Office cuts every grant by {roughly(incident.share, 'share')} from {after:%B %Y}."
        return scenario.with_changes({"levers.grant": changed}, scenario.name), said
    last = add_months(after, incident.months - 1)
    crime = scenario.data.crime_types[incident.crime_type]
    changed = _path_times(crime.exogenous, months, {month: 1 + incident.share for month in months if after <= month <= last})
    rise = f"{roughly(incident.share, 'share')} more than expected until {last:%B %Y}"
    said = f"A serious incident in {after:%B %Y}: {crime.title} runs at {rise} all over the area."
    return scenario.with_changes({f"crime_types.{incident.crime_type}.exogenous": changed}, scenario.name), said


def _reorganise(scenario: Scenario, incident: Incident, month: date) -> tuple[Scenario, str]:
    title = scenario.data.authorities[incident.authority].title
    event = {"month": f"{month:%Y-%m}", "kind": "reorganisation", "title": f"{title} is reorganised", "authority": incident.authority}
    name = f"played_{len(scenario.data.events) + 1}"
    said = f"{title} is reorganised in {month:%B %Y}: whoever sits at a table for it is replaced."
    return scenario.with_changes({f"events.{name}": event}, scenario.name), said


def _path_times(path: DatedPath, months: Sequence[date], factors: Mapping[date, float]) -> dict[str, Any]:
    """The path written out month by month, times a factor where there is one."""
    values = path_by_month(path, months, 1.0)
    dated = {f"{month:%Y-%m}": float(value) * factors.get(month, 1.0) for month, value in zip(months, values, strict=True)}
    return {"replace": True, "multiplier": 1.0, "shift": 0.0, "shape": "step", "path": dated}


def stages_of(
    scenario: Scenario, settings: Settings, incidents: Sequence[tuple[int, Incident]]
) -> tuple[list[CourseStage], list[IncidentHappened]]:
    """The scenarios of a game one after the other, and what everybody is told. ``scenario`` is the one cut to the game."""
    bounds, months = quarter_bounds(scenario.data, settings), calendar_of(scenario.data).months
    stages, told = [CourseStage(-1, scenario)], []
    for quarter, incident in incidents:
        scenario, said = happen(scenario, incident, months[bounds[quarter]])
        stages.append(CourseStage(quarter, scenario))
        told.append(IncidentHappened(quarter, incident, said))
    return stages, told
