"""Shared weights of recurrent cells: counts, that a cell computes as alone, and that it touches nothing of others."""

import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from search_engine.architectures.recurrent import ACTIVATIONS, RecurrentArchitecture, RecurrentNode
from search_engine.config.space import EnasRecurrentSpaceConfig
from search_engine.config.supernet_text import RecurrentSupernetConfig
from search_engine.errors import ArchitectureError
from search_engine.networks.language_network import draw_masks
from search_engine.networks.recurrent_network import RecurrentNetwork
from search_engine.networks.recurrent_supernet import RecurrentSupernet
from search_engine.recurrent_plan import recurrent_supernet_tensors

WORDS = torch.tensor([[0, 3, 1], [6, 1, 4], [2, 2, 5]])  # [T, B]
WEIGHTS = ("pair", "pair-and-activation", "pair-and-later-activation")


def count(nodes: int, vocabulary: int = 10_000, **supernet: Any) -> int:
    space = EnasRecurrentSpaceConfig(nodes=nodes)
    config = RecurrentSupernetConfig(**({"batch_norm": "off"} | supernet))
    return sum(math.prod(shape) for shape in recurrent_supernet_tensors(space, config, vocabulary=vocabulary).values())


def supernet(nodes: int = 4, hidden: int = 5, seed: int = 1, **settings: Any) -> RecurrentSupernet:
    settings = {"batch_norm": "off", "largest_state": 0} | settings
    return RecurrentSupernet(
        EnasRecurrentSpaceConfig(nodes=nodes),
        RecurrentSupernetConfig(hidden=hidden, **settings),
        vocabulary=7,
        generator=torch.Generator().manual_seed(seed),
        initial_range=0.5,
    ).double()


def cell(*nodes: tuple[int | None, str]) -> RecurrentArchitecture:
    made = tuple(RecurrentNode(source, activation) for source, activation in nodes)
    return RecurrentArchitecture(made, RecurrentArchitecture(made, ()).loose_ends()).validated()


FIGURE_2 = cell((None, "tanh"), (0, "relu"), (1, "relu"), (0, "tanh"))


@st.composite
def cells(draw: st.DrawFn, nodes: int = 4) -> RecurrentArchitecture:
    return cell(
        *(
            (draw(st.integers(0, index - 1)) if index else None, draw(st.sampled_from(ACTIVATIONS)))
            for index in range(nodes)
        )
    )


def test_the_first_release_has_289_209_600_weights_and_36_000_of_batch_norm() -> None:
    assert count(12, hidden=720, weights="pair-and-activation") == 289_209_600 == 544 * 720**2 + 10_000 * 720
    assert count(12, hidden=720, weights="pair-and-activation", batch_norm="nodes-and-output") == 289_209_600 + 36_000


def test_the_second_release_has_16_560_000_weights() -> None:
    """Its nine searched nodes stand behind a first one that is always tanh: ten nodes here."""
    assert count(10, hidden=200, weights="pair-and-later-activation") == 16_560_000 == 364 * 200**2 + 10_000 * 200


def test_a_matrix_for_each_pair_is_the_sum_that_the_paper_describes() -> None:
    # Word and state 4 H^2; 11 * 12 / 2 = 66 pairs of 2 H^2.
    assert count(12, hidden=100) == 136 * 100**2 + 10_000 * 100
    assert count(12, hidden=100, batch_norm="output") == count(12, hidden=100) + 2 * 100


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("batch_norm", ["off", "output", "nodes-and-output"])
def test_the_built_weights_are_those_of_the_plan(weights: str, batch_norm: str) -> None:
    found = supernet(weights=weights, batch_norm=batch_norm)
    shapes = {name: tuple(tensor.shape) for name, tensor in found.state_dict().items()}
    assert shapes == recurrent_supernet_tensors(EnasRecurrentSpaceConfig(nodes=4), found.supernet, vocabulary=7)


def alone(shared: RecurrentSupernet, architecture: RecurrentArchitecture) -> RecurrentNetwork:
    """A network of this cell alone, with a copy of its weights; matrices come in the order of the network's names."""
    network = RecurrentNetwork(architecture, vocabulary=7, hidden=shared.hidden, generator=torch.Generator()).double()
    used = dict(shared.parameters_of(architecture)).values()
    network.load_state_dict(dict(zip(network.state_dict(), used, strict=True)))
    return network


