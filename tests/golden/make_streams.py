"""Writes tests/golden/streams/*.json: recorded events of a stream, and the state that both languages fold them to.

Run `python -m tests.golden.make_streams` after a change of the rules, and read the difference before keeping it.
Streams of RECORDED are events of real searches, which are folded again and not made up.
A file holds {"name", "kind", "limits", "events", "state"}; "limits" is null where the usual ones apply.
"""

import dataclasses
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from search_engine.events import (
    ArchitectureProposed,
    ArchitectureScored,
    ChildFinished,
    ChildStarted,
    ControllerPhaseEnded,
    ControllerUpdated,
    DecisionShown,
    EpochEnded,
    Event,
    FileDamaged,
    FinalistEpochEnded,
    FinalistFinished,
    FinalistsChosen,
    FinalistShown,
    FinalistStarted,
    JobLost,
    Latency,
    LimitsChanged,
    ProposalShown,
    ResultKept,
    SearchStarted,
    SearchSteered,
    SharedEpochEnded,
    StateChanged,
    StepProposed,
    TrainingFinished,
    TrainingStarted,
    event_from_json,
)

FOLDER = Path(__file__).parent / "streams"
START = 1763800000.0
SLOTS = 4
DECISIONS = (
    DecisionShown(name="normal 1 input 1", options=("current input", "previous input")),
    DecisionShown(name="normal 1 operation 1", options=("identity", "conv_3x3", "max_pool_3x3")),
)


def started(children: int) -> SearchStarted:
    return SearchStarted(
        config={"name": "golden"}, decisions=DECISIONS, data={"name": "fashion-mnist-10k"}, children=children,
        step_size=SLOTS,
    )  # fmt: skip


def drawn(step: int, slots: int = SLOTS) -> StepProposed:
    proposals = tuple(
        ProposalShown(
            slot=slot, decisions=(slot % 2, slot % 3), log_probability=-1.5,
            architecture={"format": 1, "kind": "cells", "drawn": [step, slot]}, hash=f"{step:032x}{slot:032x}",
        )
        for slot in range(slots)
    )  # fmt: skip
    policy = ((0.5, 0.5), (0.25, 0.25, 0.5))
    return StepProposed(step=step, policy=policy, entropies=(0.6875, 1.0), entropy=1.6875, proposals=proposals)


def begun(step: int, slot: int, worker: str = "worker-1", attempt: int = 1) -> ChildStarted:
    return ChildStarted(step=step, slot=slot, worker=worker, attempt=attempt)


def epoch(
    step: int | None, slot: int | None, number: int, epochs: int = 3, accuracy: float | None = None
) -> EpochEnded:
    return EpochEnded(
        step=step, slot=slot, epoch=number, epochs=epochs, loss=2.0 / number, accuracy=accuracy,
        learning_rate=0.1 / number, seconds=1.5,
    )  # fmt: skip


def measured(step: int, slot: int, reward: float, parameters: int = 1000) -> ChildFinished:
    return ChildFinished(
        step=step, slot=slot, reward=reward, parameters=parameters, mult_adds=parameters * 10, seconds=4.5
    )


def failed(step: int, slot: int, reward: float | None, reason: str) -> ChildFinished:
    return ChildFinished(
        step=step, slot=slot, reward=reward, reason=reason, parameters=500, mult_adds=5000, seconds=1.0
    )


def copied(step: int, slot: int, reward: float, twin: tuple[int, int]) -> ChildFinished:
    return ChildFinished(step=step, slot=slot, reward=reward, twin=twin, parameters=1000, mult_adds=10000, seconds=0.0)


def learned(step: int, mean: float | None, baseline: float | None) -> ControllerUpdated:
    return ControllerUpdated(
        step=step, mean_reward=mean, baseline=baseline, loss=0.25, divergence=0.125, clipped=0.0,
        state_sha256=f"{step:064x}", fingerprint=f"{step + 1:064x}",
    )  # fmt: skip


