"""Makes a large search out of rows, as a cluster would leave it after weeks: `python -m benchmarks.seeded_search`.

Prints the search's identifier. Children, rewards and policies are drawn, not trained; rows and events are of the shapes
that a NASNet search of five blocks has, and the checker finds nothing wrong with them. Needs a migrated data folder.
"""

import argparse
import os
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")
django.setup()  # Models can be imported only behind this.

from django.db import transaction

from search_engine.config.budget import BudgetConfig
from search_engine.config.search import SearchConfig
from search_engine.events import (
    ChildFinished,
    ChildStarted,
    ControllerUpdated,
    EpochEnded,
    Event,
    ProposalShown,
    StateChanged,
    StepProposed,
    extend_fingerprint,
)
from search_engine.presets import ONE_GPU
from search_engine.spaces.build import build_space
from webapp.accounts.sign_in import OWNER, get_or_create_user
from webapp.searches import checker, event_log, keyframes, live_state, planner
from webapp.searches.models import Child, Job, Search, Snapshot, Stream
from webapp.searches.models import Event as EventRow
from webapp.searches.start import start_search

CHILD_SECONDS = 4.0  # From one verdict to the next.
FAILED, COPIED = 0.01, 0.02  # Shares of children.
AT_ONCE = 100  # Steps that are written in one transaction.
STATE = "0" * 64  # Digest of a strategy's state that is not kept.


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.seeded_search", description=__doc__)
    parser.add_argument("--children", type=int, default=50_000, help="how many have a verdict")
    parser.add_argument("--running", action="store_true", help="one more step was drawn, and waits for workers")
    parser.add_argument("--check", action="store_true", help="let the checker look at it, which takes minutes")
    asked = parser.parse_args()
    search = seed(asked.children, is_running=asked.running)
    for problem in checker.check(search) if asked.check else ():
        raise SystemExit(problem)
    print(search.pk)


def seed(children: int, *, is_running: bool = False) -> Search:
    """A search of whole steps with so many verdicts. is_running: a further step was drawn, with none."""
    size = ONE_GPU.config.strategy.step_size
    steps = children // size
    total = (steps + is_running) * size
    config = ONE_GPU.config.model_copy(
        update={"name": f"{children:,} children", "budget": BudgetConfig(children=total, reuse="copy")}
    )
    config = SearchConfig.model_validate(config.model_dump() | {"finals": {}})
    search = start_search(get_or_create_user(OWNER), config)
    Job.objects.filter(stream_id=search.pk).update(state=Job.State.DONE)
    maker = _Maker(search, config, at=search.created)
    for first in range(0, steps, AT_ONCE):
        with transaction.atomic():
            maker.write(range(first, min(first + AT_ONCE, steps)))
    with transaction.atomic():
        maker.end(steps, is_running=is_running)
    _keep_states(search)
    return Search.objects.get(pk=search.pk)


def _keep_states(search: Search) -> None:
    """Snapshot and keyframes, which the reconciler makes while a search runs."""
    state = live_state.initial(Stream.Kind.SEARCH)
    after = 0
    while page := event_log.read(search.pk, after, 1000):
        for event in page:
            state = live_state.apply(state, event)
            if state["n"] % keyframes.EVERY == 0:
                keyframes._keep(search, state)
        after = page[-1]["n"]
    as_now = {"number": state["n"], "rules": live_state.rules(), "state": state}
    Snapshot.objects.update_or_create(stream_id=search.pk, defaults=as_now)  # The reconciler may have been here.


