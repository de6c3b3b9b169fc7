"""Searches of the real application, started and read as a program does that has the page's session."""

import time
from collections.abc import Callable
from typing import Any

import httpx

from tests.running_application import RunningApplication

LONGEST_SEARCH = 1800  # Seconds.
PAGE = 500  # Events asked for at once.


class ApplicationSearches:
    """Signed in with the link that the application printed; closed by `close`."""

    def __init__(self, application: RunningApplication) -> None:
        self._browser = httpx.Client(base_url=application.address, follow_redirects=True)
        self._browser.get(application.link)
        self._headers = {"X-CSRFToken": self._browser.cookies["csrftoken"], "Referer": application.address}

    def close(self) -> None:
        self._browser.close()

    def start(self, config: dict[str, Any]) -> str:
        """The identifier of a search of this configuration."""
        answer = self._browser.post("/api/searches", json={"config": config}, headers=self._headers)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def told(self, search: str, of: str = "") -> dict[str, Any]:
        """What the API says of it, or of a part of it such as "/time-left"."""
        answer: dict[str, Any] = self._browser.get(f"/api/searches/{search}{of}").json()
        return answer

    def wait(self, search: str, until: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """What the API says of it at the first look at which this holds; looks are few, since they cost the cores that
        train."""
        latest = time.monotonic() + LONGEST_SEARCH
        while not until(told := self.told(search)):
            assert time.monotonic() < latest, f"the search is still {told['state']}"
            time.sleep(1.0)
        return told

    def finished(self, search: str) -> list[dict[str, Any]]:
        """All its events, once it has finished."""
        self.wait(search, lambda told: told["state"] == "finished")
        events: list[dict[str, Any]] = []
        while page := self.told(search, f"/events?after={len(events)}&limit={PAGE}")["events"]:
            events += page
        return events
