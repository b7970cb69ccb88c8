"""cspsim: an agent-based simulation of Community Safety Partnerships.

>>> import cspsim
>>> scenario = cspsim.load_scenario("baseline")
>>> results = cspsim.simulate(scenario, replicates=100, seed=1)  # doctest: +SKIP

Names are loaded when they are first used, so that ``import cspsim`` and ``cspsim --help`` stay quick.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOMES = {
    "load_scenario": "scenario.scenario",
    "scenario_names": "scenario.scenario",
    "Scenario": "scenario.scenario",
    "simulate": "running.simulation",
    "Results": "running.results",
    "compare": "comparing.comparison",
    "Comparison": "comparing.comparison",
    "Run": "one_run.run",
    "OUTCOMES": "running.outcomes",
    "PartnershipModel": "mesa_model.partnership_model",
    "CspsimError": "basics.errors",
    "ScenarioError": "basics.errors",
    "limits_of": "basics.limits",
    "load_experiment": "sweep.reading",
    "load_hypotheses": "hypotheses.hypothesis_file",
    "run_hypotheses": "hypotheses.testing",
    "run_sweep": "sweep.sweeping",
    "load_results": "sweep.stored_results",
    "analyse": "analysis.analysing",
    "SweepResults": "sweep.stored_results",
}

__all__ = [
    "OUTCOMES",
    "Comparison",
    "CspsimError",
    "PartnershipModel",
    "Results",
    "Run",
    "Scenario",
    "ScenarioError",
    "SweepResults",
    "__version__",
    "analyse",
    "compare",
    "limits_of",
    "load_experiment",
    "load_hypotheses",
    "load_results",
    "load_scenario",
    "run_hypotheses",
    "run_sweep",
    "scenario_names",
    "simulate",
]

if TYPE_CHECKING:
    from cspsim.analysis.analysing import analyse
    from cspsim.basics.errors import CspsimError, ScenarioError
    from cspsim.basics.limits import limits_of
    from cspsim.comparing.comparison import Comparison, compare
    from cspsim.hypotheses.hypothesis_file import load_hypotheses
    from cspsim.hypotheses.testing import run_hypotheses
    from cspsim.mesa_model.partnership_model import PartnershipModel
    from cspsim.one_run.run import Run
    from cspsim.running.outcomes import OUTCOMES
    from cspsim.running.results import Results
    from cspsim.running.simulation import simulate
    from cspsim.scenario.scenario import Scenario, load_scenario, scenario_names
    from cspsim.sweep.reading import load_experiment
    from cspsim.sweep.stored_results import SweepResults, load_results
    from cspsim.sweep.sweeping import run_sweep


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"cspsim has no {name!r}; it has {', '.join(sorted(_HOMES))}")
    found = getattr(import_module(f"cspsim.{home}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted(__all__)
