"""A small search with children and a training, as rows, for the tests of API and pages."""

import random
from typing import Any

from search_engine import cost
from search_engine.config.budget import BudgetConfig
from search_engine.config.search import SearchConfig
from search_engine.data.descriptions import describe
from search_engine.events import EpochEnded
from search_engine.presets import DEMO
from search_engine.spaces.nasnet import NasnetSpace
from search_engine.training_start import training_defaults
from webapp.searches import clock, event_log
from webapp.searches.models import Child, Search, Training, Worker
from webapp.searches.start import network_of, start_search, start_training

# The demo with 120 children, so that figures worked by hand stay right when the preset is tuned.
CONFIG: SearchConfig = DEMO.config.model_copy(update={"budget": BudgetConfig(children=120)})


def demo_json(**changes: Any) -> dict[str, Any]:
    """The demo's configuration as a form would send it. changes: whole parts, merged into its own."""
    config = CONFIG.model_dump(mode="json")
    for part, values in changes.items():
        config[part] = config[part] | values if isinstance(values, dict) else values
    return config


def a_search(owner: Any, *, children: int = 0, name: str = "Two-minute demo") -> Search:
    """A search of the demo's settings with so many finished children, rewards .50, .51, ... in a mixed order."""
    search = start_search(owner, CONFIG.model_copy(update={"name": name}))
    generator = random.Random(1)
    space, data = NasnetSpace(CONFIG.space), describe(CONFIG.data.name)
    rewards = [0.5 + index / 100 for index in range(children)]
    generator.shuffle(rewards)
    for index, reward in enumerate(rewards):
        step, slot = divmod(index, CONFIG.strategy.step_size)
        decisions = [generator.randrange(len(decision.options)) for decision in space.decisions]
        architecture = space.decode(decisions)
        network = network_of(architecture, CONFIG.child, data, CONFIG.data.image_size)
        Child.objects.create(
            search=search, step=step, slot=slot, decisions=decisions, architecture=architecture.to_json(),
            hash=architecture.hash, log_probability=-20.5, is_final=True, reward=reward,
            parameters=cost.parameters(network), mult_adds=cost.mult_adds(network), seconds=1.0 + index,
        )  # fmt: skip
        event_log.append(search.pk, [EpochEnded(step=step, slot=slot, epoch=1, epochs=1, loss=1.25, accuracy=reward,
                                                learning_rate=0.1, seconds=1.0)])  # fmt: skip
    return search


def a_training(owner: Any, search: Search) -> Training:
    """A training of the first child of this search, with the form's defaults."""
    child = search.children.order_by("step", "slot").first()
    assert child is not None
    architecture = NasnetSpace(CONFIG.space).decode(child.decisions)
    return start_training(owner, training_defaults(CONFIG, architecture, images=10_000), child)


def a_worker(name: str = "core-0", *, rate: float = 1e9, seconds_ago: float = 0.0) -> Worker:
    """A worker that trains at `rate` mult-adds a second, whatever the size of the network."""
    speed = [0.0, 1 / rate, 0.0]
    return Worker.objects.create(name=name, host="here", device="cpu", speed=speed, seen=clock.now() - seconds_ago)
