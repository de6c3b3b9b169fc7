"""Reads the published architectures: one JSON file each, beside this module."""

import json
from dataclasses import dataclass
from importlib import resources
from typing import Any

from search_engine.architectures.reading import Architecture, architecture_from_json
from search_engine.errors import ArchitectureError

_FOLDER = resources.files("search_engine.catalogue")


@dataclass(frozen=True, slots=True)
class PublishedResult:
    """A figure that a publication states. size: in the publication's own words, such as "6 @ 768".

    error: top-1, in per cent, the mean of `runs`; parameters, mult_adds: as printed. None where the source has none.
    follows_code: whether the authors' released code gives the printed sizes, which is counted here and never forced;
    None where no such code is known. code_parameters (trained), code_mult_adds: what it gives for this network.
    remark: what a reader should know about the difference.
    """

    data: str
    size: str
    variant: str
    error: float
    runs: int | None
    parameters: str | None
    mult_adds: str | None
    source: str
    follows_code: bool | None = None
    code_parameters: int | None = None
    code_mult_adds: int | None = None
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Published:
    """A published architecture. source: where its cells are stated; note: what a reader should know about them."""

    name: str
    title: str
    source: str
    note: str
    architecture: Architecture
    results: tuple[PublishedResult, ...]


def published_names() -> tuple[str, ...]:
    """Names of all published architectures, in order of the alphabet."""
    return tuple(sorted(file.name.removesuffix(".json") for file in _FOLDER.iterdir() if file.name.endswith(".json")))


def read_published(name: str) -> Published:
    """One published architecture. Raises ArchitectureError where the catalogue has none of this name."""
    names = published_names()
    if name not in names:
        raise ArchitectureError("", f"{name!r} is not in the catalogue, which has {', '.join(names)}.")
    value: dict[str, Any] = json.loads(_FOLDER.joinpath(f"{name}.json").read_text(encoding="utf-8"))
    return Published(
        name=name,
        title=value["title"],
        source=value["source"],
        note=value["note"],
        architecture=architecture_from_json(value["architecture"]),
        results=tuple(PublishedResult(**result) for result in value["results"]),
    )
