"""What the backward pass computes again has the same bits as what would have been kept."""

from collections import deque
from unittest.mock import patch

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.autograd.graph import saved_tensors_hooks
from torch.nn import functional

from search_engine.config.layout import LayoutConfig
from search_engine.config.space import EnasMacroSpaceConfig, EnasMicroSpaceConfig, NasnetSpaceConfig
from search_engine.config.supernet import MacroSupernetConfig, MicroSupernetConfig
from search_engine.network_plan import plan
from search_engine.networks import plan_network, program
from search_engine.networks.image_supernet import ImageSupernet
from search_engine.networks.plan_network import Dropped, PlanNetwork
from search_engine.networks.recomputation import HELD, Cheap, Recomputation
from search_engine.spaces.nasnet import NasnetSpace
from tests.engine.shared_networks import macro_architectures, micro_architectures, same_cells

SPACE = NasnetSpace(NasnetSpaceConfig(blocks=3))
MICRO, MACRO = EnasMicroSpaceConfig(nodes=2), EnasMacroSpaceConfig(layers=4)
BATCH, IMAGE = 4, (3, 12, 12)
SPARING, KEEPING = 0, 1 << 60  # Values of WORTH_WHILE.
few = settings(max_examples=12, deadline=None)


@st.composite
def plans(draw):
    decisions = tuple(draw(st.integers(0, len(decision.options) - 1)) for decision in SPACE.decisions)
    reductions = draw(st.sampled_from([1, 2]))
    layout = LayoutConfig(normal_cells=1, reductions=reductions, filters=draw(st.sampled_from([2, 8])))
    size = draw(st.integers(9, 13))  # The auxiliary head finds its five pixels from nine on.
    return plan(SPACE.decode(decisions), layout, image_channels=3, image_size=size, classes=5, auxiliary=True)


def step_of(network, forward, worth_while):
    """Everything that a forward and a backward pass leave: losses, gradients, statistics."""
    with patch.object(program, "WORTH_WHILE", worth_while):
        logits, auxiliary = forward()
        loss = functional.cross_entropy(logits, torch.arange(BATCH) % 3)
        if auxiliary is not None:
            loss = loss + 0.4 * functional.cross_entropy(auxiliary, torch.arange(BATCH) % 3)
        loss.backward()
    gradients = {name: each.grad for name, each in network.named_parameters() if each.grad is not None}
    return {"loss": loss.detach()} | gradients | {f"{name}!": each for name, each in network.named_buffers()}


def same_bits(some, others):
    return some.keys() == others.keys() and all(torch.equal(some[name], others[name]) for name in some)


def trained(network_plan, worth_while):
    network = PlanNetwork(network_plan, generator=torch.Generator().manual_seed(1))
    images = torch.randn(BATCH, *network_plan.image, generator=torch.Generator().manual_seed(2))
    paths = torch.rand(len(network._drop_paths), BATCH, generator=torch.Generator().manual_seed(3)).round() * 2
    return step_of(network, lambda: network.both_logits(images, Dropped(paths=paths)), worth_while)


@few
@given(plans())
def test_a_step_of_any_child_is_the_same_whether_values_are_kept_or_computed_again(network_plan):
    assert same_bits(trained(network_plan, SPARING), trained(network_plan, KEEPING))


@few
@given(plans())
def test_a_dense_gradient_behind_a_concatenation_changes_no_bit(network_plan):
    with patch.object(plan_network, "_dense_subsamples", lambda *_: {}):
        before = trained(network_plan, KEEPING)
    assert same_bits(trained(network_plan, KEEPING), before)


def shared(space, supernet, architecture, worth_while):
    generator = torch.Generator().manual_seed(1)
    network = ImageSupernet(space, supernet, image=IMAGE, classes=3, generator=generator)
    images = torch.randn(BATCH, *IMAGE, generator=torch.Generator().manual_seed(2))
    return step_of(network, lambda: network.both_logits(architecture, images), worth_while)


@few
@given(micro_architectures(MICRO), st.sampled_from(["batch", "running"]))
def test_so_is_a_step_of_a_micro_network_with_shared_weights(architecture, batch_norm):
    supernet = MicroSupernetConfig(normal_cells=1, reductions=2, filters=4, batch_norm=batch_norm)
    assert same_bits(*(shared(MICRO, supernet, architecture, worth) for worth in (SPARING, KEEPING)))


@few
@given(macro_architectures(MACRO))
def test_so_is_a_step_of_a_macro_network_with_shared_weights(architecture):
    supernet = MacroSupernetConfig(filters=4)
    assert same_bits(*(shared(MACRO, supernet, architecture, worth) for worth in (SPARING, KEEPING)))


def test_less_than_half_is_kept_of_what_would_be():
    cells = same_cells((0, 1, "sep_conv_3x3", "sep_conv_5x5"), (2, 1, "sep_conv_3x3", "avg_pool_3x3"))
    child = plan(cells, LayoutConfig(filters=8), image_channels=3, image_size=16, classes=5)
    network = PlanNetwork(child, generator=torch.Generator().manual_seed(1))
    images = torch.randn(BATCH, *child.image)
    everything, kept = {}, {}

    def noted(found, storages):
        if isinstance(found, torch.Tensor):
            storages[found.untyped_storage().data_ptr()] = found.untyped_storage().nbytes()
        return found

    with saved_tensors_hooks(lambda tensor: noted(tensor, everything), lambda tensor: tensor):
        alive = network(images)
    pack, source = Recomputation._pack, Recomputation.source
    with (
        patch.object(program, "WORTH_WHILE", SPARING),
        patch.object(Recomputation, "_pack", lambda self, tensor: noted(pack(self, tensor), kept)),
        patch.object(Recomputation, "source", lambda self, value: noted(source(self, value), kept)),
    ):
        also_alive = network(images)
    assert torch.equal(alive, also_alive)
    weights = sum(4 * parameter.numel() for parameter in network.parameters())
    assert sum(kept.values()) - weights < (sum(everything.values()) - weights) / 2


def test_a_value_is_computed_once_for_all_who_wait_for_it_and_then_let_go():
    calls = []
    cheap = Cheap(lambda x: calls.append(1) or x + 1, [torch.zeros(2)], held := deque())
    cheap.expect().expect()
    assert cheap.take() is cheap.take()
    assert (len(calls), len(held)) == (1, 0)
    assert torch.equal(cheap.value(), torch.ones(2)) and len(calls) == 2


def test_of_too_many_values_the_oldest_is_computed_once_more():
    held = deque()
    cheap = [Cheap(torch.neg, [torch.ones(1)], held).expect().expect() for _ in range(HELD + 1)]
    for each in cheap:
        each.take()
    assert list(held) == cheap[1:]
    assert cheap[0].take().item() == -1.0
