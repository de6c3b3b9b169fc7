"""What a search's controller preferred at every step, and what came of the options that children took."""

import uuid
from typing import Annotated

from django.http import HttpRequest
from ninja import Query, Router
from pydantic import BaseModel

from webapp.searches.api.children import Moment
from webapp.searches.api.replies import Refusal
from webapp.searches.api.searches import seen_search
from webapp.searches.companion import is_random
from webapp.searches.option_results import DecisionResult, option_results, option_results_at
from webapp.searches.policy_history import FROZEN, policy_history

router = Router(tags=["Searches"])

Points = Annotated[int, Query(ge=2, le=1000)]


class PolicyReply(BaseModel):
    """The policy step by step: of all `known` steps those at places 0, every, 2 * every, ..., and the last one.

    policy[c][i][j]: at steps[c], the mean over the draws of the conditional probability of option j of decision i;
    entropies[c][i]: the mean conditional entropy of decision i in nats. With shared weights a step is an epoch, and its
    policy the one after its controller phase. frozen[i]: the first step from which the most probable option of decision
    i stays the same and at least as probable as `threshold`, up to the last step; null where it does not.
    is_random: nothing learns in this search, and its policy is uniform throughout.
    """

    steps: list[int]
    policy: list[list[list[float]]]
    entropies: list[list[float]]
    frozen: list[int | None]
    threshold: float
    known: int
    every: int
    is_random: bool


class OptionReply(BaseModel):
    """count: children that took it and count; mean: their reward, null where nobody took it."""

    option: str
    count: int
    mean: float | None


class ImportanceReply(BaseModel):
    """share: of the variance of rewards that the options explain, in [0, 1]; by_chance: what unrelated rewards give.

    p: of a permutation test over all decisions at once; may_be_chance where it is above 0.05.
    """

    share: float
    by_chance: float
    p: float
    may_be_chance: bool


class DecisionReply(BaseModel):
    """importance: null with fewer than twenty children that count, and where all have one reward."""

    name: str
    options: list[OptionReply]
    importance: ImportanceReply | None


class DecisionList(BaseModel):
    """done: children with a verdict; counted: those with a reward of their own or a stated one; mean: of that.

    weighs_cost: rewards are accuracies weighed with cost, and so no shares.
    """

    weighs_cost: bool
    done: int
    counted: int
    mean: float | None
    decisions: list[DecisionReply]


@router.get(
    "/{uuid:search_id}/policy", response={200: PolicyReply, 404: Refusal},
    summary="The controller's policy step by step", url_name="search-policy",
)  # fmt: skip
def show_policy(request: HttpRequest, search_id: uuid.UUID, points: Points = 200) -> PolicyReply:
    """At most `points` steps of all there are, the first and the last among them."""
    search = seen_search(request, search_id)
    found = policy_history(search, points)
    return PolicyReply(
        steps=found.steps,
        policy=found.policy,
        entropies=found.entropies,
        frozen=found.frozen,
        threshold=FROZEN,
        known=found.known,
        every=found.every,
        is_random=is_random(search),
    )


@router.get(
    "/{uuid:search_id}/decisions", response={200: DecisionList, 404: Refusal},
    summary="What came of every option of every decision", url_name="search-decisions",
)  # fmt: skip
def show_decisions(request: HttpRequest, search_id: uuid.UUID, at: Moment = None) -> DecisionList:
    """With shared weights the children are the candidates behind the last epoch. at: as it was after this event."""
    search = seen_search(request, search_id)
    found = option_results(search) if at is None else option_results_at(search, at)
    return DecisionList(
        weighs_cost=found.weighs_cost,
        done=found.done,
        counted=found.counted,
        mean=found.mean,
        decisions=[decision_json(each) for each in found.decisions],
    )


def decision_json(decision: DecisionResult) -> DecisionReply:
    told = decision.importance
    return DecisionReply(
        name=decision.name,
        options=[OptionReply(option=each.option, count=each.count, mean=each.mean) for each in decision.options],
        importance=told
        and ImportanceReply(share=told.share, by_chance=told.by_chance, p=told.p, may_be_chance=told.may_be_chance),
    )
