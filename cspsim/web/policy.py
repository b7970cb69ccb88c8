"""The content security policy: what a page may load and run, so that text that got into it can do nothing.

Solara's page has scripts in it. Each of those that belong there is named by its hash, taken from a page that no visitor had a part in:
a script that is not one of them, or not quite, does not run. What cannot be done without is said in ``docs/web-view.md``.
"""

import base64
import hashlib
from collections.abc import Iterable
from html.parser import HTMLParser

RUNS = frozenset({"", "text/javascript", "application/javascript", "module"})
"""Types of scripts that a browser runs; others are data, such as Vue's templates."""


def policy(scripts: Iterable[str] = ()) -> str:
    """The policy of an answer; ``scripts``: the text of each script that may stand in it."""
    hashes = "".join(f" '{hash_of(script)}'" for script in scripts)
    return "; ".join(
        (
            "default-src 'self'",
            f"script-src 'self' 'unsafe-eval'{hashes}",  # Vue 2 compiles its templates in the browser
            "script-src-attr 'none'",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


def hash_of(script: str) -> str:
    """A script's name in a policy."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def scripts_in(page: str) -> list[str]:
    """The text of every script that stands in a page and would run."""
    reader = _Scripts()
    reader.feed(page)
    reader.close()
    return reader.found


class _Scripts(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "script" and "src" not in given and (given.get("type") or "") in RUNS:
            self._inside = True
            self.found.append("")

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.found[-1] += data

    def handle_endtag(self, tag: str) -> None:
        self._inside = False
