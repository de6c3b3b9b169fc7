import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from search_engine import cost
from search_engine.config.space import EnasMacroSpaceConfig, EnasMicroSpaceConfig
from search_engine.config.supernet import MacroSupernetConfig, MicroSupernetConfig
from search_engine.errors import ArchitectureError
from search_engine.layers import IMAGE as IMAGE_LAYER
from search_engine.layers import LayerList
from search_engine.networks.image_supernet import PATHS_KEPT, ImageSupernet
from search_engine.networks.layer_compute import compute_of, subsample_with_dense_gradient
from search_engine.networks.plan_network import PlanNetwork
from search_engine.supernet_plan import image_supernet_layers, path_plan
from tests.engine.shared_networks import macro_architectures, macro_of, micro_architectures, same_cells

MICRO = EnasMicroSpaceConfig(nodes=2)
MACRO = EnasMacroSpaceConfig(layers=4)
IMAGE, CLASSES, BATCH = (3, 9, 9), 3, 4
MICRO_NET = MicroSupernetConfig(normal_cells=1, reductions=1, filters=4)
MACRO_NET = MacroSupernetConfig(filters=4)
MICRO_PATH = same_cells((0, 1, "sep_conv_3x3", "max_pool_3x3"), (2, 1, "identity", "sep_conv_5x5"))
MACRO_PATH = macro_of(("conv_3x3", []), ("sep_conv_5x5", [1]), ("max_pool_3x3", []), ("sep_conv_3x3", [1, 3]))
few = settings(max_examples=10, deadline=None)


def supernet_of(space, supernet, seed=1, image=IMAGE, **options):
    generator = torch.Generator().manual_seed(seed)
    return ImageSupernet(space, supernet, image=image, classes=CLASSES, generator=generator, **options)


def images_of(image=IMAGE, seed=2):
    return torch.randn(BATCH, *image, generator=torch.Generator().manual_seed(seed))


def labels_of():
    return torch.arange(BATCH) % CLASSES


def backward(network, architecture, **options):
    logits, auxiliary = network.both_logits(architecture, images_of(options.pop("image", IMAGE)), **options)
    loss = functional.cross_entropy(logits, labels_of())
    if auxiliary is not None:
        loss = loss + 0.4 * functional.cross_entropy(auxiliary, labels_of())
    loss.backward()


# Every operation runs, changes the output and learns; nothing else is touched.


@pytest.mark.parametrize("layer", [1, 2, 4])
def test_each_operation_of_a_macro_layer_gives_another_output_and_is_the_only_one_that_learns(layer):
    network, outputs = supernet_of(MACRO, MACRO_NET), []
    for operation in MACRO.operations:
        rows = [("conv_3x3", range(1, number)) for number in range(1, 5)]
        rows[layer - 1] = (operation, range(1, layer))
        architecture = macro_of(*rows)
        network.zero_grad()
        backward(network, architecture)
        with torch.no_grad():
            outputs.append(network.logits(architecture, images_of()))
        learning = {name.split(".")[1] for name, weight in network.named_parameters()
                    if name.startswith(f"layer_{layer}.") and weight.grad is not None}  # fmt: skip
        assert learning - {"join"} == {operation}
        for name, weight in network.named_parameters():
            if name.startswith(f"layer_{layer}.{operation}."):
                assert weight.grad.abs().sum() > 0, name
    assert all_differ(outputs)


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("state", [0, 1, 2])
def test_each_operation_of_a_micro_block_gives_another_output_and_is_the_only_one_that_learns(side, state):
    network, outputs = supernet_of(MICRO, MICRO_NET), []
    for operation in MICRO.operations:
        inputs, operations = ((state, 0), (operation, "identity"))
        if side == "right":
            inputs, operations = inputs[::-1], operations[::-1]
        architecture = same_cells((0, 1, "identity", "sep_conv_3x3"), (*inputs, *operations))
        network.zero_grad()
        backward(network, architecture)
        with torch.no_grad():
            outputs.append(network.logits(architecture, images_of()))
        for cell in ("cell_0", "reduction_0", "cell_1"):
            edges = f"{cell}.block_1.{side}."
            learning = [weight for name, weight in network.named_parameters()
                        if name.startswith(edges) and weight.grad is not None]  # fmt: skip
            own = [weight for name, weight in network.named_parameters()
                   if name.startswith(f"{edges}state_{state}.{operation}.")]  # fmt: skip
            assert {id(weight) for weight in learning} == {id(weight) for weight in own}
            assert all(weight.grad.abs().sum() > 0 for weight in own)
    assert all_differ(outputs)