def running_search() -> Iterator[Event]:
    yield started(12)
    yield drawn(0)
    yield begun(0, 0)
    yield begun(0, 1, "worker-2")
    yield epoch(0, 0, 1)
    yield epoch(0, 1, 1)
    yield epoch(0, 0, 2)
    yield epoch(0, 0, 3, accuracy=0.75)
    yield measured(0, 0, 0.75)
    yield begun(0, 2)
    yield epoch(0, 1, 2)
    yield failed(0, 1, 0.0, "diverged")
    yield begun(0, 3, "worker-2")
    yield epoch(0, 2, 1)


def copies_with_lookahead() -> Iterator[Event]:
    yield started(12)
    yield drawn(0)
    yield drawn(1)
    for slot in (2, 0):  # Finished in another order than drawn; equal rewards: the one that was drawn first is best.
        yield begun(0, slot)
        yield measured(0, slot, 0.5, parameters=2000 + slot)
    yield copied(0, 1, 0.5, (0, 0))
    yield begun(1, 1)
    yield measured(1, 1, 0.625)
    yield measured(0, 3, 0.25)
    yield learned(0, 0.4375, 0.4375)
    yield drawn(2)
    yield copied(1, 3, 0.625, (1, 1))


def bounded_search() -> Iterator[Event]:
    """Cost weighs in the reward, two children are over a bound, and a cheaper child throws two off the fronts.

    The last child over a bound is the latest for a while; then the best one goes on to a final round.
    """
    yield started(12)
    yield drawn(0)
    for slot, (reward, accuracy, parameters, ms) in enumerate(
        ((0.5, 0.5, 1000, 4.0), (0.375, 0.75, 3000, 2.5), (0.625, 0.75, 2000, 4.0))
    ):
        yield begun(0, slot)
        yield weighed(0, slot, reward, accuracy, parameters, ms)
    yield begun(0, 3)
    reason = "over the bound: the network has 8,750 parameters, at most 5,000 were allowed"
    yield failed(0, 3, 0.0, reason).model_copy(update={"over": "parameters", "times": 1.75})
    yield learned(0, 0.375, 0.375)
    yield drawn(1)
    yield copied(1, 0, 0.625, (0, 2)).model_copy(update={"accuracy": 0.75, "latency": timed(4.0)})
    slow = "over the bound: the network takes 7.5 ms (batch 1, cpu, 1 thread, median of 21), at most 5 ms were allowed"
    yield failed(1, 1, 0.0, slow).model_copy(update={"over": "latency", "times": 1.5, "latency": timed(7.5)})
    yield weighed(1, 2, 0.875, 0.8125, 500, 2.5)
    yield failed(1, 3, 0.0, reason).model_copy(update={"over": "parameters", "times": 1.75})
    yield learned(1, 0.5, 0.5)
    finalist = FinalistShown(
        rank=1, step=1, slot=2, reward=0.875, accuracy=0.8125, architecture={"drawn": [1, 2]}, hash=f"{1:032x}{2:032x}"
    )
    yield FinalistsChosen(finalists=(finalist,))


def timed(ms: float) -> Latency:
    return Latency(ms=ms, batch=1, repeats=21, warm_up=5, device="cpu, 1 thread")


def weighed(step: int, slot: int, reward: float, accuracy: float, parameters: int, ms: float) -> ChildFinished:
    return measured(step, slot, reward, parameters).model_copy(update={"accuracy": accuracy, "latency": timed(ms)})


def losses_and_pauses() -> Iterator[Event]:
    yield started(4)
    yield drawn(0)
    yield begun(0, 0)
    yield epoch(0, 0, 1)
    yield epoch(0, 0, 2)
    yield JobLost(what="child 0.0", worker="worker-1", reason="no sign of life for 5 seconds", attempt=1)
    yield begun(0, 1, "worker-2")
    yield begun(0, 0, "worker-2", attempt=2)  # It goes on after epoch 1: the second epoch comes again.
    yield epoch(0, 0, 2, accuracy=0.5)
    yield StateChanged(state="paused")
    yield epoch(0, 1, 1)
    yield StateChanged(state="running")
    yield JobLost(what="child 0.1", worker="worker-2", reason="the trainer was killed by SIGKILL", attempt=3)
    yield failed(0, 1, None, "lost")
    yield JobLost(what="update 0", worker="worker-2", reason="no sign of life for 5 seconds", attempt=1)
    yield JobLost(what="child 0.0", worker="worker-2", reason="no sign of life for 5 seconds", attempt=2)
    yield FileDamaged(what="checkpoint of child 0.0", is_anew=False)


