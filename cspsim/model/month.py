"""One simulated month: every rule in the order in which it works. START READING HERE.

The month is written once and runs two ways. ``simulate`` runs the five stages straight through; a ``Run`` stops between
them, at the four decision points, so that an agent or a person may rewrite its own intentions before the next rule
reads them. Every rule lies in ``cspsim/model/rules`` under the name it has here. ``rulebook`` makes the same month with rules
of a user in the place of some of these.
"""

from cspsim.model.arithmetic import clear_scratch
from cspsim.model.compiled import compiled
from cspsim.model.luck import Luck
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
from cspsim.model.world import World


@compiled
def begin_run(world: World, state: State, luck: Luck) -> None:
    """Before the first month: nobody has done anything, but everybody has met and has heard something."""
    state.numbers[:] = 0
    state.counters[:] = -1
    state.posts[:] = 1
    state.confidence[:] = world.uncertainties.confidence_base
    clear_scratch(world, state)
    first_impressions(world, state, luck)
    form_beliefs(world, state, luck)


@compiled
def until_table(world: World, state: State, luck: Luck, month: int) -> None:
    """Money comes in, crime happens and is recorded, needs are assessed; then authorities decide what to table."""
    open_books(world, state, luck, month)
    receive_budgets(world, state, luck, month)
    divide_pot(world, state, luck, month)
    commit_crimes(world, state, luck, month)
    record_crimes(world, state, luck, month)
    assess_needs(world, state, luck, month)
    begin_plan_year(world, state, luck, month)
    propose_items(world, state, luck, month)


@compiled
def until_challenge(world: World, state: State, luck: Luck, month: int) -> None:
    """What is tabled is on the table; then members decide whom to challenge."""
    take_table(world, state, luck, month)
    intend_challenges(world, state, luck, month)
    appoint_advocates(world, state, luck, month)


@compiled
def until_pledge(world: World, state: State, luck: Luck, month: int) -> None:
    """Challenges are heard and the table decides; then partners decide what hours to pledge."""
    hear_challenges(world, state, luck, month)
    decide_items(world, state, luck, month)
    intend_pledges(world, state, luck, month)


@compiled
def until_evaluate(world: World, state: State, luck: Luck, month: int) -> None:
    """Work is shared and delivered; then leads decide what to evaluate."""
    share_work(world, state, luck, month)
    deliver_units(world, state, luck, month)
    intend_evaluations(world, state, luck, month)


@compiled
def until_end(world: World, state: State, luck: Luck, month: int) -> None:
    """Evaluations teach, trust moves, people come and go, the books are closed."""
    evaluate_projects(world, state, luck, month)
    update_trust(world, state, luck, month)
    update_funder_trust(world, state, luck, month)
    replace_representatives(world, state, luck, month)
    close_books(world, state, luck, month)


@compiled
def run_month(world: World, state: State, luck: Luck, month: int) -> None:
    """The whole month straight through, for callers that do not stop at the decision points."""
    until_table(world, state, luck, month)
    until_challenge(world, state, luck, month)
    until_pledge(world, state, luck, month)
    until_evaluate(world, state, luck, month)
    until_end(world, state, luck, month)


STAGES = (until_table, until_challenge, until_pledge, until_evaluate, until_end)
"""The same five stages for whoever stops between them; the decision points are named in ``DECISION_POINTS``."""

DECISION_POINTS = ("table", "challenge", "pledge", "evaluate")
