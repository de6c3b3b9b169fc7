import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search_engine.architectures.cell import OPERATIONS, Block, Cell
from search_engine.architectures.cells import CellArchitecture
from search_engine.catalogue.published import read_published
from search_engine.config.layout import LayoutConfig
from search_engine.config.space import NasnetSpaceConfig
from search_engine.cost import parameters
from search_engine.errors import ArchitectureError, ConfigError
from search_engine.layers import IMAGE, LayerList
from search_engine.network_plan import plan
from search_engine.operations import factorized_reduction
from search_engine.skeletons import smallest_image
from search_engine.spaces.nasnet import NasnetSpace

RELEASED = read_published("nasnet-a").architecture
SPACES = {blocks: NasnetSpace(NasnetSpaceConfig(blocks=blocks)) for blocks in range(1, 5)}
WITH_WEIGHTS = {"conv", "batch_norm", "linear"}


def planned(architecture, *, size=32, classes=10, channels=3, auxiliary=False, cells=1, filters=8, **layout):
    layout = LayoutConfig(normal_cells=cells, filters=filters, **layout)
    return plan(architecture, layout, image_channels=channels, image_size=size, classes=classes, auxiliary=auxiliary)


def of_cells(*blocks, concat=None):
    concat = concat or Cell(tuple(blocks), ()).loose_ends()
    return CellArchitecture(Cell(tuple(blocks), concat), Cell(tuple(blocks), concat))


def one_operation(operation, state=0, combination="add"):
    return of_cells(Block((state, state), (operation, operation), combination))


def named(network):
    return {layer.name: layer for layer in network.layers}


def shape_after(network, cell):
    """Shape of the output of a cell, which is its last layer that has a place in it."""
    own = [layer for layer in network.layers if layer.name == f"{cell}.concat"]
    return own[0].shape


def test_shapes_of_6_at_768_are_those_of_the_released_code():
    network = planned(RELEASED, cells=6, filters=32)
    layers = named(network)
    assert layers["stem.batch_norm"].shape == (96, 32, 32)
    expected = {
        **{f"cell_{index}": (192, 32, 32) for index in range(6)},
        "reduction_0": (256, 16, 16),
        **{f"cell_{index}": (384, 16, 16) for index in range(6, 12)},
        "reduction_1": (512, 8, 8),
        **{f"cell_{index}": (768, 8, 8) for index in range(12, 18)},
    }
    assert {cell: shape_after(network, cell) for cell in expected} == expected
    assert layers["head.linear"].in_channels == 768
    assert layers[network.output].shape == (10, 1, 1)


def test_the_auxiliary_head_stands_before_the_second_reduction():
    network = planned(RELEASED, cells=6, filters=32, auxiliary=True)
    layers = named(network)
    pool = layers["cell_11.concat.relu.avg_pool_5x5_stride_3"]
    assert (pool.shape, pool.padding) == ((384, 4, 4), (0, 0, 0, 0))
    assert layers["auxiliary.second.conv"].kernel == (4, 4)
    assert layers["auxiliary.second.conv"].shape == (768, 1, 1)
    assert network.auxiliary_output == "auxiliary.linear"


def test_one_reduction_has_no_auxiliary_head():
    network = planned(RELEASED, reductions=1, auxiliary=True)
    assert network.auxiliary_output is None
    assert network == planned(RELEASED, reductions=1)


def test_the_number_of_reductions_makes_the_number_of_stacks():
    network = planned(RELEASED, cells=2, reductions=3, filters=2, size=16)
    cells = {layer.name.split(".")[0] for layer in network.layers}
    assert cells == {"stem", "head", *(f"cell_{i}" for i in range(8)), *(f"reduction_{i}" for i in range(3))}
    assert shape_after(network, "cell_7") == (6 * 16, 2, 2)


def test_a_separable_convolution_is_applied_twice_and_only_the_first_strides():
    layers = named(planned(of_cells(Block((0, 1), ("sep_conv_5x5", "sep_conv_5x5"), "add")), filters=8))
    side = "reduction_0.block_0.left"
    first, second = layers[f"{side}.first.depthwise"], layers[f"{side}.second.depthwise"]
    assert (first.kernel, first.stride, first.padding, first.groups) == ((5, 5), (2, 2), (1, 2, 1, 2), 16)
    assert (second.kernel, second.stride, second.padding, second.groups) == ((5, 5), (1, 1), (2, 2, 2, 2), 16)
    assert layers[f"{side}.first.pointwise"].inputs == (first.name,)
    stem_side = layers["cell_0.block_0.right.first.depthwise"]
    assert (stem_side.shape[0], stem_side.groups) == (24, 24)  # The first depthwise keeps the stem's channels.