def all_differ(outputs):
    return all(not torch.allclose(a, b, atol=1e-4) for i, a in enumerate(outputs) for b in outputs[:i])


def spaces_and_paths():
    return pytest.mark.parametrize(
        "space, supernet, architecture",
        [
            (MICRO, MICRO_NET, MICRO_PATH),
            (MICRO, MICRO_NET.model_copy(update={"reduction_cell": "released"}), MICRO_PATH),
            (MACRO, MACRO_NET, MACRO_PATH),
            (MACRO, MACRO_NET.model_copy(update={"join": "concat"}), MACRO_PATH),
        ],
        ids=["micro", "micro released", "macro", "macro concat"],
    )


@spaces_and_paths()
def test_a_training_step_moves_what_is_on_the_path_and_leaves_all_else_to_the_bit(space, supernet, architecture):
    network = supernet_of(space, supernet)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.1)
    before = {name: weight.detach().clone() for name, weight in network.named_parameters()}
    for _ in range(2):
        optimizer.zero_grad()
        backward(network, architecture)
        optimizer.step()
    moved = {name for name, weight in network.named_parameters() if not torch.equal(weight, before[name])}
    assert moved == {name for name, _ in network.parameters_of(architecture)}
    assert 0 < len(moved) < len(before)
    moments = {name for name, weight in network.named_parameters() if optimizer.state.get(weight)}
    assert moments == moved


@spaces_and_paths()
def test_weights_off_the_path_are_not_even_read(space, supernet, architecture):
    network = supernet_of(space, supernet)
    expected = network.logits(architecture, images_of())
    on_path = {name for name, _ in network.parameters_of(architecture)}
    with torch.no_grad():
        for name, weight in network.named_parameters():
            if name not in on_path:
                weight.fill_(math.nan)
    assert torch.equal(network.logits(architecture, images_of()), expected)


@few
@given(st.data())
def test_what_gets_a_gradient_is_what_parameters_of_names(data):
    for space, supernet, drawn in (
        (MICRO, MICRO_NET, micro_architectures(MICRO)),
        (MACRO, MACRO_NET, macro_architectures(MACRO)),
    ):
        network, architecture = supernet_of(space, supernet), data.draw(drawn)
        backward(network, architecture)
        learning = {name: weight for name, weight in network.named_parameters() if weight.grad is not None}
        named = dict(network.parameters_of(architecture))
        assert learning.keys() == named.keys()
        assert all(learning[name] is named[name] for name in named)


# A path is the network that the plan says, and what one works out by hand.


@few
@given(st.data(), st.sampled_from(["micro", "released", "macro", "concat"]))
def test_a_network_of_the_paths_plan_with_the_same_weights_gives_the_same_logits(data, case):
    if case in ("micro", "released"):
        supernet = MICRO_NET.model_copy(update={"reduction_cell": {"micro": "strided"}.get(case, case)})
        space, architecture = MICRO, data.draw(micro_architectures(MICRO))
    else:
        supernet = MACRO_NET.model_copy(update={"join": {"macro": "sum"}.get(case, case)})
        space, architecture = MACRO, data.draw(macro_architectures(MACRO))
    network = supernet_of(space, supernet)
    plan = path_plan(architecture, supernet, image_channels=3, image_size=9, classes=CLASSES)
    alone = PlanNetwork(plan, generator=torch.Generator().manual_seed(9))
    alone.load_state_dict(dict(network.parameters_of(architecture)), strict=False)
    assert {name for name, _ in alone.named_parameters()} == {name for name, _ in network.parameters_of(architecture)}
    assert torch.equal(network.logits(architecture, images_of()), alone(images_of()))


def normed(x, weights, name):
    mean, variance = x.mean((0, 2, 3), keepdim=True), x.var((0, 2, 3), unbiased=False, keepdim=True)
    scale, shift = (weights[f"{name}.{last}"][:, None, None] for last in ("weight", "bias"))
    return (x - mean) / (variance + 1e-5).sqrt() * scale + shift


def randomised(network):
    """In double precision, with scales and shifts of batch norm that are not 1 and 0."""
    network.double()
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for name, weight in network.named_parameters():
            if "batch_norm" in name:
                weight.copy_(torch.rand(weight.shape, generator=generator) + 0.5)
    return dict(network.named_parameters())


