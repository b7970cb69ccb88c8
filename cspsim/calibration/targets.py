"""The measures by which a run is compared with the observed months: month noise, movement apart, levels, and stylised facts.

The same function is applied to observed and to simulated months, so that a bias of a measure does no harm.
"""

from typing import NamedTuple

import numpy as np

from cspsim.calibration.calibration_file import YEAR, Calibration
from cspsim.calibration.monthly_runs import Simulated
from cspsim.model.parameters import Floats
from cspsim.running.outcomes import OUTCOMES
from cspsim.scenario.schema import parse_month
from cspsim.scenario.world_building import months_between

APART = (1, 2, 4)
"""Years apart at which the movement of partnerships against each other is measured."""


class Target(NamedTuple):
    """One target: the observed value, and what the model may miss it by (one standard deviation)."""

    name: str
    title: str
    value: float
    tolerance: float
    source: str


def observed_targets(calibration: Calibration, recorded: Floats | None = None, facts: Floats | None = None) -> list[Target]:
    """The targets of a calibration; ``recorded`` ``[partnership, crime type, month]`` and ``facts`` replace the observed ones."""
    data, names = calibration.data, list(calibration.facts)
    months = calibration.observed.between(*calibration.window) if recorded is None else recorded
    values = measures(calibration, months[None])[0]
    size = {"noise": data.discrepancy.month_noise, "apart": data.discrepancy.movement, "level": data.discrepancy.level}
    source = "the observed months"
    found = [
        Target(name, title, float(value), size[name.partition(".")[0]], source)
        for (name, title), value in zip(_measure_names(calibration), values, strict=True)
    ]
    said = [calibration.facts[name][0] for name in names] if facts is None else facts
    return found + [
        Target(name, OUTCOMES[name].title, float(value), calibration.facts[name][1], data.targets[name].source)
        for name, value in zip(names, said, strict=True)
    ]


def simulated_targets(calibration: Calibration, simulated: Simulated) -> Floats:
    """The same of every run ``[set, target]``."""
    at = [list(OUTCOMES).index(name) for name in calibration.facts]
    months = months_between(*calibration.window) + 1
    return np.column_stack([measures(calibration, simulated.recorded[..., :months]), simulated.outcomes[:, at]])


def _measure_names(calibration: Calibration) -> list[tuple[str, str]]:
    types = {name: calibration.scenario.data.crime_types[name].title for name in calibration.observed.crime_types}
    found = [(f"noise.{name}", f"Month noise of {title.lower()}") for name, title in types.items()]
    if len(calibration.observed.partnerships) > 1:
        found += [(f"apart.{years}", f"Movement apart over {years} year{'s' if years > 1 else ''}") for years in _spans(calibration)]
    if calibration.data.fit.paths == "known":
        found += [(f"level.{name}", f"Level of {title.lower()}") for name, title in types.items()]
        first = parse_month(calibration.data.fit.from_month).year
        found += [(f"level.{first + k}", f"Level of the year from {first + k}") for k in range(_years(calibration))]
    return found


def _years(calibration: Calibration) -> int:
    return (months_between(*calibration.window) + 1) // YEAR


def _spans(calibration: Calibration) -> list[int]:
    return [years for years in APART if years < _years(calibration)]


def measures(calibration: Calibration, recorded: Floats) -> Floats:
    """Measures ``[set, measure]`` of recorded crimes ``[set, partnership, crime type, month]``, in the order of the targets."""
    data = calibration.scenario.data
    spread = np.array([data.crime_types[name].annual_sd_local.value for name in calibration.observed.crime_types])
    parts = [month_noise(recorded)]
    if recorded.shape[1] > 1:
        parts.append(movement_apart(recorded, spread, _spans(calibration)))
    if calibration.data.fit.paths == "known":
        parts.append(levels(recorded))
    return np.column_stack(parts)


def month_noise(recorded: Floats) -> Floats:
    """Log mean square of log crime around its centred yearly mean and its season ``[set, crime type]``.

    Partnerships are weighed by their crimes. A dated path that moves in yearly steps hardly shows in it.
    """
    logs = np.log(recorded + 0.5)
    weights = np.ones(YEAR + 1) / YEAR
    weights[[0, -1]] /= 2
    smooth = np.apply_along_axis(np.convolve, -1, logs, weights, "valid")
    rest = logs[..., YEAR // 2 : -(YEAR // 2)] - smooth
    years = rest.shape[-1] // YEAR
    by_month = rest[..., : years * YEAR].reshape(*rest.shape[:-1], years, YEAR)
    around = by_month - by_month.mean(axis=-2, keepdims=True)
    squares = (around**2).sum(axis=(-1, -2)) / (YEAR * max(1, years - 1))
    crimes = recorded.mean(axis=-1)
    return np.log((squares * crimes).sum(axis=1) / np.maximum(crimes.sum(axis=1), 1e-9) + 1e-9)


def movement_apart(recorded: Floats, spread: Floats, spans: list[int]) -> Floats:
    """Log mean square of how far yearly crime moved apart between partnerships ``[set, span]``, in units of ``spread``.

    What moves all partnerships alike, such as a dated path or police strength of the whole force, drops out.
    """
    yearly = np.log(recorded.reshape(*recorded.shape[:-1], -1, YEAR).sum(axis=-1) + 0.5)
    apart = (yearly - yearly.mean(axis=1, keepdims=True)) / np.maximum(spread, 1e-9)[:, None]
    return np.column_stack([np.log(((apart[..., span:] - apart[..., :-span]) ** 2).mean(axis=(1, 2, 3)) + 1e-9) for span in spans])


def levels(recorded: Floats) -> Floats:
    """Log crimes of each type over all months, and of each year over all types, partnerships together ``[set, type or year]``."""
    by_type = recorded.sum(axis=1)
    by_year = by_type.sum(axis=1).reshape(len(recorded), -1, YEAR).sum(axis=-1)
    return np.log(np.column_stack([by_type.sum(axis=-1), by_year]) + 0.5)