def changed_limits() -> Iterator[Event]:
    """Started with two limits; changed by a person, and then by the time."""
    yield started(6)
    yield LimitsChanged(limits={"workers": 2, "hours": 1.5})
    yield drawn(0)
    yield LimitsChanged(limits={"children": 40, "workers": None}, from_step=1)
    for slot in range(SLOTS):
        yield measured(0, slot, 0.5)
    yield learned(0, 0.5, 0.5)
    yield drawn(1)
    yield LimitsChanged(limits={"hours": 2.0})
    yield LimitsChanged(limits={"children": 8}, from_step=2, by="time")


def steered() -> Iterator[Event]:
    """Options are banned by kind and by name, banned anew, and taken back."""
    yield started(6)
    yield drawn(0)
    yield SearchSteered(bans={"operation": ("sep_conv_3x3", "identity"), "normal 1 input 1": ("block 1",)}, from_step=1)
    yield SearchSteered(bans={"normal 1 input 1": ()}, from_step=1)
    yield learned(0, 0.5, 0.5)
    yield drawn(1)
    yield SearchSteered(bans={"operation": ("identity",), "input": ("previous input",)}, from_step=2)


def proposed() -> Iterator[Event]:
    """Two architectures are proposed: one becomes the best child, the other fails; neither is counted as drawn.

    Two more are left out by a smaller total, and by the next one are not.
    """
    yield started(6)
    yield drawn(0)
    yield ArchitectureProposed(architecture={"proposed": 1}, hash="c" * 64, from_step=1)
    yield ArchitectureProposed(architecture={"proposed": 2}, hash="d" * 64, from_step=1)
    for slot in range(SLOTS):
        yield measured(0, slot, 0.5)
    yield learned(0, 0.5, 0.5)
    step = drawn(1)
    more = tuple(
        ProposalShown(
            slot=SLOTS + place, decisions=(0, 1), log_probability=-3.0, architecture={"proposed": place + 1},
            hash="cd"[place] * 64, off_policy=True,
        )
        for place in range(2)
    )  # fmt: skip
    yield step.model_copy(update={"proposals": step.proposals + more})
    yield begun(1, SLOTS, "worker-1")
    yield measured(1, SLOTS, 0.75)
    yield failed(1, SLOTS + 1, None, "lost")
    yield measured(1, 0, 0.25)
    for proposal in "ef":
        yield ArchitectureProposed(architecture={"proposed": proposal}, hash=proposal * 64, from_step=2)
    yield LimitsChanged(limits={"children": 8}, from_step=2, proposals_left_out=2)
    yield LimitsChanged(limits={"workers": 2})
    yield LimitsChanged(limits={"children": 12}, from_step=2)
    yield LimitsChanged(limits={"children": 8}, from_step=2, by="time", proposals_left_out=2)


def finished_search() -> Iterator[Event]:
    yield started(6)
    yield drawn(0)
    for slot, reward in enumerate((0.5, 0.75, 0.25, 0.5)):
        yield begun(0, slot)
        yield measured(0, slot, reward)
    yield learned(0, 0.5, 0.5)
    yield drawn(1, slots=2)
    yield failed(1, 0, None, "lost")
    yield failed(1, 1, None, "lost")
    yield learned(1, None, 0.5)
    yield StateChanged(state="finished")


def searched() -> Iterator[Event]:
    """A search of one step up to its final round of two."""
    yield started(4)
    yield drawn(0)
    for slot, reward in enumerate((0.5, 0.75, 0.25, 0.5)):
        yield begun(0, slot)
        yield measured(0, slot, reward)
    yield learned(0, 0.5, 0.5)
    yield FinalistsChosen(
        finalists=tuple(
            FinalistShown(rank=rank, step=0, slot=slot, reward=reward, architecture={"drawn": [0, slot]},
                          hash=f"{0:032x}{slot:032x}")
            for rank, slot, reward in ((1, 1, 0.75), (2, 0, 0.5))
        )
    )  # fmt: skip