@settings(max_examples=30, deadline=None)
@given(cells(), st.sampled_from(WEIGHTS), st.booleans())
def test_a_cell_computes_to_the_bit_what_it_computes_with_weights_of_its_own(
    architecture: RecurrentArchitecture, weights: str, drop: bool
) -> None:
    shared = supernet(weights=weights)
    network, generator = alone(shared, architecture), torch.Generator().manual_seed(2)
    rate = 0.3 if drop else 0.0
    masks = draw_masks(shared, 3, words=rate, inputs=rate, nodes=rate, outputs=rate, generator=generator)
    state = torch.randn(3, 5, generator=generator, dtype=torch.float64)
    ours, theirs = shared(architecture, WORDS, state, masks), network(WORDS, state, masks)
    assert torch.equal(ours[0], theirs[0]) and torch.equal(ours[1], theirs[1])
    assert torch.equal(shared.logits(ours[0], masks), network.logits(theirs[0], masks))


@settings(max_examples=30, deadline=None)
@given(cells(), st.sampled_from(WEIGHTS), st.sampled_from(["off", "output", "nodes-and-output"]))
def test_a_step_touches_what_the_cell_uses_and_nothing_else(
    architecture: RecurrentArchitecture, weights: str, batch_norm: str
) -> None:
    shared = supernet(weights=weights, batch_norm=batch_norm)
    optimizer = torch.optim.SGD(shared.parameters(), lr=0.1, weight_decay=0.5)
    before = {name: tensor.clone() for name, tensor in shared.state_dict().items()}
    outputs, _ = shared(architecture, WORDS, shared.first_state(3) + 0.1)
    shared.logits(outputs).square().sum().backward()
    used = {name for name, _ in shared.parameters_of(architecture)}
    with_gradient = {name for name, parameter in shared.named_parameters() if parameter.grad is not None}
    assert with_gradient == used
    optimizer.step()
    after = shared.state_dict()
    assert {name for name, tensor in before.items() if not torch.equal(tensor, after[name])} == used


def test_two_cells_share_a_pair_and_each_activation_has_its_own_only_where_that_is_chosen() -> None:
    tanh, relu = cell((None, "tanh"), (0, "tanh")), cell((None, "relu"), (0, "relu"))
    common = {
        weights: {name for name, _ in supernet(2, weights=weights).parameters_of(tanh)}
        & {name for name, _ in supernet(2, weights=weights).parameters_of(relu)}
        for weights in WEIGHTS
    }
    assert common["pair"] == {"embedding.weight", "nodes.0_word", "nodes.0_state", "nodes.1_from_0"}
    assert common["pair-and-activation"] == {"embedding.weight"}
    assert common["pair-and-later-activation"] == {"embedding.weight", "nodes.0_word", "nodes.0_state"}


@pytest.mark.parametrize("place", range(4))
def test_every_activation_at_every_node_gives_another_output(place: int) -> None:
    shared = supernet()
    outputs = []
    for activation in ACTIVATIONS:
        nodes = [(node.source, node.activation) for node in FIGURE_2.nodes]
        nodes[place] = (nodes[place][0], activation)
        outputs.append(shared(cell(*nodes), WORDS, shared.first_state(3) + 0.3)[0])
    assert all(not torch.equal(one, other) for one in outputs for other in outputs if one is not other)


@pytest.mark.parametrize("place", [2, 3])
def test_every_source_gives_another_output(place: int) -> None:
    shared = supernet()
    outputs = []
    for source in range(place):
        nodes = [(node.source, node.activation) for node in FIGURE_2.nodes]
        nodes[place] = (source, nodes[place][1])
        outputs.append(shared(cell(*nodes), WORDS, shared.first_state(3))[0])
    assert all(not torch.equal(one, other) for one in outputs for other in outputs if one is not other)