@dataclass
class _Maker:
    """Writes children and events of step after step."""

    search: Search
    config: SearchConfig
    at: float
    number: int = 1
    fingerprint: str = ""
    dice: random.Random = field(default_factory=lambda: random.Random(1))
    measured: list[dict[str, Any]] = field(default_factory=list)  # Some children, for others to copy.

    def __post_init__(self) -> None:
        self.space = build_space(self.config.space)
        self.number = Search.objects.get(pk=self.search.pk).last_event
        # What the policy will prefer: one option of each decision.
        self.wanted = [self.dice.randrange(len(each.options)) for each in self.space.decisions]

    def write(self, steps: range) -> None:
        children: list[dict[str, Any]] = []
        events: list[EventRow] = []
        for step in steps:
            drawn = self._drawn(step)
            events += self._rows(self._of_step(step, drawn))
            children += drawn
        Child.objects.bulk_create([Child(search_id=self.search.pk, **child) for child in children], batch_size=500)
        EventRow.objects.bulk_create(events, batch_size=500)

    def end(self, steps: int, *, is_running: bool) -> None:
        rows = Search.objects.filter(pk=self.search.pk)
        if is_running:
            drawn = [_undecided(child) for child in self._drawn(steps)]
            Child.objects.bulk_create([Child(search_id=self.search.pk, **child) for child in drawn])
            last = [self._proposed(steps, drawn)]
        else:
            last = [StateChanged(state="finished")]
            self.at += 1
            rows.update(state=Stream.State.FINISHED, ended=self.at, running_since=None)
        EventRow.objects.bulk_create(self._rows(last))
        rows.update(steps_told=steps, fingerprint=self.fingerprint, last_event=self.number)
        if is_running:
            search = planner.locked_search(self.search.pk)
            event_log.append(search.pk, planner.what_follows(search))

    def _drawn(self, step: int) -> list[dict[str, Any]]:
        """Rows of a step's children, by field, with their verdicts."""
        return [self._child(step, slot) for slot in range(self.config.strategy.step_size)]

    def _child(self, step: int, slot: int) -> dict[str, Any]:
        draw = self.dice
        if self.measured and draw.random() < COPIED:
            twin = draw.choice(self.measured)
            told = {"twin_step": twin["step"], "twin_slot": twin["slot"], "seconds": 0.0}
            return twin | {"step": step, "slot": slot} | told
        sure = self._sureness(step)
        decisions = [
            wanted if draw.random() < sure else draw.randrange(len(decision.options))
            for wanted, decision in zip(self.wanted, self.space.decisions, strict=True)
        ]
        architecture = self.space.decode(decisions)
        is_failed = draw.random() < FAILED
        reward = 0.0 if is_failed else min(0.99, max(0.1, draw.gauss(0.62 + 0.25 * sure, 0.03)))
        child = {
            "step": step, "slot": slot, "decisions": decisions, "architecture": architecture.to_json(),
            "hash": architecture.hash, "log_probability": -draw.uniform(20, 90), "is_final": True, "reward": reward,
            "reason": "diverged" if is_failed else "", "parameters": draw.randrange(200_000, 900_000),
            "mult_adds": draw.randrange(30_000_000, 120_000_000), "seconds": draw.uniform(20, 90),
        }  # fmt: skip
        if not is_failed and len(self.measured) < 1000:
            self.measured.append(child)
        return child

    def _sureness(self, step: int) -> float:
        """The probability of the wanted option beyond its even share, in [0, 0.9]; it settles over a thousand steps."""
        return 0.9 * min(1.0, step / 1000)

    def _of_step(self, step: int, children: Sequence[dict[str, Any]]) -> Iterator[Event]:
        yield self._proposed(step, children)
        for child in children:
            yield from self._life(child)
        told = [(child["architecture"], child["reward"]) for child in children]
        self.fingerprint = extend_fingerprint(self.fingerprint, step, told, STATE)
        mean = sum(child["reward"] for child in children) / len(children)
        yield ControllerUpdated(
            step=step, mean_reward=mean, baseline=mean, loss=0.01, divergence=0.001, clipped=0.1, state_sha256=STATE,
            fingerprint=self.fingerprint,
        )  # fmt: skip

    def _proposed(self, step: int, children: Sequence[dict[str, Any]]) -> Event:
        policy = []
        for wanted, decision in zip(self.wanted, self.space.decisions, strict=True):
            weights = [self.dice.uniform(0.8, 1.2) for _ in decision.options]
            rest = (1 - self._sureness(step)) / sum(weights)
            policy.append([weight * rest for weight in weights])
            policy[-1][wanted] += self._sureness(step)
        entropies = [1.5 * (1 - self._sureness(step))] * len(policy)
        names = ("slot", "decisions", "log_probability", "architecture", "hash")
        shown = tuple(ProposalShown(**{name: child[name] for name in names}) for child in children)
        return StepProposed(
            step=step, policy=policy, entropies=entropies, entropy=sum(entropies), proposals=shown
        )  # fmt: skip

    def _life(self, child: dict[str, Any]) -> Iterator[Event]:
        place = {"step": child["step"], "slot": child["slot"]}
        cost = {"parameters": child["parameters"], "mult_adds": child["mult_adds"]}
        if "twin_step" in child:
            twin = (child["twin_step"], child["twin_slot"])
            yield ChildFinished(**place, **cost, reward=child["reward"], seconds=0.0, twin=twin)
            return
        yield ChildStarted(**place, worker=f"host-{child['slot'] % 4}-0")
        if not child["reason"]:
            yield EpochEnded(
                **place, epoch=1, epochs=1, loss=0.7, accuracy=child["reward"], learning_rate=0.0,
                seconds=child["seconds"],
            )  # fmt: skip
        yield ChildFinished(
            **place, **cost, reward=child["reward"], reason=child["reason"] or None, seconds=child["seconds"]
        )  # fmt: skip

    def _rows(self, events: Iterator[Event] | Sequence[Event]) -> list[EventRow]:
        rows = []
        for event in events:
            self.number += 1
            self.at += CHILD_SECONDS if isinstance(event, ChildFinished) else 0.0
            rows.append(event_log._row(self.search.pk, self.number, self.at, event))
        return rows


def _undecided(child: dict[str, Any]) -> dict[str, Any]:
    verdict = ("reward", "parameters", "mult_adds", "seconds", "twin_step", "twin_slot")
    kept = {name: value for name, value in child.items() if name not in verdict}
    return kept | {"is_final": False, "reason": ""}


if __name__ == "__main__":
    main()