def test_row_then_column_stride_each_along_its_own_direction():
    layers = named(planned(one_operation("conv_1x7_7x1")))
    row, column = (layers[f"reduction_0.block_0.left.{part}.conv"] for part in ("first", "second"))
    assert (row.kernel, row.stride, row.padding, row.shape) == ((1, 7), (1, 2), (0, 0, 2, 3), (16, 32, 16))
    assert (column.kernel, column.stride, column.padding, column.shape) == ((7, 1), (2, 1), (2, 3, 0, 0), (16, 16, 16))


def test_the_dilated_convolution_reaches_five_pixels():
    layer = named(planned(one_operation("dilated_conv_3x3")))["cell_0.block_0.left.conv"]
    assert (layer.kernel, layer.dilation, layer.padding, layer.groups) == ((3, 3), 2, (2, 2, 2, 2), 1)


def test_a_pool_of_a_state_with_other_channels_is_fitted_without_relu():
    layers = named(planned(one_operation("max_pool_3x3", state=1)))
    fit = layers["cell_0.block_0.left.conv"]
    assert fit.inputs == ("stem.batch_norm.max_pool_3x3",)
    assert layers["cell_0.block_0.left.batch_norm"].inputs == (fit.name,)


def test_identity_is_a_strided_convolution_where_it_must_change_the_shape_and_nothing_elsewhere():
    layers = named(planned(of_cells(Block((0, 0), ("identity", "identity"), "add"))))
    assert layers["cell_0.block_0.add"].inputs == ("cell_0.current.batch_norm",) * 2
    assert layers["reduction_0.block_0.left.conv"].stride == (2, 2)
    stem = named(planned(one_operation("identity", state=1)))["cell_0.block_0.left.conv"]
    assert (stem.in_channels, stem.inputs, stem.stride) == (24, ("stem.batch_norm.relu",), (1, 1))


def test_blocks_of_a_reduction_cell_halve_only_what_reads_its_inputs():
    blocks = Block((0, 1), ("conv_3x3", "conv_3x3"), "add"), Block((2, 0), ("conv_3x3", "conv_3x3"), "add")
    layers = named(planned(of_cells(*blocks)))
    assert layers["reduction_0.block_0.right.conv"].stride == (2, 2)
    assert layers["reduction_0.block_1.left.conv"].stride == (1, 1)
    assert layers["reduction_0.block_1.right.conv"].stride == (2, 2)


def test_a_concatenating_block_is_fitted_back_to_the_filters_of_its_cell():
    layers = named(planned(one_operation("conv_1x1", combination="concat")))
    joined = layers["cell_0.block_0.concat"]
    assert joined.shape[0] == 16
    fit = layers["cell_0.block_0.fit.conv"]
    assert (fit.inputs, fit.kernel, fit.shape[0]) == ((f"{joined.name}.relu",), (1, 1), 8)


@pytest.mark.parametrize("size", [7, 8, 31, 32])
def test_a_factorized_reduction_reads_even_and_odd_pixels_of_any_size(size):
    layers = LayerList((3, size, size))
    even, odd = (layers.subsample(IMAGE, is_shifted=is_shifted) for is_shifted in (False, True))
    assert layers.shape(even) == layers.shape(odd) == (3, math.ceil(size / 2), math.ceil(size / 2))
    shifted = {layer.name: layer for layer in layers.needed_for([odd])}[odd]
    assert shifted.padding == (-1, size % 2, -1, size % 2)  # The last pixel of an odd size is padding.


def test_the_input_before_a_reduction_is_reduced_for_the_cell_behind_it():
    layers = named(planned(RELEASED))
    reduced = layers["cell_1.previous.even"]
    assert reduced.inputs == ("cell_0.concat.relu.subsample",)
    assert layers["cell_1.previous.odd"].inputs == ("cell_0.concat.relu.subsample_shifted",)
    assert layers["cell_1.previous.concat"].inputs == ("cell_1.previous.even", "cell_1.previous.odd")


def test_a_previous_input_that_fits_is_left_alone():
    network = planned(one_operation("avg_pool_3x3", state=1), cells=3)
    layers = named(network)
    assert "cell_2.previous.conv" not in layers  # cell_0 has one loose end, so its output has the filters already.
    assert layers["cell_0.block_0.add.avg_pool_3x3"].inputs == ("cell_0.block_0.add",)


