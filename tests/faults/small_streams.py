"""A small search of each method and a small training, for the fake engine, in a database."""

from typing import Any

from tests.faults import fake_engine, fake_shared
from tests.faults.small_world import training_config
from webapp.accounts.models import User
from webapp.searches import lifecycle
from webapp.searches.models import Stream

SHOWN: dict[str, Any] = {"decisions": fake_engine.DECISIONS, "data": fake_engine.DATA}
FIGURES: dict[str, Any] = {"data": fake_engine.DATA, "hash": "0" * 64, "parameters": 1, "mult_adds": 1}


def start(kind: str, *, train: int = 0, owner: User | None = None) -> Stream:
    """A search of one method, or a training with a bundle that is asked for later.

    train: how many candidates of shared weights are trained from scratch.
    """
    owner = owner or User.objects.create(name=f"owner of a {kind}")
    if kind == "search":
        config = fake_engine.small_config(children=3, step_size=2, finalists=1)
        return lifecycle.create_search(owner, config, **SHOWN)
    if kind == "shared search":
        shared = fake_shared.small_config(epochs=2, rounds=2, candidates=2, train=train)
        return lifecycle.create_search(owner, shared, **SHOWN)
    return lifecycle.start_training(owner, training_config(0), **FIGURES, for_meter=kind == "late bundle")
