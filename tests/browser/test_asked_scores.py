"""What was asked of shared weights, on the live page: in a stand-in for the server, and in the real application."""

import os
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from search_engine.config.searches import read_enas_config
from search_engine.spaces.build import build_space
from tests.browser.live_page_server import ID, Played, served
from tests.browser.test_live_elements import Line
from tests.browser.test_main_job import PATIENCE
from tests.browser.test_shared_page import recorded
from tests.browser.watched_pages import PHONE
from tests.running_application import RunningApplication

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


SEARCH: dict[str, Any] = {
    "method": "enas-macro", "name": "asked", "space": {"layers": 4}, "supernet": {"filters": 4},
    "derived": {"filters": 4}, "strategy": {"kind": "random", "step_size": 2},
    "data": {"image_size": 8, "train_examples": 2000, "held_out_examples": 1000},
    "shared": {"epochs": 500, "batch_size": 50}, "phases": {"rounds": 20, "score_batch": 50},
    "deriving": {"candidates": 3, "train": 0},
}  # fmt: skip


def test_a_real_search_answers_while_it_runs_and_while_it_is_paused(
    application: RunningApplication, owner_page: Page
) -> None:  # fmt: skip
    page, base = owner_page, application.address
    token = page.locator('meta[name="csrf-token"]').get_attribute("content")

    def send(path: str, body: Any) -> Any:
        answer = page.request.post(base + path, data=body, headers={"X-CSRFToken": token or "", "Referer": page.url})
        assert answer.ok, answer.text()
        return answer.json()

    search = send("/api/searches", {"config": SEARCH})
    space = build_space(read_enas_config(SEARCH).space)
    architecture = space.decode([0] * len(space.decisions)).to_json()
    send(f"/api/searches/{search['id']}/scores", {"architecture": architecture})
    page.goto(base + search["url"])
    scores = page.locator("asked-scores")
    scores.scroll_into_view_if_needed()
    expect(scores.locator(".state")).to_have_text("answered", timeout=PATIENCE)
    expect(scores).to_contain_text("architectures drawn from the policy score")
    assert page.request.get(f"{base}/api/searches/{search['id']}").json()["state"] == "running"
    expect(page.locator("epochs-table")).to_contain_text("1", timeout=PATIENCE)
    send(f"/api/searches/{search['id']}/pause", {})
    expect(page.locator("state-strip")).to_contain_text("paused", ignore_case=True, timeout=PATIENCE)
    scores.get_by_role("button", name="Ask again").click()
    expect(scores.locator(".state")).to_have_text(["answered", "answered"], timeout=PATIENCE)
    expect(scores.locator("li").first).to_contain_text("under the weights at the end of epoch")
    if folder := os.environ.get("SCREENSHOTS"):
        scores.screenshot(path=Path(folder) / "asked-scores.png")
    send(f"/api/searches/{search['id']}/stop", {})
