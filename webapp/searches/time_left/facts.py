"""What rows and the latest events say of everything that runs.

Whatever changes a search or a training is an event of it, written with the change. So a stream is read again only when
its last event is another one, and nothing of it is parsed twice. Nothing here grows with the length of a search, but
for the counting of its children.
"""

import logging
import statistics
import uuid
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, Q

from search_engine.architectures.reading import Architecture, architecture_from_json
from search_engine.config.search import SearchConfig
from search_engine.config.searches import AnyEnasSearchConfig, read_search_config
from search_engine.config.trainings import AnyTrainingConfig, read_training_config
from webapp.searches.costs.uniform_draws import drawn_children
from webapp.searches.models import Child, Event, Finalist, Search, Stream, Training
from webapp.searches.time_left.outlook import Standing
from webapp.searches.time_left.past import KINDS, Past, past_of

EVENTS = 400  # The latest that are looked at: some ten epochs of forty children.
PHASES = ("shared_epoch_ended", "controller_phase_ended")
LATEST_PHASES = 3  # Epochs that the next one is expected to be like.
LATEST_EPOCHS = 5
ENOUGH = 400  # Children, behind which the mean of the space says nothing more.

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchFacts:
    """Of a search that trains each child by itself. mean_work: of its space, in mult-adds; None where of no use."""

    config: SearchConfig
    standing: Standing
    past: Past
    mean_work: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedFacts:
    """Of a search with shared weights. epoch, phase: seconds that the latest took, None before the first."""

    config: AnyEnasSearchConfig
    epochs: int
    steps_told: int
    is_shared: bool
    epoch: float | None
    phase: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingFacts:
    """done: epochs; last: when the last of them ended; an_epoch: seconds of one of the latest; both None before the
    first. whole: seconds of all that are looked at."""

    config: AnyTrainingConfig
    architecture: Architecture
    done: int = 0
    last: float | None = None
    an_epoch: float | None = None
    whole: float = 0.0


Facts = SearchFacts | SharedFacts | TrainingFacts

_kept: dict[uuid.UUID, tuple[int, Facts]] = {}  # With the last event that they know, of this process.


def facts_of(streams: Sequence[Stream]) -> dict[uuid.UUID, Facts]:
    """One that cannot be told, for a configuration of another version or data that is gone, is left out."""
    global _kept
    before, found = _kept, {}
    for stream in streams:
        if stream.pk in before and before[stream.pk][0] == stream.last_event:
            found[stream.pk] = before[stream.pk]
    changed = [stream for stream in streams if stream.pk not in found]
    rows = _Rows([stream.pk for stream in changed])
    for stream in changed:
        try:
            found[stream.pk] = stream.last_event, rows.facts(stream, before.get(stream.pk))
        except Exception:
            log.exception("Could not tell how long %s %s still takes", stream.kind, stream.pk)
    _kept = found
    return {key: facts for key, (_, facts) in found.items()}


def forget() -> None:
    """Everything is read again."""
    global _kept
    _kept = {}


class _Rows:
    """The rows of some streams, with a query for each sort of them; events are read stream by stream."""

    def __init__(self, streams: Sequence[uuid.UUID]) -> None:
        self._searches = Search.objects.in_bulk(streams) if streams else {}
        self._trainings = Training.objects.in_bulk(streams) if streams else {}
        children = Child.objects.filter(search__in=self._searches) if self._searches else Child.objects.none()
        counted = children.filter(off_policy=False).values("search").annotate(
            drawn=Count("pk"), done=Count("pk", filter=Q(is_final=True))
        )  # fmt: skip
        self._counts = {pk: (drawn, done) for pk, drawn, done in counted.values_list("search", "drawn", "done")}
        self._undecided: dict[uuid.UUID, Counter[int]] = defaultdict(Counter)
        for pk, step in children.filter(is_final=False).values_list("search", "step"):
            self._undecided[pk][step] += 1
        in_step = children.filter(step=F("search__steps_told"))
        self._begun = set(in_step.values_list("search", flat=True).distinct())
        self._ranks: dict[uuid.UUID, list[int]] = defaultdict(list)
        left = Finalist.objects.filter(search__in=self._searches, is_final=False).order_by("rank")
        for pk, rank in left.values_list("search", "rank") if self._searches else ():
            self._ranks[pk].append(rank)

    def facts(self, stream: Stream, before: tuple[int, Facts] | None) -> Facts:
        """before: what was known of it; a configuration never changes."""
        if stream.kind == Stream.Kind.TRAINING:
            return _of_training(self._trainings[stream.pk])
        search = self._searches[stream.pk]
        known = before[1] if before is not None else None
        config = read_search_config(search.config) if known is None else known.config
        if not isinstance(config, SearchConfig):
            return _of_shared(search, config)
        standing, mean_work = self._standing(search, config), None
        if standing.done < ENOUGH:
            mean_work = known.mean_work if isinstance(known, SearchFacts) else _mean_work(config)
        past = past_of(latest_events(search.pk, KINDS, EVENTS))
        return SearchFacts(config=config, standing=standing, past=past, mean_work=mean_work)

    def _standing(self, search: Search, config: SearchConfig) -> Standing:
        drawn, done = self._counts.get(search.pk, (0, 0))
        is_open = search.pk in self._begun and drawn > 0
        current = Counter({search.steps_told: 0}) if is_open else Counter[int]()
        current.update(self._undecided[search.pk])
        return Standing(
            done=done,
            total=search.total,
            drawn=drawn,
            step_size=config.strategy.step_size,
            lookahead=config.strategy.lookahead,
            undecided=current,
            finalists=None if search.finals else config.finals.children,
            finalists_left=self._ranks[search.pk],
        )


def _mean_work(config: SearchConfig) -> float:
    return statistics.fmean(each.mult_adds for each in drawn_children(config))


def _of_shared(search: Search, config: AnyEnasSearchConfig) -> SharedFacts:
    ended = latest_events(search.pk, PHASES, 2 * LATEST_PHASES)
    took = {kind: [each["seconds"] for each in ended if each["kind"] == kind] for kind in PHASES}
    epoch, phase = (statistics.fmean(took[kind]) if took[kind] else None for kind in PHASES)
    return SharedFacts(
        config=config,
        epochs=search.epochs,
        steps_told=search.steps_told,
        is_shared=search.epochs_shared > search.steps_told,
        epoch=epoch,
        phase=phase,
    )


def _of_training(training: Training) -> TrainingFacts:
    config = read_training_config(training.config)
    architecture = architecture_from_json(training.config["architecture"])
    ended = latest_events(training.pk, ("epoch_ended",), EVENTS)
    if not ended:
        return TrainingFacts(config=config, architecture=architecture)
    return TrainingFacts(
        config=config,
        architecture=architecture,
        done=ended[-1]["epoch"],
        last=ended[-1]["at"],
        an_epoch=statistics.fmean(each["seconds"] for each in ended[-LATEST_EPOCHS:]),
        whole=sum(each["seconds"] for each in ended),
    )


def latest_events(stream_id: uuid.UUID, kinds: Sequence[str], count: int) -> list[Mapping[str, Any]]:
    """In their order, as event_log.read gives them."""
    rows = Event.objects.filter(stream_id=stream_id, kind__in=kinds).order_by("-number")
    values = rows.values_list("number", "at", "kind", "payload")[:count]
    return [{"n": number, "at": at, "kind": kind, **payload} for number, at, kind, payload in reversed(values)]
