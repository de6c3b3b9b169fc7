"""What a worker hands in of a search with shared weights: each function is one commit point, as in `results`.

A shared epoch leaves weights, a controller phase leaves a strategy; both are files to go on from. Checkpoints inside a
phase hold what is not yet in these.
"""

import functools
from collections.abc import Sequence

from django.db import transaction

from search_engine.config.searches import read_enas_config
from search_engine.events import ChildFinished, ControllerPhaseEnded, SharedEpochEnded, StepProposed
from webapp.searches import artifacts, candidates, event_log, planner, results
from webapp.searches.leases import holding
from webapp.searches.models import Job, Search, Stream

WEIGHTS_LABEL, WEIGHTS_FILE = "Shared weights", "shared-weights.safetensors"
CONTROLLER_LABEL, CONTROLLER_FILE = "Controller", "controller.safetensors"


def record_position(job_id: int, fence: int, checkpoint: str) -> None:
    """A phase got further. checkpoint: SHA-256 of what to go on from."""
    with transaction.atomic():
        job = holding(job_id, fence)
        if job.checkpoint != checkpoint:
            _replaced(job.checkpoint_before, checkpoint)
        results.keep_checkpoint(job, checkpoint)


def record_shared_epoch(job_id: int, fence: int, ended: SharedEpochEnded, weights: str, state: str) -> None:
    """The weights learned for an epoch. weights: SHA-256 of their file; state: of the strategy they were drawn from."""
    with transaction.atomic():
        job = holding(job_id, fence)
        search = Search.objects.get(pk=job.stream_id)
        assert job.step == ended.step == search.epochs_shared, f"{job.what} cannot end another epoch"
        assert search.strategy_state in ("", state), f"{job.what} cannot change the strategy"
        _replaced(job.checkpoint, "")
        _replaced(job.checkpoint_before, "")
        _replaced(search.weights_before, weights)
        search.epochs_shared, search.strategy_state = ended.step + 1, state
        search.weights_before, search.weights = search.weights, weights
        search.save(update_fields=["epochs_shared", "weights_before", "weights", "strategy_state"])
        artifacts.offer(search, WEIGHTS_LABEL, weights, WEIGHTS_FILE)
        results.end_job(job)
        event_log.append(search.pk, [ended, *planner.what_follows(search)])


def record_controller_phase(job_id: int, fence: int, ended: ControllerPhaseEnded, state: str) -> None:
    """The strategy learned under the weights of an epoch. state: SHA-256 of its file, to go on from."""
    with transaction.atomic():
        job = holding(job_id, fence)
        search = Search.objects.get(pk=job.stream_id)
        assert job.step == ended.step == search.steps_told, f"{job.what} cannot end another phase"
        _replaced(job.checkpoint, "")
        _replaced(job.checkpoint_before, "")
        search.steps_told, search.fingerprint = ended.step + 1, ended.fingerprint
        search.strategy_before, search.strategy_state = search.strategy_state, state
        search.save(update_fields=["steps_told", "strategy_before", "strategy_state", "fingerprint"])
        artifacts.offer(search, CONTROLLER_LABEL, state, CONTROLLER_FILE)
        results.end_job(job)
        event_log.append(search.pk, [ended, *planner.what_follows(search)])


def record_candidates(
    job_id: int, fence: int, proposed: StepProposed, verdicts: Sequence[ChildFinished], fingerprint: str
) -> None:
    """The candidates with their scores. The best become trainings, and the search is finished, all at once."""
    search = Search.objects.get(jobs=job_id)
    config = read_enas_config(search.config)
    planned, reason = candidates.planned_trainings(search, config, proposed, verdicts)
    with transaction.atomic():
        job = holding(job_id, fence)
        assert job.kind == Job.Kind.DERIVE, f"{job.what} cannot tell of candidates"
        search = Search.objects.get(pk=job.stream_id)
        search.fingerprint = fingerprint
        search.save(update_fields=["fingerprint"])
        results.propose(search, [proposed])
        for verdict in verdicts:
            planner.decide(search, verdict)
        candidates.start_trainings(search, planned)
        _replaced(search.weights_before, "")
        results.end_job(job)
        ended = planner.close(search, Stream.State.FINISHED, reason)
        event_log.append(search.pk, [proposed, *verdicts, ended])


def _replaced(old: str, new: str) -> None:
    """After the commit the old file goes, unless it is the new one."""
    if old and old != new:
        transaction.on_commit(functools.partial(artifacts.drop_replaced, old))
