"""What a person does to a search or a training: start, pause, resume, stop, prioritise, change its limits, steer it,
propose to it.

Each is one transaction."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from search_engine.config.search import SearchConfig
from search_engine.config.searches import AnySearchConfig
from search_engine.config.trainings import AnyTrainingConfig
from search_engine.events import DecisionShown, Event, SearchStarted, StateChanged, TrainingStarted
from webapp.searches import clock, event_log, limits, planner, quotas, running_time, steering, turns
from webapp.searches.models import Child, Group, ImportedArchitecture, Search, Stream, Training
from webapp.searches.quotas import Weight


class CommandRefused(Exception):
    """A command that the state does not allow. found: the state; wanted: the states that would; one sentence."""

    def __init__(self, stream: Stream, verb: str, wanted: Sequence[Stream.State]) -> None:
        states = " or ".join(wanted)
        now = "being deleted" if stream.state == Stream.State.DELETING else stream.state
        super().__init__(f"This {stream.kind} is {now}; only a {states} one can be {verb}.")
        self.found = stream.state
        self.wanted = tuple(state.value for state in wanted)


def create_search(
    owner: Any,
    config: AnySearchConfig,
    *,
    decisions: Sequence[DecisionShown],
    data: dict[str, Any],
    group: Group | None = None,
    priority: int = 0,
    first_limits: Mapping[str, Any] | None = None,
    weight: Weight | None = None,
) -> Search:
    """Start a search. decisions: of its space; data: what the images or the text are, as SearchStarted carries it.

    first_limits: "workers" and "hours", where there are any; weight: what it will use; None for no look at quotas.
    Raises UserError where a quota of its owner does not allow it.
    """
    sizes = _sizes(config)
    with transaction.atomic():
        reserved = _reserved(owner, weight)
        search = Search.objects.create(
            owner=owner,
            group=group,
            kind=Stream.Kind.SEARCH,
            name=config.name,
            priority=priority,
            created=clock.now(),
            code_version=settings.CODE_VERSION,
            config=config.model_dump(mode="json"),
            turns=turns.at_start(group),
            total=sizes["children"],
            epochs=sizes.get("epochs", 0),
            steps_told=0 if "epochs" in sizes else -1,  # Shared weights are the first to learn, before any draw.
            **running_time.begins(),
            **reserved,
        )
        limited = limits.set_first(search, first_limits or {})
        started = SearchStarted(config=search.config, decisions=tuple(decisions), data=data, **sizes)
        event_log.append(search.pk, [started, *limited, *planner.what_follows(search)])
    return search


def _sizes(config: AnySearchConfig) -> dict[str, int]:
    """How many children, in steps of how many; with shared weights: candidates, all in one step, after the epochs."""
    if isinstance(config, SearchConfig):
        return {"children": config.budget.children, "step_size": config.strategy.step_size}
    candidates = config.deriving.candidates
    return {"children": candidates, "step_size": candidates, "epochs": config.epochs}


def start_training(
    owner: Any,
    config: AnyTrainingConfig,
    *,
    data: dict[str, Any],
    hash: str,
    parameters: int,
    mult_adds: int,
    child: Child | None = None,
    imported: ImportedArchitecture | None = None,
    published: str = "",
    group: Group | None = None,
    priority: int = 0,
    for_meter: bool = False,
    weight: Weight | None = None,
) -> Training:
    """Start a training. hash, parameters, mult_adds: of its network.

    child, imported, published: where its architecture comes from, if from any of these; weight: as for a search.
    """
    with transaction.atomic():
        reserved = _reserved(owner, weight)
        training = Training.objects.create(
            owner=owner,
            group=group,
            kind=Stream.Kind.TRAINING,
            name=config.name,
            priority=priority,
            turns=turns.at_start(group),
            created=clock.now(),
            code_version=settings.CODE_VERSION,
            config=config.model_dump(mode="json"),
            child=child,
            imported=imported,
            published=published,
            for_meter=for_meter,
            hash=hash,
            parameters=parameters,
            mult_adds=mult_adds,
            **running_time.begins(),
            **reserved,
        )
        planner.add_training_job(training)
        started = TrainingStarted(
            config=training.config, data=data, hash=hash, parameters=parameters, mult_adds=mult_adds
        )
        event_log.append(training.pk, [started])
    return training


def _reserved(owner: Any, weight: Weight | None) -> dict[str, Any]:
    """What to write into the row of a stream that begins. None: it belongs to one that was let begin."""
    if weight is None:
        return {}
    quotas.reserve(owner, weight)
    return {"reserved_seconds": weight.worker_seconds, "reserved_bytes": weight.bytes}


def pause(stream_id: uuid.UUID) -> None:
    """Let nobody begin anything new; what is under way stops at the end of its epoch.

    What waits for its disk (see storage_pauses) is from now on paused by a person, and goes on by their word alone.
    """
    with transaction.atomic():
        planner.locked_stream(stream_id)
        waiting = Stream.objects.filter(pk=stream_id, state=Stream.State.PAUSED).exclude(reason="")
        if waiting.update(reason=""):
            event_log.append(stream_id, [StateChanged(state=Stream.State.PAUSED.value)])
            return
    _change(stream_id, "paused", [Stream.State.RUNNING], Stream.State.PAUSED, running_time.ends())


def resume(stream_id: uuid.UUID) -> None:
    """Go on where the pause began."""
    with transaction.atomic():
        turns.catch_up(planner.locked_stream(stream_id))
        _change(stream_id, "resumed", [Stream.State.PAUSED], Stream.State.RUNNING, running_time.begins())
    transaction.on_commit(planner.call_workers)


def stop(stream_id: uuid.UUID) -> None:
    """End it for good. What workers still do for it is refused when they hand it in."""
    with transaction.atomic():
        stream = planner.locked_stream(stream_id)
        if not stream.is_open:
            raise CommandRefused(stream, "stopped", Stream.OPEN)
        event_log.append(stream_id, [planner.close(stream, Stream.State.STOPPED)])


def prioritise(stream_id: uuid.UUID, priority: int) -> None:
    """Let an open search or training, with all that stands in its group, go before those of a lower priority.

    What is under way is finished first. What is computed stays the same.
    """
    with transaction.atomic():
        stream = planner.locked_stream(stream_id)
        if not stream.is_open:
            raise CommandRefused(stream, "given a priority", Stream.OPEN)
        beside = Q(pk=stream_id) if stream.group_id is None else Q(group_id=stream.group_id)
        Stream.objects.filter(beside).update(priority=priority)


def change_limits(search_id: uuid.UUID, wanted: Mapping[str, Any]) -> None:
    """Change the limits of an open search. wanted: "children" or "epochs", "workers", "hours", only what is to change;
    None for no limit of the last two.

    Raises CommandRefused where it has ended, and ConfigError at the limit that cannot be as wanted.
    """
    _on_its_way(search_id, "changed", lambda search: limits.change(search, wanted))


def steer(search_id: uuid.UUID, bans: steering.Bans) -> None:
    """Ban options of an open search, or take that back. bans: by place, see config.changes.Change.

    Raises CommandRefused where it has ended, and ConfigError at the place that cannot be as wanted.
    """
    _on_its_way(search_id, "steered", lambda search: steering.steer(search, bans))


def propose(search_id: uuid.UUID, architecture: Mapping[str, Any]) -> None:
    """Let an open search train an architecture of a person's beside the next step that it draws.

    Raises CommandRefused where it has ended, and ConfigError where it cannot take it.
    """
    _on_its_way(search_id, "given a proposal", lambda search: steering.propose(search, architecture))


def _on_its_way(search_id: uuid.UUID, verb: str, act: Callable[[Search], Sequence[Event]]) -> None:
    """Do to an open search what changes what is still to come, and log the events of it."""
    with transaction.atomic():
        search = planner.locked_search(search_id)
        if not search.is_open:
            raise CommandRefused(search, verb, Stream.OPEN)
        event_log.append(search_id, act(search))


def end_in_time(search_id: uuid.UUID) -> None:
    """Let a search whose hours are over end with what is under way. Does nothing where they are not, or it does."""
    with transaction.atomic():
        search = planner.locked_search(search_id)
        if search.state == Stream.State.RUNNING:
            event_log.append(search_id, limits.end_in_time(search))


def _change(
    stream_id: uuid.UUID, verb: str, wanted: Sequence[Stream.State], state: Stream.State, changes: dict[str, Any]
) -> None:
    with transaction.atomic():
        stream = planner.locked_stream(stream_id)
        if not Stream.objects.filter(pk=stream_id, state__in=wanted).update(state=state, reason="", **changes):
            raise CommandRefused(stream, verb, wanted)
        event_log.append(stream_id, [StateChanged(state=state.value)])
