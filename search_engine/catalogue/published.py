"""Reads the published architectures: one JSON file each, beside this module.

NASNet-B and NASNet-C are not among them: they were published as figures only, and nobody has written their blocks down.
"""

import json
from dataclasses import dataclass
from importlib import resources
from typing import Any, Literal

from search_engine.architectures.reading import Architecture, architecture_from_json
from search_engine.errors import ArchitectureError

NAMES = (  # In the order in which they are listed: by family, and as the papers appeared.
    "nasnet-a",
    "amoebanet-a",
    "darts-v1",
    "darts-v2",
    "enas-micro-paper",
    "enas-micro-released",
    "enas-macro-paper",
    "enas-macro-released",
    "enas-recurrent-paper",
    "enas-recurrent-rereleased",
    "darts-v1-rnn",
    "darts-v2-rnn",
)
LEFT_OUT = (
    "NASNet-B and NASNet-C are not in the catalogue: they were published as figures only, and their blocks were never "
    "written down."
)
_FOLDER = resources.files("search_engine.catalogue")


@dataclass(frozen=True, slots=True)
class PublishedResult:
    """A figure that a publication states. size: in the publication's own words, such as "6 @ 768".

    error: top-1, in per cent; perplexity: of the test text, a word; one of the two, the mean of `runs`.
    parameters, mult_adds: as printed. None where the source has none.
    follows_code: whether the authors' released code gives the printed sizes, which is counted here and never forced;
    None where it is not counted here. code_parameters (trained), code_mult_adds: what it gives for this network.
    remark: what a reader should know about the difference.
    """

    data: str
    size: str
    variant: str
    runs: int | None
    parameters: str | None
    mult_adds: str | None
    source: str
    error: float | None = None
    perplexity: float | None = None
    follows_code: bool | None = None
    code_parameters: int | None = None
    code_mult_adds: int | None = None
    remark: str = ""

    @property
    def metric(self) -> Literal["error", "perplexity"]:
        """What was measured. Less is better of both."""
        return "perplexity" if self.error is None else "error"

    @property
    def value(self) -> float:
        """The figure of this metric."""
        found = self.perplexity if self.error is None else self.error
        assert found is not None, "a published result states an error or a perplexity"
        return found


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
    """Names of all published architectures, in the order in which they are listed."""
    return NAMES


def read_published(name: str) -> Published:
    """One published architecture. Raises ArchitectureError where the catalogue has none of this name."""
    if name not in NAMES:
        raise ArchitectureError("", f"{name!r} is not in the catalogue, which has {', '.join(NAMES)}.")
    value: dict[str, Any] = json.loads(_FOLDER.joinpath(f"{name}.json").read_text(encoding="utf-8"))
    return Published(
        name=name,
        title=value["title"],
        source=value["source"],
        note=value["note"],
        architecture=architecture_from_json(value["architecture"]),
        results=tuple(PublishedResult(**result) for result in value["results"]),
    )
