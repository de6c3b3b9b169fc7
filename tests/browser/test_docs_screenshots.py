"""The pictures of the docs, made anew: each page still shows what the text beside its picture names.

`make docs` runs this with CELLWRIGHT_DOCS_IMAGES=docs/images, which writes the pictures that are committed; otherwise
they go to a temporary folder. Pixels are not compared: every system has fonts of its own.
"""

import io
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.browser import live_page_server
from tests.browser.live_page_server import Played, served
from tests.browser.recorded_search import recorded_search
from tests.browser.replay_server import Replayed, ReplayHandler
from tests.browser.test_compare import SMALL
from tests.browser.test_live_elements import Line
from tests.browser.test_shared_page import recorded
from tests.browser.watched_pages import PHONE, watch
from tests.running_application import RunningApplication
from tests.web.slow_sizes import long
from webapp.docs.catalogue import DOCS

WIDE = {"width": 1280, "height": 800}
TALL = {"width": 1280, "height": 1600}
SEARCH = recorded_search()
COLOURS, MOST_BYTES = 128, 150_000
SLOW = 30_000  # Milliseconds: the machine may be busy with other tests.


@dataclass(frozen=True, kw_only=True)
class Picture:
    """path: of the real application; stream: of a recorded one instead. part: the element that is shown, "" for the
    window; waits: what must be visible before; names: words of the text beside it that the page must show."""

    name: str
    page: str
    path: str = ""
    stream: Callable[[], Played] | None = None
    part: str = ""
    waits: str = "h1"
    names: tuple[str, ...] = ()
    scheme: Any = "light"
    viewport: Any = None
    act: Callable[[Page], object] = lambda page: None


def finished() -> Played:
    return Played("search", SEARCH, len(SEARCH))


def shared() -> Played:
    events = recorded("enas-micro")
    return Played("search", events, len(events))


