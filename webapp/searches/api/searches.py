"""Searches: start, list, look at, steer."""

import uuid
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router
from ninja.responses import Status
from pydantic import ValidationError

from search_engine.config.reading import config_errors
from search_engine.config.searches import AnySearchConfig, search_model
from search_engine.errors import ConfigError, UserError
from webapp.searches import event_log, quotas
from webapp.searches.api.counted_first import text_counted_first
from webapp.searches.api.once import HEADER, once
from webapp.searches.api.refusals import Refused, not_found
from webapp.searches.api.replies import (
    CostReply,
    EventList,
    NewSearch,
    Problem,
    Refusal,
    SearchDetail,
    SearchList,
    SearchReply,
    SearchToWeigh,
    Started,
)
from webapp.searches.api.search_limits import add_limits
from webapp.searches.api.steering import add_steering
from webapp.searches.api.stream_commands import Commanded, add_commands
from webapp.searches.companion import RANDOM_ITSELF, companion_config, start_with_companion
from webapp.searches.costs.data_limits import search_errors
from webapp.searches.costs.estimate import live_speeds, with_companion
from webapp.searches.costs.shared_estimate import cost_of_search
from webapp.searches.models import Search
from webapp.searches.overview import searches_of
from webapp.searches.start import search_weight, start_search

router = Router(tags=["Searches"])

Limit = Annotated[int, Query(ge=1, le=500)]
After = Annotated[int, Query(ge=0, le=2**53)]  # A database refuses numbers beyond its own with an error.


@router.post(
    "",
    response={201: Started, 409: Refusal, 422: Refusal},
    summary="Start a search",
    openapi_extra=HEADER,
    url_name="start-search",
)
@text_counted_first
@once
def start(request: HttpRequest, body: NewSearch) -> Status:
    config = checked_config(body.config)
    errors = search_errors(config, request.user)
    if errors:
        raise Refused(422, errors)
    start_it = start_with_companion if body.companion else start_search
    search = start_it(request.user, config, first_limits=body.limits.model_dump())
    return Status(201, Started(id=search.pk, url=f"/searches/{search.pk}"))


@router.post("/estimate", response=CostReply, summary="What a search would cost", url_name="estimate-search")
def estimate(request: HttpRequest, body: SearchToWeigh) -> CostReply:
    """Starts nothing. What is wrong with the configuration is part of the answer."""
    try:
        config = checked_config(body.config)
    except Refused as refused:
        return CostReply(errors=_problems(refused.errors))
    errors: list[UserError] = [*search_errors(config, request.user)]
    if body.companion and config.strategy.kind == "random":
        errors += [RANDOM_ITSELF]
    if errors:
        return CostReply(errors=_problems(errors))
    speeds = live_speeds()
    cost = cost_of_search(config, speeds)
    over = quotas.refusals(request.user, search_weight(request.user, config))
    if body.companion:
        cost = with_companion(cost, cost_of_search(companion_config(config), speeds))
    return CostReply.of(cost, over)


@router.get("", response=SearchList, summary="Your searches, newest first", url_name="searches")
def list_searches(request: HttpRequest, limit: Limit = 50, offset: After = 0) -> dict[str, Any]:
    mine = searches_of(request.user)
    return {"searches": [search_json(each) for each in mine[offset : offset + limit]], "total": mine.count()}


@router.get("/{uuid:search_id}", response={200: SearchDetail, 404: Refusal}, summary="One search", url_name="search")
def show(request: HttpRequest, search_id: uuid.UUID) -> dict[str, Any]:
    search = searches_of(request.user).filter(pk=search_id).first()
    if search is None:
        raise not_found("search")
    return search_json(search) | {"config": search.config}


@router.get(
    "/{uuid:search_id}/events",
    response={200: EventList, 404: Refusal},
    summary="What happened",
    url_name="search-events",
)
def events(request: HttpRequest, search_id: uuid.UUID, after: After = 0, limit: Limit = 500) -> dict[str, Any]:
    """The same objects as the live socket /ws/streams/{id}?after=N sends."""
    search = seen_search(request, search_id)
    return {"events": event_log.read(search.pk, after, limit), "last": search.last_event}


def seen_search(request: HttpRequest, search_id: uuid.UUID) -> Search:
    """The search, where this user may see it; refused as not found else."""
    search = Search.objects.visible_to(request.user).filter(pk=search_id).first()
    if search is None:
        raise not_found("search")
    return search


add_commands(
    router,
    Commanded(
        noun="search",
        seen=seen_search,
        pausing="What is under way stops at the end of its epoch; shared weights and their controller at the next "
        "checkpoint.",
    ),
)


add_limits(router, seen_search)
add_steering(router, seen_search)


def checked_config(value: Any) -> AnySearchConfig:
    """The configuration of any method; refused with everything that is wrong with it."""
    try:
        return search_model(value).model_validate(value)
    except ConfigError as error:
        raise Refused(422, [error]) from error
    except ValidationError as error:
        raise Refused(422, config_errors(error)) from error


def search_json(search: Any) -> dict[str, Any]:
    """A search out of `overview.searches_of`."""
    names = SearchReply.model_fields.keys() - {"id", "url"}
    return {name: getattr(search, name) for name in names} | {
        "id": search.pk, "url": f"/searches/{search.pk}", "priority": search.priority_word,
    }  # fmt: skip


def _problems(errors: Any) -> list[Problem]:
    return [Problem(field=error.field, message=error.message) for error in errors]