def test_a_macro_network_of_two_layers_is_what_one_writes_by_hand():
    space = EnasMacroSpaceConfig(layers=2)
    network = supernet_of(space, MacroSupernetConfig(filters=2))
    w, x = randomised(network), images_of().double()
    architecture = macro_of(("sep_conv_5x5", []), ("avg_pool_3x3", [1]))
    stem = normed(functional.conv2d(x, w["stem.conv.weight"], padding=1), w, "stem.batch_norm")
    a = "layer_1.sep_conv_5x5"
    fitted = normed(functional.conv2d(stem, w[f"{a}.fit.conv.weight"]), w, f"{a}.fit.batch_norm").relu()
    wide = functional.conv2d(fitted, w[f"{a}.depthwise.weight"], padding=2, groups=2)
    first = normed(functional.conv2d(wide, w[f"{a}.pointwise.weight"]), w, f"{a}.batch_norm").relu()
    b = "layer_2.avg_pool_3x3"
    fitted = normed(functional.conv2d(first, w[f"{b}.fit.conv.weight"]), w, f"{b}.fit.batch_norm").relu()
    pooled = functional.avg_pool2d(fitted, 3, 1, 1, count_include_pad=False)
    second = normed(pooled + first, w, "layer_2.join.batch_norm")
    expected = second.mean((2, 3)) @ w["head.linear.weight"].T
    assert torch.allclose(network.logits(architecture, x), expected, rtol=1e-9, atol=1e-11)


def test_a_macro_join_by_convolution_is_one_convolution_over_outputs_side_by_side():
    space = EnasMacroSpaceConfig(layers=2)
    network = supernet_of(space, MacroSupernetConfig(filters=2, join="concat"))
    w, x = randomised(network), images_of().double()
    first_alone, both = macro_of(("conv_3x3", [])), macro_of(("conv_3x3", []), ("max_pool_3x3", [1]))
    plan = path_plan(first_alone, MacroSupernetConfig(filters=2), image_channels=3, image_size=9, classes=CLASSES)
    first = intermediate(plan, w, x)
    b = "layer_2.max_pool_3x3"
    fitted = normed(functional.conv2d(first, w[f"{b}.fit.conv.weight"]), w, f"{b}.fit.batch_norm").relu()
    pooled = functional.max_pool2d(fitted, 3, 1, 1)
    matrix = torch.cat([w["layer_2.join.output_1.weight"], w["layer_2.join.own.weight"]], 1)
    joined = normed(functional.conv2d(torch.cat([first.relu(), pooled], 1), matrix), w, "layer_2.join.batch_norm")
    expected = joined.mean((2, 3)) @ w["head.linear.weight"].T
    assert torch.allclose(network.logits(both, x), expected, rtol=1e-9, atol=1e-11)


def intermediate(plan, weights, x):
    """What reaches the head's pool in a network of the plan with these weights."""
    alone = PlanNetwork(plan, generator=torch.Generator().manual_seed(9)).double()
    alone.load_state_dict({name: weights[name].detach() for name, _ in alone.named_parameters()}, strict=False)
    stem = normed(functional.conv2d(x, weights["stem.conv.weight"], padding=1), weights, "stem.batch_norm")
    a = "layer_1.conv_3x3"
    fitted = normed(functional.conv2d(stem, weights[f"{a}.fit.conv.weight"]), weights, f"{a}.fit.batch_norm").relu()
    wide = functional.conv2d(fitted, weights[f"{a}.conv.weight"], padding=1)
    first = normed(wide, weights, f"{a}.batch_norm").relu()
    assert torch.allclose(alone(x), first.mean((2, 3)) @ weights["head.linear.weight"].T, rtol=1e-9, atol=1e-11)
    return first


