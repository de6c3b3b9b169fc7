"""How long things still take: by hand, played in virtual time by the real schedule, and from rows by real turns."""

import heapq
import itertools
import statistics
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from search_engine.events import ChildFinished, ChildStarted, EpochEnded
from tests.faults import fake_engine, fake_shared
from tests.faults.actors import KINDS, doing
from tests.faults.simulation import CALM, START, World
from tests.web.example_search import a_search, a_training, a_worker
from tests.web.played_search import MEAN_WORK, Played
from webapp.searches import clock, event_log, leases, lifecycle
from webapp.searches.models import Child, Event, Job, Search, Stream, Worker
from webapp.searches.time_left import now as time_left
from webapp.searches.time_left.alone import OneByOne, SearchAhead, most_workers, seconds_alone
from webapp.searches.time_left.outlook import Expected, Standing, search_ahead, shared_seconds
from webapp.searches.time_left.past import UnderWay, like_those_to_come, past_of, seconds_of_rest
from webapp.searches.time_left.together import Sharing, seconds_left, shares_of

A, B, C, G = (uuid.UUID(int=number) for number in (1, 2, 3, 4))


def sharing(key: uuid.UUID, seconds: float | None, **settings: Any) -> Sharing:
    """One whose work goes on one worker at a time."""
    ahead = None if seconds is None else OneByOne(seconds=seconds)
    return Sharing(**{"id": key, "group": key, "ahead": ahead} | settings)


# --- Alone. -----------------------------------------------------------------------------------------------------------


def test_a_step_that_does_not_divide_by_the_workers_waits_for_its_last_child() -> None:
    ahead = SearchAhead(drawn=[3], to_draw=3, step_size=3, like=[10.0], update=1.0)
    assert seconds_alone(ahead, 1) == pytest.approx(2 * (30 + 1))
    assert seconds_alone(ahead, 2) == pytest.approx(2 * (20 + 1))  # Two children one after the other on one of them.
    assert seconds_alone(ahead, 3) == seconds_alone(ahead, 9) == pytest.approx(2 * (10 + 1))
    assert most_workers(ahead) == 3


def test_with_lookahead_nobody_waits_for_the_end_of_a_step() -> None:
    """Two workers, steps of three children of 10 s: 12 children are 60 s of both, and only the updates come on top."""
    waits = SearchAhead(drawn=[3], to_draw=9, step_size=3, like=[10.0], update=0.0)
    ahead = SearchAhead(drawn=[3, 3], to_draw=6, step_size=3, lookahead=1, like=[10.0], update=0.0)
    assert seconds_alone(waits, 2) == pytest.approx(80)
    assert seconds_alone(ahead, 2) == pytest.approx(60)


def test_children_under_way_and_finalists_are_counted() -> None:
    ahead = SearchAhead(under_way=[4.0, 7.0], drawn=[0], like=[10.0], update=1.0, finalists=[30.0, 30.0, 30.0])
    assert seconds_alone(ahead, 2) == pytest.approx(7 + 1 + 60)
    assert seconds_alone(ahead, 1) == pytest.approx(4 + 7 + 1 + 90)


def test_a_long_search_is_told_from_its_first_steps() -> None:
    ahead = SearchAhead(to_draw=20_000, step_size=20, like=[10.0], update=1.0)
    assert seconds_alone(ahead, 20) == pytest.approx(1000 * 11, rel=0.001)


def test_copies_cost_nothing_and_uneven_children_make_others_wait() -> None:
    copies = SearchAhead(to_draw=400, step_size=4, like=[10.0, 0.0], update=0.0)
    assert seconds_alone(copies, 1) == pytest.approx(2000, rel=0.02)
    uneven = SearchAhead(to_draw=400, step_size=4, like=[4.0, 16.0], update=0.0)
    assert seconds_alone(uneven, 4) > 1.2 * 100 * 10


# --- Together. --------------------------------------------------------------------------------------------------------


