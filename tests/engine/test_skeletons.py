import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from search_engine.architectures.cell import Block, Cell
from search_engine.architectures.cells import CellArchitecture
from search_engine.catalogue.published import read_published
from search_engine.config.layout import LayoutConfig
from search_engine.cost import mult_adds, parameters
from search_engine.errors import ConfigError
from search_engine.network_plan import plan
from search_engine.networks.plan_network import PlanNetwork
from search_engine.skeletons import places, smallest_image

RELEASED = read_published("nasnet-a").architecture
STRICT = RELEASED.with_strict_concat()


def imagenet(architecture=RELEASED, *, size=75, classes=10, auxiliary=False, **layout):
    layout = LayoutConfig(**{"skeleton": "imagenet", "normal_cells": 1, "filters": 4} | layout)
    return plan(architecture, layout, image_channels=3, image_size=size, classes=classes, auxiliary=auxiliary)


def named(network):
    return {layer.name: layer for layer in network.layers}


# (channels, height, width) in the released code executed: of each stage, all normal cells of a stack alike.
MOBILE = {
    "stem.batch_norm": (32, 111, 111),
    "stem_0.concat": (44, 56, 56),
    "stem_1.concat": (88, 28, 28),
    **{f"cell_{index}.concat": (264, 28, 28) for index in range(4)},
    "reduction_0.concat": (352, 14, 14),
    **{f"cell_{index}.concat": (528, 14, 14) for index in range(4, 8)},
    "reduction_1.concat": (704, 7, 7),
    **{f"cell_{index}.concat": (1056, 7, 7) for index in range(8, 12)},
    "cell_11.concat.relu.global_pool": (1056, 1, 1),
    "head.linear": (1000, 1, 1),
}
LARGE = {
    "stem.batch_norm": (96, 165, 165),
    "stem_0.concat": (168, 83, 83),
    "stem_1.concat": (336, 42, 42),
    **{f"cell_{index}.concat": (1008, 42, 42) for index in range(6)},
    "reduction_0.concat": (1344, 21, 21),
    **{f"cell_{index}.concat": (2016, 21, 21) for index in range(6, 12)},
    "reduction_1.concat": (2688, 11, 11),
    **{f"cell_{index}.concat": (4032, 11, 11) for index in range(12, 18)},
    "cell_17.concat.relu.global_pool": (4032, 1, 1),
    "head.linear": (1000, 1, 1),
}


@pytest.mark.parametrize(
    ("size", "layout", "expected"),
    [
        (224, {"normal_cells": 4, "filters": 44}, MOBILE),
        (331, {"normal_cells": 6, "filters": 168, "stem_filters": 96}, LARGE),
    ],
)
def test_shapes_of_the_imagenet_networks_are_those_of_the_released_code(size, layout, expected):
    layers = named(imagenet(size=size, classes=1000, **layout))
    assert {name: layers[name].shape for name in expected} == expected
    cells = {name for name in layers if name.count(".") == 1 and name.endswith(".concat")}
    assert cells == {name for name in expected if name.endswith(".concat")}


@pytest.mark.parametrize(
    ("size", "layout", "cell", "kernel"),
    [
        (224, {"normal_cells": 4, "filters": 44}, "cell_7", 4),
        (331, {"normal_cells": 6, "filters": 168, "stem_filters": 96}, "cell_11", 6),
    ],
)
def test_the_auxiliary_head_stands_where_the_released_code_has_it(size, layout, cell, kernel):
    layers = named(imagenet(size=size, classes=1000, auxiliary=True, **layout))
    assert layers["auxiliary.first.conv"].inputs == (f"{cell}.concat.relu.avg_pool_5x5_stride_3",)
    assert layers["auxiliary.second.conv"].kernel == (kernel, kernel)
    assert layers["auxiliary.linear"].shape == (1000, 1, 1)


