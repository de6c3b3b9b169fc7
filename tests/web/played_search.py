"""A search played on workers in virtual time by the real schedule, with children of uneven cost; no database.

The events carry what time_left reads. Work is in mult-adds; how long a child takes follows its work and some chance.
"""

import heapq
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from search_engine import schedule
from webapp.searches.time_left.outlook import Expected, Standing, search_ahead
from webapp.searches.time_left.past import KINDS, past_of
from webapp.searches.time_left.together import Sharing, seconds_left

MEAN_WORK = 1e6
UPDATE, GAP = 0.5, 0.1  # Seconds of an update, and between two jobs of a worker.


@dataclass
class Played:
    """spread: of the work of children (standard deviation of its logarithm); chance: of what it takes besides."""

    children: int
    step_size: int
    workers: int
    seed: int
    lookahead: int = 0
    spread: float = 0.35
    chance: float = 0.1
    seconds: float = 20.0
    finalists: int = 0
    events: list[dict[str, Any]] = field(default_factory=list)

    def run(self) -> "Played":
        self._random = random.Random(self.seed)
        self._told, self._known = -1, {}
        self._verdicts: dict[int, bool] = {}
        self._finals: tuple[bool, ...] | None = None
        self._kept = False
        self._under_way: set[schedule.Due] = set()
        ends: list[tuple[float, int, schedule.Due]] = []
        free, now, order = list(range(self.workers)), 0.0, 0
        while True:
            for item in self._due():
                if free and item not in self._under_way:
                    self._under_way.add(item)
                    worker, order = free.pop(0), order + 1
                    heapq.heappush(ends, (now + self._begin(item, now, worker) + GAP, worker, item))
            if not ends:
                self.end = now
                return self
            now, worker, item = heapq.heappop(ends)
            self._finish(item, now - GAP)
            free.append(worker)

    def error_after(self, done: int) -> float:
        """Of the time left as told at this child's end, as a part of what it took in truth."""
        at = [event["at"] for event in self.events if event["kind"] == "child_finished"][done - 1]
        told = self.told_at(at)
        assert told is not None
        return (told - (self.end - at)) / (self.end - at)

    def told_at(self, now: float) -> float | None:
        seen = [event for event in self.events if event["at"] <= now]
        decided = {(event["step"], event["slot"]) for event in seen if event["kind"] == "child_finished"}
        told = max((event["step"] for event in seen if event["kind"] == "controller_updated"), default=-1)
        sizes = {event["step"]: event["size"] for event in seen if event["kind"] == "drawn"}
        ranks = {event["rank"] for event in seen if event["kind"] == "finalist_finished"}
        is_chosen = any(event["kind"] == "finalist_started" for event in seen)
        standing = Standing(
            done=len(decided), total=self.children, drawn=sum(sizes.values()), step_size=self.step_size,
            lookahead=self.lookahead,
            undecided={
                step: size - sum(each == step for each, _ in decided) for step, size in sizes.items() if step > told
            },
            finalists=None if is_chosen else self.finalists,
            finalists_left=[rank for rank in range(1, self.finalists + 1) if rank not in ranks] if is_chosen else (),
        )  # fmt: skip
        past = past_of([event for event in seen if event["kind"] in KINDS][-400:])
        ahead = search_ahead(standing, past, Expected(mean_work=MEAN_WORK, update=UPDATE, finalist=3.0), now)
        return seconds_left([Sharing(id=_ID, group=_ID, ahead=ahead)], self.workers)[_ID]

    def _due(self) -> tuple[schedule.Due, ...]:
        steps = -(-self.children // self.step_size)
        finals = schedule.KnownFinals(self._finals, self._kept) if self.finalists else None
        found = schedule.due(
            schedule.Known(self._told + 1 if self._known else -1, steps, self.lookahead, False, self._known, finals)
        )
        if schedule.Choose() in found:
            self._finals = (False,) * self.finalists
            return self._due()
        if schedule.Keep() in found:
            self._kept = True
            return ()
        return found

    def _begin(self, item: schedule.Due, now: float, worker: int) -> float:
        """What it takes."""
        who = {"at": now, "worker": f"w{worker}", "attempt": 1}
        if isinstance(item, schedule.Evaluate):
            self.events.append({"kind": "child_started", "step": item.step, "slot": item.slot, **who})
            self._work[item] = MEAN_WORK * self._random.lognormvariate(-(self.spread**2) / 2, self.spread)
            return self._takes(self._work[item], 1.0)
        if isinstance(item, schedule.Retrain):
            self.events.append({"kind": "finalist_started", "rank": item.rank, **who})
            return self._takes(MEAN_WORK, 3.0)
        return UPDATE

    def _takes(self, work: float, times: float) -> float:
        chance = self._random.lognormvariate(-(self.chance**2) / 2, self.chance)
        return times * self.seconds * (0.2 + 0.8 * work / MEAN_WORK) * chance

    def _finish(self, item: schedule.Due, at: float) -> None:
        self._under_way.discard(item)
        if isinstance(item, schedule.Evaluate):
            told = {"step": item.step, "slot": item.slot, "at": at, "seconds": 0.0, "twin": None, "reason": None}
            self.events.append({"kind": "child_finished", "mult_adds": int(self._work[item]), **told})
            self._known[item.step][item.slot] = schedule.KnownChild("x", True, True)
        elif isinstance(item, schedule.Retrain):
            assert self._finals is not None
            self._finals = tuple(done or rank == item.rank for rank, done in enumerate(self._finals, 1))
            self.events.append(
                {"kind": "finalist_finished", "rank": item.rank, "at": at, "seconds": 0.0, "mult_adds": 1}
            )
        elif isinstance(item, schedule.Learn):
            self._learn(item.step, at)

    def _learn(self, step: int, at: float) -> None:
        if step >= 0:
            self._told = step
            self.events.append({"kind": "controller_updated", "step": step, "at": at})
        for drawn in range(step + 1, step + 2 + self.lookahead):
            size = min(self.step_size, self.children - drawn * self.step_size)
            if drawn not in self._known and size > 0:
                self._known[drawn] = {slot: schedule.KnownChild("x") for slot in range(size)}
                self.events.append({"kind": "drawn", "step": drawn, "size": size, "at": at})

    @property
    def _work(self) -> dict[schedule.Due, float]:
        return self.__dict__.setdefault("work", {})


_ID = __import__("uuid").UUID(int=1)
Event = Mapping[str, Any]
