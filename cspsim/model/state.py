"""One run's state: every array with its axes, unit and range. All of it lives in two flat buffers.

Because every array is a view of ``numbers`` or ``counters``, resetting a run, copying it or rewinding it is one
assignment. ``new_state`` allocates from the annotations below: to add an array, add a line.
"""

from functools import cache
from typing import Annotated, Any, NamedTuple, get_type_hints

import numpy as np

from cspsim.model.parameters import Floats, Integers
from cspsim.model.tallies import AuthorityTally, Tally, Trait, Work


class Axes(NamedTuple):
    """Axes (names separated by blanks), unit and limits of one state array."""

    axes: str
    unit: str
    low: float = 0.0
    high: float = float("inf")


ANYTHING = (-float("inf"), float("inf"))


class Scratch(NamedTuple):
    """What rules work out on the way, so that nothing is worked out twice. Nobody's state: a run does not depend on what lies here.

    ``begin_run`` clears it, and what is remembered is remembered together with what it was worked out from.
    """

    numbers: Floats

    powers: Annotated[Floats, Axes("unit", "d^units: reach of a further unit after so many whole ones, relative to the first")]
    reached: Annotated[Floats, Axes("partnership intervention", "share of crime reached by ``reached_by``")]
    reached_by: Annotated[Floats, Axes("partnership intervention", "units")]
    worth: Annotated[Floats, Axes("intervention", "believed benefit per £ of the next unit, at this table")]
    leads: Annotated[Floats, Axes("intervention", "authority that leads it this month, side by side instead of a history apart")]
    next_reach: Annotated[Floats, Axes("intervention", "share of crime that one more unit would reach, 0 if none may be tabled")]
    needed: Annotated[Floats, Axes("intervention", "how much of a picture of need an intervention addresses")]
    matched: Annotated[Floats, Axes("authority", "£ of match funds bound this month")]
    profile: Annotated[Floats, Axes("crime_type intervention", "the world's profile, one crime type after the other")]
    left: Annotated[Floats, Axes("crime_type", "share of crime that all interventions of a partnership leave")]
    programme: Annotated[Floats, Axes("crime_type", "units times profile, summed over what runs at a partnership")]
    draws: Annotated[Floats, Axes("partnership crime_type", "uniform draws of this month")]
    normals: Annotated[Floats, Axes("partnership crime_type", "their normal quantiles")]
    means: Annotated[Floats, Axes("crime_type", "expected crimes with interventions")]
    shares: Annotated[Floats, Axes("crime_type", "share of crimes that are recorded")]
    twin_shares: Annotated[Floats, Axes("crime_type", "the same without interventions")]
    counts: Annotated[Floats, Axes("crime_type", "recorded crimes")]
    shortlist: Annotated[Floats, Axes("intervention", "the best items of an authority, the best first")]
    encouraged: Annotated[Floats, Axes("crime_type", "rise of reporting from interventions")]


