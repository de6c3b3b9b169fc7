"""The skeletons of ENAS and DARTS against their released code, executed and counted."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode

from search_engine.architectures.cell import Block, Cell
from search_engine.architectures.cells import CellArchitecture
from search_engine.catalogue.published import read_published
from search_engine.config.base import AtField
from search_engine.config.data import DataConfig
from search_engine.config.fitting import must_be_trainable
from search_engine.config.layout import LayoutConfig
from search_engine.config.recipe import RecipeConfig
from search_engine.config.space import NasnetSpaceConfig
from search_engine.cost import activation_bytes, mult_adds, parameters, part_costs
from search_engine.errors import ConfigError
from search_engine.layers import IMAGE
from search_engine.network_plan import plan
from search_engine.networks.plan_network import PlanNetwork
from search_engine.skeletons import smallest_image
from search_engine.spaces.nasnet import NasnetSpace

SPACE = NasnetSpace(NasnetSpaceConfig(blocks=2))
IDENTITIES = Cell((Block((0, 1), ("identity", "identity"), "add"),), (2,))


def planned(architecture, skeleton, *, size=32, auxiliary=False, **layout):
    layout = LayoutConfig(skeleton=skeleton, **layout)
    return plan(architecture, layout, image_channels=3, image_size=size, classes=10, auxiliary=auxiliary)


def named(network):
    return {layer.name: layer for layer in network.layers}


@pytest.mark.parametrize(
    ("name", "skeleton", "cells", "filters", "expected", "with_auxiliary"),
    [
        ("enas-micro-released", "enas", 5, 36, 3_894_372, 4_389_220),  # The released script: N = 15, in three stacks.
        ("darts-v2", "darts", 6, 36, 3_349_342, None),  # 3.349342 million, as the authors' test script prints it.
    ],
)
def test_published_cells_have_the_parameters_of_their_released_code(
    name, skeleton, cells, filters, expected, with_auxiliary
):
    options = {"normal_cells": cells, "filters": filters}
    architecture = read_published(name).architecture
    assert parameters(planned(architecture, skeleton, **options)) == expected
    if with_auxiliary is not None:
        assert parameters(planned(architecture, skeleton, auxiliary=True, **options)) == with_auxiliary


@pytest.mark.parametrize(
    ("name", "cells", "filters", "millions"), [("enas-micro-released", 6, 36, 4.587), ("enas-micro-paper", 5, 42, 4.62)]
)
def test_other_sizes_of_the_published_cells(name, cells, filters, millions):
    network = planned(read_published(name).architecture, "enas", normal_cells=cells, filters=filters)
    assert round(parameters(network) / 1e6, 3) == millions


def test_the_shapes_of_the_released_enas_network():
    network = planned(read_published("enas-micro-released").architecture, "enas", normal_cells=5, filters=36)
    shapes = [part.shape for part in part_costs(network)]
    assert shapes == [
        (108, 32, 32), *[(180, 32, 32)] * 5, (288, 16, 16), *[(360, 16, 16)] * 5, (576, 8, 8), *[(720, 8, 8)] * 5,
        (10, 1, 1),
    ]  # fmt: skip


def test_an_identity_that_halves_is_a_factorized_reduction_with_a_relu_in_darts_alone():
    architecture = CellArchitecture(IDENTITIES, IDENTITIES)
    sources = {
        skeleton: named(planned(architecture, skeleton, normal_cells=1))["reduction_0.block_0.left.even"].inputs
        for skeleton in ("enas", "darts")
    }
    assert sources == {
        "enas": ("reduction_0.current.batch_norm.subsample",),
        "darts": ("reduction_0.current.batch_norm.relu.subsample",),
    }
    assert "reduction_0.block_0.left.conv" in named(planned(architecture, "cifar", normal_cells=1))


def test_the_heads_read_and_end_as_in_their_code():
    architecture = CellArchitecture(IDENTITIES, IDENTITIES)
    for skeleton, kind, bias in (("cifar", "relu", True), ("enas", "relu", False), ("darts", "add", True)):
        layers = named(planned(architecture, skeleton, normal_cells=1))
        assert layers["head.linear"].bias == bias
        assert layers[layers[layers["head.linear"].inputs[0]].inputs[0]].kind == kind


@pytest.mark.parametrize(("skeleton", "source"), [("cifar", "cell_3"), ("enas", "cell_4"), ("darts", "reduction_1")])
def test_the_auxiliary_head_stands_where_each_code_has_it(skeleton, source):
    architecture = CellArchitecture(IDENTITIES, IDENTITIES)
    layers = named(planned(architecture, skeleton, normal_cells=2, auxiliary=True))
    pool = layers["auxiliary.first.conv"].inputs[0]
    assert pool.startswith(f"{source}.") and layers["auxiliary.linear"].bias == (skeleton != "enas")


@pytest.mark.parametrize("skeleton", ["cifar", "imagenet", "enas", "darts"])
@pytest.mark.parametrize("reductions", [2, 3])
def test_a_recipe_wants_the_auxiliary_head_exactly_where_the_network_has_room_for_it(skeleton, reductions):
    architecture = CellArchitecture(IDENTITIES, IDENTITIES)
    layout = LayoutConfig(skeleton=skeleton, normal_cells=1, reductions=reductions, filters=4)
    answers = set()
    for size in range(smallest_image(layout), 120, 3):
        try:
            plan(architecture, layout, image_channels=3, image_size=size, classes=10, auxiliary=True)
            has_room = True
        except ConfigError:
            has_room = False
        try:
            must_be_trainable(RecipeConfig(auxiliary_weight=0.4), layout, DataConfig(image_size=max(size, 8)))
            is_allowed = True
        except AtField:
            is_allowed = False
        assert has_room == is_allowed or size < 8, size
        answers.add(has_room)
    assert answers == {True, False}


@pytest.mark.parametrize(("name", "skeleton"), [("enas-micro-released", "enas"), ("darts-v2", "darts")])
def test_the_estimate_of_memory_is_within_a_tenth_of_what_is_kept(kept_bytes, name, skeleton):
    network_plan = planned(read_published(name).architecture, skeleton, normal_cells=1, filters=8)
    assert abs(kept_bytes(network_plan, 8) / activation_bytes(network_plan, 8) - 1) < 0.1


def test_the_first_cell_fits_the_stem_twice():
    for skeleton in ("enas", "darts"):
        layers = named(planned(CellArchitecture(IDENTITIES, IDENTITIES), skeleton, normal_cells=1))
        assert layers["cell_0.previous.conv"].inputs == ("stem.batch_norm.relu",)
    assert layers["stem.conv"].inputs == (IMAGE,) and layers["stem.conv"].shape[0] == 3 * 32


@given(
    st.tuples(*[st.integers(0, len(each.options) - 1) for each in SPACE.decisions]),
    st.sampled_from(["enas", "darts"]),
    st.sampled_from([1, 2]),
    st.integers(9, 17),
)
@settings(max_examples=20, deadline=None)
def test_the_built_network_has_the_parameters_and_mult_adds_of_its_plan(decisions, skeleton, reductions, size):
    network_plan = planned(
        SPACE.decode(decisions), skeleton, size=size, normal_cells=1, reductions=reductions, filters=4
    )
    network = PlanNetwork(network_plan, generator=torch.Generator().manual_seed(1))
    assert {name: tuple(p.shape) for name, p in network.named_parameters()} == network_plan.parameter_shapes()
    with FlopCounterMode(display=False) as counter:
        logits = network(torch.randn(2, 3, size, size))
    assert counter.get_total_flops() == 2 * 2 * mult_adds(network_plan)
    logits.sum().backward()
