"""A validated scenario laid out as a ``World``: dated paths by month, names as stable keys, roles as holders."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

import numpy as np

from cspsim.basics.limits import Size
from cspsim.model.luck import name_key
from cspsim.model.parameters import Floats, Integers, Levers, Switches, Words
from cspsim.model.tallies import Role
from cspsim.model.uncertainties import Uncertainties
from cspsim.model.world import World
from cspsim.scenario.schema import Authority, DatedPath, Number, PartnershipEntry, ScenarioData, parse_month, register_of


class Calendar(NamedTuple):
    """The months of a run. Warm-up months carry their own calendar date but the conditions of the first reported month."""

    months: list[date]
    conditions: list[date]
    warm_up: int
    window: tuple[int, int]

    @property
    def reported(self) -> list[date]:
        """The months that results report, without the warm-up."""
        return self.months[self.warm_up :]


def add_months(day: date, months: int) -> date:
    """The first day of the month that lies ``months`` later."""
    index = day.year * 12 + day.month - 1 + months
    return date(index // 12, index % 12 + 1, 1)


def months_between(first: date, last: date) -> int:
    """Months from ``first`` to ``last`` (0 if the same month)."""
    return (last.year - first.year) * 12 + last.month - first.month


def calendar_of(data: ScenarioData) -> Calendar:
    """Months, warm-up and outcome window of a scenario."""
    first, last = parse_month(data.time.first_month), parse_month(data.time.last_month)
    warm_up = data.time.warm_up_months
    start = add_months(first, -warm_up)
    months = [add_months(start, k) for k in range(months_between(start, last) + 1)]
    window_to = parse_month(data.time.window_to) if data.time.window_to else last
    window = (months_between(start, parse_month(data.time.window_from)), months_between(start, window_to))
    return Calendar(months, [max(month, first) for month in months], warm_up, window)


def size_of(data: ScenarioData) -> Size:
    """How large the world of a scenario will be, computed without building it."""
    months = months_between(parse_month(data.time.first_month), parse_month(data.time.last_month)) + 1 + data.time.warm_up_months
    return Size(len(data.partnerships), len(data.authorities), len(data.interventions), len(data.crime_types), months)


def path_by_month(path: DatedPath, months: Sequence[date], default: float) -> Floats:
    """Values of a dated path ``[month]``: path x multiplier + shift; ``default`` where it states no dates."""
    dates = sorted((parse_month(text), value) for text, value in path.path.items())
    if not dates:
        return np.full(len(months), default * path.multiplier + path.shift)
    at = np.array([day.year * 12 + day.month for day, _ in dates], dtype=float)
    values = np.array([value for _, value in dates], dtype=float)
    wanted = np.array([day.year * 12 + day.month for day in months], dtype=float)
    if path.shape == "linear":
        found = np.interp(wanted, at, values)
    else:
        found = values[np.maximum(0, np.searchsorted(at, wanted, side="right") - 1)]
    return found * path.multiplier + path.shift


def build_world(data: ScenarioData) -> World:
    """The arrays of a scenario. Raises ValueError if a month of a lever leaves the range of its register entry."""
    calendar = calendar_of(data)
    levers = _levers(data, calendar.conditions)
    tables = _tables(data, calendar, levers)
    parts: dict[str, Any] = {
        "uncertainties": _uncertainties(data),
        "switches": Switches(**{name: int(data.switches.get(name, entry.value)) for name, entry in register_of(Switches).items()}),
        "levers": levers,
        **_calendar_arrays(calendar),
        **_area(data, calendar, levers),
        **_partnerships(data),
        **tables,
        **_leads(data, tables),
        **_interventions(data),
        **_crime_types(data, calendar.conditions),
        **_keys(data),
    }
    return World(**parts)


def _values(numbers: Sequence[Number]) -> Floats:
    return np.array([number.value for number in numbers], dtype=float)


def _row(given: Mapping[str, Number], names: Sequence[str]) -> list[float]:
    return [given[name].value if name in given else 0.0 for name in names]


def _uncertainties(data: ScenarioData) -> Uncertainties:
    given = data.uncertainties
    return Uncertainties(
        **{name: float(given[name].value if name in given else entry.value) for name, entry in register_of(Uncertainties).items()}
    )


def _levers(data: ScenarioData, months: Sequence[date]) -> Levers:
    arrays = {}
    for name, entry in register_of(Levers).items():
        array = path_by_month(data.levers.get(name, DatedPath()), months, entry.value)
        if array.min() < entry.low - 1e-12 or array.max() > entry.high + 1e-12:
            raise ValueError(
                f"lever {name} runs from {array.min():g} to {array.max():g}; expected {entry.low:g} to {entry.high:g} ({entry.unit})"
            )
        arrays[name] = np.clip(array, entry.low, entry.high)
    return Levers(**arrays)


def _flags(truths: Sequence[bool]) -> Integers:
    return np.array(truths, dtype=np.int64)


def _calendar_arrays(calendar: Calendar) -> dict[str, Any]:
    """Financial years start in April; the group meets each quarter, reviews in December and plans in January."""
    months = calendar.months
    start, end = calendar.window
    at = range(len(months))
    return {
        "month_of_year": np.array([month.month - 1 for month in months], dtype=np.int64),
        "year_starts": _flags([month.month == 4 or k == 0 for k, month in enumerate(months)]),
        "year_ends": _flags([month.month == 3 for month in months]),
        "months_left": np.array([(3 - month.month) % 12 + 1 for month in months], dtype=np.int64),
        "meets": _flags([month.month in (1, 4, 7, 10) for month in months]),
        "plans": _flags([month.month == 1 for month in months]),
        "reviews": _flags([month.month == 12 for month in months]),
        "counted": _flags([start <= k <= end for k in at]),
        "first_year": _flags([start <= k < start + 12 for k in at]),
        "last_year": _flags([end - 12 < k <= end for k in at]),
    }


def _area(data: ScenarioData, calendar: Calendar, levers: Levers) -> dict[str, Any]:
    """The pot as named streams in £ a year of 2015/16, London total divided by boroughs, never a chained index."""
    months = calendar.conditions
    deflator = path_by_month(data.area.deflator, months, 1.0)
    streams = {"partnerships": np.zeros(len(months)), "commissioner": np.zeros(len(months))}
    returns = np.full(len(months), sum(duty.hours.value for duty in data.duties.values()) / 12)
    for grant in data.grants.values():
        pounds = path_by_month(grant.amount, months, 0.0)
        if grant.prices == "nominal":
            pounds = pounds / deflator
        streams[grant.paid_to] += pounds * levers.grant
        returns += np.where(pounds > 0, grant.returns_hours.value / 12, 0.0)
    changes = {parse_month(event.month) for event in data.events.values() if event.kind == "commissioner"}
    observed = [name for name, crime in data.crime_types.items() if crime.observed]
    own = {name: sum(_row(entry.recorded, [name])[0] for entry in data.partnerships.values()) for name in observed}
    trend = np.ones(len(months))
    if sum(own.values()) > 0:
        weighed = [own[name] * path_by_month(data.crime_types[name].exogenous, months, 1.0) for name in observed]
        trend = np.sum(weighed, axis=0) / sum(own.values())
    return {
        "n_area_partnerships": float(data.area.partnerships),
        "area_population": data.area.population.value,
        "rest_recorded": max(0.0, data.area.recorded.value - sum(own.values())) * trend,
        "rest_bid_skill": data.area.rest_bid_skill.value,
        "direct_grant": streams["partnerships"],
        "pot": streams["commissioner"],
        "returns_hours": returns,
        "new_commissioner": _flags([month in changes for month in calendar.months]),
        "own_priorities": np.array(_row(data.commissioner.priorities, list(data.crime_types))),
        "own_effect": data.commissioner.effect.value,
        "own_reach": data.commissioner.reach.value,
        "own_unit_cost": data.commissioner.unit_cost.value,
    }


def _partnerships(data: ScenarioData) -> dict[str, Any]:
    names = list(data.partnerships)
    neighbours = np.array([_row(entry.neighbours, names) for entry in data.partnerships.values()])
    return {
        "population": _values([entry.population for entry in data.partnerships.values()]),
        "bid_skill": _values([entry.bid_skill for entry in data.partnerships.values()]),
        "neighbours": neighbours,
        "outside": np.maximum(0.0, 1.0 - neighbours.sum(axis=1)),
    }


def _sits(authority: Authority, month: date) -> bool:
    begun = authority.from_month is None or month >= parse_month(authority.from_month)
    return begun and (authority.until is None or month < parse_month(authority.until))


def _tables(data: ScenarioData, calendar: Calendar, levers: Levers) -> dict[str, Any]:
    """Who sits at each table, with what hours and match funds; who holds each role; police strength."""
    months = calendar.conditions
    names = list(data.authorities)
    mergers = {e.authority: (parse_month(e.month), e.into) for e in data.events.values() if e.kind == "merger"}
    sits = np.array([[_sits(authority, month) for month in months] for authority in data.authorities.values()], dtype=float)
    for name, (day, _) in mergers.items():
        sits[names.index(str(name))] *= np.array([month < day for month in months])
    mainstream = np.array([path_by_month(a.mainstream, months, 1.0) for a in data.authorities.values()]) * levers.mainstream
    hours = _values([a.hours for a in data.authorities.values()])[:, None] / 12 * np.maximum(mainstream, 0)
    match = _values([a.match_funds for a in data.authorities.values()])[:, None] / 12 * np.maximum(mainstream, 0)
    for name, (day, into) in mergers.items():
        after = np.array([month >= day for month in months])
        hours[names.index(str(into))] += hours[names.index(str(name))] * after
        match[names.index(str(into))] += match[names.index(str(name))] * after
    seats = np.array([[_invited(entry, name) for name in names] for entry in data.partnerships.values()], dtype=float)
    member = seats[:, :, None] * sits[None, :, :]
    staffing = _values([entry.staffing for entry in data.partnerships.values()])[:, None, None]
    holder = _holders(data, member)
    return {
        "member": member,
        "hours": staffing * hours[None] * member,
        "match_funds": staffing * match[None] * member,
        "strength": _police_strength(holder, mainstream, calendar.warm_up),
        "holder": holder,
        "reorganised": _reorganised(data, calendar.months),
        "hourly_cost": _values([a.hourly_cost for a in data.authorities.values()]),
        "remit": np.array([_row(a.remit, list(data.crime_types)) for a in data.authorities.values()]),
        "influence": _values([a.influence for a in data.authorities.values()]),
        "personality": np.array(
            [
                [a.assertiveness.value, a.openness.value, a.commitment.value, a.evaluation_mindedness.value]
                for a in data.authorities.values()
            ]
        ),
        "dependence": _values([a.dependence for a in data.authorities.values()]),
    }


def _invited(entry: PartnershipEntry, name: str) -> bool:
    return entry.authorities is None or name in entry.authorities


def role_names(data: ScenarioData) -> list[str]:
    """The roles that rules know, then those that only this scenario's interventions need, by name."""
    known = [role.name.lower() for role in Role]
    named = {i.lead for i in data.interventions.values()} | {n for i in data.interventions.values() for n in i.needs}
    return known + sorted(named - set(known))


