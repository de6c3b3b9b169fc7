"""What there is to do in a simulated world, by its seed: small searches of both sorts, a training, and who acts."""

import random
from typing import TYPE_CHECKING

from search_engine.config.reading import read_config
from search_engine.config.training import TrainingConfig
from tests.faults import fake_engine, fake_shared
from tests.faults.actors import being_present, reconciling
from tests.faults.person import commanding
from webapp.accounts.models import User
from webapp.searches import lifecycle

if TYPE_CHECKING:
    from tests.faults.simulation import World

MOST_WORKERS = 3


def set_up(world: "World") -> None:
    """A search always; one with a bound and cost in its reward, one with shared weights and a training now and then."""
    choose = random.Random(f"set-up:{world.seed}")
    owner = User.objects.create(name=f"simulated {world.seed}")
    _start_search(world, owner, choose, 0)
    if choose.random() < 0.35:
        _start_search(world, owner, choose, 1)
    if choose.random() < 0.4:
        _start_shared_search(world, owner, choose)
    if choose.random() < 0.35:
        training = lifecycle.start_training(
            owner, training_config(world.seed), data=fake_engine.DATA, hash="0" * 64, parameters=1, mult_adds=1
        )
        world.names[training.pk] = "training"
    for number in range(choose.randint(1, MOST_WORKERS)):
        world.start_worker(f"worker {number}")
    for number in range(1 if choose.random() < 0.7 else 2):
        world.start(f"reconciler {number}", reconciling(world))
    world.start("person", commanding(world))
    world.start("presence", being_present(world), 5.0)
    world.harm.start()


def _start_search(world: "World", owner: User, choose: random.Random, number: int) -> None:
    config = world.engine.small_config(
        children=choose.randint(3, 7),
        step_size=choose.randint(1, 3),
        lookahead=choose.choice((0, 0, 1, 2)),
        reuse=choose.choice(("off", "copy")),
        epochs=choose.randint(1, 2),
        seed=world.seed * 10 + number,
        finalists=choose.choice((0, 0, 2)),
        bounded=number == 1,
    )
    search = lifecycle.create_search(
        owner, config, decisions=fake_engine.DECISIONS, data=fake_engine.DATA, priority=choose.randint(0, 1)
    )
    world.names[search.pk] = f"search {number}"
    world.now += 0.5


def _start_shared_search(world: "World", owner: User, choose: random.Random) -> None:
    config = fake_shared.small_config(
        epochs=choose.randint(1, 2), rounds=choose.randint(2, 3), train=choose.randint(0, 1), seed=world.seed
    )
    search = lifecycle.create_search(
        owner, config, decisions=fake_engine.DECISIONS, data=fake_engine.DATA, priority=choose.randint(0, 1)
    )
    world.names[search.pk] = "shared search"
    world.now += 0.5


def training_config(seed: int) -> TrainingConfig:
    architecture = fake_engine.decode((0, 1, 1)).to_json()
    return read_config(TrainingConfig, {"architecture": architecture, "recipe": {"epochs": 2 + seed % 3}})
