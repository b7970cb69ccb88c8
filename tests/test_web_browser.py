"""The frame of the web view and its parts, in a real browser."""

from pathlib import Path
from typing import Any

import pytest
from browser import Site, Visit, gallery, needs_browser, no_barriers, no_sideways_scroll, press_until_focused, site

pytestmark = needs_browser

TABS = {"explore": "Explore", "watch": "Watch", "play": "Play", "kit": "Kit"}


@pytest.mark.parametrize("path", TABS)
def test_every_tab_can_be_read_by_everybody(visit: Visit, path: str) -> None:
    wide = visit(f"/{path}")
    assert wide.title() == f"{TABS[path]} \N{EN DASH} cspsim"
    current = wide.locator("nav a[aria-current=page]")
    assert current.inner_text() == TABS[path]
    assert wide.get_by_role("banner").get_by_text("Illustrative model, not a forecast").is_visible()
    no_barriers(wide)
    narrow = visit(f"/{path}", width=390, dark=True, calm=True)
    no_barriers(narrow)
    no_sideways_scroll(narrow)


def test_the_bare_address_leads_to_explore_and_keeps_its_question(visit: Visit) -> None:
    page = visit("/?scenario=deeper-cut")
    assert page.url.startswith(f"{site().address}/explore?scenario=deeper-cut")


def test_tabs_are_reached_and_opened_by_keyboard_alone_without_loading_the_page_anew(visit: Visit) -> None:
    page = visit("/explore")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.innerText") == "Skip to the page"
    page.keyboard.press("Enter")
    page.wait_for_function("document.activeElement.id === 'main'")
    page.evaluate("document.activeElement.blur(); window.stayed = true")
    for path, title in list(TABS.items())[1:]:
        page.locator("nav a").first.focus()
        press_until_focused(page, title)
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
        page.keyboard.press("Enter")
        page.locator(f"nav a[href='/{path}'][aria-current=page]").wait_for()
        assert f"/{path}" in page.url
    press_until_focused(page, "Dark", "Shift+Tab")
    page.keyboard.press("Space")
    page.wait_for_function("document.documentElement.dataset.cspTheme === 'dark'")
    press_until_focused(page, "Copy link", "Shift+Tab")
    assert page.evaluate("window.stayed")


def test_the_look_follows_the_browser_until_the_reader_chooses_and_then_stays(visit: Visit) -> None:
    page = visit("/kit", dark=True)
    background = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(background)
    toggle = page.get_by_role("button", name="Dark")
    assert toggle.get_attribute("aria-pressed") == "true"
    toggle.click()
    page.wait_for_function("document.documentElement.dataset.cspTheme === 'light'")
    light = page.evaluate(background)
    assert _brightness(dark) < 60 < 200 < _brightness(light)
    page.reload()
    page.locator("main h1").wait_for()
    assert page.evaluate(background) == light
    page.emulate_media(color_scheme="light")
    assert page.evaluate(background) == light


def _brightness(colour: str) -> float:
    return sum(float(part) for part in colour.removeprefix("rgb(").removesuffix(")").split(",")) / 3


def test_two_visitors_and_two_tabs_share_nothing(visit: Visit) -> None:
    first, other = visit("/kit", on=gallery()), visit("/kit", on=gallery())
    second = visit.again(first, "/kit")
    first.get_by_role("spinbutton", name="Grant").fill("2.5")
    first.keyboard.press("Enter")
    first.locator("#grant", has_text="grant is 2.5").wait_for()
    first.get_by_role("button", name="Notes").click()
    first.get_by_role("complementary", name="Facilitator's notes").wait_for()
    for page in (other, second):
        page.get_by_label("Other assumptions").check()  # comes back from the server: everything sent before would have arrived
        page.locator("#ticked", has_text="ticked is True").wait_for()
        assert page.locator("#grant").inner_text() == "grant is 1"
        assert page.get_by_role("complementary").count() == 0
    assert first.locator("#ticked").inner_text() == "ticked is False"


def test_notes_open_and_shut_with_escape(visit: Visit) -> None:
    page = visit("/kit", width=390, on=gallery())
    page.get_by_role("button", name="Notes").click()
    drawer = page.get_by_role("complementary", name="Facilitator's notes")
    drawer.get_by_role("heading", name="Before you start").wait_for()
    no_barriers(page)
    no_sideways_scroll(page)
    page.keyboard.press("Escape")
    drawer.wait_for(state="detached")


@pytest.fixture
def parts(visit: Visit) -> Any:
    return visit("/kit", on=gallery())


