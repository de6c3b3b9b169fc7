"""The sizes of window that pages are looked at in, and pages whose every complaint is kept."""

from dataclasses import dataclass

from playwright.sync_api import Page

DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}


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
