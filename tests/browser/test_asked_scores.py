"""What was asked of shared weights, on the live page: in a stand-in for the server, and in the real application."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE
from tests.browser.live_page_server import ID, Played, served
from tests.browser.test_live_elements import Line
from tests.browser.test_shared_page import recorded

SENTENCES = [
    "It scores 41.25 % on 640 held-out images, under the weights at the end of epoch 2.",
    "On the same minibatches, the best candidate scores 45.00 %, and 8 architectures drawn from the policy score "
    "38.75 % on average.",
    "It is no measure of a network that is trained by itself.",
]


def asked(place: int, state: str, *sentences: str) -> dict[str, Any]:
    return {
        "id": f"{place}", "search": ID, "architecture": {"kind": "cell"}, "hash": f"{place}" * 64, "state": state,
        "picture": f"/searches/{ID}/scores/{place}.svg", "asked": 1_800_000_000.0 + place, "sentences": list(sentences),
    }  # fmt: skip


@pytest.fixture
def played(page: Page) -> Played:
    Line(page)
    events = recorded("enas-micro")
    return Played("search", events, len(events))


def test_an_answer_comes_while_one_looks_and_may_be_asked_for_again(page: Page, played: Played) -> None:
    with served(played) as address:
        page.goto(address)
        scores = page.locator("asked-scores")
        scores.scroll_into_view_if_needed()
        expect(scores).to_contain_text("Nothing was asked so far.")
        played.scores = {"scores": [asked(1, "waiting", "It comes as soon as a worker is free.")], "is_open": True}
        page.reload()
        scores.scroll_into_view_if_needed()
        expect(scores.locator("li")).to_contain_text("It comes as soon as a worker is free.")
        expect(scores.get_by_role("button")).to_be_hidden()
        played.scores = {
            "scores": [asked(2, "refused", "Scoring it ran out of memory."), asked(1, "answered", *SENTENCES)],
            "is_open": False,
        }
        expect(scores.locator("li")).to_have_count(2)
        expect(scores.locator("li").nth(1)).to_contain_text(SENTENCES[0])
        expect(scores.locator("li").nth(1)).to_contain_text("the best candidate scores 45.00 %")
        expect(scores.locator("li").nth(0)).to_contain_text("refused")
        expect(scores.locator("li svg")).to_have_count(2)
        scores.get_by_role("button", name="Ask again").nth(1).press("Enter")
        expect(scores.get_by_role("button", name="Ask again").nth(1)).to_be_enabled()
        assert played.posts == [f"/api/searches/{ID}/scores"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_nothing_is_wider_than_the_page(page: Page, played: Played, scheme: Any, tmp_path: Any) -> None:
    played.scores = {
        "scores": [asked(1, "answered", *SENTENCES), asked(2, "refused", "Scoring it ran out of memory.")],
        "is_open": False,
    }
    page.set_viewport_size(PHONE)
    page.emulate_media(color_scheme=scheme)
    with served(played) as address:
        page.goto(address)
        scores = page.locator("asked-scores")
        scores.scroll_into_view_if_needed()
        expect(scores.locator("li svg")).to_have_count(2)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        scores.screenshot(path=tmp_path / f"asked-{scheme}.png")
