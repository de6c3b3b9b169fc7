"""What is known of everything that runs -> what is ahead of it, and who works."""

import functools
import logging
import statistics
import uuid
from collections import defaultdict
from collections.abc import Sequence

from search_engine.config.search import SearchConfig
from search_engine.config.searches import AnyEnasSearchConfig
from search_engine.training_speed import TrainingSpeed
from webapp.searches.costs.estimate import STEP_OVERHEAD, finalist_as_children, search_cost
from webapp.searches.costs.shared_estimate import cost_of_training, shared_cost
from webapp.searches.leases import HEARTBEAT_SECONDS
from webapp.searches.models import Job, Stream
from webapp.searches.time_left.alone import Ahead, OneByOne, SearchAhead
from webapp.searches.time_left.facts import Facts, SearchFacts, SharedFacts, TrainingFacts, facts_of
from webapp.searches.time_left.outlook import Expected, search_ahead, shared_seconds
from webapp.searches.time_left.together import Sharing

LAST_LOOK = 10.0  # Seconds at the end of a training, for the test part and the bundle.
KEPT_COSTS = 1000  # Of so many configurations what was expected is kept: it is told from hundreds of draws.

Claims = Sequence[tuple[str, float | None]]  # Kinds of the jobs that a stream's workers have, and since when.
Speeds = tuple[TrainingSpeed, ...]

log = logging.getLogger(__name__)


def sharing_now(now: float, speeds: Sequence[TrainingSpeed]) -> tuple[list[Sharing], dict[uuid.UUID, Facts]]:
    """Everything that runs, and what is known of each. speeds: of the workers that are there."""
    streams = list(Stream.objects.filter(state=Stream.State.RUNNING).order_by("created", "pk"))
    known = facts_of(streams)
    claims = defaultdict(list)
    held = Job.objects.filter(stream_id__in=known, state=Job.State.LEASED).order_by("pk")
    for stream_id, kind, claimed in held.values_list("stream_id", "kind", "claimed"):
        claims[stream_id].append((kind, claimed))
    measured = tuple(speeds)
    return [_sharing(each, known.get(each.pk), claims[each.pk], now, measured) for each in streams], known


def _sharing(stream: Stream, facts: Facts | None, claims: Claims, now: float, speeds: Speeds) -> Sharing:
    ahead = None if facts is None else _ahead_if_any(stream, facts, claims, now, speeds)
    return Sharing(
        id=stream.pk,
        group=stream.group_id or stream.pk,
        priority=stream.priority,
        most=stream.max_workers,
        # A claim is a turn, and so is each renewal: a short child is one, however short.
        turn=_usual(ahead) / (1 + _usual(ahead) // HEARTBEAT_SECONDS),
        child=_usual(ahead),
        ahead=ahead,
    )


def _usual(ahead: Ahead | None) -> float:
    """Seconds of a mean child; of what goes on one worker, as long as a turn."""
    return max(statistics.fmean(ahead.like), 0.1) if isinstance(ahead, SearchAhead) else HEARTBEAT_SECONDS


def _ahead_if_any(stream: Stream, facts: Facts, claims: Claims, now: float, speeds: Speeds) -> Ahead | None:
    """One that cannot be told keeps no other from it."""
    try:
        if isinstance(facts, TrainingFacts):
            return _training(facts, claims, now, speeds)
        if isinstance(facts, SharedFacts):
            return _shared(facts, claims, now, speeds)
        return search_ahead(facts.standing, facts.past, _expected(facts, speeds), now)
    except Exception:
        log.exception("Could not tell how long %s %s still takes", stream.kind, stream.pk)
        return None


def _expected(facts: SearchFacts, speeds: Speeds) -> Expected:
    """What is still of use of what was expected before the first child."""
    config, past = facts.config, facts.past
    child = None if past.children or not speeds else _child_seconds(config, speeds)
    finalist = 0.0
    if config.finals.children and not past.finalists:
        finalist = _finalist_as_children(config, speeds[0]) if speeds else config.finals.epochs / config.recipe.epochs
    return Expected(child=child, mean_work=facts.mean_work, update=STEP_OVERHEAD, finalist=finalist)


def _training(facts: TrainingFacts, claims: Claims, now: float, speeds: Speeds) -> OneByOne | None:
    """By its latest epochs; before the first, by what was expected of it."""
    of = facts.config.recipe.epochs
    claimed = claims[0][1] if claims else None
    an_epoch, last = facts.an_epoch, facts.last
    if an_epoch is None:
        seconds = cost_of_training(facts.config, facts.architecture, speeds).seconds if speeds else None
        if seconds is None:
            return None
        an_epoch, last = seconds / of, claimed
    begun = 0.0 if claimed is None or last is None else max(0.0, now - max(last, claimed))
    return OneByOne(seconds=max((of - facts.done) * an_epoch - min(begun, an_epoch), 0.0) + LAST_LOOK)


def _shared(facts: SharedFacts, claims: Claims, now: float, speeds: Speeds) -> OneByOne | None:
    config, epoch, phase = facts.config, facts.epoch, facts.phase
    if epoch is None or phase is None:
        both = _epoch_seconds(config, speeds) if speeds else None
        if both is None:
            return None
        epoch = both / 2 if epoch is None else epoch
        phase = max(both - epoch, 0.0) if phase is None else phase
    score = phase / (config.phases.rounds * config.strategy.step_size)
    began = next((claimed for kind, claimed in claims if kind in Job.PHASES), None)
    seconds = shared_seconds(
        epochs=facts.epochs,
        steps_told=facts.steps_told,
        is_shared=facts.is_shared,
        since=None if began is None else max(0.0, now - began),
        epoch=epoch,
        phase=phase,
        derive=config.deriving.candidates * score,
    )
    return OneByOne(seconds=seconds)


def part_of_training(facts: TrainingFacts, took: float, rest: float) -> float | None:
    """In [0, 1], by what is left of all its time. took: seconds since its worker has it."""
    whole = facts.whole or took
    return whole / (whole + rest) if whole + rest else None


# --- What was expected, which costs hundreds of draws: told once for each configuration and the same workers. ---------


@functools.lru_cache(maxsize=KEPT_COSTS)
def _child_seconds(config: SearchConfig, speeds: Speeds) -> float | None:
    return search_cost(config, speeds).child_seconds


@functools.lru_cache(maxsize=KEPT_COSTS)
def _finalist_as_children(config: SearchConfig, speed: TrainingSpeed) -> float:
    return finalist_as_children(config, speed)


@functools.lru_cache(maxsize=KEPT_COSTS)
def _epoch_seconds(config: AnyEnasSearchConfig, speeds: Speeds) -> float | None:
    return shared_cost(config, speeds).epoch_seconds
