"""A real trainer in which some children go wrong, for real.

    python -m tests.faults.bad_trainer PLAN FOLDER --spool ...

PLAN: JSON, "step.slot" of a child to what goes wrong. nan: a weight is no number. memory: its network is too large for
the memory that the process may have. crash: the process gets SIGSEGV. hang: it waits for ever. An entry such as
"hang 2" goes wrong twice and is well then. FOLDER: where it is noted how often each went wrong.
"""

import json
import os
import resource
import signal
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import torch

from search_engine import trainer
from search_engine.evaluators.standalone import StandaloneEvaluator
from search_engine.strategies.base import Proposal

MEMORY = 4 * 1024**3  # Bytes beyond what the process has once PyTorch is loaded.
FILTERS = 200_000  # A 1x1 convolution between so many channels has 160 GB of weights.
HANGS = "hangs"  # The file that says that it hangs now.


def main(arguments: list[str]) -> None:
    plan, folder = json.loads(arguments[0]), Path(arguments[1])
    limit = psutil.Process().memory_info().vms + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    make_bad(plan, folder)
    trainer.main(arguments[2:])


def make_bad(plan: dict[str, str], folder: Path) -> None:
    """Have the evaluator do to the children of the plan what is said there."""
    build, lay = StandaloneEvaluator._build, StandaloneEvaluator._plan

    def plan_or_worse(self: StandaloneEvaluator, proposal: Proposal) -> Any:
        harm = due(plan, proposal, folder)
        if harm == "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        if harm == "hang":
            (folder / HANGS).touch()
            time.sleep(3600)
        if harm == "memory":
            self._config = self._config.model_copy(
                update={"child": self._config.child.model_copy(update={"filters": FILTERS})}
            )
        return lay(self, proposal)

    def build_or_worse(self: StandaloneEvaluator, child_plan: Any, proposal: Proposal) -> Any:
        trainee = build(self, child_plan, proposal)
        if plan.get(f"{proposal.step}.{proposal.slot}") == "nan":
            with torch.no_grad():
                next(iter(trainee.network.parameters())).fill_(float("nan"))
        return trainee

    StandaloneEvaluator._plan = plan_or_worse  # type: ignore[method-assign]
    StandaloneEvaluator._build = build_or_worse  # type: ignore[method-assign]


def due(plan: dict[str, str], proposal: Proposal, folder: Path) -> str:
    """What goes wrong with this child now; it is noted before it does."""
    place = f"{proposal.step}.{proposal.slot}"
    harm, _, times = plan.get(place, "").partition(" ")
    noted = folder / f"{harm} of {place}"
    done = len(noted.read_bytes()) if noted.exists() else 0
    if not harm or (times and done >= int(times)):
        return ""
    noted.write_bytes(b"x" * (done + 1))
    return harm


if __name__ == "__main__":
    main(sys.argv[1:])
