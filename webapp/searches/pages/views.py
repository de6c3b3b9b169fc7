"""The pages: access, then render. What a page does, it does through the API."""

import uuid
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from search_engine.architectures.reading import architecture_from_json
from search_engine.config.base import Config
from search_engine.config.search import SearchConfig
from search_engine.config.searches import read_search_config
from search_engine.config.trainings import read_training_config, reads_text
from search_engine.data.own_set import sha256_of_own
from search_engine.data.texts import COMPARABLE
from search_engine.presets import PRESETS, Preset
from webapp.searches.architectures.gallery import find_entry
from webapp.searches.companion import accompanied_by, companion_of, compares
from webapp.searches.costs.advice import honesty
from webapp.searches.datasets.described import own_descriptions
from webapp.searches.live_state import state_at
from webapp.searches.models import Child, Search, Stream, Training
from webapp.searches.pages.architecture_parts import downloads_of, svg_of
from webapp.searches.pages.candidate_page import candidate_shown
from webapp.searches.pages.child_page import child_shown
from webapp.searches.pages.forms import describe_form
from webapp.searches.pages.listing import entries_of
from webapp.searches.pages.settings_shown import started_with

SEARCH_COST_ROWS = (
    ("children", "Children"),
    ("child_seconds", "Time per child"),
    ("parameters", "Parameters of a child"),
    ("mult_adds", "Mult-adds per image"),
    ("memory_bytes", "Memory of the largest"),
    ("disk_bytes", "Disk, at most"),
)


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Everything of this user, newest first."""
    return render(request, "home.html", {"entries": entries_of(request.user)})


@require_GET
def new_search(request: HttpRequest) -> HttpResponse:
    """The start form, filled in from a preset or from another search."""
    context: dict[str, Any] = {"presets": PRESETS, "cost_rows": SEARCH_COST_ROWS}
    if "clone" in request.GET:
        search = _own(Search, request, request.GET["clone"])
        config = read_search_config(search.config | {"name": f"{search.name} (copy)"[:80]})
        context |= {"clone": search, "chosen": "", "has_companion": companion_of(search) is not None}
    else:
        chosen = _preset(request.GET.get("preset", PRESETS[0].name))
        config = chosen.config
        context |= {"chosen": chosen.name}
    context["fieldsets"] = describe_form(type(config), _json(config), own_descriptions(request.user))
    context["preset_values"] = {preset.name: _json(preset.config) for preset in PRESETS}
    return render(request, "search_form.html", context)


@require_GET
def search_page(request: HttpRequest, search_id: uuid.UUID) -> HttpResponse:
    """The live page, with the state as it is now; the socket brings what follows."""
    search = _own(Search, request, search_id)
    config = read_search_config(search.config)
    context = {
        "search": search,
        "state": state_at(search),
        "page": {"kind": "search", "id": str(search.pk), **compares(search)},
        "accompanies": accompanied_by(search),
        "honesty": honesty(config) if isinstance(config, SearchConfig) else "",
        "settings": started_with(type(config), search, search.config),
    }
    return render(request, "search_live.html", context)


@require_GET
def child_page(request: HttpRequest, search_id: uuid.UUID, step: int, slot: int) -> HttpResponse:
    """One architecture: picture, reward, curve, counts, decisions, downloads."""
    search, child = _own_child(request, search_id, step, slot)
    config = read_search_config(search.config)
    shown = child_shown(child, config) if isinstance(config, SearchConfig) else candidate_shown(child, config)
    return render(request, "architecture.html", {"search": search, "child": child, **shown})


@require_GET
def picture(request: HttpRequest, search_id: uuid.UUID, step: int, slot: int, which: str) -> HttpResponse:
    """The drawing of a child's cells: "normal", "reduction" or "both"."""
    _, child = _own_child(request, search_id, step, slot)
    return svg_of(architecture_from_json(child.architecture), which, whole="both")


@require_GET
def training_page(request: HttpRequest, training_id: uuid.UUID) -> HttpResponse:
    """The live page of a training."""
    training = _own(Training, request, training_id)
    data = training.config["data"]["name"]
    context = {
        "training": training,
        "state": state_at(training),
        "page": {"kind": "training", "id": str(training.pk)},
        "origin": _origin(training),
        "downloads": downloads_of(
            architecture_from_json(training.config["architecture"]), f"/api/trainings/{training.pk}"
        ),
        "settings": started_with(type(read_training_config(training.config)), training, training.config),
        "comparable": COMPARABLE if reads_text(training.config) else "",
        "command": _evaluation(data),
    }
    return render(request, "training_live.html", context)


def _evaluation(data: str) -> str:
    """The line that scores a download in a terminal; one's own images are where the workers keep them."""
    line = f".venv/bin/python -m search_engine evaluate weights.safetensors --data {data}"
    if sha256_of_own(data) is None:
        return line
    folder = "var" if settings.DATA_FOLDER == settings.HOME / "var" else '"$CELLWRIGHT_DATA"'
    return f"{line} --data-folder {folder}/data-sets"


def _origin(training: Training) -> dict[str, str] | None:
    """Where its architecture comes from, as far as that is still there: a title and an address."""
    if training.child is not None:
        child = training.child
        title = f"child {child.step}.{child.slot} of {child.search.name or 'a search'}"
        return {"title": title, "url": f"/searches/{child.search_id}/children/{child.step}/{child.slot}"}
    key = training.published or str(training.imported_id or "")
    entry = find_entry(training.owner, key)
    return entry and {"title": entry.title, "url": entry.url}


def _own(model: type[Stream], request: HttpRequest, stream_id: Any) -> Any:
    """The search or training, where this user may see it; else the page does not exist."""
    try:
        key = stream_id if isinstance(stream_id, uuid.UUID) else uuid.UUID(stream_id)
    except ValueError as error:
        raise Http404 from error
    return get_object_or_404(model.objects.visible_to(request.user), pk=key)


def _own_child(request: HttpRequest, search_id: Any, step: int, slot: int) -> tuple[Search, Child]:
    search = _own(Search, request, search_id)
    return search, get_object_or_404(Child, search=search, step=step, slot=slot)


def _preset(name: str) -> Preset:
    for preset in PRESETS:
        if preset.name == name:
            return preset
    raise Http404


def _json(config: Config) -> dict[str, Any]:
    return config.model_dump(mode="json")
