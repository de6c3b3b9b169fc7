"""The log line of an event, or None where an event is too small for one.

Its twin in JavaScript is frontend/static/js/live/log_sentences.js. Numbers with a fraction are left to the page,
because the two languages would not write them alike.
"""

from collections.abc import Callable
from typing import Any

WireEvent = dict[str, Any]


def sentence(event: WireEvent, *, has_shared_weights: bool = False) -> str | None:
    """has_shared_weights: of a search whose children are its candidates."""
    if has_shared_weights and event["kind"] in _OF_CANDIDATES:
        return _OF_CANDIDATES[event["kind"]](event)
    rule = _SENTENCES.get(event["kind"])  # None for what a later version tells, beside which this one may run.
    return None if rule is None else rule(event)


def _verdict(event: WireEvent) -> str | None:
    if event["reason"] is None:
        return None
    name = f"Child {event['step']}.{event['slot']}"
    if "over" in event:
        return f"{name} was never trained, because it is {event['reason']}."
    return f"{name} has no measured reward: {event['reason']}."


def _score(event: WireEvent) -> str | None:
    if event["reason"] is None:
        return None
    return f"Candidate {event['step']}.{event['slot']} has no score: {event['reason']}."


def _finalists_are(event: WireEvent) -> str:
    count = len(event["finalists"])
    return "1 finalist is" if count == 1 else f"{count} finalists are"


def _finalist_verdict(event: WireEvent) -> str:
    if event["reason"] is None:
        return f"Finalist {event['rank']} has its held-out accuracy."
    return f"Finalist {event['rank']} came to no end: {event['reason'].removesuffix('.')}."


def _result(event: WireEvent) -> str:
    if event["rank"] is None:
        return "The final round is over without a result."
    return f"The final round is over: finalist {event['rank']} is kept."


def _tested(event: WireEvent) -> str:
    what = "tokens" if "test_perplexity" in event else "images"
    return f"Tested once, on {event['test_examples']} {what}."


def _state(event: WireEvent) -> str:
    reason = "." if event["reason"] is None else f": {event['reason']}"
    return f"Now {event['state']}{reason}"


def _limits(event: WireEvent) -> str:
    told = ", ".join(_limit(name, value, event.get("from_step")) for name, value in event["limits"].items())
    said = f"Its hours are over: {told}." if event["by"] == "time" else f"Limits changed: {told}."
    return said + _left_out(event.get("proposals_left_out", 0))


def _left_out(proposals: int) -> str:
    if not proposals:
        return ""
    are = "1 proposed architecture is" if proposals == 1 else f"{proposals} proposed architectures are"
    return f" {are} left out, for a step that is not drawn any more, unless the total grows again."


def _steered(event: WireEvent, is_epoch: bool = False) -> str:
    since = f"epoch {event['from_step'] + 1}" if is_epoch else f"step {event['from_step']}"
    told = "; ".join(_ban(where, banned) for where, banned in event["bans"].items())
    return f"Steered from {since} on: {told}."


def _drawn(event: WireEvent) -> str:
    proposed = sum("off_policy" in proposal for proposal in event["proposals"])
    told = f"Step {event['step']}: {len(event['proposals']) - proposed} architectures drawn"
    return f"{told}, {proposed} proposed by a person." if proposed else f"{told}."


def _ban(where: str, banned: list[str]) -> str:
    return f"{where} without {', '.join(banned)}" if banned else f"{where} free again"


def _limit(name: str, value: float | None, from_step: int | None) -> str:
    if value is None:
        return f"any number of {name}"
    counted = f"{str(value).removesuffix('.0')} {_ONE[name] if value == 1 else name}"
    if from_step is None or name not in ("children", "epochs"):
        return f"at most {counted}"
    since = f"step {from_step}" if name == "children" else f"epoch {from_step + 1}"
    return f"{counted} in all from {since} on"


_ONE = {"children": "child", "epochs": "epoch", "workers": "worker", "hours": "hour"}


def _damaged(event: WireEvent) -> str:
    goes_on = "it starts anew" if event["is_anew"] else "it goes on from the one before"
    return f"The {event['what']} was damaged or gone: {goes_on}."


def _started(event: WireEvent) -> str:
    if "epochs" in event:
        return f"The search started: {event['epochs']} epochs of shared weights, then {event['children']} candidates."
    return f"The search started: {event['children']} children in steps of {event['step_size']}."


def _told(event: WireEvent) -> str:
    """Evolution and its like have no controller, and where all children were lost there is nothing to learn."""
    is_told = event.get("loss", 0.0) is None  # Earlier versions said nothing of it, and all learned.
    return f"Step {event['step']}: the {'strategy was told what came of it' if is_told else 'controller learned'}."


_SENTENCES: dict[str, Callable[[WireEvent], str | None]] = {
    "search_started": _started,
    "step_proposed": lambda event: _drawn(event),
    "child_started": lambda event: None,
    "epoch_ended": lambda event: None,
    "child_finished": _verdict,
    "controller_updated": _told,
    "shared_epoch_ended": lambda event: f"Epoch {event['step'] + 1} of {event['epochs']}: the shared weights learned.",
    "controller_phase_ended": lambda event: f"Epoch {event['step'] + 1} of {event['epochs']}: the controller learned.",
    "finalists_chosen": lambda event: f"The final round started: {_finalists_are(event)} trained again.",
    "finalist_started": lambda event: None,
    "finalist_epoch_ended": lambda event: None,
    "finalist_finished": _finalist_verdict,
    "result_kept": _result,
    "state_changed": _state,
    "limits_changed": _limits,
    "search_steered": _steered,
    "architecture_proposed": lambda event: (
        f"A person proposed an architecture: it is trained beside step {event['from_step']}, off-policy."
    ),
    "job_lost": lambda event: f"{event['worker']} lost {event['what']}: {event['reason']}.",
    "file_damaged": _damaged,
    "training_started": lambda event: "The training started.",
    "training_finished": _tested,
}
_OF_CANDIDATES: dict[str, Callable[[WireEvent], str | None]] = {
    "step_proposed": lambda event: f"{len(event['proposals'])} candidates are drawn from the final policy and scored.",
    "child_finished": _score,
    "search_steered": lambda event: _steered(event, is_epoch=True),
}
