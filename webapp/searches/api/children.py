"""The children of a search: pages of them, one of them, and their files."""

import uuid
from typing import Annotated, Any

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from ninja import Path, Query, Router
from pydantic import BaseModel

from search_engine.architectures.reading import architecture_from_json
from search_engine.errors import UserError
from webapp.searches.api.architecture_files import architecture_file, attached, safe_name
from webapp.searches.api.refusals import Refused, not_found
from webapp.searches.api.replies import LARGEST_PLACE, ChildDetail, ChildList, Refusal
from webapp.searches.api.searches import seen_search
from webapp.searches.child_curve import child_curve
from webapp.searches.child_rows import Order, Sort, children_csv, sorted_children, taking
from webapp.searches.models import Child, Search
from webapp.searches.reward_curve import rewards_of

router = Router(tags=["Children"])

Page = Annotated[int, Query(ge=1, le=1_000_000_000)]
Size = Annotated[int, Query(ge=1, le=200)]
Place = Annotated[int | None, Query(ge=0, le=10_000)]
Number = Annotated[int, Path(ge=0, le=LARGEST_PLACE)]  # Of a step, or of a child in it.
# Two of them: an annotation that two parameters share has one default for both.
FirstPlace = Annotated[float, Query(ge=0, le=10**9, description="The first place among all children, from 0.")]
LastPlace = Annotated[float, Query(ge=0, le=10**9, description="The last place.")]
Points = Annotated[int, Query(ge=2, le=2000)]
Moment = Annotated[int | None, Query(ge=0, le=2**53)]
PLACE = "/{uuid:search_id}/children/{int:step}/{int:slot}"


class CurveReply(BaseModel):
    """points: [place, reward, flag], where flag is 0 for a measured reward, 1 for a copied one, 2 where the child
    failed, and 3 where its network was over a bound; then also which bound, and by which factor.

    best: [place, reward] wherever the best so far rises. means: the same of the moving mean of 20. steps: [step, mean
    reward, entropy, baseline]. done: children with a verdict, also those outside of what was asked for.
    """

    points: list[list[Any]]
    best: list[list[Any]]
    means: list[list[Any]]
    steps: list[list[Any]]
    done: int


@router.get(
    "/{uuid:search_id}/children", response={200: ChildList, 404: Refusal, 422: Refusal}, url_name="children",
    summary="Children with a verdict, in pages",
)  # fmt: skip
def list_children(
    request: HttpRequest,
    search_id: uuid.UUID,
    sort: Sort = "reward",
    order: Order = "desc",
    page: Page = 1,
    size: Size = 20,
    decision: Place = None,
    option: Place = None,
) -> dict[str, Any]:
    """What has no value in the sorted column comes last. A page beyond the last one is the last one.

    decision and option, both counted from 0: only the children that took this option there.
    """
    search = seen_search(request, search_id)
    children = those_that_took(sorted_children(search, sort, order), decision, option)
    shown = Paginator(children, size).get_page(page)
    return {
        "children": [child_json(search, child) for child in shown],
        "page": shown.number,
        "pages": shown.paginator.num_pages,
        "size": size,
        "total": shown.paginator.count,
    }


def those_that_took(children: QuerySet[Child], decision: int | None, option: int | None) -> QuerySet[Child]:
    """All of them where neither is named; refused where one of the two is."""
    if (decision is None) != (option is None):
        missing = "decision" if decision is None else "option"
        raise Refused(422, [UserError(missing, "A decision and its option are asked for together.")])
    return children if decision is None or option is None else taking(children, decision, option)


@router.get(
    "/{uuid:search_id}/curve", response={200: CurveReply, 404: Refusal, 422: Refusal}, url_name="search-curve",
    summary="The curve of rewards between two children",
)  # fmt: skip
def show_curve(
    request: HttpRequest,
    search_id: uuid.UUID,
    first: FirstPlace = 0,
    last: LastPlace = 10**9,
    points: Points = 500,
    at: Moment = None,
) -> CurveReply:
    """first, last: places among all children, from 0. at: as it was after this event.

    Where there are more than `points` of a kind, the places are divided into so many equal stretches, and of each the
    lowest and the highest reward are told.
    """
    found = child_curve(seen_search(request, search_id), first, last, points, at)
    return CurveReply(points=found.points, best=found.best, means=found.means, steps=found.steps, done=found.done)


@router.get(
    "/{uuid:search_id}/children.csv", response={200: None, 404: Refusal}, summary="All children as a table (CSV)",
    url_name="children-csv",
)  # fmt: skip
def download_children(request: HttpRequest, search_id: uuid.UUID) -> HttpResponse:
    search = seen_search(request, search_id)
    name = f"{safe_name(search.name, 'search')}-children.csv"
    return attached(children_csv(search), "text/csv; charset=utf-8", name)


@router.get(
    "/{uuid:search_id}/rewards.html", response={200: None, 404: Refusal},
    summary="The curve of rewards as a page that needs nothing else", url_name="rewards-page",
)  # fmt: skip
def download_rewards(request: HttpRequest, search_id: uuid.UUID) -> HttpResponse:
    search = seen_search(request, search_id)
    page = rewards_of(search).to_html(include_plotlyjs=True)
    return attached(page, "text/html; charset=utf-8", f"{safe_name(search.name, 'search')}-rewards.html")


@router.get(PLACE, response={200: ChildDetail, 404: Refusal}, summary="One child", url_name="child")
def show(request: HttpRequest, search_id: uuid.UUID, step: Number, slot: Number) -> dict[str, Any]:
    search = seen_search(request, search_id)
    child = child_of(search, step, slot)
    more = {name: getattr(child, name) for name in ("decisions", "log_probability", "architecture")}
    return child_json(search, child) | more


@router.get(
    PLACE + "/{architecture_file:filename}",
    response={200: None, 404: Refusal, 422: Refusal}, url_name="child-file",
    summary="Its architecture as a file: the picture, our JSON, or a dialect of another program",
)  # fmt: skip
def download(request: HttpRequest, search_id: uuid.UUID, step: Number, slot: Number, filename: str) -> HttpResponse:
    search = seen_search(request, search_id)
    child = child_of(search, step, slot)
    stem = f"{safe_name(search.name, 'search')}-{step}-{slot}"
    return architecture_file(architecture_from_json(child.architecture), filename, stem)


def child_of(search: Search, step: int, slot: int) -> Child:
    """The child at this place; refused as not found where there is none."""
    child = search.children.filter(step=step, slot=slot).first()
    if child is None:
        raise not_found("child")
    return child


def child_json(search: Search, child: Child) -> dict[str, Any]:
    url = f"/searches/{search.pk}/children/{child.step}/{child.slot}"
    names = ("step", "slot", "is_final", "reward", "reason", "hash", "parameters", "mult_adds", "seconds",
             "accuracy", "perplexity", "over", "latency", "off_policy")  # fmt: skip
    twin = None if child.twin_step is None else (child.twin_step, child.twin_slot)
    return {name: getattr(child, name) for name in names} | {"twin": twin, "url": url, "picture": f"{url}/both.svg"}
