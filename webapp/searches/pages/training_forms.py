"""The start form of a training: of a child of a search, or of an architecture of the gallery."""

import json
import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from search_engine.config.language import LanguageTrainingConfig
from search_engine.config.reading import read_config
from search_engine.config.trainings import AnyTrainingConfig
from search_engine.data.texts import COMPARABLE
from search_engine.errors import ConfigError
from search_engine.training_start import small_training
from webapp.searches.architectures.gallery import find_entry
from webapp.searches.datasets.described import own_descriptions
from webapp.searches.models import Child
from webapp.searches.offers import child_training
from webapp.searches.pages.forms import describe_form

COST_ROWS = (
    ("parameters", "Parameters"),
    ("mult_adds", "Mult-adds per image"),
    ("memory_bytes", "Memory"),
    ("disk_bytes", "Disk, at most"),
)
TEXT_COST_ROWS = tuple((key, "Mult-adds per token" if key == "mult_adds" else label) for key, label in COST_ROWS)

IMAGE_SIZE = "data.image_size"
JSON_WORD = re.compile(r"\d{1,6}|true|false")


@require_GET
def new_training(request: HttpRequest) -> HttpResponse:
    """Of ?architecture=NAME or ID, or of ?search=ID&step=N&slot=N; sizes as ?layout.filters=N, ?data.image_size=PX."""
    of_gallery = "architecture" in request.GET
    context, config = _of_gallery(request) if of_gallery else _of_child(request)
    config = _with_sizes(config, request.GET)
    is_text = isinstance(config, LanguageTrainingConfig)
    own = own_descriptions(request.user)
    context |= {"fieldsets": describe_form(type(config), config.model_dump(mode="json"), own), "cost_rows": COST_ROWS}
    if is_text:
        context |= {"comparable": COMPARABLE, "cost_rows": TEXT_COST_ROWS}
    return render(request, "training_form.html", context)


def _of_gallery(request: HttpRequest) -> tuple[dict[str, Any], AnyTrainingConfig]:
    entry = find_entry(request.user, request.GET["architecture"])
    if entry is None:
        raise Http404
    extra = {"name": entry.key} if entry.published else {"id": entry.key}
    return {"entry": entry, "extra": extra}, small_training(entry.architecture, entry.title)


def _of_child(request: HttpRequest) -> tuple[dict[str, Any], AnyTrainingConfig]:
    try:
        search_id, step, slot = UUID(request.GET["search"]), int(request.GET["step"]), int(request.GET["slot"])
    except (KeyError, ValueError) as error:
        raise Http404 from error
    child = get_object_or_404(Child.objects.visible_to(request.user), search=search_id, step=step, slot=slot)
    search = child.search
    context = {
        "search": search,
        "child": child,
        "base": f"/searches/{search.pk}/children/{step}/{slot}",
        "extra": {"search": str(search.pk), "step": step, "slot": slot},
    }
    return context, child_training(child)


def _with_sizes(config: AnyTrainingConfig, sent: Mapping[str, str]) -> AnyTrainingConfig:
    """The form checks whether the image size suits the data; here only what no field could hold is not found."""
    named = {name: sent[f"layout.{name}"] for name in type(config.layout).model_fields if f"layout.{name}" in sent}
    if isinstance(config, LanguageTrainingConfig) or not (named or IMAGE_SIZE in sent):
        return config
    values = {name: json.loads(text) if JSON_WORD.fullmatch(text) else text for name, text in named.items()}
    try:
        layout = read_config(type(config.layout), config.layout.model_dump(mode="json") | values)
    except ConfigError as error:
        raise Http404 from error
    size = sent.get(IMAGE_SIZE, str(config.data.image_size))
    if not size.isascii() or not size.isdigit() or len(size) > 4:
        raise Http404
    return config.model_copy(
        update={"layout": layout, "data": config.data.model_copy(update={"image_size": int(size)})}
    )
