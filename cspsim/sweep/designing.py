"""From an experiment to its plan: which policies, which assumption sets, which luck."""

import numpy as np

from cspsim.model.luck import PARAMETERS, STREAMS
from cspsim.model.parameters import Floats, Words
from cspsim.running.assumptions import latin_hypercube, uncertain_numbers
from cspsim.sweep.experiment import Experiment
from cspsim.sweep.luck_design import luck_design
from cspsim.sweep.plan import Plan, Policies
from cspsim.sweep.sampling import every_combination, sampled

LEVERS_IN_A_NAME = 4


def make_plan(experiment: Experiment) -> Plan:
    """Lay an experiment out. Raises CspsimError when a design needs a library that is not there."""
    varied = _varied(experiment)
    rows = _luck_rows(experiment)
    return Plan(experiment, _policies(experiment), varied, _quantiles(experiment, varied, rows), rows)


def _policies(experiment: Experiment) -> Policies:
    named = list(experiment.policies)
    levers = list(experiment.lever_ranges)
    points = _lever_points(experiment) if levers else np.empty((0, 0))
    names = named + [_policy_name(len(named) + k, levers, point) for k, point in enumerate(points)]
    settings = np.full((len(names), len(levers)), np.nan)
    settings[len(named) :] = points
    against = np.zeros(len(names), dtype=np.int64)
    scenario = np.zeros(len(names), dtype=np.int64)
    for k, name in enumerate(named):
        against[k], scenario[k] = named.index(experiment.against[name]), k
    return Policies(names, against, scenario, levers, settings)


def _policy_name(number: int, levers: list[str], point: Floats) -> str:
    """A setting of levers in words, where it is short enough to be a name."""
    if len(levers) > LEVERS_IN_A_NAME:
        return f"policy {number}"
    return ", ".join(f"{lever} {value:.4g}" for lever, value in zip(levers, point, strict=True))


def _lever_points(experiment: Experiment) -> Floats:
    """Values ``[point, lever]``: a sample of the ranges, every combination, or lists side by side."""
    design, ranges = experiment.data.levers, list(experiment.lever_ranges.values())
    if design.design in ("full-factorial", "list"):
        values = [entry.values or np.linspace(entry.low or 0.0, entry.high or 0.0, design.levels).tolist() for entry in ranges]
        return every_combination(values) if design.design == "full-factorial" else np.array(values).T
    names = [f"levers.{name}" for name in experiment.lever_ranges]
    quantiles = sampled(design.design, names, design.points, experiment.data.seed, design.levels, design.second_order)
    low, high = (np.array([getattr(entry, end) for entry in ranges], dtype=float) for end in ("low", "high"))
    return low + quantiles * (high - low)


def _varied(experiment: Experiment) -> list[str]:
    """Full names of the numbers that are sampled: those of the file, those named, or all that are uncertain."""
    design = experiment.data.uncertainties
    if experiment.given_sets is not None:
        return [name if "." in name else f"uncertainties.{name}" for name in experiment.given_sets[0]]
    if design.design == "best-guess":
        return []
    wanted = design.only if design.only is not None else list(design.vary)
    full = {name if "." in name else f"uncertainties.{name}" for name in wanted}
    known = dict.fromkeys(number.name for scenario in experiment.policies.values() for number in uncertain_numbers(scenario))
    return [name for name in known if name in full or not full]


def _quantiles(experiment: Experiment, varied: list[str], rows: Words | None) -> Floats:
    design, seed = experiment.data.uncertainties, experiment.data.seed
    best = np.full((int(design.best_guess), len(varied)), np.nan)
    if experiment.given_sets is not None:
        drawn = np.array(experiment.given_sets[1], dtype=float)
    elif not varied:
        return np.full((1, 0), np.nan)
    elif rows is not None:
        drawn = latin_hypercube(varied, int(rows[:, PARAMETERS].max()) + 1, seed)
    else:
        drawn = sampled(design.design, varied, design.points, seed, design.levels, design.second_order)
    return np.concatenate([best, drawn])


def _luck_rows(experiment: Experiment) -> Words | None:
    luck = experiment.data.luck
    if luck.design == "replicates":
        return None
    return luck_design(luck.base, luck.groups or STREAMS)
