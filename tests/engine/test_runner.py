import json
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search_engine.config.strategy import PpoConfig, RandomConfig
from search_engine.evaluators.base import Evaluator
from search_engine.evaluators.replaying import Replaying, evaluation_of
from search_engine.evaluators.reusing import Reusing
from search_engine.events import (
    ChildFinished,
    ChildStarted,
    ControllerUpdated,
    Event,
    StateChanged,
    StepProposed,
    event_from_json,
    extend_fingerprint,
)
from search_engine.runner import run
from search_engine.schedule import Copy, Evaluate, Known, KnownChild, Learn, due
from search_engine.strategies.base import Proposal, Strategy
from search_engine.strategies.ppo import Ppo
from search_engine.strategies.random import Random
from tests.engine.toy import ToyEvaluator, ToySpace

CHILDREN, STEP_SIZE, STEPS = 11, 3, 4


@dataclass
class Setting:
    """One way to search: everything that a resumed run has to be built with again."""

    kind: str = "ppo"
    lookahead: int = 0
    reuse: bool = False
    saved: dict[str, Any] = field(default_factory=dict)
    log: list[Event] = field(default_factory=list)

    def strategy(self) -> Strategy:
        space = ToySpace([2, 2])  # Four architectures, so that there are twins in every step.
        if self.kind == "random":
            config = RandomConfig(step_size=STEP_SIZE, lookahead=self.lookahead)
            return Random(space, config, children=CHILDREN, seed=3)
        ppo = PpoConfig(step_size=STEP_SIZE, lookahead=self.lookahead, hidden_size=4, learning_rate=0.05)
        return Ppo(space, ppo, children=CHILDREN, seed=3)

    def evaluator(self, past: list[Event]) -> Evaluator:
        inner = Replaying(ToyEvaluator(reward), past)
        return Reusing(inner, lookahead=self.lookahead) if self.reuse else inner

    def start(self, *, should_stop: Any = lambda: False) -> Generator[Event, None, str]:
        """A run that goes on from what was saved, or from the beginning; the log is cut back to the saved place."""
        strategy = self.strategy()
        past, self.log = self.log[self.saved.get("events", 0) :], self.log[: self.saved.get("events", 0)]
        if self.saved:
            strategy.load_state_dict(self.saved["tensors"], self.saved["state"])
        evaluator = self.evaluator(past)
        if isinstance(evaluator, Reusing):
            hashes = {(e.step, p.slot): p.hash for e in self.log if isinstance(e, StepProposed) for p in e.proposals}
            for event in self.log:
                if isinstance(event, ChildFinished):
                    evaluator.remember(hashes[event.step, event.slot], evaluation_of(event))
        return run(
            strategy,
            evaluator,
            fingerprint=self.saved.get("fingerprint", ""),
            shown=max((event.step for event in self.log if isinstance(event, StepProposed)), default=-1),
            should_stop=should_stop,
            save=self.save,
        )

    def save(self, strategy: Strategy, fingerprint: str) -> None:
        tensors, state = strategy.state_dict()
        self.saved = {
            "tensors": tensors,
            "state": json.loads(json.dumps(state)),
            "fingerprint": fingerprint,
            "events": len(self.log),
        }

    def take(self, running: Generator[Event, None, str], count: int | None = None) -> str | None:
        """Log so many events and stop pulling, or all of them; the fingerprint once the run ends."""
        while count is None or count > 0:
            try:
                self.log.append(event_from_json(next(running).to_json()))
            except StopIteration as end:
                assert isinstance(end.value, str)
                return end.value
            count = None if count is None else count - 1
        running.close()
        return None


def reward(proposal: Proposal) -> float | None:
    """Some are lost; the others tell by their reward where they were measured."""
    mark = proposal.step * STEP_SIZE + proposal.slot
    return None if mark == 4 else mark / 100 + proposal.decisions[0] / 2


def straight(setting: Setting) -> tuple[list[Event], str]:
    fingerprint = setting.take(setting.start())
    assert fingerprint is not None
    return setting.log, fingerprint


WAYS = st.builds(
    lambda kind, lookahead, reuse: {"kind": kind, "lookahead": lookahead, "reuse": reuse},
    st.sampled_from(["ppo", "random"]),
    st.sampled_from([0, 1]),
    st.booleans(),
)


