"""Templates of our own, and what a browser may send them: every event is declared with the type of its argument.

    @template("vue/field.vue")
    def _Field(label: str, value: str, event_change: Callable[[Line], None]) -> None: ...

``messages`` lets an event pass only where the template declares it here, and only with an argument of that type. A widget that
comes about in any other way (``solara.component_vue``, a library's own widget) declares nothing, so nothing reaches it.
"""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, get_args, get_type_hints

import solara
from pydantic import Field, TypeAdapter, ValidationError
from typing_extensions import TypedDict

Word = Annotated[str, Field(max_length=100)]
"""A key: of an authority, a project, a reason."""
Line = Annotated[str, Field(max_length=2_000)]
"""What somebody typed."""


class Heard(TypedDict):
    """Where the clock of Watch stands, and what the log shows."""

    month: int
    authority: Word
    kind: Word


class Joining(TypedDict):
    """Who wants to come into which room."""

    code: Word
    name: Line


class Position(TypedDict):
    """The quarter and step that stood on the page when somebody pressed."""

    quarter: int
    step: int


class Choices(TypedDict, total=False):
    """A decision card as a player filled it in. Hours: None for what the computer suggests."""

    table: Annotated[list[Word], Field(max_length=200)]
    challenge: Annotated[dict[Word, Line | None], Field(max_length=200)]
    evaluate: Annotated[list[Word], Field(max_length=200)]
    hours: float | None


class HandedIn(Position):
    """A card and the step it belongs to."""

    choices: Choices


_declared: dict[Any, dict[str, TypeAdapter[Any]]] = {}
"""By what makes a template unique among widgets (the file that declares it, and its own): event, and the type of its argument."""


def template(path: str) -> Callable[[Callable[..., None]], Callable[..., Any]]:
    """``solara.component_vue``, with a register of the events: every argument ``event_NAME: Callable[[TYPE], None]`` is one."""

    def declare(function: Callable[..., None]) -> Callable[..., Any]:
        found = {
            name.removeprefix("event_"): TypeAdapter(get_args(hint)[0][0])
            for name, hint in get_type_hints(function, include_extras=True).items()
            if name.startswith("event_")
        }
        _declared[str(Path(inspect.getfile(function)).absolute()), path] = found
        made: Callable[..., Any] = solara.component_vue(path)(function)
        return made

    return declare


def argument(widget: Any, event: Any, data: Any) -> Any:
    """The argument of an event as its template declares it, without anything beside. Raises LookupError or ValueError."""
    place = getattr(type(widget), "template_file", None)
    declared = _declared.get(place) if isinstance(place, tuple) else None
    if declared is None or not isinstance(event, str) or event not in declared:
        raise LookupError("no such event")
    try:
        return declared[event].validate_python(data, strict=True)
    except ValidationError:
        raise ValueError("not of the declared type") from None
