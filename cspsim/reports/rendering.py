"""Reports as pages: one base page with one style sheet, filled in one way."""

import base64
import os
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cspsim.basics.outward import visible
from cspsim.reports.summary import DISCLAIMER

if TYPE_CHECKING:
    from cspsim.reports.charts import ReportChart

TEMPLATES = Path(__file__).resolve().parent / "templates"


def render(template: str, **content: Any) -> str:
    """A page that loads nothing from anywhere, from a file in ``templates``.

    Whatever ``content`` holds is escaped, and no control character is left to turn text round or break the page.
    Disclaimer and date stand on every page. Raises jinja2.UndefinedError where the template uses a name that was not given.
    """
    return visible(_templates().get_template(template).render(disclaimer=DISCLAIMER, date=date_stamp(), **content))


@lru_cache(maxsize=1)
def _templates() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    found = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    found.filters["picture"] = picture
    return found


def picture(chart: "ReportChart") -> str:
    """A figure as a data address, so that its page needs no other file."""
    return "data:image/svg+xml;base64," + base64.b64encode(chart.svg.encode("utf-8")).decode("ascii")


def date_stamp() -> str:
    """The date that SOURCE_DATE_EPOCH gives, else nothing: the same run makes the same page on any day."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    return datetime.fromtimestamp(int(epoch), UTC).strftime("%d %B %Y").lstrip("0") if epoch.isdecimal() else ""
