import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from search_engine import cost
from search_engine.architectures.cell import Block, Cell
from search_engine.architectures.cells import CellArchitecture
from search_engine.config.layout import LayoutConfig
from search_engine.config.space import NasnetSpaceConfig
from search_engine.layers import IMAGE, Layer, LayerList
from search_engine.network_plan import NetworkPlan, plan
from search_engine.networks.layer_compute import BatchNorm
from search_engine.networks.plan_network import PlanNetwork
from search_engine.operations import apply_operation, factorized_reduction
from search_engine.spaces.nasnet import NasnetSpace

SPACE = NasnetSpace(NasnetSpaceConfig(blocks=2))
BATCH = 4
few_networks = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def plans(draw):
    decisions = tuple(draw(st.integers(0, len(decision.options) - 1)) for decision in SPACE.decisions)
    layout = LayoutConfig(
        normal_cells=1, reductions=draw(st.sampled_from([1, 2])), filters=draw(st.sampled_from([2, 8]))
    )
    size = draw(st.integers(8, 17))
    return plan(
        SPACE.decode(decisions), layout, image_channels=draw(st.sampled_from([1, 3])), image_size=size, classes=10
    )


def network_of(network_plan, **options):
    return PlanNetwork(network_plan, generator=torch.Generator().manual_seed(1), **options)


def images_for(network_plan, batch=BATCH):
    return torch.randn(batch, *network_plan.image, generator=torch.Generator().manual_seed(2))


@few_networks
@given(plans())
def test_names_shapes_parameters_and_mult_adds_are_those_of_the_plan(network_plan):
    network = network_of(network_plan)
    assert {name: tuple(p.shape) for name, p in network.named_parameters()} == network_plan.parameter_shapes()
    assert {name: tuple(b.shape) for name, b in network.named_buffers()} == network_plan.buffer_shapes()
    assert sum(parameter.numel() for parameter in network.parameters()) == cost.parameters(network_plan)
    with FlopCounterMode(display=False) as counter:
        logits = network(images_for(network_plan))
    assert logits.shape == (BATCH, 10)
    assert counter.get_total_flops() == 2 * BATCH * cost.mult_adds(network_plan)


@few_networks
@given(plans())
def test_every_value_has_the_shape_of_its_layer_and_lies_in_channels_last_memory(network_plan):
    network = network_of(network_plan)
    shapes = {layer.name: layer.shape for layer in network_plan.layers}
    seen = {}
    for name, module in network.named_modules():
        module.register_forward_hook(lambda _, __, output, name=name: seen.__setitem__(name, output))
    network(images_for(network_plan)).sum().backward()
    weighted = {layer.name for layer in network_plan.layers if layer.parameter_shapes()}
    assert set(seen) - {""} == weighted
    for name in weighted:
        if seen[name].dim() == 4:
            assert tuple(seen[name].shape[1:]) == shapes[name]
            assert seen[name].is_contiguous(memory_format=torch.channels_last)


@few_networks
@given(plans())
def test_gradients_of_batch_norm_are_dense(network_plan):
    network = network_of(network_plan)
    dense = []

    def look(module, inputs, output):
        output.register_hook(lambda gradient: dense.append(gradient.is_contiguous(memory_format=torch.channels_last)))

    for module in network.modules():
        if isinstance(module, BatchNorm):
            module.register_forward_hook(look)
    network(images_for(network_plan)).sum().backward()
    assert dense and all(dense)


@few_networks
@given(plans())
def test_the_estimate_of_memory_is_within_a_tenth_of_what_is_kept(network_plan):
    network = network_of(network_plan)
    own = {tensor.untyped_storage().data_ptr() for tensor in network.state_dict().values()}
    kept = {}

    def note(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage  # Held, so that no address is used twice.
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        logits = network(images_for(network_plan, 16))
    measured = sum(storage.nbytes() for storage in kept.values())
    assert logits.requires_grad
    assert abs(measured / cost.activation_bytes(network_plan, 16) - 1) < 0.1


@few_networks
@given(plans())
def test_both_memory_orders_compute_the_same(network_plan):
    images = images_for(network_plan).double()
    ours = network_of(network_plan).double()
    plain = network_of(network_plan, memory_format=torch.contiguous_format).double()
    assert torch.allclose(ours(images), plain(images), rtol=1e-7, atol=1e-9)


def test_equal_seeds_draw_equal_weights_and_the_global_generator_is_left_alone():
    network_plan = nasnet_like(reductions=1)
    torch.manual_seed(7)
    before = torch.get_rng_state()
    first, second = network_of(network_plan), network_of(network_plan)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))
    assert torch.equal(torch.get_rng_state(), before)


