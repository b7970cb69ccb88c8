"""Play in a real browser: whole sessions, what is private, what survives, the keyboard, and a server that dies."""

import re
import signal
import time
from pathlib import Path
from typing import Any

from browser import Site, Visit, needs_browser, no_barriers, no_sideways_scroll, press_until_focused

pytestmark = needs_browser

HOSTILE = "<img src=x onerror=alert(1)>{{7*7}}"
POLICE, COUNCIL, HEALTH = "Metropolitan Police", "Borough council", "Primary care trust, later clinical commissioning group"


def open_room(page: Any, quarters: int = 1) -> str:
    """Open a room on the first page of Play; its code."""
    page.get_by_label("First month").select_option("2008-04")  # a quarter in which every meeting has some money to table for
    page.get_by_label("Quarters").select_option(str(quarters))
    page.get_by_role("button", name="Open the room").click()
    return str(page.locator(".csp-code--large").inner_text())


def join(page: Any, name: str, seat: str = "") -> None:
    """Come in from the page of a room, and sit."""
    page.get_by_label("Your name").fill(name)
    page.keyboard.press("Enter")
    if seat:
        page.get_by_role("button", name=f"Sit here as {seat}", exact=True).click()
        page.get_by_text("Your seat", exact=True).wait_for()
    else:
        page.get_by_text("you watch").wait_for()


def hand_in(page: Any) -> None:
    """Press the button as a person does: a card takes no press within half a second of the one before."""
    page.wait_for_timeout(500)
    page.get_by_role("button", name="Hand in", exact=True).click()


def stage(page: Any, words: str) -> None:
    """Wait until the line below the heading says this."""
    page.locator(".csp-stage", has_text=words).wait_for()


def frames_of(page: Any) -> list[str]:
    """Every frame that the server sends to a page from its next loading on."""
    found: list[str] = []
    page.on(
        "websocket", lambda socket: socket.on("framereceived", lambda data: found.append(data if isinstance(data, str) else repr(data)))
    )
    return found


def test_a_whole_game_of_three_players_two_watchers_and_a_facilitator(visit: Visit) -> None:
    facilitator = visit("/play")
    no_barriers(facilitator)
    code = open_room(facilitator)
    no_barriers(facilitator)
    police, council = visit("/play", width=390, dark=True), visit(f"/play/{code.lower()}")
    no_sideways_scroll(police)
    no_barriers(police)
    police.get_by_label("Room code").fill(f" {code.lower()} ")
    join(police, HOSTILE, POLICE)
    no_barriers(council)  # the page of a room for somebody who is not in it
    join(council, "Carol", COUNCIL)
    watchers = [visit(f"/play/{code}", width=width) for width in (640, 1280)]
    frames = {name: frames_of(page) for name, page in (("council", council), ("watcher", watchers[1]))}
    for page in (council, watchers[1]):
        page.reload()  # from here on every frame is kept
    for page in watchers:
        join(page, "Watcher")
    facilitator.locator(".csp-seat", has_text="Carol").wait_for()
    facilitator.get_by_role("button", name="Begin the game").dblclick()
    for page in (police, council, facilitator, *watchers):
        stage(page, "Quarter 1 of 1, step 1 of 2 has begun")
    late = visit(f"/play/{code}", dark=True)
    join(late, "Late", HEALTH)
    late.get_by_role("heading", name="Your briefing").wait_for()
    for page in (police, facilitator):
        no_barriers(page)
    for page in (police, watchers[0]):
        no_sideways_scroll(page)
    private = secrets_of(police)
    for page in (police, council):
        hand_in(page)
    facilitator.get_by_text(f"Waiting for {HEALTH}.").wait_for()
    late.wait_for_timeout(500)
    told = time.monotonic()
    late.get_by_role("button", name="Hand in", exact=True).click()
    for page in (watchers[1], facilitator, police):
        stage(page, "step 2 of 2 has begun")
    print(f"a step reached the last of three other visitors after {(time.monotonic() - told) * 1000:.0f} ms")
    challenge(police, HOSTILE)
    police.get_by_role("spinbutton", name="Hours a month").fill("5")
    no_barriers(police)
    hand_in(police)
    hand_in(late)
    if council.get_by_role("button", name="Hand in", exact=True).count():
        hand_in(council)
    for page in (police, council, facilitator, *watchers):
        stage(page, "The game is over")
        page.get_by_role("heading", name="Which decision mattered?").wait_for()
        page.locator("canvas").first.wait_for()
        no_sideways_scroll(page)
    no_barriers(police)
    no_barriers(facilitator)
    assert f": {HOSTILE}." in watchers[0].locator("main").inner_text()  # the minutes
    assert watchers[0].locator("main img").count() == 0
    for name, received in frames.items():
        everything = "".join(received)
        assert "Who sits where" in everything
        leaked = [secret for secret in private if secret in everything]
        assert leaked == [], f"{name} was sent {leaked}"
    with watchers[0].expect_download() as waiting:
        watchers[0].locator("summary", has_text="Session log").click()
        watchers[0].get_by_role("button", name="CSV table").first.click()
    log = Path(waiting.value.path()).read_text()
    assert "hand_in" in log
    assert HOSTILE in log


