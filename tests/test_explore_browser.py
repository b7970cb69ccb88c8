"""Explore in a real browser: levers, answers that stream in, stop, undo, links, why, other assumptions, files, and for everybody."""

import csv
import json
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from browser import Visit, needs_browser, no_barriers, no_sideways_scroll, press_until_focused

pytestmark = needs_browser

FEW = "runs=16"
DONE = re.compile(r"All [\d,]+ runs are done")


def answered(page: Any) -> Any:
    page.get_by_text(DONE).wait_for()
    return page


def headline(page: Any) -> str:
    return str(page.locator(".csp-verdict__headline").inner_text())


def lever(page: Any, title: str) -> Any:
    return page.get_by_role("spinbutton", name=title, exact=True)


def move(page: Any, title: str, value: str) -> None:
    before = headline(page)
    lever(page, title).fill(value)
    lever(page, title).press("Enter")
    page.wait_for_function("(before) => document.querySelector('.csp-verdict__headline').innerText !== before", arg=before)


def taken(page: Any, label: str) -> str:
    """A file of the page's export menu."""
    if not page.get_by_role("button", name=label).is_visible():
        page.locator("summary", has_text="Export").last.click()
    with page.expect_download() as waiting:
        page.get_by_role("button", name=label).click()
    return Path(waiting.value.path()).read_text()


def test_the_page_says_what_the_command_line_says(visit: Visit, tmp_path: Path) -> None:
    page = answered(visit(f"/explore?scenario=deeper-cut&{FEW}&seed=3"))
    move(page, "Grant", "0.3")
    answered(page)
    command = page.locator(".csp-mono").inner_text()
    assert "levers.grant.path={ 2011-04 = 0.3 }" in command
    assert "levers.grant=0.3" in page.url
    said = subprocess.run(
        [sys.executable, "-m", "cspsim.cli", *shlex.split(command)[1:], "--json", "--no-report"],
        capture_output=True, text=True, check=True, cwd=tmp_path,
    )  # fmt: skip
    theirs = {row["outcome"]: row for row in json.loads(said.stdout)["table"]}
    ours = {row["outcome"]: row for row in csv.DictReader(taken(page, "Outcomes (CSV)").splitlines())}
    assert set(ours) == set(theirs)
    for outcome, row in theirs.items():
        for name in ("baseline", "value", "difference", "ci_low", "ci_high", "assumptions_low", "assumptions_median", "assumptions_high"):
            assert float(ours[outcome][name]) == row[name] or row[name] is None, (outcome, name)
        assert ours[outcome]["verdict"] == row["verdict"]
    millions = float(re.findall(r"£([\d.]+)m", headline(page))[0])
    assert abs(millions - theirs["cost_of_crime"]["difference"] / 1e6) < 0.5


def test_results_stream_in_can_be_stopped_and_go_on_and_the_page_answers_meanwhile(visit: Visit) -> None:
    page = visit("/explore?scenario=no-cuts&runs=1000&seed=11")
    page.get_by_text(re.compile(r"\d+ of 1,000 runs")).wait_for()
    page.locator(".csp-verdict__headline", has_text="lower").wait_for()
    waits = []
    for _ in range(6):
        begun = time.monotonic()
        page.get_by_role("button", name="Notes").click()
        page.get_by_role("complementary", name="Facilitator's notes").wait_for()
        page.get_by_role("button", name="Notes").first.click()
        page.get_by_role("complementary").wait_for(state="detached")
        waits.append((time.monotonic() - begun) / 2)
    print(f"while runs are made the page answers after {sorted(waits)[3] * 1000:.0f} ms (median, with the browser's own time)")
    page.get_by_role("button", name="Stop").click()
    page.get_by_role("button", name="Go on").wait_for()
    stood = page.get_by_text(re.compile(r"\d+ of 1,000 runs")).inner_text()
    page.wait_for_timeout(400)
    assert page.get_by_text(re.compile(r"\d+ of 1,000 runs")).inner_text() == stood
    page.get_by_role("button", name="Go on").click()
    page.wait_for_function("(stood) => !document.body.innerText.includes(stood)", arg=stood)
    lever(page, "Grant").fill("0.5")
    lever(page, "Grant").press("Enter")
    page.wait_for_url("**levers.grant=0.5**")  # the runs of the question before are dropped
    page.get_by_text(re.compile(r"\d+ of 1,000 runs")).wait_for()
    assert max(waits) < 5