def test_batch_norm_on_the_output_leaves_mean_0_and_variance_1_at_every_word() -> None:
    shared = supernet(batch_norm="output", batch_norm_epsilon=1e-12)
    outputs, after = shared(FIGURE_2, WORDS, shared.first_state(3))
    assert torch.allclose(outputs.mean(1), torch.zeros(3, 5).double(), atol=1e-9)
    assert torch.allclose(outputs.var(1, unbiased=False), torch.ones(3, 5).double(), atol=1e-6)
    assert torch.equal(after, outputs[-1])


def test_batch_norm_on_nodes_is_the_cell_worked_node_by_node() -> None:
    """Figure 2's cell, one word: every product is normalised over the streams before activation and gate."""
    shared = supernet(batch_norm="nodes-and-output", batch_norm_epsilon=1.0)
    with torch.no_grad():
        for parameter in shared.norms.values():
            parameter.copy_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(7)))
    weights, state = shared.state_dict(), torch.randn(3, 5, generator=torch.Generator().manual_seed(8)).double()

    def normed(value: torch.Tensor, scale: torch.Tensor, shift: torch.Tensor) -> torch.Tensor:
        return (value - value.mean(0)) / torch.sqrt(value.var(0, unbiased=False) + 1.0) * scale + shift

    def node(index: int, product: torch.Tensor, before: torch.Tensor, function: Any) -> torch.Tensor:
        product = normed(product, weights["norms.node_scale"][index], weights["norms.node_shift"][index])
        gate = torch.sigmoid(product[:, 5:])
        return gate * function(product[:, :5]) + (1 - gate) * before

    x = weights["embedding.weight"][WORDS[0]]
    h0 = node(0, x @ weights["nodes.0_word"] + state @ weights["nodes.0_state"], state, torch.tanh)
    h1 = node(1, h0 @ weights["nodes.1_from_0"], h0, torch.relu)
    h2 = node(2, h1 @ weights["nodes.2_from_1"], h1, torch.relu)
    h3 = node(3, h0 @ weights["nodes.3_from_0"], h0, torch.tanh)
    wanted = normed((h2 + h3) / 2, weights["norms.output_scale"], weights["norms.output_shift"])
    outputs, _ = shared(FIGURE_2, WORDS[:1], state)
    assert torch.allclose(outputs[0], wanted, atol=1e-12)


def test_a_state_that_grows_is_scaled_to_its_bound_and_a_smaller_one_is_left_alone() -> None:
    grows = cell((None, "identity"), (0, "identity"), (1, "relu"), (2, "identity"))
    free, bound = supernet(), supernet(largest_state=2.0)
    with torch.no_grad():
        for network in (free, bound):
            for name, parameter in network.nodes.items():
                parameter.copy_(torch.full_like(parameter, 1.0 if name != "0_word" else 0.1))
    state = torch.full((3, 5), 0.1, dtype=torch.float64)
    assert free(grows, WORDS, state)[1].norm(dim=1).min() > 2.0
    outputs, _ = bound(grows, WORDS, state)
    assert torch.allclose(outputs.norm(dim=2), torch.full((3, 3), 2.0).double())
    assert torch.equal(supernet(largest_state=50)(FIGURE_2, WORDS, state)[0], supernet()(FIGURE_2, WORDS, state)[0])


def test_batch_norm_bounds_states_by_itself() -> None:
    assert RecurrentSupernetConfig(batch_norm="off", largest_state=9).bound == 9
    assert RecurrentSupernetConfig(batch_norm="output", largest_state=9).bound == 0


def test_a_cell_of_another_space_is_refused() -> None:
    with pytest.raises(ArchitectureError, match="nodes: needs the weights 2_from_0, which the search does not share"):
        supernet(2)(cell((None, "tanh"), (0, "tanh"), (0, "relu")), WORDS, supernet(2).first_state(3))


def test_initial_weights_follow_the_seed_and_stay_in_their_range() -> None:
    first, again, other = (supernet(hidden=20, seed=seed).state_dict() for seed in (1, 1, 2))
    everything = torch.cat([tensor.flatten() for tensor in first.values()])
    assert 0.49 < everything.abs().max() <= 0.5
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not any(torch.equal(first[name], other[name]) for name in first)
