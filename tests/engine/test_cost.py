from collections import Counter

import pytest

from search_engine.architectures.cell import Block, Cell
from search_engine.architectures.cells import CellArchitecture
from search_engine.catalogue.published import read_published
from search_engine.config.layout import LayoutConfig
from search_engine.cost import activation_bytes, layer_costs, mult_adds, parameters, part_costs
from search_engine.network_plan import plan

RELEASED = read_published("nasnet-a").architecture
STRICT = RELEASED.with_strict_concat()

# Trainable parameters and mult-adds, counted in the released code executed and in independent implementations.
MEASURED = [
    # architecture, N, F: parameters without and with auxiliary head, millions of mult-adds without and with.
    (RELEASED, 6, 32, 3_346_538, 4_978_036, 544.333, 546.700),
    (RELEASED, 2, 32, 1_294_698, 2_926_196, 232.185, 234.552),
    (STRICT, 6, 32, 3_076_906, 4_700_212, 499.243, None),
]
# Trainable parameters by cell of CIFAR 6 @ 768.
CELLS = {
    "stem": 2_784,
    "cell_0": 40_384,
    "cell_1": 25_152,
    **{f"cell_{index}": 28_224 for index in range(2, 6)},
    "reduction_0": 87_168,
    "cell_6": 81_024,
    "cell_7": 93_312,
    **{f"cell_{index}": 101_504 for index in range(8, 12)},
    "reduction_1": 305_408,
    "cell_12": 301_312,
    "cell_13": 350_464,
    **{f"cell_{index}": 383_232 for index in range(14, 18)},
    "head": 7_690,
}
CHILD_CELLS = {
    "stem": 2_784, "cell_0": 40_384, "cell_1": 25_152, "reduction_0": 87_168, "cell_2": 81_024, "cell_3": 93_312,
    "reduction_1": 305_408, "cell_4": 301_312, "cell_5": 350_464, "head": 7_690,
}  # fmt: skip
# What the released code gives for other published names, and for one cell less; the paper prints other figures.
ROUND = [
    # N, F, stem filters (None: CIFAR), pixels, parameters in millions, mult-adds in billions.
    (7, 96, None, 32, 32.59, None),
    (6, 96, None, 32, 28.21, None),
    (5, 64, 32, 299, 12.25, 2.55),
    (4, 64, 32, 299, 10.28, 2.12),
    (7, 80, 32, 299, 24.60, 5.23),
    (6, 80, 32, 299, 21.54, 4.56),
]
# Trainable parameters by cell of Mobile 4 @ 1056.
MOBILE_CELLS = {
    "stem": 928,
    "stem_0": 8_534,
    "stem_1": 13_948,
    "cell_0": 33_000,
    "cell_1": 42_680,
    **{f"cell_{index}": 50_424 for index in range(2, 4)},
    "reduction_0": 153_648,
    "cell_4": 147_312,
    "cell_5": 170_544,
    **{f"cell_{index}": 186_032 for index in range(6, 8)},
    "reduction_1": 555_104,
    "cell_8": 557_920,
    "cell_9": 650_848,
    **{f"cell_{index}": 712_800 for index in range(10, 12)},
    "head": 1_057_000,
}


def imagenet(cells, filters, stem_filters, size, **options):
    layout = LayoutConfig(skeleton="imagenet", normal_cells=cells, filters=filters, stem_filters=stem_filters)
    return plan(RELEASED, layout, image_channels=3, image_size=size, classes=1000, **options)


def statistics(network):
    return sum(length for (length,) in network.buffer_shapes().values())


def cifar(architecture, cells, filters=32, **options):
    layout = LayoutConfig(normal_cells=cells, filters=filters)
    return plan(architecture, layout, image_channels=3, image_size=32, classes=10, **options)


def by_cell(rows):
    counts = Counter()
    for row in rows:
        counts[row.name.split(".")[0]] += row.parameters
    return dict(counts)


@pytest.mark.parametrize(
    ("architecture", "cells", "filters", "without", "with_auxiliary", "millions", "millions_with"), MEASURED
)
def test_nasnet_a_costs_what_was_measured(
    architecture, cells, filters, without, with_auxiliary, millions, millions_with
):
    network = cifar(architecture, cells, filters)
    assert parameters(network) == without
    assert round(mult_adds(network) / 1e6, 3) == millions
    trained = cifar(architecture, cells, filters, auxiliary=True)
    assert parameters(trained) == with_auxiliary
    if millions_with is not None:
        assert round(mult_adds(trained) / 1e6, 3) == millions_with


