"""What a trainer is asked to do for a job: rows in, one JSON object out (the protocol of search_engine/trainer.py)."""

import logging
from typing import Any

from webapp.searches import artifacts, asked_scores, leases, results
from webapp.searches.datasets.local_copy import bring_data
from webapp.searches.leases import Claim, LeaseLost
from webapp.searches.models import Child, Finalist, Job, Search, Training
from webapp.searches.workers.beside import beside

log = logging.getLogger(__name__)
Request = dict[str, Any]

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
        bring_data(request["config"])
    return request


def threads_of(request: Request) -> int:
    """How many threads it must be computed with, since another number rounds differently."""
    return int(request["config"]["reproducibility"]["threads"])


def _learn(claim: Claim) -> Request:
    search = Search.objects.get(pk=claim.stream_id)
    state = str(artifacts.local_path(search.strategy_state)) if search.strategy_state else None
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
        network = str(artifacts.local_path(training.checkpoint))
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
    return {"do": "share", "step": claim.step, **_shared(search), "checkpoint": _checkpoint(claim)}


def _teach(claim: Claim) -> Request:
    search = Search.objects.get(pk=claim.stream_id)
    return {
        "do": "teach",
        "step": claim.step,
        **_shared(search),
        "checkpoint": _checkpoint(claim),
        "fingerprint": search.fingerprint,
    }


def _derive(claim: Claim) -> Request:
    search = Search.objects.get(pk=claim.stream_id)
    return {"do": "derive", **_shared(search), "fingerprint": search.fingerprint}


def _score(claim: Claim) -> Request:
    """Raises CannotAnswer."""
    search = Search.objects.get(pk=claim.stream_id)
    if not search.weights:
        raise CannotAnswer("There are no shared weights: the search ended before its first shared epoch did.")
    if not all(is_whole(claim, sha256) for sha256 in (search.weights, search.strategy_state)):
        raise CannotAnswer("The file of the shared weights, or that of the controller, is damaged or gone.")
    asked = asked_scores.tell_of_all(search.pk)
    return {"do": "score", **_shared(search), "step": search.epochs_shared - 1, "asked": asked}


def _shared(search: Search) -> Request:
    """What every phase goes on from: the strategy and the weights, both without a file before the first epoch."""
    return {
        "config": search.config,
        "changes": search.changes,
        "strategy": str(artifacts.local_path(search.strategy_state)) if search.strategy_state else None,
        "weights": str(artifacts.local_path(search.weights)) if search.weights else None,
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
    return str(artifacts.local_path(used)) if used else None


def is_whole(claim: Claim, sha256: str) -> bool:
    """Whether the store has the file as it was put there. Files of gigabytes take longer to read than a lease."""
    try:
        return sha256 != "" and beside(lambda: artifacts.is_whole(sha256), lambda: _renew(claim))
    except artifacts.ArtifactMissing:
        return False


def _renew(claim: Claim) -> None:
    if leases.renew(claim.job_id, claim.fence, progress=0) is None:
        raise LeaseLost(f"job {claim.job_id} is no longer ours")