def test_undo_redo_reset_and_the_link_restore_what_was_asked(visit: Visit) -> None:
    page = answered(visit(f"/explore?scenario=deeper-cut&{FEW}"))
    first = headline(page)
    move(page, "Mainstream budgets", "0.5")
    second = headline(answered(page))
    page.get_by_role("button", name="Undo").click()
    page.locator(".csp-verdict__headline", has_text=first).wait_for()
    assert lever(page, "Mainstream budgets").input_value() == "0.9"
    page.get_by_role("button", name="Redo").click()
    page.locator(".csp-verdict__headline", has_text=second).wait_for()
    link = page.url
    page.get_by_role("link", name="Kit").click()
    page.get_by_role("heading", name="Facilitator's kit").wait_for()
    page.get_by_role("link", name="Explore", exact=True).click()
    page.locator(".csp-verdict__headline", has_text=second).wait_for()
    page.get_by_role("button", name="Reset all levers and assumptions").click()
    page.locator(".csp-verdict__headline", has_text=first).wait_for()
    other = answered(visit(link.split("127.0.0.1")[1][link.split("127.0.0.1")[1].index("/") :]))
    assert headline(other) == second
    assert lever(other, "Mainstream budgets").input_value() == "0.5"


def test_why_and_the_other_world_are_worked_out(visit: Visit) -> None:
    page = answered(visit(f"/explore?scenario=deeper-cut&{FEW}"))
    page.get_by_role("button", name="Work it out").click()
    page.get_by_role("row", name="Mainstream budgets").wait_for()
    assert page.get_by_role("row", name="Grant").count() >= 1
    page.get_by_label("Change an assumption").select_option("initial_trust")
    worlds = page.get_by_role("region", name="The policy in two worlds")
    worlds.wait_for()
    assert worlds.get_by_role("row").count() == 4
    assert page.get_by_label("Answer under the changed assumptions").is_checked()
    assert "uncertainties.initial_trust" in page.locator(".csp-mono").inner_text()
    page.get_by_label("Answer under the changed assumptions").uncheck()
    page.wait_for_function("!document.querySelector('.csp-mono').innerText.includes('initial_trust')")
    worlds.wait_for()
    no_barriers(page)


def test_what_cannot_be_asked_is_said_and_never_breaks_the_page(visit: Visit) -> None:
    page = visit(f"/explore?scenario=two-tier-county&baseline=baseline&levers.grant=99&{FEW}")
    page.get_by_role("alert").get_by_text("cannot be compared with “As it happened”").wait_for()
    assert page.get_by_text("99 is not a number from 0 to 3").is_visible()
    page.get_by_label("Compared with").select_option("two-tier-county")
    answered(page)
    page.locator(".csp-explore__short").wait_for(state="attached")
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("alert").get_by_text("cannot be compared").wait_for()
    assert page.locator(".csp-explore__short").count() == 0  # no old answer stands beside a question without one
    page.get_by_role("button", name="Redo").click()
    answered(page)
    assert "no difference at all" in headline(page)
    hostile = answered(visit(f"/explore?scenario=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E&{FEW}"))
    assert hostile.locator("main img").count() == 0


def test_files_can_be_taken_away(visit: Visit) -> None:
    page = answered(visit(f"/explore?scenario=deeper-cut&levers.rebalancing=1&{FEW}"))
    saved = {label: taken(page, label) for label in ("Scenario file", "Outcomes (CSV)", "Runs (CSV)", "Question (JSON)")}
    assert 'extends = "deeper-cut"' in saved["Scenario file"]
    assert saved["Outcomes (CSV)"].splitlines()[0].startswith("outcome,baseline,value,difference,ci_low")
    assert len(saved["Runs (CSV)"].splitlines()) == 1 + 2 * 16 * 3
    assert json.loads(saved["Question (JSON)"])["levers.rebalancing"] == "1"


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (390, True)])
def test_everybody_can_read_and_use_it(visit: Visit, width: int, dark: bool) -> None:
    page = answered(visit(f"/explore?scenario=deeper-cut&{FEW}&why=1&uncertainties.harmony=1", width=width, dark=dark, calm=True))
    page.get_by_role("row", name="Mainstream budgets").wait_for()
    page.locator("canvas").nth(7).wait_for()
    for group in ("Commissioning", "Measurement"):
        page.locator("summary", has_text=group).click()
    no_barriers(page)
    no_sideways_scroll(page)


def test_a_lever_is_moved_by_keyboard_alone(visit: Visit) -> None:
    page = answered(visit(f"/explore?{FEW}", width=640))  # 1280 pixels at 200 %
    no_sideways_scroll(page)
    page.locator(".csp-explore__short a", has_text="Identical").click()  # where levers and answer are not beside each other
    assert page.locator(".csp-verdict").evaluate("(e) => e.getBoundingClientRect().top < innerHeight")
    page.locator("main").focus()
    press_until_focused(page, "Grant, slider")
    page.keyboard.press("ArrowLeft")
    page.wait_for_url("**levers.grant=0.95**")
    page.locator(".csp-verdict__headline", has_text="than under").wait_for()
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Grant, slider"
