"""Hypothesis files about the tiny world, for tests: three hypotheses whose mechanisms and null worlds are known."""

from pathlib import Path

from worlds import tiny_world

HEAD = """title = "Tiny hypotheses"
question = "Does it hold?"
significance = 0.05
replicates = 20
assumption_sets = 6
replicates_per_set = 1
false_positives = 10
"""

SILENCE = """
[hypotheses.silence]
statement = "Trust silences."
source = "made up for tests"
strength = "C"
pattern = "SF7"
outcome = "challenged_share"
direction = "lower"
smallest_effect = 0.02
smallest_is = "absolute"
reference = { scenario = "tiny", changes = { "uncertainties.initial_trust" = 0.3 } }
treatment = { scenario = "tiny", changes = { "uncertainties.initial_trust" = 0.8 } }
mechanism = "trust keeps doubters silent"
without."switches.harmony" = false
null."switches.challenge" = false
rival = "There is less to challenge."
"""

IMPACT = """
[hypotheses.impact]
statement = "Something is averted."
source = "made up for tests"
strength = "B"
outcome = "cost_averted_share"
direction = "higher"
smallest_effect = 0.0025
smallest_is = "absolute"
reference.value = 0
treatment.scenario = "tiny"
mechanism = "interventions work"
without."switches.effects" = false
rival = "The trend."
"""

MONEY = """
[hypotheses.money]
statement = "Half of the grant buys the outer borough the same dose."
source = "made up for tests"
strength = "D"
outcome = "delivered_dose"
partnership = "outer"
direction = "same"
smallest_effect = 0.02
smallest_is = "relative"
reference.scenario = "tiny"
treatment = { scenario = "tiny", changes = { "levers.grant.multiplier" = 0.5 } }
rival = "Hours and not money decide."
"""


def write_hypotheses(folder: Path, *parts: str, head: str = HEAD, name: str = "claims") -> Path:
    """A hypothesis file beside the tiny world it is about."""
    (folder / "tiny.toml").write_text(tiny_world(), encoding="utf-8")
    path = folder / f"{name}.toml"
    path.write_text(head + "".join(parts or (SILENCE, IMPACT, MONEY)), encoding="utf-8")
    return path
