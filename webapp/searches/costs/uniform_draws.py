"""What the children of a search will be like, told from uniform draws before it starts."""

import random
from dataclasses import dataclass
from functools import lru_cache

from search_engine import cost
from search_engine.config.layout import LayoutConfig
from search_engine.config.search import SearchConfig
from search_engine.config.space import NasnetSpaceConfig
from search_engine.data.descriptions import describe
from search_engine.network_plan import plan
from search_engine.spaces.nasnet import NasnetSpace

DRAWS = 200  # A third of a second for the paper's search, three seconds for stacks of twenty cells.


@dataclass(frozen=True, slots=True)
class Drawn:
    """One architecture as a network. activation_bytes: for a training batch."""

    parameters: int
    mult_adds: int
    activation_bytes: int


def drawn_children(config: SearchConfig) -> tuple[Drawn, ...]:
    """Uniform draws from the space, always the same for the same settings. Raises ConfigError for unknown data."""
    data = describe(config.data.name)
    return _draw(
        config.space, config.child, data.channels, config.data.image_size, len(data.classes), config.recipe.batch_size
    )


@lru_cache(maxsize=64)
def _draw(
    space_config: NasnetSpaceConfig, layout: LayoutConfig, channels: int, image_size: int, classes: int, batch_size: int
) -> tuple[Drawn, ...]:
    space = NasnetSpace(space_config)
    generator = random.Random(0)  # A fixed sample: an estimate that changes without a reason is not believed.
    return tuple(_one(space, generator, layout, channels, image_size, classes, batch_size) for _ in range(DRAWS))


def _one(
    space: NasnetSpace,
    generator: random.Random,
    layout: LayoutConfig,
    channels: int,
    image_size: int,
    classes: int,
    batch_size: int,
) -> Drawn:
    architecture = space.decode([generator.randrange(len(decision.options)) for decision in space.decisions])
    network = plan(architecture, layout, image_channels=channels, image_size=image_size, classes=classes)
    return Drawn(cost.parameters(network), cost.mult_adds(network), cost.activation_bytes(network, batch_size))
