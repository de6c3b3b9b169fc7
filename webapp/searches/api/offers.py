"""What one may start from: presets and controllers of searches, and what a training of an architecture begins with."""

from typing import Any

from django.http import HttpRequest
from ninja import Router
from pydantic import BaseModel

from search_engine.architectures.reading import architecture_from_json
from search_engine.catalogue.published import read_published
from search_engine.config.controller_presets import PRESET_NAMES, controller_preset
from search_engine.config.searches import ENAS_METHODS
from search_engine.errors import ConfigError
from search_engine.training_start import small_training
from webapp.searches.api.origins import Origin, origin_of
from webapp.searches.api.replies import NamedArchitecture, Refusal
from webapp.searches.offers import CONTROLLERS, METHODS, child_training, presets_of

of_searches = Router(tags=["Searches"])
of_trainings = Router(tags=["Trainings"])


class PresetReply(BaseModel):
    """A configuration to start from, as POST /api/searches takes it. sentence: what it can and cannot show."""

    name: str
    method: str
    title: str
    sentence: str
    config: dict[str, Any]


class ControllerReply(BaseModel):
    """Numbers of a controller by their source. strategy, controller: parts of a configuration of this method."""

    name: str
    method: str
    title: str
    sentence: str
    strategy: dict[str, Any]
    controller: dict[str, Any]


class PresetList(BaseModel):
    presets: list[PresetReply]
    controllers: list[ControllerReply]


class DefaultsReply(BaseModel):
    """config: as POST /api/trainings takes it, with the architecture inside."""

    config: dict[str, Any]


@of_searches.get("/presets", response=PresetList, summary="Searches to start from", url_name="presets")
def list_presets(request: HttpRequest) -> PresetList:
    """The same for everybody. What is sent to start a search may be any part of it, changed."""
    return PresetList(
        presets=[
            PresetReply(
                name=preset.name,
                method=method.name,
                title=preset.title,
                sentence=preset.sentence,
                config=preset.config.model_dump(mode="json"),
            )
            for method in METHODS
            for preset in presets_of(method.name)
        ],
        controllers=[_controller(method, name) for method in ENAS_METHODS for name in PRESET_NAMES],
    )


@of_trainings.post(
    "/defaults", response={200: DefaultsReply, 404: Refusal, 422: Refusal},
    summary="What a training of an architecture starts from", url_name="training-defaults",
)  # fmt: skip
def training_defaults(request: HttpRequest, body: NamedArchitecture) -> DefaultsReply:
    """Starts nothing. Of a child, the data and the recipe of its search; of any other, a training of minutes."""
    origin = origin_of(request, body)
    if origin.child is not None:
        return DefaultsReply(config=child_training(origin.child).model_dump(mode="json"))
    if origin.architecture is None:
        raise ConfigError("architecture", "is missing: name one, or a child of a search, or give its JSON.")
    training = small_training(architecture_from_json(origin.architecture), _name(origin))
    return DefaultsReply(config=training.model_dump(mode="json"))


def _name(origin: Origin) -> str:
    if origin.published:
        return read_published(origin.published).title
    return origin.imported.name if origin.imported is not None else ""


def _controller(method: Any, name: Any) -> ControllerReply:
    preset = controller_preset(method, name)
    title, sentence = CONTROLLERS[name]
    return ControllerReply(
        name=name,
        method=method,
        title=title,
        sentence=sentence,
        strategy=preset.strategy.model_dump(mode="json"),
        controller=preset.controller.model_dump(mode="json"),
    )
