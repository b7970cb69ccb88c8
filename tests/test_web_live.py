"""News reach a page from any thread, once for many, in the page's own thread, and never after it has gone."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cspsim.web.server import apply_settings

apply_settings()

import solara  # noqa: E402
from solara.server import kernel, kernel_context  # noqa: E402

from cspsim.web import live  # noqa: E402
from cspsim.web.explore.answer_view import ExploreResults  # noqa: E402
from cspsim.web.explore.ensemble import Ensemble  # noqa: E402
from cspsim.web.explore.posing import Posed  # noqa: E402
from cspsim.web.explore.question import Question  # noqa: E402
from cspsim.web.explore.run_blocks import Library, Workers  # noqa: E402
from cspsim.web.live import Bell, use_news  # noqa: E402


@pytest.fixture
def tab() -> Iterator[Any]:
    """One open browser tab, without a browser."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    context = kernel_context.VirtualKernelContext(id="tab", kernel=kernel.Kernel(), session_id="somebody")
    yield context
    context.event_loop.close()
    asyncio.set_event_loop(None)


def run(tab: Any, seconds: float) -> None:
    """Let the tab's thread do what waits for it."""
    tab.event_loop.run_until_complete(asyncio.sleep(seconds))


def test_a_bell_rung_often_and_by_others_draws_once_in_the_pages_own_thread(tab: Any) -> None:
    shown: list[tuple[int, Any]] = []
    bell = Bell(tab, lambda: shown.append((threading.get_ident(), kernel_context.get_current_context())))
    ringers = [threading.Thread(target=lambda: [bell.ring() for _ in range(50)]) for _ in range(4)]
    for ringer in ringers:
        ringer.start()
    for ringer in ringers:
        ringer.join()
    assert shown == []
    run(tab, 0.05)
    assert shown == [(threading.get_ident(), tab)]
    bell.ring()
    run(tab, 0.05)
    assert len(shown) == 2


def test_after_a_slow_drawing_the_page_rests_so_that_clicks_come_first(tab: Any) -> None:
    at: list[float] = []

    def draw() -> None:
        at.append(time.monotonic())
        time.sleep(0.05)

    bell = Bell(tab, draw, rest=3.0)
    bell.ring()
    run(tab, 0.07)
    bell.ring()
    run(tab, 0.3)
    assert at[1] - at[0] >= 0.05 * 4 - 0.01


def test_news_that_come_while_the_connection_is_lost_are_shown_when_it_is_back(tab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "AGAIN_AFTER", 0.02)
    shown: list[int] = []
    bell = Bell(tab, lambda: shown.append(1))
    tab.event_loop.close()
    bell.ring()
    time.sleep(0.1)
    assert shown == []
    tab.event_loop = asyncio.new_event_loop()
    time.sleep(0.7)
    run(tab, 0.05)
    assert shown == [1]


def test_news_that_a_lost_connection_took_along_are_sent_again(tab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "AGAIN_AFTER", 0.02)
    shown: list[int] = []
    bell = Bell(tab, lambda: shown.append(1))
    bell.ring()  # on its way to the page when the connection is lost
    tab.event_loop.close()
    tab.event_loop = asyncio.new_event_loop()
    bell.ring()
    time.sleep(0.7)  # the watching thread may have slept with the usual patience
    run(tab, 0.05)
    assert shown == [1]
    bell.ring()
    run(tab, 0.05)
    assert shown == [1, 1]


def test_a_silenced_bell_and_a_closed_page_show_nothing(tab: Any) -> None:
    shown: list[int] = []
    bell = Bell(tab, lambda: shown.append(1))
    bell.ring()
    bell.silence()
    run(tab, 0.05)
    gone = Bell(tab, lambda: shown.append(2))
    gone.ring()
    tab.closed_event.set()
    run(tab, 0.05)
    gone.ring()
    assert shown == []


def test_a_component_is_drawn_anew_and_ends_its_subscription_with_the_page(tab: Any) -> None:
    tellers: list[Callable[[], None]] = []
    ended: list[int] = []
    drawn: list[int] = []

    def subscribe(tell: Callable[[], None]) -> Callable[[], None]:
        tellers.append(tell)
        return lambda: ended.append(1)

    @solara.component
    def Page() -> None:
        drawn.append(use_news(subscribe, ["always"]))
        solara.Text("page")

    with tab:
        _, rendered = solara.render(Page(), handle_error=False)
    tellers[0]()
    run(tab, 0.05)
    assert drawn[-1] == 1
    assert len(tellers) == 1
    with tab:
        rendered.close()  # as the kernel does when its page is closed
    assert ended == [1]


def test_another_question_stops_the_runs_of_the_one_before(tab: Any) -> None:
    first, second = (Ensemble(Posed(Question("no-cuts", runs=400, seed=seed)), Library(), Workers(1)) for seed in (78, 79))
    with tab:
        shown = solara.reactive(first)

        @solara.component
        def Page() -> None:
            ExploreResults(shown.value, False, lambda on: None)

        _, rendered = solara.render(Page(), handle_error=False)
        assert first.going
        shown.value = second
        assert not first.going
        assert second.going
        rendered.close()
    assert not second.going


def test_runs_stop_when_the_page_that_asked_for_them_has_gone(tab: Any) -> None:
    ensemble = Ensemble(Posed(Question("no-cuts", runs=400, seed=77)), Library(), Workers(1))
    with tab:
        _, rendered = solara.render(ExploreResults(ensemble, False, lambda on: None), handle_error=False)
    ends = time.monotonic() + 60
    while ensemble.progress[0] == 0 and time.monotonic() < ends:
        time.sleep(0.01)
    assert ensemble.going
    with tab:
        rendered.close()
    assert not ensemble.going
    assert ensemble.progress[0] < 400
