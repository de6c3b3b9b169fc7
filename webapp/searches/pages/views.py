"""The pages: access, then render. What a page does, it does through the API."""

import uuid
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from search_engine.architectures.reading import architecture_from_json
from search_engine.config.language import OWN
from search_engine.config.search import SearchConfig
from search_engine.config.searches import read_search_config
from search_engine.config.trainings import read_training_config, reads_text
from search_engine.data.own_set import sha256_of_own
from search_engine.data.texts import COMPARABLE
from webapp.searches import roles
from webapp.searches.architectures.gallery import find_entry
from webapp.searches.companion import accompanied_by, compares, is_left_alone
from webapp.searches.costs.advice import honesty
from webapp.searches.live_state import State, state_at
from webapp.searches.models import Search, Training
from webapp.searches.pages.architecture_parts import downloads_of, svg_of
from webapp.searches.pages.candidate_page import candidate_shown
from webapp.searches.pages.child_page import child_shown
from webapp.searches.pages.compare_page import again_shown
from webapp.searches.pages.listing import list_shown
from webapp.searches.pages.owned import owned, owned_child
from webapp.searches.pages.settings_shown import started_with
from webapp.searches.pages.shared_page import shared_shown
from webapp.searches.pages.watching import watched


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Everything of this user and what others share with them, as the address filters and sorts it."""
    return render(request, "home.html", list_shown(request))


@require_GET
def search_page(request: HttpRequest, search_id: uuid.UUID) -> HttpResponse:
    """The live page, with the state as it is now; the socket brings what follows."""
    search = owned(Search, request, search_id)
    template, context = search_shown(search, state_at(search))
    return render(request, template, watched(request, search, context))


def search_shown(search: Search, state: State) -> tuple[str, dict[str, Any]]:
    """The template of a search's page, and its context in this state."""
    config = read_search_config(search.config)
    if not isinstance(config, SearchConfig):
        return "shared_live.html", {
            "search": search, "again": again_shown(search), **shared_shown(search, config, state),
        }  # fmt: skip
    return "search_live.html", {
        "search": search,
        "state": state,
        "page": {"kind": "search", "id": str(search.pk), **compares(search)},
        "accompanies": accompanied_by(search),
        "is_left_alone": is_left_alone(search),
        "again": again_shown(search),
        "honesty": honesty(config),
        "settings": started_with(SearchConfig, search, search.config),
    }


@require_GET
def child_page(request: HttpRequest, search_id: uuid.UUID, step: int, slot: int) -> HttpResponse:
    """One architecture: picture, reward, curve, counts, decisions, downloads."""
    search, child = owned_child(request, search_id, step, slot)
    config = read_search_config(search.config)
    shown = child_shown(child, config) if isinstance(config, SearchConfig) else candidate_shown(child, config)
    context = {
        "search": search,
        "child": child,
        "is_guest": roles.role_of(request.user, search) == roles.GUEST,
        "trainings": Training.objects.visible_to(request.user).filter(child=child).order_by("created", "pk"),
    }
    return render(request, "architecture.html", context | shown)


@require_GET
def picture(request: HttpRequest, search_id: uuid.UUID, step: int, slot: int, which: str) -> HttpResponse:
    """The drawing of a child's cells: "normal", "reduction" or "both"."""
    _, child = owned_child(request, search_id, step, slot)
    return svg_of(architecture_from_json(child.architecture), which, whole="both")


@require_GET
def training_page(request: HttpRequest, training_id: uuid.UUID) -> HttpResponse:
    """The live page of a training."""
    training = owned(Training, request, training_id)
    return render(
        request, "training_live.html", watched(request, training, training_shown(training, state_at(training)))
    )


def training_shown(training: Training, state: State) -> dict[str, Any]:
    """The context of a training's page in this state."""
    return {
        "training": training,
        "state": state,
        "page": {"kind": "training", "id": str(training.pk)},
        "origin": _origin(training),
        "downloads": downloads_of(
            architecture_from_json(training.config["architecture"]), f"/api/trainings/{training.pk}"
        ),
        "settings": started_with(type(read_training_config(training.config)), training, training.config),
        "comparable": COMPARABLE if reads_text(training.config) else "",
        "command": _evaluation(training.config["data"]),
    }


def _evaluation(data: dict[str, Any]) -> str:
    """The line that scores a download in a terminal; one's own images or text are where the workers keep them."""
    is_own_text = data["name"] == OWN
    name = data["own"] if is_own_text else data["name"]
    line = f".venv/bin/python -m search_engine evaluate weights.safetensors --data {name}"
    if not is_own_text and sha256_of_own(name) is None:
        return line
    folder = "var" if settings.DATA_FOLDER == settings.HOME / "var" else '"$CELLWRIGHT_DATA"'
    if settings.ARTIFACTS_BUCKET is not None:  # Each host has its own, and not every one has this.
        folder = f"{folder}/cache" if settings.CACHE_DIR == settings.DATA_FOLDER / "cache" else '"$CELLWRIGHT_CACHE"'
    return f"{line} --data-folder {folder}/data-sets"


def _origin(training: Training) -> dict[str, str] | None:
    """Where its architecture comes from, as far as that is known: a title, and an address where it is still there."""
    if training.child is not None:
        child = training.child
        title = f"child {child.step}.{child.slot} of {child.search.name or 'a search'}"
        return {"title": title, "url": f"/searches/{child.search_id}/children/{child.step}/{child.slot}"}
    if training.deleted_origin:
        return {"title": f"{training.deleted_origin}, which was deleted", "url": ""}
    key = training.published or str(training.imported_id or "")
    entry = find_entry(training.owner, key)
    return entry and {"title": entry.title, "url": entry.url}
