"""Plans of macro networks against the released code of ENAS, as it was executed and counted."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode

from search_engine.architectures.macro import MACRO_OPERATIONS, MacroArchitecture, MacroLayer
from search_engine.config.layout import LayoutConfig, MacroLayoutConfig
from search_engine.cost import activation_bytes, layer_costs, mult_adds, parameters, part_costs
from search_engine.errors import ArchitectureError, ConfigError
from search_engine.macro_network import layers_before_halving
from search_engine.network_plan import plan
from search_engine.networks.plan_network import PlanNetwork

RELEASED_LAYERS = """
conv_3x3      | sep_conv_5x5  | conv_3x3 0 | conv_5x5 2 | conv_5x5 | sep_conv_5x5 0 1 3 | conv_5x5 5
conv_5x5 1 2 4 5 6 | sep_conv_3x3 1 2 3 5 7 | conv_3x3 | conv_5x5 5 | conv_3x3 0 3 4 9 10 | conv_5x5 1 7 9 10
sep_conv_3x3 2 6 7 8 10 12 | conv_3x3 0 1 3 5 11 | conv_5x5 2 10 12 14 | conv_5x5 1 5 8 9 10 11 14
conv_5x5 4 6 8 11 13 16 | sep_conv_5x5 1 2 4 10 12 14 | sep_conv_5x5 1 2 12 13 18 | conv_3x3 0 3 5 6 10 16 17
sep_conv_5x5 1 3 4 7 9 10 12 13 15 18 | conv_3x3 0 2 4 13 15 18 | conv_3x3 0 1 5 6 7 9 13 15 18 19
"""


def a_layer(text: str) -> MacroLayer:
    operation, *skips = text.split()
    return MacroLayer(operation, tuple(map(int, skips)))


RELEASED = MacroArchitecture(tuple(map(a_layer, RELEASED_LAYERS.strip().replace("\n", "|").split("|")))).validated()


def planned(architecture, *, size=32, channels=3, classes=10, **layout):
    layout = MacroLayoutConfig(**{"filters": 4} | layout)
    return plan(architecture, layout, image_channels=channels, image_size=size, classes=classes)


@st.composite
def macro_architectures(draw):
    layers = []
    for index in range(draw(st.integers(1, 7))):
        skips = draw(st.sets(st.integers(0, index), max_size=3))
        layers.append(MacroLayer(draw(st.sampled_from(MACRO_OPERATIONS)), tuple(sorted(skips))))
    return MacroArchitecture(tuple(layers)).validated()


@pytest.mark.parametrize(
    ("filters", "full_conv", "expected"), [(96, True, 42_559_392), (36, True, 5_997_852), (36, False, 4_373_604)]
)
def test_the_released_network_has_the_parameters_of_the_released_code(filters, full_conv, expected):
    assert len(RELEASED.layers) == 24 and sum(len(layer.skips) for layer in RELEASED.layers) == 98
    assert parameters(planned(RELEASED, filters=filters, full_conv=full_conv)) == expected


def test_channels_double_and_pixels_halve_after_each_third():
    shapes = {part.name: part.shape for part in part_costs(planned(RELEASED, filters=96))}
    for number in range(1, 25):
        assert shapes[f"layer_{number}"] == [(96, 32, 32), (192, 16, 16), (384, 8, 8)][(number - 1) // 8]
    assert (shapes["reduction_0"], shapes["reduction_1"], shapes["head"]) == ((192, 16, 16), (384, 8, 8), (10, 1, 1))


@pytest.mark.parametrize(
    ("count", "halvings"), [(1, ()), (2, ()), (3, (1, 2)), (5, (1, 2)), (12, (4, 8)), (14, (4, 8)), (24, (8, 16))]
)
def test_thirds_of_any_number_of_layers_are_rounded_down(count, halvings):
    assert layers_before_halving(MacroArchitecture((MacroLayer("conv_3x3"),) * count)) == halvings


def test_a_network_worked_by_hand():
    architecture = MacroArchitecture((MacroLayer("sep_conv_5x5"), MacroLayer("max_pool_3x3", (0,)))).validated()
    network = planned(architecture, filters=6, channels=1, classes=3)
    expected = {
        "stem": 9 * 6 + 12,
        "layer_1": (36 + 12) + (25 * 6 + 36 + 12),  # Fit; depthwise, pointwise and their batch norm. No join.
        "layer_2": (36 + 12) + (2 * 6 * 6 + 12),  # Fit; the pool has none; join of the stem and the pool.
        "head": 3 * 6,  # No bias.
    }
    assert {part.name: part.parameters for part in part_costs(network)} == expected
    assert parameters(network) == sum(expected.values())


def test_operations_read_the_layer_before_and_joins_read_what_is_named():
    architecture = MacroArchitecture((MacroLayer("conv_3x3"), MacroLayer("avg_pool_3x3"), MacroLayer("conv_5x5", (1,))))
    layers = {layer.name: layer for layer in planned(architecture, full_conv=True).layers}
    assert layers["layer_2.fit.conv"].inputs == ("reduction_0.output_1.batch_norm.relu",)
    assert layers["layer_2.join.conv"].inputs == ("layer_2.fit.batch_norm.avg_pool_3x3.relu",)
    assert layers["layer_3.operation.conv"].kernel == (5, 5)
    # Layer 1 was halved after itself, and again after layer 2, before layer 3 joins it.
    assert layers["layer_3.concat"].inputs == ("reduction_1.output_1.batch_norm", "layer_3.operation.batch_norm")
    assert "reduction_0.output_0.batch_norm" not in layers  # Nobody reads the stem any more.


def test_full_convolutions_stand_for_separable_ones_only():
    separable, full = (MacroArchitecture((MacroLayer(name),)) for name in ("sep_conv_3x3", "conv_3x3"))
    assert planned(separable, full_conv=True) == planned(full, full_conv=True) == planned(full)
    kinds = [layer.groups for layer in planned(separable).layers if layer.kind == "conv"]
    assert kinds == [1, 1, 4, 1]  # Stem, fit, depthwise, pointwise.


def test_an_image_that_cannot_be_halved_twice_is_refused_and_without_halvings_one_pixel_is_enough():
    three, two = (MacroArchitecture((MacroLayer("conv_3x3"),) * count) for count in (3, 2))
    planned(three, size=3)
    with pytest.raises(ConfigError, match="image_size: is 2; to be halved 2 times it must be at least 3."):
        planned(three, size=2)
    assert layer_costs(planned(two, size=1))[-1].shape == (10, 1, 1)
    with pytest.raises(ConfigError, match="image_size: is 0; it must be at least 1."):
        planned(two, size=0)


def test_a_layout_for_cells_has_no_place_for_a_macro_network():
    with pytest.raises(ArchitectureError, match='kind: is "macro"; this layout is for kind "cells".'):
        plan(RELEASED, LayoutConfig(), image_channels=3, image_size=32, classes=10)


@given(macro_architectures(), st.integers(3, 17), st.booleans())
@settings(max_examples=20, deadline=None)
def test_the_built_network_has_the_parameters_and_mult_adds_of_its_plan(architecture, size, full_conv):
    network_plan = planned(architecture, size=size, full_conv=full_conv)
    network = PlanNetwork(network_plan, generator=torch.Generator().manual_seed(1))
    assert {name: tuple(p.shape) for name, p in network.named_parameters()} == network_plan.parameter_shapes()
    with FlopCounterMode(display=False) as counter:
        logits = network(torch.zeros(2, 3, size, size))
    assert counter.get_total_flops() == 2 * 2 * mult_adds(network_plan)
    logits.sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_the_estimate_of_memory_is_within_a_tenth_of_what_is_kept(kept_bytes):
    network_plan = planned(RELEASED, filters=8)
    assert abs(kept_bytes(network_plan, 8) / activation_bytes(network_plan, 8) - 1) < 0.1
