"""What it costs to watch rules of users: the same rules with and without, in turns, by processor time. About a minute.

    python benchmarks/guarded_rules.py

Without: neither the limits of the state nor the world are looked at. A copy of each of the package's own rules is watched as if
a user had written it, some alone and all at once, and so is each of the shipped theories.
"""

import time
from contextlib import nullcontext
from pathlib import Path
from statistics import median

import cspsim.model.month
from cspsim.running import rulebook
from cspsim.running.simulation import replicate_numbers, run_world
from cspsim.scenario.rival_rules import SLOTS, Rival
from cspsim.scenario.scenario import load_scenario
from cspsim.scenario.world_building import build_world

ROUNDS, RUNS = 20, 16
guarded, watching = rulebook.guard_source, rulebook.unchanged


def copy_of(slot: str) -> Rival:
    """The package's own rule in this place, as a rule of a user."""
    path = Path(getattr(cspsim.model.month, slot).py_func.__code__.co_filename)
    return Rival(slot, path, slot, path.read_text(encoding="utf-8"), allowed=True)


def unguarded(rival: Rival, function: str, alone: bool) -> str:
    """The rule itself where its guarded one would stand."""
    return f"{rival.slot} = {function}\n"


def book_of(rivals: tuple[Rival, ...], watched: bool) -> rulebook.Rulebook:
    """The rulebook, compiled; what is watched is settled when it is made."""
    rulebook.guard_source = guarded if watched else unguarded
    return rulebook._built(rivals) if watched else rulebook._built(tuple(rival._replace(place="unwatched") for rival in rivals))


def cost(world: object, rivals: tuple[Rival, ...]) -> float:
    """Share of processor time that watching adds: the median over turns."""
    books = {watched: book_of(rivals, watched) for watched in (False, True)}
    streams, shares = replicate_numbers(RUNS), []
    for turn in range(ROUNDS + 1):
        spent = {}
        for watched in (turn % 2 == 0, turn % 2 == 1):
            rulebook.unchanged = watching if watched else lambda *_: nullcontext()
            begin = time.process_time()
            run_world(world, books[watched], streams, seed=turn, threads=1)
            spent[watched] = time.process_time() - begin
        if turn:  # the first compiles
            shares.append(spent[True] / spent[False] - 1)
    return median(shares)


baseline = build_world(load_scenario("baseline").data)
theories = ("challenge-by-expertise", "challenge-by-influence", "trust-by-favours", "trust-by-record")
cases = {name: load_scenario(name, allow_rules=True).rivals for name in theories}
cases |= {
    f"copy of {slot}": (copy_of(slot),) for slot in ("update_trust", "intend_challenges", "record_crimes", "commit_crimes", "form_beliefs")
}
cases["two theories at once"] = cases["challenge-by-influence"] + cases["trust-by-record"]
cases["copies of all 22 at once"] = tuple(copy_of(slot) for slot in SLOTS)
for name, rivals in cases.items():
    print(f"{name:24} {cost(baseline, rivals):+.1%}", flush=True)
