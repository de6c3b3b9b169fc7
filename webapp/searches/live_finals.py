"""The final round in a live state. Its twin is in live/state.js."""

from typing import Any

from webapp.searches.bounded_lists import Limits, curve_with, thinned

State = dict[str, Any]
WireEvent = dict[str, Any]


def finalists_chosen(after: State, event: WireEvent, limits: Limits) -> None:
    """began_after: seconds in which the search was running before."""
    began = 0 if after["running_since"] is None else max(0, event["at"] - after["running_since"])
    finalists = [
        {
            "rank": one["rank"], "step": one["step"], "slot": one["slot"], "reward": one["reward"],
            "hash": one["hash"], "worker": None, "attempt": 0, "epochs": None, "curve": [], "is_final": False,
            "accuracy": None, "reason": None, "parameters": None, "mult_adds": None,
            "search_accuracy": one.get("accuracy"),
        }
        for one in event["finalists"]
    ]  # fmt: skip
    after["finals"] = {
        "done": 0, "is_over": False, "kept": None, "began_after": after["active_seconds"] + began,
        "finalists": finalists,
    }  # fmt: skip


def finalist_started(after: State, event: WireEvent, limits: Limits) -> None:
    change_finalist(after, event["rank"], {"worker": event["worker"], "attempt": event["attempt"]})


def finalist_epoch_ended(after: State, event: WireEvent, limits: Limits) -> None:
    """An epoch that was done again after a loss takes the place of its first time."""
    curve = after["finals"]["finalists"][event["rank"] - 1]["curve"]
    curve = curve_with(curve, [event["epoch"], event["loss"], event["accuracy"]])
    change_finalist(after, event["rank"], {"epochs": event["epochs"], "curve": thinned(curve, limits.curve, 0, 2)})


def finalist_finished(after: State, event: WireEvent, limits: Limits) -> None:
    verdict = {key: event[key] for key in ("accuracy", "reason", "parameters", "mult_adds")}
    change_finalist(after, event["rank"], {**verdict, "worker": None, "is_final": True})
    after["finals"] = {**after["finals"], "done": after["finals"]["done"] + 1}


def result_kept(after: State, event: WireEvent, limits: Limits) -> None:
    after["finals"] = {**after["finals"], "is_over": True, "kept": event["rank"]}
    after["fingerprint"] = event["fingerprint"]


def change_finalist(after: State, rank: int, changes: State) -> None:
    finalists = [
        {**one, **changes} if one["rank"] == rank else one for one in after["finals"]["finalists"]
    ]  # fmt: skip
    after["finals"] = {**after["finals"], "finalists": finalists}


def without_workers(finals: State) -> State:
    """The final round of a stream that has ended."""
    return {**finals, "finalists": [{**one, "worker": None} for one in finals["finalists"]]}


def lose(after: State, what: str) -> None:
    """A lost finalist keeps its curve and waits without a worker; what: of the event, which may mean somebody else."""
    for finalist in after["finals"]["finalists"] if after["finals"] is not None else []:
        if what == f"finalist {finalist['rank']}":
            change_finalist(after, finalist["rank"], {"worker": None})