@settings(max_examples=30, deadline=None)
@given(way=WAYS, cuts=st.lists(st.integers(0, 70), max_size=5))
def test_a_run_interrupted_anywhere_gives_the_events_and_the_fingerprint_of_a_straight_one(
    way: dict[str, Any], cuts: list[int]
) -> None:
    events, fingerprint = straight(Setting(**way))
    broken = Setting(**way)
    result = None
    for cut in [*cuts, None]:
        result = broken.take(broken.start(), cut)
    assert result == fingerprint
    assert broken.log == events


def test_children_that_were_finished_before_the_interruption_are_not_trained_again() -> None:
    setting = Setting()
    events, _ = straight(Setting())
    second_verdict = [number for number, event in enumerate(events) if isinstance(event, ChildFinished)][1]
    setting.take(setting.start(), second_verdict + 2)  # One more event: the third child has just started.
    inner = ToyEvaluator(reward)
    running = run(setting.strategy(), Replaying(inner, setting.log), should_stop=lambda: False, save=lambda *_: None)
    assert list(running) == events
    assert inner.evaluated[0] == (0, 2)


def test_stopping_is_looked_at_between_steps_and_leaves_a_saved_state() -> None:
    setting = Setting()
    running = setting.start(should_stop=lambda: any(isinstance(event, ControllerUpdated) for event in setting.log))
    fingerprint = setting.take(running)
    assert isinstance(setting.log[-1], ControllerUpdated)
    assert setting.saved["fingerprint"] == fingerprint == setting.log[-1].fingerprint
    assert setting.saved["events"] == len(setting.log)


def test_the_events_of_a_step_come_in_the_order_of_the_loop() -> None:
    events, _ = straight(Setting())
    child = ["child_started", "epoch_ended", "epoch_ended", "child_finished"]
    step = ["step_proposed", *child * 3, "controller_updated"]
    last = ["step_proposed", *child * 2, "controller_updated"]
    assert [event.kind for event in events] == [*step * 3, *last, "state_changed"]
    assert events[-1] == StateChanged(state="finished")


def test_a_step_drawn_ahead_is_shown_before_the_one_at_hand_is_evaluated() -> None:
    events, _ = straight(Setting(lookahead=1))
    shown = [event.step for event in events if isinstance(event, StepProposed | ControllerUpdated)]
    assert shown == [0, 1, 0, 2, 1, 3, 2, 3]


def test_the_fingerprint_chains_architectures_rewards_and_states() -> None:
    events, fingerprint = straight(Setting())
    expected = ""
    for step in range(STEPS):
        drawn = next(e for e in events if isinstance(e, StepProposed) and e.step == step)
        rewards = {e.slot: e.reward for e in events if isinstance(e, ChildFinished) and e.step == step}
        update = next(e for e in events if isinstance(e, ControllerUpdated) and e.step == step)
        children = [(proposal.architecture, rewards[proposal.slot]) for proposal in drawn.proposals]
        expected = extend_fingerprint(expected, step, children, update.state_sha256)
        assert update.fingerprint == expected
    assert fingerprint == expected


@pytest.mark.parametrize("reuse", [False, True])
@pytest.mark.parametrize("lookahead", [0, 1])
def test_everything_the_loop_does_was_due_by_the_schedule(lookahead: int, reuse: bool) -> None:
    events, _ = straight(Setting(lookahead=lookahead, reuse=reuse))
    children: dict[int, dict[int, KnownChild]] = {}
    told = 0
    copies = 0
    for event in events:
        known = Known(steps_told=told, steps=STEPS, lookahead=lookahead, reuse=reuse, children=children)
        if isinstance(event, StepProposed):
            children[event.step] = {proposal.slot: KnownChild(proposal.hash) for proposal in event.proposals}
        elif isinstance(event, ChildFinished):
            work = Evaluate(event.step, event.slot) if event.twin is None else Copy(event.step, event.slot, event.twin)
            assert work in due(known)
            copies += event.twin is not None
            row = children[event.step]
            is_measured = event.reward is not None and event.twin is None
            row[event.slot] = KnownChild(row[event.slot].hash, is_final=True, is_measured=is_measured)
        elif isinstance(event, ControllerUpdated):
            assert due(known)[0] == Learn(event.step)
            told += 1
        else:
            assert event.kind in {"child_started", "epoch_ended", "state_changed"}
            if isinstance(event, ChildStarted):
                assert not children[event.step][event.slot].is_final
    assert told == STEPS
    assert (copies > 0) == reuse
