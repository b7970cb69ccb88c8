"""docs/levers.md: every lever at its low and its high setting against every outcome, paired, with intervals."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from cspsim.model.parameters import Floats, Levers
from cspsim.running.outcomes import OUTCOMES, outcomes_of
from cspsim.running.rulebook import STANDARD
from cspsim.running.simulation import replicate_numbers, run_world
from cspsim.scenario.scenario import Scenario, load_scenario
from cspsim.scenario.schema import register_of
from cspsim.scenario.world_building import build_world

REPLICATES = 200
CRIME = ("cost_of_crime", "recorded_crimes")
# The outcome a lever acts on first. A lever that does not move it is a defect.
PROXIMATE = {
    "grant": "received",
    "mainstream": "coordinator_load",
    "award_years": "unspent",
    "settlement_known": "delivered_dose",
    "weight_flat": "received",
    "weight_population": "received",
    "weight_need": "received",
    "weight_evidence": "received",
    "weight_relationship": "received",
    "weight_bids": "bidding_hours",
    "weight_history": "received",
    "top_slice": "own_priorities_spend",
    "floor": "received",
    "evaluation_condition": "evaluated_share",
    "rebalancing": "local_authority_hours_share",
    "shared_commitment": "governance_hours_share",
    "governance": "governance_hours_share",
    "challenge_culture": "challenged_share",
    "devils_advocate": "challenged_share",
    "evaluation_ethos": "evaluated_share",
    "evaluation_quality": "strongly_evaluated_share",
    "targets": "recorded_share",
    "balanced_scorecard": "governance_hours_share",
    "engagement": "public_confidence",
    "audit": "recorded_share",
}
SETTINGS = {"grant": (0.5, 1.5), "mainstream": (0.5, 1.5), "governance": (0.25, 2.0), "award_years": (1, 5)}
FROM_POT = ("weight_", "top_slice", "floor", "evaluation_condition")

HEADER = """# What every lever does

Written by `python tools/write_docs.py --levers`. The baseline (two London boroughs, April 2008 to March 2018) with one lever held at
its low or its high setting from April 2011, commissioning levers from April 2013 when there is a pot to divide; everything else,
luck included, as in the baseline. Differences from the baseline over the outcome window April 2011 to March 2018, {replicates} paired
replicates, 95 % interval of the mean. A dot means that the interval includes zero. Settings are the ends of the register's range but for
grant and mainstream (half and one and a half), governance (a quarter and double).

No lever is free: each has a setting at which something that matters gets worse.

## In short

"Proximate" is the outcome a lever acts on first; a lever that does not move it would be a defect. Commissioning weights move the
proximate outcome of single partnerships more than the area's. Cost of crime in % of the baseline.

"""


class Effect(NamedTuple):
    """Paired differences of one lever at one setting: mean and half-width by outcome."""

    lever: str
    setting: float
    mean: Floats
    half: Floats


def _outcomes(scenario: Scenario) -> Floats:
    tallies = run_world(build_world(scenario.data), STANDARD, replicate_numbers(REPLICATES), seed=1)[0]
    return outcomes_of(tallies.sum(axis=1))


def settings_of(name: str) -> tuple[float, float]:
    """Low and high setting at which a lever is shown."""
    entry = register_of(Levers)[name]
    return SETTINGS.get(name, (entry.low, entry.high))


def effects() -> tuple[Floats, list[Effect]]:
    """Mean baseline outcomes, and the effect of every lever at both settings."""
    baseline = load_scenario("baseline")
    usual = _outcomes(baseline)
    found = []
    for name in register_of(Levers):
        first = "2013-04" if name.startswith(FROM_POT) else "2011-04"
        before = next(iter(baseline.data.levers[name].path.values())) if name in baseline.data.levers else register_of(Levers)[name].value
        for setting in settings_of(name):
            path = {"2008-04": before, first: setting}
            changed = baseline.with_changes({f"levers.{name}.path": path, f"levers.{name}.replace": True})
            difference = _outcomes(changed) - usual
            half = 1.96 * difference.std(axis=0, ddof=1) / np.sqrt(REPLICATES)
            found.append(Effect(name, setting, difference.mean(axis=0), half))
    return usual.mean(axis=0), found


def _number(value: float, noise: float) -> str:
    """A value rounded to the second digit of its noise."""
    if not np.isfinite(value):
        return "not defined"
    decimals = 1 - int(np.floor(np.log10(noise))) if noise > 0 else 3
    return f"{round(value, decimals):,.{max(0, decimals)}f}"


def _cell(effect: Effect, k: int) -> str:
    mean, half = effect.mean[k], effect.half[k]
    if not np.isfinite(mean):
        return "not defined"
    if mean == 0 and half == 0:
        return "0"
    if abs(mean) <= half:
        return "."
    noise = max(half, abs(mean) * 1e-3)
    return f"{'+' if mean > 0 else ''}{_number(mean, noise)} ± {_number(half, noise)}"


def _relative(effect: Effect, k: int, usual: float) -> str:
    mean, half = 100 * effect.mean[k] / usual, 100 * effect.half[k] / abs(usual)
    if effect.mean[k] == 0 and effect.half[k] == 0:
        return "0"
    return "." if abs(mean) <= half else f"{mean:+.2f} ± {half:.2f}"


def write_page(path: Path) -> None:
    """Run everything and write the page."""
    names = list(OUTCOMES)
    usual, found = effects()
    lines = [HEADER.format(replicates=REPLICATES)]
    lines.append("| lever | setting | proximate outcome | its change | cost of crime, % | recorded crimes, % |\n|---|---|---|---|---|---|")
    for effect in found:
        k = names.index(PROXIMATE[effect.lever])
        crime = " | ".join(_relative(effect, names.index(name), usual[names.index(name)]) for name in CRIME)
        lines.append(f"| `{effect.lever}` | {effect.setting:g} | `{names[k]}` | {_cell(effect, k)} | {crime} |")
    lines.append(_findings(names, found))
    for low, high in zip(found[::2], found[1::2], strict=True):
        lines.append(f"\n## {low.lever}\n\n{register_of(Levers)[low.lever].meaning.capitalize()}.\n")
        lines.append(f"| outcome | baseline | at {low.setting:g} | at {high.setting:g} |\n|---|---|---|---|")
        for k, name in enumerate(names):
            cells = f"{_cell(low, k)} | {_cell(high, k)}"
            lines.append(f"| `{name}` | {_number(usual[k], abs(usual[k]) / 100)} | {cells} |")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _findings(names: list[str], found: list[Effect]) -> str:
    """Levers whose proximate outcome does not move, and levers that move no crime at point assumptions."""

    def moves(effect: Effect, name: str) -> bool:
        k = names.index(name)
        return bool(abs(effect.mean[k]) > effect.half[k])

    pairs = list(zip(found[::2], found[1::2], strict=True))
    dead = [low.lever for low, high in pairs if not (moves(low, PROXIMATE[low.lever]) or moves(high, PROXIMATE[low.lever]))]
    idle = [low.lever for low, high in pairs if not (moves(low, "cost_of_crime") or moves(high, "cost_of_crime"))]
    return (
        f"\nProximate outcome of the area not moved: {', '.join(dead) or 'none'}.\n\n"
        f"Cost of crime not moved at point assumptions: {', '.join(idle) or 'none'}. [findings.md](findings.md) says why.\n"
    )
