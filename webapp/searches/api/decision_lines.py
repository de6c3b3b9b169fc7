"""The decisions of a search's children as lines from axis to axis, coloured by reward: parallel coordinates."""

import uuid
from typing import Annotated

import numpy as np
from django.http import HttpRequest
from ninja import Query, Router
from pydantic import BaseModel

from webapp.searches.api.policies import ImportanceReply, decision_json
from webapp.searches.api.replies import Refusal
from webapp.searches.api.searches import seen_search
from webapp.searches.models import Search
from webapp.searches.option_results import DecisionResult, option_results

router = Router(tags=["Searches"])

MostAxes = Annotated[int, Query(ge=2, le=100)]
MostLines = Annotated[int, Query(ge=1, le=1000)]


class DecisionAxis(BaseModel):
    """importance: as in the list of decisions."""

    decision: int
    name: str
    options: list[str]
    importance: ImportanceReply | None


class DecisionLine(BaseModel):
    """A child. taken: its option at every axis, by place."""

    step: int
    slot: int
    reward: float
    taken: list[int]
    url: str


class DecisionLines(BaseModel):
    """axes: in the order of the space; of more decisions than were asked for, those that most surely explain rewards.

    lines: of all `counted` children those at places evenly spaced by reward, the lowest and the highest among them, by
    rising reward. decisions: how many there are. is_share: rewards are shares in [0, 1].
    """

    axes: list[DecisionAxis]
    lines: list[DecisionLine]
    decisions: int
    counted: int
    is_share: bool


@router.get(
    "/{uuid:search_id}/decision-lines", response={200: DecisionLines, 404: Refusal},
    summary="Children as lines over their decisions", url_name="decision-lines",
)  # fmt: skip
def show(request: HttpRequest, search_id: uuid.UUID, axes: MostAxes = 12, lines: MostLines = 200) -> DecisionLines:
    search = seen_search(request, search_id)
    found = option_results(search)
    chosen = _axes(found.decisions, axes)
    return DecisionLines(
        axes=[_axis(at, found.decisions[at]) for at in chosen],
        lines=_lines(search, chosen, lines),
        decisions=len(found.decisions),
        counted=found.counted,
        is_share=not found.weighs_cost and not search.epochs,
    )


def _axes(decisions: tuple[DecisionResult, ...], most: int) -> list[int]:
    def by_rank(at: int) -> tuple[float, float, int]:
        """The surest first, and of those alike what explains most beyond chance: many options always explain much."""
        told = decisions[at].importance
        return (told.p, told.by_chance - told.share, at) if told else (1.0, 0.0, at)

    return sorted(sorted(range(len(decisions)), key=by_rank)[:most])


def _axis(at: int, found: DecisionResult) -> DecisionAxis:
    told = decision_json(found)
    options = [option.option for option in told.options]
    return DecisionAxis(decision=at, name=told.name, options=options, importance=told.importance)


def _lines(search: Search, axes: list[int], most: int) -> list[DecisionLine]:
    children = search.children.filter(is_final=True, reward__isnull=False, twin_step=None)
    keys = list(children.order_by("reward", "step", "slot").values_list("pk", flat=True))
    places = np.unique(np.linspace(0, len(keys) - 1, min(most, len(keys))).round().astype(int)) if keys else ()
    rows = children.filter(pk__in=[keys[place] for place in places]).order_by("reward", "step", "slot")
    return [
        DecisionLine(
            step=step, slot=slot, reward=reward, taken=[taken[at] for at in axes],
            url=f"/searches/{search.pk}/children/{step}/{slot}",
        )
        for step, slot, reward, taken in rows.values_list("step", "slot", "reward", "decisions")
    ]  # fmt: skip
