"""Architectures: the gallery, and values that draw themselves in a notebook."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from search_engine.architectures.reading import Architecture as EngineArchitecture
from search_engine.architectures.reading import architecture_from_json
from search_engine.drawing.svg import architecture_svg
from webapp.client.connection import Connection, Json
from webapp.client.errors import unless_wrong
from webapp.client.replies import ArchitectureFacts


class Architecture:
    """An architecture: its JSON form, its value, its picture."""

    def __init__(self, json: Mapping[str, Any]) -> None:
        self.json = dict(json)
        self.value: EngineArchitecture = architecture_from_json(json)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.value.kind} {self.value.hash[:12]}>"

    def _repr_svg_(self) -> str:
        return architecture_svg(self.value)

    @property
    def hash(self) -> str:
        return self.value.hash

    @property
    def named(self) -> dict[str, Any]:
        """How a request names it."""
        return {"architecture": self.json}

    def save_picture(self, target: str | Path) -> Path:
        """As SVG."""
        path = Path(target)
        path.write_text(self._repr_svg_())
        return path


class GalleryArchitecture(Architecture):
    """One that is published, or one of yours. facts: its title and more; told: its source, published results, files."""

    def __init__(self, connection: Connection, found: dict[str, Any]) -> None:
        super().__init__(found["architecture"])
        self._connection = connection
        self.facts = ArchitectureFacts(**found)
        self.told = found

    @property
    def key(self) -> str:
        return str(self.facts.id or self.facts.name)

    @property
    def named(self) -> dict[str, Any]:
        return {"id": str(self.facts.id)} if self.facts.id else {"name": self.facts.name}

    @property
    def _path(self) -> str:
        return f"/api/architectures/{self.key}"

    def file(self, filename: str) -> bytes:
        """As picture.svg, architecture.json, or in another program's dialect: see `told["files"]`."""
        return self._connection.content(f"{self._path}/{filename}")

    def save_bundle(self, target: str | Path) -> Path:
        """The bundle in which it was brought, as it came."""
        return self._connection.save(f"{self._path}/bundle", Path(target))

    def rename(self, name: str) -> None:
        self.facts = ArchitectureFacts(**self._connection.patch(self._path, name=name))

    def delete(self) -> None:
        self._connection.delete(self._path)


class Architectures:
    """The gallery."""

    PATH = "/api/architectures"

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def all(self) -> list[ArchitectureFacts]:
        """Published ones first, then yours."""
        found = self._connection.get(self.PATH)
        return [ArchitectureFacts(**each) for each in (*found["published"], *found["own"])]

    def get(self, key: str | UUID) -> GalleryArchitecture:
        """By its name in the catalogue, or by the id of one of yours."""
        return GalleryArchitecture(self._connection, self._connection.get(f"{self.PATH}/{key}"))

    def read(self, text: str, dialect: str | None = None) -> Architecture:
        """What a text says, which is recognised without a dialect. Nothing is kept."""
        answer = self._connection.post(f"{self.PATH}/read", {"text": text, "dialect": dialect})
        return Architecture(unless_wrong(answer)["architecture"])

    def keep(self, name: str, text: str, dialect: str | None = None) -> GalleryArchitecture:
        """The same one is kept once: then the one that is there."""
        kept = self._connection.post(self.PATH, {"name": name, "text": text, "dialect": dialect})
        return self.get(kept["id"])

    def read_bundle(self, file: str | Path) -> Json:
        """What a bundle says of its network. Nothing is kept."""
        return unless_wrong(self._connection.post_file(f"{self.PATH}/bundles/read", Path(file)))

    def keep_bundle(self, name: str, file: str | Path) -> GalleryArchitecture:
        kept = self._connection.post_file(f"{self.PATH}/bundles", Path(file), name=name)
        return self.get(kept["id"])

    def describe(self, architecture: Architecture, **network: Any) -> Json:
        """Exact counts. network: layout, image_size, image_channels, classes; on text, hidden and vocabulary."""
        return self._about("describe", architecture, network)

    def transfer(self, architecture: Architecture, **network: Any) -> Json:
        """Cost over filters, and what trainings of it reached."""
        return self._about("transfer", architecture, network)

    def fit(self, architecture: Architecture, budget: int, *, of: str = "parameters", **network: Any) -> Json:
        """Sizes that come closest under a budget."""
        return self._about("fit", architecture, {"budget": budget, "of": of, **network})

    def edit(self, architecture: Architecture, edits: Sequence[tuple[str, str]]) -> Architecture:
        """edits: places and what is chosen there, such as ("normal.blocks.0.operations.1", "identity")."""
        body = architecture.named | {"edits": _edits(edits)}
        return Architecture(unless_wrong(self._connection.post(f"{self.PATH}/edits", body))["architecture"])

    def edit_options(self, architecture: Architecture, place: str, edits: Sequence[tuple[str, str]] = ()) -> Json:
        """What may stand at a place behind these edits, and why not."""
        body = architecture.named | {"edits": _edits(edits), "place": place}
        return unless_wrong(self._connection.post(f"{self.PATH}/edits/options", body))["menus"]

    def searches_that_take(self, architecture: Architecture) -> Json:
        """Which of your searches could train it, or score it by shared weights."""
        return self._connection.post(f"{self.PATH}/edits/searches", {"architecture": architecture.json})["searches"]

    def _about(self, what: str, architecture: Architecture, more: Mapping[str, Any]) -> Json:
        return unless_wrong(self._connection.post(f"{self.PATH}/{what}", architecture.named | dict(more)))


def _edits(edits: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"place": place, "choice": choice} for place, choice in edits]
