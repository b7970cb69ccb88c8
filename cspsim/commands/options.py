"""What several commands share: options, the scenario a user named, values on one line."""

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cspsim.basics.errors import CspsimError
from cspsim.basics.limits import TOO_DEEP, hold_to_limits, is_too_deep, limits_of
from cspsim.basics.outward import for_shell

if TYPE_CHECKING:
    from cspsim.basics.limits import EstimatedWork
    from cspsim.scenario.scenario import Scenario

LARGEST_SEED = 2**64 - 1

ScenarioName = Annotated[str, typer.Argument(help="Name of a shipped scenario, path of a .toml file, or a stack of them: first+second.")]
Json = Annotated[bool, typer.Option("--json", help="Print the answer as JSON and nothing else.")]
Seed = Annotated[int, typer.Option(min=0, max=LARGEST_SEED, help="Seed of all luck.")]
Replicates = Annotated[int, typer.Option(min=1, help="Number of runs of each scenario.")]
Threads = Annotated[int | None, typer.Option(min=1, help="Threads; all processors if not given.")]
Out = Annotated[Path | None, typer.Option("--out", "-o", help="Folder for the results; replaced if cspsim wrote it.")]
Changes = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change a dotted key, such as levers.grant.multiplier=0.5. May be repeated."),
]

FirstYear = Annotated[
    int | None, typer.Option("--first-year", help="Of a real place: the year whose April begins the run, 2026 if not given.")
]
Years = Annotated[int | None, typer.Option("--years", help="Of a real place: how many years, 5 if not given.")]
After2028 = Annotated[
    str | None, typer.Option("--after-2028", help="Of a real place: mayor or board, who follows the commissioner in May 2028.")
]

AllowRules = Annotated[
    bool, typer.Option("--allow-rules", help="Run the rules that these scenarios bring along: Python code, which you should have read.")
]


TimeLimit = Annotated[
    str | None, typer.Option("--time-limit", metavar="TIME", help="Refuse what takes longer, such as 90min or 2days; 12h if not given.")
]
MemoryLimit = Annotated[
    str | None, typer.Option("--memory-limit", metavar="SIZE", help="Refuse what needs more memory, such as 8GB; 2GB if not given.")
]


def permit(work: "EstimatedWork", what: str, time_limit: str | None, memory_limit: str | None) -> None:
    """Let work begin that keeps to the limits; ask for confirmation on a terminal for larger work. Raises TooMuch."""
    at_a_terminal = sys.stdin.isatty() and sys.stderr.isatty()
    ask = partial(typer.confirm, err=True) if at_a_terminal else None
    hold_to_limits(work, what, limits_of(time_limit, memory_limit), ask=ask)


def load(name: str, changes: list[str] | None = None, allow_rules: bool = False) -> "Scenario":
    """The scenario a user named, with what ``--set`` changes; a rule file named there is allowed by that.

    Raises ScenarioError with every fault.
    """
    from cspsim.running.outcomes import OUTCOMES
    from cspsim.scenario.scenario import load_scenario

    scenario = load_scenario(name, outcomes=lambda: OUTCOMES, allow_rules=allow_rules)
    return scenario.with_changes(parsed_changes(changes), allow_rules=True) if changes else scenario


def parsed_changes(changes: list[str]) -> dict[str, Any]:
    """``key=value`` texts as a dictionary; values as in a scenario file, bare words as text. Raises CspsimError."""
    import tomllib

    found: dict[str, Any] = {}
    for text in changes:
        key, equals, value = text.partition("=")
        if not (equals and key.strip() and value.strip()):
            raise CspsimError(f"--set {text}: expected KEY=VALUE, such as levers.grant.multiplier=0.5")
        try:
            found[key.strip()] = tomllib.loads(f"value = {value}")["value"]
        except ValueError:
            found[key.strip()] = value.strip()
        except RecursionError:
            raise CspsimError(f"--set {key.strip()}: {TOO_DEEP}") from None
        if is_too_deep(found[key.strip()]):
            raise CspsimError(f"--set {key.strip()}: {TOO_DEEP}")
    return found


def value_in_words(value: Any) -> str:
    """A value of a scenario file on one line."""
    if value is None:
        return "not stated"
    if isinstance(value, float):
        return f"{value:,.10g}"
    return str(value)


def in_cell(value: Any) -> str:
    """A value as a cell of a table: nothing where there is none."""
    return "" if value is None else value_in_words(value)


def folder_name(baseline: str, scenarios: list[str]) -> str:
    """``baseline-vs-scenario``, with paths and long lists cut down to what every file system takes."""

    def short(name: str) -> str:
        return "+".join(Path(part).stem if part.endswith(".toml") else part for part in name.split("+"))

    text = f"{short(baseline)}-vs-{'-'.join(short(name) for name in scenarios)}"
    safe = "".join(mark if mark.isalnum() or mark in "-_+." else "-" for mark in text)
    return safe[:100].strip(".-") or "comparison"


def replay_command(arguments: list[str]) -> str:
    """The command line that gives the same report again, to be pasted."""
    return for_shell(["cspsim", *arguments])