def secrets_of(page: Any) -> list[str]:
    """What only this player's page says: figures and beliefs of the briefing."""
    text = page.locator(".csp-briefing").inner_text()
    found = re.findall(r"[\d,]+ hours a month, £[\d.,k]+ for your own part|Whoever you send [^.]+|\S[^;]* \(0\.\d\d of 1\)", text)
    assert len(found) >= 4
    return list(found)


def challenge(page: Any, reason: str) -> None:
    """Challenge the first proposal for a reason in one's own words."""
    option = page.locator(".csp-option").first
    option.get_by_role("checkbox").check()
    option.get_by_label("Why?").select_option("own")
    option.get_by_label("Your reason").fill(reason)


def two_players(visit: Visit, quarters: int = 2, **rest: Any) -> tuple[str, Any, Any, Any]:
    """A game that has begun: code, facilitator, and two players."""
    facilitator = visit("/play", **rest)
    code = open_room(facilitator, quarters)
    police, council = visit(f"/play/{code}", **rest), visit(f"/play/{code}", **rest)
    join(police, "Paula", POLICE)
    join(council, "Carol", COUNCIL)
    facilitator.locator(".csp-seat", has_text="Carol").wait_for()
    facilitator.get_by_role("button", name="Begin the game").click()
    for page in (police, council):
        page.get_by_role("button", name="Hand in", exact=True).wait_for()
    return code, facilitator, police, council


def test_what_others_do_throws_nothing_away_and_moves_no_focus(visit: Visit) -> None:
    code, facilitator, police, council = two_players(visit)
    hand_in(police)
    hand_in(council)
    stage(police, "step 2 of 2")
    challenge(police, "half a sen")
    hours = police.get_by_role("spinbutton", name="Hours a month")
    hours.fill("33")
    reason = police.get_by_label("Your reason")
    reason.focus()
    reason.press("End")
    others = visit(f"/play/{code}")
    join(others, "Walter")
    if council.get_by_role("button", name="Hand in", exact=True).count():
        hand_in(council)
    facilitator.get_by_role("button", name="Let it happen").click()
    police.get_by_text("The Home Office cuts every grant by 30%").first.wait_for()
    police.get_by_text("1 person watches.").wait_for()
    police.keyboard.type("tence")
    assert (reason.input_value(), hours.input_value()) == ("half a sentence", "33")
    assert police.evaluate("document.activeElement.value") == "half a sentence"
    police.reload()  # nor does a reload, and the seat is kept
    assert police.get_by_label("Your reason").input_value() == "half a sentence"
    assert police.get_by_role("spinbutton", name="Hours a month").input_value() == "33"
    second = visit.again(police, f"/play/{code}")
    second.get_by_text(f"; you are {POLICE}.").wait_for()
    facilitator.get_by_role("button", name="End step 2").click()
    stage(police, "Quarter 2 of 2, step 1 of 2 has begun")
    police.locator(".csp-latest", has_text="Quarter 1 is over.").wait_for()
    assert police.get_by_role("button", name="Hand in", exact=True).is_visible()


def test_refused_hours_are_said_and_nothing_is_lost(visit: Visit) -> None:
    _, _, police, council = two_players(visit, width=390)
    hand_in(police)
    hand_in(council)
    stage(police, "step 2 of 2")
    hours = police.get_by_role("spinbutton", name="Hours a month")
    hours.fill("100000")
    hand_in(police)
    police.get_by_text(re.compile("Hours a month are a number from 0 to")).wait_for()
    assert hours.input_value() == "100000"
    hours.fill("12.5")
    hand_in(police)
    police.get_by_text("You pledge 12 hours a month").wait_for()
    police.get_by_role("button", name="Take back and change").click()
    hours.wait_for()
    assert hours.input_value() == "12.5"
    assert police.evaluate("document.activeElement.tagName") == "H2"  # where the pressed button was, the card begins


def test_by_keyboard_alone(visit: Visit) -> None:
    facilitator, page = visit("/play"), visit("/play", calm=True)
    code = open_room(facilitator)
    page.locator("main a, main input").first.focus()
    page.keyboard.type(code.lower())
    page.keyboard.press("Tab")
    page.keyboard.type("Kim")
    page.keyboard.press("Enter")
    page.get_by_text("you watch").wait_for()
    seat = page.get_by_role("button", name=f"Sit here as {POLICE}", exact=True)
    for _ in range(40):
        page.keyboard.press("Tab")
        if seat.evaluate("button => button === document.activeElement"):
            break
    page.keyboard.press("Enter")
    page.get_by_text("Your seat", exact=True).wait_for()
    facilitator.locator(".csp-seat", has_text="Kim").wait_for()
    facilitator.get_by_role("button", name="Begin the game").focus()
    facilitator.keyboard.press("Enter")
    page.get_by_role("button", name="Hand in", exact=True).wait_for()
    box = page.locator(".csp-option input").first
    before = box.is_checked()
    box.focus()
    page.keyboard.press("Space")
    assert box.is_checked() != before
    press_until_focused(page, "Hand in")
    page.keyboard.press("Enter")
    stage(page, "step 2 of 2")
    assert page.locator(".csp-stage").get_attribute("role") == "status"
    press_until_focused(page, "Hand in")
    page.wait_for_timeout(500)
    page.keyboard.press("Enter")
    stage(page, "The game is over")


