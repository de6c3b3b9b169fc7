"""Being told when a search or a training has ended, failed or stalled."""

from collections.abc import Sequence
from typing import Any, Literal
from uuid import UUID

from webapp.client.connection import Connection, Json

Topic = Literal["ended", "failed", "stalled"]
ALL: tuple[Topic, ...] = ("ended", "failed", "stalled")


class Notices:
    """Where you are told, and what you were told. A browser is added in the browser itself."""

    PATH = "/api/notices"

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def all(self) -> list[dict[str, Any]]:
        """The newest first, each with what became of it at every target."""
        found: list[dict[str, Any]] = self._connection.get(self.PATH)["notices"]
        return found

    def targets(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._connection.get(self.PATH)["targets"]
        return found

    def add_webhook(self, url: str, topics: Sequence[Topic] = ALL, *, label: str = "") -> Json:
        """The answer has its id and the secret that signs what is sent, which is told this once."""
        return self._add(kind="webhook", url=url, topics=list(topics), label=label)

    def add_email(self, topics: Sequence[Topic] = ALL) -> Json:
        """To the address of your account."""
        return self._add(kind="email", topics=list(topics))

    def _add(self, **target: Any) -> Json:
        return self._connection.post(f"{self.PATH}/targets", target, once=False)

    def change(self, target_id: UUID | str, topics: Sequence[Topic]) -> None:
        self._connection.patch(f"{self.PATH}/targets/{target_id}", topics=list(topics))

    def remove(self, target_id: UUID | str) -> None:
        self._connection.delete(f"{self.PATH}/targets/{target_id}")

    def test(self, target_id: UUID | str) -> None:
        """Send a test there; the list of notices says what became of it."""
        self._connection.post(f"{self.PATH}/targets/{target_id}/test", once=False)

    def renew_secret(self, target_id: UUID | str) -> str:
        """Of a webhook: the old one signs nothing from now on."""
        return str(self._connection.post(f"{self.PATH}/targets/{target_id}/secret", once=False)["secret"])