def test_weights_vary_by_what_they_feed_and_stay_within_two_deviations():
    layers = LayerList((64, 4, 4))
    wide = layers.conv("wide", IMAGE, 128, kernel=(3, 3))
    depthwise = layers.conv("depthwise", wide, 128, kernel=(5, 5), groups=128)
    network = network_of(NetworkPlan((64, 4, 4), layers.needed_for([depthwise]), depthwise))
    for name, fan_out in (("wide", 128 * 9), ("depthwise", 25)):
        weight = network.get_parameter(f"{name}.weight")
        # A normal distribution cut at two deviations keeps 0.8796 of its deviation.
        assert abs(weight.std().item() / ((2.6 / fan_out) ** 0.5 * 0.8796) - 1) < 0.05
        assert weight.abs().max().item() <= 2 * (2.6 / fan_out) ** 0.5


def test_auxiliary_logits_are_there_only_where_the_plan_has_the_head():
    with_head, without = nasnet_like(reductions=2, auxiliary=True), nasnet_like(reductions=2)
    network = network_of(with_head)
    logits, auxiliary = network.both_logits(images_for(with_head))
    assert logits.shape == auxiliary.shape == (BATCH, 10)
    assert not torch.equal(logits, auxiliary)
    network.eval()
    assert torch.equal(network(images_for(with_head)), network.both_logits(images_for(with_head))[0])
    assert network_of(without).both_logits(images_for(without))[1] is None


def test_scoring_lets_intermediate_values_go():
    network_plan = nasnet_like(reductions=1)
    network = network_of(network_plan).eval()
    with torch.no_grad():
        network(images_for(network_plan))
    live = {step.target for step in network._main._steps} - {
        place for step in network._main._steps for place in step.finished
    }
    assert len(live) == 1  # Only the logits are held to the end.


def nasnet_like(*, reductions, auxiliary=False):
    blocks = (
        Block((0, 1), ("sep_conv_3x3", "max_pool_3x3"), "concat"),
        Block((2, 0), ("avg_pool_3x3", "identity"), "add"),
    )
    cell = Cell(blocks, (3,))
    layout = LayoutConfig(normal_cells=1, reductions=reductions, filters=4)
    return plan(CellArchitecture(cell, cell), layout, image_channels=3, image_size=20, classes=10, auxiliary=auxiliary)


# Each operation against a hand-written one, in double precision.


def run(build, images, **weights):
    """The output of the layers that `build` lays on images, with weights set by name."""
    shape = tuple(images.shape[1:])
    layers = LayerList(shape)
    output = build(layers)
    network = network_of(NetworkPlan(shape, layers.needed_for([output]), output)).double()
    return network(images), network.state_dict()


def normalised(x):
    mean = x.mean((0, 2, 3), keepdim=True)
    return (x - mean) / (x.var((0, 2, 3), keepdim=True, unbiased=False) + 1e-5).sqrt()


def same_padded(x, kernel, stride, value=0.0):
    """TensorFlow's SAME: what is odd goes below and to the right."""
    size = x.shape[2]
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    before, after = total // 2, total - total // 2
    return functional.pad(x, (before, after, before, after), value=value)


def test_a_separable_convolution_is_applied_twice():
    for size in (7, 8):
        for stride in (1, 2):
            images = torch.randn(3, 4, size, size, dtype=torch.float64)
            found, w = run(lambda layers, s=stride: apply_operation(layers, "sep_conv_5x5", "op", IMAGE, 6, s), images)
            x = functional.relu(images)
            x = functional.conv2d(same_padded(x, 5, stride), w["op.first.depthwise.weight"], stride=stride, groups=4)
            x = normalised(functional.conv2d(x, w["op.first.pointwise.weight"]))
            x = functional.conv2d(same_padded(functional.relu(x), 5, 1), w["op.second.depthwise.weight"], groups=6)
            x = normalised(functional.conv2d(x, w["op.second.pointwise.weight"]))
            assert torch.allclose(found, x, rtol=1e-7, atol=1e-9)