def test_the_facilitator_leads_and_closes(visit: Visit) -> None:
    code, facilitator, police, council = two_players(visit)
    key_of = facilitator.locator("details", has_text="Facilitator's key")
    key_of.locator("summary").click()
    key = key_of.locator(".csp-code").inner_text()
    other = visit(f"/play/{code}")
    other.locator("summary", has_text="I am the facilitator").click()
    other.get_by_label("Facilitator's key").fill("WRONG")
    other.get_by_role("button", name="Lead this room").click()
    other.get_by_text("This is not the facilitator's key of this room.").wait_for()
    other.get_by_label("Facilitator's key").fill(f" {key.lower()} ")
    other.get_by_role("button", name="Lead this room").click()
    other.get_by_text("You lead this room now.").wait_for()
    facilitator.get_by_role("heading", name="Let something happen").wait_for(state="detached")
    other.get_by_role("button", name="Dismiss").click()
    other.get_by_role("button", name=f"Free the seat of {COUNCIL}").click()
    council.get_by_text("you watch").wait_for()
    hand_in(police)
    stage(other, "step 2 of 2")
    other.get_by_role("button", name="Go back to quarter 1").click()
    no_barriers(other)
    other.keyboard.press("Escape")
    assert other.evaluate("document.activeElement.innerText") == "Go back to quarter 1"
    other.get_by_role("button", name="Go back to quarter 1").click()
    other.get_by_role("button", name="Yes, go back").click()
    stage(police, "Quarter 1 of 2, step 1 of 2")
    other.get_by_role("button", name="End the game").click()
    other.get_by_role("button", name="Yes, end the game").click()
    stage(police, "The game is over")
    police.get_by_text("You decided everything as the computer would have.", exact=True).wait_for()
    other.get_by_role("button", name="Close the room").click()
    other.get_by_role("button", name="Yes, close the room").click()
    police.get_by_role("heading", name="This room is no more").wait_for()
    stranger = visit(f"/play/{code}")
    stranger.get_by_text(re.compile(f'There is no room "{code}"')).wait_for()


def test_a_visitor_who_goes_is_away_at_once_and_the_game_goes_on(visit: Visit) -> None:
    _, facilitator, police, council = two_players(visit)
    council.close(run_before_unload=False)
    police.get_by_text("Carol (away)").wait_for()
    facilitator.goto("/kit")
    facilitator.locator("main h1").wait_for()
    police.get_by_text("The facilitator is away, so every player may end the step.").wait_for()
    police.get_by_role("button", name="End step 1").click()
    stage(police, "step 2 of 2")
    facilitator.goto(police.url)
    facilitator.get_by_role("button", name="End step 2").wait_for()
    police.get_by_text("The facilitator is away").wait_for(state="detached")


def test_two_rooms_at_once(visit: Visit) -> None:
    one, other = visit("/play"), visit("/play")
    codes = open_room(one), open_room(other)
    assert codes[0] != codes[1]
    guest = visit(f"/play/{codes[1]}")
    join(guest, "Guest", COUNCIL)
    other.locator(".csp-seat", has_text="Guest").wait_for()
    assert "Guest" not in one.locator("main").inner_text()


def test_a_game_goes_on_after_the_server_was_killed(visit: Visit, tmp_path: Path) -> None:
    file = str(tmp_path / "rooms.sqlite")
    first = Site.started("--rooms", file, "--host", "0.0.0.0")
    _, facilitator, police, council = two_players(visit, on=first)
    picture = facilitator.get_by_role("img", name="QR code of")
    assert re.fullmatch(r"QR code of http://\S+/play/\w{6}\?entry=\w{12}", picture.get_attribute("aria-label"))
    assert picture.bounding_box()["width"] > 150
    no_barriers(facilitator)
    assert first.entry not in police.content()
    hand_in(police)
    police.get_by_text("Take back and change").wait_for()
    port = first.address.rsplit(":", 1)[1]
    first.process.send_signal(signal.SIGKILL)
    first.process.wait()
    police.wait_for_timeout(6500)  # long enough for a page to notice
    second = Site.started("--rooms", file, "--port", port)
    assert second.address == first.address
    police.get_by_text("Take back and change").wait_for()
    hand_in(council)  # the pages have come back by themselves
    stage(police, "step 2 of 2 has begun")
    facilitator.get_by_role("button", name="End step 2").click()
    stage(police, "Quarter 2 of 2")
    visit.complaints.clear()  # pages that have lost their server may say so
    assert second.stop() == 0
    assert "Traceback" not in "".join(second.lines)
    visit.close()
    visit.complaints.clear()
