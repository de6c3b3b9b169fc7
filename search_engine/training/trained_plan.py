"""The network as a recipe trains it."""

from dataclasses import replace

from search_engine.architectures.reading import Architecture
from search_engine.config.layout import Layout
from search_engine.config.recipe import RecipeConfig
from search_engine.network_plan import NetworkPlan, plan


def trained_plan(
    architecture: Architecture,
    layout: Layout,
    recipe: RecipeConfig,
    *,
    image_channels: int,
    image_size: int,
    classes: int,
) -> NetworkPlan:
    """The plan of an architecture with what the recipe wants: auxiliary head, drop paths, constants of batch norm.

    `without_auxiliary` of it is the network as it is scored, counted and kept. Raises as `plan` does.
    """
    network = plan(
        architecture,
        layout,
        image_channels=image_channels,
        image_size=image_size,
        classes=classes,
        auxiliary=recipe.auxiliary_weight > 0,
        drop_path=recipe.drop_path != "off",
    )
    return replace(
        network,
        batch_norm_epsilon=recipe.batch_norm_epsilon or network.batch_norm_epsilon,
        batch_norm_momentum=recipe.batch_norm_momentum or network.batch_norm_momentum,
    )
