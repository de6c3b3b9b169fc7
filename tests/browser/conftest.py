"""A real browser, pages that fail the test on any console error or policy violation, and the real application."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.browser.find_browser import FLAGS, chromium_path
from tests.browser.live_page_server import ENDED
from tests.browser.watched_pages import DESKTOP, watch
from tests.running_application import RunningApplication, start_application, stop_application


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder needs a browser, and a process of its own: Playwright keeps an event loop running."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = chromium_path()
    assert path, "No browser: `make test` installs one."
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport=DESKTOP)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    watched = watch(context.new_page())
    yield watched.page
    assert [each for each in watched.complaints if not _asks_an_ended_server(each)] == []


def _asks_an_ended_server(complaint: str) -> bool:
    """Whether a page missed a picture only because its test, and so the stand-in server, was over before it came."""
    return "net::ERR_CONNECTION_" in complaint and any(f"({origin}/" in complaint for origin in ENDED)


@pytest.fixture(scope="session")
def application(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApplication]:
    application = start_application(tmp_path_factory.mktemp("application"))
    yield application
    stop_application(application)


@pytest.fixture
def owner_page(application: RunningApplication, page: Page) -> Page:
    """A page of a browser that has just followed the sign-in link."""
    page.goto(application.link)
    return page
