"""What is wrong with rows and files, a sentence each, and what of it can be put right without guessing.

Mending follows one rule: what is told in the log, and what can be computed again, is true. So a row follows its log, a
snapshot is folded anew, a checkpoint that is gone is done without, and work without an owner is due again. What only a
lost file or a lost event knew cannot be mended; it takes a backup.
"""

from collections.abc import Callable, Iterator

from django.db import DatabaseError, connection, transaction
from django.db.models import F

from webapp.searches import (
    artifacts,
    asked_scores,
    checker,
    clock,
    event_log,
    kept_weights,
    late_bundles,
    leases,
    live_state,
    planner,
)
from webapp.searches.models import (
    NO_CHECKPOINTS,
    Artifact,
    ImportedArchitecture,
    Job,
    OwnData,
    Search,
    Snapshot,
    Stream,
    Training,
)
from webapp.searches.workers.spools import dead_spools, remove_dead_spools


def findings() -> list[str]:
    """Everything that is wrong, a sentence each; [] when all is sound. Changes nothing."""
    found = [*_reference_problems()]
    for stream in Stream.objects.order_by("created", "pk"):
        problems = _problems(stream)
        found += [f"{_called(stream)}: {problem}" for problem in (*problems, *_what_helps(stream, problems))]
    return [*found, *_file_problems()]


def mend() -> list[str]:
    """Put right what can be; what was done, a sentence each."""
    done = []
    for stream in Stream.objects.order_by("created", "pk"):
        if not _problems(stream):
            continue
        for act in _ACTS:
            with transaction.atomic():
                sentence = act(planner.locked_stream(stream.pk))
            if sentence:
                done.append(f"{_called(stream)}: {sentence}")
    removed = artifacts.sweep(artifacts.MENDED_SECONDS)
    done += [f"The file {path.name} was removed: no row names it." for path in removed]
    left = [*artifacts.remove_left_folders(), *remove_dead_spools()]
    return [*done, *(f"The folder {path.name} was removed: whoever made it is no more." for path in left)]


def _problems(stream: Stream) -> list[str]:
    """What the checker says. Work goes on between its looks, so what it finds is looked at again under the lock."""
    if not checker.check(stream):
        return []
    with transaction.atomic():
        return checker.check(planner.locked_stream(stream.pk))


def _what_helps(stream: Stream, problems: list[str]) -> Iterator[str]:
    """Where files of something that has ended are lost, which nobody works at any more: what a person can do."""
    if not problems or stream.is_open:
        return
    lost = {sha256 for sha256 in artifacts.files_of(stream.pk) if not _is_whole(sha256)}
    training = Training.objects.filter(pk=stream.pk).first()
    if training is None and lost:
        yield (
            "Its files are made again only while it is under way. Its log stands, with every verdict and the "
            "fingerprint; without a backup the same search has to be started again, and comes to the same files."
        )
    elif training is not None and training.checkpoint in lost and (why := kept_weights.why_not(training)):
        yield (
            f"Its weights cannot be brought back: {why}. Without a backup they have to be trained again, and come out "
            "the same on a machine of this kind."
        )


def _reference_problems() -> Iterator[str]:
    try:
        connection.check_constraints()
    except DatabaseError as error:
        yield f"A row names another row that is not there: {str(error).rstrip('.')}."


def _file_problems() -> Iterator[str]:
    """Files that no row names, and files of what belongs to no stream."""
    for path in artifacts.forgotten(artifacts.MENDED_SECONDS):
        yield f"The file {path.name} is named by no row."
    for path in [*artifacts.left_folders(), *dead_spools()]:
        yield f"The folder {path.name} was left by a process that is no more."
    others = {
        **dict.fromkeys(OwnData.objects.filter(state=OwnData.State.READY).values_list("preview", flat=True), "data"),
        **dict.fromkeys(artifacts.files_of_data(), "data"),
        **dict.fromkeys(ImportedArchitecture.objects.values_list("bundle", flat=True), "an imported network"),
    }
    for sha256, whose in sorted(others.items()):
        if sha256 and not _is_whole(sha256):
            yield f"The file {sha256} of {whose} is damaged or not there."


# --- What can be done. Each act holds the stream's lock, does nothing where nothing is wrong, and says what it did. ---


def _let_the_row_follow_its_log(stream: Stream) -> str:
    events = event_log.read(stream.pk, 0, checker.EVERYTHING)
    if [event["n"] for event in events] != list(range(1, stream.last_event + 1)):
        return ""  # A log with a gap says nothing of how it ends.
    state = live_state.initial(stream.kind)
    for event in events:
        state = live_state.apply(state, event)
    told = state["state"], state["reason"] or ""
    if told == (stream.state, stream.reason):
        return ""
    ended = None if told[0] in Stream.OPEN else state["ended_at"]
    Stream.objects.filter(pk=stream.pk).update(state=told[0], reason=told[1], ended=ended)
    return f"its row says {told[0]} now, as its log does."


