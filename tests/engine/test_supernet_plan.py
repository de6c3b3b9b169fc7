import functools
import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search_engine import cost
from search_engine.config.space import EnasMacroSpaceConfig, EnasMicroSpaceConfig
from search_engine.config.supernet import MacroSupernetConfig, MicroSupernetConfig
from search_engine.errors import ArchitectureError, ConfigError
from search_engine.supernet_plan import image_supernet_layers, path_plan
from tests.engine.shared_networks import macro_architectures, macro_of, micro_architectures, same_cells

CIFAR = {"image_channels": 3, "image_size": 32, "classes": 10}
MICRO, MACRO = EnasMicroSpaceConfig(), EnasMacroSpaceConfig()
SMALL_MICRO = EnasMicroSpaceConfig(nodes=2, operations=("sep_conv_3x3", "identity"))
SMALL_MACRO = EnasMacroSpaceConfig(layers=4, operations=("sep_conv_3x3", "max_pool_3x3"))
few = settings(max_examples=25, deadline=None)


def parameters(space, supernet, part="", **options):
    """Parameters of the bank's layers whose name contains the part."""
    layers = image_supernet_layers(space, supernet, **{**CIFAR, **options})
    return sum(
        math.prod(shape) for layer in layers if part in layer.name for shape in layer.parameter_shapes().values()
    )


# Counts of the released code (built and counted there), and what differs by choice, counted by hand.


def test_the_released_macro_network_has_697860_parameters():
    released = EnasMacroSpaceConfig(indexing="released")
    assert parameters(released, MacroSupernetConfig()) == 697_860
    layer_5 = parameters(released, MacroSupernetConfig(), "layer_5.")
    assert layer_5 == 56_376 + 72  # Six operations, and the batch norm of the join.
    assert parameters(released, MacroSupernetConfig(), "layer_1.") == 56_376
    assert parameters(released, MacroSupernetConfig(), "reduction_0.") == 5 * 1_368
    assert parameters(released, MacroSupernetConfig(), "reduction_1.") == 9 * 1_368
    assert parameters(released, MacroSupernetConfig(), "stem.") == 1_044
    assert parameters(released, MacroSupernetConfig(), "head.") == 360


def test_indexed_as_in_the_figure_nobody_reads_the_stem_so_it_is_never_reduced():
    assert parameters(MACRO, MacroSupernetConfig()) == 697_860 - 2 * 1_368


def test_joined_by_a_convolution_each_pair_of_layers_has_a_matrix_and_each_layer_its_own():
    joins = (66 + 11) * 36 * 36
    assert parameters(MACRO, MacroSupernetConfig(join="concat")) == 697_860 - 2 * 1_368 + joins


def test_the_released_micro_network_has_5373140_parameters_and_412928_in_its_auxiliary_head():
    released = MicroSupernetConfig(reduction_cell="released")
    assert parameters(MICRO, released) == 5_373_140
    assert parameters(MICRO, released, auxiliary=True) == 5_373_140 + 412_928
    assert parameters(MICRO, released, "auxiliary.", auxiliary=True) == 412_928


def test_a_strided_reduction_cell_has_reductions_where_an_input_is_kept_or_leaves_the_cell():
    narrow, wide = 40 * 40 + 2 * 40, 80 * 80 + 2 * 80
    on_edges_and_at_the_end = 5 * 2 * 2 + 2
    # The cell behind a reduction reads what was before it, not its halved input.
    behind = (20 * 40 + 2 * 40) + (40 * 80 + 2 * 80)
    assert parameters(MICRO, MicroSupernetConfig()) == 5_373_140 + on_edges_and_at_the_end * (narrow + wide) + behind


def test_inputs_that_nobody_reads_stay_in_the_cell_where_the_space_says_so():
    outside = EnasMicroSpaceConfig(unused_inputs=False)
    released = MicroSupernetConfig(reduction_cell="released")
    joins = 2 * (2 * 20 * 20 + 3 * 40 * 40 + 3 * 80 * 80)
    assert parameters(outside, released) == 5_373_140 - joins


# The bank is what the architectures of a space use: no more, no less.


def weighted(plan):
    return {layer.name: layer.parameter_shapes() for layer in plan.layers if layer.parameter_shapes()}


