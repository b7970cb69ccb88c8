"""The register of outcomes: title, unit, formula, direction and the smallest effect of interest, all read from here.

An outcome is a sum of tallies, or a ratio of two such sums. Months, partnerships and replicates are therefore added
up as tallies first and divided once at the end; a mean of ratios never appears by accident.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from cspsim.model.parameters import Floats
from cspsim.model.tallies import Tally


class Outcome(NamedTuple):
    """One entry of the register.

    ``numerator`` and ``denominator`` are weights of tallies; ``better`` is +1 if more is better, -1 if less, 0 if
    neither. ``smallest`` is the smallest difference anybody should care about: a share of the baseline's value if
    ``smallest_is`` is "relative", in the outcome's own unit if "absolute" (an assumption of this project).
    """

    name: str
    title: str
    unit: str
    meaning: str
    numerator: Mapping[Tally, float]
    denominator: Mapping[Tally, float] | None
    better: int
    smallest: float
    smallest_is: str
    group: str

    @property
    def formula(self) -> str:
        """The formula in words of tallies, for tables and documents."""

        def words(weights: Mapping[Tally, float]) -> str:
            terms = []
            for tally, weight in weights.items():
                name = tally.name.lower().replace("_", " ")
                size = "" if abs(weight) == 1 else f"{abs(weight):g} x "
                terms.append(("- " if weight < 0 else "+ ") + size + name)
            return " ".join(terms).removeprefix("+ ")

        if self.denominator is None:
            return words(self.numerator)
        return f"({words(self.numerator)}) / ({words(self.denominator)})"


def _total(name: str, title: str, unit: str, meaning: str, numerator: Mapping[Tally, float], better: int, group: str, smallest: float = 0.01) -> Outcome:
    return Outcome(name, title, unit, meaning, numerator, None, better, smallest, "relative", group)


def _ratio(
    name: str,
    title: str,
    unit: str,
    meaning: str,
    numerator: Mapping[Tally, float],
    denominator: Mapping[Tally, float],
    better: int,
    group: str,
    smallest: float = 0.01,
    smallest_is: str = "absolute",
) -> Outcome:
    return Outcome(name, title, unit, meaning, numerator, denominator, better, smallest, smallest_is, group)


T = Tally
POUNDS, SHARE = "£ (2015/16)", "share"
CRIME, MONEY, TABLE, DELIVERY, PEOPLE = "Crime", "Money", "The table", "Work and delivery", "People"

_ENTRIES = (
    _total("cost_of_crime", "Cost of crime", POUNDS, "true crimes times unit cost of crime (Home Office 2018)", {T.COST_OF_CRIME: 1}, -1, CRIME, 0.0025),
    _total("true_crimes", "True crimes", "crimes", "crimes that happened, recorded or not, antisocial behaviour included", {T.TRUE_CRIMES: 1}, -1, CRIME, 0.0025),
    _total("recorded_crimes", "Recorded crimes", "crimes", "crimes in the police series; incident types without a series are left out; more may mean more crime or more trust in the police", {T.RECORDED_CRIMES: 1}, 0, CRIME, 0.0025),
    _total("severity", "Severity of crime", "severity score", "true crimes times ONS severity weight", {T.SEVERITY: 1}, -1, CRIME, 0.0025),
    _total("twin_cost_of_crime", "Cost of crime without the partnership", POUNDS, "the do-nothing twin's cost of crime: same luck, same scenario, no dose", {T.TWIN_COST_OF_CRIME: 1}, -1, CRIME, 0.0025),
    _total("cost_averted", "Cost of crime averted", POUNDS, "the twin's cost of crime less the true one", {T.TWIN_COST_OF_CRIME: 1, T.COST_OF_CRIME: -1}, 1, CRIME, 0.05),
    _ratio("cost_averted_share", "Share of cost averted", SHARE, "cost averted over the twin's cost", {T.TWIN_COST_OF_CRIME: 1, T.COST_OF_CRIME: -1}, {T.TWIN_COST_OF_CRIME: 1}, 1, CRIME, 0.0025),
    _ratio("severity_averted_share", "Share of severity averted", SHARE, "severity averted over the twin's severity", {T.TWIN_SEVERITY: 1, T.SEVERITY: -1}, {T.TWIN_SEVERITY: 1}, 1, CRIME, 0.0025),
    _ratio("crimes_averted_share", "Share of crimes averted", SHARE, "crimes averted over the twin's crimes", {T.TWIN_TRUE_CRIMES: 1, T.TRUE_CRIMES: -1}, {T.TWIN_TRUE_CRIMES: 1}, 1, CRIME, 0.0025),
    _ratio("recorded_fall", "Fall of recorded crime over the window", SHARE, "recorded crime of the window's last 12 months against its first 12", {T.RECORDED_FIRST_YEAR: 1, T.RECORDED_LAST_YEAR: -1}, {T.RECORDED_FIRST_YEAR: 1}, 1, CRIME, 0.01),
    _ratio("recorded_share", "Recorded per true crime", SHARE, "recorded crimes over true crimes of the same types: what the measure sees", {T.RECORDED_CRIMES: 1}, {T.RECORDABLE_CRIMES: 1}, 0, CRIME, 0.0025),
    _total("spill_over_crimes", "Crimes outside the partnerships", "crimes", "crimes displaced to (+) or prevented in (-) the rest of the area", {T.SPILL_OVER_CRIMES: 1}, -1, CRIME, 0.05),
    _total("received", "Grant received", POUNDS, "direct grants and awards from the pot", {T.RECEIVED: 1}, 0, MONEY),
    _total("spend", "Grant spent", POUNDS, "paid for projects, posts, evaluations and the table's own running", {T.SPENT: 1}, 0, MONEY),
    _total("unspent", "Grant returned unspent", POUNDS, "annual grant that went back on 31 March", {T.RETURNED: 1}, -1, MONEY, 0.05),
    _ratio("unspent_share", "Share of grant returned", SHARE, "grant returned over grant received", {T.RETURNED: 1}, {T.RECEIVED: 1}, -1, MONEY),
    _total("own_priorities_spend", "Commissioner's own priorities", POUNDS, "the partnerships' part of the top-slice spent force-wide", {T.OWN_PRIORITIES: 1}, 0, MONEY),
    _ratio("benefit_cost_ratio", "Benefit-cost ratio", "£ per £", "cost averted over grant spent, the commissioner's own work included, plus partner hours at their cost, governance included", {T.TWIN_COST_OF_CRIME: 1, T.COST_OF_CRIME: -1}, {T.SPENT: 1, T.OWN_PRIORITIES: 1, T.HOURS_COST: 1}, 1, MONEY, 0.25),
    _ratio("benefit_cost_ratio_without_governance", "Benefit-cost ratio without governance", "£ per £", "the same without the cost of meetings, reports and returns", {T.TWIN_COST_OF_CRIME: 1, T.COST_OF_CRIME: -1}, {T.SPENT: 1, T.OWN_PRIORITIES: 1, T.HOURS_COST: 1, T.GOVERNANCE_COST: -1}, 1, MONEY, 0.25),
    _total("proposals_tabled", "Proposals tabled", "proposals", "items on the table of a meeting that had money to spend", {T.PROPOSALS: 1}, 0, TABLE, 0.05),
    _ratio("challenged_share", "Proposals challenged", SHARE, "proposals challenged by at least one member", {T.CHALLENGED_PROPOSALS: 1}, {T.PROPOSALS: 1}, 0, TABLE, 0.02),
    _ratio("heard_share", "Challenges heard", SHARE, "challenges that uncovered anything over challenges made", {T.CHALLENGES_HEARD: 1}, {T.CHALLENGES: 1}, 1, TABLE, 0.02),
    _total("suppressed_doubts", "Doubts not spoken", "doubts", "strong doubts of members who did not challenge", {T.SUPPRESSED_DOUBTS: 1}, -1, TABLE, 0.05),
    _ratio("off_line_share", "Decisions off-line", SHARE, "items settled between the sponsor and its closest partner", {T.OFF_LINE_DECISIONS: 1}, {T.DECISIONS: 1}, -1, TABLE, 0.01),
    _total("adopted_interventions", "Intervention-years adopted", "project-years", "interventions running under the plan, counted each March", {T.PLANNED_PROJECTS: 1}, 0, TABLE, 0.02),
    _ratio("evaluated_share", "Evaluated", SHARE, "adopted intervention-years with at least one completed evaluation", {T.EVALUATED_PROJECTS: 1}, {T.PLANNED_PROJECTS: 1}, 1, TABLE, 0.02),
    _ratio("strongly_evaluated_share", "Evaluated with a comparison", SHARE, "the same, with a comparison group", {T.STRONGLY_EVALUATED_PROJECTS: 1}, {T.PLANNED_PROJECTS: 1}, 1, TABLE, 0.02),
    _total("planned_dose", "Dose planned", "unit-years", "units of intervention under the plan", {T.PLANNED_DOSE: 1}, 0, DELIVERY, 0.01),
    _total("delivered_dose", "Dose delivered", "unit-years", "units at work, after late starts, fidelity and thresholds", {T.DELIVERED_DOSE: 1}, 1, DELIVERY, 0.01),
    _ratio("started_share", "Projects started", SHARE, "projects that had started by March over projects planned", {T.STARTED_PROJECTS: 1}, {T.PLANNED_PROJECTS: 1}, 1, DELIVERY, 0.02),
    _ratio("adequate_share", "Projects with adequate dose", SHARE, "projects with enough delivered dose over projects planned", {T.ADEQUATE_PROJECTS: 1}, {T.PLANNED_PROJECTS: 1}, 1, DELIVERY, 0.02),
    _ratio("effective_share", "Projects truly effective", SHARE, "projects with adequate dose whose intervention truly works over projects planned", {T.EFFECTIVE_PROJECTS: 1}, {T.PLANNED_PROJECTS: 1}, 1, DELIVERY, 0.02),
    _total("believed_benefit", "Believed benefit", POUNDS, "believed effect on the twin's crime at the planned dose", {T.BELIEVED_BENEFIT: 1}, 0, DELIVERY, 0.05),
    _total("true_benefit", "True benefit", POUNDS, "true effect on the twin's crime at the delivered dose", {T.TRUE_BENEFIT: 1}, 1, DELIVERY, 0.05),
    _ratio("believed_over_true", "Believed over true benefit", "times", "believed benefit over true benefit", {T.BELIEVED_BENEFIT: 1}, {T.TRUE_BENEFIT: 1}, -1, DELIVERY, 0.05),
    _ratio("believed_over_planned", "Belief gap", "times", "believed over true benefit at the planned dose: the part that is belief", {T.BELIEVED_BENEFIT: 1}, {T.PLANNED_BENEFIT: 1}, -1, DELIVERY, 0.05),
    _ratio("planned_over_true", "Delivery gap", "times", "true benefit at the planned over the delivered dose: the part that is delivery", {T.PLANNED_BENEFIT: 1}, {T.TRUE_BENEFIT: 1}, -1, DELIVERY, 0.05),
    _total("hours", "Partner hours", "hours", "hours of partnership staff of all authorities", {T.HOURS: 1}, 0, DELIVERY, 0.01),
    _ratio("local_authority_hours_share", "Co-ordinator's share of hours", SHARE, "hours of the authority that co-ordinates (the local authority) over all hours, governance included", {T.COORDINATOR_HOURS: 1}, {T.HOURS: 1}, 0, DELIVERY),
    _ratio("coordinator_load", "Co-ordinator's load", "hours per hour", "hours of the co-ordinator over the hours it has", {T.COORDINATOR_HOURS: 1}, {T.COORDINATOR_AVAILABLE_HOURS: 1}, -1, DELIVERY, 0.05),
    _ratio("overload", "Overload", SHARE, "hours worked beyond capacity over capacity, all authorities", {T.EXCESS_HOURS: 1}, {T.AVAILABLE_HOURS: 1}, -1, DELIVERY),
    _ratio("unworked_share", "Work assigned and not done", SHARE, "delivery hours assigned and not worked over those assigned", {T.UNWORKED_HOURS: 1}, {T.UNWORKED_HOURS: 1, T.DELIVERY_HOURS: 1}, -1, DELIVERY),
    _ratio("governance_hours_share", "Governance share of hours", SHARE, "meetings, reports, returns, engagement and audit over all hours", {T.GOVERNANCE_HOURS: 1}, {T.HOURS: 1}, -1, DELIVERY),
    _total("evaluation_hours", "Evaluation hours", "hours", "hours spent on evaluation", {T.EVALUATION_HOURS: 1}, 0, DELIVERY, 0.05),
    _total("challenge_hours", "Challenge hours", "hours", "meeting hours spent on challenge", {T.CHALLENGE_HOURS: 1}, 0, DELIVERY, 0.05),
    _total("bidding_hours", "Bidding hours", "hours", "hours spent on bids", {T.BIDDING_HOURS: 1}, 0, DELIVERY, 0.05),
    _ratio("mean_trust", "Trust", SHARE, "mean trust over directed pairs of members", {T.TRUST: 1}, {T.TRUST_PAIRS: 1}, 0, PEOPLE),
    _total("new_representatives", "New representatives", "people", "representatives replaced", {T.NEW_REPRESENTATIVES: 1}, 0, PEOPLE, 0.05),
    _ratio("public_confidence", "Public confidence", SHARE, "share of residents who think crime is dealt with well", {T.CONFIDENCE: 1}, {T.MONTHS: 1}, 1, PEOPLE, 0.01),
    _ratio("confidence_last_year", "Confidence at the end", SHARE, "public confidence in the window's last 12 months", {T.CONFIDENCE_LAST_YEAR: 1}, {T.LAST_YEAR_MONTHS: 1}, 1, PEOPLE, 0.01),
    _ratio("confidence_first_year", "Confidence at the start", SHARE, "public confidence in the window's first 12 months", {T.CONFIDENCE_FIRST_YEAR: 1}, {T.FIRST_YEAR_MONTHS: 1}, 1, PEOPLE, 0.01),
)

OUTCOMES: dict[str, Outcome] = {entry.name: entry for entry in _ENTRIES}
"""Name -> register entry, in the order in which tables show them."""


def _weights(combination: Mapping[Tally, float]) -> Floats:
    weights = np.zeros(len(Tally))
    for tally, weight in combination.items():
        weights[tally] = weight
    return weights


_NUMERATORS = np.array([_weights(entry.numerator) for entry in _ENTRIES])
_DENOMINATORS = np.array([_weights(entry.denominator or {}) for entry in _ENTRIES])
_IS_RATIO = np.array([entry.denominator is not None for entry in _ENTRIES])


def outcomes_of(tallies: Floats) -> Floats:
    """Outcomes ``[..., outcome]`` of tallies ``[..., tally]``; not-a-number where a ratio has nothing to divide by."""
    totals = tallies @ _NUMERATORS.T
    divisors = tallies @ _DENOMINATORS.T
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = np.where(divisors != 0, totals / divisors, np.nan)
    return np.where(_IS_RATIO, ratios, totals)


def names() -> list[str]:
    """Names of all outcomes in table order."""
    return list(OUTCOMES)


MAIN = (
    "cost_of_crime", "true_crimes", "recorded_crimes", "cost_averted", "cost_averted_share", "received", "spend", "unspent",
    "benefit_cost_ratio", "proposals_tabled", "challenged_share", "adopted_interventions", "evaluated_share", "delivered_dose",
    "believed_benefit", "true_benefit", "believed_over_true", "local_authority_hours_share", "coordinator_load",
    "governance_hours_share", "mean_trust", "public_confidence",
)  # fmt: skip
"""The outcomes that a screen shows and a sweep stores unless told otherwise; reports and exports show all."""


def ratio_influence(numerator: Floats, denominator: Floats, value: Floats, divisor: Floats) -> Floats:
    """What each run does to a ratio of sums R = N / D: (N_r - R D_r) / mean D, given ``value`` R and ``divisor`` mean D.

    The spread of it over runs, divided by the root of their number, is the standard error of R. A total is the case D_r = 1.
    Source: Cochran 1977, Sampling Techniques, 3rd ed., section 6.3 (delta method).
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        influence: Floats = (numerator - value * denominator) / divisor
    return influence


def combined(tallies: Floats, weights: Mapping[Tally, float]) -> Floats:
    """The weighted sum ``[...]`` of tallies ``[..., tally]``, added up in the order of the register.

    Unlike a matrix product it gives the same bits however many runs are worked on at once.
    """
    total = np.zeros(tallies.shape[:-1])
    for tally, weight in weights.items():
        total += weight * tallies[..., tally]
    return total