def finalist_epoch(rank: int, number: int, epochs: int = 3) -> FinalistEpochEnded:
    return FinalistEpochEnded(
        rank=rank, epoch=number, epochs=epochs, loss=2.0 / number, accuracy=number / 64, learning_rate=0.5, seconds=2.5
    )


def ended_finalist(rank: int, accuracy: float | None, reason: str | None = None) -> FinalistFinished:
    return FinalistFinished(
        rank=rank, accuracy=accuracy, reason=reason, parameters=4000, mult_adds=40000, seconds=9.0,
        checkpoint=None if accuracy is None else f"{rank:064x}",
    )  # fmt: skip


def kept(rank: int | None, accuracy: float | None) -> ResultKept:
    checkpoint = None if rank is None else f"{rank:064x}"
    return ResultKept(rank=rank, accuracy=accuracy, checkpoint=checkpoint, fingerprint="e" * 64)


def final_round() -> Iterator[Event]:
    yield from searched()
    yield FinalistStarted(rank=1, worker="worker-1")
    yield FinalistStarted(rank=2, worker="worker-2")
    for number in (1, 2):
        yield finalist_epoch(2, number)
    yield JobLost(what="finalist 2", worker="worker-2", reason="no sign of life for 5 seconds", attempt=1)
    yield finalist_epoch(1, 1)
    yield StateChanged(state="paused")
    yield StateChanged(state="running")
    yield FinalistStarted(rank=2, worker="worker-1", attempt=2)
    yield finalist_epoch(2, 2)  # It went on after epoch 1.


def finished_final_round() -> Iterator[Event]:
    yield from final_round()
    yield ended_finalist(1, None, "recipe.learning_rate is 10.0; the loss ceased to be finite in epoch 2.")
    yield finalist_epoch(2, 3)
    yield ended_finalist(2, 0.875)
    yield kept(2, 0.875)
    yield StateChanged(state="finished")


def final_round_without_result() -> Iterator[Event]:
    yield from searched()
    yield ended_finalist(1, None, "lost")
    yield ended_finalist(2, None, "lost")
    yield kept(None, None)
    yield StateChanged(state="finished")


def stopped_final_round() -> Iterator[Event]:
    """Run with small limits: nine epochs, of which the older ones are thinned."""
    yield from searched()
    yield FinalistStarted(rank=1, worker="worker-1")
    for number in range(1, 10):
        yield finalist_epoch(1, number, epochs=9)
    yield StateChanged(state="stopped")


def stopped_search() -> Iterator[Event]:
    yield started(8)
    yield drawn(0)
    yield begun(0, 0)
    yield epoch(0, 0, 1)
    yield StateChanged(state="paused")
    yield StateChanged(state="stopped")


def failed_search() -> Iterator[Event]:
    yield started(8)
    yield StateChanged(state="failed", reason="The data set is damaged.")


def finished_training() -> Iterator[Event]:
    yield TrainingStarted(
        config={"recipe": {"epochs": 3}}, data={"name": "fashion-mnist-10k"}, hash="a" * 64, parameters=3300,
        mult_adds=66000,
    )  # fmt: skip
    yield epoch(None, None, 1, accuracy=0.5)
    yield epoch(None, None, 2, accuracy=0.625)
    yield JobLost(what="training", worker="worker-1", reason="no sign of life for 5 seconds", attempt=1)
    yield FileDamaged(what="checkpoint of training", is_anew=True)
    yield epoch(None, None, 2, accuracy=0.625)
    yield StateChanged(state="paused")
    yield StateChanged(state="running")
    yield epoch(None, None, 3, accuracy=0.75)
    yield TrainingFinished(
        test_accuracy=0.71875, test_examples=10000, held_out_accuracy=0.75, checkpoint="b" * 64, seconds=30.0
    )
    yield StateChanged(state="finished")