def _holders(data: ScenarioData, member: Floats) -> Integers:
    """``[partnership, role, month]``: the authority that holds the role, -1 nobody. A merged authority's roles pass on."""
    roles = role_names(data)
    names = list(data.authorities)
    heirs = {str(e.authority): str(e.into) for e in data.events.values() if e.kind == "merger"}
    holder = np.full((member.shape[0], len(roles), member.shape[2]), -1, dtype=np.int64)
    for a, (name, authority) in enumerate(data.authorities.items()):
        for role in authority.roles:
            if role in roles:
                mine = holder[:, roles.index(role), :]
                mine[member[:, a, :] > 0] = a
                if name in heirs:
                    heir = names.index(heirs[name])
                    mine[(mine < 0) & (member[:, heir, :] > 0) & (member[:, a, :1] > 0)] = heir
    return holder


def _police_strength(holder: Integers, mainstream: Floats, warm_up: int) -> Floats:
    police = holder[:, Role.POLICE, :]
    strength = np.ones(police.shape)
    for p, month in np.argwhere(police >= 0):
        strength[p, month] = mainstream[police[p, month], month]
    first = strength[:, warm_up : warm_up + 1]
    return np.where(first > 0, strength / np.where(first > 0, first, 1.0), 1.0)


def _reorganised(data: ScenarioData, months: Sequence[date]) -> Integers:
    names = list(data.authorities)
    found = np.zeros((len(names), len(months)), dtype=np.int64)
    for event in data.events.values():
        touched = {"reorganisation": event.authority, "merger": event.into}.get(event.kind)
        day = parse_month(event.month)
        if touched is not None and day in months:
            found[names.index(touched), months.index(day)] = 1
    return found


