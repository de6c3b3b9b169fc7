"""Trainings: start, list, look at, steer, and their architecture as files."""

import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Router
from ninja.responses import Status
from pydantic import ValidationError

from search_engine.architectures.reading import architecture_from_json
from search_engine.config.language import LanguageTrainingConfig
from search_engine.config.reading import config_errors
from search_engine.config.training import TrainingConfig
from search_engine.config.trainings import AnyTrainingConfig, reads_text
from search_engine.errors import ArchitectureError, ConfigError, UserError
from webapp.searches import event_log, quotas
from webapp.searches.api.architecture_files import architecture_file, safe_name
from webapp.searches.api.counted_first import text_counted_first
from webapp.searches.api.once import HEADER, once
from webapp.searches.api.origins import Origin, origin_of
from webapp.searches.api.refusals import Refused, not_found
from webapp.searches.api.replies import (
    CostReply,
    EventList,
    NewTraining,
    Problem,
    Refusal,
    Started,
    TrainingDetail,
    TrainingList,
    TrainingReply,
    Unchecked,
)
from webapp.searches.api.searches import After, Limit
from webapp.searches.api.stream_commands import Commanded, add_commands
from webapp.searches.costs.data_limits import data_errors, text_errors
from webapp.searches.costs.estimate import live_speeds
from webapp.searches.costs.shared_estimate import cost_of_training
from webapp.searches.models import Training
from webapp.searches.overview import trainings_of
from webapp.searches.start import start_training, training_weight

router = Router(tags=["Trainings"])


@router.post(
    "", response={201: Started, 404: Refusal, 409: Refusal, 422: Refusal}, summary="Start a training",
    openapi_extra=HEADER, url_name="start-training",
)  # fmt: skip
@text_counted_first
@once
def start(request: HttpRequest, body: NewTraining) -> Status:
    """Of a child (search, step and slot), a published architecture (name), one of yours (id), or one that is sent."""
    origin = origin_of(request, body)
    config, errors = _checked(request, body.config, origin)
    if config is None or errors:
        raise Refused(422, errors)
    training = start_training(request.user, config, origin.child, imported=origin.imported, published=origin.published)
    return Status(201, Started(id=training.pk, url=f"/trainings/{training.pk}"))


@router.post(
    "/estimate",
    response={200: CostReply, 404: Refusal},
    summary="What a training would cost",
    url_name="estimate-training",
)
def estimate(request: HttpRequest, body: Unchecked) -> CostReply:
    """Starts nothing. What is wrong with the configuration is part of the answer."""
    config, errors = _checked(request, body.config, origin_of(request, body))
    if config is None or errors:
        return CostReply(errors=[Problem(field=error.field, message=error.message) for error in errors])
    architecture = architecture_from_json(config.architecture)
    over = quotas.refusals(request.user, training_weight(request.user, config))
    return CostReply.of(cost_of_training(config, architecture, live_speeds()), over)


@router.get("", response=TrainingList, summary="Your trainings, newest first", url_name="trainings")
def list_trainings(
    request: HttpRequest, limit: Limit = 50, offset: After = 0, search: uuid.UUID | None = None
) -> dict[str, Any]:
    """search: only of children of this one, without those that its honesty meter trains."""
    mine = trainings_of(request.user)
    if search is not None:
        mine = mine.filter(child__search=search, for_meter=False)
    return {"trainings": [training_json(each) for each in mine[offset : offset + limit]], "total": mine.count()}


@router.get(
    "/{uuid:training_id}", response={200: TrainingDetail, 404: Refusal}, summary="One training", url_name="training"
)
def show(request: HttpRequest, training_id: uuid.UUID) -> dict[str, Any]:
    training = trainings_of(request.user).filter(pk=training_id).first()
    if training is None:
        raise not_found("training")
    return training_json(training) | {"config": training.config}


@router.get(
    "/{uuid:training_id}/events", response={200: EventList, 404: Refusal}, summary="What happened",
    url_name="training-events",
)  # fmt: skip
def events(request: HttpRequest, training_id: uuid.UUID, after: After = 0, limit: Limit = 500) -> dict[str, Any]:
    """The same objects as the live socket /ws/streams/{id}?after=N sends."""
    training = seen_training(request, training_id)
    return {"events": event_log.read(training.pk, after, limit), "last": training.last_event}


def seen_training(request: HttpRequest, training_id: uuid.UUID) -> Training:
    """The training, where this user may see it; refused as not found else."""
    training = Training.objects.visible_to(request.user).filter(pk=training_id).first()
    if training is None:
        raise not_found("training")
    return training


add_commands(
    router,
    Commanded(
        noun="training",
        seen=seen_training,
        pausing="It stops at the end of its epoch.",
    ),
)


@router.get(
    "/{uuid:training_id}/{architecture_file:filename}",
    response={200: None, 404: Refusal, 422: Refusal}, url_name="training-file",
    summary="Its architecture as a file: the picture, our JSON, or a dialect of another program",
)  # fmt: skip
def download(request: HttpRequest, training_id: uuid.UUID, filename: str) -> HttpResponse:
    training = seen_training(request, training_id)
    architecture = architecture_from_json(training.config["architecture"])
    return architecture_file(architecture, filename, safe_name(training.name, "training"))


def training_json(training: Any) -> dict[str, Any]:
    """A training out of `overview.trainings_of`."""
    names = TrainingReply.model_fields.keys() - {"id", "url", "child", "imported", "epochs"}
    child = training.child and {
        "search": training.child.search_id,
        "step": training.child.step,
        "slot": training.child.slot,
    }
    return {name: getattr(training, name) for name in names} | {
        "id": training.pk,
        "url": f"/trainings/{training.pk}",
        "priority": training.priority_word,
        "epochs": training.config["recipe"]["epochs"],
        "child": child,
        "imported": training.imported_id,
    }


def _checked(request: HttpRequest, value: Any, origin: Origin) -> tuple[AnyTrainingConfig | None, list[UserError]]:
    """The configuration, and everything that is wrong with it."""
    if not isinstance(value, dict):
        return None, [ConfigError("config", "must be a JSON object.")]
    if origin.architecture is not None:
        if value.get("architecture", origin.architecture) != origin.architecture:
            return None, [ConfigError("architecture", "is another one than is named beside the configuration.")]
        value = value | {"architecture": origin.architecture}
    if value.get("architecture") is None:
        return None, [ConfigError("architecture", "is missing: name one, or a child of a search, or give its JSON.")]
    try:
        model = LanguageTrainingConfig if reads_text(value) else TrainingConfig
        config = model.model_validate(value)
        architecture_from_json(config.architecture)
    except ValidationError as error:
        return None, list(config_errors(error))
    except ArchitectureError as error:
        return None, [ArchitectureError(f"architecture.{error.field}".rstrip("."), error.message)]
    if isinstance(config, LanguageTrainingConfig):
        return config, list(text_errors(config, request.user))
    return config, list(data_errors(config.data, request.user))