class State(NamedTuple):
    """Everything that changes during a run. An authority at a table is ``[partnership, authority]``."""

    numbers: Floats
    counters: Integers
    scratch: Scratch

    # 1 budgets and 2 commissioning
    balance: Annotated[Floats, Axes("partnership", "£")]
    allocation: Annotated[Floats, Axes("partnership", "£ a year")]
    reference_allocation: Annotated[Floats, Axes("partnership", "£ a year")]
    award: Annotated[Floats, Axes("partnership", "£ a year")]
    claims: Annotated[Floats, Axes("claimant", "share")]
    received: Annotated[Floats, Axes("partnership", "£ this month")]
    spent: Annotated[Floats, Axes("partnership", "£ this month")]
    returned: Annotated[Floats, Axes("partnership", "£ this month")]
    opening_balance: Annotated[Floats, Axes("partnership", "£")]
    withheld: Annotated[Floats, Axes("partnership", "£ this year")]
    own_priorities: Annotated[Floats, Axes("one", "£ a year, whole area")]
    rest_award: Annotated[Floats, Axes("one", "£ a year, rest of the area")]
    charges: Annotated[Floats, Axes("partnership", "£ this month")]
    afforded: Annotated[Floats, Axes("partnership", "share of charges the pot can pay", 0, 1)]
    posts: Annotated[Floats, Axes("partnership", "share of grant-funded posts filled", 0, 1)]
    posts_notice: Annotated[Floats, Axes("partnership", "months under notice")]
    shortfall_notice: Annotated[Floats, Axes("partnership", "months under notice")]
    available: Annotated[Floats, Axes("partnership authority", "hours this month")]
    work: Annotated[Floats, Axes("partnership authority work", "hours this month")]

    # 3 crime and 4 recording, with the twin beside them
    shock_size: Annotated[Floats, Axes("one", "stationary sd per sd of annual log change")]
    common_shock: Annotated[Floats, Axes("crime_type", "log change", *ANYTHING)]
    local_shock: Annotated[Floats, Axes("partnership crime_type", "log change", *ANYTHING)]
    log_effect: Annotated[Floats, Axes("partnership crime_type", "log change", *ANYTHING)]
    spill_over: Annotated[Floats, Axes("partnership crime_type", "log change", *ANYTHING)]
    expected_twin: Annotated[Floats, Axes("partnership crime_type", "crimes this month")]
    true_crimes: Annotated[Floats, Axes("partnership crime_type", "crimes this month")]
    twin_crimes: Annotated[Floats, Axes("partnership crime_type", "crimes this month")]
    true_year: Annotated[Floats, Axes("partnership crime_type", "crimes in the latest 12 months")]
    true_history: Annotated[Floats, Axes("partnership crime_type month_of_year", "crimes in the latest month of this name")]
    recorded: Annotated[Floats, Axes("partnership crime_type month", "recorded crimes a month")]
    recorded_year: Annotated[Floats, Axes("partnership crime_type", "recorded crimes in the latest 12 months")]
    twin_recorded: Annotated[Floats, Axes("partnership crime_type", "recorded crimes this month")]
    engagement: Annotated[Floats, Axes("partnership", "delivered intensity", 0, 1)]

    # 5 assessment
    surveyed: Annotated[Floats, Axes("partnership crime_type", "£ of crime a year as surveyed")]
    need: Annotated[Floats, Axes("partnership authority crime_type", "share", 0, 1 + 1e-9)]
    table_need: Annotated[Floats, Axes("partnership crime_type", "share", 0, 1 + 1e-9)]

    # 6 agenda to 8 decision
    free_money: Annotated[Floats, Axes("partnership", "£", *ANYTHING)]
    tabled: Annotated[Floats, Axes("partnership authority intervention", "0 or 1", 0, 1)]
    score: Annotated[Floats, Axes("partnership authority intervention", "believed benefit per £ to this authority", *ANYTHING)]
    on_table: Annotated[Floats, Axes("partnership intervention", "0 or 1", 0, 1)]
    sponsor: Annotated[Integers, Axes("partnership intervention", "authority, -1 none", -1)]
    claim: Annotated[Floats, Axes("partnership intervention", "effect on the treated", *ANYTHING)]
    challenges: Annotated[Floats, Axes("partnership authority intervention", "0 or 1", 0, 1)]
    doubts: Annotated[Floats, Axes("partnership authority intervention", "standard deviations", *ANYTHING)]
    scrutiny: Annotated[Floats, Axes("partnership intervention", "0 none to 1 thorough", 0, 1)]
    suppressed: Annotated[Floats, Axes("partnership authority", "unspoken doubts, fading", 0)]
    estimate: Annotated[Floats, Axes("partnership intervention", "effect on the treated", *ANYTHING)]
    value: Annotated[Floats, Axes("partnership intervention", "believed benefit per £", *ANYTHING)]
    units: Annotated[Floats, Axes("partnership intervention", "units running", 0, 20)]
    units_next: Annotated[Floats, Axes("partnership intervention", "units planned from April", 0, 20)]
    since: Annotated[Integers, Axes("partnership intervention", "month of adoption, -1 none", -1)]
    starts: Annotated[Integers, Axes("partnership intervention", "first month of delivery", -1)]
    begun: Annotated[Integers, Axes("partnership intervention", "first month the project was ever delivered", -1)]
    ends: Annotated[Integers, Axes("partnership intervention", "last month of the award", -1)]
    ends_next: Annotated[Integers, Axes("partnership intervention", "last month of the planned award", -1)]

    # 9 workload and 10 delivery
    needed: Annotated[Floats, Axes("partnership", "hours of delivery the running projects need this month")]
    pledged: Annotated[Floats, Axes("partnership authority", "hours this month")]
    assigned: Annotated[Floats, Axes("partnership authority", "hours of delivery this month")]
    unworked: Annotated[Floats, Axes("partnership authority", "hours this month")]
    load: Annotated[Floats, Axes("partnership authority", "hours over capacity")]
    dose: Annotated[Floats, Axes("partnership intervention", "units", 0, 20)]
    effective_dose: Annotated[Floats, Axes("partnership intervention", "units", 0, 20)]
    fidelity: Annotated[Floats, Axes("partnership", "share", 0, 1)]

    # 11 evaluation and what is believed
    signal: Annotated[Floats, Axes("partnership authority intervention", "effect on the treated", *ANYTHING)]
    signal_known: Annotated[Floats, Axes("partnership authority intervention", "0 or 1", 0, 1)]
    evidence: Annotated[Floats, Axes("intervention", "published effect on the treated", *ANYTHING)]
    evidence_known: Annotated[Floats, Axes("partnership intervention", "0 or 1", 0, 1)]
    belief: Annotated[Floats, Axes("partnership authority intervention", "effect on the treated", *ANYTHING)]
    belief_variance: Annotated[Floats, Axes("partnership authority intervention", "effect squared")]
    evaluates: Annotated[Floats, Axes("partnership authority intervention", "0 or 1", 0, 1)]
    quality: Annotated[Floats, Axes("partnership intervention", "implementation, 1 as usual", 0, 3)]
    evaluated: Annotated[Floats, Axes("partnership intervention", "0 no, 1 weakly, 2 strongly, this year", 0, 2)]
    evaluated_estimate: Annotated[Floats, Axes("partnership intervention", "effect on the treated", *ANYTHING)]
    evaluated_share: Annotated[Floats, Axes("partnership", "share of projects, last review", 0, 1)]
    evidence_value: Annotated[Floats, Axes("partnership", "share of projects strongly evaluated, last review", 0, 1)]

    # 12 relationships
    trust: Annotated[Floats, Axes("partnership authority authority", "share", 0, 1)]
    slights: Annotated[Floats, Axes("partnership authority authority", "challenges taken badly this month")]
    traits: Annotated[Floats, Axes("partnership authority trait", "share", 0, 1)]
    generation: Annotated[Integers, Axes("partnership authority", "representatives so far")]
    funder_trust: Annotated[Floats, Axes("partnership", "share", 0, 1)]
    confidence: Annotated[Floats, Axes("partnership", "share", 0, 1)]

    # 13 accounts
    tallies: Annotated[Floats, Axes("partnership tally", "this month", *ANYTHING)]
    authority_tallies: Annotated[Floats, Axes("partnership authority authority_tally", "this month", *ANYTHING)]


