"""Padding of windows, by hand and against PyTorch."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from search_engine.architectures.cell import Block, Cell
from search_engine.architectures.cells import CellArchitecture
from search_engine.config.layout import LayoutConfig
from search_engine.cost import mult_adds, parameters
from search_engine.layers import IMAGE, LayerList
from search_engine.network_plan import NetworkPlan, plan
from search_engine.networks.plan_network import PlanNetwork

FOUR_BY_FOUR = torch.arange(16.0).reshape(1, 1, 4, 4)


def pooled(images, kind="avg_pool", size=3, stride=2, **options):
    layers = LayerList(tuple(images.shape[1:]), **options)
    output = layers.pool(kind, IMAGE, size, stride)
    network_plan = NetworkPlan(layers.shape(IMAGE), layers.needed_for([output]), output)
    return PlanNetwork(network_plan, generator=torch.Generator())(images)


def test_an_average_at_stride_2_leaves_padding_out():
    # SAME pads one row below and one column to the right: windows of nine, six, six and four pixels.
    assert pooled(FOUR_BY_FOUR).flatten().tolist() == [45 / 9, 39 / 6, 66 / 6, 50 / 4]


def test_an_average_that_counts_padding_divides_every_window_by_nine():
    # As timm's: the zeros beyond the edge are pixels like all others.
    counted = pooled(FOUR_BY_FOUR, counts_padding=True)
    assert torch.equal(counted, torch.tensor([[[[45.0, 39.0], [66.0, 50.0]]]]) / 9)
    by_hand = functional.avg_pool2d(functional.pad(FOUR_BY_FOUR, (0, 1, 0, 1)), 3, 2)
    assert torch.equal(counted, by_hand)


@pytest.mark.parametrize(("kind", "stride"), [("avg_pool", 1), ("max_pool", 1), ("max_pool", 2)])
def test_nothing_else_counts_padding(kind, stride):
    images = FOUR_BY_FOUR - 20  # All below zero, so that a zero would be the largest.
    assert torch.equal(pooled(images, kind, 3, stride, counts_padding=True), pooled(images, kind, 3, stride))


@given(
    st.integers(3, 20), st.sampled_from([1, 3, 5, 7]), st.sampled_from([1, 2]), st.sampled_from([1, 2]), st.booleans()
)
def test_both_ways_to_pad_give_the_same_shapes_and_the_same_at_stride_1(size, kernel, stride, dilation, is_pool):
    shapes, paddings = [], []
    for is_centred in (False, True):
        layers = LayerList((2, size, size), is_centred=is_centred)
        if is_pool:
            layers.pool("max_pool", IMAGE, kernel, stride)
        else:
            layers.conv("conv", IMAGE, 4, kernel=(kernel, kernel), stride=(stride, stride), dilation=dilation)
        [layer] = layers.needed_for([*layers._layers])
        shapes.append(layer.shape)
        paddings.append(layer.padding)
    assert shapes[0] == shapes[1]
    assert stride == 2 or paddings[0] == paddings[1]


@pytest.mark.parametrize("size", [7, 8])
def test_centred_pools_are_pytorchs(size):
    images = torch.randn(2, 3, size, size)
    found = pooled(images, is_centred=True)
    assert torch.allclose(found, functional.avg_pool2d(images, 3, 2, 1, count_include_pad=False), atol=1e-6)
    assert torch.equal(pooled(images, "max_pool", is_centred=True), functional.max_pool2d(images, 3, 2, 1))


def test_counting_padding_is_a_setting_of_the_layout_that_costs_nothing():
    cell = Cell((Block((0, 1), ("avg_pool_3x3", "avg_pool_3x3"), "add"),), (2,))
    networks = [
        plan(
            CellArchitecture(cell, cell), LayoutConfig(average_counts_padding=counts),
            image_channels=3, image_size=32, classes=10,
        )
        for counts in (False, True)
    ]  # fmt: skip
    assert parameters(networks[0]) == parameters(networks[1]) and mult_adds(networks[0]) == mult_adds(networks[1])
    for network, counts in zip(networks, (False, True), strict=True):
        pools = [layer for layer in network.layers if layer.kind == "avg_pool"]
        assert {(layer.stride[0], layer.counts_padding) for layer in pools} == {(1, False), (2, counts)}
