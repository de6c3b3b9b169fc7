"""Plans of NAS-Bench-201's networks against the sizes that the benchmark's tables state."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode

from search_engine.architectures.nas_bench_201 import NAS_BENCH_201_OPERATIONS, NasBench201Architecture
from search_engine.config.layout import NasBench201LayoutConfig
from search_engine.cost import activation_bytes, mult_adds, parameters, part_costs
from search_engine.errors import ConfigError
from search_engine.network_plan import plan
from search_engine.networks.plan_network import PlanNetwork

CONV, POINT, POOL, SKIP, NONE = "nor_conv_3x3", "nor_conv_1x1", "avg_pool_3x3", "skip_connect", "none"


def planned(*operations, size=32, channels=3, classes=10, **layout):
    architecture = NasBench201Architecture(operations).validated()
    layout = NasBench201LayoutConfig(**layout)
    return plan(architecture, layout, image_channels=channels, image_size=size, classes=classes)


@pytest.mark.parametrize(
    ("operation", "classes", "in_the_tables", "mult_adds_in_the_tables"),
    [
        # Millions, of the largest and the smallest network; the tables' mult-adds count the linear layer's bias too.
        (CONV, 10, 1.531546, 220.11969),
        (CONV, 100, 1.537396, 220.12554),
        (NONE, 10, 0.073306, 7.78305),
        (SKIP, 10, 0.073306, 7.78305),
        (POOL, 10, 0.073306, 7.78305),
    ],
)
def test_sizes_are_those_of_the_benchmarks_tables(operation, classes, in_the_tables, mult_adds_in_the_tables):
    network = planned(*[operation] * 6, classes=classes)
    assert parameters(network) / 1e6 == in_the_tables
    assert (mult_adds(network) + classes) / 1e6 == mult_adds_in_the_tables


def test_parts_and_shapes_worked_by_hand():
    parts = {part.name: part for part in part_costs(planned(CONV, NONE, SKIP, NONE, POINT, SKIP, normal_cells=1))}
    assert {name: (part.shape, part.parameters) for name, part in parts.items()} == {
        "stem": ((16, 32, 32), 27 * 16 + 32),
        "cell_0": ((16, 32, 32), (9 * 256 + 32) + (256 + 32)),
        "reduction_0": ((32, 16, 16), 9 * 16 * 32 + 64 + 9 * 32 * 32 + 64 + 16 * 32),
        "cell_1": ((32, 16, 16), (9 * 1024 + 64) + (1024 + 64)),
        "reduction_1": ((64, 8, 8), 9 * 32 * 64 + 128 + 9 * 64 * 64 + 128 + 32 * 64),
        "cell_2": ((64, 8, 8), (9 * 4096 + 128) + (4096 + 128)),
        "head": ((10, 1, 1), 128 + 650),
    }


def test_an_edge_that_leads_nowhere_is_not_in_the_network():
    assert parameters(planned(CONV, NONE, NONE, SKIP, NONE, NONE)) == parameters(planned(*[SKIP] * 6))


def test_a_cell_without_a_way_through_gives_zeros_and_still_a_gradient():
    network = PlanNetwork(planned(*[NONE] * 6, filters=2, size=8), generator=torch.Generator().manual_seed(1))
    first, second = network.eval()(torch.randn(2, 3, 8, 8))
    assert torch.equal(first, second)
    (first.sum() + second.sum()).backward()
    assert network.get_parameter("stem.conv.weight").grad.abs().max() == 0
    assert network.get_parameter("head.linear.bias").grad.abs().max() > 0


def test_at_stride_2_windows_are_padded_on_both_sides_as_in_the_benchmark():
    layers = {layer.name: layer for layer in planned(*[SKIP] * 6).layers}
    assert layers["reduction_0.first.conv"].padding == (1, 1, 1, 1)
    shortcut = next(layer for layer in layers.values() if layer.kind == "avg_pool")
    assert (shortcut.kernel, shortcut.stride, shortcut.padding) == ((2, 2), (2, 2), (0, 0, 0, 0))


@pytest.mark.parametrize("operations", [[CONV] * 6, [POINT, SKIP, POOL, NONE, CONV, POOL], [NONE] * 6])
def test_the_estimate_of_memory_is_within_a_tenth_of_what_is_kept(kept_bytes, operations):
    network_plan = planned(*operations, filters=8, normal_cells=2)
    assert abs(kept_bytes(network_plan, 8) / activation_bytes(network_plan, 8) - 1) < 0.1


def test_an_image_that_cannot_be_halved_twice_is_refused():
    planned(*[CONV] * 6, size=3)
    with pytest.raises(ConfigError, match="image_size: is 2; to be halved 2 times it must be at least 3."):
        planned(*[CONV] * 6, size=2)


@given(st.tuples(*[st.sampled_from(NAS_BENCH_201_OPERATIONS)] * 6), st.integers(3, 17))
@settings(max_examples=25, deadline=None)
def test_the_built_network_has_the_parameters_and_mult_adds_of_its_plan(operations, size):
    network_plan = planned(*operations, size=size, filters=3, normal_cells=1)
    network = PlanNetwork(network_plan, generator=torch.Generator().manual_seed(1))
    assert {name: tuple(p.shape) for name, p in network.named_parameters()} == network_plan.parameter_shapes()
    with FlopCounterMode(display=False) as counter:
        logits = network(torch.randn(2, 3, size, size))
    assert logits.shape == (2, 10)
    assert counter.get_total_flops() == 2 * 2 * mult_adds(network_plan)
    logits.sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())