@pytest.mark.parametrize("reduction_cell", ["strided", "released"])
@pytest.mark.parametrize("unused_inputs", [True, False])
def test_the_bank_of_a_small_micro_space_is_what_all_its_architectures_use(reduction_cell, unused_inputs):
    space = EnasMicroSpaceConfig(nodes=2, operations=SMALL_MICRO.operations, unused_inputs=unused_inputs)
    supernet = MicroSupernetConfig(normal_cells=1, reductions=1, filters=2, reduction_cell=reduction_cell)
    used = {}
    inputs = itertools.product(range(2), range(2), range(3), range(3))
    for (a, b, c, d), operation in itertools.product(inputs, space.operations):
        rows = ((a, b, operation, operation), (c, d, operation, operation))
        used |= weighted(path_plan(same_cells(*rows, unused_inputs=unused_inputs), supernet, **CIFAR))
    layers = image_supernet_layers(space, supernet, **CIFAR)
    assert {layer.name: layer.parameter_shapes() for layer in layers} == used
    assert len(layers) == len({layer.name for layer in layers})


@pytest.mark.parametrize("indexing", ["figure", "released"])
@pytest.mark.parametrize("join", ["sum", "concat"])
def test_the_bank_of_a_small_macro_space_is_what_all_its_architectures_use(indexing, join):
    space = EnasMacroSpaceConfig(layers=4, operations=SMALL_MACRO.operations, indexing=indexing)
    supernet, used = MacroSupernetConfig(filters=2, join=join), {}
    first = 1 if indexing == "figure" else 0
    bits = itertools.product([False, True], repeat=6)
    for chosen, operation in itertools.product(bits, space.operations):
        sources = iter(chosen)
        rows = [(operation, [skip for skip in range(first, first + k) if next(sources)]) for k in range(4)]
        used |= weighted(path_plan(macro_of(*rows), supernet, **CIFAR))
    assert {layer.name: layer.parameter_shapes() for layer in image_supernet_layers(space, supernet, **CIFAR)} == used


@functools.cache
def bank_of(space, supernet):
    return {layer.name: layer for layer in image_supernet_layers(space, supernet, auxiliary=True, **CIFAR)}


def test_the_bank_is_in_the_order_of_the_network():
    layers = image_supernet_layers(MICRO, MicroSupernetConfig(normal_cells=1), auxiliary=True, **CIFAR)
    places = [place for place, _ in itertools.groupby(layer.name.split(".")[0] for layer in layers)]
    cells = ["cell_0", "reduction_0", "cell_1", "reduction_1", "cell_2"]
    assert places == ["stem", *cells, "head", "auxiliary"]


@few
@given(st.data(), st.sampled_from(["strided", "released"]), st.booleans())
def test_equal_names_are_equal_layers_in_every_micro_architecture(data, reduction_cell, unused_inputs):
    space = EnasMicroSpaceConfig(nodes=3, unused_inputs=unused_inputs)
    supernet = MicroSupernetConfig(normal_cells=1, filters=4, reduction_cell=reduction_cell)
    bank = bank_of(space, supernet)
    path = path_plan(data.draw(micro_architectures(space)), supernet, auxiliary=True, **CIFAR)
    for layer in path.layers:
        if layer.parameter_shapes():
            known = bank[layer.name]
            assert (layer.kind, layer.shape, layer.kernel, layer.stride, layer.padding, layer.groups) == (
                known.kind, known.shape, known.kernel, known.stride, known.padding, known.groups,
            )  # fmt: skip


@few
@given(st.data(), st.sampled_from(["sum", "concat"]))
def test_a_macro_path_has_one_operation_a_layer_and_one_way_for_each_skip(data, join):
    architecture = data.draw(macro_architectures(MACRO))
    path = path_plan(architecture, MacroSupernetConfig(filters=4, join=join), **CIFAR)
    names = set(weighted(path))
    for number, layer in enumerate(architecture.layers, start=1):
        others = set(MACRO.operations) - {layer.operation}
        assert f"layer_{number}.{layer.operation}.fit.conv" in names
        assert not any(f"layer_{number}.{other}." in name for name in names for other in others)
        chosen = {name for name in names if name.startswith(f"layer_{number}.join.output_")}
        wanted = {f"layer_{number}.join.output_{skip}" for skip in layer.skips} if join == "concat" else set()
        assert chosen == wanted


# Shapes of the released networks (fact sheet, 6.2).


def shape_of(plan, name):
    return next(layer.shape for layer in plan.layers if layer.name == name)