def shared_weights() -> Iterator[Event]:
    """Two steps and three candidates, one of which did not come to a score."""
    yield started(3).model_copy(update={"epochs": 2, "step_size": 3})
    for step in (0, 1):
        if step == 1:
            yield LimitsChanged(limits={"epochs": 3, "workers": 1}, from_step=1)
            yield LimitsChanged(limits={"hours": None, "epochs": 2}, from_step=1)
            yield SearchSteered(bans={"operation": ("sep_conv_3x3",)}, from_step=1)
            yield SearchSteered(bans={"operation": ()}, from_step=1)
        yield SharedEpochEnded(
            step=step, epochs=2, minibatches=10, loss=2.0 - step, accuracy=0.25, learning_rate=0.05,
            architecture={"drawn": [step]}, hash=f"{step:064x}", seconds=4.0,
        )  # fmt: skip
        yield JobLost(
            what=f"controller phase {step}", worker="worker-1", reason="no sign of life for 5 seconds", attempt=1
        )
        yield phase(step)
    yield drawn(0, slots=3).model_copy(update={"policy": ((0.25, 0.75), (0.5, 0.25, 0.25))})
    yield measured(0, 0, 0.5)
    yield measured(0, 1, 0.75)
    yield failed(0, 2, 0.0, "diverged")
    yield StateChanged(state="finished")


def thinned_shared_weights() -> Iterator[Event]:
    """Run with small limits: nine epochs on text, of which the older ones are thinned and lose their stretches."""
    data = {"name": "state-of-the-union-2k", "kind": "text", "unigram_perplexity": {"valid": 229.0, "test": 224.5}}
    yield started(3).model_copy(update={"epochs": 9, "step_size": 3, "data": data})
    for step in range(9):
        yield SharedEpochEnded(
            step=step, epochs=9, minibatches=10, loss=6.0 - step / 2, perplexity=400.0 - step, learning_rate=20.0,
            architecture={"drawn": [step]}, hash=f"{step:064x}", seconds=4.0,
        )  # fmt: skip
        yield phase(step).model_copy(update={"epochs": 9, "accuracy": None, "perplexity": 200.0 - step})
    yield drawn(0, slots=3)
    yield measured(0, 0, 0.5).model_copy(update={"perplexity": 160.0})


def phase(step: int) -> ControllerPhaseEnded:
    best = ArchitectureScored(architecture={"best": [step]}, hash="c" * 64, reward=0.625)
    return ControllerPhaseEnded(
        step=step, epochs=2, rounds=5, policy=((0.5, 0.5), (0.25, 0.25, 0.5)), entropies=(0.5, 1.0), entropy=1.5,
        family_entropies={"input": 0.5, "operation": 1.0}, curve=(0.25, 0.5), mean_reward=0.375, best_reward=0.625,
        baseline=0.25, loss=0.5, divergence=None, accuracy=0.375, best=best, sampled=best, state_sha256="d" * 64,
        weights_sha256="e" * 64, fingerprint=f"{step:064x}", seconds=2.0,
    )  # fmt: skip


def text_epoch(number: int) -> EpochEnded:
    return EpochEnded(
        epoch=number, epochs=3, loss=6.0 / number, perplexity=192.0 / number, learning_rate=20.0, seconds=1.5
    )


def running_text_training() -> Iterator[Event]:
    yield TrainingStarted(
        config={"recipe": {"epochs": 3}},
        data={"name": "state-of-the-union-2k", "kind": "text", "unigram_perplexity": {"valid": 229.0, "test": 224.5}},
        hash="a" * 64, parameters=3300, mult_adds=3300,
    )  # fmt: skip
    yield text_epoch(1)
    yield JobLost(what="training", worker="worker-1", reason="no sign of life for 5 seconds", attempt=1)
    yield text_epoch(1)
    yield text_epoch(2)


def finished_text_training() -> Iterator[Event]:
    yield from running_text_training()
    yield text_epoch(3)
    yield TrainingFinished(
        test_perplexity=62.5, test_examples=69398, held_out_perplexity=64.0, checkpoint="b" * 64, seconds=30.0
    )
    yield StateChanged(state="finished")


