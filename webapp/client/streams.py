"""What searches and trainings have in common: their state, commands, events, files and links."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, Literal, Self
from urllib.parse import quote
from uuid import UUID

from webapp.client import files
from webapp.client.connection import Connection, Json
from webapp.client.errors import CellwrightError, Problem
from webapp.client.files import File
from webapp.client.replies import Link, SearchFacts, Share, TrainingFacts

ENDED = ("finished", "stopped", "failed")
SHORTEST_LOOK, LONGEST_LOOK = 0.25, 5.0  # Seconds between two looks: each is longer, until something has happened.
PAGE = 500  # Events of one request.


class Stream(ABC):
    """A search or a training on the server, as it was at the last look: see `refresh`."""

    KIND: ClassVar[Literal["searches", "trainings"]]
    facts: SearchFacts | TrainingFacts

    def __init__(self, connection: Connection, found: dict[str, Any]) -> None:
        self._connection = connection
        self._config: dict[str, Any] | None = None  # A list does not tell it.
        self._keep(found)

    def _keep(self, found: dict[str, Any]) -> None:
        self._config = found.get("config", self._config)
        self._take(found)

    @abstractmethod
    def _take(self, found: dict[str, Any]) -> None:
        """Keep the facts that the server tells."""

    @abstractmethod
    def __str__(self) -> str:
        """How it stands, in a line."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id}: {self}>"

    @property
    def id(self) -> UUID:
        return self.facts.id

    @property
    def state(self) -> str:
        """running, paused, finished, stopped, failed or deleting."""
        return self.facts.state

    @property
    def is_over(self) -> bool:
        return self.state in ENDED

    @property
    def path(self) -> str:
        return f"/api/{self.KIND}/{self.id}"

    @property
    def page(self) -> str:
        """Address of its page, for a browser."""
        return self._connection.url + self.facts.url

    @property
    def config(self) -> dict[str, Any]:
        """What was started."""
        if self._config is None:
            self.refresh()
        assert self._config is not None
        return self._config

    def refresh(self) -> Self:
        self._keep(self._connection.get(self.path))
        return self

    def wait(self, *, progress: Callable[[Self], object] | None = None, timeout: float | None = None) -> Self:
        """Until it is finished, stopped or failed; which of them, `state` tells. A pause is waited out.

        progress: is called with it whenever it reads differently, as with `print`. Raises TimeoutError after `timeout`
        seconds.
        """
        until = None if timeout is None else time.monotonic() + timeout
        known, told, pause = -1, "", SHORTEST_LOOK
        while True:
            self.refresh()
            if self.facts.last_event != known:
                known, pause = self.facts.last_event, SHORTEST_LOOK
            if progress and str(self) != told:
                told = str(self)
                progress(self)
            if self.is_over:
                return self
            if until is not None and time.monotonic() >= until:
                raise TimeoutError(f"After {timeout:g} seconds it is not over: {self}.")
            self._connection.sleep(pause)
            pause = min(1.5 * pause, LONGEST_LOOK)

    def events(self, after: int = 0, *, follow: bool = False) -> Iterator[dict[str, Any]]:
        """What happened since event `after`, in order: {"n", "at", "kind", ...}, each once.

        follow: wait for more, until it is over.
        """
        pause = SHORTEST_LOOK
        while True:
            found = self._connection.get(f"{self.path}/events", after=after, limit=PAGE)["events"]
            for event in found:
                after, pause = event["n"], SHORTEST_LOOK
                yield event
            if found:
                continue
            if not follow or self.refresh().is_over and self.facts.last_event <= after:
                return
            self._connection.sleep(pause)
            pause = min(1.5 * pause, LONGEST_LOOK)

    def pause(self) -> Self:
        return self._command("pause")

    def resume(self) -> Self:
        return self._command("resume")

    def stop(self) -> Self:
        """For good."""
        return self._command("stop")

    def _command(self, verb: str) -> Self:
        self._connection.post(f"{self.path}/{verb}")
        return self.refresh()

    def change(self, **changes: Any) -> Json:
        """What changes nothing that is computed: name, tags, notes, archived, and priority: "first", "normal" or
        "later". Answers with what they are now."""
        return self._connection.patch(self.path, **changes)

    def shares(self) -> list[Share]:
        """With whom it is shared, by name."""
        return [Share(**each) for each in self._connection.get(f"{self.path}/shares")["shares"]]

    def share(self, user: str, role: Literal["reader", "co-owner"] = "reader") -> None:
        """With a person, by name; or change what they may do."""
        self._connection.put_json(f"{self.path}/shares", user=user, role=role)

    def unshare(self, user: str) -> None:
        self._connection.delete(f"{self.path}/shares/{quote(user, safe='')}")

    def outlook(self) -> dict[str, list[str]]:
        """What deleting would do, in sentences: {"goes", "stays"}. Deletes nothing."""
        found: dict[str, list[str]] = self._connection.get(f"{self.path}/outlook")
        return found

    def delete(self) -> None:
        """With its files, for good."""
        self._connection.delete(self.path)

    def files(self) -> list[File]:
        return files.listed(self._connection, f"{self.path}/artifacts")

    def file(self, label: str) -> File:
        """The file of this label. Raises CellwrightError where there is none."""
        found = {file.facts.label: file for file in self.files()}
        if label not in found:
            known = f"; there is {', '.join(found)}" if found else ""
            raise CellwrightError(404, [Problem("label", f"is {label!r}, which no file has{known}.")])
        return found[label]

    def time_left(self) -> Json:
        """{"seconds", "why", "at"}: until it should end; None where `why` says what is missing."""
        return self._connection.get(f"{self.path}/time-left")

    def timeline(self) -> Json:
        """When its events happened, and which stand out."""
        return self._connection.get(f"{self.path}/timeline")

    def state_at(self, event: int) -> Json:
        """What its page showed after this event, or shortly before."""
        return self._connection.get(f"{self.path}/states", at=event)

    def links(self) -> list[Link]:
        """Links that show it to whoever has them."""
        return [Link(**each) for each in self._connection.get(f"{self.path}/links")["links"]]

    def make_link(self, *, days: int | None = None) -> str:
        """The address that shows it, read-only. It is told this once. days: until it expires."""
        made = self._connection.post(f"{self.path}/links", {"days": days}, once=False)
        return self._connection.url + str(made["path"])

    def revoke_link(self, link: Link) -> None:
        self._connection.delete(f"{self.path}/links/{link.id}")
