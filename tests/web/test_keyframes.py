"""A replay's states: whatever event is asked for, keyframe and what follows lead where the straight fold leads."""

import json
import random
import zlib
from functools import reduce
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.browser.recorded_search import recorded_search, recorded_training
from webapp.accounts.models import User
from webapp.accounts.sign_in import get_or_create_user
from webapp.searches import clock, keyframes, live_state
from webapp.searches.models import Event, Keyframe, Search, Stream, Training
from webapp.searches.timeline import MOST_STEPS, timeline_of

pytestmark = pytest.mark.django_db

GOLDEN = sorted((Path(__file__).parents[1] / "golden/streams").glob("*.json"))


def stored(kind: str, events: list[dict[str, Any]], owner: User | None = None) -> Stream:
    """A stream with these events in its log."""
    owner = owner or get_or_create_user("owner")
    more: dict[str, Any] = {"config": {}, "owner": owner, "kind": kind, "created": clock.now(), "code_version": "test"}
    if kind == "search":
        stream: Stream = Search.objects.create(total=10, last_event=len(events), **more)
    else:
        stream = Training.objects.create(
            hash="0" * 64, parameters=1, mult_adds=1, last_event=len(events), **more
        )  # fmt: skip
    Event.objects.bulk_create(
        Event(stream_id=stream.pk, number=event["n"], at=event["at"], kind=event["kind"],
              payload={key: value for key, value in event.items() if key not in ("n", "at", "kind")})
        for event in events
    )  # fmt: skip
    return stream


def folded(kind: str, events: list[dict[str, Any]]) -> dict[str, Any]:
    return json.loads(json.dumps(reduce(live_state.apply, events, live_state.initial(kind))))


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyframes, "EVERY", 7)
    monkeypatch.setattr(keyframes, "AT_ONCE", 1000)


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_a_recorded_stream_is_the_same_after_any_event(path: Path) -> None:
    golden = json.loads(path.read_text())
    stream = stored(golden["kind"], golden["events"])
    numbers = list(range(len(golden["events"]) + 1))
    random.Random(path.stem).shuffle(numbers)
    for n in numbers[:25]:
        assert json.loads(json.dumps(keyframes.state_of(stream, n))) == folded(golden["kind"], golden["events"][:n])


LONG = {"search": recorded_search(steps=5), "training": recorded_training()}


@settings(max_examples=15, deadline=None)
@given(kind=st.sampled_from(["search", "training"]), places=st.lists(st.floats(0, 1), min_size=1, max_size=4))
def test_the_order_in_which_moments_are_looked_at_changes_none_of_them(kind: str, places: list[float]) -> None:
    events = LONG[kind]
    stream = stored(kind, events)
    for place in places:
        n = round(place * len(events))
        near = keyframes.nearest(stream, n)
        assert n - keyframes.EVERY < near["n"] <= n and near["n"] % keyframes.EVERY == 0
        rest = [event for event in events if near["n"] < event["n"] <= n]
        assert json.loads(json.dumps(reduce(live_state.apply, rest, near))) == folded(kind, events[:n])
    stream.delete()


def test_a_number_beyond_the_end_is_the_end() -> None:
    stream = stored("training", LONG["training"])
    assert keyframes.state_of(stream, 10**12)["n"] == len(LONG["training"])


def test_keyframes_of_another_fold_are_not_gone_on_from(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = stored("training", LONG["training"])
    keyframes.nearest(stream, 14)
    Keyframe.objects.update(rules="another", state=zlib.compress(b'{"n": 14, "wrong": true}'))
    assert keyframes.state_of(stream, 14) == folded("training", LONG["training"][:14])
    monkeypatch.setattr(keyframes, "rules", lambda: "third")
    keyframes.keep_keyframes()
    assert set(Keyframe.objects.values_list("rules", flat=True)) == {"third"}


def test_a_long_log_without_keyframes_gets_them_bit_by_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyframes, "AT_ONCE", 3)
    stream = stored("search", LONG["search"])
    last = len(LONG["search"])
    reached = [keyframes.nearest(stream, last)["n"] for _ in range(3)]
    assert reached == [21, 42, 63]
    assert keyframes.state_of(stream, last)["n"] == 84  # Not there yet, and not made in one request.


def test_the_reconciler_makes_what_is_missing_and_then_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyframes, "AT_ONCE", 4)
    stored("search", LONG["search"])
    stored("training", LONG["training"])
    wanted = len(LONG["search"]) // 7 + len(LONG["training"]) // 7
    made = 0
    while now := keyframes.keep_keyframes():
        assert now <= 4
        made += now
    assert made == wanted == Keyframe.objects.count()


def test_the_api_leads_to_the_state_after_any_event(client: Client) -> None:
    stream = stored("search", LONG["search"])
    client.force_login(stream.owner)
    reply = client.get(f"/api/searches/{stream.pk}/states?at=100").json()
    assert (
        reply["state"]["n"] == 98 and reply["last"] == len(LONG["search"]) and reply["at"] == LONG["search"][97]["at"]
    )
    events = client.get(f"/api/searches/{stream.pk}/events?after=98&limit=2").json()["events"]
    state = reduce(live_state.apply, events, reply["state"])
    assert json.loads(json.dumps(state)) == folded("search", LONG["search"][:100])


def test_a_timeline_names_what_stands_out_and_when(client: Client) -> None:
    stream = stored("search", LONG["search"])
    found = timeline_of(stream)
    kinds = {kind: [mark.n for mark in found.marks if mark.kind == kind] for kind in ("step", "best", "end", "loss")}
    assert kinds["step"] == [event["n"] for event in LONG["search"] if event["kind"] == "step_proposed"]
    assert kinds["end"] == [len(LONG["search"])] and kinds["loss"] == []
    best, expected = 0.0, []
    for event in LONG["search"]:
        if event["kind"] == "child_finished" and event["reason"] is None and event["reward"] > best:
            best = event["reward"]
            expected.append(event["n"])
    assert kinds["best"] == expected
    assert found.ticks == [(event["n"], event["at"]) for event in LONG["search"]]


def test_a_timeline_of_losses_and_pauses_marks_them() -> None:
    golden = json.loads(next(path for path in GOLDEN if path.stem == "losses-and-pauses").read_text())
    kinds = [mark.kind for mark in timeline_of(stored("search", golden["events"])).marks]
    told = [event["kind"] for event in golden["events"]]
    assert kinds.count("loss") == told.count("job_lost") + told.count("file_damaged") > 1
    assert kinds.count("pause") == kinds.count("resume") == 1


def test_a_timeline_is_bounded() -> None:
    one = next(event for event in LONG["training"] if event["kind"] == "epoch_ended")
    rows = [{**one, "n": n, "at": float(n), "accuracy": n / 10_000} for n in range(1, 5001)]
    found = timeline_of(stored("training", rows))
    assert len([mark for mark in found.marks if mark.kind == "step"]) == MOST_STEPS
    assert len([mark for mark in found.marks if mark.kind == "best"]) == 300
    assert len(found.ticks) <= 1001 and found.ticks[0] == (1, 1.0) and found.ticks[-1] == (5000, 5000.0)


def test_a_stream_without_events_has_a_replay_with_nothing_in_it() -> None:
    stream = stored("training", [])
    assert keyframes.state_of(stream, 1) == live_state.initial("training")
    found = timeline_of(stream)
    assert (found.last, found.ticks, found.marks) == (0, [], [])