def test_the_imagenet_stem_is_a_convolution_without_padding_and_two_narrow_reduction_cells():
    layers = named(imagenet(size=99, filters=44))
    conv = layers["stem.conv"]
    assert (conv.kernel, conv.stride, conv.padding, conv.shape) == ((3, 3), (2, 2), (0, 0, 0, 0), (32, 49, 49))
    # The first stem cell has no cell before it, so it reads the convolution itself; the second one has the convolution.
    assert layers["stem_0.block_0.right.first.depthwise"].inputs == ("stem.batch_norm.relu",)
    assert layers["stem_0.block_0.right.first.depthwise"].shape == (32, 25, 25)
    assert layers["stem_1.current.conv"].inputs == ("stem_0.concat.relu",)
    assert layers["stem_1.previous.even"].inputs == ("stem.batch_norm.relu.subsample",)
    assert layers["cell_0.previous.even"].inputs == ("stem_0.concat.relu.subsample",)
    widths = [layers[f"{cell}.current.conv"].shape[0] for cell in ("stem_0", "stem_1", "cell_0", "reduction_0")]
    assert widths == [11, 22, 44, 88]


def test_batch_norm_on_imagenet_has_the_constants_of_the_released_code():
    network = imagenet()
    assert (network.batch_norm_epsilon, network.batch_norm_momentum) == (1e-3, 0.0003)
    assert network.without_auxiliary() == imagenet(auxiliary=True).without_auxiliary()


@pytest.mark.parametrize("skeleton", ["cifar", "imagenet"])
def test_the_cell_behind_a_reduction_reads_the_cell_before_it_or_the_one_before_that(skeleton):
    layout = {"skeleton": skeleton, "normal_cells": 2}
    near, far = (named(imagenet(previous_after_reduction=rule, **layout)) for rule in ("one-before", "two-before"))
    for behind, one_before, two_before in (("cell_2", "cell_1", "cell_0"), ("cell_4", "cell_3", "cell_2")):
        assert near[f"{behind}.previous.even"].inputs == (f"{one_before}.concat.relu.subsample",)
        assert far[f"{behind}.previous.even"].inputs == (f"{two_before}.concat.relu.subsample",)
    # Nothing else changes: the reduction cell and the second cell behind it read the same under both rules.
    without = [
        {name: layer for name, layer in one.items() if not name.startswith(("cell_2.previous", "cell_4.previous"))}
        for one in (near, far)
    ]
    for one in without:
        for name in [name for name in one if name.endswith((".subsample", ".subsample_shifted"))]:
            del one[name]
    assert without[0] == without[1]


@pytest.mark.parametrize(
    ("size", "layout"),
    [
        (32, {"skeleton": "cifar", "normal_cells": 6, "filters": 32}),
        (224, {"normal_cells": 4, "filters": 44}),
        (331, {"normal_cells": 6, "filters": 168, "stem_filters": 96}),
    ],
)
def test_both_rules_for_the_previous_input_cost_the_same(size, layout):
    one, two = (
        imagenet(size=size, auxiliary=True, previous_after_reduction=rule, **layout)
        for rule in ("one-before", "two-before")
    )
    assert one.layers != two.layers
    assert (parameters(one), mult_adds(one)) == (parameters(two), mult_adds(two))


@pytest.mark.parametrize(("skeleton", "cell"), [("cifar", "stem.batch_norm"), ("imagenet", "stem_1.concat")])
def test_with_one_cell_per_stack_the_one_before_that_is_what_stands_before_the_stack(skeleton, cell):
    layers = named(imagenet(skeleton=skeleton, previous_after_reduction="two-before"))
    assert layers["cell_1.previous.even"].inputs == (f"{cell}.relu.subsample",)
    assert layers["cell_2.previous.even"].inputs == ("reduction_0.concat.relu.subsample",)


layouts = st.builds(
    LayoutConfig,
    skeleton=st.just("imagenet"),
    normal_cells=st.integers(1, 3),
    reductions=st.integers(1, 3),
    filters=st.sampled_from([4, 8, 12]),
    stem_filters=st.integers(1, 9),
    previous_after_reduction=st.sampled_from(["one-before", "two-before"]),
)