def test_two_that_share_one_worker_take_turns_until_the_shorter_one_ends() -> None:
    assert seconds_left([sharing(A, 10.0), sharing(B, 30.0)], 1) == {A: pytest.approx(20), B: pytest.approx(40)}
    assert seconds_left([sharing(A, 10.0), sharing(B, 30.0)], 2) == {A: pytest.approx(10), B: pytest.approx(30)}


def test_a_higher_priority_goes_first() -> None:
    left = seconds_left([sharing(A, 10.0), sharing(B, 30.0, priority=1)], 1)
    assert left == {A: pytest.approx(40), B: pytest.approx(30)}


def test_members_of_a_group_count_as_one() -> None:
    three = [sharing(A, 10.0, group=G), sharing(B, 10.0, group=G), sharing(C, 10.0)]
    assert shares_of(three, 1) == {A: pytest.approx(0.25), B: pytest.approx(0.25), C: pytest.approx(0.5)}


def test_what_one_cannot_use_goes_to_the_others_and_a_limit_holds() -> None:
    wide = Sharing(id=B, group=B, ahead=SearchAhead(to_draw=80, step_size=8, like=[10.0]))
    assert shares_of([sharing(A, 10.0), wide], 5) == {A: 1.0, B: 4.0}
    wide.most = 2
    assert shares_of([sharing(A, 10.0), wide], 5) == {A: 1.0, B: 2.0}


@given(
    st.lists(
        st.tuples(st.floats(0, 1e6), st.integers(-1, 1), st.integers(0, 2), st.booleans()), min_size=1, max_size=6
    ),
    st.integers(1, 4),
)
def test_whatever_shares_ends_after_it_would_alone_and_before_all_would_one_by_one(
    many: list[tuple[float, int, int, bool]], workers: int
) -> None:
    """Also where several end at one moment, or take no time."""
    sharings = [
        sharing(
            uuid.UUID(int=100 + place),
            seconds,
            priority=priority,
            group=uuid.UUID(int=group if grouped else 100 + place),
        )
        for place, (seconds, priority, group, grouped) in enumerate(many)
    ]
    left = seconds_left(sharings, workers)
    together = sum(max(seconds, 0.001) for seconds, *_ in many)
    for one in sharings:
        seconds = left[one.id]
        assert isinstance(one.ahead, OneByOne) and seconds is not None
        assert one.ahead.seconds * (1 - 1e-6) <= seconds <= together * (1 + 1e-6)


def test_where_nobody_works_or_nothing_is_known_there_is_no_time() -> None:
    assert seconds_left([sharing(A, 10.0)], 0) == {A: None}
    assert seconds_left([sharing(A, None), sharing(B, 10.0)], 1) == {A: None, B: pytest.approx(20)}
    assert seconds_left([sharing(A, None, priority=1), sharing(B, 10.0)], 1) == {A: None, B: None}


# --- What was tells what comes. ---------------------------------------------------------------------------------------


def test_a_child_under_way_goes_on_as_its_epochs_did() -> None:
    assert seconds_of_rest(UnderWay("w", since=0.0, epochs=(2, 5), last=20.0), [99.0], now=23.0) == 3 * 10 - 3
    assert seconds_of_rest(UnderWay("w", since=0.0), [10.0, 20.0], now=4.0) == (6 + 16) / 2
    assert seconds_of_rest(UnderWay("w", since=0.0), [10.0, 20.0], now=12.0) == 8  # Only the longer one took longer.
    assert seconds_of_rest(UnderWay("w", since=0.0), [10.0, 20.0], now=50.0) == 0.25 * 15


def test_children_that_were_small_by_chance_do_not_promise_a_short_search() -> None:
    """Seconds follow work exactly; the ten so far had half the mean work of the space."""
    past = past_of([])
    past.children = [(float(size), size * 10**5) for size in range(1, 11)]
    unmoved = like_those_to_come(past, done=10, mean_work=None)
    moved = like_those_to_come(past, done=10, mean_work=11e5)
    assert statistics.fmean(unmoved) == pytest.approx(5.5)
    assert statistics.fmean(moved) == pytest.approx(5.5 + (20 / 30) * 5.5, rel=0.01)
    later = like_those_to_come(past, done=10_000, mean_work=11e5)
    assert statistics.fmean(later) == pytest.approx(5.5, rel=0.01)


