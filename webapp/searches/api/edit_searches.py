"""Which of a person's searches take an edited architecture: as a proposal, or to give it a score."""

from typing import Any, Literal

from django.http import HttpRequest
from ninja import Router
from pydantic import BaseModel, Field

from search_engine.architectures.reading import Architecture
from search_engine.config.search import SearchConfig
from search_engine.config.searches import read_search_config
from search_engine.errors import ArchitectureError, UserError
from search_engine.spaces.base import Space
from search_engine.spaces.build import build_space
from search_engine.spaces.holding import held
from webapp.searches.api.architecture_edits import edited_of, problem_of
from webapp.searches.api.edit_replies import EditsToMake
from webapp.searches.api.replies import Problem, Refusal
from webapp.searches.models import Search

router = Router(tags=["Architectures"])
MOST_SEARCHES = 12  # The newest that are asked whether their space holds it.


class TakerReply(BaseModel):
    """A search. takes: "proposal": it can train it as one more child; "score": its shared weights can give it one.

    refusal: why its space does not hold the architecture; "" where it does.
    """

    id: str
    name: str
    url: str
    state: str
    takes: Literal["proposal", "score"]
    refusal: str


class TakersReply(BaseModel):
    """Newest first: open searches of this kind of architecture, and all such with shared weights."""

    searches: list[TakerReply] = Field(default_factory=list)
    errors: list[Problem] = Field(default_factory=list)


@router.post(
    "/edits/searches", response={200: TakersReply, 404: Refusal}, summary="Which of your searches take the result",
    url_name="edit-searches",
)  # fmt: skip
def takers(request: HttpRequest, body: EditsToMake) -> TakersReply:
    """Propose it with POST /api/searches/{id}/proposals, ask for a score with POST /api/searches/{id}/scores."""
    try:
        architecture = edited_of(request, body)
    except UserError as error:
        return TakersReply(errors=[problem_of(error)])
    rows = Search.objects.visible_to(request.user).order_by("-created", "pk")
    found: list[TakerReply] = []
    for search in rows.iterator(chunk_size=MOST_SEARCHES):
        taker = _taker(search, architecture)
        if taker is not None:
            found.append(taker)
        if len(found) == MOST_SEARCHES:
            break
    return TakersReply(searches=found)


def _taker(search: Search, architecture: Architecture) -> TakerReply | None:
    """None where this search takes no architecture of this kind any more."""
    config = read_search_config(search.config)
    trains_each = isinstance(config, SearchConfig)
    if trains_each and not search.is_open:
        return None
    space = build_space(config.space)
    if _kind_of(space) != architecture.kind:
        return None
    return TakerReply(
        id=str(search.pk),
        name=search.name or "Search",
        url=f"/searches/{search.pk}",
        state=search.state,
        takes="proposal" if trains_each else "score",
        refusal=_refusal(space, architecture),
    )


def _kind_of(space: Space) -> Any:
    """The kind of all of its architectures."""
    return space.decode([0] * len(space.decisions)).kind


def _refusal(space: Space, architecture: Architecture) -> str:
    try:
        held(space, architecture)
    except ArchitectureError as error:
        return f"It {error.message}"
    return ""
