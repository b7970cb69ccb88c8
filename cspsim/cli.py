"""The command line: every command, in the order of ``cspsim --help``.

Nothing heavy is imported here or at the top of ``commands``: each command imports what it needs when it runs, so that
``cspsim --help`` is instant.
"""

import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from cspsim.basics.errors import CspsimError
from cspsim.basics.outward import visible
from cspsim.commands import (
    analyse,
    calibrate,
    country,
    hypotheses,
    kit,
    optimise,
    places,
    results,
    rooms,
    runs,
    scenarios,
    sweep,
    verify,
    view,
)
from cspsim.commands.stopping import exit_code_of, heed_signals
from cspsim.commands.terminal import complain, old_words_in_plain_words, speak_plainly


class Commands(TyperGroup):
    """Expected failures end with one message on stderr and exit code 2, Ctrl-C with 130; never with a traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            with old_words_in_plain_words():
                return super().invoke(ctx)
        except CspsimError as error:
            complain(str(error))
            raise typer.Exit(error.exit_code) from None
        except KeyboardInterrupt as stop:
            complain("stopped; nothing was left half written")
            raise typer.Exit(exit_code_of(stop)) from None
        except TyperException as error:  # a word of the command line that was not understood, and is quoted
            if hasattr(error, "message"):
                error.message = visible(error.message)
            raise
        except OverflowError:
            complain("a number given is too large to calculate with")
            raise typer.Exit(2) from None
        except MemoryError:
            complain("there is not enough memory for this; nothing was left half written. Ask for fewer runs or --threads")
            raise typer.Exit(CspsimError.exit_code) from None
        except BrokenPipeError:  # the reader, such as head, has closed the pipe
            sys.stderr.close()
            raise typer.Exit(0) from None
        except OSError as error:  # file errors without a sentence of their own: a name that is too long, a locked folder
            complain(f"{error.filename or 'a file'}: {error.strerror or error}")
            raise typer.Exit(2) from None


app = typer.Typer(
    cls=Commands,
    name="cspsim",
    help="Simulate Community Safety Partnerships: what grants, workload, challenge and commissioning do to crime.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

COMMANDS: dict[str, Callable[..., None]] = {
    "list": scenarios.list_scenarios,
    "show": scenarios.show,
    "describe": scenarios.describe_command,
    "check": scenarios.check,
    "places": places.places,
    "new": scenarios.new,
    "run": runs.run,
    "explain": runs.explain,
    "compare": runs.compare_command,
    "sweep": sweep.sweep,
    "results": results.results,
    "verify": verify.verify,
    "analyse": analyse.analyse_command,
    "hypotheses": hypotheses.hypotheses,
    "calibrate": calibrate.calibrate_command,
    "optimise": optimise.optimise,
    "country": country.country,
    "kit": kit.kit,
    "view": view.view,
    "rooms": rooms.rooms,
}
for _name, _command in COMMANDS.items():
    app.command(_name)(_command)


def _version(wanted: bool) -> None:
    if wanted:
        from cspsim import __version__

        typer.echo(f"cspsim {__version__}")
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")] = False,
) -> None:
    pass


def main() -> None:
    """Entry point of the ``cspsim`` command."""
    speak_plainly()
    heed_signals()
    try:
        app()
    except KeyboardInterrupt as stop:  # while arguments were read or modules imported
        complain("stopped")
        sys.exit(exit_code_of(stop))


if __name__ == "__main__":
    main()