def test_mobile_4_at_1056_costs_what_was_measured():
    network = imagenet(4, 44, 32, 224)
    assert parameters(network) == 5_289_978
    assert parameters(network) + statistics(network) == 5_326_716
    assert round(mult_adds(network) / 1e6, 3) == 563.639
    trained = imagenet(4, 44, 32, 224, auxiliary=True)
    assert parameters(trained) == 7_701_218
    assert round(mult_adds(trained) / 1e6, 3) == 567.061


def test_the_large_network_has_the_printed_parameters_only_with_batch_norm_statistics():
    network = imagenet(6, 168, 96, 331)
    assert statistics(network) == 196_668
    assert round((parameters(network) + statistics(network)) / 1e6, 1) == 88.9
    assert round(parameters(network) / 1e6, 1) == 88.8
    assert round(mult_adds(network) / 1e9, 1) == 23.8


@pytest.mark.parametrize(("cells", "filters", "stem", "size", "millions", "billions"), ROUND)
def test_other_sizes_cost_what_the_released_code_gives_and_not_what_is_printed(
    cells, filters, stem, size, millions, billions
):
    network = cifar(RELEASED, cells, filters) if stem is None else imagenet(cells, filters, stem, size)
    assert round(parameters(network) / 1e6, 2) == millions
    if billions is not None:
        assert round(mult_adds(network) / 1e9, 2) == billions


def test_every_cell_on_imagenet_has_the_parameters_that_were_measured():
    rows = layer_costs(imagenet(4, 44, 32, 224))
    assert by_cell(rows) == MOBILE_CELLS
    assert by_cell(layer_costs(imagenet(4, 44, 32, 224, auxiliary=True))) == MOBILE_CELLS | {"auxiliary": 2_411_240}


@pytest.mark.parametrize(("cells", "expected"), [(6, CELLS), (2, CHILD_CELLS)])
def test_every_cell_has_the_parameters_that_were_measured(cells, expected):
    assert by_cell(layer_costs(cifar(RELEASED, cells))) == expected


def test_the_auxiliary_head_costs_what_was_measured():
    assert by_cell(layer_costs(cifar(RELEASED, 6, auxiliary=True)))["auxiliary"] == 1_631_498
    assert by_cell(layer_costs(cifar(STRICT, 6, auxiliary=True)))["auxiliary"] == 1_623_306


def test_batch_norm_statistics_are_kept_beside_the_parameters():
    network = cifar(RELEASED, 6)
    assert parameters(network) + statistics(network) == 3_383_786
    assert parameters(cifar(RELEASED, 2)) + statistics(cifar(RELEASED, 2)) == 1_310_442
    assert set(network.buffer_shapes()).isdisjoint(network.parameter_shapes())


def test_the_table_of_layers_adds_up():
    network = cifar(RELEASED, 2, auxiliary=True)
    rows = layer_costs(network)
    assert [row.name for row in rows] == [layer.name for layer in network.layers]
    assert sum(row.parameters for row in rows) == parameters(network)
    assert sum(row.mult_adds for row in rows) == mult_adds(network)


def test_mult_adds_of_the_stem_are_those_computed_by_hand():
    stem, norm = layer_costs(cifar(RELEASED, 1, filters=4))[:2]
    assert (stem.parameters, stem.mult_adds) == (12 * 3 * 9, 32 * 32 * 12 * 3 * 9)
    assert (norm.parameters, norm.mult_adds) == (24, 0)


def tiny(operation):
    """One block that only looks at the current input, in a network of one normal, reduction and normal cell."""
    cell = Cell((Block((0, 0), (operation, operation), "add"),), (2,))
    layout = LayoutConfig(normal_cells=1, reductions=1, filters=4)
    return plan(CellArchitecture(cell, cell), layout, image_channels=1, image_size=8, classes=2)


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        # Per image, in numbers of 4 bytes. Around the cells: image 64, stem convolution 12 * 64 and its ReLU; at the
        # end the ReLU and the pooled vector. A squeeze keeps its convolution and what its readers need.
        # cell_0 (4 channels, 64 pixels): squeeze conv 256; add is not kept, its ReLU is: 256.
        # reduction_0 (8 channels, 64 to 16 pixels): squeeze conv 512, ReLU for the strided 1x1s 512, two convs of 128.
        # cell_1 (8 channels, 16 pixels): squeeze conv 128.
        ("identity", 64 + 768 + 768 + (256 + 256) + (512 + 512 + 2 * 128 + 128) + (128 + 128) + 8),
        # As before; each pool keeps what it reads once, here the squeezed input: 256, 512, 128. No strided 1x1s.
        ("avg_pool_3x3", 64 + 768 + 768 + (256 + 256 + 256) + (512 + 512 + 128) + (128 + 128 + 128) + 8),
    ],
)
def test_activation_memory_is_what_was_counted_by_hand(operation, expected):
    network = tiny(operation)
    assert activation_bytes(network, 1) == 4 * expected
    assert activation_bytes(network, 16) == 16 * 4 * expected