def test_a_factorized_reduction_reads_even_pixels_and_odd_ones_with_zeros_beyond_the_edge():
    for size in (7, 8):
        images = torch.randn(3, 4, size, size, dtype=torch.float64)
        found, w = run(lambda layers: factorized_reduction(layers, "op", IMAGE, 6), images)
        shifted = functional.pad(images, (0, 1, 0, 1))[:, :, 1:, 1:]
        halves = [
            functional.conv2d(images[:, :, ::2, ::2], w["op.even.weight"]),
            functional.conv2d(shifted[:, :, ::2, ::2], w["op.odd.weight"]),
        ]
        assert found.shape == (3, 6, -(-size // 2), -(-size // 2))
        assert torch.allclose(found, normalised(torch.cat(halves, 1)), rtol=1e-7, atol=1e-9)


def test_pools_leave_padding_out():
    for size in (7, 8, 9):
        for stride in (1, 2):
            for kernel in (3, 7):
                images = torch.randn(2, 3, size, size, dtype=torch.float64) - 10  # A padded zero would be the largest.
                largest, _ = run(lambda layers, k=kernel, s=stride: layers.pool("max_pool", IMAGE, k, s), images)
                padded = same_padded(images, kernel, stride, -torch.inf)
                assert torch.equal(largest, functional.max_pool2d(padded, kernel, stride))
                mean, _ = run(lambda layers, k=kernel, s=stride: layers.pool("avg_pool", IMAGE, k, s), images)
                total = functional.avg_pool2d(same_padded(images, kernel, stride), kernel, stride, divisor_override=1)
                ones = same_padded(torch.ones_like(images), kernel, stride)
                count = functional.avg_pool2d(ones, kernel, stride, divisor_override=1)
                assert torch.allclose(mean, total / count)


def test_rows_then_columns_stride_each_along_its_own_direction():
    images = torch.randn(3, 4, 8, 8, dtype=torch.float64)
    found, w = run(lambda layers: apply_operation(layers, "conv_1x7_7x1", "op", IMAGE, 6, 2), images)
    x = functional.pad(functional.relu(images), (2, 3, 0, 0))
    x = normalised(functional.conv2d(x, w["op.first.conv.weight"], stride=(1, 2)))
    x = functional.pad(functional.relu(x), (0, 0, 2, 3))
    x = normalised(functional.conv2d(x, w["op.second.conv.weight"], stride=(2, 1)))
    assert found.shape == (3, 6, 4, 4)
    assert torch.allclose(found, x, rtol=1e-7, atol=1e-9)


def test_a_dilated_convolution_reads_every_second_pixel():
    images = torch.randn(3, 4, 9, 9, dtype=torch.float64)
    found, w = run(lambda layers: apply_operation(layers, "dilated_conv_3x3", "op", IMAGE, 6, 1), images)
    x = functional.conv2d(functional.relu(images), w["op.conv.weight"], padding=2, dilation=2)
    assert torch.allclose(found, normalised(x), rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("of_batch", [True, False])
@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
def test_batch_norm_without_its_way_round_is_pytorchs_to_the_bit(of_batch, kind):
    layer = Layer("norm", "batch_norm", ("x",), (6, 5, 5), 6, bias=True)
    found = []
    for compute in (BatchNorm.forward, _by_pytorch):
        generator = torch.Generator().manual_seed(1)
        norm = BatchNorm(layer, 1e-5, 0.3).train(of_batch)
        for tensor in norm.state_dict().values():
            tensor.copy_(torch.rand(6, generator=generator) + 0.5)
        x = torch.randn(4, 6, 5, 5, generator=generator).to(kind, memory_format=torch.channels_last).requires_grad_()
        value = compute(norm, x)
        (value * torch.randn(value.shape, generator=generator)).sum().backward()
        found.append([value.detach(), x.grad, norm.weight.grad, norm.bias.grad, *norm.state_dict().values()])
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(*found, strict=True))


def _by_pytorch(norm, x):
    return torch.nn.functional.batch_norm(
        x, norm.running_mean, norm.running_var, norm.weight, norm.bias, norm.training, norm.momentum, norm._epsilon
    )