def test_cells_that_nothing_reads_are_not_in_the_plan():
    # Every cell reads only the cell before the previous one, so every second cell is dead, here the reduction too.
    network = planned(one_operation("conv_1x1", state=1), cells=3, reductions=1)
    cells = [*dict.fromkeys(layer.name.split(".")[0] for layer in network.layers)]
    assert cells == ["stem", "cell_0", "cell_2", "cell_3", "cell_5", "head"]
    layers = named(network)
    assert layers["cell_3.previous.even"].inputs == ("cell_2.block_0.add.relu.subsample",)
    assert "cell_3.current.conv" not in layers
    assert layers["cell_5.block_0.add"].shape == (16, 16, 16)


def test_equal_layers_without_weights_exist_once():
    blocks = (
        Block((0, 0), ("conv_3x3", "max_pool_3x3"), "add"),
        Block((0, 0), ("conv_1x1", "max_pool_3x3"), "add"),
        Block((0, 1), ("avg_pool_3x3", "max_pool_5x5"), "add"),
    )
    network = planned(of_cells(*blocks))
    single = [layer for layer in network.layers if layer.kind not in WITH_WEIGHTS and len(layer.inputs) == 1]
    assert len({(x.kind, x.inputs, x.kernel, x.stride, x.padding) for x in single}) == len(single)
    assert sum(layer.inputs == ("cell_0.current.batch_norm.relu",) for layer in network.layers) == 2


def test_an_explicit_concatenation_is_joined_in_its_order_and_matched_in_shape():
    network = planned(RELEASED)
    layers = named(network)
    assert layers["cell_0.concat"].inputs[0] == "cell_0.match_1.batch_norm"
    assert layers["cell_0.match_1.conv"].inputs == ("stem.batch_norm",)  # No ReLU before this one.
    block = Block((0, 0), ("conv_3x3", "conv_3x3"), "add")
    layers = named(planned(of_cells(block, concat=(0, 1, 2))))
    assert layers["reduction_0.match_0.even"].inputs == ("reduction_0.current.batch_norm.subsample",)
    assert layers["reduction_0.concat"].shape == (48, 16, 16)


@st.composite
def networks(draw):
    space = SPACES[draw(st.integers(1, 4))]
    architecture = space.decode([draw(st.integers(0, len(each.options) - 1)) for each in space.decisions])
    reductions = draw(st.integers(1, 3))
    skeleton = draw(st.sampled_from(["cifar", "imagenet"]))
    smallest = smallest_image(LayoutConfig(skeleton=skeleton, reductions=reductions))
    options = {
        "skeleton": skeleton,
        "previous_after_reduction": draw(st.sampled_from(["one-before", "two-before"])),
        "cells": draw(st.integers(1, 3)),
        "reductions": reductions,
        "filters": (2 if skeleton == "cifar" else 4) * draw(st.integers(1, 4)),
        "size": draw(st.integers(smallest, smallest + 40)),
        "channels": draw(st.sampled_from([1, 3])),
        "classes": draw(st.integers(1, 20)),
    }
    return architecture, options


@given(networks(), st.booleans())
@settings(deadline=None)
def test_every_plan_is_whole(drawn, auxiliary):
    architecture, options = drawn
    heights = heights_of(options)
    has_head = auxiliary and options["reductions"] >= 2 and heights[1] >= 5
    network = planned(architecture, **options, auxiliary=has_head)
    shapes, readers = {IMAGE: network.image}, set()
    for layer in network.layers:
        assert layer.name not in shapes, "a name is used twice"
        assert set(layer.inputs) <= set(shapes), "an input comes later"
        assert layer.shape == expected_shape(layer, [shapes[name] for name in layer.inputs]), layer
        assert layer.in_channels == shapes[layer.inputs[0]][0]
        assert bool(layer.parameter_shapes()) == (layer.kind in WITH_WEIGHTS)
        readers.update(layer.inputs)
        shapes[layer.name] = layer.shape
    outputs = {network.output, network.auxiliary_output} - {None}
    assert set(shapes) - readers == outputs, "something is dead"
    assert all(shapes[name] == (options["classes"], 1, 1) for name in outputs)
    pooled = named(network)[named(network)[network.output].inputs[0]]
    assert pooled.kernel == (heights[-1], heights[-1])


