"""The uncertain numbers of a scenario under a row of a design."""

import numpy as np

from cspsim.model.parameters import Floats
from cspsim.running.assumptions import AssumptionSets, UncertainNumber, triangular_quantile, uncertain_numbers
from cspsim.scenario.scenario import Scenario
from cspsim.sweep.experiment import UncertaintyDesign, Varied


class Uncertain:
    """The uncertain numbers of one scenario: where the sampled ones stand, and what a row of quantiles makes of them."""

    def __init__(self, scenario: Scenario, varied: list[str], design: UncertaintyDesign) -> None:
        numbers = uncertain_numbers(scenario)
        own = {number.name: column for column, number in enumerate(numbers)}
        self.sampled = [k for k, name in enumerate(varied) if name in own]  # columns of the quantiles this scenario has
        self.columns = np.array([own[varied[k]] for k in self.sampled], dtype=np.int64)
        self.best = np.array([number.value for number in numbers])
        self.from_file, self.uniform = design.design == "file", design.distribution == "uniform" or design.design == "morris"
        ranges = [stated_range(numbers[column], design) for column in self.columns]
        self.low, self.high = (np.array([ends[k] for ends in ranges]) for k in (0, 1))
        self.mode = np.clip(self.best[self.columns], self.low, self.high)
        self.sets = AssumptionSets(scenario, numbers, self.best[None])

    def values(self, quantiles: Floats) -> Floats:
        """All numbers ``[number]``: the best guesses, and in place of those that are sampled what the quantiles say."""
        row = self.best.copy()
        drawn = quantiles[self.sampled]
        if drawn.size and not np.isnan(drawn).any():
            if self.from_file:
                row[self.columns] = drawn
            elif self.uniform:
                row[self.columns] = self.low + drawn * (self.high - self.low)
            else:
                row[self.columns] = triangular_quantile(drawn, self.low, self.mode, self.high)
        return row


def stated_range(number: UncertainNumber, design: UncertaintyDesign) -> tuple[float, float]:
    """Low and high of an uncertain number: what the experiment states, else the registered range."""
    stated = design.vary.get(number.name) or design.vary.get(number.name.removeprefix("uncertainties."), Varied())
    if stated.low is None or stated.high is None:
        return number.low, number.high
    return stated.low, stated.high
