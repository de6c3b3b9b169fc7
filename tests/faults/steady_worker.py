"""A worker to which nothing happens, for tests that need work done."""

from collections.abc import Sequence
from pathlib import Path

from tests.faults import fake_engine
from tests.faults.actors import KINDS, doing
from tests.faults.simulation import CALM, START, World
from webapp.searches import leases


def work_off(folder: Path, *, jobs: int | None = None, kinds: Sequence[str] = KINDS) -> int:
    """Do what is due of these kinds, at most so many jobs; how many were done. folder: for files."""
    folder.mkdir(parents=True, exist_ok=True)
    world = World(0, folder, fake_engine)
    world.now = START + CALM
    done = 0
    while done != jobs:
        claim = leases.claim("steady worker", kinds)
        if claim is None:
            return done
        for _ in doing(world, "steady worker", claim):
            """Time passes for nobody."""
        done += 1
    return done
