"""Watch in a real browser: play, rewind, find an event, predict first, share, take away; for everybody."""

import re
import time
from pathlib import Path
from typing import Any

from browser import Site, Visit, needs_browser, no_barriers, no_sideways_scroll, press_until_focused, site
from watch_support import write_hostile_world

pytestmark = needs_browser

PAIR = "/watch?scenario=independent-challenge&baseline=baseline"


def opened(visit: Visit, path: str, **how: Any) -> Any:
    """A visitor's page, waited for until the table and the charts are there."""
    page = visit(path, **how)
    page.locator(".csp-watch svg").first.wait_for(state="attached")
    page.locator("canvas").nth(3).wait_for()
    return page


def month(page: Any) -> int:
    return int(page.locator(".csp-watch").get_attribute("data-month"))


def at(page: Any, number: int) -> None:
    page.locator(f".csp-watch[data-month='{number}']").wait_for()


def lines(page: Any) -> list[int]:
    """How many months each line of the first chart has, once somebody looks at it: out of sight it is not drawn."""
    page.locator(".csp-watch__charts .csp-chart__picture").first.scroll_into_view_if_needed()
    page.wait_for_timeout(250)
    return page.evaluate(
        """async () => {
          const told = await new Promise((done) => requirejs([window.solara.cdn + "/echarts@5.4.0/dist/echarts.min.js"], done));
          const chart = told.getInstanceByDom(document.querySelector(".csp-watch__charts .csp-chart__picture"));
          return chart.getOption().series.map((line) => line.data.length);
        }"""
    )


def slide(page: Any, number: int) -> None:
    page.get_by_role("slider", name="Month").fill(str(number))
    at(page, number)


def test_it_plays_pauses_steps_and_rewinds_and_hides_what_comes(visit: Visit) -> None:
    page = opened(visit, "/watch")
    assert month(page) == 0
    assert page.locator(".csp-watch").get_attribute("data-playing") == "no"  # nothing starts by itself
    assert set(lines(page)) == {1}
    page.get_by_label("Speed").select_option("10")
    page.get_by_role("button", name="Play", exact=False).click()
    page.wait_for_function("document.querySelector('.csp-watch').dataset.month >= 8")
    page.get_by_role("button", name="Pause").click()
    stopped = month(page)
    page.wait_for_timeout(400)
    assert month(page) == stopped
    assert set(lines(page)) == {stopped + 1}
    page.get_by_role("button", name="One month back").click()
    at(page, stopped - 1)
    page.get_by_role("button", name="One month on").click()
    at(page, stopped)
    slide(page, 50)
    seen = page.locator(".csp-watch__wide").inner_html()
    slide(page, 3)
    assert page.locator(".csp-watch__wide").inner_html() != seen
    assert set(lines(page)) == {4}
    slide(page, 50)
    assert page.locator(".csp-watch__wide").inner_html() == seen  # rewinding is repeatable
    page.wait_for_url("**month=2012-06**")
    slide(page, 119)
    assert page.get_by_role("button", name="One month on").is_disabled()
    page.get_by_role("button", name="Play").click()  # at the end: from the beginning
    page.wait_for_function("document.querySelector('.csp-watch').dataset.month < 20")


def test_ten_months_a_second_with_one_scenario_and_with_two(visit: Visit) -> None:
    for path in ("/watch", PAIR):
        page = opened(visit, path)
        page.get_by_label("Speed").select_option("10")
        begun = time.monotonic()
        page.get_by_role("button", name="Play").click()
        page.wait_for_function("document.querySelector('.csp-watch').dataset.month >= 25")
        rate = month(page) / (time.monotonic() - begun)
        print(f"{path}: {rate:.1f} months a second")
        assert rate > 3  # generous: the machine may be busy
        page.close()


def test_the_log_is_filtered_and_leads_from_event_to_event(visit: Visit) -> None:
    page = opened(visit, "/watch")
    log = page.get_by_role("region", name="Log: As it happened")
    page.get_by_label("Log: what").select_option("evaluated")
    page.get_by_role("button", name="Next event").click()
    page.wait_for_function("document.querySelector('.csp-watch').dataset.month > 0")
    first = month(page)
    told = log.get_by_role("listitem").all_inner_texts()
    assert told
    assert all(text.startswith("Evaluated") for text in told)
    page.get_by_role("button", name="Next event").click()
    page.wait_for_function(f"document.querySelector('.csp-watch').dataset.month > {first}")
    page.get_by_role("button", name="Previous event").click()
    at(page, first)
    page.get_by_label("Log: what").select_option("unspoken")  # the lesson's step: a doubt that was not spoken, January 2012
    slide(page, 45)
    assert page.get_by_role("group", name="Time").get_by_text("January 2012").is_visible()
    assert "Doubt not spoken" in log.inner_text()
    page.get_by_label("Log: who").select_option("health")
    assert all("Health" in text for text in log.get_by_role("listitem").all_inner_texts())
    page.wait_for_url("**authority=health&kind=unspoken**")


