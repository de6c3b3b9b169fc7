"""A page of the real application, started with an empty data folder, in a real browser. Both share this machine."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.browser.find_browser import FLAGS, chromium_path
from tests.browser.watched_pages import DESKTOP
from tests.running_application import start_application, stop_application


@contextmanager
def application_page() -> Iterator[tuple[Page, str]]:
    """The page, and the link that signs it in."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        application = start_application(Path(folder))
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=list(FLAGS))
        try:
            yield browser.new_context(viewport=DESKTOP, base_url=application.address).new_page(), application.link
        finally:
            browser.close()
            stop_application(application)
