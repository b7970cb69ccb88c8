"""Reports as pages: a template of the package filled with what came out."""

from collections.abc import Callable, Mapping
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from cspsim.basics.outward import visible


def rendered(template: str, content: Mapping[str, Any], filters: Mapping[str, Callable[..., Any]] = MappingProxyType({})) -> str:
    """A page that escapes all it is given, in which no control character is left to turn text round or break the page."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True)
    environment.filters.update(filters)
    text = files("cspsim").joinpath(f"reports/templates/{template}.html").read_text(encoding="utf-8")
    return visible(environment.from_string(text).render(**content))
