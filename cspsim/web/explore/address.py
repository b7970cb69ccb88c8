"""A question as the query of an address (``?scenario=deeper-cut&levers.grant=0.5``), and back; what cannot be read is reported."""

from collections.abc import Callable
from math import isfinite
from typing import Any
from urllib.parse import parse_qsl

from cspsim.basics.errors import CspsimError, did_you_mean
from cspsim.model.parameters import Levers, RegisterEntry
from cspsim.model.uncertainties import Uncertainties
from cspsim.running.outcomes import OUTCOMES
from cspsim.scenario.schema import parse_month, register_of
from cspsim.web.explore.levers import months_to_begin
from cspsim.web.explore.question import LARGEST_SEED, MOST_RUNS, Question
from cspsim.web.shown_scenarios import is_place, known_names, scenario_of

LONGEST = 8000
"""Characters of a query that are looked at."""
_NO = ("", "0", "no", "false")


def state_of(question: Question) -> dict[str, str]:
    """The question as keys and values of a query: only what differs from the default, and always the two scenarios."""
    usual = Question()
    found = {"scenario": question.scenario, "baseline": question.baseline}
    for key in ("since", "outcome", "runs", "seed"):
        if getattr(question, key) != getattr(usual, key):
            found[key] = str(getattr(question, key))
    found |= {f"levers.{name}": f"{value:.12g}" for name, value in question.levers}
    found |= {f"uncertainties.{name}": f"{value:.12g}" for name, value in question.assumptions}
    return found | {key: "1" for key in ("changed", "why") if getattr(question, key)}


def question_of(query: str) -> tuple[Question, list[str]]:
    """The question of a query, and a sentence for each part that could not be read and is left as usual."""
    question, said = Question(), []
    for key, value in parse_qsl(query.removeprefix("?")[:LONGEST], keep_blank_values=True, max_num_fields=None):
        try:
            question = _with(question, key, value)
        except (CspsimError, ValueError) as error:
            said.append(f"{_short(key)}: {error}")
    months = months_to_begin(scenario_of(question.scenario))
    if question.since and question.since not in months:
        said.append(f"since: changes begin in an April from {months[0]} to {months[-1]}, not in {question.since}")
        question = question._replace(since="")
    return question, said


def _with(question: Question, key: str, value: str) -> Question:
    section, _, name = key.partition(".")
    if section == "levers":
        return question.with_lever(name, _within(name, value, register_of(Levers)))
    if section == "uncertainties":
        return question._replace(assumptions=question.with_assumption(name, _within(name, value, register_of(Uncertainties))).assumptions)
    if key not in _READERS:
        raise CspsimError(f"the address has no such part; {did_you_mean(key[:60], [*_READERS, 'levers.grant'])}")
    return question._replace(**{key: _READERS[key](value)})


def _within(name: str, value: str, register: dict[str, RegisterEntry]) -> float:
    if name not in register:
        raise CspsimError(f"there is no such number; {did_you_mean(name[:60], register)}")
    figure = register[name]
    try:
        number = float(value)
    except ValueError:
        number = float("nan")
    if not isfinite(number) or not figure.low <= number <= figure.high:
        raise CspsimError(f"{_short(value)} is not a number from {figure.low:g} to {figure.high:g} ({figure.unit})")
    return number


def _one_of(known: Callable[[], Any]) -> Callable[[str], str]:
    def read(value: str) -> str:
        if value not in known():
            raise CspsimError(f'there is no "{_short(value)}" here; {did_you_mean(value[:60], known())}')
        return value

    return read


def _scenario(value: str) -> str:
    return value if is_place(value) else _one_of(known_names)(value)


def _whole(low: int, high: int) -> Callable[[str], int]:
    def read(value: str) -> int:
        if not (value.isascii() and value.isdecimal() and len(value) < 20 and low <= int(value) <= high):
            raise CspsimError(f"{_short(value)} is not a whole number from {low:,} to {high:,}")
        return int(value)

    return read


def _month(value: str) -> str:
    parse_month(value[:20])
    return value


def _short(text: str) -> str:
    return "".join(mark for mark in text[:60] if mark.isprintable())


_READERS: dict[str, Callable[[str], Any]] = {
    "scenario": _scenario,
    "baseline": _scenario,
    "since": _month,
    "outcome": _one_of(lambda: OUTCOMES),
    "runs": _whole(8, MOST_RUNS),
    "seed": _whole(0, LARGEST_SEED),
    "changed": lambda value: value.lower() not in _NO,
    "why": lambda value: value.lower() not in _NO,
}
