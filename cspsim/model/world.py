"""A scenario laid out as arrays: what the rules read and never change. ``layout.build_world`` makes one."""

from typing import NamedTuple

from cspsim.model.parameters import Floats, Integers, Levers, Switches, Words
from cspsim.model.uncertainties import Uncertainties


class World(NamedTuple):
    """Everything a run reads. Money is in £ of 2015/16, paths are by month including the warm-up."""

    uncertainties: Uncertainties
    switches: Switches
    levers: Levers

    # the calendar, each [month]
    month_of_year: Integers  # 0 is January
    year_starts: Integers  # 1 in April, and in the first month of the run
    year_ends: Integers  # 1 in March
    months_left: Integers  # months to 31 March, this one included
    meets: Integers  # 1 when the strategy group meets
    plans: Integers  # 1 when it writes the plan for April
    reviews: Integers  # 1 at the annual review before the plan
    counted: Integers  # 1 inside the outcome window
    first_year: Integers  # 1 in the window's first 12 months
    last_year: Integers  # 1 in the window's last 12 months

    # the force area
    n_area_partnerships: float
    area_population: float  # persons
    rest_recorded: Floats  # [month] recorded crimes a year in the rest of the area, moving as the exogenous paths do
    rest_bid_skill: float
    direct_grant: Floats  # [month] £ a year, whole area, paid straight to partnerships
    pot: Floats  # [month] £ a year, whole area, divided by the commissioner
    returns_hours: Floats  # [month] hours a month per partnership for the returns of running streams
    new_commissioner: Integers  # [month] 1 when the commissioner changes
    own_priorities: Floats  # [crime_type] share of the effect that applies to this type
    own_effect: float
    own_reach: float
    own_unit_cost: float  # £ a year per partnership

    # partnerships
    population: Floats  # [partnership] persons
    bid_skill: Floats  # [partnership]
    neighbours: Floats  # [from, to] share of a spill-over that reaches the other partnership
    outside: Floats  # [partnership] share that leaves the simulated partnerships

    # authorities at a table
    member: Floats  # [partnership, authority, month] 1 while it sits at the table
    hours: Floats  # [partnership, authority, month] partnership hours a month paid by mainstream budgets
    match_funds: Floats  # [partnership, authority, month] £ a month
    strength: Floats  # [partnership, month] police strength, first reported month = 1
    hourly_cost: Floats  # [authority] £
    remit: Floats  # [authority, crime_type]
    influence: Floats  # [authority]
    personality: Floats  # [authority, trait] mean of its representatives
    dependence: Floats  # [authority]
    reorganised: Integers  # [authority, month] 1 in the month of a reorganisation or merger
    holder: Integers  # [partnership, role, month] authority that holds the role, -1 nobody
    lead: Integers  # [partnership, intervention, month] authority that leads it, -1 cannot be led

    # interventions
    unit_cost: Floats  # [intervention] £ a month
    unit_hours: Floats  # [intervention] hours a month
    effect: Floats  # [intervention] fall of crime among the treated: read only where the truth may be read
    reach: Floats  # [intervention] share of crime in the treated places or people, first unit
    profile: Floats  # [intervention, crime_type]
    reporting_rise: Floats  # [intervention, crime_type]
    popularity: Floats  # [intervention]
    evidence_grade: Floats  # [intervention] 1 best to 6
    build_up: Floats  # [intervention] share of the gap closed each month
    keep: Floats  # [intervention] share of the dose left after a month without delivery
    threshold: Floats  # [intervention] units below which nothing happens
    most_units: Floats  # [intervention]
    match_share: Floats  # [intervention]
    spill: Floats  # [intervention]

    # crime types
    base: Floats  # [partnership, crime_type] true crimes a month without interventions
    season: Floats  # [crime_type, month_of_year]
    exogenous: Floats  # [crime_type, month]
    recording_path: Floats  # [crime_type, month]
    dispersion: Floats  # [crime_type]
    common_sd: Floats  # [crime_type] annual log change shared by the area
    local_sd: Floats  # [crime_type] annual log change of one partnership
    elasticity: Floats  # [crime_type] to police strength
    reporting: Floats  # [crime_type]
    recording: Floats  # [crime_type]
    unit_cost_of_crime: Floats  # [crime_type] £
    severity: Floats  # [crime_type]
    targeted: Floats  # [crime_type]
    observed: Floats  # [crime_type] 1 where a recorded-crime series exists

    # stable keys of names, for luck and for ties
    partnership_key: Words  # [partnership]
    authority_key: Words  # [partnership, authority]
    intervention_key: Words  # [intervention]
    project_key: Words  # [partnership, intervention]
    crime_key: Words  # [crime_type]
    cell_key: Words  # [partnership, crime_type]


def sizes(world: World) -> tuple[int, int, int, int, int]:
    """Numbers of partnerships, authorities, interventions, crime types and months."""
    partnerships, authorities, months = world.member.shape
    return partnerships, authorities, world.effect.shape[0], world.crime_key.shape[0], months