def test_two_scenarios_share_their_luck_and_a_link_brings_everything_back(visit: Visit) -> None:
    page = opened(visit, PAIR)
    tables = page.get_by_role("region", name=re.compile("^Table: "))
    assert tables.count() == 2
    left, right = (tables.nth(k).bounding_box() for k in range(2))
    assert left["y"] == right["y"]
    slide(page, 12)  # before the chair comes in April 2011 both are the same run
    pictures = page.locator(".csp-watch__wide")
    assert pictures.nth(0).inner_html() == pictures.nth(1).inner_html()
    slide(page, 60)
    assert pictures.nth(0).inner_html() != pictures.nth(1).inner_html()
    page.locator("summary", has_text="Which run").click()  # folded away: the link has chosen
    page.get_by_label("Partnership").select_option("sutton")
    page.wait_for_url("**partnership=sutton**")
    page.get_by_label("Run", exact=True).fill("7")
    page.get_by_label("Run", exact=True).press("Enter")
    page.wait_for_url("**replicate=7**")
    page.get_by_text("--replicate 7").first.wait_for()
    at(page, 60)
    page.get_by_label("Log: what").select_option("challenged")
    page.wait_for_url("**kind=challenged**")
    link = page.url.removeprefix(site().address)
    other = opened(visit, link)
    at(other, 60)
    assert other.get_by_label("Log: what").input_value() == "challenged"
    for place in (".csp-watch__wide", ".csp-watch__logs"):
        assert other.locator(place).first.inner_html() == page.locator(place).first.inner_html()
    assert other.get_by_text("cspsim explain independent-challenge --seed 1 --replicate 7 --partnership sutton").is_visible()


def test_predict_first_holds_the_run_until_the_class_has_committed(visit: Visit) -> None:
    page = opened(visit, f"{PAIR}&month=2016-01")
    page.get_by_role("button", name="Predict first").click()
    page.get_by_label("What is to be predicted").select_option("challenged_share")
    page.get_by_role("button", name="Hold the run and ask").click()
    at(page, 35)
    slider = page.get_by_role("slider", name="Month")
    assert slider.get_attribute("max") == "35"
    page.wait_for_url("**question=challenged_share**")
    assert page.get_by_role("button", name="Commit").is_disabled()
    shown = page.locator("main").inner_text()
    assert "In this run" not in shown
    page.locator("summary", has_text="Export").first.click()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="B: Months, CSV").click()
    assert Path(waiting.value.path()).read_text().splitlines()[-1].startswith("2011-03,area,")
    page.keyboard.press("Escape")
    assert not page.get_by_role("button", name="B: Months, CSV").is_visible()
    assert "2014" not in page.locator(".csp-watch").inner_text()
    reloaded = opened(visit, page.url.removeprefix(site().address).replace("month=2011-03", "month=2018-03"))
    at(reloaded, 35)  # a link does not lead round it
    reloaded.close()
    page.get_by_role("button", name="Higher").click()
    page.get_by_role("button", name="Commit").click()
    page.get_by_text("Committed: higher.").wait_for()
    assert "In this run" not in page.locator("main").inner_text()
    page.locator(".csp-watch input[type=range][max='119']").wait_for()
    slide(page, 119)
    page.get_by_text("As the class said").wait_for()
    page.get_by_text("In this run: higher").wait_for()
    page.get_by_text("Of 100 runs of this seed, numbers 0 to 99: higher in 100, about the same in 0, lower in 0.").wait_for()
    page.get_by_text("Verdict: on average it is higher by enough to matter").wait_for()
    no_barriers(page)