def heights_of(options):
    """Pixels in every stack of normal cells."""
    height = options["size"]
    if options["skeleton"] == "imagenet":
        height = math.ceil(((height - 1) // 2) / 4)  # The stem's convolution, then its two cells.
    return [math.ceil(height / 2**stack) for stack in range(options["reductions"] + 1)]


def expected_shape(layer, shapes):
    """What PyTorch's own rules give, from the fields that an executor uses."""
    channels, height, width = shapes[0]
    if layer.kind == "add":
        assert shapes[0] == shapes[1]
        return shapes[0]
    if layer.kind == "concat":
        return (sum(shape[0] for shape in shapes), height, width)
    if layer.kind == "global_pool":
        return (channels, 1, 1)
    if layer.kind == "linear":
        return (layer.parameter_shapes()["weight"][0], 1, 1)
    top, bottom, left, right = layer.padding
    assert layer.kind == "subsample" or min(layer.padding) >= 0
    assert bottom - top in (0, 1) or layer.kind == "subsample"
    rows = (height + top + bottom - layer.dilation * (layer.kernel[0] - 1) - 1) // layer.stride[0] + 1
    columns = (width + left + right - layer.dilation * (layer.kernel[1] - 1) - 1) // layer.stride[1] + 1
    return (layer.parameter_shapes()["weight"][0] if layer.kind == "conv" else channels, rows, columns)


@given(networks())
@settings(deadline=None)
def test_leaving_the_auxiliary_head_out_gives_the_plan_without_it(drawn):
    architecture, options = drawn
    options |= {"size": 20 if options["skeleton"] == "cifar" else 75, "reductions": 2}
    trained = planned(architecture, **options, auxiliary=True)
    assert trained.auxiliary_output is not None
    assert trained.without_auxiliary() == planned(architecture, **options)
    assert parameters(trained) > parameters(trained.without_auxiliary())


@given(networks())
@settings(deadline=None, max_examples=30)
def test_the_same_architecture_gives_the_same_plan(drawn):
    architecture, options = drawn
    assert planned(architecture, **options) == planned(architecture, **options)


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("size", [8, 9])
def test_every_operation_keeps_or_halves_any_size(operation, size):
    network = planned(one_operation(operation), size=size)
    layers = named(network)
    assert layers["cell_0.block_0.add"].shape == (8, size, size)
    assert layers["reduction_0.block_0.add"].shape == (16, math.ceil(size / 2), math.ceil(size / 2))


def test_names_of_tensors_are_names_of_layers_and_their_parts():
    network = planned(RELEASED)
    shapes = network.parameter_shapes()
    assert shapes["stem.conv.weight"] == (24, 3, 3, 3)
    assert shapes["cell_0.block_0.left.first.depthwise.weight"] == (8, 1, 5, 5)
    assert shapes["cell_0.block_0.left.first.batch_norm.bias"] == (8,)
    assert shapes["head.linear.weight"] == (10, 24 * 8)
    assert shapes["head.linear.bias"] == (10,)
    assert network.buffer_shapes()["stem.batch_norm.running_var"] == (24,)
    assert not any(name.endswith("conv.bias") for name in shapes)


def test_batch_norm_has_the_constants_of_the_released_code():
    network = planned(RELEASED)
    assert (network.batch_norm_epsilon, network.batch_norm_momentum) == (1e-5, 0.1)


@pytest.mark.parametrize(
    ("options", "field", "message"),
    [
        ({"size": 2}, "image_size", "is 2; to be halved 2 times it must be at least 3."),
        ({"size": 8, "reductions": 4}, "image_size", "is 8; to be halved 4 times it must be at least 9."),
        ({"channels": 0}, "image_channels", "is 0; must be at least 1."),
        ({"classes": 0}, "classes", "is 0; must be at least 1."),
        ({"size": 8, "auxiliary": True}, "image_size", "leaves 4 pixels at the auxiliary head; it needs at least 5."),
    ],
)
def test_what_does_not_fit_is_refused_at_its_field_with_a_sentence(options, field, message):
    with pytest.raises(ConfigError) as refused:
        planned(RELEASED, **options)
    assert (refused.value.field, refused.value.message) == (field, message)


def test_the_smallest_images_that_are_not_refused_can_be_planned():
    assert named(planned(RELEASED, size=3, reductions=2))["head.linear"].shape == (10, 1, 1)
    assert named(planned(RELEASED, size=9, reductions=4))["head.linear"].shape == (10, 1, 1)


def test_odd_filters_are_refused_where_halves_are_joined():
    with pytest.raises(ConfigError) as refused:
        factorized_reduction(LayerList((3, 8, 8)), "cell_0.previous", IMAGE, 5)
    assert str(refused.value) == "filters: gives 5 channels where halves are joined; must give an even number."


def test_an_impossible_cell_is_refused():
    broken = of_cells(Block((0, 3), ("identity", "identity"), "add"))
    with pytest.raises(ArchitectureError, match=r"normal\.blocks\.0\.inputs: reads state 3"):
        planned(broken)
