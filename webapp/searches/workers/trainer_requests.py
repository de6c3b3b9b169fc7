"""What a trainer is asked to do for a job: rows in, one JSON object out (the protocol of search_engine/trainer.py)."""

import logging
from collections.abc import Callable
from typing import Any, TypeVar

from webapp.searches import artifacts, asked_scores, leases, results
from webapp.searches.datasets.local_copy import bring_data
from webapp.searches.leases import Claim, LeaseLost
from webapp.searches.models import Child, Finalist, Job, Search, Training
from webapp.searches.workers.beside import beside

log = logging.getLogger(__name__)
Request = dict[str, Any]
R = TypeVar("R")

MEASURE: Request = {"do": "measure"}
INTERRUPT: Request = {"do": "interrupt"}


class CannotAnswer(Exception):
    """Scores that were asked for cannot be had. The message is a sentence for the user."""


def request_for(claim: Claim) -> Request:
    """The request for a claimed job. Raises ArtifactMissing when the strategy's state, or an own set, is gone, and
    CannotAnswer."""
    builders = {
        Job.Kind.LEARN: _learn,
        Job.Kind.EVALUATE: _evaluate,
        Job.Kind.RETRAIN: _retrain,
        Job.Kind.TRAIN: _train,
        Job.Kind.SHARE: _share,
        Job.Kind.TEACH: _teach,
        Job.Kind.DERIVE: _derive,
        Job.Kind.SCORE: _score,
    }
    request = builders[Job.Kind(claim.kind)](claim)
    if request["do"] != "bundle":
        bring_data(request["config"], while_renewing(claim))
    return request


def threads_of(request: Request) -> int:
    """How many threads it must be computed with, since another number rounds differently."""
    return int(request["config"]["reproducibility"]["threads"])


def _learn(claim: Claim) -> Request:
    search = Search.objects.get(pk=claim.stream_id)
    state = path_of(claim, search.strategy_state)
    return learn_request(search, claim.step, state)


def learn_request(search: Search, step: int, state: str | None) -> Request:
    """state: the path of the strategy as it was before this step was told."""
    children = Child.objects.filter(search=search, step=step).order_by("slot")
    return {
        "do": "learn",
        "config": search.config,
        "changes": search.changes,
        "step": step,
        "state": state,
        "fingerprint": search.fingerprint,
        "evaluations": [_evaluation(child) for child in children],
    }


def _evaluation(child: Child) -> Request:
    assert child.is_final, f"child {child.step}.{child.slot} has no verdict yet"
    return {
        "step": child.step,
        "slot": child.slot,
        "reward": child.reward,
        "reason": child.reason or None,
        "twin": None if child.twin_step is None else [child.twin_step, child.twin_slot],
        "parameters": child.parameters,
        "mult_adds": child.mult_adds,
        "seconds": child.seconds,
    }


def _evaluate(claim: Claim) -> Request:
    child = Child.objects.select_related("search").get(search_id=claim.stream_id, step=claim.step, slot=claim.slot)
    return {
        "do": "evaluate",
        "config": child.search.config,
        "step": child.step,
        "slot": child.slot,
        "decisions": child.decisions,
        "checkpoint": _checkpoint(claim),
    }


def _retrain(claim: Claim) -> Request:
    finalists = Finalist.objects.select_related("search", "child")
    finalist = finalists.get(search_id=claim.stream_id, rank=claim.slot)
    child = finalist.child
    return {
        "do": "retrain",
        "config": finalist.search.config,
        "finalist": {
            "rank": finalist.rank, "step": child.step, "slot": child.slot, "architecture": child.architecture,
        },
        "checkpoint": _checkpoint(claim),
    }  # fmt: skip


def _train(claim: Claim) -> Request:
    training = Training.objects.get(pk=claim.stream_id)
    if training.checkpoint:  # It is finished: only its bundle is wanted, which needs no data.
        network = path_of(claim, training.checkpoint)
        return {"do": "bundle", "config": training.config, "network": network, "attempt": claim.attempt}
    return {
        "do": "train",
        "config": training.config,
        "checkpoint": _checkpoint(claim),
        "attempt": claim.attempt,
        "bundle": not training.for_meter,  # Many small networks, of which only a figure is wanted.
    }


def _share(claim: Claim) -> Request:
    search = Search.objects.get(pk=claim.stream_id)
    return {"do": "share", "step": claim.step, **_shared(claim, search), "checkpoint": _checkpoint(claim)}


def _teach(claim: Claim) -> Request:
    search = Search.objects.get(pk=claim.stream_id)
    return {
        "do": "teach",
        "step": claim.step,
        **_shared(claim, search),
        "checkpoint": _checkpoint(claim),
        "fingerprint": search.fingerprint,
    }


def _derive(claim: Claim) -> Request:
    search = Search.objects.get(pk=claim.stream_id)
    return {"do": "derive", **_shared(claim, search), "fingerprint": search.fingerprint}


def _score(claim: Claim) -> Request:
    """Raises CannotAnswer."""
    search = Search.objects.get(pk=claim.stream_id)
    if not search.weights:
        raise CannotAnswer("There are no shared weights: the search ended before its first shared epoch did.")
    if not all(is_whole(claim, sha256) for sha256 in (search.weights, search.strategy_state)):
        raise CannotAnswer("The file of the shared weights, or that of the controller, is damaged or gone.")
    asked = asked_scores.tell_of_all(search.pk)
    return {"do": "score", **_shared(claim, search), "step": search.epochs_shared - 1, "asked": asked}


def _shared(claim: Claim, search: Search) -> Request:
    """What every phase goes on from: the strategy and the weights, both without a file before the first epoch."""
    return {
        "config": search.config,
        "changes": search.changes,
        "strategy": path_of(claim, search.strategy_state),
        "weights": path_of(claim, search.weights),
    }


def _checkpoint(claim: Claim) -> str | None:
    """Where to go on from. A file that is gone or damaged costs time and nothing else: from the one before it, or from
    the start, it comes out the same."""
    if not claim.checkpoint:
        return None
    used = next(filter(lambda sha256: is_whole(claim, sha256), (claim.checkpoint, claim.checkpoint_before)), "")
    if used != claim.checkpoint:
        log.error("Checkpoint %s of job %s is damaged or gone; going on from %r", claim.checkpoint, claim.job_id, used)
        results.record_damage(claim.job_id, claim.fence, used)
    return path_of(claim, used)


def path_of(claim: Claim, sha256: str) -> str | None:
    """Where the trainer reads this file; None for "". Raises ArtifactMissing. One of gigabytes may be on its way here
    for longer than a lease lasts."""
    return str(while_renewing(claim)(lambda: artifacts.local_path(sha256))) if sha256 else None


def is_whole(claim: Claim, sha256: str) -> bool:
    """Whether the store has the file as it was put there. Files of gigabytes take longer to read than a lease."""
    try:
        return sha256 != "" and while_renewing(claim)(lambda: artifacts.is_whole(sha256))
    except artifacts.ArtifactMissing:
        return False


def while_renewing(claim: Claim) -> Callable[[Callable[[], R]], R]:
    """Runs something beside, which must not touch the database, while the lease is renewed."""
    return lambda act: beside(act, lambda: _renew(claim))


def _renew(claim: Claim) -> None:
    if leases.renew(claim.job_id, claim.fence, progress=0) is None:
        raise LeaseLost(f"job {claim.job_id} is no longer ours")
