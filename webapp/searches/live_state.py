"""What a page shows, as a fold over the events of its stream: state n + event n+1 = state n+1.

`apply` has a twin in JavaScript (frontend/static/js/live/state.js); both are tested by the same files, see
tests/golden/streams. So it is kept plain: dictionaries, lists and comparisons.
The state is bounded: it keeps no more than `Limits` says however long the stream is, apart from the work that is open.
"""

import functools
import hashlib
import uuid
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import Case, F, Value, When

from search_engine.places import place_among_children
from webapp.searches import event_log, live_finals, live_shared
from webapp.searches.bounded_lists import Limits, curve_with, front_with, kept_points, thinned
from webapp.searches.log_sentences import sentence
from webapp.searches.models import Snapshot, Stream

SNAPSHOT_EVENTS = 500  # So many events after the last snapshot, a new one is due.
PAGE = 1000  # Events read at once.

State = dict[str, Any]
WireEvent = dict[str, Any]


_FOLD = ("live_state.py", "live_finals.py", "live_shared.py", "bounded_lists.py", "log_sentences.py")
LIMITS = Limits()
MEASURED, COPIED, FAILED, OVER = range(4)  # Flags of a point: over stands for "over a bound, never trained".
AXES = ("parameters", "mult_adds", "latency")


@functools.cache
def rules() -> str:
    """Names the fold by a digest of its source: a state of another fold is not gone on from."""
    folder = Path(__file__).parent
    return hashlib.sha256(b"\0".join((folder / name).read_bytes() for name in _FOLD)).hexdigest()[:16]


def initial(kind: str) -> State:
    """The state before any event of a "search" or a "training"."""
    shared = {
        "n": 0, "state": "running", "reason": None, "started_at": None, "running_since": None, "active_seconds": 0.0,
        "ended_at": None, "log": [],
    }  # fmt: skip
    if kind == "training":
        return shared | {
            "config": {}, "parameters": None, "mult_adds": None, "curve": [], "epochs": 0, "test_accuracy": None,
            "test_examples": None, "checkpoint": None,
        }  # fmt: skip
    return shared | {
        "total": 0, "step_size": 0, "done": 0, "failed": 0, "copied": 0, "proposed": 0, "decisions": [],
        "policy": None, "pending": {}, "running": {}, "best": None, "latest": None, "points": [], "sizes": [],
        "steps": [], "updates": 0, "fingerprint": "", "losses": 0, "finals": None, "over": 0,
        "fronts": {axis: [] for axis in AXES}, "max_workers": None, "max_hours": None, "bans": {},
        "proposals": {"asked": 0, "done": 0, "left_out": 0},
    }  # fmt: skip


def apply(state: State, event: WireEvent, limits: Limits = LIMITS) -> State:
    """The state after one more event; the given one stays as it was.

    An event that the state knows already changes nothing. Of a kind that this version does not know, which a later one
    tells beside it during an upgrade, only the number counts. Raises ValueError when events between are missing.
    """
    if event["n"] <= state["n"]:
        return state
    if event["n"] != state["n"] + 1:
        raise ValueError(f"event {event['n']} cannot follow event {state['n']}")
    after = {**state, "n": event["n"]}
    is_training = "curve" in state
    rules = _TRAINING if is_training else _SEARCH
    if event["kind"] in rules:
        rules[event["kind"]](after, event, limits)
    text = sentence(event, has_shared_weights="shared" in after)
    if text is not None:
        after["log"] = [*state["log"], {"n": event["n"], "at": event["at"], "text": text}][-limits.log :]
    return after


# --- What each event changes. A list or dictionary is replaced, never changed in place. ------------------------------


def _search_started(after: State, event: WireEvent, limits: Limits) -> None:
    after["total"] = event["children"]
    after["step_size"] = event["step_size"]
    after["decisions"] = event["decisions"]
    after["started_at"] = after["running_since"] = event["at"]
    if "epochs" in event:  # The key is there for shared weights alone.
        after["shared"] = live_shared.started(event)


