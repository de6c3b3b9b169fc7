import pytest

from search_engine.architectures.cell import Block, Cell
from search_engine.architectures.cells import CellArchitecture
from search_engine.catalogue.published import read_published
from search_engine.config.layout import LayoutConfig
from search_engine.config.recipe import RecipeConfig
from search_engine.cost import mult_adds, parameters
from search_engine.network_plan import plan
from search_engine.training.trained_plan import trained_plan

CELL = Cell((Block((0, 1), ("sep_conv_3x3", "max_pool_3x3"), "add"),), (2,))
SMALL = CellArchitecture(CELL, CELL)
SIZES = {"image_channels": 3, "image_size": 32, "classes": 10}


def of(architecture=SMALL, layout=LayoutConfig(normal_cells=1, filters=4), **recipe):  # noqa: B008 - a frozen value
    return trained_plan(architecture, layout, RecipeConfig(**recipe), **SIZES)


def test_the_default_recipe_trains_the_plan_itself():
    assert of() == plan(SMALL, LayoutConfig(normal_cells=1, filters=4), **SIZES)


def test_the_head_is_trained_along_and_counts_for_nothing_afterwards():
    nasnet_a, layout = read_published("nasnet-a").architecture, LayoutConfig(normal_cells=6)
    trained = of(nasnet_a, layout, auxiliary_weight=0.4, drop_path="time-and-depth")
    assert parameters(trained) == 4_978_036
    assert parameters(trained.without_auxiliary()) == 3_346_538
    assert mult_adds(trained.without_auxiliary()) == mult_adds(plan(nasnet_a, layout, **SIZES))


@pytest.mark.parametrize(("skeleton", "epsilon", "momentum"), [("cifar", 1e-5, 0.1), ("imagenet", 1e-3, 0.0003)])
def test_batch_norm_is_as_the_recipe_says_or_else_as_the_skeleton_does(skeleton, epsilon, momentum):
    layout = LayoutConfig(skeleton=skeleton, normal_cells=1, reductions=1, filters=8)
    own = trained_plan(SMALL, layout, RecipeConfig(), **SIZES)
    assert (own.batch_norm_epsilon, own.batch_norm_momentum) == (epsilon, momentum)
    recipe = RecipeConfig(batch_norm_epsilon=0.01, batch_norm_momentum=0.5)
    said = trained_plan(SMALL, layout, recipe, **SIZES)
    assert (said.batch_norm_epsilon, said.batch_norm_momentum) == (0.01, 0.5)
