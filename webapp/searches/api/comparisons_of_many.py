"""Any number of searches and trainings compared, and groups of searches that are started in one go."""

import uuid
from dataclasses import fields
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router
from ninja.responses import Status
from pydantic import BaseModel, Field, model_validator

from search_engine.errors import UserError
from search_engine.run_groups import Spread
from webapp.searches import groups
from webapp.searches.api.allowed import changeable
from webapp.searches.api.counted_first import text_counted_first
from webapp.searches.api.once import HEADER, once
from webapp.searches.api.refusals import Refused, not_found
from webapp.searches.api.replies import Body, CostReply, Problem, Refusal, ShortText
from webapp.searches.api.searches import checked_config, seen_search
from webapp.searches.many_compared import MOST_STREAMS, Family, Line, Run, chosen_streams, families_of
from webapp.searches.models import Group

compared = Router(tags=["Searches"])
grouped = Router(tags=["Searches"])

Pair = tuple[float, float]
Span = tuple[float, float, float | None, float | None]


class SpreadReply(BaseModel):
    """The mean over runs. low, high: 95 % interval over seeds (Student's t), null for one run."""

    runs: int
    mean: float
    low: float | None
    high: float | None


class RunReply(BaseModel):
    """One stream. done: children with a verdict, or epochs; compute: seconds that trainings of children took.

    late: mean reward of the last quarter of the steps. Curves are (x, y), thinned to some hundred points; best so far
    steps at its points. quantiles: of all rewards that count, evenly spaced. fronts: accuracy against cost.
    measured: held-out accuracy, or perplexity, by epoch of a training; cost: parameters and mult-adds of a training.
    """

    id: uuid.UUID
    kind: str
    name: str
    url: str
    state: str
    strategy: str
    seed: int
    done: int
    total: int
    counted: int
    compute: float
    ran_seconds: float
    best: float | None
    late: float | None
    rewards: list[Pair]
    means: list[Pair]
    best_by_children: list[Pair]
    best_by_compute: list[Pair]
    best_by_clock: list[Pair]
    quantiles: list[float]
    fronts: dict[str, list[Pair]]
    loss: list[Pair]
    measured: list[Pair]
    cost: dict[str, int] | None


class LineReply(BaseModel):
    """What is drawn as one: a stream, or the members of a group that differ in their seed alone.

    over_seeds: by the name of a curve, (x, mean, low, high) with a 95 % interval; empty for one run.
    """

    key: str
    name: str
    group: uuid.UUID | None
    best: SpreadReply | None
    late: SpreadReply | None
    over_seeds: dict[str, list[Span]]
    runs: list[RunReply]


class FamilyReply(BaseModel):
    """Lines whose figures mean the same. kind: "children", "shared", "training" or "text"; is_share: in [0, 1].

    sentences: what pairs of lines say; remark: what must be known of this family.
    """

    kind: str
    title: str
    remark: str
    is_share: bool
    sentences: list[str]
    lines: list[LineReply]


class CompareReply(BaseModel):
    """is_open: something of it may still change."""

    families: list[FamilyReply]
    is_open: bool


class NewGroup(Body):
    """The same search several times: beside a search that is there, or from a configuration.

    seeds: one search for each; strategies: left out, the search's own. Those that stand in the group of the search
    already, with the same settings and seed, are not started again.
    """

    search: uuid.UUID | None = None
    config: dict[str, Any] | None = None
    seeds: list[Annotated[int, Field(ge=0, le=2**53)]] = Field(min_length=1, max_length=groups.MOST_MEMBERS)
    strategies: list[ShortText] = Field(default_factory=list, max_length=10)

    @model_validator(mode="after")
    def _one_of_both(self) -> "NewGroup":
        if (self.search is None) == (self.config is None):
            raise ValueError("must have either search or config.")
        return self

    @property
    def wanted(self) -> groups.Wanted:
        return groups.Wanted(seeds=self.seeds, strategies=self.strategies)


class GroupStarted(BaseModel):
    """url: where its members are compared; started: those that this request began."""

    id: uuid.UUID
    url: str
    started: list[uuid.UUID]


