"""Pictures of every tab for the README and the docs: docs/web-*.png. Starts a server of its own; needs Chromium.

python tools/take_screenshots.py [--folder docs]
"""

import argparse
import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
from browser import CHROMIUM, Site, chromium

COLOURS = 128  # a page has few colours: a palette makes a picture a fifth as large and nobody sees it
SEATS = ("Metropolitan Police", "Borough council")


class Camera:
    """Opens pages of one server and saves what they show."""

    def __init__(self, browser: Any, site: Site, folder: Path) -> None:
        self.browser, self.site, self.folder = browser, site, folder

    def visitor(self, path: str, width: int = 1280, dark: bool = False) -> Any:
        """A new visitor's page."""
        context = self.browser.new_context(
            viewport={"width": width, "height": 860},
            color_scheme="dark" if dark else "light",
            base_url=self.site.address,
            reduced_motion="reduce",
        )
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.goto(self.site.link(path))
        page.locator("main h1").first.wait_for()
        return page

    def take(self, page: Any, name: str, at: str = "") -> None:
        """Save what the window shows, from an element on if one is named."""
        page.mouse.move(0, 0)
        if at:
            page.locator(at).first.evaluate("(element) => window.scrollTo(0, element.getBoundingClientRect().top + window.scrollY - 16)")
        page.wait_for_timeout(700)
        picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB").quantize(COLOURS)
        file = self.folder / f"web-{name}.png"
        picture.save(file, optimize=True)
        print(f"{file}: {file.stat().st_size // 1024} KB")


def explore(camera: Camera) -> None:
    """A moved lever, its answer, and why."""
    asked = "/explore?scenario=deeper-cut&levers.rebalancing=1&why=1"
    page = camera.visitor(asked)
    page.get_by_text("All 200 runs are done").wait_for()
    page.locator("canvas").nth(7).wait_for()
    camera.take(page, "explore", ".csp-side")
    dark = camera.visitor(asked, dark=True)
    dark.get_by_role("row", name="Mainstream budgets").wait_for()
    camera.take(dark, "explore-why", "#explore-why")
    narrow = camera.visitor(asked, width=390)
    narrow.get_by_text("All 200 runs are done").wait_for()
    camera.take(narrow, "explore-narrow", "#explore-levers")


def watch(camera: Camera) -> None:
    """Two tables in a January meeting after the cuts."""
    page = camera.visitor("/watch?scenario=deeper-cut&baseline=baseline&month=2014-01")
    page.locator("svg text").first.wait_for()
    page.locator("canvas").nth(3).wait_for()
    camera.take(page, "watch", ".csp-watch__bar")


def play(camera: Camera) -> None:
    """A lobby, a card, the facilitator's side and a debrief."""
    facilitator = camera.visitor("/play")
    facilitator.get_by_label("First month").select_option(label="January 2012")
    facilitator.get_by_label("Quarters").select_option("2")
    facilitator.get_by_role("button", name="Open the room").click()
    code = facilitator.locator(".csp-code--large").inner_text()
    players = [camera.visitor(f"/play/{code}", width=width) for width in (390, 1280)]
    for page, name, seat in zip(players, ("Amira", "Ben"), SEATS, strict=True):
        page.get_by_label("Your name").fill(name)
        page.keyboard.press("Enter")
        page.get_by_role("button", name=f"Sit here as {seat}", exact=True).click()
        page.get_by_text("Your seat", exact=True).wait_for()
    facilitator.locator(".csp-seat", has_text="Ben").wait_for()
    camera.take(facilitator, "play-lobby")
    facilitator.get_by_role("button", name="Begin the game").click()
    players[1].get_by_role("heading", name="Your briefing").wait_for()
    camera.take(players[1], "play-card")
    camera.take(players[0], "play-card-narrow")
    while not facilitator.locator(".csp-stage", has_text="The game is over").count():
        for page in players:
            page.wait_for_timeout(700)
            if page.get_by_role("button", name="Hand in", exact=True).count():
                first = page.locator("input[type=checkbox]").first
                if first.count():
                    first.click()
                page.get_by_role("button", name="Hand in", exact=True).click()
                page.wait_for_timeout(700)
    facilitator.get_by_role("heading", name="Which decision mattered?").wait_for()
    camera.take(facilitator, "play-debrief", "h2:has-text('Debrief')")


def kit(camera: Camera) -> None:
    """The list of lessons."""
    camera.take(camera.visitor("/kit"), "kit")


TABS: dict[str, Callable[[Camera], None]] = {"explore": explore, "watch": watch, "play": play, "kit": kit}


def main() -> None:
    """All of them, or the tabs that are named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path(__file__).resolve().parents[1] / "docs")
    parser.add_argument("tabs", nargs="*", choices=[*TABS, []], default=[])
    asked = parser.parse_args()
    if CHROMIUM is None:
        raise SystemExit("no Chromium on this machine")
    site = Site.started("--rooms", "none")
    try:
        for tab in asked.tabs or TABS:
            TABS[tab](Camera(chromium(), site, asked.folder))
    finally:
        site.stop()


if __name__ == "__main__":
    main()
