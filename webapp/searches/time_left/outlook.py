"""From what a search did so far to what is ahead of it. Pure."""

import random
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from webapp.searches.time_left.alone import SearchAhead
from webapp.searches.time_left.past import Past, like_those_to_come, seconds_of_rest, update_seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a search was expected to take before its first child, where anybody could tell. All times in seconds.

    child: a mean one; mean_work: its mult-adds; update: of the controller; finalist: as a multiple of a child.
    """

    child: float | None = None
    mean_work: float | None = None
    update: float = 0.5
    finalist: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a search stands. undecided: by step, beginning with the one that is told next, how many children have no
    verdict. finalists_left: ranks without one; finalists: how many there will be; None after they were chosen.
    """

    done: int
    total: int
    drawn: int
    step_size: int
    lookahead: int
    undecided: Mapping[int, int] = field(default_factory=dict)
    finalists: int | None = 0
    finalists_left: Sequence[int] = ()


def search_ahead(standing: Standing, past: Past, expected: Expected, now: float) -> SearchAhead | None:
    """None where nothing is known of how long a child takes."""
    like = like_those_to_come(past, done=standing.done, mean_work=expected.mean_work)
    if not like and expected.child is not None:
        like = [expected.child]
    if not like:
        return None
    waiting = dict(standing.undecided)
    under_way = []
    for (kind, step, _), one in past.under_way.items():
        if kind == "child" and waiting.get(step, 0) > 0:
            waiting[step] -= 1
            under_way.append(seconds_of_rest(one, like, now))
    return SearchAhead(
        under_way=under_way,
        drawn=[waiting[step] for step in sorted(waiting)],
        to_draw=max(0, standing.total - standing.drawn),
        step_size=standing.step_size,
        lookahead=standing.lookahead,
        like=like,
        update=update_seconds(past, expected.update),
        finalists=_finalists(standing, past, expected, like, now),
    )


def _finalists(
    standing: Standing, past: Past, expected: Expected, like: Sequence[float], now: float
) -> list[float]:  # fmt: skip
    """What each that is not decided still takes, those in training first."""
    took = [seconds for seconds, _ in past.finalists if seconds]
    trained = [each for each in like if each]
    one = statistics.fmean(took) if took else expected.finalist * (statistics.fmean(trained) if trained else 0.0)
    if standing.finalists is not None:
        return _as_uneven(trained, one, standing.finalists)
    begun = {rank: each for (kind, rank, _), each in past.under_way.items() if kind == "finalist"}
    sure = [seconds_of_rest(begun[rank], [one], now) for rank in standing.finalists_left if rank in begun]
    return sure + [one] * (len(standing.finalists_left) - len(sure))


def _as_uneven(trained: Sequence[float], mean: float, count: int) -> list[float]:
    """So many numbers of this mean, as far apart as what was trained: the end waits for the last, not for the mean."""
    ordered = sorted(trained)
    if not ordered or not count:
        return [mean] * count
    middles = [ordered[int((place + 0.5) / count * len(ordered))] for place in range(count)]
    random.Random(0).shuffle(middles)  # Nobody knows whose turn comes first; a fixed order does not flicker.
    scale = mean / statistics.fmean(middles)
    return [scale * each for each in middles]


def shared_seconds(
    *, epochs: int, steps_told: int, is_shared: bool, since: float | None, epoch: float, phase: float, derive: float
) -> float:
    """Of a search with shared weights, on the one worker that it keeps busy.

    epoch, phase, derive: seconds of a shared epoch, of a controller phase, of scoring the candidates. since: so many
    seconds ago the phase that goes on began; None where none does.
    """
    if steps_told >= epochs:
        return max(derive - (since or 0.0), 0.0)
    now = phase if is_shared else epoch
    rest = max(now - (since or 0.0), 0.0) + (0.0 if is_shared else phase)
    return rest + (epochs - steps_told - 1) * (epoch + phase) + derive
