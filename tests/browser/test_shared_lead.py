"""The strip of a search with shared weights beside a random companion: which of the two is ahead, and in what."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.live_page_server import Played, served
from tests.browser.test_honesty_meter import NOT_AHEAD
from tests.browser.test_live_elements import Line
from tests.browser.test_shared_page import recorded


@pytest.mark.parametrize(
    ("verdict", "measured", "difference", "said"),
    [
        ("ahead", "accuracy", 0.0125, "ahead of random (one run)+1.25 points"),
        ("undecided", "accuracy", 0.0125, "ahead, may be chance (one run)+1.25 points"),
        ("not ahead", "accuracy", -0.01, "behind random (one run)−1.00 points"),
        ("ahead", "perplexity", -12.25, "ahead of random, perplexity (one run)−12.3"),
        ("not ahead", "perplexity", 3.5, "behind random, perplexity (one run)+3.5"),
        ("waiting", "accuracy", None, "lead over random (one run)–"),
    ],
)
def test_the_lead_over_the_companion_is_of_what_was_trained_from_scratch(
    page: Page, verdict: str, measured: str, difference: float | None, said: str
) -> None:
    events = recorded("enas-macro")
    played = Played("search", events, len(events))
    played.shared_comparison = NOT_AHEAD | {"verdict": verdict, "measured": measured, "difference": difference}
    Line(page)
    with served(played) as address:
        page.goto(address)
        expect(page.locator(".strip-lead")).to_have_text(said)
