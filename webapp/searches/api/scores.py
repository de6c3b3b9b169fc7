"""Scores that shared weights give to any architecture of their space, asked for one by one."""

import uuid

from django.http import HttpRequest
from ninja import Router
from ninja.responses import Status
from pydantic import BaseModel

from search_engine.architectures.reading import architecture_from_json
from search_engine.config.enas_search import EnasRecurrentSearchConfig
from search_engine.config.searches import read_enas_config
from search_engine.errors import ArchitectureError
from webapp.searches import asked_scores
from webapp.searches.api.allowed import changeable
from webapp.searches.api.once import HEADER, once
from webapp.searches.api.refusals import not_found
from webapp.searches.api.replies import Body, Refusal
from webapp.searches.api.searches import seen_search
from webapp.searches.asked_score_words import sentences_of
from webapp.searches.models import AskedScore

router = Router(tags=["Searches"])
NEWEST = 50  # So many are listed.


class ScoreWanted(Body):
    """architecture: as its JSON; it must be one of the space of the search."""

    architecture: dict[str, object]


class ScoreReply(BaseModel):
    """A score that was asked for. state: "waiting", "answered" or "refused", which `reason` explains.

    score, best, policy: rewards on the same validation minibatches, null until it is answered: of the architecture, of
    the best one that the search knew (null where it knew none, else `best_is` says what it is), and the mean of some
    draws from the policy. measured: "accuracy", or "perplexity", which is `scale` over the reward. epoch: of which
    shared epoch, from 1, the weights were, behind `minibatches` of `of`. picture: address of an SVG. sentences: what
    the numbers say. asked, answered: seconds since 1970.
    """

    id: uuid.UUID
    search: uuid.UUID
    architecture: dict[str, object]
    hash: str
    picture: str
    state: str
    reason: str
    asked: float
    answered: float | None
    measured: str
    scale: float | None
    score: float | None
    best: float | None
    best_is: str
    policy: float | None
    epoch: int | None
    minibatches: int | None
    of: int | None
    sentences: list[str]


class ScoreList(BaseModel):
    """The newest first. is_open: whether one of them waits."""

    scores: list[ScoreReply]
    is_open: bool


@router.post(
    "/{uuid:search_id}/scores", response={201: ScoreReply, 403: Refusal, 404: Refusal, 409: Refusal, 422: Refusal},
    summary="Ask shared weights for the score of an architecture", openapi_extra=HEADER, url_name="ask-score",
)  # fmt: skip
@once
def ask(request: HttpRequest, search_id: uuid.UUID, body: ScoreWanted) -> Status:
    """It is there within seconds, whether the search runs, is paused or has ended. What it computes stays the same.

    While it waits, asking for the same architecture again gives the same answer.
    """
    search = changeable(request, seen_search(request, search_id))
    try:
        architecture = architecture_from_json(body.architecture)
    except ArchitectureError as error:
        raise ArchitectureError(f"architecture.{error.field}".rstrip("."), error.message) from error
    return Status(201, _reply(asked_scores.ask(search.pk, architecture)))


@router.get(
    "/{uuid:search_id}/scores", response={200: ScoreList, 404: Refusal},
    summary="Scores that were asked of shared weights", url_name="asked-scores",
)  # fmt: skip
def listed(request: HttpRequest, search_id: uuid.UUID) -> ScoreList:
    search = seen_search(request, search_id)
    rows = AskedScore.objects.filter(search_id=search.pk).select_related("search").order_by("-asked", "pk")
    waiting = AskedScore.objects.waiting(search.pk).exists()
    return ScoreList(scores=[_reply(row) for row in rows[:NEWEST]], is_open=waiting)


@router.get(
    "/{uuid:search_id}/scores/{uuid:score_id}", response={200: ScoreReply, 404: Refusal},
    summary="A score that was asked of shared weights", url_name="asked-score",
)  # fmt: skip
def show(request: HttpRequest, search_id: uuid.UUID, score_id: uuid.UUID) -> ScoreReply:
    search = seen_search(request, search_id)
    row = AskedScore.objects.filter(search_id=search.pk, pk=score_id).select_related("search").first()
    if row is None:
        raise not_found("score")
    return _reply(row)


def _reply(row: AskedScore) -> ScoreReply:
    config = read_enas_config(row.search.config)
    is_text = isinstance(config, EnasRecurrentSearchConfig)
    answer = row.answer or {}
    at = answer.get("at", {})
    return ScoreReply(
        **{name: getattr(row, name) for name in ("id", "architecture", "hash", "state", "reason", "asked", "answered")},
        search=row.search_id,
        picture=f"/searches/{row.search_id}/scores/{row.pk}.svg",
        measured="perplexity" if is_text else "accuracy",
        scale=config.phases.scale if is_text else None,
        score=answer.get("reward"),
        best=answer.get("best"),
        best_is="" if row.best is None else row.best["what"],
        policy=answer.get("policy"),
        epoch=at.get("epoch"),
        minibatches=at.get("minibatches"),
        of=at.get("of"),
        sentences=sentences_of(row, config),
    )
