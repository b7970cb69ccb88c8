"""The look of every page in one place: ``theme.css``, and its colours by name for charts and diagrams.

Pages use classes and variables of ``theme.css`` only (its first lines list them); no page sets colours or sizes of
its own. Charts and SVG take the tokens below (``var(--csp-...)``): they follow light and dark by themselves, because
``chart.vue`` looks them up in the page and draws anew when the theme changes.
"""

import hashlib
from functools import lru_cache
from pathlib import Path

CSS_FILE = Path(__file__).resolve().parent / "theme.css"

INK, SOFT, LINE = "var(--csp-ink)", "var(--csp-soft)", "var(--csp-line)"
SURFACE, WASH = "var(--csp-surface)", "var(--csp-wash)"
BASELINE = "var(--csp-baseline)"
"""The baseline: black in light, white in dark, always dashed."""
SCENARIO = "var(--csp-scenario)"
"""The scenario somebody asks about: blue, always solid."""
SERIES = tuple(f"var(--csp-series-{k})" for k in range(1, 7))
"""Okabe and Ito's colours for several lines: blue, vermilion, green, purple, orange, sky. Never without a dash and a direct label."""
DASHES: tuple[str | list[int], ...] = ("solid", [8, 3], [2, 2], [10, 3, 2, 3], [4, 2, 1, 2], [14, 4])
BASELINE_DASH = [6, 4]
GOOD, BAD, UNSURE = "var(--csp-good)", "var(--csp-bad)", "var(--csp-soft)"


@lru_cache(maxsize=1)
def css() -> str:
    """The style sheet."""
    return CSS_FILE.read_text(encoding="utf-8")


@lru_cache(maxsize=1)
def css_version() -> str:
    """A short hash of the style sheet: its address changes when it does, so that browsers may keep it."""
    return hashlib.sha256(css().encode()).hexdigest()[:12]
