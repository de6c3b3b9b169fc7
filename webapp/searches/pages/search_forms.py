"""The start form of a search: the method first, then where to start from, then the settings of that method."""

from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from search_engine.config.base import Config
from search_engine.config.controller_presets import PRESET_NAMES, controller_preset
from search_engine.config.enas_search import EnasSearchConfig
from search_engine.config.search import SearchConfig
from search_engine.config.searches import AnySearchConfig, read_search_config
from search_engine.presets import PRESETS, Preset
from search_engine.shared_presets import SHARED_PRESETS, SharedPreset
from webapp.searches.companion import companion_of
from webapp.searches.datasets.described import own_descriptions
from webapp.searches.models import Search
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A way to search, as the page offers it. name: as configurations have it, "nasnet" where they name none.

    searched: what is found; sentence: how.
    """

    name: str
    title: str
    searched: str
    sentence: str


METHODS = (
    Method(
        name="nasnet",
        title="NASNet",
        searched="Two cells for images",
        sentence="Each architecture is trained by itself for a moment: slow, and every reward stands for itself.",
    ),
    Method(
        name="enas-micro",
        title="ENAS micro",
        searched="Two cells for images",
        sentence="All cells share one set of weights and learn together: a search takes about as long as one training.",
    ),
    Method(
        name="enas-macro",
        title="ENAS macro",
        searched="A whole network for images",
        sentence="Each layer decides its operation and which earlier layers it joins; all share one set of weights.",
    ),
    Method(
        name="enas-recurrent",
        title="ENAS recurrent",
        searched="A recurrent cell for text",
        sentence="Each node decides what it reads and its activation; all cells share one set of weights.",
    ),
)
CONTROLLERS = {
    "default": ("Default", "The numbers of the released scripts, with what is wrong in them mended."),
    "paper": ("As the paper", "What the paper prints; where it is silent, the scripts' numbers."),
    "released": ("As the released scripts", "As the authors' scripts run, with their errors."),
}


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


def method_of(config: AnySearchConfig) -> str:
    return "nasnet" if isinstance(config, SearchConfig) else config.method


def presets_of(method: str) -> list[Preset | SharedPreset]:
    """Where a search of this method may start from; at least one."""
    every: tuple[Preset | SharedPreset, ...] = (*PRESETS, *SHARED_PRESETS)
    return [preset for preset in every if method_of(preset.config) == method]


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
