"""The strip of a search with shared weights beside a random companion: which of the two is ahead, and in what."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.live_page_server import Played, served
from tests.browser.test_honesty_meter import NOT_AHEAD
from tests.browser.test_live_elements import Line
from tests.browser.test_shared_page import recorded


@pytest.mark.parametrize(
    ("measured", "difference", "said"),
    [
        ("accuracy", 0.0125, "ahead of random (one run)+1.25 points"),
        ("perplexity", -12.25, "ahead of random, perplexity (one run)−12.3"),
        ("perplexity", 3.5, "behind random, perplexity (one run)+3.5"),
        ("accuracy", None, "lead over random (one run)–"),
    ],
)
def test_the_lead_over_the_companion_is_of_what_was_trained_from_scratch(
    page: Page, measured: str, difference: float | None, said: str
) -> None:
    events = recorded("enas-macro")
    played = Played("search", events, len(events))
    played.shared_comparison = NOT_AHEAD | {"measured": measured, "difference": difference}
    Line(page)
    with served(played) as address:
        page.goto(address)
        expect(page.locator(".strip-lead")).to_have_text(said)
