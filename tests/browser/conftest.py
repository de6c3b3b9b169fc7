"""A real browser, pages that fail the test on any console error or policy violation, and the real application."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.browser.find_browser import FLAGS, chromium_path

ROOT = Path(__file__).resolve().parents[2]
DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}


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


@dataclass
class Watched:
    """A page and everything it complained about."""

    page: Page
    complaints: list[str]


def watch(page: Page) -> Watched:
    """Collect console errors, uncaught exceptions, failed requests and content-policy violations of a page."""
    complaints: list[str] = []

    def on_console(message) -> None:
        if message.type == "error" or "Content Security Policy" in message.text:
            complaints.append(f"console: {message.text} ({message.location.get('url', '')})")

    page.on("console", on_console)
    page.on("pageerror", lambda error: complaints.append(f"exception: {error}"))
    return Watched(page, complaints)


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport=DESKTOP)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    watched = watch(context.new_page())
    yield watched.page
    assert watched.complaints == []


@dataclass
class Application:
    """The real `manage.py up` with its own data folder."""

    process: subprocess.Popen
    link: str
    folder: Path

    @property
    def address(self) -> str:
        return self.link.split("/sign-in/")[0]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start_application(folder: Path, seconds: float = 90) -> Application:
    """Start `manage.py up` on a free port and wait for its sign-in link."""
    environment = {k: v for k, v in os.environ.items() if k not in ("REDIS_URL", "DATABASE_URL")}
    environment |= {"CELLWRIGHT_DATA": str(folder), "CELLWRIGHT_PORT": str(free_port()), "PYTHONUNBUFFERED": "1"}
    with (folder / "up.txt").open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "up"], cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        found = re.search(r"http://\S+/sign-in/\S+", (folder / "up.txt").read_text())
        if found:
            return Application(process, found.group(), folder)
        time.sleep(0.1)
    process.kill()
    raise AssertionError(f"no sign-in link:\n{(folder / 'up.txt').read_text()}")


def stop_application(application: Application) -> None:
    application.process.send_signal(signal.SIGTERM)
    application.process.wait(timeout=30)


@pytest.fixture(scope="session")
def application(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    application = start_application(tmp_path_factory.mktemp("application"))
    yield application
    stop_application(application)


@pytest.fixture
def owner_page(application: Application, page: Page) -> Page:
    """A page of a browser that has just followed the sign-in link."""
    page.goto(application.link)
    return page