@pytest.mark.parametrize("reduction_cell", ["strided", "released"])
def test_cells_of_the_micro_network_have_the_released_shapes(reduction_cell):
    architecture = same_cells((0, 1, "sep_conv_3x3", "identity"), (2, 0, "avg_pool_3x3", "sep_conv_5x5"))
    path = path_plan(architecture, MicroSupernetConfig(reduction_cell=reduction_cell), **CIFAR)
    cells = ["cell_0", "cell_1", "reduction_0", "cell_2", "cell_3", "reduction_1", "cell_4", "cell_5"]
    found = [shape_of(path, f"{cell}.join.batch_norm") for cell in cells]
    assert found == [(20, 32, 32)] * 2 + [(40, 16, 16)] * 3 + [(80, 8, 8)] * 3


def test_a_strided_reduction_cell_halves_in_what_reads_its_inputs_and_the_released_one_halves_its_input_first():
    rows = ((0, 1, "sep_conv_3x3", "identity"), (2, 0, "sep_conv_3x3", "max_pool_3x3"))
    strides = {}
    for reduction_cell in ("strided", "released"):
        path = path_plan(same_cells(*rows), MicroSupernetConfig(reduction_cell=reduction_cell), **CIFAR)
        layers = [layer for layer in path.layers if layer.name.startswith("reduction_0.")]
        strides[reduction_cell] = {layer.name.removeprefix("reduction_0."): layer.stride for layer in layers}
        assert next(layer for layer in layers if layer.kind == "max_pool").stride == (
            (2, 2) if reduction_cell == "strided" else (1, 1)
        )
    first, later = "block_0.left.state_0.sep_conv_3x3", "block_1.left.state_2.sep_conv_3x3"
    assert strides["strided"][f"{first}.first.depthwise"] == (2, 2)
    assert strides["strided"][f"{first}.second.depthwise"] == (1, 1)
    assert strides["strided"][f"{later}.first.depthwise"] == (1, 1)
    assert "block_0.right.state_1.identity.even" in strides["strided"]  # Two shifted halves: a factorized reduction.
    assert strides["released"][f"{first}.first.depthwise"] == (1, 1)
    assert "halved.even" in strides["released"] and "block_0.right.state_1.identity.even" not in strides["released"]


def test_layers_of_the_macro_network_have_the_released_shapes():
    every = macro_of(*[("conv_3x3", range(1, number)) for number in range(1, 13)])
    path = path_plan(every, MacroSupernetConfig(), **CIFAR)
    found = [shape_of(path, f"layer_{number}.join.batch_norm") for number in range(2, 13)]
    assert found == [(36, 32, 32)] * 3 + [(36, 16, 16)] * 4 + [(36, 8, 8)] * 4


def test_only_outputs_that_a_later_layer_joins_are_reduced():
    rows = [("conv_3x3", [])] * 4 + [("conv_3x3", [2])] + [("conv_3x3", [])] * 7
    names = weighted(path_plan(macro_of(*rows), MacroSupernetConfig(), **CIFAR))
    reduced = sorted({name.rsplit(".", 1)[0] for name in names if name.startswith("reduction_")})
    assert reduced == ["reduction_0.output_2", "reduction_0.output_4", "reduction_1.output_8"]


def test_an_output_that_is_joined_after_both_halvings_is_halved_twice_by_weights_of_its_own():
    rows = [("conv_3x3", [])] * 11 + [("conv_3x3", [1])]
    path = path_plan(macro_of(*rows), MacroSupernetConfig(), **CIFAR)
    assert shape_of(path, "reduction_0.output_1.batch_norm") == (36, 16, 16)
    assert shape_of(path, "reduction_1.output_1.batch_norm") == (36, 8, 8)


def test_the_auxiliary_head_reads_the_cell_behind_the_second_reduction():
    path = path_plan(same_cells((0, 1, "identity", "identity")), MicroSupernetConfig(), auxiliary=True, **CIFAR)
    head = next(layer for layer in path.layers if layer.name.endswith(f"avg_pool_{5}x5_stride_3"))
    assert head.inputs == ("cell_4.join.batch_norm.relu",)
    plain = path.without_auxiliary()
    assert not any(layer.name.startswith("auxiliary.") for layer in plain.layers)
    assert cost.parameters(path) - cost.parameters(plain) == 412_928


