"""What the API asks for and answers about architectures, as models."""

import uuid
from typing import Any

from pydantic import BaseModel, Field

from webapp.searches.api.replies import Body, NamedArchitecture, Problem, ShortText


class PastedText(Body):
    """An architecture as text. dialect: by its name; without one, the text is recognised."""

    text: str
    dialect: ShortText | None = None


class ArchitectureToKeep(PastedText):
    """name: what it is called among yours, 1 to 80 characters."""

    name: ShortText


class NewName(Body):
    """name: 1 to 80 characters."""

    name: ShortText


class RecordedReply(BaseModel):
    """What a bundle says of its network; nothing of it was measured here. measure: "accuracy" or "perplexity".

    held_out, test: in that measure, null where it was not recorded, on parts of the data set `data` with so many
    examples. guessing: the perplexity of guessing by frequency, on text. name: what the training was called.
    """

    name: str
    data: str
    measure: str
    held_out: float | None
    held_out_examples: int | None
    test: float | None
    test_examples: int | None
    guessing: float | None
    parameters: int


class BundleReply(BaseModel):
    """A bundle that was sent. Everything but errors is null or empty while errors is not empty.

    sentences: what is recorded, for people.
    """

    kind: str = ""
    kind_title: str = ""
    hash: str = ""
    architecture: dict[str, Any] | None = None
    recorded: RecordedReply | None = None
    sentences: list[str] = Field(default_factory=list)
    svg: str = ""
    errors: list[Problem] = Field(default_factory=list)


class ArchitectureReply(BaseModel):
    """An architecture of the gallery. id: null for a published one; name: of the catalogue, "" for one of yours."""

    id: uuid.UUID | None
    name: str
    title: str
    kind: str
    hash: str
    url: str
    picture: str


class ArchitectureFile(BaseModel):
    """A dialect. url: where the file is; "" where the dialect cannot hold the architecture, and sentence says why."""

    dialect: str
    title: str
    url: str
    sentence: str


class ResultReply(BaseModel):
    """A published result. error: per cent, or perplexity; follows_code: whether the code gives the printed sizes."""

    data: str
    size: str
    variant: str
    error: float | None
    perplexity: float | None
    runs: int | None
    parameters: str | None
    mult_adds: str | None
    source: str
    follows_code: bool | None
    code_parameters: int | None
    code_mult_adds: int | None
    remark: str


class ArchitectureDetail(ArchitectureReply):
    """source, note, results: of a published one. dialect, text, created: of yours, as it was pasted.

    bundle: where the bundle can be downloaded that it came in, with weights; "" without. recorded: what that says.
    """

    architecture: dict[str, Any]
    files: list[ArchitectureFile]
    source: str = ""
    note: str = ""
    results: list[ResultReply] = Field(default_factory=list)
    dialect: str = ""
    text: str = ""
    created: float | None = None
    code_version: str = ""
    bundle: str = ""
    recorded: RecordedReply | None = None


class Gallery(BaseModel):
    published: list[ArchitectureReply]
    own: list[ArchitectureReply]


class Kept(BaseModel):
    """is_new: false where the same architecture was there; id and url are then those of the one there."""

    id: uuid.UUID
    url: str
    is_new: bool


class Gone(BaseModel):
    id: uuid.UUID


class ReadReply(BaseModel):
    """What a text says. Everything is null or empty while errors is not empty.

    dialect: its name, dialect_title for people; svg: the drawing; there: the same architecture in the gallery already.
    """

    dialect: str = ""
    dialect_title: str = ""
    kind: str = ""
    kind_title: str = ""
    hash: str = ""
    architecture: dict[str, Any] | None = None
    remarks: list[str] = Field(default_factory=list)
    svg: str = ""
    there: ArchitectureReply | None = None
    errors: list[Problem] = Field(default_factory=list)


class NetworkToCount(NamedArchitecture):
    """An architecture and the network to lay it out to; what is left out has its default.

    layout, image_size (32), image_channels (3), classes (10): of a network of images.
    hidden (850), vocabulary (10,000): of a network around a recurrent cell.
    """

    layout: Any = None
    image_size: Any = None
    image_channels: Any = None
    classes: Any = None
    hidden: Any = None
    vocabulary: Any = None


class PartReply(BaseModel):
    """The stem, a cell, a head, a node. shape: of what it gives: (channels, height, width), of text one number."""

    name: str
    shape: list[int]
    parameters: int
    mult_adds: int


class CountsReply(BaseModel):
    """Exact counts, null while errors is not empty. parameters and mult_adds are without the auxiliary head.

    with_auxiliary: parameters with that head, null where the layout or the image has no place for it.
    activation_bytes: what training keeps in memory of one image, an estimate; null of a network that reads text.
    """

    parameters: int | None = None
    with_auxiliary: int | None = None
    mult_adds: int | None = None
    activation_bytes: int | None = None
    parts: list[PartReply] = Field(default_factory=list)
    errors: list[Problem] = Field(default_factory=list)


class BudgetToFit(NetworkToCount):
    """A network whose cells and filters are to be found. of: what the budget limits; budget: how much of it at most."""

    of: Any = "parameters"
    budget: Any = None


class SizeReply(BaseModel):
    """normal_cells: N, null where the layout has no such choice; filters: F. mult_adds: of one image."""

    normal_cells: int | None
    filters: int
    parameters: int
    mult_adds: int


class TrainedReply(BaseModel):
    """A finished training of this architecture, or one that is the same after renaming. test_accuracy: in [0, 1].

    data, data_title: the data set's name, and what it is called.
    """

    name: str
    url: str
    data: str
    data_title: str
    image_size: int
    normal_cells: int | None
    filters: int
    parameters: int
    mult_adds: int
    test_accuracy: float
    test_examples: int | None


class PublishedMarkReply(BaseModel):
    """A published size, as the released code counts it. is_as_printed: whether the printed counts are the same."""

    size: str
    parameters: int
    mult_adds: int | None
    is_as_printed: bool


class TransferReply(BaseModel):
    """curve: cost over the filters with the cells that were asked for. trained: yours, oldest first."""

    curve: list[SizeReply] = Field(default_factory=list)
    trained: list[TrainedReply] = Field(default_factory=list)
    published: list[PublishedMarkReply] = Field(default_factory=list)
    errors: list[Problem] = Field(default_factory=list)


class FitReply(BaseModel):
    """Sizes within the budget, the closest first, exact; none where the smallest network is over it."""

    fits: list[SizeReply] = Field(default_factory=list)
    errors: list[Problem] = Field(default_factory=list)
