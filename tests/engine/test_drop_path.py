import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from search_engine.architectures.cell import Block, Cell
from search_engine.architectures.cells import CellArchitecture
from search_engine.catalogue.published import read_published
from search_engine.config.layout import LayoutConfig
from search_engine.config.recipe import RecipeConfig
from search_engine.network_plan import plan
from search_engine.networks.plan_network import Dropped, PlanNetwork
from search_engine.seeds import Seeds
from search_engine.training.drop_path import Dropping, keep_probability

CPU = torch.device("cpu")
BY_DEPTH = RecipeConfig(drop_path="time-and-depth", drop_path_keep=0.6)
BY_TIME = RecipeConfig(drop_path="time", drop_path_keep=0.6)
CELL = Cell(
    (
        Block((0, 1), ("sep_conv_3x3", "identity"), "add"),
        Block((1, 1), ("avg_pool_3x3", "avg_pool_3x3"), "add"),
        Block((2, 0), ("conv_1x1", "max_pool_3x3"), "concat"),
    ),
    (3, 4),
)
LAYOUT = LayoutConfig(normal_cells=1, reductions=1, filters=4)
EDGES = 5  # Of the six operations of a cell, one is the identity.


def plan_of(cell=CELL, layout=LAYOUT, **options):
    return plan(CellArchitecture(cell, cell), layout, image_channels=1, image_size=8, classes=10, **options)


def network_of(network_plan):
    return PlanNetwork(network_plan, generator=torch.Generator().manual_seed(1))


def drawn(recipe, *, epoch=3, number=7, done=1.0, images=6, seed=1):
    return Dropping(plan_of(drop_path=True), recipe).draw(
        Seeds(seed, (4, 2)), epoch, number, done=done, images=images, device=CPU
    )


@pytest.mark.parametrize(("t", "c", "keep"), [(0, 0, 1), (0, 19, 1), (0.5, 9, 0.9), (1, 19, 0.6), (1.5, 19, 0.6)])
def test_the_probability_to_keep_falls_by_time_and_depth(t, c, keep):
    assert keep_probability(t, (c + 1) / 20, BY_DEPTH) == pytest.approx(keep)


@pytest.mark.parametrize(("t", "keep"), [(0, 1), (0.25, 0.9), (0.5, 0.8), (1, 0.6), (2, 0.6)])
def test_by_time_alone_every_cell_is_like_the_last(t, keep):
    assert [keep_probability(t, (c + 1) / 20, BY_TIME) for c in (0, 9, 19)] == pytest.approx([keep] * 3)


@given(st.floats(0, 3), st.floats(0.01, 1), st.floats(0.01, 1))
def test_a_probability_to_keep_lies_between_the_last_one_and_one(done, depth, last):
    for kind in ("time", "time-and-depth"):
        recipe = RecipeConfig(drop_path=kind, drop_path_keep=last)
        assert last - 1e-9 <= keep_probability(done, depth, recipe) <= 1


@pytest.mark.parametrize(
    ("layout", "size", "cells"),
    [
        (LayoutConfig(normal_cells=6, filters=32), 32, 20),
        (LayoutConfig(skeleton="imagenet", normal_cells=4, filters=44), 224, 16),
        (LayoutConfig(skeleton="imagenet", normal_cells=6, filters=168, stem_filters=96), 331, 22),
    ],
)
def test_the_cells_count_with_reductions_and_those_of_the_stem(layout, size, cells):
    nasnet_a = read_published("nasnet-a").architecture
    network = plan(nasnet_a, layout, image_channels=3, image_size=size, classes=10, drop_path=True)
    depths = {layer.depth for layer in network.layers if layer.kind == "drop_path"}
    assert sorted(depths) == pytest.approx([(c + 1) / cells for c in range(cells)])


def test_every_operation_but_the_identity_may_be_dropped_pools_too():
    layers = plan_of(drop_path=True).layers
    for cell in ("cell_0", "reduction_0", "cell_1"):
        edges = [layer.name for layer in layers if layer.kind == "drop_path" and layer.name.startswith(f"{cell}.")]
        sides = ("block_0.left", "block_1.left", "block_1.right", "block_2.left", "block_2.right")
        assert edges == [f"{cell}.{side}.drop_path" for side in sides]


def test_without_drop_path_the_plan_is_the_same_without_these_layers():
    with_paths, without = plan_of(drop_path=True), plan_of()
    assert not any(layer.kind == "drop_path" for layer in without.layers)
    assert [layer.name for layer in with_paths.layers if layer.kind != "drop_path"] == [
        layer.name for layer in without.layers
    ]
    assert with_paths.parameter_shapes() == without.parameter_shapes()


