"""Edits of any architecture: what they make, and what may stand at a place. Nothing is kept."""

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from django.http import HttpRequest
from ninja import Router

from search_engine.architectures.reading import Architecture, architecture_from_json
from search_engine.drawing.svg import pictures
from search_engine.editing.changes import changes
from search_engine.editing.edit import Edit
from search_engine.editing.editor import labels, menus, replayed
from search_engine.errors import ConfigError, UserError
from search_engine.formats.dialects import DIALECTS, CannotHold, write
from webapp.searches.api.architectures import entry_json
from webapp.searches.api.edit_replies import (
    ChangeReply,
    EditBody,
    EditedReply,
    EditsToMake,
    MenuReply,
    OptionsReply,
    PieceReply,
    PlaceToEdit,
    WrittenReply,
)
from webapp.searches.api.gallery_replies import ArchitectureReply, CountsReply
from webapp.searches.api.origins import origin_of
from webapp.searches.api.replies import NamedArchitecture, Problem, Refusal
from webapp.searches.architectures.counting import count_network, network_in_question
from webapp.searches.architectures.gallery import entry_like

router = Router(tags=["Architectures"])
_NETWORKS_KEPT = 64  # Counts of architectures that are edited at this moment: they stay the same at every edit.


@router.post("/edits", response={200: EditedReply, 404: Refusal}, summary="What edits make", url_name="edits")
def make(request: HttpRequest, body: EditsToMake) -> EditedReply:
    """Picture, counts and changes of an architecture behind edits. What is wrong is part of the answer."""
    try:
        original = _original(request, body)
    except UserError as error:
        return EditedReply(errors=[problem_of(error)])
    network = body.model_dump(exclude={*NamedArchitecture.model_fields, "edits"}, exclude_unset=True)
    return edited_reply(request.user, original, _edits(body.edits), network)


@router.post(
    "/edits/options", response={200: OptionsReply, 404: Refusal}, summary="What may stand at a place, and why not",
    url_name="edit-options",
)  # fmt: skip
def options(request: HttpRequest, body: PlaceToEdit) -> OptionsReply:
    """Of the architecture behind the edits. What is wrong is part of the answer."""
    try:
        found = menus(edited_of(request, body), body.place)
        if not found:
            raise ConfigError("place", "is no place in this architecture.")
    except UserError as error:
        return OptionsReply(errors=[problem_of(error)])
    return OptionsReply(menus=[MenuReply(**asdict(menu)) for menu in found])


def edited_of(request: HttpRequest, body: EditsToMake | PlaceToEdit) -> Architecture:
    """The architecture behind the edits that can be made. Raises UserError, and as not found what is not one's own."""
    return replayed(_original(request, body), _edits(body.edits)).architecture


def edited_reply(user: Any, original: Architecture, edits: Sequence[Edit], network: Mapping[str, Any]) -> EditedReply:
    """network: in which both are counted, as the API reads it."""
    found = replayed(original, edits)
    architecture = found.architecture
    there = entry_like(user, architecture)
    refused = [Problem(field=edits[len(found.made)].place, message=found.refusal.sentence)] if found.refusal else []
    return EditedReply(
        kind=architecture.kind,
        hash=architecture.hash,
        architecture=architecture.to_json(),
        edits=[EditBody(place=edit.place, choice=edit.choice) for edit in found.made],
        pieces=pieces_of(architecture),
        changes=[ChangeReply(**asdict(change)) for change in changes(original, architecture, found.made)],
        counts=_counts(json.dumps(architecture.to_json()), json.dumps(network)),
        before=_counts(json.dumps(original.to_json()), json.dumps(network)),
        files=written(architecture),
        there=there and ArchitectureReply(**entry_json(there)),
        errors=refused,
    )


def pieces_of(architecture: Architecture) -> list[PieceReply]:
    """Pictures whose parts say for which place they stand."""
    drawn = pictures(architecture, labels(architecture))
    return [PieceReply(name=name, title=piece.title, svg=piece.svg) for name, piece in drawn.items()]


def written(architecture: Architecture) -> list[WrittenReply]:
    """In every dialect, or why not."""
    texts = [(dialect, write(architecture, dialect.name)) for dialect in DIALECTS]
    return [
        WrittenReply(
            filename=dialect.filename,
            title=dialect.title,
            media_type=dialect.media_type,
            text="" if isinstance(text, CannotHold) else text,
            sentence=text.sentence if isinstance(text, CannotHold) else "",
        )
        for dialect, text in texts
    ]


@functools.lru_cache(maxsize=_NETWORKS_KEPT)
def _counts(architecture_json: str, network_json: str) -> CountsReply:
    """What is wrong with the network is part of the answer."""
    architecture = architecture_from_json(json.loads(architecture_json))
    try:
        network = network_in_question(architecture, json.loads(network_json))
        return CountsReply(**asdict(count_network(architecture, network)))
    except UserError as error:
        return CountsReply(errors=[problem_of(error)])


def _original(request: HttpRequest, body: NamedArchitecture) -> Architecture:
    """Refused as not found where the user may not see it; UserError for what is wrong."""
    value = origin_of(request, body).architecture
    if value is None:
        raise ConfigError("architecture", "is missing: give name, id or architecture, or a child of a search.")
    return architecture_from_json(value)


def _edits(sent: Sequence[EditBody]) -> list[Edit]:
    return [Edit(edit.place, edit.choice) for edit in sent]


def problem_of(error: UserError) -> Problem:
    return Problem(field=error.field, message=error.message)