def test_finalists_that_nobody_has_chosen_yet_are_as_uneven_as_the_children_were() -> None:
    """Children of 1 to 10 s; finalists take three times a child: two of them are a small one and a large one."""
    past = past_of([])
    past.children = [(float(size), 0) for size in range(1, 11)]
    standing = Standing(done=10, total=10, drawn=10, step_size=5, lookahead=0, finalists=2)
    ahead = search_ahead(standing, past, Expected(finalist=3.0), 0.0)
    assert ahead is not None and sorted(ahead.finalists) == pytest.approx([3 * 5.5 * 6 / 11, 3 * 5.5 * 16 / 11])
    alone = search_ahead(replace(standing, finalists=1), past, Expected(finalist=3.0), 0.0)
    assert alone is not None and alone.finalists == pytest.approx([3 * 5.5])


def test_a_lost_child_is_no_longer_under_way() -> None:
    began = {"kind": "child_started", "step": 0, "slot": 1, "worker": "w", "at": 5.0}
    assert past_of([began]).under_way.keys() == {("child", 0, 1)}
    assert past_of([began, {"kind": "job_lost", "what": "child 0.1", "at": 6.0}]).under_way == {}


def test_before_anything_is_known_nothing_is_told() -> None:
    standing = Standing(done=0, total=10, drawn=0, step_size=5, lookahead=0)
    assert search_ahead(standing, past_of([]), Expected(), 0.0) is None
    known = search_ahead(standing, past_of([]), Expected(child=8.0, update=1.0), 0.0)
    assert known is not None and seconds_alone(known, 5) == pytest.approx(2 * 9)


def test_shared_weights_go_epoch_by_epoch() -> None:
    settings = {"epochs": 10, "epoch": 30.0, "phase": 20.0, "derive": 5.0}
    assert shared_seconds(steps_told=0, is_shared=False, since=None, **settings) == 10 * 50 + 5
    assert shared_seconds(steps_told=8, is_shared=True, since=15.0, **settings) == 5 + 50 + 5
    assert shared_seconds(steps_told=10, is_shared=True, since=3.0, **settings) == 2


def test_after_ten_children_the_time_left_is_told_with_little_error() -> None:
    """Played by the real schedule: 1 to 8 workers, steps of 5 to 20, with lookahead and without, with a final round."""
    plays = itertools.product((1, 2, 3, 8), (5, 10, 20), (0, 1), (0.2, 0.35, 0.5), (0, 4))
    errors: dict[int, list[float]] = {1: [], 2: [], 3: [], 8: []}
    for seed, (workers, size, lookahead, spread, finalists) in enumerate(plays):
        played = Played(
            children=100, step_size=size, workers=workers, seed=seed, lookahead=lookahead, spread=spread,
            finalists=finalists,
        ).run()  # fmt: skip
        errors[workers].append(played.error_after(10))
    few = [abs(error) for workers in (1, 2, 3) for error in errors[workers]]
    assert sum(error < 0.15 for error in few) >= 0.97 * len(few)
    everything = list(itertools.chain.from_iterable(errors.values()))
    assert sum(abs(error) < 0.15 for error in everything) >= 0.9 * len(everything)
    assert statistics.median(abs(error) for error in everything) < 0.07
    assert abs(statistics.fmean(everything)) < 0.02  # Neither too long nor too short as a habit.


def test_it_gets_better_the_further_a_search_is() -> None:
    plays = [Played(children=100, step_size=10, workers=3, seed=seed, spread=0.5).run() for seed in range(8)]
    early, late = ([abs(play.error_after(done)) for play in plays] for done in (10, 50))
    assert statistics.fmean(late) < statistics.fmean(early)
    assert MEAN_WORK > 0


