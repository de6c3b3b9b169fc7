"""What the API asks for and answers about edits of architectures, as models."""

from typing import Annotated, Any

from pydantic import BaseModel, Field

from webapp.searches.api.gallery_replies import ArchitectureReply, CountsReply, NetworkToCount
from webapp.searches.api.replies import Body, NamedArchitecture, Problem

MOST_SENT = 1000  # Edits in a request; fewer are made, and of the others the answer says so.


class EditBody(Body):
    """One edit. place: a path in the architecture's JSON form, as normal.blocks.2.inputs.0; choice: an option's."""

    place: Annotated[str, Field(max_length=80)]
    choice: Annotated[str, Field(max_length=80)]


Edits = Annotated[list[EditBody], Field(max_length=MOST_SENT)]


class EditsToMake(NetworkToCount):
    """An architecture, edits of it in their order, and the network in which the result is counted."""

    edits: Edits = []


class PlaceToEdit(NamedArchitecture):
    """An architecture, edits of it, and a place of the result."""

    edits: Edits = []
    place: Annotated[str, Field(max_length=80)]


class EditOption(BaseModel):
    """refusal: why this may not stand there; "" where it may."""

    choice: str
    title: str
    is_chosen: bool
    refusal: str


class MenuReply(BaseModel):
    """All that is thinkable at a place. takes_several: options go in and out one by one. is_command: things to do."""

    place: str
    title: str
    options: list[EditOption]
    takes_several: bool
    is_command: bool
    note: str


class OptionsReply(BaseModel):
    """menus: of the place that was asked for, then of what is changed together with it."""

    menus: list[MenuReply] = Field(default_factory=list)
    errors: list[Problem] = Field(default_factory=list)


class PieceReply(BaseModel):
    """A picture of a piece. svg: its parts name their place in data-place, and say what they are in aria-label."""

    name: str
    title: str
    svg: str


class ChangeReply(BaseModel):
    """place: in the result, "" for what is gone; was: in the architecture that was edited, "" for what is new."""

    place: str
    was: str
    sentence: str


class WrittenReply(BaseModel):
    """The result in a dialect. text: "" where the dialect cannot hold it, and sentence says why."""

    filename: str
    title: str
    media_type: str
    text: str
    sentence: str


class EditedReply(BaseModel):
    """What the edits make. errors: why the first edit that is not made is refused; the others before it are made.

    counts: of the result, before: of the architecture that was edited, both in the network that was asked for.
    there: the same architecture in the gallery already.
    """

    kind: str = ""
    hash: str = ""
    architecture: dict[str, Any] | None = None
    edits: list[EditBody] = Field(default_factory=list)
    pieces: list[PieceReply] = Field(default_factory=list)
    changes: list[ChangeReply] = Field(default_factory=list)
    counts: CountsReply | None = None
    before: CountsReply | None = None
    files: list[WrittenReply] = Field(default_factory=list)
    there: ArchitectureReply | None = None
    errors: list[Problem] = Field(default_factory=list)
