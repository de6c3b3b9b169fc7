"""The honesty meter of a search with shared weights: ask for it, look at it, stop it."""

import uuid
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router
from ninja.responses import Status
from pydantic import BaseModel, ConfigDict, Field

from search_engine.errors import UserError
from webapp.searches import honesty_meter, meter_trainings
from webapp.searches.api.allowed import changeable
from webapp.searches.api.counted_first import text_counted_first
from webapp.searches.api.once import HEADER, once
from webapp.searches.api.refusals import Refused
from webapp.searches.api.replies import Problem, Refusal
from webapp.searches.api.searches import seen_search
from webapp.searches.honesty_meter import Meter, Point
from webapp.searches.meter_trainings import FEWEST, LONGEST_EPOCHS, MOST, USUAL
from webapp.searches.models import Search

router = Router(tags=["Searches"])

Networks = Annotated[int, Field(ge=FEWEST, le=MOST)]
Epochs = Annotated[int, Field(ge=1, le=LONGEST_EPOCHS)]


class MeterWanted(BaseModel):
    """networks: how many candidates are trained from scratch, in all; epochs: each for so many."""

    model_config = ConfigDict(extra="forbid")
    networks: Networks = USUAL
    epochs: Epochs


class MeterQuery(BaseModel):
    networks: Networks = USUAL
    epochs: Epochs


class MeterNetwork(BaseModel):
    """A candidate and its training from scratch. held_out: accuracy or perplexity, null until it is finished."""

    step: int
    slot: int
    hash: str
    score: float
    url: str
    training: uuid.UUID
    training_url: str
    state: str
    reason: str
    epoch: int
    epochs: int
    held_out: float | None


class MeterCorrelation(BaseModel):
    """Spearman's rank correlation of score and held-out figure, more being better on both sides.

    low, high: its interval of 95 %. p: how often a random order agrees at least as well; is_exact: all were counted.
    value, low and high are null where all of one side are equal. verdict: "agrees", "unclear", "disagrees", "no order".
    """

    count: int
    value: float | None
    low: float | None
    high: float | None
    p: float
    is_exact: bool
    verdict: str


class MeterReply(BaseModel):
    """candidates: different ones with a score; usual, fewest, most: of networks that can be asked for now.

    epochs: of the networks that are there, else what is offered. measured: "accuracy" or "perplexity", held out.
    waiting: what is missing, or "". sentences: what the correlation means, once there is one, and what limits it.
    """

    candidates: int
    usual: int
    fewest: int
    most: int
    epochs: int
    measured: str
    networks: list[MeterNetwork]
    correlation: MeterCorrelation | None
    sentences: list[str]
    waiting: str
    is_open: bool


class MeterCost(BaseModel):
    """networks: how many would start; seconds: until they are trained, null until a worker has measured its speed.

    Both are null while errors is not empty.
    """

    networks: int | None = None
    seconds: float | None = None
    errors: list[Problem] = []


@router.get(
    "/{uuid:search_id}/honesty-meter",
    response={200: MeterReply, 404: Refusal, 422: Refusal},
    summary="What shared scores say about training from scratch",
    url_name="honesty-meter",
)
def show(request: HttpRequest, search_id: uuid.UUID) -> MeterReply:
    return _reply(_shared(seen_search(request, search_id)))


@router.post(
    "/{uuid:search_id}/honesty-meter",
    response={201: MeterReply, 403: Refusal, 404: Refusal, 409: Refusal, 422: Refusal},
    summary="Train candidates of different score from scratch",
    openapi_extra=HEADER,
    url_name="start-honesty-meter",
)
@text_counted_first
@once
def start(request: HttpRequest, search_id: uuid.UUID, body: MeterWanted) -> Status[Any]:
    """Networks of so many epochs that are there already count."""
    search = _shared(changeable(request, seen_search(request, search_id)))
    meter_trainings.ask(search, networks=body.networks, epochs=body.epochs)
    return Status(201, _reply(search))


@router.get(
    "/{uuid:search_id}/honesty-meter/cost",
    response={200: MeterCost, 404: Refusal, 422: Refusal},
    summary="How long the honesty meter would take",
    url_name="honesty-meter-cost",
)
def cost(request: HttpRequest, search_id: uuid.UUID, wanted: Query[MeterQuery]) -> MeterCost:
    """Starts nothing. Why it cannot be asked for now is part of the answer."""
    search = _shared(seen_search(request, search_id))
    try:
        networks, seconds = meter_trainings.cost(search, networks=wanted.networks, epochs=wanted.epochs)
    except UserError as error:
        return MeterCost(errors=[Problem(field=error.field, message=error.message)])
    return MeterCost(networks=networks, seconds=seconds)


@router.post(
    "/{uuid:search_id}/honesty-meter/stop",
    response={200: MeterReply, 403: Refusal, 404: Refusal, 409: Refusal, 422: Refusal},
    summary="Stop what is in training for the honesty meter",
    openapi_extra=HEADER,
    url_name="stop-honesty-meter",
)
@once
def stop(request: HttpRequest, search_id: uuid.UUID) -> Status[Any]:
    search = _shared(changeable(request, seen_search(request, search_id)))
    meter_trainings.stop(search)
    return Status(200, _reply(search))


def _shared(search: Search) -> Search:
    if not search.epochs:
        raise Refused(422, [UserError("", "This search trains every child by itself: there are no shared scores.")])
    return search


def _reply(search: Search) -> MeterReply:
    meter = honesty_meter.meter_of(search)
    most = max(0, min(MOST, meter.candidates))
    return MeterReply(
        candidates=meter.candidates,
        usual=min(USUAL, most),
        fewest=FEWEST,
        most=most,
        epochs=meter.epochs,
        measured=meter.measured,
        networks=[_network(search, point) for point in meter.points],
        correlation=_correlation(meter),
        sentences=list(meter.sentences),
        waiting=meter.waiting,
        is_open=meter.is_open,
    )


def _network(search: Search, point: Point) -> MeterNetwork:
    child, training = point.child, point.training
    assert child.reward is not None
    return MeterNetwork(
        step=child.step,
        slot=child.slot,
        hash=child.hash,
        score=child.reward,
        url=f"/searches/{search.pk}/children/{child.step}/{child.slot}",
        training=training.pk,
        training_url=f"/trainings/{training.pk}",
        state=training.state,
        reason=training.reason,
        epoch=point.epoch,
        epochs=point.epochs,
        held_out=point.held_out,
    )


def _correlation(meter: Meter) -> MeterCorrelation | None:
    found = meter.found
    if found is None:
        return None
    names = ("count", "value", "low", "high", "p", "is_exact", "verdict")
    return MeterCorrelation(**{name: getattr(found, name) for name in names})
