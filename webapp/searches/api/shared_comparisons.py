"""A search with shared weights against its random companion, which has shared weights of its own."""

import uuid

from django.http import HttpRequest
from ninja import Router
from pydantic import BaseModel

from search_engine.errors import UserError
from webapp.searches import companion
from webapp.searches.api.refusals import Refused
from webapp.searches.api.replies import Refusal
from webapp.searches.api.searches import seen_search
from webapp.searches.honesty_meter import held_out
from webapp.searches.models import Training
from webapp.searches.shared_comparison import SharedCompared, Side, compared_shared, tested

router = Router(tags=["Searches"])


class BestReply(BaseModel):
    """A network trained from scratch. held_out: what it was chosen by; test: what is compared, on test_examples."""

    id: uuid.UUID
    url: str
    held_out: float | None
    test: float
    test_examples: int | None


class SideReply(BaseModel):
    """One of the two searches. done: steps, of `epochs`. scored: candidates, with their median and best score, given by
    its own shared weights. entropy: of the policy, in nats. trainings: from scratch, `open` of which have not ended.
    """

    id: uuid.UUID
    url: str
    state: str
    done: int
    epochs: int
    scored: int
    median_score: float | None
    best_score: float | None
    entropy: float | None
    trainings: int
    open: int
    best: BestReply | None


class SharedComparisonReply(BaseModel):
    """verdict: "ahead", "undecided" (it may be chance), "not ahead" (random is as good or better), or "waiting".

    waiting: what a verdict waits for, or why there is none. difference: of the best networks' test figures, ours minus
    random's; of perplexities less is better. measured: "accuracy" or "perplexity". is_over: nothing more will come.
    """

    verdict: str
    waiting: str
    sentences: list[str]
    measured: str
    difference: float | None
    search: SideReply
    random: SideReply | None
    is_over: bool


@router.get(
    "/{uuid:search_id}/shared-comparison",
    response={200: SharedComparisonReply, 404: Refusal, 422: Refusal},
    summary="A search with shared weights against random search",
    url_name="search-shared-comparison",
)
def show(request: HttpRequest, search_id: uuid.UUID) -> SharedComparisonReply:
    search = seen_search(request, search_id)
    if not search.epochs:
        raise Refused(422, [UserError("", "This search trains every child by itself; ask for its comparison instead.")])
    if companion.is_random(search):
        raise Refused(422, [UserError("", "This search is random itself; look at the search it belongs to.")])
    return _reply(compared_shared(search))


def _reply(found: SharedCompared) -> SharedComparisonReply:
    return SharedComparisonReply(
        verdict=found.verdict,
        waiting=found.waiting,
        sentences=list(found.sentences),
        measured=found.measured,
        difference=found.difference,
        search=_side(found.ours),
        random=None if found.random is None else _side(found.random),
        is_over=found.ours.is_over and (found.random is None or found.random.is_over),
    )


def _side(side: Side) -> SideReply:
    names = ("done", "epochs", "scored", "median_score", "best_score", "entropy", "trainings", "open")
    return SideReply(
        id=side.search.pk,
        url=f"/searches/{side.search.pk}",
        state=side.search.state,
        best=None if side.best is None else _best(side.best),
        **{name: getattr(side, name) for name in names},
    )


def _best(training: Training) -> BestReply:
    return BestReply(
        id=training.pk,
        url=f"/trainings/{training.pk}",
        held_out=held_out(training),
        test=tested(training),
        test_examples=training.test_examples,
    )