def half_way() -> Played:
    return Played("search", SEARCH, len(SEARCH) // 2)


def replayed() -> Played:
    return Replayed("search", SEARCH, at=len(SEARCH) // 2)


START_GROUP = """async (config) => {
    const token = document.querySelector('meta[name="csrf-token"]').content;
    const headers = {"Content-Type": "application/json", "X-CSRFToken": token};
    const wanted = {config, seeds: [1, 2, 3], strategies: ["ppo", "random"]};
    const reply = await fetch("/api/groups", {method: "POST", headers, body: JSON.stringify(wanted)});
    location.assign((await reply.json()).url);
}"""


def compared(page: Page) -> None:
    """A small search with three seeds and two strategies, once all six have ended."""
    page.evaluate(START_GROUP, SMALL | {"name": "Small search"})
    finished = page.locator(".compare-family tbody tr:nth-child(2):has-text('3 finished')")
    finished.wait_for(timeout=4 * SLOW)
    page.locator(".compare-family tbody tr:nth-child(1):has-text('3 finished')").wait_for(timeout=4 * SLOW)


CHART = "reward-chart .main-svg"
PICTURES = (
    Picture(name="start-form", page="getting-started", path="/searches/new",
            waits=".cost-time:not(:text-is('…'))",
            names=("New search", "Two-minute demo", "Before you start", "Start the search")),
    Picture(name="term", page="getting-started", path="/searches/new", viewport=PHONE,
            act=lambda page: page.get_by_role("button", name="policy", exact=True).click(), waits="#term-policy"),
    Picture(name="live-search", page="live-page", stream=finished, waits=CHART,
            names=("In training", "Children", "Accuracy against cost", "Workers", "Log", "Started with", "Train this")),
    Picture(name="live-search-dark", page="live-page", stream=finished, waits=CHART, scheme="dark"),
    Picture(name="policy", page="live-page", stream=finished, part="section:has(> policy-map)", viewport=TALL,
            waits="policy-map canvas", names=("What the controller prefers", "How to read this")),
    Picture(name="live-shared", page="shared-weights", stream=shared, waits="shared-chart .main-svg",
            names=("Shared weights", "Scores", "Entropy")),
    Picture(name="steer", page="understand-and-steer", stream=half_way, part="section:has(> steer-panel)",
            waits="steer-panel button:visible", names=("Steer",)),
    Picture(name="replay", page="understand-and-steer", stream=replayed, waits=CHART, names=("Replay",)),
    Picture(name="compare", page="understand-and-steer", path="/compare", act=compared, waits="compare-chart .main-svg",
            viewport=TALL, names=("Compare",)),
    Picture(name="editor", page="understand-and-steer", path="/architectures/edit?architecture=nasnet-a",
            waits="[data-edited] svg", names=("Edit",)),
    Picture(name="data", page="your-data", path="/data", names=("Data",)),
    Picture(name="gallery", page="take-away", path="/architectures", waits="cell-picture svg",
            names=("Architectures", "Import an architecture")),
    Picture(name="architecture", page="take-away", path="/architectures/nasnet-a", part="section:has(> network-counts)",
            waits="network-counts [data-count]", names=("Size in any network", "Fit a budget", "Train in this size")),
)  # fmt: skip


@pytest.fixture(autouse=True)
def stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_page_server, "_Handler", ReplayHandler)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    wanted = os.environ.get("CELLWRIGHT_DOCS_IMAGES")
    return Path(wanted).resolve() if wanted else tmp_path_factory.mktemp("pictures")


@pytest.mark.parametrize(
    "picture",
    [pytest.param(picture, id=picture.name, marks=long if picture.act is compared else ()) for picture in PICTURES],
)
def test_a_picture_is_made_of_a_page_that_shows_what_its_text_names(
    browser: Browser, application: RunningApplication, folder: Path, picture: Picture
) -> None:
    with opened(browser, application, picture) as page:
        picture.act(page)
        page.locator(picture.waits).first.wait_for(timeout=SLOW)
        for name in picture.names:
            expect(page.get_by_text(name).first).to_be_attached()
        part = page.locator(picture.part) if picture.part else page
        if picture.part:
            part.scroll_into_view_if_needed()
        page.wait_for_timeout(500)  # Charts and pictures of cells come a moment after what holds them.
        written = _quantised(part.screenshot(animations="disabled"))
    assert 2_000 < len(written) < MOST_BYTES, len(written)
    (folder / f"{picture.name}.png").write_bytes(written)


@contextmanager
def opened(browser: Browser, application: RunningApplication, picture: Picture) -> Iterator[Page]:
    """The page of a picture; it may complain of nothing."""
    context = browser.new_context(viewport=picture.viewport or WIDE, color_scheme=picture.scheme, locale="en-GB")
    watched = watch(context.new_page())
    page = watched.page
    if picture.stream is None:
        page.goto(application.link)
        page.goto(application.address + picture.path)
        yield page
    else:
        Line(page)
        played = picture.stream()
        with served(played) as address:
            page.clock.set_fixed_time(played.events[played.n - 1]["at"] + 3)
            page.goto(address)
            page.clock.resume()
            yield page
    context.close()
    assert watched.complaints == []


def _quantised(png: bytes) -> bytes:
    """The picture with few colours: these pages have few, and it is a third of the size."""
    small = Image.open(io.BytesIO(png)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    out = io.BytesIO()
    small.save(out, "PNG", optimize=True)
    return out.getvalue()


def test_every_picture_of_the_docs_is_made_here_for_the_page_that_shows_it() -> None:
    made = {(picture.page, picture.name) for picture in PICTURES}
    shown = {(page.stem, name) for page in DOCS.glob("*.md")
             for name in re.findall(r"!\[[^\]]*\]\(images/([a-z-]+)\.png\)", page.read_text())}  # fmt: skip
    assert made == shown


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)
def test_what_a_picture_must_show_is_named_in_the_text_beside_it(picture: Picture) -> None:
    text = (DOCS / f"{picture.page}.md").read_text()
    assert [name for name in picture.names if name not in text] == []
