"""What the synthetic country is drawn from: distributions with their sources, and draws that depend on names alone."""

import tomllib
from functools import cache
from typing import Any, Literal

import numpy as np
from scipy.special import ndtri

from cspsim.model.luck import PARAMETERS, name_key
from cspsim.running.assumptions import triangular_quantile
from cspsim.scenario.scenario_files import shipped_folder
from cspsim.scenario.schema import DatedPath, Number

DRAWS_FILE = "world/country-draws.toml"
NINETIETH = float(ndtri(0.9))
"""Standard deviations from the median of a normal distribution to its ninetieth percentile."""


class Draw(Number):
    """A distribution: its shape, three numbers that fix it, and where they come from."""

    shape: Literal["triangular", "lognormal", "fixed"]
    meaning: str = ""

    def at(self, quantile: float) -> float:
        """The value at a quantile above 0 and below 1; a lognormal has its own spread on each side of its median."""
        low, high = float(self.low or 0.0), float(self.high or 0.0)
        if self.shape == "fixed":
            return self.value
        if self.shape == "lognormal":
            z = float(ndtri(quantile))
            return self.value * ((high if z > 0 else low) / self.value) ** (abs(z) / NINETIETH)
        return float(triangular_quantile(np.array(quantile), np.array(low), np.array(self.value), np.array(high)))

    def in_words(self) -> str:
        """The distribution in a few words, for the source of a drawn number."""
        low, middle, high = (f"{part:,.6g}" for part in (self.low or 0.0, self.value, self.high or 0.0))
        if self.shape == "lognormal":
            return f"median {middle}, tenth and ninetieth percentile {low} and {high}"
        return f"{low} to {high}, most often {middle}" if self.shape == "triangular" else middle


@cache
def draws() -> dict[str, Draw]:
    """Dotted name -> distribution, as the shipped file states them."""
    return {name: Draw.model_validate(table) for name, table in _entries(_tables()) if "path" not in table}


@cache
def national_streams() -> dict[str, DatedPath]:
    """Name of a grant -> what the whole country gets, £ a year of the day."""
    return {name: DatedPath.model_validate(table) for name, table in _tables()["streams"].items()}


def _tables() -> dict[str, Any]:
    return tomllib.loads((shipped_folder() / DRAWS_FILE).read_text(encoding="utf-8"))


def _entries(tables: dict[str, Any], prefix: str = "") -> list[tuple[str, dict[str, Any]]]:
    found: list[tuple[str, dict[str, Any]]] = []
    for name, table in tables.items():
        if isinstance(table, dict):
            found += [(prefix + name, table)] if "shape" in table else _entries(table, f"{prefix}{name}.")
    return found


def quantile(seed: int, *names: str) -> float:
    """A uniform draw above 0 and below 1 that depends only on the seed and the names."""
    counter = np.array([name_key("country", *names), 0, 0, PARAMETERS], dtype=np.uint64)
    generator = np.random.Generator(np.random.Philox(key=np.array([seed, 0], dtype=np.uint64), counter=counter))
    return float(max(generator.random(), np.finfo(float).tiny))


def normal_draw(seed: int, *names: str) -> float:
    """A standard normal draw that depends on nothing but the seed and the names."""
    return float(ndtri(quantile(seed, *names)))


class Lot:
    """Draws for one entity of one country."""

    def __init__(self, seed: int, *names: str) -> None:
        self.seed = seed
        self.names = names

    def value(self, entry: str) -> float:
        """The value drawn for this entity from a distribution."""
        return draws()[entry].at(quantile(self.seed, *self.names, entry))

    def number(self, entry: str, value: float, unit: str) -> dict[str, Any]:
        """A number of a scenario file whose source names the distribution it was drawn from."""
        drawn = draws()[entry]
        source = f"synthetic: drawn with seed {self.seed} from {entry} of {DRAWS_FILE} ({drawn.in_words()}; {drawn.status})"
        return {"value": value, "unit": unit, "status": "assumption", "source": source}