# --- From rows. -------------------------------------------------------------------------------------------------------


class Working:
    """Workers that do what is due in virtual time, by the real claims, turns and commits."""

    def __init__(self, folder: Path, workers: int, seed: int) -> None:
        self.world = World(seed, folder, fake_engine)
        self.world.now = START + CALM  # Nothing goes wrong there.
        self.names = [f"here:{number}" for number in range(workers)]
        Worker.objects.bulk_create(
            Worker(name=name, host="here", device="cpu", speed=[0.0, 1e-9, 0.0], seen=1e12) for name in self.names
        )
        self._turns: list[tuple[float, int]] = [(self.world.now, place) for place in range(workers)]
        self._doing: dict[int, Any] = {}

    def until(self, is_reached: Any) -> float:
        """Go on until this is so; which moment that was."""
        while not is_reached():
            self.world.now, place = heapq.heappop(self._turns)
            heapq.heappush(self._turns, (self.world.now + self._further(place), place))
        return self.world.now

    def _further(self, place: int) -> float:
        if place not in self._doing:
            claim = leases.claim(self.names[place], KINDS)
            if claim is None:
                return 0.2
            self._doing[place] = doing(self.world, self.names[place], claim)
        pause = next(self._doing[place], None)
        if pause is None:
            del self._doing[place]
        return pause or 0.01


def decided(search: Search) -> int:
    return Child.objects.filter(search=search, is_final=True).count()


def errors_of_two_that_share_three_workers(owner: Any, folder: Path, seed: int) -> list[float]:
    """Of the time left as told when both have ten children, as a part of what it took in truth."""
    folder.mkdir()
    working = Working(folder, 3, seed)
    with clock.replaced(lambda: working.world.now):
        searches = [
            lifecycle.create_search(
                owner, fake_engine.small_config(children=children, step_size=6, seed=children),
                decisions=fake_engine.DECISIONS, data=fake_engine.DATA,
            )
            for children in (24, 36)
        ]  # fmt: skip
        working.until(lambda: all(decided(search) >= 10 for search in searches))
        told, asked = time_left.look().left, working.world.now
        ends = {
            search.pk: working.until(lambda search=search: not Stream.objects.get(pk=search.pk).is_open)
            for search in searches
        }
        time_left.forget()
        Worker.objects.all().delete()
    return [((told[pk] or 0.0) - (end - asked)) / (end - asked) for pk, end in ends.items()]


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("store")
def test_searches_that_share_three_workers_know_how_long_they_take(owner: Any, tmp_path: Path) -> None:
    """The last fourteen children of a search may be large or small by chance, so no single one is judged."""
    errors = [
        error
        for seed in (1, 2, 3)
        for error in errors_of_two_that_share_three_workers(owner, tmp_path / str(seed), seed)
    ]
    assert statistics.median(map(abs, errors)) < 0.15, errors
    assert abs(statistics.fmean(errors)) < 0.1, errors


@pytest.mark.django_db
def test_a_search_without_a_worker_says_so_and_one_with_is_told(owner: Any) -> None:
    search = a_search(owner)
    assert time_left.look().why == {search.pk: time_left.NOBODY}
    a_worker()
    look = time_left.look()
    assert look.workers == 1 and look.why == {}
    assert (look.left[search.pk] or 0) > 10  # 120 children; nothing is done yet, but the worker measured its speed.
    assert [(each.stream, each.due, each.seconds) for each in look.waiting] == [(search.pk, 1, 0.0)]
    lifecycle.pause(search.pk)
    assert time_left.look().left == {} and time_left.look().waiting == []


@pytest.mark.django_db
def test_drained_workers_and_hosts_set_aside_do_not_count(owner: Any) -> None:
    search = a_search(owner)
    worker = a_worker()
    Worker.objects.filter(pk=worker.pk).update(is_drained=True)
    assert time_left.look().why == {search.pk: time_left.NOBODY}