@pytest.mark.parametrize("size, reductions", [(8, 2), (28, 2), (17, 2), (5, 1)])
def test_images_of_any_size_that_can_be_halved_have_a_network(size, reductions):
    architecture = same_cells((1, 0, "identity", "max_pool_3x3"))
    supernet = MicroSupernetConfig(filters=2, normal_cells=1, reductions=reductions)
    path = path_plan(architecture, supernet, image_channels=1, image_size=size, classes=3)
    assert path.layers[-1].shape == (3, 1, 1)


# What does not fit is refused at its field.


def test_an_architecture_of_another_kind_is_refused():
    with pytest.raises(ArchitectureError) as caught:
        path_plan(macro_of(("conv_3x3", [])), MicroSupernetConfig(), **CIFAR)
    assert caught.value.field == "kind" and "macro" in caught.value.message


def test_an_image_that_is_too_small_is_refused():
    with pytest.raises(ConfigError) as caught:
        path_plan(same_cells((0, 1, "identity", "identity")), MicroSupernetConfig(), **{**CIFAR, "image_size": 2})
    assert caught.value.field == "image_size"


def test_an_image_that_is_too_small_for_the_auxiliary_head_is_refused_with_it_alone():
    architecture, small = same_cells((0, 1, "identity", "identity")), {**CIFAR, "image_size": 16}
    path_plan(architecture, MicroSupernetConfig(), **small)
    with pytest.raises(ConfigError) as caught:
        path_plan(architecture, MicroSupernetConfig(), auxiliary=True, **small)
    assert caught.value.field == "image_size"


# The worked examples of the paper's figures.


def joined_at(plan, name):
    """What is added up in front of a batch norm, whichever additions and convolutions stand between."""
    layers = {layer.name: layer for layer in plan.layers}
    leaves, waiting = set(), list(layers[name].inputs)
    while waiting:
        layer = layers[waiting.pop()]
        if layer.name.startswith(name.removesuffix("batch_norm")):
            waiting.extend(layer.inputs)
        else:
            leaves.add(layer.name)
    return leaves


def test_figure_3_joins_the_operation_on_the_last_output_with_the_outputs_it_names():
    figure = macro_of(("conv_3x3", []), ("sep_conv_5x5", [1]), ("max_pool_3x3", [1, 2]), ("conv_5x5", [1, 3]))
    path = path_plan(figure, MacroSupernetConfig(), **CIFAR)
    # Four layers: everything is halved behind the first and the second.
    once, twice = "reduction_0.output_{}.batch_norm".format, "reduction_1.output_{}.batch_norm".format
    assert joined_at(path, "layer_2.join.batch_norm") == {"layer_2.sep_conv_5x5.batch_norm.relu", once(1)}
    pooled = "layer_3.max_pool_3x3.fit.batch_norm.relu.max_pool_3x3"
    assert joined_at(path, "layer_3.join.batch_norm") == {pooled, twice(1), twice(2)}
    last = {"layer_4.conv_5x5.batch_norm.relu", twice(1), "layer_3.join.batch_norm"}
    assert joined_at(path, "layer_4.join.batch_norm") == last
    reads = {layer.name: layer.inputs for layer in path.layers}
    assert reads["layer_2.sep_conv_5x5.fit.conv"] == (once(1),)
    assert reads["layer_3.max_pool_3x3.fit.conv"] == (twice(2),)
    assert reads["layer_4.conv_5x5.fit.conv"] == ("layer_3.join.batch_norm",)


def test_figure_5_adds_two_operations_at_each_node_and_its_last_node_alone_leaves_the_cell():
    # h1 is the previous input, our state 1; h2 the current one, state 0; n3 and n4 are states 2 and 3.
    figure = same_cells((0, 0, "sep_conv_5x5", "identity"), (2, 1, "avg_pool_3x3", "sep_conv_3x3"))
    path = path_plan(figure, MicroSupernetConfig(), **CIFAR)
    reads = {layer.name: layer.inputs for layer in path.layers}
    sep_5 = "cell_3.block_0.left.state_0.sep_conv_5x5.second.batch_norm"
    assert reads["cell_3.block_0.add"] == (sep_5, "cell_2.join.batch_norm")
    sep_3 = "cell_3.block_1.right.state_1.sep_conv_3x3.second.batch_norm"
    assert reads["cell_3.block_1.add"] == ("cell_3.block_0.add.avg_pool_3x3", sep_3)
    assert reads["cell_3.block_1.right.state_1.sep_conv_3x3.first.depthwise"] == ("reduction_0.join.batch_norm.relu",)
    assert joined_at(path, "cell_3.join.batch_norm") == {"cell_3.block_1.add.relu"}
