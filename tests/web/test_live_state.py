import copy
import itertools
import json
import random
from pathlib import Path

import pytest

from search_engine.events import event_from_json
from search_engine.runner import run
from tests.faults import fake_engine
from tests.golden import make_streams
from webapp.accounts.models import User
from webapp.searches import bounded_lists, event_log, lifecycle, live_state
from webapp.searches.models import Snapshot, Stream

GOLDEN = sorted((Path(__file__).parents[1] / "golden/streams").glob("*.json"))


def folded(kind, events, limits=live_state.LIMITS):
    state = live_state.initial(kind)
    for event in events:
        state = live_state.apply(state, event, limits)
    return state


def straight_run(config):
    """All events of a search in one process, as they would travel."""
    decided = fake_engine.DECISIONS
    first = {
        "kind": "search_started", "version": 1, "config": {}, "decisions": [d.model_dump(mode="json") for d in decided],
        "data": {}, "children": config.budget.children, "step_size": config.strategy.step_size,
    }  # fmt: skip
    events = run(
        fake_engine.FakeStrategy(config),
        fake_engine.FakeEvaluator(config),
        should_stop=lambda: False,
        save=lambda strategy, fingerprint: None,
    )
    return [{"n": n, "at": float(n), **event} for n, event in enumerate([first, *(e.to_json() for e in events)], 1)]


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_recorded_streams_fold_to_their_recorded_states(path):
    golden = json.loads(path.read_text())
    limits = live_state.Limits(**golden["limits"]) if golden["limits"] else live_state.LIMITS
    for event in golden["events"]:
        event_from_json({key: value for key, value in event.items() if key not in ("n", "at")})
    assert folded(golden["kind"], golden["events"], limits) == golden["state"]


def test_every_recorded_stream_tells_its_story():
    written = [path for path in GOLDEN if path.stem in make_streams.STREAMS]  # The others are of real searches.
    recorded = {path.stem: json.loads(path.read_text())["events"] for path in written}
    told = {name: make_streams.recorded(story()) for name, (_, story, _) in make_streams.STREAMS.items()}
    assert recorded == told


def test_a_state_counts_what_happened():
    config = fake_engine.small_config(children=30, step_size=4)
    events = straight_run(config)
    state = folded("search", events)
    verdicts = [event for event in events if event["kind"] == "child_finished"]
    measured = [event for event in verdicts if event["reason"] is None]
    best = max(measured, key=lambda event: event["reward"])
    assert (state["done"], state["total"], state["proposed"], state["updates"]) == (30, 30, 30, 8)
    assert state["failed"] == len(verdicts) - len(measured) > 0
    assert (state["best"]["step"], state["best"]["slot"]) == (best["step"], best["slot"])
    assert [point[1] for point in state["points"]] == [event["reward"] for event in verdicts]
    assert state["state"] == "finished" and state["pending"] == {} and state["running"] == {}
    assert state["fingerprint"] == events[-2]["fingerprint"]


def test_apply_leaves_the_given_state_as_it_was():
    state = live_state.initial("search")
    for event in make_streams.recorded(make_streams.losses_and_pauses()):
        before = copy.deepcopy(state)
        after = live_state.apply(state, event)
        assert state == before
        state = after


def test_an_event_that_came_before_changes_nothing():
    events = make_streams.recorded(make_streams.running_search())
    state = folded("search", events)
    assert live_state.apply(state, events[3]) is state


def test_a_missing_event_is_noticed():
    events = make_streams.recorded(make_streams.running_search())
    with pytest.raises(ValueError, match="event 3 cannot follow event 1"):
        live_state.apply(folded("search", events[:1]), events[2])


def test_active_seconds_leave_out_the_pauses():
    events = make_streams.recorded(make_streams.losses_and_pauses())
    # Running from event 1 to 10, paused to 12: nine times two and a half seconds.
    assert folded("search", events)["active_seconds"] == 9 * 2.5
    assert folded("search", events)["running_since"] == make_streams.START + 12 * 2.5


