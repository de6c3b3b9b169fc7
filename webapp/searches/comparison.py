"""A search against random search, from rows: the pool of random children, the band, the test, and what to say."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from search_engine import comparison
from search_engine.comparison import FEWEST_LATE, FEWEST_LATE_STEPS, FEWEST_RANDOM, BandPoint, Difference
from search_engine.config.search import SearchConfig
from webapp.searches.companion import companion_of
from webapp.searches.models import Child, Search
from webapp.searches.steering import first_steered, steered_in_words

MOST_POINTS = 200  # Of the band.
RULE = (
    "On both sides a child counts with the reward of its own training, and one that diverged or did not fit with the "
    "reward the settings state for it; copied rewards and lost children do not count."
)
BAND = (
    "The line is the best of n random children that is to be expected; 95 of 100 random searches end inside the band. "
    "It rests on {pool}, and cannot show more than the best of them."
)
NONE_TRAINED = (
    "A verdict waits for a child that was trained: so far none was among the late children of the controller, and none "
    "among the random ones."
)
NONE_WILL_BE = "No verdict: none of the late children of the controller was trained, and none of the random ones."
NOTHING_YET = "No random search of these settings has run yet, so nothing tells luck from learning here."


class Counted(NamedTuple):
    """A child that counts. place: among all children; is_trained: its reward was measured, and not stated for it."""

    place: int
    reward: float
    is_trained: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A search against the pool of random children.

    counted: children of the search that count; pool, runs: random children that count, and the searches they are of.
    band: (place, point) - the place among all children at which the search's n-th counted child stands; () while no
        child on either side was trained, because all were over a bound: stated rewards alone compare nothing.
    at: the n at which `lead` is taken, 0 before any; lead: best of the first n minus the expected best of n random.
    test: None while `waiting`, a sentence, says what it waits for. is_over: nothing more will come by itself.
    weighs_cost: rewards are more than accuracies, and so no shares.
    """

    companion: Search | None
    counted: int
    pool: int
    runs: int
    band: tuple[tuple[int, BandPoint], ...]
    at: int
    lead: float | None
    test: Difference | None
    waiting: str
    sentences: tuple[str, ...]
    is_over: bool
    weighs_cost: bool


def compared(search: Search) -> Compared:
    """How this search stands against random search. It must not be random itself."""
    companion = companion_of(search)
    is_over = not search.is_open and (companion is None or not companion.is_open)
    rows, late = _counted(search), _late(search)
    pools = _pools(search)
    random, runs = [child for pool in pools for child in pool], len(pools)
    rewards, pool = [child.reward for child in rows], [child.reward for child in random]
    compares = any(child.is_trained for child in (*rows, *random))
    at = min(len(rewards), len(pool)) if compares else 0
    waiting = _waiting(search, companion, random, late, is_over)
    test = None if waiting else comparison.difference([child.reward for child in late], pool)
    weighs_cost = SearchConfig.model_validate(search.config).weighs_cost
    said = test and comparison.sentence(test, random_runs=runs, is_over=is_over, weighs_cost=weighs_cost)
    sentences = (said,) if said else ()
    if pool and compares:
        children = f"{len(pool):,} random children of {'one run' if runs == 1 else f'{runs} runs'}"
        sentences += (BAND.format(pool=children), RULE)
    sentences += steered_in_words(search, companion)
    return Compared(
        companion=companion,
        counted=len(rewards),
        pool=len(pool),
        runs=runs,
        band=_band(search, [child.place for child in rows], pool) if compares else (),
        at=at,
        lead=max(rewards[:at]) - comparison.band(pool, [at])[0].expected if at else None,
        test=test,
        waiting=waiting,
        sentences=sentences,
        is_over=is_over,
        weighs_cost=weighs_cost,
    )


def random_pool(search: Search) -> tuple[list[float], int]:
    """The rewards of all random children of this owner under comparable settings, and of how many searches they are."""
    pools = _pools(search)
    return [child.reward for pool in pools for child in pool], len(pools)


def comparable(config: dict[str, Any]) -> dict[str, Any]:
    """What must be equal for two searches' rewards to mean the same: everything but what stands below.

    The settings of an earlier version are read with today's defaults, as everywhere.
    """
    whole = SearchConfig.model_validate(config).model_dump(mode="json")
    del whole["name"], whole["strategy"], whole["finals"], whole["budget"]["children"], whole["reproducibility"]["seed"]
    return whole


def _pools(search: Search) -> list[list[Counted]]:
    """The children that count of every random search that is comparable, where there are any; none that was steered."""
    wanted = comparable(search.config)
    random = Search.objects.filter(owner_id=search.owner_id, config__strategy__kind="random", epochs=0)
    alike = (
        each
        for each in random.order_by("created", "pk")
        if comparable(each.config) == wanted and first_steered(each) is None
    )
    return [pool for each in alike if (pool := _counted(each))]


def _counted(search: Search, first_step: int = 0, steps: int | None = None) -> list[Counted]:
    """The children that count, in the order in which they were drawn."""
    children = Child.objects.filter(
        search=search, off_policy=False, is_final=True, reward__isnull=False, twin_step=None
    )  # fmt: skip
    children = children.filter(step__gte=first_step)
    if steps is not None:
        children = children.filter(step__lt=first_step + steps)
    size = search.config["strategy"]["step_size"]
    rows = children.order_by("step", "slot").values_list("step", "slot", "reward", "reason")
    return [
        Counted(step * size + slot, reward, reason == "") for step, slot, reward, reason in rows if reward is not None
    ]


def _late(search: Search) -> list[Counted]:
    """The children of the last steps that the controller has learned from: fresh draws of a late policy."""
    complete = _complete(search)
    steps = comparison.late_steps(complete)
    return _counted(search, complete - steps, steps) if steps else []


def _complete(search: Search) -> int:
    """How many steps the controller has learned from."""
    return max(search.steps_told, 0)  # -1 says that nothing was drawn yet.


def _band(search: Search, places: list[int], pool: list[float]) -> tuple[tuple[int, BandPoint], ...]:
    most = min(len(pool), search.total)
    if not most:
        return ()
    points = comparison.band(pool, comparison.thinned(most, MOST_POINTS))
    shift = places[-1] + 1 - len(places) if places else 0  # Children that did not count so far.
    return tuple((places[each.n - 1] if each.n <= len(places) else each.n - 1 + shift, each) for each in points)


def _waiting(
    search: Search, companion: Search | None, random: Sequence[Counted], late: Sequence[Counted], is_over: bool
) -> str:
    """What is still missing for a verdict; "" when nothing is."""
    missing = []
    pool = len(random)
    if pool < FEWEST_RANDOM:
        if companion is None and not pool:
            return NOTHING_YET
        missing.append(f"{FEWEST_RANDOM} random children, of which {pool} are there")
    if _complete(search) < FEWEST_LATE_STEPS:
        missing.append(f"two complete steps of the controller, of which {_complete(search)} are there")
    elif len(late) < FEWEST_LATE:
        missing.append(f"{FEWEST_LATE} late children with a reward of their own, of which {len(late)} are there")
    if not missing and any(child.is_trained for child in (*late, *random)):
        return ""
    if not missing:
        return NONE_WILL_BE if is_over else NONE_TRAINED
    needs = ", and ".join(missing)
    return f"Too small for a verdict: it takes {needs}." if is_over else f"A verdict waits for {needs}."
