"""What the rules count. Outcomes are sums, or ratios of sums, of these; nothing else leaves a run.

``Tally`` is counted for every partnership and month, ``AuthorityTally`` for every authority at a table and month.
Both are plain sums, so that months, partnerships and replicates can be added up in any order.
"""

from enum import IntEnum, auto


class _Counted(IntEnum):
    @staticmethod
    def _generate_next_value_(name: str, start: int, count: int, last_values: list[int]) -> int:
        return count


class Tally(_Counted):
    """Sums by partnership. Money in £ of 2015/16, hours of partnership staff, crimes as counts."""

    MONTHS = auto()
    # crime, with the do-nothing twin beside it
    TRUE_CRIMES = auto()
    RECORDED_CRIMES = auto()
    RECORDABLE_CRIMES = auto()
    COST_OF_CRIME = auto()
    SEVERITY = auto()
    TWIN_TRUE_CRIMES = auto()
    TWIN_RECORDED_CRIMES = auto()
    TWIN_COST_OF_CRIME = auto()
    TWIN_SEVERITY = auto()
    RECORDED_FIRST_YEAR = auto()
    RECORDED_LAST_YEAR = auto()
    SPILL_OVER_CRIMES = auto()
    # money
    RECEIVED = auto()
    SPENT = auto()
    RETURNED = auto()
    CARRIED_IN = auto()
    CARRIED_OUT = auto()
    OWN_PRIORITIES = auto()
    WITHHELD = auto()
    # hours
    HOURS = auto()
    COORDINATOR_HOURS = auto()
    DELIVERY_HOURS = auto()
    GOVERNANCE_HOURS = auto()
    EVALUATION_HOURS = auto()
    CHALLENGE_HOURS = auto()
    BIDDING_HOURS = auto()
    AVAILABLE_HOURS = auto()
    EXCESS_HOURS = auto()
    COORDINATOR_AVAILABLE_HOURS = auto()
    UNWORKED_HOURS = auto()
    HOURS_COST = auto()
    GOVERNANCE_COST = auto()
    # the table
    PROPOSALS = auto()
    CHALLENGED_PROPOSALS = auto()
    CHALLENGES = auto()
    CHALLENGES_HEARD = auto()
    SUPPRESSED_DOUBTS = auto()
    OFF_LINE_DECISIONS = auto()
    DECISIONS = auto()
    ADOPTIONS = auto()
    # delivery funnel, in project-years counted each March
    PLANNED_PROJECTS = auto()
    STARTED_PROJECTS = auto()
    ADEQUATE_PROJECTS = auto()
    EFFECTIVE_PROJECTS = auto()
    EVALUATED_PROJECTS = auto()
    STRONGLY_EVALUATED_PROJECTS = auto()
    # dose, in unit-years
    PLANNED_DOSE = auto()
    DELIVERED_DOSE = auto()
    # benefit, in £: what is believed, what would be true at the planned dose, what is true
    BELIEVED_BENEFIT = auto()
    PLANNED_BENEFIT = auto()
    TRUE_BENEFIT = auto()
    # people
    TRUST = auto()
    TRUST_PAIRS = auto()
    NEW_REPRESENTATIVES = auto()
    CONFIDENCE = auto()
    CONFIDENCE_FIRST_YEAR = auto()
    CONFIDENCE_LAST_YEAR = auto()
    FIRST_YEAR_MONTHS = auto()
    LAST_YEAR_MONTHS = auto()


class AuthorityTally(_Counted):
    """Sums by authority at a partnership's table."""

    MONTHS = auto()
    HOURS = auto()
    DELIVERY_HOURS = auto()
    GOVERNANCE_HOURS = auto()
    EVALUATION_HOURS = auto()
    CHALLENGE_HOURS = auto()
    BIDDING_HOURS = auto()
    AVAILABLE_HOURS = auto()
    UNWORKED_HOURS = auto()
    PROPOSALS = auto()
    ADOPTIONS = auto()
    CHALLENGES_MADE = auto()
    CHALLENGES_RECEIVED = auto()
    SUPPRESSED_DOUBTS = auto()
    EVALUATIONS = auto()
    TRUST_PLACED = auto()
    TRUST_RECEIVED = auto()
    TRUST_PAIRS = auto()
    NEW_REPRESENTATIVES = auto()


class Work(_Counted):
    """The kinds of work a partnership hour goes to."""

    DELIVERY = auto()
    GOVERNANCE = auto()
    EVALUATION = auto()
    CHALLENGE = auto()
    BIDDING = auto()


class Trait(_Counted):
    """What a representative brings to the table, each 0-1."""

    ASSERTIVENESS = auto()
    OPENNESS = auto()
    COMMITMENT = auto()
    EVALUATION_MINDEDNESS = auto()


class Role(_Counted):
    """The roles that rules know. A scenario says who holds them, and may add roles of its own that lead interventions."""

    COORDINATOR = auto()
    POLICE = auto()
    OVERSIGHT = auto()
    HEALTH_DATA = auto()
