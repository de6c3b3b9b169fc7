"""The final round on the live page, over recorded events: ranked finalists, the strip, and the kept network."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from search_engine.events import (
    FinalistEpochEnded,
    FinalistFinished,
    FinalistsChosen,
    FinalistShown,
    FinalistStarted,
    ResultKept,
    StateChanged,
)
from tests.browser.answering import without_charts
from tests.browser.live_page_server import ID, Played, served
from tests.browser.recorded_search import recorded_search
from tests.browser.test_live_elements import Line
from tests.browser.watched_pages import PHONE, watch
from webapp.searches.log_sentences import sentence

EPOCHS = 8
ACCURACIES = {1: 0.812, 2: 0.834, 3: None, 4: 0.79}  # By rank; the third diverges.


def with_final_round() -> list[dict[str, Any]]:
    """A recorded search of which the four best go on, on two workers."""
    rows = recorded_search()[:-1]
    best = {}
    for event in rows:
        if event["kind"] == "child_finished" and event["reason"] is None and event["twin"] is None:
            best[event["step"], event["slot"]] = event["reward"]
    drawn = {
        (event["step"], proposal["slot"]): proposal
        for event in rows if event["kind"] == "step_proposed" for proposal in event["proposals"]
    }  # fmt: skip
    chosen = sorted(best, key=lambda place: -best[place])[:4]
    finalists = tuple(
        FinalistShown(rank=rank, step=step, slot=slot, reward=best[step, slot], hash=drawn[step, slot]["hash"],
                      architecture=drawn[step, slot]["architecture"])
        for rank, (step, slot) in enumerate(chosen, 1)
    )  # fmt: skip
    events: list[Any] = [FinalistsChosen(finalists=finalists)]
    for rank, accuracy in ACCURACIES.items():
        events.append(FinalistStarted(rank=rank, worker=f"worker-{rank % 2}"))
        for epoch in range(1, EPOCHS + 1 if accuracy else 3):
            events.append(
                FinalistEpochEnded(rank=rank, epoch=epoch, epochs=EPOCHS, loss=2 / epoch, learning_rate=0.1,
                                   accuracy=(accuracy or 0.4) - 0.3 / epoch, seconds=2.0)
            )  # fmt: skip
        reason = None if accuracy else "recipe.learning_rate is 10.0; the loss ceased to be finite in epoch 3."
        events.append(FinalistFinished(rank=rank, accuracy=accuracy, reason=reason, parameters=300_000,
                                       mult_adds=9_000_000, seconds=16.0))  # fmt: skip
    events += [ResultKept(rank=2, accuracy=0.834, checkpoint="c" * 64, fingerprint="f" * 64)]
    events += [StateChanged(state="finished")]
    first, at = len(rows), rows[-1]["at"]
    return rows + [{"n": first + n, "at": at + 2 * n, **event.to_json()} for n, event in enumerate(events, 1)]


SEARCH = with_final_round()


def number_of(kind: str, nth: int = 1) -> int:
    return [event["n"] for event in SEARCH if event["kind"] == kind][nth - 1]


@pytest.fixture
def chartless(page: Page) -> None:
    without_charts(page)


def opened(page: Page, n: int) -> Iterator[Page]:
    line = Line(page)
    played = Played("search", SEARCH, n)
    with served(played) as address:
        page.clock.set_fixed_time(SEARCH[n - 1]["at"])
        page.goto(address)
        page.line = line  # type: ignore[attr-defined]
        yield page


@pytest.fixture
def midway(page: Page, chartless: None) -> Iterator[Page]:
    """The second finalist is in its fifth epoch."""
    yield from opened(page, number_of("finalist_epoch_ended", EPOCHS + 5))


@pytest.fixture
def finished(page: Page, chartless: None) -> Iterator[Page]:
    yield from opened(page, len(SEARCH))


def shot(page: Page, name: str) -> None:
    """Kept where somebody wants to look: SCREENSHOTS names a folder."""
    if folder := os.environ.get("SCREENSHOTS"):
        page.locator("final-round").screenshot(path=Path(folder) / f"{name}.png")
        page.locator("state-strip").screenshot(path=Path(folder) / f"{name}-strip.png")


def ranks(page: Page) -> list[str]:
    return page.locator("final-round tbody th").all_inner_texts()


def test_before_the_final_round_its_panel_is_not_there(page: Page, chartless: None) -> None:
    for opened_page in opened(page, number_of("child_finished", 5)):
        expect(opened_page.locator("state-strip")).to_contain_text("children done")
        expect(opened_page.locator("final-round")).to_be_hidden()


def test_finalists_are_ranked_with_reward_accuracy_and_curve(midway: Page) -> None:
    assert ranks(midway) == ["1", "2", "3", "4"]
    first, second, third = (midway.locator("final-round tbody tr").nth(place) for place in (0, 1, 2))
    expect(first).to_contain_text("81.20 %")
    expect(first).to_contain_text("Done")
    expect(second).to_contain_text("5 of 8")
    expect(second).to_contain_text("worker-0")
    expect(third).to_contain_text("Waits for a worker")
    assert second.locator("path").get_attribute("d").count("L") == 4
    expect(midway.locator("state-strip .strip-children")).to_have_text("final round1 of 4")
    expect(midway.locator("state-strip .strip-workers dd")).to_have_text("1")
    expect(midway.locator("final-round [data-kept]")).to_be_hidden()
    shot(midway, "midway")


def test_what_comes_by_the_socket_moves_the_ranks_and_ends_with_the_kept_network(midway: Page) -> None:
    midway.line.send(SEARCH[number_of("finalist_epoch_ended", EPOCHS + 5) :])
    expect(midway.locator("final-round [data-kept]")).to_be_visible()
    assert ranks(midway) == ["2", "1", "4", "3"]
    expect(midway.locator("state-strip .strip-children")).to_have_text("final round4 of 4")


def test_the_kept_network_can_be_downloaded_seen_and_trained(finished: Page) -> None:
    chosen = next(event for event in SEARCH if event["kind"] == "finalists_chosen")["finalists"][1]
    kept = finished.locator("final-round [data-kept]")
    expect(kept.get_by_role("link", name="Download the network, 1.25 MB")).to_have_attribute(
        "download", "result.safetensors"
    )
    place = f"{chosen['step']}/{chosen['slot']}"
    expect(kept.get_by_role("link", name="Architecture")).to_have_attribute("href", f"/searches/{ID}/children/{place}")
    expect(kept.get_by_role("link", name="Train this")).to_have_attribute(
        "href", f"/trainings/new?search={ID}&step={chosen['step']}&slot={chosen['slot']}"
    )
    expect(finished.locator("final-round tbody tr").first).to_contain_text("Kept")
    expect(finished.locator("final-round")).to_contain_text("the test images have not been looked at")
    finished.locator("final-round svg.cell-drawing, final-round cell-picture svg").first.wait_for()
    shot(finished, "finished")
    finished.emulate_media(color_scheme="dark")
    shot(finished, "finished-dark")


def test_a_phone_scrolls_the_table_and_not_the_page(context: BrowserContext) -> None:
    watched = watch(context.new_page())
    watched.page.set_viewport_size(PHONE)
    without_charts(watched.page)
    for page in opened(watched.page, len(SEARCH)):
        page.locator("final-round cell-picture svg").wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        shot(page, "phone")
    assert watched.complaints == []


def test_one_finalist_is_told_as_one_in_words_and_log(page: Page, chartless: None) -> None:
    alone = [
        {**event, "finalists": event["finalists"][:1]} if event["kind"] == "finalists_chosen" else event
        for event in SEARCH[: number_of("finalists_chosen")]
    ]
    assert sentence(alone[-1]) == "The final round started: 1 finalist is trained again."
    line = Line(page)
    with served(Played("search", alone, len(alone))) as address:
        page.goto(address)
        expect(page.locator("final-round [data-words]")).to_contain_text("The best child is trained again from scratch")
    with served(Played("search", alone, len(alone) - 1)) as address:  # The script writes what the server wrote.
        page.goto(address)
        line.send(alone[-1:])
        expect(page.locator("event-log li").first).to_contain_text(sentence(alone[-1]))
