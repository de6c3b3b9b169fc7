"""What the children of a search will be like, told from uniform draws before it starts."""

import random
from dataclasses import dataclass
from functools import lru_cache, partial

from search_engine import cost
from search_engine.architectures.cells import CellArchitecture
from search_engine.config.layout import LayoutConfig
from search_engine.config.recipe import RecipeConfig
from search_engine.config.search import SearchConfig
from search_engine.config.space import NasnetSpaceConfig
from search_engine.cost_rules import over_a_count
from search_engine.spaces.nasnet import NasnetSpace
from search_engine.training.trained_plan import trained_plan
from search_engine.training_speed import Work, work_of
from webapp.searches.datasets.described import describe

DRAWS = 200  # A third of a second for the paper's search, three seconds for stacks of twenty cells.


@dataclass(frozen=True, slots=True)
class Drawn:
    """One architecture as a network.

    trained_parameters, work: with the auxiliary head, where the recipe trains one; work is that of training.
    """

    parameters: int
    mult_adds: int
    trained_parameters: int
    work: Work


def drawn_children(config: SearchConfig) -> tuple[Drawn, ...]:
    """Uniform draws from the space, always the same for the same settings. Raises ConfigError for unknown data."""
    data = describe(config.data.name)
    # Of the recipe only what changes a network, so that the draws are kept while the rest is typed.
    sizes = RecipeConfig(
        batch_size=config.recipe.batch_size, auxiliary_weight=float(config.recipe.auxiliary_weight > 0)
    )
    screened = config.screening.drawn
    return _draw(config.space, config.child, sizes, data.channels, config.data.image_size, len(data.classes), screened)


@lru_cache(maxsize=64)
def _draw(
    space_config: NasnetSpaceConfig,
    layout: LayoutConfig,
    recipe: RecipeConfig,
    channels: int,
    image_size: int,
    classes: int,
    screened: int,
) -> tuple[Drawn, ...]:
    space = NasnetSpace(space_config)
    generator = random.Random(0)  # A fixed sample: an estimate that changes without a reason is not believed.
    trained = (_trained(space, generator, layout, image_size, screened) for _ in range(DRAWS))
    return tuple(_one(each, layout, recipe, channels, image_size, classes) for each in trained)


def _trained(
    space: NasnetSpace, generator: random.Random, layout: LayoutConfig, image_size: int, screened: int
) -> CellArchitecture:
    """One that is drawn, or the one of so many that is trained."""
    drawn = [
        space.decode([generator.randrange(len(decision.options)) for decision in space.decisions])
        for _ in range(screened)
    ]
    return drawn[0] if screened == 1 else max(drawn, key=partial(cost.child_parameters, layout, image_size))


def _one(
    architecture: CellArchitecture,
    layout: LayoutConfig,
    recipe: RecipeConfig,
    channels: int,
    image_size: int,
    classes: int,
) -> Drawn:
    trained = trained_plan(
        architecture, layout, recipe, image_channels=channels, image_size=image_size, classes=classes
    )
    used = trained.without_auxiliary()
    return Drawn(
        cost.parameters(used),
        cost.mult_adds(used),
        cost.parameters(trained),
        work_of(trained),
    )


def over_the_bounds(config: SearchConfig) -> int:
    """How many of the draws are over a bound on parameters or mult-adds; what a latency is, only a worker can tell."""
    bounds = config.bounds
    if not (bounds.parameters or bounds.mult_adds):
        return 0
    sized = config.data.model_copy(update={"image_size": bounds.image_size(config.data.image_size)})
    costed = config.model_copy(update={"child": bounds.layout(config.child), "data": sized})
    drawn = drawn_children(costed)
    return sum(over_a_count(bounds, each.parameters, each.mult_adds) is not None for each in drawn)
