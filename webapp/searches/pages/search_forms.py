"""The start form of a search: the method first, then where to start from, then the settings of that method."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from search_engine.config.base import Config
from search_engine.config.controller_presets import PRESET_NAMES, controller_preset
from search_engine.config.enas_search import EnasSearchConfig
from search_engine.config.searches import AnySearchConfig, read_search_config
from search_engine.presets import Preset
from search_engine.shared_presets import SharedPreset
from webapp.searches.companion import companion_of
from webapp.searches.datasets.described import own_descriptions
from webapp.searches.models import Search
from webapp.searches.offers import CONTROLLERS, METHODS, method_of, presets_of
from webapp.searches.pages.forms import describe_form
from webapp.searches.pages.owned import owned
from webapp.searches.steering import first_steered

COST_ROWS = (
    ("children", "Children"),
    ("child_seconds", "Time per child"),
    ("parameters", "Parameters of a child"),
    ("mult_adds", "Mult-adds per image"),
    ("memory_bytes", "Memory of the largest"),
    ("disk_bytes", "Disk, at most"),
)
SHARED_COST_ROWS = (
    ("epoch_seconds", "Time per epoch"),
    ("children", "Candidates"),
    ("parameters", "Parameters, from scratch"),
    ("mult_adds", "Mult-adds per image"),
    ("memory_bytes", "Memory"),
    ("disk_bytes", "Disk, at most"),
)
TEXT_COST_ROWS = tuple((key, "Mult-adds per token" if key == "mult_adds" else label) for key, label in SHARED_COST_ROWS)


@require_GET
def new_search(request: HttpRequest) -> HttpResponse:
    """Of ?method=NAME, filled in from its first preset, from ?preset=NAME, or from another search, ?clone=ID."""
    if "clone" in request.GET:
        search: Search = owned(Search, request, request.GET["clone"])
        config = read_search_config(search.config | {"name": f"{search.name} (copy)"[:80]})
        is_steered = first_steered(search) is not None
        context = {
            "clone": search, "chosen": "", "has_companion": companion_of(search) is not None, "is_steered": is_steered,
        }  # fmt: skip
    else:
        preset = _preset(request.GET.get("method"), request.GET.get("preset"))
        config, context = preset.config, {"chosen": preset.name}
    method = method_of(config)
    presets = presets_of(method)
    context |= {
        "methods": METHODS,
        "method": method,
        "presets": presets,
        "preset_values": {preset.name: _json(preset.config) for preset in presets},
        "fieldsets": describe_form(type(config), _json(config), own_descriptions(request.user)),
        **_of_shared_weights(config),
    }
    return render(request, "search_form.html", context)


def _preset(method: str | None, name: str | None) -> Preset | SharedPreset:
    """The one of this name, else the first of the method, else the first of all; what is unknown is not found."""
    if method is not None and method not in [each.name for each in METHODS]:
        raise Http404
    offered = presets_of(method) if method else [preset for each in METHODS for preset in presets_of(each.name)]
    for preset in offered:
        if name in (None, preset.name):
            return preset
    raise Http404


def _of_shared_weights(config: AnySearchConfig) -> dict[str, Any]:
    """Which rows the cost has, and controllers to choose from."""
    if not isinstance(config, EnasSearchConfig):
        return {"cost_rows": COST_ROWS}
    values = {}
    for name in PRESET_NAMES:
        preset = controller_preset(config.method, name)
        values[name] = {"strategy": _json(preset.strategy), "controller": _json(preset.controller)}
    now = {"strategy": _json(config.strategy), "controller": _json(config.controller)}
    controllers = [(name, *CONTROLLERS[name], values[name] == now) for name in PRESET_NAMES]
    rows = TEXT_COST_ROWS if config.method == "enas-recurrent" else SHARED_COST_ROWS
    return {"cost_rows": rows, "controllers": controllers, "controller_values": values}


def _json(config: Config) -> dict[str, Any]:
    return config.model_dump(mode="json")