def _leads(data: ScenarioData, tables: dict[str, Any]) -> dict[str, Any]:
    roles = role_names(data)
    holder = tables["holder"]
    lead = np.stack([holder[:, roles.index(i.lead), :] for i in data.interventions.values()], axis=1)
    for k, intervention in enumerate(data.interventions.values()):
        for role in intervention.needs:
            lead[:, k, :][holder[:, roles.index(role), :] < 0] = -1
    return {"lead": np.ascontiguousarray(lead)}


def _interventions(data: ScenarioData) -> dict[str, Any]:
    entries = list(data.interventions.values())
    crimes = list(data.crime_types)
    half_lives = np.maximum(_values([entry.half_life for entry in entries]), 1e-6)
    return {
        "unit_cost": _values([entry.cost for entry in entries]) / 12,
        "unit_hours": _values([entry.hours for entry in entries]) / 12,
        "effect": _values([entry.effect for entry in entries]),
        "reach": _values([entry.reach for entry in entries]),
        "profile": np.array([_row(entry.profile, crimes) for entry in entries]),
        "reporting_rise": np.array([_row(entry.reporting, crimes) for entry in entries]),
        "popularity": _values([entry.popularity for entry in entries]),
        "evidence_grade": np.array([float(entry.evidence_grade) for entry in entries]),
        "build_up": 1 / np.maximum(1.0, _values([entry.build_up for entry in entries])),
        "keep": 0.5 ** (1 / half_lives),
        "threshold": _values([entry.threshold for entry in entries]),
        "most_units": np.array([float(entry.most_units) for entry in entries]),
        "match_share": _values([entry.match_share for entry in entries]),
        "spill": _values([entry.spill_over for entry in entries]),
    }


