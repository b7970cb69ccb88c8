"""How fast the web view answers and what it keeps: first content, lever to chart, months a second, memory after many visits.

python benchmarks/web.py [--visits 100]

Needs Chromium. Starts a server of its own on a free port; every figure is taken in a real browser on the same machine, which
shares its processors with the server.
"""

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
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


class Server:
    """``cspsim view`` on a free port with rooms of its own."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-m", "cspsim.cli", "view", "--no-open", "--port", "0", "--rooms", str(folder / "rooms.sqlite")]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert self.process.stdout is not None
        for line in self.process.stdout:
            found = re.search(r"ready at (http://\S+)/ ", line)
            if found:
                self.address = found[1]
                return
        raise SystemExit("the server did not start")

    def memory(self) -> float:
        """Megabytes in use."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def stop(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.wait()


def first_content(browser: Any, server: Server) -> None:
    """A new visitor with an empty cache, tab by tab."""
    for tab in ("explore", "watch", "play", "kit"):
        found = []
        for _ in range(3):
            page = browser.new_context(base_url=server.address).new_page()
            begun = time.monotonic()
            page.goto(f"/{tab}")
            page.locator("main h1").first.wait_for()
            found.append(time.monotonic() - begun)
            page.context.close()
        print(f"first content, {tab}: median {statistics.median(found):.2f} s, longest {max(found):.2f} s")


def lever_to_chart(browser: Any, server: Server) -> None:
    """From a settled lever to the first chart drawn anew, and to all charts with all 200 runs and 32 assumption sets."""
    page = browser.new_context(base_url=server.address, viewport={"width": 1280, "height": 900}).new_page()
    page.goto("/explore?scenario=deeper-cut")
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


def while_running(browser: Any, server: Server) -> None:
    """From a click to the change that the server answers with, at rest and while 1,000 runs of each arm are made and drawn."""
    page = browser.new_context(base_url=server.address).new_page()
    for name, asked in (("at rest", "runs=200"), ("while 1,000 runs of each are made", "runs=1000")):
        page.goto(f"/explore?scenario=no-cuts&seed=5&{asked}")
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


def months_a_second(browser: Any, server: Server) -> None:
    """How many months Watch gets through with all its charts when ten a second are asked for, with one scenario and with two."""
    for name, asked in (("one scenario", "scenario=baseline"), ("two scenarios", "scenario=deeper-cut&baseline=baseline")):
        page = browser.new_context(base_url=server.address, viewport={"width": 1280, "height": 900}).new_page()
        page.goto(f"/watch?{asked}")
        page.locator("canvas").nth(3).wait_for()
        page.get_by_label("Speed").select_option("10")
        page.get_by_role("button", name="Play").click()
        page.wait_for_timeout(1000)
        begun, first = time.monotonic(), int(page.locator(".csp-watch").get_attribute("data-month"))
        page.wait_for_timeout(6000)
        months = int(page.locator(".csp-watch").get_attribute("data-month")) - first
        print(f"Watch, {name}: {months / (time.monotonic() - begun):.1f} months a second of 10 asked for")
        page.context.close()


def memory_after(browser: Any, server: Server, visits: int) -> None:
    """Memory before and after visitors have come, looked at every tab, moved a lever and gone."""

    def visit(k: int) -> None:
        page = browser.new_context(base_url=server.address).new_page()
        page.goto(f"/explore?scenario=deeper-cut&levers.grant={0.5 + 0.001 * (k % 50):.3f}&runs=40")
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
    before = server.memory()
    for k in range(visits):
        visit(k)
    time.sleep(15)
    urllib.request.urlopen(f"{server.address}/readyz").read()
    after = server.memory()
    print(f"memory: {before:.0f} MB after 5 visits, {after:.0f} MB after {visits} more have come and gone: {after - before:+.0f} MB")


def main() -> None:
    """Everything in one run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--visits", type=int, default=100)
    parser.add_argument("--only", choices=PARTS, action="append")
    asked = parser.parse_args()
    if CHROMIUM is None:
        raise SystemExit("no Chromium on this machine")
    from playwright.sync_api import sync_playwright

    wanted = asked.only or PARTS
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        server = Server(Path(folder))
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"])
        try:
            if "first" in wanted:
                first_content(browser, server)
            if "lever" in wanted:
                lever_to_chart(browser, server)
            if "running" in wanted:
                while_running(browser, server)
            if "watch" in wanted:
                months_a_second(browser, server)
            if "memory" in wanted:
                memory_after(browser, server, asked.visits)
        finally:
            browser.close()
            server.stop()


if __name__ == "__main__":
    main()
