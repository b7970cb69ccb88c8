"""How fast a game reaches everybody: players, watchers and a facilitator, each with a page of their own in one Chromium.

    python benchmarks/play.py [--players 12] [--watchers 20] [--quarters 4] [--pair]

Every step of every quarter is handed in by all players; each page notes when the line that tells the stage changes on the
screen. Told: milliseconds from the last player's click to the change, over all pages, and updates that a page never showed.
``--pair``: two players only, and from one's click to the mark "Handed in" on the other's screen. Server, browser and all
pages share this machine's cores, so real sessions, where everybody has a machine of their own, are faster.
"""

import argparse
import sys
import threading
import time
import urllib.request
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
from browser import Site, chromium

NOTES = """
(() => {
  window.seen = [];
  let last = "";
  const note = () => {
    const stage = document.querySelector(".csp-stage");
    const handed = document.querySelectorAll(".csp-seat__done").length;
    const now = (stage ? stage.innerText : "") + "|" + handed;
    if (now !== last) { last = now; window.seen.push([now.split("|")[0], handed, Date.now()]); }
  };
  new MutationObserver(note).observe(document, { childList: true, subtree: true, characterData: true });
})()
"""
CLICK = "(button) => { const now = Date.now(); button.click(); return now; }"


def page_of(site: Site, path: str) -> Any:
    """A new visitor's page that notes what it shows, and when."""
    context = chromium().new_context(base_url=site.address, viewport={"width": 800, "height": 600})
    context.set_default_timeout(120_000)
    context.add_init_script(NOTES)
    page = context.new_page()
    page.goto(site.link(path))
    page.locator("main h1").wait_for()
    return page


def come_in(page: Any, name: str, seat: int | None = None) -> None:
    """Join the room, and take a seat that is free or may be shared."""
    page.get_by_label("Your name").fill(name)
    page.keyboard.press("Enter")
    page.locator(".csp-seat").first.wait_for()
    if seat is not None:
        page.locator(".csp-seat").nth(seat).get_by_role("button").first.click()
        page.get_by_text("Your seat", exact=True).wait_for()


def session(site: Site, players: int, watchers: int, quarters: int) -> tuple[list[Any], list[Any], Any]:
    """A game that has begun: pages of players and of watchers, and the facilitator's."""
    facilitator = page_of(site, "/play")
    facilitator.get_by_label("Quarters").select_option(str(quarters))
    facilitator.locator("summary", has_text="More settings").click()
    facilitator.get_by_label("On each seat").select_option("3")
    facilitator.get_by_label("First month").select_option("2008-04")  # every meeting has something to table
    facilitator.get_by_role("button", name="Open the room").click()
    code = facilitator.locator(".csp-code--large").inner_text()
    seats = facilitator.locator(".csp-seat").count()
    playing = [page_of(site, f"/play/{code}") for _ in range(players)]
    for k, page in enumerate(playing):
        come_in(page, f"Player {k + 1}", k % seats)
    looking = [page_of(site, f"/play/{code}") for _ in range(watchers)]
    for k, page in enumerate(looking):
        come_in(page, f"Watcher {k + 1}")
    facilitator.get_by_role("button", name="Begin the game").click()
    for page in (*playing, *looking):
        page.get_by_text("step 1 of 2 has begun").wait_for()
    time.sleep(2)
    return playing, looking, facilitator


def play(playing: list[Any], everybody: list[Any], quarters: int, seats: int) -> tuple[list[float], int]:
    """Play to the end: milliseconds until each page showed each step, and how many updates were never shown."""
    latencies: list[float] = []
    missed = 0
    for quarter in range(quarters):
        for step in (1, 2):
            following = (quarter, 2) if step == 1 else (quarter + 1, 1)
            words = (
                "The game is over" if following[0] == quarters else f"Quarter {following[0] + 1} of {quarters}, step {following[1]} of 2"
            )
            clicked = 0.0
            for page in playing[:seats] if step == 1 else playing[-seats:]:  # one for each seat; the others share it and look on
                button = page.get_by_role("button", name="Hand in", exact=True)
                if button.count():
                    clicked = button.evaluate(CLICK)
                    time.sleep(0.5)
            ends = time.monotonic() + 30
            waiting = list(everybody)
            while waiting and time.monotonic() < ends:
                waiting = [page for page in waiting if not shown_at(page, words)]
                time.sleep(0.1)
            missed += len(waiting)
            latencies += [at - clicked for page in everybody if (at := shown_at(page, words))]
            time.sleep(1)
    return latencies, missed


def shown_at(page: Any, words: str) -> float:
    """When a page first showed this stage; 0 if it has not."""
    return float(
        page.evaluate("(words) => { const hit = window.seen.find((one) => one[0].startsWith(words)); return hit ? hit[2] : 0; }", words)
    )


def pair(site: Site, rounds: int = 12) -> list[float]:
    """From one player's click to the mark on the other's screen."""
    (one, other), _, _ = session(site, 2, 0, 1)
    found = []
    for _ in range(rounds):
        count = "window.seen[window.seen.length - 1][1]"
        before = other.evaluate(count)
        clicked = one.get_by_role("button", name="Hand in", exact=True).evaluate(CLICK)
        other.wait_for_function(f"{count} > {before}")
        found.append(float(other.evaluate("window.seen[window.seen.length - 1][2]")) - clicked)
        time.sleep(1)
        one.get_by_role("button", name="Take back and change").click()
        one.get_by_role("button", name="Hand in", exact=True).wait_for()
        time.sleep(1)
    return found


def answers(site: Site, stop: threading.Event, found: list[float]) -> None:
    """How long the server takes to answer somebody else, all the while."""
    while not stop.wait(0.1):
        begun = time.monotonic()
        urllib.request.urlopen(f"{site.address}/readyz", timeout=60).read()
        found.append((time.monotonic() - begun) * 1000)


def told(what: str, values: list[float]) -> str:
    """Median and largest in words."""
    return f"{what}: median {median(values):.0f} ms, largest {max(values):.0f} ms ({len(values)} seen)"


def main() -> None:
    """Play and tell."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--players", type=int, default=12)
    options.add_argument("--watchers", type=int, default=20)
    options.add_argument("--quarters", type=int, default=4)
    options.add_argument("--pair", action="store_true")
    asked = options.parse_args()
    site = Site.started()
    if asked.pair:
        print(told("one player's click to the other's screen", pair(site)))
        return
    playing, looking, facilitator = session(site, asked.players, asked.watchers, asked.quarters)
    others, stop = list[float](), threading.Event()
    asker = threading.Thread(target=answers, args=(site, stop, others), daemon=True)
    asker.start()
    latencies, missed = play(playing, [*playing, *looking, facilitator], asked.quarters, facilitator.locator(".csp-seat").count())
    facilitator.get_by_role("heading", name="Debrief").wait_for()
    ended = time.monotonic()
    facilitator.get_by_role("heading", name="Belief against truth").wait_for()
    print(f"the debrief was there after {time.monotonic() - ended:.1f} s")
    stop.set()
    asker.join()
    print(f"{asked.players} players, {asked.watchers} watchers, 1 facilitator; {missed} updates missed")
    print(told("the last click to each screen", latencies))
    print(told("the server's answer to others meanwhile", others))


if __name__ == "__main__":
    main()