@compared.get(
    "", response={200: CompareReply, 404: Refusal, 422: Refusal},
    summary="Searches and trainings side by side", url_name="compare",
)  # fmt: skip
def compare(request: HttpRequest, streams: Annotated[str, Query(max_length=4000)]) -> CompareReply:
    """streams: ids of searches, trainings and groups, with commas between them."""
    ids = _ids(streams)
    chosen = chosen_streams(request.user, ids)
    if not chosen:
        raise not_found("search or training")
    whole = frozenset(Group.objects.visible_to(request.user).filter(pk__in=ids).values_list("pk", flat=True))
    families = families_of(chosen, whole)
    return CompareReply(
        families=[_family_reply(each) for each in families], is_open=any(stream.is_open for stream in chosen)
    )


@grouped.post(
    "", response={201: GroupStarted, 403: Refusal, 404: Refusal, 409: Refusal, 422: Refusal},
    summary="Start the same search with several seeds or strategies", openapi_extra=HEADER, url_name="start-group",
)  # fmt: skip
@text_counted_first
@once
def start(request: HttpRequest, body: NewGroup) -> Status:
    if body.search is not None:
        group, started = groups.add_members(changeable(request, seen_search(request, body.search)), body.wanted)
    else:
        group, started = groups.start_members(request.user, checked_config(body.config), body.wanted)
    reply = GroupStarted(id=group.pk, url=f"/compare?streams={group.pk}", started=[each.pk for each in started])
    return Status(201, reply)


@grouped.post(
    "/estimate", response={200: CostReply, 404: Refusal}, summary="What a group would cost", url_name="estimate-group"
)  # fmt: skip
def estimate(request: HttpRequest, body: NewGroup) -> CostReply:
    """Starts nothing. children counts all that would be started; 0 where everything is there already."""
    try:
        if body.search is not None:
            missing = groups.missing_members(seen_search(request, body.search), body.wanted)
        else:
            missing = groups.members_of(checked_config(body.config), body.wanted)
        cost = groups.cost_of_members(missing)
    except UserError as error:
        return CostReply(errors=[Problem(field=error.field, message=error.message)])
    return CostReply(children=0) if cost is None else CostReply.of(cost)


def _ids(text: str) -> list[uuid.UUID]:
    try:
        ids = [uuid.UUID(each.strip()) for each in text.split(",") if each.strip()]
    except ValueError as error:
        raise Refused(422, [UserError("streams", "must be ids with commas between them.")]) from error
    if len(ids) > MOST_STREAMS:
        raise Refused(422, [UserError("streams", f"are {len(ids)}; at most {MOST_STREAMS} can be compared at once.")])
    return ids


def _family_reply(family: Family) -> FamilyReply:
    return FamilyReply(
        kind=family.kind, title=family.title, remark=family.remark, is_share=family.is_share,
        sentences=list(family.sentences), lines=[_line_reply(line) for line in family.lines],
    )  # fmt: skip


def _line_reply(line: Line) -> LineReply:
    return LineReply(
        key=line.key, name=line.name, group=line.group and line.group.pk, best=_spread_reply(line.best),
        late=_spread_reply(line.late), over_seeds={name: list(points) for name, points in line.over_seeds.items()},
        runs=[_run_reply(run) for run in line.runs],
    )  # fmt: skip


def _run_reply(run: Run) -> RunReply:
    stream: Any = run.stream
    is_search = stream.kind == stream.Kind.SEARCH
    total = (stream.epochs or stream.total) if is_search else stream.config["recipe"]["epochs"]
    curves = {field.name: getattr(run.curves, field.name) for field in fields(run.curves)}
    best = run.curves.best if is_search else stream.test_perplexity or stream.test_accuracy
    url = f"/{'searches' if is_search else 'trainings'}/{stream.pk}"
    return RunReply(
        **curves | {"best": best},
        id=stream.pk, kind=stream.kind, name=stream.name, url=url,
        state=stream.state, strategy=run.strategy, seed=run.seed, total=total, ran_seconds=stream.ran_seconds,
        cost=None if is_search else {"parameters": stream.parameters, "mult_adds": stream.mult_adds},
    )  # fmt: skip


def _spread_reply(found: Spread | None) -> SpreadReply | None:
    return found and SpreadReply(runs=found.runs, mean=found.mean, low=found.low, high=found.high)
