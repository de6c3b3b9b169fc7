"""A made-up search and a made-up training as streams of events, for tests of the live pages without any worker."""

import math
import random
from typing import Any

from search_engine.config.space import NasnetSpaceConfig
from search_engine.data.descriptions import describe
from search_engine.events import (
    ChildFinished,
    ChildStarted,
    ControllerUpdated,
    DecisionShown,
    EpochEnded,
    ProposalShown,
    SearchStarted,
    StateChanged,
    StepProposed,
    TrainingFinished,
    TrainingStarted,
)
from search_engine.spaces.nasnet import NasnetSpace

STARTED = 1_763_800_000.0
DATA = describe("fashion-mnist-10k").to_json()


class _Recorder:
    """Numbers events and gives each a time."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.now = STARTED

    def add(self, event: Any, seconds: float = 0.2) -> None:
        self.now += seconds
        self.rows.append({"n": len(self.rows) + 1, "at": round(self.now, 3), **event.to_json()})


def recorded_search(blocks: int = 2, steps: int = 16, size: int = 10, seed: int = 3) -> list[dict[str, Any]]:
    """Every event of a search whose policy settles step by step, with some failed and some copied children."""
    draw = random.Random(seed)
    space = NasnetSpace(NasnetSpaceConfig(blocks=blocks))
    favourites = [draw.randrange(len(decision.options)) for decision in space.decisions]
    record = _Recorder()
    decisions = tuple(DecisionShown(name=each.name, options=each.options) for each in space.decisions)
    record.add(SearchStarted(config={}, decisions=decisions, data=DATA, children=steps * size, step_size=size))
    for step in range(steps):
        policy = [
            _softened(len(decision.options), favourite, step / steps)
            for decision, favourite in zip(space.decisions, favourites, strict=True)
        ]
        _step(record, space, policy, step, size, draw)
    record.add(StateChanged(state="finished"))
    return record.rows


def _softened(options: int, favourite: int, part: float) -> list[float]:
    sure = 0.9 * part
    return [(1 - sure) / options + (sure if index == favourite else 0.0) for index in range(options)]


def _step(record: _Recorder, space: NasnetSpace, policy: list[list[float]], step: int, size: int, draw: Any) -> None:
    proposals = []
    for slot in range(size):
        decisions = tuple(draw.choices(range(len(row)), row)[0] for row in policy)
        architecture = space.decode(decisions)
        proposals.append(
            ProposalShown(
                slot=slot, decisions=decisions, log_probability=-1.0, architecture=architecture.to_json(),
                hash=architecture.hash,
            )
        )  # fmt: skip
    entropies = tuple(-sum(p * math.log(p) for p in row if p > 0) for row in policy)
    record.add(
        StepProposed(
            step=step, policy=tuple(map(tuple, policy)), entropies=entropies, entropy=sum(entropies),
            proposals=tuple(proposals),
        )
    )  # fmt: skip
    rewards = []
    for first in range(0, size, 2):  # Two workers.
        for slot in (first, first + 1):
            record.add(ChildStarted(step=step, slot=slot, worker=f"worker-{slot % 2}"))
        for epoch in (1, 2, 3):
            for slot in (first, first + 1):
                record.add(_epoch(step, slot, epoch, 3, draw), 0.3)
        for slot in (first, first + 1):
            finished = _verdict(step, slot, draw)
            rewards.append(finished.reward)
            record.add(finished)
    counted = [reward for reward in rewards if reward]
    mean = sum(counted) / len(counted)
    record.add(
        ControllerUpdated(
            step=step, mean_reward=mean, baseline=mean, loss=0.01, state_sha256="0" * 64, fingerprint=f"{step:02d}" * 32
        )
    )


def _epoch(step: int | None, slot: int | None, epoch: int, epochs: int, draw: Any) -> EpochEnded:
    return EpochEnded(
        step=step, slot=slot, epoch=epoch, epochs=epochs, loss=2.0 / epoch + draw.random() * 0.1,
        accuracy=0.88 - 0.5 / (epoch + 1) if step is None else None, learning_rate=0.1, seconds=0.6,
    )  # fmt: skip


def _verdict(step: int, slot: int, draw: Any) -> ChildFinished:
    cost = draw.randrange(20_000, 120_000)
    sizes = {"step": step, "slot": slot, "parameters": cost, "mult_adds": cost * 23, "seconds": draw.uniform(0.8, 3.5)}
    if (step * 7 + slot) % 41 == 11:
        return ChildFinished(**sizes, reward=0.0, reason="diverged")
    reward = round(0.66 + 0.004 * step + draw.gauss(0, 0.02), 4)
    twin = (0, 1) if step > 3 and slot == 4 else None
    return ChildFinished(**sizes, reward=reward, twin=twin)


def recorded_training(epochs: int = 12, seed: int = 5) -> list[dict[str, Any]]:
    """Every event of a training that ends with its test."""
    draw = random.Random(seed)
    record = _Recorder()
    record.add(
        TrainingStarted(
            config={"recipe": {"epochs": epochs}}, data=DATA, hash="a" * 64, parameters=312_456, mult_adds=7_654_321
        )
    )
    for epoch in range(1, epochs + 1):
        record.add(_epoch(None, None, epoch, epochs, draw), 4.0)
    record.add(
        TrainingFinished(
            test_accuracy=0.8615, test_examples=2000, held_out_accuracy=0.87, checkpoint="b" * 64, seconds=50.0
        )
    )
    record.add(StateChanged(state="finished"))
    return record.rows
