"""Does the two-minute demo learn? Whole demos over several seeds, each with two trainer processes as on two cores.

`python -m benchmarks.demo_learns` prints JSON: per seed the mean reward of the first and of the last quarter of the
children, their difference in standard errors, the entropy of the policy at both ends, and the seconds it took.
"""

import json
import math
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from search_engine.config.search import SearchConfig
from search_engine.presets import DEMO

SEEDS = (1, 2, 3, 4, 5)
WORKERS = 2
WANTED_STANDARD_ERRORS = 3.0

Message = dict[str, Any]


def measure(config: SearchConfig = DEMO.config, seeds: tuple[int, ...] = SEEDS) -> Message:
    """{"seeds": [...], "learned": how many seeds rose by WANTED_STANDARD_ERRORS or more}."""
    with tempfile.TemporaryDirectory() as spool:
        trainers: SimpleQueue[_Trainer] = SimpleQueue()
        for _ in range(WORKERS):
            trainers.put(_Trainer(Path(spool)))
        found = [_measure_seed(_with_seed(config, seed), trainers, Path(spool)) for seed in seeds]
        while not trainers.empty():
            trainers.get().end()
    return {"seeds": found, "learned": sum(seed["standard_errors"] >= WANTED_STANDARD_ERRORS for seed in found)}


def _with_seed(config: SearchConfig, seed: int) -> SearchConfig:
    return config.model_copy(update={"reproducibility": config.reproducibility.model_copy(update={"seed": seed})})


def _measure_seed(config: SearchConfig, trainers: "SimpleQueue[_Trainer]", spool: Path) -> Message:
    started = time.monotonic()
    rewards, entropies = _search(config, trainers, spool)
    seconds = time.monotonic() - started
    quarter = len(rewards) // 4
    first, last = rewards[:quarter], rewards[-quarter:]
    error = math.sqrt((statistics.variance(first) + statistics.variance(last)) / quarter)
    gain = statistics.mean(last) - statistics.mean(first)
    result = {
        "seed": config.reproducibility.seed,
        "first_quarter": statistics.mean(first),
        "last_quarter": statistics.mean(last),
        "standard_errors": gain / error,
        "first_entropy": entropies[0],
        "last_entropy": entropies[-1],
        "best": max(rewards),
        "seconds": seconds,
    }
    print(json.dumps(result), file=sys.stderr, flush=True)
    return result


def _search(config: SearchConfig, trainers: "SimpleQueue[_Trainer]", spool: Path) -> tuple[list[float], list[float]]:
    """(rewards in the order of the children, entropies by step) of one search."""

    def do(request: Message) -> list[Message]:
        trainer = trainers.get()
        messages = trainer.do({"config": config.model_dump(mode="json")} | request)
        trainers.put(trainer)
        return messages

    def evaluate(proposal: Message) -> Message:
        place = {"step": proposal["step"], "slot": proposal["slot"], "decisions": proposal["decisions"]}
        verdict: Message = do({"do": "evaluate", "checkpoint": None} | place)[-2]["event"]
        return verdict

    rewards: list[float] = []
    entropies: list[float] = []
    learn: Message = {"do": "learn", "step": -1, "state": None, "fingerprint": "", "evaluations": []}
    with ThreadPoolExecutor(WORKERS) as pool:
        while True:
            *messages, end = do(learn)
            drawn = [m["event"] for m in messages if m["event"]["kind"] == "step_proposed"]
            if not drawn:
                return rewards, entropies
            step = drawn[0]["step"]
            verdicts = list(pool.map(evaluate, [{"step": step} | proposal for proposal in drawn[0]["proposals"]]))
            rewards.extend(verdict["reward"] for verdict in verdicts)
            entropies.append(drawn[0]["entropy"])
            learn = {"do": "learn", "step": step, "state": str(spool / end["done"]["state"]), "fingerprint": "",
                     "evaluations": verdicts}  # fmt: skip


class _Trainer:
    """A trainer process."""

    def __init__(self, spool: Path) -> None:
        command = [sys.executable, "-m", "search_engine.trainer", "--spool", str(spool)]
        self._process = subprocess.Popen(
            [*command, "--threads", "1", "--device", "cpu"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def do(self, request: Message) -> list[Message]:
        """All messages of a job but progress."""
        assert self._process.stdin is not None and self._process.stdout is not None
        print(json.dumps(request), file=self._process.stdin, flush=True)
        messages: list[Message] = []
        for line in self._process.stdout:
            message = json.loads(line)
            if "progress" not in message:
                messages.append(message)
                if "event" not in message:
                    break
        if not messages or "done" not in messages[-1]:
            raise RuntimeError(f"the trainer could not do its job: {messages[-1:]}")
        return messages

    def end(self) -> None:
        with self._process:
            self._process.kill()


if __name__ == "__main__":
    print(json.dumps(measure(), indent=1))