def _step_proposed(after: State, event: WireEvent, limits: Limits) -> None:
    after["policy"] = _policy(event)
    drawn = {
        f"{event['step']}.{proposal['slot']}": {"hash": proposal["hash"], "architecture": proposal["architecture"]}
        for proposal in event["proposals"]
    }
    after["pending"] = {**after["pending"], **drawn}
    after["proposed"] += sum("off_policy" not in proposal for proposal in event["proposals"])
    if "shared" in after:
        return  # Candidates are no step.
    after["steps"] = thinned([*after["steps"], [event["step"], None, event["entropy"], None]], limits.steps, 0, 1)


def _policy(event: WireEvent) -> State:
    names = {"step": "step", "entropy": "entropy", "entropies": "entropies", "probabilities": "policy"}
    return {name: event[key] for name, key in names.items()}


def _child_started(after: State, event: WireEvent, limits: Limits) -> None:
    """A child that was begun before goes on from its checkpoint, so its curve stays."""
    key = f"{event['step']}.{event['slot']}"
    before = after["running"].get(key)
    child = {
        "step": event["step"],
        "slot": event["slot"],
        "worker": event["worker"],
        "since": event["at"],
        "attempt": event["attempt"],
        "epochs": before["epochs"] if before else None,
        "curve": before["curve"] if before else [],
    }
    after["running"] = {**after["running"], key: child}


def _child_epoch_ended(after: State, event: WireEvent, limits: Limits) -> None:
    """An epoch that was done again after a loss takes the place of its first time."""
    key = f"{event['step']}.{event['slot']}"
    child = after["running"].get(key)
    if child is not None:
        point = [event["epoch"], event["loss"], event["accuracy"]]
        child = {**child, "epochs": event["epochs"], "curve": curve_with(child["curve"], point)}
        after["running"] = {**after["running"], key: child}


def _child_finished(after: State, event: WireEvent, limits: Limits) -> None:
    key = f"{event['step']}.{event['slot']}"
    drawn = after["pending"].get(key, {"hash": "", "architecture": {}})
    after["pending"] = _without(after["pending"], key)
    after["running"] = _without(after["running"], key)
    is_drawn = event["slot"] < after["step_size"]  # What people propose has the slots behind a step's last.
    if is_drawn:
        after["done"] += 1
        after["failed"] += 1 if event["reason"] is not None else 0
        after["copied"] += 1 if event["twin"] is not None else 0
    else:
        after["proposals"] = {**after["proposals"], "done": after["proposals"]["done"] + 1}
    latest = {
        "step": event["step"],
        "slot": event["slot"],
        "reward": event["reward"],
        "hash": drawn["hash"],
        "architecture": drawn["architecture"],
        "parameters": event["parameters"],
        "mult_adds": event["mult_adds"],
        "accuracy": event.get("accuracy"),
        "over": event.get("over"),
        "times": event.get("times"),
    }
    if "perplexity" in event:  # The key is there for candidates on text alone.
        latest["perplexity"] = event["perplexity"]
    after["latest"] = latest
    if event["reason"] is None and event["reward"] is not None and _is_better(latest, after["best"]):
        after["best"] = latest
    flag = _flag(event)
    after["over"] += 1 if flag == OVER and is_drawn else 0
    index = place_among_children(event["step"], event["slot"], after["step_size"])
    latency = event["latency"]["ms"] if "latency" in event else None
    costs = [event["parameters"], event["mult_adds"], latency]
    points = [*after["points"], [index, event["reward"], flag]]
    sizes = [*after["sizes"], [*costs, event.get("accuracy"), event.get("over"), event.get("times")]]
    if flag == MEASURED and event["reward"] is not None:
        accuracy = event.get("accuracy", event["reward"])
        after["fronts"] = {
            axis: front_with(after["fronts"][axis], [cost, accuracy, index], limits.front)
            for axis, cost in zip(AXES, costs, strict=True)
        }
    kept = kept_points(points, limits.points)
    after["points"] = [points[place] for place in kept]
    after["sizes"] = [sizes[place] for place in kept]