def test_what_is_shown_can_be_taken_away(visit: Visit) -> None:
    page = opened(visit, "/watch?month=2012-01")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy command").click()
    page.wait_for_function(
        "navigator.clipboard.readText().then((text) => text === 'cspsim explain baseline --seed 1 --replicate 0 --partnership lambeth')"
    )
    saved = {}
    for label in ("Log, CSV", "Months, CSV", "Scenario, TOML", "Table, SVG"):
        if not page.get_by_role("button", name=label).is_visible():
            page.locator("summary", has_text="Export").first.click()
        with page.expect_download() as waiting:
            page.get_by_role("button", name=label).click()
        saved[waiting.value.suggested_filename] = Path(waiting.value.path()).read_text()
    assert saved["baseline-log.csv"].startswith("month,kind,authorities,event\n2008-04,")
    assert saved["baseline-months.csv"].startswith("month,partnership,cost_of_crime,")
    assert 'title = "As it happened"' in saved["baseline.toml"]
    assert saved["baseline-table.svg"].startswith("<svg")
    page.get_by_text("The table in numbers").click()
    assert page.get_by_role("table", name=re.compile("January 2012")).get_by_role("row").count() == 7


def test_everything_by_keyboard(visit: Visit) -> None:
    page = opened(visit, "/watch", calm=True)
    page.evaluate("document.activeElement.blur()")
    press_until_focused(page, "\u25b6 Play")
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelector('.csp-watch').dataset.month >= 2")
    page.keyboard.press("Enter")
    page.locator(".csp-watch[data-playing=no]").wait_for()
    stopped = month(page)
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("ArrowRight")
    at(page, stopped + 1)
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Space")
    page.wait_for_function(f"document.querySelector('.csp-watch').dataset.month > {stopped}")
    page.keyboard.press("Space")
    page.locator(".csp-watch[data-playing=no]").wait_for()
    page.get_by_role("slider", name="Month").focus()
    page.keyboard.press("End")
    at(page, 119)
    assert page.get_by_role("slider", name="Month").get_attribute("aria-valuetext") == "March 2018"


def test_it_can_be_used_by_everybody(visit: Visit) -> None:
    wide = opened(visit, f"{PAIR}&month=2012-01")
    no_barriers(wide)
    narrow = opened(visit, f"{PAIR}&month=2012-01", width=390, dark=True, calm=True)
    narrow.get_by_text("The table in numbers").click()
    narrow.get_by_role("button", name="Predict first").click()
    narrow.get_by_role("button", name="Hold the run and ask").wait_for()
    no_barriers(narrow)
    no_sideways_scroll(narrow)
    one, other = (narrow.get_by_role("region", name=re.compile("^Table: ")).nth(k).bounding_box() for k in range(2))
    assert other["y"] > one["y"] + one["height"]
    no_sideways_scroll(opened(visit, "/watch?scenario=two-tier-county", width=640))  # 1280 pixels at 200 %


def test_bad_links_and_texts_give_a_sentence_and_no_crash(visit: Visit) -> None:
    page = opened(visit, "/watch?scenario=..%2Fx&seed=abc&month=1999-01&partnership=%3Cb%3E&question=zzz")
    said = page.get_by_text("Not everything in this link could be used.").inner_text()
    assert "“../x”" in said
    assert "“<b>”" in said
    page.get_by_label("Seed").fill("many")
    page.get_by_label("Seed").press("Enter")
    page.get_by_text("“many” is not a whole number").wait_for()
    page.get_by_label("Beside it").select_option("two-tier-county")
    page.get_by_text("cannot be watched side by side").wait_for()
    assert page.get_by_role("region", name=re.compile("^Table: ")).count() == 1


def test_a_lesson_leads_here_and_leaving_stops_the_clock(visit: Visit) -> None:
    page = visit("/kit/good_relationship_trap")
    page.get_by_role("link", name="Open in Watch").click()
    page.locator("canvas").nth(3).wait_for()
    assert page.get_by_role("region", name="Table: Independent challenge").is_visible()
    page.get_by_role("button", name="Play").click()
    page.wait_for_function("document.querySelector('.csp-watch').dataset.month >= 1")
    page.get_by_role("link", name="Kit").click()
    page.locator(".csp-watch").wait_for(state="detached")
    assert page.evaluate("Object.keys(window.cspClocks).length") == 0


def test_a_scenario_whose_titles_are_an_attack(visit: Visit, tmp_path: Path) -> None:
    own = Site.started("--scenario", str(write_hostile_world(tmp_path)))
    page = opened(visit, "/watch?scenario=hostile", on=own)
    slide(page, 20)
    assert page.locator("main img, main script").count() == 0
    assert "alert(1)" in page.locator(".csp-watch").inner_text()
    assert "49" not in page.locator("main h2").first.inner_text()
    page.close()
    own.stop()