def test_what_is_drawn_is_zero_or_one_over_the_probability_to_keep():
    dropped = drawn(BY_DEPTH, images=2000)
    assert dropped.paths.shape == (3 * EDGES, 2000) and dropped.features is None
    for row, scales in enumerate(dropped.paths):
        keep = 1 - (row // EDGES + 1) / 3 * 0.4
        assert sorted(scales.unique().tolist()) == pytest.approx([0, 1 / keep])
        assert scales.mean().item() == pytest.approx(1, abs=0.1)  # Four deviations of 2,000 draws are 0.07.


def test_at_the_start_nothing_is_dropped():
    assert (drawn(BY_DEPTH, done=0.0).paths == 1).all()


def test_a_draw_depends_on_seed_epoch_and_batch_alone():
    recipe = BY_TIME.model_copy(update={"dropout_keep": 0.5})
    first, again = drawn(recipe, images=64), drawn(recipe, images=64)
    assert torch.equal(first.paths, again.paths) and torch.equal(first.features, again.features)
    for other in ({"seed": 2}, {"epoch": 4}, {"number": 8}):
        different = drawn(recipe, images=64, **other)
        assert not torch.equal(first.paths, different.paths) and not torch.equal(first.features, different.features)


def test_dropout_scales_each_input_of_the_last_layer():
    features = drawn(RecipeConfig(dropout_keep=0.5), images=500).features
    assert features.shape == (500, 16) and set(features.unique().tolist()) == {0.0, 2.0}
    assert features.mean().item() == pytest.approx(1, abs=0.06)


def test_a_recipe_that_drops_nothing_draws_nothing():
    assert drawn(RecipeConfig()) is None


# What the network does with it.


def single_edge():
    """A network in double precision whose three cells have one operation to drop, on the left of an addition."""
    cell = Cell((Block((0, 1), ("conv_3x3", "identity"), "add"),), (2,))
    return network_of(plan_of(cell, drop_path=True)).double().eval()


def inputs_of_head(network, images, paths):
    """What the last layer reads, [B, C]: of the last cell's addition, behind ReLU, the mean of each channel."""
    seen = []
    hook = network.get_submodule("head.linear").register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    network.both_logits(images, None if paths is None else Dropped(paths=paths))
    hook.remove()
    return seen[0].flatten(1).detach()


def test_ones_change_nothing_and_zeros_leave_the_identity():
    network = single_edge()
    images = torch.randn(4, 1, 8, 8, dtype=torch.float64)
    ones = torch.ones(3, 4)
    assert torch.equal(inputs_of_head(network, images, ones), inputs_of_head(network, images, None))
    last_dropped = ones.clone()
    last_dropped[2] = 0
    dropped = inputs_of_head(network, images, last_dropped)
    silent = network.get_submodule("cell_1.block_0.left.batch_norm")
    silent.weight.data.zero_()  # Without scale and shift the operation gives zeros, and only the identity is left.
    silent.bias.data.zero_()
    assert torch.equal(dropped, inputs_of_head(network, images, None))


def test_the_expectation_of_a_dropped_value_is_the_value():
    """0.6 of all draws keep it with weight 1 / 0.6, and 0.4 drop it."""
    network = single_edge()
    edge = network._drop_paths["cell_1.block_0.left.drop_path"]
    value = torch.randn(4, 8, 4, 4, dtype=torch.float64)
    outcomes = {}
    for scale in (0.0, 1 / 0.6):
        edge.scale = torch.full((4, 1, 1, 1), scale, dtype=torch.float64)
        outcomes[scale] = edge(value)
    assert torch.allclose(0.6 * outcomes[1 / 0.6] + 0.4 * outcomes[0.0], value, rtol=1e-12)
    edge.scale = None
    assert edge(value) is value


def test_each_image_is_dropped_by_itself():
    network = single_edge()
    images = torch.randn(4, 1, 8, 8, dtype=torch.float64)
    kept = inputs_of_head(network, images, None)
    paths = torch.ones(3, 4)
    paths[:, 2] = 0
    dropped = inputs_of_head(network, images, paths)
    assert torch.equal(dropped[[0, 1, 3]], kept[[0, 1, 3]]) and not torch.equal(dropped[2], kept[2])


def test_evaluation_drops_nothing_and_is_deterministic():
    network = network_of(plan_of(drop_path=True)).eval()
    plain = network_of(plan_of()).eval()
    images = torch.randn(4, 1, 8, 8)
    before = network(images)
    with torch.no_grad():
        network.both_logits(images, drawn(BY_TIME, images=4))
    assert torch.equal(network(images), before) and torch.equal(plain(images), before)


def test_a_dropped_value_stays_in_channels_last_memory():
    network = network_of(plan_of(drop_path=True))
    edge = network._drop_paths["cell_0.block_0.left.drop_path"]
    edge.scale = torch.ones(6, 1, 1, 1)
    value = torch.randn(6, 4, 8, 8).contiguous(memory_format=torch.channels_last)
    assert edge(value).is_contiguous(memory_format=torch.channels_last)


def test_dropout_reaches_the_last_layer_only():
    network = network_of(plan_of()).eval()
    images = torch.randn(4, 1, 8, 8)
    logits, _ = network.both_logits(images, Dropped(features=torch.zeros(4, 16)))
    assert torch.equal(logits, network.get_parameter("head.linear.bias").expand(4, 10))
    doubled, _ = network.both_logits(images, Dropped(features=torch.full((4, 16), 2.0)))
    assert torch.allclose(doubled, 2 * network(images), rtol=1e-4, atol=1e-6)  # The bias starts at zero.