def test_a_micro_cell_is_what_one_writes_by_hand_with_one_convolution_over_its_loose_ends():
    # One normal cell of two blocks behind the stem, then a reduction and a cell that only pass on.
    network = supernet_of(MICRO, MicroSupernetConfig(normal_cells=1, reductions=1, filters=2))
    w, x = randomised(network), images_of().double()
    taken = {}
    for name in ("cell_0.join.batch_norm", "cell_0.current.batch_norm", "cell_0.previous.batch_norm"):
        # A copy, since the ReLU behind may overwrite what is read once.
        network.get_submodule(name).register_forward_hook(
            lambda _, __, output, name=name: taken.__setitem__(name, output.clone())
        )
    architecture = same_cells((0, 0, "sep_conv_3x3", "avg_pool_3x3"), (0, 0, "identity", "max_pool_3x3"))
    network.logits(architecture, x)
    current, previous = (taken[f"cell_0.{which}.batch_norm"] for which in ("current", "previous"))
    stem = normed(functional.conv2d(x, w["stem.conv.weight"], padding=1), w, "stem.batch_norm")
    for which, found in (("current", current), ("previous", previous)):  # Both read the stem, each by its own matrix.
        fitted = functional.conv2d(stem.relu(), w[f"cell_0.{which}.conv.weight"])
        assert torch.allclose(found, normed(fitted, w, f"cell_0.{which}.batch_norm"), atol=1e-9)
    edge, y = "cell_0.block_0.left.state_0.sep_conv_3x3", current
    for half in ("first", "second"):
        y = functional.conv2d(y.relu(), w[f"{edge}.{half}.depthwise.weight"], padding=1, groups=2)
        y = normed(functional.conv2d(y, w[f"{edge}.{half}.pointwise.weight"]), w, f"{edge}.{half}.batch_norm")
    block_0 = y + functional.avg_pool2d(current, 3, 1, 1, count_include_pad=False)
    block_1 = current + functional.max_pool2d(current, 3, 1, 1)
    ends = torch.cat([previous, block_0, block_1], 1).relu()  # The previous input is a loose end: nobody reads it.
    matrix = torch.cat([w[f"cell_0.join.state_{state}.weight"] for state in (1, 2, 3)], 1)
    expected = normed(functional.conv2d(ends, matrix), w, "cell_0.join.batch_norm")
    assert torch.allclose(taken["cell_0.join.batch_norm"], expected, rtol=1e-9, atol=1e-11)


def test_both_memory_orders_compute_the_same():
    for space, supernet, architecture in ((MICRO, MICRO_NET, MICRO_PATH), (MACRO, MACRO_NET, MACRO_PATH)):
        ours = supernet_of(space, supernet).double()
        plain = supernet_of(space, supernet, memory_format=torch.contiguous_format).double()
        images = images_of().double()
        assert torch.allclose(ours.logits(architecture, images), plain.logits(architecture, images), atol=1e-10)


@few
@given(st.data(), st.sampled_from([8, 9, 14]))
def test_gradients_of_batch_norm_are_dense_in_all_but_the_last(data, size):
    """In the other order its backward pass is slow; before the head it has the fewest pixels."""
    for space, supernet, drawn, last in (
        (MICRO, MICRO_NET, micro_architectures(MICRO), "cell_1.join.batch_norm"),
        (MACRO, MACRO_NET, macro_architectures(MACRO), "layer_4.join.batch_norm"),
    ):
        network, architecture, dense = supernet_of(space, supernet, image=(3, size, size)), data.draw(drawn), {}

        def look(output, name, dense=dense):
            output.register_hook(lambda g: dense.__setitem__(name, g.is_contiguous(memory_format=torch.channels_last)))

        for name, module in network.named_modules():
            if name.endswith("batch_norm") and name != last:
                module.register_forward_hook(lambda _, __, output, name=name: look(output, name))
        backward(network, architecture, image=(3, size, size))
        assert dense and all(dense.values()), [name for name, is_dense in dense.items() if not is_dense]