def _flag(event: WireEvent) -> int:
    if event["reason"] is not None:
        return OVER if "over" in event else FAILED
    return MEASURED if event["twin"] is None else COPIED


def _controller_updated(after: State, event: WireEvent, limits: Limits) -> None:
    after["updates"] += 1
    after["fingerprint"] = event["fingerprint"]
    after["steps"] = [
        [step[0], event["mean_reward"], step[2], event["baseline"]] if step[0] == event["step"] else step
        for step in after["steps"]
    ]


def _controller_phase_ended(after: State, event: WireEvent, limits: Limits) -> None:
    live_shared.controller_phase_ended(after, event, limits)
    after["policy"] = _policy(event)


def _state_changed(after: State, event: WireEvent, limits: Limits) -> None:
    after["state"] = event["state"]
    after["reason"] = event["reason"]
    if event["state"] == "running":
        after["running_since"] = event["at"]
        return
    if after["running_since"] is not None:
        after["active_seconds"] += max(0.0, event["at"] - after["running_since"])  # The clock may be set back.
        after["running_since"] = None
    if event["state"] != "paused":
        after["ended_at"] = event["at"]
        if "pending" in after:
            after["pending"] = {}
            after["running"] = {}
        if after.get("finals") is not None:
            after["finals"] = live_finals.without_workers(after["finals"])


def _limits_changed(after: State, event: WireEvent, limits: Limits) -> None:
    changed = event["limits"]
    after["total"] = changed.get("children", after["total"])
    after["max_workers"] = changed.get("workers", after["max_workers"])
    after["max_hours"] = changed.get("hours", after["max_hours"])
    if "children" in changed:
        after["proposals"] = {**after["proposals"], "left_out": event.get("proposals_left_out", 0)}
    if "epochs" in changed:
        after["shared"] = {**after["shared"], "epochs": changed["epochs"]}


def _search_steered(after: State, event: WireEvent, limits: Limits) -> None:
    """bans: what is banned at each place, and from which step on."""
    after["bans"] = {where: said for where, said in after["bans"].items() if where not in event["bans"]} | {
        where: {"banned": banned, "since": event["from_step"]} for where, banned in event["bans"].items() if banned
    }


def _architecture_proposed(after: State, event: WireEvent, limits: Limits) -> None:
    after["proposals"] = {**after["proposals"], "asked": after["proposals"]["asked"] + 1}


def _child_or_update_lost(after: State, event: WireEvent, limits: Limits) -> None:
    """A lost child keeps its curve and waits without a worker until somebody begins again."""
    after["losses"] += 1
    for key, child in after["running"].items():
        if event["what"] == f"child {key}":
            after["running"] = {**after["running"], key: {**child, "worker": None}}
    live_finals.lose(after, event["what"])


def _training_started(after: State, event: WireEvent, limits: Limits) -> None:
    after["config"] = event["config"]
    after["parameters"] = event["parameters"]
    after["mult_adds"] = event["mult_adds"]
    after["epochs"] = event["config"]["recipe"]["epochs"]
    after["started_at"] = after["running_since"] = event["at"]
    if event["data"].get("kind") == "text":  # The key is there for trainings on text alone.
        unigram = event["data"].get("unigram_perplexity")
        after["text"] = {"unigram_perplexity": unigram, "test_perplexity": None}


def _training_epoch_ended(after: State, event: WireEvent, limits: Limits) -> None:
    point = [event["epoch"], event["loss"], event["accuracy"], event["learning_rate"]]
    if "text" in after:
        point = [*point, event["perplexity"]]
    after["curve"] = curve_with(after["curve"], point)
    after["epochs"] = event["epochs"]


