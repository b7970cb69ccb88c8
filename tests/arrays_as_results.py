"""Arrays that look like a finished sweep, so that known functions go through the code that analyses sweeps."""

from typing import Any

import numpy as np
import pandas as pd

from cspsim.model.parameters import Floats
from cspsim.sweep.stored_results import Cells


class ArraysAsResults:
    """Outcomes ``{name: [policy, assumptions, replicate]}`` and a design, without a folder or a run."""

    def __init__(self, outcomes: dict[str, Floats], designs: dict[str, Any], levers: Any = None, uncertainties: Any = None) -> None:
        self.values, self.designs = outcomes, designs
        self.manifest: dict[str, Any] = {"replicates_share_luck_between_sets": True}
        policies, sets, _ = next(iter(outcomes.values())).shape
        self.policies = pd.DataFrame({"policy": range(policies), "name": [f"policy {k}" for k in range(policies)]})
        self.assumptions = pd.DataFrame({"assumptions": range(sets)})
        self.luck = pd.DataFrame()
        for frame, sample, space in ((self.policies, levers, "levers"), (self.assumptions, uncertainties, "uncertainties")):
            if sample is not None:
                first = len(frame) - len(sample)
                for name, column in zip(designs[space]["names"], sample.T, strict=True):
                    frame[name] = np.concatenate([np.full(first, np.nan), column])

    def cells(self, outcome: str, partnership: str = "area") -> Cells:
        """The arrays as totals, every effect against policy 0."""
        values = self.values[outcome]
        return Cells(values, np.ones(values.shape), np.zeros(len(values), dtype=int))