def test_thinning_keeps_the_first_the_newest_and_the_ends_of_every_stretch():
    rewards = [3, 1, 4, 2, None, 7, 7, 6, None, None, 5, 9, 8, 0, 1, 2, 3]
    points = [[index, reward, 0] for index, reward in enumerate(rewards)]
    points[8][2] = points[9][2] = live_state.FAILED
    # The newest quarter of 16 is 13 to 16. In stretches of 4: 1, 2 | 5, 7 | 10, 11, and 8 for those that failed | 12.
    assert bounded_lists.kept_points(points, 16) == [0, 1, 2, 5, 7, 8, 10, 11, 12, 13, 14, 15, 16]
    assert bounded_lists.kept_points(points, 17) == list(range(17))


def test_what_is_thinned_again_and_again_keeps_every_part_of_a_search_and_its_extremes():
    rewards, points = _rewards(3, 5000), []
    for index, reward in enumerate(rewards):
        points.append([index, reward, 0])
        points = [points[place] for place in bounded_lists.kept_points(points, 200)]
        assert len(points) <= 200
    kept = {index: reward for index, reward, _ in points}
    assert kept[rewards.index(max(rewards))] == max(rewards) and kept[rewards.index(min(rewards))] == min(rewards)
    gaps = [after - before for before, after in itertools.pairwise(sorted(kept))]
    assert max(gaps) <= 256  # Two stretches of the width that 5,000 children need.


def _rewards(seed, count):
    generator = random.Random(seed)
    return [generator.random() for _ in range(count)]


def test_a_long_search_keeps_a_bounded_state():
    limits = live_state.Limits(points=40, steps=20, log=5)
    state = live_state.initial("search")
    for event in straight_run(fake_engine.small_config(children=400, step_size=2, epochs=1)):
        state = live_state.apply(state, event, limits)
        assert len(state["points"]) == len(state["sizes"]) <= 40
        assert len(state["steps"]) <= 20 and len(state["log"]) <= 5 and len(state["pending"]) <= 2
    assert state["done"] == 400


@pytest.mark.django_db
def test_a_snapshot_anywhere_leads_to_the_same_state():
    owner = User.objects.create(name="owner")
    search = lifecycle.create_search(
        owner, fake_engine.small_config(), decisions=fake_engine.DECISIONS, data=fake_engine.DATA
    )
    stream = Stream.objects.get(pk=search.pk)
    later = list(make_streams.finished_search())[1:]
    generator = random.Random(5)
    for event in later:
        event_log.append(stream.pk, [event])
        if generator.random() < 0.3:
            live_state.snapshot(stream)
    assert Snapshot.objects.get().number > 1
    assert live_state.state_at(stream) == folded("search", event_log.read(stream.pk, 0))


@pytest.mark.django_db
def test_a_snapshot_of_another_fold_is_not_gone_on_from_and_is_taken_again():
    owner = User.objects.create(name="owner")
    search = lifecycle.create_search(
        owner, fake_engine.small_config(), decisions=fake_engine.DECISIONS, data=fake_engine.DATA
    )
    stream = Stream.objects.get(pk=search.pk)
    first, *later = list(make_streams.finished_search())[1:]
    event_log.append(stream.pk, [first])
    live_state.snapshot(stream)
    saved = Snapshot.objects.get()
    saved.rules, saved.state["log"] = "of an earlier program", []
    saved.save()
    event_log.append(stream.pk, later)
    wanted = folded("search", event_log.read(stream.pk, 0))
    assert live_state.state_at(stream) == wanted
    live_state.snapshot(stream)
    saved.refresh_from_db()
    assert (saved.rules, saved.number, saved.state) == (live_state.rules(), wanted["n"], wanted)


@pytest.mark.django_db
def test_snapshots_are_taken_of_streams_that_went_far_and_of_no_others():
    owner = User.objects.create(name="owner")
    config = fake_engine.small_config()
    far, near = (
        lifecycle.create_search(owner, config, decisions=fake_engine.DECISIONS, data=fake_engine.DATA) for _ in range(2)
    )
    event_log.append(far.pk, [make_streams.begun(0, 0)] * live_state.SNAPSHOT_EVENTS)
    assert live_state.take_snapshots() == 1
    assert Snapshot.objects.get().stream_id == far.pk
    assert live_state.take_snapshots() == 0
    assert live_state.state_at(Stream.objects.get(pk=near.pk))["n"] == 1
