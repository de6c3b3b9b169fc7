"""What is known of how much the rewards and scores of a search mean."""

from typing import Any
from uuid import UUID

from webapp.client.architectures import Architecture
from webapp.client.connection import Connection, Json


class SearchTests:
    """Comparisons with random search, the honesty meter, and scores that one asks for."""

    def __init__(self, connection: Connection, path: str) -> None:
        self._connection = connection
        self._path = path

    def against_random(self) -> Json:
        """Of a search that trains every child by itself: verdict and sentences."""
        return self._connection.get(f"{self._path}/comparison")

    def shared_against_random(self) -> Json:
        """Of a search with shared weights: the best of each side, trained from scratch."""
        return self._connection.get(f"{self._path}/shared-comparison")

    def honesty_meter(self) -> Json:
        """What shared scores say about training from scratch."""
        return self._connection.get(f"{self._path}/honesty-meter")

    def honesty_meter_cost(self, networks: int, epochs: int) -> Json:
        return self._connection.get(f"{self._path}/honesty-meter/cost", networks=networks, epochs=epochs)

    def start_honesty_meter(self, networks: int, epochs: int) -> Json:
        """Train so many candidates of different score from scratch."""
        return self._connection.post(f"{self._path}/honesty-meter", {"networks": networks, "epochs": epochs})

    def stop_honesty_meter(self) -> Json:
        return self._connection.post(f"{self._path}/honesty-meter/stop")

    def ask_score(self, architecture: Architecture) -> Json:
        """Ask shared weights for its score. The answer has an id; `score` tells when it is there."""
        return self._connection.post(f"{self._path}/scores", {"architecture": architecture.json})

    def score(self, score_id: UUID | str) -> Json:
        return self._connection.get(f"{self._path}/scores/{score_id}")

    def scores(self) -> list[dict[str, Any]]:
        """The newest first."""
        found: list[dict[str, Any]] = self._connection.get(f"{self._path}/scores")["scores"]
        return found