@pytest.mark.parametrize("size", [(4, 4), (5, 4), (5, 7)])
@pytest.mark.parametrize("is_shifted", [False, True])
def test_a_subsample_with_a_dense_gradient_has_the_values_and_gradients_of_the_plain_one(size, is_shifted):
    layers = LayerList((2, *size))
    name = layers.subsample(IMAGE_LAYER, is_shifted=is_shifted)
    (layer,) = layers.needed_for([name])
    x = torch.randn(3, 2, *size, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    results = []
    for compute in (
        subsample_with_dense_gradient(layer, torch.channels_last), compute_of(layer, torch.channels_last, False),
    ):  # fmt: skip
        source = x.clone(memory_format=torch.channels_last).requires_grad_()
        output = compute(source)
        (output * torch.arange(output.numel()).reshape(output.shape)).sum().backward()
        results.append((output.detach(), source.grad))
    (ours, our_gradient), (plain, gradient) = results
    assert torch.equal(ours, plain) and torch.equal(our_gradient, gradient)
    assert our_gradient.is_contiguous(memory_format=torch.channels_last)


@few
@given(st.data())
def test_the_estimate_of_memory_is_within_a_tenth_of_what_a_training_step_keeps(data):
    for space, supernet, drawn in (
        (MICRO, MICRO_NET, micro_architectures(MICRO)),
        (MACRO, MACRO_NET, macro_architectures(MACRO)),
    ):
        network, architecture = supernet_of(space, supernet), data.draw(drawn)
        own = {tensor.untyped_storage().data_ptr() for tensor in network.state_dict().values()}
        kept = {}

        def note(tensor, own=own, kept=kept):
            storage = tensor.untyped_storage()
            if storage.data_ptr() not in own:
                kept[storage.data_ptr()] = storage  # Held, so that no address is used twice.
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
            network.both_logits(architecture, torch.randn(32, *IMAGE))
        measured = sum(storage.nbytes() for storage in kept.values())
        plan = path_plan(architecture, supernet, image_channels=3, image_size=9, classes=CLASSES)
        assert abs(measured / cost.activation_bytes(plan, 32) - 1) < 0.1


# Batch norm behaves as the configuration says.


def test_with_statistics_of_the_batch_nothing_is_kept_and_a_score_changes_nothing():
    network = supernet_of(MACRO, MACRO_NET)
    assert not list(network.buffers())
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    with torch.no_grad():
        together = network.logits(MACRO_PATH, images_of())
        alone = network.logits(MACRO_PATH, images_of()[:1])
    assert not torch.allclose(together[:1], alone, atol=1e-3)  # What else is in the batch matters.
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    assert torch.equal(network.both_logits(MACRO_PATH, images_of())[0], together)


def test_running_statistics_move_on_the_path_of_a_training_step_alone_and_scores_use_them():
    network = supernet_of(MACRO, MACRO_NET.model_copy(update={"batch_norm": "running"}))
    before = {name: tensor.clone() for name, tensor in network.named_buffers()}
    trained, _ = network.both_logits(MACRO_PATH, images_of())
    moved = {
        name.rsplit(".", 1)[0] for name, tensor in network.named_buffers() if not torch.equal(tensor, before[name])
    }
    on_path = {name.rsplit(".", 1)[0] for name, _ in network.parameters_of(MACRO_PATH)}
    assert moved == {name for name in on_path if name.endswith("batch_norm")}
    after = {name: tensor.clone() for name, tensor in network.named_buffers()}
    with torch.no_grad():
        together = network.logits(MACRO_PATH, images_of())
        alone = network.logits(MACRO_PATH, images_of()[:1])
    assert torch.allclose(together[:1], alone, atol=1e-5)
    assert not torch.allclose(together, trained, atol=1e-3)
    assert all(torch.equal(tensor, after[name]) for name, tensor in network.named_buffers())


def test_a_training_step_that_fails_leaves_the_network_scoring():
    network = supernet_of(MACRO, MACRO_NET.model_copy(update={"batch_norm": "running"}))
    before = network.logits(MACRO_PATH, images_of())
    with pytest.raises(RuntimeError):
        network.both_logits(MACRO_PATH, images_of(), torch.ones(BATCH, 17))
    network.load_state_dict(supernet_of(MACRO, MACRO_NET.model_copy(update={"batch_norm": "running"})).state_dict())
    assert torch.equal(network.logits(MACRO_PATH, images_of()), before)


# The heads.


def test_the_auxiliary_head_learns_and_a_score_leaves_it_out():
    supernet, image = MicroSupernetConfig(normal_cells=1, filters=2), (1, 20, 20)
    network = supernet_of(MICRO, supernet, image=image, auxiliary=True)
    images = images_of(image)
    logits, auxiliary = network.both_logits(MICRO_PATH, images)
    assert logits.shape == auxiliary.shape == (BATCH, CLASSES) and not torch.equal(logits, auxiliary)
    functional.cross_entropy(auxiliary, labels_of()).backward()
    head = {name: weight for name, weight in network.named_parameters() if name.startswith("auxiliary.")}
    assert head and all(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in head.values())
    assert head.keys() <= {name for name, _ in network.parameters_of(MICRO_PATH)}
    with torch.no_grad():
        for weight in head.values():
            weight.fill_(math.nan)
        assert torch.isfinite(network.logits(MICRO_PATH, images)).all()


def test_features_are_dropped_in_the_training_step_that_says_so_only():
    network, images = supernet_of(MACRO, MACRO_NET), images_of()
    read = []
    network.get_submodule("head.linear").register_forward_pre_hook(lambda _, inputs: read.append(inputs[0].flatten(1)))
    plain = network.logits(MACRO_PATH, images)
    features = torch.tensor([[2.0, 0.0, 2.0, 0.0]]).expand(BATCH, -1)
    dropped, _ = network.both_logits(MACRO_PATH, images, features)
    expected = (read[0] * features) @ network.get_parameter("head.linear.weight").T
    assert torch.allclose(dropped, expected, atol=1e-6) and not torch.allclose(dropped, plain, atol=1e-3)
    assert torch.equal(network.both_logits(MACRO_PATH, images, torch.zeros(BATCH, 4))[0], torch.zeros(BATCH, CLASSES))
    assert torch.equal(network.logits(MACRO_PATH, images), plain)


# Names, weights at the start, and the paths that are kept.


@spaces_and_paths()
def test_parameters_are_those_of_the_bank(space, supernet, architecture):
    layers = image_supernet_layers(space, supernet, image_channels=3, image_size=9, classes=CLASSES)
    expected = {f"{layer.name}.{last}": shape for layer in layers for last, shape in layer.parameter_shapes().items()}
    network = supernet_of(space, supernet)
    assert {name: tuple(weight.shape) for name, weight in network.named_parameters()} == expected


def test_equal_seeds_draw_equal_weights_and_the_global_generator_is_left_alone():
    torch.manual_seed(7)
    before = torch.get_rng_state()
    first, second, other = (supernet_of(MACRO, MACRO_NET, seed) for seed in (1, 1, 2))
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))
    assert not torch.equal(first.get_parameter("stem.conv.weight"), other.get_parameter("stem.conv.weight"))
    assert torch.equal(torch.get_rng_state(), before)


