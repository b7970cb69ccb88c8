"""What a rule of a user is made of, in one place: the only module of the package that rule files need to import.

It moves no more: a rule file that imports from here goes on working when the modules behind it are put in order anew. It holds
nothing of its own, and the package's own rules import what they need from where it lies.
"""

from cspsim.model.arithmetic import (
    clear_scratch,
    learn,
    next_reach,
    power_of_units,
    reach_of_dose,
    reach_of_units,
    reached_share,
    signal_variance,
)
from cspsim.model.compiled import compiled
from cspsim.model.counts import binomial_counts, binomial_quantile, negative_binomial_counts, negative_binomial_quantile, rounded_quantile
from cspsim.model.luck import (
    CRIME,
    EVALUATION,
    MEETINGS,
    PARAMETERS,
    PERSONALITIES,
    RECORDING,
    SIGNALS,
    TURNOVER,
    Luck,
    normal,
    normal_quantile,
    normal_quantiles,
    normals,
    uniform,
    uniforms,
)
from cspsim.model.parameters import Floats, Integers
from cspsim.model.rules.accounts import close_books, open_books
from cspsim.model.rules.agenda import begin_plan_year, propose_items, take_table
from cspsim.model.rules.assessment import assess_needs
from cspsim.model.rules.beliefs import form_beliefs
from cspsim.model.rules.budgets import receive_budgets
from cspsim.model.rules.challenge import appoint_advocates, hear_challenges, intend_challenges
from cspsim.model.rules.commissioning import divide_pot
from cspsim.model.rules.crime import commit_crimes
from cspsim.model.rules.decision import decide_items
from cspsim.model.rules.delivery import deliver_units
from cspsim.model.rules.evaluation import evaluate_projects, intend_evaluations
from cspsim.model.rules.recording import record_crimes
from cspsim.model.rules.relationships import first_impressions, replace_representatives, update_funder_trust, update_trust
from cspsim.model.rules.workload import intend_pledges, share_work
from cspsim.model.state import State
from cspsim.model.tallies import AuthorityTally, Role, Tally, Trait, Work
from cspsim.model.world import World

__all__ = [
    "CRIME",
    "EVALUATION",
    "MEETINGS",
    "PARAMETERS",
    "PERSONALITIES",
    "RECORDING",
    "SIGNALS",
    "TURNOVER",
    "AuthorityTally",
    "Floats",
    "Integers",
    "Luck",
    "Role",
    "State",
    "Tally",
    "Trait",
    "Work",
    "World",
    "appoint_advocates",
    "assess_needs",
    "begin_plan_year",
    "binomial_counts",
    "binomial_quantile",
    "clear_scratch",
    "close_books",
    "commit_crimes",
    "compiled",
    "decide_items",
    "deliver_units",
    "divide_pot",
    "evaluate_projects",
    "first_impressions",
    "form_beliefs",
    "hear_challenges",
    "intend_challenges",
    "intend_evaluations",
    "intend_pledges",
    "learn",
    "negative_binomial_counts",
    "negative_binomial_quantile",
    "next_reach",
    "normal",
    "normal_quantile",
    "normal_quantiles",
    "normals",
    "open_books",
    "power_of_units",
    "propose_items",
    "reach_of_dose",
    "reach_of_units",
    "reached_share",
    "receive_budgets",
    "record_crimes",
    "replace_representatives",
    "rounded_quantile",
    "share_work",
    "signal_variance",
    "take_table",
    "uniform",
    "uniforms",
    "update_funder_trust",
    "update_trust",
]