def test_parts_can_be_used_by_everybody_and_take_no_text_for_html(visit: Visit, parts: Any) -> None:
    parts.get_by_role("button", name="Table: Cost of crime").click()
    parts.get_by_role("region", name="Table: Cost of crime").wait_for()
    parts.locator("canvas").nth(1).wait_for()
    parts.mouse.move(*_middle(parts.locator("canvas").first))
    assert parts.locator("#hostile").inner_text() == "<img src=x onerror=alert(1)>{{7*7}}<b>bold</b>"
    assert parts.locator(".csp img, .csp b, .csp script").count() == 0
    assert "49" not in parts.locator("main").inner_text()
    no_barriers(parts)
    narrow = visit("/kit", width=390, dark=True, on=gallery())
    narrow.locator("canvas").nth(1).wait_for()
    no_barriers(narrow)
    no_sideways_scroll(narrow)
    enlarged = visit("/kit", width=640, calm=True, on=gallery())  # 1280 pixels at 200 %
    no_sideways_scroll(enlarged)
    assert enlarged.evaluate("getComputedStyle(document.querySelector('.csp-button')).transitionDuration") in ("1e-05s", "0.00001s")


def _middle(element: Any) -> tuple[float, float]:
    box = element.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_slider_and_number_agree_and_stay_within_the_range(parts: Any) -> None:
    number, slider = parts.get_by_role("spinbutton", name="Grant"), parts.get_by_role("slider")
    told = parts.locator("#grant")
    slider.focus()
    slider.press("ArrowRight")
    parts.locator("#grant", has_text="grant is 1.05").wait_for()
    assert number.input_value() == "1.05"
    number.fill("99")
    number.press("Enter")
    parts.get_by_text("Kept within 0 to 3.").wait_for()
    parts.locator("#grant", has_text="grant is 3").wait_for()
    assert slider.input_value() == "3"
    number.fill("")
    number.press("Enter")
    parts.get_by_text("That is no number: 3 is kept.").wait_for()
    assert told.inner_text() == "grant is 3"
    assert parts.get_by_text("0 to 3 times. What is set is a policy choice.").is_visible()
    parts.wait_for_url("**/kit?grant=3")
    parts.get_by_role("button", name="Reset Grant to 1").click()
    parts.locator("#grant", has_text="grant is 1").wait_for()
    assert parts.evaluate("history.length") <= 2  # states of the address are no pages to go back through


def test_choices_ticks_and_texts_reach_the_page(parts: Any) -> None:
    parts.get_by_label("Place").select_option("b")
    parts.locator("#place", has_text="place is b").wait_for()
    parts.get_by_label("Other assumptions").check()
    parts.locator("#ticked", has_text="ticked is True").wait_for()
    field = parts.get_by_label("Your name")
    field.fill("x" * 100)
    assert len(field.input_value()) == 60
    field.press("Enter")
    parts.locator("#name", has_text="x" * 60).wait_for()


def test_charts_and_tables_can_be_taken_away(parts: Any, tmp_path: Path) -> None:
    parts.locator("canvas").nth(1).wait_for()
    saved = {}
    for label in ("CSV table", "SVG picture", "PNG picture"):
        parts.get_by_label("Export: Cost of crime").click()
        with parts.expect_download() as waiting:
            parts.get_by_role("button", name=label).first.click()
        saved[waiting.value.suggested_filename] = Path(waiting.value.path()).read_bytes()
    assert saved["cost-of-crime.csv"].decode().splitlines()[3] == "'=1+1,5000000.0,4000000.0"
    picture = saved["cost-of-crime.svg"].decode()
    assert picture.startswith("<svg")
    assert "Baseline" in picture
    assert "Illustrative model, not a forecast" in picture
    assert "<img" not in picture
    assert saved["cost-of-crime.png"].startswith(b"\x89PNG")
    with parts.expect_download() as waiting:
        parts.get_by_role("button", name="Save").click()
    assert Path(waiting.value.path()).read_text() == "a,b\n1,2\n"


def test_links_and_commands_can_be_copied(parts: Any) -> None:
    parts.context.grant_permissions(["clipboard-read", "clipboard-write"])
    parts.get_by_role("button", name="Copy link").click()
    parts.get_by_text("Copied").first.wait_for()
    assert parts.evaluate("navigator.clipboard.readText()") == f"{gallery().address}/kit?grant=1"
    parts.get_by_role("button", name="Copy command").click()
    parts.wait_for_function("navigator.clipboard.readText().then((text) => text === 'cspsim compare a b')")


def test_a_page_that_fails_says_so_without_secrets_and_other_tabs_live(parts: Any) -> None:
    parts.get_by_role("button", name="Fail").click()
    parts.get_by_text("This page has failed.").wait_for()
    shown = parts.locator("body").inner_text()
    assert "secret" not in shown
    assert "Traceback" not in shown
    parts.get_by_role("link", name="Play").click()
    parts.locator("main h1").wait_for()


def test_ctrl_c_ends_the_server_while_somebody_looks_on(visit: Visit) -> None:
    own = Site.started()
    page = visit("/kit", on=own)
    assert own.stop() == 0
    assert "The web view has ended." in "".join(own.lines)
    assert "Traceback" not in "".join(own.lines)
    page.close()
    visit.complaints.clear()  # a page that has lost its server may say so