def test_weights_vary_by_what_they_read():
    network = supernet_of(EnasMacroSpaceConfig(layers=2), MacroSupernetConfig(filters=64))
    for name, fan_in in (
        ("layer_1.conv_3x3.conv.weight", 64 * 9),
        ("layer_1.sep_conv_5x5.depthwise.weight", 25),
        ("stem.conv.weight", 27),
    ):
        # A normal distribution cut at two deviations keeps 0.8796 of its deviation.
        assert abs(network.get_parameter(name).std().item() / ((2 / fan_in) ** 0.5 * 0.8796) - 1) < 0.05, name


def test_architectures_with_one_hash_take_the_paths_they_say():
    one = same_cells((0, 0, "sep_conv_3x3", "identity"), (1, 1, "sep_conv_5x5", "identity"))
    other = same_cells((1, 1, "sep_conv_5x5", "identity"), (0, 0, "sep_conv_3x3", "identity"))
    assert one.hash == other.hash
    network = supernet_of(MICRO, MICRO_NET)
    assert not torch.allclose(network.logits(one, images_of()), network.logits(other, images_of()), atol=1e-3)
    assert {name for name, _ in network.parameters_of(one)} != {name for name, _ in network.parameters_of(other)}


def test_only_the_last_paths_are_kept_and_a_path_made_again_computes_the_same():
    space, images = EnasMacroSpaceConfig(layers=3), images_of()
    network = supernet_of(space, MacroSupernetConfig(filters=2))
    paths = [
        macro_of((a, []), (b, []), (c, [1]))
        for a in space.operations for b in space.operations for c in space.operations
    ][: PATHS_KEPT + 3]  # fmt: skip
    first = network.logits(paths[0], images)
    for path in paths:
        network.parameters_of(path)
    assert len(network._paths) == PATHS_KEPT and paths[0] not in network._paths and paths[-1] in network._paths
    assert torch.equal(network.logits(paths[0], images), first)


def test_an_architecture_outside_the_space_is_refused():
    network = supernet_of(MICRO, MICRO_NET)
    too_long = same_cells(*[(0, 1, "sep_conv_3x3", "identity")] * 3)
    unknown = same_cells((0, 1, "sep_conv_7x7", "identity"), (0, 1, "identity", "identity"))
    for architecture in (too_long, unknown, MACRO_PATH):
        with pytest.raises(ArchitectureError):
            network.logits(architecture, images_of())
