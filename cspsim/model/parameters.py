"""Every number that is not data about a place: levers, uncertainties and switches, each with its story.

Three registers, three kinds of number, never mixed:

* ``Levers``: what somebody can decide. In a run each is an array by month, ``[month]``.
* ``Uncertainties``: what nobody knows. In a run each is one number; an *assumption set* samples them all.
* ``Switches``: which mechanisms exist at all. Turning one off gives a control, all of one kind a null world.

The default of a field is its register entry (``Figure``), so that meaning, unit, range and source stand beside
the number and are read from here by validation, tables, documents and pages alike.
"""

from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]

Status = Literal["seen", "derived", "memory", "assumption"]


class RegisterEntry(NamedTuple):
    """One entry of a register: a number with everything a reader needs to judge it."""

    value: float
    low: float
    high: float
    unit: str
    meaning: str
    status: str
    source: str
    group: str
    title: str


def lever(value: float, low: float, high: float, unit: str, group: str, title: str, meaning: str) -> Any:
    """A lever's register entry: default, range that may be set, unit, page group, title and meaning."""
    return RegisterEntry(value, low, high, unit, meaning, "assumption", "what is set is a policy choice", group, title)


def uncertain(value: float, low: float, high: float, unit: str, group: str, meaning: str, source: str = "assumption") -> Any:
    """An uncertainty's register entry: best guess, plausible range, unit, rule it belongs to, meaning, source.

    ``source`` starts with its status (seen / derived / memory / assumption), a colon, and the reference.
    """
    status, _, reference = source.partition(": ")
    return RegisterEntry(value, low, high, unit, meaning, status, reference or "no source found; sampled over its range", group, "")


def switch(meaning: str) -> Any:
    """A mechanism switch: 1 by default (the mechanism exists), 0 turns it off."""
    return RegisterEntry(1, 0, 1, "on or off", meaning, "assumption", "a control, not a claim", "switch", "")


class Levers(NamedTuple):
    """What can be decided, month by month. Each field is an array ``[month]``."""

    grant: Floats = lever(1, 0, 3, "times", "Money", "Grant", "every grant stream and the commissioner's pot, relative to the scenario's own path")
    mainstream: Floats = lever(1, 0, 2, "times", "Money", "Mainstream budgets", "mainstream budget of every authority, relative to its own path")
    award_years: Floats = lever(1, 1, 5, "years", "Money", "Award length", "years for which an award is made; more than one lets unspent grant be carried")
    settlement_known: Floats = lever(0.3, 0, 1, "share", "Money", "Settlement known in time", "how much of next year's pot is known when the January meeting writes the plan; the rest comes late and delays starts")
    weight_flat: Floats = lever(1, 0, 1, "weight", "Commissioning", "Flat share", "weight of an equal share for every partnership in the commissioner's rule")
    weight_population: Floats = lever(0, 0, 1, "weight", "Commissioning", "Population", "weight of population in the commissioner's rule")
    weight_need: Floats = lever(0, 0, 1, "weight", "Commissioning", "Recorded need", "weight of recorded crime in the commissioner's rule")
    weight_evidence: Floats = lever(0, 0, 1, "weight", "Commissioning", "Evidence", "weight of evaluated, effective work in the commissioner's rule")
    weight_relationship: Floats = lever(0, 0, 1, "weight", "Commissioning", "Relationship", "weight of a good relationship with the commissioner")
    weight_bids: Floats = lever(0, 0, 1, "weight", "Commissioning", "Bids", "weight of competitive bids; bidding costs hours")
    weight_history: Floats = lever(0, 0, 1, "weight", "Commissioning", "History", "weight of last year's share (roll-forward)")
    top_slice: Floats = lever(0, 0, 0.9, "share", "Commissioning", "Commissioner's top-slice", "share of the pot the commissioner spends force-wide on own priorities")
    floor: Floats = lever(0, 0, 1, "share", "Commissioning", "Floor for losers", "no partnership gets less than this share of last year's award (1 is a ratchet)")
    evaluation_condition: Floats = lever(0, 0, 1, "share", "Commissioning", "Evaluate or lose it", "how strictly awards depend on evaluation; unevaluated work loses money, evaluation costs hours")
    rebalancing: Floats = lever(0, 0, 1, "share", "Workload", "Rebalancing", "how far work is assigned by capacity instead of left to the co-ordinator")
    shared_commitment: Floats = lever(0, 0, 1, "share", "Workload", "Shared commitment", "how far partners are brought to do what they are assigned; costs meeting hours")
    governance: Floats = lever(1, 0, 2, "times", "Workload", "Governance", "meetings, reports and returns, relative to 2010")
    challenge_culture: Floats = lever(0, 0, 1, "share", "Challenge and evaluation", "Independent chair", "an independent chair who invites challenge; costs a fee and meeting hours")
    devils_advocate: Floats = lever(0, 0, 1, "share", "Challenge and evaluation", "Devil's advocate", "share of proposals for which somebody is appointed to argue against; costs hours and some trust")
    evaluation_ethos: Floats = lever(0, 0, 1, "share", "Challenge and evaluation", "Evaluation ethos", "how far evaluation is expected of every project; costs hours and money")
    evaluation_quality: Floats = lever(0.1, 0, 1, "share", "Challenge and evaluation", "Evaluation quality", "share of evaluations with a comparison group; costs more hours and money")
    targets: Floats = lever(0, 0, 1, "share", "Measurement", "Recorded-crime targets", "pressure of central targets on recorded crime")
    balanced_scorecard: Floats = lever(0, 0, 1, "share", "Measurement", "Balanced scorecard", "share of the picture of need that comes from victim surveys and evaluations; the survey costs money and hours")
    engagement: Floats = lever(0.2, 0, 1, "share", "Measurement", "Community engagement", "intensity of community engagement; costs hours and money")
    audit: Floats = lever(0.1, 0, 1, "share", "Measurement", "Audit of recording", "intensity of crime-recording audit; costs police hours and money")


class Switches(NamedTuple):
    """Which mechanisms exist. Each field is 1 (on) or 0 (off)."""

    effects: int = switch("interventions change crime")
    trust_dynamics: int = switch("trust changes with contact, joint work, slights and overload")
    challenge: int = switch("members challenge proposals")
    turnover: int = switch("representatives leave and are replaced")
    measurement_error: int = switch("recorded crime differs from true crime and evaluations err")
    harmony: int = switch("trust in a sponsor makes challenge less likely")
    trust_helps_delivery: int = switch("trust raises fidelity of delivery")
    optimism: int = switch("sponsors claim more than they believe and unevaluated work is credited with falls")
    popularity: int = switch("popular interventions look better to everybody than they are")
    gaming: int = switch("targets lower the share of reported crime that is recorded")
    engagement_reporting: int = switch("engagement and some interventions raise reporting")
    slow_shocks: int = switch("crime drifts slowly for reasons nobody controls")
    spill_over: int = switch("effects spill over to neighbours")
    evaluation: int = switch("projects can be evaluated")
    police_strength: int = switch("police numbers change crime")
    grant_posts: int = switch("part of the co-ordinator's team is paid by the grant")
    overload: int = switch("overload lowers delivery, challenge and trust")
    off_line: int = switch("suppressed doubt moves decisions off-line")
