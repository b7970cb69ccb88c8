"""Before the first month: what each authority has heard of each intervention, and what has been published about it."""

from cspsim.model.arithmetic import signal_variance
from cspsim.model.compiled import compiled
from cspsim.model.luck import SIGNALS, Luck, normal
from cspsim.model.state import State
from cspsim.model.world import World


@compiled
def form_beliefs(world: World, state: State, luck: Luck) -> None:
    """Private signals are drawn once around the true effect, plus a bias towards what is popular that all share.

    belief = prior and own signal, weighted as Gaussians; published evidence errs more the weaker its grade, and carries
    no popularity bias. Source: hidden profiles (Lu, Yuan & McLeod 2012): what is known is spread over the members.
    """
    uncertainties = world.uncertainties
    partnerships, authorities, interventions = state.belief.shape
    for i in range(interventions):
        truth = world.effect[i] * uncertainties.effect_scale * world.switches.effects
        z = normal(luck, SIGNALS, -1, world.intervention_key[i], world.intervention_key[i])
        state.evidence[i] = truth + uncertainties.evidence_error * world.evidence_grade[i] * z
        liking = uncertainties.popularity_bias * world.switches.popularity * (world.popularity[i] - 1 / 2)
        for p in range(partnerships):
            for a in range(authorities):
                variance = signal_variance(world, p, a, i, 0)
                z = normal(luck, SIGNALS, -1, world.authority_key[p, a], world.intervention_key[i])
                state.signal[p, a, i] = truth + liking + variance**0.5 * z
                prior = uncertainties.prior_error * uncertainties.prior_error
                weight = prior / (prior + variance)
                heard = uncertainties.prior_effect + liking
                state.belief[p, a, i] = heard + weight * (state.signal[p, a, i] - heard)
                state.belief_variance[p, a, i] = prior * (1 - weight)
