"""Children of a search."""

from typing import Any
from uuid import UUID

from webapp.client.architectures import Architecture
from webapp.client.connection import Connection
from webapp.client.replies import ChildFacts


class Child(Architecture):
    """A child with its architecture, which draws itself in a notebook. facts: reward, size and more.

    decisions: the option that it took in every decision, by place; log_probability: of drawing it, in nats.
    """

    def __init__(self, connection: Connection, search: UUID, found: dict[str, Any]) -> None:
        super().__init__(found["architecture"])
        self._connection = connection
        self.search = search
        self.facts = ChildFacts(**found)
        self.decisions: list[int] = found["decisions"]
        self.log_probability: float = found["log_probability"]

    def __repr__(self) -> str:
        reward = "no reward" if self.facts.reward is None else f"reward {self.facts.reward:.4f}"
        return f"<Child {self.facts.step}.{self.facts.slot}: {reward}>"

    @property
    def named(self) -> dict[str, Any]:
        return {"search": str(self.search), "step": self.facts.step, "slot": self.facts.slot}

    def file(self, filename: str) -> bytes:
        """As picture.svg, architecture.json, or in another program's dialect."""
        place = f"/api/searches/{self.search}/children/{self.facts.step}/{self.facts.slot}"
        return self._connection.content(f"{place}/{filename}")