@pytest.mark.parametrize(("size", "pixels", "quarter"), [(8, 64, 16), (7, 49, 16)])
def test_halves_of_a_factorized_reduction_are_kept(size, pixels, quarter):
    cell = Cell((Block((0, 1), ("identity", "identity"), "add"),), (2,))
    layout = LayoutConfig(normal_cells=1, reductions=1, filters=4)
    network = plan(CellArchitecture(cell, cell), layout, image_channels=1, image_size=size, classes=2)
    stem = pixels + 2 * 12 * pixels  # The image, the stem convolution and its ReLU, which cell_0 reads twice.
    cell_0 = (4 + 4 + 4) * pixels  # Squeeze and fit, which add up; the ReLU that reduction_0 and cell_1 share.
    reduction_0 = (8 + 8) * 2 * pixels + (8 + 8 + 8) * quarter  # Squeeze and fit with ReLUs; strided; ReLU.
    cell_1 = (4 + 4) * quarter + (8 + 8 + 8) * quarter  # Both halves; joined, the squeeze, the last ReLU.
    assert activation_bytes(network, 1) == 4 * (stem + cell_0 + reduction_0 + cell_1 + 8)


def test_a_max_pool_keeps_its_positions_and_its_input_once():
    pools = sum(layer.kind == "max_pool" for layer in tiny("max_pool_3x3").layers)
    assert pools == 3  # Both sides of a block read the same pool, which exists once.
    positions = 8 * (256 + 128 + 128)
    assert activation_bytes(tiny("max_pool_3x3"), 1) == activation_bytes(tiny("avg_pool_3x3"), 1) + positions


def test_convolutions_with_uneven_padding_share_one_padded_copy():
    # As for identity, but the ReLUs behind each squeeze are kept too, both sides have convolutions (cell_0 and cell_1
    # two each), and reduction_0 reads 8 channels of 9 x 9 pixels instead of the ReLU of 8 x 8, which is kept as well.
    around = 64 + 768 + 768 + 8
    cell_0, cell_1 = 256 + 256 + 2 * 256 + 256, 128 + 128 + 2 * 128 + 128
    reduction_0 = 512 + 512 + 8 * 81 + 2 * 128 + 128
    assert activation_bytes(tiny("conv_3x3"), 1) == 4 * (around + cell_0 + reduction_0 + cell_1)


def test_parts_have_the_parameters_and_the_shapes_that_were_measured():
    parts = {part.name: part for part in part_costs(cifar(RELEASED, 6))}
    assert {name: part.parameters for name, part in parts.items()} == CELLS
    shapes = {"stem": (96, 32, 32), "reduction_0": (256, 16, 16), "reduction_1": (512, 8, 8), "head": (10, 1, 1)}
    stacks = ((192, 32, 32), (384, 16, 16), (768, 8, 8))
    shapes |= {f"cell_{index}": stacks[index // 6] for index in range(18)}
    assert {name: part.shape for name, part in parts.items()} == shapes


def test_parts_on_imagenet_have_the_shapes_of_the_released_code_and_add_up():
    network = imagenet(4, 44, 32, 224)
    parts = part_costs(network)
    assert {part.name: part.parameters for part in parts} == MOBILE_CELLS
    assert sum(part.mult_adds for part in parts) == mult_adds(network)
    shapes = {part.name: part.shape for part in parts}
    assert (shapes["stem"], shapes["stem_0"], shapes["stem_1"]) == ((32, 111, 111), (44, 56, 56), (88, 28, 28))
    assert (shapes["cell_3"], shapes["reduction_0"]) == ((264, 28, 28), (352, 14, 14))
    assert (shapes["cell_7"], shapes["reduction_1"], shapes["cell_11"]) == ((528, 14, 14), (704, 7, 7), (1056, 7, 7))