def _training_finished(after: State, event: WireEvent, limits: Limits) -> None:
    after["test_accuracy"] = event["test_accuracy"]
    after["test_examples"] = event["test_examples"]
    after["checkpoint"] = event["checkpoint"]
    if "text" in after:
        after["text"] = {**after["text"], "test_perplexity": event["test_perplexity"]}


def _nothing(after: State, event: WireEvent, limits: Limits) -> None:
    """This event is only told in the log."""


_SEARCH: dict[str, Callable[[State, WireEvent, Limits], None]] = {
    "search_started": _search_started,
    "step_proposed": _step_proposed,
    "child_started": _child_started,
    "epoch_ended": _child_epoch_ended,
    "child_finished": _child_finished,
    "controller_updated": _controller_updated,
    "shared_epoch_ended": live_shared.shared_epoch_ended,
    "controller_phase_ended": _controller_phase_ended,
    "finalists_chosen": live_finals.finalists_chosen,
    "finalist_started": live_finals.finalist_started,
    "finalist_epoch_ended": live_finals.finalist_epoch_ended,
    "finalist_finished": live_finals.finalist_finished,
    "result_kept": live_finals.result_kept,
    "state_changed": _state_changed,
    "limits_changed": _limits_changed,
    "search_steered": _search_steered,
    "architecture_proposed": _architecture_proposed,
    "job_lost": _child_or_update_lost,
    "file_damaged": _nothing,
}
_TRAINING: dict[str, Callable[[State, WireEvent, Limits], None]] = {
    "training_started": _training_started,
    "epoch_ended": _training_epoch_ended,
    "training_finished": _training_finished,
    "state_changed": _state_changed,
    "job_lost": _nothing,
    "file_damaged": _nothing,
}


def _without(dictionary: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in dictionary.items() if name != key}


def _is_better(child: State, best: State | None) -> bool:
    """A higher reward; of equal ones the child that was drawn first, whichever was finished first."""
    if best is None or child["reward"] != best["reward"]:
        return best is None or child["reward"] > best["reward"]
    return (child["step"], child["slot"]) < (best["step"], best["slot"])


# --- The state of a stream, from its rows ----------------------------------------------------------------------------


def state_at(stream: Stream) -> State:
    """The state after all events of the stream: the last snapshot and what came after it.

    A snapshot of another fold, as of an earlier version of the program, is not gone on from.
    """
    snapshot = Snapshot.objects.filter(stream_id=stream.pk, rules=rules()).first()
    state = snapshot.state if snapshot is not None else initial(stream.kind)
    for event in _events_after(stream.pk, state["n"]):
        state = apply(state, event)
    return state


def take_snapshots() -> int:
    """Save the state of every stream that went SNAPSHOT_EVENTS further than its snapshot; how many were saved."""
    known = Case(When(snapshot__rules=rules(), then=F("snapshot__number")), default=Value(0))
    behind = Stream.objects.annotate(behind=F("last_event") - known).filter(behind__gte=SNAPSHOT_EVENTS)
    for stream in behind:
        snapshot(stream)
    return len(behind)


def snapshot(stream: Stream) -> None:
    """Save the state of the stream as it is now; a newer snapshot stays."""
    state = state_at(stream)
    with transaction.atomic():
        saved, is_new = Snapshot.objects.select_for_update().get_or_create(
            stream_id=stream.pk, defaults={"number": state["n"], "rules": rules(), "state": state}
        )
        if not is_new and (saved.rules != rules() or saved.number < state["n"]):
            saved.number, saved.rules, saved.state = state["n"], rules(), state
            saved.save()


def _events_after(stream_id: uuid.UUID, after: int) -> Iterable[WireEvent]:
    while True:
        page = event_log.read(stream_id, after, PAGE)
        yield from page
        if len(page) < PAGE:
            return
        after = page[-1]["n"]