@pytest.mark.django_db
def test_a_training_goes_on_as_its_latest_epochs_did(owner: Any) -> None:
    training = a_training(owner, a_search(owner, children=1))
    a_worker()
    Stream.objects.exclude(pk=training.pk).update(state="paused")
    of = training.config["recipe"]["epochs"]
    ended = {"epochs": of, "loss": 1.0, "accuracy": 0.5, "learning_rate": 0.1}
    event_log.append(training.pk, [EpochEnded(epoch=epoch, seconds=30.0, **ended) for epoch in (1, 2)])
    assert time_left.look().left[training.pk] == pytest.approx((of - 2) * 30 + 10, abs=1)


@pytest.mark.django_db
def test_shared_weights_are_told_by_what_was_expected_before_their_first_epoch(owner: Any) -> None:
    config = fake_shared.small_config(epochs=3)
    search = lifecycle.create_search(owner, config, decisions=fake_engine.DECISIONS, data=fake_engine.DATA)
    a_worker()
    assert (time_left.look().left[search.pk] or 0) > 0


@pytest.mark.django_db
def test_one_that_nobody_can_tell_keeps_no_other_from_being_told(owner: Any) -> None:
    """Its data is gone, say, or another version of the program wrote its configuration."""
    broken, sound = a_search(owner), a_search(owner)
    a_worker()
    Search.objects.filter(pk=broken.pk).update(config={"nobody": "understands this"})
    look = time_left.look()
    assert look.why[broken.pk] == time_left.NOT_YET and (look.left[sound.pk] or 0) > 0


@pytest.mark.django_db
def test_looking_asks_no_more_of_a_long_search_than_of_a_short_one(owner: Any) -> None:
    a_worker()
    search = a_search(owner, children=2)
    time_left.look()
    time_left.forget()
    with CaptureQueriesContext(connection) as before:
        time_left.look()
    last = Event.objects.filter(stream=search.pk).order_by("-number").first()
    assert last is not None
    Event.objects.bulk_create(
        Event(stream_id=search.pk, number=last.number + more, kind="epoch_ended", payload=last.payload, at=last.at)
        for more in range(1, 600)
    )
    time_left.forget()
    with CaptureQueriesContext(connection) as after:
        time_left.look()
    assert len(after) == len(before) < 30


@pytest.mark.django_db
def test_only_what_has_new_events_is_read_again_and_what_is_told_is_as_if_all_were(owner: Any) -> None:
    a_worker()
    searches, training = [a_search(owner, children=2) for _ in range(4)], a_training(owner, a_search(owner, children=1))
    began = [ChildStarted(step=0, slot=slot, worker="w") for slot in (0, 1)]
    ended = [ChildFinished(step=0, slot=slot, reward=0.5, parameters=1, mult_adds=9, seconds=3.0) for slot in (0, 1)]
    event_log.append(searches[0].pk, [*began, *ended])
    moment = clock.now()
    with clock.replaced(lambda: moment):
        time_left.look()
        event_log.append(searches[1].pk, [*began, ended[1]])
        lifecycle.change_limits(searches[2].pk, {"children": 200})
        event_log.append(training.pk, [EpochEnded(epoch=1, epochs=9, loss=1.0, learning_rate=0.1, seconds=30.0)])
        with CaptureQueriesContext(connection) as queries:
            later = time_left.look()
        time_left.forget()
        assert time_left.look() == later and later.left[searches[2].pk] != later.left[searches[3].pk]
    reads_events = [query["sql"] for query in queries if "searches_event" in query["sql"]]
    assert len(reads_events) == 3


@pytest.mark.django_db
def test_many_who_ask_cost_as_much_as_one(owner: Any, django_assert_num_queries: Any) -> None:
    a_search(owner), a_worker()
    time_left.forget()
    first = time_left.recent()
    with django_assert_num_queries(0):
        assert time_left.recent() is first
    time_left.forget()
    assert Job.objects.count() == 1
