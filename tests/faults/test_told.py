"""The comparison of logs forgives what a loss leaves in them, and nothing else."""

from typing import Any

import pytest

from tests.faults.told import differences

CHILD = {"step": 0, "slot": 0}
OTHER = {"step": 0, "slot": 1}
QUIET: list[dict[str, Any]] = [
    {"kind": "step_proposed", "step": 0},
    {"kind": "child_started", **CHILD, "worker": "a", "attempt": 1},
    {"kind": "epoch_ended", **CHILD, "epoch": 1, "loss": 2.0, "seconds": 1.0},
    {"kind": "child_finished", **CHILD, "reward": 0.5, "seconds": 1.0},
    {"kind": "child_started", **OTHER, "worker": "b", "attempt": 1},
    {"kind": "child_finished", **OTHER, "reward": 0.7, "seconds": 1.0},
    {"kind": "controller_updated", "step": 0, "fingerprint": "f"},
]


def numbered(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"n": number, "at": 100.0 + number, "version": 1} | event for number, event in enumerate(events, 1)]


def compared(events: list[dict[str, Any]]) -> list[str]:
    return list(differences(numbered(QUIET), numbered(events)))


def test_what_a_loss_leaves_in_a_log_is_no_difference() -> None:
    lost = {"kind": "job_lost", "what": "child 0.0", "worker": "a", "reason": "killed", "attempt": 1}
    again = [QUIET[1] | {"worker": "b", "attempt": 2}, QUIET[2] | {"seconds": 3.0}]
    assert compared([*QUIET[:3], lost, *again, *QUIET[3:]]) == []


def test_two_children_may_end_in_either_order() -> None:
    assert compared([QUIET[0], *QUIET[4:6], *QUIET[1:4], QUIET[6]]) == []


@pytest.mark.parametrize(
    ("events", "what"),
    [
        ([*QUIET[:3], QUIET[3] | {"reward": 0.6}, *QUIET[4:]], "child 0.0"),
        ([*QUIET[:3], QUIET[2] | {"loss": 2.1}, *QUIET[3:]], "child 0.0"),
        ([*QUIET[:4], QUIET[3], *QUIET[4:]], "child 0.0"),
        ([QUIET[0], QUIET[2], QUIET[1], *QUIET[3:]], "child 0.0"),
        ([*QUIET[:4], *QUIET[6:]], "child 0.1"),
        ([*QUIET[:6], QUIET[6] | {"fingerprint": "g"}], "the whole"),
        ([*QUIET[:5], QUIET[6], QUIET[5]], "outside its step"),
        ([QUIET[4], QUIET[0], *QUIET[1:4], *QUIET[5:]], "outside its step"),
    ],
    ids=["a verdict", "an epoch", "twice", "order", "missing", "fingerprint", "too late", "too early"],
)
def test_anything_else_is_a_difference(events: list[dict[str, Any]], what: str) -> None:
    assert what in " ".join(compared(events))


def test_a_gap_in_the_numbers_is_a_difference() -> None:
    gap = numbered(QUIET)[:3] + [event | {"n": event["n"] + 1} for event in numbered(QUIET)[3:]]
    assert "gaps" in " ".join(differences(numbered(QUIET), gap))
