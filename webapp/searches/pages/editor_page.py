"""The editor: an architecture from anywhere, edits of it in the address, and what they make."""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from search_engine.architectures.reading import Architecture, architecture_from_json
from search_engine.config.search import SearchConfig
from search_engine.config.searches import read_search_config
from search_engine.config.trainings import read_training_config, reads_text
from search_engine.editing.edit import Edit
from search_engine.editing.editor import replayed
from search_engine.errors import ConfigError, UserError
from webapp.searches.api.architecture_edits import edited_reply, pieces_of
from webapp.searches.api.edit_replies import MOST_SENT
from webapp.searches.architectures.gallery import KIND_TITLES, find_entry
from webapp.searches.architectures.keeping import LONGEST_NAME, NO_NAME
from webapp.searches.datasets.described import describe
from webapp.searches.models import Training
from webapp.searches.pages.architecture_parts import counts_panel
from webapp.searches.pages.candidate_page import network_of_candidate
from webapp.searches.pages.child_page import image_network
from webapp.searches.pages.owned import owned, owned_child

MOST_GIVEN = 24_000  # Characters of an architecture that stands in the address itself.


@dataclass(frozen=True, slots=True, kw_only=True)
class EditOrigin:
    """What is edited. query: how the address names it; url: its page, "" where it has none.

    network: what is counted first, as the API reads it; None for the first published size.
    """

    architecture: Architecture
    title: str
    query: dict[str, str]
    url: str = ""
    network: dict[str, Any] | None = None


@require_GET
def editor(request: HttpRequest) -> HttpResponse:
    """Of ?architecture=NAME or ID, ?search=ID&step=N&slot=N, ?training=ID or ?given=TEXT; then &edit=PLACE:CHOICE."""
    origin, edits = _origin(request), _edits(request)
    architecture = replayed(origin.architecture, edits).architecture
    panel = counts_panel(architecture, {"architecture": architecture.to_json()}, origin.network)
    reply = edited_reply(request.user, origin.architecture, edits, panel.network)
    context = {
        "origin": origin,
        "kind_title": KIND_TITLES[origin.architecture.kind],
        "is_image": not panel.is_text,
        "original": pieces_of(origin.architecture),
        "reply": reply,
        "panel": panel,
        "start": {
            "query": urlencode(origin.query),
            "title": origin.title,
            "architecture": origin.architecture.to_json(),
            "reply": reply.model_dump(mode="json"),
        },
        "longest_name": LONGEST_NAME,
        "no_name": NO_NAME,
        "name": f"{origin.title}, edited"[:LONGEST_NAME],
    }
    return render(request, "architectures/edit.html", context)


def _edits(request: HttpRequest) -> list[Edit]:
    sent = (text.rpartition(":") for text in request.GET.getlist("edit")[:MOST_SENT])
    return [Edit(place, choice) for place, _, choice in sent]


def _origin(request: HttpRequest) -> EditOrigin:
    sent = request.GET
    if "architecture" in sent:
        return _of_gallery(request, sent["architecture"])
    if "search" in sent:
        return _of_child(request, sent)
    if "training" in sent:
        return _of_training(request, sent["training"])
    return _given(sent.get("given", ""))


def _of_gallery(request: HttpRequest, key: str) -> EditOrigin:
    entry = find_entry(request.user, key)
    if entry is None:
        raise Http404
    return EditOrigin(
        architecture=entry.architecture, title=entry.title, query={"architecture": entry.key}, url=entry.url
    )


def _of_child(request: HttpRequest, sent: Mapping[str, str]) -> EditOrigin:
    try:
        search_id, step, slot = UUID(sent["search"]), int(sent["step"]), int(sent["slot"])
    except (KeyError, ValueError) as error:
        raise Http404 from error
    search, child = owned_child(request, search_id, step, slot)
    config = read_search_config(search.config)
    if isinstance(config, SearchConfig):
        title = f"Child {step}.{slot}"
        network = image_network(config.child, describe(config.data.name), config.data.image_size)
    else:
        title, network = f"Candidate {slot}", network_of_candidate(config)
    return EditOrigin(
        architecture=architecture_from_json(child.architecture),
        title=f"{title} of {search.name or 'a search'}",
        query={"search": str(search.pk), "step": str(step), "slot": str(slot)},
        url=f"/searches/{search.pk}/children/{step}/{slot}",
        network=network,
    )


def _of_training(request: HttpRequest, training_id: str) -> EditOrigin:
    training = owned(Training, request, training_id)
    config = read_training_config(training.config)
    return EditOrigin(
        architecture=architecture_from_json(training.config["architecture"]),
        title=training.name or "A training",
        query={"training": str(training.pk)},
        url=f"/trainings/{training.pk}",
        network=None if reads_text(training.config) else _trained_network(config),
    )


def _trained_network(config: Any) -> dict[str, Any] | None:
    """None where its images are not described any more: then the first published size is as good as any."""
    try:
        return image_network(config.layout, describe(config.data.name), config.data.image_size)
    except ConfigError:
        return None


def _given(text: str) -> EditOrigin:
    """An architecture that stands in the address: its JSON form in the alphabet of base64 for addresses."""
    if not text or len(text) > MOST_GIVEN:
        raise Http404
    try:
        value = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        architecture = architecture_from_json(value)
    except (binascii.Error, ValueError, RecursionError, UserError) as error:
        raise Http404 from error
    return EditOrigin(architecture=architecture, title="Pasted architecture", query={"given": text})
