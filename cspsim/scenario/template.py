"""A commented scenario file to start from."""

from collections.abc import Iterator

from cspsim.model.parameters import Levers, Switches
from cspsim.model.uncertainties import Uncertainties
from cspsim.scenario.schema import register_of
from cspsim.scenario.toml_lines import write_value

_HEAD = """\
# A scenario says only what differs from the one it extends. Take the # away from a line to use it.
extends = {extends}
title = {title}
question = "What changes, and for whom?"
context = "Where this comes from and what it leaves out."
# primary_outcome = "cost_of_crime"

[time]
# last_month = "2018-03"    # the last month of the run
# window_from = "2011-04"   # outcomes are taken from here on

[levers]
# What somebody can decide. A value holds from its month to the next one; multiplier and shift act on all of them.
"""

_PARTNERSHIP = """
# One more partnership. The names under recorded are crime types of the world.
# [partnerships.my_borough]
# title = "My borough"
# population = { value = 250000, unit = "persons", status = "seen", source = "..." }
# recorded = { burglary = 3000, robbery = 900 }   # crimes a year
# staffing = 1.0      # times what its authorities have elsewhere
# bid_skill = 0.5     # share
# neighbours = {}     # share of a spill-over that reaches each, by partnership
"""


def new_scenario_text(name: str, extends: str = "baseline") -> str:
    """A commented scenario file to start from: it loads as it stands, and every lever can be switched on in place."""
    title = name.replace("_", " ").replace("-", " ").strip().capitalize() or "My scenario"
    head = _HEAD.format(extends=write_value(extends), title=write_value(title))
    return head + "\n".join([*_levers(), *_uncertainties(), *_switches()]) + "\n" + _PARTNERSHIP


def _levers() -> Iterator[str]:
    group = ""
    for lever, entry in register_of(Levers).items():
        if entry.group != group:
            group = entry.group
            yield from ("", f"# {group}")
        yield f"# {entry.title}: {entry.meaning}"
        yield f"# {entry.unit}, {entry.low:g} to {entry.high:g}"
        yield f'# {lever}.path = {{ "2011-04" = {entry.value:g} }}'


def _uncertainties() -> Iterator[str]:
    yield from ("", "[uncertainties]", "# What nobody knows. A few of many; sweeps sample them over their ranges.")
    one_per_rule = {entry.group: (uncertainty, entry) for uncertainty, entry in reversed(register_of(Uncertainties).items())}
    for uncertainty, entry in list(one_per_rule.values())[:6]:
        yield f"# {entry.meaning}; {entry.unit}, {entry.low:g} to {entry.high:g}"
        yield f"# {uncertainty} = {entry.value:g}"


def _switches() -> Iterator[str]:
    yield from ("", "[switches]", "# Which mechanisms exist. Turning one off gives a control.")
    for mechanism, entry in list(register_of(Switches).items())[:5]:
        yield f"# {mechanism} = false   # {entry.meaning}"
