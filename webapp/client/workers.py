"""Who works."""

from typing import Any
from urllib.parse import quote

from webapp.client.connection import Connection
from webapp.client.replies import HostFacts, WorkerFacts


class Workers:
    """Workers and their machines."""

    PATH = "/api/workers"

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def all(self) -> list[WorkerFacts]:
        return [WorkerFacts(**each) for each in self._connection.get(self.PATH)["workers"]]

    def hosts(self) -> list[HostFacts]:
        """Machines on which work was lost, or that are drained."""
        return [HostFacts(**each) for each in self._connection.get(self.PATH)["hosts"]]

    def waiting(self) -> list[dict[str, Any]]:
        """Work that waits, in the order in which its turns come."""
        found: list[dict[str, Any]] = self._connection.get(self.PATH)["waiting"]
        return found

    def drain(self, name: str) -> None:
        """It claims nothing any more, and gives back what it does at the next checkpoint."""
        self._connection.patch(f"{self.PATH}/{quote(name, safe='')}", is_drained=True)

    def use(self, name: str) -> None:
        self._connection.patch(f"{self.PATH}/{quote(name, safe='')}", is_drained=False)

    def drain_host(self, name: str) -> None:
        self._connection.patch(f"{self.PATH}/hosts/{quote(name, safe='')}", is_drained=True)

    def use_host(self, name: str) -> None:
        """Also where it was set aside because work was lost on it."""
        self._connection.patch(f"{self.PATH}/hosts/{quote(name, safe='')}", is_drained=False, is_set_aside=False)
