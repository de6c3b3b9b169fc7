"""The random companion: start it beside a search, and what the comparison says."""

import uuid
from typing import Any

from django.http import HttpRequest
from ninja import Router
from ninja.responses import Status
from pydantic import BaseModel

from search_engine.errors import UserError
from webapp.searches import companion
from webapp.searches.api.allowed import changeable
from webapp.searches.api.counted_first import text_counted_first
from webapp.searches.api.once import HEADER, once
from webapp.searches.api.refusals import Refused
from webapp.searches.api.replies import Refusal, Started
from webapp.searches.api.searches import seen_search
from webapp.searches.comparison import Compared, compared

router = Router(tags=["Searches"])


class CompanionReply(BaseModel):
    """The random search beside a search. done: its children with a verdict."""

    id: uuid.UUID
    url: str
    state: str
    done: int
    total: int


class BandReply(BaseModel):
    """The best of n random children: expected, and where 95 % lie. place: of the search's n-th child that counts."""

    n: int
    place: int
    expected: float
    low: float
    high: float


class TestReply(BaseModel):
    """Late children of the controller against the pool: means, difference with a 95 % interval, two-sided p-value."""

    late: int
    random: int
    late_mean: float
    random_mean: float
    difference: float
    low: float
    high: float
    p: float


class ComparisonReply(BaseModel):
    """A search against random search.

    verdict: "ahead", "undecided" (it may be chance), "not ahead" (random is as good or better), or "waiting".
    counted, pool: children of the search, and random children of `runs` searches of equal settings, that count.
    lead: best reward of the first `at` children minus the expected best of as many random ones.
    waiting: what is missing for a verdict. is_over: nothing more will come by itself.
    weighs_cost: rewards are accuracies weighed with cost, and so no shares.
    """

    verdict: str
    sentences: list[str]
    waiting: str
    companion: CompanionReply | None
    counted: int
    pool: int
    runs: int
    at: int
    lead: float | None
    test: TestReply | None
    band: list[BandReply]
    is_over: bool
    weighs_cost: bool


@router.get(
    "/{uuid:search_id}/comparison",
    response={200: ComparisonReply, 404: Refusal, 422: Refusal},
    summary="A search against random search",
    url_name="search-comparison",
)
def show(request: HttpRequest, search_id: uuid.UUID) -> ComparisonReply:
    search = seen_search(request, search_id)
    if search.epochs:
        raise Refused(422, [UserError("", "This search has shared weights; ask for its shared-comparison instead.")])
    if companion.is_random(search):
        raise Refused(422, [UserError("", "This search is random itself; look at the search it belongs to.")])
    if search.epochs:
        raise Refused(422, [UserError("", "Scores under shared weights are no rewards that this test can compare.")])
    return _reply(compared(search))


@router.post(
    "/{uuid:search_id}/companion",
    response={201: Started, 403: Refusal, 404: Refusal, 409: Refusal, 422: Refusal},
    summary="Start random search beside a search",
    openapi_extra=HEADER,
    url_name="start-companion",
)
@text_counted_first
@once
def start(request: HttpRequest, search_id: uuid.UUID) -> Status[Any]:
    """Answers with the one that is there where there is one already."""
    beside = companion.add_companion(changeable(request, seen_search(request, search_id)))
    return Status(201, Started(id=beside.pk, url=f"/searches/{beside.pk}"))


def _reply(found: Compared) -> ComparisonReply:
    test, beside = found.test, found.companion
    names = ("late", "random", "late_mean", "random_mean", "low", "high", "p")
    return ComparisonReply(
        verdict=test.verdict if test else "waiting",
        sentences=list(found.sentences),
        waiting=found.waiting,
        companion=None if beside is None else _companion_reply(beside),
        counted=found.counted,
        pool=found.pool,
        runs=found.runs,
        at=found.at,
        lead=found.lead,
        test=test and TestReply(**{name: getattr(test, name) for name in names}, difference=test.value),
        band=[
            BandReply(n=point.n, place=place, expected=point.expected, low=point.low, high=point.high)
            for place, point in found.band
        ],
        is_over=found.is_over,
        weighs_cost=found.weighs_cost,
    )


def _companion_reply(beside: Any) -> CompanionReply:
    done = beside.children.filter(is_final=True).count()
    return CompanionReply(id=beside.pk, url=f"/searches/{beside.pk}", state=beside.state, done=done, total=beside.total)
