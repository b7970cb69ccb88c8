"""How fast the web view answers and what it keeps: first content, lever to chart, months a second, memory after many visits.

python benchmarks/web.py [--visits 100]

Needs Chromium. Starts a server of its own on a free port; every figure is taken in a real browser on the same machine, which
shares its processors with the server.
"""

import argparse
import os
import statistics
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
from browser import CHROMIUM, Site, chromium

MOVES = 15
PARTS = ("first", "lever", "running", "watch", "memory")
REPORT = """() => {
  window.drawn = [];
  for (const figure of document.querySelectorAll('.csp-chart')) {
    const chart = figure.__vue__.chart, draw = chart.setOption.bind(chart);
    chart.setOption = function () { draw(...arguments); window.drawn.push(performance.now()); };
  }
}"""
PULL = """(value) => {
  const label = [...document.querySelectorAll('label')].find((one) => one.innerText === 'Grant');
  const field = document.getElementById(label.htmlFor);
  window.drawn = []; field.value = value; window.pulled = performance.now(); field.dispatchEvent(new Event('change'));
}"""

PRESSES = 20
PRESS = """() => new Promise((told) => {
  const button = [...document.querySelectorAll('.csp-header button')].find((one) => one.innerText.startsWith('Notes'));
  const before = button.getAttribute('aria-pressed'), begun = performance.now();
  const watcher = new MutationObserver(() => {
    if (button.getAttribute('aria-pressed') !== before) { watcher.disconnect(); told(performance.now() - begun); }
  });
  watcher.observe(button, { attributes: true });
  button.click();
})"""


def memory_of(site: Site) -> float:
    """Megabytes that the server has in use."""
    pages = int(Path(f"/proc/{site.process.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def first_content(browser: Any, site: Site) -> None:
    """A new visitor with an empty cache, tab by tab."""
    for tab in ("explore", "watch", "play", "kit"):
        found = []
        for _ in range(3):
            page = browser.new_context(base_url=site.address).new_page()
            begun = time.monotonic()
            page.goto(site.link(f"/{tab}"))
            page.locator("main h1").first.wait_for()
            found.append(time.monotonic() - begun)
            page.context.close()
        print(f"first content, {tab}: median {statistics.median(found):.2f} s, longest {max(found):.2f} s")


def lever_to_chart(browser: Any, site: Site) -> None:
    """From a settled lever to the first chart drawn anew, and to all charts with all 200 runs and 32 assumption sets."""
    page = browser.new_context(base_url=site.address, viewport={"width": 1280, "height": 900}).new_page()
    page.goto(site.link("/explore?scenario=deeper-cut"))
    page.get_by_text("All 200 runs are done").wait_for()
    page.locator("canvas").nth(7).wait_for()
    page.evaluate(REPORT)
    firsts, lasts = [], []
    for k in range(MOVES):
        page.evaluate(PULL, round(0.3 + 0.1 * k, 2))
        page.wait_for_timeout(100)
        page.get_by_text("All 200 runs are done").wait_for()
        page.wait_for_timeout(2000)
        pulled, drawn = page.evaluate("[window.pulled, window.drawn]")
        firsts.append(min(drawn) - pulled)
        lasts.append(max(drawn) - pulled)
    print(f"lever to first redrawn chart (200 runs asked for): median {statistics.median(firsts):.0f} ms, longest {max(firsts):.0f} ms")
    print(f"lever to the last redrawing (200 runs of each, 32 assumption sets): median {statistics.median(lasts):.0f} ms")
    page.context.close()


def while_running(browser: Any, site: Site) -> None:
    """From a click to the change that the server answers with, at rest and while 1,000 runs of each arm are made and drawn."""
    page = browser.new_context(base_url=site.address).new_page()
    for name, asked in (("at rest", "runs=200"), ("while 1,000 runs of each are made", "runs=1000")):
        page.goto(site.link(f"/explore?scenario=no-cuts&seed=5&{asked}"))
        page.locator(".csp-verdict__headline", has_text="lower").wait_for()
        if name == "at rest":
            page.get_by_text("All 200 runs are done").wait_for()
            page.wait_for_timeout(2000)
        waits = []
        for _ in range(PRESSES):
            waits.append(page.evaluate(PRESS))
            page.wait_for_timeout(50)
        waits.sort()
        done = page.locator(".csp-explore__going").inner_text().splitlines()[0]
        print(f"a click is answered {name}: median {statistics.median(waits):.0f} ms, nine of ten {waits[9 * PRESSES // 10 - 1]:.0f} ms, "
              f"longest {waits[-1]:.0f} ms (at {done})")  # fmt: skip
    page.context.close()


def months_a_second(browser: Any, site: Site) -> None:
    """How many months Watch gets through with all its charts when ten a second are asked for, with one scenario and with two."""
    for name, asked in (("one scenario", "scenario=baseline"), ("two scenarios", "scenario=deeper-cut&baseline=baseline")):
        page = browser.new_context(base_url=site.address, viewport={"width": 1280, "height": 900}).new_page()
        page.goto(site.link(f"/watch?{asked}"))
        page.locator("canvas").nth(3).wait_for()
        page.get_by_label("Speed").select_option("10")
        page.get_by_role("button", name="Play").click()
        page.wait_for_timeout(1000)
        begun, first = time.monotonic(), int(page.locator(".csp-watch").get_attribute("data-month"))
        page.wait_for_timeout(6000)
        months = int(page.locator(".csp-watch").get_attribute("data-month")) - first
        print(f"Watch, {name}: {months / (time.monotonic() - begun):.1f} months a second of 10 asked for")
        page.context.close()


def memory_after(browser: Any, site: Site, visits: int) -> None:
    """Memory before and after visitors have come, looked at every tab, moved a lever and gone."""

    def visit(k: int) -> None:
        page = browser.new_context(base_url=site.address).new_page()
        page.goto(site.link(f"/explore?scenario=deeper-cut&levers.grant={0.5 + 0.001 * (k % 50):.3f}&runs=40"))
        page.get_by_text("All 40 runs are done").wait_for()
        for tab in ("Watch", "Play", "Kit"):
            page.get_by_role("link", name=tab, exact=True).click()
            page.locator(f"nav a[aria-current=page]:has-text('{tab}')").wait_for()
            page.locator("main h1").first.wait_for()
        page.close(run_before_unload=True)
        page.context.close()

    for k in range(5):
        visit(k)
    time.sleep(5)
    before = memory_of(site)
    for k in range(visits):
        visit(k)
    time.sleep(15)
    urllib.request.urlopen(f"{site.address}/readyz").read()
    after = memory_of(site)
    print(f"memory: {before:.0f} MB after 5 visits, {after:.0f} MB after {visits} more have come and gone: {after - before:+.0f} MB")


def main() -> None:
    """Everything in one run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--visits", type=int, default=100)
    parser.add_argument("--only", choices=PARTS, action="append")
    asked = parser.parse_args()
    if CHROMIUM is None:
        raise SystemExit("no Chromium on this machine")
    site = Site.started("--rooms", "none")
    browser = chromium()
    try:
        for part in asked.only or PARTS:
            if part == "memory":
                memory_after(browser, site, asked.visits)
            else:
                {"first": first_content, "lever": lever_to_chart, "running": while_running, "watch": months_a_second}[part](browser, site)
    finally:
        browser.close()
        site.stop()


if __name__ == "__main__":
    main()