def _fold_the_snapshot_anew(stream: Stream) -> str:
    saved = Snapshot.objects.filter(stream_id=stream.pk).first()
    if saved is None:
        return ""
    found = live_state.state_at(stream)
    saved.delete()
    if found == live_state.state_at(stream):
        Snapshot.objects.create(stream_id=stream.pk, number=saved.number, rules=saved.rules, state=saved.state)
        return ""
    return "its snapshot led to another state than its log, and is gone."


def _take_away_old_leases(stream: Stream) -> str:
    late = clock.now() - 2 * leases.LEASE_SECONDS
    held = Job.objects.filter(stream_id=stream.pk, state=Job.State.LEASED, lease_until__lt=late)
    freed = held.update(state=Job.State.DUE, fence=F("fence") + 1, lease_until=None)
    return f"what nobody works at any more is due again: {freed} of its jobs." if freed else ""


def _drop_work_for_what_has_ended(stream: Stream) -> str:
    if stream.is_open or (stream.state == Stream.State.FINISHED and stream.kind == Stream.Kind.TRAINING):
        return ""
    undone = Job.objects.filter(stream_id=stream.pk, state__in=(Job.State.DUE, Job.State.LEASED))
    dropped = undone.exclude(kind=Job.Kind.SCORE).update(
        state=Job.State.DROPPED, fence=F("fence") + 1, lease_until=None, **NO_CHECKPOINTS
    )
    return f"what was still to do was dropped, since it has ended: {dropped} of its jobs." if dropped else ""


def _do_without_lost_checkpoints(stream: Stream) -> str:
    jobs = Job.objects.filter(stream_id=stream.pk, state__in=(Job.State.DUE, Job.State.LEASED)).exclude(checkpoint="")
    lost = [job for job in jobs if not _is_whole(job.checkpoint)]
    for job in lost:
        before = job.checkpoint_before if _is_whole(job.checkpoint_before) else ""
        Job.objects.filter(pk=job.pk).update(
            state=Job.State.DUE, checkpoint=before, checkpoint_before="", fence=F("fence") + 1, lease_until=None
        )
    return f"{' and '.join(job.what for job in lost)} goes back a step, since its checkpoint is lost." if lost else ""


def _bring_back_lost_weights(stream: Stream) -> str:
    """Of a finished training, before its bundle is looked at: out of it."""
    training = Training.objects.filter(pk=stream.pk).exclude(checkpoint="").first()
    if training is None or _is_whole(training.checkpoint) or kept_weights.restore(training):
        return ""
    return "its weights were lost, and came back out of its bundle."


def _have_a_lost_bundle_made_anew(stream: Stream) -> str:
    lost = Artifact.objects.filter(stream_id=stream.pk, label=late_bundles.LABEL)
    lost = lost.filter(pk__in=[row.pk for row in lost if not _is_whole(row.sha256)])
    training = Training.objects.filter(pk=stream.pk).first()
    if training is None or not lost.exists():
        return ""
    lost.delete()
    if stream.state != Stream.State.FINISHED or not _is_whole(training.checkpoint):
        return "its bundle is lost."
    late_bundles.ask(stream.pk)
    return "its bundle is lost, and is made anew out of its weights."


def _plan_what_is_due(stream: Stream) -> str:
    if not stream.is_open:
        return ""
    jobs = Job.objects.filter(stream_id=stream.pk, state__in=(Job.State.DUE, Job.State.LEASED))
    before = set(jobs.values_list("pk", flat=True))
    if stream.kind == Stream.Kind.SEARCH:
        event_log.append(stream.pk, planner.what_follows(Search.objects.get(pk=stream.pk)))
    elif not before:
        job, _ = Job.objects.get_or_create(stream_id=stream.pk, kind=Job.Kind.TRAIN)
        Job.objects.filter(pk=job.pk).update(state=Job.State.DUE, fence=F("fence") + 1, lease_until=None)
    new = set(jobs.values_list("pk", flat=True)) - before
    return f"what was due and nobody was to do has a job again: {len(new)} of them." if new else ""


def _have_asked_scores_answered(stream: Stream) -> str:
    again = asked_scores.ask_again(stream.pk)
    return f"scores that were asked for and nobody was to compute are due again: {again} of them." if again else ""


_ACTS: tuple[Callable[[Stream], str], ...] = (
    _let_the_row_follow_its_log,
    _fold_the_snapshot_anew,
    _drop_work_for_what_has_ended,
    _take_away_old_leases,
    _do_without_lost_checkpoints,
    _bring_back_lost_weights,
    _have_a_lost_bundle_made_anew,
    _plan_what_is_due,
    _have_asked_scores_answered,
)


def _is_whole(sha256: str) -> bool:
    return bool(sha256) and artifacts.is_there(sha256) and artifacts.is_stored_whole(sha256)


def _called(stream: Stream) -> str:
    return f"{stream.kind.capitalize()} {stream.name or 'without a name'} ({stream.pk})"