@given(layouts, st.integers(0, 120), st.sampled_from([RELEASED, STRICT]), st.integers(1, 4))
@settings(deadline=None, max_examples=40)
def test_any_size_is_halved_by_the_stem_and_by_every_reduction_cell(layout, extra, architecture, channels):
    size = smallest_image(layout) + extra
    network = plan(architecture, layout, image_channels=channels, image_size=size, classes=3)
    layers = named(network)
    height = (size - 1) // 2  # A window of three that moves by two and never leaves the image.
    assert layers["stem.conv"].shape == (layout.stem_filters, height, height)
    for place in places(layout):
        cell = architecture.reduction if place.is_reduction else architecture.normal
        height = math.ceil(height / 2) if place.is_reduction else height
        assert layers[f"{place.name}.concat"].shape == (len(cell.concat) * place.filters, height, height)
    assert layers[network.output].in_channels == len(architecture.normal.concat) * layout.filters * 2**layout.reductions


@given(layouts)
@settings(deadline=None, max_examples=20)
def test_the_smallest_image_still_has_two_rows_for_every_reduction_and_a_smaller_one_is_refused(layout):
    smallest = smallest_image(layout)
    layers = named(plan(RELEASED, layout, image_channels=1, image_size=smallest, classes=2))
    assert layers[f"reduction_{layout.reductions - 1}.current.conv"].shape[1] == 2
    with pytest.raises(ConfigError) as refused:
        plan(RELEASED, layout, image_channels=1, image_size=smallest - 1, classes=2)
    assert refused.value.field == "image_size"
    assert refused.value.message == (
        f"is {smallest - 1}; to be halved {layout.reductions + 3} times it must be at least {smallest}."
    )


def test_an_image_that_is_too_small_for_the_auxiliary_head_is_refused_with_it_alone():
    imagenet(size=64)
    with pytest.raises(ConfigError) as refused:
        imagenet(size=64, auxiliary=True)
    assert refused.value.field == "image_size"
    assert refused.value.message == "leaves 4 pixels at the auxiliary head; it needs at least 5."


def test_a_cell_that_would_halve_the_channels_of_an_odd_stem_is_refused():
    block = Block((0, 1), ("conv_3x3", "conv_3x3"), "add")
    joins_its_input = CellArchitecture(Cell((block,), (2,)), Cell((block,), (0, 2)))
    imagenet(joins_its_input, filters=8)
    with pytest.raises(ConfigError) as refused:
        imagenet(joins_its_input, filters=44)
    assert str(refused.value) == "filters: gives 11 channels where halves are joined; must give an even number."


@pytest.mark.parametrize("rule", ["one-before", "two-before"])
def test_the_network_runs_and_learns_on_a_small_odd_image(rule):
    network_plan = imagenet(size=75, auxiliary=True, normal_cells=2, stem_filters=3, previous_after_reduction=rule)
    network = PlanNetwork(network_plan, generator=torch.Generator().manual_seed(1))
    shapes = {layer.name: layer.shape for layer in network_plan.layers}
    seen = {}
    for name, module in network.named_modules():
        module.register_forward_hook(lambda _, __, output, name=name: seen.__setitem__(name, tuple(output.shape)))
    images = torch.randn(2, 3, 75, 75, generator=torch.Generator().manual_seed(2))
    logits, auxiliary = network.both_logits(images)
    assert logits.shape == auxiliary.shape == (2, 10)
    weighted = {layer.name for layer in network_plan.layers if layer.parameter_shapes()}
    assert set(seen) == weighted
    assert all(seen[name][1:] in (shapes[name], shapes[name][:1]) for name in weighted)
    (logits.sum() + auxiliary.sum()).backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_the_two_rules_compute_different_functions_with_the_same_weights():
    one, two = (
        PlanNetwork(
            imagenet(normal_cells=2, previous_after_reduction=rule), generator=torch.Generator().manual_seed(1)
        ).eval()
        for rule in ("one-before", "two-before")
    )
    two.load_state_dict(one.state_dict())
    images = torch.randn(2, 3, 75, 75, generator=torch.Generator().manual_seed(2))
    assert not torch.allclose(one(images), two(images))
