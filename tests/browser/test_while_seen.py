"""Work that is done while it can be seen (elements/while-seen.js), in a page whose clock the test turns."""

import pytest
from django.conf import settings
from playwright.sync_api import Page

from tests.browser.live_page_server import Played, served

PAUSE = 3000  # Milliseconds.
SET_UP = """async ({module, pause}) => {
    const {WhileSeen} = await import(module);
    const node = document.createElement("p");
    node.style = "height: 50px; margin-top: 5000px";
    document.body.append(node);
    window.begun = [];  // [the signal of each piece of work, what ends it]
    window.isWanted = true;
    window.work = new WhileSeen((signal) => new Promise((end) => window.begun.push([signal, end])),
        {pause, isWanted: (isSeen) => isSeen && window.isWanted});
    window.work.start(node);
    window.turns = new IntersectionObserver((entries) => { window.isNear = entries.at(-1).isIntersecting; },
        {rootMargin: "300px"});  // Observes after the other, so it is told after it.
    window.turns.observe(node);
}"""


@pytest.fixture
def working(page: Page):
    with served(Played("search", [], 0)) as address:
        page.goto(address.replace("/live", "/empty"))
        page.clock.install()
        page.clock.pause_at(page.evaluate("Date.now()") + 1000)
        page.evaluate(SET_UP, {"module": f"{settings.STATIC_URL}js/elements/while-seen.js", "pause": PAUSE})
        _scroll(page, 0)
        yield page


def _scroll(page: Page, to: int) -> None:
    page.evaluate("(to) => window.scrollTo(0, to)", to)
    for _ in range(500):
        if page.evaluate("() => window.isNear") is (to > 0):
            return
    raise AssertionError("the browser never told where the node is")


def _begun(page: Page, after: int = 0) -> int:
    page.clock.run_for(after)
    return page.evaluate("() => window.begun.length")


def _end(page: Page) -> None:
    page.evaluate("() => window.begun.at(-1)[1]()")


def test_out_of_sight_nothing_is_done(working: Page) -> None:
    working.evaluate("() => window.work.plan()")
    assert _begun(working, 10 * PAUSE) == 0


def test_in_sight_it_is_done_at_once_and_again_after_each_pause(working: Page) -> None:
    _scroll(working, 5000)
    assert _begun(working, 1) == 1
    _end(working)
    assert _begun(working, PAUSE - 2) == 1
    assert _begun(working, 2) == 2


def test_it_is_never_done_twice_at_a_time(working: Page) -> None:
    _scroll(working, 5000)
    assert _begun(working, 1) == 1
    working.evaluate("() => window.work.plan()")
    assert _begun(working, 10 * PAUSE) == 1
    _end(working)
    assert _begun(working, 1) == 2


def test_what_leaves_sight_in_the_pause_waits_until_it_is_back(working: Page) -> None:
    _scroll(working, 5000)
    assert _begun(working, 1) == 1
    _end(working)
    _scroll(working, 0)
    assert _begun(working, 10 * PAUSE) == 1
    _scroll(working, 5000)
    assert _begun(working, 1) == 2


def test_what_is_not_wanted_is_done_when_it_is(working: Page) -> None:
    working.evaluate("() => { window.isWanted = false; }")
    _scroll(working, 5000)
    assert _begun(working, 10 * PAUSE) == 0
    working.evaluate("() => { window.isWanted = true; window.work.plan(); }")
    assert _begun(working, 1) == 1


def test_what_a_person_asks_for_takes_the_place_of_what_is_under_way(working: Page) -> None:
    _scroll(working, 5000)
    assert _begun(working, 1) == 1
    working.evaluate("() => window.work.hurry()")
    assert _begun(working, 1) == 2
    assert working.evaluate("() => window.begun.map(([signal]) => signal.aborted)") == [True, False]
    working.evaluate("() => window.begun[0][1]()")
    assert _begun(working, 10 * PAUSE) == 2  # The end of what was aborted begins nothing.


def test_after_the_stop_nothing_is_done_and_what_was_under_way_is_aborted(working: Page) -> None:
    _scroll(working, 5000)
    assert _begun(working, 1) == 1
    working.evaluate("() => window.work.stop()")
    assert working.evaluate("() => window.begun[0][0].aborted")
    _end(working)
    working.evaluate("() => window.work.plan()")
    assert _begun(working, 10 * PAUSE) == 1


def test_in_a_tab_behind_others_nothing_is_done_until_it_comes_back(working: Page) -> None:
    _scroll(working, 5000)
    assert _begun(working, 1) == 1
    _turn_tab(working, is_hidden=True)
    _end(working)
    assert _begun(working, 10 * PAUSE) == 1
    _turn_tab(working, is_hidden=False)
    assert _begun(working, 1) == 2


def _turn_tab(page: Page, *, is_hidden: bool) -> None:
    page.evaluate(
        """(isHidden) => {
            Object.defineProperty(document, "hidden", {configurable: true, get: () => isHidden});
            document.dispatchEvent(new Event("visibilitychange"));
        }""",
        is_hidden,
    )