def _crime_types(data: ScenarioData, months: Sequence[date]) -> dict[str, Any]:
    entries = list(data.crime_types.values())
    names = list(data.crime_types)
    recorded = np.array([_row(entry.recorded, names) for entry in data.partnerships.values()])
    level = np.array([[e.level[name].value if name in e.level else 1.0 for name in names] for e in data.partnerships.values()])
    reporting, recording = _values([e.reporting for e in entries]), _values([e.recording for e in entries])
    return {
        "base": level * recorded / 12 / np.maximum(reporting * recording, 1e-9),
        "season": np.array([entry.season for entry in entries]),
        "exogenous": np.array([path_by_month(entry.exogenous, months, 1.0) for entry in entries]),
        "recording_path": np.array([path_by_month(entry.recording_path, months, 1.0) for entry in entries]),
        "dispersion": _values([entry.dispersion for entry in entries]),
        "common_sd": _values([entry.annual_sd_common for entry in entries]),
        "local_sd": _values([entry.annual_sd_local for entry in entries]),
        "elasticity": _values([entry.police_elasticity for entry in entries]),
        "reporting": reporting,
        "recording": recording,
        "unit_cost_of_crime": _values([entry.unit_cost for entry in entries]),
        "severity": _values([entry.severity for entry in entries]),
        "targeted": _values([entry.targeted for entry in entries]),
        "observed": np.array([float(entry.observed) for entry in entries]),
    }


def _keys(data: ScenarioData) -> dict[str, Words]:
    partnerships, authorities = list(data.partnerships), list(data.authorities)
    interventions, crimes = list(data.interventions), list(data.crime_types)

    def table(*lists: Sequence[str]) -> Words:
        if len(lists) == 1:
            return np.array([name_key(name) for name in lists[0]], dtype=np.uint64)
        return np.array([[name_key(one, other) for other in lists[1]] for one in lists[0]], dtype=np.uint64)

    return {
        "partnership_key": table(partnerships),
        "authority_key": table(partnerships, authorities),
        "intervention_key": table(interventions),
        "project_key": table(partnerships, interventions),
        "crime_key": table(crimes),
        "cell_key": table(partnerships, crimes),
    }
