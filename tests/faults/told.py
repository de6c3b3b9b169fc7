"""When the log of a run with losses counts as that of an undisturbed run: what is compared, and what is not.

Compared: every event with all its fields, but for
  - `job_lost` and `file_damaged`, which tell of the losses themselves;
  - the fields `at` (time), `n` (its place, which losses shift), `worker`, `attempt` and `seconds`;
  - of a child or a finalist that was begun or whose epoch was computed several times, all tellings but the first, where
    they say the same but for the fields above. An epoch that came out differently the second time is a difference.
The order is compared within two sorts of sequences: what tells of the stream as a whole, and what tells of one child or
one finalist. Between two children of a step the order is not compared, since two workers may end in either order; that
the children of a step come behind its proposal and before the strategy learns from it is looked at separately.
Whoever reads the logs gives a trained network by its weights: its file also says how many seconds it took. Names of
rows that are made anew in every run (the identifiers of a search and its trainings) occur in no event.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

OF_LOSSES = ("job_lost", "file_damaged")
NOT_COMPARED = ("n", "at", "worker", "attempt", "seconds")
TOLD_AGAIN = ("child_started", "epoch_ended", "finalist_started", "finalist_epoch_ended")
OF_ONE = (
    "child_started",
    "epoch_ended",
    "child_finished",
    *("finalist_started", "finalist_epoch_ended"),
    "finalist_finished",
)

Events = Sequence[Mapping[str, Any]]
Sequences = dict[str, list[str]]  # By what they tell of: the events in order, each as text.


def sequences(events: Events) -> Sequences:
    """The log in its compared form."""
    found: Sequences = defaultdict(list)
    for event in events:
        if event["kind"] in OF_LOSSES:
            continue
        text = json.dumps({k: v for k, v in event.items() if k not in NOT_COMPARED}, sort_keys=True)
        of = subject(event)
        if event["kind"] not in TOLD_AGAIN or text not in found[of]:
            found[of].append(text)
    return dict(found)


def subject(event: Mapping[str, Any]) -> str:
    """Whom an event tells of: one child, one finalist, or the stream as a whole."""
    if event["kind"] in OF_ONE:
        if event.get("rank") is not None:
            return f"finalist {event['rank']}"
        if event.get("step") is not None:
            return f"child {event['step']}.{event['slot']}"
    return "the whole"


def differences(undisturbed: Events, disturbed: Events) -> Iterator[str]:
    """Everything in which the log of a run with losses is another, a sentence each."""
    wanted, found = sequences(undisturbed), sequences(disturbed)
    for of in sorted(wanted.keys() | found.keys()):
        ours, theirs = found.get(of, []), wanted.get(of, [])
        if ours != theirs:
            at = next((i for i, pair in enumerate(zip(ours, theirs, strict=False)) if len(set(pair)) > 1), None)
            where = f"at {ours[at][:300]} instead of {theirs[at][:300]}" if at is not None else "in their number"
            yield f"The events of {of} differ from the undisturbed run: {len(ours)} and {len(theirs)}, {where}."
    yield from misplaced(disturbed)


def misplaced(events: Events) -> Iterator[str]:
    """Children outside their step, and numbers with gaps."""
    if [event["n"] for event in events] != list(range(1, len(events) + 1)):
        yield f"The numbers of the events have gaps: {[event['n'] for event in events]}."
    proposed: set[int] = set()
    told: set[int] = set()
    for event in events:
        kind, step = event["kind"], event.get("step")
        if kind == "step_proposed":
            proposed.add(event["step"])
        elif kind == "controller_updated":
            told.add(event["step"])
        elif subject(event).startswith("child") and (step not in proposed or step in told):
            yield f"Event {event['n']}, {kind} of {subject(event)}, stands outside its step."