def thinned_search() -> Iterator[Event]:
    """Run with small limits: 48 children, of which some were lost, in twelve steps."""
    yield started(48)
    for step in range(12):
        yield drawn(step)
        for slot in range(SLOTS):
            number = step * SLOTS + slot
            if step == 3 or number % 11 == 5:
                yield failed(step, slot, None, "lost")
            else:
                yield measured(step, slot, (number * 29 % 64) / 64, parameters=1000 + number)
        yield learned(step, 0.5, 0.5)


STREAMS: dict[str, tuple[str, Any, dict[str, int] | None]] = {
    "running-search": ("search", running_search, None),
    "copies-with-lookahead": ("search", copies_with_lookahead, None),
    "bounded-search": ("search", bounded_search, None),
    "losses-and-pauses": ("search", losses_and_pauses, None),
    "changed-limits": ("search", changed_limits, None),
    "steered-search": ("search", steered, None),
    "proposed-architectures": ("search", proposed, None),
    "finished-search": ("search", finished_search, None),
    "stopped-search": ("search", stopped_search, None),
    "failed-search": ("search", failed_search, None),
    "shared-weights": ("search", shared_weights, None),
    "thinned-shared-weights": (
        "search",
        thinned_shared_weights,
        {"points": 16, "steps": 6, "log": 5, "front": 3, "curve": 2, "epochs": 6},
    ),
    "finished-training": ("training", finished_training, None),
    "running-text-training": ("training", running_text_training, None),
    "finished-text-training": ("training", finished_text_training, None),
    "final-round": ("search", final_round, None),
    "finished-final-round": ("search", finished_final_round, None),
    "final-round-without-result": ("search", final_round_without_result, None),
    "stopped-final-round": ("search", stopped_final_round, {"points": 16, "steps": 6, "log": 5, "curve": 4}),
    "thinned-search": ("search", thinned_search, {"points": 16, "steps": 6, "log": 5, "front": 3}),
}

RECORDED = ("enas-micro", "enas-macro", "enas-recurrent")  # Of real searches, by record_shared.


def recorded(events: Iterable[Event]) -> list[dict[str, Any]]:
    """The events as they travel, one every two seconds and a half."""
    return [{"n": n, "at": START + 2.5 * n, **event.to_json()} for n, event in enumerate(events, start=1)]


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name, (kind, story, limits) in STREAMS.items():
        write_stream(name, kind, story(), limits)
    for name in RECORDED:
        events = json.loads((FOLDER / f"{name}.json").read_text())["events"]
        write_stream(name, "search", [event_from_json(_without_place(event)) for event in events], None)


def write_stream(name: str, kind: str, story: Iterable[Event], limits: dict[str, int] | None) -> None:
    """The events of a story, and the state that they are folded to."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")
    import django

    django.setup()
    from webapp.searches import live_state

    events = recorded(story)
    kept = live_state.Limits(**limits) if limits else live_state.LIMITS
    assert set(limits or {}) <= {field.name for field in dataclasses.fields(live_state.Limits)}
    state = live_state.initial(kind)
    for event in events:
        state = live_state.apply(state, event, kept)
    golden = {"name": name, "kind": kind, "limits": limits, "events": events, "state": state}
    (FOLDER / f"{name}.json").write_text(_one_event_a_line(golden))


def _without_place(event: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in event.items() if name not in ("n", "at")}


def _one_event_a_line(golden: dict[str, Any]) -> str:
    """JSON in which a changed event is a changed line."""
    parts = []
    for key, value in golden.items():
        if key == "events":
            lines = ",\n".join(f"    {json.dumps(event)}" for event in value)
            parts.append(f'  "events": [\n{lines}\n  ]')
        elif key == "state":
            lines = ",\n".join(f"    {json.dumps(name)}: {json.dumps(part)}" for name, part in value.items())
            parts.append(f'  "state": {{\n{lines}\n  }}')
        else:
            parts.append(f'  "{key}": {json.dumps(value)}')
    return "{\n" + ",\n".join(parts) + "\n}\n"


if __name__ == "__main__":
    main()
