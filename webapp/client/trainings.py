"""Trainings: started, listed, waited for, and their bundles."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal
from uuid import UUID

from webapp.client.architectures import Architecture
from webapp.client.connection import Connection
from webapp.client.drawn import table
from webapp.client.errors import CellwrightError, Problem, unless_wrong
from webapp.client.files import File
from webapp.client.replies import Cost, TrainingFacts
from webapp.client.streams import LONGEST_LOOK, Stream

BUNDLE = "Bundle"
COMING = ("waiting", "making")
PAGE = 200


class Training(Stream):
    """A network that is trained for keeps."""

    KIND: ClassVar[Literal["searches", "trainings"]] = "trainings"
    facts: TrainingFacts

    def _take(self, found: dict[str, Any]) -> None:
        self.facts = TrainingFacts(**found)

    def __str__(self) -> str:
        reached = "" if self.result is None else f", {self.measure} {self.result:.4f}"
        return f"{self.facts.name}: {self.state}, {self.facts.epochs_done} of {self.facts.epochs} epochs{reached}"

    def _repr_html_(self) -> str:
        rows = [("State", self.state), ("Epochs", f"{self.facts.epochs_done} of {self.facts.epochs}"),
                ("Parameters", f"{self.facts.parameters:,}")]  # fmt: skip
        if self.result is not None:
            rows.append((self.measure.capitalize(), f"{self.result:.4f}"))
        return table(self.facts.name or "Training", self.page, rows)

    @property
    def measure(self) -> str:
        return "test accuracy" if self.facts.test_perplexity is None else "test perplexity"

    @property
    def result(self) -> float | None:
        """Of the one look at the test part, at its end: accuracy, or perplexity on text; None before."""
        perplexity = self.facts.test_perplexity
        return self.facts.test_accuracy if perplexity is None else perplexity

    def architecture(self) -> Architecture:
        return Architecture(self.config["architecture"])

    def architecture_file(self, filename: str) -> bytes:
        """Its architecture as picture.svg, architecture.json, or in another program's dialect."""
        return self._connection.content(f"{self.path}/{filename}")

    def bundle(self) -> File:
        """The trained network as a zip that runs without this program. One that is missing is made, and waited for.

        Raises CellwrightError where the training is not finished, or no bundle can be made.
        """
        state = self._bundle_state()
        if state in ("absent", "failed", "impossible"):
            state = self._connection.post(f"{self.path}/bundle")["bundle"]
        while state in COMING:
            self._connection.sleep(LONGEST_LOOK / 5)
            state = self._bundle_state()
        if state != "there":
            raise CellwrightError(409, [Problem("", "No bundle of this training could be made.")])
        return self.file(BUNDLE)

    def save_bundle(self, target: str | Path = ".") -> Path:
        return self.bundle().save(target)

    def _bundle_state(self) -> str:
        return str(self._connection.get(f"{self.path}/artifacts")["bundle"])


class Trainings:
    """Yours, and those that others share with you."""

    PATH = "/api/trainings"

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def all(self, *, of_search: UUID | None = None) -> Iterator[Training]:
        """Newest first. of_search: only of children of this one."""
        offset, total = 0, 1
        while offset < total:
            found = self._connection.get(self.PATH, limit=PAGE, offset=offset, search=of_search and str(of_search))
            yield from (Training(self._connection, each) for each in found["trainings"])
            offset, total = offset + PAGE, found["total"]

    def get(self, training_id: UUID | str) -> Training:
        return Training(self._connection, self._connection.get(f"{self.PATH}/{training_id}"))

    def defaults(self, architecture: Architecture) -> dict[str, Any]:
        """The configuration that the form would propose, to be changed and started."""
        found = self._connection.post(f"{self.PATH}/defaults", architecture.named)
        config: dict[str, Any] = found["config"]
        return config

    def estimate(self, architecture: Architecture, config: Mapping[str, Any] | None = None) -> Cost:
        """What it would cost. Raises CellwrightError at what is wrong with it. Starts nothing."""
        return Cost(**unless_wrong(self._connection.post(f"{self.PATH}/estimate", self._wanted(architecture, config))))

    def start(
        self, architecture: Architecture, config: Mapping[str, Any] | None = None, *,
        epochs: int | None = None, key: str = "",
    ) -> Training:  # fmt: skip
        """Of a child, an architecture of the gallery or any other. config: left out, what the form would propose.

        epochs: instead of those of the configuration. key: a text of your own; the same one starts it once, however
        often the script runs.
        """
        wanted = self._wanted(architecture, config)
        if epochs is not None:
            recipe = wanted["config"].get("recipe", {})
            wanted["config"] = wanted["config"] | {"recipe": recipe | {"epochs": epochs}}
        return self.get(self._connection.post(self.PATH, wanted, key=key)["id"])

    def _wanted(self, architecture: Architecture, config: Mapping[str, Any] | None) -> dict[str, Any]:
        chosen = self.defaults(architecture) if config is None else dict(config)
        return architecture.named | {"config": {name: chosen[name] for name in chosen if name != "architecture"}}