@cache
def axes_of_state() -> dict[str, Axes]:
    """Field name -> axes, unit and limits, for every array but the two buffers."""
    return _axes_of(State)


def _axes_of(kind: type) -> dict[str, Axes]:
    hints = get_type_hints(kind, include_extras=True)
    return {name: hint.__metadata__[0] for name, hint in hints.items() if hasattr(hint, "__metadata__")}


@cache
def whole_numbers() -> frozenset[str]:
    """Names of the arrays that lie in ``counters``; all others lie in ``numbers``."""
    return frozenset(name for name, hint in get_type_hints(State).items() if hint == Integers)


WHOLE_UNITS = 20
"""More units of one intervention than this nobody runs at one place."""


def new_state(partnerships: int, authorities: int, interventions: int, crime_types: int, months: int) -> State:
    """An empty state for a world of these sizes. Every array is a view of one of two flat buffers."""
    sizes = {
        "one": 1,
        "partnership": partnerships,
        "claimant": partnerships + 1,
        "authority": authorities,
        "intervention": interventions,
        "crime_type": crime_types,
        "month": months,
        "month_of_year": 12,
        "work": len(Work),
        "trait": len(Trait),
        "tally": len(Tally),
        "authority_tally": len(AuthorityTally),
        "unit": WHOLE_UNITS + 1,
    }
    shapes = _shapes(axes_of_state(), sizes)
    whole = {name: shape for name, shape in shapes.items() if name in whole_numbers()}
    numbers, views = _views({name: shape for name, shape in shapes.items() if name not in whole}, np.float64)
    counters, counted = _views(whole, np.int64)
    scratch, worked_out = _views(_shapes(_axes_of(Scratch), sizes), np.float64)
    return State(numbers=numbers, counters=counters, scratch=Scratch(numbers=scratch, **worked_out), **views, **counted)


def _shapes(axes: dict[str, Axes], sizes: dict[str, int]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(sizes[axis] for axis in entry.axes.split()) for name, entry in axes.items()}


def _views(shapes: dict[str, tuple[int, ...]], kind: type) -> tuple[Any, dict[str, Any]]:
    """A flat buffer, and the arrays of these shapes in it, one after the other."""
    buffer: Any = np.zeros(sum(int(np.prod(shape)) for shape in shapes.values()), dtype=kind)
    views, used = {}, 0
    for name, shape in shapes.items():
        length = int(np.prod(shape))
        views[name] = buffer[used : used + length].reshape(shape)
        used += length
    return buffer, views


def out_of_range(state: State) -> list[str]:
    """Names of the arrays that hold something outside their limits, not-a-number included; none as long as rules keep to them."""
    limits = axes_of_state()
    return [
        name for name, axes in limits.items() if not bool(np.all((getattr(state, name) >= axes.low) & (getattr(state, name) <= axes.high)))
    ]


def copy_into(source: State, target: State) -> None:
    """Make ``target`` equal to ``source``: rewinding, replaying, branching."""
    target.numbers[:] = source.numbers
    target.counters[:] = source.counters
    target.scratch.numbers[:] = source.scratch.numbers
